//! From one trace to another: updates, regeneration, and the weights that go with them. What of a
//! trace is computed anew is read off the program of the run, see the module above.

use super::address::within;
use super::choice_map::{ChoiceMap, suggestion};
use super::selection::Selection;
use super::source::{Source, lines};
use super::subtrace::{Scored, Subtrace, both, record_of, total};
use super::{GenerativeFunction, Trace};
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, Flat, Key, Tree, here, is_tracing, select, with_location, zeros_like,
};
use probpipe_transforms::recompute;

/// What [`GenerativeFunction::update`] and [`GenerativeFunction::regenerate`] give.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Update<A = (), R = Array> {
    /// The new trace.
    pub trace: Trace<A, R>,
    /// By how much the log-density is larger than that of the old trace; of a regeneration that of
    /// the choices that were not drawn again.
    pub weight: Array,
    /// The values of the old trace that are not in the new one: an update with them leads back. Of
    /// a branch that may have been left, its values.
    pub discarded: ChoiceMap,
}

#[track_caller]
pub(super) fn update<G: GenerativeFunction>(
    function: &G,
    trace: &Trace<G::Args, G::Value>,
    args: G::Args,
    choices: &ChoiceMap,
) -> Update<G::Args, G::Value> {
    let given = choices.record();
    let before = (trace.record.clone(), trace.value.clone());
    let old = trace.choices();
    let mut changed = differs(&args, &trace.args);
    changed.extend(trace.record.leaves().iter().map(|_| false));
    let same = |(path, array): &(String, &Array)| old.get(path).is_some_and(|o| o.is_same(array));
    changed.extend(given.arrays().iter().map(|given| !same(given)));
    let x = (args.clone(), trace.record.clone(), given.clone());
    let location = here();
    let lines = lines(given);
    let run = |(args, record, given): (G::Args, Subtrace, Record)| {
        let source = Source::update(record, given, lines.clone(), location);
        with_location(location, || function.trace(source, args))
    };
    if !function.settled() {
        changed.fill(true);
    }
    let (record, value) = rerun(run, x, &changed, before);
    let weight = difference(&record, &trace.record, None);
    let discarded = discarded(&trace.record, &record, |path| {
        given.paths().iter().any(|given| within(path, given))
    });
    let trace = Trace::new(args, value, record);
    Update { weight: spoiled(weight, &trace), discarded, trace }
}

#[track_caller]
pub(super) fn regenerate<G: GenerativeFunction>(
    function: &G,
    key: Key,
    trace: &Trace<G::Args, G::Value>,
    selection: &Selection,
) -> Update<G::Args, G::Value> {
    let location = here();
    let known = trace.choices().addresses();
    if let Some(error) = unknown(selection, &known) {
        let trace = trace.clone().map(|_| Array::invalid(error.clone(), location));
        let weight = Array::invalid(error, location);
        return Update { trace, weight, discarded: ChoiceMap::default() };
    }
    let before = (trace.record.clone(), trace.value.clone());
    let mut changed = vec![true];
    changed.resize(1 + trace.args.leaves().len() + trace.record.leaves().len(), false);
    if !function.settled() {
        changed.fill(true);
    }
    let run = |(key, args, record): (Key, G::Args, Subtrace)| {
        let source = Source::regenerate(key, record, selection.clone(), location);
        with_location(location, || function.trace(source, args))
    };
    let x = (key, trace.args.clone(), trace.record.clone());
    let (record, value) = rerun(run, x, &changed, before);
    let weight = difference(&record, &trace.record, Some(selection));
    let discarded = discarded(&trace.record, &record, |path| selection.contains(path));
    let trace = Trace::new(trace.args.clone(), value, record);
    Update { weight: spoiled(weight, &trace), discarded, trace }
}

/// A run that takes over what no change reaches. Outside of traces all is computed: what a function
/// captures may be another array than it was, and nothing of it is compiled.
#[track_caller]
fn rerun<A: Tree, R: Tree>(
    run: impl Fn(A) -> (Subtrace, R),
    x: A,
    changed: &[bool],
    before: (Subtrace, R),
) -> (Subtrace, R) {
    match is_tracing() {
        true => recompute(run, x, changed, before),
        false => run(x),
    }
}

#[track_caller]
pub(super) fn project(record: &Subtrace, selection: &Selection) -> Array {
    let location = here();
    let known = record_of(record.choices()).paths();
    if let Some(error) = unknown(selection, &known) {
        return Array::invalid(error, location);
    }
    let mut terms = Vec::new();
    for Scored { addresses, score, .. } in record.scored().into_iter().filter(|s| !s.factor) {
        match share(&addresses, |path| selection.contains(path)) {
            Share::All => terms.push(score),
            Share::None => {}
            Share::Some => {
                let message = format!("{} have one density together", addresses.join(", "));
                let error = Error::new(ErrorKind::Value, message)
                    .at(location)
                    .help("select all of them or none");
                return Array::invalid(error, location);
            }
        }
    }
    sum(&terms, record)
}

