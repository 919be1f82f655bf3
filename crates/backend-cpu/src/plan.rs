//! What is decided about a kernel before any code is emitted: its axes with neighbours merged, at
//! which loop each expression is computed, and whether it is unrolled. Nothing here emits.

use crate::lanes::{has_binary, has_compare, has_unary};
use crate::short::written_out;
use crate::symbols;
use crate::tuning::tuning;
use probpipe_lowering::{
    Expr, IndexMap, Kernel, Program, Stmt, Store, ThreefryBlock, threefry_blocks,
};
use probpipe_trace::{BinaryOp, DType};
use smallvec::SmallVec;

/// Kernels with at most this many points may become straight-line code.
const UNROLLED_POINTS: usize = 7;
/// ... or this many if they call functions, which tile kernels compute faster...
const UNROLLED_CALLS: usize = 4;
/// ... or this many if they join arrays: which one a point reads is known then...
const UNROLLED_GUARDS: usize = 16;
/// ... if they have at most this many operations in all.
const UNROLLED_WORK: usize = 320;
/// Straight-line operations of a whole program, beyond which only single points are unrolled.
const UNROLLED_TOTAL: usize = 20_000;

/// Vectors start to pay along axes of this many points.
const SHORTEST: usize = 4;

/// Parts that a kernel is cut into at most; other threads take them one by one.
const PARTS: usize = 64;
/// How many loops surround the computation of an expression.
pub(crate) type Depth = usize;

/// A kernel, ready to be emitted.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The kernel with extents of one dropped and axes merged.
    pub(crate) kernel: Kernel,
    /// Extents of all axes, parallel then reduced.
    pub(crate) extents: SmallVec<[usize; 4]>,
    /// Which expressions the stores need.
    pub(crate) live: Vec<bool>,
    /// Number of axes, outermost first, that an expression depends on.
    pub(crate) depth: Vec<Depth>,
    /// Number of axes outside of all reduced ones.
    pub(crate) outer: usize,
    /// How it is emitted.
    pub(crate) strategy: Strategy,
    /// Threefry blocks that tile kernels compute.
    pub(crate) blocks: Vec<ThreefryBlock>,
    /// The block that an expression is a result of.
    pub(crate) block_of: Vec<Option<usize>>,
    /// How its work is divided among threads, if it is enough for several.
    pub(crate) split: Option<Split>,
}

/// Parts of a kernel that run in any order. They depend on the shape alone, never on the number of
/// threads, and so do the results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Split {
    /// Extent of the axis that is cut: the outermost one, or the innermost where
    /// `Plan::splits_tiles` says so.
    pub(crate) extent: usize,
    /// Points of a part along it; the last part may be shorter.
    pub(crate) part: usize,
}

impl Split {
    /// Number of parts.
    pub(crate) fn parts(self) -> usize {
        self.extent.div_ceil(self.part)
    }
}

/// How a kernel is emitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategy {
    /// Every point as straight-line code.
    Unrolled,
    /// A loop nest, one point at a time.
    Points,
    /// A loop nest whose innermost axis runs in vectors; the reduced axes are innermost.
    Tiles,
    /// As `Tiles`, with the last parallel axis inside of the reduced ones.
    Rows,
}

impl Plan {
    /// Plans one kernel; `total` counts the straight-line operations of the program.
    pub(crate) fn new(kernel: &Kernel, total: &mut usize) -> Plan {
        let mut kernel = merge_axes(drop_unit_axes(kernel));
        let points = kernel.parallel_size() * kernel.reduce_size();
        let mut live = live_in(&kernel);
        let work = points * live.iter().filter(|&&l| l).count().max(1);
        let size = points.max(kernel.parallel_size());
        let limit = if has_calls(&kernel, &live) {
            UNROLLED_CALLS
        } else if has_guards(&kernel, &live) {
            UNROLLED_GUARDS
        } else {
            UNROLLED_POINTS
        };
        let few = size <= limit && work <= UNROLLED_WORK && *total + work <= UNROLLED_TOTAL;
        let mut strategy = if size <= 1 || few {
            *total += work;
            Strategy::Unrolled
        } else {
            strategy_of(&kernel, &live)
        };
        if strategy == Strategy::Points
            && let Some(short) = written_out(&kernel)
        {
            let own = live_in(&short);
            if strategy_of(&short, &own) == Strategy::Tiles {
                (kernel, live, strategy) = (short, own, Strategy::Tiles);
            }
        }
        let mut outer = kernel.parallel.len();
        let mut extents: SmallVec<[usize; 4]> =
            kernel.parallel.iter().chain(&kernel.reduce).copied().collect();
        if strategy == Strategy::Rows {
            outer -= 1;
            let inner = extents.remove(outer);
            extents.push(inner);
            each_map(&mut kernel, |map| {
                let step = map.axes.remove(outer);
                map.axes.push(step);
            });
        }
        let depth = depths(&kernel);
        let block_of = vec![None; kernel.exprs.len()];
        let (blocks, split) = (Vec::new(), None);
        let mut plan =
            Plan { kernel, extents, live, depth, outer, strategy, blocks, block_of, split };
        if matches!(strategy, Strategy::Tiles | Strategy::Rows) {
            plan.take_blocks();
        }
        plan.split = plan.parallel();
        plan
    }

