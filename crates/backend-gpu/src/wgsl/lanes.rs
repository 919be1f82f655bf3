//! Whole loops inside one shader. Where every kernel of a loop runs along one common axis (the
//! chains of a sampler, say) and no value crosses it, each invocation runs the loop for its own
//! lane; a loop over a handful of numbers is one lane. Steps then cost no dispatch, and carried
//! values stay in registers. What does not qualify is dispatched kernel by kernel.

use super::expr::{self, At, Scope};
use super::kernel::{Point, Visit};
use super::region::{Region, count_reads, first_kernel, loop_lengths};
use super::register::Register;
use super::task::{Task, Work};
use super::{Emitter, Slot, Text, Uses};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Kernel, Stmt, Store};
use probpipe_trace::{ArrayType, Result};
use rustc_hash::FxHashMap;

/// Elements per lane up to which a buffer lives in registers.
const REGISTERS: usize = 32;

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

impl Emitter<'_> {
    /// Emits a run of statements at the start of `body` as one shader, if some run qualifies;
    /// gives its length.
    pub(super) fn lane_region(
        &mut self,
        body: &[Stmt],
        tasks: &mut Vec<Task>,
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
            self.emit_region(&body[..count], region, tasks)?;
            return Ok(Some(count));
        }
        let Stmt::Loop(_) = &body[0] else { return Ok(None) };
        let mut extents: Vec<usize> = kernel.parallel.iter().copied().filter(|&n| n > 1).collect();
        extents.sort_unstable();
        extents.dedup();
        while let Some(lanes) = extents.pop() {
            let mut region = Region::new(lanes, lengths.clone(), self.target);
            if region.add(&body[0], 1) && self.emit_region(&body[..1], region, tasks)? {
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
        tasks: &mut Vec<Task>,
    ) -> Result<bool> {
        let mut all = FxHashMap::default();
        count_reads(&self.program.body, &mut all);
        let lanes = region.lanes;
        let mut moved: Vec<Moved> = Vec::new();
        let mut registers: FxHashMap<BufferId, Register> = FxHashMap::default();
        for (&buffer, usage) in &region.usage {
            let span = self.memory.span(buffer);
            let outside = all.get(&buffer).is_some_and(|&n| n > usage.reads) || span.result;
            // Between two iterations of a loop around the region, memory holds the value.
            let carried = usage.read_first && self.inside > 0;
            let store = usage.written && (outside || carried);
            // What is stored is loaded first: the region may write a part of it only, or nothing
            // where a loop has no steps.
            let load = usage.read_first || store;
            let (size, whole) = match usage.step {
                Some(step) if step > 0 => {
                    (span.size / lanes, span.size.is_multiple_of(step as usize * lanes))
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
        self.write_region(body, &region, &registers, &moved, tasks)?;
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
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let mut text = Text { depth: 1, ..Text::default() };
        let mut uses = Uses::default();
        let none = FxHashMap::default();
        let parallel = smallvec::smallvec![region.lanes];
        let empty = Kernel { parallel, ..Kernel::empty(body[0].location()) };
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
        let lane = if region.lanes == 1 { At::Fixed(0) } else { At::Named("point".into()) };
        let scope = Scope {
            memory: &self.memory,
            kernel: &empty,
            axes: vec![lane],
            registers: &none,
            lane: None,
        };
        for &Moved { buffer, load, .. } in moved {
            let register = &registers[&buffer];
            let ty = expr::value_type(self.memory.span(buffer).dtype);
            register.declare("var", ty, &mut text);
            for i in (0..register.size).filter(|_| load) {
                let value = scope.read(buffer, &register.global(i), &mut uses);
                text.line(format_args!("{} = {value};", register.place(i)));
            }
        }
        let mut cursor = 0;
        for stmt in body {
            self.write_statement(stmt, region, registers, &mut cursor, &mut text, &mut uses);
        }
        for &Moved { buffer, .. } in moved.iter().filter(|m| m.store) {
            let register = &registers[&buffer];
            let shared = region.lanes > 1 && register.step == 0;
            if shared {
                text.open(format_args!("if (point == 0) {{"));
            }
            let to = copies.iter().find(|(b, _)| *b == buffer).map_or(buffer, |(_, to)| *to);
            for i in 0..register.size {
                scope.write(to, &register.global(i), &register.place(i), &mut text, &mut uses);
            }
            if shared {
                text.close();
            }
        }
        tasks.push(Task::Work(Work::new(text, uses, region.lanes, body[0].location())));
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
            self.kernel(&copy, tasks)?;
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
        text: &mut Text,
        uses: &mut Uses,
    ) {
        match stmt {
            Stmt::Library(_) | Stmt::While(_) | Stmt::Branch(_) => {}
            Stmt::Loop(l) => {
                let t = format!("{}", l.id);
                let opaque = self.target.opaque();
                text.open(format_args!(
                    "for (var {t}: i32 = 0; {t} < {}{opaque}; {t} = {t} + 1) {{",
                    l.length
                ));
                for stmt in &l.body {
                    self.write_statement(stmt, region, registers, cursor, text, uses);
                }
                text.close();
            }
            Stmt::Kernel(kernel) => {
                let lane = region.axes.get(*cursor).copied().flatten();
                *cursor += 1;
                if kernel.parallel_size() == 0 {
                    return;
                }
                if self.is_written_out(kernel, lane, registers) {
                    return self.written_out(kernel, lane, registers, text, uses);
                }
                text.open(format_args!("{{"));
                let mut axes = Vec::new();
                let mut opened = 1;
                for (axis, &extent) in kernel.parallel.iter().enumerate() {
                    axes.push(match extent {
                        _ if lane == Some(axis) => At::Named("point".into()),
                        1 => At::Fixed(0),
                        _ => {
                            let i = format!("i{axis}");
                            let opaque = self.target.opaque();
                            text.open(format_args!(
                                "for (var {i}: i32 = 0; {i} < {extent}{opaque}; {i} = {i} + 1) {{"
                            ));
                            opened += 1;
                            At::Named(i)
                        }
                    });
                }
                let point = Point { axes, lane, registers, visit: Visit::All };
                self.body(kernel, point, text, uses);
                for _ in 0..opened {
                    text.close();
                }
            }
        }
    }
}
