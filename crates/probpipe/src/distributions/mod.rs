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

mod capabilities;
mod combine;
mod continuous;
mod cut;
mod declaration;
mod discrete;
mod divergence;
mod empirical;
mod family;
mod finite;
mod formulas;
mod multivariate;
mod named;
mod operations;
mod parameters;
mod processes;
mod search;
mod shapes;
mod terms;
#[cfg(test)]
mod tests;

pub use capabilities::{
    Cdf, Distribution, Entropy, KlDivergence, LogProb, Mode, Moments, Quantile, Sample, Support,
};
pub use combine::{
    Components, Expanded, FlatDistribution, Gate, Hurdle, Independent, IntervalCensored, Joint,
    JointPart, JointValue, Layout, LeftCensored, Masked, Mixture, MixtureSameFamily,
    MomentsOfComponents, Parts, Product, RightCensored, Sequential, Transformed, Truncated,
    ZeroInflated, product,
};
pub use continuous::{
    AsymmetricLaplace, AsymmetricLaplaceQuantile, Beta, BetaProportion, Cauchy, Chi2, Dagum, Delta,
    DoublyTruncatedPowerLaw, Exponential, FoldedNormal, FoldedStudentT, Gamma, Gompertz, Gumbel,
    HalfCauchy, HalfNormal, HurdleGamma, HurdleLogNormal, InverseGamma, Kumaraswamy, Laplace,
    LeftTruncatedGamma, LeftTruncatedNormal, Levy, LogNormal, LogUniform, Logistic,
    LowerTruncatedPowerLaw, Normal, Pareto, RelaxedBernoulliLogits, RightTruncatedGamma,
    RightTruncatedNormal, SoftLaplace, StudentT, TruncatedCauchy, TruncatedLaplace,
    TruncatedLogistic, TruncatedNormal, TruncatedPolyaGamma, TruncatedStudentT,
    TwoSidedTruncatedGamma, Uniform, VonMises, Weibull,
};
pub use discrete::{
    Bernoulli, BernoulliLogits, BetaBinomial, BetaNegativeBinomial, Binomial, BinomialLogits,
    Categorical, CategoricalLogits, DiscreteUniform, GammaPoisson, Geometric, GeometricLogits,
    NegativeBinomial, NegativeBinomial2, NegativeBinomialLogits, OrderedLogistic, Poisson,
};
pub use divergence::{kl_divergence, kl_monte_carlo};
pub use empirical::{Bandwidth, Empirical, Kde};
pub use family::{Family, Parameter, Parametric, table};
pub use multivariate::{
    CirculantNormal, Dirichlet, DirichletMultinomial, GaussianRandomWalk, InverseWishart,
    InverseWishartCholesky, LKJ, LKJCholesky, LowRankMultivariateNormal, Multinomial,
    MultinomialLogits, MultivariateNormal, MultivariateStudentT, Wishart, WishartCholesky,
    ZeroSumNormal,
};
pub use named::Named;
pub use operations::{
    Covariance, Estimate, Expectation, FromDistribution, HostDraws, HostSampler, MomentMatched,
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
    Binomial::FAMILY,
    BinomialLogits::FAMILY,
    Categorical::FAMILY,
    CategoricalLogits::FAMILY,
    Cauchy::FAMILY,
    Chi2::FAMILY,
    CirculantNormal::FAMILY,
    Dagum::FAMILY,
    Delta::FAMILY,
    Dirichlet::FAMILY,
    DirichletMultinomial::FAMILY,
    DiscreteUniform::FAMILY,
    DoublyTruncatedPowerLaw::FAMILY,
    Exponential::FAMILY,
    FoldedNormal::FAMILY,
    FoldedStudentT::FAMILY,
    Gamma::FAMILY,
    GammaPoisson::FAMILY,
    Geometric::FAMILY,
    GeometricLogits::FAMILY,
    Gompertz::FAMILY,
    Gumbel::FAMILY,
    HalfCauchy::FAMILY,
    HalfNormal::FAMILY,
    HurdleGamma::FAMILY,
    HurdleLogNormal::FAMILY,
    InverseGamma::FAMILY,
    InverseWishart::FAMILY,
    InverseWishartCholesky::FAMILY,
    Kumaraswamy::FAMILY,
    Laplace::FAMILY,
    LeftTruncatedGamma::FAMILY,
    LeftTruncatedNormal::FAMILY,
    Levy::FAMILY,
    LogNormal::FAMILY,
    LogUniform::FAMILY,
    Logistic::FAMILY,
    LowerTruncatedPowerLaw::FAMILY,
    Multinomial::FAMILY,
    MultinomialLogits::FAMILY,
    MultivariateNormal::FAMILY,
    MultivariateStudentT::FAMILY,
    NegativeBinomial::FAMILY,
    NegativeBinomial2::FAMILY,
    NegativeBinomialLogits::FAMILY,
    Normal::FAMILY,
    OrderedLogistic::FAMILY,
    Pareto::FAMILY,
    Poisson::FAMILY,
    RelaxedBernoulliLogits::FAMILY,
    RightTruncatedGamma::FAMILY,
    RightTruncatedNormal::FAMILY,
    SoftLaplace::FAMILY,
    StudentT::FAMILY,
    TruncatedCauchy::FAMILY,
    TruncatedLaplace::FAMILY,
    TruncatedLogistic::FAMILY,
    TruncatedNormal::FAMILY,
    TruncatedPolyaGamma::FAMILY,
    TruncatedStudentT::FAMILY,
    TwoSidedTruncatedGamma::FAMILY,
    Uniform::FAMILY,
    VonMises::FAMILY,
    Weibull::FAMILY,
    Wishart::FAMILY,
    WishartCholesky::FAMILY,
];
