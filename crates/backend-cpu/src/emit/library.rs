//! Calls of dense linear algebra: a descriptor that lives as long as the code, and addresses.

use super::Emitter;
use super::code::Val;
use super::memory::Coordinate;
use crate::library::{Call, Descriptor, Factors, Steps, factors, library};
use probpipe_lowering::{Library, LibraryCall, View};
use probpipe_trace::{ArrayType, Error, ErrorKind, Result};
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
                self.factors.push(descriptor);
                self.code.call(factors as *const () as usize, &[pointer, self.scratch], None);
                Ok(())
            }
            LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out } => {
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
        self.descriptors.push(descriptor);
        let mut args: Vec<Val> = vec![pointer];
        for view in views {
            let (base, offset) = self.address(view.buffer, &view.index, &[Coordinate::At(0); 3])?;
            args.push(self.code.add_const(base, offset));
        }
        self.code.call(library as *const () as usize, &args, None);
        Ok(())
    }
}

fn steps(view: &View) -> Steps {
    let at = |i: usize| view.index.axes.get(i).copied().unwrap_or(0);
    [at(0), at(1), at(2)]
}
