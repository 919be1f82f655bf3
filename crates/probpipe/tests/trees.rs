//! Composites of every kind as trees: arguments and results of compiled functions, carries of
//! loops, lanes of `vmap`, parts of containers. What the newer of them compute is tested beside.

mod travels;

use probpipe::bijectors::{Affine, Bijector, Sigmoid};
use probpipe::prelude::*;
use probpipe::{
    Binomial, Expanded, FlatDistribution, Gamma, Hurdle, Independent, IntervalCensored,
    LeftCensored, Masked, Mixture, MixtureSameFamily, Ordered, Poisson, Transformed, Truncated,
    ZeroInflated,
};
use travels::{f64s, one, slopes, travels};

fn normal() -> Normal {
    Normal::new(f64s([0.5, -1.0]), f64s([1.0, 2.0]))
}

#[test]
fn wrappers() {
    let x = f64s([0.3, 0.7]);
    let vectors = Independent::new(normal(), 1);
    travels("Independent", &vectors, &x, 1e-5);
    slopes("Independent", &vectors, &x);
    let copies = Expanded::new(normal(), [3, 2]);
    travels("Expanded", &copies, &x, 1e-5);
    slopes("Expanded", &copies, &x);
    let ordered = Ordered::new(normal(), 2);
    travels("Ordered", &ordered, &x, 1e-5);
    slopes("Ordered", &ordered, &x);
    let masked = Masked::new(normal(), Array::from_slice(&[true, false], [2]));
    travels("Masked", &masked, &x, 1e-5);
    let pairs = Array::from_slice(&[-1.0, 1.0, 0.5, 3.0], [2, 2]);
    let between = IntervalCensored::new(normal());
    travels("IntervalCensored", &between, &pairs, 1e-5);
    slopes("IntervalCensored", &between, &pairs);
    let left = LeftCensored::new(normal(), Array::from_slice(&[true, false], [2]));
    travels("LeftCensored", &left, &x, 1e-5);
    let unit = Transformed::new(normal(), Affine::new(one(0.5), one(-2.0)).then(Sigmoid));
    travels("Transformed", &unit, &x, 1e-5);
    slopes("Transformed", &unit, &x);
}

#[test]
fn mixtures() {
    let x = f64s([0.3, 0.7, 2.0]);
    let same = MixtureSameFamily::new(f64s([0.25, 0.75]), normal());
    travels("MixtureSameFamily", &same, &x, 1e-5);
    slopes("MixtureSameFamily", &same, &x);
    let logits = MixtureSameFamily::from_logits(f64s([0.25, 0.75]), normal());
    travels("by logits", &logits, &x, 1e-5);
    let parts = (Normal::new(one(0.0), one(1.0)), Gamma::new(one(2.0), one(1.5)));
    let mixture = Mixture::new(f64s([0.25, 0.75]), parts);
    travels("Mixture", &mixture, &x, 1e-5);
    slopes("Mixture", &mixture, &x);
    let counts = f64s([0.0, 1.0, 4.0]);
    let inflated = ZeroInflated::new(one(0.25), Poisson::new(one(2.0)));
    travels("ZeroInflated", &inflated, &counts, 1e-5);
    let hurdle = Hurdle::from_logits(one(0.25), Poisson::new(one(2.0)));
    travels("Hurdle", &hurdle, &counts, 1e-5);
}

#[test]
fn composites_of_composites() {
    let x = f64s([0.3, 0.7, 0.9]);
    // A mixture, cut, through a bijector, three times as a vector.
    let mixture =
        Transformed::new(Normal::new(one(0.2), one(1.5)), Affine::new(one(1.0), one(-0.5)));
    let cut = Truncated::new(mixture, one(0.1), f64s([1.0, 2.0, 3.0]));
    let vector = Independent::new(cut, 1);
    travels("vector", &vector, &x, 1e-4);
    slopes("vector", &vector, &x);
    let joint = product((
        vector.named("x"),
        Masked::new(Exponential::new(one(2.0)), Array::from_slice(&[true], [1])).named("rate"),
    ));
    travels("joint", &joint, &joint.sample(Key::new(0), [4]), 1e-4);
    let flat = joint.as_flat_distribution();
    travels("flat", &flat, &f64s([0.3, 0.7, 0.9, 1.5]), 1e-4);
}

/// A distribution is made, drawn from and given back inside of one compiled loop.
#[test]
fn distributions_are_made_in_loops() {
    let update = |(prior, data): (Normal, Array)| {
        scan(prior, data, |prior: Normal, x: Array| {
            let precision = prior.scale().square().recip();
            let variance = (&precision + 1.0).recip();
            let mean = (prior.loc() * precision + x) * &variance;
            let posterior = Normal::new(mean, variance.sqrt());
            (posterior.clone(), posterior)
        })
    };
    for device in [Device::Interpreter, Device::Cpu] {
        let data = f64s([1.0, 2.0, 3.0]);
        let (last, all) = jit_on(device, update)((Normal::new(one(0.0), one(1.0)), data));
        assert_eq!(all.scale().shape(), [3]);
        let mean = last.loc().item::<f64>().unwrap();
        assert!((mean - 1.5).abs() < 1e-14, "{mean}");
        // A lane for each count, and a distribution for each lane.
        let each = jit_on(device, vmap(|p: Array| Binomial::new(3, p)))(f64s([0.1, 0.9]));
        let mean: Vec<f64> = each.mean().to_vec().unwrap();
        assert!((mean[0] - 0.3).abs() < 1e-15 && (mean[1] - 2.7).abs() < 1e-15, "{mean:?}");
        type Flat = FlatDistribution<probpipe::Product<(probpipe::Named<Normal>,)>>;
        let flat = product((Normal::new(one(1.0), one(2.0)).named("a"),)).as_flat_distribution();
        let draw = jit_on(device, |flat: Flat| flat.sample(Key::new(0), [2]))(flat.clone());
        let outside = flat.sample(Key::new(0), [2]);
        assert_eq!(draw.to_vec::<f64>().unwrap(), outside.to_vec::<f64>().unwrap());
    }
}
