//! Products: independent named parts as one distribution over records.

use super::joint::{
    FlatDistribution, Joint, JointPart, Layout, below, flat_shape, layout_of, needed, sum, twice,
};
use super::reals::{RealForm, RealRun};
use crate::distributions::{Distribution, LogProb, Named, Sample};
use crate::record::Record;
use probpipe_trace::{Array, Key, Result, Shape, Tree, here, with_location};

/// What a product is made of: a tuple or a vector of [`Named`] distributions.
pub trait Parts {
    /// The parts in order.
    fn parts(&self) -> Vec<(&str, &dyn JointPart)>;
}

fn part<D: JointPart>(named: &Named<D>) -> (&str, &dyn JointPart) {
    (named.name(), named.distribution())
}

macro_rules! tuple_parts {
    ($(($($D:ident $index:tt),+))*) => {$(
        impl<$($D: JointPart),+> Parts for ($(Named<$D>,)+) {
            fn parts(&self) -> Vec<(&str, &dyn JointPart)> {
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

impl<D: JointPart> Parts for Vec<Named<D>> {
    fn parts(&self) -> Vec<(&str, &dyn JointPart)> {
        self.iter().map(part).collect()
    }
}

/// Independent named distributions as one over [`Record`]s. Parts may be joints of their own, whose
/// draws are records in the record.
///
/// ```
/// use probpipe::prelude::*;
/// let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(1.0, 0.5).named("sigma")));
/// let draw = joint.sample(Key::new(0), ());
/// assert_eq!(draw.names(), ["mu", "sigma"]);
/// assert_eq!(joint.log_prob(&draw).rank(), 0);
/// let nested = product((joint.named("prior"), Exponential::new(1.0).named("x")));
/// let draw = nested.sample(Key::new(0), [3]);
/// assert_eq!(draw.paths(), ["prior/mu", "prior/sigma", "x"]);
/// assert_eq!(nested.log_prob(&draw).shape(), [3]);
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
    /// The same distribution over vectors: the arrays of a draw one after another, each in
    /// row-major order.
    pub fn as_flat_distribution(&self) -> FlatDistribution<Product<P>>
    where
        P: Clone,
    {
        FlatDistribution::new(self.clone())
    }

    /// The error of a name that comes twice.
    #[track_caller]
    fn check(&self) -> Option<Array> {
        twice(self.parts.parts().into_iter().map(|(name, _)| name), "product")
    }
}

impl<P: Parts> Joint for Product<P> {
    fn layout(&self) -> Result<Layout> {
        if let Some(error) = self.check().as_ref().and_then(Array::error) {
            return Err(error.clone());
        }
        layout_of(self.parts.parts())
    }

    fn title(&self) -> &'static str {
        "product"
    }
}

impl<P: Parts> Distribution for Product<P> {
    type Value = Record;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    /// The shape of the flat form.
    fn event_shape(&self) -> Shape {
        flat_shape(layout_of(self.parts.parts()))
    }
}

impl<P: Parts> LogProb for Product<P> {
    /// The sum over the parts. The record must have a part for each.
    #[track_caller]
    fn log_prob(&self, x: &Record) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let mut terms = Vec::new();
        for (name, part) in self.parts.parts() {
            match needed(x, name, "product") {
                // A caller's line does not pass through a trait object by itself.
                Ok(x) => terms.push(with_location(here(), || part.total(name, x))),
                Err(error) => return error,
            }
        }
        sum(terms)
    }
}

impl<P: Parts> RealForm for Product<P> {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Record> {
        let mut record = Record::default();
        for (name, part) in self.parts.parts() {
            let path = below(path, name);
            record.insert(name, with_location(here(), || part.walk_part(&path, run))?);
        }
        Ok(record)
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
            record.insert(name, with_location(here(), || part.draw(key, &shape)));
        }
        record
    }
}
