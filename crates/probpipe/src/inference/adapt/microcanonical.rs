//! The lengths that microcanonical Langevin dynamics goes by, found from energies and memory
//! (J. Robnik, G. B. De Luca, E. Silverstein, U. Seljak, 2023, "Microcanonical Hamiltonian Monte
//! Carlo", section 4, as BlackJAX has it in its main lines).

use super::lags::Lags;
use super::moments::Moments;
use super::{Task, Tasks, WarmUp, reasonable_step_size};
use crate::inference::mcmc::{
    Kernel, LogDensity, Mclmc, MclmcInfo, MclmcState, Metric, StepCx, either,
};
use probpipe_trace::{Array, Key, Tree, cond, ones_like, scan, select};

/// The step size at which the energy has a given variance for each dimension, for the error of the
/// steps goes with it; standard deviations of the entries; and the length over which a direction
/// is forgotten, from the time after which positions are. The warm-up is 30 % of steps for the
/// step size, 30 % for the standard deviations too, 10 % for the step size with these, and 30 %
/// for the length. Where a density ends at a boundary inside of the space steps fail there, and the
/// step size may become very small.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::Mclmc;
/// use probpipe::prelude::*;
/// let scale = linspace(0.1, 10.0, 20);
/// let density = move |x: Array| Normal::new(1.0, &scale).log_prob(&x).sum();
/// let target = Target::new(density, zeros([20]))?;
/// let draws = Mclmc::new(1.0, 0.1).chains(2).draws(2000).sample(Key::new(0), &target)?;
/// assert!((draws.values.at_axis(2, 0).mean().item::<f32>()? - 1.0).abs() < 0.05);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Microcanonical {
    /// The variance of the energy for each dimension that steps may bring: 5e-4 unless said
    /// otherwise, less for less error.
    pub energy_variance: f64,
    /// Whether standard deviations are found; else the metric stays that of the kernel.
    pub metric: bool,
    /// Lags at which memory is looked for; a chain that remembers longer gets too short a length.
    pub lags: usize,
}

impl Default for Microcanonical {
    fn default() -> Microcanonical {
        Microcanonical { energy_variance: 5e-4, metric: true, lags: 64 }
    }
}

/// What [`Microcanonical`] knows.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MicrocanonicalState {
    /// The length of the next step.
    pub step_size: Array,
    /// The length over which its direction is forgotten.
    pub length: Array,
    search: Search,
    seen: Moments,
    lags: Lags,
    scale: Array,
}

/// An average of what the energy said of step sizes.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Search {
    /// The size that others are measured by: their sixth powers would leave the range of floats.
    unit: Array,
    weight: Array,
    sum: Array,
    /// Sizes above have failed.
    most: Array,
}

/// Over so many steps the average forgets, and how far from the right size it trusts what a step
/// says: the figures of BlackJAX.
const MEMORY: f64 = 149.0 / 151.0;
const TRUST: f64 = 1.5;
/// The length in units of the step size at first, and in units of the memory at last, as there.
const FIRST: f64 = 4.0;
const LAST: f64 = 0.4;

impl Search {
    fn from(step_size: &Array) -> Search {
        let zero = step_size * 0.0;
        Search {
            unit: step_size.clone(),
            weight: zero.clone(),
            sum: zero.clone(),
            most: zero + f64::INFINITY,
        }
    }

    /// After a step, that its energy changed by so much, for each dimension, in units of what is
    /// wished for. Its variance goes with the sixth power of the size.
    fn with(&self, size: &Array, change: &Array, moved: &Array) -> (Search, Array) {
        let ratio = select(moved, change.square(), 0.0) + 1e-8;
        let weight = (-(ratio.log() / (6.0 * TRUST)).square() * 0.5).exp();
        let sixth = |x: &Array| x.square() * x.square() * x.square();
        let sum = &self.sum * MEMORY + &weight * ratio / sixth(&(size / &self.unit));
        let weight = &self.weight * MEMORY + weight;
        let most = select(moved, &self.most, self.most.minimum(size * 0.8));
        let next = (&sum / &weight).pow(-1.0 / 6.0) * &self.unit;
        let next = select(next.is_finite() & next.gt(0.0), next, size).minimum(&most);
        (Search { unit: self.unit.clone(), weight, sum, most }, next)
    }
}

impl WarmUp<Mclmc> for Microcanonical {
    type State = MicrocanonicalState;

    /// `collect` is for the standard deviations, `metric` to use them, `switch` for the memory,
    /// `finish` to use that.
    fn plan(&self, steps: usize) -> Vec<Task> {
        let (early, middle, late) = (steps * 3 / 10, steps * 6 / 10, steps * 7 / 10);
        let task = |i: usize| Task {
            collect: early <= i && i < middle,
            scale: false,
            metric: i + 1 == middle,
            switch: late <= i,
            restart: i < late,
            finish: i + 1 == steps,
        };
        (0..steps).map(task).collect()
    }

