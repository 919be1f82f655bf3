// Derivatives in parameters in double precision, as in taylor.wgsl: the algorithms of
// f64_gamma.wgsl and f64_incomplete.wgsl on polynomials of degree 3 in a variable u, whose
// coefficients are those of Taylor's series. For two parameters they are beside those of v, the
// first power of another variable: the columns of a matrix. Orders are constants where these are
// called, so that compilers can leave out what they do not ask for.

fn pp_ts_mul_f64(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    return vec4<f64>(a.x * b.x, a.x * b.y + a.y * b.x, a.x * b.z + a.y * b.y + a.z * b.x,
        a.x * b.w + a.y * b.z + a.z * b.y + a.w * b.x);
}

fn pp_ts_div_f64(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    let r = 1.0lf / b.x;
    let x = a.x * r;
    let y = (a.y - x * b.y) * r;
    let z = (a.z - x * b.z - y * b.y) * r;
    return vec4<f64>(x, y, z, (a.w - x * b.w - y * b.z - z * b.y) * r);
}

// e^h of a polynomial without a constant.
fn pp_ts_exp_f64(h: vec4<f64>) -> vec4<f64> {
    return vec4<f64>(1.0lf, h.y, h.z + 0.5lf * h.y * h.y,
        h.w + h.y * (h.z + h.y * h.y * 0.16666666666666666lf));
}

// The parameter itself, at x.
fn pp_ts_at_f64(x: f64, direction: f64) -> vec4<f64> {
    return vec4<f64>(x, direction, 0.0lf, 0.0lf);
}

fn pp_ts_add_f64(a: vec4<f64>, x: f64) -> vec4<f64> {
    return vec4<f64>(a.x + x, a.yzw);
}

// The derivative of an order.
fn pp_ts_order_f64(a: vec4<f64>, order: i32) -> f64 {
    let low = select(a.x, a.y, order == 1);
    return select(select(low, 2.0lf * a.z, order == 2), 6.0lf * a.w, order == 3);
}

// digamma for x > 0, to full precision relative to one.
fn pp_digamma_positive_f64(x: f64) -> f64 {
    return pp_log_f64(x) - pp_log_minus_digamma_f64(x);
}

// The first and the second derivative of digamma at x > 0, as pp_stirling_f64.
fn pp_digamma_slopes_f64(x: f64) -> vec2<f64> {
    let below = x < 1.0lf;
    let z = 1.0lf / select(x, x + 1.0lf, below);
    let t = z * z;
    let first_num = 0.16666666666666666lf + t * (5.6827147818766015lf + t * (69.84934004307114lf
        + t * (399.0507388305846lf + t * (1140.6103732487472lf + t * (1636.5516241309056lf
        + t * (1121.0001646562903lf + t * (324.6658982120016lf + t * (30.29484274311582lf
        + t * 0.3852566833073489lf))))))));
    let first_den = 1.0lf + t * (34.29628869125961lf + t * (425.812440853822lf
        + t * (2474.767451340884lf + t * (7284.190093437672lf + t * (10993.701493598388lf
        + t * (8230.630877206719lf + t * (2804.6583499663016lf + t * (363.00837538120754lf
        + t * 11.442151381618968lf))))))));
    let second_num = 0.5lf + t * (18.4359613932132lf + t * (245.62707241971455lf
        + t * (1523.6563941551296lf + t * (4731.835003513971lf + t * (7369.991414322227lf
        + t * (5463.641047605988lf + t * (1702.9623285887292lf + t * (169.50915214755173lf
        + t * 2.2684896379228254lf))))))));
    let second_den = 1.0lf + t * (37.20525611975973lf + t * (503.32256354601833lf
        + t * (3203.285224116908lf + t * (10384.314048082279lf + t * (17380.22477243671lf
        + t * (14552.202760432012lf + t * (5606.120083763557lf + t * (832.3927136798059lf
        + t * 30.74575923950353lf))))))));
    let first = z + t * (0.5lf + z * (first_num / first_den));
    let second = -t * (1.0lf + z + t * (second_num / second_den));
    let r = 1.0lf / x;
    let added = vec2<f64>(r * r, -2.0lf * r * r * r);
    return vec2<f64>(first, second) + select(vec2<f64>(0.0lf, 0.0lf), added, below);
}

