//! Draws of families of vectors and matrices: parts whose distribution is known, means and
//! variances of all entries, and slopes of expectations.

use crate::golden::floats;
use crate::{N, follows};
use probpipe::distributions::*;
use probpipe::prelude::*;

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
    let n = 40_000;
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
pub fn entry(x: &Array, k: usize) -> Array {
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
        pub const VECTORS: &[&str] = &[$(stringify!($family)),+];

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
    [entries] Bates = Bates::new(5, -1.0, 2.0);
        part(x) => x, (y) => Bates::new(5, -1.0, 2.0).cdf(&y);
    [entries slopes] CAR = CAR::new(
        [0.5, 0.0, 1.0], 0.6, 1.5, [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
    );
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
    [] ExpRelaxedOneHotCategorical = ExpRelaxedOneHotCategorical::new(0.8, [0.2, 0.9]);
        part(x) => entry(&x, 1).exp(), (y) => RelaxedBernoulliLogits::new(0.8, 0.7).cdf(&y);
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
    [entries slopes] LinearGaussianSSM = LinearGaussianSSM::new(
        3, [[0.5, 0.2], [0.0, 0.8]], mvn(), [[1.0, -0.5]],
        MultivariateNormal::diagonal([0.5], [0.7]), mvn(),
    );
        // The first observation.
        part(x) => x.reshape([N, 3]).slice_axis(-1, 0..1).squeeze(-1), (y) => {
            // 1 * 0.5 + 0.5 * 1 + 0.5; (1 - 0.25)^2 + 0.4^2 + 0.7^2
            Normal::new(1.5, (0.5625 + 0.16 + 0.49f64).sqrt()).cdf(&y)
        };
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
