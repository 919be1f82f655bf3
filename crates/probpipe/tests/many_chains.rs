//! Thousands of chains in one program, on the GPU as on the CPU: the same moments, by samplers
//! whose chains stop their loops apart, by one that counts its steps, and by particles.
#![cfg(feature = "gpu")]

mod golden;

use golden::gpu;
use probpipe::inference::mcmc::{Between, Chain, Hmc, Kernel, Nuts, NutsInfo, Point, RandomWalk};
use probpipe::inference::smc::Tempered;
use probpipe::inference::{Posterior, Target};
use probpipe::prelude::*;
use probpipe::{HalfCauchy, jit_on};

const CHAINS: usize = 4096;

/// Eight schools, non-centred.
fn posterior() -> Result<Posterior<ChoiceMap>> {
    let model = generative(|t: &mut Choices, sigma: Array| {
        let theta_trans = t.sample("theta_trans", Normal::new(zeros([8]), 1.0));
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", HalfCauchy::new(5.0));
        t.sample("y", Normal::new(theta_trans * tau + mu, sigma))
    });
    let y = array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    let sigma = array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
    Posterior::of(model, sigma, &ChoiceMap::new([("y", y)]))
}

fn target() -> Result<Target<Record>> {
    Ok(posterior()?.target().clone().into())
}

/// The mean and the spread of `mu` and of the logarithm of `tau`, of all that there is.
fn moments(mu: Array, tau: Array) -> Array {
    let log_tau = tau.log();
    stack([mu.mean(), mu.std(), log_tau.mean(), log_tau.std()], 0)
}

/// The last states of many chains.
fn many<K: Kernel + Clone>(
    kernel: K,
    steps: usize,
    target: Target<Record>,
) -> impl Fn(Array) -> Array + Clone {
    move |keys: Array| {
        let (kernel, target) = (kernel.clone(), target.clone());
        let chain = move |key: Array| {
            let run = kernel.sample(Key::from_data(key), &target, steps);
            run.map(|(x, _)| (x["mu"].at(-1), x["tau"].at(-1)))
        };
        let (mu, tau) = vmap(move |key| chain(key).unwrap_or_else(|e| panic!("{e}")))(keys);
        moments(mu, tau)
    }
}

#[track_caller]
fn agree(what: &str, cpu: &Array, gpu: &Array, tolerance: f32) -> Result<()> {
    let (cpu, gpu) = (cpu.to_vec::<f32>()?, gpu.to_vec::<f32>()?);
    for (a, b) in cpu.iter().zip(&gpu) {
        assert!((a - b).abs() <= tolerance, "{what}: {cpu:?} on the CPU, {gpu:?} on the GPU");
    }
    Ok(())
}

#[test]
fn chains() -> Result<()> {
    if !gpu() {
        return Ok(());
    }
    let keys = Key::new(3).split_batch(CHAINS).data().clone();
    let nuts = many(Nuts::new(0.5), 50, target()?);
    let hmc = many(Hmc::new(0.4, 10), 50, target()?);
    let [cpu, gpu] = [Device::Cpu, Device::Gpu].map(|on| jit_on(on, &nuts)(keys.clone()));
    // Chains that meet the same numbers round otherwise, and some of them part.
    agree("NUTS", &cpu, &gpu, 0.05)?;
    let [cpu, gpu] = [Device::Cpu, Device::Gpu].map(|on| jit_on(on, &hmc)(keys.clone()));
    agree("HMC", &cpu, &gpu, 0.05)
}

/// The last states of chains whose transitions are one loop each: on a CPU side by side in one
/// loop, on a GPU an invocation each.
fn in_one_loop(
    nuts: Nuts,
    steps: usize,
    target: Target<Record>,
    device: Device,
) -> impl Fn(Array) -> Array + Clone {
    move |keys: Array| {
        let density = |z: Array| target.log_density(&z);
        let between = Between {
            log_density: &density,
            kernel: &|(): &()| nuts.clone(),
            learn: &|_, (), _, _, _| (),
            keep: &|(), _: &Point, _: &NutsInfo| (),
        };
        let start = |key: Array| {
            let state = nuts.init(&density, target.start().clone());
            let (key, number) = (Key::from_data(key), Array::from(0i32));
            Chain { key, number, state, known: () }
        };
        let run = |chain| nuts.steps(&between, &Array::from(steps as i32), steps, chain).chain;
        let end = match device {
            Device::Gpu => vmap(|key| run(start(key)))(keys),
            Device::Cpu | Device::Interpreter | Device::Auto => run(vmap(start)(keys)),
        };
        let x = target.constrain_each(&end.state.position).unwrap_or_else(|e| panic!("{e}"));
        moments(x["mu"].clone(), x["tau"].clone())
    }
}

#[test]
fn chains_in_one_loop() -> Result<()> {
    if !gpu() {
        return Ok(());
    }
    let keys = Key::new(4).split_batch(CHAINS).data().clone();
    let nuts = Nuts::new(0.5);
    let target = target()?;
    let run = |on| jit_on(on, in_one_loop(nuts.clone(), 50, target.clone(), on))(keys.clone());
    let [cpu, gpu] = [Device::Cpu, Device::Gpu].map(run);
    agree("NUTS", &cpu, &gpu, 0.05)
}

#[test]
fn particles() -> Result<()> {
    if !gpu() {
        return Ok(());
    }
    let posterior = posterior()?;
    let smc = Tempered::new(CHAINS, |cloud| RandomWalk::new(0.5).metric(cloud.metric()));
    let run = |key: Array| {
        let run = smc.run(Key::from_data(key), &posterior).unwrap_or_else(|e| panic!("{e}"));
        moments(run.values["mu"].clone(), run.values["tau"].clone())
    };
    let key = Key::new(5).data().clone();
    let [cpu, gpu] = [Device::Cpu, Device::Gpu].map(|on| jit_on(on, run)(key.clone()));
    agree("SMC", &cpu, &gpu, 0.1)
}
