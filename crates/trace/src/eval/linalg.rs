//! Dense linear algebra by the textbook loops, on the last two axes and once per matrix of the
//! leading ones. `f32` is computed in `f64` and rounded once.

use super::{build, elements};
use crate::{ArrayType, DType, Result, Value};

/// The elements as `f64`.
fn wide(x: &Value) -> Result<Vec<f64>> {
    Ok(if x.ty().dtype == DType::F32 {
        elements::<f32>(x)?.iter().map(|&v| f64::from(v)).collect()
    } else {
        elements::<f64>(x)?.to_vec()
    })
}

/// A value of type `ty` from elements as `f64`.
fn narrow(data: &[f64], ty: &ArrayType) -> Value {
    if ty.dtype == DType::F32 {
        build::<f32>(ty, |out| out.iter_mut().zip(data).for_each(|(o, &v)| *o = v as f32))
    } else {
        build::<f64>(ty, |out| out.copy_from_slice(data))
    }
}

/// `A = L L^T`, row by row: `L_ij = (A_ij - sum_k<j L_ik L_jk) / L_jj`, the diagonal by its root.
pub(super) fn cholesky(x: &Value, ty: &ArrayType) -> Result<Value> {
    let n = ty.shape[ty.rank() - 1];
    let mut data = wide(x)?;
    for matrix in data.chunks_exact_mut((n * n).max(1)) {
        if !factor(matrix, n) {
            matrix.fill(f64::NAN);
        }
    }
    Ok(narrow(&data, ty))
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
    pub lower: bool,
    pub transpose: bool,
    pub unit: bool,
}

/// Substitution: `X_i = (b_i - sum_k op(A)_ik X_k) / op(A)_ii` over the rows `k` solved before.
pub(super) fn triangular_solve(form: Form, a: &Value, b: &Value, ty: &ArrayType) -> Result<Value> {
    let (n, columns) = (ty.shape[ty.rank() - 2], ty.shape[ty.rank() - 1]);
    let a = wide(a)?;
    let mut x = wide(b)?;
    if x.is_empty() {
        return Ok(narrow(&x, ty));
    }
    for (a, x) in a.chunks_exact(n * n).zip(x.chunks_exact_mut(n * columns)) {
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
    Ok(narrow(&x, ty))
}
