//! Products and triangular matrices.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use probpipe_kernels::{CHOLESKY_WGSL, MATMUL_WGSL, TRIANGULAR_SOLVE_WGSL};
use probpipe_lowering::View;
use probpipe_trace::{Loc, Result};

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
        filling.constant("type", self.value_type(out));
        filling.steps("lhs", lhs);
        filling.steps("rhs", rhs);
        filling.steps("out", out);
        filling.read(self, "pp_lhs", lhs);
        filling.read(self, "pp_rhs", rhs);
        filling.write(self, "pp_store", out);
        self.phase(&filling, "pp_matmul", batch * m.div_ceil(4) * n.div_ceil(4), tasks)
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
        let mut filling = Filling::new(CHOLESKY_WGSL, location, &[("n", n)]);
        filling.steps("input", input);
        filling.steps("out", out);
        filling.read(self, "pp_input", input);
        filling.read(self, "pp_load", out);
        filling.write(self, "pp_store", out);
        self.phase(&filling, "pp_cholesky", if n == 0 { 0 } else { batch }, tasks)
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
        let mut filling =
            Filling::new(TRIANGULAR_SOLVE_WGSL, location, &[("n", n), ("columns", columns)]);
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
        filling.read(self, "pp_load", out);
        filling.write(self, "pp_store", out);
        let points = if n == 0 { 0 } else { batch * columns };
        self.phase(&filling, "pp_triangular_solve", points, tasks)
    }
}
