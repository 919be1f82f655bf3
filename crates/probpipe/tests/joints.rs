//! Joint distributions: products of parts and of joints, parts that follow from others, and the
//! form of all of them over vectors.

mod golden;
mod travels;

use golden::{assert_close, floats};
use probpipe::prelude::*;
use probpipe::{Empirical, Gamma, Independent, Poisson, Sequential};
use travels::{f64s, one, said, travels};

type Model = Sequential<(Array, Array)>;

/// `scale ~ Gamma(2, rate)`, `mu ~ Normal(loc, scale)`, `x ~ Normal(mu, scale)` three times.
fn model() -> Model {
    Sequential::new((one(0.5), one(2.0)))
        .then("scale", |(_, rate): &(Array, Array), _: &Record| Gamma::new(2.0, rate))
        .then("mu", |(loc, _): &(Array, Array), r: &Record| Normal::new(loc, &r["scale"]))
        .then("x", |_: &(Array, Array), r: &Record| {
            Normal::new(r["mu"].broadcast_to([3]), &r["scale"])
        })
}

/// The sum of the log-densities of the parts, written out.
fn by_hand(scale: f64, mu: f64, x: [f64; 3]) -> f64 {
    let parts = [
        Gamma::new(one(2.0), one(2.0)).log_prob(&one(scale)),
        Normal::new(one(0.5), one(scale)).log_prob(&one(mu)),
        Normal::new(one(mu), one(scale)).log_prob(&f64s(x)).sum(),
    ];
    parts.iter().map(|part| floats(part)[0]).sum()
}

#[test]
fn parts_that_follow_from_others() {
    let joint = model();
    let (a, b) = ([0.1, 0.2, -0.3], [1.0, 2.0, 3.0]);
    let record = Record::new([("scale", one(0.7)), ("mu", one(0.4))]).with("x", f64s(a));
    let want = [by_hand(0.7, 0.4, a), by_hand(1.5, -0.4, b)];
    assert_close("one", &floats(&joint.log_prob(&record)), &want[..1], 1e-13, 0.0);
    let both = Record::new([("scale", f64s([0.7, 1.5])), ("mu", f64s([0.4, -0.4]))])
        .with("x", Array::from_slice(&[a, b].concat(), [2, 3]));
    assert_close("two", &floats(&joint.log_prob(&both)), &want, 1e-13, 0.0);
    travels("one", &joint, &record, 1e-5);
    travels("two", &joint, &both, 1e-5);
    // A part that all draws share is one.
    let shared = both.clone().with("scale", one(0.7));
    let want = [by_hand(0.7, 0.4, a), by_hand(0.7, -0.4, b)];
    assert_close("shared", &floats(&joint.log_prob(&shared)), &want, 1e-13, 0.0);
    let draws = joint.sample(Key::new(0), [4, 500]);
    assert_eq!(draws.paths(), ["scale", "mu", "x"]);
    assert_eq!(draws["x"].shape(), [4, 500, 3]);
    assert_eq!(joint.log_prob(&draws).shape(), [4, 500]);
    // The spread of `mu` around its mean is the scale of the same draw.
    let z = ((&draws["mu"] - 0.5) / &draws["scale"]).square().mean().item::<f64>().unwrap();
    assert!((z - 1.0).abs() < 0.15, "{z}");
    for device in [Device::Interpreter, Device::Cpu] {
        let draw = |joint: Model| joint.sample(Key::new(0), [4, 500]);
        let again = jit_on(device, draw)(joint.clone());
        assert_close("draws", &floats(&again["x"]), &floats(&draws["x"]), 1e-9, 1e-12);
    }
    // Differentiable in the parameters of the joint.
    let loss = |joint: Model| joint.log_prob(&record);
    let slope = grad(loss)(joint.clone());
    let (loc, rate) = slope.parameters();
    // d/d loc (mu - loc) / scale^2, d/d rate 2 / rate - scale
    assert_close("loc", &floats(loc), &[(0.4 - 0.5) / 0.49], 1e-12, 0.0);
    assert_close("rate", &floats(rate), &[1.0 - 0.7], 1e-12, 0.0);
}

#[test]
fn vectors_of_a_joint() {
    let flat = model().as_flat_distribution();
    assert_eq!(flat.paths().unwrap(), ["scale", "mu", "x"]);
    assert_eq!(flat.event_shape()[..], [5]);
    let x = f64s([0.7, 0.4, 0.1, 0.2, -0.3]);
    let want = [by_hand(0.7, 0.4, [0.1, 0.2, -0.3])];
    assert_close("flat", &floats(&flat.log_prob(&x)), &want, 1e-13, 0.0);
    let rows = stack([x.clone(), x.clone()], 0);
    assert_close("rows", &floats(&flat.log_prob(&rows)), &[want[0], want[0]], 1e-13, 0.0);
    travels("flat", &flat, &rows, 1e-5);
    let draws = flat.sample(Key::new(3), [7]);
    assert_eq!(draws.shape(), [7, 5]);
    let record = flat.unflatten(&draws).unwrap();
    let same = flat.joint().log_prob(&record).numbers_equal(&flat.log_prob(&draws));
    assert!(same);
    assert!(grad(|x: Array| flat.log_prob(&x))(x).all_finite().item::<bool>().unwrap());
    assert_eq!(
        said(flat.log_prob(&zeros([4]))),
        "the flat sequential joint takes vectors of 5, not an array of shape [4]"
    );
}

