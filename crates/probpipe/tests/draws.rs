//! Draws of every family: a million of each against its own distribution function, its mean and
//! its variance, at fixed keys; and for draws that are differentiable, derivatives of expectations
//! against those of the exact ones. What each family is drawn with is one list, which is held
//! against the list of families.

mod golden;

use golden::floats;
use probpipe::distributions::*;
use probpipe::prelude::*;
use probpipe_testing::statistics::{chi_square, kolmogorov_smirnov, mean};

const N: usize = 1_000_000;

type At = fn(&[Array], &Array) -> Array;
type Of = fn(&[Array]) -> Array;

/// A family of real numbers at certain parameters.
struct Row {
    name: &'static str,
    names: &'static [&'static str],
    parameters: &'static [f64],
    slopes: bool,
    sample: fn(&[Array], Key, usize) -> Array,
    cdf: At,
    log_prob: At,
    inside: At,
    quantile: Option<At>,
    moments: Option<[Of; 2]>,
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
            slopes: true,
            sample: |p, key, n| make(p).sample(key, n),
            cdf: |p, x| make(p).cdf(x),
            log_prob: |p, x| make(p).log_prob(x),
            inside: |p, x| make(p).support().check(x),
            quantile: None,
            moments: None,
        };
        row!(@has row $has);
        row
    }};
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
        fn numbers() -> Vec<Row> {
            vec![$(row!($family($($p = $value),*) $has)),+]
        }
    };
}

