//! Adaptation by draws and gradients together, as nutpie has it (A. Seyboldt, E. Carlson,
//! B. Carpenter, 2026, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence").

use super::moments::Moments;
use super::step_size::DualAveraging;
use super::windows::searched;
use super::{Adaptation, Task, Tasks};
use crate::inference::mcmc::{Metric, Point, Tuning};
use probpipe_trace::{
    Array, Tree, Triangular, cond, eye, ones_like, ones_of, select, tree_map, zeros_of,
};

/// The shape of the density from draws and gradients: of the linear maps of a kind the one that
/// makes it most like a standard normal density, in the sense of the Fisher divergence. Gradients
/// say much after few steps, so that 400 steps do where draws alone take 1,000: of a normal density
/// `n` draws say all. Draws are forgotten in windows, of 10 in the first 30 % and of 160 then; the
/// last 15 % look for the step size alone. The first steps take the density to be round, and those
/// up to 30 % know its standard deviations alone: what a few draws from a minor mode or on the way
/// say of covariances would keep a chain there.
///
/// For standard deviations alone it is the square root of the variance of the draws divided by that
/// of the gradients, entry by entry; with all covariances the geometric mean of the covariance of
/// the draws and the inverse of that of the gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gradients {
    /// Covariances too are found of at most so many numbers, for the steps of chains then cost
    /// `n^2` operations.
    pub dense_up_to: usize,
    /// Of more than that and at most so many only those along a few directions, for the steps of
    /// chains then cost `n` operations for each; in the warm-up it is `n^2`. Of still more numbers
    /// there are standard deviations alone.
    pub low_rank_up_to: usize,
    /// How many directions: those in which the density, in units of the standard deviations, is the
    /// longest or the shortest.
    pub directions: usize,
    /// The first steps, which take the density to be round.
    pub round: usize,
    /// Steps of a window in the first 30 %.
    pub early: usize,
    /// Steps of a window after that.
    pub late: usize,
}

impl Default for Gradients {
    fn default() -> Gradients {
        Gradients {
            dense_up_to: 50,
            low_rank_up_to: 300,
            directions: 16,
            round: 15,
            early: 10,
            late: 160,
        }
    }
}

impl Gradients {
    /// With standard deviations alone.
    pub fn diagonal() -> Gradients {
        Gradients { dense_up_to: 0, low_rank_up_to: 0, ..Gradients::default() }
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
    metric: Metric,
}

/// Steps after which a dense metric is made anew, within a window.
const AGAIN: usize = 20;

impl Adaptation for Gradients {
    type State = GradientsState;

    fn plan(&self, steps: usize) -> Vec<Task> {
        let (early, end) = (steps * 3 / 10, steps - steps * 15 / 100);
        let round = self.round.min(early);
        let mut since = 0;
        let task = |i: usize| {
            let size = if i < early { self.early } else { self.late }.max(1);
            since += 1;
            // None that would leave too little for the last window.
            let switch = since >= size && i + size <= end && i < end;
            let metric =
                (early..end).contains(&i) && (switch || since % AGAIN == 0 || i + 1 == end);
            if switch {
                since = 0;
            }
            Task {
                collect: i < end,
                switch,
                scale: (round..early).contains(&i),
                metric,
                // Where the metric becomes another, a step size means another thing.
                restart: i == round || i == early,
                finish: i + 1 == steps,
            }
        };
        (0..steps).map(task).collect()
    }

    fn start(&self, point: &Point, step_size: &Array) -> GradientsState {
        let (x, scale) = (&point.position, ones_like(&point.position));
        let vector = x.rank() == 1;
        let (none, metric) = if vector && x.size() <= self.dense_up_to {
            (Moments::dense(x), Metric::Dense(scale.diag()))
        } else if vector && x.size() <= self.low_rank_up_to {
            let k = self.directions.min(x.size());
            let (directions, stretch) =
                (zeros_of(x.dtype(), [x.size(), k]), ones_of(x.dtype(), [k]));
            (Moments::dense(x), Metric::LowRank { scale, directions, stretch })
        } else {
            (Moments::diagonal(x), Metric::Diagonal(scale))
        };
        GradientsState {
            step_size: DualAveraging::new(step_size),
            draws: none.clone(),
            gradients: none.clone(),
            new_draws: none.clone(),
            new_gradients: none,
            metric,
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
            let metric = state.metric;
            GradientsState {
                step_size: state.step_size,
                draws,
                new_draws,
                gradients,
                new_gradients,
                metric,
            }
        };
        let state = cond(&tasks.collect, (state, here), taken, |(state, _)| state);
        let GradientsState { draws, gradients, new_draws, new_gradients, metric, .. } = state;
        let seen = (draws.clone(), gradients.clone(), metric);
        let metric = cond(
            &tasks.scale,
            seen,
            |(draws, gradients, old)| scaled(&draws, &gradients, old),
            |(.., old)| old,
        );
        let seen = (draws.clone(), gradients.clone(), metric);
        let metric = cond(
            &tasks.metric,
            seen,
            |(draws, gradients, old)| learnt(&draws, &gradients, old),
            |(.., old)| old,
        );
        let older = |old: Moments, new: &Moments| {
            tree_map(|old: Array, new| select(&tasks.switch, new, old), old, new.clone())
        };
        let (draws, gradients) = (older(draws, &new_draws), older(gradients, &new_gradients));
        let fresh = |seen: Moments| seen.map(|x| select(&tasks.switch, 0.0, x));
        let (new_draws, new_gradients) = (fresh(new_draws), fresh(new_gradients));
        GradientsState { step_size, draws, gradients, new_draws, new_gradients, metric }
    }

