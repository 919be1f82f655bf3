//! Arrays made of nothing. Their attributes do not say all, so the reference's call is read: a
//! name, numbers and tuples of numbers, and named arguments.

use super::Class::{Elementwise as E, Exact, Hard};
use super::{Rule, rule};
use probpipe::{Array, ArrayType, DType, Scalar, default_float, with_default_float};

/// An argument of a call.
#[derive(Clone, Debug)]
enum Value {
    Number(Scalar),
    Tuple(Vec<usize>),
    Type(DType),
    Flag(bool),
}

/// A call such as `jnp.linspace(0.,1.,5,dtype=jnp.float32)`.
struct Call<'a> {
    name: &'a str,
    positional: Vec<Value>,
    named: Vec<(&'a str, Value)>,
}

fn value(text: &str) -> Option<Value> {
    if let Some(inner) = text.strip_prefix('(') {
        let inner = inner.strip_suffix(')')?;
        let parts = inner.split(',').filter(|p| !p.trim().is_empty());
        return Some(Value::Tuple(parts.map(|p| p.trim().parse().ok()).collect::<Option<_>>()?));
    }
    if let Some(name) = text.strip_prefix("jnp.") {
        let types = [
            ("float32", DType::F32),
            ("float64", DType::F64),
            ("int32", DType::I32),
            ("int64", DType::I64),
            ("uint8", DType::U8),
            ("uint32", DType::U32),
            ("uint64", DType::U64),
            ("bool_", DType::Bool),
        ];
        return types.iter().find(|t| t.0 == name).map(|t| Value::Type(t.1));
    }
    Some(match text {
        "True" => Value::Flag(true),
        "False" => Value::Flag(false),
        _ => match text.parse::<i64>() {
            Ok(whole) => Value::Number(Scalar::from(whole)),
            Err(_) => Value::Number(Scalar::from(text.parse::<f64>().ok()?)),
        },
    })
}

impl Call<'_> {
    fn read(text: &str) -> Option<Call<'_>> {
        let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
        let mut call = Call { name, positional: Vec::new(), named: Vec::new() };
        let (mut depth, mut start) = (0, 0);
        let ends = arguments.char_indices().chain([(arguments.len(), ',')]);
        for (i, c) in ends {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    let part = arguments[start..i].trim();
                    start = i + 1;
                    match part.split_once('=') {
                        Some((name, text)) => call.named.push((name.trim(), value(text.trim())?)),
                        None if !part.is_empty() => call.positional.push(value(part)?),
                        None => {}
                    }
                }
                _ => {}
            }
        }
        Some(call)
    }

    /// Takes a named argument out; what is left at the end is not understood.
    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|n| n.0 == name)?;
        Some(self.named.remove(at).1)
    }
}

