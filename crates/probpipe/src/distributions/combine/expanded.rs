//! More independent copies of a distribution than its parameters have.

use crate::constraints::Constraint;
use crate::distributions::shapes::{is_lost, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use probpipe_trace::{
    Array, Error, ErrorKind, IntoShape, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
};

/// Copies of a distribution in a larger batch shape. Draws of the copies are independent, which
/// those of one draw that is broadcast are not.
///
/// ```
/// use probpipe::distributions::Expanded;
/// use probpipe::prelude::*;
/// let copies = Expanded::new(Normal::new(array([0.0, 1.0]), 1.0), [3, 2]);
/// assert_eq!(copies.batch_shape()[..], [3, 2]);
/// assert_eq!(copies.sample(Key::new(0), [5]).shape(), [5, 3, 2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Expanded<D> {
    base: D,
    #[tree(static)]
    batch: Vec<usize>,
}

impl<D: Distribution<Value = Array>> Expanded<D> {
    /// With a batch shape to which that of the base broadcasts. If it does not, every use gives an
    /// error that says so.
    pub fn new(base: D, batch: impl IntoShape) -> Expanded<D> {
        Expanded { base, batch: batch.into_shape().to_vec() }
    }

    /// The distribution that is copied.
    pub fn base(&self) -> &D {
        &self.base
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        let own = self.base.batch_shape();
        if is_lost(&own) {
            return None;
        }
        if broadcast_shapes(&own, &self.batch).is_some_and(|shape| shape[..] == self.batch[..]) {
            return None;
        }
        let message = format!(
            "a distribution of batch shape {} does not expand to {}",
            ShapeDisplay(&own),
            ShapeDisplay(&self.batch)
        );
        let error = Error::new(ErrorKind::Shape, message)
            .help("extents, aligned at the last axis, must be equal, or 1 in the distribution");
        Some(Array::invalid(error, here()))
    }

    #[track_caller]
    fn spread(&self, statistic: Array, event: &[usize]) -> Array {
        match self.check() {
            _ if statistic.error().is_some() => statistic,
            Some(error) => error,
            None => statistic.broadcast_to(join(&self.batch, event)),
        }
    }
}

impl<D: Distribution<Value = Array>> Distribution for Expanded<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.batch.as_slice().into()
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>> Support for Expanded<D> {
    fn support(&self) -> Constraint {
        self.base.support()
    }
}

impl<D: LogProb<Value = Array>> LogProb for Expanded<D> {
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let density = self.base.log_prob(x);
        match broadcast_shapes(density.shape(), &self.batch) {
            Some(shape) if density.error().is_none() => density.broadcast_to(shape),
            _ => density,
        }
    }
}

impl<D: Sample<Value = Array>> Sample for Expanded<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let (own, event) = (self.base.batch_shape(), self.base.event_shape());
        if is_lost(&own) {
            return self.base.sample_shape(key, shape);
        }
        let lead = self.batch.len() - own.len();
        let grown: Vec<usize> =
            (0..own.len()).filter(|&k| own[k] != self.batch[lead + k]).collect();
        let copies: Vec<usize> = grown.iter().map(|&k| self.batch[lead + k]).collect();
        let front = join(&shape, &self.batch[..lead]);
        let draws = self.base.sample_shape(key, join(&front, &copies));
        if draws.error().is_some() {
            return draws;
        }
        // Axes: front, copies, own batch, event. Each axis of copies takes the place of the axis
        // of extent 1 that it is of.
        let (n, m) = (front.len(), copies.len());
        let mut order: Vec<isize> = (0..n as isize).collect();
        for k in 0..own.len() {
            match grown.iter().position(|&g| g == k) {
                Some(copy) => order.push((n + copy) as isize),
                None => order.push((n + m + k) as isize),
            }
        }
        order.extend(grown.iter().map(|&k| (n + m + k) as isize));
        order.extend((n + m + own.len()..draws.rank()).map(|axis| axis as isize));
        let result = join(&join(&shape, &self.batch), &event);
        draws.permute(order).reshape(result)
    }
}

impl<D: Moments<Value = Array>> Moments for Expanded<D> {
    fn mean(&self) -> Array {
        self.spread(self.base.mean(), &self.base.event_shape())
    }

    fn variance(&self) -> Array {
        self.spread(self.base.variance(), &self.base.event_shape())
    }
}

impl<D: Mode<Value = Array>> Mode for Expanded<D> {
    fn mode(&self) -> Array {
        self.spread(self.base.mode(), &self.base.event_shape())
    }
}

impl<D: Entropy<Value = Array>> Entropy for Expanded<D> {
    fn entropy(&self) -> Array {
        self.spread(self.base.entropy(), &[])
    }
}
