//! Derivatives of reading and writing at computed indices, of running reductions and of sorting.
//! Indices have no tangents.

use super::Tangents;
use probpipe_trace::{
    Array, ArrayType, Axes, CumulativeOp, DType, Op, Outputs, ScatterOp, bind, bind1, concat, iota,
    select, zeros_like,
};

/// `y[p] = x[i[p]]`, so `dy[p] = dx[i[p]]`.
pub(super) fn gather_jvp(op: &Op, x: &[&Array], dx: &Array) -> Array {
    let mut operands = vec![dx];
    operands.extend(&x[1..]);
    bind1(op.clone(), &operands)
}

/// The tangent of `y = scatter(x, indices, updates)`.
pub(super) fn scatter_jvp(
    (op, batch): (ScatterOp, usize),
    x: &[&Array],
    y: &Array,
    dx: &[Option<&Array>],
) -> Option<Array> {
    let [array, indices @ .., updates] = x else { return None };
    let (dx, du) = (dx.first().copied().flatten(), dx.last().copied().flatten());
    let scatter = |op: ScatterOp, x: &Array, updates: &Array| {
        let mut operands = vec![x];
        operands.extend(indices);
        operands.push(updates);
        bind1(Op::Scatter { op, batch }, &operands)
    };
    let gather = |x: &Array| {
        let mut operands = vec![x];
        operands.extend(indices);
        bind1(Op::Gather { batch }, &operands)
    };
    let or_zeros = |d: Option<&Array>, x: &Array| d.cloned().unwrap_or_else(|| zeros_like(x));
    match op {
        // linear in both
        ScatterOp::Set | ScatterOp::Add => {
            Some(scatter(op, &or_zeros(dx, array), &or_zeros(du, updates)))
        }
        // dy = dx prod(u) + sum_j du_j x prod_{i != j}(u_i)
        ScatterOp::Mul => {
            let along = dx.map(|dx| scatter(op, dx, updates));
            let across = du.map(|du| {
                // The product without factor j: that of the factors that are not zero, divided by
                // factor j, unless another one is zero.
                let zero = updates.eq(0);
                let factor = select(&zero, 1, *updates);
                let product = gather(&scatter(op, array, &factor));
                let count = zero.cast(array.dtype());
                let zeros = scatter(ScatterOp::Add, &zeros_like(array), &count);
                let others = gather(&zeros) - count;
                // Where the product leaves the range of numbers, those without a factor need not:
                // there numbers of about one and exponents are multiplied apart.
                let (part, exponent) = parted(&factor);
                let (array_part, array_exponent) = parted(array);
                let parts = gather(&scatter(op, &array_part, &part));
                let exponents = scatter(ScatterOp::Add, &array_exponent, &exponent);
                let shift = gather(&exponents) - exponent;
                let size = product.abs();
                let least = if array.dtype() == DType::F32 { 1e-37 } else { 1e-307 };
                let plain = size.ge(least) & size.is_finite();
                let apart = times_power_of_two(&(parts / part), &shift);
                let whole = select(&plain, product, 1) / factor;
                let rest = select(&others.eq(0), select(&plain, whole, apart), 0);
                scatter(ScatterOp::Add, &zeros_like(array), &(du * rest))
            });
            super::add(along, across)
        }
        // the mean of the tangents of all that equal the extreme
        ScatterOp::Min | ScatterOp::Max => {
            let (kept, chosen) = (array.eq(y), updates.eq(gather(y)));
            let count = scatter(ScatterOp::Add, &kept.cast(y.dtype()), &chosen.cast(y.dtype()));
            let dx = select(&kept, or_zeros(dx, array), 0);
            let du = select(&chosen, or_zeros(du, updates), 0);
            Some(scatter(ScatterOp::Add, &dx, &du) / count)
        }
    }
}

/// The element type of the bits of floats like `x`, how many of them are those of the fraction, and
/// the exponent that stands for 0.
fn layout(x: &Array) -> (DType, i64, i64) {
    if x.dtype() == DType::F32 { (DType::I32, 23, 127) } else { (DType::I64, 52, 1023) }
}

/// `(m, e)` with `x = m 2^e` and `|m|` from 3/4 to 3/2 where `x` is a normal number, otherwise some
/// such pair. Exponents are constants, so that `m` has the derivatives of `x`.
fn parted(x: &Array) -> (Array, Array) {
    let (bits, width, bias) = layout(x);
    let ends = !x.is_finite() | x.eq(0);
    let raw = select(&ends, 1, x).bitcast(bits);
    let half = 1i64 << (width - 1);
    let exponent = (((raw + half) >> width) & (2 * bias + 1)) - bias;
    let exponent = select(&ends, 0, exponent);
    (times_power_of_two(x, &-&exponent), exponent)
}

