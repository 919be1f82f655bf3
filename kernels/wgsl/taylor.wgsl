// Derivatives in parameters in f32: the algorithms of gamma.wgsl and incomplete.wgsl on polynomials
// of degree 3 in one variable, whose coefficients are those of Taylor's series; as in the crate
// probpipe-special, but for mixed derivatives, which come from those along several directions.

fn pp_ts_mul(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(a.x * b.x, a.x * b.y + a.y * b.x, a.x * b.z + a.y * b.y + a.z * b.x,
        a.x * b.w + a.y * b.z + a.z * b.y + a.w * b.x);
}

fn pp_ts_div(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let x = a.x / b.x;
    let y = (a.y - x * b.y) / b.x;
    let z = (a.z - x * b.z - y * b.y) / b.x;
    return vec4<f32>(x, y, z, (a.w - x * b.w - y * b.z - z * b.y) / b.x);
}

// e^h of a polynomial without a constant.
fn pp_ts_exp(h: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(1.0, h.y, h.z + 0.5 * h.y * h.y,
        h.w + h.y * (h.z + h.y * h.y * 0.16666667));
}

// The parameter itself, at x.
fn pp_ts_at(x: f32, direction: f32) -> vec4<f32> {
    return vec4<f32>(x, direction, 0.0, 0.0);
}

fn pp_ts_add(a: vec4<f32>, x: f32) -> vec4<f32> {
    return vec4<f32>(a.x + x, a.yzw);
}

// The derivative of an order.
fn pp_ts_order(a: vec4<f32>, order: i32) -> f32 {
    let scaled = a * vec4<f32>(1.0, 1.0, 2.0, 6.0);
    return select(select(select(scaled.x, scaled.y, order == 1), scaled.z, order == 2), scaled.w,
        order == 3);
}

// The first and the second derivative of digamma at x > 0.
fn pp_digamma_slopes(x: f32) -> vec2<f32> {
    var at = x;
    var first = 0.0;
    var second = 0.0;
    for (var k = 0; k < 6; k = k + 1) {
        if (at >= 6.0) {
            break;
        }
        let z = 1.0 / at;
        first = first + z * z;
        second = second - 2.0 * z * z * z;
        at = at + 1.0;
    }
    let z = 1.0 / at;
    let t = z * z;
    first = first + z * (1.0 + 0.5 * z + t * (0.16666667 - t * (0.033333333 - t * (0.023809524
        - t * 0.033333333))));
    second = second - t * (1.0 + z + t * (0.5 - t * (0.16666667 - t * (0.16666667 - t * 0.3))));
    return vec2<f32>(first, second);
}

// c1 + c2 + c3 of log gamma(x + direction h), less the linear part.
fn pp_ts_lgamma(x: f32, direction: f32) -> vec4<f32> {
    let slopes = pp_digamma_slopes(x);
    let d = direction * direction;
    return vec4<f32>(0.0, 0.0, 0.5 * d * slopes.x, 0.16666667 * d * direction * slopes.y);
}

// Whether the last part of a sum no longer shows in any coefficient.
fn pp_ts_settled(delta: vec4<f32>, sum: vec4<f32>) -> bool {
    return all(abs(delta) <= 1e-9 * abs(sum));
}

// The integral of pp_tail_integral with (1 - s)^(da) (1 + r s)^(db) beside it, as a polynomial in
// the direction (da, db).
fn pp_ts_tail_integral(a: f32, b: f32, r: f32, linear: f32, most: f32, da: f32, db: f32)
    -> vec4<f32> {
    let end = pp_tail_end(a, b, r, linear, most);
    var sum = vec4<f32>(0.0, 0.0, 0.0, 0.0);
    for (var i = 0; i < 16; i = i + 1) {
        let rule = pp_gauss(i);
        let s = end * (0.5 + 0.5 * rule.x);
        var h = linear * s;
        var log = 0.0;
        if (a > 0.0) {
            h = h + a * pp_log1p_less(-s);
            log = log + da * pp_log1p(-s);
        }
        if (b > 0.0) {
            h = h + b * pp_log1p_less(r * s);
            log = log + db * pp_log1p(r * s);
        }
        sum = sum + rule.y * pp_exp(h) * pp_ts_exp(vec4<f32>(0.0, log, 0.0, 0.0));
    }
    return 0.5 * end * sum;
}

