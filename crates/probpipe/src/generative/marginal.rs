//! Choices summed out: the density of the others, over all values of discrete choices that have
//! finitely many. What a chain saves in this, `chain` tells.

use super::GenerativeFunction;
use super::census::{Census, Found};
use super::choice_map::{ChoiceMap, suggestion};
use super::selection::Selection;
use super::source::Source;
use super::subtrace::{Subtrace, record_of};
use crate::record::{Part, Record};
use probpipe_trace::{
    Array, Error, ErrorKind, Loc, Result, arange, here, stack, trace_with, with_location, zeros,
};
use probpipe_transforms::vmap;

/// Most combinations that are tried.
const MOST: usize = 1 << 16;

/// See [`GenerativeFunction::marginal`].
#[derive(Clone, Debug)]
pub struct Marginal<G> {
    function: G,
    summed: Selection,
}

impl<G> Marginal<G> {
    pub(super) fn new(function: G, summed: Selection) -> Marginal<G> {
        Marginal { function, summed }
    }
}

impl<G: GenerativeFunction> GenerativeFunction for Marginal<G> {
    type Args = G::Args;
    type Value = ChoiceMap;

    #[track_caller]
    fn trace(&self, source: Source, args: G::Args) -> (Subtrace, ChoiceMap) {
        let location = here();
        let density = |source: &Source, choices: &Record| {
            let found = found(&self.function, source, choices, &args, &self.summed, location)?;
            summed(&self.function, source, choices, &args, &found, location)
        };
        let draw = |source: Source| {
            with_location(location, || self.function.trace(source, args.clone()).0)
        };
        without(source, &self.summed, location, &draw, &density)
    }

    fn settled(&self) -> bool {
        self.function.settled()
    }
}

/// One run of a function some of whose choices are summed out: the others come from the source
/// together or not at all, and have one density.
pub(super) fn without(
    mut source: Source,
    summed: &Selection,
    location: Loc,
    draw: &dyn Fn(Source) -> Subtrace,
    density: &dyn Fn(&Source, &Record) -> Result<Array>,
) -> (Subtrace, ChoiceMap) {
    source.context.summing = true;
    let source = source;
    let full = |address: &str| super::address::below(&source.context.path, address);
    let mut known = Record::default();
    if let Some(Subtrace::Joint { choices, .. }) = &source.before {
        let again = choices.paths().iter().filter(|a| source.again.contains(&full(a))).count();
        if again > 0 && again < choices.paths().len() {
            let message = format!("{} have one density together", choices.paths().join(", "));
            let error = Error::new(ErrorKind::Value, message)
                .at(source.context.location)
                .note("their density is summed", Some(location))
                .help("draw all of them again or none");
            return invalid(error, location);
        }
        if again == 0 {
            known = choices.clone();
        }
    }
    if let Some(Part::Record(given)) = &source.given {
        if let Some(hidden) = given.paths().iter().find(|a| summed.contains(a)) {
            let message = format!("`{}` is summed out: it has no value", full(hidden));
            let error = Error::new(ErrorKind::Value, message)
                .at(given[hidden.as_str()].location())
                .note("it is summed out", Some(location))
                .help("leave it out");
            return invalid(error, location);
        }
        for (path, array) in given.arrays() {
            known.insert(path, array.clone());
        }
    }
    let choices = match &source.key {
        Some(key) if known.is_empty() => {
            let all = record_of(draw(source.drawing(key.reuse())).choices());
            all.only(|a| !summed.contains(a))
        }
        _ => known,
    };
    match with_location(location, || density(&source, &choices)) {
        Ok(score) => {
            let choices = match source.context.free.is_no() {
                true => choices,
                // What stands for them, or what they stand for, a run of all choices knows.
                false => {
                    let all = record_of(draw(source.filling(choices)).choices());
                    all.only(|a| !summed.contains(a))
                }
            };
            let record = Subtrace::Joint { choices: choices.clone(), score };
            (record, choices.into())
        }
        Err(error) => invalid(error, location),
    }
}

fn invalid(error: Error, location: Loc) -> (Subtrace, ChoiceMap) {
    let nothing = Array::invalid(error, location);
    (Subtrace::Joint { choices: Record::default(), score: nothing }, ChoiceMap::default())
}

