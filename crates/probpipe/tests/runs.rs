//! Whole runs.

use probpipe::inference::Target;
use probpipe::inference::adapt::{Fixed, Windows};
use probpipe::inference::mcmc::{AdjustedMclmc, Barker, Hmc, Mala, MultinomialHmc, Nuts, Tuned};
use probpipe::pipeline::Run;
use probpipe::prelude::*;

/// A normal density with strong correlations in ten dimensions.
fn correlated() -> (Target<Array>, Array) {
    let n = 10;
    let at = linspace(0.0, 1.0, n);
    let covariance = (-((at.expand_dims(1) - at.expand_dims(0)).abs())).exp() * 4.0;
    let normal = MultivariateNormal::new(linspace(-1.0, 1.0, n), covariance.clone());
    (Target::new(move |x: Array| normal.log_prob(&x), zeros([n])).unwrap(), covariance)
}

fn moments_hold(draws: &Array, covariance: &Array) {
    let mean = draws.mean_axes([0, 1]);
    let spread = covariance.diagonal().sqrt();
    let off = ((mean - linspace(-1.0, 1.0, 10)) / &spread).abs().max();
    assert!(off.item::<f64>().unwrap() < 0.1, "means are off by {off}");
    let spread_of_draws = (draws - draws.mean_axes([0, 1])).square().mean_axes([0, 1]).sqrt();
    let off = (spread_of_draws / spread - 1.0).abs().max();
    assert!(off.item::<f64>().unwrap() < 0.1, "standard deviations are off by {off}");
}

#[test]
fn adaptations_find_the_shape_of_a_density() {
    probpipe::with_default_float(DType::F64, || {
        let (target, covariance) = correlated();
        let run = Nuts::default().chains(4);
        let by_gradients = run.clone().sample(Key::new(0), &target).unwrap();
        moments_hold(&by_gradients.values, &covariance);
        for windows in [Windows::diagonal(), Windows::dense()] {
            let run = run.clone().warmup(1000).adaptation(windows);
            moments_hold(&run.sample(Key::new(0), &target).unwrap().values, &covariance);
        }
        // What the metric knows of correlations saves steps: without it there are some 15 a draw.
        let steps = by_gradients.stats["steps"].cast(DType::F64).mean().item::<f64>().unwrap();
        assert!(steps < 7.0, "{steps} steps a draw");
        let run = Hmc::new(0.1, 4).chains(4).sample(Key::new(0), &target).unwrap();
        moments_hold(&run.values, &covariance);
    });
}

#[test]
fn draws_do_not_depend_on_the_number_of_threads() {
    let target = Target::new(|x: Array| -x.square().sum() * 0.5, zeros([3])).unwrap();
    let run = Nuts::default().chains(3).warmup(120).draws(70).thin(2);
    let draws = |threads| run.clone().threads(threads).sample(Key::new(5), &target).unwrap();
    let (one, three) = (draws(1), draws(3));
    assert_eq!(one.values.shape(), [3, 70, 3]);
    assert_eq!(one.values.to_vec::<f32>().unwrap(), three.values.to_vec::<f32>().unwrap());
    assert_eq!(one.stats["depth"].shape(), [3, 70]);
}

#[test]
fn runs_round_as_chosen_where_they_are_made() {
    probpipe::with_default_float(DType::F64, || {
        let (target, covariance) = correlated();
        let run = Nuts::default().chains(4);
        let bits = |run: &dyn Fn() -> Array| {
            run().to_vec::<f64>().unwrap().into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        let plain = || run.sample(Key::new(3), &target).unwrap().values;
        let contracted = || probpipe::with_rounding(probpipe::Rounding::Contracted, plain);
        let (before, other) = (bits(&plain), bits(&contracted));
        assert_eq!(before, bits(&plain));
        assert_eq!(other, bits(&contracted));
        assert_ne!(before, other);
        moments_hold(&contracted(), &covariance);
    });
}

#[test]
fn what_cannot_be_run_is_told() {
    let nowhere = Target::new(|x: Array| x.sum() * f64::NAN, zeros([2])).unwrap();
    let error = Nuts::default().chains(2).sample(Key::new(0), &nowhere).unwrap_err();
    assert!(error.to_string().contains("finite density"), "{error}");
    let error = Nuts::default().chains(0).sample(Key::new(0), &nowhere).unwrap_err();
    assert!(error.to_string().contains("0 chains"), "{error}");
}

#[test]
fn acceptances_and_depths_that_cannot_be_are_told() {
    fn check<K: Tuned + Sync>(wished: impl Fn(f64) -> K) {
        let target = Target::new(|x: Array| -x.square().sum() * 0.5, zeros([2])).unwrap();
        for wish in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            let run = wished(wish).chains(2).draws(10);
            let error = run.sample(Key::new(0), &target).unwrap_err().to_string();
            let what = format!("no step size has a mean acceptance of {wish}");
            assert!(error.contains(&what) && error.contains("such as 0.9"), "{error}");
            assert!(error.contains("runs.rs"), "{error}");
        }
        let steps = |wish| {
            let run = wished(wish).chains(2).draws(10);
            run.sample(Key::new(0), &target).unwrap().stats["step_size"].mean()
        };
        assert!(steps(0.4).gt(steps(0.95)).item::<bool>().unwrap());
    }
    check(|wish| Nuts::default().target_acceptance(wish));
    check(|wish| Nuts { target_acceptance: wish, ..Nuts::default() });
    check(|wish| Hmc::new(0.1, 4).target_acceptance(wish));
    check(|wish| MultinomialHmc::new(0.1, 4).target_acceptance(wish));
    check(|wish| Mala::new(0.1).target_acceptance(wish));
    check(|wish| Barker::new(0.1).target_acceptance(wish));
    check(|wish| AdjustedMclmc::new(0.1).target_acceptance(wish));
    let target = Target::new(|x: Array| -x.square().sum() * 0.5, zeros([2])).unwrap();
    for depth in [31, usize::MAX] {
        let (line, run) = (line!(), Nuts::default().max_depth(depth).chains(2));
        let error = run.sample(Key::new(0), &target).unwrap_err().to_string();
        assert!(error.contains(&format!("a trajectory of {depth} doublings")), "{error}");
        assert!(error.contains(&format!("runs.rs:{line}")), "{error}");
    }
    assert!(Nuts::default().max_depth(30).chains(2).draws(9).sample(Key::new(0), &target).is_ok());
}

