//! Distributions that are cut, seen through bijectors, or censored. Reference values are of mpmath
//! 1.3 at 420 digits (the truncated normal) and of SciPy 1.17.1, by the formulas named beside them.

mod golden;
mod travels;

use golden::{assert_close, floats};
use probpipe::bijectors::{Affine, Bijector, Exp, Power, Sigmoid, StickBreaking};
use probpipe::prelude::*;
use probpipe::{
    Binomial, Gamma, Gumbel, LeftCensored, Poisson, RightCensored, StudentT, Transformed,
    Truncated, TruncatedNormal, TwoSidedTruncatedGamma,
};
use travels::{draws_follow, f64s, one, said, slopes, travels};

fn normal() -> Normal {
    Normal::new(one(0.0), one(1.0))
}

/// `log p(x) - log(F(high) - F(low))` and `(F(x) - F(low)) / (F(high) - F(low))`.
#[test]
fn the_truncated_normal_in_the_middle_and_far_out() {
    let cut = [
        (Truncated::left(normal(), one(20.0)), 20.1, 0.9932168378925627, 0.866006371792351),
        (
            Truncated::new(normal(), one(-1.0), one(2.0)),
            0.5,
            -0.8437722388802101,
            0.6508804213366272,
        ),
        (
            Truncated::new(normal(), one(38.0), one(40.0)),
            38.01,
            3.258227485615533,
            0.31635244196723605,
        ),
        (Truncated::right(normal(), one(-30.0)), -30.02, 2.802105423138537, 0.548337134261024),
        (Truncated::left(normal(), one(50.0)), 50.01, 3.412372606215328, 0.3936208450755803),
    ];
    for (d, x, density, below) in cut {
        let x = one(x);
        // Rounding of `x` alone changes the density by up to |x|^2 of its last digit.
        assert_close("density", &floats(&d.log_prob(&x)), &[density], 1e-12, 1e-12);
        assert_close("cdf", &floats(&d.cdf(&x)), &[below], 1e-11, 0.0);
        assert_close("rest", &floats(&d.survival(&x)), &[1.0 - below], 1e-11, 0.0);
        assert_close("log", &floats(&d.log_cdf(&x)), &[below.ln()], 1e-11, 0.0);
        assert_close("back", &floats(&d.quantile(&d.cdf(&x))), &floats(&x), 1e-12, 0.0);
        slopes("normal", &d, &x);
        travels("normal", &d, &x, 2e-4);
        draws_follow("normal", &d);
    }
    let q = f64s([0.01, 0.5, 0.99]);
    let tail = Truncated::left(normal(), 50);
    let want = [50.00020092600728, 50.01385548686213, 50.09198206698267];
    assert_close("quantiles", &floats(&tail.quantile(&q)), &want, 1e-14, 0.0);
    let family = TruncatedNormal::new(one(0.0), 1.0, 50, 60).quantile(&q);
    assert_close("of the family", &floats(&family), &want, 1e-14, 0.0);
    let both = Truncated::new(normal(), 38, 40).quantile(&q);
    let want = [38.00026429882417, 38.018223745586276, 38.120912835133865];
    assert_close("between", &floats(&both), &want, 1e-14, 0.0);
    let left = Truncated::right(normal(), -50).quantile(&(1.0 - &q));
    assert_close("left", &floats(&left), &floats(&-tail.quantile(&q)), 1e-14, 0.0);
    // A draw is as differentiable far out as in the middle: it moves with the end.
    let draw = |low: Array| Truncated::left(normal(), low).quantile(&one(0.5));
    let (slope, near) = (floats(&grad(draw)(one(50.0)))[0], 1e-4);
    let want = (floats(&draw(one(50.0 + near)))[0] - floats(&draw(one(50.0 - near)))[0]) / 2e-4;
    assert!((slope - want).abs() < 1e-6, "{slope} {want}");
    // In f32, where the probability beyond is no number from 14 on.
    let narrow = Truncated::left(Normal::new(0.0, 1.0), 20.0);
    let median = narrow.median().item::<f32>().unwrap();
    assert!((median - 20.034544).abs() < 1e-4, "{median}");
    let compiled = jit(|(d, q): (Truncated<Normal>, Array)| d.quantile(&q))((narrow, array(0.5)));
    assert!((compiled.item::<f32>().unwrap() - median).abs() < 1e-5);
}

