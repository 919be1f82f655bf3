//! Microcanonical Langevin Monte Carlo, without a correction.

use super::dynamics::{Integrator, Point};
use super::isokinetic::{Drifting, direction_like, isokinetic, refreshed, some_direction};
use super::kernel::{Kernel, Located, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::either;
use probpipe_trace::{Array, Tree, zeros_like};

/// Moves at constant speed along isokinetic dynamics, with noise before and after each step that
/// makes it forget its direction over a length (J. Robnik, U. Seljak, 2023, "Fluctuation without
/// dissipation: Microcanonical Langevin Monte Carlo"). Every step is taken, so that the chain is
/// off by what the error of its steps makes it, which the adaptation
/// [`Microcanonical`](crate::inference::adapt::Microcanonical) bounds: in return it needs few
/// gradients in high dimensions. A step to where the density is not finite is not made; the
/// direction is then drawn anew. A position of any shape with two entries at least.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, Mclmc};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([10]))?;
/// let (draws, _) = Mclmc::new(1.6, 0.4).sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Mclmc {
    /// The length over which the direction is forgotten, a scalar; infinite for never.
    pub length: Array,
    /// The length of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// How steps are made.
    #[tree(static)]
    pub integrator: Integrator,
}

/// A point, and how it is left.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MclmcState {
    /// The position, the density and the gradient there.
    pub point: Point,
    /// A unit vector.
    pub direction: Array,
}

impl Located for MclmcState {
    fn position(&self) -> &Array {
        &self.point.position
    }

    fn log_density(&self) -> Option<&Array> {
        Some(&self.point.log_density)
    }
}

/// What is known of a step of [`Mclmc`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MclmcInfo {
    /// By how much the energy has changed, which exact dynamics keep; 0 where no step was made.
    pub energy_change: Array,
    /// How much of that is kinetic.
    pub kinetic_change: Array,
    /// Whether it was made: where the density is not finite it is not.
    pub moved: Array,
}

impl Mclmc {
    /// With a length over which the direction is forgotten, and that of a step.
    pub fn new(length: impl Into<Array>, step_size: impl Into<Array>) -> Mclmc {
        Mclmc {
            length: length.into(),
            step_size: step_size.into(),
            metric: Metric::Unit,
            integrator: Integrator::McLachlan,
        }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Mclmc {
        self.metric = metric;
        self
    }

    /// With steps made in another way.
    pub fn integrator(mut self, integrator: Integrator) -> Mclmc {
        self.integrator = integrator;
        self
    }
}

impl Kernel for Mclmc {
    type State = MclmcState;
    type Info = MclmcInfo;

    /// In a direction that is always the same.
    fn init(&self, log_density: LogDensity<'_>, position: Array) -> MclmcState {
        let direction = some_direction(&position);
        MclmcState { point: Point::at(log_density, position), direction }
    }

    fn step(&self, cx: StepCx<'_>, state: MclmcState) -> (MclmcState, MclmcInfo) {
        let [before, after, again] = cx.key.split_array();
        let half = &self.step_size * 0.5;
        let MclmcState { point, direction } = state;
        let start = Drifting {
            direction: refreshed(&direction, &half, &self.length, before),
            point: point.clone(),
        };
        let (end, kinetic_change) =
            isokinetic(self.integrator, cx.log_density, &self.metric, &self.step_size, start);
        let energy_change = &kinetic_change - &end.point.log_density + &point.log_density;
        let moved = energy_change.is_finite()
            & end.point.log_density.is_finite()
            & end.direction.is_finite().all();
        let direction = refreshed(&end.direction, &half, &self.length, after);
        let stay = MclmcState { direction: direction_like(&point.position, again), point };
        let state = either(&moved, MclmcState { point: end.point, direction }, stay);
        let zero = zeros_like(&energy_change);
        let changes = either(&moved, (energy_change, kinetic_change), (zero.clone(), zero));
        let (energy_change, kinetic_change) = changes;
        (state, MclmcInfo { energy_change, kinetic_change, moved })
    }
}
