//! Divergences between distributions: which pairs have a formula, and an estimate for the others.

mod circulant;
mod directions;
mod numbers;
mod vectors;
mod wrapped;

use crate::bijectors::{Affine, Exp, Sigmoid, StickBreaking};
use crate::distributions::*;
use probpipe_trace::{Array, Error, ErrorKind, IntoShape, Key, here, with_location};
use std::any::{Any, type_name};

/// The Kullback-Leibler divergence `KL(p || q)`, the mean of `log p(x) - log q(x)` over draws `x`
/// of `p`, of the common batch shape.
///
/// ```
/// use probpipe::distributions::{kl_divergence, kl_monte_carlo};
/// use probpipe::prelude::*;
/// let (p, q) = (Normal::new(0.0, 1.0), Normal::new(1.0, 1.0));
/// assert_eq!(kl_divergence(&p, &q).item::<f32>()?, 0.5);
/// let missing = kl_divergence(&p, &Laplace::new(0.0, 1.0));
/// assert_eq!(
///     missing.error().map(|e| e.message()),
///     Some("No KL(distribution_a || distribution_b) registered for distribution_a type Normal \
///           and distribution_b type Laplace"),
/// );
/// let estimate = kl_monte_carlo(&p, &Laplace::new(0.0, 1.0), Key::new(0), 10_000);
/// assert!((estimate.item::<f32>()? - 0.072).abs() < 0.02);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// A pair that has no formula gives an invalid array that names it. Pairs of your own, which
/// implement [`KlDivergence`], are asked by its method.
#[track_caller]
pub fn kl_divergence<P, Q>(p: &P, q: &Q) -> Array
where
    P: Distribution + 'static,
    Q: Distribution + 'static,
{
    let location = here();
    let found = with_location(location, || PAIRS.iter().find_map(|pair| pair(p, q)));
    found.unwrap_or_else(|| {
        let message = format!(
            "No KL(distribution_a || distribution_b) registered for distribution_a type {} and \
             distribution_b type {}",
            short(type_name::<P>()),
            short(type_name::<Q>())
        );
        let error = Error::new(ErrorKind::Value, message)
            .help("estimate it from draws with `kl_monte_carlo(&p, &q, key, draws)`");
        Array::invalid(error, location)
    })
}

/// An estimate of `KL(p || q)` from draws of `p`: the mean of `log p(x) - log q(x)`, whose error
/// falls with the root of their number. Where `p` is reparameterised it has the derivatives of the
/// estimate.
#[track_caller]
pub fn kl_monte_carlo<P, Q>(p: &P, q: &Q, key: Key, draws: usize) -> Array
where
    P: Sample + LogProb,
    Q: LogProb<Value = P::Value>,
{
    let x = p.sample_shape(key, [draws].into_shape());
    (p.log_prob(&x) - q.log_prob(&x)).mean_axes([0])
}

/// The name of a type without its path and its parameters.
fn short(name: &str) -> &str {
    let plain = name.split('<').next().unwrap_or(name);
    plain.rsplit("::").next().unwrap_or(plain)
}

/// A pair that is asked whether it is of these types.
type Pair = fn(&dyn Any, &dyn Any) -> Option<Array>;

fn pair<P, Q>(p: &dyn Any, q: &dyn Any) -> Option<Array>
where
    P: KlDivergence<Q> + 'static,
    Q: Distribution + 'static,
{
    Some(p.downcast_ref::<P>()?.kl_divergence(q.downcast_ref::<Q>()?))
}

macro_rules! pairs {
    ($($p:ty, $q:ty;)+) => {
        /// All pairs with a formula.
        const PAIRS: &[Pair] = &[$(pair::<$p, $q>),+];
    };
}

