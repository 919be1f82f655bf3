//! Results in the memory of arguments that the caller gives up: which outputs may take which
//! inputs, and the program that does so. Nothing here decides whether an argument is given up.
//!
//! An output may take the memory of an input of the same element type and size if nothing needs an
//! element of the input once the output's is written: no statement after the first that writes the
//! output reads the input, and that statement does not read it either, or is a kernel that reads
//! only the very element that the same point writes, and writes each element once.

use crate::program::*;
use smallvec::SmallVec;

/// An output that takes the memory of an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Donation {
    /// The position of the output.
    pub output: usize,
    /// The position of the input.
    pub input: usize,
}

/// Whether a call, such as of a factorisation, reads or writes a buffer. [`donate`] leaves those to
/// the address that they are given.
pub fn called(body: &[Stmt], buffer: BufferId) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Library(_) => stmt.reads(buffer),
        Stmt::Kernel(_) => false,
        Stmt::Loop(_) | Stmt::While(_) | Stmt::Branch(_) => {
            stmt.bodies().into_iter().any(|body| called(body, buffer))
        }
    })
}

/// The inputs among those `given` whose memory outputs may take, each at most one.
pub fn donations(program: &Program, given: impl Fn(usize) -> bool) -> Vec<Donation> {
    let mut found: Vec<Donation> = Vec::new();
    for (o, out) in program.buffers.iter().enumerate() {
        let Place::Output(output) = out.place else { continue };
        for (i, buffer) in program.buffers.iter().enumerate() {
            let Place::Input(input) = buffer.place else { continue };
            let fits = buffer.ty.dtype == out.ty.dtype && buffer.ty.size() == out.ty.size();
            if fits
                && given(input)
                && found.iter().all(|d| d.input != input)
                && may_take(program, BufferId(o as u32), BufferId(i as u32))
            {
                found.push(Donation { output, input });
                break;
            }
        }
    }
    found
}

/// The program for a caller who gives the same address for each output as for its input. What is
/// compiled from it may not take the two for different memory, so kernels read the output instead;
/// calls still read the input.
pub fn donate(program: &Program, donations: &[Donation]) -> Program {
    let mut program = program.clone();
    let at = |program: &Program, wanted: &dyn Fn(&Place) -> bool| {
        program.buffers.iter().position(|b| wanted(&b.place)).map(|i| BufferId(i as u32))
    };
    for donation in donations {
        let is_input = |place: &Place| matches!(place, Place::Input(k) if *k == donation.input);
        let is_output = |place: &Place| matches!(place, Place::Output(k) if *k == donation.output);
        if let (Some(from), Some(to)) = (at(&program, &is_input), at(&program, &is_output)) {
            rename(&mut program.body, from, to);
        }
    }
    program
}

fn may_take(program: &Program, output: BufferId, input: BufferId) -> bool {
    let Some(first) = program.body.iter().position(|stmt| stmt.writes(output)) else {
        return false;
    };
    let in_place = match &program.body[first] {
        Stmt::Kernel(kernel) => pointwise(kernel, output, input),
        stmt => !stmt.reads(input),
    };
    in_place && !program.body[first + 1..].iter().any(|stmt| stmt.reads(input))
}

/// Whether each point of the kernel reads of `input` only the element of `output` that it writes,
/// and no two points write one element.
fn pointwise(kernel: &Kernel, output: BufferId, input: BufferId) -> bool {
    let extents: SmallVec<[usize; 4]> =
        kernel.parallel.iter().chain(&kernel.reduce).copied().collect();
    let mut reads = kernel.exprs.iter().filter(|expr| expr.reads(input)).peekable();
    if reads.peek().is_none() {
        return true;
    }
    let mut stores = kernel.stores.iter().filter(|store| store.buffer == output);
    let (Some(store), None) = (stores.next(), stores.next()) else { return false };
    let full = |map: &IndexMap| {
        let mut map = map.clone();
        // Maps may leave trailing steps of zero away; an axis of one point has no step.
        map.axes.resize(extents.len(), 0);
        map.axes.iter_mut().zip(&extents).filter(|(_, n)| **n == 1).for_each(|(s, _)| *s = 0);
        map
    };
    let written = full(&store.index);
    store.reduce.is_none()
        && injective(&written.axes, &extents)
        && reads.all(|expr| match expr {
            Expr::Load { index, guard: None, .. } => full(index) == written,
            _ => false,
        })
}

