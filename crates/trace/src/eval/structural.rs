//! The ops that move elements without looking at them, and reductions.
//!
//! Broadcast, transpose, slice and reverse read their operand at an affine offset of the result's
//! index; pad and concat write at one. So two loops serve them all.

use crate::dtype::{DType, Element, for_dtype};
use crate::error::Result;
use crate::eval::elements::{build, elements};
use crate::eval::elementwise::max_float;
use crate::memory::no_memory;
use crate::op::structural::ReduceOp;
use crate::types::{ArrayType, other_axes, row_major_strides};
use crate::value::{HostBuffer, Value};
use smallvec::{SmallVec, smallvec};

/// Signed strides: `reverse` walks backwards.
type Strides = SmallVec<[isize; 4]>;

fn strides(shape: &[usize]) -> Strides {
    row_major_strides(shape).iter().map(|&s| s as isize).collect()
}

/// Calls `f` with `base + sum_a index_a * strides_a` for every index below `shape`, in row-major
/// order.
fn walk(shape: &[usize], base: isize, strides: &[isize], mut f: impl FnMut(usize)) {
    if shape.contains(&0) {
        return;
    }
    let Some((&inner, outer)) = shape.split_last() else {
        return f(base as usize);
    };
    let mut index: SmallVec<[usize; 4]> = smallvec![0; outer.len()];
    let mut at = base;
    loop {
        for i in 0..inner {
            f((at + i as isize * strides[outer.len()]) as usize);
        }
        // Counts up like an odometer, keeping the offset in step.
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < outer[axis] {
                break;
            }
            at -= strides[axis] * outer[axis] as isize;
            index[axis] = 0;
        }
    }
}

/// Offsets of all indices along some axes of a row-major array, in row-major order of those axes.
pub(super) fn offsets(shape: &[usize], axes: &[usize]) -> Result<Vec<usize>> {
    let all = strides(shape);
    let extents: SmallVec<[usize; 4]> = axes.iter().map(|&a| shape[a]).collect();
    let steps: Strides = axes.iter().map(|&a| all[a]).collect();
    let (mut list, size) = (Vec::new(), extents.iter().product::<usize>());
    list.try_reserve_exact(size).map_err(|_| no_memory(size.saturating_mul(size_of::<usize>())))?;
    walk(&extents, 0, &steps, |at| list.push(at));
    Ok(list)
}

/// Runs `$body` with `$W` bound to an unsigned integer as wide as the elements of `$dtype`: for
/// ops that only move bits.
macro_rules! for_width {
    ($dtype:expr, $W:ident => $body:expr) => {
        match $dtype {
            DType::F32 | DType::I32 | DType::U32 => {
                type $W = u32;
                $body
            }
            DType::F64 | DType::I64 | DType::U64 => {
                type $W = u64;
                $body
            }
            DType::U8 | DType::Bool => {
                type $W = u8;
                $body
            }
        }
    };
}

/// `result[index] = x[base + index . strides]`.
fn read(x: &Value, ty: &ArrayType, base: isize, strides: &[isize]) -> Result<Value> {
    for_width!(ty.dtype, W => {
        let x = elements::<W>(x)?;
        build::<W>(ty, |out| {
            let mut out = out.iter_mut();
            walk(&ty.shape, base, strides, |at| {
                if let Some(o) = out.next() {
                    *o = x[at];
                }
            });
        })
    })
}

/// `buffer[base + index . strides] = x[index]`.
fn write(x: &Value, buffer: &mut HostBuffer, base: isize, strides: &[isize]) -> Result<()> {
    for_width!(x.ty().dtype, W => {
        let mut from = elements::<W>(x)?.iter();
        let to = buffer.elements_mut::<W>();
        walk(&x.ty().shape, base, strides, |at| {
            if let Some(&v) = from.next() {
                to[at] = v;
            }
        });
        Ok(())
    })
}

/// The same bytes under another type: `reshape` and `bitcast`.
pub(super) fn same_bytes(x: &Value, ty: &ArrayType) -> Result<Value> {
    if x.ty() == ty {
        return Ok(x.clone());
    }
    Ok(Value::host(ty.clone(), x.to_host()?.try_clone()?))
}

pub(super) fn broadcast(axes: &[usize], x: &Value, ty: &ArrayType) -> Result<Value> {
    let own = strides(&x.ty().shape);
    let mut steps: Strides = smallvec![0; ty.rank()];
    for (i, &axis) in axes.iter().enumerate() {
        // An extent of one stretches: its only entry is read again and again.
        steps[axis] = if x.ty().shape[i] == 1 { 0 } else { own[i] };
    }
    read(x, ty, 0, &steps)
}

pub(super) fn transpose(permutation: &[usize], x: &Value, ty: &ArrayType) -> Result<Value> {
    let own = strides(&x.ty().shape);
    let steps: Strides = permutation.iter().map(|&a| own[a]).collect();
    read(x, ty, 0, &steps)
}

/// Strides times `factors + more`. An axis with less than two entries is never stepped along, and
/// its factor may be any number.
fn scaled(own: &[isize], extents: &[usize], factors: &[usize], more: usize) -> Strides {
    let step = |a: usize| if extents[a] < 2 { 0 } else { own[a] * (factors[a] + more) as isize };
    (0..own.len()).map(step).collect()
}

