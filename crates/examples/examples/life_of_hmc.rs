//! One step of Hamiltonian Monte Carlo, followed from a closure to machine code.
//!
//! `cargo run --release --example life_of_hmc [-- traced|gradient|simplified|program|clif|machine]`
//!
//! Prints each form that the step goes through, or the one that is named; `docs/life-of-hmc.md`
//! walks through them.

use probpipe::prelude::*;
use probpipe::stages_of;

/// The logarithm of a density in two dimensions, up to a constant: a banana.
fn log_density(q: Array) -> Array {
    let (x, y) = (q.at(0), q.at(1));
    -(x.square() + (y - &x * &x).square() * 4.0) * 0.5
}

/// One step: draw a momentum, follow the Hamiltonian for three leapfrog steps, accept or stay.
fn hmc_step((key, q): (Key, Array)) -> Array {
    let step_size = 0.2;
    let (for_momentum, for_accept) = key.split();
    let p = normal(for_momentum, [2]);
    let energy = |q: &Array, p: &Array| p.square().sum() * 0.5 - log_density(q.clone());
    let (new_q, new_p) = fori_loop(3, (q.clone(), p.clone()), |_, (q, p)| {
        let p = p + grad(log_density)(q.clone()) * (step_size / 2.0);
        let q = q + &p * step_size;
        let p = p + grad(log_density)(q.clone()) * (step_size / 2.0);
        (q, p)
    });
    let log_ratio = energy(&q, &p) - energy(&new_q, &new_p);
    let accept = uniform(for_accept, ()).log().lt(log_ratio);
    select(&accept, new_q, q)
}

fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    let start = array([0.5, 1.0]);
    let mut stages = stages_of(hmc_step, &(Key::new(0), start.clone()))?;
    stages.insert(1, ("gradient", graph_of(grad(log_density), &start)?.to_string()));
    let names: Vec<&str> = stages.iter().map(|(name, _)| *name).collect();
    if let Some(only) = &only
        && !names.contains(&only.as_str())
    {
        eprintln!("there is no stage `{only}`; the stages are {}", names.join(", "));
        std::process::exit(2);
    }
    for (name, text) in &stages {
        if only.as_deref().is_none_or(|only| only == *name) {
            println!("== {name}: {} lines\n\n{}\n", text.lines().count(), text.trim_end());
        }
    }
    // And what it is all for: ten thousand steps, as one program.
    let chain = jit(|(key, q): (Key, Array)| {
        scan((key, q), arange(10_000), |(key, q), _| {
            let (now, next) = key.split();
            let q = hmc_step((now, q));
            ((next, q.clone()), q)
        })
        .1
    });
    let draws = chain((Key::new(1), start));
    println!("mean of 10,000 draws: {:.2}", draws.mean_axes([0]));
    Ok(())
}
