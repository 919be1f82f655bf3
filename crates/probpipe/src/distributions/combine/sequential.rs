//! Sequential joints: named parts of which each may depend on the values of those before it.

use super::joint::{
    FlatDistribution, Joint, JointPart, Layout, below, flat_shape, needed, sum, twice,
};
use super::reals::{RealForm, RealRun};
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Sample};
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
    with_location, without_location,
};
use probpipe_transforms::vmap;
use std::fmt;
use std::sync::Arc;

/// What gives a part: of the parameters and the values of the parts before it, a distribution.
type Rule<T> = Arc<dyn Fn(&T, &Record) -> Box<dyn JointPart> + Send + Sync>;

/// The parts in order. Two are equal where they hold the same closures.
struct Steps<T>(Vec<(String, Rule<T>)>);

impl<T> Clone for Steps<T> {
    fn clone(&self) -> Steps<T> {
        Steps(self.0.clone())
    }
}

impl<T> PartialEq for Steps<T> {
    fn eq(&self, other: &Steps<T>) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        let same = pairs.all(|((a, f), (b, g))| a == b && Arc::ptr_eq(f, g));
        same && self.0.len() == other.0.len()
    }
}

impl<T> fmt::Debug for Steps<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A joint distribution over [`Record`]s of named parts, each a distribution that may depend on the
/// values of the parts before it: the density is the product of theirs.
///
/// A part is a closure of the parameters `T` of the joint and of the record of the values so far,
/// and gives any distribution of arrays or records with densities and draws, also another joint.
/// The parameters are the leaves of the tree: a joint with parameters goes through `jit`, `grad`
/// and `vmap` as any other distribution, and its closures are kept. What a closure captures is a
/// constant.
///
/// A closure describes one draw. Draws of a shape, and densities of many, are those of one under
/// `vmap`, so batch shapes of parts are events of the joint, and nothing needs to broadcast over
/// draws.
///
/// ```
/// use probpipe::Sequential;
/// use probpipe::prelude::*;
/// let joint = Sequential::new(array(2.0))
///     .then("mu", |scale: &Array, _: &Record| Normal::new(0.0, scale))
///     .then("x", |_: &Array, r: &Record| Normal::new(r["mu"].broadcast_to([3]), 1.0));
/// let draws = joint.sample(Key::new(0), [5]);
/// assert_eq!(draws["x"].shape(), [5, 3]);
/// assert_eq!(joint.log_prob(&draws).shape(), [5]);
/// let flat = joint.as_flat_distribution();
/// assert_eq!(flat.paths()?, ["mu", "x"]);
/// assert_eq!(flat.log_prob(&zeros([4])).rank(), 0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
#[doc(alias = "tfp.JointDistributionSequential")]
pub struct Sequential<T: 'static = ()> {
    parameters: T,
    #[tree(static)]
    steps: Steps<T>,
}

