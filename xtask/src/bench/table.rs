//! What a run found, for reading and for programs.

use super::machine::{Probes, Share, date, processor};
use super::name_of;
use probpipe::Device;
use probpipe_benches::{
    BY_HAND_TARGET, CONTRACTED_TARGET, MEAN_TARGET, MEMORY_TARGET, PEAK_TARGET, Workload,
};
use serde_json::{Value, json};

/// One program on one device.
pub struct Row {
    pub workload: &'static Workload,
    pub device: Device,
    /// Microseconds per call or, for a posterior, per gradient.
    pub us: f64,
    pub compile_ms: f64,
    pub jax_us: Option<f64>,
    pub jax_compile_ms: Option<f64>,
    /// The most memory of a process that runs this alone.
    pub peak_bytes: Option<f64>,
    pub jax_peak_bytes: Option<f64>,
    /// How near to the limit of the workload.
    pub share: Option<Share>,
    /// Largest difference from the reference, relative to its largest number; none of what is
    /// compared with nothing.
    pub max_diff: Option<f64>,
}

impl Row {
    /// How many times faster than JAX.
    pub fn ratio(&self) -> Option<f64> {
        self.jax_us.map(|jax| jax / self.us)
    }

    fn compile_ratio(&self) -> Option<f64> {
        self.jax_compile_ms.map(|jax| jax / self.compile_ms)
    }

    /// What misses its target: nothing is asked of other devices than the CPU.
    pub fn misses(&self) -> Vec<String> {
        if self.device != Device::Cpu {
            return Vec::new();
        }
        let mut misses = Vec::new();
        let mut below = |what: &str, have: Option<f64>, target: f64| {
            if let Some(have) = have.filter(|&have| have < target) {
                misses.push(format!("{what} {} of {}", short(have), short(target)));
            }
        };
        below("ratio", self.ratio(), self.workload.target);
        below("compile ratio", self.compile_ratio(), self.workload.compile_target);
        match self.share {
            Some(Share::Memory(part)) if part < MEMORY_TARGET => {
                misses.push(format!("{:.0} % of memcpy, not {:.0}", part * 100.0, 85.0));
            }
            Some(Share::ByHand { times, contracted, .. }) => {
                let asked =
                    [("", times, BY_HAND_TARGET), ("contracted ", contracted, CONTRACTED_TARGET)];
                for (what, times, target) in asked.into_iter().filter(|asked| asked.1 > asked.2) {
                    misses.push(format!("{what}{}x by hand, not {target}", short(times)));
                }
            }
            Some(Share::Memory(_) | Share::Arithmetic(_)) | None => {}
        }
        misses
    }

    /// One line while the run goes on.
    pub fn line(&self) -> String {
        let ratio = self.ratio().map_or_else(String::new, |r| format!("{:>7} x", short(r)));
        let share = self.share.map_or_else(String::new, |s| s.to_string());
        let (name, device) = (self.workload.name, name_of(self.device));
        let misses = if self.misses().is_empty() { "" } else { "  misses" };
        format!(
            "{name:22} {device:11} {:12.3} us {ratio:10} {:8.3} ms  {share}{misses}",
            self.us, self.compile_ms
        )
    }

    fn json(&self) -> Value {
        json!({
            "name": self.workload.name,
            "device": name_of(self.device),
            "ours_us": self.us,
            "jax_us": self.jax_us,
            "jax_ratio": self.ratio(),
            "target": self.workload.target,
            "compile_ms": self.compile_ms,
            "jax_compile_ms": self.jax_compile_ms,
            "compile_target": self.workload.compile_target,
            "peak_bytes": self.peak_bytes,
            "jax_peak_bytes": self.jax_peak_bytes,
            "by_hand_us": match self.share { Some(Share::ByHand { us, .. }) => Some(us), _ => None },
            "contracted_us": match self.share {
                Some(Share::ByHand { us, contracted, .. }) => Some(us * contracted),
                _ => None,
            },
            "part_of_memcpy": match self.share { Some(Share::Memory(p)) => Some(p), _ => None },
            "part_of_fma": match self.share { Some(Share::Arithmetic(p)) => Some(p), _ => None },
            "max_diff": self.max_diff,
            "misses": self.misses(),
        })
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Share::Memory(part) => write!(f, "{:.0} % of memcpy", part * 100.0),
            Share::Arithmetic(part) => write!(f, "{:.0} % of FMA peak", part * 100.0),
            Share::ByHand { us, times, contracted } => {
                let [times, contracted, us] = [times, contracted, us].map(|v| short(*v));
                write!(f, "{times}x by hand ({us} us), contracted {contracted}x")
            }
        }
    }
}

impl std::fmt::Display for Probes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [copy, copies] = self.memcpy.map(|v| short(v * 1e-9));
        let [chain, chains] = self.chain.map(|v| short(v * 1e-9));
        let [f32, f64] = [2.0 * self.fma_f64, self.fma_f64].map(|v| short(v * 1e-9));
        write!(
            f,
            "Limits of this machine: a copy of 256 MiB reads and writes {copy} GB/s with one \
             thread and {copies} GB/s with {threads}; `chain_1e7` by hand {chain} and {chains} \
             GB/s; multiply-adds in registers reach {f32} Gflop/s in f32 and {f64} in f64 on one \
             thread.",
            threads = self.threads,
        )
    }
}

/// The text of a row in one column.
type Column = Box<dyn Fn(&Row) -> String>;

/// A whole run.
pub struct Report {
    pub rows: Vec<Row>,
    pub probes: Probes,
    /// The most memory of one process that runs all workloads on the CPU.
    pub peak_bytes: Option<f64>,
    /// JAX's version and cores.
    pub jax: Option<String>,
    pub command: String,
}

