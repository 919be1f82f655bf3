//! What is checked once is not checked again, and no way around the constructor skips the checks.

use super::*;
use crate::constraints::tests::SEARCHES;
use probpipe_trace::{Array, Key, Tree, array};
use probpipe_transforms::{grad, vmap};

/// How often values are looked through while `f` runs.
fn searches<R>(f: impl FnOnce() -> R) -> usize {
    let before = SEARCHES.get();
    f();
    SEARCHES.get() - before
}

#[test]
fn values_are_checked_once() {
    let (loc, scale) = (array([0.0, 1.0]), array([1.0, 2.0]));
    let x = array([0.5, 0.5]);
    assert_eq!(searches(|| Normal::new(&loc, &scale)), 2);
    let again = || {
        let n = Normal::new(&loc, &scale);
        (n.log_prob(&x), n.mean(), n.clone().sample(Key::new(0), [3]))
    };
    assert_eq!(searches(|| (0..10).for_each(|_| drop(again()))), 0);
    assert_eq!(searches(|| Laplace::new(&loc, &scale)), 0, "another family, the same question");
    // Also inside traces, which take the arrays along, and in trees put together again.
    let density = |x: Array| Normal::new(&loc, &scale).log_prob(&x).sum();
    assert_eq!(searches(|| grad(density)(x.clone())), 0);
    let n = Normal::new(&loc, &scale).map(Array::clone);
    assert_eq!(searches(|| n.log_prob(&x)), 0);
    let each = vmap(|(n, x): (Normal, Array)| n.log_prob(&x));
    assert_eq!(searches(|| each((n.clone(), x.clone()))), 0, "traced ones have no values");
}

#[test]
fn a_covariance_is_checked_once() {
    let (loc, covariance) = (array([0.0, 1.0]), array([[2.0, 1.0], [1.0, 2.0]]));
    // The mean, the covariance, and the factor, which is a new array each time.
    assert_eq!(searches(|| MultivariateNormal::new(&loc, &covariance)), 3);
    assert_eq!(searches(|| MultivariateNormal::new(&loc, &covariance)), 1);
}

#[test]
fn trees_do_not_step_around_checks() {
    let n = Normal::new(0.0, array([1.0, 2.0]));
    let negative = n.map(|leaf| -leaf);
    assert_eq!(negative.scale().to_vec::<f32>().unwrap(), [-1.0, -2.0], "it may be a derivative");
    let wrong = "the scale of a Normal must be positive, not -1 at [0]";
    let x = array([0.0, 0.0]);
    let uses = [
        negative.log_prob(&x),
        negative.sample(Key::new(0), [2]),
        negative.cdf(&x),
        negative.quantile(&x),
        negative.mean(),
        negative.variance(),
        negative.entropy(),
    ];
    for used in uses {
        assert_eq!(used.error().map(|e| e.message()), Some(wrong));
    }
    let again = Normal::new(negative.loc(), negative.scale());
    assert_eq!(again.mean().error().map(|e| e.message()), Some(wrong));
}

/// Draws and densities of a distribution whose parameters were replaced by one that fits none.
fn refuses<D>(distribution: D) -> &'static str
where
    D: Parametric + Tree + LogProb + Sample,
{
    let bad = distribution.map(|leaf| leaf * f64::NAN);
    for result in [bad.log_prob(&array(0.5)), bad.sample(Key::new(0), ())] {
        let message = result.error().map(|e| e.message().to_string()).unwrap_or_default();
        assert!(message.contains(D::FAMILY.name), "{}: {message}", D::FAMILY.name);
    }
    D::FAMILY.name
}

