// Functions in f32 that are integrals of one elementary function: Bessel functions, exponential
// integrals, the scaled complementary error function and Owen's T. DLMF chapters 6, 7 and 10; Owen's
// T after M. Patefield and D. Tandy, J. Stat. Software 5 (2000). The polynomials are least-maximum
// fits made for this file.

// e^-a I0(a) for a >= 0.
fn pp_i0e_positive(a: f32) -> f32 {
    if (a < 2.0) {
        let t = a - 1.0;
        return 0.46575961 + t * (-0.25784919 + t * (0.15389399 + t * (-0.076267377
            + t * (0.031211656 + t * (-0.010760539 + t * (0.0031907456 + t * (-0.00082786853
            + t * (0.00019011257 + t * (-3.9539762e-5 + t * (8.048617e-6
            + t * -1.3233044e-6))))))))));
    }
    if (a < 5.0) {
        let t = (a - 3.5) / 1.5;
        return 0.22280245 + t * (-0.053103704 + t * (0.019419832 + t * (-0.0078990655
            + t * (0.0032617617 + t * (-0.0012994466 + t * (0.00048385124 + t * (-0.00016321692
            + t * (5.191216e-5 + t * (-1.8320616e-5 + t * 4.7711533e-6)))))))));
    }
    if (a < 10.0) {
        let t = 0.4 * a - 3.0;
        return 0.14831583 + t * (-0.025686551 + t * (0.0066991984 + t * (-0.0019512259
            + t * (0.00060080294 + t * (-0.00019238683 + t * (6.3261425e-5 + t * (-2.0188043e-5
            + t * (6.8229274e-6 + t * (-3.3861286e-6 + t * 1.1592073e-6)))))))));
    }
    let t = 1.0 / a;
    let p = 0.3989423 + t * (0.049867716 + t * (0.028060827 + t * (0.02866631 + t * (0.05862205
        + t * (-0.077782921 + t * 1.0952652)))));
    return p / sqrt(a);
}

// e^-a I1(a) for a >= 0.
fn pp_i1e_positive(a: f32) -> f32 {
    if (a < 2.0) {
        let t = a - 1.0;
        let p = 0.20791042 + t * (-0.15797164 + t * (0.083063476 + t * (-0.034483913
            + t * (0.011893146 + t * (-0.0035113001 + t * (0.00090616388 + t * (-0.00020759649
            + t * (4.2658281e-5 + t * (-8.011054e-6 + t * (1.4654347e-6
            + t * -2.1925847e-7))))))))));
        return a * p;
    }
    if (a < 5.0) {
        let t = (a - 3.5) / 1.5;
        let p = 0.053542852 + t * (-0.030721391 + t * (0.014200936 + t * (-0.0058578202
            + t * (0.0022062324 + t * (-0.00076406862 + t * (0.00024366027 + t * (-7.1085771e-5
            + t * (1.9591924e-5 + t * (-5.7294492e-6 + t * 1.2773479e-6)))))))));
        return a * p;
    }
    if (a < 10.0) {
        let t = 0.4 * a - 3.0;
        let p = 0.018405495 + t * (-0.0088454587 + t * (0.0035295014 + t * (-0.0013084528
            + t * (0.00046509624 + t * (-0.0001606741 + t * (5.4008295e-5 + t * (-1.722359e-5
            + t * (5.5964442e-6 + t * (-2.2828463e-6 + t * 6.634902e-7)))))))));
        return a * p;
    }
    let t = 1.0 / a;
    let p = 0.3989423 + t * (-0.14960328 + t * (-0.046762571 + t * (-0.04028412 + t * (-0.07313183
        + t * (0.078502968 + t * -1.2462536)))));
    return p / sqrt(a);
}

fn pp_i0e(x: f32) -> f32 {
    let value = select(pp_i0e_positive(abs(x)), 0.0, pp_is_inf(x));
    return select(value, x, pp_is_nan(x));
}

fn pp_i1e(x: f32) -> f32 {
    let value = select(pp_i1e_positive(abs(x)), 0.0, pp_is_inf(x));
    return select(pp_copysign(value, x), x, pp_is_nan(x));
}

// e^a times a scaled function of a, in two factors so that only the result overflows.
fn pp_unscaled(a: f32, scaled: f32) -> f32 {
    let half = pp_exp(0.5 * min(a, 100.0));
    let value = select(half * scaled * half, pp_exp(a) * scaled, a < 88.0);
    return select(value, pp_inf(), a > 95.0);
}

