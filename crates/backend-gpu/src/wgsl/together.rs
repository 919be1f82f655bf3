//! What one workgroup does: a run of statements whose arrays are small, with its loops and
//! conditions, in one shader. The invocations share the points of each task and wait for each other
//! between tasks, which takes a fraction of the time of a dispatch.

use super::budget::{self, Part, Share};
use super::library::parts;
use super::memory::Memory;
use super::register::Register;
use super::task::{Task, Work};
use super::{Emitter, Target, Text, Uses};
use probpipe_lowering::{BufferId, LibraryCall, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::OnceLock;

/// Points times expressions of a kernel up to which a workgroup does it sooner than a dispatch
/// would begin.
fn most_work(target: &Target) -> usize {
    if target.software { 1 << 17 } else { 1 << 16 }
}

/// Invocations of such a workgroup: what a core does at once.
fn width(target: &Target) -> usize {
    if target.software { 8 } else { 256 }
}

/// Points times expressions of a statement, the most of those inside it.
fn work(stmt: &Stmt) -> usize {
    let most = |body: &[Stmt]| body.iter().map(work).max().unwrap_or(0);
    match stmt {
        Stmt::Kernel(kernel) => {
            let points = kernel.parallel_size().saturating_mul(kernel.reduce_size());
            points.saturating_mul(kernel.exprs.len())
        }
        Stmt::Loop(l) => most(&l.body),
        Stmt::While(w) => most(&w.cond).max(most(&w.body)),
        Stmt::Branch(branch) => branch.branches.iter().map(|body| most(body)).max().unwrap_or(0),
        Stmt::Library(library) => match &library.call {
            LibraryCall::Matmul { batch, m, n, k, .. } => batch * m * n * k * 2,
            LibraryCall::Cholesky { batch, n, .. } => batch * n * n * n,
            LibraryCall::TriangularSolve { batch, n, columns, .. } => batch * n * n * columns,
            LibraryCall::Callback { .. } => usize::MAX,
            LibraryCall::Scatter { dims, .. } => {
                let whole = dims.extents.iter().product::<usize>() + dims.count;
                4 * dims.batch * dims.rest * whole
            }
            LibraryCall::Cumulative { extents, .. } => 4 * extents.iter().product::<usize>(),
            LibraryCall::Sort { extents, .. } => {
                let size: usize = extents.iter().product();
                size * extents[1].min(64) + 16 * size
            }
            LibraryCall::Factors { op, inputs, outputs } => {
                8 * parts::cost(*op, inputs, outputs, 1).work
            }
            LibraryCall::Special { .. } => usize::MAX,
        },
    }
}

impl Emitter<'_> {
    /// What of the statements one workgroup should do, and of how many invocations.
    pub(super) fn workgroup(&self, body: &[Stmt]) -> Option<(Part, usize)> {
        if self.memory.all_slots().len() > self.target.storage_buffers {
            return None;
        }
        let width = width(self.target);
        let (most, share) = (self.target.rounds, Share::Workgroup(width));
        let fits = |stmt: &Stmt| work(stmt) <= most_work(self.target);
        let mut left = most;
        let count = body.iter().take_while(|stmt| {
            let rounds = budget::rounds(stmt, share).filter(|rounds| *rounds <= left);
            left -= rounds.unwrap_or(0);
            rounds.is_some() && fits(stmt)
        });
        let count = count.count();
        let nested = |stmt: &Stmt| !matches!(stmt, Stmt::Kernel(_) | Stmt::Library(_));
        let part = match body.first()? {
            _ if count > 1 || body[..count].iter().any(nested) => Part::Run(count),
            Stmt::Loop(l) if l.length > 0 && fits(&body[0]) => {
                let steps = most / (budget::all(&l.body, share)? + 1);
                (steps > 0).then_some(Part::Steps(steps))?
            }
            Stmt::While(w) if fits(&body[0]) => {
                let rounds = budget::all(&w.cond, share)? + budget::all(&w.body, share)? + 1;
                (rounds <= most).then_some(Part::Iterations(most / rounds))?
            }
            Stmt::Loop(_)
            | Stmt::While(_)
            | Stmt::Kernel(_)
            | Stmt::Library(_)
            | Stmt::Branch(_) => return None,
        };
        Some((part, width))
    }
}

/// A shader of one workgroup in the making.
pub(super) struct Together<'a> {
    target: &'a Target,
    memory: &'a Memory,
    /// Invocations that share the work, or `None` for one that does all of it by itself.
    width: Option<usize>,
    registers: &'a FxHashMap<BufferId, Register>,
    pub text: Text,
    pub uses: Uses,
    works: usize,
}

