//! Any distribution of numbers, cut to what lies between ends. What cutting does to densities,
//! tails and quantiles is in `distributions::cut`.

use crate::bijectors::{between, ends};
use crate::constraints::Constraint;
use crate::distributions::continuous::{Gamma, Normal, gamma_cut, normal_cut};
use crate::distributions::cut::Cut;
use crate::distributions::finite;
use crate::distributions::formulas::{Seen, probability};
use crate::distributions::shapes::{is_lost, join, spread};
use crate::distributions::terms::open_uniform_of;
use crate::distributions::{
    Cdf, Distribution, Entropy, LogProb, Mode, Moments, Quantile, Sample, Support,
};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
    with_location,
};

/// A distribution of numbers under the condition that a draw lies between two ends, both included,
/// or on one side of one: of density `p(x) / P(low <= X <= high)`.
///
/// The probability between the ends is that of the smaller tails, by their logarithms, so densities
/// and draws are exact also where next to nothing of the base is left. Of counts, ends count as
/// the integers inside of them. An end may be infinite, which is none. Where the base has nothing
/// between the ends, densities are NaN.
///
/// Draws of continuous bases are reparameterised through the quantile. `Truncated<Normal>` and
/// `Truncated<Gamma>` have moments in closed form, as [`TruncatedNormal`] and its like; these are
/// the same distributions by their names in NumPyro.
///
/// [`TruncatedNormal`]: crate::TruncatedNormal
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{Poisson, Truncated};
/// let tail = Truncated::left(Normal::new(0.0, 1.0), 20.0);
/// assert!((tail.mean().item::<f32>()? - 20.0497).abs() < 1e-3);
/// let some = Truncated::left(Poisson::new(2.0), 1);
/// assert_eq!(some.prob(&array([0, 1])).at(0).item::<f32>()?, 0.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
#[doc(alias = "numpyro.TruncatedDistribution")]
pub struct Truncated<D> {
    base: D,
    low: Option<Array>,
    high: Option<Array>,
}

/// The numbers of an end, if they are known.
fn numbers(end: &Array) -> Option<Vec<f64>> {
    Some(end.known()?.to_scalars().ok()?.iter().map(|x| x.as_f64()).collect())
}

impl<D: Support<Value = Array>> Truncated<D> {
    /// What lies from `low` to `high`. Ends broadcast against the batch shape; known ones of which
    /// the first is not less (of counts, is greater), or that are NaN, make every use an error
    /// that says so.
    #[track_caller]
    pub fn new(base: D, low: impl Into<Array>, high: impl Into<Array>) -> Truncated<D> {
        with_location(here(), || {
            let (low, high) = (fraction(low.into()), fraction(high.into()));
            let wrong = numbers(&low).zip(numbers(&high)).and_then(|(a, b)| {
                let n = a.len().max(b.len());
                let paired = [a.len(), b.len()].iter().all(|&of| of == n || of == 1);
                let counts = base.support().is_integer();
                let pairs = (0..if paired { n } else { 0 }).map(|k| {
                    (a[if a.len() == 1 { 0 } else { k }], b[if b.len() == 1 { 0 } else { k }])
                });
                let mut pairs = pairs.filter(|(a, b)| !(a < b || counts && a == b));
                pairs.next()
            });
            if let Some((a, b)) = wrong {
                let message = format!(
                    "the low end of a Truncated must be less than its high end: low is {a} and high {b}"
                );
                let error = Error::new(ErrorKind::Value, message)
                    .note("low was made", Some(low.location()))
                    .note("high was made", Some(high.location()))
                    .help("exchange them, or write high as low plus a positive width");
                let wrong = Array::invalid(error, here());
                return Truncated { base, low: Some(wrong.clone()), high: Some(wrong) };
            }
            Truncated { base, low: Some(low), high: Some(high) }
        })
    }

    /// What lies from `low` on: the left tail is cut off.
    #[track_caller]
    pub fn left(base: D, low: impl Into<Array>) -> Truncated<D> {
        Truncated { base, low: Some(known(fraction(low.into()), "low", here())), high: None }
    }

    /// What lies up to `high`: the right tail is cut off.
    #[track_caller]
    pub fn right(base: D, high: impl Into<Array>) -> Truncated<D> {
        Truncated { base, low: None, high: Some(known(fraction(high.into()), "high", here())) }
    }

    /// The distribution that is cut.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// The lower end, if there is one.
    pub fn low(&self) -> Option<&Array> {
        self.low.as_ref()
    }

