//! Fewer elements out of many: sums, extremes, statistics, over axes or by segment.

mod missing;
mod reductions;
pub(crate) mod segments;
pub(crate) mod statistics;

pub use segments::{bincount, segment_max, segment_min, segment_prod, segment_sum};
pub use statistics::{meshgrid, polyval, vander};
