//! Checkpoints, derivatives of one's own and calls of the host in compiled programs: what the CPU
//! computes is what the interpreter computes, and what fails says so.

use probpipe::prelude::*;
use probpipe::{ErrorKind, pure_callback};
use probpipe_testing::{Tolerance, close, says};
use std::sync::{Arc, Mutex};

/// Runs `f` compiled for the CPU and on the interpreter.
#[track_caller]
fn agree(f: impl Fn(Array) -> Array, x: &Array) {
    let have = jit_on(Device::Cpu, &f)(x.clone());
    let want = jit_on(Device::Interpreter, &f)(x.clone());
    close("", have, want, Tolerance::largest(2e-6));
}

fn layer(x: Array) -> Array {
    (x.sin().exp() * x.tanh()).square() + x * 0.5
}

#[test]
fn checkpoints() {
    let f = |x: Array| {
        let layer = checkpoint(layer);
        layer(layer(x)).sum()
    };
    let x = linspace(-1.0, 1.0, 33);
    agree(grad(f), &x);
    agree(hessian(f), &linspace(-1.0, 1.0, 5));
    agree(vmap(grad(f)), &x.reshape([11, 3]));
    let long = |x: Array| {
        scan(x, linspace(0.0, 1.0, 100), |x, t| (checkpoint(layer)(x) * 0.5 + t, ())).0.sum()
    };
    agree(grad(long), &linspace(-1.0, 1.0, 7));
}

fn softplus(x: Array) -> Array {
    custom_jvp(
        |x: Array| (x.exp() + 1.0).log(),
        |x: Array, dx: Array| (softplus(x.clone()), dx / (1.0 + (-x).exp())),
    )(x)
}

fn log_sum(x: Array) -> Array {
    custom_vjp(
        |x: Array| x.exp().sum().log(),
        |x: Array| {
            let y = log_sum(x.clone());
            (y.clone(), (x, y))
        },
        |(x, y): (Array, Array), ct: Array| (x - y).exp() * ct,
    )(x)
}

#[test]
fn rules() {
    let x = linspace(-3.0, 3.0, 20);
    agree(softplus, &x);
    agree(vmap(grad(softplus)), &x);
    agree(vmap(grad(grad(softplus))), &x);
    agree(grad(log_sum), &x);
    agree(hessian(log_sum), &x);
    agree(vmap(jacfwd(log_sum)), &x.reshape([5, 4]));
    let looped = |x: Array| scan(x, linspace(0.1, 1.0, 9), |x, t| (softplus(x) * t, ())).0.sum();
    agree(grad(looped), &x);
}

fn doubled(x: Array) -> Array {
    pure_callback(|x: Array| x * 2.0, &x, x.clone())
}

#[test]
fn calls_of_the_host() {
    let x = linspace(0.0, 1.0, 6);
    agree(|x| doubled(x.sin()) + x, &x);
    agree(vmap(|x: Array| doubled(x.sin()).sum()), &x.reshape([3, 2]));
    agree(|x| scan(x, linspace(0.0, 1.0, 4), |x, t| (doubled(x) + t, ())).0, &x);
    // Views are made whole for the host.
    agree(|x: Array| doubled(x.reshape([2, 3]).transpose()).reshape([6]), &x);
    // A compiled program that calls a compiled program.
    let inner = Arc::new(Mutex::new(0));
    let calls = inner.clone();
    let nested = move |x: Array| {
        let calls = calls.clone();
        let host = move |x: Array| {
            *calls.lock().unwrap() += 1;
            jit(|x: Array| x.exp())(x)
        };
        pure_callback(host, &x, x.clone())
    };
    agree(nested, &x);
    assert_eq!(*inner.lock().unwrap(), 2);
    // Several results of several types.
    let split = |x: Array| {
        let like = (x.cast(DType::I32), x.clone());
        let (whole, rest) =
            pure_callback(|x: Array| (x.floor().cast(DType::I32), &x - x.floor()), &like, x);
        whole.cast(DType::F32) * 10.0 + rest
    };
    agree(split, &array([1.25, 2.5, -0.5]));
}

#[test]
fn calls_that_fail() {
    let line = line!() + 1;
    let panics = jit(|x: Array| pure_callback(|_: Array| panic!("no luck"), &x, x.clone()) + 1.0);
    for _ in 0..2 {
        let error = panics(array([1.0, 2.0])).value().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Host);
        assert_eq!(error.location().unwrap().line(), line);
        says(&error, &["panicked: no luck"]);
    }
    let wrong = jit(|x: Array| pure_callback(|x: Array| x.sum(), &x, x.clone()));
    let error = wrong(array([1.0, 2.0])).value().unwrap_err();
    says(&error, &["gave [f32[]]"]);
    // A failure in the midst of a loop does not disturb what comes after.
    let sometimes = jit(|x: Array| {
        let step = |c: Array, t: Array| {
            let host = |t: Array| {
                if t.item::<f32>().unwrap() > 2.0 { t.reshape([3]) } else { t }
            };
            (c + pure_callback(host, &t, t.clone()), ())
        };
        scan(array([0.0]).sum(), x, step).0
    });
    assert!(sometimes(array([1.0, 3.0])).value().is_err());
    assert_eq!(sometimes(array([1.0, 2.0])).item::<f32>().unwrap(), 3.0);
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_calls_nothing_of_the_host() {
    let line = line!() + 1;
    let error = jit_on(Device::Gpu, doubled)(array([1.0])).value().unwrap_err();
    assert!(error.to_string().contains("callback") || Device::Gpu.check().is_err(), "{error}");
    let _ = line;
}

#[test]
fn inspection() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let f = move |x: Array| {
        let note = note.clone();
        let y = x.sin().inspect_with(move |y| note.lock().unwrap().push(y.clone()));
        y.square().sum()
    };
    let g = jit(grad(f));
    g(array([0.0, 0.0]));
    g(array([0.0, 0.0]));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].to_vec::<f32>().unwrap(), [0.0, 0.0]);
}
