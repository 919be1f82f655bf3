//! The families on integers that cases may name.

use super::family::*;

pub(super) const FAMILIES: &[Family] = families! {
    "BernoulliLogits" => BernoulliLogits::new(logits);
    "BernoulliProbs" => Bernoulli::new(probs);
    "BetaBinomial" => BetaBinomial::new(concentration1, concentration0, total_count);
    "BetaNegativeBinomial" => BetaNegativeBinomial::new(concentration1, concentration0, n);
    "BinomialLogits" => BinomialLogits::new(total_count, logits);
    "BinomialProbs" => Binomial::new(total_count, probs);
    "DiscreteUniform" => DiscreteUniform::new(low, high);
    "GammaPoisson" => GammaPoisson::new(concentration, rate);
    "GeometricLogits" => GeometricLogits::new(logits);
    "GeometricProbs" => Geometric::new(probs);
    "NegativeBinomial2" => NegativeBinomial2::new(mean, concentration);
    "NegativeBinomialLogits" => NegativeBinomialLogits::new(total_count, logits);
    "NegativeBinomialProbs" => NegativeBinomial::new(total_count, probs);
    "Poisson" => Poisson::new(rate);
    "PoissonLog" => PoissonLog::new(log_rate);
};

/// Those with a probability of zero of their own.
pub(super) const WITH_ZEROS: &[Family] = &[
    row! {
        "ZeroInflatedPoisson" => ZeroInflated<Poisson> [gate, rate]
        ZeroInflated::new(gate, Poisson::new(rate))
    },
    row! {
        "ZeroInflatedPoissonLogits" => ZeroInflated<Poisson, BernoulliLogits> [gate_logits, rate]
        ZeroInflated::from_logits(gate_logits, Poisson::new(rate))
    },
    row! {
        "ZeroInflatedNegativeBinomial2" => ZeroInflated<NegativeBinomial2>
        [gate, mean, concentration]
        ZeroInflated::new(gate, NegativeBinomial2::new(mean, concentration))
    },
    row! {
        "HurdlePoisson" => Hurdle<Poisson> [gate, rate] Hurdle::new(gate, Poisson::new(rate))
    },
    row! {
        "HurdlePoissonLogits" => Hurdle<Poisson, BernoulliLogits> [gate_logits, rate]
        Hurdle::from_logits(gate_logits, Poisson::new(rate))
    },
    row! {
        "HurdleNegativeBinomial2" => Hurdle<NegativeBinomial2> [gate, mean, concentration]
        Hurdle::new(gate, NegativeBinomial2::new(mean, concentration))
    },
];
