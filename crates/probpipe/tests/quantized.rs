//! Numbers rounded up to integers: against families that they are, in the tails, between ends, and
//! draws by their probabilities.

mod golden;

use golden::{assert_close, floats};
use probpipe::distributions::Quantized;
use probpipe::prelude::*;
use probpipe::{Logistic, Poisson};

fn one(x: f64) -> Array {
    Array::from(x).cast(DType::F64)
}

fn counts(low: i32, n: usize) -> Array {
    arange(n).cast(DType::I32) + low
}

/// `log(1 - e^-r) - r (k - 1)` from 1 up.
#[test]
fn started_waits_are_geometric() {
    let q = Quantized::new(Exponential::new(one(0.3)));
    let k = counts(-1, 402);
    let want: Vec<f64> = (-1..=400)
        .map(|k| match k {
            ..=0 => f64::NEG_INFINITY,
            _ => (1.0 - (-0.3f64).exp()).ln() - 0.3 * f64::from(k - 1),
        })
        .collect();
    assert_close("eager", &floats(&q.log_prob(&k)), &want, 1e-13, 0.0);
    let compiled = jit(|k: Array| q.log_prob(&k))(k);
    assert_close("compiled", &floats(&compiled), &want, 1e-13, 0.0);
    let x = Array::from_slice(&[1.5, 2.0, 0.0, f64::NAN, f64::INFINITY], [5]);
    let have = floats(&q.log_prob(&x));
    assert!(have[0] == f64::NEG_INFINITY && have[4] == f64::NEG_INFINITY && have[3].is_nan());
    assert_close("cdf", &floats(&q.cdf(&one(2.7))), &[1.0 - (-0.6f64).exp()], 1e-15, 0.0);
    assert_close("far", &floats(&q.log_survival(&one(3000.5))), &[-900.0], 1e-15, 0.0);
    let levels: Vec<f64> = (1..40).map(|k| f64::from(k) / 40.0).collect();
    for level in levels {
        let k = floats(&q.quantile(&one(level)))[0];
        let at = |k: f64| floats(&q.cdf(&one(k)))[0];
        assert!(at(k) >= level && at(k - 1.0) < level, "{level}: {k}");
    }
    // On the edge of an integer.
    let edge = q.cdf(&one(4.0));
    assert_eq!(floats(&q.quantile(&edge)), [4.0]);
    let draws = jit(|key: Key| q.sample(key, [20_000]))(Key::new(3));
    assert_eq!(draws.dtype(), DType::I32);
    for k in 1..6 {
        let share = draws.eq(k).cast(DType::F64).mean().item::<f64>().unwrap();
        let p = floats(&q.prob(&Array::from(k)))[0];
        assert!((share - p).abs() < 5.0 * (p / 20_000.0).sqrt(), "{k}: {share}, {p}");
    }
    assert!(q.support().is_integer());
}

#[test]
fn ends_take_what_lies_beyond() {
    let base = Logistic::new(one(2.2), one(1.5));
    let q = Quantized::within(base.clone(), 0, 5);
    let all = floats(&q.prob(&counts(0, 6)));
    assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-14);
    let edges = [floats(&base.log_cdf(&one(0.0)))[0], floats(&base.log_survival(&one(4.0)))[0]];
    let have = [floats(&q.log_prob(&one(0.0)))[0], floats(&q.log_prob(&one(5.0)))[0]];
    assert_close("ends", &have, &edges, 1e-14, 0.0);
    for outside in [-1.0, 6.0, 2.5] {
        assert_eq!(floats(&q.log_prob(&one(outside))), [f64::NEG_INFINITY]);
    }
    let cdf: Vec<f64> = (-1..=6).map(|k| floats(&q.cdf(&one(f64::from(k))))[0]).collect();
    assert_eq!((cdf[0], cdf[6], cdf[7]), (0.0, 1.0, 1.0));
    let steps: Vec<f64> = cdf.windows(2).take(6).map(|w| w[1] - w[0]).collect();
    assert_close("steps", &steps, &all, 1e-13, 1e-15);
    let draws = q.sample(Key::new(0), [500]);
    assert!((draws.ge(0) & draws.le(5)).all().item::<bool>().unwrap());
    assert_eq!(floats(&q.quantile(&one(1.0))), [5.0]);
    let (points, probs) = q.enumerate().unwrap();
    assert_eq!((points.shape(), floats(&probs)), (&[6][..], all));
    // One of a batch of ends, and slopes in what is rounded.
    let wide = Quantized::within(base, [0, -3], 5);
    assert_eq!(wide.sample(Key::new(0), [4]).shape(), [4, 2]);
    let slope = grad(|loc: Array| {
        Quantized::within(Logistic::new(loc, one(1.5)), 0, 5).log_prob(&counts(0, 6)).sum()
    });
    let h = 1e-5;
    let value = |loc: f64| {
        let q = Quantized::within(Logistic::new(one(loc), one(1.5)), 0, 5);
        floats(&q.log_prob(&counts(0, 6)).sum())[0]
    };
    let want = (value(2.2 + h) - value(2.2 - h)) / (2.0 * h);
    assert_close("slope", &floats(&slope(one(2.2))), &[want], 1e-8, 0.0);
}

#[test]
fn tails_keep_their_digits() {
    let q = Quantized::new(Normal::new(one(0.0), one(1.0)));
    // log(Phi(-30) - Phi(-31)), on both sides, from mpmath.
    let want = -454.321_243_956_343_25;
    assert_close("below", &floats(&q.log_prob(&one(-30.0))), &[want], 1e-13, 0.0);
    assert_close("above", &floats(&q.log_prob(&one(31.0))), &[want], 1e-13, 0.0);
}

#[test]
fn faults() {
    let said = |x: Array| x.error().unwrap().message().to_string();
    let of = |low: f64, high: f64| Quantized::within(Normal::new(0.0, 1.0), low, high);
    let at = array(1);
    assert_eq!(
        said(of(0.5, 3.0).log_prob(&at)),
        "the low end of a Quantized must be an integer, not 0.5"
    );
    assert_eq!(
        said(of(3.0, 1.0).sample(Key::new(0), ())),
        "the low end of a Quantized must be below its high end"
    );
    assert_eq!(
        said(Quantized::new(Poisson::new(1.0)).log_prob(&at)),
        "a Quantized is made of a distribution that is none of single numbers"
    );
}
