//! What is a term of a joint density without being a distribution of its own.

use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Sample, Support};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes,
    default_float, here, select, zeros_of,
};

/// The density 1 at every point of a set, which need not have an integral. It has no draws:
///
/// ```compile_fail
/// use probpipe::distributions::ImproperUniform;
/// use probpipe::prelude::*;
/// let flat = ImproperUniform::new(probpipe::Constraint::Real, [], []);
/// let draw = flat.sample(Key::new(0), ());
/// ```
///
/// As a prior it leaves the likelihood as it is, also as a choice of a generative function that is
/// given a value or inferred by [`Target::of`](crate::inference::Target::of):
///
/// ```
/// use probpipe::distributions::ImproperUniform;
/// use probpipe::prelude::*;
/// let flat = ImproperUniform::new(probpipe::Constraint::Positive, [], []);
/// let density = flat.log_prob(&array([3.0, -1.0]));
/// assert_eq!(density.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImproperUniform {
    support: Constraint,
    batch: Shape,
    event: Shape,
}

impl ImproperUniform {
    /// On a set, with a batch shape and the shape of an event; where an event has more axes than
    /// an element of the set, all its elements lie in the set.
    pub fn new(
        support: Constraint,
        batch_shape: impl Into<Vec<usize>>,
        event_shape: impl Into<Vec<usize>>,
    ) -> ImproperUniform {
        let (batch, event) = (batch_shape.into(), event_shape.into());
        ImproperUniform { support, batch: Shape::from_vec(batch), event: Shape::from_vec(event) }
    }
}

impl Distribution for ImproperUniform {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.batch.clone()
    }

    fn event_shape(&self) -> Shape {
        self.event.clone()
    }
}

impl Support for ImproperUniform {
    fn support(&self) -> Constraint {
        self.support.clone()
    }
}

impl LogProb for ImproperUniform {
    fn log_prob(&self, x: &Array) -> Array {
        if x.error().is_some() {
            return x.clone();
        }
        let rank = self.event.len();
        let lead = &x.shape()[..x.rank().saturating_sub(rank)];
        let shape = broadcast_shapes(lead, &self.batch)
            .filter(|_| x.rank() >= rank && x.shape()[lead.len()..] == self.event[..])
            .filter(|_| rank >= self.support.event_rank());
        let Some(shape) = shape else {
            let message = format!(
                "an ImproperUniform of batch shape {} over events of shape {} that are {} is asked \
                 about an array of shape {}",
                ShapeDisplay(&self.batch),
                ShapeDisplay(&self.event),
                self.support,
                ShapeDisplay(x.shape())
            );
            let error = Error::new(ErrorKind::Shape, message);
            return Array::invalid(error.help("the last axes hold the events"), here());
        };
        let axes = |rank: usize| (1..=rank as isize).map(|axis| -axis).collect::<Vec<_>>();
        let inside = self.support.check(x);
        let rest = axes(rank - self.support.event_rank());
        let inside = if rest.is_empty() { inside } else { inside.all_axes(rest) };
        let nan = if rank == 0 { x.is_nan() } else { x.is_nan().any_axes(axes(rank)) };
        let dtype = if x.dtype().is_float() { x.dtype() } else { default_float() };
        let outside = select(&nan, f64::NAN, f64::NEG_INFINITY);
        select(&inside, zeros_of(dtype, ()), outside).broadcast_to(shape)
    }
}

/// A distribution on the one vector of no entries: a term of a joint density, whatever it is.
///
/// ```
/// use probpipe::distributions::Unit;
/// use probpipe::prelude::*;
/// let factor = Unit::new(-1.25);
/// assert_eq!(factor.log_prob(&zeros([0])).item::<f32>()?, -1.25);
/// assert_eq!(factor.sample(Key::new(0), [3]).shape(), [3, 0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Unit {
    log_factor: Array,
}

impl Unit {
    /// With the logarithm of the factor.
    pub fn new(log_factor: impl Into<Array>) -> Unit {
        Unit { log_factor: log_factor.into() }
    }

    /// The logarithm of the factor.
    pub fn log_factor(&self) -> &Array {
        &self.log_factor
    }
}

impl Distribution for Unit {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.log_factor.shape().into()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[0])
    }
}

impl Support for Unit {
    fn support(&self) -> Constraint {
        Constraint::RealVector
    }
}

impl LogProb for Unit {
    fn log_prob(&self, x: &Array) -> Array {
        if x.error().is_some() || x.rank() == 0 || x.shape()[x.rank() - 1] != 0 {
            if x.error().is_some() {
                return x.clone();
            }
            let message =
                format!("a Unit is asked about an array of shape {}", ShapeDisplay(x.shape()));
            let error = Error::new(ErrorKind::Shape, message).help("ask about `zeros([0])`");
            return Array::invalid(error, here());
        }
        let lead = &x.shape()[..x.rank() - 1];
        match broadcast_shapes(lead, self.log_factor.shape()) {
            Some(shape) => self.log_factor.broadcast_to(shape),
            None => &self.log_factor + x.sum_axes([-1]),
        }
    }
}

impl Sample for Unit {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        // No randomness is needed for nothing.
        drop(key);
        let dtype: DType = match self.log_factor.is_literal() {
            true => default_float(),
            false => self.log_factor.dtype(),
        };
        match self.log_factor.error() {
            Some(_) => self.log_factor.clone(),
            None => zeros_of(dtype, join(&join(&shape, &self.batch_shape()), &[0])),
        }
    }
}
