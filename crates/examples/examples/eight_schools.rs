//! Eight schools: effects of coaching that are alike to a degree that the data tell.
//!
//! `cargo run --release --example eight_schools`
//!
//! Draws of the posterior by the no-U-turn sampler, a table of what they say, checks of the sampler
//! and of the model, and figures of all that in `figures/`. Data of D. B. Rubin, "Estimation in
//! parallel randomized experiments" (1981).

use probpipe::HalfCauchy;
use probpipe::diagnostics::{bfmi, plots, predictive_check};
use probpipe::inference::{Target, mcmc::Nuts};
use probpipe::prelude::*;

/// The effect that each school found, and its standard error.
fn data() -> (Array, Array) {
    let effect = array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    (effect, array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]))
}

/// So many draws of each of four chains. Effects are told in units of their spread: by themselves
/// they would make a funnel, whose narrow end samplers do not get into.
pub fn posterior(draws: usize) -> Result<Draws<ChoiceMap>> {
    let (effect, error) = data();
    let model = generative(|t: &mut Choices, error: Array| {
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", HalfCauchy::new(5.0));
        let unit = t.sample("unit", Normal::new(zeros([8]), 1.0));
        t.sample("effect", Normal::new(mu + tau * unit, error))
    });
    let target = Target::of(model, error, &ChoiceMap::new([("effect", effect)]))?;
    let nuts = Nuts::default().target_acceptance(0.95);
    nuts.chains(4).draws(draws).sample(Key::new(8), &target)
}

/// The quantities of interest: `[chains, draws]` of each, and of the effects `[chains, draws, 8]`.
pub fn quantities(draws: &Draws<ChoiceMap>) -> Result<Draws<Record>> {
    draws.map(|at| {
        let (mu, tau) = (&at["mu"], &at["tau"]);
        let theta = mu + tau * &at["unit"];
        Record::new([("mu", mu.clone()), ("tau", tau.clone()), ("theta", theta)])
    })
}

fn main() -> Result<()> {
    let draws = posterior(1000)?;
    let quantities = quantities(&draws)?;
    println!("{}", quantities.summary()?);

    let diverging = &draws.stats["diverging"];
    println!("\ndivergent steps: {}", diverging.cast(DType::I32).sum());
    println!("BFMI of each chain: {:.2}", bfmi(&draws.stats["energy"])?);

    // Does the model make data like these?
    let (effect, error) = data();
    let replicated = Normal::new(&quantities.values["theta"], error).sample(Key::new(9), ());
    let largest = |y: &[f64]| y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let check = predictive_check(&replicated, &effect, largest)?;
    println!("replications whose largest effect is above 28: {:.0}%", 100.0 * check.p_value);

    let few = quantities.values.select(["mu", "tau"])?;
    plots::trace(&few)?.save("figures/eight_schools_trace.png")?;
    plots::rank(&few)?.save("figures/eight_schools_rank.png")?;
    plots::autocorrelation(&few)?.save("figures/eight_schools_autocorrelation.png")?;
    plots::pair(&few, diverging)?.save("figures/eight_schools_pair.png")?;
    plots::energy(&draws.stats["energy"])?.save("figures/eight_schools_energy.png")?;
    plots::forest(&quantities.values)?.save("figures/eight_schools_forest.png")?;
    plots::predictive(&replicated, &effect)?.save("figures/eight_schools_predictive.png")
}
