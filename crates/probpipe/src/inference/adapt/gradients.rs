//! Adaptation by draws and gradients together, as nutpie has it (A. Seyboldt, E. Carlson,
//! B. Carpenter, 2026, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence").

use super::moments::Moments;
use super::step_size::DualAveraging;
use super::windows::searched;
use super::{Adaptation, Task, Tasks};
use crate::inference::mcmc::{Metric, Point, Tuning, either};
use probpipe_trace::{
    Array, DType, Tree, Triangular, cond, eye, ones_like, ones_of, select, switch, zeros_like,
    zeros_of,
};

/// The shape of the density from draws and gradients: of the linear maps of a kind the one that
/// makes it most like a standard normal density, in the sense of the Fisher divergence. Gradients
/// say much after few steps, so that 400 steps do where draws alone take 1,000: of a normal density
/// `n` draws say all. Draws are forgotten in windows, of 10 in the first 30 % and of 160 then; the
/// last 15 % look for the step size alone. The first steps take the density to be narrow where it
/// is steep at the start, and those up to 30 % know its standard deviations alone: what a few draws
/// from a minor mode or on the way say of covariances would keep a chain there.
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
    /// The first steps, which know the gradient at the start alone.
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
    /// In the window before this one.
    before: Seen,
    /// In this window.
    new: Seen,
    /// Whether the next draw begins another window.
    full: Array,
    metric: Metric,
}

/// Draws and the gradients there.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Seen {
    draws: Moments,
    gradients: Moments,
}

/// Steps of a window after which a metric is made anew, and then whenever they have doubled: it
/// takes decompositions, and what comes between says little that is new.
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
            let doubled = since % AGAIN == 0 && (since / AGAIN).is_power_of_two();
            let metric = (early..end).contains(&i) && (switch || doubled || i + 1 == end);
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
        let x = &point.position;
        // A density is narrow where it is steep.
        let scale = (point.gradient.abs() + 1.0).rsqrt();
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
        let none = Seen { draws: none.clone(), gradients: none };
        let step_size = DualAveraging::new(step_size);
        let full = Array::from(false);
        GradientsState { step_size, before: none.clone(), new: none, full, metric }
    }

    fn update(
        &self,
        state: GradientsState,
        tasks: &Tasks,
        point: &Point,
        acceptance: &Array,
        target: f64,
    ) -> GradientsState {
        let GradientsState { step_size, before, new, full, metric } = state;
        let step_size = searched(&step_size, tasks, acceptance, target);
        // A window that is full gives way to another when there is something to put in that: once,
        // since these are the largest arrays of a warm-up.
        let how = select(&tasks.collect, full.cast(DType::I32) + 1, 0);
        let (before, new) = switch(
            how,
            (before, new, point.clone()),
            (
                |(before, new, _): (Seen, Seen, Point)| (before, new),
                |(before, new, point): (Seen, Seen, Point)| (before, new.with(&point)),
                |(_, new, point): (Seen, Seen, Point)| {
                    let none = new.clone().map(zeros_like);
                    (new, none.with(&point))
                },
            ),
        );
        let full = select(&tasks.collect, &tasks.switch, full);
        let metric = cond(
            &tasks.scale,
            (before.entries(), new.entries(), metric),
            |(before, new, old)| before.and(&new).scaled(old),
            |(_, _, old)| old,
        );
        let metric = cond(
            &tasks.metric,
            (before.clone(), new.clone(), metric),
            |(before, new, old)| before.and(&new).learnt(old),
            |(_, _, old)| old,
        );
        GradientsState { step_size, before, new, full, metric }
    }

    fn tuning(state: &GradientsState) -> Tuning {
        Tuning { step_size: state.step_size.step_size(), metric: state.metric.clone() }
    }
}

impl Seen {
    fn with(&self, point: &Point) -> Seen {
        let draws = self.draws.with(&point.position);
        Seen { draws, gradients: self.gradients.with(&point.gradient) }
    }

    /// What is known of each entry by itself.
    fn entries(&self) -> Seen {
        Seen { draws: self.draws.entries(), gradients: self.gradients.entries() }
    }

    /// Both.
    fn and(&self, other: &Seen) -> Seen {
        let draws = self.draws.and(&other.draws);
        Seen { draws, gradients: self.gradients.and(&other.gradients) }
    }

    /// Standard deviations; the old ones of entries that nothing is known of since they have not
    /// moved.
    fn scale(&self, old: &Array) -> Array {
        let ratio = self.draws.variance() / self.gradients.variance();
        let scale = ratio.sqrt().sqrt();
        let known = scale.is_finite() & scale.gt(0.0) & self.draws.count.gt(2.5);
        select(&known, scale.clip(1e-10, 1e10), old)
    }

    /// A metric of the kind of `old` that knows standard deviations alone.
    fn scaled(&self, old: Metric) -> Metric {
        match old {
            Metric::Dense(factor) => Metric::Dense(self.scale(&factor.diagonal()).diag()),
            Metric::LowRank { scale, directions, stretch } => {
                let (scale, stretch) = (self.scale(&scale), ones_like(&stretch));
                Metric::LowRank { scale, directions, stretch }
            }
            Metric::Diagonal(scale) => Metric::Diagonal(self.scale(&scale)),
            Metric::Unit => Metric::Unit,
        }
    }

    /// A metric of the kind of `old` by all that is known; `old` itself if there are too few draws.
    fn learnt(&self, old: Metric) -> Metric {
        let (scale, factor) = match old {
            Metric::Dense(_) | Metric::LowRank { .. } => self.factor(),
            Metric::Diagonal(_) | Metric::Unit => return self.scaled(old),
        };
        let known = factor.is_finite().all() & self.draws.count.gt(2.5);
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
        either(&known, new, old)
    }

    /// Standard deviations, and a factor of the covariance in their units: of the geometric mean of
    /// `A`, the covariance of the draws, and the inverse of `B`, that of the gradients. With
    /// `B = L L'` and `L' A L = U diag(w) U'` it is `L'^-1 U diag(w^(1/4))`. The units are those in
    /// which draws and gradients vary alike, and both are drawn a little towards 1 there, which is
    /// what directions that nothing is known of then get.
    fn factor(&self) -> (Array, Array) {
        const RIDGE: f64 = 1e-5;
        let (a, b) = (self.draws.covariance(), self.gradients.covariance());
        let scale = self.scale(&ones_like(&self.draws.mean));
        let units = scale.expand_dims(1) * scale.expand_dims(0);
        let ridge = eye(scale.size()).cast(a.dtype()) * RIDGE;
        let (a, b) = (a / &units + &ridge, b * units + ridge);
        let l = b.cholesky();
        let (w, u) = l.transpose().matmul(&a).matmul(&l).eigh();
        let turned = l.solve_triangular_with(&u, Triangular::lower().transposed());
        (scale, turned * w.maximum(1e-30).sqrt().sqrt())
    }
}
