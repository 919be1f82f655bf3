// The incomplete gamma and beta functions in double precision, their densities and inverses: the
// methods of incomplete.wgsl and of the crate probpipe-special. Series DLMF 8.11.4, fractions 8.9.2
// and 8.17.22, Gauss's rule for large parameters, and W. Gautschi's difference of small terms, ACM
// TOMS 5 (1979) 466.
//
// A point of the unit interval comes with its distance from one, both as sums: (x, low part, y, low
// part). Taylor series of order 3 in a parameter are in f64_taylor.wgsl.

// What a parameter p brings to a density, place^p e^-place / gamma(p + 1), as the logarithm of one
// factor, a sum, and another factor. The first is about one at most, so that its logarithm may be
// anything far below zero. `excess` is place - p. Without `decays`, for p < 1, it is place^p /
// gamma(p + 1).
fn pp_shape_f64(p: f64, place: vec2<f64>, excess: vec2<f64>, decays: bool) -> vec3<f64> {
    let small = p < 1.0lf;
    let ratio = pp_dd_div_f64(place, vec2<f64>(select(p, 1.0lf, small), 0.0lf));
    let change = pp_dd_div_f64(excess, vec2<f64>(p, 0.0lf));
    let u = select(change, vec2<f64>(0.0lf, 0.0lf), small);
    let less = pp_dd_log_less_f64(ratio, u, !small && u.x > -0.28lf && u.x < 0.4lf);
    if (p * less.x < -1500.0lf || (small && place.x > 2000.0lf)) {
        return vec3<f64>(-2000.0lf, 0.0lf, 0.0lf);
    }
    let exponent = pp_dd_times_f64(less, p);
    if (small) {
        let decay = select(vec2<f64>(0.0lf, 0.0lf), -place, decays);
        return vec3<f64>(pp_dd_add_f64(exponent, decay), pp_rgamma1p_f64(p));
    }
    let rest = pp_dd_add_f64(exponent, vec2<f64>(-pp_stirling_f64(p), 0.0lf));
    return vec3<f64>(rest, sqrt(0.15915494309189535lf / p));
}

// x^a e^-x / gamma(a + 1) for positive and finite a and x, times `multiple`.
fn pp_gamma_power_f64(a: f64, x: f64, multiple: f64) -> f64 {
    let part = pp_shape_f64(a, vec2<f64>(x, 0.0lf), pp_two_sum_f64(x, -a), true);
    return (part.z * multiple) * pp_dd_exp_f64(part.xy);
}

// h(s) = a L(-s) + b L(r s) + linear s with L(s) = log(1 + s) - s, which is concave and zero at 0,
// and its derivative.
fn pp_tail_height_f64(a: f64, b: f64, r: f64, linear: f64, s: f64) -> vec2<f64> {
    var h = linear * s;
    var slope = linear;
    for (var k = 0; k < 2; k = k + 1) {
        let p = select(a, b, k == 1);
        let rate = select(-1.0lf, r, k == 1);
        if (p > 0.0lf) {
            let u = rate * s;
            h = h + p * pp_log1p_less_f64(u);
            slope = slope - p * rate * u / (1.0lf + u);
        }
    }
    return vec2<f64>(h, slope);
}

// Where that falls below -40; inside of `most` in any case.
fn pp_tail_end_f64(a: f64, b: f64, r: f64, linear: f64, most: f64) -> f64 {
    // The parabola at 0 first; then Newton's steps, which end up at or beyond the root.
    let curvature = a + b * r * r;
    let root = sqrt(linear * linear + 80.0lf * curvature);
    let inside = 0.999lf * most;
    let falling = 80.0lf / (root - linear);
    var end = min(select((root + linear) / curvature, falling, linear < 0.0lf), inside);
    for (var i = 0; i < 4; i = i + 1) {
        let h = pp_tail_height_f64(a, b, r, linear, end);
        end = min(end - (40.0lf + h.x) / h.y, inside);
    }
    return end;
}

