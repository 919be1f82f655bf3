//! Draws that are a function of one uniform or normal number each, or of a few, without
//! rejection. All are differentiable in their parameters.
//!
//! Source: inversion as in L. Devroye, "Non-uniform random variate generation", 1986, chapter II;
//! which uniform is inverted, and at which end it stops, follows `jax.random`.

use super::parameters::{Resolution, epsilon, float_of, float_only, floats, join, settled, tiny};
use super::signs::signs;
use probpipe_trace::{
    Array, DType, IntoShape, Key, default_float, normal_of, select, symmetric_uniform_of,
    uniform_of,
};
use std::f64::consts::{PI, SQRT_2};

/// Uniform numbers in (0, 1): the zero that [`uniform_of`] may give is the least normal number.
#[track_caller]
pub(super) fn open_uniform(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    uniform_of(dtype, key, shape).maximum(tiny(dtype))
}

/// Exponential numbers of rate 1 in the default float type, `-log(1 - u)`.
#[track_caller]
#[doc(alias = "random.exponential")]
pub fn exponential(key: Key, shape: impl IntoShape) -> Array {
    exponential_of(default_float(), key, shape)
}

/// Exponential numbers of rate 1 in a float type, see [`exponential`].
#[track_caller]
pub fn exponential_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    settled(float_only("exponential_of", dtype).map(|()| -(-uniform_of(dtype, key, shape)).log1p()))
}

/// Gumbel numbers, the standard extreme-value distribution, in the default float type:
/// `-log(-log(u))`.
#[track_caller]
#[doc(alias = "random.gumbel")]
pub fn gumbel(key: Key, shape: impl IntoShape) -> Array {
    gumbel_of(default_float(), key, shape)
}

/// Gumbel numbers in a float type, see [`gumbel`].
#[track_caller]
pub fn gumbel_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    gumbel_with(dtype, key, shape, Resolution::Low)
}

/// Gumbel numbers in a float type from one or two uniform numbers each. Of one, the largest `f32`
/// draw is near 16; of two, near 32.
#[track_caller]
pub fn gumbel_with(dtype: DType, key: Key, shape: impl IntoShape, resolution: Resolution) -> Array {
    if let Err(error) = float_only("gumbel_of", dtype) {
        return settled(Err(error));
    }
    match resolution {
        Resolution::Low => -(-open_uniform(dtype, key, shape).log()).log(),
        Resolution::High => {
            let both = uniform_of(dtype, key, join(&[2], &shape.into_shape()));
            let (high, low) = (both.at(0), both.at(1));
            // The second number refines the first where floats are dense enough to tell.
            let fine = low * (epsilon(dtype)) + tiny(dtype) + &high;
            let x = select(&high.ge(0.5), high, fine);
            -(-(-x).log1p()).log()
        }
    }
}

/// Laplace numbers of location 0 and scale 1 in the default float type: `sign(u) log(1 - |u|)` of
/// `u` uniform in (-1, 1).
#[track_caller]
#[doc(alias = "random.laplace")]
pub fn laplace(key: Key, shape: impl IntoShape) -> Array {
    laplace_of(default_float(), key, shape)
}

/// Laplace numbers in a float type, see [`laplace`].
#[track_caller]
pub fn laplace_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    settled(float_only("laplace_of", dtype).map(|()| {
        let u = symmetric_uniform_of(dtype, key, shape);
        u.sign() * (-u.abs()).log1p()
    }))
}

/// Logistic numbers of location 0 and scale 1 in the default float type: `log(u / (1 - u))`.
#[track_caller]
#[doc(alias = "random.logistic")]
pub fn logistic(key: Key, shape: impl IntoShape) -> Array {
    logistic_of(default_float(), key, shape)
}

/// Logistic numbers in a float type, see [`logistic`].
#[track_caller]
pub fn logistic_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    settled(float_only("logistic_of", dtype).map(|()| {
        let u = open_uniform(dtype, key, shape);
        u.log() - (-u).log1p()
    }))
}

