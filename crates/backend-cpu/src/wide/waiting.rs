//! What waits in memory for want of registers, and where: the values whose next use is farthest go
//! first (L. A. Belady, 1966). Each is written once, and read where it is used.

use super::assembler::Operand;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Arguments that come before the places; regions with more of them spill nothing.
pub(super) const ARGS: usize = 64;
/// Bytes of a place.
pub(super) const SLOT: usize = 64;

/// What waits, and when what is used.
#[derive(Default, Debug)]
pub(super) struct Spills {
    /// Steps at which a value is used, in order.
    uses: FxHashMap<usize, SmallVec<[usize; 4]>>,
    /// The step at hand, and what it makes.
    now: usize,
    made: Option<usize>,
    /// The places of values that were away, which may go again.
    homes: FxHashMap<usize, usize>,
    /// All places, and whether they are in use.
    taken: Vec<bool>,
}

impl Spills {
    /// Begins a vector.
    pub(super) fn begin(&mut self) {
        self.uses.clear();
        self.homes.clear();
        self.taken.fill(false);
        self.at(0, None);
    }

    /// Notes that `x` is used at a step.
    pub(super) fn note(&mut self, x: usize, step: usize) {
        self.uses.entry(x).or_default().push(step);
    }

    /// Comes to a step, which may make a value.
    pub(super) fn at(&mut self, step: usize, made: Option<usize>) {
        (self.now, self.made) = (step, made);
    }

    /// When `x` is used next; what the step at hand uses, or makes, has to stay.
    pub(super) fn next(&self, x: usize) -> Option<usize> {
        let uses = self.uses.get(&x).filter(|_| self.made != Some(x))?;
        let next = *uses.get(uses.partition_point(|&step| step < self.now))?;
        (next > self.now).then_some(next)
    }

    /// The place of `x`, and whether it is there already.
    pub(super) fn home(&mut self, x: usize) -> (usize, bool) {
        if let Some(&slot) = self.homes.get(&x) {
            return (slot, true);
        }
        let slot = self.taken.iter().position(|taken| !taken).unwrap_or(self.taken.len());
        self.taken.resize(self.taken.len().max(slot + 1), false);
        self.taken[slot] = true;
        self.homes.insert(x, slot);
        (slot, false)
    }

    /// Notes that `x` is not used again.
    pub(super) fn forget(&mut self, x: usize) {
        if let Some(slot) = self.homes.remove(&x) {
            self.taken[slot] = false;
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.taken.len()
    }

    /// The place of a vector.
    pub(super) fn place(slot: usize) -> Operand {
        Operand::Local((8 * ARGS + SLOT * slot) as i32)
    }
}
