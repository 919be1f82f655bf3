//! Slice sampling along lines: by stepping out and shrinking (R. M. Neal, 2003, "Slice sampling",
//! figures 3 and 5).

use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{Place, either};
use crate::random::randint;
use probpipe_trace::{
    Array, Key, Tree, arange, fori_loop, normal_of, select, uniform_of, while_loop,
};

/// Points that are tried in a shrinking interval at most. Each leaves three quarters of it on
/// average, so that no float is left between its ends long before.
pub(super) const MOST: i32 = 200;

/// Samples along a random direction `L u`, with `u` uniform on the sphere and `L` the metric: draws
/// a level below the density, steps out from an interval of the given width until both ends lie
/// below the level, and shrinks it to points that do, until one lies above. A position of any
/// shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, Slice};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([2]))?;
/// let (draws, _) = Slice::new(1.0).sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Slice {
    /// The width of the first interval in units of the metric, a scalar.
    pub width: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// Most widths of an interval.
    #[tree(static)]
    pub most_widths: usize,
}

/// Samples the entries of a position one after another, a step being all of them, each as [`Slice`]
/// samples along its direction. A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{CoordinateSlice, Kernel};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new(1.0, [0.1, 10.0]).log_prob(&x).sum();
/// let target = Target::new(density, zeros([2]))?;
/// let kernel = CoordinateSlice::new([0.2, 20.0]);
/// let (draws, info) = kernel.sample(Key::new(0), &target, 1000)?;
/// assert!((draws.slice_axis(1, 0..1).mean().item::<f32>()? - 1.0).abs() < 0.02);
/// assert!(info.evaluations.min().item::<i32>()? >= 6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct CoordinateSlice {
    /// The widths of the first intervals: a scalar, or of the shape of a position.
    pub width: Array,
    /// Most widths of an interval.
    #[tree(static)]
    pub most_widths: usize,
}

/// What is known of a step of slice sampling.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct SliceInfo {
    /// How often the density was computed, `i32`.
    pub evaluations: Array,
}

impl Slice {
    /// With intervals of a first width, and at most 10 widths.
    pub fn new(width: impl Into<Array>) -> Slice {
        Slice { width: width.into(), metric: Metric::Unit, most_widths: 10 }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Slice {
        self.metric = metric;
        self
    }

    /// With another bound for the interval.
    pub fn most_widths(mut self, widths: usize) -> Slice {
        self.most_widths = widths;
        self
    }
}

impl CoordinateSlice {
    /// With intervals of a first width, and at most 10 widths.
    pub fn new(width: impl Into<Array>) -> CoordinateSlice {
        CoordinateSlice { width: width.into(), most_widths: 10 }
    }

    /// With another bound for the interval.
    pub fn most_widths(mut self, widths: usize) -> CoordinateSlice {
        self.most_widths = widths;
        self
    }
}

impl Kernel for Slice {
    type State = Place;
    type Info = SliceInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, SliceInfo) {
        let (for_direction, for_place) = cx.key.split();
        let x = &state.position;
        let z = normal_of(x.dtype(), for_direction, x.shape());
        let direction = self.metric.push(&(&z / z.norm())) * &self.width;
        let (place, evaluations) =
            along(for_place, cx.log_density, state, &direction, self.most_widths);
        (place, SliceInfo { evaluations })
    }
}

impl Kernel for CoordinateSlice {
    type State = Place;
    type Info = SliceInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, SliceInfo) {
        let (n, shape) = (state.position.size(), state.position.shape().to_vec());
        let entries = arange(n).reshape(shape);
        let start = (state, Array::from(0i32));
        let (place, evaluations) = fori_loop(n, start, |i, (place, evaluations)| {
            let one = entries.eq(&i).cast(place.position.dtype());
            let key = cx.key.reuse().fold_in(&i);
            let (place, more) =
                along(key, cx.log_density, place, &(one * &self.width), self.most_widths);
            (place, evaluations + more)
        });
        (place, SliceInfo { evaluations })
    }
}

/// An interval of multiples of a direction around 0, that shrinks.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Interval {
    low: Array,
    high: Array,
    place: Place,
    tries: Array,
    found: Array,
}

/// A place on the line through `from` in a direction, and how often the density was computed.
fn along(
    key: Key,
    log_density: LogDensity<'_>,
    from: Place,
    direction: &Array,
    most_widths: usize,
) -> (Place, Array) {
    let [for_level, for_ends, for_widths, for_points] = key.split_array();
    let dtype = from.position.dtype();
    let level = &from.log_density + uniform_of(from.log_density.dtype(), for_level, ()).log();
    let at = |t: &Array| Place::at(log_density, &from.position + t * direction);
    let inside = |t: &Array| at(t).log_density.ge(&level);
    // A number of the widths that may be added, drawn uniformly, is for the low end.
    let rest = (most_widths.max(1) - 1) as i32;
    let lower = randint(for_widths, (), 0, rest + 1);
    let out = |end: Array, by: f64, most: Array| {
        let open = inside(&end);
        let step = |(end, left, _): (Array, Array, Array)| {
            let end = end + by;
            let open = inside(&end);
            (end, left - 1, open)
        };
        let more = |(_, left, open): (Array, Array, Array)| open & left.gt(0);
        let (end, left, _) = while_loop(more, step, (end, most.clone(), open));
        (end, most - left + 1)
    };
    let low = -uniform_of(dtype, for_ends, ());
    let high = &low + 1.0;
    let (low, evaluations) = out(low, -1.0, lower.clone());
    let (high, more) = out(high, 1.0, rest - lower);
    let tries = Array::from(0i32);
    let start = Interval { low, high, place: from.clone(), tries, found: Array::from(false) };
    let end = while_loop(
        |t: Interval| !t.found & t.tries.lt(MOST),
        |t| {
            let part = uniform_of(dtype, for_points.reuse().fold_in(&t.tries), ());
            let point = &t.low + part * (&t.high - &t.low);
            let new = at(&point);
            // At least: the place itself must be found in spite of rounding.
            let found = new.log_density.is_finite() & new.log_density.ge(&level);
            let below = point.lt(0.0);
            Interval {
                low: select(&below, &point, t.low),
                high: select(below, t.high, point),
                place: either(&found, new, t.place),
                tries: t.tries + 1,
                found,
            }
        },
        start,
    );
    (end.place, evaluations + more + end.tries)
}
