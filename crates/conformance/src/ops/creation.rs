//! Arrays made of nothing. Their attributes do not say all, so the reference's call is read: a
//! name, numbers, and named arguments.

use super::Class::{Elementwise as E, Exact};
use super::{Rule, rule};
use probpipe::{Array, ArrayType, DType, with_default_float};
use serde_json::Value as Json;

/// The rule for a call such as `jnp.linspace(0.,1.,5)`.
pub(super) fn find(op: &str, call: &str, _attrs: &Json) -> Option<Rule> {
    let (name, arguments) = call.strip_suffix(')')?.split_once('(')?;
    if arguments.contains("endpoint") {
        return None;
    }
    let mut numbers = Vec::new();
    for part in arguments.replace(['(', ')'], "").split(',') {
        let value = part.split_once('=').map_or(part, |(_, v)| v);
        if !value.starts_with("jnp.") {
            numbers.push(value.parse::<f64>().ok()?);
        }
    }
    let narrow = op == "create_f32";
    let n = move |i: usize| numbers.get(i).copied();
    let size = |v: f64| v as usize;
    let float = if narrow { DType::F32 } else { DType::F64 };
    let make = move |f: Box<dyn Fn() -> Array>| {
        rule(if narrow { E } else { Exact }, move |_| vec![with_default_float(float, &f)])
    };
    match (name, n(0), n(1), n(2)) {
        ("jnp.arange", Some(stop), None, None) => {
            make(Box::new(move || probpipe::arange(size(stop))))
        }
        ("lax.iota", Some(stop), ..) => make(Box::new(move || probpipe::arange(size(stop)))),
        ("lax.broadcasted_iota", Some(a), Some(b), Some(axis)) => make(Box::new(move || {
            probpipe::iota(&ArrayType::new(DType::I32, [size(a), size(b)]), size(axis))
        })),
        ("jnp.linspace", Some(a), Some(b), Some(count)) => rule(E, move |_| {
            vec![with_default_float(float, || probpipe::linspace(a, b, size(count)))]
        }),
        ("jnp.eye", Some(a), None, None) => make(Box::new(move || probpipe::eye(size(a)))),
        ("jnp.eye", Some(a), Some(b), Some(k)) => {
            make(Box::new(move || probpipe::eye_offset(size(a), size(b), k as isize)))
        }
        ("jnp.tri", Some(a), Some(b), Some(k)) => {
            make(Box::new(move || probpipe::tri(size(a), size(b), k as isize)))
        }
        ("jnp.full", Some(a), Some(b), Some(v)) => {
            make(Box::new(move || probpipe::full([size(a), size(b)], v)))
        }
        _ => None,
    }
}