// The tail of the gamma distribution that is computed without a difference, Q for x >= a, else P.
fn pp_ts_gamma_tail(a: f32, x: f32) -> vec4<f32> {
    let upper = x >= a;
    let at = pp_ts_at(a, 1.0);
    let over_a = !upper && a < 30.0;
    var exponent = pp_gamma_exponent(a, x);
    // log x - digamma(a)
    let log_ratio = select(pp_log(x) - pp_log(a), pp_log1p((x - a) / a), abs(x - a) < 0.5 * a);
    var slope = log_ratio + pp_log_minus_digamma(a);
    var curved = pp_ts_lgamma(a, 1.0);
    if (over_a || a <= 1.0) {
        // The same for gamma(a + 1).
        curved = pp_ts_lgamma(a + 1.0, 1.0);
        let below = pp_log(x) - pp_digamma_positive(1.0 + a);
        slope = select(slope - 1.0 / a, below, a < 1.0);
    }
    let lifted = vec4<f32>(0.0, slope, 0.0, 0.0) - curved;
    if (upper && a <= 1.0 && x <= 0.6) {
        let log = a * pp_log(x) - pp_lgamma1p(a);
        var sum = vec4<f32>(0.0, 0.0, 0.0, 0.0);
        var term = 1.0;
        for (var k = 1; k < 12; k = k + 1) {
            let n = f32(k);
            term = term * (-x / n);
            sum = sum + pp_ts_div(vec4<f32>(term, 0.0, 0.0, 0.0), pp_ts_add(at, n));
        }
        let power = pp_exp(log) * pp_ts_exp(lifted);
        let first = vec4<f32>(-pp_expm1(log), -power.yzw);
        return first - pp_ts_mul(pp_ts_mul(power, at), sum);
    }
    if (over_a) {
        exponent = pp_dd_add(exponent, -pp_dd_log(vec2<f32>(a, 0.0)));
    }
    var power = pp_dd_exp(exponent) * pp_ts_exp(lifted);
    if (power.x == 0.0) {
        return vec4<f32>(0.0, 0.0, 0.0, 0.0);
    }
    if (a >= 30.0) {
        let less = a - 1.0;
        let linear = -abs(x - a) + select(1.0, -1.0, upper);
        let integral = pp_ts_tail_integral(select(less, 0.0, upper), select(0.0, less, upper), 1.0,
            linear, select(1.0, 1e38, upper), 1.0, 1.0);
        return pp_ts_mul(power, integral);
    }
    if (!upper) {
        var term = vec4<f32>(1.0, 0.0, 0.0, 0.0);
        var sum = term;
        for (var n = 1; n < 300; n = n + 1) {
            term = pp_ts_div(term * x, pp_ts_add(at, f32(n)));
            sum = sum + term;
            if (pp_ts_settled(term, sum)) {
                break;
            }
        }
        return pp_ts_mul(power, sum);
    }
    if (a <= 1.0) {
        // x^a e^-x / gamma(a) from that of gamma(a + 1): times a over a.
        power = pp_ts_mul(power, at) / a;
    }
    let one = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    var b = pp_ts_add(-at, x + 1.0);
    b.x = (x - a) + 1.0;
    var d = pp_ts_div(one, b);
    var delta = d;
    var sum = d;
    for (var k = 1; k < 300; k = k + 1) {
        let n = f32(k);
        let cd = pp_ts_mul(pp_ts_add(at, -n) * n, d);
        b = pp_ts_add(b, 2.0);
        let next = pp_ts_div(one, b + cd);
        delta = -pp_ts_mul(pp_ts_mul(cd, next), delta);
        d = next;
        sum = sum + delta;
        if (pp_ts_settled(delta, sum)) {
            break;
        }
    }
    return pp_ts_mul(power, sum);
}

// The derivative of P of orders 1 to 3 in a.
fn pp_gammainc_derivative(a: f32, x: f32, order: i32) -> f32 {
    let edge = pp_gamma_edge(a, x);
    if (edge >= 0.0 || pp_is_nan(edge)) {
        let constant = x == 0.0 || (pp_is_inf(x) && x > 0.0);
        return select(pp_nan(), 0.0, a > 0.0 && constant && !pp_is_nan(a));
    }
    let value = pp_ts_order(pp_ts_gamma_tail(a, x), order);
    return select(value, -value, x >= a);
}

