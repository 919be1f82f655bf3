//! What a sampler is.

use crate::inference::Target;
use probpipe_trace::{
    Array, Key, Tree, fori_loop_dynamic, here, scan, tree_map, with_location, zeros_like, zeros_of,
};
use probpipe_transforms::vmap;

/// The logarithm of a density up to a constant: a scalar, of an array of any one shape.
pub type LogDensity<'a> = &'a dyn Fn(Array) -> Array;

/// What a step is taken with.
pub struct StepCx<'a> {
    /// The randomness of the step.
    pub key: Key,
    /// What is sampled from.
    pub log_density: LogDensity<'a>,
}

impl<'a> StepCx<'a> {
    /// With a key and a density.
    pub fn new(key: Key, log_density: LogDensity<'a>) -> StepCx<'a> {
        StepCx { key, log_density }
    }
}

impl std::fmt::Debug for StepCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepCx").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a chain is between two steps.
pub trait Located: Tree + Clone + Send {
    /// Where it is.
    fn position(&self) -> &Array;

    /// The log-density there, of states that keep it.
    fn log_density(&self) -> Option<&Array> {
        None
    }
}

/// A random step that leaves a density as it is. Both functions can be traced; neither depends on
/// anything but its arguments.
///
/// ```
/// use probpipe::inference::mcmc::{Hmc, Kernel, StepCx};
/// use probpipe::prelude::*;
/// let log_density = |x: Array| Normal::new(1.0, 2.0).log_prob(&x).sum();
/// let hmc = Hmc::new(0.5, 10);
/// let step = |state, key: Key| {
///     let (state, info) = hmc.step(StepCx::new(key, &log_density), state);
///     (state.clone(), (state.position, info.accepted))
/// };
/// let run = jit(|(x, keys): (Array, Key)| scan(hmc.init(&log_density, x), keys, step).1);
/// let (draws, accepted) = run((zeros([3]), Key::new(0).split_batch(1000)));
/// assert_eq!(draws.shape(), [1000, 3]);
/// assert!(accepted.cast(DType::F32).mean().item::<f32>()? > 0.8);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub trait Kernel {
    /// What the next step needs of the ones before.
    type State: Located;
    /// What is known of a step besides.
    type Info: Tree + Clone + Send;

    /// The state at a position.
    #[track_caller]
    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Self::State;

    /// The next state.
    #[track_caller]
    fn step(&self, cx: StepCx<'_>, state: Self::State) -> (Self::State, Self::Info);

    /// Doublings that a trajectory has at most, of kernels whose information has a `depth`.
    fn max_depth(&self) -> Option<usize> {
        None
    }

    /// `count` steps of a chain, an `i32` scalar, of which none depends on how many others there
    /// are; or of many chains side by side, which every leaf of `chain` then has along a leading
    /// axis. What is kept has room for `capacity` steps, which are no fewer. Kernels whose steps
    /// take longer or shorter have no chain wait for the steps of another.
    ///
    /// ```
    /// use probpipe::inference::mcmc::{Between, Chain, Kernel, Nuts, NutsInfo, Point};
    /// use probpipe::prelude::*;
    /// let log_density = |x: Array| Normal::new(1.0, [0.5, 3.0]).log_prob(&x).sum();
    /// let nuts = Nuts::new(0.4);
    /// let start = |key| {
    ///     let state = nuts.init(&log_density, zeros([2]));
    ///     Chain { key, number: Array::from(0i32), state, known: () }
    /// };
    /// let between = Between {
    ///     log_density: &log_density,
    ///     kernel: &|(): &()| nuts.clone(),
    ///     learn: &|_, (), _, _, _| (),
    ///     keep: &|(), state: &Point, _: &NutsInfo| state.position.clone(),
    /// };
    /// let run = jit(|keys: Key| nuts.steps(&between, &array(50), 50, vmap(start)(keys)).kept);
    /// let draws = run(Key::new(0).split_batch(16));
    /// assert_eq!(draws.shape(), [16, 50, 2]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn steps<W: Tree + Clone, R: Tree + Clone>(
        &self,
        between: &Between<'_, Self, W, R>,
        count: &Array,
        capacity: usize,
        chain: Chain<Self::State, W>,
    ) -> Steps<Self::State, Self::Info, W, R>
    where
        Self: Sized,
    {
        one_by_one(between, count, capacity, chain)
    }

