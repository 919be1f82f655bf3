//! Stochastic volatility: the variance of daily returns is a hidden process, which a particle
//! filter follows through a thousand days. The same filter gives the likelihood of a parameter.
//!
//! `cargo run --release --example particle_filter`
//!
//! Prints estimates and writes `figures/particle_filter.svg`.

use probpipe::inference::smc::{ParticleFilter, StateSpace};
use probpipe::prelude::*;

const DAYS: usize = 1000;
const PERSISTENCE: f32 = 0.97;

/// A day: the logarithm of the variance returns slowly to zero, and a return is drawn by it.
fn day(
    persistence: impl Into<Array>,
) -> impl GenerativeFunction<Args = Array, Value = Array> + Clone + 'static {
    let persistence = persistence.into();
    generative(move |t: &mut Choices, before: Array| {
        let x = t.sample("log_variance", Normal::new(&persistence * before, 0.25));
        t.sample("return", Normal::new(0.0, (&x * 0.5).exp()));
        x
    })
}

fn main() -> Result<()> {
    let history = day(PERSISTENCE).unfold(DAYS).simulate(Key::new(2), array(0.0)).choices();
    let seen = history.filter(&addresses(["return"]));
    let truth = &history["log_variance"];

    // All particles through all days: one program.
    let filter = ParticleFilter::new(2000);
    let model = StateSpace::of(day(PERSISTENCE), array(0.0));
    let run = jit(|(key, seen): (Key, ChoiceMap)| filter.run(key, &model, seen));
    let run = run((Key::new(0), seen.clone()));
    let (filtered, smoothed) = (run.means(), run.smoothed_means());
    let error = |means: &Array| (means - truth).square().mean().sqrt();
    println!("log-likelihood of {DAYS} returns  {:.2}", run.log_likelihood());
    println!("particles resampled on          {} days", run.resampled.cast(DType::I32).sum());
    println!("error of the filtered means     {:.3}", error(&filtered));
    println!("error of the smoothed means     {:.3}", error(&smoothed));

    // The likelihood along the persistence, with the same key for all: a batch of filters.
    let candidates = linspace(0.9, 0.995, 20);
    let small = ParticleFilter::new(500);
    let profile = |persistence: Array| {
        let model = StateSpace::of(day(persistence), array(0.0));
        small.run(Key::new(1), &model, seen.clone()).log_likelihood()
    };
    let profile = jit(vmap(profile))(candidates.clone());
    let best = candidates.take(profile.argmax(0), 0);
    println!("most likely persistence         {best:.3}, drawn with {PERSISTENCE}");

    let days = arange(DAYS);
    let states = Plot::new("Logarithm of the variance")
        .line(&days, truth)
        .label("drawn")
        .line(&days, &filtered)
        .label("filtered")
        .line(&days, &smoothed)
        .label("smoothed")
        .x_label("day");
    let returns = Plot::new("Returns").line(&days, &seen["return"]).x_label("day");
    let sizes =
        Plot::new("Effective sample size").line(&days, &run.effective_sample_sizes).x_label("day");
    let likelihood = Plot::new("Log-likelihood")
        .line(&candidates, &profile)
        .vline(PERSISTENCE)
        .x_label("persistence");
    Figure::grid(2, [returns, states, sizes, likelihood]).save("figures/particle_filter.svg")
}
