//! Samplers of families: draws follow their distributions, on the interpreter and compiled; slopes
//! of draws are those of quantiles; faults are told. That draws are those of JAX is held by the
//! reference cases of `crates/conformance`.

use probpipe::graph::with_interpreted;
use probpipe::prelude::*;
use probpipe::random::{self, ChoiceOptions, Resolution};
use probpipe::{Shape, betainc, betaincinv, gammainc, gammaincinv};
use probpipe_testing::says;
use probpipe_testing::statistics::{chi_square, kolmogorov_smirnov};

const N: usize = 100_000;

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).to_vec::<f64>().unwrap()
}

/// A scalar parameter of a type.
fn scalar(dtype: DType, x: f64) -> Array {
    probpipe::full_of(dtype, (), x)
}

/// That draws in both float types follow a distribution function, given on `f64` arrays.
#[track_caller]
fn follow(
    what: &str,
    draw: impl Fn(DType, Key, Shape) -> Array,
    distribution: impl Fn(Array) -> Array,
) {
    for dtype in [DType::F32, DType::F64] {
        let draws = jit(|key: Key| draw(dtype, key, Shape::from_slice(&[N])))(Key::new(2_718));
        assert_eq!((draws.dtype(), draws.shape()), (dtype, &[N][..]), "{what}");
        let levels = numbers(&distribution(draws.cast(DType::F64)));
        kolmogorov_smirnov(&levels, |level| level).accept(&format!("{what} {dtype}"), 1e-4);
        // The interpreter draws the same.
        let few = |key: Key| draw(dtype, key, Shape::from_slice(&[17]));
        let (compiled, own) = (jit(few)(Key::new(5)), with_interpreted(true, || few(Key::new(5))));
        let close = compiled.allclose_with(own, 1e-4, 1e-5).item::<bool>().unwrap();
        assert!(close, "{what} {dtype} differs compiled");
    }
}

/// That counts have these chances for 0, 1, 2, ...; the rest in one class.
#[track_caller]
fn count(what: &str, draws: &Array, chances: &[f64]) {
    let draws = numbers(draws);
    let mut observed = vec![0u64; chances.len() + 1];
    for x in &draws {
        assert!(*x >= 0.0 && x.fract() == 0.0, "{what}: {x}");
        observed[(*x as usize).min(chances.len())] += 1;
    }
    let mut expected: Vec<f64> = chances.iter().map(|p| p * draws.len() as f64).collect();
    expected.push(draws.len() as f64 - expected.iter().sum::<f64>());
    // Classes that are hardly met are counted with the last.
    for k in (0..chances.len()).rev() {
        if expected[k] < 10.0 || expected[k + 1] < 10.0 {
            expected[k] += expected.remove(k + 1);
            observed[k] += observed.remove(k + 1);
        }
    }
    chi_square(&observed, &expected, 0).accept(what, 1e-4);
}

fn normal_below(x: Array) -> Array {
    x.ndtr()
}

#[test]
fn transforms_of_uniforms() {
    follow("exponential", random::exponential_of, |x| 1.0 - (-x).exp());
    follow("gumbel", random::gumbel_of, |x| (-(-x).exp()).exp());
    follow("laplace", random::laplace_of, |x| {
        let half = (-x.abs()).exp() * 0.5;
        select(&x.lt(0.0), &half, 1.0 - &half)
    });
    follow("logistic", random::logistic_of, |x| x.sigmoid());
    follow("cauchy", random::cauchy_of, |x| x.atan() / std::f64::consts::PI + 0.5);
    follow("maxwell", random::maxwell_of, |x| gammainc(1.5, x.square() * 0.5));
    let fine = |dtype, key, shape| random::gumbel_with(dtype, key, shape, Resolution::High);
    follow("gumbel of two", fine, |x| (-(-x).exp()).exp());
    follow(
        "pareto",
        |dtype, key, shape| random::pareto(key, shape, scalar(dtype, 2.5)),
        |x| 1.0 - x.pow(-2.5),
    );
    follow(
        "rayleigh",
        |dtype, key, shape| random::rayleigh(key, shape, scalar(dtype, 3.0)),
        |x| 1.0 - (x.square() / -18.0).exp(),
    );
    follow(
        "weibull",
        |dtype, key, shape| random::weibull_min(key, shape, scalar(dtype, 2.0), 0.7),
        |x| 1.0 - (-(x / 2.0).pow(0.7)).exp(),
    );
    follow(
        "lognormal",
        |dtype, key, shape| random::lognormal(key, shape, scalar(dtype, 1.5)),
        |x| normal_below(x.log() / 1.5),
    );
    follow(
        "truncated normal",
        |dtype, key, shape| random::truncated_normal(key, shape, scalar(dtype, -0.5), 2.0),
        |x| {
            let (low, high) =
                (array(-0.5).cast(DType::F64).ndtr(), array(2.0).cast(DType::F64).ndtr());
            (normal_below(x) - &low) / (high - low)
        },
    );
    follow(
        "triangular",
        |dtype, key, shape| random::triangular(key, shape, scalar(dtype, -1.0), 0.0, 3.0),
        |x| {
            let fall = 1.0 - (3.0 - &x).square() / 12.0;
            select(&x.lt(0.0), (&x + 1.0).square() / 4.0, fall)
        },
    );
    follow(
        "wald",
        |dtype, key, shape| random::wald(key, shape, scalar(dtype, 40.0)),
        |x| {
            let root = x.sqrt().recip();
            let far = (-(&x / 40.0 + 1.0) * &root).log_ndtr() + 2.0 / 40.0;
            ((x / 40.0 - 1.0) * root).ndtr() + far.exp()
        },
    );
    follow(
        "double sided maxwell",
        |dtype, key, shape| random::double_sided_maxwell(key, shape, scalar(dtype, 1.0), 2.0),
        |x| {
            let y = (x - 1.0) / 2.0;
            gammainc(1.5, y.square() * 0.5) * y.sign() * 0.5 + 0.5
        },
    );
}

