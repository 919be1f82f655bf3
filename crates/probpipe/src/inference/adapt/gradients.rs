//! Adaptation by draws and gradients together, as nutpie has it (A. Seyboldt, E. Carlson,
//! B. Carpenter, 2026, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence").

use super::moments::Moments;
use super::step_size::DualAveraging;
use super::windows::searched;
use super::{Adaptation, Task, Tasks};
use crate::inference::mcmc::{Metric, Point, Tuning};
use probpipe_trace::{Array, Tree, cond, select, tree_map};

/// Standard deviations from the variances of draws and of gradients: the square root of their
/// quotient is the variance along each entry that makes the density most like a standard normal
/// one, in the sense of the Fisher divergence. Gradients say much after few steps, so that 400
/// steps do where draws alone take 1,000. Draws are forgotten in windows, of 10 in the first 30 %
/// and of 80 then; the last 15 % look for the step size alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gradients {
    /// Steps of a window in the first 30 %.
    pub early: usize,
    /// Steps of a window after that.
    pub late: usize,
}

impl Default for Gradients {
    fn default() -> Gradients {
        Gradients { early: 10, late: 80 }
    }
}

/// What [`Gradients`] knows.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GradientsState {
    step_size: DualAveraging,
    /// Since the window before the last.
    draws: Moments,
    gradients: Moments,
    /// Since the last window.
    new_draws: Moments,
    new_gradients: Moments,
    scale: Array,
}

impl Adaptation for Gradients {
    type State = GradientsState;

    fn plan(&self, steps: usize) -> Vec<Task> {
        let (early, end) = (steps * 3 / 10, steps - steps * 15 / 100);
        let mut since = 0;
        let task = |i: usize| {
            let size = if i < early { self.early } else { self.late }.max(1);
            since += 1;
            // None that would leave too little for the last window.
            let switch = since >= size && i + size <= end && i < end;
            if switch {
                since = 0;
            }
            let collect = i < end;
            let finish = i + 1 == steps;
            // The first metric that draws have made changes what a step size means.
            Task { collect, switch, metric: collect, restart: i == self.early, finish }
        };
        (0..steps).map(task).collect()
    }

    fn start(&self, point: &Point, step_size: &Array) -> GradientsState {
        let none = Moments::diagonal(&point.position);
        GradientsState {
            step_size: DualAveraging::new(step_size),
            draws: none.clone(),
            gradients: none.clone(),
            new_draws: none.clone(),
            new_gradients: none,
            scale: first_scale(&point.gradient),
        }
    }

    fn update(
        &self,
        state: GradientsState,
        tasks: &Tasks,
        point: &Point,
        acceptance: &Array,
        target: f64,
    ) -> GradientsState {
        let step_size = searched(&state.step_size, tasks, acceptance, target);
        let here = (point.position.clone(), point.gradient.clone());
        let taken = |(state, (x, g)): (GradientsState, (Array, Array))| {
            let [draws, new_draws] = [&state.draws, &state.new_draws].map(|seen| seen.with(&x));
            let [gradients, new_gradients] =
                [&state.gradients, &state.new_gradients].map(|seen| seen.with(&g));
            let ratio = (draws.covariance() / gradients.covariance()).sqrt().sqrt();
            // Nothing is known of entries that have not moved.
            let known = ratio.is_finite() & ratio.gt(0.0) & draws.count.gt(2.5);
            let scale = select(&known, ratio.clip(1e-10, 1e10), &state.scale);
            GradientsState { draws, new_draws, gradients, new_gradients, scale, ..state }
        };
        let state = cond(&tasks.collect, (state, here), taken, |(state, _)| state);
        let GradientsState { draws, gradients, new_draws, new_gradients, scale, .. } = state;
        let older = |old: Moments, new: &Moments| {
            tree_map(|old: Array, new| select(&tasks.switch, new, old), old, new.clone())
        };
        let (draws, gradients) = (older(draws, &new_draws), older(gradients, &new_gradients));
        let fresh = |seen: Moments| seen.map(|x| select(&tasks.switch, 0.0, x));
        let (new_draws, new_gradients) = (fresh(new_draws), fresh(new_gradients));
        GradientsState { step_size, draws, gradients, new_draws, new_gradients, scale }
    }

    fn tuning(state: &GradientsState) -> Tuning {
        let (step_size, metric) =
            (state.step_size.step_size(), Metric::Diagonal(state.scale.clone()));
        Tuning { step_size, metric }
    }
}

/// Of a single gradient: where it is large the density is narrow.
fn first_scale(gradient: &Array) -> Array {
    let scale = gradient.abs().sqrt().recip();
    select(&scale.is_finite(), scale.clip(1e-10, 1e10), 1.0)
}
