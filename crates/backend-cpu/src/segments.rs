//! How a kernel is cut where it calls a tile kernel: segments of inline vector code over one tile,
//! with calls between them, and the scratch rows that carry values across. Nothing here emits.

use crate::plan::{Plan, operand_type};
use crate::symbols::{self, Door};
use crate::tuning::tuning;
use probpipe_lowering::Expr;
use probpipe_trace::DType;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A value that takes this many operations is kept in scratch rather than computed again.
const SPILL_COST: u32 = 4;
/// Scratch rows should stay in the first-level cache.
const SCRATCH_BYTES: usize = 24 << 10;
/// Elements of a tile.
const TILE: usize = 512;
/// With more calls in a row than this a kernel is long to compile: arithmetic between calls is
/// then called too rather than emitted as a loop of its own.
const MANY_SEGMENTS: usize = 64;
/// Rows for operands of such calls that are the same at all points.
const UNIFORM_ROWS: usize = 16;
/// Elements of a tile when nothing is called: it only bounds what one partial sum adds up.
const PLAIN_TILE: usize = 512;

/// Where a tile's values of an expression are between segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Held {
    /// In this scratch row.
    Row(usize),
    /// Where this store of the kernel writes them.
    Stored(usize),
}

/// Where a call finds an operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// In this scratch row.
    Row(usize),
    /// In the buffer that this load reads.
    Loaded(usize),
    /// One value for the whole tile, that of this expression.
    Value(usize),
}

/// A call of a tile kernel.
#[derive(Clone, Debug)]
pub(crate) struct TileCall {
    pub(crate) function: Door,
    pub(crate) arguments: SmallVec<[Argument; 4]>,
    pub(crate) results: SmallVec<[Held; 2]>,
}

/// How an expression comes into registers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// From its operands.
    Compute(usize),
    /// From where it is held.
    Read(usize, Held),
}

/// Inline code over a tile, then calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    /// What is brought into registers, operands first.
    pub(crate) steps: Vec<Step>,
    /// Expressions that go to scratch rows.
    pub(crate) keeps: Vec<(usize, usize)>,
    /// Stores of the kernel, by position.
    pub(crate) stores: Vec<usize>,
    /// Calls after all points of the tile are done.
    pub(crate) calls: Vec<TileCall>,
}

/// The cut of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    pub(crate) list: Vec<Segment>,
    /// Number of scratch rows.
    pub(crate) rows: usize,
    /// Elements of a full tile; a multiple of 16.
    pub(crate) tile: usize,
}

/// The tile kernel that computes expression `i`, if it is one of those and varies along the
/// innermost axis.
pub(crate) fn tile_function(plan: &Plan, i: usize) -> Option<Door> {
    if !plan.live[i] || plan.depth[i] < plan.extents.len() {
        return None;
    }
    if let Some(block) = plan.block_of[i] {
        let [k0, k1, ..] = plan.blocks[block].inputs;
        let one = plan.depth[k0].max(plan.depth[k1]) < plan.extents.len();
        return Some(if one { symbols::threefry_one_key() } else { symbols::threefry() });
    }
    let dtype = operand_type(&plan.kernel, i);
    match &plan.kernel.exprs[i] {
        Expr::Unary(op, _) => symbols::unary_tile(*op, dtype),
        Expr::Binary(op, _, _) => symbols::binary_tile(*op, dtype),
        _ => None,
    }
}

/// Whether a load reads consecutive elements along the innermost axis.
fn is_contiguous(plan: &Plan, expr: &Expr) -> bool {
    matches!(expr, Expr::Load { index, guard: None, .. }
        if index.axes.get(plan.extents.len() - 1) == Some(&1))
}

/// Adds the tile kernels of arithmetic on values that vary, and on some that do not: those get
/// rows of their own for the whole tile.
fn call_arithmetic(plan: &Plan, functions: &mut [Option<Door>]) {
    let inner = plan.extents.len();
    let mut uniform: Vec<usize> = Vec::new();
    for (i, function) in functions.iter_mut().enumerate().filter(|(i, _)| plan.live[*i]) {
        let Expr::Binary(op, x, y) = &plan.kernel.exprs[i] else { continue };
        let operands = [x.0 as usize, y.0 as usize];
        if function.is_some() || plan.depth[i] < inner {
            continue;
        }
        let same = operands.into_iter().find(|&x| plan.depth[x] < inner);
        let new = same.filter(|x| !uniform.contains(x));
        if new.is_none() || uniform.len() < UNIFORM_ROWS {
            uniform.extend(new);
            *function = symbols::arithmetic_tile(*op, plan.kernel.types[i]);
        }
    }
}

/// The first segment in which each expression can be had, and the last of all.
fn order(plan: &Plan, functions: &[Option<Door>]) -> (Vec<usize>, usize) {
    let mut ready = vec![0; functions.len()];
    for i in 0..functions.len() {
        let mut at = 0;
        plan.operands(i, |x| at = at.max(ready[x]));
        ready[i] = at + usize::from(functions[i].is_some());
    }
    let last = (0..functions.len()).filter(|&i| plan.live[i]).map(|i| ready[i]).max().unwrap_or(0);
    (ready, last)
}

