// The gamma function and its family in f32: its logarithm, digamma, beta, polygamma, zeta. Formulas
// from DLMF chapters 5 and 25; polynomials are least-maximum fits made for this file. Domains and
// limits are those of the crate probpipe-special, which says what each function is where it is not
// finite.

// log gamma(1 + a) for 0 <= a <= 1, to full relative precision: a (a - 1) times a polynomial.
fn pp_lgamma1p(a: f32) -> f32 {
    let t = a - 0.5;
    let p = 0.48312896 + t * (-0.1459599 + t * (0.06291141 + t * (-0.03130851 + t * (0.016796509
        + t * (-0.009424963 + t * (0.0054563489 + t * (-0.0032209088 + t * (0.001848898
        + t * (-0.001107588 + t * (0.0009589704 + t * -0.0006077893))))))))));
    return a * (a - 1.0) * p;
}

// 1 / gamma(1 + a) for 0 <= a <= 1.
fn pp_rgamma1p(a: f32) -> f32 {
    let t = a - 0.5;
    return 1.1283792 + t * (-0.041174527 + t * (-0.5266544 + t * (0.17510204 + t * (0.050966855
        + t * (-0.042155433 + t * (0.006612971 + t * (0.0021231419 + t * (-0.0011112473
        + t * (0.00014277291 + t * 2.7059621e-5)))))))));
}

// log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2 for x >= 1, where it is at most 0.0811.
fn pp_stirling(x: f32) -> f32 {
    let t = 1.0 / x;
    return t * (0.083333336 + t * (-1.3367963e-8 + t * (-0.0027774044 + t * (-3.6840413e-6
        + t * (0.00080730295 + t * (9.285147e-6 + t * (-0.00084054622 + t * (0.00085077638
        + t * (-0.0003905395 + t * 7.295647e-5)))))))));
}

// log gamma(x) for x >= 1 and up to 1e9, as a sum.
fn pp_dd_lgamma(x: f32) -> vec2<f32> {
    let log = pp_dd_log(vec2<f32>(x, 0.0));
    let leading = pp_dd_mul(pp_two_sum(x, -0.5), log);
    let rest = pp_two_sum(0.9189385, pp_stirling(x) + 4.6206345e-9);
    return pp_dd_add(pp_dd_add(leading, vec2<f32>(-x, 0.0)), rest);
}

// sin(pi r) for |r| <= 1/2, where nothing is to be reduced.
fn pp_sin_pi(r: f32) -> f32 {
    let t = r * r;
    return r * (3.1415927 + t * (-5.1677127 + t * (2.5501633 + t * (-0.59925133 + t * (0.082046472
        + t * -0.0070221541)))));
}

// pi / tan(pi r) for |r| <= 1/2.
fn pp_cot_pi(r: f32) -> f32 {
    let t = r * r;
    return (1.0 + t * (-3.2898698 + t * (-2.1645148 + t * (-2.0387321 + t * (-1.9476382
        + t * (-2.4847498 + t * (0.054551579 + t * -6.12818))))))) / r;
}

