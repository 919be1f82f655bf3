//! Numbers of twice the precision, as unevaluated sums of two: for the exponents of densities,
//! where `a log(x/a) - (x - a)` is a small difference of large terms and its error is the relative
//! error of the result. Dekker, "A floating-point technique for extending the available
//! precision", Numer. Math. 18 (1971).

use std::f64::consts::{LN_2, SQRT_2};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `hi + lo` with `|lo|` at most half an ulp of `hi`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Double {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

/// What rounding `log 2` to `f64` lost.
const LN_2_LOW: f64 = 2.3190468138462996e-17;

impl Double {
    pub(crate) fn new(hi: f64) -> Double {
        Double { hi, lo: 0.0 }
    }

    /// `a + b` exactly.
    pub(crate) fn sum(a: f64, b: f64) -> Double {
        let hi = a + b;
        let from_b = hi - a;
        Double { hi, lo: (a - (hi - from_b)) + (b - from_b) }
    }

    /// `hi + lo` for `|hi| >= |lo|`.
    fn quick(hi: f64, lo: f64) -> Double {
        let s = hi + lo;
        Double { hi: s, lo: lo - (s - hi) }
    }

    /// `a b` exactly.
    pub(crate) fn product(a: f64, b: f64) -> Double {
        let hi = a * b;
        Double { hi, lo: a.mul_add(b, -hi) }
    }

    pub(crate) fn value(self) -> f64 {
        self.hi + self.lo
    }

    /// `e^self`, rounded once more than the exponential.
    pub(crate) fn exp(self) -> f64 {
        let e = libm::exp(self.hi);
        // Below the normal range the correction would be lost anyway, beyond it be NaN.
        if e == 0.0 || e.is_infinite() || !self.lo.is_finite() { e } else { e + e * self.lo }
    }

    /// The natural logarithm of a positive number, with an error of about 1e-30 of the result,
    /// also where the argument is close to one: `2 atanh((m - 1)/(m + 1))` of the mantissa.
    pub(crate) fn log(self) -> Double {
        let (mut m, mut k) = libm::frexp(self.hi);
        if m < 0.5 * SQRT_2 {
            m *= 2.0;
            k -= 1;
        }
        let m = Double { hi: m, lo: libm::scalbn(self.lo, -k) };
        let z = (m - Double::new(1.0)) / (m + Double::new(1.0));
        let square = z * z;
        // sum z^(2j)/(2j + 1): |z| <= 0.172, so terms past the twelfth are below 1e-17 of the
        // first and need no second half.
        let t = square.hi;
        let tail = (12..22).rev().fold(0.0, |s, j| s * t + 1.0 / f64::from(2 * j + 1));
        let mut series = Double::new(tail);
        for j in (0..12).rev() {
            let odd = f64::from(2 * j + 1);
            let inverse = 1.0 / odd;
            let rest = (-inverse).mul_add(odd, 1.0) / odd;
            series = Double { hi: inverse, lo: rest } + square * series;
        }
        let twice = z + z;
        let power = Double::product(f64::from(k), LN_2) + Double::new(f64::from(k) * LN_2_LOW);
        twice * series + power
    }
}

impl Add for Double {
    type Output = Double;
    fn add(self, other: Double) -> Double {
        let s = Double::sum(self.hi, other.hi);
        let t = Double::sum(self.lo, other.lo);
        let u = Double::quick(s.hi, s.lo + t.hi);
        Double::quick(u.hi, u.lo + t.lo)
    }
}

impl Neg for Double {
    type Output = Double;
    fn neg(self) -> Double {
        Double { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Double {
    type Output = Double;
    fn sub(self, other: Double) -> Double {
        self + -other
    }
}

impl Mul for Double {
    type Output = Double;
    fn mul(self, other: Double) -> Double {
        let p = Double::product(self.hi, other.hi);
        Double::quick(p.hi, p.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for Double {
    type Output = Double;
    fn div(self, other: Double) -> Double {
        let q = self.hi / other.hi;
        let rest = self - other * Double::new(q);
        let low = rest.hi / other.hi;
        let rest = rest - other * Double::new(low);
        Double::quick(q, low) + Double::new(rest.hi / other.hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_has_twice_the_digits() {
        // log 3 and log(1 + 2^-30) to 32 digits.
        let log3 = Double::new(3.0).log();
        assert_eq!(log3.hi, 1.0986122886681098);
        assert!((log3.lo - -9.071297235001517e-17).abs() < 1e-30, "{}", log3.lo);
        let near = Double::new(1.0 + 2f64.powi(-30)).log();
        let t = 2f64.powi(-30);
        let rest = t * t * t / 3.0 - t * t * t * t / 4.0;
        let exact = Double::sum(t, -t * t / 2.0) + Double::new(rest);
        assert!((near - exact).value().abs() < 1e-38);
    }
}
