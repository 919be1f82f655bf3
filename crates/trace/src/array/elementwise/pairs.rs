//! Functions of two arrays that are made of other operations: distances, divisions with their
//! remainders, products with logarithms. Both operands broadcast together.

use crate::array::each::{named, named_each};
use crate::array::elementwise::arithmetic::{by_width, like, select};
use crate::dtype::DType;
use crate::handle::Array;
use std::f64::consts::LN_2;

impl Array {
    /// `sqrt(x^2 + y^2)` without overflow; infinite if either is. Its slopes at the origin are 0.
    #[track_caller]
    pub fn hypot(&self, other: impl Into<Array>) -> Array {
        named_each("hypot", &[self, &other.into()], |operands| hypot(&operands[0], &operands[1]))
    }
    /// The quotient rounded down; of integers an integer. By zero integers give what
    /// [`Array::trunc_divide`] gives, corrected for the sign of the remainder.
    #[track_caller]
    pub fn floor_divide(&self, other: impl Into<Array>) -> Array {
        named_each("floor_divide", &[self, &other.into()], |operands| {
            let (this, other) = (&operands[0], &operands[1]);
            let remainder = this % other;
            if this.error().is_none() && !remainder.dtype().is_float() {
                let quotient = this.trunc_divide(other);
                if !quotient.dtype().is_signed() {
                    return quotient;
                }
                let down = this.sign().ne(other.sign()) & remainder.ne(0);
                return &quotient - down.cast(quotient.dtype());
            }
            let quotient = (this - &remainder) / other;
            let down = remainder.ne(0.0) & remainder.sign().ne(other.sign());
            let whole = select(&down, &quotient - 1.0, &quotient).round();
            // There is no remainder of a division by zero.
            select(&other.eq(0.0), this / other, whole)
        })
    }

    /// The remainder of [`Array::floor_divide`]: it has the sign of the divisor. Zero for an
    /// integer divided by zero.
    #[track_caller]
    #[doc(alias = "mod")]
    #[doc(alias = "remainder")]
    pub fn modulo(&self, other: impl Into<Array>) -> Array {
        named_each("modulo", &[self, &other.into()], |operands| {
            let (this, other) = (&operands[0], &operands[1]);
            let remainder = this % other;
            let apart = remainder.lt(0).ne(other.lt(0)) & remainder.ne(0);
            let positive = select(&apart, &remainder + other, &remainder);
            if positive.error().is_some() || positive.dtype().is_float() {
                return positive;
            }
            select(&other.eq(0), 0, positive)
        })
    }

    /// The remainder with the sign of the dividend, as `%`.
    #[track_caller]
    #[doc(alias = "lax.rem")]
    pub fn fmod(&self, other: impl Into<Array>) -> Array {
        self % other.into()
    }

    /// `log2(2^x + 2^y)` without overflow.
    #[track_caller]
    pub fn logaddexp2(&self, other: impl Into<Array>) -> Array {
        named_each("logaddexp2", &[self, &other.into()], |operands| {
            let (this, other) = (&operands[0], &operands[1]);
            let (larger, gap) = this.larger_and_gap(other);
            larger + (gap * LN_2).exp().log1p() / LN_2
        })
    }

    /// The larger operand, and less the difference to the other. Sides are chosen rather than
    /// compared by `max` and `abs`, so that derivatives of every order are those of a smooth
    /// function, also where the operands are equal.
    #[track_caller]
    pub(crate) fn larger_and_gap(&self, other: &Array) -> (Array, Array) {
        let difference = self - other;
        let first = difference.gt(0.0);
        let gap = select(&first, -&difference, &difference);
        // Two equal infinities have no difference; either is the sum.
        let equal = self.eq(other) & self.is_inf();
        let gap = select(&equal, f64::NEG_INFINITY, gap);
        (select(&first, self, other), gap)
    }

    /// The magnitude of `self` with the sign of `other`, also of zeros.
    #[track_caller]
    pub fn copysign(&self, other: impl Into<Array>) -> Array {
        let other = other.into();
        let size = self.abs();
        named("copysign", &[self, &other], select(other.signbit(), -&size, &size))
    }

    /// `x log(y)`, zero where `x` is zero whatever `y` is but NaN.
    #[track_caller]
    pub fn xlogy(&self, y: impl Into<Array>) -> Array {
        named_each("xlogy", &[self, &y.into()], |operands| {
            let (x, y) = (&operands[0], &operands[1]);
            let y = select(&x.vanishes_before(y, 0.0), 1.0, y);
            x * y.log()
        })
    }

    /// `x log(1 + y)`, zero where `x` is zero whatever `y` is but NaN.
    #[track_caller]
    pub fn xlog1py(&self, y: impl Into<Array>) -> Array {
        named_each("xlog1py", &[self, &y.into()], |operands| {
            let (x, y) = (&operands[0], &operands[1]);
            let y = select(&x.vanishes_before(y, -1.0), 0.0, y);
            x * y.log1p()
        })
    }

