//! Eigenvalues and singular values by rotations.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use super::parts::{FEW, ROWS, Rounds, Size, eigh_parts, svd_parts, svd_side_parts};
use probpipe_kernels::{EIGH_WGSL, SVD_WGSL};
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};

impl Emitter<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn eigh(
        &mut self,
        size: Size,
        input: &View,
        values: &View,
        vectors: Option<&View>,
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let Size { batch, n, double, .. } = size;
        let Rounds { half, rounds, length } = Rounds::new(n, double);
        let constants = [("n", n), ("half", half), ("rounds", rounds)];
        let mut filling = Filling::new(EIGH_WGSL, location, &constants).of(self, values);
        let (float, ty) = (self.dtype(values), self.value_type(values));
        filling.read(self, "pp_input", input);
        filling.write(self, "pp_value", values);
        for (name, dtype, size) in [
            ("work", float, 2 * n * n),
            ("largest", float, n),
            ("power", DType::I32, 1),
            ("order", DType::I32, n),
        ] {
            let view = self.scratch(dtype, batch * size, used);
            filling.both(self, &format!("pp_{name}"), &format!("pp_put_{name}"), &view);
        }
        let mut pieces = half * half;
        match vectors {
            Some(out) => {
                let vectors = self.scratch(float, batch * n * n, used);
                filling.both(self, "pp_vector", "pp_put_vector", &vectors);
                filling.write(self, "pp_out", out);
                pieces += n * half;
            }
            None => {
                let code = format!("fn pp_put_vector(i: i32, v: {ty}) {{ }}\n");
                filling.function("pp_put_vector", code);
                let code = format!("fn pp_vector(i: i32) -> {ty} {{ return {ty}(); }}\n");
                filling.function("pp_vector", code);
            }
        }
        filling.constant("pieces", pieces);
        filling.constant("length", length);
        filling.constant("other", batch * n * n);
        self.plan(&filling, size, &eigh_parts(size, vectors.is_some()), tasks)
    }

    /// With `sides`: whether the bases are full, and the left and the right vectors.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn svd(
        &mut self,
        size: Size,
        input: &View,
        values: &View,
        sides: Option<(bool, &View, &View)>,
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let wide = size.m < size.n;
        let batch = size.batch;
        let (m, n) = (size.m.max(size.n), size.m.min(size.n));
        let tall = Size { m, n, ..size };
        let Rounds { half, rounds, .. } = Rounds::new(n, size.double);
        let chunks = m.div_ceil(ROWS);
        let full = sides.is_some_and(|(full, _, _)| full);
        let k = if full { m } else { n };
        let constants = [("m", m), ("n", n), ("k", k), ("half", half), ("rounds", rounds)];
        let mut filling = Filling::new(SVD_WGSL, location, &constants).of(self, values);
        let (float, ty) = (self.dtype(values), self.value_type(values));
        filling.constant("rows", ROWS);
        filling.constant("chunks", chunks);
        filling.constant("kept", if chunks > FEW { 1 } else { chunks });
        filling.constant("wide", i32::from(wide));
        filling.read(self, "pp_entry", input);
        let at = if wide {
            format!("(b * {n} + j) * {m} + i")
        } else {
            format!("(b * {m} + i) * {n} + j")
        };
        let code =
            format!("fn pp_input(b: i32, i: i32, j: i32) -> {ty} {{ return pp_entry({at}); }}\n");
        filling.function("pp_input", code);
        filling.write(self, "pp_value", values);
        for (name, dtype, size) in [
            ("work", float, m * n),
            ("right", float, n * n),
            ("largest", float, m),
            ("power", DType::I32, 1),
            ("dot", float, 3 * half * chunks),
            ("sum", float, chunks * k.max(1)),
            ("factor", float, 2 * k),
            ("norm", float, n),
            ("bad", DType::Bool, n),
            ("good", DType::I32, 1),
            ("order", DType::I32, n),
        ] {
            let view = self.scratch(dtype, batch * size, used);
            filling.both(self, &format!("pp_{name}"), &format!("pp_put_{name}"), &view);
        }
        let Some((_, u, vt)) = sides else {
            return self.plan(&filling, tall, &svd_parts(tall, false), tasks);
        };
        let left = self.scratch(float, batch * m * n, used);
        let basis = self.scratch(float, batch * m * k, used);
        let unused = self.scratch(float, batch * k * n, used);
        filling.both(self, "pp_left", "pp_put_left", &left);
        filling.read(self, "pp_basis", &basis);
        self.plan(&filling, tall, &svd_parts(tall, true), tasks)?;
        // Columns of zeros, which come last, are not reflected: there Q completes the others.
        self.qr(tall, k, [&left, &basis, &unused], location, used, tasks)?;

        filling.write(self, "pp_store_u", u);
        filling.write(self, "pp_store_vt", vt);
        // U has its vectors as columns, V^T as rows; of a transpose the sides change.
        let column = |name: &str, rows: usize, width: usize| {
            format!("pp_store_{name}((b * {rows} + i) * {width} + c, v);")
        };
        let row = |name: &str, rows: usize, width: usize| {
            format!("pp_store_{name}((b * {rows} + c) * {width} + i, v);")
        };
        let (left, right) = if wide {
            (row("vt", k, m), column("u", n, n))
        } else {
            (column("u", m, k), row("vt", n, n))
        };
        for (name, line) in [("left", left), ("right", right)] {
            let name = format!("pp_out_{name}");
            let code = format!("fn {name}(b: i32, i: i32, c: i32, v: {ty}) {{ {line} }}\n");
            filling.function(&name, code);
        }
        self.plan(&filling, tall, &svd_side_parts(tall, k), tasks)
    }
}
