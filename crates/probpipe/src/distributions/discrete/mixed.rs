//! Distribution functions of counts whose probability has a beta distribution. They have no closed
//! form: the smaller tail is summed, whose terms all have one sign, and the other one is what it
//! leaves.

use super::masses::mixed_binomial;
use super::steps::log_series;
use probpipe_trace::{Array, DType, select, while_loop};

/// A logarithm of a tail: of all counts up to one where `lower`, of all above it elsewhere.
pub(super) struct Tail {
    pub(super) log: Array,
    pub(super) lower: Array,
}

impl Tail {
    #[track_caller]
    fn of(&self, wanted: bool) -> Array {
        let one = self.log.exp();
        let other = -self.log.expm1();
        if wanted { select(&self.lower, one, other) } else { select(&self.lower, other, one) }
    }

    #[track_caller]
    fn log_of(&self, wanted: bool) -> Array {
        let this = if wanted { self.lower.clone() } else { !&self.lower };
        let rest = (-select(&this, -1.0, &self.log)).maximum(0.0).log1mexp();
        select(&this, &self.log, rest)
    }

    #[track_caller]
    pub(super) fn cdf(&self) -> Array {
        self.of(true)
    }

    #[track_caller]
    pub(super) fn survival(&self) -> Array {
        self.of(false)
    }

    #[track_caller]
    pub(super) fn log_cdf(&self) -> Array {
        self.log_of(true)
    }

    #[track_caller]
    pub(super) fn log_survival(&self) -> Array {
        self.log_of(false)
    }
}

/// `of(j)` over `by(j)` for positive `j`, 0 elsewhere.
#[track_caller]
fn ratio(j: &Array, of: impl Fn(&Array) -> Array, by: impl Fn(&Array) -> Array) -> Array {
    let some = j.gt(0.0);
    let j = select(&some, j, 1.0);
    select(&some, of(&j) / by(&j), 0.0)
}

/// Of beta binomial counts at `k` below `n`, for shapes `a` and `b`.
#[track_caller]
pub(super) fn binomial(k: &Array, n: &Array, a: &Array, b: &Array) -> Tail {
    let lower = (k + 0.5).lt(n * (a / (a + b)));
    let first = select(&lower, k, k + 1.0);
    let rest = n - &first;
    // Going down from j, or going up to as many from the end, is one and the same.
    let (from, left) = (select(&lower, &first, &rest), select(&lower, &rest, &first));
    let (own, other) = (select(&lower, a, b), select(&lower, b, a));
    let series = log_series(&true.into(), |i| {
        let far = &left + i;
        let of = |j: &Array| j * (&far + &other);
        ratio(&(&from - i), of, |j| (&far + 1.0) * (j + &own - 1.0))
    });
    Tail { log: mixed_binomial(&first, &rest, a, b) + series, lower }
}

/// The logarithm of the probability of a beta negative binomial count.
#[track_caller]
pub(super) fn log_mass(k: &Array, n: &Array, a: &Array, b: &Array) -> Array {
    mixed_binomial(k, n, a, b) - (k / n).log1p()
}

/// Of beta negative binomial counts at `k`, with `n` events and the shapes `a` of what is counted
/// and `b`.
///
/// The upper tail falls like a power of the count only. Its terms `f(j)` are summed up to some
/// `J`; from there on, with `c = a + b + n` and `f_m(j) = G(n+j) G(a+j) / (G(j+1) G(c+j+m))`, the
/// difference of `j f_m(j)` from its successor is `(b+m) f_m(j) - ((b+m)(c+m) + n a) f_(m+1)(j)`,
/// so that the sum `F_m` of all `f_m` from `J` on is
/// `(J f_m(J) + ((b+m)(c+m) + n a) F_(m+1)) / (b+m)`: a series of positive terms.
#[track_caller]
pub(super) fn negative_binomial(k: &Array, n: &Array, a: &Array, b: &Array) -> Tail {
    let c = &(a + b + n);
    let lower = (k + 1.0).lt(n * a / (b + 1.0));
    let below = log_series(&lower, |i| {
        let of = |j: &Array| j * (c + j - 1.0);
        ratio(&(k - i), of, |j| (n + j - 1.0) * (a + j - 1.0))
    });
    let first = select(&lower, k, k + 1.0);
    let end = (c.sqrt() * 6.0 + 50.0).ceil();
    let end = select(&end.gt(&first), end, &first);
    let least = if c.dtype() == DType::F64 { 1e-20 } else { 1e-10 };
    let upper = &(!&lower & c.gt(0.0));
    let one = &first * 0.0 + c * 0.0 + 1.0;
    let open = |j: &Array, sum: &Array, term: &Array| upper & j.lt(&end) & term.gt(sum * least);
    let (_, sum, term) = while_loop(
        |(j, sum, term): (Array, Array, Array)| open(&j, &sum, &term).any(),
        |(j, sum, term)| {
            let open = open(&j, &sum, &term);
            let next = (n + &j) * (a + &j) / ((&j + 1.0) * (c + &j));
            let sum = select(&open, &sum + &term, sum);
            let term = select(&open, &term * next, term);
            (select(&open, &j + 1.0, j), sum, term)
        },
        (&first * &one, &one * 0.0, one),
    );
    let series = log_series(upper, |m| {
        let (bm, cm) = (b + m, c + m);
        (&bm * &cm + n * a) / ((bm + 1.0) * (cm + &end))
    });
    let above = (sum + term * &end / b * series.exp()).log();
    let beyond = select(&lower, below, select(upper, above, 0.0));
    Tail { log: log_mass(&first, n, a, b) + beyond, lower }
}
