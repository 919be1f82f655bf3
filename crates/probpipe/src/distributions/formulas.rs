//! Formulas of families of numbers: from one expression for each, the traits of the capabilities.
//! What holds for all families (parameters are checked, densities vanish outside the support,
//! statistics have the batch shape) is said here, once. The declaration is in `declaration.rs`.

use super::parameters::Parameters;
use crate::constraints::Constraint;
use probpipe_trace::{Array, select};

/// A point as formulas take it: those of integers get it as a float, of the type that the
/// parameters decide, else of its own, else of the one that they have by default.
#[track_caller]
pub(crate) fn point<const N: usize>(
    support: &Constraint,
    x: &Array,
    parameters: &Parameters<N>,
) -> Array {
    match parameters.decided() {
        _ if !support.is_integer() || x.is_literal() => x.clone(),
        Some(dtype) => x.cast(dtype),
        None if x.dtype().is_float() => x.clone(),
        None => x.cast(parameters.dtype()),
    }
}

/// A point as a formula sees it: where it is outside of the support, an element of the support is
/// in its place, so that no value or slope out there spoils what is computed of many points.
pub(crate) struct Seen {
    /// What the formula gets.
    pub(crate) at: Array,
    /// Whether the point is in the support, if that needs saying.
    inside: Option<Array>,
    inner: Array,
    /// Where an end of the support is NaN, which is seen only when it is computed.
    endless: Option<Array>,
}

impl Seen {
    /// For a density; that of real numbers takes any.
    #[track_caller]
    pub(crate) fn by_density(support: &Constraint, x: &Array) -> Seen {
        Seen::new(support, x, matches!(support, Constraint::Real))
    }

    /// For a function of the distribution; that of integers takes any.
    #[track_caller]
    pub(crate) fn by_cdf(support: &Constraint, x: &Array) -> Seen {
        Seen::new(support, x, support.is_integer())
    }

    #[track_caller]
    fn new(support: &Constraint, x: &Array, any: bool) -> Seen {
        let inner = support.inner().filter(|_| !any);
        let Some(inner) = inner else {
            return Seen { at: x.clone(), inside: None, inner: x.clone(), endless: None };
        };
        let (inside, inner) = (support.check(x), inner.stop_gradient());
        let endless = without_end(support);
        Seen { at: select(&inside, x, &inner), inside: Some(inside), inner, endless }
    }

    /// The value of a density: `-inf` outside the support, and NaN where `x` or an end is NaN.
    #[track_caller]
    pub(crate) fn density(&self, x: &Array, value: Array) -> Array {
        let Some(inside) = &self.inside else { return value };
        let outside = select(&x.is_nan(), x, f64::NEG_INFINITY);
        select(inside, value, self.or_nan(outside))
    }

    #[track_caller]
    fn or_nan(&self, outside: Array) -> Array {
        match &self.endless {
            Some(endless) => select(endless, f64::NAN, outside),
            None => outside,
        }
    }

    /// The value of a density at integers, which are never NaN.
    #[track_caller]
    pub(crate) fn mass(&self, value: Array) -> Array {
        match &self.inside {
            Some(inside) => select(inside, value, f64::NEG_INFINITY),
            None => value,
        }
    }

    /// The value of a function of the distribution, which has the values `ends` below and above the
    /// support, and is NaN where `x` is NaN.
    #[track_caller]
    pub(crate) fn cdf(&self, x: &Array, ends: [f64; 2], value: Array) -> Array {
        let Some(inside) = &self.inside else { return value };
        let beyond = select(&x.lt(&self.inner), ends[0], ends[1]);
        select(inside, value, self.or_nan(select(&x.is_nan(), x, beyond)))
    }
}

/// Where an end of a set is NaN; of ends that are known, which are checked, nothing.
#[track_caller]
fn without_end(support: &Constraint) -> Option<Array> {
    let ends = match support {
        Constraint::AtLeast(end) | Constraint::GreaterThan(end) | Constraint::AtMost(end) => {
            vec![end]
        }
        Constraint::Interval(low, high) | Constraint::IntegerInterval(low, high) => vec![low, high],
        _ => return None,
    };
    let open = ends.into_iter().filter(|end| end.known().is_none() && end.dtype().is_float());
    open.map(|end| end.is_nan()).reduce(|a, b| a | b)
}

