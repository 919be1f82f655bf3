//! Eigenvalues and singular values by rotations.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use super::plan::{FEW, Part, ROWS, Size};
use probpipe_kernels::{EIGH_WGSL, SVD_WGSL};
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};

/// Places and rounds in which each of `n` meets each other, and how many sweeps of them it takes:
/// each squares the distance to the end once that is small, which larger matrices are later. Hard
/// ones (graded, of low rank, with clusters) of 2 to 128 rows took 1, 3, 5, 7, 9, 10 and 13 sweeps.
struct Rounds {
    half: usize,
    rounds: usize,
    length: usize,
}

impl Rounds {
    fn new(n: usize) -> Rounds {
        let even = n.next_multiple_of(2).max(2);
        let sweeps = 4 + even.ilog2() as usize * 3 / 2;
        let length = if n < 2 { 0 } else { sweeps * (even - 1) };
        Rounds { half: even / 2, rounds: even - 1, length }
    }
}

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
        let Size { batch, n, .. } = size;
        let Rounds { half, rounds, length } = Rounds::new(n);
        let constants = [("n", n), ("half", half), ("rounds", rounds)];
        let mut filling = Filling::new(EIGH_WGSL, location, &constants);
        filling.read(self, "pp_input", input);
        filling.write(self, "pp_value", values);
        for (name, dtype, size) in [
            ("work", DType::F32, 2 * n * n),
            ("largest", DType::F32, n),
            ("power", DType::I32, 1),
            ("order", DType::I32, n),
        ] {
            let view = self.scratch(dtype, batch * size, used);
            filling.both(self, &format!("pp_{name}"), &format!("pp_put_{name}"), &view);
        }
        let mut pieces = half * half;
        match vectors {
            Some(out) => {
                let vectors = self.scratch(DType::F32, batch * n * n, used);
                filling.both(self, "pp_vector", "pp_put_vector", &vectors);
                filling.write(self, "pp_out", out);
                pieces += n * half;
            }
            None => {
                let code = "fn pp_put_vector(i: i32, v: f32) { }\n";
                filling.function("pp_put_vector", code.into());
                let code = "fn pp_vector(i: i32) -> f32 { return 0.0; }\n";
                filling.function("pp_vector", code.into());
            }
        }
        filling.constant("pieces", pieces);
        filling.constant("length", length);
        filling.constant("other", batch * n * n);
        let parts = [
            Part::Once(("pp_eigh_largest", n)),
            Part::Once(("pp_eigh_power", 1)),
            Part::Once(("pp_eigh_start", n * n)),
            Part::Repeat(length, vec![("pp_eigh_round", pieces)]),
            Part::Once(("pp_eigh_rest", n)),
            Part::Once(("pp_eigh_values", n)),
            Part::Once(("pp_eigh_vectors", if vectors.is_some() { n } else { 0 })),
        ];
        self.plan(&filling, size, &parts, tasks)
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
        let tall = Size { batch, m, n };
        let Rounds { half, rounds, length } = Rounds::new(n);
        let chunks = m.div_ceil(ROWS);
        let full = sides.is_some_and(|(full, _, _)| full);
        let k = if full { m } else { n };
        let constants = [("m", m), ("n", n), ("k", k), ("half", half), ("rounds", rounds)];
        let mut filling = Filling::new(SVD_WGSL, location, &constants);
        filling.constant("rows", ROWS);
        filling.constant("chunks", chunks);
        let many = chunks > FEW;
        filling.constant("kept", if many { 1 } else { chunks });
        filling.constant("wide", i32::from(wide));
        filling.read(self, "pp_entry", input);
        let at = if wide {
            format!("(b * {n} + j) * {m} + i")
        } else {
            format!("(b * {m} + i) * {n} + j")
        };
        let code =
            format!("fn pp_input(b: i32, i: i32, j: i32) -> f32 {{ return pp_entry({at}); }}\n");
        filling.function("pp_input", code);
        filling.write(self, "pp_value", values);
        for (name, dtype, size) in [
            ("work", DType::F32, m * n),
            ("right", DType::F32, n * n),
            ("largest", DType::F32, m),
            ("power", DType::I32, 1),
            ("dot", DType::F32, 3 * half * chunks),
            ("sum", DType::F32, chunks * k.max(1)),
            ("factor", DType::F32, 2 * k),
            ("norm", DType::F32, n),
            ("bad", DType::Bool, n),
            ("good", DType::I32, 1),
            ("order", DType::I32, n),
        ] {
            let view = self.scratch(dtype, batch * size, used);
            filling.both(self, &format!("pp_{name}"), &format!("pp_put_{name}"), &view);
        }
        let turns = vec![
            ("pp_svd_dots", half * chunks),
            ("pp_svd_sums", if many { half } else { 0 }),
            ("pp_svd_turn", half * (m + n)),
        ];
        let mut parts = vec![
            Part::Once(("pp_svd_largest", m)),
            Part::Once(("pp_svd_peaks", chunks)),
            Part::Once(("pp_svd_power", 1)),
            Part::Once(("pp_svd_start", m * n)),
            Part::Once(("pp_svd_identity", n * n)),
            Part::Repeat(length, turns),
            Part::Once(("pp_svd_squares", n * chunks)),
            Part::Once(("pp_svd_norms", n)),
            Part::Once(("pp_svd_values", n)),
        ];
        let Some((_, u, vt)) = sides else {
            return self.plan(&filling, tall, &parts, tasks);
        };
        let left = self.scratch(DType::F32, batch * m * n, used);
        let basis = self.scratch(DType::F32, batch * m * k, used);
        let unused = self.scratch(DType::F32, batch * k * n, used);
        filling.both(self, "pp_left", "pp_put_left", &left);
        filling.read(self, "pp_basis", &basis);
        let products = vec![
            ("pp_svd_dots", half * chunks),
            ("pp_svd_sums", if many { half } else { 0 }),
            ("pp_svd_check", half),
        ];
        parts.push(Part::Repeat(if n < 2 { 0 } else { rounds }, products));
        parts.push(Part::Once(("pp_svd_count", 1)));
        parts.push(Part::Once(("pp_svd_left", m * n)));
        self.plan(&filling, tall, &parts, tasks)?;
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
            let code = format!("fn {name}(b: i32, i: i32, c: i32, v: f32) {{ {line} }}\n");
            filling.function(&name, code);
        }
        let parts = [
            Part::Once(("pp_svd_tops", k * chunks)),
            Part::Once(("pp_svd_signs", k)),
            Part::Once(("pp_svd_finish_left", k * m)),
            Part::Once(("pp_svd_finish_right", n * n)),
        ];
        self.plan(&filling, tall, &parts, tasks)
    }
}