#[test]
fn gamma_numbers_and_what_is_made_of_them() {
    for a in [0.2, 1.0, 2.5, 60.0] {
        follow(
            &format!("gamma {a}"),
            |dtype, key, shape| random::gamma(key, shape, scalar(dtype, a)),
            |x| gammainc(a, x),
        );
        follow(
            &format!("loggamma {a}"),
            |dtype, key, shape| random::loggamma(key, shape, scalar(dtype, a)),
            |x| gammainc(a, x.exp()),
        );
    }
    // Most numbers of this shape are below the least float; their logarithms are not.
    follow(
        "loggamma 0.002",
        |dtype, key, shape| random::loggamma(key, shape, scalar(dtype, 0.002)),
        |x| {
            let small = (&x * 0.002 - array(1.002).cast(DType::F64).lgamma()).exp();
            select(&x.lt(-40.0), small, gammainc(0.002, x.exp()))
        },
    );
    follow(
        "beta",
        |dtype, key, shape| random::beta(key, shape, scalar(dtype, 0.5), 3.0),
        |x| betainc(0.5, 3.0, x),
    );
    follow(
        "chi-square",
        |dtype, key, shape| random::chi_square(key, shape, scalar(dtype, 3.0)),
        |x| gammainc(1.5, x * 0.5),
    );
    follow(
        "t",
        |dtype, key, shape| random::student_t(key, shape, scalar(dtype, 3.0)),
        |x| betainc(1.5, 0.5, 3.0 / (x.square() + 3.0)) * x.sign() * -0.5 + 0.5 + x.sign() * 0.5,
    );
    follow(
        "F",
        |dtype, key, shape| random::fisher_f(key, shape, scalar(dtype, 4.0), 6.0),
        |x| betainc(2.0, 3.0, &x * 4.0 / (&x * 4.0 + 6.0)),
    );
    follow(
        "generalised normal",
        |dtype, key, shape| random::generalized_normal(key, shape, scalar(dtype, 4.0)),
        |x| gammainc(0.25, x.abs().pow(4.0)) * x.sign() * 0.5 + 0.5,
    );
    follow(
        "an entry of a Dirichlet vector",
        |dtype, key, shape| {
            let alpha = array([0.5, 1.0, 2.0]).cast(dtype);
            random::dirichlet(key, shape, alpha).at_axis(-1, 0)
        },
        |x| betainc(0.5, 3.0, x),
    );
}

