//! Runs: what is to be done, and how it is begun, gone on with and ended. How chains are made is
//! told in `threads`.

use super::checkpoint::Checkpoint;
use super::columns::named;
use super::course::{Course, Ended, Group, Member, Memory, Outcome, Pace, Sink};
use super::draws::Draws;
use super::fingerprint::{Facts, Fingerprint};
use super::folder::{Folder, is_run};
use super::program::{DRAW, Programs, Steps};
use super::progress::{Listeners, Progress, Watcher};
use super::threads::{run, together};
use crate::device::Device;
use crate::inference::Target;
use crate::inference::adapt::{Task, WarmUp};
use crate::inference::mcmc::Kernel;
use probpipe_trace::{Array, Error, ErrorKind, Key, Result, Tree, here, stack, with_location};
use std::any::type_name;
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A run of several chains. Each begins at a place of its own, warms up, and keeps its draws.
///
/// Under [`with_rounding`](crate::with_rounding) it is compiled to programs that may contract
/// operations, which take less time: gradients of small posteriors, half to nine tenths.
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
    /// Chains that one program makes side by side; see [`Run::lanes`].
    pub lanes: Option<usize>,
    /// Where each chain starts, if that is given; see [`Run::starts`].
    pub starts: Option<Array>,
    /// Where the steps are computed.
    pub device: Device,
    /// The folder to which draws go, if they are not kept in memory.
    pub folder: Option<PathBuf>,
    listeners: Listeners,
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
            lanes: None,
            starts: None,
            device: Device::Cpu,
            folder: None,
            listeners: Listeners::default(),
        }
    }

    /// With so many chains.
    #[must_use]
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
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

    /// With so many chains side by side in one program, as lanes: threads then share groups of
    /// chains. With 1 each chain is by itself. Unless said otherwise it is so on the CPU, where
    /// that is the fastest for all models measured (`docs/lanes.md`), and on the GPU up
    /// to 4,096 chains are side by side.
    ///
    /// No chain waits for the trajectories of others but at the end of a block of steps. What a
    /// chain draws depends on its key, whatever is beside it; but sums may round otherwise in
    /// programs of other shapes, so that draws with and without lanes agree to rounding, for as
    /// long as no difference has grown.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// let target = Target::new(|x: Array| -x.square().sum() / 2.0, zeros([3]))?;
    /// let run = Nuts::default().chains(20).lanes(8).warmup(100).draws(50);
    /// let draws = run.sample(Key::new(0), &target)?;
    /// assert_eq!(draws.values.shape(), [20, 50, 3]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[must_use]
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = Some(lanes);
        self
    }

    /// Chains side by side, if there are to be several.
    fn side_by_side(&self) -> Option<usize> {
        let lanes = self.lanes.unwrap_or(match self.device {
            Device::Gpu => LANES,
            Device::Cpu | Device::Interpreter | Device::Auto => 1,
        });
        let lanes = lanes.min(self.chains);
        (lanes > 1).then_some(lanes)
    }

    /// With starts, vectors `[chains, n]` of the target, such as draws of an approximation. Unless
    /// they are given each chain starts at the best of ten places near to the start of the target.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::inference::vi::Pathfinder;
    /// use probpipe::prelude::*;
    /// // Far from where chains would start, and narrow.
    /// let log_density = |x: Array| Normal::new([300.0, -40.0], [5.0, 0.1]).log_prob(&x).sum();
    /// let target = Target::new(log_density, zeros([2]))?;
    /// let found = Pathfinder::default().fit(Key::new(0), &target);
    /// let starts = found.approximation.draws(Key::new(1), 4);
    /// let run = Nuts::default().chains(4).warmup(100).starts(starts);
    /// let draws = run.sample(Key::new(2), &target)?;
    /// assert!((draws.values.mean_axes([0, 1]).at(0) - 300.0).abs().item::<f32>()? < 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[must_use]
    pub fn starts(mut self, starts: impl Into<Array>) -> Self {
        self.starts = Some(starts.into());
        self
    }

    /// Where the chains of a target start, each, and whether that is given.
    #[track_caller]
    fn places<T>(&self, target: &Target<T>) -> Result<(Array, bool)> {
        let (chains, start) = (self.chains, target.start());
        let mut wanted = vec![chains];
        wanted.extend_from_slice(start.shape());
        let Some(starts) = &self.starts else {
            return Ok((stack(vec![start.clone(); chains], 0), false));
        };
        let starts = starts.cast(start.dtype());
        let ty = starts.ty()?;
        if ty.shape[..] != wanted[..] {
            let message = format!(
                "starts are {ty}, and {chains} chains of vectors of {} need {wanted:?}",
                target.size()
            );
            let help = "give one vector of the target for each chain: `Target::unconstrain` makes \
                        one of values";
            return Err(Error::new(ErrorKind::Shape, message).at(here()).help(help));
        }
        Ok((starts, true))
    }

    /// With another warm-up.
    #[must_use]
    pub fn adaptation<V>(self, warm_up: V) -> Run<K, V> {
        let Run { kernel, chains, warmup, draws, thin, threads, lanes, device, .. } = self;
        let (starts, folder, listeners) = (self.starts, self.folder, self.listeners);
        Run {
            kernel,
            warm_up,
            chains,
            warmup,
            draws,
            thin,
            threads,
            lanes,
            starts,
            device,
            folder,
            listeners,
        }
    }

    /// With draws that go to a folder, block by block: a Zarr store that ArviZ opens, also while
    /// the run goes on and however it ends. Memory holds a few blocks. What is there is at most a
    /// tenth of a second old. A disk that fails ends the run in order, as [`Ended::Failed`]; it
    /// goes on with [`Run::resume`].
    #[must_use]
    pub fn to_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// With bars on the terminal, or without. There are bars unless said otherwise, for runs of
    /// more than a moment if the error output is a terminal.
    #[must_use]
    pub fn progress(mut self, on: bool) -> Self {
        self.listeners.bars = on;
        self
    }

    /// With a first ctrl-C that ends the run in order, with the draws that there are, as it does
    /// unless said otherwise; or with one that ends the process, as the second does.
    #[must_use]
    pub fn interruptible(mut self, on: bool) -> Self {
        self.listeners.interruptible = on;
        self
    }

    /// With a function that hears of every block of every chain, on the thread that called. If it
    /// says `Break` the run ends in order, as [`Ended::Interrupted`]; if it panics, as
    /// [`Ended::Failed`]: with the draws that there are.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::pipeline::Ended;
    /// use probpipe::prelude::*;
    /// use std::ops::ControlFlow;
    /// let target = Target::new(|x: Array| -x.square() / 2.0, array(0.0))?;
    /// let run = Nuts::default().chains(2).draws(100_000).on_progress(|progress| {
    ///     match progress.chains.iter().all(|chain| chain.draws >= 200) {
    ///         true => ControlFlow::Break(()),
    ///         false => ControlFlow::Continue(()),
    ///     }
    /// });
    /// let draws = run.sample(Key::new(0), &target)?;
    /// assert!(matches!(draws.ended, Ended::Interrupted) && draws.draws() >= 200);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[must_use]
    pub fn on_progress(
        mut self,
        callback: impl FnMut(&Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Self {
        self.listeners.callback = Some(Arc::new(Mutex::new(callback)));
        self
    }
}

/// Chains side by side on a GPU, unless said otherwise.
const LANES: usize = 4096;

/// Where a run begins, and where its draws go.
enum Place<'a> {
    Memory,
    New(&'a Path),
    Again(&'a Path),
}

impl<K, W> Run<K, W>
where
    K: Kernel + Sync,
    W: WarmUp<K> + Sync,
{
    /// Draws from a target. How the run ended is told by [`Draws::ended`]: a run that is stopped,
    /// or that fails once all chains have draws, gives what there is.
    ///
    /// # Errors
    /// Those of the target; no start with a finite density and gradient; no chains or draws; a
    /// folder that cannot be written or is not empty; an end before every chain had a draw.
    #[track_caller]
    pub fn sample<T>(&self, key: Key, target: &Target<T>) -> Result<Draws<T>>
    where
        T: Tree + Clone + Send,
    {
        let place = self.folder.as_deref().map_or(Place::Memory, Place::New);
        with_location(here(), || Made::compiled(self, key, target, &place)?.draws())
    }

    /// [`Run::sample`] to the folder that [`Run::to_dir`] names, from which draws are not read
    /// again: for more of them than memory holds. If there is this run already it goes on, as with
    /// [`Run::resume`].
    ///
    /// # Errors
    /// As [`Run::sample`]; no folder; a folder with another run.
    #[track_caller]
    pub fn stream<T>(&self, key: Key, target: &Target<T>) -> Result<Ended>
    where
        T: Tree + Clone + Send,
    {
        let Some(folder) = &self.folder else {
            return Err(Error::new(ErrorKind::Value, "a stream of draws to no folder")
                .at(here())
                .help("name one by `to_dir`"));
        };
        let place = match is_run(folder) {
            true => Place::Again(folder),
            false => Place::New(folder),
        };
        with_location(here(), || Ok(Made::compiled(self, key, target, &place)?.outcome.ended))
    }

    /// Goes on with a run in a folder that ended before it was complete, however it ended. The
    /// draws are those of the run as if it had never ended, bit for bit. If it was complete they
    /// are read.
    ///
    /// # Errors
    /// As [`Run::sample`]; a folder without a run, or with a run of another kernel, target, key or
    /// other settings: the error says what differs.
    #[track_caller]
    pub fn resume<T>(
        &self,
        path: impl AsRef<Path>,
        key: Key,
        target: &Target<T>,
    ) -> Result<Draws<T>>
    where
        T: Tree + Clone + Send,
    {
        let place = Place::Again(path.as_ref());
        with_location(here(), || Made::compiled(self, key, target, &place)?.draws())
    }

    /// This run with its programs compiled: what is sampled with several keys compiles once.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// let target = Target::new(|x: Array| -x.square().sum() / 2.0, zeros([3]))?;
    /// let prepared = Nuts::default().chains(2).draws(100).prepare(&target)?;
    /// let (one, two) = (prepared.sample(Key::new(0))?, prepared.sample(Key::new(1))?);
    /// assert!((one.values - two.values).abs().max().item::<f32>()? > 0.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the target; no chains or draws.
    #[track_caller]
    pub fn prepare<T>(&self, target: &Target<T>) -> Result<Prepared<K, W, T>>
    where
        K: Clone,
        W: Clone,
        T: Tree + Clone + Send,
    {
        let programs = with_location(here(), || self.programs(target, self.folder.is_some()))?;
        Ok(Prepared { run: self.clone(), target: target.clone(), programs: Arc::new(programs) })
    }

    #[track_caller]
    fn programs<T>(&self, target: &Target<T>, stored: bool) -> Result<Programs<K, W, T>>
    where
        T: Tree + Clone,
    {
        let Run { chains, draws, thin, device, .. } = *self;
        if chains == 0 || draws == 0 || thin == 0 {
            let message = format!("a run of {chains} chains with {draws} draws of {thin} steps");
            return Err(Error::new(ErrorKind::Value, message).at(here()).help("one at least"));
        }
        let lanes = self.side_by_side();
        if self.lanes == Some(0) {
            let message = "a run of chains in no lanes";
            return Err(Error::new(ErrorKind::Value, message).at(here()).help("1 at least"));
        }
        Programs::new(device, (&self.kernel, &self.warm_up), target, lanes, stored)
    }
}

/// A run of a target whose programs are compiled, by [`Run::prepare`].
pub struct Prepared<K: Kernel, W: WarmUp<K>, T> {
    run: Run<K, W>,
    target: Target<T>,
    programs: Arc<Programs<K, W, T>>,
}

impl<K: Kernel, W: WarmUp<K>, T> fmt::Debug for Prepared<K, W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<K, W, T> Prepared<K, W, T>
where
    K: Kernel + Sync,
    W: WarmUp<K> + Sync,
    T: Tree + Clone + Send,
{
    /// Draws, as [`Run::sample`] makes them.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn sample(&self, key: Key) -> Result<Draws<T>> {
        let Prepared { run, target, programs } = self;
        let place = run.folder.as_deref().map_or(Place::Memory, Place::New);
        with_location(here(), || Made::new(run, programs.clone(), key, target, &place)?.draws())
    }
}

/// A run that is over.
struct Made<K: Kernel, W: WarmUp<K>, T> {
    programs: Arc<Programs<K, W, T>>,
    outcome: Outcome,
    sink: Box<dyn Sink>,
    wanted: usize,
    max_depth: Option<usize>,
}

impl<K, W, T> Made<K, W, T>
where
    K: Kernel + Sync,
    W: WarmUp<K> + Sync,
    T: Tree + Clone + Send,
{
    #[track_caller]
    fn compiled(of: &Run<K, W>, key: Key, target: &Target<T>, place: &Place<'_>) -> Result<Self> {
        let programs = of.programs(target, !matches!(place, Place::Memory))?;
        Made::new(of, Arc::new(programs), key, target, place)
    }

    #[track_caller]
    fn new(
        of: &Run<K, W>,
        programs: Arc<Programs<K, W, T>>,
        key: Key,
        target: &Target<T>,
        place: &Place<'_>,
    ) -> Result<Self> {
        let Run { chains, warmup, draws, thin, device, .. } = *of;
        let plan = of.warm_up.plan(warmup).into_iter().map(Task::bits);
        let mut plan: Vec<i32> = plan.collect();
        plan.resize(warmup + draws * thin, DRAW);
        let (starts, given) = of.places(target)?;
        let course = Course { plan, warmup, thin, columns: programs.columns.clone() };
        let fingerprint = || {
            Fingerprint::new(&Facts {
                kernel: type_name::<K>(),
                warm_up: type_name::<W>(),
                device: format!("{device:?}"),
                rounding: programs.rounding,
                chains,
                warmup,
                draws,
                thin,
                key: &key,
                plan: &course.plan,
                columns: &course.columns,
                begun: &programs.begun,
                start: if given { &starts } else { target.start() },
                given,
                text: programs.text.unwrap_or(0),
            })
        };
        let mut states: Vec<_> = (0..chains).map(|_| None).collect();
        let mut sink: Box<dyn Sink> = match place {
            Place::Memory => Box::new(Memory::new(course.columns.clone(), chains)),
            Place::New(path) => Box::new(Folder::create(path, chains, &course, &fingerprint()?)?),
            Place::Again(path) => {
                let (folder, found) =
                    Folder::open(path, chains, &course, &fingerprint()?, &programs.begun)?;
                states = found;
                Box::new(folder)
            }
        };
        let keys = key.split_n(chains);
        let steps: Vec<usize> =
            states.iter().map(|it| it.as_ref().map_or(0, |it| it.steps)).collect();
        let members = keys.into_iter().enumerate().map(|(number, key)| {
            let start = starts.at(number as isize);
            Member { number, keys: key.split(), start, given }
        });
        let groups = grouped(members.zip(states).collect(), programs.lanes());
        let mut watcher = Watcher::new(&of.listeners, &course, &steps);
        let threads = of.threads.or_else(|| thread::available_parallelism().ok().map(Into::into));
        let threads = threads.unwrap_or(1);
        let mut outcome = run(&*programs, &course, groups, threads, &mut *sink, &mut watcher);
        if let (Ended::Failed(error), Some((chain, z))) = (&outcome.ended, &outcome.lost) {
            let note = format!("the last place that chain {chain} tried is {z}");
            let error = error.clone().at(here()).help("give the target another start");
            let add = |error: Error, (text, line)| error.note(text, line);
            let said = target.explain(z).into_iter().fold(error, add);
            outcome.ended = Ended::Failed(said.note(note, None));
        }
        let max_depth = of.kernel.max_depth();
        Ok(Made { programs, outcome, sink, wanted: draws, max_depth })
    }

    fn draws(self) -> Result<Draws<T>> {
        let Outcome { ended, drawn, .. } = self.outcome;
        let common = drawn.into_iter().min().unwrap_or(0);
        if common == 0 {
            return Err(match ended {
                Ended::Failed(error) => error.at(here()),
                _ => {
                    let message = "the run was stopped before every chain had a draw";
                    Error::new(ErrorKind::Value, message).at(here())
                }
            });
        }
        let Programs { kept, columns, .. } = &*self.programs;
        let arrays = self.sink.read(common)?;
        let (values, unconstrained, stats) = named::<T, K::Info>(kept, columns, arrays)?;
        let (wanted, max_depth) = (self.wanted, self.max_depth);
        Ok(Draws { values, unconstrained, stats, ended, wanted, max_depth })
    }
}

/// Chains in groups that are equally far.
fn grouped(mut chains: Vec<(Member, Option<Checkpoint>)>, lanes: Option<usize>) -> Vec<Group> {
    let steps = |state: &Option<Checkpoint>| state.as_ref().map_or(0, |state| state.steps);
    chains.sort_by_key(|(_, state)| steps(state));
    let mut groups: Vec<Group> = Vec::new();
    let mut chains = chains.into_iter().peekable();
    while let Some((first, state)) = chains.next() {
        let at = steps(&state);
        let (mut members, mut states) = (vec![first], Vec::from_iter(state.map(|it| it.state)));
        while members.len() < lanes.unwrap_or(1)
            && let Some((member, state)) = chains.next_if(|(_, state)| steps(state) == at)
        {
            members.push(member);
            states.extend(state.map(|it| it.state));
        }
        let state = (states.len() == members.len()).then(|| Arc::new(together(&states, lanes)));
        groups.push(Group { members, steps: at, state, pace: Pace::default() });
    }
    groups
}
