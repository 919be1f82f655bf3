//! Library calls: which templates of `kernels/wgsl` they take, by family. A call is one phase or
//! several in order, each a function of a point that does not depend on the other points of its
//! phase; nothing waits inside a phase. The algorithms are in the templates.

mod cumulative;
mod dense;
mod filling;
mod joining;
mod scatter;
mod sort;

use super::Emitter;
use super::task::Task;
use dense::Form;
use probpipe_lowering::{Library, LibraryCall};
use probpipe_trace::{Error, ErrorKind, Loc, Result};

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
            LibraryCall::Special { .. }
            | LibraryCall::Callback { .. }
            | LibraryCall::Factors { .. } => Err(unchecked(at)),
        }
    }
}
