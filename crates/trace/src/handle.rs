//! `Array`, the one value users hold: with a value, traced, without an element type
//! of its own, or invalid. This file
//! says what an array is and what is known of it without a trace; the operations are in `array`.

use crate::asked;
use crate::context::default_float;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Loc, Shape};
use crate::value::Value;
use crate::var::VarId;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// Results of an operation; nearly always one.
pub type Outputs = SmallVec<[Array; 2]>;

/// An n-dimensional array of numbers or truth values.
///
/// Operations never panic and never return `Result`: operands that do not fit give an invalid
/// array that carries the error; later operations pass it on, and it comes out where a value is
/// read ([`Array::to_vec`], [`Array::item`], [`Array::checked`]).
///
/// ```
/// use probpipe_trace::{array, Array};
/// let x = array([1.0, 2.0, 3.0]);
/// let y = (&x * 2.0 + 1.0).sum();
/// assert_eq!(y.item::<f32>()?, 15.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone)]
pub struct Array {
    pub(crate) repr: Repr,
    /// Where the user made it, for messages.
    pub(crate) location: Loc,
}

#[derive(Clone)]
pub(crate) enum Repr {
    /// An array with a value.
    Concrete(Value),
    /// A number without an element type of its own: it takes that of the array it meets.
    Literal(Scalar),
    /// An array without an element type of its own.
    Weak(Arc<Weak>),
    /// A variable of a graph under construction.
    Traced(TracedVar),
    /// Why there is no array.
    Invalid(Error),
}

/// An array without an element type of its own.
pub(crate) struct Weak {
    /// The type where nobody decides: the default float of where it was made, or, for a whole
    /// literal handed into a trace, the integer type that holds it.
    pub(crate) default: DType,
    pub(crate) shape: Shape,
    /// In `f32` and in `f64`, once they are there.
    pub(crate) halves: [OnceLock<Array>; 2],
    pub(crate) recipe: Recipe,
}

/// How a type that is not there yet is made.
pub(crate) enum Recipe {
    /// Both are there.
    Pair,
    /// Numbers as written, kept in `f64`.
    Written,
    /// One number everywhere.
    Full(Scalar),
    /// What is handed into a trace, in the types that are asked for inside.
    Argument { trace: TraceId, index: usize },
}

#[derive(Clone)]
pub(crate) struct TracedVar {
    pub(crate) trace: TraceId,
    pub(crate) var: VarId,
    pub(crate) ty: ArrayType,
}

/// A graph under construction, as an identity for its variables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TraceId(pub(crate) u64);

impl Array {
    #[inline]
    pub(crate) fn concrete(value: Value, location: Loc) -> Array {
        Array { repr: Repr::Concrete(value), location }
    }

    pub(crate) fn traced(trace: TraceId, var: VarId, ty: ArrayType, location: Loc) -> Array {
        Array { repr: Repr::Traced(TracedVar { trace, var, ty }), location }
    }

    /// An array that carries an error. Reading it gives the error, located at `location` if it
    /// has no place of its own.
    pub fn invalid(error: Error, location: Loc) -> Array {
        Array { repr: Repr::Invalid(error.at(location)), location }
    }

    /// Whether this is another handle of the same array: of one value in memory, one variable of a
    /// trace, one literal. Arrays of equal numbers need not be. Invalid arrays are all alike.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([1.0, 2.0]);
    /// assert!(x.clone().is_same(&x));
    /// assert!(!(&x + 0.0).is_same(&x));
    /// ```
    pub fn is_same(&self, other: &Array) -> bool {
        match (&self.repr, &other.repr) {
            (Repr::Concrete(a), Repr::Concrete(b)) => a.same(b),
            (Repr::Literal(a), Repr::Literal(b)) => format!("{a:?}") == format!("{b:?}"),
            (Repr::Weak(a), Repr::Weak(b)) => Arc::ptr_eq(a, b),
            (Repr::Traced(a), Repr::Traced(b)) => a.trace == b.trace && a.var == b.var,
            (Repr::Invalid(_), Repr::Invalid(_)) => true,
            (
                Repr::Concrete(_)
                | Repr::Literal(_)
                | Repr::Weak(_)
                | Repr::Traced(_)
                | Repr::Invalid(_),
                _,
            ) => false,
        }
    }

