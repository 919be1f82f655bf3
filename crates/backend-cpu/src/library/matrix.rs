//! Strided matrices over raw memory, and their products. The only place where library calls touch
//! pointers.
//!
//! Large products are cut into panels of the result, by a rule that looks at the shape alone, and
//! the panels shared among threads: no sum is ever split, so the number of threads changes no bit.

use super::Steps;
use crate::crossing::join;
use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};
use std::marker::PhantomData;

/// Below this many multiplications plain loops beat faer, which first picks a kernel and packs.
const SMALL_PRODUCT: usize = 512;

/// From this many multiplications on, work is shared among threads; waking one takes about 10 us.
pub(super) const SHARED: usize = 1 << 23;

/// Panels are cut down to about this many multiplications: a tenth of a millisecond in `f32`.
const PANEL: usize = 1 << 24;

/// Panels are cut at multiples of this many rows and columns.
const GRAIN: usize = 16;

/// Most panels. More would pack the operands too often.
const PANELS: usize = 32;

/// A matrix to read.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    data: *const T,
    pub(super) rows: usize,
    pub(super) columns: usize,
    steps: [isize; 2],
    lives: PhantomData<&'a T>,
}

/// A matrix to write.
pub(super) struct MatrixMut<'a, T> {
    data: *mut T,
    pub(super) rows: usize,
    pub(super) columns: usize,
    steps: [isize; 2],
    lives: PhantomData<&'a mut T>,
}

// SAFETY: a matrix to read is a shared borrow of its elements.
unsafe impl<T: Sync> Send for Matrix<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Matrix<'_, T> {}
// SAFETY: a matrix to write is an exclusive borrow of its elements.
unsafe impl<T: Send> Send for MatrixMut<'_, T> {}

impl<T: Copy> Matrix<'_, T> {
    /// Matrix `batch` of an array.
    ///
    /// # Safety
    /// All its elements lie in memory that is valid for reads while the matrix lives, and that
    /// nothing writes but through raw pointers of the same call.
    pub(super) unsafe fn at(
        data: *const T,
        batch: usize,
        rows: usize,
        columns: usize,
        steps: Steps,
    ) -> Self {
        let data = data.wrapping_offset(batch as isize * steps[0] as isize);
        let steps = [steps[1] as isize, steps[2] as isize];
        Matrix { data, rows, columns, steps, lives: PhantomData }
    }

    /// The element at (i, j).
    pub(super) fn get(self, i: usize, j: usize) -> T {
        debug_assert!(i < self.rows && j < self.columns);
        let at = i as isize * self.steps[0] + j as isize * self.steps[1];
        // SAFETY: (i, j) is inside, and `at` promised that all elements are readable.
        unsafe { *self.data.wrapping_offset(at) }
    }

    /// Rows for columns.
    pub(super) fn transposed(self) -> Self {
        let steps = [self.steps[1], self.steps[0]];
        Matrix { rows: self.columns, columns: self.rows, steps, ..self }
    }

    /// The first `at` rows, and the others.
    fn split_rows(self, at: usize) -> (Self, Self) {
        debug_assert!(at <= self.rows);
        let data = self.data.wrapping_offset(at as isize * self.steps[0]);
        (Matrix { rows: at, ..self }, Matrix { data, rows: self.rows - at, ..self })
    }
}

impl<T: Copy> MatrixMut<'_, T> {
    /// Matrix `batch` of an array.
    ///
    /// # Safety
    /// As [`Matrix::at`], for writes.
    pub(super) unsafe fn at(
        data: *mut T,
        batch: usize,
        rows: usize,
        columns: usize,
        steps: Steps,
    ) -> Self {
        let data = data.wrapping_offset(batch as isize * steps[0] as isize);
        let steps = [steps[1] as isize, steps[2] as isize];
        MatrixMut { data, rows, columns, steps, lives: PhantomData }
    }

    /// The same matrix for a shorter time.
    pub(super) fn reborrow(&mut self) -> MatrixMut<'_, T> {
        MatrixMut { lives: PhantomData, ..*self }
    }

    /// Rows for columns.
    pub(super) fn transposed(self) -> Self {
        let steps = [self.steps[1], self.steps[0]];
        MatrixMut { rows: self.columns, columns: self.rows, steps, ..self }
    }

    /// The first `at` rows, and the others.
    fn split_rows(self, at: usize) -> (Self, Self) {
        debug_assert!(at <= self.rows);
        let data = self.data.wrapping_offset(at as isize * self.steps[0]);
        // The two share no element: every element of a matrix to write has a place of its own.
        (MatrixMut { rows: at, ..self }, MatrixMut { data, rows: self.rows - at, ..self })
    }

    fn place(&self, i: usize, j: usize) -> *mut T {
        debug_assert!(i < self.rows && j < self.columns);
        self.data.wrapping_offset(i as isize * self.steps[0] + j as isize * self.steps[1])
    }

    /// The element at (i, j).
    pub(super) fn get(&self, i: usize, j: usize) -> T {
        // SAFETY: (i, j) is inside, and `at` promised that all elements are valid.
        unsafe { *self.place(i, j) }
    }

    /// Writes the element at (i, j).
    pub(super) fn set(&mut self, i: usize, j: usize, value: T) {
        // SAFETY: as in `get`; the borrow is exclusive.
        unsafe { *self.place(i, j) = value };
    }

    /// Writes every element.
    pub(super) fn fill(&mut self, value: T) {
        for i in 0..self.rows {
            for j in 0..self.columns {
                self.set(i, j, value);
            }
        }
    }
}

