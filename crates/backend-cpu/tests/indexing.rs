//! Indexing, running reductions and sorting: values and tangents of JAX (`data/indexing.txt`), on
//! the interpreter, compiled, and mapped over two lanes; and what happens out of range.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_testing::{Numbers, Random, Tolerance, close, differences, says};
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, Backend, CumulativeOp, DType, ErrorKind, Graph, OutOfRange, Value, array,
    bincount, searchsorted, segment_sum, sort_key_val, sort_together, trace, verify,
    with_default_float,
};
use probpipe_transforms::rewrite;

#[derive(Default)]
struct Case {
    name: String,
    /// (in, out, tan, jvp); `None` where there is no tangent.
    lists: [Vec<Option<Value>>; 4],
}

fn value(text: &str) -> Option<Value> {
    let (ty, data) = text.split_once(']')?;
    let (dtype, shape) = ty.split_once('[')?;
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.parse().ok()).collect();
    let data: Vec<f64> = data.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let dtype: DType = dtype.parse().unwrap();
    Array::from_slice(&data, shape).cast(dtype).value().ok()
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("data/indexing.txt").lines().filter(|l| !l.starts_with('#')) {
        let (what, rest) = line.split_once(' ').unwrap();
        if what == "case" {
            let name = rest.split(' ').next().unwrap().to_string();
            cases.push(Case { name, ..Case::default() });
            continue;
        }
        let list = ["in", "out", "tan", "jvp"].iter().position(|w| *w == what).unwrap();
        cases.last_mut().unwrap().lists[list].push(value(rest));
    }
    cases
}

/// The JAX expression of a case.
fn apply(name: &str, x: &[Array]) -> Vec<Array> {
    let (op, number) = name.split_once('/').unwrap();
    let number: usize = number.parse().unwrap();
    let a = &x[0];
    // Cases of one running reduction go through axes and directions in this order.
    let (axis, reverse) = match (op, number) {
        ("cumsum", n) => ([0, 0, 1, 1, 1, 1, 0][n - 8], n < 14 && n % 2 == 1),
        (_, n @ 0..6) => ([0, 0, 1, 1, 1, 1][n], n % 2 == 1),
        _ => (0, false),
    };
    let cumulative = |op| vec![a.cumulative(op, axis, reverse)];
    let one = match op {
        // JAX does not count negative indices from the end when it clips.
        "take" if number == 0 => a.take_mode(x[1].maximum(0), 0, OutOfRange::Clamp),
        "take" => a.take(&x[1], [0, 0, 0, 1][number]),
        "take_along_axis" => a.take_along_axis(&x[1], 1 - number as isize),
        "scatter_add" if number == 2 => a.at_indices([&x[1], &x[2]]).add(&x[3]),
        "scatter_add" => a.at_indices([&x[1]]).add(&x[2]),
        "scatter_set" if number == 1 => a.at_indices([&array([1, 2])]).set(&x[1]),
        "scatter_set" => a.at_indices([&x[1]]).set(&x[2]),
        "scatter_multiply" => a.at_indices([&x[1]]).mul(&x[2]),
        "scatter_min" => a.at_indices([&x[1]]).min(&x[2]),
        "scatter_max" => a.at_indices([&x[1]]).max(&x[2]),
        "dynamic_slice" if number < 3 => a.dynamic_slice(&x[1..], [3]),
        "dynamic_slice" => a.dynamic_slice(&x[1..], [2, 2]),
        "dynamic_update_slice" => a.dynamic_update_slice(&x[1], &x[2..]),
        "cumsum" => return cumulative(CumulativeOp::Sum),
        "cumprod" => return cumulative(CumulativeOp::Prod),
        "cummax" => return cumulative(CumulativeOp::Max),
        "cummin" => return cumulative(CumulativeOp::Min),
        "cumlogsumexp" => a.cumlogsumexp(axis, reverse),
        "sort" => a.sort(if number == 8 { 0 } else { -1 }),
        "argsort" => a.argsort(0),
        "sort_key_val" => {
            let (keys, values) = sort_key_val(a, &x[1], 0);
            return vec![keys, values];
        }
        "sort_multi" => return sort_together(x, 0, 2),
        "top_k" => {
            let (values, indices) = a.top_k(3);
            return vec![values, indices];
        }
        "searchsorted" => searchsorted(a, &x[1], number == 1),
        "argmax" if number == 8 => a.flatten().argmax(0),
        "argmax" => a.argmax([0, 0, 2, 1, 1][number - 9]),
        "argmin" => a.argmin(if number == 9 { 0 } else { 1 }),
        "median" if number == 0 => a.median(),
        "median" => a.median_axes([0, 0, 0, 2][number]),
        "quantile" => a.quantile_axes([0.1, 0.5, 0.9][number], 0),
        "roll" => a.roll(2, 0),
        "tile" => a.tile(&[2, 1, 2]),
        "repeat" => a.repeat(2, 1),
        "diff" => a.diff(1, -1),
        "one_hot" => a.one_hot(4),
        "tril" => a.tril(),
        "triu" => a.triu_offset(1),
        "diag" if a.rank() == 1 => a.diag_offset(-(number as isize)),
        "diag" => a.diagonal_offset(-(number as isize)),
        "diagonal" => a.diagonal(),
        "segment_sum" => segment_sum(a, &x[1], 4),
        "bincount" => bincount(a, 6),
        _ => panic!("no case {name}"),
    };
    vec![one]
}

