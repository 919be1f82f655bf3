//! Distributions: families by file, capabilities as traits. A distribution is a tree of its
//! parameters, which may be literals, arrays or traced: build it inside or outside a transformed
//! function.
//!
//! Shapes follow TensorFlow Probability: a draw has the sample shape, then the batch shape of the
//! parameters, then the event shape of one draw.
//!
//! Parameters are checked: those whose value is known when the distribution is made, traced ones
//! by shape and type. A tree that is put together from leaves is checked when it is used, since it
//! may as well hold derivatives. A value is looked through once, however often it is used.
//!
//! ```
//! use probpipe::prelude::*;
//! let n = Normal::new(0.0, array([1.0, -0.5]));
//! let error = n.log_prob(&array(0.0)).checked().unwrap_err();
//! assert_eq!(error.message(), "the scale of a Normal must be positive, not -0.5 at [1]");
//! ```

mod abilities;
mod bessel;
mod capabilities;
mod combine;
mod continuous;
mod cut;
mod declaration;
mod directional;
mod discrete;
mod divergence;
mod empirical;
mod events;
mod family;
mod finite;
mod formulas;
mod multivariate;
mod named;
mod noncentral;
mod operations;
mod parameters;
mod processes;
mod search;
mod shapes;
mod tails;
mod terms;
#[cfg(test)]
mod tests;

pub use abilities::Abilities;
pub use capabilities::{
    Cdf, Covariance, Distribution, Entropy, KlDivergence, LogProb, Mode, Moments, Quantile, Sample,
    Support,
};
pub use combine::{
    Components, EulerMaruyama, Expanded, FlatDistribution, Gate, GaussianCopula,
    GaussianCopulaBeta, Hurdle, ImproperUniform, Independent, IntervalCensored, Joint, JointPart,
    JointValue, Layout, LeftCensored, Masked, Mixture, MixtureSameFamily, MomentsOfComponents,
    Ordered, Parts, Product, Quantized, RealForm, RealRun, RightCensored, Sequential, Transformed,
    Truncated, Unit, ZeroInflated, product,
};
pub use continuous::{
    AsymmetricLaplace, AsymmetricLaplaceQuantile, Bates, Beta, BetaProportion, BetaQuotient,
    Cauchy, Chi, Chi2, ContinuousBernoulli, Dagum, Delta, DoublesidedMaxwell,
    DoublyTruncatedPowerLaw, ExpGamma, ExpInverseGamma, Exponential, ExponentiallyModifiedGaussian,
    FoldedNormal, FoldedStudentT, Gamma, GammaGamma, GeneralizedExtremeValue, GeneralizedNormal,
    GeneralizedPareto, Gompertz, Gumbel, HalfCauchy, HalfNormal, HalfStudentT, Horseshoe,
    HurdleGamma, HurdleLogNormal, InverseGamma, InverseGaussian, JohnsonSU, Kumaraswamy,
    LambertWNormal, Laplace, LeftTruncatedGamma, LeftTruncatedNormal, Levy, LogLogistic, LogNormal,
    LogUniform, Logistic, LogitNormal, LowerTruncatedPowerLaw, Moyal, NoncentralChi2, Normal,
    NormalInverseGaussian, PERT, Pareto, RelaxedBernoulliLogits, RightTruncatedGamma,
    RightTruncatedNormal, SigmoidBeta, SinhArcsinh, SoftLaplace, StudentT, Triangular,
    TruncatedCauchy, TruncatedLaplace, TruncatedLogistic, TruncatedNormal, TruncatedPolyaGamma,
    TruncatedStudentT, TwoPieceNormal, TwoPieceStudentT, TwoSidedTruncatedGamma, Uniform, VonMises,
    Weibull,
};
pub use directional::{
    PowerSpherical, ProjectedNormal, SineBivariateVonMises, SineSkewed, SphericalUniform,
    VonMisesFisher,
};
pub use discrete::{
    Bernoulli, BernoulliLogits, BetaBinomial, BetaNegativeBinomial, Binomial, BinomialLogits,
    Categorical, CategoricalLogits, DiscreteUniform, FiniteDiscrete, GammaPoisson, Geometric,
    GeometricLogits, NegativeBinomial, NegativeBinomial2, NegativeBinomialLogits, OrderedLogistic,
    Poisson, PoissonLog, ProbitBernoulli, Skellam, StoppingRatioLogistic, Zipf,
};
pub use divergence::{kl_divergence, kl_monte_carlo};
pub use empirical::{Bandwidth, Empirical, Kde};
pub use family::{Family, Parameter, Parametric, table};
pub use multivariate::{
    CAR, CirculantNormal, DeterminantalPointProcess, Dirichlet, DirichletMultinomial,
    ExpRelaxedOneHotCategorical, FilteredStates, GaussianRandomWalk, GaussianStateSpace,
    InverseWishart, InverseWishartCholesky, LKJ, LKJCholesky, LinearGaussianSSM,
    LowRankMultivariateNormal, MatrixNormal, MatrixT, Multinomial, MultinomialLogits,
    MultivariateNormal, MultivariateStudentT, OneHotCategorical, PlackettLuce,
    RelaxedOneHotCategorical, Wishart, WishartCholesky, ZeroSumNormal,
};
pub use named::Named;
pub use operations::{
    Estimate, Expectation, FromDistribution, HostDraws, HostSampler, MomentMatched,
    from_distribution, match_moments,
};
pub use processes::{
    Autoregressive, GaussianPosterior, GaussianProcess, HiddenMarkovModel, Kernel,
};

