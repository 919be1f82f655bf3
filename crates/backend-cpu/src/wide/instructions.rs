//! The vector instructions of regions, by element type. Opcodes from the Intel SDM, volume 2.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::{Code, Map, Prefix, code};
use probpipe_trace::{CompareOp, DType};

/// An operation's instruction for each kind of element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    f32: Code,
    f64: Code,
    i32: Code,
    i64: Code,
}

impl Typed {
    /// The instruction for a type; truth values are words.
    pub(super) fn of(self, dtype: DType) -> Code {
        match dtype {
            DType::F32 => self.f32,
            DType::F64 => self.f64,
            DType::I32 | DType::U32 | DType::Bool | DType::U8 => self.i32,
            DType::I64 | DType::U64 => self.i64,
        }
    }
}

use Map::{M0F, M0F3A, M0F38};
use Prefix::{None as NoPrefix, P66, PF2, PF3};

/// Floats in the old scheme: no prefix for single precision, 66 for double.
const fn floats(opcode: u8, ints: (Code, Code)) -> Typed {
    Typed {
        f32: code(M0F, NoPrefix, false, opcode),
        f64: code(M0F, P66, true, opcode),
        i32: ints.0,
        i64: ints.1,
    }
}

/// The same operation on bits whatever they stand for.
const fn bits(words: Code, longs: Code) -> Typed {
    Typed { f32: words, f64: longs, i32: words, i64: longs }
}

/// The 66 prefix, words and longs told apart by the width bit.
const fn by_width(map: Map, opcode: u8) -> (Code, Code) {
    (code(map, P66, false, opcode), code(map, P66, true, opcode))
}

const fn both(pair: (Code, Code)) -> Typed {
    bits(pair.0, pair.1)
}

const fn opcodes(map: Map, words: u8, longs: u8) -> (Code, Code) {
    (code(map, P66, false, words), code(map, P66, true, longs))
}

const MOVE: (Code, Code) = (code(M0F, NoPrefix, false, 0x10), code(M0F, P66, true, 0x10));
/// Reads a vector, or copies a register.
pub(super) const LOAD: Typed = bits(MOVE.0, MOVE.1);
/// Writes a vector: the register is the destination operand.
pub(super) const STORE: Typed = bits(code(M0F, NoPrefix, false, 0x11), code(M0F, P66, true, 0x11));
/// As `STORE`, past the caches, to an aligned address.
pub(super) const STREAM: Typed = bits(code(M0F, NoPrefix, false, 0x2b), code(M0F, P66, true, 0x2b));
/// One element to all lanes, from memory.
pub(super) const BROADCAST: Typed = both(opcodes(M0F38, 0x18, 0x19));
/// A general register to all lanes.
pub(super) const SPREAD: Typed = both(by_width(M0F38, 0x7c));

