//! Lanes of `vmap` by themselves and in groups, by the form that a backend asks for.

use probpipe_trace::{
    Array, ArrayType, Backend, Caps, DType, Graph, Interpreter, LaneForm, Op, arange, cond,
    fori_loop, pure_callback, scan, trace, verify, while_loop, zeros,
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

/// As many steps in every lane.
fn counted(x: Array) -> Array {
    fori_loop(5, x, |i, x: Array| x * 0.5 + i.cast(DType::F32))
}

/// Vectors, longer ones inside, and what is kept of each step.
fn recurrence(x: Array) -> Array {
    let start = &x + arange(5).cast(DType::F32);
    let (end, kept) = scan(start, arange(7).cast(DType::F32), |v: Array, k: Array| {
        let v = v * 0.5 + k;
        (v.clone(), v.sum())
    });
    end.sum() + kept.max()
}

/// Vectors that fill a group by themselves.
fn wide(x: Array) -> Array {
    fori_loop(5, x + zeros([400]), |_, v: Array| v * 0.5).sum()
}

/// Vectors that are longer than that.
fn long(x: Array) -> Array {
    fori_loop(5, x + zeros([600]), |_, v: Array| v * 0.5).sum()
}

/// In which of the lanes only one goes on, and all of them through steps that are counted.
fn counted_and_straight(x: Array) -> Array {
    straight(counted(x).abs() + 1.0)
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
fn counted_loops_run_in_larger_groups() {
    for f in [counted as One, recurrence, long] {
        assert_eq!(groups(f, 10_000, LaneForm::InStep), None);
        assert_eq!(groups(f, 10_000, LaneForm::Apart), None);
    }
    for (f, count, expected) in [
        (counted as One, 2048, Some(4)),
        (counted, 10_000, Some(25)),
        (counted, 2000, Some(5)),
        (counted, 1000, None),
        (recurrence, 10_000, Some(125)),
        (wide, 10, Some(10)),
        (wide, 3, None),
        (long, 10_000, None),
        // One loop that waits makes all of it wait.
        (counted_and_straight, 512, Some(4)),
    ] {
        assert_eq!(groups(f, count, LaneForm::Grouped), expected, "{count}");
    }
    assert_eq!(groups(counted_and_straight, 3, LaneForm::Apart), Some(3));
}

#[test]
fn groups_give_what_lanes_give_in_step() {
    let waiting = [straight as One, in_a_row, nested, branching, vectors];
    for f in waiting.into_iter().chain([counted, recurrence, counted_and_straight]) {
        for count in [2503, 1009, 1000, 600] {
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
