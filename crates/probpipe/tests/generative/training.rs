//! Learnable parameters: scores and gradients against the density written out, and maximum
//! likelihood.

use probpipe::prelude::*;
use probpipe_testing::{Tolerance, close};

fn start() -> Record {
    Record::new([("x_mu", 0.0), ("a", 0.3), ("b", 0.4)])
}

fn model(t: &mut Choices, p: Record) -> Array {
    let x = t.sample("x", Normal::new(&p["x_mu"], 1.0));
    t.sample("y", Normal::new(&p["a"] * x + &p["b"], 1.0))
}

#[test]
fn scores_and_gradients() -> Result<()> {
    let model = generative(model).train(start());
    let trace = jit(|key: Key| model.simulate(key, ()))(Key::new(314159));
    let (x, y) = (trace.choices()["x"].clone(), trace.choices()["y"].clone());
    let score = model.score_params(&trace, &start());
    let density = |p: Record| {
        Normal::new(&p["x_mu"], 1.0).log_prob(&x)
            + Normal::new(&p["a"] * &x + &p["b"], 1.0).log_prob(&y)
    };
    close("score", &score, &density(start()), Tolerance::largest(1e-6));
    let slope = model.param_grad(&trace);
    let want = grad(density)(start());
    for name in ["x_mu", "a", "b"] {
        close(name, &slope[name], &want[name], Tolerance::largest(1e-6));
    }
    Ok(())
}

#[test]
fn many_scores_at_once() -> Result<()> {
    let model = generative(model).train(start());
    let traces = vmap(|key: Key| model.simulate(key, ()))(Key::new(1).split_batch(100));
    let scores = vmap_axes(
        |(trace, params): (Trace, Record)| model.score_params(&trace, &params),
        (0, None),
        0,
    )((traces.clone(), start()));
    close("scores", &scores, traces.score(), Tolerance::largest(1e-6));
    assert!(scores.max().item::<f32>()? <= -1.837_87);
    Ok(())
}

#[test]
fn maximum_likelihood() -> Result<()> {
    let mut model = generative(model).train(start());
    let truth = ChoiceMap::new([("x", 1.0), ("y", 2.0)]);
    let (mut trace, _) = model.importance(Key::new(0), &truth, ());
    for _ in 0..200 {
        let step = model.param_grad(&trace).map(|g| g * 0.1);
        model.update_params(step);
        // The trace of old parameters has the score of the new ones in one update.
        trace = model.update(&trace, &ChoiceMap::default()).trace;
    }
    assert!((trace.score().item::<f32>()? + 1.837_877).abs() < 1e-4);
    close(
        "score",
        trace.score(),
        &model.score_params(&trace, model.params()),
        Tolerance::largest(1e-6),
    );
    Ok(())
}