/// All families. [`table`] prints them.
pub const FAMILIES: &[&Family] = &[
    AsymmetricLaplace::FAMILY,
    AsymmetricLaplaceQuantile::FAMILY,
    Bernoulli::FAMILY,
    BernoulliLogits::FAMILY,
    Beta::FAMILY,
    BetaBinomial::FAMILY,
    BetaNegativeBinomial::FAMILY,
    BetaProportion::FAMILY,
    BetaQuotient::FAMILY,
    Binomial::FAMILY,
    BinomialLogits::FAMILY,
    CAR::FAMILY,
    Categorical::FAMILY,
    CategoricalLogits::FAMILY,
    Cauchy::FAMILY,
    Chi::FAMILY,
    Chi2::FAMILY,
    CirculantNormal::FAMILY,
    ContinuousBernoulli::FAMILY,
    Dagum::FAMILY,
    Delta::FAMILY,
    DeterminantalPointProcess::FAMILY,
    Dirichlet::FAMILY,
    DirichletMultinomial::FAMILY,
    DiscreteUniform::FAMILY,
    DoublesidedMaxwell::FAMILY,
    DoublyTruncatedPowerLaw::FAMILY,
    ExpGamma::FAMILY,
    ExpInverseGamma::FAMILY,
    ExpRelaxedOneHotCategorical::FAMILY,
    Exponential::FAMILY,
    ExponentiallyModifiedGaussian::FAMILY,
    FiniteDiscrete::FAMILY,
    FoldedNormal::FAMILY,
    FoldedStudentT::FAMILY,
    Gamma::FAMILY,
    GammaGamma::FAMILY,
    GammaPoisson::FAMILY,
    GeneralizedExtremeValue::FAMILY,
    GeneralizedNormal::FAMILY,
    GeneralizedPareto::FAMILY,
    Geometric::FAMILY,
    GeometricLogits::FAMILY,
    Gompertz::FAMILY,
    Gumbel::FAMILY,
    HalfCauchy::FAMILY,
    HalfNormal::FAMILY,
    HalfStudentT::FAMILY,
    Horseshoe::FAMILY,
    HurdleGamma::FAMILY,
    HurdleLogNormal::FAMILY,
    InverseGamma::FAMILY,
    InverseGaussian::FAMILY,
    InverseWishart::FAMILY,
    InverseWishartCholesky::FAMILY,
    JohnsonSU::FAMILY,
    Kumaraswamy::FAMILY,
    LambertWNormal::FAMILY,
    Laplace::FAMILY,
    LeftTruncatedGamma::FAMILY,
    LeftTruncatedNormal::FAMILY,
    Levy::FAMILY,
    LogLogistic::FAMILY,
    LogNormal::FAMILY,
    LogUniform::FAMILY,
    Logistic::FAMILY,
    LogitNormal::FAMILY,
    LowerTruncatedPowerLaw::FAMILY,
    Moyal::FAMILY,
    Multinomial::FAMILY,
    MultinomialLogits::FAMILY,
    MultivariateNormal::FAMILY,
    MultivariateStudentT::FAMILY,
    NegativeBinomial::FAMILY,
    NegativeBinomial2::FAMILY,
    NegativeBinomialLogits::FAMILY,
    NoncentralChi2::FAMILY,
    Normal::FAMILY,
    NormalInverseGaussian::FAMILY,
    OneHotCategorical::FAMILY,
    OrderedLogistic::FAMILY,
    PERT::FAMILY,
    Pareto::FAMILY,
    PlackettLuce::FAMILY,
    Poisson::FAMILY,
    PoissonLog::FAMILY,
    PowerSpherical::FAMILY,
    ProbitBernoulli::FAMILY,
    ProjectedNormal::FAMILY,
    RelaxedBernoulliLogits::FAMILY,
    RelaxedOneHotCategorical::FAMILY,
    RightTruncatedGamma::FAMILY,
    RightTruncatedNormal::FAMILY,
    SigmoidBeta::FAMILY,
    SineBivariateVonMises::FAMILY,
    SinhArcsinh::FAMILY,
    Skellam::FAMILY,
    SoftLaplace::FAMILY,
    StoppingRatioLogistic::FAMILY,
    StudentT::FAMILY,
    Triangular::FAMILY,
    TruncatedCauchy::FAMILY,
    TruncatedLaplace::FAMILY,
    TruncatedLogistic::FAMILY,
    TruncatedNormal::FAMILY,
    TruncatedPolyaGamma::FAMILY,
    TruncatedStudentT::FAMILY,
    TwoPieceNormal::FAMILY,
    TwoPieceStudentT::FAMILY,
    TwoSidedTruncatedGamma::FAMILY,
    Uniform::FAMILY,
    VonMises::FAMILY,
    VonMisesFisher::FAMILY,
    Weibull::FAMILY,
    Wishart::FAMILY,
    WishartCholesky::FAMILY,
    Zipf::FAMILY,
];