#[test]
fn counts_have_their_chances() {
    for rate in [0.3f64, 4.0, 9.5, 12.0, 80.0] {
        let draws = jit(move |key: Key| random::poisson(key, N, rate))(Key::new(11));
        let mut chance = (-rate).exp();
        let mut chances = Vec::new();
        for k in 0..150 {
            chances.push(chance);
            chance *= rate / f64::from(k + 1);
        }
        count(&format!("poisson {rate}"), &draws, &chances);
    }
    for (n, p) in [(5, 0.3f64), (30, 0.02), (40, 0.5), (200, 0.9), (60, 0.999)] {
        let draws =
            jit(move |key: Key| random::binomial(key, N, f64::from(n), scalar(DType::F32, p)))(
                Key::new(12),
            );
        let mut chance = (1.0 - p).powi(n);
        let mut chances = Vec::new();
        for k in 0..=n {
            chances.push(chance);
            chance *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
        }
        let last = chances.pop();
        assert!(last.is_some());
        count(&format!("binomial {n} {p}"), &draws, &chances);
    }
    let waits = random::geometric(Key::new(13), N, 0.3) - 1;
    let chances: Vec<f64> = (0..40).map(|k| 0.3 * 0.7f64.powi(k)).collect();
    count("geometric", &waits, &chances);
    let logits = array([0.1f32, 0.4, 0.2, 0.3]).log();
    count("categorical", &random::categorical(Key::new(14), N, &logits), &[0.1, 0.4, 0.2]);
    count("randint", &random::randint(Key::new(15), N, 0, 7), &[1.0 / 7.0; 6]);
    count("bernoulli", &random::bernoulli(Key::new(16), N, 0.2), &[0.8]);
    let fine = random::bernoulli_with(Key::new(17), N, 0.2, Resolution::High);
    count("bernoulli of two", &fine, &[0.8]);
    count("rademacher", &(random::rademacher_of(DType::I32, Key::new(18), N) + 1), &[0.5, 0.0]);
    let counts = random::multinomial(Key::new(19), N, 4.0, array([0.5, 0.2, 0.3]));
    let sums = counts.sum_axes(-1);
    assert!(sums.eq(4.0).all().item::<bool>().unwrap());
    let chances: Vec<f64> = [1.0, 4.0, 6.0, 4.0].iter().map(|c| c / 16.0).collect();
    count("multinomial", &counts.at_axis(-1, 0), &chances);
}

/// Chances at rates where terms of the plain form round to whole numbers.
#[test]
fn large_rates_keep_their_variance() {
    for rate in [3e5f64, 1e6, 1e7] {
        let draws = numbers(&random::poisson(Key::new(20), N, rate));
        let levels: Vec<f64> = draws.iter().map(|x| (x - rate) / rate.sqrt()).collect();
        kolmogorov_smirnov(&levels, |z| array(z).cast(DType::F64).ndtr().item().unwrap())
            .accept(&format!("poisson {rate}"), 1e-4);
    }
}

#[test]
fn orders_and_choices() {
    // Each of the six orders of three.
    let orders = vmap(|key: Key| random::permutation(key, 3))(Key::new(1).split_batch(6_000));
    let places =
        orders.at_axis(1, 0) * 2 + orders.at_axis(1, 1).gt(orders.at_axis(1, 2)).cast(DType::I32);
    count("permutation", &places, &[1.0 / 6.0; 5]);
    let x = array([[1, 2, 3], [4, 5, 6]]);
    let columns = random::shuffle(Key::new(3), &x, 1);
    assert_eq!((columns.at(1) - columns.at(0)).to_vec::<i32>().unwrap(), [3; 3]);
    let each = random::shuffle_each(Key::new(3), &x, 1);
    assert!(each.sort(1).eq(&x).all().item::<bool>().unwrap());
    let weights = array([0.1f32, 0.2, 0.7]);
    let options = ChoiceOptions::new().weights(&weights);
    let chosen = random::choice_with(Key::new(4), N, array([0, 1, 2]), options.clone());
    count("choice by weights", &chosen, &[0.1, 0.2]);
    count("choice", &random::choice(Key::new(5), N, 4), &[0.25; 3]);
    let pairs = vmap(move |key: Key| {
        random::choice_with(key, 2, 3, options.clone().without_replacement())
    })(Key::new(6).split_batch(20_000));
    count("choice of two", &pairs.at_axis(1, 0), &[0.1, 0.2]);
    let second = 0.1 * 2.0 / 9.0 + 0.7 * 2.0 / 3.0;
    let first = 0.2 * 0.1 / 0.8 + 0.7 / 3.0;
    count("the second of two", &pairs.at_axis(1, 1), &[first, second]);
    let distinct = random::categorical_without_replacement(Key::new(7), 3, weights.log());
    assert_eq!(distinct.sort(0).to_vec::<i32>().unwrap(), [0, 1, 2]);
    assert_eq!(random::choice(Key::new(8), [2, 2], &x).shape(), [2, 2, 3]);
    let columns = random::choice_with(Key::new(8), 5, &x, ChoiceOptions::new().axis(1));
    assert_eq!(columns.shape(), [2, 5]);
}

