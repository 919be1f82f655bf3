//! Fewer elements out of many: sums, extremes, statistics, over axes or by segment.
//!
//! Every reduction has two names. `x.sum()` takes all elements; `x.sum_axes(axes)` goes over the
//! axes named, `1`, `-1`, `[0, 2]` or `..` for all, negative ones counted from the last. These
//! vanish from the shape, or stay as extents of 1 where they are given as [`Keep`]:
//!
//! ```
//! use probpipe_trace::{Keep, array};
//! let x = array([[1.0, 2.0], [3.0, 6.0]]);
//! assert_eq!(x.sum_axes(0).to_vec::<f32>()?, [4.0, 8.0]);
//! assert_eq!(x.sum_axes([0, 1]).item::<f32>()?, 12.0);
//! let centred = &x - x.mean_axes(Keep(-1));
//! assert_eq!(centred.to_vec::<f32>()?, [-0.5, 0.5, -1.5, 1.5]);
//! # Ok::<(), probpipe_trace::Error>(())
//! ```
//!
//! What the plain form takes comes before the axes, as in `x.quantile_axes(0.9, 1)`; what it takes
//! for granted comes after them: `x.var()` divides by the number of elements, `x.var_axes(.., 1)`
//! by one less.
//!
//! Sums of truth values count in `i32`. Statistics, and all else that divides or takes roots, read
//! integers and truth values as numbers of the default float type.

pub(crate) mod axes;
mod curves;
mod exponentials;
mod missing;
pub(crate) mod reductions;
pub(crate) mod segments;
pub(crate) mod statistics;

pub use axes::{IntoAxes, Keep, OverAxes};
pub use segments::{bincount, segment_max, segment_min, segment_prod, segment_sum};
