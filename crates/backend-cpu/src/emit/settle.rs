//! Loops that call nothing get their registers to themselves. A function may change every vector
//! register, so a value that lives across a call waits on the stack for a part of its life, and the
//! register allocator lets it wait in loops that lie on the way, too: each step would then read and
//! write it. Here such a loop works on copies, of whose lives no part is a call.

use super::code::Var;
use super::{Emitter, Val, count_kernels};
use crate::plan::{Plan, Strategy};
use probpipe_lowering::{BufferId, Expr, Stmt};

/// As many values as there may be registers for.
const MOST: usize = 24;

/// The loop that is being emitted, if it works on copies.
#[must_use]
pub(super) enum Settled {
    No,
    /// What it writes; what it only reads, and the value of that before it.
    Yes(Vec<Var>, Vec<(Var, Val)>),
}

impl Emitter<'_, '_> {
    /// Copies what a loop reads and writes in registers, if the loop calls nothing.
    pub(super) fn settle(&mut self, body: &[Stmt], plans: &std::slice::Iter<'_, Plan>) -> Settled {
        let plans = &plans.as_slice()[..count_kernels(body)];
        if self.settled || has_calls(body, plans) {
            return Settled::No;
        }
        let (mut read, mut written): (Vec<BufferId>, Vec<BufferId>) = (Vec::new(), Vec::new());
        for plan in plans {
            for (expr, _) in plan.kernel.exprs.iter().zip(&plan.live).filter(|(_, live)| **live) {
                if let Expr::Load { buffer, .. } = expr {
                    read.push(*buffer);
                }
            }
            written.extend(plan.kernel.stores.iter().map(|store| store.buffer));
        }
        read.retain(|buffer| !written.contains(buffer));
        let [read, written] = [read, written].map(|list| self.variables(list));
        if read.len() + written.len() > MOST {
            return Settled::No;
        }
        self.settled = true;
        for &var in &written {
            self.copy(var);
        }
        let before = read.into_iter().map(|var| (var, self.copy(var))).collect();
        Settled::Yes(written, before)
    }

    /// Copies what a loop has written, behind it.
    pub(super) fn unsettle(&mut self, settled: Settled) {
        let Settled::Yes(written, before) = settled else { return };
        self.settled = false;
        for var in written {
            self.copy(var);
        }
        for (var, value) in before {
            self.code.set(var, value);
        }
    }

    /// The variables of the buffers that live in registers, each once.
    fn variables(&self, mut buffers: Vec<BufferId>) -> Vec<Var> {
        buffers.sort_unstable();
        buffers.dedup();
        let sizes = buffers.into_iter().map(|b| (b, self.program.buffer(b).ty.size() as i64));
        let elements = sizes.flat_map(|(b, size)| (0..size).map(move |at| (b, at)));
        elements.filter_map(|element| self.registers.get(&element).copied()).collect()
    }

    /// Gives a variable a copy of its value; the value itself.
    fn copy(&mut self, var: Var) -> Val {
        let value = self.code.get(var);
        let copy = self.code.apart(value);
        self.code.set(var, copy);
        value
    }
}

/// Whether statements call functions.
fn has_calls(body: &[Stmt], plans: &[Plan]) -> bool {
    fn only_kernels(body: &[Stmt]) -> bool {
        body.iter().all(|stmt| match stmt {
            Stmt::Kernel(_) => true,
            Stmt::Loop(l) => only_kernels(&l.body),
            Stmt::Library(_) | Stmt::While(_) | Stmt::Branch(_) => false,
        })
    }
    let calls = |plan: &Plan| plan.strategy != Strategy::Unrolled || plan.has_calls();
    !only_kernels(body) || plans.iter().any(calls)
}
