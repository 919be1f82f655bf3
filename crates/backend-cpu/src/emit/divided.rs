//! Loops of which no iteration waits for another, as lanes are that run apart from each other:
//! threads divide them. Such a loop is a function of its own (`parallel`) that does some
//! iterations. What only its statements touch lies in memory of the thread, so that iterations may
//! run at once; what they share they only read, or write each at a place of its own.

use super::{Emitter, count_kernels};
use crate::plan::Plan;
use crate::tuning::tuning;
use probpipe_lowering::{
    BufferId, Expr, IndexMap, Library, LibraryCall, Loop, LoopId, Place, Program, Stmt,
};
use probpipe_trace::Result;
use rustc_hash::FxHashMap;

/// Parts of a loop at most. They take longer than each other where conditions end loops inside.
const PARTS: usize = 256;
/// What memory of a thread is aligned to, as in the arena.
const LINE: usize = 64;
/// Bytes that a thread has for itself at most. They stay with it.
const MOST_BYTES: usize = 4 << 20;

/// The loops of a program that threads divide.
#[derive(Debug, Default)]
pub(super) struct Divided {
    loops: FxHashMap<LoopId, Own>,
    /// How often statements touch each buffer.
    touched: Vec<usize>,
}

/// What threads have of a loop for themselves.
#[derive(Debug)]
pub(super) struct Own {
    /// The buffers that nothing else touches, and where the memory of a thread has them.
    buffers: Vec<(BufferId, usize)>,
    bytes: usize,
    /// Those of them that live in registers.
    in_registers: Vec<bool>,
}

/// What a statement does to a buffer: reads it, or writes it at places of this map.
type Visit<'v> = dyn FnMut(BufferId, Option<&IndexMap>) + 'v;

impl Divided {
    /// Finds the loops that are worth it: not those of few large kernels, which threads divide
    /// themselves.
    pub fn of(program: &Program, plans: &mut [Plan]) -> Divided {
        let mut divided = Divided { touched: vec![0; program.buffers.len()], ..Divided::default() };
        touches(&program.body, &mut |buffer, _| divided.touched[buffer.0 as usize] += 1);
        divided.look(program, &program.body, &mut plans.iter_mut());
        divided
    }

    fn look(
        &mut self,
        program: &Program,
        body: &[Stmt],
        plans: &mut std::slice::IterMut<'_, Plan>,
    ) {
        for stmt in body {
            match stmt {
                Stmt::Kernel(_) => drop(plans.next()),
                Stmt::Library(_) => {}
                Stmt::Loop(l) if let Some(own) = self.own(program, l, plans.as_slice()) => {
                    plans.take(count_kernels(&l.body)).for_each(|plan| plan.split = None);
                    self.loops.insert(l.id, own);
                }
                Stmt::Loop(_) | Stmt::While(_) | Stmt::Branch(_) => {
                    for body in stmt.bodies() {
                        self.look(program, body, plans);
                    }
                }
            }
        }
    }

    /// What threads have of a loop for themselves, if they divide it.
    fn own(&self, program: &Program, l: &Loop, plans: &[Plan]) -> Option<Own> {
        // Functions of the host are called one after the other.
        let calls_host = || l.body.iter().any(|stmt| stmt.has(is_host));
        if !l.apart || l.length < 2 || calls_host() || !is_worth(program, l, plans) {
            return None;
        }
        let mut inside = FxHashMap::default();
        touches(&l.body, &mut |buffer, _| *inside.entry(buffer).or_insert(0) += 1);
        let in_arena = |buffer: BufferId| match program.buffer(buffer).place {
            Place::Arena(at) => Some(at),
            Place::Input(_) | Place::Output(_) | Place::Const(_) => None,
        };
        let alone = |buffer: BufferId| {
            in_arena(buffer).is_some()
                && inside.get(&buffer) == Some(&self.touched[buffer.0 as usize])
        };
        let mut apart = true;
        touches(&l.body, &mut |buffer, written| {
            let each = |map: &IndexMap| map.loops.iter().any(|&(id, step)| id == l.id && step != 0);
            apart &= alone(buffer) || written.is_none_or(each);
        });
        if !apart {
            return None;
        }
        let mut places: Vec<(usize, usize, BufferId)> = (inside.keys().copied())
            .filter(|&buffer| alone(buffer))
            .filter_map(|b| Some((in_arena(b)?, program.buffer(b).ty.bytes(), b)))
            .collect();
        places.sort_unstable();
        // They lie to each other as in the arena, where some share memory, without what others have
        // in between.
        let (mut buffers, mut bytes, mut end, mut gap) = (Vec::new(), 0, 0, 0);
        for (at, size, buffer) in places {
            if at >= end {
                gap = at - bytes;
            }
            end = end.max(at + size);
            bytes = (end - gap).next_multiple_of(LINE);
            buffers.push((buffer, at - gap));
        }
        (bytes <= MOST_BYTES).then_some(Own { buffers, bytes, in_registers: Vec::new() })
    }

