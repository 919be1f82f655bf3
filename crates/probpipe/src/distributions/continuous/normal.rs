//! The normal distribution.

use crate::distributions::parameters::{HALF_LOG_TAU, float_of, join, positive};
use crate::distributions::{Distribution, LogProb, Sample};
use crate::random::standard_normal;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
};

/// The normal distribution with mean `loc` and standard deviation `scale > 0`.
///
/// Its sampler `loc + scale * z` is reparameterised: differentiable in both parameters.
///
/// ```
/// use probpipe::prelude::*;
/// let n = Normal::new(2.0, 0.5);
/// let density = n.log_prob(&array([1.5, 2.0])).exp();
/// assert!((density.at(1).item::<f32>()? - 0.7978846).abs() < 1e-6);
/// let draws = n.sample(Key::new(0), [1000]);
/// assert_eq!(draws.shape(), [1000]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Normal {
    /// The mean.
    pub loc: Array,
    /// The standard deviation.
    pub scale: Array,
}

impl Normal {
    /// From mean and standard deviation, which broadcast.
    #[track_caller]
    pub fn new(loc: impl Into<Array>, scale: impl Into<Array>) -> Normal {
        let (loc, scale) = (loc.into(), positive("the scale of a Normal", scale.into()));
        if broadcast_shapes(loc.shape(), scale.shape()).is_none() {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "the loc {} and scale {} of a Normal do not broadcast",
                    ShapeDisplay(loc.shape()),
                    ShapeDisplay(scale.shape())
                ),
            )
            .note("loc was made", Some(loc.location()))
            .note("scale was made", Some(scale.location()))
            .help("extents, aligned at the last axis, must be equal or 1");
            let bad = Array::invalid(error, here());
            return Normal { loc: bad.clone(), scale: bad };
        }
        Normal { loc, scale }
    }
}

impl Distribution for Normal {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        broadcast_shapes(self.loc.shape(), self.scale.shape()).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        Shape::new()
    }
}

impl LogProb for Normal {
    /// `-((x - loc) / scale)^2 / 2 - log(scale) - log(2 pi) / 2`.
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        let z = (x - &self.loc) / &self.scale;
        z.square() * -0.5 - (self.scale.log() + HALF_LOG_TAU)
    }
}

impl Sample for Normal {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let shape = join(&shape, &self.batch_shape());
        let z = standard_normal(key, shape, float_of(&[&self.loc, &self.scale]));
        z * &self.scale + &self.loc
    }
}
