//! What a sampler is.

use crate::inference::Target;
use probpipe_trace::{Array, Key, Tree, here, scan, with_location};

/// The logarithm of a density up to a constant: a scalar, of an array of any one shape.
pub type LogDensity<'a> = &'a dyn Fn(Array) -> Array;

/// What a step is taken with.
pub struct StepCx<'a> {
    /// The randomness of the step.
    pub key: Key,
    /// What is sampled from.
    pub log_density: LogDensity<'a>,
}

impl<'a> StepCx<'a> {
    /// With a key and a density.
    pub fn new(key: Key, log_density: LogDensity<'a>) -> StepCx<'a> {
        StepCx { key, log_density }
    }
}

impl std::fmt::Debug for StepCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepCx").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a chain is between two steps.
pub trait Located: Tree + Clone + Send {
    /// Where it is.
    fn position(&self) -> &Array;

    /// The log-density there, of states that keep it.
    fn log_density(&self) -> Option<&Array> {
        None
    }
}

/// A random step that leaves a density as it is. Both functions can be traced; neither depends on
/// anything but its arguments.
///
/// ```
/// use probpipe::inference::mcmc::{Hmc, Kernel, StepCx};
/// use probpipe::prelude::*;
/// let log_density = |x: Array| Normal::new(1.0, 2.0).log_prob(&x).sum();
/// let hmc = Hmc::new(0.5, 10);
/// let step = |state, key: Key| {
///     let (state, info) = hmc.step(StepCx::new(key, &log_density), state);
///     (state.clone(), (state.position, info.accepted))
/// };
/// let run = jit(|(x, keys): (Array, Key)| scan(hmc.init(&log_density, x), keys, step).1);
/// let (draws, accepted) = run((zeros([3]), Key::new(0).split_batch(1000)));
/// assert_eq!(draws.shape(), [1000, 3]);
/// assert!(accepted.cast(DType::F32).mean().item::<f32>()? > 0.8);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub trait Kernel {
    /// What the next step needs of the ones before.
    type State: Located;
    /// What is known of a step besides.
    type Info: Tree + Clone + Send;

    /// The state at a position.
    #[track_caller]
    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Self::State;

    /// The next state.
    #[track_caller]
    fn step(&self, cx: StepCx<'_>, state: Self::State) -> (Self::State, Self::Info);

    /// Doublings that a trajectory has at most, of kernels whose information has a `depth`.
    fn max_depth(&self) -> Option<usize> {
        None
    }

    /// A chain of `steps` states from the start of a target, as values of the target along a new
    /// first axis, and what is known of each step. A loop of the program: it can be traced, and
    /// has no warm-up.
    #[track_caller]
    fn sample<T: Tree + Clone>(
        &self,
        key: Key,
        target: &Target<T>,
        steps: usize,
    ) -> probpipe_trace::Result<(T, Self::Info)> {
        with_location(here(), || {
            let log_density = |z: Array| target.log_density(&z);
            let step = |state: Self::State, key: Key| {
                let (state, info) = self.step(StepCx::new(key, &log_density), state);
                let position = state.position().clone();
                (state, (position, info))
            };
            let start = self.init(&log_density, target.start().clone());
            let (z, info) = scan(start, key.split_batch(steps), step).1;
            Ok((target.constrain_each(&z)?, info))
        })
    }
}
