//! Special functions at exact points, in ulp of the true value, with their first derivatives.

use crate::compare::{Miss, Tolerance};
use crate::conventions::{self, Skipped};
use crate::report::{Verdict, Worst, has_double};
use probpipe::{
    Array, DType, Device, betainc, betaln, gammainc, gammaincc, jit_on, jvp, ones_like, polygamma,
    with_default_float, zeros_like, zeta,
};
use probpipe_testing::reference::{number, numbers};
use serde_json::Value as Json;

/// How an error is measured and how large it may be, in `f64` and `f32`.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// In ulp of the value.
    Ulp(f64, f64),
    /// In ulp of the value; last where `f32` is all that there is, so that nothing is rounded from
    /// `f64`.
    Rounded(f64, f64, f64),
    /// In ulp of the value, and `x^2 / 2` more, as the rounding of the argument does.
    Tail(f64, f64),
    /// In ulp of `max(1, |value|)`.
    Mixed(f64, f64),
}

pub(crate) type Function = fn(&[Array]) -> Array;

/// The function and its goal.
pub(crate) fn find(name: &str) -> Option<(Function, Goal)> {
    use Goal::{Mixed, Rounded, Tail, Ulp};
    let plain = Ulp(2.0, 4.0);
    // A relative error of 1e-13, in the tails too; on the CPU `f32` is rounded from `f64`.
    let incomplete = Rounded(450.0, 1.0, 12.0);
    Some(match name {
        "exp" => (|x| x[0].exp(), plain),
        "exp2" => (|x| x[0].exp2(), plain),
        "expm1" => (|x| x[0].expm1(), plain),
        "log" => (|x| x[0].log(), plain),
        "log2" => (|x| x[0].log2(), plain),
        "log10" => (|x| x[0].log10(), plain),
        "log1p" => (|x| x[0].log1p(), plain),
        "sin" => (|x| x[0].sin(), plain),
        "cos" => (|x| x[0].cos(), plain),
        "tan" => (|x| x[0].tan(), plain),
        "asin" => (|x| x[0].asin(), plain),
        "acos" => (|x| x[0].acos(), plain),
        "atan" => (|x| x[0].atan(), plain),
        "sinh" => (|x| x[0].sinh(), plain),
        "cosh" => (|x| x[0].cosh(), plain),
        "tanh" => (|x| x[0].tanh(), plain),
        "asinh" => (|x| x[0].asinh(), plain),
        "acosh" => (|x| x[0].acosh(), plain),
        "atanh" => (|x| x[0].atanh(), plain),
        "sqrt" => (|x| x[0].sqrt(), plain),
        "rsqrt" => (|x| x[0].rsqrt(), plain),
        "cbrt" => (|x| x[0].cbrt(), plain),
        "pow" => (|x| x[0].pow(&x[1]), plain),
        "atan2" => (|x| x[0].atan2(&x[1]), plain),
        "hypot" => (|x| x[0].hypot(&x[1]), plain),
        "erf" => (|x| x[0].erf(), plain),
        "erfc" => (|x| x[0].erfc(), Tail(4.0, 4.0)),
        "ndtr" => (|x| x[0].ndtr(), Tail(4.0, 4.0)),
        "erfinv" => (|x| x[0].erf_inv(), Ulp(4.0, 8.0)),
        "ndtri" => (|x| x[0].ndtri(), Ulp(4.0, 8.0)),
        "erfcinv" => (|x| x[0].erfc_inv(), Ulp(4.0, 8.0)),
        "expit" => (|x| x[0].sigmoid(), Ulp(4.0, 4.0)),
        "log_expit" => (|x| x[0].log_sigmoid(), Ulp(4.0, 4.0)),
        "softplus" => (|x| x[0].softplus(), Ulp(4.0, 4.0)),
        "logaddexp" => (|x| x[0].logaddexp(&x[1]), Ulp(4.0, 4.0)),
        "xlogy" => (|x| x[0].xlogy(&x[1]), Ulp(4.0, 4.0)),
        "xlog1py" => (|x| x[0].xlog1py(&x[1]), Ulp(4.0, 4.0)),
        "entr" => (|x| x[0].entr(), Ulp(4.0, 4.0)),
        "log1mexp" => (|x| x[0].log1mexp(), Ulp(4.0, 4.0)),
        "logit" => (|x| x[0].logit(), Mixed(16.0, 16.0)),
        "sinc" => (|x| x[0].sinc(), Mixed(16.0, 16.0)),
        "rel_entr" => (|x| x[0].rel_entr(&x[1]), Mixed(16.0, 16.0)),
        "kl_div" => (|x| x[0].kl_div(&x[1]), Mixed(16.0, 16.0)),
        "log_ndtr" => (|x| x[0].log_ndtr(), Mixed(8.0, 8.0)),
        "lgamma" => (|x| x[0].lgamma(), Mixed(16.0, 16.0)),
        "digamma" => (|x| x[0].digamma(), Mixed(16.0, 16.0)),
        "gamma" => (|x| x[0].gamma(), Ulp(16.0, 16.0)),
        "trigamma" => (|x| x[0].trigamma(), Ulp(4.0, 4.0)),
        "polygamma" => (|x| polygamma(x[0].stop_gradient(), &x[1]), Ulp(4.0, 4.0)),
        "zeta" => (|x| zeta(&x[0], &x[1]), Ulp(4.0, 4.0)),
        "betaln" => (|x| betaln(&x[0], &x[1]), Mixed(16.0, 16.0)),
        // Of each dimension by itself: see `by_dimension`.
        "multigammaln" => (multigammaln::<1>, Mixed(16.0, 16.0)),
        "gammainc" => (|x| gammainc(&x[0], &x[1]), incomplete),
        "gammaincc" => (|x| gammaincc(&x[0], &x[1]), incomplete),
        "betainc" => (|x| betainc(&x[0], &x[1], &x[2]), incomplete),
        "i0" => (|x| x[0].i0(), Ulp(4.0, 4.0)),
        "i0e" => (|x| x[0].i0e(), Ulp(4.0, 4.0)),
        "i1" => (|x| x[0].i1(), Ulp(4.0, 4.0)),
        "i1e" => (|x| x[0].i1e(), Ulp(4.0, 4.0)),
        "erfcx" => (|x| x[0].erfcx(), Ulp(4.0, 4.0)),
        "exp1" => (|x| x[0].exp1(), Ulp(4.0, 4.0)),
        "expi" => (|x| x[0].expi(), Ulp(4.0, 4.0)),
        _ => return None,
    })
}

