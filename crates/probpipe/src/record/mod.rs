//! Records: ordered, named, nested arrays, as joint draws and structured parameters. A record is a
//! tree; here are its parts and how they change, in `batch` many records of one form, in `design`
//! those of all combinations.

mod batch;
mod design;
mod display;
mod ravel;
mod tree;

pub use batch::RecordBatch;
pub use design::full_factorial;
pub(crate) use ravel::ravel_as;
pub use ravel::{Unravel, ravel};

use probpipe_trace::{Array, Error, ErrorKind, Loc, Result, here};
use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::{Mutex, PoisonError};

/// Arrays and records by name, in the order in which they were given. A part of a part goes by its
/// path, with `/` between names.
///
/// ```
/// use probpipe::prelude::*;
/// let r = Record::new([("mu", 0.5), ("sigma", 1.2)]).with("x/first", array([1.0, 2.0]));
/// assert_eq!(r["sigma"].item::<f32>()?, 1.2);
/// assert!(r["tau"].error().is_some());
/// assert_eq!(r.to_string(), "mu: 0.5\nsigma: 1.2\nx\n└── first: [1.0 2.0]");
/// let (vector, unravel) = ravel(&r)?;
/// assert_eq!(vector.shape(), [4]);
/// let doubled: Record = unravel.tree(&(vector * 2.0))?;
/// assert_eq!(doubled["x/first"].to_vec::<f32>()?, [2.0, 4.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Record {
    names: Vec<String>,
    parts: Vec<Part>,
}

/// What a name in a record stands for.
#[derive(Clone)]
pub enum Part {
    /// An array.
    Array(Array),
    /// A record of its own.
    Record(Record),
}

impl<A: Into<Array>> From<A> for Part {
    #[track_caller]
    fn from(array: A) -> Part {
        Part::Array(array.into())
    }
}

impl From<Record> for Part {
    fn from(record: Record) -> Part {
        Part::Record(record)
    }
}

impl Record {
    /// A record of the given parts. A name that comes twice keeps its last part.
    #[track_caller]
    pub fn new<N: AsRef<str>, P: Into<Part>>(parts: impl IntoIterator<Item = (N, P)>) -> Record {
        let mut record = Record::default();
        for (name, part) in parts {
            record.insert(name, part);
        }
        record
    }

    /// Adds or replaces the part at a path; records on the way that are not there are made, and
    /// an array on the way gives way to one.
    #[track_caller]
    pub fn insert(&mut self, path: impl AsRef<str>, part: impl Into<Part>) {
        let part = part.into();
        self.set(path.as_ref(), part);
    }

    fn set(&mut self, path: &str, part: Part) {
        let (name, rest) = split(path);
        let at = match self.names.iter().position(|n| n == name) {
            Some(at) => at,
            None => {
                self.names.push(name.to_string());
                self.parts.push(Part::Record(Record::default()));
                self.names.len() - 1
            }
        };
        match (rest, &mut self.parts[at]) {
            (None, place) => *place = part,
            (Some(rest), Part::Record(record)) => record.set(rest, part),
            (Some(rest), place) => {
                let mut record = Record::default();
                record.set(rest, part);
                *place = Part::Record(record);
            }
        }
    }

    /// The record with a part more, or another one, at a path.
    #[track_caller]
    pub fn with(mut self, path: impl AsRef<str>, part: impl Into<Part>) -> Record {
        self.insert(path, part);
        self
    }

    /// The part at a path.
    pub fn part(&self, path: &str) -> Option<&Part> {
        let (name, rest) = split(path);
        let part = &self.parts[self.names.iter().position(|n| n == name)?];
        match (rest, part) {
            (None, part) => Some(part),
            (Some(rest), Part::Record(record)) => record.part(rest),
            (Some(_), Part::Array(_)) => None,
        }
    }

    /// The array at a path.
    pub fn get(&self, path: &str) -> Option<&Array> {
        match self.part(path)? {
            Part::Array(array) => Some(array),
            Part::Record(_) => None,
        }
    }

    /// The record at a path.
    pub fn record(&self, path: &str) -> Option<&Record> {
        match self.part(path)? {
            Part::Record(record) => Some(record),
            Part::Array(_) => None,
        }
    }