/// What a function of the distribution is below and above the support.
macro_rules! ends {
    (cdf) => {
        [0.0, 1.0]
    };
    (survival) => {
        [1.0, 0.0]
    };
    (log_cdf) => {
        [f64::NEG_INFINITY, 0.0]
    };
    (log_survival) => {
        [0.0, f64::NEG_INFINITY]
    };
}
pub(crate) use ends;

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
                let x = &$crate::distributions::formulas::point(&support, x, &self.parameters);
                let seen = $crate::distributions::formulas::Seen::by_density(&support, x);
                #[allow(unused_variables)]
                let $x = &seen.at;
                seen.density(x, $formula)
            }
        }
    };
    (
        $name:ident $parameters:tt
        Sample { draw($key:ident, $shape:ident $(, $dtype:ident)?) => $formula:expr $(,)? }
    ) => {
        impl $crate::distributions::Sample for $name {
            fn sample_shape(
                &self,
                $key: probpipe_trace::Key,
                shape: probpipe_trace::Shape,
            ) -> probpipe_trace::Array {
                #[allow(unused_variables)]
                let $parameters = &self.checked();
                let batch = $crate::distributions::Distribution::batch_shape(self);
                let $shape = &$crate::distributions::shapes::join(&shape, &batch);
                $(let $dtype = self.dtype();)?
                $formula
            }

            fn enumerate(&self) -> Option<(probpipe_trace::Array, probpipe_trace::Array)> {
                $crate::distributions::finite::of(self)
            }
        }
    };
    ($name:ident $parameters:tt Sample { $noise:ident($u:ident) => $formula:expr $(,)? }) => {
        $crate::distributions::formulas::capability! {
            $name $parameters Sample {
                draw(key, shape, dtype) => {
                    let $u = $crate::distributions::formulas::noise!($noise)(dtype, key, shape);
                    $formula
                }
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
                    let x = &$crate::distributions::formulas::point(&support, x, &self.parameters);
                    let ends = $crate::distributions::formulas::ends!($method);
                    let seen = $crate::distributions::formulas::Seen::by_cdf(&support, x);
                    let $x = &seen.at;
                    seen.cdf(x, ends, $formula)
                }
            )+
        }
    };
    (
        $name:ident $parameters:tt
        Quantile {
            $($method:ident($q:ident $(, $upper:ident)?) => $formula:expr),+ $(,)?
        }
    ) => {
        impl $crate::distributions::Quantile for $name {
            $(
                fn $method(
                    &self,
                    q: &probpipe_trace::Array,
                    $($upper: &probpipe_trace::Array)?
                ) -> probpipe_trace::Array {
                    #[allow(unused_variables)]
                    let $parameters = &self.checked();
                    let $q = &$crate::distributions::formulas::probability(q);
                    $formula
                }
            )+
        }
    };
    // Moments, the mode, the entropy.
    (
        $name:ident $parameters:tt
        $capability:ident { $($statistic:ident => $formula:expr),+ $(,)? }
    ) => {
        impl $crate::distributions::$capability for $name {
            $(
                fn $statistic(&self) -> probpipe_trace::Array {
                    #[allow(unused_variables)]
                    let $parameters = &self.checked();
                    self.shaped($formula, &[])
                }
            )+
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
    (exponential) => {
        $crate::random::exponential_of
    };
    (gumbel) => {
        $crate::random::gumbel_of
    };
    (logistic) => {
        $crate::random::logistic_of
    };
    (cauchy) => {
        $crate::random::cauchy_of
    };
    (open) => {
        $crate::distributions::terms::open_uniform_of
    };
    (symmetric) => {
        $crate::random::symmetric_uniform_of
    };
}
pub(crate) use noise;