/// The dimension is a number of the program, not an argument.
fn multigammaln<const D: usize>(x: &[Array]) -> Array {
    x[0].multigammaln(D)
}

/// Those of the first dimensions.
const MULTIGAMMALN: [Function; 12] = [
    multigammaln::<1>,
    multigammaln::<2>,
    multigammaln::<3>,
    multigammaln::<4>,
    multigammaln::<5>,
    multigammaln::<6>,
    multigammaln::<7>,
    multigammaln::<8>,
    multigammaln::<9>,
    multigammaln::<10>,
    multigammaln::<11>,
    multigammaln::<12>,
];

/// The points of each dimension as a case of their own, and the function of it. A program of all
/// dimensions would have a hundred functions, which takes drivers of GPUs minutes to compile.
fn by_dimension(case: &Json) -> Option<Vec<(Function, Json)>> {
    let dimensions = numbers(&case["args"][1]);
    let mut parts = Vec::new();
    for (d, function) in (1..).zip(MULTIGAMMALN) {
        let keep: Vec<usize> =
            (0..dimensions.len()).filter(|&j| dimensions[j] == f64::from(d)).collect();
        if !keep.is_empty() {
            parts.push((function, of_points(case, &keep)));
        }
    }
    let all = dimensions.iter().all(|d| (1.0..=MULTIGAMMALN.len() as f64).contains(d));
    all.then_some(parts)
}

/// Some points of a case.
fn of_points(case: &Json, keep: &[usize]) -> Json {
    let some = |list: &Json| match list.as_array() {
        Some(list) => Json::from_iter(keep.iter().map(|&j| list[j].clone())),
        None => list.clone(),
    };
    let mut part = case.clone();
    for name in ["value", "value_lo", "f32_ok"] {
        part[name] = some(&case[name]);
    }
    for name in ["args", "deriv"] {
        part[name] = case[name].as_array().into_iter().flatten().map(some).collect();
    }
    part
}

/// The distance of neighbouring numbers at `v`.
fn ulp(v: f64, narrow: bool) -> f64 {
    probpipe_testing::ulp(v, if narrow { DType::F32 } else { DType::F64 })
}

/// Runs one function on all its points.
pub fn run(case: &Json, device: Device, skipped: &mut Skipped) -> Verdict {
    let name = case["fn"].as_str().unwrap_or("?");
    let Some((function, goal)) = find(name) else { return Verdict::NoRule(name.to_string()) };
    let parts = match name {
        "multigammaln" => by_dimension(case),
        _ => Some(vec![(function, case.clone())]),
    };
    let Some(parts) = parts else { return Verdict::NoRule(name.to_string()) };
    let mut worst = Worst::default();
    for (function, case) in &parts {
        match both_types(case, device, *function, goal, skipped) {
            Ok(more) => worst = worst.and(more),
            Err(miss) => return miss.into(),
        }
    }
    Verdict::Passed(worst)
}

fn both_types(
    case: &Json,
    device: Device,
    function: Function,
    goal: Goal,
    skipped: &mut Skipped,
) -> Result<Worst, Miss> {
    let mut worst = Worst::default();
    if has_double(device) {
        with_default_float(DType::F64, || {
            worst = Worst::of(false, values(case, device, function, goal, false, skipped)?);
            derivatives(case, device, function, skipped)
        })?;
    }
    let narrow = || values(case, device, function, goal, true, skipped);
    with_default_float(DType::F32, narrow).map(|error| worst.and(Worst::of(true, error)))
}

