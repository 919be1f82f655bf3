//! Uniform integers. Twice as many random bits as the type has are reduced modulo the span, which
//! leaves a bias of `span / 2^bits` at most.
//!
//! The reduction of the double width and the use of keys follow `jax.random`.

use super::parameters::{settled, typed};
use probpipe_trace::{
    Array, ArrayType, DType, Error, ErrorKind, IntoShape, Key, Result, Scalar, Shape, full_typed,
    here, select,
};

/// Integers from `low` up to and without `high`, of the bounds' type, or `i32`; `low` where that
/// is no lower.
///
/// ```
/// use probpipe::prelude::*;
/// let dice = probpipe::random::randint(Key::new(0), [100], 1, 7);
/// assert_eq!((dice.min().item::<i32>()?, dice.max().item::<i32>()?), (1, 6));
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.randint")]
pub fn randint(
    key: Key,
    shape: impl IntoShape,
    low: impl Into<Array>,
    high: impl Into<Array>,
) -> Array {
    let (low, high) = (low.into(), high.into());
    let named = [&low, &high].into_iter().filter(|bound| !bound.is_weak()).map(Array::dtype);
    let dtype = named.into_iter().find(|dtype| dtype.is_integer()).unwrap_or(DType::I32);
    randint_of(dtype, key, shape, low, high)
}

/// Integers of a type from `low` up to and without `high`. Bounds may lie outside of the type: one
/// above its largest number includes that.
#[track_caller]
pub fn randint_of(
    dtype: DType,
    key: Key,
    shape: impl IntoShape,
    low: impl Into<Array>,
    high: impl Into<Array>,
) -> Array {
    settled(drawn(dtype, key, &shape.into_shape(), low.into(), high.into()))
}

/// The least and the largest number of an integer type.
fn range(dtype: DType) -> (i128, i128) {
    match dtype {
        DType::U8 => (0, u8::MAX.into()),
        DType::U32 => (0, u32::MAX.into()),
        DType::U64 => (0, u64::MAX.into()),
        DType::I64 => (i64::MIN.into(), i64::MAX.into()),
        _ => (i32::MIN.into(), i32::MAX.into()),
    }
}

#[track_caller]
fn drawn(dtype: DType, key: Key, shape: &Shape, low: Array, high: Array) -> Result<Array> {
    if !dtype.is_integer() {
        let message = format!("`randint_of` draws integers, not {dtype}");
        return Err(Error::new(ErrorKind::DType, message)
            .at(here())
            .help("name an integer type such as `DType::I32`"));
    }
    // Bytes are drawn with 32 bits, which leaves them no bias to speak of.
    let (own, drawn) = (range(dtype), if dtype == DType::U8 { DType::I32 } else { dtype });
    let (low, _) = within("low", &low, own, drawn)?;
    let (high, beyond) = match drawn == dtype {
        true => within("high", &high, own, drawn)?,
        // The type that is drawn holds the number after the largest byte.
        false => (within("high", &high, (own.0, own.1 + 1), drawn)?.0, None),
    };
    let [low] = typed("randint", shape, drawn, [("low", low)])?;
    let [high] = typed("randint", shape, drawn, [("high", high)])?;
    let unsigned = match drawn {
        DType::I64 | DType::U64 => DType::U64,
        _ => DType::U32,
    };
    let bits = unsigned.size() as u32 * 8;
    let number = |n: i128| full_typed(&ArrayType::scalar(unsigned), Scalar::Int(n));
    let filled = high.gt(&low);
    let span = (&high - &low).bitcast(unsigned);
    let span = match beyond {
        None => span,
        // One more than the type holds is 0, by which nothing is divided.
        Some(beyond) => span + (beyond & &filled).cast(unsigned),
    };
    let span = select(&filled, span, number(1));
    let (first, second) = key.split();
    let (upper, lower) = (first.bits(bits, shape), second.bits(bits, shape));
    // 2^bits modulo the span, by way of its root.
    let root = number(1 << (bits / 2)) % &span;
    let power = (&root * &root) % &span;
    let offset = ((upper % &span) * power + lower % &span) % span;
    Ok((low + offset.bitcast(drawn)).cast(dtype))
}

/// A bound clipped to what `range` holds, in the type that is drawn, and where it was above, if it
/// can be.
#[track_caller]
fn within(
    name: &str,
    bound: &Array,
    range: (i128, i128),
    drawn: DType,
) -> Result<(Array, Option<Array>)> {
    if let Some(error) = bound.error() {
        return Err(error.clone());
    }
    if !bound.dtype().is_integer() {
        let message = format!("`randint` draws between integers, and {name} is {}", bound.dtype());
        return Err(Error::new(ErrorKind::DType, message)
            .at(here())
            .note(format!("{name} was made"), Some(bound.location()))
            .help("cast the bound, for example with `.cast(DType::I32)`"));
    }
    let scalar = |n: i128| full_typed(&ArrayType::scalar(drawn), Scalar::Int(n));
    let literal = bound.is_literal().then(|| bound.value()?.to_scalars()).transpose()?;
    if let Some(number) = literal.as_deref().and_then(<[Scalar]>::first) {
        let number = number.as_i128();
        let beyond = (number > range.1).then(|| Array::from(true));
        return Ok((scalar(number.clamp(range.0, range.1)), beyond));
    }
    let holds = self::range(bound.dtype());
    let (least, most) = (holds.0.max(range.0), holds.1.min(range.1));
    let number = |n: i128| full_typed(&ArrayType::scalar(bound.dtype()), Scalar::Int(n));
    let clipped = bound.clip(number(least), number(most)).cast(drawn);
    let beyond = (holds.1 > range.1).then(|| bound.gt(number(most)));
    Ok((clipped, beyond))
}
