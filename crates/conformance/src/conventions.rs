//! Where the reference holds a value that is a convention, or has lost its digits, and this library
//! gives another: single points, each with its reason. Everything else is compared.

use std::collections::BTreeMap;

/// A difference that is not a fault.
pub struct Convention {
    /// The operation.
    op: &'static str,
    /// Whether it concerns derivatives, or values.
    derivatives: bool,
    /// Where, by the operands at an element and the reference's value there.
    at: fn(&[f64], f64) -> bool,
    /// Why.
    reason: &'static str,
}

const CONVENTIONS: &[Convention] = &[
    Convention {
        op: "abs",
        derivatives: true,
        at: |x, _| x[0] == 0.0,
        reason: "the slope of |x| at 0 is 0 here, half way between its sides; the reference has 1",
    },
    Convention {
        op: "hypot",
        derivatives: true,
        at: |x, _| x[0] == 0.0 && x[1] == 0.0,
        reason: "hypot has no slope at the origin; it is 0 here",
    },
    Convention {
        op: "acosh",
        derivatives: true,
        at: |x, _| x[0] < 1.0,
        reason: "acosh has no slope where it has no value; it is NaN here as the value is",
    },
    Convention {
        op: "sinc",
        derivatives: true,
        at: |x, _| x[0].abs() < 1e-18,
        reason: "the reference's slope of sinc has lost all digits near 0; it is -pi^2 x / 3",
    },
    Convention {
        op: "log1mexp",
        derivatives: false,
        at: |x, want| x[0] > 690.0 && want == 0.0,
        reason: "the reference is 0 where the true value of log1mexp is -exp(-x)",
    },
    Convention {
        op: "digamma",
        derivatives: false,
        at: |x, want| x[0] == 0.0 && want.is_nan(),
        reason: "digamma at 0 and -0 is minus and plus infinity here, as in SciPy; the reference \
                 has NaN",
    },
    Convention {
        op: "log_ndtr",
        derivatives: true,
        at: |x, _| x[0] < -5.0,
        reason: "the reference's slope of log_ndtr is good to 2e-10 in the far tail",
    },
];

/// Elements that were left out, by the reason.
pub type Skipped = BTreeMap<&'static str, usize>;

/// Why an element is not compared, if it is not. Of single operations only edge cases are asked
/// for.
pub fn find(op: &str, derivatives: bool, operands: &[f64], want: f64) -> Option<&'static str> {
    let applies =
        |c: &&Convention| c.op == op && c.derivatives == derivatives && (c.at)(operands, want);
    CONVENTIONS.iter().find(applies).map(|c| c.reason)
}
