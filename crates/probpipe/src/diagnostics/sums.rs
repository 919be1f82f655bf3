//! Sums over slices, in eight strands: as fast as memory gives numbers, with an order that depends
//! on the length alone; and what is made of a sum: means, variances, sums of exponentials.

const STRANDS: usize = 8;

fn gather(strands: [f64; STRANDS]) -> f64 {
    let [a, b, c, d, e, f, g, h] = strands;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// `sum_i f(x_i)`.
pub(super) fn sum(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut strands = [0.0; STRANDS];
    let whole = values.chunks_exact(STRANDS);
    let rest: f64 = whole.remainder().iter().map(|&x| f(x)).sum();
    for chunk in whole {
        for (strand, &x) in strands.iter_mut().zip(chunk) {
            *strand += f(x);
        }
    }
    gather(strands) + rest
}

/// `sum_i x_i y_i`, as far as the shorter of the two goes.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut strands = [0.0; STRANDS];
    let (x, y) = (&x[..x.len().min(y.len())], &y[..y.len().min(x.len())]);
    let (xs, ys) = (x.chunks_exact(STRANDS), y.chunks_exact(STRANDS));
    let rest = xs.remainder().iter().zip(ys.remainder());
    let rest: f64 = rest.map(|(x, y)| x * y).sum();
    for (x, y) in xs.zip(ys) {
        for (strand, (x, y)) in strands.iter_mut().zip(x.iter().zip(y)) {
            *strand += x * y;
        }
    }
    gather(strands) + rest
}

/// The mean, as distances from the first value: exact where all are equal, and no sum of large
/// numbers where they are large and close.
pub(super) fn mean(values: &[f64]) -> f64 {
    let (first, n) = (values.first().copied().unwrap_or(f64::NAN), values.len() as f64);
    if first.is_finite() { first + sum(values, |x| x - first) / n } else { sum(values, |x| x) / n }
}

/// `sum_i (x_i - mean)^2 / (n - lost)`.
pub(super) fn variance(values: &[f64], lost: f64) -> f64 {
    let mean = mean(values);
    sum(values, |x| (x - mean) * (x - mean)) / (values.len() as f64 - lost)
}

/// `log sum_i exp(x_i)`.
pub(super) fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        // Nothing but zeros, unless a number is missing.
        return values.iter().find(|x| x.is_nan()).copied().unwrap_or(largest);
    }
    if largest == f64::INFINITY && !values.iter().any(|x| x.is_nan()) {
        return largest;
    }
    largest + sum(values, |x| (x - largest).exp()).ln()
}
