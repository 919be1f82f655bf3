//! Empirical distributions and kernel density estimates. Reference values are of
//! `scipy.stats.gaussian_kde` (SciPy 1.17.1) and, for the empirical ones, sums written out.

mod golden;
mod travels;

use golden::{assert_close, floats};
use probpipe::distributions::from_distribution;
use probpipe::prelude::*;
use probpipe::{Bandwidth, Covariance, Empirical, Expectation, Kde};
use travels::{draws_follow, f64s, one, said, slopes, travels};

fn weighted() -> Empirical {
    Empirical::weighted(f64s([4.0, 1.0, 2.0, 1.0]), f64s([2.0, 1.0, 1.0, 0.0]))
}

#[test]
fn numbers_that_are_drawn() {
    let e = weighted();
    assert_close("probs", &floats(&e.probs()), &[0.5, 0.25, 0.25, 0.0], 1e-15, 0.0);
    assert_close("mean", &floats(&e.mean()), &[2.75], 1e-15, 0.0);
    assert_close("variance", &floats(&e.variance()), &[1.6875], 1e-15, 0.0);
    assert_close("size", &floats(&e.effective_size()), &[1.0 / 0.375], 1e-15, 0.0);
    let x = f64s([0.5, 1.0, 1.5, 2.0, 4.0]);
    assert_close("cdf", &floats(&e.cdf(&x)), &[0.0, 0.25, 0.25, 0.5, 1.0], 1e-15, 0.0);
    assert_close("rest", &floats(&e.survival(&x)), &[1.0, 0.75, 0.75, 0.5, 0.0], 1e-15, 0.0);
    assert_close("mass", &floats(&e.prob(&x)), &[0.0, 0.25, 0.0, 0.25, 0.5], 1e-15, 0.0);
    let q = f64s([0.0, 0.25, 0.26, 0.5, 0.51, 1.0, 1.5]);
    let quantiles = floats(&e.quantile(&q));
    assert_eq!(quantiles[..6], [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
    assert!(quantiles[6].is_nan());
    let shares = e.sample(Key::new(1), [20_000]);
    let at = |x: f64| shares.eq(x).cast(DType::F64).mean().item::<f64>().unwrap();
    for (x, p) in [(4.0, 0.5), (1.0, 0.25), (2.0, 0.25)] {
        assert!((at(x) - p).abs() < 0.015, "{x}: {}", at(x));
    }
    travels("weighted", &e, &x, 1e-6);
    let exact = e.expectation(|x| x.square(), Key::new(0), 0);
    assert_close("square", &floats(&exact.value), &[9.25], 1e-15, 0.0);
    assert_eq!(floats(&exact.standard_error), [0.0]);
    let logs = Empirical::from_log_weights(f64s([0.0, 1.0]), f64s([1000.0, 1000.0 + 3f64.ln()]));
    assert_close("logs", &floats(&logs.mean()), &[0.75], 1e-12, 0.0);
    // A weight of zero is never drawn.
    let last = Empirical::weighted(f64s([0.0, 1.0, 2.0]), f64s([0.0, 1.0, 0.0]));
    assert!(last.sample(Key::new(2), [10_000]).eq(1.0).all().item::<bool>().unwrap());
    for device in [Device::Interpreter, Device::Cpu] {
        let draw = |e: Empirical| e.sample(Key::new(1), [20_000]);
        assert!(jit_on(device, draw)(e.clone()).eq(&shares).all().item::<bool>().unwrap());
        let median = jit_on(device, |e: Empirical| e.median())(e.clone());
        assert_eq!(floats(&median), [2.0], "{device:?}");
    }
}

#[test]
fn vectors_and_records_that_are_drawn() {
    let points = Array::from_slice(&[0.0, 1.0, 2.0, -1.0, 2.0, 3.0], [3, 2]);
    let e = Empirical::weighted(points.clone(), f64s([1.0, 1.0, 2.0]));
    assert_eq!(e.event_shape()[..], [2]);
    assert_close("mean", &floats(&e.mean()), &[1.5, 1.5], 1e-15, 0.0);
    assert_close("cov", &floats(&e.cov()), &[0.75, 0.25, 0.25, 2.75], 1e-14, 0.0);
    assert_close("mass", &floats(&e.prob(&points)), &[0.25, 0.25, 0.5], 1e-15, 0.0);
    travels("vectors", &e, &points, 1e-6);
    let record = Record::new([("mu", f64s([1.0, 2.0, 4.0]))]).with("x/y", points.clone());
    let e = Empirical::weighted(record.clone(), f64s([1.0, 1.0, 2.0]));
    let draws = e.sample(Key::new(0), [4, 5]);
    assert_eq!(draws.paths(), ["mu", "x/y"]);
    assert_eq!((draws["mu"].shape(), draws["x/y"].shape()), (&[4, 5][..], &[4, 5, 2][..]));
    // The leaves of a draw are of one point.
    let paired = draws["mu"].eq(1.0).eq(draws["x/y"].at_axis(-1, 0).eq(0.0));
    assert!(paired.all().item::<bool>().unwrap());
    assert_close("means", &floats(&e.means()["mu"]), &[2.75], 1e-15, 0.0);
    assert_close("density", &floats(&e.prob(&record)), &[0.25, 0.25, 0.5], 1e-15, 0.0);
    travels("records", &e, &record, 1e-6);
    let mean = e.expectation(|r: Record| &r["mu"] * r["x/y"].sum(), Key::new(0), 0);
    assert_close("product", &floats(&mean.value), &[0.25 + 0.5 + 10.0], 1e-15, 0.0);
}

const POINTS: [f64; 6] = [-1.0, 0.0, 0.5, 2.0, 2.25, -0.75];
const WEIGHTS: [f64; 6] = [1.0, 2.0, 1.0, 0.5, 3.0, 1.0];

#[test]
fn estimates_of_densities_of_numbers() {
    let x = f64s([-2.0, 0.1, 3.0, 10.0]);
    let cases = [
        (
            Bandwidth::Scott,
            false,
            [-2.5260039077203253, -1.466445431969383, -2.362341685290998, -35.35335968195697],
        ),
        (
            Bandwidth::Scott,
            true,
            [-2.6678660924468667, -1.5736182865280994, -2.1079335027932355, -27.62445291233927],
        ),
        (
            Bandwidth::Silverman,
            false,
            [-2.482684784121905, -1.4838718249705993, -2.361685338007512, -31.81881826511823],
        ),
        (
            Bandwidth::Silverman,
            true,
            [-2.624881830196946, -1.5928531611470194, -2.1211558621669546, -24.89163256339146],
        ),
        (
            Bandwidth::Factor(0.3),
            false,
            [-4.610868358286279, -1.2679555610325355, -3.24589334405167, -179.7839839158786],
        ),
        (
            Bandwidth::Factor(0.3),
            true,
            [-4.633795754795871, -1.2027409153618873, -2.549999293005377, -157.83129758249277],
        ),
    ];
    for (bandwidth, weigh, want) in cases {
        let kde = match weigh {
            true => Kde::weighted(f64s(POINTS), f64s(WEIGHTS), bandwidth),
            false => Kde::new(f64s(POINTS), bandwidth),
        };
        let what = format!("{bandwidth:?} {weigh}");
        assert_close(&what, &floats(&kde.log_prob(&x)), &want, 1e-13, 0.0);
        travels(&what, &kde, &x, 1e-5);
        slopes(&what, &kde, &x);
        draws_follow(&what, &kde);
    }
    // `integrate_box_1d` from minus infinity, `covariance`.
    let kde = Kde::weighted(f64s(POINTS), f64s(WEIGHTS), Bandwidth::Scott);
    let below = [0.04440134294384557, 0.3704552168911823, 0.9013933709727883, 0.9999999999998508];
    assert_close("cdf", &floats(&kde.cdf(&x)), &below, 1e-13, 0.0);
    assert_close(
        "back",
        &floats(&kde.quantile(&kde.cdf(&x.slice_axis(0, 0..3)))),
        &[-2.0, 0.1, 3.0],
        1e-11,
        0.0,
    );
    assert_close("scale", &floats(&kde.scale().square()), &[1.1724020421959391], 1e-14, 0.0);
    let same = Kde::with_scale(f64s(POINTS), Kde::new(f64s(POINTS), Bandwidth::Scott).scale());
    assert_close("given", &floats(&same.log_prob(&x)), &cases[0].2, 1e-13, 0.0);
    let e = Empirical::weighted(f64s(POINTS), f64s(WEIGHTS));
    let smooth: Kde = from_distribution(&e).unwrap();
    assert_close("smooth", &floats(&smooth.log_prob(&x)), &cases[1].2, 1e-13, 0.0);
    assert_close("mean", &floats(&smooth.mean()), &floats(&e.mean()), 1e-15, 0.0);
    let wide = floats(&e.variance())[0] + 1.1724020421959391;
    assert_close("variance", &floats(&smooth.variance()), &[wide], 1e-14, 0.0);
}

#[test]
fn estimates_of_densities_of_vectors() {
    let points = [0.0, 1.0, 0.5, -0.25, 2.0, 1.5, -1.0, 0.75, 0.25, 0.3];
    let points = Array::from_slice(&points, [5, 2]);
    let weights = f64s([1.0, 2.0, 3.0, 1.0, 0.5]);
    let x = Array::from_slice(&[0.1, 0.2, 2.0, -1.0, 8.0, 8.0], [3, 2]);
    for bandwidth in [Bandwidth::Scott, Bandwidth::Silverman] {
        // The two rules agree on two numbers.
        let kde = Kde::new(&points, bandwidth);
        let want = [-1.9394937229236633, -6.724971487208352, -87.42104664625691];
        assert_close("alike", &floats(&kde.log_prob(&x)), &want, 1e-12, 0.0);
        let kde = Kde::weighted(&points, &weights, bandwidth);
        let want = [-2.457255924963383, -6.471378991230957, -48.84831549557307];
        assert_close("weighted", &floats(&kde.log_prob(&x)), &want, 1e-12, 0.0);
        travels("weighted", &kde, &x, 2e-5);
        slopes("weighted", &kde, &x);
        let of_kernel = kde.scale().matmul(kde.scale().transpose());
        let want = [1.0097947612090978, 0.3811272264338783, 0.3811272264338783, 0.454767754989469];
        assert_close("kernel", &floats(&of_kernel), &want, 1e-13, 0.0);
        let draws = kde.sample(Key::new(4), [50_000]);
        let off = (draws.mean_axes([0]) - kde.mean()).abs().max().item::<f64>().unwrap();
        assert!(off < 0.03, "{off}");
        let centred = &draws - draws.mean_axes([0]);
        let cov = centred.transpose().matmul(&centred) * (1.0 / 50_000.0);
        assert_close("cov", &floats(&cov), &floats(&kde.cov()), 0.03, 0.02);
    }
}

#[test]
fn faults() {
    assert_eq!(
        said(Empirical::new(one(0.5)).mean()),
        "an Empirical is made of arrays of shapes []"
    );
    assert_eq!(
        said(Empirical::weighted(f64s([1.0, 2.0]), f64s([1.0])).mean()),
        "an Empirical of 2 points has weights of shape [1]"
    );
    assert_eq!(
        said(Empirical::weighted(f64s([1.0, 2.0]), f64s([1.0, -1.0])).sample(Key::new(0), ())),
        "the weights of an Empirical must be non-negative, not -1 at [1]"
    );
    assert_eq!(
        said(Empirical::weighted(f64s([1.0, 2.0]), f64s([0.0, 0.0])).median()),
        "all weights of an Empirical are 0"
    );
    let record = Record::new([("a", zeros([2])), ("b", zeros([3]))]);
    assert_eq!(
        said(Empirical::new(record).sample(Key::new(0), ())["a"].clone()),
        "an Empirical is made of arrays of shapes [2], [3]"
    );
    let vectors = Empirical::new(zeros([3, 2]));
    assert_eq!(
        said(vectors.cdf(&zeros([2]))),
        "an Empirical with events of shape [2] has no distribution function"
    );
    assert_eq!(
        said(Kde::new(f64s([1.0]), Bandwidth::Scott).log_prob(&one(0.0))),
        "a Kde is made of points f64[1]"
    );
    assert_eq!(
        said(Kde::new(f64s([1.0, 1.0]), Bandwidth::Scott).mean()),
        "the covariance of the points of a Kde must be positive, not 0"
    );
    assert_eq!(
        said(Kde::new(f64s([1.0, 2.0]), Bandwidth::Factor(0.0)).mean()),
        "the factor of a Kde must be positive, not 0"
    );
    assert_eq!(
        said(
            Kde::new(zeros([3, 2]) + eye(3).slice_axis(-1, 0..2), Bandwidth::Scott).cdf(&one(0.0))
        ),
        "a Kde of vectors has no distribution function"
    );
}
