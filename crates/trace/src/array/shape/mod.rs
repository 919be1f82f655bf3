//! Moving elements without computing with them.

pub(crate) mod padding;
pub(crate) mod rearrange;
pub(crate) mod reshape;

pub use padding::PadMode;
pub use rearrange::{meshgrid, select_n};
pub use reshape::{concat, stack};
