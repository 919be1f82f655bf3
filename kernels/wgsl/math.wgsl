// The elementwise functions in f32 for GPUs, on the polynomials of kernels/src/math.
//
// Rules kept throughout, each for a reason:
// - NaN is tested by bits: compilers fold `x != x` to false, and max(NaN, 1) is 1.
// - Infinities and NaNs come from bitcast: WGSL refuses to write them.
// - No result relies on fma() being fused: products that must be exact use short constants or
//   Dekker's halves.
// - Powers of two are made by bits: exp2 and ldexp of devices are loose.
// - Subnormal numbers may be flushed to zero; nothing depends on them.
// The functions are separate; `wgsl_function` finds what each calls. pow, lgamma and digamma, which
// need more than f32 on their way, are in double.wgsl and gamma.wgsl.

fn pp_is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn pp_is_inf(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

fn pp_nan() -> f32 {
    return bitcast<f32>(0x7fc00000u);
}

fn pp_inf() -> f32 {
    return bitcast<f32>(0x7f800000u);
}

// By a choice, not by masks: LLVM 15 in Mesa's software driver makes wrong code of the masks when
// two functions that use them meet in a loop.
fn pp_copysign(x: f32, s: f32) -> f32 {
    let magnitude = abs(x);
    return select(magnitude, -magnitude, bitcast<i32>(s) < 0);
}

fn pp_max(x: f32, y: f32) -> f32 {
    let larger = select(x, y, y > x);
    return select(select(larger, y, pp_is_nan(y)), x, pp_is_nan(x));
}

fn pp_min(x: f32, y: f32) -> f32 {
    let smaller = select(x, y, y < x);
    return select(select(smaller, y, pp_is_nan(y)), x, pp_is_nan(x));
}

// Ties to even, the sign of zero kept.
fn pp_round_even(x: f32) -> f32 {
    return select(pp_copysign(round(x), x), x, abs(x) >= 8388608.0 || pp_is_nan(x));
}

// 2^n for -126 <= n <= 127.
fn pp_exp2_int(n: i32) -> f32 {
    return bitcast<f32>(bitcast<u32>(n + 127) << 23u);
}

// x 2^n for |n| <= 252, in two steps since 2^n alone may not be a normal number.
fn pp_scale(x: f32, n: i32) -> f32 {
    let half = n >> 1u;
    return x * pp_exp2_int(half) * pp_exp2_int(n - half);
}

// (r, low, n): x = n ln 2 + r + low. The high part of ln 2 has 15 bits: n times it is exact.
fn pp_exp_reduce(x: f32, x_low: f32) -> vec3<f32> {
    let n = round(x * 1.44269504);
    let a = x - n * 0.693145751953125;
    let b = n * 1.428606765330187e-6 - x_low;
    let high = a - b;
    return vec3<f32>(high, (a - high) - b, n);
}

// e^(r + low) - 1 - r.
fn pp_exp_tail(r: f32, low: f32) -> f32 {
    let q = 0.5 + r * (0.1666666716337204 + r * (0.04166646674275398 + r * (0.00833331048488617
        + r * (0.0013933649752289057 + r * 0.00019890991097781807))));
    return r * r * q + (low * r + low);
}

fn pp_exp(x: f32) -> f32 {
    let c = clamp(x, -104.0, 89.0);
    let r = pp_exp_reduce(c, 0.0);
    let value = pp_scale(1.0 + (r.x + pp_exp_tail(r.x, r.y)), i32(r.z));
    let finite = select(select(value, 0.0, x < -104.0), pp_inf(), x > 88.72284);
    return select(finite, x, pp_is_nan(x));
}

// (hi, lo, n): (e^x - 1) 2^-n as a sum.
fn pp_expm1_parts(x: f32) -> vec3<f32> {
    let r = pp_exp_reduce(x, 0.0);
    let tail = pp_exp_tail(r.x, r.y);
    let p = r.x + tail;
    let p_low = tail - (p - r.x);
    let offset = 1.0 - pp_exp2_int(-i32(clamp(r.z, -100.0, 100.0)));
    let s = offset + p;
    return vec3<f32>(s, (p - (s - offset)) + p_low, r.z);
}

fn pp_expm1(x: f32) -> f32 {
    let m = pp_expm1_parts(clamp(x, -18.0, 89.0));
    let value = pp_scale(m.x + m.y, i32(m.z));
    let finite = select(value, pp_inf(), x > 88.72284);
    let small = select(pp_copysign(finite, x), x, abs(x) < 2.9802322e-8);
    return select(small, x, pp_is_nan(x));
}

fn pp_sinh(x: f32) -> f32 {
    let a = abs(x);
    let m = pp_expm1_parts(clamp(a, 0.0, 12.0));
    let e = (m.x + m.y) * pp_exp2_int(i32(m.z));
    let small = 0.5 * (e + e / (e + 1.0));
    let r = pp_exp_reduce(clamp(a, 0.0, 90.0), 0.0);
    let large = pp_scale(1.0 + (r.x + pp_exp_tail(r.x, r.y)), i32(r.z) - 1);
    let value = select(select(small, large, a > 11.0), pp_inf(), a > 89.415987);
    return select(select(pp_copysign(value, x), x, a < 1e-4), x, pp_is_nan(x));
}

fn pp_cosh(x: f32) -> f32 {
    let a = abs(x);
    let r = pp_exp_reduce(clamp(a, 0.0, 90.0), 0.0);
    let mantissa = 1.0 + (r.x + pp_exp_tail(r.x, r.y));
    let large = pp_scale(mantissa, i32(r.z) - 1);
    let e = mantissa * pp_exp2_int(min(i32(r.z), 20));
    let small = 0.5 * e + 0.5 / e;
    let value = select(select(small, large, a > 11.0), pp_inf(), a > 89.415987);
    return select(value, x, pp_is_nan(x));
}

fn pp_tanh(x: f32) -> f32 {
    let a = min(abs(x), 11.0);
    let m = pp_expm1_parts(a + a);
    let e = (m.x + m.y) * pp_exp2_int(i32(m.z));
    let value = select(pp_copysign(e / (e + 2.0), x), x, a < 1e-4);
    return select(value, x, pp_is_nan(x));
}

// (m - 1, k): x = 2^k m with m in [sqrt(1/2), sqrt 2), x positive and normal.
fn pp_split(x: f32) -> vec2<f32> {
    let shifted = bitcast<u32>(x) + (0x3f800000u - 0x3f3504f3u);
    let k = f32(i32(shifted >> 23u) - 127);
    let m = bitcast<f32>((shifted & 0x7fffffu) + 0x3f3504f3u);
    return vec2<f32>(m - 1.0, k);
}

// k ln 2 + log(1 + f).
fn pp_log_sum(f: f32, k: f32) -> f32 {
    let p = 0.3333333134651184 + f * (-0.2499999701976776 + f * (0.20000720024108887
        + f * (-0.16667810082435608 + f * (0.1424887627363205 + f * (-0.12425360083580017
        + f * (0.11687024682760239 + f * (-0.11483081430196762 + f * 0.06971346586942673)))))));
    let rest = f * f * f * p + k * 1.428606765330187e-6;
    return k * 0.693145751953125 + (f + (rest - 0.5 * f * f));
}

// What a logarithm gives where its argument is not positive and finite.
fn pp_log_special(argument: f32, value: f32) -> f32 {
    let bits = bitcast<u32>(argument);
    let zero = (bits & 0x7fffffffu) == 0u;
    let negative = (bits & 0x80000000u) != 0u;
    let at_most_zero = select(value, pp_nan(), negative);
    let with_zero = select(at_most_zero, -pp_inf(), zero);
    return select(with_zero, argument, pp_is_nan(argument) || bits == 0x7f800000u);
}

fn pp_log(x: f32) -> f32 {
    let tiny = x < 1.1754944e-38;
    let s = pp_split(select(x, x * 33554432.0, tiny));
    return pp_log_special(x, pp_log_sum(s.x, select(s.y, s.y - 25.0, tiny)));
}

// k + log(1 + f) / ln 2: k itself at powers of two, where f is zero.
fn pp_log2(x: f32) -> f32 {
    let tiny = x < 1.1754944e-38;
    let s = pp_split(select(x, x * 33554432.0, tiny));
    let y = pp_log_sum(s.x, 0.0);
    return pp_log_special(x, select(s.y, s.y - 25.0, tiny) + (y + y * 0.44269504));
}

// log(1 + x) + extra ln 2 without the special cases. With 1 + x = 2^k (1 + f), f is taken from x
// itself, as 2^-k x + (2^-k - 1): exactly for k of 0, and for 1 and -1, where halves cancel, so that
// what 1 + x loses to rounding, which compilers believe to be zero, need not be found.
fn pp_log1p_sum(x: f32, extra: f32) -> f32 {
    let s = pp_split(1.0 + x);
    let scale = pp_exp2_int(-i32(clamp(s.y, -100.0, 100.0)));
    let f = select(x * scale + (scale - 1.0), s.x, s.y > 60.0);
    return pp_log_sum(f, s.y + extra);
}

fn pp_log1p(x: f32) -> f32 {
    let value = pp_log_special(1.0 + x, pp_log1p_sum(x, 0.0));
    return select(value, x, abs(x) < 2.9802322e-8);
}

fn pp_asinh(x: f32) -> f32 {
    let a = abs(x);
    let huge = a > 67108864.0;
    let b = min(a, 67108864.0);
    let small = b + b * b / (1.0 + sqrt(1.0 + b * b));
    let value = pp_log1p_sum(select(small, a, huge), select(0.0, 1.0, huge));
    let finite = select(pp_copysign(value, x), x, a < 1e-4);
    return select(finite, x, pp_is_nan(x) || pp_is_inf(x));
}

fn pp_acosh(x: f32) -> f32 {
    let huge = x > 67108864.0;
    let t = clamp(x, 1.0, 67108864.0) - 1.0;
    let small = t + sqrt(t * t + (t + t));
    let value = pp_log1p_sum(select(small, x, huge), select(0.0, 1.0, huge));
    let valid = select(value, pp_nan(), x < 1.0);
    return select(valid, x, pp_is_nan(x) || bitcast<u32>(x) == 0x7f800000u);
}

fn pp_atanh(x: f32) -> f32 {
    let a = abs(x);
    let b = min(a, 0.99999994);
    // 2b/(1-b) = 2b + 2b^2/(1-b): the second term is small where the first must be exact.
    let q = (b + b) + (b + b) * b / (1.0 - b);
    let value = select(0.5 * pp_log1p_sum(q, 0.0), pp_inf(), a == 1.0);
    let valid = select(select(pp_copysign(value, x), x, a < 1e-4), pp_nan(), a > 1.0);
    return select(valid, x, pp_is_nan(x));
}

// (high, low) with high + low = a b exactly, by Dekker's halves (12 bits by masking).
fn pp_two_product(a: f32, b: f32) -> vec2<f32> {
    let ah = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
    let bh = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
    let al = a - ah;
    let bl = b - bh;
    let p = a * b;
    return vec2<f32>(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl);
}

// 32 bits of 2/pi from bit `start` on, the most significant first; 32 zeros stand before the point.
fn pp_two_over_pi_bits(start: u32) -> u32 {
    var words = array<u32, 9>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
        0x3c439041u, 0xfe5163abu, 0xdebbc561u);
    let word = start >> 5u;
    let shift = start & 31u;
    let low = select(0u, words[min(word + 1u, 8u)] >> ((32u - shift) & 31u), shift != 0u);
    return (words[min(word, 8u)] << shift) | low;
}

