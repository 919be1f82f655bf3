//! The no-U-turn sampler (M. D. Hoffman, A. Gelman, 2014), with multinomial choice along the
//! trajectory and the generalised criterion (M. Betancourt, 2017), as a loop of the program.

use super::dynamics::{Integrator, Moving, Point};
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::either;
use super::subtree::{Leapfrog, turns};
use super::tuned::tuned;
use probpipe_trace::{Array, Key, Tree, select, uniform_of, while_loop};

/// Follows Hamiltonian dynamics forwards and backwards, twice as far each time, until the
/// trajectory turns back, and takes a point of it in proportion to its density, rather one of the
/// half that came last. A position is a vector `[n]`.
///
/// ```
/// use probpipe::inference::mcmc::{Kernel, Nuts, StepCx};
/// use probpipe::prelude::*;
/// let log_density = |x: Array| Normal::new(1.0, [0.5, 3.0]).log_prob(&x).sum();
/// let nuts = Nuts::new(0.4);
/// let state = nuts.init(&log_density, zeros([2]));
/// let step = jit(|(key, state)| nuts.step(StepCx::new(key, &log_density), state));
/// let (state, info) = step((Key::new(0), state));
/// assert!(info.steps.item::<i32>()? > 1 && !info.diverging.item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Nuts {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// The mean probability of acceptance that a warm-up looks for.
    #[tree(static)]
    pub target_acceptance: f64,
    /// Most doublings of a trajectory: it has less than `2^max_depth` steps.
    #[tree(static)]
    pub max_depth: usize,
}

/// What is known of a step of [`Nuts`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct NutsInfo {
    /// The mean over the trajectory of the probability with which Metropolis would accept a point
    /// of it, which goes with the step size.
    pub acceptance: Array,
    /// How often the trajectory was doubled, `i32`.
    pub depth: Array,
    /// How many steps of the dynamics were made, each with one gradient, `i32`.
    pub steps: Array,
    /// Whether the energy has grown by more than 1,000 or is not finite.
    pub diverging: Array,
    /// The energy at the start of the trajectory.
    pub energy: Array,
}

impl Default for Nuts {
    fn default() -> Nuts {
        Nuts::new(0.1)
    }
}

impl Nuts {
    /// With a step size, and at most 10 doublings.
    pub fn new(step_size: impl Into<Array>) -> Nuts {
        Nuts {
            step_size: step_size.into(),
            metric: Metric::Unit,
            target_acceptance: 0.8,
            max_depth: 10,
        }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Nuts {
        self.metric = metric;
        self
    }

    /// With another bound for the doublings.
    pub fn max_depth(mut self, max_depth: usize) -> Nuts {
        self.max_depth = max_depth;
        self
    }
}

/// A trajectory so far.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Trajectory {
    /// Its ends in time.
    left: Moving,
    right: Moving,
    /// The sum of its momenta.
    rho: Array,
    chosen: Point,
    /// The density of all points in units of that of the start.
    weight: Array,
    depth: Array,
    steps: Array,
    acceptance: Array,
    turning: Array,
    diverging: Array,
}

impl Kernel for Nuts {
    type State = Point;
    type Info = NutsInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, NutsInfo) {
        let (for_momentum, for_tree) = cx.key.split();
        let start = Moving::from(state.clone(), for_momentum, &self.metric);
        let energy = start.energy();
        let zero = &energy * 0.0;
        let dynamics = Leapfrog {
            log_density: cx.log_density,
            integrator: Integrator::VelocityVerlet,
            metric: &self.metric,
            step_size: &self.step_size,
            energy: &energy,
            max_depth: self.max_depth,
        };
        let trajectory = Trajectory {
            rho: start.momentum.clone(),
            left: start.clone(),
            right: start,
            chosen: state,
            weight: &zero + 1.0,
            depth: Array::from(0i32),
            steps: Array::from(0i32),
            acceptance: zero,
            turning: Array::from(false),
            diverging: Array::from(false),
        };
        let most = self.max_depth as i32;
        let end = while_loop(
            |t: Trajectory| t.depth.lt(most) & !&t.turning & !&t.diverging,
            |t| doubled(&dynamics, t, &for_tree),
            trajectory,
        );
        let acceptance = &end.acceptance / end.steps.cast(energy.dtype());
        let Trajectory { chosen, depth, steps, diverging, .. } = end;
        (chosen, NutsInfo { acceptance, depth, steps, diverging, energy })
    }

    fn max_depth(&self) -> Option<usize> {
        Some(self.max_depth)
    }
}

tuned!(Nuts, NutsInfo);

/// The trajectory with as many points again, before or after it.
fn doubled(dynamics: &Leapfrog<'_>, t: Trajectory, key: &Key) -> Trajectory {
    let (for_choices, for_points) = key.reuse().fold_in(&t.depth).split();
    let chances = uniform_of(t.weight.dtype(), for_choices, [2]);
    let forwards = chances.at(0).lt(0.5);
    let near = either(&forwards, t.right.clone(), t.left.clone());
    let far = select(&forwards, &t.left.momentum, &t.right.momentum);
    let inner = near.momentum.clone();
    let new = dynamics.subtree(near, &forwards, &t.depth, for_points);
    let whole = !&new.turning & !&new.diverging;
    // Rather a point of the new half: with the ratio of the halves, not with its part of both.
    let take = whole & (chances.at(1) * &t.weight).lt(&new.weight);
    let outer = &new.end.momentum;
    let rho = &t.rho + &new.rho;
    // Over all of it, and over each half with the first point of the other.
    let turning = turns(&far, outer, &rho)
        | turns(&far, &new.first, &(&t.rho + &new.first))
        | turns(&inner, outer, &(&inner + &new.rho));
    Trajectory {
        left: either(&forwards, t.left, new.end.clone()),
        right: either(&forwards, new.end, t.right),
        rho,
        chosen: either(&take, new.chosen, t.chosen),
        weight: t.weight + new.weight,
        depth: t.depth + 1,
        steps: t.steps + new.steps,
        acceptance: t.acceptance + new.acceptance,
        turning: turning | new.turning,
        diverging: new.diverging,
    }
}
