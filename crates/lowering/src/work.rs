//! How much a program does: what it moves, how often it begins anew, what it computes. Counts, from
//! which a time can be guessed on any device; no time, and nothing of a device.

use crate::program::*;
use probpipe_trace::LaneForm;
use probpipe_trace::op::UnaryInstruction;

/// Iterations of a loop of which only its running tells how many.
const ITERATIONS: f64 = 16.0;
/// Elementary functions are polynomials of about so many operations, and special ones sums.
const ELEMENTARY: f64 = 12.0;
const SPECIAL: f64 = 100.0;
/// Points that an instruction does at once.
const VECTOR: f64 = 8.0;

/// What one call of a program does.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Work {
    /// Bytes of arguments and results.
    pub moved: f64,
    /// Kernels and calls, as often as they run.
    pub launches: f64,
    /// Iterations of loops that ask whether to go on.
    pub asked: f64,
    /// Elementwise operations.
    pub operations: f64,
    /// Bytes of arrays that kernels read and write.
    pub touched: f64,
    /// Multiplications and additions of dense linear algebra.
    pub flops: f64,
    /// Operations that wait for each other, of lanes each by itself: of one where they run at once,
    /// of all where they run one after the other.
    pub alone: f64,
}

impl Program {
    /// What one call does. Of branches the dearest is taken, of conditional loops some iterations.
    /// Lanes with loops of their own are one launch where they run apart, and in groups.
    pub fn work(&self, lanes: LaneForm) -> Work {
        let mut work = Counting { program: self, lanes, grouped: false }.all(&self.body);
        for buffer in &self.buffers {
            if matches!(buffer.place, Place::Input(_) | Place::Output(_)) {
                work.moved += buffer.ty.bytes() as f64;
            }
        }
        work
    }
}

impl Program {
    /// What statements of it do, lanes one after the other.
    pub fn work_of(&self, body: &[Stmt]) -> Work {
        Counting { program: self, lanes: LaneForm::InStep, grouped: false }.all(body)
    }
}

/// The statements of a program, and how lanes run.
struct Counting<'a> {
    program: &'a Program,
    lanes: LaneForm,
    /// Of a group of lanes.
    grouped: bool,
}

