//! How the methods of the interface fit together, on random models: each weight is a difference of
//! scores, each score that of `assess`, whatever the model is made of.

use super::models::{Dice, Model};
use probpipe::generative::Update;
use probpipe::prelude::*;
use probpipe_testing::{Tolerance, close};

/// Models whose methods are held to each other.
const MODELS: u64 = 1000;

type Run = (Trace<Array>, Array, Update<Array>, Update<Array>, Update<Array>);

/// The choices whose addresses a die has chosen, by the part of the model that they belong to.
fn some(dice: &mut Dice, trace: &Trace<Array>) -> Selection {
    let heads = |address: &String| {
        let names: Vec<&str> = address.split('/').collect();
        names[..names.len().min(2)].join("/")
    };
    let mut parts: Vec<String> = trace.choices().addresses().iter().map(heads).collect();
    parts.dedup();
    let kept: Vec<String> = parts.iter().filter(|_| dice.below(2) == 0).cloned().collect();
    addresses(if kept.is_empty() { parts[..1].to_vec() } else { kept })
}

#[track_caller]
fn same(name: &str, seed: u64, have: &Array, want: &Array) {
    // Scores of some tens of terms in `f32`.
    let name = format!("{name} of model {seed}");
    let error = (have - want).abs() / (1.0 + want.abs());
    let error = error.item::<f32>().unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(error < 2e-4, "{name}: {have} {want}");
}

#[track_caller]
fn equal(name: &str, seed: u64, have: &ChoiceMap, want: &ChoiceMap) {
    assert_eq!(have.addresses(), want.addresses(), "{name} of model {seed}");
    for address in want.addresses() {
        let (have, want) = (&have[&address], &want[&address]);
        let alike = have.eq(want).all().item::<bool>();
        let alike = alike.unwrap_or_else(|e| panic!("{name} of model {seed}: {e}"));
        assert!(alike, "{name} of model {seed} at {address}: {have} {want}");
    }
}

fn check(seed: u64, model: &Model, dice: &mut Dice, jitted: bool) -> bool {
    let key = |i: u64| Key::new(seed * 10 + i);
    let trace = model.simulate(key(0), 0.3);
    let other = model.simulate(key(1), 0.3);
    let chosen = some(dice, &trace);
    let given = other.choices().filter(&chosen);
    let run = |(trace, given): (Trace<Array>, ChoiceMap)| -> Run {
        let (drawn, weight) = model.importance(key(2), &given, 0.3);
        let new = model.update(&trace, &given);
        let back = model.update(&new.trace, &new.discarded);
        let again = model.regenerate(key(3), &trace, &chosen);
        (drawn, weight, new, back, again)
    };
    let (drawn, weight, new, back, again) = match jitted {
        true => jit(run)((trace.clone(), given.clone())),
        false => run((trace.clone(), given.clone())),
    };
    let assessed = |trace: &Trace<Array>| model.assess(&trace.choices(), 0.3).0;
    for (name, trace) in [
        ("the score of simulate", &trace),
        ("the score of importance", &drawn),
        ("the score of regenerate", &again.trace),
    ] {
        same(name, seed, trace.score(), &assessed(trace));
    }
    // What no choice has in the score: factors.
    let factors = |trace: &Trace<Array>| {
        trace.score() - model.project(trace, &addresses(trace.choices().addresses()))
    };
    let given_and_always = model.project(&drawn, &chosen) + factors(&drawn);
    same("the weight of importance", seed, &weight, &given_and_always);
    // What is given to a branch that does not run is not there afterwards.
    if !model.branches() {
        equal("the choices of importance", seed, &drawn.choices().filter(&chosen), &given);
        equal("the choices of update", seed, &new.trace.choices().filter(&chosen), &given);
        equal("what update discards", seed, &new.discarded, &trace.choices().filter(&chosen));
    }
    // An update into a branch that needs choices which nobody gave has no weight.
    let lost = model.branches() && new.weight.item::<f32>().is_ok_and(f32::is_nan);
    if !lost {
        same("the score of update", seed, new.trace.score(), &assessed(&new.trace));
        same("the weight of update", seed, &new.weight, &(new.trace.score() - trace.score()));
        equal("an update and back", seed, &back.trace.choices(), &trace.choices());
        same("the weight back", seed, &back.weight, &-&new.weight);
    }
    let rest = !&chosen;
    let all = trace.choices();
    let has_rest = all.addresses().iter().any(|address| rest.contains(address));
    if !model.branches() {
        let part = |trace: &Trace<Array>| match has_rest {
            true => model.project(trace, &rest) + factors(trace),
            false => factors(trace),
        };
        let change = part(&again.trace) - part(&trace);
        same("the weight of regenerate", seed, &again.weight, &change);
        if has_rest {
            let kept = again.trace.choices().filter(&rest);
            equal("what regenerate keeps", seed, &kept, &all.filter(&rest));
        }
    }
    let parts = model.project(&trace, &chosen);
    let whole = if has_rest { parts + model.project(&trace, &rest) } else { parts };
    same("the parts of the score", seed, &(whole + factors(&trace)), trace.score());
    lost
}