// The integral from 0 to infinity, or to `most`, of e^h with that h, where it is cut.
fn pp_tail_integral_f64(a: f64, b: f64, r: f64, linear: f64, most: f64) -> f64 {
    let end = pp_tail_end_f64(a, b, r, linear, most);
    var sum = 0.0lf;
    for (var i = 0; i < 32; i = i + 1) {
        let rule = pp_gauss_f64(i);
        let s = end * (0.5lf + 0.5lf * rule.x);
        sum = sum + rule.y * pp_exp_f64(pp_tail_height_f64(a, b, r, linear, s).x);
    }
    return 0.5lf * end * sum;
}

// sum over n >= 0 of x^n / ((a + 1) .. (a + n)).
fn pp_gamma_series_f64(a: f64, x: f64) -> f64 {
    var term = 1.0lf;
    var sum = vec2<f64>(1.0lf, 0.0lf);
    for (var n = 1; n < 1000; n = n + 1) {
        term = term * (x / (a + f64(n)));
        sum = pp_dd_add_f64(sum, vec2<f64>(term, 0.0lf));
        if (term < 1e-17lf * sum.x) {
            break;
        }
    }
    return sum.x;
}

// The continued fraction of gamma(a, x) / (x^a e^-x), by Steed's method: the sum of the differences
// of its convergents.
fn pp_gamma_fraction_f64(a: f64, x: f64) -> f64 {
    var b = (x - a) + 1.0lf;
    var d = 1.0lf / b;
    var delta = d;
    var sum = vec2<f64>(d, 0.0lf);
    for (var n = 1; n < 1000; n = n + 1) {
        let m = f64(n);
        let c = m * (a - m);
        b = b + 2.0lf;
        let next = 1.0lf / (b + c * d);
        delta = -(c * d * next) * delta;
        d = next;
        sum = pp_dd_add_f64(sum, vec2<f64>(delta, 0.0lf));
        if (abs(delta) < 1e-17lf * sum.x) {
            break;
        }
    }
    return sum.x;
}

// Q for a <= 1 and x <= 1.1: 1 - x^a / gamma(a + 1) is one of two terms.
fn pp_gamma_small_upper_f64(a: f64, x: f64) -> f64 {
    let less = pp_expm1_f64(a * pp_log_f64(x) - pp_lgamma1p_f64(a));
    var term = 1.0lf;
    var sum = 0.0lf;
    for (var k = 1; k < 25; k = k + 1) {
        let n = f64(k);
        term = term * (-x / n);
        sum = sum + term / (a + n);
    }
    return -less - (1.0lf + less) * a * sum;
}

// P, or Q if `upper`, for positive and finite a and x, and x^a e^-x / gamma(a).
fn pp_gamma_tail_f64(a: f64, x: f64, upper: bool) -> vec2<f64> {
    let over = pp_gamma_power_f64(a, x, 1.0lf);
    let power = a * over;
    if (upper && a <= 1.0lf && x <= 1.1lf) {
        return vec2<f64>(pp_gamma_small_upper_f64(a, x), power);
    }
    let is_upper = x >= a && (a >= 30.0lf || x > 1.1lf);
    var tail = 0.0lf;
    if (over > 0.0lf) {
        if (a >= 30.0lf) {
            let less = a - 1.0lf;
            let linear = -abs(x - a) + select(1.0lf, -1.0lf, is_upper);
            let integral = pp_tail_integral_f64(select(less, 0.0lf, is_upper),
                select(0.0lf, less, is_upper), 1.0lf, linear, select(1.0lf, 1e300lf, is_upper));
            tail = power * integral;
        } else if (is_upper) {
            tail = power * pp_gamma_fraction_f64(a, x);
        } else {
            tail = over * pp_gamma_series_f64(a, x);
        }
    }
    return vec2<f64>(select(1.0lf - tail, tail, is_upper == upper), power);
}

