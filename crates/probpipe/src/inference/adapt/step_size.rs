//! The size of steps: by dual averaging (Yu. Nesterov, 2009; M. D. Hoffman, A. Gelman, 2014).

use crate::inference::mcmc::{Integrator, LogDensity, Metric, Point, one_step};
use probpipe_trace::{Array, Key, Tree, select, while_loop};

/// A search for the step size at which steps are accepted with the probability that is wished for.
///
/// ```
/// use probpipe::inference::adapt::DualAveraging;
/// use probpipe::prelude::*;
/// // Where acceptance falls as exp(-size), 0.8 is met at 0.223.
/// let search = fori_loop(500, DualAveraging::new(1.0), |_, search| {
///     let acceptance = (-search.step_size()).exp();
///     search.update(&acceptance, 0.8)
/// });
/// assert!((search.average().item::<f32>()? - 0.223).abs() < 0.02);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct DualAveraging {
    /// The logarithm of the step size to try next.
    pub log_step_size: Array,
    /// The average of those tried, of late ones more.
    pub log_average: Array,
    /// The average of how much acceptance was missed by.
    pub error: Array,
    /// Updates so far.
    pub count: Array,
    /// What the search is drawn towards: the logarithm of ten times the first size.
    pub towards: Array,
}

/// How strongly the search is drawn, how early updates are damped, and how averages forget: the
/// figures of Hoffman and Gelman.
const GAMMA: f64 = 0.05;
const T0: f64 = 10.0;
const KAPPA: f64 = 0.75;

impl DualAveraging {
    /// From a first size, a scalar.
    pub fn new(step_size: impl Into<Array>) -> DualAveraging {
        let log_step_size = step_size.into().log();
        let zero = &log_step_size * 0.0;
        DualAveraging {
            towards: &log_step_size + 10f64.ln(),
            log_average: zero.clone(),
            error: zero.clone(),
            count: zero,
            log_step_size,
        }
    }

    /// After a step that was accepted with this probability.
    #[must_use]
    pub fn update(&self, acceptance: &Array, target: f64) -> DualAveraging {
        let count = &self.count + 1.0;
        let part = (&count + T0).recip();
        // No acceptance at all where it is not a number.
        let acceptance = select(&acceptance.is_nan(), 0.0, acceptance);
        let error = (1.0 - &part) * &self.error + part * (target - acceptance);
        let weight = (count.log() * -KAPPA).exp();
        DualAveraging {
            log_step_size: &self.towards - count.sqrt() / GAMMA * &error,
            log_average: &weight * &self.log_step_size + (1.0 - &weight) * &self.log_average,
            error,
            count,
            towards: self.towards.clone(),
        }
    }

    /// The size to try next.
    pub fn step_size(&self) -> Array {
        self.log_step_size.exp()
    }

    /// The size to keep.
    pub fn average(&self) -> Array {
        self.log_average.exp()
    }
}

/// A step size of the right order: doubled or halved from `first` until one leapfrog step with a
/// random momentum is accepted with a probability on the other side of 0.8.
#[track_caller]
pub fn reasonable_step_size(
    key: Key,
    log_density: LogDensity<'_>,
    point: &Point,
    metric: &Metric,
    first: &Array,
) -> Array {
    let zero = &point.log_density * 0.0;
    let gain = |log_size: &Array| {
        let key = key.reuse();
        one_step(key, log_density, Integrator::VelocityVerlet, metric, &log_size.exp2(), point)
    };
    // Whether the step is accepted easily; a gain that is not a number is not.
    let easy = |gain: &Array| gain.gt(0.8f64.ln());
    let start = first.log2() + &zero;
    let up = easy(&gain(&start));
    let by = select(&up, 1.0, -1.0) + &zero;
    // 2^-40 to 2^40: no density of use lies beyond.
    let end = while_loop(
        |(log_size, done): (Array, Array)| !done & log_size.abs().lt(40.0),
        |(log_size, _)| {
            let next = log_size + &by;
            let done = easy(&gain(&next)).ne(&up);
            (next, done)
        },
        (start, Array::from(false)),
    );
    end.0.exp2()
}
