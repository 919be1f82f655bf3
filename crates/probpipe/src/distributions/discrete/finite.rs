//! Distributions on given numbers, and that of Zipf.

use crate::distributions::declaration::family;
use crate::distributions::search::least;
use crate::random;
use crate::random::uniform_of;
use probpipe_trace::{Array, DType, Key, select, while_loop, zeta};

family! {
    /// The distribution on `outcomes`, each with its probability.
    ///
    /// Its draws are floats, and differentiable in the outcomes.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::FiniteDiscrete;
    /// let prize = FiniteDiscrete::new([0.0, 10.0, 500.0], [0.875, 0.109375, 0.015625]);
    /// assert_eq!(prize.mean().item::<f32>()?, 8.90625);
    /// assert_eq!(prize.cdf(&array(20.0)).item::<f32>()?, 0.984375);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    FiniteDiscrete::new {
        /// The numbers, `[..., n]`.
        outcomes: RealVector,
        /// The probability of each, `[..., n]`.
        probs: Simplex,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let here = x.expand_dims(-1).eq(outcomes);
                let mass = select(&here, probs, 0.0).sum_axes([-1]);
                let some = mass.gt(0.0);
                let outside = select(&x.is_nan(), f64::NAN, f64::NEG_INFINITY);
                select(&some, select(&some, mass, 1.0).log(), outside)
            }
        }
        Sample {
            draw(key, shape) => {
                let place = random::categorical(key, shape, probs.log());
                super::categorical::entry(outcomes, &place)
            }
        }
        Cdf {
            cdf(x) => {
                let below = select(&outcomes.le(x.expand_dims(-1)), probs, 0.0).sum_axes([-1]);
                select(&x.is_nan(), x, below)
            },
            survival(x) => {
                let above = select(&outcomes.gt(x.expand_dims(-1)), probs, 0.0).sum_axes([-1]);
                select(&x.is_nan(), x, above)
            },
        }
        Moments {
            mean => (outcomes * probs).sum_axes([-1]),
            variance => {
                let mean = (outcomes * probs).sum_axes([-1]);
                ((outcomes - mean.expand_dims(-1)).square() * probs).sum_axes([-1])
            },
        }
        Mode { mode => super::categorical::entry(outcomes, &probs.argmax(-1)) }
        Entropy { entropy => probs.entr().sum_axes([-1]) }
    }
}

family! {
    /// The distribution of Zipf on the integers from 1 on, with probabilities in proportion to
    /// `k^-power`; NaN up to a power of 1.
    ///
    /// Its draws are `i32`, those up to the largest one, and not differentiable. The mean is
    /// infinite up to a power of 2, the variance up to 3.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Zipf;
    /// let z = Zipf::new(2.0);
    /// let first = 6.0 / (std::f32::consts::PI * std::f32::consts::PI);
    /// assert!((z.prob(&array(1)).item::<f32>()? - first).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Zipf::new {
        /// How fast probabilities fall.
        power: Positive,
    }
    on PositiveInteger {
        LogProb { log_prob(k) => -power * k.log() - zeta(known(power), 1.0).log() }
        Sample {
            draw(key, shape, dtype) => draws(dtype, key, &power.in_dtype(dtype).broadcast_to(shape))
        }
        Cdf {
            cdf(x) => {
                let k = x.floor();
                let inside = k.ge(1.0);
                let k = select(&inside, k, 1.0);
                let above = zeta(known(power), k + 1.0) / zeta(known(power), 1.0);
                select(&x.is_nan(), x, select(&inside, 1.0 - above, 0.0))
            },
            survival(x) => {
                let k = x.floor();
                let inside = k.ge(1.0);
                let k = select(&inside, k, 1.0);
                let above = zeta(known(power), k + 1.0) / zeta(known(power), 1.0);
                select(&x.is_nan(), x, select(&inside, above, 1.0))
            },
        }
        Quantile {
            quantile(q) => {
                let (q, s) = (q.stop_gradient(), known(power).stop_gradient());
                let inner = q.gt(0.0) & q.lt(1.0);
                let level = select(&inner, &q, 0.5);
                let total = zeta(&s, 1.0);
                // The tail falls nearly like k^(1 - s).
                let start = ((1.0 - &level) * &total * (&s - 1.0)).pow((1.0 - &s).recip());
                let start = select(&(start.ge(1.0) & start.is_finite()), start.floor(), 1.0);
                let end = &level * 0.0 + f64::INFINITY;
                let found = least(&start, &end, &|k| {
                    let some = k.ge(1.0);
                    let above = zeta(&s, select(&some, k, 1.0) + 1.0) / &total;
                    &some & above.le(1.0 - &level)
                });
                let sure = select(&q.eq(1.0), f64::INFINITY, select(&q.eq(0.0), 1.0, &q));
                select(&s.is_nan(), &s, select(&inner, found, sure))
            }
        }
        Moments {
            mean => {
                let finite = power.gt(2.0);
                let s = &select(&finite, known(power), 3.0);
                let mean = zeta(s - 1.0, 1.0) / zeta(s, 1.0);
                select(&known(power).is_nan(), f64::NAN, select(&finite, mean, f64::INFINITY))
            },
            variance => {
                let finite = power.gt(3.0);
                let s = &select(&finite, known(power), 4.0);
                let total = zeta(s, 1.0);
                let mean = zeta(s - 1.0, 1.0) / &total;
                let variance = zeta(s - 2.0, 1.0) / total - mean.square();
                select(&known(power).is_nan(), f64::NAN, select(&finite, variance, f64::INFINITY))
            },
        }
        Mode { mode => known(power) * 0.0 + 1.0 }
    }
}

/// A power of which there is a distribution, or NaN.
#[track_caller]
fn known(power: &Array) -> Array {
    select(&power.gt(1.0), power, f64::NAN)
}

/// By rejection (L. Devroye, "Non-uniform random variate generation", 1986, section X.6).
#[track_caller]
fn draws(dtype: DType, key: Key, power: &Array) -> Array {
    let usable = power.gt(1.0);
    let less = select(&usable, power, 2.0) - 1.0;
    let b = less.exp2();
    let start = (&less * 0.0 + 1.0, power.is_nan() & false, key);
    let (found, ..) = while_loop(
        |(_, done, _): (Array, Array, Key)| (!done).any(),
        |(found, done, key)| {
            let (now, key) = key.split();
            let (first, second) = now.split();
            // Not zero, whose power is infinite.
            let u = 1.0 - uniform_of(dtype, first, power.shape());
            let x = u.pow(-less.recip()).floor();
            let t = (x.recip() + 1.0).pow(&less);
            let v = uniform_of(dtype, second, power.shape());
            let accepted = (v * &x * (&t - 1.0) / (&b - 1.0)).le(t / &b) & x.le(2_147_483_520.0);
            (select(&accepted, x, found), done | accepted, key)
        },
        start,
    );
    found.cast(DType::I32)
}
