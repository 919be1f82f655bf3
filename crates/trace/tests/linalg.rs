//! Decompositions and what is made of them: against NumPy and SciPy (`data/linalg.txt`), by
//! reconstruction at the odd sizes, and what failure and wrong types give.

mod common;

use common::{floats, run, value};
use probpipe_testing::{Tolerance, close, says};
use probpipe_trace::{
    Array, DType, LinalgOp, MatrixNorm, Op, Vectors, array, eye, with_default_float, zeros,
};
use std::collections::HashMap;

/// Shape and elements.
type Entry = (Vec<usize>, Vec<f64>);

fn table() -> HashMap<String, Entry> {
    let entry = |line: &str| {
        let (head, data) = line.split_once(" : ").expect("a name, a shape and elements");
        let (name, shape) = head.split_once(' ').expect("a name and a shape");
        let shape = shape.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let data = data.split(", ").map(|v| v.parse().expect("a number")).collect();
        (name.to_string(), (shape, data))
    };
    let lines = include_str!("data/linalg.txt").lines();
    lines.filter(|l| !l.starts_with('#')).map(entry).collect()
}

fn numbers(x: &Array) -> Vec<f64> {
    let value = x.value().unwrap_or_else(|e| panic!("{e}"));
    floats(&value)
}

#[track_caller]
fn near(what: &str, have: &Array, shape: &[usize], want: &[f64], tolerance: f64) {
    assert_eq!(have.shape(), shape, "{what}");
    close(what, have, want, Tolerance::largest(tolerance));
}

/// One name of the table and what it should be, in both float types.
fn each(tag: &str, check: impl Fn(&Array, &dyn Fn(&str, &Array))) {
    let table = table();
    let (shape, data) = &table[&format!("{tag}.a")];
    for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
        with_default_float(dtype, || {
            let a = Array::from_slice(data, &shape[..]).cast(dtype);
            check(&a, &|name: &str, have: &Array| {
                let (shape, want) = &table[&format!("{tag}.{name}")];
                // Powers of ten times ten thousand in `f32`: errors of the condition number.
                near(&format!("{tag}.{name} {dtype}"), have, shape, want, tolerance * 20.0);
            });
        });
    }
}

#[test]
fn matrices_of_every_shape_agree_with_numpy() {
    for tag in ["wide", "tall", "square", "batch"] {
        each(tag, |a, agrees| {
            let (p, l, u) = a.lu();
            agrees("p", &p);
            agrees("l", &l);
            agrees("u", &u);
            let (q, r) = a.qr();
            agrees("q", &q);
            agrees("r", &r);
            agrees("s", &a.svdvals());
            agrees("s", &a.svd().1);
            agrees("pinv", &a.pinv());
            agrees("rank", &a.matrix_rank());
            for (name, norm) in [
                ("fro", MatrixNorm::Frobenius),
                ("nuclear", MatrixNorm::Nuclear),
                ("spectral", MatrixNorm::Spectral),
                ("least", MatrixNorm::LeastSingular),
                ("max_column", MatrixNorm::MaxColumnSum),
                ("min_column", MatrixNorm::MinColumnSum),
                ("max_row", MatrixNorm::MaxRowSum),
                ("min_row", MatrixNorm::MinRowSum),
            ] {
                agrees(name, &a.matrix_norm(norm));
            }
        });
    }
}

#[test]
fn square_matrices_agree_with_numpy() {
    for tag in ["square", "batch"] {
        each(tag, |a, agrees| {
            agrees("det", &a.det());
            let (sign, log) = a.slogdet();
            agrees("sign", &sign);
            agrees("logdet", &log);
            agrees("det", &a.lu_factor().det());
            agrees("inv", &a.inv());
            agrees("cube", &a.matrix_power(3));
            agrees("back", &a.matrix_power(-2));
            agrees("expm", &a.expm());
            agrees("w", &a.eigvalsh());
            agrees("w", &a.eigh().0);
            agrees("cond", &a.cond());
            agrees("cond1", &a.cond_with(MatrixNorm::MaxColumnSum));
            let n = a.shape()[a.rank() - 1];
            let gram = a.matmul(&a.swap_axes(-1, -2)) + eye(n);
            agrees("root", &gram.sqrtm_spd());
            // Squarings lose digits of `f32`.
            if a.dtype() == DType::F64 {
                agrees("expm9", &(a * 9.0).expm());
            }
        });
    }
}

