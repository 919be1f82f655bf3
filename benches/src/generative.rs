//! The model of the notebook "differentiable programming" as workloads: a whole trace drawn, one
//! drawn around data, and the mode found from there by gradients of choices. `peers/generative.py`
//! has the same programs written out.

use crate::inputs::line_data;
use probpipe::Trace;
use probpipe::generative::Subtrace;
use probpipe::prelude::*;

/// 100 points about `x_mu`, and a line through them under noise.
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

/// What a trace holds: values and log-densities choice by choice, sums behind those of points, and
/// the score.
fn contents(trace: &Trace) -> Vec<Array> {
    let mut arrays = Vec::new();
    collect(trace.record(), &mut arrays);
    arrays.push(trace.score().clone());
    arrays
}

fn collect(record: &Subtrace, arrays: &mut Vec<Array>) {
    match record {
        Subtrace::Choice { value, score } => arrays.extend([value.clone(), score.clone()]),
        Subtrace::Call { parts, .. } => parts.iter().for_each(|part| collect(part, arrays)),
        Subtrace::Stack { runs, score } => {
            runs.iter().for_each(|run| collect(run, arrays));
            arrays.push(score.clone());
        }
        // The model has none of these.
        Subtrace::Joint { .. } | Subtrace::Factor { .. } | Subtrace::Branches { .. } => {}
    }
}

pub(crate) fn key_data() -> Vec<Array> {
    vec![Array::from_slice(&[0u32, 1], [2])]
}

/// A key, and what is seen of the points.
pub(crate) fn key_and_points() -> Vec<Array> {
    key_data().into_iter().chain(line_data()).collect()
}

pub(crate) fn simulate(x: Vec<Array>) -> Vec<Array> {
    contents(&model().simulate(Key::from_data(&x[0]), ()))
}

fn around(x: &[Array]) -> (Trace, Array) {
    let seen = ChoiceMap::new([("x/pos", x[1].clone()), ("y/pos", x[2].clone())]);
    model().importance(Key::from_data(&x[0]), &seen, ())
}

/// The weight comes last.
pub(crate) fn importance(x: Vec<Array>) -> Vec<Array> {
    let (trace, weight) = around(&x);
    contents(&trace).into_iter().chain([weight]).collect()
}

/// 2,000 steps along the gradient of the joint log-density in the three that are not seen, each
/// from trace to trace.
pub(crate) fn map(x: Vec<Array>) -> Vec<Array> {
    let model = model();
    let latents = addresses(["x_mu", "a", "b"]);
    let step = |_, trace: Trace| {
        let slopes = model.choice_grad(&trace, &latents);
        let old = trace.choices().filter(&latents);
        let moved = tree_map(|v, g| v + g * 1e-4, old, slopes);
        model.update(&trace, &moved).trace
    };
    contents(&fori_loop(2000, around(&x).0, step))
}