    /// Where `x` is zero and the logarithm of `y`, finite above `least`, would spoil the product.
    #[track_caller]
    fn vanishes_before(&self, y: &Array, least: f64) -> Array {
        self.eq(0.0) & y.eq(y) & !(y.gt(least) & y.is_finite())
    }

    /// 0 below zero, 1 above, `at_zero` at zero.
    #[track_caller]
    pub fn heaviside(&self, at_zero: impl Into<Array>) -> Array {
        named_each("heaviside", &[self, &at_zero.into()], |operands| {
            let (this, at_zero) = (&operands[0], &operands[1]);
            let level = select(&this.gt(0.0), like(this, 1.0), at_zero);
            let level = select(&this.lt(0.0), 0.0, level);
            select(&this.is_nan(), this, level)
        })
    }

    /// `(x - y)^2`.
    #[track_caller]
    pub fn squared_difference(&self, other: impl Into<Array>) -> Array {
        let other = other.into();
        named("squared_difference", &[self, &other], (self - &other).square())
    }

    /// `x log(x / y)`, the summand of relative entropy; zero at `x = 0`, infinite outside the
    /// domain.
    #[track_caller]
    pub fn rel_entr(&self, y: impl Into<Array>) -> Array {
        named_each("rel_entr", &[self, &y.into()], |operands| {
            let (x, y) = (&operands[0], &operands[1]);
            let inside = x.gt(0.0) & y.gt(0.0);
            let zero = x.eq(0.0) & y.ge(0.0);
            let (x, y) = (select(&inside, x, 1.0), select(&inside, y, 1.0));
            // The rounded quotient says nothing of operands that are nearly equal.
            let excess = (&y - &x) / &x;
            let near = excess.gt(-0.5) & excess.lt(1.0);
            let close = select(&near, excess, 0.0).log1p();
            let quotient = select(&near, 1.0, &x / &y);
            let log = select(&near, -close, quotient.log());
            select(&inside, &x * log, select(&zero, like(&x, 0.0), f64::INFINITY))
        })
    }

    /// `x log(x / y) - x + y`, which is never negative.
    #[track_caller]
    pub fn kl_div(&self, y: impl Into<Array>) -> Array {
        named_each("kl_div", &[self, &y.into()], |operands| {
            let (x, y) = (&operands[0], &operands[1]);
            let far = x.rel_entr(y) - x + y;
            let inside = x.gt(0.0) & y.gt(0.0) & y.is_finite();
            let (x, y) = (select(&inside, x, 1.0), select(&inside, y, 2.0));
            let excess = (&y - &x) / &x;
            let near = inside & excess.gt(-0.5) & excess.lt(1.25);
            let excess = select(&near, excess, 0.0);
            select(&near, x * less_log1p(&excess), far)
        })
    }
}

/// `r - log(1 + r)` for `r` from -1/2 to 5/4, to the last digits also where that is nearly zero:
/// with `s = r / (2 + r)` the logarithm is `2 (s + s^3/3 + s^5/5 + ..)` and `r - 2 s = r s`.
#[track_caller]
fn less_log1p(r: &Array) -> Array {
    let s = r / (r + 2.0);
    let t = s.square();
    // t is at most 0.148.
    let terms = by_width(r, 9.0, 19.0) as i32;
    let mut series = like(r, 1.0 / f64::from(2 * terms + 1));
    for k in (1..terms).rev() {
        series = 1.0 / f64::from(2 * k + 1) + &t * series;
    }
    &s * (r - &t * 2.0 * series)
}

#[track_caller]
fn hypot(x: &Array, other: &Array) -> Array {
    let size = x.abs().maximum(other.abs());
    // Powers of two scale without rounding, and a choice has no derivative, so the slopes
    // are those of the plain formula.
    let (big, small, up, down) = match size.dtype() {
        DType::F32 => (2f64.powi(60), 2f64.powi(-40), 2f64.powi(90), 2f64.powi(-70)),
        _ => (2f64.powi(500), 2f64.powi(-400), 2f64.powi(600), 2f64.powi(-600)),
    };
    let scale = select(&size.lt(small), up, like(&size, 1.0));
    let scale = select(&size.gt(big), down, scale);
    let squares = (x * &scale).square() + (other * &scale).square();
    // A root of zero has no slope; the corner at the origin lies between slopes -1 and 1.
    let origin = size.eq(0.0);
    let root = select(&origin, 1.0, squares).sqrt() / &scale;
    let plain = select(&origin, 0.0, root);
    select(&(x.is_inf() | other.is_inf()), f64::INFINITY, plain)
}
