//! Distributions made of others.

mod gate;
mod hurdle;
mod product;
mod zero_inflated;

pub use gate::Gate;
pub use hurdle::Hurdle;
pub use product::{FlatDistribution, Parts, Product, product};
pub use zero_inflated::ZeroInflated;