#[test]
fn least_squares_agree_with_numpy() {
    let table = table();
    let get = |name: &str| {
        let (shape, data) = &table[name];
        Array::from_slice(data, &shape[..])
    };
    let want = |name: &str, have: &Array| {
        let (shape, data) = &table[name];
        near(name, have, shape, data, 1e-12);
    };
    let fit = get("tall.a").lstsq(&get("tall.b"));
    want("tall.x", &fit.solution);
    want("tall.residual", &fit.residuals);
    want("tall.s", &fit.singular_values);
    assert_eq!(fit.rank.item::<i32>().unwrap(), 3);
    // Of rank 2 where 3 would be possible.
    let low = get("low.a");
    want("low.pinv", &low.pinv());
    let fit = low.lstsq(&get("low.b"));
    want("low.x", &fit.solution);
    want("low.rank", &fit.rank);
}

fn f64s(shape: &[usize], seed: f64) -> Array {
    let n: usize = shape.iter().product();
    let data: Vec<f64> =
        (0..n).map(|i| ((i as f64 + seed) * 12.9898).sin() * 43758.5453).map(f64::fract).collect();
    Array::from_slice(&data, shape)
}

#[track_caller]
fn same(what: &str, have: &Array, want: &Array) {
    near(what, have, want.shape(), &numbers(want), 2e-14 * 20.0);
}

fn turned(x: &Array) -> Array {
    x.swap_axes(-1, -2)
}

#[test]
fn factors_reconstruct_at_every_size() {
    with_default_float(DType::F64, || {
        let sizes: [&[usize]; 12] = [
            &[0, 0],
            &[0, 3],
            &[3, 0],
            &[1, 1],
            &[1, 4],
            &[4, 1],
            &[6, 6],
            &[9, 4],
            &[4, 9],
            &[0, 3, 3],
            &[2, 0, 2, 3],
            &[2, 3, 5, 4],
        ];
        for shape in sizes {
            let a = f64s(shape, 0.3);
            let (m, n) = (shape[shape.len() - 2], shape[shape.len() - 1]);
            let what = format!("{shape:?}");
            let (p, l, u) = a.lu();
            same(&what, &p.matmul(&l).matmul(&u), &a);
            for (q, r) in [a.qr(), a.qr_full()] {
                same(&what, &q.matmul(&r), &a);
                same(
                    &what,
                    &(turned(&q).matmul(&q) - eye(q.shape()[q.rank() - 1])).abs().sum(),
                    &array(0.0).cast(DType::F64),
                );
                same(&what, &r.tril_offset(-1).abs().sum(), &array(0.0).cast(DType::F64));
            }
            let (u, s, vt) = a.svd();
            same(&what, &(&u * s.expand_dims(-2)).matmul(&vt), &a);
            same(&what, &a.svdvals(), &s);
            let (u, s, vt) = a.svd_full();
            let k = m.min(n);
            let thin =
                (u.slice_axis(-1, 0..k) * s.expand_dims(-2)).matmul(&vt.slice_axis(-2, 0..k));
            same(&what, &thin, &a);
            for (x, side) in [(turned(&u).matmul(&u), m), (vt.matmul(&turned(&vt)), n)] {
                same(&what, &(x - eye(side)).abs().sum(), &array(0.0).cast(DType::F64));
            }
            if m == n {
                let (w, v) = a.eigh();
                let back = (&v * w.expand_dims(-2)).matmul(&turned(&v));
                same(&what, &back, &((&a + turned(&a)) * 0.5));
                same(&what, &a.eigvalsh(), &w);
                let b = f64s(&[&shape[..shape.len() - 2], &[n, 2]].concat(), 0.7);
                same(&what, &a.matmul(&a.solve(&b)), &b);
                let factors = a.lu_factor();
                same(&what, &turned(&a).matmul(&factors.solve_transposed(&b)), &b);
                same(&what, &a.matrix_power(0), &(zeros(shape) + eye(n)));
                let gram = a.matmul(&turned(&a)) + eye(n);
                let l = gram.cholesky();
                same(&what, &gram.matmul(&l.cho_solve(&b)), &b);
            }
        }
        assert_eq!(zeros([0, 0]).det().item::<f64>().unwrap(), 1.0);
        assert_eq!(zeros([2, 0, 0]).slogdet().1.to_vec::<f64>().unwrap(), [0.0, 0.0]);
        assert_eq!(zeros([0, 0]).expm().shape(), [0, 0]);
    });
}

