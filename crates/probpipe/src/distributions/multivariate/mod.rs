//! Families on vectors and matrices, by file.

mod normal;

pub use normal::MultivariateNormal;
