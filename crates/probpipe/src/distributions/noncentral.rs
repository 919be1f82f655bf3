//! Both tails of noncentral chi-squared distributions: sums of incomplete gamma functions with
//! Poisson weights. The smaller tail is summed, whose terms all have one sign, in the direction in
//! which each follows from the last by adding positive numbers; and the other is what it leaves.

use crate::distributions::bessel::log_kernel;
use crate::distributions::tails::{log_gammainc, log_gammaincc, log_power_over_gamma};
use probpipe_trace::{Array, DType, gammainccinv, gammaincinv, ones_like, select, while_loop};
use std::f64::consts::{LN_2, LN_10};

/// The logarithm of one tail at points: of what lies below where `lower`, else of what lies above.
pub(crate) struct Tail {
    log: Array,
    lower: Array,
}

impl Tail {
    #[track_caller]
    fn one(&self, wanted: &Array) -> Array {
        select(wanted, self.log.exp(), -self.log.expm1())
    }

    #[track_caller]
    fn log_of(&self, wanted: &Array) -> Array {
        let rest = (-select(wanted, -1.0, &self.log)).maximum(0.0).log1mexp();
        select(wanted, &self.log, rest)
    }

    #[track_caller]
    pub(crate) fn cdf(&self) -> Array {
        self.one(&self.lower)
    }

    #[track_caller]
    pub(crate) fn survival(&self) -> Array {
        self.one(&!&self.lower)
    }

    #[track_caller]
    pub(crate) fn log_cdf(&self) -> Array {
        self.log_of(&self.lower)
    }

    #[track_caller]
    pub(crate) fn log_survival(&self) -> Array {
        self.log_of(&!&self.lower)
    }
}

/// Of twice a number with `2 a` degrees of freedom and the noncentrality `2 m`, at `2 y`.
///
/// With `g(b) = y^b exp(-y) / gamma(b + 1)` the incomplete gamma functions are
/// `P(b) = P(b + 1) + g(b)` and `Q(b + 1) = Q(b) + g(b)`: with the quotients `s` of these terms the
/// summands `w(j) P(a + j)` follow downwards and `w(j) Q(a + j)` upwards, `w` being the weights.
/// Summing begins so many standard deviations before the largest of them, and ends so far after it,
/// that the others do not count.
#[track_caller]
pub(crate) fn tail(y: &Array, a: &Array, m: &Array) -> Tail {
    let one = ones_like(&(y + a + m));
    let [given, a, m] = [y, a, m].map(|x| x * &one);
    let double = one.dtype() == DType::F64;
    let far = far_out(&given, &a, &m, double);
    let usable = given.gt(0.0) & given.is_finite() & !&far;
    let y = &select(&usable, &given, &a + &m);
    let lower = &y.lt(&a + &m);
    let some = &m.gt(0.0);
    let safe = &select(some, &m, 1.0);

    let first = {
        let [y, a, m] = [y, &a, safe].map(Array::stop_gradient);
        let root = meeting(&y, &a, &m);
        let peak = select(lower, m.minimum(&root), m.maximum(&root));
        let (widths, more, digits) = if double { (9.0, 10.0, 20.0) } else { (6.0, 0.0, 10.0) };
        let reach = (&peak + 1.0).sqrt() * widths + more;
        // Terms after a largest one of less than 1 are in proportion to powers of it.
        let few = peak.lt(1.0);
        let powers = digits / (1.0 - select(&few, &peak, 1.0).log() * LN_10.recip());
        let down = select(&few, powers, &peak + &reach).ceil();
        select(lower, down, (peak - reach).floor().maximum(0.0))
    };
    let first = select(some, first, 0.0);
    let b = &(&a + &first);
    let left = select(lower, b, &a + 1.0);
    let right = select(lower, &a + 1.0, b);
    let log_gamma = select(lower, log_gammainc(&left, y), log_gammaincc(&right, y));
    // The term by which the first function differs from the next; after none there is none.
    let ends = lower & first.lt(0.5);
    let step = select(&ends, &a, select(lower, b - 1.0, b));
    let s = select(&ends, 0.0, &(log_term(&step, y) - &log_gamma)).exp();

    let digits = if double { 1e-17 } else { 1e-9 };
    let going = |sum: &Array, term: &Array| term.gt(sum * digits);
    let (_, _, _, sum) = while_loop(
        |(_, _, term, sum): (Array, Array, Array, Array)| going(&sum, &term).any(),
        |(j, s, term, sum)| {
            let going = going(&sum, &term);
            let growth = &s + 1.0;
            let weight = select(lower, &j / safe, &m / (&j + 1.0));
            let next = select(lower, (&j - 1.0).maximum(0.0), &j + 1.0);
            let b = &a + &next;
            let quotient = select(lower, &b / y, y / &b);
            let sum = &sum + select(&going, &term, 0.0);
            let term = select(&going, &term * weight * &growth, 0.0);
            (select(&going, next, j), select(&going, &s / growth * quotient, s), term, sum)
        },
        (first.clone(), s, one.clone(), &one * 0.0),
    );
    let count = select(some, &first, 0.0);
    let weight = log_term(&count, safe);
    let weight = select(some, weight, 0.0);
    // The parts may add up to a rounding more than 1.
    let log = (weight + log_gamma + sum.log()).minimum(0.0);
    let none = select(&given.is_nan(), &given, f64::NEG_INFINITY);
    let none = select(&far, beyond(&select(&far, &given, 1.0), &a, &m), none);
    let lower = select(&usable, lower, given.le(0.0));
    Tail { log: select(&usable, log, none), lower }
}

