//! The posteriors of the examples with fewer draws, against what is known of them: parameters that
//! the data were made with, or moments that others have drawn.

#![allow(dead_code, reason = "of the examples only the posteriors are run")]

#[path = "../examples/eight_schools.rs"]
mod eight_schools;
#[path = "../examples/gaussian_process.rs"]
mod gaussian_process;
#[path = "../examples/hidden_markov.rs"]
mod hidden_markov;
#[path = "../examples/logistic_regression.rs"]
mod logistic_regression;
#[path = "../examples/lotka_volterra.rs"]
mod lotka_volterra;

use probpipe::diagnostics::summary;
use probpipe::prelude::*;

/// That chains agree, and that means are no further from what is known than they may be.
#[track_caller]
fn holds(draws: &Record, known: &[(&str, f64, f64)]) {
    let table = summary(draws).unwrap();
    let worst = table.quantities().iter().map(|q| q.r_hat).fold(1.0, f64::max);
    assert!(worst < 1.05, "{table}");
    for &(name, mean, within) in known {
        let have = table.get(name).unwrap_or_else(|| panic!("no `{name}`: {table}")).mean;
        assert!((have - mean).abs() < within, "{name} is {have}, not {mean}\n{table}");
    }
}

#[test]
fn eight_schools_are_alike() {
    let draws = eight_schools::posterior(300).unwrap();
    // By posteriordb.
    let known = [("mu", 4.4, 0.6), ("tau", 3.6, 0.6), ("theta[0]", 6.2, 1.0)];
    holds(&eight_schools::quantities(&draws).unwrap().values, &known);
}

#[test]
fn votes_go_with_income() {
    let draws = logistic_regression::posterior(300).unwrap();
    // By Stan, with flat priors.
    holds(draws.values.record(), &[("alpha", -1.40, 0.05), ("beta", 0.326, 0.015)]);
}

#[test]
fn noise_is_told_from_a_function() {
    let draws = gaussian_process::posterior(200).unwrap();
    holds(draws.values.record(), &[("noise", gaussian_process::NOISE, 0.05)]);
}

#[test]
fn states_are_told() {
    let draws = hidden_markov::posterior(200).unwrap();
    let known = [("low", 0.0, 0.4), ("rise", 2.0, 0.5), ("sigma", 1.0, 0.15)];
    holds(draws.values.record(), &known);
    let states = hidden_markov::data().0;
    let told = hidden_markov::high(&draws).unwrap().mean_axes([0, 1]).gt(0.5).eq(states.eq(1));
    assert!(told.cast(DType::F32).mean().item::<f32>().unwrap() > 0.8);
}

#[test]
fn hares_and_lynxes_follow_their_equation() {
    with_default_float(DType::F64, || {
        let draws = lotka_volterra::posterior(300).unwrap();
        // By Stan.
        let known = [("rate[0]", 0.547, 0.02), ("rate[2]", 0.803, 0.03), ("sigma[0]", 0.25, 0.02)];
        holds(draws.values.record(), &known);
    });
}
