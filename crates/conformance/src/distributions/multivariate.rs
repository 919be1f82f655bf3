//! Distributions that are made of parameters of several shapes, and of others: the density at each
//! point with its slopes, moments and entropy. What a case names is made here from its parameters.

use super::family::{self, *};
use crate::compare::{array, within};
use crate::report::{Verdict, Worst, in_both_types};
use probpipe::bijectors::{Affine, Bijector, Exp, Sigmoid, Tanh};
use probpipe::constraints::Constraint;
use probpipe::distributions::*;
use probpipe::{Array, DType, Device, jit_on, value_and_grad, vmap};
use probpipe_testing::reference;
use serde_json::Value as Json;

/// Parameters with derivatives, by name, and the case, for those without.
pub(super) struct Given<'a> {
    pub(super) names: &'a [String],
    pub(super) arrays: &'a [Array],
    pub(super) case: &'a Json,
}

impl Given<'_> {
    /// A parameter; NaN where there is none of that name.
    pub(super) fn get(&self, name: &str) -> Array {
        let at = self.names.iter().position(|n| n == name);
        at.map_or(Array::from(f64::NAN), |at| self.arrays[at].clone())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }

    /// A whole number among the parameters.
    pub(super) fn count(&self, name: &str) -> usize {
        self.case["params"][name].as_u64().unwrap_or(0) as usize
    }
}

