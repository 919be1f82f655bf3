//! The logarithm of the gamma function and its derivative, for positive arguments; the others are
//! rare and left to the scalar functions.
//!
//! With u = x - 1, or u = x below one after one step of the recurrence: lgamma(1 + u) = u (u - 1)
//! R(u) and digamma(1 + u) = (u - u0) S(u) for u in [0, 7], u0 the zero of digamma, so that both
//! keep their relative precision at their zeros. R and S are rational, fitted by weighted least
//! squares in 60 digits to 4e-18 and 8e-19 (f32: 4e-9 and 1e-9); all their coefficients are
//! positive. From 8 on Stirling's series, DLMF 5.11.1 and 5.11.2.

use super::{logarithm, without_tiny};
use crate::lane::{Lane, horner, select};

/// Whether the scalar function has the value.
#[inline(always)]
pub fn is_reflected<L: Lane>(x: L) -> L::Mask {
    x.le(L::lit(0.0))
}

/// Where the rational function ends.
const FAR: f64 = 8.0;

/// log gamma(x) for x > 0.
#[inline(always)]
pub fn lgamma<L: Lane>(x: L) -> L {
    let (one, half) = (L::lit(1.0), L::lit(0.5));
    let (below, near) = (x.lt(one), x.lt(L::lit(FAR)));
    let u = select(below, x, x - one);
    let r = if L::DOUBLE {
        let p: L = horner!(u; 0.57721566490153285835, 1.8978275119318470995,
            2.4950899842960158486, 1.6856416175071089026, 0.62779694783024262643,
            0.12911394652831339486, 0.013997848890506551313, 0.00072197010866895085919,
            0.000014446533310670916097, 6.8518298952244380069e-8);
        let q: L = horner!(u; 1.0, 3.7127871102043188186, 5.6308621471615342979,
            4.5124736337219644818, 2.069475970762638975, 0.55177194245807631014,
            0.083500787404041145956, 0.0067366195094424008681, 0.00025752314293821578121,
            3.7102406578981291645e-6, 1.1380707354639362048e-8);
        p / q
    } else {
        let p: L = horner!(u; 0.57721566289895889922, 0.80859815579974515615,
            0.32424302884218329236, 0.038299933211560987901, 0.00087471974080308800101);
        let q: L = horner!(u; 1.0, 1.8257462631607869382, 1.0681937107522706919,
            0.22803257897388328105, 0.015250572121262908007, 0.00018538562743118896276);
        p / q
    };
    // The logarithm of what the recurrence divides by, or of x.
    let log = logarithm::log(select(near, select(below, x, one), x));
    // Subtracted from zero, so that the zeros of the result are positive.
    let inside = (u * (u - one)).fma(r, L::lit(0.0) - log);
    let z = one / x;
    let t = without_tiny(z) * z;
    let series = if L::DOUBLE {
        horner!(t; 0.08333333333333333, -0.002777777777777778, 0.0007936507936507937,
            -0.0005952380952380953, 0.0008417508417508417, -0.0019175269175269176,
            0.00641025641025641, -0.029550653594771242, 0.17964437236883057)
    } else {
        horner!(t; 0.08333333333333333, -0.002777777777777778, 0.0007936507936507937)
    };
    // (x - 1/2)(log x - 1) + (log(2 pi) - 1)/2 + ...
    let rest = z.fma(series, L::lit(0.4189385332046727));
    let outside = (x - half).fma(log - one, rest);
    select(near, inside, outside)
}

/// digamma(x) for x > 0.
#[inline(always)]
pub fn digamma<L: Lane>(x: L) -> L {
    let (one, zero) = (L::lit(1.0), L::lit(0.0));
    let (below, near) = (x.lt(one), x.lt(L::lit(FAR)));
    let u = select(below, x, x - one);
    let (s, root_low) = if L::DOUBLE {
        let p: L = horner!(u; 1.2503801375034053581, 2.1523838025053156166,
            1.4024309546442854775, 0.44696560258223520536, 0.07459168775901247801,
            0.0064391696461720791331, 0.00026473799425067037484, 4.2724793318717352924e-6,
            1.6534172090413081922e-8);
        let q: L = horner!(u; 1.0, 2.4049303671051901074, 2.1636945587049420682,
            0.96064217085908498276, 0.23000350686416479304, 0.030137431581648436182,
            0.0020792436879567688843, 0.000068190992814851419553, 8.5386829359301041341e-7,
            2.3180521636824058844e-9);
        (p / q, L::lit(-1.5522348162858677e-17))
    } else {
        let p: L = horner!(u; 1.2503801362123907902, 1.40923745057276545,
            0.44786842343976376062, 0.042356729603931237967, 0.00078897758444293848113);
        let q: L = horner!(u; 1.0, 1.8105939456031912703, 0.99402101265149596674,
            0.19518792735169181683, 0.012032444682752822765, 0.0001364956559345139177);
        (p / q, L::lit(ROOT - ROOT as f32 as f64))
    };
    let z = one / x;
    let inside = ((u - L::lit(ROOT)) - root_low).fma(s, -select(below, z, zero));
    let t = without_tiny(z) * z;
    let series = if L::DOUBLE {
        horner!(t; 0.08333333333333333, -0.008333333333333333, 0.003968253968253968,
            -0.004166666666666667, 0.007575757575757576, -0.021092796092796094,
            0.08333333333333333, -0.4432598039215686, 3.0539543302701198)
    } else {
        horner!(t; 0.08333333333333333, -0.008333333333333333, 0.003968253968253968)
    };
    let log = logarithm::log(select(near, one, x));
    let outside = log - L::lit(0.5).fma(z, t * series);
    select(near, inside, outside)
}

/// The zero of digamma(1 + u), rounded to f64; the rest is -1.55e-17.
const ROOT: f64 = 0.46163214496836236;
