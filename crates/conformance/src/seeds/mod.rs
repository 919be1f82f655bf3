//! The numbers that the founding documents print, with the programs that made them. A row is found
//! by its name; its fields hold `f32` values as JAX computes them and `f64` values that an exact
//! implementation should be near.

mod conjugate;
mod divergence;
mod generative;
mod interop;
mod laplace;

use crate::compare::{Miss, Tolerance, array, within};
use crate::report::{Verdict, Worst, has_double};
use probpipe::optimize::Bfgs;
use probpipe::random::normal_of;
use probpipe::{Array, DType, Device, Key, with_default_float};
use serde_json::{Value as Json, json};

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
        "000/score" => interop::score,
        "000/score_grid" => interop::score_grid,
        "000/mvn_grad" => interop::vector_gradient,
        "000/joint_grad" => interop::joint_gradient,
        "000/sensitivity" => interop::sensitivity,
        "000/sweep" => interop::sweep,
        "000/mle" => interop::maximum_likelihood,
        "000/vi" => interop::variational,
        "001/score_params" => generative::score_params,
        "001/map" => generative::mode,
        "002/target" => divergence::target,
        "002/kl" => divergence::estimate,
        "002/kl_grid" => divergence::estimates,
        "002/grad" => divergence::gradient,
        "002/sgd" => divergence::descent,
        "003/logistic" => laplace::logistic_grid,
        "003/laplace" => laplace::laplace,
        "004/custom_grad" => conjugate::custom_grad,
        "004/hmc_init" => conjugate::hmc_init,
        "004/hmc_step" => conjugate::hmc_step,
        _ => return None,
    })
}

/// Runs one row in both float types.
pub fn run(case: &Json, device: Device) -> Verdict {
    let name = case["id"].as_str().unwrap_or("?");
    let Some(row) = find(name) else { return Verdict::NoRule(name.to_string()) };
    for float in [DType::F64, DType::F32] {
        if float == DType::F64 && !has_double(device) {
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

/// A whole fit: rounding errors of `f32` grow from step to step.
fn trajectory(float: DType) -> Tolerance {
    if float == DType::F32 { within(1e-4, 1e-5) } else { within(1e-9, 1e-10) }
}

/// Normal draws in `f32`, whatever type the program computes in.
fn noise(key: Key, n: usize, float: DType) -> Array {
    normal_of(DType::F32, key, [n]).cast(float)
}

/// The key of a row.
fn key(case: &Json) -> Option<Key> {
    Some(Key::new(case["key_seed"].as_u64()?))
}

/// A number of a row in a float type.
fn number(field: &Json, float: DType) -> Option<Array> {
    Some(Array::from(field.as_f64()?).cast(float))
}

/// A search as exact as the type allows.
fn search(float: DType) -> Bfgs {
    Bfgs { tolerance: if float == DType::F32 { 1e-5 } else { 1e-10 }, ..Bfgs::default() }
}
