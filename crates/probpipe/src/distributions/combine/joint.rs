//! What joint distributions share: parts that draw arrays or records, the layout of a joint draw,
//! and the flat form over vectors.

use super::reals::{RealForm, RealRun};
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Sample};
use crate::record::{Part, Record};
use probpipe_trace::{
    Array, ArrayType, DType, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, concat,
    default_float, here, trace_with, with_location,
};

/// The arrays of one draw, by their paths, in order.
pub type Layout = Vec<(String, Shape)>;

/// What a part of a joint draws: an [`Array`], or a [`Record`] of its own.
pub trait JointValue: Tree + Into<Part> {
    /// The value that a part of a record holds, if it is of this kind.
    fn of(part: &Part) -> Option<&Self>;

    /// The kind in words, for messages.
    const KIND: &'static str;

    /// The arrays of one draw of a distribution; an array that is all of it has an empty path.
    ///
    /// # Errors
    /// The fault of a distribution that has no draws.
    #[track_caller]
    fn layout<D: Sample<Value = Self>>(of: &D) -> Result<Layout>;
}

impl JointValue for Array {
    fn of(part: &Part) -> Option<&Array> {
        match part {
            Part::Array(array) => Some(array),
            Part::Record(_) => None,
        }
    }

    const KIND: &'static str = "an array";

    fn layout<D: Sample<Value = Array>>(of: &D) -> Result<Layout> {
        Ok(vec![(String::new(), join(&of.batch_shape(), &of.event_shape()))])
    }
}

impl JointValue for Record {
    fn of(part: &Part) -> Option<&Record> {
        match part {
            Part::Record(record) => Some(record),
            Part::Array(_) => None,
        }
    }

    const KIND: &'static str = "a record";

    /// From a draw in a trace of its own, which is thrown away: nothing is computed.
    fn layout<D: Sample<Value = Record>>(of: &D) -> Result<Layout> {
        let location = here();
        let key = ArrayType::new(DType::U32, [2]);
        let (_, layout) = trace_with(location, &[key], |words| {
            let key = Key::from_data(words[0].clone());
            let draw = with_location(location, || of.sample_shape(key, Shape::new()));
            let arrays = draw.arrays().into_iter();
            let shapes = arrays.map(|(path, array)| Ok((path, array.ty()?.shape.clone())));
            (Vec::new(), shapes.collect())
        });
        layout
    }
}

/// A part of a joint, as a trait object: any distribution of arrays or records with densities,
/// draws and, for arrays, a [`Support`](crate::distributions::Support).
pub trait JointPart {
    /// See [`JointValue::layout`].
    ///
    /// # Errors
    /// The fault of a distribution that has no draws.
    #[track_caller]
    fn draw_layout(&self) -> Result<Layout>;

    /// The log-density of one draw: batch copies are independent events of the joint.
    #[track_caller]
    fn total(&self, name: &str, x: &Part) -> Array;

    /// Draws of a shape.
    #[track_caller]
    fn draw(&self, key: Key, shape: &Shape) -> Part;

    /// See [`RealForm::walk`].
    ///
    /// # Errors
    /// Those of the form.
    #[track_caller]
    fn walk_part(&self, path: &str, run: &mut RealRun<'_>) -> Result<Part>;
}

impl<D: RealForm> JointPart for D
where
    D::Value: JointValue,
{
    fn draw_layout(&self) -> Result<Layout> {
        D::Value::layout(self)
    }

    fn total(&self, name: &str, x: &Part) -> Array {
        let Some(x) = D::Value::of(x) else {
            let message = format!("`{name}` of a joint is {}", D::Value::KIND);
            let error = Error::new(ErrorKind::Value, message)
                .help("give a record of the form that `sample` gives");
            return Array::invalid(error, here());
        };
        let density = self.log_prob(x);
        let axes: Vec<isize> = (1..=self.batch_shape().len() as isize).map(|a| -a).collect();
        if axes.is_empty() { density } else { density.sum_axes(axes) }
    }

    fn draw(&self, key: Key, shape: &Shape) -> Part {
        self.sample_shape(key, shape.clone()).into()
    }

    fn walk_part(&self, path: &str, run: &mut RealRun<'_>) -> Result<Part> {
        Ok(self.walk(path, run)?.into())
    }
}

/// The path of a part.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}/{name}") }
}

/// The layout of parts under their names.
#[track_caller]
pub(super) fn layout_of<'a>(
    parts: impl IntoIterator<Item = (&'a str, &'a dyn JointPart)>,
) -> Result<Layout> {
    let mut all = Layout::new();
    for (name, part) in parts {
        // A caller's line does not pass through a trait object by itself.
        for (path, shape) in with_location(here(), || part.draw_layout())? {
            let path = if path.is_empty() { name.into() } else { below(name, &path) };
            all.push((path, shape));
        }
    }
    Ok(all)
}

/// The part of a record that a joint needs, or the error that there is none.
#[track_caller]
pub(super) fn needed<'a>(
    x: &'a Record,
    name: &str,
    by: &str,
) -> std::result::Result<&'a Part, Array> {
    // Not `ok_or_else`: a caller's line does not pass through a closure by itself.
    let Some(part) = x.part(name) else {
        let message = format!("the record has no `{name}`, which the {by} needs");
        return Err(Array::invalid(Error::new(ErrorKind::Value, message).help(x.list()), here()));
    };
    Ok(part)
}

