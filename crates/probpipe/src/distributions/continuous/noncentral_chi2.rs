//! The sum of the squares of normal numbers whose means are not zero.

use crate::distributions::declaration::family;
use crate::distributions::noncentral::{self, Tail, log_density, tail};
use crate::random::{chi_square, poisson};
use probpipe_trace::{Array, select};

family! {
    /// The noncentral chi-squared distribution: of the sum of the squares of `df` normal numbers of
    /// variance 1 and of means whose squares add up to the noncentrality; of density
    /// `exp(-(x + l) / 2) (x/l)^(df/4 - 1/2) I_(df/2 - 1)(sqrt(l x)) / 2`.
    ///
    /// Draws are differentiable in the degrees of freedom given a Poisson number that raises them,
    /// and in the noncentrality implicitly: it moves the distribution function by minus the density
    /// of two degrees of freedom more.
    ///
    /// ```
    /// use probpipe::{Chi2, NoncentralChi2, prelude::*};
    /// let n = NoncentralChi2::new(3.0, 2.0);
    /// assert_eq!((n.mean().item::<f32>()?, n.variance().item::<f32>()?), (5.0, 14.0));
    /// let (central, x) = (NoncentralChi2::new(3.0, 0.0), array([0.5, 4.0]));
    /// assert!(central.log_prob(&x).allclose(Chi2::new(3.0).log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    NoncentralChi2::new {
        /// The degrees of freedom, which need not be whole.
        df: Positive,
        /// The sum of the squares of the means.
        noncentrality: NonNegative,
    }
    on NonNegative {
        LogProb { log_prob(x) => log_density(x, df, noncentrality) }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                let df = df.in_dtype(dtype);
                let more = poisson(first, shape, (noncentrality * 0.5).stop_gradient());
                let x = chi_square(second, shape, more.cast(dtype) * 2.0 + &df);
                let (at, fixed) = (x.stop_gradient(), df.stop_gradient());
                let log = |df: &Array| log_density(&at, df, noncentrality).stop_gradient();
                let slope = (log(&(&fixed + 2.0)) - log(&fixed)).exp();
                // Draws that are 0 to rounding stay there.
                let slope = select(&(at.gt(0.0) & slope.is_finite()), slope, 0.0);
                x + (noncentrality - noncentrality.stop_gradient()) * slope
            }
        }
        Cdf {
            cdf(x) => below(x, df, noncentrality).cdf(),
            survival(x) => below(x, df, noncentrality).survival(),
            log_cdf(x) => below(x, df, noncentrality).log_cdf(),
            log_survival(x) => below(x, df, noncentrality).log_survival(),
        }
        Quantile {
            quantile(q) => noncentral::quantile(q, &false.into(), df, noncentrality),
            upper_quantile(q) => noncentral::quantile(q, &true.into(), df, noncentrality),
            side_quantile(q, upper) => noncentral::quantile(q, upper, df, noncentrality),
        }
        Moments {
            mean => df + noncentrality,
            variance => (df + noncentrality * 2.0) * 2.0,
        }
    }
}

#[track_caller]
fn below(x: &Array, df: &Array, noncentrality: &Array) -> Tail {
    tail(&(x * 0.5), &(df * 0.5), &(noncentrality * 0.5))
}
