//! JAX on the same workload: a fresh process per program, so that its compilation is cold.

use serde_json::Value;
use std::process::Command;

/// Numbers of each result that are compared.
pub const VALUES: usize = 4096;

/// What JAX measured.
pub struct Peer {
    pub us: f64,
    pub compile_ms: f64,
    /// The most memory that its process had.
    pub peak_bytes: f64,
    /// JAX's version, and how many cores it had.
    pub version: String,
    pub outputs: Vec<Vec<f64>>,
}

/// Runs `benches/peers/run_jax.py` with the given Python.
pub fn run(python: &str, name: &str) -> Result<Peer, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/peers/run_jax.py");
    let output =
        Command::new(python).args([script, name]).output().map_err(|e| format!("{python}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{name} on JAX: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let json: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("{name} on JAX printed no JSON: {e}"))?;
    let number =
        |key: &str| json[key].as_f64().ok_or_else(|| format!("{name} on JAX: no number `{key}`"));
    let outputs = json["outputs"]
        .as_array()
        .ok_or_else(|| format!("{name} on JAX: no outputs"))?
        .iter()
        .map(|out| {
            let values = out["values"].as_array().cloned().unwrap_or_default();
            values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
        })
        .collect();
    Ok(Peer {
        us: number("us")?,
        compile_ms: number("compile_ms")?,
        peak_bytes: number("peak_bytes")?,
        version: format!(
            "JAX {} on {} cores",
            json["jax"].as_str().unwrap_or("of an unknown version"),
            json["cores"]
        ),
        outputs,
    })
}
