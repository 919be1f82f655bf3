//! What statements become before it is decided which shader runs it: work on independent points,
//! under loops and conditions. The same tasks are dispatched one by one (`shader.rs`) or done by
//! one workgroup (`together.rs`).

use super::memory::Memory;
use super::{Emitter, Text, Uses};
use probpipe_lowering::{
    Branch, BufferId, Expr, ExprId, IndexMap, Kernel, LoopId, Stmt, Store, While,
};
use probpipe_trace::{ArrayType, BinaryOp, DType, Loc, Result, Scalar};

/// Places of memory that a special function is as long to compile as.
const SPECIAL: usize = 8;

/// Points that one function does, independent of each other.
#[derive(Debug)]
pub(super) struct Work {
    /// The body of a function of `point`.
    pub body: Text,
    pub uses: Uses,
    pub points: usize,
    pub location: Loc,
    /// Done whatever the conditions around it.
    pub always: bool,
    /// The buffers that it touches, and whether it writes them, where that is known.
    pub touched: Option<Vec<(BufferId, bool)>>,
}

impl Work {
    pub fn new(body: Text, uses: Uses, points: usize, location: Loc) -> Work {
        Work { body, uses, points, location, always: false, touched: None }
    }

    /// Whether neither needs to wait for the other.
    pub fn is_apart(&self, other: &Work, memory: &Memory) -> bool {
        let (Some(a), Some(b)) = (&self.touched, &other.touched) else { return false };
        a.iter().all(|(x, writes)| {
            let meet = |(y, also): &(BufferId, bool)| (*writes || *also) && memory.overlap(*x, *y);
            !b.iter().any(meet)
        })
    }
}

/// A part of a program.
#[derive(Debug)]
pub(super) enum Task {
    /// Points.
    Work(Work),
    /// Sets a word to 0.
    Clear { word: BufferId },
    /// Tasks that are repeated. Of a loop in parts, so many steps are one step of another loop.
    Loop {
        id: LoopId,
        length: usize,
        part: Option<(LoopId, usize)>,
        body: Vec<Task>,
        /// Rounds of an iteration, where a lane may stop at its head.
        turn: Option<usize>,
        location: Loc,
    },
    /// Tasks that are repeated as long as `word` is 1 after `cond`, or at most so often.
    While {
        cond: Vec<Task>,
        word: BufferId,
        most: Option<usize>,
        body: Vec<Task>,
        /// Rounds of an iteration, where a lane may stop at its head.
        turn: Option<usize>,
        location: Loc,
    },
    /// Tasks that one invocation does. Where a condition around them does not hold, `word` is 0.
    Alone { tasks: Vec<Task>, word: BufferId, location: Loc },
    /// Lists of tasks, of which the one is done whose number `word` is.
    Branch { word: BufferId, branches: Vec<Vec<Task>> },
    /// Tasks that one workgroup of `width` invocations does.
    Together { width: usize, tasks: Vec<Task>, location: Loc },
}

impl Task {
    /// Whether it is so little that an invocation does it beside others before a dispatch begins.
    pub fn is_little(&self) -> bool {
        matches!(self, Task::Work(work) if work.points == 1 && work.touched.is_some())
    }

    /// The lists of tasks inside it.
    fn bodies(&self) -> Vec<&[Task]> {
        match self {
            Task::Work(_) | Task::Clear { .. } => Vec::new(),
            Task::Loop { body, .. } => vec![body],
            Task::While { cond, body, .. } => vec![cond, body],
            Task::Branch { branches, .. } => branches.iter().map(Vec::as_slice).collect(),
            Task::Together { tasks, .. } | Task::Alone { tasks, .. } => vec![tasks],
        }
    }

    fn sum(&self, of: impl Fn(&Task) -> usize) -> usize {
        self.bodies().into_iter().flatten().map(of).sum()
    }

    /// The loops in it at whose heads a lane may stop.
    pub fn turns(&self) -> usize {
        let own =
            matches!(self, Task::Loop { turn: Some(_), .. } | Task::While { turn: Some(_), .. });
        usize::from(own) + self.sum(Task::turns)
    }

    /// The indices of the counted loops among these.
    pub fn turning(&self, indices: &mut Vec<LoopId>) {
        if let Task::Loop { id, turn: Some(_), .. } = self {
            indices.push(*id);
        }
        self.bodies().into_iter().flatten().for_each(|task| task.turning(indices));
    }

    /// The places where its text touches memory, and what takes as long to compile.
    pub fn accesses(&self) -> usize {
        let own = match self {
            Task::Work(work) => work.uses.slots.len() + SPECIAL * work.uses.special,
            Task::Clear { .. } | Task::While { .. } | Task::Branch { .. } => 1,
            Task::Loop { .. } | Task::Together { .. } | Task::Alone { .. } => 0,
        };
        own + self.sum(Task::accesses)
    }
}

