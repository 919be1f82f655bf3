//! Checkpoints: the same values and derivatives, and fewer residuals.

use probpipe_testing::{Tolerance, close, differences};
use probpipe_trace::{Array, DType, Op, array, linspace, scan, with_default_float};
use probpipe_transforms::rewrite::{linearize, partial_eval};
use probpipe_transforms::{
    checkpoint, grad, graph_of, hessian, jacfwd, jit, jvp, raw_graph_of, value_and_grad, vmap,
};

#[track_caller]
fn same(a: &Array, b: &Array) {
    close("", a, b, Tolerance::mixed(1e-12));
}

fn layer(x: Array) -> Array {
    (x.sin().exp() * x.tanh()).square() + x
}

fn deep(x: Array) -> Array {
    layer(layer(layer(x))).sum()
}

fn deep_checkpointed(x: Array) -> Array {
    let layer = checkpoint(layer);
    layer(layer(layer(x))).sum()
}

#[test]
fn values_and_derivatives_are_the_same() {
    with_default_float(DType::F64, || {
        let x = linspace(-0.5, 0.7, 5);
        let ((a, da), (b, db)) =
            (value_and_grad(deep)(x.clone()), value_and_grad(deep_checkpointed)(x.clone()));
        same(&a, &b);
        same(&da, &db);
        close("slopes", &db, differences(deep_checkpointed, &x), Tolerance::mixed(1e-7));
        same(&jit(grad(deep))(x.clone()), &jit(grad(deep_checkpointed))(x.clone()));
        same(&hessian(deep)(x.clone()), &hessian(deep_checkpointed)(x.clone()));
        same(&jit(hessian(deep))(x.clone()), &jit(hessian(deep_checkpointed))(x.clone()));
        let (a, b) = (jacfwd(deep)(x.clone()), jacfwd(deep_checkpointed)(x.clone()));
        same(&a, &b);
        let rows = x.reshape([5, 1]);
        same(&vmap(grad(deep))(rows.clone()), &vmap(grad(deep_checkpointed))(rows.clone()));
        let summed = |f: fn(Array) -> Array| grad(move |x: Array| vmap(f)(x).sum());
        same(&summed(deep)(rows.clone()), &summed(deep_checkpointed)(rows));
        let (_, a) = jvp(deep, x.clone(), x.cos());
        let (_, b) = jvp(deep_checkpointed, x.clone(), x.cos());
        same(&a, &b);
    });
}

#[test]
fn residuals_are_the_arguments() {
    let x = linspace(0.0, 1.0, 8);
    let residuals = |f: fn(Array) -> Array| {
        let graph = raw_graph_of(f, &x).unwrap();
        linearize(&graph, &[true]).unwrap().residuals
    };
    assert!(residuals(deep) >= 6, "{}", residuals(deep));
    assert_eq!(residuals(deep_checkpointed), 3);

    // The split itself: known from the first input, unknown from the second.
    let f = |(x, y): (Array, Array)| {
        checkpoint(|(x, y): (Array, Array)| {
            let a = x.sin().exp();
            (&a * y.cos() * a.sqrt(), a)
        })((x, y))
    };
    let graph = raw_graph_of(f, &(x.clone(), x.clone())).unwrap();
    let partial = partial_eval(&graph, &[true, false]).unwrap();
    assert_eq!((partial.residuals, &partial.known_outputs[..]), (1, &[false, true][..]));
    assert_eq!(partial.known.outputs()[1], partial.known.inputs()[0]);
}

/// Bytes that the backward pass of a graph reads besides the cotangents.
fn residual_bytes(f: impl Fn(Array) -> Array, x: &Array) -> usize {
    let graph = raw_graph_of(f, x).unwrap();
    let linear = linearize(&graph, &[true]).unwrap();
    linear.linear.input_types().take(linear.residuals).map(|ty| ty.bytes()).sum()
}

#[test]
fn a_long_scan_keeps_its_carries() {
    let steps = 1000;
    let run = |step: fn(Array) -> Array| {
        move |x: Array| {
            let xs = linspace(0.0, 1.0, steps);
            scan(x, xs, |x, t| (step(x) * 0.1 + t, ())).0.sum()
        }
    };
    let checkpointed: fn(Array) -> Array = |x| checkpoint(layer)(x);
    let x = linspace(0.0, 1.0, 16);
    let (plain, kept) = (residual_bytes(run(layer), &x), residual_bytes(run(checkpointed), &x));
    // One carry of 16 floats for each step.
    assert_eq!(kept, 4 * 16 * steps);
    assert!(plain >= 3 * kept, "{plain} {kept}");
    let (a, b) = (jit(grad(run(layer)))(x.clone()), jit(grad(run(checkpointed)))(x));
    same(&a.cast(DType::F64), &b.cast(DType::F64));
}

#[test]
fn compilation_does_not_merge_what_is_computed_anew() {
    let graph = graph_of(grad(deep_checkpointed), &array([0.1, 0.2])).unwrap();
    let inside = graph.eqns().iter().filter(|e| matches!(e.op, Op::Checkpoint { .. })).count();
    // Three forward, of which the last is not needed, and three backward.
    assert!((5..=6).contains(&inside), "{graph}");
    let sines = format!("{graph}").matches("= sin").count();
    assert!(sines >= 5, "{graph}");
}

#[test]
fn captured_arrays_are_operands() {
    with_default_float(DType::F64, || {
        let f = |w: Array| {
            let layer = checkpoint(|x: Array| (&x * &w).sin());
            layer(layer(array([0.3, 0.4]))).sum()
        };
        let plain = |w: Array| {
            let layer = |x: Array| (&x * &w).sin();
            layer(layer(array([0.3, 0.4]))).sum()
        };
        same(&grad(f)(array(1.5)), &grad(plain)(array(1.5)));
        same(&jit(hessian(f))(array(1.5)), &hessian(plain)(array(1.5)));
    });
}