// (high, low) words of a b.
fn pp_mul_wide(a: u32, b: u32) -> vec2<u32> {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let ll = al * bl;
    let lh = al * bh;
    let hl = ah * bl;
    let middle = (ll >> 16u) + (lh & 0xffffu) + (hl & 0xffffu);
    return vec2<u32>(ah * bh + (lh >> 16u) + (hl >> 16u) + (middle >> 16u), a * b);
}

// (high, low, n): x = n pi/2 + high + low (n mod 4), by Payne and Hanek's method: |x| = m 2^e
// times only those bits of 2/pi that matter modulo 4. For |x| >= 2^13.
fn pp_trig_reduce_large(x: f32) -> vec3<f32> {
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    // |x| = m 2^(e - 150) with m of 24 bits. The bits of 2/pi before the (e - 152)th give multiples
    // of four; what follows, times m, is the product modulo 4 in units of 4.
    let m = (bits & 0x7fffffu) | 0x800000u;
    let start = (bits >> 23u) - 120u;
    let w0 = pp_two_over_pi_bits(start);
    let w1 = pp_two_over_pi_bits(start + 32u);
    let w2 = pp_two_over_pi_bits(start + 64u);
    let p0 = m * w0;
    let p1 = pp_mul_wide(m, w1);
    let p2 = pp_mul_wide(m, w2);
    // (a, b) is the product modulo 4 in units of 2^-30 and 2^-62.
    let b0 = p1.y + p2.x;
    let carry = select(0u, 1u, b0 < p1.y);
    let a = p0 + p1.x + carry;
    let quadrant = (a + 0x20000000u) >> 30u;
    // The signed remainder in [-1/2, 1/2), in units of 2^-30 (high) and 2^-62 (low).
    let r = bitcast<i32>(a - (quadrant << 30u));
    let negative = r < 0;
    let flipped_low = select(b0, ~b0 + 1u, negative);
    let flipped_high = select(bitcast<u32>(r), ~bitcast<u32>(r) + select(0u, 1u, b0 == 0u), negative);
    // The magnitude normalised, so that the conversion keeps all bits of a small remainder.
    let lead = min(countLeadingZeros(flipped_high), 31u);
    let top = (flipped_high << lead)
        | select(0u, flipped_low >> ((32u - lead) & 31u), lead != 0u);
    let head = f32(top & 0xffffff00u);
    let rest = f32(top & 0xffu);
    let unit = pp_exp2_int(-30 - i32(lead));
    let f_high = head * unit;
    let f_low = rest * unit;
    let p = pp_two_product(f_high, 1.5707963705062866);
    let low = p.y + (f_high * -4.371138828673793e-8 + f_low * 1.5707963705062866);
    let sum = p.x + low;
    let error = low - (sum - p.x);
    let sign = select(1.0, -1.0, negative != ((bitcast<u32>(x) & 0x80000000u) != 0u));
    let turned = select(i32(quadrant & 3u), -i32(quadrant & 3u), x < 0.0);
    return vec3<f32>(sign * sum, sign * error, f32(turned));
}

