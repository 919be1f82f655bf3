//! What there is to be said against a run, and what to do about it.

use super::course::Ended;
use super::draws::Draws;
use crate::diagnostics::{Quantity, Summary, bfmi};
use probpipe_trace::{Array, Error, Result, Tree, here, with_location};
use std::fmt;

/// Effective draws that each chain should give (A. Vehtari et al., 2021).
const ENOUGH: f64 = 100.0;
/// R-hat from which chains have not mixed (there too).
const MIXED: f64 = 1.01;
/// BFMI below which energies are not explored (M. Betancourt, 2016).
const LOW_ENERGY: f64 = 0.3;

/// One thing that is to be said against a run. It prints with what to do.
#[derive(Clone, Debug)]
pub enum Warning {
    /// It did not complete.
    Cut {
        /// Draws that each chain has.
        draws: usize,
        /// Draws that it was to have.
        of: usize,
        /// What ended it, unless it was stopped.
        error: Option<Error>,
    },
    /// Steps that diverged.
    Divergences {
        /// How many.
        count: usize,
        /// Of how many draws.
        of: usize,
        /// The value that is furthest from its mean there: its name, its mean there and overall.
        at: Option<(String, f64, f64)>,
    },
    /// Trajectories that were not allowed to become longer.
    MaxDepth {
        /// How many.
        count: usize,
        /// Of how many draws.
        of: usize,
        /// The bound.
        depth: usize,
    },
    /// A chain whose energies change little from step to step.
    LowEnergy {
        /// Which one.
        chain: usize,
        /// Its [`bfmi`].
        bfmi: f64,
    },
    /// A chain that never moved.
    Stuck {
        /// Which one.
        chain: usize,
    },
    /// Chains that do not agree.
    HighRHat {
        /// The worst value.
        name: String,
        /// Its R-hat.
        r_hat: f64,
        /// How many values there are like it.
        count: usize,
    },
    /// Too few effective draws.
    LowEss {
        /// The worst value.
        name: String,
        /// The smaller of its effective sizes, of the bulk and of the tails.
        ess: f64,
        /// How many there should be.
        wanted: f64,
        /// How many values there are like it.
        count: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Cut { draws, of, error } => {
                write!(f, "the run ended after {draws} of {of} draws")?;
                match error {
                    Some(error) => write!(f, ": {error}"),
                    None => f.write_str(", as it was told to"),
                }
            }
            Warning::Divergences { count, of, at } => {
                write!(
                    f,
                    "{count} of {of} draws diverged: the density bends too sharply for the "
                )?;
                f.write_str("step size somewhere, and draws from there are missing")?;
                if let Some((name, there, all)) = at {
                    write!(f, "; `{name}` is {there:.3} there on average, {all:.3} overall")?;
                }
                f.write_str(
                    ". Write the model in other parameters (as `mu + tau * z` with standard normal \
                     `z`), or raise the kernel's target acceptance by `.target_acceptance(0.95)`",
                )
            }
            Warning::MaxDepth { count, of, depth } => write!(
                f,
                "{count} of {of} trajectories were cut after {depth} doublings: draws are right, \
                 but slow. Raise `max_depth`, warm up for longer, or bring parameters to one scale"
            ),
            Warning::LowEnergy { chain, bfmi } => write!(
                f,
                "chain {chain} does not explore its energies (BFMI {bfmi:.2}, below {LOW_ENERGY}): \
                 tails are heavy or scales vary. Write the model in other parameters"
            ),
            Warning::Stuck { chain } => write!(
                f,
                "chain {chain} never moved. Its density may be infinite or not differentiable \
                 where it began: give the target another start, or the kernel a smaller step size"
            ),
            Warning::HighRHat { name, r_hat, count } => write!(
                f,
                "chains do not agree on {count} values, the least on `{name}` (R-hat {r_hat:.3}, \
                 above {MIXED}): they are not of one distribution yet. Warm up and draw for \
                 longer; if they stay apart there are several modes, or what the data do not tell \
                 apart"
            ),
            Warning::LowEss { name, ess, wanted, count } => write!(
                f,
                "{count} values have few effective draws, the least `{name}` ({ess:.0}, fewer than \
                 {wanted:.0}): means and intervals are rough. Draw for longer"
            ),
        }
    }
}

impl<T: Tree> Draws<T> {
    /// What there is to be said against the draws, each with what to do about it: nothing, of a run
    /// that may be trusted as far as can be seen from its draws.
    ///
    /// # Errors
    /// Those of the diagnostics.
    #[track_caller]
    pub fn warnings(&self) -> Result<Vec<Warning>> {
        with_location(here(), || warnings(self))
    }
}