// The value of P where it is a limit or undefined, else -1.
fn pp_gamma_edge_f64(a: f64, x: f64) -> f64 {
    if (pp_is_nan_f64(a) || pp_is_nan_f64(x) || a < 0.0lf || x < 0.0lf) {
        return pp_nan_f64();
    }
    if (a == 0.0lf) {
        return select(1.0lf, pp_nan_f64(), x == 0.0lf);
    }
    if (pp_is_inf_f64(a)) {
        return select(0.0lf, pp_nan_f64(), pp_is_inf_f64(x));
    }
    if (x == 0.0lf) {
        return 0.0lf;
    }
    return select(-1.0lf, 1.0lf, pp_is_inf_f64(x));
}

fn pp_gammainc_f64(a: f64, x: f64) -> f64 {
    let edge = pp_gamma_edge_f64(a, x);
    if (edge >= 0.0lf || pp_is_nan_f64(edge)) {
        return edge;
    }
    return pp_gamma_tail_f64(a, x, false).x;
}

fn pp_gammaincc_f64(a: f64, x: f64) -> f64 {
    let edge = pp_gamma_edge_f64(a, x);
    if (edge >= 0.0lf || pp_is_nan_f64(edge)) {
        return 1.0lf - edge;
    }
    return pp_gamma_tail_f64(a, x, true).x;
}

fn pp_gamma_density_f64(a: f64, x: f64) -> f64 {
    if (pp_is_nan_f64(a) || pp_is_nan_f64(x) || a < 0.0lf || x < 0.0lf || pp_is_inf_f64(a)) {
        return pp_nan_f64();
    }
    if (pp_is_inf_f64(x) || a == 0.0lf) {
        return 0.0lf;
    }
    if (x == 0.0lf) {
        return select(select(0.0lf, 1.0lf, a == 1.0lf), pp_inf_f64(), a < 1.0lf);
    }
    let part = pp_shape_f64(a, vec2<f64>(x, 0.0lf), pp_two_sum_f64(x, -a), true);
    let power = (part.z * a) * pp_dd_exp_f64(part.xy);
    if (x < 1.0lf && power < 1e-307lf && part.x > -1500.0lf) {
        // The power may be below the range, and the density not: by halves, so that no part is.
        let log = pp_dd_log_f64(vec2<f64>(x, 0.0lf));
        let half = pp_dd_exp_f64(pp_dd_times_f64(pp_dd_add_f64(part.xy, -log), 0.5lf)) * sqrt(a);
        return (part.z * half) * half;
    }
    return power / x;
}

// A point of the unit interval, exactly.
fn pp_unit_point_f64(x: f64) -> vec4<f64> {
    return vec4<f64>(x, 0.0lf, pp_two_sum_f64(1.0lf, -x));
}

// b x - a y, which is zero at the mean a/(a + b).
fn pp_beta_excess_f64(a: f64, b: f64, at: vec4<f64>) -> vec2<f64> {
    return pp_dd_add_f64(pp_dd_times_f64(at.xy, b), -pp_dd_times_f64(at.zw, a));
}