/// Cauchy numbers of location 0 and scale 1 in the default float type: `tan(pi (u - 1/2))`.
#[track_caller]
#[doc(alias = "random.cauchy")]
pub fn cauchy(key: Key, shape: impl IntoShape) -> Array {
    cauchy_of(default_float(), key, shape)
}

/// Cauchy numbers in a float type, see [`cauchy`].
#[track_caller]
pub fn cauchy_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    settled(float_only("cauchy_of", dtype).map(|()| {
        let low = epsilon(dtype);
        let u = uniform_of(dtype, key, shape) * (1.0 - low) + low;
        ((u - 0.5) * PI).tan()
    }))
}

/// Maxwell numbers of scale 1 in the default float type: lengths of standard normal vectors of
/// three entries.
#[track_caller]
#[doc(alias = "random.maxwell")]
pub fn maxwell(key: Key, shape: impl IntoShape) -> Array {
    maxwell_of(default_float(), key, shape)
}

/// Maxwell numbers in a float type, see [`maxwell`].
#[track_caller]
pub fn maxwell_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    settled(float_only("maxwell_of", dtype).map(|()| {
        let vectors = normal_of(dtype, key, join(&shape.into_shape(), &[3]));
        vectors.square().sum_axes([-1]).sqrt()
    }))
}

/// Maxwell numbers with random signs, times `scale`, plus `loc`.
#[track_caller]
#[doc(alias = "random.double_sided_maxwell")]
pub fn double_sided_maxwell(
    key: Key,
    shape: impl IntoShape,
    loc: impl Into<Array>,
    scale: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    let parameters = [("loc", loc.into()), ("scale", scale.into())];
    settled(floats("double_sided_maxwell", &shape, parameters).map(|[loc, scale]| {
        let (lengths, sides) = key.split();
        let draw = maxwell_of(loc.dtype(), lengths, &shape);
        signs(loc.dtype(), sides, &shape) * draw * scale + loc
    }))
}

/// Normal numbers between two bounds: `sqrt(2) erf_inv(u)` of `u` uniform between the bounds'
/// `erf(x / sqrt(2))`, inside the open interval.
///
/// The bounds are those of the standard normal number. Where both lie far out in one tail, few
/// numbers remain between them, as in `jax.random`.
///
/// ```
/// use probpipe::prelude::*;
/// let x = probpipe::random::truncated_normal(Key::new(1), 100, -0.5, array(2.0));
/// assert!(x.min().item::<f32>()? > -0.5 && x.max().item::<f32>()? < 2.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.truncated_normal")]
pub fn truncated_normal(
    key: Key,
    shape: impl IntoShape,
    lower: impl Into<Array>,
    upper: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    let parameters = [("lower", lower.into()), ("upper", upper.into())];
    settled(floats("truncated_normal", &shape, parameters).map(|[lower, upper]| {
        let dtype = lower.dtype();
        let (a, b) = ((&lower / SQRT_2).erf(), (&upper / SQRT_2).erf());
        let u = (uniform_of(dtype, key, &shape) * (b - &a) + &a).maximum(a);
        let inside = [lower.stop_gradient(), upper.stop_gradient()];
        (u.erf_inv() * SQRT_2)
            .clip(inside[0].nextafter(f64::INFINITY), inside[1].nextafter(f64::NEG_INFINITY))
    }))
}

/// Lognormal numbers: `exp(sigma z)` of `z` standard normal.
#[track_caller]
#[doc(alias = "random.lognormal")]
pub fn lognormal(key: Key, shape: impl IntoShape, sigma: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(
        floats("lognormal", &shape, [("sigma", sigma.into())])
            .map(|[sigma]| (normal_of(sigma.dtype(), key, &shape) * positive(sigma)).exp()),
    )
}

