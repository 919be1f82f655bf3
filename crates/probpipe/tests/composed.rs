//! Distributions made of others, families of vectors and matrices, and divergences: their draws
//! against what they say of themselves, batches, points outside of supports, and faults.
//! Reference values of densities are run by the conformance runner.

mod golden;

use golden::{assert_close, floats};
use probpipe::bijectors::{Affine, Bijector, Exp, Sigmoid, StickBreaking, biject_to};
use probpipe::distributions::{
    CirculantNormal, Dirichlet, DirichletMultinomial, Expanded, Gamma, GaussianRandomWalk,
    Independent, IntervalCensored, InverseWishart, InverseWishartCholesky, LKJ, LKJCholesky,
    LeftCensored, LowRankMultivariateNormal, Masked, Mixture, MixtureSameFamily, Multinomial,
    MultivariateStudentT, Ordered, RightCensored, StudentT, Transformed, Wishart, WishartCholesky,
    ZeroSumNormal, kl_divergence, kl_monte_carlo,
};
use probpipe::prelude::*;

const INF: f64 = f64::INFINITY;

fn f64s<const N: usize>(data: [f64; N]) -> Array {
    Array::from_slice(&data, [N])
}

/// Mean and variance of draws, to five standard errors of each.
fn draws_agree<D>(what: &str, d: &D)
where
    D: Sample<Value = Array> + Moments,
{
    let n = 20_000;
    let draws = d.sample(Key::new(5), [n]);
    assert_eq!(draws.shape()[1..], d.mean().shape()[..], "{what}");
    let (mean, variance) = (d.mean(), d.variance());
    let have = draws.mean_axes([0]);
    let centred = (&draws - &mean).square();
    let spread = centred.mean_axes([0]);
    let fourth = (&centred - &spread).square().mean_axes([0]);
    let off = |have: &Array, want: &Array, error: &Array| {
        let limit = error.sqrt() * (5.0 / (n as f64).sqrt()) + 1e-6;
        let far = (have - want).abs().gt(limit);
        assert!(!far.any().item::<bool>().unwrap(), "{what}: {have} instead of {want}");
    };
    off(&have, &mean, &variance);
    off(&spread, &variance, &fourth);
}

#[test]
fn draws_have_the_moments_that_are_said() {
    let matrix = Array::from_slice(&[1.5, 0.5, 0.5, 1.0], [2, 2]);
    let loc = f64s([0.5, -1.0]);
    let normal = || Normal::new(&loc, f64s([0.5, 2.0]));
    draws_agree("Independent", &Independent::new(normal(), 1));
    draws_agree("Expanded", &Expanded::new(Normal::new(f64s([1.0]), f64s([2.0])), [3, 2]));
    let weights = f64s([0.3, 0.7]);
    draws_agree("MixtureSameFamily", &MixtureSameFamily::new(&weights, normal()));
    let vectors = MultivariateNormal::new(
        Array::from_slice(&[0.0, 1.0, 3.0, -2.0], [2, 2]),
        matrix.broadcast_to([2, 2, 2]),
    );
    draws_agree("of vectors", &MixtureSameFamily::new(&weights, vectors));
    let one = |x: f64| f64s([x]).squeeze(0);
    let either = (Normal::new(one(-1.0), one(0.5)), Gamma::new(one(2.0), one(1.0)));
    draws_agree("Mixture", &Mixture::from_logits(f64s([0.2, -0.4]), either));
    draws_agree("Dirichlet", &Dirichlet::new(f64s([0.5, 2.0, 3.5])));
    draws_agree("Multinomial", &Multinomial::new(7, f64s([0.2, 0.3, 0.5])));
    draws_agree("MultinomialLogits", &Multinomial::from_logits(7, f64s([0.2, 0.3, -1.0])));
    draws_agree("DirichletMultinomial", &DirichletMultinomial::new(7, f64s([0.5, 2.0, 3.5])));
    let t = MultivariateStudentT::new(one(9.0), &loc, matrix.cholesky());
    draws_agree("MultivariateStudentT", &t);
    draws_agree("LKJ", &LKJ::new(3, one(1.5)));
    draws_agree("Wishart", &Wishart::new(one(4.5), &matrix));
    draws_agree("WishartCholesky", &WishartCholesky::new(one(4.5), &matrix));
    draws_agree("InverseWishart", &InverseWishart::new(one(15.0), &matrix));
    draws_agree("rate", &Wishart::from_rate_matrix(one(4.5), &matrix));
    let factor = Array::from_slice(&[1.0, -0.5], [2, 1]);
    draws_agree("LowRank", &LowRankMultivariateNormal::new(&loc, factor, f64s([0.5, 1.0])));
    draws_agree(
        "CirculantNormal",
        &CirculantNormal::new(f64s([1.0, 0.0, 2.0]), f64s([2.0, 0.5, 0.5])),
    );
    draws_agree("GaussianRandomWalk", &GaussianRandomWalk::new(one(0.5), 4));
    draws_agree("ZeroSumNormal", &ZeroSumNormal::new(one(1.5), [3, 2]));
    draws_agree("MultivariateNormal", &MultivariateNormal::from_precision(&loc, &matrix));
}

