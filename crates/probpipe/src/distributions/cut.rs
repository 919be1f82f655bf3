//! What is left of a distribution between two ends, or on one side of one: the formulas, by those
//! of the whole distribution. Probabilities are those of the side on which they are small, and
//! their logarithms, so that both tails are exact. No family lies here.

use super::{Cdf, LogProb, Quantile};
use probpipe_trace::{Array, DType, cond, fori_loop, here, select, with_location, zeros_like};

/// A distribution and its ends, of which one at least is there.
pub(crate) struct Cut<'a, D> {
    pub(crate) whole: &'a D,
    /// The lower end. Of counts, the last number that is cut off.
    pub(crate) low: Option<&'a Array>,
    pub(crate) high: Option<&'a Array>,
    /// Whether the whole is one of counts.
    pub(crate) counts: bool,
}

impl<D: LogProb<Value = Array> + Cdf + Quantile> Cut<'_, D> {
    /// The logarithm of the probability that the whole distribution has between two ends.
    #[track_caller]
    pub(crate) fn log_between(&self, low: Option<&Array>, high: Option<&Array>) -> Array {
        let (low, high) = match (low, high) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => return self.whole.log_survival(low),
            (None, Some(high)) => return self.whole.log_cdf(high),
            (None, None) => return 0.0.into(),
        };
        let upper = self.whole.cdf(low).gt(0.5);
        let more = select(&upper, self.whole.log_survival(low), self.whole.log_cdf(high));
        let less = select(&upper, self.whole.log_survival(high), self.whole.log_cdf(low));
        // What is not there takes nothing away.
        let none = less.eq(f64::NEG_INFINITY);
        let gap = select(&none, 1e3, &more - select(&none, 0.0, less));
        more + gap.log1mexp()
    }

    /// The logarithm of what is left.
    #[track_caller]
    pub(crate) fn log_mass(&self) -> Array {
        self.log_between(self.low, self.high)
    }

    #[track_caller]
    pub(crate) fn log_prob(&self, x: &Array) -> Array {
        self.whole.log_prob(x) - self.log_mass()
    }

    #[track_caller]
    pub(crate) fn log_cdf(&self, x: &Array) -> Array {
        (self.log_between(self.low, Some(x)) - self.log_mass()).minimum(0.0)
    }

    #[track_caller]
    pub(crate) fn log_survival(&self, x: &Array) -> Array {
        (self.log_between(Some(x), self.high) - self.log_mass()).minimum(0.0)
    }

    #[track_caller]
    pub(crate) fn quantile(&self, q: &Array) -> Array {
        self.place(q.clone(), 1.0 - q)
    }

    #[track_caller]
    pub(crate) fn upper_quantile(&self, q: &Array) -> Array {
        self.place(1.0 - q, q.clone())
    }

    /// The number below which a draw lies with probability `q`, and above with probability `r`,
    /// from the nearer tail of the whole distribution. Where so little is left that its probability
    /// is no number any more, it is searched for.
    #[track_caller]
    fn place(&self, q: Array, r: Array) -> Array {
        let log_mass = self.log_mass();
        if self.counts || q.error().is_some() || log_mass.error().is_some() {
            return self.by_numbers([&q, &r], &log_mass);
        }
        let least = if log_mass.dtype() == DType::F64 { -700.0 } else { -80.0 };
        let smaller = q.minimum(&r);
        let part = select(&smaller.gt(0.0), smaller, 0.5).log();
        let lost = (&log_mass + part).lt(least) & log_mass.gt(f64::NEG_INFINITY);
        // A caller's line does not pass through a closure by itself.
        with_location(here(), || {
            cond(
                lost.any(),
                (q, r),
                |(q, r): (Array, Array)| self.by_logarithms([&q, &r], &log_mass, &lost),
                |(q, r): (Array, Array)| self.by_numbers([&q, &r], &log_mass),
            )
        })
    }

    /// The quantile by probabilities. Rounding must not carry it out of the ends.
    #[track_caller]
    fn by_numbers(&self, [q, r]: [&Array; 2], log_mass: &Array) -> Array {
        let mass = log_mass.exp();
        let (mut below, mut above) = (q * &mass, r * &mass);
        if let Some(low) = self.low {
            below += self.whole.cdf(low);
        }
        if let Some(high) = self.high {
            above += self.whole.survival(high);
        }
        let upper = below.gt(0.5);
        let side = select(&upper, above, below);
        let mut x = self.clipped(self.whole.side_quantile(&side, &upper));
        // The ends themselves, of which the tail of the whole may be no number.
        if let (Some(low), false) = (self.low, self.counts) {
            x = select(&(&upper & q.eq(0.0)), low, x);
        }
        if let (Some(high), false) = (self.high, self.counts) {
            x = select(&(!&upper & r.eq(0.0)), high, x);
        }
        x
    }

    #[track_caller]
    fn clipped(&self, mut x: Array) -> Array {
        if let Some(low) = self.low {
            x = x.maximum(if self.counts { low + 1.0 } else { low.clone() });
        }
        if let Some(high) = self.high {
            x = x.minimum(high);
        }
        x
    }

    /// The quantile where probabilities are `lost`: there the logarithms of the tails are inverted,
    /// by steps of Newton from the end that is nearer to the middle of the whole, or from the
    /// middle. Logarithms of tails are concave or nearly so, of which these steps find the root
    /// from there; towards a support that ends at 0 they go in the logarithm of the place.
    #[track_caller]
    fn by_logarithms(&self, [q, r]: [&Array; 2], log_mass: &Array, lost: &Array) -> Array {
        let x = self.by_numbers([q, r], log_mass);
        if x.error().is_some() {
            return x;
        }
        let inner = lost & &q.gt(0.0) & r.gt(0.0);
        // Ends that are not there lie where the tail beyond them is empty.
        let (zero, nothing) = (zeros_like(&x), f64::NEG_INFINITY);
        let (before, left) = match self.low {
            Some(low) => (self.whole.cdf(low), self.whole.log_cdf(low)),
            None => (0.0.into(), nothing.into()),
        };
        let upper = (q * log_mass.exp() + before + &zero).gt(0.5);
        let right = match self.high {
            Some(high) => self.whole.log_survival(high),
            None => nothing.into(),
        };
        let part = log_mass + select(&inner, select(&upper, r, q), 0.5).log();
        let target = part.logaddexp(select(&upper, right, left));
        let middle = self.whole.quantile(&(&zero + 0.5));
        let right = self.low.map_or_else(|| middle.clone(), |low| middle.maximum(low));
        let left = self.high.map_or_else(|| middle.clone(), |high| middle.minimum(high));
        let start = (select(&upper, right, left) + &zero).stop_gradient();
        let towards_zero = !&upper & self.whole.log_cdf(&zero).eq(nothing) & start.gt(0.0);
        let step = |x: &Array| {
            let tail = select(&upper, self.whole.log_survival(x), self.whole.log_cdf(x));
            let sign = select(&upper, -1.0, 1.0);
            let slope = (self.whole.log_prob(x) - &tail).exp() * sign;
            (tail - &target, slope)
        };
        let root = fori_loop(12, start, |_, x: Array| {
            let (off, slope) = step(&x);
            let change = off / slope;
            let some = select(&towards_zero, &x, 1.0);
            let scaled = &some * (-(&change / &some)).exp();
            self.clipped(select(&towards_zero, scaled, x - change)).stop_gradient()
        });
        // One step more carries the derivatives.
        let (off, slope) = step(&root);
        select(&inner, self.clipped(&root - off / slope.stop_gradient()), x)
    }
}
