//! Householder reflections.

use crate::eval::linalg::matrices::sign_of;

/// `a = q r` with `k` columns of `q`, at least `min(m, n)`. Step `j` reflects column `j` onto
/// `beta e_j`: `H = I - tau v v^T` with `beta = -sign(alpha) |x|`, `v = x - beta e_j` scaled to
/// `v_j = 1`, `tau = (beta - alpha) / beta` (Golub & Van Loan 5.1; LAPACK's `larfg`). NaN for a
/// matrix that is not finite.
pub(super) fn qr(a: &[f64], m: usize, n: usize, k: usize) -> (Vec<f64>, Vec<f64>) {
    if a.iter().any(|v| !v.is_finite()) {
        let upper = |e: usize| if e % n < e / n { 0.0 } else { f64::NAN };
        return (vec![f64::NAN; m * k], (0..k * n).map(upper).collect());
    }
    let mut r = a.to_vec();
    let mut reflections: Vec<(f64, Vec<f64>)> = Vec::new();
    for j in 0..m.min(n) {
        let column: Vec<f64> = (j..m).map(|i| r[i * n + j]).collect();
        let (tau, v, beta) = reflection(&column);
        reflect(&mut r, n, j, tau, &v, j + 1..n);
        r[j * n + j] = beta;
        (j + 1..m).for_each(|i| r[i * n + j] = 0.0);
        reflections.push((tau, v));
    }
    let mut q = vec![0.0; m * k];
    (0..k).for_each(|i| q[i * k + i] = 1.0);
    for (j, (tau, v)) in reflections.iter().enumerate().rev() {
        reflect(&mut q, k, j, *tau, v, 0..k);
    }
    r.truncate(k * n);
    (q, r)
}

/// `tau`, `v` and `beta` for a column `x` with `alpha` at its head.
fn reflection(x: &[f64]) -> (f64, Vec<f64>, f64) {
    let (alpha, tail) = (x[0], norm(&x[1..]));
    let mut v = x.to_vec();
    v[0] = 1.0;
    if tail == 0.0 {
        return (0.0, v, alpha);
    }
    let beta = -alpha.hypot(tail).copysign(alpha);
    v[1..].iter_mut().for_each(|v| *v /= alpha - beta);
    ((beta - alpha) / beta, v, beta)
}

/// `|x|`, scaled so that squares do not overflow.
fn norm(x: &[f64]) -> f64 {
    let scale = x.iter().fold(0.0, |s: f64, v| if v.is_nan() { *v } else { s.max(v.abs()) });
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    scale * x.iter().map(|v| (v / scale).powi(2)).sum::<f64>().sqrt()
}

/// `x = x - tau v (v^T x)` on the rows from `j` and the given columns.
fn reflect(
    x: &mut [f64],
    width: usize,
    j: usize,
    tau: f64,
    v: &[f64],
    columns: std::ops::Range<usize>,
) {
    for c in columns {
        let dot: f64 = v.iter().enumerate().map(|(i, v)| v * x[(j + i) * width + c]).sum();
        for (i, v) in v.iter().enumerate() {
            x[(j + i) * width + c] -= tau * dot * v;
        }
    }
}

/// Orthonormal columns (`m` rows of `m - k`) that complete the `k` orthonormal columns of `x`
/// (`m` rows of `k`) to a basis, each with the sign of [`sign_of`].
pub fn complement(x: &[f64], m: usize, k: usize) -> Vec<f64> {
    let (q, _) = qr(x, m, k, m);
    let rest = m - k;
    let mut out = vec![0.0; m * rest];
    for j in 0..rest {
        let sign = sign_of((0..m).map(|i| q[i * m + k + j]));
        (0..m).for_each(|i| out[i * rest + j] = sign * q[i * m + k + j]);
    }
    out
}
