//! Special functions: those of the crate `probpipe-special` point by point, and what an elementwise
//! op needs and `libm` lacks. Distributions and other composites are written with ops elsewhere.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::elements::{build, elements};
use crate::op::special::SpecialOp;
use crate::types::ArrayType;
use crate::value::Value;
use std::f64::consts::PI;

pub(super) fn special(op: SpecialOp, inputs: &[Value], ty: &ArrayType) -> Result<Value> {
    if ty.dtype == DType::F32 {
        let x: Vec<&[f32]> = inputs.iter().map(elements::<f32>).collect::<Result<_>>()?;
        return build::<f32>(ty, |out| singles(op, &x, out));
    }
    let x: Vec<&[f64]> = inputs.iter().map(elements::<f64>).collect::<Result<_>>()?;
    build::<f64>(ty, |out| points(&x, out, |v| v, |p| op.value(p)))
}

/// A special function of arrays of `f32` or `f64`, as bytes; other types are left alone.
pub fn special_bytes(dtype: DType, op: SpecialOp, inputs: &[&[u8]], out: &mut [u8]) {
    match dtype {
        DType::F32 => {
            let x: Vec<&[f32]> = inputs.iter().map(|x| bytemuck::cast_slice(x)).collect();
            singles(op, &x, bytemuck::cast_slice_mut(out));
        }
        DType::F64 => {
            let x: Vec<&[f64]> = inputs.iter().map(|x| bytemuck::cast_slice(x)).collect();
            points(&x, bytemuck::cast_slice_mut(out), |v| v, |p| op.value(p));
        }
        DType::I32 | DType::I64 | DType::U8 | DType::U32 | DType::U64 | DType::Bool => {}
    }
}

/// Each point in `f64`, rounded once.
fn singles(op: SpecialOp, x: &[&[f32]], out: &mut [f32]) {
    points(x, out, f64::from, |p| op.value_for_single(p) as f32);
}

fn points<T: Copy>(
    x: &[&[T]],
    out: &mut [T],
    widen: impl Fn(T) -> f64,
    value: impl Fn([f64; 3]) -> T,
) {
    for (i, o) in out.iter_mut().enumerate() {
        let mut point = [0.0; 3];
        for (p, x) in point.iter_mut().zip(x) {
            *p = widen(x[i]);
        }
        *o = value(point);
    }
}

/// `2 / sqrt(pi)`, the derivative of `erf` at zero.
const ERF_SLOPE: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// The inverse of `erf`: a published approximation to single precision, then Halley steps on
/// `libm`'s `erf` near zero and on its `erfc` elsewhere, where `1 - |x|` is exact.
pub(super) fn erf_inv(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() || a > 1.0 {
        return f64::NAN;
    }
    if a == 1.0 {
        return f64::INFINITY.copysign(x);
    }
    if a < 1e-8 {
        // erf_inv(x) = sqrt(pi)/2 (x + pi/12 x^3 + ...), and x^2 is below half an ulp of one.
        return x / ERF_SLOPE;
    }
    if a <= 0.5 {
        let mut y = giles(a);
        for _ in 0..2 {
            y = halley(y, (libm::erf(y) - a) / (ERF_SLOPE * libm::exp(-y * y)));
        }
        return y.copysign(x);
    }
    let q = 1.0 - a;
    // The approximation is fitted down to the smallest `1 - |x|` of `f32`, about 6e-8.
    let mut y = if q > 1e-7 { giles(a) } else { tail(q) };
    for _ in 0..3 {
        y = halley(y, (q - libm::erfc(y)) / (ERF_SLOPE * libm::exp(-y * y)));
    }
    y.copysign(x)
}

/// One Halley step for `erf(y) = x`, given Newton's step `u`: `erf'' / erf' = -2 y`.
fn halley(y: f64, u: f64) -> f64 {
    y - u / (1.0 + y * u)
}

/// M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade Edition (2011), table 5:
/// relative error about 3e-7 for `0 <= a < 1 - 6e-8`.
fn giles(a: f64) -> f64 {
    let w = -libm::log((1.0 - a) * (1.0 + a));
    let (w, coefficients) = if w < 5.0 {
        (
            w - 2.5,
            [
                2.81022636e-08,
                3.43273939e-07,
                -3.5233877e-06,
                -4.39150654e-06,
                0.00021858087,
                -0.00125372503,
                -0.00417768164,
                0.246640727,
                1.50140941,
            ],
        )
    } else {
        (
            w.sqrt() - 3.0,
            [
                -0.000200214257,
                0.000100950558,
                0.00134934322,
                -0.00367342844,
                0.00573950773,
                -0.0076224613,
                0.00943887047,
                1.00167406,
                2.83297682,
            ],
        )
    };
    a * coefficients.iter().fold(0.0, |p, c| p * w + c)
}

/// The start in the far tail: two rounds of `y^2 = -log(q y sqrt(pi))`, which is the leading term
/// `erfc(y) ~ exp(-y^2) / (y sqrt(pi))` solved for the exponent.
fn tail(q: f64) -> f64 {
    let mut y = (-libm::log(q)).sqrt();
    for _ in 0..2 {
        y = (-libm::log(q * y * PI.sqrt())).sqrt();
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in ulp of the reference.
    fn ulps(x: f64, reference: f64) -> f64 {
        let ulp = f64::from_bits(reference.abs().to_bits() + 1) - reference.abs();
        (x - reference).abs() / ulp
    }

    #[test]
    fn erf_inv_inverts_erf_and_erfc() {
        for i in 1..2000 {
            let x = f64::from(i) / 2000.0;
            let y = erf_inv(x);
            let back = if x > 0.5 { 1.0 - libm::erfc(y) } else { libm::erf(y) };
            // The condition number of `erf` at these points is below 1.2.
            assert!(ulps(back, x) <= 3.0, "{x}: {y} gives {back}");
            assert_eq!(erf_inv(-x), -y);
        }
    }

    #[test]
    fn erf_inv_at_the_ends() {
        assert_eq!(erf_inv(0.0).to_bits(), 0);
        assert_eq!(erf_inv(-0.0).to_bits(), (-0.0f64).to_bits());
        assert_eq!(erf_inv(1.0), f64::INFINITY);
        assert_eq!(erf_inv(-1.0), f64::NEG_INFINITY);
        assert!(erf_inv(1.0 + f64::EPSILON).is_nan());
        assert!(erf_inv(f64::NAN).is_nan());
    }
}
