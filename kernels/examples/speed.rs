//! Prints nanoseconds per element of every kernel, per instruction set and against `libm`/std.
#[path = "../tests/support/mod.rs"]
mod support;

use probpipe_kernels::{BinaryKernel, Isa, KernelTable, ReduceKernel, UnaryKernel, table_for};
use std::hint::black_box;
use std::time::Instant;
use support::Real;

/// The tile length that compiled programs use.
const TILE: usize = 512;

/// The best of several timings, in nanoseconds per element.
fn time(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let start = Instant::now();
        for _ in 0..100 {
            work();
        }
        best = best.min(start.elapsed().as_secs_f64() / (100 * TILE) as f64);
    }
    best * 1e9
}

/// Arguments spread over the interesting part of the domain.
fn arguments<T: Real>(low: f64, high: f64) -> Vec<T> {
    let step = (high - low) / TILE as f64;
    (0..TILE).map(|i| T::from_f64(low + step * ((i * 197 % TILE) as f64 + 0.5))).collect()
}

/// The scalar library's version of a function, if there is one.
type Yardstick = Option<fn(f64) -> f64>;

/// Where a function is timed, and its yardstick.
fn row(name: &str) -> ((f64, f64), Yardstick) {
    match name {
        "exp" => ((-10.0, 10.0), Some(f64::exp)),
        "expm1" => ((-10.0, 10.0), Some(f64::exp_m1)),
        "log" => ((0.01, 20.0), Some(f64::ln)),
        "log2" => ((0.01, 20.0), Some(f64::log2)),
        "log1p" => ((-1.0, 1.0), Some(f64::ln_1p)),
        "sin" => ((-10.0, 10.0), Some(f64::sin)),
        "cos" => ((-10.0, 10.0), Some(f64::cos)),
        "tan" => ((-10.0, 10.0), Some(f64::tan)),
        "asin" => ((-1.0, 1.0), Some(f64::asin)),
        "acos" => ((-1.0, 1.0), Some(f64::acos)),
        "atan" => ((-10.0, 10.0), Some(f64::atan)),
        "sinh" => ((-10.0, 10.0), Some(f64::sinh)),
        "cosh" => ((-10.0, 10.0), Some(f64::cosh)),
        "tanh" => ((-10.0, 10.0), Some(f64::tanh)),
        "asinh" => ((-10.0, 10.0), Some(libm::asinh)),
        "acosh" => ((1.0, 20.0), Some(libm::acosh)),
        "atanh" => ((-1.0, 1.0), Some(libm::atanh)),
        "erf" => ((-10.0, 10.0), Some(libm::erf)),
        "erfc" => ((-10.0, 10.0), Some(libm::erfc)),
        "erf_inv" => ((-1.0, 1.0), None),
        "lgamma" => ((0.01, 20.0), Some(libm::lgamma)),
        "digamma" => ((0.01, 20.0), Some(probpipe_special::digamma)),
        // Positive arguments, which every function has a value at.
        _ => ((0.01, 20.0), None),
    }
}

fn unary<T: Real>(table: &KernelTable, kernel: UnaryKernel) -> f64 {
    let ((low, high), _) = row(kernel.name());
    let src = arguments::<T>(low, high);
    let mut dst = vec![T::default(); TILE];
    time(|| {
        T::unary(table, kernel, &mut dst, black_box(&src));
        black_box(&mut dst);
    })
}

fn main() {
    let tables: Vec<_> = Isa::ALL.iter().filter_map(|&isa| table_for(isa)).collect();
    print!("| ns/element |");
    tables.iter().for_each(|table| print!(" {0} f32 | {0} f64 |", table.isa()));
    print!(" scalar f64 |\n|---|");
    tables.iter().for_each(|_| print!("---|---|"));
    println!("---|");
    for &kernel in UnaryKernel::ALL {
        print!("| {kernel} |");
        for table in &tables {
            print!(" {:.3} |", unary::<f32>(table, kernel));
            print!(" {:.3} |", unary::<f64>(table, kernel));
        }
        let ((low, high), Some(function)) = row(kernel.name()) else {
            println!(" – |");
            continue;
        };
        let src = arguments::<f64>(low, high);
        let mut dst = vec![0.0; TILE];
        let scalar = time(|| {
            for (d, &s) in dst.iter_mut().zip(black_box(&src)) {
                *d = function(s);
            }
            black_box(&mut dst);
        });
        println!(" {scalar:.3} |");
    }
    for &kernel in BinaryKernel::ALL {
        print!("| {kernel} |");
        for table in &tables {
            let (x, y) = (arguments::<f32>(0.1, 10.0), arguments::<f32>(-5.0, 5.0));
            let mut dst = vec![0.0; TILE];
            let single = time(|| f32::binary(table, kernel, black_box(&mut dst), &x, &y));
            let (x, y) = (arguments::<f64>(0.1, 10.0), arguments::<f64>(-5.0, 5.0));
            let mut dst = vec![0.0; TILE];
            let double = time(|| f64::binary(table, kernel, black_box(&mut dst), &x, &y));
            print!(" {single:.3} | {double:.3} |");
        }
        println!("  |");
    }
    for &kernel in ReduceKernel::ALL {
        print!("| {kernel} |");
        for table in &tables {
            let (x, y) = (arguments::<f32>(0.9, 1.1), arguments::<f64>(0.9, 1.1));
            // SAFETY: pointer and length of one live vector each; the table runs here.
            let single = time(|| unsafe {
                black_box(table.reduce_f32(kernel)(black_box(x.as_ptr()), TILE));
            });
            // SAFETY: as above.
            let double = time(|| unsafe {
                black_box(table.reduce_f64(kernel)(black_box(y.as_ptr()), TILE));
            });
            print!(" {single:.3} | {double:.3} |");
        }
        println!("  |");
    }
    print!("| threefry (two words) |");
    for table in &tables {
        let x: Vec<u32> = (0..TILE as u32).collect();
        let (mut a, mut b) = (vec![0_u32; TILE], vec![0_u32; TILE]);
        // SAFETY: four live vectors of TILE elements; the destinations are distinct from the rest.
        let one_key = time(|| unsafe {
            let kernel = table.threefry_one_key();
            kernel(a.as_mut_ptr(), b.as_mut_ptr(), 1, 2, black_box(x.as_ptr()), x.as_ptr(), TILE);
            black_box(&mut a);
        });
        print!(" {one_key:.3} |  |");
    }
    println!("  |");
}
