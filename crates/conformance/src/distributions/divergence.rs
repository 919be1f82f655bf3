//! Divergences of a family from another, with their slopes in the parameters of both.

use crate::compare::{Miss, array, within};
use crate::report::{Verdict, Worst};
use probpipe::{Array, DType, Device, KlDivergence, jit_on, value_and_grad};
use probpipe_testing::reference;
use serde_json::{Value as Json, json};

/// A pair of families.
struct Pair {
    names: (&'static str, &'static str),
    parameters: (&'static [&'static str], &'static [&'static str]),
    divergence: fn(&[Array], &[Array]) -> Array,
}

macro_rules! pairs {
    ($($p:literal $of_p:ident($($a:ident),*) $q:literal $of_q:ident($($b:ident),*);)*) => {
        &[$(Pair {
            names: ($p, $q),
            parameters: (&[$(stringify!($a)),*], &[$(stringify!($b)),*]),
            divergence: |p, q| {
                let (mut p, mut q) = (p.iter().cloned(), q.iter().cloned());
                let lacking = || Array::from(f64::NAN);
                $(let $a = p.next().unwrap_or_else(lacking);)*
                let p = probpipe::$of_p::new($($a),*);
                $(let $b = q.next().unwrap_or_else(lacking);)*
                p.kl_divergence(&probpipe::$of_q::new($($b),*))
            },
        }),*]
    };
}

const PAIRS: &[Pair] = pairs! {
    "BernoulliLogits" BernoulliLogits(logits) "BernoulliLogits" BernoulliLogits(logits);
    "BernoulliProbs" Bernoulli(probs) "BernoulliProbs" Bernoulli(probs);
    "BinomialProbs" Binomial(total_count, probs) "BinomialProbs" Binomial(total_count, probs);
    "CategoricalLogits" CategoricalLogits(logits) "CategoricalLogits" CategoricalLogits(logits);
    "CategoricalProbs" Categorical(probs) "CategoricalProbs" Categorical(probs);
    "GeometricProbs" Geometric(probs) "GeometricProbs" Geometric(probs);
    "Poisson" Poisson(rate) "Poisson" Poisson(rate);
};

/// Runs one case in `f64`; on devices without it in `f32`.
pub(super) fn run(name: String, case: &Json, device: Device) -> Verdict {
    let Some(pair) = PAIRS
        .iter()
        .find(|pair| (&case["p"], &case["q"]) == (&json!(pair.names.0), &json!(pair.names.1)))
    else {
        return Verdict::NoRule(name);
    };
    let float = if device == Device::Gpu { DType::F32 } else { DType::F64 };
    let read = |names: &[&str], values: &Json| -> Option<Vec<Array>> {
        let one = |name: &&str| match &values[*name] {
            object @ Json::Object(_) => reference::array(object, Some(float)),
            number => Some(Array::from(reference::number(number)).cast(float)),
        };
        names.iter().map(one).collect()
    };
    let parameters =
        (read(pair.parameters.0, &case["p_params"]), read(pair.parameters.1, &case["q_params"]));
    let (Some(p), Some(q)) = parameters else { return Verdict::NoRule(name) };
    let divergence = |(p, q): (Vec<Array>, Vec<Array>)| (pair.divergence)(&p, &q);
    let (value, (of_p, of_q)) = jit_on(device, value_and_grad(divergence))((p, q));
    let (limit, of_slopes) = match float {
        DType::F32 => (within(2e-5, 2e-5), within(2e-5, 2e-5)),
        _ => (within(1e-10, 0.0), within(1e-8, 1e-14)),
    };
    let all = || -> Result<f64, Miss> {
        let any = &|_, _| false;
        let scalar = |number: &Json| json!({"dtype": "f64", "shape": [], "data": [number]});
        let mut worst = array("kl", &value, &scalar(&case["kl"]), None, limit, any)?;
        let sides = [("grad_p", pair.parameters.0, of_p), ("grad_q", pair.parameters.1, of_q)];
        for (side, names, slopes) in sides {
            // The derivative in a number of trials is that of a formula.
            for (name, have) in names.iter().zip(&slopes).filter(|(n, _)| **n != "total_count") {
                let want = match &case[side][*name] {
                    object @ Json::Object(_) => object.clone(),
                    number => scalar(number),
                };
                let what = format!("{side} {name}");
                worst = worst.max(array(&what, have, &want, None, of_slopes, any)?);
            }
        }
        Ok(worst)
    };
    match all() {
        Ok(worst) => Verdict::Passed(Worst::of(float == DType::F32, worst)),
        Err(Miss::Wrong(why)) => Verdict::Failed(why),
        Err(Miss::NotLowered(what)) => Verdict::NotLowered(what),
    }
}
