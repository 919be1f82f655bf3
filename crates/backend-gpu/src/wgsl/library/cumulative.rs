//! Running reductions: a point per line and block. Where a line has several blocks, their totals
//! are lines to be run along in the same way.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use super::joining::{Join, Joining};
use probpipe_kernels::CUMULATIVE_WGSL;
use probpipe_lowering::View;
use probpipe_trace::{CumulativeOp, DType, Loc, Result};

impl Emitter<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn cumulative(
        &mut self,
        op: CumulativeOp,
        [outer, n, inner]: [usize; 3],
        reverse: bool,
        input: &View,
        out: &View,
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let joining = Joining::new(op.into(), self.memory.span(input.buffer).dtype, true);
        let mut filling = Filling::new(CUMULATIVE_WGSL, location, &[]);
        filling.read(self, "pp_input", input);
        filling.write(self, "pp_store", out);
        let k = if reverse { format!("({} - k)", n as i64 - 1) } else { "k".into() };
        let at = format!("(line / {inner} * {n} + {k}) * {inner} + line % {inner}");
        let state = joining.state();
        let get = format!("return pp_wide(pp_input({at}));");
        filling
            .function("pp_get", format!("fn pp_get(line: i32, k: i32) -> {state} {{ {get} }}\n"));
        let put = format!("pp_store({at}, pp_narrow(state));");
        filling.function(
            "pp_put",
            format!("fn pp_put(line: i32, k: i32, state: {state}) {{ {put} }}\n"),
        );
        self.running(filling, joining, outer * inner, n, &mut 0, tasks)
    }

    /// Running sums, in place, of lines of `n` integers one after the other.
    pub(super) fn running_numbers(
        &mut self,
        numbers: &View,
        lines: usize,
        n: usize,
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let joining = Joining::new(Join::Sum, DType::I32, false);
        let mut filling = Filling::new(CUMULATIVE_WGSL, location, &[]);
        filling.both(self, "pp_get_at", "pp_put_at", numbers);
        lines_of(&mut filling, joining.state(), &format!("line * {n} + k"));
        self.running(filling, joining, lines, n, used, tasks)
    }

    /// Along lines that `pp_get` and `pp_put` reach.
    fn running(
        &mut self,
        mut filling: Filling,
        joining: Joining,
        lines: usize,
        n: usize,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        if lines * n == 0 {
            return Ok(());
        }
        let length = self.block_length(lines * n, n);
        let blocks = n.div_ceil(length);
        joining.functions(&mut filling);
        for (name, value) in [("lines", lines), ("n", n), ("length", length)] {
            filling.constant(name, value);
        }
        let state = joining.state();
        if blocks == 1 {
            let code = format!("fn pp_total(i: i32) -> {state} {{ return {state}(); }}\n");
            filling.function("pp_total", code);
        } else {
            let totals = joining.states(self, lines * blocks, used);
            joining.read(&mut filling, self, "pp_total", &totals);
            joining.write(&mut filling, self, "pp_put_total", &totals);
            self.phase(&filling, "pp_cumulative_totals", lines * blocks, tasks)?;

            let mut above = Filling::new(CUMULATIVE_WGSL, filling.location, &[]);
            joining.read(&mut above, self, "pp_get_at", &totals);
            joining.write(&mut above, self, "pp_put_at", &totals);
            lines_of(&mut above, state, &format!("k * {lines} + line"));
            self.running(above, joining, lines, blocks, used, tasks)?;
        }
        self.phase(&filling, "pp_cumulative_running", lines * blocks, tasks)
    }

    /// Elements that one point takes in order, of lines of `n`: few enough to have work for all
    /// invocations, and enough to be worth one.
    pub(super) fn block_length(&self, size: usize, n: usize) -> usize {
        let invocations = if self.target.software { 64 } else { 1 << 15 };
        let length = (size / invocations).clamp(64, 4096);
        if n <= 2 * length { n } else { length }
    }
}

/// Adds `pp_get(line, k)` and `pp_put(line, k, state)` from those at a place.
fn lines_of(filling: &mut Filling, state: &str, at: &str) {
    let get = format!("return pp_get_at({at});");
    let code = format!("fn pp_get(line: i32, k: i32) -> {state} {{ {get} }}\n");
    filling.function("pp_get", code);
    let put = format!("pp_put_at({at}, state);");
    let code = format!("fn pp_put(line: i32, k: i32, state: {state}) {{ {put} }}\n");
    filling.function("pp_put", code);
}
