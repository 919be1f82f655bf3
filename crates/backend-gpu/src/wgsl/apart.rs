//! Loops whose iterations do not know each other, such as lanes that stop their loops apart: an
//! invocation does one, from its beginning to its end, with its own copies of what only that
//! iteration needs.

use super::budget::{self, Share};
use super::dispatches::Words;
use super::inline::Inline;
use super::live::{self, Live};
use super::region::accesses;
use super::register::{self, Register};
use super::task::{Task, Work};
use super::turn::Turns;
use super::{Emitter, Text};
use probpipe_lowering::{BufferId, IndexMap, Kernel, Loop, LoopId, Place, Stmt};
use probpipe_trace::Result;
use rustc_hash::{FxHashMap, FxHashSet};

/// Iterations from which on a device has enough to do with one for each invocation.
const MANY: usize = 64;
/// Points of a kernel that one invocation does about as soon as a dispatch would begin.
const FEW: usize = 1024;
/// Elements of a copy up to which it lies in variables; larger ones lie in the arena, those of
/// neighbours side by side.
const PRIVATE: usize = 64;
/// Elements that lie in variables in all.
const ALL_PRIVATE: usize = 1024;

/// What a statement does with buffers.
#[derive(Debug, Default)]
pub(super) struct Touched {
    times: FxHashMap<BufferId, usize>,
    /// Those of which an access depends on a certain loop.
    stepped: FxHashSet<BufferId>,
    /// Points of the largest kernel.
    points: usize,
}

impl Touched {
    /// By statements; `index` is the loop looked for.
    pub fn by(body: &[Stmt], index: Option<LoopId>) -> Touched {
        let mut touched = Touched::default();
        touched.statements(body, index);
        touched
    }

    fn buffer(&mut self, buffer: BufferId, map: Option<&IndexMap>, index: Option<LoopId>) {
        *self.times.entry(buffer).or_default() += 1;
        let mut loops = map.into_iter().flat_map(|map| &map.loops);
        if loops.any(|(id, step)| Some(*id) == index && *step != 0) {
            self.stepped.insert(buffer);
        }
    }

    fn statements(&mut self, body: &[Stmt], index: Option<LoopId>) {
        for stmt in body {
            if let Stmt::Kernel(kernel) = stmt {
                self.points = self.points.max(kernel.parallel_size());
            }
            for access in accesses(stmt) {
                self.buffer(access.buffer, access.index, index);
            }
            stmt.bodies().into_iter().for_each(|body| self.statements(body, index));
        }
    }
}

/// The loop of which an invocation does an iteration, with copies of some buffers to itself.
#[derive(Debug)]
pub(super) struct Own {
    id: LoopId,
    /// How many iterations there are.
    count: usize,
    /// Elements that lie in variables.
    elements: usize,
    /// The declarations of the variables.
    declared: Text,
    /// Whether it may go on for longer than a dispatch.
    stops: bool,
    /// What it knows when it does.
    live: Live,
}

impl Emitter<'_> {
    /// For what is not yet known of kernels, all are taken to go rounds.
    fn turns(&self) -> Turns<'static> {
        Turns { most: self.target.rounds, written_out: &|_| false }
    }

    /// Whether an invocation should do each iteration.
    pub(super) fn runs_apart(&self, l: &Loop) -> bool {
        let alone = self.together.is_none();
        // In a workgroup others would stand by, and what one does is not cut off.
        let most = if alone { FEW } else { MANY };
        let few = || Touched::by(&l.body, None).points <= most;
        let gets_on = || alone && self.turns().left(&l.body).is_some();
        let fits = l.length >= MANY || few();
        l.apart && self.own.is_none() && l.length > 1 && fits && (self.ends(l) || gets_on())
    }

    /// Whether an iteration takes no longer than a dispatch may.
    fn ends(&self, l: &Loop) -> bool {
        budget::all(&l.body, Share::Alone).is_some_and(|rounds| rounds <= self.target.rounds)
    }

    /// The loop as work with a point for each iteration.
    pub(super) fn apart(&mut self, l: &Loop, tasks: &mut Vec<Task>) -> Result<()> {
        let all = Touched::by(&self.program.body, None);
        let here = Touched::by(&l.body, Some(l.id));
        let (id, count, turns) = (l.id, l.length, self.turns());
        let stops = !self.ends(l);
        let words = stops.then(|| Words::new(turns.left(&l.body).unwrap_or(0), self));
        let live =
            if stops { live::at_heads(&l.body, turns, self.program) } else { Live::default() };
        let declared = Text::default();
        self.own = Some(Own { id, count, elements: 0, declared, stops, live });
        let mut own: Vec<BufferId> = here.times.keys().copied().collect();
        own.sort_unstable();
        for buffer in own {
            let only_here = here.times.get(&buffer) == all.times.get(&buffer);
            let arena = matches!(self.program.buffer(buffer).place, Place::Arena(_));
            if arena && only_here && !here.stepped.contains(&buffer) {
                self.make_own(buffer);
            }
        }
        let together = self.together.replace(1);
        let inside = self.inside(&l.body);
        self.together = together;
        let registers = std::mem::take(&mut self.registers);
        let own = self.own.take().map(|own| (own.declared.out, own.live));
        let (declared, live) = own.unwrap_or_default();
        let inside = inside?;
        let mut indices = Vec::new();
        inside.iter().for_each(|task| task.turning(&mut indices));
        let mut inline = Inline::new(self.target, &self.memory, None, &registers);
        inline.tasks(inside);
        let Inline { text, mut uses, .. } = inline;
        uses.private.insert(id);
        uses.code.insert_str(0, &declared);
        let mut body = Text { depth: 1, ..Text::default() };
        body.line(format_args!("{id} = point;"));
        body.out.push_str(&text.out);
        let work = Work::new(body, uses, count, l.location);
        match words {
            Some(words) => {
                let known = self.known(&live, &registers, &indices);
                self.in_turns(work, id, &words, known, tasks);
            }
            None => tasks.push(Task::Work(work)),
        }
        Ok(())
    }

    /// Rounds of an iteration of a loop, if a lane may stop at its head.
    pub(super) fn turn(&self, stmt: &Stmt) -> Option<usize> {
        self.own.as_ref().filter(|own| own.stops)?;
        let written_out = &|kernel: &Kernel| self.is_written_out(kernel, None, &self.registers);
        let turns = Turns { written_out, ..self.turns() };
        turns.stops(stmt).then(|| turns.of_iteration(stmt))
    }

    /// Has a lane that stops keep a buffer.
    pub(super) fn keep(&mut self, buffer: BufferId) {
        if let Some(own) = &mut self.own {
            own.live.insert(buffer);
        }
    }

    /// Gives each invocation its own copy of a buffer, if they are apart.
    pub(super) fn make_own(&mut self, buffer: BufferId) {
        let private = if self.target.software { register::SPLIT } else { PRIVATE };
        let Some(own) = &mut self.own else { return };
        let span = self.memory.span(buffer);
        let (size, dtype) = (span.size, span.dtype);
        if size > private || own.elements + size > ALL_PRIVATE {
            return self.memory.spread(buffer, own.id, own.count);
        }
        own.elements += size;
        let name = format!("v{}", buffer.0);
        let register = Register { name, size, step: 0, period: i64::MAX };
        register.declare("var<private>", super::expr::value_type(dtype), &mut own.declared);
        self.registers.insert(buffer, register);
    }
}
