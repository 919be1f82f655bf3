//! Quotients by a divisor that is the same at all points of a kernel. A division keeps the machine
//! busy for as long as eight products, so it is done once: with `r = 1 / b`, rounded,
//!
//! ```text
//! q0 = a r        rest = a - b q0        a / b = q0 + rest r
//! ```
//!
//! where each of the three is rounded once. The last is the quotient to the bit, as long as the
//! rest is exact and nothing is below the normal range (Markstein 1990; Brisebarre, Muller and
//! Raina, IEEE Trans. Computers 53, 2004). It need not be proved for operands beforehand, for the
//! rest tells:
//!
//! - The quotient is within 3/2 units of `q0`, so the rest is below `3 b` halves of a unit of `q0`.
//!   Where it is not exact, or `q0` is below the normal range, it is itself below that range, or is
//!   zero: divisors are between `2^-50` and `2^50`, `2^-20` and `2^20` in single precision.
//! - A numerator that is infinite or too large gives an infinity less itself, which is NaN.
//!
//! So lanes are suspect whose rest is zero, subnormal or no number. One instruction finds them, and
//! a vector that has some goes a way of its own, out of the loop. There it is divided, unless all
//! of its suspects have a rest of zero and a numerator that is `+0` or too large to have lost
//! anything: such numbers are plainly divisible. The reciprocal of a divisor that is not in range
//! is NaN, and with it all rests are.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::divides_slowly;
use super::instructions::*;
use super::region::{Arg, Builder, Exit, Loc};
use probpipe_lowering::Expr;
use probpipe_trace::{DType, Scalar};

/// Divisors whose reciprocals are used, by their size; powers of two.
pub(crate) fn divisors(dtype: DType) -> (f64, f64) {
    let bound: f64 = if dtype == DType::F32 { (1u64 << 20) as f64 } else { (1u64 << 50) as f64 };
    (1.0 / bound, bound)
}

/// The classes of a suspect rest: NaN, zeros, infinities and subnormal numbers.
const SUSPECT: u8 = 0b1011_1111;

/// Bits of which a numerator has some if it is so large that what its rest may lack is too small to
/// tell: the smallest normal number times `2^63`, or `2^31` in single precision.
fn large(dtype: DType) -> Scalar {
    Scalar::Int(if dtype == DType::F32 { 0xe0 << 23 } else { 0x7c0 << 52 })
}

impl Builder<'_> {
    /// The quotient of a value by one that is the same at all points; `None` if it is not that, or
    /// if there is nothing better than to divide.
    pub(super) fn quotient(&mut self, i: usize, dtype: DType, x: usize, y: usize) -> Option<()> {
        let Some(Loc::Vector(a)) = self.locs.get(&x).copied() else { return None };
        divides_slowly().then_some(())?;
        let (low, high) = divisors(dtype);
        let reciprocal = if let Expr::Literal(b) = self.plan.kernel.exprs[y] {
            let b = if dtype == DType::F32 { f64::from(b.as_f64() as f32) } else { b.as_f64() };
            if !(low..=high).contains(&b.abs()) {
                return None;
            }
            let reciprocal = self.literal(dtype, Scalar::Float(1.0 / b))?;
            if b.abs().log2().fract() == 0.0 {
                // The reciprocal is exact.
                let to = self.define(i)?;
                self.emit(MULTIPLY, dtype, to, a, reciprocal);
                return Some(());
            }
            reciprocal
        } else if self.plan.depth[y] < self.plan.extents.len() {
            self.shared(Arg::Reciprocal(y))
        } else {
            return None;
        };
        let divisor = self.operand(y, dtype)?;
        let (first, to) = (self.temporary()?, self.define(i)?);
        let (suspect, spare) = (self.temporary_mask()?, self.temporary_mask()?);
        let (from, back, done) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.emit(MULTIPLY, dtype, first, a, reciprocal);
        self.emit(LOAD, dtype, to, 0, Operand::Vector(first));
        self.emit(REST, dtype, to, a, divisor);
        let there = self.merging();
        self.emit_with(CLASS, dtype, there, suspect, 0, Operand::Vector(to), Some(SUSPECT));
        self.asm.mask(MASK_ANY, false, suspect, 0, suspect);
        self.asm.jump_unless_zero(from);
        self.asm.place(back);
        self.emit(MULTIPLY_TO_ADD, dtype, to, first, reciprocal);
        self.asm.place(done);
        let numerator = a;
        self.exits.push(Exit { dtype, from, back, done, suspect, spare, numerator, divisor, to });
        Some(())
    }

    /// The ways out of the loops, behind the code.
    pub(super) fn exits(&mut self) -> Option<()> {
        for exit in std::mem::take(&mut self.exits) {
            let Exit { dtype, from, back, done, suspect, spare, numerator, divisor, to } = exit;
            let itself = Operand::Vector(numerator);
            let bits = if dtype == DType::F32 { DType::U32 } else { DType::U64 };
            let (zero, large) =
                (self.literal(dtype, Scalar::Int(0))?, self.literal(bits, large(dtype))?);
            let only = |mask| Predicate { mask, zeroing: false };
            let divide = self.asm.label();
            self.asm.place(from);
            self.emit_with(COMPARE, dtype, only(suspect), spare, to, zero, Some(UNEQUAL));
            self.asm.mask(MASK_ANY, false, spare, 0, spare);
            self.asm.jump_unless_zero(divide);
            self.emit_with(TEST_NONE, bits, only(suspect), spare, numerator, large, None);
            self.emit_with(TEST, bits, only(spare), spare, numerator, itself, None);
            self.asm.mask(MASK_ANY, false, spare, 0, spare);
            self.asm.jump_if_zero(back);
            self.asm.place(divide);
            self.emit(DIVIDE, dtype, to, numerator, divisor);
            self.asm.jump_always(done);
        }
        Some(())
    }
}
