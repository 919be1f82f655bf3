//! `cargo xtask bench --scaling`: time against size. What it should show is that there is no cliff:
//! no size at which a unit of work suddenly costs more, but where caches end.

use super::chart::{self, Curve};
use super::machine::{date, processor};
use super::measure::per_call;
use super::table::short;
use probpipe::prelude::*;
use probpipe_benches::scaling::{self, Sized};
use std::path::Path;
use std::time::Duration;

/// Measures all, prints the table, and writes the page and the chart into the folder.
pub fn main(docs: Option<&Path>, command: &str) -> Result<(), String> {
    let mut curves = Vec::new();
    for work in scaling::ALL {
        let mut points = Vec::new();
        for power in 1..=work.largest_power {
            for lead in if power < work.largest_power { &[1usize, 3][..] } else { &[1] } {
                let n = lead * 10usize.pow(power);
                let us = measure(work, n)?;
                println!(
                    "{:28} {n:>10} {:>12} us {:>10} ns per unit",
                    work.name,
                    short(us),
                    short(us * 1e3 / n as f64)
                );
                points.push((n as f64, us * 1e3 / n as f64));
            }
        }
        curves.push(Curve { label: work.name, points });
    }
    if let Some(folder) = docs {
        let page = folder.join("scaling.md");
        std::fs::write(&page, self::page(&curves, command))
            .map_err(|e| format!("{}: {e}", page.display()))?;
        let title = "Time per unit of work against size, on the CPU";
        chart::curves(title, "ns per unit, logarithmic", &curves)
            .save(&folder.join("scaling.svg"))?;
    }
    Ok(())
}

/// Microseconds per call.
fn measure(work: &Sized, n: usize) -> Result<f64, String> {
    let call = jit(|x: Vec<Array>| (work.function)(n, x));
    let arguments = (work.inputs)(n);
    let once = |_| {
        let output = call(arguments.clone());
        output.value().map(|_| ()).map_err(|e| format!("{} at {n}: {e}", work.name))
    };
    per_call(Duration::from_millis(5), |calls| (0..calls).try_for_each(once))
}

fn page(curves: &[Curve], command: &str) -> String {
    let mut text = format!(
        "# Time against size\n\nNanoseconds per element of a chain of arithmetic on four arrays, per \
         step of a loop that keeps\nevery carry, and per parameter of the gradient of a sum of \
         logistic terms, `f32`; medians. The time\nof a call is spread over few units where the \
         size is small. The programs are in\n`benches/src/scaling.rs`; this page is written by the \
         command below.\n\n{}, {} with {} threads:\n\n    {command}\n\n\
         ![Time per unit of work against size](scaling.svg)\n\n",
        date(),
        processor(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    text += "| size |";
    for curve in curves {
        text += &format!(" {}, ns |", curve.label);
    }
    text += &format!("\n|--:|{}\n", "--:|".repeat(curves.len()));
    let mut sizes: Vec<f64> = curves.iter().flat_map(|c| &c.points).map(|p| p.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        text += &format!("| {size:.0} |");
        for curve in curves {
            let at = curve.points.iter().find(|p| p.0 == size);
            text += &format!(" {} |", at.map_or_else(String::new, |p| short(p.1)));
        }
        text += "\n";
    }
    text
}
