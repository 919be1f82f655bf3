//! The uniform distribution on integers.

use crate::distributions::Distribution;
use crate::distributions::Sample;
use crate::distributions::declaration::family;
use crate::distributions::finite;
use crate::distributions::shapes::join;
use crate::random;
use probpipe_trace::{Array, Key, Shape, select};

family! {
    /// The uniform distribution on the integers from `low` to `high`, both included.
    ///
    /// Its draws are of the integer type of the bounds, or `i32`, and not differentiable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::DiscreteUniform;
    /// let die = DiscreteUniform::new(1, 6);
    /// assert_eq!(die.mean().item::<f32>()?, 3.5);
    /// assert_eq!(die.cdf(&array([0, 3])).to_vec::<f32>()?, [0.0, 0.5]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    DiscreteUniform::new {
        /// The least integer.
        low: Integer,
        /// The greatest.
        high: Integer,
    }
    on IntegerInterval(low, high) where low <= high {
        LogProb { log_prob(k) => k * 0.0 - count(low, high).log() }
        Cdf {
            cdf(x) => share(&(x.floor() - low + 1.0), &count(low, high), x),
            survival(x) => share(&(high - x.floor()), &count(low, high), x),
        }
        Quantile {
            quantile(q) => {
                let (q, n) = (q.stop_gradient(), count(low, high));
                let k = (&q * &n).ceil() - 1.0;
                // The product may be rounded across a whole number.
                let k = select(&(&k / &n).ge(&q), &k - 1.0, k);
                let k = select(&((&k + 1.0) / &n).lt(&q), &k + 1.0, k);
                select(&k.lt(0.0), 0.0, k) + low
            }
        }
        Moments {
            mean => (low + high) * 0.5,
            variance => (count(low, high).square() - 1.0) / 12.0,
        }
        Entropy { entropy => count(low, high).log() }
    }
}

impl Sample for DiscreteUniform {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [low, high] = self.checked();
        random::randint(key, join(&shape, &self.batch_shape()), low, high + 1)
    }

    fn enumerate(&self) -> Option<(Array, Array)> {
        finite::of(self)
    }
}

/// How many integers there are.
#[track_caller]
fn count(low: &Array, high: &Array) -> Array {
    high * 1.0 - low + 1.0
}

/// `part / whole` held in [0, 1]; NaN where `x` is.
#[track_caller]
fn share(part: &Array, whole: &Array, x: &Array) -> Array {
    let share = select(&part.gt(0.0), part, 0.0) / whole;
    let share = select(&share.lt(1.0), share, 1.0);
    select(&x.is_nan(), x, share)
}
