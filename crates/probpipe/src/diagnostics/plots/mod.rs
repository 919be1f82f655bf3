//! Figures of draws, from records of arrays `[chains, draws, ...]`: every element behind the first
//! two axes is a quantity of its own, named as in [`summary()`](super::summary()). What is drawn is
//! computed on the host, and no sampler is known.
//!
//! | question | figure |
//! |---|---|
//! | have chains mixed? | [`trace`], [`rank`], [`autocorrelation`], [`energy`] |
//! | what do the draws say? | [`forest`], [`pair`] |
//! | does the model make such data? | [`predictive`] |
//!
//! ```no_run
//! use probpipe::diagnostics::plots;
//! use probpipe::prelude::*;
//! let draws = Record::new([("mu", normal(Key::new(0), [4, 500]))]);
//! plots::trace(&draws)?.save("figures/trace.svg")?;
//! plots::forest(&draws)?.save("figures/forest.png")?;
//! # Ok::<(), probpipe::Error>(())
//! ```

mod chains;
mod checks;
mod density;
mod quantities;
#[cfg(test)]
mod tests;

pub use chains::{autocorrelation, rank, trace};
pub use checks::{energy, predictive};
pub use quantities::{forest, pair};

use super::draws::Chains;
use super::summary::each_quantity;
use crate::record::Record;
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// A quantity, its name and its draws.
struct Named {
    name: String,
    chains: Chains,
}

/// The quantities of a record, if there are no more than can be looked at.
#[track_caller]
fn named(what: &str, draws: &Record, most: usize) -> Result<Vec<Named>> {
    let mut all = Vec::new();
    each_quantity(what, draws, |name, chains| {
        let chains = Chains { values: chains.values.clone(), draws: chains.draws };
        all.push(Named { name, chains });
    })?;
    if all.len() <= most {
        return Ok(all);
    }
    let message = format!("`{what}` draws at most {most} quantities, not {}", all.len());
    Err(Error::new(ErrorKind::Value, message)
        .at(here())
        .help("give the parts to look at: see `Record::select`"))
}

/// Numbers as figures take them.
fn row(numbers: impl IntoIterator<Item = f64>) -> Array {
    let numbers: Vec<f64> = numbers.into_iter().collect();
    Array::from_slice(&numbers, [numbers.len()])
}

/// The numbers from 0 on.
fn count(n: usize) -> Array {
    row((0..n).map(|i| i as f64))
}