// Whether the last part of a sum no longer shows in a coefficient up to that of the order.
fn pp_ts_settled_f64(delta: vec4<f64>, sum: vec4<f64>, order: i32) -> bool {
    let small = abs(delta) <= 1e-17lf * abs(sum);
    return small.x && small.y && (small.z || order < 2) && (small.w || order < 3);
}

fn pp_tp_mul_f64(a: mat2x4<f64>, b: mat2x4<f64>) -> mat2x4<f64> {
    return mat2x4<f64>(pp_ts_mul_f64(a[0], b[0]),
        pp_ts_mul_f64(a[0], b[1]) + pp_ts_mul_f64(a[1], b[0]));
}

fn pp_tp_div_f64(a: mat2x4<f64>, b: mat2x4<f64>) -> mat2x4<f64> {
    let one = vec4<f64>(1.0lf, 0.0lf, 0.0lf, 0.0lf);
    let r = pp_ts_div_f64(one, b[0]);
    let q = pp_ts_mul_f64(a[0], r);
    return mat2x4<f64>(q, pp_ts_mul_f64(a[1] - pp_ts_mul_f64(q, b[1]), r));
}

// e^h without a constant.
fn pp_tp_exp_f64(h: mat2x4<f64>) -> mat2x4<f64> {
    let e = pp_ts_exp_f64(h[0]);
    return mat2x4<f64>(e, pp_ts_mul_f64(e, h[1]));
}

// x + u d.x + v d.y.
fn pp_tp_at_f64(x: f64, d: vec2<f64>) -> mat2x4<f64> {
    return mat2x4<f64>(vec4<f64>(x, d.x, 0.0lf, 0.0lf), vec4<f64>(d.y, 0.0lf, 0.0lf, 0.0lf));
}

fn pp_tp_add_f64(a: mat2x4<f64>, x: f64) -> mat2x4<f64> {
    return mat2x4<f64>(pp_ts_add_f64(a[0], x), a[1]);
}

// log gamma(x + u d.x + v d.y), less the constant and the linear parts.
fn pp_tp_lgamma_f64(x: f64, d: vec2<f64>) -> mat2x4<f64> {
    let slopes = pp_digamma_slopes_f64(x);
    let two = 0.5lf * slopes.x;
    let three = 0.16666666666666666lf * slopes.y;
    return mat2x4<f64>(vec4<f64>(0.0lf, 0.0lf, two * d.x * d.x, three * d.x * d.x * d.x),
        vec4<f64>(0.0lf, 2.0lf * two * d.x * d.y, 3.0lf * three * d.x * d.x * d.y, 0.0lf));
}

fn pp_tp_settled_f64(delta: mat2x4<f64>, sum: mat2x4<f64>, order: i32, mixed: bool) -> bool {
    let first = pp_ts_settled_f64(delta[0], sum[0], order);
    return first && (!mixed || pp_ts_settled_f64(delta[1], sum[1], order));
}

// The integral of pp_tail_integral_f64 with powers of 1 - s and 1 + r s beside it, whose exponents
// are u d.x + v d.y and u d.z + v d.w.
fn pp_tp_tail_integral_f64(a: f64, b: f64, r: f64, linear: f64, most: f64, d: vec4<f64>)
    -> mat2x4<f64> {
    let end = pp_tail_end_f64(a, b, r, linear, most);
    var sum = pp_tp_at_f64(0.0lf, vec2<f64>(0.0lf, 0.0lf));
    for (var i = 0; i < 32; i = i + 1) {
        let rule = pp_gauss_f64(i);
        let s = end * (0.5lf + 0.5lf * rule.x);
        var h = linear * s;
        var log = vec2<f64>(0.0lf, 0.0lf);
        for (var k = 0; k < 2; k = k + 1) {
            let p = select(a, b, k == 1);
            if (p > 0.0lf) {
                let t = s * select(-1.0lf, r, k == 1);
                let less = pp_log1p_less_f64(t);
                h = h + p * less;
                log = log + (less + t) * select(d.xy, d.zw, k == 1);
            }
        }
        sum = sum + pp_tp_exp_f64(pp_tp_at_f64(0.0lf, log)) * (rule.y * pp_exp_f64(h));
    }
    return sum * (0.5lf * end);
}