pub(super) const ADD: Typed = floats(0x58, opcodes(M0F, 0xfe, 0xd4));
pub(super) const SUBTRACT: Typed = floats(0x5c, opcodes(M0F, 0xfa, 0xfb));
pub(super) const MULTIPLY: Typed = floats(0x59, by_width(M0F38, 0x40));
pub(super) const DIVIDE: Typed = floats(0x5e, MOVE);
pub(super) const MAX: Typed = floats(0x5f, MOVE);
pub(super) const MIN: Typed = floats(0x5d, MOVE);
pub(super) const SQRT: Typed = floats(0x51, MOVE);
pub(super) const MAX_SIGNED: Typed = both(by_width(M0F38, 0x3d));
pub(super) const MAX_UNSIGNED: Typed = both(by_width(M0F38, 0x3f));
pub(super) const MIN_SIGNED: Typed = both(by_width(M0F38, 0x39));
pub(super) const MIN_UNSIGNED: Typed = both(by_width(M0F38, 0x3b));
pub(super) const ABSOLUTE: Typed = both(opcodes(M0F38, 0x1e, 0x1f));
pub(super) const AND: Typed = both(by_width(M0F, 0xdb));
pub(super) const OR: Typed = both(by_width(M0F, 0xeb));
pub(super) const XOR: Typed = both(by_width(M0F, 0xef));
/// Each lane by its own count; counts beyond the width shift everything out.
pub(super) const SHIFT_LEFT: Typed = both(by_width(M0F38, 0x47));
pub(super) const SHIFT_RIGHT: Typed = both(by_width(M0F38, 0x45));
pub(super) const SHIFT_SIGNED: Typed = both(by_width(M0F38, 0x46));
/// To an integer, as the immediate says.
pub(super) const ROUND: Typed = both(opcodes(M0F3A, 0x08, 0x09));
/// `to = -first last + to`, of floats.
pub(super) const SUBTRACT_PRODUCT: Typed = both(by_width(M0F38, 0xbc));
/// `to = first to + last`, of floats.
pub(super) const MULTIPLY_ADD: Typed = both(by_width(M0F38, 0xa8));
/// `to = first - to last`, of floats.
pub(super) const REST: Typed = both(by_width(M0F38, 0x9c));
/// `to = to last + first`, of floats.
pub(super) const MULTIPLY_TO_ADD: Typed = both(by_width(M0F38, 0x98));
/// `to = first last + to` of floats, where the sign of the product and that of `to` may be the
/// other.
pub(super) const fn fused_to(minus: [bool; 2]) -> Typed {
    both(by_width(
        M0F38,
        match minus {
            [false, false] => 0xb8,
            [false, true] => 0xba,
            [true, false] => 0xbc,
            [true, true] => 0xbe,
        },
    ))
}
/// `to = first to + last` of floats, with the signs of [`fused_to`].
pub(super) const fn fused_by(minus: [bool; 2]) -> Typed {
    both(by_width(
        M0F38,
        match minus {
            [false, false] => 0xa8,
            [false, true] => 0xaa,
            [true, false] => 0xac,
            [true, true] => 0xae,
        },
    ))
}
/// `first 2^last` of floats, rounded once.
pub(super) const SCALE: Typed = both(by_width(M0F38, 0x2c));
/// `mask ? last : first`.
pub(super) const BLEND: Typed = both(by_width(M0F38, 0x65));
/// One element, and zeros.
pub(super) const LOAD_ONE: Typed = bits(code(M0F, PF3, false, 0x10), code(M0F, PF2, true, 0x10));
/// The second element of a quarter, of 64 bits; of words any, the `immediate / 16`-th.
pub(super) const LOAD_ANOTHER: Typed =
    bits(code(M0F3A, P66, false, 0x21), code(M0F, P66, true, 0x16));
/// The `immediate`-th quarter.
pub(super) const INSERT_QUARTER: Code = code(M0F3A, P66, false, 0x18);
/// Elements of memory that indices of 32 bits number.
pub(super) const GATHER: Typed =
    Typed { f32: GATHERS.0, f64: GATHERS.1, i32: GATHER_INTS.0, i64: GATHER_INTS.1 };
const GATHERS: (Code, Code) = by_width(M0F38, 0x92);
const GATHER_INTS: (Code, Code) = by_width(M0F38, 0x90);
/// Lanes of the last operand that the first numbers.
pub(super) const PERMUTE: Typed = both(by_width(M0F38, 0x16));
/// A mask from the lanes whose bits in common are not all zero.
pub(super) const TEST: Typed = both(by_width(M0F38, 0x27));
/// A mask from the lanes whose bits in common are all zero.
pub(super) const TEST_NONE: Typed =
    both((code(M0F38, PF3, false, 0x27), code(M0F38, PF3, true, 0x27)));
/// A mask from the floats that belong to a class that the immediate names.
pub(super) const CLASS: Typed = both(by_width(M0F3A, 0x66));
/// A mask from two vectors; the immediate is the predicate.
pub(super) const COMPARE: Typed = floats(0xc2, by_width(M0F3A, 0x1f));
pub(super) const COMPARE_UNSIGNED: Typed = both(by_width(M0F3A, 0x1e));

