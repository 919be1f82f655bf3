// What recorded formulas leave to functions written by hand: angles whose reduction needs many bits
// of 2/pi, and the gamma functions of negative numbers. Each calls recorded formulas for the rest.

// 32 bits of 2/pi from bit `start` on, the most significant first; 32 zeros stand before the point.
fn pp_two_over_pi_bits_f64(start: u32) -> u64 {
    var words = array<u32, 38>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
        0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu,
        0xfe1deb1cu, 0xb129a73eu, 0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u,
        0x835339f4u, 0x9c845f8bu, 0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu,
        0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u,
        0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u);
    let word = start >> 5u;
    let both = (u64(words[word]) << 32u) | u64(words[word + 1u]);
    return (both >> (32u - (start & 31u))) & 0xfffffffflu;
}

fn pp_leading_zeros_u64(x: u64) -> u32 {
    let high = u32(x >> 32u);
    let low = u32(x & 0xfffffffflu);
    return select(countLeadingZeros(high), 32u + countLeadingZeros(low), high == 0u);
}

// The upper word of two that are shifted together, by less than 64.
fn pp_shifted_in_u64(high: u64, low: u64, shift: u32) -> u64 {
    return (high << shift) | select(0lu, low >> ((64u - shift) & 63u), shift != 0u);
}

// (high, low, n): x = n pi/2 + high + low (n mod 4), by Payne and Hanek's method as in
// `pp_trig_reduce_large`: |x| = m 2^e times only those bits of 2/pi that matter modulo 4. For
// finite |x| >= 2^28.
fn pp_trig_reduce_large_f64(x: f64) -> vec3<f64> {
    let bits = pp_magnitude_bits_f64(x);
    // |x| = m 2^(e - 1075) with m of 53 bits. The bits of 2/pi before the (e - 1077)th give
    // multiples of four.
    let m = (bits & 0xffffffffffffflu) | 0x10000000000000lu;
    let m_low = m & 0xfffffffflu;
    let m_high = m >> 32u;
    let start = u32(bits >> 52u) - 1045u;
    // The product with the next 192 bits, modulo 4, from its least word on.
    var product = array<u64, 3>(0lu, 0lu, 0lu);
    var before = 0lu;
    var carry = 0lu;
    for (var i = 0u; i < 6u; i++) {
        let word = pp_two_over_pi_bits_f64(start + 32u * (5u - i));
        let by_low = m_low * word;
        let by_high = m_high * before;
        let sum = (by_low & 0xfffffffflu) + (by_high & 0xfffffffflu) + carry;
        carry = (by_low >> 32u) + (by_high >> 32u) + (sum >> 32u);
        product[i >> 1u] |= (sum & 0xfffffffflu) << (32u * (i & 1u));
        before = word;
    }
    let quadrant = (product[2] + 0x2000000000000000lu) >> 62u;
    // The signed remainder in [-1/2, 1/2), in units of 2^-62, 2^-126 and 2^-190.
    var a = product[2] - (quadrant << 62u);
    var b = product[1];
    var c = product[0];
    let negative = (a >> 63u) != 0lu;
    if (negative) {
        c = 0lu - c;
        b = select(~b, 0lu - b, c == 0lu);
        a = select(~a, 0lu - a, (b | c) == 0lu);
    }
    // The magnitude normalised, so that all bits of a small remainder are kept.
    var scale = -51;
    if (a == 0lu) {
        a = b;
        b = c;
        c = 0lu;
        scale = scale - 64;
    }
    let lead = min(pp_leading_zeros_u64(a), 63u);
    a = pp_shifted_in_u64(a, b, lead);
    b = pp_shifted_in_u64(b, c, lead);
    scale = scale - i32(lead);
    let rest = ((a & 0x7fflu) << 42u) | (b >> 22u);
    let f_high = pp_long_u64_to_f64(pp_pair_of_u64(a >> 11u)) * pp_exp2_int_f64(scale);
    let f_low = pp_long_u64_to_f64(pp_pair_of_u64(rest)) * pp_exp2_int_f64(scale - 53);
    let p = pp_two_product_f64(f_high, 1.5707963267948966lf);
    let cross = f_high * 6.123233995736766e-17lf + f_low * 1.5707963267948966lf;
    let low = pp_apart_f64(p.y + pp_apart_f64(cross));
    let sum = pp_apart_f64(p.x + low);
    let error = low - pp_apart_f64(sum - p.x);
    let sign = select(1.0lf, -1.0lf, negative != (x < 0.0lf));
    let turns = i32(u32(quadrant));
    return vec3<f64>(sign * sum, sign * error, f64(select(turns, -turns, x < 0.0lf)));
}

