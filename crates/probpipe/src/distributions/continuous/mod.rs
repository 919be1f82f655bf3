//! Families on the real line, by file.

mod asymmetric_laplace;
mod beta;
mod beta_proportion;
mod cauchy;
mod chi;
mod chi2;
mod continuous_bernoulli;
mod dagum;
mod delta;
mod doublesided_maxwell;
mod exp_gamma;
mod exponential;
mod exponentially_modified_gaussian;
mod extremes;
mod folded;
mod gamma;
mod gamma_gamma;
mod generalized_normal;
mod gompertz;
mod gumbel;
mod half_cauchy;
mod half_normal;
mod half_student_t;
mod hurdle;
mod inverse_gamma;
mod inverse_gaussian;
mod johnson_su;
mod kumaraswamy;
mod laplace;
mod levy;
mod log_logistic;
mod log_normal;
mod log_uniform;
mod logistic;
mod moyal;
mod normal;
mod pareto;
mod pert;
mod polya_gamma;
mod power_law;
mod relaxed_bernoulli;
mod soft_laplace;
mod student_t;
mod triangular;
mod truncated;
mod two_piece;
mod uniform;
mod von_mises;
mod weibull;

pub use asymmetric_laplace::{AsymmetricLaplace, AsymmetricLaplaceQuantile};
pub use beta::Beta;
pub use beta_proportion::BetaProportion;
pub use cauchy::Cauchy;
pub use chi::Chi;
pub use chi2::Chi2;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use dagum::Dagum;
pub use delta::Delta;
pub use doublesided_maxwell::DoublesidedMaxwell;
pub use exp_gamma::{ExpGamma, ExpInverseGamma};
pub use exponential::Exponential;
pub use exponentially_modified_gaussian::ExponentiallyModifiedGaussian;
pub use extremes::{GeneralizedExtremeValue, GeneralizedPareto};
pub use folded::{FoldedNormal, FoldedStudentT};
pub use gamma::Gamma;
pub use gamma_gamma::GammaGamma;
pub use generalized_normal::GeneralizedNormal;
pub use gompertz::Gompertz;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use half_student_t::HalfStudentT;
pub use hurdle::{HurdleGamma, HurdleLogNormal};
pub use inverse_gamma::InverseGamma;
pub use inverse_gaussian::InverseGaussian;
pub use johnson_su::{JohnsonSU, SinhArcsinh};
pub use kumaraswamy::Kumaraswamy;
pub use laplace::Laplace;
pub use levy::Levy;
pub use log_logistic::{LogLogistic, LogitNormal};
pub use log_normal::LogNormal;
pub use log_uniform::LogUniform;
pub use logistic::Logistic;
pub use moyal::Moyal;
pub use normal::Normal;
pub use pareto::Pareto;
pub use pert::{PERT, SigmoidBeta};
pub use polya_gamma::TruncatedPolyaGamma;
pub use power_law::{DoublyTruncatedPowerLaw, LowerTruncatedPowerLaw};
pub use relaxed_bernoulli::RelaxedBernoulliLogits;
pub use soft_laplace::SoftLaplace;
pub use student_t::StudentT;
pub use triangular::Triangular;
pub use truncated::{
    LeftTruncatedGamma, LeftTruncatedNormal, RightTruncatedGamma, RightTruncatedNormal,
    TruncatedCauchy, TruncatedLaplace, TruncatedLogistic, TruncatedNormal, TruncatedStudentT,
    TwoSidedTruncatedGamma,
};
    TwoPieceStudentT};,
    normal as normal_cut};,
    pub use two_piece::{TwoPieceNormal,
    pub(crate) use truncated::{gamma as gamma_cut,
pub use uniform::Uniform;
pub use von_mises::VonMises;
pub use weibull::Weibull;

/// The constant of Euler, which is minus the derivative of the gamma function at 1.
const EULER: f64 = 0.577_215_664_901_532_9;
