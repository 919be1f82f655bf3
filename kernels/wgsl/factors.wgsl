// What decompositions share: powers of two to scale by, rotations, the sign of a vector.

// The exponent of a number's largest power of two; 5000 for what is not finite, 0 for 0.
fn pp_exponent(x: f32) -> i32 {
    let bits = i32((bitcast<u32>(x) >> 23u) & 255u);
    return select(select(bits - 127, 5000, bits == 255), 0, bits == 0);
}

fn pp_is_zero(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) == 0u;
}

fn pp_is_negative(x: f32) -> bool {
    return bitcast<i32>(x) < 0;
}

// The larger magnitude; what is not finite wins.
fn pp_larger(a: f32, x: f32) -> f32 {
    let bits = max(bitcast<u32>(a) & 0x7fffffffu, bitcast<u32>(x) & 0x7fffffffu);
    return bitcast<f32>(bits);
}

// Of `count` players, an even number, those that meet in place `k` of a round; the smaller first.
// In count - 1 rounds each meets each other.
fn pp_meeting(round: i32, k: i32, count: i32) -> vec2<i32> {
    let others = count - 1;
    let a = (round + k) % others;
    let b = select((round - k + others) % others, others, k == 0);
    return vec2<i32>(min(a, b), max(a, b));
}

// (s, s / (1 + c), t) for the rotation p' = c p - s q, q' = s p + c q that makes `pq` zero:
// t^2 + 2 theta t - 1 = 0 for t = s / c with theta = (qq - pp) / (2 pq), the smaller root.
fn pp_rotation(pp: f32, qq: f32, pq: f32) -> vec3<f32> {
    if (!(abs(pq) > {{no_angle}})) {
        return vec3<f32>();
    }
    let theta = (qq - pp) / (2.0 * pq);
    let size = 1.0 / (abs(theta) + sqrt(theta * theta + 1.0));
    let t = select(size, -size, theta < 0.0);
    let c = 1.0 / sqrt(t * t + 1.0);
    let s = t * c;
    return vec3<f32>(s, s / (1.0 + c), t);
}

// Differences from p and q instead of products with c, which is close to 1 (Rutishauser).
fn pp_turn(p: f32, q: f32, turn: vec3<f32>) -> vec2<f32> {
    return vec2<f32>(p - turn.x * (q + turn.y * p), q + turn.x * (p - turn.y * q));
}
