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

/// Those whose draws are inverses of incomplete gamma and beta functions, of which a thousand take
/// up to a tenth of a second.
const SLOW: &[&str] =
    &["LeftTruncatedGamma", "RightTruncatedGamma", "TruncatedStudentT", "TwoSidedTruncatedGamma"];

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

/// That draws follow a distribution function. It is asked for at four thousand of the sorted
/// draws, between which it is nearly a line: by less than a tenth of what is a gap for a million.
#[track_caller]
fn follows(what: &str, draws: &[f64], distribution: impl Fn(Array) -> Array) {
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut knots: Vec<f64> = sorted.iter().copied().step_by((draws.len() / 4000).max(1)).collect();
    knots.push(sorted[sorted.len() - 1]);
    let levels = floats(&jit(distribution)(Array::from_slice(&knots, [knots.len()])));
    let at = std::cell::Cell::new(0);
    let line = |x: f64| {
        // Points come in order.
        let mut k = at.get();
        while k + 2 < knots.len() && knots[k + 1] < x {
            k += 1;
        }
        at.set(k);
        let width = knots[k + 1] - knots[k];
        let part = if width > 0.0 { (x - knots[k]) / width } else { 1.0 };
        levels[k] + (levels[k + 1] - levels[k]) * part
    };
    kolmogorov_smirnov(&sorted, line).accept(what, 1e-5);
}

