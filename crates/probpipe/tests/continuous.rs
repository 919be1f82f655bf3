//! The families on the real line: that their functions fit together, that derivatives are those of
//! finite differences, and that draws keep their probability where a parameter changes; that they
//! follow their distributions is held by `draws.rs`. Reference values of densities, moments and
//! quantiles are the conformance package's matter.

mod golden;

use golden::{assert_close, floats};
use probpipe::distributions::*;
use probpipe::prelude::*;
use probpipe_testing::differences;
use probpipe_testing::statistics::kolmogorov_smirnov;

type At = fn(&[Array], &Array) -> Array;
type Function<'a> = Box<dyn Fn(&[Array]) -> Array + 'a>;

/// A family at certain parameters.
struct Row {
    name: &'static str,
    parameters: &'static [f64],
    /// Whether a draw keeps its probability when a parameter changes.
    monotone: bool,
    log_prob: At,
    cdf: At,
    survival: At,
    log_cdf: At,
    log_survival: At,
    quantile: At,
    upper_quantile: At,
    inside: At,
    sample: fn(&[Array], Key, usize) -> Array,
}

macro_rules! rows {
    ($($(@$several:ident)? $family:ident($($p:ident = $value:expr),+);)+) => {
        vec![$({
            fn make(p: &[Array]) -> $family {
                let [$($p),+] = p else { panic!("the parameters of {}", stringify!($family)) };
                $family::new($($p),+)
            }
            Row {
                name: stringify!($family),
                parameters: &[$($value),+],
                monotone: <[&str]>::is_empty(&[$(stringify!($several))?]),
                log_prob: |p, x| make(p).log_prob(x),
                cdf: |p, x| make(p).cdf(x),
                survival: |p, x| make(p).survival(x),
                log_cdf: |p, x| make(p).log_cdf(x),
                log_survival: |p, x| make(p).log_survival(x),
                quantile: |p, q| make(p).quantile(q),
                upper_quantile: |p, q| make(p).upper_quantile(q),
                inside: |p, x| make(p).support().check(x),
                sample: |p, key, n| make(p).sample(key, n),
            }
        }),+]
    };
}

