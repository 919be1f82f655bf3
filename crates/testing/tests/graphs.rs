//! The generator: a seed names a graph for ever, graphs verify, and every kind of step comes up.

use probpipe_testing::{Config, Random, graph_of_choices, random_graph, random_inputs};
use probpipe_trace::{Graph, Op, eval, verify};
use std::collections::BTreeSet;

/// Names of all ops of a graph and of the graphs inside it.
fn ops(graph: &Graph, into: &mut BTreeSet<String>) {
    for eqn in graph.eqns() {
        into.insert(eqn.op.name().to_string());
        match &eqn.op {
            Op::Scan(scan) => ops(&scan.body, into),
            Op::Switch(switch) => switch.branches.iter().for_each(|b| ops(b, into)),
            _ => {}
        }
    }
}

#[test]
fn graphs_verify_run_and_meet_the_ops() {
    let mut met = BTreeSet::new();
    for seed in 0..300 {
        let graph = random_graph(seed, Config::default()).unwrap();
        verify(&graph).unwrap();
        assert_eq!(graph, random_graph(seed, Config::default()).unwrap(), "seed {seed}");
        let inputs = random_inputs(seed, &graph).unwrap();
        eval::eval_graph(&graph, &inputs.iter().collect::<Vec<_>>()).unwrap();
        ops(&graph, &mut met);
    }
    for name in ["scan", "switch", "while", "cholesky", "dot", "sort", "threefry2x32", "gather"] {
        assert!(met.iter().any(|m| m.starts_with(name)), "{name} is not among {met:?}");
    }
}

#[test]
fn choices_are_the_bytes_first() {
    let bytes: Vec<u8> = (0..200).map(|i| (i * 37 % 251) as u8).collect();
    let graph = |bytes: &[u8]| graph_of_choices(Random::from_bytes(bytes), Config::default());
    verify(&graph(&bytes).unwrap()).unwrap();
    assert_ne!(graph(&bytes).unwrap(), graph(&bytes[7..]).unwrap());
    let mut random = Random::from_bytes(&[5]);
    assert_eq!((random.bits(), random.bits()), (5, Random::new(0).bits()));
}
