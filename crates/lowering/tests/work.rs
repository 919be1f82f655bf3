//! What is counted of programs: the same by hand.

use probpipe_lowering::{Options, Work, lower};
use probpipe_trace::{Array, ArrayType, DType, fori_loop, trace, verify};

#[track_caller]
fn work(shape: &[usize], f: impl Fn(&Array) -> Array) -> Work {
    let graph = trace(&[ArrayType::new(DType::F32, shape)], |x| vec![f(&x[0])]).unwrap().graph;
    lower(verify(&graph).unwrap(), &Options::default()).unwrap().work()
}

#[test]
fn one_kernel() {
    let counted = work(&[1000], |x| x * 2.0 + 1.0);
    let want = Work {
        moved: 8000.0,
        launches: 1.0,
        operations: 2000.0,
        touched: 8000.0,
        ..Work::default()
    };
    assert_eq!(counted, want);
}

#[test]
fn elementary_functions_are_many_operations() {
    let (sum, sine) = (work(&[100], |x| x + 1.0), work(&[100], |x| x.sin()));
    assert!(sine.operations > 5.0 * sum.operations, "{sine:?}");
}

#[test]
fn loops_repeat() {
    let once = work(&[100], |x| x * 0.5 + x.sum());
    let often = work(&[100], |x| fori_loop(50, x.clone(), |_, y: Array| &y * 0.5 + y.sum()));
    assert!(often.launches >= 50.0 * once.launches, "{often:?}");
    assert!(often.operations >= 50.0 * once.operations, "{often:?}");
    assert_eq!(often.moved, once.moved);
}

#[test]
fn products_are_flops() {
    let counted = work(&[64, 64], |x| x.matmul(x));
    assert_eq!((counted.flops, counted.launches), (2.0 * 64.0 * 64.0 * 64.0, 1.0));
}

#[test]
fn sums_read_all_and_write_little() {
    let counted = work(&[1000], Array::sum);
    assert_eq!((counted.touched, counted.operations), (4004.0, 1000.0));
}
