//! What a run records: the value and the log-density of every choice, by address. A tree, so that
//! it passes through loops and compiled programs. How choices come about is told in `source`.

use super::address::below;
use crate::record::{Part, Record};
use probpipe_trace::{Array, DType, Loc, Tree, here, with_location};

/// What one run of a generative function recorded. The log-density of every choice is kept, so
/// that a change recomputes those that it reaches and no others.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub enum Subtrace {
    /// One random choice.
    Choice {
        /// Its value.
        value: Array,
        /// Its log-density, a scalar.
        score: Array,
    },
    /// Choices that have a density only together.
    Joint {
        /// Their values.
        choices: Record,
        /// The log-density of all, a scalar.
        score: Array,
    },
    /// A factor of the density, which is no choice.
    Factor {
        /// Its logarithm, a scalar.
        score: Array,
    },
    /// What a function chose and called.
    Call {
        /// The addresses, in the order of the run.
        #[tree(static)]
        addresses: Vec<String>,
        /// What was recorded at each.
        parts: Vec<Subtrace>,
        /// The leaves of what the function gave.
        value: Vec<Array>,
        /// The sum of the log-densities, a scalar.
        score: Array,
    },
    /// Runs in lanes or one after another: arrays with an axis in front.
    Stack {
        /// One entry, whose arrays are those of all runs.
        runs: Vec<Subtrace>,
        /// The sum of the log-densities, a scalar.
        score: Array,
    },
    /// A run of one of several branches. Choices that the branch has not made are zeros and count
    /// nothing.
    Branches {
        /// The number of the branch, as `i32`.
        index: Array,
        /// The addresses that each branch has.
        #[tree(static)]
        owners: Vec<Vec<String>>,
        /// One entry, with the choices of every branch.
        runs: Vec<Subtrace>,
        /// The sum of the log-densities, a scalar.
        score: Array,
    },
}

/// Choices with one log-density: at one address, or several together.
pub(super) struct Scored<'a> {
    pub(super) addresses: Vec<String>,
    pub(super) score: &'a Array,
    /// Whether it is a factor, which has an address and no choice there.
    pub(super) factor: bool,
    /// Whether they were made, where a branch decides that.
    pub(super) made: Option<Array>,
}

impl Subtrace {
    /// The log-density of all choices, a scalar.
    pub fn score(&self) -> &Array {
        match self {
            Subtrace::Choice { score, .. }
            | Subtrace::Joint { score, .. }
            | Subtrace::Factor { score }
            | Subtrace::Call { score, .. }
            | Subtrace::Stack { score, .. }
            | Subtrace::Branches { score, .. } => score,
        }
    }

    /// The values; nothing where there is no choice.
    pub(super) fn choices(&self) -> Option<Part> {
        match self {
            Subtrace::Choice { value, .. } => Some(Part::Array(value.clone())),
            Subtrace::Joint { choices, .. } => Some(Part::Record(choices.clone())),
            Subtrace::Factor { .. } => None,
            Subtrace::Call { addresses, parts, .. } => {
                let mut record = Record::default();
                for (address, part) in addresses.iter().zip(parts) {
                    if let Some(part) = part.choices() {
                        record.insert(address, part);
                    }
                }
                (!record.is_empty()).then_some(Part::Record(record))
            }
            Subtrace::Stack { runs, .. } | Subtrace::Branches { runs, .. } => {
                runs.first().and_then(Subtrace::choices)
            }
        }
    }

    /// What was recorded at an address of a call.
    pub(super) fn at(&self, address: &str) -> Option<&Subtrace> {
        match self {
            Subtrace::Call { addresses, parts, .. } => {
                addresses.iter().position(|a| a == address).map(|i| &parts[i])
            }
            _ => None,
        }
    }

