//! Dense linear algebra on whole arrays, called from compiled code. Here is what is behind the
//! doors; the loops and the choice between them and faer are in `dense` and `factors`. Nothing
//! unwinds: what panics, which nothing here should, gives NaN. Batches of much work are shared
//! among the threads of the current rayon pool, matrix by matrix.

mod callback;
mod dense;
mod factors;
mod indexing;
mod matrix;

pub(crate) use callback::{HostCall, host_call, with_failure};
pub(crate) use factors::{Factors, factors};
pub(crate) use indexing::{Indexing, indexing};

use crate::crossing::join;
use matrix::{Matrix, MatrixMut, Number, SHARED};
use probpipe_trace::DType;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Steps along batch, rows and columns, in elements.
pub(crate) type Steps = [i64; 3];

/// What a call is about, apart from addresses. Compiled code points to it.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    /// The element type.
    pub(crate) dtype: DType,
    /// Number of matrices.
    pub(crate) batch: usize,
    /// What to do with each.
    pub(crate) call: Call,
}

/// A call on one matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// `out[m, n] = x[m, k] y[k, n]`.
    Matmul { m: usize, n: usize, k: usize, x: Steps, y: Steps, out: Steps },
    /// `out out^T = x`, lower.
    Cholesky { n: usize, x: Steps, out: Steps },
    /// `op(x) out = y`.
    Solve {
        n: usize,
        columns: usize,
        lower: bool,
        transpose: bool,
        unit: bool,
        x: Steps,
        y: Steps,
        out: Steps,
    },
}

/// Behind the door: `(descriptor, x, y, out)`.
///
/// # Safety
/// The descriptor lives; the arrays have the element type and extents that it says, and `out`
/// overlaps no other, except that the right side of a solve may be `out` itself.
pub(crate) unsafe fn library(
    descriptor: *const Descriptor,
    x: *const u8,
    y: *const u8,
    out: *mut u8,
) {
    // SAFETY: the executable that owns the running code owns the descriptor.
    let d = unsafe { &*descriptor };
    macro_rules! dispatch {
        ($run:ident, $($dtype:ident => $t:ty),*) => {
            match d.dtype {
                // SAFETY: as promised above; the element type is the descriptor's.
                $(DType::$dtype => unsafe {
                    $run::<$t>(d, &Arrays { x: x.cast(), y: y.cast(), out: out.cast() });
                },)*
                // The emitter makes no other descriptor.
                _ => {}
            }
        };
    }
    match d.call {
        Call::Matmul { .. } => dispatch!(products, F32 => f32, F64 => f64, I32 => i32, I64 => i64,
            U8 => u8, U32 => u32, U64 => u64),
        Call::Cholesky { .. } | Call::Solve { .. } => {
            dispatch!(decompositions, F32 => f32, F64 => f64)
        }
    }
}

/// The arrays of a call. Threads share them.
#[derive(Clone, Copy)]
struct Arrays<T> {
    x: *const T,
    y: *const T,
    out: *mut T,
}

// SAFETY: threads write different matrices of `out`, and read what nothing writes meanwhile.
unsafe impl<T: Send + Sync> Sync for Arrays<T> {}

impl Descriptor {
    /// Does something for every matrix of the batch, on several threads if each takes `work`
    /// multiplications and that is much altogether.
    fn each(&self, work: usize, matrix: &(impl Fn(usize) + Sync)) {
        let all = work.saturating_mul(self.batch);
        let least = if all < SHARED { self.batch } else { (SHARED / 2).div_ceil(work.max(1)) };
        halves(0..self.batch, least, matrix);
    }
}

fn halves(range: Range<usize>, least: usize, matrix: &(impl Fn(usize) + Sync)) {
    if range.len() <= least {
        return range.for_each(matrix);
    }
    let middle = range.start + range.len() / 2;
    join(
        || halves(range.start..middle, least, matrix),
        || halves(middle..range.end, least, matrix),
    );
}

/// # Safety
/// As [`library`].
unsafe fn products<T: Number>(d: &Descriptor, arrays: &Arrays<T>) {
    let Call::Matmul { m, n, k, x: xs, y: ys, out: os } = d.call else { return };
    d.each(m * n * k, &|b| {
        // SAFETY: every matrix of the batch lies within the arrays that the caller promised.
        let (x, y, mut out) = unsafe {
            (
                Matrix::at(arrays.x, b, m, k, xs),
                Matrix::at(arrays.y, b, k, n, ys),
                MatrixMut::at(arrays.out, b, m, n, os),
            )
        };
        let done = catch_unwind(AssertUnwindSafe(|| T::product(x, y, out.reborrow())));
        if done.is_err() {
            out.fill(T::NAN);
        }
    });
}

/// # Safety
/// As [`library`].
unsafe fn decompositions<T: dense::Real>(d: &Descriptor, arrays: &Arrays<T>) {
    match d.call {
        Call::Matmul { .. } => {}
        Call::Cholesky { n, x: xs, out: os } => d.each(n * n * n / 6, &|b| {
            // SAFETY: every matrix of the batch lies within the arrays promised.
            let (x, mut out) = unsafe {
                (Matrix::at(arrays.x, b, n, n, xs), MatrixMut::at(arrays.out, b, n, n, os))
            };
            let done = catch_unwind(AssertUnwindSafe(|| dense::cholesky(x, out.reborrow())));
            if !matches!(done, Ok(true)) {
                for i in 0..n {
                    (0..n).for_each(|j| out.set(i, j, if j <= i { T::NAN } else { T::ZERO }));
                }
            }
        }),
        Call::Solve { n, columns, lower, transpose, unit, x: xs, y: ys, out: os } => {
            d.each(n * n * columns / 2, &|b| {
                // SAFETY: as above; the right side is copied before `out` is borrowed, since the
                // two may be one array.
                let (x, mut out) = unsafe {
                    let rhs = Matrix::at(arrays.y, b, n, columns, ys);
                    dense::copy(rhs, MatrixMut::at(arrays.out, b, n, columns, os));
                    (
                        Matrix::at(arrays.x, b, n, n, xs),
                        MatrixMut::at(arrays.out, b, n, columns, os),
                    )
                };
                // The transpose of a lower triangle is an upper one.
                let (x, lower) = if transpose { (x.transposed(), !lower) } else { (x, lower) };
                let done = catch_unwind(AssertUnwindSafe(|| {
                    dense::solve(x, lower, unit, out.reborrow());
                }));
                if done.is_err() {
                    out.fill(T::NAN);
                }
            });
        }
    }
}
