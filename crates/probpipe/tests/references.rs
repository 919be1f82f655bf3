//! Families that no golden file speaks of, against values of mpmath at 40 digits and against dense
//! normal vectors; on the interpreter, compiled, and in both float types.

mod golden;

use golden::{assert_close, floats};
use probpipe::distributions::*;
use probpipe::prelude::*;

fn scalar(x: f64, dtype: DType) -> Array {
    Array::from(x).cast(dtype)
}

type Density = fn(&[Array]) -> Array;

fn scalars(values: &[f64], dtype: DType) -> Vec<Array> {
    values.iter().map(|&x| scalar(x, dtype)).collect()
}

/// The values of a function of numbers, of which the last of each row is the value that is known.
fn check<const N: usize>(what: &str, f: Density, rows: &[[f64; N]]) {
    for row in rows {
        let (at, want) = (&row[..N - 1], row[N - 1]);
        let what = format!("{what} at {at:?}");
        let wide = scalars(at, DType::F64);
        let close = |have: f64, tolerance: f64| {
            let allowed = tolerance * want.abs().max(tolerance.sqrt());
            assert!((have - want).abs() <= allowed, "{what}: {have:e}, not {want:e}");
        };
        close(floats(&f(&wide))[0], 1e-12);
        close(floats(&jit(|p: Vec<Array>| f(&p))(wide.clone()))[0], 1e-12);
        // In f32, at arguments that are numbers of that type.
        let narrow = scalars(at, DType::F32);
        let rounded: Vec<Array> = narrow.iter().map(|x| x.cast(DType::F64)).collect();
        let (have, want) = (floats(&f(&narrow))[0], floats(&f(&rounded))[0]);
        if floats(&narrow[0])[0].is_finite() {
            let allowed = 2e-5 * want.abs().max(1.0);
            assert!((have - want).abs() <= allowed, "{what} in f32: {have:e}, not {want:e}");
        }
        // Slopes in all arguments, by differences.
        for (k, x) in at.iter().enumerate().filter(|(k, x)| *k == 0 || **x != 0.0) {
            let with = |v: Array| {
                let mut p = wide.clone();
                p[k] = v;
                f(&p)
            };
            let slope = floats(&grad(with)(wide[k].clone()))[0];
            let h = 1e-4 * x.abs().max(1e-3);
            let to = |h: f64| floats(&with(scalar(x + h, DType::F64)))[0];
            let far = (to(h) - to(-h)) / (2.0 * h);
            let near = (to(h / 2.0) - to(-h / 2.0)) / h;
            let estimate = (4.0 * near - far) / 3.0;
            let noise = 4e-15 * to(0.0).abs().max(1e-3) / h;
            if estimate.is_finite() {
                let allowed = 1e-6 * estimate.abs() + 10.0 * noise + (near - far).abs() * 0.1;
                let text = format!("{what}: slope [{k}] {slope:e}, not {estimate:e}");
                assert!((slope - estimate).abs() <= allowed, "{text}");
            }
        }
    }
}

#[test]
fn differences_of_counts() {
    // Counts have no slopes, but as floats they may be between.
    let f: Density = |p| Skellam::new(&p[1], &p[2]).log_prob(&p[0].stop_gradient());
    let rows = [
        [0.0, 2.0, 1.0, -1.5525280218754378],
        [3.0, 2.0, 1.0, -2.2348758093777816],
        [-4.0, 2.0, 1.0, -5.790_460_177_215_785],
        [25.0, 10.5, 0.25, -9.868_450_117_397_492],
        [-60.0, 3.0, 40.0, -8.358_173_142_671_06],
        [200.0, 1000.0, 800.0, -4.666_641_471_715_005],
        [10_000.0, 15_000.0, 5000.0, -5.870_678_663_668_707],
        [7.0, 0.001, 2.0, -58.880_198_317_412_48],
    ];
    for [k, a, b, want] in rows {
        for dtype in [DType::F64, DType::F32] {
            let p = scalars(&[k, a, b], dtype);
            let tolerance = if dtype == DType::F64 { 1e-12 } else { 2e-5 };
            let jitted = jit(|p: Vec<Array>| f(&p))(p.clone());
            for have in [f(&p), jitted] {
                assert_close(&format!("{k} {a} {b}"), &floats(&have), &[want], tolerance, 0.0);
            }
        }
    }
    // All of it adds up to 1, on both sides of the change of formulas.
    for (a, b) in [(2.0, 1.0), (14.0, 16.0), (15.5, 14.5), (40.0, 30.0)] {
        let k = (arange(400).cast(DType::F64)) - 200.0;
        let total = Skellam::new(a, b).log_prob(&k).exp().sum();
        assert_close(&format!("{a} {b}"), &floats(&total), &[1.0], 1e-13, 0.0);
    }
    let half = Skellam::new(2.0, 1.0).log_prob(&array(0.5));
    assert_eq!(half.item::<f32>().unwrap(), f32::NEG_INFINITY);
}