/// `scipy.stats.truncnorm(-1, 2)`: mean, variance, entropy; the others are those of the families.
#[test]
fn moments_in_closed_form() {
    let d = Truncated::new(normal(), -1, 2);
    let have = [floats(&d.mean()), floats(&d.variance()), floats(&d.entropy())].concat();
    let want = [0.22963717909132902, 0.5197625392115339, 1.0050201254964886];
    assert_close("normal", &have, &want, 1e-13, 0.0);
    assert_eq!(floats(&Truncated::left(normal(), one(1.0)).mode()), [1.0]);
    let gamma = Truncated::new(Gamma::new(one(2.0), 1.5), 0.5, 3.0);
    let family = TwoSidedTruncatedGamma::new(one(2.0), 1.5, 0.5, 3.0);
    assert_close("gamma", &floats(&gamma.mean()), &floats(&family.mean()), 1e-15, 0.0);
    let (have, want) = (floats(&gamma.variance()), floats(&family.variance()));
    assert_close("gamma", &have, &want, 1e-15, 0.0);
    assert_eq!(Truncated::left(normal(), zeros([3])).mean().shape(), [3]);
}

/// `scipy.stats`: expon(scale=1/2) on [1, 3], gumbel_r from 1 on, t(3) up to -2, poisson(3) from 2
/// to 6.
#[test]
fn other_bases() {
    fn case<D>(what: &str, d: Truncated<D>, x: f64, want: [f64; 2])
    where
        D: LogProb<Value = Array> + Cdf + Quantile + Support + Tree + Clone,
    {
        let x = one(x);
        let have = [floats(&d.log_prob(&x)), floats(&d.cdf(&x))].concat();
        assert_close(what, &have, &want, 1e-12, 1e-13);
        slopes(what, &d, &x);
        travels(what, &d, &x, 2e-5);
        draws_follow(what, &d);
    }
    let exponential = Truncated::new(Exponential::new(one(2.0)), one(1.0), one(3.0));
    case("Exponential", exponential, 1.5, [-0.288367372614168, 0.6439142598879724]);
    let gumbel = Truncated::left(Gumbel::new(one(0.0), one(1.0)), one(1.0));
    case("Gumbel", gumbel, 2.5, [-1.4037779022031807, 0.743968468166209]);
    let t = Truncated::right(StudentT::new(one(3.0), one(0.0), one(1.0)), one(-2.0));
    case("StudentT", t, -5.0, [-2.803987118322086, 0.11047788314352495]);

    let counts = Truncated::new(Poisson::new(one(3.0)), 1.5, 6);
    let k = array([1, 2, 3, 4, 5, 6, 7]);
    let masses = [-1.2311014717141886, -1.2311014717141886, -1.5187835441659694];
    let masses = [&[f64::NEG_INFINITY][..], &masses, &[-2.0296091679319597, -2.722756348491906]];
    let masses = [masses.concat(), vec![f64::NEG_INFINITY]].concat();
    assert_close("masses", &floats(&counts.log_prob(&k)), &masses, 1e-13, 0.0);
    let below = [0.0, 0.291970802919708, 0.583941605839416, 0.802919708029197, 0.9343065693430658];
    let below = [&below[..], &[1.0, 1.0]].concat();
    assert_close("cdf", &floats(&counts.cdf(&k)), &below, 1e-13, 0.0);
    let rest: Vec<f64> = below.iter().map(|p| 1.0 - p).collect();
    assert_close("survival", &floats(&counts.survival(&k)), &rest, 1e-12, 1e-15);
    let between = counts.cdf(&f64s([2.9, 1.9, -4.0]));
    assert_close("between", &floats(&between), &[below[1], 0.0, 0.0], 1e-13, 0.0);
    let q = f64s([0.0, 0.29, 0.3, 0.93, 0.94, 1.0]);
    assert_eq!(floats(&counts.quantile(&q)), [2.0, 2.0, 3.0, 5.0, 6.0, 6.0]);
    let draws = counts.sample(Key::new(3), [5000]);
    assert_eq!(
        (draws.dtype(), floats(&draws.min()), floats(&draws.max())),
        (DType::I32, vec![2.0], vec![6.0])
    );
    let mean = draws.cast(DType::F64).mean().item::<f64>().unwrap();
    assert!((mean - 3.387).abs() < 0.1, "{mean}");
    let some = Truncated::new(Binomial::new(2, one(0.5)), 1, 2);
    let want = [0.0, 2.0 / 3.0, 1.0 / 3.0];
    assert_close("some", &floats(&some.prob(&array([0, 1, 2]))), &want, 1e-14, 0.0);
}

