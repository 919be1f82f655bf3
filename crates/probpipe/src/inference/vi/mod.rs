//! Variational inference: distributions that are near a target and easy to draw from. All work on a
//! [`Target`](super::Target), as programs: a whole fit can be compiled, batched, differentiated.
//!
//! | | |
//! |---|---|
//! | [`Advi`] | a normal distribution by gradients of the evidence lower bound |
//! | [`laplace`] | a normal distribution by the curvature at the mode |
//! | [`Pathfinder`] | the best of the normal distributions on the way to the mode |
//! | [`Svgd`] | points that move together |
//!
//! Bounds for a guide of your own, a generative function, are [`Guided`](super::Guided)'s.

mod advi;
mod laplace;
mod normal;
mod pathfinder;
mod svgd;

pub use advi::{Advi, Fit};
pub use laplace::laplace;
pub use normal::Approximation;
pub use pathfinder::{Found, Pathfinder};
pub use svgd::Svgd;