#[test]
fn every_family_refuses_leaves_that_do_not_fit() {
    let refused = [
        refuses(AsymmetricLaplace::new(0.0, 1.0, 1.0)),
        refuses(AsymmetricLaplaceQuantile::new(0.0, 1.0, 0.5)),
        refuses(Bernoulli::new(0.5)),
        refuses(BernoulliLogits::new(0.5)),
        refuses(Beta::new(1.0, 1.0)),
        refuses(BetaBinomial::new(1.0, 1.0, 3)),
        refuses(BetaNegativeBinomial::new(1.0, 1.0, 3.0)),
        refuses(BetaProportion::new(0.5, 1.0)),
        refuses(BetaQuotient::new(1.0, 1.0, 1.0, 1.0)),
        refuses(Binomial::new(3, 0.5)),
        refuses(BinomialLogits::new(3, 0.5)),
        refuses(CAR::new([0.0, 0.0], 0.5, 1.0, [[0.0, 1.0], [1.0, 0.0]])),
        refuses(Categorical::new([0.5, 0.5])),
        refuses(CategoricalLogits::new([0.0, 1.0])),
        refuses(Cauchy::new(0.0, 1.0)),
        refuses(Chi::new(1.0)),
        refuses(Chi2::new(1.0)),
        refuses(CirculantNormal::new([0.0, 0.0], [1.0, 0.5])),
        refuses(ContinuousBernoulli::new(0.5)),
        refuses(Dagum::new(1.0, 1.0, 1.0)),
        refuses(Delta::new(0.0)),
        refuses(DeterminantalPointProcess::new([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]])),
        refuses(Dirichlet::new([1.0, 2.0])),
        refuses(DirichletMultinomial::new(3, [1.0, 2.0])),
        refuses(DiscreteUniform::new(0, 1)),
        refuses(DoublesidedMaxwell::new(0.0, 1.0)),
        refuses(DoublyTruncatedPowerLaw::new(1.0, 1.0, 2.0)),
        refuses(ExpGamma::new(1.0, 1.0)),
        refuses(ExpInverseGamma::new(1.0, 1.0)),
        refuses(ExpRelaxedOneHotCategorical::new(1.0, [0.0, 1.0])),
        refuses(Exponential::new(1.0)),
        refuses(ExponentiallyModifiedGaussian::new(0.0, 1.0, 1.0)),
        refuses(FiniteDiscrete::new([0.0, 1.0], [0.5, 0.5])),
        refuses(FoldedNormal::new(0.0, 1.0)),
        refuses(FoldedStudentT::new(1.0, 0.0, 1.0)),
        refuses(Gamma::new(1.0, 1.0)),
        refuses(GammaGamma::new(1.0, 1.0, 1.0)),
        refuses(GammaPoisson::new(1.0, 1.0)),
        refuses(GeneralizedExtremeValue::new(0.0, 1.0, 0.5)),
        refuses(GeneralizedNormal::new(0.0, 1.0, 2.0)),
        refuses(GeneralizedPareto::new(0.0, 1.0, 0.5)),
        refuses(Geometric::new(0.5)),
        refuses(GeometricLogits::new(0.5)),
        refuses(Gompertz::new(1.0, 1.0)),
        refuses(Gumbel::new(0.0, 1.0)),
        refuses(HalfCauchy::new(1.0)),
        refuses(HalfNormal::new(1.0)),
        refuses(HalfStudentT::new(3.0, 0.0, 1.0)),
        refuses(Horseshoe::new(1.0)),
        refuses(HurdleGamma::new(0.5, 1.0, 1.0)),
        refuses(HurdleLogNormal::new(0.5, 0.0, 1.0)),
        refuses(InverseGamma::new(1.0, 1.0)),
        refuses(InverseGaussian::new(1.0, 1.0)),
        refuses(InverseWishart::new(3.0, [[2.0, 1.0], [1.0, 2.0]])),
        refuses(InverseWishartCholesky::new(3.0, [[2.0, 1.0], [1.0, 2.0]])),
        refuses(JohnsonSU::new(0.0, 1.0, 0.0, 1.0)),
        refuses(Kumaraswamy::new(1.0, 1.0)),
        refuses(LambertWNormal::new(0.0, 1.0, 0.1)),
        refuses(Laplace::new(0.0, 1.0)),
        refuses(LeftTruncatedGamma::new(1.0, 1.0, 1.0)),
        refuses(LeftTruncatedNormal::new(0.0, 1.0, 1.0)),
        refuses(Levy::new(0.0, 1.0)),
        refuses(LogLogistic::new(0.0, 1.0)),
        refuses(LogNormal::new(0.0, 1.0)),
        refuses(LogUniform::new(1.0, 2.0)),
        refuses(Logistic::new(0.0, 1.0)),
        refuses(LogitNormal::new(0.0, 1.0)),
        refuses(LowerTruncatedPowerLaw::new(-2.0, 1.0)),
        refuses(Moyal::new(0.0, 1.0)),
        refuses(Multinomial::new(3, [0.5, 0.5])),
        refuses(MultinomialLogits::new(3, [0.0, 1.0])),
        refuses(MultivariateNormal::new([0.0, 1.0], [[2.0, 1.0], [1.0, 2.0]])),
        refuses(MultivariateStudentT::new(3.0, [0.0, 1.0], [[2.0, 0.0], [1.0, 2.0]])),
        refuses(NegativeBinomial::new(1.0, 0.5)),
        refuses(NegativeBinomial2::new(1.0, 1.0)),
        refuses(NegativeBinomialLogits::new(1.0, 0.5)),
        refuses(NoncentralChi2::new(2.0, 1.0)),
        refuses(Normal::new(0.0, 1.0)),
        refuses(NormalInverseGaussian::new(0.0, 1.0, 2.0, 0.5)),
        refuses(OneHotCategorical::new([0.5, 0.5])),
        refuses(OrderedLogistic::new(0.0, [0.0, 1.0])),
        refuses(PERT::new(0.0, 0.5, 1.0, 4.0)),
        refuses(Pareto::new(1.0, 1.0)),
        refuses(PlackettLuce::new([1.0, 2.0])),
        refuses(Poisson::new(1.0)),
        refuses(PoissonLog::new(1.0)),
        refuses(PowerSpherical::new([1.0, 0.0], 1.0)),
        refuses(ProbitBernoulli::new(0.5)),
        refuses(ProjectedNormal::new([1.0, 0.0])),
        refuses(RelaxedBernoulliLogits::new(1.0, 0.0)),
        refuses(RelaxedOneHotCategorical::new(1.0, [0.0, 1.0])),
        refuses(RightTruncatedGamma::new(1.0, 1.0, 1.0)),
        refuses(RightTruncatedNormal::new(0.0, 1.0, 1.0)),
        refuses(SigmoidBeta::new(1.0, 1.0)),
        refuses(SineBivariateVonMises::new(0.0, 0.0, 1.0, 1.0, 0.5)),
        refuses(SinhArcsinh::new(0.0, 1.0, 0.0, 1.0)),
        refuses(Skellam::new(1.0, 2.0)),
        refuses(SoftLaplace::new(0.0, 1.0)),
        refuses(StoppingRatioLogistic::new([0.0, 1.0], 0.5)),
        refuses(StudentT::new(1.0, 0.0, 1.0)),
        refuses(Triangular::new(0.0, 1.0, 0.5)),
        refuses(TruncatedCauchy::new(0.0, 1.0, 0.0, 1.0)),
        refuses(TruncatedLaplace::new(0.0, 1.0, 0.0, 1.0)),
        refuses(TruncatedLogistic::new(0.0, 1.0, 0.0)),
        refuses(TruncatedNormal::new(0.0, 1.0, 0.0, 1.0)),
        refuses(TruncatedStudentT::new(1.0, 0.0, 1.0, 0.0, 1.0)),
        refuses(TwoPieceNormal::new(0.0, 1.0, 1.0)),
        refuses(TwoPieceStudentT::new(3.0, 0.0, 1.0, 1.0)),
        refuses(TwoSidedTruncatedGamma::new(1.0, 1.0, 0.0, 1.0)),
        refuses(Uniform::new(0.0, 1.0)),
        refuses(VonMises::new(0.0, 1.0)),
        refuses(VonMisesFisher::new([1.0, 0.0], 1.0)),
        refuses(Weibull::new(1.0, 1.0)),
        refuses(Wishart::new(3.0, [[2.0, 1.0], [1.0, 2.0]])),
        refuses(WishartCholesky::new(3.0, [[2.0, 1.0], [1.0, 2.0]])),
        refuses(Zipf::new(2.0)),
    ];
    // One without parameters has nothing to refuse.
    let with_parameters = FAMILIES.iter().filter(|family| !family.parameters.is_empty());
    let names: Vec<&str> = with_parameters.map(|family| family.name).collect();
    assert_eq!(refused[..], names[..], "a new family needs a line above");
}

#[test]
fn names_are_those_of_the_getters() {
    let mut names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), FAMILIES.len());
    let u = Uniform::new(1, 2);
    assert_eq!(u.to_string(), "Uniform(low=1.0, high=2.0)");
    assert_eq!(Normal::new([0.0, 1.0], 2.0).to_string(), "Normal(loc=f32[2], scale=2.0)");
    assert_eq!(u.parameters().len(), Uniform::FAMILY.parameters.len());
    assert_eq!(u.structure().paths(), [".low", ".high"]);
}