/// The ops one by one, so that their texts are read back too.
#[test]
fn ops_print_and_have_the_signs_they_promise() {
    let a = [0.5, -2.0, 1.0, 1.0, -1.0, 0.25];
    for vectors in [Vectors::None, Vectors::Thin, Vectors::Full] {
        run(&Op::Linalg(LinalgOp::Svd { vectors }), &[value(&a, &[2, 3])]);
    }
    for full in [false, true] {
        run(&Op::Linalg(LinalgOp::Qr { full }), &[value(&a, &[3, 2])]);
    }
    let square = value(&a[..4], &[2, 2]);
    let one = std::slice::from_ref(&square);
    run(&Op::Linalg(LinalgOp::Eigh { vectors: false }), one);
    let vectors = run(&Op::Linalg(LinalgOp::Eigh { vectors: true }), one).remove(1);
    let vectors = floats(&vectors);
    for (x, y) in [(vectors[0], vectors[2]), (vectors[1], vectors[3])] {
        let largest = if x.abs() >= y.abs() { x } else { y };
        assert!(largest > 0.0, "{vectors:?}");
    }
    let factors = run(&Op::Linalg(LinalgOp::Lu), one);
    let (lu, rows) = (factors[0].clone(), factors[2].clone());
    assert_eq!(factors[1].to_vec::<i32>().unwrap(), [1, 1]);
    assert_eq!(rows.to_vec::<i32>().unwrap(), [1, 0]);
    let operands = [square.clone(), lu.clone(), rows.clone()];
    assert_eq!(floats(&run(&Op::Linalg(LinalgOp::LuDet), &operands)[0]), [2.5]);
    for transpose in [false, true] {
        let mut operands = operands.to_vec();
        operands.push(value(&[1.0, 2.0], &[2, 1]));
        run(&Op::Linalg(LinalgOp::LuSolve { transpose }), &operands);
    }
}

/// A matrix on which a method fails has no numbers; its neighbours keep theirs.
#[test]
fn failure_is_nan_in_its_own_matrix() {
    let (good, nan) = ([2.0, 1.0, 1.0, 3.0], f64::NAN);
    let batch = |bad: [f64; 4]| Array::from_slice(&[good, bad, good].concat(), [3, 2, 2]);
    let flags = |x: &Array| x.finite_matrices().to_vec::<bool>().unwrap();
    let only_middle = [true, false, true];

    let l = batch([1.0, 2.0, 2.0, 1.0]).cholesky();
    assert_eq!(flags(&l), only_middle);
    assert_eq!(numbers(&l)[5], 0.0, "zero above the diagonal");
    assert!(numbers(&l)[4].is_nan() && numbers(&l)[6].is_nan());

    let holes = batch([1.0, nan, nan, 1.0]);
    let infinite = batch([1.0, 0.0, 0.0, f64::INFINITY]);
    for x in [&holes, &infinite] {
        let (w, v) = x.eigh();
        assert_eq!(flags(&v), only_middle);
        assert!(numbers(&w)[2..4].iter().all(|w| w.is_nan()));
        let (u, s, vt) = x.svd();
        assert_eq!((flags(&u), flags(&vt)), (only_middle.to_vec(), only_middle.to_vec()));
        assert!(numbers(&s)[2..4].iter().all(|s| s.is_nan()) && numbers(&s)[0].is_finite());
        assert_eq!(flags(&x.qr().0), only_middle);
    }
    assert_eq!(flags(&holes.inv()), only_middle);

    // Singular: as the divisions go, and as JAX gives it.
    let singular = Array::from_slice(&[1.0, 2.0, 2.0, 4.0], [2, 2]);
    let x = singular.solve(&Array::from_slice(&[1.0, 1.0], [2]));
    assert_eq!(numbers(&x), [f64::NEG_INFINITY, f64::INFINITY]);
    let (sign, log) = singular.slogdet();
    assert_eq!((numbers(&sign), numbers(&log)), (vec![0.0], vec![f64::NEG_INFINITY]));
    assert_eq!(numbers(&singular.det()), [0.0]);
    assert!(!singular.inv().all_finite().item::<bool>().unwrap());
    assert!(numbers(&(singular * 1e6).expm()).iter().all(|v| v.is_nan()), "out of reach");
}

