//! What functions that are made of several operations do with operands that have no element type
//! of their own: whole numbers and literals take what they stand beside, and steps that depend on
//! the float type run once in each.

use crate::context::{here, with_location};
use crate::dtype::DType;
use crate::handle::Array;
use crate::tree::{Flatten, Tree};
use crate::weak::{decision, default_of, joined};

impl Array {
    /// Converted to the element type of `other`; to none if that has none.
    #[track_caller]
    pub(crate) fn cast_like(&self, other: &Array) -> Array {
        match (other.is_weak(), self.dtype().is_float()) {
            (false, _) => self.cast(other.dtype()),
            (true, true) => self.clone(),
            (true, false) => self.to_float(),
        }
    }
}

/// Arrays with one element type where they can take one: whole numbers become floats beside floats,
/// and literals what they stand beside.
#[track_caller]
pub(crate) fn of_one_type(arrays: &[Array]) -> Vec<Array> {
    let float = decision(&arrays.iter().collect::<Vec<_>>());
    let typed = arrays.iter().find(|a| !a.is_weak() && a.error().is_none()).map(Array::dtype);
    let one = |a: &Array| match (float, typed) {
        (Some(dtype), _) if !a.dtype().is_float() => a.cast(dtype),
        (None, _) if arrays.iter().any(Array::is_weak_float) => a.to_float(),
        (None, Some(dtype)) if a.is_literal() => a.in_dtype(dtype),
        _ => a.clone(),
    };
    arrays.iter().map(one).collect()
}

/// Runs a function whose steps depend on the float type, on operands of one: that of the operand
/// that has one, else on both, which gives results that are as undecided as the operands.
#[track_caller]
pub(crate) fn in_each<T: Tree>(operands: &[&Array], f: impl Fn(&[Array]) -> T) -> T {
    let location = here();
    let typed = |dtype: DType| -> Vec<Array> {
        let one = |a: &&Array| if a.is_weak_float() { a.in_dtype(dtype) } else { (*a).clone() };
        operands.iter().map(one).collect()
    };
    with_location(location, || {
        if !operands.iter().any(|a| a.is_weak_float()) {
            return f(&typed(DType::F32));
        }
        if let Some(dtype) = decision(operands) {
            return f(&typed(dtype));
        }
        let default = default_of(operands);
        let (narrow, wide) = (f(&typed(DType::F32)), f(&typed(DType::F64)));
        let wide = Flatten::of(&wide).leaves.iter().map(|&a| a.clone()).collect::<Vec<_>>();
        let mut wide = wide.into_iter();
        narrow.map(|narrow| match wide.next() {
            Some(wide) => joined(narrow.clone(), wide, default, location),
            None => narrow.clone(),
        })
    })
}

impl Array {
    /// [`in_each`] of a function of one array.
    #[track_caller]
    pub(crate) fn each(&self, f: impl Fn(&Array) -> Array) -> Array {
        in_each(&[self], |x| f(&x[0]))
    }
}

/// [`in_each`] for a function of one result, under whose name its steps report.
#[track_caller]
pub(crate) fn named_each(name: &str, operands: &[&Array], f: impl Fn(&[Array]) -> Array) -> Array {
    named(name, operands, in_each(operands, f))
}

/// The result of a function made of others, which reports under its own name that its operands do
/// not fit. Those that are invalid already keep their error.
#[track_caller]
pub(crate) fn named(name: &str, operands: &[&Array], result: Array) -> Array {
    match result.error() {
        Some(error) if operands.iter().all(|x| x.error().is_none()) => {
            Array::invalid(error.clone().of_function(name), result.location)
        }
        _ => result,
    }
}
