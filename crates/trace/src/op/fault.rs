//! What a type rule gives: the types of the results, or why the operands do not fit.

use crate::error::ErrorKind;
use crate::types::{ArrayType, ShapeDisplay};
use smallvec::SmallVec;

/// Why operand types do not fit an op; becomes an [`crate::Error`] once the place is known.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Fault {
    pub(crate) fn shape(message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::Shape, message: message.into(), help: help.into() }
    }

    pub(crate) fn dtype(message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::DType, message: message.into(), help: help.into() }
    }

    pub(crate) fn axis(message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::Axis, message: message.into(), help: help.into() }
    }
}

/// Result types of an op, or why it cannot be applied.
pub type Inferred = Result<SmallVec<[ArrayType; 2]>, Fault>;

/// Both operands of `name` have one type.
pub(super) fn same_types(name: &str, x: &ArrayType, y: &ArrayType) -> Result<(), Fault> {
    if x.dtype != y.dtype {
        return Err(Fault::dtype(
            format!("`{name}` does not mix {x} with {y}"),
            format!(
                "convert one side with `.cast(DType::{:?})` or `.cast(DType::{:?})`",
                x.dtype, y.dtype
            ),
        ));
    }
    if x.shape != y.shape {
        return Err(Fault::shape(
            format!("`{name}` cannot broadcast {x} with {y}"),
            "extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`",
        ));
    }
    Ok(())
}

/// Number of elements, refusing shapes that no memory can hold.
pub(super) fn checked_size(shape: &[usize]) -> Result<usize, Fault> {
    // The limit leaves room for 8-byte elements in an `isize`.
    shape
        .iter()
        .filter(|&&n| n != 0)
        .try_fold(1usize, |p, &n| p.checked_mul(n).filter(|&p| p <= isize::MAX as usize / 8))
        .map(|p| if shape.contains(&0) { 0 } else { p })
        .ok_or_else(|| {
            Fault::shape(
                format!("shape {} has too many elements", ShapeDisplay(shape)),
                "an array must fit in memory",
            )
        })
}
