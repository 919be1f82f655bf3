//! Gaussian elimination with partial pivoting, and what is read off its factors.

use crate::eval::linalg::triangular::{Form, substitute};

/// Replaces `a` (`m` rows of `n`) by its packed factors; gives the row that each step swapped with
/// its own. Column `j`: `L_ij = A_ij / U_jj`, then `A_ik -= L_ij U_jk` for the rest.
pub(super) fn factor(a: &mut [f64], m: usize, n: usize) -> Vec<usize> {
    let mut pivots = Vec::with_capacity(m.min(n));
    for j in 0..m.min(n) {
        let mut pivot = j;
        for i in j + 1..m {
            if a[i * n + j].abs() > a[pivot * n + j].abs() {
                pivot = i;
            }
        }
        pivots.push(pivot);
        if pivot != j {
            for k in 0..n {
                a.swap(j * n + k, pivot * n + k);
            }
        }
        // A zero pivot heads a column of zeros, which is its own column of `L`.
        let head = a[j * n + j];
        for i in j + 1..m {
            if head != 0.0 {
                a[i * n + j] /= head;
            }
            let factor = a[i * n + j];
            for k in j + 1..n {
                a[i * n + k] -= factor * a[j * n + k];
            }
        }
    }
    pivots
}

/// The order that the swaps leave `m` rows in.
pub(super) fn permutation(pivots: &[usize], m: usize) -> Vec<i32> {
    let mut rows: Vec<i32> = (0..m as i32).collect();
    for (i, &pivot) in pivots.iter().enumerate() {
        rows.swap(i, pivot);
    }
    rows
}

/// `A X = b` with `A[rows] = L U`, so `L U X = b[rows]`; and `A^T X = b` with
/// `U^T L^T X[rows] = b`.
pub(super) fn solve(
    lu: &[f64],
    rows: &[i32],
    b: &[f64],
    columns: usize,
    transpose: bool,
) -> Vec<f64> {
    let n = rows.len();
    // A graph may be given anything as a permutation.
    let row = |i: usize| usize::try_from(rows[i]).unwrap_or(0).min(n - 1) * columns;
    let lower = Form { lower: true, transpose, unit: true };
    let upper = Form { lower: false, transpose, unit: false };
    let mut x = b.to_vec();
    if transpose {
        substitute(upper, lu, n, &mut x, columns);
        substitute(lower, lu, n, &mut x, columns);
        let mut back = vec![0.0; x.len()];
        for i in 0..n {
            back[row(i)..row(i) + columns].copy_from_slice(&x[i * columns..(i + 1) * columns]);
        }
        return back;
    }
    for i in 0..n {
        x[i * columns..(i + 1) * columns].copy_from_slice(&b[row(i)..row(i) + columns]);
    }
    substitute(lower, lu, n, &mut x, columns);
    substitute(upper, lu, n, &mut x, columns);
    x
}

/// The product of the diagonal, with the sign of the permutation.
pub(super) fn det(lu: &[f64], rows: &[i32]) -> f64 {
    let n = rows.len();
    (0..n).fold(parity(rows), |product, i| product * lu[i * n + i])
}

/// -1 for an odd number of swaps: `n` less the number of cycles.
fn parity(rows: &[i32]) -> f64 {
    let mut seen = vec![false; rows.len()];
    let mut swaps = 0;
    for start in 0..rows.len() {
        let mut at = start;
        while !std::mem::replace(&mut seen[at], true) {
            let next = usize::try_from(rows[at]).unwrap_or(0).min(rows.len() - 1);
            swaps += usize::from(!seen[next]);
            at = next;
        }
    }
    if swaps % 2 == 0 { 1.0 } else { -1.0 }
}
