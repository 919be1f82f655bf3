//! Distribution functions of counts, which are steps, and their inverses. Formulas of incomplete
//! gamma and beta functions are asked at whole numbers inside the support only.

use crate::distributions::search::least;
use crate::distributions::terms::log_of;
use probpipe_trace::{Array, DType, beta_density, betainc, ones_like, select, while_loop};

/// `of` at the whole number at or below `x`; `below` under 0, `above` from `end` on.
#[track_caller]
pub(super) fn steps(
    x: &Array,
    end: &Array,
    (below, above): (f64, f64),
    of: impl Fn(&Array) -> Array,
) -> Array {
    let k = x.floor();
    let inside = k.ge(0.0) & k.lt(end);
    let outside = select(&k.lt(0.0), below, select(&x.is_nan(), x, above));
    select(&inside, of(&select(&inside, &k, 0.0)), outside)
}

/// No end of the support.
pub(super) fn endless() -> Array {
    Array::from(f64::INFINITY)
}

/// The incomplete beta function `I(a, b)` at `q = 1 - p`, whose rounding is made good where it is
/// no longer small beside `p`.
#[track_caller]
pub(super) fn betainc_of_complement(a: &Array, b: &Array, p: &Array, q: &Array) -> Array {
    let rounding = select(&q.lt(0.5), 0.0, (1.0 - q) - p);
    betainc(a, b, q) + (beta_density(a, b, q) * rounding).stop_gradient()
}

/// The logarithm of the probability `p` of a tail, of which `rest` is the other side. Where `p` is
/// too small a number it is that of the first count of the tail, and `beyond`: by how much the
/// logarithm of all of the tail is larger, where it is asked for.
#[track_caller]
pub(super) fn log_tail(
    p: &Array,
    rest: &Array,
    log_first: &Array,
    beyond: impl Fn(&Array) -> Array,
) -> Array {
    let lost = p.lt(if p.dtype() == DType::F64 { 1e-290 } else { 1e-30 });
    select(&lost, log_first + beyond(&lost), log_of(p, rest))
}

/// `log(1 + r(0) + r(0) r(1) + ..)` where `asked`, of ratios below 1 that fall.
#[track_caller]
pub(super) fn log_series(asked: &Array, ratio: impl Fn(&Array) -> Array) -> Array {
    let one = ones_like(&ratio(&Array::from(0.0)));
    let asked = asked & one.gt(0.0);
    let digits = digits(&one);
    let going = |sum: &Array, term: &Array| &asked & term.gt(sum * digits);
    let (_, sum, _) = while_loop(
        |(_, sum, term): (Array, Array, Array)| going(&sum, &term).any(),
        |(count, sum, term)| {
            let going = going(&sum, &term);
            let term = select(&going, term * ratio(&count), 0.0);
            (count + 1.0, sum + &term, term)
        },
        (&one * 0.0, one.clone(), one),
    );
    sum.log()
}

/// The logarithm of the hypergeometric function `2F1(1, b; c; -odds)` where `asked`, for `c > 1`
/// and odds that are small beside it, by the continued fraction of Gauss (DLMF 15.7.5). Its steps
/// are those of W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using
/// continued fractions", 1976.
#[track_caller]
pub(super) fn log_fraction(asked: &Array, b: &Array, c: &Array, odds: &Array) -> Array {
    let one = ones_like(&(b + c + odds));
    let asked = asked & one.gt(0.0);
    let digits = digits(&one);
    let (b, at) = (select(&asked, b, 1.0), select(&asked, c, 2.0));
    let odds = select(&asked, odds, 0.0);
    let safe = |y: Array| select(&y.eq(0.0), 1e-30, y);
    type Carry = (Array, Array, Array, Array, Array);
    let (_, value, ..) = while_loop(
        |(_, _, _, _, change): Carry| (&asked & change.abs().gt(digits)).any(),
        |(m, value, c, d, _): Carry| {
            let end = &at + &m * 2.0;
            let odd = (&b + &m) * &odds * ((&at + (&m - 1.0)) / (&end - 1.0)) / &end;
            let m = m + 1.0;
            let even = &m * &odds * ((&at - &b + (&m - 1.0)) / &end) / (&end + 1.0);
            let step =
                |by: &Array, c: &Array, d: &Array| (safe(by / c + 1.0), safe(by * d + 1.0).recip());
            let (c, d) = step(&odd, &c, &d);
            let value = value * &c * &d;
            let (c, d) = step(&even, &c, &d);
            let factor = &c * &d;
            (m, value * &factor, c, d, factor - 1.0)
        },
        (&one * 0.0, one.clone(), one.clone(), &one * 0.0, one),
    );
    -value.log()
}

/// What no longer counts beside 1.
fn digits(x: &Array) -> f64 {
    if x.dtype() == DType::F64 { 1e-16 } else { 1e-8 }
}

/// What a search for a quantile is about.
pub(super) struct Search<'a> {
    /// The probability, in [0, 1] or NaN.
    pub(super) q: &'a Array,
    /// Mean, standard deviation and skewness, from which it starts.
    pub(super) moments: [Array; 3],
    /// The end of the support, or infinity.
    pub(super) end: Array,
}

/// The least count at which the distribution function is at least `q`, so 0 of 0 and the end of
/// the support of 1. Above one half the survival function is compared, which is exact there. The
/// search begins at the quantile of a normal distribution, corrected for skewness (E. A. Cornish,
/// R. A. Fisher, 1938). Neither function may carry derivatives: the quantile is constant almost
/// everywhere.
#[track_caller]
pub(super) fn quantile(
    search: &Search<'_>,
    cdf: impl Fn(&Array) -> Array,
    survival: impl Fn(&Array) -> Array,
) -> Array {
    let q = &search.q.stop_gradient();
    let [mean, deviation, skewness] = search.moments.each_ref().map(Array::stop_gradient);
    let end = search.end.stop_gradient();
    let inner = q.gt(0.0) & q.lt(1.0);
    let level = select(&inner, q, 0.5);
    let z = level.ndtri();
    let start = &mean + deviation * (&z + &skewness * (z.square() - 1.0) * (1.0 / 6.0));
    let last = select(&end.lt(f64::INFINITY), &end - 1.0, 0.0);
    let last = select(&last.ge(0.0), last, 0.0);
    let start = select(&(start.ge(0.0) & start.lt(&end)), start.floor(), last) + &level * 0.0;
    let reaches = |k: &Array| {
        let lower = cdf(k).ge(&level);
        select(&level.lt(0.5), lower, survival(k).le(1.0 - &level))
    };
    let found = least(&start, &end, &reaches);
    let sure = select(&q.eq(1.0), &end, select(&q.eq(0.0), 0.0, q));
    select(&mean.is_nan(), &mean, select(&inner, found, sure))
}
