//! Optimisers that chain: trees, types, derivatives of fits. Their trajectories are held by the
//! reference cases of the conformance package.

use probpipe::optimize::{
    Adam, ClipByGlobalNorm, Ema, Optimizer, RmsProp, Schedule, Sgd, SkipNotFinite, apply_updates,
};
use probpipe::prelude::*;

/// The derivative of a whole fit in its learning rate, against differences.
#[test]
fn a_fit_is_differentiable_in_its_settings() {
    let end = |rate: Array| {
        let optimizer = Adam { eps_root: array(1e-6), ..Adam::new(rate) };
        let start = array([0.5, -1.0]).cast(DType::F64);
        let state = optimizer.init(&start);
        let step = |_, (x, state): (Array, _)| {
            let (updates, state) =
                optimizer.update(grad(|x: Array| (x - 2.0).square().sum())(x.clone()), state, &x);
            (apply_updates(x, updates), state)
        };
        fori_loop(5, (start, state), step).0.sum()
    };
    let at = |rate: f64| array(rate).cast(DType::F64);
    let slope = jit(grad(end))(at(0.1)).item::<f64>().unwrap();
    let value = |rate: f64| end(at(rate)).item::<f64>().unwrap();
    let difference = (value(0.1 + 1e-5) - value(0.1 - 1e-5)) / 2e-5;
    assert!((slope - difference).abs() < 1e-7 * difference.abs(), "{slope} {difference}");
}

#[test]
fn gradients_of_another_structure_are_refused() {
    let x = vec![array(1.0), array(2.0)];
    let adam = Adam::new(0.1);
    let (updates, _) = adam.update(vec![array(1.0)], adam.init(&x), &x);
    assert!(updates.iter().all(|u| u.error().is_some()));
    let moved = apply_updates(x, vec![array(1.0)]);
    assert!(moved.iter().all(|x| x.error().is_some()));
}

/// Without a type named, all is of the default float.
#[test]
fn single_precision_stays() {
    let adam = (ClipByGlobalNorm(1.0), Adam::new(0.1));
    let x = (array([1.0f32, 2.0]), array(3.0f32));
    let (updates, _) = adam.update(x.clone(), adam.init(&x), &x);
    assert_eq!((updates.0.dtype(), updates.1.dtype()), (DType::F32, DType::F32));
}

/// A rule sees every leaf by itself, whatever the tree.
#[test]
fn trees_are_as_good_as_their_leaves() {
    let rule = || (RmsProp::new(Schedule::linear(0.1, 0.2, 4.0)), Ema::new(0.5));
    let tree = Record::new([("a", array([1.0, -2.0]))]).with("b/c", array(3.0));
    let gradients = |k: f64| tree.clone().map(|leaf| leaf * k);
    let (optimizer, mut state) = (rule(), rule().init(&tree));
    let mut alone = rule().init(&tree["b/c"]);
    for k in [0.5, -1.0, 2.0] {
        let (updates, next) = optimizer.update(gradients(k), state, &tree);
        let (update, last) = optimizer.update(&tree["b/c"] * k, alone, &tree["b/c"]);
        assert_eq!(updates["b/c"].item::<f32>().unwrap(), update.item::<f32>().unwrap());
        (state, alone) = (next, last);
    }
    assert_eq!(state.0.count.item::<i32>().unwrap(), 3);
}

/// A step that is left out changes nothing, and its derivatives are numbers.
#[test]
fn steps_of_no_number_are_left_out() {
    let optimizer = SkipNotFinite(Sgd::with_momentum(0.1, 0.9));
    let x = (array([1.0, 2.0]), array(3.0));
    let state = optimizer.init(&x);
    let (_, state) = optimizer.update((array([1.0, 1.0]), array(1.0)), state, &x);
    let kept = state.inner.kept[0].clone();
    let (u, state) = optimizer.update((array([1.0, f32::INFINITY]), array(1.0)), state, &x);
    assert_eq!(u.0.to_vec::<f32>().unwrap(), [0.0, 0.0]);
    assert_eq!(u.1.item::<f32>().unwrap(), 0.0);
    assert_eq!(state.inner.kept[0].0.to_vec::<f32>().unwrap(), kept.0.to_vec::<f32>().unwrap());
    assert_eq!(state.inner.count.item::<i32>().unwrap(), 1, "the rule inside was not asked");
    assert_eq!(state.skipped.item::<i32>().unwrap(), 1);
    let slope =
        grad(|g: Array| optimizer.update((g, array(1.0)), optimizer.init(&x), &x).0.0.sum());
    let at_nan = slope(array([1.0, f32::NAN]));
    assert!(at_nan.to_vec::<f32>().unwrap().iter().all(|s| s.is_finite()), "{at_nan}");
}

/// A rate that changes inside of a compiled loop, and a fit that is differentiated in it.
#[test]
fn schedules_are_parts_of_programs() {
    let end = |peak: Array| {
        let sgd = Sgd::new(Schedule::linear(0.0, &peak, 4.0));
        let start = array(1.0).cast(DType::F64);
        let step = |_, (x, state): (Array, _)| {
            let (updates, state) = sgd.update(&x * 2.0, state, &x);
            (apply_updates(x, updates), state)
        };
        let state = sgd.init(&start);
        fori_loop(6, (start, state), step).0
    };
    // Rates 0, 1/4, 2/4, 3/4, 1, 1 of the peak.
    let peak = 0.2;
    let exact: f64 =
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0].iter().map(|part| 1.0 - 2.0 * peak * part).product();
    let at = array(peak).cast(DType::F64);
    let (value, slope) = jit(value_and_grad(end))(at);
    assert!((value.item::<f64>().unwrap() - exact).abs() < 1e-15);
    let by_parts: f64 = [0.25, 0.5, 0.75, 1.0, 1.0]
        .iter()
        .map(|part| exact * -2.0 * part / (1.0 - 2.0 * peak * part))
        .sum();
    assert!((slope.item::<f64>().unwrap() - by_parts).abs() < 1e-14);
}