// I_x(a, b) for x up to the mean, in the direction (da, db).
fn pp_ts_beta_tail(a: f32, b: f32, at: vec4<f32>, da: f32, db: f32) -> vec4<f32> {
    let x = at.x;
    let y = at.z;
    let sum = a + b;
    let one = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    let excess_sum = pp_beta_excess(a, b, at);
    let excess = -excess_sum.x;
    let ta = pp_ts_at(a, da);
    let tb = pp_ts_at(b, db);
    let of_sum = pp_ts_lgamma(sum, da + db);
    if (b <= 1.0 && y * max(a, 1.0) <= 0.6) {
        // The difference of small terms, mirrored: the roles of a and b are exchanged.
        let log = b * pp_log(y * sum) + (pp_lgamma_excess(a, b) - pp_lgamma1p(b));
        let slope = db * (pp_log(y) - pp_digamma_positive(1.0 + b) + pp_digamma_positive(sum))
            + da * pp_digamma_difference(a, b);
        let lifted = vec4<f32>(0.0, slope, 0.0, 0.0) + of_sum - pp_ts_lgamma(1.0 + b, db)
            - pp_ts_lgamma(a, da);
        var term = one;
        var total = vec4<f32>(0.0, 0.0, 0.0, 0.0);
        for (var k = 1; k < 100; k = k + 1) {
            let n = f32(k);
            term = pp_ts_mul(term, pp_ts_add(-ta, n)) * (y / n);
            let next = pp_ts_div(term, pp_ts_add(tb, n));
            total = total + next;
            if (pp_ts_settled(next, total)) {
                break;
            }
        }
        let power = pp_exp(log) * pp_ts_exp(lifted);
        let first = vec4<f32>(-pp_expm1(log), -power.yzw);
        return first - pp_ts_mul(pp_ts_mul(power, tb), total);
    }
    let integrated = min(a, b) >= 30.0;
    var exponent = pp_beta_exponent(a, b, at);
    if (!integrated) {
        exponent = pp_dd_add(exponent, -pp_dd_log(vec2<f32>(a, 0.0)));
    }
    // log(x (a + b)/a) and log(y (a + b)/b)
    let u = excess_sum.x / a;
    let v = -excess_sum.x / b;
    let left = select(pp_log(x) + pp_log(sum / a), pp_log1p(u), u > -0.5);
    let right = select(pp_log(y) + pp_log(sum / b), pp_log1p(v), v > -0.5);
    let less_sum = pp_log_minus_digamma(sum);
    var slope_a = left + pp_log_minus_digamma(a) - less_sum;
    if (!integrated) {
        let below = pp_log(x) - pp_digamma_positive(1.0 + a) + pp_digamma_positive(sum);
        slope_a = select(slope_a - 1.0 / a, below, a < 1.0);
    }
    var slope_b = right + pp_log_minus_digamma(b) - less_sum;
    var over_b = one;
    if (b < 1.0) {
        slope_b = pp_log(y) - pp_digamma_positive(1.0 + b) + pp_digamma_positive(sum);
        over_b = tb / b;
    }
    let of_a = pp_ts_lgamma(select(a + 1.0, a, integrated), da);
    let lifted = vec4<f32>(0.0, da * slope_a + db * slope_b, 0.0, 0.0) + of_sum - of_a
        - pp_ts_lgamma(select(b, b + 1.0, b < 1.0), db);
    let power = pp_dd_exp(exponent) * pp_ts_mul(pp_ts_exp(lifted), over_b);
    if (power.x == 0.0) {
        return vec4<f32>(0.0, 0.0, 0.0, 0.0);
    }
    if (integrated) {
        let linear = ((y - x) - excess) / y;
        let integral = pp_ts_tail_integral(a - 1.0, b - 1.0, x / y, linear, 1.0, da, db);
        return pp_ts_mul(power, integral) / y;
    }
    let shifted = vec4<f32>(excess + 1.0, da * y - db * x, 0.0, 0.0);
    var d = pp_ts_div(pp_ts_add(ta, 1.0), shifted);
    var delta = d;
    var total = d;
    for (var k = 1; k < 400; k = k + 1) {
        let n = f32(k);
        let twice = pp_ts_add(ta, 2.0 * n);
        let odd = pp_ts_add(twice, -1.0);
        let rest = pp_ts_add(-tb, n) * -x;
        let first = select(pp_ts_add(ta, n - 1.0), one, k == 1);
        let whole = pp_ts_add(ta + tb, n - 1.0) * x;
        let c = pp_ts_mul(pp_ts_mul(pp_ts_div(first, odd), pp_ts_div(whole, odd)), rest * n);
        let last = pp_ts_mul(pp_ts_div(pp_ts_add(ta, n), pp_ts_add(twice, 1.0)),
            pp_ts_add(shifted, n * (1.0 + y)));
        let below = pp_ts_add(pp_ts_div(rest * n, odd), n) + last;
        let cd = pp_ts_mul(c, d);
        let next = pp_ts_div(one, below + cd);
        delta = -pp_ts_mul(pp_ts_mul(cd, next), delta);
        d = next;
        total = total + delta;
        if (pp_ts_settled(delta, total)) {
            break;
        }
    }
    return pp_ts_mul(power, total);
}

