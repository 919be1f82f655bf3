//! Branches and loops on values: what they compute, what they capture, and what they refuse.

use probpipe_testing::says;
use probpipe_trace::{
    Array, DType, ErrorKind, ScanOptions, Tree, arange, array, associative_scan, cond,
    fori_loop_dynamic, map, parse, scan_n, switch, trace, while_loop,
};
use std::cell::Cell;
use std::collections::BTreeMap;

fn values(x: &Array) -> Vec<f32> {
    x.cast(DType::F32).to_vec().unwrap()
}

#[test]
fn one_branch_runs() {
    let x = array([1.0, 4.0]);
    let pick = |p: Array| cond(p, &x * 1.0, |x| x.sqrt(), |x| x * 2.0);
    assert_eq!(values(&pick(array(true))), [1.0, 2.0]);
    assert_eq!(values(&pick(array(0))), [2.0, 8.0]);
    assert_eq!(values(&pick(array(-0.5))), [1.0, 2.0]);
    let by = |i: Array| {
        let branches: [fn(Array) -> Array; 3] = [|x| x + 1.0, |x| x * 2.0, |x| -x];
        values(&switch(i, array([3.0]), branches))
    };
    for (i, want) in [(-7i64, 4.0), (0, 4.0), (1, 6.0), (2, -3.0), (1 << 40, -3.0)] {
        assert_eq!(by(Array::from_slice(&[i], ())), [want]);
    }
    assert_eq!(by(Array::from_slice(&[255u8], ())), [-3.0]);
    // Trees in and out.
    let tree = BTreeMap::from([("a".to_string(), array(1.0)), ("b".to_string(), array(2.0))]);
    let out = cond(
        &array(false),
        (tree, array([5, 6])),
        |(t, n)| (n, t),
        |(t, n)| (n * 2, t.map(|x| x + 1.0)),
    );
    assert_eq!(out.0.to_vec::<i32>().unwrap(), [10, 12]);
    assert_eq!(values(&out.1["b"]), [3.0]);
}

#[test]
fn functions_are_traced_once_and_capture() {
    let calls = Cell::new(0);
    let traced = trace(&[array([1.0, 2.0]).ty().unwrap(), array(1).ty().unwrap()], |x| {
        let outer = &x[0] * 3.0;
        let y = while_loop(
            |c: Array| c.sum().lt(outer.sum()),
            |c| {
                calls.set(calls.get() + 1);
                cond(&x[1].gt(0), c, |c| c + &outer, |c| &c + &x[0])
            },
            x[0].clone(),
        );
        vec![y]
    })
    .unwrap();
    assert_eq!(calls.get(), 1);
    assert!(traced.captures.is_empty());
    let text = traced.graph.to_string();
    assert_eq!(parse(&text).unwrap(), traced.graph, "{text}");
    let run = |n: i32| {
        let inputs = [array([1.0, 2.0]), array(n).cast(DType::I32)];
        values(&probpipe_trace::inline(&traced.graph, &inputs)[0])
    };
    assert_eq!(run(1), [4.0, 8.0]);
    assert_eq!(run(0), [3.0, 6.0]);
}

#[test]
fn loops_count_and_stop() {
    let (x, n) = while_loop(
        |(x, _): (Array, Array)| x.lt(50.0),
        |(x, n)| (x * 3.0, n + 1),
        (array(1.0), array(0)),
    );
    assert_eq!((values(&x), values(&n)), (vec![81.0], vec![4.0]));
    let sum = |a: i32, b: i32| {
        let total = fori_loop_dynamic(array(a), b, array(0), |i, s| i + s);
        total.item::<i32>().unwrap()
    };
    assert_eq!((sum(0, 5), sum(3, 6), sum(-2, 1), sum(4, 4), sum(9, 2)), (10, 12, -3, 0, 0));
    let rows = map(|(x, i): (Array, Array)| (&x * 2.0, i + 1), (array([1.0, 2.0]), arange(2)));
    assert_eq!((values(&rows.0), values(&rows.1)), (vec![2.0, 4.0], vec![1.0, 2.0]));
    let product = associative_scan(|a: Array, b| a * b, arange(5) + 1, 0, true);
    assert_eq!(product.to_vec::<i32>().unwrap(), [120, 120, 60, 20, 5]);
    let (_, ys) = ScanOptions::new().unroll(3).scan(array(0), arange(7), |c, i| {
        let c = c + i;
        (c.clone(), c)
    });
    assert_eq!(ys.to_vec::<i32>().unwrap(), [0, 1, 3, 6, 10, 15, 21]);
}

#[track_caller]
fn refused(x: &Array, kind: ErrorKind, parts: &[&str]) {
    let error = x.error().expect("an invalid array");
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} in\n{text}");
    says(&text, &["tests/control.rs:", "help: "]);
}

