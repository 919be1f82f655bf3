//! Pareto-smoothed importance sampling: the largest weights replaced by what a generalised Pareto
//! distribution fitted to them says, and its shape, which tells whether the weights can be trusted.

use super::draws::floats;
use super::moments::sorted;
use super::sums::{log_sum_exp, sum};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// What [`psis`] gives.
#[derive(Clone, Debug)]
pub struct Psis {
    /// The smoothed log weights, of the shape of those given, `f64`; their exponentials sum to 1
    /// over the first axis.
    pub log_weights: Array,
    /// The shape of the tail, an `f64` array of the extents behind the first axis. Below
    /// `min(1 - 1 / log10(S), 0.7)`, with `S` draws, the weights can be trusted. Infinite where
    /// there are too few large weights to tell.
    pub pareto_k: Array,
}

/// Smooths importance weights, given as logarithms `[draws, ...]`, up to a factor: those of draws
/// from one distribution for expectations under another. Further axes hold further sets of weights.
///
/// The `min(S / 5, 3 sqrt(S))` largest of `S` weights become the quantiles of a generalised Pareto
/// distribution at `(j - 1/2) / M`, but none becomes larger than the largest was. The distribution
/// is fitted to what they exceed the others by (J. Zhang and M. A. Stephens, "A new and efficient
/// estimation method for the generalized Pareto distribution", Technometrics 51 (2009)), with a
/// prior for its shape of the weight of ten observations at one half.
///
/// A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, "Pareto smoothed importance sampling",
/// Journal of Machine Learning Research 25 (2024).
///
/// ```
/// use probpipe::diagnostics::psis;
/// use probpipe::prelude::*;
/// // From a normal distribution to one that is a little narrower.
/// let draws = normal(Key::new(0), [1000]);
/// let weights = Normal::new(0.0, 0.8).log_prob(&draws) - Normal::new(0.0, 1.0).log_prob(&draws);
/// let smooth = psis(&weights)?;
/// assert!(smooth.pareto_k.item::<f64>()? < 0.5);
/// let mean = (smooth.log_weights.exp() * draws.cast(DType::F64)).sum().item::<f64>()?;
/// assert!(mean.abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Weights that are not floats, that have no axis or no elements, or that a trace has not computed.
#[track_caller]
pub fn psis(log_weights: &Array) -> Result<Psis> {
    psis_with(log_weights, 1.0)
}

/// [`psis`] of draws that depend on each other: `relative_efficiency` is their effective sample
/// size over their number, and more weights are smoothed where it is small, `3 sqrt(S / r)`.
///
/// # Errors
/// As [`psis`]; an efficiency that is not positive.
#[track_caller]
pub fn psis_with(log_weights: &Array, relative_efficiency: f64) -> Result<Psis> {
    efficiency("psis", relative_efficiency)?;
    let value = log_weights.value()?;
    let ty = value.ty();
    let location = here();
    let refuse = |kind, message: String, help: &str| {
        let error = Error::new(kind, message).at(location);
        Err(error.note("the weights were made", Some(log_weights.location())).help(help))
    };
    if !ty.dtype.is_float() {
        let message = format!("`psis` takes log weights that are floats, not {ty}");
        return refuse(ErrorKind::DType, message, "convert them with `.cast(DType::F64)`");
    }
    let [draws @ (1..), ref shape @ ..] = ty.shape[..] else {
        let message = format!("`psis` takes log weights of shape [draws, ...], not {ty}");
        return refuse(ErrorKind::Shape, message, "the first axis holds the draws of one set");
    };
    let mut data = floats(&value)?;
    let width: usize = shape.iter().product();
    let mut shapes = Vec::with_capacity(width);
    for at in 0..width {
        let mut column: Vec<f64> = data[at..].iter().step_by(width).copied().collect();
        shapes.push(smooth(&mut column, relative_efficiency));
        for (i, x) in column.into_iter().enumerate() {
            data[i * width + at] = x;
        }
    }
    Ok(Psis {
        log_weights: Array::from_slice(&data, [&[draws], shape].concat()),
        pareto_k: Array::from_slice(&shapes, shape),
    })
}

