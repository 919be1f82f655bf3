//! Distributions of angles made lopsided.

use crate::constraints::Constraint;
use crate::distributions::parameters::require;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use crate::random::uniform_of;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here, select,
};
use std::f64::consts::TAU;

/// The distribution of angles whose density is that of another times
/// `1 + sum(skewness sin(x - mean))` (J. Ameijeiras-Alonso, C. Ley, "Sine-skewed toroidal
/// distributions and their application in protein bioinformatics", 2022). The other one must be
/// symmetric about its mean, as [`SineBivariateVonMises`](super::SineBivariateVonMises) and
/// independent copies of [`VonMises`](crate::distributions::VonMises) are.
///
/// Draws are reflected at the mean where a uniform number says so; they are differentiable as those
/// of the other are, but not in the skewness.
///
/// ```
/// use probpipe::distributions::{Independent, SineSkewed, VonMises};
/// use probpipe::prelude::*;
/// let angles = Independent::new(VonMises::new([0.0, 1.0], 2.0), 1);
/// let skewed = SineSkewed::new(angles.clone(), [0.5, -0.25]);
/// let x = array([0.5, 0.5]);
/// let factor = 1.0 + 0.5 * 0.5f32.sin() - 0.25 * (-0.5f32).sin();
/// let more = skewed.prob(&x) / angles.prob(&x);
/// assert!((more.item::<f32>()? - factor).abs() < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct SineSkewed<D> {
    base: D,
    skewness: Array,
}

impl<D: Distribution<Value = Array> + Moments> SineSkewed<D> {
    /// From a distribution of `k` angles and as many numbers `[..., k]`, whose absolute values add
    /// up to at most 1. Others, known, or of another shape, make every use an error.
    #[track_caller]
    pub fn new(base: D, skewness: impl Into<Array>) -> SineSkewed<D> {
        let (skewness, location) = (skewness.into(), here());
        let event = base.event_shape();
        let fits = event.len() == 1
            && skewness.rank() > 0
            && skewness.shape()[skewness.rank() - 1] == event[0]
            && broadcast_shapes(&skewness.shape()[..skewness.rank() - 1], &base.batch_shape())
                .is_some_and(|common| common == base.batch_shape());
        let ball = &Constraint::L1Ball;
        let held = require("SineSkewed", "skewness", ball, &skewness, location);
        let skewness = match held {
            _ if skewness.error().is_some() => skewness,
            _ if !fits => {
                let message = format!(
                    "the skewness {} of a SineSkewed does not fit events of shape {}",
                    ShapeDisplay(skewness.shape()),
                    ShapeDisplay(&event)
                );
                let error = Error::new(ErrorKind::Shape, message);
                Array::invalid(error.help("give one number for each angle of a vector"), location)
            }
            Err(error) => Array::invalid(error, location),
            Ok(()) => skewness,
        };
        SineSkewed { base, skewness }
    }

    /// The distribution without skewness.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// `sum(skewness sin(x - mean))`.
    #[track_caller]
    fn lean(&self, x: &Array) -> Array {
        ((x - self.base.mean()).sin() * &self.skewness).sum_axes([-1])
    }
}

/// The error of points that are no events of this shape.
#[track_caller]
pub(super) fn misfit(name: &str, x: &Array, event: &[usize]) -> Array {
    if x.error().is_some() {
        return x.clone();
    }
    let message = format!(
        "a {name} over events of shape {} is asked about an array of shape {}",
        ShapeDisplay(event),
        ShapeDisplay(x.shape())
    );
    let error = Error::new(ErrorKind::Shape, message).help("the last axis holds the angles");
    Array::invalid(error, here())
}

impl<D: Distribution<Value = Array>> Distribution for SineSkewed<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.base.batch_shape()
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>> Support for SineSkewed<D> {
    fn support(&self) -> Constraint {
        self.base.support()
    }
}

impl<D: LogProb<Value = Array> + Moments> LogProb for SineSkewed<D> {
    fn log_prob(&self, x: &Array) -> Array {
        if self.skewness.error().is_some() {
            return self.skewness.clone();
        }
        let density = self.base.log_prob(x);
        if density.error().is_some() {
            return density;
        }
        let outside = density.eq(f64::NEG_INFINITY);
        let x = select(&outside.expand_dims(-1), 0.0, x);
        density + select(&outside, 0.0, self.lean(&x)).log1p()
    }
}

impl<D: Sample<Value = Array> + Moments> Sample for SineSkewed<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.skewness.error().is_some() {
            return self.skewness.clone();
        }
        let (first, second) = key.split();
        let x = self.base.sample_shape(first, shape.clone());
        if x.error().is_some() {
            return x;
        }
        let u = uniform_of(x.dtype(), second, join(&shape, &self.batch_shape()));
        let kept = (u * 2.0 - 1.0).le(self.lean(&x));
        let mirrored = self.base.mean() * 2.0 - &x;
        let mirrored = &mirrored - (&mirrored / TAU).round() * TAU;
        select(&kept.expand_dims(-1), x, mirrored)
    }
}
