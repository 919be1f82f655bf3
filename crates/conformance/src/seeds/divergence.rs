//! Document 002: estimates of a divergence from draws, and a fit by their gradients.

use super::{Check, check, noise, number, single, trajectory};
use crate::compare::{Tolerance, within};
use probpipe::optimize::{Optimizer, Sgd, apply_updates};
use probpipe::{
    Array, DType, Device, Key, LogProb, MixtureSameFamily, Normal, RandomLayout, arange, grad,
    jit_on, scan, stack, vmap,
};
use probpipe_testing::reference;
use serde_json::Value as Json;

type Mixture = MixtureSameFamily<Normal>;

/// The key of all rows, in the layout of the document's time.
fn key() -> Key {
    Key::new(1).with_layout(RandomLayout::Original)
}

/// The mixture of all rows.
fn mixture(float: DType) -> Mixture {
    let typed = |x: [f64; 2]| Array::from(x).cast(float);
    Mixture::new(typed([0.5, 0.5]), Normal::new(typed([-0.2, 1.0]), typed([0.4, 0.5])))
}

pub(super) fn target(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str| reference::array(&case[name], Some(float));
    let p = Mixture::new(read("weights")?, Normal::new(read("loc")?, read("scale")?));
    let log_prob = jit_on(device, move |x: Array| p.log_prob(&x))(read("x")?);
    Some(vec![check("log_prob_f64", &log_prob, single(float))])
}

/// The divergence of Normal(loc, scale) from the mixture, by draws `loc + spread * noise`.
fn divergence(p: &Mixture, loc: &Array, scale: &Array, spread: &Array, noise: &Array) -> Array {
    let x = loc + spread * noise;
    (Normal::new(loc, scale).log_prob(&x) - p.log_prob(&x)).mean()
}

/// Means of a thousand terms made of draws that are good to an ulp or two of `f32`.
fn noisy(float: DType) -> Tolerance {
    if float == DType::F32 { within(2e-6, 2e-6) } else { within(1e-7, 1e-7) }
}

pub(super) fn estimate(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let noise = noise(key(), case["n"].as_u64()? as usize, float);
    let p = mixture(float);
    let of = move |(loc, scale, noise): (Array, Array, Array)| {
        divergence(&p, &loc, &scale, &scale, &noise)
    };
    let (zero, one) = (Array::from(0.0).cast(float), Array::from(1.0).cast(float));
    let kl = jit_on(device, of)((zero, one, noise.clone()));
    Some(vec![
        check("noise_head", &noise.slice_axis(0, 0..8), single(DType::F32)),
        check("f64", &kl, noisy(float)),
        check("f32_tfp", &kl, within(2e-7, 0.0)),
    ])
}

pub(super) fn estimates(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let noise = noise(key(), 1000, float);
    let column = |j: usize| {
        let rows = case["loc_scale"].as_array()?;
        let numbers = rows.iter().map(|row| row[j].as_f64()).collect::<Option<Vec<f64>>>()?;
        Some(Array::from(numbers).cast(float))
    };
    let p = mixture(float);
    let of = move |(loc, scale): (Array, Array)| divergence(&p, &loc, &scale, &scale, &noise);
    let kl = jit_on(device, vmap(of))((column(0)?, column(1)?));
    Some(vec![check("f64", &kl, noisy(float))])
}

/// Slopes in (loc, scale), of sums of a thousand terms.
fn slope(float: DType) -> Tolerance {
    if float == DType::F32 { within(1e-5, 1e-5) } else { within(1e-6, 1e-7) }
}

pub(super) fn gradient(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let noise = noise(key(), 1000, float);
    let read = |part: &str| number(&case["init"][part], float);
    let spread = number(&case["global_scale"], float)?;
    let p = mixture(float);
    let slopes = move |at: (Array, Array)| {
        let printed =
            grad(|(loc, scale): (Array, Array)| divergence(&p, &loc, &scale, &spread, &noise));
        let meant =
            grad(|(loc, scale): (Array, Array)| divergence(&p, &loc, &scale, &scale, &noise));
        let both = |(loc, scale): (Array, Array)| stack(&[loc, scale], 0);
        (both(printed(at.clone())), both(meant(at)))
    };
    let (printed, meant) = jit_on(device, slopes)((read("loc")?, read("scale")?));
    Some(vec![
        check("f64", &printed, slope(float)),
        check("f64_if_scale_were_q_scale", &meant, slope(float)),
    ])
}

pub(super) fn descent(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |part: &str| number(&case["init"][part], float);
    let (rate, steps) = (case["lr"].as_f64()?, case["steps"].as_u64()? as usize);
    let spread = number(&case["global_scale"], float)?;
    let (p, fixed) = (mixture(float), noise(key(), 1000, float));
    let fit = move |(start, chain): ((Array, Array), Key)| {
        let cost = |(loc, scale): (Array, Array), noise: &Array| {
            divergence(&p, &loc, &scale, &spread, noise)
        };
        let sgd = Sgd::new(rate);
        let step = |(at, state, chain): ((Array, Array), _, Key), _: Array| {
            let (chain, subkey) = chain.split();
            let spent = cost(at.clone(), &noise(subkey, 1000, float));
            let slopes = grad(|at| cost(at, &fixed))(at.clone());
            let (updates, state) = sgd.update(slopes, state, &at);
            let at = apply_updates(at, updates);
            ((at.clone(), state, chain), (stack(&[at.0, at.1], 0), spent))
        };
        let state = sgd.init(&start);
        scan((start, state, chain), arange(steps), step).1
    };
    let (params, costs) = jit_on(device, fit)(((read("loc")?, read("scale")?), key()));
    let close = if float == DType::F32 { trajectory(float) } else { within(1e-6, 1e-6) };
    Some(vec![
        check("params_f64", &params, close),
        check("costs_f64", &costs, close),
        check("final_f64", &params.at(-1), close),
        check("final_f32", &params.at(-1), within(1e-5, 0.0)),
    ])
}