// The derivative of I_x(a, b) of order i in a and j in b, together 1 to 3.
fn pp_betainc_derivative(a: f32, b: f32, x: f32, i: i32, j: i32) -> f32 {
    let edge = pp_beta_edge(a, b, x);
    if (edge >= 0.0 || pp_is_nan(edge)) {
        let inside = a > 0.0 && b > 0.0 && !pp_is_inf(a) && !pp_is_inf(b);
        return select(pp_nan(), 0.0, inside && (x == 0.0 || x == 1.0));
    }
    let point = pp_unit_point(x);
    let beyond = pp_beta_excess(a, b, point).x > 0.0;
    let at = select(point, point.zwxy, beyond);
    // Along (1, s), (1, -s) and the axes: with D of the directional derivative,
    // f_ab = (D2(1, s) - D2(1, -s)) / 4s, f_aab = (D3(1, s) - D3(1, -s) - 2 s^3 f_bbb) / 6s,
    // f_abb = (D3(1, s) + D3(1, -s) - 2 f_aaa) / 6s^2.
    let order = i + j;
    let mixed = i > 0 && j > 0;
    let s = select(1.0, sqrt(max(b, 1.0) / max(a, 1.0)), mixed);
    var sum = 0.0;
    for (var k = 0; k < 3; k = k + 1) {
        var da = 1.0;
        var db = select(s, -s, k == 1);
        var weight = select(select(1.0, -1.0, k == 1 && j != 2), 0.0, k == 2 && order == 2);
        if (k == 2 || !mixed) {
            let along_b = select(j > 0, i == 2, mixed);
            da = select(1.0, 0.0, along_b);
            db = select(0.0, s, along_b);
            weight = select(select(-2.0, 0.0, order == 2), select(0.0, 1.0, k == 0), !mixed);
        }
        if (weight != 0.0) {
            let tail = pp_ts_beta_tail(select(a, b, beyond), select(b, a, beyond), at,
                select(da, db, beyond), select(db, da, beyond));
            sum = sum + weight * pp_ts_order(tail, order);
        }
    }
    let scale = select(select(6.0 * s, 6.0 * s * s, j == 2), 4.0 * s, order == 2);
    let value = select(sum, sum / scale, mixed);
    return select(value, -value, beyond);
}

// r^-s as a polynomial in s.
fn pp_ts_power(r: f32, s: f32) -> vec4<f32> {
    return pp_pow(r, -s) * pp_ts_exp(vec4<f32>(0.0, -pp_log(r), 0.0, 0.0));
}

// The derivative of zeta(s, q) of orders 1 to 3 in s.
fn pp_zeta_derivative(s: f32, q: f32, order: i32) -> f32 {
    if (!(s > 1.0 && q > 0.0) || pp_is_nan(s) || pp_is_nan(q) || pp_is_inf(s)) {
        return pp_nan();
    }
    if (pp_is_inf(q)) {
        return 0.0;
    }
    let first = pp_ts_power(q, s);
    if (pp_is_inf(first.x)) {
        // Beyond the range, and with it the powers of -log q > 0.
        return first.x;
    }
    let least = min(8.0 + 0.8 * s, 1e3);
    var at = q;
    var last = first;
    var sum = vec4<f32>(0.0, 0.0, 0.0, 0.0);
    for (var k = 0; k < 1000; k = k + 1) {
        if (at >= least) {
            break;
        }
        sum = sum + last;
        at = at + 1.0;
        last = pp_ts_power(at, s);
        if (last.x * at <= 1e-14 * first.x) {
            return pp_ts_order(sum, order);
        }
    }
    let exponent = pp_ts_at(s, 1.0);
    let z = 1.0 / at;
    var coefficients = array<f32, 5>(0.083333333, -0.0013888889, 3.3068783e-5, -8.2671958e-7,
        2.0876757e-8);
    var factor = exponent * z;
    var series = vec4<f32>(0.5, 0.0, 0.0, 0.0);
    for (var k = 0; k < 5; k = k + 1) {
        series = series + factor * coefficients[k];
        let n = f32(2 * k + 1);
        let next = pp_ts_mul(pp_ts_add(exponent, n) * z, pp_ts_add(exponent, n + 1.0) * z);
        factor = pp_ts_mul(factor, next);
    }
    let less = s - 1.0;
    let integral = pp_ts_div(pp_ts_power(at, less), pp_ts_at(less, 1.0));
    return pp_ts_order(sum + (integral + pp_ts_mul(last, series)), order);
}