/// What there is to be said against draws.
fn warnings<T: Tree>(draws: &Draws<T>) -> Result<Vec<Warning>> {
    let mut all = Vec::new();
    let (chains, each) = (draws.chains(), draws.draws());
    let of = chains * each;
    let cut = |error| Warning::Cut { draws: each, of: draws.wanted, error };
    match &draws.ended {
        Ended::Complete => {}
        Ended::Interrupted => all.push(cut(None)),
        Ended::Failed(error) => all.push(cut(Some(error.clone()))),
    }
    let table = draws.summary()?;
    let z = numbers(&draws.unconstrained)?;
    let stuck: Vec<bool> = z
        .chunks((z.len() / chains).max(1))
        .map(|chain| chain.chunks((chain.len() / each).max(1)).all(|row| same(row, chain)))
        .collect();
    let still = |(chain, &stuck): (usize, &bool)| (stuck && each > 1).then_some(chain);
    all.extend(stuck.iter().enumerate().filter_map(still).map(|chain| Warning::Stuck { chain }));
    if let Some(flags) = draws.stats.get("diverging") {
        let flags = numbers(flags)?;
        let count = flags.iter().filter(|&&flag| flag != 0.0).count();
        if count > 0 {
            let at = furthest(draws, &table, &flags, count)?;
            all.push(Warning::Divergences { count, of, at });
        }
    }
    if let (Some(depths), Some(depth)) = (draws.stats.get("depth"), draws.max_depth) {
        let count = numbers(depths)?.iter().filter(|&&d| d >= depth as f64).count();
        if count > 0 {
            all.push(Warning::MaxDepth { count, of, depth });
        }
    }
    if let Some(energies) = draws.stats.get("energy") {
        for (chain, bfmi) in bfmi(energies)?.to_vec::<f64>()?.into_iter().enumerate() {
            if bfmi < LOW_ENERGY {
                all.push(Warning::LowEnergy { chain, bfmi });
            }
        }
    }
    all.extend(of_table(&table, chains));
    Ok(all)
}

/// What a table of all values says. A value that is always the same has neither number.
fn of_table(table: &Summary, chains: usize) -> Vec<Warning> {
    let mut all = Vec::new();
    let apart: Vec<&Quantity> = table.quantities().iter().filter(|q| q.r_hat > MIXED).collect();
    if let Some(worst) = apart.iter().max_by(|a, b| a.r_hat.total_cmp(&b.r_hat)) {
        let (name, r_hat) = (worst.name.clone(), worst.r_hat);
        all.push(Warning::HighRHat { name, r_hat, count: apart.len() });
    }
    let wanted = ENOUGH * chains as f64;
    let size = |q: &Quantity| q.ess_bulk.min(q.ess_tail);
    let few: Vec<&Quantity> = table.quantities().iter().filter(|q| size(q) < wanted).collect();
    if let Some(worst) = few.iter().min_by(|a, b| size(a).total_cmp(&size(b))) {
        let (name, ess) = (worst.name.clone(), size(worst));
        all.push(Warning::LowEss { name, ess, wanted, count: few.len() });
    }
    all
}

/// Whether a row is the first one of its chain.
fn same(row: &[f64], chain: &[f64]) -> bool {
    row.iter().zip(chain).all(|(a, b)| a == b)
}

/// The value whose mean where steps diverged is furthest from its mean, in standard deviations.
fn furthest<T: Tree>(
    draws: &Draws<T>,
    table: &Summary,
    flags: &[f64],
    count: usize,
) -> Result<Option<(String, f64, f64)>> {
    let mut found: Option<(f64, &Quantity, f64)> = None;
    // In the order of the elements.
    let mut quantities = table.quantities().iter();
    for (_, array) in draws.record().arrays() {
        let values = numbers(array)?;
        let size = values.len() / flags.len();
        for (at, quantity) in quantities.by_ref().take(size).enumerate() {
            let there = values.iter().skip(at).step_by(size).zip(flags);
            let sum: f64 = there.filter(|(_, flag)| **flag != 0.0).map(|(x, _)| x).sum();
            let mean = sum / count as f64;
            let off = (mean - quantity.mean).abs() / quantity.sd;
            if off.is_finite() && found.is_none_or(|(most, ..)| off > most) {
                found = Some((off, quantity, mean));
            }
        }
    }
    Ok(found.map(|(_, quantity, mean)| (quantity.name.clone(), mean, quantity.mean)))
}

/// The elements of an array of any type.
fn numbers(array: &Array) -> Result<Vec<f64>> {
    array.cast(probpipe_trace::DType::F64).to_vec()
}
