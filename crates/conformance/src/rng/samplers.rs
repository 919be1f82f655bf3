//! Rules of the samplers that take parameters or make more of a key than bits, uniforms and
//! normals: how this library draws what a case draws.

use probpipe::random::{self, ChoiceOptions, Resolution};
use probpipe::{Array, DType, Key, Shape, full_of, grad};
use probpipe_testing::reference::{array, dtype, extents, number};
use serde_json::Value as Json;

/// A draw from a key.
type Sampler = Box<dyn Fn(Key) -> Array>;

/// The arguments of a case.
struct Arguments {
    json: Json,
    dtype: DType,
    shape: Shape,
}

impl Arguments {
    /// A parameter, in the type of the case where it is a bare number.
    fn parameter(&self, name: &str) -> Option<Array> {
        let json = &self.json[name];
        match json {
            Json::Null => None,
            Json::Object(_) => array(json, None),
            _ => Some(full_of(self.dtype, (), number(json))),
        }
    }

    fn natural(&self, name: &str) -> Option<usize> {
        self.json[name].as_u64().map(|n| n as usize)
    }

    /// The mode of draws that can be refined.
    fn resolution(&self) -> Option<Resolution> {
        match self.json["mode"].as_str() {
            None | Some("low") => Some(Resolution::Low),
            Some("high") => Some(Resolution::High),
            _ => None,
        }
    }
}

/// The rule of a case, if there is one.
pub fn rule(case: &Json) -> Option<Sampler> {
    let args = &case["args"];
    let named = dtype(&args["p_dtype"]).or(dtype(&args["dtype"]));
    let own = args["p"].get("dtype").or(args["logits"].get("dtype")).and_then(dtype);
    let dtype = named.filter(|d| d.is_float()).or(own).unwrap_or(DType::F32);
    let arguments = Arguments { json: args.clone(), dtype, shape: extents(&args["shape"]).into() };
    let name = case["fn"].as_str()?;
    keys(name, &arguments)
        .or_else(|| plain(name, &arguments))
        .or_else(|| with_parameters(name, &arguments))
        .or_else(|| discrete(name, &arguments))
        .or_else(|| orders(name, &arguments))
        .or_else(|| vectors(name, &arguments, case))
}

/// Keys made of keys.
fn keys(name: &str, args: &Arguments) -> Option<Sampler> {
    Some(match name {
        "split_chain" => {
            let n = args.natural("n")?;
            Box::new(move |mut key| {
                let mut last = key.reuse();
                for _ in 0..n {
                    (key, last) = key.split();
                }
                probpipe::stack(&[key.data().clone(), last.data().clone()], 0)
            })
        }
        "vmap_fold_in" => {
            let data = extents(&args.json["data"]).iter().map(|&n| n as u32).collect::<Vec<_>>();
            Box::new(move |key| key.fold_in(Array::from_slice(&data, data.len())).data().clone())
        }
        _ => return None,
    })
}

/// Samplers of a type and a shape.
fn plain(name: &str, args: &Arguments) -> Option<Sampler> {
    let sampler: fn(DType, Key, Shape) -> Array = match name {
        "exponential" => random::exponential_of,
        "laplace" => random::laplace_of,
        "logistic" => random::logistic_of,
        "cauchy" => random::cauchy_of,
        "maxwell" => random::maxwell_of,
        "gumbel" => {
            let (dtype, shape, resolution) = (args.dtype, args.shape.clone(), args.resolution()?);
            return Some(Box::new(move |key| random::gumbel_with(dtype, key, &shape, resolution)));
        }
        "rademacher" => {
            let (dtype, shape) = (dtype(&args.json["dtype"])?, args.shape.clone());
            return Some(Box::new(move |key| random::rademacher_of(dtype, key, &shape)));
        }
        "orthogonal" => {
            let (dtype, shape, n) = (args.dtype, args.shape.clone(), args.natural("n")?);
            let m = args.natural("m").unwrap_or(n);
            return Some(Box::new(move |key| random::orthogonal_of(dtype, key, &shape, n, m)));
        }
        _ => return None,
    };
    let (dtype, shape) = (args.dtype, args.shape.clone());
    Some(Box::new(move |key| sampler(dtype, key, shape.clone())))
}

/// Samplers of floats with parameters.
fn with_parameters(name: &str, args: &Arguments) -> Option<Sampler> {
    let shape = args.shape.clone();
    let given = |name: &str| args.parameter(name);
    let one = |name: &str, sampler: fn(Key, Shape, Array) -> Array| -> Option<Sampler> {
        let (a, shape) = (given(name)?, args.shape.clone());
        Some(Box::new(move |key| sampler(key, shape.clone(), a.clone())))
    };
    type Two = fn(Key, Shape, Array, Array) -> Array;
    let two = |first: &str, second: &str, sampler: Two| -> Option<Sampler> {
        let (a, b, shape) = (given(first)?, given(second)?, args.shape.clone());
        Some(Box::new(move |key| sampler(key, shape.clone(), a.clone(), b.clone())))
    };
    match name {
        "truncated_normal" => two("lower", "upper", random::truncated_normal),
        "gamma" => one("a", random::gamma),
        "loggamma" => one("a", random::loggamma),
        "gamma_grad" => {
            let a = given("a")?;
            Some(Box::new(move |key| {
                let draw = |a: Array| random::gamma(key.reuse(), &shape, a).sum();
                grad(draw)(a.clone())
            }))
        }
        "beta" => two("a", "b", random::beta),
        "dirichlet" => one("alpha", random::dirichlet),
        "t" => one("df", random::student_t),
        "chisquare" => one("df", random::chi_square),
        "f" => two("dfnum", "dfden", random::fisher_f),
        "pareto" => one("b", random::pareto),
        "rayleigh" => one("scale", random::rayleigh),
        "wald" => one("mean", random::wald),
        "lognormal" => one("sigma", random::lognormal),
        "weibull_min" => two("scale", "concentration", random::weibull_min),
        "double_sided_maxwell" => two("loc", "scale", random::double_sided_maxwell),
        "triangular" => {
            let (left, mode, right) = (given("left")?, given("mode")?, given("right")?);
            Some(Box::new(move |key| random::triangular(key, &shape, &left, &mode, &right)))
        }
        "generalized_normal" => one("p", random::generalized_normal),
        "ball" => {
            let (d, p) = (args.natural("d")?, given("p")?);
            Some(Box::new(move |key| random::ball(key, &shape, d, &p)))
        }
        _ => None,
    }
}