/// Whether different points have different indices: each step leads beyond all that the smaller
/// ones reach together.
fn injective(steps: &[i64], extents: &[usize]) -> bool {
    let mut axes: SmallVec<[(u64, u64); 4]> = steps
        .iter()
        .zip(extents)
        .filter(|(_, n)| **n > 1)
        .map(|(step, n)| (step.unsigned_abs(), *n as u64 - 1))
        .collect();
    axes.sort_unstable();
    let mut reach = 0u64;
    axes.into_iter().all(|(step, last)| {
        let beyond = step > reach;
        reach = reach.saturating_add(step.saturating_mul(last));
        beyond
    })
}

impl Expr {
    fn reads(&self, buffer: BufferId) -> bool {
        match self {
            Expr::Load { buffer: b, .. } | Expr::LoadAt { buffer: b, .. } => *b == buffer,
            Expr::Literal(_)
            | Expr::Index(_)
            | Expr::Unary(..)
            | Expr::Binary(..)
            | Expr::MulAdd { .. }
            | Expr::Summand(..)
            | Expr::Compare(..)
            | Expr::Select(..)
            | Expr::Special(..)
            | Expr::Cast(_)
            | Expr::Bitcast(_) => false,
        }
    }
}

impl Stmt {
    /// Whether the statement reads of a buffer. Calls count as reading all of their arrays.
    pub fn reads(&self, buffer: BufferId) -> bool {
        let any = |body: &[Stmt]| body.iter().any(|stmt| stmt.reads(buffer));
        match self {
            Stmt::Kernel(kernel) => kernel.exprs.iter().any(|expr| expr.reads(buffer)),
            Stmt::Library(library) => library.call.views().iter().any(|v| v.buffer == buffer),
            Stmt::Loop(l) => any(&l.body),
            Stmt::While(w) => w.test == buffer || any(&w.cond) || any(&w.body),
            Stmt::Branch(branch) => {
                branch.index == buffer || branch.branches.iter().any(|body| any(body))
            }
        }
    }

    /// Whether the statement writes to a buffer. Calls count as writing all of their arrays.
    pub fn writes(&self, buffer: BufferId) -> bool {
        let any = |body: &[Stmt]| body.iter().any(|stmt| stmt.writes(buffer));
        match self {
            Stmt::Kernel(kernel) => kernel.stores.iter().any(|store| store.buffer == buffer),
            Stmt::Library(library) => library.call.views().iter().any(|v| v.buffer == buffer),
            Stmt::Loop(l) => any(&l.body),
            Stmt::While(w) => any(&w.cond) || any(&w.body),
            Stmt::Branch(branch) => branch.branches.iter().any(|body| any(body)),
        }
    }
}

/// Makes every access to a buffer one to another but for those of calls.
fn rename(body: &mut [Stmt], from: BufferId, to: BufferId) {
    let swap = |buffer: &mut BufferId| {
        if *buffer == from {
            *buffer = to;
        }
    };
    for stmt in body {
        match stmt {
            Stmt::Kernel(kernel) => {
                for expr in &mut kernel.exprs {
                    if let Expr::Load { buffer, .. } | Expr::LoadAt { buffer, .. } = expr {
                        swap(buffer);
                    }
                }
            }
            // Their arrays are given by address.
            Stmt::Library(_) => {}
            Stmt::Loop(l) => rename(&mut l.body, from, to),
            Stmt::While(w) => {
                swap(&mut w.test);
                rename(&mut w.cond, from, to);
                rename(&mut w.body, from, to);
            }
            Stmt::Branch(branch) => {
                swap(&mut branch.index);
                branch.branches.iter_mut().for_each(|body| rename(body, from, to));
            }
        }
    }
}
