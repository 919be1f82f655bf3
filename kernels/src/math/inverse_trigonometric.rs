//! asin, acos, atan and atan2.
//!
//! asin x = x + x^3 P(x^2) for |x| <= 1/2, else asin x = pi/2 - 2 asin sqrt((1 - x)/2).
//! atan by one quotient num/den that lands in |t| <= tan(pi/8) and a base angle k pi/4.
//! Polynomials are Chebyshev interpolants of (asin t - t)/t^3 and (atan t - t)/t^3 in t^2.

use crate::lane::{Lane, fast_two_sum, horner, select, two_sum};

/// pi/4 as a sum of two lanes.
#[inline(always)]
fn quarter_pi<L: Lane>() -> (L, L) {
    if L::DOUBLE {
        (L::lit(core::f64::consts::FRAC_PI_4), L::lit(3.061616997868383e-17))
    } else {
        (L::lit(0.7853981852531433), L::lit(-2.1855694143368964e-08))
    }
}

/// The asin of `root` with root^2 + error = z, as a leading term and a tail, and the leading term.
#[inline(always)]
fn asin_parts<L: Lane>(root: L, root_low: L, z: L) -> (L, L) {
    let p = if L::DOUBLE {
        horner!(z; 0.16666666666666669, 0.07499999999998433, 0.04464285714635543,
            0.030381944138531247, 0.02237217294214989, 0.017352392720869973, 0.013971212973552933,
            0.011479177415184906, 0.01032281435018578, 0.005457506718640358, 0.01740087944269402,
            -0.014851887071247204, 0.028757851367421566)
    } else {
        horner!(z; 0.1666666567325592, 0.07500094175338745, 0.04459940269589424,
            0.031100662425160408, 0.017149237915873528, 0.03369084745645523)
    };
    (root, (root * z).fma(p, root_low))
}

/// `(leading, tail, is_far)`: the asin of |x| for |x| <= 1/2, else of sqrt((1 - |x|)/2).
#[inline(always)]
fn asin_folded<L: Lane>(a: L) -> (L, L, L::Mask) {
    let far = a.gt(L::lit(0.5));
    let half = L::lit(0.5) * (L::lit(1.0) - a);
    let root = half.sqrt();
    // One step of Newton's method recovers what the root lost; the tiny term guards 0/0.
    let tiny = L::lit(if L::DOUBLE { 1e-300 } else { 1e-35 });
    let root_low = (-root).fma_exact(root, half) / (root + root + tiny);
    let z = select(far, half, a * a);
    let (lead, tail) = asin_parts(select(far, root, a), select(far, root_low, L::lit(0.0)), z);
    (lead, tail, far)
}

/// asin x.
#[inline(always)]
pub fn asin<L: Lane>(x: L) -> L {
    let (lead, tail, far) = asin_folded(x.abs());
    let (quarter, quarter_low) = quarter_pi::<L>();
    let two = L::lit(2.0);
    let (s, e) = fast_two_sum(two * quarter, -(two * lead));
    let folded = s + (e + two * (quarter_low - tail));
    select(far, folded, lead + tail).copysign(x)
}

/// acos x.
#[inline(always)]
pub fn acos<L: Lane>(x: L) -> L {
    let (lead, tail, far) = asin_folded(x.abs());
    let negative = x.lt(L::lit(0.0));
    let (quarter, quarter_low) = quarter_pi::<L>();
    let two = L::lit(2.0);
    // near: pi/2 -+ asin; far: 2 asin or pi - 2 asin. One shape: base + sign * (lead + tail).
    let multiple = select(far, select(negative, L::lit(4.0), L::lit(0.0)), two);
    let base = multiple * quarter;
    let base_low = multiple * quarter_low;
    let size = select(far, two, L::lit(1.0));
    let size = select(far ^ negative, size, -size);
    let (s, e) = fast_two_sum(base, size * lead);
    s + (e + (base_low + size * tail))
}

