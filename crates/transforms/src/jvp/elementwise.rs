//! Derivatives of elementwise ops, one line each; on the result where that is cheaper.

use super::add;
use probpipe_trace::{Array, BinaryOp, UnaryOp, select};
use std::f64::consts::{LN_2, PI};

/// The tangent of `y = op(x)`; `None` where the derivative is zero.
pub(super) fn unary_jvp(op: UnaryOp, x: &Array, y: &Array, dx: &Array) -> Option<Array> {
    Some(match op {
        // (-x)' = -1
        UnaryOp::Neg => -dx,
        // |x|' = sign(x), 0 at 0
        UnaryOp::Abs => dx * x.sign(),
        // Steps are flat between their jumps.
        UnaryOp::Sign | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round => return None,
        // sqrt(x)' = 1 / (2 sqrt(x))
        UnaryOp::Sqrt => dx * (0.5 / y),
        // exp' = exp
        UnaryOp::Exp => dx * y,
        // (exp(x) - 1)' = exp(x), which y + 1 would lose for very negative x
        UnaryOp::Expm1 => dx * x.exp(),
        // log(x)' = 1 / x
        UnaryOp::Log => dx / x,
        // log2(x)' = 1 / (x log 2)
        UnaryOp::Log2 => dx / (x * LN_2),
        // log(1 + x)' = 1 / (1 + x)
        UnaryOp::Log1p => dx / (x + 1.0),
        // sin' = cos
        UnaryOp::Sin => dx * x.cos(),
        // cos' = -sin
        UnaryOp::Cos => dx * -x.sin(),
        // tan' = 1 + tan^2
        UnaryOp::Tan => dx * (y.square() + 1.0),
        // asin(x)' = 1 / sqrt(1 - x^2)
        UnaryOp::Asin => dx / ((1.0 - x) * (x + 1.0)).sqrt(),
        // acos(x)' = -1 / sqrt(1 - x^2)
        UnaryOp::Acos => -dx / ((1.0 - x) * (x + 1.0)).sqrt(),
        // atan(x)' = 1 / (1 + x^2)
        UnaryOp::Atan => dx / (x.square() + 1.0),
        // sinh' = cosh
        UnaryOp::Sinh => dx * x.cosh(),
        // cosh' = sinh
        UnaryOp::Cosh => dx * x.sinh(),
        // tanh' = 4 e / (1 + e)^2 with e = exp(-2 |x|): from the result it would lose its digits
        // where that is nearly one.
        UnaryOp::Tanh => {
            let e = (select(&x.gt(0.0), -x, x) * 2.0).exp();
            dx * (&e * 4.0 / (&e + 1.0).square())
        }
        // asinh(x)' = 1 / sqrt(x^2 + 1)
        UnaryOp::Asinh => dx / x.hypot(1.0),
        // acosh(x)' = 1 / sqrt((x - 1)(x + 1))
        UnaryOp::Acosh => dx / ((x - 1.0).sqrt() * (x + 1.0).sqrt()),
        // atanh(x)' = 1 / ((1 - x)(1 + x))
        UnaryOp::Atanh => dx / ((1.0 - x) * (x + 1.0)),
        // erf(x)' = 2/sqrt(pi) exp(-x^2)
        UnaryOp::Erf => dx * ((-x.square()).exp() * (2.0 / PI.sqrt())),
        // erfc(x)' = -2/sqrt(pi) exp(-x^2)
        UnaryOp::Erfc => dx * ((-x.square()).exp() * (-2.0 / PI.sqrt())),
        // erf_inv(x)' = sqrt(pi)/2 exp(y^2)
        UnaryOp::ErfInv => dx * (y.square().exp() * (PI.sqrt() / 2.0)),
        // lgamma' = digamma
        UnaryOp::Lgamma => dx * x.digamma(),
        // digamma' = polygamma 1
        UnaryOp::Digamma => dx * x.trigamma(),
        UnaryOp::Not | UnaryOp::IsFinite => return None,
    })
}

