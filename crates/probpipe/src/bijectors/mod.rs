//! Bijectors: maps between sets that can be run backwards, with the logarithm of how they stretch
//! volumes. [`biject_to`] gives one from the whole space into a [`Constraint`]. Nothing here knows
//! a distribution.
//!
//! A bijector maps events: numbers, vectors or matrices in the last axes of an array. Axes in
//! front of them are a batch, so all of it broadcasts, traces and goes through `vmap`.
//!
//! ```
//! use probpipe::bijectors::{Affine, Bijector, Exp};
//! use probpipe::prelude::*;
//! let f = Affine::new(1.0, 2.0).then(Exp);
//! let x = array([0.0, 0.5]);
//! let y = f.forward(&x);
//! assert!((y.at(1).item::<f32>()? - 2.0f32.exp()).abs() < 1e-5);
//! assert!((f.inverse(&y).at(1).item::<f32>()? - 0.5).abs() < 1e-6);
//! // log |dy/dx| = log 2 + 1 + 2 x
//! assert!((f.log_det(&x).at(0).item::<f32>()? - 1.6931472).abs() < 1e-6);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod chain;
mod elementwise;
mod events;
mod matrices;
mod onto;
mod parameterised;
mod vectors;

pub use chain::{Chain, Inverted};
pub use elementwise::{Exp, Identity, Log, Logit, Sigmoid, Softplus, Tanh};
pub(crate) use events::{between, ends};
pub use matrices::{
    CholeskyProduct, CorrelationCholesky, CorrelationProduct, LowerCholesky, LowerCholeskyAffine,
};
pub use onto::biject_to;
pub use parameterised::{Affine, Interval, Power};
pub use vectors::{
    Ordered, Permutation, SimplexToOrdered, Stereographic, StickBreaking, StickBreakingL1,
    UnitBall, ZeroSum,
};

use crate::constraints::Constraint;
use probpipe_trace::{Array, Result, Shape, here, with_location};
use std::fmt;

/// A differentiable map that can be run backwards.
///
/// Only [`Bijector::forward`], [`Bijector::inverse`], [`Bijector::log_det`] and the two sets must
/// be written; maps of vectors and matrices say their ranks and shapes too.
pub trait Bijector: fmt::Debug {
    /// The value at `x`, whose last axes are an event of the domain.
    #[track_caller]
    fn forward(&self, x: &Array) -> Array;

    /// The point whose value is `y`; NaN or infinite where there is none.
    #[track_caller]
    fn inverse(&self, y: &Array) -> Array;

    /// The logarithm of the absolute determinant of the Jacobian at `x`: the shape of `x` without
    /// the axes of an event. Where the domain or the codomain is a surface (a simplex, a set of
    /// symmetric matrices), it is that of the coordinates that are free.
    #[track_caller]
    fn log_det(&self, x: &Array) -> Array;

    /// Where it can be applied.
    #[track_caller]
    fn domain(&self) -> Constraint;

    /// What it reaches.
    #[track_caller]
    fn codomain(&self) -> Constraint;

    /// What it makes of a part of its domain; of a set that is not known to it all that it reaches.
    #[track_caller]
    fn image(&self, of: &Constraint) -> Constraint {
        let _ = of;
        self.codomain()
    }

    /// How many of the last axes make one event, before and after: 0 for numbers, 1 for vectors,
    /// 2 for matrices.
    fn event_ranks(&self) -> (usize, usize) {
        (self.domain().event_rank(), self.codomain().event_rank())
    }

    /// Of a map of numbers, the sign of its slope: 1 where it rises, -1 where it falls, of a shape
    /// that broadcasts against its argument. None of maps of which it is not known, and of maps of
    /// vectors and matrices.
    #[track_caller]
    fn direction(&self) -> Option<Array> {
        None
    }

    /// The shape of the value at an array of a shape.
    ///
    /// # Errors
    /// Where the bijector takes no array of that shape.
    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        Ok(shape.into())
    }

    /// The shape of the points of values of a shape.
    ///
    /// # Errors
    /// Where the bijector gives no array of that shape.
    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        Ok(shape.into())
    }

    /// This map, then another.
    fn then<B: Bijector>(self, next: B) -> Chain<Self, B>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    /// This map, run backwards.
    fn inverted(self) -> Inverted<Self>
    where
        Self: Sized,
    {
        Inverted::new(self)
    }
}

/// What [`biject_to`] gives. A caller's line does not pass through a trait object by itself.
impl Bijector for Box<dyn Bijector> {
    fn forward(&self, x: &Array) -> Array {
        with_location(here(), || (**self).forward(x))
    }

    fn inverse(&self, y: &Array) -> Array {
        with_location(here(), || (**self).inverse(y))
    }

    fn log_det(&self, x: &Array) -> Array {
        with_location(here(), || (**self).log_det(x))
    }

    fn domain(&self) -> Constraint {
        with_location(here(), || (**self).domain())
    }

    fn codomain(&self) -> Constraint {
        with_location(here(), || (**self).codomain())
    }

    fn image(&self, of: &Constraint) -> Constraint {
        with_location(here(), || (**self).image(of))
    }

    fn event_ranks(&self) -> (usize, usize) {
        (**self).event_ranks()
    }

    fn direction(&self) -> Option<Array> {
        with_location(here(), || (**self).direction())
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        (**self).forward_shape(shape)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        (**self).inverse_shape(shape)
    }
}
