//! Independent draws of one distribution in increasing order.

use super::points::{inside, within};
use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, Entropy, LogProb, Sample, Support};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, here, with_location,
};

/// The order statistics of `count` independent draws of a distribution of numbers: vectors of
/// `count` numbers, each above the one before it, whose density is that of the draws times
/// `count!`, for every order that they may have come in. As a prior it tells apart what a model
/// would take in any order, such as the parts of a mixture; what is sampled are then real numbers
/// that become increasing ones.
///
/// The support is that of increasing vectors, or of positive increasing ones where the base is of
/// numbers from zero upwards. Beyond other ends of the base densities are zero, which the support
/// does not say.
///
/// ```
/// use probpipe::distributions::Ordered;
/// use probpipe::inference::Target;
/// use probpipe::prelude::*;
/// let levels = Ordered::new(Normal::new(0.0, 2.0), 3);
/// assert_eq!(levels.event_shape()[..], [3]);
/// let densities = levels.log_prob(&array([[-1.0, 0.5, 2.0], [0.5, -1.0, 2.0]]));
/// let each = Normal::new(0.0, 2.0).log_prob(&array([-1.0, 0.5, 2.0])).sum();
/// assert!((densities.at(0) - each - 6f64.ln()).abs().item::<f32>()? < 1e-6);
/// assert_eq!(densities.at(1).item::<f32>()?, f32::NEG_INFINITY);
///
/// let model = generative(move |t: &mut Choices| {
///     let levels = t.sample("levels", levels.clone());
///     t.sample("y", Normal::new(levels, 1.0))
/// });
/// let observed = ChoiceMap::new([("y", array([0.1, 0.4, 2.0]))]);
/// assert_eq!(Target::of(model, (), &observed)?.size(), 3);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[doc(alias = "stan.ordered")]
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Ordered<D> {
    base: D,
    #[tree(static)]
    count: usize,
}

impl<D: Support<Value = Array>> Ordered<D> {
    /// Of so many draws, one at least. Every use with a base that is not of single real numbers
    /// gives an error that says so.
    pub fn new(base: D, count: usize) -> Ordered<D> {
        Ordered { base, count }
    }

    /// The distribution of one draw before it finds its place.
    pub fn base(&self) -> &D {
        &self.base
    }

    fn checked(&self) -> Result<()> {
        let fault = |message: &str, help: &str| {
            Err(Error::new(ErrorKind::Value, message).at(here()).help(help))
        };
        if !self.base.event_shape().is_empty() {
            let message = "an Ordered is made of a distribution that is none of single numbers";
            return fault(message, "give the distribution of one number of the vector");
        }
        if self.base.support().is_integer() {
            let message = "an Ordered is made of a distribution over integers";
            return fault(message, "integers may be equal, which increasing numbers are not");
        }
        if self.count == 0 {
            return fault("an Ordered of no draws", "one at least");
        }
        Ok(())
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        self.checked().err().map(|error| Array::invalid(error, here()))
    }

    /// `log(count!)`.
    fn log_orders(&self) -> f64 {
        (2..=self.count).map(|k| (k as f64).ln()).sum()
    }
}

impl<D: Support<Value = Array>> Distribution for Ordered<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.base.batch_shape()
    }

    fn event_shape(&self) -> Shape {
        [self.count].as_slice().into()
    }
}

impl<D: Support<Value = Array>> Support for Ordered<D> {
    fn support(&self) -> Constraint {
        match self.base.support() {
            Constraint::Positive | Constraint::NonNegative => Constraint::PositiveOrderedVector,
            _ => Constraint::OrderedVector,
        }
    }
}

impl<D: LogProb<Value = Array> + Support> LogProb for Ordered<D> {
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        if x.error().is_some() {
            return x.clone();
        }
        if x.shape().last() != Some(&self.count) {
            let message = format!(
                "an Ordered of {} draws is asked about an array of shape {}",
                self.count,
                ShapeDisplay(x.shape())
            );
            let error = Error::new(ErrorKind::Shape, message)
                .note("the array was made", Some(x.location()))
                .help("its last axis is that of the numbers in increasing order");
            return Array::invalid(error, here());
        }
        with_location(here(), || {
            let inside = inside(&self.support(), x, 1);
            // The numbers of a vector come first, before all that batches broadcast over.
            let lead = x.rank() - 1;
            let spare = self.base.batch_shape().len().saturating_sub(lead);
            let shape = join(&vec![1; spare], x.shape());
            let each = x.reshape(shape).move_axis(-1, 0);
            let density = self.base.log_prob(&each).sum_axes([0]) + self.log_orders();
            within(&inside, density, x, 1)
        })
    }
}

impl<D: Sample<Value = Array> + Support> Sample for Ordered<D> {
    /// Draws of the base, sorted; differentiable where those are.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let lead = shape.len() as isize;
        let draws = self.base.sample_shape(key, join(&shape, &[self.count]));
        if draws.error().is_some() { draws } else { draws.move_axis(lead, -1).sort(-1) }
    }
}

impl<D: Entropy<Value = Array> + Support> Entropy for Ordered<D> {
    /// That of the draws less what their order would tell.
    fn entropy(&self) -> Array {
        match self.check() {
            Some(error) => error,
            None => self.base.entropy() * self.count as f64 - self.log_orders(),
        }
    }
}
