//! What the parts of a run tell each other: the course that every chain takes, chains on their way,
//! blocks of draws, where these go, and how it ended.

use super::columns::{Column, array, stacked};
use super::program::BLOCK;
use probpipe_trace::{Array, Error, Key, Result};
use std::sync::Arc;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub enum Ended {
    /// With all draws.
    #[default]
    Complete,
    /// By ctrl-C, or since a callback said so.
    Interrupted,
    /// By an error: of the model, of a callback, of the disk.
    Failed(Error),
}

/// Seconds that a block takes at most, if one step takes no longer.
const PACE: f64 = 0.075;

/// What every chain is to do.
#[derive(Debug)]
pub(super) struct Course {
    /// What to do after each step, of all steps.
    pub plan: Vec<i32>,
    /// Steps that are not kept.
    pub warmup: usize,
    pub thin: usize,
    pub columns: Vec<Column>,
}

impl Course {
    /// Draws after so many steps.
    pub fn drawn(&self, steps: usize) -> usize {
        steps.saturating_sub(self.warmup) / self.thin
    }
}

/// A chain: its number, and keys for its start and for itself.
#[derive(Debug)]
pub(super) struct Member {
    pub number: usize,
    pub keys: (Key, Key),
    /// Near to which it starts, or where, if that is given.
    pub start: Array,
    pub given: bool,
}

/// Chains on their way that make their steps together: one, or several side by side.
#[derive(Debug)]
pub(super) struct Group {
    pub members: Vec<Member>,
    /// Steps so far.
    pub steps: usize,
    /// Nothing before they have started.
    pub state: Option<Arc<Vec<Array>>>,
    pub pace: Pace,
}

/// The state of a chain: leaves of its own, or its part of those of several.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub leaves: Arc<Vec<Array>>,
    pub lane: Option<usize>,
}

impl State {
    /// Its own leaves.
    pub fn own(&self) -> Vec<Array> {
        match self.lane {
            None => self.leaves.to_vec(),
            Some(lane) => self.leaves.iter().map(|leaf| leaf.at(lane as isize)).collect(),
        }
    }
}

/// How many steps a block has, by how long the last ones took. Draws do not depend on it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub last: usize,
    pub per_step: f64,
}

impl Pace {
    pub fn next(&self) -> usize {
        // Nothing is known at first, and early steps tell little of later ones.
        let most = (self.last * 8).clamp(1, BLOCK);
        ((PACE / self.per_step.max(1e-9)) as usize).clamp(1, most)
    }
}

/// What came of some steps of a chain.
#[derive(Debug)]
pub(super) struct Block {
    pub chain: usize,
    /// Steps of the chain so far.
    pub steps: usize,
    /// The chain after them.
    pub state: State,
    /// The bytes of the draws among them, for each column.
    pub rows: Vec<Vec<u8>>,
    /// Draws that diverged.
    pub divergences: usize,
    /// Steps of dynamics in all steps, of kernels that count them.
    pub gradients: Option<u64>,
    pub step_size: Option<f64>,
}

/// Where draws go.
pub(super) trait Sink {
    /// Puts the draws of a block away, behind those of the chain before.
    fn take(&mut self, block: &Block) -> Result<()>;
    /// Puts away what is not yet safe, at the end.
    fn close(&mut self) -> Result<()>;
    /// The first `draws` draws of all chains, `[chains, draws, ..]` for each column.
    fn read(&self, draws: usize) -> Result<Vec<Array>>;
}

/// What a run came to.
pub(super) struct Outcome {
    pub ended: Ended,
    /// Draws of each chain that were put away.
    pub drawn: Vec<usize>,
    /// A chain that found no start, and the last place that it tried.
    pub lost: Option<(usize, Array)>,
}

/// Draws in memory: the bytes of each column of each chain.
#[derive(Debug)]
pub(super) struct Memory {
    columns: Vec<Column>,
    chains: Vec<Vec<Vec<u8>>>,
}

impl Memory {
    pub fn new(columns: Vec<Column>, chains: usize) -> Memory {
        let chains = vec![vec![Vec::new(); columns.len()]; chains];
        Memory { columns, chains }
    }
}

impl Sink for Memory {
    fn take(&mut self, block: &Block) -> Result<()> {
        for (all, rows) in self.chains[block.chain].iter_mut().zip(&block.rows) {
            all.extend_from_slice(rows);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }

    fn read(&self, draws: usize) -> Result<Vec<Array>> {
        let whole = |(i, column): (usize, &Column)| {
            let size = draws * column.bytes();
            let parts: Vec<&[u8]> = self.chains.iter().map(|chain| &chain[i][..size]).collect();
            array(stacked(column, self.chains.len(), draws), &parts.concat())
        };
        self.columns.iter().enumerate().map(whole).collect()
    }
}