#[test]
fn methods_agree_on_random_models() {
    let mut lost = 0;
    for seed in 0..MODELS {
        let mut dice = Dice::new(seed);
        let depth = 1 + dice.below(3) as usize;
        let model = Model::random(&mut dice, depth);
        // Every tenth is compiled too.
        lost += u64::from(check(seed, &model, &mut dice, false));
        if seed % 10 == 0 {
            check(seed, &model, &mut dice, true);
        }
    }
    assert!(lost < MODELS / 20, "{lost} updates had no weight");
}

/// Against scores by hand, where no method is held to another one.
#[test]
fn factors_count_in_scores_and_weights() {
    let model = generative(|t: &mut Choices, scale: Array| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.factor("pull", stack(&[x.square(), x.abs()], 0) * -scale);
        t.sample("y", Normal::new(x, 1.0))
    });
    let by_hand = |x: f32, y: f32, scale: f32| {
        let normal = |z: f32| -0.5 * z * z - 0.918_938_5;
        (normal(x), -scale * (x * x + x.abs()), normal(y - x))
    };
    let number = |x: &Array| x.item::<f32>().unwrap();
    let near = |have: &Array, want: f32| {
        let have = number(have);
        assert!((have - want).abs() < 1e-5, "{have} {want}");
    };
    let choices = ChoiceMap::new([("x", 0.5), ("y", -0.3)]);
    let (prior, factor, last) = by_hand(0.5, -0.3, 2.0);
    near(&model.assess(&choices, 2.0).0, prior + factor + last);
    let run = |key: Key| model.importance(key, &ChoiceMap::new([("y", -0.3)]), 2.0);
    for (trace, weight) in [run(Key::new(0)), jit(run)(Key::new(0))] {
        let (prior, factor, last) = by_hand(number(&trace.choices()["x"]), -0.3, 2.0);
        near(&weight, factor + last);
        near(trace.score(), prior + factor + last);
        assert_eq!(trace.choices().addresses(), ["x", "y"]);
        near(&model.project(&trace, &addresses(["x", "y"])), prior + last);
        let moved = model.update_args(&trace, 3.0, &ChoiceMap::new([("y", 0.7)]));
        let (_, more, then) = by_hand(number(&trace.choices()["x"]), 0.7, 3.0);
        near(&moved.weight, more + then - factor - last);
        let again = model.regenerate(Key::new(1), &trace, &addresses(["x"]));
        let (_, new, then) = by_hand(number(&again.trace.choices()["x"]), -0.3, 2.0);
        near(&again.weight, new + then - factor - last);
    }
    let given = choices.with("pull", 1.0);
    let error = model.assess(&given, 2.0).0.checked().unwrap_err();
    assert!(error.message().contains("no choice has the address `pull`"), "{error}");
    let twice = generative(|t: &mut Choices| {
        t.factor("a", -1.0);
        t.factor("a", -1.0);
    });
    let error = twice.simulate(Key::new(0), ()).score().clone().checked().unwrap_err();
    assert!(error.message().contains("two choices have the address `a`"), "{error}");
    // Steps and lanes.
    let step = generative(|t: &mut Choices, x: Array| {
        t.factor("f", &x * -0.5);
        t.sample("x", Normal::new(x, 1.0))
    });
    let trace = step.unfold(3).simulate(Key::new(2), 1.0);
    let x = trace.choices()["x"].to_vec::<f32>().unwrap();
    let factors = -0.5 * (1.0 + x[0] + x[1]);
    near(&(trace.score() - step.unfold(3).project(&trace, &addresses(["x"]))), factors);
    let trace = step.mapped(0).simulate(Key::new(2), array([1.0, 2.0]));
    near(&(trace.score() - step.mapped(0).project(&trace, &addresses(["x"]))), -1.5);
}