/// The rule for a call.
pub(super) fn find(op: &str, call: &str) -> Option<Rule> {
    let mut call = Call::read(call)?;
    let named_type = call.take("dtype");
    let offset = call.take("k");
    let endpoint = call.take("endpoint");
    if !call.named.is_empty() {
        return None;
    }
    let mut arguments = call.positional;
    // A type may be named first, or last.
    let mut dtype = match named_type {
        Some(Value::Type(dtype)) => Some(dtype),
        None => None,
        Some(_) => return None,
    };
    if let Some(at) = arguments.iter().position(|a| matches!(a, Value::Type(_)))
        && let Value::Type(found) = arguments.remove(at)
    {
        dtype = Some(found);
    }
    let open = match endpoint {
        None => false,
        Some(Value::Flag(included)) => !included,
        Some(_) => return None,
    };
    let number = |i: usize| match arguments.get(i) {
        Some(Value::Number(n)) => Some(*n),
        _ => None,
    };
    let float = |i: usize| number(i).map(Scalar::as_f64);
    let size = |i: usize| number(i).and_then(|n| usize::try_from(n.as_i128()).ok());
    let shape = |i: usize| match arguments.get(i) {
        Some(Value::Tuple(shape)) => Some(shape.clone()),
        _ => size(i).map(|n| vec![n]),
    };
    let offset = match offset {
        None => number(2).map_or(Some(0), |n| Some(n.as_i128() as isize)),
        Some(Value::Number(n)) => Some(n.as_i128() as isize),
        Some(_) => None,
    };
    let count = arguments.len();
    let narrow = (op == "create_f32").then_some(DType::F32);
    let float_type = dtype.filter(|d| d.is_float()).or(narrow);
    let make = move |class, f: Box<dyn Fn() -> Array>| {
        rule(class, move |_| {
            let made = with_default_float(float_type.unwrap_or(default_float()), &f);
            vec![dtype.map_or(made.clone(), |dtype| made.cast(dtype))]
        })
    };
    match (call.name, count) {
        ("jnp.arange", 1) => {
            let stop = number(0)?;
            make(E, Box::new(move || range(Scalar::Int(0), stop, Scalar::Int(1))))
        }
        ("jnp.arange", 2 | 3) => {
            let (start, stop) = (number(0)?, number(1)?);
            let step = if count == 3 { number(2)? } else { Scalar::Int(1) };
            make(E, Box::new(move || range(start, stop, step)))
        }
        ("lax.iota", 1) => {
            let n = size(0)?;
            make(Exact, Box::new(move || probpipe::arange(n)))
        }
        ("lax.broadcasted_iota", 2) => {
            let (shape, axis) = (shape(0)?, size(1)?);
            make(
                Exact,
                Box::new(move || probpipe::iota(&ArrayType::new(DType::I32, &shape[..]), axis)),
            )
        }
        ("jnp.linspace", 2 | 3) => {
            let (a, b) = (float(0)?, float(1)?);
            let n = if count == 3 { size(2)? } else { 50 };
            make(
                E,
                Box::new(move || {
                    if open {
                        probpipe::linspace_open(a, b, n)
                    } else {
                        probpipe::linspace(a, b, n)
                    }
                }),
            )
        }
        ("jnp.logspace", 2 | 3) if !open => {
            let (a, b) = (float(0)?, float(1)?);
            let n = if count == 3 { size(2)? } else { 50 };
            make(Hard, Box::new(move || probpipe::logspace(a, b, n)))
        }
        ("jnp.geomspace", 2 | 3) if !open => {
            let (a, b) = (float(0)?, float(1)?);
            let n = if count == 3 { size(2)? } else { 50 };
            make(Hard, Box::new(move || probpipe::geomspace(a, b, n)))
        }
        ("jnp.eye", 1..=3) => {
            let (m, n, k) = (size(0)?, if count > 1 { size(1)? } else { size(0)? }, offset?);
            make(Exact, Box::new(move || probpipe::eye_offset(m, n, k)))
        }
        ("jnp.tri", 1..=3) => {
            let (m, n, k) = (size(0)?, if count > 1 { size(1)? } else { size(0)? }, offset?);
            make(Exact, Box::new(move || probpipe::tri(m, n, k)))
        }
        ("jnp.full", 2) => {
            let (shape, fill) = (shape(0)?, number(1)?);
            make(
                E,
                Box::new(move || match fill {
                    Scalar::Int(n) => probpipe::full(&shape[..], n as i64),
                    _ => probpipe::full(&shape[..], fill.as_f64()),
                }),
            )
        }
        ("jnp.zeros", 1) => {
            let shape = shape(0)?;
            make(Exact, Box::new(move || probpipe::zeros(&shape[..])))
        }
        ("jnp.ones", 1) => {
            let shape = shape(0)?;
            make(Exact, Box::new(move || probpipe::ones(&shape[..])))
        }
        _ => None,
    }
}

fn range(start: Scalar, stop: Scalar, step: Scalar) -> Array {
    probpipe::arange_step(start, stop, step)
}
