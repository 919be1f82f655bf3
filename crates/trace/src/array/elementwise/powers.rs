//! Roots, powers, logarithms, rounding and predicates that are made of other operations.
//! Each keeps the accuracy of a primitive: where the plain formula loses digits, it is split.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{binary, by_width, select};
use crate::array::make::fill::ones_like;
use crate::dtype::DType;
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::op::elementwise::BinaryOp;
use std::f64::consts::{LN_2, LOG10_E, PI};

impl Array {
    /// `x^n` for a whole number, by repeated multiplication; exact for integers.
    #[track_caller]
    #[doc(alias = "lax.integer_pow")]
    pub fn powi(&self, n: i32) -> Array {
        let mut power = n.unsigned_abs();
        let mut base = self.clone();
        let mut result: Option<Array> = None;
        while power > 0 {
            if power & 1 == 1 {
                result = Some(match result {
                    Some(r) => binary(Op::Binary(BinaryOp::Mul), &r, &base),
                    None => base.clone(),
                });
            }
            power >>= 1;
            if power > 0 {
                base = base.square();
            }
        }
        match result {
            None => ones_like(self),
            Some(r) if n < 0 && r.dtype().is_integer() => Array::from(1).trunc_divide(r),
            Some(r) if n < 0 => r.recip(),
            Some(r) => r,
        }
    }

    /// `x^y`. Small whole literal exponents and one half multiply, divide or take roots. Integers
    /// are raised to integers by squaring and wrap; a negative exponent truncates `1 / x^|y|`.
    #[track_caller]
    #[doc(alias = "power")]
    #[doc(alias = "float_power")]
    pub fn pow(&self, exponent: impl Into<Array>) -> Array {
        let exponent = exponent.into();
        if let Repr::Literal(scalar) = exponent.repr {
            let y = scalar.as_f64();
            if y == y.trunc() && y.abs() <= 16.0 {
                return self.powi(y as i32);
            }
            if y == 0.5 {
                // The power of -inf is inf, its root is not.
                let low = self.eq(f64::NEG_INFINITY);
                return if self.dtype().is_float() && !self.is_literal() {
                    select(&low, f64::INFINITY, self).sqrt()
                } else {
                    self.sqrt()
                };
            }
        }
        let whole = self.dtype().is_integer() && exponent.dtype().is_integer();
        if whole && self.error().is_none() && !self.is_literal() {
            return self.pow_integer(&exponent);
        }
        binary(Op::Binary(BinaryOp::Pow), self, &exponent)
    }