struct Cutter<'p> {
    plan: &'p Plan,
    functions: Vec<Option<Door>>,
    /// The first segment in which an expression can be had.
    ready: Vec<usize>,
    /// The calls at the end of each segment.
    calls: Vec<Vec<usize>>,
    /// The segment that last brought an expression into registers, plus one.
    visited: Vec<usize>,
    held: FxHashMap<usize, Held>,
    first: Vec<Option<usize>>,
    segments: Vec<Segment>,
    /// Segments in which each scratch row's value lives; rows are named before they are placed.
    lives: Vec<(usize, usize)>,
}

/// Cuts a kernel whose innermost axis has `extent` points.
/// `inline` expressions are no calls: a vector region computes them itself.
pub(crate) fn cut(plan: &Plan, extent: usize, inline: impl Fn(usize) -> bool) -> Segments {
    let count = plan.kernel.exprs.len();
    let function = |i: usize| if inline(i) { None } else { tile_function(plan, i) };
    let mut functions: Vec<Option<Door>> = (0..count).map(function).collect();
    let (mut ready, mut last) = order(plan, &functions);
    if last > MANY_SEGMENTS {
        call_arithmetic(plan, &mut functions);
        (ready, last) = order(plan, &functions);
    }
    let mut calls = vec![Vec::new(); last + 1];
    for i in 0..count {
        if functions[i].is_some() {
            calls[ready[i] - 1].push(i);
        }
    }
    let mut cutter = Cutter {
        plan,
        functions,
        ready,
        calls,
        visited: vec![0; count],
        held: FxHashMap::default(),
        first: vec![None; count],
        segments: vec![Segment::default(); last + 1],
        lives: Vec::new(),
    };
    cutter.run(last);
    let rows = cutter.place_rows();
    let divided = plan.split.is_some() && plan.splits_tiles();
    let tile = if divided && last == 0 && plan.kernel.reduce.is_empty() {
        tuning().part_tile
    } else if last == 0 && plan.kernel.reduce.is_empty() {
        extent.next_multiple_of(16)
    } else if last == 0 {
        PLAIN_TILE
    } else {
        let fits = SCRATCH_BYTES / (rows.max(1) * 8) / 64 * 64;
        fits.clamp(64, TILE)
    };
    let tile = if divided {
        // Parts are made of whole tiles.
        1 << tile.min(tuning().part_tile).ilog2()
    } else {
        extent.div_ceil(extent.div_ceil(tile).max(1)).next_multiple_of(16)
    };
    Segments { list: cutter.segments, rows, tile }
}

