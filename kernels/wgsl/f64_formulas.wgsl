// The operations of recorded formulas (`recorded`) that are more than one of WGSL.

// The sum leaves the nearest integer in the low bits, for |x| < 2^50.
fn pp_shifted_f64(x: f64) -> f64 {
    return pp_apart_f64(x + 6755399441055744.0lf);
}

fn pp_nearest_f64(x: f64) -> f64 {
    return pp_apart_f64(pp_shifted_f64(x) - 6755399441055744.0lf);
}

fn pp_low_bits_f64(x: f64) -> i32 {
    return bitcast<i32>(u32(bitcast<u64>(x) & 0xfffffffflu));
}

// The literal has no low bits. For |x| < 2^31.
fn pp_nearest_int_f64(x: f64) -> i32 {
    return pp_low_bits_f64(pp_shifted_f64(x));
}

// x 2^n rounded once. Two factors, since 2^n itself may overflow or be subnormal.
fn pp_scale_exponent_f64(x: f64, n: i32) -> f64 {
    let first = select(1, -53, n < 0);
    return pp_apart_f64(x * pp_exp2_int_f64(first)) * pp_exp2_int_f64(n - first);
}

// x = m 2^(e - 1023) with m in [sqrt(1/2), sqrt(2)), for positive normal x: this is one less the
// first such m, in bits.
fn pp_shifted_bits_f64(x: f64) -> u64 {
    return bitcast<u64>(x) + 0x95f619980c433lu;
}

fn pp_mantissa_f64(x: f64) -> f64 {
    return bitcast<f64>((pp_shifted_bits_f64(x) & 0xffffffffffffflu) + 0x3fe6a09e667f3bcdlu);
}

fn pp_biased_exponent_f64(x: f64) -> i32 {
    return i32(u32(pp_shifted_bits_f64(x) >> 52u));
}

// A subnormal x times 2^1022: the mantissa under the exponent of one.
fn pp_lift_subnormal_f64(x: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(x) | 0x3ff0000000000000lu) - 1.0lf;
}
