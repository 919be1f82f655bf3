//! What is done at places of an array, however they were named: reading and updating.

use crate::array::elementwise::arithmetic::select;
use crate::array::indexing::gather::{OutOfRange, read, write};
use crate::array::indexing::places::{AtPlaces, Places};
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::indexing::ScatterOp;
use crate::types::Shape;

impl AtPlaces {
    /// What is there; an index out of range reads the nearest element. A mask names no fixed number
    /// of elements, so there is nothing to read through one.
    #[track_caller]
    pub fn get(&self) -> Array {
        self.get_mode(OutOfRange::Clamp)
    }

    /// [`AtPlaces::get`] with a choice of what out of range gives.
    #[track_caller]
    pub fn get_mode(&self, mode: OutOfRange) -> Array {
        let found = match &self.places {
            Ok(Places::Indices(indices)) => return read(&self.x, 0, indices, mode),
            Ok(Places::Parts { parts, .. }) => self.x.indexed(parts.clone(), mode),
            Ok(Places::Mask(mask)) => mask.ty().and_then(|ty| {
                let message = format!("a mask {ty} names no fixed number of entries");
                let help = "choose with `select(mask, x, other)`";
                Err(Error::new(ErrorKind::Shape, message).at(here()).help(help))
            }),
            Err(error) => Err(error.clone()),
        };
        found.unwrap_or_else(|error| Array::invalid(error, here()))
    }

    /// The array with `values` there. Of places named twice the last stands; those out of range
    /// are dropped.
    #[track_caller]
    pub fn set(&self, values: impl Into<Array>) -> Array {
        self.update(ScatterOp::Set, values.into())
    }

    /// The array with `values` added there, as often as a place is named.
    #[track_caller]
    pub fn add(&self, values: impl Into<Array>) -> Array {
        self.update(ScatterOp::Add, values.into())
    }

    /// The array with `values` multiplied in, as often as a place is named.
    #[track_caller]
    pub fn mul(&self, values: impl Into<Array>) -> Array {
        self.update(ScatterOp::Mul, values.into())
    }

    /// The array with the smaller of what is there and all `values` given for it.
    #[track_caller]
    pub fn min(&self, values: impl Into<Array>) -> Array {
        self.update(ScatterOp::Min, values.into())
    }

    /// The array with the larger of what is there and all `values` given for it.
    #[track_caller]
    pub fn max(&self, values: impl Into<Array>) -> Array {
        self.update(ScatterOp::Max, values.into())
    }

    #[track_caller]
    fn update(&self, op: ScatterOp, values: Array) -> Array {
        let x = &self.x;
        let typed = |v: Array| match (x.dtype().is_float(), v.dtype().is_float()) {
            (true, false) => v.cast_like(x),
            (same, other) if same == other && v.is_weak() && !x.is_weak() => v.in_dtype(x.dtype()),
            _ => v,
        };
        match &self.places {
            Err(error) => Array::invalid(error.clone(), here()),
            Ok(Places::Indices(indices)) => scatter(op, x, indices, typed(values)),
            Ok(Places::Parts { positions, .. }) => {
                let positions = std::slice::from_ref(positions);
                scatter(op, &x.flatten(), positions, typed(values)).reshape(x.shape())
            }
            Ok(Places::Mask(mask)) => {
                let there = match op {
                    ScatterOp::Set => values,
                    ScatterOp::Add => x + values,
                    ScatterOp::Mul => x * values,
                    ScatterOp::Min => x.minimum(values),
                    ScatterOp::Max => x.maximum(values),
                };
                select(mask, there, x)
            }
        }
    }
}

/// `values`, broadcast, at the places that index arrays of one shape name.
#[track_caller]
fn scatter(op: ScatterOp, x: &Array, indices: &[Array], values: Array) -> Array {
    let mut shape: Shape = indices.first().map_or(&[][..], |i| i.shape()).into();
    shape.extend_from_slice(&x.shape()[indices.len()..]);
    write(op, x, indices, &values.broadcast_to(shape))
}
