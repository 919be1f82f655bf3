// Numbers of about twice the precision of f32, as unevaluated sums (high, low): for the exponents
// of densities and powers, whose error is the relative error of the result. Dekker, "A
// floating-point technique for extending the available precision", Numer. Math. 18 (1971).
//
// Shader compilers may take `a - (a + b)` for `-b`, and Mesa's do; so what a sum loses is found
// through a choice between the operands, which they do not look behind.

// a + b exactly.
fn pp_two_sum(a: f32, b: f32) -> vec2<f32> {
    let s = a + b;
    let swap = abs(a) < abs(b);
    let large = select(a, b, swap);
    let small = select(b, a, swap);
    return vec2<f32>(s, small - (s - large));
}

fn pp_dd_add(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let s = pp_two_sum(a.x, b.x);
    return pp_two_sum(s.x, s.y + (a.y + b.y));
}

fn pp_dd_mul(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let p = pp_two_product(a.x, b.x);
    return pp_two_sum(p.x, p.y + (a.x * b.y + a.y * b.x));
}

fn pp_dd_times(a: vec2<f32>, b: f32) -> vec2<f32> {
    let p = pp_two_product(a.x, b);
    return pp_two_sum(p.x, p.y + a.y * b);
}

fn pp_dd_div(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let q = a.x / b.x;
    let p = pp_two_product(q, b.x);
    // The quotient may be some ulp off, so the first difference is small but not always exact.
    let r = pp_two_sum(a.x, -p.x);
    let rest = r.x + (((r.y - p.y) + a.y) - q * b.y);
    return pp_two_sum(q, rest / b.x);
}

// 2 atanh z / z - 2 = 2 z^2 / 3 + 2 z^4 / 5 + ... for |z| <= 0.172, as a sum.
fn pp_dd_atanh_tail(z: vec2<f32>) -> vec2<f32> {
    let t = pp_dd_mul(z, z);
    let rest = 0.4 + t.x * (0.285714286 + t.x * (0.222222222 + t.x * (0.181818182
        + t.x * (0.153846154 + t.x * 0.133333333))));
    let third = vec2<f32>(0.6666667, -1.9868215e-8);
    return pp_dd_mul(t, pp_two_sum(third.x, t.x * rest + third.y));
}

// log x for positive, finite, not subnormal x, also close to one.
fn pp_dd_log(x: vec2<f32>) -> vec2<f32> {
    let split = pp_split(x.x);
    let k = split.y;
    let scale = pp_exp2_int(-i32(k));
    // The mantissa less one: exact, since the mantissa is between sqrt(1/2) and sqrt(2).
    let f = pp_two_sum(split.x, x.y * scale);
    let z = pp_dd_div(f, pp_dd_add(f, vec2<f32>(2.0, 0.0)));
    let tail = pp_dd_atanh_tail(z);
    let log = pp_dd_mul(z, pp_dd_add(vec2<f32>(2.0, 0.0), tail));
    return pp_dd_add(vec2<f32>(k * 0.693145751953125, k * 1.428606765330187e-6), log);
}

// log(1 + u) - u without cancellation, for u > -1.
fn pp_dd_log1p_less(u: vec2<f32>) -> vec2<f32> {
    if (u.x > 0.4 || u.x < -0.28) {
        let log = pp_dd_log(pp_dd_add(vec2<f32>(1.0, 0.0), u));
        return pp_dd_add(log, -u);
    }
    // With z = u / (2 + u): 2 atanh z - u = z (2 z^2 / 3 + ...) - u z
    let z = pp_dd_div(u, pp_dd_add(u, vec2<f32>(2.0, 0.0)));
    return pp_dd_mul(z, pp_dd_add(pp_dd_atanh_tail(z), -u));
}

// e^x.
fn pp_dd_exp(x: vec2<f32>) -> f32 {
    let c = clamp(x.x, -120.0, 100.0);
    let r = pp_exp_reduce(c, select(0.0, x.y, c == x.x));
    let value = pp_scale(1.0 + (r.x + pp_exp_tail(r.x, r.y)), i32(r.z));
    let finite = select(select(value, 0.0, x.x < -104.0), pp_inf(), x.x > 88.73);
    return select(finite, x.x, pp_is_nan(x.x));
}

// log(1 + s) - s for s > -1.
fn pp_log1p_less(s: f32) -> f32 {
    if (abs(s) > 0.5) {
        return pp_log1p(s) - s;
    }
    // With z = s / (2 + s): 2 atanh z - s = 2 z^3 (1/3 + z^2/5 + ...) - s z
    let z = s / (2.0 + s);
    let t = z * z;
    let series = 0.33333333 + t * (0.2 + t * (0.14285714 + t * (0.11111111 + t * (0.090909091
        + t * (0.076923077 + t * 0.066666667)))));
    return 2.0 * z * t * series - s * z;
}

fn pp_pow(x: f32, y: f32) -> f32 {
    let a = abs(x);
    let b = abs(y);
    let bounded = pp_copysign(min(b, 1099511627776.0), y);
    // Zero, infinity and NaN are replaced below; one stands for them.
    let extreme_base = (bitcast<u32>(a) == 0u) || bitcast<u32>(a) >= 0x7f800000u;
    let tiny = a < 1.1754944e-38;
    let base = pp_dd_log(vec2<f32>(select(select(a, a * 33554432.0, tiny), 1.0, extreme_base), 0.0));
    let log = pp_dd_add(base, select(vec2<f32>(0.0, 0.0), vec2<f32>(-17.32868, 5.7e-7), tiny));
    let product = pp_two_product(bounded, log.x);
    let outside = product.x > 100.0 || product.x < -120.0;
    let exponent = clamp(product.x, -120.0, 100.0);
    let r = pp_exp_reduce(exponent, select(product.y + bounded * log.y, 0.0, outside));
    let scaled = pp_scale(1.0 + (r.x + pp_exp_tail(r.x, r.y)), i32(r.z));
    let ordinary = select(scaled, pp_inf(), product.x > 89.0);
    let grows = (a > 1.0) == (y > 0.0);
    let extreme = select(select(0.0, pp_inf(), grows), 1.0, a == 1.0);
    let value = select(ordinary, extreme, extreme_base || pp_is_inf(y));
    let whole = b >= 8388608.0 || floor(b) == b;
    let odd = b < 16777216.0 && whole && (u32(min(b, 16777216.0)) & 1u) == 1u;
    let negative = (bitcast<u32>(x) & 0x80000000u) != 0u;
    let signed_value = select(value, -value, negative && odd);
    let undefined = x < 0.0 && !pp_is_inf(x) && !whole;
    let valid = select(signed_value, pp_nan(),
        undefined || pp_is_nan(x) || pp_is_nan(y));
    return select(valid, 1.0, x == 1.0 || b == 0.0);
}
