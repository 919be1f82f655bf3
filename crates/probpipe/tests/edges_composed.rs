//! Inputs at the edge of what distributions that are made of others take: points that are NaN,
//! infinite or outside of the support, parameters outside of their sets, NaN and of shapes that do
//! not fit. Declared families are in `bad_input.rs`.

mod golden;

use golden::floats;
use probpipe::bijectors::{Affine, Exp, Sigmoid, Tanh};
use probpipe::distributions::*;
use probpipe::prelude::*;

/// A distribution of numbers, made of parameters of which each has a name that faults must name.
struct Row {
    text: &'static str,
    good: Vec<Array>,
    /// Per parameter: how faults call it, and what it must not be.
    bad: Vec<(&'static str, Vec<f64>)>,
    log_prob: fn(&[Array], &Array) -> Array,
    /// A draw, or the density again of what has none.
    sample: fn(&[Array]) -> Array,
    /// Whether points are in the support, where that is what decides.
    inside: Option<fn(&[Array], &Array) -> Array>,
    event: &'static [usize],
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn wide(x: Array) -> Array {
    if x.dtype().is_float() { x.cast(DType::F64) } else { x }
}

macro_rules! rows {
    ($(
        [$($event:literal),*] $made:expr,
        |$($p:ident: $name:literal = $value:expr, not $bad:expr;)*| $inside:ident $draw:ident
    )+) => {
        vec![$({
            fn log_prob(p: &[Array], x: &Array) -> Array {
                let [$($p),*] = p else { panic!("the parameters of {}", stringify!($made)) };
                $made.log_prob(x)
            }
            Row {
                text: stringify!($made),
                good: vec![$(wide(array($value))),*],
                bad: vec![$(($name, $bad.to_vec())),*],
                log_prob,
                sample: |p| {
                    let [$($p),*] = p else { panic!("the parameters of {}", stringify!($made)) };
                    rows!(! $draw $made)
                },
                inside: rows!(@ $inside $made, $($p),*),
                event: &[$($event),*],
            }
        }),+]
    };
    (@ inside $made:expr, $($p:ident),*) => {{
        fn inside(p: &[Array], x: &Array) -> Array {
            let [$($p),*] = p else { panic!("the parameters of {}", stringify!($made)) };
            $made.support().check(x)
        }
        Some(inside as fn(&[Array], &Array) -> Array)
    }};
    (@ open $made:expr, $($p:ident),*) => { None };
    (! drawn $made:expr) => { $made.sample(Key::new(0), ()) };
    (! seen $made:expr) => { $made.log_prob(&array([0.5, 1.0])) };
}

const SCALE: [f64; 4] = [0.0, -1.0, NAN, INF];
const REAL: [f64; 2] = [NAN, INF];
const PART: [f64; 3] = [-0.1, 1.1, NAN];

fn rows() -> Vec<Row> {
    rows! {
        [] Truncated::new(Normal::new(m, s), a, b),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;
             a: "low" = -1.0, not [NAN, 3.0]; b: "high" = 2.0, not [NAN, -2.0];| inside drawn
        [] Truncated::left(Gamma::new(c, r), a),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;
             a: "low" = 0.5, not [NAN];| inside drawn
        [] Truncated::left(Exponential::new(r), a),
            |r: "rate" = 1.2, not SCALE; a: "low" = -0.5, not [NAN];| inside drawn
        [] Truncated::right(Poisson::new(r), b),
            |r: "rate" = 2.5, not SCALE; b: "high" = 4.0, not [NAN];| inside drawn
        [] Truncated::new(Binomial::new(9, p), a, b),
            |p: "probs" = 0.4, not PART; a: "low" = 1.0, not [NAN];
             b: "high" = 4.0, not [NAN];| inside drawn
        [] LeftCensored::new(Gamma::new(c, r), false),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
        [] RightCensored::new(Uniform::new(a, b), false),
            |a: "low" = 0.2, not REAL; b: "high" = 1.2, not REAL;| inside drawn
        [] LeftCensored::new(Gamma::new(c, r), true),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| open drawn
        [] RightCensored::new(Gamma::new(c, r), true),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| open drawn
        [] RightCensored::new(Poisson::new(r), true), |r: "rate" = 2.5, not SCALE;| open drawn
        [] RightCensored::new(LogNormal::new(m, s), true),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| open drawn
        [2] IntervalCensored::new(Normal::new(m, s)),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| open seen
        [2] IntervalCensored::new(Gamma::new(c, r)),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| open seen
        [] Mixture::new(w, (Gamma::new(c, 1.0), Uniform::new(a, 3.0))),
            |w: "probs" = [0.25, 0.75], not [0.0, -1.0, NAN];
             c: "concentration" = 2.5, not SCALE; a: "low" = 0.5, not REAL;| open drawn
        [] Mixture::from_logits(w, (Normal::new(m, 1.0), Exponential::new(r))),
            |w: "logits" = [0.25, 0.75], not [NAN, INF]; m: "loc" = 0.3, not REAL;
             r: "rate" = 1.2, not SCALE;| open drawn
        [] Mixture::new(w, (Poisson::new(a), Binomial::new(4, b))),
            |w: "probs" = [0.25, 0.75], not [0.0, -1.0, NAN]; a: "rate" = 2.5, not SCALE;
             b: "probs" = 0.4, not PART;| open drawn
        [] MixtureSameFamily::new(w, Normal::new(m, s)),
            |w: "probs" = [0.25, 0.75], not [0.0, -1.0, NAN]; m: "loc" = [0.3, 1.0], not REAL;
             s: "scale" = 1.2, not SCALE;| inside drawn
        [] MixtureSameFamily::from_logits(w, Gamma::new(c, r)),
            |w: "logits" = [0.25, 0.75], not [NAN, INF];
             c: "concentration" = [1.3, 1.5], not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
        [] MixtureSameFamily::new(w, Uniform::new(a, b)),
            |w: "probs" = [0.25, 0.75], not [0.0, -1.0, NAN];
             a: "low" = [0.3, 1.0], not REAL; b: "high" = [1.5, 1.75], not REAL;| inside drawn
        [] ZeroInflated::new(g, Poisson::new(r)),
            |g: "gate" = 0.3, not PART; r: "rate" = 2.5, not SCALE;| inside drawn
        [] ZeroInflated::from_logits(g, NegativeBinomial2::new(m, c)),
            |g: "gate_logits" = 0.3, not REAL; m: "mean" = 2.5, not SCALE;
             c: "concentration" = 1.5, not SCALE;| inside drawn
        [] Hurdle::new(g, Poisson::new(r)),
            |g: "gate" = 0.3, not PART; r: "rate" = 2.5, not SCALE;| inside drawn
        [] Hurdle::from_logits(g, Gamma::new(c, r)),
            |g: "gate_logits" = 0.3, not REAL; c: "concentration" = 2.5, not SCALE;
             r: "rate" = 1.2, not SCALE;| inside drawn
        [] Hurdle::new(g, LogNormal::new(m, s)),
            |g: "gate" = 0.3, not PART; m: "loc" = 0.3, not REAL;
             s: "scale" = 1.2, not SCALE;| inside drawn
        [] Expanded::new(Gamma::new(c, r), [2]),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
        [] Masked::new(Gamma::new(c, r), true),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
        [] Masked::new(Beta::new(a, b), [true, true]),
            |a: "concentration1" = 2.5, not SCALE;
             b: "concentration0" = 1.2, not SCALE;| inside drawn
        [2] Independent::new(Gamma::new(c, r), 1),
            |c: "concentration" = [2.5, 1.5], not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
        [2] Independent::new(Poisson::new(r), 1), |r: "rate" = [2.5, 0.5], not SCALE;| inside drawn
        [] Transformed::new(Normal::new(m, s), Exp),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| inside drawn
        [] Transformed::new(Gamma::new(c, r), Affine::new(a, b)),
            |c: "concentration" = 2.5, not SCALE; r: "rate" = 1.2, not SCALE;
             a: "loc" = 1.5, not []; b: "scale" = -2.0, not [];| inside drawn
        [] Transformed::new(Normal::new(m, s), Sigmoid),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| inside drawn
        [] Transformed::new(Normal::new(m, s), Tanh),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| inside drawn
        [] Quantized::new(Normal::new(m, s)),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;| inside drawn
        [] Quantized::new(Exponential::new(r)), |r: "rate" = 1.2, not SCALE;| inside drawn
        [] Quantized::within(Normal::new(m, s), a, b),
            |m: "loc" = 0.3, not REAL; s: "scale" = 1.2, not SCALE;
             a: "low end" = 0.0, not [NAN, 0.5, 4.0];
             b: "high end" = 4.0, not [NAN, 0.5];| inside drawn
        [] Empirical::new(v.clone()), |v: "values" = [0.5, 1.0, 0.5], not [];| open drawn
        [] Kde::with_scale(v, s),
            |v: "points" = [0.5, 1.0, 2.5], not []; s: "scale" = 0.8, not SCALE;| inside drawn
        [3] HiddenMarkovModel::new(i, t, Normal::new(m, s), 3),
            |i: "initial" = [0.25, 0.75], not [0.0, -1.0, NAN];
             t: "transition" = [[0.25, 0.75], [0.5, 0.5]], not [0.0, -1.0, NAN];
             m: "loc" = [0.0, 1.0], not REAL; s: "scale" = 1.2, not SCALE;| inside drawn
        [3] HiddenMarkovModel::new(i, t, Gamma::new(c, r), 3),
            |i: "initial" = [1.0, 0.0], not [0.0, -1.0, NAN];
             t: "transition" = [[0.25, 0.75], [1.0, 0.0]], not [0.0, -1.0, NAN];
             c: "concentration" = [1.5, 2.0], not SCALE; r: "rate" = 1.2, not SCALE;| inside drawn
    }
}

/// Numbers all over the line.
const POINTS: [f64; 16] =
    [-INF, -1e30, -3.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0, 7.0, 1e30, INF];

/// Densities are `-inf` outside of the support, never NaN of numbers, with slopes that are finite,
/// and NaN of NaN; as they are and compiled.
#[test]
fn points_at_the_edge() {
    let mut misses = Vec::new();
    for row in rows() {
        let text = row.text;
        let slopes = jit(grad(|(p, x): (Vec<Array>, Array)| (row.log_prob)(&p, &x).sum()));
        let compiled = jit(|(p, x): (Vec<Array>, Array)| (row.log_prob)(&p, &x));
        let mut events: Vec<Vec<f64>> = Vec::new();
        let size: usize = row.event.iter().product();
        for x in POINTS {
            events.push(vec![x; size]);
            if size > 1 {
                // One number of an event alone; of bounds, the upper one.
                let mut event = vec![0.75; size];
                event[size - 1] = x;
                events.push(event);
            }
        }
        for event in events {
            let x = Array::from_slice(&event, row.event);
            let eager = floats(&(row.log_prob)(&row.good, &x));
            let together = floats(&compiled((row.good.clone(), x.clone())));
            let inside = row.inside.map(|inside| inside(&row.good, &x).all().item::<bool>());
            for density in eager.iter().chain(&together) {
                let outside = matches!(inside, Some(Ok(false)));
                if density.is_nan() || outside && *density != -INF {
                    misses.push(format!("{text} at {event:?}: {density}"));
                }
            }
            // Where the point is none the slopes of plain families are infinite.
            if event.iter().any(|x| x.is_infinite()) {
                continue;
            }
            let (at_p, at_x) = slopes((row.good.clone(), x.clone()));
            for slope in at_p.iter().chain([&at_x]) {
                if !floats(slope).into_iter().all(f64::is_finite) {
                    misses.push(format!("{text} at {event:?}: a slope of {slope}"));
                }
            }
        }
        let nan = Array::from_slice(&vec![NAN; size], row.event);
        for density in [(row.log_prob)(&row.good, &nan), compiled((row.good.clone(), nan.clone()))]
        {
            if !floats(&density).iter().all(|d| d.is_nan()) {
                misses.push(format!("{text} of NaN: {density}"));
            }
        }
    }
    assert!(misses.is_empty(), "{}\n{}", misses.len(), misses.join("\n"));
}

/// A parameter that is known and outside of its set is named; of one that is not known comes a
/// number and no panic, and NaN of NaN.
#[test]
fn parameters_at_the_edge() {
    let mut misses = Vec::new();
    for row in rows() {
        let (text, size) = (row.text, row.event.iter().product());
        let at = |x: f64| Array::from_slice(&vec![x; size], row.event);
        // Inside of the support, counts or not.
        let between = row.inside.map(|inside| inside(&row.good, &at(0.75)).all().item::<bool>());
        let x = at(if let Some(Ok(true)) = between { 0.75 } else { 1.0 });
        for (k, (name, bad)) in row.bad.iter().enumerate() {
            for &value in bad {
                let mut p = row.good.clone();
                p[k] = (&p[k] * 0.0 + value).cast(p[k].dtype());
                for result in [(row.log_prob)(&p, &x), (row.sample)(&p)] {
                    let message =
                        result.error().map(|e| e.message().to_string()).unwrap_or_default();
                    if !message.contains(name) {
                        misses.push(format!("{text} with {name} {value}: {message}"));
                    }
                }
                let later = jit(|p: Vec<Array>| (row.log_prob)(&p, &x))(p);
                let wrong = later.value().is_err();
                if wrong || value.is_nan() && !floats(&later).iter().all(|d| d.is_nan()) {
                    misses.push(format!("{text} with {name} {value}, compiled: {later}"));
                }
            }
        }
    }
    assert!(misses.is_empty(), "{}\n{}", misses.len(), misses.join("\n"));
}

/// Shapes that do not fit are said; the shape of a part that is wrong itself is not asked.
#[test]
fn shapes_at_the_edge() {
    let said = |array: Array| array.error().map(|e| e.message().to_string()).unwrap_or_default();
    let n = |k: usize| Normal::new(zeros([k]), 1.0);
    let (key, x) = (|| Key::new(0), zeros([3]));
    let densities = [
        Truncated::left(n(3), zeros([2])).log_prob(&x),
        Masked::new(n(3), array([true, false])).log_prob(&x),
        RightCensored::new(n(3), array([true, false])).log_prob(&x),
        ZeroInflated::new(array([0.5, 0.5]), Poisson::new(ones([3]))).log_prob(&x),
        Hurdle::new(array([0.5, 0.5]), Poisson::new(ones([3]))).log_prob(&x),
        Transformed::new(n(3), Affine::new(zeros([2]), 1.0)).log_prob(&x),
        Quantized::within(n(3), array([0, 1]), 4).log_prob(&x),
        Expanded::new(n(3), [2]).log_prob(&x),
        MixtureSameFamily::new([0.5, 0.5], n(3)).log_prob(&array(0.0)),
        Mixture::new([0.5, 0.5], (n(2), n(3))).log_prob(&array(0.0)),
        HiddenMarkovModel::new([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], n(3), 2).log_prob(&x),
        HiddenMarkovModel::new([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], n(2), 2).log_prob(&x),
        Independent::new(n(2), 1).log_prob(&x),
        Empirical::new(zeros([2, 2])).log_prob(&array(0.0)),
        Kde::with_scale(zeros([2, 2]), eye(2)).log_prob(&x),
    ];
    for (at, density) in densities.into_iter().enumerate() {
        assert!(!said(density).is_empty(), "density {at}");
    }
    let draws = [
        Truncated::left(n(3), zeros([2])).sample(key(), ()),
        ZeroInflated::new(array([0.5, 0.5]), Poisson::new(ones([3]))).sample(key(), ()),
        Hurdle::new(array([0.5, 0.5]), Poisson::new(ones([3]))).sample(key(), ()),
        Transformed::new(n(3), Affine::new(zeros([2]), 1.0)).sample(key(), ()),
        Expanded::new(n(3), [2]).sample(key(), ()),
        MixtureSameFamily::new([0.5, 0.5], n(3)).sample(key(), ()),
        Mixture::new([0.5, 0.5], (n(2), n(3))).sample(key(), ()),
    ];
    for (at, draw) in draws.into_iter().enumerate() {
        assert!(!said(draw).is_empty(), "draw {at}");
    }
    let wrong = || Normal::new(zeros([2]), -1.0);
    let want = "the scale of a Normal must be positive, not -1";
    let faults = [
        Expanded::new(wrong(), [2]).mean(),
        MixtureSameFamily::new([0.5, 0.5], wrong()).mean(),
        MixtureSameFamily::new([0.5, 0.5], wrong()).cdf(&x),
        Mixture::new([0.5, 0.5], (n(2), wrong())).mean(),
        Truncated::left(wrong(), zeros([2])).mean(),
        Independent::new(wrong(), 1).entropy(),
        HiddenMarkovModel::new([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], wrong(), 2).mean(),
    ];
    for (at, fault) in faults.into_iter().enumerate() {
        assert_eq!(said(fault), want, "{at}");
    }
}
