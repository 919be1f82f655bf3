//! Which element type numbers of two element types meet in, and which one a literal takes.

use crate::context::default_float;
use crate::dtype::{DType, Scalar};

/// The element type that holds the values of both: JAX's promotion, restricted to the types of
/// this library. `bool` below integers below floats; of two floats or two integers of one
/// signedness the wider; of a signed and an unsigned one a signed type that holds both, and `f64`
/// for `u64`, where there is none. Of two floats of one width, `f32`.
///
/// Arithmetic here promotes less: whole numbers and truth values beside floats become floats of
/// that type, and truth values beside whole numbers 0 and 1, but two float types, or two integer
/// types, do not mix, and the error names the cast to write. What has no type of its own
/// ([`crate::Array::is_weak`]) takes the element type of the array beside it, if that holds its
/// value. `x.cast(promote_types(x.dtype(), y.dtype()))` is how code for any types says that it
/// wants the common one.
///
/// ```
/// use probpipe_trace::{DType, promote_types};
/// assert_eq!(promote_types(DType::I32, DType::F32), DType::F32);
/// assert_eq!(promote_types(DType::I32, DType::U32), DType::I64);
/// assert_eq!(promote_types(DType::U64, DType::I32), DType::F64);
/// ```
pub fn promote_types(a: DType, b: DType) -> DType {
    match (a, b) {
        _ if a == b || b == DType::Bool => a,
        (DType::Bool, _) => b,
        _ if a.is_float() && b.is_float() && a.size() == b.size() => DType::F32,
        _ if a.is_float() == b.is_float() && a.is_signed() == b.is_signed() => {
            if a.size() > b.size() { a } else { b }
        }
        _ if a.is_float() => a,
        _ if b.is_float() => b,
        _ => {
            let (signed, unsigned) = if a.is_signed() { (a, b) } else { (b, a) };
            match unsigned.size() {
                n if n < signed.size() => signed,
                4 => DType::I64,
                _ => DType::F64,
            }
        }
    }
}

/// The element type of an array after arithmetic with a literal, which [`promote_types`] does not
/// say: the array's own where it can hold numbers of the literal's kind, else the literal's, which
/// for floats is the default float type.
///
/// Floats that come of whole numbers so have that type where nothing else decides: whole `x` times
/// 0.5 times an `f64` array is `f64` throughout.
pub fn promote_literal(array: DType, literal: Scalar) -> DType {
    match literal {
        Scalar::Bool(_) => array,
        Scalar::Int(_) if array.is_number() => array,
        Scalar::Float(_) if array.is_float() => array,
        Scalar::Int(_) | Scalar::Float(_) => literal_dtype(literal),
    }
}

/// The element type that a literal takes where no array decides.
pub(crate) fn literal_dtype(scalar: Scalar) -> DType {
    match scalar {
        Scalar::Float(_) => default_float(),
        Scalar::Int(v) if i32::try_from(v).is_ok() => DType::I32,
        Scalar::Int(v) if i64::try_from(v).is_ok() => DType::I64,
        Scalar::Int(_) => DType::U64,
        Scalar::Bool(_) => DType::Bool,
    }
}