impl Counting<'_> {
    fn all(&self, body: &[Stmt]) -> Work {
        body.iter().fold(Work::default(), |sum, stmt| sum.plus(self.statement(stmt)))
    }

    fn statement(&self, stmt: &Stmt) -> Work {
        match stmt {
            Stmt::Kernel(kernel) => self.kernel(kernel),
            Stmt::Library(library) => self.library(&library.call),
            Stmt::Loop(l) if l.apart && stmt.has(|s| matches!(s, Stmt::While(_))) => self.over(l),
            Stmt::Loop(l) => self.all(&l.body).times(l.length as f64),
            Stmt::While(w) => {
                let asked = Work { asked: 1.0, ..Work::default() };
                self.all(&w.cond).plus(self.all(&w.body)).plus(asked).times(ITERATIONS)
            }
            Stmt::Branch(branch) => {
                let branches = branch.branches.iter().map(|body| self.all(body));
                branches.fold(Work::default(), Work::most)
            }
        }
    }

    /// A loop over lanes of which only their running tells how long they take.
    fn over(&self, l: &Loop) -> Work {
        let length = l.length as f64;
        match self.lanes {
            LaneForm::InStep | LaneForm::AsWritten => self.all(&l.body).times(length),
            LaneForm::Grouped => {
                let all = Counting { grouped: true, ..*self }.all(&l.body).times(length);
                Work { launches: 1.0, asked: 1.0, ..all }
            }
            LaneForm::Apart => {
                let one = self.all(&l.body);
                let alone = one.operations + one.flops + one.alone;
                let all = one.times(length);
                let operations = all.operations + all.flops;
                Work { launches: 1.0, asked: 1.0, operations, flops: 0.0, alone, ..all }
            }
        }
    }

    fn kernel(&self, kernel: &Kernel) -> Work {
        let points = kernel.parallel_size() as f64;
        let visited = points * kernel.reduce_size() as f64;
        let (mut operations, mut touched) = (0.0, 0.0);
        for (expr, ty) in kernel.exprs.iter().zip(&kernel.types) {
            match expr {
                Expr::Literal(_) | Expr::Index(_) => {}
                Expr::Load { .. } | Expr::LoadAt { .. } => touched += ty.size() as f64,
                Expr::Special(..) => operations += SPECIAL,
                Expr::Unary(op, _) => {
                    let one: Option<UnaryInstruction> = op.instruction();
                    operations += one.map_or(ELEMENTARY, |_| 1.0);
                }
                Expr::Binary(op, ..) => operations += op.instruction().map_or(ELEMENTARY, |_| 1.0),
                Expr::MulAdd { .. } => operations += 2.0,
                Expr::Summand(..)
                | Expr::Compare(..)
                | Expr::Select(..)
                | Expr::Cast(_)
                | Expr::Bitcast(_) => operations += 1.0,
            }
        }
        let mut work = Work { launches: 1.0, ..Work::default() };
        for store in &kernel.stores {
            let often = if store.reduce.is_some() { points } else { visited };
            operations += if store.reduce.is_some() { 1.0 } else { 0.0 };
            work.touched += often * kernel.ty(store.value).size() as f64;
        }
        work.operations += visited * operations;
        if self.grouped {
            work.alone = work.operations / points.clamp(1.0, VECTOR);
        }
        work.touched += visited * touched;
        work
    }

    fn library(&self, call: &LibraryCall) -> Work {
        let launches = 1.0;
        let sizes =
            call.views().into_iter().map(|v| self.program.buffer(v.buffer).ty.bytes() as f64);
        let touched = sizes.sum::<f64>();
        let cube = |n: usize| (n as f64).powi(3);
        let (flops, operations) = match call {
            LibraryCall::Matmul { batch, m, n, k, .. } => {
                (2.0 * *batch as f64 * *m as f64 * *n as f64 * *k as f64, 0.0)
            }
            LibraryCall::Cholesky { batch, n, .. } => (*batch as f64 * cube(*n) / 3.0, 0.0),
            LibraryCall::TriangularSolve { batch, n, columns, .. } => {
                (*batch as f64 * (*n as f64).powi(2) * *columns as f64, 0.0)
            }
            LibraryCall::Factors { inputs, .. } => {
                let matrices = inputs.iter().map(|(_, ty)| match ty.shape[..] {
                    [.., m, n] => ty.size() as f64 * m.min(n) as f64,
                    _ => ty.size() as f64,
                });
                (8.0 * matrices.fold(0.0, f64::max), 0.0)
            }
            LibraryCall::Scatter { .. } | LibraryCall::Callback { .. } => (0.0, touched),
            LibraryCall::Cumulative { extents, .. } => (0.0, product(extents)),
            LibraryCall::Special { size, .. } => (0.0, *size as f64 * SPECIAL),
            LibraryCall::Sort { extents, .. } => {
                (0.0, product(extents) * (extents[1].max(2) as f64).log2() * 4.0)
            }
        };
        Work { launches, operations, touched, flops, ..Work::default() }
    }
}

fn product(extents: &[usize]) -> f64 {
    extents.iter().map(|&n| n as f64).product()
}

impl Work {
    fn each(self, other: Work, f: impl Fn(f64, f64) -> f64) -> Work {
        Work {
            moved: f(self.moved, other.moved),
            launches: f(self.launches, other.launches),
            asked: f(self.asked, other.asked),
            operations: f(self.operations, other.operations),
            touched: f(self.touched, other.touched),
            flops: f(self.flops, other.flops),
            alone: f(self.alone, other.alone),
        }
    }

    fn plus(self, other: Work) -> Work {
        self.each(other, |a, b| a + b)
    }

    fn most(self, other: Work) -> Work {
        self.each(other, f64::max)
    }

    fn times(self, count: f64) -> Work {
        self.each(self, |a, _| a * count)
    }
}
