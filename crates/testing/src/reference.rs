//! Reads reference files: numbers, lists and arrays of JSON. Data that do not have the stated form
//! give `None` or NaN, which equals no number; a file that cannot be read fails the test.

use probpipe_trace::{Array, DType, Scalar};
use serde_json::Value as Json;
use std::path::Path;

/// A whole file.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> Json {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The `cases` of a file.
#[track_caller]
pub fn cases(path: impl AsRef<Path>) -> Vec<Json> {
    let path = path.as_ref();
    let json = read(path);
    let cases = json["cases"].as_array().unwrap_or_else(|| panic!("{} has none", path.display()));
    assert!(!cases.is_empty(), "{} has no cases", path.display());
    cases.clone()
}

/// A number of the files; `"nan"`, `"inf"` and `"-inf"` are strings.
pub fn number(json: &Json) -> f64 {
    match json {
        Json::String(s) => s.parse().unwrap_or(f64::NAN),
        Json::Bool(b) => f64::from(u8::from(*b)),
        _ => json.as_f64().unwrap_or(f64::NAN),
    }
}

/// A list of numbers, bare or as an array object; `f32` data are shortest decimals, which only
/// rounding makes exact.
pub fn numbers(json: &Json) -> Vec<f64> {
    let list = json.get("data").unwrap_or(json);
    let narrow = json["dtype"] == "f32";
    let exact = |n: &Json| if narrow { f64::from(number(n) as f32) } else { number(n) };
    list.as_array().map(|list| list.iter().map(exact).collect()).unwrap_or_default()
}

/// A list of extents, or one extent.
pub fn extents(json: &Json) -> Vec<usize> {
    match json {
        Json::Array(list) => list.iter().filter_map(Json::as_u64).map(|n| n as usize).collect(),
        _ => json.as_u64().map(|n| n as usize).into_iter().collect(),
    }
}

/// The element type that a case names, where this library has it.
pub fn dtype(json: &Json) -> Option<DType> {
    json.as_str()?.parse().ok()
}

/// The elements of an array object; integers exactly, f32 data rounded to f32.
pub fn scalars(json: &Json) -> Option<Vec<Scalar>> {
    let ty = json["dtype"].as_str()?;
    let element = |v: &Json| match ty {
        "f32" => Some(Scalar::Float(f64::from(number(v) as f32))),
        "f64" => Some(Scalar::Float(number(v))),
        "bool" => v.as_bool().map(Scalar::Bool),
        _ => v.as_i64().map(i128::from).or(v.as_u64().map(i128::from)).map(Scalar::Int),
    };
    json["data"].as_array()?.iter().map(element).collect()
}

/// An array object with its own element type, floats as `float` if that is given.
pub fn array(json: &Json, float: Option<DType>) -> Option<Array> {
    let own = dtype(&json["dtype"])?;
    let to = if own.is_float() { float.unwrap_or(own) } else { own };
    let data = scalars(json)?;
    let shape = &extents(&json["shape"])[..];
    Some(match to {
        DType::F32 => Array::from_slice(&floats(&data, |v| v as f32), shape),
        DType::F64 => Array::from_slice(&floats(&data, |v| v), shape),
        DType::I32 => Array::from_slice(&integers(&data, |v| v as i32), shape),
        DType::I64 => Array::from_slice(&integers(&data, |v| v as i64), shape),
        DType::U8 => Array::from_slice(&integers(&data, |v| v as u8), shape),
        DType::U32 => Array::from_slice(&integers(&data, |v| v as u32), shape),
        DType::U64 => Array::from_slice(&integers(&data, |v| v as u64), shape),
        DType::Bool => Array::from_slice(&integers(&data, |v| v != 0), shape),
    })
}

fn floats<T>(data: &[Scalar], to: impl Fn(f64) -> T) -> Vec<T> {
    data.iter().map(|s| to(s.as_f64())).collect()
}

fn integers<T>(data: &[Scalar], to: impl Fn(i128) -> T) -> Vec<T> {
    data.iter().map(|s| to(s.as_i128())).collect()
}
