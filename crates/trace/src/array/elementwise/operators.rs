//! Rust's operators for every mix of `Array`, `&Array` and numbers.

use crate::array::elementwise::arithmetic::{binary, divide, unary};
use crate::context::with_location;
use crate::handle::Array;
use crate::op::Op;
use crate::op::elementwise::{BinaryOp, UnaryOp};
use std::{iter, ops};

// The right side is generic so that the result's type is known before a literal's is: with one
// impl per number, `(x * 2.0).exp()` could not be inferred. On the left only `f64` and `i32`, the
// types of plain literals, for the same reason: with a second float type `2.0 * x` is of no known
// type. Numbers of other types stand on the right, or are arrays first: `array(n) * x`.
macro_rules! operators {
    ($($Trait:ident $method:ident $op:ident;)*) => {$(
        impl<R: Into<Array>> ops::$Trait<R> for Array {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: R) -> Array {
                operators!(@apply $op, &self, &other.into())
            }
        }
        impl<R: Into<Array>> ops::$Trait<R> for &Array {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: R) -> Array {
                operators!(@apply $op, self, &other.into())
            }
        }
        operators!(@number $Trait $method $op, f64 Array);
        operators!(@number $Trait $method $op, f64 &Array);
        operators!(@number $Trait $method $op, i32 Array);
        operators!(@number $Trait $method $op, i32 &Array);
    )*};
    (@apply Div, $x:expr, $y:expr) => { divide($x, $y) };
    (@apply $op:ident, $x:expr, $y:expr) => { binary(Op::Binary(BinaryOp::$op), $x, $y) };
    (@number $Trait:ident $method:ident $op:ident, $number:ident $($Right:tt)+) => {
        impl ops::$Trait<$($Right)+> for $number {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: $($Right)+) -> Array {
                operators!(@apply $op, &Array::from(self), &other)
            }
        }
    };
}

operators! {
    Add add Add;
    Sub sub Sub;
    Mul mul Mul;
    Div div Div;
    Rem rem Rem;
    BitAnd bitand And;
    BitOr bitor Or;
    BitXor bitxor Xor;
    Shl shl Shl;
    Shr shr Shr;
}

macro_rules! unary_operators {
    ($($Trait:ident $method:ident $op:ident;)*) => {$(
        impl ops::$Trait for Array {
            type Output = Array;
            #[track_caller]
            fn $method(self) -> Array {
                unary(UnaryOp::$op, &self)
            }
        }
        impl ops::$Trait for &Array {
            type Output = Array;
            #[track_caller]
            fn $method(self) -> Array {
                unary(UnaryOp::$op, self)
            }
        }
    )*};
}

unary_operators! {
    Neg neg Neg;
    Not not Not;
}

macro_rules! assigning_operators {
    ($($Trait:ident $method:ident $operator:tt;)*) => {$(
        impl<R: Into<Array>> ops::$Trait<R> for Array {
            #[track_caller]
            fn $method(&mut self, other: R) {
                *self = &*self $operator other;
            }
        }
    )*};
}

assigning_operators! {
    AddAssign add_assign +;
    SubAssign sub_assign -;
    MulAssign mul_assign *;
    DivAssign div_assign /;
    RemAssign rem_assign %;
}

// The sum of no arrays is a literal, which fits whatever it meets. `Iterator::sum` does not pass
// its caller's line on: an error names the line of the array that did not fit.
macro_rules! folds {
    ($($Trait:ident $method:ident $operator:tt $empty:literal;)*) => {$(
        impl iter::$Trait for Array {
            fn $method<I: Iterator<Item = Array>>(arrays: I) -> Array {
                let step = |all, x: Array| with_location(x.location(), || all $operator x);
                arrays.reduce(step).unwrap_or_else(|| Array::from($empty))
            }
        }
        impl<'a> iter::$Trait<&'a Array> for Array {
            fn $method<I: Iterator<Item = &'a Array>>(arrays: I) -> Array {
                arrays.cloned().$method()
            }
        }
    )*};
}

folds! {
    Sum sum + 0;
    Product product * 1;
}
