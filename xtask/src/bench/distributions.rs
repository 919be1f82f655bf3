//! `cargo xtask bench --distributions PYTHON`: densities of many points, their gradients, and as
//! many draws, of each family here and in NumPyro, in turn in one run.

use super::machine::{date, processor};
use super::measure::median;
use super::show_program;
use super::table::{geometric_mean, short};
use probpipe::{Array, Key, grad, jit};
use probpipe_benches::distributions::{FAMILIES, Family};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Points and draws.
const POINTS: usize = 1_000_000;
/// What is measured.
const KINDS: [&str; 3] = ["log_prob", "gradient", "draws"];
/// Calls behind a median, and the least seconds.
const CALLS: usize = 5;
const SECONDS: f64 = 0.15;

/// NumPyro in a process of its own, which answers a family at a time.
struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    version: String,
}

impl Peer {
    fn start(python: &str) -> Result<Peer, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/peers/run_numpyro.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{python}: {e}"))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{python} has no input or output"));
        };
        let mut peer = Peer { child, to, from: BufReader::new(from), version: String::new() };
        peer.version = peer.answer()?["version"].as_str().unwrap_or("NumPyro").to_string();
        Ok(peer)
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).map_err(|e| e.to_string())?;
        if read == 0 {
            return Err("the peer ended: does its Python have NumPyro?".to_string());
        }
        serde_json::from_str(&line).map_err(|e| format!("the peer printed no JSON: {e}"))
    }

    /// Microseconds of each kind, or why there are none.
    fn measure(&mut self, family: &Family) -> Result<Result<[f64; 3], String>, String> {
        let number = |values: &[f64]| match *values {
            [value] => json!(value),
            _ => json!(values),
        };
        let params: serde_json::Map<String, Value> =
            family.params.iter().map(|(name, v)| (name.to_string(), number(v))).collect();
        let fixed: serde_json::Map<String, Value> =
            family.fixed.iter().map(|(name, v)| (name.to_string(), json!(v))).collect();
        let question = json!({
            "peer": family.peer,
            "params": params,
            "fixed": fixed,
            "discrete": family.discrete,
            "points": POINTS,
        });
        writeln!(self.to, "{question}")
            .and_then(|()| self.to.flush())
            .map_err(|e| e.to_string())?;
        let answer = self.answer()?;
        Ok(match answer["error"].as_str() {
            Some(error) => Err(error.to_string()),
            None => Ok(KINDS.map(|kind| answer[kind].as_f64().unwrap_or(f64::NAN))),
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The median time of a call.
fn microseconds(call: impl Fn() -> Vec<Array>) -> Result<f64, String> {
    let once = || -> Result<(), String> {
        call().iter().try_for_each(|a| a.value().map(drop)).map_err(|e| e.to_string())
    };
    once()?;
    let (mut samples, start) = (Vec::new(), Instant::now());
    while samples.len() < CALLS || start.elapsed().as_secs_f64() < SECONDS {
        let before = Instant::now();
        once()?;
        samples.push(before.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&mut samples))
}

/// The log density of points, which come after the parameters.
fn density(family: &Family, mut p: Vec<Array>) -> Array {
    let x = p.pop().unwrap_or_else(|| Array::from(f64::NAN));
    (family.log_prob)(&p, &x)
}

/// The gradient of the sum of that, of continuous families in the points too.
fn gradient(family: &Family, mut p: Vec<Array>) -> Vec<Array> {
    if !family.discrete {
        return grad(|p: Vec<Array>| density(family, p).sum())(p);
    }
    let x = p.pop();
    grad(|p: Vec<Array>| density(family, p.into_iter().chain(x.clone()).collect()).sum())(p)
}

fn points(family: &Family) -> Result<Array, String> {
    let draws = jit(|(p, key): (Vec<Array>, Key)| (family.sample)(&p, key, POINTS));
    draws((family.arguments(), Key::new(1))).checked().map_err(|e| e.to_string())
}

/// Our times of each kind.
fn measure(family: &Family) -> Result<[f64; 3], String> {
    let params = family.arguments();
    let inputs = [params.clone(), vec![points(family)?]].concat();
    let log_prob = jit(|p: Vec<Array>| density(family, p));
    let slopes = jit(|p: Vec<Array>| gradient(family, p));
    let draws = jit(|(p, key): (Vec<Array>, Key)| (family.sample)(&p, key, POINTS));
    Ok([
        microseconds(|| vec![log_prob(inputs.clone())])?,
        microseconds(|| slopes(inputs.clone()))?,
        microseconds(|| vec![draws((params.clone(), Key::new(0)))])?,
    ])
}

/// Prints what becomes of each kind on its way to native code, or where it spends its time.
pub fn show(only: Option<&str>, form: &str) -> Result<(), String> {
    for family in FAMILIES.iter().filter(|f| only.is_none_or(|text| f.name.contains(text))) {
        let params = family.arguments();
        let inputs = [params.clone(), vec![points(family)?]].concat();
        let name = |kind: &str| format!("{} {kind}", family.name);
        show_program(&name(KINDS[0]), |p| vec![density(family, p)], &inputs, form)?;
        show_program(&name(KINDS[1]), |p| gradient(family, p), &inputs, form)?;
        // The key is an argument too.
        let seeded = |mut p: Vec<Array>| {
            let seed = p.pop().unwrap_or_else(|| Array::from(f64::NAN));
            vec![(family.sample)(&p, Key::from_seed(seed), POINTS)]
        };
        let inputs = [params, vec![Array::from_slice(&[0u32], [])]].concat();
        show_program(&name(KINDS[2]), seeded, &inputs, form)?;
    }
    Ok(())
}

/// Measures all families and prints the table; writes it into the folder as
/// `distribution-speed.md`.
pub fn main(python: &str, only: Option<&str>, docs: Option<&Path>) -> Result<(), String> {
    let mut peer = Peer::start(python)?;
    let mut ratios: Vec<(String, f64)> = Vec::new();
    let mut rows = String::new();
    for family in FAMILIES.iter().filter(|f| only.is_none_or(|text| f.name.contains(text))) {
        let theirs = peer.measure(family)?;
        let ours = measure(family).map_err(|e| format!("{}: {e}", family.name))?;
        let mut cells = vec![family.name.to_string()];
        match theirs {
            Ok(theirs) => {
                for ((kind, ours), theirs) in KINDS.iter().zip(ours).zip(theirs) {
                    ratios.push((format!("{} {kind}", family.name), theirs / ours));
                    cells.extend([short(ours), short(theirs), short(theirs / ours)]);
                }
            }
            Err(error) => {
                println!("{}: {error}", family.name);
                cells.extend(ours.iter().flat_map(|&us| [short(us), "".into(), "".into()]));
            }
        }
        let line = format!("| {} |\n", cells.join(" | "));
        print!("{line}");
        rows += &line;
    }
    let mean = geometric_mean(ratios.iter().map(|(_, ratio)| *ratio)).unwrap_or(f64::NAN);
    let below: Vec<String> = ratios
        .iter()
        .filter(|(_, ratio)| *ratio < 1.0)
        .map(|(name, ratio)| format!("{name} {}", short(*ratio)))
        .collect();
    let below = if below.is_empty() { "none".to_string() } else { below.join(", ") };
    let summary = format!(
        "- Geometric mean of NumPyro / ours: {} (target 3)\n- Below 1: {below}\n",
        short(mean)
    );
    println!("\n{summary}");
    if let Some(folder) = docs {
        let text = format!(
            "{PAGE}\n{}, {}, {}:\n\n    cargo xtask bench --distributions python3 --docs docs\n\n\
             {HEAD}{rows}\n{summary}",
            date(),
            processor(),
            peer.version,
        );
        let page = folder.join("distribution-speed.md");
        std::fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()))?;
    }
    Ok(())
}

const PAGE: &str = "\
# Speed of distributions

Microseconds, medians, in `f32`, parameters as arguments of the compiled functions: the log density of
1,000,000 points, the gradient of its sum in all parameters and, of continuous families, in the
points, and 1,000,000 draws; ours, NumPyro's jitted in the same run right before, and NumPyro's over
ours.
";

const HEAD: &str = "\
| family | log_prob | NumPyro | ratio | gradient | NumPyro | ratio | draws | NumPyro | ratio |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
";
