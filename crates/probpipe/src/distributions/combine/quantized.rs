//! Numbers rounded up to integers.

use super::gate::draws;
use crate::constraints::Constraint;
use crate::distributions::parameters::require;
use crate::distributions::{Cdf, Distribution, LogProb, Quantile, Sample, Support, finite};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Loc, Result, Shape, Tree, broadcast_shapes, here, select,
};

/// The distribution of the least integer that is not below a draw of another, which is one of
/// numbers: the probability of `k` is `F(k) - F(k - 1)`, of the smaller tails, so that it is exact
/// far from the middle. With ends, draws beyond them count as the ends.
///
/// ```
/// use probpipe::distributions::Quantized;
/// use probpipe::prelude::*;
/// // The number of started hours is geometric.
/// let hours = Quantized::new(Exponential::new(0.5));
/// let want = (1.0 - (-0.5f32).exp()).ln() - 0.5 * 2.0;
/// assert!((hours.log_prob(&array(3)).item::<f32>()? - want).abs() < 1e-6);
/// let grades = Quantized::within(Normal::new(2.0, 1.5), 1, 5);
/// assert!((grades.prob(&arange(6)).sum().item::<f32>()? - 1.0).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
#[doc(alias = "tfp.QuantizedDistribution")]
pub struct Quantized<D> {
    base: D,
    low: Option<Array>,
    high: Option<Array>,
}

impl<D: Support<Value = Array>> Quantized<D> {
    /// Of all integers.
    pub fn new(base: D) -> Quantized<D> {
        Quantized { base, low: None, high: None }
    }

    /// Of the integers from `low` to `high`, of which the ends have all that lies beyond them. If
    /// known ends are no integers, or the lower one is not below the higher one, every use gives an
    /// error that says so.
    #[track_caller]
    pub fn within(base: D, low: impl Into<Array>, high: impl Into<Array>) -> Quantized<D> {
        let (low, high, location) = (low.into(), high.into(), here());
        let [low, high] = match fit(&low, &high, location) {
            Ok(()) => [low, high],
            Err(error) => [low, high].map(|_| Array::invalid(error.clone(), location)),
        };
        Quantized { base, low: Some(low), high: Some(high) }
    }

    /// The distribution of what is rounded.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// The error of ends, or of a base, that do not fit.
    #[track_caller]
    fn check(&self) -> Option<Array> {
        let mut ends = [&self.low, &self.high].into_iter().flatten();
        if let Some(end) = ends.find(|end| end.error().is_some()) {
            return Some(end.clone());
        }
        if self.base.event_shape().is_empty() && !self.base.support().is_integer() {
            return None;
        }
        let message = "a Quantized is made of a distribution that is none of single numbers";
        let error = Error::new(ErrorKind::Value, message)
            .help("integers are rounded already; of vectors round the draws");
        Some(Array::invalid(error, here()))
    }
}

/// Fails where ends are known and do not fit.
fn fit(low: &Array, high: &Array, location: Loc) -> Result<()> {
    require("Quantized", "low end", &Constraint::Integer, low, location)?;
    require("Quantized", "high end", &Constraint::Integer, high, location)?;
    let ordered = low.lt(high).all();
    if let Some(error) = ordered.error() {
        return Err(error.clone());
    }
    match ordered.known().and_then(|known| known.to_scalars().ok()) {
        Some(known) if known.iter().any(|ordered| ordered.as_f64() == 0.0) => {
            let message = "the low end of a Quantized must be below its high end";
            Err(Error::new(ErrorKind::Value, message)
                .at(location)
                .note("the low end was made", Some(low.location()))
                .note("the high end was made", Some(high.location()))
                .help("exchange them"))
        }
        _ => Ok(()),
    }
}

impl<D: Cdf<Value = Array> + Support> Quantized<D> {
    /// Integers as numbers of the type in which the base computes.
    #[track_caller]
    fn number(&self, x: &Array) -> Array {
        if x.error().is_some() || x.dtype().is_float() {
            return x.clone();
        }
        x.cast(self.base.cdf(&Array::from(0.5)).dtype())
    }

    /// Whether numbers are at the ends: nothing lies below the lower one, or above the higher one.
    #[track_caller]
    fn at_ends(&self, x: &Array) -> [Array; 2] {
        let none = || Array::from(false);
        [
            self.low.as_ref().map_or_else(none, |low| x.le(self.number(low))),
            self.high.as_ref().map_or_else(none, |high| x.ge(self.number(high))),
        ]
    }

    /// A function of distribution at the integer below `x`, with its values below and from above
    /// the ends.
    #[track_caller]
    fn at(&self, x: &Array, of: impl Fn(&Array) -> Array, below: f64, above: f64) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let k = self.number(x).floor();
        let value = of(&k);
        let [_, last] = self.at_ends(&k);
        let value = select(&last, above, value);
        match &self.low {
            Some(low) => select(&k.lt(self.number(low)), below, value),
            None => value,
        }
    }
}

