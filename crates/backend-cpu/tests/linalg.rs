//! Decompositions through faer and through the loops for small matrices, against the interpreter,
//! which uses neither.

mod support;

use probpipe_trace::{
    Array, ArrayType, DType, LinalgOp, Op, Value, Vectors, bind, fori_loop, trace,
};
use support::check;

/// Matrices with singular values well apart, so that vectors are well determined.
fn matrices(dtype: DType, shape: &[usize]) -> Value {
    let (m, n) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let size: usize = shape.iter().product();
    let data: Vec<f64> = (0..size)
        .map(|e| {
            let (i, j) = (e % (m * n) / n, e % n);
            let noise = (((e as f64 + 0.3) * 12.9898).sin() * 43758.5453).fract();
            noise * 0.5 / (m.max(n) as f64).sqrt() + if i == j { 1.0 + 0.5 * i as f64 } else { 0.0 }
        })
        .collect();
    Array::from_slice(&data, shape).cast(dtype).value().unwrap()
}

/// Runs a function of one array both ways, at a tolerance for numbers of the size of `scale`.
#[track_caller]
fn agree(what: &str, x: Value, ulp: f64, f: impl FnOnce(&Array) -> Vec<Array>) {
    let traced = trace(&[x.ty().clone()], |inputs| f(&inputs[0])).unwrap();
    let what = format!("{what} of {}", x.ty());
    check(&traced.graph, &[x], ulp, &what);
}

const SHAPES: [&[usize]; 14] = [
    &[0, 0],
    &[0, 3],
    &[3, 0],
    &[1, 1],
    &[3, 3],
    &[5, 2],
    &[2, 5],
    &[4, 3, 3],
    &[0, 2, 2],
    &[2, 0, 2, 2],
    &[2, 2, 4, 3],
    &[40, 40],
    &[45, 30],
    &[30, 45],
];

#[test]
fn decompositions_agree_with_the_interpreter() {
    for dtype in [DType::F64, DType::F32] {
        for shape in SHAPES {
            let x = || matrices(dtype, shape);
            let both = |op: LinalgOp| move |x: &Array| bind(Op::Linalg(op), &[x]).to_vec();
            agree("lu", x(), 4096.0, both(LinalgOp::Lu));
            agree("qr", x(), 16384.0, both(LinalgOp::Qr { full: false }));
            agree("full qr", x(), 16384.0, both(LinalgOp::Qr { full: true }));
            for vectors in [Vectors::None, Vectors::Thin, Vectors::Full] {
                agree("svd", x(), 16384.0, both(LinalgOp::Svd { vectors }));
            }
            if shape[shape.len() - 1] == shape[shape.len() - 2] {
                for vectors in [false, true] {
                    agree("eigh", x(), 16384.0, both(LinalgOp::Eigh { vectors }));
                }
                agree("solve", x(), 4096.0, |a| {
                    let factors = a.lu_factor();
                    vec![
                        factors.solve(a),
                        factors.solve_transposed(&a.slice_axis(-1, 0..0)),
                        a.inv(),
                    ]
                });
                agree("solve transposed", x(), 4096.0, |a| vec![a.lu_factor().solve_transposed(a)]);
                agree("slogdet", x(), 4096.0, |a| vec![a.slogdet().0, a.slogdet().1]);
                agree("det", x(), 4096.0, |a| vec![(a * 0.2).lu_factor().det()]);
                agree("expm", x(), 65536.0, |a| vec![(a * 0.1).expm()]);
            }
            agree("pinv", x(), 16384.0, |a| vec![a.pinv()]);
        }
    }
}

/// Pivots that are far from the diagonal, ties, and pivots that are zero.
#[test]
fn pivots_agree_with_the_interpreter() {
    for n in [2, 5, 24, 25, 33, 60] {
        let rows: Vec<f64> =
            (0..n * n).map(|e| (((e as f64 + 0.7) * 78.233).sin() * 43758.5453).fract()).collect();
        let mut singular = rows.clone();
        singular.copy_within(0..n, (n - 1) * n);
        let ties: Vec<f64> =
            (0..n * n).map(|e| if (e / n + e % n) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let zeros = vec![0.0; n * n];
        for (what, data) in [("rows", rows), ("ties", ties), ("zeros", zeros)] {
            let x = Value::from_elements(&data, &[n, n]).unwrap();
            agree(what, x, 65536.0, |a| bind(Op::Linalg(LinalgOp::Lu), &[a]).to_vec());
        }
        let x = Value::from_elements(&singular, &[n, n]).unwrap();
        agree("singular", x, 1e6, |a| vec![(a * 0.1).det(), a.lu_factor().permutation]);
    }
}

#[test]
fn failure_is_nan_in_its_own_matrix() {
    for n in [2, 30] {
        for bad in [f64::NAN, f64::INFINITY] {
            let whole = matrices(DType::F64, &[3, n, n]);
            let mut data = whole.to_vec::<f64>().unwrap();
            data[n * n + 1] = bad;
            data[n * n + n] = bad;
            let x = || Value::from_elements(&data, &[3, n, n]).unwrap();
            agree("cholesky", x(), 16384.0, |a| vec![a.cholesky(), a.cholesky().finite_matrices()]);
            agree("eigh", x(), 65536.0, |a| vec![a.eigh().0, a.eigh().1, a.eigvalsh()]);
            agree("svd", x(), 65536.0, |a| vec![a.svd().0, a.svd().1, a.svdvals(), a.svd_full().2]);
            agree("qr", x(), 65536.0, |a| vec![a.qr().0, a.qr().1, a.qr_full().0]);
        }
    }
    let indefinite = [4.0, 2.0, 2.0, 3.0, 1.0, 2.0, 2.0, 1.0];
    let x = Value::from_elements(&indefinite, &[2, 2, 2]).unwrap();
    agree("indefinite", x, 16.0, |a| vec![a.cholesky()]);
    let singular = Value::from_elements(&[1.0, 2.0, 2.0, 4.0], &[2, 2]).unwrap();
    agree("singular", singular, 16.0, |a| vec![a.inv(), a.slogdet().1, a.det()]);
}

/// In a loop, on transposed operands and on parts of larger arrays.
#[test]
fn decompositions_amid_other_code() {
    let ty = ArrayType::new(DType::F64, [3, 6]);
    let x = matrices(DType::F64, &ty.shape);
    agree("views", x.clone(), 4096.0, |x| {
        let (left, right) = (x.slice_axis(1, 0..3), x.slice_axis(1, 2..5).transpose());
        let shifted = right + probpipe_trace::eye(3).cast(DType::F64) * 3.0;
        vec![left.solve(&shifted) + 1.0, left.transpose().inv(), left.flip(0).det()]
    });
    agree("loop", x, 65536.0, |x| {
        let a = x.slice_axis(1, 0..3);
        let last = fori_loop(5, a.clone(), |_, y: Array| {
            let (w, v) = (&y * 0.5 + a.solve(&y)).eigh();
            (&v * w.tanh().expand_dims(-2)).matmul(&v.transpose())
        });
        vec![last]
    });
}