#[test]
fn modes_of_plain_families() {
    let loc = array([0.5, -1.0]);
    assert_eq!(Normal::new(&loc, 2.0).mode().to_vec::<f32>().unwrap(), [0.5, -1.0]);
    assert_eq!(Laplace::new(0.25, array([1.0, 2.0])).mode().to_vec::<f32>().unwrap(), [0.25; 2]);
    assert_eq!(Exponential::new(array([1.0, 2.0])).mode().to_vec::<f32>().unwrap(), [0.0; 2]);
    let vector = MultivariateNormal::diagonal(&loc, [1.0, 2.0]);
    assert_eq!(vector.mode().to_vec::<f32>().unwrap(), [0.5, -1.0]);
}

#[test]
fn quotients_of_beta_numbers() {
    let f: Density = |p| BetaQuotient::new(&p[1], &p[2], &p[3], &p[4]).log_prob(&p[0]);
    check(
        "BetaQuotient",
        f,
        &[
            [0.3, 2.5, 0.8, 1.7, 1.2, -2.252459237006369],
            [1.9, 2.5, 0.8, 1.7, 1.2, -1.4942206888060747],
            [0.999, 0.4, 0.3, 0.6, 0.5, 0.34252757857439925],
            [1e4, 2.0, 3.0, 1.5, 0.7, -24.352506944862657],
            [1e-12, 5.0, 0.01, 0.02, 7.0, -126.73551711311971],
            [0.5, 1e4, 3.0, 20.0, 0.001, -6905.233020408927],
            [30.0, 0.001, 0.002, 5.0, 0.001, -28.38177626067546],
        ],
    );
    let at = |row: &[f64; 6]| {
        let p = scalars(&row[..5], DType::F64);
        let slope = grad(|z: Array| f(&[&[z], &p[1..]].concat()))(p[0].clone());
        (floats(&f(&p))[0], floats(&jit(|p: Vec<Array>| f(&p))(p.clone()))[0], floats(&slope)[0])
    };
    // Next to 1, and far out, with the slope in the point.
    for (row, want) in [
        ([1.0000001, 0.4, 0.3, 0.6, 0.5, 2.593010984817289], -2052734.5192635003),
        ([0.9999999, 3.0, 2.0, 4.0, 1.5, -0.05365568583379386], -2.6666642888898866),
        ([0.9999999999999, 1.3, 0.8, 0.5, 0.9, -0.8517007249038899], 6080.550426300618),
        ([1.0000000000001, 1.3, 0.8, 0.5, 0.9, -0.8517007244915521], -3199.1730163034117),
        ([0.99999999999, 1.3, 1.8, 0.5, 0.7, -1.1309372021821393], -2.5799917564111823),
        ([1.0, 2.0, 3.0, 1.5, 0.7, -1.0547355241528975], -3.1176470588235294),
        ([1e-300, 0.2, 3.0, 1.5, 0.7, 551.1936788273051], -8e+299),
        ([1.02, 800.0, 300.0, 1200.0, 450.0, 2.460049499903935], -35.13448817604923),
    ] {
        let (value, compiled, slope) = at(&row);
        assert_close(&format!("{row:?}"), &[value, compiled], &[row[5]; 2], 1e-12, 0.0);
        assert_close(&format!("slope at {row:?}"), &[slope], &[want], 1e-9, 0.0);
    }
    let peak = BetaQuotient::new(0.5, 0.4, 0.5, 0.4).log_prob(&array([1.0, 0.0, -1.0]));
    assert_eq!(peak.to_vec::<f32>().unwrap(), [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY]);
    let of = |p: [f64; 4]| {
        let [a, b, c, d] = p.map(|x| scalar(x, DType::F64));
        let d = BetaQuotient::new(a, b, c, d);
        [floats(&d.mean())[0], floats(&d.variance())[0]]
    };
    assert_close("moments", &of([2.0, 3.0, 4.0, 1.5]), &[0.6, 0.165], 1e-14, 0.0);
    assert_eq!(of([2.0, 3.0, 1.0, 1.5]), [f64::INFINITY; 2]);
}

