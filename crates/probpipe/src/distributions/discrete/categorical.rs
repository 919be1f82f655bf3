//! The categorical distribution, by probabilities and by their logarithms up to a constant.

use super::masses::{divergence, divergence_of_logs};
use super::modes::category;
use super::steps::steps;
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::formulas::Seen;
use crate::distributions::{KlDivergence, LogProb};
use crate::random;
use probpipe_trace::{Array, DType, Key, Shape, arange, broadcast_shapes, select, uniform_of};

/// Sums of at most so many probabilities are compared one by one.
const FEW: usize = 32;

family! {
    /// The distribution on categories `0, 1, ..` with the probabilities `probs`.
    ///
    /// Its draws are `i32` and not differentiable. `probs` count as they are: their derivative is
    /// that in each alone. The mode is the first of the most probable categories.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Categorical;
    /// let colour = Categorical::new([0.5, 0.25, 0.25]);
    /// assert_eq!(colour.prob(&array([0, 1, 3])).to_vec::<f32>()?, [0.5, 0.25, 0.0]);
    /// assert_eq!(colour.sample(Key::new(0), [4]).shape(), [4]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Categorical::new {
        /// The probabilities, `[..., n]`.
        probs: Simplex,
    }
    on IntegerInterval(0, (last_category(probs))) {
        Sample { draw(key, shape) => by_sums(key, shape, probs) }
        Cdf {
            cdf(x) => steps(x, &last_category(probs), (0.0, 1.0), |k| share(probs, k, true)),
            survival(x) => steps(x, &last_category(probs), (1.0, 0.0), |k| share(probs, k, false)),
        }
        Quantile { quantile(q) => first_reached(&probs.cumsum(-1), q) }
        Mode { mode => category(probs) }
        Entropy { entropy => probs.entr().sum_axes([-1]) }
    }
}

impl LogProb for Categorical {
    fn log_prob(&self, x: &Array) -> Array {
        let [probs] = &self.checked();
        log_mass(&probs.log(), x)
    }
}

impl KlDivergence for Categorical {
    /// `sum p log(p / q)`. The probabilities count as they are.
    fn kl_divergence(&self, other: &Categorical) -> Array {
        let ([p], [q]) = (&self.checked(), &other.checked());
        (divergence(p, q) + (p - q)).sum_axes([-1])
    }
}

family! {
    /// The distribution on categories `0, 1, ..` with probabilities in proportion to
    /// `exp(logits)`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the first of the most probable
    /// categories.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Categorical;
    /// let colour = Categorical::from_logits([1000.0, 0.0]);
    /// assert_eq!(colour.log_prob(&array([0, 1])).to_vec::<f32>()?, [0.0, -1000.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    CategoricalLogits::new {
        /// The logarithms, `[..., n]`.
        logits: RealVector,
    }
    on IntegerInterval(0, (last_category(logits))) {
        Sample { draw(key, shape) => random::categorical(key, shape, logits) }
        Cdf {
            cdf(x) => {
                let probs = logits.softmax(-1);
                steps(x, &last_category(logits), (0.0, 1.0), |k| share(&probs, k, true))
            },
            survival(x) => {
                let probs = logits.softmax(-1);
                steps(x, &last_category(logits), (1.0, 0.0), |k| share(&probs, k, false))
            },
        }
        Quantile { quantile(q) => first_reached(&logits.softmax(-1).cumsum(-1), q) }
        Mode { mode => category(logits) }
        Entropy {
            entropy => {
                let log_probs = logits.log_softmax(-1);
                -(log_probs.exp() * &log_probs).sum_axes([-1])
            }
        }
    }
}

impl LogProb for CategoricalLogits {
    fn log_prob(&self, x: &Array) -> Array {
        let [logits] = &self.checked();
        log_mass(&logits.log_softmax(-1), x)
    }
}

impl KlDivergence for CategoricalLogits {
    fn kl_divergence(&self, other: &CategoricalLogits) -> Array {
        let ([a], [b]) = (&self.checked(), &other.checked());
        divergence_of_logs(&a.log_softmax(-1), &b.log_softmax(-1)).sum_axes([-1])
    }
}

