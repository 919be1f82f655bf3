//! Branches: choices that only some of them make, in scores, updates and regenerations.

use probpipe::prelude::*;
use probpipe_testing::{Tolerance, close};

/// One branch draws `y` wide, the other one `z` and `y` around it.
fn either() -> impl GenerativeFunction<Args = (Array, ()), Value = Array> + Clone {
    let plain = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 3.0)));
    let deep = generative(|t: &mut Choices| {
        let z = t.sample("z", Normal::new(1.0, 1.0));
        t.sample("y", Normal::new(z, 0.5))
    });
    (plain, deep).switch()
}

fn density(deep: bool, y: f64, z: f64) -> Array {
    match deep {
        false => Normal::new(0.0, 3.0).log_prob(&array(y)),
        true => Normal::new(1.0, 1.0).log_prob(&array(z)) + Normal::new(z, 0.5).log_prob(&array(y)),
    }
}

fn near(name: &str, have: &Array, want: &Array) {
    close(name, have, want, Tolerance::largest(1e-5));
}

#[test]
fn scores_count_the_branch_that_runs() -> Result<()> {
    let model = either();
    let all = ChoiceMap::new([("y", 0.5), ("z", 0.2)]);
    for (k, deep) in [(0, false), (1, true)] {
        let score = jit(|k: Array| model.assess(&all, (k, ())).0)(array(k));
        near("assess", &score, &density(deep, 0.5, 0.2));
        let trace = model.simulate(Key::new(3), (k, ()));
        let choices = trace.choices();
        assert_eq!(choices.addresses(), ["y", "z"]);
        assert_eq!(choices["z"].item::<f32>()? == 0.0, !deep);
    }
    let scores = vmap(|k: Array| model.assess(&all, (k, ())).0)(array([0, 1, 1]));
    let want =
        stack(&[density(false, 0.5, 0.2), density(true, 0.5, 0.2), density(true, 0.5, 0.2)], 0);
    near("lanes", &scores, &want);
    Ok(())
}

#[test]
fn an_update_into_another_branch() -> Result<()> {
    let model = either();
    let (trace, _) = model.importance(Key::new(0), &ChoiceMap::new([("y", 0.5)]), (0, ()));
    let new = model.update_args(&trace, (1, ()), &ChoiceMap::new([("z", 0.2)]));
    near("weight", &new.weight, &(density(true, 0.5, 0.2) - density(false, 0.5, 0.0)));
    near("kept", &new.trace.choices()["y"], &array(0.5f32));
    // What the branch needs and nobody gives makes no number.
    let lost = model.update_args(&trace, (1, ()), &ChoiceMap::default());
    assert!(lost.weight.item::<f32>()?.is_nan());
    let back = model.update_args(&new.trace, (0, ()), &ChoiceMap::default());
    near("back", &back.weight, &-new.weight);
    Ok(())
}

#[test]
fn a_regeneration_draws_what_the_branch_needs() -> Result<()> {
    let plain = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 3.0)));
    let deep = generative(|t: &mut Choices| {
        let z = t.sample("z", Normal::new(1.0, 1.0));
        t.sample("y", Normal::new(z, 0.5))
    });
    let model = (plain, deep).mixture();
    let logits = || (array([0.0, 0.0]), ());
    let given = ChoiceMap::new([("component", 0)]).with("draw/y", 0.5);
    let (trace, _) = model.importance(Key::new(0), &given, logits());
    let mut deep = 0;
    for seed in 0..20 {
        let new = model.regenerate(Key::new(seed), &trace, &addresses(["component"]));
        let choices = new.trace.choices();
        near("kept", &choices["draw/y"], &array(0.5f32));
        let z = choices["draw/z"].item::<f32>()?;
        if choices["component"].item::<i32>()? == 1 {
            deep += 1;
            assert!(z != 0.0);
            // `y` is scored by either branch; `z` was drawn.
            let y = Normal::new(f64::from(z), 0.5).log_prob(&array(0.5));
            near("weight", &new.weight, &(y - density(false, 0.5, 0.0)));
        } else {
            assert_eq!(z, 0.0);
            assert_eq!(new.weight.item::<f32>()?, 0.0);
        }
    }
    assert!((4..17).contains(&deep), "{deep}");
    Ok(())
}

#[test]
fn masks_and_or_else() -> Result<()> {
    let some = generative(|t: &mut Choices, x: Array| t.sample("y", Normal::new(x, 1.0))).masked();
    let rows = some.mapped((0, 0));
    let mask = array([true, false, true]);
    let trace = jit(|key: Key| rows.simulate(key, (mask.clone(), zeros([3]))))(Key::new(0));
    let y = trace.choices()["y"].to_vec::<f32>()?;
    assert_eq!(y[1], 0.0);
    let want = Normal::new(0.0, 1.0).log_prob(&array([y[0], y[2]])).sum();
    near("masked", trace.score(), &want);
    Ok(())
}
