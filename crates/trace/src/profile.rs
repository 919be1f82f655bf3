//! Where the time of a compiled function goes: what a profile says, and how it prints. Backends
//! measure, see [`crate::Executable::profile`].

use crate::types::{Loc, is_foreign};
use std::fmt;
use std::time::Duration;

/// The time of a compiled function by region: what was fused into one loop nest, a call of linear
/// algebra, a loop. Every time and number is of one call: a typical one of several. Prints
/// as a table.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The device that ran it.
    pub device: &'static str,
    /// How many calls were measured.
    pub calls: usize,
    /// What a call takes when it is not measured region by region.
    pub time: Duration,
    /// In the order of the program; a region inside of a loop comes after the loop.
    pub regions: Vec<Region>,
    /// Why it ran there, where that was left open.
    pub placement: Option<Placement>,
}

/// Where a program was put by who chose between devices, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The device.
    pub device: &'static str,
    /// What a call was guessed to take on the processor, with arguments and results in its memory.
    pub cpu: Option<Duration>,
    /// The same on the GPU, with the way there and back.
    pub gpu: Option<Duration>,
    /// What decided where the guesses did not.
    pub reason: Option<String>,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "put on the {}", self.device)?;
        if let (Some(cpu), Some(gpu)) = (self.cpu, self.gpu) {
            let (cpu, gpu) = (seconds(cpu.as_secs_f64()), seconds(gpu.as_secs_f64()));
            write!(f, ", by estimate {cpu} a call on the cpu, {gpu} on the gpu")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// A part of a program that is measured as one.
#[derive(Clone, Debug)]
pub struct Region {
    /// What kind of thing it is.
    pub kind: RegionKind,
    /// What it computes.
    pub name: String,
    /// The user's lines that it comes from; several where several operations were fused.
    pub lines: Vec<Loc>,
    /// The loop or branch that it is in, as an index of [`Profile::regions`].
    pub inside: Option<usize>,
    /// How often it ran in one call.
    pub runs: f64,
    /// The time that it took in one call, without what is inside of it.
    pub time: Duration,
    /// Bytes of arrays that one call read in it. Elements that are read twice by one run count
    /// once.
    pub read: f64,
    /// Bytes of arrays that one call wrote in it.
    pub written: f64,
}

/// What a region is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// What a call costs outside of the program: taking arguments, memory for results.
    Call,
    /// Fused operations, or one operation on the interpreter.
    Kernel,
    /// A library call: linear algebra, sorts, scatters, functions of the host.
    Library,
    /// A loop, without its body.
    Loop,
    /// A choice between statements, without them.
    Branch,
}

impl Profile {
    /// The time of all regions together. It differs a little from [`Profile::time`], for the
    /// clock keeps work of neighbouring regions apart.
    pub fn total(&self) -> Duration {
        self.regions.iter().map(|region| region.time).sum()
    }

    /// The part of the total time that a region took, between 0 and 1.
    pub fn share(&self, region: &Region) -> f64 {
        let total = self.total().as_secs_f64();
        if total > 0.0 { region.time.as_secs_f64() / total } else { 0.0 }
    }

    /// The time of a region with what is inside of it.
    pub fn inclusive(&self, index: usize) -> Duration {
        let inside = |mut k: usize| {
            loop {
                match self.regions[k].inside {
                    _ if k == index => return true,
                    Some(outer) if outer < k => k = outer,
                    _ => return false,
                }
            }
        };
        (0..self.regions.len()).filter(|&k| inside(k)).map(|k| self.regions[k].time).sum()
    }

    /// The regions, by time, the longest first.
    pub fn by_time(&self) -> Vec<&Region> {
        let mut regions: Vec<&Region> = self.regions.iter().collect();
        regions.sort_by_key(|region| std::cmp::Reverse(region.time));
        regions
    }
}

impl Region {
    /// Bytes read and written in a second, where there are any.
    pub fn bandwidth(&self) -> Option<f64> {
        let (bytes, time) = (self.read + self.written, self.time.as_secs_f64());
        (bytes > 0.0 && time > 0.0).then(|| bytes / time)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = if self.calls == 1 { "1 call" } else { &format!("{} calls", self.calls) };
        writeln!(
            f,
            "{} a call on the {}, of {calls}; {} with the regions apart",
            seconds(self.time.as_secs_f64()),
            self.device,
            seconds(self.total().as_secs_f64())
        )?;
        if let Some(placement) = &self.placement {
            writeln!(f, "{placement}")?;
        }
        let mut rows = vec![["time", "share", "runs", "read", "written", "GB/s"].map(String::from)];
        let mut texts = vec![("region".to_string(), "lines".to_string())];
        for region in self.by_time() {
            let blank = |bytes: f64| if bytes > 0.0 { size(bytes) } else { "-".to_string() };
            rows.push([
                seconds(region.time.as_secs_f64()),
                format!("{:.1} %", 100.0 * self.share(region)),
                count(region.runs),
                blank(region.read),
                blank(region.written),
                region.bandwidth().map_or("-".to_string(), |b| format!("{:.1}", b / 1e9)),
            ]);
            texts.push((region.name.clone(), lines(&region.lines)));
        }
        let width =
            |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or_default();
        let widths: [usize; 6] = std::array::from_fn(width);
        let name = texts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (row, (region, lines)) in rows.iter().zip(&texts) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line += &format!("{cell:>width$}  ");
            }
            line += &format!("{region:<name$}  {lines}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Three digits and a unit.
fn seconds(time: f64) -> String {
    let (value, unit) = match time {
        t if t >= 1.0 => (t, "s"),
        t if t >= 1e-3 => (t * 1e3, "ms"),
        t if t >= 1e-6 => (t * 1e6, "us"),
        t => (t * 1e9, "ns"),
    };
    format!("{} {unit}", digits(value))
}

fn size(bytes: f64) -> String {
    let (value, unit) = match bytes {
        b if b >= 1e9 => (b / 1e9, "GB"),
        b if b >= 1e6 => (b / 1e6, "MB"),
        b if b >= 1e3 => (b / 1e3, "kB"),
        b => return format!("{b:.0} B"),
    };
    format!("{} {unit}", digits(value))
}

fn digits(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn count(runs: f64) -> String {
    if runs.fract() == 0.0 { format!("{runs:.0}") } else { format!("{runs:.1}") }
}

/// The lines by file: `src/model.rs:12,14 src/main.rs:3`.
fn lines(locations: &[Loc]) -> String {
    /// More are counted rather than listed.
    const LISTED: usize = 6;
    let mut files: Vec<(&str, Vec<u32>)> = Vec::new();
    let mut more = 0;
    let mut listed = 0;
    let known = locations.iter().filter(|location| !is_foreign(location));
    let unknown = locations.iter().any(|location| is_foreign(location));
    for location in known {
        let at = match files.iter().position(|(file, _)| *file == location.file()) {
            Some(at) => at,
            None => {
                files.push((location.file(), Vec::new()));
                files.len() - 1
            }
        };
        let numbers = &mut files[at].1;
        if numbers.contains(&location.line()) {
            continue;
        }
        if listed == LISTED {
            more += 1;
        } else {
            numbers.push(location.line());
            listed += 1;
        }
    }
    let mut text: Vec<String> = Vec::new();
    for (file, mut numbers) in files {
        numbers.sort_unstable();
        if !numbers.is_empty() {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            text.push(format!("{file}:{}", numbers.join(",")));
        }
    }
    if unknown {
        text.push("an unknown line".to_string());
    }
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join(" ")
}