// sum over n >= 0 of x^n / ((a + 1) .. (a + n)).
fn pp_ts_gamma_series_f64(at: vec4<f64>, x: f64, order: i32) -> vec4<f64> {
    var term = vec4<f64>(1.0lf, 0.0lf, 0.0lf, 0.0lf);
    var sum = term;
    for (var n = 1; n < 500; n = n + 1) {
        term = pp_ts_div_f64(term * x, pp_ts_add_f64(at, f64(n)));
        sum = sum + term;
        if (pp_ts_settled_f64(term, sum, order)) {
            break;
        }
    }
    return sum;
}

// The continued fraction of gamma(a, x) / (x^a e^-x).
fn pp_ts_gamma_fraction_f64(at: vec4<f64>, x: f64, order: i32) -> vec4<f64> {
    let one = vec4<f64>(1.0lf, 0.0lf, 0.0lf, 0.0lf);
    var b = -at;
    b.x = (x - at.x) + 1.0lf;
    var d = pp_ts_div_f64(one, b);
    var delta = d;
    var sum = d;
    for (var k = 1; k < 500; k = k + 1) {
        let n = f64(k);
        let cd = pp_ts_mul_f64(pp_ts_add_f64(at, -n) * n, d);
        b = pp_ts_add_f64(b, 2.0lf);
        let next = pp_ts_div_f64(one, b + cd);
        delta = -pp_ts_mul_f64(pp_ts_mul_f64(cd, next), delta);
        d = next;
        sum = sum + delta;
        if (pp_ts_settled_f64(delta, sum, order)) {
            break;
        }
    }
    return sum;
}

// The tail of the gamma distribution that is computed without a difference, Q for x >= a, else P.
fn pp_ts_gamma_tail_f64(a: f64, x: f64, order: i32) -> vec4<f64> {
    let upper = x >= a;
    let at = pp_ts_at_f64(a, 1.0lf);
    let over_a = !upper && a < 30.0lf;
    // The derivatives are those of gamma(a + 1) there.
    let above = over_a || a <= 1.0lf;
    var slope = 0.0lf;
    if (a < 1.0lf) {
        slope = pp_log_f64(x) - pp_digamma_positive_f64(1.0lf + a);
    } else {
        // log x - digamma(a)
        if (abs(x - a) < 0.5lf * a) {
            slope = pp_log1p_f64((x - a) / a);
        } else {
            slope = pp_log_f64(x / a);
        }
        slope = slope + pp_log_minus_digamma_f64(a) - select(0.0lf, 1.0lf / a, above);
    }
    let curved = pp_tp_lgamma_f64(select(a, a + 1.0lf, above), vec2<f64>(1.0lf, 0.0lf))[0];
    let lifted = vec4<f64>(0.0lf, slope, 0.0lf, 0.0lf) - curved;
    if (upper && a <= 1.0lf && x <= 1.1lf) {
        let log = a * pp_log_f64(x) - pp_lgamma1p_f64(a);
        var sum = vec4<f64>(0.0lf, 0.0lf, 0.0lf, 0.0lf);
        var term = 1.0lf;
        for (var k = 1; k < 25; k = k + 1) {
            let n = f64(k);
            term = term * (-x / n);
            sum = sum + pp_ts_div_f64(vec4<f64>(term, 0.0lf, 0.0lf, 0.0lf), pp_ts_add_f64(at, n));
        }
        let less = pp_expm1_f64(log);
        let power = (1.0lf + less) * pp_ts_exp_f64(lifted);
        return vec4<f64>(-less, -power.yzw) - pp_ts_mul_f64(pp_ts_mul_f64(power, at), sum);
    }
    // The power itself comes from that of gamma(a + 1) by a factor a.
    let full = pp_gamma_power_f64(a, x, select(a, 1.0lf, above));
    var power = full * pp_ts_exp_f64(lifted);
    if (full == 0.0lf) {
        return vec4<f64>(0.0lf, 0.0lf, 0.0lf, 0.0lf);
    }
    if (a >= 30.0lf) {
        let less = a - 1.0lf;
        let linear = -abs(x - a) + select(1.0lf, -1.0lf, upper);
        let direction = vec4<f64>(1.0lf, 0.0lf, 1.0lf, 0.0lf);
        let integral = pp_tp_tail_integral_f64(select(less, 0.0lf, upper),
            select(0.0lf, less, upper), 1.0lf, linear, select(1.0lf, 1e300lf, upper), direction);
        return pp_ts_mul_f64(power, integral[0]);
    }
    if (!upper) {
        return pp_ts_mul_f64(power, pp_ts_gamma_series_f64(at, x, order));
    }
    if (above) {
        power = pp_ts_mul_f64(power, at);
    }
    return pp_ts_mul_f64(power, pp_ts_gamma_fraction_f64(at, x, order));
}

