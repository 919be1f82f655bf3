//! Where buffers and their elements are: addresses, and the small arena buffers whose elements
//! live in registers because every access to them is at an element known now.

use super::code::{Code, Memory, Val, element_type};
use super::{Emitter, POINTER, class_of};
use crate::plan::Plan;
use probpipe_lowering::{BufferId, Expr, IndexMap, LoopId, Place, Program, Stmt};
use probpipe_trace::{Error, ErrorKind, Result};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Register buffers have at most this many elements...
const REGISTER_ELEMENTS: usize = 32;
/// ... and a program this many in all: each is a variable, which costs compile time.
const REGISTERS: usize = 4096;

/// Where an axis of the iteration space stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coordinate {
    /// At a number known now.
    At(usize),
    /// At a loop counter.
    Index(Val),
}

/// Steps with the counters of loops, as in an index map.
type LoopSteps = SmallVec<[(LoopId, i64); 2]>;

/// An element of a buffer where only the loops around the kernel are left open.
#[derive(Debug)]
pub(super) struct Element {
    buffer: BufferId,
    offset: i64,
    loops: LoopSteps,
}

/// What has just been written, so that reading it does not wait for the write. Of each buffer only
/// elements that are named with the same loops: under others the same one may have another name.
#[derive(Default, Debug)]
pub(super) struct Written {
    /// The loops of a buffer's elements, and the number under which these are kept.
    buffers: FxHashMap<BufferId, (LoopSteps, u32)>,
    values: FxHashMap<(u32, i64), Val>,
    numbers: u32,
    /// The stretch of code in which all this was written.
    stretch: u32,
}

impl Written {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.buffers.clear();
        self.values.clear();
    }

    /// What is known in this stretch of code: nothing where another has begun.
    fn within(&mut self, stretch: u32) -> &mut Written {
        if self.stretch != stretch {
            self.clear();
            self.stretch = stretch;
        }
        self
    }

    /// Forgets a buffer.
    pub(super) fn forget(&mut self, buffer: BufferId) {
        self.buffers.remove(&buffer);
    }

    fn note(&mut self, element: Element, value: Val) {
        let number = match self.buffers.get(&element.buffer) {
            Some((loops, number)) if *loops == element.loops => *number,
            _ => {
                self.numbers += 1;
                self.buffers.insert(element.buffer, (element.loops, self.numbers));
                self.numbers
            }
        };
        self.values.insert((number, element.offset), value);
    }

    fn get(&self, element: &Element) -> Option<Val> {
        let (loops, number) = self.buffers.get(&element.buffer)?;
        let value = self.values.get(&(*number, element.offset))?;
        (*loops == element.loops).then_some(*value)
    }
}

/// The element that a map names at a point, if the point is known.
fn element(buffer: BufferId, map: &IndexMap, at: &[Coordinate]) -> Option<Element> {
    let mut offset = map.offset;
    for (&step, coordinate) in map.axes.iter().zip(at) {
        match *coordinate {
            _ if step == 0 => {}
            Coordinate::At(value) => offset += value as i64 * step,
            Coordinate::Index(_) => return None,
        }
    }
    Some(Element { buffer, offset, loops: map.loops.clone() })
}

/// The addresses of all buffers, and their memory classes.
pub(super) fn bases(
    code: &mut Code<'_>,
    program: &Program,
    [inputs, outputs, arena]: [Val; 3],
) -> Result<(Vec<Val>, Vec<Memory>)> {
    let mut bases = Vec::with_capacity(program.buffers.len());
    for buffer in &program.buffers {
        bases.push(match &buffer.place {
            Place::Input(k) => code.load(Memory::ReadOnly, POINTER, inputs, 8 * *k as i64),
            Place::Output(k) => code.load(Memory::ReadOnly, POINTER, outputs, 8 * *k as i64),
            // The executable keeps the value, and its buffer never moves.
            Place::Const(value) => {
                let bytes = value.to_host()?.bytes();
                code.int(bytes.as_ptr() as i64)
            }
            Place::Arena(at) => code.add_const(arena, *at as i64),
        });
    }
    let classes = program.buffers.iter().map(|b| class_of(&b.place)).collect();
    Ok((bases, classes))
}

/// Which buffers live in registers: small ones in the arena that only kernels touch, always at
/// elements known now.
pub(super) fn in_registers(program: &Program, plans: &[Plan]) -> Vec<bool> {
    let mut fits: Vec<bool> = program
        .buffers
        .iter()
        .map(|b| matches!(b.place, Place::Arena(_)) && b.ty.size() <= REGISTER_ELEMENTS)
        .collect();
    for plan in plans {
        for (expr, live) in plan.kernel.exprs.iter().zip(&plan.live) {
            match expr {
                // Other threads read memory.
                Expr::Load { buffer, .. } if plan.split.is_some() => {
                    fits[buffer.0 as usize] = false;
                }
                Expr::Load { buffer, index, .. } if *live && !plan.is_fixed(index) => {
                    fits[buffer.0 as usize] = false;
                }
                Expr::LoadAt { buffer, .. } => fits[buffer.0 as usize] = false,
                _ => {}
            }
        }
        for store in &plan.kernel.stores {
            if !plan.is_fixed_store(store) || plan.split.is_some() {
                fits[store.buffer.0 as usize] = false;
            }
        }
    }
    library_buffers(&program.body, &mut |b| fits[b.0 as usize] = false);
    let mut left = REGISTERS;
    for (fit, buffer) in fits.iter_mut().zip(&program.buffers) {
        *fit &= buffer.ty.size() <= left;
        if *fit {
            left -= buffer.ty.size();
        }
    }
    fits
}

