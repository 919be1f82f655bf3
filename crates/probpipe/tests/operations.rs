//! Expectations, covariances, families of the same moments, and draws on the host.

mod golden;
mod travels;

use golden::{assert_close, floats};
use probpipe::distributions::{from_distribution, match_moments};
use probpipe::prelude::*;
use probpipe::{
    Beta, BetaBinomial, BetaProportion, Binomial, Categorical, Chi2, Dirichlet, DiscreteUniform,
    Empirical, Gamma, GammaPoisson, GaussianRandomWalk, Geometric, Gumbel, HalfNormal, HostDraws,
    Independent, InverseGamma, Kde, LogNormal, Logistic, Multinomial, MultivariateStudentT,
    NegativeBinomial2, Poisson, StudentT, Truncated,
};
use travels::{f64s, one, said};

/// `E X^2` is the variance and the square of the mean.
#[test]
fn exact_expectations() {
    fn square<D: Sample<Value = Array>>(what: &str, d: &D, want: &[f64]) {
        let square = |x: Array| x.cast(DType::F64).square();
        let exact = d.expectation(square, Key::new(0), 0);
        assert_close(what, &floats(&exact.value), want, 1e-12, 0.0);
        assert!(floats(&exact.standard_error).iter().all(|e| *e == 0.0), "{what}");
        for device in [Device::Interpreter, Device::Cpu] {
            let inside = |_: Array| d.expectation(square, Key::new(0), 0).value;
            let have = jit_on(device, inside)(array(0.0));
            assert_close(what, &floats(&have), want, 1e-12, 0.0);
        }
    }
    square("Bernoulli", &Bernoulli::new(f64s([0.25, 0.5])), &[0.25, 0.5]);
    square("Binomial", &Binomial::new(3, one(0.5)), &[3.0]);
    let wide = Binomial::new(Array::from_slice(&[2, 5], [2]), one(0.5));
    square("of two counts", &wide, &[1.5, 7.5]);
    square("Categorical", &Categorical::new(f64s([0.5, 0.25, 0.25])), &[1.25]);
    // Of integers alone nothing decides a float type: it is that by default.
    let third = with_default_float(DType::F64, || {
        let (_, probs) = DiscreteUniform::new(-1, 1).enumerate().unwrap();
        probs
    });
    assert_close("DiscreteUniform", &floats(&third), &[1.0 / 3.0; 3], 1e-15, 0.0);
    let uniform = DiscreteUniform::new(-1, 1);
    let exact = uniform.expectation(|x| x.cast(DType::F32).square(), Key::new(0), 0);
    assert_close("DiscreteUniform", &floats(&exact.value), &[2.0 / 3.0], 2e-7, 0.0);
    let mixed = BetaBinomial::new(one(2.0), one(3.0), 4);
    let want = floats(&mixed.variance())[0] + floats(&mixed.mean())[0].powi(2);
    square("BetaBinomial", &mixed, &[want]);
    square("Empirical", &Empirical::new(f64s([1.0, 2.0])), &[2.5]);
    let cut = Truncated::new(Poisson::new(one(3.0)), 0, 1);
    square("Truncated", &cut, &[0.75]);
    // Slopes in a parameter go through.
    let mean =
        |p: Array| Bernoulli::new(p).expectation(|x| x.cast(DType::F64), Key::new(0), 0).value;
    assert_close("slope", &floats(&grad(mean)(one(0.3))), &[1.0], 1e-14, 0.0);
    // What cannot be drawn may have any value.
    let sure = Bernoulli::new(one(1.0)).expectation(|x| x.cast(DType::F64).log(), Key::new(0), 0);
    assert_eq!(floats(&sure.value), [0.0]);
    assert_eq!(
        said(Normal::new(0.0, 1.0).expectation(|x| x, Key::new(0), 0).value),
        "an expectation from no draws"
    );
}

#[test]
fn estimated_expectations() {
    let within = |what: &str, e: probpipe::Estimate, want: &[f64]| {
        let (value, error) = (floats(&e.value), floats(&e.standard_error));
        assert_eq!(value.len(), want.len(), "{what}");
        for ((v, e), w) in value.iter().zip(&error).zip(want) {
            assert!((v - w).abs() < 4.0 * e && *e < 0.1, "{what}: {v} +- {e}, not {w}");
        }
    };
    let n = Normal::new(f64s([0.0, 1.0]), one(2.0));
    within("square", n.expectation(|x| x.square(), Key::new(0), 20_000), &[4.0, 5.0]);
    let pair = |x: Array| stack([x.clone(), x.square()], 0);
    let both = n.expectation(pair, Key::new(0), 20_000);
    assert_eq!(both.value.shape(), [2, 2]);
    within("pair", both, &[0.0, 4.0, 1.0, 5.0]);
    let counts = Poisson::new(one(2.0)).expectation(|x| x, Key::new(1), 20_000);
    within("counts", counts, &[2.0]);
    let joint =
        product((Normal::new(one(1.0), 1.0).named("a"), Exponential::new(one(2.0)).named("b")));
    let mean = joint.expectation(|r: Record| &r["a"] * &r["b"], Key::new(2), 20_000);
    within("joint", mean, &[0.5]);
    // The error is the spread over the root of the number of draws.
    let e = Normal::new(one(0.0), 3.0).expectation(|x| x, Key::new(3), 10_000);
    assert_close("error", &floats(&e.standard_error), &[0.03], 0.03, 0.0);
    // Reparameterised draws carry slopes: d/dm E (m + z)^2 = 2 m.
    let loss =
        |m: Array| Normal::new(m, 1.0).expectation(|x| x.square(), Key::new(0), 50_000).value;
    assert_close("slope", &floats(&grad(loss)(one(1.5))), &[3.0], 0.02, 0.0);
}

