//! What the tests share: running one op and naming values. Not a test itself.

#![allow(dead_code)] // Each test file uses its own part.

pub mod erf_inv;

#[allow(unused_imports)]
pub use probpipe_testing::ulps;

use probpipe_testing::Numbers;
use probpipe_trace::op::infer;
use probpipe_trace::{
    ArrayType, DType, Element, Graph, GraphBuilder, Op, Scalar, Value, eval, parse,
};
use std::panic::Location;

pub fn value<T: Element>(data: &[T], shape: &[usize]) -> Value {
    Value::from_elements(data, shape).unwrap()
}

/// A vector of numbers, converted as casts do.
pub fn vector(data: &[Scalar], dtype: DType) -> Value {
    let parts: Vec<Value> =
        data.iter().map(|&s| Value::full(s, ArrayType::new(dtype, [1]))).collect();
    run(&Op::Concat { axis: 0 }, &parts).remove(0)
}

/// `0, 1, 2, ...` in a shape.
pub fn counting(dtype: DType, shape: &[usize]) -> Value {
    let n: usize = shape.iter().product();
    let flat: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let flat = value(&flat, shape);
    run(&Op::Cast(dtype), &[flat]).remove(0)
}

/// The graph of one op on inputs of the given types.
#[track_caller]
pub fn one_op(op: &Op, types: &[&ArrayType]) -> Graph {
    let mut builder = GraphBuilder::new();
    let inputs: Vec<_> = types.iter().map(|&ty| builder.input(ty.clone())).collect();
    let outputs = builder.push(op.clone(), &inputs, Location::caller()).unwrap();
    builder.finish(outputs.to_vec())
}

/// Applies an op, and checks on the way what holds for every op: results have the types that the
/// rules say, the graph of it gives the same, and its text reads back.
#[track_caller]
pub fn run(op: &Op, inputs: &[Value]) -> Vec<Value> {
    let types: Vec<&ArrayType> = inputs.iter().map(Value::ty).collect();
    let results = infer(op, &types).unwrap();
    let outputs = eval::eval_op(op, inputs, &results).unwrap();
    assert!(outputs.iter().map(Value::ty).eq(&results), "types of {op:?}");
    for out in &outputs {
        assert_eq!(out.to_host().unwrap().bytes().len(), out.ty().bytes());
    }

    let graph = one_op(op, &types);
    let again = eval::eval_graph(&graph, &inputs.iter().collect::<Vec<_>>()).unwrap();
    assert!(again.iter().eq(&outputs), "the graph of {op:?}");
    round_trip(&graph);
    outputs.into_iter().collect()
}

/// The text of a graph reads back as the same graph.
#[track_caller]
pub fn round_trip(graph: &Graph) {
    let text = graph.to_string();
    let back = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(back == *graph, "{back} differs from {text}");
    assert_eq!(back.to_string(), text);
}

pub fn floats(v: &Value) -> Vec<f64> {
    v.numbers()
}