#[test]
fn vectors_and_batches_of_right_sides() {
    with_default_float(DType::F64, || {
        let a = array([[2.0, 1.0], [1.0, 3.0]]);
        assert_eq!(numbers(&a.solve(&array([3.0, 4.0]))), [1.0, 1.0]);
        let many = array([[[3.0], [4.0]], [[1.0], [-2.0]]]);
        assert_eq!(numbers(&a.solve(&many)), [1.0, 1.0, 1.0, -1.0]);
        let batch = a.expand_dims(0).broadcast_to([3, 2, 2]);
        assert_eq!(batch.solve(&array([3.0, 4.0])).shape(), [3, 2]);
        // Two axes are a matrix of columns, as in NumPy 2.
        assert_eq!(batch.solve(&eye(2)).shape(), [3, 2, 2]);
    });
}

#[track_caller]
fn refused(x: Array, words: &str) {
    let error = x.checked().expect_err("it is refused");
    let text = error.to_string();
    says(&text, &[words, "linalg.rs"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (wide, vector) = (zeros([2, 3]), zeros([2]));
    let whole = Array::from_slice(&[1, 2, 3, 4], [2, 2]);
    refused(wide.solve(&vector), "`solve` takes square matrices, not f32[2,3]");
    refused(wide.inv(), "`inv` takes square matrices");
    refused(wide.det(), "`det` takes square matrices");
    refused(wide.slogdet().1, "`slogdet` takes square matrices");
    refused(wide.lu_factor().lu, "`lu_factor` takes square matrices");
    refused(wide.expm(), "`expm` takes square matrices");
    refused(wide.eigh().0, "`eigh` takes square matrices");
    refused(wide.eigvalsh(), "`eigvalsh` takes square matrices");
    refused(wide.sqrtm_spd(), "`sqrtm_spd` takes square matrices");
    refused(wide.matrix_power(2), "`matrix_power` takes square matrices");
    refused(wide.cholesky(), "`cholesky` takes square matrices");
    refused(wide.cond_with(MatrixNorm::Frobenius), "`cond_with` takes square matrices");
    refused(vector.lu().0, "`lu` takes matrices, not f32[2]");
    refused(vector.qr().0, "`qr` takes matrices, not f32[2]");
    refused(vector.svd().1, "`svd` takes matrices, not f32[2]");
    refused(vector.pinv(), "`pinv` takes matrices");
    refused(vector.matrix_norm(MatrixNorm::Nuclear), "`matrix_norm` takes matrices");
    refused(whole.inv(), "`inv` takes a float, not i32[2,2]");
    refused(whole.qr().1, "`qr` takes a float, not i32[2,2]");
    refused(eye(2).solve(&zeros([3])), "`solve` cannot solve f32[2,2] against f32[3,1]");
    refused(eye(2).solve(&array(1.0)), "`solve` has no right side in a number");
    refused(eye(2).cast(DType::F32).solve(&zeros([2]).cast(DType::F64)), "one element type");
    refused(wide.lstsq(&zeros([3])).solution, "`lstsq` cannot fit f32[2,3] to f32[3]");
    // Errors of operands pass through.
    refused(eye(2).solve(&(zeros([2]) + zeros([3]))), "cannot broadcast");
}
