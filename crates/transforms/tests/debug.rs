//! Finding out: the first NaN, the stages of a program, why it was compiled anew.

use probpipe_testing::{reads, says};
use probpipe_trace::{Array, DType, Interpreter, array, linspace, scan, with_default_float, zeros};
use probpipe_transforms::{Jit, check_nan, grad, jit, stages_of, vmap};
use std::sync::Arc;

#[test]
fn the_first_nan_going_forward() {
    let line = line!();
    let f = |x: Array| {
        let y = x - 2.0;
        let z = y.log();
        (z * 2.0).sum()
    };
    reads(
        check_nan(f)(array([1.0, 2.5])),
        line,
        "
        `log` makes the first NaN: its result is f32[2], 1 of 2
          --> line +3
           = operand f32[2] = -1, 0.5 from line +2
           = help: keep the operands inside the domain of the op, also where its result is not used
        ",
    );
    assert_eq!(check_nan(f)(array([3.0])).item::<f32>().unwrap(), 0.0);
    // Compiled, mapped, and in a loop.
    reads(
        check_nan(jit(vmap(f)))(linspace(0.0, 9.0, 10).reshape([5, 2])),
        line,
        "
        `log` makes the first NaN: its result is f32[5,2], 2 of 10
          --> line +3
           = operand f32[5,2] from -2 to 7 from line +2
           = help: keep the operands inside the domain of the op, also where its result is not used
        ",
    );
    let line = line!();
    let looped = |x: Array| {
        scan(x, linspace(0.0, 1.0, 5), |x, t| {
            let y = x - t;
            (y.sqrt(), ())
        })
        .0
    };
    reads(
        check_nan(looped)(array(0.9)),
        line,
        "
        `sqrt` makes the first NaN: its result is f32[]
          --> line +4
           = operand f32[] = -0.17045468 from line +3
           = help: keep the operands inside the domain of the op, also where its result is not used
        ",
    );
}

#[test]
fn the_first_nan_going_backward() {
    let line = line!();
    let f = |x: Array| {
        let y = x.square().sum();
        y.sqrt()
    };
    // d sqrt(y) = dy / (2 sqrt(y)) = inf, times 2 x = 0.
    let error = check_nan(grad(f))(zeros([2])).value().unwrap_err();
    says(&error, &["makes the first NaN"]);
    assert_eq!(error.location().unwrap().line(), line + 2, "{error}");
    assert!(check_nan(grad(f))(array([3.0, 4.0])).value().is_ok());
}

#[test]
fn a_nan_that_was_there_is_not_made() {
    let f = check_nan(|x: Array| x * 2.0);
    assert!(f(array([f64::NAN])).item::<f32>().unwrap().is_nan());
    // Folding would hide where it came from.
    let f = check_nan(grad(|x: Array| (&x * array([-1.0]).log()).sum()));
    says(f(array(1.0)), &["`log`"]);
}

#[test]
fn stages() {
    let f = |x: Array| (x * 1.0).sin();
    let stages = stages_of(&Interpreter, f, &array([1.0, 2.0])).unwrap();
    assert_eq!(stages[0].0, "traced");
    assert_eq!(
        stages[1],
        ("simplified", "graph (%0:f32[2]) {\n  %1:f32[2] = sin %0\n  return %1\n}".to_string())
    );
}

#[test]
fn why_it_was_compiled_anew() {
    let f = Jit::new(Arc::new(Interpreter), |(a, b): (Array, Vec<Array>)| {
        a.sum() + b[0].sum().cast(DType::F32)
    });
    let x = |n: usize| zeros([n]);
    f.call((x(1), vec![x(1)]));
    f.call((x(1), vec![x(1)]));
    assert!(f.recompiles().is_empty());
    f.call((x(1), vec![x(3)]));
    f.call((x(2), vec![x(3)]));
    f.call((x(1), vec![x(3).cast(DType::F64)]));
    f.call((x(1), vec![x(1), x(1)]));
    with_default_float(DType::F64, || {
        f.call((array(Vec::from([1.0f32])), vec![array(Vec::from([1.0f32]))]));
    });
    assert_eq!(
        f.recompiles(),
        [
            "program 2: leaf `.1[0]` is f32[3], program 1 takes f32[1]",
            "program 3: leaf `.0` is f32[2], program 2 takes f32[1]",
            "program 4: leaf `.1[0]` is f64[3], program 1 takes f32[1]",
            "program 5: the argument has leaves `.0`, `.1[0]`, `.1[1]`, that of program 1 has \
             `.0`, `.1[0]`",
            "program 6: the default float is f64, program 1 was compiled with f32",
        ]
    );
}
