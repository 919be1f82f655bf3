//! Distributions made of points: the empirical one, which draws them, and in `kde` the smooth one
//! around them.

mod kde;

pub use kde::{Bandwidth, Kde};

use super::formulas::probability;
use super::parameters::require;
use super::{
    Cdf, Distribution, JointValue, LogProb, Moments, Quantile, RealForm, RealRun, Sample, Support,
};
use crate::constraints::Constraint;
use crate::random::{randint, uniform_of};
use crate::record::Record;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, default_float, here,
    searchsorted, select, sort_key_val, with_location,
};

/// Points that are drawn with probabilities in proportion to weights, or equally often: arrays, or
/// any tree of arrays such as a [`Record`](crate::Record), whose leaves list the points along their
/// first axis. Draws of an inference, weighted or not, as a distribution.
///
/// Densities are masses: the share of the points that equal `x`. Moments are those of the points,
/// exact. Draws are differentiable in the points, not in the weights.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::Empirical;
/// let e = Empirical::weighted(array([1.0, 2.0, 4.0]), [1.0, 1.0, 2.0]);
/// assert_eq!(e.mean().item::<f32>()?, 2.75);
/// assert_eq!(e.cdf(&array(2.0)).item::<f32>()?, 0.5);
/// let r = Empirical::new(Record::new([("mu", zeros([100])), ("x", zeros([100, 3]))]));
/// assert_eq!(r.sample(Key::new(0), [5])["x"].shape(), [5, 3]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Empirical<V = Array> {
    values: V,
    weights: Option<Array>,
}

impl<V: Tree + Clone> Empirical<V> {
    /// Of points that are equally likely. No points, or leaves that are not as many, make every
    /// use an error that says so.
    #[track_caller]
    pub fn new(values: V) -> Empirical<V> {
        Empirical { values: settled(values, None), weights: None }
    }

    /// With weights `[n]`, which need not add up to 1. Known ones that are negative or NaN, or that
    /// are not as many as the points, make every use an error that says so.
    #[track_caller]
    pub fn weighted(values: V, weights: impl Into<Array>) -> Empirical<V> {
        let weights = weights.into();
        Empirical { values: settled(values, Some(&weights)), weights: Some(weights) }
    }

    /// With the logarithms of weights `[n]`, up to a constant.
    #[track_caller]
    pub fn from_log_weights(values: V, log_weights: impl Into<Array>) -> Empirical<V> {
        let logs = log_weights.into();
        let weights = if logs.rank() == 1 { logs.softmax(-1) } else { logs };
        Empirical::weighted(values, weights)
    }

    /// The points.
    pub fn values(&self) -> &V {
        &self.values
    }

    /// How many points there are.
    pub fn size(&self) -> usize {
        self.values.leaves().first().and_then(|x| x.shape().first().copied()).unwrap_or(0)
    }

    /// The probabilities of the points, `[n]`.
    #[track_caller]
    pub fn probs(&self) -> Array {
        with_location(here(), || match &self.weights {
            Some(weights) => weights / weights.sum(),
            None => {
                let n = self.size();
                probpipe_trace::full([n], 1.0 / n.max(1) as f64)
            }
        })
    }

    /// The number of points that would estimate as well if they were equally likely,
    /// `(sum w)^2 / sum w^2` (L. Kish, 1965).
    #[track_caller]
    pub fn effective_size(&self) -> Array {
        self.probs().square().sum().recip()
    }

    /// The means of all leaves.
    #[track_caller]
    pub fn means(&self) -> V {
        with_location(here(), || self.values.clone().map(|x| self.weigh(x)))
    }

    /// The weighted mean along the first axis.
    #[track_caller]
    fn weigh(&self, x: &Array) -> Array {
        if x.error().is_some() {
            return x.clone();
        }
        let x = if x.dtype().is_float() { x.clone() } else { x.cast(self.float()) };
        match &self.weights {
            None => x.mean_axes([0]),
            Some(_) => (over(&self.probs(), x.rank() - 1) * x).sum_axes([0]),
        }
    }

    /// The float type of statistics of integers.
    fn float(&self) -> DType {
        let typed = self.weights.as_ref().filter(|w| !w.is_weak() && w.dtype().is_float());
        typed.map_or_else(default_float, Array::dtype)
    }

    fn fault(&self) -> Option<Array> {
        self.values.leaves().into_iter().find(|x| x.error().is_some())
    }

