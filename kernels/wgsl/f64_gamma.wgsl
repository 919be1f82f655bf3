// The gamma function and its family in double precision: beta, differences of digamma, polygamma
// and zeta, on numbers of twice the precision as unevaluated sums (high, low), as in double.wgsl.
// Formulas from DLMF chapters 5 and 25; polynomials and quotients of polynomials are fits made for
// this file. Domains and limits are those of the crate probpipe-special.

// hi + lo for |hi| >= |lo|.
fn pp_quick_sum_f64(hi: f64, lo: f64) -> vec2<f64> {
    let s = pp_apart_f64(hi + lo);
    return vec2<f64>(s, lo - (s - hi));
}

fn pp_dd_add_f64(a: vec2<f64>, b: vec2<f64>) -> vec2<f64> {
    let s = pp_two_sum_f64(a.x, b.x);
    return pp_quick_sum_f64(s.x, s.y + (a.y + b.y));
}

fn pp_dd_mul_f64(a: vec2<f64>, b: vec2<f64>) -> vec2<f64> {
    let p = pp_two_product_f64(a.x, b.x);
    return pp_quick_sum_f64(p.x, p.y + (a.x * b.y + a.y * b.x));
}

fn pp_dd_times_f64(a: vec2<f64>, b: f64) -> vec2<f64> {
    let p = pp_two_product_f64(a.x, b);
    return pp_quick_sum_f64(p.x, p.y + a.y * b);
}

fn pp_dd_div_f64(a: vec2<f64>, b: vec2<f64>) -> vec2<f64> {
    let q = a.x / b.x;
    let p = pp_two_product_f64(q, b.x);
    let r = pp_two_sum_f64(a.x, -p.x);
    let rest = r.x + (((r.y - p.y) + a.y) - q * b.y);
    return pp_quick_sum_f64(q, rest / b.x);
}

// x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), for positive and finite x: f as a sum,
// and k.
fn pp_dd_split_f64(x: vec2<f64>) -> vec3<f64> {
    let tiny = x.x < 2.2250738585072014e-308lf;
    let bits = bitcast<u64>(select(x.x, x.x * 18014398509481984.0lf, tiny));
    let half = bitcast<f64>((bits & 0xffffffffffffflu) | 0x3fe0000000000000lu);
    let down = half < 0.7071067811865476lf;
    let exponent = i32(bits >> 52u) - select(1022, 1023, down);
    // The low part is scaled in two steps, neither of which leaves the range.
    let first = exponent / 2;
    let low = x.y * pp_exp2_int_f64(-first) * pp_exp2_int_f64(first - exponent);
    let f = pp_two_sum_f64(select(half, half + half, down) - 1.0lf, select(low, 0.0lf, tiny));
    return vec3<f64>(f, f64(exponent) - select(0.0lf, 54.0lf, tiny));
}

// 2 atanh z / z - 2 = 2 z^2 / 3 + 2 z^4 / 5 + ... for |z| <= 0.172, as a sum: to about 1e-24 of 2.
fn pp_dd_atanh_tail_f64(z: vec2<f64>) -> vec2<f64> {
    let square = pp_dd_mul_f64(z, z);
    let t = square.x;
    let rest = t * (0.2222222222222222lf + t * (0.18181818181818182lf + t * (0.15384615384615385lf
        + t * (0.13333333333333333lf + t * (0.11764705882352941lf + t * (0.10526315789473684lf
        + t * (0.09523809523809523lf + t * (0.08695652173913043lf + t * (0.08lf
        + t * (0.07407407407407407lf + t * 0.06896551724137931lf))))))))));
    let three = pp_dd_add_f64(vec2<f64>(0.2857142857142857lf, 1.586032892321652e-17lf),
        vec2<f64>(rest, 0.0lf));
    let two = pp_dd_add_f64(vec2<f64>(0.4lf, -2.2204460492503132e-17lf),
        pp_dd_mul_f64(square, three));
    let third = vec2<f64>(0.6666666666666666lf, 3.700743415417188e-17lf);
    return pp_dd_mul_f64(square, pp_dd_add_f64(third, pp_dd_mul_f64(square, two)));
}

