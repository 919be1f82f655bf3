//! Distributions: densities with their slopes, functions of the distribution and their inverses,
//! moments and entropy. A family is found in a table by the name that the cases give it.

mod bijector;
mod broadcast;
mod continuous;
mod discrete;
mod family;
mod kl;
mod multivariate;
mod univariate;

use crate::conventions::Skipped;
use crate::report::Verdict;
use family::Family;
use probpipe::Device;
use serde_json::Value as Json;

/// The family of this name.
fn find(name: &str) -> Option<&'static Family> {
    let mut all = continuous::FAMILIES.iter().chain(discrete::FAMILIES).chain(discrete::WITH_ZEROS);
    all.find(|family| family.name == name)
}

/// What a case is of: its family, or the kind and what it relates.
pub fn name(case: &Json) -> String {
    let text = |field: &str| case[field].as_str().unwrap_or("?").to_string();
    match case["type"].as_str() {
        Some("kl") => format!("kl {} {}", text("p"), text("q")),
        Some("bijector") => format!("bijector {}", text("constraint")),
        _ => text("dist"),
    }
}

/// Runs one case.
pub fn run(case: &Json, device: Device, skipped: &mut Skipped) -> Verdict {
    let name = name(case);
    match (case["type"].as_str(), find(&name)) {
        (Some("univariate"), Some(family)) => univariate::run(family, case, device, skipped),
        (Some("broadcast"), Some(family)) => broadcast::run(family, case, device),
        (Some("multivariate"), _) => multivariate::run(&name, case, device),
        (Some("kl"), _) => kl::run(&name, case, device),
        (Some("bijector"), _) => bijector::run(&name, case, device),
        _ => Verdict::NoRule(name),
    }
}