pairs! {
    Bernoulli, Bernoulli;
    BernoulliLogits, BernoulliLogits;
    Binomial, Binomial;
    Categorical, Categorical;
    CategoricalLogits, CategoricalLogits;
    Geometric, Geometric;
    Poisson, Poisson;
    PoissonLog, PoissonLog;
    Beta, Beta;
    Cauchy, Cauchy;
    Chi, Chi;
    Chi2, Chi2;
    Chi2, Gamma;
    CirculantNormal, CirculantNormal;
    CirculantNormal, Independent<Normal>;
    ContinuousBernoulli, ContinuousBernoulli;
    Dirichlet, Dirichlet;
    ExpGamma, ExpGamma;
    ExpInverseGamma, ExpInverseGamma;
    Exponential, Exponential;
    Exponential, Gamma;
    Gamma, Chi2;
    Gamma, Exponential;
    Gamma, Gamma;
    Gumbel, Gumbel;
    HalfNormal, HalfNormal;
    InverseGamma, InverseGamma;
    Kumaraswamy, Beta;
    Laplace, Laplace;
    LogNormal, LogNormal;
    LogitNormal, LogitNormal;
    MatrixNormal, MatrixNormal;
    Moyal, Moyal;
    MultivariateNormal, MultivariateNormal;
    MultivariateNormal, Independent<Normal>;
    Normal, Normal;
    OneHotCategorical, OneHotCategorical;
    OrderedLogistic, OrderedLogistic;
    Pareto, Pareto;
    PowerSpherical, SphericalUniform;
    PowerSpherical, VonMisesFisher;
    ProbitBernoulli, ProbitBernoulli;
    StoppingRatioLogistic, StoppingRatioLogistic;
    Uniform, Uniform;
    VonMises, VonMises;
    VonMisesFisher, SphericalUniform;
    VonMisesFisher, VonMisesFisher;
    Weibull, Gamma;
    Weibull, Weibull;
    Independent<Beta>, Independent<Beta>;
    Independent<Exponential>, Independent<Exponential>;
    Independent<Gamma>, Independent<Gamma>;
    Independent<Laplace>, Independent<Laplace>;
    Independent<LogNormal>, Independent<LogNormal>;
    Independent<MultivariateNormal>, Independent<MultivariateNormal>;
    Independent<Normal>, CirculantNormal;
    Independent<Normal>, Independent<Normal>;
    Independent<Normal>, MultivariateNormal;
    Expanded<Beta>, Expanded<Beta>;
    Expanded<Exponential>, Expanded<Exponential>;
    Expanded<Gamma>, Expanded<Gamma>;
    Expanded<Laplace>, Expanded<Laplace>;
    Expanded<LogNormal>, Expanded<LogNormal>;
    Expanded<MultivariateNormal>, Expanded<MultivariateNormal>;
    Expanded<Normal>, Expanded<Normal>;
    Masked<Beta>, Masked<Beta>;
    Masked<Exponential>, Masked<Exponential>;
    Masked<Gamma>, Masked<Gamma>;
    Masked<Laplace>, Masked<Laplace>;
    Masked<LogNormal>, Masked<LogNormal>;
    Masked<MultivariateNormal>, Masked<MultivariateNormal>;
    Masked<Normal>, Masked<Normal>;
    Transformed<Normal, Affine>, Transformed<Normal, Affine>;
    Transformed<Normal, Exp>, Transformed<Normal, Exp>;
    Transformed<Normal, Sigmoid>, Transformed<Normal, Sigmoid>;
    Transformed<Normal, StickBreaking>, Transformed<Normal, StickBreaking>;
    // Of a known number from all families of real numbers.
    Delta, AsymmetricLaplace;
    Delta, AsymmetricLaplaceQuantile;
    Delta, Beta;
    Delta, BetaProportion;
    Delta, Cauchy;
    Delta, Chi;
    Delta, Chi2;
    Delta, ContinuousBernoulli;
    Delta, Dagum;
    Delta, Delta;
    Delta, DoublesidedMaxwell;
    Delta, DoublyTruncatedPowerLaw;
    Delta, ExpGamma;
    Delta, ExpInverseGamma;
    Delta, Exponential;
    Delta, ExponentiallyModifiedGaussian;
    Delta, FoldedNormal;
    Delta, FoldedStudentT;
    Delta, Gamma;
    Delta, GammaGamma;
    Delta, GeneralizedExtremeValue;
    Delta, GeneralizedNormal;
    Delta, GeneralizedPareto;
    Delta, Gompertz;
    Delta, Gumbel;
    Delta, HalfCauchy;
    Delta, HalfNormal;
    Delta, HalfStudentT;
    Delta, Horseshoe;
    Delta, HurdleGamma;
    Delta, HurdleLogNormal;
    Delta, InverseGamma;
    Delta, InverseGaussian;
    Delta, JohnsonSU;
    Delta, Kumaraswamy;
    Delta, Laplace;
    Delta, LeftTruncatedGamma;
    Delta, LeftTruncatedNormal;
    Delta, Levy;
    Delta, LogLogistic;
    Delta, LogNormal;
    Delta, LogUniform;
    Delta, Logistic;
    Delta, LogitNormal;
    Delta, LowerTruncatedPowerLaw;
    Delta, Moyal;
    Delta, Normal;
    Delta, PERT;
    Delta, Pareto;
    Delta, RelaxedBernoulliLogits;
    Delta, RightTruncatedGamma;
    Delta, RightTruncatedNormal;
    Delta, SigmoidBeta;
    Delta, SinhArcsinh;
    Delta, SoftLaplace;
    Delta, StudentT;
    Delta, Triangular;
    Delta, TruncatedCauchy;
    Delta, TruncatedLaplace;
    Delta, TruncatedLogistic;
    Delta, TruncatedNormal;
    Delta, TruncatedPolyaGamma;
    Delta, TruncatedStudentT;
    Delta, TwoPieceNormal;
    Delta, TwoPieceStudentT;
    Delta, TwoSidedTruncatedGamma;
    Delta, Uniform;
    Delta, VonMises;
    Delta, Weibull;
}
