//! The runs that a target is made of: one that sees what there is, one from choices to real
//! numbers, and one back with a density.

use super::GenerativeFunction;
use super::choice_map::ChoiceMap;
use super::free::Free;
use super::selection::Selection;
use super::source::Source;
use super::subtrace::record_of;
use super::update::project;
use crate::record::Record;
use probpipe_trace::{Array, Error, Key};

/// All choices of a run that none but their addresses and shapes are asked of.
pub(crate) fn any_choices<G: GenerativeFunction>(function: &G, args: &G::Args) -> ChoiceMap {
    let mut source = Source::simulate(Key::new(0));
    source.context.free = Free::Middle;
    let (record, _) = function.trace(source, args.clone());
    ChoiceMap::from(record_of(record.choices()))
}

/// The choices that are not observed, as real numbers: those of one run.
pub(crate) fn real_choices<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    choices: &ChoiceMap,
    latent: &Selection,
) -> Result<Record, Error> {
    let mut source = Source::assess(choices.clone().into(), None);
    source.context.free = Free::Real(latent.clone());
    let (record, _) = function.trace(source, args.clone());
    if let Some(error) = record.score().error() {
        return Err(error.clone());
    }
    let numbers = ChoiceMap::from(record_of(record.choices())).filter(latent);
    Ok(numbers.record().clone())
}

/// The log-density of real numbers for the choices that are not observed, and these choices.
pub(crate) fn chosen<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    numbers: &Record,
    observed: &ChoiceMap,
    latent: &Selection,
) -> (Array, ChoiceMap) {
    let given = observed.union(&ChoiceMap::from(numbers.clone()));
    let mut source = Source::assess(given.into(), None);
    source.context.free = Free::Onto(latent.clone());
    let (record, _) = function.trace(source, args.clone());
    let choices = ChoiceMap::from(record_of(record.choices()));
    (record.score().clone(), choices.filter(latent))
}

/// The log-density of real numbers for the choices that are not observed, and that of what is
/// observed given these.
pub(crate) fn prior_and_likelihood<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    numbers: &Record,
    observed: &ChoiceMap,
    latent: &Selection,
) -> (Array, Array) {
    let given = observed.union(&ChoiceMap::from(numbers.clone()));
    let mut source = Source::assess(given.into(), None);
    source.context.free = Free::Onto(latent.clone());
    let (record, _) = function.trace(source, args.clone());
    (project(&record, latent), project(&record, &!latent))
}
