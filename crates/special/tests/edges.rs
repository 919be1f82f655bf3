//! Arguments at which formulas lose their digits or leave the range, one group for each. Values by
//! mpmath 1.4.1 at 60 digits or more, twenty of them here.
#![allow(clippy::excessive_precision)]

use probpipe_special::*;
use probpipe_testing::{DType, ulps};

/// Asserts that the results are within `limit` ulp of the values.
fn check(limit: f64, points: &[(f64, f64)]) {
    for (i, &(have, want)) in points.iter().enumerate() {
        let error = ulps(have, want, DType::F64);
        assert!(error <= limit, "line {i}: {have:e}, not {want:e}: {error:.1} ulp");
    }
}

#[test]
fn slope_of_i0e_next_to_the_difference_of_its_parts() {
    check(
        3.0,
        &[
            (i0e_slope(-18.642576217651367), 0.0025306881284726653731),
            (i0e_slope(19.9), -0.002291486732683496212),
            (i0e_slope(9.5), -0.0071130131593861022484),
            (i0e_slope(4.75), -0.021270515307845270707),
            (i0e_slope(-7.25), 0.010834971072368211558),
            (i0e_slope(25.5), -0.0015727354560320449989),
            (i0e_slope(0.001), -0.99850124927116133803),
            (i0e_slope(300000.0), -1.213944218090983443e-9),
        ],
    );
}