// (high, low, n): x = n pi/2 + high + low. Parts of pi/2 short enough that n times each of the
// first three is exact for |n| < 2^13.
fn pp_trig_reduce(x: f32) -> vec3<f32> {
    if (abs(x) >= 8192.0) {
        return pp_trig_reduce_large(x);
    }
    let n = round(x * 0.636619772);
    let a = x - n * 1.5703125;
    let b = n * 0.0004837512969970703;
    let c = a - b;
    let d = n * 7.549533620476723e-8;
    let c_low = (a - c) - b;
    let e = c - d;
    let e_low = ((c - e) - d) + c_low - n * 2.5633441515971907e-12;
    let high = e + e_low;
    return vec3<f32>(high, e_low - (high - e), n);
}

// (sin, its low part, cos, its low part) of high + low.
fn pp_sin_cos_parts(high: f32, low: f32) -> vec4<f32> {
    let z = high * high;
    let s = -0.1666666716337204 + z * (0.008333331905305386 + z * (-0.0001983999682124704
        + z * 2.7238454549660673e-6));
    let c = 0.0416666679084301 + z * (-0.00138888880610466 + z * (2.4800525352475233e-5
        + z * -2.7291383730698726e-7));
    let half = 0.5 * z;
    let lead = 1.0 - half;
    return vec4<f32>(high, high * z * s + (low - low * half), lead,
        ((1.0 - lead) - half) + (z * z * c - high * low));
}