#[test]
fn noncentral_squares() {
    let f: Density = |p| NoncentralChi2::new(&p[1], &p[2]).log_prob(&p[0]);
    check(
        "NoncentralChi2",
        f,
        &[
            [0.5, 3.0, 2.0, -2.3540727619134498],
            [4.0, 0.7, 1.5, -2.7199949191334846],
            [0.001, 0.7, 1.5, 2.5634291946558205],
            [40.0, 2.5, 30.0, -3.7048819023171325],
            [900.0, 100.0, 700.0, -6.580660381037129],
            [1e4, 4.0, 1e4, -6.217_293_401_627_873],
            [200.0, 1000.0, 0.5, -408.02907722891494],
            [30.0, 3.0, 1e-6, -14.218335342378595],
        ],
    );
    // At 0 it is as without noncentrality.
    for (df, want) in [(1.0, f64::INFINITY), (2.0, (0.5 * (-0.5f64).exp()).ln())] {
        let at = NoncentralChi2::new(df, 1.0).log_prob(&scalar(0.0, DType::F64));
        assert_close("at 0", &floats(&at), &[want], 1e-12, 0.0);
    }
    let none = NoncentralChi2::new(100.0, 1.0).log_prob(&array([-1.0, 0.0]));
    assert_eq!(none.to_vec::<f32>().unwrap(), [f32::NEG_INFINITY; 2]);
}

#[test]
fn normal_numbers_of_inverse_gaussian_variance() {
    let f: Density = |p| NormalInverseGaussian::new(&p[1], &p[2], &p[3], &p[4]).log_prob(&p[0]);
    check(
        "NormalInverseGaussian",
        f,
        &[
            [0.5, 1.0, 2.0, 5.0, 3.0, -4.279_276_313_539_204],
            [1.0, 0.0, 0.5, 1.5, -0.5, -2.868_856_859_417_468],
            [-8.0, 0.0, 0.5, 1.5, -0.5, -11.817_769_656_870_86],
            [0.25, 0.25, 0.01, 0.5, 0.25, 3.4646964960534265],
            [300.0, 10.0, 200.0, 40.0, 30.0, -102.202_127_974_104_64],
            [1000.0, 0.0, 1.0, 1.0, 0.5, -510.414_671_985_295_5],
            [-1000.0, 0.0, 1.0, 1.0, 0.5, -1_510.414_671_985_295],
        ],
    );
    let n = NormalInverseGaussian::new(1.0, 2.0, 5.0, 3.0);
    assert_eq!(n.variance().item::<f32>().unwrap(), 50.0 / 64.0);
    let beyond = |b: Array| NormalInverseGaussian::new(0.0, 1.0, 1.0, b).log_prob(&array(0.0));
    for skewness in [-1.5, -1.0, 1.0, 2.0] {
        let error = beyond(array(skewness)).error().unwrap().message().to_string();
        assert!(error.contains("must be of smaller size than its tailweight"), "{error}");
        assert!(jit(beyond)(array(skewness)).is_nan().item::<bool>().unwrap());
    }
}