#[test]
fn mistakes_are_explained() {
    let x = array([1.0, 2.0]);
    let y = cond(&x.gt(0.0), x.clone(), |x| x, |x| -x);
    refused(&y, ErrorKind::Shape, &["`cond` branches on one bool, not bool[2]"]);
    let (_, y) = cond(&array(true), x.clone(), |x| (x.clone(), x.sum()), |x| (x.clone(), x));
    let parts =
        ["the result leaf `.1` of `cond` is f32[2] in the false branch and f32[] in the true"];
    refused(&y, ErrorKind::Shape, &parts);
    let y = cond(&array(true), x.clone(), |x| vec![x], |x| vec![x.clone(), x]);
    let parts = ["leaves `[0]`, `[1]`", "the true branch has leaves `[0]`"];
    refused(&y[0], ErrorKind::Tree, &parts);
    let y = switch(&x, x.clone(), (|x: Array| x, |x: Array| x + 1.0));
    refused(&y, ErrorKind::DType, &["`switch` chooses by an integer scalar, not f32[2]"]);
    let y = switch(&array([1, 2]), x.clone(), (|x: Array| x, |x: Array| x + 1.0));
    refused(&y, ErrorKind::Shape, &["`switch` chooses by an integer scalar, not i32[2]"]);

    let y = while_loop(|x: Array| x.lt(0.0), |x| x + 1.0, x.clone());
    refused(&y, ErrorKind::Shape, &["`while_loop` goes on while one bool, not bool[2]"]);
    let (_, y) = while_loop(
        |(n, _): (Array, Array)| n.lt(3),
        |(n, x)| (n + 1, x.sum()),
        (array(0), x.clone()),
    );
    let parts = ["carry leaf `.1` starts as f32[2] and ends a step as f32[]"];
    refused(&y, ErrorKind::Shape, &parts);
    let y = while_loop(
        |x: Vec<Array>| x[0].lt(3.0),
        |x| vec![x[0].clone(), x[0].clone()],
        vec![array(0.0)],
    );
    refused(&y[0], ErrorKind::Tree, &["the loop's carry changes structure"]);
    let y = fori_loop_dynamic(0, array(2.5), x.clone(), |_, x| x);
    refused(&y, ErrorKind::DType, &["the upper bound of a loop is an i32 scalar, not f32[]"]);
    let y = fori_loop_dynamic(arange(2), 3, x.clone(), |_, x| x);
    refused(&y, ErrorKind::Shape, &["the lower bound of a loop is an i32 scalar, not i32[2]"]);
    let (_, y) = fori_loop_dynamic(0, 3, (x.clone(), x.clone()), |i, (a, _)| (a, i));
    refused(&y, ErrorKind::DType, &["carry leaf `.1` starts as f32[2] and ends a step as i32[]"]);

    let y = associative_scan(|a: Array, _| a.sum(), x.clone(), 0, false);
    refused(&y, ErrorKind::Shape, &["`associative_scan` of f32[1] gives f32[]"]);
    let y = associative_scan(|a: Array, b| a + b, x.clone(), 1, false);
    refused(&y, ErrorKind::Axis, &["along axis 1 does not fit f32[2]"]);
    // Errors of operands come through.
    let bad = &x + array([1.0, 2.0, 3.0]);
    refused(&cond(&array(true), bad.clone(), |x| x, |x| x + 1.0), ErrorKind::Shape, &["add"]);
    refused(&while_loop(|x: Array| x.sum().lt(3.0), |x| x, bad), ErrorKind::Shape, &["add"]);
}

#[test]
fn a_number_of_steps_over_nothing() {
    let step = |(a, b): (Array, Array)| ((b.clone(), &a + b), a);
    let ((a, _), seen) = scan_n(6, (array(0.0), array(1.0)), step);
    assert_eq!((values(&a), values(&seen)), (vec![8.0], vec![0.0, 1.0, 1.0, 2.0, 3.0, 5.0]));
    let backwards = ScanOptions::new().reverse().unroll(4);
    let ((a, _), seen) = backwards.scan_n(6, (array(0.0), array(1.0)), step);
    assert_eq!((values(&a), values(&seen)), (vec![8.0], vec![5.0, 3.0, 2.0, 1.0, 1.0, 0.0]));
    let (same, none) = scan_n(0, array(2.0), |x| (&x * 2.0, x));
    assert_eq!((values(&same), none.shape()), (vec![2.0], &[0][..]));
    // Its text is read back.
    let graph = trace(&[], |_| vec![scan_n(3, array(1.0), |x| (&x * 2.0, x)).1]).unwrap().graph;
    assert_eq!(parse(&graph.to_string()).unwrap().to_string(), graph.to_string());
    // What changes the carry is refused as anywhere.
    let (carry, _) = scan_n(3, array(1.0), |x| (x.cast(DType::I32), x));
    assert!(carry.value().unwrap_err().to_string().contains("starts as f32[]"));
}