impl Cutter<'_> {
    fn run(&mut self, last: usize) {
        let kernel = &self.plan.kernel;
        let in_place = kernel.stores.iter().any(|store| self.reads(store.buffer));
        for s in 0..=last {
            let mut planned = Vec::new();
            for i in std::mem::take(&mut self.calls[s]) {
                // The second result of a block comes with the first.
                let block = self.plan.block_of[i];
                let again = |&(j, _): &(usize, _)| self.plan.block_of[j] == block;
                if block.is_none() || !planned.iter().any(again) {
                    planned.push((i, self.arguments(i, s)));
                }
            }
            for (k, store) in kernel.stores.iter().enumerate() {
                let value = store.value.0 as usize;
                // A buffer that is also read is written when all reading is done.
                let due = if in_place && store.reduce.is_none() { last } else { self.ready[value] };
                let written = self.held.get(&value) == Some(&Held::Stored(k));
                if due == s && !written {
                    self.visit(value, s);
                    self.segments[s].stores.push(k);
                }
            }
            for (i, arguments) in planned {
                let mut results: SmallVec<[Held; 2]> = SmallVec::new();
                let outputs: SmallVec<[usize; 2]> = match self.plan.block_of[i] {
                    Some(block) => SmallVec::from_slice(&self.plan.blocks[block].outputs),
                    None => SmallVec::from_slice(&[i]),
                };
                for i in outputs {
                    let result = self.result(i, s, in_place);
                    self.held.insert(i, result);
                    results.push(result);
                }
                if let Some(function) = self.functions[i] {
                    self.segments[s].calls.push(TileCall { function, arguments, results });
                }
            }
            self.segments[s].steps.sort_by_key(|step| match step {
                Step::Compute(i) | Step::Read(i, _) => *i,
            });
        }
    }

    fn reads(&self, buffer: probpipe_lowering::BufferId) -> bool {
        self.plan.kernel.exprs.iter().zip(&self.plan.live).any(|(expr, live)| {
            *live
                && matches!(expr, Expr::Load { buffer: b, .. } | Expr::LoadAt { buffer: b, .. }
                    if *b == buffer)
        })
    }

    fn row(&mut self, from: usize, to: usize) -> usize {
        self.lives.push((from, to));
        self.lives.len() - 1
    }

    fn used(&mut self, held: Held, s: usize) {
        if let Held::Row(row) = held {
            self.lives[row].1 = self.lives[row].1.max(s);
        }
    }

    fn arguments(&mut self, i: usize, s: usize) -> SmallVec<[Argument; 4]> {
        let mut list: SmallVec<[usize; 4]> = SmallVec::new();
        self.plan.operands(i, |x| list.push(x));
        let one_key = self.functions[i] == Some(symbols::threefry_one_key());
        list.into_iter()
            .enumerate()
            .map(|(k, x)| if one_key && k < 2 { Argument::Value(x) } else { self.argument(x, s) })
            .collect()
    }

    fn argument(&mut self, x: usize, s: usize) -> Argument {
        if is_contiguous(self.plan, &self.plan.kernel.exprs[x]) {
            return Argument::Loaded(x);
        }
        if let Some(Held::Row(row)) = self.held.get(&x).copied() {
            self.used(Held::Row(row), s);
            return Argument::Row(row);
        }
        if let Some(&(_, row)) = self.segments[s].keeps.iter().find(|(e, _)| *e == x) {
            return Argument::Row(row);
        }
        self.visit(x, s);
        // Later segments may as well read it. What does not vary is written once for all calls.
        let varies = self.plan.depth[x] == self.plan.extents.len();
        let at = if varies { s } else { 0 };
        let row = self.row(at, s);
        self.segments[at].keeps.push((x, row));
        self.held.insert(x, Held::Row(row));
        Argument::Row(row)
    }

    /// Where a call writes: straight to memory where one store takes just that, else to a row.
    fn result(&mut self, i: usize, s: usize, in_place: bool) -> Held {
        let plan = self.plan;
        let innermost = plan.extents.len() - 1;
        let direct = plan.kernel.stores.iter().position(|store| {
            store.value.0 as usize == i
                && store.reduce.is_none()
                && store.index.axes.get(innermost) == Some(&1)
        });
        match direct {
            Some(store) if !in_place => Held::Stored(store),
            _ => Held::Row(self.row(s, s)),
        }
    }

    /// Brings expression `i` into the registers of segment `s`.
    fn visit(&mut self, i: usize, s: usize) {
        if self.visited[i] == s + 1 || self.plan.depth[i] < self.plan.extents.len() {
            return;
        }
        self.visited[i] = s + 1;
        if let Some(held) = self.held.get(&i).copied() {
            let here = matches!(held, Held::Row(row) if self.lives[row].0 == s
                && self.functions[i].is_none());
            if !here {
                self.used(held, s);
                self.segments[s].steps.push(Step::Read(i, held));
                return;
            }
        }
        if let Some(first) = self.first[i]
            && first < s
            && self.cost(i, SPILL_COST + 1) > SPILL_COST
        {
            let row = self.row(first, s);
            self.segments[first].keeps.push((i, row));
            self.held.insert(i, Held::Row(row));
            self.segments[s].steps.push(Step::Read(i, Held::Row(row)));
            return;
        }
        self.first[i].get_or_insert(s);
        self.segments[s].steps.push(Step::Compute(i));
        let mut list: SmallVec<[usize; 3]> = SmallVec::new();
        self.plan.operands(i, |x| list.push(x));
        for x in list {
            self.visit(x, s);
        }
    }

    /// Number of operations that it takes to compute `i`, as far as `limit`.
    fn cost(&self, i: usize, limit: u32) -> u32 {
        if limit == 0 || self.plan.depth[i] < self.plan.extents.len() {
            return 0;
        }
        if self.held.contains_key(&i) {
            return 1;
        }
        let mut cost = match &self.plan.kernel.exprs[i] {
            expr @ Expr::Load { .. } if is_contiguous(self.plan, expr) => 1,
            Expr::Load { .. } | Expr::LoadAt { .. } => 8,
            _ => 1,
        };
        self.plan.operands(i, |x| {
            cost += self.cost(x, limit.saturating_sub(cost));
        });
        cost
    }

    /// Gives the rows their places, so that those that do not live together share one.
    fn place_rows(&mut self) -> usize {
        let mut order: Vec<usize> = (0..self.lives.len()).collect();
        order.sort_by_key(|&row| self.lives[row].0);
        let mut until: Vec<usize> = Vec::new();
        let mut place = vec![0; self.lives.len()];
        for row in order {
            let (from, to) = self.lives[row];
            let free = until.iter().position(|&end| end < from);
            let at = free.unwrap_or_else(|| {
                until.push(0);
                until.len() - 1
            });
            until[at] = to;
            place[row] = at;
        }
        let moved = |held: &mut Held| {
            if let Held::Row(row) = held {
                *row = place[*row];
            }
        };
        for segment in &mut self.segments {
            for step in &mut segment.steps {
                if let Step::Read(_, held) = step {
                    moved(held);
                }
            }
            for (_, row) in &mut segment.keeps {
                *row = place[*row];
            }
            for call in &mut segment.calls {
                call.results.iter_mut().for_each(moved);
                for argument in &mut call.arguments {
                    if let Argument::Row(row) = argument {
                        *row = place[*row];
                    }
                }
            }
        }
        until.len()
    }
}

/// Bytes of one row of a tile, whatever its element type.
pub(crate) fn row_bytes(tile: usize) -> usize {
    (tile * DType::F64.size()).next_multiple_of(64)
}
