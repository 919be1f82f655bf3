//! Densities of real vectors made of generative functions: against densities written by hand, and
//! the way between vectors and choices, in lanes, loops, branches and sums.

use probpipe::constraints::Constraint;
use probpipe::inference::Target;
use probpipe::inference::vi::laplace;
use probpipe::prelude::*;
use probpipe::{
    Categorical, Dirichlet, Empirical, Gamma, ImproperUniform, Independent, LKJCholesky, Mixture,
    Poisson, Sequential,
};
use probpipe_testing::says;

fn number(x: &Array) -> f64 {
    x.cast(DType::F64).item::<f64>().unwrap()
}

/// The density of the vector is that of the choices and the volume, by finite differences of the
/// way there where it is a function of one number at a time.
fn volume(target: &Target<ChoiceMap>, z: &Array, address: &str) -> f64 {
    let h = 1e-5;
    let value = |z: &Array| target.constrain(z).unwrap()[address].cast(DType::F64).flatten();
    let mut sum = 0.0;
    for i in 0..z.size() {
        let step = eye(z.size()).cast(DType::F64).at(i as isize) * h;
        let moved = (value(&(z + &step)) - value(&(z - &step))).at(i as isize) / (2.0 * h);
        sum += number(&moved.abs().log());
    }
    sum
}

#[test]
fn lanes_and_loops_have_their_volumes() {
    with_default_float(DType::F64, || {
        let level =
            generative(|t: &mut Choices, rate: Array| t.sample("pos", Gamma::new(2.0, rate)));
        let rates = array([0.5, 1.0, 2.0]);
        let model = level.mapped(0);
        let target = Target::of(model, rates.clone(), &ChoiceMap::default()).unwrap();
        let z = array([-0.5, 0.3, 1.1]);
        let values = target.constrain(&z).unwrap();
        let density: f64 = number(&Gamma::new(2.0, &rates).log_prob(&values["pos"]).sum());
        let whole = number(&jit(|z: Array| target.log_density(&z))(z.clone()));
        assert!((whole - density - volume(&target, &z, "pos")).abs() < 1e-8);
        let back = target.unconstrain(&values).unwrap();
        assert!(number(&(back - &z).abs().max()) < 1e-14);

        // A walk whose steps are positive and whose scale is the state before.
        let step = generative(|t: &mut Choices, state: Array| {
            t.sample("x", Gamma::new(2.0, state.recip()))
        });
        let target = Target::of(step.unfold(4), 1.5, &ChoiceMap::default()).unwrap();
        let z = array([0.1, -0.4, 0.8, 0.2]);
        let x = target.constrain(&z).unwrap()["x"].to_vec::<f64>().unwrap();
        let mut by_hand = 0.0;
        for (k, &now) in x.iter().enumerate() {
            let before = if k == 0 { 1.5 } else { x[k - 1] };
            by_hand += number(&Gamma::new(2.0, 1.0 / before).log_prob(&array(now))) + now.ln();
        }
        assert!((number(&target.log_density(&z)) - by_hand).abs() < 1e-12);
    });
}

#[test]
fn supports_follow_choices_before_them() {
    with_default_float(DType::F64, || {
        let model = generative(|t: &mut Choices| {
            let low = t.sample("low", Normal::new(0.0, 1.0));
            let width = t.sample("width", Gamma::new(2.0, 1.0));
            t.sample("x", Uniform::new(&low, &low + width))
        });
        let target = Target::of(model, (), &ChoiceMap::default()).unwrap();
        let z = array([3.0, -1.0, 0.7]);
        let at = target.constrain(&z).unwrap();
        let (low, width, x) = (number(&at["low"]), number(&at["width"]), number(&at["x"]));
        let part = 1.0 / (1.0 + (-0.7f64).exp());
        assert!((x - (low + width * part)).abs() < 1e-12);
        let density = number(&Normal::new(0.0, 1.0).log_prob(&array(low)))
            + number(&Gamma::new(2.0, 1.0).log_prob(&array(width)))
            - width.ln();
        let volume = width.ln() + (width * part * (1.0 - part)).ln();
        assert!((number(&target.log_density(&z)) - density - volume).abs() < 1e-12);
        let slopes = grad(|z: Array| target.log_density(&z))(z.clone());
        assert!(slopes.is_finite().all().item::<bool>().unwrap());
    });
}