// The derivative of P of orders 1 to 3 in a.
fn pp_gammainc_derivative_f64(a: f64, x: f64, order: i32) -> f64 {
    let edge = pp_gamma_edge_f64(a, x);
    if (edge >= 0.0lf || pp_is_nan_f64(edge)) {
        let constant = x == 0.0lf || (pp_is_inf_f64(x) && x > 0.0lf);
        let inside = a > 0.0lf && constant && !pp_is_nan_f64(a) && !pp_is_nan_f64(x);
        return select(pp_nan_f64(), 0.0lf, inside);
    }
    let value = pp_ts_order_f64(pp_ts_gamma_tail_f64(a, x, order), order);
    return select(value, -value, x >= a);
}

// I_x(a, b) over the power of pp_tp_beta_tail_f64 by its fraction, as pp_beta_fraction_f64, for a
// and b in the directions d.xy and d.zw.
fn pp_tp_beta_fraction_f64(a: f64, b: f64, d: vec4<f64>, x: f64, y: f64, excess: f64, order: i32,
    mixed: bool) -> mat2x4<f64> {
    let one = pp_tp_at_f64(1.0lf, vec2<f64>(0.0lf, 0.0lf));
    let at_a = pp_tp_at_f64(a, d.xy);
    let below_b = pp_tp_at_f64(-b, -d.zw);
    let shifted = pp_tp_at_f64(excess + 1.0lf, d.xy * y - d.zw * x);
    let sum = pp_tp_at_f64(a + b, d.xy + d.zw);
    var inverse = pp_tp_div_f64(pp_tp_add_f64(at_a, 1.0lf), shifted);
    var delta = inverse;
    var total = inverse;
    for (var k = 1; k < 500; k = k + 1) {
        let n = f64(k);
        let odd = pp_tp_div_f64(one, pp_tp_add_f64(at_a, 2.0lf * n - 1.0lf));
        let rest = pp_tp_mul_f64(pp_tp_add_f64(below_b, n) * (-n * x), odd);
        let whole = pp_tp_mul_f64(pp_tp_add_f64(sum, n - 1.0lf) * x, odd);
        var c = pp_tp_mul_f64(whole, rest);
        if (k > 1) {
            c = pp_tp_mul_f64(pp_tp_add_f64(at_a, n - 1.0lf), c);
        }
        let above = pp_tp_add_f64(at_a, 2.0lf * n + 1.0lf);
        let quotient = pp_tp_div_f64(pp_tp_add_f64(at_a, n), above);
        let last = pp_tp_mul_f64(quotient, pp_tp_add_f64(shifted, n * (1.0lf + y)));
        let step = pp_tp_mul_f64(c, inverse);
        inverse = pp_tp_div_f64(one, pp_tp_add_f64(rest + last + step, n));
        delta = pp_tp_mul_f64(pp_tp_mul_f64(step, inverse), delta) * -1.0lf;
        total = total + delta;
        if (pp_tp_settled_f64(delta, total, order, mixed)) {
            break;
        }
    }
    return total;
}

// 1 - I_x(a, b) as pp_beta_small_upper_f64, for a and b in the directions d.xy and d.zw.
fn pp_tp_beta_small_upper_f64(a: f64, b: f64, d: vec4<f64>, x: f64, order: i32, mixed: bool)
    -> mat2x4<f64> {
    let sum = a + b;
    let log = a * pp_log_f64(x * sum) + (pp_lgamma_excess_f64(b, a) - pp_lgamma1p_f64(a));
    let of_a = pp_log_f64(x) - pp_digamma_positive_f64(1.0lf + a) + pp_digamma_positive_f64(sum);
    let slope = of_a * d.xy + pp_digamma_difference_f64(b, a) * d.zw;
    let lifted = pp_tp_at_f64(0.0lf, slope) + pp_tp_lgamma_f64(sum, d.xy + d.zw)
        - pp_tp_lgamma_f64(1.0lf + a, d.xy) - pp_tp_lgamma_f64(b, d.zw);
    let at_a = pp_tp_at_f64(a, d.xy);
    let below_b = pp_tp_at_f64(-b, -d.zw);
    var term = pp_tp_at_f64(1.0lf, vec2<f64>(0.0lf, 0.0lf));
    var total = pp_tp_at_f64(0.0lf, vec2<f64>(0.0lf, 0.0lf));
    for (var k = 1; k < 300; k = k + 1) {
        let n = f64(k);
        term = pp_tp_mul_f64(term, pp_tp_add_f64(below_b, n)) * (x / n);
        let next = pp_tp_div_f64(term, pp_tp_add_f64(at_a, n));
        total = total + next;
        if (pp_tp_settled_f64(next, total, order, mixed)) {
            break;
        }
    }
    let less = pp_expm1_f64(log);
    let power = pp_tp_exp_f64(lifted) * (1.0lf + less);
    let first = mat2x4<f64>(vec4<f64>(-less, -power[0].yzw), -power[1]);
    return first - pp_tp_mul_f64(pp_tp_mul_f64(power, at_a), total);
}

