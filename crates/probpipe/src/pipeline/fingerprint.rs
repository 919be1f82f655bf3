//! What a run is, in lines of text: two runs with the same lines make the same draws. A run that is
//! taken up again is held against what was written when it began.

use super::columns::{Column, bytes};
use probpipe_trace::{Array, Key, Result, Rounding};

/// Lines `what: value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fingerprint {
    lines: Vec<(String, String)>,
}

/// What a fingerprint is of, besides numbers of its own.
pub(super) struct Facts<'a> {
    pub kernel: &'static str,
    pub warm_up: &'static str,
    pub device: String,
    pub rounding: Rounding,
    pub chains: usize,
    pub warmup: usize,
    pub draws: usize,
    pub thin: usize,
    pub key: &'a Key,
    pub plan: &'a [i32],
    pub columns: &'a [Column],
    /// The state of a chain at the start of the target.
    pub begun: &'a [Array],
    /// Where chains start, or the place around which they do.
    pub start: &'a Array,
    pub given: bool,
    /// Of the program of a block.
    pub text: u64,
}

impl Fingerprint {
    pub fn new(facts: &Facts<'_>) -> Result<Fingerprint> {
        let mut begun = Vec::new();
        for leaf in facts.begun {
            begun.extend_from_slice(leaf.ty()?.to_string().as_bytes());
            begun.extend(bytes(leaf)?);
        }
        let plan: Vec<u8> = facts.plan.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let key = facts.key;
        let columns = |column: &Column| format!("{} {}", column.path, column.ty);
        let columns: Vec<String> = facts.columns.iter().map(columns).collect();
        let line = |what: &str, value: String| (what.to_string(), value);
        Ok(Fingerprint {
            lines: vec![
                line("version of probpipe", env!("CARGO_PKG_VERSION").to_string()),
                line("kernel", facts.kernel.to_string()),
                line("warm-up", facts.warm_up.to_string()),
                line("device", facts.device.clone()),
                line("rounding", format!("{:?}", facts.rounding)),
                line("chains", facts.chains.to_string()),
                line("steps of warm-up", facts.warmup.to_string()),
                line("draws", facts.draws.to_string()),
                line("steps for each draw", facts.thin.to_string()),
                line("key", format!("{:?} {:?}", key.data().to_vec::<u32>()?, key.layout())),
                line("plan of the warm-up", format!("{:016x}", hash(&plan))),
                line("values", columns.join(", ")),
                line(
                    if facts.given { "starts of chains" } else { "start of the target" },
                    format!("{:016x}", hash(&bytes(facts.start)?)),
                ),
                line("density at the start", format!("{:016x}", hash(&begun))),
                line("program (model, data, kernel)", format!("{:016x}", facts.text)),
            ],
        })
    }

    /// As it is written.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(what, value)| format!("{what}: {value}\n")).collect()
    }

    /// What was written otherwise, and what is now in its place.
    pub fn differences(&self, written: &str) -> Vec<String> {
        let before = |what: &str| {
            let of =
                |line: &str| line.split_once(": ").map(|(a, b)| (a.to_string(), b.to_string()));
            written.lines().filter_map(of).find(|(other, _)| other == what)
        };
        let mut all = Vec::new();
        for (what, now) in &self.lines {
            match before(what) {
                Some((_, then)) if then == *now => {}
                Some((_, then)) => all.push(format!("{what}: {now}, not {then}")),
                None => all.push(format!("{what}: {now}, not known before")),
            }
        }
        all
    }
}

/// FNV-1a: for equality of what nobody forges.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
