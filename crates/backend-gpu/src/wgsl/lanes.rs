//! Whole loops inside one shader. Where every kernel of a loop runs along one common axis (the
//! chains of a sampler, say) and no value crosses it, each invocation runs the loop for its own
//! lane; a loop over a handful of numbers is one lane. Steps then cost no dispatch, and carried
//! values stay in registers. What does not qualify is dispatched kernel by kernel.

use super::expr::{self, Scope};
use super::{Emitter, Slot, Step, Target, Text, Uses};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Kernel, LoopId, Stmt, Store};
use probpipe_trace::{ArrayType, Loc, Result};
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
/// Elements per lane up to which a buffer lives in registers.
const REGISTERS: usize = 32;
/// Operations that one invocation may run in all: devices stop shaders that take seconds.
const TOTAL_WORK: usize = 1 << 28;

/// A buffer that lives in variables of each invocation. Its element `e` belongs to lane
/// `e % period / step`.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub name: String,
    pub size: usize,
    step: i64,
    period: i64,
}

impl Register {
    /// The index within the lane's own elements; the caller leaves out the lane's axis.
    pub fn local(&self, map: &IndexMap, lane: Option<usize>) -> IndexMap {
        if self.period == i64::MAX {
            return map.clone();
        }
        let scale = |v: i64| if v % self.period == 0 { v / self.period * self.step } else { v };
        let mut local = map.clone();
        for (axis, step) in local.axes.iter_mut().enumerate() {
            *step = if lane == Some(axis) { 0 } else { scale(*step) };
        }
        for (_, step) in &mut local.loops {
            *step = scale(*step);
        }
        local.offset =
            map.offset.div_euclid(self.period) * self.step + map.offset.rem_euclid(self.period);
        local
    }

    /// Whether it is one number rather than an array.
    pub fn is_scalar(&self) -> bool {
        self.size == 1
    }

    /// Where its `i`-th element lies in the buffer: `axes[0]` is the lane.
    fn global(&self, i: usize) -> IndexMap {
        let (block, rest) = match self.step {
            0 => (0, i as i64),
            step => (i as i64 / step, i as i64 % step),
        };
        let offset = if self.period == i64::MAX { i as i64 } else { block * self.period + rest };
        IndexMap { offset, axes: smallvec::smallvec![self.step], ..IndexMap::default() }
    }
}

/// What a region does with a buffer.
#[derive(Debug, Default)]
struct Usage {
    /// Step along the lane axis, if all accesses agree.
    step: Option<i64>,
    written: bool,
    /// Read before it is written.
    read_first: bool,
    /// Indexed by the step of a loop of the region, like stacked results: each element is
    /// touched once, so registers gain nothing.
    stepped: bool,
    reads: usize,
}

/// How a register meets the memory that it stands for.
#[derive(Clone, Copy, Debug)]
struct Moved {
    buffer: BufferId,
    /// Loaded at the start.
    load: bool,
    /// Stored at the end.
    store: bool,
}

impl Moved {
    /// It never does: the buffer is of no use outside the region.
    fn is_pure(self) -> bool {
        !self.load && !self.store
    }
}

/// A run of statements for one shader.
struct Region {
    lanes: usize,
    inline_work: usize,
    /// The lane axis of each kernel, in order of appearance.
    axes: Vec<Option<usize>>,
    usage: BTreeMap<BufferId, Usage>,
    /// Extents of the loops that enclose the access at hand.
    lengths: FxHashMap<LoopId, usize>,
    work: usize,
    kernels: usize,
    has_loop: bool,
    own_loops: Vec<LoopId>,
}

fn accesses(kernel: &Kernel) -> impl Iterator<Item = (BufferId, &IndexMap, bool)> {
    let loads = kernel.exprs.iter().filter_map(|e| match e {
        Expr::Load { buffer, index, .. } => Some((*buffer, index, false)),
        _ => None,
    });
    loads.chain(kernel.stores.iter().map(|s| (s.buffer, &s.index, true)))
}

