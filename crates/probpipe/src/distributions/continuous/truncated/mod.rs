//! Distributions that are cut to what lies between ends: the formulas, by those of the whole
//! distribution, and the families, by file. Probabilities are those of the side on which they are
//! small, and their logarithms, so that both tails are exact.

mod gamma;
mod normal;
mod symmetric;

pub use gamma::{LeftTruncatedGamma, RightTruncatedGamma, TwoSidedTruncatedGamma};
pub use normal::{LeftTruncatedNormal, RightTruncatedNormal, TruncatedNormal};
pub use symmetric::{TruncatedCauchy, TruncatedLaplace, TruncatedLogistic, TruncatedStudentT};

use crate::distributions::{Cdf, LogProb, Quantile};
use probpipe_trace::{Array, select};

/// What is left of a distribution between two ends, or on one side of one.
pub(crate) struct Cut<'a, D> {
    pub(crate) whole: D,
    pub(crate) low: Option<&'a Array>,
    pub(crate) high: Option<&'a Array>,
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

    /// The quantile, from the nearer tail of the whole distribution. Rounding must not carry it out
    /// of the ends.
    #[track_caller]
    pub(crate) fn quantile(&self, q: &Array) -> Array {
        let mass = self.log_mass().exp();
        let (mut below, mut above) = (q * &mass, (1.0 - q) * &mass);
        if let Some(low) = self.low {
            below += self.whole.cdf(low);
        }
        if let Some(high) = self.high {
            above += self.whole.survival(high);
        }
        let upper = below.gt(0.5);
        let left = self.whole.quantile(&select(&upper, 0.25, below));
        let right = self.whole.upper_quantile(&select(&upper, above, 0.25));
        let mut x = select(&upper, right, left);
        if let Some(low) = self.low {
            x = x.maximum(low);
        }
        if let Some(high) = self.high {
            x = x.minimum(high);
        }
        x
    }
}

/// A family that is another one, cut: its parameters, those of its ends, the support, and formulas
/// beyond those that every cut has.
macro_rules! truncated {
    (
        $(#[$about:meta])*
        $name:ident of $whole:ident {
            $($(#[$what:meta])* $parameter:ident: $constraint:ident,)+
        }
        from $low:tt to $high:tt {
            $($(#[$which:meta])* $end:ident: $limit:ident,)+
        }
        on $support:ident $bounds:tt $(where $less:ident < $more:ident)?
        $({ $($formulas:tt)* })?
    ) => {
        $crate::distributions::declaration::family! {
            $(#[$about])*
            $name::new {
                $($(#[$what])* $parameter: $constraint,)+
                $($(#[$which])* $end: $limit,)+
            }
            on $support $bounds $(where $less < $more)? {
                LogProb {
                    log_prob(x) => cut!($whole($($parameter),+), $low, $high).log_prob(x)
                }
                Sample {
                    open(u) => cut!($whole($($parameter),+), $low, $high).quantile(&u)
                }
                Cdf {
                    cdf(x) => cut!($whole($($parameter),+), $low, $high).log_cdf(x).exp(),
                    survival(x) => cut!($whole($($parameter),+), $low, $high).log_survival(x).exp(),
                    log_cdf(x) => cut!($whole($($parameter),+), $low, $high).log_cdf(x),
                    log_survival(x) => cut!($whole($($parameter),+), $low, $high).log_survival(x),
                }
                Quantile {
                    quantile(q) => cut!($whole($($parameter),+), $low, $high).quantile(q)
                }
                $($($formulas)*)?
            }
        }
    };
}
use truncated;

/// A whole distribution between its ends, of which `_` is none.
macro_rules! cut {
    ($whole:ident($($parameter:ident),+), $low:tt, $high:tt) => {
        $crate::distributions::continuous::truncated::Cut {
            whole: $crate::distributions::continuous::$whole::new($($parameter),+),
            low: end!($low),
            high: end!($high),
        }
    };
}
use cut;

macro_rules! end {
    (_) => {
        None
    };
    ($end:ident) => {
        Some($end)
    };
}
use end;
