//! The two programs of a run: one finds out whether a chain can start somewhere, one makes a block
//! of steps, of one chain or of several side by side. They are compiled once and shared by the
//! threads.

use super::columns::{Column, Kept, columns};
use super::fingerprint::hash;
use crate::device::Device;
use crate::inference::Target;
use crate::inference::adapt::{Task, Tasks, WarmUp};
use crate::inference::mcmc::{Between, Chain, Kernel, Located, LogDensity, StepCx, side_by_side};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, LaneForm, Result, Rounding, Structure, Tree, cond,
    full_of, here, rounding, scan, stack, uniform_of, zeros_like,
};
use probpipe_transforms::{Compiled, graph_of, vmap};

/// Steps of a block: what is known of a run on the host is known this often.
pub(super) const BLOCK: usize = 50;
/// Places that are tried for the start of a chain.
pub(super) const TRIES: usize = 100;
/// The bits of steps that are not made.
pub(super) const IDLE: i32 = -1;
/// The bits of steps that are no part of the warm-up.
pub(super) const DRAW: i32 = 1 << 30;

/// A chain at a place.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Start<C> {
    chain: C,
    /// Whether it can start there.
    sound: Array,
    density: Option<Array>,
}

type ChainOf<K, W> = Chain<<K as Kernel>::State, <W as WarmUp<K>>::State>;
/// Places near to which chains start, keys for starts and for chains, the number of a try, and how
/// far from the places it may be.
type Try = (Array, (Key, Key), Array, Array);
type StartsProgram<K, W> = Compiled<Try, (Start<ChainOf<K, W>>, Array)>;
type KeptOf<K, T> = Kept<T, <K as Kernel>::Info>;
type BlockProgram<K, W, T> = Compiled<(ChainOf<K, W>, Array), (ChainOf<K, W>, KeptOf<K, T>)>;

/// The programs of a run, whatever its types: chains and what is kept are lists of leaves.
pub(super) trait Steps: Sync {
    /// How many chains the program of a block makes side by side: a leading axis of all leaves of
    /// chains and of what is kept, if it does.
    fn lanes(&self) -> Option<usize>;

    /// A chain from a place, if it can start there, and the log-density: 0 of kernels that do not
    /// keep it.
    fn start(&self, key: Key, z: Array) -> Result<Option<(f64, Vec<Array>)>>;

    /// The same of chains side by side, at places that try number `i` finds by keys for starts, so
    /// far from these.
    fn starts(&self, near: Array, keys: (Key, Key), i: usize, radius: f64) -> Result<Starts>;

    /// A chain after the steps of a plan of at most [`BLOCK`], and what is kept of [`BLOCK`] steps,
    /// of which those that were not made are zeros. Of chains side by side a metric is made after
    /// the last step alone.
    fn block(&self, chain: Vec<Array>, plan: &[i32]) -> Result<(Vec<Array>, Vec<Array>)>;
}

/// What came of a try to start chains side by side.
pub(super) struct Starts {
    pub chains: Vec<Array>,
    /// Of each whether it can start there, and the log-density.
    pub found: Vec<(bool, f64)>,
    /// The places.
    pub z: Array,
}