numbers! {
    all AsymmetricLaplace(loc = 0.3, scale = 1.2, asymmetry = 0.7);
    all AsymmetricLaplaceQuantile(loc = -0.3, scale = 0.8, level = 0.3);
    all Beta(concentration1 = 2.5, concentration0 = 0.8);
    all BetaProportion(proportion = 0.3, concentration = 5.0);
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
    quantile GeneralizedExtremeValue(loc = 0.4, scale = 1.6, concentration = 0.3);
    all GeneralizedNormal(loc = 0.2, scale = 1.5, power = 1.4);
    all GeneralizedPareto(loc = 0.5, scale = 1.2, concentration = -0.2);
    all Gompertz(concentration = 0.6, rate = 1.3);
    all Gumbel(loc = 0.4, scale = 1.6);
    quantile HalfCauchy(scale = 1.3);
    all HalfNormal(scale = 0.8);
    all HalfStudentT(df = 12.0, loc = 0.5, scale = 0.8);
    all InverseGamma(concentration = 12.0, rate = 1.7);
    moments InverseGaussian(loc = 1.5, concentration = 2.5);
    all JohnsonSU(skewness = 0.5, tailweight = 2.0, loc = 0.3, scale = 1.2);
    all Kumaraswamy(concentration1 = 2.1, concentration0 = 1.4);
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
    all Normal(loc = 0.2, scale = 0.9);
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

/// The parameters of a row, in a type.
fn parameters(row: &Row, dtype: DType) -> Vec<Array> {
    row.parameters.iter().map(|&p| Array::from(p).cast(dtype)).collect()
}

/// That the mean and the variance of a sample are these; those that are not finite are not asked.
#[track_caller]
fn moments(what: &str, sample: &[f64], want: [f64; 2]) {
    let [centre, variance] = want;
    if centre.is_finite() && variance.is_finite() {
        mean(sample, centre).accept(&format!("mean of {what}"), 1e-5);
        let squares: Vec<f64> = sample.iter().map(|x| (x - centre).powi(2)).collect();
        mean(&squares, variance).accept(&format!("variance of {what}"), 1e-5);
    }
}

#[test]
fn numbers_follow_their_distribution() {
    for (k, row) in numbers().iter().enumerate() {
        // Both types in turn; the levels of draws are those of the wide one.
        let dtype = if k % 2 == 0 { DType::F32 } else { DType::F64 };
        let what = format!("{} {dtype}", row.name);
        let (p, exact) = (parameters(row, dtype), parameters(row, DType::F64));
        let rounded: Vec<Array> = p.iter().map(|p| p.cast(DType::F64)).collect();
        // Draws of these are found by halving, a tenth of a second for each ten thousand.
        let n = if row.name == "VonMises" { N / 10 } else { N };
        let (draws, levels, inside) = jit(|key: Key| {
            let x = (row.sample)(&p, key, n);
            let inside = (row.inside)(&p, &x).all();
            let wide = x.cast(DType::F64);
            (wide.clone(), (row.cdf)(&rounded, &wide), inside)
        })(Key::new(20_260));
        assert!(inside.item::<bool>().unwrap(), "{what}: a draw outside of the support");
        kolmogorov_smirnov(&floats(&levels), |level| level).accept(&what, 1e-5);
        if let Some([centre, variance]) = row.moments {
            let want = [centre(&exact), variance(&exact)].map(|m| floats(&m)[0]);
            moments(&what, &floats(&draws), want);
        }
    }
}

/// The derivative of the mean of `F(x)` over draws `x`, with the distribution function `F` at the
/// parameters where it is taken: by draws it is the mean of the density times the slope of the
/// draw; exactly it is minus the integral of the derivative of `F` in the parameter, here over the
/// midpoints of as many levels as there are draws.
#[test]
fn slopes_of_expectations_of_numbers() {
    let n = 20_000;
    for row in numbers().iter().filter(|row| row.slopes && !row.parameters.is_empty()) {
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

/// That draws of a distribution on integers have its probabilities.
#[track_caller]
fn counts<D>(what: &'static str, d: D) -> &'static str
where
    D: LogProb<Value = Array> + Sample,
{
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_262));
    let drawn: Vec<i64> = floats(&draws).into_iter().map(|x| x as i64).collect();
    let (first, last) = (*drawn.iter().min().unwrap(), (*drawn.iter().max().unwrap()).min(400));
    let cells: Vec<f64> = (first..=last).map(|k| k as f64).collect();
    let probs = floats(&d.prob(&Array::from_slice(&cells, [cells.len()])));
    let mut observed = vec![0u64; cells.len() + 1];
    for k in &drawn {
        observed[((k - first) as usize).min(cells.len())] += 1;
    }
    let mut expected: Vec<f64> = probs.iter().map(|p| p * N as f64).collect();
    expected.push((N as f64 - expected.iter().sum::<f64>()).max(0.0));
    cells_follow(what, observed, expected);
    what
}

/// Pearson's test, of cells that expect little counted with one that expects most.
#[track_caller]
fn cells_follow(what: &str, observed: Vec<u64>, expected: Vec<f64>) {
    let most = (0..expected.len()).max_by(|&i, &j| expected[i].total_cmp(&expected[j])).unwrap();
    let (mut o, mut e) = (vec![observed[most]], vec![expected[most]]);
    for i in (0..expected.len()).filter(|&i| i != most) {
        if expected[i] < 20.0 {
            o[0] += observed[i];
            e[0] += expected[i];
        } else {
            o.push(observed[i]);
            e.push(expected[i]);
        }
    }
    // Rounding of the probabilities, in f32, is made good.
    let total: u64 = o.iter().sum();
    let factor = total as f64 / e.iter().sum::<f64>();
    assert!((factor - 1.0).abs() < 1e-4, "{what}: probabilities add up to {}", 1.0 / factor);
    let e: Vec<f64> = e.iter().map(|e| e * factor).collect();
    chi_square(&o, &e, 0).accept(what, 1e-5);
}

/// With the mean and the variance.
#[track_caller]
fn counts_and_moments<D>(what: &'static str, d: D) -> &'static str
where
    D: LogProb<Value = Array> + Sample + Moments,
{
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_263));
    moments(what, &floats(&draws), [d.mean(), d.variance()].map(|m| floats(&m)[0]));
    counts(what, d)
}

macro_rules! counted {
    ($($check:ident $family:ident::new($($p:expr),*);)+) => {
        const COUNTED: &[&str] = &[$(stringify!($family)),+];

        #[test]
        fn counts_follow_their_distribution() {
            $($check(stringify!($family), $family::new($($p),*));)+
        }
    };
}

counted! {
    counts_and_moments Bernoulli::new(0.3);
    counts_and_moments BernoulliLogits::new(-0.7);
    counts_and_moments BetaBinomial::new(2.0, 3.0, 10);
    counts_and_moments BetaNegativeBinomial::new(2.0, 12.0, 4.0);
    counts_and_moments Binomial::new(40, 0.3);
    counts_and_moments BinomialLogits::new(25, 0.3);
    counts Categorical::new([0.2, 0.3, 0.5]);
    counts CategoricalLogits::new([0.2, 0.3, 0.5]);
    counts_and_moments DiscreteUniform::new(-3, 4);
    counts_and_moments FiniteDiscrete::new([1.0, 4.0, 6.0], [0.25, 0.5, 0.25]);
    counts_and_moments GammaPoisson::new(3.0, 0.5);
    counts_and_moments Geometric::new(0.3);
    counts_and_moments GeometricLogits::new(0.3);
    counts_and_moments NegativeBinomial::new(3.0, 0.4);
    counts_and_moments NegativeBinomial2::new(5.0, 2.0);
    counts_and_moments NegativeBinomialLogits::new(2.0, -0.4);
    counts OrderedLogistic::new(0.3, [-1.0, 0.0, 1.5]);
    counts_and_moments Poisson::new(37.5);
    counts_and_moments ProbitBernoulli::new(0.4);
    counts StoppingRatioLogistic::new([-0.5, 0.5, 0.2], 0.3);
    counts Zipf::new(3.5);
}
