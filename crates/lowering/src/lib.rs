//! From graphs to programs, for any device: fusion, loops and the buffer plan. The crate names no
//! instruction set and no device.

#![forbid(unsafe_code)]

mod display;
mod donate;
mod lower;
mod program;
mod threefry;
mod work;

pub use donate::{Donation, called, donate, donations};
pub use lower::{Options, lower};
pub use program::*;
pub use threefry::{ThreefryBlock, threefry_blocks};
pub use work::Work;
