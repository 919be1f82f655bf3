//! Runs files of reference cases against the library. A case names an operation, its attributes,
//! its inputs and the results that a reference implementation gives; a rule says how this library
//! computes it. Rules go by operation and attributes, never by case, so another directory of the
//! same format runs without a change here. Operations without a rule are counted apart.

#![forbid(unsafe_code)]

mod compare;
mod golden;
mod ops;
mod programs;
mod report;
mod rng;
mod special;

pub use report::{Report, Verdict};

use probpipe::Device;
use std::path::{Path, PathBuf};

/// The families of cases, each a file `<family>.json`.
pub const FAMILIES: [&str; 4] = ["rng", "ops", "special", "programs"];

/// Operations that are known to differ in some case, by family, with the reason. They are run and
/// printed, and counted apart; a case that starts to pass is simply counted as passed.
pub const KNOWN: &[(&str, &str, &str)] = &[
    ("ops", "abs", "the slope at zero is 0 here, 1 in the reference"),
    ("ops", "acosh", "the slope below one, outside the domain, is NaN as the value is"),
    ("ops", "hypot", "the slope at the origin is a convention"),
    ("ops", "exp2", "the reference is off by 2e-6 in f32; ours is the true value"),
    ("ops", "log_ndtr", "the reference's far slopes are good to 2e-10; ours are the true values"),
    ("ops", "sinc", "the reference's slope loses all digits near zero"),
    ("ops", "cholesky", "a matrix that is not positive definite gives NaN above the diagonal too"),
    ("special", "tanh", "the slope is made of the result and loses digits where it is nearly 1"),
    ("special", "ndtr", "the rounding of x / sqrt(2) shows: 12 ulp where 9.6 are the goal"),
    ("special", "sinc", "the reference's slope loses digits near zero"),
    ("special", "log1mexp", "the reference is 0 where the true value is -1e-304"),
];

/// The directory that `PROBPIPE_GOLDEN` names, else the copies in this package.
pub fn directory() -> PathBuf {
    match std::env::var_os("PROBPIPE_GOLDEN") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"),
    }
}

/// Runs one family on a device. Fails when the file cannot be read.
pub fn run(family: &str, device: Device) -> Result<Report, String> {
    let path = directory().join(format!("{family}.json"));
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let cases = json["cases"].as_array().ok_or(format!("{}: no cases", path.display()))?;
    let mut report = Report::new(family, device);
    for case in cases {
        let verdict = match family {
            "rng" => rng::run(case, device),
            "ops" => ops::run(case, device),
            "special" => special::run(case, device),
            "programs" => programs::run(case, device),
            _ => return Err(format!("no family `{family}`")),
        };
        let id = case["id"].as_str().unwrap_or("?");
        let name = case["op"].as_str().or(case["fn"].as_str()).unwrap_or(id);
        report.add(id, name, verdict);
    }
    Ok(report)
}
