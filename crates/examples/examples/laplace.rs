//! The logistic function with its derivatives, and Laplace's approximation of a posterior.
//!
//! `cargo run --release --example laplace`
//!
//! Prints the mode and covariance that the approximation finds and writes two figures to
//! `figures/`. After a blog post of 2020, "A brief introduction to JAX and Laplace's method".

use probpipe::optimize::{Bfgs, minimize};
use probpipe::prelude::*;

fn main() -> Result<()> {
    logistic()?;
    laplace()
}

/// 1. Derivatives of derivatives over a grid.
fn logistic() -> Result<()> {
    let logistic = |x: Array| (1.0 + (-x).exp()).recip();
    let x = linspace(-10.0, 10.0, 1000);
    let y = jit(logistic)(x.clone());
    let first = jit(vmap(grad(logistic)))(x.clone());
    let second = jit(vmap(grad(grad(logistic))))(x.clone());
    println!(
        "1. The logistic function: largest slope {:.6}, largest bend {:.6}",
        first.max(),
        second.max()
    );
    Plot::new("The logistic function")
        .line(&x, &y)
        .label("f(x)")
        .line(&x, &first)
        .label("f'(x)")
        .line(&x, &second)
        .label("f''(x)")
        .x_label("x")
        .save("figures/logistic.svg")
}

/// The logarithm of a Student-t density in two dimensions, up to a constant.
fn log_posterior(theta: Array) -> Array {
    let (nu, mu) = (7.0, array([0.5, 2.0]));
    let sigma = array([[1.0, 0.5], [0.5, 1.0]]);
    let from_mode = theta - mu;
    let distance = from_mode.dot(&sigma.solve(&from_mode));
    (distance / nu).log1p() * (-0.5 * (nu + 2.0))
}

/// 2. A normal distribution at the mode, with the curvature there.
fn laplace() -> Result<()> {
    println!("\n2. Laplace's approximation of a Student-t posterior");
    let loss = |theta: Array| -log_posterior(theta);
    let fit = jit(|start: Array| {
        let mode = minimize(loss, start, Bfgs::default());
        let covariance = hessian(loss)(mode.x.clone()).inv();
        (mode, covariance)
    });
    let (mode, covariance) = fit(zeros([2]));
    println!("mode       {:.4}  after {} steps", mode.x, mode.steps);
    println!("covariance {covariance:.4}");

    // Both log-densities over a grid, and their marginals.
    let axis = linspace(-10.0, 10.0, 100);
    let on_grid = |f: &dyn Fn(Array) -> Array| {
        let row = |y: Array| vmap(|x: Array| f(stack(&[x, y.clone()], 0)))(axis.clone());
        jit(vmap(row))(axis.clone())
    };
    let exact = on_grid(&log_posterior);
    let normal = MultivariateNormal::new(mode.x.clone(), covariance.clone());
    let approximate = on_grid(&|theta| normal.log_prob(&theta));
    let mut panels = vec![
        Plot::new("Log posterior")
            .filled_contour(&axis, &axis, &exact, 15)
            .x_label("θ₀")
            .y_label("θ₁"),
        Plot::new("Posterior and approximation")
            .contour(&axis, &axis, &exact.exp(), 8)
            .label("exact")
            .dashed_contour(&axis, &axis, &approximate.exp(), 8)
            .label("Laplace")
            .x_label("θ₀")
            .y_label("θ₁"),
    ];
    for (i, mu) in [0.5, 2.0].into_iter().enumerate() {
        let theta = linspace(-4.0, 7.0, 300);
        // The marginals of a Student-t are Student-t with the same degrees of freedom.
        let student = (-4.0 * ((&theta - mu).square() / 7.0).log1p()).exp() * 0.384_992;
        let scale = covariance.at(i as isize).at(i as isize).sqrt();
        let normal = Normal::new(mode.x.at(i as isize), scale);
        panels.push(
            Plot::new(format!("Marginal of θ{}", ["₀", "₁"][i]))
                .line(&theta, &student)
                .label("exact")
                .dashed(&theta, &normal.log_prob(&theta).exp())
                .label("Laplace"),
        );
    }
    Figure::row(panels).save("figures/laplace.png")
}
