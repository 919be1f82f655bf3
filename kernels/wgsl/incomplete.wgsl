// The incomplete gamma and beta functions in f32, their densities and inverses: the methods of the
// crate probpipe-special with fewer digits. Series DLMF 8.11.4, fractions 8.9.2 and 8.17.22, Gauss's
// rule for large parameters, and W. Gautschi's difference of small terms, ACM TOMS 5 (1979) 466.
//
// A point of the unit interval comes with its distance from one, both as sums: (x, low part, y, low
// part). Taylor series of order 3 in a parameter are in taylor.wgsl.

// log(x/a) - (x/a - 1) for positive x and a.
fn pp_dd_log_ratio_less(x: f32, a: f32) -> vec2<f32> {
    if (x < 1e-30 || a > 1e7 * x) {
        // The ratio itself would be lost.
        let log = pp_dd_add(pp_dd_log(vec2<f32>(x, 0.0)), -pp_dd_log(vec2<f32>(a, 0.0)));
        return pp_dd_add(log, vec2<f32>(1.0, -x / a));
    }
    // Beyond 1000, e^-999 is zero even once.
    return pp_dd_log1p_less(pp_dd_div(pp_two_sum(min(x, 1e3 * a), -a), vec2<f32>(a, 0.0)));
}

// log(x^a e^-x / gamma(a)) for positive, finite a and x; far below zero it may be anything there.
fn pp_gamma_exponent(a: f32, x: f32) -> vec2<f32> {
    let log_a = pp_dd_log(vec2<f32>(a, 0.0));
    if (a < 1.0) {
        let log = pp_dd_times(pp_dd_log(vec2<f32>(x, 0.0)), a);
        return pp_dd_add(pp_dd_add(log, log_a), pp_two_sum(-min(x, 1e4), -pp_lgamma1p(a)));
    }
    // sqrt(a / 2 pi) e^-stirling(a) e^(a (log(x/a) - (x/a - 1)))
    let less = pp_dd_log_ratio_less(x, a);
    if (a * less.x < -300.0) {
        return vec2<f32>(-1000.0, 0.0);
    }
    let factor = pp_dd_add(0.5 * log_a, pp_two_sum(-0.9189385, -pp_stirling(a)));
    return pp_dd_add(factor, pp_dd_times(less, a));
}

// Where h(s) = a L(-s) + b L(r s) + linear s with L(s) = log(1 + s) - s, which is concave and zero at
// 0, falls below -20; inside of `most` in any case.
fn pp_tail_end(a: f32, b: f32, r: f32, linear: f32, most: f32) -> f32 {
    let curvature = a + b * r * r;
    let root = sqrt(linear * linear + 40.0 * curvature);
    let inside = 0.999 * most;
    var end = min(select((root + linear) / curvature, 40.0 / (root - linear), linear < 0.0), inside);
    for (var i = 0; i < 4; i = i + 1) {
        var h = linear * end;
        var slope = linear;
        if (a > 0.0) {
            h = h + a * pp_log1p_less(-end);
            slope = slope - a * end / (1.0 - end);
        }
        if (b > 0.0) {
            h = h + b * pp_log1p_less(r * end);
            slope = slope - b * r * r * end / (1.0 + r * end);
        }
        end = min(end - (20.0 + h) / slope, inside);
    }
    return end;
}

// The integral from 0 to infinity, or to `most`, of e^h with the h of pp_tail_end, where it is cut.
fn pp_tail_integral(a: f32, b: f32, r: f32, linear: f32, most: f32) -> f32 {
    let end = pp_tail_end(a, b, r, linear, most);
    var sum = 0.0;
    for (var i = 0; i < 16; i = i + 1) {
        let rule = pp_gauss(i);
        let s = end * (0.5 + 0.5 * rule.x);
        var h = linear * s;
        if (a > 0.0) {
            h = h + a * pp_log1p_less(-s);
        }
        if (b > 0.0) {
            h = h + b * pp_log1p_less(r * s);
        }
        sum = sum + rule.y * pp_exp(h);
    }
    return 0.5 * end * sum;
}

// sum over n >= 0 of x^n / ((a + 1) .. (a + n)).
fn pp_gamma_series(a: f32, x: f32) -> f32 {
    var term = 1.0;
    var sum = vec2<f32>(1.0, 0.0);
    for (var n = 1; n < 300; n = n + 1) {
        term = term * (x / (a + f32(n)));
        sum = pp_dd_add(sum, vec2<f32>(term, 0.0));
        if (term < 1e-9 * sum.x) {
            break;
        }
    }
    return sum.x;
}

