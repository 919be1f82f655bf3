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

fn domain(kernel: UnaryKernel) -> (f64, f64) {
    match kernel {
        UnaryKernel::Log => (0.01, 20.0),
        UnaryKernel::Asin
        | UnaryKernel::Acos
        | UnaryKernel::Atanh
        | UnaryKernel::ErfInv
        | UnaryKernel::Log1p => (-1.0, 1.0),
        UnaryKernel::Acosh => (1.0, 20.0),
        UnaryKernel::Lgamma | UnaryKernel::Digamma => (0.01, 20.0),
        _ => (-10.0, 10.0),
    }
}

/// The scalar library's version, as the yardstick.
fn library(kernel: UnaryKernel) -> fn(f64) -> f64 {
    match kernel {
        UnaryKernel::Exp => f64::exp,
        UnaryKernel::Expm1 => f64::exp_m1,
        UnaryKernel::Log => f64::ln,
        UnaryKernel::Log1p => f64::ln_1p,
        UnaryKernel::Sin => f64::sin,
        UnaryKernel::Cos => f64::cos,
        UnaryKernel::Tan => f64::tan,
        UnaryKernel::Asin => f64::asin,
        UnaryKernel::Acos => f64::acos,
        UnaryKernel::Atan => f64::atan,
        UnaryKernel::Sinh => f64::sinh,
        UnaryKernel::Cosh => f64::cosh,
        UnaryKernel::Tanh => f64::tanh,
        UnaryKernel::Asinh => libm::asinh,
        UnaryKernel::Acosh => libm::acosh,
        UnaryKernel::Atanh => libm::atanh,
        UnaryKernel::Erf => libm::erf,
        UnaryKernel::Erfc => libm::erfc,
        UnaryKernel::ErfInv => |_| f64::NAN,
        UnaryKernel::Logistic => |x| 1.0 / (1.0 + (-x).exp()),
        UnaryKernel::Lgamma => libm::lgamma,
        UnaryKernel::Digamma => probpipe_special::digamma,
    }
}

fn unary<T: Real>(table: &KernelTable, kernel: UnaryKernel) -> f64 {
    let (low, high) = domain(kernel);
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
        let (low, high) = domain(kernel);
        let (src, function) = (arguments::<f64>(low, high), library(kernel));
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
