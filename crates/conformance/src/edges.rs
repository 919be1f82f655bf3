//! Special functions next to their zeros and at the ends of the ranges of numbers, in ulp of the
//! value itself; `special` measures the middle of the ranges, and derivatives.

use crate::compare::{Miss, elements};
use crate::report::{Verdict, Worst, has_double};
use crate::special::{Function, arguments, find, point};
use probpipe::{Array, DType, Device, jit_on, with_default_float};
use probpipe_testing::reference::number;
use serde_json::Value as Json;

/// Functions that lose relative precision at zeros where they do not vanish by their form: sums of
/// logarithms that cancel, zeros between poles. Their unit is that of the value, or of what it
/// changes by where the arguments move by their own size, if that is larger.
const CONDITIONED: [&str; 4] = ["betaln", "digamma", "lgamma", "logaddexp"];

/// Most units in `f64` and in `f32`.
const LIMIT: f64 = 4.0;

fn conditioned(name: &str) -> bool {
    CONDITIONED.contains(&name)
}

/// The name of a case in the table: marked where arguments count.
pub fn title(name: &str) -> String {
    let mark = if conditioned(name) { " (conditioned)" } else { "" };
    format!("{name}{mark}")
}

/// Runs one function on all its points.
pub fn run(case: &Json, device: Device) -> Verdict {
    let name = case["fn"].as_str().unwrap_or("?");
    let Some((function, _)) = find(name) else { return Verdict::NoRule(name.to_string()) };
    let mut worst = Worst::default();
    for narrow in [false, true] {
        if !narrow && !has_double(device) {
            continue;
        }
        let dtype = if narrow { DType::F32 } else { DType::F64 };
        let run = || error(case, device, function, conditioned(name), narrow);
        match with_default_float(dtype, run) {
            Ok(error) => worst = worst.and(Worst::of(narrow, error)),
            Err(miss) => return miss.into(),
        }
    }
    Verdict::Passed(worst)
}

/// The largest error, if none is beyond the limit.
fn error(
    case: &Json,
    device: Device,
    function: Function,
    conditioned: bool,
    narrow: bool,
) -> Result<f64, Miss> {
    let (keep, x) = arguments(case, narrow);
    let out = jit_on(device, move |x: Vec<Array>| function(&x))(x);
    let dtype = if narrow { DType::F32 } else { DType::F64 };
    let mut worst = 0.0f64;
    let mut failure = None;
    for (have, &j) in elements(&out)?.iter().zip(&keep) {
        let (have, want) = (have.as_f64(), number(&case["value"][j]));
        let rounded = if narrow { f64::from(want as f32) } else { want };
        if have == rounded || flushed(have, want, narrow) {
            continue;
        }
        let size = match conditioned {
            true => want.abs().max(number(&case["cond"][j])),
            false => want.abs(),
        };
        let error = (have - want) - number(&case["value_lo"][j]);
        let error = error.abs() / probpipe_testing::ulp(size, dtype);
        if error > worst || error.is_nan() {
            worst = if error.is_nan() { f64::INFINITY } else { error };
            failure = Some((j, have, want));
        }
    }
    match failure {
        Some((j, have, want)) if worst > LIMIT => {
            let at = point(case, j);
            Err(format!("{dtype} at {at:?}: {have:e} instead of {want:e}, {worst:.2} ulp").into())
        }
        _ => Ok(worst),
    }
}

/// Whether a result below the normal range was taken for zero, as compiled programs may.
fn flushed(have: f64, want: f64, narrow: bool) -> bool {
    let least = if narrow { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    have == 0.0 && want.abs() < least
}
