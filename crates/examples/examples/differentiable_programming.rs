//! Differentiable programming with generative functions: draws of a prior, the mode of a posterior
//! by two interfaces, draws of it by the Metropolis-adjusted Langevin algorithm, maximum
//! likelihood, and variational inference.
//!
//! `cargo run --release --example differentiable_programming`
//!
//! The notebook "Differentiable programming" of GenJAX as one program, with its last section, of
//! which it has but the heading. Writes its figures to `figures/`.

use probpipe::generative::Selection;
use probpipe::inference::mcmc::{Kernel, Mala};
use probpipe::inference::{Target, vi::Advi};
use probpipe::optimize::{Adam, Optimizer, apply_updates};
use probpipe::prelude::*;
use probpipe::{GenerativeFunction, Trace};

/// 100 points around `x_mu`, and a noisy line over them.
fn model() -> impl GenerativeFunction<Args = (), Value = Array> + Copy {
    let point = generative(|t: &mut Choices, mean: Array, std: Array| {
        t.sample("pos", Normal::new(mean, std))
    });
    let line = generative(|t: &mut Choices, x: Array, a: Array, b: Array| {
        t.sample("pos", Normal::new(a * x + b, 1.0))
    });
    generative(move |t: &mut Choices| {
        let x_mu = t.sample("x_mu", Uniform::new(-3.0, 3.0));
        let a = t.sample("a", Uniform::new(-4.0, 4.0));
        let b = t.sample("b", Uniform::new(-3.0, 3.0));
        let x = t.call("x", point.repeat(100), (x_mu, 1.0));
        t.call("y", line.mapped((0, None, None)), (x, a, b))
    })
}

fn main() -> Result<()> {
    let model = model();
    let simulate = jit(|key: Key| model.simulate(key, ()));
    let traces: Vec<Trace> = Key::new(314159).split_n(9).into_iter().map(simulate).collect();
    let points = |trace: &Trace| {
        let choices = trace.choices();
        Plot::new("").scatter(&choices["x/pos"], &choices["y/pos"])
    };
    Figure::grid(3, traces.iter().map(points)).save("figures/prior.svg")?;

    // The mode of the posterior of one of them, from a draw of the latents.
    let observed = traces[2].choices().filter(&addresses(["x", "y"]));
    println!("{observed}");
    let importance = jit(|(key, seen): (Key, ChoiceMap)| model.importance(key, &seen, ()));
    let (start, weight) = importance((Key::new(1), observed.clone()));
    println!("importance: weight {weight:.2}");
    let update = MapUpdate { selection: addresses(["x_mu", "a", "b"]), tau: array(1e-4) };
    let chain = |(update, trace): (MapUpdate, Trace)| {
        fori_loop(2000, trace, |_, trace| update.apply(&model, trace))
    };
    let mode = jit(chain)((update.clone(), start.clone()));
    println!("mode by choice_grad:\n{:.4}", mode.choices().filter(&update.selection).record());
    println!("mode by unzip:\n{:.4}", by_unzip(&model, &observed, &start, &update).record());
    let choices = mode.choices();
    let target = Target::of(model, (), &observed)?;
    langevin(&target, &choices.filter(&update.selection))?;
    let x = &choices["x_mu"] + normal(Key::new(7), [1000]);
    let line = jit(|x: Array| &choices["a"] * x + &choices["b"])(x.clone());
    let truth = &traces[2].choices();
    Plot::new("Data and the line at the mode")
        .scatter(&truth["x/pos"], &truth["y/pos"])
        .label("data")
        .scatter(&x, &line)
        .label("a x + b")
        .save("figures/mode.svg")?;
    learn()?;
    variational(&target)
}

/// A step up the gradient. As a tree it has a number that programs take, and a selection that
/// belongs to the program.
#[derive(Tree, Clone, Debug)]
struct MapUpdate {
    #[tree(static)]
    selection: Selection,
    tau: Array,
}

impl MapUpdate {
    fn apply(&self, model: &impl GenerativeFunction<Args = (), Value = Array>, t: Trace) -> Trace {
        let g = model.choice_grad(&t, &self.selection);
        let values = t.choices().filter(&self.selection);
        let moved = tree_map(|v, g| v + &self.tau * g, values, g);
        model.update(&t, &moved).trace
    }
}