/// Where `w(j) g(a + j)` is largest.
#[track_caller]
fn meeting(y: &Array, a: &Array, m: &Array) -> Array {
    y * m * 2.0 / (a + (a.square() + y * m * 4.0).sqrt())
}

/// Points so far out that sums would be long.
#[track_caller]
fn far_out(y: &Array, a: &Array, m: &Array, double: bool) -> Array {
    let [y, a, m] = [y, a, m].map(Array::stop_gradient);
    let huge = y.gt(if double { 1e100 } else { 1e15 });
    let long = meeting(&select(&huge, 1.0, &y), &a, &m).gt(1e6);
    y.is_finite() & y.gt((a + m) * 16.0) & (huge | long)
}

/// The logarithm of what lies above such a point: the density over the rate at which it falls, of
/// which relative to the logarithm all digits count.
#[track_caller]
fn beyond(y: &Array, a: &Array, m: &Array) -> Array {
    let order = a - 1.0;
    let fall = 1.0 - (&order / y + ((&order / y).square() + m / y * 4.0).sqrt()) * 0.5;
    log_kernel(&order, y, m) - fall.log()
}

/// `log(x^b exp(-x) / gamma(b + 1))`, also of no `b`.
#[track_caller]
fn log_term(b: &Array, x: &Array) -> Array {
    let none = b.eq(0.0);
    let some = select(&none, 1.0, b);
    select(&none, -x, log_power_over_gamma(&some, x) - some.log())
}

/// The logarithm of the density at `x`.
#[track_caller]
pub(crate) fn log_density(x: &Array, df: &Array, noncentrality: &Array) -> Array {
    log_kernel(&(df * 0.5 - 1.0), &(x * 0.5), &(noncentrality * 0.5)) - LN_2
}

