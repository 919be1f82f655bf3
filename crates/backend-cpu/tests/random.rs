//! Random graphs, plain and mapped over many lanes, against the interpreter.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_testing::{Config, Tolerance, difference, random_graph, random_inputs};
use probpipe_trace::{Backend, DType, Graph, Value, eval::eval_graph, verify};
use probpipe_transforms::rewrite;

/// Graphs keep numbers modest but not small, and derivatives of steep functions amplify rounding:
/// the tolerance tells a wrong program from a rounded one.
fn check(seed: u64, graph: &Graph, inputs: &[&Value], tolerance: f64) {
    let want = eval_graph(graph, inputs).unwrap();
    let program = probpipe_lowering::lower(verify(graph).unwrap(), &Cpu::options()).unwrap();
    let text = program.to_string();
    let executable =
        Cpu.compile(verify(graph).unwrap()).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{graph}"));
    let have = executable.run(inputs).unwrap();
    for (have, want) in have.iter().zip(&want) {
        assert_eq!(have.ty(), want.ty());
        if let Some(e) = difference(have, want, Tolerance::mixed(tolerance)) {
            panic!("seed {seed}: {e}\n{graph}\n{text}");
        }
    }
}

fn plain(float: DType, tolerance: f64) {
    for seed in 0..300 {
        let config = Config { steps: 20, float, kinks: float == DType::F64, ..Config::default() };
        let graph = random_graph(seed, config).unwrap();
        let inputs = random_inputs(seed, &graph).unwrap();
        check(seed, &graph, &inputs.iter().collect::<Vec<_>>(), tolerance);
        let simple = rewrite::simplify(&graph);
        check(seed, &simple, &inputs.iter().collect::<Vec<_>>(), tolerance);
    }
}

#[test]
fn double_precision() {
    plain(DType::F64, 1e-8);
}

#[test]
fn single_precision() {
    plain(DType::F32, 2e-2);
}

#[test]
fn many_lanes() {
    for seed in 0..120 {
        for size in [37, 600] {
            let config = Config { steps: 15, ..Config::default() };
            let graph = random_graph(seed, config).unwrap();
            let axes = vec![Some(0); graph.inputs().len()];
            let (mapped, _) = rewrite::vmap(&graph, size, &axes).unwrap();
            let inputs = random_inputs(seed, &mapped).unwrap();
            check(seed, &mapped, &inputs.iter().collect::<Vec<_>>(), 1e-8);
        }
    }
}

#[test]
fn derivatives() {
    for seed in 0..100 {
        let config = Config { steps: 10, kinks: false, ..Config::default() };
        let graph = random_graph(seed, config).unwrap();
        let wrt = vec![true; graph.inputs().len()];
        let jvp = rewrite::jvp(&graph, &wrt).unwrap();
        let inputs = random_inputs(seed, &jvp.graph).unwrap();
        check(seed, &jvp.graph, &inputs.iter().collect::<Vec<_>>(), 1e-7);
    }
}

#[test]
fn gradients() {
    for seed in 0..100 {
        let config = Config { steps: 10, kinks: false, ..Config::default() };
        let graph = random_graph(seed, config).unwrap();
        let linear = rewrite::linearize(&graph, &vec![true; graph.inputs().len()]).unwrap();
        let mut flags = vec![false; linear.residuals];
        flags.resize(linear.linear.inputs().len(), true);
        let back = rewrite::simplify(&rewrite::transpose(&linear.linear, &flags).unwrap());
        // The residuals are those of a run; cotangents are of any size.
        let inputs = random_inputs(seed, &graph).unwrap();
        let values = eval_graph(&linear.primal, &inputs.iter().collect::<Vec<_>>()).unwrap();
        let residuals = &values[values.len() - linear.residuals..];
        let all = random_inputs(seed, &back).unwrap();
        let inputs: Vec<_> = residuals.iter().chain(&all[linear.residuals..]).collect();
        check(seed, &back, &inputs, 1e-7);
    }
}