#[test]
fn covariances() {
    let factor = Array::from_slice(&[1.5, 0.0, -0.5, 0.75], [2, 2]);
    let t = MultivariateStudentT::new(one(5.0), zeros([2]), factor.clone());
    let scale = [2.25, -0.75, -0.75, 0.8125].map(|x| x * 5.0 / 3.0);
    assert_close("t", &floats(&t.cov()), &scale, 1e-14, 0.0);
    // m_i (delta_ij - m_j) / (a + 1)
    let d = Dirichlet::new(f64s([1.0, 3.0]));
    assert_close("Dirichlet", &floats(&d.cov()), &[0.0375, -0.0375, -0.0375, 0.0375], 1e-14, 0.0);
    let m = Multinomial::new(4, f64s([0.25, 0.75]));
    assert_close("Multinomial", &floats(&m.cov()), &[0.75, -0.75, -0.75, 0.75], 1e-14, 0.0);
    let walk = GaussianRandomWalk::new(one(2.0), 3);
    let want = [4.0, 4.0, 4.0, 4.0, 8.0, 8.0, 4.0, 8.0, 12.0];
    assert_close("walk", &floats(&walk.cov()), &want, 1e-15, 0.0);
    let apart = Independent::new(Normal::new(zeros([2]), f64s([1.0, 3.0])), 1);
    assert_close("apart", &floats(&apart.cov()), &[1.0, 0.0, 0.0, 9.0], 1e-15, 0.0);
    // The diagonals are the variances.
    let agrees = |cov: Array, variance: Array| {
        assert_close("diagonal", &floats(&cov.diagonal()), &floats(&variance), 1e-13, 0.0);
    };
    agrees(t.cov(), t.variance());
    agrees(d.cov(), d.variance());
    agrees(m.cov(), m.variance());
    agrees(walk.cov(), walk.variance());
    let batch = Dirichlet::new(Array::from_slice(&[1.0, 3.0, 2.0, 2.0], [2, 2]));
    agrees(batch.cov(), batch.variance());
    assert_eq!(
        said(Empirical::new(zeros([3])).cov()),
        "the covariance of an Empirical with events of shape []"
    );
}

#[test]
fn families_of_the_same_moments() {
    fn same<T, S>(source: &S, both: bool)
    where
        T: probpipe::FromDistribution<S> + Moments + probpipe::distributions::Parametric,
        S: Moments,
    {
        let matched: T = from_distribution(source).unwrap_or_else(|e| panic!("{e}"));
        let name = T::FAMILY.name;
        assert_close(name, &floats(&matched.mean()), &floats(&source.mean()), 1e-12, 0.0);
        if both {
            let (have, want) = (floats(&matched.variance()), floats(&source.variance()));
            assert_close(name, &have, &want, 1e-11, 0.0);
        }
    }
    let gamma = Gamma::new(f64s([2.0, 5.0]), one(1.5));
    same::<Normal, _>(&gamma, true);
    same::<Laplace, _>(&gamma, true);
    same::<Logistic, _>(&gamma, true);
    same::<Gumbel, _>(&gamma, true);
    same::<Gamma, _>(&LogNormal::new(one(0.5), one(0.75)), true);
    same::<InverseGamma, _>(&gamma, true);
    same::<LogNormal, _>(&gamma, true);
    same::<Exponential, _>(&gamma, false);
    same::<Chi2, _>(&gamma, false);
    same::<HalfNormal, _>(&gamma, false);
    let unit = Uniform::new(one(0.1), one(0.7));
    same::<Beta, _>(&unit, true);
    same::<BetaProportion, _>(&unit, true);
    same::<Uniform, _>(&Beta::new(one(2.0), one(3.0)), true);
    same::<Bernoulli, _>(&Categorical2::source(), false);
    let counts = NegativeBinomial2::new(one(3.0), one(2.0));
    same::<Poisson, _>(&counts, false);
    same::<Geometric, _>(&counts, false);
    same::<GammaPoisson, _>(&counts, true);
    same::<NegativeBinomial2, _>(&GammaPoisson::new(one(4.0), one(2.0)), true);
    same::<Normal, _>(&counts, true);
    same::<Gamma, _>(&Empirical::new(f64s([1.0, 2.0, 4.0])), true);
    let dirichlet = Dirichlet::new(f64s([1.0, 2.0, 3.5]));
    same::<Dirichlet, _>(&dirichlet, true);
    let normal: MultivariateNormal =
        from_distribution(&GaussianRandomWalk::new(one(2.0), 3)).unwrap();
    let want = floats(&GaussianRandomWalk::new(one(2.0), 3).cov());
    assert_close("vector", &floats(&normal.cov()), &want, 1e-13, 0.0);
    let kde: Kde = from_distribution(&Empirical::new(f64s([1.0, 2.0, 4.0]))).unwrap();
    assert_close("kde", &floats(&kde.mean()), &[7.0 / 3.0], 1e-14, 0.0);
    // Inside of a compiled function too.
    for device in [Device::Interpreter, Device::Cpu] {
        let inside = |g: Gamma| from_distribution::<Normal, _>(&g).unwrap();
        let have = jit_on(device, inside)(gamma.clone());
        assert_close("traced", &floats(&have.mean()), &floats(&gamma.mean()), 1e-14, 0.0);
    }
}

