//! Means of uniform numbers.

use super::uniform::Uniform;
use crate::constraints::Constraint;
use crate::distributions::formulas::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Cdf, Distribution, LogProb, Moments, Sample, Support};
use probpipe_trace::{Array, Error, ErrorKind, Key, Shape, Tree, arange, here, select};

/// The most numbers of which densities keep within the range of `f32`.
const MOST: usize = 128;

/// The distribution of the mean of `total_count` independent uniform numbers (G. E. Bates, 1955).
///
/// Its sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::Bates;
/// use probpipe::prelude::*;
/// let two = Bates::new(2, 0.0, 4.0);
/// // a triangle
/// assert_eq!(two.prob(&array([1.0, 2.0, 5.0])).to_vec::<f32>()?, [0.25, 0.5, 0.0]);
/// assert_eq!(two.cdf(&array(1.0)).item::<f32>()?, 0.125);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Bates {
    #[tree(static)]
    total_count: usize,
    each: Uniform,
}

impl Bates {
    /// From how many numbers there are, 1 to 128, and between what ends they lie. Other counts, or
    /// ends that are known and not in order, make it invalid.
    #[track_caller]
    pub fn new(total_count: usize, low: impl Into<Array>, high: impl Into<Array>) -> Bates {
        let low = match total_count {
            1..=MOST => low.into(),
            n => Array::invalid(
                Error::new(ErrorKind::Value, format!("a Bates takes 1 to {MOST} numbers, not {n}"))
                    .help("a mean of more is normal but for its far tails"),
                here(),
            ),
        };
        Bates { total_count, each: Uniform::new(low, high) }
    }

    /// How many numbers there are.
    pub fn total_count(&self) -> usize {
        self.total_count
    }

    /// The lower end.
    pub fn low(&self) -> &Array {
        self.each.low()
    }

    /// The upper end.
    pub fn high(&self) -> &Array {
        self.each.high()
    }

    /// The sum of numbers from 0 to 1 that `x` stands for, and what it lacks to the largest one.
    #[track_caller]
    fn sums(&self, x: &Array) -> [Array; 2] {
        let (low, high) = (self.low(), self.high());
        let scale = (high - low) / self.total_count as f64;
        [(x - low) / &scale, (high - x) / scale]
    }

    /// A function of the distribution from the logarithm of its lower tail at the nearer end, which
    /// is exact.
    #[track_caller]
    fn tail(&self, x: &Array, ends: [f64; 2], upper: bool, f: fn(Array, &Array) -> Array) -> Array {
        if let Some(error) = self.low().error().or(self.high().error()) {
            return Array::invalid(error.clone(), here());
        }
        let seen = Seen::by_cdf(&self.support(), x);
        let [below, above] = self.sums(&seen.at);
        // Of equal ones the slope is that of one side.
        let low = below.le(&above);
        let tail = log_spline(&select(&low, below, above), self.total_count, true);
        let near = if upper { !low } else { low };
        seen.cdf(x, ends, f(tail, &near))
    }
}

/// The logarithm of the density of the sum of `n` uniform numbers from 0 to 1 at `z`, or of its
/// distribution function, for `z <= n / 2`.
///
/// By the recursion of splines (C. de Boor, "On calculating with B-splines", 1972), whose terms are
/// positive, of numbers whose densities are tilted by `exp(-t u)` so that `z` is near the mean of
/// their sum: so values keep within the range of numbers.
#[track_caller]
fn log_spline(z: &Array, n: usize, tail: bool) -> Array {
    let zero = z.le(0.0);
    let z = &select(&zero, n as f64 / 4.0, z);
    // The distribution function is the sum of the next spline here and all whole steps below.
    let (level, mut size) = if tail { (n + 1, 2 * n + 1) } else { (n, n) };
    let mean = (z / n as f64).stop_gradient().maximum(1e-30).minimum(0.5);
    let tilt = (1.0 - &mean * 2.0) * ((&mean * (1.0 - &mean)).recip() + &mean * 4.0);
    let flat = tilt.lt(1e-3);
    let tilt = select(&flat, 0.0, tilt);
    let some = select(&flat, 1.0, &tilt);
    let mass = select(&flat, 1.0, -(-&some).expm1() / &some).expand_dims(-1);
    let step = (-&tilt).exp().expand_dims(-1);
    let x = &(z.expand_dims(-1) - arange(size).cast(z.dtype()));
    let first = x.ge(0.0) & x.lt(1.0);
    let own = (-(select(&first, x, 0.0) * tilt.expand_dims(-1))).exp();
    let mut values = select(&first, own, 0.0);
    for k in 2..=level {
        size -= 1;
        let at = x.slice_axis(-1, 0..size);
        let here = &at * values.slice_axis(-1, 0..size);
        let below = (k as f64 - at) * values.slice_axis(-1, 1..size + 1) * &step;
        values = (here + below) / (&mass * (k as f64 - 1.0));
    }
    let shifts = (-(arange(size).cast(z.dtype()) * tilt.expand_dims(-1))).exp();
    let sum = (values * shifts).sum_axes([-1]);
    let value = sum.log() + tilt * z + mass.squeeze(-1).log() * (level as f64 - 1.0);
    let edge = if n == 1 && !tail { 0.0 } else { f64::NEG_INFINITY };
    select(&zero, edge, value)
}

impl Distribution for Bates {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.each.batch_shape()
    }

    fn event_shape(&self) -> Shape {
        Shape::new()
    }
}

impl Support for Bates {
    fn support(&self) -> Constraint {
        self.each.support()
    }
}

impl LogProb for Bates {
    fn log_prob(&self, x: &Array) -> Array {
        let each = self.each.log_prob(x);
        if each.error().is_some() {
            return each;
        }
        let seen = Seen::by_density(&self.support(), x);
        let [below, above] = self.sums(&seen.at);
        let n = self.total_count as f64;
        let width = (self.high() - self.low()).log() - n.ln();
        seen.density(x, log_spline(&below.minimum(above), self.total_count, false) - width)
    }
}

impl Sample for Bates {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let draws = self.each.sample_shape(key, join(&[self.total_count], &shape));
        if draws.error().is_some() { draws } else { draws.mean_axes([0]) }
    }
}

impl Cdf for Bates {
    fn cdf(&self, x: &Array) -> Array {
        self.tail(x, [0.0, 1.0], false, |log, near| select(near, log.exp(), -log.expm1()))
    }

    fn survival(&self, x: &Array) -> Array {
        self.tail(x, [1.0, 0.0], true, |log, near| select(near, log.exp(), -log.expm1()))
    }

    fn log_cdf(&self, x: &Array) -> Array {
        let log_of = |log: Array, near: &Array| select(near, &log, (-log.exp()).log1p());
        self.tail(x, [f64::NEG_INFINITY, 0.0], false, log_of)
    }

    fn log_survival(&self, x: &Array) -> Array {
        let log_of = |log: Array, near: &Array| select(near, &log, (-log.exp()).log1p());
        self.tail(x, [0.0, f64::NEG_INFINITY], true, log_of)
    }
}

impl Moments for Bates {
    fn mean(&self) -> Array {
        self.each.mean()
    }

    /// `(high - low)^2 / (12 n)`.
    fn variance(&self) -> Array {
        self.each.variance() / self.total_count as f64
    }
}