// log(ratio) - u; where `near`, the ratio is 1 + u with u between -0.28 and 0.4, and what is given
// for it does not matter.
fn pp_dd_log_less_f64(ratio: vec2<f64>, u: vec2<f64>, near: bool) -> vec2<f64> {
    let parts = pp_dd_split_f64(ratio);
    let f = select(parts.xy, u, near);
    let z = pp_dd_div_f64(f, pp_dd_add_f64(vec2<f64>(2.0lf, 0.0lf), f));
    let tail = pp_dd_atanh_tail_f64(z);
    if (near) {
        // With z = u / (2 + u): 2 atanh z - u = z (2 z^2 / 3 + ...) - u z
        return pp_dd_mul_f64(z, pp_dd_add_f64(tail, -u));
    }
    let log = pp_dd_mul_f64(z, pp_dd_add_f64(vec2<f64>(2.0lf, 0.0lf), tail));
    // log 2, of which the first part has room for the exponent.
    let power = vec2<f64>(parts.z * 0.6931471803691238lf, parts.z * 1.9082149292705877e-10lf);
    return pp_dd_add_f64(pp_dd_add_f64(power, log), -u);
}

// log x for positive and finite x.
fn pp_dd_log_f64(x: vec2<f64>) -> vec2<f64> {
    return pp_dd_log_less_f64(x, vec2<f64>(0.0lf, 0.0lf), false);
}

// e^x.
fn pp_dd_exp_f64(x: vec2<f64>) -> f64 {
    let e = pp_exp_f64(x.x);
    // Past the range the correction would be NaN.
    let inside = pp_is_finite_f64(e) && pp_is_finite_f64(x.y);
    return select(e, e + e * x.y, inside);
}

// log(1 + s) - s for s > -1.
fn pp_log1p_less_f64(s: f64) -> f64 {
    if (abs(s) > 0.5lf) {
        return pp_log1p_f64(s) - s;
    }
    // With z = s / (2 + s): 2 atanh z - s = 2 z^3 (1/3 + z^2/5 + ...) - s z
    let z = s / (2.0lf + s);
    let t = z * z;
    let series = 0.3333333333333333lf + t * (0.2lf + t * (0.14285714285714285lf
        + t * (0.1111111111111111lf + t * (0.09090909090909091lf + t * (0.07692307692307693lf
        + t * (0.06666666666666667lf + t * (0.058823529411764705lf + t * (0.05263157894736842lf
        + t * (0.047619047619047616lf + t * (0.043478260869565216lf + t * (0.04lf
        + t * (0.037037037037037035lf + t * (0.034482758620689655lf + t * (0.03225806451612903lf
        + t * (0.030303030303030304lf + t * 0.02857142857142857lf)))))))))))))));
    return 2.0lf * z * t * series - s * z;
}

// log gamma(1 + a) for 0 <= a <= 1, to full relative precision: a (a - 1) times a polynomial.
fn pp_lgamma1p_f64(a: f64) -> f64 {
    let t = a - 0.5lf;
    let p = 0.4831289505409809lf + t * (-0.14595989591430594lf + t * (0.06291140107456437lf
        + t * (-0.03130848750105415lf + t * (0.016797098631275844lf + t * (-0.009425622444767518lf
        + t * (0.005446457839039636lf + t * (-0.003212074222602009lf + t * (0.001922916315044322lf
        + t * (-0.0011644113425479958lf + t * (0.0007115190337726783lf
        + t * (-0.0004380355151925843lf + t * (0.00027131404604478673lf
        + t * (-0.00016856961232463447lf + t * (0.00010535339176160404lf
        + t * (-6.794532539113437e-5lf + t * (4.303358406992273e-5lf
        + t * (-2.1471686472038385e-5lf + t * (1.3174891373031416e-5lf
        + t * (-1.85413105778364e-5lf + t * 1.2148922431734838e-5lf)))))))))))))))))));
    return a * (a - 1.0lf) * p;
}