    /// The value without its derivative: a constant for every transformation.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([1.5, -2.0]).stop_gradient().to_vec::<f32>()?, [1.5, -2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn stop_gradient(&self) -> Array {
        if self.is_literal() {
            return self.clone();
        }
        in_each(&[self], |x| {
            let x = &x[0];
            // Bits say nothing of small changes, so the derivative ends at the conversion.
            let bits = match x.dtype() {
                _ if x.error().is_some() => return x.clone(),
                DType::F32 => DType::I32,
                DType::F64 => DType::I64,
                _ => return x.clone(),
            };
            x.bitcast(bits).bitcast(x.dtype())
        })
    }

    /// The whole part: rounds toward zero.
    #[track_caller]
    pub fn trunc(&self) -> Array {
        select(&self.lt(0.0), self.ceil(), self.floor())
    }

    /// The nearest whole number, ties away from zero.
    #[track_caller]
    pub fn round_half_away(&self) -> Array {
        self.each(|this| {
            let whole = this.trunc();
            let up = (this - &whole).abs().ge(0.5);
            select(&up, &whole + this.sign(), whole)
        })
    }

    /// `1 / sqrt(x)`.
    #[track_caller]
    pub fn rsqrt(&self) -> Array {
        self.sqrt().recip()
    }

    /// The real cube root, with the sign of `x`.
    #[track_caller]
    pub fn cbrt(&self) -> Array {
        self.each(|this| {
            let plain = this.is_finite() & this.ne(0.0);
            let x = select(&plain, this, 1.0);
            let negative = x.lt(0.0);
            let a = select(&negative, -&x, &x);
            // exp(log(a)/3) loses digits where the logarithm is large; a Newton step restores them.
            let y = (a.log() / 3.0).exp();
            let y = &y - (&y - &a / y.square()) / 3.0;
            // At zero and beyond the finite the root is the number itself, with an infinite slope.
            select(&plain, select(&negative, -&y, &y), this)
        })
    }

    /// `2^x`.
    #[track_caller]
    pub fn exp2(&self) -> Array {
        in_each(&[&self.to_float()], |x| {
            let x = &x[0];
            // 2^x = 2^n exp((x - n) log 2): the exponent is added exactly, in two halves so that
            // results below the normal range are reached.
            let limit = by_width(x, 160.0, 1200.0);
            let n = x.round().maximum(-limit).minimum(limit).stop_gradient();
            let half = (&n * 0.5).floor();
            let rest = &n - &half;
            ((x - &n) * LN_2).exp() * power_of_two(&half) * power_of_two(&rest)
        })
    }

    /// The logarithm to base 10, exact at powers of ten. A result that is off a whole number by no
    /// more than its rounding is that number.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array(vec![1e15, 1e-3]).log10().floor().to_vec::<f64>()?, [15.0, -3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn log10(&self) -> Array {
        // Its reciprocal is the better rounded of the two constants.
        let y = self.log() * LOG10_E;
        // At powers of ten the logarithm, the constant and the product are off by up to 1.15 units
        // of the last place together, also where a backend's logarithm is the next number. A whole
        // number less what it is near to is exact, so the sum is the whole number.
        let whole = y.round();
        let gap = &whole - &y;
        let unit = by_width(self, f64::from(f32::EPSILON), f64::EPSILON);
        let near = gap.abs().le(whole.abs() * (1.25 * unit));
        y + select(&near, gap, 0.0).stop_gradient()
    }

    /// Degrees to radians.
    #[track_caller]
    #[doc(alias = "radians")]
    pub fn deg2rad(&self) -> Array {
        self * (PI / 180.0)
    }

    /// Radians to degrees.
    #[track_caller]
    #[doc(alias = "degrees")]
    pub fn rad2deg(&self) -> Array {
        self * (180.0 / PI)
    }

    /// Whether each element is infinite.
    #[track_caller]
    #[doc(alias = "isinf")]
    pub fn is_inf(&self) -> Array {
        self.abs().eq(f64::INFINITY)
    }

    /// Whether the sign bit is set, also of zeros and NaN.
    #[track_caller]
    pub fn signbit(&self) -> Array {
        match self.dtype() {
            DType::F32 => self.bitcast(DType::I32).lt(0),
            DType::F64 => self.bitcast(DType::I64).lt(0),
            _ => self.lt(0),
        }
    }

    /// NaN replaced by zero, infinities by the largest finite numbers.
    #[track_caller]
    pub fn nan_to_num(&self) -> Array {
        in_each(&[self], |x| {
            let x = &x[0];
            let most = by_width(x, f64::from(f32::MAX), f64::MAX);
            let low = select(&x.eq(f64::NEG_INFINITY), -most, x);
            let high = select(&x.eq(f64::INFINITY), most, low);
            select(&x.is_nan(), 0.0, high)
        })
    }

    /// `sin(pi x) / (pi x)`, 1 at zero.
    #[track_caller]
    pub fn sinc(&self) -> Array {
        self.each(|this| {
            let u = this * PI;
            let near = u.abs().lt(0.5);
            // sin(u)/u = sum (-u^2)^k / (2k+1)!: near zero the quotient's derivatives cancel.
            let t = select(&near, u.square(), 0.0);
            let mut series = ones_like(&t);
            for k in (1..=8).rev() {
                let step = f64::from(2 * k * (2 * k + 1));
                series = 1.0 - &t / step * series;
            }
            // The sine of the turn from the nearest whole number is exactly zero at whole numbers.
            let whole = this.round();
            let odd = whole.ne((&whole * 0.5).floor() * 2.0);
            let sine = ((this - &whole) * PI).sin();
            let far = select(&near, 1.0, &u);
            select(&near, series, select(&odd, -&sine, &sine) / far)
        })
    }
}

/// `2^n` for whole `n` of the normal range, made of bits.
#[track_caller]
fn power_of_two(n: &Array) -> Array {
    match n.dtype() {
        DType::F32 => ((n.cast(DType::I32) + 127) << 23).bitcast(DType::F32),
        _ => ((n.cast(DType::I64) + 1023) << 52).bitcast(DType::F64),
    }
}
