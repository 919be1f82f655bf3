//! The asymmetric Laplace distribution, by its asymmetry or by the level of its mode.

use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};

family! {
    /// The asymmetric Laplace distribution: exponential on either side of `loc`, with mean distance
    /// `scale * asymmetry` to the left and `scale / asymmetry` to the right.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{AsymmetricLaplace, prelude::*};
    /// let l = AsymmetricLaplace::new(0.0, 1.0, 2.0);
    /// assert_eq!(l.mean().item::<f32>()?, -1.5);
    /// assert_eq!(l.cdf(&array(0.0)).item::<f32>()?, 0.8);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    AsymmetricLaplace::new {
        /// The mode.
        loc: Real,
        /// The width.
        scale: Positive,
        /// The root of the ratio of the widths: below 1 the right side is the wider.
        asymmetry: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => log_density(&(scale * asymmetry), &(scale / asymmetry), &(x - loc))
        }
        Sample { open(u) => quantile(&(scale * asymmetry), &(scale / asymmetry), &u) + loc }
        Cdf {
            cdf(x) => below(&(scale * asymmetry), &(scale / asymmetry), &(x - loc)),
            survival(x) => below(&(scale / asymmetry), &(scale * asymmetry), &(loc - x)),
            log_cdf(x) => log_below(&(scale * asymmetry), &(scale / asymmetry), &(x - loc)),
            log_survival(x) => log_below(&(scale / asymmetry), &(scale * asymmetry), &(loc - x)),
        }
        Quantile {
            quantile(q) => quantile(&(scale * asymmetry), &(scale / asymmetry), q) + loc,
            upper_quantile(q) => loc - quantile(&(scale / asymmetry), &(scale * asymmetry), q),
        }
        Moments {
            mean => loc + ((scale / asymmetry) - (scale * asymmetry)),
            variance => (scale * asymmetry).square() + (scale / asymmetry).square(),
        }
        Mode { mode => loc.clone() }
        Entropy { entropy => ((scale * asymmetry) + (scale / asymmetry)).log() + 1.0 }
    }
}

family! {
    /// The asymmetric Laplace distribution whose quantile of `level` is `loc`: what quantile
    /// regression maximises the density of.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{AsymmetricLaplaceQuantile, prelude::*};
    /// let l = AsymmetricLaplaceQuantile::new(3.0, 1.0, 0.25);
    /// assert_eq!(l.cdf(&array(3.0)).item::<f32>()?, 0.25);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    AsymmetricLaplaceQuantile::new {
        /// The mode, of which the probability below is `level`.
        loc: Real,
        /// The width: the mean of the tilted distance.
        scale: Positive,
        /// The probability of less than `loc`.
        #[doc(alias = "quantile")]
        level: OpenUnitInterval,
    }
    on Real {
        LogProb {
            log_prob(x) => log_density(&(scale / (1.0 - level)), &(scale / level), &(x - loc))
        }
        Sample { open(u) => quantile(&(scale / (1.0 - level)), &(scale / level), &u) + loc }
        Cdf {
            cdf(x) => below(&(scale / (1.0 - level)), &(scale / level), &(x - loc)),
            survival(x) => below(&(scale / level), &(scale / (1.0 - level)), &(loc - x)),
            log_cdf(x) => log_below(&(scale / (1.0 - level)), &(scale / level), &(x - loc)),
            log_survival(x) => log_below(&(scale / level), &(scale / (1.0 - level)), &(loc - x)),
        }
        Quantile {
            quantile(q) => quantile(&(scale / (1.0 - level)), &(scale / level), q) + loc,
            upper_quantile(q) => loc - quantile(&(scale / level), &(scale / (1.0 - level)), q),
        }
        Moments {
            mean => loc + ((scale / level) - (scale / (1.0 - level))),
            variance => (scale / (1.0 - level)).square() + (scale / level).square(),
        }
        Mode { mode => loc.clone() }
        Entropy { entropy => ((scale / (1.0 - level)) + (scale / level)).log() + 1.0 }
    }
}

/// The density at the distance `d` from the mode, of mean distances `left` and `right`.
#[track_caller]
fn log_density(left: &Array, right: &Array, d: &Array) -> Array {
    -d.abs() / select(&d.lt(0.0), left, right) - (left + right).log()
}

/// The probability of less than `d`.
#[track_caller]
fn below(left: &Array, right: &Array, d: &Array) -> Array {
    let negative = d.lt(0.0);
    let tail = (select(&negative, d, -d) / select(&negative, left, right)).exp();
    let total = left + right;
    select(&negative, left / &total * &tail, 1.0 - right / &total * &tail)
}

/// Its logarithm.
#[track_caller]
fn log_below(left: &Array, right: &Array, d: &Array) -> Array {
    let negative = d.lt(0.0);
    let tail = select(&negative, d, -d) / select(&negative, left, right);
    let total = left + right;
    let near = (-(right / &total) * tail.exp()).log1p();
    select(&negative, (left / &total).log() + &tail, near)
}

/// The quantile, as a distance from the mode.
#[track_caller]
fn quantile(left: &Array, right: &Array, q: &Array) -> Array {
    let total = left + right;
    let (below, above) = (q * &total / left, (1.0 - q) * &total / right);
    let negative = below.lt(1.0);
    let (below, above) = (select(&negative, below, 1.0), select(&negative, 1.0, above));
    select(&negative, left * below.log(), -right * above.log())
}
