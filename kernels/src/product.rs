//! Products of a matrix, whose rows are contiguous, with a vector.
//!
//! The order of every sum depends on the extents alone. Single precision adds at most [`BLOCK`]
//! terms in a chain and the sums of blocks in double precision; double precision carries the
//! rounding errors of the latter along. No closures, as in [`crate::vector`].
#![allow(clippy::needless_range_loop, reason = "several arrays are indexed; all loops unroll")]

use crate::vector::Vector;

/// Most terms of a chain of additions.
const BLOCK: usize = 256;
/// Rows of at most this many vectors have one running sum each; longer ones have as many as this.
const CHAINS: usize = 4;
/// Columns that a wide matrix is taken in, at a time.
const STRIPE: usize = 512;
/// The largest number of lanes.
const LANES: usize = 16;

/// Elements whose sums of blocks are kept better than they are.
pub trait Element: Copy + Default {
    /// A running sum.
    type Sum: Copy + Default;
    /// The running sum after one more term.
    fn after(sum: Self::Sum, term: Self) -> Self::Sum;
    /// Rounds it.
    fn round(sum: Self::Sum) -> Self;
    /// The sum of two.
    fn plus(self, other: Self) -> Self;
}

impl Element for f32 {
    type Sum = f64;
    #[inline(always)]
    fn after(sum: f64, term: f32) -> f64 {
        sum + f64::from(term)
    }
    #[inline(always)]
    fn round(sum: f64) -> f32 {
        sum as f32
    }
    #[inline(always)]
    fn plus(self, other: f32) -> f32 {
        self + other
    }
}

impl Element for f64 {
    /// The sum and what it has lost.
    type Sum = (f64, f64);
    #[inline(always)]
    fn after((sum, lost): (f64, f64), term: f64) -> (f64, f64) {
        // Knuth's two-sum.
        let next = sum + term;
        let from_term = next - sum;
        (next, lost + ((sum - (next - from_term)) + (term - from_term)))
    }
    #[inline(always)]
    fn round((sum, lost): (f64, f64)) -> f64 {
        // Infinities make the error a NaN; the plain sum is right then.
        if lost.is_nan() { sum } else { sum + lost }
    }
    #[inline(always)]
    fn plus(self, other: f64) -> f64 {
        self + other
    }
}

/// A matrix: the address of its first element, the distance of its rows, its extents.
#[derive(Clone, Copy)]
pub struct Matrix<T> {
    /// The first element.
    pub at: *const T,
    /// From one row to the next, in elements.
    pub stride: isize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

impl<T> Matrix<T> {
    #[inline(always)]
    fn row(&self, i: usize) -> *const T {
        self.at.wrapping_offset(i as isize * self.stride)
    }
}

/// `out[i] = sum_j x[i, j] y[j]`
///
/// # Safety
/// Of [`Vector`]; the matrix and `y` are valid for reads, `out` for writes and overlaps neither.
#[inline(always)]
pub unsafe fn matrix_vector<V: Vector<Scalar: Element>>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise, here and below.
    unsafe {
        match x.columns.div_ceil(V::LANES) {
            0 => (0..x.rows).for_each(|i| *out.add(i) = V::Scalar::default()),
            1 => short_rows::<V, 1>(out, x, y),
            2 => short_rows::<V, 2>(out, x, y),
            3 => short_rows::<V, 3>(out, x, y),
            4 => short_rows::<V, 4>(out, x, y),
            _ if x.columns <= CHAINS * BLOCK * V::LANES => {
                each_row::<V, 0>(out, x, y, &[]);
            }
            _ => {
                for i in 0..x.rows {
                    let mut sum = <V::Scalar as Element>::Sum::default();
                    for first in (0..x.columns).step_by(CHAINS * BLOCK * V::LANES) {
                        let length = (x.columns - first).min(CHAINS * BLOCK * V::LANES);
                        let part = long_row::<V>(x.row(i).add(first), y.add(first), length);
                        let mut lanes = [V::Scalar::default(); LANES];
                        part.store(lanes.as_mut_ptr());
                        sum = V::Scalar::after(sum, halves(&mut lanes[..V::LANES]));
                    }
                    *out.add(i) = V::Scalar::round(sum);
                }
            }
        }
    }
}

