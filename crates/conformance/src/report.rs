//! What became of the cases of one family on one device.

use crate::compare::Miss;
use probpipe::{DType, Device};
use std::collections::BTreeMap;
use std::fmt;

/// The largest errors of a case in its `f64` and its `f32` run, where there were such: in units of
/// the last place of `max(1, |value|)`, or of the value in families that measure so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worst {
    /// In the last place of `f64`.
    pub wide: Option<f64>,
    /// In the last place of `f32`.
    pub narrow: Option<f64>,
}

impl Worst {
    /// The error of a run in one of the types.
    pub fn of(narrow: bool, error: f64) -> Worst {
        let (wide, narrow) = if narrow { (None, Some(error)) } else { (Some(error), None) };
        Worst { wide, narrow }
    }

    /// The larger errors of two.
    pub fn and(self, other: Worst) -> Worst {
        let larger = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        Worst { wide: larger(self.wide, other.wide), narrow: larger(self.narrow, other.narrow) }
    }

    /// The larger of both.
    pub fn most(self) -> f64 {
        self.wide.unwrap_or(0.0).max(self.narrow.unwrap_or(0.0))
    }
}

/// The outcome of one case.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Within tolerance.
    Passed(Worst),
    /// Out of tolerance, and where.
    Failed(String),
    /// The runner does not know how to compute it; the name to list it under.
    NoRule(String),
    /// Of an element type that is not one of this library's.
    ForeignType(String),
    /// The device has no code for it; what the device lacks.
    NotLowered(String),
    /// Optional by its own statement, and not part of this library.
    Optional(String),
}

/// Whether a device computes in `f64`, which adapters may lack.
pub fn has_double(device: Device) -> bool {
    device != Device::Gpu || device.backend().caps().dtypes.contains(&DType::F64)
}

/// Runs a case in both float types; of devices without `f64` in the one that they have.
pub fn in_both_types(device: Device, run: impl Fn(DType) -> Verdict) -> Verdict {
    let wide = match has_double(device) {
        false => Verdict::Passed(Worst::default()),
        true => run(DType::F64),
    };
    match wide {
        Verdict::Passed(worst) => match run(DType::F32) {
            Verdict::Passed(more) => Verdict::Passed(worst.and(more)),
            other => other,
        },
        other => other,
    }
}

impl From<Miss> for Verdict {
    fn from(miss: Miss) -> Verdict {
        match miss {
            Miss::Wrong(why) => Verdict::Failed(why),
            Miss::NotLowered(what) => Verdict::NotLowered(what),
        }
    }
}

/// Counts and failures.
#[derive(Clone, Debug)]
pub struct Report {
    /// The family of cases.
    pub family: String,
    /// Where they ran.
    pub device: Device,
    /// Cases that met their tolerances, and their worst errors, by operation.
    pub passed: BTreeMap<String, (usize, Worst)>,
    /// Those that did not, and where.
    pub failures: Vec<String>,
    /// Cases of [`crate::KNOWN`] differences that missed their tolerances, and where.
    pub known: Vec<String>,
    /// Operations without a rule, with their numbers of cases.
    pub without_rule: BTreeMap<String, usize>,
    /// Element types that are not this library's, with their numbers of cases.
    pub foreign: BTreeMap<String, usize>,
    /// What the device lacks, and the operations that need it, with their numbers of cases.
    pub not_lowered: BTreeMap<String, BTreeMap<String, usize>>,
    /// Optional operations that this library does not have, with their numbers of cases.
    pub optional: BTreeMap<String, usize>,
    /// Elements that were not compared, because the reference holds a convention that is not
    /// shared here, by the reason.
    pub conventions: BTreeMap<&'static str, usize>,
    /// The largest error of a passed case, and the case.
    pub worst: (f64, String),
}

impl Report {
    /// A report of nothing yet.
    pub fn new(family: &str, device: Device) -> Report {
        Report {
            family: family.to_string(),
            device,
            passed: BTreeMap::new(),
            failures: Vec::new(),
            known: Vec::new(),
            without_rule: BTreeMap::new(),
            foreign: BTreeMap::new(),
            not_lowered: BTreeMap::new(),
            optional: BTreeMap::new(),
            conventions: BTreeMap::new(),
            worst: (0.0, String::new()),
        }
    }

    /// Takes note of one case.
    pub fn add(&mut self, id: &str, name: &str, verdict: Verdict) {
        let here = (&self.family[..], name, self.device);
        let known = crate::KNOWN.iter().any(|k| (k.0, k.1, k.2) == here);
        match verdict {
            Verdict::Passed(error) => {
                let entry = self.passed.entry(name.to_string()).or_default();
                *entry = (entry.0 + 1, entry.1.and(error));
                if error.most() > self.worst.0 {
                    self.worst = (error.most(), id.to_string());
                }
            }
            Verdict::Failed(why) if known => self.known.push(format!("{id}: {why}")),
            Verdict::Failed(why) => self.failures.push(format!("{id}: {why}")),
            Verdict::NoRule(name) => *self.without_rule.entry(name).or_default() += 1,
            Verdict::ForeignType(name) => *self.foreign.entry(name).or_default() += 1,
            Verdict::NotLowered(what) => {
                let names = self.not_lowered.entry(what).or_default();
                *names.entry(name.to_string()).or_default() += 1;
            }
            Verdict::Optional(name) => *self.optional.entry(name).or_default() += 1,
        }
    }

    /// Number of cases that met their tolerances.
    pub fn num_passed(&self) -> usize {
        self.passed.values().map(|p| p.0).sum()
    }

    /// Number of cases that were run.
    pub fn ran(&self) -> usize {
        self.num_passed() + self.failures.len() + self.known.len()
    }
}

/// The counts of a map, and what they count.
fn listed<K: fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    let list: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    list.join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        writeln!(
            f,
            "{} on {:?}: {} run, {} passed, {} failed, {} known to differ, {} without a rule; \
             worst error {:.3} ulp ({})",
            self.family,
            self.device,
            self.ran(),
            self.num_passed(),
            self.failures.len(),
            self.known.len(),
            total(&self.without_rule),
            self.worst.0,
            self.worst.1,
        )?;
        for failure in &self.failures {
            writeln!(f, "  FAILED {failure}")?;
        }
        for known in &self.known {
            writeln!(f, "  known {known}")?;
        }
        for (what, counts) in [
            ("no rule", &self.without_rule),
            ("not a type of this library", &self.foreign),
            ("optional and left out", &self.optional),
        ] {
            if !counts.is_empty() {
                writeln!(f, "  {what}, {} cases: {}", total(counts), listed(counts))?;
            }
        }
        for (what, names) in &self.not_lowered {
            writeln!(
                f,
                "  not run, the device has no {what}, {} cases: {}",
                total(names),
                listed(names)
            )?;
        }
        for (reason, count) in &self.conventions {
            writeln!(f, "  {count} elements not compared: {reason}")?;
        }
        Ok(())
    }
}
