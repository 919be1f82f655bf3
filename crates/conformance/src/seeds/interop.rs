//! Document 000: gradients of densities and of samplers, maximum likelihood, variational inference.

use super::{Check, check, key, noise, number, single, trajectory};
use crate::compare::{Tolerance, within};
use probpipe::{
    Array, DType, Device, Distribution, Key, LogProb, MultivariateNormal, Normal, arange, grad,
    jit_on, linspace, linspace_of, product, scan, value_and_grad, vmap, zeros,
};
use probpipe_testing::reference;
use serde_json::Value as Json;

/// The field of a row for a float type.
fn of(float: DType, f32: &'static str, f64: &'static str) -> &'static str {
    if float == DType::F32 { f32 } else { f64 }
}

pub(super) fn score(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str| number(&case[name], float);
    let n = Normal::new(read("loc")?, read("scale")?);
    let score = jit_on(device, grad(move |x: Array| n.log_prob(&x)))(read("x")?);
    Some(vec![check(of(float, "f32", "f64"), &score, single(float))])
}

pub(super) fn score_grid(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let n = Normal::new(2.0, 0.5);
    let density = move |x: Array| n.log_prob(&x);
    let program = move |x: Array| (vmap(grad(&density))(x.clone()), vmap(&density)(x));
    let x = reference::array(&case["x_f32"], None)?.cast(float);
    let (scores, log_probs) = jit_on(device, program)(x);
    let mut checks = vec![
        check("score_f64", &scores, single(float)),
        check("log_prob_f64", &log_probs, single(float)),
    ];
    if float == DType::F32 {
        let stride = case["index_stride"].as_u64()? as usize;
        let all = std::slice::from_ref(&(0..200));
        let grid = linspace(0.0, 4.0, 200).slice_strided(all, [stride]);
        checks.push(check("x_f32", &grid, single(float)));
    }
    Some(checks)
}

pub(super) fn vector_gradient(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str| reference::array(&case[name], Some(float));
    let n = MultivariateNormal::new(read("loc")?, read("cov")?);
    let program = value_and_grad(move |x: Array| n.log_prob(&x));
    let (log_prob, slope) = jit_on(device, program)(read("x")?);
    Some(vec![
        check("log_prob_f64", &log_prob, single(float)),
        check(of(float, "f32", "f64"), &slope, single(float)),
    ])
}

pub(super) fn joint_gradient(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let part = |i: usize| {
        let read = |j: usize| number(&case["loc_scale"][i][j], float);
        Some(Normal::new(read(0)?, read(1)?))
    };
    let joint = product((part(0)?.named("mu"), part(1)?.named("sigma")));
    let flat = joint.as_flat_distribution();
    let x = reference::array(&case["x"], Some(float))?;
    let slope = jit_on(device, grad(move |x: Array| flat.log_prob(&x)))(x);
    Some(vec![check(of(float, "f32", "f64"), &slope, single(float))])
}

/// The mean of the squares of draws around a place, and its slope in the place.
fn loss(noise: &Array) -> impl Fn(Array) -> (Array, Array) + use<> {
    let noise = noise.clone();
    value_and_grad(move |loc: Array| (loc + &noise).square().mean())
}

pub(super) fn sensitivity(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let noise = noise(key(case)?, case["n"].as_u64()? as usize, float);
    let (value, slope) = jit_on(device, loss(&noise))(number(&case["loc"], float)?);
    Some(vec![
        check("noise_head", &noise.slice_axis(0, 0..8), single(DType::F32)),
        check("value_f64", &value, noisy(float)),
        check("grad_f64", &slope, noisy(float)),
    ])
}

/// Sums of draws, which are good to an ulp or two of `f32`: 5,000 of them have errors that cancel.
fn noisy(float: DType) -> Tolerance {
    if float == DType::F32 { within(2e-6, 2e-6) } else { within(2e-8, 2e-8) }
}

pub(super) fn sweep(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let noise = noise(key(case)?, case["n"].as_u64()? as usize, float);
    let points = case["grid"]["num"].as_u64()? as usize;
    let grid = linspace_of(DType::F32, -3.0, 3.0, points).cast(float);
    let (values, slopes) = jit_on(device, vmap(loss(&noise)))(grid);
    // The points of the grid may differ by an ulp of `f32`, here 2.4e-7; slopes are 6 at most.
    let near = within(2e-6, 2e-6);
    Some(vec![check("value_f64", &values, near), check("grad_f64", &slopes, near)])
}

pub(super) fn maximum_likelihood(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let steps = case["steps"].as_u64()? as usize;
    let draws = noise(key(case)?, case["n"].as_u64()? as usize, DType::F32);
    let data = draws * case["scale"].as_f64()? + case["loc"].as_f64()?;
    let rate = case["lr"].as_f64()?;
    let fit = move |data: Array| {
        let nll = |params: Array| {
            let q = Normal::new(params.at(0), params.at(1).exp());
            -q.log_prob(&data).mean()
        };
        let step = |params: Array, _: Array| {
            let (loss, slope) = value_and_grad(nll)(params.clone());
            let next = params - slope * rate;
            (next.clone(), (next, loss))
        };
        scan(zeros([2]), arange(steps), step).1
    };
    let (params, losses) = jit_on(device, fit)(data.cast(float));
    Some(vec![
        check("data_f32", &data, single(DType::F32)),
        check("params_f64", &params, rounded_noise(float)),
        check("loss_f64", &losses, rounded_noise(float)),
    ])
}

/// A fit to draws that are good to an ulp or two of `f32`.
fn rounded_noise(float: DType) -> Tolerance {
    if float == DType::F32 { trajectory(float) } else { within(1e-6, 1e-6) }
}

pub(super) fn variational(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let count = |name: &str| Some(case[name].as_u64()? as usize);
    let (steps, n) = (count("steps")?, count("n")?);
    let (rate, first) = (case["lr"].as_f64()?, case["first_key"].as_i64()?);
    let part = |i: usize| {
        let read = |j: usize| case["mixture"][i][j].as_f64();
        Some((read(0)?.ln(), Normal::new(read(1)?, read(2)?)))
    };
    let ((left, a), (right, b)) = (part(0)?, part(1)?);
    let fit = move |start: Array| {
        let elbo = |params: Array, noise: &Array| {
            let q = Normal::new(params.at(0), params.at(1).exp());
            let x = params.at(0) + params.at(1).exp() * noise;
            let target = (a.log_prob(&x) + left).logaddexp(b.log_prob(&x) + right);
            (target - q.log_prob(&x)).mean()
        };
        let step = |params: Array, k: Array| {
            let noise = noise(Key::from_seed(&(k + first)), n, float);
            let (value, slope) = value_and_grad(|p| elbo(p, &noise))(params.clone());
            let next = params + slope * rate;
            (next.clone(), (next, value))
        };
        scan(start, arange(steps), step).1
    };
    let (params, values) = jit_on(device, fit)(zeros([2]).cast(float));
    Some(vec![
        check("params_f64", &params, rounded_noise(float)),
        check("elbo_f64", &values, rounded_noise(float)),
    ])
}
