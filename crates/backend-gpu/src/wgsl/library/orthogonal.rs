//! QR factors by reflections.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use super::parts::{FEW, ROWS, Size, qr_parts};
use probpipe_kernels::QR_WGSL;
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};

impl Emitter<'_> {
    /// `k` columns of Q and rows of R, at least as many as there are reflections.
    pub(super) fn qr(
        &mut self,
        size: Size,
        k: usize,
        [input, q, r]: [&View; 3],
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let Size { batch, m, n, .. } = size;
        let (count, chunks) = (size.steps(), m.div_ceil(ROWS));
        let constants = [("m", m), ("n", n), ("k", k), ("size", m * n), ("steps", count)];
        let mut filling = Filling::new(QR_WGSL, location, &constants).of(self, r);
        let float = self.dtype(r);
        filling.constant("rows", ROWS);
        filling.constant("chunks", chunks);
        filling.constant("kept", if chunks > FEW { 1 } else { chunks });
        filling.read(self, "pp_input", input);
        filling.both(self, "pp_q", "pp_put_q", q);
        filling.write(self, "pp_put_r", r);
        for (name, dtype, size) in [
            ("work", float, m * n),
            ("power", DType::I32, n),
            ("dot", float, chunks * n.max(k)),
            ("tau", float, count),
            ("head", float, count),
        ] {
            let view = self.scratch(dtype, batch * size, used);
            filling.both(self, &format!("pp_{name}"), &format!("pp_put_{name}"), &view);
        }
        self.plan(&filling, size, &qr_parts(size, k), tasks)
    }
}
