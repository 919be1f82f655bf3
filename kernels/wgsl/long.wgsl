// 64-bit integers as pairs of words, the low one first: those with a sign by two's complement.
// What they mean is that of Rust's `i64` and `u64`: everything wraps, divisions cut off and give all
// ones by zero, shifts by the width or more give zero or the sign, conversions from floats saturate.
// No loops: some devices count them, and conversions go by bits, for devices may round as they like.

fn pp_long_add(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    let low = x.x + y.x;
    return vec2<u32>(low, x.y + y.y + select(0u, 1u, low < x.x));
}

fn pp_long_sub(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(x.x - y.x, x.y - y.y - select(0u, 1u, x.x < y.x));
}

fn pp_long_neg(x: vec2<u32>) -> vec2<u32> {
    return pp_long_sub(vec2<u32>(0u, 0u), x);
}

// The high word of a product of words, from products of halves.
fn pp_long_high(x: u32, y: u32) -> u32 {
    let a = x & 0xffffu;
    let b = x >> 16u;
    let c = y & 0xffffu;
    let d = y >> 16u;
    let middle = b * c + ((a * c) >> 16u);
    let other = a * d + (middle & 0xffffu);
    return b * d + (middle >> 16u) + (other >> 16u);
}

fn pp_long_mul(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(x.x * y.x, pp_long_high(x.x, y.x) + x.x * y.y + x.y * y.x);
}

fn pp_long_is_zero(x: vec2<u32>) -> bool {
    return (x.x | x.y) == 0u;
}

fn pp_long_less_u64(x: vec2<u32>, y: vec2<u32>) -> bool {
    return x.y < y.y || (x.y == y.y && x.x < y.x);
}

fn pp_long_less_i64(x: vec2<u32>, y: vec2<u32>) -> bool {
    let turned = vec2<u32>(0u, 0x80000000u);
    return pp_long_less_u64(x ^ turned, y ^ turned);
}

fn pp_long_max_u64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(x, y, pp_long_less_u64(x, y));
}

fn pp_long_max_i64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(x, y, pp_long_less_i64(x, y));
}

fn pp_long_min_u64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(x, y, pp_long_less_u64(y, x));
}

fn pp_long_min_i64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(x, y, pp_long_less_i64(y, x));
}

// All ones for a negative number, else zero.
fn pp_long_fill(x: vec2<u32>) -> u32 {
    return select(0u, 0xffffffffu, x.y >= 0x80000000u);
}

fn pp_long_abs(x: vec2<u32>) -> vec2<u32> {
    return select(x, pp_long_neg(x), x.y >= 0x80000000u);
}

fn pp_long_sign_u64(x: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(select(1u, 0u, pp_long_is_zero(x)), 0u);
}

fn pp_long_sign_i64(x: vec2<u32>) -> vec2<u32> {
    let fill = pp_long_fill(x);
    return vec2<u32>(select(1u, 0u, pp_long_is_zero(x)) | fill, fill);
}

// A digit of 16 bits of a quotient: of what is left, which is less than the divisor, with one more
// digit below it. The divisor has its top bit. (Knuth, The Art of Computer Programming, 4.3.1,
// algorithm D: the first guess is at most two too large.)
fn pp_long_digit(left: u32, next: u32, divisor: u32) -> u32 {
    let high = divisor >> 16u;
    let low = divisor & 0xffffu;
    var digit = left / high;
    var rest = left - digit * high;
    if (digit >= 65536u || digit * low > ((rest << 16u) | next)) {
        digit = digit - 1u;
        rest = rest + high;
        if (rest < 65536u && (digit >= 65536u || digit * low > ((rest << 16u) | next))) {
            digit = digit - 1u;
        }
    }
    return digit;
}

// (quotient, remainder) of a number of two words by one that is larger than its high word.
fn pp_long_by_word(x: vec2<u32>, y: u32) -> vec2<u32> {
    let n = countLeadingZeros(y) & 31u;
    let divisor = y << n;
    let left = (x.y << n) | ((x.x >> 1u) >> (31u - n));
    let below = x.x << n;
    let first = pp_long_digit(left, below >> 16u, divisor);
    let middle = (left << 16u) + (below >> 16u) - first * divisor;
    let second = pp_long_digit(middle, below & 0xffffu, divisor);
    let rest = (middle << 16u) + (below & 0xffffu) - second * divisor;
    return vec2<u32>((first << 16u) + second, rest >> n);
}

// (quotient, remainder), without signs. By zero it is anything.
fn pp_long_divide(x: vec2<u32>, y: vec2<u32>) -> vec4<u32> {
    let divisor = max(y.x, 1u);
    let high = x.y / divisor;
    let small = pp_long_by_word(vec2<u32>(x.x, x.y - high * divisor), divisor);
    // A guess from the leading words, for divisors of more than one: right or one too large, and
    // less one right or one too small. (Warren, Hacker's Delight, 9-5.)
    let n = countLeadingZeros(y.y) & 31u;
    let leading = (y.y << n) | ((y.x >> 1u) >> (31u - n));
    let half = vec2<u32>((x.x >> 1u) | (x.y << 31u), x.y >> 1u);
    let guess = pp_long_by_word(half, leading | 0x80000000u).x >> (31u - n);
    let less = guess - select(1u, 0u, guess == 0u);
    let rest = pp_long_sub(x, pp_long_mul(y, vec2<u32>(less, 0u)));
    let more = !pp_long_less_u64(rest, y);
    let left = select(rest, pp_long_sub(rest, y), more);
    let large = vec4<u32>(less + select(0u, 1u, more), 0u, left.x, left.y);
    return select(large, vec4<u32>(small.x, high, small.y, 0u), y.y == 0u);
}