/// The sum of all, in the order of [`Vector::sums`].
#[inline(always)]
fn halves<T: Element>(lanes: &mut [T]) -> T {
    let mut width = lanes.len();
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = lanes[i].plus(lanes[i + width]);
        }
    }
    lanes[0]
}

/// Rows of `N` vectors, the last of which may be partial.
#[inline(always)]
unsafe fn short_rows<V: Vector<Scalar: Element>, const N: usize>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let last = (N - 1) * V::LANES;
        let mut factors = [V::load_part(y.add(last), V::mask(x.columns - last)); N];
        for n in 0..N - 1 {
            factors[n] = V::load(y.add(n * V::LANES));
        }
        each_row::<V, N>(out, x, y, &factors);
    }
}

/// The sums of all rows, `LANES` of them at a time. Rows are of `N` vectors, and `factors` is `y`;
/// or `N` is zero and they are long.
#[inline(always)]
unsafe fn each_row<V: Vector<Scalar: Element>, const N: usize>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
    factors: &[V; N],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [V::zero(); LANES];
        let whole = x.rows - x.rows % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            for r in 0..V::LANES {
                sums[r] = row_sum(x.row(i + r), y, x.columns, factors);
            }
            V::sums(&sums[..V::LANES]).store(out.add(i));
        }
        if whole < x.rows {
            for i in whole..x.rows {
                sums[i - whole] = row_sum(x.row(i), y, x.columns, factors);
            }
            let mut lanes = [V::Scalar::default(); LANES];
            V::sums(&sums[..V::LANES]).store(lanes.as_mut_ptr());
            for i in whole..x.rows {
                *out.add(i) = lanes[i - whole];
            }
        }
    }
}

/// The sum of a row, by lanes; as in [`each_row`].
#[inline(always)]
unsafe fn row_sum<V: Vector, const N: usize>(
    row: *const V::Scalar,
    y: *const V::Scalar,
    length: usize,
    factors: &[V; N],
) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        if N == 0 {
            return long_row::<V>(row, y, length);
        }
        let last = (N - 1) * V::LANES;
        let mut sum = V::zero();
        for n in 0..N - 1 {
            sum = V::load(row.add(n * V::LANES)).fma(factors[n], sum);
        }
        V::load_part(row.add(last), V::mask(length - last)).fma(factors[N - 1], sum)
    }
}

/// The sum of a row of more than `CHAINS` vectors, by lanes; vector i goes to chain i mod CHAINS.
#[inline(always)]
unsafe fn long_row<V: Vector>(x: *const V::Scalar, y: *const V::Scalar, length: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [V::zero(); CHAINS];
        let mut at = 0;
        while at + CHAINS * V::LANES <= length {
            for sum in &mut sums {
                *sum = V::load(x.add(at)).fma(V::load(y.add(at)), *sum);
                at += V::LANES;
            }
        }
        for sum in &mut sums {
            let count = (length - at).min(V::LANES);
            if count == 0 {
                break;
            }
            let mask = V::mask(count);
            *sum = V::load_part(x.add(at), mask).fma(V::load_part(y.add(at), mask), *sum);
            at += count;
        }
        sums[0].add(sums[2]).add(sums[1].add(sums[3]))
    }
}

/// `out[j] = sum_i x[i, j] y[i]`
///
/// # Safety
/// As [`matrix_vector`].
#[inline(always)]
pub unsafe fn vector_matrix<V: Vector<Scalar: Element>>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise, here and below.
    unsafe {
        match x.columns.div_ceil(V::LANES) {
            0 => {}
            1 => columns::<V, 1, 8, LANES>(out, x, y),
            2 => columns::<V, 2, 4, { 2 * LANES }>(out, x, y),
            3 => columns::<V, 3, 2, { 3 * LANES }>(out, x, y),
            4 => columns::<V, 4, 2, { 4 * LANES }>(out, x, y),
            _ => {
                for first in (0..x.columns).step_by(STRIPE) {
                    let width = (x.columns - first).min(STRIPE);
                    let part = Matrix { at: x.at.add(first), columns: width, ..x };
                    columns::<V, 0, 1, STRIPE>(out.add(first), part, y);
                }
            }
        }
    }
}

