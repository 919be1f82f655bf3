//! Distributions made of others.

mod product;

pub use product::{FlatDistribution, Parts, Product, product};
