//! Parts of normal vectors, Gaussian processes, hidden Markov models and autoregression. Reference
//! values are those of NumPy's solver on the covariances written out, of sums over all series of
//! hidden states, and of SciPy 1.17.1.

mod golden;
mod travels;

use golden::{assert_close, floats};
use probpipe::prelude::*;
use probpipe::{
    Autoregressive, Covariance, Expectation, GaussianPosterior, GaussianProcess, HiddenMarkovModel,
    Independent, Kernel,
};
use travels::{f64s, one, said, slopes, travels};

const COVARIANCE: [f64; 16] =
    [2.0, 0.5, 0.3, -0.2, 0.5, 1.5, 0.4, 0.1, 0.3, 0.4, 1.2, 0.6, -0.2, 0.1, 0.6, 1.8];

fn vector() -> MultivariateNormal {
    let covariance = Array::from_slice(&COVARIANCE, [4, 4]);
    MultivariateNormal::new(f64s([0.5, -1.0, 2.0, 0.25]), covariance)
}

#[test]
fn parts_of_normal_vectors() {
    let n = vector();
    let part = n.marginal_at([2, 0]);
    assert_close("mean", &floats(&part.mean()), &[2.0, 0.5], 1e-15, 0.0);
    assert_close("cov", &floats(&part.cov()), &[1.2, 0.3, 0.3, 2.0], 1e-14, 0.0);
    // S_ba S_aa^-1 (x - m_a), S_bb - S_ba S_aa^-1 S_ab by `numpy.linalg`.
    let rest = n.conditional([2, 0], f64s([1.0, -0.5]));
    let want = [-1.4891774891774892, -0.11363636363636365];
    assert_close("mean", &floats(&rest.mean()), &want, 1e-14, 0.0);
    let want =
        [1.2835497835497836, -0.027272727272727282, -0.027272727272727254, 1.4363636363636365];
    assert_close("cov", &floats(&rest.cov()), &want, 1e-13, 0.0);
    // The density of the whole is that of a part and that of the rest given it.
    let x = f64s([-0.5, 0.3, 1.0, -0.7]);
    let both = part.log_prob(&f64s([1.0, -0.5])) + rest.log_prob(&f64s([0.3, -0.7]));
    assert_close("chain", &floats(&both), &floats(&n.log_prob(&x)), 1e-14, 0.0);
    travels("rest", &rest, &f64s([0.3, -0.7]), 1e-5);
    let many = n.conditional([2, 0], Array::from_slice(&[1.0, -0.5, 0.0, 0.0], [2, 2]));
    assert_eq!(many.batch_shape()[..], [2]);
    assert_close("first", &floats(&many.mean())[..2], &floats(&rest.mean()), 1e-14, 0.0);
    for device in [Device::Interpreter, Device::Cpu] {
        let given = |(n, x): (MultivariateNormal, Array)| n.conditional([2, 0], x).mean().sum();
        let slope = jit_on(device, grad(given))((n.clone(), f64s([1.0, -0.5])));
        // The sums of the columns of S_ba S_aa^-1.
        let want = floats(&(n.conditional([2, 0], f64s([2.0, -0.5])).mean() - rest.mean()).sum());
        assert_close("slope", &floats(&slope.1)[..1], &want, 1e-12, 0.0);
    }
    // A covariance of condition 1e14, whose parts keep half of their digits only if squared.
    let bad = MultivariateNormal::from_scale_tril(
        zeros([2]),
        Array::from_slice(&[1.0, 0.0, 1.0, 1e-7], [2, 2]),
    );
    let rest = bad.conditional([0], f64s([2.0]));
    assert_close("thin", &floats(&rest.std()), &[1e-7], 1e-8, 0.0);
    let say = |n: MultivariateNormal| said(n.mean());
    assert_eq!(say(n.marginal_at([4])), "a MultivariateNormal of 4 entries has none at 4");
    assert_eq!(say(n.marginal_at([1, 1])), "the entry at 1 of a MultivariateNormal comes twice");
    assert_eq!(say(n.marginal_at([])), "no entries of a MultivariateNormal are named");
    assert_eq!(
        say(n.conditional([0, 1, 2, 3], zeros([4]))),
        "all entries of a MultivariateNormal are given, and none is left"
    );
    assert_eq!(
        say(n.conditional([0, 1], zeros([3]))),
        "values of shape [3] for 2 entries of a MultivariateNormal"
    );
}

