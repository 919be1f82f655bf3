//! Profiles: the program with marks between its statements, which are calls of the host, compiled
//! beside the one that runs otherwise. A mark charges the time since the last one to the region
//! that was under way, and begins the next.
//!
//! What a mark costs is taken off: it is measured with a program of nothing but marks, and found
//! again from what a call takes without any. Neighbouring
//! statements over a few points are one region: their values stay in registers, and the compiler
//! orders their instructions as it likes.

use crate::caller::Caller;
use crate::jit::{self, Machine};
use crate::symbols::{binary_tile, unary_tile};
use probpipe_lowering::{
    Branch, Expr, IndexMap, Kernel, Library, LibraryCall, Loop, LoopId, Program, Stmt, While,
};
use probpipe_trace::{Callback, Loc, Profile, Region, RegionKind, Result, ShapeDisplay, Value};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// At least so many calls are measured, and as many as fit in this time.
const CALLS: usize = 3;
const TIME: Duration = Duration::from_millis(200);
/// Kernels of up to so many points are taken together with their neighbours.
const SMALL: usize = 8;

/// A mark in its place costs at most so many times what one among marks does.
const MOST: f64 = 10.0;

/// Where the marks write. Only one thread does: parts of kernels have no marks.
struct Recorder {
    start: Instant,
    last: AtomicU64,
    current: AtomicUsize,
    slots: Vec<Slot>,
}

#[derive(Default)]
struct Slot {
    nanoseconds: AtomicU64,
    /// How often time was charged.
    spans: AtomicU64,
    runs: AtomicU64,
}

impl Recorder {
    fn new(slots: usize) -> Recorder {
        let slots = (0..slots).map(|_| Slot::default()).collect();
        let (last, current) = (AtomicU64::new(0), AtomicUsize::new(0));
        Recorder { start: Instant::now(), last, current, slots }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Ends the region under way and begins another; `entered` if that begins a run of it.
    fn mark(&self, region: usize, entered: bool) {
        let add = |to: &AtomicU64, n: u64| to.store(to.load(Relaxed) + n, Relaxed);
        let now = self.now();
        let slot = &self.slots[self.current.load(Relaxed)];
        add(&slot.nanoseconds, now.saturating_sub(self.last.load(Relaxed)));
        add(&slot.spans, 1);
        add(&self.slots[region].runs, u64::from(entered));
        self.current.store(region, Relaxed);
        self.last.store(self.now(), Relaxed);
    }

    /// Forgets what was counted.
    fn clear(&self) {
        for slot in &self.slots {
            for counter in [&slot.nanoseconds, &slot.spans, &slot.runs] {
                counter.store(0, Relaxed);
            }
        }
    }

    /// Begins anew, in region 0.
    fn begin(&self) {
        self.current.store(0, Relaxed);
        self.last.store(self.now(), Relaxed);
    }
}

/// A program under instrumentation.
struct Marker<'p> {
    program: &'p Program,
    regions: Vec<Region>,
    /// One function for each region and way to come into it, made when all regions are known.
    recorder: Arc<OnceLock<Recorder>>,
}

