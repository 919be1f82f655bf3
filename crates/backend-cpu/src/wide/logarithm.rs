//! log and log1p of whole vectors, with the same bits as the kernels: the steps are those of
//! `kernels/src/math/logarithm.rs`, in its order. What it does to arguments that are no positive
//! numbers is here done to the lanes that have them, by the instruction that is made for it.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::instructions::*;
use super::region::Builder;
use probpipe_kernels::log_constants;
use probpipe_trace::{DType, Scalar};

/// Classes of floats: all but the positive finite ones. Bits of the immediate of [`CLASS`].
const NO_LOGARITHM: u8 = 0xdf;
/// What [`FIX`] makes of each kind of argument, four bits for each: of zero minus infinity, of
/// infinity itself; the others stay as they are.
const FIXED: i128 = 4 << 8 | 5 << 20;

/// The format of a type of floats.
struct Format {
    /// The unsigned integers of its size.
    bits: DType,
    /// Bits of the mantissa.
    mantissa: u32,
    bias: i128,
    /// The bits of one and of the root of a half.
    one: i128,
    sqrt_half: i128,
}

impl Format {
    fn of(dtype: DType) -> Format {
        match dtype == DType::F64 {
            true => Format {
                bits: DType::U64,
                mantissa: 52,
                bias: 1023,
                one: 0x3ff << 52,
                sqrt_half: 0x3fe6_a09e_667f_3bcd,
            },
            false => Format {
                bits: DType::U32,
                mantissa: 23,
                bias: 127,
                one: 0x7f << 23,
                sqrt_half: 0x3f35_04f3,
            },
        }
    }
}

