//! Adaptation in windows, as Stan has it (Stan Reference Manual, "Automatic parameter tuning").

use super::moments::Moments;
use super::step_size::DualAveraging;
use super::{Adaptation, Task, Tasks};
use crate::inference::mcmc::{Metric, Point, Tuning, either};
use probpipe_trace::{Array, Tree, cond, eye, ones_like, select};

/// A first window for the step size alone, windows that double for the metric, each of which
/// forgets the one before, and a last one for the step size: of 1,000 steps 75, 25, 50, 100, 200,
/// 500 and 50.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Whether the metric knows covariances.
    pub dense: bool,
}

impl Windows {
    /// With standard deviations.
    pub fn diagonal() -> Windows {
        Windows { dense: false }
    }

    /// With the covariance matrix: `n^2` operations a step.
    pub fn dense() -> Windows {
        Windows { dense: true }
    }
}

/// What [`Windows`] knows.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct WindowsState {
    step_size: DualAveraging,
    seen: Moments,
    /// Standard deviations, or a factor of the covariance.
    shape: Array,
}

impl Adaptation for Windows {
    type State = WindowsState;

    fn plan(&self, steps: usize) -> Vec<Task> {
        // The parts of 1,000 for fewer than 150 steps, and nothing of the metric below 20.
        let (first, last, base) = match steps {
            0..20 => (steps, 0, 0),
            20..150 => (steps * 15 / 100, steps / 10, steps - steps * 15 / 100 - steps / 10),
            _ => (75, 50, 25),
        };
        let mut plan = vec![Task::default(); steps];
        let (mut from, mut size, end) = (first, base, steps - last);
        while from < end {
            // The last window takes what would be too little for one of its own.
            let to = if from + 3 * size > end { end } else { from + size };
            plan[from..to].iter_mut().for_each(|task| task.collect = true);
            let task = &mut plan[to - 1];
            (task.switch, task.metric, task.restart) = (true, true, true);
            (from, size) = (to, 2 * size);
        }
        if let Some(task) = plan.last_mut() {
            task.finish = true;
        }
        plan
    }

    fn start(&self, point: &Point, step_size: &Array) -> WindowsState {
        let x = &point.position;
        let (seen, shape) = match self.dense {
            true => (Moments::dense(x), eye(x.size()).cast(x.dtype())),
            false => (Moments::diagonal(x), ones_like(x)),
        };
        WindowsState { step_size: DualAveraging::new(step_size), seen, shape }
    }

    fn update(
        &self,
        state: WindowsState,
        tasks: &Tasks,
        point: &Point,
        acceptance: &Array,
        target: f64,
    ) -> WindowsState {
        let WindowsState { step_size, seen, shape } = state;
        let seen = cond(
            &tasks.collect,
            (seen, point.position.clone()),
            |(seen, x)| seen.with(&x),
            |(seen, _)| seen,
        );
        let dense = self.dense;
        let (seen, shape) = cond(
            &tasks.metric,
            (seen, shape),
            |(seen, _)| (seen.clone().map(|x| x * 0.0), shape_of(&seen, dense)),
            |(seen, shape)| (seen, shape),
        );
        WindowsState { step_size: searched(&step_size, tasks, acceptance, target), seen, shape }
    }

    fn tuning(state: &WindowsState) -> Tuning {
        let metric = match state.shape.rank() > state.seen.mean.rank() {
            true => Metric::Dense(state.shape.clone()),
            false => Metric::Diagonal(state.shape.clone()),
        };
        Tuning { step_size: state.step_size.step_size(), metric }
    }
}

/// Standard deviations or a factor, drawn a little towards a small round shape, as Stan does.
fn shape_of(seen: &Moments, dense: bool) -> Array {
    let n = &seen.count;
    let (part, rest) = (n / (n + 5.0), 1e-3 * (5.0 / (n + 5.0)));
    let known = seen.covariance() * part;
    match dense {
        true => (known + eye(seen.mean.size()).cast(n.dtype()) * rest).cholesky(),
        false => (known + rest).sqrt(),
    }
}

/// The search for a step size after a step.
pub(super) fn searched(
    search: &DualAveraging,
    tasks: &Tasks,
    acceptance: &Array,
    target: f64,
) -> DualAveraging {
    let next = search.update(acceptance, target);
    let again = DualAveraging::new(next.step_size());
    let next = either(&tasks.restart, again, next);
    // What is kept is the average, of the step just made too.
    let kept = select(&tasks.finish, &next.log_average, &next.log_step_size);
    DualAveraging { log_step_size: kept, ..next }
}
