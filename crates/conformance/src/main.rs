//! `conformance [--device interpreter|cpu|gpu] [--table] [family ...]`: prints a report per family
//! and device; the exit status is 1 if any case missed its tolerance. With `--table` it prints the
//! largest errors by operation instead, as Markdown.

#![forbid(unsafe_code)]

use probpipe::Device;
use probpipe_conformance::{FAMILIES, Report, directory, run, table};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut devices = vec![Device::Interpreter, Device::Cpu];
    let mut families = Vec::new();
    let mut tabled = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--device" {
            devices = match arguments.next().as_deref() {
                Some("interpreter") => vec![Device::Interpreter],
                Some("cpu") => vec![Device::Cpu],
                Some("gpu") => vec![Device::Gpu],
                other => return refuse(&format!("no device {other:?}")),
            };
        } else if argument == "--table" {
            tabled = true;
        } else if FAMILIES.contains(&&argument[..]) {
            families.push(argument);
        } else {
            return refuse(&format!("no family `{argument}`, but {FAMILIES:?}"));
        }
    }
    if families.is_empty() {
        // Another directory need not hold every family.
        let held = |f: &&&str| directory().join(format!("{f}.json")).exists();
        families = FAMILIES.iter().filter(held).map(|f| f.to_string()).collect();
        if families.is_empty() {
            return refuse(&format!("{} holds none of {FAMILIES:?}", directory().display()));
        }
    }
    let mut reports: Vec<Report> = Vec::new();
    for family in &families {
        for &device in &devices {
            if let Err(error) = device.check() {
                return refuse(&error.to_string());
            }
            match run(family, device) {
                Ok(report) => {
                    if !tabled {
                        print!("{report}");
                    }
                    reports.push(report);
                }
                Err(error) => return refuse(&error),
            }
        }
    }
    if tabled {
        print!("{}", table(&reports));
    }
    ExitCode::from(u8::from(reports.iter().any(|r| !r.failures.is_empty())))
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
