//! Stochastic gradient Hamiltonian Monte Carlo: Langevin dynamics with inertia.

use super::kernel::{Kernel, Located, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{Place, either};
use super::sgld::StochasticInfo;
use probpipe_trace::{Array, Tree, normal_of, zeros_like};
use probpipe_transforms::grad;

/// Hamiltonian dynamics with friction and noise, which accepts whatever it finds (T. Chen,
/// E. B. Fox, C. Guestrin, 2014). A step moves half of its way, then changes the momentum to
/// `c (p + e/2 L'g) + e/2 L'g + sqrt(1 - c^2) z` with `c = exp(-friction e)`, and moves the other
/// half: the symmetric splitting of C. Chen, N. Ding, L. Carin (2015), whose error is of second
/// order. The gradient may be an estimate, see [`Sgld`](super::Sgld): noise that it brings can be
/// taken from that which is added. A step to where the density is not finite is not made, but turns
/// the momentum round. A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Kernel, Sghmc};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([2]))?;
/// let (draws, _) = Sghmc::new(0.2).sample(Key::new(0), &target, 4000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Sghmc {
    /// The size of a step, a scalar.
    pub step_size: Array,
    /// At what rate momentum is forgotten, a scalar.
    pub friction: Array,
    /// The variance of the noise of an entry of the gradient, in units of the metric.
    pub gradient_noise: Array,
    /// The shape of the density, as far as known.
    pub metric: Metric,
}

/// A place, and how it is left.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct SghmcState {
    /// The position and the density there.
    pub place: Place,
    /// The momentum, standard normal in the long run.
    pub momentum: Array,
}

impl Located for SghmcState {
    fn position(&self) -> &Array {
        &self.place.position
    }

    fn log_density(&self) -> Option<&Array> {
        Some(&self.place.log_density)
    }
}

impl Sghmc {
    /// With a step size, friction 1 and gradients without noise.
    pub fn new(step_size: impl Into<Array>) -> Sghmc {
        Sghmc {
            step_size: step_size.into(),
            friction: Array::from(1.0),
            gradient_noise: Array::from(0.0),
            metric: Metric::Unit,
        }
    }

    /// With another friction.
    pub fn friction(mut self, friction: impl Into<Array>) -> Sghmc {
        self.friction = friction.into();
        self
    }

    /// With gradients whose entries have noise of this variance.
    pub fn gradient_noise(mut self, variance: impl Into<Array>) -> Sghmc {
        self.gradient_noise = variance.into();
        self
    }

    /// With another metric.
    pub fn metric(mut self, metric: Metric) -> Sghmc {
        self.metric = metric;
        self
    }
}

impl Kernel for Sghmc {
    type State = SghmcState;
    type Info = StochasticInfo;

    /// Without momentum.
    fn init(&self, log_density: LogDensity<'_>, position: Array) -> SghmcState {
        let momentum = zeros_like(&position);
        SghmcState { place: Place::at(log_density, position), momentum }
    }

    fn step(&self, cx: StepCx<'_>, state: SghmcState) -> (SghmcState, StochasticInfo) {
        let SghmcState { place, momentum: p } = state;
        let half = &self.step_size * 0.5;
        let z = normal_of(p.dtype(), cx.key, p.shape());
        let middle = &place.position + &half * self.metric.push(&p);
        let kick = &half * self.metric.pull(&grad(cx.log_density)(middle.clone()));
        let keep = (-&self.friction * &self.step_size).exp();
        // Both kicks have the same noise.
        let noise = (&half * (&keep + 1.0)).square() * &self.gradient_noise;
        let spread = (1.0 - keep.square() - noise).maximum(0.0).sqrt();
        let momentum = (&p + &kick) * keep + kick + spread * z;
        let new = Place::at(cx.log_density, middle + half * self.metric.push(&momentum));
        let moved = new.log_density.is_finite();
        let new = SghmcState { place: new, momentum };
        let state = either(&moved, new, SghmcState { place, momentum: -p });
        (state, StochasticInfo { moved })
    }
}