impl Marker<'_> {
    fn mark(&self, region: usize, entered: bool, location: Loc) -> Stmt {
        let recorder = self.recorder.clone();
        let function = move |_: &[Value]| {
            if let Some(recorder) = recorder.get() {
                recorder.mark(region, entered);
            }
            Ok(Vec::new())
        };
        let callback = Callback {
            name: "profile".into(),
            function: Arc::new(function),
            inputs: Vec::new(),
            outputs: Vec::new(),
            vectorized: false,
        };
        let call = LibraryCall::Callback {
            callback: Arc::new(callback),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        Stmt::Library(Box::new(Library { call, location }))
    }

    fn region(&mut self, kind: RegionKind, name: String, inside: Option<usize>) -> usize {
        let (runs, read, written) = (0.0, 0.0, 0.0);
        let (lines, time) = (Vec::new(), Duration::ZERO);
        self.regions.push(Region { kind, name, lines, inside, runs, time, read, written });
        self.regions.len() - 1
    }

    /// The statements with marks, for a body that runs inside of a region.
    fn body(&mut self, body: &[Stmt], inside: Option<usize>) -> Vec<Stmt> {
        let mut marked = Vec::new();
        let mut group: Vec<&Kernel> = Vec::new();
        for (i, stmt) in body.iter().enumerate() {
            let enter = |marker: &Self, region: usize| marker.mark(region, true, location(stmt));
            match stmt {
                Stmt::Kernel(kernel) => {
                    let next = match body.get(i + 1) {
                        Some(Stmt::Kernel(next)) => is_small(kernel) && is_small(next),
                        _ => false,
                    };
                    group.push(kernel);
                    if !next {
                        let region = self.kernels(&group, inside);
                        marked.push(enter(self, region));
                        marked.extend(group.drain(..).map(|kernel| Stmt::Kernel(kernel.clone())));
                    }
                }
                Stmt::Library(library) => {
                    let region = self.library(library, inside);
                    marked.extend([enter(self, region), stmt.clone()]);
                }
                Stmt::Loop(l) => {
                    let name = format!("loop of {}", l.length);
                    let region = self.region(RegionKind::Loop, name, inside);
                    self.regions[region].lines.push(l.location);
                    marked.push(enter(self, region));
                    let mut body = self.body(&l.body, Some(region));
                    body.push(self.mark(region, false, l.location));
                    marked.push(Stmt::Loop(Loop { body, ..l.clone() }));
                }
                Stmt::While(w) => {
                    let name = "conditional loop".to_string();
                    let region = self.region(RegionKind::Loop, name, inside);
                    self.regions[region].lines.push(w.location);
                    marked.push(enter(self, region));
                    let mut cond = self.body(&w.cond, Some(region));
                    cond.push(self.mark(region, false, w.location));
                    let mut body = self.body(&w.body, Some(region));
                    body.push(self.mark(region, false, w.location));
                    marked.push(Stmt::While(While { cond, body, ..w.clone() }));
                }
                Stmt::Branch(branch) => {
                    let name = format!("one of {} branches", branch.branches.len());
                    let region = self.region(RegionKind::Branch, name, inside);
                    self.regions[region].lines.push(branch.location);
                    marked.push(enter(self, region));
                    let branches = branch.branches.iter();
                    let branches = branches.map(|body| {
                        let mut body = self.body(body, Some(region));
                        body.push(self.mark(region, false, branch.location));
                        body
                    });
                    let branches = branches.collect();
                    let branch = Branch { branches, ..branch.clone() };
                    marked.push(Stmt::Branch(branch));
                }
            }
        }
        marked
    }

    /// The region of kernels that are measured together.
    fn kernels(&mut self, kernels: &[&Kernel], inside: Option<usize>) -> usize {
        let name = match kernels {
            [kernel] => format!("{}: {}", space(kernel), operations(kernels)),
            _ => format!("{} small kernels: {}", kernels.len(), operations(kernels)),
        };
        let region = self.region(RegionKind::Kernel, name, inside);
        for kernel in kernels {
            let (read, written) = traffic(self.program, kernel);
            let region = &mut self.regions[region];
            region.read += read as f64;
            region.written += written as f64;
            for &line in &kernel.lines {
                if !region.lines.contains(&line) {
                    region.lines.push(line);
                }
            }
        }
        region
    }

    fn library(&mut self, library: &Library, inside: Option<usize>) -> usize {
        let call = &library.call;
        let (name, results) = match call {
            LibraryCall::Matmul { batch, m, n, k, .. } => {
                (format!("matmul {}{m}x{k}x{n}", many(*batch)), 1)
            }
            LibraryCall::Cholesky { batch, n, .. } => {
                (format!("cholesky {}{n}x{n}", many(*batch)), 1)
            }
            LibraryCall::TriangularSolve { batch, n, columns, .. } => {
                (format!("triangular_solve {}{n}x{n}, {columns} columns", many(*batch)), 1)
            }
            LibraryCall::Factors { op, outputs, .. } => (op.name().to_string(), outputs.len()),
            LibraryCall::Scatter { op, .. } => (op.name().to_string(), 1),
            LibraryCall::Cumulative { op, .. } => (op.name().to_string(), 1),
            LibraryCall::Special { op, .. } => (op.name().to_string(), 1),
            LibraryCall::Sort { outputs, .. } => ("sort".to_string(), outputs.len()),
            LibraryCall::Callback { callback, outputs, .. } => {
                (format!("{} on the host", callback.name), outputs.len())
            }
        };
        let region = self.region(RegionKind::Library, name, inside);
        self.regions[region].lines.push(library.location);
        // Results come last. A call in a loop may take a part of a buffer; which is not said.
        let bytes: Vec<usize> = match call {
            LibraryCall::Matmul { batch, m, n, k, out, .. } => {
                let width = batch * self.program.buffer(out.buffer).ty.dtype.size();
                vec![m * k * width, k * n * width, m * n * width]
            }
            LibraryCall::Cholesky { batch, n, out, .. } => {
                let width = batch * self.program.buffer(out.buffer).ty.dtype.size();
                vec![n * n * width; 2]
            }
            LibraryCall::TriangularSolve { batch, n, columns, out, .. } => {
                let width = batch * self.program.buffer(out.buffer).ty.dtype.size();
                vec![n * n * width, n * columns * width, n * columns * width]
            }
            LibraryCall::Factors { .. }
            | LibraryCall::Scatter { .. }
            | LibraryCall::Cumulative { .. }
            | LibraryCall::Special { .. }
            | LibraryCall::Sort { .. }
            | LibraryCall::Callback { .. } => {
                call.views().iter().map(|v| self.program.buffer(v.buffer).ty.bytes()).collect()
            }
        };
        let (read, written) = bytes.split_at(bytes.len() - results);
        self.regions[region].read = read.iter().sum::<usize>() as f64;
        self.regions[region].written = written.iter().sum::<usize>() as f64;
        region
    }
}

