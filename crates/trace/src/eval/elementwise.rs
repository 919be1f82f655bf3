//! What the elementwise ops compute, one arm per op. Which types they take is in
//! `op/elementwise.rs`.
//!
//! Transcendental functions of `f32` are computed in `f64` and rounded once, so they are correctly
//! rounded but for the rarest ties. They come from `libm`, not from the platform, so that every
//! machine gives the same bits.

use crate::dtype::{DType, Element, for_dtype};
use crate::error::{Error, ErrorKind, Result};
use crate::eval::elements::{build, elements};
use crate::eval::special;
use crate::op::elementwise::{BinaryInstruction, BinaryOp, CompareOp, UnaryInstruction, UnaryOp};
use crate::types::ArrayType;
use crate::value::Value;

/// Runs `$body` with `$T` bound to the float or the integer type behind `$dtype`; `bool` goes to
/// its own arm because its memory form differs.
macro_rules! by_kind {
    ($dtype:expr, floats $F:ident => $float:expr, integers $I:ident => $int:expr,
        bool => $bool:expr) => {
        match $dtype {
            DType::F32 => {
                type $F = f32;
                $float
            }
            DType::F64 => {
                type $F = f64;
                $float
            }
            DType::I32 => {
                type $I = i32;
                $int
            }
            DType::I64 => {
                type $I = i64;
                $int
            }
            DType::U8 => {
                type $I = u8;
                $int
            }
            DType::U32 => {
                type $I = u32;
                $int
            }
            DType::U64 => {
                type $I = u64;
                $int
            }
            DType::Bool => $bool,
        }
    };
}

fn map1<T: Element>(x: &Value, ty: &ArrayType, f: impl Fn(T::Repr) -> T::Repr) -> Result<Value> {
    let x = elements::<T>(x)?;
    build::<T>(ty, |out| out.iter_mut().zip(x).for_each(|(o, &x)| *o = f(x)))
}

fn map2<T: Element, O: Element>(
    x: &Value,
    y: &Value,
    ty: &ArrayType,
    f: impl Fn(T::Repr, T::Repr) -> O::Repr,
) -> Result<Value> {
    let (x, y) = (elements::<T>(x)?, elements::<T>(y)?);
    build::<O>(ty, |out| {
        for ((o, &x), &y) in out.iter_mut().zip(x).zip(y) {
            *o = f(x, y);
        }
    })
}

fn undefined(name: &str, ty: &ArrayType) -> Error {
    Error::new(ErrorKind::Internal, format!("`{name}` of {ty} passed the type rules"))
}

pub(super) fn unary(op: UnaryOp, x: &Value, ty: &ArrayType) -> Result<Value> {
    by_kind!(x.ty().dtype,
        floats F => {
            if op == UnaryOp::IsFinite {
                let x = elements::<F>(x)?;
                return build::<bool>(ty, |out| {
                    out.iter_mut().zip(x).for_each(|(o, x)| *o = u8::from(x.is_finite()));
                });
            }
            let f = float_unary(op).ok_or_else(|| undefined(op.spec().name, ty))?;
            map1::<F>(x, ty, |x| F::through(f, x))
        },
        integers I => {
            let f = I::unary(op).ok_or_else(|| undefined(op.spec().name, ty))?;
            map1::<I>(x, ty, f)
        },
        bool => if op == UnaryOp::Not {
            map1::<bool>(x, ty, |x| u8::from(x == 0))
        } else {
            Err(undefined(op.spec().name, ty))
        }
    )
}

/// The function of an op on floats. `f64` holds every `f32` exactly, and for the ops that IEEE
/// rounds correctly (`sqrt` among them) rounding its result again to `f32` changes nothing.
fn float_unary(op: UnaryOp) -> Option<fn(f64) -> f64> {
    Some(match op {
        UnaryOp::Neg => |x| -x,
        UnaryOp::Abs => f64::abs,
        // A zero of either sign, and NaN, is its own sign.
        UnaryOp::Sign => |x| if x == 0.0 || x.is_nan() { x } else { 1f64.copysign(x) },
        UnaryOp::Floor => f64::floor,
        UnaryOp::Ceil => f64::ceil,
        UnaryOp::Round => f64::round_ties_even,
        UnaryOp::Sqrt => f64::sqrt,
        UnaryOp::Exp => libm::exp,
        UnaryOp::Expm1 => libm::expm1,
        UnaryOp::Log => libm::log,
        UnaryOp::Log2 => libm::log2,
        UnaryOp::Log1p => libm::log1p,
        UnaryOp::Sin => libm::sin,
        UnaryOp::Cos => libm::cos,
        UnaryOp::Tan => libm::tan,
        UnaryOp::Asin => libm::asin,
        UnaryOp::Acos => libm::acos,
        UnaryOp::Atan => libm::atan,
        UnaryOp::Sinh => libm::sinh,
        UnaryOp::Cosh => libm::cosh,
        UnaryOp::Tanh => libm::tanh,
        UnaryOp::Asinh => libm::asinh,
        // That of the library takes some numbers below -1 for others.
        UnaryOp::Acosh => |x| if x < 1.0 { f64::NAN } else { libm::acosh(x) },
        UnaryOp::Atanh => libm::atanh,
        UnaryOp::Erf => libm::erf,
        UnaryOp::Erfc => libm::erfc,
        UnaryOp::ErfInv => special::erf_inv,
        UnaryOp::Lgamma => probpipe_special::lgamma,
        UnaryOp::Digamma => probpipe_special::digamma,
        UnaryOp::Not | UnaryOp::IsFinite => return None,
    })
}

