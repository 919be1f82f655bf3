//! The gradient of a function that is itself a minimisation.
//!
//! `cargo run --release --example custom_gradient`
//!
//! `f(x) = -min_y |y|^p / p - x y` is found by BFGS. Its derivative at `x` is the `y` of the
//! minimum, which a custom rule says; it also comes out of the loops of the minimiser, in reverse,
//! with no rule at all. A sampler that goes by gradients then uses the rule without knowing of it.
//! After BlackJAX's "Use custom gradients".

use probpipe::inference::mcmc::{Hmc, Kernel, StepCx};
use probpipe::optimize::{Bfgs, minimize};
use probpipe::prelude::*;

/// The value of `f`, and the `y` where it is attained.
fn f(x: Array, p: f32) -> (Array, Array) {
    let g = |y: Array| (y.abs().pow(p) / p - &x * y).sum();
    let found = minimize(g, zeros([1]), Bfgs::default());
    (-found.value, found.x.at(0))
}

fn main() -> Result<()> {
    let (p, x) = (3.0, array(0.31415));

    let with_rule = custom_jvp(
        move |x| f(x, p).0,
        move |x, dx: Array| {
            let (value, argmin) = f(x, p);
            (value, argmin * dx)
        },
    );
    println!("by the rule that the slope is the argmin: {}", jit(grad(&with_rule))(x.clone()));

    let through_the_loop = jit(grad(|x| f(x, p).0))(x.clone());
    println!("through the while loops of BFGS:          {through_the_loop}");

    let q = 1.0 / (1.0 - 1.0 / p);
    let closed_form = grad(|x: Array| x.abs().pow(q) / q)(x);
    println!("of the closed form |x|^q / q:             {closed_form}");

    // One step of Hamiltonian Monte Carlo on a density that contains the minimisation.
    let log_density = |y: Array| {
        let normal = Normal::new(0.0, 1.0);
        normal.log_prob(&y) + normal.log_prob(&with_rule(y))
    };
    let hmc = Hmc::new(1e-2, 20);
    let state = hmc.init(&log_density, array(1.0));
    let (_, step_key) = Key::new(20250120).split();
    let (new_state, info) = hmc.step(StepCx::new(step_key, &log_density), state.clone());
    for state in [&state, &new_state] {
        let (position, value) = (&state.position, &state.log_density);
        println!("at {position}: log-density {value}, gradient {}", state.gradient);
    }
    println!("accepted with probability {}", info.acceptance);
    Ok(())
}
