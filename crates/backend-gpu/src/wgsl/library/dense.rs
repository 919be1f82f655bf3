//! Products and triangular matrices.

use super::super::Emitter;
use super::super::task::Task;
use super::super::wide::is_pair;
use super::filling::Filling;
use probpipe_kernels::{CHOLESKY_WGSL, MATMUL_WGSL, TRIANGULAR_SOLVE_WGSL};
use probpipe_lowering::View;
use probpipe_trace::{Loc, Result};

/// Products that one phase adds up: see `budget.rs`.
const SLICE: usize = 1 << 15;

/// Columns or unknowns of a block.
const PANEL: usize = 8;

/// Which triangle of a matrix is solved with, and how.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub lower: bool,
    pub transpose: bool,
    pub unit_diagonal: bool,
}

impl Emitter<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn matmul(
        &mut self,
        batch: usize,
        [m, n, k]: [usize; 3],
        lhs: &View,
        rhs: &View,
        out: &View,
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let mut filling = Filling::new(MATMUL_WGSL, location, &[("m", m), ("n", n), ("k", k)]);
        let pairs = is_pair(self.dtype(out));
        filling.constant("number", if pairs { "u32" } else { self.value_type(out) });
        filling.steps("lhs", lhs);
        filling.steps("rhs", rhs);
        filling.steps("out", out);
        filling.read(self, "pp_lhs", lhs);
        filling.read(self, "pp_rhs", rhs);
        filling.both(self, "pp_load", "pp_store", out);
        filling.constant("slice", SLICE);
        filling.constant("opaque", self.target.opaque());
        let points = batch * m.div_ceil(4) * n.div_ceil(4);
        let function = if pairs { "pp_matmul_long" } else { "pp_matmul" };
        self.repeat(k.div_ceil(SLICE).max(1), filling.location, tasks, |cx, t, tasks| {
            cx.phase_at(&filling, function, points, t, tasks)
        })
    }

    pub(super) fn cholesky(
        &mut self,
        batch: usize,
        n: usize,
        input: &View,
        out: &View,
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let constants = [("n", n), ("width", PANEL), ("square", PANEL * PANEL)];
        let mut filling = Filling::new(CHOLESKY_WGSL, location, &constants).of(self, out);
        filling.steps("input", input);
        filling.steps("out", out);
        filling.read(self, "pp_input", input);
        filling.both(self, "pp_load", "pp_store", out);
        // An invocation takes n^3 / 6 steps.
        if self.single(n, batch) && n <= 64 {
            return self.phase(&filling, "pp_cholesky", if n == 0 { 0 } else { batch }, tasks);
        }
        let panel = self.scratch(self.dtype(out), batch * n * PANEL, &mut 0);
        filling.both(self, "pp_panel", "pp_put_panel", &panel);
        self.repeat(n.div_ceil(PANEL), filling.location, tasks, |cx, t, tasks| {
            cx.phase_at(&filling, "pp_cholesky_panel", batch * n * PANEL, t, tasks)?;
            cx.phase_at(&filling, "pp_cholesky_columns", batch * n, t, tasks)
        })?;
        self.phase(&filling, "pp_cholesky_finish", batch * n * n, tasks)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn triangular_solve(
        &mut self,
        form: Form,
        batch: usize,
        n: usize,
        columns: usize,
        [a, b, out]: [&View; 3],
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let constants = [("n", n), ("columns", columns)];
        let mut filling = Filling::new(TRIANGULAR_SOLVE_WGSL, location, &constants).of(self, out);
        filling.constant("width", PANEL);
        filling.constant("forward", i32::from(form.lower != form.transpose));
        filling.constant("unit", i32::from(form.unit_diagonal));
        let mut turned = a.clone();
        if form.transpose && turned.index.axes.len() == 3 {
            turned.index.axes.swap(1, 2);
        }
        filling.steps("a", &turned);
        filling.steps("b", b);
        filling.steps("out", out);
        filling.read(self, "pp_a", a);
        filling.read(self, "pp_b", b);
        filling.both(self, "pp_load", "pp_store", out);
        if self.single(n, batch * columns) {
            let points = if n == 0 { 0 } else { batch * columns };
            return self.phase(&filling, "pp_triangular_solve", points, tasks);
        }
        let points = batch * n * columns;
        if (b.buffer, &b.index) != (out.buffer, &out.index) {
            self.phase(&filling, "pp_triangular_copy", points, tasks)?;
        }
        self.repeat(n.div_ceil(PANEL), filling.location, tasks, |cx, t, tasks| {
            cx.phase_at(&filling, "pp_triangular_block", batch * columns, t, tasks)?;
            cx.phase_at(&filling, "pp_triangular_rest", points, t, tasks)
        })
    }

    /// Whether an invocation does all of `n` unknowns or columns: they are few, or there is one for
    /// every invocation.
    fn single(&self, n: usize, points: usize) -> bool {
        let (few, many, most) =
            if self.target.software { (48, 64, 256) } else { (8, 16_384, 1024) };
        n <= few || (n <= most && points >= many)
    }
}
