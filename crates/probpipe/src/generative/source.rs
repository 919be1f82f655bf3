//! Where the choices of a run come from: what is given, what a trace holds, or a key. Every method
//! of the interface is one run from another source; this is the one place that tells them apart.

use super::address::below;
use super::selection::Selection;
use super::subtrace::Subtrace;
use crate::record::{Part, Record};
use probpipe_trace::{Array, Error, ErrorKind, Key, Loc, Tree, here, with_location};

/// Where the choices of a run come from. In this order: a value that is given; the value of a
/// trace, unless it is selected to be drawn again; a draw. Where there is none of them, that is an
/// error with the address.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Source {
    #[tree(static)]
    pub(super) context: Context,
    /// To draw choices with.
    pub(super) key: Option<Key>,
    /// For randomness that is no choice, where choices are not drawn.
    pub(super) noise: Option<Key>,
    /// Values by address, or of the one choice.
    pub(super) given: Option<Part>,
    /// What was recorded before.
    pub(super) before: Option<Subtrace>,
    /// What of it is drawn again.
    #[tree(static)]
    pub(super) again: Selection,
}

/// Who runs, for messages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Context {
    /// The method of the interface.
    pub(super) method: &'static str,
    /// The line that called it.
    pub(super) location: Loc,
    /// The address of what runs; empty for the whole.
    pub(super) path: String,
}

impl Source {
    #[track_caller]
    fn of(method: &'static str) -> Source {
        let context = Context { method, location: here(), path: String::new() };
        let again = Selection::none();
        Source { context, key: None, noise: None, given: None, before: None, again }
    }

    #[track_caller]
    pub(super) fn simulate(key: Key) -> Source {
        Source { key: Some(key), ..Source::of("simulate") }
    }

    #[track_caller]
    pub(super) fn assess(given: Record, noise: Option<Key>) -> Source {
        let method = if noise.is_some() { "unzip" } else { "assess" };
        Source { given: Some(Part::Record(given)), noise, ..Source::of(method) }
    }

    #[track_caller]
    pub(super) fn importance(key: Key, given: Record) -> Source {
        Source { key: Some(key), given: Some(Part::Record(given)), ..Source::of("importance") }
    }

    pub(super) fn update(before: Subtrace, given: Record, location: Loc) -> Source {
        let given = Some(Part::Record(given));
        let source = with_location(location, || Source::of("update"));
        Source { before: Some(before), given, ..source }
    }

    pub(super) fn regenerate(
        key: Key,
        before: Subtrace,
        again: Selection,
        location: Loc,
    ) -> Source {
        let source = with_location(location, || Source::of("regenerate"));
        Source { key: Some(key), before: Some(before), again, ..source }
    }

    /// The source of what is called at an address, the `index`th call.
    #[track_caller]
    pub(super) fn at(&self, address: &str, index: u32) -> Source {
        let key = |key: &Option<Key>| key.as_ref().map(|key| key.reuse().fold_in(index));
        let given = match &self.given {
            Some(Part::Record(record)) => record.part(address).cloned(),
            Some(Part::Array(_)) | None => None,
        };
        let path = below(&self.context.path, address);
        Source {
            context: Context { path, ..self.context.clone() },
            key: key(&self.key),
            noise: key(&self.noise),
            given,
            before: self.before.as_ref().and_then(|before| before.at(address)).cloned(),
            again: self.again.clone(),
        }
    }

    /// The sources of `n` runs, as one with an axis in front.
    #[track_caller]
    pub(super) fn split(self, n: usize) -> Source {
        let location = here();
        let fits = |path: &str, array: &Array| match array.ty() {
            Ok(ty) if ty.shape.first() != Some(&n) => {
                let at = below(&self.context.path, path);
                let message = format!("`{at}` is chosen {n} times, but was given as {ty}");
                let error = Error::new(ErrorKind::Shape, message)
                    .at(array.location())
                    .note("it is chosen", Some(location))
                    .help(format!("give an array with an axis of {n} in front"));
                Array::invalid(error, location)
            }
            _ => array.clone(),
        };
        let given = self.given.as_ref().map(|part| match part {
            Part::Array(array) => Part::Array(fits("", array)),
            Part::Record(record) => {
                let mut checked = Record::default();
                for (path, array) in record.arrays() {
                    checked.insert(&path, fits(&path, array));
                }
                Part::Record(checked)
            }
        });
        let before = match self.before {
            Some(Subtrace::Stack { mut runs, .. }) => runs.pop(),
            _ => None,
        };
        Source {
            given,
            before,
            key: self.key.map(|key| key.split_batch(n)),
            noise: self.noise.map(|key| key.split_batch(n)),
            ..self
        }
    }
}
