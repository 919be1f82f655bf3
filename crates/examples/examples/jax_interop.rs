//! Gradients, jit and vmap through distributions: score functions, sensitivity analysis, maximum
//! likelihood, variational inference, and distributions and records as arguments of programs.
//!
//! `cargo run --release --example jax_interop [-- --device cpu|gpu] [-- --eager]`
//!
//! Prints the numbers of ProbPipe's notebook "JAX interop" and writes its figures to
//! `figures/`. `--eager` runs on the reference interpreter; the GPU needs `--features gpu`.

use probpipe::prelude::*;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let device = match words[..] {
        [] | ["--device", "cpu"] => Device::Cpu,
        ["--device", "gpu"] => Device::Gpu,
        ["--eager"] => Device::Interpreter,
        _ => {
            eprintln!("usage: jax_interop [--device cpu|gpu | --eager]");
            std::process::exit(2);
        }
    };
    device.check()?;
    with_device(device, || {
        score_functions()?;
        sensitivity()?;
        maximum_likelihood()?;
        variational_inference()?;
        programs_of_distributions()
    })
}

/// 1. Differentiating log-densities.
fn score_functions() -> Result<()> {
    println!("1. Differentiating log-densities");
    let n = Normal::new(2.0, 0.5);
    let score = grad(|x: Array| n.log_prob(&x));
    let at_3 = jit(&score)(array(3.0));
    println!("Score at x=3.0: {at_3:.4}");
    println!("Analytical:     {:.4}", -(3.0 - 2.0) / 0.5f32.powi(2));

    let xs = linspace(0.0, 4.0, 200);
    let scores = jit(vmap(&score))(xs.clone());
    let log_probs = jit(vmap(|x: Array| n.log_prob(&x)))(xs.clone());
    Figure::row([
        Plot::new("Normal(2, 0.5) density").line(&xs, &log_probs.exp()).x_label("x"),
        Plot::new("Score function: d/dx log p(x)")
            .line(&xs, &scores)
            .hline(0.0)
            .vline(2.0)
            .label("mean")
            .x_label("x"),
    ])
    .save("figures/score.svg")?;

    let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
    let gradient = jit(grad(|x: Array| mvn.log_prob(&x)))(array([1.5, 2.5]));
    println!("multivariate: grad log_prob = {gradient}");

    let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(1.0, 0.5).named("sigma")));
    let flat = joint.as_flat_distribution();
    let gradient = jit(grad(|x: Array| flat.log_prob(&x)))(array([0.5, 1.2]));
    println!("joint:        grad log_prob = {gradient}");
    println!("              d/d(mu) = {:.4}, d/d(sigma) = {:.4}", gradient.at(0), gradient.at(1));
    Ok(())
}

/// A Monte Carlo estimate of E[x^2] for x ~ Normal(loc, 1), which is loc^2 + 1.
fn expected_loss(loc: Array) -> Array {
    Normal::new(loc, 1.0).sample(Key::new(42), [5000]).square().mean()
}

/// 2. Gradients through the reparameterised sampler.
fn sensitivity() -> Result<()> {
    println!("\n2. Sensitivity analysis");
    let (loss, gradient) = jit(value_and_grad(expected_loss))(array(3.0));
    println!("E[x^2]          = {loss:.3} (analytical: 10.0)");
    println!("d/d(loc) E[x^2] = {gradient:.3} (analytical: 6.0)");

    let locs = linspace(-3.0, 3.0, 50);
    let (losses, gradients) = jit(vmap(value_and_grad(expected_loss)))(locs.clone());
    Figure::row([
        Plot::new("Expected quadratic loss")
            .line(&locs, &losses)
            .label("MC estimate")
            .dashed(&locs, &(locs.square() + 1.0))
            .label("analytical")
            .x_label("prior location")
            .y_label("E[x²]"),
        Plot::new("Sensitivity of loss to location")
            .line(&locs, &gradients)
            .label("MC gradient")
            .dashed(&locs, &(&locs * 2.0))
            .label("analytical")
            .x_label("prior location")
            .y_label("d/d(loc) E[x²]"),
    ])
    .save("figures/sensitivity.svg")
}

/// 3. Maximum likelihood by gradient descent.
fn maximum_likelihood() -> Result<()> {
    println!("\n3. Maximum likelihood");
    let data = normal(Key::new(1), [200]) * 0.8 + 2.5;
    let nll = |params: Array, data: &Array| {
        let q = Normal::new(params.at(0), params.at(1).exp());
        -vmap(|x: Array| q.log_prob(&x))(data.clone()).mean()
    };
    let step = |(params, data): (Array, Array)| {
        let (loss, g) = value_and_grad(|p: Array| nll(p, &data))(params.clone());
        (params - g * 0.1, loss)
    };

    // A compiled step in a loop of the host.
    let compiled_step = jit(step);
    let mut params = zeros([2]);
    for k in 0..200 {
        let loss;
        (params, loss) = compiled_step((params, data.clone()));
        if k % 50 == 0 || k == 199 {
            let (loc, scale) = (params.at(0), params.at(1).exp());
            println!("  step {k:3}: loss={loss:.4}, loc={loc:.4}, scale={scale:.4}");
        }
    }
    println!("True:      loc=2.5, scale=0.8");
    println!("MLE:       loc={:.4}, scale={:.4}", params.at(0), params.at(1).exp());
    let mean = data.mean();
    let deviation = (&data - &mean).square().mean().sqrt();
    println!("Empirical: loc={mean:.4}, scale={deviation:.4}");

    // The whole loop as one compiled program.
    let fit = jit(|data: Array| {
        scan(zeros([2]), arange(200), |params, _| step_with_history(step, params, &data))
    });
    let (params, (losses, locs)) = fit(data);
    println!("one program: loc={:.4}, scale={:.4}", params.at(0), params.at(1).exp());
    let steps = linspace(0.0, 199.0, 200);
    Figure::row([
        Plot::new("Negative log-likelihood").line(&steps, &losses).x_label("step"),
        Plot::new("Estimated location")
            .line(&steps, &locs)
            .hline(2.5)
            .label("true")
            .x_label("step"),
    ])
    .save("figures/mle.svg")
}

