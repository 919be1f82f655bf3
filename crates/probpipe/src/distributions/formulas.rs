//! Formulas of families of numbers: from one expression for each, the traits of the capabilities.
//! What holds for all families (parameters are checked, densities vanish outside the support,
//! statistics have the batch shape) is said here, once. The declaration is in `declaration.rs`.

use crate::constraints::Constraint;
use probpipe_trace::{Array, DType, select};

/// A point as formulas take it: those of integers get it as a float.
#[track_caller]
pub(crate) fn point(support: &Constraint, x: &Array, dtype: DType) -> Array {
    if support.is_integer() && !x.is_literal() { x.cast(dtype) } else { x.clone() }
}

/// A density where `x` is in the support, `-inf` elsewhere, and NaN where `x` is NaN.
#[track_caller]
pub(crate) fn within(support: &Constraint, log_prob: Array, x: &Array) -> Array {
    match support {
        Constraint::Real => log_prob,
        _ => {
            let outside = select(&x.is_nan(), x, f64::NEG_INFINITY);
            select(&support.check(x), log_prob, outside)
        }
    }
}

/// A probability, NaN where it is none.
#[track_caller]
pub(crate) fn probability(q: &Array) -> Array {
    select(&(q.ge(0.0) & q.le(1.0)), q, f64::NAN)
}

/// The capabilities of a family, one by one.
macro_rules! formulas {
    ($name:ident $parameters:tt $($capability:ident $formulas:tt)*) => {
        $($crate::distributions::formulas::capability! {
            $name $parameters $capability $formulas
        })*
    };
}
pub(crate) use formulas;

/// One capability from its formulas, in which parameters are `&Array` by name.
macro_rules! capability {
    ($name:ident $parameters:tt LogProb { log_prob($x:ident) => $formula:expr $(,)? }) => {
        impl $crate::distributions::LogProb for $name {
            fn log_prob(&self, x: &probpipe_trace::Array) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                let support = $crate::distributions::Support::support(self);
                let $x = &$crate::distributions::formulas::point(&support, x, self.dtype());
                $crate::distributions::formulas::within(&support, $formula, $x)
            }
        }
    };
    ($name:ident $parameters:tt Sample { $noise:ident($u:ident) => $formula:expr $(,)? }) => {
        impl $crate::distributions::Sample for $name {
            fn sample_shape(
                &self,
                key: probpipe_trace::Key,
                shape: probpipe_trace::Shape,
            ) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                let batch = $crate::distributions::Distribution::batch_shape(self);
                let shape = $crate::distributions::shapes::join(&shape, &batch);
                let $u = $crate::distributions::formulas::noise!($noise)(self.dtype(), key, shape);
                $formula
            }
        }
    };
    ($name:ident $parameters:tt Cdf { $($method:ident($x:ident) => $formula:expr),+ $(,)? }) => {
        impl $crate::distributions::Cdf for $name {
            $(
                fn $method(&self, x: &probpipe_trace::Array) -> probpipe_trace::Array {
                    #[allow(unused_variables)]
                    let $parameters = &self.checked();
                    let support = $crate::distributions::Support::support(self);
                    let $x = &$crate::distributions::formulas::point(&support, x, self.dtype());
                    $formula
                }
            )+
        }
    };
    ($name:ident $parameters:tt Quantile { quantile($q:ident) => $formula:expr $(,)? }) => {
        impl $crate::distributions::Quantile for $name {
            fn quantile(&self, q: &probpipe_trace::Array) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                let $q = &$crate::distributions::formulas::probability(q);
                $formula
            }
        }
    };
    (
        $name:ident $parameters:tt
        Moments { mean => $mean:expr, variance => $variance:expr $(,)? }
    ) => {
        impl $crate::distributions::Moments for $name {
            fn mean(&self) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                self.shaped($mean, &[])
            }

            fn variance(&self) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                self.shaped($variance, &[])
            }
        }
    };
    ($name:ident $parameters:tt Entropy { entropy => $formula:expr $(,)? }) => {
        impl $crate::distributions::Entropy for $name {
            fn entropy(&self) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                self.shaped($formula, &[])
            }
        }
    };
}
pub(crate) use capability;

/// What a sampler starts from.
macro_rules! noise {
    (uniform) => {
        $crate::random::uniform_of
    };
    (normal) => {
        $crate::random::normal_of
    };
    (symmetric) => {
        $crate::random::symmetric_uniform_of
    };
}
pub(crate) use noise;