/// The tangent of `z = op(x, y)`.
pub(super) fn binary_jvp(
    op: BinaryOp,
    x: &Array,
    y: &Array,
    z: &Array,
    dx: Option<&Array>,
    dy: Option<&Array>,
) -> Option<Array> {
    match op {
        // d(x + y) = dx + dy
        BinaryOp::Add => add(dx.cloned(), dy.cloned()),
        // d(x - y) = dx - dy
        BinaryOp::Sub => match (dx, dy) {
            (Some(dx), Some(dy)) => Some(dx - dy),
            (dx, dy) => dx.cloned().or(dy.map(|dy| -dy)),
        },
        // d(x y) = dx y + x dy
        BinaryOp::Mul => add(dx.map(|dx| dx * y), dy.map(|dy| dy * x)),
        // d(x / y) = (dx - z dy) / y
        BinaryOp::Div => match (dx, dy) {
            (Some(dx), None) => Some(dx / y),
            (Some(dx), Some(dy)) => Some((dx - dy * z) / y),
            (None, Some(dy)) => Some(dy * -(z / y)),
            (None, None) => None,
        },
        // x rem y = x - y trunc(x / y), and trunc is flat. The quotient may round up to the next
        // whole number; the remainder is exact and tells which it was.
        BinaryOp::Rem => add(dx.cloned(), dy.map(|dy| dy * -((x - z) / y).round())),
        BinaryOp::Pow => add(
            dx.map(|dx| dx * pow_base_derivative(x, y)),
            dy.map(|dy| dy * pow_exponent_derivative(x, z)),
        ),
        // d atan2(x, y) = (dx y - x dy) / (x^2 + y^2), whose squares leave the range of numbers
        // long before the slopes do
        BinaryOp::Atan2 => {
            let norm = x.hypot(y);
            add(dx.map(|dx| dx * (y / &norm / &norm)), dy.map(|dy| dy * -(x / &norm / &norm)))
        }
        // the tangent of the larger; at a tie half of each
        BinaryOp::Max => pick(x.gt(y), x.eq(y), dx, dy),
        // the tangent of the smaller; at a tie half of each
        BinaryOp::Min => pick(x.lt(y), x.eq(y), dx, dy),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => None,
    }
}

/// d(x^y)/dx = y x^(y-1); where y = 0 it is 0 also at x = 0, where x^(-1) is infinite.
fn pow_base_derivative(x: &Array, y: &Array) -> Array {
    let less = select(&y.eq(0.0), 1.0, y - 1.0);
    y * x.pow(less)
}

/// d(x^y)/dy = x^y log(x), taken as 0 at x = 0. The logarithm sees 1 there, so that derivatives
/// of this derivative are finite too.
fn pow_exponent_derivative(x: &Array, z: &Array) -> Array {
    let zero = x.eq(0.0);
    select(&zero, 0.0, z * select(&zero, 1.0, x).log())
}

/// `dx` where `first`, the mean of both where `tie`, else `dy`. Choosing rather than multiplying
/// by a mask keeps an infinite tangent of the other side out.
fn pick(first: Array, tie: Array, dx: Option<&Array>, dy: Option<&Array>) -> Option<Array> {
    let zero = || Array::from(0.0);
    let sum = add(dx.cloned(), dy.cloned())?;
    let other = select(&tie, sum * 0.5, dy.cloned().unwrap_or_else(zero));
    Some(select(&first, dx.cloned().unwrap_or_else(zero), other))
}

/// d select(c, x, y) = select(c, dx, dy)
pub(super) fn select_jvp(x: &[&Array], dx: &[Option<&Array>]) -> Option<Array> {
    if dx[1].is_none() && dx[2].is_none() {
        return None;
    }
    let zero = || Array::from(0.0);
    let part = |i: usize| dx[i].cloned().unwrap_or_else(zero);
    Some(select(x[0], part(1), part(2)))
}