fn many(batch: usize) -> String {
    if batch == 1 { String::new() } else { format!("{batch} of ") }
}

fn is_small(kernel: &Kernel) -> bool {
    kernel.parallel_size() * kernel.reduce_size() <= SMALL
}

fn location(stmt: &Stmt) -> Loc {
    match stmt {
        Stmt::Kernel(kernel) => kernel.location,
        Stmt::Library(library) => library.location,
        Stmt::Loop(l) => l.location,
        Stmt::While(w) => w.location,
        Stmt::Branch(branch) => branch.location,
    }
}

/// The iteration space: `[1000,25]`, `[1000] over [25]` with a reduction.
fn space(kernel: &Kernel) -> String {
    let parallel = ShapeDisplay(&kernel.parallel);
    match kernel.reduce_size() {
        1 => parallel.to_string(),
        _ => format!("{parallel} over {}", ShapeDisplay(&kernel.reduce)),
    }
}

/// What kernels compute at a point: `exp, 2 mul, add, sum`.
fn operations(kernels: &[&Kernel]) -> String {
    /// More are not listed.
    const LISTED: usize = 5;
    let mut counts: Vec<(&str, usize, bool)> = Vec::new();
    let mut add =
        |name: &'static str, costly: bool| match counts.iter_mut().find(|(n, _, _)| *n == name) {
            Some((_, count, _)) => *count += 1,
            None => counts.push((name, 1, costly)),
        };
    for kernel in kernels {
        for (i, expr) in kernel.exprs.iter().enumerate() {
            let dtype = kernel.types[i];
            match expr {
                Expr::Literal(_) | Expr::Load { .. } | Expr::Index(_) => {}
                Expr::LoadAt { .. } => add("gather", true),
                Expr::Unary(op, _) => add(op.spec().name, unary_tile(*op, dtype).is_some()),
                Expr::Binary(op, _, _) => add(op.spec().name, binary_tile(*op, dtype).is_some()),
                Expr::MulAdd { .. } => add("mul_add", false),
                Expr::Summand(..) => add("mul", false),
                Expr::Compare(op, _, _) => add(op.spec().name, false),
                Expr::Select(..) => add("select", false),
                Expr::Special(op, _) => add(op.name(), true),
                Expr::Cast(_) => add("cast", false),
                Expr::Bitcast(_) => add("bitcast", false),
            }
        }
        kernel.stores.iter().filter_map(|store| store.reduce).for_each(|op| add(op.name(), false));
    }
    if counts.is_empty() {
        return "copy".to_string();
    }
    // What costs most first, then in the order of the program.
    counts.sort_by_key(|(_, _, costly)| !costly);
    let more = counts.len().saturating_sub(LISTED);
    let show = |(name, count, _): &(&str, usize, bool)| match count {
        1 => name.to_string(),
        n => format!("{n} {name}"),
    };
    let mut text: Vec<String> = counts.iter().take(LISTED).map(show).collect();
    if more > 0 {
        text.push(format!("{more} more"));
    }
    text.join(", ")
}

/// Bytes that one run of a kernel reads and writes: of each buffer no more than it has.
fn traffic(program: &Program, kernel: &Kernel) -> (usize, usize) {
    let extents = || kernel.parallel.iter().chain(&kernel.reduce);
    let elements = |map: &IndexMap| -> usize {
        extents().zip(&map.axes).filter(|(_, step)| **step != 0).map(|(n, _)| n).product()
    };
    let mut read = vec![0; program.buffers.len()];
    let mut written = read.clone();
    for expr in &kernel.exprs {
        match expr {
            Expr::Load { buffer, index, .. } => read[buffer.0 as usize] += elements(index),
            Expr::LoadAt { buffer, .. } => read[buffer.0 as usize] += extents().product::<usize>(),
            _ => {}
        }
    }
    for store in &kernel.stores {
        written[store.buffer.0 as usize] += elements(&store.index);
    }
    let bytes = |counts: &[usize]| -> usize {
        let each = counts.iter().zip(&program.buffers);
        each.map(|(&n, b)| n.min(b.ty.size()) * b.ty.dtype.size()).sum()
    };
    (bytes(&read), bytes(&written))
}

