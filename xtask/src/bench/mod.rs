//! `cargo xtask bench`: every workload on the CPU and, if asked, on JAX, the GPU and the
//! interpreter, in one run, beside what the machine can do at best.

mod chart;
mod crossover;
mod distributions;
mod inference;
mod machine;
mod measure;
mod nuts_rs;
mod page;
mod peer;
mod scaling;
mod table;
mod threads;

use clap::ValueEnum;
use machine::{Pick, Probes};
use peer::Peer;
use probpipe::{Array, Device};
use probpipe_benches::{WORKLOADS, Workload};
use std::path::PathBuf;
use table::{Report, Row};

/// What the command line asks for.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Also run every workload in JAX, with this Python: each in a process of its own, right
    /// before ours.
    #[arg(long, value_name = "PYTHON")]
    jax: Option<String>,
    /// Only the workloads whose names contain this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// With `--only`: the workload of this name alone.
    #[arg(long, hide = true, requires = "only")]
    exact: bool,
    /// Where to run ours.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "cpu")]
    devices: Vec<On>,
    /// Write the figures for other programs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the page of the documentation and its chart into this folder: `speed.md` and
    /// `speed-PROCESSOR.svg`, or with `--scaling` `scaling.md` and `scaling.svg`.
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
    /// Measure time against size instead: elements of a chain, steps of a loop, parameters of a
    /// gradient.
    #[arg(long, conflicts_with_all = ["jax", "only", "devices", "json"])]
    scaling: bool,
    /// Measure from which size on the GPU is faster than the CPU instead, with arguments that lie
    /// there and with the way there and back.
    #[arg(long, conflicts_with_all = ["jax", "only", "devices", "json", "scaling"])]
    crossover: bool,
    /// Measure families of distributions against NumPyro instead, with this Python.
    #[arg(long, value_name = "PYTHON", conflicts_with_all = ["jax", "devices", "json", "scaling"])]
    distributions: Option<String>,
    /// Measure whole runs of the no-U-turn sampler against NumPyro, BlackJAX and nutpie instead,
    /// with this Python.
    #[arg(long, value_name = "PYTHON", conflicts_with_all = ["jax", "devices", "json", "scaling"])]
    inference: Option<String>,
    /// The part of that which is ours, of one posterior: a process of the bench itself.
    #[arg(long, hide = true)]
    inference_one: Option<String>,
    /// The same by the sampler of nuts-rs.
    #[arg(long, hide = true)]
    nuts_rs_one: Option<String>,
    /// Measure several threads against one instead, on the machine as it is and beside a busy loop.
    #[arg(long, conflicts_with_all = ["jax", "only", "devices", "json", "docs", "scaling"])]
    threads: bool,
    /// Print a form of every workload on the CPU instead of measuring: `traced`, `simplified`,
    /// `program`, `clif` or `machine`; or its `profile`, the time of each fused region. With
    /// `--distributions` those of families.
    #[arg(long, value_name = "FORM", conflicts_with_all = ["jax", "devices", "json", "docs"])]
    show: Option<String>,
    /// Run every workload twice on the CPU and print the largest memory in use: a process of the
    /// bench itself.
    #[arg(long, hide = true)]
    peak: bool,
}

/// A device by its name on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum On {
    Cpu,
    Gpu,
    Interpreter,
}

impl On {
    fn device(self) -> Device {
        match self {
            On::Cpu => Device::Cpu,
            On::Gpu => Device::Gpu,
            On::Interpreter => Device::Interpreter,
        }
    }
}

pub fn name_of(device: Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Gpu => "gpu",
        Device::Auto => "auto",
        Device::Interpreter => "interpreter",
    }
}

impl Options {
    fn workloads(&self) -> impl Iterator<Item = &'static Workload> {
        WORKLOADS.iter().filter(|w| match &self.only {
            Some(name) if self.exact => w.name == name,
            Some(text) => w.name.contains(text.as_str()),
            None => true,
        })
    }

    /// The devices that are there.
    fn devices(&self) -> Vec<Device> {
        let mut devices: Vec<Device> = self.devices.iter().map(|on| on.device()).collect();
        devices.retain(|&device| match device.check() {
            Ok(()) => true,
            Err(error) => {
                println!("SKIP {}: {error}", name_of(device));
                false
            }
        });
        devices
    }

    /// The command that a reader types for the same page.
    fn command(&self) -> String {
        let jax = if self.jax.is_some() { " --jax python3" } else { "" };
        let only = self.only.as_ref().map_or_else(String::new, |text| format!(" --only {text}"));
        let scaling = if self.scaling { " --scaling" } else { "" };
        let crossover = if self.crossover { " --crossover" } else { "" };
        format!("cargo xtask bench{scaling}{crossover}{jax}{only} --docs docs")
    }
}

