//! The no-U-turn sampler (M. D. Hoffman, A. Gelman, 2014), with multinomial choice along the
//! trajectory and the generalised criterion (M. Betancourt, 2017), as a loop of the program.

use super::dynamics::{Integrator, Moving, Point};
use super::flat::flat;
use super::kernel::{Between, Chain, Kernel, LogDensity, StepCx, Steps, one_by_one};
use super::metric::Metric;
use super::subtree::Leapfrog;
use super::trajectory::{Doubling, NutsInfo, Trajectory};
use super::tuned::tuned;
use probpipe_trace::{Array, Error, ErrorKind, Tree, here, while_loop};

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
///
/// A run finds the size of steps. Of a density with a narrow end it is asked for shorter ones:
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::Nuts;
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| -x.square().sum() / 2.0, zeros([3]))?;
/// let run = Nuts::default().target_acceptance(0.95).max_depth(8).chains(2);
/// let draws = run.sample(Key::new(0), &target)?;
/// assert!((draws.stats["acceptance"].mean().item::<f32>()? - 0.95).abs() < 0.05);
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

    /// With another bound for the doublings, 30 at most: the steps of a trajectory are counted in
    /// 32 bits. A larger one makes the step size invalid, and so a run an error that says it.
    #[track_caller]
    #[doc(alias = "numpyro.max_tree_depth")]
    pub fn max_depth(mut self, max_depth: usize) -> Nuts {
        const MOST: usize = 30;
        if max_depth > MOST {
            let message = format!("a trajectory of {max_depth} doublings has too many steps");
            let error = Error::new(ErrorKind::Value, message)
                .help("give a depth of 30 at most; 10 are enough for most densities");
            self.step_size = Array::invalid(error, here());
        }
        self.max_depth = max_depth;
        self
    }
}

impl Nuts {
    pub(super) fn dynamics<'a>(
        &'a self,
        log_density: LogDensity<'a>,
        energy: &'a Array,
    ) -> Leapfrog<'a> {
        Leapfrog {
            log_density,
            integrator: Integrator::VelocityVerlet,
            metric: &self.metric,
            step_size: &self.step_size,
            energy,
            max_depth: self.max_depth,
        }
    }
}

impl Kernel for Nuts {
    type State = Point;
    type Info = NutsInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, NutsInfo) {
        let (for_momentum, for_tree) = cx.key.split();
        let start = Moving::from(state, for_momentum, &self.metric);
        let energy = start.energy();
        let dynamics = self.dynamics(cx.log_density, &energy);
        let most = self.max_depth;
        let end = while_loop(
            |t: Trajectory| t.goes_on(most),
            |t| {
                let doubling = Doubling::new(&for_tree, &t.depth, t.weight.dtype());
                let Doubling { forwards, points, .. } = &doubling;
                let half = dynamics.subtree(t.end(forwards), forwards, &t.depth, points);
                t.with(half, &doubling)
            },
            Trajectory::from(start, &(&energy * 0.0)),
        );
        end.result(&energy)
    }

    fn max_depth(&self) -> Option<usize> {
        Some(self.max_depth)
    }

    fn steps<W: Tree + Clone, R: Tree + Clone>(
        &self,
        between: &Between<'_, Nuts, W, R>,
        count: &Array,
        capacity: usize,
        chain: Chain<Point, W>,
    ) -> Steps<Point, NutsInfo, W, R> {
        match self.max_depth {
            // Steps without points.
            0 => one_by_one(between, count, capacity, chain),
            _ => flat(Nuts::dynamics, between, count, capacity, chain),
        }
    }
}

tuned!(Nuts, NutsInfo);