fn pp_sin_turned(x: f32, turn: i32) -> f32 {
    let r = pp_trig_reduce(x);
    let p = pp_sin_cos_parts(r.x, r.y);
    let quadrant = i32(r.z) + turn;
    let value = select(p.x + p.y, p.z + p.w, (quadrant & 1) != 0);
    return select(value, -value, (quadrant & 2) != 0);
}

fn pp_sin(x: f32) -> f32 {
    let value = select(pp_sin_turned(x, 0), x, abs(x) < 1e-4);
    return select(value, pp_nan(), pp_is_nan(x) || pp_is_inf(x));
}

fn pp_cos(x: f32) -> f32 {
    return select(pp_sin_turned(x, 1), pp_nan(), pp_is_nan(x) || pp_is_inf(x));
}

fn pp_tan(x: f32) -> f32 {
    let r = pp_trig_reduce(x);
    let p = pp_sin_cos_parts(r.x, r.y);
    let s = p.x + p.y;
    let c = p.z + p.w;
    let odd = (i32(r.z) & 1) != 0;
    let value = select(s, -c, odd) / select(c, s, odd);
    return select(select(value, x, abs(x) < 1e-4), pp_nan(), pp_is_nan(x) || pp_is_inf(x));
}

// asin(t) - t for |t| <= 1/2, z = t^2.
fn pp_asin_tail(t: f32, z: f32) -> f32 {
    return t * z * (0.1666666567325592 + z * (0.07500094175338745 + z * (0.04459940269589424
        + z * (0.031100662425160408 + z * (0.017149237915873528 + z * 0.03369084745645523)))));
}