    /// The upper end, if there is one.
    pub fn high(&self) -> Option<&Array> {
        self.high.as_ref()
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        let own = [&self.low, &self.high].into_iter().flatten();
        if let Some(wrong) = own.clone().find(|end| end.error().is_some()) {
            return Some(wrong.clone());
        }
        let event = self.base.event_shape();
        if !event.is_empty() {
            let message = format!(
                "a Truncated is made of a distribution with events of shape {}",
                ShapeDisplay(&event)
            );
            let error = Error::new(ErrorKind::Shape, message)
                .help("cut numbers; `Independent` makes vectors of them afterwards");
            return Some(Array::invalid(error, here()));
        }
        let mut batch = self.base.batch_shape();
        if is_lost(&batch) {
            return None;
        }
        for end in own {
            let Some(both) = broadcast_shapes(&batch, end.shape()) else {
                let message = format!(
                    "the end {} of a Truncated and the batch shape {} of its base do not broadcast",
                    ShapeDisplay(end.shape()),
                    ShapeDisplay(&batch)
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the end was made", Some(end.location()))
                    .help("extents, aligned at the last axis, must be equal or 1");
                return Some(Array::invalid(error, here()));
            };
            batch = both;
        }
        None
    }

    fn counts(&self) -> bool {
        self.base.support().is_integer()
    }
}

impl<D: Support<Value = Array> + Cdf> Truncated<D> {
    /// The ends as formulas take them: floats; of counts the last one cut off, and the last one.
    #[track_caller]
    fn bounds(&self) -> [Option<Array>; 2] {
        let [low, high] = [&self.low, &self.high].map(|end| Some(float(&self.base, end.as_ref()?)));
        if !self.counts() {
            return [low, high];
        }
        // Ends that are literals stay known inside of traces.
        let whole = |end: Array, on_host: fn(f64) -> f64, traced: fn(&Array) -> Array| {
            literal(&end).map_or_else(|| traced(&end), |x| on_host(x).into())
        };
        let low = low.map(|low| whole(low, |x| x.ceil() - 1.0, |x| x.ceil() - 1.0));
        [low, high.map(|high| whole(high, f64::floor, Array::floor))]
    }

    /// The least and the largest number that there can be.
    #[track_caller]
    fn range(&self) -> [Option<Array>; 2] {
        let of = match self.base.support() {
            Constraint::NonNegativeInteger => (Some(0.0.into()), None),
            Constraint::PositiveInteger => (Some(1.0.into()), None),
            Constraint::Boolean => (Some(0.0.into()), Some(1.0.into())),
            Constraint::IntegerInterval(low, high) => {
                (Some(float(&self.base, &low)), Some(float(&self.base, &high)))
            }
            other => ends(&other),
        };
        let [low, high] = self.bounds();
        let low = if self.counts() { low.map(|low| next(&low)) } else { low };
        let both = |a: Option<Array>, b: Option<Array>, least: bool| match (a, b) {
            (Some(a), Some(b)) => Some(match (literal(&a), literal(&b)) {
                (Some(a), Some(b)) => if least { a.max(b) } else { a.min(b) }.into(),
                _ if least => a.maximum(b),
                _ => a.minimum(b),
            }),
            (a, b) => a.or(b),
        };
        [both(of.0, low, true), both(of.1, high, false)]
    }

    /// The numbers between the least and the largest, integers or not.
    #[track_caller]
    fn span(&self) -> Constraint {
        let [low, high] = self.range();
        between(low, high)
    }
}

/// Numbers as floats, of the type in which a distribution computes.
#[track_caller]
fn float<D: Cdf<Value = Array>>(base: &D, x: &Array) -> Array {
    if x.error().is_some() || x.dtype().is_float() {
        return x.clone();
    }
    if x.is_weak() { x * 1.0 } else { x.cast(base.cdf(&Array::from(0.5)).dtype()) }
}

/// The number that a literal is.
fn literal(end: &Array) -> Option<f64> {
    numbers(end).filter(|_| end.is_literal())?.first().copied()
}

/// A whole literal as a fractional one, so that it takes a float type.
fn fraction(end: Array) -> Array {
    literal(&end).map_or(end, Array::from)
}

/// The integer after one.
#[track_caller]
fn next(low: &Array) -> Array {
    literal(low).map_or_else(|| low + 1.0, |low| (low + 1.0).into())
}

/// An end, invalid where it is known and NaN.
#[track_caller]
fn known(end: Array, name: &str, location: probpipe_trace::Loc) -> Array {
    if !numbers(&end).is_some_and(|all| all.iter().any(|x| x.is_nan())) {
        return end;
    }
    let error = Error::new(ErrorKind::Value, format!("the {name} end of a Truncated is NaN"))
        .note("it was made", Some(end.location()))
        .help("`check_nan` names the line that made the first number that is none");
    Array::invalid(error, location)
}

/// The cut of a truncated distribution, for one expression.
macro_rules! cut {
    ($of:expr, $cut:ident => $formula:expr) => {{
        let [low, high] = $of.bounds();
        let $cut =
            &Cut { whole: &$of.base, low: low.as_ref(), high: high.as_ref(), counts: $of.counts() };
        $formula
    }};
}

impl<D: Support<Value = Array>> Distribution for Truncated<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let own = [&self.low, &self.high].into_iter().flatten();
        own.fold(self.base.batch_shape(), |batch, end| {
            broadcast_shapes(&batch, end.shape()).unwrap_or(batch)
        })
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array> + Cdf> Support for Truncated<D> {
    /// What both the base and the ends allow.
    fn support(&self) -> Constraint {
        with_location(here(), || {
            if !self.counts() {
                return self.span();
            }
            let [low, high] = self.range();
            let (least, most) = (f64::NEG_INFINITY.into(), f64::INFINITY.into());
            Constraint::IntegerInterval(low.unwrap_or(least), high.unwrap_or(most))
        })
    }
}

impl<D> LogProb for Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    /// `log p(x) - log P(low <= X <= high)`.
    fn log_prob(&self, x: &Array) -> Array {
        with_location(here(), || {
            if let Some(error) = self.check() {
                return error;
            }
            let x = &float(&self.base, x);
            let seen = Seen::by_density(&self.support(), x);
            seen.density(x, cut!(self, cut => cut.log_prob(&seen.at)))
        })
    }
}

