//! Records: ordered named arrays, as joint draws and structured parameters.

mod ravel;

pub(crate) use ravel::ravel_as;
pub use ravel::{Unravel, ravel};

use probpipe_trace::{Array, Error, ErrorKind, Loc, Tree, here};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::{Mutex, PoisonError};

/// Arrays by name, in the order in which they were given.
///
/// ```
/// use probpipe::prelude::*;
/// let r = Record::new([("mu", array(0.5)), ("sigma", array(1.2))]);
/// assert_eq!(r["sigma"].item::<f32>()?, 1.2);
/// assert!(r["tau"].error().is_some());
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Default)]
#[tree(crate = probpipe_trace)]
pub struct Record {
    #[tree(static)]
    names: Vec<String>,
    values: Vec<Array>,
}

impl Record {
    /// A record of the given parts. A name that comes twice keeps its last array.
    #[track_caller]
    pub fn new<N: Into<String>, A: Into<Array>>(parts: impl IntoIterator<Item = (N, A)>) -> Record {
        let mut record = Record::default();
        for (name, value) in parts {
            record.insert(name, value);
        }
        record
    }

    /// Adds or replaces a part.
    #[track_caller]
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Array>) {
        let (name, value) = (name.into(), value.into());
        match self.names.iter().position(|n| *n == name) {
            Some(at) => self.values[at] = value,
            None => {
                self.names.push(name);
                self.values.push(value);
            }
        }
    }

    /// The array of this name.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.names.iter().position(|n| n == name).map(|at| &self.values[at])
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names and arrays, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    /// The names, for messages.
    pub(crate) fn list(&self) -> String {
        match self.names.len() {
            0 => "the record is empty".to_string(),
            _ => format!("the record has: {}", self.names.join(", ")),
        }
    }

    /// Number of parts.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True without parts.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Index<&str> for Record {
    type Output = Array;

    /// The array of this name; an invalid array if there is none.
    #[track_caller]
    fn index(&self, name: &str) -> &Array {
        match self.get(name) {
            Some(array) => array,
            None => absent(format!("the record has no `{name}`"), self.list(), here()),
        }
    }
}

/// The invalid array of a name that is not there. An index gives a reference, so the array must
/// outlive the call: it is kept for ever, one for each message and place in the source.
fn absent(message: String, names: String, location: Loc) -> &'static Array {
    type Key = (Loc, String, String);
    static KNOWN: Mutex<BTreeMap<Key, &'static Array>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry((location, message, names)).or_insert_with_key(|(location, message, names)| {
        let error = Error::new(ErrorKind::Value, message.as_str()).help(names.as_str());
        Box::leak(Box::new(Array::invalid(error, location)))
    })
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}: {value}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
