//! Stochastic gradient Langevin dynamics.

use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{Place, either};
use probpipe_trace::{Array, Tree, normal_of};
use probpipe_transforms::grad;

/// Goes to `x + e^2 / 2 L L' g + e L z` with the step size `e`, the metric `L` and `z` standard
/// normal, and accepts whatever it finds (M. Welling, Y. W. Teh, 2011): the proposal of
/// [`Mala`](super::Mala) alone. The gradient `g` may be an estimate, as of a
/// [`Minibatch`](super::Minibatch): each step takes it of the density that the step is given, and
/// of none before. The chain is off by what the size of its steps makes it, with minibatches also
/// by the noise of the gradients. A step to where the density is not finite is not made. A position
/// of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, Sgld};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([2]))?;
/// let (draws, _) = Sgld::new(0.2).sample(Key::new(0), &target, 4000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Sgld {
    /// The size of a step, a scalar; elsewhere `e^2 / 2` or `e^2` is often called so.
    pub step_size: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
}

/// What is known of a step that stochastic gradients make.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct StochasticInfo {
    /// Whether it was made: where the density is not finite it is not.
    pub moved: Array,
}

impl Sgld {
    /// With a step size.
    pub fn new(step_size: impl Into<Array>) -> Sgld {
        Sgld { step_size: step_size.into(), metric: Metric::Unit }
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Sgld {
        self.metric = metric;
        self
    }
}

impl Kernel for Sgld {
    type State = Place;
    type Info = StochasticInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, StochasticInfo) {
        let (x, size) = (&state.position, &self.step_size);
        let z = normal_of(x.dtype(), cx.key, x.shape());
        let slope = self.metric.pull(&grad(cx.log_density)(x.clone()));
        let by = slope * size.square() * 0.5 + z * size;
        let new = Place::at(cx.log_density, x + self.metric.push(&by));
        let moved = new.log_density.is_finite();
        (either(&moved, new, state), StochasticInfo { moved })
    }
}