// 1 / gamma(1 + a) for 0 <= a <= 1.
fn pp_rgamma1p_f64(a: f64) -> f64 {
    let t = a - 0.5lf;
    return 1.1283791670955126lf + t * (-0.0411745264452831lf + t * (-0.5266544355255447lf
        + t * (0.17510202604393435lf + t * (0.0509668602477232lf + t * (-0.04215516936852383lf
        + t * (0.00661289782627482lf + t * (0.002120731442277257lf + t * (-0.0011107302459330316lf
        + t * (0.00015235762470520615lf + t * (2.5355130626661337e-5lf
        + t * (-1.389683544823172e-5lf + t * (2.1565575284250995e-6lf + t * (5.80703265961005e-8lf
        + t * (-9.002232748879092e-8lf + t * 1.681337201347965e-8lf))))))))))))));
}

// log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2 for x >= 1, where it is at most 0.0811: a
// quotient in 1/x^2 over x, since it is a function of Stieltjes.
fn pp_stirling_f64(x: f64) -> f64 {
    let z = 1.0lf / x;
    let t = z * z;
    let p = 0.08333333333333333lf + t * (1.858840472589229lf + t * (14.28487117510949lf
        + t * (48.25246886957957lf + t * (75.89658413572485lf + t * (54.29788759491462lf
        + t * (15.95445560535831lf + t * (1.5047329856525282lf + t * 0.021520387139101302lf)))))));
    let q = 1.0lf + t * (22.33941900440408lf + t * (172.15357759193697lf
        + t * (584.5624655069788lf + t * (928.7543335398183lf + t * (677.9928948090231lf
        + t * (208.08161242933107lf + t * (21.861739711695243lf + t * 0.46165110759516276lf)))))));
    return z * (p / q);
}

// log gamma(x) for x >= 1, as a sum.
fn pp_dd_lgamma_f64(x: f64) -> vec2<f64> {
    let log = pp_dd_log_f64(vec2<f64>(x, 0.0lf));
    let leading = pp_dd_mul_f64(pp_two_sum_f64(x, -0.5lf), log);
    let low = pp_stirling_f64(x) - 3.8782941580672414e-17lf;
    let rest = pp_quick_sum_f64(0.9189385332046728lf, low);
    return pp_dd_add_f64(pp_dd_add_f64(leading, vec2<f64>(-x, 0.0lf)), rest);
}

// sin(pi r) for |r| <= 1/2, where nothing is to be reduced.
fn pp_sin_pi_f64(r: f64) -> f64 {
    let t = r * r;
    return r * (3.141592653589793lf + t * (-5.167712780049969lf + t * (2.5501640398773007lf
        + t * (-0.599264529318946lf + t * (0.08214588657312355lf + t * (-0.007370430506093225lf
        + t * (0.00046629981702308817lf + t * (-2.1903499125519212e-5lf
        + t * 7.697847275590284e-7lf))))))));
}

