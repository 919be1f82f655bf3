//! Document 003: derivatives of the logistic function, and Laplace's approximation.

use super::{Check, check, search, single};
use crate::compare::within;
use probpipe::optimize::minimize;
use probpipe::{Array, DType, Device, grad, hessian, jit_on, linspace, vmap};
use probpipe_testing::reference;
use serde_json::Value as Json;

fn logistic(x: Array) -> Array {
    (1.0 + (-x).exp()).pow(-1.0)
}

pub(super) fn logistic_grid(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let stride = case["index_stride"].as_u64()? as usize;
    let curves = |x: Array| {
        (logistic(x.clone()), vmap(grad(logistic))(x.clone()), vmap(grad(grad(logistic)))(x))
    };
    let (y, d1, d2) = jit_on(device, curves)(reference::array(&case["x_f32"], None)?.cast(float));
    let mut checks = vec![
        check("y_f64", &y, single(float)),
        check("d1_f64", &d1, single(float)),
        check("d2_f64", &d2, single(float)),
    ];
    if float == DType::F32 {
        let all = std::slice::from_ref(&(0..1000));
        let grid = linspace(-10.0, 10.0, 1000).slice_strided(all, [stride]);
        checks.push(check("x_f32", &grid, single(float)));
    }
    Some(checks)
}

pub(super) fn laplace(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let read = |name: &str| reference::array(&case[name], Some(float));
    let (mu, sigma, x0, points) = (read("mu")?, read("sigma")?, read("x0")?, read("points")?);
    let nu = case["nu"].as_f64()?;
    let program = move |(mu, sigma, x0, points): (Array, Array, Array, Array)| {
        let precision = sigma.inv();
        let log_posterior = |x: Array| {
            let d = x - &mu;
            (d.dot(&precision.dot(&d)) / nu).log1p() * (-0.5 * (nu + 2.0))
        };
        let loss = |x: Array| -log_posterior(x);
        let mode = minimize(loss, x0.clone(), search(float)).x;
        let curvature = hessian(loss)(mode.clone());
        let start = (grad(loss)(x0.clone()), hessian(loss)(x0));
        (vmap(log_posterior)(points), start, mode, (curvature.clone(), curvature.inv()))
    };
    let (log, (slope, bend), mode, (curvature, covariance)) =
        jit_on(device, program)((mu, sigma, x0, points));
    // At the mode the curvature changes with the square of the distance.
    let near = if float == DType::F32 { within(2e-5, 2e-5) } else { within(1e-8, 1e-8) };
    let found = within(1e-5, 1e-5);
    Some(vec![
        check("log_posterior_f64", &log, single(float)),
        check("grad_at_x0_f64", &slope, single(float)),
        check("hessian_at_x0_f64", &bend, single(float)),
        check("mode_f64", &mode, found),
        check("bfgs_mode_f64", &mode, found),
        check("hessian_at_mode_f64", &curvature, near),
        check("covariance_f64", &covariance, near),
        check("covariance_exact", &covariance, near),
        check("covariance_f32", &covariance, within(2e-5, 2e-5)),
    ])
}
