//! Poisson counts. Small rates multiply uniform numbers until the product is below `exp(-rate)`;
//! large ones use transformed rejection. Each method runs on all elements, with a harmless rate for
//! those of the other, and until the last is done; not at all where it has none.
//!
//! Sources: D. E. Knuth, "The art of computer programming" 2, 3.4.1; W. Hörmann, "The transformed
//! rejection method for generating Poisson random variables", 1993 (algorithm PTRS). Which key
//! gives which number follows `jax.random`.

use super::parameters::{settled, thirds, typed};
use super::stirling::stirling_tail;
use probpipe_trace::{
    Array, DType, IntoShape, Key, Shape, full_like, select, uniform_of, while_loop, zeros_like,
};

/// `log(2 pi) / 2`.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// Poisson counts of mean `rate`, as `i32`: the chance of `k` is `rate^k exp(-rate) / k!`.
///
/// Rates count as `f32`, whatever their type, as in `jax.random`. A rate that is negative, NaN or
/// infinite gives -1.
#[track_caller]
#[doc(alias = "random.poisson")]
pub fn poisson(key: Key, shape: impl IntoShape, rate: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(typed("poisson", &shape, DType::F32, [("rate", rate.into())]).map(|[rate]| {
        let small = rate.ge(0.0) & rate.lt(10.0);
        let large = rate.ge(10.0) & rate.lt(f64::INFINITY);
        let few = knuth(key.reuse(), &shape, &select(&small, &rate, 0.0));
        let many = hoermann(key, &shape, &select(&large, &rate, 1e5), &large);
        select(&(small | &large), select(&large, many, few), -1.0).cast(DType::I32)
    }))
}

/// How many uniform numbers can be multiplied before the product is below `exp(-rate)`.
#[track_caller]
fn knuth(key: Key, shape: &Shape, rate: &Array) -> Array {
    let bound = -rate;
    let zero = zeros_like(rate);
    // A rate of zero counts one number less than none.
    let init = (zero.clone(), key, zero);
    let (count, ..) = while_loop(
        |(_, _, log): (Array, Key, Array)| log.gt(&bound).any(),
        |(count, key, log)| {
            let (key, now) = key.split();
            let count = select(&log.gt(&bound), &count + 1.0, count);
            (count, key, log + uniform_of(DType::F32, now, shape).log())
        },
        init,
    );
    (count - 1.0).maximum(0.0)
}

/// Transformed rejection, for rates from 10 upwards, if any element is `wanted`.
#[track_caller]
fn hoermann(key: Key, shape: &Shape, rate: &Array, wanted: &Array) -> Array {
    let b = rate.sqrt() * 2.53 + 0.931;
    let a = &b * 0.02483 - 0.059;
    let inverse = 1.1328 / (&b - 3.4) + 1.1239;
    let v_r = 0.9277 - 3.6224 / (&b - 2.0);
    let none = (!wanted.any()).broadcast_to(shape);
    let init = (full_like(rate, -1.0), none, key);
    let (count, ..) = while_loop(
        |(_, done, _): (Array, Array, Key)| (!done).any(),
        |(count, done, key)| {
            let [key, first, second] = thirds(key);
            let u = uniform_of(DType::F32, first, shape) - 0.5;
            let v = uniform_of(DType::F32, second, shape);
            let us = 0.5 - u.abs();
            let k = ((&a * 2.0 / &us + &b) * &u + rate + 0.43).floor();
            let s = (&v * &inverse / (&a / us.square() + &b)).log();
            let squeezed = us.ge(0.07) & v.le(&v_r);
            let outside = k.lt(0.0) | (us.lt(0.013) & v.gt(&us));
            let accepted = squeezed | (!outside & s.le(log_mass(&k, rate)));
            // Elements that are done go on: the last number that they accept counts.
            (select(&accepted, k, count), done | accepted, key)
        },
        init,
    );
    count
}

/// `k log(rate) - rate - log(k!)`, in terms that stay small: those of the plain form are of the
/// size of `k log(k)`, whose rounding errors in `f32` are whole numbers at rates of a million.
#[track_caller]
fn log_mass(k: &Array, rate: &Array) -> Array {
    let z = k + 1.0;
    let r = (rate - &z) / &z;
    &z * (r.log1p() - &r) - rate.log() + z.log() * 0.5 - HALF_LOG_TAU - stirling_tail(k)
}