/// Sums over discrete choices have the factors that depend on these.
#[test]
fn factors_are_summed_with_what_they_depend_on() {
    let step = || {
        generative(|t: &mut Choices, before: Array| {
            let z = t.sample("z", Bernoulli::new(before.cast(DType::F32) * 0.4 + 0.3));
            let level = z.cast(DType::F32);
            t.factor("bonus", &level * 0.7);
            t.sample("y", Normal::new(level, 1.0));
            z
        })
    };
    let y = [0.4, -0.2, 1.5];
    let chain = || step().unfold(3);
    let scores: Vec<f32> = (0..8)
        .map(|k| {
            let z = array([k & 1, k >> 1 & 1, k >> 2 & 1]);
            let all = ChoiceMap::new([("z", z), ("y", array(y))]);
            chain().assess(&all, array(0)).0.item::<f32>().unwrap()
        })
        .collect();
    let want = scores.iter().map(|s| s.exp()).sum::<f32>().ln();
    let seen = ChoiceMap::new([("y", array(y))]);
    let summed = chain().marginal(&addresses(["z"])).assess(&seen, array(0)).0;
    assert!((summed.item::<f32>().unwrap() - want).abs() < 1e-5, "{summed} {want}");
    let one = step().marginal(&addresses(["z"])).assess(&ChoiceMap::new([("y", 0.4)]), array(0)).0;
    let normal = |x: f32| (-0.5 * x * x).exp() / 2.506_628_3;
    let want = (0.7 * normal(0.4) + 0.3 * 0.7f32.exp() * normal(0.6)).ln();
    assert!((one.item::<f32>().unwrap() - want).abs() < 1e-5, "{one} {want}");
}

#[test]
fn other_arguments() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let model = Model::random(&mut dice, 2);
        let trace = model.simulate(Key::new(seed), 0.3);
        if model.branches() {
            continue;
        }
        let new = model.update_args(&trace, -0.4, &ChoiceMap::default());
        equal("the choices", seed, &new.trace.choices(), &trace.choices());
        same("the weight", seed, &new.weight, &(new.trace.score() - trace.score()));
        let (score, value) = model.assess(&trace.choices(), -0.4);
        same("the score", seed, new.trace.score(), &score);
        same("the value", seed, new.trace.value(), &value);
    }
}

#[test]
fn gradients_are_slopes() {
    with_default_float(DType::F64, || {
        for seed in 0..40 {
            let mut dice = Dice::new(seed);
            let model = Model::random(&mut dice, 1 + seed as usize % 2);
            let trace = model.simulate(Key::new(seed), 0.3);
            let all = trace.choices();
            let floats: Vec<String> =
                all.addresses().into_iter().filter(|a| all[a].dtype().is_float()).collect();
            let slopes = model.choice_grad(&trace, &addresses(floats.clone()));
            for address in &floats {
                let step = 1e-5;
                let at = |h: f64| {
                    let moved = Record::from(all.clone()).with(address, &all[address] + h);
                    model.assess(&moved.into(), 0.3).0.item::<f64>()
                };
                let (Ok(up), Ok(down)) = (at(step), at(-step)) else {
                    panic!("{address} of model {seed}")
                };
                let have = slopes[address].sum().item::<f64>().expect("a slope");
                let want = (up - down) / (2.0 * step);
                assert!(
                    (have - want).abs() < 1e-4 * (1.0 + want.abs()),
                    "{address} of {seed} ({model:?}): {have} {want}"
                );
            }
        }
    });
}

#[test]
fn two_halves_agree_with_the_whole() {
    let (a, b) = (Normal::new(0.0, 1.0).simulate(Key::new(0), ()), Normal::new(0.0, 1.0));
    let (score, _) = b.assess(&a.choices(), ());
    close("a distribution alone", &score, a.score(), Tolerance::largest(1e-6));
}
