// What double precision needs everywhere, for adapters that have it: its bits, order, rounding,
// remainder and conversions. Elements lie in memory as pairs of words, the low one first. Rules are
// those of math.wgsl; subnormal numbers are kept here, since adapters do.

fn pp_of_words_f64(x: vec2<u32>) -> f64 {
    return bitcast<f64>(u64(x.x) | (u64(x.y) << 32u));
}

fn pp_words_f64(x: f64) -> vec2<u32> {
    let bits = bitcast<u64>(x);
    return vec2<u32>(u32(bits & 0xfffffffflu), u32(bits >> 32u));
}

// Compilers may not reorder what this stands around: `pp_zero` is zero, but only at run time. Added,
// since of two exclusive ors nothing is left.
fn pp_apart_f64(x: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(x) + u64(pp_zero));
}

fn pp_magnitude_bits_f64(x: f64) -> u64 {
    return bitcast<u64>(x) & 0x7ffffffffffffffflu;
}

fn pp_is_nan_f64(x: f64) -> bool {
    return pp_magnitude_bits_f64(x) > 0x7ff0000000000000lu;
}

fn pp_is_inf_f64(x: f64) -> bool {
    return pp_magnitude_bits_f64(x) == 0x7ff0000000000000lu;
}

fn pp_is_finite_f64(x: f64) -> bool {
    return pp_magnitude_bits_f64(x) < 0x7ff0000000000000lu;
}

fn pp_is_zero_f64(x: f64) -> bool {
    return pp_magnitude_bits_f64(x) == 0lu;
}

fn pp_is_negative_f64(x: f64) -> bool {
    return bitcast<u64>(x) >= 0x8000000000000000lu;
}

fn pp_nan_f64() -> f64 {
    return bitcast<f64>(0x7ff8000000000000lu);
}

fn pp_inf_f64() -> f64 {
    return bitcast<f64>(0x7ff0000000000000lu);
}

fn pp_neg_f64(x: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(x) ^ 0x8000000000000000lu);
}

fn pp_abs_f64(x: f64) -> f64 {
    return bitcast<f64>(pp_magnitude_bits_f64(x));
}

fn pp_copysign_f64(x: f64, s: f64) -> f64 {
    return bitcast<f64>(pp_magnitude_bits_f64(x) | (bitcast<u64>(s) & 0x8000000000000000lu));
}

// Zeros and NaN stay.
fn pp_sign_f64(x: f64) -> f64 {
    let stays = pp_is_nan_f64(x) | (pp_magnitude_bits_f64(x) == 0lu);
    return select(pp_copysign_f64(1.0lf, x), x, stays);
}

fn pp_sqrt_f64(x: f64) -> f64 {
    return select(sqrt(x), pp_nan_f64(), x < 0.0lf);
}

fn pp_max_f64(x: f64, y: f64) -> f64 {
    let larger = select(x, y, y > x);
    return select(select(larger, y, pp_is_nan_f64(y)), x, pp_is_nan_f64(x));
}

fn pp_min_f64(x: f64, y: f64) -> f64 {
    let smaller = select(x, y, y < x);
    return select(select(smaller, y, pp_is_nan_f64(y)), x, pp_is_nan_f64(x));
}

// Ties to even, the sign of zero kept. By a sum: what devices have for it is loose in f64.
fn pp_round_even_f64(x: f64) -> f64 {
    let a = pp_abs_f64(x);
    let whole = pp_apart_f64(a + 4503599627370496.0lf) - 4503599627370496.0lf;
    return select(x, pp_copysign_f64(whole, x), a < 4503599627370496.0lf);
}

fn pp_trunc_f64(x: f64) -> f64 {
    let rounded = pp_round_even_f64(pp_abs_f64(x));
    return pp_copysign_f64(select(rounded, rounded - 1.0lf, rounded > pp_abs_f64(x)), x);
}

fn pp_floor_f64(x: f64) -> f64 {
    let rounded = pp_round_even_f64(x);
    return select(rounded, rounded - 1.0lf, rounded > x);
}

fn pp_ceil_f64(x: f64) -> f64 {
    let rounded = pp_round_even_f64(x);
    return select(rounded, pp_copysign_f64(rounded + 1.0lf, x), rounded < x);
}

// 2^n for -1022 <= n <= 1023.
fn pp_exp2_int_f64(n: i32) -> f64 {
    return pp_of_words_f64(vec2<u32>(0u, bitcast<u32>(n + 1023) << 20u));
}

// x 2^n for |n| <= 2044, in two steps since 2^n alone may not be a normal number.
fn pp_scale_f64(x: f64, n: i32) -> f64 {
    let half = n >> 1u;
    return x * pp_exp2_int_f64(half) * pp_exp2_int_f64(n - half);
}

// The leading 26 bits, rounded, so that the rest has 26 and a sign.
fn pp_leading_half_f64(x: f64) -> f64 {
    return bitcast<f64>((bitcast<u64>(x) + 0x4000000lu) & 0xfffffffff8000000lu);
}

