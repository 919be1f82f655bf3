//! Families on integers, by file. Draws are `i32`; densities take integers, truth values and
//! floats that are whole. Quantiles are floats, since they may be infinite.

mod bernoulli;
mod bernoulli_logits;
mod beta_binomial;
mod binomial;
mod categorical;
mod finite;
mod gamma_poisson;
mod geometric;
mod masses;
mod mixed;
mod modes;
mod negative_binomial;
mod ordered_logistic;
mod ordinal;
mod poisson;
mod poisson_log;
mod skellam;
mod steps;
mod stirling;
mod uniform;

pub use bernoulli::Bernoulli;
pub use bernoulli_logits::BernoulliLogits;
pub use beta_binomial::{BetaBinomial, BetaNegativeBinomial};
pub use binomial::{Binomial, BinomialLogits};
pub use categorical::{Categorical, CategoricalLogits};
pub use finite::{FiniteDiscrete, Zipf};
pub use gamma_poisson::{GammaPoisson, NegativeBinomial2};
pub use geometric::{Geometric, GeometricLogits};
pub use negative_binomial::{NegativeBinomial, NegativeBinomialLogits};
pub use ordered_logistic::OrderedLogistic;
pub use ordinal::{ProbitBernoulli, StoppingRatioLogistic};
pub use poisson::Poisson;
pub use poisson_log::PoissonLog;
pub use skellam::Skellam;
pub use uniform::DiscreteUniform;