/// faer's view of the matrix.
pub(super) fn view<'a, T>(m: Matrix<'a, T>) -> MatRef<'a, T> {
    // SAFETY: `at` promised that all elements are readable for `'a`.
    unsafe { MatRef::from_raw_parts(m.data, m.rows, m.columns, m.steps[0], m.steps[1]) }
}

/// faer's view of the matrix.
pub(super) fn view_mut<'a, T>(m: MatrixMut<'a, T>) -> MatMut<'a, T> {
    // SAFETY: `at` promised that all elements are writable for `'a`.
    unsafe { MatMut::from_raw_parts_mut(m.data, m.rows, m.columns, m.steps[0], m.steps[1]) }
}

/// Element types of products.
pub(super) trait Number: Copy + Send + Sync {
    /// What is written when a product fails.
    const NAN: Self;
    /// `out = x y`.
    fn product(x: Matrix<'_, Self>, y: Matrix<'_, Self>, out: MatrixMut<'_, Self>);
}

macro_rules! loops {
    ($x:ident, $y:ident, $out:ident, $zero:expr, |$sum:ident, $a:ident, $b:ident| $step:expr) => {
        for i in 0..$out.rows {
            for j in 0..$out.columns {
                let mut $sum = $zero;
                for k in 0..$x.columns {
                    let ($a, $b) = ($x.get(i, k), $y.get(k, j));
                    $sum = $step;
                }
                $out.set(i, j, $sum);
            }
        }
    };
}

macro_rules! floats {
    ($($t:ident),*) => {$(
        impl Number for $t {
            const NAN: $t = $t::NAN;
            fn product(x: Matrix<'_, $t>, y: Matrix<'_, $t>, mut out: MatrixMut<'_, $t>) {
                if out.rows * out.columns * x.columns <= SMALL_PRODUCT {
                    loops!(x, y, out, 0.0, |sum, a, b| sum + a * b);
                    return;
                }
                let work = out.rows * out.columns * x.columns;
                if work < SHARED {
                    multiply(x, y, out);
                } else {
                    panels(x, y, out, PANEL.max(work / PANELS).min(work / 2));
                }
            }
        }
    )*};
}
floats!(f32, f64);

fn multiply<T: ComplexField>(x: Matrix<'_, T>, y: Matrix<'_, T>, out: MatrixMut<'_, T>) {
    matmul(view_mut(out), Accum::Replace, view(x), view(y), T::one_impl(), Par::Seq);
}

/// `out = x y` in halves of its longer side, until a panel takes at most `most` multiplications.
fn panels<T: ComplexField + Copy>(
    x: Matrix<'_, T>,
    y: Matrix<'_, T>,
    out: MatrixMut<'_, T>,
    most: usize,
) {
    let longer = out.rows.max(out.columns);
    if out.rows * out.columns * x.columns <= most || longer < 2 * GRAIN {
        return multiply(x, y, out);
    }
    if out.rows < out.columns {
        // (x y)^T = y^T x^T
        return panels(y.transposed(), x.transposed(), out.transposed(), most);
    }
    let half = (out.rows / 2).next_multiple_of(GRAIN);
    let ((first, rest), (to_first, to_rest)) = (x.split_rows(half), out.split_rows(half));
    join(|| panels(first, y, to_first, most), || panels(rest, y, to_rest, most));
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Number for $t {
            const NAN: $t = 0;
            fn product(x: Matrix<'_, $t>, y: Matrix<'_, $t>, mut out: MatrixMut<'_, $t>) {
                loops!(x, y, out, 0 as $t, |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)));
            }
        }
    )*};
}
integers!(i32, i64, u8, u32, u64);
