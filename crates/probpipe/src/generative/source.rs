//! Where the choices of a run come from: what is given, what a trace holds, or a key. Every method
//! of the interface is one run from another source; this is the one place that tells them apart.

use super::address::{below, within};
use super::census::{Census, Densities, Strangers};
use super::free::Free;
use super::selection::Selection;
use super::subtrace::{ALONE, Subtrace, at, made};
use crate::record::{Part, Record};
use probpipe_trace::{Array, Error, ErrorKind, Key, Loc, Tree, here, with_location};
use std::sync::Arc;

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
    /// Choices of the record of which only a run can tell whether they were made.
    pub(super) held: Vec<Held>,
}

/// Whether a choice of a record was made.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Held {
    #[tree(static)]
    pub(super) address: String,
    pub(super) flag: Array,
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
    /// Where the values were made that were given to the whole.
    pub(super) lines: Lines,
    /// What real numbers stand for.
    pub(super) free: Free,
    /// Whether discrete choices are summed out around here: they stand for themselves.
    pub(super) summing: bool,
    /// To note in what choices can be.
    pub(super) census: Option<Census>,
    /// To note in what was given to none but another branch; without it that is an error.
    pub(super) strangers: Option<Strangers>,
    /// To note log-densities in before they are summed.
    pub(super) densities: Option<Densities>,
}

/// Where values were made, by address. Inside of lanes and loops they are other arrays.
pub(super) type Lines = Arc<Vec<(String, Loc)>>;

/// Where the arrays of a record were made.
pub(super) fn lines(given: &Record) -> Lines {
    let line = |(path, array): (String, &Array)| (path, array.location());
    Arc::new(given.arrays().into_iter().map(line).collect())
}

impl Context {
    /// The address of what runs, as it is told; a choice that is the whole has a name too.
    pub(super) fn shown(&self) -> &str {
        if self.path.is_empty() { ALONE } else { &self.path }
    }

    /// Where the value at an address was made.
    pub(super) fn line(&self, address: &str, array: &Array) -> Loc {
        let line = self.lines.iter().find(|(given, _)| given == address);
        line.map_or(array.location(), |(_, line)| *line)
    }
}

impl Source {
    #[track_caller]
    fn of(method: &'static str) -> Source {
        let context = Context {
            method,
            location: here(),
            path: String::new(),
            lines: Lines::default(),
            free: Free::No,
            summing: false,
            census: None,
            strangers: None,
            densities: None,
        };
        let again = Selection::none();
        let held = Vec::new();
        Source { context, key: None, noise: None, given: None, before: None, again, held }
    }

    #[track_caller]
    pub(super) fn simulate(key: Key) -> Source {
        Source { key: Some(key), ..Source::of("simulate") }
    }

    #[track_caller]
    pub(super) fn assess(given: Record, noise: Option<Key>) -> Source {
        let method = if noise.is_some() { "unzip" } else { "assess" };
        Source { noise, ..Source::of(method).given(given) }
    }

    #[track_caller]
    pub(super) fn importance(key: Key, given: Record) -> Source {
        Source { key: Some(key), ..Source::of("importance").given(given) }
    }

    pub(super) fn update(before: Subtrace, given: Record, lines: Lines, location: Loc) -> Source {
        let mut source = with_location(location, || Source::of("update").given(given));
        source.context.lines = lines;
        Source { before: Some(before), ..source }
    }

    fn given(mut self, given: Record) -> Source {
        self.context.lines = lines(&given);
        Source { given: Some(Part::Record(given)), ..self }
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

    /// A source of the same place with nothing in it.
    fn anew(&self) -> Source {
        Source {
            context: self.context.clone(),
            key: None,
            noise: None,
            given: None,
            before: None,
            again: Selection::none(),
            held: Vec::new(),
        }
    }

    /// Of the same place, to draw all choices.
    pub(super) fn drawing(&self, key: Key) -> Source {
        Source { key: Some(key), ..self.anew() }
    }

    /// Of the same place, with all choices given.
    pub(super) fn assessing(&self, choices: Record) -> Source {
        let noise = self.noise.as_ref().map(Key::reuse);
        Source { given: Some(Part::Record(choices)), noise, ..self.anew() }
    }

    /// Of the same place, for a run that is thrown away, to see what there is.
    #[track_caller]
    pub(super) fn counting(&self, choices: Record, census: Census) -> Source {
        let context = Context { census: Some(census), ..self.context.clone() };
        let given = Some(Part::Record(choices));
        Source { context, key: Some(Key::new(0)), given, ..self.anew() }
    }

    /// Of the same place, with some choices given, and the others drawn by any key.
    pub(super) fn filling(&self, choices: Record) -> Source {
        Source { given: Some(Part::Record(choices)), ..self.drawing(Key::new(0)) }
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
        let held = self.held.iter().filter(|held| within(&held.address, &path));
        Source {
            held: held.cloned().collect(),
            context: Context { path, ..self.context.clone() },
            key: key(&self.key),
            noise: key(&self.noise),
            given,
            before: self.before.as_ref().and_then(|before| before.at(address)).cloned(),
            again: self.again.clone(),
        }
    }

    /// The source of the branch with a number.
    pub(super) fn branch(mut self, k: usize, strangers: &Strangers) -> Source {
        self.context.strangers = Some(strangers.clone());
        let Some(Subtrace::Branches { index, owners, mut runs, .. }) = self.before else {
            return Source { before: None, ..self };
        };
        let path = &self.context.path;
        for own in owners.get(k).into_iter().flatten() {
            let Some(flag) = made(&index, &owners, |other| other == own) else { continue };
            let address = at(path, own);
            let outer = self.held.iter_mut().find(|held| held.address == address);
            match outer {
                Some(held) => held.flag = &held.flag & flag,
                None => self.held.push(Held { address, flag }),
            }
        }
        Source { before: runs.pop(), ..self }
    }

    /// Whether the record of the choice at the source's address was made; nothing where it was.
    pub(super) fn held(&self) -> Option<&Array> {
        let path = at(&self.context.path, "");
        self.held.iter().find(|held| held.address == path).map(|held| &held.flag)
    }

    /// The sources of `n` runs, as one with an axis in front.
    #[track_caller]
    pub(super) fn split(self, n: usize) -> Source {
        let location = here();
        let fits = |path: &str, array: &Array| match array.ty() {
            Ok(ty) if ty.shape.first() != Some(&n) => {
                let whole = &self.context.path;
                let at = if path.is_empty() { whole.clone() } else { below(whole, path) };
                let message = format!("`{at}` is chosen {n} times, but was given as {ty}");
                let error = Error::new(ErrorKind::Shape, message)
                    .at(self.context.line(&at, array))
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
        let lanes = |held: Held| Held { flag: held.flag.broadcast_to([n]), ..held };
        Source {
            given,
            before,
            held: self.held.into_iter().map(lanes).collect(),
            key: self.key.map(|key| key.split_batch(n)),
            noise: self.noise.map(|key| key.split_batch(n)),
            ..self
        }
    }
}
