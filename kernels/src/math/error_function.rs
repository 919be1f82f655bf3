//! erf, erfc and the inverse of erf.
//!
//! |x| < 1 (erfc: 3/4): erf x = x + x Q(x^2). Beyond: erfc x = e^(-x^2) G(t) / (1 + 2x) with
//! t = (x - K)/(x + K), K = 15/4, the map of Shepherd and Laframboise (Math. Comp. 36, 1981).
//! erf_inv follows Giles, 'Approximating the erfinv function' (GPU Computing Gems, 2010): with
//! w = -log(1 - x^2), erf_inv x = x P(w) in the middle and x (s - d(s)) with s = sqrt(w) in the
//! tails; the coefficients are our own fits. 1 - x^2 is one multiply-add, correct to half an ulp
//! for every x, so no log1p is needed: w needs absolute precision only, since P is smooth.

use super::exponential::exp_minus_square;
use super::logarithm::log_sum;
use super::without_tiny;
use crate::lane::{Lane, horner, select};

/// (erf x) / x - 1 for |x| <= 1, given z = x^2.
#[inline(always)]
fn erf_ratio<L: Lane>(z: L) -> L {
    if L::DOUBLE {
        horner!(z; 0.1283791670955126, -0.3761263890318375, 0.11283791670954879,
            -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
            0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
            -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09,
            5.957176147748911e-11)
    } else {
        horner!(z; 0.12837916612625122, -0.3761262595653534, 0.11283594369888306,
            -0.02685421146452427, 0.005189087241888046, -0.000801686430349946,
            7.875874871388078e-05)
    }
}

/// erfc of a >= 3/4; anything below.
#[inline(always)]
fn erfc_tail<L: Lane>(a: L) -> L {
    // Beyond the bound erfc rounds to zero.
    let none = a.gt(L::lit(if L::DOUBLE { 27.2261 } else { 10.0543 }));
    let a = select(none | a.lt(L::lit(0.75)), L::lit(1.0), a);
    let centre = L::lit(3.75);
    let one = L::lit(1.0);
    let (value, power) = exp_minus_square(a);
    // One division serves both quotients.
    let (plus, scale) = (a + centre, one + (a + a));
    let inverse = one / (plus * scale);
    let t = (a - centre) * (scale * inverse);
    let g = if L::DOUBLE {
        horner!(t; 1.2375126308378275, -0.140240598585547, 0.0035854154854662616,
            0.08227673849014705, -0.10880393014189184, 0.09230432116035088, -0.058693398585401936,
            0.02836227741861779, -0.009746579621035372, 0.0017556258652448235,
            0.0002937142030042035, -0.0002901542190673367, 5.164628786016569e-05,
            2.2385067272092326e-05, -1.1434867313252473e-05, -9.764818073563436e-07,
            1.7323607147276842e-06, -5.109550343616509e-08, -2.3441059971464728e-07,
            1.6132812717861365e-08, 2.1859724523731446e-08)
    } else {
        horner!(t; 1.2375125885009766, -0.14024068415164948, 0.0035855520982295275,
            0.08228079974651337, -0.10880682617425919, 0.09224555641412735, -0.05868392437696457,
            0.028694137930870056, -0.009674656204879284, 0.001048076432198286)
    };
    select(none, L::lit(0.0), (value * g * (plus * inverse)).scale_exponent(power))
}

/// The error function.
#[inline(always)]
pub fn erf<L: Lane>(x: L) -> L {
    let a = x.abs();
    let b = without_tiny(a);
    let near = a.fma(erf_ratio(b * b), a);
    // Beyond the bound erf rounds to one; without it erfc's subnormal numbers would slow the loop.
    let bound = L::lit(if L::DOUBLE { 6.0 } else { 4.0 });
    let far = L::lit(1.0) - erfc_tail(select(a.gt(bound), bound, a));
    select(a.lt(L::lit(1.0)), near, far).copysign(x)
}

/// 1 - erf x, to relative precision in the right tail.
#[inline(always)]
pub fn erfc<L: Lane>(x: L) -> L {
    let a = x.abs();
    let b = without_tiny(x);
    let near = (L::lit(1.0) - b) - b * erf_ratio(b * b);
    // Left of -8 the tail does not show beside two.
    let tail = erfc_tail(select(x.lt(L::lit(-8.0)), L::lit(8.0), a));
    let far = select(x.lt(L::lit(0.0)), L::lit(2.0) - tail, tail);
    select(a.lt(L::lit(0.75)), near, far)
}