/// Densities of bounded supports integrate to one through the bijector onto the support: the mean
/// over normal points of the density over that of the points.
#[test]
fn densities_integrate_to_one() {
    fn total<D: LogProb<Value = Array> + Support>(what: &str, d: &D, free: usize) {
        let onto = biject_to(&d.support()).unwrap();
        let points = Independent::new(Normal::new(zeros([free]), 1.5), 1);
        let x = points.sample(Key::new(2), [200_000]);
        let log_weight = d.log_prob(&onto.forward(&x)) + onto.log_det(&x) - points.log_prob(&x);
        let mean = log_weight.exp().mean().item::<f32>().unwrap();
        assert!((mean - 1.0).abs() < 0.03, "{what}: {mean}");
    }
    total("Dirichlet", &Dirichlet::new([1.5, 2.0, 1.0]), 2);
    total("LKJ", &LKJ::new(3, 1.5), 3);
    total("LKJCholesky", &LKJCholesky::new(3, 1.5), 3);
    let scale = [[1.0, 0.25], [0.25, 0.5]];
    total("Wishart", &Wishart::new(5.0, scale), 3);
    total("WishartCholesky", &WishartCholesky::new(5.0, scale), 3);
    total("InverseWishart", &InverseWishart::new(6.0, scale), 3);
    total("InverseWishartCholesky", &InverseWishartCholesky::new(6.0, scale), 3);
    total("ZeroSumNormal", &ZeroSumNormal::new(1.0, [3]), 2);
    total("Ordered", &Ordered::new(Normal::new(0.0, 1.0), 3), 3);
    total("positive", &Ordered::new(Gamma::new(2.0, 1.0), 3), 3);
}

/// Order statistics: of uniform numbers they have beta distributions.
#[test]
fn draws_in_order() {
    let uniform = Ordered::new(Uniform::new(f64s([0.0, 2.0]), f64s([1.0, 6.0])), 4);
    assert_eq!((&uniform.batch_shape()[..], &uniform.event_shape()[..]), (&[2][..], &[4][..]));
    let draws = jit(|key: Key| uniform.sample(key, [20_000]))(Key::new(3));
    assert_eq!(draws.shape(), [20_000, 2, 4]);
    assert!(uniform.support().check(&draws).all().item::<bool>().unwrap());
    let share = (draws - f64s([0.0, 2.0]).expand_dims(-1)) / f64s([1.0, 4.0]).expand_dims(-1);
    let (a, b) = (f64s([1.0, 2.0, 3.0, 4.0]), f64s([4.0, 3.0, 2.0, 1.0]));
    let beta = probpipe::Beta::new(a, b);
    let off = (share.mean_axes([0]) - beta.mean()).abs() / (beta.variance() / 20_000.0).sqrt();
    assert!(off.max().item::<f64>().unwrap() < 5.0, "{off}");
    let off = share.var_axes([0], 0) / beta.variance() - 1.0;
    assert!(off.abs().max().item::<f64>().unwrap() < 0.06, "{off}");

    // The density of what is in order, batches and points broadcast, is that of the volume.
    let x = Array::from_slice(&[0.1, 0.2, 0.5, 0.9, 2.5, 3.0, 4.0, 5.5], [2, 4]);
    let volume = [24f64.ln(), (24.0 / 256.0f64).ln()];
    assert_close("density", &floats(&uniform.log_prob(&x)), &volume, 1e-14, 0.0);
    assert_close("entropy", &floats(&uniform.entropy()), &volume.map(|v| -v), 1e-14, 0.0);
    let one = uniform.log_prob(&x.at(0));
    assert_close("one", &floats(&one), &[24f64.ln(), -INF], 1e-14, 0.0);
    let many = uniform.log_prob(&x.broadcast_to([5, 2, 4]));
    assert_close("many", &floats(&many.at(3)), &volume, 1e-14, 0.0);
    let bad = [[0.1, 0.5, 0.2, 0.9], [0.1, 0.5, 0.5, 0.9], [0.1, 0.5, 0.6, f64::NAN]];
    let of = Ordered::new(Uniform::new(0.0, 1.0), 4).log_prob(&array(bad).cast(DType::F64));
    let of = floats(&of);
    assert!(of[..2] == [-INF; 2] && of[2].is_nan(), "{of:?}");

    // A draw moves as those that it is made of.
    let loss = |loc: Array| Ordered::new(Normal::new(loc, 1.0), 3).sample(Key::new(1), ()).sum();
    assert_eq!(floats(&jit(grad(loss))(f64s([0.5]).squeeze(0))), [3.0]);
}