// log gamma(x) for x > 0. Programs call it often, so it has no branch: a polynomial for each piece
// up to 8, and beyond Stirling's series, with log x - 1 from the parts of the logarithm.
fn pp_lgamma_positive(x: f32) -> f32 {
    let tiny = x < 1.1754944e-38;
    let split = pp_split(select(x, x * 33554432.0, tiny));
    let k = select(split.y, split.y - 25.0, tiny);
    let lead = k * 0.693145751953125;
    let rest = pp_log_sum(split.x, 0.0) + k * 1.428606765330187e-6;
    let below = x < 1.0;
    let one = pp_lgamma1p(clamp(select(x - 1.0, x, below), 0.0, 1.0));
    let b = clamp(x, 2.0, 3.0) - 2.5;
    let two = 0.56936574 + b * (0.26758179 + b * (-0.04480584 + b * (0.010876996
        + b * (-0.0030952452 + b * (0.00096118194 + b * (-0.00031435883 + b * (0.00010651795
        + b * (-4.0508494e-5 + b * 1.5008743e-5))))))));
    let c = clamp(x, 3.0, 5.0) - 4.0;
    let three = 1.7917595 + c * (1.2561177 + c * (0.14191148 + c * (-0.013339951
        + c * (0.0018693762 + c * (-0.00031253533 + c * (5.7758774e-5 + c * (-1.1291769e-5
        + c * (2.2835447e-6 + c * (-5.6580797e-7 + c * 1.3843346e-7)))))))));
    let d = (clamp(x, 5.0, 8.0) - 6.5) / 1.5;
    let five = 5.6625619 + d * (2.6893671 + d * (0.1870701 + d * (-0.015518188 + d * (0.0019266792
        + d * (-0.00028645573 + d * (4.7071448e-5 + d * (-8.2382967e-6 + d * (1.6879563e-6
        + d * -3.477825e-7))))))));
    let z = 1.0 / x;
    let t = z * z;
    let series = (0.00079365079 * t - 0.0027777778) * t + 0.083333333;
    let far = (x - 0.5) * ((lead - 1.0) + rest) + (z * series + 0.41893853);
    let up_to_three = select((x - 2.0) * two, one - select(0.0, lead + rest, below), x < 2.0);
    let up_to_eight = select(five, three, x < 5.0);
    return select(select(far, up_to_eight, x < 8.0), up_to_three, x < 3.0);
}

fn pp_lgamma(x: f32) -> f32 {
    let right = pp_lgamma_positive(abs(x));
    let r = pp_to_whole(x);
    // gamma(x) gamma(-x) = -pi / (x sin(pi x))
    let left = pp_log(3.1415927 / abs(x * pp_sin_pi(r))) - right;
    let value = select(left, pp_inf(), r == 0.0 || pp_is_inf(x));
    // Next to zero, where the product underflows, both sides are -log |x|.
    let near = abs(x) < 1e-10 && (bitcast<u32>(x) & 0x7fffffffu) != 0u;
    return select(select(value, right, x > 0.0 || near), x, pp_is_nan(x));
}

// digamma for x > 0; below one by the recurrence.
fn pp_digamma_positive(x: f32) -> f32 {
    let below = x < 1.0;
    let a = select(x, x + 1.0, below);
    // The zero in two parts; a choice, so that no compiler adds the two constants up.
    let u = min(select(x - 1.0, x, below), 1.0);
    let root = (u - 0.46163213) - select(1.243815e-8, 0.0, below);
    let b = 2.0 * u - 1.0;
    let one = 0.95105588 + b * (-0.21181375 + b * (0.060135655 + b * (-0.018549848
        + b * (0.0059363809 + b * (-0.0019392838 + b * (0.00063873897 + b * (-0.00020141446
        + b * (6.6330598e-5 + b * (-3.1999774e-5 + b * 1.08574895e-5)))))))));
    let c = clamp(a, 2.0, 4.0) - 3.0;
    let two = 0.92278433 + c * (0.39493406 + c * (-0.077056929 + c * (0.019823339
        + c * (-0.0056774016 + c * (0.0017174084 + c * (-0.00053828215 + c * (0.00017283428
        + c * (-5.2424479e-5 + c * (1.5838543e-5 + c * (-8.2918395e-6
        + c * 3.1846823e-6))))))))));
    let d = 0.5 * clamp(a, 4.0, 8.0) - 3.0;
    let four = 1.7061176 + d * (0.36264592 + d * (-0.065579519 + d * (0.015770111
        + d * (-0.0042549879 + d * (0.0012235376 + d * (-0.00036608562 + d * (0.000107559026
        + d * (-3.2302374e-5 + d * (1.4767064e-5 + d * -5.2051882e-6)))))))));
    let z = 1.0 / x;
    let t = z * z;
    let series = (0.003968254 * t - 0.0083333333) * t + 0.083333333;
    let far = pp_log(a) - (0.5 * z + t * series);
    let up_to_four = select(two, root * one, a < 2.0);
    let value = select(select(far, four, a < 8.0), up_to_four, a < 4.0);
    return value - select(0.0, z, below);
}

