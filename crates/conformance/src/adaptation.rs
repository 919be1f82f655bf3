//! What warm-ups go by: the search for a step size, and the moments of a stream, each as a program
//! over the whole stream.

use crate::compare::{Tolerance, array, within};
use crate::report::{Verdict, Worst, has_double};
use probpipe::inference::adapt::{DualAveraging, Moments};
use probpipe::{Array, DType, Device, jit_on, scan, stack, with_default_float, zeros};
use probpipe_testing::reference;
use serde_json::{Value as Json, json};

/// A result, and what it should be.
type Check = (&'static str, Array, Json);

/// Runs one case in both float types.
pub fn run(case: &Json, device: Device) -> Verdict {
    let kind = case["kind"].as_str().unwrap_or("?");
    for float in [DType::F64, DType::F32] {
        if float == DType::F64 && !has_double(device) {
            continue;
        }
        let checks = with_default_float(float, || match kind {
            "dual_averaging" => step_sizes(case, float, device),
            "welford" => moments(case, float, device),
            _ => None,
        });
        let Some(checks) = checks else { return Verdict::NoRule(kind.to_string()) };
        for (field, have, want) in checks {
            let tolerance = rounding(float);
            if let Err(miss) = array(field, &have, &want, None, tolerance, &|_, _| false) {
                return miss.into();
            }
        }
    }
    Verdict::Passed(Worst::default())
}

/// What rounding makes of a few dozen updates.
fn rounding(float: DType) -> Tolerance {
    if float == DType::F32 { within(2e-6, 2e-6) } else { within(1e-13, 1e-14) }
}

fn scalar(json: &Json) -> Json {
    json!({"dtype": "f64", "shape": [], "data": [json]})
}

fn step_sizes(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    // The figures of the search are no parameters.
    let wanted = json!({"t0": 10, "gamma": 0.05, "kappa": 0.75, "mu": "log(10*init)"});
    if case["hyper"] != wanted {
        return None;
    }
    let acceptance = reference::array(&case["acceptance"], Some(float))?;
    let (first, target) = (case["init_step_size"].as_f64()?, case["target"].as_f64()?);
    let search = |acceptance: Array| {
        let start = DualAveraging::new(Array::from(first).cast(float));
        scan(start, acceptance, |search, acceptance| {
            let next = search.update(&acceptance, target);
            let row = stack(&[&next.log_step_size, &next.log_average, &next.error], 0);
            (next, row)
        })
    };
    let (end, rows) = jit_on(device, search)(acceptance);
    Some(vec![
        ("trace", rows, case["trace"].clone()),
        ("final_step_size", end.average(), scalar(&case["final_step_size"])),
    ])
}

fn moments(case: &Json, float: DType, device: Device) -> Option<Vec<Check>> {
    let x = reference::array(&case["x"], Some(float))?;
    let like = zeros([x.shape()[1]]);
    let nothing = match case["covariance"]["shape"].as_array()?.len() {
        1 => Moments::diagonal(&like),
        _ => Moments::dense(&like),
    };
    let stream = |x: Array| {
        let seen = scan(nothing.clone(), x, |seen, x| (seen.with(&x), ())).0;
        (seen.mean.clone(), seen.covariance(), seen.count)
    };
    let (mean, covariance, count) = jit_on(device, stream)(x);
    Some(vec![
        ("mean", mean, case["mean"].clone()),
        ("covariance", covariance, case["covariance"].clone()),
        ("count", count, scalar(&case["count"])),
    ])
}
