//! Weighted particles: importance sampling and particle filters. Each is one
//! program with its loops in it, so that a whole run can be compiled, or batched over data and
//! keys. All estimate the evidence, which chains do not.
//!
//! | | |
//! |---|---|
//! | [`ImportanceSampling`] | draws of a proposal, a guide or a prior, with [`Weighted`] values |
//! | [`ParticleFilter`] | the states of a [`StateSpace`] model, as observations come |
//! | [`Resampling`] | how particles are taken by their weights |

mod filter;
mod importance;
mod resampling;
mod state_space;
mod sums;
mod weights;

pub use filter::{Filtered, ParticleFilter};
pub use importance::ImportanceSampling;
pub use resampling::{Resampled, Resampling};
pub use state_space::StateSpace;
pub use sums::effective_sample_size;
pub use weights::Weighted;
