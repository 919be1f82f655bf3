//! Elementwise operations: one op each, broadcast and literal handling in front of them, and the
//! composites that are functions and not ops.

use crate::array::make::fill::full_typed;
use crate::context::{default_float, here};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind};
use crate::eval::eval_op;
use crate::handle::{Array, Repr};
use crate::op::elementwise::{BinaryOp, CompareOp, UnaryOp};
use crate::op::{Op, infer};
use crate::tracing::{bind1, is_tracing};
use crate::types::{ArrayType, broadcast_shapes};
use crate::value::Value;

macro_rules! unary_methods {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        impl Array {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self) -> Array {
                unary(UnaryOp::$op, self)
            }
        )*}
    };
}

unary_methods! {
    /// `|x|`; its derivative at zero is zero.
    #[doc(alias = "absolute")]
    #[doc(alias = "fabs")]
    abs Abs;
    /// -1, 0 or 1 with the sign of each element.
    sign Sign;
    /// The largest whole number not above each element.
    floor Floor;
    /// The least whole number not below each element.
    ceil Ceil;
    /// The nearest whole number, ties to even.
    #[doc(alias = "rint")]
    #[doc(alias = "around")]
    round Round;
    /// The square root; NaN below zero.
    sqrt Sqrt;
    /// `e^x`.
    exp Exp;
    /// `e^x - 1`, exact near zero.
    expm1 Expm1;
    /// The natural logarithm.
    log Log;
    /// `log(1 + x)`, exact near zero.
    log1p Log1p;
    /// The sine of an angle in radians.
    sin Sin;
    /// The cosine of an angle in radians.
    cos Cos;
    /// The tangent of an angle in radians.
    tan Tan;
    /// The arc sine, in radians.
    #[doc(alias = "arcsin")]
    asin Asin;
    /// The arc cosine, in radians.
    #[doc(alias = "arccos")]
    acos Acos;
    /// The arc tangent, in radians.
    #[doc(alias = "arctan")]
    atan Atan;
    /// The hyperbolic sine.
    sinh Sinh;
    /// The hyperbolic cosine.
    cosh Cosh;
    /// The hyperbolic tangent.
    tanh Tanh;
    /// The inverse hyperbolic sine.
    #[doc(alias = "arcsinh")]
    asinh Asinh;
    /// The inverse hyperbolic cosine.
    #[doc(alias = "arccosh")]
    acosh Acosh;
    /// The inverse hyperbolic tangent.
    #[doc(alias = "arctanh")]
    atanh Atanh;
    /// The error function, `2/sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`.
    erf Erf;
    /// `1 - erf(x)`, exact in the tail.
    erfc Erfc;
    /// The inverse of [`Array::erf`].
    #[doc(alias = "scipy.special.erfinv")]
    erf_inv ErfInv;
    /// `log |gamma(x)|`: infinite at zero and at negative whole numbers.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([1.0, 2.0, 5.0]).lgamma().to_vec::<f32>()?, [0.0, 0.0, 24f32.ln()]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[doc(alias = "scipy.special.gammaln")]
    lgamma Lgamma;
    /// The derivative of [`Array::lgamma`] (DLMF 5.2.2); NaN at zero and at negative whole
    /// numbers.
    digamma Digamma;
    /// Whether each element is neither infinite nor NaN.
    #[doc(alias = "isfinite")]
    is_finite IsFinite;
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        impl Array {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, other: impl Into<Array>) -> Array {
                binary(Op::Binary(BinaryOp::$op), self, &other.into())
            }
        )*}
    };
}

binary_methods! {
    /// The angle of the point `(other, self)`, in radians.
    #[doc(alias = "arctan2")]
    atan2 Atan2;
    /// The larger of both; NaN if either is NaN. Ties share the derivative.
    maximum Max;
    /// The smaller of both; NaN if either is NaN. Ties share the derivative.
    minimum Min;
}

macro_rules! compare_methods {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        impl Array {$(
            $(#[$doc])*
            #[track_caller]
            #[allow(clippy::should_implement_trait)]
            pub fn $name(&self, other: impl Into<Array>) -> Array {
                binary(Op::Compare(CompareOp::$op), self, &other.into())
            }
        )*}
    };
}

