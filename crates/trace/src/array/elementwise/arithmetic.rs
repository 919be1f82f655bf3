//! Elementwise operations: one op each, broadcast and literal handling in front of them, and the
//! composites that are functions and not ops.

use crate::array::each::{named, named_each};
use crate::array::make::fill::full_typed;
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind};
use crate::eval::eval_op;
use crate::handle::{Array, Repr};
use crate::op::elementwise::{Accepts, BinaryOp, CompareOp, UnaryOp};
use crate::op::{Op, infer};
use crate::promotion::promote_types;
use crate::tracing::bind1;
use crate::types::{ArrayType, Shape, broadcast_shapes};
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
    /// The logarithm to base 2: exact at powers of two, `-inf` at zero, NaN below.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([8.0, 0.5, 8192.0]).log2().to_vec::<f32>()?, [3.0, -1.0, 13.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    log2 Log2;
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
    /// The derivative of [`Array::lgamma`] (DLMF 5.2.2); at zero infinite with the sign that is not
    /// that of zero, NaN at negative whole numbers.
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

    /// The quotient of whole numbers rounded toward zero, as Rust's `/` divides them; by zero all
    /// bits are set. Of floats the quotient, as `/`. See also [`Array::floor_divide`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([7, -7]).trunc_divide(2).to_vec::<i32>()?, [3, -3]);
    /// assert_eq!((array([7, -7]) / 2).to_vec::<f32>()?, [3.5, -3.5]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn trunc_divide(&self, other: impl Into<Array>) -> Array {
        binary(Op::Binary(BinaryOp::Div), self, &other.into())
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
        divide(&Array::from(1), self)
    }

    /// `log(exp(x) + exp(y))` without overflow.
    #[track_caller]
    pub fn logaddexp(&self, other: impl Into<Array>) -> Array {
        named_each("logaddexp", &[self, &other.into()], |operands| {
            let (this, other) = (&operands[0], &operands[1]);
            let (larger, gap) = this.larger_and_gap(other);
            larger + gap.exp().log1p()
        })
    }

    /// Each element held between `low` and `high`.
    #[track_caller]
    #[doc(alias = "lax.clamp")]
    pub fn clip(&self, low: impl Into<Array>, high: impl Into<Array>) -> Array {
        let (low, high) = (low.into(), high.into());
        named("clip", &[self, &low, &high], self.maximum(&low).minimum(&high))
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
        Some(shape) if x.is_weak() && y.is_weak() || x.dtype() == y.dtype() => bind1(
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
    if op.spec().accepts == Accepts::Floats && !x.dtype().is_float() {
        return bind1(Op::Unary(op), &[&x.to_float()]);
    }
    bind1(Op::Unary(op), &[x])
}

/// An op of two operands, which get one type and one shape first.
#[track_caller]
pub(crate) fn binary(op: Op, x: &Array, y: &Array) -> Array {
    if let (Repr::Literal(a), Repr::Literal(b)) = (&x.repr, &y.repr)
        && let Some(folded) = fold(&op, &[*a, *b])
    {
        return Array { repr: Repr::Literal(folded), location: here() };
    }
    if let Op::Binary(op) = op
        && op.spec().accepts == Accepts::Floats
        && !x.dtype().is_float()
        && !y.dtype().is_float()
    {
        return binary(Op::Binary(op), &x.to_float(), &y.to_float());
    }
    match unify(x, y) {
        Ok((x, y)) => bind1(op, &[&x, &y]),
        Err(error) => Array::invalid(error, here()),
    }
}

/// The true quotient: of whole numbers a float.
#[track_caller]
pub(crate) fn divide(x: &Array, y: &Array) -> Array {
    let op = Op::Binary(BinaryOp::Div);
    if x.dtype().is_float() || y.dtype().is_float() {
        return binary(op, x, y);
    }
    binary(op, &x.to_float(), &y.to_float())
}

/// Computes an op on literals: at once, also while tracing, in the widest type, so that the
/// result is a literal of full precision.
pub(crate) fn fold(op: &Op, scalars: &[Scalar]) -> Option<Scalar> {
    let dtype = if scalars.iter().all(|s| matches!(s, Scalar::Bool(_))) {
        DType::Bool
    } else if scalars.iter().all(|s| s.fits(DType::I64)) {
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

/// Both operands with one element type, or both undecided, and of one shape. Shapes and types that
/// do not fit are left for the type rule to refuse, so that there is one message for each fault.
#[track_caller]
pub(crate) fn unify(x: &Array, y: &Array) -> Result<(Array, Array), Error> {
    let (x, y) = meet(x, y)?;
    // Types that do not fit are refused as the user wrote them, not broadcast.
    let fit = x.is_weak() && y.is_weak() || x.dtype() == y.dtype();
    if x.shape() == y.shape() || !fit || x.error().is_some() || y.error().is_some() {
        return Ok((x, y));
    }
    Ok(match broadcast_shapes(x.shape(), y.shape()) {
        Some(shape) => (x.broadcast_to(&shape), y.broadcast_to(&shape)),
        None => (x, y),
    })
}

/// Both operands with the element type that both take: what has none takes that of the other, a
/// float's wins over that of whole numbers, and truth values count as 0 and 1 beside numbers. Two
/// float types, and two integer types, do not mix.
#[track_caller]
pub(crate) fn meet(x: &Array, y: &Array) -> Result<(Array, Array), Error> {
    let both = (x.clone(), y.clone());
    if x.error().is_some() || y.error().is_some() {
        return Ok(both);
    }
    let (a, b) = (x.dtype(), y.dtype());
    match (x.is_weak(), y.is_weak()) {
        (false, false) if a == b => Ok(both),
        // Where neither has a type, whole numbers stay whole beside whole ones.
        (true, true) if a.is_float() || b.is_float() => Ok((x.to_float(), y.to_float())),
        (true, true) => {
            let dtype = promote_types(a, b);
            Ok((x.in_dtype(a).cast(dtype), y.in_dtype(b).cast(dtype)))
        }
        (false, false) => match (a.is_float(), b.is_float()) {
            (true, false) => Ok((x.clone(), y.cast(a))),
            (false, true) => Ok((x.cast(b), y.clone())),
            (false, false) if a == DType::Bool => Ok((x.cast(b), y.clone())),
            (false, false) if b == DType::Bool => Ok((x.clone(), y.cast(a))),
            _ => Ok(both),
        },
        (true, false) => taking(x, y),
        (false, true) => taking(y, x).map(|(y, x)| (x, y)),
    }
}

/// An operand without an element type beside one that has one.
#[track_caller]
fn taking(weak: &Array, typed: &Array) -> Result<(Array, Array), Error> {
    let (kind, dtype) = (weak.dtype(), typed.dtype());
    // A float beside whole numbers makes floats of them, of a type that is still to be decided.
    if kind.is_float() && !dtype.is_float() {
        return Ok((weak.clone(), typed.to_float()));
    }
    if dtype == DType::Bool && kind != DType::Bool {
        return Ok((weak.in_dtype(kind), typed.cast(kind)));
    }
    let number = match weak.repr {
        Repr::Literal(Scalar::Bool(value)) if dtype != DType::Bool => {
            Array { repr: Repr::Literal(Scalar::Int(value.into())), location: weak.location }
        }
        _ => weak.clone(),
    };
    if let Repr::Literal(scalar) = number.repr
        && !scalar.fits(dtype)
    {
        return Err(Error::new(
            ErrorKind::DType,
            format!("the literal {scalar} does not fit an array of {dtype}"),
        )
        .at(here())
        .note(format!("operand {}", typed.ty()?), Some(typed.location))
        .help("convert the array with `.cast(..)`, or write a literal of its element type"));
    }
    Ok((number.in_dtype(dtype), typed.clone()))
}

/// A constant that depends on the float type of `x`.
pub(crate) fn by_width(x: &Array, f32: f64, f64: f64) -> f64 {
    if x.dtype() == DType::F32 { f32 } else { f64 }
}

/// A number of the element type of `x`, for choices between two constants; of none if `x` has
/// none.
#[track_caller]
pub(crate) fn like(x: &Array, number: f64) -> Array {
    match x.is_weak_float() {
        true => Array::filled(Scalar::Float(number), x.dtype(), Shape::new(), here()),
        false => full_typed(&ArrayType::scalar(x.dtype()), number),
    }
}
