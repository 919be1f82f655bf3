//! Element types and the Rust types that carry them. Nothing here knows shapes.

use std::fmt;
use std::str::FromStr;

/// The element type of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DType {
    /// 32-bit IEEE float.
    F32,
    /// 64-bit IEEE float.
    F64,
    /// 32-bit two's-complement integer.
    I32,
    /// 64-bit two's-complement integer.
    I64,
    /// 8-bit unsigned integer.
    U8,
    /// 32-bit unsigned integer.
    U32,
    /// 64-bit unsigned integer.
    U64,
    /// Truth value, one byte that is 0 or 1.
    Bool,
}

impl DType {
    /// Every element type, in declaration order.
    pub const ALL: [DType; 8] = [
        DType::F32,
        DType::F64,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U32,
        DType::U64,
        DType::Bool,
    ];

    /// Size of one element in bytes.
    pub const fn size(self) -> usize {
        match self {
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// True for `f32` and `f64`.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// True for signed and unsigned integers; false for `bool`.
    pub const fn is_integer(self) -> bool {
        matches!(self, DType::I32 | DType::I64 | DType::U8 | DType::U32 | DType::U64)
    }

    /// True for floats and signed integers.
    pub const fn is_signed(self) -> bool {
        matches!(self, DType::F32 | DType::F64 | DType::I32 | DType::I64)
    }

    /// True for floats and integers; false for `bool`.
    pub const fn is_number(self) -> bool {
        !matches!(self, DType::Bool)
    }

    /// The name used in printed graphs and messages: `f32`, `bool`, ...
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::U8 => "u8",
            DType::U32 => "u32",
            DType::U64 => "u64",
            DType::Bool => "bool",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DType {
    type Err = String;

    fn from_str(s: &str) -> Result<DType, String> {
        DType::ALL
            .into_iter()
            .find(|d| d.name() == s)
            .ok_or_else(|| format!("`{s}` is not an element type"))
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be an array element. Sealed: the set is that of [`DType`].
pub trait Element: sealed::Sealed + Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// The element type of arrays of `Self`.
    const DTYPE: DType;
    /// How an element lies in memory (`u8` for `bool`, `Self` otherwise).
    type Repr: bytemuck::Pod;
    /// Into the memory form.
    fn to_repr(self) -> Self::Repr;
    /// From the memory form.
    fn from_repr(repr: Self::Repr) -> Self;
}

macro_rules! elements {
    ($($rust:ty => $dtype:ident),*) => {$(
        impl sealed::Sealed for $rust {}
        impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
            type Repr = $rust;
            fn to_repr(self) -> $rust { self }
            fn from_repr(repr: $rust) -> $rust { repr }
        }
    )*};
}
elements!(f32 => F32, f64 => F64, i32 => I32, i64 => I64, u8 => U8, u32 => U32, u64 => U64);

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: DType = DType::Bool;
    type Repr = u8;
    fn to_repr(self) -> u8 {
        u8::from(self)
    }
    fn from_repr(repr: u8) -> bool {
        repr != 0
    }
}

/// Calls `$body` with the type alias `$T` bound to the Rust element type of a [`DType`].
#[macro_export]
macro_rules! for_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::DType::I64 => {
                type $T = i64;
                $body
            }
            $crate::DType::U8 => {
                type $T = u8;
                $body
            }
            $crate::DType::U32 => {
                type $T = u32;
                $body
            }
            $crate::DType::U64 => {
                type $T = u64;
                $body
            }
            $crate::DType::Bool => {
                type $T = bool;
                $body
            }
        }
    };
}
pub(crate) use for_dtype;

/// One number of any element type, as written in a program or held in a rank-0 array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A float literal.
    Float(f64),
    /// An integer literal.
    Int(i128),
    /// A truth value.
    Bool(bool),
}

impl Scalar {
    /// The value as an `f64`, truth values as 0 and 1.
    pub fn as_f64(self) -> f64 {
        match self {
            Scalar::Float(v) => v,
            Scalar::Int(v) => v as f64,
            Scalar::Bool(v) => f64::from(u8::from(v)),
        }
    }

    /// The value as an integer; floats truncate toward zero and saturate.
    pub fn as_i128(self) -> i128 {
        match self {
            Scalar::Float(v) => v as i128,
            Scalar::Int(v) => v,
            Scalar::Bool(v) => i128::from(v),
        }
    }

    /// Whether the value can stand in an array of `dtype` without changing its meaning:
    /// integers go anywhere they fit, floats into floats, truth values into `bool`.
    pub fn fits(self, dtype: DType) -> bool {
        match self {
            Scalar::Float(_) => dtype.is_float(),
            Scalar::Bool(_) => dtype == DType::Bool,
            Scalar::Int(v) => match dtype {
                DType::F32 | DType::F64 => true,
                DType::I32 => i32::try_from(v).is_ok(),
                DType::I64 => i64::try_from(v).is_ok(),
                DType::U8 => u8::try_from(v).is_ok(),
                DType::U32 => u32::try_from(v).is_ok(),
                DType::U64 => u64::try_from(v).is_ok(),
                DType::Bool => false,
            },
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Float(v) => write!(f, "{v:?}"),
            Scalar::Int(v) => write!(f, "{v}"),
            Scalar::Bool(v) => write!(f, "{v}"),
        }
    }
}

macro_rules! scalar_from {
    ($($t:ty => $variant:ident as $as:ty),*) => {$(
        impl From<$t> for Scalar {
            fn from(v: $t) -> Scalar { Scalar::$variant(v as $as) }
        }
    )*};
}
scalar_from!(f32 => Float as f64, f64 => Float as f64, i32 => Int as i128, i64 => Int as i128,
    u8 => Int as i128, u32 => Int as i128, u64 => Int as i128, bool => Bool as bool);