// The continued fraction of gamma(a, x) / (x^a e^-x), by Steed's method: the sum of the differences
// of its convergents.
fn pp_gamma_fraction(a: f32, x: f32) -> f32 {
    var b = (x - a) + 1.0;
    var d = 1.0 / b;
    var delta = d;
    var sum = vec2<f32>(d, 0.0);
    for (var n = 1; n < 300; n = n + 1) {
        let m = f32(n);
        let c = m * (a - m);
        b = b + 2.0;
        let next = 1.0 / (b + c * d);
        delta = -(c * d * next) * delta;
        d = next;
        sum = pp_dd_add(sum, vec2<f32>(delta, 0.0));
        if (abs(delta) < 1e-9 * sum.x) {
            break;
        }
    }
    return sum.x;
}

// Q for a <= 1 and x <= 0.6: 1 - x^a / gamma(a + 1) is one of two terms.
fn pp_gamma_small_upper(a: f32, x: f32) -> f32 {
    let exponent = a * pp_log(x) - pp_lgamma1p(a);
    var term = 1.0;
    var sum = 0.0;
    for (var k = 1; k < 11; k = k + 1) {
        let n = f32(k);
        term = term * (-x / n);
        sum = sum + term / (a + n);
    }
    return -pp_expm1(exponent) - pp_exp(exponent) * a * sum;
}

// P, or Q if `upper`, for positive and finite a and x.
fn pp_gamma_tail(a: f32, x: f32, upper: bool) -> f32 {
    var tail = 0.0;
    var is_upper = x >= a;
    if (a >= 1e30) {
        // All mass is at one point.
        tail = select(0.0, 0.5, x == a);
    } else if (upper && a <= 1.0 && x <= 0.6) {
        return pp_gamma_small_upper(a, x);
    } else {
        var exponent = pp_gamma_exponent(a, x);
        if (a < 30.0) {
            is_upper = is_upper && x > select(1.1, 0.6, upper);
            if (!is_upper) {
                // over a
                exponent = pp_dd_add(exponent, -pp_dd_log(vec2<f32>(a, 0.0)));
            }
        }
        let power = pp_dd_exp(exponent);
        if (power > 0.0) {
            if (a >= 30.0) {
                let less = a - 1.0;
                let linear = -abs(x - a) + select(1.0, -1.0, is_upper);
                let integral = pp_tail_integral(select(less, 0.0, is_upper),
                    select(0.0, less, is_upper), 1.0, linear, select(1.0, 1e38, is_upper));
                tail = power * integral;
            } else if (is_upper) {
                tail = power * pp_gamma_fraction(a, x);
            } else {
                tail = power * pp_gamma_series(a, x);
            }
        }
    }
    return select(1.0 - tail, tail, is_upper == upper);
}

// The value of P where it is a limit or undefined, else -1.
fn pp_gamma_edge(a: f32, x: f32) -> f32 {
    if (pp_is_nan(a) || pp_is_nan(x) || a < 0.0 || x < 0.0) {
        return pp_nan();
    }
    if (a == 0.0) {
        return select(1.0, pp_nan(), x == 0.0);
    }
    if (pp_is_inf(a)) {
        return select(0.0, pp_nan(), pp_is_inf(x));
    }
    if (x == 0.0) {
        return 0.0;
    }
    return select(-1.0, 1.0, pp_is_inf(x));
}

fn pp_gammainc(a: f32, x: f32) -> f32 {
    let edge = pp_gamma_edge(a, x);
    if (edge >= 0.0 || pp_is_nan(edge)) {
        return edge;
    }
    return pp_gamma_tail(a, x, false);
}

fn pp_gammaincc(a: f32, x: f32) -> f32 {
    let edge = pp_gamma_edge(a, x);
    if (edge >= 0.0 || pp_is_nan(edge)) {
        return 1.0 - edge;
    }
    return pp_gamma_tail(a, x, true);
}

fn pp_gamma_density(a: f32, x: f32) -> f32 {
    if (pp_is_nan(a) || pp_is_nan(x) || a < 0.0 || x < 0.0 || pp_is_inf(a)) {
        return pp_nan();
    }
    if (pp_is_inf(x) || a == 0.0) {
        return 0.0;
    }
    if (x == 0.0) {
        return select(select(0.0, 1.0, a == 1.0), pp_inf(), a < 1.0);
    }
    let exponent = pp_gamma_exponent(a, x);
    return pp_dd_exp(pp_dd_add(exponent, -pp_dd_log(vec2<f32>(x, 0.0))));
}