    /// A chain of `steps` states from the start of a target, as values of the target along a new
    /// first axis, and what is known of each step. A loop of the program: it can be traced, and
    /// has no warm-up.
    #[track_caller]
    fn sample<T: Tree + Clone>(
        &self,
        key: Key,
        target: &Target<T>,
        steps: usize,
    ) -> probpipe_trace::Result<(T, Self::Info)> {
        with_location(here(), || {
            let log_density = |z: Array| target.log_density(&z);
            let step = |state: Self::State, key: Key| {
                let (state, info) = self.step(StepCx::new(key, &log_density), state);
                let position = state.position().clone();
                (state, (position, info))
            };
            let start = self.init(&log_density, target.start().clone());
            let (z, info) = scan(start, key.split_batch(steps), step).1;
            Ok((target.constrain_each(&z)?, info))
        })
    }
}

/// A chain between two steps: all that the next ones depend on.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Chain<S, W> {
    /// Of the chain; steps fold their number in.
    pub key: Key,
    /// Steps so far, `i32`.
    pub number: Array,
    /// The state of the kernel.
    pub state: S,
    /// What was learnt on the way.
    pub known: W,
}

impl<S: Clone, W: Clone> Clone for Chain<S, W> {
    fn clone(&self) -> Self {
        let Chain { key, number, state, known } = self;
        let (number, state, known) = (number.clone(), state.clone(), known.clone());
        Chain { key: key.reuse(), number, state, known }
    }
}

/// What is done around the steps of a chain: functions of one chain that can be traced.
pub struct Between<'a, K: Kernel, W, R> {
    /// What is sampled from.
    pub log_density: LogDensity<'a>,
    /// The kernel of the next step, by what is known.
    pub kernel: &'a dyn Fn(&W) -> K,
    /// What is known after a step: whether anything is learnt, what was known, the number of the
    /// step among those that are made, the state after it and what is known of it.
    pub learn: Learn<'a, K, W>,
    /// What is kept of a step: by what was known before, the state after it and what is known of
    /// it.
    pub keep: Keep<'a, K, W, R>,
}

/// See [`Between::learn`].
pub type Learn<'a, K, W> =
    &'a dyn Fn(&Array, W, &Array, &<K as Kernel>::State, &<K as Kernel>::Info) -> W;

/// See [`Between::keep`].
pub type Keep<'a, K, W, R> = &'a dyn Fn(&W, &<K as Kernel>::State, &<K as Kernel>::Info) -> R;

impl<K: Kernel, W, R> std::fmt::Debug for Between<'_, K, W, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Between").finish_non_exhaustive()
    }
}

/// What comes of some steps.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Steps<S, I, W, R> {
    /// The chain after them; nothing is learnt yet from the last.
    pub chain: Chain<S, W>,
    /// What is known of the last.
    pub info: I,
    /// What is kept, along a new first axis; zeros behind those that were made.
    pub kept: R,
}

/// [`Kernel::steps`] as a loop of steps.
pub(super) fn one_by_one<K: Kernel, W: Tree + Clone, R: Tree + Clone>(
    between: &Between<'_, K, W, R>,
    count: &Array,
    capacity: usize,
    chain: Chain<K::State, W>,
) -> Steps<K::State, K::Info, W, R> {
    let step = |chain: &Chain<K::State, W>| {
        let Chain { key, number, state, known } = chain;
        let cx = StepCx::new(key.reuse().fold_in(number), between.log_density);
        let (state, info) = (between.kernel)(known).step(cx, state.clone());
        let kept = (between.keep)(known, &state, &info);
        (state, info, kept)
    };
    let start = side_by_side(&chain.number.clone(), chain, |chain| {
        // Of this only the shapes are left.
        let (_, info, kept) = step(&chain);
        Steps { chain, info: info.map(zeros_like), kept: room(&kept, capacity) }
    });
    fori_loop_dynamic(0, count, start, |i, steps| {
        side_by_side(&steps.chain.number.clone(), steps, |steps| {
            let (state, info, new) = step(&steps.chain);
            let Chain { key, number, known, .. } = steps.chain;
            let learns = (&i + 1).lt(count);
            let known = (between.learn)(&learns, known, &i, &state, &info);
            let chain = Chain { key, number: number + 1, state, known };
            Steps { chain, info, kept: set_row(steps.kept, &i, new) }
        })
    })
}

/// A function of one chain on one or on many: as many as `number` says.
pub(crate) fn side_by_side<A: Tree, R: Tree>(number: &Array, x: A, f: impl Fn(A) -> R) -> R {
    if number.rank() == 0 { f(x) } else { vmap(f)(x) }
}

/// Zeros along a new first axis.
pub(super) fn room<R: Tree + Clone>(like: &R, capacity: usize) -> R {
    let more = |x: &Array| {
        let mut shape = vec![capacity];
        shape.extend_from_slice(x.shape());
        zeros_of(x.dtype(), shape)
    };
    like.clone().map(more)
}

/// With a row, if there is room for it.
pub(super) fn set_row<R: Tree>(rows: R, i: &Array, new: R) -> R {
    tree_map(|rows: Array, new: Array| rows.at_indices([i]).set(&new), rows, new)
}
