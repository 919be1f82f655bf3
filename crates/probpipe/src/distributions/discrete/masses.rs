//! Logarithms of probabilities of counts, to the last digits however large the counts are. A
//! difference of logarithms of factorials cancels; what it leaves is computed instead: errors of
//! Stirling's formula, which are small, and deviances, which are differences from what is expected.
//! Derivatives of these are as exact. Counts are floats within the support.
//!
//! Source: C. Loader, "Fast and accurate computation of binomial probabilities", 2000; the same
//! for counts whose probability has a beta distribution is derived at [`mixed_binomial`].

use super::stirling::{error_from_one, is_single, stirling_error};
use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::{Array, DType, select};
use probpipe_transforms::custom_jvp;

/// A logarithm of the probability of a count.
pub(super) type LogMass<'a> = &'a dyn Fn(&Array) -> Array;

/// `log(rate^k exp(-rate) / k!)`.
#[track_caller]
pub(super) fn poisson(k: &Array, rate: &Array) -> Array {
    poisson_by_log(k, rate, &rate.log())
}

/// [`poisson`] of a rate whose logarithm is known better: it may be zero or infinite.
#[track_caller]
pub(super) fn poisson_by_log(k: &Array, rate: &Array, log_rate: &Array) -> Array {
    let none = k.eq(0.0);
    let k = select(&none, 1.0, k);
    let deviance = deviance(&k, &(rate - &k), &(log_rate - k.log()));
    let factorial = error_from_one(&k) + (k.log() * 0.5 + HALF_LOG_TAU);
    select(&none, -rate, -(deviance + factorial))
}

/// What is counted: `k` of one kind and `m` of another, of which `m` need not be whole.
pub(super) struct Counts<'a> {
    pub(super) k: &'a Array,
    pub(super) m: &'a Array,
    /// Their sum.
    pub(super) n: &'a Array,
    /// The error of Stirling's formula for `m`.
    pub(super) error_of_m: fn(&Array) -> Array,
}

/// `log(C(n, k) p^k q^m)` of counts. `excess` is `n p - k`, which the caller computes without
/// cancellation as far as it can.
#[track_caller]
pub(super) fn binomial(counts: &Counts<'_>, excess: &Array, log_p: &Array, log_q: &Array) -> Array {
    let Counts { k, m, n, error_of_m } = *counts;
    let (no_k, no_m) = (k.eq(0.0), m.eq(0.0));
    let edge = select(&no_k, select(&no_m, 0.0, m * log_q), k * log_p);
    let (k, m) = (select(&no_k, 1.0, k), select(&no_m, 1.0, m));
    let of_k = deviance(&k, excess, &(log_p + (&m / &k).log1p()));
    let of_m = deviance(&m, &-excess, &(log_q + (&k / &m).log1p()));
    let errors = error_from_one(&select(&n.eq(0.0), 1.0, n)) - error_from_one(&k) - error_of_m(&m);
    select(&(no_k | no_m), edge, coefficient_of(&errors, &k, &m) - (of_k + of_m))
}

/// `log(C(k + m, k) B(a + k, b + m) / B(a, b))`: [`binomial`] where `p` has a beta distribution.
///
/// Beta functions are inverse binomial coefficients, and each coefficient is [`coefficient`] times
/// a power of frequencies. The powers of the three together are four deviances: of `k` and `m` from
/// their shares in `k + m`, and of `a` and `b` from theirs in `a + b`, where the shares are those
/// of `a + k` and `b + m` in the sum of all. They differ by one and the same excess.
#[track_caller]
pub(super) fn mixed_binomial(k: &Array, m: &Array, a: &Array, b: &Array) -> Array {
    let (of_k, of_m) = (a + k, b + m);
    let total = &of_k + &of_m;
    let rounding = (rounding_of_product(m, a) - rounding_of_product(k, b)).stop_gradient();
    let excess = (m * a - k * b + rounding) / total;
    let (log_p, log_q) = (-(&of_m / &of_k).log1p(), -(&of_k / &of_m).log1p());
    let powers = binomial_powers(k, m, &excess, &log_p, &log_q)
        + deviance(a, &-&excess, &(&log_p + (b / a).log1p()))
        + deviance(b, &excess, &(&log_q + (a / b).log1p()));
    let (no_k, no_m) = (k.eq(0.0), m.eq(0.0));
    let (some_k, some_m) = (select(&no_k, 1.0, k), select(&no_m, 1.0, m));
    let counts = select(&(no_k | no_m), 0.0, coefficient(&some_k, &some_m));
    let sizes = ((k + m) / (a + b)).log1p() - (k / a).log1p() - (m / b).log1p();
    counts + (coefficient(a, b) - coefficient(&of_k, &of_m)) + sizes - powers
}

/// The deviances of counts that may be zero.
#[track_caller]
fn binomial_powers(k: &Array, m: &Array, excess: &Array, log_p: &Array, log_q: &Array) -> Array {
    let (no_k, no_m) = (k.eq(0.0), m.eq(0.0));
    let (some_k, some_m) = (select(&no_k, 1.0, k), select(&no_m, 1.0, m));
    let of_k = deviance(&some_k, excess, &(log_p + (m / &some_k).log1p()));
    let of_m = deviance(&some_m, &-excess, &(log_q + (k / &some_m).log1p()));
    select(&no_k, excess, of_k) + select(&no_m, -excess, of_m)
}

