//! Pearson's test: counts in cells against the counts that a distribution gives them.

use super::Found;
use probpipe_special::gammaincc;

/// Whether counts are those of cells with the given expected counts, of which `fitted` parameters
/// were estimated from the counts. The p-value is the tail of the chi-square distribution with
/// `cells - 1 - fitted` degrees, `Q(degrees / 2, statistic / 2)`; it is near where every cell
/// expects five or more (Cochran 1954, "Some methods for strengthening the common chi-square
/// tests", Biometrics 10), so a cell that expects less makes it NaN: merge cells.
///
/// ```
/// use probpipe_testing::statistics::chi_square;
/// chi_square(&[98, 103, 99], &[100.0; 3], 0).accept("a fair die of three sides", 1e-3);
/// chi_square(&[150, 103, 47], &[100.0; 3], 0).reject("a loaded one", 1e-3);
/// ```
pub fn chi_square(observed: &[u64], expected: &[f64], fitted: usize) -> Found {
    let term = |(o, e): (&u64, &f64)| (*o as f64 - e).powi(2) / e;
    let statistic: f64 = observed.iter().zip(expected).map(term).sum();
    let total: u64 = observed.iter().sum();
    let degrees = observed.len() as f64 - 1.0 - fitted as f64;
    let usable = observed.len() == expected.len()
        && degrees >= 1.0
        && expected.iter().all(|e| *e >= 5.0)
        && (expected.iter().sum::<f64>() - total as f64).abs() <= 1e-6 * total as f64;
    let p_value = if usable { gammaincc(degrees / 2.0, statistic / 2.0) } else { f64::NAN };
    Found { statistic, p_value }
}
