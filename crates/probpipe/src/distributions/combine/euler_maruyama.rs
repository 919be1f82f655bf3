//! Paths of stochastic differential equations, at given times.

use crate::constraints::Constraint;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, LogProb, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, concat, here, scan, select,
};
use probpipe_transforms::vmap;
use std::fmt;

/// A path of `dx = f(x, t) dt + g(x, t) dW` at given times, by the steps of Euler and Maruyama:
/// after a state `x` at the time `t` comes a normal one with the mean `x + f dt` and the standard
/// deviation `g sqrt(dt)` (G. Maruyama, "Continuous Markov processes and stochastic equations",
/// 1955).
///
/// `f` and `g` come from one function of a state and a time; an event has a state for each time,
/// the first of them drawn from a distribution. The function may use arrays of a trace that is
/// open where the path is made. The sampler is reparameterised where that of the first state is.
///
/// ```
/// use probpipe::distributions::EulerMaruyama;
/// use probpipe::prelude::*;
/// let drift = |x: &Array, _t: &Array| (-x, array(0.5));
/// let path = EulerMaruyama::new([0.0, 0.5, 1.0], drift, Normal::new(0.0, 1.0));
/// assert_eq!(path.sample(Key::new(0), [4]).shape(), [4, 3]);
/// // Two steps that are what is expected, of the variance 1/8.
/// let density = path.prob(&array([0.0, 0.0, 0.0])).item::<f32>()?;
/// assert!((density - 8.0 / (2.0 * std::f32::consts::PI).powf(1.5)).abs() < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone)]
pub struct EulerMaruyama<F, D> {
    t: Array,
    sde: F,
    initial: D,
}

impl<F, D> EulerMaruyama<F, D>
where
    F: Fn(&Array, &Array) -> (Array, Array),
    D: Distribution<Value = Array>,
{
    /// From the times `[n]`, a function that gives `f` and `g` of a state and a time, each of the
    /// shape of a state or broadcast to it, and the distribution of the first state. Times that are
    /// no vector, or known ones that do not increase, make every use an error.
    #[track_caller]
    pub fn new(t: impl Into<Array>, sde: F, initial: D) -> EulerMaruyama<F, D> {
        let (t, location) = (t.into(), here());
        let error = if t.error().is_some() {
            None
        } else if t.rank() != 1 || t.size() == 0 {
            let message = format!(
                "the times of an EulerMaruyama are a vector, not of shape {}",
                ShapeDisplay(t.shape())
            );
            Some(Error::new(ErrorKind::Shape, message).help("give the times [n], n at least 1"))
        } else {
            let set = &Constraint::OrderedVector;
            let held =
                crate::distributions::parameters::require("EulerMaruyama", "t", set, &t, location);
            held.err()
        };
        let t = match error {
            Some(error) => Array::invalid(error, location),
            None => t,
        };
        EulerMaruyama { t, sde, initial }
    }

    /// The times.
    pub fn times(&self) -> &Array {
        &self.t
    }

    /// The means of the states after `x`, and their standard deviations, at times and until the
    /// next; all share their leading axis.
    #[track_caller]
    fn steps(&self, x: &Array, t: &Array, dt: &Array) -> (Array, Array) {
        let each = vmap(|(x, (t, dt)): (Array, (Array, Array))| {
            let (f, g) = (self.sde)(&x, &t);
            let none = &x * 0.0;
            (&x + f * &dt, g * dt.sqrt() + none)
        });
        each((x.clone(), (t.clone(), dt.clone())))
    }

    fn intervals(&self) -> usize {
        self.t.size().saturating_sub(1)
    }
}

impl<F, D: fmt::Debug> fmt::Debug for EulerMaruyama<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("EulerMaruyama");
        shown.field("t", &self.t).field("initial", &self.initial).finish_non_exhaustive()
    }
}

impl<F, D: Distribution<Value = Array>> Distribution for EulerMaruyama<F, D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.initial.batch_shape()
    }

    fn event_shape(&self) -> Shape {
        join(&[if self.t.rank() == 1 { self.t.size() } else { 0 }], &self.initial.event_shape())
    }
}