    fn start(
        &self,
        key: Key,
        log_density: LogDensity<'_>,
        kernel: &Mclmc,
        state: &MclmcState,
    ) -> MicrocanonicalState {
        let x = &state.point.position;
        // A leapfrog step with a momentum of its own goes as far as its length.
        let stride = 1.0 / (x.size() as f64).sqrt();
        let first = &kernel.step_size * stride;
        let size = reasonable_step_size(key, log_density, &state.point, &kernel.metric, &first);
        let step_size = size / stride;
        MicrocanonicalState {
            length: &step_size * FIRST,
            search: Search::from(&step_size),
            step_size,
            seen: Moments::diagonal(x),
            lags: Lags::about(x, self.lags.max(2)),
            scale: ones_like(x),
        }
    }

    fn update(
        &self,
        known: MicrocanonicalState,
        tasks: &Tasks,
        _: &Mclmc,
        state: &MclmcState,
        info: &MclmcInfo,
    ) -> MicrocanonicalState {
        let MicrocanonicalState { step_size, length, search, seen, lags, scale } = known;
        let x = &state.point.position;
        let n = x.size() as f64;
        let wished = (n * self.energy_variance).sqrt();
        let (next, size) = search.with(&step_size, &(&info.energy_change / wished), &info.moved);
        let search = either(&tasks.restart, next, search);
        let step_size = select(&tasks.restart, size, step_size);
        let free = tasks.restart.clone() & seen.count.lt(0.5);
        let length = select(free | &tasks.collect, &step_size * FIRST, length);
        let seen = cond(
            &tasks.collect & &info.moved,
            (seen, x.clone()),
            |(seen, x)| seen.with(&x),
            |(seen, _)| seen,
        );
        let new = self.with_moments(&seen, &scale, &step_size, &length);
        let old = (scale, search, step_size, length, lags);
        let (scale, search, step_size, length, lags) = either(&tasks.metric, new, old);
        let lags =
            cond(&tasks.switch, (lags, x.clone()), |(lags, x)| lags.with(&x), |(lags, _)| lags);
        let last = lags.time() * &step_size * LAST;
        // Of few steps nothing can be said. Steps that undo each other have no time of memory.
        let told = last.is_finite() & lags.count.ge(10.0) & &tasks.finish;
        let length = select(told, last.maximum(&step_size * 0.1), length);
        MicrocanonicalState { step_size, length, search, seen, lags, scale }
    }

    fn kernel(&self, known: &MicrocanonicalState, kernel: &Mclmc) -> Mclmc {
        let metric = match self.metric {
            true => Metric::Diagonal(known.scale.clone()),
            false => kernel.metric.clone(),
        };
        let (length, step_size) = (known.length.clone(), known.step_size.clone());
        Mclmc { length, step_size, metric, ..kernel.clone() }
    }

    fn step_size(&self, known: &MicrocanonicalState) -> Option<Array> {
        Some(known.step_size.clone())
    }
}

impl Microcanonical {
    /// Standard deviations, and what goes with them: a new search, of sizes in units of them, the
    /// length of a typical vector, and memory about the mean.
    fn with_moments(
        &self,
        seen: &Moments,
        scale: &Array,
        step_size: &Array,
        length: &Array,
    ) -> (Array, Search, Array, Array, Lags) {
        let variance = seen.covariance();
        let known = variance.is_finite() & variance.gt(0.0);
        let deviations = select(known, variance.sqrt(), scale);
        let typical = (&deviations / scale).square().sum().sqrt();
        let root = (seen.mean.size() as f64).sqrt();
        let (scale, size, length) = match self.metric {
            true => (deviations, step_size * root / typical, length * 0.0 + root),
            false => (scale.clone(), step_size.clone(), typical),
        };
        let lags = Lags::about(&seen.mean, self.lags.max(2));
        (scale, Search::from(&size), size, length, lags)
    }

    /// The kernel after a warm-up of so many steps from a position, and the state that it ends in:
    /// a loop of the program, which can be traced.
    ///
    /// ```
    /// use probpipe::inference::adapt::Microcanonical;
    /// use probpipe::inference::mcmc::Mclmc;
    /// use probpipe::prelude::*;
    /// let density = |x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum();
    /// let find = |(key, x): (Key, Array)| {
    ///     Microcanonical::default().found(key, &density, &Mclmc::new(1.0, 0.1), x, 500).0
    /// };
    /// let kernel = jit(find)((Key::new(0), zeros([20])));
    /// assert!(kernel.step_size.item::<f32>()? > 0.5 && kernel.length.item::<f32>()? > 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    pub fn found(
        &self,
        key: Key,
        log_density: LogDensity<'_>,
        kernel: &Mclmc,
        position: Array,
        steps: usize,
    ) -> (Mclmc, MclmcState) {
        let (for_start, for_steps) = key.split();
        let state = kernel.init(log_density, position);
        let known = self.start(for_start, log_density, kernel, &state);
        let plan = WarmUp::<Mclmc>::plan(self, steps);
        let bits: Vec<i32> = plan.into_iter().map(Task::bits).collect();
        let step = |(known, state): (MicrocanonicalState, MclmcState), (key, bits)| {
            let stepping = self.kernel(&known, kernel);
            let (state, info) = stepping.step(StepCx::new(key, log_density), state);
            ((self.update(known, &Tasks::of(&bits), kernel, &state, &info), state), ())
        };
        let xs = (for_steps.split_batch(steps), Array::from(bits));
        let ((known, state), ()) = scan((known, state), xs, step);
        (self.kernel(&known, kernel), state)
    }
}