/// Outside of a support densities vanish, of NaN they are NaN, and no slope is spoilt.
#[test]
fn points_outside() {
    fn checked<D: LogProb<Value = Array>>(what: &str, d: &D, inside: Array, outside: Array) {
        let x = stack([inside.clone(), outside, &inside * f64::NAN], 0);
        let density = floats(&d.log_prob(&x));
        assert!(density[0].is_finite(), "{what}: {density:?}");
        assert_eq!(density[1], f64::NEG_INFINITY, "{what}");
        assert!(density[2].is_nan(), "{what}");
        let slope = grad(|x: Array| d.log_prob(&x).slice_axis(0, 0..2).sum())(x);
        let slope = slope.slice_axis(0, 0..2);
        assert!(slope.all_finite().item::<bool>().unwrap(), "{what}: {slope}");
    }
    let normal = || Normal::new(0.0, 1.0);
    checked("exp", &Transformed::new(normal(), Exp), f64s([1.5]), f64s([-1.0]));
    let unit = Transformed::new(normal(), Sigmoid);
    checked("sigmoid", &unit, f64s([0.5]), f64s([1.5]));
    let shifted = Transformed::new(Exponential::new(1.0), Affine::new(2.0, -3.0));
    checked("shifted", &shifted, f64s([1.0]), f64s([2.5]));
    let simplex = Transformed::new(Normal::new(zeros([2]), 1.0), StickBreaking);
    checked("simplex", &simplex, f64s([0.2, 0.3, 0.5]), f64s([0.2, 0.3, 0.6]));
    checked("Dirichlet", &Dirichlet::new([1.5, 2.0]), f64s([0.25, 0.75]), f64s([-0.25, 1.25]));
    let eye = Array::from_slice(&[1.0, 0.0, 0.0, 1.0], [2, 2]);
    checked("LKJ", &LKJ::new(2, 2.0), eye.clone(), &eye * 2.0);
    checked("Wishart", &Wishart::new(3.0, &eye), eye.clone(), -&eye);
    checked("InverseWishart", &InverseWishart::new(3.0, &eye), eye.clone(), -&eye);
    checked("ZeroSum", &ZeroSumNormal::new(1.0, [2]), f64s([0.5, -0.5]), f64s([0.5, 0.5]));
    checked("pair", &IntervalCensored::new(normal()), f64s([0.0, 1.0]), f64s([1.0, 0.0]));
    let mixture = MixtureSameFamily::new(f64s([0.5, 0.5]), Exponential::new(f64s([1.0, 2.0])));
    checked("mixture", &mixture, f64s([1.0]), f64s([-1.0]));
    let counts = Multinomial::new(3, f64s([0.25, 0.75]));
    let mass = floats(&counts.log_prob(&Array::from_slice(&[1.0, 2.0, 1.0, 1.0], [2, 2])));
    assert!(mass[0].is_finite() && mass[1] == f64::NEG_INFINITY);
}