fn pp_gamma_f64(x: f64) -> f64 {
    let a = abs(x);
    let bits = bitcast<u64>(x);
    if (pp_magnitude_bits_f64(x) == 0lu) {
        return pp_copysign_f64(pp_inf_f64(), x);
    }
    if (pp_is_nan_f64(x) || bits == 0x7ff0000000000000lu) {
        return x;
    }
    let whole = pp_round_even_f64(x);
    // What gamma(a) has beside a power of e, and the exponent.
    let small = a < 2.0lf;
    let offset = select(a - 1.0lf, a, a < 1.0lf);
    let reciprocal = pp_rgamma1p_f64(clamp(offset, 0.0lf, 1.0lf)) * select(1.0lf, a, a < 1.0lf);
    let log = pp_dd_lgamma_f64(clamp(a, 2.0lf, 200.0lf));
    let positive = x > 0.0lf;
    let half = pp_dd_exp_f64(log * select(-0.5lf, 1.0lf, positive));
    if (positive) {
        let value = select(half, 1.0lf / reciprocal, small);
        // Factorials are whole.
        return select(value, pp_round_even_f64(value), whole == x && x < 20.0lf);
    }
    let r = x - whole;
    if (r == 0.0lf || pp_is_inf_f64(x)) {
        return pp_nan_f64();
    }
    if (a < 1e-17lf) {
        return 1.0lf / x;
    }
    // gamma(x) gamma(-x) = -pi / (x sin(pi x)), by halves of the exponent, so that no part
    // leaves the range before the result does.
    let factor = 3.141592653589793lf / abs(pp_sin_pi_f64(r)) / a;
    let size = select(half * factor * half, factor * reciprocal, small);
    // The sign of sin(pi x), which is that of (-1)^(x - r) r.
    let odd = pp_floor_f64(0.5lf * whole) * 2.0lf != whole;
    return select(-size, size, (r > 0.0lf) != odd);
}

// log x - digamma(x) for x > 0, which is 1/(2x) + ... .
fn pp_log_minus_digamma_f64(x: f64) -> f64 {
    // f(x) = f(x + 1) + 1/x - log(1 + 1/x)
    let below = x < 1.0lf;
    let at = select(x, x + 1.0lf, below);
    var shift = 0.0lf;
    if (below) {
        shift = -pp_log1p_less_f64(1.0lf / x);
    }
    let z = 1.0lf / at;
    let t = z * z;
    let p = 0.08333333333333333lf + t * (2.0442926431495994lf + t * (17.376157889625887lf
        + t * (65.30895885348382lf + t * (114.98002280745264lf + t * (92.53218965727376lf
        + t * (30.64010134711372lf + t * (3.228006289839382lf + t * 0.0475865707191999lf)))))));
    let q = 1.0lf + t * (24.631511717795192lf + t * (210.92942679967248lf
        + t * (803.6775197916465lf + t * (1451.2244338614182lf + t * (1225.7987086132653lf
        + t * (447.3986323996635lf + t * (58.66673832722372lf + t * 1.7308559135902943lf)))))));
    return shift + (0.5lf * z + t * (p / q));
}

// Horner's step for p(u) of even powers and c: of (p(u) - p(v)) / (u - v) and of p(v).
fn pp_difference_step_f64(state: vec2<f64>, c: f64, u: f64, v: f64) -> vec2<f64> {
    return vec2<f64>(u * u * state.x + (u + v) * state.y, c + v * v * state.y);
}

// sum over k of c[k] (x^-n - (x + d)^-n) over d, n = 1, 3, ... with the coefficients of Stirling's
// series, DLMF 5.11.1, for x >= 10 and d > 0.
fn pp_stirling_difference_f64(x: f64, d: f64) -> f64 {
    let u = 1.0lf / x;
    let v = 1.0lf / (x + d);
    var s = vec2<f64>(0.0lf, -1.3924322169059011lf);
    s = pp_difference_step_f64(s, 0.17964437236883057lf, u, v);
    s = pp_difference_step_f64(s, -0.029550653594771242lf, u, v);
    s = pp_difference_step_f64(s, 0.00641025641025641lf, u, v);
    s = pp_difference_step_f64(s, -0.0019175269175269176lf, u, v);
    s = pp_difference_step_f64(s, 0.0008417508417508417lf, u, v);
    s = pp_difference_step_f64(s, -0.0005952380952380953lf, u, v);
    s = pp_difference_step_f64(s, 0.0007936507936507937lf, u, v);
    s = pp_difference_step_f64(s, -0.002777777777777778lf, u, v);
    s = pp_difference_step_f64(s, 0.08333333333333333lf, u, v);
    // The sum is u p(u), and u - v is d u v.
    return (u * s.x + s.y) * (u * v);
}

