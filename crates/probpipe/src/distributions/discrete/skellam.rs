//! The distribution of Skellam.

use crate::distributions::bessel::log_kernel;
use crate::distributions::declaration::family;
use crate::random::poisson;
use probpipe_trace::select;

family! {
    /// The distribution of the difference of two independent Poisson numbers, with probability
    /// `exp(-a - b) (a/b)^(k/2) I_k(2 sqrt(a b))` of `k` (J. G. Skellam, 1946).
    ///
    /// Its draws are `i32` and not differentiable.
    ///
    /// ```
    /// use probpipe::{Skellam, prelude::*};
    /// let score = Skellam::new(2.0, 1.0);
    /// assert_eq!((score.mean().item::<f32>()?, score.variance().item::<f32>()?), (1.0, 3.0));
    /// // exp(-3) I_0(2 sqrt(2))
    /// assert!((score.prob(&array(0)).item::<f32>()? - 0.2117121).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Skellam::new {
        /// The mean `a` of the number that is taken from.
        rate1: Positive,
        /// The mean `b` of the number that is taken away.
        rate2: Positive,
    }
    on Integer {
        LogProb {
            log_prob(k) => {
                let more = k.ge(0.0);
                log_kernel(&k.abs(), &select(&more, rate1, rate2), &select(&more, rate2, rate1))
            }
        }
        Sample {
            draw(key, shape) => {
                let (first, second) = key.split();
                poisson(first, shape, rate1) - poisson(second, shape, rate2)
            }
        }
        Moments { mean => rate1 - rate2, variance => rate1 + rate2 }
    }
}