// (p, e) with p = a b rounded and p + e = a b exactly, barring overflow, by Dekker's halves.
fn pp_two_product_f64(a: f64, b: f64) -> vec2<f64> {
    let ah = pp_leading_half_f64(a);
    let bh = pp_leading_half_f64(b);
    let al = a - ah;
    let bl = b - bh;
    let p = pp_apart_f64(a * b);
    let first = pp_apart_f64(ah * bh - p);
    let second = pp_apart_f64(first + ah * bl);
    let third = pp_apart_f64(second + al * bh);
    return vec2<f64>(p, third + al * bl);
}

// Knuth's two-sum.
fn pp_two_sum_f64(a: f64, b: f64) -> vec2<f64> {
    let sum = pp_apart_f64(a + b);
    let from_b = pp_apart_f64(sum - a);
    let from_a = pp_apart_f64(sum - from_b);
    return vec2<f64>(sum, (a - from_a) + (b - from_b));
}

// a b + c where the product is not rounded: what is lost of it is added last.
fn pp_fma_exact_f64(a: f64, b: f64, c: f64) -> f64 {
    let p = pp_two_product_f64(a, b);
    return pp_apart_f64(p.x + c) + pp_apart_f64(p.y);
}

// C's fmod, as `pp_rem`: ten bits of the quotient at a time.
fn pp_rem_f64(x: f64, y: f64) -> f64 {
    let ux = pp_magnitude_bits_f64(x);
    let uy = pp_magnitude_bits_f64(y);
    if (ux >= 0x7ff0000000000000lu || uy > 0x7ff0000000000000lu || uy == 0lu) {
        return pp_nan_f64();
    }
    if (ux < uy) {
        return x;
    }
    let fraction = 0xffffffffffffflu;
    let one = 0x10000000000000lu;
    let subnormal_x = ux < one;
    let subnormal_y = uy < one;
    let ex = select(u32(ux >> 52u), 1u, subnormal_x);
    let ey = select(u32(uy >> 52u), 1u, subnormal_y);
    var m = select((ux & fraction) | one, ux, subnormal_x);
    let d = select((uy & fraction) | one, uy, subnormal_y);
    m = m % d;
    var steps = ex - ey;
    loop {
        if (steps == 0u || m == 0lu) {
            break;
        }
        let chunk = min(steps, 10u);
        m = (m << chunk) % d;
        steps = steps - chunk;
    }
    // m times 2^(ey - 1) in units of the least subnormal, put together by bits.
    let high = u32(m >> 32u);
    let low = u32(m & 0xfffffffflu);
    let zeros = select(countLeadingZeros(high), 32u + countLeadingZeros(low), high == 0u);
    let shift = min(zeros - 11u, ey - 1u);
    let normal = m << (shift & 63u);
    let exponent = u64(ey - shift);
    let bits = select(normal, (normal & fraction) | (exponent << 52u), normal >= one);
    return bitcast<f64>(select(bits, 0lu, m == 0lu) | (bitcast<u64>(x) & 0x8000000000000000lu));
}

// Saturating conversions, NaN to zero.
fn pp_f64_to_i32(x: f64) -> i32 {
    let inside = i32(clamp(x, -2147483648.0lf, 2147483647.0lf));
    return select(inside, 0, pp_is_nan_f64(x));
}

fn pp_f64_to_u32(x: f64) -> u32 {
    let inside = u32(clamp(x, 0.0lf, 4294967295.0lf));
    return select(inside, 0u, pp_is_nan_f64(x));
}

// The whole part of a magnitude below 2^64, by its bits.
fn pp_whole_f64(magnitude: u64) -> u64 {
    let exponent = u32(magnitude >> 52u);
    let mantissa = (magnitude & 0xffffffffffffflu) | 0x10000000000000lu;
    let small = mantissa >> min(1075u - min(exponent, 1075u), 63u);
    let large = mantissa << min(max(exponent, 1075u) - 1075u, 63u);
    return select(large, small, exponent < 1075u);
}

fn pp_pair_of_u64(x: u64) -> vec2<u32> {
    return vec2<u32>(u32(x & 0xfffffffflu), u32(x >> 32u));
}

fn pp_u64_of_pair(x: vec2<u32>) -> u64 {
    return u64(x.x) | (u64(x.y) << 32u);
}

fn pp_long_f64_to_u64(x: f64) -> vec2<u32> {
    let bits = bitcast<u64>(x);
    let value = select(pp_whole_f64(bits), 0xfffffffffffffffflu, bits >= 0x43f0000000000000lu);
    // Negative ones and NaN.
    return pp_pair_of_u64(select(value, 0lu, bits > 0x7ff0000000000000lu));
}

fn pp_long_f64_to_i64(x: f64) -> vec2<u32> {
    let magnitude = pp_magnitude_bits_f64(x);
    let negative = bitcast<u64>(x) != magnitude;
    let inside = pp_whole_f64(magnitude);
    let most = select(0x7ffffffffffffffflu, 0x8000000000000000lu, negative);
    let signed = select(inside, 0lu - inside, negative);
    let value = select(signed, most, magnitude >= 0x43e0000000000000lu);
    return pp_pair_of_u64(select(value, 0lu, magnitude > 0x7ff0000000000000lu));
}

