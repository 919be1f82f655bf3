//! Products: independent named parts as one distribution over records, and its flat form over
//! vectors.

use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Named, Sample};
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, concat, here, with_location,
};

/// A distribution over arrays, as a trait object.
pub trait ArrayDistribution {
    /// See [`Distribution::batch_shape`].
    fn batch_shape(&self) -> Shape;
    /// See [`Distribution::event_shape`].
    fn event_shape(&self) -> Shape;
    /// See [`LogProb::log_prob`].
    fn log_prob(&self, x: &Array) -> Array;
    /// See [`Sample::sample_shape`].
    fn sample_shape(&self, key: Key, shape: Shape) -> Array;
}

impl<D: LogProb + Sample + Distribution<Value = Array>> ArrayDistribution for D {
    fn batch_shape(&self) -> Shape {
        Distribution::batch_shape(self)
    }
    fn event_shape(&self) -> Shape {
        Distribution::event_shape(self)
    }
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        LogProb::log_prob(self, x)
    }
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        Sample::sample_shape(self, key, shape)
    }
}

/// What a product is made of: a tuple or a vector of [`Named`] distributions.
pub trait Parts {
    /// The parts in order.
    fn parts(&self) -> Vec<(&str, &dyn ArrayDistribution)>;
}

fn part<D: ArrayDistribution>(named: &Named<D>) -> (&str, &dyn ArrayDistribution) {
    (named.name(), named.distribution())
}

macro_rules! tuple_parts {
    ($(($($D:ident $index:tt),+))*) => {$(
        impl<$($D: ArrayDistribution),+> Parts for ($(Named<$D>,)+) {
            fn parts(&self) -> Vec<(&str, &dyn ArrayDistribution)> {
                vec![$(part(&self.$index)),+]
            }
        }
    )*};
}
tuple_parts! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

impl<D: ArrayDistribution> Parts for Vec<Named<D>> {
    fn parts(&self) -> Vec<(&str, &dyn ArrayDistribution)> {
        self.iter().map(part).collect()
    }
}

/// Independent named distributions as one over [`Record`]s.
///
/// ```
/// use probpipe::prelude::*;
/// let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(1.0, 0.5).named("sigma")));
/// let draw = joint.sample(Key::new(0), ());
/// assert_eq!(draw.names(), ["mu", "sigma"]);
/// assert_eq!(joint.log_prob(&draw).rank(), 0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Product<P> {
    parts: P,
}

/// The product of named distributions. Names must differ; batch shapes are events of the joint.
pub fn product<P: Parts>(parts: P) -> Product<P> {
    Product { parts }
}

impl<P: Parts> Product<P> {
    /// The same distribution over vectors: the parts one after another, each in row-major order.
    pub fn as_flat_distribution(&self) -> FlatDistribution<'_, P> {
        FlatDistribution { product: self }
    }

    /// The error of a name that comes twice.
    #[track_caller]
    fn check(&self) -> Option<Array> {
        let parts = self.parts.parts();
        let twice = parts
            .iter()
            .enumerate()
            .find(|(i, (name, _))| parts[..*i].iter().any(|(other, _)| other == name))?;
        let error =
            Error::new(ErrorKind::Value, format!("a product names two parts `{}`", twice.1.0))
                .help("give every part a name of its own");
        Some(Array::invalid(error, here()))
    }
}

/// The log-density of one draw of a part: batch copies are independent events of the joint.
#[track_caller]
fn total(part: &dyn ArrayDistribution, x: &Array) -> Array {
    // A caller's line does not pass through a trait object by itself.
    with_location(here(), || {
        let density = part.log_prob(x);
        let axes: Vec<isize> = (1..=part.batch_shape().len() as isize).map(|a| -a).collect();
        if axes.is_empty() { density } else { density.sum_axes(axes) }
    })
}

/// A draw of a part.
#[track_caller]
fn draw(part: &dyn ArrayDistribution, key: Key, shape: &Shape) -> Array {
    with_location(here(), || part.sample_shape(key, shape.clone()))
}

/// The shape of one draw of a part in a joint draw.
fn draw_shape(part: &dyn ArrayDistribution) -> Shape {
    join(&part.batch_shape(), &part.event_shape())
}

#[track_caller]
fn sum(terms: Vec<Array>) -> Array {
    let sum = || terms.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| Array::from(0.0));
    with_location(here(), sum)
}

impl<P: Parts> Distribution for Product<P> {
    type Value = Record;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    /// The shape of the flat form.
    fn event_shape(&self) -> Shape {
        let size =
            self.parts.parts().iter().map(|(_, p)| draw_shape(*p).iter().product::<usize>()).sum();
        Shape::from_slice(&[size])
    }
}

impl<P: Parts> LogProb for Product<P> {
    /// The sum over the parts. The record must have an array for each.
    #[track_caller]
    fn log_prob(&self, x: &Record) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let mut terms = Vec::new();
        for (name, part) in self.parts.parts() {
            let Some(x) = x.get(name) else {
                let error = Error::new(
                    ErrorKind::Value,
                    format!("the record has no `{name}`, which the product needs"),
                )
                .help(x.list());
                return Array::invalid(error, here());
            };
            terms.push(total(part, x));
        }
        sum(terms)
    }
}

impl<P: Parts> Sample for Product<P> {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Record {
        if let Some(error) = self.check() {
            return Record::new(self.parts.parts().iter().map(|(n, _)| (*n, error.clone())));
        }
        let parts = self.parts.parts();
        let keys = key.split_n(parts.len());
        let mut record = Record::default();
        for ((name, part), key) in parts.into_iter().zip(keys) {
            record.insert(name, draw(part, key, &shape));
        }
        record
    }
}

/// A [`Product`] over vectors; see [`Product::as_flat_distribution`].
#[derive(Debug)]
pub struct FlatDistribution<'a, P> {
    product: &'a Product<P>,
}

impl<P: Parts> Distribution for FlatDistribution<'_, P> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        self.product.event_shape()
    }
}

impl<P: Parts> LogProb for FlatDistribution<'_, P> {
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = self.product.check() {
            return error;
        }
        let size = Distribution::event_shape(self)[0];
        if x.error().is_none() && x.shape().last() != Some(&size) {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "the flat product takes vectors of {size}, not an array of shape {}",
                    ShapeDisplay(x.shape())
                ),
            )
            .note("the array was made", Some(x.location()))
            .help("the last axis holds the parts one after another");
            return Array::invalid(error, here());
        }
        let mut at = 0;
        let mut terms = Vec::new();
        for (_, part) in self.product.parts.parts() {
            let shape = draw_shape(part);
            let n: usize = shape.iter().product();
            let lead = &x.shape()[..x.rank().saturating_sub(1)];
            let piece = x.slice_axis(-1, at..at + n).reshape(join(lead, &shape));
            terms.push(total(part, &piece));
            at += n;
        }
        sum(terms)
    }
}

impl<P: Parts> Sample for FlatDistribution<'_, P> {
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let draw = self.product.sample_shape(key, shape.clone());
        let mut pieces = Vec::new();
        for (name, part) in self.product.parts.parts() {
            let n = draw_shape(part).iter().product();
            pieces.push(draw[name].reshape(join(&shape, &[n])));
        }
        concat(&pieces, -1)
    }
}