/// Counts the statements' reads of every buffer.
fn count_reads(body: &[Stmt], counts: &mut FxHashMap<BufferId, usize>) {
    for stmt in body {
        match stmt {
            Stmt::Kernel(kernel) => {
                for (buffer, _, store) in accesses(kernel) {
                    if !store {
                        *counts.entry(buffer).or_default() += 1;
                    }
                }
            }
            Stmt::Loop(l) => count_reads(&l.body, counts),
            Stmt::Library(library) => {
                for view in library.call.views() {
                    *counts.entry(view.buffer).or_default() += 1;
                }
            }
        }
    }
}

/// Extents along which the kernels of a statement could run as lanes.
fn first_kernel(stmt: &Stmt) -> Option<&Kernel> {
    match stmt {
        Stmt::Kernel(kernel) => Some(kernel),
        Stmt::Loop(l) => l.body.iter().find_map(first_kernel),
        Stmt::Library(_) => None,
    }
}

impl Region {
    fn new(lanes: usize, lengths: FxHashMap<LoopId, usize>, target: &Target) -> Region {
        Region {
            inline_work: inline_work(target, lanes),
            lanes,
            axes: Vec::new(),
            usage: BTreeMap::new(),
            lengths,
            work: 0,
            kernels: 0,
            has_loop: false,
            own_loops: Vec::new(),
        }
    }

