//! Hamiltonian Monte Carlo with a fixed number of steps (S. Duane et al., 1987; R. M. Neal, 2011).

use super::dynamics::{Integrator, Moving, Point};
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{MetropolisInfo, metropolis};
use super::tuned::tuned;
use probpipe_trace::{Array, Tree, fori_loop};

/// Follows Hamiltonian dynamics for `steps` steps, and stays where it was if the energy has changed
/// too much. A position of any shape.
///
/// ```
/// use probpipe::inference::mcmc::{Hmc, Kernel, StepCx};
/// use probpipe::prelude::*;
/// let log_density = |x: Array| Normal::new(1.0, 0.5).log_prob(&x);
/// let hmc = Hmc::new(0.2, 10);
/// let state = hmc.init(&log_density, array(0.0));
/// let (state, info) = hmc.step(StepCx::new(Key::new(0), &log_density), state);
/// assert!(info.acceptance.item::<f32>()? > 0.9 && state.position.is_finite().item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Hmc {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// The mean probability of acceptance that a warm-up looks for.
    #[tree(static)]
    pub target_acceptance: f64,
    /// Number of steps.
    #[tree(static)]
    pub steps: usize,
    /// How steps are made.
    #[tree(static)]
    pub integrator: Integrator,
}

/// What is known of a step of [`Hmc`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct HmcInfo {
    /// The probability with which it was accepted.
    pub acceptance: Array,
    /// Whether it was.
    pub accepted: Array,
    /// Whether the energy has grown by more than 1,000 or is not finite.
    pub diverging: Array,
    /// The energy of what was proposed.
    pub energy: Array,
}

impl Hmc {
    /// With a step size and a number of steps.
    pub fn new(step_size: impl Into<Array>, steps: usize) -> Hmc {
        Hmc {
            step_size: step_size.into(),
            metric: Metric::Unit,
            target_acceptance: 0.8,
            steps,
            integrator: Integrator::default(),
        }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Hmc {
        self.metric = metric;
        self
    }
}

impl Kernel for Hmc {
    type State = Point;
    type Info = HmcInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, HmcInfo) {
        // As BlackJAX splits it, so that the same key makes the same step.
        let (for_momentum, for_acceptance) = cx.key.split();
        let start = Moving::from(state.clone(), for_momentum, &self.metric);
        let before = start.energy();
        let end = fori_loop(self.steps, start, |_, moving| {
            self.integrator.step(cx.log_density, &self.metric, &self.step_size, moving)
        });
        let energy = end.energy();
        let (gain, value) = (before - &energy, end.point.log_density.clone());
        // Also false where the change is not a number.
        let sound = gain.ge(-1000.0) & value.is_finite();
        let (point, MetropolisInfo { acceptance, accepted }) =
            metropolis(for_acceptance, &gain, (end.point, &value), state);
        (point, HmcInfo { acceptance, accepted, diverging: !sound, energy })
    }
}

tuned!(Hmc, HmcInfo);
