//! What is in force on this thread: the float type that literals take, what compiled programs do
//! with subnormal numbers, how they round, and the user's line that operations are recorded with.

use crate::dtype::DType;
use crate::types::Loc;
use std::cell::Cell;
use std::panic::Location;

thread_local! {
    static LOCATION: Cell<Option<Loc>> = const { Cell::new(None) };
    static DEFAULT_FLOAT: Cell<DType> = const { Cell::new(DType::F32) };
    static SUBNORMALS: Cell<Option<Subnormals>> = const { Cell::new(None) };
    static ROUNDING: Cell<Rounding> = const { Cell::new(Rounding::AsWritten) };
}

/// The float type that literals take where no array decides.
#[inline]
pub fn default_float() -> DType {
    DEFAULT_FLOAT.get()
}

/// Runs `f` with another [`default_float`] on this thread. `dtype` must be `F32` or `F64`;
/// anything else leaves the default as it is.
pub fn with_default_float<R>(dtype: DType, f: impl FnOnce() -> R) -> R {
    struct Restore(DType);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEFAULT_FLOAT.set(self.0);
        }
    }
    let _restore = Restore(DEFAULT_FLOAT.get());
    if dtype.is_float() {
        DEFAULT_FLOAT.set(dtype);
    }
    f()
}

/// What a compiled program does with numbers nearer to zero than the least normal number, which is
/// 1.2e-38 in `f32` and 2.2e-308 in `f64`. Numbers below have fewer digits, and on many processors
/// arithmetic with them takes a hundred times longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subnormals {
    /// They are numbers like others: what is too small for a normal number loses digits one by one
    /// (gradual underflow).
    Keep,
    /// Arithmetic that would give one gives zero, and takes one for zero.
    Flush,
}

/// What was chosen by [`with_subnormals`], if it was.
#[inline]
pub fn subnormals() -> Option<Subnormals> {
    SUBNORMALS.get()
}

/// Runs `f`, in which programs that are called on this thread keep or flush subnormal numbers.
///
/// Without a choice, programs on the CPU whose floats are all `f32` flush them, as on GPUs, and
/// programs with any `f64` keep them. It is the call that counts: where a program was traced or
/// compiled changes nothing, and one program can be called both ways. Scatters, running
/// reductions, sorts and special functions of several arguments keep them always, and so does all
/// that is not compiled: operations without `jit`, the interpreter, and what is known when a
/// program is compiled. Functions of the host are called as the thread was before. On a GPU the
/// device decides.
///
/// ```
/// use probpipe_trace::{Subnormals, subnormals, with_subnormals};
/// with_subnormals(Subnormals::Keep, || assert_eq!(subnormals(), Some(Subnormals::Keep)));
/// assert_eq!(subnormals(), None);
/// ```
pub fn with_subnormals<R>(choice: Subnormals, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Subnormals>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SUBNORMALS.set(self.0);
        }
    }
    let _restore = Restore(SUBNORMALS.replace(Some(choice)));
    f()
}

/// How a compiled program rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Every operation rounds by itself, as the interpreter computes it, within the table of ops.
    #[default]
    AsWritten,
    /// Operations may be contracted, which is faster and rounds otherwise:
    ///
    /// - `x * y + z`, `x * y - z` and `z - x * y` become one operation, a fused multiply-add, where
    ///   nothing else needs the product. It rounds once, the exact result: the error of the product
    ///   is gone, and half a unit in the last place of the result is left. A sum of products takes
    ///   each product in the same way.
    /// - `x / y` becomes `x * (1 / y)` where `1 / y` serves several quotients: `y` is one number
    ///   for many elements of `x`, or the same in every step of a loop. The quotient is off by at
    ///   most 1.5 units in the last place, rather than by 0.5.
    /// - A factor, and a summand, that is the same for all summands is taken out of a sum:
    ///   `sum(c * x * y)` is `c * sum(x * y)`, and `sum(x * y - c)` is `sum(x * y) - n * c`. The
    ///   former rounds less often. The latter is off by at most two units in the last place of
    ///   `sum(abs(x * y)) + n * abs(c)`, beside what the sum is off by, as is the sum as written.
    /// - A product that a loop carries into the sum of its next step is made there, and is one
    ///   operation with the sum.
    ///
    /// Numbers in between lie elsewhere in the range. The reciprocal of a divisor above a quarter
    /// of the largest number has fewer digits, or is zero where subnormal numbers are; that of a
    /// divisor below the normal range may be infinite. In `f64`, `sum((c * x) * (c * x))` becomes
    /// `sum(x * x) * c * c`, whose squares must not leave the range; in `f32`, which has less of
    /// it, one factor of such a square stays where it is. Where no number in between leaves the
    /// range, results are infinite or NaN where they are without contraction.
    ///
    /// Results are the same on all processors on which those without contraction are, and do not
    /// depend on the number of threads.
    Contracted,
}

/// What was chosen by [`with_rounding`].
#[inline]
pub fn rounding() -> Rounding {
    ROUNDING.get()
}

/// Runs `f`, in which programs that are compiled on this thread round by `choice`.
///
/// It is part of what a program is: a function that was compiled for one choice is compiled again
/// when it is called under the other, and keeps both programs. A program that is compiled ahead of
/// its calls rounds as chosen where it was compiled, whoever calls it, and so does a run of a
/// sampler. What is called inside of another compiled function is part of that. Operations that
/// are not compiled know no such choice. On a GPU reciprocals and sums are as said; whether a
/// product and a sum are one operation is up to its driver, as it is without.
///
/// ```
/// use probpipe_trace::{Rounding, rounding, with_rounding};
/// with_rounding(Rounding::Contracted, || assert_eq!(rounding(), Rounding::Contracted));
/// assert_eq!(rounding(), Rounding::AsWritten);
/// ```
pub fn with_rounding<R>(choice: Rounding, f: impl FnOnce() -> R) -> R {
    struct Restore(Rounding);
    impl Drop for Restore {
        fn drop(&mut self) {
            ROUNDING.set(self.0);
        }
    }
    let _restore = Restore(ROUNDING.replace(choice));
    f()
}

/// Runs `f` with every operation in it recorded as written at `location`: how rewrites pass on
/// the user's line.
pub fn with_location<R>(location: Loc, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Loc>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LOCATION.set(self.0);
        }
    }
    let _restore = Restore(LOCATION.replace(Some(location)));
    f()
}

/// Runs `f` with every operation in it recorded where its caller wrote it, also inside
/// [`with_location`]: for closures of the user, whose lines are their own.
pub fn without_location<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Loc>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LOCATION.set(self.0);
        }
    }
    let _restore = Restore(LOCATION.replace(None));
    f()
}

/// The location in force: that of [`with_location`], else the caller's. Where a line must pass
/// through a closure or a trait object: `with_location(here(), || ...)`.
#[track_caller]
pub fn here() -> Loc {
    // Not `unwrap_or_else`: called from inside it, `caller` would name a line of the library.
    match LOCATION.get() {
        Some(location) => location,
        None => Location::caller(),
    }
}
