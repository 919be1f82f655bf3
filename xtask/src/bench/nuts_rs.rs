//! The samplers of nuts-rs on our densities, in a process of their own: what is the sampler's and
//! what is the program's of the difference to nutpie, which runs the same on its own densities.

use super::inference::least_ess;
use nuts_rs::{Chain, CpuMath, DiagNutsSettings, Settings};
use probpipe::inference::{NutsRs, Target};
use probpipe::prelude::{Array, DType, Record, Result as Outcome, Tree};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use serde_json::json;
use std::time::Instant;

const CHAINS: u64 = 4;
const WARMUP: u64 = 400;
const DRAWS: u64 = 1000;

/// A run of a posterior, as the other samplers print it.
pub fn one(name: &str) -> Result<(), String> {
    probpipe::with_default_float(DType::F64, || run(name))
}

fn run(name: &str) -> Result<(), String> {
    let Some(posterior) = probpipe_posteriors::named(name) else { return Ok(()) };
    let ours = |error: probpipe::Error| error.to_string();
    let target = posterior.target().map_err(ours)?;
    let density = target.to_nuts_rs().map_err(ours)?;
    sampled(&density, 0)?;
    println!("{}", json!({"first": true}));
    let begin = Instant::now();
    let draws = sampled(&density, 1)?;
    let seconds = begin.elapsed().as_secs_f64();
    let ess = named(&target, draws).and_then(|values| least_ess(&values)).map_err(ours)?;
    let peak = super::machine::peak_bytes().unwrap_or(f64::NAN);
    let version = "nuts-rs on these densities";
    println!("{}", json!({"seconds": seconds, "ess": ess, "peak_bytes": peak, "version": version}));
    Ok(())
}

/// Draws of each chain, one after the other.
fn sampled(density: &NutsRs, seed: u64) -> Result<Vec<f64>, String> {
    let chains = (0..CHAINS).into_par_iter().map(|chain| {
        let mut rng = StdRng::seed_from_u64(seed * CHAINS + chain);
        let settings = DiagNutsSettings { num_tune: WARMUP, ..Default::default() };
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let mut sampler = settings
            .new_chain(chain, CpuMath::new(density.clone()), &mut rng)
            .map_err(|error| said(&error))?;
        let start: Vec<f64> = (0..sampler.dim()).map(|_| rng.random_range(-1.0..1.0)).collect();
        sampler.set_position(&start).map_err(|error| said(&error))?;
        let mut draws = Vec::new();
        for step in 0..WARMUP + DRAWS {
            let (draw, _) = sampler.draw().map_err(|error| said(&error))?;
            if step >= WARMUP {
                draws.extend(draw);
            }
        }
        Ok(draws)
    });
    let chains: Result<Vec<Vec<f64>>, String> = chains.collect();
    Ok(chains?.concat())
}

/// The values of draws, `[chains, draws, ..]`.
fn named(target: &Target<Record>, draws: Vec<f64>) -> Outcome<Record> {
    let all = Array::from(draws).reshape([(CHAINS * DRAWS) as usize, target.size()]);
    let values = target.constrain_each(&all)?;
    Ok(values.map(|x| {
        let mut shape = vec![CHAINS as usize, DRAWS as usize];
        shape.extend_from_slice(&x.shape()[1..]);
        x.reshape(shape)
    }))
}
