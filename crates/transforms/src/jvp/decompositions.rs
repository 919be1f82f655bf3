//! Derivatives of decompositions: Giles, "Collected matrix derivative results for forward and
//! reverse mode algorithmic differentiation" (2008). Reverse mode transposes what is here, which is
//! linear in `da`. Those of eigenvalues and singular values are in `spectral`, those of their
//! vectors in `vectors`.

use super::linalg::{extents, masked, matmul, solve, swap};
use super::spectral::push;
use super::vectors::{eigh_jvp, svd_jvp, symmetric};
use super::{Tangents, add};
use probpipe_trace::{
    Array, CompareOp, Error, ErrorKind, LinalgOp, Op, Outputs, Vectors, bind, bind1, concat,
    eye_offset, full_typed, here, select,
};
use smallvec::smallvec;

/// Values and tangents of a decomposition of the matrix `x` that moves by `da`.
pub(super) fn decomposition_jvp(op: LinalgOp, x: &Array, da: &Array) -> (Outputs, Tangents) {
    let run = |op: LinalgOp| bind(Op::Linalg(op), &[x]);
    match op {
        LinalgOp::Lu => {
            let y = run(op);
            let tangent = match &y[..] {
                [lu, _, permutation] => Some(lu_jvp(lu, permutation, da)),
                _ => None,
            };
            (y, smallvec![tangent, None, None])
        }
        LinalgOp::Qr { full } => {
            let y = run(op);
            let thin = if full { run(LinalgOp::Qr { full: false }) } else { y.clone() };
            let ([q, r], [whole, _]) = (&thin[..], &y[..]) else { return (y, smallvec![]) };
            let extra = extents(whole).1 - extents(q).1;
            let (dq, dr) = qr_jvp(q, r, da);
            if extra == 0 {
                return (y, smallvec![Some(dq), Some(dr)]);
            }
            let below = zeros(da, extra, extents(da).1);
            let dq = no_derivative("qr", "q");
            (y, smallvec![Some(dq), Some(concat(&[dr, below], -2))])
        }
        // Slopes of values need the vectors; then one decomposition gives both.
        LinalgOp::Eigh { vectors } => {
            let y = run(LinalgOp::Eigh { vectors: true });
            let [w, v] = &y[..] else { return (y, smallvec![]) };
            let dw = push(x, &y, &symmetric(da));
            match vectors {
                true => {
                    let dv = eigh_jvp(w, v, da);
                    (y, smallvec![Some(dw), Some(dv)])
                }
                false => (smallvec![w.clone()], smallvec![Some(dw)]),
            }
        }
        LinalgOp::Svd { vectors: Vectors::None } => {
            let y = run(LinalgOp::Svd { vectors: Vectors::Thin });
            let [_, s, _] = &y[..] else { return (y, smallvec![]) };
            (smallvec![s.clone()], smallvec![Some(push(x, &y, da))])
        }
        LinalgOp::Svd { vectors: Vectors::Thin | Vectors::Full } => {
            let y = run(op);
            let full = op == LinalgOp::Svd { vectors: Vectors::Full };
            let thin = match full {
                true => run(LinalgOp::Svd { vectors: Vectors::Thin }),
                false => y.clone(),
            };
            let [u, s, vt] = &thin[..] else { return (y, smallvec![]) };
            let (m, n) = extents(da);
            let (du, dvt) = svd_jvp(u, s, vt, da);
            let ds = push(x, &thin, da);
            let du = if full && m > n { no_derivative("svd", "u") } else { du };
            let dvt = if full && n > m { no_derivative("svd", "vt") } else { dvt };
            (y, smallvec![Some(du), Some(ds), Some(dvt)])
        }
        LinalgOp::Cholesky
        | LinalgOp::TriangularSolve { .. }
        | LinalgOp::LuSolve { .. }
        | LinalgOp::LuDet => (run(op), smallvec![]),
    }
}

/// The identity of the element type of `x`.
fn identity(x: &Array, n: usize) -> Array {
    eye_offset(n, n, 0).cast(x.dtype())
}

/// Zeros of the batch of `x` with the given rows and columns.
fn zeros(x: &Array, m: usize, n: usize) -> Array {
    let mut ty = probpipe_trace::ArrayType::new(x.dtype(), &x.shape()[..x.rank() - 2]);
    ty.shape.extend([m, n]);
    full_typed(&ty, 0)
}

/// The rows of `x` in the order of a permutation.
fn permuted(x: &Array, permutation: &Array) -> Array {
    bind1(Op::Gather { batch: x.rank() - 2 }, &[x, permutation])
}

