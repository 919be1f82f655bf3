//! Values go to memory and come back, where a kernel has more of them than there are registers.
//! Which goes, and where to, is kept in `waiting.rs`.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::instructions::*;
use super::region::{Builder, Loc};
use super::waiting::{ARGS, SLOT, Spills};
use probpipe_trace::DType;

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
        let slots = self.spills.places();
        if slots == 0 {
            return Some((8 * self.args.len()).next_multiple_of(64));
        }
        (self.args.len() <= ARGS).then_some(8 * ARGS + SLOT * slots)
    }
}
