//! Sorts, and the sorted records that scatters need: blocks, then merges of twice the length each.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use probpipe_kernels::SORT_WGSL;
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};
use std::fmt::Write;

/// Lines up to this length, and blocks of longer ones, are sorted by counting.
const BLOCK: usize = 64;
/// Arrays that one shader moves: devices bind few.
const MOVED: usize = 2;

/// Records in order: keys, places, and where they start.
pub(super) struct Sorted {
    pub keys: View,
    pub places: View,
    pub start: usize,
}

impl Emitter<'_> {
    pub(super) fn sort(
        &mut self,
        [outer, n, inner]: [usize; 3],
        num_keys: usize,
        inputs: &[View],
        outputs: &[View],
        location: Loc,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let size = outer * n * inner;
        if size == 0 {
            return Ok(());
        }
        let keys = &inputs[..num_keys];
        let arrays: Vec<(&View, &View)> = inputs.iter().zip(outputs).collect();
        let constants = [("n", n), ("inner", inner), ("block", BLOCK)];
        let filling = |cx: &Self, moved: &[(&View, &View)]| {
            let mut filling = Filling::new(SORT_WGSL, location, &constants);
            order(&mut filling, cx, inner, keys);
            moves(&mut filling, cx, moved);
            filling
        };
        if n <= BLOCK {
            for moved in arrays.chunks(MOVED) {
                let filling = filling(self, moved);
                self.phase(&filling, "pp_sort_short", size, tasks)?;
            }
            return Ok(());
        }
        let sorted = self.records(filling(self, &[]), size, n, &mut 0, tasks)?;
        for moved in arrays.chunks(MOVED) {
            let mut filling = filling(self, moved);
            filling.constant("sorted", sorted.start);
            filling.read(self, "pp_place", &sorted.places);
            self.phase(&filling, "pp_sort_move", size, tasks)?;
        }
        Ok(())
    }

    /// Sorts lines of `n` numbers.
    pub(super) fn sort_numbers(
        &mut self,
        numbers: &View,
        size: usize,
        n: usize,
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<Sorted> {
        let constants = [("n", n), ("inner", 1), ("block", BLOCK)];
        let mut filling = Filling::new(SORT_WGSL, location, &constants);
        order(&mut filling, self, 1, std::slice::from_ref(numbers));
        self.records(filling, size, n, used, tasks)
    }

    /// Records of `size` elements in lines of `n`, sorted.
    fn records(
        &mut self,
        mut filling: Filling,
        size: usize,
        n: usize,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<Sorted> {
        // Merges go from one half to the other and back.
        let keys = self.scratch(DType::U32, 2 * size, used);
        let places = self.scratch(DType::I32, 2 * size, used);
        filling.constant("records", size);
        filling.read(self, "pp_key", &keys);
        filling.read(self, "pp_place", &places);
        filling.write(self, "pp_put_key", &keys);
        filling.write(self, "pp_put_place", &places);
        let code = "fn pp_put_record(i: i32, key: u32, place: i32) \
                    { pp_put_key(i, key); pp_put_place(i, place); }\n";
        filling.function("pp_put_record", code.into());
        self.phase(&filling, "pp_sort_blocks", size, tasks)?;
        let merges = n.div_ceil(BLOCK).next_power_of_two().trailing_zeros() as usize;
        self.repeat(merges, filling.location, tasks, |cx, t, tasks| {
            cx.phase_at(&filling, "pp_sort_merge", size, t, tasks)
        })?;
        Ok(Sorted { keys, places, start: merges % 2 * size })
    }
}

/// Adds what says which of two elements comes first: by the keys, then by the places.
fn order(filling: &mut Filling, cx: &Emitter<'_>, inner: usize, keys: &[View]) {
    let mut later = String::new();
    for (i, view) in keys.iter().enumerate() {
        let rank = if i == 0 { "pp_rank".to_string() } else { format!("pp_rank_of_{i}") };
        let ty = cx.value_type(view);
        filling.read(cx, &format!("pp_key_of_{i}"), view);
        let value = format!("pp_rank_{ty}(pp_key_of_{i}(i))");
        filling.function(&rank, format!("fn {rank}(i: i32) -> u32 {{ return {value}; }}\n"));
        if i > 0 {
            // Writing to a string cannot fail.
            let _ = write!(
                later,
                "let a{i} = {rank}(start + j * {inner}); let b{i} = {rank}(start + k * {inner}); \
                 if (a{i} != b{i}) {{ return a{i} < b{i}; }} "
            );
        }
    }
    filling.function(
        "pp_places_before",
        format!(
            "fn pp_places_before(start: i32, j: i32, k: i32) -> bool {{ {later}return j < k; }}\n"
        ),
    );
    filling.function(
        "pp_before",
        format!(
            "fn pp_before(start: i32, j: i32, k: i32) -> bool {{ \
             let a = pp_rank(start + j * {inner}); let b = pp_rank(start + k * {inner}); \
             return a < b || (a == b && pp_places_before(start, j, k)); }}\n"
        ),
    );
    filling.function(
        "pp_record_before",
        "fn pp_record_before(start: i32, a: u32, j: i32, b: u32, k: i32) -> bool \
         { return a < b || (a == b && pp_places_before(start, j, k)); }\n"
            .into(),
    );
}

/// Adds what moves elements of arrays.
fn moves(filling: &mut Filling, cx: &Emitter<'_>, arrays: &[(&View, &View)]) {
    let mut lines = String::new();
    for (i, (from, to)) in arrays.iter().enumerate() {
        filling.read(cx, &format!("pp_from_{i}"), from);
        filling.write(cx, &format!("pp_to_{i}"), to);
        lines += &format!(" pp_to_{i}(to, pp_from_{i}(at));");
    }
    filling.function("pp_move", format!("fn pp_move(at: i32, to: i32) {{{lines} }}\n"));
}
