//! From a program to one machine function, `fn(inputs, outputs, arena)`: this file walks the
//! statements; `unrolled`, `nest` and `tile` emit kernels, `library` calls, and `code` alone knows
//! Cranelift's builder.

mod accumulate;
mod cast;
pub(crate) mod code;
mod control;
mod divided;
mod group;
mod indexing;
mod library;
mod memory;
mod nest;
mod parallel;
mod point;
mod rows;
mod scalar;
mod settle;
mod strip;
mod tile;
mod unrolled;
pub(crate) mod vector;
mod wide;
mod widths;

use crate::library::{Descriptor, Factors, HostCall, Indexing};
use crate::plan::{Plan, Strategy, plan_all};
use code::{Code, Memory, Val, Var};
use cranelift_codegen::ir::{Function, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use divided::Divided;
use probpipe_lowering::{BufferId, Loop, Place, Program, Stmt};
use probpipe_trace::Result;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What the emitted code needs at run time besides its inputs and outputs.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Bytes of arena, scratch included; known at the end.
    pub(crate) arena_bytes: usize,
    /// Descriptors that library calls point to; they must outlive the code.
    pub(crate) descriptors: Vec<Arc<Descriptor>>,
    /// As `descriptors`, of scatters, running reductions and sorts.
    pub(crate) indexings: Vec<Arc<Indexing>>,
    /// As `descriptors`, of functions of the host.
    pub(crate) callbacks: Vec<Arc<HostCall>>,
    /// As `descriptors`, of decompositions.
    pub(crate) factors: Vec<Arc<Factors>>,
}

/// The state of emission of one function.
struct Emitter<'a, 'p> {
    code: Code<'a>,
    program: &'p Program,
    /// The pointers to the inputs, the outputs and the arena.
    entry: [Val; 3],
    /// Address of each buffer.
    bases: Vec<Val>,
    /// The memory class of each buffer.
    classes: Vec<Memory>,
    /// Value of each loop's index inside it.
    loops: Vec<Option<Val>>,
    /// Arena buffers that live in registers, by element.
    registers: FxHashMap<(BufferId, i64), Var>,
    /// Which buffers do.
    in_registers: Vec<bool>,
    /// Elements written in this stretch of code.
    written: memory::Written,
    /// Whether a loop around this one has its registers to itself.
    settled: bool,
    /// Scratch memory, after the arena.
    scratch: Val,
    scratch_bytes: usize,
    needs: Needs,
    /// The loops that threads divide.
    divided: Option<&'p Divided>,
    /// Functions beside this one, in the order of their numbers.
    extras: Vec<Extra>,
}

/// A function beside the program's own. The first has the number 1.
pub(crate) enum Extra {
    /// A part of a kernel, in Cranelift's form.
    Part(Box<Function>),
    /// Machine code of three parameters.
    Region(Vec<u8>),
}

/// Emits the whole program into `function`, whose signature is three pointers, and gives the
/// functions that it calls besides.
pub(crate) fn emit(
    program: &Program,
    isa: &dyn TargetIsa,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
) -> Result<(Needs, Vec<Extra>)> {
    let mut plans = plan_all(program);
    let mut divided = Divided::of(program, &mut plans);
    let builder = FunctionBuilder::new(function, context);
    let target = (isa.default_call_conv(), isa.frontend_config());
    let (mut code, params) = Code::begin(builder, target);
    let entry = [params[0], params[1], params[2]];
    let scratch_start = program.arena_bytes.next_multiple_of(64);
    let scratch = code.add_const(entry[2], scratch_start as i64);
    let mut emitter = Emitter::new(code, program, entry, scratch)?;
    emitter.in_registers = memory::in_registers(program, &plans);
    divided.share(program, &mut emitter.in_registers);
    emitter.divided = Some(&divided);
    emitter.declare_registers();
    emitter.body(&program.body, &mut plans.iter())?;
    // One line beyond what is used: guarded loads read it where the guard is false.
    let arena_bytes = scratch_start + emitter.scratch_bytes + 64;
    let Emitter { code, needs, extras, .. } = emitter;
    code.end();
    Ok((Needs { arena_bytes, ..needs }, extras))
}

