//! `cargo xtask bench --inference PYTHON`: whole runs of the no-U-turn sampler on posteriors, here
//! and in NumPyro, BlackJAX and nutpie, each in a process of its own, in turn in one run.

use super::machine::{date, processor};
use super::table::{geometric_mean, short};
use probpipe::diagnostics::{Ess, ess};
use probpipe::inference::mcmc::Nuts;
use probpipe::prelude::{Chains, DType, Key, Record, Result as Outcome};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Those that are measured.
const POSTERIORS: [&str; 8] = [
    "eight_schools_noncentered",
    "kidscore_interaction",
    "arK",
    "nes_logit",
    "garch11",
    "gp_regr",
    "low_dim_gauss_mix",
    "radon_mn_hier_noncentered",
];
const PEERS: [&str; 3] = ["numpyro", "blackjax", "nutpie"];
/// Runs behind a median of ours, which are short.
const RUNS: u64 = 5;

/// What one process told.
struct Told {
    /// From its start to the first draws: all that a user waits for.
    first: f64,
    /// Of a run with its warm-up, the program being compiled.
    seconds: f64,
    /// The least bulk effective sample size over all parameters.
    ess: f64,
    peak_bytes: f64,
    version: String,
}

/// Our side, in a process of its own: the same lines as the peers print.
pub fn one(name: &str) -> Result<(), String> {
    probpipe::with_default_float(DType::F64, || run(name)).map_err(|error| error.to_string())
}

fn run(name: &str) -> Outcome<()> {
    let Some(posterior) = probpipe_posteriors::named(name) else { return Ok(()) };
    let target = posterior.target()?;
    let prepared = Nuts::default().chains(4).draws(1000).prepare(&target)?;
    prepared.sample(Key::new(0))?;
    println!("{}", json!({"first": true}));
    let mut told = Vec::new();
    for seed in 1..=RUNS {
        let begin = Instant::now();
        let draws = prepared.sample(Key::new(seed))?;
        let seconds = begin.elapsed().as_secs_f64();
        let least = least_ess(&draws.values)?;
        told.push((least / seconds, least, seconds));
    }
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (_, ess, seconds) = told[told.len() / 2];
    let peak = super::machine::peak_bytes().unwrap_or(f64::NAN);
    println!("{}", json!({"seconds": seconds, "ess": ess, "peak_bytes": peak, "version": ""}));
    Ok(())
}

/// The least bulk effective sample size of all numbers.
pub(super) fn least_ess(values: &Record) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for (_, array) in values.arrays() {
        let sizes = ess(array, Ess::Bulk)?.to_vec::<f64>()?;
        least = sizes.into_iter().fold(least, f64::min);
    }
    Ok(least)
}

/// Runs a process and reads its two lines.
fn told(command: &mut Command) -> Result<Told, String> {
    let begin = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let Some(out) = child.stdout.take() else { return Err("no output".to_string()) };
    let (mut first, mut last) = (None, Value::Null);
    for line in BufReader::new(out).lines() {
        let line = line.map_err(|error| error.to_string())?;
        // Peers print what they like besides.
        let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
        if value["first"] == true {
            first = Some(begin.elapsed().as_secs_f64());
        } else if value["seconds"].is_number() {
            last = value;
        }
    }
    // What became of it is known from what it printed.
    let _ = child.wait();
    let number = |key: &str| last[key].as_f64().ok_or_else(|| format!("{command:?} failed"));
    Ok(Told {
        first: first.ok_or_else(|| format!("{command:?} failed"))?,
        seconds: number("seconds")?,
        ess: number("ess")?,
        peak_bytes: number("peak_bytes")?,
        version: last["version"].as_str().unwrap_or_default().to_string(),
    })
}