impl Emitter<'_> {
    pub(super) fn statements(&mut self, body: &[Stmt]) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        let mut at = 0;
        while at < body.len() {
            let rest = &body[at..];
            at += match self.lane_region(rest, &mut tasks)? {
                Some(count) => count,
                None => match self.workgroup(rest) {
                    Some((part, width)) => self.together(part, width, &mut tasks)?,
                    None => {
                        self.statement(&rest[0], &mut tasks)?;
                        1
                    }
                },
            };
        }
        Ok(tasks)
    }

    /// One statement by itself, and what is inside it.
    pub(super) fn statement(&mut self, stmt: &Stmt, tasks: &mut Vec<Task>) -> Result<()> {
        match stmt {
            Stmt::Kernel(kernel) => self.kernel(kernel, tasks),
            Stmt::Library(library) => self.library(library, tasks),
            Stmt::Loop(l) if l.length == 0 => Ok(()),
            Stmt::Loop(l) if self.runs_apart(l) => self.apart(l, tasks),
            Stmt::Loop(l) => {
                let turn = self.turn(stmt);
                let body = self.inside(&l.body)?;
                let (id, length, location) = (l.id, l.length, l.location);
                tasks.push(Task::Loop { id, length, part: None, body, turn, location });
                Ok(())
            }
            Stmt::While(w) => {
                let turn = self.turn(stmt);
                self.while_loop(w, turn, tasks)
            }
            Stmt::Branch(branch) => self.branch(branch, tasks),
        }
    }

    /// The statements of a loop or of a branch.
    pub(super) fn inside(&mut self, body: &[Stmt]) -> Result<Vec<Task>> {
        self.inside += 1;
        let tasks = match self.together {
            None => self.statements(body),
            Some(_) => self.one_by_one(body),
        };
        self.inside -= 1;
        tasks
    }

    /// Each statement by itself.
    pub(super) fn one_by_one(&mut self, body: &[Stmt]) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        for stmt in body {
            self.statement(stmt, &mut tasks)?;
        }
        Ok(tasks)
    }

    fn while_loop(&mut self, w: &While, turn: Option<usize>, tasks: &mut Vec<Task>) -> Result<()> {
        let word = self.kept_word();
        let cond = self.condition(w, word)?;
        let body = self.inside(&w.body)?;
        tasks.push(Task::While { cond, word, most: None, body, turn, location: w.location });
        Ok(())
    }

    /// The condition of a loop, as a word.
    pub(super) fn condition(&mut self, w: &While, word: BufferId) -> Result<Vec<Task>> {
        let mut cond = self.inside(&w.cond)?;
        let load = Expr::Load { buffer: w.test, index: IndexMap::default(), guard: None };
        let exprs = [load, Expr::Cast(ExprId(0))];
        cond.push(Task::Work(self.word(word, &exprs, &[DType::Bool, DType::I32], w.location)));
        Ok(cond)
    }

    /// The number of the branch is taken before any of them, which may use its memory.
    fn branch(&mut self, branch: &Branch, tasks: &mut Vec<Task>) -> Result<()> {
        let word = self.kept_word();
        let last = branch.branches.len() as i128 - 1;
        let exprs = [
            Expr::Load { buffer: branch.index, index: IndexMap::default(), guard: None },
            Expr::Literal(Scalar::Int(0)),
            Expr::Binary(BinaryOp::Max, ExprId(0), ExprId(1)),
            Expr::Literal(Scalar::Int(last)),
            Expr::Binary(BinaryOp::Min, ExprId(2), ExprId(3)),
        ];
        tasks.push(Task::Work(self.word(word, &exprs, &[DType::I32; 5], branch.location)));
        let branches =
            branch.branches.iter().map(|body| self.inside(body)).collect::<Result<Vec<_>>>()?;
        if branches.iter().flatten().any(|task| task.turns() > 0) {
            self.keep(word);
        }
        tasks.push(Task::Branch { word, branches });
        Ok(())
    }

    pub(super) fn kept_word(&mut self) -> BufferId {
        let word = self.memory.kept(&ArrayType::scalar(DType::I32));
        self.make_own(word);
        word
    }

    /// Sets a word to a number.
    pub(super) fn set(&self, word: BufferId, value: i128, location: Loc) -> Work {
        self.word(word, &[Expr::Literal(Scalar::Int(value))], &[DType::I32], location)
    }

    /// Sets a word to the last of some expressions.
    fn word(&self, word: BufferId, exprs: &[Expr], types: &[DType], location: Loc) -> Work {
        let value = ExprId(exprs.len() as u32 - 1);
        let store = Store { buffer: word, index: IndexMap::default(), value, reduce: None };
        let kernel = Kernel {
            exprs: exprs.to_vec(),
            types: types.to_vec(),
            stores: vec![store],
            ..Kernel::empty(location)
        };
        self.point_work(&kernel)
    }

    /// A loop that the program does not have.
    pub(super) fn added_loop(&mut self) -> LoopId {
        self.added += 1;
        LoopId((self.program.loops + self.added - 1) as u32)
    }
}