    /// The shape of a draw of one leaf, or the number of numbers of all.
    fn event(&self) -> Shape {
        let leaves = self.values.leaves();
        let event = |x: &Array| Shape::from(x.shape().get(1..).unwrap_or_default());
        match &leaves[..] {
            [x] => event(x),
            all => {
                let size = all.iter().map(|x| event(x).iter().product::<usize>()).sum();
                Shape::from_slice(&[size])
            }
        }
    }
}

/// The points, or invalid ones where they or their weights do not fit.
#[track_caller]
fn settled<V: Tree + Clone>(values: V, weights: Option<&Array>) -> V {
    let location = here();
    match check(&values, weights) {
        Ok(()) => values,
        Err(error) => values.map(|_| Array::invalid(error.clone(), location)),
    }
}

#[track_caller]
fn check<V: Tree>(values: &V, weights: Option<&Array>) -> Result<()> {
    let fault = |message: String, help: &str| {
        Err(Error::new(ErrorKind::Shape, message).at(here()).help(help))
    };
    let leaves = values.leaves();
    let mut count = None;
    for x in &leaves {
        let shape = &x.ty()?.shape;
        let n = shape.first().copied().unwrap_or(0);
        if n == 0 || *count.get_or_insert(n) != n {
            let shapes: Vec<String> =
                leaves.iter().map(|x| ShapeDisplay(x.shape()).to_string()).collect();
            let message = format!("an Empirical is made of arrays of shapes {}", shapes.join(", "));
            return fault(message, "the first axis of each lists the points, at least one");
        }
    }
    let Some(weights) = weights else { return Ok(()) };
    let shape = &weights.ty()?.shape;
    if shape[..] != [count.unwrap_or(0)] {
        let message = format!(
            "an Empirical of {} points has weights of shape {}",
            count.unwrap_or(0),
            ShapeDisplay(shape)
        );
        return fault(message, "give one weight for each point");
    }
    if !weights.dtype().is_float() && !weights.is_weak() {
        let message = format!("the weights of an Empirical are {}", weights.dtype());
        return Err(Error::new(ErrorKind::DType, message)
            .at(here())
            .note("the weights were made", Some(weights.location()))
            .help("convert them, for example with `.cast(DType::F32)`"));
    }
    require("Empirical", "weights", &Constraint::NonNegative, weights, here())?;
    let total = weights.known().and_then(|value| value.to_scalars().ok());
    if total.is_some_and(|all| all.iter().all(|w| w.as_f64() == 0.0)) {
        return fault("all weights of an Empirical are 0".into(), "give one that is positive");
    }
    Ok(())
}

/// A number for each point, over `rank` axes of these.
#[track_caller]
fn over(x: &Array, rank: usize) -> Array {
    (0..rank).fold(x.clone(), |x, _| x.expand_dims(-1))
}

/// Places of drawn points.
#[track_caller]
fn places(key: Key, shape: &Shape, weights: Option<&Array>, n: usize) -> Array {
    let Some(weights) = weights else { return randint(key, shape, 0, n as i64) };
    let sums = weights.cumsum(-1);
    let u = uniform_of(weights.dtype(), key, shape);
    // The first sum that is greater: a point without weight has the sum of the one before it.
    let place = searchsorted(&sums, u * sums.at(-1), true);
    place.minimum(n as i64 - 1)
}

impl<V: Tree + Clone> Distribution for Empirical<V> {
    type Value = V;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    /// That of a point; of a tree of several leaves, the number of its numbers.
    fn event_shape(&self) -> Shape {
        self.event()
    }
}

impl<V: Tree + Clone> Sample for Empirical<V> {
    fn sample_shape(&self, key: Key, shape: Shape) -> V {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return self.values.clone().map(|_| error.clone());
            }
            let place = places(key, &shape, self.weights.as_ref(), self.size());
            self.values.clone().map(|x| x.take(&place, 0))
        })
    }

    /// The points; one that is there several times is listed as often.
    fn enumerate(&self) -> Option<(V, Array)> {
        Some((self.values.clone(), self.probs()))
    }
}

