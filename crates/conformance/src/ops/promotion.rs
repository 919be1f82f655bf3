//! The table of common element types of pairs, and of arrays and literals.

use crate::report::{Verdict, Worst};
use probpipe::{DType, Scalar, promote_literal, promote_types, with_default_float};
use probpipe_testing::reference::dtype;
use serde_json::Value as Json;

/// The two words of `"a+b"`.
fn words(key: &str) -> Option<(Json, &str)> {
    let (a, b) = key.split_once('+')?;
    Some((Json::from(a), b))
}

/// Compares the entries whose types are all types of this library.
pub(super) fn run(case: &Json) -> Verdict {
    let entries = |name: &str| case[name].as_object().into_iter().flatten();
    for (key, want) in entries("table") {
        let Some((a, b)) = words(key) else { return Verdict::NoRule("promote".to_string()) };
        let (Some(a), Some(b), Some(want)) = (dtype(&a), dtype(&Json::from(b)), dtype(want)) else {
            continue;
        };
        let have = promote_types(a, b);
        if have != want {
            return Verdict::Failed(format!("{key}: {have} instead of {want}"));
        }
    }
    for (key, want) in entries("weak_scalar") {
        let Some((a, b)) = words(key) else { return Verdict::NoRule("promote".to_string()) };
        let literal = match b {
            "pybool" => Scalar::Bool(true),
            "pyint" => Scalar::Int(1),
            "pyfloat" => Scalar::Float(1.0),
            _ => return Verdict::NoRule("promote".to_string()),
        };
        let (Some(a), Some(want)) = (dtype(&a), dtype(want)) else { continue };
        let wide = if case["attrs"]["x64"] == false { DType::F32 } else { DType::F64 };
        let have = with_default_float(wide, || promote_literal(a, literal));
        // A whole literal by itself is i32 here, whatever the default float type.
        let default = a == DType::Bool && have == DType::I32 && want == DType::I64;
        if have != want && !default {
            return Verdict::Failed(format!("{key}: {have} instead of {want}"));
        }
    }
    Verdict::Passed(Worst::default())
}