pub(super) fn binary(op: BinaryOp, x: &Value, y: &Value, ty: &ArrayType) -> Result<Value> {
    by_kind!(ty.dtype,
        floats F => {
            let f = F::binary(op).ok_or_else(|| undefined(op.spec().name, ty))?;
            map2::<F, F>(x, y, ty, f)
        },
        integers I => {
            let f = I::binary(op).ok_or_else(|| undefined(op.spec().name, ty))?;
            map2::<I, I>(x, y, ty, f)
        },
        bool => match op.instruction() {
            Some(BinaryInstruction::And) => map2::<bool, bool>(x, y, ty, |x, y| x & y),
            Some(BinaryInstruction::Or) => map2::<bool, bool>(x, y, ty, |x, y| x | y),
            Some(BinaryInstruction::Xor) => map2::<bool, bool>(x, y, ty, |x, y| x ^ y),
            Some(BinaryInstruction::Add | BinaryInstruction::Sub | BinaryInstruction::Mul
                | BinaryInstruction::Div | BinaryInstruction::Rem | BinaryInstruction::Max
                | BinaryInstruction::Min | BinaryInstruction::Shl | BinaryInstruction::Shr)
            | None => Err(undefined(op.spec().name, ty)),
        }
    )
}

/// The ops of two operands on floats of one width.
trait FloatOps: Sized {
    /// `f(x)`, computed in `f64`.
    fn through(f: fn(f64) -> f64, x: Self) -> Self;
    fn binary(op: BinaryOp) -> Option<fn(Self, Self) -> Self>;
}

macro_rules! float_ops {
    ($($F:ident),*) => {$(
        impl FloatOps for $F {
            #[allow(clippy::useless_conversion)]
            fn through(f: fn(f64) -> f64, x: $F) -> $F {
                f(f64::from(x)) as $F
            }

            #[allow(clippy::useless_conversion)]
            fn binary(op: BinaryOp) -> Option<fn($F, $F) -> $F> {
                Some(match op {
                    BinaryOp::Add => |x, y| x + y,
                    BinaryOp::Sub => |x, y| x - y,
                    BinaryOp::Mul => |x, y| x * y,
                    BinaryOp::Div => |x, y| x / y,
                    BinaryOp::Rem => |x, y| x % y,
                    BinaryOp::Pow => |x, y| libm::pow(f64::from(x), f64::from(y)) as $F,
                    BinaryOp::Atan2 => |y, x| libm::atan2(f64::from(y), f64::from(x)) as $F,
                    BinaryOp::Max => max_float,
                    BinaryOp::Min => |x, y| -max_float(-x, -y),
                    BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => return None,
                    BinaryOp::Shl | BinaryOp::Shr => return None,
                })
            }
        }
    )*};
}
float_ops!(f32, f64);

/// The larger, NaN if either is NaN, and +0 rather than -0 (IEEE 754-2019 `maximum`). `Min` is its
/// mirror image.
pub(super) fn max_float<F>(x: F, y: F) -> F
where
    F: Copy + PartialOrd + std::ops::Add<Output = F>,
{
    if x > y {
        x
    } else if y > x {
        y
    } else {
        // Equal or unordered. The sum of NaN and anything is NaN; of equal non-zero numbers it is
        // not wanted, and of two zeros it is -0 only if both are.
        let sum = x + y;
        if x == y && x != sum { x } else { sum }
    }
}

/// The ops on integers of one width. All wrap.
trait IntOps: Sized {
    fn unary(op: UnaryOp) -> Option<fn(Self) -> Self>;
    fn binary(op: BinaryOp) -> Option<fn(Self, Self) -> Self>;
}