#[test]
fn vectors_and_matrices() {
    let covariance = array([[2.0f64, 0.6], [0.6, 1.0]]);
    let x = random::multivariate_normal(Key::new(1), N, array([1.0f64, -1.0]), &covariance);
    let combined = (x.at_axis(1, 0) - 1.0 + (x.at_axis(1, 1) + 1.0) * 2.0) / 8.4f64.sqrt();
    kolmogorov_smirnov(&numbers(&combined.ndtr()), |level| level).accept("normal vectors", 1e-4);
    let q = random::orthogonal_of(DType::F64, Key::new(2), [50], 3, 3);
    let one = q.matmul(q.swap_axes(-1, -2));
    assert!(one.allclose_with(eye(3), 1e-12, 1e-12).item::<bool>().unwrap());
    // An entry of a unit vector of three is uniform.
    let q =
        random::orthogonal_of(DType::F64, Key::new(3), [4000], 3, 2).at_axis(-1, 0).at_axis(-1, 1);
    kolmogorov_smirnov(&numbers(&q), |x| (x + 1.0) / 2.0).accept("orthogonal", 1e-4);
    let points = random::ball(Key::new(4), N, 3, scalar(DType::F64, 2.0));
    let radii = points.norm_axes(-1, 2.0).pow(3.0);
    kolmogorov_smirnov(&numbers(&radii), |r| r).accept("ball", 1e-4);
}

/// The slope of a draw keeps its probability: it is that of the quantile at its level.
#[test]
fn slopes_of_draws_are_those_of_quantiles() {
    let quantile_slope = |a: f64, x: &Array, quantile: &dyn Fn(f64) -> Array| {
        let step = 1e-4 * a;
        let slope = (quantile(a + step) - quantile(a - step)) / (2.0 * step);
        assert!(quantile(a).allclose_with(x, 1e-9, 0.0).item::<bool>().unwrap(), "{a}");
        numbers(&slope)
    };
    for a in [0.3, 1.0, 2.5, 40.0] {
        let parameter = full(50, array(a).cast(DType::F64));
        let draw = |a: Array| random::gamma(Key::new(9), 50, a);
        let slopes = jit(grad(move |a: Array| draw(a).sum()))(parameter.clone());
        let x = draw(parameter.clone());
        let level = gammainc(a, &x);
        let want = quantile_slope(a, &x, &|a| gammaincinv(a, &level));
        for ((have, want), x) in numbers(&slopes).iter().zip(want).zip(numbers(&x)) {
            // Where the level is near 1, the quantile knows little of it.
            assert!((have - want).abs() <= 1e-5 * want.abs() + 1e-9, "{a}: {have} {want} at {x}");
        }
        let logs = grad(|a: Array| random::loggamma(Key::new(9), 50, a).sum())(parameter);
        for ((log, plain), x) in numbers(&logs).iter().zip(numbers(&slopes)).zip(numbers(&x)) {
            assert!((log * x - plain).abs() <= 1e-9 * plain.abs(), "{a}: {log} at {x}");
        }
    }
    // A beta draw moves along its family in both parameters; its level moves with neither sum.
    let (a, b) = (scalar(DType::F64, 2.0), scalar(DType::F64, 3.0));
    let mean = |(a, b): (Array, Array)| random::beta(Key::new(10), N, a, b).mean();
    let (in_a, in_b) = grad(mean)((a, b));
    let (in_a, in_b) = (in_a.item::<f64>().unwrap(), in_b.item::<f64>().unwrap());
    assert!((in_a - 3.0 / 25.0).abs() < 2e-3 && (in_b + 2.0 / 25.0).abs() < 2e-3, "{in_a} {in_b}");
    assert!(betaincinv(2.0, 3.0, 0.5).item::<f32>().unwrap() > 0.0);
}

#[test]
fn tiny_draws_have_finite_slopes() {
    for dtype in [DType::F32, DType::F64] {
        let a = full(200, scalar(dtype, 0.01));
        let slopes = grad(|a: Array| random::gamma(Key::new(1), 200, a).sum())(a.clone());
        assert!(slopes.all_finite().item::<bool>().unwrap(), "{dtype}");
        let logs = grad(|a: Array| random::loggamma(Key::new(1), 200, a).sum())(a.clone());
        let draws = numbers(&random::loggamma(Key::new(1), 200, &a));
        let mut tiny = 0;
        for (slope, draw) in numbers(&logs).iter().zip(draws) {
            assert!(slope.is_finite(), "{dtype}: {slope} at {draw}");
            // A tiny draw is near log(u) / a, whose slope is -log(x) / a.
            if draw < -30.0 {
                tiny += 1;
                assert!((slope / (draw / -0.01) - 1.0).abs() < 0.02, "{dtype}: {slope} at {draw}");
            }
        }
        assert!(tiny > 100);
    }
}

