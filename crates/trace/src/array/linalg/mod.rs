//! Linear algebra: products, factors, spectra.

pub(crate) mod einsum;
mod expm;
pub(crate) mod factors;
pub(crate) mod matmul;
pub(crate) mod products;
pub(crate) mod spectral;

pub use einsum::einsum;
pub use factors::LuFactors;
pub use matmul::triangular_solve;
pub use products::{cho_solve, convolve, multi_dot};
pub use spectral::{LeastSquares, MatrixNorm};
