//! Learning rates that change from step to step: a few curves, and ways to make others of them.

use super::like;
use probpipe_trace::{Array, IntoShape, default_float, select};
use std::f64::consts::PI;
use std::fmt;
use std::rc::Rc;

/// A number for every step. A plain number, or an array of one, is the same at every step, so that
/// rules take either: `Sgd::new(0.1)`, `Sgd::new(Schedule::cosine(0.1, 1000.0, 0.0))`.
///
/// ```
/// use probpipe::optimize::Schedule;
/// let warmed = Schedule::linear(0.0, 0.1, 10.0).then(10.0, Schedule::exponential(0.1, 5.0, 0.5));
/// assert_eq!(warmed.at(5.0).item::<f32>()?, 0.05);
/// assert_eq!(warmed.at(15.0).item::<f32>()?, 0.05);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone)]
pub struct Schedule(Curve);

#[derive(Clone)]
enum Curve {
    Constant(Array),
    Of(Rc<dyn Fn(&Array) -> Array>),
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Curve::Constant(value) => value.fmt(f),
            Curve::Of(_) => f.write_str("Schedule"),
        }
    }
}

macro_rules! constants {
    ($($of:ty),+) => {$(
        impl From<$of> for Schedule {
            #[track_caller]
            fn from(value: $of) -> Schedule {
                Schedule(Curve::Constant(value.into()))
            }
        }
    )+};
}

constants!(f64, f32, i32, Array, &Array);

impl Schedule {
    /// One of your own: a function of the number of steps so far, a float.
    pub fn new(of: impl Fn(&Array) -> Array + 'static) -> Schedule {
        Schedule(Curve::Of(Rc::new(of)))
    }

    /// The value at a step, in the step's type if that is a float.
    #[track_caller]
    pub fn at(&self, step: impl Into<Array>) -> Array {
        let step = step.into();
        let step = if step.dtype().is_float() { step } else { step.cast(default_float()) };
        match &self.0 {
            Curve::Constant(value) => like(&step, value),
            Curve::Of(curve) => curve(&step),
        }
    }

    /// From one value to another in a number of steps, along a straight line.
    pub fn linear(from: impl Into<Array>, to: impl Into<Array>, steps: f64) -> Schedule {
        Schedule::polynomial(from, to, 1.0, steps)
    }

    /// From one value to another: `to + (from - to) (1 - step / steps)^power`.
    pub fn polynomial(
        from: impl Into<Array>,
        to: impl Into<Array>,
        power: f64,
        steps: f64,
    ) -> Schedule {
        let (from, to) = (from.into(), to.into());
        Schedule::new(move |step| {
            let (from, to) = (like(step, &from), like(step, &to));
            let left = 1.0 - step.clip(0.0, steps) / steps;
            let left = if power == 1.0 { left } else { left.pow(power) };
            (from - &to) * left + to
        })
    }

    /// `from rate^(step / steps)`.
    pub fn exponential(from: impl Into<Array>, steps: f64, rate: impl Into<Array>) -> Schedule {
        let (from, rate) = (from.into(), rate.into());
        Schedule::new(move |step| like(step, &from) * like(step, &rate).pow(step / steps))
    }

    /// As [`Schedule::exponential`], where only whole periods of `steps` count.
    pub fn staircase(from: impl Into<Array>, steps: f64, rate: impl Into<Array>) -> Schedule {
        let (from, rate) = (from.into(), rate.into());
        Schedule::new(move |step| like(step, &from) * like(step, &rate).pow((step / steps).floor()))
    }

    /// From a value to `alpha` times it, along half a cosine (Loshchilov and Hutter 2017,
    /// arXiv:1608.03983).
    pub fn cosine(from: impl Into<Array>, steps: f64, alpha: impl Into<Array>) -> Schedule {
        Schedule::cosine_power(from, steps, alpha, 1.0)
    }

    /// As [`Schedule::cosine`], with the cosine to a power.
    pub fn cosine_power(
        from: impl Into<Array>,
        steps: f64,
        alpha: impl Into<Array>,
        power: f64,
    ) -> Schedule {
        let (from, alpha) = (from.into(), alpha.into());
        Schedule::new(move |step| {
            let (from, alpha) = (like(step, &from), like(step, &alpha));
            let wave = (((step.minimum(steps) * (PI / steps)).cos()) + 1.0) * 0.5;
            let wave = if power == 1.0 { wave } else { wave.pow(power) };
            from * ((1.0 - &alpha) * wave + alpha)
        })
    }

