//! Vector regions: the inline code of one segment of a kernel over the points of a tile, in
//! AVX-512, sixteen points at a time or eight where some value has 64 bits. Cranelift has vectors
//! of 128 bits only; on long tiles this code is two to four times faster.
//!
//! A region is a function `(args, begin, end)`: `args` points to eight bytes for each [`Arg`],
//! addresses of first elements or values that are the same at all points, and room for the
//! vectors of partial reductions behind them. What is not an op of this file gives no region, and
//! the segment is emitted for Cranelift.

use super::assembler::*;
use super::instructions::*;
use crate::plan::{Plan, operand_type};
use crate::segments::{Held, Segment, Step};
use probpipe_kernels::exp_constants;
use probpipe_lowering::{Expr, Kernel};
use probpipe_trace::{BinaryOp, CompareOp, DType, ReduceOp, Scalar, UnaryOp};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What a slot of the arguments holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arg {
    /// The address of the first point's element of this load.
    Load(usize),
    /// The address of the first point's element of this store of the kernel.
    Store(usize),
    /// The address of the tile's first element in this scratch row.
    Row(usize),
    /// The value of this expression.
    Value(usize),
    /// The index that this expression has at the first point, as an `i64`.
    Index(usize),
}

/// A store that reduces along the innermost axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    /// Which store of the kernel.
    pub(crate) store: usize,
    pub(crate) dtype: DType,
    /// Where its partial results lie behind the arguments, in bytes, and how many there are.
    pub(crate) offset: usize,
    pub(crate) lanes: usize,
}

/// Where reductions go.
#[derive(Clone, Copy)]
pub(crate) enum Sums<'a> {
    /// To registers, and from there behind the arguments.
    Registers,
    /// To scratch rows from this one on, of these element types.
    Rows(usize, &'a [DType]),
}

/// A finished region.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) code: Vec<u8>,
    pub(crate) args: Vec<Arg>,
    pub(crate) sums: Vec<Sum>,
    /// Bytes of the arguments and what lies behind them.
    pub(crate) bytes: usize,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
enum Loc {
    Vector(Vector),
    Mask(Mask),
}

/// Registers for the addresses of streams: those that functions may change, then those that they
/// must restore.
const BASES: [General; 10] = [8, 9, 10, RSI, 3, 5, 12, 13, 14, 15];
/// How many of them need no saving.
const UNSAVED: usize = 4;
/// The mask of the last, short vector.
const TAIL: Mask = 1;
/// Reductions of segments of at most this many steps run in this many accumulators, which hides
/// the latency of an addition.
const UNROLLED_STEPS: usize = 12;
const UNROLL: usize = 4;

struct Builder<'p> {
    plan: &'p Plan,
    asm: Assembler,
    /// Points at a time.
    lanes: usize,
    args: Vec<Arg>,
    /// Streams in the order of their registers.
    streams: Vec<Arg>,
    /// Element types of the rows.
    row_types: FxHashMap<usize, DType>,
    uses: FxHashMap<usize, usize>,
    locs: FxHashMap<usize, Loc>,
    vectors: Vec<Vector>,
    masks: Vec<Mask>,
    temporary: SmallVec<[Loc; 4]>,
    /// Whether the vector at hand is the last, short one.
    tail: bool,
    /// Accumulators, by store and turn.
    accumulators: FxHashMap<(usize, usize), Vector>,
    streaming: bool,
}

/// Whether regions compute an expression that others call a kernel for.
pub(crate) fn computes(kernel: &Kernel, i: usize) -> bool {
    kernel.types[i].is_float() && matches!(kernel.exprs[i], Expr::Unary(UnaryOp::Exp, _))
}

/// Whether regions can hold values of a type.
fn holds(dtype: DType) -> bool {
    dtype != DType::U8
}

