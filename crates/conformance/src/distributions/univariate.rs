//! One family at given parameters: everything that the case has numbers for, in `f64` against
//! these, and in `f32` against this library's `f64` at the same rounded parameters and points.

use super::family::Family;
use crate::compare::{Miss, Tolerance, elements, within};
use crate::conventions::Skipped;
use crate::report::{Verdict, Worst, has_double};
use probpipe::{Array, DType, Device, grad, jit_on};
use probpipe_testing::reference::{number, numbers};
use probpipe_testing::ulp;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Inverses of the two functions of the distribution, by the names that cases give them.
const INVERSES: [&str; 2] = ["icdf", "isf"];

/// Results by the name of what they are.
type Results<T> = BTreeMap<String, T>;

/// Parameters, points, probabilities of less and of more.
type Operands = (Vec<Array>, Array, Array, Array);

/// All that the family can say, with the slopes of the density at each point.
fn evaluate(family: &Family, (p, x, q, upper): Operands) -> Results<Array> {
    let mut results = Results::new();
    let mut put = |name: &str, array: Option<Array>| {
        if let Some(array) = array {
            results.insert(name.to_string(), array);
        }
    };
    put("log_prob", Some((family.log_prob)(&p, &x)));
    // One copy of a parameter for each point gives one derivative for each.
    let spread: Vec<Array> = p.iter().map(|p| p.broadcast_to(x.shape())).collect();
    let total = |(p, x): (Vec<Array>, Array)| (family.log_prob)(&p, &x).sum();
    let (slopes, slope) = grad(total)((spread, x.clone()));
    for (name, slope) in family.parameters.iter().zip(slopes) {
        put(&format!("grad {name}"), Some(slope));
    }
    put("grad_x", Some(slope));
    put("cdf", (family.cdf)(&p, &x));
    put("survival", (family.survival)(&p, &x));
    put("log_cdf", (family.log_cdf)(&p, &x));
    put("log_survival", (family.log_survival)(&p, &x));
    put("icdf", (family.quantile)(&p, &q));
    put("isf", (family.upper_quantile)(&p, &upper));
    put("mean", (family.mean)(&p));
    put("variance", (family.variance)(&p));
    put("entropy", (family.entropy)(&p));
    put("mode", (family.mode)(&p));
    results
}

/// The results as numbers.
fn read(results: Results<Array>) -> Result<Results<Vec<f64>>, Miss> {
    let floats = |(name, array): (String, Array)| {
        let floats = elements(&array)?.iter().map(|s| s.as_f64()).collect();
        Ok((name, floats))
    };
    results.into_iter().map(floats).collect()
}

/// What the case asks for, by the names of [`evaluate`]; NaN where it is not to be compared.
fn wanted(case: &Json) -> Results<Vec<f64>> {
    let mut wanted = Results::new();
    let inside = |i: usize| case["region"][i] == "in";
    let slopes = |json: &Json| {
        let mut list = numbers(json);
        list.iter_mut().enumerate().filter(|(i, _)| !inside(*i)).for_each(|(_, v)| *v = f64::NAN);
        list
    };
    wanted.insert("log_prob".to_string(), numbers(&case["log_prob"]));
    for name in ["cdf", "survival", "log_cdf", "log_survival"] {
        if let Some(list) = case.get(name) {
            wanted.insert(name.to_string(), numbers(list));
        }
    }
    if case.get("grad_x").is_some() {
        wanted.insert("grad_x".to_string(), slopes(&case["grad_x"]));
    }
    for (name, list) in case["grad_params"].as_object().into_iter().flatten() {
        // Derivatives in a count are those of a formula.
        if !matches!(&name[..], "total_count" | "n") {
            wanted.insert(format!("grad {name}"), slopes(list));
        }
    }
    for name in INVERSES {
        if let Some(inverse) = case.get(name) {
            wanted.insert(name.to_string(), numbers(&inverse["x"]));
        }
    }
    for name in ["mean", "variance", "entropy", "mode"] {
        if let Some(moment) = case.get(name) {
            wanted.insert(name.to_string(), vec![number(moment)]);
        }
    }
    wanted
}

/// The tolerance of a result in `f64`. Moments that two libraries do not agree on are those of one
/// that a quadrature confirmed: no more than 7 of its digits hold.
fn tolerance(case: &Json, name: &str) -> Tolerance {
    let source = case[format!("{name}_source")].as_str().unwrap_or_default();
    match name {
        "log_prob" | "cdf" | "survival" => within(1e-11, 1e-11),
        "mean" | "variance" | "entropy" if source.contains("quadrature") => within(1e-7, 1e-7),
        "icdf" | "isf" | "mean" | "variance" | "entropy" | "mode" => within(1e-8, 1e-14),
        _ => within(1e-9, 1e-9),
    }
}

/// Misses so far, and the largest error of a density in units of the last place.
struct Comparison {
    dtype: DType,
    misses: Vec<String>,
    worst: f64,
}

impl Comparison {
    fn compare(&mut self, what: &str, have: f64, want: f64, limit: Tolerance) {
        if !limit.accepts(have, want, 1.0) {
            self.misses.push(format!("{} {what}: {have} instead of {want}", self.dtype));
        } else if have.is_finite() && what.starts_with("log_prob") {
            let error = (have - want).abs() / (ulp(1.0, self.dtype) * want.abs().max(1.0));
            self.worst = self.worst.max(error);
        }
    }
}

