//! Decompositions, and solves and determinants from LU factors: plain loops for small matrices,
//! faer for the others. No pointers but at the door. What fails gives NaN in its own matrix.

use super::dense::Real;
use bytemuck::Pod;
use faer::linalg::triangular_solve as triangular;
use faer::{MatMut, MatRef, Par, Side};
use probpipe_trace::eval::{complement, sign_of};
use probpipe_trace::{ArrayType, DType, LinalgOp, Vectors};
use smallvec::SmallVec;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Up to this many rows the loops are faster.
const SMALL: usize = 24;

/// What a call is about, apart from addresses.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    /// What is computed.
    pub(crate) op: LinalgOp,
    /// Types of the operands; all are row-major.
    pub(crate) inputs: Vec<ArrayType>,
    /// Types of the results.
    pub(crate) outputs: Vec<ArrayType>,
}

/// Behind the door: `(descriptor, addresses of the operands, then of the results)`.
///
/// # Safety
/// The descriptor lives; every address is that of a row-major array of the type that it says,
/// aligned to its elements, and results overlap nothing.
pub(crate) unsafe fn factors(descriptor: *const Factors, addresses: *const usize) {
    // SAFETY: the executable that owns the running code owns the descriptor.
    let call = unsafe { &*descriptor };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let count = call.inputs.len() + call.outputs.len();
        // SAFETY: the emitter wrote one address per operand and result before the call.
        let addresses = unsafe { std::slice::from_raw_parts(addresses, count) };
        let (from, to) = addresses.split_at(call.inputs.len());
        let operands: SmallVec<[&[u8]; 4]> = from
            .iter()
            .zip(&call.inputs)
            // SAFETY: the caller promised an array of this type, which nothing writes meanwhile.
            .map(|(&at, ty)| unsafe { std::slice::from_raw_parts(at as *const u8, ty.bytes()) })
            .collect();
        let mut results: SmallVec<[&mut [u8]; 4]> = to
            .iter()
            .zip(&call.outputs)
            // SAFETY: as above, and results overlap nothing.
            .map(|(&at, ty)| unsafe { std::slice::from_raw_parts_mut(at as *mut u8, ty.bytes()) })
            .collect();
        match call.inputs[0].dtype {
            DType::F32 => call.run::<f32>(&operands, &mut results),
            DType::F64 => call.run::<f64>(&operands, &mut results),
            // The emitter makes no other descriptor.
            DType::I32 | DType::I64 | DType::U8 | DType::U32 | DType::U64 | DType::Bool => {}
        }
    }));
}

impl Factors {
    fn run<T: Real + Pod>(&self, operands: &[&[u8]], results: &mut [&mut [u8]]) {
        let shape = &self.inputs[0].shape;
        let [batch @ .., m, n] = &shape[..] else { return };
        let batch: usize = batch.iter().product();
        for b in 0..batch {
            let x: SmallVec<[&[u8]; 4]> =
                operands.iter().map(|x| &x[b * (x.len() / batch)..][..x.len() / batch]).collect();
            let mut y: SmallVec<[&mut [u8]; 4]> = results
                .iter_mut()
                .map(|y| {
                    let size = y.len() / batch;
                    &mut y[b * size..][..size]
                })
                .collect();
            let done = catch_unwind(AssertUnwindSafe(|| self.one::<T>(*m, *n, &x, &mut y)));
            if !matches!(done, Ok(true)) {
                for (y, ty) in y.iter_mut().zip(&self.outputs) {
                    if ty.dtype.is_float() {
                        bytemuck::cast_slice_mut::<u8, T>(y).fill(T::NAN);
                    } else {
                        y.fill(0);
                    }
                }
            }
        }
    }

