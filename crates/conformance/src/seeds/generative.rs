//! Document 001: scores of a model with learnable parameters, and the mode of a line through
//! points by gradients of choices.

use super::{Check, check, key, noise, single, trajectory};
use probpipe::prelude::{ChoiceMap, Choices, GenerativeFunction, Tree, addresses, generative};
use probpipe::{
    Array, DType, Device, Key, Normal, Record, Trace, Uniform, arange, fori_loop, jit_on, scan,
    stack, tree_map, vmap,
};
use probpipe_testing::reference;
use serde_json::Value as Json;

const NAMES: [&str; 3] = ["x_mu", "a", "b"];

/// `x_mu`, `a` and `b` of an array of three.
fn named(numbers: &Array) -> Record {
    Record::new(NAMES.iter().zip(0..).map(|(name, i)| (*name, numbers.at(i))))
}

/// The way back.
fn row(numbers: &Record) -> Array {
    stack(&NAMES.map(|name| numbers[name].clone()), 0)
}

pub(super) fn score_params(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str, float| reference::array(&case[name], Some(float));
    // The program was one of `f32`: its parameters are rounded like its points.
    let narrow = named(&read("params", DType::F32)?);
    let params = narrow.clone().map(|p| p.cast(float));
    let (x, y) = (read("x", float)?, read("y", float)?);
    let (n, kept) = (case["n"].as_u64()? as usize, x.shape()[0]);
    let (for_x, for_y) = key(case)?.split();
    let drawn = |key: Key| noise(key, n, DType::F32).slice_axis(0, 0..kept);
    let drawn_x = drawn(for_x) + &narrow["x_mu"];
    let drawn_y = &narrow["a"] * &drawn_x + &narrow["b"] + drawn(for_y);

    let at = params.clone();
    let of = move |points: (Array, Array)| {
        let model = generative(|t: &mut Choices, p: Record| {
            let x = t.sample("x", Normal::new(&p["x_mu"], 1.0));
            t.sample("y", Normal::new(&p["a"] * x + &p["b"], 1.0))
        })
        .train(at.clone());
        let one = |(x, y): (Array, Array)| {
            let (trace, _) =
                model.importance(Key::new(0), &ChoiceMap::new([("x", x), ("y", y)]), ());
            (model.score_params(&trace, &at), row(&model.param_grad(&trace)))
        };
        vmap(one)(points)
    };
    let (scores, slopes) = jit_on(device, of)((x, y));
    Some(vec![
        check("x", &drawn_x, single(DType::F32)),
        check("y", &drawn_y, single(DType::F32)),
        check("f32", &scores, single(DType::F32)),
        check("f64", &scores, single(float)),
        check("grad_f64", &slopes, single(float)),
    ])
}

/// A line through points about a centre, under priors that are flat.
fn line_through(n: usize) -> impl GenerativeFunction<Args = (), Value = Array> + Copy {
    let point = generative(|t: &mut Choices, mean: Array| t.sample("pos", Normal::new(mean, 1.0)));
    let line = generative(|t: &mut Choices, x: Array, a: Array, b: Array| {
        t.sample("pos", Normal::new(a * x + b, 1.0))
    });
    generative(move |t: &mut Choices| {
        let x_mu = t.sample("x_mu", Uniform::new(-3.0, 3.0));
        let a = t.sample("a", Uniform::new(-4.0, 4.0));
        let b = t.sample("b", Uniform::new(-3.0, 3.0));
        let x = t.call("x", point.repeat(n), x_mu);
        t.call("y", line.mapped((0, None, None)), (x, a, b))
    })
}

pub(super) fn mode(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str| reference::array(&case[name], Some(float));
    let (start, x, y) = (read("init")?, read("x_f32")?, read("y_f32")?);
    let (tau, steps) = (case["tau"].as_f64()?, case["steps"].as_u64()? as usize);
    let kept = reference::extents(&case["params_f64"]["shape"]).first().copied()?;
    let model = line_through(x.shape()[0]);
    let climb = move |(start, x, y): (Array, Array, Array)| {
        let seen = ChoiceMap::from(named(&start)).with("x/pos", x).with("y/pos", y);
        let latents = addresses(NAMES);
        let step = |_: Array, trace: Trace| {
            let slopes = model.choice_grad(&trace, &latents);
            let moved = tree_map(|v, g| v + g * tau, trace.choices().filter(&latents), slopes);
            model.update(&trace, &moved).trace
        };
        let some = |trace: Trace, _: Array| {
            let trace = fori_loop(steps / kept, trace, step);
            let at = row(trace.choices().record());
            (trace, at)
        };
        let (trace, _) = model.importance(Key::new(0), &seen, ());
        let (last, path) = scan(trace, arange(kept), some);
        (path, last.score().clone())
    };
    let (path, score) = jit_on(device, climb)((start, x, y));
    Some(vec![
        check("params_f64", &path, trajectory(float)),
        check("params_f32", &path, trajectory(DType::F32)),
        check("log_joint_f64", &score, single(float)),
    ])
}
