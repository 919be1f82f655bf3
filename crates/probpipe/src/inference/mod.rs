//! Inference: what is asked of a density, whatever it came from. A [`Target`] is a log-density of a
//! vector of real numbers, with the way back to what the user named; algorithms take nothing else,
//! but for those that begin at a prior: they take a [`Posterior`], which has it apart.
//! Gradients of expectations of which some draws are discrete are [`expectation`]'s.

pub mod adapt;
mod estimates;
mod guided;
mod joints;
pub mod mcmc;
#[cfg(feature = "nuts-rs")]
mod nuts_rs;
mod posterior;
pub mod smc;
mod target;
pub mod vi;

pub use estimates::{Draws, expectation};
pub use guided::Guided;
#[cfg(feature = "nuts-rs")]
pub use nuts_rs::{NoDensity, NutsRs};
pub use posterior::Posterior;
pub use target::Target;