fn pp_digamma(x: f32) -> f32 {
    let positive = x > 0.0;
    let right = pp_digamma_positive(select(1.0 - x, x, positive));
    let r = pp_to_whole(x);
    // digamma(x) = digamma(1 - x) - pi / tan(pi x)
    let left = right - pp_cot_pi(r);
    let value = select(left, pp_nan(), r == 0.0 || pp_is_inf(x));
    // Zero by its bits: comparisons may take subnormal numbers for it.
    let zero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
    let other = select(value, -pp_copysign(pp_inf(), x), zero);
    return select(select(other, right, positive), x, pp_is_nan(x));
}

fn pp_gamma(x: f32) -> f32 {
    let a = abs(x);
    let bits = bitcast<u32>(x);
    if ((bits & 0x7fffffffu) == 0u) {
        return pp_copysign(pp_inf(), x);
    }
    if (pp_is_nan(x) || bits == 0x7f800000u) {
        return x;
    }
    let negative = (bits & 0x80000000u) != 0u;
    // What gamma(a) has beside a power of e, and the exponent.
    let small = a < 2.0;
    let offset = select(a - 1.0, a, a < 1.0);
    let reciprocal = pp_rgamma1p(clamp(offset, 0.0, 1.0)) * select(1.0, a, a < 1.0);
    let log = pp_dd_lgamma(clamp(a, 2.0, 64.0));
    if (!negative) {
        return select(select(pp_dd_exp(log), pp_inf(), a > 36.0), 1.0 / reciprocal, small);
    }
    let r = pp_to_whole(x);
    if (r == 0.0 || pp_is_inf(x)) {
        // Below the least normal number, which a device may take for zero, it is -1/a.
        return select(pp_nan(), -pp_inf(), a < 1e-30);
    }
    // gamma(x) gamma(-x) = -pi / (x sin(pi x)), by halves of the exponent, so that no part
    // leaves the range before the result does.
    let odd = (u32(min(abs(x - r), 1e6)) & 1u) == 1u;
    let sine = abs(pp_sin_pi(r));
    let factor = 3.1415927 / sine / a;
    let half = pp_dd_exp(-0.5 * log);
    let size = select(half * factor * half, factor * reciprocal, small);
    // The sign of sin(pi x), which is that of (-1)^(x - r) r.
    let size_or_limit = select(size, 1.0 / a, a < 1e-8);
    return select(-size_or_limit, size_or_limit, (r > 0.0) != odd);
}

// log x - digamma(x) for x > 0, which is 1/(2x) + ... .
fn pp_log_minus_digamma(x: f32) -> f32 {
    var at = x;
    var shift = 0.0;
    // f(x) = f(x + 1) + 1/x - log(1 + 1/x)
    for (var k = 0; k < 6; k = k + 1) {
        if (at >= 6.0) {
            break;
        }
        let z = 1.0 / at;
        shift = shift - pp_log1p_less(z);
        at = at + 1.0;
    }
    let z = 1.0 / at;
    let t = z * z;
    return shift + (0.5 * z + t * (0.083333333 + t * (-0.0083333333 + t * (0.003968254
        - t * 0.0041666667))));
}

// sum over k of c[k] (x^-n - (x + d)^-n) over d, n = first, first + 2, ..., for d > 0.
fn pp_power_differences(c: vec4<f32>, first: i32, x: f32, d: f32) -> f32 {
    let u = 1.0 / x;
    let v = 1.0 / (x + d);
    // u^n - v^n = (u - v) q with q = u^(n-1) + u^(n-2) v + ...; u - v = d u v.
    var q = 1.0;
    var power = 1.0;
    if (first == 2) {
        power = v;
        q = u + v;
    }
    var sum = 0.0;
    for (var k = 0; k < 4; k = k + 1) {
        sum = sum + c[k] * q;
        power = power * v;
        q = u * q + power;
        power = power * v;
        q = u * q + power;
    }
    return sum * (u * v);
}

