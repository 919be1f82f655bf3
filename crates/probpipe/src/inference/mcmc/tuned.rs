//! Kernels that go by a step size and a metric, which a warm-up finds.

use super::dynamics::Point;
use super::kernel::Kernel;
use super::metric::Metric;
use probpipe_trace::{Array, Error, ErrorKind, Tree, here};

/// A kernel with a step size and a metric, which moves by gradients.
pub trait Tuned: Kernel {
    /// With these.
    #[must_use]
    fn tuned(&self, tuning: &Tuning) -> Self;

    /// The size of a step to begin with.
    fn step_size(&self) -> &Array;

    /// How far a step of size 1 goes, in units of a leapfrog step of size 1 with a momentum of its
    /// own: what such a step says of sizes is said of those of this kernel by a factor.
    fn stride(_point: &Point) -> f64 {
        1.0
    }

    /// The place and the gradient of a state.
    fn point(state: &Self::State) -> &Point;

    /// The probability of acceptance that a step had.
    fn acceptance(info: &Self::Info) -> &Array;

    /// That which its steps should have on average.
    fn target_acceptance(&self) -> f64;
}

/// What a kernel goes by.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Tuning {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density.
    pub metric: Metric,
}

/// A step size, unless steps are to be accepted as often as none can be: then an error in its
/// place, which whatever is made with it has.
#[track_caller]
pub(crate) fn attainable(step_size: Array, target_acceptance: f64) -> Array {
    if target_acceptance > 0.0 && target_acceptance < 1.0 {
        return step_size;
    }
    let message = format!("no step size has a mean acceptance of {target_acceptance}");
    let error = Error::new(ErrorKind::Value, message)
        .help("give a target acceptance above 0 and below 1, such as 0.9");
    Array::invalid(error, here())
}

/// [`Tuned`] for a kernel with fields `step_size`, `metric` and `target_acceptance`, whose states
/// are points and whose information has an `acceptance`; what of it is not usual; and how it is
/// told what to look for.
macro_rules! tuned {
    ($kernel:ident, $info:ty $(; $($unusual:tt)*)?) => {
        impl $kernel {
            /// With another mean probability of acceptance that a warm-up looks for, above 0 and
            /// below 1: a higher one makes shorter steps, which get further into narrow places.
            /// Another number makes the step size invalid, and so a run an error that says it.
            #[track_caller]
            #[doc(alias = "numpyro.target_accept_prob")]
            #[doc(alias = "stan.adapt_delta")]
            pub fn target_acceptance(mut self, target_acceptance: f64) -> $kernel {
                self.step_size =
                    $crate::inference::mcmc::tuned::attainable(self.step_size, target_acceptance);
                self.target_acceptance = target_acceptance;
                self
            }
        }

        impl $crate::inference::mcmc::Tuned for $kernel {
            fn tuned(&self, tuning: &$crate::inference::mcmc::Tuning) -> $kernel {
                let (step_size, metric) = (tuning.step_size.clone(), tuning.metric.clone());
                $kernel { step_size, metric, ..self.clone() }
            }

            fn step_size(&self) -> &Array {
                &self.step_size
            }

            fn point(state: &Point) -> &Point {
                state
            }

            fn acceptance(info: &$info) -> &Array {
                &info.acceptance
            }

            fn target_acceptance(&self) -> f64 {
                self.target_acceptance
            }

            $($($unusual)*)?
        }
    };
}

pub(super) use tuned;
