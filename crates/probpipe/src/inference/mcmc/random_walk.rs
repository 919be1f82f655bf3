//! The random walk of Metropolis, with normal proposals.

use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{MetropolisInfo, Place, metropolis};
use probpipe_trace::{Array, Tree, normal_of};

/// Proposes `x + step_size L z` with `z` standard normal and `L` the metric, and accepts by the
/// ratio of the densities (N. Metropolis et al., 1953). It needs no gradient, and `n` times as many
/// steps as there are dimensions: about `2.4 / sqrt(n)` is the best step size where the metric is
/// the covariance (G. O. Roberts, A. Gelman, W. R. Gilks, 1997). A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, RandomWalk};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x), array(0.0))?;
/// let (draws, info) = RandomWalk::new(1.0).sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// assert!(info.acceptance.mean().item::<f32>()? > 0.3);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct RandomWalk {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
}

impl RandomWalk {
    /// With a step size.
    pub fn new(step_size: impl Into<Array>) -> RandomWalk {
        RandomWalk { step_size: step_size.into(), metric: Metric::Unit }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> RandomWalk {
        self.metric = metric;
        self
    }
}

impl Kernel for RandomWalk {
    type State = Place;
    type Info = MetropolisInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, MetropolisInfo) {
        let (for_proposal, for_acceptance) = cx.key.split();
        let x = &state.position;
        let z = normal_of(x.dtype(), for_proposal, x.shape());
        let new = Place::at(cx.log_density, x + &self.step_size * self.metric.push(&z));
        let ratio = &new.log_density - &state.log_density;
        let value = new.log_density.clone();
        metropolis(for_acceptance, &ratio, (new, &value), state)
    }
}
