//! Where densities and masses are largest: counts against exact rational arithmetic on the same
//! numbers, ends and peaks against values of mpmath, and all against their own densities; and
//! entropies against mpmath. On the interpreter, compiled, and in both float types.

mod golden;

use golden::floats;
use probpipe::distributions::*;
use probpipe::prelude::*;

/// One value: what it is, the parameters, the mode and its density of them, and the value.
type Row = (&'static str, Vec<f64>, fn(&[Array]) -> [Array; 2], f64);

/// Rows as one reads them: parameters and the mode that they have.
macro_rules! rows {
    ($($family:ident($($p:expr),+) = $want:expr;)+) => {
        vec![$({
            fn of(p: &[Array]) -> [Array; 2] {
                let mut p = p.iter();
                let mut next = |_: f64| p.next().expect("a parameter");
                let d = $family::new($(next($p)),+);
                let mode = d.mode();
                let density = d.log_prob(&mode);
                [mode, density]
            }
            let text = stringify!($family($($p),+));
            (text, vec![$($p),+], of as fn(&[Array]) -> [Array; 2], $want)
        }),+]
    };
}

/// Modes to a relative tolerance in `f64`; in `f32` against what `f64` says of the same numbers.
fn check(tolerance: f64, rows: Vec<Row>) {
    let mut misses = Vec::new();
    for (what, at, of, want) in rows {
        let scalars = |dtype: DType| -> Vec<Array> {
            at.iter().map(|&x| Array::from(x).cast(dtype)).collect()
        };
        let compiled = |p: Vec<Array>| jit(|p: Vec<Array>| of(&p))(p);
        let wide = scalars(DType::F64);
        for [mode, density] in [of(&wide), compiled(wide)] {
            assert_eq!((mode.dtype(), mode.shape()), (DType::F64, &[][..]), "{what}");
            let have = floats(&mode)[0];
            let close = (have - want).abs() <= tolerance * want.abs();
            if !(close || have.is_nan() && want.is_nan()) {
                misses.push(format!("{what}: {have:e}, not {want:e}"));
            }
            assert!(want.is_nan() || !floats(&density)[0].is_nan(), "{what}: {density}");
        }
        let narrow = scalars(DType::F32);
        let rounded: Vec<Array> = narrow.iter().map(|x| x.cast(DType::F64)).collect();
        let [mode, _] = compiled(narrow);
        let (have, want) = (floats(&mode)[0], floats(&of(&rounded)[0])[0]);
        let allowed = (tolerance * 1e8).max(f64::from(f32::EPSILON)) * want.abs();
        if (have - want).abs() > allowed && want.abs() < 1e38 || mode.dtype() != DType::F32 {
            misses.push(format!("{what} in f32: {have:e}, not {want:e}"));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// Of equally probable counts the largest is asked for; where parameters are not what they are
/// written as (`10 * 0.3` is less than 3), what they are counts.
#[test]
fn modes_of_counts() {
    check(
        0.0,
        rows! {
            Bernoulli(0.5) = 0.0;
            Bernoulli(0.500_000_000_1) = 1.0;
            Bernoulli(1.0) = 1.0;
            BernoulliLogits(0.0) = 0.0;
            BernoulliLogits(1e-300) = 1.0;
            BernoulliLogits(-800.0) = 0.0;
            ProbitBernoulli(0.0) = 0.0;
            ProbitBernoulli(1e-30) = 1.0;
            ProbitBernoulli(-50.0) = 0.0;
            Binomial(0.0, 0.3) = 0.0;
            Binomial(1.0, 0.5) = 1.0;
            Binomial(9.0, 0.3) = 2.0;
            Binomial(9.0, 0.1) = 1.0;
            Binomial(9.0, 0.7) = 6.0;
            Binomial(10.0, 0.3) = 3.0;
            Binomial(10.0, 0.0) = 0.0;
            Binomial(10.0, 1.0) = 10.0;
            Binomial(19.0, 0.15) = 2.0;
            Binomial(99.0, 0.29) = 28.0;
            Binomial(1_000_000.0, 0.3) = 300_000.0;
            Binomial(999_999.0, 0.7) = 699_999.0;
            Binomial(999_999_999.0, 0.1) = 100_000_000.0;
            Binomial(999_999_999_999.0, 0.3) = 299_999_999_999.0;
            Poisson(0.3) = 0.0;
            Poisson(1.0) = 1.0;
            Poisson(2.0) = 2.0;
            Poisson(3.7) = 3.0;
            Poisson(1_000_000_000.5) = 1_000_000_000.0;
            NegativeBinomial(0.5, 0.9) = 0.0;
            NegativeBinomial(1.0, 0.5) = 0.0;
            NegativeBinomial(3.0, 0.5) = 2.0;
            NegativeBinomial(4.0, 0.25) = 1.0;
            NegativeBinomial(7.0, 0.4) = 4.0;
            NegativeBinomial(7.0, 0.6) = 8.0;
            NegativeBinomial(11.0, 0.9) = 90.0;
            NegativeBinomial(2.5, 0.0) = 0.0;
            NegativeBinomial(1_000_000.0, 0.3) = 428_570.0;
            NegativeBinomial(1.5, 0.999_999) = 499_999.0;
            NegativeBinomial(1.1, 0.909_090_909_090_909_1) = 1.0;
            GammaPoisson(0.5, 0.001) = 0.0;
            GammaPoisson(1.0, 1.0) = 0.0;
            GammaPoisson(3.0, 0.5) = 4.0;
            GammaPoisson(3.0, 0.1) = 19.0;
            GammaPoisson(4.0, 0.3) = 10.0;
            GammaPoisson(2.2, 0.4) = 3.0;
            GammaPoisson(7.0, 0.6) = 10.0;
            GammaPoisson(1_000_000.0, 3.0) = 333_333.0;
            GammaPoisson(1.3, 0.1) = 3.0;
            NegativeBinomial2(4.0, 0.5) = 0.0;
            NegativeBinomial2(4.0, 2.0) = 2.0;
            NegativeBinomial2(3.0, 3.0) = 2.0;
            NegativeBinomial2(0.1, 7.0) = 0.0;
            NegativeBinomial2(1_000_000.0, 1.1) = 90_909.0;
            NegativeBinomial2(2.1, 3.0) = 1.0;
            NegativeBinomial2(0.6, 1.5) = 0.0;
            BetaBinomial(1.0, 1.0, 4.0) = 4.0;
            BetaBinomial(2.0, 2.0, 10.0) = 5.0;
            BetaBinomial(2.0, 3.0, 5.0) = 2.0;
            BetaBinomial(2.0, 2.0, 9.0) = 5.0;
            BetaBinomial(1.1, 1.2, 5.0) = 2.0;
            BetaBinomial(0.5, 0.5, 6.0) = 6.0;
            BetaBinomial(0.5, 0.6, 6.0) = 0.0;
            BetaBinomial(0.6, 0.5, 6.0) = 6.0;
            BetaBinomial(0.5, 3.0, 6.0) = 0.0;
            BetaBinomial(3.0, 0.5, 6.0) = 6.0;
            BetaBinomial(0.5, 1.5, 6.0) = 0.0;
            BetaBinomial(1.5, 0.5, 6.0) = 6.0;
            BetaBinomial(1.0, 3.0, 6.0) = 0.0;
            BetaBinomial(3.0, 1.0, 6.0) = 6.0;
            BetaBinomial(1.0, 0.2, 6.0) = 6.0;
            BetaBinomial(0.2, 1.0, 6.0) = 0.0;
            BetaBinomial(1.5, 1.0, 6.0) = 6.0;
            BetaBinomial(2.0, 5.0, 0.0) = 0.0;
            BetaBinomial(30.0, 70.0, 999.0) = 295.0;
            BetaBinomial(0.3, 1.2, 7.0) = 0.0;
            BetaBinomial(1.2, 0.3, 7.0) = 7.0;
            BetaBinomial(1.7, 2.3, 1.0) = 0.0;
            BetaNegativeBinomial(2.0, 3.0, 4.0) = 0.0;
            BetaNegativeBinomial(0.5, 3.0, 0.5) = 0.0;
            BetaNegativeBinomial(0.001, 0.001, 0.001) = 0.0;
            BetaNegativeBinomial(0.5, 3.0, 9.0) = 0.0;
            BetaNegativeBinomial(9.0, 3.0, 0.5) = 0.0;
            BetaNegativeBinomial(5.0, 3.0, 9.0) = 8.0;
            BetaNegativeBinomial(5.0, 0.5, 9.0) = 21.0;
            BetaNegativeBinomial(4.1, 2.1, 3.1) = 2.0;
            BetaNegativeBinomial(30.0, 2.0, 12.0) = 106.0;
            BetaNegativeBinomial(1.0, 2.0, 7.0) = 0.0;
            BetaNegativeBinomial(5.0, 1.0, 5.0) = 8.0;
            BinomialLogits(9.0, 0.0) = 5.0;
            BinomialLogits(10.0, 0.5) = 6.0;
            BinomialLogits(10.0, -900.0) = 0.0;
            BinomialLogits(10.0, 900.0) = 10.0;
            NegativeBinomialLogits(3.0, 0.0) = 2.0;
            NegativeBinomialLogits(0.5, 800.0) = 0.0;
            NegativeBinomialLogits(1.0, 800.0) = 0.0;
            NegativeBinomialLogits(5.5, 2.0) = 33.0;
            NegativeBinomialLogits(5.5, -800.0) = 0.0;
            NegativeBinomial(0.5, 1.0) = f64::NAN;
            NegativeBinomial(5.0, 1.0) = f64::NAN;
            Geometric(0.3) = 0.0;
            Geometric(1.0) = 0.0;
            Geometric(0.0) = f64::NAN;
            GeometricLogits(-700.0) = 0.0;
        },
    );
}

/// No neighbour is more probable, nor any count of a list.
#[test]
fn no_count_is_more_probable_than_the_mode() {
    fn best(what: &str, d: impl LogProb<Value = Array> + Mode) {
        let counts = arange(60).cast(DType::F64).expand_dims(-1);
        let mode = d.mode();
        let all = floats(&d.log_prob(&counts).max_axes([0]));
        for (at, (have, best)) in floats(&d.log_prob(&mode)).into_iter().zip(all).enumerate() {
            assert!(have >= best - 1e-12 * best.abs().max(1.0), "{what} {at}: {have}, {best}");
        }
    }
    let wide = |x: Array| x.cast(DType::F64);
    let shape = || wide(array([0.2, 0.7, 1.0, 1.3, 2.0, 3.7, 5.0, 8.0]));
    let other = |k: usize| wide(array([0.3, 0.9, 1.0, 1.1, 2.5, 4.0, 6.5, 7.0][k]));
    let chance = |k: usize| wide(array([0.01, 0.2, 0.3, 0.45, 0.5, 0.6, 0.75, 0.8][k]));
    for k in 0..8 {
        best("Poisson", Poisson::new(shape() * other(k)));
        best("Binomial", Binomial::new(59, shape() * other(k) * 0.01));
        best("BinomialLogits", BinomialLogits::new(59, shape() - other(k)));
        best("NegativeBinomial", NegativeBinomial::new(shape(), chance(k)));
        best("NegativeBinomial2", NegativeBinomial2::new(shape(), other(k)));
        best("NegativeBinomialLogits", NegativeBinomialLogits::new(shape(), chance(k)));
        best("GammaPoisson", GammaPoisson::new(shape(), other(k)));
        best("BetaBinomial", BetaBinomial::new(shape(), other(k), 59));
        best("BetaNegativeBinomial", BetaNegativeBinomial::new(shape(), other(k), 3.5));
        let cuts = stack([-other(k), other(k) * 0.2, other(k)], -1);
        let categories = OrderedLogistic::new(shape() - 3.0, &cuts);
        best("OrderedLogistic", categories);
        best("StoppingRatioLogistic", StoppingRatioLogistic::new(&cuts, shape() - 3.0));
    }
}

#[test]
fn modes_of_categories() {
    let same = |have: Array, want: &[f64]| assert_eq!(floats(&have), want, "{have}");
    let probs = array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [0.0, 0.0, 1.0]]);
    same(Categorical::new(&probs).mode(), &[1.0, 0.0, 2.0]);
    same(jit(|p: Array| Categorical::new(&p).mode())(probs), &[1.0, 0.0, 2.0]);
    let logits = array([[-1000.0, 0.0, -0.5], [3.0, 3.0, 3.0]]);
    same(Categorical::from_logits(&logits).mode(), &[1.0, 0.0]);
    // sigmoid(-1) of the ends, more of the middle; and cut points far to one side.
    same(OrderedLogistic::new(array([0.0, 9.0, -9.0]), [-1.0, 1.0]).mode(), &[1.0, 2.0, 0.0]);
    same(StoppingRatioLogistic::new([0.0, 0.0], array([0.0, 1.0])).mode(), &[0.0, 2.0]);
    let wide = Categorical::new(array([0.2, 0.8]).cast(DType::F64)).mode();
    assert_eq!((wide.dtype(), wide.shape()), (DType::F64, &[][..]));
}

/// Where parameters are not known to fit: NaN of NaN, and no derivatives anywhere.
#[test]
fn modes_do_not_move() {
    let nan = jit(|p: Array| {
        vec![
            Bernoulli::new(&p).mode(),
            BernoulliLogits::new(&p).mode(),
            BetaBinomial::new(&p, 2.0, 5).mode(),
            BetaBinomial::new(0.5, &p, 5).mode(),
            BetaNegativeBinomial::new(2.0, &p, 5.0).mode(),
            Binomial::new(5, &p).mode(),
            BinomialLogits::new(5, &p).mode(),
            Categorical::new(stack([&p, &p], -1)).mode(),
            GammaPoisson::new(&p, 1.0).mode(),
            GammaPoisson::new(0.5, &p).mode(),
            Geometric::new(&p).mode(),
            GeometricLogits::new(&p).mode(),
            NegativeBinomial::new(&p, 0.5).mode(),
            NegativeBinomial::new(0.5, &p).mode(),
            NegativeBinomial2::new(&p, 0.5).mode(),
            NegativeBinomialLogits::new(0.5, &p).mode(),
            OrderedLogistic::new(&p, [0.0, 1.0]).mode(),
            Poisson::new(&p).mode(),
            ProbitBernoulli::new(&p).mode(),
            StoppingRatioLogistic::new([0.0, 1.0], &p).mode(),
        ]
    })(array(f64::NAN).cast(DType::F64));
    for (at, mode) in nan.iter().enumerate() {
        assert!(floats(mode)[0].is_nan(), "{at}: {mode}");
    }
    let slope = |f: fn(Array) -> Array, at: f64| floats(&grad(f)(array(at).cast(DType::F64)))[0];
    assert_eq!(slope(|p| Binomial::new(9, &p).mode(), 0.4), 0.0);
    assert_eq!(slope(|p| BetaBinomial::new(&p, 3.0, 9).mode(), 4.0), 0.0);
    assert_eq!(slope(|p| NegativeBinomial::new(3.5, &p).mode(), 0.4), 0.0);
    assert_eq!(slope(|p| GammaPoisson::new(3.5, &p).mode(), 0.4), 0.0);
    assert_eq!(slope(|p| Bernoulli::new(&p).mode(), 0.4), 0.0);
}

#[test]
fn modes_of_numbers() {
    check(
        3e-14,
        rows! {
            ContinuousBernoulli(2.0) = 1.0;
            ContinuousBernoulli(-1e-9) = 0.0;
            ContinuousBernoulli(0.0) = 0.0;
            ExponentiallyModifiedGaussian(0.0, 1.0, 1e-30) = 11.675_496_927_892_764;
            ExponentiallyModifiedGaussian(0.0, 1.0, 1e-3) = 3.461_949_557_226_205_3;
            ExponentiallyModifiedGaussian(0.0, 1.0, 0.7) = 0.858_158_282_671_353_3;
            ExponentiallyModifiedGaussian(0.0, 1.0, 0.9) = 0.743_667_424_724_244_5;
            ExponentiallyModifiedGaussian(0.0, 1.0, 1.0) = 0.697_369_159_288_427_2;
            ExponentiallyModifiedGaussian(0.0, 1.0, 3.9) = 0.242_719_056_150_052_38;
            ExponentiallyModifiedGaussian(0.0, 1.0, 4.1) = 0.231_923_490_719_396_5;
            ExponentiallyModifiedGaussian(0.0, 1.0, 30.0) = 0.033_296_459_683_224_2;
            ExponentiallyModifiedGaussian(0.0, 1.0, 1e4) = 9.999_999_900_000_004e-5;
            ExponentiallyModifiedGaussian(-3.0, 0.5, 2.5) = -2.698_291_652_702_756;
            ExponentiallyModifiedGaussian(2.0, 10.0, 40.0) = 2.024_999_843_753_906;
            TruncatedCauchy(0.5, 1.5, -1.0, 3.0) = 0.5;
            TruncatedLaplace(0.5, 1.5, 1.0, 3.0) = 1.0;
            TruncatedLogistic(0.5, 1.5, 1.0) = 1.0;
            TruncatedLogistic(0.5, 1.5, -1.0) = 0.5;
            TruncatedStudentT(3.5, 4.5, 1.5, -1.0, 3.0) = 3.0;
        },
    );
    let at = |r: Array| ExponentiallyModifiedGaussian::new(0.0, 1.0, &r).mode();
    for r in [0.3, 3.0, 9.0] {
        let r = array(r).cast(DType::F64);
        let slope = floats(&grad(at)(r.clone()));
        let want = probpipe_testing::differences(at, &r);
        golden::assert_close("slope", &slope, &want, 1e-7, 0.0);
    }
}

/// That no neighbour of the mode on lower triangles has more density, nor one along a line of all.
fn peaked(what: &str, d: impl LogProb<Value = Array> + Mode, symmetric: bool, steps: bool) {
    let mode = d.mode();
    assert_eq!(mode.dtype(), DType::F64, "{what}");
    let best = floats(&d.log_prob(&mode))[0];
    for k in 0..8 {
        let noise = normal(Key::new(k), mode.shape()).cast(DType::F64) * 0.01;
        let noise = if symmetric { &noise + noise.swap_axes(-1, -2) } else { noise.tril() };
        // Correlations have ones on the diagonal, and their factors rows of length 1.
        let moved = if steps { &mode + noise } else { with_ones(&mode + noise, symmetric) };
        let other = floats(&d.log_prob(&moved))[0];
        assert!(other < best && other > best - 1.0, "{what} {k}: {other}, {best}");
    }
}

fn with_ones(x: Array, symmetric: bool) -> Array {
    let rows = x.square().sum_axes([-1]).sqrt().expand_dims(-1);
    let unit = if symmetric { x.tril_offset(-1) + x.tril_offset(-1).transpose() } else { x / rows };
    if symmetric { unit + eye(3) } else { unit }
}

#[test]
fn modes_of_matrices() {
    let wide = |x: Array| x.cast(DType::F64);
    let scale = wide(array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 1.5]]));
    peaked("Wishart", Wishart::new(6.5, &scale), true, true);
    peaked("WishartCholesky", WishartCholesky::new(6.5, &scale), false, true);
    peaked("InverseWishart", InverseWishart::new(2.5, &scale), true, true);
    peaked("InverseWishartCholesky", InverseWishartCholesky::new(2.5, &scale), false, true);
    peaked("LKJ", LKJ::new(3, wide(array(2.5))), true, false);
    peaked("LKJCholesky", LKJCholesky::new(3, wide(array(2.5))), false, false);
    let same =
        |have: Array, want: &[f64]| golden::assert_close("", &floats(&have), want, 1e-6, 0.0);
    same(Wishart::new(5.0, [[4.0, 2.0], [2.0, 2.0]]).mode(), &[8.0, 4.0, 4.0, 4.0]);
    same(Wishart::new(3.0, eye(2)).mode(), &[0.0; 4]);
    same(InverseWishart::new(5.0, eye(2)).mode(), &[0.125, 0.0, 0.0, 0.125]);
    same(WishartCholesky::new(6.0, eye(2)).mode(), &[5f64.sqrt(), 0.0, 0.0, 2.0]);
    let nan = |x: Array| floats(&x).iter().all(|x| x.is_nan());
    assert!(nan(Wishart::new(2.9, eye(2)).mode()), "no bound");
    assert!(floats(&WishartCholesky::new(1.9, eye(2)).mode()).iter().any(|x| x.is_nan()));
    assert!(nan(LKJ::new(3, 1.0).mode()) && nan(LKJCholesky::new(3, 0.5).mode()));
    let many = LKJ::new(3, array([2.0, 0.5])).mode();
    assert_eq!(many.shape(), [2, 3, 3]);
    assert_eq!(floats(&many.at(0)), floats(&eye(3)));
    let batch = Wishart::new(array([3.0, 5.0, 2.0]), eye(2)).mode();
    assert_eq!(batch.shape(), [3, 2, 2]);
    same(batch.at(1), &[2.0, 0.0, 0.0, 2.0]);
}

