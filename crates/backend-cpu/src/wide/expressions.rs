//! The expressions of a kernel in vectors: one function for each kind. `None` is what has no
//! instruction.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::instructions::*;
use super::region::{Arg, Builder, Loc};
use crate::plan::operand_type;
use probpipe_lowering::Expr;
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, CompareOp, DType, Scalar, UnaryOp};

impl Builder<'_> {
    /// Computes expression `i`.
    pub(super) fn compute(&mut self, i: usize) -> Option<()> {
        let kernel = &self.plan.kernel;
        let dtype = kernel.types[i];
        let from = operand_type(kernel, i);
        match &kernel.exprs[i] {
            Expr::Literal(_) | Expr::Special(..) => None,
            Expr::LoadAt { index, at, .. } => {
                let step = index.axes.last().copied().unwrap_or(0);
                self.gather(i, dtype, step, at)
            }
            Expr::Load { guard, .. } => self.load(i, Arg::Load(i), guard.map(|g| g.0 as usize)),
            Expr::Index(map) => {
                let step = map.axes.last().copied().unwrap_or(0);
                // Floats are exact for small indices only.
                (!dtype.is_float()).then_some(())?;
                self.index(i, dtype, step)
            }
            Expr::Unary(op, x) => self.unary(i, *op, from, x.0 as usize),
            Expr::Binary(op, x, y) => self.binary(i, *op, dtype, x.0 as usize, y.0 as usize),
            Expr::MulAdd { factors, addend, minus } => {
                let operands = [factors[0], factors[1], *addend].map(|x| x.0 as usize);
                self.mul_add(i, dtype, operands, *minus)
            }
            // Sums take the factors themselves.
            Expr::Summand(..) if self.fuses_sums => Some(()),
            Expr::Summand(x, y) => self.binary(i, BinaryOp::Mul, dtype, x.0 as usize, y.0 as usize),
            Expr::Compare(op, x, y) => self.comparison(i, *op, from, x.0 as usize, y.0 as usize),
            Expr::Select(c, x, y) => {
                self.select(i, dtype, [c.0 as usize, x.0 as usize, y.0 as usize])
            }
            Expr::Cast(x) => {
                let x = x.0 as usize;
                if dtype == DType::Bool && from != DType::Bool {
                    return self.nonzero(i, from, x);
                }
                let value = self.converted(x, from, dtype)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(value));
                Some(())
            }
            Expr::Bitcast(x) => {
                (dtype != DType::Bool && from != DType::Bool).then_some(())?;
                let x = self.register(x.0 as usize, from)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(x));
                Some(())
            }
        }
    }

    /// The index at every point: that of the first one, and a step for each after it. Wraps as
    /// the type does.
    pub(super) fn index(&mut self, i: usize, dtype: DType, step: i64) -> Option<()> {
        (dtype != DType::Bool).then_some(())?;
        let to = self.define(i)?;
        let size = dtype.size();
        let table: Vec<u8> =
            (0..64 / size).flat_map(|lane| (lane as u64).to_le_bytes()[..size].to_vec()).collect();
        let table = self.asm.constant(&table);
        self.emit(SPREAD, dtype, to, 0, Operand::Vector(RAX));
        self.emit(ADD, dtype, to, to, Operand::Table(table));
        if step != 1 {
            let step = self.literal(dtype, Scalar::Int(i128::from(step)))?;
            self.emit(MULTIPLY, dtype, to, to, step);
        }
        let first = self.shared(Arg::Index(i));
        self.emit(ADD, dtype, to, to, first);
        Some(())
    }

    pub(super) fn unary(&mut self, i: usize, op: UnaryOp, dtype: DType, x: usize) -> Option<()> {
        let float = dtype.is_float();
        if dtype == DType::Bool {
            (op == UnaryOp::Not).then_some(())?;
            let x = self.mask(x)?;
            let to = self.define_mask(i)?;
            self.asm.mask(MASK_NOT, false, to, 0, x);
            return Some(());
        }
        // The one function that is written out here.
        if op == UnaryOp::Exp && float {
            let x = self.register(x, dtype)?;
            let to = self.define(i)?;
            return self.exp(dtype, to, x);
        }
        match op.instruction()? {
            UnaryInstruction::Round if float => self.round(i, dtype, x, 8)?,
            UnaryInstruction::Floor if float => self.round(i, dtype, x, 9)?,
            UnaryInstruction::Ceil if float => self.round(i, dtype, x, 10)?,
            UnaryInstruction::Sqrt if float => {
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(SQRT, dtype, to, 0, Operand::Vector(x));
            }
            UnaryInstruction::Neg | UnaryInstruction::Abs if float => {
                let sign = if dtype == DType::F32 { 1 << 31 } else { 1_i128 << 63 };
                let bits = if dtype == DType::F32 { DType::U32 } else { DType::U64 };
                let pattern = if op == UnaryOp::Neg { sign } else { sign - 1 };
                let pattern = self.literal(bits, Scalar::Int(pattern))?;
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                let ops = if op == UnaryOp::Neg { XOR } else { AND };
                self.emit(ops, bits, to, x, pattern);
            }
            UnaryInstruction::Neg => {
                let zero = self.literal(dtype, Scalar::Int(0))?;
                let none = self.temporary()?;
                self.broadcast(none, dtype, zero);
                let x = self.operand(x, dtype)?;
                let to = self.define(i)?;
                self.emit(SUBTRACT, dtype, to, none, x);
            }
            UnaryInstruction::Abs if dtype.is_signed() => {
                let x = self.operand(x, dtype)?;
                let to = self.define(i)?;
                self.emit(ABSOLUTE, dtype, to, 0, x);
            }
            UnaryInstruction::Not if !float => {
                let ones = self.literal(dtype, Scalar::Int(-1))?;
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(XOR, dtype, to, x, ones);
            }
            UnaryInstruction::IsFinite if float => {
                let bits = if dtype == DType::F32 { DType::U32 } else { DType::U64 };
                let low = if dtype == DType::F32 { (1 << 31) - 1 } else { (1_i128 << 63) - 1 };
                let magnitude = self.temporary()?;
                let pattern = self.literal(bits, Scalar::Int(low))?;
                let x = self.register(x, dtype)?;
                self.emit(AND, bits, magnitude, x, pattern);
                let infinity = self.literal(dtype, Scalar::Float(f64::INFINITY))?;
                let to = self.define_mask(i)?;
                let none = Predicate::default();
                self.emit_with(COMPARE, dtype, none, to, magnitude, infinity, Some(LESS));
            }
            UnaryInstruction::Sign if float => {
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(x));
                let zero = self.literal(dtype, Scalar::Int(0))?;
                for (predicate, value) in [(GREATER, 1), (LESS, -1)] {
                    let mask = self.temporary_mask()?;
                    let none = Predicate::default();
                    self.emit_with(COMPARE, dtype, none, mask, x, zero, Some(predicate));
                    let value = self.literal(dtype, Scalar::Int(value))?;
                    self.emit_where(BLEND, dtype, mask, to, to, value);
                }
            }
            UnaryInstruction::Abs
            | UnaryInstruction::Sign
            | UnaryInstruction::Floor
            | UnaryInstruction::Ceil
            | UnaryInstruction::Round
            | UnaryInstruction::Sqrt
            | UnaryInstruction::Not
            | UnaryInstruction::IsFinite => return None,
        }
        Some(())
    }

    /// To a whole number, by the mode that the instruction's immediate says.
    fn round(&mut self, i: usize, dtype: DType, x: usize, mode: u8) -> Option<()> {
        let x = self.register(x, dtype)?;
        let to = self.define(i)?;
        let last = Operand::Vector(x);
        self.emit_with(ROUND, dtype, Predicate::default(), to, 0, last, Some(mode));
        Some(())
    }

    pub(super) fn binary(
        &mut self,
        i: usize,
        op: BinaryOp,
        dtype: DType,
        x: usize,
        y: usize,
    ) -> Option<()> {
        let float = dtype.is_float();
        if dtype == DType::Bool {
            let opcode = match op.instruction()? {
                BinaryInstruction::And => MASK_AND,
                BinaryInstruction::Or => MASK_OR,
                BinaryInstruction::Xor => MASK_XOR,
                BinaryInstruction::Add
                | BinaryInstruction::Sub
                | BinaryInstruction::Mul
                | BinaryInstruction::Div
                | BinaryInstruction::Rem
                | BinaryInstruction::Max
                | BinaryInstruction::Min
                | BinaryInstruction::Shl
                | BinaryInstruction::Shr => return None,
            };
            let (x, y) = (self.mask(x)?, self.mask(y)?);
            let to = self.define_mask(i)?;
            self.asm.mask(opcode, true, to, x, y);
            return Some(());
        }
        let ops = match op.instruction()? {
            BinaryInstruction::Add => ADD,
            BinaryInstruction::Sub => SUBTRACT,
            BinaryInstruction::Mul => MULTIPLY,
            BinaryInstruction::Div if float => {
                if self.quotient(i, dtype, x, y).is_some() {
                    return Some(());
                }
                DIVIDE
            }
            BinaryInstruction::And if !float => AND,
            BinaryInstruction::Or if !float => OR,
            BinaryInstruction::Xor if !float => XOR,
            BinaryInstruction::Max | BinaryInstruction::Min => {
                let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
                let to = self.define(i)?;
                return self.extreme(op, dtype, to, x, y);
            }
            BinaryInstruction::Shl => return self.shift(i, true, dtype, x, y),
            BinaryInstruction::Shr => return self.shift(i, false, dtype, x, y),
            BinaryInstruction::Div
            | BinaryInstruction::And
            | BinaryInstruction::Or
            | BinaryInstruction::Xor
            | BinaryInstruction::Rem => return None,
        };
        // A value from memory can be the last operand only.
        let varies = |this: &Self, x: usize| matches!(this.locs.get(&x), Some(Loc::Vector(_)));
        let swaps = !matches!(op, BinaryOp::Sub | BinaryOp::Div);
        let (x, y) = if swaps && !varies(self, x) && varies(self, y) { (y, x) } else { (x, y) };
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define(i)?;
        self.emit(ops, dtype, to, x, y);
        Some(())
    }

    /// `x y + z`, rounded once, with the product, or `z`, of the other sign. An instruction
    /// overwrites what it adds to, or a factor.
    fn mul_add(
        &mut self,
        i: usize,
        dtype: DType,
        [x, y, z]: [usize; 3],
        minus: [bool; 2],
    ) -> Option<()> {
        let varies = |this: &Self, x: usize| matches!(this.locs.get(&x), Some(Loc::Vector(_)));
        let (x, y) = if varies(self, x) { (x, y) } else { (y, x) };
        if !varies(self, z) && varies(self, y) {
            // From memory, `z` can be the last operand only.
            let (x, z) = (self.register(x, dtype)?, self.operand(z, dtype)?);
            let to = self.overwritten(i, y, dtype)?;
            self.emit(fused_by(minus), dtype, to, x, z);
            return Some(());
        }
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.overwritten(i, z, dtype)?;
        self.emit(fused_to(minus), dtype, to, x, y);
        Some(())
    }

    /// A register for expression `i` that holds `x`: that of `x` itself where it is used last.
    fn overwritten(&mut self, i: usize, x: usize, dtype: DType) -> Option<Vector> {
        self.bring_back(x)?;
        if self.uses.get(&x) == Some(&1)
            && let Some(Loc::Vector(register)) = self.locs.get(&x).copied()
        {
            self.locs.remove(&x);
            self.spills.forget(x);
            self.locs.insert(i, Loc::Vector(register));
            return Some(register);
        }
        let from = self.operand(x, dtype)?;
        let to = self.define(i)?;
        match from {
            Operand::Vector(_) => self.emit(LOAD, dtype, to, 0, from),
            Operand::Stream { .. }
            | Operand::Whole(_)
            | Operand::Element { .. }
            | Operand::Gathered { .. }
            | Operand::Shared(_)
            | Operand::Local(_)
            | Operand::Constant(_)
            | Operand::Table(_) => self.broadcast(to, dtype, from),
        }
        Some(to)
    }

    /// Shifts by more than there are bits give zeros, or signs.
    pub(super) fn shift(
        &mut self,
        i: usize,
        left: bool,
        dtype: DType,
        x: usize,
        y: usize,
    ) -> Option<()> {
        let ops = match (left, dtype.is_signed()) {
            _ if dtype.is_float() => return None,
            (true, _) => SHIFT_LEFT,
            (false, true) => SHIFT_SIGNED,
            (false, false) => SHIFT_RIGHT,
        };
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define(i)?;
        self.emit(ops, dtype, to, x, y);
        Some(())
    }

    pub(super) fn comparison(
        &mut self,
        i: usize,
        op: CompareOp,
        dtype: DType,
        x: usize,
        y: usize,
    ) -> Option<()> {
        if dtype == DType::Bool {
            let opcode = match op {
                CompareOp::Eq => MASK_SAME,
                CompareOp::Ne => MASK_XOR,
                CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => return None,
            };
            let (x, y) = (self.mask(x)?, self.mask(y)?);
            let to = self.define_mask(i)?;
            self.asm.mask(opcode, true, to, x, y);
            return Some(());
        }
        let (ops, predicate) = predicate(op, dtype);
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define_mask(i)?;
        self.emit_with(ops, dtype, Predicate::default(), to, x, y, Some(predicate));
        Some(())
    }

    pub(super) fn nonzero(&mut self, i: usize, dtype: DType, x: usize) -> Option<()> {
        let (ops, predicate) = predicate(CompareOp::Ne, dtype);
        let zero = self.literal(dtype, Scalar::Int(0))?;
        let x = self.register(x, dtype)?;
        let to = self.define_mask(i)?;
        self.emit_with(ops, dtype, Predicate::default(), to, x, zero, Some(predicate));
        Some(())
    }

    pub(super) fn select(&mut self, i: usize, dtype: DType, [c, x, y]: [usize; 3]) -> Option<()> {
        let c = self.mask(c)?;
        if dtype == DType::Bool {
            let (to, off) = (self.define_mask(i)?, self.temporary_mask()?);
            self.mask_where(x, c, to)?;
            self.asm.mask(MASK_NOT, false, off, 0, c);
            self.mask_where(y, off, off)?;
            self.asm.mask(MASK_OR, true, to, to, off);
            return Some(());
        }
        let (x, y) = (self.operand(x, dtype)?, self.register(y, dtype)?);
        let to = self.define(i)?;
        self.emit_where(BLEND, dtype, c, to, y, x);
        Some(())
    }

    /// A value as another type, in a register.
    pub(super) fn converted(&mut self, x: usize, from: DType, to: DType) -> Option<Vector> {
        if from == DType::Bool {
            (to != DType::Bool).then_some(())?;
            let mask = self.mask(x)?;
            let one = self.literal(to, Scalar::Int(1))?;
            let result = self.temporary()?;
            let only = Predicate { mask, zeroing: true };
            let width = self.width(to);
            self.asm.vector_of_element_where(BROADCAST.of(to), width, only, result, one);
            return Some(result);
        }
        let value = self.register(x, from)?;
        if (from, to) == (DType::F32, DType::I32) {
            return self.truncated(value);
        }
        let Some(code) = conversion(from, to)? else { return Some(value) };
        let result = self.temporary()?;
        // The width is that of the wider of the two.
        let width = match self.width(from) {
            Width::Full => Width::Full,
            Width::Half | Width::Quarter => self.width(to),
        };
        if to.size() < from.size() && !to.is_float() {
            // Narrowing of integers writes its last operand.
            self.asm.vector(
                code,
                width,
                Predicate::default(),
                value,
                0,
                Operand::Vector(result),
                None,
            );
        } else {
            self.asm.vector(
                code,
                width,
                Predicate::default(),
                result,
                0,
                Operand::Vector(value),
                None,
            );
        }
        Some(result)
    }

    /// The integers of floats: NaN gives zero, and what is too large the largest there is. The
    /// instruction gives the smallest for both, and for what is too small.
    fn truncated(&mut self, value: Vector) -> Option<Vector> {
        let (number, large) = (self.temporary_mask()?, self.temporary_mask()?);
        let result = self.temporary()?;
        let (all, itself) = (Predicate::default(), Operand::Vector(value));
        self.emit_with(COMPARE, DType::F32, all, number, value, itself, Some(ORDERED));
        let only = Predicate { mask: number, zeroing: true };
        self.asm.vector(TRUNCATE, self.width(DType::F32), only, result, 0, itself, None);
        let limit = self.literal(DType::F32, Scalar::Float(2_147_483_648.0))?;
        self.emit_with(COMPARE, DType::F32, all, large, value, limit, Some(NOT_BELOW));
        let largest = self.literal(DType::I32, Scalar::Int(i128::from(i32::MAX)))?;
        self.emit_where(BLEND, DType::I32, large, result, result, largest);
        Some(result)
    }
}