/// A step that also gives the loss and the new location.
fn step_with_history(
    step: impl Fn((Array, Array)) -> (Array, Array),
    params: Array,
    data: &Array,
) -> (Array, (Array, Array)) {
    let (params, loss) = step((params, data.clone()));
    (params.clone(), (loss, params.at(0)))
}

/// The log-density of 0.3 N(-2, 0.5) + 0.7 N(2, 0.8).
fn target(x: Array) -> Array {
    let left = Normal::new(-2.0, 0.5).log_prob(&x) + 0.3f64.ln();
    let right = Normal::new(2.0, 0.8).log_prob(&x) + 0.7f64.ln();
    left.logaddexp(right)
}

/// The evidence lower bound of Normal(loc, exp(log_scale)) against the target, by 500 draws.
fn elbo((loc, log_scale): (Array, Array), key: Key) -> Array {
    let scale = log_scale.exp();
    let x = &loc + &scale * normal(key, [500]);
    let log_q = Normal::new(&loc, &scale).log_prob(&x);
    (vmap(target)(x) - log_q).mean()
}

/// 4. Variational inference by gradient ascent on the evidence lower bound.
fn variational_inference() -> Result<()> {
    println!("\n4. Variational inference");
    let step = |params: (Array, Array), step: Array| {
        let (value, g) = value_and_grad(|p| elbo(p, Key::from_seed(&step)))(params.clone());
        (tree_map(|p, g| p + g * 0.05, params, g), value)
    };
    let start = || (array(0.0), array(0.0));

    // A compiled step in a loop of the host.
    let compiled_step = jit(|(params, k): ((Array, Array), Array)| step(params, k));
    let mut params = start();
    for k in 0..300 {
        (params, _) = compiled_step((params, array(k)));
    }
    let (loc, scale) = (params.0, params.1.exp());
    println!("Fitted q: Normal(loc={loc:.3}, scale={scale:.3})");

    // The whole loop as one compiled program.
    let fit = jit(|init: (Array, Array)| scan(init, arange(300), step));
    let ((loc, log_scale), history) = fit(start());
    let scale = log_scale.exp();
    println!("one program: Normal(loc={loc:.3}, scale={scale:.3})");

    let xs = linspace(-5.0, 5.0, 300);
    let q = Normal::new(&loc, &scale);
    Figure::row([
        Plot::new("Variational approximation")
            .line(&xs, &jit(vmap(target))(xs.clone()).exp())
            .label("target p(x)")
            .dashed(&xs, &jit(vmap(|x: Array| q.log_prob(&x)))(xs.clone()).exp())
            .label(format!("q(x) = N({loc:.2}, {scale:.2})"))
            .x_label("x"),
        Plot::new("ELBO during optimization")
            .line(&linspace(0.0, 299.0, 300), &history)
            .x_label("step")
            .y_label("ELBO"),
    ])
    .save("figures/elbo.svg")
}

/// 5. Distributions and records are trees: arguments, carries and results of compiled programs.
fn programs_of_distributions() -> Result<()> {
    println!("\n5. jit through distributions and records");
    // One program for every normal distribution: its parameters are inputs.
    let surprise = jit(|(d, x): (Normal, Array)| -d.log_prob(&x));
    for (loc, scale) in [(0.0, 1.0), (2.0, 0.5)] {
        let d = Normal::new(array(loc), array(scale));
        println!("-log N(3; {loc}, {scale}) = {:.4}", surprise((d, array(3.0))));
    }

    // Data by a regression, and its parameters by name, with a gradient of the same structure.
    let x = linspace(-1.0, 1.0, 50);
    let y = &x * 2.0 - 1.0 + normal(Key::new(7), [50]) * 0.3;
    let loss = |params: Record| {
        let mean = &params["line/slope"] * &x + &params["line/intercept"];
        -Normal::new(mean, params["log_scale"].exp()).log_prob(&y).mean()
    };
    let start = Record::new([("log_scale", array(0.0))])
        .with("line/slope", array(0.0))
        .with("line/intercept", array(0.0));
    println!("gradient at the start:\n{:.4}", jit(grad(loss))(start.clone()));
    let step = |params: Record, _: Array| {
        let (loss, g) = value_and_grad(loss)(params.clone());
        (tree_map(|p, g| p - g * 0.2, params, g), loss)
    };
    let (fitted, losses) = jit(|start| scan(start, arange(300), step))(start);
    println!(
        "fitted, after 300 steps from {:.4} to {:.4}:\n{fitted:.4}",
        losses.at(0),
        losses.at(-1)
    );

    // A posterior predictive: a distribution is what a program gives, and a batch of them is one.
    let predict = jit(|params: Record| {
        let mean = &params["line/slope"] * &x + &params["line/intercept"];
        Normal::new(mean, params["log_scale"].exp())
    });
    let predictive = predict(fitted);
    let (low, high) = (predictive.quantile(&array(0.05)), predictive.quantile(&array(0.95)));
    Plot::new("Regression with a record of parameters")
        .scatter(&x, &y)
        .label("data")
        .line(&x, &predictive.mean())
        .label("mean")
        .dashed(&x, &low)
        .label("5 and 95 %")
        .dashed(&x, &high)
        .x_label("x")
        .y_label("y")
        .save("figures/regression.svg")
}
