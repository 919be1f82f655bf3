//! Families on vectors and matrices, by file.

mod car;
mod determinantal;
mod dirichlet;
mod factors;
mod linear_gaussian;
mod lkj;
mod low_rank;
mod matrix_normal;
mod multinomial;
mod normal;
mod one_hot;
mod parts;
mod relaxed;
mod sequences;
mod state_space;
mod student_t;
mod wishart;

pub use car::CAR;
pub use determinantal::DeterminantalPointProcess;
pub use dirichlet::Dirichlet;
pub(crate) use factors::{held, log_determinant, solved, whitened};
pub use linear_gaussian::{FilteredStates, LinearGaussianSSM};
pub use lkj::{LKJ, LKJCholesky};
pub use low_rank::LowRankMultivariateNormal;
pub use matrix_normal::{MatrixNormal, MatrixT};
pub use multinomial::{DirichletMultinomial, Multinomial, MultinomialLogits};
pub use normal::MultivariateNormal;
pub use one_hot::{OneHotCategorical, PlackettLuce};
pub use relaxed::{ExpRelaxedOneHotCategorical, RelaxedOneHotCategorical};
pub use sequences::{CirculantNormal, GaussianRandomWalk, ZeroSumNormal};
pub use state_space::GaussianStateSpace;
pub use student_t::MultivariateStudentT;
pub use wishart::{InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky};
