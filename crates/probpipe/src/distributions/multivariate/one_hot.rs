//! Vectors that hold a choice: one of several, and an order of all.

use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::{categorical, gumbel_of};
use probpipe_trace::{Array, DType, Key, Shape, arange, select};

family! {
    /// The distribution on the vectors of which one entry is 1 and all others are 0, with the
    /// probability of each entry.
    ///
    /// Its draws are floats, and not differentiable.
    ///
    /// ```
    /// use probpipe::distributions::OneHotCategorical;
    /// use probpipe::prelude::*;
    /// let o = OneHotCategorical::new([0.25, 0.75]);
    /// assert_eq!(o.prob(&array([[0, 1], [1, 1]])).to_vec::<f32>()?, [0.75, 0.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    OneHotCategorical::new {
        /// The probability of each entry, `[..., k]`.
        probs: Simplex,
    }
    on Multinomial(1)
}

family! {
    /// The distribution on the orders of `k` things by score: the first is drawn in proportion to
    /// the scores, the next in proportion to those that are left, and so on (R. D. Luce, 1959;
    /// R. L. Plackett, 1975).
    ///
    /// Its draws are `i32`, the indices of the things in their order, and not differentiable.
    ///
    /// ```
    /// use probpipe::distributions::PlackettLuce;
    /// use probpipe::prelude::*;
    /// let race = PlackettLuce::new([1.0, 2.0, 1.0]);
    /// // 2/4 for the middle one, then 1/2
    /// assert!((race.prob(&array([1, 0, 2])).item::<f32>()? - 0.25).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    PlackettLuce::new {
        /// The weight of each thing, `[..., k]`.
        scores: PositiveVector,
    }
    on Permutation
}

/// The number of entries.
pub(super) fn size(x: &Array) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

/// 1 at these places of vectors, 0 elsewhere.
#[track_caller]
fn one_at(place: &Array, k: usize, dtype: DType) -> Array {
    place.expand_dims(-1).eq(arange(k)).cast(dtype)
}

impl LogProb for OneHotCategorical {
    fn log_prob(&self, x: &Array) -> Array {
        let [probs] = self.checked();
        if probs.error().is_some() || x.error().is_some() {
            return probs + x;
        }
        let x = x.cast(self.dtype());
        let inner = one_at(&Array::from(0), size(&probs), self.dtype());
        let seen = Seen::new(&self.support(), &x, &inner);
        let one = seen.at.gt(0.5);
        let logs = select(&probs.eq(0.0), f64::NEG_INFINITY, probs.log());
        seen.density(select(&one, logs, 0.0).sum_axes([-1]))
    }
}

impl Sample for OneHotCategorical {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [probs] = self.checked();
        let place = categorical(key, join(&shape, &self.batch_shape()), probs.log());
        if place.error().is_some() {
            return place;
        }
        one_at(&place, size(&probs), self.dtype())
    }
}

impl Moments for OneHotCategorical {
    fn mean(&self) -> Array {
        let [probs] = self.checked();
        self.shaped(probs.clone(), &[size(&probs)])
    }

    fn variance(&self) -> Array {
        let [probs] = self.checked();
        self.shaped(&probs * (1.0 - &probs), &[size(&probs)])
    }
}

impl Mode for OneHotCategorical {
    fn mode(&self) -> Array {
        let [probs] = self.checked();
        if probs.error().is_some() {
            return probs;
        }
        self.shaped(one_at(&probs.argmax(-1), size(&probs), self.dtype()), &[size(&probs)])
    }
}

impl Entropy for OneHotCategorical {
    fn entropy(&self) -> Array {
        let [probs] = self.checked();
        self.shaped(probs.entr().sum_axes([-1]), &[])
    }
}

impl LogProb for PlackettLuce {
    /// The sum of `log s_i - log(s_i + s_(i+1) + ..)` of the scores in their order.
    fn log_prob(&self, x: &Array) -> Array {
        let [scores] = self.checked();
        if scores.error().is_some() || x.error().is_some() {
            return scores + x;
        }
        let first = arange(size(&scores)).cast(x.dtype());
        let seen = Seen::new(&self.support(), x, &first);
        let batch = probpipe_trace::broadcast_shapes(seen.at.shape(), scores.shape());
        let Some(batch) = batch else { return scores + x };
        let place = seen.at.cast(DType::I32).broadcast_to(&batch);
        let ordered = scores.broadcast_to(&batch).take_along_axis(place, -1);
        let left = ordered.flip(-1).cumsum(-1).flip(-1);
        seen.density((ordered.log() - left.log()).sum_axes([-1]))
    }
}

impl Sample for PlackettLuce {
    /// The order of the logarithms of the scores with Gumbel noise.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [scores] = self.checked();
        let shape = join(&join(&shape, &self.batch_shape()), &[size(&scores)]);
        let noisy = gumbel_of(self.dtype(), key, shape) + scores.log();
        noisy.argsort_descending(-1).cast(DType::I32)
    }
}

impl Mode for PlackettLuce {
    /// The order of falling scores.
    fn mode(&self) -> Array {
        let [scores] = self.checked();
        if scores.error().is_some() {
            return scores;
        }
        scores.argsort_descending(-1).cast(DType::I32)
    }
}