/// atan(num / den) + base, for a quotient within tan(pi/8) of zero.
#[inline(always)]
fn atan_quotient<L: Lane>(num: (L, L), den: (L, L), base: (L, L), sign: L) -> L {
    let inverse = L::lit(1.0) / den.0;
    let t = num.0 * inverse;
    let t_low = ((-t).fma_exact(den.0, num.0) + (num.1 - t * den.1)) * inverse;
    let z = t * t;
    let p = if L::DOUBLE {
        horner!(z; -0.3333333333333333, 0.1999999999999548, -0.14285714284657894,
            0.11111111014561013, -0.09090904549884611, 0.07692182535116648, -0.06664502215671447,
            0.058580687568615106, -0.05085030492810941, 0.03921955253255129,
            -0.019162068915902573)
    } else {
        horner!(z; -0.3333333134651184, 0.19999538362026215, -0.14263896644115448,
            0.10743099451065063, -0.06449835002422333)
    };
    let tail = (t * z).fma(p, t_low);
    let (s, e) = fast_two_sum(base.0, sign * t);
    s + (e + (base.1 + sign * tail))
}

/// tan(pi/8), the largest quotient that the polynomial takes.
const FOLD: f64 = core::f64::consts::SQRT_2 - 1.0;

/// atan x.
#[inline(always)]
pub fn atan<L: Lane>(x: L) -> L {
    let (zero, one) = (L::lit(0.0), L::lit(1.0));
    // Beyond the bound the answer is pi/2 anyway, and the residual of the quotient stays finite.
    let bound = L::lit(if L::DOUBLE { 1.152921504606847e18 } else { 1_073_741_824.0 });
    let a = x.abs();
    let a = select(a.gt(bound), bound, a);
    let near = a.le(L::lit(FOLD));
    let far = a.gt(L::lit(1.0 / FOLD));
    let (difference, difference_low) = two_sum(a, -one);
    let (sum, sum_low) = two_sum(a, one);
    let num = select(near, a, select(far, -one, difference));
    let num_low = select(near | far, zero, difference_low);
    let den = select(near, one, select(far, a, sum));
    let den_low = select(near | far, zero, sum_low);
    let (quarter, quarter_low) = quarter_pi::<L>();
    let multiple = select(near, zero, select(far, L::lit(2.0), one));
    let base = (multiple * quarter, multiple * quarter_low);
    atan_quotient((num, num_low), (den, den_low), base, one).copysign(x)
}

/// The angle of the point (x, y), with C's rules for zeros and infinities.
#[inline(always)]
pub fn atan2<L: Lane>(y: L, x: L) -> L {
    let (zero, one) = (L::lit(0.0), L::lit(1.0));
    let infinity = L::lit(f64::INFINITY);
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ay.gt(ax);
    let (small, large) = (select(steep, ax, ay), select(steep, ay, ax));
    // Infinities and the origin become points of the same direction.
    let both_infinite = small.equals(infinity);
    let degenerate = large.equals(infinity) | large.equals(zero);
    let small = select(both_infinite, one, select(degenerate, zero, small));
    let large = select(degenerate, one, large);
    // Keep sums from overflowing and residuals from underflowing.
    let (high, shrink, low, grow) = if L::DOUBLE {
        (8.45271249817064e270, 1e-200, 1e-250, 1e150)
    } else {
        (1.2676506002282294e30, 9.5367431640625e-07, 1e-25, 1_099_511_627_776.0)
    };
    let (shrink, grow) = if L::DOUBLE {
        // 2^-664 and 2^498: powers of two keep the scaling exact.
        (f64::from_bits((1023 - 664) << 52), f64::from_bits((1023 + 498) << 52))
    } else {
        (shrink, grow)
    };
    let factor = select(large.gt(L::lit(high)), L::lit(shrink), one);
    let factor = select(large.lt(L::lit(low)), L::lit(grow), factor);
    let (small, large) = (small * factor, large * factor);
    let near = small.le(L::lit(FOLD) * large);
    let (difference, difference_low) = two_sum(small, -large);
    let (sum, sum_low) = two_sum(small, large);
    let num = (select(near, small, difference), select(near, zero, difference_low));
    let den = (select(near, large, sum), select(near, zero, sum_low));
    // base + sign * angle: the eight octants as multiples of pi/4.
    let fold = select(near, zero, one);
    let negative = x.is_negative();
    let flipped = steep ^ negative;
    let corner = select(steep, L::lit(2.0), select(negative, L::lit(4.0), zero));
    let sign = select(flipped, -one, one);
    let multiple = corner + sign * fold;
    let (quarter, quarter_low) = quarter_pi::<L>();
    let base = multiple * quarter;
    let base_low = multiple.fma_exact(quarter, -base) + multiple * quarter_low;
    let angle = atan_quotient(num, den, (base, base_low), sign).copysign(y);
    let sum_of_arguments = x + y;
    select(!(x.is_nan() | y.is_nan()), angle, sum_of_arguments)
}
