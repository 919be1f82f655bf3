//! Microcanonical dynamics with Metropolis's correction.

use super::dynamics::{Integrator, Point};
use super::isokinetic::{Drifting, direction_like, isokinetic, some_direction};
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::metropolis;
use super::tuned::tuned;
use probpipe_trace::{Array, DType, Tree, fori_loop_dynamic, uniform_of};

/// Follows isokinetic dynamics from a random direction, and accepts the end by the change of the
/// energy, kinetic and potential (J. Robnik, R. Cohn-Gordon, U. Seljak, 2025, "Metropolis adjusted
/// microcanonical Hamiltonian Monte Carlo"). The length of a trajectory is uniform between 0 and
/// twice [`AdjustedMclmc::length`], so that none is a period of the motion. A position of any shape
/// with two entries at least.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{AdjustedMclmc, Kernel};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([10]))?;
/// let kernel = AdjustedMclmc::new(0.5).length(2.0);
/// let (draws, info) = kernel.sample(Key::new(0), &target, 1000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// assert!(info.acceptance.mean().item::<f32>()? > 0.8);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct AdjustedMclmc {
    /// The length of a step, a scalar.
    pub step_size: Array,
    /// The mean length of a trajectory, a scalar; the root of the number of dimensions unless said
    /// otherwise, which is right where the metric makes the density look round.
    pub length: Option<Array>,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// The mean probability of acceptance that a warm-up looks for.
    #[tree(static)]
    pub target_acceptance: f64,
    /// Most steps of a trajectory.
    #[tree(static)]
    pub max_steps: usize,
    /// How steps are made.
    #[tree(static)]
    pub integrator: Integrator,
}

/// What is known of a step of [`AdjustedMclmc`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct AdjustedMclmcInfo {
    /// The probability with which it was accepted.
    pub acceptance: Array,
    /// Whether it was.
    pub accepted: Array,
    /// Whether the energy has grown by more than 1,000 or is not finite.
    pub diverging: Array,
    /// By how much the energy would have changed.
    pub energy_change: Array,
    /// How many steps of the dynamics were made, `i32`.
    pub steps: Array,
}

impl AdjustedMclmc {
    /// With a step size, and trajectories of as many as fit, but 1,000 at most.
    pub fn new(step_size: impl Into<Array>) -> AdjustedMclmc {
        AdjustedMclmc {
            step_size: step_size.into(),
            length: None,
            metric: Metric::Unit,
            target_acceptance: 0.9,
            max_steps: 1000,
            integrator: Integrator::McLachlan,
        }
    }

    /// With trajectories of another mean length.
    pub fn length(mut self, length: impl Into<Array>) -> AdjustedMclmc {
        self.length = Some(length.into());
        self
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> AdjustedMclmc {
        self.metric = metric;
        self
    }

    /// With steps made in another way.
    pub fn integrator(mut self, integrator: Integrator) -> AdjustedMclmc {
        self.integrator = integrator;
        self
    }
}

impl Kernel for AdjustedMclmc {
    type State = Point;
    type Info = AdjustedMclmcInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        // Told here rather than in the first step.
        if let Some(error) = some_direction(&position).error() {
            let nothing = Array::invalid(error.clone(), position.location());
            return Point {
                position: nothing.clone(),
                log_density: nothing.clone(),
                gradient: nothing,
            };
        }
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, AdjustedMclmcInfo) {
        let [for_direction, for_length, for_acceptance] = cx.key.split_array();
        let x = &state.position;
        let length = match &self.length {
            Some(length) => length.clone(),
            None => Array::from((x.size() as f64).sqrt()),
        };
        let most = uniform_of(x.dtype(), for_length, ()) * 2.0 * length / &self.step_size;
        let steps = most.ceil().clip(1.0, self.max_steps.max(1) as f64).cast(DType::I32);
        let direction = direction_like(x, for_direction);
        let start = Drifting { point: state.clone(), direction };
        let still = &state.log_density * 0.0;
        let (end, kinetic) = fori_loop_dynamic(0, &steps, (start, still), |_, (t, kinetic)| {
            let (t, more) =
                isokinetic(self.integrator, cx.log_density, &self.metric, &self.step_size, t);
            (t, kinetic + more)
        });
        let value = end.point.log_density.clone();
        let ratio = &value - &state.log_density - kinetic;
        let sound = ratio.ge(-1000.0) & value.is_finite();
        let (point, info) = metropolis(for_acceptance, &ratio, (end.point, &value), state);
        let info = AdjustedMclmcInfo {
            acceptance: info.acceptance,
            accepted: info.accepted,
            diverging: !sound,
            energy_change: -ratio,
            steps,
        };
        (point, info)
    }
}

tuned! {
    AdjustedMclmc, AdjustedMclmcInfo;

    fn stride(point: &Point) -> f64 {
        // Directions have length 1, standard normal momenta this one.
        1.0 / (point.position.size() as f64).sqrt()
    }
}
