//! Sums over many rows estimated from a few, for kernels that need no exact density.

use crate::random::randint;
use probpipe_trace::{Array, Error, ErrorKind, Key, Tree, here};

/// Rows of data, of which few are looked at a time. [`Sgld`](super::Sgld) and
/// [`Sghmc`](super::Sghmc) take steps by a density that is estimated anew each time:
///
/// ```
/// use probpipe::inference::mcmc::{Kernel, Minibatch, Sgld, StepCx};
/// use probpipe::prelude::*;
/// let data = Normal::new(2.0, 1.0).sample(Key::new(0), [10_000]);
/// let rows = Minibatch::new(data, 500);
/// let step = |state, key: Key| {
///     let (for_rows, for_step) = key.split();
///     let log_density = |x: Array| {
///         let terms = |y: Array| Normal::new(&x, 1.0).log_prob(&y);
///         rows.estimate(for_rows.reuse(), terms) - x.square() / 200.0
///     };
///     let (state, _) = Sgld::new(0.003).step(StepCx::new(for_step, &log_density), state);
///     (state.clone(), state.position)
/// };
/// let zero = |x: Array| x * 0.0;
/// let run = jit(|key: Key| {
///     let start = Sgld::new(0.003).init(&zero, array(0.0));
///     scan(start, key.split_batch(2000), step).1
/// });
/// let draws = run(Key::new(1)).slice_axis(0, 1000..2000);
/// assert!((draws.mean().item::<f32>()? - 2.0).abs() < 0.05);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Minibatch<T> {
    /// All rows: a tree of arrays with the same first axis.
    pub rows: T,
    /// How many are looked at.
    #[tree(static)]
    pub size: usize,
}

impl<T: Tree + Clone> Minibatch<T> {
    /// Of a tree of arrays with the same first axis, `size` rows at a time.
    pub fn new(rows: T, size: usize) -> Minibatch<T> {
        Minibatch { rows, size }
    }

    /// Rows at random, any row at any place: the tree with a first axis of `size`. Invalid if there
    /// is no axis that all have, or nothing to draw.
    #[track_caller]
    pub fn draw(&self, key: Key) -> T {
        match self.count() {
            Ok(count) => {
                let rows = randint(key, [self.size], 0, count as i64);
                self.rows.clone().map(|x| x.take(&rows, 0))
            }
            Err(error) => self.rows.clone().map(|_| Array::invalid(error.clone(), here())),
        }
    }

    /// The sum of a term over all rows, without bias: that over a draw, as much larger as there are
    /// more rows. The function gives the terms of rows `[size, ..]`.
    #[track_caller]
    pub fn estimate(&self, key: Key, terms: impl Fn(T) -> Array) -> Array {
        let more = self.count().map_or(1.0, |count| count as f64 / self.size as f64);
        terms(self.draw(key)).sum() * more
    }

    #[track_caller]
    fn count(&self) -> Result<usize, Error> {
        let leaves = self.rows.leaves();
        if let Some(error) = leaves.iter().find_map(|leaf| leaf.error()) {
            return Err(error.clone());
        }
        let first = leaves.first().and_then(|leaf| leaf.shape().first()).copied();
        let count = first.filter(|n| leaves.iter().all(|leaf| leaf.shape().first() == Some(n)));
        count.filter(|&n| n > 0 && self.size > 0).ok_or_else(|| {
            let shapes: Vec<_> = leaves.iter().map(|leaf| leaf.shape()).collect();
            let message = format!("{} rows of arrays of shapes {shapes:?}", self.size);
            Error::new(ErrorKind::Shape, message)
                .at(here())
                .help("give arrays with the same first axis, and draw one row at least")
        })
    }
}