/// Builds the region of a segment; `streaming` stores pass the caches by.
pub(crate) fn build(
    plan: &Plan,
    segment: &Segment,
    sums: Sums<'_>,
    streaming: bool,
) -> Option<Region> {
    let kernel = &plan.kernel;
    let inner = plan.extents.len() - 1;
    let mut wide = false;
    let mut types = |dtype: DType| {
        wide |= dtype.size() == 8;
        holds(dtype).then_some(())
    };
    let mut streams: Vec<Arg> = Vec::new();
    let mut stream = |arg: Arg| {
        if !streams.contains(&arg) {
            streams.push(arg);
        }
    };
    let mut row_types: FxHashMap<usize, DType> = FxHashMap::default();
    for step in &segment.steps {
        match *step {
            Step::Compute(i) => {
                types(kernel.types[i])?;
                types(operand_type(kernel, i))?;
                match &kernel.exprs[i] {
                    Expr::Load { index, .. } if index.axes.get(inner) == Some(&1) => {
                        stream(Arg::Load(i));
                    }
                    Expr::Load { .. } | Expr::LoadAt { .. } => return None,
                    _ => {}
                }
            }
            Step::Read(i, held) => {
                types(kernel.types[i])?;
                stream(match held {
                    Held::Row(row) => {
                        row_types.insert(row, kernel.types[i]);
                        Arg::Row(row)
                    }
                    Held::Stored(k) => Arg::Store(k),
                });
            }
        }
    }
    for &(i, row) in &segment.keeps {
        types(kernel.types[i])?;
        row_types.insert(row, kernel.types[i]);
        stream(Arg::Row(row));
    }
    for &k in &segment.stores {
        let store = &kernel.stores[k];
        types(kernel.ty(store.value))?;
        match (store.reduce, sums) {
            (None, _) => {
                if store.index.axes.get(inner) != Some(&1) {
                    return None;
                }
                stream(Arg::Store(k));
            }
            (Some(_), Sums::Registers) => {}
            (Some(_), Sums::Rows(first, sum_types)) => {
                types(sum_types[k])?;
                row_types.insert(first + k, sum_types[k]);
                stream(Arg::Row(first + k));
            }
        }
    }
    if streams.len() > BASES.len() {
        return None;
    }
    let builder = Builder {
        plan,
        asm: Assembler::default(),
        lanes: if wide { 8 } else { 16 },
        args: streams.clone(),
        streams,
        row_types,
        uses: FxHashMap::default(),
        locs: FxHashMap::default(),
        vectors: (0..32).rev().collect(),
        masks: (2..8).rev().collect(),
        temporary: SmallVec::new(),
        tail: false,
        accumulators: FxHashMap::default(),
        streaming,
    };
    builder.function(segment, sums)
}

