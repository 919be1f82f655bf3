//! What is counted of programs: the same by hand.

use probpipe_lowering::{Options, Work, lower};
use probpipe_trace::{
    Array, ArrayType, DType, LaneForm, fori_loop, scan, trace, verify, while_loop,
};

#[track_caller]
fn work(shape: &[usize], f: impl Fn(&Array) -> Array) -> Work {
    both(shape, f)[0]
}

/// Where lanes run in step, and where they run apart.
#[track_caller]
fn both(shape: &[usize], f: impl Fn(&Array) -> Array) -> [Work; 2] {
    in_forms(shape, [LaneForm::InStep, LaneForm::Apart], f)
}

#[track_caller]
fn in_forms<const N: usize>(
    shape: &[usize],
    forms: [LaneForm; N],
    f: impl Fn(&Array) -> Array,
) -> [Work; N] {
    let graph = trace(&[ArrayType::new(DType::F32, shape)], |x| vec![f(&x[0])]).unwrap().graph;
    let program = lower(verify(&graph).unwrap(), &Options::default()).unwrap();
    forms.map(|lanes| program.work(lanes))
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

/// Rows that are doubled for as long as their first number is small.
fn each_of_many(x: &Array) -> Array {
    let end = |(), v| ((), while_loop(|v: Array| v.at(0).lt(9.0), |v| v * 2.0 + 1.0, v));
    scan((), x.clone(), end).1
}

#[test]
fn lanes_with_loops_of_their_own_are_one_launch() {
    let each = |x: &Array| {
        let end = |(), v| ((), while_loop(|v: Array| v.lt(9.0), |v| v * 1.5 + 1.0, v));
        scan((), x.clone(), end).1
    };
    let [step, apart] = both(&[300], each);
    assert_eq!((apart.launches, apart.asked), (1.0, 1.0));
    assert!(step.launches >= 300.0 && step.asked >= 300.0, "{step:?}");
    assert_eq!((apart.operations, step.alone), (step.operations, 0.0));
    assert_eq!(apart.alone * 300.0, apart.operations);
    // One after the other they wait for each other, but for what a vector does at once.
    let [grouped] = in_forms(&[300], [LaneForm::Grouped], each);
    assert_eq!((grouped.launches, grouped.alone), (1.0, grouped.operations));
    let [grouped] = in_forms(&[300, 16], [LaneForm::Grouped], each_of_many);
    let at_once = grouped.operations / grouped.alone;
    assert!((3.0..8.0).contains(&at_once), "{grouped:?}");
    // Where no lane has such a loop they are kernels as ever.
    let [step, apart] = both(&[300], |x| x.sin() * 2.0);
    assert_eq!(step, apart);
}
