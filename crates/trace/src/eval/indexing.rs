//! Reading and writing at computed indices, running reductions and sorting, over contiguous
//! memory. The loops are public and work on plain slices, because the CPU backend calls the very
//! same ones: their order is part of what these ops mean.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::elements::elements;
use crate::op::indexing::{CumulativeOp, ScatterOp};
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value};
use smallvec::SmallVec;

/// Runs `$body` with `$R` bound to how elements of `$dtype` lie in memory.
macro_rules! for_cell {
    ($dtype:expr, $R:ident => $body:expr) => {{
        macro_rules! arm {
            ($t:ty) => {{
                type $R = $t;
                $body
            }};
        }
        match $dtype {
            DType::F32 => arm!(f32),
            DType::F64 => arm!(f64),
            DType::I32 => arm!(i32),
            DType::I64 => arm!(i64),
            DType::U8 | DType::Bool => arm!(u8),
            DType::U32 => arm!(u32),
            DType::U64 => arm!(u64),
        }
    }};
}

/// What the loops ask of an element.
trait Cell: bytemuck::Pod {
    /// What running sums and products are kept in.
    type Wide: Copy;
    fn widen(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;
    fn wide_sum(x: Self::Wide, y: Self::Wide) -> Self::Wide;
    fn wide_product(x: Self::Wide, y: Self::Wide) -> Self::Wide;
    fn sum(self, y: Self) -> Self;
    fn product(self, y: Self) -> Self;
    fn smaller(self, y: Self) -> Self;
    fn larger(self, y: Self) -> Self;
    /// A number that orders as the elements do: NaN last, both zeros equal.
    fn rank(self) -> u64;
}

macro_rules! float_cell {
    ($t:ident $bits:ident) => {
        impl Cell for $t {
            type Wide = f64;
            fn widen(self) -> f64 {
                f64::from(self)
            }
            fn narrow(wide: f64) -> $t {
                wide as $t
            }
            fn wide_sum(x: f64, y: f64) -> f64 {
                x + y
            }
            fn wide_product(x: f64, y: f64) -> f64 {
                x * y
            }
            fn sum(self, y: $t) -> $t {
                self + y
            }
            fn product(self, y: $t) -> $t {
                self * y
            }
            fn smaller(self, y: $t) -> $t {
                if self.is_nan() || self < y || !y.is_nan() && self == y { self } else { y }
            }
            fn larger(self, y: $t) -> $t {
                if self.is_nan() || self > y || !y.is_nan() && self == y { self } else { y }
            }
            fn rank(self) -> u64 {
                if self.is_nan() {
                    return u64::MAX;
                }
                // Adding zero turns -0 into 0. The bits of negative numbers grow downwards.
                let bits = (self + 0.0).to_bits();
                let top = 1 << ($bits::BITS - 1);
                u64::from(if bits & top == 0 { bits | top } else { !bits })
            }
        }
    };
}
float_cell!(f32 u32);
float_cell!(f64 u64);

macro_rules! int_cell {
    ($($t:ident $rank:expr;)*) => {$(
        impl Cell for $t {
            type Wide = $t;
            fn widen(self) -> $t {
                self
            }
            fn narrow(wide: $t) -> $t {
                wide
            }
            fn wide_sum(x: $t, y: $t) -> $t {
                x.wrapping_add(y)
            }
            fn wide_product(x: $t, y: $t) -> $t {
                x.wrapping_mul(y)
            }
            fn sum(self, y: $t) -> $t {
                self.wrapping_add(y)
            }
            fn product(self, y: $t) -> $t {
                self.wrapping_mul(y)
            }
            fn smaller(self, y: $t) -> $t {
                self.min(y)
            }
            fn larger(self, y: $t) -> $t {
                self.max(y)
            }
            fn rank(self) -> u64 {
                $rank(self)
            }
        }
    )*};
}
int_cell! {
    i32 |v: i32| (i64::from(v) as u64) ^ (1 << 63);
    i64 |v: i64| (v as u64) ^ (1 << 63);
    u8 u64::from;
    u32 u64::from;
    u64 |v: u64| v;
}

/// The extents of an indexed array with equal kinds of axes merged.
#[derive(Clone, Debug)]
pub struct IndexedDims {
    /// Elements of the batch axes.
    pub batch: usize,
    /// Extents of the indexed axes.
    pub extents: SmallVec<[usize; 4]>,
    /// Index tuples of each batch entry.
    pub count: usize,
    /// Elements of the axes that follow.
    pub rest: usize,
}

impl IndexedDims {
    /// From the types of the array and of its index arrays.
    pub fn new(batch: usize, x: &ArrayType, indices: usize, index: &ArrayType) -> IndexedDims {
        IndexedDims {
            batch: x.shape[..batch].iter().product(),
            extents: x.shape[batch..batch + indices].into(),
            count: index.shape[batch..].iter().product(),
            rest: x.shape[batch + indices..].iter().product(),
        }
    }

