//! Families that are cut to what lies between ends, by file. What cutting does is in
//! `distributions::cut`, and `Truncated` cuts any distribution.

pub(crate) mod gamma;
pub(crate) mod normal;
mod symmetric;

pub use gamma::{LeftTruncatedGamma, RightTruncatedGamma, TwoSidedTruncatedGamma};
pub use normal::{LeftTruncatedNormal, RightTruncatedNormal, TruncatedNormal};
pub use symmetric::{TruncatedCauchy, TruncatedLaplace, TruncatedLogistic, TruncatedStudentT};

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
                    quantile(q) => cut!($whole($($parameter),+), $low, $high).quantile(q),
                    upper_quantile(q) =>
                        cut!($whole($($parameter),+), $low, $high).upper_quantile(q),
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
        $crate::distributions::cut::Cut {
            whole: &$crate::distributions::continuous::$whole::new($($parameter),+),
            low: end!($low),
            high: end!($high),
            counts: false,
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
