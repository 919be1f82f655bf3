//! Locks that outlive panics.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex whose data stays usable if a thread panicked while holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