// I_x(a, b) for x up to the mean, for a and b in the directions d.xy and d.zw.
fn pp_tp_beta_tail_f64(a: f64, b: f64, at: vec4<f64>, d: vec4<f64>, order: i32, mixed: bool)
    -> mat2x4<f64> {
    let x = at.x;
    let y = at.z;
    let sum = a + b;
    if (b <= 1.0lf && y <= 0.7lf && y * max(a, 1.0lf) <= 1.1lf) {
        return pp_tp_beta_small_upper_f64(b, a, d.zwxy, y, order, mixed);
    }
    let excess = -pp_beta_excess_f64(a, b, at).x;
    let integrated = min(a, b) >= 30.0lf;
    let full = pp_beta_power_f64(a, b, at, select(1.0lf, a, integrated));
    if (full == 0.0lf) {
        return pp_tp_at_f64(0.0lf, vec2<f64>(0.0lf, 0.0lf));
    }
    // log x - digamma(a) + digamma(a + b) and the same for y and b, with those of p + 1 for small
    // p.
    var slope = vec2<f64>(0.0lf, 0.0lf);
    var curved = pp_tp_lgamma_f64(sum, d.xy + d.zw);
    for (var k = 0; k < 2; k = k + 1) {
        let first = k == 0;
        let p = select(b, a, first);
        let place = select(y, x, first);
        let direction = select(d.zw, d.xy, first);
        let shift = select(excess, -excess, first) / p;
        let above = select(b < 1.0lf, !integrated, first);
        var part = 0.0lf;
        if (p < 1.0lf) {
            part = pp_log_f64(place) - pp_digamma_positive_f64(1.0lf + p)
                + pp_digamma_positive_f64(sum);
        } else {
            if (shift > -0.5lf) {
                part = pp_log1p_f64(shift);
            } else {
                part = pp_log_f64(place) + pp_log_f64(sum / p);
            }
            part = part + pp_log_minus_digamma_f64(p) - pp_log_minus_digamma_f64(sum)
                - select(0.0lf, 1.0lf / p, above);
        }
        slope = slope + direction * part;
        curved = curved - pp_tp_lgamma_f64(select(p, p + 1.0lf, above), direction);
    }
    var power = pp_tp_exp_f64(pp_tp_at_f64(0.0lf, slope) + curved) * full;
    if (b < 1.0lf) {
        power = pp_tp_mul_f64(power, pp_tp_at_f64(1.0lf, d.zw / b));
    }
    if (integrated) {
        let linear = ((y - x) - excess) / y;
        let integral = pp_tp_tail_integral_f64(a - 1.0lf, b - 1.0lf, x / y, linear, 1.0lf, d);
        return pp_tp_mul_f64(power, integral) * (1.0lf / y);
    }
    return pp_tp_mul_f64(power, pp_tp_beta_fraction_f64(a, b, d, x, y, excess, order, mixed));
}

// The derivative of I_x(a, b) of order i in a and j in b, together 1 to 3.
fn pp_betainc_derivative_f64(a: f64, b: f64, x: f64, i: i32, j: i32) -> f64 {
    let edge = pp_beta_edge_f64(a, b, x);
    if (edge >= 0.0lf || pp_is_nan_f64(edge)) {
        let end = pp_positive_pair_f64(a, b) && (x == 0.0lf || x == 1.0lf) && !pp_is_nan_f64(x);
        return select(pp_nan_f64(), 0.0lf, end);
    }
    if (min(a, b) >= 1e70lf) {
        // All mass is at one point, as in pp_beta_tail_f64.
        return 0.0lf;
    }
    let point = pp_unit_point_f64(x);
    let beyond = pp_beta_excess_f64(a, b, point).x > 0.0lf;
    // u belongs to the parameter of the higher order.
    let along_b = j > i;
    let mixed = min(i, j) > 0;
    let order = max(i, j);
    let along = vec4<f64>(1.0lf, 0.0lf, 0.0lf, 1.0lf);
    let d = select(along, along.zwxy, along_b);
    let tail = pp_tp_beta_tail_f64(select(a, b, beyond), select(b, a, beyond),
        select(point, point.zwxy, beyond), select(d, d.zwxy, beyond), order, mixed);
    let value = pp_ts_order_f64(select(tail[0], tail[1], mixed), order);
    return select(value, -value, beyond);
}