    /// One matrix; false if there is no result.
    fn one<T: Real + Pod>(&self, m: usize, n: usize, x: &[&[u8]], y: &mut [&mut [u8]]) -> bool {
        let a: &[T] = bytemuck::cast_slice(x[0]);
        match (self.op, x, y) {
            (LinalgOp::Lu, _, [lu, pivots, permutation]) => {
                let permutation = bytemuck::cast_slice_mut(permutation);
                lu_factor(a, m, n, bytemuck::cast_slice_mut(lu), permutation);
                swaps(permutation, bytemuck::cast_slice_mut(pivots));
                true
            }
            (LinalgOp::LuSolve { transpose }, [_, lu, rows, rhs], [out]) => {
                let (lu, rows) = (bytemuck::cast_slice(lu), bytemuck::cast_slice(rows));
                let (rhs, out) = (bytemuck::cast_slice(rhs), bytemuck::cast_slice_mut(out));
                lu_solve::<T>(lu, rows, rhs, out, transpose);
                true
            }
            (LinalgOp::LuDet, [_, lu, rows], [out]) => {
                let lu: &[T] = bytemuck::cast_slice(lu);
                let det = (0..n).fold(T::ONE, |product, i| product * lu[i * n + i]);
                let odd = odd(bytemuck::cast_slice(rows));
                bytemuck::cast_slice_mut(out)[0] = if odd { T::ZERO - det } else { det };
                true
            }
            (LinalgOp::Qr { full }, _, [q, r]) => {
                let (q, r) = (bytemuck::cast_slice_mut(q), bytemuck::cast_slice_mut(r));
                qr(a, m, n, full, q, r);
                true
            }
            (LinalgOp::Eigh { vectors }, _, [w, v @ ..]) => {
                let v = v.first_mut().filter(|_| vectors);
                let v = v.map(|v| bytemuck::cast_slice_mut(v));
                eigh(a, n, bytemuck::cast_slice_mut(w), v)
            }
            (LinalgOp::Svd { vectors: Vectors::None }, _, [s]) => {
                let Some(view) = finite(a, m, n) else { return false };
                let Ok(values) = view.singular_values() else { return false };
                bytemuck::cast_slice_mut(s).copy_from_slice(&values);
                true
            }
            (LinalgOp::Svd { vectors }, _, [u, s, vt]) => {
                let u = bytemuck::cast_slice_mut(u);
                let (s, vt) = (bytemuck::cast_slice_mut(s), bytemuck::cast_slice_mut(vt));
                svd(a, m, n, vectors == Vectors::Full, (u, s, vt))
            }
            // The emitter makes no other call.
            _ => false,
        }
    }
}

/// faer's view of a matrix of `n` columns, if all of it is finite.
fn finite<T: Real>(a: &[T], m: usize, n: usize) -> Option<MatRef<'_, T>> {
    let all = a.iter().all(|&v| v.into().is_finite());
    all.then(|| MatRef::from_row_major_slice(a, m, n))
}

/// Packed factors and the order of the rows; partial pivoting by the first largest magnitude.
fn lu_factor<T: Real>(a: &[T], m: usize, n: usize, lu: &mut [T], permutation: &mut [i32]) {
    if m.min(n) > SMALL
        && let Some(view) = finite(a, m, n)
    {
        let factors = view.partial_piv_lu();
        let (l, u) = (factors.L(), factors.U());
        for i in 0..m {
            for j in 0..n {
                lu[i * n + j] = if i > j { l[(i, j)] } else { u[(i, j)] };
            }
        }
        let rows = factors.P().arrays().0;
        permutation.iter_mut().zip(rows).for_each(|(p, &row)| *p = row as i32);
        // A zero pivot is divided by there; the loops keep it.
        if finite(lu, m, n).is_some() {
            return;
        }
    }
    lu.copy_from_slice(a);
    permutation.iter_mut().enumerate().for_each(|(i, p)| *p = i as i32);
    for j in 0..m.min(n) {
        let mut pivot = j;
        for i in j + 1..m {
            if lu[i * n + j].magnitude() > lu[pivot * n + j].magnitude() {
                pivot = i;
            }
        }
        if pivot != j {
            permutation.swap(j, pivot);
            let (above, below) = lu.split_at_mut(pivot * n);
            above[j * n..(j + 1) * n].swap_with_slice(&mut below[..n]);
        }
        let (above, below) = lu.split_at_mut((j + 1) * n);
        let head = &above[j * n..];
        for row in below.chunks_exact_mut(n) {
            if head[j] != T::ZERO {
                row[j] /= head[j];
            }
            let factor = row[j];
            row[j + 1..].iter_mut().zip(&head[j + 1..]).for_each(|(x, &h)| *x -= factor * h);
        }
    }
}

