//! The names of places in an array: the parts of an index, index arrays, a mask.

use crate::error::Result;
use crate::handle::Array;
use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

/// One part of an index. Numbers, ranges, `..` and arrays convert: `1`, `0..2`, `1..`, `..-1`,
/// `..`, `&indices`.
#[derive(Clone, Debug)]
pub enum Index {
    /// The entry at a position, whose axis vanishes; negative ones count from the end.
    At(isize),
    /// Entries from `start` on in steps, before `stop`, as Python's slices: bounds beyond the
    /// ends are moved there, negative ones count from the end, and a negative step goes down.
    Slice {
        /// The first entry; the end that the steps lead away from if absent.
        start: Option<isize>,
        /// Where to end, exclusive; the other end if absent.
        stop: Option<isize>,
        /// Not zero.
        step: isize,
    },
    /// A new axis of extent 1.
    NewAxis,
    /// All axes that the other parts leave over.
    Ellipsis,
    /// The entries that an array of whole numbers names.
    Array(Array),
}

impl Index {
    /// Every `step`-th entry; all in reverse for -1.
    pub fn step(step: isize) -> Index {
        Index::Slice { start: None, stop: None, step }
    }
}

macro_rules! from_whole {
    ($($t:ty),*) => {$(
        impl From<$t> for Index {
            fn from(i: $t) -> Index {
                Index::At(i as isize)
            }
        }
        impl From<Range<$t>> for Index {
            fn from(r: Range<$t>) -> Index {
                Index::Slice { start: Some(r.start as isize), stop: Some(r.end as isize), step: 1 }
            }
        }
        impl From<RangeFrom<$t>> for Index {
            fn from(r: RangeFrom<$t>) -> Index {
                Index::Slice { start: Some(r.start as isize), stop: None, step: 1 }
            }
        }
        impl From<RangeTo<$t>> for Index {
            fn from(r: RangeTo<$t>) -> Index {
                Index::Slice { start: None, stop: Some(r.end as isize), step: 1 }
            }
        }
    )*};
}
from_whole!(i32, isize, usize);

impl From<RangeFull> for Index {
    fn from(_: RangeFull) -> Index {
        Index::step(1)
    }
}

impl From<&Array> for Index {
    fn from(indices: &Array) -> Index {
        Index::Array(indices.clone())
    }
}

impl From<Array> for Index {
    fn from(indices: Array) -> Index {
        Index::Array(indices)
    }
}

/// What indexes an array: a tuple of parts, or a list of them.
pub trait IntoIndices {
    /// The parts in order.
    fn into_indices(self) -> Vec<Index>;
}

impl IntoIndices for Vec<Index> {
    fn into_indices(self) -> Vec<Index> {
        self
    }
}

macro_rules! tuples {
    ($(($($T:ident $x:ident),+);)*) => {$(
        impl<$($T: Into<Index>),+> IntoIndices for ($($T,)+) {
            fn into_indices(self) -> Vec<Index> {
                let ($($x,)+) = self;
                vec![$($x.into()),+]
            }
        }
    )*};
}
tuples! {
    (A a);
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
    (A a, B b, C c, D d, E e);
    (A a, B b, C c, D d, E e, F f);
}

/// Places of an array; made by [`Array::at_indices`], [`Array::at_index`] and [`Array::at_mask`].
#[derive(Clone, Debug)]
pub struct AtPlaces {
    pub(super) x: Array,
    pub(super) places: Result<Places>,
}

#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// Index arrays of one shape for the leading axes.
    Indices(Vec<Array>),
    /// The parts of an index, and the row-major positions that they name; negative ones are
    /// nowhere.
    Parts { parts: Vec<Index>, positions: Array },
    /// Where true.
    Mask(Array),
}

impl AtPlaces {
    pub(crate) fn new(x: &Array, places: Result<Places>) -> AtPlaces {
        AtPlaces { x: x.clone(), places }
    }
}