impl Categorical {
    /// By logarithms of probabilities, up to a constant.
    #[track_caller]
    pub fn from_logits(logits: impl Into<Array>) -> CategoricalLogits {
        CategoricalLogits::new(logits)
    }
}

/// The probability of all categories up to one, or of those above it.
#[track_caller]
fn share(probs: &Array, k: &Array, below: bool) -> Array {
    if probs.error().is_some() {
        return probs + k;
    }
    let all = arange(probs.shape().last().copied().unwrap_or(0)).cast(k.dtype());
    let k = k.expand_dims(-1);
    let counted = if below { all.le(k) } else { all.gt(k) };
    select(&counted, probs, 0.0).sum_axes([-1])
}

/// The first category at which the sums of probabilities, `[..., n]`, reach a level; NaN of NaN.
#[track_caller]
pub(super) fn first_reached(sums: &Array, level: &Array) -> Array {
    if sums.error().is_some() {
        return sums + level;
    }
    let n = sums.shape().last().copied().unwrap_or(1);
    let level = level.stop_gradient();
    let short = sums.stop_gradient().slice_axis(-1, 0..n.max(1) - 1).lt(level.expand_dims(-1));
    let place = short.cast(sums.dtype()).sum_axes([-1]);
    select(&level.is_nan(), f64::NAN, place)
}

/// The entries of a table of logarithms, `-inf` where there is no such category. Integers are
/// compared as what they are.
#[track_caller]
fn log_mass(log_probs: &Array, x: &Array) -> Array {
    let support = Constraint::IntegerInterval(Array::from(0), last_category(log_probs));
    let x = &match x.dtype() {
        DType::Bool | DType::U8 => x.cast(DType::I32),
        DType::U32 => x.cast(DType::I64),
        _ => x.clone(),
    };
    let seen = Seen::by_density(&support, x);
    let value = entry(log_probs, &seen.at);
    if x.dtype().is_float() { seen.density(x, value) } else { seen.mass(value) }
}

/// Categories by inversion: how many of the sums of the first probabilities a uniform number
/// reaches, as NumPyro draws them. The sums are divided by the last one, so that rounding gives no
/// category a larger share, and none without probability is drawn.
#[track_caller]
fn by_sums(key: Key, shape: &Shape, probs: &Array) -> Array {
    let n = probs.shape().last().copied().unwrap_or(0);
    if probs.error().is_some() || n == 0 {
        return random::categorical(key, shape, probs);
    }
    let sums = probs.cumsum(-1);
    let ends = sums.slice_axis(-1, 0..n - 1) / sums.slice_axis(-1, n - 1..n);
    let u = uniform_of(probs.dtype(), key, shape);
    if n > FEW {
        return u.expand_dims(-1).ge(ends).cast(DType::I32).sum_axes([-1]);
    }
    let reached = |j: usize| u.ge(ends.at_axis(-1, j as isize)).cast(DType::I32);
    let none = u.lt(0.0).cast(DType::I32);
    (0..n - 1).map(reached).reduce(|sum, one| sum + one).unwrap_or(none)
}

/// The last of the categories that a vector has entries for.
#[track_caller]
fn last_category(vector: &Array) -> Array {
    Array::from(vector.shape().last().map_or(0, |&n| n as i64 - 1))
}

/// The entries of vectors `[..., n]` at places that broadcast with the other axes.
#[track_caller]
pub(super) fn entry(vectors: &Array, place: &Array) -> Array {
    let place = place.cast(DType::I32);
    if vectors.error().is_some() || place.error().is_some() {
        return vectors.sum_axes([-1]) + place;
    }
    let Some((&n, batch)) = vectors.shape().split_last() else { return vectors.clone() };
    if batch.is_empty() {
        return vectors.take(place, -1);
    }
    // Shapes that do not fit are refused where they are broadcast.
    let shape = broadcast_shapes(batch, place.shape()).unwrap_or_else(|| batch.into());
    let place = place.broadcast_to(&shape).expand_dims(-1);
    let whole = crate::distributions::shapes::join(&shape, &[n]);
    vectors.broadcast_to(whole).take_along_axis(place, -1).squeeze(-1)
}