fn pp_i0(x: f32) -> f32 {
    let a = abs(x);
    return select(pp_unscaled(a, pp_i0e_positive(a)), x, pp_is_nan(x));
}

fn pp_i1(x: f32) -> f32 {
    let a = abs(x);
    return select(pp_copysign(pp_unscaled(a, pp_i1e_positive(a)), x), x, pp_is_nan(x));
}

// The derivative of i0e, i1e - i0e for positive arguments.
fn pp_i0e_slope(x: f32) -> f32 {
    let a = abs(x);
    if (pp_is_nan(x) || (bitcast<u32>(a) == 0u)) {
        return x;
    }
    var value = 0.0;
    if (a < 2.0) {
        let t = a - 1.0;
        value = 0.25784919 + t * (-0.30778795 + t * (0.22880214 + t * (-0.12484694
            + t * (0.053802483 + t * (-0.019142333 + t * (0.0057956171 + t * (-0.0015265532
            + t * (0.00035557765 + t * (-7.4067721e-5 + t * (1.4114178e-5 + t * (-2.6134232e-6
            + t * 3.8255288e-7)))))))))));
    } else if (a < 5.0) {
        let t = (a - 3.5) / 1.5;
        value = 0.035402462 + t * (-0.025893109 + t * (0.015798636 + t * (-0.0086981291
            + t * (0.0043267333 + t * (-0.0019343935 + t * (0.00077698991 + t * (-0.00028026116
            + t * (9.0144909e-5 + t * (-2.7313465e-5 + t * (8.8240467e-6
            + t * -2.0368389e-6))))))))));
    } else if (a < 10.0) {
        let t = 0.4 * a - 3.0;
        value = 0.010274619 + t * (-0.0053593558 + t * (0.0023415738 + t * (-0.00096135779
            + t * (0.00038381349 + t * (-0.00015134485 + t * (5.9601938e-5 + t * (-2.3103739e-5
            + t * (8.2324987e-6 + t * (-3.1984473e-6 + t * (1.7603187e-6
            + t * -5.8440503e-7))))))))));
    } else if (!pp_is_inf(x)) {
        let t = 1.0 / a;
        let p = 0.19947115 + t * (0.074800968 + t * (0.070230424 + t * (0.096656643
            + t * (0.34110376 + t * (-1.1721878 + t * 9.791769)))));
        value = p / sqrt(a) / a;
    }
    return pp_copysign(value, -x);
}

// e^(x^2) erfc(x) for x >= 0: 1 + 2x times it is a smooth function of (x - 2)/(x + 2).
fn pp_erfcx_positive(x: f32) -> f32 {
    let b = min(x, 1e9);
    let t = (b - 2.0) / (b + 2.0);
    let p = 1.2769784 + t * (-0.092763819 + t * (-0.16603038 + t * (0.16405112 + t * (-0.054220263
        + t * (-0.0080322735 + t * (0.0087245796 + t * (0.001263022 + t * (-0.0014640053
        + t * (-0.00043389944 + t * (0.00022150263 + t * (0.00012412254 + t * (-2.0229383e-5
        + t * -1.8684465e-5))))))))))));
    return select(p / (1.0 + (b + b)), 0.56418958 / x, x > 1e9);
}

fn pp_erfcx(x: f32) -> f32 {
    let value = pp_erfcx_positive(abs(x));
    if (x < 0.0) {
        // erfc(x) = 2 - erfc(-x), with a square in two parts.
        let b = max(x, -12.0);
        return 2.0 * pp_dd_exp(pp_two_product(b, b)) - value;
    }
    return select(value, x, pp_is_nan(x));
}

// A node on [-1, 1] and its weight, of Gauss's rule with 16 nodes.
fn pp_gauss(i: i32) -> vec2<f32> {
    var nodes = array<f32, 8>(0.0950125098, 0.281603551, 0.458016778, 0.617876244, 0.755404408,
        0.865631202, 0.944575023, 0.989400935);
    var weights = array<f32, 8>(0.189450610, 0.182603415, 0.169156519, 0.149595989, 0.124628971,
        0.0951585117, 0.0622535239, 0.0271524594);
    let k = i & 7;
    return vec2<f32>(select(nodes[k], -nodes[k], i > 7), weights[k]);
}

