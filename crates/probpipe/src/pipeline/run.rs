//! Chains on all cores.

use super::draws::Draws;
use super::program::{BLOCK, DRAW, Kept, Programs};
use super::warm_up::WarmUp;
use crate::device::Device;
use crate::inference::Target;
use crate::inference::mcmc::Kernel;
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Tree, concat, here, stack, uniform_of, with_location,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// A run of several chains. Each begins at a place of its own, warms up, and keeps its draws.
#[derive(Clone, Debug)]
pub struct Run<K, W> {
    /// What makes the steps.
    pub kernel: K,
    /// How it is warmed up.
    pub warm_up: W,
    /// Chains, 4 unless said otherwise.
    pub chains: usize,
    /// Steps of the warm-up, which are not kept; 400 unless said otherwise.
    pub warmup: usize,
    /// Draws that each chain keeps; 1,000 unless said otherwise.
    pub draws: usize,
    /// Steps for each draw.
    pub thin: usize,
    /// Threads; as many as there are cores unless said otherwise. Draws do not depend on it.
    pub threads: Option<usize>,
    /// Where the steps are computed.
    pub device: Device,
}

impl<K, W> Run<K, W> {
    /// Of a kernel and its warm-up.
    pub fn new(kernel: K, warm_up: W) -> Run<K, W> {
        Run {
            kernel,
            warm_up,
            chains: 4,
            warmup: 400,
            draws: 1000,
            thin: 1,
            threads: None,
            device: Device::Cpu,
        }
    }

    /// With so many steps of warm-up.
    #[must_use]
    pub fn warmup(mut self, steps: usize) -> Self {
        self.warmup = steps;
        self
    }

    /// With so many draws of each chain.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// With one draw of so many steps.
    #[must_use]
    pub fn thin(mut self, steps: usize) -> Self {
        self.thin = steps;
        self
    }

    /// On so many threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// With another warm-up.
    #[must_use]
    pub fn adaptation<V>(self, warm_up: V) -> Run<K, V> {
        let Run { kernel, chains, warmup, draws, thin, threads, device, .. } = self;
        Run { kernel, warm_up, chains, warmup, draws, thin, threads, device }
    }
}

/// Places that are tried as starts of a chain.
const TRIES: usize = 100;

impl<K, W> Run<K, W>
where
    K: Kernel + Sync,
    W: WarmUp<K> + Sync,
{
    /// Draws from a target.
    ///
    /// # Errors
    /// Those of the target; no start with a finite density and gradient; no chains or draws.
    #[track_caller]
    pub fn sample<T>(&self, key: Key, target: &Target<T>) -> Result<Draws<T>>
    where
        T: Tree + Clone + Send,
    {
        with_location(here(), || self.sampled(key, target))
    }

    fn sampled<T>(&self, key: Key, target: &Target<T>) -> Result<Draws<T>>
    where
        T: Tree + Clone + Send,
    {
        let Run { chains, draws, thin, .. } = *self;
        if chains == 0 || draws == 0 || thin == 0 {
            let message = format!("a run of {chains} chains with {draws} draws of {thin} steps");
            return Err(Error::new(ErrorKind::Value, message).at(here()).help("one at least"));
        }
        let programs = Programs::new(self.device, &self.kernel, &self.warm_up, target)?;
        let mut plan = self.warm_up.plan(self.warmup);
        plan.resize(self.warmup + draws * thin, DRAW);
        let keys: Vec<Key> = key.split_n(chains);
        let start = target.start().clone();
        let one = |i: usize| -> Result<Kept<T, K::Info>> {
            let (for_start, for_chain) = keys[i].reuse().split();
            let mut found = None;
            for (i, key) in for_start.split_n(TRIES).into_iter().enumerate() {
                // Nearer to the start of the target the longer nothing is found.
                let radius = 0.5f64.powi((i / 10) as i32);
                let jitter = uniform_of(start.dtype(), key, start.shape()) * 2.0 - 1.0;
                let (chain, sound) = programs.start(for_chain.reuse(), &start + jitter * radius)?;
                if sound {
                    found = Some(chain);
                    break;
                }
            }
            let Some(mut chain) = found else {
                let message = "no start with a finite density and gradient was found";
                return Err(Error::new(ErrorKind::Value, message)
                    .at(here())
                    .help("give the target another start"));
            };
            let mut blocks = Vec::new();
            for plan in plan.chunks(BLOCK) {
                let (next, kept) = programs.block(chain, plan)?;
                chain = next;
                let first = plan.iter().position(|&bits| bits == DRAW).unwrap_or(plan.len());
                if first < plan.len() {
                    blocks.push(kept.map(|x| x.slice_axis(0, first..plan.len())));
                }
            }
            joined(blocks, |parts| concat(&parts, 0))
                .map(|kept| kept.map(|x| if thin == 1 { x.clone() } else { thinned(x, thin) }))
        };
        let threads = self.threads.or_else(|| thread::available_parallelism().ok().map(Into::into));
        let threads = threads.unwrap_or(1).clamp(1, chains);
        let mut found: Vec<Option<Result<Kept<T, K::Info>>>> = (0..chains).map(|_| None).collect();
        let next = AtomicUsize::new(0);
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads {
                let (tell, one, next) = (tell.clone(), &one, &next);
                scope.spawn(move || {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= chains || tell.send((i, one(i))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(tell);
            for (i, result) in told {
                found[i] = Some(result);
            }
        });
        let all = found.into_iter().flatten().collect::<Result<Vec<_>>>()?;
        let Kept { z, values, log_density, step_size, info } =
            joined(all, |parts| stack(&parts, 0))?;
        let mut stats = Record::default();
        for (name, array) in [("log_density", log_density), ("step_size", step_size)] {
            if let Some(array) = array {
                stats.insert(name, array);
            }
        }
        for (path, leaf) in info.structure().paths().iter().zip(info.leaves()) {
            stats.insert(path.trim_start_matches('.'), leaf);
        }
        Ok(Draws { values, unconstrained: z, stats })
    }
}

/// Every `thin`th row, the last one among them.
fn thinned(x: &Array, thin: usize) -> Array {
    let mut shape = vec![x.shape()[0] / thin, thin];
    shape.extend_from_slice(&x.shape()[1..]);
    x.reshape(shape).slice_axis(1, thin - 1..thin).squeeze(1)
}

/// Trees of the same structure, leaf by leaf.
fn joined<T: Tree>(trees: Vec<T>, join: impl Fn(Vec<Array>) -> Array) -> Result<T> {
    let lists: Vec<Vec<Array>> = trees.iter().map(|tree| tree.leaves()).collect();
    let mut i = 0;
    let first = trees.into_iter().next();
    let first = first.ok_or_else(|| Error::new(ErrorKind::Internal, "nothing to join"))?;
    Ok(first.map(|_| {
        i += 1;
        join(lists.iter().map(|list| list[i - 1].clone()).collect())
    }))
}
