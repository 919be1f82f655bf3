//! What regions do with whole vectors: to and from memory, partial reductions, and the functions
//! that they compute themselves.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::instructions::*;
use super::region::{Arg, Builder, TAIL};
use probpipe_kernels::exp_constants;
use probpipe_trace::{BinaryOp, DType, ReduceOp, Scalar};

impl Builder<'_> {
    /// An instruction on vectors of a type, on all lanes.
    pub(super) fn emit(&mut self, ops: Typed, dtype: DType, to: u8, first: u8, last: Operand) {
        self.emit_with(ops, dtype, Predicate::default(), to, first, last, None);
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn emit_with(
        &mut self,
        ops: Typed,
        dtype: DType,
        predicate: Predicate,
        to: u8,
        first: u8,
        last: Operand,
        immediate: Option<u8>,
    ) {
        let code = ops.of(dtype);
        self.asm.vector(code, self.width(dtype), predicate, to, first, last, immediate);
    }

    pub(super) fn broadcast(&mut self, to: Vector, dtype: DType, from: Operand) {
        // The instruction broadcasts by itself: its memory operand is one element.
        self.asm.vector_of_element(BROADCAST.of(dtype), self.width(dtype), to, from);
    }

    /// Lanes that the tail leaves alone.
    pub(super) fn merging(&self) -> Predicate {
        Predicate { mask: if self.tail { TAIL } else { 0 }, zeroing: false }
    }

    /// Lanes that the tail does not read.
    pub(super) fn zeroing(&self) -> Predicate {
        Predicate { zeroing: self.tail, ..self.merging() }
    }

    pub(super) fn load_vector(&mut self, to: Vector, dtype: DType, from: Operand) {
        self.emit_with(LOAD, dtype, self.zeroing(), to, 0, from, None);
    }

    pub(super) fn store_vector(
        &mut self,
        from: Vector,
        dtype: DType,
        to: Operand,
        predicate: Predicate,
    ) {
        self.emit_with(STORE, dtype, predicate, from, 0, to, None);
    }

    /// Reads expression `i` from a stream; where the guard is false, zero, and nothing is read.
    pub(super) fn load(&mut self, i: usize, arg: Arg, guard: Option<usize>) -> Option<()> {
        let dtype = self.plan.kernel.types[i];
        let from = self.stream(arg)?;
        let mut predicate = self.zeroing();
        if let Some(guard) = guard {
            let guard = self.mask(guard)?;
            predicate = Predicate { mask: guard, zeroing: true };
            if self.tail {
                let both = self.temporary_mask()?;
                self.asm.mask(MASK_AND, true, both, guard, TAIL);
                predicate.mask = both;
            }
        }
        if dtype == DType::Bool {
            let word = self.temporary()?;
            let width = self.width(dtype);
            self.asm.vector(BYTES_TO_WORDS, width, predicate, word, 0, from, None);
            let mask = self.define_mask(i)?;
            self.emit(TEST, DType::I32, mask, word, Operand::Vector(word));
            return Some(());
        }
        let to = self.define(i)?;
        self.emit_with(LOAD, dtype, predicate, to, 0, from, None);
        Some(())
    }

    /// Writes expression `x` to a stream.
    pub(super) fn store(
        &mut self,
        x: usize,
        dtype: DType,
        arg: Arg,
        streaming: bool,
    ) -> Option<()> {
        let to = self.stream(arg)?;
        if dtype == DType::Bool {
            let mask = self.mask(x)?;
            let word = self.temporary()?;
            let one = self.literal(DType::I32, Scalar::Int(1))?;
            let only = Predicate { mask, zeroing: true };
            self.asm.vector_of_element_where(
                BROADCAST.of(DType::I32),
                self.width(dtype),
                only,
                word,
                one,
            );
            let width = self.width(dtype);
            self.asm.vector(WORDS_TO_BYTES, width, self.merging(), word, 0, to, None);
            return Some(());
        }
        let from = self.register(x, dtype)?;
        if streaming && !self.tail {
            self.emit(STREAM, dtype, from, 0, to);
        } else {
            self.store_vector(from, dtype, to, self.merging());
        }
        Some(())
    }

    /// `total = total op term`, in the lanes that are there.
    pub(super) fn accumulate(
        &mut self,
        op: ReduceOp,
        dtype: DType,
        total: Vector,
        term: Vector,
    ) -> Option<()> {
        let term = Operand::Vector(term);
        let predicate = self.merging();
        let op = match op {
            ReduceOp::Sum => ADD,
            ReduceOp::Prod => MULTIPLY,
            ReduceOp::Max | ReduceOp::Min => {
                let result = self.temporary()?;
                let op = if op == ReduceOp::Max { BinaryOp::Max } else { BinaryOp::Min };
                self.extreme(op, dtype, result, total, term)?;
                let result = Operand::Vector(result);
                self.emit_with(LOAD, dtype, predicate, total, 0, result, None);
                return Some(());
            }
            ReduceOp::And | ReduceOp::Or => return None,
        };
        self.emit_with(op, dtype, predicate, total, total, term, None);
        Some(())
    }

    /// The larger or smaller of each lane; NaN where one is.
    pub(super) fn extreme(
        &mut self,
        op: BinaryOp,
        dtype: DType,
        to: Vector,
        x: Vector,
        y: Operand,
    ) -> Option<()> {
        let larger = op == BinaryOp::Max;
        let signed = dtype.is_signed();
        let ops = match (larger, signed) {
            _ if dtype.is_float() => {
                if larger {
                    MAX
                } else {
                    MIN
                }
            }
            (true, true) => MAX_SIGNED,
            (true, false) => MAX_UNSIGNED,
            (false, true) => MIN_SIGNED,
            (false, false) => MIN_UNSIGNED,
        };
        self.emit(ops, dtype, to, x, y);
        if dtype.is_float() {
            // The instruction gives `y` where one is NaN.
            let nan = self.temporary_mask()?;
            let itself = Operand::Vector(x);
            self.emit_with(COMPARE, dtype, Predicate::default(), nan, x, itself, Some(UNORDERED));
            let only = Predicate { mask: nan, zeroing: false };
            self.emit_with(LOAD, dtype, only, to, 0, itself, None);
        }
        Some(())
    }

    /// e^x, with the same bits as the kernel: see `kernels/src/math/exponential.rs`. The
    /// instruction that scales by a power of two saves a third of the work.
    pub(super) fn exp(&mut self, dtype: DType, to: Vector, x: Vector) -> Option<()> {
        let numbers = exp_constants(dtype == DType::F64);
        let reg = Operand::Vector;
        let bounded = self.temporary()?;
        let (low, high) = numbers.range;
        let low = self.literal(dtype, Scalar::Float(low))?;
        let some = self.temporary_mask()?;
        self.emit_with(COMPARE, dtype, Predicate::default(), some, x, low, Some(NOT_LESS));
        let some = Predicate { mask: some, zeroing: true };
        let limit = self.temporary()?;
        let high = self.literal(dtype, Scalar::Float(high))?;
        self.broadcast(limit, dtype, high);
        // The instruction gives its last operand where it is NaN.
        self.emit_with(MIN, dtype, some, bounded, limit, reg(x), None);
        let n = self.temporary()?;
        let log2_e = self.literal(dtype, Scalar::Float(std::f64::consts::LOG2_E))?;
        self.emit(MULTIPLY, dtype, n, bounded, log2_e);
        self.emit_with(ROUND, dtype, Predicate::default(), n, 0, reg(n), Some(8));
        let r = bounded;
        for part in [numbers.ln2.0, numbers.ln2.1] {
            let part = self.literal(dtype, Scalar::Float(part))?;
            self.emit(SUBTRACT_PRODUCT, dtype, r, n, part);
        }
        let q = self.temporary()?;
        let (last, rest) = numbers.second_order.split_last()?;
        let last = self.literal(dtype, Scalar::Float(*last))?;
        self.broadcast(q, dtype, last);
        for &c in rest.iter().rev() {
            let c = self.literal(dtype, Scalar::Float(c))?;
            self.emit(MULTIPLY_ADD, dtype, q, r, c);
        }
        self.emit(MULTIPLY, dtype, to, r, reg(r));
        self.emit(MULTIPLY_ADD, dtype, to, q, reg(r));
        let one = self.literal(dtype, Scalar::Int(1))?;
        self.emit(ADD, dtype, to, to, one);
        self.emit_with(SCALE, dtype, some, to, to, reg(n), None);
        Some(())
    }

    pub(super) fn emit_where(
        &mut self,
        ops: Typed,
        dtype: DType,
        mask: Mask,
        to: u8,
        first: u8,
        last: Operand,
    ) {
        let predicate = Predicate { mask, zeroing: false };
        self.emit_with(ops, dtype, predicate, to, first, last, None);
    }
}