impl<'a> Together<'a> {
    /// By the invocations of a workgroup.
    pub fn new(target: &'a Target, memory: &'a Memory, width: usize) -> Together<'a> {
        static NONE: OnceLock<FxHashMap<BufferId, Register>> = OnceLock::new();
        let mut together = Together::alone(target, memory, NONE.get_or_init(FxHashMap::default));
        together.width = Some(width);
        together.text.line(format_args!("let first = i32(local);"));
        together
    }

    /// By one invocation, which has some buffers to itself.
    pub fn alone(
        target: &'a Target,
        memory: &'a Memory,
        registers: &'a FxHashMap<BufferId, Register>,
    ) -> Together<'a> {
        let text = Text { depth: 1, ..Text::default() };
        let uses = Uses::default();
        Together { target, memory, width: None, registers, text, uses, works: 0 }
    }

    pub fn tasks(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            self.task(task);
        }
    }

    /// Mesa's software driver computes wrong numbers in some loops that it unrolls (seen with
    /// 22.3.6): there bounds are numbers that it cannot know.
    fn opaque(&self) -> &'static str {
        if self.target.software { " + i32(pp_zero)" } else { "" }
    }

    fn task(&mut self, task: Task) {
        match task {
            Task::Work(work) => self.work(work),
            Task::Together { tasks, .. } => self.tasks(tasks),
            Task::Loop { id, length, part, body, .. } => {
                let opaque = self.opaque();
                self.uses.private.insert(id);
                let (start, end) = match part {
                    None => ("0".to_string(), length.to_string()),
                    Some((outer, steps)) => (
                        format!("{outer} * {steps}"),
                        format!("min({length}, ({outer} + 1) * {steps})"),
                    ),
                };
                self.text.open(format_args!(
                    "for ({id} = {start}; {id} < {end}{opaque}; {id} = {id} + 1) {{"
                ));
                self.tasks(body);
                self.text.close();
            }
            Task::While { cond, word, most, body } => {
                let opaque = self.opaque();
                match most {
                    None => self.text.open(format_args!("loop {{")),
                    Some(most) => self.text.open(format_args!(
                        "for (var left = {most}{opaque}; left > 0; left = left - 1) {{"
                    )),
                }
                self.tasks(cond);
                let word = self.known_to_all(word);
                self.text.line(format_args!("if ({word} != 1) {{ break; }}"));
                self.tasks(body);
                self.text.close();
            }
            Task::Branch { word, branches } => {
                self.text.open(format_args!("{{"));
                let word = self.known_to_all(word);
                for (k, branch) in branches.into_iter().enumerate() {
                    self.text.open(format_args!("if ({word} == {k}) {{"));
                    self.tasks(branch);
                    self.text.close();
                }
                self.text.close();
            }
        }
    }

    /// A word that all invocations have read, so that they go the same way.
    fn known_to_all(&mut self, word: BufferId) -> String {
        let name = format!("word{}", word.0);
        if self.width.is_none() {
            let value = match self.registers.get(&word) {
                Some(register) => register.name.clone(),
                None => self.memory.word(word, &mut self.uses),
            };
            self.text.line(format_args!("let {name} = {value};"));
            return name;
        }
        let value = self.memory.word(word, &mut self.uses);
        self.text.line(format_args!("if (local == 0u) {{ pp_word = {value}; }}"));
        self.text.line(format_args!("let {name} = workgroupUniformLoad(&pp_word);"));
        name
    }

    /// The points go round the invocations.
    fn work(&mut self, work: Work) {
        let Work { body, uses, points, .. } = work;
        let n = self.works;
        self.works += 1;
        let Uses { slots, functions, code, private } = uses;
        self.uses.slots.extend(slots);
        self.uses.functions.extend(functions);
        self.uses.private.extend(private);
        let function = format!("fn work(point: i32) {{\n{}}}\n", body.out);
        self.uses.code.push_str(&numbered(&format!("{code}{function}"), n));
        let (first, width) = match self.width {
            None => ("0", 1),
            Some(width) => ("first", width),
        };
        match points {
            1 if width == 1 => self.text.line(format_args!("work_w{n}(0);")),
            1 => self.text.line(format_args!("if (local == 0u) {{ work_w{n}(0); }}")),
            _ if points <= width => {
                self.text.line(format_args!("if (first < {points}) {{ work_w{n}(first); }}"));
            }
            _ => self.text.line(format_args!(
                "for (var point = {first}; point < {points}{}; point = point + {width}) {{ work_w{n}(point); }}",
                self.opaque(),
            )),
        }
        if self.width.is_some() {
            self.text.line(format_args!("storageBarrier();"));
        }
    }
}

/// A text with the functions that it defines numbered, so that several can stand in one shader.
fn numbered(text: &str, n: usize) -> String {
    let defined: FxHashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.split_once('(').map(|(name, _)| name))
        .collect();
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    let part_of_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    while let Some(start) = rest.find(part_of_name) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !part_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(name);
        if defined.contains(name) {
            // No name of a template ends like this.
            out.push_str(&format!("_w{n}"));
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
