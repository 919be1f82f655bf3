//! The numbers that the founding documents print, with the programs that made them. A row is found
//! by its name; its fields hold `f32` values as JAX computes them and `f64` values that an exact
//! implementation should be near.

use crate::compare::{Miss, Tolerance, array, within};
use crate::report::{Verdict, Worst};
use probpipe::optimize::{Bfgs, minimize};
use probpipe::{
    Array, DType, Device, Key, custom_jvp, grad, hessian, jit_on, linspace, normal, scan,
    value_and_grad, vmap, with_default_float,
};
use probpipe_testing::reference;
use serde_json::{Value as Json, json};
use std::f64::consts::PI;

/// A result, the field that says what it should be, and how close it must come.
struct Check {
    field: &'static str,
    have: Array,
    tolerance: Tolerance,
}

/// What a row checks in one of the float types.
type Row = fn(&Json, DType, Device) -> Option<Vec<Check>>;

fn find(name: &str) -> Option<Row> {
    Some(match name {
        "003/logistic" => logistic_grid,
        "003/laplace" => laplace,
        "004/custom_grad" => custom_grad,
        "004/hmc_init" => hmc_init,
        "004/hmc_step" => hmc_step,
        _ => return None,
    })
}

/// Runs one row in both float types.
pub fn run(case: &Json, device: Device) -> Verdict {
    let name = case["id"].as_str().unwrap_or("?");
    let Some(row) = find(name) else { return Verdict::NoRule(name.to_string()) };
    for float in [DType::F64, DType::F32] {
        if float == DType::F64 && device == Device::Gpu {
            continue;
        }
        let Some(checks) = with_default_float(float, || row(case, float, device)) else {
            return Verdict::NoRule(name.to_string());
        };
        for Check { field, have, tolerance } in checks {
            let want = match &case[field] {
                number @ Json::Number(_) => json!({"dtype": "f64", "shape": [], "data": [number]}),
                array => array.clone(),
            };
            match array(field, &have, &want, None, tolerance, &|_, _| false) {
                Ok(_) => {}
                Err(Miss::Wrong(why)) => return Verdict::Failed(format!("{float} {why}")),
                Err(Miss::NotLowered(what)) => return Verdict::NotLowered(what),
            }
        }
    }
    // The tolerances are those of printed digits, not of rounding: no error in ulp to tell.
    Verdict::Passed(Worst::default())
}

/// One evaluation: what rounding makes of it.
fn single(float: DType) -> Tolerance {
    if float == DType::F32 { within(2e-6, 2e-6) } else { within(1e-10, 1e-12) }
}

fn check(field: &'static str, have: &Array, tolerance: Tolerance) -> Check {
    Check { field, have: have.clone(), tolerance }
}

fn logistic(x: Array) -> Array {
    (1.0 + (-x).exp()).pow(-1.0)
}

fn logistic_grid(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
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

fn laplace(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
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

/// A search as exact as the type allows.
fn search(float: DType) -> Bfgs {
    Bfgs { tolerance: if float == DType::F32 { 1e-5 } else { 1e-10 }, ..Bfgs::default() }
}

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

fn custom_grad(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
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

fn hmc_init(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
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

fn hmc_step(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
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
