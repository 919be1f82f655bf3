//! What a user reads who makes a mistake with addresses, choices and selections, whole, with the
//! lines of this file as offsets.

use probpipe::prelude::*;
use probpipe_testing::reads;

#[test]
fn an_incomplete_choice_map() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(x, 1.0))
    });
    let (score, _) = model.assess(&ChoiceMap::new([("x", 0.5)]), ());
    reads(score, line, "");
}

#[test]
fn an_address_that_there_is_not() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x_mu", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(x, 1.0))
    });
    let given = ChoiceMap::new([("x_um", 0.5)]);
    let (trace, _) = model.importance(Key::new(0), &given, ());
    reads(trace.score(), line, "");
    let trace = model.simulate(Key::new(0), ());
    let new = model.update(&trace, &ChoiceMap::new([("z", 0.5)]));
    reads(new.weight, line, "");
}

#[test]
fn an_address_inside_a_call() {
    let line = line!();
    let point = generative(|t: &mut Choices| t.sample("pos", Normal::new(0.0, 1.0)));
    let model = generative(|t: &mut Choices| t.call("x", point.repeat(3), ()));
    let (score, _) = model.assess(&ChoiceMap::new([("x/position", zeros([3]))]), ());
    reads(score, line, "");
    let (score, _) = model.assess(&ChoiceMap::new([("x", zeros([3]))]), ());
    reads(score, line, "");
    let (score, _) = model.assess(&ChoiceMap::new([("x/pos", zeros([4]))]), ());
    reads(score, line, "");
}

#[test]
fn the_same_address_twice() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("x", Normal::new(x, 1.0))
    });
    let trace = jit(|key: Key| model.simulate(key, ()))(Key::new(0));
    reads(trace.score(), line, "");
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("x/pos", Normal::new(x, 1.0))
    });
    reads(model.simulate(Key::new(0), ()).value(), line, "");
}

#[test]
fn a_selection_of_nothing() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("slope", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(x, 1.0))
    });
    let trace = model.simulate(Key::new(0), ());
    reads(&trace.choices().filter(&addresses(["slop"]))["slop"], line, "");
    let nothing = addresses(["slope"]) & addresses(["y"]);
    reads(model.project(&trace, &nothing), line, "");
    reads(model.regenerate(Key::new(1), &trace, &addresses(["z"])).weight, line, "");
    reads(&model.choice_grad(&trace, &addresses(["z"]))["z"], line, "");
}

#[test]
fn a_value_of_the_wrong_type() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(zeros([3]), 1.0));
        let k = t.sample("k", Bernoulli::new(0.5));
        x.sum() + k.cast(DType::F32)
    });
    let given = ChoiceMap::new([("x", zeros([2]))]);
    reads(model.importance(Key::new(0), &given, ()).1, line, "");
    let given = ChoiceMap::new([("x", array([1, 2, 3]))]);
    reads(model.importance(Key::new(0), &given, ()).1, line, "");
    let given = ChoiceMap::new([("k", 0.5)]);
    reads(model.importance(Key::new(0), &given, ()).1, line, "");
    let trace = model.simulate(Key::new(0), ());
    let given = ChoiceMap::new([("x", Array::from(vec![0.0f64; 3]))]);
    reads(model.update(&trace, &given).weight, line, "");
}

#[test]
fn untraced_randomness() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let noise = normal(t.key(), ());
        t.sample("y", Normal::new(noise, 1.0))
    });
    assert!(model.simulate(Key::new(0), ()).score().error().is_none());
    let y = ChoiceMap::new([("y", 0.5)]);
    reads(model.assess(&y, ()).0, line, "");
    let (score, _) = model.unzip(Key::new(0), &y);
    assert!(score((ChoiceMap::default(), ())).error().is_none());
}

#[test]
fn branches_that_differ() {
    let line = line!();
    let a = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 1.0)));
    let b = generative(|t: &mut Choices| t.sample("y", Normal::new(zeros([2]), 1.0)).sum());
    let trace = (a, b).switch().simulate(Key::new(0), (0, ()));
    reads(trace.score(), line, "");
    let trace = (a, a).switch().simulate(Key::new(0), (0.5, ()));
    reads(trace.score(), line, "");
}

#[test]
fn lanes_that_do_not_fit() {
    let line = line!();
    let line_model =
        generative(|t: &mut Choices, x: Array, a: Array| t.sample("y", Normal::new(x * a, 1.0)));
    let trace = line_model.mapped((0, 0)).simulate(Key::new(0), (zeros([3]), zeros([4])));
    reads(trace.score(), line, "");
    let trace = line_model.mapped(((), ())).simulate(Key::new(0), (zeros([3]), 1.0));
    reads(trace.score(), line, "");
}
