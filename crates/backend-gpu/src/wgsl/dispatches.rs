//! Lanes in several dispatches, of which each takes its turn until as many rounds have gone as a
//! dispatch may take: what a lane knows then lies in memory until the next.

use super::expr::value_type;
use super::live::Live;
use super::register::Register;
use super::task::{Task, Work};
use super::{Emitter, Slot, Target, Text, wide};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Kernel, LoopId, Store};
use probpipe_trace::{ArrayType, CompareOp, DType, Loc, Scalar};
use rustc_hash::FxHashMap;

/// What lanes and the host tell each other.
pub(super) struct Words {
    /// Rounds of a lane in a dispatch.
    left: usize,
    /// Whether there is another dispatch.
    going: BufferId,
    /// Whether it is the first.
    first: BufferId,
    /// 0 before the first, then 1 if some lane has stopped before its end, else 2.
    open: BufferId,
}

impl Words {
    pub fn new(left: usize, cx: &mut Emitter<'_>) -> Words {
        let [going, first, open] = [(); 3].map(|()| cx.kept_word());
        Words { left, going, first, open }
    }

    /// Before a dispatch.
    fn look(&self, location: Loc) -> Kernel {
        let load = Expr::Load { buffer: self.open, index: IndexMap::default(), guard: None };
        let is = |op, to| Expr::Compare(op, ExprId(0), ExprId(to));
        let exprs = vec![
            load,
            Expr::Literal(Scalar::Int(0)),
            Expr::Literal(Scalar::Int(2)),
            is(CompareOp::Ne, 2),
            is(CompareOp::Eq, 1),
            Expr::Cast(ExprId(3)),
            Expr::Cast(ExprId(4)),
        ];
        let types = [[DType::I32; 3].as_slice(), &[DType::Bool; 2], &[DType::I32; 2]].concat();
        let store = |buffer, value| Store {
            buffer,
            index: IndexMap::default(),
            value: ExprId(value),
            reduce: None,
        };
        let stores = vec![store(self.going, 5), store(self.first, 6), store(self.open, 2)];
        Kernel { exprs, types, stores, ..Kernel::empty(location) }
    }
}

/// The variables that hold what a lane knows where it stops, and where it lies until it goes on: a
/// word of all lanes in a row.
struct Kept {
    start: usize,
    lane: LoopId,
    lanes: usize,
    target: Target,
    words: Vec<(String, DType)>,
    /// Those that are bits of the last words.
    flags: Vec<String>,
    /// Those in double precision, of which each is a pair of words.
    doubles: Vec<String>,
}

impl Kept {
    fn new(known: Vec<(String, DType)>, lane: LoopId, lanes: usize, cx: &mut Emitter<'_>) -> Kept {
        let (flags, mut words): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|(_, dtype)| *dtype == DType::Bool);
        let doubles: Vec<String> =
            words.extract_if(.., |(_, dtype)| *dtype == DType::F64).map(|(name, _)| name).collect();
        let pair = |i| ["x", "y"].map(|part| (format!("pp_pair{i}.{part}"), DType::U32));
        words.extend((0..doubles.len()).flat_map(pair));
        words.extend((0..flags.len().div_ceil(32)).map(|i| (format!("pp_flags{i}"), DType::U32)));
        let memory = cx.memory.scratch(&ArrayType::new(DType::U32, [words.len() + 1]), &mut 0);
        cx.memory.spread(memory, lane, lanes);
        let start = cx.memory.span(memory).start;
        let flags = flags.into_iter().map(|(name, _)| name).collect();
        Kept { start, lane, lanes, target: *cx.target, words, flags, doubles }
    }

    /// A word of a lane.
    fn at(&self, k: &str) -> String {
        format!("arena[({k}) * {} + {} + {}]", self.lanes, self.lane, self.start)
    }

    /// Moves the words between variables and memory. Mesa's software driver takes a millisecond to
    /// translate an access, so there it is one, in a loop through which the variables move up by
    /// one each time.
    fn move_words(&self, fetch: bool, text: &mut Text) {
        let of_one = |(name, ty): &(String, DType), k: &str| match fetch {
            true => format!("{name} = bitcast<{}>({});", value_type(*ty), self.at(k)),
            false => format!("{} = bitcast<u32>({name});", self.at(k)),
        };
        let (Some(first), Some(last)) = (self.words.first(), self.words.last()) else { return };
        if !self.target.software {
            for (word, k) in self.words.iter().zip(1..) {
                text.line(format_args!("{}", of_one(word, &k.to_string())));
            }
            return;
        }
        let (count, opaque) = (self.words.len(), self.target.opaque());
        text.open(format_args!("for (var k = 1; k <= {count}{opaque}; k = k + 1) {{"));
        if !fetch {
            text.line(format_args!("{}", of_one(first, "k")));
        }
        for ((to, ty), (from, _)) in self.words.iter().zip(&self.words[1..]) {
            text.line(format_args!("{to} = bitcast<{}>({from});", value_type(*ty)));
        }
        if fetch {
            text.line(format_args!("{}", of_one(last, "k")));
        }
        text.close();
    }

    fn fetch(&self, text: &mut Text) {
        self.move_words(true, text);
        for (i, flag) in self.flags.iter().enumerate() {
            let (word, bit) = (i / 32, 1u32 << (i % 32));
            text.line(format_args!("{flag} = (pp_flags{word} & {bit}u) != 0u;"));
        }
        for (i, double) in self.doubles.iter().enumerate() {
            text.line(format_args!("{double} = pp_of_words_f64(pp_pair{i});"));
        }
    }

    fn keep(&self, text: &mut Text) {
        for (i, flags) in self.flags.chunks(32).enumerate() {
            let bit = |(k, flag): (usize, &String)| format!("select(0u, {}u, {flag})", 1u32 << k);
            let bits: Vec<String> = flags.iter().enumerate().map(bit).collect();
            text.line(format_args!("pp_flags{i} = {};", bits.join(" | ")));
        }
        for (i, double) in self.doubles.iter().enumerate() {
            text.line(format_args!("pp_pair{i} = pp_words_f64({double});"));
        }
        self.move_words(false, text);
    }
}

