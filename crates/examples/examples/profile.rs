//! Where a fit spends its time.
//!
//! `cargo run --release --example profile`
//!
//! Logistic regression by gradient descent, as one compiled program. What the table says is
//! explained in `docs/profiling.md`.

use probpipe::prelude::*;

fn main() -> Result<()> {
    let (rows, columns) = (2000, 50);
    let x = normal(Key::new(1), [rows, columns]);
    let truth = normal(Key::new(2), [columns]);
    let y = uniform(Key::new(3), [rows]).lt(x.matmul(&truth).sigmoid()).cast(DType::F32);

    let loss = |w: Array| {
        let logits = x.matmul(&w);
        let misfit = (logits.softplus() - &y * &logits).mean();
        misfit + w.square().sum() * 0.001
    };
    let fit = |start: Array| fori_loop(100, start, |_, w| &w - grad(loss)(w.clone()) * 0.5);

    let profile = probpipe::profile(fit, &zeros([columns]))?;
    print!("{profile}");

    // The same as data.
    let longest = profile.by_time()[0];
    println!("\nlongest: `{}`, {:.0} runs a call", longest.name, longest.runs);
    Ok(())
}
