//! Comparison of results with reference values, at tolerances that the callers state.

use crate::golden::{extents, scalars};
use probpipe::{Array, DType, Scalar};
use serde_json::Value as Json;

/// `|have - want| <= atol + rtol |want|`; NaN matches NaN.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Relative to the reference value.
    pub rtol: f64,
    /// Absolute.
    pub atol: f64,
}

/// Equal numbers; zeros of either sign are equal.
pub const EXACT: Tolerance = Tolerance { rtol: 0.0, atol: 0.0 };

/// A tolerance with both parts.
pub const fn within(rtol: f64, atol: f64) -> Tolerance {
    Tolerance { rtol, atol }
}

impl Tolerance {
    fn accepts(self, have: f64, want: f64) -> bool {
        have == want
            || have.is_nan() && want.is_nan()
            || want.is_finite() && (have - want).abs() <= self.atol + self.rtol * want.abs()
    }
}

/// The elements of a result.
pub fn elements(array: &Array) -> Result<Vec<Scalar>, String> {
    array.value().and_then(|v| v.to_scalars()).map_err(|e| e.to_string())
}

/// Compares a result with an array object: shape, then every element, floats at `tolerance`,
/// others exactly. `skip` says which elements are not compared. Gives the largest error in units
/// of the last place of `max(1, |value|)`.
pub fn array(
    what: &str,
    have: &Array,
    want: &Json,
    tolerance: Tolerance,
    skip: &dyn Fn(usize, f64) -> bool,
) -> Result<f64, String> {
    let values = elements(have).map_err(|e| format!("{what}: {e}"))?;
    let reference = scalars(want).ok_or(format!("{what}: unreadable reference"))?;
    let shape = extents(&want["shape"]);
    if have.shape() != &shape[..] {
        return Err(format!("{what}: shape {:?} instead of {shape:?}", have.shape()));
    }
    let epsilon = if have.dtype() == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let mut worst = 0.0f64;
    for (i, (a, b)) in values.iter().zip(&reference).enumerate() {
        let (x, y) = (a.as_f64(), b.as_f64());
        if skip(i, y) {
            continue;
        }
        let good = match (a, b) {
            (Scalar::Float(_), _) | (_, Scalar::Float(_)) => tolerance.accepts(x, y),
            _ => a.as_i128() == b.as_i128(),
        };
        if !good {
            return Err(format!("{what}[{i}]: {a} instead of {b}"));
        }
        if x.is_finite() && y.is_finite() {
            worst = worst.max((x - y).abs() / (epsilon * y.abs().max(1.0)));
        }
    }
    Ok(worst)
}
