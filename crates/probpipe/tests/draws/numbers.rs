//! Draws of families of real numbers, and slopes of expectations of them.

use crate::golden::floats;
use crate::{N, follows, moments};
use probpipe::distributions::*;
use probpipe::prelude::*;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

type At = fn(&[Array], &Array) -> Array;
type Of = fn(&[Array]) -> Array;

/// A family of real numbers at certain parameters.
pub struct Row {
    pub name: &'static str,
    names: &'static [&'static str],
    parameters: &'static [f64],
    sample: fn(&[Array], Key, usize) -> Array,
    cdf: At,
    log_prob: At,
    inside: At,
    quantile: Option<At>,
    moments: Option<[Of; 2]>,
}

/// The integral of a density up to `x`, from the start of its support or from far below, in equal
/// steps of a variable in which it falls to nothing doubly exponentially at both ends.
fn below(density: impl Fn(&Array) -> Array, start: Option<f64>, x: &Array) -> Array {
    const STEP: f64 = 1.0 / 32.0;
    let v: Vec<f64> = (-112..=112).map(|k| f64::from(k) * STEP).collect();
    let table = |f: &dyn Fn(f64) -> f64| {
        Array::from_slice(&v.iter().map(|&v| f(v) * STEP).collect::<Vec<f64>>(), [v.len()])
    };
    let x = x.expand_dims(-1);
    let (points, weights) = match start {
        Some(start) => {
            let part = |v: f64| 0.5 + 0.5 * (FRAC_PI_2 * v.sinh()).tanh();
            let slope = |v: f64| FRAC_PI_4 * v.cosh() / (FRAC_PI_2 * v.sinh()).cosh().powi(2);
            let width = x - start;
            (&width * (table(&part) / STEP) + start, width * table(&slope))
        }
        None => {
            let far = |v: f64| (v - (-v).exp()).exp();
            (x - table(&far) / STEP, table(&|v| far(v) * (1.0 + (-v).exp())))
        }
    };
    (density(&points) * weights).sum_axes([-1])
}

/// What a row has besides a distribution function: quantiles and moments, or what it says.
macro_rules! row {
    ($family:ident($($p:ident = $value:expr),*) $has:tt) => {{
        fn make(p: &[Array]) -> $family {
            let [$($p),*] = p else { panic!("the parameters of {}", stringify!($family)) };
            $family::new($($p),*)
        }
        let mut row = Row {
            name: stringify!($family),
            names: &[$(stringify!($p)),*],
            parameters: &[$($value),*],
            sample: |p, key, n| make(p).sample(key, n),
            cdf: row!(@cdf $has),
            log_prob: |p, x| make(p).log_prob(x),
            inside: |p, x| make(p).support().check(x),
            quantile: None,
            moments: None,
        };
        row!(@has row $has);
        row
    }};
    // Of families without one the distribution function is an integral.
    (@cdf whole) => { |p, x| below(|x| make(p).prob(x), None, x) };
    (@cdf positive) => { |p, x| below(|x| make(p).prob(x), Some(0.0), x) };
    (@cdf even) => {
        |p, x| {
            // At the peak itself the density is infinite.
            let near = |x: &Array| make(p).prob(&x.maximum(1e-300));
            0.5 + below(near, Some(0.0), &x.abs()) * x.sign()
        }
    };
    (@cdf $has:tt) => { |p, x| make(p).cdf(x) };
    (@has $row:ident even) => { $row.quantile = None; };
    (@has $row:ident whole) => { row!(@has $row moments); };
    (@has $row:ident positive) => { row!(@has $row moments); };
    (@has $row:ident all) => {
        row!(@has $row quantile);
        row!(@has $row moments);
    };
    (@has $row:ident moments) => {
        $row.moments = Some([|p| make(p).mean(), |p| make(p).variance()]);
    };
    (@has $row:ident quantile) => { $row.quantile = Some(|p, q| make(p).quantile(q)); };
}

macro_rules! numbers {
    ($($has:ident $family:ident($($p:ident = $value:expr),*);)+) => {
        /// All families of real numbers.
        pub fn numbers() -> Vec<Row> {
            vec![$(row!($family($($p = $value),*) $has)),+]
        }
    };
}