/// What is asked of a distribution.
pub(super) struct Said {
    pub(super) log_prob: Array,
    /// Each by the field that holds it.
    pub(super) statistics: Vec<(&'static str, Array)>,
}

/// All that a distribution of a known type can say of itself at `x`.
macro_rules! all {
    ($distribution:expr, $x:expr) => {{
        let probe = Probe($distribution);
        let statistics = [
            ("mean", (&probe).mean()),
            ("variance", (&probe).variance()),
            ("entropy", (&probe).entropy()),
            ("mode", (&probe).mode()),
        ];
        let known = statistics.into_iter().filter_map(|(name, array)| Some((name, array?)));
        Some(Said { log_prob: family::log_prob(&probe.0, $x), statistics: known.collect() })
    }};
}

/// One of the Wishart families, by whatever matrix the case gives.
macro_rules! wishart {
    ($name:ident, $p:ident) => {{
        let n = $p.get("concentration");
        if $p.has("scale_tril") {
            $name::from_scale_tril(n, $p.get("scale_tril").tril())
        } else if $p.has("rate_matrix") {
            $name::from_rate_matrix(n, $p.get("rate_matrix"))
        } else {
            $name::new(n, $p.get("scale_matrix"))
        }
    }};
}

/// The distribution of a name, asked at `x`.
fn say(name: &str, p: &Given<'_>, x: &Array) -> Option<Said> {
    let get = |name: &str| p.get(name);
    let normal = || Normal::new(get("loc"), get("scale"));
    match name {
        "MultivariateNormal" if p.has("covariance_matrix") => {
            all!(MultivariateNormal::new(get("loc"), get("covariance_matrix")), x)
        }
        "MultivariateNormal" if p.has("scale_tril") => {
            all!(MultivariateNormal::from_scale_tril(get("loc"), get("scale_tril").tril()), x)
        }
        "MultivariateNormal" => {
            all!(MultivariateNormal::from_precision(get("loc"), get("precision_matrix")), x)
        }
        "MultivariateStudentT" => {
            let factor = get("scale_tril").tril();
            all!(MultivariateStudentT::new(get("df"), get("loc"), factor), x)
        }
        "LowRankMultivariateNormal" => {
            let (factor, diagonal) = (get("cov_factor"), get("cov_diag"));
            all!(LowRankMultivariateNormal::new(get("loc"), factor, diagonal), x)
        }
        "CirculantNormal" => all!(CirculantNormal::new(get("loc"), get("covariance_row")), x),
        "GaussianRandomWalk" => {
            all!(GaussianRandomWalk::new(get("scale"), p.count("num_steps")), x)
        }
        "ZeroSumNormal" => {
            let event = reference::extents(&p.case["params"]["event_shape"]);
            all!(ZeroSumNormal::new(get("scale"), event), x)
        }
        "Dirichlet" => all!(Dirichlet::new(get("concentration")), x),
        "DirichletMultinomial" => {
            let total = p.count("total_count") as i64;
            all!(DirichletMultinomial::new(total, get("concentration")), x)
        }
        "MultinomialProbs" => {
            all!(Multinomial::new(p.count("total_count") as i64, get("probs")), x)
        }
        "MultinomialLogits" => {
            all!(Multinomial::from_logits(p.count("total_count") as i64, get("logits")), x)
        }
        "CategoricalProbs" => all!(Categorical::new(get("probs")), x),
        "CategoricalLogits" => all!(Categorical::from_logits(get("logits")), x),
        "OrderedLogistic" => all!(OrderedLogistic::new(get("predictor"), get("cutpoints")), x),
        "LKJ" => all!(LKJ::new(p.count("dimension"), get("concentration")), x),
        "LKJCholesky" => all!(LKJCholesky::new(p.count("dimension"), get("concentration")), x),
        "Wishart" => all!(wishart!(Wishart, p), x),
        "WishartCholesky" => all!(wishart!(WishartCholesky, p), x),
        "InverseWishart" => all!(wishart!(InverseWishart, p), x),
        // The mean of the reference is the factor of a mean, which is not the mean of the factor.
        "InverseWishartCholesky" => all!(wishart!(InverseWishartCholesky, p), x),
        "MatrixNormal" => {
            let (row, column) = (get("scale_tril_row").tril(), get("scale_tril_column").tril());
            all!(MatrixNormal::new(get("loc"), row, column), x)
        }
        "CAR" => {
            let (correlation, precision) = (get("correlation"), get("conditional_precision"));
            all!(CAR::new(get("loc"), correlation, precision, get("adj_matrix")), x)
        }
        "GaussianStateSpace" => {
            let (matrix, factor) = (get("transition_matrix"), get("scale_tril").tril());
            let steps = p.count("num_steps");
            all!(GaussianStateSpace::new(steps, matrix, factor, get("initial_value")), x)
        }
        // The equation dx = -theta x dt + sigma dW, from a standard normal state on.
        "EulerMaruyama" => {
            let (theta, sigma) = (get("theta"), get("sigma"));
            let sde = |x: &Array, _: &Array| (-(&theta * x), sigma.clone());
            all!(EulerMaruyama::new(get("t"), sde, Normal::new(0.0, 1.0)), x)
        }
        "GaussianCopulaBeta" => {
            let (a, b) = (get("concentration1"), get("concentration0"));
            all!(GaussianCopulaBeta::beta(a, b, get("correlation_matrix")), x)
        }
        // What the case calls the mean is the direction of it.
        "ProjectedNormal" => {
            let d = ProjectedNormal::new(get("concentration"));
            Some(Said { log_prob: d.log_prob(x), statistics: vec![("mean", d.mode())] })
        }
        "SineBivariateVonMises" => {
            let concentrations = (get("phi_concentration"), get("psi_concentration"));
            let (a, b) = concentrations;
            let r = get("correlation");
            let d = SineBivariateVonMises::new(get("phi_loc"), get("psi_loc"), a, b, r);
            Some(Said { log_prob: d.log_prob(x), statistics: vec![("mean", d.mean())] })
        }
        "SineSkewed" => {
            let angles = VonMises::new(get("loc"), get("concentration"));
            all!(SineSkewed::new(Independent::new(angles, 1), get("skewness")), x)
        }
        "Delta" => all!(Delta::with_log_density(get("v"), get("log_density")), x),
        "ImproperUniform" => all!(ImproperUniform::new(Constraint::Real, [], []), x),
        "Unit" => all!(Unit::new(get("log_factor")), x),
        "IndependentNormal" => all!(Independent::new(normal(), 1), x),
        "MaskedNormal" => {
            let mask = Array::from_slice(&[true, false, true], [3]);
            all!(Independent::new(Masked::new(normal(), mask), 1), x)
        }
        "MixtureSameFamilyNormal" => all!(MixtureSameFamily::new(get("probs"), normal()), x),
        "MixtureSameFamilyNormalLogits" => {
            all!(MixtureSameFamily::from_logits(get("logits"), normal()), x)
        }
        "MixtureSameFamilyMVN" => {
            let factor = get("scale_tril").tril();
            let components = MultivariateNormal::from_scale_tril(get("loc"), factor);
            all!(MixtureSameFamily::from_logits(get("logits"), components), x)
        }
        "MixtureGeneral" => {
            let student = StudentT::new(get("df"), get("loc"), get("scale"));
            let components = (normal(), student, Laplace::new(get("loc"), get("scale")));
            all!(Mixture::from_logits(get("logits"), components), x)
        }
        "TransformedAffineExp" => {
            all!(Transformed::new(normal(), Affine::new(get("a"), get("b")).then(Exp)), x)
        }
        "TransformedSigmoid" => all!(Transformed::new(normal(), Sigmoid), x),
        "TransformedTanh" => all!(Transformed::new(normal(), Tanh), x),
        "RightCensoredNormal" => all!(RightCensored::new(normal(), true), x),
        "LeftCensoredNormal" => all!(LeftCensored::new(normal(), true), x),
        "RightCensoredExponential" => {
            all!(RightCensored::new(Exponential::new(get("scale")), true), x)
        }
        "IntervalCensoredNormal" => all!(IntervalCensored::new(normal()), x),
        _ => None,
    }
}

/// What is computed of a case: the density at each point, its slopes in the parameters of `arrays`
/// and maybe in the point, and statistics.
fn results(name: &str, given: &Given<'_>, x: &Array, device: Device) -> Vec<Array> {
    let (names, case) = (given.names, given.case);
    let said = |arrays: &[Array], x: &Array| {
        let lost = || Said { log_prob: Array::from(f64::NAN), statistics: Vec::new() };
        say(name, &Given { names, arrays, case }, x).unwrap_or_else(lost)
    };
    let continuous = !case["grad_x"].is_null();
    jit_on(device, |(p, x): (Vec<Array>, Array)| {
        let (_, slopes) = if continuous {
            let at = |(p, x): (Vec<Array>, Array)| said(&p, &x).log_prob;
            let each = vmap(|x: Array| value_and_grad(at)((p.clone(), x)));
            let (value, (mut slopes, slope)) = each(x.clone());
            slopes.push(slope);
            (value, slopes)
        } else {
            vmap(|x: Array| value_and_grad(|p: Vec<Array>| said(&p, &x).log_prob)(p.clone()))(
                x.clone(),
            )
        };
        let said = said(&p, &x);
        let mut all = vec![said.log_prob];
        all.extend(slopes);
        all.extend(said.statistics.into_iter().map(|(_, array)| array));
        all
    })((given.arrays.to_vec(), x.clone()))
}

/// Runs one case in both float types.
pub(super) fn run(name: &str, case: &Json, device: Device) -> Verdict {
    in_both_types(device, |float| check(name, case, device, float))
}

fn check(name: &str, case: &Json, device: Device, float: DType) -> Verdict {
    let read = |json: &Json| reference::array(json, Some(float));
    let Some(x) = read(&case["x"]) else { return Verdict::NoRule(name.to_string()) };
    // What has a shape is differentiated; bare numbers are counts.
    let Some(parameters) = case["params"].as_object() else {
        return Verdict::NoRule(name.to_string());
    };
    let with_shape: Vec<(String, Array)> =
        parameters.iter().filter_map(|(name, json)| Some((name.clone(), read(json)?))).collect();
    let (names, arrays): (Vec<String>, Vec<Array>) = with_shape.into_iter().unzip();
    let given = Given { names: &names, arrays: &arrays, case };
    let Some(said) = say(name, &given, &x.at(0)) else {
        return Verdict::NoRule(name.to_string());
    };
    let results = results(name, &given, &x, device);
    let narrow = float == DType::F32;
    let (value, slope) = if narrow { (1e-5, 1e-5) } else { (1e-11, 1e-9) };
    let mut rows: Vec<(&str, &Json, f64)> = vec![("log_prob", &case["log_prob"], value)];
    rows.extend(names.iter().map(|n| (n.as_str(), &case["grad_params"][n.as_str()], slope)));
    if !case["grad_x"].is_null() {
        rows.push(("grad_x", &case["grad_x"], slope));
    }
    rows.extend(said.statistics.iter().map(|(field, _)| (*field, &case[*field], value)));
    let mut worst: f64 = 0.0;
    for ((what, want, tolerance), have) in rows.into_iter().zip(&results) {
        if want.is_null() {
            continue;
        }
        // Entropies are bare numbers.
        let scalar = serde_json::json!({"dtype": "f64", "shape": [], "data": [want.clone()]});
        let want = if want.is_object() { want } else { &scalar };
        // The reference variance off the diagonal is not that of the distribution: SciPy's and
        // that of draws are as ours.
        let columns = have.shape().last().copied().unwrap_or(1).max(1);
        let wrong = |at: usize, _| {
            name == "InverseWishart" && what == "variance" && at / columns != at % columns
        };
        // Sums of several terms are rounded as the largest is, which the result need not show.
        let size = if narrow { largest(want) } else { 1.0 };
        match array(what, have, want, None, within(tolerance, tolerance * size), &wrong) {
            Ok(error) => worst = worst.max(error),
            Err(miss) => return miss.into(),
        }
    }
    Verdict::Passed(Worst::of(narrow, worst))
}

/// The largest size of finite numbers, at least 1.
fn largest(json: &Json) -> f64 {
    let sizes = reference::numbers(&json["data"]).into_iter().map(f64::abs);
    sizes.filter(|size| size.is_finite()).fold(1.0, f64::max)
}
