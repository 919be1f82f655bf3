//! Cholesky factors and substitution.

use crate::error::Result;
use crate::eval::linalg::matrices::{narrow, sides, wide};
use crate::types::ArrayType;
use crate::value::Value;

/// `A = L L^T`, row by row: `L_ij = (A_ij - sum_k<j L_ik L_jk) / L_jj`, the diagonal by its root.
pub(super) fn cholesky(x: &Value, ty: &ArrayType) -> Result<Value> {
    let n = ty.shape[ty.rank() - 1];
    let mut data = wide(x)?;
    for matrix in data.chunks_exact_mut((n * n).max(1)) {
        if !factor(matrix, n) {
            for (i, row) in matrix.chunks_exact_mut(n.max(1)).enumerate() {
                row[..=i].fill(f64::NAN);
                row[i + 1..].fill(0.0);
            }
        }
    }
    narrow(&data, ty)
}

/// Replaces a matrix by its factor; false if it is not positive definite.
fn factor(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - sum;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return false;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
        a[i * n + i + 1..(i + 1) * n].fill(0.0);
    }
    true
}

/// Which triangle a solve reads, and how.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) lower: bool,
    pub(super) transpose: bool,
    pub(super) unit: bool,
}

/// Solves with one triangle of `a`, matrix by matrix.
pub(super) fn solve(form: Form, a: &Value, b: &Value, ty: &ArrayType) -> Result<Value> {
    let (n, columns) = sides(ty);
    let a = wide(a)?;
    let mut x = wide(b)?;
    if !x.is_empty() {
        for (a, x) in a.chunks_exact(n * n).zip(x.chunks_exact_mut(n * columns)) {
            substitute(form, a, n, x, columns);
        }
    }
    narrow(&x, ty)
}

/// Substitution: `X_i = (b_i - sum_k op(A)_ik X_k) / op(A)_ii` over the rows `k` solved before.
pub(super) fn substitute(form: Form, a: &[f64], n: usize, x: &mut [f64], columns: usize) {
    let at = |i: usize, k: usize| if form.transpose { a[k * n + i] } else { a[i * n + k] };
    // The transpose of a lower triangle is an upper one, which is solved from the last row.
    let forward = form.lower != form.transpose;
    for step in 0..n {
        let i = if forward { step } else { n - 1 - step };
        let solved = if forward { 0..i } else { i + 1..n };
        for column in 0..columns {
            let sum: f64 = solved.clone().map(|k| at(i, k) * x[k * columns + column]).sum();
            let rest = x[i * columns + column] - sum;
            x[i * columns + column] = if form.unit { rest } else { rest / at(i, i) };
        }
    }
}
