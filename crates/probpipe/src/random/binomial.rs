//! Binomial and multinomial counts. Where few successes are expected, waiting times are added up
//! until they exceed the number of trials; else transformed rejection with squeeze. Each method
//! runs on all elements, with harmless parameters for those of the other, and until the last is
//! done; not at all where it has none.
//!
//! Sources: V. Kachitvichyanukul, B. W. Schmeiser, "Binomial random variate generation", CACM 31,
//! 1988; L. Devroye, "Non-uniform random variate generation", 1986, X.4; W. Hörmann, "The
//! generation of binomial random variates", 1993 (algorithm BTRS). Which key gives which number
//! follows `jax.random`.

use super::parameters::{float_of, floats, join, settled, thirds};
use super::stirling::stirling_tail;
use probpipe_trace::{
    Array, CumulativeOp, Error, ErrorKind, IntoShape, Key, Shape, full_like, here, scan, select,
    uniform_of, while_loop, zeros_like,
};

/// Binomial counts of `n` trials that succeed with probability `p` each, as floats.
///
/// A fraction of `n` does not count. A negative `n`, a `p` outside of [0, 1] or a NaN gives NaN;
/// infinite `n` gives infinity.
#[track_caller]
#[doc(alias = "random.binomial")]
pub fn binomial(
    key: Key,
    shape: impl IntoShape,
    n: impl Into<Array>,
    p: impl Into<Array>,
) -> Array {
    let shape = shape.into_shape();
    settled(
        floats("binomial", &shape, [("n", n.into()), ("p", p.into())])
            .map(|[n, p]| counts(key, &shape, &n, &p)),
    )
}

#[track_caller]
fn counts(key: Key, shape: &Shape, n: &Array, p: &Array) -> Array {
    let below_half = p.lt(0.5);
    let q = select(&below_half, p, 1.0 - p);
    let valid = n.ge(0.0) & q.ge(0.0);
    let endless = n.eq(f64::INFINITY);
    let q = select(&q.ge(0.0), q, 0.01);
    let few = !&valid | (n * &q).le(10.0);
    let rejecting = !&few & !&endless;
    let trials = n.floor();
    let inverted = waiting(key.reuse(), shape, &select(&few, &trials, 0.0), &q);
    let many = (select(&rejecting, &trials, 1e4), select(&few, 0.5, &q));
    let rejected = rejection(key, shape, &many.0, &many.1, &rejecting);
    let count = select(&few, inverted, rejected);
    let count = select(&below_half, &count, trials - &count);
    select(&valid, select(&endless, f64::INFINITY, count), f64::NAN)
}

/// How many geometric waiting times fit into the trials.
#[track_caller]
fn waiting(key: Key, shape: &Shape, trials: &Array, p: &Array) -> Array {
    let log_failure = (-p).log1p();
    let dtype = p.dtype();
    let init = (zeros_like(p), zeros_like(p), key);
    let (count, ..) = while_loop(
        |(_, time, _): (Array, Array, Key)| time.le(trials).any(),
        |(count, time, key)| {
            let (now, key) = key.split();
            let count = select(&time.le(trials), &count + 1.0, count);
            let wait = (uniform_of(dtype, now, shape).log() / &log_failure).ceil();
            (count, time + wait, key)
        },
        init,
    );
    count - 1.0
}

/// Transformed rejection, for `n p` above 10 and `p` up to a half, if any element is `wanted`.
#[track_caller]
fn rejection(key: Key, shape: &Shape, n: &Array, p: &Array, wanted: &Array) -> Array {
    let dtype = p.dtype();
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = &deviation * 2.53 + 1.15;
    let a = &b * 0.0248 - 0.0873 + p * 0.01;
    let c = n * p + 0.5;
    let v_r = 0.92 - 4.2 / &b;
    let odds = p / (1.0 - p);
    let alpha = (5.1 / &b + 2.83) * deviation;
    let m = ((n + 1.0) * p).floor();
    let rest = n - &m + 1.0;
    let at_mode = (&m + 0.5) * ((&m + 1.0) / (&odds * &rest)).log();
    let tails = [&m, &(n - &m)].map(stirling_tail);
    let none = (!wanted.any()).broadcast_to(shape);
    let init = (full_like(p, -1.0), none, key);
    let (count, ..) = while_loop(
        |(_, done, _): (Array, Array, Key)| (!done).any(),
        |(count, done, key)| {
            let [key, first, second] = thirds(key);
            let u = uniform_of(dtype, first, shape) - 0.5;
            let v = uniform_of(dtype, second, shape);
            let us = 0.5 - u.abs();
            let squeezed = us.ge(0.07) & v.le(&v_r);
            let k = ((&a * 2.0 / &us + &b) * &u + &c).floor();
            let inside = k.ge(0.0) & k.le(n);
            let s = (v * &alpha / (&a / us.square() + &b)).log();
            let left = n - &k + 1.0;
            // In the order of the reference, whose roundings decide where chances are equal.
            let bound = &at_mode
                + (n + 1.0) * (&rest / &left).log()
                + (&k + 0.5) * (&odds * &left / (&k + 1.0)).log()
                + &tails[0]
                + &tails[1]
                - stirling_tail(&k)
                - stirling_tail(&(n - &k));
            let accepted = squeezed | (inside & s.le(bound));
            // Elements that are done go on: the last number that they accept counts.
            (select(&accepted, k, count), done | accepted, key)
        },
        init,
    );
    count
}

/// Multinomial counts, `[shape.., k]`: how often each of `k` outcomes comes in `n` trials, of
/// probabilities `p` `[..., k]`, as floats. `shape` is that of the batch; `n` and the leading axes
/// of `p` broadcast to it.
///
/// ```
/// use probpipe::prelude::*;
/// let counts = probpipe::random::multinomial(Key::new(0), (), 20, array([0.2, 0.3, 0.5]));
/// assert_eq!(counts.sum().item::<f32>()?, 20.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.multinomial")]
pub fn multinomial(
    key: Key,
    shape: impl IntoShape,
    n: impl Into<Array>,
    p: impl Into<Array>,
) -> Array {
    let (shape, n, p) = (shape.into_shape(), n.into(), p.into());
    if let Some(error) = n.error().or(p.error()) {
        return Array::invalid(error.clone(), here());
    }
    let Some(&outcomes) = p.shape().last() else {
        let error = Error::new(ErrorKind::Shape, "`multinomial` takes vectors, and p is a scalar")
            .help("give one probability per outcome");
        return Array::invalid(error, here());
    };
    let whole = join(&shape, &[outcomes]);
    let dtype = float_of(&[&n, &p]);
    let spread = || {
        let [p] = floats("multinomial", &whole, [("p", p.cast(dtype))])?;
        let [n] = floats("multinomial", &shape, [("n", n.cast(dtype))])?;
        Ok([n, p])
    };
    settled(spread().map(|[n, p]| {
        let layout = key.layout();
        let p = p.move_axis(-1, 0);
        let rest = p.cumulative(CumulativeOp::Sum, 0, true);
        // What share of the trials that are left an outcome gets.
        let shares = (&p / select(&rest.eq(0.0), 1.0, &rest)).clip(0.0, 1.0);
        let keys = key.split_batch(outcomes).data().clone();
        let step = |left: Array, (share, words): (Array, Array)| {
            let key = Key::from_data(words).with_layout(layout);
            let count = counts(key, &shape, &left, &share);
            (left - &count, count)
        };
        let (_, counts) = scan(n, (shares, keys), step);
        counts.move_axis(0, -1)
    }))
}