/// The error of a name that comes twice.
#[track_caller]
pub(super) fn twice<'a>(names: impl IntoIterator<Item = &'a str>, what: &str) -> Option<Array> {
    let names: Vec<&str> = names.into_iter().collect();
    let (_, name) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name))?;
    let error = Error::new(ErrorKind::Value, format!("a {what} names two parts `{name}`"))
        .help("give every part a name of its own");
    Some(Array::invalid(error, here()))
}

/// The sum of the log-densities of parts.
#[track_caller]
pub(super) fn sum(terms: Vec<Array>) -> Array {
    let sum = || terms.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| Array::from(0.0));
    with_location(here(), sum)
}

/// A joint distribution over records: what has a flat form.
pub trait Joint: RealForm + Sample<Value = Record> {
    /// The arrays of one draw, by their paths, in order.
    ///
    /// # Errors
    /// The fault of a part.
    #[track_caller]
    fn layout(&self) -> Result<Layout>;

    /// What it goes by in messages.
    fn title(&self) -> &'static str;
}

/// A joint distribution over vectors: the arrays of a draw one after another, each in row-major
/// order. The joints' `as_flat_distribution` makes it.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct FlatDistribution<J> {
    joint: J,
}

impl<J: Joint> FlatDistribution<J> {
    pub(super) fn new(joint: J) -> FlatDistribution<J> {
        FlatDistribution { joint }
    }

    /// The joint distribution over records.
    pub fn joint(&self) -> &J {
        &self.joint
    }

    /// The paths of the arrays, in the order in which they lie in a vector.
    ///
    /// # Errors
    /// The fault of a part.
    #[track_caller]
    pub fn paths(&self) -> Result<Vec<String>> {
        Ok(self.joint.layout()?.into_iter().map(|(path, _)| path).collect())
    }

    /// The record whose arrays vectors hold, `[.., n]`.
    ///
    /// # Errors
    /// Vectors of another length, or the fault of a part.
    #[track_caller]
    pub fn unflatten(&self, x: &Array) -> Result<Record> {
        let layout = self.joint.layout()?;
        let size: usize = layout.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        let ty = x.ty()?;
        if ty.shape.last() != Some(&size) {
            let message = format!(
                "the flat {} takes vectors of {size}, not an array of shape {}",
                self.joint.title(),
                ShapeDisplay(&ty.shape)
            );
            return Err(Error::new(ErrorKind::Shape, message)
                .at(here())
                .note("the array was made", Some(x.location()))
                .help("the last axis holds the parts one after another"));
        }
        let (mut at, mut record) = (0, Record::default());
        for (path, shape) in layout {
            let n: usize = shape.iter().product();
            let lead = &x.shape()[..x.rank() - 1];
            record.insert(&path, x.slice_axis(-1, at..at + n).reshape(join(lead, &shape)));
            at += n;
        }
        Ok(record)
    }

    /// The vectors that hold the arrays of a record of draws of a shape, in the float type of the
    /// first of them that is one of floats.
    #[track_caller]
    fn flatten(&self, x: &Record, lead: &[usize]) -> Array {
        let layout = match self.joint.layout() {
            Ok(layout) => layout,
            Err(error) => return Array::invalid(error, here()),
        };
        let float = x.arrays().into_iter().map(|(_, x)| x.dtype()).find(|dtype| dtype.is_float());
        let float = float.unwrap_or_else(default_float);
        let mut pieces = Vec::with_capacity(layout.len());
        for (path, shape) in &layout {
            let piece = &x[path.as_str()];
            let piece = if piece.dtype().is_float() { piece.clone() } else { piece.cast(float) };
            pieces.push(piece.reshape(join(lead, &[shape.iter().product()])));
        }
        concat(pieces, -1)
    }
}

impl<J: Joint> Distribution for FlatDistribution<J> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        self.joint.event_shape()
    }
}

impl<J: Joint> LogProb for FlatDistribution<J> {
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        if x.error().is_some() {
            return x.clone();
        }
        match self.unflatten(x) {
            Ok(record) => self.joint.log_prob(&record),
            Err(error) => Array::invalid(error, here()),
        }
    }
}

impl<J: Joint> RealForm for FlatDistribution<J> {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Array> {
        run.observed(path, self, <Array as JointValue>::of, "a joint as a vector")
    }
}

impl<J: Joint> Sample for FlatDistribution<J> {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let draw = self.joint.sample_shape(key, shape.clone());
        if let Some((_, wrong)) = draw.arrays().into_iter().find(|(_, x)| x.error().is_some()) {
            return wrong.clone();
        }
        self.flatten(&draw, &shape)
    }
}

/// The number of numbers of a layout, as an event shape; none of a faulty joint.
pub(super) fn flat_shape(layout: Result<Layout>) -> Shape {
    let size = |layout: Layout| layout.iter().map(|(_, s)| s.iter().product::<usize>()).sum();
    Shape::from_slice(&[layout.map(size).unwrap_or(0)])
}
