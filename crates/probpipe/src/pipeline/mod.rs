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
//! println!("{}", draws.summary()?);
//! for warning in draws.warnings()? {
//!     println!("{warning}");
//! }
//! # Ok::<(), probpipe::Error>(())
//! ```
//!
//! # What becomes of draws
//!
//! A run keeps its draws in memory, or by [`Run::to_dir`] in a folder that ArviZ opens. It ends in
//! order when all chains are done, at the first ctrl-C, when a callback says so or panics, when the
//! model fails, or when the disk does: the draws that all chains had by then are given, and
//! [`Draws::ended`] says why. What ends the process at once leaves the folder as it was, from which
//! [`Run::resume`] goes on to the same draws, bit for bit.

mod chains;
mod checkpoint;
mod columns;
mod course;
mod draws;
mod export;
mod fingerprint;
mod folder;
mod groups;
mod interrupt;
mod predict;
mod program;
mod progress;
mod run;
mod threads;
mod warnings;
mod zarr;

pub use chains::Chains;
pub use course::Ended;
pub use draws::Draws;
pub use export::Export;
pub use progress::{ChainProgress, Progress};
pub use run::{Prepared, Run};
pub use warnings::Warning;
