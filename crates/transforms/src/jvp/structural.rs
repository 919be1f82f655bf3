//! Derivatives of reductions and of ops that join arrays.

use probpipe_trace::{Array, Axes, Op, ReduceOp, bind1, concat, other_axes, select, zeros_like};

/// The tangent of `y = reduce(x)`.
pub(super) fn reduce_jvp(
    op: ReduceOp,
    axes: &Axes,
    x: &Array,
    y: &Array,
    dx: &Array,
) -> Option<Array> {
    let sum = |x: &Array| bind1(Op::Reduce { op: ReduceOp::Sum, axes: axes.clone() }, &[x]);
    match op {
        ReduceOp::Sum => Some(sum(dx)),
        ReduceOp::Prod => Some(prod_jvp(axes, x, dx)),
        // the mean of the tangents of all elements that equal the extreme
        ReduceOp::Max | ReduceOp::Min => {
            let shape = x.shape().into();
            let kept = other_axes(x.rank(), axes);
            let chosen = x.eq(bind1(Op::Broadcast { shape, axes: kept }, &[y]));
            Some(sum(&select(&chosen, dx, 0.0)) / sum(&chosen.cast(dx.dtype())))
        }
        ReduceOp::And | ReduceOp::Or => None,
    }
}

/// The product rule along a tree of pairs, `d(a b) = da b + a db`: no division by elements, so it
/// is exact where some are zero, and takes log2(n) steps.
fn prod_jvp(axes: &Axes, x: &Array, dx: &Array) -> Array {
    let kept = other_axes(x.rank(), axes);
    let permutation: Axes = axes.iter().chain(&kept).copied().collect();
    let count: usize = axes.iter().map(|&a| x.shape()[a]).product();
    let shape: Axes = std::iter::once(count).chain(kept.iter().map(|&a| x.shape()[a])).collect();
    let front =
        |x: &Array| bind1(Op::Transpose { permutation: permutation.clone() }, &[x]).reshape(&shape);
    let (mut x, mut dx) = (front(x), front(dx));
    if count == 0 {
        return zeros_like(&dx).sum_axes([0]);
    }
    while x.shape()[0] > 1 {
        let n = x.shape()[0];
        let half = n / 2;
        let cut = |x: &Array, from: usize, to: usize| x.slice_axis(0, from..to);
        let (a, b) = (cut(&x, 0, half), cut(&x, half, 2 * half));
        let (da, db) = (cut(&dx, 0, half), cut(&dx, half, 2 * half));
        let (product, tangent) = (&a * &b, da * b + db * a);
        if n % 2 == 1 {
            x = concat(&[product, cut(&x, n - 1, n)], 0);
            dx = concat(&[tangent, cut(&dx, n - 1, n)], 0);
        } else {
            (x, dx) = (product, tangent);
        }
    }
    dx.squeeze(0)
}

/// Ops that are linear in all operands together: zeros stand for missing tangents.
pub(super) fn joined_jvp(op: &Op, x: &[&Array], dx: &[Option<&Array>]) -> Option<Array> {
    let full: Vec<Array> =
        x.iter().zip(dx).map(|(x, dx)| dx.cloned().unwrap_or_else(|| zeros_like(x))).collect();
    Some(bind1(op.clone(), &full.iter().collect::<Vec<_>>()))
}
