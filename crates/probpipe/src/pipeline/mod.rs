//! Whole runs: chains on all cores from starts of their own, a warm-up, draws that are kept.
//!
//! ```
//! use probpipe::inference::Target;
//! use probpipe::inference::mcmc::Nuts;
//! use probpipe::prelude::*;
//! let model = generative(|t: &mut Choices| {
//!     let mean = t.sample("mean", Normal::new(0.0, 10.0));
//!     t.call("y", Normal::new(mean, 1.0).repeat(4), ())
//! });
//! let observed = ChoiceMap::new([("y", array([1.0, 2.0, 3.0, 2.0]))]);
//! let target = Target::of(model, (), &observed)?;
//! let draws = Nuts::default().chains(2).draws(500).sample(Key::new(0), &target)?;
//! assert_eq!(draws.values["mean"].shape(), [2, 500]);
//! assert!((draws.values["mean"].mean().item::<f32>()? - 2.0).abs() < 0.2);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod chains;
mod draws;
mod program;
mod run;
mod warm_up;

pub use chains::Chains;
pub use draws::Draws;
pub use run::Run;
pub use warm_up::{Fixed, WarmUp};
