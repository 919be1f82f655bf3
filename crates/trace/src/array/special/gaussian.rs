//! The normal distribution function, its logarithm and its inverse, and entropy, with full
//! relative accuracy in the tails.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{by_width, like, select};
use crate::array::make::fill::ones_like;
use crate::dtype::DType;
use crate::handle::Array;
use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

impl Array {
    /// The standard normal distribution function, exact in the left tail.
    #[track_caller]
    pub fn ndtr(&self) -> Array {
        self.each(|this| {
            let t = this * -FRAC_1_SQRT_2;
            let plain = t.erfc() * 0.5;
            // What rounding t lost moves the tail by t + sqrt(t^2 + 4/pi) times as much, relatively
            // (Abramowitz and Stegun 7.1.13); to the right of zero it does not show.
            let lost = rounding_of_scaled(&this.stop_gradient());
            let fixed = t.stop_gradient();
            let tail = fixed.gt(0.0) & fixed.lt(by_width(this, 15.0, 40.0));
            let far = select(&tail, &fixed, 0.0);
            let slope = &far + (far.square() + 4.0 / PI).sqrt();
            plain * (1.0 - select(&tail, lost * slope, 0.0))
        })
    }

    /// `log(ndtr(x))`, exact in both tails.
    #[track_caller]
    pub fn log_ndtr(&self) -> Array {
        self.each(|this| {
            let far = by_width(this, -10.0, -20.0);
            let (right, left) = (this.gt(0.0), this.lt(far));
            // Each branch sees numbers of its own range only, so that none spoils the derivative.
            let positive = select(&right, this, 0.0);
            let middle = select(&(&right | &left), 0.0, this);
            let tail = select(&left, this, far);
            // log(1 - ndtr(-x)) | log(ndtr(x)) | the asymptotic series
            let upper = (-(-&positive).ndtr()).log1p();
            let centre = middle.ndtr().log();
            select(&right, upper, select(&left, log_ndtr_tail(&tail), centre))
        })
    }

    /// The inverse of [`Array::ndtr`]: the quantile of the standard normal distribution. Infinite
    /// at 0 and 1, NaN outside. Its derivatives are exact up to the fourth.
    #[track_caller]
    pub fn ndtri(&self) -> Array {
        self.each(|this| differentiable_quantile(this, 1.0))
    }

    /// The inverse of [`Array::erfc`].
    #[track_caller]
    pub fn erfc_inv(&self) -> Array {
        // Not of half the argument, which would round numbers below the normal range.
        self.each(|this| differentiable_quantile(this, 2.0) * -FRAC_1_SQRT_2)
    }

    /// `-x log(x)`, the summand of entropy: 0 at zero, `-inf` below.
    #[track_caller]
    pub fn entr(&self) -> Array {
        self.each(|this| {
            let positive = this.gt(0.0);
            let x = select(&positive, this, 1.0);
            let outside = select(&this.eq(0.0), like(this, 0.0), f64::NEG_INFINITY);
            let outside = select(&this.is_nan(), f64::NAN, outside);
            select(&positive, -(&x * x.log()), outside)
        })
    }

    /// `log(1 - exp(-x))` for positive `x`, exact near zero and far from it.
    #[track_caller]
    pub fn log1mexp(&self) -> Array {
        self.each(|this| {
            let far = this.gt(std::f64::consts::LN_2);
            let near = select(&far, 0.5, this);
            let x = select(&far, this, 1.0);
            select(&far, (-(-&x).exp()).log1p(), (-(-&near).expm1()).log())
        })
    }
}

/// `-x / sqrt(2)` less its rounded value, to a few digits: the leading halves of the factors
/// multiply exactly.
#[track_caller]
fn rounding_of_scaled(x: &Array) -> Array {
    in_each(&[x], |x| rounding(&x[0]))
}

#[track_caller]
fn rounding(x: &Array) -> Array {
    let (bits, mask, width) = match x.dtype() {
        DType::F32 => (DType::I32, -(1i64 << 12), 12),
        _ => (DType::I64, -(1i64 << 27), 26),
    };
    // sqrt(1/2) in three parts: the leading half, the rest of the number of x's precision, and
    // what that lacks.
    let unit = f64::from(1u32 << width);
    let head = (FRAC_1_SQRT_2 * unit).floor() / unit;
    let whole = by_width(x, f64::from(FRAC_1_SQRT_2 as f32), FRAC_1_SQRT_2);
    let lacking = by_width(x, FRAC_1_SQRT_2 - whole, -4.833646656726457e-17);
    let high = (x.bitcast(bits) & mask).bitcast(x.dtype());
    let low = x - &high;
    let rounded = x * -whole;
    let exact = (-(&high * head) - &rounded) - &high * (whole - head);
    exact - &low * whole - x * lacking
}

