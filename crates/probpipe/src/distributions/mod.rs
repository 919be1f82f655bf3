//! Distributions: families by file, capabilities as traits. A distribution is a tree of its
//! parameters, which may be literals, arrays or traced: build it inside or outside a transformed
//! function.
//!
//! Shapes follow TensorFlow Probability: a draw has the sample shape, then the batch shape of the
//! parameters, then the event shape of one draw.

mod capabilities;
mod combine;
mod continuous;
mod multivariate;
mod named;
mod parameters;

pub use capabilities::{Distribution, LogProb, Sample};
pub use combine::{FlatDistribution, Parts, Product, product};
pub use continuous::Normal;
pub use multivariate::MultivariateNormal;
pub use named::Named;
