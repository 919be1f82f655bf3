//! Operations element by element: arithmetic and comparison, and what is made of them.

pub(crate) mod arithmetic;
mod integers;
mod operators;
mod pairs;
mod powers;

pub use arithmetic::{select, where_};
