//! Lanes of `vmap` by themselves and in groups, by the form that a backend asks for.

use probpipe_trace::{
    Array, ArrayType, Backend, Caps, DType, Graph, Interpreter, LaneForm, Op, arange, cond,
    pure_callback, trace, verify, while_loop,
};
use probpipe_transforms::rewrite::finish_for;
use probpipe_transforms::vmap;

type One = fn(Array) -> Array;

/// Doubled until it is large.
fn straight(x: Array) -> Array {
    while_loop(|x: Array| x.lt(100.0), |x: Array| x * 2.0, x)
}

/// The same in steps that are loops.
fn nested(x: Array) -> Array {
    let little = |x: Array| while_loop(|y: Array| y.lt(10.0), |y: Array| y * 1.5, x);
    while_loop(|x: Array| x.lt(100.0), |x: Array| little(&x * 0.5) + x, x)
}

/// The same by branches.
fn branching(x: Array) -> Array {
    let step = |x: Array| cond(x.lt(3.0), x, |x: Array| x + 1.0, |x: Array| x * 2.0);
    while_loop(|x: Array| x.lt(100.0), step, x)
}

/// A loop behind another.
fn in_a_row(x: Array) -> Array {
    straight(straight(x) * 0.01)
}

/// Nested ones that call a function of the host, which lanes in step do in the order of the steps.
fn calling(x: Array) -> Array {
    let host = |x: Array| pure_callback(|x: Array| x + 1.0, &x.clone(), x);
    while_loop(|x: Array| x.lt(100.0), |x: Array| host(nested(x)), x)
}

/// How lanes end that carry a vector each.
fn vectors(x: Array) -> Array {
    let all = |v: Array| while_loop(|v: Array| v.sum().lt(500.0), |v: Array| v * 1.5, v);
    all(&x + arange(5).cast(DType::F32))
}

fn compiled(f: One, count: usize, form: LaneForm) -> Graph {
    let traced = trace(&[ArrayType::new(DType::F32, [count])], |x| vec![vmap(f)(x[0].clone())]);
    let caps = Caps { lanes: form, ..Caps::everything("test") };
    finish_for(&traced.expect("it is traced").graph, &caps)
}

/// The iterations of a loop over lanes that carries nothing, if they become one.
fn groups(f: One, count: usize, form: LaneForm) -> Option<usize> {
    compiled(f, count, form).eqns().iter().find_map(|eqn| match &eqn.op {
        Op::Scan(scan) if scan.carries == 0 => Some(scan.length),
        _ => None,
    })
}

#[test]
fn loops_in_loops_run_apart() {
    for f in [straight as One, in_a_row, nested, branching] {
        assert_eq!(groups(f, 3, LaneForm::InStep), None);
        assert_eq!(groups(f, 3, LaneForm::Apart), Some(3));
    }
    for (f, apart) in [(straight as One, None), (nested, Some(3)), (branching, Some(3))] {
        assert_eq!(groups(f, 3, LaneForm::Grouped), apart);
    }
    assert_eq!(groups(calling, 1000, LaneForm::Grouped), None);
}

#[test]
fn groups_fill_vectors() {
    for (f, count, expected) in [
        // 128 lanes of one number, or as many of fewer lanes as there is no rest.
        (straight as One, 512, 4),
        (straight, 600, 5),
        (straight, 10_000, 125),
        (in_a_row, 1003, 7),
        (straight, 1009, 7),
        (vectors, 1000, 40),
    ] {
        assert_eq!(groups(f, count, LaneForm::Grouped), Some(expected), "{count}");
    }
    assert_eq!(groups(straight, 130, LaneForm::Grouped), None);
}

#[test]
fn groups_give_what_lanes_give_in_step() {
    for f in [straight as One, in_a_row, nested, branching, vectors] {
        for count in [1009, 1000, 600] {
            let x: Array = arange(count).cast(DType::F32) * 0.1 + 0.5;
            let x = x.value().expect("it has a value");
            let run = |form| {
                let graph = compiled(f, count, form);
                let program = Interpreter.compile(verify(&graph).expect("it is sound"));
                program.expect("it is compiled").run(&[&x]).expect("it runs")
            };
            let expected = run(LaneForm::InStep);
            assert!(run(LaneForm::Grouped) == expected, "{count}");
            assert!(run(LaneForm::Apart) == expected, "{count}");
        }
    }
}
