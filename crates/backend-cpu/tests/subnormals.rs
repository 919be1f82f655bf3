//! Subnormal numbers: programs of `f32` flush them and programs with `f64` keep them, by every kind
//! of code and on every thread; either can be told to do the other.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Graph, Subnormals, Value, fori_loop, pure_callback, trace,
    verify, with_subnormals,
};
use std::hint::black_box;

fn vector(dtype: DType, size: usize) -> ArrayType {
    ArrayType::new(dtype, [size])
}

fn graph(types: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) -> Graph {
    trace(types, f).expect("traces").graph
}

fn run(graph: &Graph, inputs: &[&Value]) -> Vec<Value> {
    let program = Cpu.compile(verify(graph).expect("a graph")).expect("compiles");
    program.run(inputs).expect("runs").into_vec()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.to_scalars().expect("numbers").iter().map(|x| x.as_f64()).collect()
}

fn value(dtype: DType, numbers: &[f64]) -> Value {
    let x = Array::from_slice(numbers, [numbers.len()]).cast(dtype);
    x.value().expect("numbers")
}

/// Whether arithmetic on this thread keeps subnormal numbers.
fn keeps() -> bool {
    black_box(f32::MIN_POSITIVE) * black_box(0.5) != 0.0
}

fn decay(x: &[Array]) -> Vec<Array> {
    vec![fori_loop(3000, x[0].clone(), |_, c: Array| c * 0.7)]
}

#[test]
fn the_type_decides_and_users_may() {
    for (dtype, size, usual) in [
        (DType::F32, 1, Subnormals::Flush),
        (DType::F32, 1000, Subnormals::Flush),
        (DType::F64, 1, Subnormals::Keep),
        (DType::F64, 1000, Subnormals::Keep),
    ] {
        let graph = graph(&[vector(dtype, size)], decay);
        let x = value(dtype, &vec![1.0; size]);
        let kept = numbers(&eval_graph(&graph, &[&x]).expect("runs")[0]);
        assert!(kept[0] > 0.0, "{dtype}");
        let flushed = vec![0.0; size];
        let want = if usual == Subnormals::Flush { &flushed } else { &kept };
        assert_eq!(&numbers(&run(&graph, &[&x])[0]), want, "{dtype}[{size}]");
        let keeping = with_subnormals(Subnormals::Keep, || run(&graph, &[&x]));
        assert_eq!(numbers(&keeping[0]), kept, "{dtype}[{size}]");
        let flushing = with_subnormals(Subnormals::Flush, || run(&graph, &[&x]));
        assert_eq!(numbers(&flushing[0]), flushed, "{dtype}[{size}]");
        assert!(keeps());
    }
}

#[test]
fn one_double_anywhere_keeps() {
    let types = [vector(DType::F32, 3)];
    let graph =
        graph(&types, |x| vec![(x[0].cast(DType::F64) * 0.5).cast(DType::F32), &x[0] * 0.5]);
    let x = value(DType::F32, &[1e-40, 1e-38, 2.0]);
    for result in run(&graph, &[&x]) {
        assert!(numbers(&result)[1] > 0.0);
    }
}

/// Single points, short and long tiles, vectors of our own, threads.
const SIZES: [usize; 5] = [1, 7, 100, 1000, 100_003];

#[test]
fn flushed_results_are_normal_or_zero_on_any_number_of_threads() {
    for size in SIZES {
        let graph = graph(&[vector(DType::F32, size)], |x| {
            let tail = x[0].exp();
            let square = (&x[0] * 1e-21).square();
            vec![tail.log1p(), &tail * 0.5, square.sum(), square, (&x[0] * 1e-38).tanh(), tail]
        });
        let x: Vec<f64> = (0..size).map(|i| -80.0 - 40.0 * i as f64 / size as f64).collect();
        let x = value(DType::F32, &x);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| run(&graph, &[&x]))
        };
        let one = on(1);
        assert!(one == on(2) && one == on(16), "{size}");
        for (k, result) in one.iter().enumerate() {
            for x in numbers(result) {
                assert!(x == 0.0 || x.abs() >= f64::from(f32::MIN_POSITIVE), "{size} {k}: {x:e}");
            }
        }
    }
}

