//! The Metropolis-adjusted Langevin algorithm.

use super::dynamics::{Integrator, Moving, Point};
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{MetropolisInfo, metropolis};
use super::tuned::tuned;
use probpipe_trace::{Array, Tree};

/// Proposes `x + e^2 / 2 L L' g + e L z` with the step size `e`, the gradient `g`, the metric `L`
/// and `z` standard normal, a step of Langevin dynamics, and accepts by Metropolis's rule
/// (J. Besag, 1994; G. O. Roberts, R. L. Tweedie, 1996). That is one leapfrog step of Hamiltonian
/// dynamics, so the step size means what it means there; elsewhere `e^2 / 2` is often called so.
/// A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, Mala};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([3]))?;
/// let (draws, info) = Mala::new(0.5).sample(Key::new(0), &target, 1000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// assert!(info.acceptance.mean().item::<f32>()? > 0.6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Mala {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// The mean probability of acceptance that a warm-up looks for: 0.574, the best one in high
    /// dimensions (G. O. Roberts, J. S. Rosenthal, 1998).
    #[tree(static)]
    pub target_acceptance: f64,
}

impl Mala {
    /// With a step size.
    pub fn new(step_size: impl Into<Array>) -> Mala {
        Mala { step_size: step_size.into(), metric: Metric::Unit, target_acceptance: 0.574 }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Mala {
        self.metric = metric;
        self
    }
}

impl Kernel for Mala {
    type State = Point;
    type Info = MetropolisInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, MetropolisInfo) {
        let (for_proposal, for_acceptance) = cx.key.split();
        let start = Moving::from(state.clone(), for_proposal, &self.metric);
        let before = start.energy();
        let leapfrog = Integrator::VelocityVerlet;
        let end = leapfrog.step(cx.log_density, &self.metric, &self.step_size, start);
        let ratio = before - end.energy();
        let value = end.point.log_density.clone();
        metropolis(for_acceptance, &ratio, (end.point, &value), state)
    }
}

tuned!(Mala, MetropolisInfo);
