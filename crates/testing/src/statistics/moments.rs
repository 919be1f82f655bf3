//! Tests of means and variances by their standard errors. They need many points: the statistics
//! are normal in the limit only.

use super::Found;

/// Whether a sample has this mean, by its own variance.
pub fn mean(sample: &[f64], want: f64) -> Found {
    let (mean, variance) = moments(sample);
    Found::normal((mean - want) / (variance / sample.len() as f64).sqrt())
}

/// Whether a sample has this mean, where its variance is known.
///
/// ```
/// use probpipe_testing::{Random, statistics::mean_of_known_variance};
/// let mut random = Random::new(7);
/// let sample: Vec<f64> = (0..4000).map(|_| random.between(0.0, 1.0)).collect();
/// mean_of_known_variance(&sample, 0.5, 1.0 / 12.0).accept("uniform", 1e-3);
/// mean_of_known_variance(&sample, 0.53, 1.0 / 12.0).reject("moved", 1e-3);
/// ```
pub fn mean_of_known_variance(sample: &[f64], want: f64, variance: f64) -> Found {
    Found::normal((moments(sample).0 - want) / (variance / sample.len() as f64).sqrt())
}

/// Whether a sample has this variance, where its distribution has this kurtosis (the fourth central
/// moment over the squared variance: 3 of a normal, 9 of an exponential, 9/5 of a uniform). The
/// variance of the sample variance is `v^2 (kurtosis - (n - 3) / (n - 1)) / n`.
pub fn variance(sample: &[f64], want: f64, kurtosis: f64) -> Found {
    let n = sample.len() as f64;
    let error = want * ((kurtosis - (n - 3.0) / (n - 1.0)) / n).sqrt();
    Found::normal((moments(sample).1 - want) / error)
}

/// Mean and unbiased variance, in two passes.
fn moments(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, squares / (n - 1.0))
}

/// The mean of numbers that do not depend on one another, and its standard error.
#[must_use]
pub fn mean_and_error(xs: &[f64]) -> (f64, f64) {
    let (mean, variance) = moments(xs);
    (mean, (variance / xs.len() as f64).sqrt())
}
