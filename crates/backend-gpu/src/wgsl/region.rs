//! Which runs of statements one shader can do in lanes: every kernel along one common axis, no
//! value crossing it, little enough work. It emits nothing; see `lanes.rs`.

use super::Target;
use super::budget::{self, Share};
use probpipe_lowering::{BufferId, Expr, IndexMap, Kernel, LoopId, Stmt};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Operations per lane and kernel up to which a dispatch costs more than running them in line:
/// about 5 microseconds at 3 ns each on devices, 50 microseconds at 3 ns on software.
fn inline_work(target: &Target, lanes: usize) -> usize {
    match lanes {
        // Enough lanes to fill the device: the work is done either way.
        16_384.. => TOTAL_WORK,
        _ if target.software => 16_384,
        _ => 2048,
    }
}

/// Points of a kernel up to which one invocation may run it alone.
const SINGLE_POINTS: usize = 64;
/// Operations that one invocation may run in all: devices stop shaders that take seconds.
const TOTAL_WORK: usize = 1 << 28;

/// What a region does with a buffer.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Step along the lane axis, if all accesses agree.
    pub step: Option<i64>,
    pub written: bool,
    /// Read before it is written.
    pub read_first: bool,
    /// Indexed by the step of a loop of the region, like stacked results: each element is
    /// touched once, so registers gain nothing.
    pub stepped: bool,
    pub reads: usize,
}

/// A run of statements for one shader.
pub(super) struct Region {
    pub lanes: usize,
    inline_work: usize,
    /// The lane axis of each kernel, in order of appearance.
    pub axes: Vec<Option<usize>>,
    pub usage: BTreeMap<BufferId, Usage>,
    /// Extents of the loops that enclose the access at hand.
    lengths: FxHashMap<LoopId, usize>,
    work: usize,
    rounds: usize,
    most_rounds: usize,
    pub kernels: usize,
    pub has_loop: bool,
    own_loops: Vec<LoopId>,
}

/// A buffer that a statement itself reads or writes.
pub(super) struct Access<'a> {
    pub buffer: BufferId,
    /// Which elements; none of words.
    pub index: Option<&'a IndexMap>,
    pub store: bool,
}

/// What a statement itself reads and writes, without those inside it. Of library calls all is taken
/// for read.
pub(super) fn accesses(stmt: &Stmt) -> Vec<Access<'_>> {
    let word = |buffer| vec![Access { buffer, index: None, store: false }];
    match stmt {
        Stmt::Kernel(kernel) => accesses_of(kernel).collect(),
        Stmt::Library(library) => {
            let views = library.call.views().into_iter();
            views
                .map(|view| Access { buffer: view.buffer, index: Some(&view.index), store: false })
                .collect()
        }
        Stmt::Loop(_) => Vec::new(),
        Stmt::While(w) => word(w.test),
        Stmt::Branch(branch) => word(branch.index),
    }
}

/// What a kernel reads and writes.
pub(super) fn accesses_of(kernel: &Kernel) -> impl Iterator<Item = Access<'_>> {
    let loads = kernel.exprs.iter().filter_map(|e| match e {
        Expr::Load { buffer, index, .. } | Expr::LoadAt { buffer, index, .. } => {
            Some(Access { buffer: *buffer, index: Some(index), store: false })
        }
        _ => None,
    });
    let stores = kernel.stores.iter();
    loads.chain(stores.map(|s| Access { buffer: s.buffer, index: Some(&s.index), store: true }))
}

/// Counts the statements' reads of every buffer.
pub(super) fn count_reads(body: &[Stmt], counts: &mut FxHashMap<BufferId, usize>) {
    for stmt in body {
        for access in accesses(stmt).into_iter().filter(|access| !access.store) {
            *counts.entry(access.buffer).or_default() += 1;
        }
        stmt.bodies().into_iter().for_each(|body| count_reads(body, counts));
    }
}

/// Extents along which the kernels of a statement could run as lanes.
pub(super) fn first_kernel(stmt: &Stmt) -> Option<&Kernel> {
    match stmt {
        Stmt::Kernel(kernel) => Some(kernel),
        Stmt::Loop(l) => l.body.iter().find_map(first_kernel),
        Stmt::Library(_) | Stmt::While(_) | Stmt::Branch(_) => None,
    }
}

impl Region {
    pub fn new(lanes: usize, lengths: FxHashMap<LoopId, usize>, target: &Target) -> Region {
        Region {
            inline_work: inline_work(target, lanes),
            lanes,
            axes: Vec::new(),
            usage: BTreeMap::new(),
            lengths,
            work: 0,
            rounds: 0,
            most_rounds: target.rounds,
            kernels: 0,
            has_loop: false,
            own_loops: Vec::new(),
        }
    }