    fn tuning(state: &GradientsState) -> Tuning {
        Tuning { step_size: state.step_size.step_size(), metric: state.metric.clone() }
    }
}

/// Standard deviations by those of draws and gradients in a metric of the kind of `old`, whatever
/// that knew besides; the old ones of entries that nothing is known of since they have not moved.
fn scaled(draws: &Moments, gradients: &Moments, old: Metric) -> Metric {
    let [draws_vary, gradients_vary] = [draws, gradients].map(|seen| {
        let all = seen.covariance();
        if all.rank() > seen.mean.rank() { all.diagonal() } else { all }
    });
    let ratio = (draws_vary / gradients_vary).sqrt().sqrt();
    let known = ratio.is_finite() & ratio.gt(0.0) & draws.count.gt(2.5);
    let chosen = |old: &Array| select(&known, ratio.clip(1e-10, 1e10), old);
    match old {
        Metric::Dense(factor) => Metric::Dense(chosen(&factor.diagonal()).diag()),
        Metric::LowRank { scale, directions, stretch } => {
            Metric::LowRank { scale: chosen(&scale), directions, stretch: ones_like(&stretch) }
        }
        Metric::Diagonal(scale) => Metric::Diagonal(chosen(&scale)),
        Metric::Unit => Metric::Unit,
    }
}

/// A metric of the kind of `old` from covariances; `old` itself if there are too few draws.
fn learnt(draws: &Moments, gradients: &Moments, old: Metric) -> Metric {
    if matches!(old, Metric::Diagonal(_)) {
        return scaled(draws, gradients, old);
    }
    let (scale, factor) = factor(draws, gradients);
    let known = factor.is_finite().all() & draws.count.gt(2.5);
    let new = match &old {
        Metric::LowRank { stretch, .. } => {
            let (w, v) = factor.matmul(&factor.transpose()).eigh();
            let length = w.maximum(1e-20).sqrt();
            let chosen = length.log().abs().top_k(stretch.size()).1;
            let (directions, stretch) = (v.take(&chosen, 1), length.take(&chosen, 0));
            // What is about as long as others is left as it is: few draws say no more.
            let plain = stretch.log().abs().lt(0.5 * 2f64.ln());
            Metric::LowRank { scale, directions, stretch: select(&plain, 1.0, stretch) }
        }
        _ => Metric::Dense(scale.expand_dims(1) * factor),
    };
    tree_map(|new: Array, old| select(&known, new, old), new, old)
}

/// Standard deviations, and a factor of the covariance in their units: of the geometric mean of
/// `A`, the covariance of the draws, and the inverse of `B`, that of the gradients. With `B = L L'`
/// and `L' A L = U diag(w) U'` it is `L'^-1 U diag(w^(1/4))`. The units are those in which draws
/// and gradients vary alike, and both are drawn a little towards 1 there, which is what directions
/// that nothing is known of then get.
fn factor(draws: &Moments, gradients: &Moments) -> (Array, Array) {
    const RIDGE: f64 = 1e-5;
    let (a, b) = (draws.covariance(), gradients.covariance());
    let scale = (a.diagonal() / b.diagonal()).sqrt().sqrt();
    let scale = select(&(scale.is_finite() & scale.gt(0.0)), scale.clip(1e-10, 1e10), 1.0);
    let units = scale.expand_dims(1) * scale.expand_dims(0);
    let ridge = eye(scale.size()).cast(a.dtype()) * RIDGE;
    let (a, b) = (a / &units + &ridge, b * units + ridge);
    let l = b.cholesky();
    let (w, u) = l.transpose().matmul(&a).matmul(&l).eigh();
    let turned = l.solve_triangular_with(&u, Triangular::lower().transposed());
    (scale, turned * w.maximum(1e-30).sqrt().sqrt())
}