    /// Calls `visit(element of x, element of the window)` with the start of each piece of `rest`
    /// elements, in order; `None` where an index is out of range.
    fn each(&self, indices: &[&[i32]], mut visit: impl FnMut(Option<usize>, usize)) {
        let whole: usize = self.extents.iter().product();
        for b in 0..self.batch {
            for c in 0..self.count {
                let tuple = b * self.count + c;
                let mut at = Some(b * whole * self.rest);
                let mut step = whole * self.rest;
                for (list, &n) in indices.iter().zip(&self.extents) {
                    step = step.checked_div(n).unwrap_or(0);
                    at = at.and_then(|at| {
                        let i = usize::try_from(list[tuple]).ok().filter(|&i| i < n)?;
                        Some(at + i * step)
                    });
                }
                visit(at, tuple * self.rest);
            }
        }
    }
}

fn gather_cells<T: Cell>(dims: &IndexedDims, x: &[T], indices: &[&[i32]], out: &mut [T]) {
    dims.each(indices, |from, to| {
        // What is out of range stays zero.
        if let Some(from) = from {
            out[to..to + dims.rest].copy_from_slice(&x[from..from + dims.rest]);
        }
    });
}

fn scatter_cells<T: Cell>(
    op: ScatterOp,
    dims: &IndexedDims,
    indices: &[&[i32]],
    updates: &[T],
    out: &mut [T],
) {
    let combine: fn(T, T) -> T = match op {
        ScatterOp::Set => |_, y| y,
        ScatterOp::Add => T::sum,
        ScatterOp::Mul => T::product,
        ScatterOp::Min => T::smaller,
        ScatterOp::Max => T::larger,
    };
    dims.each(indices, |to, from| {
        if let Some(to) = to {
            for k in 0..dims.rest {
                out[to + k] = combine(out[to + k], updates[from + k]);
            }
        }
    });
}

/// Combines `updates` into `out`, which holds the array, one index tuple after the other; those
/// out of range are dropped. Bytes are those of contiguous arrays of `dtype`.
pub fn scatter_bytes(
    dtype: DType,
    op: ScatterOp,
    dims: &IndexedDims,
    indices: &[&[i32]],
    updates: &[u8],
    out: &mut [u8],
) {
    for_cell!(dtype, R => scatter_cells::<R>(
        op,
        dims,
        indices,
        bytemuck::cast_slice(updates),
        bytemuck::cast_slice_mut(out),
    ));
}

fn cumulative_cells<T: Cell>(
    op: CumulativeOp,
    [outer, n, inner]: [usize; 3],
    reverse: bool,
    x: &[T],
    out: &mut [T],
) {
    for o in 0..outer {
        for i in 0..inner {
            let at = |k: usize| (o * n + if reverse { n - 1 - k } else { k }) * inner + i;
            match op {
                CumulativeOp::Sum | CumulativeOp::Prod => {
                    let combine =
                        if op == CumulativeOp::Sum { T::wide_sum } else { T::wide_product };
                    let mut total: Option<T::Wide> = None;
                    for k in 0..n {
                        let next = x[at(k)].widen();
                        let next = total.map_or(next, |t| combine(t, next));
                        total = Some(next);
                        out[at(k)] = T::narrow(next);
                    }
                }
                CumulativeOp::Max | CumulativeOp::Min => {
                    let combine = if op == CumulativeOp::Max { T::larger } else { T::smaller };
                    let mut total: Option<T> = None;
                    for k in 0..n {
                        let next = total.map_or(x[at(k)], |t| combine(t, x[at(k)]));
                        total = Some(next);
                        out[at(k)] = next;
                    }
                }
            }
        }
    }
}

/// Running reductions along the middle axis of (outer, n, inner), from its end if `reverse`.
pub fn cumulative_bytes(
    dtype: DType,
    op: CumulativeOp,
    extents: [usize; 3],
    reverse: bool,
    x: &[u8],
    out: &mut [u8],
) {
    for_cell!(dtype, R => cumulative_cells::<R>(
        op,
        extents,
        reverse,
        bytemuck::cast_slice(x),
        bytemuck::cast_slice_mut(out),
    ));
}

fn ranks<T: Cell>(x: &[T], start: usize, step: usize, out: &mut [u64]) {
    for (k, r) in out.iter_mut().enumerate() {
        *r = x[start + k * step].rank();
    }
}

fn permute<T: Cell>(x: &[T], start: usize, step: usize, order: &[usize], out: &mut [T]) {
    for (k, &from) in order.iter().enumerate() {
        out[start + k * step] = x[start + from * step];
    }
}

/// Sorts arrays together along the middle axis of (outer, n, inner), stably and ascending, by the
/// leading `num_keys` of them.
pub fn sort_bytes(
    dtypes: &[DType],
    num_keys: usize,
    [outer, n, inner]: [usize; 3],
    inputs: &[&[u8]],
    outputs: &mut [&mut [u8]],
) {
    let mut keys = vec![0u64; num_keys * n];
    let mut order: Vec<usize> = Vec::with_capacity(n);
    for lane in 0..outer * inner {
        let start = lane / inner * n * inner + lane % inner;
        for (k, key) in keys.chunks_exact_mut(n.max(1)).enumerate() {
            for_cell!(dtypes[k], R => {
                ranks::<R>(bytemuck::cast_slice(inputs[k]), start, inner, key);
            });
        }
        order.clear();
        order.extend(0..n);
        order.sort_by(|&a, &b| {
            let key = |i: usize| (0..num_keys).map(move |k| k * n + i);
            key(a).map(|i| keys[i]).cmp(key(b).map(|i| keys[i]))
        });
        for ((&dtype, x), out) in dtypes.iter().zip(inputs).zip(outputs.iter_mut()) {
            for_cell!(dtype, R => permute::<R>(
                bytemuck::cast_slice(x),
                start,
                inner,
                &order,
                bytemuck::cast_slice_mut(out),
            ));
        }
    }
}

/// The extents before, of and after an axis.
pub fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

fn index_lists(indices: &[Value]) -> Result<SmallVec<[&[i32]; 4]>> {
    indices.iter().map(elements::<i32>).collect()
}

pub(super) fn gather(batch: usize, inputs: &[Value], ty: &ArrayType) -> Result<Value> {
    let (x, indices) = (&inputs[0], &inputs[1..]);
    let dims = IndexedDims::new(batch, x.ty(), indices.len(), indices[0].ty());
    let lists = index_lists(indices)?;
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    let x = x.to_host()?;
    for_cell!(ty.dtype, R => {
        gather_cells::<R>(&dims, x.elements(), &lists, buffer.elements_mut());
    });
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn scatter(
    op: ScatterOp,
    batch: usize,
    inputs: &[Value],
    ty: &ArrayType,
) -> Result<Value> {
    let last = inputs.len() - 1;
    let (indices, updates) = (&inputs[1..last], &inputs[last]);
    let dims = IndexedDims::new(batch, ty, indices.len(), indices[0].ty());
    let mut buffer = inputs[0].to_host()?.try_clone()?;
    let out = buffer.bytes_mut();
    scatter_bytes(ty.dtype, op, &dims, &index_lists(indices)?, updates.to_host()?.bytes(), out);
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn cumulative(
    op: CumulativeOp,
    axis: usize,
    reverse: bool,
    x: &Value,
    ty: &ArrayType,
) -> Result<Value> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    let extents = around(&ty.shape, axis);
    cumulative_bytes(ty.dtype, op, extents, reverse, x.to_host()?.bytes(), buffer.bytes_mut());
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn sort(
    axis: usize,
    num_keys: usize,
    inputs: &[Value],
    types: &[ArrayType],
) -> Result<SmallVec<[Value; 2]>> {
    let dtypes: Vec<DType> = types.iter().map(|ty| ty.dtype).collect();
    let mut buffers: Vec<HostBuffer> =
        types.iter().map(|ty| HostBuffer::try_zeroed(ty.bytes())).collect::<Result<_>>()?;
    let sources: Vec<&[u8]> =
        inputs.iter().map(|x| Ok(x.to_host()?.bytes())).collect::<Result<_>>()?;
    let mut outputs: Vec<&mut [u8]> = buffers.iter_mut().map(HostBuffer::bytes_mut).collect();
    sort_bytes(&dtypes, num_keys, around(&types[0].shape, axis), &sources, &mut outputs);
    Ok(types.iter().cloned().zip(buffers).map(|(ty, b)| Value::host(ty, b)).collect())
}