    /// Takes a statement in, or says that it does not fit.
    fn add(&mut self, stmt: &Stmt, repeats: usize) -> bool {
        match stmt {
            Stmt::Library(_) => false,
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
        for (buffer, map, store) in accesses(kernel) {
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

impl Emitter<'_> {
    /// Emits a run of statements at the start of `body` as one shader, if some run qualifies;
    /// gives its length.
    pub(super) fn lane_region(
        &mut self,
        body: &[Stmt],
        steps: &mut Vec<Step>,
    ) -> Result<Option<usize>> {
        let Some(kernel) = body.first().and_then(first_kernel) else { return Ok(None) };
        let lengths = loop_lengths(&self.program.body);
        // One lane first: it takes in what follows, too.
        let mut region = Region::new(1, lengths.clone(), self.target);
        let mut count = 0;
        while count < body.len() {
            let mut longer = Region::new(1, lengths.clone(), self.target);
            if !body[..=count].iter().all(|stmt| longer.add(stmt, 1)) {
                break;
            }
            region = longer;
            count += 1;
        }
        if count > 0 && (region.has_loop || region.kernels > 1) {
            self.emit_region(&body[..count], region, steps)?;
            return Ok(Some(count));
        }
        let Stmt::Loop(_) = &body[0] else { return Ok(None) };
        let mut extents: Vec<usize> = kernel.parallel.iter().copied().filter(|&n| n > 1).collect();
        extents.sort_unstable();
        extents.dedup();
        while let Some(lanes) = extents.pop() {
            let mut region = Region::new(lanes, lengths.clone(), self.target);
            if region.add(&body[0], 1) && self.emit_region(&body[..1], region, steps)? {
                return Ok(Some(1));
            }
        }
        Ok(None)
    }

    /// Chooses registers and writes the shader; false if lanes would touch each other's elements.
    fn emit_region(
        &mut self,
        body: &[Stmt],
        region: Region,
        steps: &mut Vec<Step>,
    ) -> Result<bool> {
        let mut all = FxHashMap::default();
        count_reads(&self.program.body, &mut all);
        let lanes = region.lanes;
        let mut moved: Vec<Moved> = Vec::new();
        let mut registers: FxHashMap<BufferId, Register> = FxHashMap::default();
        for (&buffer, usage) in &region.usage {
            let span = self.memory.span(buffer);
            let outside = all.get(&buffer).is_some_and(|&n| n > usage.reads)
                || matches!(span.slot, Slot::Output(_));
            // Between two iterations of a loop around the region, memory holds the value.
            let carried = usage.read_first && !self.loops.is_empty();
            let store = usage.written && (outside || carried);
            // What is stored is loaded first: the region may write a part of it only, or nothing
            // where a loop has no steps.
            let load = usage.read_first || store;
            let (size, whole) = match usage.step {
                Some(step) if step > 0 => {
                    (span.size / lanes, span.size % (step as usize * lanes) == 0)
                }
                step => (span.size, step.is_some()),
            };
            let small = whole && size > 0 && size <= REGISTERS;
            if small && !usage.stepped && (usage.written || size == 1) {
                let step = if lanes == 1 { 0 } else { usage.step.unwrap_or(0) };
                let period = if step == 0 { i64::MAX } else { step * lanes as i64 };
                let name = format!("v{}", buffer.0);
                registers.insert(buffer, Register { name, size, step, period });
                moved.push(Moved { buffer, load, store });
            } else if lanes > 1 && usage.written && usage.step.is_none_or(|s| s == 0) {
                return Ok(false);
            }
        }
        self.separate(&region, &mut registers, &mut moved, &all);
        if lanes > 1 && !self.disjoint(&region, &moved) {
            return Ok(false);
        }
        self.write_region(body, &region, &registers, &moved, steps)?;
        Ok(true)
    }

    /// Buffers that share arena memory because their lifetimes do not meet. Registers that are
    /// loaded or stored must not do so any earlier or later than the memory they stand for; and
    /// lanes are not in step, so the scratch of one must not be another's.
    fn separate(
        &mut self,
        region: &Region,
        registers: &mut FxHashMap<BufferId, Register>,
        moved: &mut Vec<Moved>,
        all: &FxHashMap<BufferId, usize>,
    ) {
        for (&buffer, usage) in &region.usage {
            let pure = |b: BufferId| moved.iter().any(|m| m.buffer == b && m.is_pure());
            if self.memory.span(buffer).slot != Slot::Arena || pure(buffer) {
                continue;
            }
            let overlaps = (region.usage.keys())
                .any(|&b| b != buffer && !pure(b) && self.memory.overlap(buffer, b));
            if !overlaps {
                continue;
            }
            let local = all.get(&buffer).is_none_or(|&n| n <= usage.reads) && !usage.read_first;
            if region.lanes == 1 {
                registers.remove(&buffer);
                moved.retain(|m| m.buffer != buffer);
            } else if local {
                self.memory.relocate(buffer);
            }
        }
    }

    /// Whether buffers in memory that lanes write are apart from all others.
    fn disjoint(&self, region: &Region, moved: &[Moved]) -> bool {
        let pure = |b: &BufferId| moved.iter().any(|m| m.buffer == *b && m.is_pure());
        let buffers: Vec<_> = region.usage.iter().filter(|(b, _)| !pure(b)).collect();
        buffers.iter().enumerate().all(|(i, (a, x))| {
            buffers[..i]
                .iter()
                .all(|(b, y)| !(x.written || y.written) || !self.memory.overlap(**a, **b))
        })
    }

    fn write_region(
        &mut self,
        body: &[Stmt],
        region: &Region,
        registers: &FxHashMap<BufferId, Register>,
        moved: &[Moved],
        steps: &mut Vec<Step>,
    ) -> Result<()> {
        let mut text = Text { depth: 1, ..Text::default() };
        let mut uses = Uses::default();
        let loops = self.loop_names();
        let none = FxHashMap::default();
        let empty = Kernel {
            parallel: smallvec::smallvec![region.lanes],
            reduce: smallvec::smallvec![],
            exprs: Vec::new(),
            types: Vec::new(),
            stores: Vec::new(),
            location: location(&body[0]),
        };
        // Of numbers that all lanes keep a copy of, one lane's copy is stored while others may not
        // have loaded theirs yet: it goes to scratch first.
        let mut used = 0;
        let mut copies: Vec<(BufferId, BufferId)> = Vec::new();
        for m in moved.iter().filter(|m| m.load && m.store && region.lanes > 1) {
            if registers[&m.buffer].step == 0 {
                let span = self.memory.span(m.buffer);
                let ty = ArrayType::new(span.dtype, [span.size]);
                copies.push((m.buffer, self.memory.scratch(&ty, &mut used)));
            }
        }
        let lane = if region.lanes == 1 { None } else { Some("point".to_string()) };
        let scope = Scope {
            memory: &self.memory,
            kernel: &empty,
            axes: vec![lane],
            loops: &loops,
            registers: &none,
            lane: None,
        };
        for &Moved { buffer, load, .. } in moved {
            let register = &registers[&buffer];
            let ty = expr::value_type(self.memory.span(buffer).dtype);
            if register.is_scalar() {
                text.line(format_args!("var {}: {ty};", register.name));
            } else {
                text.line(format_args!("var {}: array<{ty}, {}>;", register.name, register.size));
            }
            for i in (0..register.size).filter(|_| load) {
                let value = scope.read(buffer, &register.global(i), &mut uses);
                text.line(format_args!("{} = {value};", place(register, i)));
            }
        }
        let mut cursor = 0;
        let mut names = loops.clone();
        for stmt in body {
            self.write_statement(
                stmt,
                region,
                registers,
                &mut cursor,
                &mut names,
                &mut text,
                &mut uses,
            );
        }
        for &Moved { buffer, .. } in moved.iter().filter(|m| m.store) {
            let register = &registers[&buffer];
            let shared = region.lanes > 1 && register.step == 0;
            if shared {
                text.open(format_args!("if (point == 0) {{"));
            }
            let to = copies.iter().find(|(b, _)| *b == buffer).map_or(buffer, |(_, to)| *to);
            for i in 0..register.size {
                scope.write(to, &register.global(i), &place(register, i), &mut text, &mut uses);
            }
            if shared {
                text.close();
            }
        }
        self.shader(text, uses, region.lanes, location(&body[0]), steps)?;
        for (buffer, from) in copies {
            let span = self.memory.span(buffer);
            let index = IndexMap { axes: smallvec::smallvec![1], ..IndexMap::default() };
            let load = Expr::Load { buffer: from, index: index.clone(), guard: None };
            let copy = Kernel {
                parallel: smallvec::smallvec![span.size],
                exprs: vec![load],
                types: vec![span.dtype],
                stores: vec![Store { buffer, index, value: ExprId(0), reduce: None }],
                ..empty.clone()
            };
            self.kernel(&copy, steps)?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn write_statement(
        &self,
        stmt: &Stmt,
        region: &Region,
        registers: &FxHashMap<BufferId, Register>,
        cursor: &mut usize,
        names: &mut FxHashMap<LoopId, String>,
        text: &mut Text,
        uses: &mut Uses,
    ) {
        match stmt {
            Stmt::Library(_) => {}
            Stmt::Loop(l) => {
                let t = format!("{}", l.id);
                // Mesa's software driver computes wrong numbers in some loops that it unrolls
                // (seen with 22.3.6): there the bound is one that it cannot know.
                let opaque = if self.target.software { " + i32(group.z)" } else { "" };
                text.open(format_args!(
                    "for (var {t}: i32 = 0; {t} < {}{opaque}; {t} = {t} + 1) {{",
                    l.length
                ));
                names.insert(l.id, t);
                for stmt in &l.body {
                    self.write_statement(stmt, region, registers, cursor, names, text, uses);
                }
                text.close();
            }
            Stmt::Kernel(kernel) => {
                let lane = region.axes.get(*cursor).copied().flatten();
                *cursor += 1;
                if kernel.parallel_size() == 0 {
                    return;
                }
                text.open(format_args!("{{"));
                let mut axes = Vec::new();
                let mut opened = 1;
                for (axis, &extent) in kernel.parallel.iter().enumerate() {
                    axes.push(match extent {
                        _ if lane == Some(axis) => Some("point".to_string()),
                        1 => None,
                        _ => {
                            let i = format!("i{axis}");
                            text.open(format_args!(
                                "for (var {i}: i32 = 0; {i} < {extent}; {i} = {i} + 1) {{"
                            ));
                            opened += 1;
                            Some(i)
                        }
                    });
                }
                let point = super::kernel::Point { axes, lane, loops: names, registers, cut: None };
                self.body(kernel, point, text, uses);
                for _ in 0..opened {
                    text.close();
                }
            }
        }
    }
}

fn place(register: &Register, i: usize) -> String {
    match register.is_scalar() {
        true => register.name.clone(),
        false => format!("{}[{i}]", register.name),
    }
}

fn location(stmt: &Stmt) -> Loc {
    match stmt {
        Stmt::Kernel(kernel) => kernel.location,
        Stmt::Library(library) => library.location,
        Stmt::Loop(l) => l.location,
    }
}

fn loop_lengths(body: &[Stmt]) -> FxHashMap<LoopId, usize> {
    let mut lengths = FxHashMap::default();
    for stmt in body {
        if let Stmt::Loop(l) = stmt {
            lengths.insert(l.id, l.length);
            lengths.extend(loop_lengths(&l.body));
        }
    }
    lengths
}
