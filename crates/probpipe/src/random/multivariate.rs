//! Vectors and matrices made of normal numbers, and points of balls. Dirichlet and multinomial
//! vectors lie with what they are made of.

use super::parameters::{float_of, float_only, join, settled};
use super::ratios::generalized_normal;
use super::transforms::exponential_of;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, IntoShape, Key, Result, ShapeDisplay, broadcast_shapes,
    default_float, here, normal_of,
};

/// Normal vectors of mean `[..., d]` and covariance `[..., d, d]`: `mean + L z` of the covariance's
/// Cholesky factor, `[shape.., d]`. `shape` is that of the batch; the leading axes of the
/// parameters broadcast to it.
///
/// ```
/// use probpipe::prelude::*;
/// let covariance = array([[2.0, 0.5], [0.5, 1.0]]);
/// let x = probpipe::random::multivariate_normal(Key::new(0), [4], array([0.0, 1.0]), covariance);
/// assert_eq!(x.shape(), [4, 2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.multivariate_normal")]
pub fn multivariate_normal(
    key: Key,
    shape: impl IntoShape,
    mean: impl Into<Array>,
    covariance: impl Into<Array>,
) -> Array {
    let (shape, mean, covariance) = (shape.into_shape(), mean.into(), covariance.into());
    settled(dimension(&shape, &mean, &covariance).map(|d| {
        let dtype = float_of(&[&mean, &covariance]);
        let factor = covariance.cast(dtype).cholesky();
        let z = normal_of(dtype, key, join(&shape, &[d]));
        let moved = if factor.rank() == 2 {
            z.reshape([shape.iter().product(), d]).matmul(factor.transpose()).reshape(z.shape())
        } else {
            factor.matmul(z.expand_dims(-1)).squeeze(-1)
        };
        moved + mean.cast(dtype)
    }))
}

/// The dimension of a mean and a covariance that fit each other and the batch.
#[track_caller]
fn dimension(shape: &[usize], mean: &Array, covariance: &Array) -> Result<usize> {
    if let Some(error) = mean.error().or(covariance.error()) {
        return Err(error.clone());
    }
    if let ([lead @ .., d], [batch @ .., m, n]) = (mean.shape(), covariance.shape()) {
        let fits = |part: &[usize]| broadcast_shapes(part, shape).as_deref() == Some(shape);
        if (d, d) == (m, n) && fits(lead) && fits(batch) {
            return Ok(*d);
        }
    }
    let (mean_shape, own) = (ShapeDisplay(mean.shape()), ShapeDisplay(covariance.shape()));
    let message = format!(
        "`multivariate_normal` draws a batch of shape {}, which a mean of shape {mean_shape} and a \
         covariance of shape {own} do not fit",
        ShapeDisplay(shape)
    );
    Err(Error::new(ErrorKind::Shape, message)
        .at(here())
        .note("the mean was made", Some(mean.location()))
        .note("the covariance was made", Some(covariance.location()))
        .help("give a mean [..., d] and a covariance [..., d, d] whose other axes broadcast"))
}

/// Orthogonal matrices `[shape.., n, n]` in the default float type, uniform over all (Haar
/// measure): the factor of a normal matrix whose triangular factor has a positive diagonal.
///
/// Source: F. Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
#[track_caller]
#[doc(alias = "random.orthogonal")]
pub fn orthogonal(key: Key, shape: impl IntoShape, n: usize) -> Array {
    orthogonal_of(default_float(), key, shape, n, n)
}

/// Matrices `[shape.., rows, columns]` in a float type with orthonormal rows or, if those are
/// more, columns, uniform over all; see [`orthogonal`].
#[track_caller]
pub fn orthogonal_of(
    dtype: DType,
    key: Key,
    shape: impl IntoShape,
    rows: usize,
    columns: usize,
) -> Array {
    settled(float_only("orthogonal_of", dtype).map(|()| {
        let (tall, wide) = (rows.max(columns), rows.min(columns));
        let (q, r) = normal_of(dtype, key, join(&shape.into_shape(), &[tall, wide])).qr();
        let q = q * r.diagonal().sign().expand_dims(-2);
        if rows < columns { q.swap_axes(-1, -2) } else { q }
    }))
}

/// Points `[shape.., d]` of the ball of numbers whose `p`-norm is at most 1, uniform in it. `p` is
/// a scalar.
///
/// Source: F. Barthe, O. Guédon, S. Mendelson, A. Naor, "A probabilistic approach to the geometry
/// of the l_p^n ball", 2005.
#[track_caller]
#[doc(alias = "random.ball")]
pub fn ball(key: Key, shape: impl IntoShape, d: usize, p: impl Into<Array>) -> Array {
    let (shape, p) = (shape.into_shape(), p.into());
    if p.error().is_none() && p.rank() > 0 {
        let own = ShapeDisplay(p.shape());
        let error = Error::new(ErrorKind::Shape, format!("`ball` of a norm of shape {own}"))
            .note("p was made", Some(p.location()))
            .help("give one number p, and `vmap` over several");
        return Array::invalid(error, here());
    }
    let p = p.cast(float_of(&[&p]));
    let (vectors, radii) = key.split();
    let g = generalized_normal(vectors, join(&shape, &[d]), &p);
    let e = exponential_of(p.dtype(), radii, &shape);
    let length = (g.abs().pow(&p).sum_axes([-1]) + e).pow(p.recip());
    g / length.expand_dims(-1)
}