/// Why a finite result of ours is not compared.
const NO_NUMBER: &str = "the reference has no number for a moment, or for a slope at an atom";

/// Runs one case in both float types.
pub(super) fn run(family: &Family, case: &Json, device: Device, skipped: &mut Skipped) -> Verdict {
    match check(family, case, device, skipped) {
        Ok(verdict) => verdict,
        Err(miss) => miss.into(),
    }
}

fn check(
    family: &Family,
    case: &Json,
    device: Device,
    skipped: &mut Skipped,
) -> Result<Verdict, Miss> {
    let scalar = |name: &&str| Array::from_slice(&[number(&case["params"][*name])], [0usize; 0]);
    let list = |json: &Json| {
        let list = numbers(json);
        Array::from_slice(&list, [list.len()])
    };
    let parameters: Vec<Array> = family.parameters.iter().map(scalar).collect();
    let [q, upper] = INVERSES.map(|name| list(&case[name]["q"]));
    let exact = (parameters, list(&case["x"]), q, upper);
    let narrow = cast(&exact, DType::F32);
    let rounded = cast(&narrow, DType::F64);

    let compiled = jit_on(device, |operands: Operands| evaluate(family, operands));
    let wide_device = if has_double(device) { device } else { Device::Interpreter };
    let reference = jit_on(wide_device, |operands: Operands| evaluate(family, operands));
    let mut worst = Worst::default();
    let mut misses = Vec::new();
    let mut lacking = None;
    let wanted = wanted(case);
    let x = numbers(&case["x"]);
    {
        let have = read(reference(exact))?;
        let mut comparison = Comparison { dtype: DType::F64, misses: Vec::new(), worst: 0.0 };
        for (name, want) in &wanted {
            let Some(have) = have.get(name) else {
                lacking.get_or_insert(format!("{} {name}", family.name));
                continue;
            };
            let per_point = want.len() == x.len() && !INVERSES.contains(&&name[..]);
            for (i, (&have, &want)) in have.iter().zip(want).enumerate() {
                let region = case["region"][i].as_str().filter(|_| per_point);
                let place = if per_point { format!("{name} at {}", x[i]) } else { name.clone() };
                if name.starts_with("grad") && region != Some("in") {
                    // Outside a slope has no meaning, but must not spoil sums.
                    if region == Some("out") && !have.is_finite() {
                        comparison.misses.push(format!("{place}: {have} outside the support"));
                    }
                } else if want.is_nan() && have.is_finite() {
                    *skipped.entry(NO_NUMBER).or_default() += 1;
                } else if region == Some("boundary") && have == f64::NEG_INFINITY {
                    // The end of a support may belong to it or not.
                } else {
                    comparison.compare(&place, have, want, tolerance(case, name));
                }
            }
        }
        complement(&mut comparison, &have, &x);
        worst = worst.and(Worst::of(false, comparison.worst));
        misses.extend(comparison.misses);
    }
    let (have, want) = (read(compiled(narrow))?, read(reference(rounded))?);
    let mut comparison = Comparison { dtype: DType::F32, misses: Vec::new(), worst: 0.0 };
    for (name, want) in want.iter().filter(|(name, _)| wanted.contains_key(*name)) {
        for (i, (&have, &want)) in have[name].iter().zip(want).enumerate() {
            // Beyond the range of the type there is nothing to compare, nor are slopes at an end,
            // on either side of which a number may be rounded.
            let inside = !name.starts_with("grad") || case["region"][i] == "in";
            if !inside || !want.is_finite() || want.abs() > f64::from(f32::MAX) {
                continue;
            }
            let size = numbers(&case["log_prob"]).get(i).map_or(0.0, |v| v.abs());
            let absolute = 2e-5 * (1.0 + if size.is_finite() { size } else { 0.0 });
            comparison.compare(&format!("{name}[{i}]"), have, want, within(2e-5, absolute));
        }
    }
    worst = worst.and(Worst::of(true, comparison.worst));
    misses.extend(comparison.misses);
    if !misses.is_empty() {
        misses.truncate(6);
        return Err(Miss::Wrong(misses.join("; ")));
    }
    Ok(match lacking {
        Some(what) => Verdict::NoRule(what),
        None => Verdict::Passed(worst),
    })
}

/// That the functions of the distribution agree: survival is what the other side leaves, and the
/// logarithms are those of them where they are not lost.
fn complement(comparison: &mut Comparison, have: &Results<Vec<f64>>, x: &[f64]) {
    let (Some(cdf), Some(survival)) = (have.get("cdf"), have.get("survival")) else { return };
    let logs = [("log_cdf", cdf), ("log_survival", survival)];
    for (i, x) in x.iter().enumerate() {
        let rest = format!("survival at {x}");
        comparison.compare(&rest, survival[i], 1.0 - cdf[i], within(1e-11, 1e-11));
        for (name, plain) in logs {
            if plain[i] > f64::MIN_POSITIVE {
                let log = have[name][i].exp();
                comparison.compare(&format!("{name} at {x}"), log, plain[i], within(1e-11, 0.0));
            }
        }
    }
}

fn cast((p, x, q, upper): &Operands, dtype: DType) -> Operands {
    (p.iter().map(|p| p.cast(dtype)).collect(), x.cast(dtype), q.cast(dtype), upper.cast(dtype))
}
