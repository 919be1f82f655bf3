//! Distribution functions of counts, which are steps, and their inverses. Formulas of incomplete
//! gamma and beta functions are asked at whole numbers inside the support only.

use crate::distributions::search::least;
use probpipe_trace::{Array, beta_density, betainc, select};

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