numbers! {
    all AsymmetricLaplace(loc = 0.3, scale = 1.2, asymmetry = 0.7);
    all AsymmetricLaplaceQuantile(loc = -0.3, scale = 0.8, level = 0.3);
    all Beta(concentration1 = 2.5, concentration0 = 0.8);
    all BetaProportion(proportion = 0.3, concentration = 5.0);
    // At 1 so smooth that the integral up to a point beyond it is good.
    positive BetaQuotient(a1 = 2.5, a0 = 2.8, b1 = 6.0, b0 = 3.2);
    quantile Cauchy(loc = 0.5, scale = 1.5);
    all Chi(df = 2.5);
    all Chi2(df = 3.5);
    all ContinuousBernoulli(logits = 1.5);
    all Dagum(concentration = 1.5, sharpness = 12.0, scale = 2.0);
    all DoublesidedMaxwell(loc = 0.5, scale = 1.5);
    all DoublyTruncatedPowerLaw(alpha = -1.5, low = 0.5, high = 4.0);
    all ExpGamma(concentration = 0.8, rate = 1.5);
    all ExpInverseGamma(concentration = 1.8, rate = 0.5);
    all Exponential(rate = 1.5);
    moments ExponentiallyModifiedGaussian(loc = -0.5, scale = 0.8, rate = 1.5);
    all FoldedNormal(loc = -0.7, scale = 1.1);
    quantile FoldedStudentT(df = 4.0, loc = 0.8, scale = 1.2);
    all Gamma(concentration = 2.2, rate = 1.4);
    all GammaGamma(concentration = 1.5, mixing_concentration = 12.0, mixing_rate = 2.0);
    all GeneralizedExtremeValue(loc = 0.4, scale = 1.6, concentration = 0.05);
    all GeneralizedNormal(loc = 0.2, scale = 1.5, power = 1.4);
    all GeneralizedPareto(loc = 0.5, scale = 1.2, concentration = -0.2);
    all Gompertz(concentration = 0.6, rate = 1.3);
    all Gumbel(loc = 0.4, scale = 1.6);
    quantile HalfCauchy(scale = 1.3);
    all HalfNormal(scale = 0.8);
    all HalfStudentT(df = 12.0, loc = 0.5, scale = 0.8);
    even Horseshoe(scale = 1.2);
    all InverseGamma(concentration = 12.0, rate = 1.7);
    moments InverseGaussian(loc = 1.5, concentration = 2.5);
    all JohnsonSU(skewness = 0.5, tailweight = 2.0, loc = 0.3, scale = 1.2);
    all Kumaraswamy(concentration1 = 2.1, concentration0 = 1.4);
    all LambertWNormal(loc = 0.3, scale = 1.2, tailweight = 0.05);
    all Laplace(loc = 0.2, scale = 0.9);
    quantile LeftTruncatedGamma(concentration = 2.2, rate = 1.4, low = 1.0);
    all LeftTruncatedNormal(loc = 0.2, scale = 1.1, low = 0.5);
    quantile Levy(loc = 0.5, scale = 0.8);
    all LogLogistic(loc = 0.2, scale = 0.1);
    all LogNormal(loc = 0.2, scale = 0.4);
    all LogUniform(low = 0.3, high = 7.0);
    all Logistic(loc = 0.2, scale = 0.9);
    quantile LogitNormal(loc = 0.4, scale = 1.2);
    all LowerTruncatedPowerLaw(alpha = -14.0, low = 0.7);
    all Moyal(loc = 0.4, scale = 1.3);
    positive NoncentralChi2(df = 2.5, noncentrality = 3.0);
    all Normal(loc = 0.2, scale = 0.9);
    whole NormalInverseGaussian(loc = 0.3, scale = 1.2, tailweight = 2.5, skewness = -0.8);
    all PERT(low = 1.0, peak = 2.0, high = 5.0, temperature = 4.0);
    all Pareto(scale = 0.7, alpha = 12.0);
    quantile RelaxedBernoulliLogits(temperature = 0.8, logits = 0.6);
    quantile RightTruncatedGamma(concentration = 2.2, rate = 1.4, high = 2.0);
    all RightTruncatedNormal(loc = 0.2, scale = 1.1, high = 0.5);
    all SigmoidBeta(concentration1 = 1.5, concentration0 = 0.7);
    quantile SinhArcsinh(loc = 0.2, scale = 1.2, skewness = 0.3, tailweight = 1.2);
    all SoftLaplace(loc = 0.2, scale = 0.9);
    all StudentT(df = 12.0, loc = 0.3, scale = 1.2);
    all Triangular(low = -1.0, high = 3.0, peak = 0.5);
    all TruncatedCauchy(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    quantile TruncatedLaplace(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    quantile TruncatedLogistic(loc = 0.5, scale = 1.5, low = -1.0);
    all TruncatedNormal(loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    quantile TruncatedStudentT(df = 3.5, loc = 0.5, scale = 1.5, low = -1.0, high = 3.0);
    all TwoPieceNormal(loc = 0.4, scale = 1.2, skewness = 1.6);
    all TwoPieceStudentT(df = 12.0, loc = 0.4, scale = 1.2, skewness = 0.7);
    quantile TwoSidedTruncatedGamma(concentration = 2.2, rate = 1.4, low = 0.5, high = 3.0);
    all Uniform(low = -0.5, high = 1.5);
    quantile VonMises(loc = 0.7, concentration = 2.5);
    all Weibull(scale = 1.4, concentration = 1.8);
}

/// Those whose draws are inverses of incomplete gamma and beta functions, which take ten
/// microseconds each or more.
const SLOW: &[&str] =
    &["LeftTruncatedGamma", "RightTruncatedGamma", "TruncatedStudentT", "TwoSidedTruncatedGamma"];

/// The parameters of a row, in a type.
fn parameters(row: &Row, dtype: DType) -> Vec<Array> {
    row.parameters.iter().map(|&p| Array::from(p).cast(dtype)).collect()
}

#[test]
fn numbers_follow_their_distribution() {
    for (k, row) in numbers().iter().enumerate() {
        // Both types in turn; the levels of draws are those of the wide one.
        let dtype = if k % 2 == 0 { DType::F32 } else { DType::F64 };
        let what = format!("{} {dtype}", row.name);
        let (p, exact) = (parameters(row, dtype), parameters(row, DType::F64));
        let rounded: Vec<Array> = p.iter().map(|p| p.cast(DType::F64)).collect();
        let (draws, inside) = jit(|key: Key| {
            let x = (row.sample)(&p, key, N);
            let inside = (row.inside)(&p, &x).all();
            (x.cast(DType::F64), inside)
        })(Key::new(20_260));
        let draws = draws.to_vec::<f64>().unwrap();
        assert!(inside.item::<bool>().unwrap(), "{what}: a draw outside of the support");
        follows(&what, &draws, |x: Array| (row.cdf)(&rounded, &x));
        if let Some([centre, variance]) = row.moments {
            let want = [centre(&exact), variance(&exact)].map(|m| floats(&m)[0]);
            moments(&what, &draws, want);
        }
    }
}

/// The derivative of the mean of `F(x)` over draws `x`, with the distribution function `F` at the
/// parameters where it is taken: by draws it is the mean of the density times the slope of the
/// draw; exactly it is minus the integral of the derivative of `F` in the parameter, here over the
/// midpoints of as many levels as there are draws.
#[test]
fn slopes_of_expectations_of_numbers() {
    for row in numbers().iter().filter(|row| !row.parameters.is_empty()) {
        let n = if SLOW.contains(&row.name) { 300 } else { 5_000 };
        let p = parameters(row, DType::F64);
        let all = jit(|key: Key| {
            let mut slopes = Vec::new();
            let middles = (probpipe::arange(n).cast(DType::F64) + 0.5) / n as f64;
            let draws = (row.sample)(&p, key.reuse(), n);
            let points = match row.quantile {
                Some(quantile) => quantile(&p, &middles),
                None => draws.clone(),
            };
            let density = (row.log_prob)(&p, &draws).exp();
            for k in 0..p.len() {
                let with = |v: Array| {
                    let mut p = p.clone();
                    p[k] = v;
                    p
                };
                let one = Array::from(1.0).cast(DType::F64);
                let draw = |v: Array| (row.sample)(&with(v), key.reuse(), n);
                let (_, moved) = jvp(draw, p[k].clone(), one.clone());
                let level = |v: Array| (row.cdf)(&with(v), &points);
                let (_, exact) = jvp(level, p[k].clone(), one);
                slopes.push((moved * &density, -exact));
            }
            slopes
        })(Key::new(20_261));
        for ((have, want), name) in all.iter().zip(row.names) {
            let (have, want) = (floats(have), floats(want));
            let exact = want.iter().sum::<f64>() / n as f64;
            let found = have.iter().sum::<f64>() / n as f64;
            let spread = have.iter().map(|x| (x - found).powi(2)).sum::<f64>() / n as f64;
            let allowed = 5.0 * (spread / n as f64).sqrt() + 1e-9 + 1e-6 * exact.abs();
            // Where levels are not midpoints they are a sample too.
            let allowed = if row.quantile.is_some() { allowed } else { 2.0 * allowed };
            let what = format!("{} in {name}", row.name);
            assert!((found - exact).abs() <= allowed, "{what}: {found}, exactly {exact}");
        }
    }
}
