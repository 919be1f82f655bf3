//! The distributions of extremes: of the largest of many numbers, and of what exceeds a level.

use super::EULER;
use crate::distributions::declaration::family;
use crate::distributions::terms::{expm1_ratio, log1p_ratio};
use probpipe_trace::{Array, select};

family! {
    /// The generalised extreme value distribution, of which `exp(-t)` is the distribution function,
    /// with `t = (1 + concentration z)^(-1 / concentration)` and `z = (x - loc) / scale`: that of
    /// Gumbel at 0, of Frechet above, of Weibull, mirrored, below (A. F. Jenkinson, 1955).
    ///
    /// Its sampler is reparameterised. The mean is infinite from a concentration of 1 on, the
    /// variance from 1/2 on.
    ///
    /// ```
    /// use probpipe::{GeneralizedExtremeValue, Gumbel, prelude::*};
    /// let (e, g) = (GeneralizedExtremeValue::new(1.0, 2.0, 0.0), Gumbel::new(1.0, 2.0));
    /// let x = array([0.0, 3.0]);
    /// assert!(e.log_prob(&x).allclose(g.log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeneralizedExtremeValue::new {
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How heavy the upper tail is; negative where it ends.
        concentration: Real,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let value = -(concentration + 1.0) * &g - (-&g).exp() - scale.log();
                select(&inside, value, select(&x.is_nan(), x, f64::NEG_INFINITY))
            }
        }
        Sample { gumbel(g) => &g * expm1_ratio(&(concentration * &g)) * scale + loc }
        Cdf {
            cdf(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let end = select(&concentration.gt(0.0), 0.0, 1.0);
                select(&inside, (-(-g).exp()).exp(), select(&x.is_nan(), x, end))
            },
            survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let end = select(&concentration.gt(0.0), 1.0, 0.0);
                select(&inside, -(-(-g).exp()).expm1(), select(&x.is_nan(), x, end))
            },
        }
        Quantile {
            quantile(q) => {
                let g = -(-q.log()).log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
            upper_quantile(q) => {
                let g = -(-(-q).log1p()).log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
        }
        Moments {
            // Of `(Gamma(1 - k) - 1) / k`, by what is small in it.
            mean => {
                let finite = concentration.lt(1.0);
                let k = &select(&finite, concentration, 0.5);
                let small = k.abs().lt(SMALL);
                let m = select(&small, series(&FIRST, k), (raw(k, 1.0) - 1.0) / nonzero(k));
                select(&finite, m * scale + loc, f64::INFINITY)
            },
            variance => {
                let finite = concentration.lt(0.5);
                let k = &select(&finite, concentration, 0.25);
                let small = k.abs().lt(SMALL);
                let (first, second) = (raw(k, 1.0), raw(k, 2.0));
                let v = (second - first.square()) / nonzero(k).square();
                let v = select(&small, series(&SPREAD, k), v);
                select(&finite, v * scale.square(), f64::INFINITY)
            },
        }
        Mode {
            mode => {
                let peak = concentration.gt(-1.0);
                let k = select(&peak, concentration, 0.0);
                let g = -k.log1p();
                select(&peak, &g * expm1_ratio(&(&k * &g)) * scale + loc, f64::NAN)
            }
        }
        Entropy { entropy => scale.log() + concentration * EULER + (EULER + 1.0) }
    }
}