// x^a y^b / (a B(a, b)) for positive and finite parameters and a point inside, times `multiple`.
fn pp_beta_power_f64(a: f64, b: f64, at: vec4<f64>, multiple: f64) -> f64 {
    let excess = pp_beta_excess_f64(a, b, at);
    let sum = pp_two_sum_f64(a, b);
    // x^a y^b gamma(a + b) = (x s)^a e^(-x s) (y s)^b e^(-y s) / (s^s e^-s / gamma(s)) with the sum
    // s; and plain where both are small.
    let small = max(a, b) < 1.0lf;
    let scale = select(sum, vec2<f64>(1.0lf, 0.0lf), small);
    // gamma(s) is gamma(s + 1) / s.
    let below = sum.x < 1.0lf;
    let share = b / select(1.0lf, sum.x, below);
    var exponent = vec2<f64>(0.0lf, 0.0lf);
    var factor = multiple;
    for (var k = 0; k < 2; k = k + 1) {
        let first = k == 0;
        let place = pp_dd_mul_f64(select(at.zw, at.xy, first), scale);
        let part = pp_shape_f64(select(b, a, first), place, select(-excess, excess, first), !small);
        exponent = pp_dd_add_f64(exponent, part.xy);
        factor = factor * part.z * select(share, 1.0lf, first);
    }
    if (small) {
        factor = factor / pp_rgamma1p_f64(select(sum.x - 1.0lf, sum.x, below));
    } else {
        exponent = pp_dd_add_f64(exponent, vec2<f64>(pp_stirling_f64(sum.x), 0.0lf));
        factor = factor / sqrt(0.15915494309189535lf * sum.x);
    }
    return factor * pp_dd_exp_f64(exponent);
}

// 1 - I_x(a, b) for a <= 1 and small x max(b, 1): a difference of two small terms.
fn pp_beta_small_upper_f64(a: f64, b: f64, x: f64) -> f64 {
    // log w of w = x^a / (a B(a, b))
    let log = a * pp_log_f64(x * (a + b)) + (pp_lgamma_excess_f64(b, a) - pp_lgamma1p_f64(a));
    var term = 1.0lf;
    var sum = 0.0lf;
    for (var k = 1; k < 300; k = k + 1) {
        let n = f64(k);
        term = term * ((n - b) * (x / n));
        let next = term / (a + n);
        sum = sum + next;
        if (abs(next) <= 1e-18lf * abs(sum)) {
            break;
        }
    }
    let less = pp_expm1_f64(log);
    // A zero without a sign.
    return abs(less + (1.0lf + less) * a * sum);
}

// I_x(a, b) a B(a, b) / (x^a y^b) for x up to the mean, by Steed's method on the even part of the
// fraction DLMF 8.17.22; what is lost next to one shows through `excess` = a y - b x alone.
fn pp_beta_fraction_f64(a: f64, b: f64, x: f64, y: f64, excess: f64) -> f64 {
    var d = (a + 1.0lf) / (excess + 1.0lf);
    var delta = d;
    var sum = vec2<f64>(d, 0.0lf);
    for (var k = 1; k < 1000; k = k + 1) {
        let n = f64(k);
        let twice = a + 2.0lf * n;
        let odd = twice - 1.0lf;
        let rest = (b - n) * x;
        let first = select(a + n - 1.0lf, 1.0lf, k == 1);
        let c = (first / odd) * ((a + b + n - 1.0lf) * x / odd) * (n * rest);
        let last = (a + n) / (twice + 1.0lf) * (excess + 1.0lf + n * (1.0lf + y));
        let below = n + n * rest / odd + last;
        let next = 1.0lf / (below + c * d);
        delta = -(c * d * next) * delta;
        d = next;
        sum = pp_dd_add_f64(sum, vec2<f64>(delta, 0.0lf));
        if (abs(delta) < 1e-17lf * abs(sum.x)) {
            break;
        }
    }
    return sum.x;
}

