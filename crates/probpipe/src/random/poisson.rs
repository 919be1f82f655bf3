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

/// Up to this rate the plain form of a logarithm of a chance is right to a fraction of one.
const PLAIN: f64 = 262_144.0;

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

/// `k log(rate) - rate - log(k!)`.
///
/// The plain form is that of the reference, and with it decisions are the same. Its terms are of
/// the size of `k log(k)`, whose rounding errors in `f32` outgrow the sum at large rates; there the
/// terms of Stirling's formula take over, which stay small.
#[track_caller]
fn log_mass(k: &Array, rate: &Array) -> Array {
    let z = k + 1.0;
    let r = (rate - &z) / &z;
    let small_terms =
        &z * (r.log1p() - &r) - rate.log() + z.log() * 0.5 - HALF_LOG_TAU - stirling_tail(k);
    select(&rate.lt(PLAIN), fused(k, &rate.log(), &-rate) - log_factorial(k), small_terms)
}

/// `log(k!)` by the approximation of C. Lanczos (1964) with g = 7, which the reference uses: its
/// last places decide at rates of many thousands.
#[track_caller]
fn log_factorial(k: &Array) -> Array {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let first = full_like(k, 0.999_999_999_999_809_9);
    let sum = COEFFICIENTS.iter().zip(1..).fold(first, |sum, (&c, i)| sum + c / (k + f64::from(i)));
    let t = k + 7.5;
    let log_t = (k / 7.5).log1p() + 7.5f64.ln();
    let constant = full_like(k, HALF_LOG_TAU);
    fused(&(k + 0.5 - t / &log_t), &log_t, &constant) + sum.log()
}

/// `x y + c` rounded once, as the reference's compiler contracts it, for numbers whose products do
/// not overflow: the rounding errors of the product and of the sum are found and added.
///
/// Source: T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
#[track_caller]
fn fused(x: &Array, y: &Array, c: &Array) -> Array {
    // The upper half of the bits of an `f32`, whose products with such halves are exact.
    let halves = |x: &Array| {
        let upper = (x.bitcast(DType::U32) & 0xffff_f000u32).bitcast(DType::F32);
        let lower = x - &upper;
        (upper, lower)
    };
    let ((x1, x0), (y1, y0)) = (halves(x), halves(y));
    let product = x * y;
    let lost = &x0 * &y0 - (((&product - &x1 * &y1) - x0 * y1) - x1 * y0);
    let sum = &product + c;
    let back = &sum - &product;
    let rounded = (&product - (&sum - &back)) + (c - back);
    sum + (rounded + lost)
}