// log gamma(a + b) - log gamma(a) - b log(a + b) for positive a and b.
fn pp_lgamma_excess(a: f32, b: f32) -> f32 {
    var at = a;
    var shift = 0.0;
    for (var k = 0; k < 8; k = k + 1) {
        if (at >= 8.0) {
            break;
        }
        shift = shift + pp_log1p(b / at);
        at = at + 1.0;
    }
    let ratio = pp_log1p(b / at);
    let c = vec4<f32>(0.083333333, -0.0027777778, 0.00079365079, -0.00059523810);
    // log gamma(at) - log gamma(at + b) + b log(at + b)
    let rest = -at * pp_log1p_less(b / at) + 0.5 * ratio
        + b * pp_power_differences(c, 1, at, b);
    // The argument of the logarithm has moved from a + b to at + b.
    let moved = b * pp_log1p((at - a) / (a + b));
    return moved - (rest + shift);
}

fn pp_digamma_difference(a: f32, b: f32) -> f32 {
    if (!(a > 0.0 && b > 0.0) || pp_is_nan(a) || pp_is_nan(b) || pp_is_inf(a) || pp_is_inf(b)) {
        return pp_digamma(a + b) - pp_digamma(a);
    }
    var at = a;
    var shift = 0.0;
    for (var k = 0; k < 8; k = k + 1) {
        if (at >= 8.0) {
            break;
        }
        shift = shift + b / (at + b) / at;
        at = at + 1.0;
    }
    let c = vec4<f32>(0.083333333, -0.0083333333, 0.003968254, -0.0041666667);
    let halves = 0.5 * (b / at / (at + b));
    let ratio = b / at;
    let log = select(pp_log1p(ratio), pp_log(b) - pp_log(at), ratio > 1e30);
    return shift + (log + halves + b * pp_power_differences(c, 2, at, b));
}

fn pp_betaln(a: f32, b: f32) -> f32 {
    if (pp_is_nan(a) || pp_is_nan(b) || a < 0.0 || b < 0.0) {
        return pp_nan();
    }
    let small = min(a, b);
    let large = max(a, b);
    if (small == 0.0) {
        return pp_inf();
    }
    if (pp_is_inf(large)) {
        return -pp_inf();
    }
    let ratio = small / large;
    if (small < 8.0) {
        // gamma(s) gamma(l) / gamma(s + l), of which gamma(s) = gamma(s + 1) / s.
        let excess = pp_lgamma_excess(large, small);
        let log = pp_log(large) + pp_log1p(ratio);
        if (small < 1.0) {
            return (pp_lgamma1p(small) - pp_log(small)) - (small * log + excess);
        }
        return pp_lgamma_positive(small) - (small * log + excess);
    }
    // log sqrt(2 pi (a + b) / (a b)) + a log(a/(a + b)) + b log(b/(a + b)); the last two are
    // negative.
    let root = 0.5 * pp_log(6.2831853 / small * (1.0 + ratio));
    let left = -(large * pp_log1p(ratio));
    let right = small * (pp_log(ratio) - pp_log1p(ratio));
    let rest = (pp_stirling(large) - pp_stirling(small + large)) + pp_stirling(small);
    return (left + right) + (root + rest);
}

// sum over k >= 0 of (q + k)^-s for s > 1 and q > 0, by Euler and Maclaurin's formula, DLMF
// 25.11.7.
fn pp_hurwitz(s: f32, q: f32) -> f32 {
    let least = min(7.0 + 0.7 * s, 1e3);
    let first = pp_pow(q, -s);
    if (pp_is_inf(first)) {
        return first;
    }
    var at = q;
    var last = first;
    var sum = vec2<f32>(0.0, 0.0);
    for (var k = 0; k < 1000; k = k + 1) {
        if (at >= least) {
            break;
        }
        sum = pp_dd_add(sum, vec2<f32>(last, 0.0));
        at = at + 1.0;
        last = pp_pow(at, -s);
        if (last * at <= 1e-9 * first) {
            return sum.x + last;
        }
    }
    // The integral, half a term, and sum B(2k)/(2k)! s (s + 1) .. (s + 2k - 2) at^(1 - s - 2k).
    let z = 1.0 / at;
    let f = s * z;
    let two = (f + z) * (f + 2.0 * z);
    let four = (f + 3.0 * z) * (f + 4.0 * z);
    let six = (f + 5.0 * z) * (f + 6.0 * z);
    let eight = (f + 7.0 * z) * (f + 8.0 * z);
    let series = f * (0.083333333 - two * (0.0013888889 - four * (3.3068783e-5
        - six * (8.2671958e-7 - eight * 2.0876757e-8))));
    let less = s - 1.0;
    let integral = pp_pow(at, -less) / less;
    return sum.x + (sum.y + (integral + last * (0.5 + series)));
}