// The same with n = 2, 4, ... and the coefficients of the series of digamma, DLMF 5.11.2.
fn pp_digamma_series_difference_f64(x: f64, d: f64) -> f64 {
    let u = 1.0lf / x;
    let v = 1.0lf / (x + d);
    var s = vec2<f64>(0.0lf, -26.456212121212122lf);
    s = pp_difference_step_f64(s, 3.0539543302701198lf, u, v);
    s = pp_difference_step_f64(s, -0.4432598039215686lf, u, v);
    s = pp_difference_step_f64(s, 0.08333333333333333lf, u, v);
    s = pp_difference_step_f64(s, -0.021092796092796094lf, u, v);
    s = pp_difference_step_f64(s, 0.007575757575757576lf, u, v);
    s = pp_difference_step_f64(s, -0.004166666666666667lf, u, v);
    s = pp_difference_step_f64(s, 0.003968253968253968lf, u, v);
    s = pp_difference_step_f64(s, -0.008333333333333333lf, u, v);
    s = pp_difference_step_f64(s, 0.08333333333333333lf, u, v);
    return pp_difference_step_f64(s, 0.0lf, u, v).x * (u * v);
}

// log gamma(a + b) - log gamma(a) - b log(a + b) for positive a and b.
fn pp_lgamma_excess_f64(a: f64, b: f64) -> f64 {
    // Up to where the series holds: gamma(a) = gamma(a + 1) / a. The product of 1 + b/a, less one.
    var at = a;
    var product = 0.0lf;
    for (var k = 0; k < 10; k = k + 1) {
        if (at >= 10.0lf) {
            break;
        }
        let ratio = b / at;
        product = product + ratio * (1.0lf + product);
        at = at + 1.0lf;
    }
    // log gamma(at) - log gamma(at + b) + b log(at + b)
    let ratio = b / at;
    var rest = b * pp_stirling_difference_f64(at, b) - at * pp_log1p_less_f64(ratio);
    for (var k = 0; k < 3; k = k + 1) {
        // The argument of the logarithm has moved from a + b to at + b.
        let moved = min((at - a) / (a + b), 1e300lf);
        let log = pp_log1p_f64(select(select(moved, product, k == 1), ratio, k == 2));
        rest = rest + log * select(select(-b, 1.0lf, k == 1), 0.5lf, k == 2);
    }
    return -rest;
}

fn pp_digamma_difference_f64(a: f64, b: f64) -> f64 {
    let inside = a > 0.0lf && b > 0.0lf && pp_is_finite_f64(a) && pp_is_finite_f64(b);
    if (!inside || b > max(a, 1.0lf)) {
        var difference = 0.0lf;
        for (var k = 0; k < 2; k = k + 1) {
            difference = pp_digamma_f64(select(a, a + b, k == 1)) - difference;
        }
        return difference;
    }
    var at = a;
    var shift = 0.0lf;
    for (var k = 0; k < 10; k = k + 1) {
        if (at >= 10.0lf) {
            break;
        }
        shift = shift + b / at / (at + b);
        at = at + 1.0lf;
    }
    let halves = 0.5lf * (b / at / (at + b));
    return shift + (pp_log1p_f64(b / at) + halves + b * pp_digamma_series_difference_f64(at, b));
}