impl<V: Tree + Clone> LogProb for Empirical<V> {
    /// The logarithm of the share of points that equal `x` in all leaves.
    fn log_prob(&self, x: &V) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let (mut same, mut number) = (Array::from(true), Array::from(true));
            for (point, x) in self.values.leaves().iter().zip(x.leaves()) {
                if x.error().is_some() {
                    return x;
                }
                let rank = point.rank() - 1;
                let axes: Vec<isize> = (1..=rank as isize).map(|axis| -axis).collect();
                let all = |x: Array| if rank == 0 { x } else { x.all_axes(axes.clone()) };
                if x.rank() < rank {
                    let message = format!(
                        "an Empirical with events of shape {} is asked about an array of shape {}",
                        ShapeDisplay(&point.shape()[1..]),
                        ShapeDisplay(x.shape())
                    );
                    let error = Error::new(ErrorKind::Shape, message)
                        .note("the array was made", Some(x.location()))
                        .help("the last axes hold the events");
                    return Array::invalid(error, here());
                }
                same = same & all(x.expand_dims(-1 - rank as isize).eq(point));
                number = number & all(!x.is_nan());
            }
            let probs = self.probs();
            let mass = select(&same, &probs, 0.0).sum_axes([-1]);
            let some = mass.gt(0.0);
            let log = select(&some, select(&some, mass, 1.0).log(), f64::NEG_INFINITY);
            select(&number, log, f64::NAN)
        })
    }
}

impl RealForm for Empirical<Record> {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Record> {
        run.observed(path, self, <Record as JointValue>::of, "one of finitely many points")
    }
}

impl Support for Empirical<Array> {
    /// From the least of the points to the largest.
    fn support(&self) -> Constraint {
        with_location(here(), || {
            let values = &self.values;
            match values.rank().saturating_sub(1) {
                _ if values.error().is_some() => Constraint::Real,
                0 if values.dtype().is_integer() => {
                    Constraint::IntegerInterval(values.min(), values.max())
                }
                0 => Constraint::Interval(values.min(), values.max()),
                1 => Constraint::RealVector,
                _ => Constraint::RealMatrix,
            }
        })
    }
}

impl Moments for Empirical<Array> {
    fn mean(&self) -> Array {
        self.weigh(&self.values)
    }

    /// The mean of the squared distances from the mean.
    fn variance(&self) -> Array {
        self.weigh(&(&self.values - self.mean()).square())
    }
}

impl Empirical<Array> {
    /// The points in order, and the probabilities up to each and from each on.
    #[track_caller]
    fn steps(&self) -> std::result::Result<[Array; 3], Array> {
        if let Some(error) = self.fault() {
            return Err(error);
        }
        if self.values.rank() != 1 {
            let message = format!(
                "an Empirical with events of shape {} has no distribution function",
                ShapeDisplay(&self.event())
            );
            let error = Error::new(ErrorKind::Shape, message)
                .help("make one of the numbers that you ask about");
            return Err(Array::invalid(error, here()));
        }
        let (values, probs) = sort_key_val(&self.values, &self.probs(), 0);
        let zero = probs.slice_axis(0, 0..1) * 0.0;
        let up = probpipe_trace::concat([zero.clone(), probs.cumsum(0)], 0);
        let down = probpipe_trace::concat([probs.flip(0).cumsum(0).flip(0), zero], 0);
        Ok([values, up, down])
    }
}

impl Cdf for Empirical<Array> {
    /// The share of the points that are at most `x`.
    fn cdf(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.steps().map_or_else(
                |error| error,
                |[values, up, _]| {
                    let share = up.take(searchsorted(&values, x, true), 0).minimum(1.0);
                    select(&x.is_nan(), f64::NAN, share)
                },
            )
        })
    }

    fn survival(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.steps().map_or_else(
                |error| error,
                |[values, _, down]| {
                    let share = down.take(searchsorted(&values, x, true), 0).minimum(1.0);
                    select(&x.is_nan(), f64::NAN, share)
                },
            )
        })
    }
}

impl Quantile for Empirical<Array> {
    /// The least point at which the distribution function is at least `q`.
    fn quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            self.steps().map_or_else(
                |error| error,
                |[values, up, _]| {
                    let n = self.size();
                    let q = &probability(q);
                    let sums = up.slice_axis(0, 1..n + 1);
                    // Rounding of sums must not ask for a point more.
                    let reached = q * sums.at(-1) * (1.0 - 4.0 * epsilon(&sums));
                    let place = searchsorted(&sums, reached, false).minimum(n as i64 - 1);
                    let point = values.take(place, 0);
                    select(&q.is_nan(), f64::NAN, point)
                },
            )
        })
    }
}

/// What rounding makes of 1.
fn epsilon(x: &Array) -> f64 {
    if x.dtype() == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() }
}