/// -log(1 - x^2) for |x| < 1.
#[inline(always)]
fn minus_log_complement<L: Lane>(x: L) -> L {
    let complement = (-x).fma_exact(x, L::lit(1.0));
    let (m, k, _) = complement.split_exponent();
    -log_sum(m - L::lit(1.0), k)
}

/// Where [`erf_inv`] hands over to [`erf_inv_tail`]: w = 25/4 (f64: one uniform argument in a
/// thousand) or w = 5 (f32: one in three hundred).
#[inline(always)]
pub fn erf_inv_is_tail<L: Lane>(x: L) -> L::Mask {
    x.abs().gt(L::lit(if L::DOUBLE { 0.999_034 } else { 0.996_625 }))
}

/// The inverse of erf where not [`erf_inv_is_tail`].
#[inline(always)]
pub fn erf_inv<L: Lane>(x: L) -> L {
    let w = minus_log_complement(x);
    let p = if L::DOUBLE {
        // The variable runs over [-1, 1] for w in [0, 25/4].
        let t = w.fma(L::lit(0.32), L::lit(-1.0));
        horner!(t; 1.6536545626831027, 0.7504943200799635, -0.0589225671037876,
            -0.022604447453444733, 0.0178083618187569, -0.004137314377547895,
            -0.0012716922769885114, 0.0012324855702994214, -0.00026439358646646055,
            -0.0001168888508125076, 9.336692787624058e-05, -1.5027665773117194e-05,
            -1.1255653983969421e-05, 7.12993974314695e-06, -6.87655180725494e-07,
            -1.0591188098187532e-06, 5.456420572209782e-07, -1.0412692841159635e-08,
            -1.0514990713371436e-07, 3.931511157646558e-08, 9.07207594789291e-09,
            -8.627191009014394e-09, -8.577966939639941e-11, 7.801712199036253e-10)
    } else {
        let t = w.fma(L::lit(0.4), L::lit(-1.0));
        horner!(t; 1.5014094114303589, 0.6166006922721863, -0.02610870636999607,
            -0.01957385055720806, 0.008529272861778736, -0.00048558786511421204,
            -0.0008456995128653944, 0.00028572470182552934, 3.560785989975557e-05,
            -3.4072592825395986e-05)
    };
    x * p
}

/// The inverse of erf where [`erf_inv_is_tail`], and all special cases.
#[inline(always)]
pub fn erf_inv_tail<L: Lane>(x: L) -> L {
    let a = x.abs();
    let s = minus_log_complement(x).sqrt();
    // P(s) = s - d(t) with d below 0.2, so that the rounding of the polynomial hardly counts.
    // t runs over [-1, 1] for s in [2.499, 6.061] (f64) or [sqrt 5 - 0.001, 4.1] (f32).
    let d = if L::DOUBLE {
        let t = (s - L::lit(4.28)) * L::lit(1.0 / 1.781);
        horner!(t; 0.1574766027848827, -0.01784459325898421, -0.0020908556105630554,
            0.003293525776970029, -0.002040450783684616, 0.0010867589613894554,
            -0.0006375788938834935, 0.0005060540328762971, -0.000505986233601369,
            0.0005028357477906036, -0.00042573146813984486, 0.00027459141749472887,
            -0.00010283689012116532, -2.5710576065026176e-05, 7.890719425559363e-05,
            -6.877684373217953e-05, 3.186080617934244e-05, -5.756938413150011e-07,
            -1.1848630468775501e-05, 9.589286961071614e-06, -3.4636693548045186e-06,
            1.5774596152062423e-08, 8.828660278753871e-07, -8.713547750430372e-07,
            4.067178649685449e-07, 4.948817249419885e-08, -1.1702735815037496e-07,
            2.6433651905494862e-08, 2.1374828543923154e-09)
    } else {
        let t = (s - L::lit(3.167_533_988_749_895)) * L::lit(1.0 / 0.932_466_011_250_105_2);
        horner!(t; 0.16650936007499695, -0.004000833723694086, -0.0055759078823029995,
            0.003809775924310088, -0.002474058186635375, 0.0015596991870552301,
            -0.0008049707976169884, 0.00021300865046214312, 7.853553688619286e-05,
            -5.952514038654044e-05)
    };
    let p = s - d;
    let one = L::lit(1.0);
    let result = select(a.equals(one), L::lit(f64::INFINITY).copysign(x), x * p);
    select(a.gt(one), L::lit(f64::NAN), result)
}
