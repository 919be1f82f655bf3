//! Symmetric distributions with tails that fall more slowly than those of the normal one, cut.

use super::{cut, end, truncated};
use crate::distributions::terms::difference_of_atan;
use probpipe_trace::{Array, select};

truncated! {
    /// The Cauchy distribution, cut to `[low, high]`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{TruncatedCauchy, prelude::*};
    /// let c = TruncatedCauchy::new(0.0, 1.0, -1.0, 1.0);
    /// assert!((c.log_cdf(&array(0.0)).exp().item::<f32>()? - 0.5).abs() < 1e-6);
    /// // 4 / pi - 1
    /// assert!((c.variance().item::<f32>()? - 0.27323954).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedCauchy of Cauchy {
        /// The centre of the whole.
        loc: Real,
        /// Its width.
        scale: Positive,
    }
    from low to high {
        /// The lower end.
        low: Real,
        /// The upper end, which is greater.
        high: Real,
    }
    on Interval(low, high) where low < high {
        Mode { mode => loc.maximum(low).minimum(high) }
        Moments {
            mean => {
                let (a, b) = ((low - loc) / scale, (high - loc) / scale);
                loc + scale * cauchy_mean(&a, &b)
            },
            variance => {
                let (a, b) = ((low - loc) / scale, (high - loc) / scale);
                let square = (&b - &a) / difference_of_atan(&a, &b) - 1.0;
                scale.square() * (square - cauchy_mean(&a, &b).square())
            },
        }
    }
}

truncated! {
    /// The Laplace distribution, cut to `[low, high]`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{TruncatedLaplace, prelude::*};
    /// let l = TruncatedLaplace::new(0.0, 1.0, 100.0, 101.0);
    /// assert!(l.log_prob(&array(100.0)).item::<f32>()?.abs() < 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedLaplace of Laplace {
        /// The centre of the whole.
        loc: Real,
        /// Its mean distance from that.
        scale: Positive,
    }
    from low to high {
        /// The lower end.
        low: Real,
        /// The upper end, which is greater.
        high: Real,
    }
    on Interval(low, high) where low < high {
        Mode { mode => loc.maximum(low).minimum(high) }
    }
}

truncated! {
    /// The logistic distribution from `low` on.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{TruncatedLogistic, prelude::*};
    /// let l = TruncatedLogistic::new(0.0, 1.0, 0.0);
    /// assert!((l.median().item::<f32>()? - 3f32.ln()).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedLogistic of Logistic {
        /// The centre of the whole.
        loc: Real,
        /// Its width.
        scale: Positive,
    }
    from low to _ {
        /// The lower end.
        low: Real,
    }
    on AtLeast(low) {
        Mode { mode => loc.maximum(low) }
    }
}

truncated! {
    /// The distribution of Student's t, cut to `[low, high]`.
    ///
    /// Draws are differentiable in all parameters.
    ///
    /// ```
    /// use probpipe::{TruncatedStudentT, prelude::*};
    /// let t = TruncatedStudentT::new(3.0, 0.0, 1.0, -2.0, 2.0);
    /// assert!(t.median().item::<f32>()?.abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedStudentT of StudentT {
        /// The degrees of freedom.
        df: Positive,
        /// The centre of the whole.
        loc: Real,
        /// Its width.
        scale: Positive,
    }
    from low to high {
        /// The lower end.
        low: Real,
        /// The upper end, which is greater.
        high: Real,
    }
    on Interval(low, high) where low < high {
        Mode { mode => loc.maximum(low).minimum(high) }
    }
}

/// The mean of a standard Cauchy variable between two ends:
/// `log((1 + b^2) / (1 + a^2)) / (2 (atan b - atan a))`.
#[track_caller]
fn cauchy_mean(a: &Array, b: &Array) -> Array {
    let swapped = a.abs().gt(b.abs());
    let (less, more) = (select(&swapped, b, a), select(&swapped, a, b));
    let growth = (&more - &less) * (&more + &less) / (less.square() + 1.0);
    let log = growth.log1p() * 0.5 / difference_of_atan(a, b);
    select(&swapped, -&log, &log)
}