impl Builder<'_> {
    fn function(mut self, segment: &Segment, sums: Sums<'_>) -> Option<Region> {
        let kernel = &self.plan.kernel;
        let registers = matches!(sums, Sums::Registers);
        let reduced: Vec<usize> = segment
            .stores
            .iter()
            .copied()
            .filter(|&k| registers && kernel.stores[k].reduce.is_some())
            .collect();
        let short = segment.steps.len() <= UNROLLED_STEPS;
        let turns = if reduced.is_empty() || !short || 4 * reduced.len() > 12 { 1 } else { UNROLL };

        self.enter()?;
        for &k in &reduced {
            let store = &kernel.stores[k];
            let (op, dtype) = (store.reduce?, kernel.ty(store.value));
            let empty = self.literal(dtype, crate::emit::identity(op, dtype))?;
            for turn in 0..turns {
                let register = self.vector()?;
                self.broadcast(register, dtype, empty);
                self.accumulators.insert((k, turn), register);
            }
        }
        if turns > 1 {
            self.each(self.lanes * turns, |this| {
                for turn in 0..turns {
                    this.point(segment, sums, turn)?;
                    this.asm.add_number(RAX, this.lanes as i8);
                }
                Some(())
            })?;
        }
        self.each(self.lanes, |this| {
            this.point(segment, sums, 0)?;
            this.asm.add_number(RAX, this.lanes as i8);
            Some(())
        })?;
        let end = self.asm.label();
        self.asm.compare(RAX, RDX);
        self.asm.jump_unless_below(end);
        self.asm.copy(RCX, RDX);
        self.asm.subtract(RCX, RAX);
        self.asm.mask_of_count(TAIL);
        self.tail = true;
        self.point(segment, sums, 0)?;
        self.tail = false;
        self.asm.place(end);

        let mut offset = (8 * self.args.len()).next_multiple_of(64);
        let mut partial = Vec::new();
        for &k in &reduced {
            let store = &kernel.stores[k];
            let (op, dtype) = (store.reduce?, kernel.ty(store.value));
            let total = *self.accumulators.get(&(k, 0))?;
            for turn in 1..turns {
                let other = *self.accumulators.get(&(k, turn))?;
                self.accumulate(op, dtype, total, other)?;
            }
            self.store_vector(total, dtype, Operand::Local(offset as i32), Predicate::default());
            partial.push(Sum { store: k, dtype, offset, lanes: self.lanes });
            offset += 64;
        }
        self.leave();
        Some(Region { code: self.asm.finish(), args: self.args, sums: partial, bytes: offset })
    }

    /// The first instructions: `RAX` counts points, addresses are in registers. Rows begin with
    /// the tile, so their addresses go back by the points before it.
    fn enter(&mut self) -> Option<()> {
        for &register in BASES[..self.streams.len()].iter().skip(UNSAVED) {
            self.asm.push(register);
        }
        self.asm.copy(RAX, RSI);
        for k in 0..self.streams.len() {
            // `RSI` itself is one of them.
            self.asm.load(BASES[k], 8 * k as i32);
            if matches!(self.streams[k], Arg::Row(_)) {
                let size = self.type_of(self.streams[k])?.size();
                self.asm.copy(RCX, RAX);
                self.asm.shift_left(RCX, size.trailing_zeros() as u8);
                self.asm.subtract(BASES[k], RCX);
            }
        }
        Some(())
    }

    fn leave(&mut self) {
        if self.streaming {
            self.asm.store_fence();
        }
        for &register in BASES[..self.streams.len()].iter().skip(UNSAVED).rev() {
            self.asm.pop(register);
        }
        self.asm.leave();
    }

    /// Emits a loop for as long as `points` points are left.
    fn each(&mut self, points: usize, body: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let (head, exit) = (self.asm.label(), self.asm.label());
        self.asm.copy(RCX, RDX);
        self.asm.subtract(RCX, RAX);
        self.asm.and_number(RCX, -(points as i8));
        self.asm.add(RCX, RAX);
        self.asm.compare(RAX, RCX);
        self.asm.jump_unless_below(exit);
        self.asm.align();
        self.asm.place(head);
        body(self)?;
        self.asm.compare(RAX, RCX);
        self.asm.jump_if_below(head);
        self.asm.place(exit);
        Some(())
    }

    /// The segment at the points from `RAX` on.
    fn point(&mut self, segment: &Segment, sums: Sums<'_>, turn: usize) -> Option<()> {
        let plan = self.plan;
        let kernel = &plan.kernel;
        self.uses.clear();
        let left: Vec<Loc> = self.locs.drain().map(|(_, loc)| loc).collect();
        left.into_iter().for_each(|loc| self.free(loc));
        for step in &segment.steps {
            if let Step::Compute(i) = *step {
                plan.operands(i, |x| *self.uses.entry(x).or_default() += 1);
            }
        }
        for &(i, _) in &segment.keeps {
            *self.uses.entry(i).or_default() += 1;
        }
        for &k in &segment.stores {
            *self.uses.entry(kernel.stores[k].value.0 as usize).or_default() += 1;
        }
        for step in &segment.steps {
            match *step {
                Step::Compute(i) => {
                    self.compute(i)?;
                    let mut operands: SmallVec<[usize; 3]> = SmallVec::new();
                    plan.operands(i, |x| operands.push(x));
                    operands.into_iter().for_each(|x| self.used(x));
                }
                Step::Read(i, held) => {
                    let arg = match held {
                        Held::Row(row) => Arg::Row(row),
                        Held::Stored(k) => Arg::Store(k),
                    };
                    self.load(i, arg, None)?;
                }
            }
            self.release();
        }
        for &(i, row) in &segment.keeps {
            self.store(i, kernel.types[i], Arg::Row(row), false)?;
            self.used(i);
            self.release();
        }
        for &k in &segment.stores {
            let store = &kernel.stores[k];
            let value = store.value.0 as usize;
            let dtype = kernel.ty(store.value);
            match (store.reduce, sums) {
                (None, _) => self.store(value, dtype, Arg::Store(k), self.streaming)?,
                (Some(op), Sums::Registers) => {
                    let total = *self.accumulators.get(&(k, turn))?;
                    let term = self.register(value, dtype)?;
                    self.accumulate(op, dtype, total, term)?;
                }
                (Some(op), Sums::Rows(first, types)) => {
                    let arg = Arg::Row(first + k);
                    let to = types[k];
                    let term = self.converted(value, dtype, to)?;
                    let total = self.temporary()?;
                    let from = self.stream(arg)?;
                    self.load_vector(total, to, from);
                    self.accumulate(op, to, total, term)?;
                    let target = self.stream(arg)?;
                    self.store_vector(total, to, target, self.merging());
                }
            }
            self.used(store.value.0 as usize);
            self.release();
        }
        Some(())
    }

    // Registers.

    fn vector(&mut self) -> Option<Vector> {
        self.vectors.pop()
    }

    fn temporary(&mut self) -> Option<Vector> {
        let register = self.vector()?;
        self.temporary.push(Loc::Vector(register));
        Some(register)
    }

    fn temporary_mask(&mut self) -> Option<Mask> {
        let mask = self.masks.pop()?;
        self.temporary.push(Loc::Mask(mask));
        Some(mask)
    }

    fn release(&mut self) {
        for loc in std::mem::take(&mut self.temporary) {
            self.free(loc);
        }
    }

    fn free(&mut self, loc: Loc) {
        match loc {
            Loc::Vector(register) => self.vectors.push(register),
            Loc::Mask(mask) => self.masks.push(mask),
        }
    }

    /// Notes that a use of `x` is over.
    fn used(&mut self, x: usize) {
        let left = self.uses.entry(x).or_insert(1);
        *left = left.saturating_sub(1);
        if *left == 0
            && let Some(loc) = self.locs.remove(&x)
        {
            self.free(loc);
        }
    }

    /// A fresh vector register for expression `i`.
    fn define(&mut self, i: usize) -> Option<Vector> {
        let register = self.vector()?;
        self.locs.insert(i, Loc::Vector(register));
        Some(register)
    }

    /// A fresh mask register for expression `i`.
    fn define_mask(&mut self, i: usize) -> Option<Mask> {
        let mask = self.masks.pop()?;
        self.locs.insert(i, Loc::Mask(mask));
        Some(mask)
    }

    // Operands.

    /// The width of vectors of a type; truth values are handled as words.
    fn width(&self, dtype: DType) -> Width {
        if dtype.size().max(4) * self.lanes == 64 { Width::Full } else { Width::Half }
    }

    /// The element type of a stream.
    fn type_of(&self, arg: Arg) -> Option<DType> {
        let kernel = &self.plan.kernel;
        match arg {
            Arg::Load(i) | Arg::Value(i) | Arg::Index(i) => kernel.types.get(i).copied(),
            Arg::Store(k) => Some(kernel.ty(kernel.stores.get(k)?.value)),
            Arg::Row(row) => self.row_types.get(&row).copied(),
        }
    }

    /// The elements of a stream from `RAX` on.
    fn stream(&self, arg: Arg) -> Option<Operand> {
        let base = BASES[self.streams.iter().position(|&have| have == arg)?];
        Some(Operand::Stream { base, scale: self.type_of(arg)?.size().trailing_zeros() as u8 })
    }

    /// The place of an argument.
    fn shared(&mut self, arg: Arg) -> Operand {
        let found = self.args.iter().position(|&have| have == arg);
        let slot = found.unwrap_or_else(|| {
            self.args.push(arg);
            self.args.len() - 1
        });
        Operand::Shared(8 * slot as i32)
    }

    /// A literal of a type, for all lanes.
    fn literal(&mut self, dtype: DType, value: Scalar) -> Option<Operand> {
        let place = match dtype {
            DType::F32 => self.asm.constant(&(value.as_f64() as f32).to_le_bytes()),
            DType::F64 => self.asm.constant(&value.as_f64().to_le_bytes()),
            DType::I32 | DType::U32 => self.asm.constant(&(value.as_i128() as u32).to_le_bytes()),
            DType::I64 | DType::U64 => self.asm.constant(&(value.as_i128() as u64).to_le_bytes()),
            // As a word.
            DType::Bool => self.asm.constant(&u32::from(value.as_f64() != 0.0).to_le_bytes()),
            DType::U8 => return None,
        };
        Some(Operand::Constant(place))
    }

    /// A value, where an instruction can read it.
    fn operand(&mut self, x: usize, dtype: DType) -> Option<Operand> {
        if let Expr::Literal(value) = self.plan.kernel.exprs[x] {
            return self.literal(dtype, value);
        }
        if self.plan.depth[x] < self.plan.extents.len() {
            return Some(self.shared(Arg::Value(x)));
        }
        match self.locs.get(&x)? {
            Loc::Vector(register) => Some(Operand::Vector(*register)),
            Loc::Mask(_) => None,
        }
    }

    /// A value in a register.
    fn register(&mut self, x: usize, dtype: DType) -> Option<Vector> {
        match self.operand(x, dtype)? {
            Operand::Vector(register) => Some(register),
            other => {
                let register = self.temporary()?;
                self.broadcast(register, dtype, other);
                Some(register)
            }
        }
    }

    /// A truth value in a mask.
    fn mask(&mut self, x: usize) -> Option<Mask> {
        if let Some(Loc::Mask(mask)) = self.locs.get(&x) {
            return Some(*mask);
        }
        let value = self.operand(x, DType::Bool)?;
        let (word, mask) = (self.temporary()?, self.temporary_mask()?);
        self.broadcast(word, DType::I32, value);
        self.emit(TEST, DType::I32, mask, word, Operand::Vector(word));
        Some(mask)
    }

    // Instructions.

    /// An instruction on vectors of a type, on all lanes.
    fn emit(&mut self, ops: Typed, dtype: DType, to: u8, first: u8, last: Operand) {
        self.emit_with(ops, dtype, Predicate::default(), to, first, last, None);
    }

    #[allow(clippy::too_many_arguments)]
    fn emit_with(
        &mut self,
        ops: Typed,
        dtype: DType,
        predicate: Predicate,
        to: u8,
        first: u8,
        last: Operand,
        immediate: Option<u8>,
    ) {
        let code = ops.of(dtype);
        self.asm.vector(code, self.width(dtype), predicate, to, first, last, immediate);
    }

    fn broadcast(&mut self, to: Vector, dtype: DType, from: Operand) {
        // The instruction broadcasts by itself: its memory operand is one element.
        self.asm.vector_of_element(BROADCAST.of(dtype), self.width(dtype), to, from);
    }

    /// Lanes that the tail leaves alone.
    fn merging(&self) -> Predicate {
        Predicate { mask: if self.tail { TAIL } else { 0 }, zeroing: false }
    }

    /// Lanes that the tail does not read.
    fn zeroing(&self) -> Predicate {
        Predicate { zeroing: self.tail, ..self.merging() }
    }

    fn load_vector(&mut self, to: Vector, dtype: DType, from: Operand) {
        self.emit_with(LOAD, dtype, self.zeroing(), to, 0, from, None);
    }

    fn store_vector(&mut self, from: Vector, dtype: DType, to: Operand, predicate: Predicate) {
        self.emit_with(STORE, dtype, predicate, from, 0, to, None);
    }

    /// Reads expression `i` from a stream; where the guard is false, zero, and nothing is read.
    fn load(&mut self, i: usize, arg: Arg, guard: Option<usize>) -> Option<()> {
        let dtype = self.plan.kernel.types[i];
        let from = self.stream(arg)?;
        let mut predicate = self.zeroing();
        if let Some(guard) = guard {
            let guard = self.mask(guard)?;
            predicate = Predicate { mask: guard, zeroing: true };
            if self.tail {
                let both = self.temporary_mask()?;
                self.asm.mask(MASK_AND, true, both, guard, TAIL);
                predicate.mask = both;
            }
        }
        if dtype == DType::Bool {
            let word = self.temporary()?;
            let width = self.width(dtype);
            self.asm.vector(BYTES_TO_WORDS, width, predicate, word, 0, from, None);
            let mask = self.define_mask(i)?;
            self.emit(TEST, DType::I32, mask, word, Operand::Vector(word));
            return Some(());
        }
        let to = self.define(i)?;
        self.emit_with(LOAD, dtype, predicate, to, 0, from, None);
        Some(())
    }

    /// Writes expression `x` to a stream.
    fn store(&mut self, x: usize, dtype: DType, arg: Arg, streaming: bool) -> Option<()> {
        let to = self.stream(arg)?;
        if dtype == DType::Bool {
            let mask = self.mask(x)?;
            let word = self.temporary()?;
            let one = self.literal(DType::I32, Scalar::Int(1))?;
            let only = Predicate { mask, zeroing: true };
            self.asm.vector_of_element_where(
                BROADCAST.of(DType::I32),
                self.width(dtype),
                only,
                word,
                one,
            );
            let width = self.width(dtype);
            self.asm.vector(WORDS_TO_BYTES, width, self.merging(), word, 0, to, None);
            return Some(());
        }
        let from = self.register(x, dtype)?;
        if streaming && !self.tail {
            self.emit(STREAM, dtype, from, 0, to);
        } else {
            self.store_vector(from, dtype, to, self.merging());
        }
        Some(())
    }

    /// `total = total op term`, in the lanes that are there.
    fn accumulate(
        &mut self,
        op: ReduceOp,
        dtype: DType,
        total: Vector,
        term: Vector,
    ) -> Option<()> {
        let term = Operand::Vector(term);
        let predicate = self.merging();
        let op = match op {
            ReduceOp::Sum => ADD,
            ReduceOp::Prod => MULTIPLY,
            ReduceOp::Max | ReduceOp::Min => {
                let result = self.temporary()?;
                let op = if op == ReduceOp::Max { BinaryOp::Max } else { BinaryOp::Min };
                self.extreme(op, dtype, result, total, term)?;
                let result = Operand::Vector(result);
                self.emit_with(LOAD, dtype, predicate, total, 0, result, None);
                return Some(());
            }
            ReduceOp::And | ReduceOp::Or => return None,
        };
        self.emit_with(op, dtype, predicate, total, total, term, None);
        Some(())
    }

    /// The larger or smaller of each lane; NaN where one is.
    fn extreme(
        &mut self,
        op: BinaryOp,
        dtype: DType,
        to: Vector,
        x: Vector,
        y: Operand,
    ) -> Option<()> {
        let larger = op == BinaryOp::Max;
        let signed = dtype.is_signed();
        let ops = match (larger, signed) {
            _ if dtype.is_float() => {
                if larger {
                    MAX
                } else {
                    MIN
                }
            }
            (true, true) => MAX_SIGNED,
            (true, false) => MAX_UNSIGNED,
            (false, true) => MIN_SIGNED,
            (false, false) => MIN_UNSIGNED,
        };
        self.emit(ops, dtype, to, x, y);
        if dtype.is_float() {
            // The instruction gives `y` where one is NaN.
            let nan = self.temporary_mask()?;
            let itself = Operand::Vector(x);
            self.emit_with(COMPARE, dtype, Predicate::default(), nan, x, itself, Some(UNORDERED));
            let only = Predicate { mask: nan, zeroing: false };
            self.emit_with(LOAD, dtype, only, to, 0, itself, None);
        }
        Some(())
    }

    // Expressions.

    /// Computes expression `i`.
    fn compute(&mut self, i: usize) -> Option<()> {
        let kernel = &self.plan.kernel;
        let dtype = kernel.types[i];
        let from = operand_type(kernel, i);
        match &kernel.exprs[i] {
            Expr::Literal(_) | Expr::LoadAt { .. } => None,
            Expr::Load { guard, .. } => self.load(i, Arg::Load(i), guard.map(|g| g.0 as usize)),
            Expr::Index(map) => {
                let step = map.axes.last().copied().unwrap_or(0);
                // Floats are exact for small indices only.
                (!dtype.is_float()).then_some(())?;
                self.index(i, dtype, step)
            }
            Expr::Unary(op, x) => self.unary(i, *op, from, x.0 as usize),
            Expr::Binary(op, x, y) => self.binary(i, *op, dtype, x.0 as usize, y.0 as usize),
            Expr::Compare(op, x, y) => self.comparison(i, *op, from, x.0 as usize, y.0 as usize),
            Expr::Select(c, x, y) => {
                self.select(i, dtype, [c.0 as usize, x.0 as usize, y.0 as usize])
            }
            Expr::Cast(x) => {
                let x = x.0 as usize;
                if dtype == DType::Bool && from != DType::Bool {
                    return self.nonzero(i, from, x);
                }
                let value = self.converted(x, from, dtype)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(value));
                Some(())
            }
            Expr::Bitcast(x) => {
                (dtype != DType::Bool && from != DType::Bool).then_some(())?;
                let x = self.register(x.0 as usize, from)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(x));
                Some(())
            }
        }
    }

    /// The index at every point: that of the first one, and a step for each after it. Wraps as
    /// the type does.
    fn index(&mut self, i: usize, dtype: DType, step: i64) -> Option<()> {
        (dtype != DType::Bool).then_some(())?;
        let to = self.define(i)?;
        let size = dtype.size();
        let table: Vec<u8> =
            (0..64 / size).flat_map(|lane| (lane as u64).to_le_bytes()[..size].to_vec()).collect();
        let table = self.asm.constant(&table);
        self.emit(SPREAD, dtype, to, 0, Operand::Vector(RAX));
        self.emit(ADD, dtype, to, to, Operand::Table(table));
        if step != 1 {
            let step = self.literal(dtype, Scalar::Int(i128::from(step)))?;
            self.emit(MULTIPLY, dtype, to, to, step);
        }
        let first = self.shared(Arg::Index(i));
        self.emit(ADD, dtype, to, to, first);
        Some(())
    }

    fn unary(&mut self, i: usize, op: UnaryOp, dtype: DType, x: usize) -> Option<()> {
        let float = dtype.is_float();
        if dtype == DType::Bool {
            (op == UnaryOp::Not).then_some(())?;
            let x = self.mask(x)?;
            let to = self.define_mask(i)?;
            self.asm.mask(MASK_NOT, false, to, 0, x);
            return Some(());
        }
        let rounding = match op {
            UnaryOp::Round => Some(8),
            UnaryOp::Floor => Some(9),
            UnaryOp::Ceil => Some(10),
            _ => None,
        };
        if let (Some(mode), true) = (rounding, float) {
            let x = self.register(x, dtype)?;
            let to = self.define(i)?;
            let last = Operand::Vector(x);
            self.emit_with(ROUND, dtype, Predicate::default(), to, 0, last, Some(mode));
            return Some(());
        }
        match op {
            UnaryOp::Exp if float => {
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.exp(dtype, to, x)?;
            }
            UnaryOp::Sqrt if float => {
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(SQRT, dtype, to, 0, Operand::Vector(x));
            }
            UnaryOp::Neg | UnaryOp::Abs if float => {
                let sign = if dtype == DType::F32 { 1 << 31 } else { 1_i128 << 63 };
                let bits = if dtype == DType::F32 { DType::U32 } else { DType::U64 };
                let pattern = if op == UnaryOp::Neg { sign } else { sign - 1 };
                let pattern = self.literal(bits, Scalar::Int(pattern))?;
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                let ops = if op == UnaryOp::Neg { XOR } else { AND };
                self.emit(ops, bits, to, x, pattern);
            }
            UnaryOp::Neg => {
                let zero = self.literal(dtype, Scalar::Int(0))?;
                let none = self.temporary()?;
                self.broadcast(none, dtype, zero);
                let x = self.operand(x, dtype)?;
                let to = self.define(i)?;
                self.emit(SUBTRACT, dtype, to, none, x);
            }
            UnaryOp::Abs if dtype.is_signed() => {
                let x = self.operand(x, dtype)?;
                let to = self.define(i)?;
                self.emit(ABSOLUTE, dtype, to, 0, x);
            }
            UnaryOp::Not if !float => {
                let ones = self.literal(dtype, Scalar::Int(-1))?;
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(XOR, dtype, to, x, ones);
            }
            UnaryOp::IsFinite if float => {
                let bits = if dtype == DType::F32 { DType::U32 } else { DType::U64 };
                let low = if dtype == DType::F32 { (1 << 31) - 1 } else { (1_i128 << 63) - 1 };
                let magnitude = self.temporary()?;
                let pattern = self.literal(bits, Scalar::Int(low))?;
                let x = self.register(x, dtype)?;
                self.emit(AND, bits, magnitude, x, pattern);
                let infinity = self.literal(dtype, Scalar::Float(f64::INFINITY))?;
                let to = self.define_mask(i)?;
                let none = Predicate::default();
                self.emit_with(COMPARE, dtype, none, to, magnitude, infinity, Some(LESS));
            }
            UnaryOp::Sign if float => {
                let x = self.register(x, dtype)?;
                let to = self.define(i)?;
                self.emit(LOAD, dtype, to, 0, Operand::Vector(x));
                let zero = self.literal(dtype, Scalar::Int(0))?;
                for (predicate, value) in [(GREATER, 1), (LESS, -1)] {
                    let mask = self.temporary_mask()?;
                    let none = Predicate::default();
                    self.emit_with(COMPARE, dtype, none, mask, x, zero, Some(predicate));
                    let value = self.literal(dtype, Scalar::Int(value))?;
                    self.emit_where(BLEND, dtype, mask, to, to, value);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// e^x, with the same bits as the kernel: see `kernels/src/math/exponential.rs`. The
    /// instruction that scales by a power of two saves a third of the work.
    fn exp(&mut self, dtype: DType, to: Vector, x: Vector) -> Option<()> {
        let numbers = exp_constants(dtype == DType::F64);
        let reg = Operand::Vector;
        let bounded = self.temporary()?;
        // The instructions give their last operand where it is NaN.
        let (low, high) = numbers.range;
        for (bound, ops, x) in [(high, MIN, x), (low, MAX, bounded)] {
            let limit = self.temporary()?;
            let bound = self.literal(dtype, Scalar::Float(bound))?;
            self.broadcast(limit, dtype, bound);
            self.emit(ops, dtype, bounded, limit, reg(x));
        }
        let n = self.temporary()?;
        let log2_e = self.literal(dtype, Scalar::Float(std::f64::consts::LOG2_E))?;
        self.emit(MULTIPLY, dtype, n, bounded, log2_e);
        self.emit_with(ROUND, dtype, Predicate::default(), n, 0, reg(n), Some(8));
        let r = bounded;
        for part in [numbers.ln2.0, numbers.ln2.1] {
            let part = self.literal(dtype, Scalar::Float(part))?;
            self.emit(SUBTRACT_PRODUCT, dtype, r, n, part);
        }
        let q = self.temporary()?;
        let (last, rest) = numbers.second_order.split_last()?;
        let last = self.literal(dtype, Scalar::Float(*last))?;
        self.broadcast(q, dtype, last);
        for &c in rest.iter().rev() {
            let c = self.literal(dtype, Scalar::Float(c))?;
            self.emit(MULTIPLY_ADD, dtype, q, r, c);
        }
        self.emit(MULTIPLY, dtype, to, r, reg(r));
        self.emit(MULTIPLY_ADD, dtype, to, q, reg(r));
        let one = self.literal(dtype, Scalar::Int(1))?;
        self.emit(ADD, dtype, to, to, one);
        self.emit(SCALE, dtype, to, to, reg(n));
        Some(())
    }

    fn emit_where(
        &mut self,
        ops: Typed,
        dtype: DType,
        mask: Mask,
        to: u8,
        first: u8,
        last: Operand,
    ) {
        let predicate = Predicate { mask, zeroing: false };
        self.emit_with(ops, dtype, predicate, to, first, last, None);
    }

    fn binary(&mut self, i: usize, op: BinaryOp, dtype: DType, x: usize, y: usize) -> Option<()> {
        let float = dtype.is_float();
        if dtype == DType::Bool {
            let opcode = match op {
                BinaryOp::And => MASK_AND,
                BinaryOp::Or => MASK_OR,
                BinaryOp::Xor => MASK_XOR,
                _ => return None,
            };
            let (x, y) = (self.mask(x)?, self.mask(y)?);
            let to = self.define_mask(i)?;
            self.asm.mask(opcode, true, to, x, y);
            return Some(());
        }
        if matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            return self.shift(i, op == BinaryOp::Shl, dtype, x, y);
        }
        let ops = match op {
            BinaryOp::Add => ADD,
            BinaryOp::Sub => SUBTRACT,
            BinaryOp::Mul => MULTIPLY,
            BinaryOp::Div if float => DIVIDE,
            BinaryOp::And if !float => AND,
            BinaryOp::Or if !float => OR,
            BinaryOp::Xor if !float => XOR,
            BinaryOp::Max | BinaryOp::Min => {
                let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
                let to = self.define(i)?;
                return self.extreme(op, dtype, to, x, y);
            }
            _ => return None,
        };
        // A value from memory can be the last operand only.
        let varies = |this: &Self, x: usize| matches!(this.locs.get(&x), Some(Loc::Vector(_)));
        let swaps = !matches!(op, BinaryOp::Sub | BinaryOp::Div);
        let (x, y) = if swaps && !varies(self, x) && varies(self, y) { (y, x) } else { (x, y) };
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define(i)?;
        self.emit(ops, dtype, to, x, y);
        Some(())
    }

    /// Shifts by more than there are bits give zeros, or signs.
    fn shift(&mut self, i: usize, left: bool, dtype: DType, x: usize, y: usize) -> Option<()> {
        let ops = match (left, dtype.is_signed()) {
            _ if dtype.is_float() => return None,
            (true, _) => SHIFT_LEFT,
            (false, true) => SHIFT_SIGNED,
            (false, false) => SHIFT_RIGHT,
        };
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define(i)?;
        self.emit(ops, dtype, to, x, y);
        Some(())
    }

    fn comparison(
        &mut self,
        i: usize,
        op: CompareOp,
        dtype: DType,
        x: usize,
        y: usize,
    ) -> Option<()> {
        if dtype == DType::Bool {
            let opcode = match op {
                CompareOp::Eq => MASK_SAME,
                CompareOp::Ne => MASK_XOR,
                _ => return None,
            };
            let (x, y) = (self.mask(x)?, self.mask(y)?);
            let to = self.define_mask(i)?;
            self.asm.mask(opcode, true, to, x, y);
            return Some(());
        }
        let (ops, predicate) = predicate(op, dtype);
        let (x, y) = (self.register(x, dtype)?, self.operand(y, dtype)?);
        let to = self.define_mask(i)?;
        self.emit_with(ops, dtype, Predicate::default(), to, x, y, Some(predicate));
        Some(())
    }

    fn nonzero(&mut self, i: usize, dtype: DType, x: usize) -> Option<()> {
        let (ops, predicate) = predicate(CompareOp::Ne, dtype);
        let zero = self.literal(dtype, Scalar::Int(0))?;
        let x = self.register(x, dtype)?;
        let to = self.define_mask(i)?;
        self.emit_with(ops, dtype, Predicate::default(), to, x, zero, Some(predicate));
        Some(())
    }

    fn select(&mut self, i: usize, dtype: DType, [c, x, y]: [usize; 3]) -> Option<()> {
        let c = self.mask(c)?;
        if dtype == DType::Bool {
            let (x, y) = (self.mask(x)?, self.mask(y)?);
            let on = self.temporary_mask()?;
            self.asm.mask(MASK_AND, true, on, c, x);
            let off = self.temporary_mask()?;
            self.asm.mask(MASK_AND_NOT, true, off, c, y);
            let to = self.define_mask(i)?;
            self.asm.mask(MASK_OR, true, to, on, off);
            return Some(());
        }
        let (x, y) = (self.operand(x, dtype)?, self.register(y, dtype)?);
        let to = self.define(i)?;
        self.emit_where(BLEND, dtype, c, to, y, x);
        Some(())
    }

    /// A value as another type, in a register.
    fn converted(&mut self, x: usize, from: DType, to: DType) -> Option<Vector> {
        if from == DType::Bool {
            (to != DType::Bool).then_some(())?;
            let mask = self.mask(x)?;
            let one = self.literal(to, Scalar::Int(1))?;
            let result = self.temporary()?;
            let only = Predicate { mask, zeroing: true };
            let width = self.width(to);
            self.asm.vector_of_element_where(BROADCAST.of(to), width, only, result, one);
            return Some(result);
        }
        let value = self.register(x, from)?;
        let Some(code) = conversion(from, to)? else { return Some(value) };
        let result = self.temporary()?;
        // The width is that of the wider of the two.
        let width = match self.width(from) {
            Width::Full => Width::Full,
            Width::Half => self.width(to),
        };
        if to.size() < from.size() && !to.is_float() {
            // Narrowing of integers writes its last operand.
            self.asm.vector(
                code,
                width,
                Predicate::default(),
                value,
                0,
                Operand::Vector(result),
                None,
            );
        } else {
            self.asm.vector(
                code,
                width,
                Predicate::default(),
                result,
                0,
                Operand::Vector(value),
                None,
            );
        }
        Some(result)
    }
}
