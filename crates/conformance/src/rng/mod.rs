//! Random numbers: bits exactly, samplers within the rounding that the case allows.

mod samplers;

use crate::compare::{Miss, Tolerance, within};
use crate::report::{Verdict, Worst};
use probpipe::graph::{Op, bind};
use probpipe::{
    Array, DType, Device, Key, RandomLayout, Scalar, concat, jit_on, normal, uniform_range, vmap,
    with_default_float,
};
use probpipe_testing::reference::{extents, number, numbers, scalars};
use probpipe_testing::ulp;
use serde_json::Value as Json;

/// What one case draws, as a compiled function of the words of its key.
fn draw(device: Device, case: &Json) -> Option<Array> {
    let args = case["args"].clone();
    let layout = match case["partitionable"].as_bool() {
        Some(true) => RandomLayout::Partitionable,
        _ => RandomLayout::Original,
    };
    let dtype = if args["dtype"] == "f64" { DType::F64 } else { DType::F32 };
    let shape = extents(&args["shape"]);
    let count = extents(&args["num"]);
    let name = case["fn"].as_str()?;
    if name == "PRNGKey" {
        let seed = args["seed"].as_i64().map(|s| s as u64).or(args["seed"].as_u64())?;
        // Without 64-bit types the reference truncates the seed.
        let seed = if case["x64"] == true { seed } else { u64::from(seed as u32) };
        return Some(Key::new(seed).data().clone());
    }
    let words: Vec<u32> = match scalars(&case["key"]) {
        Some(words) => words.iter().map(|w| w.as_i128() as u32).collect(),
        None => numbers(&case["key"]).iter().map(|&w| w as u32).collect(),
    };
    if let Some(sampler) = samplers::rule(case) {
        // The reference with 64-bit types has 64-bit floats by default.
        let float = if case["x64"] == true { DType::F64 } else { DType::F32 };
        let drawn = move |data: Array| sampler(Key::from_data(data).with_layout(layout));
        return Some(with_default_float(float, || {
            jit_on(device, drawn)(Array::from_slice(&words, [2]))
        }));
    }
    let single: Box<dyn Fn(Key) -> Array> = match name {
        "threefry2x32" => {
            let counters = extents(&args["count"]);
            Box::new(move |key| {
                let word = |w: usize| Array::from_slice(&[w as u32], [1]);
                let words = key.data();
                let parts = [words.slice_axis(0, 0..1), words.slice_axis(0, 1..2)];
                let (c0, c1) = (word(counters[0]), word(counters[1]));
                concat(&bind(Op::Threefry2x32, &[&parts[0], &parts[1], &c0, &c1]), 0)
            })
        }
        "split" | "vmap_split" => {
            let n = count.iter().product();
            let mut whole = count.clone();
            whole.push(2);
            Box::new(move |key| key.split_batch(n).data().reshape(&whole[..]))
        }
        "fold_in" => {
            let data = args["data"].as_i64()? as u32;
            Box::new(move |key| key.fold_in(data).data().clone())
        }
        "bits" | "vmap_bits" => {
            let width = args["width"].as_u64()? as u32;
            Box::new(move |key| key.bits(width, shape.clone()))
        }
        "uniform" => {
            let (low, high) = (number(&args["minval"]), number(&args["maxval"]));
            Box::new(move |key| uniform_range(key, shape.clone(), low, high))
        }
        "normal" | "vmap_normal" => Box::new(move |key| normal(key, shape.clone())),
        "fold_in_normal" => {
            let folds = extents(&args["folds"]);
            Box::new(move |key| {
                let draw = |&f: &usize| normal(key.reuse().fold_in(f as u32), shape.clone());
                probpipe::stack(&folds.iter().map(draw).collect::<Vec<_>>(), 0)
            })
        }
        _ => return None,
    };
    let keyed = move |data: Array| single(Key::from_data(data).with_layout(layout));
    Some(with_default_float(dtype, || {
        if words.len() > 2 {
            let keys = Array::from_slice(&words, [words.len() / 2, 2]);
            jit_on(device, vmap(keyed))(keys)
        } else {
            jit_on(device, keyed)(Array::from_slice(&words, [2]))
        }
    }))
}

