//! Families on the real line, by file.

mod asymmetric_laplace;
mod beta;
mod beta_proportion;
mod cauchy;
mod chi2;
mod dagum;
mod delta;
mod exponential;
mod folded;
mod gamma;
mod gompertz;
mod gumbel;
mod half_cauchy;
mod half_normal;
mod hurdle;
mod inverse_gamma;
mod kumaraswamy;
mod laplace;
mod levy;
mod log_normal;
mod log_uniform;
mod logistic;
mod normal;
mod pareto;
mod polya_gamma;
mod power_law;
mod relaxed_bernoulli;
mod soft_laplace;
mod student_t;
mod truncated;
mod uniform;
mod von_mises;
mod weibull;

pub use asymmetric_laplace::{AsymmetricLaplace, AsymmetricLaplaceQuantile};
pub use beta::Beta;
pub use beta_proportion::BetaProportion;
pub use cauchy::Cauchy;
pub use chi2::Chi2;
pub use dagum::Dagum;
pub use delta::Delta;
pub use exponential::Exponential;
pub use folded::{FoldedNormal, FoldedStudentT};
pub use gamma::Gamma;
pub use gompertz::Gompertz;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use hurdle::{HurdleGamma, HurdleLogNormal};
pub use inverse_gamma::InverseGamma;
pub use kumaraswamy::Kumaraswamy;
pub use laplace::Laplace;
pub use levy::Levy;
pub use log_normal::LogNormal;
pub use log_uniform::LogUniform;
pub use logistic::Logistic;
pub use normal::Normal;
pub use pareto::Pareto;
pub use polya_gamma::TruncatedPolyaGamma;
pub use power_law::{DoublyTruncatedPowerLaw, LowerTruncatedPowerLaw};
pub use relaxed_bernoulli::RelaxedBernoulliLogits;
pub use soft_laplace::SoftLaplace;
pub use student_t::StudentT;
pub use truncated::{
    LeftTruncatedGamma, LeftTruncatedNormal, RightTruncatedGamma, RightTruncatedNormal,
    TruncatedCauchy, TruncatedLaplace, TruncatedLogistic, TruncatedNormal, TruncatedStudentT,
    TwoSidedTruncatedGamma,
};
pub(crate) use truncated::{gamma as gamma_cut, normal as normal_cut};
pub use uniform::Uniform;
pub use von_mises::VonMises;
pub use weibull::Weibull;

/// The constant of Euler, which is minus the derivative of the gamma function at 1.
const EULER: f64 = 0.577_215_664_901_532_9;