compare_methods! {
    /// Elementwise `==`, to `bool`.
    #[doc(alias = "equal")]
    eq Eq;
    /// Elementwise `!=`, to `bool`.
    #[doc(alias = "not_equal")]
    ne Ne;
    /// Elementwise `<`, to `bool`.
    #[doc(alias = "less")]
    lt Lt;
    /// Elementwise `<=`, to `bool`.
    #[doc(alias = "less_equal")]
    le Le;
    /// Elementwise `>`, to `bool`.
    #[doc(alias = "greater")]
    gt Gt;
    /// Elementwise `>=`, to `bool`.
    #[doc(alias = "greater_equal")]
    ge Ge;
}

impl Array {
    /// Whether each element is NaN.
    #[track_caller]
    #[doc(alias = "isnan")]
    pub fn is_nan(&self) -> Array {
        self.ne(self)
    }

    /// `x * x`.
    #[track_caller]
    pub fn square(&self) -> Array {
        binary(Op::Binary(BinaryOp::Mul), self, self)
    }

    /// `1 / x`.
    #[track_caller]
    #[doc(alias = "reciprocal")]
    #[doc(alias = "lax.reciprocal")]
    pub fn recip(&self) -> Array {
        binary(Op::Binary(BinaryOp::Div), &Array::from(1), self)
    }

    /// `log(exp(x) + exp(y))` without overflow.
    #[track_caller]
    pub fn logaddexp(&self, other: impl Into<Array>) -> Array {
        let (larger, gap) = self.larger_and_gap(&other.into());
        larger + gap.exp().log1p()
    }

    /// Each element held between `low` and `high`.
    #[track_caller]
    #[doc(alias = "lax.clamp")]
    pub fn clip(&self, low: impl Into<Array>, high: impl Into<Array>) -> Array {
        self.maximum(low).minimum(high)
    }
}

/// `on_true` where `condition`, else `on_false`; all broadcast together. Both are computed, and
/// both are differentiated: where the branch that is not taken has an infinite derivative, zero
/// times that is NaN. Give such a branch an argument at which it is finite:
///
/// ```
/// use probpipe_trace::{Array, array, select};
/// // `select(&x.gt(0.0), x.log(), 0.0)` has a NaN for its derivative at zero, this has none.
/// fn safe_log(x: &Array) -> Array {
///     let inside = x.gt(0.0);
///     let kept = select(&inside, x, 1.0);
///     select(&inside, kept.log(), 0.0)
/// }
/// assert_eq!(safe_log(&array([1.0, 0.0])).to_vec::<f32>()?, [0.0, 0.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "lax.select")]
pub fn select(
    condition: impl Into<Array>,
    on_true: impl Into<Array>,
    on_false: impl Into<Array>,
) -> Array {
    let condition = condition.into();
    let (x, y) = match unify(&on_true.into(), &on_false.into()) {
        Ok(pair) => pair,
        Err(error) => return Array::invalid(error, here()),
    };
    let shape = broadcast_shapes(condition.shape(), x.shape());
    match shape {
        Some(shape) if x.dtype() == y.dtype() => bind1(
            Op::Select,
            &[&condition.broadcast_to(&shape), &x.broadcast_to(&shape), &y.broadcast_to(&shape)],
        ),
        _ => bind1(Op::Select, &[&condition, &x, &y]),
    }
}

/// [`select`] under its name in NumPy; `where` is a keyword.
#[track_caller]
#[doc(alias = "where")]
pub fn where_(
    condition: impl Into<Array>,
    on_true: impl Into<Array>,
    on_false: impl Into<Array>,
) -> Array {
    select(condition, on_true, on_false)
}

#[track_caller]
pub(crate) fn unary(op: UnaryOp, x: &Array) -> Array {
    if let Repr::Literal(scalar) = x.repr
        && let Some(folded) = fold(&Op::Unary(op), &[scalar])
    {
        return Array { repr: Repr::Literal(folded), location: here() };
    }
    bind1(Op::Unary(op), &[x])
}

