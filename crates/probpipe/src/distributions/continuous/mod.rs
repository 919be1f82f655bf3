//! Families on the real line, by file.

mod exponential;
mod laplace;
mod normal;
mod uniform;

pub use exponential::Exponential;
pub use laplace::Laplace;
pub use normal::Normal;
pub use uniform::Uniform;