/// All choices of a run that is thrown away: what they can be, and what they were.
fn counted<G: GenerativeFunction>(
    function: &G,
    source: &Source,
    choices: &Record,
    args: &G::Args,
    location: Loc,
) -> Result<(Vec<Found>, Record)> {
    let census = Census::default();
    let (traced, record) = trace_with(location, &[], |_| {
        let run = source.counting(choices.clone(), census.clone());
        let (record, _) = with_location(location, || function.trace(run, args.clone()));
        (vec![record.score().clone()], record)
    });
    traced?;
    let mut found: Vec<Found> = census.list();
    for one in &mut found {
        let address = one.address.strip_prefix(&source.context.path).unwrap_or(&one.address);
        one.address = address.trim_start_matches('/').to_string();
    }
    Ok((found, record_of(record.choices())))
}

/// The smallest of the values that a choice can have, given the others, and how many these are.
#[track_caller]
pub(crate) fn finite_values<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    choices: &ChoiceMap,
    address: &str,
) -> Result<(i32, usize)> {
    let location = here();
    let source = Source::assess(choices.record().clone(), None);
    let (found, all) = counted(function, &source, choices.record(), args, location)?;
    let Some(one) = found.iter().find(|one| one.address == address) else {
        let message = format!("there is no choice `{address}`");
        let error = Error::new(ErrorKind::Value, message).at(location);
        return Err(error.help(suggestion(address, &all.paths())));
    };
    match (i32::try_from(one.low), one.count) {
        (Ok(low), Some(count)) if count <= MOST => Ok((low, count)),
        _ => {
            let message = format!("the values of `{address}` are not finitely many and known");
            Err(Error::new(ErrorKind::Value, message)
                .at(one.location)
                .note("they were to be enumerated", Some(location))
                .help("enumerate choices of a Bernoulli, Categorical or DiscreteUniform"))
        }
    }
}

/// The choices to sum out: what they can be, found in a run that is thrown away.
pub(super) fn found<G: GenerativeFunction>(
    function: &G,
    source: &Source,
    choices: &Record,
    args: &G::Args,
    summed: &Selection,
    location: Loc,
) -> Result<Vec<Found>> {
    let (mut found, all) = counted(function, source, choices, args, location)?;
    if let Some((address, listed)) = summed.unknown(&all.paths()) {
        let message = format!("the selection lists `{address}`, where there is nothing");
        let error = Error::new(ErrorKind::Value, message).at(listed);
        let error = error.note("it was to be summed out", Some(location));
        return Err(error.help(suggestion(address, &all.paths())));
    }
    found.retain(|one| summed.contains(&one.address));
    for one in &mut found {
        let ty = all[one.address.as_str()].ty()?;
        let fault = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Value, message)
                .at(one.location)
                .note("it was to be summed out", Some(location))
                .help(help))
        };
        if one.count.is_none() {
            let message =
                format!("`{}` cannot be summed out: its values are not finitely many", one.address);
            return fault(
                message,
                "sum out choices of a Bernoulli, Categorical or DiscreteUniform with known ends",
            );
        }
        if ty.shape != one.shape {
            let message =
                format!("`{}` is chosen in many runs, which are not summed together", one.address);
            return fault(
                message,
                "sum it out of what is repeated: `.marginal(..).repeat(n)`; of a chain, right behind \
                 its `scan` or `unfold`",
            );
        }
        one.dtype = ty.dtype;
    }
    Ok(found)
}

/// The density of `choices`, summed over all values of those that were found.
fn summed<G: GenerativeFunction>(
    function: &G,
    source: &Source,
    choices: &Record,
    args: &G::Args,
    found: &[Found],
    location: Loc,
) -> Result<Array> {
    let size = |one: &Found| one.shape.iter().product::<usize>() as u32;
    let mut counts = found.iter().map(|one| one.count.unwrap_or(1).checked_pow(size(one)));
    let total = counts.try_fold(1usize, |all, n| all.checked_mul(n?));
    let Some(total) = total.filter(|n| *n <= MOST) else {
        let names: Vec<&str> = found.iter().map(|one| one.address.as_str()).collect();
        let message = format!("{} have more than {MOST} values together", names.join(", "));
        return Err(Error::new(ErrorKind::Value, message)
            .at(location)
            .help("sum out fewer; of a chain, right behind its `scan` or `unfold`"));
    };
    let score = |number: Array| {
        let mut all = choices.clone();
        let mut rest = number;
        for one in found {
            let count = one.count.unwrap_or(1) as i32;
            let mut digits = Vec::new();
            for _ in 0..size(one) {
                digits.push(&rest % count + one.low as i32);
                rest /= count;
            }
            let value = match digits.is_empty() {
                true => zeros(one.shape.clone()),
                false => stack(&digits, 0).reshape(&one.shape),
            };
            all.insert(&one.address, value.cast(one.dtype));
        }
        let run = || function.trace(source.assessing(all), args.clone()).0.score().clone();
        with_location(location, run)
    };
    Ok(vmap(score)(arange(total)).logsumexp())
}
