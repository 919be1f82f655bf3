//! Logistic regression from a file: whom voters chose, by their income.
//!
//! `cargo run --release --example logistic_regression`
//!
//! Prints what draws of the posterior say, and draws the probability of the vote, with a band, and
//! the parts of the voters in `figures/`. The file is `data/nes1992.csv`.

use probpipe::diagnostics::quantiles;
use probpipe::inference::{Target, mcmc::Nuts};
use probpipe::prelude::*;
use probpipe_examples::columns;

/// Income in five steps, and whether the vote was for the Republican candidate.
fn data() -> Result<Record> {
    columns(include_str!("../data/nes1992.csv"))
}

/// So many draws of each of four chains.
pub fn posterior(draws: usize) -> Result<Draws<ChoiceMap>> {
    let data = data()?;
    let model = generative(|t: &mut Choices, income: Array| {
        let alpha = t.sample("alpha", Normal::new(0.0, 5.0));
        let beta = t.sample("beta", Normal::new(0.0, 2.5));
        t.sample("vote", Bernoulli::from_logits(alpha + beta * income))
    });
    let observed = ChoiceMap::new([("vote", data["vote"].cast(DType::I32))]);
    let target = Target::of(model, data["income"].clone(), &observed)?;
    Nuts::default().chains(4).draws(draws).sample(Key::new(0), &target)
}

fn main() -> Result<()> {
    let draws = posterior(1000)?;
    println!("{}", draws.summary()?);
    let odds = draws.values["beta"].exp();
    let [low, high] = [0.03, 0.97].map(|p| quantiles(&odds, &[p]).map(|q| q.at(0)));
    println!("\na step of income multiplies the odds by {:.2} to {:.2}", low?, high?);

    // The probability at each draw over a grid of incomes, [chains, draws, grid].
    let income = linspace(0.5, 5.5, 101);
    let [alpha, beta] = ["alpha", "beta"].map(|name| draws.values[name].expand_dims(-1));
    let probability = (alpha + beta * &income).sigmoid();
    let band = quantiles(&probability, &[0.03, 0.5, 0.97])?;

    // The voters of each income: how many, and the part of them who voted so.
    let data = data()?;
    let step = data["income"].cast(DType::I32);
    let voters = probpipe::bincount(&step, 6).slice_axis(0, 1..6).cast(DType::F32);
    let votes = probpipe::segment_sum(&data["vote"], &step, 6).slice_axis(0, 1..6);
    let part = votes / &voters;
    let error = (&part * (1.0 - &part) / voters).sqrt() * 2.0;
    let steps = arange(5) + 1;
    let mut plot = Plot::new("Votes for the Republican candidate, 1992")
        .line(&income, &band.at(1))
        .label("posterior median")
        .band(&income, &band.at(0), &band.at(2))
        .same_color()
        .label("94% of the draws")
        .scatter(&steps, &part)
        .label("voters, ± 2 standard errors");
    for i in 0..5 {
        let (x, y) = (steps.at(i), part.at(i));
        let ends = stack(&[&y - error.at(i), &y + error.at(i)], 0);
        plot = plot.line(&stack(&[&x, &x], 0), &ends).same_color();
    }
    plot.x_label("income, in five steps")
        .y_label("probability of the vote")
        .save("figures/logistic_regression.png")
}
