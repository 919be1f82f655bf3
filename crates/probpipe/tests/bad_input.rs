//! What does not fit a family, for every declared family by one table: parameters outside of their
//! sets, NaN, shapes that do not fit, points outside of the support and points that are NaN. How
//! the errors read is in `distribution_errors.rs`.

mod golden;

use golden::floats;
use probpipe::constraints::Constraint;
use probpipe::distributions::*;
use probpipe::prelude::*;

/// A family with parameters that fit.
struct Row {
    family: &'static Family,
    good: Vec<Array>,
    log_prob: fn(&[Array], &Array) -> Array,
    sample: fn(&[Array], Key) -> Array,
    inside: fn(&[Array], &Array) -> Array,
    integer: bool,
}

macro_rules! rows {
    ($($family:ident::$new:ident($($p:ident = $value:expr),*);)+) => {
        fn rows() -> Vec<Row> {
            vec![$({
                fn make(p: &[Array]) -> $family {
                    let [$($p),*] = p else { panic!("the parameters of {}", stringify!($family)) };
                    $family::$new($($p),*)
                }
                let good: Vec<Array> = vec![$(wide(array($value))),*];
                Row {
                    family: $family::FAMILY,
                    integer: make(&good).support().is_integer(),
                    good,
                    log_prob: |p, x| make(p).log_prob(x),
                    sample: |p, key| make(p).sample(key, ()),
                    inside: |p, x| make(p).support().check(x),
                }
            }),+]
        }
    };
}

/// Floats as `f64`; integers as they are.
fn wide(x: Array) -> Array {
    if x.dtype().is_float() { x.cast(DType::F64) } else { x }
}

