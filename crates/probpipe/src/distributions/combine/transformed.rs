//! A distribution seen through a bijector.

use super::points::{inside, kept, sum_last, within};
use crate::bijectors::Bijector;
use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Sample, Support};
use probpipe_trace::{Array, Error, ErrorKind, Key, Shape, Tree, here};

/// The distribution of `f(x)` for draws `x` of another, of density
/// `p(f^-1(y)) / |det f'(f^-1(y))|`.
///
/// Where the bijector takes larger events than the distribution has, the last batch axes are a
/// part of the event. It is reparameterised where the base is.
///
/// ```
/// use probpipe::bijectors::{Affine, Bijector, Exp};
/// use probpipe::distributions::Transformed;
/// use probpipe::prelude::*;
/// let y = Transformed::new(Normal::new(0.0, 1.0), Affine::new(0.5, 2.0).then(Exp));
/// let densities = y.log_prob(&array([-1.0, 1.0]));
/// assert_eq!(densities.at(0).item::<f32>()?, f32::NEG_INFINITY);
/// assert!((densities.at(1).item::<f32>()? + 1.6433357).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Transformed<D, B> {
    base: D,
    bijector: B,
}

impl<D: Support<Value = Array>, B: Bijector> Transformed<D, B> {
    /// From a distribution and a bijector. Every use of one whose draws are integers, or that does
    /// not fit the bijector, gives an error that says so.
    pub fn new(base: D, bijector: B) -> Transformed<D, B> {
        Transformed { base, bijector }
    }

    /// The distribution that is transformed.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// What it goes through.
    pub fn bijector(&self) -> &B {
        &self.bijector
    }

    /// The rank of an event before the bijector.
    fn rank(&self) -> usize {
        self.base.event_shape().len().max(self.bijector.event_ranks().0)
    }

    /// The shape of a draw without a sample shape, and how much of it is batch.
    fn shapes(&self) -> probpipe_trace::Result<(Shape, usize)> {
        let (base, rank) = (self.base.event_shape().len(), self.rank());
        let before = join(&self.base.batch_shape(), &self.base.event_shape());
        if self.base.support().is_integer() {
            let message = "a Transformed is made of a distribution over integers";
            return Err(Error::new(ErrorKind::Value, message)
                .help("a bijector moves densities; transform the draws instead"));
        }
        if before.len() < rank {
            let message = format!(
                "a Transformed by a bijector of events of rank {rank} is made of a distribution \
                 with events of rank {base} and {} batch axes",
                before.len() - base
            );
            return Err(Error::new(ErrorKind::Shape, message)
                .help("give the parameters those axes, or use a bijector of smaller events"));
        }
        let after = self.bijector.forward_shape(&before)?;
        let (from, to) = self.bijector.event_ranks();
        let lead = after.len().saturating_sub(rank + to - from);
        Ok((after, lead))
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        self.shapes().err().map(|error| Array::invalid(error, here()))
    }
}

impl<D: Support<Value = Array>, B: Bijector> Distribution for Transformed<D, B> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.shapes().map(|(shape, lead)| shape[..lead].into()).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        self.shapes().map(|(shape, lead)| shape[lead..].into()).unwrap_or_default()
    }
}

impl<D: Support<Value = Array>, B: Bijector> Support for Transformed<D, B> {
    /// What the bijector makes of the support of the base.
    fn support(&self) -> Constraint {
        self.bijector.image(&self.base.support())
    }
}

impl<D: LogProb<Value = Array> + Support, B: Bijector> LogProb for Transformed<D, B> {
    fn log_prob(&self, y: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        if y.error().is_some() {
            return y.clone();
        }
        if let Err(error) = self.bijector.inverse_shape(y.shape()) {
            return Array::invalid(error, here());
        }
        let (rank, support) = (self.rank(), self.support());
        let (from, to) = self.bijector.event_ranks();
        let after = rank + to - from;
        let free = matches!(support, Constraint::Real | Constraint::RealVector);
        let inside = inside(&support, y, after);
        let safe = if free { y.clone() } else { kept(&support, y, &inside, after) };
        let x = self.bijector.inverse(&safe);
        let extra = rank - self.base.event_shape().len();
        let density = sum_last(self.base.log_prob(&x), extra)
            - sum_last(self.bijector.log_det(&x), rank - from);
        if free { density } else { within(&inside, density, y, after) }
    }
}

impl<D: Sample<Value = Array> + Support, B: Bijector> Sample for Transformed<D, B> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        match self.check() {
            Some(error) => error,
            None => self.bijector.forward(&self.base.sample_shape(key, shape)),
        }
    }
}
