//! The reference cases on the interpreter and the compiled CPU: none may miss its tolerance, and
//! no rule may be lost.

use probpipe::Device;
use probpipe_conformance::{KNOWN, run};

/// Cases with a rule, per family. Raise them as operations gain rules; never lower them.
const LEAST: [(&str, usize); 9] = [
    ("seeds", 20),
    ("rng", 832),
    ("ops", 1063),
    ("special", 62),
    ("edges", 56),
    ("programs", 68),
    ("distributions", 402),
    ("optim", 97),
    ("diagnostics", 21),
];

fn conforms(device: Device) {
    for (family, least) in LEAST {
        let report = run(family, device).unwrap_or_else(|e| panic!("{e}"));
        print!("{report}");
        assert!(report.failures.is_empty(), "{report}");
        // One case of each, so that an excuse covers nothing else.
        let excused = KNOWN.iter().filter(|k| (k.0, k.2) == (family, device)).count();
        assert!(report.known.len() <= excused, "{report}");
        // Another directory has as many cases as it likes.
        let own = std::env::var_os("PROBPIPE_GOLDEN").is_none();
        assert!(!own || report.ran() >= least, "{family}: {} of {least} cases ran", report.ran());
    }
}

#[test]
fn interpreter() {
    conforms(Device::Interpreter);
}

#[test]
fn cpu() {
    conforms(Device::Cpu);
}