/// The row that each step swapped with its own, from the order that all steps gave.
fn swaps(permutation: &[i32], pivots: &mut [i32]) {
    let mut rows: Vec<i32> = (0..permutation.len() as i32).collect();
    for (i, pivot) in pivots.iter_mut().enumerate() {
        let at = (i..rows.len()).find(|&k| rows[k] == permutation[i]).unwrap_or(i);
        rows.swap(i, at);
        *pivot = at as i32;
    }
}

/// Whether a permutation takes an odd number of swaps.
fn odd(permutation: &[i32]) -> bool {
    let mut pivots = vec![0; permutation.len()];
    swaps(permutation, &mut pivots);
    pivots.iter().enumerate().filter(|(i, p)| *i as i32 != **p).count() % 2 == 1
}

/// `X` with `op(A) X = b` and `A[rows] = L U`.
fn lu_solve<T: Real>(lu: &[T], rows: &[i32], b: &[T], out: &mut [T], transpose: bool) {
    let n = rows.len();
    if out.is_empty() {
        return;
    }
    let columns = out.len() / n;
    // A graph may be given anything as a permutation.
    let row = |i: usize| usize::try_from(rows[i]).unwrap_or(0).min(n - 1) * columns;
    if transpose {
        let mut x = b.to_vec();
        substitute(lu, n, &mut x, columns, Part::UpperTransposed);
        substitute(lu, n, &mut x, columns, Part::LowerTransposed);
        for i in 0..n {
            out[row(i)..row(i) + columns].copy_from_slice(&x[i * columns..(i + 1) * columns]);
        }
        return;
    }
    for i in 0..n {
        out[i * columns..(i + 1) * columns].copy_from_slice(&b[row(i)..row(i) + columns]);
    }
    substitute(lu, n, out, columns, Part::Lower);
    substitute(lu, n, out, columns, Part::Upper);
}

/// Which triangle of packed factors.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Lower,
    Upper,
    UpperTransposed,
    LowerTransposed,
}

/// Solves with a triangle of packed factors in place.
fn substitute<T: Real>(lu: &[T], n: usize, x: &mut [T], columns: usize, part: Part) {
    if n > SMALL {
        let a = MatRef::from_row_major_slice(lu, n, n);
        let x = MatMut::from_row_major_slice_mut(x, n, columns);
        let at = a.transpose();
        match part {
            Part::Lower => triangular::solve_unit_lower_triangular_in_place(a, x, Par::Seq),
            Part::Upper => triangular::solve_upper_triangular_in_place(a, x, Par::Seq),
            Part::UpperTransposed => triangular::solve_lower_triangular_in_place(at, x, Par::Seq),
            Part::LowerTransposed => {
                triangular::solve_unit_upper_triangular_in_place(at, x, Par::Seq);
            }
        }
        return;
    }
    let transposed = matches!(part, Part::UpperTransposed | Part::LowerTransposed);
    let forward = matches!(part, Part::Lower | Part::UpperTransposed);
    let unit = matches!(part, Part::Lower | Part::LowerTransposed);
    let at = |i: usize, k: usize| if transposed { lu[k * n + i] } else { lu[i * n + k] };
    for step in 0..n {
        let i = if forward { step } else { n - 1 - step };
        for k in if forward { 0..i } else { i + 1..n } {
            let factor = at(i, k);
            for c in 0..columns {
                let known = x[k * columns + c];
                x[i * columns + c] -= factor * known;
            }
        }
        if !unit {
            x[i * columns..(i + 1) * columns].iter_mut().for_each(|v| *v /= at(i, i));
        }
    }
}

