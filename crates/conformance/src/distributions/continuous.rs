//! The families on the real line that cases may name.

use super::family::*;

pub(super) const FAMILIES: &[Family] = families! {
    "AsymmetricLaplace" => AsymmetricLaplace::new(loc, scale, asymmetry);
    "AsymmetricLaplaceQuantile" => AsymmetricLaplaceQuantile::new(loc, scale, quantile);
    "Beta" => Beta::new(concentration1, concentration0);
    "BetaProportion" => BetaProportion::new(mean, concentration);
    "BetaQuotient" => BetaQuotient::new(
        concentration1_numerator, concentration0_numerator,
        concentration1_denominator, concentration0_denominator
    );
    "Cauchy" => Cauchy::new(loc, scale);
    "Chi2" => Chi2::new(df);
    "Dagum" => Dagum::new(concentration, sharpness, scale);
    "DoublyTruncatedPowerLaw" => DoublyTruncatedPowerLaw::new(alpha, low, high);
    "Exponential" => Exponential::new(rate);
    "FoldedNormal" => FoldedNormal::new(loc, scale);
    "FoldedStudentT" => FoldedStudentT::new(df, loc, scale);
    "Gamma" => Gamma::new(concentration, rate);
    "Gompertz" => Gompertz::new(concentration, rate);
    "Gumbel" => Gumbel::new(loc, scale);
    "HalfCauchy" => HalfCauchy::new(scale);
    "HalfNormal" => HalfNormal::new(scale);
    "HurdleGamma" => HurdleGamma::new(gate, concentration, rate);
    "HurdleLogNormal" => HurdleLogNormal::new(gate, loc, scale);
    "InverseGamma" => InverseGamma::new(concentration, rate);
    "Kumaraswamy" => Kumaraswamy::new(concentration1, concentration0);
    "Laplace" => Laplace::new(loc, scale);
    "LeftTruncatedGamma" => LeftTruncatedGamma::new(concentration, rate, low);
    "LeftTruncatedNormal" => LeftTruncatedNormal::new(loc, scale, low);
    "Levy" => Levy::new(loc, scale);
    "LogNormal" => LogNormal::new(loc, scale);
    "LogUniform" => LogUniform::new(low, high);
    "Logistic" => Logistic::new(loc, scale);
    "LowerTruncatedPowerLaw" => LowerTruncatedPowerLaw::new(alpha, low);
    "Normal" => Normal::new(loc, scale);
    "Pareto" => Pareto::new(scale, alpha);
    "RelaxedBernoulliLogits" => RelaxedBernoulliLogits::new(temperature, logits);
    "RightTruncatedGamma" => RightTruncatedGamma::new(concentration, rate, high);
    "RightTruncatedNormal" => RightTruncatedNormal::new(loc, scale, high);
    "SoftLaplace" => SoftLaplace::new(loc, scale);
    "StudentT" => StudentT::new(df, loc, scale);
    "TruncatedCauchy" => TruncatedCauchy::new(loc, scale, low, high);
    "TruncatedLaplace" => TruncatedLaplace::new(loc, scale, low, high);
    "TruncatedLogistic" => TruncatedLogistic::new(loc, scale, low);
    "TruncatedNormal" => TruncatedNormal::new(loc, scale, low, high);
    "TruncatedPolyaGamma" => TruncatedPolyaGamma::new();
    "TruncatedStudentT" => TruncatedStudentT::new(df, loc, scale, low, high);
    "TwoSidedTruncatedGamma" => TwoSidedTruncatedGamma::new(concentration, rate, low, high);
    "Uniform" => Uniform::new(low, high);
    "VonMises" => VonMises::new(loc, concentration);
    "Weibull" => Weibull::new(scale, concentration);
};
