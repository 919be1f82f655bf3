//! Runs files of reference cases against the library. A case names an operation, its attributes,
//! its inputs and the results that a reference implementation gives; a rule says how this library
//! computes it. Rules go by operation and attributes, never by case, so another directory of the
//! same format runs without a change here. Counted apart are cases without a rule, an attribute
//! that no rule reads among the reasons; of element types that are not this library's (`i8`, `i16`,
//! `u16`); and those that a device has no code for.

#![forbid(unsafe_code)]

mod adaptation;
mod attrs;
mod compare;
mod conventions;
mod diagnostics;
mod distributions;
mod edges;
mod ops;
mod optim;
mod programs;
mod report;
mod rng;
mod seeds;
mod special;
mod table;

pub use report::{Report, Verdict, Worst};
pub use table::table;

use probpipe::{Device, Subnormals, with_subnormals};
use std::path::{Path, PathBuf};

/// The families of cases, each a file `<family>.json`.
pub const FAMILIES: [&str; 9] = [
    "rng",
    "ops",
    "special",
    "edges",
    "programs",
    "seeds",
    "distributions",
    "optim",
    "diagnostics",
];

/// Operations that are known to differ in some case, by family and device, with the reason. They
/// are run and printed, and counted apart; a case that starts to pass is simply counted as passed.
pub const KNOWN: &[(&str, &str, Device, &str)] = &[];

/// The directory that `PROBPIPE_GOLDEN` names, else the copies in this package.
pub fn directory() -> PathBuf {
    match std::env::var_os("PROBPIPE_GOLDEN") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"),
    }
}

/// Runs one family on a device, subnormal numbers kept. Fails when the file cannot be read.
pub fn run(family: &str, device: Device) -> Result<Report, String> {
    with_subnormals(Subnormals::Keep, || run_cases(family, device))
}

fn run_cases(family: &str, device: Device) -> Result<Report, String> {
    let path = directory().join(format!("{family}.json"));
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let cases = json["cases"].as_array().ok_or(format!("{}: no cases", path.display()))?;
    let mut report = Report::new(family, device);
    for case in cases {
        let verdict = match family {
            "rng" => rng::run(case, device),
            "ops" => ops::run(case, device, &mut report.conventions),
            "special" => special::run(case, device, &mut report.conventions),
            "edges" => edges::run(case, device),
            "programs" => programs::run(case, device),
            "seeds" => seeds::run(case, device),
            "distributions" => distributions::run(case, device, &mut report.conventions),
            "optim" => optim::run(case, cases, device),
            "diagnostics" => diagnostics::run(case, device),
            _ => return Err(format!("no family `{family}`")),
        };
        let id = case["id"].as_str().unwrap_or("?");
        let name = case["op"].as_str().or(case["fn"].as_str()).unwrap_or(id);
        let titled = match family {
            "edges" => edges::title(name),
            "distributions" => distributions::name(case),
            _ => name.to_string(),
        };
        report.add(id, &titled, verdict);
    }
    Ok(report)
}