trait Same {
    fn numbers_equal(&self, other: &Array) -> bool;
}

impl Same for Array {
    fn numbers_equal(&self, other: &Array) -> bool {
        floats(self) == floats(other)
    }
}

#[test]
fn joints_in_joints() {
    let inner = product((
        Normal::new(one(0.0), one(1.0)).named("a"),
        Normal::new(f64s([0.0, 1.0]), one(1.0)).named("b"),
    ));
    let points = Record::new([("u", f64s([1.0, 2.0])), ("v", f64s([3.0, 4.0]))]);
    let outer = product((
        inner.named("prior"),
        Exponential::new(one(2.0)).named("rate"),
        Empirical::new(points).named("seen"),
    ));
    let draws = outer.sample(Key::new(0), [3]);
    assert_eq!(draws.paths(), ["prior/a", "prior/b", "rate", "seen/u", "seen/v"]);
    assert_eq!(draws["prior/b"].shape(), [3, 2]);
    assert_eq!(outer.log_prob(&draws).shape(), [3]);
    let flat = outer.as_flat_distribution();
    assert_eq!(flat.event_shape()[..], [6]);
    let x = f64s([0.5, -0.5, 0.25, 1.5, 2.0, 4.0]);
    let half_log_tau = 0.9189385332046727;
    let squares = [0.5f64, -0.5, -0.75].iter().map(|z| z * z / 2.0 + half_log_tau).sum::<f64>();
    let want = -squares + 2f64.ln() - 3.0 + 0.5f64.ln();
    assert_close("nested", &floats(&flat.log_prob(&x)), &[want], 1e-14, 0.0);
    travels("nested", &flat, &x, 1e-5);
    travels("nested", &outer, &draws, 1e-5);
    // A sequential joint whose part is a joint, and which is a part itself.
    let group = Sequential::new(())
        .then("prior", |_, _: &Record| {
            product((Normal::new(0.0, 1.0).named("mu"), Exponential::new(1.0).named("scale")))
        })
        .then("y", |_, r: &Record| {
            let (mu, scale) = (&r["prior/mu"], &r["prior/scale"]);
            Independent::new(Normal::new(mu.broadcast_to([2]), scale), 1)
        })
        .then("count", |_, r: &Record| Poisson::new(&r["prior/scale"]));
    let both = product((group.named("left"), Normal::new(0.0, 1.0).named("z")));
    let draws = both.sample(Key::new(1), [5]);
    assert_eq!(draws.paths(), ["left/prior/mu", "left/prior/scale", "left/y", "left/count", "z"]);
    assert_eq!(draws["left/count"].dtype(), DType::I32);
    assert_eq!(both.log_prob(&draws).shape(), [5]);
    assert!(both.log_prob(&draws).all_finite().item::<bool>().unwrap());
    // Counts are floats in a vector.
    assert_eq!(both.as_flat_distribution().sample(Key::new(1), [5]).shape(), [5, 6]);
    let draw = both.sample(Key::new(1), ());
    let vector = both.as_flat_distribution().sample(Key::new(1), ());
    let density = both.as_flat_distribution().log_prob(&vector);
    assert_close("flat", &floats(&density), &floats(&both.log_prob(&draw)), 1e-6, 0.0);
}

#[test]
fn faults() {
    let joint = model();
    let record = joint.sample(Key::new(0), ());
    assert_eq!(
        said(joint.log_prob(&record.without(["mu"]).unwrap())),
        "the record has no `mu`, which the sequential joint needs"
    );
    assert_eq!(
        said(joint.log_prob(&record.clone().with("x", zeros([2])))),
        "`x` of a sequential joint is of shape [2], not [3]"
    );
    let twice = Sequential::new(())
        .then("a", |_, _: &Record| Normal::new(0.0, 1.0))
        .then("a", |_, _: &Record| Normal::new(0.0, 1.0));
    assert_eq!(said(twice.log_prob(&record)), "a sequential joint names two parts `a`");
    assert_eq!(said(twice.sample(Key::new(0), [2])["a"].clone()), said(twice.log_prob(&record)));
    let later = Sequential::new(())
        .then("a", |_, r: &Record| Normal::new(&r["b"], 1.0))
        .then("b", |_, _: &Record| Normal::new(0.0, 1.0));
    let seen = Record::new([("a", one(0.0)), ("b", one(0.0))]);
    assert_eq!(said(later.log_prob(&seen)), "the record has no `b`");
    let nested = product((product((Normal::new(0.0, 1.0).named("a"),)).named("in"),));
    assert_eq!(said(nested.log_prob(&Record::new([("in", 0.5)]))), "`in` of a joint is a record");
    let plain = product((Normal::new(0.0, 1.0).named("a"),));
    assert_eq!(
        said(plain.log_prob(&Record::default().with("a/b", 0.5))),
        "`a` of a joint is an array"
    );
}