#[test]
fn what_is_missing_does_not_count() {
    let x = f64s([0.5, f64::NAN, INF]);
    let loss = |loc: Array| {
        let mask = Array::from_slice(&[true, false, false], [3]);
        Masked::new(Normal::new(loc, f64s([1.0])), mask).log_prob(&x).sum()
    };
    assert_eq!(floats(&grad(loss)(f64s([0.0]))), [0.5]);
    // A weight of zero, of a component that has no density here.
    let loss = |probs: Array| {
        MixtureSameFamily::new(probs, Normal::new(f64s([0.0, 1.0]), 1.0))
            .log_prob(&f64s([0.5]).at(0))
    };
    assert!(grad(loss)(f64s([1.0, 0.0])).all_finite().item::<bool>().unwrap());
}

#[test]
fn bounds_far_out() {
    let n = || Normal::new(f64s([0.0]).at(0), f64s([1.0]).at(0));
    let far = IntervalCensored::new(n());
    let pairs = Array::from_slice(&[30.0, 31.0, -31.0, -30.0, -INF, INF, 1.0, INF], [4, 2]);
    let have = floats(&far.log_prob(&pairs));
    let tail = floats(&n().log_survival(&f64s([30.0, 1.0])));
    let small = (-30.5f64 - (30f64 / 31.0).ln()).exp();
    assert!((have[0] - tail[0]).abs() < 2.0 * small && have[0] == have[1], "{have:?}");
    assert_close("all", &have[2..], &[0.0, tail[1]], 1e-14, 1e-14);
    let loss = |x: Array| far.log_prob(&x).sum();
    assert!(grad(loss)(pairs.slice_axis(0, 0..2)).all_finite().item::<bool>().unwrap());
    let x = f64s([40.0, -40.0]);
    let both =
        [RightCensored::new(n(), true).log_prob(&x), LeftCensored::new(n(), true).log_prob(&x)];
    let [right, left] = both.map(|density| floats(&density));
    assert_eq!((right[0], right[1]), (left[1], left[0]));
    assert!(right[0].is_finite());
}

/// A batch of parameters is as each alone.
#[test]
fn batches_of_parameters() {
    let factors = Array::from_slice(&[1.0, 0.0, 0.5, 2.0, 0.5, 0.0, -1.0, 1.5], [2, 2, 2]);
    let x = Array::from_slice(&[2.0, 0.5, 0.5, 1.0], [2, 2]);
    let n = f64s([3.5, 4.5]);
    let wide = Wishart::from_scale_tril(&n, &factors).log_prob(&x);
    let inverse = InverseWishart::from_scale_tril(&n, &factors).log_prob(&x);
    for k in 0..2 {
        let (n, factor) = (n.at(k), factors.at(k));
        let one = Wishart::from_scale_tril(&n, &factor).log_prob(&x);
        assert_close("Wishart", &floats(&wide)[k as usize..][..1], &floats(&one), 1e-13, 1e-13);
        let one = InverseWishart::from_scale_tril(&n, &factor).log_prob(&x);
        assert_close("inverse", &floats(&inverse)[k as usize..][..1], &floats(&one), 1e-13, 1e-13);
    }
    let each = vmap(|d: Wishart| d.log_prob(&x));
    assert_close(
        "vmap",
        &floats(&each(Wishart::from_scale_tril(&n, &factors))),
        &floats(&wide),
        1e-13,
        1e-13,
    );
    let point = f64s([0.3, -0.7]);
    let p = MultivariateNormal::from_scale_tril(zeros([2]).cast(DType::F64), &factors);
    let q = MultivariateNormal::from_scale_tril(&point, factors.at(0));
    assert_eq!(kl_divergence(&p, &q).shape(), [2]);
}

#[test]
fn divergences() {
    let (p, q) = (Normal::new(f64s([0.5]), 2.0), Normal::new(f64s([-0.5]), 1.5));
    let estimate = kl_monte_carlo(&p, &q, Key::new(1), 100_000);
    assert_close("estimate", &floats(&estimate), &floats(&kl_divergence(&p, &q)), 0.02, 0.0);
    assert_eq!(floats(&kl_divergence(&p, &p)), [0.0]);
    let (narrow, wide) = (Uniform::new(0.0, 1.0), Uniform::new(-1.0, 2.0));
    assert_eq!(floats(&kl_divergence(&wide, &narrow)), [INF]);
    let tiny = kl_divergence(&Exponential::new(f64s([1e20])), &Exponential::new(f64s([1.0])));
    assert_close("tiny", &floats(&tiny), &[20.0 * 10f64.ln() - 1.0], 1e-14, 0.0);
    let mixture = MixtureSameFamily::new([0.5, 0.5], Normal::new(array([0.0, 1.0]), 1.0));
    let missing = kl_divergence(&mixture, &Normal::new(0.0, 1.0));
    let error = missing.value().unwrap_err();
    assert_eq!(
        error.message(),
        "No KL(distribution_a || distribution_b) registered for distribution_a type \
         MixtureSameFamily and distribution_b type Normal"
    );
    assert!(error.to_string().contains("kl_monte_carlo"), "{error}");
}

