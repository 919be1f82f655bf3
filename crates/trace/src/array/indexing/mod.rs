//! Reading and updating at places that may be computed.

pub(crate) mod gather;
mod index;
pub(crate) mod places;
mod update;
pub(crate) mod windows;

pub use gather::OutOfRange;
pub use places::{AtPlaces, Index, IntoIndices};
pub use windows::WindowAxes;