impl<F, D: Support<Value = Array>> Support for EulerMaruyama<F, D> {
    fn support(&self) -> Constraint {
        Constraint::Real
    }
}

impl<F, D> LogProb for EulerMaruyama<F, D>
where
    F: Fn(&Array, &Array) -> (Array, Array),
    D: LogProb<Value = Array>,
{
    fn log_prob(&self, x: &Array) -> Array {
        let (event, state) = (self.event_shape(), self.initial.event_shape());
        if self.t.error().is_some() {
            return self.t.clone();
        }
        if x.error().is_some() {
            return x.clone();
        }
        if x.rank() < event.len() || x.shape()[x.rank() - event.len()..] != event[..] {
            let message = format!(
                "an EulerMaruyama over events of shape {} is asked about an array of shape {}",
                ShapeDisplay(&event),
                ShapeDisplay(x.shape())
            );
            let error = Error::new(ErrorKind::Shape, message);
            return Array::invalid(error.help("the last axes hold a state for each time"), here());
        }
        let axis = -(event.len() as isize);
        let n = self.intervals();
        let first = self.initial.log_prob(&x.slice_axis(axis, 0..1).squeeze(axis));
        if n == 0 || first.error().is_some() {
            return first;
        }
        // All states but the last, one after the other: they may be asked about together.
        let lead: Shape = x.shape()[..x.rank() - event.len()].into();
        let flat = |part: Array| part.reshape(join(&[lead.iter().product::<usize>() * n], &state));
        let many = |t: Array| t.broadcast_to(join(&lead, &[n])).flatten();
        let before = flat(x.slice_axis(axis, 0..n));
        let (t, dt) = (many(self.t.slice_axis(0, 0..n)), many(self.t.diff(1, 0)));
        let (mean, deviation) = self.steps(&before, &t, &dt);
        let after = flat(x.slice_axis(axis, 1..n + 1));
        let z = (after - mean) / &deviation;
        let each = z.square() * -0.5 - deviation.log() - HALF_LOG_TAU;
        let shaped = each.reshape(join(&lead, &join(&[n], &state)));
        let axes: Vec<isize> = (1..=event.len() as isize).map(|axis| -axis).collect();
        let total = first + shaped.sum_axes(axes.clone());
        // No path goes through infinity.
        let endless = x.is_inf().any_axes(axes.clone()) & !x.is_nan().any_axes(axes);
        select(&endless, f64::NEG_INFINITY, total)
    }
}

impl<F, D> Sample for EulerMaruyama<F, D>
where
    F: Fn(&Array, &Array) -> (Array, Array),
    D: Sample<Value = Array>,
{
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.t.error().is_some() {
            return self.t.clone();
        }
        let (of_first, of_noise) = key.split();
        let (n, state) = (self.intervals(), self.initial.event_shape());
        let first = self.initial.sample_shape(of_first, shape.clone());
        if first.error().is_some() {
            return first;
        }
        let axis = -(state.len() as isize) - 1;
        if n == 0 {
            return first.expand_dims(axis);
        }
        let lead = join(&shape, &self.initial.batch_shape());
        let count = lead.iter().product::<usize>();
        let flat = first.reshape(join(&[count], &state));
        let noise = normal_of(first.dtype(), of_noise, join(&[n, count], &state));
        let times = (noise, (self.t.slice_axis(0, 0..n), self.t.diff(1, 0)));
        let (_, rest) =
            scan(flat.clone(), times, |x: Array, (z, (t, dt)): (Array, (Array, Array))| {
                let (t, dt) = (t.broadcast_to([count]), dt.broadcast_to([count]));
                let (mean, deviation) = self.steps(&x, &t, &dt);
                let next = (deviation * z + mean).cast(x.dtype());
                (next.clone(), next)
            });
        let all = concat([flat.expand_dims(0), rest], 0).move_axis(0, 1);
        all.reshape(join(&lead, &self.event_shape()))
    }
}
