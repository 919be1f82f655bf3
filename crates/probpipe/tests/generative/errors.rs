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
    reads(
        score,
        line,
        "
        `assess` has no value for the choice `y`
          --> line +3
           = `assess` was called from line +5
           = help: give every choice a value; `importance` draws those that are not given
        ",
    );
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
    reads(
        trace.score(),
        line,
        "
        no choice has the address `x_um`
          --> line +5
           = `importance` was called from line +6
           = `x_mu` is chosen from line +2
           = help: did you mean `x_mu`? there is: x_mu, y
        ",
    );
    let trace = model.simulate(Key::new(0), ());
    let new = model.update(&trace, &ChoiceMap::new([("z", 0.5)]));
    reads(
        new.weight,
        line,
        "
        no choice has the address `z`
          --> line +19
           = `update` was called from line +19
           = help: there is: x_mu, y
        ",
    );
}

#[test]
fn an_address_inside_a_call() {
    let line = line!();
    let point = generative(|t: &mut Choices| t.sample("pos", Normal::new(0.0, 1.0)));
    let model = generative(|t: &mut Choices| t.call("x", point.repeat(3), ()));
    let (score, _) = model.assess(&ChoiceMap::new([("x/position", zeros([3]))]), ());
    reads(
        score,
        line,
        "
        no choice has the address `x/position`
          --> line +3
           = `assess` was called from line +3
           = `x/pos` is chosen from line +1
           = help: did you mean `x/pos`? there is: x/pos
        ",
    );
    let (score, _) = model.assess(&ChoiceMap::new([("x", zeros([3]))]), ());
    reads(
        score,
        line,
        "
        `x` is a call, not a choice: it cannot be given
          --> line +15
           = `assess` was called from line +15
           = help: give its choices, as `x/pos`
        ",
    );
    let (score, _) = model.assess(&ChoiceMap::new([("x/pos", zeros([4]))]), ());
    reads(
        score,
        line,
        "
        `x/pos` is chosen 3 times, but was given as f32[4]
          --> line +26
           = it is chosen from line +2
           = `assess` was called from line +26
           = help: give an array with an axis of 3 in front
        ",
    );
}

#[test]
fn the_same_address_twice() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("x", Normal::new(x, 1.0))
    });
    let trace = jit(|key: Key| model.simulate(key, ()))(Key::new(0));
    reads(
        trace.score(),
        line,
        "
        two choices have the address `x`
          --> line +3
           = the first was made from line +2
           = help: give each an address of its own; in a loop, number them: `(\"y\", i)`
        ",
    );
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("x/pos", Normal::new(x, 1.0))
    });
    reads(
        model.simulate(Key::new(0), ()).value(),
        line,
        "
        `x/pos` and `x` cannot both be addresses
          --> line +3
           = the first was made from line +2
           = help: give each an address of its own; in a loop, number them: `(\"y\", i)`
        ",
    );
}

#[test]
fn a_selection_of_nothing() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let x = t.sample("slope", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(x, 1.0))
    });
    let trace = model.simulate(Key::new(0), ());
    reads(
        &trace.choices().filter(&addresses(["slop"]))["slop"],
        line,
        "
        the selection lists `slop`, where there is nothing
          --> line +7
           = it was applied from line +7
           = help: did you mean `slope`? there is: slope, y
        ",
    );
    let nothing = addresses(["slope"]) & addresses(["y"]);
    reads(
        model.project(&trace, &nothing),
        line,
        "
        the selection ({:slope} & {:y}) matches nothing
          --> line +16
           = it was applied from line +18
           = help: there is: slope, y
        ",
    );
    reads(
        model.regenerate(Key::new(1), &trace, &addresses(["z"])).weight,
        line,
        "
        the selection lists `z`, where there is nothing
          --> line +28
           = it was applied from line +28
           = help: there is: slope, y
        ",
    );
    reads(
        &model.choice_grad(&trace, &addresses(["z"]))["z"],
        line,
        "
        the selection lists `z`, where there is nothing
          --> line +38
           = it was applied from line +38
           = help: there is: slope, y
        ",
    );
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
    reads(
        model.importance(Key::new(0), &given, ()).1,
        line,
        "
        `x` is of shape [3], but was given as f32[2]
          --> line +6
           = it is chosen from line +2
           = `importance` was called from line +8
           = help: give an array of the batch shape and event shape of its distribution
        ",
    );
    let given = ChoiceMap::new([("x", array([1, 2, 3]))]);
    reads(
        model.importance(Key::new(0), &given, ()).1,
        line,
        "
        `x` is a float, but was given as i32[3]
          --> line +18
           = it is chosen from line +2
           = `importance` was called from line +20
           = help: convert it with `.cast(DType::F32)`
        ",
    );
    let given = ChoiceMap::new([("k", 0.5)]);
    reads(
        model.importance(Key::new(0), &given, ()).1,
        line,
        "
        `k` is an integer, but was given as f32[]
          --> line +30
           = it is chosen from line +3
           = `importance` was called from line +32
           = help: convert it with `.cast(DType::I32)`
        ",
    );
    let trace = model.simulate(Key::new(0), ());
    let given = ChoiceMap::new([("x", Array::from(vec![0.0f64; 3]))]);
    reads(
        model.update(&trace, &given).weight,
        line,
        "
        `x` is of type f32 in the trace, but was given as f64[3]
          --> line +43
           = it is chosen from line +2
           = `update` was called from line +45
           = help: convert it with `.cast(DType::F32)`
        ",
    );
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
    reads(
        model.assess(&y, ()).0,
        line,
        "
        untraced randomness in `assess`
          --> line +2
           = `assess` was called from line +8
           = help: make it a choice with an address; `unzip` takes a key and estimates
        ",
    );
    let (score, _) = model.unzip(Key::new(0), &y);
    assert!(score((ChoiceMap::default(), ())).error().is_none());
}