/// The sums of the columns over one block of rows after another. Columns fit in `N` vectors, and
/// row i goes to chain i mod `M`; or `N` is zero, and there are at most `COLUMNS` of them.
#[inline(always)]
unsafe fn columns<
    V: Vector<Scalar: Element>,
    const N: usize,
    const M: usize,
    const COLUMNS: usize,
>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [V::Scalar::default(); COLUMNS];
        if x.rows <= BLOCK {
            block::<V, N, M, COLUMNS>(&mut sums, x, y);
        } else {
            let mut totals = [<V::Scalar as Element>::Sum::default(); COLUMNS];
            for first in (0..x.rows).step_by(BLOCK) {
                let rows = (x.rows - first).min(BLOCK);
                let part = Matrix { at: x.row(first), rows, ..x };
                block::<V, N, M, COLUMNS>(&mut sums, part, y.add(first));
                for j in 0..x.columns {
                    totals[j] = V::Scalar::after(totals[j], sums[j]);
                }
            }
            for j in 0..x.columns {
                sums[j] = V::Scalar::round(totals[j]);
            }
        }
        core::ptr::copy_nonoverlapping(sums.as_ptr(), out, x.columns);
    }
}

#[inline(always)]
unsafe fn block<
    V: Vector<Scalar: Element>,
    const N: usize,
    const M: usize,
    const COLUMNS: usize,
>(
    sums: &mut [V::Scalar; COLUMNS],
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if N > 0 {
            return narrow::<V, N, M>(sums.as_mut_ptr(), x, y);
        }
        sums.fill(V::Scalar::default());
        let whole = x.rows - x.rows % 8;
        for i in (0..whole).step_by(8) {
            add_rows::<V, 8>(sums.as_mut_ptr(), x, i, y);
        }
        for i in whole..x.rows {
            add_rows::<V, 1>(sums.as_mut_ptr(), x, i, y);
        }
    }
}

/// Columns in `N` vectors, the last of which may be partial.
#[inline(always)]
unsafe fn narrow<V: Vector<Scalar: Element>, const N: usize, const M: usize>(
    out: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let last = (N - 1) * V::LANES;
        let mask = V::mask(x.columns - last);
        let mut sums = [[V::zero(); N]; M];
        let mut i = 0;
        while i < x.rows {
            for m in 0..M {
                if i + m < x.rows {
                    let (row, factor) = (x.row(i + m), V::splat(*y.add(i + m)));
                    for n in 0..N - 1 {
                        sums[m][n] = V::load(row.add(n * V::LANES)).fma(factor, sums[m][n]);
                    }
                    sums[m][N - 1] = V::load_part(row.add(last), mask).fma(factor, sums[m][N - 1]);
                }
            }
            i += M;
        }
        let mut width = M;
        while width > 1 {
            width /= 2;
            for m in 0..width {
                for n in 0..N {
                    sums[m][n] = sums[m][n].add(sums[m + width][n]);
                }
            }
        }
        for n in 0..N {
            sums[0][n].store(out.add(n * V::LANES));
        }
    }
}

/// Adds `N` rows times their factors to the sums.
#[inline(always)]
unsafe fn add_rows<V: Vector<Scalar: Element>, const N: usize>(
    sums: *mut V::Scalar,
    x: Matrix<V::Scalar>,
    first: usize,
    y: *const V::Scalar,
) {
    // SAFETY: the caller's promise; there is space for whole vectors of sums.
    unsafe {
        let mut factors = [V::zero(); N];
        for n in 0..N {
            factors[n] = V::splat(*y.add(first + n));
        }
        let whole = x.columns - x.columns % V::LANES;
        for j in (0..whole).step_by(V::LANES) {
            let at = sums.add(j);
            let mut sum = V::load(at);
            for n in 0..N {
                sum = V::load(x.row(first + n).add(j)).fma(factors[n], sum);
            }
            sum.store(at);
        }
        if whole < x.columns {
            let mask = V::mask(x.columns - whole);
            let at = sums.add(whole);
            let mut sum = V::load(at);
            for n in 0..N {
                sum = V::load_part(x.row(first + n).add(whole), mask).fma(factors[n], sum);
            }
            sum.store(at);
        }
    }
}
