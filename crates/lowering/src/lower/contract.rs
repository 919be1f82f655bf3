//! Contraction: products and the sums that take them, as operations that round once. It is done to
//! the expressions of one kernel, for programs that ask for it, and nowhere else.

use crate::program::{Expr, ExprId, Store};
use probpipe_trace::{BinaryOp, DType, ReduceOp};

/// What takes a product.
#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Nowhere,
    /// Sums and differences alone, of which it is one operand.
    ByTerms,
    /// Sums over reduced axes alone.
    BySums,
    Otherwise,
}

impl Taken {
    fn and(self, other: Taken) -> Taken {
        if self == Taken::Nowhere || self == other { other } else { Taken::Otherwise }
    }
}

/// Makes `x y + z`, `x y - z` and `z - x y` one operation wherever all that takes the product can
/// be so, and summands of products.
pub(super) fn contract(exprs: &mut [Expr], types: &[DType], stores: &[Store]) {
    let live = live(exprs, stores);
    let depth = depths(exprs);
    let mut taken = vec![Taken::Nowhere; exprs.len()];
    for (i, expr) in exprs.iter().enumerate().filter(|(i, _)| live[*i]) {
        let by = match expr {
            Expr::Binary(BinaryOp::Add | BinaryOp::Sub, x, y) if types[i].is_float() && x != y => {
                Taken::ByTerms
            }
            _ => Taken::Otherwise,
        };
        for x in expr.operands() {
            let x = x.0 as usize;
            taken[x] = taken[x].and(by);
        }
    }
    for store in stores {
        let x = store.value.0 as usize;
        let sums = store.reduce == Some(ReduceOp::Sum);
        taken[x] = taken[x].and(if sums { Taken::BySums } else { Taken::Otherwise });
    }
    let product = |exprs: &[Expr], id: ExprId| match exprs[id.0 as usize] {
        Expr::Binary(BinaryOp::Mul, x, y) if types[id.0 as usize].is_float() => Some([x, y]),
        _ => None,
    };
    for i in 0..exprs.len() {
        let id = ExprId(i as u32);
        if let (Taken::BySums, Some([x, y])) = (taken[i], product(exprs, id)) {
            exprs[i] = Expr::Summand(x, y);
        }
        let Expr::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), x, y) = exprs[i] else { continue };
        if !types[i].is_float() || x == y {
            continue;
        }
        let fits = |id: ExprId| {
            let factors = product(exprs, id)?;
            let at = id.0 as usize;
            // A product that changes less often than the sum is computed less often, too.
            (taken[at] == Taken::ByTerms && depth[at] == depth[i]).then_some(factors)
        };
        let minus = op == BinaryOp::Sub;
        // Of two products the later: a chain of sums then waits for one operation a term.
        exprs[i] = match (fits(x), fits(y)) {
            (_, Some(factors)) => Expr::MulAdd { factors, addend: x, minus: [minus, false] },
            (Some(factors), None) => Expr::MulAdd { factors, addend: y, minus: [false, minus] },
            (None, None) => continue,
        };
    }
}

/// The innermost axis that an expression changes along, plus one.
fn depths(exprs: &[Expr]) -> Vec<usize> {
    let mut depth: Vec<usize> = Vec::with_capacity(exprs.len());
    for expr in exprs {
        let own = match expr {
            Expr::Load { index, .. } | Expr::LoadAt { index, .. } | Expr::Index(index) => {
                index.axes.iter().rposition(|&step| step != 0).map_or(0, |axis| axis + 1)
            }
            _ => 0,
        };
        let operands = expr.operands().into_iter().map(|x| depth[x.0 as usize]);
        depth.push(operands.fold(own, usize::max));
    }
    depth
}

/// The expressions that the stores need.
fn live(exprs: &[Expr], stores: &[Store]) -> Vec<bool> {
    let mut live = vec![false; exprs.len()];
    for store in stores {
        live[store.value.0 as usize] = true;
    }
    for (i, expr) in exprs.iter().enumerate().rev() {
        if live[i] {
            expr.operands().into_iter().for_each(|x| live[x.0 as usize] = true);
        }
    }
    live
}
