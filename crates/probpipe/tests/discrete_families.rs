//! Families on integers where their formulas are hard: large counts, rare events, nearly sure ones;
//! densities and slopes against 60 digits, both tails, quantiles, draws, and what is no count.

mod golden;

use golden::{assert_close, cases, floats, number, numbers};
use probpipe::prelude::*;
use probpipe::{
    BernoulliLogits, BetaBinomial, BetaNegativeBinomial, Binomial, BinomialLogits, Categorical,
    CategoricalLogits, DiscreteUniform, GammaPoisson, Geometric, GeometricLogits, Hurdle,
    KlDivergence, NegativeBinomial, NegativeBinomial2, NegativeBinomialLogits, OrderedLogistic,
    Poisson, PoissonLog, ProbitBernoulli, StoppingRatioLogistic, ZeroInflated, Zipf,
};
use probpipe_testing::statistics::chi_square;
use serde_json::Value as Json;

fn log_prob(family: &str, p: &[Array], k: &Array) -> Array {
    match family {
        "BetaBinomial" => BetaBinomial::new(&p[0], &p[1], &p[2]).log_prob(k),
        "BetaNegativeBinomial" => BetaNegativeBinomial::new(&p[0], &p[1], &p[2]).log_prob(k),
        "Binomial" => Binomial::new(&p[0], &p[1]).log_prob(k),
        "BinomialLogits" => BinomialLogits::new(&p[0], &p[1]).log_prob(k),
        "GammaPoisson" => GammaPoisson::new(&p[0], &p[1]).log_prob(k),
        "Geometric" => Geometric::new(&p[0]).log_prob(k),
        "NegativeBinomial" => NegativeBinomial::new(&p[0], &p[1]).log_prob(k),
        "NegativeBinomial2" => NegativeBinomial2::new(&p[0], &p[1]).log_prob(k),
        "PoissonLog" => PoissonLog::new(&p[0]).log_prob(k),
        _ => Poisson::new(&p[0]).log_prob(k),
    }
}

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn scalar(x: f64) -> Array {
    Array::from_slice(&[x], [0usize; 0])
}

