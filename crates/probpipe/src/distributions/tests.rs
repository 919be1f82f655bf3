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
fn refuses<D>(distribution: D)
where
    D: Parametric + Tree + LogProb + Sample + Moments + Entropy,
{
    let bad = distribution.map(|leaf| leaf * f64::NAN);
    let x = bad.sample(Key::new(0), ());
    let results = [bad.log_prob(&array(0.5)), bad.mean(), bad.variance(), bad.entropy(), x];
    for result in results {
        let message = result.error().map(|e| e.message().to_string()).unwrap_or_default();
        assert!(message.contains(D::FAMILY.name), "{}: {message}", D::FAMILY.name);
    }
}

#[test]
fn every_family_refuses_leaves_that_do_not_fit() {
    refuses(Bernoulli::new(0.5));
    refuses(Exponential::new(1.0));
    refuses(Laplace::new(0.0, 1.0));
    refuses(MultivariateNormal::new([0.0, 1.0], [[2.0, 1.0], [1.0, 2.0]]));
    refuses(Normal::new(0.0, 1.0));
    refuses(Uniform::new(0.0, 1.0));
    assert_eq!(FAMILIES.len(), 6, "a new family needs a line above");
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
