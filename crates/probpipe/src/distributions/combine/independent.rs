//! Batch axes as axes of an event.

use super::points::sum_last;
use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use probpipe_trace::{Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, here};

/// Independent copies as one distribution: the last batch axes of another are a part of its event.
///
/// ```
/// use probpipe::distributions::Independent;
/// use probpipe::prelude::*;
/// let vectors = Independent::new(Normal::new(zeros([3]), 1.0), 1);
/// assert_eq!(vectors.event_shape()[..], [3]);
/// assert_eq!(vectors.log_prob(&zeros([5, 3])).shape(), [5]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Independent<D> {
    base: D,
    #[tree(static)]
    rank: usize,
}

impl<D: Distribution<Value = Array>> Independent<D> {
    /// With the last `rank` batch axes as axes of the event. If there are fewer, every use gives
    /// an error that says so.
    pub fn new(base: D, rank: usize) -> Independent<D> {
        Independent { base, rank }
    }

    /// The distribution of one copy.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// The error of more axes than there are.
    #[track_caller]
    fn check(&self) -> Option<Array> {
        let batch = self.base.batch_shape();
        if batch.len() >= self.rank {
            return None;
        }
        let message = format!(
            "an Independent of {} batch axes is made of a distribution with batch shape {}",
            self.rank,
            ShapeDisplay(&batch)
        );
        let error = Error::new(ErrorKind::Shape, message)
            .help("give the parameters those axes, or ask for fewer");
        Some(Array::invalid(error, here()))
    }

    fn lead(&self) -> usize {
        self.base.batch_shape().len().saturating_sub(self.rank)
    }
}

impl<D: Distribution<Value = Array>> Distribution for Independent<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.base.batch_shape()[..self.lead()].into()
    }

    fn event_shape(&self) -> Shape {
        join(&self.base.batch_shape()[self.lead()..], &self.base.event_shape())
    }
}

impl<D: Support<Value = Array>> Support for Independent<D> {
    /// That of one copy: it holds for each.
    fn support(&self) -> Constraint {
        self.base.support()
    }
}

impl<D: LogProb<Value = Array>> LogProb for Independent<D> {
    fn log_prob(&self, x: &Array) -> Array {
        self.check().unwrap_or_else(|| sum_last(self.base.log_prob(x), self.rank))
    }
}

impl<D: Sample<Value = Array>> Sample for Independent<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        self.check().unwrap_or_else(|| self.base.sample_shape(key, shape))
    }
}

impl<D: Moments<Value = Array>> Moments for Independent<D> {
    fn mean(&self) -> Array {
        self.check().unwrap_or_else(|| self.base.mean())
    }

    fn variance(&self) -> Array {
        self.check().unwrap_or_else(|| self.base.variance())
    }
}

impl<D: Mode<Value = Array>> Mode for Independent<D> {
    fn mode(&self) -> Array {
        self.check().unwrap_or_else(|| self.base.mode())
    }
}

impl<D: Entropy<Value = Array>> Entropy for Independent<D> {
    fn entropy(&self) -> Array {
        self.check().unwrap_or_else(|| sum_last(self.base.entropy(), self.rank))
    }
}
