//! Development tasks: `cargo xtask bench | names | test`.

#![forbid(unsafe_code)]

mod bench;
mod names;

use clap::Parser;
use std::process::ExitCode;

/// Development tasks of probpipe.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Measure the workloads of `benches/`, with `--jax` side by side with JAX.
    Bench(Box<bench::Options>),
    /// Write `docs/names.md`: what functions of JAX and NumPy are called here.
    Names,
    /// Run the whole test suite, as the README does.
    Test,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Bench(options) => bench::main(&options),
        Task::Names => write_names(),
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

fn write_names() -> Result<(), String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(names::PAGE);
    std::fs::write(&path, names::page(&root)?).map_err(|e| format!("{}: {e}", path.display()))
}

/// Runs the README's test command.
fn test() -> Result<(), String> {
    let status = std::process::Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--all-features"])
        .status()
        .map_err(|e| format!("cargo does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err("tests failed".into()) }
}