/// Amplitude 1.3, length 0.7, period 1.5, shift 0.2, mean 0.1, noise 0.2; observations at four
/// points, predictions at three.
#[test]
fn gaussian_processes() {
    let (a, l) = (one(1.3), one(0.7));
    let cases: [(Kernel, f64, [f64; 3], [f64; 9]); 6] = [
        (
            Kernel::rbf(&a, &l),
            -5.092100931404369,
            [-0.012412296837262887, 0.8917142683638274, -0.20848303388580544],
            [
                0.025194808926310763,
                -8.35007353309769e-05,
                -0.003281318495701002,
                -8.350073533114344e-05,
                0.10633690456379297,
                -0.12721103344898319,
                -0.0032813184957010324,
                -0.12721103344898302,
                1.425003875403342,
            ],
        ),
        (
            Kernel::matern12(&a, &l),
            -4.851421847008812,
            [0.05686619316946198, 0.4620180466767846, 0.10128217310052541],
            [
                0.48827860371936427,
                8.623845261535035e-05,
                3.0543401135021964e-07,
                8.623845261535035e-05,
                0.961195275117964,
                0.0034043019054481594,
                3.0543401135021964e-07,
                0.0034043019054481316,
                1.595178882220676,
            ],
        ),
        (
            Kernel::matern32(&a, &l),
            -4.774709971329495,
            [0.009227101642894489, 0.6402205497067878, 0.04823350342259518],
            [
                0.0960826504163077,
                0.006424923480173705,
                -0.0007611753291701124,
                0.006424923480173705,
                0.47932181951428765,
                -0.07136787810668571,
                -0.0007611753291701089,
                -0.07136787810668571,
                1.5442383735749892,
            ],
        ),
        (
            Kernel::matern52(&a, &l),
            -4.790167888377223,
            [-0.001851879027561426, 0.7206126371020578, 0.009891449570559166],
            [
                0.04841041842747096,
                0.008233338289592607,
                -0.0017265323905532228,
                0.008233338289592551,
                0.32271668143005483,
                -0.09545379592838368,
                -0.0017265323905532037,
                -0.09545379592838363,
                1.5199141046344427,
            ],
        ),
        (
            Kernel::periodic(&a, &l, one(1.5)),
            -4.475979201822559,
            [-0.08073738092153382, 0.29577987809140627, 0.2957798780914066],
            [
                0.7920085218261095,
                0.017423977373892896,
                0.017423977373893673,
                0.017423977373892674,
                0.03905109123199946,
                0.039051091231999235,
                0.017423977373893673,
                0.03905109123199946,
                0.039051091231999235,
            ],
        ),
        (
            Kernel::linear(&a, one(0.2)),
            -8.289991941029022,
            [0.1, 0.2940453295724806, 0.5179437867714967],
            [
                0.0,
                0.0,
                0.0,
                0.0,
                0.0162747695770471,
                0.03505334985825481,
                0.0,
                0.0350533498582557,
                0.07549952277162753,
            ],
        ),
    ];
    let (x, y) = (f64s([0.0, 0.4, 1.1, 2.0]), f64s([0.3, -0.2, 0.9, 0.1]));
    let at = f64s([0.2, 1.5, 3.0]);
    for (kernel, likelihood, mean, covariance) in cases {
        let what = format!("{kernel:?}");
        let gp = GaussianProcess::new(kernel).with_mean(one(0.1)).with_noise(one(0.2));
        let gp = gp.with_jitter(one(1e-12));
        let near = |have: &Array, want: &[f64], atol: f64| {
            assert_close(&what, &floats(have), want, 1e-9, atol);
        };
        near(&gp.log_marginal_likelihood(&x, &y), &[likelihood], 0.0);
        let after = gp.condition(&x, &y);
        near(&after.mean(&at), &mean, 1e-12);
        let diagonal = [covariance[0], covariance[4], covariance[8]];
        near(&after.variance(&at), &diagonal, 1e-12);
        let with_noise = after.observed(&at).cov() - eye(3) * 0.04;
        near(&with_noise, &covariance, 1e-11);
        for device in [Device::Interpreter, Device::Cpu] {
            let inside = |(gp, x, y): (GaussianProcess, Array, Array)| {
                (gp.log_marginal_likelihood(&x, &y), gp.condition(&x, &y))
            };
            let all = (gp.clone(), x.clone(), y.clone());
            let (density, after): (Array, GaussianPosterior) = jit_on(device, inside)(all.clone());
            near(&density, &[likelihood], 0.0);
            near(&after.mean(&at), &mean, 1e-12);
            let loss =
                |(gp, x, y): (GaussianProcess, Array, Array)| gp.log_marginal_likelihood(&x, &y);
            let slope = jit_on(device, grad(loss))(all);
            assert!(slope.leaves().iter().all(|s| floats(s).iter().all(|x| x.is_finite())));
        }
        travels(&what, &gp.observed(&x), &y, 1e-4);
        travels(&what, &after.observed(&at), &f64s([0.1, 0.2, 0.3]), 1e-3);
    }
    // The slope in a parameter is that of finite differences.
    let loss = |l: Array| {
        let gp = GaussianProcess::new(Kernel::matern32(one(1.3), l)).with_noise(one(0.2));
        gp.log_marginal_likelihood(&x, &y)
    };
    let step = 1e-5;
    let apart = floats(&loss(one(0.7 + step)))[0] - floats(&loss(one(0.7 - step)))[0];
    let slope = floats(&grad(loss)(one(0.7)))[0];
    assert!((slope - apart / (2.0 * step)).abs() < 1e-7, "{slope}");
}

