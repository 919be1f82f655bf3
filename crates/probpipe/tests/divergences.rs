//! Divergences of pairs that the reference cases have not: against the mean over draws of the
//! difference of the densities, and zero of equal ones, with slopes that are finite.

mod golden;

use golden::floats;
use probpipe::bijectors::{Affine, Sigmoid, StickBreaking};
use probpipe::distributions::*;
use probpipe::prelude::*;

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn one(x: f64) -> Array {
    Array::from_slice(&[x], [0usize; 0])
}

/// Against an estimate of a hundred thousand draws.
#[track_caller]
fn pair<P, Q>(what: &str, p: P, q: Q)
where
    P: Sample<Value = Array> + LogProb + Tree + Clone + 'static,
    Q: LogProb<Value = Array> + Tree + Clone + 'static,
{
    let exact = kl_divergence(&p, &q);
    let n = 100_000;
    let (mean, error) = jit(|key: Key| {
        let x = p.sample(key, [n]);
        let each = p.log_prob(&x) - q.log_prob(&x);
        (each.mean(), (each.var_axes([0], 1) / n as f64).sqrt())
    })(Key::new(77));
    let (exact, mean, error) = (floats(&exact)[0], floats(&mean)[0], floats(&error)[0]);
    assert!((exact - mean).abs() <= 5.0 * error + 1e-7, "{what}: {exact}, by draws {mean}");
    let slopes = jit(grad(|(p, q): (P, Q)| kl_divergence(&p, &q)))((p, q));
    for slope in probpipe::tree::Flatten::of(&slopes).leaves {
        assert!(floats(slope).iter().all(|s| s.is_finite()), "{what}: {slope}");
    }
}

/// With a distribution that is the same.
#[track_caller]
fn alike<P>(what: &str, p: P, q: P)
where
    P: Sample<Value = Array> + LogProb + Tree + Clone + 'static,
{
    let same = floats(&kl_divergence(&p, &p))[0];
    assert!(same.abs() < 1e-13, "{what} of itself: {same}");
    pair(what, p, q);
}

#[test]
fn of_one_family() {
    alike("Chi", Chi::new(one(2.5)), Chi::new(one(4.0)));
    let c = |logits: f64| ContinuousBernoulli::new(one(logits));
    alike("ContinuousBernoulli", c(0.7), c(-1.5));
    alike("ExpGamma", ExpGamma::new(one(1.5), one(0.7)), ExpGamma::new(one(2.0), one(1.5)));
    let e = |a: f64, b: f64| ExpInverseGamma::new(one(a), one(b));
    alike("ExpInverseGamma", e(1.5, 0.7), e(2.0, 1.5));
    alike(
        "LogitNormal",
        LogitNormal::new(one(0.3), one(0.7)),
        LogitNormal::new(one(0.1), one(1.2)),
    );
    alike("Moyal", Moyal::new(one(0.3), one(0.7)), Moyal::new(one(0.1), one(1.2)));
    let m = |x: f64, s: f64| {
        let loc = Array::from_slice(&[x, 0.0, -x, 1.0], [2, 2]);
        let factor = Array::from_slice(&[s, 0.0, 0.5, 1.2], [2, 2]);
        MatrixNormal::new(loc, &factor, factor.clone())
    };
    alike("MatrixNormal", m(0.5, 0.9), m(0.2, 1.1));
    let o = |p: f64| OneHotCategorical::new(f64s(&[p, 0.75 - p, 0.25]));
    alike("OneHotCategorical", o(0.25), o(0.5));
    let o = |x: f64| OrderedLogistic::new(one(x), f64s(&[-1.0, 0.5, 1.0]));
    alike("OrderedLogistic", o(0.3), o(-0.8));
    alike("ProbitBernoulli", ProbitBernoulli::new(one(0.3)), ProbitBernoulli::new(one(-0.4)));
    let s = |x: f64| StoppingRatioLogistic::new(f64s(&[-0.5, 0.5, 0.2]), one(x));
    alike("StoppingRatioLogistic", s(0.3), s(-0.8));
    alike("VonMises", VonMises::new(one(0.3), one(1.5)), VonMises::new(one(1.0), one(0.7)));
    for d in [2usize, 3, 4, 7] {
        let direction = |k: usize| {
            let mut m = vec![0.0; d];
            m[0] = 0.6;
            m[k] = 0.8;
            f64s(&m)
        };
        let p = VonMisesFisher::new(direction(1), one(3.5));
        alike("VonMisesFisher", p.clone(), VonMisesFisher::new(direction(d - 1), one(1.5)));
        pair("VonMisesFisher || SphericalUniform", p.clone(), SphericalUniform::of(DType::F64, d));
        let s = PowerSpherical::new(direction(1), one(3.5));
        pair("PowerSpherical || SphericalUniform", s.clone(), SphericalUniform::of(DType::F64, d));
        pair("PowerSpherical || VonMisesFisher", s, p);
    }
}

