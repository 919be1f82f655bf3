//! Densities of real vectors made of generative functions: against densities written by hand, and
//! the way between vectors and choices, in lanes, loops, branches and sums.

use probpipe::constraints::Constraint;
use probpipe::inference::Target;
use probpipe::inference::vi::laplace;
use probpipe::prelude::*;
use probpipe::{Categorical, Dirichlet, Gamma, ImproperUniform, LKJCholesky};
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
