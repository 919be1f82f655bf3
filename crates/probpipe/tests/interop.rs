//! The notebook's programs against the reference values of `data/seeds.json`, on every device:
//! within the tolerances of that file's README, single evaluations 2e-6, gradients of sums 1e-5,
//! trajectories 1e-4.

mod golden;

use golden::{assert_close, cases, devices, floats, number, numbers};
use probpipe::prelude::*;
use serde_json::Value as Json;

fn case(id: &str) -> Json {
    cases("seeds.json").into_iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn score() {
    let reference = case("000/score");
    let n = Normal::new(number(&reference["loc"]), number(&reference["scale"]));
    let x = array(number(&reference["x"]));
    for device in devices() {
        let score = jit_on(device, grad(|x: Array| n.log_prob(&x)))(x.clone());
        assert_eq!(floats(&score), numbers(&reference["f32"]), "{device:?}");
    }
}

#[test]
fn score_grid() {
    let reference = case("000/score_grid");
    let stride = reference["index_stride"].as_u64().expect("a stride") as usize;
    let n = Normal::new(2.0, 0.5);
    let xs = linspace(0.0, 4.0, 200);
    let thin = |a: &Array| floats(a).into_iter().step_by(stride).collect::<Vec<f64>>();
    assert_close("grid", &thin(&xs), &numbers(&reference["x_f32"]), 1e-7, 0.0);
    for device in devices() {
        let scores = jit_on(device, vmap(grad(|x: Array| n.log_prob(&x))))(xs.clone());
        let what = format!("scores on {device:?}");
        assert_close(&what, &thin(&scores), &numbers(&reference["score_f32"]), 2e-6, 2e-6);
        let densities = jit_on(device, vmap(|x: Array| n.log_prob(&x)))(xs.clone());
        let what = format!("densities on {device:?}");
        assert_close(&what, &thin(&densities), &numbers(&reference["log_prob_f32"]), 2e-6, 2e-6);
    }
}

#[test]
fn multivariate_and_joint_gradients() {
    let (mvn_case, joint_case) = (case("000/mvn_grad"), case("000/joint_grad"));
    let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
    let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(1.0, 0.5).named("sigma")));
    let flat = joint.as_flat_distribution();
    for device in devices() {
        let g = jit_on(device, grad(|x: Array| mvn.log_prob(&x)))(array([1.5, 2.5]));
        let what = format!("mvn on {device:?}");
        // One ulp: the factor is solved with a reciprocal here, with a division there.
        assert_close(&what, &floats(&g), &numbers(&mvn_case["f32"]), 1.2e-7, 0.0);
        let g = jit_on(device, grad(|x: Array| flat.log_prob(&x)))(array([0.5, 1.2]));
        let what = format!("joint on {device:?}");
        assert_close(&what, &floats(&g), &numbers(&joint_case["f32"]), 1e-7, 0.0);
    }
    // In double precision, from data of that type.
    let mvn = MultivariateNormal::new(
        Array::from(vec![1.0, 2.0]),
        Array::from_slice(&[1.0, 0.5, 0.5, 1.0], [2, 2]),
    );
    let x = Array::from(vec![1.5, 2.5]);
    for device in [Device::Interpreter, Device::Cpu] {
        let (p, g) = jit_on(device, value_and_grad(|x: Array| mvn.log_prob(&x)))(x.clone());
        assert_close("mvn in f64", &floats(&g), &numbers(&mvn_case["f64"]), 1e-14, 0.0);
        assert_close("mvn in f64", &floats(&p), &numbers(&mvn_case["log_prob_f64"]), 1e-14, 0.0);
    }
}

fn expected_loss(loc: Array) -> Array {
    Normal::new(loc, 1.0).sample(Key::new(42), [5000]).square().mean()
}

#[test]
fn sensitivity() {
    let (one, sweep) = (case("000/sensitivity"), case("000/sweep"));
    let f32s = |c: &Json, key: &str| numbers(&c[key]);
    for device in devices() {
        let (loss, slope) = jit_on(device, value_and_grad(expected_loss))(array(3.0));
        let what = format!("{device:?}");
        assert_close(&what, &floats(&loss), &f32s(&one, "value_f64"), 2e-6, 0.0);
        assert_close(&what, &floats(&slope), &f32s(&one, "grad_f64"), 1e-5, 0.0);
        let locs = linspace(-3.0, 3.0, 50);
        let (losses, slopes) = jit_on(device, vmap(value_and_grad(expected_loss)))(locs);
        assert_close(&what, &floats(&losses), &f32s(&sweep, "value_f32"), 2e-6, 2e-6);
        assert_close(&what, &floats(&slopes), &f32s(&sweep, "grad_f32"), 1e-5, 1e-5);
    }
}

#[test]
fn maximum_likelihood() {
    let reference = case("000/mle");
    let data = normal(Key::new(1), [200]) * 0.8 + 2.5;
    assert_close("data", &floats(&data), &numbers(&reference["data_f32"]), 1e-5, 1e-6);
    let fit = |data: Array| {
        scan(zeros([2]), arange(200), |params, _| {
            let nll = |p: Array| {
                let q = Normal::new(p.at(0), p.at(1).exp());
                -vmap(|x: Array| q.log_prob(&x))(data.clone()).mean()
            };
            let (loss, g) = value_and_grad(nll)(params.clone());
            let params = params - g * 0.1;
            (params.clone(), (params, loss))
        })
        .1
    };
    for device in devices() {
        let (path, losses) = jit_on(device, fit)(data.clone());
        let what = format!("{device:?}");
        assert_close(&what, &floats(&path), &numbers(&reference["params_f64"]), 1e-4, 1e-6);
        assert_close(&what, &floats(&losses), &numbers(&reference["loss_f64"]), 1e-4, 0.0);
    }
}

fn target(x: Array) -> Array {
    let left = Normal::new(-2.0, 0.5).log_prob(&x) + 0.3f64.ln();
    let right = Normal::new(2.0, 0.8).log_prob(&x) + 0.7f64.ln();
    left.logaddexp(right)
}

#[test]
fn variational_inference() {
    let reference = case("000/vi");
    let fit = |init: Array| {
        scan(init, arange(300), |params, step| {
            let elbo = |params: Array| {
                let (loc, scale) = (params.at(0), params.at(1).exp());
                let x = &loc + &scale * normal(Key::from_seed(&step), [500]);
                (vmap(target)(x.clone()) - Normal::new(&loc, &scale).log_prob(&x)).mean()
            };
            let (value, g) = value_and_grad(elbo)(params.clone());
            let params = params + g * 0.05;
            (params.clone(), (params, value))
        })
        .1
    };
    for device in devices() {
        let (path, elbos) = jit_on(device, fit)(zeros([2]));
        let what = format!("{device:?}");
        assert_close(&what, &floats(&path), &numbers(&reference["params_f32"]), 1e-4, 1e-5);
        assert_close(&what, &floats(&elbos), &numbers(&reference["elbo_f32"]), 1e-4, 1e-5);
    }
}
