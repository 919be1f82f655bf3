//! What an update computes: only what the changed choices and arguments reach, counted in the
//! equations of its program.

use probpipe::prelude::*;
use probpipe_testing::{Tolerance, close};

/// How many equations of the program of `f` have an op of this name.
fn count<A: Tree>(f: impl Fn(A) -> Array, x: &A, op: &str) -> usize {
    let text = graph_of(f, x).expect("a graph").to_string();
    text.lines().filter(|line| line.contains(&format!("= {op} "))).count()
}

/// How many equations the program of `f` has.
fn size<A: Tree>(f: impl Fn(A) -> Array, x: &A) -> usize {
    graph_of(f, x).expect("a graph").eqns().len()
}

/// Two halves that know nothing of each other: one of normal, one of gamma variables.
fn halves() -> impl GenerativeFunction<Args = (), Value = Array> {
    generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        let y = t.sample("y", Normal::new(x.sin(), 1.0));
        let a = t.sample("a", probpipe::Gamma::new(2.0, 1.0));
        let b = t.sample("b", probpipe::Gamma::new(a, 1.0));
        y + b
    })
}

#[test]
fn the_other_half_is_not_computed() {
    let model = halves();
    let trace = model.simulate(Key::new(0), ());
    let weight = |(trace, given): (Trace, ChoiceMap)| model.update(&trace, &given).weight;
    let of_x = (trace.clone(), ChoiceMap::new([("x", 0.1)]));
    let of_a = (trace.clone(), ChoiceMap::new([("a", 0.7)]));
    assert_eq!(count(weight, &of_x, "lgamma"), 0);
    assert_eq!(count(weight, &of_x, "sin"), 1);
    assert!(count(weight, &of_a, "lgamma") > 0);
    assert_eq!(count(weight, &of_a, "sin"), 0);
    // Of the last one of a half, the first one's density is left alone too.
    let of_y = (trace.clone(), ChoiceMap::new([("y", 0.1)]));
    let score =
        |(trace, given): (Trace, ChoiceMap)| model.update(&trace, &given).trace.score().clone();
    assert!(size(weight, &of_y) < size(weight, &of_x));
    assert_eq!(count(score, &of_y, "lgamma"), 0);
    // A regeneration is an update from a key.
    let again =
        |(trace, key): (Trace, Key)| model.regenerate(key, &trace, &addresses(["y"])).weight;
    assert_eq!(count(again, &(trace, Key::new(1)), "lgamma"), 0);
}

#[test]
fn the_same_arrays_are_kept() {
    let model = halves();
    let trace = model.simulate(Key::new(0), ());
    let kept = |trace: Trace| {
        let new = model.update(&trace, &ChoiceMap::new([("x", 0.1)])).trace;
        for address in ["y", "a", "b"] {
            assert!(new.choices()[address].is_same(&trace.choices()[address]), "{address}");
        }
        let none = model.update(&trace, &ChoiceMap::default());
        assert!(none.trace.score().is_same(trace.score()));
        none.weight
    };
    assert_eq!(jit(kept)(trace).item::<f32>().expect("a weight"), 0.0);
}

#[test]
fn a_model_may_be_built_in_every_step() {
    let model =
        |mean: Array| generative(move |t: &mut Choices| t.sample("x", Normal::new(&mean, 1.0)));
    let trace = model(array(0.0)).simulate(Key::new(0), ());
    let x = trace.choices()["x"].clone();
    let none = ChoiceMap::default();
    // A capture that is another one than when the trace was made, in a loop and outside of it.
    let step = |i: Array, trace: Trace| model(i.cast(DType::F32) + 1.0).update(&trace, &none).trace;
    let moved = jit(|trace: Trace| fori_loop(3, trace, step))(trace.clone());
    let want = Normal::new(3.0, 1.0).log_prob(&x);
    close("in a loop", moved.score(), &want, Tolerance::largest(1e-6));
    let moved = model(array(3.0)).update(&trace, &none);
    close("outside", moved.trace.score(), &want, Tolerance::largest(1e-6));
    close("weight", &moved.weight, &(want - trace.score()), Tolerance::largest(1e-5));
}

#[test]
fn what_a_call_gave_is_kept() {
    let costly = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(zeros([10]), 1.0));
        x.tanh().sum()
    });
    let model = generative(move |t: &mut Choices| {
        let scale = t.sample("scale", Exponential::new(1.0));
        let z = t.call("z", costly, ());
        t.sample("y", Normal::new(z, scale))
    });
    let trace = model.simulate(Key::new(0), ());
    let weight = |(trace, given): (Trace, ChoiceMap)| model.update(&trace, &given).weight;
    let given = ChoiceMap::new([("scale", 2.0)]);
    assert_eq!(count(weight, &(trace, given), "tanh"), 0);
}

#[test]
fn arguments_that_did_not_change() {
    let model = generative(|t: &mut Choices, a: Array, b: Array| {
        let x = t.sample("x", Normal::new(a.sin(), 1.0));
        let y = t.sample("y", Normal::new(b.tanh(), 1.0));
        x + y
    });
    let trace = model.simulate(Key::new(0), (0.1, 0.2));
    let weight = |(trace, b): (Trace<(Array, Array)>, Array)| {
        let args = (&trace.args().0, b);
        model.update_args(&trace, args, &ChoiceMap::default()).weight
    };
    let x = (trace, array(0.5));
    assert_eq!(count(weight, &x, "sin"), 0);
    assert_eq!(count(weight, &x, "tanh"), 1);
}
