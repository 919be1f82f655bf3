//! Fewer elements out of many: sums, extremes, statistics, over axes or by segment.

mod missing;
mod reductions;
pub(crate) mod segments;
mod statistics;

pub use segments::{bincount, segment_max, segment_min, segment_prod, segment_sum};
