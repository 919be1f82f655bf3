//! The distribution of von Mises.

use crate::distributions::declaration::family;
use crate::distributions::terms::inverted;
use probpipe_trace::{Array, fori_loop, select};
use std::f64::consts::{PI, TAU};

family! {
    /// The distribution of von Mises, the normal distribution of angles: its density is
    /// `exp(concentration cos(x - loc)) / (2 pi I0(concentration))` on `[-pi, pi]`.
    ///
    /// The mean is the direction `loc` and the variance that of directions, `1 - I1 / I0`. Draws
    /// are quantiles of uniform numbers, differentiable in both parameters.
    ///
    /// ```
    /// use probpipe::{VonMises, prelude::*};
    /// let v = VonMises::new(0.0, 2.0);
    /// assert!((v.cdf(&array(0.0)).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    VonMises::new {
        /// The mean direction; whole turns do not count.
        loc: Real,
        /// About one over the variance, where that is small.
        concentration: Positive,
    }
    on Interval((-PI), (PI)) {
        LogProb {
            log_prob(x) => {
                let sine = ((x - loc) * 0.5).sin();
                sine.square() * concentration * -2.0 - concentration.i0e().log() - TAU.ln()
            }
        }
        Sample { uniform(u) => quantile(loc, concentration, &u) }
        Cdf {
            cdf(x) => {
                let start = x * 0.0 - PI;
                turns(concentration, &(x - loc)) - turns(concentration, &(start - loc))
            },
            survival(x) => {
                let end = x * 0.0 + PI;
                turns(concentration, &(end - loc)) - turns(concentration, &(x - loc))
            },
        }
        Quantile { quantile(q) => quantile(loc, concentration, q) }
        Moments {
            mean => principal(loc),
            variance => 1.0 - concentration.i1e() / concentration.i0e(),
        }
        Mode { mode => principal(loc) }
        Entropy {
            entropy => {
                let (zeroth, first) = (concentration.i0e(), concentration.i1e());
                zeroth.log() + TAU.ln() + concentration * (1.0 - first / zeroth)
            }
        }
    }
}

/// The angle between `-pi` and `pi`.
#[track_caller]
fn principal(angle: &Array) -> Array {
    angle - (angle / TAU).round() * TAU
}

/// The distribution function around 0, continued over all turns: 1 more after each.
#[track_caller]
fn turns(concentration: &Array, angle: &Array) -> Array {
    let turn = (angle / TAU).round();
    let angle = angle - &turn * TAU;
    let large = concentration.gt(50.0);
    let few = by_series(&select(&large, 50.0, concentration), &angle);
    let many = by_normal(&select(&large, concentration, 50.0), &angle);
    turn + select(&large, many, few)
}

/// The Fourier series `1/2 + angle / (2 pi) + sum(I_n / I_0 sin(n angle) / n) / pi`, summed from
/// its end together with the quotients of Bessel functions (G. W. Hill, "Algorithm 518", ACM TOMS
/// 3, 1977); 60 terms are enough up to a concentration of 50.
#[track_caller]
fn by_series(concentration: &Array, angle: &Array) -> Array {
    let (sine, cosine) = (angle.sin(), angle.cos());
    let none = (angle + concentration) * 0.0;
    let last = (angle * 60.0).sin() + &none;
    let start = (none.clone(), none.clone(), last, (angle * 60.0).cos() + &none);
    let step = |k: Array, (ratio, sum, s, c): (Array, Array, Array, Array)| {
        let n = 60.0 - k.cast(none.dtype());
        let ratio = (&n * 2.0 / concentration + ratio).recip();
        let sum = &ratio * (&s / n + sum);
        (ratio, sum, &s * &cosine - &c * &sine, &c * &cosine + &s * &sine)
    };
    let (_, sum, _, _) = fori_loop(60, start, step);
    (angle * 0.5 + sum) / PI + 0.5
}

/// With `s = 2 sqrt(concentration) sin(angle / 2)` the density is the normal one of `s` times
/// `(1 - w)^(-1/2)` with `w = s^2 / (4 concentration)`: its powers are integrated term by term,
/// from the tail, and the whole integral made 1.
#[track_caller]
fn by_normal(concentration: &Array, angle: &Array) -> Array {
    let right = angle.gt(0.0);
    let s = (select(&right, -angle, angle) * 0.5).sin() * concentration.sqrt() * 2.0;
    let density = (s.square() * -0.5).exp() / TAU.sqrt();
    let mut part = s.ndtr();
    let (mut tail, mut whole) = (part.clone(), concentration * 0.0 + 1.0);
    // The integrals of s^2k times the density to s, and their limits, over (4 concentration)^k.
    let (mut power, mut limit, mut coefficient) = (&s * density, 1.0, 1.0);
    let scale = (concentration * 4.0).recip();
    let mut shrink = scale.clone();
    for k in 1..=12 {
        let odd = f64::from(2 * k - 1);
        coefficient *= odd / f64::from(2 * k);
        part = part * odd - &power;
        power *= s.square();
        limit *= odd;
        tail += &part * &shrink * coefficient;
        whole += &shrink * (coefficient * limit);
        shrink *= &scale;
    }
    let tail = tail / whole;
    select(&right, 1.0 - &tail, tail)
}

#[track_caller]
fn quantile(loc: &Array, concentration: &Array, q: &Array) -> Array {
    // Of the type of whatever names one.
    let low = (q + loc + concentration) * 0.0 - PI;
    let start = turns(concentration, &(&low - loc));
    let x = inverted(q, &low, &-&low, |x| turns(concentration, &(x - loc)) - &start);
    x.maximum(-PI).minimum(PI)
}
