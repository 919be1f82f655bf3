//! What depends on the order of elements: running reductions, sorting, quantiles and tables.

pub(crate) mod quantiles;
pub(crate) mod search;
mod sets;
pub(crate) mod sort;
pub(crate) mod tables;

pub use quantiles::QuantileMethod;
pub use search::searchsorted;
pub use sort::{sort_key_val, sort_together};
pub use tables::{digitize, histogram, histogram_bins, interp};
