//! Programs as text, whole: what fusion and the buffer plan make of a few functions.
//! `UPDATE_EXPECT=1` writes the files anew; read the difference before keeping it.

use probpipe_lowering::{Options, lower};
use probpipe_trace::{Array, ArrayType, DType, fori_loop, scan, trace, verify};
use std::path::Path;

#[track_caller]
fn expect(name: &str, shapes: &[&[usize]], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let types: Vec<ArrayType> = shapes.iter().map(|s| ArrayType::new(DType::F32, *s)).collect();
    let graph = trace(&types, f).expect("traces").graph;
    let program = lower(verify(&graph).unwrap(), &Options::default()).expect("lowers");
    let text = program.to_string();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, want, "\n{name} is now\n{text}");
}

#[test]
fn softmax() {
    expect("softmax", &[&[8, 100]], |x| {
        let e = (&x[0] - x[0].max_axes([1]).expand_dims(1)).exp();
        vec![&e / e.sum_axes([1]).expand_dims(1)]
    });
}

#[test]
fn solve() {
    expect("solve", &[&[3, 3], &[3]], |x| vec![(&x[0] * 2.0).solve(&x[1])]);
}

#[test]
fn fit() {
    expect("fit", &[&[200]], |x| {
        vec![fori_loop(100, Array::from([0.0, 0.0]), |_, p| {
            let z = (&x[0] - p.at(0)) * (-p.at(1)).exp();
            let g = probpipe_trace::stack(&[z.mean(), z.square().mean() - 1.0], 0);
            p + g * 0.1
        })]
    });
}

#[test]
fn stacked_scan() {
    expect("stacked_scan", &[&[4], &[10, 4]], |x| {
        let (last, sums) = scan(x[0].clone(), x[1].clone(), |c, row| {
            let next = (&c + &row).tanh();
            (next.clone(), next.sum())
        });
        vec![last, sums]
    });
}

#[test]
fn matrices() {
    expect("matrices", &[&[64, 32], &[32, 48]], |x| {
        let product = (&x[0] * 2.0).matmul(&x[1]);
        vec![product.matmul(&product.transpose()).cholesky(), product.at(0)]
    });
}
