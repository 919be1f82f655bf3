//! Results written into the memory of arguments that are given up are the same results.

use probpipe_backend_cpu::Cpu;
use probpipe_testing::{Config, random_graph, random_inputs};
use probpipe_trace::{
    Array, ArrayType, DType, Executable, Given, Graph, Value, array, fori_loop, trace, verify,
};
use probpipe_transforms::jit_on;
use std::sync::Arc;

/// Copies with no other handles.
fn copies(inputs: &[Value]) -> Given {
    let copy = |v: &Value| Value::host(v.ty().clone(), v.to_host().unwrap().try_clone().unwrap());
    inputs.iter().map(copy).collect()
}

/// Runs a program on arguments that are kept and on arguments that are given up; the results and
/// how many of them lie where an argument lay.
#[track_caller]
fn check(graph: &Graph, inputs: &[Value]) -> usize {
    let program = Cpu.executable(verify(graph).unwrap()).unwrap().reusing_from(1);
    let references: Vec<&Value> = inputs.iter().collect();
    let want = program.run(&references).unwrap();
    let mut reused = 0;
    for _ in 0..3 {
        let given = copies(inputs);
        let addresses: Vec<_> =
            given.iter().map(|v| v.to_host().unwrap().bytes().as_ptr()).collect();
        let have = program.run_taking(given).unwrap();
        reused = have
            .iter()
            .filter(|v| addresses.contains(&v.to_host().unwrap().bytes().as_ptr()))
            .count();
        assert_eq!(want, have, "{graph}");
        // What other handles hold stays as it is.
        let given: Given = inputs.iter().cloned().collect();
        assert_eq!(want, program.run_taking(given).unwrap(), "{graph}");
    }
    reused
}

#[test]
fn random_programs_give_the_same_bits() {
    let mut reused = 0;
    for seed in 0..150 {
        let config = Config { steps: 3 + seed as usize % 12, ..Config::default() };
        let graph = random_graph(seed, config).unwrap();
        let inputs = random_inputs(seed, &graph).unwrap();
        reused += check(&graph, &inputs);
    }
    assert!(reused > 20, "{reused} results lie where an argument lay");
}

fn f32s(shape: &[usize]) -> Value {
    let n: usize = shape.iter().product();
    let data: Vec<f32> = (0..n).map(|i| ((i * 37 + 11) % 23) as f32 / 7.0 - 1.5).collect();
    Value::from_elements(&data, shape).unwrap()
}

/// How many results of a function of `f32` arrays of these shapes lie where an argument lay. In
/// small cases addresses may come again by chance, so the arrays here are not small.
#[track_caller]
fn reused(shapes: &[&[usize]], f: impl Fn(&[Array]) -> Vec<Array>) -> usize {
    let types: Vec<ArrayType> = shapes.iter().map(|s| ArrayType::new(DType::F32, *s)).collect();
    let inputs: Vec<Value> = shapes.iter().map(|s| f32s(s)).collect();
    check(&trace(&types, |x| f(x)).unwrap().graph, &inputs)
}

#[test]
fn elementwise_work_is_done_in_place() {
    let n = [5000].as_slice();
    assert_eq!(reused(&[n], |x| vec![x[0].sin() * 2.0 + &x[0]]), 1);
    assert_eq!(reused(&[n, n], |x| vec![&x[0] + &x[1].exp(), x[1].clone() * &x[0]]), 2);
    // Another shape over the same memory.
    assert_eq!(reused(&[n], |x| vec![x[0].reshape([50, 100]) + 1.0]), 1);
    // Read by another statement before the first write.
    assert_eq!(reused(&[n], |x| vec![&x[0] - x[0].mean()]), 1);
}

#[test]
fn optimisers_step_in_place() {
    let n = [5000].as_slice();
    let adam = |x: &[Array]| {
        let [p, m, v, g] = x else { unreachable!() };
        let m = m * 0.9 + g * 0.1;
        let v = v * 0.999 + g.square() * 0.001;
        vec![p - &m / (v.sqrt() + 1e-8), m, v]
    };
    assert_eq!(reused(&[n, n, n, n], adam), 3);
    let many = |x: &[Array]| vec![fori_loop(10, x[0].clone(), |_, x: Array| x.cos() * 0.5)];
    assert_eq!(reused(&[n], many), 1);
}

#[test]
fn what_is_needed_later_is_not_overwritten() {
    let n = [5000].as_slice();
    assert_eq!(reused(&[n], |x| vec![x[0].flip(0)]), 0);
    assert_eq!(reused(&[&[70, 70]], |x| vec![x[0].transpose() + &x[0]]), 0);
    assert_eq!(reused(&[&[70, 70]], |x| vec![x[0].matmul(&x[0])]), 0);
    // The second result needs the whole argument, whichever is written first.
    let both = |x: &[Array]| vec![x[0].sin(), x[0].flip(0) * 2.0];
    assert!(reused(&[n], both) <= 1);
}

#[test]
fn a_loop_of_calls_stays_where_it_is() {
    let f = jit_on(Arc::new(Cpu), |x: Array| x * 0.5 + 1.0);
    let start = array(vec![4.0f32; 1 << 16]);
    let at = |x: &Array| x.value_ref().unwrap().to_host().unwrap().bytes().as_ptr();
    let mut x = f(f(f(start.clone())));
    let before = at(&x);
    for _ in 0..5 {
        x = f(x);
    }
    assert_eq!(at(&x), before);
    // An array of which there is another handle is kept.
    let kept = x.clone();
    let values = kept.to_vec::<f32>().unwrap();
    x = f(x);
    assert_ne!(at(&x), at(&kept));
    assert_eq!(kept.to_vec::<f32>().unwrap(), values);
    assert_eq!(start.to_vec::<f32>().unwrap(), vec![4.0f32; 1 << 16]);
}
