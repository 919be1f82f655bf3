// What running reductions keep: of sums the rounding errors too, of products the exponent apart.
// Like that long sums lose no digits, and products may pass the range of f32 and come back.

// Compilers may not reorder what this stands around: `pp_zero` is zero, but only at run time.
fn pp_apart(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ pp_zero);
}

// A sum and what it lacks.
fn pp_wide_sum(x: f32) -> vec2<f32> {
    return vec2<f32>(x, 0.0);
}

// Knuth's two-sum.
fn pp_join_sum(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let sum = pp_apart(a.x + b.x);
    let from_b = pp_apart(sum - a.x);
    let from_a = pp_apart(sum - from_b);
    return vec2<f32>(sum, (a.y + b.y) + ((a.x - from_a) + (b.x - from_b)));
}

// What an infinite sum lacks is NaN; and a sum of -0 lacks 0.
fn pp_narrow_sum(a: vec2<f32>) -> f32 {
    let infinite = (bitcast<u32>(a.x) & 0x7f800000u) == 0x7f800000u;
    return select(a.x + a.y, a.x, infinite || a.y == 0.0);
}

// (m, e) for m 2^e with 1 <= |m| < 2, but for 0, infinity and NaN, whose e is 0.
fn pp_wide_product(x: f32) -> vec2<f32> {
    let small = abs(x) < 1.1754944e-38;
    let y = select(x, x * 16777216.0, small);
    let field = i32((bitcast<u32>(y) >> 23u) & 255u);
    let e = f32(field - 127) - select(0.0, 24.0, small);
    let plain = field != 0 && field != 255;
    return select(vec2<f32>(x, 0.0), vec2<f32>(pp_scale(y, 127 - field), e), plain);
}

fn pp_join_product(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let m = a.x * b.x;
    let large = abs(m) >= 2.0;
    return vec2<f32>(select(m, 0.5 * m, large), a.y + b.y + select(0.0, 1.0, large));
}

fn pp_narrow_product(a: vec2<f32>) -> f32 {
    return pp_scale(a.x, i32(clamp(a.y, -252.0, 252.0)));
}
