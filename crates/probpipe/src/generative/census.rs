//! Notes that a run takes beside its record: what choices can be, which `marginal` asks for, and
//! which values it was given that are none of its own, which branches tell each other.

use crate::constraints::Constraint;
use probpipe_trace::{Array, DType, Error, Loc, Shape};
use std::sync::{Arc, Mutex, PoisonError};

/// A choice that a run came by.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) address: String,
    /// Where it is chosen.
    pub(super) location: Loc,
    pub(super) shape: Shape,
    pub(super) dtype: DType,
    /// The smallest of its values.
    pub(super) low: i64,
    /// How many values each of its numbers has, where they are finitely many and known.
    pub(super) count: Option<usize>,
}

/// A log-density as a distribution gives it, one number for each of its independent parts.
#[derive(Clone, Debug)]
pub(super) struct Density {
    pub(super) address: String,
    /// Where it is chosen.
    pub(super) location: Loc,
    pub(super) value: Array,
    pub(super) density: Array,
}

/// A list that runs add to. All clones are one list.
#[derive(Debug)]
pub(super) struct Notes<T>(Arc<Mutex<Vec<T>>>);

/// The choices that a run came by.
pub(super) type Census = Notes<Found>;

/// Addresses at which values were given that a run had no use for, with what is wrong with them.
pub(super) type Strangers = Notes<(String, Error)>;

/// The log-densities that a run came by.
pub(super) type Densities = Notes<Density>;

impl<T: Clone> Notes<T> {
    pub(super) fn note(&self, one: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }

    pub(super) fn list(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T> Default for Notes<T> {
    fn default() -> Notes<T> {
        Notes(Arc::new(Mutex::new(Vec::new())))
    }
}

impl<T> Clone for Notes<T> {
    fn clone(&self) -> Notes<T> {
        Notes(self.0.clone())
    }
}

impl<T> PartialEq for Notes<T> {
    fn eq(&self, other: &Notes<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The smallest value of a set of integers and how many there are.
pub(super) fn values(set: &Constraint) -> Option<(i64, usize)> {
    // Read as it is: a conversion would be part of the program that is traced.
    let known = |array: &Array| match array.decided() {
        array if array.dtype() == DType::I32 => array.item::<i32>().ok().map(i64::from),
        array => array.item::<i64>().ok(),
    };
    match set {
        Constraint::Boolean => Some((0, 2)),
        Constraint::IntegerInterval(low, high) => {
            let (low, high) = (known(low)?, known(high)?);
            Some((low, usize::try_from(high.checked_sub(low)?.checked_add(1)?).ok()?))
        }
        _ => None,
    }
}
