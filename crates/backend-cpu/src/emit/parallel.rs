//! Kernels that threads divide. Each is a function of its own that does one part, given a table of
//! what the program's function knows: `(table, part, begin, end, scratch)`. The parts of a
//! reduction leave the state of their accumulators behind, and the program's function merges these
//! in order.

use super::accumulate::Accumulator;
use super::code::{Code, Memory, Val, element_type};
use super::nest::Nest;
use super::{Emitter, POINTER};
use crate::plan::{Plan, Split};
use crate::threads;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Linkage, Module};
use probpipe_lowering::{Expr, LoopId};
use probpipe_trace::{Error, ErrorKind, Result};

/// Bytes that a part leaves for each store: a total and what it has lost.
const STATE: i64 = 16;
/// Where the table's loop counters begin, in words: after three pointers and that to the states.
const COUNTERS: usize = 4;

/// Functions beside the program's own.
pub(crate) struct Functions<'f> {
    module: &'f mut JITModule,
    pub(super) isa: &'f dyn TargetIsa,
    /// What has been emitted, to be compiled.
    pub(crate) finished: Vec<(FuncId, Function)>,
}

impl<'f> Functions<'f> {
    /// None yet.
    pub(crate) fn new(module: &'f mut JITModule, isa: &'f dyn TargetIsa) -> Functions<'f> {
        Functions { module, isa, finished: Vec::new() }
    }

    fn declare(&mut self) -> Result<(FuncId, Signature)> {
        let mut signature = Signature::new(self.isa.default_call_conv());
        signature.params.extend([AbiParam::new(types::I64); 5]);
        let name = format!("part{}", self.finished.len());
        // Not local: its address must be an absolute one, wherever the code comes to lie.
        let id = self.module.declare_function(&name, Linkage::Preemptible, &signature);
        let id = id.map_err(|e| Error::new(ErrorKind::Backend, e.to_string()))?;
        Ok((id, signature))
    }
}

/// The part of a kernel's first axis that a function does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) begin: Val,
    pub(super) end: Val,
    /// Where it leaves its accumulators.
    states: Val,
}

impl Emitter<'_, '_> {
    /// Emits a kernel as a function, and the call that lets threads do its parts.
    pub(super) fn parallel(
        &mut self,
        plan: &Plan,
        split: Split,
        functions: &mut Functions<'_>,
    ) -> Result<()> {
        let counters = counters(plan);
        let reduces = plan.splits_reduction();
        let states = (8 * (COUNTERS + counters.len())).next_multiple_of(64) as i64;
        let per_part = STATE * plan.kernel.stores.len() as i64;
        let bytes = states + if reduces { per_part * split.parts() as i64 } else { 0 };
        self.scratch_bytes = self.scratch_bytes.max(bytes as usize);

        let (id, scratch_bytes) = self.part_function(plan, split, &counters, functions)?;
        let states = self.code.add_const(self.scratch, states);
        let mut words = self.entry.to_vec();
        words.push(states);
        words.extend(counters.iter().filter_map(|id| self.loops[id.0 as usize]));
        for (k, word) in words.into_iter().enumerate() {
            self.code.store(Memory::Scratch, word, self.scratch, 8 * k as i64);
        }
        let reference = functions.module.declare_func_in_func(id, self.code.builder.func);
        let address = self.code.builder.ins().func_addr(POINTER, reference);
        let mut args = vec![address, self.scratch];
        for number in [split.extent, split.part, scratch_bytes] {
            args.push(self.code.int(number as i64));
        }
        self.code.call(threads::run_parts as *const () as usize, &args, None);
        if reduces {
            self.merge_states(plan, split, states)?;
        }
        Ok(())
    }

    /// The function of one part, and the scratch bytes that it needs.
    fn part_function(
        &mut self,
        plan: &Plan,
        split: Split,
        counters: &[LoopId],
        functions: &mut Functions<'_>,
    ) -> Result<(FuncId, usize)> {
        let (id, signature) = functions.declare()?;
        let name = UserFuncName::user(0, id.as_u32());
        let mut function = Function::with_name_signature(name, signature);
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        builder.seal_block(block);
        let [table, number, begin, end, scratch] = {
            let p = builder.block_params(block);
            [p[0], p[1], p[2], p[3], p[4]]
        };
        let mut code = Code::new(builder, functions.isa.default_call_conv());
        let word = |code: &mut Code<'_>, k: usize| {
            code.load(Memory::ReadOnly, POINTER, table, 8 * k as i64)
        };
        let entry = [0, 1, 2].map(|k| word(&mut code, k));
        let states = word(&mut code, COUNTERS - 1);
        let before = code.mul_const(number, STATE * plan.kernel.stores.len() as i64);
        let states = code.add(states, before);
        let mut emitter = Emitter::new(code, self.program, entry, scratch)?;
        for (k, id) in counters.iter().enumerate() {
            emitter.loops[id.0 as usize] = Some(word(&mut emitter.code, COUNTERS + k));
        }
        debug_assert!(split.parts() > 1);
        emitter.nest(plan, Some(Part { begin, end, states }))?;
        emitter.code.builder.ins().return_(&[]);
        let Emitter { code, scratch_bytes, .. } = emitter;
        code.builder.finalize(functions.isa.frontend_config());
        functions.finished.push((id, function));
        // One line more, which guarded loads read where the guard is false.
        Ok((id, scratch_bytes + 64))
    }

    /// Writes the accumulators of a part.
    pub(super) fn keep_reductions(&mut self, nest: &Nest<'_>, part: Part) {
        for (k, accumulator) in nest.accumulators.iter().enumerate() {
            let Some(accumulator) = accumulator else { continue };
            let state = accumulator.state(&mut self.code);
            for (i, value) in state.into_iter().enumerate() {
                let at = STATE * k as i64 + 8 * i as i64;
                self.code.store(Memory::Scratch, value, part.states, at);
            }
        }
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
