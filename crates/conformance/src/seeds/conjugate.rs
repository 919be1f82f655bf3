//! Document 004: a function defined by a search, with a derivative of its own, and a step of
//! Hamiltonian Monte Carlo on a density made of it.

use super::{Check, check, search, single};
use crate::compare::within;
use probpipe::optimize::minimize;
use probpipe::{
    Array, DType, Device, Key, custom_jvp, grad, jit_on, normal, scan, value_and_grad,
    with_default_float,
};
use serde_json::Value as Json;
use std::f64::consts::PI;

/// `max over y of x y - |y|^p / p` and the `y`, by a search from 1.
fn conjugate(x: &Array, p: f64) -> (Array, Array) {
    let loss = |y: Array| y.abs().pow(p) / p - x * y;
    let minimum = minimize(loss, probpipe::ones_like(x), search(x.dtype()));
    (-minimum.value, minimum.x)
}

/// The maximum, with the `y` that gives it as its derivative.
fn with_gradient(x: Array) -> Array {
    let rule = |x: Array, dx: Array| {
        let (value, y) = conjugate(&x, 3.0);
        (value, y * dx)
    };
    custom_jvp(|x: Array| conjugate(&x, 3.0).0, rule)(x)
}

/// `|x|^q / q` with `1/p + 1/q = 1`.
fn closed_form(x: Array) -> Array {
    x.abs().pow(1.5) / 1.5
}

pub(super) fn custom_grad(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    if case["p"] != 3 {
        return None;
    }
    let x = Array::from(case["x"].as_f64()?).cast(float);
    let program = |x: Array| {
        let direct = |x: Array| conjugate(&x, 3.0).0;
        (
            (with_gradient(x.clone()), grad(with_gradient)(x.clone()), grad(direct)(x.clone())),
            (closed_form(x.clone()), grad(closed_form)(x.clone())),
            grad(grad(closed_form))(x),
        )
    };
    let ((f, custom, direct), (value, slope), bend) = jit_on(device, program)(x);
    // The searches end where the slope is small, not zero.
    let searched = within(0.0, 1e-4);
    Some(vec![
        check("true_f_f64", &f, within(0.0, 1e-6)),
        check("f_value_f32", &f, within(0.0, 1e-6)),
        check("true_grad_f64", &custom, searched),
        check("custom_grad_f32_bfgs", &custom, searched),
        check("true_grad_f64", &direct, searched),
        check("true_f_f64", &value, single(float)),
        check("true_grad_f64", &slope, single(float)),
        check("true_grad_f32", &slope, within(1e-6, 0.0)),
        check("second_derivative_f64", &bend, single(float)),
    ])
}

/// `N(y | 0, 1) N(f(y) | 0, 1)`, as a logarithm.
fn log_density(y: Array) -> Array {
    let log_normal = |x: Array| x.square() * -0.5 - 0.5 * (2.0 * PI).ln();
    log_normal(y.clone()) + log_normal(with_gradient(y))
}

pub(super) fn hmc_init(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let y = Array::from(case["y"].as_f64()?).cast(float);
    let (value, slope) = jit_on(device, value_and_grad(log_density))(y);
    let searched = within(1e-5, 1e-5);
    Some(vec![
        check("logdensity_f64", &value, single(float)),
        check("logdensity_f32", &value, within(2e-6, 0.0)),
        check("grad_f64", &slope, searched),
        check("grad_f32", &slope, searched),
    ])
}

pub(super) fn hmc_step(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let (_, step_key) = Key::new(case["seed"].as_u64()?).split();
    let mut checks = vec![check("step_key", step_key.data(), within(0.0, 0.0))];
    let (momentum_key, _) = step_key.split();
    let momentum = with_default_float(DType::F32, || normal(momentum_key, ()));
    checks.push(check("momentum_f32", &momentum, within(1e-6, 0.0)));
    let program = |p: Array| {
        let e = 0.01;
        let step = |(q, p): (Array, Array), _: Array| {
            let p = p + grad(log_density)(q.clone()) * (e / 2.0);
            let q = q + &p * e;
            let p = p + grad(log_density)(q.clone()) * (e / 2.0);
            ((q.clone(), p.clone()), (q, p))
        };
        let start = (probpipe::ones_like(&p), p);
        let ((q, _), path) = scan(start, probpipe::arange(20), step);
        (path, value_and_grad(log_density)(q))
    };
    let ((q, p), (value, slope)) = jit_on(device, program)(momentum.cast(float));
    let path = within(1e-4, 0.0);
    checks.extend([
        check("trajectory_q_f64", &q, path),
        check("trajectory_p_f64", &p, path),
        check("position_f32", &q.at(-1), within(1e-6, 0.0)),
        check("proposal_momentum_f32", &-p.at(-1), path),
        check("logdensity_f64", &value, within(2e-6, 0.0)),
        check("logdensity_f32", &value, within(2e-6, 0.0)),
        check("grad_f64", &slope, within(1e-5, 0.0)),
        check("grad_f32", &slope, within(1e-5, 0.0)),
    ]);
    Some(checks)
}
