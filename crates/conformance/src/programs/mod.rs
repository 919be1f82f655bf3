//! Whole programs: derivatives of derivatives, loops, maps and densities, written anew from the
//! source that each case carries and compared output by output. A program is found by its name.

mod arrays;
mod calculus;
mod control;
mod matrices;
mod models;
mod rules;
mod special;

use crate::compare::{Miss, array, within};
use crate::report::{Verdict, Worst, has_double};
use probpipe::{Array, DType, Device, jit_on, with_default_float};
use probpipe_testing::reference;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The arrays that a program starts from, by name.
type Inputs = BTreeMap<String, Array>;

/// A program.
type Program = fn(&Inputs) -> Vec<Array>;

/// An input; an invalid array where the case has none of this name.
fn get(inputs: &Inputs, name: &str) -> Array {
    match inputs.get(name) {
        Some(array) => array.clone(),
        None => {
            let error = probpipe::Error::new(probpipe::ErrorKind::Shape, format!("no `{name}`"));
            Array::invalid(error, std::panic::Location::caller())
        }
    }
}

fn inputs(case: &Json, float: DType) -> Option<Inputs> {
    let read = |(name, value): (&String, &Json)| {
        let array = match value {
            Json::Object(_) => reference::array(value, Some(float))?,
            number => Array::from_slice(&[reference::number(number)], [0usize; 0]).cast(float),
        };
        Some((name.clone(), array))
    };
    case["inputs"].as_object()?.iter().map(read).collect()
}

/// Runs one program in both float types.
pub fn run(case: &Json, device: Device) -> Verdict {
    let name = case["id"].as_str().unwrap_or("?");
    let found = arrays::find(name)
        .or_else(|| calculus::find(name))
        .or_else(|| control::find(name))
        .or_else(|| models::find(name))
        .or_else(|| rules::find(name))
        .or_else(|| matrices::find(name))
        .or_else(|| special::find(name));
    let Some(program) = found else {
        return Verdict::NoRule(name.to_string());
    };
    let narrow = 2e-5f64.max(20.0 * reference::number(&case["f32_vs_f64_max_err"]));
    let mut worst = Worst::default();
    for (float, field, limit) in [
        (DType::F64, "out_f64", within(1e-9, 1e-10)),
        (DType::F32, "out_f32", within(narrow, narrow)),
    ] {
        let Some(wanted) = case[field].as_array() else { continue };
        if float == DType::F64 && !has_double(device) {
            continue;
        }
        let Some(inputs) = inputs(case, float) else { return Verdict::NoRule(name.to_string()) };
        let outputs = with_default_float(float, || {
            jit_on(device, move |inputs: Inputs| program(&inputs))(inputs)
        });
        if outputs.len() != wanted.len() {
            let count = outputs.len();
            return Verdict::Failed(format!("{field}: {count} outputs, not {}", wanted.len()));
        }
        for (i, (have, want)) in outputs.iter().zip(wanted).enumerate() {
            let exact = Some(&case["out_f64"][i]).filter(|_| float == DType::F32);
            match array(&format!("{field}[{i}]"), have, want, exact, limit, &|_, _| false) {
                Ok(error) => worst = worst.and(Worst::of(float == DType::F32, error)),
                Err(Miss::Wrong(why)) => return Verdict::Failed(why),
                Err(Miss::NotLowered(what)) => {
                    return Verdict::NotLowered(what);
                }
            }
        }
    }
    Verdict::Passed(worst)
}
