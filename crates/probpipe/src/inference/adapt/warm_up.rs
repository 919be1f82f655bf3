//! What is done while chains warm up, whatever the kernel: an adaptation, or nothing.

use super::{Adaptation, Task, Tasks, reasonable_step_size};
use crate::inference::mcmc::{Kernel, LogDensity, Tuned, attainable};
use probpipe_trace::{Array, Key, Tree};

/// How a kernel is warmed up.
pub trait WarmUp<K: Kernel> {
    /// What is known so far.
    type State: Tree + Clone + Send;

    /// What to do after each of so many steps.
    fn plan(&self, steps: usize) -> Vec<Task>;

    /// What is known at the start.
    fn start(
        &self,
        key: Key,
        log_density: LogDensity<'_>,
        kernel: &K,
        state: &K::State,
    ) -> Self::State;

    /// What is known after a step.
    fn update(
        &self,
        known: Self::State,
        tasks: &Tasks,
        kernel: &K,
        state: &K::State,
        info: &K::Info,
    ) -> Self::State;

    /// The kernel to step with.
    fn kernel(&self, known: &Self::State, kernel: &K) -> K;

    /// The step size, of kernels that have one.
    fn step_size(&self, known: &Self::State) -> Option<Array>;
}

/// No adaptation: the kernel as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed;

impl<K: Kernel + Clone> WarmUp<K> for Fixed {
    type State = ();

    fn plan(&self, steps: usize) -> Vec<Task> {
        vec![Task::default(); steps]
    }

    fn start(&self, _: Key, _: LogDensity<'_>, _: &K, _: &K::State) {}

    fn update(&self, (): (), _: &Tasks, _: &K, _: &K::State, _: &K::Info) {}

    fn kernel(&self, (): &(), kernel: &K) -> K {
        kernel.clone()
    }

    fn step_size(&self, (): &()) -> Option<Array> {
        None
    }
}

impl<K: Tuned, A: Adaptation> WarmUp<K> for A {
    type State = A::State;

    fn plan(&self, steps: usize) -> Vec<Task> {
        Adaptation::plan(self, steps)
    }

    fn start(
        &self,
        key: Key,
        log_density: LogDensity<'_>,
        kernel: &K,
        state: &K::State,
    ) -> A::State {
        let point = K::point(state);
        // In the metric that the adaptation begins with.
        let rough = Adaptation::start(self, point, kernel.step_size());
        let metric = A::tuning(&rough).metric;
        // Looked for with leapfrog steps, as long as those of the kernel.
        let stride = K::stride(point);
        // A target acceptance may have been put into the kernel's field, where nobody looked.
        let first = attainable(kernel.step_size() * stride, kernel.target_acceptance());
        let step_size = reasonable_step_size(key, log_density, point, &metric, &first) / stride;
        Adaptation::start(self, point, &step_size)
    }

    fn update(
        &self,
        known: A::State,
        tasks: &Tasks,
        kernel: &K,
        state: &K::State,
        info: &K::Info,
    ) -> A::State {
        let (point, acceptance) = (K::point(state), K::acceptance(info));
        Adaptation::update(self, known, tasks, point, acceptance, kernel.target_acceptance())
    }

    fn kernel(&self, known: &A::State, kernel: &K) -> K {
        kernel.tuned(&A::tuning(known))
    }

    fn step_size(&self, known: &A::State) -> Option<Array> {
        Some(A::tuning(known).step_size)
    }
}
