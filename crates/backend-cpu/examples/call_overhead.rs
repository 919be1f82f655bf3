//! What a call of a compiled program costs, in time and in allocations, and what compiling it
//! costs: nearly nothing is computed, so that what remains is the call.

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, ArrayType, Backend, DType, Result, Value, array, trace, verify};
use probpipe_transforms::jit_on;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Counts allocations.
struct Counting;
static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The least time per call over many short batches, and the allocations of one call.
fn report(name: &str, mut call: impl FnMut()) {
    for _ in 0..100 {
        call();
    }
    let before = COUNT.load(Relaxed);
    call();
    let allocations = COUNT.load(Relaxed) - before;
    let mut best = f64::INFINITY;
    for _ in 0..2_000 {
        let start = Instant::now();
        for _ in 0..500 {
            call();
        }
        best = best.min(start.elapsed().as_secs_f64() / 500.0);
    }
    println!("{name:<40} {:>6.1} ns {allocations:>3} allocations", best * 1e9);
}

fn main() -> Result<()> {
    let traced = trace(&[ArrayType::scalar(DType::F32)], |x| vec![&x[0] * 2.0 + 1.0])?;
    let start = Instant::now();
    let executable = Cpu.compile(verify(&traced.graph)?)?;
    println!("first compilation {:.0} us", start.elapsed().as_secs_f64() * 1e6);
    let start = Instant::now();
    for _ in 0..100 {
        Cpu.compile(verify(&traced.graph)?)?;
    }
    println!("compilation {:.0} us", start.elapsed().as_secs_f64() * 1e4);
    let x = Value::from_elements(&[1.5f32], &[])?;
    report("executable, scalar", || {
        black_box(executable.run(&[&x]).ok());
    });

    let scalar = scalar(1.5);
    let f = jit_on(Arc::new(Cpu), |x: Array| x * 2.0 + 1.0);
    report("jit, scalar to scalar", || {
        black_box(f(scalar.clone()));
    });
    let mut state = scalar.clone();
    report("jit, scalar to scalar, in a loop", || {
        state = f(std::mem::replace(&mut state, scalar.clone()));
    });
    let vec = jit_on(Arc::new(Cpu), |x: Vec<Array>| vec![&x[0] * 2.0 + 1.0]);
    let one = vec![scalar.clone()];
    report("jit, vector of one to vector of one", || {
        black_box(vec(one.clone()));
    });
    type Five = (Array, Array, Array, Array, Array);
    let five = jit_on(Arc::new(Cpu), |(a, b, c, d, e): Five| (&a + &b, &b * &c, d * e));
    let arrays: Five = (
        array([1.0f32, 2.0]),
        array([1.0f32, 2.0]),
        array([1.0f32, 2.0]),
        array([1.0f32, 2.0]),
        array([1.0f32, 2.0]),
    );
    report("jit, 5 arrays to 3", || {
        black_box(five(arrays.clone()));
    });
    report("clone of a tuple of 5", || {
        black_box(arrays.clone());
    });
    report("clone of a scalar", || {
        black_box(scalar.clone());
    });
    large_results()
}

/// What memory for large results costs: the same work on arrays that are kept, and in place.
fn large_results() -> Result<()> {
    let work = |x: Array| x * 0.5 + 1.0;
    for n in [1 << 14, 1 << 17, 1 << 20, 10_000_000] {
        let x = Array::from_slice(&vec![0.5f32; n], [n]);
        let least = |call: &mut dyn FnMut()| {
            let mut best = f64::INFINITY;
            for _ in 0..30 {
                let start = Instant::now();
                call();
                best = best.min(start.elapsed().as_secs_f64());
            }
            best * 1e6
        };
        let f = jit_on(Arc::new(Cpu), work);
        let kept = least(&mut || drop(black_box(f(x.clone()))));
        let fresh = least(&mut || {
            probpipe_trace::release_memory();
            drop(black_box(f(x.clone())));
        });
        let mut state = f(x.clone());
        let in_place = least(&mut || {
            state = f(std::mem::replace(&mut state, scalar(0.0)));
        });
        println!(
            "{n:>9} numbers: {kept:.1} us, {fresh:.1} us into fresh memory, {in_place:.1} us in place"
        );
    }
    Ok(())
}

fn scalar(x: f32) -> Array {
    Array::from_slice(&[x], ())
}
