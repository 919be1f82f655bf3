//! What kernels go by, found while a chain warms up: the size of steps and the shape of the
//! density. The state of an [`Adaptation`] is apart from that of the chain, and each update is a
//! traced function.
//!
//! | adaptation | metric |
//! |---|---|
//! | [`Gradients`] | standard deviations of draws and gradients together |
//! | [`Windows`] | standard deviations or covariances of draws in growing windows, as Stan has it |
//!
//! [`Microcanonical`] finds the two lengths that [`Mclmc`](crate::inference::mcmc::Mclmc) goes by.

mod gradients;
mod lags;
mod microcanonical;
mod moments;
mod step_size;
mod warm_up;
mod windows;

use crate::inference::mcmc::{Point, Tuning};
use probpipe_trace::{Array, Tree};

pub use gradients::Gradients;
pub use microcanonical::{Microcanonical, MicrocanonicalState};
pub use moments::Moments;
pub use step_size::{DualAveraging, reasonable_step_size};
pub use warm_up::{Fixed, WarmUp};
pub use windows::Windows;

/// What is done after a step of the warm-up. Plans are lists of these, one for each step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Task {
    /// Takes the draw into what the metric is made of.
    pub collect: bool,
    /// Forgets the draws of the window before the last, and begins a new one.
    pub switch: bool,
    /// Makes the standard deviations of the metric anew, and forgets what else it knew.
    pub scale: bool,
    /// Makes the metric anew.
    pub metric: bool,
    /// Begins the search for a step size anew, from the one at hand.
    pub restart: bool,
    /// Ends the search: the average of the last part is what is sampled with.
    pub finish: bool,
}

impl Task {
    /// As bits: how compiled programs get it.
    pub fn bits(self) -> i32 {
        let Task { collect, switch, scale, metric, restart, finish } = self;
        [collect, switch, scale, metric, restart, finish]
            .iter()
            .enumerate()
            .map(|(i, &on)| i32::from(on) << i)
            .sum()
    }
}

/// A task as a program sees it: one truth value each.
#[derive(Clone, Debug)]
pub struct Tasks {
    /// [`Task::collect`], and so on.
    pub collect: Array,
    /// See [`Task::switch`].
    pub switch: Array,
    /// See [`Task::scale`].
    pub scale: Array,
    /// See [`Task::metric`].
    pub metric: Array,
    /// See [`Task::restart`].
    pub restart: Array,
    /// See [`Task::finish`].
    pub finish: Array,
}

impl Tasks {
    /// Of [`Task::bits`], an `i32` scalar.
    pub fn of(bits: &Array) -> Tasks {
        let bit = |i: i32| ((bits >> i) & 1i32).eq(1);
        Tasks {
            collect: bit(0),
            switch: bit(1),
            scale: bit(2),
            metric: bit(3),
            restart: bit(4),
            finish: bit(5),
        }
    }
}

/// A way to find what a kernel goes by.
pub trait Adaptation {
    /// What is known so far.
    type State: Tree + Clone + Send;

    /// What to do after each of so many steps of a warm-up.
    fn plan(&self, steps: usize) -> Vec<Task>;

    /// What is known at the start, with a step size that is of the right order.
    #[track_caller]
    fn start(&self, point: &Point, step_size: &Array) -> Self::State;

    /// What is known after a step that led to a point, with this probability of acceptance, where
    /// `target` is wished for.
    #[track_caller]
    fn update(
        &self,
        state: Self::State,
        tasks: &Tasks,
        point: &Point,
        acceptance: &Array,
        target: f64,
    ) -> Self::State;

    /// What the kernel should go by next.
    fn tuning(state: &Self::State) -> Tuning;
}