/// `exp(-sum ((x - y) / l)^2 / 2) (1 + (x . y) / 4)`.
#[test]
fn sums_and_products_of_kernels() {
    let x = Array::from_slice(&[0.0, 1.0, 0.3, -0.4, 1.0, 0.5], [3, 2]);
    let line = Kernel::constant(one(1.0)) + Kernel::linear(one(0.5), zeros([2]));
    let kernel = Kernel::rbf(one(1.0), f64s([0.5, 2.0])) * line;
    let want = [1.25, 0.5883928066168626, 0.14756788609896856, 0.5883928066168626, 1.0625];
    let have = floats(&kernel.matrix(&x, &x));
    assert_close("matrix", &have[..5], &want, 1e-14, 0.0);
    assert_close("diagonal", &floats(&kernel.diagonal(&x)), &[1.25, 1.0625, 1.3125], 1e-14, 0.0);
    // Two equal points have a slope that is a number.
    let loss = |x: Array| Kernel::matern12(one(1.0), one(1.0)).matrix(&x, &x).sum();
    assert!(grad(loss)(x.clone()).all_finite().item::<bool>().unwrap());
    // In f32, without noise, of close points: the jitter holds.
    let gp = GaussianProcess::new(Kernel::rbf(1.0, 1.0));
    let draws = gp.at(&linspace(0.0, 1.0, 60)).sample(Key::new(0), [3]);
    assert!(draws.all_finite().item::<bool>().unwrap(), "{draws}");
    assert_eq!(
        said(Kernel::rbf(1.0, -1.0).matrix(&x, &x)),
        "the length_scale of a Kernel must be positive, not -1"
    );
    assert_eq!(
        said(Kernel::rbf(zeros([2]) + 1.0, 1.0).matrix(&x, &x)),
        "the amplitude of a Kernel is of shape [2]"
    );
    assert_eq!(
        said(Kernel::rbf(1.0, 1.0).matrix(&x, &zeros([3]))),
        "a Kernel takes points [n] or [n, d], not [3,2] and [3,1]"
    );
    assert_eq!(
        said(gp.condition(&zeros([3]), &zeros([2])).mean(&zeros([1]))),
        "a GaussianProcess at 3 points is given observations of shape [2]"
    );
    assert_eq!(
        said(GaussianProcess::new(Kernel::rbf(1.0, 1.0)).with_noise(-1.0).observed(&x).mean()),
        "the noise of a GaussianProcess must be non-negative, not -1"
    );
}

const OBSERVED: [f64; 5] = [0.1, 1.9, -1.5, 0.3, 2.2];

fn hidden() -> HiddenMarkovModel<Normal> {
    let rows = [0.7, 0.2, 0.1, 0.3, 0.5, 0.2, 0.0, 0.4, 0.6];
    HiddenMarkovModel::new(
        f64s([0.6, 0.4, 0.0]),
        Array::from_slice(&rows, [3, 3]),
        Normal::new(f64s([0.0, 2.0, -1.0]), f64s([1.0, 0.5, 2.0])),
        5,
    )
}