/// The point above which there is the probability `q` where `upper`, else below which.
///
/// The length of a normal vector about a point lies between the length about 0 and that with the
/// distance of the point, which puts bounds to the root; between them steps of Newton, or halving
/// where one would leave them.
#[track_caller]
pub(crate) fn quantile(q: &Array, upper: &Array, df: &Array, noncentrality: &Array) -> Array {
    let one = ones_like(&(q + df + noncentrality));
    let inner = q.gt(0.0) & q.lt(1.0);
    let level = select(&inner, q, 0.5) * &one;
    // By the side on which there is less.
    let more = level.gt(0.5);
    let upper_side = &(upper.ne(&more));
    let p = &select(&more, 1.0 - &level, &level);
    let log_p = &select(&more, (-&level).log1p(), level.log());
    let (df, noncentrality) = (&(df * &one), &(noncentrality * &one));
    let value = |x: &Array| {
        let tail = tail(&(x * 0.5), &(df * 0.5), &(noncentrality * 0.5));
        select(upper_side, tail.log_survival(), tail.log_cdf())
    };
    let fixed = [p, df, noncentrality].map(Array::stop_gradient);
    let root = {
        let [p, df, noncentrality] = &fixed;
        let half = df * 0.5;
        let tiny = if one.dtype() == DType::F64 { 1e-150 } else { 1e-18 };
        let central = |half: &Array| {
            let x = select(upper_side, gammainccinv(half, p), gammaincinv(half, p));
            (x * 2.0).sqrt().maximum(tiny)
        };
        // Vectors of fewer than one normal number there are none; they are shorter than one is.
        let (far, vector) = (noncentrality.sqrt(), df.ge(1.0));
        let (low, high) = (central(&half), central(&half.maximum(0.5)) + &far);
        let other = (gammainccinv(&half, p) * 2.0).sqrt();
        let near = select(&(&vector & !upper_side), &far - other, 0.0);
        let low = low.maximum(near);
        let start = normal_start(p, upper_side, df, noncentrality).maximum(&low).minimum(&high);
        let digits = if one.dtype() == DType::F64 { 4e-16 } else { 2e-7 };
        type Carry = (Array, Array, Array, Array, Array);
        let going = |r: &Array, change: &Array| change.abs().gt(r * digits);
        let (root, ..) = while_loop(
            |(r, _, _, change, count): Carry| (going(&r, &change) & count.lt(80.0)).any(),
            |(r, low, high, change, count): Carry| {
                let going = going(&r, &change);
                let x = r.square();
                let log = value(&x).stop_gradient();
                let off = &log - log_p.stop_gradient();
                let slope = (log_density(&x, df, noncentrality) - log).exp() * &r * 2.0;
                let slope = select(upper_side, -&slope, slope);
                let above = upper_side.ne(off.gt(0.0));
                let high = select(&(&going & &above), &r, high);
                let low = select(&(&going & !above), &r, low);
                let newton = &r - off / slope;
                let inside = newton.ge(&low) & newton.le(&high);
                let next = select(&inside, newton, (&low + &high) * 0.5);
                let change = select(&going, &next - &r, 0.0);
                (select(&going, next, r), low, high, change, count + 1.0)
            },
            (start, low, high.clone(), high, &one * 0.0),
        );
        root
    };
    let x = root.square().stop_gradient();
    // One more step carries the derivatives.
    let [_, fixed_df, fixed_noncentrality] = &fixed;
    let log = value(&x);
    let density = log_density(&x, fixed_df, fixed_noncentrality) - &log;
    let slope = select(upper_side, -1.0, 1.0) * density.stop_gradient().exp();
    let usable = slope.is_finite() & slope.ne(0.0);
    let moved = &x + select(&usable, log_p - log, 0.0) / select(&usable, slope, 1.0);
    let end = select(&(upper.ne(q.eq(0.0))), 0.0, f64::INFINITY);
    select(&inner, moved, select(&q.is_nan(), q, end))
}

/// The root of the quantile of the power of the number that is most nearly normal (M. Sankaran,
/// "Approximations to the non-central chi-square distribution", 1963).
#[track_caller]
fn normal_start(p: &Array, upper: &Array, df: &Array, noncentrality: &Array) -> Array {
    let z = p.ndtri();
    let z = select(upper, -&z, z);
    let (mean, twice) = (df + noncentrality, df + noncentrality * 2.0);
    let h = 1.0 - &mean * (df + noncentrality * 3.0) / twice.square() * (2.0 / 3.0);
    let spread = twice / mean.square();
    let curve = (&h - 1.0) * (1.0 - &h * 3.0);
    let centre = &h * &spread * (&h - 1.0 - (2.0 - &h) * &curve * &spread * 0.5) + 1.0;
    let width = &h * (&spread * 2.0).sqrt() * (curve * spread * 0.5 + 1.0);
    let base = (centre + z * width).maximum(1e-3);
    (mean * base.pow(h.recip())).sqrt()
}