/// Measures all and prints the table; writes it into the folder as `inference-speed.md`.
pub fn main(python: &str, only: Option<&str>, docs: Option<&Path>) -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/peers/run_samplers.py");
    let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut rows, mut versions) = (String::new(), Vec::new());
    let (mut ratios, mut waits, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for name in POSTERIORS.iter().filter(|name| only.is_none_or(|text| name.contains(text))) {
        let ours = told(Command::new(&ourselves).args(["bench", "--inference-one", name]))?;
        let adapted = told(Command::new(&ourselves).args(["bench", "--nuts-rs-one", name]));
        let adapted = adapted.map_or(String::new(), |told| short(told.ess / told.seconds));
        let mut cells = vec![(*name).to_string(), short(ours.ess / ours.seconds)];
        let mut best: f64 = 0.0;
        let mut more = vec![short(ours.first)];
        let mut peaks = vec![short(ours.peak_bytes / 1e6)];
        for peer in PEERS {
            match told(Command::new(python).args([script, peer, name])) {
                Ok(theirs) => {
                    best = best.max(theirs.ess / theirs.seconds);
                    cells.push(short(theirs.ess / theirs.seconds));
                    more.push(short(theirs.first));
                    peaks.push(short(theirs.peak_bytes / 1e6));
                    if peer == "numpyro" {
                        waits.push(theirs.first / ours.first);
                        memory.push(theirs.peak_bytes / ours.peak_bytes);
                    }
                    if !versions.contains(&theirs.version) {
                        versions.push(theirs.version);
                    }
                }
                Err(error) => {
                    println!("{name}, {peer}: {error}");
                    for list in [&mut cells, &mut more, &mut peaks] {
                        list.push(String::new());
                    }
                }
            }
        }
        let ratio = ours.ess / ours.seconds / best;
        ratios.push((*name, ratio));
        cells.extend([short(ratio), adapted]);
        let line = format!("| {} |\n", [cells, more, peaks].concat().join(" | "));
        print!("{line}");
        rows += &line;
    }
    let mean = |list: &[f64]| geometric_mean(list.iter().copied()).map_or(String::new(), short);
    let all: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
    let below: Vec<String> = ratios
        .iter()
        .filter(|(_, ratio)| *ratio < 3.0)
        .map(|(name, ratio)| format!("{name} {}", short(*ratio)))
        .collect();
    let below = if below.is_empty() { "none".to_string() } else { below.join(", ") };
    let summary = format!(
        "- Effective draws a second, ours over the best of the others: geometric mean {}; below 3: \
         {below}\n- Start to first draws, NumPyro / ours: {} (target 10)\n- Memory, NumPyro / ours: \
         {} (target 5)\n",
        mean(&all),
        mean(&waits),
        mean(&memory),
    );
    println!("\n{summary}");
    if let Some(folder) = docs {
        let text = format!(
            "{PAGE}\n{}, {}, {}:\n\n    cargo xtask bench --inference python3 --docs docs\n\n\
             {HEAD}{rows}\n{summary}",
            date(),
            processor(),
            versions.join(", "),
        );
        let page = folder.join("inference-speed.md");
        std::fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()))?;
    }
    Ok(())
}

const PAGE: &str = "\
# Speed of inference

The no-U-turn sampler on real posteriors (`crates/posteriors`), four chains of 1,000 draws in `f64`,
on all cores, each in a process of its own: the least bulk effective sample size over all
parameters, by the second of wall time of a run with its warm-up; the seconds from the start of the
process to the first draws, with imports and compilation; and the largest memory of the process in
megabytes. Each library warms up as it advises: NumPyro and BlackJAX 1,000 steps, nutpie 400, ours
400. The seconds of a run are those of a second one with another seed, after compilation; ours are
medians of five. The column of nuts-rs, the sampler within nutpie, is that sampler on our compiled
densities, by the feature of that name: the rest of the difference to nutpie is the sampler's.
";

const HEAD: &str = "\
| posterior | ESS/s | NumPyro | BlackJAX | nutpie | ours / best | nuts-rs | start, s | NumPyro | BlackJAX | nutpie | MB | NumPyro | BlackJAX | nutpie |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
";
