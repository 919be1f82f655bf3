//! Modified Bessel functions of any order, of which order and argument are arrays, as densities
//! need them: within terms that would cancel, and with derivatives in the order. Those of orders
//! that are known when the program is made, for directions, are in `directional`.

use super::shapes::HALF_LOG_TAU;
use super::terms::log_power;
use probpipe_trace::{Array, fori_loop, select};
use std::f64::consts::LN_2;

/// From where on the expansion for large orders and arguments is used, in `sqrt(n^2 + x^2)`: it is
/// exact there with 14 terms. Up to there 52 terms of the series in powers are.
const FAR: f64 = 30.0;
const TERMS: usize = 14;
const POWERS: usize = 52;

/// `log(exp(-a - b) (a/b)^(n/2) I_n(2 sqrt(a b)))` of orders `n > -1`, for `a >= 0` and `b >= 0`:
/// the probability of the difference `n` of Poisson numbers of the means `a` and `b`.
///
/// By the power series (DLMF 10.25.2), whose terms are positive; beyond, by the expansion that
/// holds for all orders (DLMF 10.41.3), whose exponents are differences of what is expected.
#[track_caller]
pub(crate) fn log_kernel(n: &Array, a: &Array, b: &Array) -> Array {
    let square = n.square() + a * b * 4.0;
    let far = square.gt(FAR * FAR);
    let few = near(&select(&far, 0.0, n), &select(&far, 1.0, a), &select(&far, 1.0, b));
    let zero = a.eq(0.0);
    let many = {
        let usable = &far & !&zero;
        let of = |x: &Array, harmless: f64| select(&usable, x, harmless);
        large(&of(n, 0.0), &of(a, FAR), &of(b, FAR))
    };
    // Of large orders nothing is left at 0.
    select(&far, select(&zero, f64::NEG_INFINITY, many), few)
}

/// `n log a - log Gamma(n + 1) - a - b + log sum((a b)^k / (k! (n + 1)_k))`.
#[track_caller]
fn near(n: &Array, a: &Array, b: &Array) -> Array {
    let t = a * b;
    let sum = fori_loop(POWERS, &t * 0.0 + n * 0.0 + 1.0, |k, sum: Array| {
        let k = POWERS as f64 - k.cast(sum.dtype());
        sum * (&t / (&k * (n + &k))) + 1.0
    });
    log_power(n, a) - (n + 1.0).lgamma() - (a + b) + sum.log()
}

#[track_caller]
fn large(n: &Array, a: &Array, b: &Array) -> Array {
    let (total, apart) = (a + b, a - b);
    let r = (n.square() + a * b * 4.0).sqrt();
    let off = n - &apart;
    let rest = &off * ((n + apart) / (&r + total));
    // It is (n + r) / (2 a) less 1, of which nothing may be left beside that.
    let less = (off + &rest) / (a * 2.0);
    let lost = less.lt(-1.0 + 1e-6);
    let whole = (n + &r) / (a * 2.0);
    let log = select(&lost, select(&lost, whole, 1.0).log(), select(&lost, 0.0, less).log1p());
    let power = n * log;
    rest - power - (r.log() * 0.5 + HALF_LOG_TAU) + corrections(n, &r).log1p()
}

/// `u_1(p) / n + u_2(p) / n^2 + ...` with `p = n / r`, in powers of `1 / r` and of `p^2`.
#[track_caller]
fn corrections(n: &Array, r: &Array) -> Array {
    let (w, s) = (&r.recip(), &(n / r).square());
    let of = |row: &Vec<f64>| row.iter().rev().fold(s * 0.0, |sum, &c| sum * s + c);
    polynomials().iter().skip(1).rev().fold(w * 0.0, |sum, row| (sum + of(row)) * w)
}

/// Coefficients of `u_k(p) / p^k` in powers of `p^2`, by DLMF 10.41.9.
fn polynomials() -> Vec<Vec<f64>> {
    let mut all = vec![vec![1.0]];
    for k in 0..TERMS {
        let mut next = vec![0.0; k + 2];
        for (j, c) in all[k].iter().enumerate() {
            let power = (k + 2 * j) as f64;
            next[j] += c * (power / 2.0 + 0.125 / (power + 1.0));
            next[j + 1] -= c * (power / 2.0 + 0.625 / (power + 3.0));
        }
        all.push(next);
    }
    all
}

/// `log(K_1(x) exp(x))` for `x > 0`: by the series (DLMF 10.31.1) up to 2; beyond, by the integral
/// of `exp(-v^2 / 2) (1 + v^2 / (2 x)) / sqrt(1 + v^2 / (4 x))` over `sqrt(x)`, of which sums over
/// equal steps are exact.
#[track_caller]
pub(crate) fn log_k1e(x: &Array) -> Array {
    let far = x.gt(2.0);
    let (small, large) = (select(&far, 1.0, x), select(&far, x, 2.0));

    let t = (&small * 0.5).square();
    let mut rows = Vec::new();
    // 1 / (k! (k + 1)!) and digamma(k + 1) + digamma(k + 2)
    let (mut weight, mut digammas) = (1.0, 1.0 - 2.0 * EULER);
    for k in 1..=16 {
        rows.push((weight, digammas));
        let k = f64::from(k);
        weight /= k * (k + 1.0);
        digammas += 1.0 / k + 1.0 / (k + 1.0);
    }
    let log = small.log() - LN_2;
    let sum = rows.iter().rev().fold(&t * 0.0, |sum, (weight, digammas)| {
        sum * &t + (&log * (2.0 * weight) - weight * digammas)
    });
    let few = (&t * sum).log1p() - small.log() + &small;

    const STEP: f64 = 0.4;
    let inverse = large.recip();
    let sum = (0..24).rev().fold(&inverse * 0.0, |sum, k| {
        let square = (f64::from(k) * STEP).powi(2);
        let weight = (square * -0.5).exp() * if k == 0 { STEP / 2.0 } else { STEP };
        let root = (&inverse * (square / 4.0) + 1.0).sqrt();
        sum + (&inverse * (square / 2.0) + 1.0) / root * weight
    });
    select(&far, sum.log() - large.log() * 0.5, few)
}

/// The constant of Euler.
const EULER: f64 = 0.577_215_664_901_532_9;
