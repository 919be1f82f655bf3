//! Hares and lynxes: the parameters of a differential equation from the furs that were sold.
//!
//! `cargo run --release --example lotka_volterra`
//!
//! Prints what draws of the posterior say, and draws both populations over time, with bands, in
//! `figures/`. Counts, in thousands, of the Hudson's Bay Company from 1900 to 1920.

use probpipe::diagnostics::quantiles;
use probpipe::inference::{Target, adapt::Windows, mcmc::Nuts};
use probpipe::odes::{DormandPrince, solve_ode};
use probpipe::prelude::*;
use probpipe::{LeftTruncatedNormal, LogNormal};
use probpipe_examples::columns;

/// Years, and both populations in each, `[21, 2]`.
fn data() -> Result<(Array, Array)> {
    let data = columns(include_str!("../data/lynx_hare.csv"))?;
    Ok((data["year"].clone(), stack(&[&data["hares"], &data["lynxes"]], 1)))
}

/// Both populations at times after 1900, `[times, 2]`: hares are born and eaten, lynxes are fed by
/// hares and die.
fn populations(start: &Array, rate: &Array, times: &Array) -> Array {
    let slope = |_, z: Array| {
        let (hares, lynxes) = (z.at(0), z.at(1));
        let born = (rate.at(0) - rate.at(1) * &lynxes) * &hares;
        let fed = (rate.at(3) * hares - rate.at(2)) * lynxes;
        stack(&[born, fed], 0)
    };
    solve_ode(slope, start.clone(), 0.0, times, DormandPrince::default()).values
}

/// So many draws of each of four chains. The model is B. Carpenter's, "Predator-prey population
/// dynamics: the Lotka-Volterra model in Stan" (2018).
pub fn posterior(draws: usize) -> Result<Draws<ChoiceMap>> {
    let (years, counts) = data()?;
    let model = generative(|t: &mut Choices, times: Array| {
        let (loc, scale) = (array([1.0, 0.05, 1.0, 0.05]), array([0.5, 0.05, 0.5, 0.05]));
        let rate = t.sample("rate", LeftTruncatedNormal::new(loc, scale, 0.0));
        let start = t.sample("start", LogNormal::new(array([10.0, 10.0]).log(), 1.0));
        let sigma = t.sample("sigma", LogNormal::new(array([-1.0, -1.0]), 1.0));
        let z = populations(&start, &rate, &times);
        t.sample("counts", LogNormal::new(z.log(), sigma))
    });
    let target = Target::of(model, years - 1900, &ChoiceMap::new([("counts", counts)]))?;
    // Populations that stay level are a trap on the way to the data: what looks from few draws like
    // the shape of the density does not lead out of it, windows that grow do.
    let run = Nuts::default().chains(4).warmup(1000).adaptation(Windows::diagonal());
    run.draws(draws).sample(Key::new(6), &target)
}

fn main() -> Result<()> {
    // Steps of tolerances like these, and their gradients, take more digits than `f32` has.
    with_default_float(DType::F64, || {
        let draws = posterior(500)?;
        println!("{}", draws.summary()?);
        let diverging = draws.stats["diverging"].cast(DType::I32).sum();
        println!("\ndivergent steps: {diverging}");

        // Both populations at each draw, without and with the errors of the counts:
        // [chains, draws, times, 2].
        let times = linspace(0.0, 25.0, 251);
        let solved = |at: ChoiceMap| populations(&at["start"], &at["rate"], &times);
        let z = draws.map(solved)?.values;
        let errors = draws.values["sigma"].expand_dims(2);
        let counts = LogNormal::new(z.log(), errors).sample(Key::new(7), ());
        let (middle, band) = (quantiles(&z, &[0.5])?, quantiles(&counts, &[0.05, 0.95])?);

        let (years, seen) = data()?;
        let panels = ["Hares", "Lynxes"].into_iter().enumerate().map(|(i, name)| {
            let of = |x: &Array| x.take(i as i32, -1);
            let at = &times + 1900.0;
            Plot::new(name)
                .line(&at, &of(&middle.at(0)))
                .label("median")
                .band(&at, &of(&band.at(0)), &of(&band.at(1)))
                .same_color()
                .label("90% of counts")
                .scatter(&years, &of(&seen))
                .label("counted")
                .vline(1920.0)
                .x_label("year")
                .y_label("thousands of furs")
        });
        Figure::row(panels).save("figures/lotka_volterra.png")
    })
}