#[test]
fn the_horseshoe() {
    let f: Density = |p| Horseshoe::new(&p[1]).log_prob(&p[0]);
    check(
        "Horseshoe",
        f,
        &[
            [2.0, 2.0, -2.837_038_471_658_805_5],
            [0.5, 1.2, -1.490_418_819_333_573_7],
            [-6.9, 1.0, -5.273_200_616_603_025],
            [7.2, 1.0, -5.355_246_788_648_617],
            [25.0, 0.5, -8.502_219_111_001_901],
            [30.0, 10.0, -6.044_818_655_124_887],
        ],
    );
    // Near the peak, whose slopes are large, and where squares would be no numbers.
    for (x, scale, want) in [
        (1e-6, 1.0, 1.259_457_600_030_824_2),
        (0.00099, 1.0, 0.571_922_199_336_763_9),
        (0.00101, 1.0, 0.569_050_940_677_623_7),
        (1e-200, 1.0, 4.761_954_436_424_593),
        (-1e180, 2.0, -829.608_007_535_790_6),
    ] {
        let p = scalars(&[x, scale], DType::F64);
        assert_close("Horseshoe", &floats(&f(&p)), &[want], 1e-13, 0.0);
        let (slope, x) = (grad(|p: Vec<Array>| f(&p))(p)[0].clone(), x);
        let by_hand = |h: f64| floats(&f(&scalars(&[x * h, scale], DType::F64)))[0];
        let want = (by_hand(1.0001) - by_hand(0.9999)) / 2e-4;
        assert_close("slope", &[floats(&slope)[0] * x], &[want], 1e-7, 0.0);
    }
    let peak = Horseshoe::new(1.0).log_prob(&array([0.0, f64::INFINITY]));
    assert_eq!(floats(&peak), [f64::INFINITY, f64::NEG_INFINITY]);
}

#[test]
fn normal_numbers_with_heavy_tails() {
    let rows = [
        [0.5, 0.0, 1.0, 0.1, -1.077_229_056_683_443, 0.689_324_907_335_269_4],
        [-3.0, 1.0, 2.0, 0.4, -3.4918558079105691, 0.084_982_894_605_890_29],
        [40.0, 0.0, 1.0, 0.3, -12.700_365_912_209_49, 0.999_957_956_831_780_6],
        [-1e8, 0.0, 1.0, 0.25, -84.389_268_974_956_88, 5.730_390_834_859_586e-30],
        [1e200, 0.0, 1.0, 0.5, -1_378.022_713_027_979, 1.0],
        [2.0, 0.0, 1.0, 0.0, -2.9189385332046727, 0.977_249_868_051_820_8],
        [0.9, 0.0, 1.0, 50.0, -3.6088551147130476, 0.591_976_308_679_266_2],
    ];
    check(
        "LambertWNormal",
        |p| LambertWNormal::new(&p[1], &p[2], &p[3]).log_prob(&p[0]),
        &rows.map(|[x, loc, scale, tail, log, _]| [x, loc, scale, tail, log]),
    );
    for [x, loc, scale, tail, _, want] in rows {
        let l = LambertWNormal::new(loc, scale, scalar(tail, DType::F64));
        let have = l.cdf(&scalar(x, DType::F64));
        assert_close(&format!("cdf at {x}"), &floats(&have), &[want], 1e-12, 0.0);
        if want < 1.0 {
            let back = l.quantile(&have);
            assert_close(&format!("quantile at {want}"), &floats(&back), &[x], 1e-10, 0.0);
        }
    }
    let l = LambertWNormal::new(1.0, 1.0, array([0.25, 0.5, 1.0]));
    let (mean, variance) = (floats(&l.mean()), floats(&l.variance()));
    assert!(mean[..2] == [1.0, 1.0] && mean[2].is_nan());
    assert!((variance[0] - 8f64.sqrt()).abs() < 1e-6 && variance[1] == f64::INFINITY);
    assert!(variance[2].is_nan());
}