fn of_type(kind: &str) -> Vec<Json> {
    let found: Vec<Json> =
        cases("discrete.json").into_iter().filter(|case| case["type"] == kind).collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn named(case: &Json) -> (&str, Vec<Array>, String) {
    let family = case["family"].as_str().unwrap();
    let parameters = numbers(&case["params"]).into_iter().map(scalar).collect();
    (family, parameters, format!("{family}{}", case["params"]))
}

#[test]
fn hard_densities_and_slopes() {
    for case in of_type("log_prob") {
        let (family, p, what) = named(&case);
        let (k, want) = (number(&case["k"]), number(&case["log_prob"]));
        let what = format!("{what} at {k}");
        let f = |p: Vec<Array>| log_prob(family, &p, &scalar(k));
        let plain = value_and_grad(f)(p.clone());
        let compiled = jit(value_and_grad(f))(p.clone());
        for (value, slope) in [plain, compiled] {
            assert_close(&what, &floats(&value), &[want], 1e-12, 1e-15);
            for (have, want) in slope.iter().zip(numbers(&case["slopes"])) {
                if !want.is_nan() {
                    assert_close(&format!("{what} slope"), &floats(have), &[want], 1e-9, 1e-16);
                }
            }
        }
        let narrow: Vec<Array> = p.iter().map(|p| p.cast(DType::F32)).collect();
        if numbers(&case["params"]).iter().any(|p| p.abs() < 1e-35) {
            continue;
        }
        let rounded: Vec<Array> = narrow.iter().map(|p| p.cast(DType::F64)).collect();
        let single = scalar(k).cast(DType::F32);
        let want = floats(&log_prob(family, &rounded, &single.cast(DType::F64)));
        let have = floats(&log_prob(family, &narrow, &single));
        // A chance is rounded when it comes of its log-odds, as a parameter was.
        let of_rounding: f64 = numbers(&case["slopes"])
            .iter()
            .zip(numbers(&case["params"]))
            .map(|(slope, p)| if slope.is_nan() { 0.0 } else { (slope * p).abs() })
            .sum();
        let allowed = 1e-5 + 2.0 * f64::from(f32::EPSILON) * of_rounding;
        assert_close(&format!("{what} f32"), &have, &want, 1e-5, allowed);
    }
}

#[test]
fn both_tails() {
    for case in of_type("cdf") {
        let (family, p, what) = named(&case);
        let k = f64s(&numbers(&case["k"]));
        let both = |k: Array| match family {
            "BetaBinomial" => {
                let d = BetaBinomial::new(&p[0], &p[1], &p[2]);
                (d.cdf(&k), d.survival(&k))
            }
            "BetaNegativeBinomial" => {
                let d = BetaNegativeBinomial::new(&p[0], &p[1], &p[2]);
                (d.cdf(&k), d.survival(&k))
            }
            "Binomial" => {
                let d = Binomial::new(&p[0], &p[1]);
                (d.cdf(&k), d.survival(&k))
            }
            "NegativeBinomial" => {
                let d = NegativeBinomial::new(&p[0], &p[1]);
                (d.cdf(&k), d.survival(&k))
            }
            "PoissonLog" => {
                let d = PoissonLog::new(&p[0]);
                (d.cdf(&k), d.survival(&k))
            }
            _ => {
                let d = Poisson::new(&p[0]);
                (d.cdf(&k), d.survival(&k))
            }
        };
        for (cdf, survival) in [both(k.clone()), jit(both)(k.clone())] {
            let (below, above) = (numbers(&case["cdf"]), numbers(&case["survival"]));
            assert_close(&format!("{what} cdf"), &floats(&cdf), &below, 1e-11, 0.0);
            assert_close(&format!("{what} survival"), &floats(&survival), &above, 1e-11, 0.0);
        }
    }
}

/// Quantiles of every family that has them: the least count at which the distribution function
/// reaches the level, with the logarithms of both tails.
#[test]
fn quantiles_invert_the_distribution() {
    fn check<D: Quantile<Value = Array> + Cdf>(what: &str, d: D) {
        let levels = [1e-6, 0.2, 0.5, 0.7, 0.999];
        let k = jit(|q: Array| d.quantile(&q))(f64s(&levels));
        let (at, before) = (floats(&d.cdf(&k)), floats(&d.cdf(&(&k - 1.0))));
        for (i, &level) in levels.iter().enumerate() {
            let reached = at[i] >= level - 1e-12 && before[i] < level + 1e-12;
            assert!(reached, "{what} at {level}: {} of {at:?}, {before:?}", floats(&k)[i]);
        }
        let logs = [floats(&d.log_cdf(&k).exp()), floats(&d.log_survival(&k).exp())];
        assert_close(what, &logs[0], &at, 1e-11, 1e-14);
        assert_close(what, &logs[1], &floats(&d.survival(&k)), 1e-11, 1e-14);
        let odd = floats(&d.quantile(&f64s(&[-0.1, 1.5, f64::NAN])));
        assert!(odd.iter().all(|k| k.is_nan()), "{what}: {odd:?}");
        assert!(floats(&d.cdf(&f64s(&[f64::NAN])))[0].is_nan(), "{what}");
    }
    let one = scalar;
    check("bernoulli", Bernoulli::new(one(0.3)));
    check("bernoulli logits", BernoulliLogits::new(one(0.3)));
    check("beta binomial", BetaBinomial::new(one(2.0), one(3.0), 30));
    check("beta negative binomial", BetaNegativeBinomial::new(one(2.0), one(0.7), one(4.0)));
    check("binomial", Binomial::new(40, one(0.3)));
    check("categorical", Categorical::new(f64s(&[0.25, 0.25, 0.5])));
    check("categorical logits", CategoricalLogits::new(f64s(&[0.2, 0.3, 0.5])));
    check("gamma poisson", GammaPoisson::new(one(3.0), one(0.5)));
    check("geometric", Geometric::new(one(0.3)));
    check("ordered", OrderedLogistic::new(one(0.3), f64s(&[-1.0, 0.0, 1.5])));
    check("poisson", Poisson::new(one(3.7)));
    check("poisson log", PoissonLog::new(one(1.3)));
    check("probit", ProbitBernoulli::new(one(0.3)));
    check("stopping", StoppingRatioLogistic::new(f64s(&[-0.5, 0.5, 0.2]), one(0.3)));
    check("zipf", Zipf::new(one(2.5)));
}

/// Where the probability itself is no number any more.
#[test]
fn logarithms_of_lost_tails() {
    fn both<D: Cdf<Value = Array>>(d: &D, k: &Array) -> (Array, Array) {
        (d.log_cdf(k), d.log_survival(k))
    }
    for case in of_type("log_tail") {
        let (family, p, what) = named(&case);
        for dtype in [DType::F64, DType::F32] {
            let p: Vec<Array> = p.iter().map(|p| p.cast(dtype)).collect();
            let k = f64s(&numbers(&case["k"])).cast(dtype);
            let f = |(p, k): (Vec<Array>, Array)| match family {
                "Binomial" => both(&Binomial::new(&p[0], &p[1]), &k),
                "NegativeBinomial" => both(&NegativeBinomial::new(&p[0], &p[1]), &k),
                "NegativeBinomial2" => both(&NegativeBinomial2::new(&p[0], &p[1]), &k),
                "PoissonLog" => both(&PoissonLog::new(&p[0]), &k),
                _ => both(&Poisson::new(&p[0]), &k),
            };
            let (tolerance, least) = match dtype {
                DType::F64 => (1e-12, 1e-300),
                _ => (1e-5, 1e-37),
            };
            let (of_cdf, of_survival) = (numbers(&case["log_cdf"]), numbers(&case["log_survival"]));
            for (below, above) in [f((p.clone(), k.clone())), jit(f)((p.clone(), k.clone()))] {
                let close = |side: &str, have: &Array, want: &[f64]| {
                    assert_close(
                        &format!("{what} {dtype} {side}"),
                        &floats(have),
                        want,
                        tolerance,
                        least,
                    );
                };
                close("log_cdf", &below, &of_cdf);
                close("log_survival", &above, &of_survival);
            }
            let total = |p: Vec<Array>| f((p, k.clone())).1.sum();
            let slopes = jit(grad(total))(p.clone());
            for (slope, at) in slopes.iter().zip(&p) {
                assert!(floats(slope)[0].is_finite(), "{what} {dtype} slope {slope} at {at}");
            }
        }
    }
}

#[test]
fn quantiles_are_those_of_scipy() {
    for case in of_type("quantile") {
        let (family, p, what) = named(&case);
        let q = f64s(&numbers(&case["q"]));
        let quantile = |q: Array| match family {
            "Binomial" => Binomial::new(&p[0], &p[1]).quantile(&q),
            "NegativeBinomial" => NegativeBinomial::new(&p[0], &p[1]).quantile(&q),
            "Geometric" => Geometric::new(&p[0]).quantile(&q),
            "PoissonLog" => PoissonLog::new(&p[0]).quantile(&q),
            _ => Poisson::new(&p[0]).quantile(&q),
        };
        let want = numbers(&case["k"]);
        assert_close(&what, &floats(&quantile(q.clone())), &want, 0.0, 0.0);
        assert_close(&what, &floats(&jit(quantile)(q)), &want, 0.0, 0.0);
        let odd = floats(&quantile(f64s(&[0.0, -0.1, 1.5, f64::NAN])));
        assert!(odd[0] == 0.0 && odd[1..].iter().all(|k| k.is_nan()), "{what}: {odd:?}");
    }
    let (q, inf) = (f64s(&[0.0, 1.0]), f64::INFINITY);
    assert_eq!(floats(&Poisson::new(3.0).quantile(&q)), [0.0, inf]);
    assert_eq!(floats(&Binomial::new(7, 0.5).quantile(&q)), [0.0, 7.0]);
    assert_eq!(floats(&Binomial::new(0, 0.5).quantile(&q)), [0.0, 0.0]);
    assert_eq!(floats(&DiscreteUniform::new(-2, 3).quantile(&q)), [-2.0, 3.0]);
    // Parameters and probabilities broadcast.
    let table = Poisson::new(array([[1.0], [10.0]])).quantile(&array([0.5, 0.9]));
    assert_eq!((table.shape(), floats(&table)), (&[2, 2][..], vec![1.0, 2.0, 10.0, 14.0]));
}

/// A rate may be zero or infinite as a number, and its logarithm is neither.
#[test]
fn rates_beyond_numbers() {
    for (dtype, low, high) in [(DType::F32, -200.0, 200.0), (DType::F64, -2000.0, 2000.0)] {
        let of = |log_rate: f64| PoissonLog::new(scalar(log_rate).cast(dtype));
        let k = array([0, 2]);
        let both = |d: &PoissonLog, k: &Array| (d.log_prob(k), d.cdf(k), d.survival(k));
        let logs = |d: &PoissonLog, k: &Array| (d.log_cdf(k), d.log_survival(k));
        let levels = f64s(&[0.0, 0.5, 1.0]).cast(dtype);
        let inf = f64::INFINITY;

        let rare = of(low);
        let (mass, below, above) = jit(|k: Array| both(&rare, &k))(k.clone());
        // log(2) and log(6) are what the factorials take.
        let want = [0.0, 2.0 * low - 2f64.ln()];
        assert_close("rare", &floats(&mass), &want, 1e-6, 0.0);
        assert_eq!((floats(&below), floats(&above)), (vec![1.0; 2], vec![0.0; 2]));
        let (below, above) = logs(&rare, &k);
        assert_eq!(floats(&below), [0.0; 2]);
        assert_close("rare", &floats(&above), &[low, 3.0 * low - 6f64.ln()], 1e-6, 0.0);
        assert_eq!(floats(&rare.quantile(&levels)), [0.0, 0.0, inf]);
        assert_eq!(floats(&rare.sample(Key::new(0), [3])), [0.0; 3]);

        let many = of(high);
        let (mass, below, above) = jit(|k: Array| both(&many, &k))(k.clone());
        assert_eq!(floats(&mass), [-inf; 2]);
        assert_eq!((floats(&below), floats(&above)), (vec![0.0; 2], vec![1.0; 2]));
        let (below, above) = logs(&many, &k);
        assert_eq!((floats(&below), floats(&above)), (vec![-inf; 2], vec![0.0; 2]));
        assert_eq!(floats(&many.quantile(&levels)), [0.0, inf, inf]);
        assert_eq!(floats(&many.sample(Key::new(0), [3])), [f64::from(i32::MAX); 3]);

        let slope = |k: i32| {
            let d = |log_rate: Array| PoissonLog::new(log_rate).log_prob(&array(k));
            jit(vmap(grad(d)))(f64s(&[low, high]).cast(dtype))
        };
        assert_eq!((floats(&slope(0)), floats(&slope(3))), (vec![0.0, -inf], vec![3.0, -inf]));
        let tails = |log_rate: Array| logs(&PoissonLog::new(log_rate), &array(2)).1;
        let slopes = floats(&jit(vmap(grad(tails)))(f64s(&[low, high]).cast(dtype)));
        assert_close("slopes of tails", &slopes, &[3.0, 0.0], 1e-6, 0.0);
    }
}

#[test]
fn divergences_of_log_rates() {
    for (a, b) in [(1.0, 1.0), (1.0, 1.0 + 1e-7), (0.5, 3.0), (2.0, -30.0), (-40.0, 1.0)] {
        let have = Poisson::from_log_rate(scalar(a)).kl_divergence(&PoissonLog::new(scalar(b)));
        let (a, b): (f64, f64) = (a, b);
        let want = Poisson::new(scalar(a.exp())).kl_divergence(&Poisson::new(scalar(b.exp())));
        assert_close(&format!("{a} {b}"), &floats(&have), &floats(&want), 1e-8, 0.0);
    }
}

/// Every family at points that are no counts of it.
#[test]
fn what_is_no_count_has_no_probability() {
    fn check<D: LogProb<Value = Array> + Tree + Clone + std::fmt::Debug>(d: D, beyond: f64) {
        let x = f64s(&[-1.0, 0.5, 2.5, f64::INFINITY, f64::NEG_INFINITY, beyond]);
        let total = |(d, x): (D, Array)| d.log_prob(&x).sum();
        assert!(floats(&d.log_prob(&x)).iter().all(|&p| p == f64::NEG_INFINITY), "{d:?}");
        let (slopes, _) = jit(grad(total))((d.clone(), x));
        for slope in probpipe::tree::Flatten::of(&slopes).leaves {
            assert!(floats(slope).iter().all(|s| s.is_finite()), "{d:?}: {slope}");
        }
        let (value, whole) = (d.log_prob(&f64s(&[f64::NAN])), d.log_prob(&array([1])));
        assert!(floats(&value)[0].is_nan() && floats(&whole)[0].is_finite(), "{d:?}");
    }
    let one = scalar;
    check(BernoulliLogits::new(one(0.5)), 2.0);
    check(BetaBinomial::new(one(2.0), one(3.0), one(4.0)), 5.0);
    check(BetaNegativeBinomial::new(one(2.0), one(3.0), one(4.0)), -2.0);
    check(Binomial::new(one(4.0), one(0.3)), 5.0);
    check(BinomialLogits::new(one(4.0), one(0.3)), 5.0);
    check(Categorical::new(f64s(&[0.25, 0.25, 0.5])), 3.0);
    check(CategoricalLogits::new(f64s(&[0.25, 0.25, 0.5])), 3.0);
    check(GammaPoisson::new(one(4.0), one(0.3)), -2.0);
    check(Geometric::new(one(0.3)), -2.0);
    check(GeometricLogits::new(one(0.3)), -2.0);
    check(NegativeBinomial::new(one(4.0), one(0.3)), -2.0);
    check(NegativeBinomial2::new(one(4.0), one(0.3)), -2.0);
    check(NegativeBinomialLogits::new(one(4.0), one(0.3)), -2.0);
    check(OrderedLogistic::new(one(0.1), f64s(&[-1.0, 0.5])), 3.0);
    check(Poisson::new(one(0.3)), -2.0);
    check(PoissonLog::new(one(0.3)), -2.0);
    check(ZeroInflated::new(one(0.0), Poisson::new(one(0.3))), -2.0);
    check(ZeroInflated::from_logits(one(0.3), Poisson::new(one(0.3))), -2.0);
    check(Hurdle::new(one(0.0), Poisson::new(one(0.3))), -2.0);
    check(Hurdle::from_logits(one(0.3), Poisson::new(one(0.3))), -2.0);
}

/// At the ends of the range of a probability, where one count is sure.
#[test]
fn sure_counts() {
    let p = f64s(&[0.0, 1.0]);
    let inf = f64::NEG_INFINITY;
    let at = |k: i32| array([k, k]);
    assert_eq!(floats(&Binomial::new(3, &p).log_prob(&at(0))), [0.0, inf]);
    assert_eq!(floats(&Binomial::new(3, &p).log_prob(&at(3))), [inf, 0.0]);
    assert_eq!(floats(&Binomial::new(3, &p).log_prob(&at(1))), [inf, inf]);
    assert_eq!(floats(&Binomial::new(0, &p).log_prob(&at(0))), [0.0, 0.0]);
    assert_eq!(floats(&Geometric::new(&p).log_prob(&at(0))), [inf, 0.0]);
    assert_eq!(floats(&NegativeBinomial::new(2.0, &p).log_prob(&at(0))), [0.0, inf]);
    let slope = grad(|p: Array| Binomial::new(3, &p).log_prob(&array([0, 3])).sum())(p);
    assert_eq!(floats(&slope), [-3.0, 3.0]);
    let zeros = ZeroInflated::new(f64s(&[0.0, 1.0]), Poisson::new(2.0));
    assert_close("zeros", &floats(&zeros.log_prob(&at(0))), &[-2.0, 0.0], 1e-15, 0.0);
    assert_eq!(floats(&Hurdle::new(1.0, Poisson::new(2.0)).log_prob(&at(0))), [0.0, 0.0]);
}

/// Frequencies of draws of those made of others against the probabilities; `draws.rs` has all
/// families.
#[test]
fn draws_follow_their_distribution() {
    fn check<D: LogProb<Value = Array> + Sample>(what: &str, d: D, first: i32, last: i32) {
        let n = 20_000;
        let draws = jit(|key: Key| d.sample(key, [n]))(Key::new(20_250));
        assert_eq!((draws.shape(), draws.dtype()), (&[n][..], DType::I32), "{what}");
        let drawn = draws.to_vec::<i32>().unwrap();
        assert!(drawn.iter().all(|&k| k >= first), "{what}");
        let counts: Vec<i32> = (first..last).collect();
        let probs = d.prob(&Array::from_slice(&counts, [counts.len()]));
        let mut expected: Vec<f64> = floats(&probs).iter().map(|p| p * n as f64).collect();
        let mut observed: Vec<u64> =
            counts.iter().map(|k| drawn.iter().filter(|d| *d == k).count() as u64).collect();
        expected.push(n as f64 - expected.iter().sum::<f64>());
        observed.push(n as u64 - observed.iter().sum::<u64>());
        // Cells of which few draws are expected are counted with the largest.
        let most =
            (0..expected.len()).max_by(|&i, &j| expected[i].total_cmp(&expected[j])).unwrap();
        let small: Vec<usize> = (0..expected.len()).filter(|&i| expected[i] <= 10.0).collect();
        let kept: Vec<usize> = (0..expected.len()).filter(|&i| expected[i] > 10.0).collect();
        for &i in &small {
            expected[most] += expected[i];
            observed[most] += observed[i];
        }
        let observed: Vec<u64> = kept.iter().map(|&i| observed[i]).collect();
        let expected: Vec<f64> = kept.iter().map(|&i| expected[i]).collect();
        chi_square(&observed, &expected, 0).accept(what, 1e-4);
    }
    check("zero inflated", ZeroInflated::new(0.3, Poisson::new(2.0)), 0, 8);
    check("zero inflated", ZeroInflated::from_logits(0.3, Poisson::new(20.0)), 0, 30);
    check("hurdle", Hurdle::new(0.3, Poisson::new(1.0)), 0, 6);
    check("hurdle", Hurdle::from_logits(0.3, NegativeBinomial2::new(0.01, 2.0)), 0, 2);
}

/// Copies of a batch have draws of their own, also where the parts have batches of other shapes.
#[test]
fn shapes_of_parts_broadcast() {
    let gate = array([[0.1], [0.2]]);
    let d = ZeroInflated::new(&gate, Poisson::new(array([100.0, 200.0, 300.0])));
    assert_eq!((&d.batch_shape()[..], d.event_shape().len()), (&[2, 3][..], 0));
    let draws = d.sample(Key::new(1), [50]);
    assert_eq!(draws.shape(), [50, 2, 3]);
    let same = draws.slice_axis(1, 0..1).eq(draws.slice_axis(1, 1..2)).sum();
    assert!(floats(&same.cast(DType::F64))[0] < 30.0, "rows are not copies of each other");
    let means = floats(&draws.cast(DType::F64).max_axes([0, 1]));
    assert!((100.0..200.0).contains(&means[0]) && (300.0..400.0).contains(&means[2]), "{means:?}");
    assert_eq!(d.log_prob(&draws).shape(), [50, 2, 3]);
    let logits = array([[0.0, 1.0, 2.0], [2.0, 0.0, 1.0]]);
    let rows = CategoricalLogits::new(logits);
    assert_eq!(
        (&rows.batch_shape()[..], rows.sample(Key::new(0), [4]).shape()),
        (&[2][..], &[4, 2][..])
    );
    assert_eq!(rows.log_prob(&array([[0], [1], [2]])).shape(), [3, 2]);
}