fn pp_asin(x: f32) -> f32 {
    let a = abs(x);
    let far = a > 0.5;
    let half = max(0.5 * (1.0 - a), 0.0);
    let t = select(a, sqrt(half), far);
    let z = select(a * a, half, far);
    let tail = pp_asin_tail(t, z);
    let lead = 1.5707963705062866 - 2.0 * t;
    let error = (1.5707963705062866 - lead) - 2.0 * t;
    let folded = lead + (error + (-4.371138828673793e-8 - 2.0 * tail));
    let value = select(select(pp_copysign(select(t + tail, folded, far), x), x, a < 1e-4),
        pp_nan(), a > 1.0);
    return select(value, x, pp_is_nan(x));
}

fn pp_acos(x: f32) -> f32 {
    let a = abs(x);
    let far = a > 0.5;
    let half = max(0.5 * (1.0 - a), 0.0);
    let t = select(a, sqrt(half), far);
    let z = select(a * a, half, far);
    let tail = pp_asin_tail(t, z);
    let negative = x < 0.0;
    let multiple = select(1.0, select(0.0, 2.0, negative), far);
    let size = select(1.0, 2.0, far) * select(-1.0, 1.0, far != negative);
    let base = multiple * 1.5707963705062866;
    let lead = base + size * t;
    let error = size * t - (lead - base);
    let angle = lead + (error + (multiple * -4.371138828673793e-8 + size * tail));
    return select(select(angle, pp_nan(), a > 1.0), x, pp_is_nan(x));
}

