//! What one workgroup does: a run of statements whose arrays are small, with its loops and
//! conditions, in one shader. The invocations share the points of each task and wait for each other
//! between tasks, which takes a fraction of the time of a dispatch.

use super::budget::{self, Part, Share};
use super::task::Task;
use super::{Emitter, Target};
use probpipe_lowering::Stmt;
use probpipe_trace::Result;

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
    match stmt {
        Stmt::Kernel(kernel) => {
            let points = kernel.parallel_size().saturating_mul(kernel.reduce_size());
            points.saturating_mul(kernel.exprs.len())
        }
        Stmt::Library(library) => budget::cost(&library.call, 1).work,
        Stmt::Loop(_) | Stmt::While(_) | Stmt::Branch(_) => {
            stmt.bodies().into_iter().flatten().map(work).max().unwrap_or(0)
        }
    }
}

impl Emitter<'_> {
    /// What of the statements one workgroup should do, and of how many invocations.
    pub(super) fn workgroup<'b>(&self, body: &'b [Stmt]) -> Option<(Part<'b>, usize)> {
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
            _ if count > 1 || body[..count].iter().any(nested) => Part::Run(&body[..count]),
            Stmt::Loop(l) if l.length > 0 && fits(&body[0]) => {
                let steps = most / (budget::all(&l.body, share)? + 1);
                (steps > 0).then_some(Part::Steps(l, steps))?
            }
            Stmt::While(w) if fits(&body[0]) => {
                let rounds = budget::all(&w.cond, share)? + budget::all(&w.body, share)? + 1;
                (rounds <= most).then_some(Part::Iterations(w, most / rounds))?
            }
            Stmt::Loop(_)
            | Stmt::While(_)
            | Stmt::Kernel(_)
            | Stmt::Library(_)
            | Stmt::Branch(_) => return None,
        };
        Some((part, width))
    }

    /// Has one workgroup do a part; gives how many statements that is.
    pub(super) fn together(
        &mut self,
        part: Part<'_>,
        width: usize,
        tasks: &mut Vec<Task>,
    ) -> Result<usize> {
        let one = |task: Task, location| Task::Together { width, tasks: vec![task], location };
        match part {
            Part::Run(body) => {
                let location = body[0].location();
                let run = self.by(width, |cx| cx.one_by_one(body))?;
                tasks.push(Task::Together { width, tasks: run, location });
                return Ok(body.len());
            }
            Part::Steps(l, steps) => {
                let outer = self.added_loop();
                let body = self.by(width, |cx| cx.inside(&l.body))?;
                let (id, length, location, part) =
                    (l.id, l.length, l.location, Some((outer, steps)));
                let body = vec![one(
                    Task::Loop { id, length, part, body, turn: None, location },
                    location,
                )];
                let length = length.div_ceil(steps);
                tasks.push(Task::Loop {
                    id: outer,
                    length,
                    part: None,
                    body,
                    turn: None,
                    location,
                });
            }
            Part::Iterations(w, most) => {
                let (word, location) = (self.kept_word(), w.location);
                // It is asked at the beginning, and again by the host after so many iterations.
                let begin = vec![Task::Work(self.set(word, 1, location))];
                tasks.push(Task::Alone { tasks: begin, word, location });
                let (cond, body) =
                    self.by(width, |cx| Ok((cx.condition(w, word)?, cx.inside(&w.body)?)))?;
                let most = Some(most);
                let turn = None;
                let part = Task::While { cond, word, most, body, turn, location };
                let (cond, most, body) = (Vec::new(), None, vec![one(part, location)]);
                tasks.push(Task::While { cond, word, most, body, turn, location });
            }
        }
        Ok(1)
    }

    /// Emits for the invocations of a workgroup.
    fn by<T>(&mut self, width: usize, emit: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.together = Some(width);
        let emitted = emit(self);
        self.together = None;
        emitted
    }
}