impl<D: Support<Value = Array>> Distribution for Quantized<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let ends = [&self.low, &self.high].into_iter().flatten();
        ends.fold(self.base.batch_shape(), |batch, end| {
            broadcast_shapes(&batch, end.shape()).unwrap_or(batch)
        })
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>> Support for Quantized<D> {
    fn support(&self) -> Constraint {
        match (&self.low, &self.high, self.base.support()) {
            (Some(low), Some(high), _) => Constraint::IntegerInterval(low.clone(), high.clone()),
            (_, _, Constraint::Positive) => Constraint::PositiveInteger,
            (_, _, Constraint::NonNegative) => Constraint::NonNegativeInteger,
            _ => Constraint::Integer,
        }
    }
}

impl<D: Cdf<Value = Array> + Support> LogProb for Quantized<D> {
    /// `log(F(k) - F(k - 1))`; `-inf` of what is no integer or beyond the ends.
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let x = self.number(x);
        if x.error().is_some() {
            return x;
        }
        let finite = x.is_finite();
        let whole = select(&finite, &x, 0.0).floor();
        let mut inside = finite & x.eq(&whole);
        if let (Some(low), Some(high)) = (&self.low, &self.high) {
            inside = inside & x.ge(self.number(low)) & x.le(self.number(high));
        }
        let nothing = f64::NEG_INFINITY;
        // Where nothing lies on the side that is asked about, slopes have no bound: the base is
        // asked about a number that has some there.
        let inner = self.base.support().inner().map_or_else(|| Array::from(0.0), |x| x.ceil());
        let some = |k: &Array| {
            let (below, above) = (self.base.log_cdf(k), self.base.log_survival(&(k - 1.0)));
            !(below.eq(nothing) | above.eq(nothing))
        };
        let [first, last] = self.at_ends(&whole);
        let inside = inside & (some(&whole) | &first | &last);
        let k = &select(&(&inside & some(&whole)), &whole, inner.stop_gradient());
        let before = &(k - 1.0);
        let upper = self.base.survival(before).lt(0.5) & !&first;
        let none_below = self.base.log_cdf(before).eq(nothing);
        let none_above = self.base.log_survival(k).eq(nothing);
        let above = |x: &Array| self.base.log_survival(x);
        let below = |x: &Array| self.base.log_cdf(x);
        let more = select(&upper, above(before), select(&last, 0.0, below(k)));
        let less = select(
            &upper,
            above(&select(&none_above, before, k)),
            below(&select(&none_below, k, before)),
        );
        // What is not there takes nothing away.
        let none = select(&upper, none_above | &last, none_below | &first);
        let gap = select(&none, 1e3, &more - select(&none, 0.0, less));
        // Integers that are no more apart than rounding have no probability that is known.
        let same = gap.le(0.0);
        let part = select(&same, nothing, select(&same, 1.0, gap).log1mexp());
        let mut unknown = x.is_nan();
        for end in [&self.low, &self.high].into_iter().flatten() {
            unknown = unknown | self.number(end).is_nan();
        }
        select(&inside, more + part, select(&unknown, f64::NAN, nothing))
    }
}

impl<D: Sample<Value = Array> + Cdf + Support> Sample for Quantized<D> {
    /// Integers, which have no derivatives.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let mut draw = draws(&self.base, key, &shape, &self.batch_shape()).ceil();
        if let (Some(low), Some(high)) = (&self.low, &self.high) {
            draw = draw.maximum(self.number(low)).minimum(self.number(high));
        }
        draw.stop_gradient().cast(DType::I32)
    }

    fn enumerate(&self) -> Option<(Array, Array)> {
        finite::of(self)
    }
}

impl<D: Cdf<Value = Array> + Support> Cdf for Quantized<D> {
    fn cdf(&self, x: &Array) -> Array {
        self.at(x, |k| self.base.cdf(k), 0.0, 1.0)
    }

    fn survival(&self, x: &Array) -> Array {
        self.at(x, |k| self.base.survival(k), 1.0, 0.0)
    }

    fn log_cdf(&self, x: &Array) -> Array {
        self.at(x, |k| self.base.log_cdf(k), f64::NEG_INFINITY, 0.0)
    }

    fn log_survival(&self, x: &Array) -> Array {
        self.at(x, |k| self.base.log_survival(k), 0.0, f64::NEG_INFINITY)
    }
}

impl<D: Quantile<Value = Array> + Cdf + Support> Quantile for Quantized<D> {
    /// The least integer whose `cdf` is at least `q`.
    fn quantile(&self, q: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let mut k = self.base.quantile(q).ceil();
        // Rounding may have carried it over an integer.
        let early = self.base.cdf(&(&k - 1.0)).ge(q);
        let late = self.base.cdf(&k).lt(q);
        k = select(&early, &k - 1.0, select(&late, &k + 1.0, &k));
        if let (Some(low), Some(high)) = (&self.low, &self.high) {
            k = k.maximum(self.number(low)).minimum(self.number(high));
        }
        k.stop_gradient()
    }
}
