//! What is made of gamma numbers: beta, Dirichlet, chi-square, t and F numbers, and generalised
//! normal ones. Derivatives in the parameters pass through the gamma numbers.

use super::gamma::{gamma, loggamma};
use super::parameters::{floats, join, settled};
use super::signs::signs;
use probpipe_trace::{Array, Error, ErrorKind, IntoShape, Key, here, normal_of};

/// Beta numbers, density proportional to `x^(a-1) (1-x)^(b-1)`: the part that one gamma number is
/// of two.
#[track_caller]
#[doc(alias = "random.beta")]
pub fn beta(key: Key, shape: impl IntoShape, a: impl Into<Array>, b: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("beta", &shape, [("a", a.into()), ("b", b.into())]).map(|[a, b]| {
        let (first, second) = key.split();
        let (log_a, log_b) = (loggamma(first, &shape, a), loggamma(second, &shape, b));
        // In logarithms, so that small parameters leave no zero over zero.
        (log_a - log_b).sigmoid()
    }))
}

/// Dirichlet vectors, `[shape.., n]` of parameters `alpha` `[..., n]`: gamma numbers over their
/// sum. `shape` is that of the batch; the leading axes of `alpha` broadcast to it.
///
/// ```
/// use probpipe::prelude::*;
/// let p = probpipe::random::dirichlet(Key::new(0), [4], array([1.0, 2.0, 3.0]));
/// assert_eq!(p.shape(), [4, 3]);
/// assert!(p.sum_axes(1).allclose(1.0).item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.dirichlet")]
pub fn dirichlet(key: Key, shape: impl IntoShape, alpha: impl Into<Array>) -> Array {
    let alpha = alpha.into();
    let Some(&n) = alpha.shape().last() else {
        let error =
            Error::new(ErrorKind::Shape, "`dirichlet` takes vectors, and alpha is a scalar")
                .help("give one parameter per entry of the draw");
        return alpha
            .error()
            .cloned()
            .map_or_else(|| Array::invalid(error, here()), |error| Array::invalid(error, here()));
    };
    let whole = join(&shape.into_shape(), &[n]);
    settled(
        floats("dirichlet", &whole, [("alpha", alpha)])
            .map(|[alpha]| loggamma(key, &whole, alpha).softmax(-1)),
    )
}

/// Chi-square numbers of `df` degrees of freedom: twice gamma numbers of shape `df / 2`.
#[track_caller]
#[doc(alias = "random.chisquare")]
pub fn chi_square(key: Key, shape: impl IntoShape, df: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(
        floats("chi_square", &shape, [("df", df.into())])
            .map(|[df]| loggamma(key, &shape, df * 0.5).exp() * 2.0),
    )
}

/// Student's t numbers of `df` degrees of freedom: `z sqrt((df / 2) / g)` of `z` normal and `g`
/// gamma of shape `df / 2`.
#[track_caller]
#[doc(alias = "random.t")]
pub fn student_t(key: Key, shape: impl IntoShape, df: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("student_t", &shape, [("df", df.into())]).map(|[df]| {
        let (normals, gammas) = key.split();
        let half = df * 0.5;
        let z = normal_of(half.dtype(), normals, &shape);
        let g = gamma(gammas, &shape, &half);
        z * (half / g).sqrt()
    }))
}

/// F numbers: the ratio of two chi-square numbers over their degrees of freedom.
#[track_caller]
#[doc(alias = "random.f")]
pub fn fisher_f(
    key: Key,
    shape: impl IntoShape,
    dfnum: impl Into<Array>,
    dfden: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    let parameters = [("dfnum", dfnum.into()), ("dfden", dfden.into())];
    settled(floats("fisher_f", &shape, parameters).map(|[dfnum, dfden]| {
        let (denominators, numerators) = key.split();
        let numerator = chi_square(numerators, &shape, &dfnum) / dfnum;
        numerator / (chi_square(denominators, &shape, &dfden) / dfden)
    }))
}

/// Generalised normal numbers, density proportional to `exp(-|x|^p)`: powers `g^(1/p)` of gamma
/// numbers of shape `1 / p`, with random signs.
#[track_caller]
#[doc(alias = "random.generalized_normal")]
pub fn generalized_normal(key: Key, shape: impl IntoShape, p: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("generalized_normal", &shape, [("p", p.into())]).map(|[p]| {
        let (gammas, sides) = key.split();
        let power = p.recip();
        signs(p.dtype(), sides, &shape) * gamma(gammas, &shape, &power).pow(power)
    }))
}
