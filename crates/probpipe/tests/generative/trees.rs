//! Traces, choice maps and selections as trees: in structs on either side of `jit`, as carries, in
//! lanes, in both float types; and calls of the host's making.

use probpipe::prelude::*;
use probpipe::{ErrorKind, Selection, Tree};
use probpipe_testing::{Tolerance, close};

fn near(name: &str, have: &Array, want: &Array) {
    close(name, have, want, Tolerance::largest(1e-5));
}

/// The step of document 001: a static selection, a step size that may be traced.
#[derive(Tree, Clone, Debug)]
struct MapUpdate {
    #[tree(static)]
    selection: Selection,
    tau: Array,
}

impl MapUpdate {
    fn apply<G: GenerativeFunction<Args = (), Value = Array>>(
        &self,
        model: &G,
        trace: Trace,
    ) -> Trace {
        let slopes = model.choice_grad(&trace, &self.selection);
        let values = trace.choices().filter(&self.selection);
        let moved = tree_map(|v, g| v + g * &self.tau, values, slopes);
        model.update(&trace, &moved).trace
    }
}

fn pair() -> impl GenerativeFunction<Args = (), Value = Array> + Copy {
    generative(|t: &mut Choices| {
        let x = t.sample("x", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(x, 0.5))
    })
}

#[test]
fn a_step_is_made_on_either_side_of_jit() {
    let model = pair();
    let trace = model.simulate(Key::new(0), ());
    let step = MapUpdate { selection: addresses(["x"]), tau: array(0.1) };
    let inside =
        jit(|t: Trace| MapUpdate { selection: addresses(["x"]), tau: array(0.1) }.apply(&model, t));
    let outside = jit(|(step, t): (MapUpdate, Trace)| step.apply(&model, t));
    let want = step.apply(&model, trace.clone());
    near("inside", &inside(trace.clone()).choices()["x"], &want.choices()["x"]);
    near("outside", &outside((step, trace)).choices()["x"], &want.choices()["x"]);
}

#[test]
fn lanes_of_traces() -> Result<()> {
    let model = pair();
    let traces = vmap(|key: Key| model.simulate(key, ()))(Key::new(0).split_batch(5));
    let given = ChoiceMap::new([("x", linspace(-1.0, 1.0, 5))]);
    let new = vmap(|(t, c): (Trace, ChoiceMap)| model.update(&t, &c))((traces.clone(), given));
    near("weights", &new.weight, &(new.trace.score() - traces.score()));
    let again = |(key, t): (Key, Trace)| model.regenerate(key, &t, &addresses(["x"]));
    let new = jit(vmap(again))((Key::new(1).split_batch(5), traces.clone()));
    let want = new.trace.choices()["y"].clone() - traces.choices()["y"].clone();
    near("kept", &want, &zeros([5]));
    Ok(())
}

#[test]
fn a_chain_of_metropolis_steps() -> Result<()> {
    let model = pair();
    let (trace, _) = model.importance(Key::new(0), &ChoiceMap::new([("y", 1.0)]), ());
    let step = |trace: Trace, key: Key| {
        let (draw, decide) = key.split();
        let new = model.regenerate(draw, &trace, &addresses(["x"]));
        let accept = uniform(decide, ()).log().lt(&new.weight);
        let next = cond(accept, (new.trace, trace), |(new, _)| new, |(_, old)| old);
        (next.clone(), next.choices()["x"].clone())
    };
    let run = jit(|(t, keys): (Trace, Key)| scan(t, keys, step).1);
    let draws = run((trace, Key::new(1).split_batch(20_000)));
    // The posterior of x is Normal(0.8, 0.2^0.5).
    assert!((draws.mean().item::<f32>()? - 0.8).abs() < 0.03, "{}", draws.mean());
    assert!((draws.var().item::<f32>()? - 0.2).abs() < 0.02, "{}", draws.var());
    Ok(())
}

#[test]
fn both_float_types() -> Result<()> {
    let model = pair();
    let trace = with_default_float(DType::F64, || model.simulate(Key::new(0), ()));
    assert_eq!(trace.score().dtype(), DType::F64);
    let new = model.update(&trace, &ChoiceMap::new([("x", 0.25)]));
    assert_eq!(new.trace.choices()["x"].dtype(), DType::F64);
    near("weight", &new.weight, &(new.trace.score() - trace.score()));
    // Counts beside numbers of the other type: the score is of the wider one.
    let mixed = generative(|t: &mut Choices, rate: Array| {
        let x = t.sample("x", Exponential::new(rate));
        let k = t.sample("k", Bernoulli::new(0.5));
        x + k.cast(DType::F64)
    });
    let rate = Array::from_slice(&[2.0f64], [1]).reshape(());
    let trace = mixed.simulate(Key::new(0), rate);
    assert_eq!(trace.score().dtype(), DType::F64);
    Ok(())
}

#[test]
fn faults_of_the_model_itself() {
    let model =
        generative(|t: &mut Choices, scale: Array| t.sample("x", Normal::new(zeros([3]), scale)));
    let given = ChoiceMap::new([("x", zeros([3]))]);
    for score in [
        model.simulate(Key::new(0), -1.0).score().clone(),
        model.assess(&given, -1.0).0,
        model.repeat(2).simulate(Key::new(0), -1.0).score().clone(),
    ] {
        let error = score.checked().expect_err("a negative scale");
        assert_eq!(error.message(), "the scale of a Normal must be positive, not -1");
    }
    let shapes = model.assess(&given, zeros([2])).0.checked().expect_err("shapes");
    assert_eq!(shapes.kind(), ErrorKind::Shape);
    assert!(shapes.message().contains("do not broadcast"), "{shapes}");
}

#[test]
fn printed() {
    let model = generative(|t: &mut Choices, p: Record| t.sample("x", Normal::new(&p["loc"], 1.0)));
    let trace = model.simulate(Key::new(0), Record::new([("loc", 0.5)]));
    assert_eq!(
        trace.to_string(),
        "Trace
├── args
│   └── record
│       └── loc
│           └── (lit) 0.5
├── value
│   └── f32[]
├── choices
│   └── :x
│       └── f32[]
└── score
    └── f32[]"
    );
    assert_eq!((addresses(["a"]) | !addresses(["b/c"])).to_string(), "({:a} | !{:b/c})");
    let choices = ChoiceMap::new([("a", 1.0)]).with("b/c", array([1.0, 2.0]));
    let want = "ChoiceMap\n├── :a\n│   └── (lit) 1.0\n└── :b\n    └── :c\n        └── [1.0 2.0]";
    assert_eq!(format!("{choices:#}"), want);
}
