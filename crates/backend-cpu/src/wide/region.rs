//! Vector regions: the inline code of one segment of a kernel over the points of a tile, in
//! AVX-512, sixteen points at a time or eight where some value has 64 bits. Cranelift has vectors
//! of 128 bits only; on long tiles this code is two to four times faster.
//!
//! A region is a function `(args, begin, end)`: `args` points to eight bytes for each [`Arg`],
//! addresses of first elements or values that are the same at all points, and room for the
//! vectors of partial reductions behind them. What `expressions` has no instruction for gives no
//! region, and the segment is emitted for Cranelift.

#![deny(clippy::wildcard_enum_match_arm)]

use super::assembler::*;
use super::divides_slowly;
use super::instructions::*;
use super::waiting::Spills;
use crate::plan::{Plan, operand_type};
use crate::reduction::identity;
use crate::segments::{Held, Segment, Step};
use probpipe_lowering::{BufferId, Expr, Kernel};
use probpipe_trace::{BinaryOp, DType, Scalar, UnaryOp};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What a slot of the arguments holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arg {
    /// The address of the first point's element of this load; where it reads at computed indices,
    /// of the element that these count from.
    Load(usize),
    /// The address of the first point's element of this store of the kernel.
    Store(usize),
    /// The tile's first element in this scratch row; its address is that of the first row, and a
    /// distance that is known.
    Row(usize),
    /// The address of the first scratch row, for rows of elements of so many bytes.
    Rows(usize),
    /// The value of this expression.
    Value(usize),
    /// The reciprocal of this expression's value, if that is one of [`super::divisors`], else NaN.
    Reciprocal(usize),
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
pub(super) enum Loc {
    Vector(Vector),
    Mask(Mask),
    /// A vector in this place behind the arguments, for want of registers.
    Away(usize),
    /// A mask there.
    MaskAway(usize),
}

/// Registers for the addresses of streams: those that functions may change, then those that they
/// must restore.
const BASES: [General; 10] = [8, 9, 10, RSI, 3, 5, 12, 13, 14, 15];
/// How many of them need no saving.
const UNSAVED: usize = 4;
/// The mask of the last, short vector.
pub(super) const TAIL: Mask = 1;
/// Reductions of segments of at most this many steps run in this many accumulators, which hides
/// the latency of an addition.
const UNROLLED_STEPS: usize = 12;
const UNROLL: usize = 4;

/// A region under construction.
pub(super) struct Builder<'p> {
    pub(super) plan: &'p Plan,
    /// Bytes of a scratch row.
    pub(super) row_bytes: usize,
    /// The number of elements of a buffer.
    pub(super) elements: &'p dyn Fn(BufferId) -> usize,
    pub(super) asm: Assembler,
    /// Points at a time.
    pub(super) lanes: usize,
    /// Whether two vectors are computed side by side.
    pub(super) paired: bool,
    /// How many points the vector at hand is ahead of `RAX`.
    pub(super) ahead: usize,
    pub(super) args: Vec<Arg>,
    /// Streams in the order of their registers.
    pub(super) streams: Vec<Arg>,
    /// Element types of the rows.
    pub(super) row_types: FxHashMap<usize, DType>,
    pub(super) uses: FxHashMap<usize, usize>,
    pub(super) locs: FxHashMap<usize, Loc>,
    pub(super) spills: Spills,
    pub(super) vectors: Vec<Vector>,
    pub(super) masks: Vec<Mask>,
    pub(super) temporary: SmallVec<[Loc; 4]>,
    /// Whether the vector at hand is the last, short one.
    pub(super) tail: bool,
    /// Accumulators, by store and turn.
    pub(super) accumulators: FxHashMap<(usize, usize), Vector>,
    pub(super) streaming: bool,
    /// Whether sums take the factors of their summands.
    pub(super) fuses_sums: bool,
    /// Code that lies behind all other.
    pub(super) exits: Vec<Exit>,
}

