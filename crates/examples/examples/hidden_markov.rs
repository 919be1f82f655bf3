//! A hidden Markov model: its parameters with the states summed out, and then the states.
//!
//! `cargo run --release --example hidden_markov`
//!
//! Draws a series of two states that last, one quiet and one high, sees it through noise, and
//! finds both out again. Prints what the draws say, and draws the probability of the states at
//! each step in `figures/`.

use probpipe::diagnostics::{mean, quantiles};
use probpipe::inference::{Target, mcmc::Nuts};
use probpipe::prelude::*;
use probpipe::{Dirichlet, HalfNormal, HiddenMarkovModel};

/// Steps of the series.
const STEPS: usize = 200;

/// A series by its parameters: how the states follow one another, where observations lie in each,
/// and how far they scatter.
fn series(stay: impl Into<Array>, mu: Array, sigma: impl Into<Array>) -> HiddenMarkovModel<Normal> {
    HiddenMarkovModel::new([0.5, 0.5], stay, Normal::new(mu, sigma), STEPS)
}

/// The states, which nobody sees, and what is seen of them.
pub fn data() -> (Array, Array) {
    let mu = array([0.0, 2.0]);
    let states = series([[0.95, 0.05], [0.1, 0.9]], mu.clone(), 1.0).sample_states(Key::new(3), ());
    let y = mu.take(&states, 0) + normal(Key::new(4), [STEPS]);
    (states, y)
}

/// The series that draws of the parameters stand for.
fn of(at: &ChoiceMap) -> HiddenMarkovModel<Normal> {
    let stay = stack(&[&at["from_low"], &at["from_high"]], 0);
    series(stay, stack(&[&at["low"], &(&at["low"] + &at["rise"])], 0), &at["sigma"])
}

/// So many draws of each of four chains. That the second state is the higher one tells them apart.
pub fn posterior(draws: usize) -> Result<Draws<ChoiceMap>> {
    let model = generative(|t: &mut Choices| {
        let from_low = t.sample("from_low", Dirichlet::new([5.0, 1.0]));
        let from_high = t.sample("from_high", Dirichlet::new([1.0, 5.0]));
        let low = t.sample("low", Normal::new(0.0, 3.0));
        let rise = t.sample("rise", HalfNormal::new(3.0));
        let sigma = t.sample("sigma", HalfNormal::new(2.0));
        let mu = stack(&[&low, &(&low + rise)], 0);
        t.sample("y", series(stack(&[from_low, from_high], 0), mu, sigma))
    });
    let target = Target::of(model, (), &ChoiceMap::new([("y", data().1)]))?;
    Nuts::default().chains(4).draws(draws).sample(Key::new(5), &target)
}

/// The probability of the high state at each step, at each draw: `[chains, draws, steps]`.
pub fn high(draws: &Draws<ChoiceMap>) -> Result<Array> {
    let y = data().1;
    let smoothed = |at| of(&at).posterior_marginals(&y).slice_axis(-1, 1..2).squeeze(-1);
    Ok(draws.map(smoothed)?.values)
}

fn main() -> Result<()> {
    let draws = posterior(500)?;
    println!("{}", draws.summary()?);

    let (states, y) = data();
    let high = high(&draws)?;
    let (average, band) = (mean(&high)?, quantiles(&high, &[0.03, 0.97])?);
    let right = average.gt(0.5).eq(states.eq(1)).cast(DType::F32).mean();
    println!("\nsteps whose state is told right: {:.0}%", right * 100.0);

    let at = arange(STEPS);
    let series = Plot::new("What is seen")
        .scatter(&at, &y)
        .label("observation")
        .line(&at, &(&states * 2))
        .label("mean of the state")
        .y_label("y");
    let told = Plot::new("What is told of the states")
        .line(&at, &average)
        .label("probability of the high state")
        .band(&at, &band.at(0), &band.at(1))
        .same_color()
        .label("94% of the draws")
        .dashed(&at, &states)
        .label("state");
    Figure::grid(1, [series, told].map(|plot| plot.x_label("step")))
        .save("figures/hidden_markov.png")
}