/// Weights, places and scales of a mixture whose labels are summed out.
#[test]
fn discrete_choices_are_summed_out() {
    with_default_float(DType::F64, || {
        let point = generative(|t: &mut Choices, weights: Array, places: Array| {
            let k = t.sample("k", Categorical::new(weights));
            t.sample("y", Normal::new(places.take(&k, 0), 0.5))
        });
        let model = generative(move |t: &mut Choices| {
            let weights = t.sample("weights", Dirichlet::new([2.0, 2.0]));
            let places = t.sample("places", Normal::new([-1.0, 1.0], 1.0));
            let summed = point.marginal(&addresses(["k"]));
            t.call("points", summed.repeat(5), (weights, places));
        });
        let y = array([-1.2, -0.8, 0.9, 1.4, 1.0]);
        let observed = ChoiceMap::new([("points/y", y.clone())]);
        let target = Target::of(model, (), &observed).unwrap();
        assert_eq!(target.size(), 3);
        let z = array([0.4, -0.9, 1.1]);
        let at = target.constrain(&z).unwrap();
        assert_eq!(at.addresses(), ["weights", "places"]);
        assert!((number(&at["weights"].sum()) - 1.0).abs() < 1e-14);
        let by_hand = {
            let each = Normal::new(&at["places"], 0.5).log_prob(&y.expand_dims(-1));
            let mixed = (each + at["weights"].log()).logsumexp_axes([-1]).sum();
            let prior = Dirichlet::new([2.0, 2.0]).log_prob(&at["weights"])
                + Normal::new([-1.0, 1.0], 1.0).log_prob(&at["places"]).sum();
            let w = at["weights"].to_vec::<f64>().unwrap();
            number(&(mixed + prior)) + (w[0] * w[1]).ln()
        };
        assert!((number(&target.log_density(&z)) - by_hand).abs() < 1e-12);
        let (q, found) =
            jit(|start: Array| laplace(&target.clone().starting_at(start), Default::default()))(
                array([0.0, -1.0, 1.0]),
            );
        assert!(found.converged.item::<bool>().unwrap());
        assert!(q.scale_tril.is_finite().all().item::<bool>().unwrap());
    });
}

#[test]
fn choices_below_sums_and_matrices_come_back() {
    with_default_float(DType::F64, || {
        let model = generative(|t: &mut Choices| {
            let factor = t.sample("factor", LKJCholesky::new(3, 2.0));
            let k = t.sample("k", Bernoulli::new(0.3));
            let scale = t.sample("scale", Gamma::new(2.0, 1.0));
            let x = factor.dot(array([1.0, -1.0, 0.5])) * scale;
            t.sample("x", Normal::new(x + k.cast(DType::F64).expand_dims(0), 1.0))
        });
        let summed = model.marginal(&addresses(["k"]));
        let seen = ChoiceMap::new([("x", array([0.3, 0.2, -0.4]))]);
        let target = Target::of(summed, (), &seen).unwrap();
        assert_eq!(target.size(), 4);
        let z = array([0.2, -0.3, 0.5, -0.7]);
        let at = target.constrain(&z).unwrap();
        assert_eq!(at["factor"].shape(), [3, 3]);
        assert!((number(&at["scale"]) - (-0.7f64).exp()).abs() < 1e-14);
        let back = target.unconstrain(&at).unwrap();
        assert!(number(&(back - z).abs().max()) < 1e-12);
    });
}

