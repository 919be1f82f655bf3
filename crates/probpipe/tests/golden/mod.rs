//! Reads reference values: the file format is that of the data files' first lines. Numbers are
//! compared at stated tolerances, never at ones chosen to pass.
#![allow(dead_code)]

use probpipe::graph::Value;
use probpipe::{Array, DType, Device, Scalar};
use serde_json::Value as Json;

/// The cases of a file in `tests/data`.
pub fn cases(file: &str) -> Vec<Json> {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let json: Json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    json["cases"].as_array().expect("cases").clone()
}

/// A number of the files; `"nan"`, `"inf"` and `"-inf"` are strings.
pub fn number(json: &Json) -> f64 {
    match json {
        Json::String(s) => s.parse().expect("a number"),
        Json::Bool(b) => f64::from(u8::from(*b)),
        _ => json.as_f64().expect("a number"),
    }
}

/// A list of numbers, bare or as an array object; f32 data are shortest decimals, which only
/// rounding makes exact.
pub fn numbers(json: &Json) -> Vec<f64> {
    let list = json.get("data").unwrap_or(json);
    let narrow = json["dtype"] == "f32";
    list.as_array()
        .expect("a list")
        .iter()
        .map(|n| if narrow { f64::from(number(n) as f32) } else { number(n) })
        .collect()
}

/// A list of extents or indices.
pub fn extents(json: &Json) -> Vec<usize> {
    match json {
        Json::Array(list) => list.iter().map(|n| n.as_u64().expect("an extent") as usize).collect(),
        _ => vec![json.as_u64().expect("an extent") as usize],
    }
}

/// An array object as an f32 or u32 array.
pub fn array_of(json: &Json) -> Array {
    let shape = extents(&json["shape"]);
    match json["dtype"].as_str() {
        Some("u32") => {
            let data: Vec<u32> = numbers(json).iter().map(|&v| v as u32).collect();
            Array::from_slice(&data, shape)
        }
        Some("f64") => Array::from_slice(&numbers(json), shape),
        _ => {
            let data: Vec<f32> = numbers(json).iter().map(|&v| v as f32).collect();
            Array::from_slice(&data, shape)
        }
    }
}

/// The elements of an array as exact integers or as floats.
pub fn elements(array: &Array) -> Vec<Scalar> {
    array.value().and_then(|v| v.to_scalars()).unwrap_or_else(|e| panic!("{e}"))
}

pub fn floats(array: &Array) -> Vec<f64> {
    elements(array).iter().map(|s| s.as_f64()).collect()
}

/// The devices that tests run on. Without an adapter the GPU is skipped, and says so;
/// `PROBPIPE_REQUIRE_GPU=1` makes that a failure.
pub fn devices() -> Vec<Device> {
    let mut devices = vec![Device::Interpreter, Device::Cpu];
    if gpu() {
        devices.push(Device::Gpu);
    }
    devices
}

/// Whether the GPU can be tested.
pub fn gpu() -> bool {
    match Device::Gpu.check() {
        Ok(()) => true,
        Err(error) => {
            let required = std::env::var("PROBPIPE_REQUIRE_GPU").is_ok_and(|v| v == "1");
            assert!(!required, "PROBPIPE_REQUIRE_GPU=1, but: {error}");
            println!("SKIP: {error}");
            false
        }
    }
}

/// Whether the GPU computes with these types.
pub fn on_gpu(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::I32 | DType::U32 | DType::Bool)
}

/// `|a - b| <= atol + rtol |b|` elementwise, NaN matching NaN.
#[track_caller]
pub fn assert_close(what: &str, have: &[f64], want: &[f64], rtol: f64, atol: f64) {
    assert_eq!(have.len(), want.len(), "{what}: number of elements");
    for (i, (&a, &b)) in have.iter().zip(want).enumerate() {
        let close = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= atol + rtol * b.abs();
        assert!(close, "{what}[{i}]: {a} instead of {b} (rtol {rtol}, atol {atol})");
    }
}

/// The value as a leaf.
pub fn leaf(value: Value) -> Array {
    Array::from_value(value)
}