// e^(x^2) times the n-th repeated integral of erfc, n > 0.
fn pp_erfcx_derivative(x: f32, n: i32) -> f32 {
    if (pp_is_nan(x)) {
        return x;
    }
    if (x <= 0.0) {
        // 2 k y[k] = y[k-2] - 2 x y[k-1], all positive here; y[-1] = 2/sqrt(pi). Scaled, since they
        // rise before they fall.
        let scale = select(1.0, 5.4210109e-20, x < -4.0);
        var before = 1.1283792 * scale;
        var y = pp_erfcx(x) * scale;
        for (var k = 1; k <= n; k = k + 1) {
            let z = 1.0 / f32(k);
            let next = 0.5 * before * z - x * z * y;
            before = y;
            y = next;
        }
        return y / scale;
    }
    // 2/sqrt(pi) times the integral of e^h with h = n log s - s^2 - 2 x s, less log n!. Its maximum
    // is at p; h is concave, and a parabola with the curvature there bounds it on the left.
    let b = min(x, 1e15);
    let m = f32(n);
    let p = m / (b + sqrt(b * b + 2.0 * m));
    let width = 1.0 / sqrt(m / p / p + 2.0);
    let low = max(p - 6.4 * width, 0.0);
    // On the right by Newton's steps to where e^h is below 1e-9 of the maximum.
    var high = p + 6.4 * width;
    for (var k = 0; k < 5; k = k + 1) {
        let d = high - p;
        let h = m * pp_log1p_less(d / p) - d * d;
        let slope = -m * d / p / high - 2.0 * d;
        high = high - (h + 20.0) / slope;
    }
    var sum = 0.0;
    for (var i = 0; i < 32; i = i + 1) {
        let rule = pp_gauss(i & 15);
        let length = select(low - p, high - p, i > 15);
        // At the maximum the linear parts cancel: m / p = 2 (p + x).
        let d = length * (0.5 + 0.5 * rule.x);
        sum = sum + abs(length) * rule.y * pp_exp(m * pp_log1p_less(d / p) - d * d);
    }
    let log = pp_dd_times(pp_dd_log(vec2<f32>(p, 0.0)), m);
    let gauss = pp_dd_times(pp_two_sum(p, 2.0 * b), -p);
    let exponent = pp_dd_add(pp_dd_add(log, gauss), -pp_dd_lgamma(m + 1.0));
    return select(0.56418958 * sum * pp_dd_exp(exponent), 0.0, x > 1e15);
}

// The exponential integral E1(x) for x > 0.
fn pp_exp1_positive(x: f32) -> f32 {
    if (x <= 1.0) {
        let p = -0.57721567 + x * (1.0 + x * (-0.24999999 + x * (0.055555444 + x * (-0.010416161
            + x * (0.0016653275 + x * (-0.00022933657 + x * (2.62744e-5 + x * -1.9619259e-6)))))));
        return p - pp_log(x);
    }
    let t = (x - 5.0) / (x + 3.0);
    let p = 0.85211086 + t * (0.18026435 + t * (-0.045167424 + t * (0.017607903 + t * (-0.0069614914
        + t * (0.0030606485 + t * (-0.001349024 + t * (0.00073095685 + t * (-0.00041155232
        + t * (5.0959661e-5 + t * (2.7557981e-5 + t * (0.00011147978 + t * -7.5262011e-5)))))))))));
    return pp_exp(-x) * (p / x);
}