#[test]
fn outside_of_the_ends() {
    let d = Truncated::new(normal(), -1, 2);
    let x = f64s([-1.5, 0.0, 2.5, f64::NAN, f64::INFINITY]);
    let density = floats(&d.log_prob(&x));
    assert!(
        density[0] == f64::NEG_INFINITY && density[2] == density[0] && density[4] == density[0]
    );
    assert!(density[1].is_finite() && density[3].is_nan());
    let slope = grad(|x: Array| d.log_prob(&x).slice_axis(0, 0..3).sum())(x);
    assert_eq!(floats(&slope)[0..3], [0.0, 0.0, 0.0]);
    assert_eq!(floats(&d.cdf(&f64s([-2.0, 3.0]))), [0.0, 1.0]);
    assert_eq!(floats(&d.survival(&f64s([-2.0, 3.0]))), [1.0, 0.0]);
    assert!(floats(&d.quantile(&f64s([1.5])))[0].is_nan());
    assert_eq!(floats(&d.quantile(&f64s([0.0, 1.0]))), [-1.0, 2.0]);
    // An infinite end is none.
    let whole = Truncated::new(normal(), f64::NEG_INFINITY, f64::INFINITY);
    let x = f64s([-1.5, 0.0, 40.0]);
    assert_close(
        "whole",
        &floats(&whole.log_prob(&x)),
        &floats(&normal().log_prob(&x)),
        1e-15,
        0.0,
    );
    let half = Truncated::new(normal(), f64::NEG_INFINITY, 0.0);
    assert_close("half", &floats(&half.mean()), &[-0.7978845608028654], 1e-14, 0.0);
}

#[test]
fn faults() {
    let wrong = Truncated::new(normal(), 2, 1);
    assert_eq!(
        said(wrong.log_prob(&one(0.0))),
        "the low end of a Truncated must be less than its high end: low is 2 and high 1"
    );
    assert_eq!(said(wrong.sample(Key::new(0), ())), said(wrong.mean()));
    assert_eq!(
        said(Truncated::left(normal(), f64::NAN).median()),
        "the low end of a Truncated is NaN"
    );
    let vectors = Truncated::left(Normal::new(zeros([2]), 1.0), zeros([3]));
    assert_eq!(
        said(vectors.cdf(&one(0.0))),
        "the end [3] of a Truncated and the batch shape [2] of its base do not broadcast"
    );
    let events = Transformed::new(Normal::new(zeros([2]), 1.0), StickBreaking);
    assert_eq!(
        said(events.cdf(&zeros([3]))),
        "a Transformed with events of shape [3] has no distribution function"
    );
    // Where the base has nothing between the ends, nothing has a density.
    let none = Truncated::new(Exponential::new(one(1.0)), -3.0, -1.0);
    assert!(floats(&none.log_prob(&one(-2.0))).iter().all(|x| !x.is_finite()));
}

