//! Stacks of matrices as rows of `f64`, in and out of values.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::elements::{build, elements};
use crate::types::ArrayType;
use crate::value::Value;

/// The elements as `f64`.
pub(super) fn wide(x: &Value) -> Result<Vec<f64>> {
    Ok(if x.ty().dtype == DType::F32 {
        elements::<f32>(x)?.iter().map(|&v| f64::from(v)).collect()
    } else {
        elements::<f64>(x)?.to_vec()
    })
}

/// A value of type `ty` from elements as `f64`.
pub(super) fn narrow(data: &[f64], ty: &ArrayType) -> Result<Value> {
    if ty.dtype == DType::F32 {
        build::<f32>(ty, |out| out.iter_mut().zip(data).for_each(|(o, &v)| *o = v as f32))
    } else {
        build::<f64>(ty, |out| out.copy_from_slice(data))
    }
}

pub(super) fn integers(data: &[i32], ty: &ArrayType) -> Result<Value> {
    build::<i32>(ty, |out| out.copy_from_slice(data))
}

/// Rows and columns.
pub(super) fn sides(ty: &ArrayType) -> (usize, usize) {
    (ty.shape[ty.rank() - 2], ty.shape[ty.rank() - 1])
}

/// Number of matrices.
pub(super) fn count(ty: &ArrayType) -> usize {
    ty.shape[..ty.rank() - 2].iter().product()
}

/// Entry `b` of a stack of things of equal size.
pub(super) fn entry<T>(data: &[T], b: usize, size: usize) -> &[T] {
    &data[b * size..(b + 1) * size]
}

/// The transpose of `m` rows of `n`.
pub(super) fn transposed(x: &[f64], m: usize, n: usize) -> Vec<f64> {
    (0..n).flat_map(|j| (0..m).map(move |i| x[i * n + j])).collect()
}

/// The sign that makes the first element of about the largest magnitude positive. "About", so that
/// the choice between elements that are equal but for rounding is always the first.
pub fn sign_of(column: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = column.clone().fold(0.0f64, |s, v| s.max(v.abs()));
    match column.into_iter().find(|v| v.abs() >= largest * (1.0 - 1e-3)) {
        Some(v) if v < 0.0 => -1.0,
        _ => 1.0,
    }
}
