//! Laplace's approximation.

use super::normal::Approximation;
use crate::inference::Target;
use crate::optimize::{Lbfgs, Minimum, minimize};
use probpipe_trace::Array;
use probpipe_transforms::hessian;

/// The normal distribution at the mode of a target with the curvature there: its mean is the mode
/// and its covariance the inverse of minus the second derivatives. And how the search for the mode
/// ended. The factor is NaN where the curvature is not negative in all directions.
///
/// ```
/// use probpipe::inference::{Target, vi::laplace};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new([1.0, -2.0], [0.5, 2.0]).log_prob(&x).sum();
/// let target = Target::new(density, zeros([2]))?;
/// let (q, search) = laplace(&target, Default::default());
/// assert!(search.converged.item::<bool>()?);
/// assert!((q.scale_tril.index((1, 1)).item::<f32>()? - 2.0).abs() < 1e-3);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn laplace<T>(target: &Target<T>, method: Lbfgs) -> (Approximation, Minimum<Array>) {
    let loss = |z: Array| -target.log_density(&z);
    let found = minimize(loss, target.start().clone(), method);
    let scale_tril = hessian(loss)(found.x.clone()).inv().cholesky();
    (Approximation { loc: found.x.clone(), scale_tril }, found)
}
