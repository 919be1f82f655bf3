//! Regression by a Gaussian process whose scales are learnt: draws of the kernel's parameters, and
//! functions given all of them.
//!
//! `cargo run --release --example gaussian_process`
//!
//! Prints what the draws say of the parameters, and draws the mean of the functions with a band
//! around it in `figures/`.

use probpipe::diagnostics::{mean, quantiles};
use probpipe::inference::{Target, mcmc::Nuts};
use probpipe::prelude::*;
use probpipe::{GaussianProcess, HalfNormal, Kernel, LogNormal};

/// The standard deviation of the noise.
pub const NOISE: f64 = 0.15;

/// What is looked for.
fn truth(x: &Array) -> Array {
    (x * 1.5).sin() + x * 0.3
}

/// Forty noisy values, none of them between 1 and 3.
fn data() -> (Array, Array) {
    let x = concat(&[linspace(-4.0, 1.0, 28), linspace(3.0, 5.0, 12)], 0);
    let y = truth(&x) + normal(Key::new(1), [40]) * NOISE;
    (x, y)
}

fn process(at: &ChoiceMap) -> GaussianProcess {
    GaussianProcess::new(Kernel::rbf(&at["amplitude"], &at["length"])).with_noise(&at["noise"])
}

/// So many draws of each of four chains: the function is summed out.
pub fn posterior(draws: usize) -> Result<Draws<ChoiceMap>> {
    let (x, y) = data();
    let model = generative(|t: &mut Choices, x: Array| {
        let length = t.sample("length", LogNormal::new(0.0, 1.0));
        let amplitude = t.sample("amplitude", HalfNormal::new(2.0));
        let noise = t.sample("noise", HalfNormal::new(1.0));
        let process = GaussianProcess::new(Kernel::rbf(amplitude, length)).with_noise(noise);
        t.sample("y", process.observed(&x))
    });
    let target = Target::of(model, x, &ChoiceMap::new([("y", y)]))?;
    Nuts::default().chains(4).draws(draws).sample(Key::new(2), &target)
}

fn main() -> Result<()> {
    let draws = posterior(500)?;
    println!("{}", draws.summary()?);

    // The function at each draw of the parameters: its mean and standard deviation over a grid,
    // and a value out of these, [chains, draws, grid].
    let ((x, y), grid) = (data(), linspace(-5.0, 6.0, 221));
    let given = |at: ChoiceMap| {
        let function = process(&at).condition(&x, &y);
        (function.mean(&grid), function.variance(&grid).maximum(0.0).sqrt())
    };
    let (centre, spread) = draws.map(given)?.values;
    let function = Normal::new(&centre, &spread).sample(Key::new(3), ());
    let observation = Normal::new(&function, draws.values["noise"].expand_dims(-1));
    let band = quantiles(&function, &[0.03, 0.97])?;
    let wider = quantiles(&observation.sample(Key::new(4), ()), &[0.03, 0.97])?;
    let centre = mean(&centre)?;
    let off = (&centre - truth(&grid)).abs();
    println!("\nlargest error of the mean: {:.2}, where there are data: {:.2}", off.max(), {
        let inside = grid.gt(-4.0) & grid.lt(1.0);
        select(&inside, &off, 0.0).max()
    });
    Plot::new("A function from noisy values")
        .line(&grid, &centre)
        .label("mean")
        .band(&grid, &band.at(0), &band.at(1))
        .same_color()
        .label("94% of the functions")
        .band(&grid, &wider.at(0), &wider.at(1))
        .label("94% of observations")
        .dashed(&grid, &truth(&grid))
        .label("truth")
        .scatter(&x, &y)
        .label("data")
        .x_label("x")
        .y_label("f(x)")
        .save("figures/gaussian_process.png")
}