pub(super) fn slice(start: &[usize], stride: &[usize], x: &Value, ty: &ArrayType) -> Result<Value> {
    let own = strides(&x.ty().shape);
    let base = start.iter().zip(&own).map(|(&s, o)| s as isize * o).sum();
    read(x, ty, base, &scaled(&own, &ty.shape, stride, 0))
}

pub(super) fn reverse(axes: &[usize], x: &Value, ty: &ArrayType) -> Result<Value> {
    let mut steps = strides(&ty.shape);
    let mut base = 0;
    for &axis in axes {
        base += steps[axis] * (ty.shape[axis] as isize - 1);
        steps[axis] = -steps[axis];
    }
    read(x, ty, base, &steps)
}

pub(super) fn pad(
    low: &[usize],
    interior: &[usize],
    x: &Value,
    value: &Value,
    ty: &ArrayType,
) -> Result<Value> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    for_width!(ty.dtype, W => buffer.elements_mut::<W>().fill(elements::<W>(value)?[0]));
    let own = strides(&ty.shape);
    let base = low.iter().zip(&own).map(|(&l, o)| l as isize * o).sum();
    write(x, &mut buffer, base, &scaled(&own, &x.ty().shape, interior, 1))?;
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn concat(axis: usize, inputs: &[Value], ty: &ArrayType) -> Result<Value> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    let steps = strides(&ty.shape);
    let mut base = 0;
    for x in inputs {
        write(x, &mut buffer, base, &steps)?;
        base += steps[axis] * x.ty().shape[axis] as isize;
    }
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn iota(axis: usize, ty: &ArrayType) -> Result<Value> {
    let inner: usize = ty.shape[axis + 1..].iter().product();
    let extent = ty.shape[axis];
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    macro_rules! count {
        ($T:ty) => {
            for (i, o) in buffer.elements_mut::<$T>().iter_mut().enumerate() {
                *o = (i / inner % extent) as $T;
            }
        };
    }
    match ty.dtype {
        DType::F32 => count!(f32),
        DType::F64 => count!(f64),
        DType::I32 => count!(i32),
        DType::I64 => count!(i64),
        DType::U8 | DType::Bool => count!(u8),
        DType::U32 => count!(u32),
        DType::U64 => count!(u64),
    }
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn reduce(op: ReduceOp, axes: &[usize], x: &Value, ty: &ArrayType) -> Result<Value> {
    let shape = &x.ty().shape;
    let outer = offsets(shape, &other_axes(shape.len(), axes))?;
    let inner = offsets(shape, axes)?;
    for_dtype!(ty.dtype, T => {
        let x = elements::<T>(x)?;
        let combine = T::combine(op);
        let mut group = vec![Default::default(); inner.len()];
        build::<T>(ty, |out| {
            for (o, base) in out.iter_mut().zip(outer) {
                for (g, at) in group.iter_mut().zip(&inner) {
                    *g = x[base + at];
                }
                *o = combine(&group);
            }
        })
    })
}

/// How a type's elements reduce, in their memory form.
trait Reduce: Element {
    fn combine(op: ReduceOp) -> fn(&[Self::Repr]) -> Self::Repr;
}

/// The sum by halves: the rounding error grows with the logarithm of the length, not with it.
fn pairwise<T: Copy + Into<f64>>(x: &[T]) -> f64 {
    if x.len() <= 8 {
        return x.iter().map(|&v| v.into()).sum();
    }
    let (a, b) = x.split_at(x.len() / 2);
    pairwise(a) + pairwise(b)
}

macro_rules! reduce_float {
    ($($F:ident),*) => {$(
        impl Reduce for $F {
            fn combine(op: ReduceOp) -> fn(&[$F]) -> $F {
                match op {
                    // `+ 0.0` because the sum of nothing is +0, where Rust's is -0.
                    ReduceOp::Sum => |x| (pairwise(x) + 0.0) as $F,
                    ReduceOp::Prod => |x| x.iter().map(|&v| f64::from(v)).product::<f64>() as $F,
                    ReduceOp::Max => |x| x.iter().fold($F::NEG_INFINITY, |m, &v| max_float(m, v)),
                    ReduceOp::Min => |x| -x.iter().fold($F::NEG_INFINITY, |m, &v| max_float(m, -v)),
                    // No rule admits these; they read numbers as truth values.
                    ReduceOp::And => |x| $F::from(u8::from(x.iter().all(|&v| v != 0.0))),
                    ReduceOp::Or => |x| $F::from(u8::from(x.iter().any(|&v| v != 0.0))),
                }
            }
        }
    )*};
}
reduce_float!(f32, f64);

macro_rules! reduce_integer {
    ($($T:ty as $I:ident),*) => {$(
        impl Reduce for $T {
            fn combine(op: ReduceOp) -> fn(&[$I]) -> $I {
                match op {
                    ReduceOp::Sum => |x| x.iter().fold(0, |s: $I, &v| s.wrapping_add(v)),
                    ReduceOp::Prod => |x| x.iter().fold(1, |p: $I, &v| p.wrapping_mul(v)),
                    ReduceOp::Max => |x| x.iter().fold($I::MIN, |m, &v| m.max(v)),
                    ReduceOp::Min => |x| x.iter().fold($I::MAX, |m, &v| m.min(v)),
                    ReduceOp::And => |x| $I::from(x.iter().all(|&v| v != 0)),
                    ReduceOp::Or => |x| $I::from(x.iter().any(|&v| v != 0)),
                }
            }
        }
    )*};
}
reduce_integer!(i32 as i32, i64 as i64, u8 as u8, u32 as u32, u64 as u64, bool as u8);