#[test]
fn means_of_uniform_numbers() {
    let rows = [
        (1.5, 1, -std::f64::consts::LN_2, 0.25),
        (1.25, 3, -2.2493405784752334, 0.0087890625),
        (2.5, 3, -0.863_046_217_355_342_8, 0.9296875),
        (2.0, 12, 0.860_166_160_821_855_4, 0.5),
        (1.01, 12, -46.658_066_261_006_22, 4.544_415_584_415_633e-24),
        (2.9, 40, -76.603_287_945_324_33, 1.0),
        (1.625, 100, -20.000_831_747_911_483, 1.637_873_637_759_704_3e-11),
        (1.001, 100, -651.799_677_446_003_3, 8.452_725_758_349_737e-289),
    ];
    for (x, n, log, cdf) in rows {
        let b = Bates::new(n, 1.0, scalar(3.0, DType::F64));
        let what = format!("{n} at {x}");
        // Mirrored, points are rounded, which shows in the distance to the nearer end, to the
        // power `n`.
        let end = (x - 1.0f64).min(3.0 - x);
        let tolerance = 1e-12 + 2e-16 * n as f64 / end;
        let at = scalar(x, DType::F64);
        let close = |have: Array, want: f64| {
            assert_close(&what, &floats(&have), &[want], tolerance, 0.0);
        };
        close(b.log_prob(&at), log);
        close(jit(|x: Array| b.log_prob(&x))(at.clone()), log);
        close(b.cdf(&at), cdf);
        close(b.log_cdf(&at).exp(), cdf);
        close(b.survival(&(4.0 - &at)), cdf);
        close(jit(|x: Array| b.log_survival(&x))(4.0 - &at).exp(), cdf);
        let slope = floats(&grad(|x: Array| b.cdf(&x))(at.clone()))[0];
        assert_close(&what, &[slope], &[log.exp()], 1e-9, 0.0);
        let narrow = Bates::new(n, 1.0, 3.0).log_prob(&array(x));
        let rounded = b.log_prob(&scalar(x, DType::F64)).cast(DType::F32);
        if x > 1.1 {
            assert_close(&what, &floats(&narrow), &floats(&rounded), 2e-5, 2e-5);
        } else {
            assert!(narrow.is_finite().item::<bool>().unwrap(), "{what}: {narrow}");
        }
    }
    let edges = Bates::new(3, 0.0, 1.0).log_prob(&array([-0.5, 0.0, 1.0, 1.5, f32::NAN]));
    let edges = edges.to_vec::<f32>().unwrap();
    assert!(edges[..4].iter().all(|&x| x == f32::NEG_INFINITY) && edges[4].is_nan());
    let batch = Bates::new(4, [0.0, 1.0], 2.0);
    assert_eq!(batch.log_prob(&ones([3, 1])).shape(), [3, 2]);
    assert_eq!(batch.sample(Key::new(0), 5).shape(), [5, 2]);
    let error = Bates::new(0, 0.0, 1.0).log_prob(&array(0.5));
    assert_eq!(error.error().unwrap().message(), "a Bates takes 1 to 128 numbers, not 0");
    let order = Bates::new(2, 1.0, 0.0).cdf(&array(0.5));
    assert!(order.error().unwrap().message().contains("low"), "{order}");
}

#[test]
fn logarithms_of_relaxed_choices() {
    let (temperature, logits) = (0.01, [0.3, -0.2, 1.4]);
    let e = ExpRelaxedOneHotCategorical::new(temperature, logits);
    let x = e.sample(Key::new(4), [200]);
    // Entries whose exponentials are 0 keep their logarithms.
    assert!(x.exp().min().item::<f32>().unwrap() == 0.0);
    assert!(e.support().check(&x).all().item::<bool>().unwrap());
    let density = e.log_prob(&x);
    assert!(density.is_finite().all().item::<bool>().unwrap());
    let off = e.log_prob(&array([-1.0, -1.0, -0.5]));
    assert_eq!(off.item::<f32>().unwrap(), f32::NEG_INFINITY);
}

fn wide(x: impl Into<Array>) -> Array {
    x.into().cast(DType::F64)
}

/// A model of two hidden numbers and one that is seen, with its parts.
struct Model {
    f: Array,
    h: Array,
    moves: MultivariateNormal,
    errors: MultivariateNormal,
    first: MultivariateNormal,
}

