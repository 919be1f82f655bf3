//! Dense linear algebra by textbook algorithms, on the last two axes and once per matrix of the
//! leading ones. `f32` is computed in `f64` and rounded once. Matrices are row-major.

mod lu;
mod matrices;
mod orthogonal;
mod spectral;
mod triangular;

pub use matrices::sign_of;
pub use orthogonal::complement;

use crate::error::Result;
use crate::eval::elements::elements;
use crate::eval::linalg::matrices::{count, entry, integers, narrow, sides, wide};
use crate::op::linalg::{LinalgOp, Vectors};
use crate::types::ArrayType;
use crate::value::Value;
use smallvec::{SmallVec, smallvec};
use triangular::Form;

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
                (integers(&pivots, &outputs[1])?, integers(&permutation, &outputs[2])?);
            Ok(smallvec![narrow(&data, &outputs[0])?, pivots, permutation])
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
            Ok(smallvec![narrow(&data, &outputs[0])?])
        }
        LinalgOp::LuDet => {
            let (lu, rows) = (wide(&inputs[1])?, elements::<i32>(&inputs[2])?);
            let det = |b| lu::det(entry(&lu, b, n * n), entry(rows, b, n));
            let data: Vec<f64> = (0..batch).map(det).collect();
            Ok(smallvec![narrow(&data, &outputs[0])?])
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
            Ok(smallvec![narrow(&q, &outputs[0])?, narrow(&r, &outputs[1])?])
        }
        LinalgOp::Eigh { vectors } => {
            let data = wide(x)?;
            let (mut w, mut v) = (Vec::new(), Vec::new());
            for b in 0..batch {
                let (values, columns) = spectral::eigh(entry(&data, b, n * n), n);
                w.extend(values);
                v.extend(columns);
            }
            let w = narrow(&w, &outputs[0])?;
            Ok(if vectors { smallvec![w, narrow(&v, &outputs[1])?] } else { smallvec![w] })
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
                Vectors::None => smallvec![narrow(&s, &outputs[0])?],
                Vectors::Thin | Vectors::Full => {
                    let (u, s) = (narrow(&u, &outputs[0])?, narrow(&s, &outputs[1])?);
                    smallvec![u, s, narrow(&vt, &outputs[2])?]
                }
            })
        }
    }
}
