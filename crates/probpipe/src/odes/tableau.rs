//! The numbers of the method of Dormand and Prince: what its stages, its results and its errors are
//! made of. How they are used is told in `steps`.
//!
//! Sources: J. R. Dormand, P. J. Prince, "A family of embedded Runge-Kutta formulae", 1980; for the
//! polynomial within a step E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential
//! Equations I", 2nd edition, 1993, section II.6.

/// Number of slopes of a step. The first is that of its start, the last that of its end, which is
/// the first of the step after it.
pub(super) const STAGES: usize = 7;

/// Where in the step each slope is taken.
pub(super) const NODES: [f64; STAGES] =
    [0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0];

/// The parts of the slopes before it that lead to where each slope is taken; the last row leads to
/// the end of the step, of order 5.
pub(super) const PARTS: [&[f64]; STAGES] = [
    &[],
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// The end of order 5 less that of order 4.
pub(super) const ERROR: [f64; STAGES] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

/// What the polynomial of order 4 within a step has beyond the cubic that its ends and their slopes
/// decide.
pub(super) const WITHIN: [f64; STAGES] = [
    -12715105075.0 / 11282082432.0,
    0.0,
    87487479700.0 / 32700410799.0,
    -10690763975.0 / 1880347072.0,
    701980252875.0 / 199316789632.0,
    -1453857185.0 / 822651844.0,
    69997945.0 / 29380423.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sums_to(parts: &[f64], want: f64) {
        let sum: f64 = parts.iter().sum();
        assert!(
            (sum - want).abs() < 1e-14 * parts.iter().fold(1.0f64, |m, x| m.max(x.abs())),
            "{sum}"
        );
    }

    /// Conditions of order: each row leads to its node; the result integrates powers of time up to
    /// the fourth exactly, and the error that of order 4 up to the third.
    #[test]
    fn rows_lead_to_their_nodes() {
        for (parts, node) in PARTS.iter().zip(NODES) {
            sums_to(parts, node);
        }
        for power in 0..5 {
            let weighted: Vec<f64> =
                PARTS[6].iter().zip(NODES).map(|(b, c)| b * c.powi(power)).collect();
            sums_to(&weighted, 1.0 / f64::from(power + 1));
            let error: Vec<f64> = ERROR.iter().zip(NODES).map(|(e, c)| e * c.powi(power)).collect();
            let sum: f64 = error.iter().sum();
            assert_eq!(sum.abs() < 1e-15, power < 4, "power {power}: {sum}");
        }
        sums_to(&WITHIN, 0.0);
    }
}
