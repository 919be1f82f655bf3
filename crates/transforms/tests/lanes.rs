//! Which lanes of `vmap` run apart from each other, by the form that a backend asks for.

use probpipe_trace::{
    Array, ArrayType, Caps, DType, LaneForm, Op, cond, pure_callback, trace, while_loop,
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

/// Whether three lanes become a loop that carries nothing.
fn apart(f: One, form: LaneForm) -> bool {
    let traced = trace(&[ArrayType::new(DType::F32, [3])], |x| vec![vmap(f)(x[0].clone())]);
    let caps = Caps { lanes: form, ..Caps::everything("test") };
    let graph = finish_for(&traced.expect("it is traced").graph, &caps);
    let loops = |op: &Op| matches!(op, Op::Scan(scan) if scan.carries == 0 && scan.length == 3);
    graph.eqns().iter().any(|eqn| loops(&eqn.op))
}

#[test]
fn loops_in_loops_run_apart_where_they_may() {
    let cases = [(straight as One, false), (in_a_row, false), (nested, true), (branching, true)];
    for (f, waits) in cases {
        assert!(!apart(f, LaneForm::InStep));
        assert_eq!(apart(f, LaneForm::Nested), waits);
        assert!(apart(f, LaneForm::Apart));
    }
    assert!(!apart(calling, LaneForm::Nested));
}