#[test]
fn of_two_families() {
    let gamma = Gamma::new(one(1.5), one(0.7));
    pair("Chi2 || Gamma", Chi2::new(one(3.5)), gamma.clone());
    pair("Gamma || Chi2", gamma.clone(), Chi2::new(one(3.5)));
    pair("Exponential || Gamma", Exponential::new(one(1.5)), gamma.clone());
    pair("Gamma || Exponential", gamma, Exponential::new(one(1.5)));
    for (a, b, c, d) in [(2.0, 1.5, 1.2, 2.5), (0.5, 3.0, 0.9, 0.4), (3.0, 0.6, 2.0, 0.3)] {
        let p = Kumaraswamy::new(one(a), one(b));
        pair("Kumaraswamy || Beta", p, Beta::new(one(c), one(d)));
    }
    // With parameters of one family it is the other: Kumaraswamy(a, 1) is Beta(a, 1).
    let same = kl_divergence(&Kumaraswamy::new(one(2.5), one(1.0)), &Beta::new(one(2.5), one(1.0)));
    assert!(floats(&same)[0].abs() < 1e-13, "{same}");
}

#[test]
fn of_normal_vectors() {
    let ind = |scale: &[f64]| {
        Independent::new(Normal::new(f64s(&[0.5, -1.0, 0.25, 0.0]), f64s(scale)), 1)
    };
    let circle = |row: &[f64]| CirculantNormal::new(f64s(&[0.0, -0.5, 0.25, 1.0]), f64s(row));
    let (some, other) = (circle(&[2.0, 0.5, 0.25, 0.5]), circle(&[1.5, -0.25, 0.5, -0.25]));
    // As dense vectors.
    let dense = |row: &[f64]| {
        let rows: Vec<f64> = (0..16).map(|at| row[(4 + at / 4 - at % 4) % 4]).collect();
        let loc = f64s(&[0.0, -0.5, 0.25, 1.0]);
        MultivariateNormal::new(loc, Array::from_slice(&rows, [4, 4]))
    };
    let vectors = [dense(&[2.0, 0.5, 0.25, 0.5]), dense(&[1.5, -0.25, 0.5, -0.25])];
    let p = ind(&[0.7, 1.2, 2.0, 0.4]);
    let near = |what: &str, have: Array, want: Array| {
        golden::assert_close(what, &floats(&have), &floats(&want), 1e-12, 0.0);
    };
    let [a, b] = &vectors;
    near("circle", kl_divergence(&some, &other), kl_divergence(a, b));
    near("independent || circle", kl_divergence(&p, &some), kl_divergence(&p, a));
    near("circle || independent", kl_divergence(&some, &p), kl_divergence(a, &p));
    let close = circle(&[2.0 + 1e-9, 0.5, 0.25, 0.5]);
    let (tiny, v) = (floats(&kl_divergence(&close, &some))[0], [3.25, 1.75, 1.25, 1.75]);
    let want: f64 = v.iter().map(|v| (1e-9f64 / v).powi(2) / 4.0).sum();
    assert!((tiny - want).abs() < 1e-6 * want, "{tiny} {want}");
    alike("CirculantNormal", some.clone(), other);
    pair("independent || circle", p.clone(), some.clone());
    pair("circle || independent", some, p.clone());
    pair("independent || vector", p.clone(), a.clone());
    pair("vector || independent", b.clone(), p);
    // One scale for all.
    let whole = Independent::new(Normal::new(f64s(&[0.5, -1.0, 0.25, 0.0]), one(0.8)), 1);
    near("one scale", kl_divergence(&whole, &circle(&[2.0, 0.5, 0.25, 0.5])), {
        kl_divergence(&ind(&[0.8; 4]), a)
    });
    let error = kl_divergence(&whole, &MultivariateNormal::new(zeros([3]), eye(3)));
    let message = error.error().unwrap().message().to_string();
    assert!(message.contains("events of shape [4] from one with events of shape [3]"), "{message}");
    let rows = Independent::new(Normal::new(zeros([3, 4]).cast(DType::F64), one(1.0)), 2);
    assert!(kl_divergence(&rows, &whole).error().is_some());
}