pub fn main(options: &Options) -> Result<(), String> {
    if let Some(name) = &options.inference_one {
        return inference::one(name);
    }
    if let Some(name) = &options.nuts_rs_one {
        return nuts_rs::one(name);
    }
    if let Some(python) = &options.inference {
        return inference::main(python, options.only.as_deref(), options.docs.as_deref());
    }
    if let Some(python) = &options.distributions {
        if let Some(form) = &options.show {
            return distributions::show(options.only.as_deref(), form);
        }
        return distributions::main(python, options.only.as_deref(), options.docs.as_deref());
    }
    if options.workloads().next().is_none() {
        let text = options.only.as_deref().unwrap_or_default();
        return Err(format!("no workload's name contains `{text}`"));
    }
    if options.peak {
        return machine::run_for_peak(options.workloads());
    }
    if options.threads {
        return threads::main();
    }
    if options.scaling {
        return scaling::main(options.docs.as_deref(), &options.command());
    }
    if options.crossover {
        return crossover::main(options.docs.as_deref(), &options.command());
    }
    if let Some(form) = &options.show {
        return options.workloads().try_for_each(|workload| show(workload, form));
    }
    let probes = Probes::measure();
    println!("{probes}\n");
    let devices = options.devices();
    let mut rows = Vec::new();
    let mut jax = None;
    for workload in options.workloads() {
        let peer = match &options.jax {
            Some(python) => Some(peer::run(python, workload.name)?),
            None => None,
        };
        jax = jax.or(peer.as_ref().map(|p| p.version.clone()));
        rows.extend(measure_workload(workload, &devices, &probes, peer)?);
    }
    let pick = options.only.as_deref().map_or(Pick::All, Pick::Containing);
    let peak_bytes = machine::peak_of_child(pick)?;
    let report = Report { rows, probes, peak_bytes, jax, command: options.command() };
    println!("\n{}", report.markdown());
    let written = |path: &std::path::Path, text: String| {
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    if let Some(path) = &options.json {
        written(path, report.json())?;
    }
    if let Some(folder) = &options.docs {
        let page = folder.join("speed.md");
        let before = std::fs::read_to_string(&page).unwrap_or_default();
        written(&page, page::page(&report, &before))?;
        if options.jax.is_some() {
            let name = page::chart(&machine::processor());
            chart::ratios(&report.rows).save(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Prints what a workload is on its way to native code, or where that spends its time.
fn show(workload: &Workload, form: &str) -> Result<(), String> {
    show_program(workload.name, |x| workload.run(x), &workload.inputs(), form)
}

/// The same of any function.
fn show_program(
    name: &str,
    run: impl Fn(Vec<Array>) -> Vec<Array>,
    inputs: &Vec<Array>,
    form: &str,
) -> Result<(), String> {
    if form == "profile" {
        let profile = probpipe::profile(run, inputs);
        println!("== {name}\n{}", profile.map_err(|e| e.to_string())?);
        return Ok(());
    }
    let stages = probpipe::stages_of(run, inputs).map_err(|e| format!("{name}: {e}"))?;
    let Some((_, text)) = stages.iter().find(|(stage, _)| *stage == form) else {
        let names: Vec<&str> = stages.iter().map(|(stage, _)| *stage).collect();
        return Err(format!("there is no form `{form}`: take {} or profile", names.join(", ")));
    };
    println!("== {name}\n{text}");
    Ok(())
}

/// One row per device; differences are to JAX, or else to the interpreter, or else to the CPU.
fn measure_workload(
    workload: &'static Workload,
    devices: &[Device],
    probes: &Probes,
    peer: Option<Peer>,
) -> Result<Vec<Row>, String> {
    let units = workload.repeats as f64;
    let mut rows: Vec<(Row, Vec<Vec<f64>>)> = Vec::new();
    for &device in devices {
        if workload.heavy && device == Device::Interpreter {
            continue;
        }
        let measured = match measure::measure(workload, device) {
            Ok(measured) => measured,
            Err(error) => {
                let reason = error.lines().next().unwrap_or_default();
                println!("{:22} {:11} {reason}", workload.name, name_of(device));
                continue;
            }
        };
        let peak_bytes = match device {
            Device::Cpu => machine::peak_of_child(Pick::Named(workload.name))?,
            Device::Gpu | Device::Auto | Device::Interpreter => None,
        };
        let row = Row {
            workload,
            device,
            us: measured.us / units,
            compile_ms: measured.compile_ms,
            jax_us: peer.as_ref().map(|p| p.us / units),
            jax_compile_ms: peer.as_ref().map(|p| p.compile_ms),
            peak_bytes,
            jax_peak_bytes: peer.as_ref().map(|p| p.peak_bytes),
            share: probes.share(workload, device, &measured),
            max_diff: None,
        };
        println!("{}", row.line());
        rows.push((row, measured.outputs));
    }
    // What others are compared with is compared with nothing.
    let of = |device| rows.iter().position(|(row, _)| row.device == device);
    let own = of(Device::Interpreter).or(of(Device::Cpu)).filter(|_| peer.is_none());
    let reference = peer.map(|p| p.outputs).or(own.map(|i| rows[i].1.clone()));
    let with_difference = |(i, (row, outputs)): (usize, (Row, Vec<Vec<f64>>))| {
        let other = reference.as_ref().filter(|_| own != Some(i));
        let max_diff = other.map(|reference| measure::difference(reference, &outputs));
        Row { max_diff, ..row }
    };
    Ok(rows.into_iter().enumerate().map(with_difference).collect())
}
