//! Replica exchange, or parallel tempering: chains at several temperatures that swap places.

use super::kernel::{Kernel, Located, LogDensity, StepCx};
use probpipe_trace::{Array, DType, Tree, arange, concat, uniform_of, zeros_of};
use probpipe_transforms::vmap;
use std::fmt;
use std::marker::PhantomData;

/// A chain for each temperature `t` of a ladder, which samples the density to the power `1 / t` by
/// a kernel of its own, and swaps of neighbours, accepted with the ratio
/// `exp((1/t - 1/s) (log p(y) - log p(x)))` of the chains at `x` and `y` (R. H. Swendsen, J.-S.
/// Wang, 1986; C. J. Geyer, 1991). Pairs that begin with an even and with an odd number swap in
/// turn, which carries places up and down the ladder faster than chance (S. Syed,
/// A. Bouchard-Côté, G. Deligiannidis, A. Doucet, 2022). The position is that of the first
/// temperature, usually 1; modes that it would not leave are left by hot chains. All chains step
/// together, as one `vmap`, and begin anew from where they are after swaps: what a kernel keeps
/// besides, as a momentum, is forgotten.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Hmc, Kernel, ReplicaExchange};
/// use probpipe::prelude::*;
/// // Two modes that are 16 standard deviations apart.
/// let density = |x: Array| {
///     let mode = |at: f64| Normal::new(at, 0.5).log_prob(&x).sum();
///     mode(-4.0).logaddexp(mode(4.0))
/// };
/// let target = Target::new(density, array([4.0]))?;
/// let kernel = ReplicaExchange::new([1.0, 3.0, 9.0, 27.0], |t: &Array| {
///     Hmc::new(0.25 * t.sqrt(), 5)
/// });
/// let draws = jit(|key| kernel.sample(key, &target, 2000).map(|run| run.0).unwrap())(Key::new(0));
/// assert!(draws.mean().abs().item::<f32>()? < 1.5);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub struct ReplicaExchange<K, F> {
    /// The ladder, `[m]`.
    pub temperatures: Array,
    /// The kernel for a temperature, a scalar.
    pub kernel: F,
    kernels: PhantomData<fn() -> K>,
}

impl<K, F: Clone> Clone for ReplicaExchange<K, F> {
    fn clone(&self) -> Self {
        let (temperatures, kernel) = (self.temperatures.clone(), self.kernel.clone());
        ReplicaExchange { temperatures, kernel, kernels: PhantomData }
    }
}

impl<K, F> fmt::Debug for ReplicaExchange<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ladder = &self.temperatures;
        f.debug_struct("ReplicaExchange").field("temperatures", ladder).finish_non_exhaustive()
    }
}

impl<K: Kernel, F: Fn(&Array) -> K> ReplicaExchange<K, F> {
    /// With temperatures `[m]`, the first of which is that of the draws, and the kernel for each: a
    /// function of the temperature, which step sizes should grow with as its root does.
    pub fn new(temperatures: impl Into<Array>, kernel: F) -> ReplicaExchange<K, F> {
        ReplicaExchange { temperatures: temperatures.into(), kernel, kernels: PhantomData }
    }
}

/// Chains at all temperatures.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Replicas<S> {
    /// Their states, with an axis `[m]` in front; densities in them are tempered.
    pub chains: S,
    /// Where that of the first temperature is.
    pub position: Array,
    /// The log-density there.
    pub log_density: Array,
    /// Steps so far, `i32`.
    pub steps: Array,
}

impl<S: Tree + Clone + Send> Located for Replicas<S> {
    fn position(&self) -> &Array {
        &self.position
    }

    fn log_density(&self) -> Option<&Array> {
        Some(&self.log_density)
    }
}

/// What is known of a step of [`ReplicaExchange`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct ReplicaInfo<I> {
    /// Of the kernels, with an axis `[m]` in front.
    pub chains: I,
    /// The probability with which neighbours would swap, `[m - 1]`.
    pub acceptance: Array,
    /// Which did, `[m - 1]`.
    pub swapped: Array,
}

impl<K: Kernel, F: Fn(&Array) -> K> Kernel for ReplicaExchange<K, F> {
    type State = Replicas<K::State>;
    type Info = ReplicaInfo<K::Info>;

    /// All chains at one position.
    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Self::State {
        let begin = |t: Array| self.begun(log_density, &t, position.clone());
        let chains = vmap(begin)(self.temperatures.clone());
        let value = log_density(position.clone());
        Replicas { chains, position, log_density: value, steps: Array::from(0i32) }
    }

    fn step(&self, cx: StepCx<'_>, state: Self::State) -> (Self::State, Self::Info) {
        let (for_chains, for_swaps) = cx.key.split();
        let ladder = &self.temperatures;
        let m = ladder.size();
        let Replicas { chains, steps, .. } = state;
        let keys = for_chains.split_batch(m);
        let (places, info) = vmap(|(key, t, state): (_, Array, K::State)| {
            let tempered = |x: Array| tempered(cx.log_density, &t, x);
            let (state, info) = (self.kernel)(&t).step(StepCx::new(key, &tempered), state);
            let position = state.position().clone();
            let value = match state.log_density() {
                Some(value) => value * t.cast(value.dtype()),
                None => (cx.log_density)(position.clone()),
            };
            ((position, value), info)
        })((keys, ladder.clone(), chains));
        let (positions, values) = places;
        let cold = 1.0 / ladder;
        let gap = |x: &Array| x.slice_axis(0, 0..m.max(1) - 1) - x.slice_axis(0, 1..m);
        // log p of the hotter one less that of the colder.
        let ratio = gap(&cold) * -gap(&values);
        let ratio = ratio.cast(values.dtype());
        let acceptance = ratio.minimum(0.0).exp();
        let turn = (arange(m.max(1) - 1) + &steps) % 2;
        let chances = uniform_of(ratio.dtype(), for_swaps, [m.max(1) - 1]);
        let swapped = chances.lt(&acceptance) & turn.eq(0);
        // Who swaps with the next one goes one up, who does with the one before one down.
        let (one, none) = (swapped.cast(DType::I32), zeros_of(DType::I32, [1]));
        let up = concat([&one, &none], 0);
        let down = concat([&none, &one], 0);
        let from = arange(m) + up - down;
        let (positions, values) = (positions.take(&from, 0), values.take(from, 0));
        let chains = vmap(|(t, x): (Array, Array)| self.begun(cx.log_density, &t, x))((
            ladder.clone(),
            positions.clone(),
        ));
        let state = Replicas {
            chains,
            position: positions.at(0),
            log_density: values.at(0),
            steps: steps + 1,
        };
        (state, ReplicaInfo { chains: info, acceptance, swapped })
    }
}

impl<K: Kernel, F: Fn(&Array) -> K> ReplicaExchange<K, F> {
    fn begun(&self, log_density: LogDensity<'_>, t: &Array, position: Array) -> K::State {
        (self.kernel)(t).init(&|x: Array| tempered(log_density, t, x), position)
    }
}

fn tempered(log_density: LogDensity<'_>, t: &Array, x: Array) -> Array {
    let value = log_density(x);
    &value / t.cast(value.dtype())
}
