//! LU factors, and what is read off them.

use super::super::Emitter;
use super::super::task::Task;
use super::dense::Form;
use super::filling::Filling;
use super::parts::{FEW, ROWS, Size, lu_parts};
use probpipe_kernels::{LU_USE_WGSL, LU_WGSL};
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};
use smallvec::smallvec;

/// Row-major matrices in a linear view.
fn matrices(view: &View, rows: usize, columns: usize) -> View {
    let mut view = view.clone();
    view.index.axes = smallvec![(rows * columns) as i64, columns as i64, 1];
    view
}

impl Emitter<'_> {
    pub(super) fn lu(
        &mut self,
        size: Size,
        input: &View,
        [lu, pivots, permutation]: [&View; 3],
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let Size { batch, m, n, .. } = size;
        let (k, chunks) = (size.steps(), m.div_ceil(ROWS));
        let half = batch * m * n;
        let work = self.scratch(self.dtype(lu), 2 * half, used);
        let best = self.scratch(DType::I32, batch * chunks, used);
        let constants = [("m", m), ("n", n), ("k", k), ("size", m * n), ("half", half)];
        let mut filling = Filling::new(LU_WGSL, location, &constants).of(self, lu);
        filling.constant("rows", ROWS);
        filling.constant("chunks", chunks);
        filling.constant("chosen", i32::from(chunks > FEW));
        filling.constant("result", k % 2 * half);
        filling.read(self, "pp_input", input);
        filling.write(self, "pp_lu", lu);
        filling.both(self, "pp_work", "pp_put_work", &work);
        filling.both(self, "pp_best", "pp_put_best", &best);
        filling.both(self, "pp_pivot", "pp_put_pivot", pivots);
        filling.both(self, "pp_permutation", "pp_put_permutation", permutation);
        self.plan(&filling, size, &lu_parts(size), tasks)
    }

    pub(super) fn lu_determinant(
        &mut self,
        Size { batch, n, .. }: Size,
        [lu, permutation, out]: [&View; 3],
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let seen = self.scratch(DType::Bool, batch * n, used);
        let mut filling = Filling::new(LU_USE_WGSL, location, &[("n", n)]).of(self, out);
        filling.read(self, "pp_factor", lu);
        filling.read(self, "pp_row", permutation);
        filling.write(self, "pp_store", out);
        filling.both(self, "pp_seen", "pp_put_seen", &seen);
        self.phase(&filling, "pp_lu_determinant", batch, tasks)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn lu_solve(
        &mut self,
        Size { batch, n, .. }: Size,
        columns: usize,
        transpose: bool,
        [lu, permutation, b, out]: [&View; 4],
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let arranged = |cx: &Self, from: &View, to: &View| {
            let constants = [("n", n), ("columns", columns)];
            let mut filling = Filling::new(LU_USE_WGSL, location, &constants).of(cx, to);
            filling.read(cx, "pp_row", permutation);
            filling.read(cx, "pp_right", from);
            filling.write(cx, "pp_store", to);
            filling
        };
        let size = batch * n * columns;
        let lower = Form { lower: true, transpose, unit_diagonal: true };
        let upper = Form { lower: false, transpose, unit_diagonal: false };
        let factors = matrices(lu, n, n);
        let solve = |cx: &mut Self, form: Form, from: &View, to: &View, tasks: &mut Vec<Task>| {
            let [from, to] = [from, to].map(|view| matrices(view, n, columns));
            cx.triangular_solve(form, batch, n, columns, [&factors, &from, &to], location, tasks)
        };
        if transpose {
            let x = self.scratch(self.dtype(out), size, used);
            solve(self, upper, b, &x, tasks)?;
            solve(self, lower, &x, &x, tasks)?;
            let filling = arranged(self, &x, out);
            return self.phase(&filling, "pp_lu_arrange_back", size, tasks);
        }
        let filling = arranged(self, b, out);
        self.phase(&filling, "pp_lu_arrange", size, tasks)?;
        solve(self, lower, out, out, tasks)?;
        solve(self, upper, out, out, tasks)
    }
}
