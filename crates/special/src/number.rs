//! What an algorithm needs of its numbers, so that it runs on `f64` and on truncated Taylor series
//! in one or two parameters. Every function that is not arithmetic goes through [`Number::lift`],
//! which takes the derivatives at the leading value.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// The highest total order of derivatives that [`Number::lift`] carries.
pub const MAX_ORDER: usize = 3;

/// A real number, possibly with Taylor coefficients beside it.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The highest total order of the coefficients; 0 for a plain number.
    const ORDER: usize;
    /// A constant.
    fn lit(x: f64) -> Self;
    /// The leading value.
    fn value(self) -> f64;
    /// The size of the largest coefficient, the leading value among them.
    fn spread(self) -> f64;

    /// Whether a sum or product has settled, whose value did `since` steps ago and of which
    /// `change` is what the last step brought, over the whole. Coefficients settle a little later
    /// than the value, and much later where the value ends early: at whole parameters later terms
    /// are zero, and their derivatives are not.
    fn settled(since: usize, change: f64) -> bool {
        const MOST: usize = 500;
        Self::ORDER == 0 || since > 12 * Self::ORDER && (change < 1e-15 || since > MOST)
    }

    /// `f(x)` from `[f, f', f'', f''']` at the leading value.
    fn lift(self, f: [f64; MAX_ORDER + 1]) -> Self {
        let mut sum = Self::lit(f[Self::ORDER.min(MAX_ORDER)]);
        // f(x + h) = f + h (f' + h/2 (f'' + h/3 f''')), and h is nilpotent.
        let h = self - Self::lit(self.value());
        for k in (0..Self::ORDER.min(MAX_ORDER)).rev() {
            sum = Self::lit(f[k]) + h * sum * Self::lit(1.0 / (k + 1) as f64);
        }
        sum
    }

    /// `e^x`.
    fn exp(self) -> Self {
        self.lift([libm::exp(self.value()); MAX_ORDER + 1])
    }

    /// `e^x - 1`.
    fn expm1(self) -> Self {
        let (value, slope) = (libm::expm1(self.value()), libm::exp(self.value()));
        self.lift([value, slope, slope, slope])
    }

    /// `1 / x`.
    fn recip(self) -> Self {
        let r = 1.0 / self.value();
        let r2 = r * r;
        self.lift([r, -r2, 2.0 * r2 * r, -6.0 * r2 * r2])
    }
}

impl Number for f64 {
    const ORDER: usize = 0;
    fn lit(x: f64) -> f64 {
        x
    }
    fn value(self) -> f64 {
        self
    }
    fn spread(self) -> f64 {
        self.abs()
    }
}

/// A polynomial in one parameter, truncated after `N` coefficients, over numbers that may be
/// polynomials in another parameter themselves.
#[derive(Clone, Copy, Debug)]
pub struct Taylor<S, const N: usize>(pub [S; N]);

impl<S: Number, const N: usize> Taylor<S, N> {
    /// The parameter itself, at `x`.
    pub fn variable(x: S) -> Self {
        let mut c = [S::lit(0.0); N];
        for (c, v) in c.iter_mut().zip([x, S::lit(1.0)]) {
            *c = v;
        }
        Taylor(c)
    }

    /// A number that does not depend on the parameter.
    pub fn constant(x: S) -> Self {
        let mut c = [S::lit(0.0); N];
        c[0] = x;
        Taylor(c)
    }
}

impl<S: Number, const N: usize> Add for Taylor<S, N> {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = *a + b);
        self
    }
}

impl<S: Number, const N: usize> Sub for Taylor<S, N> {
    type Output = Self;
    fn sub(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = *a - b);
        self
    }
}

impl<S: Number, const N: usize> Mul for Taylor<S, N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let mut c = [S::lit(0.0); N];
        for i in 0..N {
            for j in 0..N - i {
                c[i + j] = c[i + j] + self.0[i] * other.0[j];
            }
        }
        Taylor(c)
    }
}

impl<S: Number, const N: usize> Div for Taylor<S, N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        // c[k] other[0] = self[k] - sum c[j] other[k - j]
        let mut c = self.0;
        for k in 0..N {
            for j in 0..k {
                c[k] = c[k] - c[j] * other.0[k - j];
            }
            c[k] = c[k] / other.0[0];
        }
        Taylor(c)
    }
}

impl<S: Number, const N: usize> Neg for Taylor<S, N> {
    type Output = Self;
    fn neg(mut self) -> Self {
        self.0.iter_mut().for_each(|a| *a = -*a);
        self
    }
}

impl<S: Number, const N: usize> Number for Taylor<S, N> {
    const ORDER: usize = S::ORDER + N - 1;
    fn lit(x: f64) -> Self {
        Taylor::constant(S::lit(x))
    }
    fn value(self) -> f64 {
        self.0[0].value()
    }
    fn spread(self) -> f64 {
        self.0.iter().fold(0.0, |most, c| most.max(c.spread()))
    }
}