// base + sign * atan(num/den), base = multiple * pi/4, for a quotient within tan(pi/8) of zero.
fn pp_atan_quotient(num: f32, den: f32, multiple: f32, sign: f32) -> f32 {
    let t = sign * (num / den);
    let z = t * t;
    let p = -0.3333333134651184 + z * (0.19999538362026215 + z * (-0.14263896644115448
        + z * (0.10743099451065063 + z * -0.06449835002422333)));
    let base = multiple * 0.7853981852531433;
    let lead = base + t;
    let error = t - (lead - base);
    return lead + (error + (multiple * -2.1855694143368964e-8 + t * z * p));
}

fn pp_atan(x: f32) -> f32 {
    let a = min(abs(x), 1073741824.0);
    let near = a <= 0.41421357;
    let far = a > 2.4142136;
    let num = select(select(a - 1.0, -1.0, far), a, near);
    let den = select(select(a + 1.0, a, far), 1.0, near);
    let multiple = select(select(1.0, 2.0, far), 0.0, near);
    let value = pp_copysign(pp_atan_quotient(num, den, multiple, 1.0), x);
    return select(select(value, x, a < 1e-4), x, pp_is_nan(x));
}

fn pp_atan2(y: f32, x: f32) -> f32 {
    let ax = abs(x);
    let ay = abs(y);
    let steep = ay > ax;
    let small = select(ay, ax, steep);
    let large = select(ax, ay, steep);
    let degenerate = pp_is_inf(large) || large == 0.0;
    let s0 = select(select(small, 0.0, degenerate), 1.0, pp_is_inf(small));
    let l0 = select(large, 1.0, degenerate);
    let factor = select(select(1.0, 9.5367431640625e-7, l0 > 1e30), 1099511627776.0, l0 < 1e-25);
    let s = s0 * factor;
    let l = l0 * factor;
    let near = s <= 0.41421357 * l;
    let negative = (bitcast<u32>(x) & 0x80000000u) != 0u;
    let sign = select(1.0, -1.0, steep != negative);
    let corner = select(select(0.0, 4.0, negative), 2.0, steep);
    let multiple = corner + select(sign, 0.0, near);
    let angle = pp_atan_quotient(select(s - l, s, near), select(s + l, l, near), multiple, sign);
    return select(pp_copysign(angle, y), pp_nan(), pp_is_nan(x) || pp_is_nan(y));
}

// erf(x)/x - 1 for |x| <= 1, z = x^2.
fn pp_erf_ratio(z: f32) -> f32 {
    return 0.12837916612625122 + z * (-0.3761262595653534 + z * (0.11283594369888306
        + z * (-0.02685421146452427 + z * (0.005189087241888046 + z * (-0.000801686430349946
        + z * 7.875874871388078e-5)))));
}

// erfc of a >= 3/4.
fn pp_erfc_tail(a: f32) -> f32 {
    let x = min(a, 10.5);
    let square = pp_two_product(x, x);
    let r = pp_exp_reduce(-square.x, -square.y);
    let value = 1.0 + (r.x + pp_exp_tail(r.x, r.y));
    let t = (x - 3.75) / (x + 3.75);
    let g = 1.2375125885009766 + t * (-0.14024068415164948 + t * (0.0035855520982295275
        + t * (0.08228079974651337 + t * (-0.10880682617425919 + t * (0.09224555641412735
        + t * (-0.05868392437696457 + t * (0.028694137930870056 + t * (-0.009674656204879284
        + t * 0.001048076432198286))))))));
    return pp_scale(value * g / (1.0 + (x + x)), i32(r.z));
}

fn pp_erf(x: f32) -> f32 {
    let a = abs(x);
    let near = x + x * pp_erf_ratio(a * a);
    let far = pp_copysign(1.0 - pp_erfc_tail(min(a, 4.0)), x);
    return select(select(far, near, a < 1.0), x, pp_is_nan(x));
}

fn pp_erfc(x: f32) -> f32 {
    let a = abs(x);
    let near = (1.0 - x) - x * pp_erf_ratio(a * a);
    let tail = pp_erfc_tail(max(a, 0.5));
    let far = select(tail, 2.0 - tail, x < 0.0);
    return select(select(far, near, a < 0.75), x, pp_is_nan(x));
}

