//! Scatters. Few updates of an array look at each other; many are sorted by their targets and
//! combined in blocks, level by level, until no run of one target leaves its block.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use super::joining::{Join, Joining};
use probpipe_kernels::SCATTER_WGSL;
use probpipe_lowering::View;
use probpipe_trace::eval::IndexedDims;
use probpipe_trace::{DType, Loc, Result, ScatterOp};

/// Index tuples of a batch entry up to which each looks at all others. Sums of more keep their
/// rounding errors, as the interpreter's do.
const FEW: usize = 128;
/// Entries that one point combines.
const BLOCK: usize = 64;

impl Emitter<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn scatter(
        &mut self,
        op: ScatterOp,
        dims: &IndexedDims,
        input: &View,
        indices: &[View],
        updates: &View,
        out: &View,
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let &IndexedDims { batch, count, rest, .. } = dims;
        let whole: usize = dims.extents.iter().product();
        let few = count <= FEW;
        let joining = Joining::new(Join::from(op), self.memory.span(out.buffer).dtype, !few);
        let filling = |cx: &Self| {
            let constants = [("count", count), ("rest", rest)];
            let mut filling = Filling::new(SCATTER_WGSL, location, &constants);
            filling.constant("state", joining.state());
            joining.functions(&mut filling);
            filling.read(cx, "pp_load", out);
            filling.write(cx, "pp_store", out);
            filling.read(cx, "pp_update", updates);
            filling
        };
        if (input.buffer, &input.index) != (out.buffer, &out.index) {
            let mut filling = filling(self);
            filling.read(self, "pp_input", input);
            self.phase(&filling, "pp_scatter_copy", batch * whole * rest, tasks)?;
        }
        if batch * whole * rest * count == 0 {
            return Ok(());
        }
        let mut first = filling(self);
        let mut code =
            format!("fn pp_target(tuple: i32) -> i32 {{\n    var at = tuple / {count};\n");
        for (k, (view, n)) in indices.iter().zip(&dims.extents).enumerate() {
            first.read(self, &format!("pp_index_{k}"), view);
            code += &format!(
                "    let i{k} = pp_index_{k}(tuple);\n    if (i{k} < 0 || i{k} >= {n}) {{ return -1; }}\n    \
                 at = at * {n} + i{k};\n"
            );
        }
        first.function("pp_target", code + "    return at;\n}\n");
        if count == 1 {
            return self.phase(&first, "pp_scatter_one", batch * rest, tasks);
        }
        if few {
            return self.phase(&first, "pp_scatter_few", batch * count * rest, tasks);
        }

        let mut used = 0;
        let targets = self.scratch(DType::U32, batch * count, &mut used);
        first.write(self, "pp_put_target", &targets);
        self.phase(&first, "pp_scatter_keys", batch * count, tasks)?;
        // Bits in which the targets differ; those of none are all ones.
        let bits = (usize::BITS - (batch * whole).leading_zeros()) as usize;
        let sorted =
            self.sort_numbers(&targets, bits, batch * count, count, location, &mut used, tasks)?;

        let mut level = filling(self);
        let state = joining.state();
        level.read(self, "pp_sorted_key", &sorted.keys);
        level.read(self, "pp_sorted_place", &sorted.places);
        let start = sorted.start;
        level.function(
            "pp_key",
            format!("fn pp_key(i: i32) -> u32 {{ return pp_sorted_key(i + {start}); }}\n"),
        );
        level.function("pp_some", "fn pp_some(i: i32) -> bool { return true; }\n".into());
        let tuple = format!("(i / {count} * {count} + pp_sorted_place(i + {start}))");
        level.function(
            "pp_value",
            format!(
                "fn pp_value(i: i32, r: i32) -> {state} \
                 {{ return pp_wide(pp_update({tuple} * {rest} + r)); }}\n"
            ),
        );
        let mut entries = count;
        loop {
            let blocks = entries.div_ceil(BLOCK);
            level.constant("entries", entries);
            level.constant("blocks", blocks);
            level.constant("length", BLOCK);
            let points = batch * blocks * rest;
            if blocks == 1 {
                let unused = "i: i32, r: i32, key: u32, some: bool";
                let code = format!("fn pp_put({unused}, state: {state}) {{ }}\n");
                level.function("pp_put", code);
                return self.phase(&level, "pp_scatter_runs", points, tasks);
            }
            // Two entries per block: the next level.
            let size = 2 * batch * blocks;
            let keys = self.scratch(DType::U32, size, &mut used);
            let some = self.scratch(DType::Bool, size, &mut used);
            let states = joining.states(self, size * rest, &mut used);
            level.write(self, "pp_put_key", &keys);
            level.write(self, "pp_put_some", &some);
            joining.write(&mut level, self, "pp_put_state", &states);
            level.function(
                "pp_put",
                format!(
                    "fn pp_put(i: i32, r: i32, key: u32, some: bool, state: {state}) {{ \
                     if (r == 0) {{ pp_put_key(i, key); pp_put_some(i, some); }} \
                     pp_put_state(i * {rest} + r, state); }}\n"
                ),
            );
            self.phase(&level, "pp_scatter_runs", points, tasks)?;

            level = filling(self);
            level.read(self, "pp_key", &keys);
            level.read(self, "pp_some", &some);
            joining.read(&mut level, self, "pp_state", &states);
            level.function(
                "pp_value",
                format!(
                    "fn pp_value(i: i32, r: i32) -> {state} {{ return pp_state(i * {rest} + r); }}\n"
                ),
            );
            entries = 2 * blocks;
        }
    }
}