impl Builder<'_> {
    /// log x.
    pub(super) fn log(&mut self, dtype: DType, to: Vector, x: Vector) -> Option<()> {
        let format = Format::of(dtype);
        let reg = Operand::Vector;
        // The mantissa of subnormal numbers under the exponent of one, less one.
        let (lifted, tiny) = (self.temporary()?, self.temporary_mask()?);
        let smallest =
            if dtype == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() };
        let smallest = self.literal(dtype, Scalar::Float(smallest))?;
        let all = Predicate::default();
        self.emit_with(COMPARE, dtype, all, tiny, x, smallest, Some(LESS));
        self.emit(LOAD, dtype, lifted, 0, reg(x));
        let one = self.literal(format.bits, Scalar::Int(format.one))?;
        self.emit_where(OR, format.bits, tiny, lifted, x, one);
        let one = self.literal(dtype, Scalar::Int(1))?;
        self.emit_where(SUBTRACT, dtype, tiny, lifted, lifted, one);
        let (k, f) = (self.temporary()?, self.temporary()?);
        self.split(dtype, &format, k, f, lifted)?;
        let exponent = self.literal(dtype, Scalar::Int(format.bias - 1))?;
        self.emit_where(SUBTRACT, dtype, tiny, k, k, exponent);
        self.emit(SUBTRACT, dtype, f, f, one);
        self.log_sum(dtype, to, f, k)?;
        self.without_logarithm(dtype, to, x, lifted)
    }

    /// log(1 + x).
    pub(super) fn log1p(&mut self, dtype: DType, to: Vector, x: Vector) -> Option<()> {
        let format = Format::of(dtype);
        let reg = Operand::Vector;
        let all = Predicate::default();
        // A half where x is so small that it is the result.
        let (apart, tiny) = (self.temporary()?, self.temporary_mask()?);
        let magnitude =
            self.literal(format.bits, Scalar::Int((1 << (format.bits.size() * 8 - 1)) - 1))?;
        self.emit(AND, format.bits, apart, x, magnitude);
        let limit = self.literal(dtype, Scalar::Float(log_constants(dtype == DType::F64).tiny))?;
        self.emit_with(COMPARE, dtype, all, tiny, apart, limit, Some(LESS));
        let half = self.literal(dtype, Scalar::Float(0.5))?;
        self.emit_where(BLEND, dtype, tiny, apart, x, half);
        // The sum with one, and what it lost: (1 - (sum - from)) + (x - from).
        let (sum, from, lost) = (self.temporary()?, self.temporary()?, self.temporary()?);
        let one = self.literal(dtype, Scalar::Int(1))?;
        self.emit(ADD, dtype, sum, apart, one);
        self.emit(SUBTRACT, dtype, from, sum, one);
        self.emit(SUBTRACT, dtype, lost, sum, reg(from));
        let whole = self.temporary()?;
        self.broadcast(whole, dtype, one);
        self.emit(SUBTRACT, dtype, lost, whole, reg(lost));
        self.emit(SUBTRACT, dtype, from, apart, reg(from));
        self.emit(ADD, dtype, lost, lost, reg(from));
        let (k, f) = (from, whole);
        let biased = self.split(dtype, &format, k, f, sum)?;
        // Brought to the scale of the mantissa, by 2^-k; where k is large it does not show.
        let scale = self.temporary()?;
        let twice = self.literal(format.bits, Scalar::Int(2 * format.bias))?;
        self.broadcast(scale, format.bits, twice);
        self.emit(SUBTRACT, format.bits, scale, scale, reg(biased));
        let places = self.literal(format.bits, Scalar::Int(format.mantissa.into()))?;
        self.emit(SHIFT_LEFT, format.bits, scale, scale, places);
        let near = self.temporary_mask()?;
        let far = self.literal(dtype, Scalar::Int(60))?;
        self.emit_with(COMPARE, dtype, all, near, k, far, Some(NOT_GREATER));
        let near = Predicate { mask: near, zeroing: true };
        self.emit_with(MULTIPLY, dtype, near, lost, lost, reg(scale), None);
        self.emit(SUBTRACT, dtype, f, f, one);
        self.emit(ADD, dtype, f, f, reg(lost));
        self.log_sum(dtype, to, f, k)?;
        self.without_logarithm(dtype, to, sum, sum)?;
        self.emit_where(BLEND, dtype, tiny, to, to, reg(x));
        Some(())
    }

    /// `x = 2^k m` with `m` in [sqrt(1/2), sqrt(2)), for normal numbers; gives the register of
    /// `k + bias` as an integer.
    fn split(
        &mut self,
        dtype: DType,
        format: &Format,
        k: Vector,
        m: Vector,
        x: Vector,
    ) -> Option<Vector> {
        let bits = format.bits;
        let biased = self.temporary()?;
        let shift = self.literal(bits, Scalar::Int(format.one - format.sqrt_half))?;
        self.emit(ADD, bits, m, x, shift);
        let places = self.literal(bits, Scalar::Int(format.mantissa.into()))?;
        self.emit(SHIFT_RIGHT, bits, biased, m, places);
        let low = self.literal(bits, Scalar::Int((1 << format.mantissa) - 1))?;
        self.emit(AND, bits, m, m, low);
        let sqrt_half = self.literal(bits, Scalar::Int(format.sqrt_half))?;
        self.emit(ADD, bits, m, m, sqrt_half);
        // An integer below 2^mantissa put under the exponent of 2^mantissa.
        let power = (format.bias + i128::from(format.mantissa)) << format.mantissa;
        let power = self.literal(bits, Scalar::Int(power))?;
        self.emit(OR, bits, k, biased, power);
        let whole = (1_i128 << format.mantissa) + format.bias;
        let whole = self.literal(dtype, Scalar::Int(whole))?;
        self.emit(SUBTRACT, dtype, k, k, whole);
        Some(biased)
    }

    /// `k ln 2 + log(1 + f)`; `k` is lost.
    fn log_sum(&mut self, dtype: DType, to: Vector, f: Vector, k: Vector) -> Option<()> {
        let numbers = log_constants(dtype == DType::F64);
        let reg = Operand::Vector;
        let (half_square, a) = (self.temporary()?, self.temporary()?);
        let half = self.literal(dtype, Scalar::Float(0.5))?;
        self.emit(MULTIPLY, dtype, half_square, f, half);
        self.emit(MULTIPLY, dtype, half_square, half_square, reg(f));
        let double = dtype == DType::F64;
        let argument = if double {
            let (two, square) = (self.literal(dtype, Scalar::Int(2))?, self.temporary()?);
            self.emit(ADD, dtype, square, f, two);
            self.emit(DIVIDE, dtype, a, f, reg(square));
            self.emit(MULTIPLY, dtype, square, a, reg(a));
            square
        } else {
            self.emit(MULTIPLY, dtype, a, f, reg(f));
            self.emit(MULTIPLY, dtype, a, a, reg(f));
            f
        };
        let b = self.temporary()?;
        let (last, rest) = numbers.rest.split_last()?;
        let last = self.literal(dtype, Scalar::Float(*last))?;
        self.broadcast(b, dtype, last);
        for &c in rest.iter().rev() {
            let c = self.literal(dtype, Scalar::Float(c))?;
            self.emit(MULTIPLY_ADD, dtype, b, argument, c);
        }
        if double {
            self.emit(MULTIPLY_ADD, dtype, b, argument, reg(half_square));
        }
        let (high, low) = numbers.ln2;
        let low = self.literal(dtype, Scalar::Float(low))?;
        self.emit(MULTIPLY, dtype, to, k, low);
        self.emit(MULTIPLY_ADD, dtype, b, a, reg(to));
        self.emit(SUBTRACT, dtype, b, b, reg(half_square));
        self.emit(ADD, dtype, b, f, reg(b));
        let high = self.literal(dtype, Scalar::Float(high))?;
        self.emit(LOAD, dtype, to, 0, reg(k));
        self.emit(MULTIPLY_TO_ADD, dtype, to, b, high);
        Some(())
    }

    /// The answers where the argument is no positive finite number; `lifted` is none where it is
    /// not.
    fn without_logarithm(
        &mut self,
        dtype: DType,
        to: Vector,
        argument: Vector,
        lifted: Vector,
    ) -> Option<()> {
        let none = self.temporary_mask()?;
        let reg = Operand::Vector;
        let all = Predicate::default();
        self.emit_with(CLASS, dtype, all, none, 0, reg(lifted), Some(NO_LOGARITHM));
        let nan = self.literal(dtype, Scalar::Float(f64::NAN))?;
        self.emit_where(BLEND, dtype, none, to, to, nan);
        let table = self.literal(Format::of(dtype).bits, Scalar::Int(FIXED))?;
        let only = Predicate { mask: none, zeroing: false };
        self.emit_with(FIX, dtype, only, to, argument, table, Some(0));
        Some(())
    }
}