// A point of the unit interval, exactly.
fn pp_unit_point(x: f32) -> vec4<f32> {
    return vec4<f32>(x, 0.0, pp_two_sum(1.0, -x));
}

// b x - a y, which is zero at the mean a/(a + b).
fn pp_beta_excess(a: f32, b: f32, at: vec4<f32>) -> vec2<f32> {
    return pp_dd_add(pp_dd_times(at.xy, b), -pp_dd_times(at.zw, a));
}

// log(1 + u) - u for u = excess/a = (x (a + b) - a)/a, given log x + log((a + b)/a) in three parts
// for where u is close to -1.
fn pp_beta_less(u: vec2<f32>, x: vec2<f32>, sum: vec2<f32>, a: f32) -> vec2<f32> {
    if (u.x > -0.9) {
        return pp_dd_log1p_less(u);
    }
    let ratio = pp_dd_add(pp_dd_log(sum), -pp_dd_log(vec2<f32>(a, 0.0)));
    return pp_dd_add(pp_dd_add(pp_dd_log(x), ratio), -u);
}

// log(x^a y^b / B(a, b)) for positive, finite parameters and a point inside; far below zero it may
// be anything there.
fn pp_beta_exponent(a0: f32, b0: f32, at0: vec4<f32>) -> vec2<f32> {
    // A parameter below one is the first.
    let swap = b0 < a0;
    let a = select(a0, b0, swap);
    let b = select(b0, a0, swap);
    let at = select(at0, at0.zwxy, swap);
    let log_a = pp_dd_log(vec2<f32>(a, 0.0));
    let sum = pp_two_sum(a, b);
    if (b < 1.0) {
        // a log x + b log y + log(a b) - log gamma(1 + a) - log gamma(1 + b) + log gamma(a + b)
        let left = pp_dd_times(pp_dd_log(at.xy), a);
        let right = pp_dd_times(pp_dd_log(at.zw), b);
        let powers = pp_dd_add(pp_dd_add(left, right), pp_dd_log(vec2<f32>(b, 0.0)));
        let above = sum.x > 1.0;
        let whole = pp_lgamma1p(select(sum.x, sum.x - 1.0, above));
        let log_sum = select(pp_dd_log(sum), vec2<f32>(0.0, 0.0), above);
        let rest = pp_two_sum(whole - pp_lgamma1p(b), -pp_lgamma1p(a));
        return pp_dd_add(pp_dd_add(powers, log_a), pp_dd_add(rest, -log_sum));
    }
    let excess = pp_beta_excess(a, b, at);
    let right = pp_beta_less(pp_dd_div(-excess, vec2<f32>(b, 0.0)), at.zw, sum, b);
    let change = pp_stirling(sum.x) - pp_stirling(b);
    if (a < 1.0) {
        // a log(x (a + b)) - x (a + b) + b (log(1 + v) - v) with v = y (a + b)/b - 1
        if (b * right.x < -300.0 || at.x * sum.x > 1e4) {
            return vec2<f32>(-1000.0, 0.0);
        }
        let place = pp_dd_mul(at.xy, sum);
        let log_place = pp_dd_add(pp_dd_log(at.xy), pp_dd_log(sum));
        let left = pp_dd_add(pp_dd_times(log_place, a), -place);
        let rest = pp_two_sum(change - pp_lgamma1p(a), -0.5 * pp_log1p(a / b));
        return pp_dd_add(pp_dd_add(left, pp_dd_times(right, b)), pp_dd_add(log_a, rest));
    }
    // Relative to the mean: a log(x (a + b)/a) + b log(y (a + b)/b), whose linear parts cancel,
    // with log sqrt(a b / (2 pi (a + b))) and Stirling's corrections.
    let left = pp_beta_less(pp_dd_div(excess, vec2<f32>(a, 0.0)), at.xy, sum, a);
    if (a * left.x + b * right.x < -300.0) {
        return vec2<f32>(-1000.0, 0.0);
    }
    let exponent = pp_dd_add(pp_dd_times(left, a), pp_dd_times(right, b));
    let scale = pp_dd_add(log_a, pp_dd_add(pp_dd_log(vec2<f32>(b, 0.0)), -pp_dd_log(sum)));
    let rest = pp_two_sum(-0.9189385, change - pp_stirling(a));
    return pp_dd_add(exponent, pp_dd_add(0.5 * scale, rest));
}