macro_rules! int_ops {
    ($($I:ident abs $abs:expr, sign $sign:expr, negative $negative:expr;)*) => {$(
        impl IntOps for $I {
            fn unary(op: UnaryOp) -> Option<fn($I) -> $I> {
                Some(match op.instruction()? {
                    UnaryInstruction::Neg => |x| x.wrapping_neg(),
                    UnaryInstruction::Abs => $abs,
                    UnaryInstruction::Sign => $sign,
                    UnaryInstruction::Not => |x| !x,
                    UnaryInstruction::Floor | UnaryInstruction::Ceil => return None,
                    UnaryInstruction::Round | UnaryInstruction::Sqrt => return None,
                    UnaryInstruction::IsFinite => return None,
                })
            }

            fn binary(op: BinaryOp) -> Option<fn($I, $I) -> $I> {
                Some(match op.instruction()? {
                    BinaryInstruction::Add => |x, y| x.wrapping_add(y),
                    BinaryInstruction::Sub => |x, y| x.wrapping_sub(y),
                    BinaryInstruction::Mul => |x, y| x.wrapping_mul(y),
                    BinaryInstruction::Div => |x, y| if y == 0 { !0 } else { x.wrapping_div(y) },
                    BinaryInstruction::Rem => |x, y| if y == 0 { x } else { x.wrapping_rem(y) },
                    BinaryInstruction::Max => |x, y| x.max(y),
                    BinaryInstruction::Min => |x, y| x.min(y),
                    BinaryInstruction::And => |x, y| x & y,
                    BinaryInstruction::Or => |x, y| x | y,
                    BinaryInstruction::Xor => |x, y| x ^ y,
                    // A negative distance is, taken as unsigned, beyond the width.
                    BinaryInstruction::Shl => |x, y| {
                        u32::try_from(y).ok().and_then(|y| x.checked_shl(y)).unwrap_or(0)
                    },
                    BinaryInstruction::Shr => |x, y| {
                        let fill = if $negative(x) { !0 } else { 0 };
                        u32::try_from(y).ok().and_then(|y| x.checked_shr(y)).unwrap_or(fill)
                    },
                })
            }
        }
    )*};
}
int_ops! {
    i32 abs |x| x.wrapping_abs(), sign |x| x.signum(), negative |x: i32| x < 0;
    i64 abs |x| x.wrapping_abs(), sign |x| x.signum(), negative |x: i64| x < 0;
    u8 abs |x| x, sign |x| x.min(1), negative |_| false;
    u32 abs |x| x, sign |x| x.min(1), negative |_| false;
    u64 abs |x| x, sign |x| x.min(1), negative |_| false;
}

pub(super) fn compare(op: CompareOp, x: &Value, y: &Value, ty: &ArrayType) -> Result<Value> {
    // `bool` is stored as 0 or 1, so its bytes compare as the truth values do.
    for_dtype!(x.ty().dtype, T => match op {
        CompareOp::Eq => map2::<T, bool>(x, y, ty, |x, y| u8::from(x == y)),
        CompareOp::Ne => map2::<T, bool>(x, y, ty, |x, y| u8::from(x != y)),
        CompareOp::Lt => map2::<T, bool>(x, y, ty, |x, y| u8::from(x < y)),
        CompareOp::Le => map2::<T, bool>(x, y, ty, |x, y| u8::from(x <= y)),
        CompareOp::Gt => map2::<T, bool>(x, y, ty, |x, y| u8::from(x > y)),
        CompareOp::Ge => map2::<T, bool>(x, y, ty, |x, y| u8::from(x >= y)),
    })
}

pub(super) fn select(c: &Value, x: &Value, y: &Value, ty: &ArrayType) -> Result<Value> {
    let c = elements::<bool>(c)?;
    for_dtype!(ty.dtype, T => {
        let (x, y) = (elements::<T>(x)?, elements::<T>(y)?);
        build::<T>(ty, |out| {
            for (i, o) in out.iter_mut().enumerate() {
                *o = if c[i] != 0 { x[i] } else { y[i] };
            }
        })
    })
}

/// How a type takes part in conversions. Every float is exact as an `f64` and every integer as an
/// `i128`, so that each conversion rounds at most once; `as` truncates, saturates and sends NaN to
/// 0 from floats, and wraps from integers.
trait Convert: Element {
    fn float(repr: Self::Repr) -> Option<f64>;
    fn integer(repr: Self::Repr) -> i128;
    fn of_float(v: f64) -> Self::Repr;
    fn of_integer(v: i128) -> Self::Repr;
}

macro_rules! convert {
    ($($T:ident is float $float:expr;)*) => {$(
        impl Convert for $T {
            fn float(repr: $T) -> Option<f64> { if $float { Some(repr as f64) } else { None } }
            fn integer(repr: $T) -> i128 { repr as i128 }
            fn of_float(v: f64) -> $T { v as $T }
            fn of_integer(v: i128) -> $T { v as $T }
        }
    )*};
}
convert! {
    f32 is float true; f64 is float true; i32 is float false; i64 is float false;
    u8 is float false; u32 is float false; u64 is float false;
}

impl Convert for bool {
    fn float(_: u8) -> Option<f64> {
        None
    }
    fn integer(repr: u8) -> i128 {
        i128::from(repr)
    }
    fn of_float(v: f64) -> u8 {
        u8::from(v != 0.0)
    }
    fn of_integer(v: i128) -> u8 {
        u8::from(v != 0)
    }
}

pub(super) fn cast(x: &Value, ty: &ArrayType) -> Result<Value> {
    if x.ty() == ty {
        return Ok(x.clone());
    }
    for_dtype!(x.ty().dtype, From => for_dtype!(ty.dtype, To => {
        let x = elements::<From>(x)?;
        build::<To>(ty, |out| {
            for (o, &x) in out.iter_mut().zip(x) {
                *o = match From::float(x) {
                    Some(v) => To::of_float(v),
                    None => To::of_integer(From::integer(x)),
                };
            }
        })
    }))
}
