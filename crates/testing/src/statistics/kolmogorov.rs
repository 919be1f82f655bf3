//! The tests of Kolmogorov and Smirnov: the largest gap between two distribution functions. For
//! continuous distributions only: ties make the true p-value larger.

use super::Found;

/// Whether a sample comes from a distribution with the given distribution function. The p-value
/// is that of Kolmogorov's limit at `(sqrt n + 0.12 + 0.11 / sqrt n) D`, which is right to a
/// percent or so from a handful of points on (Stephens 1970, "Use of the Kolmogorov-Smirnov,
/// Cramer-von Mises and related statistics without extensive tables", J. R. Stat. Soc. B 32).
///
/// ```
/// use probpipe_testing::{Random, statistics::kolmogorov_smirnov};
/// let mut random = Random::new(1);
/// let sample: Vec<f64> = (0..1000).map(|_| random.between(0.0, 1.0)).collect();
/// kolmogorov_smirnov(&sample, |x| x).accept("uniform", 1e-3);
/// kolmogorov_smirnov(&sample, |x| x * x).reject("another", 1e-3);
/// ```
pub fn kolmogorov_smirnov(sample: &[f64], distribution: impl Fn(f64) -> f64) -> Found {
    let n = sample.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let below = distribution(*x);
        // The empirical function jumps from i / n to (i + 1) / n.
        larger(below - i as f64 / n, (i + 1) as f64 / n - below)
    };
    let gap = sorted(sample).iter().enumerate().map(gap).fold(0.0, larger);
    found(gap, n)
}

/// Whether two samples come from one distribution: as [`kolmogorov_smirnov`], with
/// `n m / (n + m)` points (Smirnov 1948, "Table for estimating the goodness of fit of empirical
/// distributions", Ann. Math. Stat. 19).
pub fn kolmogorov_smirnov_two(a: &[f64], b: &[f64]) -> Found {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut gap) = (0, 0, 0.0);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        if x.is_nan() {
            break;
        }
        // All that equals x, so that a tie is one jump of both.
        i += a[i..].iter().take_while(|v| **v <= x).count();
        j += b[j..].iter().take_while(|v| **v <= x).count();
        gap = larger(gap, (i as f64 / n - j as f64 / m).abs());
    }
    // NaN is sorted last.
    let last = |v: &[f64]| v.last().copied().unwrap_or(f64::NAN);
    let known = if last(&a).is_nan() || last(&b).is_nan() { f64::NAN } else { gap };
    found(known, n * m / (n + m))
}

fn found(gap: f64, points: f64) -> Found {
    if gap.is_nan() || points.is_nan() || points == 0.0 {
        return Found { statistic: gap, p_value: f64::NAN };
    }
    let root = points.sqrt();
    Found { statistic: gap, p_value: tail((root + 0.12 + 0.11 / root) * gap) }
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> =
        sample.iter().map(|x| if x.is_nan() { f64::NAN } else { *x }).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The larger of two numbers, or NaN.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The probability that the limit of `sqrt n D` exceeds `x` (Kolmogorov 1933): an alternating
/// series, and for small `x` its image under Jacobi's transformation of theta functions, which
/// converges where the other does not.
fn tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        // 1 - sqrt(2 pi) / x sum exp(-(2k-1)^2 pi^2 / (8 x^2)): four terms reach 1e-26 at x = 1.
        let odd = |k: i32| f64::from(2 * k - 1);
        let sum: f64 = (1..=4).map(|k| (-(odd(k) * PI / x).powi(2) / 8.0).exp()).sum();
        return 1.0 - (2.0 * PI).sqrt() / x * sum;
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * (f64::from(k) * x).powi(2)).exp()
    };
    (1..=5).map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tolerance, close};

    /// Critical values of the limit, from Smirnov's table, and the meeting of the two series.
    #[test]
    fn limit_distribution() {
        for (x, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01), (1.9495, 0.001)] {
            close(x, tail(x), p, Tolerance::relative(1e-3));
        }
        close("at one", tail(1.0 - 1e-15), tail(1.0), Tolerance::absolute(1e-14));
        // Smirnov's table at 0.5: 0.036055.
        close("low", 1.0 - tail(0.5), 0.036_055, Tolerance::absolute(1e-6));
    }
}