fn pp_erf_inv(x: f32) -> f32 {
    let a = min(abs(x), 0.99999994);
    // 1 - a is exact where it is small, so the product is good to an ulp or two.
    let u = pp_split((1.0 - a) * (1.0 + a));
    let w = -pp_log_sum(u.x, u.y);
    let t = w * 0.4 - 1.0;
    let p = 1.5014094114303589 + t * (0.6166006922721863 + t * (-0.02610870636999607
        + t * (-0.01957385055720806 + t * (0.008529272861778736 + t * (-0.00048558786511421204
        + t * (-0.0008456995128653944 + t * (0.00028572470182552934
        + t * (3.560785989975557e-5 + t * -3.4072592825395986e-5))))))));
    let s = sqrt(max(w, 0.0));
    let v = (s - 3.167533988749895) * 1.0724251470214;
    let d = 0.16650936007499695 + v * (-0.004000833723694086 + v * (-0.0055759078823029995
        + v * (0.003809775924310088 + v * (-0.002474058186635375 + v * (0.0015596991870552301
        + v * (-0.0008049707976169884 + v * (0.00021300865046214312
        + v * (7.853553688619286e-5 + v * -5.952514038654044e-5))))))));
    let value = x * select(p, s - d, a > 0.996625);
    let edge = select(value, pp_copysign(pp_inf(), x), abs(x) == 1.0);
    return select(select(edge, pp_nan(), abs(x) > 1.0), x, pp_is_nan(x));
}

// The distance to the nearest whole number, exactly.
fn pp_to_whole(x: f32) -> f32 {
    return x - pp_round_even(x);
}

// C's fmod: the remainder of truncated division, exact, with the sign of x. Long division on
// the bits, since x - y trunc(x / y) loses everything once the quotient has more than 24 bits.
fn pp_rem(x: f32, y: f32) -> f32 {
    let ux = bitcast<u32>(x) & 0x7fffffffu;
    let uy = bitcast<u32>(y) & 0x7fffffffu;
    if (ux >= 0x7f800000u || uy > 0x7f800000u || uy == 0u) {
        return pp_nan();
    }
    if (ux < uy) {
        return x;
    }
    let subnormal_x = ux < 0x800000u;
    let subnormal_y = uy < 0x800000u;
    let ex = select(ux >> 23u, 1u, subnormal_x);
    let ey = select(uy >> 23u, 1u, subnormal_y);
    var m = select((ux & 0x7fffffu) | 0x800000u, ux, subnormal_x);
    let d = select((uy & 0x7fffffu) | 0x800000u, uy, subnormal_y);
    m = m % d;
    var steps = ex - ey;
    // Eight bits of the quotient at a time: m < 2^24.
    loop {
        if (steps == 0u || m == 0u) {
            break;
        }
        let chunk = min(steps, 8u);
        m = (m << chunk) % d;
        steps = steps - chunk;
    }
    // m times 2^(ey - 1) in units of the least subnormal, put together by bits.
    let lead = countLeadingZeros(m) - 8u;
    let shift = min(lead, ey - 1u);
    let normal = m << shift;
    let exponent = ey - shift;
    let bits = select(normal, (normal & 0x7fffffu) | (exponent << 23u), normal >= 0x800000u);
    return bitcast<f32>(select(bits, 0u, m == 0u) | (bitcast<u32>(x) & 0x80000000u));
}

// Truncating division: x / 0 = -1, the least number / -1 = itself.
fn pp_idiv_i32(x: i32, y: i32) -> i32 {
    let overflow = y == -1;
    let quotient = x / select(y, 1, y == 0 || overflow);
    return select(select(quotient, bitcast<i32>(0u - bitcast<u32>(x)), overflow), -1, y == 0);
}