    /// Takes a statement in, or says that it does not fit.
    pub fn add(&mut self, stmt: &Stmt, repeats: usize) -> bool {
        if repeats == 1 {
            let share = if self.lanes == 1 { Share::Alone } else { Share::Lane(self.lanes) };
            self.rounds =
                self.rounds.saturating_add(budget::rounds(stmt, share).unwrap_or(usize::MAX));
            if self.rounds > self.most_rounds {
                return false;
            }
        }
        match stmt {
            Stmt::Library(_) | Stmt::While(_) | Stmt::Branch(_) => false,
            Stmt::Loop(l) => {
                self.has_loop = true;
                self.own_loops.push(l.id);
                self.lengths.insert(l.id, l.length);
                let repeats = repeats.saturating_mul(l.length.max(1));
                l.body.iter().all(|stmt| self.add(stmt, repeats))
            }
            Stmt::Kernel(kernel) => self.add_kernel(kernel, repeats),
        }
    }

    fn add_kernel(&mut self, kernel: &Kernel, repeats: usize) -> bool {
        // Which lane's elements a computed index reads is not known.
        if kernel.exprs.iter().any(|e| matches!(e, Expr::LoadAt { .. })) {
            return false;
        }
        let points = kernel.parallel_size().saturating_mul(kernel.reduce_size());
        let axis = match self.lanes {
            1 => None,
            lanes => {
                let fits = |a: usize| {
                    kernel.parallel[a] == lanes
                        && kernel.stores.iter().all(|s| s.index.axes.get(a).is_some_and(|&s| s > 0))
                };
                (0..kernel.parallel.len()).find(|&a| fits(a))
            }
        };
        if self.lanes == 1 && points > SINGLE_POINTS {
            return false;
        }
        let own = if axis.is_some() { points / self.lanes } else { points };
        let work = own.saturating_mul(kernel.exprs.len().max(1));
        self.work = self.work.saturating_add(work.saturating_mul(repeats));
        self.kernels += 1;
        if work > self.inline_work || self.work > TOTAL_WORK {
            return false;
        }
        for Access { buffer, index, store } in accesses_of(kernel) {
            let Some(map) = index else { continue };
            let step = axis.map_or(0, |a| map.axes.get(a).copied().unwrap_or(0));
            let usage = self.usage.entry(buffer).or_default();
            if usage.reads == 0 && !usage.written {
                usage.step = Some(step);
            }
            if usage.step != Some(step) || !self.own_elements(kernel, map, axis, step) {
                usage_conflict(self.usage.entry(buffer).or_default());
            }
            let usage = self.usage.entry(buffer).or_default();
            usage.stepped |= map.loops.iter().any(|(id, s)| *s != 0 && self.own_loops.contains(id));
            if store {
                usage.written = true;
            } else {
                usage.read_first |= !usage.written;
                usage.reads += 1;
            }
        }
        self.axes.push(axis);
        true
    }

    /// Whether the elements that the map visits belong to the lane that visits them.
    fn own_elements(
        &self,
        kernel: &Kernel,
        map: &IndexMap,
        lane: Option<usize>,
        step: i64,
    ) -> bool {
        if self.lanes == 1 || step == 0 {
            return true;
        }
        let period = step * self.lanes as i64;
        let extents = kernel.parallel.iter().chain(&kernel.reduce);
        let axes = map.axes.iter().zip(extents).enumerate();
        let others = axes.filter(|(a, _)| Some(*a) != lane).map(|(_, (&s, &n))| (s, n));
        let loops = map.loops.iter().map(|(id, s)| (*s, self.lengths.get(id).copied()));
        let loops = loops.map(|(s, n)| (s, n.unwrap_or(usize::MAX >> 32)));
        let rest = map.offset.rem_euclid(period);
        let (mut low, mut high) = (rest, rest);
        for (s, n) in others.chain(loops).filter(|(s, n)| *s % period != 0 && *n > 1) {
            let reach = s.saturating_mul(n as i64 - 1);
            low = low.saturating_add(reach.min(0));
            high = high.saturating_add(reach.max(0));
        }
        low >= 0 && high < step
    }
}

fn usage_conflict(usage: &mut Usage) {
    usage.step = None;
}

pub(super) fn loop_lengths(body: &[Stmt]) -> FxHashMap<LoopId, usize> {
    let mut lengths = FxHashMap::default();
    for stmt in body {
        if let Stmt::Loop(l) = stmt {
            lengths.insert(l.id, l.length);
        }
        stmt.bodies().into_iter().for_each(|body| lengths.extend(loop_lengths(body)));
    }
    lengths
}