fn pp_library_turned_f64(x: f64, turn: i32) -> f64 {
    let r = pp_trig_reduce_large_f64(x);
    let quadrant = i32(r.z) + turn;
    let odd = (quadrant & 1) != 0;
    let value = select(pp_sin_sum_f64(r.x, r.y), pp_cos_sum_f64(r.x, r.y), odd);
    let signed = select(value, -value, (quadrant & 2) != 0);
    return select(pp_nan_f64(), signed, pp_is_finite_f64(x));
}

fn pp_library_sin_f64(x: f64) -> f64 {
    return pp_library_turned_f64(x, 0);
}

fn pp_library_cos_f64(x: f64) -> f64 {
    return pp_library_turned_f64(x, 1);
}

fn pp_library_tan_f64(x: f64) -> f64 {
    let r = pp_trig_reduce_large_f64(x);
    // A negative last argument stands for an odd quadrant.
    let value = pp_tan_sum_f64(r.x, r.y, select(1.0lf, -1.0lf, (i32(r.z) & 1) != 0));
    return select(pp_nan_f64(), value, pp_is_finite_f64(x));
}

// gamma(1 + x) for 0 < x <= 20: the recurrence ends in (1, 2], where the logarithm is small.
fn pp_factorial_f64(x: f64) -> f64 {
    var product = 1.0lf;
    var rest = x;
    loop {
        if (rest <= 1.0lf) {
            break;
        }
        product = product * rest;
        rest = rest - 1.0lf;
    }
    return product * pp_exp_f64(pp_lgamma_common_f64(1.0lf + rest));
}

// log |gamma x| for x <= 0: gamma(x) gamma(1 - x) = pi / sin(pi x), and the distance to the nearest
// pole is exact.
fn pp_library_lgamma_f64(x: f64) -> f64 {
    let whole = pp_round_even_f64(x);
    if (x == whole) {
        return pp_inf_f64();
    }
    if (x > -1e-290lf) {
        return -pp_log_f64(-x);
    }
    let sine = pp_abs_f64(pp_sin_common_f64(3.141592653589793lf * pp_apart_f64(x - whole)));
    if (x > -20.0lf) {
        // One logarithm: near its zeros the value has an absolute error of a few ulp of one.
        return -pp_log_f64(pp_factorial_f64(-x) * sine / 3.141592653589793lf);
    }
    return pp_log_f64(3.141592653589793lf / (-x * sine)) - pp_lgamma_common_f64(-x);
}

// digamma x for x <= 0 is digamma(1 - x) - pi / tan(pi x), or by the recurrence next to zero.
fn pp_library_digamma_f64(x: f64) -> f64 {
    if (pp_magnitude_bits_f64(x) == 0lu) {
        return pp_copysign_f64(pp_inf_f64(), pp_neg_f64(x));
    }
    let whole = pp_round_even_f64(x);
    if (x == whole) {
        return pp_nan_f64();
    }
    if (x > -0.5lf) {
        return pp_digamma_common_f64(1.0lf + x) - 1.0lf / x;
    }
    let tangent = pp_tan_common_f64(3.141592653589793lf * pp_apart_f64(x - whole));
    return pp_digamma_common_f64(1.0lf - x) - 3.141592653589793lf / tangent;
}
