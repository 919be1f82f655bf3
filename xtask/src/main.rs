//! Development tasks: `cargo xtask bench | test`.

#![forbid(unsafe_code)]

mod bench;

use clap::Parser;
use std::process::ExitCode;

/// Development tasks of probpipe.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Measure the workloads of `benches/`, with `--jax` side by side with JAX.
    Bench(bench::Options),
    /// Run the whole test suite, as the README does.
    Test,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Bench(options) => bench::main(&options),
        Task::Test => test(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the README's test command.
fn test() -> Result<(), String> {
    let status = std::process::Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--all-features"])
        .status()
        .map_err(|e| format!("cargo does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err("tests failed".into()) }
}
