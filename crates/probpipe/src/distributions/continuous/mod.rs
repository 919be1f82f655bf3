//! Families on the real line, by file.

mod beta;
mod cauchy;
mod chi2;
mod exponential;
mod gamma;
mod gumbel;
mod half_cauchy;
mod half_normal;
mod inverse_gamma;
mod laplace;
mod log_normal;
mod logistic;
mod normal;
mod pareto;
mod student_t;
mod uniform;
mod weibull;

pub use beta::Beta;
pub use cauchy::Cauchy;
pub use chi2::Chi2;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use inverse_gamma::InverseGamma;
pub use laplace::Laplace;
pub use log_normal::LogNormal;
pub use logistic::Logistic;
pub use normal::Normal;
pub use pareto::Pareto;
pub use student_t::StudentT;
pub use uniform::Uniform;
pub use weibull::Weibull;
