//! The uniform distribution on a sphere.

use super::turned::direction;
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, Entropy, LogProb, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, Tree, default_float, full_of, here, zeros_of,
};
use std::f64::consts::{LN_2, PI};

/// All directions in `dimension` dimensions alike: the density is 1 over the surface of the sphere,
/// `2 pi^(d/2) / Gamma(d/2)`.
///
/// ```
/// use probpipe::distributions::SphericalUniform;
/// use probpipe::prelude::*;
/// let sphere = SphericalUniform::new(3);
/// // 1 / (4 pi)
/// assert!((sphere.prob(&array([0.0, 0.6, 0.8])).item::<f32>()? - 0.07957747).abs() < 1e-7);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct SphericalUniform {
    #[tree(static)]
    dimension: usize,
    #[tree(static)]
    dtype: DType,
}

impl SphericalUniform {
    /// On the vectors of length 1 of this many entries, of the default float type. Of no entries
    /// every use is an error.
    pub fn new(dimension: usize) -> SphericalUniform {
        SphericalUniform::of(default_float(), dimension)
    }

    /// [`SphericalUniform::new`] with draws of a float type.
    pub fn of(dtype: DType, dimension: usize) -> SphericalUniform {
        SphericalUniform { dimension, dtype }
    }

    #[track_caller]
    fn fault(&self) -> Option<Array> {
        let fits = self.dimension > 0 && self.dtype.is_float();
        let error = || {
            let message = format!(
                "a SphericalUniform has 1 or more dimensions and a float type, not {} and {}",
                self.dimension, self.dtype
            );
            let error = Error::new(ErrorKind::Value, message);
            error.help("give the number of entries of a direction")
        };
        (!fits).then(|| Array::invalid(error(), here()))
    }

    /// The logarithm of the surface of the sphere.
    #[track_caller]
    fn log_surface(&self) -> Array {
        let half = self.dimension as f64 / 2.0;
        full_of(self.dtype, (), LN_2 + half * PI.ln()) - full_of(self.dtype, (), half).lgamma()
    }
}

impl Distribution for SphericalUniform {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.dimension])
    }
}

impl Support for SphericalUniform {
    fn support(&self) -> Constraint {
        Constraint::UnitVector
    }
}

impl LogProb for SphericalUniform {
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(fault) = self.fault() {
            return fault;
        }
        let inner = Array::from(1.0 / (self.dimension as f64).sqrt());
        let seen = Seen::new(&self.support(), x, &inner);
        let misfit = zeros_of(self.dtype, [self.dimension]);
        seen.density((&seen.at * misfit).sum_axes([-1]) - self.log_surface())
    }
}

impl Sample for SphericalUniform {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        self.fault().unwrap_or_else(|| {
            direction(&normal_of(self.dtype, key, join(&shape, &[self.dimension])))
        })
    }
}

impl Moments for SphericalUniform {
    fn mean(&self) -> Array {
        self.fault().unwrap_or_else(|| zeros_of(self.dtype, [self.dimension]))
    }

    /// `1 / d`.
    fn variance(&self) -> Array {
        let d = self.dimension;
        self.fault().unwrap_or_else(|| full_of(self.dtype, [d], 1.0 / d as f64))
    }
}

impl Entropy for SphericalUniform {
    fn entropy(&self) -> Array {
        self.fault().unwrap_or_else(|| self.log_surface())
    }
}
