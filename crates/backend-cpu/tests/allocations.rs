//! A call of a function that is compiled already allocates its results and nothing else.

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, Tree, array, fori_loop, release_memory};
use probpipe_transforms::jit_on;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get() + layout.size());
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

/// Allocations and bytes of one call, after some.
#[track_caller]
fn cost<A: Tree + Clone, R: Tree>(f: impl Fn(A) -> R, x: &A) -> (usize, usize) {
    for _ in 0..3 {
        black_box(f(x.clone()));
    }
    let x = x.clone();
    let (count, bytes) = (COUNT.get(), BYTES.get());
    let result = black_box(f(x));
    let cost = (COUNT.get() - count, BYTES.get() - bytes);
    drop(result);
    cost
}

fn jit<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    jit_on(Arc::new(Cpu), f)
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Five {
    a: Array,
    b: Array,
    c: Array,
    d: Array,
    e: Array,
    #[tree(static)]
    name: String,
}

fn five(n: usize) -> Five {
    let x = |k: usize| Array::from_slice(&vec![k as f32; n], [n]);
    Five { a: x(1), b: x(2), c: x(3), d: x(4), e: x(5), name: "five".to_string() }
}

#[test]
fn small_results_take_one_allocation_each() {
    assert_eq!(cost(jit(|x: Array| x * 2.0 + 1.0), &Array::from_slice(&[1.5f32], ())).0, 1);
    assert_eq!(
        cost(jit(|(x, y): (Array, Array)| (&x + &y, x * y)), &(array(1.0), array(2.0))).0,
        4
    );
    let three = |x: Five| (x.a + x.b, x.c * x.d, x.e.sum());
    assert_eq!(cost(jit(three), &five(16)).0, 3);
}

#[test]
fn larger_results_take_two() {
    let three = |x: Five| (x.a + x.b, x.c * x.d, x.e.sum());
    assert_eq!(cost(jit(three), &five(100)).0, 5);
}

#[test]
fn what_the_users_tree_needs_comes_on_top() {
    let one = |x: Vec<Array>| vec![&x[0] * 2.0];
    assert_eq!(cost(jit(one), &vec![array([1.0])]).0, 2);
    let map = BTreeMap::from([("x".to_string(), array([1.0]))]);
    assert_eq!(cost(jit(|x: BTreeMap<String, Array>| x["x"].sin()), &map).0, 1);
}

#[test]
fn scratch_memory_is_not_allocated_anew() {
    // The product of 300 by 300 numbers between the two sums needs memory of its own.
    let f = |x: Array| {
        let y = x.expand_dims(0) * x.expand_dims(1);
        (&y / y.sum()).matmul(&y).sum()
    };
    let (count, bytes) = cost(jit(f), &array(vec![0.5f32; 300]));
    assert!(bytes < 100_000, "{bytes} bytes in {count} allocations");
    let steps = |x: Array| fori_loop(100, x, |_, x: Array| x.sin() + 1.0);
    assert_eq!(cost(jit(steps), &array(vec![0.5f32; 10])).0, 1);
}

#[test]
fn large_results_are_written_into_memory_of_others() {
    let x = array(vec![0.5f32; 1 << 20]);
    let f = jit(|x: Array| x.sin());
    // The result's handle, and what it takes to divide the work among threads.
    let (count, bytes) = cost(&f, &x);
    assert!(count <= 4 && bytes < 2000, "{bytes} bytes in {count} allocations");
    let kept = release_memory();
    assert!(kept >= 4 << 20, "{kept}");
    assert!(f(x).error().is_none());
}
