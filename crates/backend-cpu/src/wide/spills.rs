//! Values that wait in memory, where a kernel has more of them than there are registers: those whose
//! next use is farthest go first (L. A. Belady, 1966). Each is written once and read where it is
//! used.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::instructions::*;
use super::region::{Builder, Loc};
use probpipe_trace::DType;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Arguments that come before the places; regions with more of them spill nothing.
const ARGS: usize = 64;
/// Bytes of a place.
const SLOT: usize = 64;

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
    fn next(&self, x: usize) -> Option<usize> {
        let uses = self.uses.get(&x).filter(|_| self.made != Some(x))?;
        let next = *uses.get(uses.partition_point(|&step| step < self.now))?;
        (next > self.now).then_some(next)
    }

    /// The place of `x`, and whether it is there already.
    fn home(&mut self, x: usize) -> (usize, bool) {
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

    /// The place of a vector.
    pub(super) fn place(slot: usize) -> Operand {
        Operand::Local((8 * ARGS + SLOT * slot) as i32)
    }
}

impl Builder<'_> {
    /// A vector register, that of a value which is not used for long if there is no other. Of two
    /// vectors side by side the second one's values are not known here.
    pub(super) fn vector(&mut self) -> Option<Vector> {
        if let Some(register) = self.vectors.pop() {
            return Some(register);
        }
        let (x, register) = self.farthest(|loc| match loc {
            Loc::Vector(register) => Some(register),
            Loc::Mask(_) | Loc::Away(_) | Loc::MaskAway(_) => None,
        })?;
        let (slot, there) = self.spills.home(x);
        if !there {
            let (code, to) = (STORE.of(DType::I32), Spills::place(slot));
            self.asm.vector(code, Width::Full, Predicate::default(), register, 0, to, None);
        }
        self.locs.insert(x, Loc::Away(slot));
        Some(register)
    }

    /// A mask register likewise.
    pub(super) fn free_mask(&mut self) -> Option<Mask> {
        if let Some(mask) = self.masks.pop() {
            return Some(mask);
        }
        let (x, mask) = self.farthest(|loc| match loc {
            Loc::Mask(mask) => Some(mask),
            Loc::Vector(_) | Loc::Away(_) | Loc::MaskAway(_) => None,
        })?;
        let (slot, there) = self.spills.home(x);
        if !there {
            self.asm.mask_to_memory(mask, Spills::place(slot));
        }
        self.locs.insert(x, Loc::MaskAway(slot));
        Some(mask)
    }

    /// Brings a value into a register again, if it is away.
    pub(super) fn bring_back(&mut self, x: usize) -> Option<()> {
        match self.locs.get(&x) {
            Some(&Loc::Away(slot)) => {
                let register = self.vector()?;
                let (code, from) = (LOAD.of(DType::I32), Spills::place(slot));
                self.asm.vector(code, Width::Full, Predicate::default(), register, 0, from, None);
                self.locs.insert(x, Loc::Vector(register));
            }
            Some(&Loc::MaskAway(slot)) => {
                let mask = self.free_mask()?;
                self.asm.mask_of_memory(mask, Spills::place(slot));
                self.locs.insert(x, Loc::Mask(mask));
            }
            Some(Loc::Vector(_) | Loc::Mask(_)) | None => {}
        }
        Some(())
    }

    fn farthest(&self, of: impl Fn(Loc) -> Option<u8>) -> Option<(usize, u8)> {
        if self.paired {
            return None;
        }
        let waiting = self.locs.iter().filter_map(|(&x, &loc)| {
            let register = of(loc)?;
            Some((self.spills.next(x)?, x, register))
        });
        waiting.max().map(|(_, x, register)| (x, register))
    }

    /// Where what lies behind arguments and places begins.
    pub(super) fn end_of_spills(&self) -> Option<usize> {
        let slots = self.spills.taken.len();
        if slots == 0 {
            return Some((8 * self.args.len()).next_multiple_of(64));
        }
        (self.args.len() <= ARGS).then_some(8 * ARGS + SLOT * slots)
    }
}