#[track_caller]
fn same(what: &str, have: &Value, want: &Value) {
    close(what, have, want, Tolerance::mixed(1e-11));
}

/// Runs a graph on the interpreter, compares the compiled one with it and gives the results.
#[track_caller]
fn run(what: &str, graph: &Graph, inputs: &[Value]) -> Vec<Value> {
    let inputs: Vec<&Value> = inputs.iter().collect();
    let want = eval_graph(graph, &inputs).unwrap_or_else(|e| panic!("{what}: {e}\n{graph}"));
    let compiled =
        Cpu.compile(verify(graph).unwrap()).unwrap_or_else(|e| panic!("{what}: {e}\n{graph}"));
    for (have, want) in compiled.run(&inputs).unwrap().iter().zip(&want) {
        assert_eq!(have.ty(), want.ty());
        same(&format!("{what} compiled\n{graph}"), have, want);
    }
    want.to_vec()
}

#[test]
fn values_and_tangents_of_jax() {
    for case in cases() {
        let name = &case.name;
        let [inputs, outputs, tangents, jvp] = &case.lists;
        let inputs: Vec<Value> = inputs.iter().flatten().cloned().collect();
        let types: Vec<ArrayType> = inputs.iter().map(|v| v.ty().clone()).collect();
        let graph = with_default_float(DType::F64, || trace(&types, |x| apply(name, x)))
            .unwrap_or_else(|e| panic!("{name}: {e}"))
            .graph;
        let have = run(name, &graph, &inputs);
        assert_eq!(have.len(), outputs.len(), "{name}");
        for (have, want) in have.iter().zip(outputs.iter().flatten()) {
            same(name, have, want);
        }

        let twice: Vec<Value> = inputs
            .iter()
            .map(|v| {
                let x = Array::from_value(v.clone());
                probpipe_trace::stack(&[x.clone(), x], 0).value().unwrap()
            })
            .collect();
        let axes = vec![Some(0); inputs.len()];
        let (mapped, _) = rewrite::vmap(&graph, 2, &axes).unwrap();
        for (lanes, want) in run(&format!("{name} mapped"), &mapped, &twice).iter().zip(&have) {
            let lanes = Array::from_value(lanes.clone());
            for lane in 0..2 {
                same(&format!("{name} lane {lane}"), &lanes.at(lane).value().unwrap(), want);
            }
        }

        if tangents.is_empty() {
            continue;
        }
        let flags: Vec<bool> = tangents.iter().map(Option::is_some).collect();
        let forward = rewrite::jvp(&graph, &flags).unwrap();
        let mut operands = inputs.clone();
        operands.extend(tangents.iter().flatten().cloned());
        let dy = run(&format!("{name} jvp"), &forward.graph, &operands).split_off(have.len());
        let mut dy = dy.iter();
        for (want, moves) in jvp.iter().zip(&forward.nonzero) {
            if let (Some(want), true) = (want, moves) {
                same(&format!("{name} tangent"), dy.next().unwrap(), want);
            }
        }
    }
}