// I_x(a, b), or its complement, for positive, finite parameters and a point inside, and x^a y^b /
// B(a, b).
fn pp_beta_tail_f64(a0: f64, b0: f64, at0: vec4<f64>, complement0: bool) -> vec2<f64> {
    // The lower tail up to the mean.
    let point = min(a0, b0) >= 1e70lf;
    let quarter = select(1.0lf, 0.25lf, point);
    let excess0 = pp_beta_excess_f64(quarter * a0, quarter * b0, at0);
    let beyond = excess0.x > 0.0lf;
    let a = select(a0, b0, beyond);
    let b = select(b0, a0, beyond);
    let at = select(at0, at0.zwxy, beyond);
    let complement = complement0 != beyond;
    let x = at.x;
    let y = at.z;
    // a y - b x
    let excess = abs(excess0.x);
    let small_x = a <= 1.0lf && x <= 0.7lf && x * max(b, 1.0lf) <= 1.1lf;
    let small_y = b <= 1.0lf && y <= 0.7lf && y * max(a, 1.0lf) <= 1.1lf;
    if (point) {
        // All mass is at one point, as far as numbers of twice the precision can tell.
        let tail = select(0.0lf, 0.5lf, excess == 0.0lf);
        return vec2<f64>(select(tail, 1.0lf - tail, complement), 0.0lf);
    }
    let over = pp_beta_power_f64(a, b, at, 1.0lf);
    let power = a * over;
    var tail = 0.0lf;
    if ((complement && small_x) || small_y) {
        let first = complement && small_x;
        tail = pp_beta_small_upper_f64(select(b, a, first), select(a, b, first),
            select(y, x, first));
        if (first) {
            return vec2<f64>(tail, power);
        }
    } else if (over > 0.0lf && min(a, b) >= 30.0lf) {
        let linear = ((y - x) - excess) / y;
        tail = power * pp_tail_integral_f64(a - 1.0lf, b - 1.0lf, x / y, linear, 1.0lf) / y;
    } else if (over > 0.0lf) {
        tail = over * pp_beta_fraction_f64(a, b, x, y, excess);
    }
    return vec2<f64>(select(tail, 1.0lf - tail, complement), power);
}

// Whether it is a number in [0, 1].
fn pp_is_unit_f64(x: f64) -> bool {
    return x >= 0.0lf && x <= 1.0lf && !pp_is_nan_f64(x);
}

// The value of I where it is a limit or undefined, else -1.
fn pp_beta_edge_f64(a: f64, b: f64, x: f64) -> f64 {
    if (pp_is_nan_f64(a) || pp_is_nan_f64(b) || a < 0.0lf || b < 0.0lf || !pp_is_unit_f64(x)) {
        return pp_nan_f64();
    }
    // All mass at one end.
    let left = a == 0.0lf || pp_is_inf_f64(b);
    let right = b == 0.0lf || pp_is_inf_f64(a);
    if (left && right) {
        return pp_nan_f64();
    }
    if (x == 0.0lf) {
        return 0.0lf;
    }
    if (x == 1.0lf || left) {
        return 1.0lf;
    }
    return select(-1.0lf, 0.0lf, right);
}

fn pp_betainc_f64(a: f64, b: f64, x: f64) -> f64 {
    let edge = pp_beta_edge_f64(a, b, x);
    if (edge >= 0.0lf || pp_is_nan_f64(edge)) {
        return edge;
    }
    return pp_beta_tail_f64(a, b, pp_unit_point_f64(x), false).x;
}

// Whether both are positive, finite numbers.
fn pp_positive_pair_f64(a: f64, b: f64) -> bool {
    return a > 0.0lf && b > 0.0lf && pp_is_finite_f64(a) && pp_is_finite_f64(b);
}

fn pp_beta_density_f64(a: f64, b: f64, x: f64) -> f64 {
    if (!pp_positive_pair_f64(a, b) || !pp_is_unit_f64(x)) {
        return pp_nan_f64();
    }
    if (x == 0.0lf || x == 1.0lf) {
        // 1 / B(1, b) = b
        let near = select(b, a, x == 0.0lf);
        let far = select(a, b, x == 0.0lf);
        return select(select(0.0lf, far, near == 1.0lf), pp_inf_f64(), near < 1.0lf);
    }
    let at = pp_unit_point_f64(x);
    if (min(a, b) >= 1e70lf) {
        let excess = pp_beta_excess_f64(0.25lf * a, 0.25lf * b, at).x;
        return select(0.0lf, pp_inf_f64(), excess == 0.0lf);
    }
    return pp_beta_power_f64(a, b, at, a) / x / at.z;
}

