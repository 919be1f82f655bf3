//! Means and variances of a stream (B. P. Welford, 1962).

use probpipe_trace::{Array, Tree, zeros_like, zeros_of};

/// The mean of a stream of arrays, and their variances or covariances.
///
/// ```
/// use probpipe::inference::adapt::Moments;
/// use probpipe::prelude::*;
/// let mut seen = Moments::diagonal(&zeros([2]));
/// for x in [[1.0, 0.0], [3.0, 0.0], [5.0, 3.0]] {
///     seen = seen.with(&array(x));
/// }
/// assert_eq!(seen.covariance().to_vec::<f32>()?, [4.0, 3.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Moments {
    /// How many there were, a float.
    pub count: Array,
    /// Their mean.
    pub mean: Array,
    /// The sum of squares, or of outer products, of the differences from it.
    pub sum: Array,
}

impl Moments {
    /// Nothing yet; with variances of arrays like `x`.
    pub fn diagonal(x: &Array) -> Moments {
        Moments { count: zeros_of(x.dtype(), ()), mean: zeros_like(x), sum: zeros_like(x) }
    }

    /// Nothing yet; with covariances of vectors like `x`, `[n]`.
    pub fn dense(x: &Array) -> Moments {
        let sum = zeros_of(x.dtype(), [x.size(), x.size()]);
        Moments { count: zeros_of(x.dtype(), ()), mean: zeros_like(x), sum }
    }

    /// With one more.
    #[must_use]
    #[track_caller]
    pub fn with(&self, x: &Array) -> Moments {
        let count = &self.count + 1.0;
        let before = x - &self.mean;
        let mean = &self.mean + &before / &count;
        let after = x - &mean;
        Moments { count, mean, sum: &self.sum + self.products(&after, &before) }
    }

    /// Of two streams together (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979, "Updating formulae
    /// and a pairwise algorithm for computing sample variances").
    #[must_use]
    #[track_caller]
    pub fn and(&self, other: &Moments) -> Moments {
        let count = &self.count + &other.count;
        // Of two that are empty the mean is that of either.
        let share = &other.count / count.maximum(1.0);
        let apart = &other.mean - &self.mean;
        let between = self.products(&apart, &apart) * (&self.count * &share);
        Moments { mean: &self.mean + apart * share, sum: &self.sum + &other.sum + between, count }
    }

    /// Of each entry by itself.
    #[must_use]
    pub(super) fn entries(&self) -> Moments {
        let dense = self.sum.rank() > self.mean.rank();
        let sum = if dense { self.sum.diagonal() } else { self.sum.clone() };
        Moments { sum, ..self.clone() }
    }

    /// Of the entries, or of all pairs of entries.
    fn products(&self, a: &Array, b: &Array) -> Array {
        if self.sum.rank() > a.rank() { a.expand_dims(1) * b.expand_dims(0) } else { a * b }
    }

    /// The variances or covariances, unbiased; 0 / 0 for fewer than two.
    pub fn covariance(&self) -> Array {
        &self.sum / (&self.count - 1.0)
    }

    /// The variances of the entries.
    pub fn variance(&self) -> Array {
        let all = self.covariance();
        if self.sum.rank() > self.mean.rank() { all.diagonal() } else { all }
    }
}