impl Report {
    fn on_cpu(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|r| r.device == Device::Cpu)
    }

    /// The geometric mean of the CPU's ratios.
    fn mean(&self) -> Option<f64> {
        geometric_mean(self.on_cpu().filter_map(Row::ratio))
    }

    /// The most memory of JAX's processes, of which each runs one workload.
    fn jax_peak_bytes(&self) -> Option<f64> {
        self.rows.iter().filter_map(|r| r.jax_peak_bytes).reduce(f64::max)
    }

    /// For programs; null where JAX was not asked.
    pub fn json(&self) -> String {
        let probes = json!({
            "threads": self.probes.threads,
            "memcpy_bytes_per_s": self.probes.memcpy,
            "chain_bytes_per_s": self.probes.chain,
            "fma_f64_per_s": self.probes.fma_f64,
        });
        let report = json!({
            "date": date(),
            "processor": processor(),
            "probes": probes,
            "geometric_mean": self.mean(),
            "peak_bytes": self.peak_bytes,
            "jax_peak_bytes": self.jax_peak_bytes(),
            "jax": self.jax,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }

    /// The table and what the run says as a whole, in Markdown.
    pub fn markdown(&self) -> String {
        let jax = self.rows.iter().any(|r| r.jax_us.is_some());
        let devices = self.rows.iter().any(|r| r.device != Device::Cpu);
        let mut columns: Vec<(&str, Column)> =
            vec![("program", Box::new(|r| r.workload.name.into()))];
        let cell = |v: Option<f64>| v.map_or_else(String::new, short);
        if devices {
            columns.push(("device", Box::new(|r| name_of(r.device).into())));
        }
        columns.push(("time, us", Box::new(|r| short(r.us))));
        if jax {
            columns.push(("JAX, us", Box::new(move |r| cell(r.jax_us))));
            columns.push(("JAX / ours", Box::new(move |r| cell(r.ratio()))));
            columns.push(("target", Box::new(|r| short(r.workload.target))));
        }
        let share = |r: &Row| r.share.map_or_else(String::new, |s| s.to_string());
        columns.push(("of the limit", Box::new(share)));
        columns.push(("compile, ms", Box::new(|r| short(r.compile_ms))));
        if jax {
            columns.push(("JAX compile, ms", Box::new(move |r| cell(r.jax_compile_ms))));
            columns.push(("JAX / ours", Box::new(move |r| cell(r.compile_ratio()))));
        }
        let difference = |r: &Row| r.max_diff.map_or_else(String::new, |d| format!("{d:.0e}"));
        columns.push(("worst difference", Box::new(difference)));
        columns.push(("misses", Box::new(|r| r.misses().join("; "))));

        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(columns.iter().map(|(name, _)| (*name).into()).collect());
        let left = ["program", "device", "of the limit", "misses"];
        let rule = |name: &&str| if left.contains(name) { "---" } else { "--:" };
        text += &line(columns.iter().map(|(name, _)| rule(name).into()).collect());
        for row in &self.rows {
            text += &line(columns.iter().map(|(_, of)| of(row)).collect());
        }
        text + "\n" + &self.summary()
    }

    fn summary(&self) -> String {
        let mut lines = Vec::new();
        let verdict = |met: bool| if met { "met" } else { "missed" };
        if let Some(mean) = self.mean() {
            let met = verdict(mean >= MEAN_TARGET);
            let (mean, target) = (short(mean), short(MEAN_TARGET));
            lines.push(format!("- Geometric mean of JAX / ours: {mean} (target {target}: {met})"));
        }
        let on_cpu: Vec<&Row> = self.on_cpu().collect();
        let missed = on_cpu.iter().filter(|r| !r.misses().is_empty()).count();
        lines.push(format!(
            "- Rows that meet every target: {} of {}",
            on_cpu.len() - missed,
            on_cpu.len()
        ));
        let mib = |bytes: f64| format!("{:.0} MiB", bytes / f64::from(1 << 20));
        match (self.peak_bytes, self.jax_peak_bytes()) {
            (Some(ours), Some(jax)) => {
                let ratio = jax / ours;
                lines.push(format!(
                    "- Peak memory: {} of one process that runs every row, {} of the largest of \
                     JAX's, each of one row; JAX / ours {} (target {}: {})",
                    mib(ours),
                    mib(jax),
                    short(ratio),
                    short(PEAK_TARGET),
                    verdict(ratio >= PEAK_TARGET),
                ));
                lines.extend(self.peaks_by_row());
            }
            (Some(ours), None) => {
                lines
                    .push(format!("- Peak memory of a process that runs every row: {}", mib(ours)));
            }
            (None, _) => {}
        }
        lines.push(format!("- {}", self.probes));
        lines.join("\n") + "\n"
    }

    /// Peak memory of row against row, each in a process of its own.
    fn peaks_by_row(&self) -> Option<String> {
        let ratios = || self.on_cpu().filter_map(|r| Some((r, r.jax_peak_bytes? / r.peak_bytes?)));
        let mean = geometric_mean(ratios().map(|(_, ratio)| ratio))?;
        let (row, least) = ratios().min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(format!(
            "- Peak memory row by row, each in a process of its own: JAX / ours {} in the geometric \
             mean, at least {} ({})",
            short(mean),
            short(least),
            row.workload.name,
        ))
    }
}

/// The mean of the logarithms as a ratio; none of no numbers.
pub fn geometric_mean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// Three digits are what the measurement is worth.
pub fn short(v: f64) -> String {
    match v {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}
