//! Dense linear algebra by textbook algorithms, on the last two axes and once per matrix of the
//! leading ones. `f32` is computed in `f64` and rounded once. Matrices are row-major.

mod lu;
mod orthogonal;
mod spectral;
mod triangular;

pub use orthogonal::complement;
pub use spectral::sign_of;

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::{build, elements};
use crate::op::linalg::{LinalgOp, Vectors};
use crate::types::ArrayType;
use crate::value::Value;
use smallvec::{SmallVec, smallvec};
use triangular::Form;

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

fn integers(data: &[i32], ty: &ArrayType) -> Value {
    build::<i32>(ty, |out| out.copy_from_slice(data))
}

/// Rows and columns.
fn sides(ty: &ArrayType) -> (usize, usize) {
    (ty.shape[ty.rank() - 2], ty.shape[ty.rank() - 1])
}

/// Number of matrices.
fn count(ty: &ArrayType) -> usize {
    ty.shape[..ty.rank() - 2].iter().product()
}

/// Entry `b` of a stack of things of equal size.
fn entry<T>(data: &[T], b: usize, size: usize) -> &[T] {
    &data[b * size..(b + 1) * size]
}

/// Applies an op to values that fit it.
pub(super) fn apply(
    op: LinalgOp,
    inputs: &[Value],
    outputs: &[ArrayType],
) -> Result<SmallVec<[Value; 2]>> {
    let x = &inputs[0];
    let (batch, (m, n)) = (count(x.ty()), sides(x.ty()));
    match op {
        LinalgOp::Cholesky => Ok(smallvec![triangular::cholesky(x, &outputs[0])?]),
        LinalgOp::TriangularSolve { lower, transpose, unit_diagonal } => {
            let form = Form { lower, transpose, unit: unit_diagonal };
            Ok(smallvec![triangular::solve(form, x, &inputs[1], &outputs[0])?])
        }
        LinalgOp::Lu => {
            let mut data = wide(x)?;
            let (mut pivots, mut permutation) = (Vec::new(), Vec::new());
            for b in 0..batch {
                let matrix = &mut data[b * m * n..(b + 1) * m * n];
                let steps = lu::factor(matrix, m, n);
                permutation.extend(lu::permutation(&steps, m));
                pivots.extend(steps.iter().map(|&p| p as i32));
            }
            let (pivots, permutation) =
                (integers(&pivots, &outputs[1]), integers(&permutation, &outputs[2]));
            Ok(smallvec![narrow(&data, &outputs[0]), pivots, permutation])
        }
        LinalgOp::LuSolve { transpose } => {
            let (lu, rows, rhs) = (wide(&inputs[1])?, elements::<i32>(&inputs[2])?, &inputs[3]);
            let columns = sides(rhs.ty()).1;
            let rhs = wide(rhs)?;
            let mut data = Vec::with_capacity(rhs.len());
            for b in 0..batch {
                let (lu, rows) = (entry(&lu, b, n * n), entry(rows, b, n));
                let rhs = entry(&rhs, b, n * columns);
                data.extend(lu::solve(lu, rows, rhs, columns, transpose));
            }
            Ok(smallvec![narrow(&data, &outputs[0])])
        }
        LinalgOp::LuDet => {
            let (lu, rows) = (wide(&inputs[1])?, elements::<i32>(&inputs[2])?);
            let det = |b| lu::det(entry(&lu, b, n * n), entry(rows, b, n));
            let data: Vec<f64> = (0..batch).map(det).collect();
            Ok(smallvec![narrow(&data, &outputs[0])])
        }
        LinalgOp::Qr { .. } => {
            let k = outputs[0].shape[outputs[0].rank() - 1];
            let data = wide(x)?;
            let (mut q, mut r) = (Vec::new(), Vec::new());
            for b in 0..batch {
                let (left, right) = orthogonal::qr(entry(&data, b, m * n), m, n, k);
                q.extend(left);
                r.extend(right);
            }
            Ok(smallvec![narrow(&q, &outputs[0]), narrow(&r, &outputs[1])])
        }
        LinalgOp::Eigh { vectors } => {
            let data = wide(x)?;
            let (mut w, mut v) = (Vec::new(), Vec::new());
            for b in 0..batch {
                let (values, columns) = spectral::eigh(entry(&data, b, n * n), n);
                w.extend(values);
                v.extend(columns);
            }
            let w = narrow(&w, &outputs[0]);
            Ok(if vectors { smallvec![w, narrow(&v, &outputs[1])] } else { smallvec![w] })
        }
        LinalgOp::Svd { vectors } => {
            let full = vectors == Vectors::Full;
            let data = wide(x)?;
            let (mut u, mut s, mut vt) = (Vec::new(), Vec::new(), Vec::new());
            for b in 0..batch {
                let parts = spectral::svd(entry(&data, b, m * n), m, n, full);
                u.extend(parts.0);
                s.extend(parts.1);
                vt.extend(parts.2);
            }
            Ok(match vectors {
                Vectors::None => smallvec![narrow(&s, &outputs[0])],
                Vectors::Thin | Vectors::Full => {
                    let (u, s) = (narrow(&u, &outputs[0]), narrow(&s, &outputs[1]));
                    smallvec![u, s, narrow(&vt, &outputs[2])]
                }
            })
        }
    }
}

/// The transpose of `m` rows of `n`.
fn transposed(x: &[f64], m: usize, n: usize) -> Vec<f64> {
    (0..n).flat_map(|j| (0..m).map(move |i| x[i * n + j])).collect()
}