// 1 - I_x(a, b) for a <= 1 and small x max(b, 1): a difference of two small terms.
fn pp_beta_small_upper(a: f32, b: f32, x: f32) -> f32 {
    // log w of w = x^a / (a B(a, b))
    let log = a * pp_log(x * (a + b)) + (pp_lgamma_excess(b, a) - pp_lgamma1p(a));
    var term = 1.0;
    var sum = 0.0;
    for (var k = 1; k < 100; k = k + 1) {
        let n = f32(k);
        term = term * ((n - b) * (x / n));
        let next = term / (a + n);
        sum = sum + next;
        if (abs(next) <= 1e-9 * abs(sum)) {
            break;
        }
    }
    return -pp_expm1(log) - pp_exp(log) * a * sum;
}

// I_x(a, b) a B(a, b) / (x^a y^b) for x up to the mean, by Steed's method on the even part of the
// fraction DLMF 8.17.22; what is lost next to one shows through `excess` = a y - b x alone.
fn pp_beta_fraction(a: f32, b: f32, x: f32, y: f32, excess: f32) -> f32 {
    var d = (a + 1.0) / (excess + 1.0);
    var delta = d;
    var sum = vec2<f32>(d, 0.0);
    for (var k = 1; k < 400; k = k + 1) {
        let n = f32(k);
        let twice = a + 2.0 * n;
        let odd = twice - 1.0;
        let rest = (b - n) * x;
        let first = select(a + n - 1.0, 1.0, k == 1);
        let c = (first / odd) * ((a + b + n - 1.0) * x / odd) * (n * rest);
        let last = (a + n) / (twice + 1.0) * (excess + 1.0 + n * (1.0 + y));
        let below = n + n * rest / odd + last;
        let next = 1.0 / (below + c * d);
        delta = -(c * d * next) * delta;
        d = next;
        sum = pp_dd_add(sum, vec2<f32>(delta, 0.0));
        if (abs(delta) < 1e-9 * abs(sum.x)) {
            break;
        }
    }
    return sum.x;
}

// I_x(a, b), or its complement, for positive, finite parameters and a point inside.
fn pp_beta_tail(a0: f32, b0: f32, at0: vec4<f32>, complement0: bool) -> f32 {
    // The lower tail up to the mean.
    let excess0 = pp_beta_excess(a0, b0, at0);
    let beyond = excess0.x > 0.0;
    let a = select(a0, b0, beyond);
    let b = select(b0, a0, beyond);
    let at = select(at0, at0.zwxy, beyond);
    let complement = complement0 != beyond;
    let x = at.x;
    let y = at.z;
    // a y - b x
    let excess = abs(excess0.x);
    let small_x = a <= 1.0 && x * max(b, 1.0) <= 0.6;
    let small_y = b <= 1.0 && y * max(a, 1.0) <= 0.6;
    var tail = 0.0;
    if (min(a, b) >= 1e16) {
        // All mass is at one point.
        tail = select(0.0, 0.5, excess == 0.0);
    } else if ((complement && small_x) || small_y) {
        let first = complement && small_x;
        tail = pp_beta_small_upper(select(b, a, first), select(a, b, first), select(y, x, first));
        if (first) {
            return tail;
        }
    } else {
        let integrated = min(a, b) >= 30.0;
        var exponent = pp_beta_exponent(a, b, at);
        if (!integrated) {
            exponent = pp_dd_add(exponent, -pp_dd_log(vec2<f32>(a, 0.0)));
        }
        let power = pp_dd_exp(exponent);
        if (power > 0.0 && integrated) {
            let linear = ((y - x) - excess) / y;
            tail = power * pp_tail_integral(a - 1.0, b - 1.0, x / y, linear, 1.0) / y;
        } else if (power > 0.0) {
            tail = power * pp_beta_fraction(a, b, x, y, excess);
        }
    }
    return select(tail, 1.0 - tail, complement);
}