fn pp_irem_i32(x: i32, y: i32) -> i32 {
    let trivial = y == 0 || y == -1;
    let divisor = select(y, 1, trivial);
    let remainder = x - (x / divisor) * divisor;
    return select(remainder, x, y == 0);
}

fn pp_idiv_u32(x: u32, y: u32) -> u32 {
    return select(x / select(y, 1u, y == 0u), 0xffffffffu, y == 0u);
}

fn pp_irem_u32(x: u32, y: u32) -> u32 {
    return select(x % select(y, 1u, y == 0u), x, y == 0u);
}

// Shifts by the width or more give zero, or the sign for the arithmetic shift.
fn pp_shift_left_i32(x: i32, n: i32) -> i32 {
    return select(0, x << (bitcast<u32>(n) & 31u), bitcast<u32>(n) < 32u);
}

fn pp_shift_left_u32(x: u32, n: u32) -> u32 {
    return select(0u, x << (n & 31u), n < 32u);
}

fn pp_shift_right_logical_i32(x: i32, n: i32) -> i32 {
    return select(0, bitcast<i32>(bitcast<u32>(x) >> (bitcast<u32>(n) & 31u)),
        bitcast<u32>(n) < 32u);
}

fn pp_shift_right_logical_u32(x: u32, n: u32) -> u32 {
    return select(0u, x >> (n & 31u), n < 32u);
}

fn pp_shift_right_arithmetic_i32(x: i32, n: i32) -> i32 {
    return x >> min(bitcast<u32>(n), 31u);
}

// An unsigned number has no sign to fill with, but its top bit counts as one, as in JAX.
fn pp_shift_right_arithmetic_u32(x: u32, n: u32) -> u32 {
    return bitcast<u32>(bitcast<i32>(x) >> min(n, 31u));
}

// Saturating conversions, NaN to zero.
fn pp_f32_to_i32(x: f32) -> i32 {
    let inside = i32(clamp(x, -2147483648.0, 2147483520.0));
    let high = select(inside, 2147483647, x >= 2147483648.0);
    let low = select(high, bitcast<i32>(0x80000000u), x <= -2147483648.0);
    return select(low, 0, pp_is_nan(x));
}

fn pp_f32_to_u32(x: f32) -> u32 {
    let inside = u32(clamp(x, 0.0, 4294967040.0));
    let high = select(inside, 0xffffffffu, x >= 4294967296.0);
    return select(high, 0u, pp_is_nan(x) || x <= 0.0);
}

// Threefry-2x32 with 20 rounds; see kernels/src/threefry.rs.
fn pp_threefry_group(x: vec2<u32>, r: vec4<u32>) -> vec2<u32> {
    let a0 = x.x + x.y;
    let a1 = ((x.y << r.x) | (x.y >> (32u - r.x))) ^ a0;
    let b0 = a0 + a1;
    let b1 = ((a1 << r.y) | (a1 >> (32u - r.y))) ^ b0;
    let c0 = b0 + b1;
    let c1 = ((b1 << r.z) | (b1 >> (32u - r.z))) ^ c0;
    let d0 = c0 + c1;
    let d1 = ((c1 << r.w) | (c1 >> (32u - r.w))) ^ d0;
    return vec2<u32>(d0, d1);
}

fn pp_threefry(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
    let third = key.x ^ key.y ^ 0x1bd11bdau;
    let even = vec4<u32>(13u, 15u, 26u, 6u);
    let odd = vec4<u32>(17u, 29u, 16u, 24u);
    let x1 = pp_threefry_group(counter + key, even) + vec2<u32>(key.y, third + 1u);
    let x2 = pp_threefry_group(x1, odd) + vec2<u32>(third, key.x + 2u);
    let x3 = pp_threefry_group(x2, even) + vec2<u32>(key.x, key.y + 3u);
    let x4 = pp_threefry_group(x3, odd) + vec2<u32>(key.y, third + 4u);
    return pp_threefry_group(x4, even) + vec2<u32>(third, key.x + 5u);
}
