//! The two programs of a run: one finds out whether a chain can start somewhere, one makes a block
//! of steps. They are compiled once and shared by the threads.

use super::columns::{Column, Kept, columns};
use super::fingerprint::hash;
use crate::device::Device;
use crate::inference::Target;
use crate::inference::adapt::{Tasks, WarmUp};
use crate::inference::mcmc::{Kernel, Located, StepCx};
use probpipe_trace::{
    Array, DType, Key, Result, Rounding, Structure, Tree, cond, here, rounding, scan, zeros_like,
};
use probpipe_transforms::{Compiled, graph_of};

/// Steps of a block: what is known of a run on the host is known this often.
pub(super) const BLOCK: usize = 50;
/// The bits of steps that are not made.
pub(super) const IDLE: i32 = -1;
/// The bits of steps that are no part of the warm-up.
pub(super) const DRAW: i32 = 1 << 30;

/// A chain between two steps: all that the next ones depend on.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Snapshot<S, W> {
    /// Of the chain; steps fold their number in.
    pub key: Key,
    /// Steps so far, `i32`.
    pub number: Array,
    pub state: S,
    pub known: W,
}

impl<S: Clone, W: Clone> Clone for Snapshot<S, W> {
    fn clone(&self) -> Self {
        let Snapshot { key, number, state, known } = self;
        let (number, state, known) = (number.clone(), state.clone(), known.clone());
        Snapshot { key: key.reuse(), number, state, known }
    }
}

/// A chain at a place.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Start<C> {
    chain: C,
    /// Whether it can start there.
    sound: Array,
    density: Option<Array>,
}

type ChainOf<K, W> = Snapshot<<K as Kernel>::State, <W as WarmUp<K>>::State>;
type KeptOf<K, T> = Kept<T, <K as Kernel>::Info>;
type BlockProgram<K, W, T> = Compiled<(ChainOf<K, W>, Array), (ChainOf<K, W>, KeptOf<K, T>)>;

/// The programs of a run, whatever its types: chains and what is kept are lists of leaves.
pub(super) trait Steps: Sync {
    /// A chain from a place, if it can start there, and the log-density: 0 of kernels that do not
    /// keep it.
    fn start(&self, key: Key, z: Array) -> Result<Option<(f64, Vec<Array>)>>;

    /// A chain after the steps of a plan of at most [`BLOCK`], and what is kept of [`BLOCK`] steps,
    /// of which those that were not made are zeros.
    fn block(&self, chain: Vec<Array>, plan: &[i32]) -> Result<(Vec<Array>, Vec<Array>)>;
}

/// The programs of a run.
pub(super) struct Programs<K: Kernel, W: WarmUp<K>, T> {
    start: Compiled<(Key, Array), Start<ChainOf<K, W>>>,
    block: BlockProgram<K, W, T>,
    chain: Structure,
    /// Of what is kept of a step.
    pub kept: Structure,
    /// Its leaves.
    pub columns: Vec<Column>,
    /// The chain at the start of the target, of any key.
    pub begun: Vec<Array>,
    /// How they round.
    pub rounding: Rounding,
    /// Of the program of a block, if asked for.
    pub text: Option<u64>,
}

impl<K, W, T> Programs<K, W, T>
where
    K: Kernel,
    W: WarmUp<K>,
    T: Tree + Clone,
{
    /// With a number that stands for the program of a block, which takes a while, if `known`.
    #[track_caller]
    pub fn new(
        device: Device,
        kernel: &K,
        warm_up: &W,
        target: &Target<T>,
        known: bool,
    ) -> Result<Self> {
        let backend = device.backend();
        let log_density = |z: Array| target.log_density(&z);
        let begin = |(key, z): (Key, Array)| {
            let state = kernel.init(&log_density, z);
            let (key, for_warm_up) = key.split();
            let known = warm_up.start(for_warm_up, &log_density, kernel, &state);
            // A point that nothing can be known of, or where there is no way on, is no start.
            let sound = state
                .leaves()
                .iter()
                .filter(|leaf| leaf.dtype().is_float())
                .fold(Array::from(true), |sound, leaf| sound & leaf.is_finite().all());
            let density = state.log_density().cloned();
            Start {
                chain: Snapshot { key, number: Array::from(0i32), state, known },
                sound,
                density,
            }
        };
        let like = (Key::new(0), target.start().clone());
        let start = Compiled::new(&*backend, begin, &like)?;
        let chain = start.call(like)?.chain;
        let way = target.way()?;
        let step = |chain: ChainOf<K, W>, bits: &Array| {
            let Snapshot { key, number, state, known } = chain;
            let stepping = warm_up.kernel(&known, kernel);
            let step_size = warm_up.step_size(&known);
            let cx = StepCx::new(key.reuse().fold_in(&number), &log_density);
            let (state, info) = stepping.step(cx, state);
            let known = cond(
                bits.lt(DRAW),
                (known, state.clone(), info.clone()),
                |(known, state, info)| {
                    warm_up.update(known, &Tasks::of(bits), kernel, &state, &info)
                },
                |(known, ..)| known,
            );
            let z = state.position().clone();
            let kept = Kept {
                values: way(z.clone()),
                z,
                log_density: state.log_density().cloned(),
                step_size,
                info,
            };
            (Snapshot { key, number: number + 1, state, known }, kept)
        };
        let block = |(chain, plan): (ChainOf<K, W>, Array)| {
            scan(chain, plan, |chain, bits| {
                let nothing = |chain: ChainOf<K, W>| {
                    // Of this only the shapes are left.
                    let (_, kept) = step(chain.clone(), &bits);
                    (chain, kept.map(zeros_like))
                };
                cond(bits.ge(0), chain, |chain| step(chain, &bits), nothing)
            })
        };
        let idle = (chain, Array::from(vec![IDLE; BLOCK]));
        let text = match known {
            true => Some(hash(graph_of(&block, &idle)?.to_string().as_bytes())),
            false => None,
        };
        let block = Compiled::new(&*backend, block, &idle)?;
        let (chain, begun) = (idle.0.structure(), idle.0.leaves());
        let (_, kept) = block.call(idle)?;
        let columns = columns(&kept)?;
        let (kept, rounding) = (kept.structure(), rounding());
        Ok(Programs { start, block, chain, kept, columns, begun, rounding, text })
    }
}

impl<K, W, T> Steps for Programs<K, W, T>
where
    K: Kernel,
    W: WarmUp<K>,
    T: Tree + Clone,
{
    fn start(&self, key: Key, z: Array) -> Result<Option<(f64, Vec<Array>)>> {
        let Start { chain, sound, density } = self.start.call((key, z))?;
        if !sound.item::<bool>()? {
            return Ok(None);
        }
        let density = density.map_or(Ok(0.0), |density| density.cast(DType::F64).item())?;
        Ok(Some((density, chain.leaves())))
    }

    fn block(&self, chain: Vec<Array>, plan: &[i32]) -> Result<(Vec<Array>, Vec<Array>)> {
        let mut bits = [IDLE; BLOCK];
        bits[..plan.len()].copy_from_slice(plan);
        let chain: ChainOf<K, W> = self.chain.again(chain, here())?;
        let (chain, kept) = self.block.call((chain, Array::from(bits.to_vec())))?;
        Ok((chain.leaves(), kept.leaves()))
    }
}