impl Model {
    fn new() -> Model {
        Model {
            f: wide([[0.9, 0.3], [-0.2, 0.8]]),
            h: wide([[1.0, -0.5]]),
            moves: MultivariateNormal::new(wide([0.1, -0.2]), wide([[0.5, 0.1], [0.1, 0.3]])),
            errors: MultivariateNormal::diagonal(wide([0.3]), wide([0.4])),
            first: MultivariateNormal::new(wide([1.0, 0.5]), wide([[1.0, 0.3], [0.3, 2.0]])),
        }
    }

    fn over(&self, steps: usize) -> LinearGaussianSSM {
        let (f, h) = (&self.f, &self.h);
        let [moves, errors, first] = [&self.moves, &self.errors, &self.first].map(|d| d.clone());
        LinearGaussianSSM::new(steps, f, moves, h, errors, first)
    }

    /// All observations and then the last state, as one normal vector.
    fn dense(&self, steps: usize) -> MultivariateNormal {
        let (mut mean, mut covariance) = (self.first.mean(), self.first.covariance());
        // What each state owes to what is new in it and in those before: rows of factors.
        let mut factors = vec![covariance.cholesky()];
        let (mut means, mut rows) = (Vec::new(), Vec::new());
        for step in 0..steps {
            if step > 0 {
                mean = self.f.matmul(&mean) + self.moves.mean();
                covariance = self.moves.covariance();
                factors = factors.iter().map(|l| self.f.matmul(l)).collect();
                factors.push(covariance.cholesky());
            }
            means.push(self.h.matmul(&mean) + self.errors.mean());
            rows.push(factors.iter().map(|l| self.h.matmul(l)).collect::<Vec<Array>>());
        }
        let whole = |parts: Vec<Array>, height: usize| {
            let given = parts.len();
            let rest = probpipe::zeros_of(DType::F64, [height, 2 * (steps - given)]);
            let parts = concat(parts, -1);
            if given < steps { concat([parts, rest], -1) } else { parts }
        };
        let mut all: Vec<Array> = rows.into_iter().map(|row| whole(row, 1)).collect();
        all.push(whole(factors, 2));
        means.push(mean);
        let g = concat(all, 0);
        let noise = concat([wide(vec![0.16; steps]), wide([0.0, 0.0])], 0);
        let covariance = g.matmul(g.transpose())
            + noise.expand_dims(-1) * probpipe::eye_of(DType::F64, steps + 2);
        MultivariateNormal::new(concat(means, 0), covariance)
    }
}

#[test]
fn hidden_states_that_are_filtered() {
    let model = Model::new();
    let x = wide([[0.5], [1.5], [-0.3], [2.0], [0.1]]);
    for steps in [1usize, 2, 5] {
        let (ssm, dense) = (model.over(steps), model.dense(steps));
        let x = x.slice_axis(0, 0..steps);
        let seen: Vec<usize> = (0..steps).collect();
        let of_seen = dense.marginal_at(&seen);
        let flat = x.reshape([steps]);
        let what = format!("{steps} steps");
        let want = floats(&of_seen.log_prob(&flat));
        for have in [ssm.log_prob(&x), jit(|x: Array| ssm.log_prob(&x))(x.clone())] {
            assert_close(&what, &floats(&have), &want, 1e-12, 1e-12);
        }
        let slope = grad(|x: Array| ssm.log_prob(&x))(x.clone());
        let exact = grad(|x: Array| of_seen.log_prob(&x))(flat.clone());
        assert_close(&what, &floats(&slope), &floats(&exact), 1e-10, 1e-11);
        assert_close(&what, &floats(&ssm.mean()), &floats(&of_seen.mean()), 1e-12, 1e-12);
        assert_close(&what, &floats(&ssm.variance()), &floats(&of_seen.variance()), 1e-12, 0.0);
        let filtered = ssm.filter(&x);
        let last = dense.conditional(&seen, &flat);
        let at = filtered.means.index((steps - 1,));
        assert_close(&what, &floats(&at), &floats(&last.mean()), 1e-11, 1e-12);
        let at = filtered.covariances.index((steps - 1,));
        assert_close(&what, &floats(&at), &floats(&last.covariance()), 1e-11, 1e-12);
        let total = filtered.log_likelihoods.sum();
        assert_close(&what, &floats(&total), &want, 1e-12, 1e-12);
    }
    // Batches of points and of parameters, and slopes in a parameter by differences.
    let of = |scale: Array| {
        let errors = MultivariateNormal::diagonal(wide([0.3]), scale.expand_dims(-1));
        let (moves, first) = (model.moves.clone(), model.first.clone());
        LinearGaussianSSM::new(5, &model.f, moves, &model.h, errors, first)
    };
    let both = of(wide([0.4, 0.9]));
    let points = stack([&x, &(&x * 0.5), &-&x], 0).expand_dims(1);
    let density = both.log_prob(&points);
    assert_eq!(density.shape(), [3, 2]);
    let one = model.over(5).log_prob(&(&x * 0.5));
    assert_close("batch", &floats(&density.index((1, 0))), &floats(&one), 1e-12, 0.0);
    assert_eq!(both.sample(Key::new(0), [4]).shape(), [4, 2, 5, 1]);
    assert_eq!(both.filter(&points).covariances.shape(), [2, 5, 2, 2]);
    assert_eq!(both.filter(&points).means.shape(), [3, 2, 5, 2]);
    let at = |s: f64| floats(&of(wide(s)).log_prob(&x))[0];
    let slope = floats(&grad(|s: Array| of(s).log_prob(&x))(wide(0.4)))[0];
    assert_close("slope", &[slope], &[(at(0.4001) - at(0.3999)) / 2e-4], 1e-6, 0.0);
}