family! {
    /// The generalised Pareto distribution, of which
    /// `(1 + concentration z)^(-1 / concentration)` is the survival, with
    /// `z = (x - loc) / scale`: the exponential distribution at 0 (J. Pickands, 1975).
    ///
    /// Its sampler is reparameterised. The mean is infinite from a concentration of 1 on, the
    /// variance from 1/2 on.
    ///
    /// ```
    /// use probpipe::{GeneralizedPareto, prelude::*};
    /// let p = GeneralizedPareto::new(0.0, 1.0, 0.25);
    /// assert_eq!(p.survival(&array(4.0)).item::<f32>()?, 0.0625);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeneralizedPareto::new {
        /// The level that is exceeded.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How heavy the tail is; negative where it ends.
        concentration: Real,
    }
    on AtLeast(loc) {
        LogProb {
            log_prob(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let value = -(concentration + 1.0) * g - scale.log();
                select(&inside, value, select(&x.is_nan(), x, f64::NEG_INFINITY))
            }
        }
        Sample { exponential(e) => &e * expm1_ratio(&(concentration * &e)) * scale + loc }
        Cdf {
            cdf(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, -(-g).expm1(), select(&x.is_nan(), x, 1.0))
            },
            survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, (-g).exp(), select(&x.is_nan(), x, 0.0))
            },
            log_survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, -g, select(&x.is_nan(), x, f64::NEG_INFINITY))
            },
        }
        Quantile {
            quantile(q) => {
                let g = -(-q).log1p();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
            upper_quantile(q) => {
                let g = -q.log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
        }
        Moments {
            mean => {
                let finite = concentration.lt(1.0);
                let rest = 1.0 - select(&finite, concentration, 0.0);
                select(&finite, scale / rest + loc, f64::INFINITY)
            },
            variance => {
                let finite = concentration.lt(0.5);
                let k = &select(&finite, concentration, 0.0);
                let variance = (scale / (1.0 - k)).square() / (1.0 - k * 2.0);
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => select(&concentration.gt(-1.0), loc, f64::NAN) }
        Entropy { entropy => scale.log() + concentration + 1.0 }
    }
}

/// Whether `1 + k z` is positive, and `log(1 + k z) / k`.
#[track_caller]
fn logarithm(z: &Array, k: &Array) -> (Array, Array) {
    let product = k * z;
    let inside = product.gt(-1.0) & z.is_finite();
    let z = select(&inside, z, 0.0);
    (inside.clone(), &z * log1p_ratio(&select(&inside, product, 0.0)))
}

/// From where on moments of the generalised extreme value distribution are differences of gamma
/// functions, in the size of the concentration.
const SMALL: f64 = 0.1;

/// Coefficients of `(Gamma(1 - k) - 1) / k`.
const FIRST: [f64; 16] = [
    0.577_215_664_901_532_9,
    0.989_055_995_327_972_5,
    0.907_479_076_080_886_3,
    0.981_728_086_834_400_2,
    0.981_995_068_903_145_3,
    0.993_149_114_621_276_2,
    0.996_001_760_442_431_5,
    0.998_105_693_783_129,
    0.999_025_267_621_954_9,
    0.999_515_656_072_777_5,
    0.999_756_597_508_601_2,
    0.999_878_271_315_133_3,
    0.999_939_064_206_444_3,
    0.999_969_517_763_482_1,
    0.999_984_752_699_377,
    0.999_992_374_479_073_2,
];

/// Coefficients of `(Gamma(1 - 2 k) - Gamma(1 - k)^2) / k^2`.
const SPREAD: [f64; 21] = [
    1.644_934_066_848_226_4,
    4.303_077_228_549_151,
    11.718_339_177_218_882,
    26.531_419_164_640_12,
    57.676_112_859_609_745,
    120.625_407_747_692_8,
    247.658_400_419_811_36,
    502.649_810_616_349,
    1_013.655_309_006_847_1,
    2_036.654_281_516_084_2,
    4_083.654_929_882_950_5,
    8_178.654_766_845_38,
    16_369.654_755_395_653,
    32_752.654_672_804_18,
    65_519.654_613_867_395,
    131_054.654_562_423_79,
    262_125.654_524_255_14,
    524_268.654_496_078_6,
    1_048_555.654_476_003_7,
    2_097_130.654_461_899_5,
    4_194_281.654_452_124_6,
];

/// A polynomial where the concentration is small.
#[track_caller]
fn series(coefficients: &[f64], k: &Array) -> Array {
    let k = select(&k.abs().lt(SMALL), k, 0.0);
    coefficients.iter().rev().fold(&k * 0.0, |sum, &c| sum * &k + c)
}

/// The concentration where it is not small.
#[track_caller]
fn nonzero(k: &Array) -> Array {
    select(&k.abs().lt(SMALL), 1.0, k)
}

/// `Gamma(1 - n k)`: the mean of the powers `n` of `1 + k z`.
#[track_caller]
fn raw(k: &Array, n: f64) -> Array {
    (1.0 - k * n).lgamma().exp()
}
