//! Kernels against densities whose moments are known.

use probpipe::inference::mcmc::{Kernel, Nuts, StepCx};
use probpipe::prelude::*;
use std::time::Instant;

#[test]
fn speed() {
    for n in [10usize, 100] {
    let log_density = |x: Array| -(x.square().sum() * 0.5);
    let nuts = Nuts::new(0.5);
    let step = |state, key: Key| {
        let (state, info) = nuts.step(StepCx::new(key, &log_density), state);
        let position = Nuts::position(&state).clone();
        (state, (position, info))
    };
    let run = jit(|(x, keys): (Array, Key)| scan(nuts.init(&log_density, x), keys, step).1);
    let t = Instant::now();
    let z = probpipe::zeros_of(DType::F64, [n]);
    let (draws, info) = run((z.clone(), Key::new(0).split_batch(1000)));
    println!("compile {:?}", t.elapsed());
    let t = Instant::now();
    let (draws, info) = run((z.clone(), Key::new(1).split_batch(1000)));
    let dt = t.elapsed();
    let steps = info.steps.cast(DType::F64).sum().item::<f64>().unwrap();
    println!("{n} run {dt:?} steps {steps} {} ns/step", dt.as_secs_f64() * 1e9 / steps);
    println!("{} {} acc {}", draws.mean_axes([0]).to_vec::<f64>().unwrap()[0], draws.square().mean(), info.acceptance.mean());
    }
}
