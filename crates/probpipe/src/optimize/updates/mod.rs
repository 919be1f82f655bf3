//! Optimisers as rules that turn gradients into updates, with a state of their own: they chain, and
//! work on any tree of parameters. State and parameters are trees, so that a whole fit is a loop of
//! the program. Nothing here evaluates the function that is minimised.
//!
//! ```
//! use probpipe::optimize::{Adam, ClipByGlobalNorm, Optimizer, apply_updates};
//! use probpipe::prelude::*;
//!
//! let loss = |(a, b): (Array, Array)| (a - 3.0).square() + (b + 1.0).square() * 10.0;
//! let optimizer = (ClipByGlobalNorm(10.0), Adam::new(0.1));
//! let fit = jit(|start: (Array, Array)| {
//!     let state = optimizer.init(&start);
//!     let step = |_, (at, state): ((Array, Array), _)| {
//!         let (updates, state) = optimizer.update(grad(loss)(at.clone()), state, &at);
//!         (apply_updates(at, updates), state)
//!     };
//!     fori_loop(300, (start, state), step).0
//! });
//! let (a, b) = fit((array(0.0), array(0.0)));
//! assert!((a.item::<f32>()? - 3.0).abs() < 1e-2 && (b.item::<f32>()? + 1.0).abs() < 1e-2);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod adam;
mod belief;
mod clip;
mod guard;
mod layers;
mod lbfgs;
mod leafwise;
mod momentum;
mod schedule;
mod signs;
mod squares;

pub use adam::{Adam, Adamax};
pub use belief::{AdaBelief, RAdam, Yogi};
pub use clip::{AddDecayedWeights, Clip, ClipByBlockRms, ClipByGlobalNorm};
pub use guard::{Guarded, SkipNotFinite};
pub use layers::{Lamb, Lars, NovoGrad};
pub use lbfgs::{LbfgsState, ScaleByLbfgs};
pub use leafwise::Memory;
pub use momentum::{Ema, Momentum, Scale, Sgd};
pub use schedule::Schedule;
pub use signs::{Lion, RProp, SignSgd};
pub use squares::{AdaDelta, AdaGrad, RmsProp};

use probpipe_trace::{Array, Tree, tree_map};

/// A rule that turns gradients, or the updates of the rule before it, into updates. Rules in a
/// tuple are applied one after the other.
///
/// Settings are arrays where a fit may depend on them, so that it can be differentiated in them; a
/// learning rate is a [`Schedule`], which a number is too.
pub trait Optimizer {
    /// What the rule remembers, for parameters of a type.
    type State<P: Tree + Clone>: Tree + Clone;

    /// The state before the first step.
    #[track_caller]
    fn init<P: Tree + Clone>(&self, params: &P) -> Self::State<P>;

    /// The updates, which are added to the parameters, and the next state. `gradients` has the
    /// structure of `params`.
    #[track_caller]
    fn update<P: Tree + Clone>(
        &self,
        gradients: P,
        state: Self::State<P>,
        params: &P,
    ) -> (P, Self::State<P>);
}

/// The parameters after a step: the sum, leaf by leaf.
#[track_caller]
pub fn apply_updates<P: Tree>(params: P, updates: P) -> P {
    tree_map(|p, u| p + u, params, updates)
}

macro_rules! chains {
    ($($rule:ident $state:ident $at:tt),+) => {
        impl<$($rule: Optimizer),+> Optimizer for ($($rule,)+) {
            type State<P: Tree + Clone> = ($($rule::State<P>,)+);

            fn init<P: Tree + Clone>(&self, params: &P) -> Self::State<P> {
                ($(self.$at.init(params),)+)
            }

            fn update<P: Tree + Clone>(
                &self,
                gradients: P,
                state: Self::State<P>,
                params: &P,
            ) -> (P, Self::State<P>) {
                let ($($state,)+) = state;
                let updates = gradients;
                $(let (updates, $state) = self.$at.update(updates, $state, params);)+
                (updates, ($($state,)+))
            }
        }
    };
}

chains!(A a 0, B b 1);
chains!(A a 0, B b 1, C c 2);
chains!(A a 0, B b 1, C c 2, D d 3);

/// A number in the element type of `like`.
#[track_caller]
fn like(like: &Array, number: &Array) -> Array {
    if number.is_weak() { number.clone() } else { number.cast(like.dtype()) }
}
