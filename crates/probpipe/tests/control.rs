//! Branches and conditional loops as users write them, compiled: against closed forms, for any
//! number of steps, batched, and to the second derivative.

use probpipe::prelude::*;
use probpipe_testing::{self as testing, Tolerance};

fn number(x: f64) -> Array {
    Array::from_slice(&[x], ())
}

#[track_caller]
fn close(have: &Array, want: &[f64], tolerance: f64) {
    testing::close("", have, want, Tolerance::relative(tolerance));
}

/// `n` steps of `x -> x + (c - x) / n`: `c + (x - c) (1 - 1/n)^n`.
fn relax(n: Array, x: Array, c: Array) -> Array {
    let rate = 1.0 / n.cast(DType::F64);
    let (x, _) = while_loop(
        |(_, i): (Array, Array)| i.lt(&n),
        |(x, i)| (&x + (&c - &x) * &rate, i + 1),
        (x, array(0)),
    );
    x
}

#[test]
fn gradients_of_loops_of_any_length() {
    // One program for all lengths, so its memory is that of any of them.
    let slopes = jit(|(n, x, c): (Array, Array, Array)| {
        grad(|(x, c): (Array, Array)| relax(n.clone(), x, c).square())((x, c))
    });
    for n in [1i32, 10, 1000, 100_000, 1_000_000] {
        let (x, c) = (3.0, 0.5);
        let keep = if n == 1 { 0.0 } else { (f64::from(n) * (-1.0 / f64::from(n)).ln_1p()).exp() };
        let y = c + (x - c) * keep;
        let (dx, dc) = slopes((array(n), number(x), number(c)));
        close(&dx, &[2.0 * y * keep], 1e-9);
        close(&dc, &[2.0 * y * (1.0 - keep)], 1e-9);
    }
}

#[test]
fn lanes_and_second_derivatives() {
    // Steps of Newton's method for the cube root, until it settles.
    let root = |a: Array| {
        let (x, _) = while_loop(
            |(_, change): (Array, Array)| change.gt(1e-13),
            |(x, _)| {
                let next = (&x * 2.0 + &a / x.square()) / 3.0;
                let change = ((&next - &x) / &next).abs();
                (next, change)
            },
            (&a * 0.3 + 0.7, number(1.0)),
        );
        x
    };
    let a = [0.01f64, 0.5, 2.0, 27.0, 4000.0];
    let at = Array::from_slice(&a, [5]);
    let each = |f: fn(f64) -> f64| a.map(f);
    close(&jit(vmap(root))(at.clone()), &each(f64::cbrt), 1e-12);
    let first = each(|a| a.cbrt() / (3.0 * a));
    close(&jit(vmap(grad(root)))(at.clone()), &first, 1e-7);
    close(&jit(grad(|a: Array| vmap(root)(a).sum()))(at.clone()), &first, 1e-7);
    // Newton's method doubles the digits of each derivative a step later than those of the value.
    let squared = |x: Array| root(x).powi(6);
    let second = each(|_| 2.0);
    close(&jit(vmap(hessian(squared)))(at.clone()), &second, 1e-3);
    close(&jit(vmap(grad(grad(squared))))(at), &second, 1e-3);
}

#[test]
fn the_branch_not_taken_never_runs() {
    let endless = |x: Array| {
        fori_loop_dynamic(0, array(i32::MAX), x, |_, x| {
            fori_loop_dynamic(0, array(i32::MAX), x, |i, x| x.sin() + i.cast(DType::F64))
        })
    };
    let f = |x: Array| cond(&x.gt(0.0), x, |x| x.square(), endless);
    close(&jit(f)(number(3.0)), &[9.0], 0.0);
    close(&jit(grad(f))(number(3.0)), &[6.0], 0.0);
    let lanes = Array::from_slice(&[1.0, 2.0], [2]);
    close(&jit(vmap(f))(lanes.clone()), &[1.0, 4.0], 0.0);
    close(&jit(vmap(grad(f)))(lanes.clone()), &[2.0, 4.0], 0.0);
    close(&jit(grad(|x: Array| vmap(f)(x).sum()))(lanes), &[2.0, 4.0], 0.0);
}

#[test]
fn lanes_do_not_spoil_each_other() {
    // Each branch has no finite derivative where the other is taken.
    let f = |x: Array| cond(&x.gt(1.0), x, |x| (x - 1.0).sqrt(), |x| (1.0 - x).sqrt());
    let xs = Array::from_slice(&[0.0, 1.0, 2.0, 0.75], [4]);
    let slopes = jit(grad(|x: Array| vmap(f)(x).sum()))(xs.clone());
    let slopes: Vec<f64> = slopes.to_vec().expect("values");
    assert_eq!([slopes[0], slopes[2], slopes[3]], [-0.5, 0.5, -1.0]);
    assert!(slopes[1].is_infinite(), "{slopes:?}");
    // A lane that has stopped stands where the step has no derivative.
    let g = |x: Array| while_loop(|x: Array| x.gt(0.0), |x| &x - x.sqrt().maximum(0.5), x);
    let slopes = jit(grad(|x: Array| vmap(g)(x).sum()))(Array::from_slice(&[0.0, 4.0], [2]));
    let (mut x, mut dx) = (4.0f64, 1.0);
    while x > 0.0 {
        dx *= 1.0 - if x.sqrt() > 0.5 { 0.5 / x.sqrt() } else { 0.0 };
        x -= x.sqrt().max(0.5);
    }
    close(&slopes, &[1.0, dx], 1e-12);
}

#[test]
fn checkpoints_are_written_in_place() {
    // Backwards through a loop whose number of steps the data decide: one buffer holds 64 states of
    // 500 numbers, and none is made to write a state beside it.
    let f = |x: Array| {
        let (_, x) = while_loop(
            |(left, _): (Array, Array)| left.gt(0.0),
            |(left, x)| (left - 1.0, x.sin()),
            (x.sum().floor(), x),
        );
        x.sum()
    };
    let x = linspace(0.01, 0.02, 500);
    let stages = probpipe::stages_of(grad(f), &x).expect("stages");
    let program = &stages.iter().find(|(name, _)| *name == "program").expect("a program").1;
    let slots = program.lines().filter(|line| line.contains(": f32[64,500] = ")).count();
    assert_eq!(slots, 1, "{program}");
}
