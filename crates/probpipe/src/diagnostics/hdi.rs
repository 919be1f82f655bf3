//! Highest-density intervals.

use super::draws::{Draws, probability};
use super::moments::sorted;
use probpipe_trace::{Array, Result};

/// The narrowest interval that holds a part `probability` of all draws `[chains, draws, ...]`: its
/// ends, as an `f64` array `[..., 2]`. Of the draws in order it is the pair `x_i`, `x_(i + m)` with
/// the least distance, where `m` is `probability` times the number of draws, rounded down (Chen and
/// Shao 1999). Of a density with several peaks it is still one interval. NaN where a draw is.
///
/// ```
/// use probpipe::diagnostics::hdi;
/// use probpipe::prelude::*;
/// let draws = array([[0.0, 9.0, 1.0, 1.5], [2.0, 1.2, 1.4, 8.0]]);
/// assert_eq!(hdi(&draws, 0.5)?.cast(DType::F32).to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed; a probability outside of 0 to 1.
#[track_caller]
pub fn hdi(draws: &Array, probability: f64) -> Result<Array> {
    self::probability("`hdi`", probability)?;
    let ends = |values: &[f64]| interval(&sorted(values), probability);
    Ok(Draws::read("hdi", draws)?.numbers([2], |chains, into| into.extend(ends(&chains.values))))
}

/// The ends of the narrowest interval of values in order.
pub(super) fn interval(sorted: &[f64], probability: f64) -> [f64; 2] {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return [f64::NAN; 2] };
    if first.is_nan() || last.is_nan() {
        return [f64::NAN; 2];
    }
    let inside = ((probability * sorted.len() as f64) as usize).min(sorted.len() - 1);
    let mut best = (f64::INFINITY, [*first, sorted[inside]]);
    for (&low, &high) in sorted.iter().zip(&sorted[inside..]) {
        if high - low < best.0 {
            best = (high - low, [low, high]);
        }
    }
    best.1
}