/// Flat priors: on the line, on sets that choices before them bound, and in lanes.
#[test]
fn flat_choices_leave_the_likelihood_as_it_is() {
    let flat = |set: Constraint| ImproperUniform::new(set, [], []);
    let points = move || {
        let point = generative(move |t: &mut Choices, y_scale: Array| {
            let low = t.sample("low", flat(Constraint::Real));
            t.sample("y", Normal::new(low, y_scale))
        });
        generative(move |t: &mut Choices| {
            let scale = t.sample("scale", flat(Constraint::Positive));
            let set = Constraint::Interval(array(0.0), scale.clone());
            let part = t.sample("part", flat(set));
            let places = ImproperUniform::new(Constraint::OrderedVector, [], [3]);
            let places = t.sample("places", places);
            t.call("points", point.mapped(0), places + &part);
        })
    };
    with_default_float(DType::F64, || {
        let y = array([0.3, -0.8, 1.4]);
        let observed = ChoiceMap::new([("points/y", y.clone())]);
        let target = Target::of(points(), (), &observed).unwrap();
        assert_eq!((target.size(), target.start().dtype()), (8, DType::F64));
        let z = array([0.4, -0.3, 1.0, 0.2, 0.1, 0.5, 0.6, 0.7]);
        let at = target.constrain(&z).unwrap();
        assert_eq!(at.addresses(), ["scale", "part", "places", "points/low"]);
        let (scale, part) = (number(&at["scale"]), number(&at["part"]));
        let spread = &at["places"] + part;
        let likelihood = number(&Normal::new(&at["points/low"], spread).log_prob(&y).sum());
        let volume = scale.ln() + (part * (scale - part) / scale).ln() + 0.2 + 0.1;
        let density = number(&jit(|z: Array| target.log_density(&z))(z.clone()));
        assert!((density - likelihood - volume).abs() < 1e-12);
        assert!(number(&(target.unconstrain(&at).unwrap() - z).abs().max()) < 1e-12);
    });
    // Given, it is a choice as any other; drawn it cannot be.
    let model = generative(move |t: &mut Choices| {
        let x = t.sample("x", flat(Constraint::Positive));
        t.sample("y", Normal::new(x, 1.0))
    });
    let (trace, weight) = model.importance(Key::new(0), &ChoiceMap::new([("x", 2.0)]), ());
    assert_eq!((number(&weight), number(&trace.choices()["x"])), (0.0, 2.0));
    let error = model.simulate(Key::new(0), ()).score().clone().checked().unwrap_err();
    says(error, &["`x` has a flat distribution", "`simulate` was called", "Target::of"]);
}

#[test]
fn what_is_no_target_says_so() {
    let model = || {
        generative(|t: &mut Choices| {
            let k = t.sample("k", Bernoulli::new(0.3));
            t.sample("x", Normal::new(k.cast(DType::F32), 1.0))
        })
    };
    let nothing = ChoiceMap::default();
    let error = Target::of(model(), (), &nothing).unwrap_err();
    says(error, &["`k` is no function of real numbers", "observe it, or sum it out"]);
    let (seen, made) = (ChoiceMap::new([("z", array(1.0))]), line!());
    let error = Target::of(model(), (), &seen).unwrap_err();
    says(&error, &["no choice has the address `z`"]);
    let line = error.location().expect("a place").line();
    assert_eq!(line, made, "the line where the value was made");
    let all = ChoiceMap::new([("k", array(1))]).with("x", array(0.5));
    let error = Target::of(model(), (), &all).unwrap_err();
    says(error, &["every choice is observed"]);
}

