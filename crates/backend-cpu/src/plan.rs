//! What is decided about a kernel before any code is emitted: its axes with neighbours merged, at
//! which loop each expression is computed, and whether it is unrolled. Nothing here emits.

use probpipe_lowering::{Expr, IndexMap, Kernel, Program, Stmt, Store};
use probpipe_trace::DType;
use smallvec::SmallVec;

/// Kernels with at most this many points may become straight-line code.
const UNROLLED_POINTS: usize = 16;
/// ... if they have at most this many operations in all.
const UNROLLED_WORK: usize = 320;
/// Straight-line operations of a whole program, beyond which only single points are unrolled.
const UNROLLED_TOTAL: usize = 20_000;

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
    /// Emit every point as straight-line code.
    pub(crate) unrolled: bool,
}

impl Plan {
    /// Plans one kernel; `total` counts the straight-line operations of the program.
    pub(crate) fn new(kernel: &Kernel, total: &mut usize) -> Plan {
        let kernel = merge_axes(drop_unit_axes(kernel));
        let extents: SmallVec<[usize; 4]> =
            kernel.parallel.iter().chain(&kernel.reduce).copied().collect();
        let live = live(&kernel);
        let depth = depths(&kernel);
        let points: usize = extents.iter().product();
        let work = points * live.iter().filter(|&&l| l).count().max(1);
        let few = points.max(kernel.parallel_size()) <= UNROLLED_POINTS && work <= UNROLLED_WORK;
        let unrolled =
            points <= 1 && kernel.parallel_size() <= 1 || few && *total + work <= UNROLLED_TOTAL;
        if unrolled {
            *total += work;
        }
        Plan { kernel, extents, live, depth, unrolled }
    }

    /// Number of parallel axes.
    pub(crate) fn parallel(&self) -> usize {
        self.kernel.parallel.len()
    }

    /// Number of points.
    pub(crate) fn points(&self) -> usize {
        self.extents.iter().product()
    }

    /// True if the map names one element for the whole kernel, known at compile time.
    pub(crate) fn is_fixed(&self, map: &IndexMap) -> bool {
        map.loops.is_empty() && (self.unrolled || map.is_uniform())
    }

    /// Whether the store happens once, at an element known at compile time.
    pub(crate) fn is_fixed_store(&self, store: &Store) -> bool {
        self.is_fixed(&store.index)
            && (self.unrolled || store.reduce.is_some() && self.kernel.parallel.is_empty())
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
            Expr::Load { index, .. } | Expr::Index(index) => change(index),
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
        Expr::Load { index, .. } | Expr::Index(index) => holds(index),
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

fn live(kernel: &Kernel) -> Vec<bool> {
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
pub(crate) fn operands(expr: &Expr, mut visit: impl FnMut(usize)) {
    let mut each = |id: probpipe_lowering::ExprId| visit(id.0 as usize);
    match expr {
        Expr::Literal(_) | Expr::Index(_) => {}
        Expr::Load { guard, .. } => {
            if let Some(guard) = guard {
                each(*guard);
            }
        }
        Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) => each(*x),
        Expr::Binary(_, x, y) | Expr::Compare(_, x, y) => {
            each(*x);
            each(*y);
        }
        Expr::Select(c, x, y) => {
            each(*c);
            each(*x);
            each(*y);
        }
    }
}

fn depths(kernel: &Kernel) -> Vec<Depth> {
    let mut depth = vec![0; kernel.exprs.len()];
    for i in 0..kernel.exprs.len() {
        let mut own = match &kernel.exprs[i] {
            Expr::Load { index, .. } | Expr::Index(index) => {
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