#[test]
fn modes_of_normal_vectors() {
    let loc = array([0.5, -1.0, 2.0]);
    let same = |have: Array, want: &[f64]| assert_eq!(floats(&have), want, "{have}");
    same(CirculantNormal::new(&loc, [2.0, 0.5, 0.5]).mode(), &[0.5, -1.0, 2.0]);
    let adjacency = [[0.0, 1.0], [1.0, 0.0]];
    same(CAR::new([1.0, 2.0], 0.5, 2.0, adjacency).mode(), &[1.0, 2.0]);
    let low = LowRankMultivariateNormal::new(&loc, ones([3, 1]), ones([3]));
    same(low.mode(), &[0.5, -1.0, 2.0]);
    same(GaussianRandomWalk::new(2.0, 2).mode(), &[0.0; 2]);
    same(ZeroSumNormal::new(2.0, [3]).mode(), &[0.0; 3]);
    let each = Independent::new(Poisson::new(array([1.5, 0.3])), 1);
    same(each.mode(), &[1.0, 0.0]);
    assert_eq!(Expanded::new(Poisson::new(1.5), [2, 3]).mode().shape(), [2, 3]);
}

/// An entropy of parameters, and its value.
type Entropies<'a> = (&'a str, Vec<Array>, fn(&[Array]) -> Array, f64);