/// A normal mean under a normal prior: the density of the vector is that of the posterior, whose
/// mean and precision are known.
#[test]
fn a_joint_given_data_is_its_posterior() {
    with_default_float(DType::F64, || {
        let y = [1.2, 0.4, -0.3, 0.9];
        let joint = Sequential::new(())
            .then("mean", |_, _: &Record| Normal::new(0.5, 2.0))
            .then("y", |_, r: &Record| Normal::new(r["mean"].broadcast_to([4]), 0.5));
        let observed = Record::new([("y", Array::from_slice(&y, [4]))]);
        let target = Target::given(joint.clone(), &observed).unwrap();
        assert_eq!((target.size(), target.start().shape()), (1, &[1][..]));
        let precision = 1.0 / 4.0 + 4.0 / 0.25;
        let mean = (0.5 / 4.0 + y.iter().sum::<f64>() / 0.25) / precision;
        let posterior = Normal::new(mean, precision.powf(-0.5));
        let density = jit(|z: Array| target.log_density(&z));
        // Up to the evidence, which is the same everywhere.
        let gap = |z: f64| number(&density(array([z]))) - number(&posterior.log_prob(&array(z)));
        for z in [-3.0, 0.0, 0.7, 5.0] {
            assert!((gap(z) - gap(0.1)).abs() < 1e-11, "{z}");
            let whole = observed.clone().with("mean", array(z));
            let by_joint = number(&joint.log_prob(&whole));
            assert!((number(&target.log_density(&array([z]))) - by_joint).abs() < 1e-13);
        }
        let slope = jit(grad(|z: Array| target.log_density(&z)))(array([1.0]));
        assert!((number(&slope.at(0)) - precision * (mean - 1.0)).abs() < 1e-12);
    });
}

/// Supports that are constants, that follow from other parts, of vectors and in records below.
#[test]
fn parts_of_joints_lie_in_their_supports() {
    with_default_float(DType::F64, || {
        let joint = Sequential::new(())
            .then("low", |_, _: &Record| Normal::new(0.0, 1.0))
            .then("prior", |_, _: &Record| {
                product((
                    Gamma::new(2.0, [1.0, 3.0]).named("rates"),
                    Dirichlet::new([2.0, 2.0]).named("weights"),
                ))
            })
            .then("x", |_, r: &Record| Uniform::new(&r["low"], &r["low"] + 1.0))
            .then("n", |_, r: &Record| {
                Independent::new(Poisson::new(&r["prior/rates"] * &r["x"].abs()), 1)
            });
        let counts = array([2, 0]);
        let observed = Record::new([("n", counts.clone())]);
        let target = Target::given(joint.clone(), &observed).unwrap();
        assert_eq!(target.size(), 5);
        let z = array([0.4, -0.3, 0.6, 0.8, -0.7]);
        let at = target.constrain(&z).unwrap();
        assert_eq!(at.paths(), ["low", "prior/rates", "prior/weights", "x"]);
        let whole = at.clone().with("n", counts);
        let weight = number(&at["prior/weights"].at(0));
        let part = 1.0 / (1.0 + 0.7f64.exp());
        assert!((number(&at["x"]) - 0.4 - part).abs() < 1e-14);
        assert!((number(&at["prior/rates"].at(1)) - 0.6f64.exp()).abs() < 1e-14);
        let volume = -0.3 + 0.6 + (weight * (1.0 - weight)).ln() + (part * (1.0 - part)).ln();
        let want = number(&joint.log_prob(&whole)) + volume;
        for device in [Device::Interpreter, Device::Cpu] {
            let have = jit_on(device, |z: Array| target.log_density(&z))(z.clone());
            assert!((number(&have) - want).abs() < 1e-12, "{have} {want}");
        }
        assert_eq!(target.unconstrain(&at).unwrap().shape(), [5]);
        assert!(number(&(target.unconstrain(&at).unwrap() - &z).abs().max()) < 1e-13);
        let many = target.constrain_each(&stack([z.clone(), &z * 0.5], 0)).unwrap();
        assert_eq!(many["prior/weights"].shape(), [2, 2]);
        // A part below may be observed, and so may one that other parts follow from.
        let observed = observed.with("prior/rates", array([1.0, 2.0])).with("low", array(0.1));
        let target = Target::given(joint, &observed).unwrap();
        let at = target.constrain(&array([0.8, -0.7])).unwrap();
        assert_eq!(at.paths(), ["prior/weights", "x"]);
        assert!((number(&at["x"]) - 0.1 - part).abs() < 1e-14);
    });
    // In single precision, of a product, with batch copies as events.
    let joint =
        product((Exponential::new([1.0, 2.0]).named("a"), Normal::new(0.0, 1.0).named("b")));
    let target = Target::given(joint, &Record::default()).unwrap();
    let z = array([0.0, 0.5, 1.0]);
    let want = -1.0 + 2f64.ln() - 2.0 * 0.5f64.exp() + 0.5 - 0.5 - 0.918_938_533_204_672_7;
    assert!((number(&target.log_density(&z)) - want).abs() < 1e-5);
}

