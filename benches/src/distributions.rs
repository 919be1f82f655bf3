//! Families of distributions with parameters to measure them at, by the names that NumPyro has too.

use probpipe::distributions::{self as d, LogProb, Sample};
use probpipe::prelude::*;

/// A family and its parameters, which are arguments of what is measured.
#[derive(Debug)]
pub struct Family {
    /// The name here.
    pub name: &'static str,
    /// The name in NumPyro.
    pub peer: &'static str,
    /// Parameters by name.
    pub params: &'static [(&'static str, &'static [f64])],
    /// Parameters that are not differentiated in and known when the program is compiled.
    pub fixed: &'static [(&'static str, i32)],
    /// Whether draws are integers.
    pub discrete: bool,
    /// The logarithm of the density at points, given the parameters.
    pub log_prob: fn(&[Array], &Array) -> Array,
    /// Draws, given the parameters.
    pub sample: fn(&[Array], Key, usize) -> Array,
}

impl Family {
    /// The parameters, `f32`: numbers, or vectors where there are several.
    pub fn arguments(&self) -> Vec<Array> {
        let one = |(_, values): &(&str, &[f64])| {
            let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            match values[..] {
                [value] => Array::from_slice(&[value], []),
                _ => Array::from_slice(&values, [values.len()]),
            }
        };
        self.params.iter().map(one).collect()
    }
}

macro_rules! families {
    ($($kind:ident $name:ident as $peer:literal
        ($($param:ident = $value:expr),*) $(with ($($fixed:ident = $number:literal),*))?;)*) => {
        /// All families that are measured.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: stringify!($name),
            peer: $peer,
            params: &[$((stringify!($param), &$value)),*],
            fixed: &[$($((stringify!($fixed), $number)),*)?],
            discrete: families!(discrete $kind),
            log_prob: |p, x| match p {
                [$($param),*] => families!(make $name ($($param),*) $(($($number),*))?).log_prob(x),
                _ => Array::from(f64::NAN),
            },
            sample: |p, key, n| match p {
                [$($param),*] => {
                    families!(make $name ($($param),*) $(($($number),*))?).sample(key, [n])
                }
                _ => Array::from(f64::NAN),
            },
        }),*];
    };
    (discrete continuous) => { false };
    (discrete integers) => { true };
    (make $name:ident ($($param:ident),*)) => { d::$name::new($($param),*) };
    (make $name:ident ($($param:ident),*) ($($number:literal),*)) => {
        d::$name::new($($number,)* $($param),*)
    };
}

families! {
    continuous Normal as "Normal" (loc = [0.3], scale = [1.2]);
    continuous LogNormal as "LogNormal" (loc = [0.3], scale = [0.7]);
    continuous HalfNormal as "HalfNormal" (scale = [1.2]);
    continuous Cauchy as "Cauchy" (loc = [0.3], scale = [1.2]);
    continuous HalfCauchy as "HalfCauchy" (scale = [1.2]);
    continuous Laplace as "Laplace" (loc = [0.3], scale = [1.2]);
    continuous Logistic as "Logistic" (loc = [0.3], scale = [1.2]);
    continuous Gumbel as "Gumbel" (loc = [0.3], scale = [1.2]);
    continuous Exponential as "Exponential" (rate = [1.7]);
    continuous Uniform as "Uniform" (low = [-1.0], high = [2.0]);
    continuous Gamma as "Gamma" (concentration = [2.5], rate = [1.7]);
    continuous InverseGamma as "InverseGamma" (concentration = [2.5], rate = [1.7]);
    continuous Chi2 as "Chi2" (df = [3.5]);
    continuous Beta as "Beta" (concentration1 = [2.5], concentration0 = [1.7]);
    continuous StudentT as "StudentT" (df = [4.5], loc = [0.3], scale = [1.2]);
    continuous Weibull as "Weibull" (scale = [1.2], concentration = [1.7]);
    continuous Pareto as "Pareto" (scale = [1.2], alpha = [2.5]);
    continuous Kumaraswamy as "Kumaraswamy" (concentration1 = [2.5], concentration0 = [1.7]);
    continuous Gompertz as "Gompertz" (concentration = [0.8], rate = [1.7]);
    continuous AsymmetricLaplace as "AsymmetricLaplace"
        (loc = [0.3], scale = [1.2], asymmetry = [0.8]);
    continuous SoftLaplace as "SoftLaplace" (loc = [0.3], scale = [1.2]);
    continuous Levy as "Levy" (loc = [0.3], scale = [1.2]);
    continuous LogUniform as "LogUniform" (low = [0.5], high = [4.0]);
    integers Bernoulli as "BernoulliProbs" (probs = [0.3]);
    integers BernoulliLogits as "BernoulliLogits" (logits = [0.4]);
    integers Binomial as "BinomialProbs" (probs = [0.3]) with (total_count = 20);
    integers Poisson as "Poisson" (rate = [3.5]);
    integers Geometric as "GeometricProbs" (probs = [0.3]);
    integers GammaPoisson as "GammaPoisson" (concentration = [2.5], rate = [1.7]);
    integers NegativeBinomial2 as "NegativeBinomial2" (mean = [3.5], concentration = [2.5]);
    integers Categorical as "CategoricalProbs" (probs = [0.1, 0.2, 0.3, 0.4]);
    integers CategoricalLogits as "CategoricalLogits" (logits = [0.1, 0.2, 0.3, 0.4]);
}