/// Refuses what is no relative efficiency.
#[track_caller]
pub(super) fn efficiency(what: &str, r: f64) -> Result<()> {
    if r > 0.0 && r.is_finite() {
        return Ok(());
    }
    let message = format!("`{what}` takes a positive relative efficiency, not {r}");
    let help = "it is the effective sample size over the number of draws: see `ess`";
    Err(Error::new(ErrorKind::Value, message).at(here()).help(help))
}

/// Smooths log weights in place and normalises them; gives the shape of their tail.
pub(super) fn smooth(log_weights: &mut [f64], relative_efficiency: f64) -> f64 {
    let n = log_weights.len();
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() || log_weights.iter().any(|x| x.is_nan()) {
        log_weights.fill(f64::NAN);
        return f64::NAN;
    }
    for x in log_weights.iter_mut() {
        *x -= largest;
    }
    let shape = smooth_tail(log_weights, (n as f64 / relative_efficiency).sqrt() * 3.0);
    let total = log_sum_exp(log_weights);
    for x in log_weights.iter_mut() {
        *x -= total;
    }
    shape
}

/// Smooths the largest of log weights, of which the very largest is zero.
fn smooth_tail(log_weights: &mut [f64], most: f64) -> f64 {
    /// With fewer the shape cannot be told.
    const LEAST: usize = 5;
    let n = log_weights.len();
    let count = (n as f64 / 5.0).min(most).ceil() as usize;
    if count >= n {
        return f64::INFINITY;
    }
    // The largest weight that is not smoothed, if it is above zero.
    let cutoff = sorted(log_weights)[n - 1 - count].max(f64::MIN_POSITIVE.ln());
    let mut tail: Vec<(f64, usize)> =
        log_weights.iter().copied().zip(0..).filter(|&(x, _)| x > cutoff).collect();
    if tail.len() < LEAST {
        return f64::INFINITY;
    }
    tail.sort_by(|a, b| a.0.total_cmp(&b.0));
    let below = cutoff.exp();
    let excess: Vec<f64> = tail.iter().map(|(x, _)| x.exp() - below).collect();
    let (shape, scale) = generalised_pareto(&excess);
    if !(shape.is_finite() && scale.is_finite() && scale > 0.0) {
        return f64::INFINITY;
    }
    for (j, &(_, at)) in tail.iter().enumerate() {
        let log_above = (-(j as f64 + 0.5) / tail.len() as f64).ln_1p();
        let quantile = if shape.abs() < f64::EPSILON {
            -log_above
        } else {
            (-shape * log_above).exp_m1() / shape
        };
        log_weights[at] = (quantile * scale + below).ln().min(0.0);
    }
    shape
}

/// The shape and scale of the generalised Pareto distribution of excesses in ascending order: the
/// mean of the posterior of `theta = -shape / scale` over a grid of the profile likelihood, and the
/// shape that goes with it.
fn generalised_pareto(excess: &[f64]) -> (f64, f64) {
    const PRIOR_WEIGHT: f64 = 10.0;
    const PRIOR_SHAPE: f64 = 0.5;
    let n = excess.len() as f64;
    let quartile = excess[((n / 4.0 + 0.5) as usize).max(1) - 1];
    let points = 30 + n.sqrt() as usize;
    let shape_at = |theta: f64| sum(excess, |x| (-theta * x).ln_1p()) / n;
    let grid = (1..=points).map(|j| {
        let root = (points as f64 / (j as f64 - 0.5)).sqrt();
        1.0 / excess[excess.len() - 1] + (1.0 - root) / (3.0 * quartile)
    });
    let candidates: Vec<(f64, f64)> = grid
        .map(|theta| {
            let shape = shape_at(theta);
            (theta, n * ((-theta / shape).ln() - shape - 1.0))
        })
        .collect();
    let likelihoods: Vec<f64> = candidates.iter().map(|c| c.1).collect();
    let total = log_sum_exp(&likelihoods);
    let weights: Vec<f64> = likelihoods.iter().map(|l| (l - total).exp()).collect();
    // What the sum cannot tell from nothing is nothing.
    let counts = |w: &f64| *w >= 10.0 * f64::EPSILON;
    let kept: f64 = weights.iter().filter(|&w| counts(w)).sum();
    let pairs = candidates.iter().zip(&weights).filter(|(_, w)| counts(w));
    let theta = pairs.map(|((theta, _), w)| theta * w).sum::<f64>() / kept;
    let shape = shape_at(theta);
    let scale = -shape / theta;
    ((n * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT), scale)
}
