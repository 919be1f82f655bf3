//! Reductions along fewer elements than fill a vector, written out: the elements are computed side
//! by side and combined in the order of the interpreter, so that the kernel has no reduced axis
//! left and runs in vectors along the last of the others. It knows nothing of how kernels are
//! emitted.

use crate::reduction::{combining, identity};
use probpipe_lowering::{Expr, ExprId, IndexMap, Kernel, Store};
use probpipe_trace::{DType, ReduceOp};

/// Elements of a short reduction, which may be along several axes.
const ELEMENTS: usize = 8;
/// Expressions of a kernel that has them written out; more do not fit in the registers.
const EXPRESSIONS: usize = 80;

/// The kernel without its reduced axes, if those are short.
pub(crate) fn written_out(kernel: &Kernel) -> Option<Kernel> {
    let count = kernel.reduce_size();
    if kernel.reduce.is_empty() || kernel.parallel.is_empty() {
        return None;
    }
    let known = (2..=ELEMENTS).contains(&count) && count * kernel.exprs.len() <= EXPRESSIONS;
    known.then_some(())?;
    let outer = kernel.parallel.len();
    let varies = varying(kernel, outer);
    let mut writer = Writer { exprs: Vec::new(), types: Vec::new() };
    // Of every expression, its place for each element.
    let mut places: Vec<Vec<ExprId>> = Vec::with_capacity(kernel.exprs.len());
    for (i, expr) in kernel.exprs.iter().enumerate() {
        let copies = if varies[i] { count } else { 1 };
        let own = (0..copies).map(|n| {
            let mut expr = expr.clone();
            rename(&mut expr, |x| {
                let list = &places[x.0 as usize];
                list[n.min(list.len() - 1)]
            });
            if let Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) =
                &mut expr
            {
                *index = element(index, &kernel.reduce, n);
            }
            writer.push(expr, kernel.types[i])
        });
        let own = own.collect();
        places.push(own);
    }
    let mut stores = Vec::with_capacity(kernel.stores.len());
    for store in &kernel.stores {
        let list = &places[store.value.0 as usize];
        let values = (0..count).map(|n| list[n.min(list.len() - 1)]);
        let mut write = |value: ExprId, n: usize| {
            let index = element(&store.index, &kernel.reduce, n);
            stores.push(Store { index, value, reduce: None, ..store.clone() });
        };
        match store.reduce {
            Some(op) => write(writer.combined(op, kernel.ty(store.value), values), 0),
            None => values.enumerate().for_each(|(n, value)| write(value, n)),
        }
    }
    let Writer { exprs, types } = writer;
    let mut kernel = kernel.clone();
    kernel.reduce.clear();
    Some(Kernel { exprs, types, stores, ..kernel })
}

struct Writer {
    exprs: Vec<Expr>,
    types: Vec<DType>,
}

impl Writer {
    fn push(&mut self, expr: Expr, dtype: DType) -> ExprId {
        self.exprs.push(expr);
        self.types.push(dtype);
        ExprId(self.exprs.len() as u32 - 1)
    }

    /// One after the other. Sums begin with zero, and what rounds does so in double precision.
    fn combined(
        &mut self,
        op: ReduceOp,
        dtype: DType,
        elements: impl Iterator<Item = ExprId>,
    ) -> ExprId {
        let sum = op == ReduceOp::Sum;
        let rounds = sum || op == ReduceOp::Prod;
        let wide = if rounds && dtype == DType::F32 { DType::F64 } else { dtype };
        let mut total = sum.then(|| self.push(Expr::Literal(identity(op, dtype)), wide));
        for mut x in elements {
            if wide != dtype {
                x = self.push(Expr::Cast(x), wide);
            }
            total = Some(match total {
                Some(total) => self.push(Expr::Binary(combining(op), total, x), wide),
                None => x,
            });
        }
        let total = total.unwrap_or(ExprId(0));
        if wide == dtype { total } else { self.push(Expr::Cast(total), dtype) }
    }
}

/// Which expressions differ from element to element.
fn varying(kernel: &Kernel, outer: usize) -> Vec<bool> {
    let mut varies = vec![false; kernel.exprs.len()];
    for (i, expr) in kernel.exprs.iter().enumerate() {
        let own = match expr {
            Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => {
                index.axes.iter().skip(outer).any(|&step| step != 0)
            }
            Expr::Literal(_)
            | Expr::Unary(..)
            | Expr::Binary(..)
            | Expr::MulAdd { .. }
            | Expr::Summand(..)
            | Expr::Compare(..)
            | Expr::Select(..)
            | Expr::Special(..)
            | Expr::Cast(_)
            | Expr::Bitcast(_) => false,
        };
        varies[i] = own || expr.operands().iter().any(|x| varies[x.0 as usize]);
    }
    varies
}

/// The map at element `n` of the reduced axes.
fn element(map: &IndexMap, reduce: &[usize], n: usize) -> IndexMap {
    let mut map = map.clone();
    let outer = map.axes.len() - reduce.len();
    let mut left = n;
    for (axis, &extent) in reduce.iter().enumerate().rev() {
        map.offset += map.axes[outer + axis] * (left % extent) as i64;
        left /= extent;
    }
    map.axes.truncate(outer);
    map
}

/// Changes the names of operands.
fn rename(expr: &mut Expr, name: impl Fn(ExprId) -> ExprId) {
    match expr {
        Expr::Literal(_) | Expr::Index(_) => {}
        Expr::Load { guard, .. } => *guard = guard.map(name),
        Expr::LoadAt { at, .. } => at.iter_mut().for_each(|(place, _)| *place = name(*place)),
        Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) => *x = name(*x),
        Expr::Binary(_, x, y) | Expr::Compare(_, x, y) | Expr::Summand(x, y) => {
            *x = name(*x);
            *y = name(*y);
        }
        Expr::MulAdd { factors: [x, y], addend, .. } => {
            *x = name(*x);
            *y = name(*y);
            *addend = name(*addend);
        }
        Expr::Select(c, x, y) => {
            *c = name(*c);
            *x = name(*x);
            *y = name(*y);
        }
        Expr::Special(_, operands) => operands.iter_mut().for_each(|x| *x = name(*x)),
    }
}
