//! Eigenvalues by Jacobi rotations (Golub & Van Loan 8.5), singular values by one-sided ones
//! (Hestenes; Golub & Van Loan 8.6.3).

use crate::eval::linalg::matrices::{sign_of, transposed};
use crate::eval::linalg::orthogonal::complement;

/// More sweeps than any matrix takes; each squares the distance to the end.
const SWEEPS: usize = 60;

/// The rotation `(c, s)` of rows and columns p, q of a symmetric matrix that makes
/// `pq` zero: `t^2 + 2 theta t - 1 = 0` for `t = s / c` with `theta = (qq - pp) / (2 pq)`, the
/// smaller root.
fn rotation(pp: f64, qq: f64, pq: f64) -> (f64, f64) {
    let theta = (qq - pp) / (2.0 * pq);
    let t = 1.0f64.copysign(theta) / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    (c, t * c)
}

/// Columns p and q (`p' = c p - s q`, `q' = s p + c q`) of rows of `width`.
fn rotate_columns(x: &mut [f64], width: usize, (p, q): (usize, usize), (c, s): (f64, f64)) {
    for row in x.chunks_exact_mut(width) {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
}

/// Eigenvalues, ascending, and eigenvectors as columns, of the matrix whose lower triangle is
/// given. NaN for a matrix that is not finite.
pub(super) fn eigh(lower: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let at = |i: usize, j: usize| lower[i.max(j) * n + i.min(j)];
    let scale = (0..n * n).map(|e| at(e / n, e % n).abs()).fold(0.0, largest);
    let nan = (vec![f64::NAN; n], vec![f64::NAN; n * n]);
    if !scale.is_finite() {
        return nan;
    }
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let mut a: Vec<f64> = (0..n * n).map(|e| at(e / n, e % n) / unit).collect();
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let mut done = n < 2;
    for _ in 0..SWEEPS {
        if done {
            break;
        }
        done = true;
        for p in 0..n {
            for q in p + 1..n {
                let pq = a[p * n + q];
                if pq.abs() <= 1e-18 {
                    continue;
                }
                done = false;
                let turn = rotation(a[p * n + p], a[q * n + q], pq);
                rotate_columns(&mut a, n, (p, q), turn);
                let (c, s) = turn;
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
                rotate_columns(&mut v, n, (p, q), turn);
            }
        }
    }
    if !done {
        return nan;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i * n + i].total_cmp(&a[j * n + j]));
    let values = order.iter().map(|&i| a[i * n + i] * unit).collect();
    let mut vectors = vec![0.0; n * n];
    for (to, &from) in order.iter().enumerate() {
        let sign = sign_of((0..n).map(|i| v[i * n + from]));
        (0..n).for_each(|i| vectors[i * n + to] = sign * v[i * n + from]);
    }
    (values, vectors)
}

fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// `u` (`m` rows of `k`, with `full` of `m`), the singular values, and `vt`.
pub(super) fn svd(a: &[f64], m: usize, n: usize, full: bool) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let k = m.min(n);
    let (rows, columns) = if full { (m, n) } else { (k, k) };
    let scale = a.iter().map(|v| v.abs()).fold(0.0, largest);
    if !scale.is_finite() {
        let nan = |size: usize| vec![f64::NAN; size];
        return (nan(m * rows), nan(k), nan(columns * n));
    }
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let scaled: Vec<f64> = a.iter().map(|v| v / unit).collect();
    // Of a wide matrix the transpose is factored.
    let (u, s, v) = if m >= n {
        tall(scaled, m, n)
    } else {
        let (v, s, u) = tall(transposed(&scaled, m, n), n, m);
        (u, s, v)
    };
    let (mut u, mut v) = (u, v);
    for j in 0..k {
        if sign_of((0..m).map(|i| u[i * k + j])) < 0.0 {
            (0..m).for_each(|i| u[i * k + j] = -u[i * k + j]);
            (0..n).for_each(|i| v[i * k + j] = -v[i * k + j]);
        }
    }
    if full {
        u = beside(&u, &complement(&u, m, k), m);
        v = beside(&v, &complement(&v, n, k), n);
    }
    let s = s.iter().map(|s| s * unit).collect();
    (u, s, transposed(&v, n, columns))
}

/// Columns next to columns.
fn beside(x: &[f64], y: &[f64], rows: usize) -> Vec<f64> {
    let part = |data: &[f64], i: usize| {
        let width = data.len() / rows.max(1);
        data[i * width..(i + 1) * width].to_vec()
    };
    (0..rows).flat_map(|i| [part(x, i), part(y, i)].concat()).collect()
}

/// Rotates the columns of a tall matrix until they are orthogonal: their norms are the singular
/// values, they are the columns of `u` times these, and the rotations make up `v`.
fn tall(mut a: Vec<f64>, m: usize, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let dot = |a: &[f64], p: usize, q: usize| -> f64 {
        (0..m).map(|i| a[i * n + p] * a[i * n + q]).sum()
    };
    for _ in 0..SWEEPS {
        let mut done = true;
        for p in 0..n {
            for q in p + 1..n {
                let (pp, qq, pq) = (dot(&a, p, p), dot(&a, q, q), dot(&a, p, q));
                if pq.abs() <= 1e-15 * (pp * qq).sqrt() {
                    continue;
                }
                done = false;
                let turn = rotation(pp, qq, pq);
                rotate_columns(&mut a, n, (p, q), turn);
                rotate_columns(&mut v, n, (p, q), turn);
            }
        }
        if done {
            break;
        }
    }
    let norms: Vec<f64> = (0..n).map(|j| dot(&a, j, j).sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    // Columns of zeros have no direction: a basis of what the others leave takes their place.
    let good = order.iter().filter(|&&j| norms[j] > 1e-100).count();
    let column = |i: usize, to: usize| a[i * n + order[to]] / norms[order[to]];
    let found: Vec<f64> =
        (0..m).flat_map(|i| (0..good).map(move |j| (i, j))).map(|(i, j)| column(i, j)).collect();
    let mut u = found;
    if good < n {
        u = beside(&u, &complement(&u, m, good), m);
        // The complement has m - good columns, of which n - good are wanted.
        u = (0..m).flat_map(|i| u[i * m..i * m + n].to_vec()).collect();
    }
    let s = order.iter().map(|&j| norms[j]).collect();
    let v = (0..n).flat_map(|i| order.iter().map(move |&j| (i, j))).map(|(i, j)| v[i * n + j]);
    (u, s, v.collect())
}
