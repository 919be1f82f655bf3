//! The page of the documentation: a table for each kind of processor, of the newest run on it, and
//! behind them what is written by hand.

use super::machine::{date, processor};
use super::table::Report;

/// The page with this run in it. Runs on other kinds of processors, and what is written by hand at
/// the end of the page as it was before, stay.
pub fn page(report: &Report, before: &str) -> String {
    let kind = processor();
    let (tables, notes) = before.split_once(BY_HAND).unwrap_or((before, ""));
    let mut runs = runs(tables);
    let section = section(report, &kind);
    match runs.iter_mut().find(|(name, _)| *name == kind) {
        Some((_, old)) => *old = section,
        None => runs.push((kind, section)),
    }
    let runs: Vec<String> =
        runs.iter().map(|(name, text)| format!("{RUN}{name} -->\n{text}")).collect();
    format!("{PAGE}\n{}\n{BY_HAND}{notes}", runs.join("\n"))
}

/// The file of the chart of a run.
pub fn chart(kind: &str) -> String {
    let letters = kind.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' });
    let words: String = letters.collect::<String>().to_lowercase();
    format!("speed-{}.svg", words.split_whitespace().collect::<Vec<_>>().join("-"))
}

/// The runs of a page, by the processor's kind.
fn runs(tables: &str) -> Vec<(String, String)> {
    let parts = tables.split(RUN).skip(1);
    parts
        .filter_map(|part| {
            let (kind, text) = part.split_once(" -->\n")?;
            Some((kind.to_string(), format!("{}\n", text.trim_end())))
        })
        .collect()
}

fn section(report: &Report, kind: &str) -> String {
    let jax = report.jax.as_ref().map_or_else(String::new, |jax| format!(", {jax}"));
    let image = match jax.is_empty() {
        true => String::new(),
        false => format!("\n![How many times faster than JAX, by program]({})\n", chart(kind)),
    };
    format!(
        "## {kind}\n\n{}, {} threads, {}{jax}:\n\n    {}\n{image}\n{}",
        date(),
        report.probes.threads,
        std::env::consts::OS,
        report.command,
        report.markdown(),
    )
}

/// Begins a run: the processor's kind follows.
const RUN: &str = "<!-- Run on ";

/// What is behind this line of the page is not of a run.
const BY_HAND: &str = "<!-- Written by hand from here on. -->\n";

/// What every run's page says first.
const PAGE: &str = "\
# Speed

Every program of `benches/` in one run, JAX's side of a row right before ours; medians. The programs
are in `benches/src/workloads.rs`, `generative.rs` and `posteriors.rs`, the same for JAX in
`benches/peers`; how each figure is taken is in `benches/peers/README.md`. This page is written by the
command below.

- **time**: per call with arguments in memory; for the five posteriors, per log density and gradient
  of 1,000 in one program.
- **target**: what JAX's time over ours should be at least.
- **of the limit**: for streaming work the part of the bandwidth of memcpy, for dense work the part of
  the multiply-adds that all threads can do, for a posterior our time over that of the same gradient
  written by hand in Rust (`benches/src/by_hand.rs`), run in turn with ours: as it is written, and
  where operations may be contracted, as they are by hand (`with_rounding`).
- **compile**: from a closure to a program, JAX's cold in a fresh process per program.
- **worst difference**: from JAX, relative to the largest number of the result.
- **misses**: which targets the row does not meet. Those of every row: compile 30 times faster than
  JAX (a generative function 50 times), a posterior within 1.5 times of the loop by hand, and
  1.3 times contracted, the chain at 85 % of memcpy.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_other_processors_stay() {
        let text = "intro\n<!-- Run on A -->\n## A\n\ntable\n\n<!-- Run on B, 2 -->\n## B\n";
        let found = runs(text);
        assert_eq!(found[0], ("A".into(), "## A\n\ntable\n".into()));
        assert_eq!(found[1], ("B, 2".into(), "## B\n".into()));
        assert!(runs("no run").is_empty());
    }

    #[test]
    fn charts_are_named_by_the_processor() {
        let name = chart("AMD EPYC, family 26 model 2 (AVX-512)");
        assert_eq!(name, "speed-amd-epyc-family-26-model-2-avx-512.svg");
    }
}