impl<D> Sample for Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    /// Quantiles of uniform numbers; of counts, as `i32`.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        with_location(here(), || {
            if let Some(error) = self.check() {
                return error;
            }
            cut!(self, cut => {
                let dtype = cut.log_mass().dtype();
                let shape = join(&shape, &self.batch_shape());
                let x = cut.quantile(&open_uniform_of(dtype, key, &shape));
                if self.counts() { x.cast(DType::I32) } else { x }
            })
        })
    }

    fn enumerate(&self) -> Option<(Array, Array)> {
        finite::of(self)
    }
}

impl<D> Cdf for Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    fn cdf(&self, x: &Array) -> Array {
        with_location(here(), || self.tail(x, [0.0, 1.0], |cut, x| cut.log_cdf(x).exp()))
    }

    fn survival(&self, x: &Array) -> Array {
        with_location(here(), || self.tail(x, [1.0, 0.0], |cut, x| cut.log_survival(x).exp()))
    }

    fn log_cdf(&self, x: &Array) -> Array {
        with_location(here(), || self.tail(x, [f64::NEG_INFINITY, 0.0], |cut, x| cut.log_cdf(x)))
    }

    fn log_survival(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.tail(x, [0.0, f64::NEG_INFINITY], |cut, x| cut.log_survival(x))
        })
    }
}

impl<D> Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    /// A function of the distribution, of which the values below and above are given.
    #[track_caller]
    fn tail(&self, x: &Array, ends: [f64; 2], f: impl Fn(&Cut<'_, D>, &Array) -> Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let x = float(&self.base, x);
        let x = &if self.counts() { x.floor() } else { x };
        let seen = Seen::by_cdf(&self.span(), x);
        seen.cdf(x, ends, cut!(self, cut => f(cut, &seen.at)))
    }
}

impl<D> Quantile for Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    fn quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            let q = &probability(q);
            self.check().unwrap_or_else(|| cut!(self, cut => cut.quantile(q)))
        })
    }

    fn upper_quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            let q = &probability(q);
            self.check().unwrap_or_else(|| cut!(self, cut => cut.upper_quantile(q)))
        })
    }
}

impl<D> Truncated<D>
where
    D: LogProb<Value = Array> + Cdf + Quantile + Support,
{
    /// A statistic, spread over the batch shape.
    #[track_caller]
    fn shaped(&self, statistic: impl FnOnce(&Cut<'_, D>) -> Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let statistic = with_location(here(), || cut!(self, cut => statistic(cut)));
        if statistic.error().is_some() || statistic.is_weak() {
            return statistic;
        }
        let dtype = Some(statistic.dtype());
        spread(statistic, &self.batch_shape(), dtype)
    }
}

impl Moments for Truncated<Normal> {
    fn mean(&self) -> Array {
        self.shaped(normal_cut::mean)
    }

    fn variance(&self) -> Array {
        self.shaped(normal_cut::variance)
    }
}

impl Mode for Truncated<Normal> {
    fn mode(&self) -> Array {
        with_location(here(), || {
            self.shaped(|cut| {
                let mode = cut.whole.loc().clone();
                let mode = cut.low.map_or(mode.clone(), |low| mode.maximum(low));
                cut.high.map_or(mode.clone(), |high| mode.minimum(high))
            })
        })
    }
}

impl Entropy for Truncated<Normal> {
    fn entropy(&self) -> Array {
        self.shaped(normal_cut::entropy)
    }
}

impl Moments for Truncated<Gamma> {
    fn mean(&self) -> Array {
        self.shaped(gamma_cut::mean)
    }

    fn variance(&self) -> Array {
        self.shaped(gamma_cut::variance)
    }
}
