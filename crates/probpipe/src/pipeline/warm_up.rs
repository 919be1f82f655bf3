//! What a run does while chains warm up: an adaptation, or nothing.

use crate::inference::adapt::{
    Adaptation, Microcanonical, MicrocanonicalState, Tasks, reasonable_step_size,
};
use crate::inference::mcmc::{Kernel, LogDensity, Mclmc, MclmcInfo, MclmcState, Tuned};
use probpipe_trace::{Array, Key, Tree};

/// How a kernel is warmed up.
pub trait WarmUp<K: Kernel> {
    /// What is known so far.
    type State: Tree + Clone + Send;

    /// What to do after each of so many steps, in bits.
    fn plan(&self, steps: usize) -> Vec<i32>;

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
        bits: &Array,
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

    fn plan(&self, steps: usize) -> Vec<i32> {
        vec![0; steps]
    }

    fn start(&self, _: Key, _: LogDensity<'_>, _: &K, _: &K::State) {}

    fn update(&self, (): (), _: &Array, _: &K, _: &K::State, _: &K::Info) {}

    fn kernel(&self, (): &(), kernel: &K) -> K {
        kernel.clone()
    }

    fn step_size(&self, (): &()) -> Option<Array> {
        None
    }
}

impl<K: Tuned, A: Adaptation> WarmUp<K> for A {
    type State = A::State;

    fn plan(&self, steps: usize) -> Vec<i32> {
        Adaptation::plan(self, steps).into_iter().map(|task| task.bits()).collect()
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
        let first = kernel.step_size() * stride;
        let step_size = reasonable_step_size(key, log_density, point, &metric, &first) / stride;
        Adaptation::start(self, point, &step_size)
    }

    fn update(
        &self,
        known: A::State,
        bits: &Array,
        kernel: &K,
        state: &K::State,
        info: &K::Info,
    ) -> A::State {
        let (tasks, target) = (Tasks::of(bits), kernel.target_acceptance());
        Adaptation::update(self, known, &tasks, K::point(state), K::acceptance(info), target)
    }

    fn kernel(&self, known: &A::State, kernel: &K) -> K {
        kernel.tuned(&A::tuning(known))
    }

    fn step_size(&self, known: &A::State) -> Option<Array> {
        Some(A::tuning(known).step_size)
    }
}

impl WarmUp<Mclmc> for Microcanonical {
    type State = MicrocanonicalState;

    fn plan(&self, steps: usize) -> Vec<i32> {
        self.plan(steps).into_iter().map(|task| task.bits()).collect()
    }

    fn start(
        &self,
        key: Key,
        log_density: LogDensity<'_>,
        kernel: &Mclmc,
        state: &MclmcState,
    ) -> MicrocanonicalState {
        self.start(key, log_density, kernel, state)
    }

    fn update(
        &self,
        known: MicrocanonicalState,
        bits: &Array,
        _: &Mclmc,
        state: &MclmcState,
        info: &MclmcInfo,
    ) -> MicrocanonicalState {
        self.update(known, &Tasks::of(bits), state, info)
    }

    fn kernel(&self, known: &MicrocanonicalState, kernel: &Mclmc) -> Mclmc {
        self.kernel(known, kernel)
    }

    fn step_size(&self, known: &MicrocanonicalState) -> Option<Array> {
        Some(known.step_size.clone())
    }
}