#[test]
fn branches_that_differ() {
    let line = line!();
    let a = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 1.0)));
    let b = generative(|t: &mut Choices| t.sample("y", Normal::new(zeros([2]), 1.0)).sum());
    let trace = (a, b).switch().simulate(Key::new(0), (0, ()));
    reads(
        trace.score(),
        line,
        "
        one branch chooses `y` as f32[], another as f32[2]
          --> line +3
           = help: what branches share must be alike; give what differs an address of its own
        ",
    );
    let trace = (a, a).switch().simulate(Key::new(0), (0.5, ()));
    reads(
        trace.score(),
        line,
        "
        a branch is chosen by one integer, not by f32[]
          --> line +13
           = the index was made from line +13
           = help: give an integer scalar or a bool; `mapped` runs once for each of an array
        ",
    );
}

#[test]
fn lanes_that_do_not_fit() {
    let line = line!();
    let line_model =
        generative(|t: &mut Choices, x: Array, a: Array| t.sample("y", Normal::new(x * a, 1.0)));
    let trace = line_model.mapped((0, 0)).simulate(Key::new(0), (zeros([3]), zeros([4])));
    reads(
        trace.score(),
        line,
        "
        `mapped` maps axes of different sizes: 3 of argument `.0` and 4 of argument `.1`
          --> line +3
           = help: give each argument an axis, all of one size, or `None`: `(0, None)`
        ",
    );
    let trace = line_model.mapped(((), ())).simulate(Key::new(0), (zeros([3]), 1.0));
    reads(
        trace.score(),
        line,
        "
        `mapped` has no axis to map over
          --> line +13
           = help: give each argument an axis, all of one size, or `None`: `(0, None)`
        ",
    );
}

#[test]
fn names_that_are_none() {
    let line = line!();
    let model = generative(|t: &mut Choices| t.sample("x//y", Normal::new(0.0, 1.0)));
    reads(
        model.simulate(Key::new(0), ()).score(),
        line,
        "
        `x//y` is no address
          --> line +1
           = help: an address is a name, or names with `/` between them
        ",
    );
}

#[test]
fn a_choice_that_is_given_parts() {
    let line = line!();
    let model = generative(|t: &mut Choices| t.sample("x", Normal::new(0.0, 1.0)));
    let given = ChoiceMap::new([("x/pos", 1.0)]);
    reads(
        model.importance(Key::new(0), &given, ()).1,
        line,
        "
        no choice has the address `x/pos`
          --> line +2
           = `importance` was called from line +4
           = `x` is chosen from line +1
           = help: `x` is one choice: give an array for it
        ",
    );
    let both = ChoiceMap::new([("x", 1.0)]).union(&ChoiceMap::new([("x", 2.0)]));
    reads(
        model.assess(&both, ()).0,
        line,
        "
        both choice maps have `x`
          --> line +14
           = `assess` was called from line +16
           = help: take it out of one of them with `filter(&!addresses([..]))`
        ",
    );
}

#[test]
fn a_step_without_an_axis() {
    let line = line!();
    let step = generative(|t: &mut Choices, z: Array, dt: Array| {
        let z = t.sample("z", Normal::new(z, dt));
        (z.clone(), z)
    });
    let trace = step.scan().simulate(Key::new(0), (0.0, 1.0));
    reads(
        trace.score(),
        line,
        "
        `scan` runs over arrays, not scalars
          --> line +5
           = operand f32[] from line +5
           = help: capture values that are the same in every step
        ",
    );
}

#[test]
fn choices_that_are_summed_out() {
    let line = line!();
    let model = generative(|t: &mut Choices| {
        let coin = t.sample("coin", Bernoulli::new(0.5)).cast(DType::F32);
        t.sample("a", Normal::new(&coin, 1.0)) + t.sample("b", Normal::new(&coin, 1.0))
    });
    let summed = model.marginal(&addresses(["coin"]));
    let given = ChoiceMap::new([("coin", 1)]);
    reads(
        summed.importance(Key::new(0), &given, ()).1,
        line,
        "
        `coin` is summed out: it has no value
          --> line +6
           = it is summed out from line +8
           = help: leave it out
        ",
    );
    let given = ChoiceMap::new([("a", 1.0)]);
    reads(
        summed.importance(Key::new(0), &given, ()).1,
        line,
        "
        `importance` has no value for the choice `b`
          --> line +3
           = `importance` was called from line +19
           = help: it has one density together with others: give all of them or none
        ",
    );
    let trace = summed.simulate(Key::new(0), ());
    reads(
        summed.project(&trace, &addresses(["a"])),
        line,
        "
        a, b have one density together
          --> line +30
           = help: select all of them or none
        ",
    );
    reads(
        summed.regenerate(Key::new(0), &trace, &addresses(["a"])).weight,
        line,
        "
        a, b have one density together
          --> line +39
           = their density is summed from line +39
           = help: draw all of them again or none
        ",
    );
    let coins = generative(|t: &mut Choices, z: Array| {
        t.sample("z", Bernoulli::new(z.cast(DType::F32) * 0.5 + 0.25)) * 2
    });
    let chain = coins.unfold(3).marginal(&addresses(["z"]));
    reads(
        chain.assess(&ChoiceMap::default(), 0).0,
        line,
        "
        the step does not give `z` on
          --> line +51
           = the chain is summed from line +53
           = help: the state is one choice of each step, and what the step gives on
        ",
    );
}
