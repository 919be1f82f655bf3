//! What became of the cases of one family on one device.

use probpipe::Device;
use std::collections::BTreeMap;
use std::fmt;

/// The outcome of one case.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Within tolerance; the largest error in units of the last place of `max(1, |value|)`, or of
    /// the value in families that measure so.
    Passed(f64),
    /// Out of tolerance, and where.
    Failed(String),
    /// Nothing to run; the name to list it under.
    NoRule(String),
}

/// Counts and failures.
#[derive(Clone, Debug)]
pub struct Report {
    /// The family of cases.
    pub family: String,
    /// Where they ran.
    pub device: Device,
    /// How many met their tolerances.
    pub passed: usize,
    /// Those that did not, and where.
    pub failures: Vec<String>,
    /// Cases of [`crate::KNOWN`] differences that missed their tolerances, and where.
    pub known: Vec<String>,
    /// Operations without a rule, with their numbers of cases.
    pub without_rule: BTreeMap<String, usize>,
    /// The largest error of a passed case, and the case.
    pub worst: (f64, String),
}

impl Report {
    /// A report of nothing yet.
    pub fn new(family: &str, device: Device) -> Report {
        Report {
            family: family.to_string(),
            device,
            passed: 0,
            failures: Vec::new(),
            known: Vec::new(),
            without_rule: BTreeMap::new(),
            worst: (0.0, String::new()),
        }
    }

    /// Takes note of one case.
    pub fn add(&mut self, id: &str, name: &str, verdict: Verdict) {
        let known = crate::KNOWN.iter().any(|k| (k.0, k.1) == (&self.family[..], name));
        match verdict {
            Verdict::Passed(error) => {
                self.passed += 1;
                if error > self.worst.0 {
                    self.worst = (error, id.to_string());
                }
            }
            Verdict::Failed(why) if known => self.known.push(format!("{id}: {why}")),
            Verdict::Failed(why) => self.failures.push(format!("{id}: {why}")),
            Verdict::NoRule(name) => *self.without_rule.entry(name).or_default() += 1,
        }
    }

    /// Number of cases with a rule.
    pub fn ran(&self) -> usize {
        self.passed + self.failures.len() + self.known.len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: usize = self.without_rule.values().sum();
        writeln!(
            f,
            "{} on {:?}: {} run, {} passed, {} failed, {} known to differ, {missing} without a \
             rule; worst error {:.3} ulp ({})",
            self.family,
            self.device,
            self.ran(),
            self.passed,
            self.failures.len(),
            self.known.len(),
            self.worst.0,
            self.worst.1,
        )?;
        for failure in &self.failures {
            writeln!(f, "  FAILED {failure}")?;
        }
        for known in &self.known {
            writeln!(f, "  known {known}")?;
        }
        if missing > 0 {
            let list: Vec<String> =
                self.without_rule.iter().map(|(name, n)| format!("{name} {n}")).collect();
            writeln!(f, "  no rule: {}", list.join(", "))?;
        }
        Ok(())
    }
}