fn check_entropies(tolerance: f64, rows: Vec<Entropies<'_>>) {
    for (what, p, of, want) in rows {
        let wide: Vec<Array> = p.iter().map(|p| p.cast(DType::F64)).collect();
        for have in [of(&wide), jit(|p: Vec<Array>| of(&p))(wide.clone())] {
            let what = format!("{what} of {p:?}");
            assert_eq!((have.dtype(), have.shape()), (DType::F64, &[][..]), "{what}");
            golden::assert_close(&what, &floats(&have), &[want], tolerance, 1e-300);
        }
        let slopes = grad(|p: Vec<Array>| of(&p))(wide.clone());
        for (k, slope) in slopes.iter().enumerate() {
            assert!(floats(slope).iter().all(|s| s.is_finite()), "{what} of {p:?}: {k} {slope}");
        }
    }
}

#[test]
fn entropies_of_numbers() {
    let scalar = |x: f64| Array::from_slice(&[x], [0usize; 0]);
    let vector = |x: &[f64]| Array::from_slice(x, [x.len()]);
    let mut rows: Vec<Entropies<'_>> = Vec::new();
    for (t, want) in [
        (0.0, 0.0),
        (1e-3, -4.166_666_562_500_003e-8),
        (0.3, -0.003_741_582_541_935_467_2),
        (-0.99, -0.039_862_172_904_243_99),
        (1.01, -0.041_448_693_712_359_86),
        (-5.0, -0.650_116_936_415_11),
        (40.0, -2.688_879_454_113_936_7),
        (1e5, -10.512_925_464_970_229),
        (-1e8, -17.420_680_743_952_367),
    ] {
        let of = |p: &[Array]| ContinuousBernoulli::new(&p[0]).entropy();
        rows.push(("ContinuousBernoulli", vec![scalar(t)], of, want));
    }
    for (predictor, cuts, want) in [
        (0.3, &[-1.0, 0.5][..], 1.055_751_341_961_89),
        (30.0, &[-1.0, 0.5], 4.787_472_952_134_138e-12),
        (0.0, &[-1e-9, 1e-9], 0.693_147_191_421_578_2),
        (-800.0, &[0.0, 1.0], 0.0),
        (2.0, &[-1.0, 0.0, 3.0], 0.987_426_327_020_532_1),
    ] {
        let of = |p: &[Array]| OrderedLogistic::new(&p[0], &p[1]).entropy();
        rows.push(("OrderedLogistic", vec![scalar(predictor), vector(cuts)], of, want));
    }
    for (cuts, loc, want) in [
        (&[-1.0, 0.5][..], 0.3, 1.060_212_662_772_901_4),
        (&[0.0, 0.0], 40.0, 3.483_650_489_339_103e-16),
        (&[0.0, 0.0], -40.0, 1.741_825_244_669_551_4e-16),
        (&[3.0, -2.0, 0.1], 0.0, 0.237_093_637_146_788_94),
        (&[0.0], 900.0, 0.0),
    ] {
        let of = |p: &[Array]| StoppingRatioLogistic::new(&p[0], &p[1]).entropy();
        rows.push(("StoppingRatioLogistic", vec![vector(cuts), scalar(loc)], of, want));
    }
    for (shape, want) in [
        (9.5, 2.508_561_471_372_197_5),
        (12.0, 2.633_029_366_139_953_5),
        (100.0, 3.718_181_948_504_746_3),
        (1e10, 12.931_863_998_141_568),
    ] {
        let of = |p: &[Array]| Gamma::new(&p[0], 1.0).entropy();
        rows.push(("Gamma", vec![scalar(shape)], of, want));
    }
    check_entropies(2e-14, rows);
}

