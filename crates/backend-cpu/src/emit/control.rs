//! Conditional loops and branches: jumps between blocks. What decides is read from memory or from
//! the register that holds it, like any other element.

use super::Emitter;
use super::code::Val;
use crate::plan::Plan;
use probpipe_lowering::{Branch, BufferId, IndexMap, While};
use probpipe_trace::Result;

impl Emitter<'_, '_> {
    /// The one element of a buffer.
    fn cell(&mut self, buffer: BufferId) -> Result<Val> {
        self.load(buffer, &IndexMap::default(), &[], None)
    }

    pub(super) fn while_loop(
        &mut self,
        w: &While,
        plans: &mut std::slice::Iter<'_, Plan>,
    ) -> Result<()> {
        let head = self.code.open_head();
        self.body(&w.cond, plans)?;
        let test = self.cell(w.test)?;
        let exit = self.code.leave_unless(test);
        self.body(&w.body, plans)?;
        self.code.close_head(head, exit);
        Ok(())
    }

    /// Tests one branch after the other; the last one takes what is left.
    pub(super) fn branch(
        &mut self,
        branch: &Branch,
        plans: &mut std::slice::Iter<'_, Plan>,
    ) -> Result<()> {
        let Some((last, others)) = branch.branches.split_last() else { return Ok(()) };
        let index = self.cell(branch.index)?;
        let join = self.code.block();
        for (i, body) in others.iter().enumerate() {
            // The first takes all numbers below it too.
            let next = self.code.enter_if_at_most(index, i as i64);
            self.body(body, plans)?;
            self.code.jump(join);
            self.code.start(next);
        }
        self.body(last, plans)?;
        self.code.jump(join);
        self.code.start(join);
        Ok(())
    }
}