    /// Up to a peak along a line, down along a cosine: both together take `steps` steps.
    pub fn warmup_cosine(from: f64, peak: f64, warmup: f64, steps: f64, end: f64) -> Schedule {
        let alpha = if peak == 0.0 { 0.0 } else { end / peak };
        let down = Schedule::cosine(peak, steps - warmup, alpha);
        Schedule::linear(from, peak, warmup).then(warmup, down)
    }

    /// Times a factor from every given step on.
    pub fn piecewise_constant(
        from: impl Into<Array>,
        factors: impl IntoIterator<Item = (f64, f64)>,
    ) -> Schedule {
        let from = from.into();
        let factors: Vec<(f64, f64)> = factors.into_iter().collect();
        Schedule::new(move |step| {
            factors.iter().fold(like(step, &from), |value, &(at, factor)| {
                let scaled = &value * factor;
                select(&step.ge(at), scaled, value)
            })
        })
    }

    /// Times a factor by every given step, along straight lines in between.
    pub fn piecewise_linear(
        from: impl Into<Array>,
        factors: impl IntoIterator<Item = (f64, f64)>,
    ) -> Schedule {
        Schedule::interpolated(from.into(), factors.into_iter().collect(), |part| part.clone())
    }

    /// Times a factor by every given step, along halves of cosines in between.
    pub fn piecewise_cosine(
        from: impl Into<Array>,
        factors: impl IntoIterator<Item = (f64, f64)>,
    ) -> Schedule {
        Schedule::interpolated(from.into(), factors.into_iter().collect(), |part| {
            (1.0 - (part * PI).cos()) * 0.5
        })
    }

    fn interpolated(
        from: Array,
        factors: Vec<(f64, f64)>,
        way: impl Fn(&Array) -> Array + 'static,
    ) -> Schedule {
        Schedule::new(move |step| {
            let (mut value, mut start) = (like(step, &from), 0.0);
            let mut now = value.clone();
            for &(end, factor) in &factors {
                let next = &value * factor;
                let part = ((step - start) / (end - start)).clip(0.0, 1.0);
                let between = &value + (&next - &value) * way(&part);
                now = select(&step.ge(start), between, now);
                (value, start) = (next, end);
            }
            now
        })
    }

    /// One cycle up to a peak and far down along cosines (Smith and Topin 2018, arXiv:1708.07120):
    /// from `peak / 25` over `start` of the steps, down to that over 10,000.
    pub fn cosine_one_cycle(steps: f64, peak: f64, start: f64) -> Schedule {
        let (div, last) = (25.0, 1e4);
        let way = [((start * steps).floor(), div), (steps, 1.0 / (div * last))];
        Schedule::piecewise_cosine(peak / div, way)
    }

    /// One cycle up to a peak, down again until `end` of the steps, and on to nearly nothing, along
    /// lines.
    pub fn linear_one_cycle(steps: f64, peak: f64, start: f64, end: f64) -> Schedule {
        let (div, last) = (25.0, 1e4);
        let corners = [(start * steps).floor(), (end * steps).floor()];
        let way = [(corners[0], div), (corners[1], 1.0 / div), (steps, 1.0 / last)];
        Schedule::piecewise_linear(peak / div, way)
    }

    /// This schedule before a step, and from there on another that counts from there.
    pub fn then(self, at: f64, next: impl Into<Schedule>) -> Schedule {
        let next = next.into();
        Schedule::new(move |step| {
            select(&step.lt(at), self.at(step), next.at((step - at).maximum(0.0)))
        })
    }

    /// This schedule, begun later: until then it has its first value.
    pub fn delayed(self, steps: f64) -> Schedule {
        Schedule::new(move |step| self.at((step - steps).maximum(0.0)))
    }

    /// This schedule, or a value where that is more.
    pub fn at_least(self, value: f64) -> Schedule {
        Schedule::new(move |step| self.at(step).maximum(value))
    }

    /// This schedule, or a value where that is less.
    pub fn at_most(self, value: f64) -> Schedule {
        Schedule::new(move |step| self.at(step).minimum(value))
    }

    /// The value at a step for a leaf: a number of the leaf's type.
    #[track_caller]
    pub(super) fn of(&self, leaf: &super::leafwise::Leaf<'_>) -> Array {
        self.at(&leaf.before).reshape(().into_shape())
    }
}