/// `scipy.stats`: lognorm(2, scale=exp(1/2)), expon under `1 - 2 x`, invweibull(2).
#[test]
fn distribution_functions_through_bijectors() {
    let rises = Transformed::new(normal(), Affine::new(one(0.5), one(2.0)).then(Exp));
    let have = [rises.cdf(&one(1.5)), rises.survival(&one(1.5)), rises.quantile(&one(0.9))];
    let want = [0.48115003672075496, 0.518849963279245, 21.393842160041622];
    assert_close("rises", &have.map(|x| floats(&x)[0]), &want, 1e-13, 0.0);
    assert_eq!(floats(&rises.cdf(&f64s([-1.0, f64::INFINITY]))), [0.0, 1.0]);
    let falls = Transformed::new(Exponential::new(one(1.0)), Affine::new(one(1.0), one(-2.0)));
    let have = [falls.cdf(&one(-3.0)), falls.survival(&one(-3.0)), falls.quantile(&one(0.3))];
    let want = [0.1353352832366127, 0.8646647167633873, -1.4079456086518722];
    assert_close("falls", &have.map(|x| floats(&x)[0]), &want, 1e-13, 0.0);
    assert_close("tail", &floats(&falls.log_cdf(&one(-2e4))), &[-10000.5], 1e-14, 0.0);
    assert_eq!(floats(&falls.cdf(&f64s([1.5, -1e9]))), [1.0, 0.0]);
    assert_close("upper", &floats(&falls.upper_quantile(&one(0.7))), &want[2..], 1e-13, 0.0);
    // The sign of a slope that is traced is chosen in the program.
    let traced = |(scale, y): (Array, Array)| {
        Transformed::new(Exponential::new(one(1.0)), Affine::new(1.0, scale)).cdf(&y)
    };
    for device in [Device::Interpreter, Device::Cpu] {
        let have = jit_on(device, traced)((f64s([-2.0, 2.0]), f64s([-3.0, 3.0])));
        assert_close("traced", &floats(&have), &[want[0], 1.0 - (-1f64).exp()], 1e-13, 0.0);
    }
    let power = Transformed::new(Exponential::new(one(1.0)), Power::new(-0.5));
    let x = one(0.7);
    let have = [power.cdf(&x), power.log_prob(&x), power.quantile(&one(0.2))];
    let want = [0.12992260830505947, -0.2776443141544697, 0.7882480158932288];
    assert_close("power", &have.map(|x| floats(&x)[0]), &want, 1e-13, 0.0);
    for device in [Device::Interpreter, Device::Cpu] {
        let have = jit_on(device, |y: Array| power.cdf(&y))(x.clone());
        assert_close("compiled", &floats(&have), &want[..1], 1e-13, 0.0);
    }
    travels("rises", &rises, &f64s([0.5, 2.0]), 2e-6);
    travels("falls", &falls, &f64s([0.5, -2.0]), 2e-6);
    draws_follow("rises", &rises);
    draws_follow("falls", &falls);
    draws_follow("unit", &Transformed::new(normal(), Sigmoid));
    assert_close("median", &floats(&rises.median()), &[0.5f64.exp()], 1e-14, 0.0);
    let cut = Truncated::new(Transformed::new(normal(), Exp), 1.0, 2.0);
    draws_follow("cut", &cut);
}

#[test]
fn statistics_through_an_affine_map() {
    let d =
        Transformed::new(Gumbel::new(f64s([0.5, 1.0]), 2.0), Affine::new(1.0, f64s([-3.0, 0.5])));
    let base = Gumbel::new(f64s([0.5, 1.0]), 2.0);
    let (mean, variance) = (floats(&base.mean()), floats(&base.variance()));
    let want = [1.0 - 3.0 * mean[0], 1.0 + 0.5 * mean[1]];
    assert_close("mean", &floats(&d.mean()), &want, 1e-15, 0.0);
    assert_close(
        "variance",
        &floats(&d.variance()),
        &[9.0 * variance[0], variance[1] / 4.0],
        1e-15,
        0.0,
    );
    assert_close("mode", &floats(&d.mode()), &[1.0 - 3.0 * 0.5, 1.5], 1e-15, 0.0);
    let entropy = floats(&base.entropy());
    let want = [entropy[0] + 3f64.ln(), entropy[1] + 0.5f64.ln()];
    assert_close("entropy", &floats(&d.entropy()), &want, 1e-15, 0.0);
    let vectors = MultivariateNormal::new(zeros([3]), eye(3));
    let scaled = Transformed::new(vectors.clone(), Affine::new(0.0, f64s([2.0, 2.0, 2.0])));
    let want = floats(&vectors.entropy())[0] + 3.0 * 2f64.ln();
    assert_close("of vectors", &floats(&scaled.entropy()), &[want], 1e-6, 0.0);
}

#[test]
fn censored_draws() {
    let flags = Array::from_slice(&[true, false, true], [3]);
    let right = RightCensored::new(Exponential::new(one(2.0)), flags.clone());
    let draws = right.sample(Key::new(0), [20_000]);
    assert_eq!(draws.shape(), [20_000, 3]);
    let means = floats(&draws.mean_axes([0]));
    assert!(means.iter().all(|mean| (mean - 0.5).abs() < 0.02), "{means:?}");
    assert!(draws.at_axis(-1, 0).ne(draws.at_axis(-1, 1)).all().item::<bool>().unwrap());
    let left = LeftCensored::new(Exponential::new(one(2.0)), flags);
    assert_eq!(left.sample(Key::new(0), ()).shape(), [3]);
    travels("right", &right, &f64s([0.5, 1.0, 2.0]), 1e-6);
    travels("left", &left, &f64s([0.5, 1.0, 2.0]), 1e-6);
}
