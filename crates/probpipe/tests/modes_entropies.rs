//! Where densities and masses are largest: counts against exact rational arithmetic on the same
//! numbers, ends and peaks against values of mpmath, and all against their own densities. On the
//! interpreter, compiled, and in both float types.

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