    /// The names of the parts, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names and parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Part)> {
        self.names.iter().map(String::as_str).zip(&self.parts)
    }

    /// Paths and arrays, in order: the arrays are the leaves of the tree.
    pub fn arrays(&self) -> Vec<(String, &Array)> {
        let mut all = Vec::new();
        for (name, part) in self.parts() {
            match part {
                Part::Array(array) => all.push((name.to_string(), array)),
                Part::Record(record) => {
                    let inner = record.arrays().into_iter();
                    all.extend(inner.map(|(path, array)| (format!("{name}/{path}"), array)));
                }
            }
        }
        all
    }

    /// The paths of the arrays, in order.
    pub fn paths(&self) -> Vec<String> {
        self.arrays().into_iter().map(|(path, _)| path).collect()
    }

    /// Both records in one: the parts of `self`, then those of `other`. Records of one name are
    /// merged in turn.
    ///
    /// # Errors
    /// A path that both have and that is not a record in both.
    #[track_caller]
    pub fn merge(&self, other: &Record) -> Result<Record> {
        let mut all = self.clone();
        for (path, array) in other.arrays() {
            let taken = ends(&path).find(|&end| match all.part(&path[..end]) {
                Some(Part::Array(_)) => true,
                Some(Part::Record(_)) => end == path.len(),
                None => false,
            });
            if let Some(end) = taken {
                let message = format!("both records have `{}`", &path[..end]);
                return Err(Error::new(ErrorKind::Value, message)
                    .at(here())
                    .help("take it out of one of them with `without`, or choose with `replace`"));
            }
            all.set(&path, Part::Array(array.clone()));
        }
        Ok(all)
    }

    /// The arrays whose paths are wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Record {
        let mut some = Record::default();
        for (path, array) in self.arrays() {
            if wanted(&path) {
                some.insert(&path, array.clone());
            }
        }
        some
    }

    /// The record without the parts at these paths. What is then empty goes too.
    ///
    /// # Errors
    /// A path at which there is nothing.
    #[track_caller]
    pub fn without<P: AsRef<str>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Record> {
        let mut rest = self.clone();
        for path in paths {
            let path = path.as_ref();
            if !rest.remove(path) {
                return Err(self.missing(path));
            }
        }
        Ok(rest)
    }

    fn remove(&mut self, path: &str) -> bool {
        let (name, rest) = split(path);
        let Some(at) = self.names.iter().position(|n| n == name) else { return false };
        let empty = match (rest, &mut self.parts[at]) {
            (None, _) => true,
            (Some(rest), Part::Record(record)) => {
                if !record.remove(rest) {
                    return false;
                }
                record.is_empty()
            }
            (Some(_), Part::Array(_)) => return false,
        };
        if empty {
            self.names.remove(at);
            self.parts.remove(at);
        }
        true
    }

    /// The record with another part where there is one already: a name that is misspelt adds
    /// nothing.
    ///
    /// # Errors
    /// A path at which there is nothing.
    #[track_caller]
    pub fn replace(&self, path: &str, part: impl Into<Part>) -> Result<Record> {
        match self.part(path) {
            Some(_) => Ok(self.clone().with(path, part)),
            None => Err(self.missing(path)),
        }
    }

    /// The parts at these paths alone, in this order.
    ///
    /// # Errors
    /// A path at which there is nothing.
    #[track_caller]
    pub fn select<P: AsRef<str>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Record> {
        let mut chosen = Record::default();
        for path in paths {
            let path = path.as_ref();
            let part = self.part(path).ok_or_else(|| self.missing(path))?;
            chosen.set(path, part.clone());
        }
        Ok(chosen)
    }

    #[track_caller]
    fn missing(&self, path: &str) -> Error {
        let message = format!("the record has no `{path}`");
        Error::new(ErrorKind::Value, message).at(here()).help(self.list())
    }

    /// The paths, for messages.
    pub(crate) fn list(&self) -> String {
        match self.is_empty() {
            true => "the record is empty".to_string(),
            false => format!("the record has: {}", self.paths().join(", ")),
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

/// The first name of a path, and what follows.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    }
}

/// Where the paths end that lead to a path, and itself.
fn ends(path: &str) -> impl Iterator<Item = usize> {
    path.match_indices('/').map(|(at, _)| at).chain([path.len()])
}

impl Index<&str> for Record {
    type Output = Array;

    /// The array at this path; an invalid array if there is none.
    #[track_caller]
    fn index(&self, path: &str) -> &Array {
        let message = match self.part(path) {
            Some(Part::Array(array)) => return array,
            Some(Part::Record(_)) => format!("`{path}` is a record, not an array"),
            None => format!("the record has no `{path}`"),
        };
        absent(message, self.list(), here())
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
