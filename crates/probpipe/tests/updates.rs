//! Optimisers that chain, against the trajectories of reference implementations.

mod golden;

use golden::{assert_close, cases, devices, floats, number};
use probpipe::optimize::{
    Adam, AddDecayedWeights, Clip, ClipByGlobalNorm, Optimizer, Sgd, apply_updates,
};
use probpipe::prelude::*;
use probpipe_testing::reference;
use serde_json::Value as Json;

fn array_of(json: &Json) -> Array {
    reference::array(json, None).expect("an array")
}

/// The functions of the file, by name.
fn loss(problem: &str, x: &Array) -> Array {
    if problem == "rosenbrock" {
        return (1.0 - x.at(0)).square() + (x.at(1) - x.at(0).square()).square() * 100.0;
    }
    let all = cases("optim.json");
    let of = all.iter().find(|c| c["id"] == format!("problem/{problem}")).expect("a problem");
    x.dot(array_of(&of["A"]).dot(x)) * 0.5 - x.dot(array_of(&of["b"]))
}

/// Where the steps of an optimiser lead, from a compiled loop, `[steps, d]`.
fn trajectory<O: Optimizer>(device: Device, case: &Json, optimizer: O) -> Array {
    let problem = case["problem"].as_str().expect("a name");
    let steps = case["steps"].as_u64().expect("a number") as usize;
    let run = |start: Array| {
        let state = optimizer.init(&start);
        let step = |(x, state): (Array, O::State<Array>), _: Array| {
            let gradient = grad(|x: Array| loss(problem, &x))(x.clone());
            let (updates, state) = optimizer.update(gradient, state, &x);
            let x = apply_updates(x, updates);
            ((x.clone(), state), x)
        };
        scan((start, state), arange(steps), step).1
    };
    jit_on(device, run)(array_of(&case["init"]))
}

#[test]
fn trajectories_are_those_of_the_reference() {
    let mut seen = 0;
    for case in cases("optim.json").iter().filter(|c| c["kind"] == "trajectory") {
        let hyper = |name: &str| number(&case["hyper"][name]);
        let has = |name: &str| case["hyper"].get(name).is_some();
        let sgd = |nesterov| Sgd {
            momentum: has("momentum").then(|| Array::from(hyper("momentum"))),
            nesterov,
            ..Sgd::new(hyper("lr"))
        };
        let adam = || Adam {
            b1: hyper("b1").into(),
            b2: hyper("b2").into(),
            eps: hyper("eps").into(),
            eps_root: if has("eps_root") { hyper("eps_root") } else { 0.0 }.into(),
            ..Adam::new(hyper("lr"))
        };
        let wanted = array_of(&case["params"]);
        for device in devices().into_iter().filter(|device| *device != Device::Gpu) {
            let have = match case["optimizer"].as_str().expect("a name") {
                "sgd" | "momentum" => trajectory(device, case, sgd(false)),
                "nesterov" => trajectory(device, case, sgd(true)),
                "adam" | "adam#eps_root" => trajectory(device, case, adam()),
                "clip_global_norm+adam" => {
                    trajectory(device, case, (ClipByGlobalNorm(hyper("max_norm")), adam()))
                }
                "clip_global_norm+sgd" => {
                    trajectory(device, case, (ClipByGlobalNorm(hyper("max_norm")), sgd(false)))
                }
                "clip_value+sgd" => {
                    trajectory(device, case, (Clip(hyper("max_delta")), sgd(false)))
                }
                "add_decayed_weights+sgd" => {
                    let decay = AddDecayedWeights(hyper("weight_decay").into());
                    trajectory(device, case, (decay, sgd(false)))
                }
                _ => continue,
            };
            let id = case["id"].as_str().expect("a name");
            assert_close(id, &floats(&have), &floats(&wanted), 1e-9, 1e-10);
            seen += 1;
        }
    }
    assert_eq!(seen, 36, "nine optimisers on two problems and two devices");
}

#[test]
fn clipping_reads_all_leaves() {
    let mut seen = 0;
    for case in cases("optim.json").iter().filter(|c| c["kind"] == "transform") {
        let leaves = |name: &str| (array_of(&case[name]["a"]), array_of(&case[name]["b"]));
        let (grads, max) = (leaves("grads"), number(&case["max"]));
        let (a, b) = match case["transform"].as_str().expect("a name") {
            "clip_by_global_norm" => ClipByGlobalNorm(max).update(grads.clone(), (), &grads).0,
            "clip" => Clip(max).update(grads.clone(), (), &grads).0,
            _ => continue,
        };
        let want = leaves("updates");
        assert_close("a", &floats(&a), &floats(&want.0), 1e-12, 0.0);
        assert_close("b", &floats(&b), &floats(&want.1), 1e-12, 0.0);
        seen += 1;
    }
    assert_eq!(seen, 6);
}

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