// Newton's step for log tail = log target in the log of the unknown, from the tail and its
// derivative in that.
fn pp_quantile_step_f64(tail: f64, slope: f64, target_tail: f64) -> f64 {
    let relative = (tail - target_tail) / target_tail;
    // The difference of logarithms to full precision where the two are close.
    var gap = 0.0lf;
    if (abs(relative) < 0.5lf) {
        gap = pp_log1p_f64(relative);
    } else {
        gap = pp_log_f64(tail) - pp_log_f64(target_tail);
    }
    return clamp(-gap * (tail / slope), -700.0lf, 700.0lf);
}

// Whether the steps have ended, after one of this size and one before: what is left is below
// rounding, or it is the noise of the tail.
fn pp_quantile_settled_f64(size: f64, previous: f64) -> bool {
    // Each step is as the square of the one before.
    let left = size * (size / previous) * (size / previous);
    let square = previous < 1e-2lf && size < 1e-6lf && left < 1e-18lf;
    return square || size < 3e-16lf || (size < 1e-9lf && size >= 0.5lf * previous);
}

// The normal quantile of p <= 1/2, good to 4.5e-4: Abramowitz and Stegun 26.2.23.
fn pp_rough_quantile_f64(p: f64) -> f64 {
    let t = sqrt(-2.0lf * pp_log_f64(p));
    let top = 2.515517lf + t * (0.802853lf + t * 0.010328lf);
    return top / (1.0lf + t * (1.432788lf + t * (0.189269lf + t * 0.001308lf))) - t;
}

// The x with P(a, x) = p, or with Q(a, x) = p if `upper`; p is positive and at most one half or so.
fn pp_gamma_quantile_f64(a: f64, p: f64, upper: bool) -> f64 {
    var least = vec2<f64>(0.0lf, 0.0lf);
    if (a < 40.0lf) {
        // x^a / gamma(a + 1) is P where x is small, and an upper bound elsewhere.
        let one = pp_two_sum_f64(1.0lf, -p);
        let log = pp_dd_log_f64(select(vec2<f64>(p, 0.0lf), one, upper));
        var gamma = vec2<f64>(pp_lgamma1p_f64(min(a, 1.0lf)), 0.0lf);
        if (a > 1.0lf) {
            gamma = pp_dd_lgamma_f64(a + 1.0lf);
        }
        least = pp_dd_div_f64(pp_dd_add_f64(log, gamma), vec2<f64>(a, 0.0lf));
        if (least.x < -40.0lf) {
            return pp_dd_exp_f64(least);
        }
    }
    // Wilson and Hilferty's cube.
    let z = select(1.0lf, -1.0lf, upper) * pp_rough_quantile_f64(p);
    let cube = 1.0lf - 1.0lf / (9.0lf * a) + z / (3.0lf * sqrt(a));
    var x = a * cube * cube * cube;
    if (!(cube > 0.0lf && a >= 0.5lf)) {
        x = max(a, 1e-3lf);
        if (!upper) {
            x = pp_exp_f64(least.x);
        }
    }
    x = max(x, 2.2250738585072014e-308lf);
    var start = max(a, 2.2250738585072014e-308lf);
    var size = pp_log_f64(x / start);
    var previous = 1e300lf;
    for (var k = 0; k < 100; k = k + 1) {
        let tail = pp_gamma_tail_f64(a, x, upper);
        if (!(tail.x > 0.0lf) || tail.y == 0.0lf) {
            // Where the tail vanishes there is no slope: come back.
            size = 0.5lf * size;
            x = start + start * pp_expm1_f64(size);
            continue;
        }
        start = x;
        size = pp_quantile_step_f64(tail.x, select(tail.y, -tail.y, upper), p);
        x = max(start + start * pp_expm1_f64(size), 4.9406564584124654e-324lf);
        if (pp_quantile_settled_f64(abs(size), previous)) {
            break;
        }
        previous = abs(size);
    }
    return x;
}

