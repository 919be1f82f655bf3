//! Barker's proposal: a random walk whose signs follow the gradient.

use super::dynamics::Point;
use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{MetropolisInfo, metropolis};
use super::tuned::tuned;
use probpipe_trace::{Array, Tree, normal_of, select, uniform_of};

/// Proposes `x + L w`, where `w` is normal with the step size as its standard deviation, each entry
/// of which keeps its sign with probability `1 / (1 + exp(-w c))`, `c = L' g` being the slope along
/// it, else is turned round; and accepts by Metropolis's rule (S. Livingstone, G. Zanella, 2022,
/// "The Barker proposal: combining robustness and efficiency in gradient-based MCMC"). A steep
/// density decides signs and no lengths, so that a step size that is too large costs little. A
/// position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Barker, Kernel};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([3]))?;
/// let (draws, info) = Barker::new(0.5).sample(Key::new(0), &target, 1000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// assert!(info.acceptance.mean().item::<f32>()? > 0.4);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Barker {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
    /// The mean probability of acceptance that a warm-up looks for: 0.4, the best one in high
    /// dimensions (J. Vogrinc, S. Livingstone, G. Zanella, 2023).
    #[tree(static)]
    pub target_acceptance: f64,
}

impl Barker {
    /// With a step size.
    pub fn new(step_size: impl Into<Array>) -> Barker {
        Barker { step_size: step_size.into(), metric: Metric::Unit, target_acceptance: 0.4 }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Barker {
        self.metric = metric;
        self
    }
}

impl Kernel for Barker {
    type State = Point;
    type Info = MetropolisInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Point {
        Point::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Point) -> (Point, MetropolisInfo) {
        let [for_length, for_sign, for_acceptance] = cx.key.split_array();
        let x = &state.position;
        let w = &self.step_size * normal_of(x.dtype(), for_length, x.shape());
        let slope = self.metric.pull(&state.gradient);
        let keep = uniform_of(x.dtype(), for_sign, x.shape()).lt(&(&w * &slope).sigmoid());
        let w = select(keep, &w, -&w);
        let new = Point::at(cx.log_density, x + self.metric.push(&w));
        let back = self.metric.pull(&new.gradient);
        // The chances of the signs there and back: those of lengths are the same.
        let signs = ((-&w * slope).softplus() - (w * back).softplus()).sum();
        let ratio = &new.log_density - &state.log_density + signs;
        let value = new.log_density.clone();
        metropolis(for_acceptance, &ratio, (new, &value), state)
    }
}

tuned!(Barker, MetropolisInfo);
