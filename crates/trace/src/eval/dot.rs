//! The generalised matrix product. `f32` accumulates in `f64` and rounds once; integers wrap.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::eval::elements::{build, elements};
use crate::eval::structural::offsets;
use crate::op::structural::DotAxes;
use crate::types::{ArrayType, other_axes};
use crate::value::Value;

/// Offsets of an operand's elements, along its batch, its free and its contracted axes.
struct Side {
    batch: Vec<usize>,
    free: Vec<usize>,
    contract: Vec<usize>,
}

impl Side {
    fn new(ty: &ArrayType, batch: &[usize], contract: &[usize]) -> Result<Side> {
        let bound: Vec<usize> = batch.iter().chain(contract).copied().collect();
        Ok(Side {
            batch: offsets(&ty.shape, batch)?,
            free: offsets(&ty.shape, &other_axes(ty.rank(), &bound))?,
            contract: offsets(&ty.shape, contract)?,
        })
    }
}

pub(super) fn dot(axes: &DotAxes, lhs: &Value, rhs: &Value, ty: &ArrayType) -> Result<Value> {
    let l = Side::new(lhs.ty(), &axes.lhs_batch, &axes.lhs_contract)?;
    let r = Side::new(rhs.ty(), &axes.rhs_batch, &axes.rhs_contract)?;
    macro_rules! integers {
        ($T:ty) => {
            products::<$T, $T>(
                &l,
                &r,
                lhs,
                rhs,
                ty,
                |x| x,
                |sum| sum,
                |s, x, y| s.wrapping_add(x.wrapping_mul(y)),
            )
        };
    }
    match ty.dtype {
        DType::F32 => {
            products::<f32, f64>(&l, &r, lhs, rhs, ty, f64::from, |s| s as f32, |s, x, y| s + x * y)
        }
        DType::F64 => products::<f64, f64>(&l, &r, lhs, rhs, ty, |x| x, |s| s, |s, x, y| s + x * y),
        DType::I32 => integers!(i32),
        DType::I64 => integers!(i64),
        // No rule admits `bool`; as a byte it would multiply like one.
        DType::U8 | DType::Bool => integers!(u8),
        DType::U32 => integers!(u32),
        DType::U64 => integers!(u64),
    }
}

/// `out[b, i, j] = sum_k lhs[b, i, k] rhs[b, j, k]`, with sums of type `A`.
#[allow(clippy::too_many_arguments)]
fn products<T: Element, A: Copy + Default>(
    l: &Side,
    r: &Side,
    lhs: &Value,
    rhs: &Value,
    ty: &ArrayType,
    widen: impl Fn(T::Repr) -> A,
    narrow: impl Fn(A) -> T::Repr,
    step: impl Fn(A, A, A) -> A,
) -> Result<Value> {
    let (x, y) = (elements::<T>(lhs)?, elements::<T>(rhs)?);
    // One batch of an operand with the contracted axes innermost and contiguous.
    let pack = |side: &Side, data: &[T::Repr], base: usize| -> Vec<A> {
        let at = |i: &usize, k: &usize| widen(data[base + i + k]);
        side.free.iter().flat_map(|i| side.contract.iter().map(move |k| at(i, k))).collect()
    };
    let inner = l.contract.len();
    build::<T>(ty, |out| {
        let mut results = out.iter_mut();
        for (&lb, &rb) in l.batch.iter().zip(&r.batch) {
            let (left, right) = (pack(l, x, lb), pack(r, y, rb));
            for i in 0..l.free.len() {
                for (j, o) in (0..r.free.len()).zip(&mut results) {
                    let row = &left[i * inner..(i + 1) * inner];
                    let column = &right[j * inner..(j + 1) * inner];
                    let sum =
                        row.iter().zip(column).fold(A::default(), |s, (&x, &y)| step(s, x, y));
                    *o = narrow(sum);
                }
            }
        }
    })
}