/// Runs one case.
pub fn run(case: &Json, device: Device) -> Verdict {
    let name = case["fn"].as_str().unwrap_or("?").to_string();
    let Some(out) = draw(device, case) else { return Verdict::NoRule(name) };
    match check(case, &out) {
        Ok(_) if !out.dtype().is_float() => Verdict::Passed(Worst::default()),
        Ok(worst) => Verdict::Passed(Worst::of(out.dtype() == DType::F32, worst)),
        Err(miss) => miss.into(),
    }
}

fn check(case: &Json, out: &Array) -> Result<f64, Miss> {
    let have = crate::compare::elements(out)?;
    if out.shape() != &extents(&case["out"]["shape"])[..] {
        return Err(format!("shape {:?}", out.shape()).into());
    }
    if case["out"].get("data").is_some() {
        return compare(case, &have, &case["out"]);
    }
    let ends = have.len().min(24);
    let worst = compare(case, &have[..ends], &case["head"])?.max(compare(
        case,
        &have[have.len() - ends..],
        &case["tail"],
    )?);
    if let Some(sum) = case["sum_mod_2_64"].as_u64() {
        let total = have.iter().fold(0u64, |s, v| s.wrapping_add(v.as_i128() as u64));
        if total != sum {
            return Err(format!("sum {total}, not {sum}").into());
        }
    } else {
        let total: f64 = have.iter().map(|v| v.as_f64()).sum();
        let sum = number(&case["sum"]);
        if (total - sum).abs() > 1e-5 * have.len() as f64 {
            return Err(format!("sum {total}, not {sum}").into());
        }
    }
    Ok(worst)
}

/// Compares one part of an output.
fn compare(case: &Json, have: &[Scalar], want: &Json) -> Result<f64, Miss> {
    let wide = case["out"]["dtype"] == "f64";
    let dtype = if wide { DType::F64 } else { DType::F32 };
    let low = case["args"].get("minval").map_or(0.0, number);
    let want = scalars(want).ok_or("unreadable reference")?;
    if want.len() != have.len() {
        return Err(format!("{} elements, not {}", have.len(), want.len()).into());
    }
    let mut worst = 0.0f64;
    for (i, (have, want)) in have.iter().zip(&want).enumerate() {
        let (a, b) = (have.as_f64(), want.as_f64());
        let good = match case["match"].as_str() {
            // Integers whatever their width: this library has fewer types.
            Some("bits" | "int") => have == want,
            // One ulp of the larger of the result and the lower bound: the reference contracts
            // the scaling to a fused multiply-add.
            Some("ulp1") => (a - b).abs() <= ulp(b.abs().max(low.abs()), dtype),
            Some("tol" | "tol_reject") => tolerance(case, wide, b).accepts(a, b, 1.0),
            _ => return Err("unknown comparison".into()),
        };
        if !good {
            return Err(format!("[{i}]: {have} instead of {want}").into());
        }
        worst = worst.max((a - b).abs() / (ulp(1.0, dtype) * b.abs().max(1.0)));
    }
    Ok(worst)
}

/// How near a float must be to `want`: what the reference itself is off by, and for a sampler
/// that rejects by no more, as none of its decisions may differ.
fn tolerance(case: &Json, wide: bool, want: f64) -> Tolerance {
    let of = |wide_bounds, narrow: (f64, f64)| {
        let (relative, absolute) = if wide { wide_bounds } else { narrow };
        within(relative, absolute)
    };
    match case["fn"].as_str() {
        Some("normal" | "vmap_normal" | "fold_in_normal") => of((1e-12, 0.0), (1e-5, 1e-6)),
        Some("exponential" | "laplace") => of((1e-12, 0.0), (1e-6, 0.0)),
        Some("gumbel" | "logistic") => of((1e-12, 1e-12), (1e-6, 1e-6)),
        // The tangent is steep near its poles.
        Some("cauchy") => {
            let square = 1.0 + want * want;
            of((0.0, 1e-13 * square), (0.0, 1e-6 * square))
        }
        // The reference subtracts numbers of the size of the mean of the two roots, whose product
        // is the square of the mean, to get the smaller.
        Some("wald") => {
            let square = number(&case["args"]["mean"]).powi(2);
            let roots = (want, square / want);
            let lost = (roots.0 + roots.1) / roots.0.min(roots.1) * want;
            of((1e-10, 1e-12 + 4.0 * f64::EPSILON * lost), (2e-5, 2e-6 + 2.5e-7 * lost))
        }
        Some("gamma_grad") => of((1e-8, 0.0), (1e-4, 0.0)),
        _ => of((1e-10, 1e-12), (2e-5, 2e-6)),
    }
}