#[test]
fn equal_indices_and_ties_have_right_derivatives() {
    let x = || Array::from_slice(&[0.3, -0.7, 1.1, 0.2], [4]);
    let i = array([1, 1, -1, 9, 1]);
    let u = || Array::from_slice(&[0.5, -2.0, 0.4, 3.0, 0.9], [5]);
    type Function = fn(&Array, &Array, &Array) -> Array;
    let functions: [Function; 7] = [
        |x, i, u| x.at_indices([i]).set(u),
        |x, i, u| x.at_indices([i]).add(u),
        |x, i, u| x.at_indices([i]).mul(u),
        |x, i, u| x.at_indices([i]).min(u),
        |x, i, u| x.at_indices([i]).max(u),
        |x, i, u| x.cumprod(0).take_mode(i, 0, OutOfRange::Clamp) * u.cummax(0),
        |x, _, u| x.sort(0).sum() * u.cumulative(CumulativeOp::Min, 0, true),
    ];
    for (k, f) in functions.iter().enumerate() {
        let loss = |(x, u): (Array, Array)| {
            let y = f(&x, &i, &u);
            let finite = probpipe_trace::select(&y.is_nan(), 0.0, &y);
            (finite.sin() * (probpipe_trace::arange(y.size()) + 1).cast(DType::F64)).sum()
        };
        let (gx, gu) = probpipe_transforms::grad(loss)((x(), u()));
        let slopes = differences(loss, &(x(), u()));
        close(k, [gx.numbers(), gu.numbers()].concat(), slopes, Tolerance::mixed(1e-6));
    }
}

#[test]
fn indices_from_kernels_and_loops() {
    // Indices computed in the same kernel, a mask and an index as what is read, empty arrays.
    let types = [ArrayType::new(DType::F32, [5, 3]), ArrayType::new(DType::I64, [4])];
    let graph = trace(&types, |x| {
        let i = &x[1] * 2i64 - 3i64;
        let counted = probpipe_trace::arange(7) * 3;
        vec![
            (x[0].take(&i, 0) * 2.0).sum_axes([1]),
            counted.take_mode(&i, 0, OutOfRange::Clamp),
            x[0].flip(0).transpose().take_mode(&i, 1, OutOfRange::Clamp),
            x[0].slice_axis(0, 0..0).take(&i, 0),
            probpipe_trace::fori_loop(4, x[0].clone(), |t, c| {
                let row = c.take_mode(&t, 0, OutOfRange::Clamp) + 1.0;
                c.dynamic_update_slice(row.expand_dims(0), &[t + 1, Array::from(0)])
            }),
        ]
    })
    .unwrap()
    .graph;
    let x: Vec<f32> = (0..15).map(|v| v as f32 * 0.5 - 2.0).collect();
    let i = [0i64, 3, 1 << 40, -2];
    let inputs =
        [Value::from_elements(&x, &[5, 3]).unwrap(), Value::from_elements(&i, &[4]).unwrap()];
    let out = run("kernels", &graph, &inputs);
    assert_eq!(out[1].numbers(), [12.0, 9.0, 18.0, 0.0]);
    run("kernels simplified", &rewrite::simplify(&graph), &inputs);
}

