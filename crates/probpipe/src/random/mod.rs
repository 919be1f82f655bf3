//! Random keys and what is drawn from them; what samplers of every family start from. Algorithms
//! and the use of keys are those of `jax.random`, so that the draws are: bits, uniforms and
//! integers to the bit, others to rounding. Nothing here knows a distribution.
//!
//! A sampler takes the key, the shape of the result and then the parameters, which broadcast to
//! that shape. Draws have the float type that the parameters name, else the default one; where no
//! parameter can name it, `.._of` does. A parameter outside its range gives NaN.
//!
//! ```
//! use probpipe::prelude::*;
//! use probpipe::random;
//! let (key, other) = Key::new(0).split();
//! let counts = random::poisson(key, [2, 3], array([1.0, 10.0, 100.0]));
//! assert_eq!((counts.dtype(), counts.shape()), (DType::I32, &[2, 3][..]));
//! // Draws are differentiable in the parameters of continuous families.
//! let mean = |a: Array| random::gamma(other.reuse(), 1000, a).mean();
//! let slope = grad(mean)(array(3.0)).item::<f32>()?;
//! assert!((slope - 1.0).abs() < 0.1);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod binomial;
mod discrete;
mod gamma;
mod integers;
mod multivariate;
mod parameters;
mod permutations;
mod poisson;
mod ratios;
mod signs;
mod stirling;
mod transforms;

#[doc(inline)]
pub use probpipe_trace::{
    Key, KeyLanes, RandomLayout, normal, normal_of, symmetric_uniform_of, uniform, uniform_of,
    uniform_range,
};

pub use binomial::{binomial, multinomial};
pub use discrete::{
    bernoulli, bernoulli_with, categorical, categorical_with, categorical_without_replacement,
    geometric,
};
pub use gamma::{gamma, loggamma};
pub use integers::{randint, randint_of};
pub use multivariate::{ball, multivariate_normal, orthogonal, orthogonal_of};
pub use parameters::Resolution;
pub use permutations::{ChoiceOptions, choice, choice_with, permutation, shuffle, shuffle_each};
pub use poisson::poisson;
pub use ratios::{beta, chi_square, dirichlet, fisher_f, generalized_normal, student_t};
pub use signs::{rademacher, rademacher_of};
pub use transforms::{
    cauchy, cauchy_of, double_sided_maxwell, exponential, exponential_of, gumbel, gumbel_of,
    gumbel_with, laplace, laplace_of, logistic, logistic_of, lognormal, maxwell, maxwell_of,
    pareto, rayleigh, triangular, truncated_normal, wald, weibull_min,
};
