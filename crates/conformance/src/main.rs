//! `conformance [--device interpreter|cpu|gpu] [family ...]`: prints a report per family and
//! device; the exit status is 1 if any case missed its tolerance.

#![forbid(unsafe_code)]

use probpipe::Device;
use probpipe_conformance::{FAMILIES, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut devices = vec![Device::Interpreter, Device::Cpu];
    let mut families = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--device" {
            devices = match arguments.next().as_deref() {
                Some("interpreter") => vec![Device::Interpreter],
                Some("cpu") => vec![Device::Cpu],
                Some("gpu") => vec![Device::Gpu],
                other => return refuse(&format!("no device {other:?}")),
            };
        } else if FAMILIES.contains(&&argument[..]) {
            families.push(argument);
        } else {
            return refuse(&format!("no family `{argument}`, but {FAMILIES:?}"));
        }
    }
    if families.is_empty() {
        families = FAMILIES.iter().map(|f| f.to_string()).collect();
    }
    let mut failed = false;
    for device in devices {
        if let Err(error) = device.check() {
            return refuse(&error.to_string());
        }
        for family in &families {
            match run(family, device) {
                Ok(report) => {
                    print!("{report}");
                    failed |= !report.failures.is_empty();
                }
                Err(error) => return refuse(&error),
            }
        }
    }
    ExitCode::from(u8::from(failed))
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
