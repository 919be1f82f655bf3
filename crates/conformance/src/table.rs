//! The largest errors by operation, as a Markdown page that does not change while they do not.

use crate::report::{Report, Worst};
use probpipe::Device;
use std::collections::BTreeSet;
use std::fmt::Write;

const HEAD: &str = "\
# Accuracy

Made by `cargo run --release -p probpipe-conformance -- --table > docs/ulp.md`.

The largest distance from the reference over all cases of an operation, in units of the last place
of `max(1, |value|)` (of the value itself, for most of the special functions: see `special.rs`). The
reference of `special` and `edges` is mpmath, so their numbers are errors of this library: `special`
samples the ranges of the functions, `edges` the numbers next to their zeros and at the ends of the
ranges of arguments and results, subnormal numbers included, in units of the value itself. The
functions marked there as conditioned are not right in relative terms at some of their zeros: lgamma
and digamma at those of negative arguments, logaddexp and betaln where logarithms cancel. For these
the unit is that of the value or of what it changes by where the arguments move by their own size,
whichever is larger. Results below the normal range that a program takes for zero are not counted; 0
means that every result is rounded correctly. The reference of `ops` and `programs` is JAX in `f64`,
whose own errors are part of the numbers; `f32` results are measured against JAX's `f64` result for
the same operands. Whole numbers and truth values are equal everywhere and have no numbers here. The
reference of `distributions` is mpmath again, in units of the last place of `max(1, |value|)`, the
largest over densities, their slopes, distribution functions, quantiles, moments, modes and
entropies.
";

/// The page for these reports, one section for each family that has numbers.
pub fn table(reports: &[Report]) -> String {
    let mut page = HEAD.to_string();
    let mut families: Vec<&str> = reports.iter().map(|r| &r.family[..]).collect();
    families.dedup();
    for family in families {
        let of: Vec<&Report> = reports.iter().filter(|r| r.family == family).collect();
        section(&mut page, family, &of);
    }
    page
}

fn section(page: &mut String, family: &str, reports: &[&Report]) {
    let name = |device: Device| match device {
        Device::Cpu => "CPU",
        Device::Gpu => "GPU",
        Device::Auto => "auto",
        Device::Interpreter => "interpreter",
    };
    let mut head = "| operation | cases |".to_string();
    let mut rule = "|---|---:|".to_string();
    for report in reports {
        for ty in ["f64", "f32"] {
            let _ = write!(head, " {} {ty} |", name(report.device));
            rule.push_str("---:|");
        }
    }
    let mut rows = String::new();
    let ops: BTreeSet<&String> = reports.iter().flat_map(|r| r.passed.keys()).collect();
    for op in ops {
        let at = |r: &&Report| r.passed.get(op).copied().unwrap_or_default();
        let cells: Vec<(usize, Worst)> = reports.iter().map(at).collect();
        if cells.iter().all(|c| c.1 == Worst::default()) {
            continue;
        }
        let cases = cells.iter().map(|c| c.0).max().unwrap_or(0);
        let _ = write!(rows, "| {op} | {cases} |");
        for (_, worst) in cells {
            for error in [worst.wide, worst.narrow] {
                let _ = match error {
                    Some(error) => write!(rows, " {} |", rounded(error)),
                    None => write!(rows, " |"),
                };
            }
        }
        rows.push('\n');
    }
    if !rows.is_empty() {
        let _ = write!(page, "\n## {family}\n\n{head}\n{rule}\n{rows}");
    }
}

/// Two digits say enough.
fn rounded(error: f64) -> String {
    if error == 0.0 {
        "0".to_string()
    } else if error < 0.01 {
        "<0.01".to_string()
    } else if error < 10.0 {
        format!("{error:.2}")
    } else {
        format!("{error:.0}")
    }
}
