//! Runs whose chains are side by side in one program: each chain is what it is by itself.

use probpipe::inference::Target;
use probpipe::inference::adapt::{Gradients, Windows};
use probpipe::inference::mcmc::{Hmc, Nuts};
use probpipe::pipeline::{Ended, Run};
use probpipe::prelude::*;
use std::ops::ControlFlow;

/// Two numbers, one positive, whose spreads differ.
fn target() -> Target<Record> {
    let model = generative(|t: &mut Choices| {
        let scale = t.sample("scale", probpipe::HalfNormal::new(0.5));
        let mean = t.sample("mean", Normal::new(0.0, 2.0));
        t.sample("y", Normal::new(mean, scale + 0.1))
    });
    Target::of(model, (), &ChoiceMap::new([("y", array(1.0))])).unwrap().into()
}

fn bits(draws: &Draws<Record>) -> Vec<Vec<u8>> {
    let mut all = draws.values.leaves();
    all.push(draws.unconstrained.clone());
    all.extend(draws.stats.leaves());
    all.iter().map(|x| x.value().unwrap().to_host().unwrap().bytes().to_vec()).collect()
}

#[track_caller]
fn as_alone<K, W>(mut run: Run<K, W>)
where
    K: probpipe::inference::mcmc::Kernel + Sync + Clone,
    W: probpipe::inference::adapt::WarmUp<K> + Sync + Clone,
{
    let draws = |run: Run<K, W>| bits(&run.sample(Key::new(3), &target()).unwrap());
    // Where operations are what they are by definition.
    run.device = Device::Interpreter;
    let alone = draws(run.clone());
    for lanes in [2, 3, 5] {
        assert!(draws(run.clone().lanes(lanes)) == alone, "{lanes} lanes");
    }
}

#[test]
fn chains_are_those_that_run_alone() {
    let run = Nuts::default().chains(5).warmup(60).draws(12).thin(2);
    as_alone(run.clone());
    as_alone(run.clone().adaptation(Windows::dense()));
    as_alone(run.clone().adaptation(Gradients::diagonal()));
    as_alone(run.warmup(0));
    as_alone(Hmc::new(0.3, 5).chains(3).warmup(40).draws(10));
}

#[test]
fn draws_depend_neither_on_threads_nor_on_neighbours() {
    let run = Nuts::default().chains(6).warmup(150).draws(70);
    let draws = |run: &Run<_, _>| run.sample(Key::new(5), &target()).unwrap();
    let six = run.clone().lanes(4);
    let (one, three) = (draws(&six.clone().threads(1)), draws(&six.clone().threads(3)));
    assert_eq!(bits(&one), bits(&three));
    // Chains that end later, earlier, or are made in vain change nothing.
    let five = draws(&run.clone().chains(5).lanes(4));
    let keys = |n: usize| Key::new(5).split_n(n).remove(0).data().to_vec::<u32>().unwrap();
    assert_eq!(keys(5), keys(6), "the first of five keys is the first of six");
    let first = |draws: &Draws<Record>| draws.unconstrained.at(0).to_vec::<f32>().unwrap();
    assert_eq!(first(&five), first(&one));
}

#[test]
fn a_run_goes_on_to_the_same_bits() {
    let path = std::env::temp_dir().join(format!("probpipe-{}-lanes", std::process::id()));
    std::fs::remove_dir_all(&path).ok();
    let run = Nuts::default().chains(5).lanes(3).warmup(100).draws(4_000).threads(2);
    let whole = run.sample(Key::new(1), &target()).unwrap();
    let stopped = run.clone().to_dir(&path).on_progress(|progress| {
        match progress.chains.iter().all(|chain| chain.draws >= 20) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let part = stopped.sample(Key::new(1), &target()).unwrap();
    assert!(matches!(part.ended, Ended::Interrupted), "{:?}", part.ended);
    let resumed = run.resume(&path, Key::new(1), &target()).unwrap();
    assert_eq!(bits(&resumed), bits(&whole));
    std::fs::remove_dir_all(&path).ok();
}

#[test]
fn a_chain_without_a_start_is_told() {
    let nowhere = Target::new(|x: Array| x.sum() * f64::NAN, zeros([2])).unwrap();
    let error = Nuts::default().chains(3).lanes(2).sample(Key::new(0), &nowhere).unwrap_err();
    assert!(error.to_string().contains("finite density"), "{error}");
}

#[test]
fn no_lanes_are_refused() {
    let error = Nuts::default().chains(4).lanes(0).sample(Key::new(0), &target()).unwrap_err();
    assert!(error.to_string().contains("no lanes"), "{error}");
}