impl<'a, 'p> Emitter<'a, 'p> {
    /// The start of a function.
    fn new(
        mut code: Code<'a>,
        program: &'p Program,
        entry: [Val; 3],
        scratch: Val,
    ) -> Result<Emitter<'a, 'p>> {
        let (bases, classes) = memory::bases(&mut code, program, entry)?;
        Ok(Emitter {
            code,
            program,
            entry,
            bases,
            classes,
            loops: vec![None; program.loops],
            registers: FxHashMap::default(),
            in_registers: vec![false; program.buffers.len()],
            written: memory::Written::default(),
            settled: false,
            scratch,
            scratch_bytes: 0,
            needs: Needs::default(),
            divided: None,
            extras: Vec::new(),
        })
    }
}

impl Emitter<'_, '_> {
    /// Puts a function beside this one; gives its number.
    fn extra(&mut self, function: Extra) -> u32 {
        self.extras.push(function);
        self.extras.len() as u32
    }

    fn body(&mut self, body: &[Stmt], plans: &mut std::slice::Iter<'_, Plan>) -> Result<()> {
        for stmt in body {
            match stmt {
                Stmt::Kernel(_) => {
                    if let Some(plan) = plans.next() {
                        self.kernel(plan)?;
                    }
                }
                Stmt::Library(library) => {
                    self.written.clear();
                    self.library(library)?;
                }
                Stmt::Loop(l) => self.counted_loop(l, plans)?,
                Stmt::While(w) => self.while_loop(w, plans)?,
                Stmt::Branch(branch) => self.branch(branch, plans)?,
            }
        }
        Ok(())
    }

    fn kernel(&mut self, plan: &Plan) -> Result<()> {
        if plan.kernel.parallel.contains(&0) {
            return Ok(());
        }
        if plan.strategy != Strategy::Unrolled {
            for store in &plan.kernel.stores {
                self.written.forget(store.buffer);
            }
        }
        if let Some(split) = plan.split {
            return self.parallel(plan, split);
        }
        match plan.strategy {
            Strategy::Unrolled => self.unrolled(plan),
            Strategy::Points | Strategy::Tiles | Strategy::Rows => self.nest(plan, None),
        }
    }

    fn counted_loop(&mut self, l: &Loop, plans: &mut std::slice::Iter<'_, Plan>) -> Result<()> {
        if l.length == 0 {
            // Its kernels still stand in the list of plans.
            for _ in 0..count_kernels(&l.body) {
                plans.next();
            }
            return Ok(());
        }
        if let Some(own) = self.divided.and_then(|divided| divided.get(l.id)) {
            return self.divided_loop(l, own, plans);
        }
        let length = l.length as i64;
        if length == 1 {
            self.loops[l.id.0 as usize] = Some(self.code.int(0));
            return self.body(&l.body, plans);
        }
        let settled = self.settle(&l.body, plans);
        let scope = self.code.open_loop(0, length, 1);
        self.loops[l.id.0 as usize] = Some(scope.index);
        let result = self.body(&l.body, plans);
        self.code.close_loop(scope);
        self.loops[l.id.0 as usize] = None;
        self.unsettle(settled);
        result
    }

    /// Gives every element of a register buffer its variable, zero at first.
    fn declare_registers(&mut self) {
        for (i, buffer) in self.program.buffers.iter().enumerate() {
            if !self.in_registers[i] {
                continue;
            }
            for element in 0..buffer.ty.size() {
                let zero = self.code.small(buffer.ty.dtype, 0);
                let var = self.code.variable(zero);
                self.registers.insert((BufferId(i as u32), element as i64), var);
            }
        }
    }
}

pub(super) fn count_kernels(body: &[Stmt]) -> usize {
    body.iter()
        .map(|stmt| match stmt {
            Stmt::Kernel(_) => 1,
            Stmt::Library(_) => 0,
            Stmt::Loop(l) => count_kernels(&l.body),
            Stmt::While(w) => count_kernels(&w.cond) + count_kernels(&w.body),
            Stmt::Branch(branch) => branch.branches.iter().map(|body| count_kernels(body)).sum(),
        })
        .sum()
}

/// The class of a buffer's memory.
fn class_of(place: &Place) -> Memory {
    match place {
        Place::Input(_) | Place::Const(_) => Memory::ReadOnly,
        Place::Output(k) => Memory::Output(*k),
        Place::Arena(_) => Memory::Arena,
    }
}

/// The type of an address.
const POINTER: cranelift_codegen::ir::Type = types::I64;
