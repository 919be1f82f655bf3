//! The families on the real line that cases may name.

use super::family::*;

pub(super) const FAMILIES: &[Family] = families! {
    "Beta" => Beta::new(concentration1, concentration0);
    "Cauchy" => Cauchy::new(loc, scale);
    "Chi2" => Chi2::new(df);
    "Exponential" => Exponential::new(rate);
    "Gamma" => Gamma::new(concentration, rate);
    "Gumbel" => Gumbel::new(loc, scale);
    "HalfCauchy" => HalfCauchy::new(scale);
    "HalfNormal" => HalfNormal::new(scale);
    "InverseGamma" => InverseGamma::new(concentration, rate);
    "Laplace" => Laplace::new(loc, scale);
    "LogNormal" => LogNormal::new(loc, scale);
    "Logistic" => Logistic::new(loc, scale);
    "Normal" => Normal::new(loc, scale);
    "Pareto" => Pareto::new(scale, alpha);
    "StudentT" => StudentT::new(df, loc, scale);
    "Uniform" => Uniform::new(low, high);
    "Weibull" => Weibull::new(scale, concentration);
};