    /// Whether the axis that threads divide is the one that runs in tiles.
    pub(crate) fn splits_tiles(&self) -> bool {
        match self.strategy {
            Strategy::Unrolled | Strategy::Points => false,
            Strategy::Tiles => self.extents.len() == 1,
            Strategy::Rows => self.outer == 0,
        }
    }

    /// Whether threads divide a reduction, and so give parts of its results.
    pub(crate) fn splits_reduction(&self) -> bool {
        self.outer == 0 && !self.kernel.reduce.is_empty() && self.strategy != Strategy::Rows
    }

    /// How the kernel is divided among threads, if that pays.
    fn parallel(&self) -> Option<Split> {
        if self.strategy == Strategy::Unrolled {
            return None;
        }
        let tuning = tuning();
        let points: usize = self.extents.iter().product();
        let cost = |i: usize| match &self.kernel.exprs[i] {
            _ if self.block_of[i].is_some() => 40,
            _ if is_call(&self.kernel, i) => 20,
            Expr::Literal(_) => 0,
            Expr::Load { index, guard, .. } => {
                let inner = index.axes.last().copied().unwrap_or(0);
                if guard.is_none() && matches!(inner, 0 | 1) { 2 } else { 16 }
            }
            Expr::LoadAt { .. } => 16,
            _ if self.strategy == Strategy::Points => 16,
            _ => 2,
        };
        let inner = self.extents.len();
        let varying = (0..self.live.len()).filter(|&i| self.live[i] && self.depth[i] == inner);
        let work = (points / 16).saturating_mul(varying.map(cost).sum::<usize>() + 2);
        let axis = if self.splits_tiles() { inner - 1 } else { 0 };
        let extent = self.extents[axis];
        if work < tuning.parallel_work || extent < 2 {
            return None;
        }
        let others = (points / extent).max(1);
        let least = tuning.part_points.div_ceil(others);
        let part = extent.div_ceil(PARTS).max(least);
        let part = if axis == inner - 1 { part.next_multiple_of(tuning.part_tile) } else { part };
        (part < extent).then_some(Split { extent, part })
    }

    /// Replaces what computes the blocks along the innermost axis by calls.
    fn take_blocks(&mut self) {
        let inner = self.extents.len();
        for block in threefry_blocks(&self.kernel) {
            if block.outputs.iter().all(|&i| self.depth[i] == inner) {
                for i in block.outputs {
                    self.block_of[i] = Some(self.blocks.len());
                }
                self.blocks.push(block);
            }
        }
        if !self.blocks.is_empty() {
            let mut live = vec![false; self.kernel.exprs.len()];
            for store in &self.kernel.stores {
                live[store.value.0 as usize] = true;
            }
            for i in (0..live.len()).rev() {
                if live[i] {
                    self.operands(i, |x| live[x] = true);
                }
            }
            self.live = live;
        }
    }

    /// Calls `visit` with what expression `i` is computed from.
    pub(crate) fn operands(&self, i: usize, visit: impl FnMut(usize)) {
        match self.block_of[i] {
            Some(block) => self.blocks[block].inputs.into_iter().for_each(visit),
            None => operands(&self.kernel.exprs[i], visit),
        }
    }

    /// Whether it calls functions, point by point.
    pub(crate) fn has_calls(&self) -> bool {
        let mut live = (0..self.kernel.exprs.len()).filter(|&i| self.live[i]);
        live.any(|i| {
            is_call(&self.kernel, i)
                || matches!(self.kernel.exprs[i], Expr::Binary(BinaryOp::Rem, ..))
        })
    }

    /// True if the map names one element for the whole kernel, known at compile time.
    pub(crate) fn is_fixed(&self, map: &IndexMap) -> bool {
        map.loops.is_empty() && (self.strategy == Strategy::Unrolled || map.is_uniform())
    }