// r^-s as a polynomial in s.
fn pp_ts_power_f64(r: f64, s: f64) -> vec4<f64> {
    return pp_pow_f64(r, -s) * pp_ts_exp_f64(vec4<f64>(0.0lf, -pp_log_f64(r), 0.0lf, 0.0lf));
}

// pp_zeta_step_f64 with a polynomial for s.
fn pp_ts_zeta_step_f64(series: vec4<f64>, c: f64, n: f64, s: vec4<f64>, z: f64) -> vec4<f64> {
    let next = pp_ts_mul_f64(pp_ts_add_f64(s, n) * z, pp_ts_add_f64(s, n + 1.0lf) * z);
    return pp_ts_add_f64(pp_ts_mul_f64(next, series), c);
}

// pp_zeta_series_f64 with a polynomial for s.
fn pp_ts_zeta_series_f64(s: vec4<f64>, z: f64) -> vec4<f64> {
    var sum = vec4<f64>(2.267952452337683e-24lf, 0.0lf, 0.0lf, 0.0lf);
    sum = pp_ts_zeta_step_f64(sum, -8.953517427037546e-23lf, 27.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 3.534707039629467e-21lf, 25.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -1.3954464685812522e-19lf, 23.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 5.5090028283602295e-18lf, 21.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -2.174868698558062e-16lf, 19.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 8.586062056277845e-15lf, 17.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -3.3896802963225827e-13lf, 15.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 1.3382536530684679e-11lf, 13.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -5.284190138687493e-10lf, 11.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 2.08767569878681e-08lf, 9.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -8.267195767195768e-07lf, 7.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 3.306878306878307e-05lf, 5.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, -0.001388888888888889lf, 3.0lf, s, z);
    sum = pp_ts_zeta_step_f64(sum, 0.08333333333333333lf, 1.0lf, s, z);
    return pp_ts_mul_f64(s * z, sum);
}

// The derivative of zeta(s, q) of orders 1 to 3 in s, as pp_hurwitz_f64.
fn pp_zeta_derivative_f64(s: f64, q: f64, order: i32) -> f64 {
    let inside = s > 1.0lf && q > 0.0lf && pp_is_finite_f64(s) && !pp_is_nan_f64(q);
    if (!inside) {
        return pp_nan_f64();
    }
    if (pp_is_inf_f64(q)) {
        return 0.0lf;
    }
    let least = 10.0lf + 0.75lf * s;
    var at = q;
    var first = 0.0lf;
    var last = vec4<f64>(0.0lf, 0.0lf, 0.0lf, 0.0lf);
    var sum = vec4<f64>(0.0lf, 0.0lf, 0.0lf, 0.0lf);
    for (var k = 0; k < 1000; k = k + 1) {
        last = pp_ts_power_f64(at, s);
        if (k == 0) {
            first = last.x;
            if (pp_is_inf_f64(first)) {
                // Beyond the range, and with it the powers of -log q > 0.
                return first;
            }
        }
        if (at >= least) {
            break;
        }
        sum = sum + last;
        at = at + 1.0lf;
        // What is left of a steep series does not show, nor, a little later, its derivatives.
        if (last.x * at <= 1e-30lf * first) {
            return pp_ts_order_f64(sum, order);
        }
    }
    let series = pp_ts_zeta_series_f64(pp_ts_at_f64(s, 1.0lf), 1.0lf / at);
    let less = s - 1.0lf;
    let integral = pp_ts_div_f64(pp_ts_power_f64(at, less), pp_ts_at_f64(less, 1.0lf));
    let rest = integral + pp_ts_mul_f64(last, pp_ts_add_f64(series, 0.5lf));
    return pp_ts_order_f64(sum + rest, order);
}
