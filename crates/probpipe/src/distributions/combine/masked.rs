//! A distribution of which some copies do not count.

use super::points::kept;
use crate::constraints::Constraint;
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use probpipe_trace::{Array, Key, Shape, Tree, broadcast_shapes, select};

/// A distribution whose density does not count where a mask is `false`: missing observations. What
/// is observed there may be anything, also NaN, and has no part in any derivative.
///
/// ```
/// use probpipe::distributions::Masked;
/// use probpipe::prelude::*;
/// let n = Masked::new(Normal::new(0.0, 1.0), array([true, false]));
/// let density = n.log_prob(&array([0.0, f64::NAN]));
/// assert_eq!(density.at(1).item::<f32>()?, 0.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Masked<D> {
    base: D,
    mask: Array,
}

impl<D: Distribution<Value = Array>> Masked<D> {
    /// With a mask of `bool`, which broadcasts against the batch shape.
    pub fn new(base: D, mask: impl Into<Array>) -> Masked<D> {
        Masked { base, mask: mask.into() }
    }

    /// Where it counts.
    pub fn mask(&self) -> &Array {
        &self.mask
    }

    /// The distribution that is masked.
    pub fn base(&self) -> &D {
        &self.base
    }
}

impl<D: Distribution<Value = Array>> Distribution for Masked<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let batch = self.base.batch_shape();
        broadcast_shapes(&batch, self.mask.shape()).unwrap_or(batch)
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>> Support for Masked<D> {
    fn support(&self) -> Constraint {
        self.base.support()
    }
}

impl<D: LogProb<Value = Array> + Support> LogProb for Masked<D> {
    /// 0 where the mask is `false`.
    fn log_prob(&self, x: &Array) -> Array {
        let rank = self.base.event_shape().len();
        let seen = kept(&self.base.support(), x, &self.mask, rank);
        select(&self.mask, self.base.log_prob(&seen), 0.0)
    }
}

impl<D: Sample<Value = Array>> Sample for Masked<D> {
    /// Draws of the base, also where the mask is `false`.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        self.base.sample_shape(key, shape)
    }
}

impl<D: Moments<Value = Array>> Moments for Masked<D> {
    fn mean(&self) -> Array {
        self.base.mean()
    }

    fn variance(&self) -> Array {
        self.base.variance()
    }
}
