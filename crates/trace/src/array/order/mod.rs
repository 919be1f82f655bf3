//! What depends on the order of elements: running reductions, sorting, quantiles and tables.

pub(crate) mod quantiles;
mod sets;
pub(crate) mod sort;
pub(crate) mod tables;

pub use quantiles::QuantileMethod;
pub use sort::{searchsorted, sort_key_val, sort_together};
pub use tables::{digitize, histogram, histogram_bins, interp};
