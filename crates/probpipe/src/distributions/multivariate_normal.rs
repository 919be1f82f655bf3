//! The multivariate normal distribution.

use super::{Distribution, HALF_LOG_TAU, LogProb, Sample, float_of, join, standard_normal};
use probpipe_trace::{Array, Error, ErrorKind, Key, Shape, Tree, broadcast_shapes, eye, here};

/// The normal distribution on vectors, with a mean and a covariance or its Cholesky factor.
///
/// Its sampler `loc + L z` is reparameterised: differentiable in all parameters. A covariance that
/// is not positive definite gives NaN.
///
/// ```
/// use probpipe::prelude::*;
/// let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
/// let score = grad(|x: Array| mvn.log_prob(&x))(array([1.5, 2.5]));
/// assert!((score.at(0).item::<f32>()? + 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MultivariateNormal {
    /// The mean, `[..., d]`.
    pub loc: Array,
    /// The lower Cholesky factor of the covariance, `[..., d, d]`.
    pub scale_tril: Array,
}

impl MultivariateNormal {
    /// From the mean `[..., d]` and the covariance `[..., d, d]`.
    #[track_caller]
    pub fn new(loc: impl Into<Array>, covariance: impl Into<Array>) -> MultivariateNormal {
        MultivariateNormal::from_scale_tril(loc, covariance.into().cholesky())
    }

    /// From the mean `[..., d]` and a lower triangular factor `[..., d, d]` of the covariance,
    /// with a positive diagonal.
    #[track_caller]
    pub fn from_scale_tril(
        loc: impl Into<Array>,
        scale_tril: impl Into<Array>,
    ) -> MultivariateNormal {
        let (loc, scale_tril) = (loc.into(), scale_tril.into());
        if let Some(error) = loc.error().or(scale_tril.error()) {
            let bad = Array::invalid(error.clone(), loc.location());
            return MultivariateNormal { loc: bad.clone(), scale_tril: bad };
        }
        let d = loc.shape().last().copied();
        let matrix = scale_tril.shape();
        let square = matrix.len() >= 2 && d.is_some() && matrix.ends_with(&[d.unwrap_or(0); 2]);
        let batch =
            || broadcast_shapes(&loc.shape()[..loc.rank() - 1], &matrix[..matrix.len() - 2]);
        if !square || batch().is_none() {
            let (loc_ty, matrix_ty) = (loc.ty(), scale_tril.ty());
            let mut error = Error::new(
                ErrorKind::Shape,
                "the mean and covariance of a MultivariateNormal do not fit".to_string(),
            );
            if let (Ok(a), Ok(b)) = (loc_ty, matrix_ty) {
                error = error
                    .note(format!("mean {a}"), Some(loc.location()))
                    .note(format!("covariance {b}"), Some(scale_tril.location()));
            }
            let error = error.help("give a mean [..., d] and a covariance [..., d, d]");
            let bad = Array::invalid(error, here());
            return MultivariateNormal { loc: bad.clone(), scale_tril: bad };
        }
        MultivariateNormal { loc, scale_tril }
    }

    /// The dimension.
    fn dim(&self) -> usize {
        self.loc.shape().last().copied().unwrap_or(0)
    }
}

impl Distribution for MultivariateNormal {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let (loc, matrix) = (self.loc.shape(), self.scale_tril.shape());
        let (Some(a), Some(b)) = (loc.len().checked_sub(1), matrix.len().checked_sub(2)) else {
            return Shape::new();
        };
        broadcast_shapes(&loc[..a], &matrix[..b]).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        self.loc.shape().last().copied().into_iter().collect()
    }
}

impl LogProb for MultivariateNormal {
    /// `-|L^-1 (x - loc)|^2 / 2 - sum(log diag L) - d log(2 pi) / 2`.
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        let d = self.dim();
        let centred = x - &self.loc;
        if centred.error().is_some() {
            return centred;
        }
        let log_diagonal = (&self.scale_tril * eye(d).cast(self.scale_tril.dtype()))
            .sum_axes([-1])
            .log()
            .sum_axes([-1]);
        // All draws that share one factor are solved against it at once, as columns.
        let z = if self.scale_tril.rank() == 2 {
            let rows = centred.size() / d.max(1);
            let columns = centred.reshape([rows, d]).transpose();
            let z = self.scale_tril.solve_triangular(&columns);
            z.transpose().reshape(centred.shape())
        } else {
            // One vector per draw and factor: points and factors may each have axes of their own.
            let (points, factors) = (centred.shape(), self.scale_tril.shape());
            let (points, factors) = (&points[..points.len() - 1], &factors[..factors.len() - 2]);
            let batch = broadcast_shapes(points, factors).unwrap_or_else(|| points.into());
            let factors = self.scale_tril.broadcast_to(join(&batch, &[d, d]));
            factors.solve_triangular(centred.broadcast_to(join(&batch, &[d])))
        };
        let constant = HALF_LOG_TAU * d as f64;
        z.square().sum_axes([-1]) * -0.5 - (log_diagonal + constant)
    }
}

impl Sample for MultivariateNormal {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let shape = join(&join(&shape, &self.batch_shape()), &[self.dim(), 1]);
        let dtype = float_of(&[&self.loc, &self.scale_tril]);
        let z = standard_normal(key, shape, dtype);
        self.scale_tril.matmul(&z).squeeze(-1) + &self.loc
    }
}