#[test]
fn kept_results_are_those_of_the_interpreter() {
    for size in SIZES {
        let graph = graph(&[vector(DType::F32, size)], |x| {
            let tail = x[0].exp();
            vec![&tail * 0.5, (&x[0] * 1e-21).square(), tail]
        });
        let x: Vec<f64> = (0..size).map(|i| -80.0 - 40.0 * i as f64 / size as f64).collect();
        let x = value(DType::F32, &x);
        let want = eval_graph(&graph, &[&x]).expect("runs");
        let have = with_subnormals(Subnormals::Keep, || run(&graph, &[&x]));
        for (have, want) in have.iter().zip(&want) {
            // The kernel and the interpreter's function may round differently in the last place.
            for (a, b) in numbers(have).iter().zip(numbers(want)) {
                assert!((a - b).abs() <= 1e-44_f64.max(3e-7 * b.abs()), "{size}: {a:e} {b:e}");
            }
        }
    }
}

#[test]
fn products_flush_on_every_thread() {
    // The larger is shared among threads.
    for n in [3, 40, 256] {
        let types = [ArrayType::new(DType::F32, [n, n])];
        let graph = graph(&types, |x| vec![x[0].matmul(&x[0])]);
        let x = Array::from_slice(&vec![1e-21f32; n * n], [n, n]).value().expect("numbers");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let product = pool.expect("threads").install(|| run(&graph, &[&x]));
            assert!(numbers(&product[0]).iter().all(|&x| x == 0.0), "{n} {threads}");
        }
    }
}

#[test]
fn functions_of_the_host_have_the_mode_of_the_user() {
    let types = [vector(DType::F32, 2)];
    let graph = graph(&types, |x| {
        let seen = pure_callback(
            |x: Array| {
                assert!(keeps());
                // Programs nest.
                let inner = graph_of_decay();
                let value = value(DType::F32, &[1.0]);
                assert_eq!(numbers(&run(&inner, &[&value])[0]), [0.0]);
                assert!(keeps());
                x
            },
            &x[0].clone(),
            x[0].clone(),
        );
        vec![(&x[0] * 1e-30) * 1e-10, seen]
    });
    let x = value(DType::F32, &[1.0, 2.0]);
    let results = run(&graph, &[&x]);
    assert_eq!(numbers(&results[0]), [0.0, 0.0]);
    assert_eq!(numbers(&results[1]), [1.0, 2.0]);
}

fn graph_of_decay() -> Graph {
    graph(&[vector(DType::F32, 1)], decay)
}

#[test]
fn a_panic_of_the_host_restores_the_mode() {
    let types = [vector(DType::F32, 2)];
    let graph = graph(&types, |x| {
        let panics = |_: Array| -> Array { panic!("on purpose") };
        vec![pure_callback(panics, &x[0].clone(), &x[0] * 0.5)]
    });
    let program = Cpu.compile(verify(&graph).expect("a graph")).expect("compiles");
    assert!(program.run(&[&value(DType::F32, &[1.0, 2.0])]).is_err());
    assert!(keeps());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_mode_of_the_caller_changes_no_result() {
    let graph = graph(&[vector(DType::F64, 4)], decay);
    let x = value(DType::F64, &[1.0; 4]);
    let want = run(&graph, &[&x]);
    let (mut word, flush) = (0_u32, 0x8040_u32);
    // SAFETY: sets the mode of this thread, runs a program, and takes it back.
    let have = unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &mut word);
        std::arch::asm!("ldmxcsr [{}]", in(reg) &(word | flush));
        let have = run(&graph, &[&x]);
        let mut after = 0_u32;
        std::arch::asm!("stmxcsr [{}]", in(reg) &mut after);
        std::arch::asm!("ldmxcsr [{}]", in(reg) &word);
        assert_eq!(after & flush, flush);
        have
    };
    assert!(have == want);
}

#[test]
fn functions_that_are_far_from_zero_there_know_subnormal_arguments() {
    let graph = graph(&[vector(DType::F32, 40)], |x| {
        vec![x[0].log(), x[0].log2(), x[0].ndtri(), x[0].erfc_inv(), x[0].at(3).log()]
    });
    // The reference values are those of mpmath.
    let want = [-92.10340371976183, -132.8771237954945, -13.310921774100802, 9.448790050366227];
    let x = value(DType::F32, &[1e-40; 40]);
    let keeping = with_subnormals(Subnormals::Keep, || run(&graph, &[&x]));
    for results in [run(&graph, &[&x]), keeping] {
        for (result, want) in results.iter().zip(want.into_iter().chain([want[0]])) {
            for x in numbers(result) {
                assert!((x - want).abs() < 1e-5 * want.abs(), "{x} {want}");
            }
        }
    }
}