// The exponential integral Ei(x) for x > 0.
fn pp_expi_positive(x: f32) -> f32 {
    if (x < 2.0) {
        // log(x/z) + (x - z) g(x) with the zero z in two parts; W. Cody and H. Thacher, Math. Comp.
        // 23 (1969) 289.
        let t = x - 1.0;
        let g = 1.4464226 + t * (0.43324691 + t * (0.1063807 + t * (0.021247955
            + t * (0.0035515367 + t * (0.0005093356 + t * (6.3905165e-5 + t * (7.1283384e-6
            + t * (7.2882824e-7 + t * 6.564899e-8))))))));
        let near = abs(x - 0.37250742) < 0.2;
        let offset = (x - 0.37250742) + select(0.0, 1.2381094e-8, near);
        let ratio = select(pp_log(x / 0.37250741), pp_log(x) + 0.98749838, x < 1e-20);
        let log = select(ratio, pp_log1p(offset / 0.37250742), near);
        return log + offset * g;
    }
    var p = 0.0;
    if (x < 4.0) {
        let t = x - 3.0;
        p = 1.4837292 + t * (0.010847198 + t * (-0.086045131 + t * (0.037037034
            + t * (-0.0082617206 + t * (0.00083556684 + t * (0.00013425855 + t * (-9.0957139e-5
            + t * (2.8097264e-5 + t * (-7.0362194e-6 + t * (2.0142691e-6
            + t * -4.9714356e-7))))))))));
    } else if (x < 8.0) {
        let t = 0.5 * x - 3.0;
        p = 1.2788838 + t * (-0.1314731 + t * (0.038511831 + t * (-0.00073740474 + t * (-0.0059272591
            + t * (0.0036546679 + t * (-0.001370833 + t * (0.00037007773 + t * (-7.264068e-5
            + t * (7.3423193e-6 + t * (3.0490603e-6 + t * -1.6051463e-6))))))))));
    } else if (x < 12.0) {
        let t = (x - 9.0) / 3.0;
        p = 1.1527592 + t * (-0.074024558 + t * (0.034657214 + t * (-0.013833189 + t * (0.0040162895
            + t * (-0.0004462039 + t * (-0.00034785178 + t * (0.00029500009 + t * (-0.00013948508
            + t * (5.0943814e-5 + t * (-1.6174164e-5 + t * 3.3474714e-6))))))))));
    } else {
        let t = 24.0 / x - 1.0;
        p = 1.0456659 + t * (0.0503137 + t * (0.0054605571 + t * (0.0010414795 + t * (0.00033564199
            + t * (0.00017208281 + t * (7.2667033e-5 + t * (-3.2656055e-5 + t * (-6.0693205e-5
            + t * (-1.205967e-5 + t * (1.3288389e-5 + t * 4.724272e-6))))))))));
    }
    return pp_unscaled(x, p / x);
}

fn pp_exp1(x: f32) -> f32 {
    let zero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
    if (zero || pp_is_nan(x)) {
        return select(x, pp_inf(), zero);
    }
    if (x < 0.0) {
        return -pp_expi_positive(-x);
    }
    return select(pp_exp1_positive(x), 0.0, x > 104.0);
}

fn pp_expi(x: f32) -> f32 {
    let zero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
    if (zero || pp_is_nan(x)) {
        return select(x, -pp_inf(), zero);
    }
    if (x < 0.0) {
        return select(-pp_exp1_positive(-x), -0.0, x < -104.0);
    }
    return select(pp_expi_positive(x), pp_inf(), x > 95.0);
}

// The upper tail of the normal distribution, for h >= 0.
fn pp_upper_tail(h: f32) -> f32 {
    let b = min(h, 20.0);
    return 0.5 * pp_dd_exp(-0.5 * pp_two_product(b, b)) * pp_erfcx_positive(0.70710678 * b);
}

// T for h >= 0 and 0 <= a <= 1.
fn pp_owens_integral(h: f32, a: f32) -> f32 {
    if (h > 20.0) {
        return 0.0;
    }
    // e^(-h^2 t^2 / 2) is below 1e-9 beyond.
    let end = select(a, 6.5 / h, h * a > 6.5);
    var sum = 0.0;
    for (var i = 0; i < 16; i = i + 1) {
        let rule = pp_gauss(i);
        let t = (0.5 + 0.5 * rule.x) * end;
        let ht = h * t;
        sum = sum + rule.y * pp_exp(-0.5 * ht * ht) / (1.0 + t * t);
    }
    return pp_dd_exp(-0.5 * pp_two_product(h, h)) * (sum * end) * 0.079577472;
}

fn pp_owens_t(h: f32, a: f32) -> f32 {
    if (pp_is_nan(h) || pp_is_nan(a)) {
        return pp_nan();
    }
    let x = abs(h);
    let size = abs(a);
    if (x == 0.0) {
        return pp_copysign(pp_atan(size) * 0.15915494, a);
    }
    if (size <= 1.0) {
        return pp_copysign(pp_owens_integral(x, size), a);
    }
    // T(h, a) + T(a h, 1/a) = (Q(h) + Q(a h))/2 - Q(h) Q(a h)
    let far_point = x * size;
    let near = pp_upper_tail(x);
    let far = pp_upper_tail(far_point);
    let value = 0.5 * (near + far) - near * far - pp_owens_integral(far_point, 1.0 / size);
    return pp_copysign(value, a);
}