#[test]
fn models_that_do_not_fit() {
    let noise = || MultivariateNormal::diagonal([0.0, 0.0], [1.0, 1.0]);
    let wrong = LinearGaussianSSM::new(3, eye(2), noise(), [[1.0]], noise(), noise());
    let message = wrong.log_prob(&zeros([3, 2]));
    let message = message.error().unwrap().message();
    assert!(message.ends_with("of a LinearGaussianSSM do not fit"), "{message}");
    let none = LinearGaussianSSM::new(0, eye(2), noise(), eye(2), noise(), noise());
    assert!(none.sample(Key::new(0), ()).error().is_some());
    assert!(none.filter(&zeros([3, 2])).means.error().is_some());
    let bad = MultivariateNormal::diagonal([0.0, 0.0], [1.0, -1.0]);
    let message = bad.mean();
    let message = message.error().unwrap().message();
    assert!(message.starts_with("the scale of a MultivariateNormal"), "{message}");
    let point = MultivariateNormal::diagonal([0.0, 0.0], 1.0);
    assert!(point.log_prob(&zeros([2])).error().is_some());
    let fits = LinearGaussianSSM::new(3, eye(2), noise(), eye(2), noise(), noise());
    let shape = fits.log_prob(&zeros([4, 2]));
    assert!(shape.error().unwrap().message().contains("events of shape"), "{shape}");
}

/// Moments by the gamma function, on both sides of the change to their series.
#[test]
fn moments_of_extremes() {
    for (k, mean, variance) in [
        (0.3, 1.989_628_440_786_975, 15.166_916_185_398_794),
        (-0.4, 0.850_944_729_987_698_9, 2.3063470260817955),
    ] {
        let e = GeneralizedExtremeValue::new(0.4, 1.6, scalar(k, DType::F64));
        assert_close("mean", &floats(&e.mean()), &[mean], 1e-12, 0.0);
        assert_close("variance", &floats(&e.variance()), &[variance], 1e-12, 0.0);
    }
    for (k, mean, variance) in [
        (0.0999, 2.372_333_168_664_032, 8.901_864_035_183_218),
        (-1e-6, 2.15442935169289, 6.579_719_055_130_865),
        (-3.0, -7.0 / 3.0, 304.0),
    ] {
        let e = GeneralizedExtremeValue::new(1.0, 2.0, scalar(k, DType::F64));
        assert_close("mean", &floats(&e.mean()), &[mean], 1e-12, 0.0);
        assert_close("variance", &floats(&e.variance()), &[variance], 1e-12, 0.0);
    }
    let heavy = GeneralizedExtremeValue::new(0.0, 1.0, array([0.6, 1.5]));
    let (mean, variance) = (floats(&heavy.mean()), floats(&heavy.variance()));
    assert!(mean[0].is_finite() && mean[1] == f64::INFINITY);
    assert_eq!(variance, [f64::INFINITY; 2]);
}