/// The programs of a run.
pub(super) struct Programs<K: Kernel, W: WarmUp<K>, T> {
    start: Compiled<(Key, Array), Start<ChainOf<K, W>>>,
    starts: Option<StartsProgram<K, W>>,
    block: BlockProgram<K, W, T>,
    lanes: Option<usize>,
    /// Of positions.
    dtype: DType,
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
    /// Of a block of so many chains side by side, or of one; with a number that stands for the
    /// program of a block, which takes a while, if `known`.
    #[track_caller]
    pub fn new(
        device: Device,
        (kernel, warm_up): (&K, &W),
        target: &Target<T>,
        lanes: Option<usize>,
        known: bool,
    ) -> Result<Self> {
        let backend = device.backend();
        let log_density = |z: Array| target.log_density(&z);
        let way = target.way()?;
        let parts = Parts { kernel, warm_up, log_density: &log_density, way: &way };
        let like = (Key::new(0), target.start().clone());
        let start = Compiled::new(&*backend, |(key, z)| parts.begin(key, z), &like)?;
        let chain = start.call(like)?.chain;
        let (structure, begun) = (chain.structure(), chain.leaves());
        let origin = target.start();
        let starts = |(places, keys, i, radius): Try| {
            vmap(|(place, (for_start, key)): (Array, (Key, Key))| {
                let each = for_start.split_batch(TRIES);
                let own = Key::from_data(each.data().take(&i, 0)).with_layout(each.layout());
                let z = near(&place, own, &radius);
                (parts.begin(key, z.clone()), z)
            })((places, keys))
        };
        let starts = match lanes {
            None => None,
            Some(lanes) => {
                let keys = || Key::new(0).split_batch(lanes);
                let radius = full_of(origin.dtype(), (), 1.0);
                let places = stack(vec![origin.clone(); lanes], 0);
                let like = (places, (keys(), keys()), Array::from(0i32), radius);
                Some(Compiled::new(&*backend, starts, &like)?)
            }
        };
        let form = lanes.map(|_| backend.caps().lanes);
        let block = |(chain, plan): (ChainOf<K, W>, Array)| match form {
            None => parts.one_by_one(chain, &plan),
            Some(LaneForm::InStep) => parts.in_rounds(chain, &plan),
            Some(LaneForm::Grouped) => vmap(|chain| parts.one_by_one(chain, &plan))(chain),
            // Each lane goes its own way, in a loop whose rounds are alike for all.
            Some(LaneForm::Apart | LaneForm::AsWritten) => {
                vmap(|chain| parts.in_rounds(chain, &plan))(chain)
            }
        };
        let chain = match lanes {
            None => chain,
            Some(lanes) => chain.map(|leaf| stack(vec![leaf.clone(); lanes], 0)),
        };
        let idle = (chain, Array::from(vec![IDLE; BLOCK]));
        let text = match known {
            true => Some(hash(graph_of(&block, &idle)?.to_string().as_bytes())),
            false => None,
        };
        let block = Compiled::new(&*backend, block, &idle)?;
        let (_, mut kept) = block.call(idle)?;
        if lanes.is_some() {
            kept = kept.map(|leaf| leaf.at(0));
        }
        let columns = columns(&kept)?;
        let (chain, kept, rounding) = (structure, kept.structure(), rounding());
        let dtype = origin.dtype();
        Ok(Programs {
            start,
            starts,
            block,
            lanes,
            dtype,
            chain,
            kept,
            columns,
            begun,
            rounding,
            text,
        })
    }
}

/// A place near another.
pub(super) fn near(start: &Array, key: Key, radius: &Array) -> Array {
    let jitter = uniform_of(start.dtype(), key, start.shape()) * 2.0 - 1.0;
    start + jitter * radius
}

/// What programs are made of.
struct Parts<'a, K, W, T> {
    kernel: &'a K,
    warm_up: &'a W,
    log_density: LogDensity<'a>,
    /// From real numbers to values.
    way: &'a dyn Fn(Array) -> T,
}

