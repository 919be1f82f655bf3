//! The chi-squared distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_gammainc, log_gammaincc};
use crate::distributions::terms::{gamma_entropy, log_power};
use crate::random::chi_square;
use probpipe_trace::{gammainc, gammaincc, gammainccinv, gammaincinv};
use std::f64::consts::LN_2;

family! {
    /// The chi-squared distribution, of the sum of the squares of `df` standard normal numbers: the
    /// gamma distribution of concentration `df / 2` and rate 1/2.
    ///
    /// ```
    /// use probpipe::{Chi2, prelude::*};
    /// let c = Chi2::new(4.0);
    /// assert_eq!((c.mean().item::<f32>()?, c.variance().item::<f32>()?), (4.0, 8.0));
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Chi2::new {
        /// The degrees of freedom.
        df: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) =>
                log_power(&(df * 0.5 - 1.0), x) - x * 0.5
                    - (df * (0.5 * LN_2) + (df * 0.5).lgamma())
        }
        Sample { draw(key, shape, dtype) => chi_square(key, shape, df.in_dtype(dtype)) }
        Cdf {
            cdf(x) => gammainc(df * 0.5, x * 0.5),
            survival(x) => gammaincc(df * 0.5, x * 0.5),
            log_cdf(x) => log_gammainc(&(df * 0.5), &(x * 0.5)),
            log_survival(x) => log_gammaincc(&(df * 0.5), &(x * 0.5)),
        }
        Quantile {
            quantile(q) => gammaincinv(df * 0.5, q) * 2.0,
            upper_quantile(q) => gammainccinv(df * 0.5, q) * 2.0,
        }
        Moments { mean => df.clone(), variance => df * 2.0 }
        Mode { mode => (df - 2.0).maximum(0.0) }
        Entropy { entropy => gamma_entropy(&(df * 0.5)) + LN_2 }
    }
}
