//! Errors of arrays whose extents somebody asked for. There are none, so what the asker makes of
//! the answer is worth nothing: a trace in which it happened fails with the first such error.

use crate::error::Error;
use std::cell::RefCell;

thread_local! {
    /// One for each open trace.
    static ASKED: RefCell<Vec<Option<Error>>> = const { RefCell::new(Vec::new()) };
}

/// Says to the innermost trace that the extents of an array were asked for that is none.
#[cold]
pub(crate) fn note(error: &Error) {
    ASKED.with_borrow_mut(|asked| {
        if let Some(first) = asked.last_mut() {
            first.get_or_insert_with(|| error.clone());
        }
    });
}

/// Listens while `f` runs; its result, and the first error.
pub(crate) fn listen<R>(f: impl FnOnce() -> R) -> (R, Option<Error>) {
    /// Stops listening also when `f` panics.
    struct Listening(usize);
    impl Drop for Listening {
        fn drop(&mut self) {
            ASKED.with_borrow_mut(|asked| asked.truncate(self.0));
        }
    }
    let depth = ASKED.with_borrow_mut(|asked| {
        asked.push(None);
        asked.len() - 1
    });
    let _listening = Listening(depth);
    let result = f();
    (result, ASKED.with_borrow_mut(|asked| asked.get_mut(depth).and_then(Option::take)))
}