/// P dA = dL U + L dU, so with F = L^-1 P dA U^-1: dL = L tril(F, -1), dU = triu(F) U. Factors of
/// matrices that are not square are completed with the identity.
fn lu_jvp(lu: &Array, permutation: &Array, da: &Array) -> Array {
    let (m, n) = extents(lu);
    let left = if m > n {
        concat(&[lu.clone(), zeros(lu, m, m - n)], -1)
    } else {
        lu.slice_axis(-1, 0..m)
    };
    let right = if n > m {
        let below = zeros(lu, n - m, n) + eye_offset(n - m, n, m as isize).cast(lu.dtype());
        concat(&[lu.clone(), below], -2)
    } else {
        lu.slice_axis(-2, 0..n)
    };
    let f = solve((true, false, true), &left, &permuted(da, permutation));
    // F U = X is U^T F^T = X^T.
    let f = swap(&solve((false, true, false), &right, &swap(&f)));
    let dl = matmul(&(masked(&left, CompareOp::Gt) + identity(lu, m)), &masked(&f, CompareOp::Gt));
    dl + matmul(&masked(&f, CompareOp::Le), &masked(&right, CompareOp::Le))
}

/// a x = b, or its transpose: dx = a^-1 (db - da x), a solve with the same factors.
pub(super) fn lu_solve_jvp(
    transpose: bool,
    operands: &[&Array],
    x: &Array,
    dx: &[Option<&Array>],
) -> Option<Array> {
    let [a, lu, permutation, _] = operands else { return None };
    let moved = dx[0].map(|da| -matmul(&if transpose { swap(da) } else { da.clone() }, x));
    add(dx[3].cloned(), moved).map(|right| {
        let op = Op::Linalg(LinalgOp::LuSolve { transpose });
        bind1(op, &[a, lu, permutation, &right])
    })
}

/// d det A = tr(adj(A) dA), with adj(A) = det(A) A^-1 from the factors without a division by the
/// last pivot, so that it is right for matrices of rank n - 1; zero for those of lower rank. With
/// X = L^-1 P dA, Y = adj(A) dA solves U Y = det(A) X, in which the last row is
/// Y_n = X_n (product of the other pivots).
pub(super) fn lu_det_jvp(operands: &[&Array], det: &Array, da: &Array) -> Option<Array> {
    let [_, lu, permutation] = operands else { return None };
    let (n, _) = extents(lu);
    if n == 0 {
        return None;
    }
    let unit = zeros(lu, n, n) + identity(lu, n);
    // The determinant of a permutation is its sign.
    let parity = bind1(Op::Linalg(LinalgOp::LuDet), &[&unit, &unit, permutation]);
    let pivots = lu.diagonal().slice_axis(-1, 0..n - 1);
    let others = parity * pivots.prod_axes([-1]);
    let wide = |x: &Array| x.expand_dims(-1).expand_dims(-1);
    let low_rank = wide(&pivots.eq(0.0).any_axes([-1]));
    let x = solve((true, false, true), lu, &permuted(da, permutation));
    let scaled = concat(
        &[x.slice_axis(-2, 0..n - 1) * wide(det), x.slice_axis(-2, n - 1..n) * wide(&others)],
        -2,
    );
    // One instead of the last pivot; and a regular matrix where the rank is lower, whose result is
    // not used.
    let corner = eye_offset(n, n, 0) * eye_offset(n, 1, 1 - n as isize);
    let corner = corner.ne(0.0).broadcast_to(lu.shape());
    let all = low_rank.broadcast_to(lu.shape());
    let upper = select(&all, &unit, select(&corner, &unit, *lu));
    let y = solve((false, false, false), &upper, &select(&all, 0.0, scaled));
    Some(select(&all, 0.0, y).diagonal().sum_axes([-1]))
}

/// dA = dQ R + Q dR. With B = Q^T dA_1 R_1^-1 on the leading square part,
/// W = Q^T dQ = tril(B, -1) - tril(B, -1)^T is antisymmetric;
/// dQ = Q W + (I - Q Q^T) dA_1 R_1^-1 and dR = Q^T dA - W R.
fn qr_jvp(q: &Array, r: &Array, da: &Array) -> (Array, Array) {
    let (m, k) = extents(q);
    let leading = r.slice_axis(-1, 0..k);
    // X R = dA is R^T X^T = dA^T.
    let right = swap(&solve((false, true, false), &leading, &swap(&da.slice_axis(-1, 0..k))));
    let b = matmul(&swap(q), &right);
    let low = masked(&b, CompareOp::Gt);
    let w = &low - swap(&low);
    let dq = if m > k { matmul(q, &(&w - &b)) + right } else { matmul(q, &w) };
    (dq, masked(&(matmul(&swap(q), da) - matmul(&w, r)), CompareOp::Le))
}

/// The tangent of a basis of which some vectors are any of many.
fn no_derivative(name: &str, part: &str) -> Array {
    let message =
        format!("`{part}` of a full `{name}` of matrices that are not square has no derivative");
    let help =
        format!("its extra vectors are one basis of many; use `{name}`, which leaves them out");
    Array::invalid(Error::new(ErrorKind::Transform, message).help(help), here())
}