#[test]
fn through_one_bijector() {
    let (p, q) = (Normal::new(one(0.3), one(1.2)), Normal::new(one(-0.5), one(0.8)));
    let bases = floats(&kl_divergence(&p, &q));
    let through = |of: &Normal| Transformed::new(of.clone(), Sigmoid);
    assert_eq!(floats(&kl_divergence(&through(&p), &through(&q))), bases);
    pair("Sigmoid", through(&p), through(&q));
    let affine = |of: &Normal, a: f64| Transformed::new(of.clone(), Affine::new(one(a), one(2.0)));
    assert_eq!(floats(&kl_divergence(&affine(&p, 0.5), &affine(&q, 0.5))), bases);
    let other = kl_divergence(&affine(&p, 0.5), &affine(&q, 0.25));
    let message = other.error().unwrap().message().to_string();
    assert!(message.contains("not known to be the same"), "{message}");
    // The same array, though its value is not known.
    let shared = jit(|shift: Array| {
        let of = |x: &Normal| Transformed::new(x.clone(), Affine::new(&shift, one(2.0)));
        kl_divergence(&of(&p), &of(&q))
    });
    assert_eq!(floats(&shared(one(3.0))), bases);
    // Batch axes that are a part of an event: the sum over them.
    let simplex = |loc: &[f64]| Transformed::new(Normal::new(f64s(loc), one(1.0)), StickBreaking);
    let (p, q) = (simplex(&[0.0, 1.0]), simplex(&[1.0, 3.0]));
    let have = kl_divergence(&p, &q);
    assert_eq!((have.shape(), floats(&have)), (&[][..], vec![2.5]));
}

#[test]
fn of_what_is_made_of_others() {
    let (p, q) = (Normal::new([0.0, 1.0], 1.0), Normal::new([1.0, 3.0], 1.0));
    let each = kl_divergence(&p, &q);
    assert_eq!(floats(&each), [0.5, 2.0]);
    let both = kl_divergence(&Expanded::new(p.clone(), [3, 2]), &Expanded::new(q.clone(), [3, 2]));
    assert_eq!((both.shape(), floats(&both)[4]), (&[3, 2][..], 0.5));
    let masked = kl_divergence(
        &Masked::new(p, array([true, false])),
        &Masked::new(q.clone(), array([true, true])),
    );
    assert_eq!(floats(&masked), [0.5, 0.0]);
    let sure = Delta::with_log_density([1.0, 2.0], 0.25);
    let want = floats(&(0.25 - q.log_prob(&array([1.0, 2.0]))));
    assert_eq!(floats(&kl_divergence(&sure, &q)), want);
    let outside = kl_divergence(&Delta::new(-1.0), &Gamma::new(1.0, 1.0));
    assert_eq!(floats(&outside), [f64::INFINITY]);
}