/// `x log(x / mean) + mean - x` of numbers from 0 upwards: what a chance or a rate adds to a
/// divergence. Infinite where only `mean` is zero.
#[track_caller]
pub(super) fn divergence(x: &Array, mean: &Array) -> Array {
    let none = x.eq(0.0);
    let some = select(&none, 1.0, x);
    let log_ratio = select(&none, 1.0, mean).log() - some.log();
    select(&none, mean, deviance(&some, &(mean - x), &log_ratio))
}

/// [`divergence`] of `exp(log_x)` from `exp(log_mean)`, where the logarithms are known better.
#[track_caller]
pub(super) fn divergence_of_logs(log_x: &Array, log_mean: &Array) -> Array {
    let (x, step) = (&log_x.exp(), &(log_mean - log_x));
    let close = step.abs().lt(0.2);
    let near = less_log1p(&select(&close, step, 0.0).expm1());
    // The step may be far more than the number is small.
    let far = log_mean.exp() - x - x * step;
    select(&close, x * near, far)
}

/// The entropy of probabilities whose logarithms are these, `[..., n]`.
#[track_caller]
pub(super) fn entropy_of_logs(log_probs: &Array) -> Array {
    let some = log_probs.gt(f64::NEG_INFINITY) | log_probs.is_nan();
    let logs = select(&some, log_probs, 0.0);
    -select(&some, logs.exp() * &logs, 0.0).sum_axes([-1])
}

/// The divergence of trials that succeed with chance `p` from those with chance `q`.
#[track_caller]
pub(super) fn divergence_of_trials(p: &Array, q: &Array) -> Array {
    divergence(p, q) + divergence(&(1.0 - p), &(1.0 - q))
}

/// `log(C(n, k) (k/n)^k (m/n)^m)` where `n = k + m`, for positive `k` and `m`.
#[track_caller]
fn coefficient(k: &Array, m: &Array) -> Array {
    let errors = stirling_error(&(k + m)) - stirling_error(k) - stirling_error(m);
    coefficient_of(&errors, k, m)
}

#[track_caller]
fn coefficient_of(errors: &Array, k: &Array, m: &Array) -> Array {
    errors + (k.recip() + m.recip()).log() * 0.5 - HALF_LOG_TAU
}

/// `x log(x / mean) + mean - x`, from `excess = mean - x` and the logarithm of `mean / x`. Where
/// these are close it is `x (d - log(1 + d))` with `d = excess / x`.
#[track_caller]
fn deviance(x: &Array, excess: &Array, log_ratio: &Array) -> Array {
    let d = excess / x;
    let close = d.abs().lt(0.25);
    let near = x * less_log1p(&select(&close, &d, 0.0));
    select(&close, near, excess - x * log_ratio)
}

/// `d - log(1 + d)` for `|d| <= 1/4`, of slope `d / (1 + d)`. With `v = d / (2 + d)` the logarithm
/// is `2 atanh(v)`, and `d - 2 v` is `d v`, so that only small terms of one sign or of higher order
/// are left.
#[track_caller]
fn less_log1p(d: &Array) -> Array {
    let value = |d: Array| {
        let v = &d / (&d + 2.0);
        let t = v.square();
        let terms = if is_single(&d) { 5 } else { 10 };
        let term = |j: i32| 1.0 / f64::from(2 * j + 1);
        let series = (1..terms).rev().fold(&t * 0.0 + term(terms), |sum, j| sum * &t + term(j));
        v * (d - t * series * 2.0)
    };
    let rule = |d: Array, tangent: Array| (less_log1p(&d), tangent * (&d / (&d + 1.0)));
    // What has a rule of its own has a type of its own.
    if d.is_weak() { value(d.clone()) } else { custom_jvp(value, rule)(d.clone()) }
}

/// `n p - k` for whole `k` up to `n` and `m = n - k`, from the smaller of `p` and `q = 1 - p`.
#[track_caller]
pub(super) fn excess_of_trials(counts: &Counts<'_>, p: &Array, q: &Array) -> Array {
    let Counts { k, m, n, .. } = *counts;
    let rare = p.lt(0.5);
    let (chance, count) = (select(&rare, p, q), select(&rare, k, m));
    let excess = n * &chance - count + rounding_of_product(n, &chance).stop_gradient();
    select(&rare, &excess, -&excess)
}

/// `a b` less its rounded value: halves of the digits multiply exactly (T. J. Dekker, 1971).
#[track_caller]
pub(super) fn rounding_of_product(a: &Array, b: &Array) -> Array {
    let halves = |x: &Array| {
        // One more than two to the power of half the digits.
        let factor = if x.dtype() == DType::F64 { 134_217_729.0 } else { 4097.0 };
        let scaled = x * factor;
        let high = &scaled - (&scaled - x);
        let low = x - &high;
        (high, low)
    };
    let ((a1, a0), (b1, b0)) = (halves(a), halves(b));
    &a1 * &b1 - a * b + &a1 * &b0 + &a0 * &b1 + &a0 * &b0
}
