//! A family of numbers as functions of its parameters, by name: what a row of a table becomes.
//! What a family cannot do is found out from the traits that its type has.

use probpipe::Array;
use probpipe::distributions::{Cdf, Distribution, Entropy, LogProb, Mode, Moments, Quantile};

/// A function of parameters, and maybe of points.
type Of = fn(&[Array]) -> Option<Array>;
type At = fn(&[Array], &Array) -> Option<Array>;

/// A family of numbers.
pub(super) struct Family {
    /// The name that cases give it.
    pub(super) name: &'static str,
    /// The names of the parameters in the order in which the functions take them.
    pub(super) parameters: &'static [&'static str],
    pub(super) log_prob: fn(&[Array], &Array) -> Array,
    pub(super) cdf: At,
    pub(super) survival: At,
    pub(super) log_cdf: At,
    pub(super) log_survival: At,
    pub(super) quantile: At,
    pub(super) upper_quantile: At,
    pub(super) mean: Of,
    pub(super) variance: Of,
    pub(super) entropy: Of,
    pub(super) mode: Of,
}

/// Rows of a table: the name that cases give to a family, and how it is made from parameters of
/// the names that they give.
macro_rules! families {
    ($($name:literal => $family:ident::$new:ident($($parameter:ident),*);)*) => {
        &[$($crate::distributions::family::row! {
            $name => $family [$($parameter),*] $family::$new($($parameter),*)
        }),*]
    };
}
pub(super) use families;

/// One row: the name, the type, the names of the parameters and what is made of them.
macro_rules! row {
    ($name:literal => $family:ty [$($parameter:ident),*] $made:expr) => {{
        #[allow(unused_imports)]
        use probpipe::distributions::*;
        fn make(parameters: &[probpipe::Array]) -> $family {
            let mut all = parameters.iter().cloned();
            $(let $parameter = all.next().unwrap_or_else(|| f64::NAN.into());)*
            let _ = &mut all;
            $made
        }
        $crate::distributions::family::Family {
            name: $name,
            parameters: &[$(stringify!($parameter)),*],
            log_prob: |p, x| $crate::distributions::family::log_prob(&make(p), x),
            cdf: |p, x| (&Probe(make(p))).cdf(x),
            survival: |p, x| (&Probe(make(p))).survival(x),
            log_cdf: |p, x| (&Probe(make(p))).log_cdf(x),
            log_survival: |p, x| (&Probe(make(p))).log_survival(x),
            quantile: |p, q| (&Probe(make(p))).quantile(q),
            upper_quantile: |p, q| (&Probe(make(p))).upper_quantile(q),
            mean: |p| (&Probe(make(p))).mean(),
            variance: |p| (&Probe(make(p))).variance(),
            entropy: |p| (&Probe(make(p))).entropy(),
            mode: |p| (&Probe(make(p))).mode(),
        }
    }};
}
pub(super) use row;

pub(super) fn log_prob<D: LogProb<Value = Array>>(distribution: &D, x: &Array) -> Array {
    distribution.log_prob(x)
}

/// A distribution that is asked for what it may not have. A method of `&Probe` is found where the
/// distribution has the trait of that capability; else that of `&&Probe`, which gives nothing.
pub(super) struct Probe<D>(pub(super) D);

macro_rules! capability {
    ($trait:path: $has:ident or $lacks:ident { $($method:ident($($x:ident)?)),+ }) => {
        pub(super) trait $has {
            $(fn $method(&self $(, $x: &Array)?) -> Option<Array>;)+
        }

        impl<D: $trait + Distribution<Value = Array>> $has for Probe<D> {
            $(fn $method(&self $(, $x: &Array)?) -> Option<Array> {
                Some(self.0.$method($($x)?))
            })+
        }

        // Of no use while every family has it.
        #[allow(dead_code)]
        pub(super) trait $lacks {
            $(fn $method(&self $(, $x: &Array)?) -> Option<Array> {
                $(let _ = $x;)?
                None
            })+
        }

        impl<D> $lacks for &Probe<D> {}
    };
}

capability!(Cdf: HasCdf or LacksCdf { cdf(x), survival(x), log_cdf(x), log_survival(x) });
capability!(Quantile: HasQuantile or LacksQuantile { quantile(q), upper_quantile(q) });
capability!(Moments: HasMoments or LacksMoments { mean(), variance() });
capability!(Entropy: HasEntropy or LacksEntropy { entropy() });
capability!(Mode: HasMode or LacksMode { mode() });
