//! What is in force on this thread: the float type that literals take, what compiled programs do
//! with subnormal numbers, and the user's line that operations are recorded with.

use crate::dtype::DType;
use crate::types::Loc;
use std::cell::Cell;
use std::panic::Location;

thread_local! {
    static LOCATION: Cell<Option<Loc>> = const { Cell::new(None) };
    static DEFAULT_FLOAT: Cell<DType> = const { Cell::new(DType::F32) };
    static SUBNORMALS: Cell<Option<Subnormals>> = const { Cell::new(None) };
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
