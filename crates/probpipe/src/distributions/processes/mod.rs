//! Distributions over functions and over series: Gaussian processes, hidden Markov models, and
//! autoregression.

mod autoregressive;
mod gaussian;
mod hidden_markov;
mod kernels;

pub use autoregressive::Autoregressive;
pub use gaussian::{GaussianPosterior, GaussianProcess};
pub use hidden_markov::HiddenMarkovModel;
pub use kernels::Kernel;
