//! One side of the distribution of Student's t.

use super::student_t;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, betainc, betaincinv, select};
use std::f64::consts::{LN_2, PI};

family! {
    /// The distribution of `loc + scale |t|` of a number `t` of Student's distribution.
    ///
    /// Draws are differentiable in all parameters, in `df` implicitly. The mean is infinite up to
    /// 1 degree of freedom, the variance up to 2.
    ///
    /// ```
    /// use probpipe::{HalfStudentT, prelude::*};
    /// let h = HalfStudentT::new(3.0, 1.0, 2.0);
    /// assert_eq!(h.cdf(&array([0.0, 1.0])).to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    HalfStudentT::new {
        /// The degrees of freedom.
        df: Positive,
        /// The lower end.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on AtLeast(loc) {
        LogProb {
            log_prob(x) =>
                student_t::log_density(df, &((x - loc) / scale)) - (scale.log() - LN_2)
        }
        Sample {
            draw(key, shape, dtype) =>
                random::student_t(key, shape, df.in_dtype(dtype)).abs() * scale + loc
        }
        Cdf {
            cdf(x) => {
                let none = x.eq(loc);
                let z = select(&none, 1.0, (x - loc) / scale);
                let share = (df / z.square() + 1.0).recip();
                select(&none, 0.0, betainc(0.5, df * 0.5, share))
            },
            survival(x) => student_t::below(df, &((loc - x) / scale)) * 2.0,
            log_survival(x) => student_t::log_below(df, &((loc - x) / scale)) + LN_2,
        }
        Quantile {
            quantile(q) => {
                let low = q.lt(0.5);
                let v = betaincinv(0.5, df * 0.5, select(&low, q, 0.5));
                let near = (df * &v / (1.0 - &v)).sqrt();
                let far = -student_t::quantile(df, &((1.0 - select(&low, 0.5, q)) * 0.5));
                select(&low, near, far) * scale + loc
            },
            upper_quantile(q) => loc - student_t::quantile(df, &(q * 0.5)) * scale,
        }
        Moments {
            mean => {
                let finite = df.gt(1.0);
                let mean = mean_size(&select(&finite, df, 3.0)) * scale + loc;
                select(&finite, mean, f64::INFINITY)
            },
            variance => {
                let finite = df.gt(2.0);
                let df = &select(&finite, df, 4.0);
                let variance = scale.square() * (df / (df - 2.0) - mean_size(df).square());
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => loc.clone() }
        Entropy { entropy => student_t::standard_entropy(df) + scale.log() - LN_2 }
    }
}

/// The mean of `|t|`: `2 sqrt(df / pi) Gamma((df + 1) / 2) / (Gamma(df / 2) (df - 1))`.
#[track_caller]
pub(super) fn mean_size(df: &Array) -> Array {
    let ratio = ((df + 1.0) * 0.5).lgamma() - (df * 0.5).lgamma();
    ratio.exp() * (df / PI).sqrt() * 2.0 / (df - 1.0)
}
