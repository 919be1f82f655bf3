//! Library calls: which templates of `kernels/wgsl` they take, by family. A call is one phase or
//! several in order, each a function of a point that does not depend on the other points of its
//! phase; nothing waits inside a phase. The algorithms are in the templates.

mod cumulative;
mod dense;
mod elimination;
mod filling;
mod joining;
mod orthogonal;
pub(super) mod parts;
mod plan;
mod scatter;
mod sort;
mod spectral;

use super::Emitter;
use super::task::Task;
use dense::Form;
use parts::Size;
use probpipe_lowering::{Library, LibraryCall, View};
use probpipe_trace::op::Vectors;
use probpipe_trace::{ArrayType, Error, ErrorKind, LinalgOp, Loc, Result};

/// The fault of a graph that was lowered without the check against `Gpu::CAPS`.
pub(super) fn unchecked(location: Loc) -> Error {
    Error::new(ErrorKind::Internal, "a program has work that shaders do not run").at(location)
}

impl Emitter<'_> {
    pub(super) fn library(&mut self, library: &Library, tasks: &mut Vec<Task>) -> Result<()> {
        let at = library.location;
        match &library.call {
            LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out } => {
                self.matmul(*batch, [*m, *n, *k], lhs, rhs, out, at, tasks)
            }
            LibraryCall::Cholesky { batch, n, input, out } => {
                self.cholesky(*batch, *n, input, out, at, tasks)
            }
            LibraryCall::TriangularSolve {
                batch,
                n,
                columns,
                lower,
                transpose,
                unit_diagonal,
                a,
                b,
                out,
            } => {
                let form =
                    Form { lower: *lower, transpose: *transpose, unit_diagonal: *unit_diagonal };
                self.triangular_solve(form, *batch, *n, *columns, [a, b, out], at, tasks)
            }
            LibraryCall::Scatter { op, dims, input, indices, updates, out } => {
                self.scatter(*op, dims, input, indices, updates, out, at, tasks)
            }
            LibraryCall::Cumulative { op, extents, reverse, input, out } => {
                self.cumulative(*op, *extents, *reverse, input, out, at, tasks)
            }
            LibraryCall::Sort { extents, num_keys, inputs, outputs } => {
                self.sort(*extents, *num_keys, inputs, outputs, at, tasks)
            }
            LibraryCall::Factors { op, inputs, outputs } => {
                self.factors(*op, inputs, outputs, at, tasks)
            }
            LibraryCall::Special { .. } | LibraryCall::Callback { .. } => Err(unchecked(at)),
        }
    }

    fn factors(
        &mut self,
        op: LinalgOp,
        inputs: &[(View, ArrayType)],
        outputs: &[(View, ArrayType)],
        at: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let size = Size::of(&inputs[0].1);
        let (input, out) = (&inputs[0].0, |i: usize| &outputs[i].0);
        let used = &mut 0;
        match op {
            LinalgOp::Lu => self.lu(size, input, [out(0), out(1), out(2)], at, used, tasks),
            LinalgOp::LuDet => {
                self.lu_determinant(size, [&inputs[1].0, &inputs[2].0, out(0)], at, used, tasks)
            }
            LinalgOp::LuSolve { transpose } => {
                let columns = Size::of(&inputs[3].1).n;
                let operands = [&inputs[1].0, &inputs[2].0, &inputs[3].0, out(0)];
                self.lu_solve(size, columns, transpose, operands, at, used, tasks)
            }
            LinalgOp::Qr { full } => {
                let k = if full { size.m } else { size.m.min(size.n) };
                self.qr(size, k, [input, out(0), out(1)], at, used, tasks)
            }
            LinalgOp::Eigh { vectors } => {
                let vectors = vectors.then(|| out(1));
                self.eigh(size, input, out(0), vectors, at, used, tasks)
            }
            LinalgOp::Svd { vectors: Vectors::None } => {
                self.svd(size, input, out(0), None, at, used, tasks)
            }
            LinalgOp::Svd { vectors } => {
                let sides = Some((vectors == Vectors::Full, out(0), out(2)));
                self.svd(size, input, out(1), sides, at, used, tasks)
            }
            // Calls of their own.
            LinalgOp::Cholesky | LinalgOp::TriangularSolve { .. } => Err(unchecked(at)),
        }
    }
}