#[test]
fn sums_at_known_places_have_the_bits_of_the_interpreter() {
    let mut random = Random::new(5);
    for dtype in [DType::F32, DType::F64] {
        // Few and many elements, with no, some and many updates each; the last two are too long to
        // be written out.
        for (n, count) in [(1, 33), (3, 32), (7, 200), (85, 919), (300, 64), (40, 2500), (5000, 50)]
        {
            let skewed = |random: &mut Random| (random.below(n) * random.below(n + 1) / n) as i32;
            let places: Vec<i32> = (0..count)
                .map(|k| if k % 9 == 4 { n as i32 + k as i32 % 3 } else { skewed(&mut random) })
                .collect();
            let i = Array::from(places);
            let types = [ArrayType::new(dtype, [n]), ArrayType::new(dtype, [count])];
            let inputs: Vec<Value> = types
                .iter()
                .map(|ty| support::random(&mut random, ty, (-3.0, 3.0), true))
                .collect();
            let traced = trace(&types, |x| {
                let add = |to: &Array| to.at_indices([&i]).add(&x[1]);
                let kept = probpipe_trace::fori_loop(3, x[0].clone(), |_, c| add(&c));
                vec![add(&x[0]), kept, add(&(&x[0] * 0.0))]
            });
            let graph = rewrite::simplify(&traced.unwrap().graph);
            support::check(&graph, &inputs, 0.0, &format!("{count} {dtype} to {n}"));
        }
    }
}

#[test]
fn tables_are_read_at_indices_in_memory_and_in_registers() {
    let mut random = Random::new(6);
    for dtype in [DType::F32, DType::F64, DType::I32, DType::I64] {
        for (n, count) in [(5, 100), (17, 61), (85, 919), (1000, 130)] {
            let places: Vec<i32> = (0..count).map(|_| random.below(n) as i32).collect();
            let i = Array::from(places);
            let types = [ArrayType::new(dtype, [n]), ArrayType::new(DType::I32, [count])];
            let inputs: Vec<Value> = types
                .iter()
                .map(|ty| support::random(&mut random, ty, (-3.0, 3.0), true))
                .collect();
            let traced = trace(&types, |x| {
                let two = Array::from(2i32).cast(dtype);
                let known = x[0].take(&i, 0);
                vec![
                    &known * &two,
                    // Words beside wide elements, and elements beside wide words.
                    known.cast(DType::F64) + i.cast(DType::F64),
                    x[0].take_mode(&x[1], 0, OutOfRange::Clamp) * &two,
                    x[0].flip(0).take(&i, 0) + x[0].take(&(&i % 5), 0),
                ]
            });
            let graph = rewrite::simplify(&traced.unwrap().graph);
            support::check(&graph, &inputs, 0.0, &format!("{count} {dtype} of {n}"));
        }
    }
}

#[test]
fn faults_name_shapes() {
    let x = array([[1.0, 2.0], [3.0, 4.0]]);
    let faults = [
        (x.take(array([0.5]), 0), ErrorKind::DType, "f32[1]"),
        (x.at_indices([&array([0, 1])]).set(array([1.0, 2.0, 3.0])), ErrorKind::Shape, "[2,2]"),
        (x.take_along_axis(array([0]), 0), ErrorKind::Shape, "[2,2]"),
        (x.dynamic_slice(&[array(0)], [1, 1]), ErrorKind::Shape, "f32[2,2]"),
        (x.cumsum(2), ErrorKind::Axis, "[2,2]"),
        (array(1.0).sort(0), ErrorKind::Axis, "f32[]"),
    ];
    for (invalid, kind, part) in faults {
        let error = invalid.checked().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        says(&error, &[part]);
    }
}

#[test]
fn printed_graphs_parse_back() {
    let types = [ArrayType::new(DType::F64, [4, 3])];
    let graph = trace(&types, |x| {
        let i = array([0, -1]);
        let y = x[0].at_indices([&i]).max(0.5).cumulative(CumulativeOp::Min, 0, true);
        let (top, at) = y.top_k(2);
        vec![y.take(&i, 1), top, at]
    })
    .unwrap()
    .graph;
    assert_eq!(probpipe_trace::parse(&graph.to_string()).unwrap(), graph);
}
