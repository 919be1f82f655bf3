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

#[test]
fn gamma_of_tiny_shapes_and_below_the_range_of_the_power() {
    check(
        4.0,
        &[
            (gammainc(1e-310, 1e-12), 1.0),
            (gammainc(2e-292, 3.0), 1.0),
            (gammainc(0.97, 7e-312), 1.5315340182631086417e-302),
            (gammainc(1.01, 2e-304), 1.828900973908320044e-307),
            (gammaincc(1e-305, 0.003), 5.2349250769116511147e-305),
            (gammaincc(3e-300, 2.5), 7.474475361080921249e-302),
            (gammaincc(7e-310, 2.0), 3.4230357495642679121e-311),
            (gamma_density(1e-310, 3e-11), 3.3333333332333231719e-300),
            (gamma_density(2e-292, 0.001), 1.9980009996667500443e-289),
            (gamma_density(44.62209701538086, 1.8765613276627846e-06), 2.4530108464833899551e-304),
            (gamma_density(3.4639586088082788, 1.0704427875108805e-122), 9.236136679574735199e-302),
            (gamma_density(1.25, 1e-250), 3.488822835570019827e-63),
            (gamma_density(2.5e-320, 0.5), 3.0326195365880084332e-320),
        ],
    );
}

#[test]
fn incomplete_gamma_to_a_few_ulp() {
    check(
        4.0,
        &[
            (gammaincc(0.8235171527783692, 2.1168438345317266), 0.087241298547377221103),
            (gammaincc(0.05020548065186151, 1.0360181918007003), 0.010913168400959342787),
            (gammaincc(1.3018826593172717, 1.414453758425969), 0.34841433843314897658),
            (gammainc(0.33538902225753864, 0.05599176831665881), 0.42010435758954759702),
            (gammainc(3.6735095618694964, 0.0032309466816089955), 4.7587349292666618463e-11),
            (gamma_density(3.6735095618694964, 0.0032309466816089955), 5.4068284334175593459e-8),
            (gamma_density(0.014086840918937093, 0.10182237783016593), 0.12196466757355407633),
        ],
    );
}
