//! The arithmetic that a formula may use: one trait, two precisions, with and without FMA.
//!
//! Each formula in [`crate::math`] is written once, generic over [`Lane`]. A lane is one scalar;
//! the loops in [`crate::tile`] are left to LLVM to vectorise, so every method here must compile
//! to branch-free code that has a vector form. This file knows nothing of vectors or of memory.

use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// What formulas need: arithmetic, and choices by masks. No formula branches or looks at a value,
/// so a lane may also stand for a value that is not known yet ([`crate::recorded`]).
pub trait Lane:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The signed integer of the same width, so that vectors keep one lane count.
    type Int: Copy;
    /// The answer of a comparison.
    type Mask: Copy
        + BitAnd<Output = Self::Mask>
        + BitOr<Output = Self::Mask>
        + BitXor<Output = Self::Mask>
        + Not<Output = Self::Mask>;
    /// Whether the lane is an `f64`. Formulas choose their coefficients with it.
    const DOUBLE: bool;

    /// A literal, rounded to the lane's precision.
    fn lit(x: f64) -> Self;
    /// `self * b + c`, rounded once or twice.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `self * b + c` where the formula relies on the product not being rounded.
    fn fma_exact(self, b: Self, c: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// `self < other`
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`
    fn le(self, other: Self) -> Self::Mask;
    /// `self > other`
    fn gt(self, other: Self) -> Self::Mask;
    /// `self >= other`
    fn ge(self, other: Self) -> Self::Mask;
    /// `self == other`
    fn equals(self, other: Self) -> Self::Mask;
    /// Whether `self` is a NaN.
    fn is_nan(self) -> Self::Mask;
    /// A mask that is known.
    fn mask(value: bool) -> Self::Mask;
    /// `if mask { yes } else { no }`
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// [`Lane::select`] for integers.
    fn int_select(mask: Self::Mask, yes: Self::Int, no: Self::Int) -> Self::Int;
    /// Whether the sign bit is set (also of a zero or a NaN).
    fn is_negative(self) -> Self::Mask;
    /// The nearest integer, ties to even, as a lane and as an integer; for |self| < 2^21 (f32) or
    /// 2^50 (f64), garbage beyond.
    fn round_int(self) -> (Self, Self::Int);
    /// `2^n` for `n` within the range of normal exponents, garbage beyond.
    fn exp2_int(n: Self::Int) -> Self;
    /// `self * 2^n`, rounded once, for `n` from the least exponent of a subnormal number less two,
    /// where it is zero, to the largest exponent and one.
    fn scale_exponent(self, n: Self::Int) -> Self;
    /// An integer literal.
    fn int(n: i32) -> Self::Int;
    /// Wrapping sum.
    fn int_add(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Wrapping negation.
    fn int_neg(a: Self::Int) -> Self::Int;
    /// Whether bit `bit` is set.
    fn int_bit(a: Self::Int, bit: u32) -> Self::Mask;
    /// For positive normal `self`: `(m, k, e)` with `self = m 2^k`, `m` in [sqrt(1/2), sqrt(2)),
    /// and `e = k + bias`. Garbage for anything else.
    fn split_exponent(self) -> (Self, Self, Self::Int);
    /// For zero and positive subnormal numbers: `self * 2^(bias - 1)`, by their bits, so also where
    /// arithmetic takes such numbers for zero. Garbage for anything else,
    /// but nothing positive for what is negative.
    fn lift_subnormal(self) -> Self;
    /// `2^-k` given `e = k + bias`, for normal results.
    fn exp2_minus_biased(e: Self::Int) -> Self;
    /// The bits as an integer.
    fn bits(self) -> Self::Int;
    /// Sine for any argument, by the scalar library.
    fn library_sin(self) -> Self;
    /// Cosine for any argument, by the scalar library.
    fn library_cos(self) -> Self;
    /// Tangent for any argument, by the scalar library.
    fn library_tan(self) -> Self;
    /// log |gamma| for any argument, by the scalar function.
    fn library_lgamma(self) -> Self;
    /// Digamma for any argument, by the scalar function.
    fn library_digamma(self) -> Self;
}

/// A lane that holds a number.
pub trait Number: Lane<Mask = bool> {
    /// `f32` or `f64`.
    type Scalar: Copy + Default;

    /// Wraps a scalar.
    fn wrap(x: Self::Scalar) -> Self;
    /// Unwraps the scalar.
    fn get(self) -> Self::Scalar;
    /// Bitwise or.
    fn int_or(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Whether any bit is set.
    fn int_any(a: Self::Int) -> bool;
    /// One or zero.
    fn int_flag(flag: bool) -> Self::Int;
}

macro_rules! lane {
    (
        $(#[$doc:meta])* $name:ident, $float:ident, $int:ident, $unsigned:ident,
        double: $double:expr,
        mantissa: $mantissa:expr, bias: $bias:expr, magic: $magic:expr, split: $split:expr,
        sqrt_half: $sqrt_half:expr, fused: $fused:expr,
        sin: $sin:path, cos: $cos:path, tan: $tan:path
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub struct $name($float);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(self.0 * other.0)
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(self.0 / other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl Number for $name {
            type Scalar = $float;

            #[inline(always)]
            fn wrap(x: $float) -> Self {
                Self(x)
            }
            #[inline(always)]
            fn get(self) -> $float {
                self.0
            }
            #[inline(always)]
            fn int_or(a: $int, b: $int) -> $int {
                a | b
            }
            #[inline(always)]
            fn int_any(a: $int) -> bool {
                a != 0
            }
            #[inline(always)]
            fn int_flag(flag: bool) -> $int {
                $int::from(flag)
            }
        }

        impl Lane for $name {
            type Int = $int;
            type Mask = bool;
            const DOUBLE: bool = $double;

            #[inline(always)]
            #[allow(clippy::unnecessary_cast)]
            fn lit(x: f64) -> Self {
                Self(x as $float)
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                if $fused { Self(self.0.mul_add(b.0, c.0)) } else { Self(self.0 * b.0 + c.0) }
            }
            #[inline(always)]
            fn fma_exact(self, b: Self, c: Self) -> Self {
                if $fused {
                    return Self(self.0.mul_add(b.0, c.0));
                }
                // Dekker's product: halves of each factor multiply exactly.
                let halves = |x: $float| {
                    let t = x * $split;
                    let high = t - (t - x);
                    (high, x - high)
                };
                let (ah, al) = halves(self.0);
                let (bh, bl) = halves(b.0);
                let product = self.0 * b.0;
                let rest = ((ah * bh - product) + ah * bl + al * bh) + al * bl;
                Self((product + c.0) + rest)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.sqrt())
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.abs())
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self(self.0.copysign(sign.0))
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self.0 < other.0
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self.0 <= other.0
            }
            #[inline(always)]
            fn gt(self, other: Self) -> bool {
                self.0 > other.0
            }
            #[inline(always)]
            fn ge(self, other: Self) -> bool {
                self.0 >= other.0
            }
            #[inline(always)]
            fn equals(self, other: Self) -> bool {
                self.0 == other.0
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.0.is_nan()
            }
            #[inline(always)]
            fn mask(value: bool) -> bool {
                value
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }
            #[inline(always)]
            fn int_select(mask: bool, yes: $int, no: $int) -> $int {
                if mask { yes } else { no }
            }
            #[inline(always)]
            fn is_negative(self) -> bool {
                (self.0.to_bits() as $int) < 0
            }
            #[inline(always)]
            fn round_int(self) -> (Self, $int) {
                // Adding 1.5 * 2^mantissa leaves the integer in the low bits of the sum.
                let shifted = self.0 + $magic;
                let magic: $float = $magic;
                let n = (shifted.to_bits() as $int).wrapping_sub(magic.to_bits() as $int);
                (Self(shifted - $magic), n)
            }
            #[inline(always)]
            fn exp2_int(n: $int) -> Self {
                Self($float::from_bits((n.wrapping_add($bias) as $unsigned) << $mantissa))
            }
            #[inline(always)]
            fn scale_exponent(self, n: $int) -> Self {
                // Two factors, since 2^n itself may overflow or be subnormal. The second is zero
                // for the largest |n| below, so that nothing is rounded where nothing is left.
                let first = if n < 0 { -($mantissa + 1) } else { 1 };
                self * Self::exp2_int(first) * Self::exp2_int(n.wrapping_sub(first))
            }
            #[inline(always)]
            fn int(n: i32) -> $int {
                $int::from(n)
            }
            #[inline(always)]
            fn int_add(a: $int, b: $int) -> $int {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn int_neg(a: $int) -> $int {
                a.wrapping_neg()
            }
            #[inline(always)]
            fn int_bit(a: $int, bit: u32) -> bool {
                a & (1 << bit) != 0
            }
            #[inline(always)]
            fn split_exponent(self) -> (Self, Self, $int) {
                let one: $float = 1.0;
                let power: $float = 1.0 / $float::EPSILON;
                let shifted = self.0.to_bits().wrapping_add(one.to_bits() - $sqrt_half);
                let e = shifted >> $mantissa;
                let m = (shifted & ((1 << $mantissa) - 1)).wrapping_add($sqrt_half);
                // An integer below 2^mantissa put under the exponent of 2^mantissa.
                let k = $float::from_bits(power.to_bits() | e) - (power + $bias as $float);
                (Self($float::from_bits(m)), Self(k), e as $int)
            }
            #[inline(always)]
            fn lift_subnormal(self) -> Self {
                // The mantissa under the exponent of one.
                let one: $float = 1.0;
                Self($float::from_bits(self.0.to_bits() | one.to_bits()) - one)
            }
            #[inline(always)]
            fn exp2_minus_biased(e: $int) -> Self {
                let exponent = (2 * $bias as $int).wrapping_sub(e);
                Self($float::from_bits((exponent as $unsigned) << $mantissa))
            }
            #[inline(always)]
            fn bits(self) -> $int {
                self.0.to_bits() as $int
            }
            #[inline(never)]
            fn library_sin(self) -> Self {
                Self($sin(self.0))
            }
            #[inline(never)]
            fn library_cos(self) -> Self {
                Self($cos(self.0))
            }
            #[inline(never)]
            fn library_tan(self) -> Self {
                Self($tan(self.0))
            }
            #[inline(never)]
            #[allow(clippy::unnecessary_cast)]
            fn library_lgamma(self) -> Self {
                Self(probpipe_special::lgamma(self.0 as f64) as $float)
            }
            #[inline(never)]
            #[allow(clippy::unnecessary_cast)]
            fn library_digamma(self) -> Self {
                Self(probpipe_special::digamma(self.0 as f64) as $float)
            }
        }
    };
}

macro_rules! single {
    ($(#[$doc:meta])* $name:ident, $fused:expr) => {
        lane!(
            $(#[$doc])* $name, f32, i32, u32, double: false,
            mantissa: 23, bias: 127, magic: 12_582_912.0, split: 4_097.0,
            sqrt_half: 0x3f35_04f3, fused: $fused,
            sin: libm::sinf, cos: libm::cosf, tan: libm::tanf
        );
    };
}
macro_rules! double {
    ($(#[$doc:meta])* $name:ident, $fused:expr) => {
        lane!(
            $(#[$doc])* $name, f64, i64, u64, double: true,
            mantissa: 52, bias: 1023, magic: 6_755_399_441_055_744.0, split: 134_217_729.0,
            sqrt_half: 0x3fe6_a09e_667f_3bcd, fused: $fused,
            sin: libm::sin, cos: libm::cos, tan: libm::tan
        );
    };
}

single!(
    /// An `f32` whose `fma` is one instruction; use only where the instruction is enabled.
    Fused32,
    true
);
double!(
    /// An `f64` whose `fma` is one instruction; use only where the instruction is enabled.
    Fused64,
    true
);
single!(
    /// An `f32` for processors without FMA: `fma` rounds twice.
    Plain32,
    false
);
double!(
    /// An `f64` for processors without FMA: `fma` rounds twice.
    Plain64,
    false
);

// The numbers of code that is compiled with the features of the whole program.
#[cfg(any(target_arch = "aarch64", target_feature = "fma"))]
pub(crate) use self::{Fused32 as Portable32, Fused64 as Portable64};
#[cfg(not(any(target_arch = "aarch64", target_feature = "fma")))]
pub(crate) use self::{Plain32 as Portable32, Plain64 as Portable64};

/// `if condition { yes } else { no }`, which LLVM turns into a blend.
#[inline(always)]
pub fn select<L: Lane>(condition: L::Mask, yes: L, no: L) -> L {
    L::select(condition, yes, no)
}

/// `(s, e)` with `s = a + b` rounded and `s + e = a + b` exactly, for |a| >= |b| or a = 0.
#[inline(always)]
pub fn fast_two_sum<L: Lane>(a: L, b: L) -> (L, L) {
    let s = a + b;
    (s, b - (s - a))
}

/// `(s, e)` with `s = a + b` rounded and `s + e = a + b` exactly, barring overflow.
#[inline(always)]
pub fn two_sum<L: Lane>(a: L, b: L) -> (L, L) {
    let s = a + b;
    let from_b = s - a;
    (s, (a - (s - from_b)) + (b - from_b))
}

/// `(p, e)` with `p = a * b` rounded and `p + e = a * b` exactly, barring overflow.
#[inline(always)]
pub fn two_product<L: Lane>(a: L, b: L) -> (L, L) {
    let p = a * b;
    (p, a.fma_exact(b, -p))
}

/// `c0 + x (c1 + x (c2 + ...))`, coefficients from the constant upwards.
macro_rules! horner {
    ($x:expr; $last:expr $(,)?) => { $crate::lane::Lane::lit($last) };
    ($x:expr; $first:expr, $($rest:expr),+ $(,)?) => {
        $crate::lane::Lane::fma($x, horner!($x; $($rest),+), $crate::lane::Lane::lit($first))
    };
}
pub(crate) use horner;