fn library_buffers(body: &[Stmt], visit: &mut impl FnMut(BufferId)) {
    for stmt in body {
        match stmt {
            Stmt::Kernel(_) => {}
            Stmt::Loop(l) => library_buffers(&l.body, visit),
            Stmt::While(w) => {
                library_buffers(&w.cond, visit);
                library_buffers(&w.body, visit);
            }
            Stmt::Branch(branch) => {
                branch.branches.iter().for_each(|body| library_buffers(body, visit));
            }
            Stmt::Library(library) => {
                library.call.views().into_iter().for_each(|view| visit(view.buffer));
            }
        }
    }
}

impl Emitter<'_, '_> {
    /// An index map at a point: the part known now, and the rest if there is any, both scaled.
    pub(super) fn index_at(
        &mut self,
        map: &IndexMap,
        at: &[Coordinate],
        scale: i64,
        start: Option<Val>,
    ) -> Result<(i64, Option<Val>)> {
        let mut known = map.offset * scale;
        let mut rest = start;
        let mut term = |code: &mut Code<'_>, index: Val, step: i64| {
            let product = code.mul_const(index, step);
            rest = Some(rest.map_or(product, |sum| code.add(sum, product)));
        };
        for &(id, step) in &map.loops {
            let Some(index) = self.loops.get(id.0 as usize).copied().flatten() else {
                return Err(Error::new(
                    ErrorKind::Internal,
                    format!("a kernel outside of loop {id} uses its index"),
                ));
            };
            match self.code.known_int(index) {
                Some(value) => known += value * step * scale,
                None => term(&mut self.code, index, step * scale),
            }
        }
        // Outer axes first: what they add up to does not change in the inner loops.
        for (&step, coordinate) in map.axes.iter().zip(at) {
            match *coordinate {
                _ if step == 0 => {}
                Coordinate::At(value) => known += value as i64 * step * scale,
                Coordinate::Index(index) => match self.code.known_int(index) {
                    Some(value) => known += value * step * scale,
                    None => term(&mut self.code, index, step * scale),
                },
            }
        }
        Ok((known, rest))
    }

    /// The address of an element: a base and a displacement in bytes.
    pub(super) fn address(
        &mut self,
        buffer: BufferId,
        map: &IndexMap,
        at: &[Coordinate],
    ) -> Result<(Val, i64)> {
        let size = self.program.buffer(buffer).ty.dtype.size() as i64;
        let base = self.bases[buffer.0 as usize];
        let (known, address) = self.index_at(map, at, size, Some(base))?;
        Ok((address.unwrap_or(base), known))
    }

    /// Reads one element.
    pub(super) fn load(
        &mut self,
        buffer: BufferId,
        map: &IndexMap,
        at: &[Coordinate],
        guard: Option<Val>,
    ) -> Result<Val> {
        let ty = &self.program.buffer(buffer).ty;
        let register = element_type(ty.dtype);
        if self.in_registers[buffer.0 as usize] {
            let (element, _) = self.index_at(map, at, 1, None)?;
            return Ok(match self.registers.get(&(buffer, element)).copied() {
                Some(var) => self.code.get(var),
                // Beyond the end, where the guard must be false.
                None => self.code.small(ty.dtype, 0),
            });
        }
        if guard.is_none()
            && let Some(element) = element(buffer, map, at)
            && let Some(value) = self.written.within(self.code.stretch()).get(&element)
        {
            return Ok(value);
        }
        let ty = &self.program.buffer(buffer).ty;
        let class = self.classes[buffer.0 as usize];
        let (base, offset) = self.address(buffer, map, at)?;
        let Some(guard) = guard else {
            return Ok(self.code.load(class, register, base, offset));
        };
        let bytes = ty.bytes() as i64;
        let dtype = ty.dtype;
        if base == self.bases[buffer.0 as usize] && !(0..bytes).contains(&offset) {
            return Ok(self.code.small(dtype, 0));
        }
        // Without a branch: where the guard is false, read scratch memory and take zero.
        let address = self.code.add_const(base, offset);
        let address = self.code.choose(guard, address, self.scratch);
        let value = self.code.load(class, register, address, 0);
        let zero = self.code.small(dtype, 0);
        Ok(self.code.choose(guard, value, zero))
    }

    /// Writes one element.
    pub(super) fn store(
        &mut self,
        buffer: BufferId,
        map: &IndexMap,
        at: &[Coordinate],
        value: Val,
    ) -> Result<()> {
        if self.in_registers[buffer.0 as usize] {
            let (element, _) = self.index_at(map, at, 1, None)?;
            if let Some(var) = self.registers.get(&(buffer, element)).copied() {
                self.code.set(var, value);
            }
            return Ok(());
        }
        let (base, offset) = self.address(buffer, map, at)?;
        self.code.store(self.classes[buffer.0 as usize], value, base, offset);
        match element(buffer, map, at) {
            Some(element) => self.written.within(self.code.stretch()).note(element, value),
            None => self.written.forget(buffer),
        }
        Ok(())
    }
}
