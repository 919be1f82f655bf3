//! Means, standard deviations and quantiles of all draws together, whatever chain they are of.

use super::draws::{Chains, Draws, probability};
use super::sums;
use probpipe_trace::{Array, Result};

/// The mean of all draws `[chains, draws, ...]`, as an `f64` array `[...]`.
///
/// ```
/// use probpipe::diagnostics::{mean, quantiles, sd};
/// use probpipe::prelude::*;
/// let draws = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(mean(&draws)?.item::<f64>()?, 3.5);
/// assert_eq!(sd(&draws)?.item::<f64>()?, 3.5f64.sqrt());
/// assert_eq!(quantiles(&draws, &[0.1, 0.5])?.to_vec::<f64>()?, [1.5, 3.5]);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed.
#[track_caller]
pub fn mean(draws: &Array) -> Result<Array> {
    Ok(Draws::read("mean", draws)?.number(|chains| sums::mean(&chains.values)))
}

/// The standard deviation of all draws `[chains, draws, ...]`, as an `f64` array `[...]`:
/// `sqrt(sum_i (x_i - mean)^2 / (n - 1))`.
///
/// # Errors
/// As [`mean`].
#[track_caller]
pub fn sd(draws: &Array) -> Result<Array> {
    Ok(Draws::read("sd", draws)?.number(|chains| sums::variance(&chains.values, 1.0).sqrt()))
}

/// Quantiles of all draws `[chains, draws, ...]`, as an `f64` array `[probabilities, ...]`. Between
/// two draws they are interpolated: the quantile at `p` of `n` draws in order lies at place
/// `p (n - 1)`, counted from zero (Hyndman and Fan 1996, type 7). NaN where a draw is.
///
/// # Errors
/// As [`mean`]; a probability outside of 0 to 1.
#[track_caller]
pub fn quantiles(draws: &Array, probabilities: &[f64]) -> Result<Array> {
    for &p in probabilities {
        probability("`quantiles`", p)?;
    }
    let all = |chains: &Chains| {
        let sorted = sorted(&chains.values);
        probabilities.iter().map(|&p| quantile(&sorted, p)).collect()
    };
    Ok(Draws::read("quantiles", draws)?.numbers_first([probabilities.len()], all))
}

/// The values in order, NaN at an end.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The quantile of values in order.
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let [first, .., last] = sorted else { return sorted.first().copied().unwrap_or(f64::NAN) };
    if first.is_nan() || last.is_nan() {
        return f64::NAN;
    }
    // Which side of the quantile a draw is on that lies there but for rounding is decided by the
    // order of these operations, which is SciPy's: sizes of such counts then agree with ArviZ's.
    let n = sorted.len() as f64;
    let place = n * p + (1.0 - p);
    let at = place.clamp(1.0, n - 1.0).floor();
    let part = (place - at).clamp(0.0, 1.0);
    let (low, high) = (sorted[at as usize - 1], sorted[at as usize]);
    // Infinite draws and equal ones are what they are.
    match part {
        0.0 => low,
        1.0 => high,
        _ if low == high => low,
        _ => (1.0 - part) * low + part * high,
    }
}

/// The quantile at one half.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}