fn pp_betaln_f64(a: f64, b: f64) -> f64 {
    if (pp_is_nan_f64(a) || pp_is_nan_f64(b) || a < 0.0lf || b < 0.0lf) {
        return pp_nan_f64();
    }
    let small = min(a, b);
    let large = max(a, b);
    if (small == 0.0lf) {
        return pp_inf_f64();
    }
    if (pp_is_inf_f64(large)) {
        return -pp_inf_f64();
    }
    if (large < 1e-17lf) {
        // (a + b) / (a b)
        return pp_log1p_f64(small / large) - pp_log_f64(small);
    }
    if (small < 1.0lf) {
        // gamma(s) gamma(l) / gamma(s + l), of which gamma(s) = gamma(s + 1) / s.
        let excess = small * pp_log_f64(small + large) + pp_lgamma_excess_f64(large, small);
        return (pp_lgamma1p_f64(small) - pp_log_f64(small)) - excess;
    }
    // log sqrt(2 pi (a + b) / (a b)) + a log(a/(a + b)) + b log(b/(a + b)); the last two are
    // negative.
    let ratio = small / large;
    let root = 0.5lf * pp_log_f64(6.283185307179586lf / small * (1.0lf + ratio));
    let left = -(large * pp_log1p_f64(ratio));
    // The quotient in the last one with what rounding it lost.
    let sum = small + large;
    let share = small / sum;
    let product = pp_two_product_f64(share, sum);
    let lost = ((small - product.x) - product.y) - share * ((large - sum) + small);
    let right = small * pp_log_f64(share) + lost / share * (small / sum);
    let rest = (pp_stirling_f64(large) - pp_stirling_f64(sum)) + pp_stirling_f64(small);
    return (left + right) + (root + rest);
}

// Horner's step for sum over k of B(2k)/(2k)! s (s + 1) .. (s + 2k - 2) z^(2k - 1), where f = s z.
fn pp_zeta_step_f64(series: f64, c: f64, n: f64, f: f64, z: f64) -> f64 {
    return c + (f + n * z) * (f + (n + 1.0lf) * z) * series;
}

// That sum for z <= 1 / (10 + 0.75 s).
fn pp_zeta_series_f64(s: f64, z: f64) -> f64 {
    let f = s * z;
    var sum = 2.267952452337683e-24lf;
    sum = pp_zeta_step_f64(sum, -8.953517427037546e-23lf, 27.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 3.534707039629467e-21lf, 25.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -1.3954464685812522e-19lf, 23.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 5.5090028283602295e-18lf, 21.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -2.174868698558062e-16lf, 19.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 8.586062056277845e-15lf, 17.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -3.3896802963225827e-13lf, 15.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 1.3382536530684679e-11lf, 13.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -5.284190138687493e-10lf, 11.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 2.08767569878681e-08lf, 9.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -8.267195767195768e-07lf, 7.0lf, f, z);
    sum = pp_zeta_step_f64(sum, 3.306878306878307e-05lf, 5.0lf, f, z);
    sum = pp_zeta_step_f64(sum, -0.001388888888888889lf, 3.0lf, f, z);
    return f * pp_zeta_step_f64(sum, 0.08333333333333333lf, 1.0lf, f, z);
}

// sum over k >= 0 of (q + k)^-s for s > 1 and q > 0, by Euler and Maclaurin's formula, DLMF
// 25.11.7: terms one by one up to where the remainder's series converges to the last digit.
fn pp_hurwitz_f64(s: f64, q: f64) -> f64 {
    let least = 10.0lf + 0.75lf * s;
    var at = q;
    var first = 0.0lf;
    var last = 0.0lf;
    var sum = vec2<f64>(0.0lf, 0.0lf);
    for (var k = 0; k < 1000; k = k + 1) {
        last = pp_pow_f64(at, -s);
        if (k == 0) {
            first = last;
        }
        if (at >= least || pp_is_inf_f64(first)) {
            break;
        }
        sum = pp_dd_add_f64(sum, vec2<f64>(last, 0.0lf));
        at = at + 1.0lf;
        // What is left of a steep series does not show.
        if (last * at <= 1e-18lf * first) {
            return sum.x;
        }
    }
    if (pp_is_inf_f64(first)) {
        return first;
    }
    // The integral, half a term, and the series.
    let z = 1.0lf / at;
    var integral = last * (at / (s - 1.0lf));
    if (last < 1e-290lf) {
        integral = pp_pow_f64(at, 1.0lf - s) / (s - 1.0lf);
    }
    return sum.x + (sum.y + (integral + last * (0.5lf + pp_zeta_series_f64(s, z))));
}