#[test]
fn entropies_of_vectors() {
    let scalar = |x: f64| Array::from_slice(&[x], [0usize; 0]);
    let diagonal = |x: &[f64]| Array::from_slice(x, [x.len()]).expand_dims(-1) * eye(x.len());
    let mut rows: Vec<Entropies<'_>> = Vec::new();
    for (df, two, one) in [
        (0.3, 9.281_400_181_761_803, 5.838_705_834_064_337),
        (1.0, 4.614_733_515_095_136, 3.224_171_427_529_236),
        (5.0, 3.014_733_515_095_136, 2.320_649_852_974_343),
        (1e3, 2.616_733_515_095_136, 2.113_085_963_597_827),
        (1e10, 2.614_733_515_295_135_6, 2.112_085_713_864_618),
    ] {
        let of = |p: &[Array]| MultivariateStudentT::new(&p[0], &p[1], &p[2]).entropy();
        let zeros = |n: usize| Array::from_slice(&vec![0.0; n], [n]);
        let p = vec![scalar(df), zeros(2), diagonal(&[1.0, 0.8])];
        rows.push(("MultivariateStudentT", p, of, two));
        let p = vec![scalar(df), zeros(1), diagonal(&[2.0])];
        rows.push(("MultivariateStudentT", p, of, one));
    }
    // The matrix, its factor, the inverse, and the factor of that.
    let of: [fn(&[Array]) -> Array; 4] = [
        |p| Wishart::from_scale_tril(&p[0], &p[1]).entropy(),
        |p| WishartCholesky::from_scale_tril(&p[0], &p[1]).entropy(),
        |p| InverseWishart::from_scale_tril(&p[0], &p[1]).entropy(),
        |p| InverseWishartCholesky::from_scale_tril(&p[0], &p[1]).entropy(),
    ];
    for (n, scale, want) in [
        (
            5.0,
            &[1.0, 0.8][..],
            [
                6.141_117_725_391_116,
                3.023_697_336_551_040_2,
                -1.395_588_285_199_687,
                -0.744_655_668_744_361_3,
            ],
        ),
        (
            2.5,
            &[1.0, 0.8, 2.0],
            [
                8.743_448_108_920_022,
                7.878_472_894_167_827,
                22.588_753_728_356_69,
                14.801_125_703_886_16,
            ],
        ),
        (
            1.2,
            &[1.0, 0.8],
            [
                -4.934_614_398_408_494_5,
                -0.384_989_294_955_363_7,
                26.799_624_981_144_643,
                15.482_130_394_821_205,
            ],
        ),
        (
            7.0,
            &[1.5],
            [
                3.447_159_397_510_240_4,
                1.450_395_198_239_536_4,
                -0.145_448_244_900_136_66,
                -0.345_908_622_965_652_1,
            ],
        ),
        (
            1e6,
            &[1.0, 0.8],
            [
                25.003_795_629_842_664,
                3.117_380_983_091_82,
                -57.889_258_717_936_485,
                -38.329_146_190_797_75,
            ],
        ),
    ] {
        for (of, want) in of.into_iter().zip(want) {
            rows.push(("a Wishart family", vec![scalar(n), diagonal(scale)], of, want));
        }
    }
    // Less the mean density, since all of these are normal: with those of their covariances.
    let walk = |p: &[Array]| {
        let steps = GaussianRandomWalk::new(&p[0], 3);
        steps.entropy() - three(&(walked() * p[0].square())).entropy()
    };
    rows.push(("GaussianRandomWalk", vec![scalar(1.7)], walk, 0.0));
    let areas = |p: &[Array]| {
        let adjacency = wide(array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]));
        let precision =
            (adjacency.sum_axes([-1]).expand_dims(-1) * wide(eye(3)) - &adjacency * &p[0]) * &p[1];
        let car = CAR::new(wide(zeros([3])), &p[0], &p[1], adjacency);
        let normal = MultivariateNormal::from_precision(wide(zeros([3])), precision);
        car.entropy() - normal.entropy()
    };
    rows.push(("CAR", vec![scalar(0.4), scalar(2.5)], areas, 0.0));
    for (what, p, of, want) in &rows {
        if *want == 0.0 {
            let wide: Vec<Array> = p.iter().map(|p| p.cast(DType::F64)).collect();
            let left = floats(&of(&wide))[0];
            assert!(left.abs() < 1e-14, "{what}: {left}");
        }
    }
    rows.retain(|row| row.3 != 0.0);
    check_entropies(2e-14, rows);
}

fn wide(x: Array) -> Array {
    x.cast(DType::F64)
}

/// The covariance of three sums of steps.
fn walked() -> Array {
    wide(array([[1.0, 1.0, 1.0], [1.0, 2.0, 2.0], [1.0, 2.0, 3.0]]))
}

fn three(covariance: &Array) -> MultivariateNormal {
    MultivariateNormal::new(wide(zeros([3])), covariance)
}
