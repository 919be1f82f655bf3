//! The bench table, for reading and for programs.

use serde_json::{Value, json};

/// One program on one device.
pub struct Row {
    pub name: &'static str,
    pub device: &'static str,
    pub ours_us: f64,
    pub compile_ms: f64,
    pub jax_us: Option<f64>,
    pub jax_compile_ms: Option<f64>,
    pub max_diff: f64,
}

impl Row {
    /// How many times faster than JAX.
    fn ratio(&self) -> Option<f64> {
        self.jax_us.map(|jax| jax / self.ours_us)
    }
}

/// `{"rows": [...]}`, with null where JAX was not asked.
pub fn json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|r| {
            json!({
                "name": r.name,
                "device": r.device,
                "ours_us": r.ours_us,
                "jax_us": r.jax_us,
                "jax_ratio": r.ratio(),
                "compile_ms": r.compile_ms,
                "jax_compile_ms": r.jax_compile_ms,
                "max_diff": r.max_diff,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "rows": rows }))
}

/// A Markdown table: one line per program and device.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| program | device | time, us | JAX, us | JAX / ours | compile, ms | JAX compile, ms | \
         JAX / ours | worst difference |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let cell = |v: Option<f64>| v.map_or_else(String::new, short);
    for r in rows {
        let compile_ratio = r.jax_compile_ms.map(|jax| jax / r.compile_ms);
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {:.1e} |\n",
            r.name,
            r.device,
            short(r.ours_us),
            cell(r.jax_us),
            cell(r.ratio()),
            short(r.compile_ms),
            cell(r.jax_compile_ms),
            cell(compile_ratio),
            r.max_diff,
        );
    }
    text
}

/// Three digits are what the measurement is worth.
fn short(v: f64) -> String {
    match v {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}
