//! The model of the founding document: its trace, its interface, its numbers.

use probpipe::prelude::*;
use probpipe::{Trace, Update};
use probpipe_testing::{Tolerance, close};

const TAU: f32 = 1.837_877;

fn model() -> impl GenerativeFunction<Args = (), Value = Array> + Copy {
    let point = generative(|t: &mut Choices, mean: Array, std: Array| {
        t.sample("pos", Normal::new(mean, std))
    });
    let line = generative(|t: &mut Choices, x: Array, a: Array, b: Array| {
        t.sample("pos", Normal::new(a * x + b, 1.0))
    });
    generative(move |t: &mut Choices| {
        let x_mu = t.sample("x_mu", Uniform::new(-3.0, 3.0));
        let a = t.sample("a", Uniform::new(-4.0, 4.0));
        let b = t.sample("b", Uniform::new(-3.0, 3.0));
        let x = t.call("x", point.repeat(100), (x_mu, 1.0));
        t.call("y", line.mapped((0, None, None)), (x, a, b))
    })
}

/// The log-density of the model, written out.
fn density(choices: &ChoiceMap) -> Array {
    let [a, b, mu] = ["a", "b", "x_mu"].map(|name| choices[name].clone());
    let (x, y) = (&choices["x/pos"], &choices["y/pos"]);
    Uniform::new(-3.0, 3.0).log_prob(&mu)
        + Uniform::new(-4.0, 4.0).log_prob(&a)
        + Uniform::new(-3.0, 3.0).log_prob(&b)
        + Normal::new(mu, 1.0).log_prob(x).sum()
        + Normal::new(&a * x + b, 1.0).log_prob(y).sum()
}

#[test]
fn simulate_and_assess() -> Result<()> {
    let model = model();
    let trace: Trace = jit(|key: Key| model.simulate(key, ()))(Key::new(314159));
    let choices = trace.choices();
    assert_eq!(choices.addresses(), ["x_mu", "a", "b", "x/pos", "y/pos"]);
    close("score", trace.score(), &density(&choices), Tolerance::largest(2e-6));
    let (score, value) = jit(|c: ChoiceMap| model.assess(&c, ()))(choices.clone());
    close("assess", &score, trace.score(), Tolerance::largest(2e-6));
    assert_eq!(value.to_vec::<f32>()?, choices["y/pos"].to_vec::<f32>()?);
    assert_eq!(
        trace.to_string(),
        "Trace
├── args
├── value
│   └── f32[100]
├── choices
│   ├── :x_mu
│   │   └── f32[]
│   ├── :a
│   │   └── f32[]
│   ├── :b
│   │   └── f32[]
│   ├── :x
│   │   └── :pos
│   │       └── f32[100]
│   └── :y
│       └── :pos
│           └── f32[100]
└── score
    └── f32[]"
    );
    Ok(())
}

#[test]
fn importance_update_gradient() -> Result<()> {
    let model = model();
    let seen = model.simulate(Key::new(1), ()).choices().filter(&addresses(["x", "y"]));
    let (trace, weight) = jit(|(key, seen): (Key, ChoiceMap)| model.importance(key, &seen, ()))((
        Key::new(2),
        seen.clone(),
    ));
    assert_eq!(trace.choices()["x/pos"].to_vec::<f32>()?, seen["x/pos"].to_vec::<f32>()?);
    let part = model.project(&trace, &addresses(["x", "y"]));
    close("weight", &weight, &part, Tolerance::largest(1e-6));
    let moved = ChoiceMap::new([("a", 0.5)]);
    let new: Update =
        jit(|(t, c): (Trace, ChoiceMap)| model.update(&t, &c))((trace.clone(), moved));
    close("update", &new.weight, &(new.trace.score() - trace.score()), Tolerance::largest(1e-4));
    close("score", new.trace.score(), &density(&new.trace.choices()), Tolerance::largest(2e-6));
    assert_eq!(new.discarded.addresses(), ["a"]);
    let latents = addresses(["x_mu", "a", "b"]);
    let slopes = model.choice_grad(&trace, &latents);
    let want = grad(|c: ChoiceMap| density(&c))(trace.choices()).filter(&latents);
    for name in ["x_mu", "a", "b"] {
        close(name, &slopes[name], &want[name], Tolerance::largest(1e-5));
    }
    Ok(())
}

#[test]
fn the_map_loop() -> Result<()> {
    let model = model();
    let latents = addresses(["x_mu", "a", "b"]);
    let step = |trace: Trace| {
        let g = model.choice_grad(&trace, &latents);
        let moved = tree_map(|v, g| v + g * 1e-4, trace.choices().filter(&latents), g);
        model.update(&trace, &moved).trace
    };
    let start = ChoiceMap::new([("x_mu", 0.5), ("a", 1.5), ("b", -1.0)]);
    let (trace, _) = model.importance(Key::new(5), &start, ());
    let mode = jit(|t: Trace| fori_loop(2000, t, |_, t| step(t)))(trace.clone());
    assert!(mode.score().item::<f32>()? > trace.score().item::<f32>()?);
    let slopes = model.choice_grad(&mode, &latents);
    assert!(slopes["a"].item::<f32>()?.abs() < 0.1, "{slopes:#}");
    Ok(())
}

#[test]
fn scores_follow_the_law() -> Result<()> {
    let model = generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(0.3 * x + 0.4, 1.0))
    });
    let n = 100_000;
    let scores = jit(vmap(|key: Key| model.simulate(key, ()).score().clone()))(
        Key::new(314159).split_batch(n),
    );
    assert!(scores.max().item::<f32>()? <= -TAU);
    // Each score is -log 2 pi less half a chi square of two degrees: of standard deviation 1.
    let error = 4.0 / (n as f32).sqrt();
    assert!((scores.mean().item::<f32>()? + TAU + 1.0).abs() < error);
    Ok(())
}