#[test]
fn entropies_of_matrices() {
    let one = MatrixT::new(wide(4.5), wide([[0.0]]), wide([[1.5]]), wide([[2.0]]));
    let same = StudentT::new(4.5, 0.0, wide(3.0 / 4.5f64.sqrt()));
    assert_close("1 by 1", &floats(&one.entropy()), &floats(&same.entropy()), 1e-12, 0.0);
    // Of one row it is that of vectors, and turned around the same.
    let factor = wide([[0.7, 0.0, 0.0], [-0.3, 1.1, 0.0], [0.0, 0.4, 1.0]]);
    let row = MatrixT::new(wide(4.5), wide([[0.0, 0.0, 0.0]]), wide([[1.0]]), &factor);
    let column = MatrixT::new(wide(4.5), wide([[0.0], [0.0], [0.0]]), &factor, wide([[1.0]]));
    assert_close("turned", &floats(&row.entropy()), &floats(&column.entropy()), 1e-12, 0.0);
    let vector = MultivariateStudentT::new(wide(4.5), wide([0.0; 3]), factor / 4.5f64.sqrt());
    let draws = vector.sample(Key::new(2), 100_000);
    let informed = floats(&vector.log_prob(&draws));
    let mean = -informed.iter().sum::<f64>() / informed.len() as f64;
    assert_close("by draws", &floats(&row.entropy()), &[mean], 0.0, 0.03);
}

#[test]
fn covariances_of_vectors() {
    fn by_draws<D>(what: &str, d: &D)
    where
        D: Covariance<Value = Array> + Moments + Sample,
    {
        let n = 400_000;
        let x = d.sample(Key::new(5), [n]) - d.mean();
        let k = x.shape()[1];
        let found = floats(&(x.transpose().matmul(&x) / n as f64));
        let cov = floats(&d.cov());
        for (at, (have, want)) in cov.iter().zip(&found).enumerate() {
            let spread = (cov[at / k * (k + 1)] * cov[at % k * (k + 1)]).sqrt();
            assert!((have - want).abs() < 0.01 * spread, "{what} [{at}]: {have}, not {want}");
        }
        let own: Vec<f64> = (0..k).map(|i| cov[i * (k + 1)]).collect();
        assert_close(what, &own, &floats(&d.variance()), 1e-5, 1e-6);
    }
    by_draws("low rank", &LowRankMultivariateNormal::new([0.5, 0.0], [[1.0], [-0.5]], [1.0, 0.5]));
    let row = [2.0, 0.5, -0.2, 0.5];
    by_draws("circle", &CirculantNormal::new([0.0, 1.0, 2.0, 0.0], row));
    by_draws("zero sum", &ZeroSumNormal::new(array(1.5), [3]));
    let parts = MultivariateNormal::diagonal([[0.0, 1.0], [2.0, -1.0]], [1.0, 0.5]);
    by_draws("mixture", &MixtureSameFamily::new([0.3, 0.7], parts));
    // Batches in front.
    let low = LowRankMultivariateNormal::new(zeros([3, 2]), [[1.0], [-0.5]], [1.0, 0.5]);
    assert_eq!(low.cov().shape(), [3, 2, 2]);
    let circle = CirculantNormal::new(zeros([3, 2]), [1.0, 0.5]);
    assert_eq!(circle.cov().to_vec::<f32>().unwrap()[4..8], [1.0, 0.5, 0.5, 1.0]);
    let sums = ZeroSumNormal::new(array([1.0, 2.0]), [1]);
    assert_eq!(sums.cov().to_vec::<f32>().unwrap(), [0.0; 2]);
    let matrices = ZeroSumNormal::new(array(1.0), [2, 2]).cov();
    let message = matrices.error().unwrap().message();
    assert_eq!(message, "the covariance of a ZeroSumNormal with events of shape [2,2]");
}