rows! {
    AsymmetricLaplace::new(loc = 0.3, scale = 1.2, asymmetry = 0.7);
    AsymmetricLaplaceQuantile::new(loc = -0.3, scale = 0.8, level = 0.3);
    Bernoulli::new(probs = 0.3);
    BernoulliLogits::new(logits = 0.3);
    Beta::new(a = 2.5, b = 0.8);
    BetaBinomial::new(a = 2.5, b = 0.8, n = 5);
    BetaNegativeBinomial::new(a = 2.5, b = 3.8, n = 5.0);
    BetaProportion::new(proportion = 0.3, concentration = 5.0);
    BetaQuotient::new(a1 = 2.5, a0 = 0.8, b1 = 1.7, b0 = 1.2);
    Binomial::new(n = 5, probs = 0.3);
    BinomialLogits::new(n = 5, logits = 0.3);
    CAR::new(loc = [0.0, 1.0], r = 0.5, precision = 2.0, adj = [[0.0, 1.0], [1.0, 0.0]]);
    Categorical::new(probs = [0.25, 0.75]);
    CategoricalLogits::new(logits = [0.25, 0.75]);
    Cauchy::new(loc = 0.5, scale = 1.5);
    Chi::new(df = 2.5);
    Chi2::new(df = 3.5);
    CirculantNormal::new(loc = [0.0, 1.0, 0.0], row = [2.0, 0.5, 0.5]);
    ContinuousBernoulli::new(logits = 1.5);
    Dagum::new(concentration = 1.5, sharpness = 12.0, scale = 2.0);
    Delta::with_log_density(v = 1.5, log_density = 0.25);
    DeterminantalPointProcess::new(values = [0.5, 2.0], vectors = [[0.6, -0.8], [0.8, 0.6]]);
    Dirichlet::new(concentration = [1.5, 2.5]);
    DirichletMultinomial::new(n = 5, concentration = [1.5, 2.5]);
    DiscreteUniform::new(low = -2, high = 5);
    DoublesidedMaxwell::new(loc = 0.5, scale = 1.5);
    DoublyTruncatedPowerLaw::new(alpha = -1.5, low = 0.5, high = 4.0);
    ExpGamma::new(concentration = 0.8, rate = 1.5);
    ExpInverseGamma::new(concentration = 1.8, rate = 0.5);
    ExpRelaxedOneHotCategorical::new(temperature = 0.8, logits = [0.6, 0.2]);
    Exponential::new(rate = 1.5);
    ExponentiallyModifiedGaussian::new(loc = -0.5, scale = 0.8, rate = 1.5);
    FiniteDiscrete::new(outcomes = [1.0, 2.5], probs = [0.25, 0.75]);
    FoldedNormal::new(loc = -0.7, scale = 1.1);
    FoldedStudentT::new(df = 4.0, loc = 0.8, scale = 1.2);
    Gamma::new(concentration = 2.2, rate = 1.4);
    GammaGamma::new(concentration = 1.5, mixing_concentration = 12.0, mixing_rate = 2.0);
    GammaPoisson::new(concentration = 2.2, rate = 1.4);
    GeneralizedExtremeValue::new(loc = 0.4, scale = 1.6, concentration = 0.3);
    GeneralizedNormal::new(loc = 0.2, scale = 1.5, power = 1.4);
    GeneralizedPareto::new(loc = 0.5, scale = 1.2, concentration = -0.2);
    Geometric::new(probs = 0.3);
    GeometricLogits::new(logits = 0.3);
    Gompertz::new(concentration = 0.6, rate = 1.3);
    Gumbel::new(loc = 0.4, scale = 1.6);
    HalfCauchy::new(scale = 1.3);
    HalfNormal::new(scale = 0.8);
    HalfStudentT::new(df = 12.0, loc = 0.5, scale = 0.8);
    Horseshoe::new(scale = 1.2);
    HurdleGamma::new(gate = 0.3, concentration = 2.0, rate = 1.5);
    HurdleLogNormal::new(gate = 0.3, loc = 0.5, scale = 0.7);
    InverseGamma::new(concentration = 12.0, rate = 1.7);
    InverseGaussian::new(loc = 1.5, concentration = 2.5);
    InverseWishart::from_scale_tril(n = 5.0, factor = [[1.0, 0.0], [0.5, 0.8]]);
    InverseWishartCholesky::from_scale_tril(n = 5.0, factor = [[1.0, 0.0], [0.5, 0.8]]);
    JohnsonSU::new(skewness = 0.5, tailweight = 2.0, loc = 0.3, scale = 1.2);
    Kumaraswamy::new(a = 2.1, b = 1.4);
    LambertWNormal::new(loc = 0.3, scale = 1.2, tailweight = 0.2);
    Laplace::new(loc = 0.2, scale = 0.9);
    LeftTruncatedGamma::new(concentration = 2.2, rate = 1.4, low = 1.0);
    LeftTruncatedNormal::new(loc = 0.2, scale = 1.1, low = 0.5);
    Levy::new(loc = 0.5, scale = 0.8);
    LogLogistic::new(loc = 0.2, scale = 0.1);
    LogNormal::new(loc = 0.2, scale = 0.4);
    LogUniform::new(low = 0.3, high = 7.0);
    Logistic::new(loc = 0.2, scale = 0.9);
    LogitNormal::new(loc = 0.4, scale = 1.2);
    LowerTruncatedPowerLaw::new(alpha = -14.0, low = 0.7);
    Moyal::new(loc = 0.4, scale = 1.3);
    Multinomial::new(n = 5, probs = [0.25, 0.75]);
    MultinomialLogits::new(n = 5, logits = [0.25, 0.75]);
    MultivariateNormal::from_scale_tril(loc = [0.5, -1.0], factor = [[1.0, 0.0], [0.5, 0.8]]);
    MultivariateStudentT::new(df = 5.0, loc = [0.5, -1.0], factor = [[1.0, 0.0], [0.5, 0.8]]);
    NegativeBinomial::new(n = 5.0, probs = 0.3);
    NegativeBinomial2::new(mean = 5.0, concentration = 2.0);
    NegativeBinomialLogits::new(n = 5.0, logits = 0.3);
    NoncentralChi2::new(df = 2.5, noncentrality = 3.0);
    Normal::new(loc = 0.2, scale = 0.9);
    NormalInverseGaussian::new(loc = 0.3, scale = 1.2, tailweight = 2.5, skewness = 0.8);
    OneHotCategorical::new(probs = [0.25, 0.75]);
    OrderedLogistic::new(predictor = 0.3, cutpoints = [-1.0, 0.5]);
    PERT::new(low = 1.0, peak = 2.0, high = 5.0, temperature = 4.0);
    Pareto::new(scale = 0.7, alpha = 12.0);
    PlackettLuce::new(scores = [1.0, 2.0, 0.5]);
    Poisson::new(rate = 3.5);
    PoissonLog::new(log_rate = 0.3);
    PowerSpherical::new(direction = [0.6, 0.8], concentration = 2.0);
    ProbitBernoulli::new(probits = 0.3);
    ProjectedNormal::new(concentration = [0.6, 0.8]);
    RelaxedBernoulliLogits::new(temperature = 0.8, logits = 0.6);
    RelaxedOneHotCategorical::new(temperature = 0.8, logits = [0.6, 0.2]);
    RightTruncatedGamma::new(concentration = 2.2, rate = 1.4, high = 2.0);
    RightTruncatedNormal::new(loc = 0.2, scale = 1.1, high = 0.5);
    SigmoidBeta::new(a = 1.5, b = 0.7);
    SineBivariateVonMises::new(phi = 0.5, psi = 1.0, a = 1.5, b = 2.0, r = 0.5);
    SinhArcsinh::new(loc = 0.2, scale = 1.2, skewness = 0.3, tailweight = 1.2);
    Skellam::new(a = 3.0, b = 2.0);
    SoftLaplace::new(loc = 0.2, scale = 0.9);
    StoppingRatioLogistic::new(cutpoints = [-1.0, 0.5], loc = 0.3);
    StudentT::new(df = 12.0, loc = 0.3, scale = 1.2);
    Triangular::new(low = -1.0, high = 3.0, peak = 0.5);
    TruncatedCauchy::new(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    TruncatedLaplace::new(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    TruncatedLogistic::new(loc = 0.5, scale = 1.5, low = -1.0);
    TruncatedNormal::new(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    TruncatedPolyaGamma::new();
    TruncatedStudentT::new(df = 3.5, loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    TwoPieceNormal::new(loc = 0.4, scale = 1.2, skewness = 1.6);
    TwoPieceStudentT::new(df = 12.0, loc = 0.4, scale = 1.2, skewness = 0.7);
    TwoSidedTruncatedGamma::new(concentration = 2.2, rate = 1.4, low = 0.5, high = 3.0);
    Uniform::new(low = -0.5, high = 1.5);
    VonMises::new(loc = 0.7, concentration = 2.5);
    VonMisesFisher::new(direction = [0.6, 0.8], concentration = 2.0);
    Weibull::new(scale = 1.4, concentration = 1.8);
    Wishart::from_scale_tril(n = 5.0, factor = [[1.0, 0.0], [0.5, 0.8]]);
    WishartCholesky::from_scale_tril(n = 5.0, factor = [[1.0, 0.0], [0.5, 0.8]]);
    Zipf::new(power = 2.5);
}

#[test]
fn every_family_has_a_row() {
    let rows = rows();
    let names: Vec<&str> = rows.iter().map(|row| row.family.name).collect();
    let all: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(names, all);
}

/// What is outside of the set of a parameter, made of one that is inside.
fn outside(constraint: &Constraint, good: &Array) -> Vec<Array> {
    let float = |x: f64| wide(array(x)).broadcast_to(good.shape());
    let infinite = good * 1.0 + f64::INFINITY;
    let nan = good * f64::NAN;
    match constraint {
        Constraint::Positive => vec![float(0.0), float(-1.0), nan, infinite],
        Constraint::NonNegative => vec![float(-1.0), nan, infinite],
        Constraint::UnitInterval => vec![float(-0.1), float(1.1), nan],
        Constraint::OpenUnitInterval => vec![float(0.0), float(1.0), nan],
        Constraint::Correlation => vec![float(1.0), float(-1.0), nan],
        Constraint::Circular => vec![float(4.0), nan],
        Constraint::Below(high) => vec![float(*high), nan],
        Constraint::NonNegativeInteger => vec![float(-1.0), float(0.5), nan],
        Constraint::Integer => vec![float(0.5), nan],
        Constraint::Simplex | Constraint::UnitVector => vec![good * 2.0, nan],
        Constraint::PositiveVector => vec![good - 1.5, good * 0.0, nan],
        Constraint::NonNegativeVector => vec![good - 1.5, nan, infinite],
        Constraint::OrthogonalMatrix => vec![good * 2.0, good * 0.0, nan],
        Constraint::OrderedVector => vec![good.flip(-1), nan],
        Constraint::LowerCholesky => vec![-good, good.swap_axes(-1, -2), nan],
        Constraint::SymmetricMatrix => {
            vec![good + wide(array([[0.0, 1.0], [0.0, 0.0]])), nan]
        }
        Constraint::Real | Constraint::RealVector => vec![nan, infinite],
        other => panic!("what is outside of {other}?"),
    }
}

#[test]
fn parameters_outside_of_their_sets() {
    for row in rows() {
        let name = row.family.name;
        let x = (row.sample)(&row.good, Key::new(1));
        for (k, parameter) in row.family.parameters.iter().enumerate() {
            for bad in outside(&parameter.constraint, &row.good[k]) {
                let mut p = row.good.clone();
                p[k] = bad;
                for result in [(row.log_prob)(&p, &x), (row.sample)(&p, Key::new(0))] {
                    let message =
                        result.error().map(|e| e.message().to_string()).unwrap_or_default();
                    let named = message.starts_with(&format!("the {} of a", parameter.name));
                    assert!(named && message.contains(name), "{name} {}: {message}", p[k]);
                }
                // Where no value is known nothing panics, and some number comes of it.
                let density = jit(|p: Vec<Array>| (row.log_prob)(&p, &x))(p.clone());
                assert!(density.value().is_ok(), "{name}: {density}");
            }
        }
        if let Some((low, order, high)) = row.family.ordered {
            let find = |n: &str| row.family.parameters.iter().position(|p| p.name == n).unwrap();
            let (i, j) = (find(low), find(high));
            let mut cases = vec![row.good.clone()];
            cases[0].swap(i, j);
            // Of the size of one, the other way and just as far.
            for sign in [-1.5, -1.0, 1.0] {
                if order == "within" {
                    cases.push(row.good.clone());
                    let last = cases.len() - 1;
                    cases[last][i] = &row.good[j] * sign;
                }
            }
            for (at, p) in cases.iter().enumerate() {
                for result in [(row.log_prob)(p, &x), (row.sample)(p, Key::new(0))] {
                    let message =
                        result.error().map(|e| e.message().to_string()).unwrap_or_default();
                    assert!(message.starts_with(&format!("the {low} of a")), "{name}: {message}");
                }
                // Where no value is known.
                let density = jit(|p: Vec<Array>| (row.log_prob)(&p, &x))(p.clone());
                let nan = density.is_nan().all().item::<bool>().unwrap();
                assert!(order != "within" || nan, "{name} {at}: {density}");
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit() {
    for row in rows().iter().filter(|row| row.good.len() > 1) {
        let name = row.family.name;
        let mut p = row.good.clone();
        p[0] = stack([&p[0], &p[0]], 0);
        p[1] = stack([&p[1], &p[1], &p[1]], 0);
        for result in [(row.log_prob)(&p, &array(0.5)), (row.sample)(&p, Key::new(0))] {
            let message = result.error().map(|e| e.message().to_string()).unwrap_or_default();
            assert!(message.contains("do not broadcast"), "{name}: {message}");
            assert!(message.contains(name), "{name}: {message}");
        }
        // Vectors and matrices of other extents, or none at all.
        for (k, parameter) in row.family.parameters.iter().enumerate() {
            if parameter.constraint.event_rank() > 0 {
                let mut p = row.good.clone();
                p[k] = array(0.5);
                let density = (row.log_prob)(&p, &array([0.5, 0.5]));
                let message = density.error().map(|e| e.message().to_string()).unwrap_or_default();
                assert!(message.contains("do not fit"), "{name}: {message}");
            }
        }
    }
}

/// Densities are `-inf` outside of the support with slopes that are finite, and NaN of NaN.
#[test]
fn points_outside_of_the_support() {
    let far = [
        f64::NEG_INFINITY,
        -1e30,
        -3.5,
        -1.0,
        -0.5,
        0.0,
        0.25,
        0.5,
        1.0,
        1.5,
        2.0,
        2.5,
        4.0,
        7.0,
        1e30,
        f64::INFINITY,
    ];
    for row in rows() {
        let name = row.family.name;
        let draw = wide((row.sample)(&row.good, Key::new(1)));
        let scalar = draw.rank() == 0;
        let points: Vec<Array> = match scalar {
            true => far.iter().map(|&x| wide(array(x))).collect(),
            false => {
                let draw = draw.cast(DType::F64);
                vec![&draw * 1.5 + 0.3, -&draw, &draw * 0.0, &draw * 0.0 + f64::INFINITY]
            }
        };
        let total = |(p, x): (Vec<Array>, Array)| (row.log_prob)(&p, &x);
        let slopes = jit(grad(total));
        for x in points {
            let inside = (row.inside)(&row.good, &x).all().item::<bool>().unwrap();
            let density = floats(&(row.log_prob)(&row.good, &x))[0];
            if inside {
                assert!(!density.is_nan(), "{name} at {x}: {density}");
                continue;
            }
            let endless = name == "Delta" || floats(&x).iter().any(|x| x.is_infinite());
            assert!(density == f64::NEG_INFINITY, "{name} at {x}: {density}");
            let (at_p, at_x) = slopes((floating(&row.good), x.clone()));
            for slope in at_p.iter().chain([&at_x]) {
                let finite = floats(slope).iter().all(|s| s.is_finite());
                assert!(finite || endless, "{name} at {x}: a slope of {slope}");
            }
        }
        let nan = draw.cast(DType::F64) * f64::NAN;
        let density = floats(&(row.log_prob)(&row.good, &nan))[0];
        assert!(density.is_nan(), "{name} of NaN: {density}");
        let draws = (row.sample)(&row.good, Key::new(3));
        assert!((row.inside)(&row.good, &draws).all().item::<bool>().unwrap(), "{name}: {draws}");
        assert_eq!(row.integer && scalar, !draws.dtype().is_float() && scalar, "{name}");
    }
}

/// Counts among the parameters as floats, which have derivatives.
fn floating(good: &[Array]) -> Vec<Array> {
    good.iter().map(|p| p.cast(DType::F64)).collect()
}
