//! Making arrays: from numbers as written, of one number, by ranges, and matrices by their
//! diagonals.

pub(crate) mod convert;
pub(crate) mod fill;
pub(crate) mod matrices;
pub(crate) mod ranges;
pub(crate) mod typed;

pub use convert::array;
pub use fill::{arange, eye, full, full_typed, iota, ones, ones_like, zeros, zeros_like};
pub use matrices::{
    block_diag, eye_offset, toeplitz, tri, tril_indices, tril_indices_offset, triu_indices,
    triu_indices_offset,
};
pub use ranges::{arange_step, geomspace, linspace, linspace_open, logspace};
pub use typed::{eye_of, full_like, full_of, linspace_of, ones_of, zeros_of};
