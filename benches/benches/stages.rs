//! What each stage of a program costs: tracing, transforming, compiling, running. Compile time is
//! a feature, so it is measured like one.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use probpipe::graph::{Graph, raw_graph_of, rewrite, verify};
use probpipe::prelude::*;
use probpipe_benches::{WORKLOADS, Workload};
use std::hint::black_box;

fn workload(name: &str) -> &'static Workload {
    WORKLOADS.iter().find(|w| w.name == name).unwrap_or(&WORKLOADS[0])
}

/// A chain of `n` equations that no rewrite shortens.
fn chain(n: usize) -> Graph {
    let f = |x: Array| (0..n / 2).fold(x.clone(), |y, _| y.sin() * &x);
    raw_graph_of(f, &zeros([16])).unwrap_or_else(|e| panic!("{e}"))
}

/// As [`chain`], with reductions: kernels that cannot be one.
fn chain_of_means(n: usize) -> Graph {
    let f = |x: Array| (0..n / 4).fold(x, |y, _| &y - y.mean());
    raw_graph_of(f, &zeros([16])).unwrap_or_else(|e| panic!("{e}"))
}

fn stages(c: &mut Criterion) {
    let generative = ["generative_simulate", "generative_importance", "generative_map"];
    let others = ["scalar_call", "mle_step", "vi_300", "kidscore", "garch11"];
    for name in others.into_iter().chain(generative) {
        let w = workload(name);
        let inputs = w.inputs();
        c.bench_function(&format!("trace/{name}"), |b| {
            b.iter(|| raw_graph_of(|x| w.run(x), black_box(&inputs)))
        });
        let Ok(raw) = raw_graph_of(|x| w.run(x), &inputs) else { continue };
        c.bench_function(&format!("simplify/{name}"), |b| {
            b.iter(|| rewrite::simplify(black_box(&raw)))
        });
        let simple = rewrite::simplify(&raw);
        let Ok(checked) = verify(&simple) else { continue };
        let backend = Device::Cpu.backend();
        c.bench_function(&format!("compile/{name}"), |b| {
            b.iter(|| backend.compile(black_box(checked)))
        });
        let call = jit(|x| w.run(x));
        call(inputs.clone());
        c.bench_function(&format!("run/{name}"), |b| {
            b.iter_batched(|| inputs.clone(), &call, BatchSize::SmallInput)
        });
    }
}

/// Loops where the time is in one kernel.
fn hot(c: &mut Criterion) {
    for name in ["logistic_1e5", "logistic_grad2_1e5_f64", "score_200", "hmc_10d", "nes_logit"] {
        let w = workload(name);
        let inputs = w.inputs();
        let call = jit(|x| w.run(x));
        call(inputs.clone());
        c.bench_function(&format!("run/{name}"), |b| {
            b.iter_batched(|| inputs.clone(), &call, BatchSize::SmallInput)
        });
    }
}

fn size(c: &mut Criterion) {
    for n in [1_000, 10_000] {
        let graph = chain(n);
        c.bench_function(&format!("simplify/{n} equations"), |b| {
            b.iter(|| rewrite::simplify(black_box(&graph)))
        });
        let nonzero = [true];
        c.bench_function(&format!("linearize/{n} equations"), |b| {
            b.iter(|| rewrite::linearize(black_box(&graph), &nonzero))
        });
        let backend = Device::Cpu.backend();
        c.bench_function(&format!("compile/{n} equations"), |b| {
            let checked = verify(&graph).expect("what was traced verifies");
            b.iter(|| backend.compile(black_box(checked)))
        });
        let means = chain_of_means(n);
        c.bench_function(&format!("compile/{n} equations with means"), |b| {
            let checked = verify(&means).expect("what was traced verifies");
            b.iter(|| backend.compile(black_box(checked)))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = stages, hot, size
}
criterion_main!(benches);
