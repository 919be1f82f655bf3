//! Elementwise operations of two operands.

use super::Class::{Elementwise as E, Exact, Hard};
use super::{Rule, two};
use crate::attrs::Attrs;
use probpipe::{Array, DType};

/// The rule for an operation of two operands.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    let integer = attrs.input_type(0).is_some_and(|d| !d.is_float());
    match op {
        "add" => two(if integer { Exact } else { E }, |x, y| x + y),
        "sub" => two(if integer { Exact } else { E }, |x, y| x - y),
        "mul" => two(if integer { Exact } else { E }, |x, y| x * y),
        "div" => two(E, |x, y| x / y),
        "lax_div" => two(Exact, |x, y| x.trunc_divide(y)),
        "true_divide" => {
            let float = attrs.output_type()?;
            two(E, move |x, y| x.cast(float) / y.cast(float))
        }
        "pow" => two(Hard, |x, y| x.pow(y)),
        "power" => two(if integer { Exact } else { Hard }, |x, y| x.pow(y)),
        "gcd" => two(Exact, |x, y| x.gcd(y)),
        "lcm" => two(Exact, |x, y| x.lcm(y)),
        "nextafter" => two(Exact, |x, y| x.nextafter(y)),
        "max" => two(Exact, |x, y| x.maximum(y)),
        "min" => two(Exact, |x, y| x.minimum(y)),
        "atan2" => two(E, |x, y| x.atan2(y)),
        "hypot" => two(E, |x, y| x.hypot(y)),
        "floor_divide" => two(Exact, |x, y| x.floor_divide(y)),
        "mod" => two(if integer { Exact } else { E }, |x, y| x.modulo(y)),
        "rem" => two(if integer { Exact } else { E }, |x, y| x % y),
        "fmod" => two(E, |x, y| x.fmod(y)),
        "logaddexp" => two(E, |x, y| x.logaddexp(y)),
        "logaddexp2" => two(E, |x, y| x.logaddexp2(y)),
        "copysign" => two(Exact, |x, y| x.copysign(y)),
        "xlogy" => two(E, |x, y| x.xlogy(y)),
        "xlog1py" => two(E, |x, y| x.xlog1py(y)),
        "heaviside" => two(Exact, |x, y| x.heaviside(y)),
        "squared_difference" => two(E, |x, y| x.squared_difference(y)),
        "eq" => two(Exact, |x, y| x.eq(y)),
        "ne" => two(Exact, |x, y| x.ne(y)),
        "lt" => two(Exact, |x, y| x.lt(y)),
        "le" => two(Exact, |x, y| x.le(y)),
        "gt" => two(Exact, |x, y| x.gt(y)),
        "ge" => two(Exact, |x, y| x.ge(y)),
        "and" => two(Exact, |x, y| x & y),
        "logical_and" => two(Exact, |x, y| truth(x) & truth(y)),
        "or" => two(Exact, |x, y| x | y),
        "logical_or" => two(Exact, |x, y| truth(x) | truth(y)),
        "xor" => two(Exact, |x, y| x ^ y),
        "logical_xor" => two(Exact, |x, y| truth(x) ^ truth(y)),
        "shift_left" => two(Exact, |x, y| x << y),
        "shift_right_arithmetic" => two(Exact, arithmetic_shift),
        "shift_right_logical" => two(Exact, logical_shift),
        _ => None,
    }
}

fn truth(x: &Array) -> Array {
    if x.dtype() == DType::Bool { x.clone() } else { x.ne(0) }
}

fn other_sign(x: &Array) -> DType {
    match x.dtype() {
        DType::I32 => DType::U32,
        DType::U32 => DType::I32,
        DType::I64 => DType::U64,
        DType::U64 => DType::I64,
        other => other,
    }
}

fn as_other(x: &Array, y: &Array) -> Array {
    let to = other_sign(x);
    (x.bitcast(to) >> y.bitcast(to)).bitcast(x.dtype())
}

/// Fills with the sign, also of unsigned words.
fn arithmetic_shift(x: &Array, y: &Array) -> Array {
    if x.dtype() == DType::U8 {
        // There is no signed byte: its sign goes through a wider word.
        let wide = (x.cast(DType::I32) << 24) >> 24;
        return (wide >> y.cast(DType::I32)).cast(DType::U8);
    }
    if x.dtype().is_signed() { x >> y } else { as_other(x, y) }
}

/// Fills with zeros, also in signed numbers.
fn logical_shift(x: &Array, y: &Array) -> Array {
    if x.dtype().is_signed() { as_other(x, y) } else { x >> y }
}
