//! Families on integers, by file. Draws are `i32`; densities take integers, truth values and
//! floats that are whole.

mod bernoulli;

pub use bernoulli::Bernoulli;