/// A source of zeros and ones.
struct Categorical2;

impl Categorical2 {
    fn source() -> Binomial {
        Binomial::new(1, one(0.3))
    }
}

#[test]
fn what_cannot_stand_for_another() {
    fn refused<T: probpipe::FromDistribution<S>, S>(source: S) -> String {
        match from_distribution::<T, S>(&source) {
            Ok(_) => "nothing".to_string(),
            Err(error) => error.message().to_string(),
        }
    }
    let n = || Normal::new(0.5, 1.0);
    assert_eq!(
        refused::<Gamma, _>(n()),
        "a Gamma, whose draws are non-negative, cannot stand for a distribution whose draws are real"
    );
    assert_eq!(
        refused::<Poisson, _>(Gamma::new(1.0, 1.0)),
        "a Poisson, whose draws are a non-negative integer, cannot stand for a distribution whose \
         draws are non-negative"
    );
    assert_eq!(
        refused::<Beta, _>(Empirical::new(array([0.5, 1.5]))),
        "a Beta, whose draws are in [0, 1], cannot stand for a distribution whose draws are in \
         [0.5, 1.5]"
    );
    assert_eq!(
        refused::<Uniform, _>(n()),
        "a Uniform, whose draws are in an interval, cannot stand for a distribution whose draws \
         are real"
    );
    assert_eq!(
        refused::<Normal, _>(Dirichlet::new([1.0, 2.0])),
        "a Normal, whose draws are real, cannot stand for a distribution whose draws are a vector \
         of probabilities"
    );
    assert_eq!(
        refused::<Normal, _>(StudentT::new(2.0, 0.0, 1.0)),
        "the variance of the source is inf"
    );
    // A variance below the mean is that of no mixture of Poisson distributions.
    let thin = refused::<NegativeBinomial2, _>(Binomial::new(10, 0.5));
    assert!(thin.starts_with("no NegativeBinomial2 has the moments of the source: "), "{thin}");
    let all: Gamma = match_moments(&Normal::new(2.0, 1.0)).unwrap();
    assert_eq!(floats(&all.mean()), [2.0]);
}

/// A generator of the crate `rand`: a Weyl sequence through the finaliser of MurmurHash3.
struct Weyl(u64);

impl rand::TryRng for Weyl {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Ok(x ^ (x >> 33))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Self::Error> {
        for byte in into {
            *byte = self.try_next_u64()? as u8;
        }
        Ok(())
    }
}

#[test]
fn draws_on_the_host() {
    use rand::distr::Distribution as _;
    let mut rng = Weyl(7);
    let n = Normal::new(1.0, 2.0);
    let draws: Vec<f64> = n.on_host().sample_iter(&mut rng).take(4000).collect();
    let mean = draws.iter().sum::<f64>() / 4000.0;
    let square = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4000.0;
    assert!((mean - 1.0).abs() < 0.13 && (square - 4.0).abs() < 0.4, "{mean} {square}");
    let again: f64 = n.on_host().sample(&mut Weyl(7));
    assert_eq!(again, draws[0], "the generator decides");
    let vector: Array = MultivariateNormal::new([0.0, 0.0], eye(2)).on_host().sample(&mut rng);
    assert_eq!(vector.shape(), [2]);
    let not_one: f64 = MultivariateNormal::new([0.0, 0.0], eye(2)).on_host().sample(&mut rng);
    assert!(not_one.is_nan());
    let joint = product((n.named("x"),));
    let record: Record = joint.on_host().sample(&mut rng);
    assert_eq!(record.names(), ["x"]);
    let wrong: f64 = Normal::new(0.0, -1.0).on_host().sample(&mut rng);
    assert!(wrong.is_nan());
}
