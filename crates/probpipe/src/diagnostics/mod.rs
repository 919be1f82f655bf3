//! Diagnostics: whether draws can be trusted, what they say, and which model predicts better. Plain
//! functions of arrays that are there, computed in `f64` on the host: nothing here is part of a
//! program, and no sampler is known. Draws are arrays `[chains, draws, ...]`; every element behind
//! the first two axes is judged alone.
//!
//! | question | answer |
//! |---|---|
//! | have chains mixed? | [`r_hat()`], [`ess()`], [`autocorrelation`], [`bfmi`] |
//! | what do the draws say? | [`mean`], [`sd`], [`quantiles`], [`hdi()`], [`summary()`] |
//! | how precisely? | [`mcse()`] |
//! | can importance weights be trusted? | [`psis()`] |
//! | which model predicts better? | [`loo`], [`waic`], [`compare()`] |
//! | does the model make such data? | [`predictive_check`] |
//! | is the sampler right? | [`calibration()`] |
//! | what does all that look like? | `plots`, with the feature `plot` |
//!
//! ```
//! use probpipe::diagnostics::summary;
//! use probpipe::prelude::*;
//! let draws = Record::new([("mu", normal(Key::new(0), [4, 1000]))]);
//! let table = summary(&draws)?;
//! assert!(table.quantities().iter().all(|q| q.r_hat < 1.01 && q.ess_bulk > 400.0));
//! # Ok::<(), probpipe::Error>(())
//! ```

mod autocovariance;
mod calibration;
mod compare;
mod draws;
mod energy;
mod ess;
mod fourier;
mod hdi;
mod information;
mod mcse;
mod moments;
#[cfg(feature = "plot")]
pub mod plots;
mod predictive;
mod psis;
mod r_hat;
mod ranks;
mod summary;
mod sums;
mod table;

pub use autocovariance::{autocorrelation, autocovariance};
pub use calibration::{Calibration, calibration};
pub use compare::{Compared, Comparison, Weighting, compare};
pub use energy::bfmi;
pub use ess::{Ess, ess};
pub use hdi::hdi;
pub use information::{Criterion, Elpd, loo, loo_with, waic};
pub use mcse::{Mcse, mcse};
pub use moments::{mean, quantiles, sd};
pub use predictive::{PredictiveCheck, predictive_check};
pub use psis::{Psis, psis, psis_with};
pub use r_hat::{RHat, r_hat};
pub use summary::{Quantity, Summary, summary, summary_with};
