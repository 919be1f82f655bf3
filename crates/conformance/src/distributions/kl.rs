//! Divergences between pairs of distributions, with their slopes in the parameters of both.

use crate::compare::{array, within};
use crate::report::{Verdict, Worst, in_both_types};
use probpipe::distributions::*;
use probpipe::{Array, DType, Device, jit_on, value_and_grad};
use probpipe_testing::reference::{self, number};
use serde_json::{Value as Json, json};

/// The parameters of both, in order.
type Both<'a> = (&'a [Array], &'a [Array]);

/// A pair by name: the names of the parameters of both, and the divergence.
struct Pair {
    names: (&'static str, &'static str),
    parameters: (&'static [&'static str], &'static [&'static str]),
    divergence: fn(Both<'_>) -> Array,
}

macro_rules! pairs {
    ($($p:literal($($a:ident),*): $P:expr, $q:literal($($b:ident),*): $Q:expr;)+) => {
        const PAIRS: &[Pair] = &[$(Pair {
            names: ($p, $q),
            parameters: (&[$(stringify!($a)),*], &[$(stringify!($b)),*]),
            divergence: |(p, q)| {
                let [$($a),*] = p else { return f64::NAN.into() };
                let p = $P;
                let [$($b),*] = q else { return f64::NAN.into() };
                kl_divergence(&p, &$Q)
            },
        }),+];
    };
}

/// Both of one family.
macro_rules! alike {
    ($($name:literal($($a:ident),*) => $made:expr;)+) => {
        pairs! {
            $($name($($a),*): $made, $name($($a),*): $made;)+
            "Weibull"(scale, concentration): Weibull::new(scale, concentration),
                "Gamma"(concentration, rate): Gamma::new(concentration, rate);
        }
    };
}

alike! {
    "BernoulliLogits"(logits) => BernoulliLogits::new(logits);
    "BinomialProbs"(total_count, probs) => Binomial::new(total_count, probs);
    "CategoricalLogits"(logits) => CategoricalLogits::new(logits);
    "CategoricalProbs"(probs) => Categorical::new(probs);
    "GeometricProbs"(probs) => Geometric::new(probs);
    "Poisson"(rate) => Poisson::new(rate);
    "BernoulliProbs"(probs) => Bernoulli::new(probs);
    "Beta"(concentration1, concentration0) => Beta::new(concentration1, concentration0);
    "Cauchy"(loc, scale) => Cauchy::new(loc, scale);
    "Chi2"(df) => Chi2::new(df);
    "Dirichlet"(concentration) => Dirichlet::new(concentration);
    "Exponential"(rate) => Exponential::new(rate);
    "Gamma"(concentration, rate) => Gamma::new(concentration, rate);
    "Gumbel"(loc, scale) => Gumbel::new(loc, scale);
    "HalfNormal"(scale) => HalfNormal::new(scale);
    "IndependentNormal"(loc, scale) => Independent::new(Normal::new(loc, scale), 1);
    "InverseGamma"(concentration, rate) => InverseGamma::new(concentration, rate);
    "Laplace"(loc, scale) => Laplace::new(loc, scale);
    "LogNormal"(loc, scale) => LogNormal::new(loc, scale);
    "MultivariateNormal"(loc, scale_tril) => {
        MultivariateNormal::from_scale_tril(loc, scale_tril.tril())
    };
    "Normal"(loc, scale) => Normal::new(loc, scale);
    "Pareto"(scale, alpha) => Pareto::new(scale, alpha);
    "Uniform"(low, high) => Uniform::new(low, high);
    "VonMises"(loc, concentration) => VonMises::new(loc, concentration);
    "Weibull"(scale, concentration) => Weibull::new(scale, concentration);
}

/// Runs one case in both float types.
pub(super) fn run(name: &str, case: &Json, device: Device) -> Verdict {
    in_both_types(device, |float| check(name, case, device, float))
}

fn check(name: &str, case: &Json, device: Device, float: DType) -> Verdict {
    let names = (case["p"].as_str().unwrap_or("?"), case["q"].as_str().unwrap_or("?"));
    let Some(pair) = PAIRS.iter().find(|pair| pair.names == names) else {
        return Verdict::NoRule(name.to_string());
    };
    let narrow = float == DType::F32;
    let read = |json: &Json| match json {
        Json::Object(_) => reference::array(json, Some(float)),
        bare => Some(Array::from(number(bare)).cast(float)),
    };
    let all = |names: &[&str], side: &str| -> Option<Vec<Array>> {
        names.iter().map(|name| read(&case[side][*name])).collect()
    };
    let (Some(p), Some(q)) =
        (all(pair.parameters.0, "p_params"), all(pair.parameters.1, "q_params"))
    else {
        return Verdict::NoRule(name.to_string());
    };
    let divergence = |(p, q): (Vec<Array>, Vec<Array>)| (pair.divergence)((&p, &q));
    let (value, (by_p, by_q)) = jit_on(device, value_and_grad(divergence))((p, q));
    let bare = |json: &Json| match json {
        Json::Object(_) => json.clone(),
        number => json!({"dtype": "f64", "shape": [], "data": [number]}),
    };
    let (tolerance, slope) = if narrow { (1e-5, 1e-5) } else { (1e-10, 1e-8) };
    let mut rows = vec![("kl".to_string(), &value, bare(&case["kl"]), tolerance)];
    let sides = [("grad_p", pair.parameters.0, &by_p), ("grad_q", pair.parameters.1, &by_q)];
    for (side, names, slopes) in sides {
        // The derivative in a number of trials is that of a formula.
        for (name, have) in names.iter().zip(slopes).filter(|(n, _)| **n != "total_count") {
            rows.push((format!("{side} {name}"), have, bare(&case[side][*name]), slope));
        }
    }
    let mut worst: f64 = 0.0;
    for (what, have, want, tolerance) in rows {
        // Of a factor the entries above the diagonal are no parameters.
        let n = have.shape().last().copied().unwrap_or(1).max(1);
        let above = |at: usize, _| what.ends_with("scale_tril") && at % n > at / n;
        match array(&what, have, &want, None, within(tolerance, tolerance), &above) {
            Ok(error) => worst = worst.max(error),
            Err(miss) => return miss.into(),
        }
    }
    Verdict::Passed(Worst::of(narrow, worst))
}