/// A program with marks, and its regions; the first is the call itself.
fn instrument(program: &Program) -> (Program, Vec<Region>, Arc<OnceLock<Recorder>>) {
    let recorder = Arc::new(OnceLock::new());
    let mut marker = Marker { program, regions: Vec::new(), recorder: recorder.clone() };
    let name = "the call: arguments, results".to_string();
    let call = marker.region(RegionKind::Call, name, None);
    marker.regions[call].runs = 1.0;
    let mut body = marker.body(&program.body, None);
    body.push(marker.mark(call, false, Location::caller()));
    let regions = marker.regions;
    let _ = recorder.set(Recorder::new(regions.len()));
    (Program { body, ..program.clone() }, regions, recorder)
}

/// Nanoseconds that a mark charges to the region before it although nothing ran there.
fn cost_of_a_mark() -> Result<f64> {
    const MARKS: usize = 1000;
    let recorder = Arc::new(OnceLock::new());
    let empty = Program {
        buffers: Vec::new(),
        inputs: 0,
        outputs: Vec::new(),
        body: Vec::new(),
        arena_bytes: 0,
        loops: 1,
    };
    let marker = Marker { program: &empty, regions: Vec::new(), recorder: recorder.clone() };
    let here = Location::caller();
    let body = vec![marker.mark(0, true, here)];
    let body =
        vec![Stmt::Loop(Loop { id: LoopId(0), length: MARKS, body, apart: false, location: here })];
    let caller = Caller::new(Program { body, ..empty.clone() });
    let machine = jit::compile(&caller.program, false)?;
    let recorder = recorder.get_or_init(|| Recorder::new(1));
    let mut least = f64::INFINITY;
    for _ in 0..30 {
        let before = recorder.slots[0].nanoseconds.load(Relaxed);
        recorder.begin();
        caller.run_on(&machine, &[])?;
        let after = recorder.slots[0].nanoseconds.load(Relaxed);
        least = least.min((after - before) as f64 / MARKS as f64);
    }
    Ok(least)
}

/// Profiles a program, which `machine` runs without marks.
pub(crate) fn profile(caller: &Caller, machine: &Machine, inputs: &[&Value]) -> Result<Profile> {
    let (program, mut regions, recorder) = instrument(&caller.program);
    let marked = jit::compile(&program, false)?;
    let recorder = recorder.get_or_init(|| Recorder::new(regions.len()));
    let cost = cost_of_a_mark()?;
    drop(caller.run_on(&marked, inputs)?);
    // One list of times for each region: the median leaves out calls that were interrupted.
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); regions.len()];
    let (mut whole, start) = (Vec::new(), Instant::now());
    while whole.len() < CALLS || start.elapsed() < TIME {
        let begin = Instant::now();
        let results = caller.run_on(machine, inputs)?;
        whole.push(begin.elapsed().as_secs_f64() * 1e9);
        drop(results);
        recorder.clear();
        recorder.begin();
        let results = caller.run_on(&marked, inputs)?;
        recorder.mark(0, false);
        drop(results);
        for (list, slot) in times.iter_mut().zip(&recorder.slots) {
            list.push(slot.nanoseconds.load(Relaxed) as f64);
        }
    }
    let calls = whole.len();
    let goal = median(&mut whole);
    let times: Vec<f64> = times.iter_mut().map(|list| median(list)).collect();
    // Every call runs the same statements: the counts of the last are those of all.
    let spans = |k: usize| recorder.slots[k].spans.load(Relaxed) as f64;
    let net = |cost: f64, k: usize| (times[k] - cost * spans(k)).max(0.0);
    // Between other code a mark costs more than among its like: as much as makes the sum what a
    // call takes, within reason.
    let sum = |cost: f64| -> f64 { (0..times.len()).map(|k| net(cost, k)).sum() };
    let (mut cost, mut most) = (cost, MOST * cost);
    for _ in 0..40 {
        let middle = (cost + most) / 2.0;
        if sum(middle) >= goal { cost = middle } else { most = middle }
    }
    for (k, region) in regions.iter_mut().enumerate() {
        region.time = Duration::from_secs_f64(net(cost, k) / 1e9);
        if region.kind != RegionKind::Call {
            region.runs = recorder.slots[k].runs.load(Relaxed) as f64;
        }
        region.read *= region.runs;
        region.written *= region.runs;
    }
    let time = Duration::from_secs_f64(goal / 1e9);
    Ok(Profile { device: "cpu", calls, time, regions, placement: None })
}

/// The middle one of some numbers.
fn median(list: &mut [f64]) -> f64 {
    list.sort_by(f64::total_cmp);
    list.get(list.len() / 2).copied().unwrap_or_default()
}
