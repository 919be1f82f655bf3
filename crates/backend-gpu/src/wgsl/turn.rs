//! Lanes that go on for longer than a dispatch may: at the head of a loop a lane keeps what it
//! knows in memory and stops, and the next dispatch goes on from there. So each lane takes as many
//! dispatches as it needs, and one that is done does nothing in those that follow.

use super::budget::{self, Share};
use probpipe_lowering::{Kernel, Stmt};

/// Rounds of a loop, as parts of those that an invocation may go, up to which it does not stop.
const PART: usize = 16;
/// Rounds in which all that a lane knows is fetched and kept.
const KEEPING: usize = 1 << 12;

/// Which loops stop, and what their iterations cost.
#[derive(Clone, Copy)]
pub(super) struct Turns<'a> {
    /// Rounds that an invocation may go.
    pub most: usize,
    /// Whether a kernel goes no rounds.
    pub written_out: &'a dyn Fn(&Kernel) -> bool,
}

impl Turns<'_> {
    /// Whether a lane may stop at the head of a loop.
    pub fn stops(&self, stmt: &Stmt) -> bool {
        let long =
            || budget::rounds(stmt, Share::Alone).is_none_or(|rounds| rounds > self.most / PART);
        matches!(stmt, Stmt::Loop(_) | Stmt::While(_)) && long()
    }

    /// Rounds of statements, without those of the loops that stop.
    pub fn rounds(&self, body: &[Stmt]) -> usize {
        let of = |stmt: &Stmt| match stmt {
            _ if self.stops(stmt) => 1,
            Stmt::Branch(branch) => {
                branch.branches.iter().map(|body| self.rounds(body)).max().unwrap_or(0)
            }
            Stmt::Kernel(kernel) if (self.written_out)(kernel) => 0,
            // What does not stop knows its rounds.
            _ => budget::rounds(stmt, Share::Alone).unwrap_or(self.most),
        };
        body.iter().map(of).fold(1, usize::saturating_add)
    }

    /// Rounds of an iteration of a loop.
    pub fn of_iteration(&self, stmt: &Stmt) -> usize {
        stmt.bodies().iter().map(|body| self.rounds(body)).fold(1, usize::saturating_add)
    }

    /// Rounds that are left for iterations of loops, if each dispatch gets on with them: one of a
    /// loop, and of those around it, fits.
    pub fn left(&self, body: &[Stmt]) -> Option<usize> {
        let left = self.most.checked_sub(self.rounds(body).saturating_add(KEEPING))?;
        (self.deepest(body) <= left && self.stop_in_bodies(body)).then_some(left)
    }

    fn deepest(&self, body: &[Stmt]) -> usize {
        let of = |stmt: &Stmt| {
            let inner = stmt.bodies().iter().map(|body| self.deepest(body)).max().unwrap_or(0);
            inner.saturating_add(if self.stops(stmt) { self.of_iteration(stmt) } else { 0 })
        };
        body.iter().map(of).max().unwrap_or(0)
    }

    /// No condition of a loop has loops that stop.
    fn stop_in_bodies(&self, body: &[Stmt]) -> bool {
        body.iter().all(|stmt| {
            let condition = match stmt {
                Stmt::While(w) => !w.cond.iter().any(|stmt| self.has(stmt)),
                _ => true,
            };
            condition && stmt.bodies().iter().all(|body| self.stop_in_bodies(body))
        })
    }

    /// Whether a statement stops, or one inside it.
    pub fn has(&self, stmt: &Stmt) -> bool {
        self.stops(stmt) || stmt.bodies().into_iter().flatten().any(|stmt| self.has(stmt))
    }
}
