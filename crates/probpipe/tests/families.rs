//! Families of distributions against reference values, finite differences and their own samples,
//! in both float types, through every transform.

mod golden;

use golden::{assert_close, cases, distributions, extents, floats, number, numbers};
use probpipe::distributions::{FAMILIES, Parametric, table};
use probpipe::prelude::*;
use probpipe_testing::statistics::{chi_square, kolmogorov_smirnov};
use probpipe_testing::{differences, reference};
use serde_json::Value as Json;

type Parameters<'a> = &'a [Array];
type Function<'a> = Box<dyn Fn(Parameters<'_>) -> Array + 'a>;

/// A family of numbers as functions of its parameters.
struct Family {
    name: &'static str,
    log_prob: fn(Parameters<'_>, &Array) -> Array,
    cdf: fn(Parameters<'_>, &Array) -> Array,
    survival: fn(Parameters<'_>, &Array) -> Array,
    log_cdf: fn(Parameters<'_>, &Array) -> Array,
    log_survival: fn(Parameters<'_>, &Array) -> Array,
    quantile: Option<fn(Parameters<'_>, &Array) -> Array>,
    mean: fn(Parameters<'_>) -> Array,
    variance: fn(Parameters<'_>) -> Array,
    entropy: fn(Parameters<'_>) -> Array,
    sample: fn(Parameters<'_>, Key, &[usize]) -> Array,
    support: fn(Parameters<'_>, &Array) -> Array,
}

macro_rules! family {
    ($name:ident($($p:literal),+) $quantile:expr) => {
        Family {
            name: stringify!($name),
            log_prob: |p, x| $name::new($(&p[$p]),+).log_prob(x),
            cdf: |p, x| $name::new($(&p[$p]),+).cdf(x),
            survival: |p, x| $name::new($(&p[$p]),+).survival(x),
            log_cdf: |p, x| $name::new($(&p[$p]),+).log_cdf(x),
            log_survival: |p, x| $name::new($(&p[$p]),+).log_survival(x),
            quantile: $quantile,
            mean: |p| $name::new($(&p[$p]),+).mean(),
            variance: |p| $name::new($(&p[$p]),+).variance(),
            entropy: |p| $name::new($(&p[$p]),+).entropy(),
            sample: |p, key, shape| $name::new($(&p[$p]),+).sample(key, shape),
            support: |p, x| $name::new($(&p[$p]),+).support().check(x),
        }
    };
}

fn families() -> Vec<Family> {
    vec![
        family!(Bernoulli(0) None),
        family!(Exponential(0) Some(|p, q| Exponential::new(&p[0]).quantile(q))),
        family!(Laplace(0, 1) Some(|p, q| Laplace::new(&p[0], &p[1]).quantile(q))),
        family!(Normal(0, 1) Some(|p, q| Normal::new(&p[0], &p[1]).quantile(q))),
        family!(Uniform(0, 1) Some(|p, q| Uniform::new(&p[0], &p[1]).quantile(q))),
    ]
}

/// The cases of one type with their families.
fn of_type(kind: &str) -> Vec<(Family, Json)> {
    let mut found = Vec::new();
    for case in distributions(kind) {
        let name = case["dist"].as_str().unwrap().trim_end_matches("Probs").to_string();
        found.extend(families().into_iter().filter(|f| f.name == name).map(|f| (f, case.clone())));
    }
    assert!(!found.is_empty(), "{kind}");
    found
}

fn names(name: &str) -> Vec<&'static str> {
    let family = FAMILIES.iter().find(|f| f.name == name).unwrap();
    family.parameters.iter().map(|p| p.name).collect()
}

/// An array object of a file.
fn array_of(json: &Json) -> Array {
    reference::array(json, None).expect("an array")
}

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn scalar(value: f64, dtype: DType) -> Array {
    Array::from(value).cast(dtype)
}

/// The parameters of a case as scalars of a type.
fn parameters(family: &Family, case: &Json, dtype: DType) -> Vec<Array> {
    let value = |name: &&str| scalar(number(&case["params"][*name]), dtype);
    names(family.name).iter().map(value).collect()
}

#[test]
fn densities() {
    for (family, case) in of_type("univariate") {
        let (id, want) = (&case["id"], numbers(&case["log_prob"]));
        let x = numbers(&case["x"]);
        for dtype in [DType::F64, DType::F32] {
            let p = parameters(&family, &case, dtype);
            let points = f64s(&x).cast(dtype);
            let eager = (family.log_prob)(&p, &points);
            let compiled = jit(|x: Array| (family.log_prob)(&p, &x))(points.clone());
            assert_eq!(eager.dtype(), dtype, "{id}");
            let inside = (family.support)(&p, &points).to_vec::<bool>().unwrap();
            for have in [floats(&eager), floats(&compiled)] {
                for i in 0..x.len() {
                    let tolerance = match dtype {
                        DType::F64 => 1e-11 * (1.0 + want[i].abs()),
                        _ => 2e-5 * (1.0 + 2.0 * want[i].abs()),
                    };
                    let region = case["region"][i].as_str().unwrap();
                    let limit = have[i] == want[i] || (have[i] - want[i]).abs() <= tolerance;
                    let closed = region == "boundary" && have[i] == f64::NEG_INFINITY;
                    // In f32 a point near the end may round onto the other side of it.
                    let moved = dtype == DType::F32 && inside[i] == (region == "out");
                    let ok = limit || closed || moved;
                    assert!(ok, "{id} {dtype} at {}: {} instead of {}", x[i], have[i], want[i]);
                }
            }
            if dtype == DType::F64 {
                for (i, inside) in inside.iter().enumerate() {
                    assert_eq!(*inside, case["region"][i] != "out", "{id} support at {}", x[i]);
                }
            }
        }
        let nan = (family.log_prob)(&parameters(&family, &case, DType::F64), &f64s(&[f64::NAN]));
        assert!(floats(&nan)[0].is_nan(), "{id}");
    }
}

#[test]
fn slopes_of_densities() {
    for (family, case) in of_type("univariate") {
        let id = &case["id"];
        let inside: Vec<usize> = case["region"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, region)| *region == "in")
            .map(|(i, _)| i)
            .collect();
        let at_inside = |list: Vec<f64>| inside.iter().map(|&i| list[i]).collect::<Vec<_>>();
        let x = f64s(&at_inside(numbers(&case["x"])));
        // One parameter for each point gives one derivative for each.
        let spread = |p: &Array| p.broadcast_to([inside.len()]);
        let p: Vec<Array> = parameters(&family, &case, DType::F64).iter().map(spread).collect();
        let total = |(p, x): (Vec<Array>, Array)| (family.log_prob)(&p, &x).sum();
        let (slopes, at_x) = jit(grad(total))((p, x));
        for (name, slope) in names(family.name).iter().zip(&slopes) {
            let want = at_inside(numbers(&case["grad_params"][*name]));
            assert_close(&format!("{id} {name}"), &floats(slope), &want, 1e-9, 1e-9);
        }
        if case.get("grad_x").is_some() {
            let want = at_inside(numbers(&case["grad_x"]));
            assert_close(&format!("{id} x"), &floats(&at_x), &want, 1e-9, 1e-9);
        }
    }
}

#[test]
fn distribution_functions_and_quantiles() {
    for (family, case) in of_type("univariate") {
        let (id, p) = (&case["id"], parameters(&family, &case, DType::F64));
        let narrow = parameters(&family, &case, DType::F32);
        if case.get("cdf").is_some() {
            let (x, want) = (f64s(&numbers(&case["x"])), numbers(&case["cdf"]));
            let cdf = floats(&(family.cdf)(&p, &x));
            assert_close(&format!("{id} cdf"), &cdf, &want, 1e-11, 1e-11);
            let survival = floats(&(family.survival)(&p, &x));
            let rest: Vec<f64> = want.iter().map(|w| 1.0 - w).collect();
            assert_close(&format!("{id} survival"), &survival, &rest, 1e-11, 1e-11);
            // Logarithms go on where the functions themselves have vanished.
            let logs = |what: &str, have: Array, of: &[f64]| {
                for (have, of) in floats(&have).into_iter().zip(of) {
                    let vanished = *of == 0.0 && have < -700.0;
                    let close = (have - of.ln()).abs() <= 1e-11 * (1.0 + have.abs());
                    assert!(vanished || close || have == of.ln(), "{id} {what}: {have}, {of}");
                }
            };
            logs("log_cdf", (family.log_cdf)(&p, &x), &cdf);
            logs("log_survival", (family.log_survival)(&p, &x), &survival);
            let single = floats(&(family.cdf)(&narrow, &x.cast(DType::F32)));
            assert_close(&format!("{id} cdf f32"), &single, &want, 2e-5, 2e-5);
        }
        if let (Some(quantile), Some(inverse)) = (family.quantile, case.get("icdf")) {
            let (q, want) = (f64s(&numbers(&inverse["q"])), numbers(&inverse["x"]));
            assert_close(&format!("{id} quantile"), &floats(&quantile(&p, &q)), &want, 1e-8, 0.0);
            // Near 1 the rounding of the probability counts, so that it is rounded for both.
            let rounded = |a: &Array| a.cast(DType::F32).cast(DType::F64);
            let wide: Vec<Array> = narrow.iter().map(rounded).collect();
            let want = floats(&quantile(&wide, &rounded(&q)));
            let single = floats(&quantile(&narrow, &q.cast(DType::F32)));
            assert_close(&format!("{id} quantile f32"), &single, &want, 2e-5, 2e-5);
            let none = floats(&quantile(&p, &f64s(&[-0.1, 1.1, f64::NAN])));
            assert!(none.iter().all(|x| x.is_nan()), "{id}: {none:?}");
        }
        let statistics = [
            ("mean", (family.mean)(&p)),
            ("variance", (family.variance)(&p)),
            ("entropy", (family.entropy)(&p)),
        ];
        for (what, have) in statistics {
            let want = number(&case[what]);
            assert_close(&format!("{id} {what}"), &floats(&have), &[want], 1e-8, 1e-14);
        }
    }
}

/// The tails, where one less the other side would be lost.
#[test]
fn tails_are_exact() {
    let at = |x: f64| f64s(&[x]);
    let first = |array: Array| floats(&array)[0];
    let e = Exponential::new(2.0);
    assert_eq!(first(e.log_survival(&at(1e4))), -2e4);
    assert_close("e", &[first(e.cdf(&at(1e-20)))], &[2e-20], 1e-14, 0.0);
    assert_close("e", &[first(e.log_cdf(&at(400.0)))], &[-(-800f64).exp()], 1e-12, 0.0);
    let l = Laplace::new(0.0, 1.0);
    assert_close("l", &[first(l.survival(&at(500.0)))], &[0.5 * (-500f64).exp()], 1e-13, 0.0);
    assert_close("l", &[first(l.log_cdf(&at(-1e3)))], &[-1e3 - 2f64.ln()], 1e-15, 0.0);
    assert_close("l", &[first(l.quantile(&at(1e-300)))], &[(2e-300f64).ln()], 1e-14, 0.0);
    let n = Normal::new(0.0, 1.0);
    // erfc(20 / sqrt 2) / 2.
    assert_close("n", &[first(n.survival(&at(20.0)))], &[2.753_624_118_606_233_7e-89], 1e-12, 0.0);
    assert_close("n", &[first(n.log_survival(&at(40.0)))], &[-804.608_442_013_753_9], 1e-13, 0.0);
    let u = Uniform::new(0.0, 1.0);
    assert_close("u", &[first(u.cdf(&at(1e-300)))], &[1e-300], 1e-14, 0.0);
}

/// Derivatives of everything in every parameter against central differences.
#[test]
fn derivatives_are_those_of_finite_differences() {
    for (family, case) in of_type("univariate") {
        let id = &case["id"];
        let p = parameters(&family, &case, DType::F64);
        let inside = numbers(&case["x"])[0];
        let x = f64s(&[inside]);
        let q = f64s(&[0.05, 0.3, 0.9]);
        let smooth = family.quantile.is_some();
        let mut functions: Vec<(&str, Function<'_>)> = vec![
            ("log_prob", Box::new(|p| (family.log_prob)(p, &x))),
            ("mean", Box::new(|p| (family.mean)(p))),
            ("variance", Box::new(|p| (family.variance)(p))),
            ("entropy", Box::new(|p| (family.entropy)(p))),
        ];
        if let (true, Some(quantile)) = (smooth, family.quantile) {
            functions.push(("cdf", Box::new(|p| (family.cdf)(p, &x))));
            functions.push(("log_survival", Box::new(|p| (family.log_survival)(p, &x))));
            functions.push(("quantile", Box::new(move |p| quantile(p, &q))));
            functions.push(("sample", Box::new(|p| (family.sample)(p, Key::new(3), &[5]))));
        }
        for (what, f) in &functions {
            let total = |p: Vec<Array>| f(&p).sum();
            let slopes = grad(total)(p.clone());
            for (k, slope) in slopes.iter().enumerate() {
                let of_one = |x: Array| {
                    let mut p = p.clone();
                    p[k] = x;
                    total(p)
                };
                let name = names(family.name)[k];
                let want = differences(of_one, &p[k]);
                assert_close(&format!("{id} {what} {name}"), &floats(slope), &want, 1e-6, 1e-7);
            }
        }
    }
}

#[test]
fn draws_follow_their_distribution() {
    let n = 20_000;
    for (family, case) in of_type("univariate") {
        for dtype in [DType::F64, DType::F32] {
            let what = format!("{} {dtype}", case["id"]);
            let p = parameters(&family, &case, dtype);
            let draws = jit(|key: Key| (family.sample)(&p, key, &[n]))(Key::new(20_240));
            assert_eq!(draws.shape(), [n], "{what}");
            let inside = (family.support)(&p, &draws).all().item::<bool>().unwrap();
            assert!(inside, "{what}: a draw outside the support");
            if family.quantile.is_some() {
                assert_eq!(draws.dtype(), dtype, "{what}");
                // The distribution function of a draw is uniform.
                let levels = floats(&(family.cdf)(&p, &draws));
                kolmogorov_smirnov(&levels, |level| level).accept(&what, 1e-4);
            } else {
                let ones = floats(&draws).iter().sum::<f64>();
                let expected = floats(&(family.mean)(&p))[0] * n as f64;
                let (observed, n) = ([ones as u64, n as u64 - ones as u64], n as f64);
                chi_square(&observed, &[expected, n - expected], 0).accept(&what, 1e-4);
            }
        }
    }
}

/// JAX's samplers of the standard distributions, draw by draw.
#[test]
fn draws_equal_those_of_jax() {
    let mut count = 0;
    for case in cases("draws.json") {
        let args = &case["args"];
        let layout = match case["partitionable"].as_bool() {
            Some(true) => RandomLayout::Partitionable,
            _ => RandomLayout::Original,
        };
        let words: Vec<u32> = numbers(&case["key"]).iter().map(|&w| w as u32).collect();
        let key = Key::from_data(Array::from_slice(&words, [2])).with_layout(layout);
        let double = args["dtype"] == "f64" || args["p_dtype"] == "f64";
        let dtype = if double { DType::F64 } else { DType::F32 };
        let shape = extents(&args["shape"]);
        let zero = scalar(0.0, dtype);
        let draws = match case["fn"].as_str().unwrap() {
            "exponential" => Exponential::new(&zero + 1.0).sample(key, &shape[..]),
            "laplace" => Laplace::new(&zero, 1.0).sample(key, &shape[..]),
            "bernoulli" if args["p"].is_object() => {
                Bernoulli::new(array_of(&args["p"])).sample(key, ())
            }
            "bernoulli" => {
                Bernoulli::new(scalar(number(&args["p"]), dtype)).sample(key, &shape[..])
            }
            other => panic!("{other}"),
        };
        let rtol = if double { 1e-14 } else { 2e-6 };
        let want = numbers(&case["out"]);
        assert_close(&case["id"].to_string(), &floats(&draws), &want, rtol, rtol);
        count += 1;
    }
    assert!(count > 30);
}

#[test]
fn batches_of_parameters() {
    for (family, case) in of_type("broadcast") {
        let id = &case["id"];
        let p: Vec<Array> = names(family.name)
            .iter()
            .map(|name| match &case["params"][*name] {
                Json::Object(_) => array_of(&case["params"][*name]),
                value => scalar(number(value), DType::F64),
            })
            .collect();
        let (x, want) = (array_of(&case["x"]), numbers(&case["log_prob"]));
        let density = (family.log_prob)(&p, &x);
        assert_eq!(density.shape(), extents(&case["log_prob"]["shape"]), "{id}");
        assert_close(&id.to_string(), &floats(&density), &want, 1e-11, 1e-11);
        let slopes = grad(|p: Vec<Array>| (family.log_prob)(&p, &x).sum())(p.clone());
        for (name, slope) in names(family.name).iter().zip(&slopes) {
            let want = &case["grad_params_of_sum"][*name];
            assert_close(&format!("{id} {name}"), &floats(slope), &numbers(want), 1e-9, 1e-9);
        }
        let batch = extents(&case["batch_shape"]);
        for statistic in [(family.mean)(&p), (family.variance)(&p), (family.entropy)(&p)] {
            assert_eq!(statistic.shape(), batch, "{id}");
        }
        let draws = (family.sample)(&p, Key::new(0), &[2]);
        assert_eq!(draws.shape(), [&[2], &batch[..]].concat(), "{id}");
    }
    // A literal spreads over the batch in the type of the other parameter.
    let n = Normal::new(0.0, f64s(&[1.0, 2.0]));
    assert_eq!((n.mean().dtype(), n.mean().shape()), (DType::F64, &[2][..]));
    assert_eq!(n.batch_shape()[..], [2]);
    assert!(Normal::new(0, 1).mean().dtype().is_float());
    let mvn = MultivariateNormal::new(zeros([4, 1, 2]), eye(2).broadcast_to([3, 2, 2]));
    assert_eq!((&mvn.batch_shape()[..], &mvn.event_shape()[..]), (&[4, 3][..], &[2][..]));
    assert_eq!(mvn.sample(Key::new(0), [5]).shape(), [5, 4, 3, 2]);
    assert_eq!(mvn.mean().shape(), [4, 3, 2]);
    assert_eq!(mvn.covariance().shape(), [4, 3, 2, 2]);
    assert_eq!(mvn.entropy().shape(), [4, 3]);
}

/// Literals take the type of the points, in every family.
#[test]
fn literals_are_weak() {
    let p = [array(0.25), array(2.0)];
    for family in families() {
        for dtype in [DType::F32, DType::F64] {
            let x = array([0.5, 1.0]).cast(dtype);
            for result in [(family.log_prob)(&p, &x), (family.cdf)(&p, &x)] {
                let name = family.name;
                // Discrete points are not numbers whose type counts.
                assert!(name == "Bernoulli" || result.dtype() == dtype, "{name} {result:?}");
            }
        }
    }
}

#[test]
fn families_through_transforms() {
    for (family, case) in of_type("univariate") {
        let id = &case["id"];
        let p = parameters(&family, &case, DType::F64);
        let x = f64s(&numbers(&case["x"])[..2]);
        let direct = floats(&(family.log_prob)(&p, &x));
        let each = jit(vmap(|x: Array| (family.log_prob)(&p, &x)))(x.clone());
        assert_close(&id.to_string(), &floats(&each), &direct, 1e-14, 1e-14);
        let spread = |p: &Array| p.broadcast_to([2]);
        let many: Vec<Array> = p.iter().map(spread).collect();
        let lanes = vmap(|(p, x): (Vec<Array>, Array)| (family.log_prob)(&p, &x))((many, x));
        assert_close(&id.to_string(), &floats(&lanes), &direct, 1e-14, 1e-14);
    }
    // As arguments, results and carries.
    let x = array([0.25, 0.75]);
    let score = jit(grad(|u: Uniform| u.log_prob(&x).sum()))(Uniform::new(-1.0, 1.0));
    assert_close("low", &floats(score.low()), &[1.0], 1e-6, 0.0);
    assert_close("high", &floats(score.high()), &[-1.0], 1e-6, 0.0);
    let each = vmap(|l: Laplace| l.log_prob(&array(1.0)))(Laplace::new([0.0, 1.0], [1.0, 2.0]));
    let want = [-1.0 - 2f64.ln(), -(4f64.ln())];
    assert_close("laplace", &floats(&each), &want, 1e-6, 0.0);
    let doubled = jit(|e| fori_loop(3, e, |_, e: Exponential| Exponential::new(e.rate() * 2.0)));
    let last = doubled(Exponential::new(array(1.0).cast(DType::F32)));
    assert_eq!(last.mean().item::<f32>().unwrap(), 0.125);
}

#[test]
fn normal_vectors() {
    let all = distributions("multivariate");
    let by_precision = |c: &Json| c["params"].get("precision_matrix").is_some();
    let normal = |c: &&Json| c["dist"] == "MultivariateNormal";
    let cases: Vec<&Json> = all.iter().filter(normal).filter(|c| !by_precision(c)).collect();
    assert!(cases.len() > 3);
    for case in cases {
        let (id, x, loc) = (&case["id"], array_of(&case["x"]), array_of(&case["params"]["loc"]));
        let (name, new): (_, fn(Array, Array) -> MultivariateNormal) =
            match case["params"].get("scale_tril") {
                Some(_) => ("scale_tril", |a, b| MultivariateNormal::from_scale_tril(a, b)),
                None => ("covariance_matrix", |a, b| MultivariateNormal::new(a, b)),
            };
        let matrix = array_of(&case["params"][name]);
        let mvn = new(loc.clone(), matrix.clone());
        let close = |what: &str, have: &Array, want: &Json, rtol: f64| {
            assert_close(&format!("{id} {what}"), &floats(have), &numbers(want), rtol, rtol);
        };
        close("log_prob", &mvn.log_prob(&x), &case["log_prob"], 1e-9);
        close("mean", &mvn.mean(), &case["mean"], 1e-9);
        close("variance", &mvn.variance(), &case["variance"], 1e-9);
        let entropy = floats(&mvn.entropy());
        assert_close(&id.to_string(), &entropy, &[number(&case["entropy"])], 1e-9, 1e-9);
        if name == "covariance_matrix" {
            close("covariance", &mvn.covariance(), &case["params"][name], 1e-9);
        }
        let slopes = vmap_axes(
            grad(|(loc, matrix, x): (Array, Array, Array)| new(loc, matrix).log_prob(&x)),
            (None, None, Some(0)),
            0,
        );
        let (at_loc, at_matrix, at_x) = slopes((loc, matrix, x.clone()));
        close("d loc", &at_loc, &case["grad_params"]["loc"], 1e-7);
        close("d x", &at_x, &case["grad_x"], 1e-7);
        if name == "scale_tril" {
            close("d scale_tril", &at_matrix.tril(), &case["grad_params"][name], 1e-7);
        }
    }
}

#[test]
fn the_table_of_families_is_in_the_documentation() {
    let path = format!("{}/../../docs/distributions.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let table = table(FAMILIES);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let (before, rest) = page.split_once("| family |").unwrap();
        let after = rest.split_once("\n\n").unwrap().1;
        return std::fs::write(&path, format!("{before}{table}\n{after}")).unwrap();
    }
    assert!(page.contains(&table), "docs/distributions.md must hold\n{table}");
    assert_eq!(Normal::new(0.0, 1.0).parameters().len(), 2);
}
