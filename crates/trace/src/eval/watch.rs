//! The watch for NaN: while it is on, the interpreter stops at the equation that makes the first
//! one, whatever body it is in. It is off but inside of [`watching_nan`].

use crate::dtype::{DType, Scalar, for_dtype};
use crate::error::{Error, ErrorKind, Result};
use crate::op::graph::{Eqn, Graph};
use crate::value::Value;
use std::cell::Cell;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with every graph that this thread runs on the interpreter failing at the first
/// equation that makes a NaN of operands that are none. The error names the op, its operands and
/// the user's line.
pub fn watching_nan<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            WATCHING.set(self.0);
        }
    }
    let _restore = Restore(WATCHING.replace(true));
    f()
}

pub(super) fn is_on() -> bool {
    WATCHING.get()
}

/// Fails if an equation made a NaN.
pub(super) fn check(graph: &Graph, eqn: &Eqn, operands: &[Value], results: &[Value]) -> Result<()> {
    let Some(bad) = results.iter().find(|v| count(v, f64::is_nan) > 0) else { return Ok(()) };
    if operands.iter().any(|v| count(v, f64::is_nan) > 0) {
        return Ok(());
    }
    let (ty, nans) = (bad.ty(), count(bad, f64::is_nan));
    let of = if ty.size() == 1 { String::new() } else { format!(", {nans} of {}", ty.size()) };
    let message = format!("`{}` makes the first NaN: its result is {ty}{of}", eqn.op.name());
    let mut error = Error::new(ErrorKind::Value, message).at(eqn.location);
    for (var, value) in eqn.inputs.iter().zip(operands) {
        let made = graph.eqns().iter().find(|e| e.outputs.contains(var)).map(|e| e.location);
        error = error.note(format!("operand {} {}", value.ty(), summary(value)), made);
    }
    Err(error
        .help("keep the operands inside the domain of the op, also where its result is not used"))
}

/// The number of elements of a float array that are so.
fn count(value: &Value, is: impl Fn(f64) -> bool) -> usize {
    if !value.ty().dtype.is_float() {
        return 0;
    }
    numbers(value).into_iter().filter(|&v| is(v)).count()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value.ty().dtype {
        DType::F32 => {
            value.to_vec::<f32>().unwrap_or_default().into_iter().map(f64::from).collect()
        }
        DType::F64 => value.to_vec::<f64>().unwrap_or_default(),
        dtype => for_dtype!(dtype, T => {
            let elements = value.to_vec::<T>().unwrap_or_default().into_iter();
            elements.map(|v| Scalar::from(v).as_f64()).collect()
        }),
    }
}

/// The value, or what range a large one is in.
fn summary(value: &Value) -> String {
    let numbers = numbers(value);
    // The fewest digits that say the number.
    let shown = |v: f64| match value.ty().dtype {
        DType::F32 => (v as f32).to_string(),
        _ => v.to_string(),
    };
    if numbers.len() <= 4 {
        let list: Vec<String> = numbers.iter().map(|&v| shown(v)).collect();
        return format!("= {}", list.join(", "));
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("from {} to {}", shown(low), shown(high))
}
