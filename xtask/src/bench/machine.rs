//! The machine that a run was made on: its name, the date, its limits, and the memory of a process.

use super::measure::Measured;
use probpipe::{DType, Device};
use probpipe_benches::{Limit, Workload, probes};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the machine can do at best.
pub struct Probes {
    pub threads: usize,
    /// Bytes per second of a large copy, read and written: of one thread, and of all.
    pub memcpy: [f64; 2],
    /// The same of the workload `chain` by hand: four arrays read and one written.
    pub chain: [f64; 2],
    /// Multiply-adds of `f64` by one thread, operations per second; of `f32`, twice as many.
    pub fma_f64: f64,
}

/// How a time compares with the limit of its workload.
#[derive(Clone, Copy, Debug)]
pub enum Share {
    /// The part of the bandwidth of a copy, by as many threads as copy fastest.
    Memory(f64),
    /// The part of the multiply-adds that all threads can do.
    Arithmetic(f64),
    /// How many microseconds it takes by hand, and how many times as long a program takes: as it is
    /// written, and contracted.
    ByHand { us: f64, times: f64, contracted: f64 },
}

/// Bytes of the arrays that are copied, several times what the caches hold.
const LARGE: usize = 256 << 20;

/// Bandwidths of a copy by one thread and by all.
fn memcpy(threads: usize) -> [f64; 2] {
    [1, threads].map(|n| probes::copy_bandwidth(LARGE, n))
}

impl Probes {
    pub fn measure() -> Probes {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Probes {
            threads,
            memcpy: memcpy(threads),
            chain: [1, threads].map(|n| probes::chain_bandwidth(10_000_000, n)),
            fma_f64: probes::fma_peak_f64(),
        }
    }

    /// How near to its limit a workload came.
    pub fn share(&self, workload: &Workload, device: Device, measured: &Measured) -> Option<Share> {
        let seconds = measured.us * 1e-6;
        let fma = if workload.dtype == DType::F64 { self.fma_f64 } else { 2.0 * self.fma_f64 };
        match workload.limit {
            _ if device != Device::Cpu => None,
            Limit::None => None,
            // Once more, as other work on the machine comes and goes.
            Limit::Memory(bytes) => {
                let [one, all] = memcpy(self.threads);
                Some(Share::Memory(bytes / seconds / one.max(all)))
            }
            Limit::Arithmetic(operations) => {
                Some(Share::Arithmetic(operations / seconds / (fma * self.threads as f64)))
            }
            Limit::ByHand(_) => {
                let us = measured.by_hand_us?;
                Some(Share::ByHand {
                    us: us / workload.repeats as f64,
                    times: measured.us / us,
                    contracted: measured.contracted_us? / us,
                })
            }
        }
    }
}

/// The processor's kind and widest vector instructions, as Linux says. Virtual machines cut the
/// name short, so family and model, which tell what it is made of, are part of it.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    kind(&info)
}

fn kind(info: &str) -> String {
    let field = |name: &str| {
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(n, _)| n.trim() == name).map(|(_, value)| value.trim().to_string())
    };
    let mut name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    if let (Some(family), Some(model)) = (field("cpu family"), field("model")) {
        name = format!("{name}, family {family} model {model}");
    }
    let flags = field("flags").unwrap_or_default();
    let has = |flag: &str| flags.split(' ').any(|f| f == flag);
    match (has("avx512f"), has("avx2")) {
        (true, _) => format!("{name} (AVX-512)"),
        (false, true) => format!("{name} (AVX2)"),
        (false, false) => name,
    }
}

/// Today in UTC, `YYYY-MM-DD`.
pub fn date() -> String {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let days = elapsed.as_secs() / 86_400;
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}

/// The most memory that this process has had.
pub fn peak_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0)
}

/// Runs the workloads on the CPU, each called twice, and prints the most memory in use.
pub fn run_for_peak<'a>(workloads: impl Iterator<Item = &'a Workload>) -> Result<(), String> {
    for workload in workloads {
        let call = probpipe::jit_on(Device::Cpu, |x| workload.run(x));
        let inputs = workload.inputs();
        for _ in 0..2 {
            for output in call(inputs.clone()) {
                output.value().map_err(|e| format!("{}: {e}", workload.name))?;
            }
        }
    }
    println!("{}", peak_bytes().ok_or("this system does not say how much memory was in use")?);
    Ok(())
}

/// [`run_for_peak`] in a process of its own, of all workloads that the text picks or of the one of
/// this name; nothing where the system does not say.
pub fn peak_of_child(pick: Pick<'_>) -> Result<Option<f64>, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["bench", "--peak"]);
    match pick {
        Pick::All => {}
        Pick::Containing(text) => drop(command.args(["--only", text])),
        Pick::Named(name) => drop(command.args(["--only", name, "--exact"])),
    }
    let output = command.output().map_err(|e| format!("the bench does not start itself: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// Which workloads.
pub enum Pick<'a> {
    All,
    Containing(&'a str),
    Named(&'a str),
}

#[cfg(test)]
mod tests {
    #[test]
    fn kinds_of_processors() {
        let amd = "processor\t: 0\nmodel\t\t: 2\ncpu family\t: 26\nmodel name\t: AMD EPYC\n\
                   flags\t\t: fpu avx2 avx512f\n";
        assert_eq!(super::kind(amd), "AMD EPYC, family 26 model 2 (AVX-512)");
        assert_eq!(super::kind(""), std::env::consts::ARCH);
    }
}
