//! Hamiltonian Monte Carlo that takes any point of a trajectory of fixed length.

use super::dynamics::{Integrator, Moving, Point};
use super::hmc::HmcInfo;
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::either;
use super::tuned::tuned;
use crate::random::randint;
use probpipe_trace::{Array, Tree, fori_loop, select, uniform_of};

/// Follows Hamiltonian dynamics for `steps` steps, a number of them backwards that is drawn
/// uniformly, and takes a point of the trajectory in proportion to its density (M. Betancourt,
/// 2017, "A conceptual introduction to Hamiltonian Monte Carlo", A.3.1). As all points of a
/// trajectory may be its start alike, nothing need be rejected; where a step would end far off,
/// there are points before it. A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, MultinomialHmc};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([3]))?;
/// let (draws, info) = MultinomialHmc::new(0.2, 8).sample(Key::new(0), &target, 1000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// assert!(info.acceptance.mean().item::<f32>()? > 0.8);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MultinomialHmc {
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

impl MultinomialHmc {
    /// With a step size and a number of steps.
    pub fn new(step_size: impl Into<Array>, steps: usize) -> MultinomialHmc {
        MultinomialHmc {
            step_size: step_size.into(),
            metric: Metric::Unit,
            target_acceptance: 0.8,
            steps,
            integrator: Integrator::default(),
        }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> MultinomialHmc {
        self.metric = metric;
        self
    }
}

/// A trajectory so far.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Trajectory {
    last: Moving,
    chosen: Point,
    energy: Array,
    moved: Array,
    /// The logarithm of the density of all points in units of that of the start.
    log_weight: Array,
    acceptance: Array,
    diverging: Array,
}

impl Kernel for MultinomialHmc {
    type State = Point;
    /// The acceptance is the mean over the trajectory of the probability with which Metropolis
    /// would accept a point of it; accepted is one that is not the start.
    type Info = HmcInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, HmcInfo) {
        let [for_momentum, for_start, for_choices] = cx.key.split_array();
        let start = Moving::from(state.clone(), for_momentum, &self.metric);
        let before = start.energy();
        let zero = &before * 0.0;
        // So many steps backwards, then the others from the start again.
        let backwards = randint(for_start, (), 0, self.steps as i32 + 1);
        let chances = uniform_of(before.dtype(), for_choices, [self.steps]).log();
        let first = Trajectory {
            last: start.clone(),
            chosen: state,
            energy: before.clone(),
            moved: Array::from(false),
            log_weight: zero.clone(),
            acceptance: zero,
            diverging: Array::from(false),
        };
        let end = fori_loop(self.steps, first, |i, t| {
            let size = select(i.lt(&backwards), -&self.step_size, &self.step_size);
            let from = either(&i.eq(&backwards), start.clone(), t.last);
            let last = self.integrator.step(cx.log_density, &self.metric, &size, from);
            let energy = last.energy();
            let gain = &before - &energy;
            let sound = gain.ge(-1000.0) & last.point.log_density.is_finite();
            let own = select(&sound, &gain, f64::NEG_INFINITY);
            let log_weight = t.log_weight.logaddexp(&own);
            let take = chances.take(&i, 0).lt(own - &log_weight);
            Trajectory {
                chosen: either(&take, last.point.clone(), t.chosen),
                energy: select(&take, energy, t.energy),
                moved: take | t.moved,
                last,
                log_weight,
                acceptance: t.acceptance + select(&sound, gain.minimum(0.0).exp(), 0.0),
                diverging: t.diverging | !sound,
            }
        });
        let acceptance = end.acceptance / self.steps.max(1) as f64;
        let Trajectory { chosen, energy, moved, diverging, .. } = end;
        (chosen, HmcInfo { acceptance, accepted: moved, diverging, energy })
    }
}

tuned!(MultinomialHmc, HmcInfo);
