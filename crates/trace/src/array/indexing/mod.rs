//! Reading and updating at places that may be computed.

pub(crate) mod gather;
pub(crate) mod index;
pub(crate) mod places;
pub(crate) mod windows;

pub use gather::OutOfRange;
pub use index::{Index, IntoIndices};
pub use places::AtPlaces;
pub use windows::WindowAxes;
