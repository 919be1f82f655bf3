//! Library calls: the templates of `kernels/wgsl` with their constants filled in and functions
//! that read and write the operands put before them. The algorithms are in the templates.

use super::expr::Scope;
use super::task::{Task, Work};
use super::{Emitter, Text, Uses};
use probpipe_kernels::{CHOLESKY_WGSL, MATMUL_WGSL, TRIANGULAR_SOLVE_WGSL};
use probpipe_lowering::{IndexMap, Kernel, Library, LibraryCall, View};
use probpipe_trace::{Error, ErrorKind, Loc, Result};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// A template under way.
struct Filling {
    source: String,
    /// Functions that the template calls.
    accessors: Text,
    uses: Uses,
}

impl Filling {
    fn new(template: &str, constants: &[(&str, i64)]) -> Filling {
        let mut filling = Filling {
            source: template.to_string(),
            accessors: Text::default(),
            uses: Uses::default(),
        };
        for (name, value) in constants {
            filling.constant(name, *value);
        }
        filling
    }

    fn constant(&mut self, name: &str, value: i64) {
        self.source = self.source.replace(&format!("{{{{{name}}}}}"), &value.to_string());
    }

    /// Fills in a view's steps as `{name}_batch`, `{name}_row` and `{name}_column`.
    fn steps(&mut self, name: &str, view: &View) {
        for (axis, what) in ["batch", "row", "column"].iter().enumerate() {
            let step = view.index.axes.get(axis).copied().unwrap_or(0);
            self.constant(&format!("{name}_{what}"), step);
        }
    }

    fn reader(&mut self, function: &str, scope: &Scope<'_>, view: &View) {
        let value = scope.read(view.buffer, &linear(view), &mut self.uses);
        self.accessors.line(format_args!("fn {function}(i: i32) -> f32 {{ return {value}; }}"));
    }

    fn writer(&mut self, function: &str, scope: &Scope<'_>, view: &View) {
        self.accessors.open(format_args!("fn {function}(i: i32, v: f32) {{"));
        scope.write(view.buffer, &linear(view), "v", &mut self.accessors, &mut self.uses);
        self.accessors.close();
    }
}

/// The fault of a graph that was lowered without the check against `Gpu::CAPS`.
pub(super) fn unchecked(location: Loc) -> Error {
    Error::new(ErrorKind::Internal, "a program has work that shaders do not run").at(location)
}

/// The element of a view at the linear index `i` that the template computes.
fn linear(view: &View) -> IndexMap {
    IndexMap { axes: smallvec![1], ..view.index.clone() }
}

impl Emitter<'_> {
    pub(super) fn library(&mut self, library: &Library, tasks: &mut Vec<Task>) -> Result<()> {
        let registers = FxHashMap::default();
        let nothing: SmallVec<[usize; 4]> = SmallVec::new();
        let kernel = Kernel {
            parallel: nothing.clone(),
            reduce: nothing,
            exprs: Vec::new(),
            types: Vec::new(),
            stores: Vec::new(),
            location: library.location,
            lines: smallvec::smallvec![library.location],
        };
        let scope = Scope {
            memory: &self.memory,
            kernel: &kernel,
            axes: vec![Some("i".into())],
            registers: &registers,
            lane: None,
        };
        for view in library.call.views() {
            let dtype = self.memory.span(view.buffer).dtype;
            if dtype != probpipe_trace::DType::F32 {
                return Err(Error::new(
                    ErrorKind::Backend,
                    format!("the gpu backend multiplies and factors f32 arrays, not {dtype}"),
                )
                .at(library.location)
                .help("cast the operands to f32, or run the program on the CPU"));
            }
        }
        let (mut filling, points) = match &library.call {
            LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out } => {
                let extents = [("m", *m as i64), ("n", *n as i64), ("k", *k as i64)];
                let mut filling = Filling::new(MATMUL_WGSL, &extents);
                filling.steps("lhs", lhs);
                filling.steps("rhs", rhs);
                filling.steps("out", out);
                filling.reader("pp_lhs", &scope, lhs);
                filling.reader("pp_rhs", &scope, rhs);
                filling.writer("pp_store", &scope, out);
                (filling, batch * m.div_ceil(4) * n.div_ceil(4))
            }
            LibraryCall::Cholesky { batch, n, input, out } => {
                let mut filling = Filling::new(CHOLESKY_WGSL, &[("n", *n as i64)]);
                filling.steps("input", input);
                filling.steps("out", out);
                filling.reader("pp_input", &scope, input);
                filling.reader("pp_load", &scope, out);
                filling.writer("pp_store", &scope, out);
                (filling, if *n == 0 { 0 } else { *batch })
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
                let extents = [
                    ("n", *n as i64),
                    ("columns", *columns as i64),
                    ("forward", i64::from(lower != transpose)),
                    ("unit", i64::from(*unit_diagonal)),
                ];
                let mut filling = Filling::new(TRIANGULAR_SOLVE_WGSL, &extents);
                let mut turned = a.clone();
                if *transpose && turned.index.axes.len() == 3 {
                    turned.index.axes.swap(1, 2);
                }
                filling.steps("a", &turned);
                filling.steps("b", b);
                filling.steps("out", out);
                filling.reader("pp_a", &scope, a);
                filling.reader("pp_b", &scope, b);
                filling.reader("pp_load", &scope, out);
                filling.writer("pp_store", &scope, out);
                (filling, if *n == 0 { 0 } else { batch * columns })
            }
            LibraryCall::Scatter { .. }
            | LibraryCall::Cumulative { .. }
            | LibraryCall::Sort { .. }
            | LibraryCall::Special { .. }
            | LibraryCall::Callback { .. }
            | LibraryCall::Factors { .. } => return Err(unchecked(library.location)),
        };
        if points == 0 {
            return Ok(());
        }
        filling.uses.code = format!("{}{}", filling.accessors.out, filling.source);
        let mut body = Text { depth: 1, ..Text::default() };
        body.line(format_args!("pp_library(point);"));
        tasks.push(Task::Work(Work::new(body, filling.uses, points, library.location)));
        Ok(())
    }
}