/// The points, as columns of arguments; only those that f32 holds exactly if `narrow`.
pub(crate) fn arguments(case: &Json, narrow: bool) -> (Vec<usize>, Vec<Array>) {
    let lists: Vec<Vec<f64>> = case["args"].as_array().into_iter().flatten().map(numbers).collect();
    let count = lists.first().map_or(0, Vec::len);
    let keep: Vec<usize> = (0..count).filter(|&j| !narrow || case["f32_ok"][j] == true).collect();
    let column = |list: &Vec<f64>| {
        let points: Vec<f64> = keep.iter().map(|&j| list[j]).collect();
        let wide = Array::from_slice(&points, [points.len()]);
        if narrow { wide.cast(DType::F32) } else { wide }
    };
    let columns = lists.iter().map(column).collect();
    (keep, columns)
}

/// The arguments of one point.
pub(crate) fn point(case: &Json, j: usize) -> Vec<f64> {
    case["args"].as_array().into_iter().flatten().map(|a| number(&a[j])).collect()
}

/// Whether the reference is known to be wrong at a point.
fn left_out(
    case: &Json,
    derivative: bool,
    point: &[f64],
    want: f64,
    skipped: &mut Skipped,
) -> bool {
    let name = case["fn"].as_str().unwrap_or("?");
    let reason = conventions::find(name, derivative, point, want);
    if let Some(reason) = reason {
        *skipped.entry(reason).or_default() += 1;
    }
    reason.is_some()
}

fn values(
    case: &Json,
    device: Device,
    function: Function,
    goal: Goal,
    narrow: bool,
    skipped: &mut Skipped,
) -> Result<f64, Miss> {
    let (keep, x) = arguments(case, narrow);
    let out = jit_on(device, move |x: Vec<Array>| function(&x))(x);
    let have = crate::compare::elements(&out)?;
    let pick = |wide: f64, thin: f64| if narrow { thin } else { wide };
    let mut worst = 0.0f64;
    for (have, &j) in have.iter().zip(&keep) {
        let (have, want) = (have.as_f64(), number(&case["value"][j]));
        if have == want || have.is_nan() && want.is_nan() {
            continue;
        }
        let low = number(&case["value_lo"][j]);
        let error = ((have - want) - if low.is_finite() { low } else { 0.0 }).abs();
        let x0 = number(&case["args"][0][j]);
        let (error, limit) = match goal {
            Goal::Ulp(wide, thin) => (error / ulp(want, narrow), pick(wide, thin)),
            Goal::Rounded(wide, thin, alone) => {
                let thin = if device == Device::Gpu { alone } else { thin };
                (error / ulp(want, narrow), pick(wide, thin))
            }
            Goal::Tail(wide, thin) => (error / ulp(want, narrow), pick(wide, thin) + x0 * x0 / 2.0),
            Goal::Mixed(wide, thin) => (error / ulp(want.abs().max(1.0), narrow), pick(wide, thin)),
        };
        if error.is_nan() || error > limit {
            let points = point(case, j);
            if left_out(case, false, &points, want, skipped) {
                continue;
            }
            let ty = if narrow { "f32" } else { "f64" };
            return Err(format!(
                "{ty} at {points:?}: {have:e} instead of {want:e}, {error:.2} ulp > {limit}"
            )
            .into());
        }
        worst = worst.max(error);
    }
    Ok(worst)
}

/// First derivatives, to 1e-9 of their value; those in the shapes of the incomplete gamma and beta
/// functions to 1e-6.
fn derivatives(
    case: &Json,
    device: Device,
    function: Function,
    skipped: &mut Skipped,
) -> Result<(), Miss> {
    let count = case["args"].as_array().map_or(0, Vec::len);
    for i in 0..count {
        if !case["deriv"][i].is_array() {
            continue;
        }
        let (keep, x) = arguments(case, false);
        let slope = move |x: Vec<Array>| {
            let mut tangent: Vec<Array> = x.iter().map(zeros_like).collect();
            tangent[i] = ones_like(&x[i]);
            jvp(|x: Vec<Array>| function(&x), x, tangent).1
        };
        let out = jit_on(device, slope)(x);
        for (have, &j) in crate::compare::elements(&out)?.iter().zip(&keep) {
            let (have, want) = (have.as_f64(), number(&case["deriv"][i][j]));
            // Below the normal range relative accuracy ends. The reference for shapes is a
            // difference quotient, which ends at 1e-8.
            let shape = case["fn"].as_str().is_some_and(|f| f.contains("inc")) && i + 1 < count;
            let (rtol, atol) = if shape { (1e-6, 1e-8) } else { (1e-9, f64::MIN_POSITIVE) };
            if want.is_finite() && !Tolerance::within(rtol, atol).accepts(have, want, 1.0) {
                let points = point(case, j);
                if left_out(case, true, &points, want, skipped) {
                    continue;
                }
                return Err(format!("d{i} at {points:?}: {have:e} instead of {want:e}").into());
            }
        }
    }
    Ok(())
}
