//! Weighted particles: importance sampling, sequential Monte Carlo, nested sampling. Each is one
//! program with its loops in it, so that a whole run can be compiled, or batched over data and
//! keys. All estimate the evidence, which chains do not.
//!
//! | | |
//! |---|---|
//! | [`ImportanceSampling`] | draws of a proposal, a guide or a prior, with [`Weighted`] values |
//! | [`Tempered`] | particles that are led from a prior to a posterior |
//! | [`ParticleFilter`] | the states of a [`StateSpace`] model, as observations come |
//! | [`NestedSampling`] | the prior, cut off where the likelihood is lower and lower |
//! | [`Resampling`] | how particles are taken by their weights |
//! | [`Cloud`] | what particles know together, by which kernels that move them are scaled |

mod cloud;
mod filter;
mod importance;
mod ladder;
mod nested;
mod resampling;
mod state_space;
mod sums;
mod tempered;
mod weights;

pub use cloud::Cloud;
pub use filter::{Filtered, ParticleFilter};
pub use importance::ImportanceSampling;
pub use ladder::Ladder;
pub use nested::{NestedSamples, NestedSampling};
pub use resampling::{Resampled, Resampling};
pub use state_space::StateSpace;
pub use sums::effective_sample_size;
pub use tempered::{Mutation, Tempered, TemperedParticles};
pub use weights::Weighted;