/// The log-density of what was given, and of what is always: factors.
#[track_caller]
pub(super) fn weight_of_given(record: &Subtrace, given: &Record) -> Array {
    if let Some(error) = record.score().error() {
        return Array::invalid(error.clone(), here());
    }
    let paths = given.paths();
    let all = record.scored();
    let terms = all.iter().filter(|scored| {
        let given = |path: &str| paths.iter().any(|given| given == path);
        // Parts of what has one density are refused where it is drawn.
        scored.factor || matches!(share(&scored.addresses, given), Share::All)
    });
    let terms: Vec<&Array> = terms.map(|scored| scored.score).collect();
    sum(&terms, record)
}

enum Share {
    All,
    Some,
    None,
}

fn share(addresses: &[String], is: impl Fn(&str) -> bool) -> Share {
    match addresses.iter().filter(|address| is(address)).count() {
        0 => Share::None,
        n if n == addresses.len() => Share::All,
        _ => Share::Some,
    }
}

/// The sum of some log-densities of a record; zero of its type where there are none.
#[track_caller]
fn sum(terms: &[&Array], record: &Subtrace) -> Array {
    match terms.is_empty() {
        true => zeros_like(record.score()),
        false => total(terms.iter().copied()),
    }
}

/// How the log-densities of two records differ: of all choices, or of those that were not drawn
/// again. Those that are the same array in both are left out, so that what is large and equal does
/// not cost the digits of what differs.
#[track_caller]
fn difference(new: &Subtrace, old: &Subtrace, again: Option<&Selection>) -> Array {
    let drawn = |scored: &Scored<'_>| again.is_some() && !scored.factor;
    let counts = |scored: &&Scored<'_>| match again {
        Some(again) if drawn(scored) => !scored.addresses.iter().any(|a| again.contains(a)),
        _ => true,
    };
    let (new_scores, old_scores) = (new.scored(), old.scored());
    let mut terms = Vec::new();
    for scored in new_scores.iter().filter(counts) {
        let before = old_scores.iter().find(|other| other.addresses == scored.addresses);
        match before {
            Some(before) if before.score.is_same(scored.score) => {}
            Some(before) => {
                let change = scored.score - before.score;
                // What only one of the runs has made is drawn in regenerations, either way.
                match both(scored.made.clone(), before.made.clone()).filter(|_| drawn(scored)) {
                    Some(made) => terms.push(select(made, change, 0.0)),
                    None => terms.push(change),
                }
            }
            // Choices that only one of the runs has are drawn in regenerations, either way.
            None if drawn(scored) => {}
            None => terms.push(scored.score.clone()),
        }
    }
    for gone in old_scores.iter().filter(|gone| !drawn(gone)) {
        if !new_scores.iter().any(|scored| scored.addresses == gone.addresses) {
            terms.push(-gone.score);
        }
    }
    sum(&terms.iter().collect::<Vec<_>>(), new)
}

/// The values of the old record that were replaced, or that the new one has not. Those of branches
/// that may have been left are among them: only a run can tell.
fn discarded(old: &Subtrace, new: &Subtrace, replaced: impl Fn(&str) -> bool) -> ChoiceMap {
    let kept = record_of(new.choices());
    let scored = old.scored();
    let conditional = |path: &String| {
        scored.iter().any(|scored| scored.made.is_some() && scored.addresses.contains(path))
    };
    let mut gone = Record::default();
    for (path, array) in record_of(old.choices()).arrays() {
        let left = |now: &Array| conditional(&path) && !now.is_same(array);
        if replaced(&path) || kept.get(&path).is_none_or(left) {
            gone.insert(&path, array.clone());
        }
    }
    gone.into()
}

/// Which leaves are not the very same arrays.
fn differs<A: Tree>(new: &A, old: &A) -> Vec<bool> {
    let (new, old) = (Flat::of(new), Flat::of(old));
    let alike = new.structure == old.structure;
    let pairs = new.leaves.iter().zip(old.leaves.iter().map(Some).chain(std::iter::repeat(None)));
    pairs.map(|(a, b)| !(alike && b.is_some_and(|b| a.is_same(b)))).collect()
}

/// The error of a selection that lists what there is not, or that matches nothing.
#[track_caller]
fn unknown(selection: &Selection, known: &[String]) -> Option<Error> {
    let location = here();
    if let Some((address, listed)) = selection.unknown(known) {
        let message = format!("the selection lists `{address}`, where there is nothing");
        let error = Error::new(ErrorKind::Value, message).at(listed);
        let error = error.note("it was applied", Some(location));
        return Some(error.help(suggestion(address, known)));
    }
    if known.iter().any(|address| selection.contains(address)) {
        return None;
    }
    let message = format!("the selection {selection} matches nothing");
    let error = Error::new(ErrorKind::Value, message);
    let error = error.at(selection.location().unwrap_or(location));
    let error = error.note("it was applied", Some(location));
    Some(error.help(format!("there is: {}", known.join(", "))))
}

/// A weight, invalid where the trace is.
fn spoiled<A: Tree, R: Tree>(weight: Array, trace: &Trace<A, R>) -> Array {
    match trace.score().error() {
        Some(error) => Array::invalid(error.clone(), weight.location()),
        None => weight,
    }
}
