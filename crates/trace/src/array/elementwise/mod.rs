//! Operations element by element: arithmetic and comparison, and what is made of them.

pub(crate) mod arithmetic;
mod close;
mod integers;
mod operators;
mod pairs;
pub(crate) mod polynomials;
mod powers;

pub use arithmetic::{select, where_};
pub use polynomials::{polyval, vander};
