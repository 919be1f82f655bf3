//! Larger kernels as loop nests. Expressions are computed in the outermost loop where their
//! operands are known; `tile` takes over the innermost axis where it can run in vectors.

use super::Emitter;
use super::accumulate::Accumulator;
use super::code::{Memory, Val};
use super::memory::Coordinate;
use super::point::{Values, value};
use crate::plan::{Plan, Strategy};
use probpipe_trace::Result;
use smallvec::SmallVec;

/// Bytes that a part leaves for each store: a total and what it has lost.
pub(super) const STATE: i64 = 16;

/// The part of a kernel's first axis that a function does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) begin: Val,
    pub(super) end: Val,
    /// Where it leaves its accumulators.
    pub(super) states: Val,
}

/// Where the emission of a nest stands.
pub(super) struct Nest<'k> {
    pub(super) plan: &'k Plan,
    pub(super) values: Values,
    pub(super) at: SmallVec<[Coordinate; 4]>,
    /// One per store that reduces.
    pub(super) accumulators: Vec<Option<Accumulator>>,
    /// The part of the first axis that is emitted, if not the whole.
    pub(super) part: Option<Part>,
}

impl Nest<'_> {
    /// Whether a tile of this length is all that its reductions combine.
    pub(super) fn is_only_tile(&self, length: usize) -> bool {
        let inner = self.plan.extents.len() - 1;
        self.plan.outer == inner && length == self.plan.extents[inner] && self.part.is_none()
    }
}

impl Emitter<'_, '_> {
    /// Emits a kernel, or what the function of a part of it does.
    pub(super) fn nest(&mut self, plan: &Plan, part: Option<Part>) -> Result<()> {
        let mut nest = Nest {
            plan,
            values: vec![None; plan.kernel.exprs.len()],
            at: SmallVec::new(),
            accumulators: vec![None; plan.kernel.stores.len()],
            part,
        };
        self.level(&mut nest)
    }

    /// Emits the loops from here inwards.
    fn level(&mut self, nest: &mut Nest<'_>) -> Result<()> {
        let plan = nest.plan;
        let depth = nest.at.len();
        let at = nest.at.clone();
        self.evaluate(plan, &mut nest.values, &at, |i| plan.depth[i] == depth)?;
        let reducing = depth == plan.outer && !plan.kernel.reduce.is_empty();
        if reducing && plan.strategy == Strategy::Rows {
            return self.rows(nest);
        }
        if reducing {
            self.begin_reductions(nest);
        }
        if depth == plan.extents.len() {
            self.stores(nest)?;
        } else if depth + 1 == plan.extents.len() && plan.strategy == Strategy::Tiles {
            self.tiles(nest)?;
        } else if let Some(part) = nest.part.filter(|_| depth == 0) {
            let scope = self.code.open_range(part.begin, part.end, 1);
            nest.at.push(Coordinate::Index(scope.index));
            let result = self.level(nest);
            nest.at.pop();
            self.code.close_range(scope);
            result?;
        } else if plan.extents[depth] > 0 {
            let scope = self.code.open_loop(0, plan.extents[depth] as i64, 1);
            nest.at.push(Coordinate::Index(scope.index));
            let result = self.level(nest);
            nest.at.pop();
            self.code.close_loop(scope);
            result?;
        }
        match nest.part {
            Some(part) if reducing && depth == 0 => self.keep_reductions(nest, part),
            _ if reducing => self.end_reductions(nest)?,
            _ => {}
        }
        Ok(())
    }

    /// What a point writes, or adds to the reductions.
    fn stores(&mut self, nest: &mut Nest<'_>) -> Result<()> {
        for (store, accumulator) in nest.plan.kernel.stores.iter().zip(&nest.accumulators) {
            let value = value(&nest.values, store.value)?;
            match accumulator {
                Some(accumulator) => accumulator.add(&mut self.code, value),
                None => self.store(store.buffer, &store.index, &nest.at, value)?,
            }
        }
        Ok(())
    }

    pub(super) fn begin_reductions(&mut self, nest: &mut Nest<'_>) {
        let kernel = &nest.plan.kernel;
        for (store, accumulator) in kernel.stores.iter().zip(&mut nest.accumulators) {
            *accumulator =
                store.reduce.map(|op| Accumulator::new(&mut self.code, op, kernel.ty(store.value)));
        }
    }

    pub(super) fn end_reductions(&mut self, nest: &mut Nest<'_>) -> Result<()> {
        for (store, accumulator) in nest.plan.kernel.stores.iter().zip(&nest.accumulators) {
            if let Some(accumulator) = accumulator {
                let result = accumulator.finish(&mut self.code);
                self.store(store.buffer, &store.index, &nest.at, result)?;
            }
        }
        Ok(())
    }

    /// Writes the accumulators of a part.
    fn keep_reductions(&mut self, nest: &Nest<'_>, part: Part) {
        for (k, accumulator) in nest.accumulators.iter().enumerate() {
            let Some(accumulator) = accumulator else { continue };
            let state = accumulator.state(&mut self.code);
            for (i, value) in state.into_iter().enumerate() {
                let at = STATE * k as i64 + 8 * i as i64;
                self.code.store(Memory::Scratch, value, part.states, at);
            }
        }
    }
}