fn pp_gammaincinv_f64(a: f64, p: f64) -> f64 {
    if (pp_is_nan_f64(a) || a < 0.0lf || pp_is_inf_f64(a) || !pp_is_unit_f64(p)) {
        return pp_nan_f64();
    }
    if (a == 0.0lf || p == 0.0lf) {
        return 0.0lf;
    }
    if (p == 1.0lf) {
        return pp_inf_f64();
    }
    // The complement of more than a half is exact.
    let upper = p > 0.5lf;
    return pp_gamma_quantile_f64(a, select(p, 1.0lf - p, upper), upper);
}

fn pp_gammainccinv_f64(a: f64, q: f64) -> f64 {
    if (pp_is_nan_f64(a) || a < 0.0lf || pp_is_inf_f64(a) || !pp_is_unit_f64(q)) {
        return pp_nan_f64();
    }
    if (a == 0.0lf || q == 1.0lf) {
        return 0.0lf;
    }
    if (q == 0.0lf) {
        return pp_inf_f64();
    }
    let upper = q <= 0.5lf;
    return pp_gamma_quantile_f64(a, select(1.0lf - q, q, upper), upper);
}

// The point with x / (1 - x) = odds.
fn pp_odds_point_f64(odds: f64) -> vec4<f64> {
    let sum = pp_two_sum_f64(1.0lf, odds);
    return vec4<f64>(pp_dd_div_f64(vec2<f64>(odds, 0.0lf), sum),
        pp_dd_div_f64(vec2<f64>(1.0lf, 0.0lf), sum));
}

fn pp_betaincinv_f64(a0: f64, b0: f64, p: f64) -> f64 {
    if (!pp_positive_pair_f64(a0, b0) || !pp_is_unit_f64(p)) {
        return pp_nan_f64();
    }
    if (p == 0.0lf || p == 1.0lf) {
        return p;
    }
    // Mirrored, the tail is a lower one in either case.
    let complement = p > 0.5lf;
    let tail_target = select(p, 1.0lf - p, complement);
    let a = select(a0, b0, complement);
    let b = select(b0, a0, complement);
    // Where b >= 1, I_x <= x^a / (a B(a, b)), which is sharp for small x.
    let scale = pp_log_f64(a) + pp_betaln_f64(a, b);
    let least = (pp_log_f64(tail_target) + scale) / a;
    if (least < -700.0lf) {
        let value = pp_exp_f64(least);
        return select(value, 1.0lf - value, complement);
    }
    var start = clamp(a / b, 1e-300lf, 1e300lf);
    var odds = pp_exp_f64(least);
    if (!(odds < 0.1lf * a / (a + b))) {
        odds = start;
    }
    var size = pp_log_f64(odds / start);
    var previous = 1e300lf;
    for (var k = 0; k < 100; k = k + 1) {
        let tail = pp_beta_tail_f64(a, b, pp_odds_point_f64(odds), false);
        if (!(tail.x > 0.0lf) || tail.y == 0.0lf) {
            size = 0.5lf * size;
            odds = start + start * pp_expm1_f64(size);
            continue;
        }
        start = odds;
        size = pp_quantile_step_f64(tail.x, tail.y, tail_target);
        odds = clamp(start + start * pp_expm1_f64(size), 1e-307lf, 1e307lf);
        if (pp_quantile_settled_f64(abs(size), previous)) {
            break;
        }
        previous = abs(size);
    }
    // Closer to an end than any number.
    let at = pp_odds_point_f64(odds);
    let value = select(at.x, at.z, complement);
    let past = odds <= 1e-307lf || odds >= 1e307lf;
    return select(value, select(0.0lf, 1.0lf, (odds > 1.0lf) != complement), past);
}