impl<K, W, T> Parts<'_, K, W, T>
where
    K: Kernel,
    W: WarmUp<K>,
    T: Tree + Clone,
{
    fn begin(&self, key: Key, z: Array) -> Start<ChainOf<K, W>> {
        let state = self.kernel.init(self.log_density, z);
        let (key, for_warm_up) = key.split();
        let known = self.warm_up.start(for_warm_up, self.log_density, self.kernel, &state);
        // A point that nothing can be known of, or where there is no way on, is no start.
        let sound = state
            .leaves()
            .iter()
            .filter(|leaf| leaf.dtype().is_float())
            .fold(Array::from(true), |sound, leaf| sound & leaf.is_finite().all());
        let density = state.log_density().cloned();
        let chain = Chain { key, number: Array::from(0i32), state, known };
        Start { chain, sound, density }
    }

    /// A block of a chain, step by step.
    fn one_by_one(&self, chain: ChainOf<K, W>, plan: &Array) -> (ChainOf<K, W>, KeptOf<K, T>) {
        scan(chain, plan.clone(), |chain, bits| {
            let nothing = |chain: ChainOf<K, W>| {
                // Of this only the shapes are left.
                let (_, kept) = self.step(chain.clone(), &bits);
                (chain, kept.map(zeros_like))
            };
            cond(bits.ge(0), chain, |chain| self.step(chain, &bits), nothing)
        })
    }

    fn step(&self, chain: ChainOf<K, W>, bits: &Array) -> (ChainOf<K, W>, KeptOf<K, T>) {
        let Chain { key, number, state, known } = chain;
        let stepping = self.warm_up.kernel(&known, self.kernel);
        let cx = StepCx::new(key.reuse().fold_in(&number), self.log_density);
        let (state, info) = stepping.step(cx, state);
        let kept = self.keep(&known, &state, &info, (self.way)(state.position().clone()));
        let known = cond(
            bits.lt(DRAW),
            (known, state.clone(), info),
            |(known, state, info)| self.learn(known, &Tasks::of(bits), &state, &info),
            |(known, ..)| known,
        );
        (Chain { key, number: number + 1, state, known }, kept)
    }

    /// A block of a chain, or of several side by side, as the kernel makes steps best.
    fn in_rounds(&self, chain: ChainOf<K, W>, plan: &Array) -> (ChainOf<K, W>, KeptOf<K, T>) {
        let bits = |i: &Array| plan.take(i, 0);
        let between = Between {
            log_density: self.log_density,
            kernel: &|known: &W::State| self.warm_up.kernel(known, self.kernel),
            learn: &|learns, known, i, state, info| {
                let bits = bits(i);
                cond(
                    learns & bits.lt(DRAW),
                    (known, state.clone(), info.clone(), bits),
                    |(known, state, info, bits)| {
                        // None that only some of the chains would wait for.
                        let tasks = Tasks { metric: Array::from(false), ..Tasks::of(&bits) };
                        self.learn(known, &tasks, &state, &info)
                    },
                    |(known, ..)| known,
                )
            },
            keep: &|known, state, info| self.keep(known, state, info, ()),
        };
        let count = plan.ge(0).cast(DType::I32).sum();
        let steps = self.kernel.steps(&between, &count, BLOCK, chain);
        let (chain, info, kept) = (steps.chain, steps.info, steps.kept);
        let Chain { key, number, state, known } = chain;
        let last = bits(&(&count - 1));
        let known = cond(
            count.gt(0) & last.lt(DRAW),
            (known, state.clone(), info),
            |learnt| {
                side_by_side(&number, learnt, |(known, state, info)| {
                    self.learn(known, &Tasks::of(&last), &state, &info)
                })
            },
            |(known, ..)| known,
        );
        let values = side_by_side(&number, kept.z.clone(), |z| vmap(self.way)(z));
        let Kept { z, log_density, step_size, info, .. } = kept;
        let kept = Kept { z, values, log_density, step_size, info };
        (Chain { key, number, state, known }, kept)
    }

    fn learn(&self, known: W::State, tasks: &Tasks, state: &K::State, info: &K::Info) -> W::State {
        self.warm_up.update(known, tasks, self.kernel, state, info)
    }

    fn keep<V>(
        &self,
        known: &W::State,
        state: &K::State,
        info: &K::Info,
        values: V,
    ) -> Kept<V, K::Info> {
        Kept {
            z: state.position().clone(),
            values,
            log_density: state.log_density().cloned(),
            step_size: self.warm_up.step_size(known),
            info: info.clone(),
        }
    }
}

/// How many steps of a plan a block has: of chains side by side none behind one that makes a
/// metric, which is done for all of them at once.
pub(super) fn reach(plan: &[i32], lanes: Option<usize>) -> usize {
    let metric = Task { metric: true, ..Task::default() }.bits();
    let last = plan.iter().position(|&bits| bits < DRAW && bits & metric != 0);
    match (last, lanes) {
        (Some(last), Some(_)) => last + 1,
        _ => plan.len(),
    }
}

impl<K, W, T> Steps for Programs<K, W, T>
where
    K: Kernel,
    W: WarmUp<K>,
    T: Tree + Clone,
{
    fn lanes(&self) -> Option<usize> {
        self.lanes
    }

    fn start(&self, key: Key, z: Array) -> Result<Option<(f64, Vec<Array>)>> {
        let Start { chain, sound, density } = self.start.call((key, z))?;
        if !sound.item::<bool>()? {
            return Ok(None);
        }
        let density = density.map_or(Ok(0.0), |density| density.cast(DType::F64).item())?;
        Ok(Some((density, chain.leaves())))
    }

    fn starts(&self, near: Array, keys: (Key, Key), i: usize, radius: f64) -> Result<Starts> {
        let Some(starts) = &self.starts else {
            return Err(Error::new(ErrorKind::Internal, "chains without lanes side by side"));
        };
        let radius = full_of(self.dtype, (), radius);
        let tried = starts.call((near, keys, Array::from(i as i32), radius))?;
        let (Start { chain, sound, density }, z) = tried;
        let sound = sound.to_vec::<bool>()?;
        let density = match density {
            Some(density) => density.cast(DType::F64).to_vec::<f64>()?,
            None => vec![0.0; sound.len()],
        };
        let found = sound.into_iter().zip(density).collect();
        Ok(Starts { chains: chain.leaves(), found, z })
    }

    fn block(&self, chain: Vec<Array>, plan: &[i32]) -> Result<(Vec<Array>, Vec<Array>)> {
        let mut bits = [IDLE; BLOCK];
        bits[..plan.len()].copy_from_slice(plan);
        let chain: ChainOf<K, W> = self.chain.again(chain, here())?;
        let (chain, kept) = self.block.call((chain, Array::from(bits.to_vec())))?;
        Ok((chain.leaves(), kept.leaves()))
    }
}