#[test]
fn numbers_follow_their_distribution() {
    for (k, row) in numbers().iter().enumerate() {
        // Both types in turn; the levels of draws are those of the wide one.
        let dtype = if k % 2 == 0 { DType::F32 } else { DType::F64 };
        let what = format!("{} {dtype}", row.name);
        let (p, exact) = (parameters(row, dtype), parameters(row, DType::F64));
        let rounded: Vec<Array> = p.iter().map(|p| p.cast(DType::F64)).collect();
        let n = if SLOW.contains(&row.name) { N / 50 } else { N };
        let (draws, inside) = jit(|key: Key| {
            let x = (row.sample)(&p, key, n);
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
        let n = if SLOW.contains(&row.name) { 500 } else { 20_000 };
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

/// A part of a distribution of vectors or matrices of which the distribution function is known.
struct Part<D> {
    distribution: D,
    /// A number made of each draw.
    of: fn(Array) -> Array,
    /// Its distribution function.
    below: fn(Array) -> Array,
}

/// That this part of draws follows its distribution function.
#[track_caller]
fn part<D: Sample<Value = Array>>(what: &'static str, p: Part<D>) -> &'static str {
    let n = N;
    let numbers =
        jit(|key: Key| (p.of)(p.distribution.sample(key, [n])).cast(DType::F64))(Key::new(20_264));
    assert_eq!(numbers.shape(), [n], "{what}");
    follows(what, &numbers.to_vec::<f64>().unwrap(), p.below);
    what
}

/// That means and variances of all entries of draws are those that are known, by the means of the
/// entries and of their squared distances.
#[track_caller]
fn entries<D: Sample<Value = Array> + Moments>(what: &'static str, d: &D) {
    let n = N;
    let want = [d.mean(), d.variance()];
    let (centre, spread) = (want[0].clone(), want[1].clone());
    let results = jit(|key: Key| {
        let x = d.sample(key, [n]);
        let apart = &x - &centre;
        let squares = apart.square() - &spread;
        let error = |x: &Array| (x.var_axes([0], 1) / n as f64).sqrt();
        (apart.mean_axes([0]), error(&apart), squares.mean_axes([0]), error(&squares))
    })(Key::new(20_265));
    let (means, errors, squares, of_squares) = results;
    for (name, have, error) in [("mean", means, errors), ("variance", squares, of_squares)] {
        for (k, (have, error)) in floats(&have).iter().zip(floats(&error)).enumerate() {
            let allowed = 5.0 * error + 1e-6;
            assert!(have.abs() <= allowed, "{what} {name} [{k}]: {have} off, allowed {allowed}");
        }
    }
}

/// The slopes in all parameters of the mean of `sum(w x + v x^2)` over draws, against those of
/// what it is exactly.
#[track_caller]
fn slopes<D>(what: &'static str, d: &D)
where
    D: Sample<Value = Array> + Moments + Tree + Clone + probpipe::tree::Nest,
{
    let n = 100_000;
    let event = d.event_shape();
    let size: usize = event.iter().product();
    let weights = |phase: f64| {
        let all: Vec<f64> = (0..size).map(|k| (k as f64 * 1.7 + phase).cos()).collect();
        Array::from_slice(&all, event.clone()).cast(DType::F32)
    };
    let (w, v) = (weights(0.3), weights(1.1) * 0.25);
    let axes: Vec<isize> = (1..=event.len() as isize).map(|axis| -axis).collect();
    // In tenths, from which the spread of the whole is known.
    let drawn = |d: D, key: Key| {
        let x = d.sample(key, [n / 10]);
        (&x * &w + x.square() * &v).sum_axes(axes.clone()).mean()
    };
    let exact = |d: D| ((d.mean()) * &w + (d.variance() + d.mean().square()) * &v).sum();
    let want = grad(exact)(d.clone());
    let tenth = jit(|(d, key): (D, Key)| grad(|d: D| drawn(d, key.reuse()))(d));
    let tenths: Vec<Vec<f64>> = (0..10)
        .map(|k| {
            let slope = tenth((d.clone(), Key::new(20_266 + k)));
            probpipe::tree::Flatten::of(&slope)
                .leaves
                .iter()
                .flat_map(|leaf| floats(leaf))
                .collect()
        })
        .collect();
    let want: Vec<f64> =
        probpipe::tree::Flatten::of(&want).leaves.iter().flat_map(|leaf| floats(leaf)).collect();
    for (k, want) in want.iter().enumerate() {
        let have: Vec<f64> = tenths.iter().map(|tenth| tenth[k]).collect();
        let found = have.iter().sum::<f64>() / 10.0;
        let spread = have.iter().map(|x| (x - found).powi(2)).sum::<f64>() / 9.0;
        // The distribution of Student's t with 9 degrees: one of a million is farther out.
        let allowed = 11.0 * (spread / 10.0).sqrt() + 1e-4 * (1.0 + want.abs());
        assert!((found - want).abs() <= allowed, "{what} slope [{k}]: {found}, exactly {want}");
    }
}

/// Entry `k` of vectors.
fn entry(x: &Array, k: usize) -> Array {
    x.slice_axis(-1, k..k + 1).squeeze(-1)
}

/// Entry `(j, k)` of matrices.
fn cell(x: &Array, j: usize, k: usize) -> Array {
    entry(&entry(&x.swap_axes(-1, -2), j), k)
}

macro_rules! vectors {
    ($(
        [$($more:ident)*] $family:ident = $made:expr;
        $(part($x:ident) => $of:expr, ($y:ident) => $below:expr;)?
    )+) => {
        const VECTORS: &[&str] = &[$(stringify!($family)),+];

        #[test]
        fn vectors_follow_their_distribution() {
            $({
                let distribution = $made;
                $($more(stringify!($family), &distribution);)*
                $(part(stringify!($family), Part {
                    distribution,
                    of: |$x| $of,
                    below: |$y| $below,
                });)?
            })+
        }
    };
}

const FACTOR: [[f32; 2]; 2] = [[1.0, 0.0], [0.5, 0.8]];

fn mvn() -> MultivariateNormal {
    MultivariateNormal::from_scale_tril([0.5, -1.0], FACTOR)
}

vectors! {
    [entries slopes] CAR =
        CAR::new([0.5, 0.0, 1.0], 0.6, 1.5, [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
    [entries slopes] CirculantNormal = CirculantNormal::new([0.0, 1.0, 2.0], [2.0, 0.5, 0.5]);
        part(x) => x.sum_axes([-1]), (y) => Normal::new(3.0, 3.0).cdf(&y);
    [entries slopes] Dirichlet = Dirichlet::new([1.5, 0.7, 2.3]);
        part(x) => entry(&x, 0), (y) => Beta::new(1.5, 3.0).cdf(&y);
    [entries] DirichletMultinomial = DirichletMultinomial::new(6, [1.5, 0.7, 2.3]);
    [] EulerMaruyama = EulerMaruyama::new(
        [0.0, 0.5, 1.5],
        |x: &Array, _: &Array| (-x * 0.5, array(0.8)),
        Normal::new(1.0, 0.5),
    );
        part(x) => entry(&x, 2), (y) => {
            // 1 -> 0.75 -> 0.375, with 0.25 -> 0.140625 + 0.32 -> a quarter of it + 0.64
            let variance: f64 = (0.25 * 0.5625 + 0.32) * 0.25 + 0.64;
            Normal::new(0.375, variance.sqrt()).cdf(&y)
        };
    [entries] GaussianCopula =
        GaussianCopula::new(Gumbel::new([0.0, 1.0], [1.0, 2.0]), [[1.0, 0.6], [0.6, 1.0]]);
        part(x) => entry(&x, 1), (y) => Gumbel::new(1.0, 2.0).cdf(&y);
    [entries slopes] GaussianRandomWalk = GaussianRandomWalk::new(array(1.5), 3);
        part(x) => entry(&x, 2), (y) => Normal::new(0.0, 1.5 * 3f64.sqrt()).cdf(&y);
    [entries slopes] GaussianStateSpace =
        GaussianStateSpace::new(3, [[0.5, 0.2], [0.0, 0.8]], FACTOR, [1.0, -1.0]);
    [entries] InverseWishart = InverseWishart::from_scale_tril(12.0, FACTOR);
        part(x) => cell(&x, 0, 0), (y) => InverseGamma::new(5.5, 0.5).cdf(&y);
    [] InverseWishartCholesky = InverseWishartCholesky::from_scale_tril(8.0, FACTOR);
        part(x) => cell(&x, 0, 0).square(), (y) => InverseGamma::new(3.5, 0.5).cdf(&y);
    [entries] LKJ = LKJ::new(3, array(1.5));
        // A correlation is 2 b - 1 of beta numbers of the parameters concentration - 1 + d/2.
        part(x) => cell(&x, 2, 1), (y) => Beta::new(2.0, 2.0).cdf(&((y + 1.0) * 0.5));
    [] LKJCholesky = LKJCholesky::new(3, array(1.5));
        part(x) => cell(&x, 1, 0), (y) => Beta::new(2.0, 2.0).cdf(&((y + 1.0) * 0.5));
    [entries slopes] LowRankMultivariateNormal =
        LowRankMultivariateNormal::new([0.5, 0.0, 1.0], [[1.0], [0.5], [-1.0]], [1.0, 0.5, 2.0]);
        part(x) => x.sum_axes([-1]), (y) => Normal::new(1.5, (0.25 + 3.5f64).sqrt()).cdf(&y);
    [entries slopes] MatrixNormal =
        MatrixNormal::new([[0.5, 0.0], [1.0, -1.0]], FACTOR, [[0.7, 0.0], [-0.3, 1.1]]);
    [entries] MatrixT = MatrixT::new(
        12.0, [[0.5, 0.0, 1.0], [1.0, -1.0, 0.0]], FACTOR,
        [[0.7, 0.0, 0.0], [-0.3, 1.1, 0.0], [0.0, 0.4, 1.0]],
    );
        // Each entry has the distribution of Student's t, of the scale over the degrees of freedom.
        part(x) => cell(&x, 0, 1), (y) => {
            let scale: f64 = 0.09f64 + 1.21;
            StudentT::new(12.0, 0.0, (scale / 12.0).sqrt()).cdf(&y)
        };
    [entries] Multinomial = Multinomial::new(6, [0.2, 0.3, 0.5]);
    [entries] MultinomialLogits = MultinomialLogits::new(6, [0.2, 0.3, 0.5]);
    [entries slopes] MultivariateNormal = mvn();
        part(x) => x.sum_axes([-1]), (y) => Normal::new(-0.5, (2.25f64 + 0.64).sqrt()).cdf(&y);
    [entries slopes] MultivariateStudentT = MultivariateStudentT::new(14.0, [0.5, -1.0], FACTOR);
        part(x) => entry(&x, 1), (y) => {
            StudentT::new(14.0, -1.0, (0.25f64 + 0.64).sqrt()).cdf(&y)
        };
    [entries] OneHotCategorical = OneHotCategorical::new([0.2, 0.3, 0.5]);
    [entries] PowerSpherical = PowerSpherical::new([0.6, 0.0, 0.8], 4.0);
        // (1 + t) / 2 along the mean direction is a beta number
        part(x) => entry(&x, 0) * 0.6 + entry(&x, 2) * 0.8,
            (y) => Beta::new(5.0, 1.0).cdf(&((y + 1.0) * 0.5).minimum(1.0));
    [] ProjectedNormal = ProjectedNormal::new([0.0, 0.7, 0.0]);
        // Across the mean directions are alike.
        part(x) => entry(&x, 0).atan2(entry(&x, 2)),
            (y) => y / (2.0 * std::f64::consts::PI) + 0.5;
    [] RelaxedOneHotCategorical = RelaxedOneHotCategorical::new(0.8, [0.2, 0.9]);
        part(x) => entry(&x, 1), (y) => RelaxedBernoulliLogits::new(0.8, 0.7).cdf(&y);
    [] SineBivariateVonMises = SineBivariateVonMises::new(0.5, -1.0, 2.0, 3.0, 0.0);
        part(x) => entry(&x, 0), (y) => VonMises::new(0.5, 2.0).cdf(&y);
    [entries] SphericalUniform = SphericalUniform::new(3);
        part(x) => entry(&x, 1), (y) => (y + 1.0) * 0.5;
    [entries] VonMisesFisher = VonMisesFisher::new([0.6, 0.0, 0.8], 4.0);
        part(x) => entry(&x, 0) * 0.6 + entry(&x, 2) * 0.8, (y) => {
            // (exp(k t) - exp(-k)) / (exp(k) - exp(-k))
            ((y + 1.0) * 4.0).expm1() / 8f64.exp_m1()
        };
    [entries slopes] Wishart = Wishart::from_scale_tril(5.0, FACTOR);
        part(x) => cell(&x, 0, 0), (y) => Chi2::new(5.0).cdf(&y);
    [entries slopes] WishartCholesky = WishartCholesky::from_scale_tril(5.0, FACTOR);
        part(x) => cell(&x, 0, 0).square(), (y) => Chi2::new(5.0).cdf(&y);
    [entries slopes] ZeroSumNormal = ZeroSumNormal::new(array(1.5), [4]);
        part(x) => entry(&x, 0), (y) => Normal::new(0.0, 1.5 * 0.75f64.sqrt()).cdf(&y);
}

/// Frequencies of directions on a circle, and of two angles, in cells whose probabilities are sums
/// over the densities of many points.
#[test]
fn directions_follow_their_densities() {
    use std::f64::consts::{PI, TAU};
    fn circle<D: LogProb<Value = Array> + Sample>(what: &str, d: D) {
        let (cells, fine) = (50usize, 40usize);
        let step = TAU / (cells * fine) as f64;
        let angles: Vec<f64> = (0..cells * fine).map(|k| (k as f64 + 0.5) * step - PI).collect();
        let at = Array::from_slice(&angles, [angles.len()]);
        let x = stack([at.cos(), at.sin()], -1);
        let density = floats(&d.prob(&x.cast(DType::F32)));
        let expected: Vec<f64> =
            density.chunks(fine).map(|part| part.iter().sum::<f64>() * step * N as f64).collect();
        let draws = jit(|key: Key| {
            let x = d.sample(key, [N]);
            entry(&x, 1).atan2(entry(&x, 0))
        })(Key::new(20_267));
        let mut observed = vec![0u64; cells];
        for angle in floats(&draws) {
            let cell = ((angle + PI) / TAU * cells as f64) as usize;
            observed[cell.min(cells - 1)] += 1;
        }
        cells_follow(what, observed, expected);
    }
    circle("VonMisesFisher", VonMisesFisher::new([0.6, 0.8], 3.0));
    circle("PowerSpherical", PowerSpherical::new([0.6, 0.8], 3.0));
    circle("ProjectedNormal", ProjectedNormal::new([0.6, -0.8]));
    circle("SphericalUniform", SphericalUniform::new(2));
    fn torus<D: LogProb<Value = Array> + Sample>(what: &str, d: D) {
        let (cells, fine) = (12usize, 16usize);
        let n = cells * fine;
        let step = TAU / n as f64;
        let line = (probpipe::arange(n).cast(DType::F32) + 0.5) * step - PI;
        let first = line.expand_dims(-1).broadcast_to([n, n]);
        let second = line.expand_dims(0).broadcast_to([n, n]);
        let density = floats(&d.prob(&stack([first, second], -1)));
        let mut expected = vec![0.0; cells * cells];
        for (k, p) in density.iter().enumerate() {
            expected[k / n / fine * cells + k % n / fine] += p * step * step * N as f64;
        }
        let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_268));
        let place = |angle: f64| (((angle + PI) / TAU * cells as f64) as usize).min(cells - 1);
        let mut observed = vec![0u64; cells * cells];
        for both in floats(&draws).chunks(2) {
            observed[place(both[0]) * cells + place(both[1])] += 1;
        }
        cells_follow(what, observed, expected);
    }
    torus("SineBivariateVonMises", SineBivariateVonMises::new(0.5, -1.0, 1.5, 2.5, 1.2));
    torus("two modes", SineBivariateVonMises::new(0.5, -1.0, 0.8, 1.5, -2.5));
    let angles = Independent::new(VonMises::new([0.5, -1.0], [1.5, 0.8]), 1);
    torus("SineSkewed", SineSkewed::new(angles, [0.6, -0.3]));
}

/// All orders of three things.
#[test]
fn orders_follow_their_distribution() {
    let d = PlackettLuce::new([1.0, 2.5, 0.7]);
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_269)).to_vec::<i32>().unwrap();
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut observed = vec![0u64; 6];
    for order in draws.chunks(3) {
        observed[orders.iter().position(|o| o[..] == *order).expect("an order of three")] += 1;
    }
    let probs = floats(&d.prob(&array(orders)));
    cells_follow("PlackettLuce", observed, probs.iter().map(|p| p * N as f64).collect());
}

/// Those whose draws have points of more than no probability, or a series for their density.
#[test]
fn mixed_and_sure_draws() {
    for (what, gate, x, below) in [
        (
            "HurdleGamma",
            0.25,
            HurdleGamma::new(0.25, 2.0, 1.0).sample(Key::new(1), N),
            (|y| Gamma::new(2.0, 1.0).cdf(&y)) as fn(Array) -> Array,
        ),
        ("HurdleLogNormal", 0.4, HurdleLogNormal::new(0.4, 0.5, 0.7).sample(Key::new(2), N), |y| {
            LogNormal::new(0.5, 0.7).cdf(&y)
        }),
    ] {
        let draws = floats(&x);
        let some: Vec<f64> = draws.iter().copied().filter(|&x| x > 0.0).collect();
        let none = (draws.len() - some.len()) as u64;
        let expected = [gate * N as f64, (1.0 - gate) * N as f64];
        chi_square(&[none, some.len() as u64], &expected, 0).accept(what, 1e-5);
        follows(what, &some, below);
    }
    // Eight summands of the series of PG(1, 0), each with its mean and variance.
    let draws = floats(&jit(|key: Key| TruncatedPolyaGamma::new().sample(key, N))(Key::new(3)));
    let part = |k: i32| 0.5 / (std::f64::consts::PI * (f64::from(k) + 0.5)).powi(2);
    let centre: f64 = (0..8).map(part).sum();
    let spread: f64 = (0..8).map(|k| part(k).powi(2)).sum();
    moments("TruncatedPolyaGamma", &draws, [centre, spread]);
    let sure = Delta::new(1.5).sample(Key::new(0), 3);
    assert_eq!(sure.to_vec::<f32>().unwrap(), [1.5; 3]);
}

/// What the last tests are about.
const OTHERS: &[&str] =
    &["Delta", "HurdleGamma", "HurdleLogNormal", "PlackettLuce", "TruncatedPolyaGamma"];

#[test]
fn no_family_is_forgotten() {
    let numbers = numbers();
    let mut tested: Vec<&str> = numbers.iter().map(|row| row.name).collect();
    tested.extend([COUNTED, VECTORS, OTHERS].concat());
    for family in FAMILIES {
        assert!(tested.contains(&family.name), "no draws of {} are tested", family.name);
    }
}