/// An op of two operands with literals typed and shapes broadcast.
#[track_caller]
pub(crate) fn binary(op: Op, x: &Array, y: &Array) -> Array {
    if let (Repr::Literal(a), Repr::Literal(b)) = (&x.repr, &y.repr)
        && let Some(folded) = fold(&op, &[*a, *b])
    {
        return Array { repr: Repr::Literal(folded), location: here() };
    }
    match unify(x, y) {
        Ok((x, y)) => bind1(op, &[&x, &y]),
        Err(error) => Array::invalid(error, here()),
    }
}

/// Computes an op on literals: at once, also while tracing, in the widest type, so that the
/// result is a literal of full precision.
pub(crate) fn fold(op: &Op, scalars: &[Scalar]) -> Option<Scalar> {
    let dtype = if scalars.iter().all(|s| matches!(s, Scalar::Bool(_))) {
        DType::Bool
    } else if scalars.iter().all(|s| s.fits(DType::I64)) {
        // A division of whole literals is meant as the user's element type divides.
        if matches!(op, Op::Binary(BinaryOp::Div)) {
            return None;
        }
        DType::I64
    } else {
        DType::F64
    };
    let values: Vec<Value> = scalars.iter().map(|s| Value::scalar(*s, dtype)).collect();
    let types: Vec<&ArrayType> = values.iter().map(Value::ty).collect();
    let result = infer(op, &types).ok()?;
    let outputs = eval_op(op, &values, &result).ok()?;
    outputs.first()?.to_scalars().ok()?.first().copied()
}

/// Both operands with one element type and one shape. Shapes and types that do not fit are left
/// for the type rule to refuse, so that there is one message for each fault.
#[track_caller]
pub(crate) fn unify(x: &Array, y: &Array) -> Result<(Array, Array), Error> {
    let x = typed_like(x, y)?;
    let y = typed_like(y, &x)?;
    // Types that do not fit are refused as the user wrote them, not broadcast.
    let fit = x.dtype() == y.dtype() && x.error().is_none() && y.error().is_none();
    if x.shape() == y.shape() || !fit {
        return Ok((x, y));
    }
    Ok(match broadcast_shapes(x.shape(), y.shape()) {
        Some(shape) => (x.broadcast_to(&shape), y.broadcast_to(&shape)),
        None => (x, y),
    })
}

/// A literal takes the element type of the array beside it.
#[track_caller]
pub(crate) fn typed_like(x: &Array, other: &Array) -> Result<Array, Error> {
    let Repr::Literal(scalar) = x.repr else { return Ok(x.clone()) };
    let dtype = match &other.repr {
        Repr::Literal(_) | Repr::Invalid(_) => {
            let float = [Some(scalar), known_scalar(other)]
                .iter()
                .flatten()
                .any(|s| matches!(s, Scalar::Float(_)));
            if float { default_float() } else { x.dtype() }
        }
        _ => other.dtype(),
    };
    if !scalar.fits(dtype) {
        return Err(Error::new(
            ErrorKind::DType,
            format!("the literal {scalar} does not fit an array of {dtype}"),
        )
        .at(here())
        .note(format!("operand {}", other.ty()?), Some(other.location))
        .help("convert the array with `.cast(..)`, or write a literal of its element type"));
    }
    Ok(full_typed(&ArrayType::scalar(dtype), scalar))
}

/// A constant that depends on the float type of `x`.
pub(crate) fn by_width(x: &Array, f32: f64, f64: f64) -> f64 {
    if x.dtype() == DType::F32 { f32 } else { f64 }
}

/// A number of the element type of `x`, for choices between two constants.
#[track_caller]
pub(crate) fn like(x: &Array, number: f64) -> Array {
    full_typed(&ArrayType::scalar(x.dtype()), number)
}

/// A literal or concrete operand can be folded at once even while tracing.
pub(crate) fn known_scalar(array: &Array) -> Option<Scalar> {
    match &array.repr {
        Repr::Literal(scalar) => Some(*scalar),
        Repr::Concrete(value) if value.ty().rank() == 0 && !is_tracing() => {
            value.to_scalars().ok().and_then(|s| s.first().copied())
        }
        _ => None,
    }
}