/// `x 2^n`, in steps that stay within the powers that are numbers.
fn times_power_of_two(x: &Array, n: &Array) -> Array {
    let (_, width, bias) = layout(x);
    let most = 3 * (bias - 1);
    let n = n.clip(-most, most);
    let third = n.trunc_divide(3);
    let rest = &n - &third - &third;
    let power = |n: &Array| ((n + bias) << width).bitcast(x.dtype());
    x * power(&third) * power(&third) * power(&rest)
}

/// `y[b, k] = x[b, index[b, k]]` along `axis`, where all other axes run in step.
fn along_axis(x: &Array, index: &Array, axis: usize) -> Array {
    let rank = x.rank();
    let order: Axes = (0..rank).filter(|&a| a != axis).chain([axis]).collect();
    let mut back = order.clone();
    for (i, &a) in order.iter().enumerate() {
        back[a] = i;
    }
    let turned = |x: &Array, permutation: &Axes| {
        bind1(Op::Transpose { permutation: permutation.clone() }, &[x])
    };
    let op = Op::Gather { batch: rank.saturating_sub(1) };
    turned(&bind1(op, &[&turned(x, &order), &turned(index, &order)]), &back)
}

/// The tangent of a running reduction.
pub(super) fn cumulative_jvp(
    (op, axis, reverse): (CumulativeOp, usize, bool),
    x: &Array,
    y: &Array,
    dx: &Array,
) -> Array {
    if op == CumulativeOp::Sum {
        return bind1(Op::Cumulative { op, axis, reverse }, &[dx]);
    }
    let flip = |x: &Array| if reverse { x.flip(axis as isize) } else { x.clone() };
    let (x, y, dx) = (flip(x), flip(y), flip(dx));
    let n = x.shape()[axis];
    if n < 2 {
        return flip(&dx);
    }
    let cut = |x: &Array, from: usize, to: usize| x.slice_axis(axis as isize, from..to);
    let join = |a: Array, b: Array| concat(&[a, b], axis as isize);
    if op == CumulativeOp::Prod {
        // d(a b) = da b + a db, on products of 1, 2, 4, .. neighbours: no division by elements, so
        // it is exact where some are zero.
        let (mut p, mut dp) = (x, dx);
        let mut step = 1;
        while step < n {
            let (a, b) = (cut(&p, 0, n - step), cut(&p, step, n));
            let (da, db) = (cut(&dp, 0, n - step), cut(&dp, step, n));
            dp = join(cut(&dp, 0, step), da * &b + db * &a);
            p = join(cut(&p, 0, step), a * b);
            step *= 2;
        }
        return flip(&dp);
    }
    // the tangent of the first element that equals the extreme so far
    let (next, before) = (cut(&x, 1, n), cut(&y, 0, n - 1));
    let better = if op == CumulativeOp::Max { next.gt(&before) } else { next.lt(&before) };
    let places = iota(&ArrayType::new(DType::I32, x.shape()), axis);
    let first = cut(&places, 0, 1);
    let chosen = select(&(better | next.is_nan()), cut(&places, 1, n), 0);
    let latest = Op::Cumulative { op: CumulativeOp::Max, axis, reverse: false };
    flip(&along_axis(&dx, &bind1(latest, &[&join(first, chosen)]), axis))
}

/// Sorted tangents: carries the places along and reads the tangents there.
pub(super) fn sort_jvp(
    (axis, num_keys): (usize, usize),
    x: &[&Array],
    dx: &[Option<&Array>],
) -> (Outputs, Tangents) {
    let Some(first) = x.first() else { return (Outputs::new(), Tangents::new()) };
    let places = match first.ty() {
        Ok(ty) => iota(&ty.with_dtype(DType::I32), axis),
        Err(error) => Array::invalid(error, first.location()),
    };
    let mut operands = x.to_vec();
    operands.push(&places);
    let mut y = bind(Op::Sort { axis, num_keys }, &operands);
    let order = y.pop().unwrap_or(places.clone());
    let dy = dx.iter().map(|dx| dx.map(|dx| along_axis(dx, &order, axis))).collect();
    (y, dy)
}