/// The way of vectors of which some lane is no sure quotient, see `quotient`.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) dtype: DType,
    /// Where it begins, and where it goes back to: with the rest as it is, or with the quotient.
    pub(super) from: Label,
    pub(super) back: Label,
    pub(super) done: Label,
    pub(super) suspect: Mask,
    pub(super) spare: Mask,
    pub(super) numerator: Vector,
    pub(super) divisor: Operand,
    /// Holds the rest, and takes the quotient.
    pub(super) to: Vector,
}

/// Whether the chain of operations at a vector is so long that another beside it pays.
fn pays_paired(plan: &Plan, segment: &Segment) -> bool {
    let exprs = |step: &Step| match *step {
        Step::Compute(i) | Step::Read(i, _) => &plan.kernel.exprs[i],
    };
    let divides = |expr: &Expr| {
        matches!(expr, Expr::Binary(BinaryOp::Div, _, y)
        if plan.depth[y.0 as usize] < plan.extents.len())
    };
    divides_slowly()
        && segment.steps.iter().any(|step| divides(exprs(step)))
        // The indices of a vector are those of `RAX`.
        && !segment.steps.iter().any(|step| matches!(exprs(step), Expr::Index(_)))
}

/// Whether regions compute an expression that others call a kernel for.
pub(crate) fn computes(kernel: &Kernel, i: usize) -> bool {
    kernel.types[i].is_float() && matches!(kernel.exprs[i], Expr::Unary(UnaryOp::Exp, _))
}

/// Whether regions can hold values of a type.
fn holds(dtype: DType) -> bool {
    dtype != DType::U8
}

/// Builds the region of a segment, of scratch rows of so many bytes and of a program whose buffers
/// have these numbers of elements; `streaming` stores pass the caches by.
pub(crate) fn build(
    plan: &Plan,
    segment: &Segment,
    sums: Sums<'_>,
    streaming: bool,
    row_bytes: usize,
    elements: &dyn Fn(BufferId) -> usize,
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
    let rows_of = |dtype: DType| Arg::Rows(dtype.size());
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
                    Expr::LoadAt { .. } => {
                        matches!(kernel.types[i].size(), 4 | 8).then_some(())?;
                        stream(Arg::Load(i));
                    }
                    Expr::Load { .. } | Expr::Special(..) => return None,
                    Expr::Literal(_)
                    | Expr::Index(_)
                    | Expr::Unary(..)
                    | Expr::Binary(..)
                    | Expr::MulAdd { .. }
                    | Expr::Summand(..)
                    | Expr::Compare(..)
                    | Expr::Select(..)
                    | Expr::Cast(_)
                    | Expr::Bitcast(_) => {}
                }
            }
            Step::Read(i, held) => {
                types(kernel.types[i])?;
                stream(match held {
                    Held::Row(row) => {
                        row_types.insert(row, kernel.types[i]);
                        rows_of(kernel.types[i])
                    }
                    Held::Stored(k) => Arg::Store(k),
                });
            }
        }
    }
    for &(i, row) in &segment.keeps {
        types(kernel.types[i])?;
        row_types.insert(row, kernel.types[i]);
        stream(rows_of(kernel.types[i]));
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
                stream(rows_of(sum_types[k]));
            }
        }
    }
    if streams.len() > BASES.len() {
        return None;
    }
    let builder = |paired: bool| Builder {
        plan,
        row_bytes,
        elements,
        asm: Assembler::default(),
        lanes: if wide { 8 } else { 16 },
        paired,
        ahead: 0,
        args: streams.clone(),
        streams: streams.clone(),
        row_types: row_types.clone(),
        uses: FxHashMap::default(),
        locs: FxHashMap::default(),
        spills: Spills::default(),
        vectors: (0..32).rev().collect(),
        masks: (2..8).rev().collect(),
        temporary: SmallVec::new(),
        tail: false,
        accumulators: FxHashMap::default(),
        streaming,
        fuses_sums: matches!(sums, Sums::Registers),
        exits: Vec::new(),
    };
    let paired = pays_paired(plan, segment);
    // Two vectors at a time may need more registers than there are.
    let pairs = paired.then(|| builder(true).function(segment, sums)).flatten();
    pairs.or_else(|| builder(false).function(segment, sums))
}