// The value of I where it is a limit or undefined, else -1.
fn pp_beta_edge(a: f32, b: f32, x: f32) -> f32 {
    if (pp_is_nan(a) || pp_is_nan(b) || pp_is_nan(x) || a < 0.0 || b < 0.0 || x < 0.0 || x > 1.0) {
        return pp_nan();
    }
    // All mass at one end.
    let left = a == 0.0 || pp_is_inf(b);
    let right = b == 0.0 || pp_is_inf(a);
    if (left && right) {
        return pp_nan();
    }
    if (x == 0.0) {
        return 0.0;
    }
    if (x == 1.0 || left) {
        return 1.0;
    }
    return select(-1.0, 0.0, right);
}

fn pp_betainc(a: f32, b: f32, x: f32) -> f32 {
    let edge = pp_beta_edge(a, b, x);
    if (edge >= 0.0 || pp_is_nan(edge)) {
        return edge;
    }
    return pp_beta_tail(a, b, pp_unit_point(x), false);
}

fn pp_beta_density(a: f32, b: f32, x: f32) -> f32 {
    let inside = a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0;
    if (!inside || pp_is_nan(a) || pp_is_nan(b) || pp_is_nan(x) || pp_is_inf(a) || pp_is_inf(b)) {
        return pp_nan();
    }
    if (x == 0.0 || x == 1.0) {
        // 1 / B(1, b) = b
        let near = select(b, a, x == 0.0);
        let far = select(a, b, x == 0.0);
        return select(select(0.0, far, near == 1.0), pp_inf(), near < 1.0);
    }
    let at = pp_unit_point(x);
    if (min(a, b) >= 1e16 && pp_beta_excess(a, b, at).x != 0.0) {
        return 0.0;
    }
    let logs = pp_dd_add(pp_dd_log(at.xy), pp_dd_log(at.zw));
    return pp_dd_exp(pp_dd_add(pp_beta_exponent(a, b, at), -logs));
}

// Newton's step for log tail = log target in the log of the unknown, from the tail and its
// derivative in that.
fn pp_quantile_step(tail: f32, slope: f32, target_tail: f32) -> f32 {
    let relative = (tail - target_tail) / target_tail;
    let far = pp_log(tail) - pp_log(target_tail);
    let gap = select(far, pp_log1p(clamp(relative, -0.9, 1.0)), abs(relative) < 0.5);
    return clamp(-gap * (tail / slope), -60.0, 60.0);
}

// The normal quantile of p <= 1/2, good to 4.5e-4: Abramowitz and Stegun 26.2.23.
fn pp_rough_quantile(p: f32) -> f32 {
    let t = sqrt(-2.0 * pp_log(p));
    let top = 2.515517 + t * (0.802853 + t * 0.010328);
    return top / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
}

// The x with P(a, x) = p, or with Q(a, x) = p if `upper`; p is positive and at most one half or so.
fn pp_gamma_quantile(a: f32, p: f32, upper: bool) -> f32 {
    if (a < 20.0) {
        // x^a / gamma(a + 1) is P where x is small, and an upper bound elsewhere.
        let log = pp_dd_log(select(vec2<f32>(p, 0.0), pp_two_sum(1.0, -p), upper));
        var gamma = vec2<f32>(pp_lgamma1p(min(a, 1.0)), 0.0);
        if (a > 1.0) {
            gamma = pp_dd_lgamma(a + 1.0);
        }
        let least = pp_dd_div(pp_dd_add(log, gamma), vec2<f32>(a, 0.0));
        if (least.x < -18.0) {
            return pp_dd_exp(least);
        }
    }
    // Wilson and Hilferty's cube.
    let z = select(1.0, -1.0, upper) * pp_rough_quantile(p);
    let cube = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * sqrt(a));
    var x = a * cube * cube * cube;
    if (!(cube > 0.0 && a >= 0.5)) {
        // Q is at most a e^-x / x for small a.
        x = max(max(a, 1e-3), pp_log(max(a / p, 1.0)));
        if (!upper) {
            x = pp_exp((pp_log(p) + pp_lgamma_positive(a + 1.0)) / a);
        }
    }
    x = max(x, 1.2e-38);
    var start = max(a, 1.2e-38);
    var size = pp_log(x / start);
    var previous = 100.0;
    for (var k = 0; k < 100; k = k + 1) {
        let tail = pp_gamma_tail(a, x, upper);
        let slope = pp_dd_exp(pp_gamma_exponent(a, x)) * select(1.0, -1.0, upper);
        if (!(tail > 0.0) || slope == 0.0) {
            // Where the tail vanishes there is no slope: come back.
            size = 0.5 * size;
            x = start + start * pp_expm1(size);
            continue;
        }
        start = x;
        size = pp_quantile_step(tail, slope, p);
        x = max(start + start * pp_expm1(size), 1.2e-38);
        // Converged, or at the noise of the tail.
        if (abs(size) < 3e-8 || (abs(size) < 1e-4 && abs(size) >= 0.5 * previous)) {
            break;
        }
        previous = abs(size);
    }
    return x;
}

