//! The error of Stirling's formula, `log(z!) - (z + 1/2) log z + z - log(2 pi)/2`: what it lacks
//! of the logarithm of a factorial, of any positive number.
//!
//! Source: DLMF 5.11.1 says what it is; the polynomials are interpolations of it at Chebyshev's
//! points, made with 60 digits.

use probpipe_trace::{Array, DType, select};

/// `z` times the error in powers of `1 / z`, for `z` from 1 upwards: to 2e-9 of it.
const SHORT: [f64; 10] = [
    0.083_333_333_383_252_87,
    -9.800_824_726_362_089e-9,
    -0.002_777_485_176_968_48,
    -2.958_742_011_706_789e-6,
    0.000_803_975_332_150_175_6,
    1.799_586_494_975_537e-5,
    -0.000_854_104_872_120_401_7,
    0.000_863_197_269_370_728,
    -0.000_396_724_864_933_073_6,
    7.424_847_863_206_798e-5,
];

/// The same to 2e-17.
const LONG: [f64; 24] = [
    0.083_333_333_333_333_33,
    -1.814_429_649_610_981_4e-15,
    -0.002_777_777_777_419_708,
    -2.874_527_703_767_741_3e-11,
    0.000_793_652_044_302_199_3,
    -3.405_744_568_709_635e-8,
    -0.000_594_605_932_779_085_9,
    -8.450_137_790_479_26e-6,
    0.000_926_146_193_253_282_9,
    -0.000_645_387_896_747_679_9,
    0.001_917_273_030_594_958,
    -0.017_798_521_376_374_204,
    0.070_558_616_036_768_69,
    -0.175_538_399_802_154_88,
    0.316_509_676_735_385_16,
    -0.438_184_959_979_559_64,
    0.476_664_144_450_053_1,
    -0.409_513_107_278_880_46,
    0.275_842_825_005_983_06,
    -0.142_934_765_706_998_98,
    0.055_064_435_266_976_87,
    -0.014_861_645_800_780_681,
    0.002_508_244_405_738_367,
    -0.000_199_223_931_383_169_7,
];

/// Whether all that is computed of `x` is in single precision: its type is decided.
pub(super) fn is_single(x: &Array) -> bool {
    x.dtype() == DType::F32 && !x.is_weak()
}

/// For `z` from 1 upwards.
#[track_caller]
pub(super) fn error_from_one(z: &Array) -> Array {
    let r = z.recip();
    let terms = if is_single(z) { &SHORT[..] } else { &LONG[..] };
    let sum = terms.iter().rev().fold(None, |sum: Option<Array>, &term| {
        Some(match sum {
            Some(sum) => sum * &r + term,
            None => &r * 0.0 + term,
        })
    });
    match sum {
        Some(sum) => r * sum,
        None => r,
    }
}

/// For `z > 0`: below 1 that of `z + 1`, and the difference.
#[track_caller]
pub(super) fn stirling_error(z: &Array) -> Array {
    let small = z.lt(1.0);
    let from_one = error_from_one(&select(&small, z + 1.0, z));
    let z = select(&small, z, 1.0);
    let step = (&z + 0.5) * (z.log1p() - z.log()) - 1.0;
    from_one + select(&small, step, 0.0)
}