#[test]
fn batches_of_keys_draw_what_single_keys_draw() {
    let keys = Key::new(21).split_batch(3);
    let draw = |key: Key| {
        let (first, second) = key.split();
        (random::gamma(first, 4, 0.5), random::poisson(second, 4, 20.0))
    };
    let (x, counts) = jit(vmap(draw))(Key::from_data(keys.data()));
    for i in 0..3 {
        let (own, own_counts) = draw(Key::from_data(keys.data().at(i)));
        assert!(own.allclose_with(x.at(i), 1e-5, 0.0).item::<bool>().unwrap());
        assert_eq!(own_counts.to_vec::<i32>().unwrap(), counts.at(i).to_vec::<i32>().unwrap());
    }
}

#[test]
fn faulty_parameters_give_nan_and_end() {
    let bad = array([-1.0, f32::NAN, 0.5]);
    let nan = |x: Array| x.is_nan().to_vec::<bool>().unwrap();
    assert_eq!(nan(random::gamma(Key::new(0), 3, &bad)), [true, true, false]);
    assert_eq!(nan(random::loggamma(Key::new(0), 3, &bad)), [true, true, false]);
    assert_eq!(nan(random::student_t(Key::new(0), 3, &bad)), [true, true, false]);
    assert_eq!(nan(random::beta(Key::new(0), 3, &bad, 1.0)), [true, true, false]);
    assert_eq!(nan(random::binomial(Key::new(0), 3, 100.0, &bad)), [true, true, false]);
    assert_eq!(nan(random::binomial(Key::new(0), 3, &bad, 0.5)), [true, true, false]);
    assert_eq!(
        nan(random::binomial(Key::new(0), 3, 100.0, array([1.5, 0.0, 1.0]))),
        [true, false, false]
    );
    let endless = random::binomial(Key::new(0), 2, f32::INFINITY, array([0.0, 0.5]));
    assert_eq!(endless.to_vec::<f32>().unwrap(), [f32::INFINITY; 2]);
    let rates = array([-1.0, f32::NAN, f32::INFINITY, 0.0]);
    let counts = random::poisson(Key::new(0), 4, rates).to_vec::<i32>().unwrap();
    assert_eq!(counts, [-1, -1, -1, 0]);
    assert_eq!(random::gamma(Key::new(0), (), 0.0).item::<f32>().unwrap(), 0.0);
    assert_eq!(random::gamma(Key::new(0), 0, 1.0).shape(), [0]);
    assert_eq!(random::poisson(Key::new(0), [2, 0], 20.0).shape(), [2, 0]);
    let same = random::randint(Key::new(0), 3, 7, 7).to_vec::<i32>().unwrap();
    assert_eq!(same, [7; 3]);
}

#[test]
fn faults_say_what_and_where() {
    let told = |x: Array| x.value().unwrap_err().to_string();
    let shape = told(random::gamma(Key::new(0), 3, array([1.0, 2.0])));
    says(&shape, &["`gamma` draws an array of shape [3]", "a of shape [2]", file!()]);
    let shape = told(random::beta(Key::new(0), (), 1.0, array([1.0, 2.0])));
    says(&shape, &["`beta` draws an array of shape []", "b of shape [2]"]);
    let bounds = told(random::randint(Key::new(0), 3, 0.5, 2));
    says(&bounds, &["between integers", "low is f32"]);
    says(&told(random::exponential_of(DType::I32, Key::new(0), 3)), &["draws floats, not i32"]);
    says(&told(random::choice(Key::new(0), 3, 0)), &["empty population"]);
    let many = ChoiceOptions::new().without_replacement();
    says(&told(random::choice_with(Key::new(0), 5, 3, many)), &["5 draws", "3 outcomes"]);
    let weights = ChoiceOptions::new().weights(array([1.0, 2.0]));
    says(&told(random::choice_with(Key::new(0), 5, 3, weights)), &["3 entries", "shape [2]"]);
    says(&told(random::categorical(Key::new(0), 5, array(1.0))), &["along axis -1"]);
    says(&told(random::dirichlet(Key::new(0), 5, 1.0)), &["alpha is a scalar"]);
    let mean = random::multivariate_normal(Key::new(0), (), array([1.0]), eye(2));
    says(&told(mean), &["a mean of shape [1]", "covariance of shape [2,2]"]);
    says(&told(probpipe::uniform_range(Key::new(0), 3, array([[0.0], [1.0]]), 2.0)), &["[2,1]"]);
}