/// By sums over all 243 series of states.
#[test]
fn hidden_states() {
    let (h, x) = (hidden(), f64s(OBSERVED));
    assert_close("density", &floats(&h.log_prob(&x)), &[-8.575086458800476], 1e-13, 0.0);
    let want = [
        0.998206994857977,
        0.0017930051420230462,
        0.0,
        0.31425585921204513,
        0.6528678370046556,
        0.03287630378329923,
        0.6850816408017582,
        6.542778913280215e-11,
        0.31491835913281413,
        0.6140519388417572,
        0.006253643463932592,
        0.3796944176943101,
        0.08598631707044786,
        0.8561363041167915,
        0.05787737881276046,
    ];
    assert_close("posterior", &floats(&h.posterior_marginals(&x)), &want, 1e-11, 0.0);
    let filtered = floats(&h.filtered_marginals(&x));
    assert_close("filtered", &filtered[12..], &want[12..], 1e-11, 0.0);
    assert_eq!(h.posterior_mode(&x).to_vec::<i32>().unwrap(), [0, 1, 0, 0, 1]);
    let rows = stack([x.clone(), x.clone() * 0.5], 0);
    assert_eq!(h.log_prob(&rows).shape(), [2]);
    assert_eq!(h.posterior_marginals(&rows).shape(), [2, 5, 3]);
    assert_eq!(h.posterior_mode(&rows).shape(), [2, 5]);
    // A choice of a model as any other.
    let model = generative(|t: &mut Choices| t.sample("x", hidden()));
    let (score, _) = model.assess(&ChoiceMap::new([("x", x.clone())]), ());
    assert_eq!(floats(&score), floats(&h.log_prob(&x)));
    travels("hidden", &h, &x, 1e-5);
    travels("rows", &h, &rows, 1e-5);
    slopes("hidden", &h, &x);
    for device in [Device::Interpreter, Device::Cpu] {
        let inside = |(h, x): (HiddenMarkovModel<Normal>, Array)| {
            (h.posterior_marginals(&x), h.posterior_mode(&x))
        };
        let (marginals, mode) = jit_on(device, inside)((h.clone(), x.clone()));
        assert_close("compiled", &floats(&marginals), &want, 1e-11, 0.0);
        assert_eq!(mode.to_vec::<i32>().unwrap(), [0, 1, 0, 0, 1]);
    }
    // The slope in an observation, by finite differences.
    let slope = floats(&grad(|x: Array| h.log_prob(&x))(x.clone()));
    let moved = |step: f64| floats(&h.log_prob(&(&x + f64s([0.0, step, 0.0, 0.0, 0.0]))))[0];
    let apart = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    assert!((slope[1] - apart).abs() < 1e-8, "{slope:?} {apart}");
    // What cannot be is not a number that cannot be used.
    let stuck = HiddenMarkovModel::new(
        f64s([1.0, 0.0]),
        Array::from_slice(&[1.0, 0.0, 0.0, 1.0], [2, 2]),
        Uniform::new(f64s([0.0, 5.0]), f64s([1.0, 6.0])),
        2,
    );
    assert_eq!(floats(&stuck.log_prob(&f64s([0.5, 5.5]))), [f64::NEG_INFINITY]);
    slopes("stuck", &stuck, &f64s([0.5, 0.5]));
}

#[test]
fn draws_of_hidden_states() {
    let h = hidden();
    let draws = h.sample(Key::new(0), [40_000]);
    assert_eq!(draws.shape(), [40_000, 5]);
    let means = [0.8, 0.5, 0.446, 0.4418, 0.44545999999999997];
    let variances = [1.66, 2.35, 2.662084, 2.83561276, 2.9342753884];
    assert_close("mean", &floats(&h.mean()), &means, 1e-14, 0.0);
    assert_close("variance", &floats(&h.variance()), &variances, 1e-14, 0.0);
    let have = floats(&draws.mean_axes([0]));
    assert_close("mean of draws", &have, &means, 0.0, 0.04);
    assert_close("variance of draws", &floats(&draws.var_axes([0], 0)), &variances, 0.03, 0.0);
    let states = h.sample_states(Key::new(0), [40_000]);
    let next = states.slice_axis(1, 1..2).squeeze(1);
    let after = states.slice_axis(1, 0..1).squeeze(1).eq(1);
    let both = (after.clone() & next.eq(0)).cast(DType::F64).sum() / after.cast(DType::F64).sum();
    assert_close("transition", &floats(&both), &[0.3], 0.0, 0.02);
    // Observations that are vectors.
    let points = Normal::new(Array::from_slice(&[0.0, 1.0, 5.0, 6.0], [2, 2]), one(0.5));
    let wide = HiddenMarkovModel::new(
        [0.5, 0.5],
        [[0.9, 0.1], [0.1, 0.9]],
        Independent::new(points, 1),
        4,
    );
    let draws = wide.sample(Key::new(1), [3]);
    assert_eq!((draws.shape(), wide.log_prob(&draws).shape()), (&[3, 4, 2][..], &[3][..]));
    assert_eq!(wide.mean().shape(), [4, 2]);
    let single = HiddenMarkovModel::new(
        f64s([1.0, 0.0]),
        [[0.5, 0.5], [0.5, 0.5]],
        Normal::new(f64s([0.0, 1.0]), 1.0),
        1,
    );
    let density = Normal::new(one(0.0), 1.0).log_prob(&one(0.3));
    assert_close("single", &floats(&single.log_prob(&f64s([0.3]))), &floats(&density), 1e-14, 0.0);
    assert_eq!(floats(&single.posterior_mode(&f64s([0.3]))), [0.0]);
    assert_eq!(
        said(HiddenMarkovModel::new([0.5, 0.5], eye(3), Normal::new(zeros([2]), 1.0), 3).mean()),
        "a HiddenMarkovModel of 3 steps has initial [2], transition [3,3] and an emission of batch \
         shape [2]"
    );
    assert_eq!(
        said(HiddenMarkovModel::new([0.5, 0.6], eye(2), Normal::new(zeros([2]), 1.0), 3).mean()),
        "the initial of a HiddenMarkovModel must be a vector of probabilities"
    );
    assert_eq!(
        said(hidden().log_prob(&zeros([4]))),
        "a HiddenMarkovModel over events of shape [5] is asked about an array of shape [4]"
    );
}