fn pp_gammaincinv(a: f32, p: f32) -> f32 {
    if (!(a >= 0.0 && p >= 0.0 && p <= 1.0) || pp_is_inf(a) || pp_is_nan(a) || pp_is_nan(p)) {
        return pp_nan();
    }
    if (a == 0.0 || p == 0.0) {
        return 0.0;
    }
    if (p == 1.0) {
        return pp_inf();
    }
    // The complement of more than a half is exact.
    let upper = p > 0.5;
    return pp_gamma_quantile(a, select(p, 1.0 - p, upper), upper);
}

fn pp_gammainccinv(a: f32, q: f32) -> f32 {
    if (!(a >= 0.0 && q >= 0.0 && q <= 1.0) || pp_is_inf(a) || pp_is_nan(a) || pp_is_nan(q)) {
        return pp_nan();
    }
    if (a == 0.0 || q == 1.0) {
        return 0.0;
    }
    if (q == 0.0) {
        return pp_inf();
    }
    let upper = q <= 0.5;
    return pp_gamma_quantile(a, select(1.0 - q, q, upper), upper);
}

// The point with x / (1 - x) = odds.
fn pp_odds_point(odds: f32) -> vec4<f32> {
    // The nearer end is exact.
    let o = vec2<f32>(min(odds, 1e37), 0.0);
    let sum = pp_two_sum(1.0, o.x);
    return vec4<f32>(pp_dd_div(o, sum), pp_dd_div(vec2<f32>(1.0, 0.0), sum));
}

fn pp_betaincinv(a0: f32, b0: f32, p: f32) -> f32 {
    if (!(a0 > 0.0 && b0 > 0.0 && p >= 0.0 && p <= 1.0) || pp_is_inf(a0) || pp_is_inf(b0)
        || pp_is_nan(a0) || pp_is_nan(b0) || pp_is_nan(p)) {
        return pp_nan();
    }
    if (p == 0.0 || p == 1.0) {
        return p;
    }
    // Mirrored, the tail is a lower one in either case.
    let complement = p > 0.5;
    let tail_target = select(p, 1.0 - p, complement);
    let a = select(a0, b0, complement);
    let b = select(b0, a0, complement);
    // Where b >= 1, I_x <= x^a / (a B(a, b)), which is sharp for small x.
    var log_scale = pp_log(a) + pp_betaln(a, b);
    if (a < 1.0) {
        log_scale = pp_lgamma1p(a) - pp_lgamma_excess(b, a) - a * pp_log(a + b);
    }
    let log_target = pp_dd_log(vec2<f32>(tail_target, 0.0));
    let least = pp_dd_div(pp_dd_add(log_target, vec2<f32>(log_scale, 0.0)), vec2<f32>(a, 0.0));
    var odds = pp_dd_exp(least);
    let direct = odds * max(b, 1.0) < 1e-8;
    var start = clamp(a / b, 1e-36, 1e36);
    if (!direct) {
        odds = clamp(odds, 1.2e-38, start);
    }
    var size = pp_log(odds / start);
    var previous = 100.0;
    for (var k = 0; k < 100; k = k + 1) {
        if (direct) {
            break;
        }
        let at = pp_odds_point(odds);
        let tail = pp_beta_tail(a, b, at, false);
        let slope = pp_dd_exp(pp_beta_exponent(a, b, at));
        if (!(tail > 0.0) || slope == 0.0) {
            size = 0.5 * size;
            odds = start + start * pp_expm1(size);
            continue;
        }
        start = odds;
        size = pp_quantile_step(tail, slope, tail_target);
        odds = clamp(start + start * pp_expm1(size), 1.2e-38, 1e37);
        if (abs(size) < 3e-8 || (abs(size) < 1e-4 && abs(size) >= 0.5 * previous)) {
            break;
        }
        previous = abs(size);
    }
    let at = pp_odds_point(odds);
    let value = select(at.x, at.z, complement);
    return select(value, select(0.0, 1.0, complement), odds <= 1.2e-38);
}
