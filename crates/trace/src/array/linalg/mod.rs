//! Linear algebra: products, factors, spectra.

pub(crate) mod einsum;
mod expm;
pub(crate) mod factors;
pub(crate) mod matmul;
pub(crate) mod products;
pub(crate) mod spectral;
mod triangular;

pub use einsum::einsum;
pub use factors::LuFactors;
pub use products::{convolve, multi_dot};
pub use spectral::{LeastSquares, MatrixNorm};
pub use triangular::Triangular;
