//! The families on integers that cases may name.

use super::family::*;

pub(super) const FAMILIES: &[Family] = families! {
    "BernoulliProbs" => Bernoulli::new(probs);
};
