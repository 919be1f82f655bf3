//! Random numbers against JAX, bit for bit, in both layouts, on every device.

mod golden;

use golden::{cases, elements, extents, floats, number, numbers};
use probpipe::{
    Array, DType, Device, Key, RandomLayout, Scalar, jit_on, normal, uniform_range,
    with_default_float,
};
use probpipe_testing::{Tolerance, close, ulp};
use serde_json::Value as Json;

/// What one case draws, as a compiled function of the key's words.
fn draw(device: Device, case: &Json) -> Option<Array> {
    let args = &case["args"];
    let layout = match case["partitionable"].as_bool() {
        Some(true) => RandomLayout::Partitionable,
        _ => RandomLayout::Original,
    };
    let words = || -> Array {
        let words: Vec<u32> = numbers(&case["key"]).iter().map(|&w| w as u32).collect();
        Array::from_slice(&words, [2])
    };
    let keyed = |f: &dyn Fn(Key) -> Array| {
        jit_on(device, |data: Array| f(Key::from_data(data).with_layout(layout)))(words())
    };
    let dtype = if args["dtype"] == "f64" { DType::F64 } else { DType::F32 };
    let shape = || extents(&args["shape"]);
    Some(match case["fn"].as_str()? {
        "PRNGKey" => {
            let seed = args["seed"].as_i64().map(|s| s as u64).or(args["seed"].as_u64())?;
            // Without 64-bit types JAX truncates the seed.
            let seed = if case["x64"] == true { seed } else { u64::from(seed as u32) };
            Key::new(seed).data().clone()
        }
        "threefry2x32" => {
            let count = extents(&args["count"]);
            keyed(&move |key| {
                // One block of the function: the original layout hashes counters in halves, and
                // splitting by one in the partitionable layout hashes the counter (0, 0).
                let word = |w: usize| Array::from_slice(&[w as u32], [1]);
                let words = key.data();
                let outputs = probpipe::graph::bind(
                    probpipe::graph::Op::Threefry2x32,
                    &[
                        &words.slice_axis(0, 0..1),
                        &words.slice_axis(0, 1..2),
                        &word(count[0]),
                        &word(count[1]),
                    ],
                );
                probpipe::concat(&outputs, 0)
            })
        }
        "split" => {
            let shape = extents(&args["num"]);
            let n = shape.iter().product();
            keyed(&move |key| key.split_batch(n).data().clone())
        }
        "fold_in" => {
            let data = args["data"].as_i64().map(|d| d as u32)?;
            keyed(&move |key| key.fold_in(data).data().clone())
        }
        "bits" => {
            let width = args["width"].as_u64()? as u32;
            keyed(&move |key| key.bits(width, shape()))
        }
        "uniform" => {
            let (low, high) = (number(&args["minval"]), number(&args["maxval"]));
            with_default_float(dtype, || keyed(&move |key| uniform_range(key, shape(), low, high)))
        }
        "normal" => with_default_float(dtype, || keyed(&move |key| normal(key, shape()))),
        _ => return None,
    })
}

/// Compares one part of an output.
fn compare(case: &Json, have: &[Scalar], want: &Json) {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_string();
    let (id, kind, dtype) = (text(&case["id"]), text(&case["match"]), text(&case["out"]["dtype"]));
    let low = case["args"].get("minval").map_or(0.0, number);
    let list = want.get("data").unwrap_or(want).as_array().expect("a list");
    assert_eq!(have.len(), list.len(), "{id}: number of elements");
    // f32 data are shortest decimals, which only rounding makes exact.
    let exact = |json: &Json| {
        let v = number(json);
        if dtype == "f32" { f64::from(v as f32) } else { v }
    };
    for (i, (have, want)) in have.iter().zip(list).enumerate() {
        let good = match &kind[..] {
            "bits" => match have {
                Scalar::Int(v) => want.as_u64().is_some_and(|w| *v == i128::from(w)),
                _ => have.as_f64() == exact(want),
            },
            // Within one ulp of the larger of the result and the lower bound: JAX contracts the
            // scaling to a fused multiply-add.
            "ulp1" => {
                let (a, b) = (have.as_f64(), exact(want));
                let dtype = if dtype == "f64" { DType::F64 } else { DType::F32 };
                (a - b).abs() <= ulp(b.abs().max(low.abs()), dtype)
            }
            "tol" => {
                let (a, b) = (have.as_f64(), exact(want));
                let (rtol, atol) = if dtype == "f64" { (1e-12, 0.0) } else { (1e-5, 1e-6) };
                Tolerance::within(rtol, atol).accepts(a, b, 1.0)
            }
            other => panic!("{id}: unknown comparison {other}"),
        };
        assert!(good, "{id}[{i}]: {have} instead of {want} ({kind})");
    }
}

fn check(device: Device) -> (usize, usize) {
    let (mut passed, mut wide) = (0, 0);
    for case in cases("rng.json") {
        let id = case["id"].as_str().expect("an id");
        let narrow = case["args"]["dtype"] != "f64"
            && !matches!(case["args"]["width"].as_u64(), Some(8 | 64));
        let out = draw(device, &case).unwrap_or_else(|| panic!("{id}: no rule"));
        if device == Device::Gpu && !narrow && case["fn"] != "PRNGKey" {
            // Types that shaders do not have must be refused, not computed wrongly.
            if let Some(error) = out.error() {
                assert_eq!(error.kind(), probpipe::ErrorKind::Backend, "{id}: {error}");
                wide += 1;
                continue;
            }
        }
        let have = elements(&out);
        let shape = extents(&case["out"]["shape"]);
        assert_eq!(shape.iter().product::<usize>(), have.len(), "{id}");
        if case["out"].get("data").is_some() {
            compare(&case, &have, &case["out"]);
        } else {
            compare(&case, &have[..24], &case["head"]);
            compare(&case, &have[have.len() - 24..], &case["tail"]);
            if let Some(sum) = case["sum_mod_2_64"].as_u64() {
                let total = have.iter().fold(0u64, |s, v| s.wrapping_add(v.as_i128() as u64));
                assert_eq!(total, sum, "{id}: sum");
            } else {
                let total: f64 = floats(&out).iter().sum();
                let sum = number(&case["sum"]);
                close(id, total, sum, Tolerance::absolute(1e-5 * have.len() as f64));
            }
        }
        passed += 1;
    }
    println!("{device:?}: {passed} passed, {wide} of types that the device does not have");
    (passed, wide)
}

#[test]
fn interpreter_draws_what_jax_draws() {
    assert_eq!(check(Device::Interpreter), (358, 0));
}

#[test]
fn cpu_draws_what_jax_draws() {
    assert_eq!(check(Device::Cpu), (358, 0));
}

#[test]
fn gpu_draws_what_jax_draws() {
    if golden::gpu() {
        let (passed, wide) = check(Device::Gpu);
        assert_eq!(passed + wide, 358);
        assert!(passed >= 240, "{passed} cases of 32-bit types");
    }
}
