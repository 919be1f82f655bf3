//! Bijectors: values, logarithms of volumes, the way back, and derivatives of both.

use crate::compare::{array, within};
use crate::report::{Verdict, Worst, has_double};
use probpipe::bijectors::{
    Affine, Bijector, LowerCholesky, LowerCholeskyAffine, Permutation, Power, Sigmoid,
    SimplexToOrdered, Softplus, biject_to,
};
use probpipe::constraints::Constraint;
use probpipe::{Array, DType, Device, grad, jit_on};
use probpipe_testing::reference::{self, number, numbers};
use serde_json::Value as Json;

/// The bijector that a case names; chains of named ones as `Compose[Affine(a,b),Sigmoid,..]`.
fn find(name: &str, args: &Json, float: DType) -> Option<Box<dyn Bijector>> {
    let scalar = |name: &str| Array::from(number(&args[name])).cast(float);
    let read = |name: &str| reference::array(&args[name], Some(float));
    let (low, high) = ("lower_bound", "upper_bound");
    let set = match name {
        "real" => Constraint::Real,
        "positive" => Constraint::Positive,
        "greater_than" => Constraint::AtLeast(scalar(low)),
        "less_than" => Constraint::AtMost(scalar(high)),
        "unit_interval" => Constraint::UnitInterval,
        "interval" => Constraint::Interval(scalar(low), scalar(high)),
        "circular" => Constraint::Circular,
        "simplex" => Constraint::Simplex,
        "ordered_vector" => Constraint::OrderedVector,
        "positive_ordered_vector" => Constraint::PositiveOrderedVector,
        "l1_ball" => Constraint::L1Ball,
        "zero_sum" => Constraint::ZeroSum,
        "corr_cholesky" => Constraint::CorrelationCholesky,
        "corr_matrix" => Constraint::CorrelationMatrix,
        "lower_cholesky" => Constraint::LowerCholesky,
        "positive_definite" => Constraint::PositiveDefinite,
        "softplus_positive" => return Some(Box::new(Softplus)),
        "softplus_lower_cholesky" => return Some(Box::new(LowerCholesky::Softplus)),
        "scaled_unit_lower_cholesky" => return Some(Box::new(LowerCholesky::ScaledUnit)),
        "AffineTransform" => return Some(Box::new(Affine::new(scalar("loc"), scalar("scale")))),
        "PowerTransform" => return Some(Box::new(Power::new(scalar("exponent")))),
        "LowerCholeskyAffine" => {
            return Some(Box::new(LowerCholeskyAffine::new(read("loc")?, read("scale_tril")?)));
        }
        "PermuteTransform" => {
            let order: Vec<usize> =
                numbers(&args["permutation"]).into_iter().map(|k| k as usize).collect();
            return Some(Box::new(Permutation::new(order)));
        }
        "SimplexToOrderedTransform" => {
            return Some(Box::new(SimplexToOrdered::new(scalar("anchor_point"))));
        }
        _ => return chain(name.strip_prefix("Compose[")?.strip_suffix(']')?),
    };
    biject_to(&set).ok()
}

/// Links by name, in order.
fn chain(text: &str) -> Option<Box<dyn Bijector>> {
    let (first, rest) = match text.find(")") {
        Some(end) if text.starts_with("Affine(") => text.split_at(end + 1),
        _ => text.split_at(text.find(',').unwrap_or(text.len())),
    };
    let link: Box<dyn Bijector> = match first.strip_prefix("Affine(") {
        Some(arguments) => {
            let (loc, scale) = arguments.strip_suffix(')')?.split_once(',')?;
            let read = |number: &str| number.trim().parse::<f64>().ok();
            Box::new(Affine::new(read(loc)?, read(scale)?))
        }
        None if first == "Sigmoid" => Box::new(Sigmoid),
        None => return None,
    };
    match rest.strip_prefix(',') {
        Some(rest) => Some(Box::new(link.then(chain(rest)?))),
        None => Some(link),
    }
}

/// Runs one case, in the widest float type of the device.
pub(super) fn run(name: &str, case: &Json, device: Device) -> Verdict {
    let float = if has_double(device) { DType::F64 } else { DType::F32 };
    let read = |name: &str| reference::array(&case[name], Some(float));
    let constraint = case["constraint"].as_str().unwrap_or("?");
    let (Some(f), Some(x), Some(y), Some(cot)) =
        (find(constraint, &case["args"], float), read("x"), read("y"), read("cot"))
    else {
        return Verdict::NoRule(name.to_string());
    };
    let results = jit_on(device, |(x, y): (Array, Array)| {
        let pulled = grad(|x: Array| (f.forward(&x) * &cot).sum())(x.clone());
        let slope = grad(|x: Array| f.log_det(&x).sum())(x.clone());
        let inverse = f.inverse(&y);
        let back = f.forward(&inverse).eq(&y);
        vec![f.forward(&x), f.log_det(&x), inverse, pulled, slope, back]
    })((x, y));
    let t = if float == DType::F32 { 2e-5 } else { 1e-10 };
    let fields = ["y", "log_abs_det", "inverse_of_y", "vjp", "grad_log_abs_det"];
    let mut worst: f64 = 0.0;
    for (field, have) in fields.into_iter().zip(&results) {
        if case[field].is_null() {
            continue;
        }
        // Far out `y` hides digits of `x`, and of an `f32` all of them: what leads back to it is
        // one of its inverses then.
        let inverse = field == "inverse_of_y";
        let tolerance = if inverse { 1e4 * t } else { t };
        let back = results[5].to_vec::<bool>().unwrap_or_default();
        let one_of_many =
            |i: usize, _| inverse && float == DType::F32 && back.get(i) == Some(&true);
        match array(field, have, &case[field], None, within(tolerance, tolerance), &one_of_many) {
            Ok(error) if field != "inverse_of_y" => worst = worst.max(error),
            Ok(_) => {}
            Err(miss) => return miss.into(),
        }
    }
    Verdict::Passed(Worst::of(float == DType::F32, worst))
}
