//! Divergences of pairs that the reference cases have not: against the mean over draws of the
//! difference of the densities, and zero of equal ones, with slopes that are finite.

mod golden;

use golden::floats;
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
