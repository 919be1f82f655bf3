//! Variational inference from scratch: a normal distribution is fitted to a mixture of two by
//! gradients of the divergence between them, which reparameterised draws estimate.
//!
//! `cargo run --release --example variational`
//!
//! Prints the numbers of the notebook "Variational Inference from scratch in JAX" and writes its
//! five figures to `figures/`. Its keys are laid out as JAX did before 0.5.

use probpipe::distributions::MixtureSameFamily;
use probpipe::optimize::{Optimizer, Sgd, apply_updates};
use probpipe::prelude::*;
use probpipe::{kl_divergence, record::Record};

type Target = MixtureSameFamily<Normal>;

fn main() -> Result<()> {
    let p = Target::new(array([0.5, 0.5]), Normal::new(array([-0.2, 1.0]), array([0.4, 0.5])));
    let xs = linspace(-5.0, 5.0, 100);
    let density = jit(|x: Array| p.log_prob(&x))(xs.clone()).exp();
    Figure::row([
        Plot::new("p(x)").line(&xs, &density),
        Plot::new("log p(x)").line(&xs, &p.log_prob(&xs)),
    ])
    .save("figures/target.svg")?;

    divergences(&p, &xs, &density)?;
    println!("\n3. Gradients of the estimate at loc=5, scale=1");
    let at = parameters(5.0, 1.0);
    let slopes = |reading: Reading| jit(grad(|q| estimate(&p, &q, key(), reading)))(at.clone());
    println!("the notebook's reading:\n{}", slopes(Reading::Notebook));
    println!("as it was meant:\n{}", slopes(Reading::Meant));

    println!("\n4. 100 steps of gradient descent");
    let (printed, _) = fit(&p, Reading::Notebook);
    println!("the notebook's reading:\n{printed}");
    let (learnt, costs) = fit(&p, Reading::Meant);
    println!("as it was meant:\n{learnt}");
    Plot::new("Cost")
        .line(&arange(100), &costs)
        .x_label("Iterations")
        .y_label("Cost")
        .save("figures/costs.svg")?;
    Plot::new("A normal distribution fitted to p")
        .line(&xs, &density)
        .label("p(x)")
        .line(&xs, &normal_of(&printed).log_prob(&xs).exp())
        .label("q(x), the notebook's reading")
        .dashed(&xs, &normal_of(&learnt).log_prob(&xs).exp())
        .label("q(x), as it was meant")
        .save("figures/learnt.svg")
}

/// 1 and 2. A divergence without a formula, and its estimates from draws.
fn divergences(p: &Target, xs: &Array, density: &Array) -> Result<()> {
    println!("1. Divergence of p and q = Normal(0, 1)");
    let q = Normal::new(0.0, 1.0);
    if let Some(error) = kl_divergence(p, &q).error() {
        println!("{}", error.message());
    }
    Plot::new("p and q")
        .line(xs, density)
        .label("p(x)")
        .line(xs, &q.prob(xs))
        .label("q(x)")
        .save("figures/p_and_q.svg")?;

    let sampled = jit(|q: Normal| {
        let x = q.sample(key(), [1000]);
        (q.log_prob(&x) - p.log_prob(&x)).mean()
    });
    let reparameterised = estimate(p, &parameters(0.0, 1.0), key(), Reading::Meant);
    println!("by draws of q:          {:.7}", sampled(q));
    println!("by draws of Normal(0,1): {reparameterised:.7}");

    println!("\n2. A grid of parameters");
    let mut figure = Plot::new("Candidates for q").line(xs, density).label("p(x)");
    for loc in [-1.0, 0.0, 1.0] {
        for scale in [0.5, 1.0] {
            let q = Normal::new(loc, scale);
            let kl = sampled(q.clone());
            println!("loc {loc:4.1}  scale {scale}  D_KL {kl:.1}");
            figure = figure.dashed(xs, &q.prob(xs)).label(format!("N({loc}, {scale}): {kl:.1}"));
        }
    }
    figure.save("figures/candidates.svg")
}

/// The notebook scales its draws by `scale`, which is not the parameter `q_scale` but what a loop
/// above it left behind: the number 1. So the slope in the scale lacks the way through the draws,
/// and the fit stops at another place.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    Notebook,
    Meant,
}

/// The notebook's key, in the layout of its time. All steps of its fit use this one.
fn key() -> Key {
    Key::new(1).with_layout(RandomLayout::Original)
}

fn parameters(loc: f32, scale: f32) -> Record {
    Record::new([("loc", array(loc)), ("scale", array(scale))])
}

fn normal_of(q: &Record) -> Normal {
    Normal::new(&q["loc"], &q["scale"])
}

/// An estimate of the divergence of q from p, by 1,000 draws of q.
fn estimate(p: &Target, q: &Record, key: Key, reading: Reading) -> Array {
    let noise = normal(key, [1000]);
    let x = match reading {
        Reading::Notebook => &q["loc"] + noise,
        Reading::Meant => &q["loc"] + &q["scale"] * noise,
    };
    (normal_of(q).log_prob(&x) - p.log_prob(&x)).mean()
}

/// The parameters after 100 steps from (5, 1), and the costs on the way, each by new draws: one
/// program.
fn fit(p: &Target, reading: Reading) -> (Record, Array) {
    let sgd = Sgd::new(0.01);
    let step = |(q, state, chain): (Record, _, Key), _: Array| {
        let (chain, subkey) = chain.split();
        let cost = estimate(p, &q, subkey, reading);
        let slopes = grad(|q| estimate(p, &q, key(), reading))(q.clone());
        let (updates, state) = sgd.update(slopes, state, &q);
        ((apply_updates(q, updates), state, chain), cost)
    };
    let start = parameters(5.0, 1.0);
    let init = (start.clone(), sgd.init(&start), key());
    let ((q, _, _), costs) = jit(|init| scan(init, arange(100), step))(init);
    (q, costs)
}