#[test]
fn one_distribution_alone() {
    with_default_float(DType::F64, || {
        let target = Target::over(Gamma::new([2.0, 3.0], 1.5)).unwrap();
        let z = array([0.3, -0.4]);
        let want = Gamma::new([2.0, 3.0], 1.5).log_prob(&z.exp()).sum() + z.sum();
        assert!(number(&(target.log_density(&z) - want).abs()) < 1e-14);
        let back = target.unconstrain(&target.constrain(&z).unwrap()).unwrap();
        assert!(number(&(back - z).abs().max()) < 1e-14);
        says(target.constrain(&zeros([3])).unwrap_err(), &["vectors of 2, not f64[3]"]);
        let error = Target::over(Poisson::new(2.0)).unwrap_err();
        says(error, &["no bijector leads from real numbers to"]);
    });
}

#[test]
fn what_is_no_target_of_a_joint_says_so() {
    let joint = || {
        product((
            Bernoulli::new(0.3).named("switch"),
            Normal::new(0.0, 1.0).named("sigma"),
            Normal::new([0.0, 1.0], 1.0).named("y"),
        ))
    };
    let (on, y) = (Record::new([("switch", array(1))]), array([0.1, 0.2]));
    let error = Target::given(joint(), &Record::default()).unwrap_err();
    says(&error, &["`switch` is no function of real numbers", "observe it"]);
    let (stranger, made) = (array(1.0), line!());
    let error = Target::given(joint(), &on.clone().with("sgima", stranger)).unwrap_err();
    says(&error, &["no part of the product has the path `sgima`", "did you mean `sigma`?"]);
    assert_eq!(error.location().expect("a place").line(), made);
    let wrong = on.clone().with("y", array([0.1, 0.2, 0.3]));
    says(
        Target::given(joint(), &wrong).unwrap_err(),
        &["`y` is of shape [2], but is observed as f32[3]", "broadcast_to"],
    );
    let all = on.clone().with("y", &y).with("sigma", array(0.5));
    let (error, line) = (Target::given(joint(), &all).unwrap_err(), line!());
    says(&error, &["every part is observed"]);
    assert_eq!(error.location().expect("a place").line(), line);
    let target = Target::given(joint(), &on.clone().with("y", &y)).unwrap();
    let error = target.unconstrain(&Record::default()).unwrap_err();
    says(error, &["there is no value for `sigma`", "the record is empty"]);
    assert!(target.log_density(&zeros([2])).error().is_some());
    // What does not say how it comes from real numbers may only be observed.
    let parts = [(0.0, 1.0), (2.0, 0.5)].map(|(m, s)| Normal::new(m, s));
    let mixed = product((
        Mixture::new([0.4, 0.6], parts.to_vec()).named("m"),
        Normal::new(0.0, 1.0).named("x"),
    ));
    let error = Target::given(mixed.clone(), &Record::new([("x", 0.5)])).unwrap_err();
    says(error, &["`m` is no function of real numbers: it is a mixture"]);
    assert_eq!(Target::given(mixed, &Record::new([("m", 0.5)])).unwrap().size(), 1);
    let points = Empirical::new(Record::new([("u", array([1.0, 2.0]))]));
    let joint = product((points.named("at"), Normal::new(0.0, 1.0).named("x")));
    let error = Target::given(joint.clone(), &Record::default()).unwrap_err();
    says(error, &["`at` is no function of real numbers: it is one of finitely many points"]);
    let seen = Record::default().with("at/u", array(2.0));
    assert_eq!(Target::given(joint, &seen).unwrap().size(), 1);
}
