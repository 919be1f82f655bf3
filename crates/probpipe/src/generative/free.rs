//! Runs over real numbers: every choice of a selection goes through the bijector onto the support of
//! its distribution, as that is when the run comes by it, and the volume counts in its score. So a
//! support may depend on choices before it, and choices may lie in lanes, loops and branches.

use super::GenerativeFunction;
use super::choice_map::ChoiceMap;
use super::selection::Selection;
use super::source::Source;
use crate::bijectors::{Bijector, biject_to};
use crate::constraints::Constraint;
use crate::record::Record;
use probpipe_trace::{Array, Error, Key, Loc, with_location};

/// What stands for the choices of a selection.
#[derive(Clone, Debug, Default)]
pub(super) enum Free {
    /// Their values.
    #[default]
    No,
    /// Real numbers are given for them, and their values are recorded.
    Onto(Selection),
    /// Their values are given, and the real numbers are recorded.
    Real(Selection),
}

impl PartialEq for Free {
    /// Runs that differ in this are never compared.
    fn eq(&self, other: &Free) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Free {
    pub(super) fn is_no(&self) -> bool {
        matches!(self, Free::No)
    }
}

/// The bijector onto the support of a choice.
pub(super) fn onto(
    path: &str,
    set: &Constraint,
    location: Loc,
) -> Result<Box<dyn Bijector>, Error> {
    with_location(location, || biject_to(set)).map_err(|error| {
        let message = format!("`{path}` is no function of real numbers: {}", error.message());
        Error::new(error.kind(), message)
            .at(location)
            .help("observe it, or sum it out with `.marginal(&addresses([..]))`")
    })
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
    let numbers = ChoiceMap::from(super::subtrace::record_of(record.choices())).filter(latent);
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
    let choices = ChoiceMap::from(super::subtrace::record_of(record.choices()));
    (record.score().clone(), choices.filter(latent))
}

impl Source {
    /// Of the same place, with some choices given, and the others drawn by any key.
    pub(super) fn filling(&self, choices: Record) -> Source {
        let given = Some(crate::record::Part::Record(choices));
        Source { given, ..self.drawing(Key::new(0)) }
    }
}