    /// What threads have of a loop for themselves, if they divide it.
    pub fn get(&self, id: LoopId) -> Option<&Own> {
        self.loops.get(&id)
    }

    /// Takes what such loops touch out of the registers of the program's function; what is theirs
    /// alone lives in those of their own.
    pub fn share(&mut self, program: &Program, in_registers: &mut [bool]) {
        for own in self.loops.values_mut() {
            own.in_registers = vec![false; in_registers.len()];
            for &(buffer, _) in &own.buffers {
                own.in_registers[buffer.0 as usize] = in_registers[buffer.0 as usize];
            }
        }
        self.each(&program.body, &mut |l| {
            touches(&l.body, &mut |buffer, _| in_registers[buffer.0 as usize] = false);
        });
    }

    fn each(&self, body: &[Stmt], visit: &mut impl FnMut(&Loop)) {
        for stmt in body {
            match stmt {
                Stmt::Loop(l) if self.loops.contains_key(&l.id) => visit(l),
                _ => stmt.bodies().into_iter().for_each(|body| self.each(body, visit)),
            }
        }
    }
}

fn is_host(stmt: &Stmt) -> bool {
    let host = |library: &Library| matches!(library.call, LibraryCall::Callback { .. });
    matches!(stmt, Stmt::Library(library) if host(library))
}

/// Whether a loop is worth threads, and no kernel inside it.
fn is_worth(program: &Program, l: &Loop, plans: &[Plan]) -> bool {
    let (tuning, inside) = (tuning(), &plans[..count_kernels(&l.body)]);
    let step = program.work_of(&l.body);
    let work = (step.operations + step.flops) * l.length as f64;
    let small = tuning.always_threads || inside.iter().all(|plan| plan.split.is_none());
    small && work >= tuning.parallel_work as f64
}

/// Calls `visit` with every buffer that statements read or write, each time.
fn touches(body: &[Stmt], visit: &mut Visit<'_>) {
    for stmt in body {
        match stmt {
            Stmt::Kernel(kernel) => {
                for expr in &kernel.exprs {
                    if let Expr::Load { buffer, .. } | Expr::LoadAt { buffer, .. } = expr {
                        visit(*buffer, None);
                    }
                }
                kernel.stores.iter().for_each(|s| visit(s.buffer, Some(&s.index)));
            }
            Stmt::Library(library) => {
                library.call.views().into_iter().for_each(|view| visit(view.buffer, None));
                let results = library.call.results();
                results.into_iter().for_each(|view| visit(view.buffer, Some(&view.index)));
            }
            Stmt::While(w) => visit(w.test, None),
            Stmt::Branch(branch) => visit(branch.index, None),
            Stmt::Loop(_) => {}
        }
        stmt.bodies().into_iter().for_each(|body| touches(body, visit));
    }
}

impl<'p> Emitter<'_, 'p> {
    /// Emits a loop as a function, and the call that lets threads do its iterations.
    pub(super) fn divided_loop(
        &mut self,
        l: &Loop,
        own: &Own,
        plans: &mut std::slice::Iter<'_, Plan>,
    ) -> Result<()> {
        self.written.clear();
        let ids = (0..self.loops.len()).filter(|&i| self.loops[i].is_some());
        let counters: Vec<LoopId> = ids.map(|i| LoopId(i as u32)).collect();
        let scratch_bytes = self.part_function(&counters, |emitter, part| {
            let scratch = emitter.scratch;
            for &(buffer, at) in &own.buffers {
                emitter.bases[buffer.0 as usize] = emitter.code.add_const(scratch, at as i64);
            }
            emitter.scratch = emitter.code.add_const(scratch, own.bytes as i64);
            emitter.in_registers.clone_from(&own.in_registers);
            emitter.declare_registers();
            let scope = emitter.code.open_range(part.begin, part.end, 1);
            emitter.loops[l.id.0 as usize] = Some(scope.index);
            emitter.body(&l.body, plans)?;
            emitter.code.close_range(scope);
            Ok(())
        })?;
        let nothing = self.code.int(0);
        let part = l.length.div_ceil(PARTS);
        self.call_parts(nothing, &counters, [l.length, part, own.bytes + scratch_bytes]);
        Ok(())
    }
}