fn pp_zeta(s: f32, q: f32) -> f32 {
    if (pp_is_nan(s) || pp_is_nan(q) || s < 1.0) {
        return pp_nan();
    }
    let r = pp_to_whole(q);
    if (s == 1.0 || (q <= 0.0 && r == 0.0 && !pp_is_inf(q))) {
        return pp_inf();
    }
    if (pp_is_inf(s) || (pp_is_inf(q) && q > 0.0)) {
        return select(select(pp_inf(), 1.0, q == 1.0), 0.0, q > 1.0);
    }
    if (q > 0.0) {
        return pp_hurwitz(s, q);
    }
    if (floor(s) != s || pp_is_inf(q)) {
        return pp_nan();
    }
    // The terms left of zero, mirrored: with f the fractional part of q,
    // zeta(s, q) = zeta(s, f) + (-1)^s (zeta(s, 1 - f) - zeta(s, 1 - q)).
    let below = r < 0.0;
    var points = array<f32, 3>(select(r, 1.0 + r, below), select(1.0 - r, -r, below), 1.0 - q);
    let sign = select(-1.0, 1.0, floor(0.5 * s) * 2.0 == s);
    var sum = 0.0;
    for (var k = 0; k < 3; k = k + 1) {
        let term = pp_hurwitz(s, points[k]);
        sum = sum + select(select(-sign, sign, k == 1), 1.0, k == 0) * term;
    }
    return sum;
}

fn pp_polygamma(n: f32, x: f32) -> f32 {
    if (n == 0.0) {
        return pp_digamma(x);
    }
    if (!(n > 0.0 && floor(n) == n) || pp_is_nan(n) || pp_is_nan(x)) {
        return pp_nan();
    }
    let sign = select(1.0, -1.0, floor(0.5 * n) * 2.0 == n && !pp_is_inf(n));
    let value = pp_zeta(n + 1.0, x);
    let size = abs(value);
    if (x <= 0.0 || pp_is_inf(x) || pp_is_inf(n)) {
        let factor = pp_gamma(min(n, 40.0) + 1.0);
        let limit = pp_is_inf(n) || pp_is_inf(value) || value == 0.0;
        return sign * select(factor * value, value, limit);
    }
    if (n < 34.0 && size < 1e37 && size > 1e-37) {
        let factor = pp_gamma(n + 1.0) * value;
        if (!pp_is_inf(factor)) {
            return sign * factor;
        }
    }
    // n! x^-(n+1) by its logarithm, times the rest of the series.
    var rest = 1.0;
    for (var k = 1; k < 200; k = k + 1) {
        let term = pp_pow(x / (x + f32(k)), n + 1.0);
        rest = rest + term;
        if (term < 1e-9) {
            break;
        }
    }
    let far = x >= 4.0 * n;
    let log = pp_dd_log(vec2<f32>(x, 0.0));
    let scale = pp_dd_add(pp_dd_lgamma(n + 1.0), pp_dd_times(log, -(n + 1.0)));
    if (far) {
        // Where many terms count, Euler and Maclaurin's formula, over the first.
        let z = 1.0 / x;
        let f = (n + 1.0) * z;
        let series = x / n + 0.5 + f * (0.083333333 - (f + z) * (f + 2.0 * z) * 0.0013888889);
        rest = series;
    }
    return sign * pp_dd_exp(pp_dd_add(scale, vec2<f32>(pp_log(rest), 0.0)));
}