/// Pareto numbers of scale 1 and shape `b`, density `b / x^(b + 1)` from 1 upwards: `exp(e / b)`
/// of `e` exponential.
#[track_caller]
#[doc(alias = "random.pareto")]
pub fn pareto(key: Key, shape: impl IntoShape, b: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(
        floats("pareto", &shape, [("b", b.into())])
            .map(|[b]| (exponential_of(b.dtype(), key, &shape) / positive(b)).exp()),
    )
}

/// Rayleigh numbers, density proportional to `x exp(-x^2 / (2 scale^2))`:
/// `scale sqrt(-2 log(u))`.
#[track_caller]
#[doc(alias = "random.rayleigh")]
pub fn rayleigh(key: Key, shape: impl IntoShape, scale: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("rayleigh", &shape, [("scale", scale.into())]).map(|[scale]| {
        (open_uniform(scale.dtype(), key, &shape).log() * -2.0).sqrt() * positive(scale)
    }))
}

/// Weibull numbers of a scale and a shape `concentration`: `scale (-log(1 - u))^(1 / c)`.
#[track_caller]
#[doc(alias = "random.weibull_min")]
pub fn weibull_min(
    key: Key,
    shape: impl IntoShape,
    scale: impl Into<Array>,
    concentration: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    let parameters = [("scale", scale.into()), ("concentration", concentration.into())];
    settled(floats("weibull_min", &shape, parameters).map(|[scale, concentration]| {
        let e = exponential_of(scale.dtype(), key, &shape);
        e.pow(positive(concentration).recip()) * positive(scale)
    }))
}

/// Triangular numbers: the density rises from `left` to `mode` and falls to `right`.
#[track_caller]
#[doc(alias = "random.triangular")]
pub fn triangular(
    key: Key,
    shape: impl IntoShape,
    left: impl Into<Array>,
    mode: impl Into<Array>,
    right: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    let parameters = [("left", left.into()), ("mode", mode.into()), ("right", right.into())];
    settled(floats("triangular", &shape, parameters).map(|[left, mode, right]| {
        let u = uniform_of(left.dtype(), key, &shape);
        let (rise, fall) = (&mode - &left, &right - &mode);
        let width = &right - &left;
        let rising = u.lt(&rise / &width);
        // One root of the side that is taken: that of the other may have no derivative.
        let area = select(&rising, &u * &width * rise, (1.0 - &u) * &width * fall);
        let root = select(&area.eq(0.0), 0.0, select(&area.eq(0.0), 1.0, area).sqrt());
        select(&rising, left + &root, right - root)
    }))
}

/// Wald numbers, the inverse normal distribution of shape 1 and a mean: the density is
/// `exp(-(x - mean)^2 / (2 mean^2 x)) / sqrt(2 pi x^3)`.
///
/// Source: J. R. Michael, W. R. Schucany, R. W. Haas, "Generating random variates using
/// transformations with multiple roots", 1976. The smaller root is taken without the cancellation
/// of its textbook form.
#[track_caller]
#[doc(alias = "random.wald")]
pub fn wald(key: Key, shape: impl IntoShape, mean: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("wald", &shape, [("mean", mean.into())]).map(|[mean]| {
        let (normals, uniforms) = key.split();
        let dtype = mean.dtype();
        let mean = positive(mean);
        let half = normal_of(dtype, normals, &shape).square() * &mean * 0.5;
        let z = uniform_of(dtype, uniforms, &shape);
        // The roots are `mean / factor` and `mean factor`.
        let factor = &half + 1.0 + (&half * (&half + 2.0)).sqrt();
        let small = &mean / &factor;
        select(&z.le(&mean / (&mean + &small)), small, mean * factor)
    }))
}

/// A parameter that must not be negative, NaN where it is.
#[track_caller]
pub(super) fn positive(parameter: Array) -> Array {
    select(&parameter.ge(0.0), parameter, f64::NAN)
}

/// The float type of draws that a parameter decides, for samplers that do not spread it.
pub(super) fn dtype_of(parameter: &Array) -> DType {
    float_of(&[parameter])
}