    /// Whether the store happens once, at an element known at compile time.
    pub(crate) fn is_fixed_store(&self, store: &Store) -> bool {
        self.is_fixed(&store.index)
            && (self.strategy == Strategy::Unrolled
                || store.reduce.is_some() && self.kernel.parallel.is_empty())
    }
}

/// Plans of all kernels, in the order in which statements are written.
pub(crate) fn plan_all(program: &Program) -> Vec<Plan> {
    fn walk(body: &[Stmt], total: &mut usize, plans: &mut Vec<Plan>) {
        for stmt in body {
            match stmt {
                Stmt::Kernel(kernel) => plans.push(Plan::new(kernel, total)),
                Stmt::Library(_) => {}
                Stmt::Loop(l) => walk(&l.body, total, plans),
                Stmt::While(w) => {
                    walk(&w.cond, total, plans);
                    walk(&w.body, total, plans);
                }
                Stmt::Branch(branch) => {
                    branch.branches.iter().for_each(|body| walk(body, total, plans));
                }
            }
        }
    }
    let mut plans = Vec::new();
    walk(&program.body, &mut 0, &mut plans);
    plans
}

/// Applies `change` to every index map of a kernel.
fn each_map(kernel: &mut Kernel, mut change: impl FnMut(&mut IndexMap)) {
    for expr in &mut kernel.exprs {
        match expr {
            Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => {
                change(index);
            }
            _ => {}
        }
    }
    for store in &mut kernel.stores {
        change(&mut store.index);
    }
}

/// Reads every index map of a kernel.
fn all_maps(kernel: &Kernel, mut holds: impl FnMut(&IndexMap) -> bool) -> bool {
    let loads = kernel.exprs.iter().all(|expr| match expr {
        Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => holds(index),
        _ => true,
    });
    loads && kernel.stores.iter().all(|store| holds(&store.index))
}

fn drop_unit_axes(kernel: &Kernel) -> Kernel {
    let mut kernel = kernel.clone();
    let extents: SmallVec<[usize; 4]> =
        kernel.parallel.iter().chain(&kernel.reduce).copied().collect();
    each_map(&mut kernel, |map| {
        // Maps may leave trailing steps of zero away.
        map.axes.resize(extents.len(), 0);
        let mut axis = 0;
        map.axes.retain(|_| {
            axis += 1;
            extents[axis - 1] != 1
        });
        map.loops.retain(|(_, step)| *step != 0);
    });
    kernel.parallel.retain(|n| *n != 1);
    kernel.reduce.retain(|n| *n != 1);
    kernel
}

/// Makes one axis of two neighbours that every map steps through as one.
fn merge_axes(mut kernel: Kernel) -> Kernel {
    let mut axis = 0;
    while axis + 1 < kernel.parallel.len() + kernel.reduce.len() {
        let p = kernel.parallel.len();
        let inner =
            if axis + 1 < p { kernel.parallel[axis + 1] } else { kernel.reduce[axis + 1 - p] };
        let one_kind = axis + 1 != p;
        let linear =
            |map: &IndexMap| map.axes[axis] == map.axes[axis + 1].wrapping_mul(inner as i64);
        if one_kind && all_maps(&kernel, linear) {
            each_map(&mut kernel, |map| {
                map.axes.remove(axis);
            });
            let list = if axis < p { &mut kernel.parallel } else { &mut kernel.reduce };
            let at = if axis < p { axis } else { axis - p };
            let outer = list.remove(at);
            list[at] *= outer;
        } else {
            axis += 1;
        }
    }
    kernel
}

fn live_in(kernel: &Kernel) -> Vec<bool> {
    let mut live = vec![false; kernel.exprs.len()];
    for store in &kernel.stores {
        live[store.value.0 as usize] = true;
    }
    for i in (0..kernel.exprs.len()).rev() {
        if live[i] {
            operands(&kernel.exprs[i], |x| live[x] = true);
        }
    }
    live
}

/// Calls `visit` with each operand of an expression.
fn operands(expr: &Expr, mut visit: impl FnMut(usize)) {
    let mut each = |id: probpipe_lowering::ExprId| visit(id.0 as usize);
    match expr {
        Expr::Literal(_) | Expr::Index(_) => {}
        Expr::Load { guard, .. } => {
            if let Some(guard) = guard {
                each(*guard);
            }
        }
        Expr::LoadAt { at, .. } => at.iter().for_each(|(place, _)| each(*place)),
        Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) => each(*x),
        Expr::Binary(_, x, y) | Expr::Compare(_, x, y) | Expr::Summand(x, y) => {
            each(*x);
            each(*y);
        }
        Expr::MulAdd { factors: [x, y], addend, .. } => {
            each(*x);
            each(*y);
            each(*addend);
        }
        Expr::Select(c, x, y) => {
            each(*c);
            each(*x);
            each(*y);
        }
        Expr::Special(_, operands) => operands.iter().for_each(|x| each(*x)),
    }
}

