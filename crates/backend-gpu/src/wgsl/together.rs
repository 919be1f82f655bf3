//! What one workgroup does: a run of statements whose arrays are small, with its loops and
//! conditions, in one shader. The invocations share the points of each task and wait for each other
//! between tasks, which takes a fraction of the time of a dispatch.

use super::task::{Task, Work};
use super::memory::Memory;
use super::{Emitter, Target, Text, Uses};
use probpipe_lowering::{BufferId, LibraryCall, Stmt};

/// Points times expressions of a kernel up to which a workgroup does it sooner than a dispatch would
/// begin.
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
            LibraryCall::Factors { .. }
            | LibraryCall::Scatter { .. }
            | LibraryCall::Cumulative { .. }
            | LibraryCall::Special { .. }
            | LibraryCall::Sort { .. } => usize::MAX,
        },
    }
}

impl Emitter<'_> {
    /// How many of the statements one workgroup should do, and of how many invocations.
    pub(super) fn workgroup(&self, body: &[Stmt]) -> Option<(usize, usize)> {
        let most = most_work(self.target);
        let fits = |stmt: &&Stmt| work(stmt) <= most;
        let count = body.iter().take_while(fits).count();
        let nested = |stmt: &Stmt| !matches!(stmt, Stmt::Kernel(_) | Stmt::Library(_));
        let worth = count > 1 || body[..count].iter().any(nested);
        let slots = self.memory.all_slots().len();
        (worth && slots <= self.target.storage_buffers).then_some((count, width(self.target)))
    }
}

/// A shader of one workgroup in the making.
pub(super) struct Together<'a> {
    target: &'a Target,
    memory: &'a Memory,
    width: usize,
    pub text: Text,
    pub uses: Uses,
    works: usize,
}

impl<'a> Together<'a> {
    pub fn new(target: &'a Target, memory: &'a Memory, width: usize) -> Together<'a> {
        let mut text = Text { depth: 1, ..Text::default() };
        text.line(format_args!("let first = i32(local);"));
        // Mesa's software driver computes wrong numbers in some loops that it unrolls (seen with
        // 22.3.6): there bounds are numbers that it cannot know.
        if target.software {
            text.line(format_args!("let opaque = i32(group.z);"));
        }
        Together { target, memory, width, text, uses: Uses::default(), works: 0 }
    }

    pub fn tasks(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            self.task(task);
        }
    }

    fn opaque(&self) -> &'static str {
        if self.target.software { " + opaque" } else { "" }
    }

    fn task(&mut self, task: Task) {
        match task {
            Task::Work(work) => self.work(work),
            Task::Together { tasks, .. } => self.tasks(tasks),
            Task::Loop { id, length, body, .. } => {
                let opaque = self.opaque();
                self.uses.private.insert(id);
                self.text.open(format_args!(
                    "for ({id} = 0; {id} < {length}{opaque}; {id} = {id} + 1) {{"
                ));
                self.tasks(body);
                self.text.close();
            }
            Task::While { cond, word, body } => {
                self.text.open(format_args!("loop {{"));
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
        match points {
            1 => self.text.line(format_args!("if (local == 0u) {{ work_{n}(0); }}")),
            _ if points <= self.width => {
                self.text.line(format_args!("if (first < {points}) {{ work_{n}(first); }}"));
            }
            _ => self.text.line(format_args!(
                "for (var point = first; point < {points}{}; point = point + {}) {{ work_{n}(point); }}",
                self.opaque(),
                self.width
            )),
        }
        self.text.line(format_args!("storageBarrier();"));
    }
}

/// The functions that a text defines, numbered, so that several can stand in one shader.
fn numbered(text: &str, n: usize) -> String {
    let defined: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.split_once('(').map(|(name, _)| name))
        .collect();
    let mut out = text.to_string();
    for name in defined {
        out = out.replace(&format!("{name}("), &format!("{name}_{n}("));
    }
    out
}