    /// Every log-density with the addresses that it is of, in order.
    pub(super) fn scored(&self) -> Vec<Scored<'_>> {
        let mut all = Vec::new();
        self.collect("", &mut all);
        all
    }

    fn collect<'a>(&'a self, path: &str, into: &mut Vec<Scored<'a>>) {
        match self {
            Subtrace::Choice { score, .. } => {
                let addresses = vec![own(path)];
                into.push(Scored { addresses, score, factor: false, made: None });
            }
            Subtrace::Factor { score } => {
                let addresses = vec![own(path)];
                into.push(Scored { addresses, score, factor: true, made: None });
            }
            Subtrace::Joint { choices, score } => {
                let addresses = choices.paths();
                let addresses = addresses.iter().map(|address| below(path, address)).collect();
                into.push(Scored { addresses, score, factor: false, made: None });
            }
            Subtrace::Call { addresses, parts, .. } => {
                for (address, part) in addresses.iter().zip(parts) {
                    part.collect(&below(path, address), into);
                }
            }
            Subtrace::Stack { runs, .. } => {
                runs.iter().for_each(|run| run.collect(path, into));
            }
            Subtrace::Branches { index, owners, runs, .. } => {
                let start = into.len();
                runs.iter().for_each(|run| run.collect(path, into));
                for scored in &mut into[start..] {
                    let address = scored.addresses.first().map_or("", String::as_str);
                    let made = made(index, owners, |own| at(path, own) == address);
                    scored.made = both(made, scored.made.take());
                }
            }
        }
    }

    /// The record of runs whose arrays have an axis in front.
    #[track_caller]
    pub(super) fn stacked(runs: Subtrace) -> Subtrace {
        let score = runs.score().sum();
        Subtrace::Stack { runs: vec![runs], score }
    }
}

/// The address of what a branch owns.
pub(super) fn at(path: &str, own: &str) -> String {
    match (path.is_empty(), own.is_empty()) {
        (true, true) => ALONE.to_string(),
        (_, true) => path.to_string(),
        (_, false) => below(path, own),
    }
}

/// Whether the branch with a number owns an address; nothing where all of them do.
pub(super) fn made(
    index: &Array,
    owners: &[Vec<String>],
    is: impl Fn(&str) -> bool,
) -> Option<Array> {
    let owns: Vec<bool> = owners.iter().map(|list| list.iter().any(|own| is(own))).collect();
    if owns.iter().all(|owns| *owns) {
        return None;
    }
    let flags = (0..owners.len()).filter(|k| owns[*k]).map(|k| index.eq(k as i32));
    Some(flags.reduce(|a, b| a | b).unwrap_or_else(|| index.lt(0)))
}

/// Both of two flags, of which one that is absent is true.
pub(super) fn both(a: Option<Array>, b: Option<Array>) -> Option<Array> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a & b),
        (a, b) => a.or(b),
    }
}

/// The address of a choice that is all there is.
pub(super) const ALONE: &str = "value";

fn own(path: &str) -> String {
    if path.is_empty() { ALONE.to_string() } else { path.to_string() }
}

/// The values as a record; a choice that is all there is has the address `value`.
pub(super) fn record_of(part: Option<Part>) -> Record {
    match part {
        None => Record::default(),
        Some(Part::Record(record)) => record,
        Some(Part::Array(array)) => Record::default().with(ALONE, array),
    }
}

/// The sum of log-densities of any shapes, a scalar: in `f64` where they are of both float types.
#[track_caller]
pub(super) fn total<'a>(terms: impl IntoIterator<Item = &'a Array>) -> Array {
    let location: Loc = here();
    let terms: Vec<&Array> = terms.into_iter().collect();
    let wide = terms.iter().any(|a| !a.is_weak() && a.dtype() == DType::F64);
    with_location(location, || {
        let number = |a: &Array| {
            // Extents of what is invalid are not asked for.
            if a.error().is_some() {
                return a.clone();
            }
            let a = if a.rank() == 0 { a.clone() } else { a.sum() };
            if wide { a.cast(DType::F64) } else { a }
        };
        let sum = terms.iter().map(|a| number(a)).reduce(|a, b| a + b);
        sum.unwrap_or_else(|| Array::from(0.0)).decided()
    })
}