fn depths(kernel: &Kernel) -> Vec<Depth> {
    let mut depth = vec![0; kernel.exprs.len()];
    for i in 0..kernel.exprs.len() {
        let mut own = match &kernel.exprs[i] {
            Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => {
                index.axes.iter().rposition(|&step| step != 0).map_or(0, |axis| axis + 1)
            }
            _ => 0,
        };
        operands(&kernel.exprs[i], |x| own = own.max(depth[x]));
        depth[i] = own;
    }
    depth
}

/// Element type that the operands of expression `i` have (its own for most).
pub(crate) fn operand_type(kernel: &Kernel, i: usize) -> DType {
    match &kernel.exprs[i] {
        Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) | Expr::Compare(_, x, _) => {
            kernel.ty(*x)
        }
        _ => kernel.types[i],
    }
}

fn has_calls(kernel: &Kernel, live: &[bool]) -> bool {
    (0..kernel.exprs.len()).any(|i| live[i] && is_call(kernel, i))
}

fn has_guards(kernel: &Kernel, live: &[bool]) -> bool {
    let mut exprs = kernel.exprs.iter().zip(live);
    exprs.any(|(expr, live)| *live && matches!(expr, Expr::Load { guard: Some(_), .. }))
}

/// Whether expression `i` is a call of a tile kernel.
fn is_call(kernel: &Kernel, i: usize) -> bool {
    let dtype = operand_type(kernel, i);
    match &kernel.exprs[i] {
        Expr::Unary(op, _) => symbols::unary_tile(*op, dtype).is_some(),
        Expr::Binary(op, _, _) => symbols::binary_tile(*op, dtype).is_some(),
        _ => false,
    }
}

/// How a kernel of many points is emitted.
fn strategy_of(kernel: &Kernel, live: &[bool]) -> Strategy {
    let p = kernel.parallel.len();
    let rank = p + kernel.reduce.len();
    let extent =
        |axis: usize| if axis < p { kernel.parallel[axis] } else { kernel.reduce[axis - p] };
    let last = extent(rank - 1);
    if p > 0 && p < rank {
        let (along, across) = (scattered(kernel, live, rank - 1), scattered(kernel, live, p - 1));
        let wide = extent(p - 1) >= SHORTEST;
        if wide && (across < along || last < SHORTEST && across == along) {
            return Strategy::Rows;
        }
    }
    if last < SHORTEST || !pays(kernel, live, rank - 1) {
        Strategy::Points
    } else {
        Strategy::Tiles
    }
}

/// Number of accesses that step over elements along an axis.
fn scattered(kernel: &Kernel, live: &[bool], axis: usize) -> usize {
    let steps = |map: &IndexMap| !matches!(map.axes[axis], 0 | 1);
    let loads =
        kernel.exprs.iter().zip(live).filter(|(expr, live)| {
            **live && matches!(expr, Expr::Load { index, .. } if steps(index))
        });
    loads.count() + kernel.stores.iter().filter(|store| steps(&store.index)).count()
}

/// Whether vectors along an axis do enough of the work.
fn pays(kernel: &Kernel, live: &[bool], axis: usize) -> bool {
    let (mut vectors, mut scalars) = (0, 0);
    for i in (0..kernel.exprs.len()).filter(|&i| live[i]) {
        let narrow = kernel.types[i] == DType::U8 || operand_type(kernel, i) == DType::U8;
        let dtype = operand_type(kernel, i);
        let in_vectors = match &kernel.exprs[i] {
            Expr::Literal(_) => continue,
            _ if is_call(kernel, i) => return true,
            Expr::Load { index, guard, .. } => guard.is_none() && matches!(index.axes[axis], 0 | 1),
            Expr::LoadAt { .. } | Expr::Special(..) => false,
            Expr::Unary(op, _) => dtype == DType::Bool || has_unary(*op, dtype),
            Expr::Binary(op, _, _) => has_binary(*op, dtype),
            Expr::Compare(op, _, _) => has_compare(*op, dtype),
            Expr::MulAdd { .. } | Expr::Summand(..) => true,
            Expr::Index(_) | Expr::Select(..) | Expr::Cast(_) | Expr::Bitcast(_) => true,
        };
        if in_vectors && !narrow { vectors += 1 } else { scalars += 1 }
    }
    scalars <= vectors
}
