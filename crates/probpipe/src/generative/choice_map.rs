//! Choice maps: values by address. A record underneath; here is what makes it a map of choices:
//! restriction to a selection, unions that refuse what both sides have, and how it prints.

use super::address::{IntoAddress, nearest};
use super::display::{Branch, lines};
use super::selection::Selection;
use crate::record::{Part, Record};
use probpipe_trace::{Array, Error, ErrorKind, Tree, here};
use std::fmt;
use std::ops::{BitOr, Index};

/// Values of random choices by address, in order. Addresses are paths: `"x/pos"` is the choice
/// `pos` of what was called at `x`. The choices of what is repeated or mapped are one array with
/// an axis in front.
///
/// It prints as a tree of addresses and types; with `{:#}` as one of addresses and values.
///
/// ```
/// use probpipe::prelude::*;
/// let choices = ChoiceMap::new([("slope", 0.5), ("level", 1.0)]).with("x/pos", zeros([100]));
/// assert_eq!(choices["slope"].item::<f32>()?, 0.5);
/// let latents = choices.filter(&!addresses(["x"]));
/// assert_eq!(latents.addresses(), ["slope", "level"]);
/// assert_eq!(
///     choices.filter(&addresses(["x"])).to_string(),
///     "ChoiceMap\n└── :x\n    └── :pos\n        └── f32[100]",
/// );
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Default)]
#[tree(crate = probpipe_trace)]
pub struct ChoiceMap {
    record: Record,
}

impl ChoiceMap {
    /// A map of the given values. An address that comes twice keeps its last value.
    #[track_caller]
    pub fn new<A: IntoAddress, P: Into<Part>>(
        parts: impl IntoIterator<Item = (A, P)>,
    ) -> ChoiceMap {
        let mut map = ChoiceMap::default();
        for (address, part) in parts {
            map.record.insert(address.into_address(), part);
        }
        map
    }

    /// The map with a value more, or another one, at an address.
    #[track_caller]
    pub fn with(mut self, address: impl IntoAddress, part: impl Into<Part>) -> ChoiceMap {
        self.record.insert(address.into_address(), part);
        self
    }

    /// The value at an address.
    pub fn get(&self, address: &str) -> Option<&Array> {
        self.record.get(address)
    }

    /// The addresses that have values, in order.
    pub fn addresses(&self) -> Vec<String> {
        self.record.paths()
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.record.arrays().is_empty()
    }

    /// The values as a record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The values at the addresses of a selection; at those of its complement with
    /// `filter(&!selection)`. An address that the selection lists and at which there is nothing is
    /// not ignored: it gets an invalid array, which says so where it is used.
    #[track_caller]
    pub fn filter(&self, selection: &Selection) -> ChoiceMap {
        let mut chosen = self.record.only(|address| selection.contains(address));
        let known = self.addresses();
        if let Some((address, location)) = selection.unknown(&known) {
            let error = missing(format!("the selection lists `{address}`, where there is nothing"));
            let error = error.at(location).note("it was applied", Some(here()));
            let error = error.help(suggestion(address, &known));
            chosen.insert(address, Array::invalid(error, location));
        } else if chosen.is_empty() && !known.is_empty() {
            let location = selection.location().unwrap_or(here());
            let error = missing(format!("the selection {selection} matches nothing"));
            let error = error.at(location).note("it was applied", Some(here()));
            let error = error.help(format!("there is: {}", known.join(", ")));
            chosen.insert("nothing", Array::invalid(error, location));
        }
        ChoiceMap { record: chosen }
    }

    /// The values of both. An address that both have gets an invalid array, which says so where it
    /// is used; to let one of them win, `filter` the other.
    #[track_caller]
    pub fn union(&self, other: &ChoiceMap) -> ChoiceMap {
        match self.record.merge(&other.record) {
            Ok(record) => ChoiceMap { record },
            Err(error) => {
                let help = "take it out of one of them with `filter(&!addresses([..]))`";
                let error = missing(error.message().replace("records", "choice maps"));
                let error = error.at(here()).help(help);
                self.clone().map(|_| Array::invalid(error.clone(), here()))
            }
        }
    }
}

fn missing(message: String) -> Error {
    Error::new(ErrorKind::Value, message)
}

/// What may have been meant by an address, for messages.
pub(crate) fn suggestion(address: &str, known: &[String]) -> String {
    let all = match known.is_empty() {
        true => "there are none".to_string(),
        false => format!("there is: {}", known.join(", ")),
    };
    match nearest(address, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all,
    }
}

impl From<Record> for ChoiceMap {
    fn from(record: Record) -> ChoiceMap {
        ChoiceMap { record }
    }
}

impl From<ChoiceMap> for Record {
    fn from(choices: ChoiceMap) -> Record {
        choices.record
    }
}

impl Index<&str> for ChoiceMap {
    type Output = Array;

    /// The value at an address; an invalid array if there is none.
    #[track_caller]
    fn index(&self, address: &str) -> &Array {
        &self.record[address]
    }
}

impl BitOr for &ChoiceMap {
    type Output = ChoiceMap;

    /// [`ChoiceMap::union`].
    #[track_caller]
    fn bitor(self, other: &ChoiceMap) -> ChoiceMap {
        self.union(other)
    }
}

/// The parts of a record as branches of a printed tree.
pub(super) fn branches(record: &Record, values: bool) -> Vec<Branch> {
    let branch = |(name, part): (&str, &Part)| {
        let below = match part {
            Part::Array(array) => vec![Branch::of(array, values)],
            Part::Record(record) => branches(record, values),
        };
        Branch { label: format!(":{name}"), below }
    };
    record.parts().map(branch).collect()
}

impl fmt::Display for ChoiceMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = branches(&self.record, f.alternate());
        f.write_str(&lines(&Branch { label: "ChoiceMap".to_string(), below }))
    }
}

impl fmt::Debug for ChoiceMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChoiceMap").field(&self.record).finish()
    }
}
