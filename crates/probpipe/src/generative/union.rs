//! The records of several branches as one that has the choices of all. Only their forms are joined
//! here; which branch has made what is told elsewhere.

use super::address::below;
use super::subtrace::Subtrace;
use crate::record::Record;
use probpipe_trace::{Array, Tree};

/// A record with the choices of both, of the values of one or the other; or why there is none.
pub(super) fn union(a: &Subtrace, b: &Subtrace, path: &str) -> Result<Subtrace, String> {
    match (a, b) {
        (Subtrace::Choice { value, score }, Subtrace::Choice { value: other, score: same }) => {
            match alike(value, other) && alike(score, same) {
                true => Ok(a.clone()),
                false => {
                    let ty = |array: &Array| array.ty().map_or("invalid".into(), |t| t.to_string());
                    let (one, two) = (ty(value), ty(other));
                    Err(format!("one branch chooses `{path}` as {one}, another as {two}"))
                }
            }
        }
        (Subtrace::Joint { choices, .. }, Subtrace::Joint { choices: other, .. }) => {
            let (these, those) = (choices.leaves(), other.leaves());
            let same = choices.paths() == other.paths()
                && these.iter().zip(&those).all(|(a, b)| alike(a, b));
            if same { Ok(a.clone()) } else { Err(unlike(path)) }
        }
        (Subtrace::Factor { score }, Subtrace::Factor { score: other }) if alike(score, other) => {
            Ok(a.clone())
        }
        (
            Subtrace::Call { addresses, parts, value, score },
            Subtrace::Call { addresses: others, parts: other_parts, value: other_value, .. },
        ) => {
            let (mut addresses, mut parts) = (addresses.clone(), parts.clone());
            for (address, part) in others.iter().zip(other_parts) {
                match addresses.iter().position(|a| a == address) {
                    Some(i) => parts[i] = union(&parts[i], part, &below(path, address))?,
                    None => {
                        addresses.push(address.clone());
                        parts.push(part.clone());
                    }
                }
            }
            let same = value.len() == other_value.len()
                && value.iter().zip(other_value).all(|(a, b)| alike(a, b));
            let value = if same { value.clone() } else { Vec::new() };
            Ok(Subtrace::Call { addresses, parts, value, score: score.clone() })
        }
        (Subtrace::Stack { runs, score }, Subtrace::Stack { runs: others, .. }) => {
            Ok(Subtrace::Stack { runs: both(runs, others, path)?, score: score.clone() })
        }
        (
            Subtrace::Branches { index, owners, runs, score },
            Subtrace::Branches { owners: other, runs: others, .. },
        ) if owners == other => Ok(Subtrace::Branches {
            index: index.clone(),
            owners: owners.clone(),
            runs: both(runs, others, path)?,
            score: score.clone(),
        }),
        _ => Err(unlike(path)),
    }
}

fn both(a: &[Subtrace], b: &[Subtrace], path: &str) -> Result<Vec<Subtrace>, String> {
    a.iter().zip(b).map(|(a, b)| union(a, b, path)).collect()
}

fn unlike(path: &str) -> String {
    let at = if path.is_empty() { "alone".to_string() } else { format!("at `{path}`") };
    format!("branches do different things {at}")
}

fn alike(a: &Array, b: &Array) -> bool {
    a.ty().is_ok_and(|a| b.ty().is_ok_and(|b| a == b))
}

/// The union with what one branch has recorded in its place, and zeros elsewhere.
pub(super) fn placed(union: &Subtrace, part: &Subtrace) -> Subtrace {
    match (union, part) {
        (
            Subtrace::Call { addresses, parts, value, .. },
            Subtrace::Call { value: own, score, .. },
        ) => {
            let entry = |(address, blank): (&String, &Subtrace)| match part.at(address) {
                Some(part) => placed(blank, part),
                None => blank.clone(),
            };
            Subtrace::Call {
                addresses: addresses.clone(),
                parts: addresses.iter().zip(parts).map(entry).collect(),
                value: if value.is_empty() { Vec::new() } else { own.clone() },
                score: score.clone(),
            }
        }
        (Subtrace::Stack { runs: blank, .. }, Subtrace::Stack { runs, score }) => {
            Subtrace::Stack { runs: each(blank, runs), score: score.clone() }
        }
        (
            Subtrace::Branches { runs: blank, owners, .. },
            Subtrace::Branches { index, runs, score, .. },
        ) => Subtrace::Branches {
            index: index.clone(),
            owners: owners.clone(),
            runs: each(blank, runs),
            score: score.clone(),
        },
        (_, part) => part.clone(),
    }
}

fn each(blank: &[Subtrace], runs: &[Subtrace]) -> Vec<Subtrace> {
    blank.iter().zip(runs).map(|(blank, run)| placed(blank, run)).collect()
}

/// What a function without choices records.
pub(super) fn nothing() -> Subtrace {
    let score = Array::from(0.0).decided();
    Subtrace::Call { addresses: Vec::new(), parts: Vec::new(), value: Vec::new(), score }
}

/// The addresses that a record has, from itself on; empty for a choice that is all there is.
pub(super) fn owned(record: &Subtrace) -> Vec<String> {
    fn collect(record: &Subtrace, path: &str, into: &mut Vec<String>) {
        match record {
            Subtrace::Choice { .. } | Subtrace::Factor { .. } => into.push(path.to_string()),
            Subtrace::Joint { choices, .. } => {
                let paths: Vec<String> = Record::paths(choices);
                into.extend(paths.iter().map(|address| below(path, address)));
            }
            Subtrace::Call { addresses, parts, .. } => {
                for (address, part) in addresses.iter().zip(parts) {
                    collect(part, &below(path, address), into);
                }
            }
            Subtrace::Stack { runs, .. } | Subtrace::Branches { runs, .. } => {
                runs.iter().for_each(|run| collect(run, path, into));
            }
        }
    }
    let mut all = Vec::new();
    collect(record, "", &mut all);
    all
}
