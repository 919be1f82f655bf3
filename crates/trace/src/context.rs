//! What is in force on this thread: the float type that literals take, and the user's line that
//! operations are recorded with.

use crate::dtype::DType;
use crate::types::Loc;
use std::cell::Cell;
use std::panic::Location;

thread_local! {
    static LOCATION: Cell<Option<Loc>> = const { Cell::new(None) };
    static DEFAULT_FLOAT: Cell<DType> = const { Cell::new(DType::F32) };
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
