//! Reading at computed indices: small tables in a register, whose lanes are chosen, others by the
//! instruction that gathers from memory or, where that is slow, one by one. The indices are inside
//! of the array, which the program sees to.

use super::assembler::*;
use super::gathers_slowly;
use super::instructions::*;
use super::region::{Arg, Builder, TAIL};
use probpipe_lowering::{Expr, ExprId};
use probpipe_trace::{CompareOp, DType, Scalar};

impl Builder<'_> {
    /// Expression `i`: the element `step` times the point on, and for each of `at` its value times
    /// its step.
    pub(super) fn gather(
        &mut self,
        i: usize,
        dtype: DType,
        step: i64,
        at: &[(ExprId, i64)],
    ) -> Option<()> {
        let Expr::LoadAt { buffer, index, .. } = &self.plan.kernel.exprs[i] else { return None };
        let count = (self.elements)(*buffer);
        i32::try_from(count).ok()?;
        let whole =
            index.axes.iter().all(|&step| step == 0) && index.loops.is_empty() && index.offset == 0;
        let base = self.base(Arg::Load(i))?;
        // As many elements as a register of this width has.
        if whole && count <= self.lanes.min(64 / dtype.size()) {
            let index = self.places(step, at)?;
            return self.choose(i, dtype, base, count, index);
        }
        if let Some(indices) = self.stored(step, at).filter(|_| gathers_slowly() && !self.tail) {
            return self.one_by_one(i, dtype, base, indices);
        }
        let index = self.places(step, at)?;
        let mask = self.temporary_mask()?;
        if self.tail {
            self.asm.mask(MASK_AND, true, mask, TAIL, TAIL);
        } else {
            self.asm.mask(MASK_SAME, true, mask, TAIL, TAIL);
        }
        // Lanes that are off keep what is there.
        let to = self.define(i)?;
        let zero = self.literal(dtype, Scalar::Int(0))?;
        self.broadcast(to, dtype, zero);
        let from = Operand::Gathered { base, scale: dtype.size().trailing_zeros() as u8, index };
        let only = Predicate { mask, zeroing: false };
        self.emit_with(GATHER, dtype, only, to, 0, from, None);
        Some(())
    }

    /// The indices, in a register of words.
    fn places(&mut self, step: i64, at: &[(ExprId, i64)]) -> Option<Vector> {
        let mut sum: Option<Vector> = None;
        if step != 0 {
            // Those of a vector are those of `RAX`.
            (!self.paired).then_some(())?;
            let first = self.temporary()?;
            self.emit(SPREAD, DType::I32, first, 0, Operand::Vector(RAX));
            let lanes = self.lane_numbers();
            self.emit(ADD, DType::I32, first, first, lanes);
            self.scaled(first, step)?;
            sum = Some(first);
        }
        for &(place, step) in at {
            let place = self.register(place.0 as usize, DType::I32)?;
            let term = match (step, sum) {
                (1, _) => place,
                (_, _) => {
                    let term = self.temporary()?;
                    self.emit(LOAD, DType::I32, term, 0, Operand::Vector(place));
                    self.scaled(term, step)?;
                    term
                }
            };
            sum = Some(match sum {
                None => term,
                Some(sum) => {
                    let total = self.temporary()?;
                    self.emit(ADD, DType::I32, total, sum, Operand::Vector(term));
                    total
                }
            });
        }
        sum
    }

    fn scaled(&mut self, register: Vector, step: i64) -> Option<()> {
        if step != 1 {
            let step = self.literal(DType::I32, Scalar::Int(i128::from(step)))?;
            self.emit(MULTIPLY, DType::I32, register, register, step);
        }
        Some(())
    }

    /// 0, 1, .. in words.
    fn lane_numbers(&mut self) -> Operand {
        let bytes: Vec<u8> = (0..16u32).flat_map(u32::to_le_bytes).collect();
        Operand::Table(self.asm.constant(&bytes))
    }

    /// Elements read one by one, and put together.
    fn one_by_one(
        &mut self,
        i: usize,
        dtype: DType,
        base: General,
        indices: General,
    ) -> Option<()> {
        let scale = dtype.size().trailing_zeros() as u8;
        let (to, next) = (self.define(i)?, self.temporary()?);
        let each = 16 / dtype.size();
        for quarter in 0..self.lanes / each {
            let part = if quarter == 0 { to } else { next };
            for k in 0..each {
                self.asm.count(indices, self.ahead + each * quarter + k);
                let element = Operand::Element { base, scale };
                let (ops, first, place) = match k {
                    0 => (LOAD_ONE, 0, None),
                    _ => (LOAD_ANOTHER, part, (dtype.size() == 4).then_some((k << 4) as u8)),
                };
                let all = Predicate::default();
                self.asm.vector(ops.of(dtype), Width::Quarter, all, part, first, element, place);
            }
            if quarter > 0 {
                let (part, place) = (Operand::Vector(next), Some(quarter as u8));
                let (width, all) = (self.width(dtype), Predicate::default());
                self.asm.vector(INSERT_QUARTER, width, all, to, to, part, place);
            }
        }
        Some(())
    }

    /// Where the indices are, if they are in memory. To write them there takes as long as it saves.
    fn stored(&self, step: i64, at: &[(ExprId, i64)]) -> Option<General> {
        let (0, &[(place, 1)]) = (step, at) else { return None };
        let i = place.0 as usize;
        matches!(self.plan.kernel.exprs[i], Expr::Load { guard: None, .. })
            .then(|| self.base(Arg::Load(i)))?
    }

    /// Lanes of a table of as many elements as a register has at most.
    fn choose(
        &mut self,
        i: usize,
        dtype: DType,
        base: General,
        count: usize,
        index: Vector,
    ) -> Option<()> {
        let mut index = index;
        if dtype.size() == 8 {
            let wide = self.temporary()?;
            let code = conversion(DType::I32, DType::I64)??;
            let from = Operand::Vector(index);
            self.asm.vector(code, Width::Full, Predicate::default(), wide, 0, from, None);
            index = wide;
        }
        let table = self.temporary()?;
        let (numbers, there) = (self.temporary()?, self.temporary_mask()?);
        let lanes = self.lane_numbers();
        self.emit(LOAD, DType::I32, numbers, 0, lanes);
        let end = self.literal(DType::U32, Scalar::Int(count as i128))?;
        let (compare, less) = predicate(CompareOp::Lt, DType::U32);
        let all = Predicate::default();
        self.emit_with(compare, DType::U32, all, there, numbers, end, Some(less));
        // What lies behind the table is not touched.
        let only = Predicate { mask: there, zeroing: true };
        self.emit_with(LOAD, dtype, only, table, 0, Operand::Whole(base), None);
        let to = self.define(i)?;
        self.emit(PERMUTE, dtype, to, index, Operand::Vector(table));
        Some(())
    }
}
