//! What threads divide: kernels here, loops in `divided`. Each is a function of its own that does
//! one part, given a table of what the program's function knows: `(table, part, begin, end,
//! scratch)`. The parts of a reduction leave the state of their accumulators behind, and the
//! program's function merges these in order.

use super::accumulate::Accumulator;
use super::code::{Code, Memory, Val, element_type};
use super::nest::{Part, STATE};
use super::{Emitter, Extra, POINTER};
use crate::plan::{Plan, Split};
use crate::symbols;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use probpipe_lowering::{Expr, LoopId};
use probpipe_trace::{Error, ErrorKind, Result};

/// Parameters of the function of a part.
const PARAMETERS: usize = 5;
/// Where the table's loop counters begin, in words: after three pointers and that to the states.
const COUNTERS: usize = 4;

/// What the function of a part is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    number: Val,
    pub(super) begin: Val,
    pub(super) end: Val,
    /// Where parts leave their accumulators.
    states: Val,
}

impl<'p> Emitter<'_, 'p> {
    /// Emits a kernel as a function, and the call that lets threads do its parts.
    pub(super) fn parallel(&mut self, plan: &Plan, split: Split) -> Result<()> {
        let counters = counters(plan);
        let reduces = plan.splits_reduction();
        let per_part = STATE * plan.kernel.stores.len() as i64;
        let states = table_bytes(&counters);
        let bytes = states + if reduces { per_part * split.parts() as i64 } else { 0 };
        self.scratch_bytes = self.scratch_bytes.max(bytes as usize);

        let scratch_bytes = self.part_function(&counters, |emitter, given| {
            let Given { number, begin, end, states } = given;
            let before = emitter.code.mul_const(number, per_part);
            let states = emitter.code.add(states, before);
            emitter.nest(plan, Some(Part { begin, end, states }))
        })?;
        let states = self.code.add_const(self.scratch, states);
        self.call_parts(states, &counters, [split.extent, split.part, scratch_bytes]);
        if reduces {
            self.merge_states(plan, split, states)?;
        }
        Ok(())
    }

    /// Has threads call the function that was added last, with what it needs to know in a table.
    pub(super) fn call_parts(&mut self, states: Val, counters: &[LoopId], sizes: [usize; 3]) {
        self.scratch_bytes = self.scratch_bytes.max(table_bytes(counters) as usize);
        let mut words = self.entry.to_vec();
        words.push(states);
        words.extend(counters.iter().filter_map(|id| self.loops[id.0 as usize]));
        for (k, word) in words.into_iter().enumerate() {
            self.code.store(Memory::Scratch, word, self.scratch, 8 * k as i64);
        }
        let address = self.code.address_of(self.extras.len() as u32, PARAMETERS);
        let mut args = vec![address, self.scratch];
        for number in sizes {
            args.push(self.code.int(number as i64));
        }
        self.code.call(symbols::run_parts(), &args, None);
    }

    /// Adds the function of one part; gives the scratch bytes that it needs.
    pub(super) fn part_function(
        &mut self,
        counters: &[LoopId],
        emit: impl FnOnce(&mut Emitter<'_, 'p>, Given) -> Result<()>,
    ) -> Result<usize> {
        let target = self.code.target();
        let signature = Code::signature(target.0, PARAMETERS);
        let mut function = Function::with_name_signature(UserFuncName::default(), signature);
        let mut context = FunctionBuilderContext::new();
        let builder = FunctionBuilder::new(&mut function, &mut context);
        let (mut code, params) = Code::begin(builder, target);
        let &[table, number, begin, end, scratch] = &params[..] else {
            return Err(Error::new(ErrorKind::Internal, "a part without its parameters"));
        };
        let word = |code: &mut Code<'_>, k: usize| {
            code.load(Memory::ReadOnly, POINTER, table, 8 * k as i64)
        };
        let entry = [0, 1, 2].map(|k| word(&mut code, k));
        let states = word(&mut code, COUNTERS - 1);
        let mut emitter = Emitter::new(code, self.program, entry, scratch)?;
        emitter.needs = std::mem::take(&mut self.needs);
        emitter.extras = std::mem::take(&mut self.extras);
        for (k, id) in counters.iter().enumerate() {
            emitter.loops[id.0 as usize] = Some(word(&mut emitter.code, COUNTERS + k));
        }
        emit(&mut emitter, Given { number, begin, end, states })?;
        let Emitter { code, scratch_bytes, needs, extras, .. } = emitter;
        code.end();
        (self.needs, self.extras) = (needs, extras);
        self.extra(Extra::Part(Box::new(function)));
        // One line more, which guarded loads read where the guard is false.
        Ok(scratch_bytes + 64)
    }

    /// Puts the parts of reductions together, from the first to the last.
    fn merge_states(&mut self, plan: &Plan, split: Split, states: Val) -> Result<()> {
        let stores = &plan.kernel.stores;
        for (k, store) in stores.iter().enumerate() {
            let Some(op) = store.reduce else { continue };
            let dtype = plan.kernel.ty(store.value);
            let accumulator = Accumulator::new(&mut self.code, op, dtype);
            let scope = self.code.open_loop(0, split.parts() as i64, 1);
            let before = self.code.mul_const(scope.index, STATE * stores.len() as i64);
            let at = self.code.add(states, before);
            let ty = element_type(accumulator.state_type());
            let state: Vec<Val> = (0..accumulator.state(&mut self.code).len() as i64)
                .map(|i| self.code.load(Memory::Scratch, ty, at, STATE * k as i64 + 8 * i))
                .collect();
            accumulator.merge(&mut self.code, &state);
            self.code.close_loop(scope);
            let result = accumulator.finish(&mut self.code);
            self.store(store.buffer, &store.index, &[], result)?;
        }
        Ok(())
    }
}

/// Bytes of the table, in whole lines.
fn table_bytes(counters: &[LoopId]) -> i64 {
    (8 * (COUNTERS + counters.len())).next_multiple_of(64) as i64
}

/// The loops around a kernel whose counters it uses.
fn counters(plan: &Plan) -> Vec<LoopId> {
    let loads = plan.kernel.exprs.iter().filter_map(|expr| match expr {
        Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => Some(index),
        _ => None,
    });
    let maps = loads.chain(plan.kernel.stores.iter().map(|store| &store.index));
    let mut ids: Vec<LoopId> = maps.flat_map(|map| map.loops.iter().map(|&(id, _)| id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
