//! A segment at the points of one vector, or of two side by side.

#![deny(clippy::wildcard_enum_match_arm)]

use super::instructions::fused_to;
use super::region::{Arg, Builder, Loc, Sums};
use crate::segments::{Held, Segment, Step};
use probpipe_lowering::Expr;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

impl Builder<'_> {
    /// The segment at the points from `RAX` on.
    pub(super) fn point(&mut self, segment: &Segment, sums: Sums<'_>, turn: usize) -> Option<()> {
        self.count(segment);
        for (at, &step) in segment.steps.iter().enumerate() {
            let (Step::Compute(made) | Step::Read(made, _)) = step;
            self.spills.at(at, Some(made));
            self.step(step)?;
        }
        self.results(segment, sums, turn)
    }

    /// The segment at two vectors, of which the second does not wait for the first.
    pub(super) fn pair(&mut self, segment: &Segment, sums: Sums<'_>) -> Option<()> {
        self.count(segment);
        let mut other = (self.uses.clone(), FxHashMap::default());
        let mut change = |this: &mut Self, ahead: usize| {
            std::mem::swap(&mut this.uses, &mut other.0);
            std::mem::swap(&mut this.locs, &mut other.1);
            this.ahead = ahead;
        };
        for &step in &segment.steps {
            self.step(step)?;
            change(self, self.lanes);
            self.step(step)?;
            change(self, 0);
        }
        self.results(segment, sums, 0)?;
        change(self, self.lanes);
        self.results(segment, sums, 0)?;
        change(self, 0);
        // What nobody used.
        other.1.into_values().for_each(|loc| self.free(loc));
        Some(())
    }

    /// Counts the uses of values at a vector, with none in registers.
    fn count(&mut self, segment: &Segment) {
        let plan = self.plan;
        let kernel = &plan.kernel;
        self.uses.clear();
        let left: Vec<Loc> = self.locs.drain().map(|(_, loc)| loc).collect();
        left.into_iter().for_each(|loc| self.free(loc));
        self.spills.begin();
        let mut used = |x: usize, at: usize| {
            *self.uses.entry(x).or_default() += 1;
            self.spills.note(x, at);
        };
        let fuses = self.fuses_sums;
        let fused = |i: usize| fuses && matches!(kernel.exprs[i], Expr::Summand(..));
        for (at, step) in segment.steps.iter().enumerate() {
            match *step {
                Step::Compute(i) if !fused(i) => plan.operands(i, |x| used(x, at)),
                Step::Compute(_) | Step::Read(..) => {}
            }
        }
        let kept = segment.keeps.iter().map(|&(i, _)| i);
        let stored = segment.stores.iter().map(|&k| kernel.stores[k].value.0 as usize);
        for (at, x) in kept.chain(stored).enumerate() {
            let at = segment.steps.len() + at;
            if fused(x) { plan.operands(x, |x| used(x, at)) } else { used(x, at) }
        }
    }

    /// The factors of a summand that a sum takes itself.
    fn factors(&self, x: usize) -> Option<[usize; 2]> {
        match self.plan.kernel.exprs[x] {
            Expr::Summand(x, y) if self.fuses_sums => Some([x.0 as usize, y.0 as usize]),
            Expr::Summand(..)
            | Expr::Literal(_)
            | Expr::Load { .. }
            | Expr::LoadAt { .. }
            | Expr::Index(_)
            | Expr::Unary(..)
            | Expr::Binary(..)
            | Expr::MulAdd { .. }
            | Expr::Compare(..)
            | Expr::Select(..)
            | Expr::Special(..)
            | Expr::Cast(_)
            | Expr::Bitcast(_) => None,
        }
    }

    /// Brings an expression into a register.
    fn step(&mut self, step: Step) -> Option<()> {
        match step {
            Step::Compute(i) => {
                self.compute(i)?;
                let mut operands: SmallVec<[usize; 3]> = SmallVec::new();
                if self.factors(i).is_none() {
                    self.plan.operands(i, |x| operands.push(x));
                }
                operands.into_iter().for_each(|x| self.used(x));
            }
            Step::Read(i, held) => {
                let arg = match held {
                    Held::Row(row) => Arg::Row(row),
                    Held::Stored(k) => Arg::Store(k),
                };
                self.load(i, arg, None)?;
            }
        }
        self.release();
        Some(())
    }

    /// What is kept, written and summed.
    fn results(&mut self, segment: &Segment, sums: Sums<'_>, turn: usize) -> Option<()> {
        let kernel = &self.plan.kernel;
        let mut at = segment.steps.len();
        for &(i, row) in &segment.keeps {
            self.spills.at(at, None);
            at += 1;
            self.store(i, kernel.types[i], Arg::Row(row), false)?;
            self.used(i);
            self.release();
        }
        for &k in &segment.stores {
            let store = &kernel.stores[k];
            let value = store.value.0 as usize;
            let dtype = kernel.ty(store.value);
            self.spills.at(at, None);
            at += 1;
            match (store.reduce, sums) {
                (None, _) => self.store(value, dtype, Arg::Store(k), self.streaming)?,
                (Some(_), Sums::Registers) if let Some([x, y]) = self.factors(value) => {
                    let total = *self.accumulators.get(&(k, turn))?;
                    let varies = matches!(self.locs.get(&x), Some(Loc::Vector(_)));
                    let (first, last) = if varies { (x, y) } else { (y, x) };
                    let (first, last) = (self.register(first, dtype)?, self.operand(last, dtype)?);
                    let ops = fused_to([false, false]);
                    self.emit_with(ops, dtype, self.merging(), total, first, last, None);
                    self.used(x);
                    self.used(y);
                    self.release();
                    continue;
                }
                (Some(op), Sums::Registers) => {
                    let total = *self.accumulators.get(&(k, turn))?;
                    let term = self.register(value, dtype)?;
                    self.accumulate(op, dtype, total, term)?;
                }
                (Some(op), Sums::Rows(first, types)) => {
                    let arg = Arg::Row(first + k);
                    let to = types[k];
                    let term = self.converted(value, dtype, to)?;
                    let total = self.temporary()?;
                    let from = self.stream(arg)?;
                    self.load_vector(total, to, from);
                    self.accumulate(op, to, total, term)?;
                    let target = self.stream(arg)?;
                    self.store_vector(total, to, target, self.merging());
                }
            }
            self.used(store.value.0 as usize);
            self.release();
        }
        Some(())
    }
}
