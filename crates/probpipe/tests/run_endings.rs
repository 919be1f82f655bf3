//! What draws depend on, what ends a run and leaves of it, and what is said of draws.

use probpipe::inference::Target;
use probpipe::inference::adapt::Fixed;
use probpipe::inference::adapt::Windows;
use probpipe::inference::mcmc::{Hmc, Nuts};
use probpipe::pipeline::{Ended, Run, Warning};
use probpipe::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn eight_schools() -> Target<ChoiceMap> {
    Target::of(schools(), (), &observed()).unwrap()
}

fn schools() -> impl GenerativeFunction<Args = (), Value = Array> + Clone {
    generative(|t: &mut Choices| {
        let float = |x: [f64; 8]| probpipe::array(x).cast(probpipe::default_float());
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", probpipe::HalfCauchy::new(5.0));
        let z = t.call("z", Normal::new(0.0, 1.0).repeat(8), ());
        let sigma = float([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
        t.sample("y", Normal::new(&mu + &tau * &z, &sigma))
    })
}

fn observed() -> ChoiceMap {
    let y = probpipe::array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    ChoiceMap::new([("y", y.cast(probpipe::default_float()))])
}

fn in_both(f: impl Fn()) {
    f();
    probpipe::with_default_float(DType::F64, f);
}

fn bytes(array: &Array) -> Vec<u8> {
    array.value().unwrap().to_host().unwrap().bytes().to_vec()
}

/// The bits of draws, of the first `n`.
fn bits<T: Tree + Clone>(draws: &Draws<T>, n: usize) -> Vec<Vec<u8>> {
    let mut all = draws.values.leaves();
    all.push(draws.unconstrained.clone());
    all.extend(draws.stats.leaves());
    all.iter().map(|x| bytes(&x.slice_axis(1, 0..n))).collect()
}

#[test]
fn draws_depend_on_the_key_alone() {
    in_both(|| {
        let target = eight_schools();
        let mut first = None;
        for threads in [1, 2, 3] {
            let began = Instant::now();
            let run = Nuts::default().chains(4).threads(threads);
            let draws = run.sample(Key::new(0), &target).unwrap();
            println!("{threads} threads: {:?}", began.elapsed());
            assert!(matches!(draws.ended, Ended::Complete));
            assert_eq!((draws.chains(), draws.draws()), (4, 1000));
            assert_eq!(draws.values["z"].dtype(), probpipe::default_float());
            let bits = bits(&draws, 1000);
            assert_eq!(first.get_or_insert(bits.clone()), &bits);
            let mean = draws.values["mu"].mean().cast(DType::F64).item::<f64>().unwrap();
            assert!((mean - 4.4).abs() < 0.4, "{mean}");
        }
    });
}

#[test]
fn thinned_draws_are_the_last_of_their_steps() {
    let target = eight_schools();
    let run = Nuts::default().chains(2).warmup(70);
    let all = run.clone().draws(120).sample(Key::new(1), &target).unwrap();
    let some = run.draws(40).thin(3).sample(Key::new(1), &target).unwrap();
    for place in [0, 17, 39] {
        let (few, many) =
            (some.values["z"].at_axis(1, place), all.values["z"].at_axis(1, 3 * place + 2));
        assert_eq!(bytes(&few), bytes(&many));
    }
}

#[test]
fn a_callback_hears_of_every_block_and_may_end_the_run() {
    let target = eight_schools();
    // So many that none is at its end when the others have begun.
    let run = Nuts::default().chains(3).warmup(500).draws(10_000).threads(2);
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    let whole = run.clone().on_progress(move |progress| {
        count.fetch_add(1, Ordering::SeqCst);
        let chain = &progress.chains[progress.chain];
        assert!(chain.steps <= chain.of && chain.draws == chain.steps.saturating_sub(500));
        assert!(chain.step_size.unwrap() > 0.0 && chain.gradients.unwrap() >= chain.steps as u64);
        ControlFlow::Continue(())
    });
    let whole = whole.sample(Key::new(2), &target).unwrap().whole().unwrap();
    assert!(heard.load(Ordering::SeqCst) >= 3 * 16);
    let cut = run.on_progress(|progress| match progress.chains.iter().all(|c| c.draws >= 50) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    let cut = cut.sample(Key::new(2), &target).unwrap();
    assert!(matches!(cut.ended, Ended::Interrupted));
    let n = cut.draws();
    assert!((50..10_000).contains(&n), "{n}");
    assert_eq!(bits(&cut, n), bits(&whole, n));
    let said = cut.warnings().unwrap();
    assert!(matches!(said[0], Warning::Cut { of: 10_000, error: None, .. }), "{said:?}");
    let error = cut.whole().unwrap_err();
    assert!(error.message().contains("stopped after"), "{error}");
}

#[test]
fn a_callback_that_panics_loses_no_draws() {
    let target = eight_schools();
    let run = Nuts::default().chains(2).draws(300);
    let whole = run.clone().sample(Key::new(3), &target).unwrap();
    let draws = run.on_progress(|progress| {
        assert!(progress.chains.iter().any(|chain| chain.draws < 100), "enough of it");
        ControlFlow::Continue(())
    });
    let draws = draws.sample(Key::new(3), &target).unwrap();
    let n = draws.draws();
    assert!(n >= 100);
    assert_eq!(bits(&draws, n), bits(&whole, n));
    let error = draws.whole().unwrap_err();
    assert!(error.message().contains("callback of a run panicked: enough of it"), "{error}");
}

#[test]
fn a_model_that_fails_on_the_host_loses_no_draws() {
    for limit in [0, 4_000] {
        let calls = Arc::new(AtomicUsize::new(0));
        let log_density = move |x: Array| {
            let calls = calls.clone();
            let nothing = move |x: Array| {
                assert!(calls.fetch_add(1, Ordering::SeqCst) < limit || limit == 0, "no more");
                x * 0.0
            };
            let stopped = probpipe::stop_gradient(x.clone());
            -x.square() / 2.0 + probpipe::pure_callback(nothing, &array(0.0f32), stopped)
        };
        let target = Target::new(log_density, array(0.0f32)).unwrap();
        let run = Nuts::default().chains(2).warmup(200).draws(2_000);
        let draws = run.sample(Key::new(4), &target).unwrap();
        if limit == 0 {
            assert!(matches!(draws.ended, Ended::Complete));
            continue;
        }
        assert!((1..2_000).contains(&draws.draws()), "{}", draws.draws());
        let error = draws.whole().unwrap_err();
        assert!(error.to_string().contains("no more"), "{error}");
    }
}

#[test]
fn a_run_of_nothing_is_refused() {
    let target = eight_schools();
    for run in [Nuts::default().chains(0), Nuts::default().chains(1).draws(0)] {
        assert!(run.sample(Key::new(0), &target).is_err());
    }
    let error = Nuts::default().chains(1).stream(Key::new(0), &target).unwrap_err();
    assert!(error.to_string().contains("to_dir"), "{error}");
}

fn said<T: Tree>(draws: &Draws<T>, is: impl Fn(&Warning) -> bool) -> String {
    let all = draws.warnings().unwrap();
    let found = all.iter().find(|warning| is(warning));
    found.unwrap_or_else(|| panic!("not said among {all:?}")).to_string()
}

#[test]
fn runs_that_go_well_have_no_warnings() {
    let target = Target::new(|x: Array| -x.square().sum() / 2.0, zeros([3])).unwrap();
    let draws = Nuts::default().chains(4).sample(Key::new(5), &target).unwrap();
    let said = draws.warnings().unwrap();
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(draws.summary().unwrap().quantities().len(), 3);
}

#[test]
fn divergences_are_told_with_their_place() {
    let funnel = generative(|t: &mut Choices| {
        let v = t.sample("v", Normal::new(0.0, 3.0));
        t.call("x", Normal::new(0.0, (v * 0.5).exp()).repeat(9), ())
    });
    let target = Target::of(funnel, (), &ChoiceMap::default()).unwrap();
    let draws = Nuts::default().chains(4).sample(Key::new(6), &target).unwrap();
    let text = said(&draws, |it| matches!(it, Warning::Divergences { .. }));
    assert!(
        text.contains("of 4000 draws diverged") && text.contains("target acceptance"),
        "{text}"
    );
    assert!(text.contains("`v` is"), "{text}");
}

#[test]
fn bounds_stuck_chains_and_chains_apart_are_told() {
    let wide = |x: Array| {
        let scale = array([1.0, 100.0]);
        -(x / scale).square().sum() / 2.0
    };
    let target = Target::new(wide, zeros([2])).unwrap();
    let run = Run::new(Nuts::new(0.1).max_depth(3), Fixed);
    let draws = run.warmup(0).sample(Key::new(7), &target).unwrap();
    let text = said(&draws, |it| matches!(it, Warning::MaxDepth { depth: 3, .. }));
    assert!(text.contains("after 3 doublings"), "{text}");
    let text = said(&draws, |it| matches!(it, Warning::LowEss { .. }));
    assert!(text.contains("`value[1]`"), "{text}");

    let run = Run::new(Hmc::new(1e6, 3), Fixed).warmup(0).draws(50);
    let draws = run.sample(Key::new(8), &target).unwrap();
    let text = said(&draws, |it| matches!(it, Warning::Stuck { chain: 0 }));
    assert!(text.contains("chain 0 never moved"), "{text}");

    let modes = |x: Array| {
        let near = -(&x - 30.0f32).square() / 2.0;
        let far = -(x + 30.0f32).square() / 2.0;
        let most = near.maximum(&far);
        &most + ((near - &most).exp() + (far - &most).exp()).log()
    };
    let target = Target::new(modes, array(0.0f32)).unwrap();
    let run = Nuts::default().chains(6).adaptation(Windows::diagonal());
    let draws = run.sample(Key::new(9), &target).unwrap();
    let text = said(&draws, |it| matches!(it, Warning::HighRHat { .. }));
    assert!(text.contains("several modes"), "{text}");
}

#[test]
fn a_chain_that_finds_no_start_says_what_is_to_blame() {
    in_both(|| {
        let float = |x: Array| x.cast(probpipe::default_float());
        let model = |lanes: bool| {
            generative(move |t: &mut Choices| {
                let rate = t.sample("rate", probpipe::Gamma::new(2.0, 1.0));
                match lanes {
                    true => t.call("y", Exponential::new(&rate).repeat(4), ()),
                    false => t.sample("y", Exponential::new(&rate + zeros([4]) * &rate)),
                }
            })
        };
        for lanes in [false, true] {
            let y = float(array([0.5, 1.5, -7.25, -1.0]));
            let observed = ChoiceMap::new([("y", y)]);
            let target = Target::of(model(lanes), (), &observed).unwrap();
            let error = Nuts::default().chains(2).sample(Key::new(0), &target).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("no start with a finite density and gradient"), "{text}");
            assert!(text.contains("`y[2]`, which is observed") && text.contains("-7.25"), "{text}");
            assert!(text.contains("rate = "), "{text}");
            // The line of the run and that of the choice.
            assert_eq!(text.matches("run_endings.rs:").count(), 2, "{text}");
        }
    });
}

#[test]
fn closures_say_their_values_where_they_have_no_density() {
    let log_density = |at: Record| -at["scale"].square() + (at["mean"].square() * -1.0 - 1.0).log();
    let start = Record::new([("mean", array(0.5f32)), ("scale", array(2.0f32))]);
    let target = Target::new(log_density, start).unwrap();
    let error = Nuts::default().chains(1).sample(Key::new(0), &target).unwrap_err().to_string();
    assert!(error.contains("the log-density is NaN where mean = "), "{error}");
    assert!(error.contains("scale = "), "{error}");

    // A density that is finite, with a derivative that is not.
    let edge = |at: Record| -at["a"].square() + (at["b"].square() * 0.0).sqrt();
    let start = Record::new([("a", array(0.5f32)), ("b", array(2.0f32))]);
    let target = Target::new(edge, start).unwrap();
    let error = Nuts::default().chains(1).sample(Key::new(0), &target).unwrap_err().to_string();
    assert!(error.contains("its derivative in b is"), "{error}");

    let own = target.explained(|_| Some("it is flat at the edge".to_string()));
    let error = Nuts::default().chains(1).sample(Key::new(0), &own).unwrap_err().to_string();
    assert!(error.contains("it is flat at the edge"), "{error}");
}

#[test]
fn draws_predict_data_and_score_observations() {
    in_both(|| {
        let draws = Nuts::default().chains(3).draws(400).sample(Key::new(1), &eight_schools());
        let draws = draws.unwrap();
        let predicted = draws.predict(Key::new(2), &schools(), ()).unwrap();
        assert_eq!(predicted.paths(), ["y"]);
        assert_eq!(predicted["y"].shape(), [3, 400, 8]);
        let f64s = |x: &Array| x.cast(DType::F64).to_vec::<f64>().unwrap();
        let values = |name: &str| f64s(&draws.values[name]);
        let (mu, tau, z) = (values("mu"), values("tau"), values("z"));
        let sigma = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];
        // Standardised by what they were drawn with, predictions are standard normal.
        let y = f64s(&predicted["y"]);
        let center = |i: usize| mu[i / 8] + tau[i / 8] * z[i];
        let u: Vec<f64> = (0..y.len()).map(|i| (y[i] - center(i)) / sigma[i % 8]).collect();
        let mean = u.iter().sum::<f64>() / u.len() as f64;
        let square = u.iter().map(|u| u * u).sum::<f64>() / u.len() as f64;
        assert!(mean.abs() < 0.05 && (square - 1.0).abs() < 0.08, "{mean} {square}");

        let scores = draws.log_likelihood(&schools(), (), &observed()).unwrap();
        assert_eq!(scores["y"].shape(), [3, 400, 8]);
        let (scores, data) = (f64s(&scores["y"]), f64s(&observed()["y"]));
        for i in [0, 5, 4321, 9599] {
            let u = (data[i % 8] - center(i)) / sigma[i % 8];
            let log_two_pi = (2.0 * std::f64::consts::PI).ln();
            let right = -0.5 * (u * u + log_two_pi) - f64::ln(sigma[i % 8]);
            assert!((scores[i] - right).abs() < 1e-4, "{} {right}", scores[i]);
        }
        let error = draws.predict(
            Key::new(2),
            &generative(|t: &mut Choices| t.sample("mu", Normal::new(0.0, 5.0))),
            (),
        );
        assert!(error.is_err(), "choices that the model has not");
        let strange = observed().with("x", array(1.0));
        let error = draws.log_likelihood(&schools(), (), &strange).unwrap_err();
        assert!(error.to_string().contains("`x`"), "{error}");
    });
}

#[test]
fn draws_do_not_depend_on_how_long_steps_take() {
    let slow = Arc::new(AtomicUsize::new(0));
    let naps = slow.clone();
    let log_density = move |x: Array| {
        let naps = naps.clone();
        let nothing = move |x: Array| {
            std::thread::sleep(
                std::time::Duration::from_millis(naps.load(Ordering::SeqCst) as u64),
            );
            x * 0.0
        };
        let stopped = probpipe::stop_gradient(x.clone());
        -x.square() / 2.0 + probpipe::pure_callback(nothing, &array(0.0f32), stopped)
    };
    let target = Target::new(log_density, array(0.0f32)).unwrap();
    let blocks = Arc::new(AtomicUsize::new(0));
    let count = blocks.clone();
    let run = Run::new(Hmc::new(0.5, 3), Fixed).warmup(20).draws(40).on_progress(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        ControlFlow::Continue(())
    });
    let run = run.chains(2).threads(2);
    let fast = run.sample(Key::new(3), &target).unwrap();
    let few = blocks.swap(0, Ordering::SeqCst);
    slow.store(8, Ordering::SeqCst);
    let slow = run.sample(Key::new(3), &target).unwrap();
    assert_eq!(bits(&slow, 40), bits(&fast, 40));
    let many = blocks.load(Ordering::SeqCst);
    assert!(few >= 2 * 3 && many > 2 * few, "{few} {many}");
}
