//! The reference files of this crate and the devices that they are run on. Numbers are compared at
//! stated tolerances, never at ones chosen to pass.
#![allow(dead_code)]

use probpipe::{Array, DType, Device, Scalar};
use probpipe_testing::reference;
#[allow(unused_imports)] // not every test file reads all
pub use probpipe_testing::reference::{extents, number, numbers};
use probpipe_testing::{Numbers, Tolerance, close};
use serde_json::Value as Json;

/// The cases of a file in `tests/data`.
#[track_caller]
pub fn cases(file: &str) -> Vec<Json> {
    reference::cases(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR")))
}

/// The cases of one type of the reference file of distributions.
#[track_caller]
pub fn distributions(kind: &str) -> Vec<Json> {
    let golden = "../conformance/golden/distributions.json";
    let mut all = reference::cases(format!("{}/{golden}", env!("CARGO_MANIFEST_DIR")));
    all.retain(|case| case["type"] == kind);
    assert!(!all.is_empty(), "{kind}");
    all
}

/// The elements of an array as exact integers or as floats.
pub fn elements(array: &Array) -> Vec<Scalar> {
    array.value().and_then(|v| v.to_scalars()).unwrap_or_else(|e| panic!("{e}"))
}

pub fn floats(array: &Array) -> Vec<f64> {
    array.numbers()
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
    dtype != DType::F64
}

/// `|a - b| <= atol + rtol |b|` elementwise.
#[track_caller]
pub fn assert_close(what: &str, have: &[f64], want: &[f64], rtol: f64, atol: f64) {
    close(what, have, want, Tolerance::within(rtol, atol));
}
