//! How long a chain remembers, found while it runs.

use probpipe_trace::{Array, Tree, concat, select, zeros_like, zeros_of};

/// Products of the positions of a chain with those some steps before, for the time after which it
/// has forgotten where it was.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Lags {
    /// How many positions there were, a float.
    pub count: Array,
    /// What is taken from each so that squares keep their digits.
    centre: Array,
    /// The sum of all.
    sum: Array,
    /// The last ones, the latest first, `[lags, n]`.
    last: Array,
    /// Sums of the products with those before, `[lags, n]`.
    products: Array,
}

impl Lags {
    /// Nothing yet, of positions about a centre, for lags below a number.
    pub fn about(centre: &Array, lags: usize) -> Lags {
        let centre = centre.flatten();
        let none = zeros_of(centre.dtype(), [lags, centre.size()]);
        Lags {
            count: zeros_of(centre.dtype(), ()),
            sum: zeros_like(&centre),
            centre,
            last: none.clone(),
            products: none,
        }
    }

    /// With one position more.
    pub fn with(&self, x: &Array) -> Lags {
        let off = x.flatten() - &self.centre;
        let row = off.expand_dims(0);
        let lags = self.last.shape()[0];
        let last = concat([&row, &self.last.slice_axis(0, 0..lags - 1)], 0);
        Lags {
            count: &self.count + 1.0,
            centre: self.centre.clone(),
            sum: &self.sum + off,
            products: &self.products + &last * row,
            last,
        }
    }

    /// Steps for each independent draw, averaged over the entries: one and twice the sum of the
    /// autocorrelations, in pairs as long as these are positive (C. J. Geyer, 1992, "Practical
    /// Markov chain Monte Carlo"). Not a number where no entry has moved.
    pub fn time(&self) -> Array {
        let [lags, n] = self.products.shape() else { return self.count.clone() };
        let mean = &self.sum / &self.count;
        let covariance = &self.products / &self.count - mean.square();
        let correlation = &covariance / covariance.at(0);
        let pairs =
            correlation.slice_axis(0, 0..lags / 2 * 2).reshape([lags / 2, 2, *n]).sum_axes(1);
        let positive = pairs.gt(0.0).cast(pairs.dtype()).cumprod(0);
        let times = (pairs * positive).sum_axes(0) * 2.0 - 1.0;
        let known = times.is_finite();
        let number = known.cast(times.dtype()).sum();
        select(known, times, 0.0).sum() / number
    }
}
