//! Which buffers hold something of use at the heads of loops at which a lane may stop.

use super::region::accesses;
use super::turn::Turns;
use probpipe_lowering::{Buffer, BufferId, Kernel, Program, Stmt, Store};
use rustc_hash::FxHashSet;

pub(super) type Live = FxHashSet<BufferId>;

/// What is read after the head of some loop that stops, before it is written anew. What is only
/// partly written keeps the rest, so it counts as read.
pub(super) fn at_heads(body: &[Stmt], turns: Turns<'_>, program: &Program) -> Live {
    let mut heads = Heads { turns, buffers: &program.buffers, live: Live::default() };
    heads.before(body, Live::default());
    heads.live
}

/// What a statement itself reads.
fn read(stmt: &Stmt) -> impl Iterator<Item = BufferId> {
    accesses(stmt).into_iter().filter(|access| !access.store).map(|access| access.buffer)
}

struct Heads<'a> {
    turns: Turns<'a>,
    buffers: &'a [Buffer],
    live: Live,
}

impl Heads<'_> {
    /// What is live before statements, given what is after them.
    fn before(&mut self, body: &[Stmt], after: Live) -> Live {
        body.iter().rev().fold(after, |after, stmt| self.before_one(stmt, after))
    }

    fn before_one(&mut self, stmt: &Stmt, after: Live) -> Live {
        let mut live = after;
        match stmt {
            Stmt::Kernel(kernel) => {
                for store in kernel.stores.iter().filter(|store| self.is_whole(kernel, store)) {
                    live.remove(&store.buffer);
                }
                live.extend(read(stmt));
            }
            Stmt::Library(_) => live.extend(read(stmt)),
            Stmt::Branch(branch) => {
                let after = live.clone();
                live.clear();
                for body in &branch.branches {
                    live.extend(self.before(body, after.clone()));
                }
                live.insert(branch.index);
            }
            // Once more finds what an iteration reads of the one before.
            Stmt::Loop(l) => {
                for _ in 0..2 {
                    let before = self.before(&l.body, live.clone());
                    live.extend(before);
                }
                self.keep(stmt, &live);
            }
            Stmt::While(w) => {
                for _ in 0..2 {
                    let mut decided = live.clone();
                    decided.extend(self.before(&w.body, live.clone()));
                    decided.insert(w.test);
                    // What follows the last look is not what precedes the first.
                    let before = self.before(&w.cond, decided);
                    live.extend(before);
                }
                self.keep(stmt, &live);
            }
        }
        live
    }

    fn keep(&mut self, stmt: &Stmt, live: &Live) {
        if self.turns.stops(stmt) {
            self.live.extend(live);
        }
    }

    /// Whether a store writes all of a buffer.
    fn is_whole(&self, kernel: &Kernel, store: &Store) -> bool {
        let extents = kernel.parallel.iter().chain(&kernel.reduce);
        let mut axes: Vec<(i64, usize)> = store
            .index
            .axes
            .iter()
            .copied()
            .zip(extents.copied())
            .filter(|&(step, extent)| step != 0 && extent > 1)
            .collect();
        axes.sort_unstable();
        let dense = axes.iter().try_fold(1, |size: i64, &(step, extent)| {
            (step == size).then_some(size * extent as i64)
        });
        let size = self.buffers.get(store.buffer.0 as usize).map(|buffer| buffer.ty.size() as i64);
        let fixed = store.index.loops.iter().all(|(_, step)| *step == 0);
        fixed && store.index.offset == 0 && kernel.parallel_size() > 0 && dense == size
    }
}