/// `x_t = 0.5 + 0.6 x_(t-1) - 0.3 x_(t-2) + 0.8 z_t` after 1, -0.5, written out.
#[test]
fn autoregression() {
    let ar = Autoregressive::new(f64s([0.6, -0.3]), one(0.8), 3).with_constant(one(0.5));
    let ar = ar.after(f64s([1.0, -0.5]));
    let x = f64s([0.2, 0.9, -0.4]);
    assert_close("density", &floats(&ar.log_prob(&x)), &[-3.658713070671389], 1e-14, 0.0);
    assert_close("mean", &floats(&ar.mean()), &[-0.1, 0.59, 0.884], 1e-14, 0.0);
    assert_close("variance", &floats(&ar.variance()), &[0.64, 0.8704, 0.872704], 1e-14, 0.0);
    let want = [0.64, 0.384, 0.0384, 0.384, 0.8704, 0.40704, 0.0384, 0.40704, 0.872704];
    assert_close("cov", &floats(&ar.cov()), &want, 1e-14, 0.0);
    travels("ar", &ar, &x, 1e-5);
    slopes("ar", &ar, &x);
    let draws = ar.sample(Key::new(0), [40_000]);
    assert_close("draws", &floats(&draws.mean_axes([0])), &floats(&ar.mean()), 0.0, 0.02);
    let centred = &draws - draws.mean_axes([0]);
    let cov = centred.transpose().matmul(&centred) * (1.0 / 40_000.0);
    assert_close("cov of draws", &floats(&cov), &want, 0.0, 0.03);
    // The same as a normal vector of that mean and covariance.
    let same = MultivariateNormal::new(ar.mean(), ar.cov());
    assert_close("same", &floats(&same.log_prob(&x)), &floats(&ar.log_prob(&x)), 1e-13, 0.0);
    let last = ar.expectation(|x: Array| x.at(-1), Key::new(1), 20_000);
    let off = (last.value - 0.884).abs() / last.standard_error;
    assert!(off.item::<f64>().unwrap() < 4.0);
    for device in [Device::Interpreter, Device::Cpu] {
        let draw = |ar: Autoregressive| ar.sample(Key::new(0), [10]);
        let have = jit_on(device, draw)(ar.clone());
        assert_close(
            "compiled",
            &floats(&have),
            &floats(&ar.sample(Key::new(0), [10])),
            1e-12,
            0.0,
        );
    }
    let random = Autoregressive::new([1.0], 1.0, 4);
    assert_eq!(floats(&random.variance()), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        said(Autoregressive::new([1.0], 0.0, 4).mean()),
        "the scale of an Autoregressive must be positive, not 0"
    );
    assert_eq!(
        said(Autoregressive::new(1.0, 1.0, 4).mean()),
        "the coefficients of an Autoregressive are of shape []"
    );
    assert_eq!(
        said(Autoregressive::new([1.0], 1.0, 0).mean()),
        "an Autoregressive takes 1 or more steps, not 0"
    );
    assert_eq!(
        said(Autoregressive::new([1.0], 1.0, 4).after([1.0, 2.0]).mean()),
        "the history of an Autoregressive is of shape [2], its coefficients of shape [1]"
    );
}