/// Samplers of truth values and integers.
fn discrete(name: &str, args: &Arguments) -> Option<Sampler> {
    let shape = args.shape.clone();
    Some(match name {
        "randint" => randint(args)?,
        "bernoulli" => {
            let (p, resolution) = (args.parameter("p")?, args.resolution()?);
            Box::new(move |key| random::bernoulli_with(key, &shape, &p, resolution))
        }
        "poisson" => {
            let rate = args.parameter("lam")?;
            Box::new(move |key| random::poisson(key, &shape, &rate))
        }
        "geometric" => {
            let p = args.parameter("p")?;
            Box::new(move |key| random::geometric(key, &shape, &p))
        }
        "binomial" => {
            let (n, p) = (args.parameter("n")?, args.parameter("p")?);
            Box::new(move |key| random::binomial(key, &shape, &n, &p))
        }
        "categorical" => {
            let (logits, axis) = (args.parameter("logits")?, args.json["axis"].as_i64()? as isize);
            let resolution = args.resolution()?;
            Box::new(move |key| random::categorical_with(key, &shape, &logits, axis, resolution))
        }
        "categorical_without_replacement" if args.shape.len() == 1 => {
            let (logits, count) = (args.parameter("logits")?, args.shape[0]);
            Box::new(move |key| random::categorical_without_replacement(key, count, &logits))
        }
        _ => return None,
    })
}

/// Integers; those of types that this library does not have are drawn with 32 bits by the
/// reference, too.
fn randint(args: &Arguments) -> Option<Sampler> {
    let shape = args.shape.clone();
    let clipped: Option<(i128, i128)> = match args.json["dtype"].as_str()? {
        "i8" => Some((i8::MIN.into(), i8::MAX.into())),
        "i16" => Some((i16::MIN.into(), i16::MAX.into())),
        "u16" => Some((u16::MIN.into(), u16::MAX.into())),
        _ => None,
    };
    let own = match clipped {
        Some(_) => DType::I32,
        None => dtype(&args.json["dtype"])?,
    };
    let bound = |name: &str, beyond: i64| -> Option<Array> {
        let json = &args.json[name];
        if json.is_object() {
            return array(json, None);
        }
        let number = json.as_i64().map(i128::from).or(json.as_u64().map(i128::from));
        let number = number?;
        Some(match clipped {
            Some((low, high)) => Array::from(number.clamp(low, high + i128::from(beyond)) as i64),
            None => match i64::try_from(number) {
                Ok(number) => Array::from(number),
                Err(_) => Array::from(number as u64),
            },
        })
    };
    let (low, high) = (bound("minval", 0)?, bound("maxval", 1)?);
    Some(Box::new(move |key| random::randint_of(own, key, &shape, &low, &high)))
}

/// Orders of arrays and choices from them.
fn orders(name: &str, args: &Arguments) -> Option<Sampler> {
    match name {
        "permutation" => {
            if let Some(n) = args.natural("x") {
                return Some(Box::new(move |key| random::permutation(key, n)));
            }
            let (x, axis) = (args.parameter("x")?, args.json["axis"].as_i64()? as isize);
            let shuffle: fn(Key, Array, isize) -> Array = match args.json["independent"] {
                Json::Bool(true) => random::shuffle_each,
                _ => random::shuffle,
            };
            Some(Box::new(move |key| shuffle(key, x.clone(), axis)))
        }
        "choice" => {
            let population = match args.natural("a") {
                Some(n) => Array::from(n),
                None => args.parameter("a")?,
            };
            let mut options = ChoiceOptions::new();
            if args.json["replace"] == false {
                options = options.without_replacement();
            }
            if let Some(p) = args.parameter("p") {
                options = options.weights(p);
            }
            if let Some(axis) = args.json["axis"].as_i64() {
                options = options.axis(axis as isize);
            }
            let shape = args.shape.clone();
            Some(Box::new(move |key| {
                random::choice_with(key, &shape, &population, options.clone())
            }))
        }
        _ => None,
    }
}

/// Samplers of vectors with more than one kind of parameter.
fn vectors(name: &str, args: &Arguments, case: &Json) -> Option<Sampler> {
    Some(match name {
        "multivariate_normal" if args.json["method"] == "cholesky" => {
            let (mean, covariance) = (args.parameter("mean")?, args.parameter("cov")?);
            let shape = args.shape.clone();
            Box::new(move |key| random::multivariate_normal(key, &shape, &mean, &covariance))
        }
        "multinomial" => {
            let (n, p) = (args.parameter("n")?, args.parameter("p")?);
            // The reference takes the shape of the result, this library that of the batch.
            let whole = extents(&case["out"]["shape"]);
            let batch = Shape::from_slice(whole.split_last()?.1);
            Box::new(move |key| random::multinomial(key, &batch, &n, &p))
        }
        _ => return None,
    })
}