/// The same ascent on the joint score as a plain function.
fn by_unzip(
    model: &impl GenerativeFunction<Args = (), Value = Array>,
    observed: &ChoiceMap,
    start: &Trace,
    update: &MapUpdate,
) -> ChoiceMap {
    let (score, _) = model.unzip(Key::new(2), observed);
    let step = |latents: ChoiceMap, _: Array| {
        let g = grad(|latents: ChoiceMap| score((latents, ())))(latents.clone());
        (tree_map(|v, g| v + &update.tau * g, latents, g), ())
    };
    let start = start.choices().filter(&update.selection);
    jit(|start| scan(start, arange(2000), step).0)(start)
}

/// Draws by the Metropolis-adjusted Langevin algorithm over the real numbers that stand for the
/// latents: the bounds of their priors are found in the model.
fn langevin(target: &Target<ChoiceMap>, mode: &ChoiceMap) -> Result<()> {
    let target = target.clone().starting_at(target.unconstrain(mode)?);
    let (draws, info) = Mala::new(0.08).sample(Key::new(3), &target, 5000)?;
    println!("MALA: {:.2} accepted", info.accepted.cast(DType::F32).mean());
    table(&draws);
    let trace = |name: &str| Plot::new(name).line(&arange(5000), &draws[name]).x_label("step");
    Figure::row(["x_mu", "a", "b"].map(trace)).save("figures/langevin.svg")
}

/// Mean and standard deviation of draws.
fn table(draws: &ChoiceMap) {
    for (name, draws) in draws.record().arrays() {
        let spread = (draws - draws.mean()).square().mean().sqrt();
        println!("  {name:4} {:7.3} +- {spread:.3}", draws.mean());
    }
}

/// Learnable parameters, their score, and maximum likelihood.
fn learn() -> Result<()> {
    let params = Record::new([("x_mu", 0.0), ("a", 0.3), ("b", 0.4)]);
    let mut model = generative(|t: &mut Choices, p: Record| {
        let x = t.sample("x", Normal::new(&p["x_mu"], 1.0));
        t.sample("y", Normal::new(&p["a"] * x + &p["b"], 1.0))
    })
    .train(params.clone());
    let trace = model.simulate(Key::new(314159), ());
    println!("{trace}\nlogpdf {}", model.score_params(&trace, &params));
    let traces = vmap(|key| model.simulate(key, ()))(Key::new(4).split_batch(100));
    let scores = jit(vmap(|trace| model.score_params(&trace, &params)))(traces.clone());
    println!("100 logpdfs: mean {:.4}, largest {:.4}", scores.mean(), scores.max());

    let adam = Adam::new(0.02);
    let loss = |p: Record| -vmap(|t: Trace| model.score_params(&t, &p))(traces.clone()).mean();
    let step = |(p, state): (Record, _), _: Array| {
        let (loss, g) = value_and_grad(loss)(p.clone());
        let (updates, state) = adam.update(g, state, &p);
        ((apply_updates(p, updates), state), loss)
    };
    let start = (params.clone(), adam.init(&params));
    let ((best, _), losses) = jit(|start| scan(start, arange(400), step))(start);
    model.update_params(tree_map(|new, old| new - old, best, params));
    println!("maximum likelihood:\n{:.4}", model.params());
    Plot::new("Negative log-likelihood").line(&arange(400), &losses).save("figures/learning.svg")
}

/// A normal distribution of the latents, by automatic differentiation variational inference.
fn variational(target: &Target<ChoiceMap>) -> Result<()> {
    let fit = jit(|key: Key| Advi::full_rank().fit(key, target))(Key::new(5));
    let draws = fit.approximation.values(Key::new(6), 4000, target)?;
    println!("ADVI:");
    table(&draws);
    Figure::row([
        Plot::new("ELBO").line(&arange(2000), &fit.elbos).x_label("step"),
        Plot::new("Draws of the approximation")
            .scatter(&draws["a"], &draws["b"])
            .x_label("a")
            .y_label("b"),
    ])
    .save("figures/advi.svg")
}
