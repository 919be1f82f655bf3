//! Development tasks: `cargo xtask bench | test`.

#![forbid(unsafe_code)]

mod bench;
mod peer;
mod table;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask TASK

bench [--json FILE] [--jax PYTHON] [--only TEXT] [--devices cpu,gpu,interpreter]
      the workloads of benches/ on every device, side by side; with --jax also on JAX
test  the whole test suite, as the README runs it
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((task, rest)) if task == "bench" => bench::main(rest),
        Some((task, [])) if task == "test" => test(),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
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
