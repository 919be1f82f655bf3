//! Families on vectors and matrices, by file.

mod dirichlet;
mod factors;
mod lkj;
mod low_rank;
mod multinomial;
mod normal;
mod parts;
mod sequences;
mod student_t;
mod wishart;

pub use dirichlet::Dirichlet;
pub(crate) use factors::{held, log_determinant, solved, whitened};
pub use lkj::{LKJ, LKJCholesky};
pub use low_rank::LowRankMultivariateNormal;
pub use multinomial::{DirichletMultinomial, Multinomial, MultinomialLogits};
pub use normal::MultivariateNormal;
pub use sequences::{CirculantNormal, GaussianRandomWalk, ZeroSumNormal};
pub use student_t::MultivariateStudentT;
pub use wishart::{InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky};