impl Emitter<'_> {
    /// The variables of what is live, and of the indices of loops.
    pub(super) fn known(
        &self,
        live: &Live,
        registers: &FxHashMap<BufferId, Register>,
        indices: &[LoopId],
    ) -> Vec<(String, DType)> {
        let mut known = Vec::new();
        let mut live: Vec<BufferId> = live.iter().copied().collect();
        live.sort_unstable();
        for buffer in live {
            let dtype = self.memory.span(buffer).dtype;
            let Some(register) = registers.get(&buffer) else { continue };
            for place in (0..register.size).map(|i| register.place(i)) {
                match wide::is_pair(dtype) {
                    true => {
                        known.extend(["x", "y"].map(|part| (format!("{place}.{part}"), DType::U32)))
                    }
                    false => known.push((place, dtype)),
                }
            }
        }
        known.extend(indices.iter().map(|index| (index.to_string(), DType::I32)));
        known
    }

    /// The work of lanes, given the loop over them and which variables hold what a lane knows where
    /// it stops.
    pub(super) fn in_turns(
        &mut self,
        work: Work,
        lane: LoopId,
        words: &Words,
        known: Vec<(String, DType)>,
        tasks: &mut Vec<Task>,
    ) {
        let Work { body, mut uses, points, location, .. } = work;
        let kept = Kept::new(known, lane, points, self);
        let mut text = Text { depth: 1, ..Text::default() };
        text.line(format_args!("{lane} = point;"));
        text.line(format_args!("pp_left = {};", words.left));
        text.line(format_args!("pp_turn = 0;"));
        let first = self.memory.word(words.first, &mut uses);
        text.open(format_args!("if ({first} == 0) {{"));
        text.line(format_args!("pp_turn = bitcast<i32>({});", kept.at("0")));
        text.line(format_args!("if (pp_turn < 0) {{ return; }}"));
        kept.fetch(&mut text);
        text.close();
        text.out.push_str(&body.out);
        text.open(format_args!("if (pp_turn == 0) {{"));
        text.line(format_args!("pp_turn = -1;"));
        text.close();
        text.open(format_args!("else {{"));
        text.line(format_args!("arena[{}] = 1u;", self.memory.span(words.open).start));
        kept.keep(&mut text);
        text.close();
        text.line(format_args!("{} = bitcast<u32>(pp_turn);", kept.at("0")));
        uses.slots.push(Slot::Arena);
        for name in ["pp_left", "pp_turn"] {
            uses.code.insert_str(0, &format!("var<private> {name}: i32;\n"));
        }
        for i in 0..kept.flags.len().div_ceil(32) {
            uses.code.insert_str(0, &format!("var<private> pp_flags{i}: u32;\n"));
        }
        for i in 0..kept.doubles.len() {
            uses.code.insert_str(0, &format!("var<private> pp_pair{i}: vec2<u32>;\n"));
            uses.functions.extend(["pp_of_words_f64", "pp_words_f64"].map(String::from));
        }
        let look = self.point_work(&words.look(location));
        tasks.push(Task::Clear { word: words.open });
        tasks.push(Task::While {
            cond: vec![Task::Work(look)],
            word: words.going,
            most: None,
            body: vec![Task::Work(Work::new(text, uses, points, location))],
            turn: None,
            location,
        });
    }
}
