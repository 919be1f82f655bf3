//! Moving elements without computing with them.

pub(crate) mod join;
pub(crate) mod padding;
pub(crate) mod rearrange;
pub(crate) mod reshape;

pub use join::{column_stack, concat, dstack, hstack, stack, vstack};
pub use padding::PadMode;
pub use rearrange::{meshgrid, select_n};
