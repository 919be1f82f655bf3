//! What Stirling's formula leaves of a factorial, which tests of acceptance use in its place.

use probpipe_trace::{Array, DType, select};

/// `log(k!)` less `(k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2`, for whole `k` from 0 upwards:
/// by heart up to 9, then three terms of the asymptotic series.
///
/// Source: the numbers are that difference to the digits given; the series is NIST DLMF 5.11.1.
#[track_caller]
pub(super) fn stirling_tail(k: &Array) -> Array {
    const TAIL: [f64; 10] = [
        0.081_061_466_795_327_2,
        0.041_340_695_955_409_2,
        0.027_677_925_684_998_3,
        0.020_790_672_103_765_1,
        0.016_644_691_189_821_1,
        0.013_876_128_823_070_7,
        0.011_896_709_945_891_7,
        0.010_411_265_261_972_0,
        0.009_255_462_182_712_7,
        0.008_330_563_433_362_9,
    ];
    let table = Array::from(TAIL).cast(k.dtype());
    let near = k.le(9.0);
    let z = select(&near, 9.0, k) + 1.0;
    let r = z.square().recip();
    let series = (1.0 / 12.0 - (1.0 / 360.0 - &r * (1.0 / 1260.0)) * &r) / z;
    // Out of range is not read: the index is clipped, and NaN becomes 0.
    let index = k.clip(0.0, 9.0).cast(DType::I32);
    select(&near, table.take(index, 0), series)
}