/// All of them; `@several` marks those whose draws are made of several random numbers.
fn rows() -> Vec<Row> {
    rows! {
        AsymmetricLaplace(loc = 0.3, scale = 1.2, asymmetry = 0.7);
        AsymmetricLaplaceQuantile(loc = -0.3, scale = 0.8, level = 0.3);
        @several Beta(a = 2.5, b = 0.8);
        @several BetaProportion(proportion = 0.3, concentration = 5.0);
        Cauchy(loc = 0.5, scale = 1.5);
        Chi(df = 2.5);
        Chi2(df = 3.5);
        ContinuousBernoulli(logits = 1.5);
        ContinuousBernoulli(logits = -0.004);
        Dagum(concentration = 1.5, sharpness = 3.0, scale = 2.0);
        DoublesidedMaxwell(loc = 0.5, scale = 1.5);
        DoublyTruncatedPowerLaw(alpha = -1.5, low = 0.5, high = 4.0);
        ExpGamma(concentration = 0.8, rate = 1.5);
        ExpInverseGamma(concentration = 1.8, rate = 0.5);
        Exponential(rate = 1.5);
        @several FoldedNormal(loc = -0.7, scale = 1.1);
        @several FoldedStudentT(df = 4.0, loc = 0.8, scale = 1.2);
        Gamma(concentration = 2.2, rate = 1.4);
        @several GammaGamma(concentration = 1.5, mixing_concentration = 3.0, mixing_rate = 2.0);
        GeneralizedExtremeValue(loc = 0.4, scale = 1.6, concentration = 0.3);
        GeneralizedExtremeValue(loc = 0.4, scale = 1.6, concentration = -0.4);
        @several GeneralizedNormal(loc = 0.2, scale = 1.5, power = 1.4);
        GeneralizedPareto(loc = 0.5, scale = 1.2, concentration = 0.3);
        GeneralizedPareto(loc = 0.5, scale = 1.2, concentration = -0.2);
        Gompertz(concentration = 0.6, rate = 1.3);
        Gumbel(loc = 0.4, scale = 1.6);
        HalfCauchy(scale = 1.3);
        HalfNormal(scale = 0.8);
        @several HalfStudentT(df = 4.5, loc = 0.5, scale = 0.8);
        InverseGamma(concentration = 2.5, rate = 1.7);
        JohnsonSU(skewness = 0.5, tailweight = 2.0, loc = 0.3, scale = 1.2);
        Kumaraswamy(a = 2.1, b = 1.4);
        Laplace(loc = 0.2, scale = 0.9);
        LeftTruncatedGamma(concentration = 2.2, rate = 1.4, low = 1.0);
        LeftTruncatedNormal(loc = 0.2, scale = 1.1, low = 0.5);
        Levy(loc = 0.5, scale = 0.8);
        LogLogistic(loc = 0.2, scale = 0.4);
        LogNormal(loc = 0.2, scale = 0.6);
        LogUniform(low = 0.3, high = 7.0);
        Logistic(loc = 0.2, scale = 0.9);
        LogitNormal(loc = 0.4, scale = 1.2);
        LowerTruncatedPowerLaw(alpha = -3.5, low = 0.7);
        Moyal(loc = 0.4, scale = 1.3);
        Normal(loc = 0.2, scale = 0.9);
        @several PERT(low = 1.0, peak = 2.0, high = 5.0, temperature = 4.0);
        Pareto(scale = 0.7, alpha = 2.5);
        RelaxedBernoulliLogits(temperature = 0.8, logits = 0.6);
        RightTruncatedGamma(concentration = 2.2, rate = 1.4, high = 2.0);
        RightTruncatedNormal(loc = 0.2, scale = 1.1, high = 0.5);
        @several SigmoidBeta(concentration1 = 1.5, concentration0 = 0.7);
        SinhArcsinh(loc = 0.2, scale = 1.2, skewness = 0.3, tailweight = 1.2);
        SoftLaplace(loc = 0.2, scale = 0.9);
        @several StudentT(df = 4.5, loc = 0.3, scale = 1.2);
        Triangular(low = -1.0, high = 3.0, peak = 0.5);
        TruncatedCauchy(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
        TruncatedLaplace(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
        TruncatedLogistic(loc = 0.5, scale = 1.5, low = -1.0);
        TruncatedNormal(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
        TruncatedStudentT(df = 3.5, loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
        TwoPieceNormal(loc = 0.4, scale = 1.2, skewness = 1.6);
        @several TwoPieceStudentT(df = 4.5, loc = 0.4, scale = 1.2, skewness = 0.7);
        TwoSidedTruncatedGamma(concentration = 2.2, rate = 1.4, low = 0.5, high = 3.0);
        Uniform(low = -0.5, high = 1.5);
        VonMises(loc = 0.7, concentration = 2.5);
        VonMises(loc = -2.7, concentration = 80.0);
        Weibull(scale = 1.4, concentration = 1.8);
    }
}

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn parameters(row: &Row, dtype: DType) -> Vec<Array> {
    row.parameters.iter().map(|&p| Array::from(p).cast(dtype)).collect()
}

#[test]
fn quantiles_invert_the_distribution() {
    for row in rows() {
        let p = parameters(&row, DType::F64);
        let levels = [1e-9, 1e-3, 0.2, 0.5, 0.7, 0.999];
        let q = f64s(&levels);
        let x = (row.quantile)(&p, &q);
        let name = row.name;
        assert_close(&format!("{name} cdf"), &floats(&(row.cdf)(&p, &x)), &levels, 1e-9, 1e-12);
        let log: Vec<f64> = levels.iter().map(|q| q.ln()).collect();
        let have = floats(&(row.log_cdf)(&p, &x));
        assert_close(&format!("{name} log_cdf"), &have, &log, 1e-6, 1e-12);
        let x = (row.upper_quantile)(&p, &q);
        let have = floats(&(row.survival)(&p, &x));
        assert_close(&format!("{name} survival"), &have, &levels, 1e-6, 1e-12);
        let have = floats(&(row.log_survival)(&p, &x));
        assert_close(&format!("{name} log_survival"), &have, &log, 1e-6, 1e-12);
        let outside = floats(&(row.quantile)(&p, &f64s(&[-0.5, 1.5, f64::NAN])));
        assert!(outside.iter().all(|x| x.is_nan()), "{name}: {outside:?}");
    }
}

#[test]
fn densities_are_slopes_of_the_distribution() {
    for row in rows() {
        let p = parameters(&row, DType::F64);
        let x = (row.quantile)(&p, &f64s(&[1e-3, 0.1, 0.4, 0.5, 0.8, 0.999]));
        let slope = jit(grad(|x: Array| (row.cdf)(&p, &x).sum()))(x.clone());
        let density = floats(&(row.log_prob)(&p, &x).exp());
        assert_close(row.name, &floats(&slope), &density, 1e-8, 1e-12);
        let slope = jit(grad(|x: Array| (row.survival)(&p, &x).sum()))(x.clone());
        let falling: Vec<f64> = density.iter().map(|d| -d).collect();
        assert_close(row.name, &floats(&slope), &falling, 1e-8, 1e-12);
    }
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    for row in rows() {
        let p = parameters(&row, DType::F64);
        let q = f64s(&[0.05, 0.35, 0.9]);
        let x = (row.quantile)(&p, &q);
        let functions: [(&str, Function<'_>); 4] = [
            ("log_prob", Box::new(|p| (row.log_prob)(p, &x))),
            ("cdf", Box::new(|p| (row.cdf)(p, &x))),
            ("log_survival", Box::new(|p| (row.log_survival)(p, &x))),
            ("quantile", Box::new(|p| (row.quantile)(p, &q))),
        ];
        for (what, f) in &functions {
            let slopes = grad(|p: Vec<Array>| f(&p).sum())(p.clone());
            for (k, slope) in slopes.iter().enumerate() {
                let of_one = |x: Array| {
                    let mut p = p.clone();
                    p[k] = x;
                    f(&p).sum()
                };
                let want = differences(of_one, &p[k]);
                assert_close(
                    &format!("{} {what} {k}", row.name),
                    &floats(slope),
                    &want,
                    2e-6,
                    2e-7,
                );
            }
        }
    }
}

/// The slope of a draw that keeps its probability is `-(dF / dp) / density`.
#[test]
fn draws_keep_their_probability() {
    for row in rows().iter().filter(|row| row.monotone) {
        let p = parameters(row, DType::F64);
        let n = 4;
        for k in 0..p.len() {
            let with = |v: Array| {
                let mut p = p.clone();
                p[k] = v;
                p
            };
            let one = Array::from(1.0).cast(DType::F64);
            let draw = |v: Array| (row.sample)(&with(v), Key::new(7), n);
            let (x, slope) = jvp(draw, p[k].clone(), one.clone());
            let level = |v: Array| (row.cdf)(&with(v), &x);
            let (_, change) = jvp(level, p[k].clone(), one);
            let want = floats(&(-change / (row.log_prob)(&p, &x).exp()));
            assert_close(&format!("{} {k}", row.name), &floats(&slope), &want, 1e-7, 1e-9);
        }
    }
}

#[test]
fn outside_of_the_support() {
    let far = [f64::NEG_INFINITY, -1e30, 1e30, f64::INFINITY];
    for row in rows() {
        let p = parameters(&row, DType::F64);
        let inside = (row.inside)(&p, &f64s(&far)).to_vec::<bool>().unwrap();
        let density = floats(&(row.log_prob)(&p, &f64s(&far)));
        let total = |(p, x): (Vec<Array>, Array)| (row.log_prob)(&p, &x).sum();
        for (i, &x) in far.iter().enumerate() {
            let name = row.name;
            assert!(!density[i].is_nan(), "{name} at {x}");
            if inside[i]
                || x.is_infinite() && inside.contains(&true) && density[i] != -f64::INFINITY
            {
                continue;
            }
            assert_eq!(density[i], f64::NEG_INFINITY, "{name} at {x}");
            let below = if x < 0.0 { [0.0, 1.0] } else { [1.0, 0.0] };
            let functions = [(row.cdf)(&p, &f64s(&[x])), (row.survival)(&p, &f64s(&[x]))];
            assert_eq!(functions.map(|f| floats(&f)[0]), below, "{name} at {x}");
            if x.is_finite() {
                let (at_p, at_x) = grad(total)((p.clone(), f64s(&[x])));
                let slopes = at_p.iter().chain([&at_x]).map(|slope| floats(slope)[0]);
                assert!(slopes.clone().all(f64::is_finite), "{name} at {x}");
            }
        }
        let nan = f64s(&[f64::NAN]);
        for f in [row.log_prob, row.cdf, row.survival, row.log_cdf, row.log_survival] {
            assert!(floats(&f(&p, &nan))[0].is_nan(), "{} of NaN", row.name);
        }
    }
}

#[test]
fn through_transforms() {
    for row in rows() {
        let p = parameters(&row, DType::F64);
        let x = (row.quantile)(&p, &f64s(&[0.2, 0.7]));
        let direct = floats(&(row.log_prob)(&p, &x));
        let each = jit(vmap(|x: Array| (row.log_prob)(&p, &x)))(x.clone());
        assert_close(row.name, &floats(&each), &direct, 1e-13, 1e-13);
        let many: Vec<Array> = p.iter().map(|p| p.broadcast_to([2])).collect();
        let lanes = vmap(|(p, x): (Vec<Array>, Array)| (row.log_prob)(&p, &x))((many, x.clone()));
        assert_close(row.name, &floats(&lanes), &direct, 1e-13, 1e-13);
        // Literals take the type of the points.
        let literals: Vec<Array> = row.parameters.iter().map(|&p| Array::from(p)).collect();
        for dtype in [DType::F32, DType::F64] {
            let x = x.cast(dtype);
            assert_eq!((row.log_prob)(&literals, &x).dtype(), dtype, "{}", row.name);
            assert_eq!((row.cdf)(&literals, &x).dtype(), dtype, "{}", row.name);
        }
        // And that of the one parameter that has a type.
        for k in 0..p.len() {
            let mut mixed = literals.clone();
            mixed[k] = p[k].clone();
            let median = (row.quantile)(&mixed, &Array::from(0.5));
            let draw = (row.sample)(&mixed, Key::new(0), 1);
            assert_eq!((median.dtype(), draw.dtype()), (DType::F64, DType::F64), "{}", row.name);
        }
    }
}

/// Tails in which one less the other side would be lost: values by 40 digits.
#[test]
fn tails_of_cut_distributions() {
    let at = |x: f64| f64s(&[x]);
    let close = |what: &str, have: Array, want: f64| {
        assert_close(what, &floats(&have), &[want], 1e-11, 0.0);
    };
    let zero = || Array::from(0.0).cast(DType::F64);
    // Beyond 40 standard deviations the density underflows.
    let far = LeftTruncatedNormal::new(zero(), 1.0, 40.0);
    close("log_prob", far.log_prob(&at(40.0)), 3.689_503_480_549_115_4);
    close("log_survival", far.log_survival(&at(41.0)), -40.524_662_588_020_83);
    let both = TruncatedNormal::new(zero(), 1.0, -31.0, -30.0);
    close("mean", both.cdf(&at(-30.5)), 2.655_417_990_529_591_2e-7);
}

#[test]
fn masses_and_cut_series() {
    let gamma = HurdleGamma::new(0.25, 2.0, 1.0);
    let draws = gamma.sample(Key::new(1), 20_000);
    let none = draws.eq(0.0).cast(DType::F64).mean().item::<f64>().unwrap();
    assert!((none - 0.25).abs() < 0.015, "{none}");
    let amount = floats(&draws).into_iter().filter(|&x| x > 0.0).collect::<Vec<_>>();
    let whole = Gamma::new(2.0, 1.0);
    let levels = floats(&whole.cdf(&f64s(&amount)));
    kolmogorov_smirnov(&levels, |level| level).accept("amounts", 1e-4);
    assert_eq!(
        HurdleLogNormal::new(0.5, 0.0, 1.0).quantile(&array(0.25)).item::<f32>().unwrap(),
        0.0
    );
    // The mean of PG(1, 0) is 1/4; eight summands have a little less.
    let draws = TruncatedPolyaGamma::new().sample(Key::new(2), 20_000);
    let mean = draws.mean().item::<f32>().unwrap();
    let want = (0..8).map(|k| 0.5 / (std::f32::consts::PI * (k as f32 + 0.5)).powi(2)).sum::<f32>();
    assert!((mean - want).abs() < 0.006, "{mean} {want}");
    let known = Delta::with_log_density(1.5, 0.25);
    assert_eq!(known.entropy().item::<f32>().unwrap(), -0.25);
    assert_eq!(known.sample(Key::new(0), 2).to_vec::<f32>().unwrap(), [1.5, 1.5]);
}
