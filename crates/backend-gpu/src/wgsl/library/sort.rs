//! Sorts, and the sorted records that scatters need: blocks and merges, or digit by digit. Which
//! of them a line is long enough for is said here, how they go in the template.

use super::super::Emitter;
use super::super::task::Task;
use super::filling::Filling;
use probpipe_kernels::SORT_WGSL;
use probpipe_lowering::View;
use probpipe_trace::{DType, Loc, Result};
use std::fmt::Write;

/// Lines up to this length, and blocks of longer ones, are sorted by counting.
const BLOCK: usize = 64;
/// Lines longer than this are sorted by digits.
const LONG: usize = 4096;
/// Bits of a digit.
const DIGIT: usize = 8;
/// Arrays that one shader moves: devices bind few.
const MOVED: usize = 2;

/// A key of the order, or one of the words of a number of 64 bits: how it is ranked, with `{}` for
/// the element.
#[derive(Clone)]
struct Key {
    view: View,
    part: Option<&'static str>,
}

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
        let keys = &self.words_of(&inputs[..num_keys]);
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
        let sorted = if n <= LONG {
            self.merged(filling(self, &[]), size, n, &mut 0, tasks)?
        } else {
            let bits = |key: &Key| match self.memory.span(key.view.buffer).dtype {
                DType::Bool => 1,
                _ => 32,
            };
            let keys: Vec<(Key, usize)> = keys.iter().map(|k| (k.clone(), bits(k))).collect();
            self.by_digits(&keys, size, [n, inner], location, &mut 0, tasks)?
        };
        for moved in arrays.chunks(MOVED) {
            let mut filling = filling(self, moved);
            filling.constant("sorted", sorted.start);
            filling.read(self, "pp_place", &sorted.places);
            self.phase(&filling, "pp_sort_move", size, tasks)?;
        }
        Ok(())
    }

    /// Keys of one word each: of numbers of 64 bits the high words, then the low ones.
    fn words_of(&self, views: &[View]) -> Vec<Key> {
        let key = |view: &View, part| Key { view: view.clone(), part };
        let keys = |view: &View| {
            let [high, low] = match self.memory.span(view.buffer).dtype {
                DType::I64 => ["i32(bitcast<i32>({}.y))", "u32({}.x)"],
                DType::U64 => ["u32({}.y)", "u32({}.x)"],
                DType::F64 => ["u32(pp_order_f64({}).y)", "u32(pp_order_f64({}).x)"],
                _ => return vec![key(view, None)],
            };
            vec![key(view, Some(high)), key(view, Some(low))]
        };
        views.iter().flat_map(keys).collect()
    }

    /// Sorts lines of `n` numbers, of which only so many low bits differ in more than order.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn sort_numbers(
        &mut self,
        numbers: &View,
        bits: usize,
        size: usize,
        n: usize,
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<Sorted> {
        if n > LONG {
            let key = Key { view: numbers.clone(), part: None };
            return self.by_digits(&[(key, bits)], size, [n, 1], location, used, tasks);
        }
        let constants = [("n", n), ("inner", 1), ("block", BLOCK)];
        let mut filling = Filling::new(SORT_WGSL, location, &constants);
        order(&mut filling, self, 1, &[Key { view: numbers.clone(), part: None }]);
        self.merged(filling, size, n, used, tasks)
    }

    /// Sorts by keys of so many bits each, from the last digit of the last key on.
    fn by_digits(
        &mut self,
        keys: &[(Key, usize)],
        size: usize,
        [n, inner]: [usize; 2],
        location: Loc,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<Sorted> {
        let invocations = if self.target.software { 64 } else { 1 << 12 };
        let length = (size / invocations).clamp(256, 1 << 14).min(n);
        let (lines, blocks) = (size / n, n.div_ceil(length));
        let counters = blocks << DIGIT;
        let mut sorted = Sorted {
            keys: self.scratch(DType::U32, 2 * size, used),
            places: self.scratch(DType::I32, 2 * size, used),
            start: 0,
        };
        let counts = self.scratch(DType::I32, lines * counters, used);
        for (i, (key, bits)) in keys.iter().enumerate().rev() {
            let mut filling = Filling::new(
                SORT_WGSL,
                location,
                &[
                    ("n", n),
                    ("inner", inner),
                    ("records", size),
                    ("blocks", blocks),
                    ("length", length),
                    ("half", sorted.start),
                    ("first", usize::from(i + 1 == keys.len())),
                ],
            );
            order(&mut filling, self, inner, std::slice::from_ref(key));
            keep(&mut filling, self, &sorted);
            filling.both(self, "pp_count", "pp_put_count", &counts);
            self.phase(&filling, "pp_radix_keys", size, tasks)?;
            let passes = bits.div_ceil(DIGIT);
            self.repeat(passes, filling.location, tasks, |cx, t, tasks| {
                cx.phase_at(&filling, "pp_radix_count", lines * blocks, t, tasks)?;
                cx.running_numbers(&counts, lines, counters, location, &mut used.clone(), tasks)?;
                cx.phase_at(&filling, "pp_radix_move", lines * blocks, t, tasks)
            })?;
            if passes % 2 == 1 {
                sorted.start = size - sorted.start;
            }
        }
        Ok(sorted)
    }

    /// Records of `size` elements in lines of `n`, sorted by merges.
    fn merged(
        &mut self,
        mut filling: Filling,
        size: usize,
        n: usize,
        used: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<Sorted> {
        let mut sorted = Sorted {
            keys: self.scratch(DType::U32, 2 * size, used),
            places: self.scratch(DType::I32, 2 * size, used),
            start: 0,
        };
        filling.constant("records", size);
        keep(&mut filling, self, &sorted);
        self.phase(&filling, "pp_sort_blocks", size, tasks)?;
        let merges = n.div_ceil(BLOCK).next_power_of_two().trailing_zeros() as usize;
        self.repeat(merges, filling.location, tasks, |cx, t, tasks| {
            cx.phase_at(&filling, "pp_sort_merge", size, t, tasks)
        })?;
        sorted.start = merges % 2 * size;
        Ok(sorted)
    }
}

/// Adds what reads and writes records. They go from one half of their memory to the other and back.
fn keep(filling: &mut Filling, cx: &Emitter<'_>, sorted: &Sorted) {
    filling.both(cx, "pp_key", "pp_put_key", &sorted.keys);
    filling.both(cx, "pp_place", "pp_put_place", &sorted.places);
    let code = "fn pp_put_record(i: i32, key: u32, place: i32) \
                { pp_put_key(i, key); pp_put_place(i, place); }\n";
    filling.function("pp_put_record", code.into());
}

/// Adds what says which of two elements comes first: by the keys, then by the places.
fn order(filling: &mut Filling, cx: &Emitter<'_>, inner: usize, keys: &[Key]) {
    let mut later = String::new();
    for (i, Key { view, part }) in keys.iter().enumerate() {
        let rank = if i == 0 { "pp_rank".to_string() } else { format!("pp_rank_of_{i}") };
        filling.read(cx, &format!("pp_key_of_{i}"), view);
        let element = format!("pp_key_of_{i}(i)");
        let value = match part {
            None => format!("pp_rank_{}({element})", cx.value_type(view)),
            Some(part) => format!("pp_rank_{}", part.replace("{}", &element)),
        };
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
