//! Many records of one form: the arrays have axes in front that go by names, as `chain` and `draw`.

use super::Record;
use probpipe_trace::{Array, Error, ErrorKind, Result, Tree, here, stack};
use std::fmt;

/// Records of one form, stacked: every array has the same axes in front, the levels, each with a
/// name.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::RecordBatch;
/// let draws = Record::new([("mu", zeros([4, 100])), ("x", zeros([4, 100, 3]))]);
/// let batch = RecordBatch::new(["chain", "draw"], draws)?;
/// assert_eq!(batch.size("draw")?, 100);
/// let first = batch.at("chain", 0)?;
/// assert_eq!(first.levels(), ["draw"]);
/// let means = batch.over("draw", |x, axis| x.mean_axes(axis))?;
/// assert_eq!(means.record()["x"].shape(), [4, 3]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
pub struct RecordBatch {
    #[tree(static)]
    levels: Vec<String>,
    record: Record,
}

impl RecordBatch {
    /// The arrays of a record, whose first axes have these names.
    ///
    /// # Errors
    /// A name that comes twice; an invalid array; an array with fewer axes, or with other extents
    /// along them than the first one.
    #[track_caller]
    pub fn new<N: Into<String>>(
        levels: impl IntoIterator<Item = N>,
        record: Record,
    ) -> Result<RecordBatch> {
        let levels: Vec<String> = levels.into_iter().map(Into::into).collect();
        if let Some(twice) = levels.iter().enumerate().find(|(i, l)| levels[..*i].contains(l)) {
            let message = format!("two levels have the name `{}`", twice.1);
            return Err(Error::new(ErrorKind::Value, message).at(here()).help("name each axis"));
        }
        let mut first: Option<(String, Vec<usize>)> = None;
        for (path, array) in record.arrays() {
            let shape = array.ty()?.shape;
            let Some(lead) = shape.get(..levels.len()) else {
                let message =
                    format!("`{path}` has {} axes for {} levels", shape.len(), levels.len());
                return Err(Error::new(ErrorKind::Shape, message)
                    .at(here())
                    .help(format!("its first axes are to be {}", levels.join(", "))));
            };
            match &first {
                None => first = Some((path, lead.to_vec())),
                Some((other, extents)) if lead != extents => {
                    let message = format!(
                        "`{path}` has {lead:?} along {}, `{other}` {extents:?}",
                        levels.join(", ")
                    );
                    return Err(Error::new(ErrorKind::Shape, message)
                        .at(here())
                        .help("all arrays of a batch have the same axes in front"));
                }
                Some(_) => {}
            }
        }
        Ok(RecordBatch { levels, record })
    }

    /// Records of one form as a batch along a new level.
    ///
    /// # Errors
    /// No record; records of other names, shapes or types.
    #[track_caller]
    pub fn stack<'a>(
        level: impl Into<String>,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<RecordBatch> {
        let records: Vec<&Record> = records.into_iter().collect();
        let Some(first) = records.first() else {
            return Err(Error::new(ErrorKind::Value, "a batch of no records")
                .at(here())
                .help("give at least one record"));
        };
        let mut stacked = Record::default();
        for path in first.paths() {
            let arrays: Vec<&Array> = records.iter().map(|record| &record[&path]).collect();
            stacked.insert(&path, stack(arrays, 0).checked()?);
        }
        if let Some(other) = records.iter().find(|r| r.paths() != first.paths()) {
            return Err(Error::new(ErrorKind::Value, "records of different forms in a batch")
                .at(here())
                .help(format!("{}; another: {}", first.list(), other.list())));
        }
        RecordBatch::new([level], stacked)
    }

    /// The names of the axes in front.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The arrays, with their axes in front.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How many records there are along a level; 0 where there is no array.
    ///
    /// # Errors
    /// A level that there is not.
    #[track_caller]
    pub fn size(&self, level: &str) -> Result<usize> {
        let axis = self.axis(level)?;
        Ok(self.record.arrays().first().map_or(0, |(_, array)| array.shape()[axis]))
    }

    /// The axis of a level.
    ///
    /// # Errors
    /// A level that there is not.
    #[track_caller]
    pub fn axis(&self, level: &str) -> Result<usize> {
        self.levels.iter().position(|l| l == level).ok_or_else(|| {
            Error::new(ErrorKind::Axis, format!("the batch has no level `{level}`"))
                .at(here())
                .help(format!("its levels are: {}", self.levels.join(", ")))
        })
    }

    /// The records at one place of a level, which vanishes.
    ///
    /// # Errors
    /// A level that there is not, or a place outside of it.
    #[track_caller]
    pub fn at(&self, level: &str, index: isize) -> Result<RecordBatch> {
        let batch = self.over(level, |x, axis| x.at_axis(axis, index))?;
        match batch.record.arrays().into_iter().find_map(|(_, array)| array.error().cloned()) {
            Some(error) => Err(error),
            None => Ok(batch),
        }
    }

    /// The batch whose arrays are those of `f`, given each array and the axis of a level; that axis
    /// must be gone from them.
    ///
    /// # Errors
    /// A level that there is not, or arrays of other extents along the other levels.
    #[track_caller]
    pub fn over(&self, level: &str, f: impl Fn(&Array, isize) -> Array) -> Result<RecordBatch> {
        let axis = self.axis(level)?;
        let record = self.record.clone().map(|array| f(array, axis as isize));
        let levels = self.levels.iter().filter(|l| *l != level).cloned();
        if record.arrays().iter().any(|(_, array)| array.error().is_some()) {
            return Ok(RecordBatch { levels: levels.collect(), record });
        }
        RecordBatch::new(levels, record)
    }

    /// One record of a batch of one level.
    ///
    /// # Errors
    /// Several levels, or a place outside.
    #[track_caller]
    pub fn get(&self, index: isize) -> Result<Record> {
        match &self.levels[..] {
            [level] => Ok(self.at(level, index)?.record),
            levels => {
                let message = format!("one index for {} levels", levels.len());
                Err(Error::new(ErrorKind::Axis, message)
                    .at(here())
                    .help(format!("take a place of each with `at`: {}", levels.join(", "))))
            }
        }
    }
}

impl fmt::Display for RecordBatch {
    /// The levels, then paths with types.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.levels.join(", "))?;
        for (path, array) in self.record.arrays() {
            match array.ty() {
                Ok(ty) => write!(f, "\n{path}: {ty}")?,
                Err(_) => write!(f, "\n{path}: invalid")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RecordBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatch")
            .field("levels", &self.levels)
            .field("record", &self.record)
            .finish()
    }
}
