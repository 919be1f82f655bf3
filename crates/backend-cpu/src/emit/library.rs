//! Calls of dense linear algebra: a descriptor that lives as long as the code, and addresses.
//! Products of a matrix and a vector are direct calls of a kernel.

use super::Emitter;
use super::code::Val;
use super::memory::Coordinate;
use crate::library::{Call, Descriptor, Factors, Steps};
use crate::symbols::{self, Door};
use probpipe_lowering::{Library, LibraryCall, View};
use probpipe_trace::{ArrayType, DType, Error, ErrorKind, Result};
use std::sync::Arc;

impl Emitter<'_, '_> {
    pub(super) fn library(&mut self, library: &Library) -> Result<()> {
        match &library.call {
            call @ (LibraryCall::Scatter { .. }
            | LibraryCall::Cumulative { .. }
            | LibraryCall::Sort { .. }
            | LibraryCall::Special { .. }) => self.indexing(call),
            call @ LibraryCall::Callback { callback, .. } => {
                self.callback(call, callback, library.location)
            }
            LibraryCall::Factors { op, inputs, outputs } => {
                let types = |list: &[(View, ArrayType)]| -> Vec<ArrayType> {
                    list.iter().map(|(_, ty)| ty.clone()).collect()
                };
                let (inputs, outputs) = (types(inputs), types(outputs));
                self.write_addresses(&library.call.views())?;
                let descriptor = Arc::new(Factors { op: *op, inputs, outputs });
                let pointer = self.code.int(Arc::as_ptr(&descriptor) as i64);
                self.needs.factors.push(descriptor);
                self.code.call(symbols::factors(), &[pointer, self.scratch], None);
                Ok(())
            }
            LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out } => {
                if let Some(product) = MatrixVector::of(*m, *n, *k, lhs, rhs)
                    && let Some(kernel) = product.kernel(self.program.buffer(out.buffer).ty.dtype)
                {
                    return self.matrix_vector(*batch, &product, kernel, out);
                }
                let call = Call::Matmul {
                    m: *m,
                    n: *n,
                    k: *k,
                    x: steps(lhs),
                    y: steps(rhs),
                    out: steps(out),
                };
                self.call_library(library, *batch, call, [lhs, rhs, out])
            }
            LibraryCall::Cholesky { batch, n, input, out } => {
                let call = Call::Cholesky { n: *n, x: steps(input), out: steps(out) };
                self.call_library(library, *batch, call, [input, input, out])
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
                let call = Call::Solve {
                    n: *n,
                    columns: *columns,
                    lower: *lower,
                    transpose: *transpose,
                    unit: *unit_diagonal,
                    x: steps(a),
                    y: steps(b),
                    out: steps(out),
                };
                self.call_library(library, *batch, call, [a, b, out])
            }
        }
    }

    /// Calls a kernel for every matrix of the batch.
    fn matrix_vector(
        &mut self,
        batch: usize,
        product: &MatrixVector<'_>,
        kernel: Door,
        out: &View,
    ) -> Result<()> {
        if batch == 0 {
            return Ok(());
        }
        let scope = self.code.open_loop(0, batch as i64, 1);
        let at = [Coordinate::Index(scope.index), Coordinate::At(0), Coordinate::At(0)];
        let mut args = Vec::with_capacity(6);
        for view in [out, product.matrix, product.vector] {
            let (base, offset) = self.address(view.buffer, &view.index, &at)?;
            args.push(self.code.add_const(base, offset));
        }
        for number in [product.rows as i64, product.columns as i64, product.stride] {
            args.push(self.code.int(number));
        }
        self.code.call(kernel, &args, None);
        self.code.close_loop(scope);
        Ok(())
    }

    fn call_library(
        &mut self,
        at: &Library,
        batch: usize,
        call: Call,
        views: [&View; 3],
    ) -> Result<()> {
        let dtype = self.program.buffer(views[2].buffer).ty.dtype;
        let float_only = !matches!(call, Call::Matmul { .. });
        if !dtype.is_number() || float_only && !dtype.is_float() {
            let name = match call {
                Call::Matmul { .. } => "dot",
                Call::Cholesky { .. } => "cholesky",
                Call::Solve { .. } => "triangular_solve",
            };
            return Err(Error::new(
                ErrorKind::Backend,
                format!("the cpu backend has no `{name}` for {dtype}"),
            )
            .at(at.location)
            .help("convert the operands to a float first"));
        }
        let descriptor = Arc::new(Descriptor { dtype, batch, call });
        let pointer = self.code.int(Arc::as_ptr(&descriptor) as i64);
        self.needs.descriptors.push(descriptor);
        let mut args: Vec<Val> = vec![pointer];
        for view in views {
            let (base, offset) = self.address(view.buffer, &view.index, &[Coordinate::At(0); 3])?;
            args.push(self.code.add_const(base, offset));
        }
        self.code.call(symbols::library(), &args, None);
        Ok(())
    }
}

/// The product of a matrix, whose rows are contiguous, and a vector.
struct MatrixVector<'a> {
    matrix: &'a View,
    vector: &'a View,
    rows: usize,
    columns: usize,
    stride: i64,
    /// Whether the vector is on the left.
    left: bool,
}

impl MatrixVector<'_> {
    /// `lhs[m, k] rhs[k, n]`, if one of them is a vector and they lie as the kernels need it.
    fn of<'a>(
        m: usize,
        n: usize,
        k: usize,
        lhs: &'a View,
        rhs: &'a View,
    ) -> Option<MatrixVector<'a>> {
        let (x, y) = (steps(lhs), steps(rhs));
        // The matrix, the vector, the length of the result, the matrix's step from one element
        // of the result to the next, its step along the sum, and that of the vector.
        let (matrix, vector, length, across, along, step) = match (m, n) {
            (_, 1) => (lhs, rhs, m, x[1], x[2], y[1]),
            (1, _) => (rhs, lhs, n, y[2], y[1], x[2]),
            _ => return None,
        };
        if step != 1 && k > 1 {
            return None;
        }
        if along == 1 || k == 1 {
            let (rows, columns, stride, left) = (length, k, across, false);
            return Some(MatrixVector { matrix, vector, rows, columns, stride, left });
        }
        let (rows, columns, stride, left) = (k, length, along, true);
        (across == 1).then_some(MatrixVector { matrix, vector, rows, columns, stride, left })
    }

    fn kernel(&self, dtype: DType) -> Option<Door> {
        symbols::product(self.left, dtype)
    }
}

fn steps(view: &View) -> Steps {
    let at = |i: usize| view.index.axes.get(i).copied().unwrap_or(0);
    [at(0), at(1), at(2)]
}