#[test]
fn faults() {
    let said = |array: Array| array.value().unwrap_err().message().to_string();
    let n = || Normal::new(zeros([3]), 1.0);
    assert_eq!(
        said(Independent::new(n(), 2).log_prob(&zeros([3]))),
        "an Independent of 2 batch axes is made of a distribution with batch shape [3]"
    );
    assert_eq!(
        said(Expanded::new(n(), [4]).log_prob(&zeros([3]))),
        "a distribution of batch shape [3] does not expand to [4]"
    );
    assert_eq!(
        said(Transformed::new(Bernoulli::new(0.5), Exp).log_prob(&array(1.0))),
        "a Transformed is made of a distribution over integers"
    );
    assert_eq!(
        said(Transformed::new(Normal::new(0.0, 1.0), StickBreaking).sample(Key::new(0), ())),
        "a Transformed by a bijector of events of rank 1 is made of a distribution with events of \
         rank 0 and 0 batch axes"
    );
    assert_eq!(
        said(MixtureSameFamily::new([0.5, 0.6], Normal::new([0.0, 1.0], 1.0)).mean()),
        "the probs of a mixture must be a vector of probabilities"
    );
    assert_eq!(
        said(MixtureSameFamily::from_logits(zeros([2]), n()).mean()),
        "a mixture has weights of shape [2] and components of batch shape [3]"
    );
    assert_eq!(
        said(Mixture::from_logits(zeros([3]), (Normal::new(0.0, 1.0),)).mean()),
        "a Mixture of 1 components of batch shapes [] has weights of shape [3]"
    );
    assert_eq!(
        said(Mixture::from_logits(zeros([2]), (n(), StudentT::new(3.0, zeros([2]), 1.0))).mean()),
        "a Mixture of 2 components of batch shapes [3], [2] has weights of shape [2]"
    );
    assert_eq!(
        said(IntervalCensored::new(n()).log_prob(&zeros([3]))),
        "an IntervalCensored takes pairs of bounds, not an array of shape [3]"
    );
    let ordered = |x: &Array| Ordered::new(Normal::new(0.0, 1.0), 3).log_prob(x);
    assert_eq!(
        said(ordered(&zeros([2]))),
        "an Ordered of 3 draws is asked about an array of shape [2]"
    );
    assert_eq!(
        said(Ordered::new(Bernoulli::new(0.5), 2).sample(Key::new(0), ())),
        "an Ordered is made of a distribution over integers"
    );
    assert_eq!(
        said(Ordered::new(Independent::new(n(), 1), 2).entropy()),
        "an Ordered is made of a distribution that is none of single numbers"
    );
    assert_eq!(said(Ordered::new(n(), 0).log_prob(&zeros([0]))), "an Ordered of no draws");
    assert_eq!(said(LKJ::new(1, 2.0).mean()), "the dimension of an LKJ must be at least 2, not 1");
    assert_eq!(
        said(Wishart::new(3.0, [[1.0, 2.0], [2.0, 1.0]]).mean()),
        "the scale_matrix of a Wishart must be positive definite"
    );
    assert_eq!(
        said(LowRankMultivariateNormal::new(zeros([2]), zeros([3, 1]), ones([2])).mean()),
        "the loc [2], cov_factor [3,1] and cov_diag [2] of a LowRankMultivariateNormal do not fit"
    );
    assert_eq!(
        said(ZeroSumNormal::new(1.0, [3]).log_prob(&zeros([2]))),
        "a ZeroSumNormal over events of shape [3] is asked about an array of shape [2]"
    );
    // Below `d - 1` degrees of freedom there is no distribution.
    assert!(floats(&Wishart::new(0.5, eye(2)).log_prob(&eye(2)))[0].is_nan());
}