fn pp_long_div_u64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(pp_long_divide(x, y).xy, vec2<u32>(0xffffffffu), pp_long_is_zero(y));
}

fn pp_long_rem_u64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return select(pp_long_divide(x, y).zw, x, pp_long_is_zero(y));
}

fn pp_long_div_i64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    let quotient = pp_long_divide(pp_long_abs(x), pp_long_abs(y)).xy;
    let turned = (x.y ^ y.y) >= 0x80000000u;
    let signed = select(quotient, pp_long_neg(quotient), turned);
    return select(signed, vec2<u32>(0xffffffffu), pp_long_is_zero(y));
}

fn pp_long_rem_i64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    let remainder = pp_long_divide(pp_long_abs(x), pp_long_abs(y)).zw;
    let signed = select(remainder, pp_long_neg(remainder), x.y >= 0x80000000u);
    return select(signed, x, pp_long_is_zero(y));
}

fn pp_long_shift_left(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    let n = y.x & 31u;
    let near = vec2<u32>(x.x << n, (x.y << n) | ((x.x >> 1u) >> (31u - n)));
    let far = vec2<u32>(0u, x.x << n);
    let value = select(near, far, y.x >= 32u);
    return select(value, vec2<u32>(0u), y.y != 0u || y.x >= 64u);
}

// Of a number to the right, with its high word shifted by n already.
fn pp_long_shifted(x: vec2<u32>, y: vec2<u32>, high: u32, fill: u32) -> vec2<u32> {
    let n = y.x & 31u;
    let near = vec2<u32>((x.x >> n) | ((x.y << 1u) << (31u - n)), high);
    let far = vec2<u32>(high, fill);
    let value = select(near, far, y.x >= 32u);
    return select(value, vec2<u32>(fill), y.y != 0u || y.x >= 64u);
}

fn pp_long_shift_right_u64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    return pp_long_shifted(x, y, x.y >> (y.x & 31u), 0u);
}

fn pp_long_shift_right_i64(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
    let high = bitcast<u32>(bitcast<i32>(x.y) >> (y.x & 31u));
    return pp_long_shifted(x, y, high, pp_long_fill(x));
}

fn pp_long_of_i32(x: i32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(x), select(0u, 0xffffffffu, x < 0));
}

// The bits of the nearest f32, of two the even one.
fn pp_long_float_bits(x: vec2<u32>) -> u32 {
    let n = select(countLeadingZeros(x.y), 32u + countLeadingZeros(x.x), x.y == 0u) & 63u;
    let top = pp_long_shift_left(x, vec2<u32>(n, 0u));
    let mantissa = top.y >> 8u;
    let lost = top.y & 0xffu;
    let over = lost > 0x80u || (lost == 0x80u && (top.x != 0u || (mantissa & 1u) == 1u));
    // The leading bit of the mantissa is one of the exponent.
    let bits = ((189u - n) << 23u) + mantissa + select(0u, 1u, over);
    return select(bits, 0u, pp_long_is_zero(x));
}

fn pp_long_u64_to_f32(x: vec2<u32>) -> f32 {
    return bitcast<f32>(pp_long_float_bits(x));
}

fn pp_long_i64_to_f32(x: vec2<u32>) -> f32 {
    return bitcast<f32>(pp_long_float_bits(pp_long_abs(x)) | (x.y & 0x80000000u));
}

// The whole part of the magnitude of a float below 2^64 by its bits.
fn pp_long_of_bits(bits: u32) -> vec2<u32> {
    let exponent = (bits >> 23u) & 255u;
    let mantissa = (bits & 0x7fffffu) | 0x800000u;
    let small = mantissa >> (min(150u - min(exponent, 150u), 31u));
    let left = vec2<u32>(max(exponent, 150u) - 150u, 0u);
    let large = pp_long_shift_left(vec2<u32>(mantissa, 0u), left);
    return select(large, vec2<u32>(small, 0u), exponent < 150u);
}

fn pp_long_f32_to_u64(x: f32) -> vec2<u32> {
    let bits = bitcast<u32>(x);
    let value = select(pp_long_of_bits(bits), vec2<u32>(0xffffffffu), bits >= 0x5f800000u);
    // Negative ones and NaN.
    return select(value, vec2<u32>(0u), bits > 0x7f800000u);
}

fn pp_long_f32_to_i64(x: f32) -> vec2<u32> {
    let bits = bitcast<u32>(x);
    let magnitude = bits & 0x7fffffffu;
    let negative = bits >= 0x80000000u;
    let inside = pp_long_of_bits(magnitude);
    let most = select(vec2<u32>(0xffffffffu, 0x7fffffffu), vec2<u32>(0u, 0x80000000u), negative);
    let signed = select(inside, pp_long_neg(inside), negative);
    let value = select(signed, most, magnitude >= 0x5f000000u);
    return select(value, vec2<u32>(0u), magnitude > 0x7f800000u);
}
