//! The horseshoe distribution.

use crate::distributions::declaration::family;
use crate::random::{cauchy_of, normal_of};
use probpipe_trace::{Array, select};
use std::f64::consts::{LN_2, PI};

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

family! {
    /// The horseshoe distribution: of `scale l z` of a standard normal number `z` and the size `l`
    /// of a standard Cauchy one, of density
    /// `exp(y) E_1(y) / (scale sqrt(2 pi^3))` with `y = (x / scale)^2 / 2` and the exponential
    /// integral (C. M. Carvalho, N. G. Polson, J. G. Scott, 2010). It is infinite at 0, and falls
    /// as slowly as that of a Cauchy number, so it has no moments.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Horseshoe, prelude::*};
    /// let h = Horseshoe::new(2.0);
    /// assert!((h.log_prob(&array(2.0)).item::<f32>()? + 2.837_038_5).abs() < 1e-5);
    /// assert_eq!(h.log_prob(&array(0.0)).item::<f32>()?, f32::INFINITY);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Horseshoe::new {
        /// The width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) =>
                log_size(&(x / scale).abs()) - scale.log() - 0.5 * (LN_2 + 3.0 * PI.ln())
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                normal_of(dtype, second, shape) * cauchy_of(dtype, first, shape).abs() * scale
            }
        }
        Mode { mode => scale * 0.0 }
    }
}

/// `log(exp(y) E_1(y))` with `y = z^2 / 2`, for `z` from 0 up. Near 0 it is the series
/// `-log y - EULER + y - y^2 / 4 + ..`, which needs no `y` that may round to 0; far out the
/// fraction `1 / (y + 1 - 1 / (y + 3 - 4 / (y + 5 - ..)))` over `y`, which may overflow.
#[track_caller]
fn log_size(z: &Array) -> Array {
    let (near, far) = (z.lt(1e-3), z.gt(7.0));
    let middle = select(&(&near | &far), 1.0, z).square() * 0.5;
    let centre = &middle + middle.exp1().log();
    let little = select(&near, z, 1e-4);
    let y = little.square() * 0.5;
    let peak = (&y - y.square() * 0.25 + (LN_2 - EULER) - little.log() * 2.0).log() + y;
    let large = select(&far, z, 8.0);
    let t = large.recip().square() * 2.0;
    let rest = (1..12).rev().fold(Array::from(1.0), |below: Array, k| {
        let k = f64::from(k);
        1.0 + &t * (2.0 * k + 1.0) - &t * &t * (k + 1.0).powi(2) / below
    });
    let tail = LN_2 - large.log() * 2.0 - (1.0 + &t - &t * &t / rest).log();
    select(&near, peak, select(&far, tail, centre))
}
