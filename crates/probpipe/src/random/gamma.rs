//! Gamma numbers and their logarithms, which beta, Dirichlet and t numbers are made of. Every
//! element has a key of its own and tries until it accepts; all elements try together, and those
//! that are done wait. Draws are differentiable in the shape parameter, by implicit
//! reparameterisation.
//!
//! Sources: G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS
//! 26, 2000; M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients", 2018. Which
//! key gives which number follows `jax.random`.

use super::parameters::{epsilon, floats, settled};
use probpipe_trace::{
    Array, ArrayType, DType, IntoShape, Key, KeyLanes, RandomLayout, full_typed, random_gamma_grad,
    select, while_loop, zeros_like,
};
use probpipe_transforms::custom_jvp;

/// Gamma numbers of shape parameter `a` and rate 1, density proportional to `x^(a-1) exp(-x)`.
///
/// Of small `a` most draws are below the least number of their type, which makes them zero;
/// [`loggamma`] keeps them.
///
/// ```
/// use probpipe::prelude::*;
/// let draw = |a: Array| probpipe::random::gamma(Key::new(2), (), a);
/// let x = draw(array(2.5)).item::<f32>()?;
/// // The slope moves the draw so that its probability stays.
/// let slope = grad(draw)(array(2.5)).item::<f32>()?;
/// let next = draw(array(2.5001)).item::<f32>()?;
/// assert!(x > 0.0 && slope > 0.0 && next.is_finite());
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.gamma")]
pub fn gamma(key: Key, shape: impl IntoShape, a: impl Into<Array>) -> Array {
    drawn("gamma", key, shape, a, Space::Plain)
}

/// Logarithms of gamma numbers, those of [`gamma`] with the same key, without underflow for small
/// `a`.
#[track_caller]
#[doc(alias = "random.loggamma")]
pub fn loggamma(key: Key, shape: impl IntoShape, a: impl Into<Array>) -> Array {
    drawn("loggamma", key, shape, a, Space::Log)
}

/// Whether draws are numbers or their logarithms.
#[derive(Clone, Copy, PartialEq)]
enum Space {
    Plain,
    Log,
}

#[track_caller]
fn drawn(name: &str, key: Key, shape: impl IntoShape, a: impl Into<Array>, space: Space) -> Array {
    let shape = shape.into_shape();
    settled(floats(name, &shape, [("a", a.into())]).map(|[a]| {
        let layout = key.layout();
        implicit(key.data().clone(), a, layout, space)
    }))
}

/// A draw whose derivative in `a` keeps its probability.
#[track_caller]
fn implicit(words: Array, a: Array, layout: RandomLayout, space: Space) -> Array {
    let sampler = move |(words, a): (Array, Array)| {
        attempts(Key::from_data(words).with_layout(layout), &a, space)
    };
    let rule = move |(words, a): (Array, Array), (_, da): (Array, Array)| {
        let draw = implicit(words, a.clone(), layout, space);
        let slope = slope(&a, &draw, space);
        (draw, da * slope)
    };
    custom_jvp(sampler, rule)((words, a))
}

/// The derivative of a draw in `a`.
///
/// Where the draw is tiny its probability is `x^a / Gamma(a + 1)`, which gives the slope in closed
/// form, also for draws whose exponential is zero.
#[track_caller]
fn slope(a: &Array, draw: &Array, space: Space) -> Array {
    let limit = epsilon(draw.dtype());
    let tiny = match space {
        Space::Plain => draw.lt(limit),
        Space::Log => draw.lt(limit.ln()),
    };
    let plain = match space {
        Space::Plain => select(&tiny, 1.0, draw),
        Space::Log => select(&tiny, 0.0, draw).exp(),
    };
    let usual = random_gamma_grad(a, &plain);
    let digamma = (a + 1.0).digamma();
    match space {
        Space::Plain => {
            // x log(x) of a draw of zero is zero.
            let small = select(&tiny, draw, 0.0);
            select(&tiny, (&small * digamma - small.xlogy(&small)) / a, usual)
        }
        Space::Log => select(&tiny, (digamma - draw) / a, usual / plain),
    }
}

/// Rounds of attempts of all elements until the last has accepted.
///
/// An element tries normal numbers `z` until `1 + c z` is positive, from a chain of keys of its
/// own, then accepts or begins anew; here both are one loop, in which elements are at different
/// places.
#[track_caller]
fn attempts(key: Key, a: &Array, space: Space) -> Array {
    let dtype = a.dtype();
    // For a < 1 a number of shape a + 1 is drawn, and brought down by a power of a uniform one.
    let boosted = a.lt(1.0);
    let d = select(&boosted, a + 1.0, a) - 1.0 / 3.0;
    let c = 1.0 / 3.0 / d.sqrt();
    let [main, boost] = KeyLanes::new(key, a.shape()).split();
    let truth = |value: bool| full_typed(&ArrayType::new(DType::Bool, a.shape()), value);
    let [main, normals, uniforms] = main.split();
    let init = (main, normals, uniforms, truth(true), zeros_like(a));
    let (.., cubes) = while_loop(
        |(.., open, _)| open.any(),
        |(main, normals, uniforms, open, cubes)| {
            let [later, now] = normals.split();
            let z = now.normal(dtype);
            let v = &z * &c + 1.0;
            // NaN accepts, so that the loop ends and gives it.
            let again = v.le(0.0);
            let (z2, v3) = (z.square(), &v * &v * &v);
            let u = uniforms.uniform(dtype);
            let refused = u.ge(1.0 - z2.square() * 0.0331)
                & u.log().ge(&z2 * 0.5 + &d * (1.0 - &v3 + v3.log()));
            let [next, next_normals, next_uniforms] = main.split();
            let accepted = !(&again | refused);
            (
                main.select(&again, &next),
                later.select(&again, &next_normals),
                uniforms.select(&again, &next_uniforms),
                &open & !&accepted,
                select(&(open & accepted), v3, cubes),
            )
        },
        init,
    );
    let shift = boost.uniform(dtype);
    let valid = a.ge(0.0);
    let draw = match space {
        Space::Plain => {
            let power = (1.0 - shift).pow(a.recip());
            d * cubes * select(&boosted, power, 1.0)
        }
        Space::Log => {
            let log = (-shift).log1p();
            let still = !boosted | log.eq(0.0);
            d.log() + cubes.log() + select(&still, 0.0, log / a)
        }
    };
    select(&valid, draw, f64::NAN)
}