#[test]
fn chains_start_where_they_are_told_to() {
    probpipe::with_default_float(DType::F64, || {
        let target = Target::new(|x: Array| -(x - 5.0).square().sum() / 2.0, zeros([2])).unwrap();
        let starts = array([[1.0, 2.0], [-3.0, 40.0], [0.5, 0.25]]);
        // Steps that go nowhere show where chains are.
        let run = Run::new(Hmc::new(1e-12, 1), Fixed).chains(3).warmup(0).draws(2);
        for run in [run.clone(), run.lanes(2)] {
            let draws = run.clone().starts(starts.clone()).sample(Key::new(1), &target).unwrap();
            let off = (draws.values.slice_axis(1, 0..1) - starts.expand_dims(1)).abs().max();
            assert!(off.item::<f64>().unwrap() < 1e-9, "{}", draws.values);
            let error = run.clone().starts(zeros([2, 2])).sample(Key::new(1), &target).unwrap_err();
            assert!(error.to_string().contains("3 chains"), "{error}");
            // One that will not do is not replaced.
            let nowhere = starts.at_indices([&Array::from(1i32)]).set(&Array::from(f64::NAN));
            let error = run.starts(nowhere).sample(Key::new(1), &target).unwrap_err();
            assert!(error.to_string().contains("chain 1"), "{error}");
        }
    });
}

#[test]
fn draws_are_mapped_as_they_are() {
    let log_density = |x: (Array, Array)| -x.0.square() / 2.0 - x.1.square().sum() / 8.0;
    let target = Target::new(log_density, (array(0.0), zeros([3]))).unwrap();
    let draws = Nuts::default().chains(2).draws(200).sample(Key::new(1), &target).unwrap();
    let f = |(x, y): (Array, Array)| {
        let longest = y.square().sum().sqrt();
        let is = Record::new([("far", longest.gt(3.0)), ("at", y.argmax(0))]);
        ((&y * &x).exp(), is, array(2.0))
    };
    let extra = draws.map(f).unwrap();
    let (product, is, constant) = &extra.values;
    assert_eq!(product.shape(), [2, 200, 3]);
    assert_eq!((is["far"].dtype(), is["at"].shape()), (DType::Bool, &[2, 200][..]));
    assert_eq!(constant.shape(), [2, 200]);
    for (chain, draw) in [(0, 0), (1, 7), (1, 199)] {
        let at = |x: &Array| x.at(chain).at(draw);
        let want = f((at(&draws.values.0), at(&draws.values.1)));
        assert!((at(product) / want.0 - 1.0).abs().max().item::<f32>().unwrap() < 1e-5);
        for name in ["far", "at"] {
            assert!(at(&is[name]).eq(&want.1[name]).item::<bool>().unwrap());
        }
    }
    let table = extra.summary().unwrap();
    assert_eq!(table.quantities().len(), 6);
    let far = table.get("value/1/far").unwrap();
    assert!(far.r_hat < 1.05 && far.ess_bulk > 50.0 && far.mean > 0.1, "{far:?}");
    assert_eq!((extra.chains(), extra.draws(), extra.stats.len()), (2, 200, draws.stats.len()));
}

#[test]
fn what_cannot_be_mapped_is_told() {
    let target = Target::new(|x: Array| -x.square().sum() / 2.0, zeros([3])).unwrap();
    let draws = Nuts::default().chains(2).draws(10).sample(Key::new(1), &target).unwrap();
    let (line, bad) = (line!(), |x: Array| (x.sum(), x + zeros([2])));
    let error = draws.map(bad).unwrap_err().to_string();
    assert!(error.contains("`add` cannot broadcast f32[3] with f32[2]"), "{error}");
    assert!(error.contains(&format!("runs.rs:{line}")) && !error.contains("draws.rs"), "{error}");
    // A draw is no value while the function is traced.
    let read = |x: Array| x.sum().item::<f32>().map_or_else(|error| invalid(&error), array);
    let error = draws.map(read).unwrap_err().to_string();
    assert!(error.contains("runs.rs") && !error.contains("draws.rs"), "{error}");
}

fn invalid(error: &Error) -> Array {
    Array::invalid(error.clone(), probpipe::graph::here())
}