/// Bytes of memory to words.
pub(super) const BYTES_TO_WORDS: Code = code(M0F38, P66, false, 0x31);
/// Words to bytes of memory: the register is the destination operand.
pub(super) const WORDS_TO_BYTES: Code = code(M0F38, PF3, false, 0x31);

pub(super) const LESS: u8 = 1;
pub(super) const UNORDERED: u8 = 3;
/// Unequal, or not ordered.
pub(super) const UNEQUAL: u8 = 4;
pub(super) const NOT_LESS: u8 = 5;
pub(super) const ORDERED: u8 = 7;
/// Greater or equal, and no NaN.
pub(super) const NOT_BELOW: u8 = 13;
pub(super) const GREATER: u8 = 14;

/// Single precision to words, towards zero.
pub(super) const TRUNCATE: Code = code(M0F, PF3, false, 0x5b);

/// The comparison of a type and its predicate.
pub(super) fn predicate(op: CompareOp, dtype: DType) -> (Typed, u8) {
    let float = dtype.is_float();
    let number = match op {
        CompareOp::Eq => 0,
        CompareOp::Lt => LESS,
        CompareOp::Le => 2,
        CompareOp::Ne => UNEQUAL,
        CompareOp::Ge if float => 13,
        CompareOp::Ge => 5,
        CompareOp::Gt if float => GREATER,
        CompareOp::Gt => 6,
    };
    (if float || dtype.is_signed() { COMPARE } else { COMPARE_UNSIGNED }, number)
}

/// Opcodes of instructions on mask registers.
pub(super) const MASK_AND: u8 = 0x41;
pub(super) const MASK_NOT: u8 = 0x44;
pub(super) const MASK_OR: u8 = 0x45;
pub(super) const MASK_SAME: u8 = 0x46;
pub(super) const MASK_XOR: u8 = 0x47;
/// Compares with zero, for a jump.
pub(super) const MASK_ANY: u8 = 0x98;

/// The instruction that converts numbers, `Some(None)` if the bits stay, `None` if there is none
/// that gives what the interpreter defines.
pub(super) fn conversion(from: DType, to: DType) -> Option<Option<Code>> {
    use DType::{Bool, F32, F64, I32, I64, U8, U32, U64};
    Some(Some(match (from, to) {
        (I32 | U32, I32 | U32) | (I64 | U64, I64 | U64) => return Some(None),
        (F32, F32) | (F64, F64) | (U8, U8) | (Bool, Bool) => return Some(None),
        (F32, F64) => code(M0F, NoPrefix, false, 0x5a),
        (F64, F32) => code(M0F, P66, true, 0x5a),
        (I32, F32) => code(M0F, NoPrefix, false, 0x5b),
        (I32, F64) => code(M0F, PF3, false, 0xe6),
        (U32, F32) => code(M0F, PF2, false, 0x7a),
        (U32, F64) => code(M0F, PF3, false, 0x7a),
        (I64, F64) => code(M0F, PF3, true, 0xe6),
        (U64, F64) => code(M0F, PF3, true, 0x7a),
        (I32, I64 | U64) => code(M0F38, P66, false, 0x25),
        (U32, I64 | U64) => code(M0F38, P66, false, 0x35),
        (I64 | U64, I32 | U32) => code(M0F38, PF3, false, 0x35),
        // Floats saturate, and NaN becomes zero.
        (F32 | F64, I32 | I64 | U32 | U64) => return None,
        // Half a register, from a whole one.
        (I64 | U64, F32) => return None,
        // Bytes and truth values are held otherwise.
        (U8, F32 | F64 | I32 | I64 | U32 | U64 | Bool)
        | (Bool, F32 | F64 | I32 | I64 | U8 | U32 | U64)
        | (F32 | F64 | I32 | I64 | U32 | U64, U8 | Bool) => return None,
    }))
}