impl<T: Tree + 'static> Sequential<T> {
    /// Without parts yet, of parameters, which may be `()`.
    pub fn new(parameters: T) -> Sequential<T> {
        Sequential { parameters, steps: Steps(Vec::new()) }
    }

    /// With one part more, of a name that no other has. If another has it, every use gives an
    /// error that says so.
    pub fn then<D: JointPart + 'static>(
        mut self,
        name: impl Into<String>,
        part: impl Fn(&T, &Record) -> D + Send + Sync + 'static,
    ) -> Sequential<T> {
        let rule: Rule<T> = Arc::new(move |parameters, record| Box::new(part(parameters, record)));
        self.steps.0.push((name.into(), rule));
        self
    }

    /// The parameters.
    pub fn parameters(&self) -> &T {
        &self.parameters
    }

    /// The names of the parts, in order.
    pub fn names(&self) -> Vec<&str> {
        self.steps.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The same distribution over vectors: the arrays of a draw one after another, each in
    /// row-major order.
    pub fn as_flat_distribution(&self) -> FlatDistribution<Sequential<T>>
    where
        T: Clone,
    {
        FlatDistribution::new(self.clone())
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        twice(self.names(), "sequential joint")
    }

    /// The distribution of a part. What the user's closure does has its own lines.
    fn part(&self, rule: &Rule<T>, seen: &Record) -> Box<dyn JointPart> {
        without_location(|| rule(&self.parameters, seen))
    }

    /// One draw.
    #[track_caller]
    fn draw(&self, key: Key) -> Record {
        let mut record = Record::default();
        for ((name, rule), key) in self.steps.0.iter().zip(key.split_n(self.steps.0.len())) {
            let of = self.part(rule, &record);
            // A caller's line does not pass through a trait object by itself.
            let part = with_location(here(), || of.draw(key, &Shape::new()));
            record.insert(name, part);
        }
        record
    }

    /// The log-density of one draw. A part sees the values before it, and no others.
    #[track_caller]
    fn density(&self, x: &Record) -> Array {
        let (mut seen, mut terms) = (Record::default(), Vec::new());
        for (name, rule) in &self.steps.0 {
            let part = match needed(x, name, "sequential joint") {
                Ok(part) => part,
                Err(error) => return error,
            };
            let of = self.part(rule, &seen);
            terms.push(with_location(here(), || of.total(name, part)));
            seen.insert(name, part.clone());
        }
        sum(terms)
    }

    /// The axes that a record of draws has in front of those of one draw, the same for all arrays.
    #[track_caller]
    fn lead(&self, x: &Record) -> Result<Shape> {
        let mut lead = Shape::new();
        for (path, shape) in self.layout()? {
            let ty = x[path.as_str()].ty()?;
            let fits = ty.shape.ends_with(&shape);
            let front = &ty.shape[..ty.shape.len().saturating_sub(shape.len())];
            match broadcast_shapes(&lead, front) {
                Some(both) if fits => lead = both,
                _ => {
                    let message = format!(
                        "`{path}` of a sequential joint is of shape {}, not {}",
                        ShapeDisplay(&ty.shape),
                        ShapeDisplay(&join(&lead, &shape)),
                    );
                    return Err(Error::new(ErrorKind::Shape, message)
                        .at(here())
                        .note("it was made", Some(x[path.as_str()].location()))
                        .help("axes of draws are in front, and those of all parts broadcast"));
                }
            }
        }
        Ok(lead)
    }
}

impl<T: Tree + 'static> Joint for Sequential<T> {
    fn layout(&self) -> Result<Layout> {
        if let Some(error) = self.check().as_ref().and_then(Array::error) {
            return Err(error.clone());
        }
        super::joint::JointValue::layout(self)
    }

    fn title(&self) -> &'static str {
        "sequential joint"
    }
}

impl<T: Tree + 'static> Distribution for Sequential<T> {
    type Value = Record;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    /// The shape of the flat form.
    fn event_shape(&self) -> Shape {
        flat_shape(self.layout())
    }
}

impl<T: Tree + 'static> LogProb for Sequential<T> {
    /// The sum over the parts. The record must have a part for each.
    #[track_caller]
    fn log_prob(&self, x: &Record) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        for name in self.names() {
            if let Err(error) = needed(x, name, "sequential joint") {
                return error;
            }
        }
        let lead = match self.lead(x) {
            Ok(lead) => lead,
            Err(error) => return Array::invalid(error, here()),
        };
        if lead.is_empty() {
            return self.density(x);
        }
        let layout = match self.layout() {
            Ok(layout) => layout,
            Err(error) => return Array::invalid(error, here()),
        };
        let draws: usize = lead.iter().product();
        let mut rows = Record::default();
        for (path, shape) in layout {
            let all = x[path.as_str()].broadcast_to(join(&lead, &shape));
            rows.insert(&path, all.reshape(join(&[draws], &shape)));
        }
        with_location(here(), || vmap(|x: Record| self.density(&x))(rows).reshape(lead))
    }
}

impl<T: Tree + 'static> RealForm for Sequential<T> {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Record> {
        let mut seen = Record::default();
        for (name, rule) in &self.steps.0 {
            let (of, path) = (self.part(rule, &seen), below(path, name));
            let part = with_location(here(), || of.walk_part(&path, run))?;
            seen.insert(name, part);
        }
        Ok(seen)
    }
}

impl<T: Tree + 'static> Sample for Sequential<T> {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Record {
        if let Some(error) = self.check() {
            return Record::new(self.names().into_iter().map(|name| (name, error.clone())));
        }
        if shape.is_empty() {
            return self.draw(key);
        }
        let keys = key.split_batch(shape.iter().product());
        let apart = |x: &Array| {
            let event = x.shape().get(1..).unwrap_or_default().to_vec();
            if x.error().is_some() { x.clone() } else { x.reshape(join(&shape, &event)) }
        };
        with_location(here(), || vmap(|key: Key| self.draw(key))(keys).map(apart))
    }
}