    /// Element type and shape; the error of an invalid array.
    pub fn ty(&self) -> Result<ArrayType> {
        match &self.repr {
            Repr::Concrete(value) => Ok(value.ty().clone()),
            Repr::Literal(scalar) => Ok(ArrayType::scalar(literal_dtype(*scalar))),
            Repr::Weak(weak) => Ok(ArrayType::new(weak.default, &weak.shape)),
            Repr::Traced(traced) => Ok(traced.ty.clone()),
            Repr::Invalid(error) => Err(error.clone()),
        }
    }

    /// What [`Array::shape`] answers of an invalid array.
    pub const NO_SHAPE: [usize; 8] = [0; 8];

    /// The extents; empty for scalars. There are none for an invalid array, so it answers zeros,
    /// as many as any array has axes: `x.matmul(&w).shape()[0]` is a number also where the product
    /// is refused, and the error comes out where a value is read. A traced function that asked
    /// fails with that error, whatever it did with the answer; [`Array::ty`] gives it at once.
    ///
    /// ```
    /// use probpipe_trace::ones;
    /// let hidden = ones([2, 3]).matmul(ones([2, 3]));
    /// let mean = hidden.sum() / hidden.shape()[0] as f64;
    /// assert!(mean.item::<f32>().is_err_and(|e| e.to_string().contains("matmul")));
    /// assert!(hidden.ty().is_err());
    /// ```
    pub fn shape(&self) -> &[usize] {
        match &self.repr {
            Repr::Concrete(value) => &value.ty().shape,
            Repr::Traced(traced) => &traced.ty.shape,
            Repr::Weak(weak) => &weak.shape,
            Repr::Literal(_) => &[],
            Repr::Invalid(error) => {
                asked::note(error);
                &Array::NO_SHAPE
            }
        }
    }

    /// The element type; for arrays whose type nobody has named the one that they take where
    /// nothing decides (the default float type, see [`Array::is_weak`]), which is also that of
    /// invalid arrays.
    pub fn dtype(&self) -> DType {
        match &self.repr {
            Repr::Concrete(value) => value.ty().dtype,
            Repr::Traced(traced) => traced.ty.dtype,
            Repr::Literal(scalar) => literal_dtype(*scalar),
            Repr::Weak(weak) => weak.default,
            Repr::Invalid(_) => default_float(),
        }
    }

    /// Number of axes.
    #[doc(alias = "ndim")]
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.shape().iter().product()
    }

    /// Where the array was made.
    pub fn location(&self) -> Loc {
        self.location
    }

    /// The error, if the array is invalid.
    pub fn error(&self) -> Option<&Error> {
        match &self.repr {
            Repr::Invalid(error) => Some(error),
            _ => None,
        }
    }

    /// The array itself, or its error: for `?` after a call.
    pub fn checked(self) -> Result<Array> {
        match self.repr {
            Repr::Invalid(error) => Err(error),
            _ => Ok(self),
        }
    }

    /// The value without copying the handle, where the array has one and an element type of its
    /// own.
    #[inline]
    pub fn value_ref(&self) -> Option<&Value> {
        match &self.repr {
            Repr::Concrete(value) => Some(value),
            _ => None,
        }
    }

    /// True for a number as written, without an element type of its own; see [`Array::is_weak`].
    pub fn is_literal(&self) -> bool {
        matches!(self.repr, Repr::Literal(_))
    }

    /// True for a number or an array whose element type nobody has named: literals, constants made
    /// of float literals, and what arithmetic among them gives. It takes the element type of the
    /// array that it meets, and is of type [`Array::dtype`] where nothing decides.
    ///
    /// ```
    /// use probpipe_trace::{Array, DType, array, zeros};
    /// assert!(array([0.1, 0.2]).is_weak() && zeros([2]).is_weak());
    /// let data = Array::from_slice(&[1.0f64, 2.0], [2]);
    /// let y = data * array([0.1, 0.2]);
    /// assert_eq!(y.to_vec::<f64>()?, [0.1, 0.4]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    pub fn is_weak(&self) -> bool {
        matches!(self.repr, Repr::Weak(_) | Repr::Literal(_))
    }

    /// As [`Array::is_weak`], and of floats.
    pub(crate) fn is_weak_float(&self) -> bool {
        match &self.repr {
            Repr::Literal(scalar) => matches!(scalar, Scalar::Float(_)),
            Repr::Weak(weak) => weak.default.is_float(),
            _ => false,
        }
    }
}