/// `log(ndtr(x))` for far negative `x`: with `t = 1/x^2`,
/// `-x^2/2 - log(-x) - log(2 pi)/2 + log(1 - t + 3 t^2 - 15 t^3 + ...)`.
#[track_caller]
fn log_ndtr_tail(x: &Array) -> Array {
    let t = x.square().recip();
    let mut series = ones_like(&t);
    for k in (1..=8).rev() {
        // The ratio of neighbouring terms is -(2k - 1) t.
        series = 1.0 - &t * f64::from(2 * k - 1) * series;
    }
    x.square() * -0.5 - (-x).log() - 0.5 * (2.0 * PI).ln() + series.log()
}

/// The quantile of `p / whole`, `whole` 1 or 2.
#[track_caller]
fn differentiable_quantile(this: &Array, whole: f64) -> Array {
    let inside = above_zero(&this.stop_gradient()) & this.lt(whole);
    let p = select(&inside, this, 0.5 * whole);
    let fixed = p.stop_gradient();
    let z = quantile(&fixed, whole);
    // z is a constant for the derivatives. They come from the expansion of the quantile
    // function about p, in d = (p - p) / phi(z), which is zero:
    // z + d + z d^2/2 + (2 z^2 + 1) d^3/6 + (6 z^3 + 7 z) d^4/24
    // One over phi(z) may be infinite, which times zero is no number; its root is not.
    let root = (z.square() * 0.25).exp();
    let d = (&p - &fixed) * ((2.0 * PI).sqrt() / whole) * &root * &root;
    let z2 = z.square();
    let fourth = &z * (&z2 * 6.0 + 7.0) / 24.0;
    let third = (&z2 * 2.0 + 1.0) / 6.0 + &d * fourth;
    let second = &z * 0.5 + &d * third;
    let value = &z + &d * (1.0 + &d * second);
    let ends = select(&this.eq(whole), like(this, f64::INFINITY), f64::NAN);
    let ends = select(&this.eq(0.0), f64::NEG_INFINITY, ends);
    select(&inside, value, ends)
}

/// Whether the bits are those of a number above zero, or of a NaN: also where comparisons take
/// subnormal numbers for zero.
#[track_caller]
fn above_zero(x: &Array) -> Array {
    let bits = if x.dtype() == DType::F32 { DType::I32 } else { DType::I64 };
    x.bitcast(bits).gt(0)
}

/// The quantile of `p / whole` inside (0, 1), without a derivative.
#[track_caller]
fn quantile(p: &Array, whole: f64) -> Array {
    // In the middle p - whole/2 is exact.
    let middle = p.ge(0.25 * whole) & p.le(0.75 * whole);
    let half = 0.5 * whole;
    let centre = ((select(&middle, p, half) - half) * (1.0 / half)).erf_inv() * SQRT_2;
    let upper = p.gt(half);
    let q = select(&middle, 0.1, select(&upper, whole - p, p));
    let log_q = q.log() - whole.ln();
    // Abramowitz and Stegun 26.2.23, good to 4.5e-4.
    let t = (&log_q * -2.0).sqrt();
    let top = 2.515517 + &t * (0.802853 + &t * 0.010328);
    let bottom = 1.0 + &t * (1.432788 + &t * (0.189269 + &t * 0.001308));
    let mut z = top / bottom - &t;
    for _ in 0..2 {
        // Halley's step on g = log ndtr(z) - log q, where g' = h = phi/ndtr, g'' = -h (z + h).
        // On the logarithm the error stays relative, however small q is.
        let log_n = z.log_ndtr();
        let g = &log_n - &log_q;
        let h = (z.square() * -0.5 - 0.5 * (2.0 * PI).ln() - &log_n).exp();
        let step = &g / &h;
        z = &z - &step / (1.0 + &step * (&z + &h) * 0.5);
    }
    select(&middle, centre, select(&upper, -&z, &z))
}