fn pp_zeta_f64(s: f64, q: f64) -> f64 {
    if (pp_is_nan_f64(s) || pp_is_nan_f64(q) || s < 1.0lf) {
        return pp_nan_f64();
    }
    let r = q - pp_round_even_f64(q);
    let infinite = pp_is_inf_f64(q);
    if (s == 1.0lf || (q <= 0.0lf && r == 0.0lf && !infinite)) {
        return pp_inf_f64();
    }
    if (infinite && q > 0.0lf) {
        return 0.0lf;
    }
    if (pp_is_inf_f64(s)) {
        return select(select(pp_inf_f64(), 1.0lf, q == 1.0lf), 0.0lf, q > 1.0lf);
    }
    let mirrored = q < 0.0lf;
    if (mirrored && (infinite || pp_floor_f64(s) != s)) {
        return pp_nan_f64();
    }
    // The terms left of zero, mirrored: with f the fractional part of q,
    // zeta(s, q) = zeta(s, f) + (-1)^s (zeta(s, 1 - f) - zeta(s, 1 - q)).
    let f = select(r, 1.0lf + r, r < 0.0lf);
    let g = select(1.0lf - r, -r, r < 0.0lf);
    let sign = select(-1.0lf, 1.0lf, pp_floor_f64(0.5lf * s) * 2.0lf == s);
    var sum = 0.0lf;
    for (var k = 0; k < 3; k = k + 1) {
        let point = select(select(1.0lf - q, g, k == 1), select(q, f, mirrored), k == 0);
        let term = pp_hurwitz_f64(s, point);
        sum = sum + term * select(select(-sign, sign, k == 1), 1.0lf, k == 0);
        if (!mirrored) {
            break;
        }
    }
    return sum;
}

// The derivative of order n of digamma, (-1)^(n+1) n! zeta(n + 1, x).
fn pp_polygamma_f64(n: f64, x: f64) -> f64 {
    if (n == 0.0lf) {
        return pp_digamma_f64(x);
    }
    if (!(n > 0.0lf && pp_floor_f64(n) == n) || pp_is_nan_f64(n) || pp_is_nan_f64(x)) {
        return pp_nan_f64();
    }
    let large = pp_is_inf_f64(n);
    let sign = select(1.0lf, -1.0lf, pp_floor_f64(0.5lf * n) * 2.0lf == n && !large);
    let value = pp_zeta_f64(n + 1.0lf, x);
    if (n < 170.0lf && pp_is_finite_f64(value) && abs(value) > 2.2250738585072014e-308lf) {
        let factor = pp_gamma_f64(n + 1.0lf) * value;
        if (pp_is_finite_f64(factor)) {
            return sign * factor;
        }
    }
    let left = x <= 0.0lf;
    let none = value == 0.0lf || !pp_is_finite_f64(value);
    if ((left && none) || pp_is_inf_f64(x) || large) {
        return sign * value;
    }
    // n! x^-(n+1) overflows in one factor and vanishes in the other, so it comes by its logarithm,
    // beside the rest of the series, zeta x^(n+1). Left of zero the value has no such factor.
    var rest = 1.0lf;
    if (left) {
        rest = abs(value);
    } else if (x >= 10.75lf + 0.75lf * n) {
        rest = x / n + 0.5lf + pp_zeta_series_f64(n + 1.0lf, 1.0lf / x);
    } else {
        for (var k = 1; k < 300; k = k + 1) {
            let term = pp_pow_f64(x / (x + f64(k)), n + 1.0lf);
            rest = rest + term;
            if (term < 1e-18lf) {
                break;
            }
        }
    }
    let above = min(n, 1e300lf) + 1.0lf;
    let log = pp_dd_log_f64(vec2<f64>(select(x, 1.0lf, left), 0.0lf));
    let scale = pp_dd_add_f64(pp_dd_lgamma_f64(above), pp_dd_times_f64(log, -above));
    let size = pp_dd_exp_f64(pp_dd_add_f64(scale, vec2<f64>(pp_log_f64(rest), 0.0lf)));
    return sign * pp_copysign_f64(size, value);
}