impl Builder<'_> {
    pub(super) fn function(mut self, segment: &Segment, sums: Sums<'_>) -> Option<Region> {
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
            let empty = self.literal(dtype, identity(op, dtype))?;
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
        if self.paired && turns == 1 {
            self.each(2 * self.lanes, |this| {
                this.pair(segment, sums)?;
                this.asm.add_number(RAX, 2 * this.lanes as i8);
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

        let mut offset = self.end_of_spills()?;
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
        self.exits()?;
        Some(Region { code: self.asm.finish(), args: self.args, sums: partial, bytes: offset })
    }

    /// The first instructions: `RAX` counts points, addresses are in registers. Rows begin with
    /// the tile, so their addresses go back by the points before it.
    pub(super) fn enter(&mut self) -> Option<()> {
        for &register in BASES[..self.streams.len()].iter().skip(UNSAVED) {
            self.asm.push(register);
        }
        self.asm.copy(RAX, RSI);
        for (k, (&base, &stream)) in BASES.iter().zip(&self.streams).enumerate() {
            // `RSI` itself is one of them.
            self.asm.load(base, 8 * k as i32);
            if let Arg::Rows(size) = stream {
                self.asm.copy(RCX, RAX);
                self.asm.shift_left(RCX, size.trailing_zeros() as u8);
                self.asm.subtract(base, RCX);
            }
        }
        Some(())
    }

    pub(super) fn leave(&mut self) {
        if self.streaming {
            self.asm.store_fence();
        }
        for &register in BASES[..self.streams.len()].iter().skip(UNSAVED).rev() {
            self.asm.pop(register);
        }
        self.asm.leave();
    }

    /// Emits a loop for as long as `points` points are left.
    pub(super) fn each(
        &mut self,
        points: usize,
        body: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
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

    // Registers.

    pub(super) fn temporary(&mut self) -> Option<Vector> {
        let register = self.vector()?;
        self.temporary.push(Loc::Vector(register));
        Some(register)
    }

    pub(super) fn temporary_mask(&mut self) -> Option<Mask> {
        let mask = self.free_mask()?;
        self.temporary.push(Loc::Mask(mask));
        Some(mask)
    }

    pub(super) fn release(&mut self) {
        for loc in std::mem::take(&mut self.temporary) {
            self.free(loc);
        }
    }

    pub(super) fn free(&mut self, loc: Loc) {
        match loc {
            Loc::Vector(register) => self.vectors.push(register),
            Loc::Mask(mask) => self.masks.push(mask),
            Loc::Away(_) | Loc::MaskAway(_) => {}
        }
    }

    /// Notes that a use of `x` is over.
    pub(super) fn used(&mut self, x: usize) {
        let left = self.uses.entry(x).or_insert(1);
        *left = left.saturating_sub(1);
        if *left == 0
            && let Some(loc) = self.locs.remove(&x)
        {
            self.free(loc);
            self.spills.forget(x);
        }
    }

    /// A fresh vector register for expression `i`.
    pub(super) fn define(&mut self, i: usize) -> Option<Vector> {
        let register = self.vector()?;
        self.locs.insert(i, Loc::Vector(register));
        Some(register)
    }

    /// A fresh mask register for expression `i`.
    pub(super) fn define_mask(&mut self, i: usize) -> Option<Mask> {
        let mask = self.free_mask()?;
        self.locs.insert(i, Loc::Mask(mask));
        Some(mask)
    }

    // Operands.

    /// The width of vectors of a type; truth values are handled as words.
    pub(super) fn width(&self, dtype: DType) -> Width {
        if dtype.size().max(4) * self.lanes == 64 { Width::Full } else { Width::Half }
    }

    /// The element type of a stream.
    pub(super) fn type_of(&self, arg: Arg) -> Option<DType> {
        let kernel = &self.plan.kernel;
        match arg {
            Arg::Load(i) | Arg::Value(i) | Arg::Reciprocal(i) | Arg::Index(i) => {
                kernel.types.get(i).copied()
            }
            Arg::Store(k) => Some(kernel.ty(kernel.stores.get(k)?.value)),
            Arg::Row(row) => self.row_types.get(&row).copied(),
            Arg::Rows(_) => None,
        }
    }

    /// The elements of a stream from `RAX` on.
    pub(super) fn stream(&self, arg: Arg) -> Option<Operand> {
        let size = self.type_of(arg)?.size();
        let (base, row) = match arg {
            Arg::Row(row) => (Arg::Rows(size), row * self.row_bytes),
            Arg::Load(_)
            | Arg::Store(_)
            | Arg::Rows(_)
            | Arg::Value(_)
            | Arg::Reciprocal(_)
            | Arg::Index(_) => (arg, 0),
        };
        let ahead = (self.ahead * size + row) as i32;
        Some(Operand::Stream { base: self.base(base)?, scale: size.trailing_zeros() as u8, ahead })
    }

    /// The register that holds the address of a stream.
    pub(super) fn base(&self, arg: Arg) -> Option<General> {
        Some(BASES[self.streams.iter().position(|&have| have == arg)?])
    }

    /// The place of an argument.
    pub(super) fn shared(&mut self, arg: Arg) -> Operand {
        let found = self.args.iter().position(|&have| have == arg);
        let slot = found.unwrap_or_else(|| {
            self.args.push(arg);
            self.args.len() - 1
        });
        Operand::Shared(8 * slot as i32)
    }

    /// A literal of a type, for all lanes.
    pub(super) fn literal(&mut self, dtype: DType, value: Scalar) -> Option<Operand> {
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
    pub(super) fn operand(&mut self, x: usize, dtype: DType) -> Option<Operand> {
        if let Expr::Literal(value) = self.plan.kernel.exprs[x] {
            return self.literal(dtype, value);
        }
        if self.plan.depth[x] < self.plan.extents.len() {
            return Some(self.shared(Arg::Value(x)));
        }
        match *self.locs.get(&x)? {
            Loc::Vector(register) => Some(Operand::Vector(register)),
            Loc::Away(slot) => Some(Spills::place(slot)),
            Loc::Mask(_) | Loc::MaskAway(_) => None,
        }
    }

    /// A value in a register.
    pub(super) fn register(&mut self, x: usize, dtype: DType) -> Option<Vector> {
        self.bring_back(x)?;
        match self.operand(x, dtype)? {
            Operand::Vector(register) => Some(register),
            other @ (Operand::Stream { .. }
            | Operand::Whole(_)
            | Operand::Element { .. }
            | Operand::Gathered { .. }
            | Operand::Shared(_)
            | Operand::Local(_)
            | Operand::Constant(_)
            | Operand::Table(_)) => {
                let register = self.temporary()?;
                self.broadcast(register, dtype, other);
                Some(register)
            }
        }
    }

    /// A truth value in a mask.
    pub(super) fn mask(&mut self, x: usize) -> Option<Mask> {
        self.bring_back(x)?;
        if let Some(Loc::Mask(mask)) = self.locs.get(&x) {
            return Some(*mask);
        }
        let value = self.operand(x, DType::Bool)?;
        let (word, mask) = (self.temporary()?, self.temporary_mask()?);
        self.broadcast(word, DType::I32, value);
        self.emit(TEST, DType::I32, mask, word, Operand::Vector(word));
        Some(mask)
    }
    /// `to = only and x`, without a mask for a truth value that is the same at all points.
    pub(super) fn mask_where(&mut self, x: usize, only: Mask, to: Mask) -> Option<()> {
        self.bring_back(x)?;
        if let Some(&Loc::Mask(mask)) = self.locs.get(&x) {
            self.asm.mask(MASK_AND, true, to, only, mask);
            return Some(());
        }
        let value = self.operand(x, DType::Bool)?;
        let word = self.temporary()?;
        self.broadcast(word, DType::I32, value);
        let only = Predicate { mask: only, zeroing: false };
        self.emit_with(TEST, DType::I32, only, to, word, Operand::Vector(word), None);
        Some(())
    }
}
