//! Comparison of results with reference values, at tolerances that the callers state.

use probpipe::{Array, DType, ErrorKind, Scalar};
use probpipe_testing::reference::{extents, scalars};
pub use probpipe_testing::{EXACT, Tolerance};
use serde_json::Value as Json;

/// A tolerance with both parts.
pub const fn within(rtol: f64, atol: f64) -> Tolerance {
    Tolerance::within(rtol, atol)
}

/// Why a case did not pass.
#[derive(Clone, Debug)]
pub enum Miss {
    /// A wrong result, and where.
    Wrong(String),
    /// The device has no code for it.
    NotLowered(String),
}

impl From<String> for Miss {
    fn from(why: String) -> Miss {
        Miss::Wrong(why)
    }
}

impl From<&str> for Miss {
    fn from(why: &str) -> Miss {
        Miss::Wrong(why.to_string())
    }
}

/// The elements of a result.
pub fn elements(array: &Array) -> Result<Vec<Scalar>, Miss> {
    array.value().and_then(|v| v.to_scalars()).map_err(|error| match error.kind() {
        ErrorKind::Backend => Miss::NotLowered(lacking(error.message())),
        _ => Miss::Wrong(error.to_string()),
    })
}

/// What a device lacks, by its refusal: `i64`, or `scatter_add`.
fn lacking(message: &str) -> String {
    let short = message.split_once(':').map_or(message, |(short, _)| short);
    let what = short.split_once(" has no ").or_else(|| short.split_once(" does not run "));
    what.map_or(short, |(_, what)| what).replace('`', "")
}

/// The unit of the last place of 1 in the narrower of two types, which is what a difference of
/// such values is measured by.
fn epsilon(have: DType, want: &Json) -> f64 {
    let narrow = have == DType::F32 || want["dtype"] == "f32";
    if narrow { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// Compares a result with an array object: shape, then every element, floats at `tolerance`,
/// others exactly. An `f32` result may also be that close to `exact`, the reference's `f64` result
/// for the same operands, which is nearer to the truth. `skip` says which elements are not
/// compared. Gives the largest error in units of the last place of `max(1, |value|)`.
pub fn array(
    what: &str,
    have: &Array,
    want: &Json,
    exact: Option<&Json>,
    tolerance: Tolerance,
    skip: &dyn Fn(usize, f64) -> bool,
) -> Result<f64, Miss> {
    let values = elements(have)?;
    let reference = scalars(want).ok_or(format!("{what}: unreadable reference"))?;
    let shape = extents(&want["shape"]);
    if have.shape() != &shape[..] {
        return Err(format!("{what}: shape {:?} instead of {shape:?}", have.shape()).into());
    }
    let truth = exact.filter(|_| tolerance.relative > 0.0).and_then(scalars);
    let epsilon = epsilon(have.dtype(), want);
    let mut worst = 0.0f64;
    for (i, (a, b)) in values.iter().zip(&reference).enumerate() {
        let (x, y) = (a.as_f64(), b.as_f64());
        if skip(i, y) {
            continue;
        }
        let truth = truth.as_ref().and_then(|t| t.get(i)).map(|t| t.as_f64());
        let good = match (a, b) {
            (Scalar::Float(_), _) | (_, Scalar::Float(_)) => {
                tolerance.accepts(x, y, 1.0) || truth.is_some_and(|t| tolerance.accepts(x, t, 1.0))
            }
            _ => a.as_i128() == b.as_i128(),
        };
        if !good {
            return Err(format!("{what}[{i}]: {a} instead of {b}").into());
        }
        let y = truth.filter(|t| t.abs() <= f64::from(f32::MAX)).unwrap_or(y);
        if x.is_finite() && y.is_finite() {
            worst = worst.max((x - y).abs() / (epsilon * y.abs().max(1.0)));
        }
    }
    Ok(worst)
}
