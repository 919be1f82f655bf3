//! The chi distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_gammainc, log_gammaincc};
use crate::distributions::terms::{gamma_entropy, log_power};
use crate::random::chi_square;
use probpipe_trace::{gammainc, gammaincc, gammainccinv, gammaincinv};
use std::f64::consts::{LN_2, SQRT_2};

family! {
    /// The distribution of the length of a vector of `df` standard normal numbers, of density
    /// proportional to `x^(df - 1) exp(-x^2 / 2)`.
    ///
    /// Its draws are differentiable in `df`, implicitly.
    ///
    /// ```
    /// use probpipe::{Chi, prelude::*};
    /// // Rayleigh's distribution
    /// let c = Chi::new(2.0);
    /// assert!((c.survival(&array(1.0)).item::<f32>()? - (-0.5f32).exp()).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Chi::new {
        /// The degrees of freedom.
        df: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) =>
                log_power(&(df - 1.0), x) - x.square() * 0.5
                    - ((df * 0.5 - 1.0) * LN_2 + (df * 0.5).lgamma())
        }
        Sample { draw(key, shape, dtype) => chi_square(key, shape, df.in_dtype(dtype)).sqrt() }
        Cdf {
            cdf(x) => gammainc(df * 0.5, x.square() * 0.5),
            survival(x) => gammaincc(df * 0.5, x.square() * 0.5),
            log_cdf(x) => log_gammainc(&(df * 0.5), &(x.square() * 0.5)),
            log_survival(x) => log_gammaincc(&(df * 0.5), &(x.square() * 0.5)),
        }
        Quantile {
            quantile(q) => (gammaincinv(df * 0.5, q) * 2.0).sqrt(),
            upper_quantile(q) => (gammainccinv(df * 0.5, q) * 2.0).sqrt(),
        }
        Moments {
            mean => (((df + 1.0) * 0.5).lgamma() - (df * 0.5).lgamma()).exp() * SQRT_2,
            variance => {
                let log = ((df + 1.0) * 0.5).lgamma() - (df * 0.5).lgamma();
                df - (log * 2.0).exp() * 2.0
            },
        }
        Mode { mode => (df - 1.0).maximum(0.0).sqrt() }
        Entropy {
            // That of the square, less the mean of the logarithm of the slope 2 x.
            entropy =>
                gamma_entropy(&(df * 0.5)) - ((df * 0.5).digamma() + LN_2) * 0.5
        }
    }
}