// Both halves are exact, so the sum is rounded once.
fn pp_long_u64_to_f64(x: vec2<u32>) -> f64 {
    return f64(x.y) * 4294967296.0lf + f64(x.x);
}

fn pp_long_i64_to_f64(x: vec2<u32>) -> f64 {
    return f64(bitcast<i32>(x.y)) * 4294967296.0lf + f64(x.x);
}

// What is not finite goes by hand: a NaN stays one, and keeps its sign.
fn pp_f32_to_f64(x: f32) -> f64 {
    let bits = bitcast<u32>(x);
    let sign = u64(bits & 0x80000000u) << 32u;
    let special = select(0x7ff8000000000000lu, 0x7ff0000000000000lu, pp_is_inf(x)) | sign;
    return select(f64(x), bitcast<f64>(special), (bits & 0x7f800000u) == 0x7f800000u);
}

fn pp_f64_to_f32(x: f64) -> f32 {
    let sign = u32(bitcast<u64>(x) >> 32u) & 0x80000000u;
    let special = select(0x7f800000u, 0x7fc00000u, pp_is_nan_f64(x)) | sign;
    return select(f32(x), bitcast<f32>(special), !pp_is_finite_f64(x));
}

// Integers in the order of the numbers, NaN last, both zeros the same.
fn pp_order_f64(x: f64) -> vec2<u32> {
    let magnitude = pp_magnitude_bits_f64(x);
    let bits = select(bitcast<u64>(x), 0lu, magnitude == 0lu);
    let rank = select(bits | 0x8000000000000000lu, ~bits, pp_is_negative_f64(x) && magnitude != 0lu);
    let last = pp_is_nan_f64(x);
    return pp_pair_of_u64(select(rank, 0xfffffffffffffffflu, last));
}

// What running reductions keep; see states.wgsl.
fn pp_wide_sum_f64(x: f64) -> vec2<f64> {
    return vec2<f64>(x, 0.0lf);
}

fn pp_join_sum_f64(a: vec2<f64>, b: vec2<f64>) -> vec2<f64> {
    let sum = pp_two_sum_f64(a.x, b.x);
    return vec2<f64>(sum.x, (a.y + b.y) + sum.y);
}

fn pp_narrow_sum_f64(a: vec2<f64>) -> f64 {
    return select(a.x + a.y, a.x, !pp_is_finite_f64(a.x) || a.y == 0.0lf);
}

// (m, e) for m 2^e with 1 <= |m| < 2, but for 0, infinity and NaN, whose e is 0.
fn pp_wide_product_f64(x: f64) -> vec2<f64> {
    let small = pp_magnitude_bits_f64(x) < 0x10000000000000lu;
    let y = select(x, x * 18014398509481984.0lf, small);
    let field = i32(pp_magnitude_bits_f64(y) >> 52u);
    let e = f64(field - 1023) - select(0.0lf, 54.0lf, small);
    let plain = field != 0 && field != 2047;
    return select(vec2<f64>(x, 0.0lf), vec2<f64>(pp_scale_f64(y, 1023 - field), e), plain);
}

fn pp_join_product_f64(a: vec2<f64>, b: vec2<f64>) -> vec2<f64> {
    let m = a.x * b.x;
    let large = abs(m) >= 2.0lf;
    return vec2<f64>(select(m, 0.5lf * m, large), a.y + b.y + select(0.0lf, 1.0lf, large));
}

// In steps that cannot leave the range of exponents before the last.
fn pp_narrow_product_f64(a: vec2<f64>) -> f64 {
    let e = i32(clamp(a.y, -2044.0lf, 2044.0lf));
    return pp_scale_f64(a.x, e);
}

// What decompositions ask of numbers; see factors.wgsl, cholesky.wgsl and lu.wgsl.
fn pp_exponent_f64(x: f64) -> i32 {
    let bits = i32(pp_magnitude_bits_f64(x) >> 52u);
    return select(select(bits - 1023, 5000, bits == 2047), 0, bits == 0);
}

fn pp_larger_f64(a: f64, x: f64) -> f64 {
    return bitcast<f64>(max(pp_magnitude_bits_f64(a), pp_magnitude_bits_f64(x)));
}

fn pp_positive_root_f64(x: f64) -> f64 {
    let bits = bitcast<u64>(x);
    let positive = bits != 0lu && bits <= 0x7ff0000000000000lu;
    return select(pp_nan_f64(), sqrt(max(x, 0.0lf)), positive);
}

fn pp_no_pivot_f64() -> u64 {
    return 0lu;
}

fn pp_pivot_size_f64(x: f64, first: bool) -> u64 {
    let bits = pp_magnitude_bits_f64(x);
    let of_nan = select(0lu, 0xfffffffffffffffflu, first);
    return select(bits, of_nan, bits > 0x7ff0000000000000lu);
}