/// Householder reflections; faer chooses LAPACK's signs. NaN for a matrix that is not finite.
fn qr<T: Real>(a: &[T], m: usize, n: usize, full: bool, q: &mut [T], r: &mut [T]) {
    let k = if full { m } else { m.min(n) };
    let Some(view) = finite(a, m, n) else {
        q.fill(T::NAN);
        for (i, row) in r.chunks_exact_mut(n.max(1)).enumerate() {
            row[..i.min(n)].fill(T::ZERO);
            row[i.min(n)..].fill(T::NAN);
        }
        return;
    };
    let factors = view.qr();
    let left = if full { factors.compute_Q() } else { factors.compute_thin_Q() };
    let right = factors.R();
    for i in 0..m {
        (0..k).for_each(|j| q[i * k + j] = left[(i, j)]);
    }
    for i in 0..k {
        (0..n).for_each(|j| r[i * n + j] = if j < i { T::ZERO } else { right[(i, j)] });
    }
}

/// Eigenvalues, ascending, and vectors with the signs of [`sign_of`].
fn eigh<T: Real>(a: &[T], n: usize, w: &mut [T], v: Option<&mut [T]>) -> bool {
    if n == 0 {
        return true;
    }
    let Some(view) = finite(a, n, n) else { return false };
    let Some(v) = v else {
        let Ok(values) = view.self_adjoint_eigenvalues(Side::Lower) else { return false };
        w.copy_from_slice(&values);
        return true;
    };
    let Ok(found) = view.self_adjoint_eigen(Side::Lower) else { return false };
    let (values, vectors) = (found.S(), found.U());
    for j in 0..n {
        w[j] = values[j];
        let negative = sign_of((0..n).map(|i| vectors[(i, j)].into())) < 0.0;
        for i in 0..n {
            let x = vectors[(i, j)];
            v[i * n + j] = if negative { T::ZERO - x } else { x };
        }
    }
    true
}

/// Singular vectors with the signs of [`sign_of`], and values, descending.
fn svd<T: Real>(
    a: &[T],
    m: usize,
    n: usize,
    full: bool,
    (u, s, vt): (&mut [T], &mut [T], &mut [T]),
) -> bool {
    let k = m.min(n);
    let Some(view) = finite(a, m, n) else { return false };
    let Ok(found) = view.thin_svd() else { return false };
    let (left, values, right) = (found.U(), found.S(), found.V());
    let width = if full { m } else { k };
    for j in 0..k {
        s[j] = values[j];
        let negative = sign_of((0..m).map(|i| left[(i, j)].into())) < 0.0;
        let turned = |x: T| if negative { T::ZERO - x } else { x };
        (0..m).for_each(|i| u[i * width + j] = turned(left[(i, j)]));
        (0..n).for_each(|i| vt[j * n + i] = turned(right[(i, j)]));
    }
    if full {
        let known: Vec<f64> =
            (0..m * k).map(|e| u[(e / k.max(1)) * m + e % k.max(1)].into()).collect();
        let rest = complement(&known, m, k);
        for i in 0..m {
            (k..m).for_each(|j| u[i * m + j] = T::of(rest[i * (m - k) + j - k]));
        }
        let known: Vec<f64> =
            (0..n * k).map(|e| vt[(e % k.max(1)) * n + e / k.max(1)].into()).collect();
        let rest = complement(&known, n, k);
        for i in 0..n {
            (k..n).for_each(|j| vt[j * n + i] = T::of(rest[i * (n - k) + j - k]));
        }
    }
    true
}
