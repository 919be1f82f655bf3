//! Derivatives of decompositions and of what is made of them: first and second order against
//! central differences, reverse against forward mode, batching against single calls; and the
//! points where derivatives are delicate.

use probpipe_testing::{Tolerance, close, says};
use probpipe_trace::{
    Array, DType, Interpreter, MatrixNorm, array, concat, eye, ones, stack, with_default_float,
    zeros,
};
use probpipe_transforms::{grad, hessian, jit_on, jvp, vjp, vmap};
use std::sync::Arc;

/// Numbers in -1..1 that look random.
fn noise(shape: &[usize], seed: f64) -> Array {
    let n: usize = shape.iter().product();
    let at = |i: usize| (((i as f64 + seed) * 12.9898).sin() * 43758.5453).fract();
    Array::from_slice(&(0..n).map(at).collect::<Vec<f64>>(), shape)
}

/// A matrix with singular values well apart.
fn matrix(shape: &[usize]) -> Array {
    let (m, n) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let ladder: Vec<f64> = (0..m * n)
        .map(|e| if e / n == e % n { 1.5 + 1.25 * (e / n) as f64 } else { 0.0 })
        .collect();
    noise(shape, 0.3) * 0.6 + Array::from_slice(&ladder, [m, n])
}

fn numbers(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn near(what: &str, have: &Array, want: &Array, tolerance: f64) {
    close(what, have, want, Tolerance::largest(tolerance));
}

type Function = Arc<dyn Fn(Array) -> Array>;

/// The slope of `f` at `x` along `t` by a difference of fourth order.
fn slope(f: &Function, x: &Array, t: &Array, h: f64) -> Array {
    let at = |k: f64| f(x + t * (k * h));
    (at(-2.0) - at(-1.0) * 8.0 + at(1.0) * 8.0 - at(2.0)) / (12.0 * h)
}

fn check(what: &str, shape: &[usize], f: impl Fn(&Array) -> Array + 'static) {
    let f: Function = Arc::new(move |x| f(&x));
    let x = matrix(shape);
    let t = noise(shape, 0.9);

    let g = f.clone();
    let forward = move |(x, t): (Array, Array)| jvp(|x| g(x), x, t).1;
    let dy = jit_on(Arc::new(Interpreter), forward)((x.clone(), t.clone()));
    near(&format!("jvp of {what}"), &dy, &slope(&f, &x, &t, 1e-3), 1e-8);

    let w = noise(dy.shape(), 0.1);
    let g = f.clone();
    let back = move |(x, w): (Array, Array)| vjp(|x| g(x), x).1(w);
    let ct = jit_on(Arc::new(Interpreter), back)((x.clone(), w.clone()));
    near(&format!("vjp of {what}"), &(ct * &t).sum(), &(&dy * &w).sum(), 1e-11);

    // Second order: the slope of the gradient of a weighted sum.
    let g = f.clone();
    let gradient: Function = Arc::new(move |x| grad(|x| (g(x) * &w).sum())(x));
    let g = gradient.clone();
    let second = move |(x, t): (Array, Array)| jvp(|x| g(x), x, t).1;
    let have = jit_on(Arc::new(Interpreter), second)((x.clone(), t.clone()));
    near(&format!("hessian of {what}"), &have, &slope(&gradient, &x, &t, 1e-3), 1e-7);

    let lanes = stack(&[x.clone(), &x + &t * 0.1, x * 1.1], 0);
    let g = f.clone();
    let mapped = vmap(move |x| g(x))(lanes.clone());
    let one_by_one: Vec<Array> = (0..3).map(|i| f(lanes.at(i))).collect();
    near(&format!("vmap of {what}"), &mapped, &stack(&one_by_one, 0), 1e-12);
}

fn turned(x: &Array) -> Array {
    x.swap_axes(-1, -2)
}

#[test]
fn decompositions() {
    with_default_float(DType::F64, || {
        for shape in [&[3, 3][..], &[4, 2], &[2, 4], &[2, 3, 3], &[1, 1]] {
            let name = |what: &str| format!("{what} {shape:?}");
            check(&name("lu"), shape, |a| {
                let (_, l, u) = a.lu();
                concat(&[l.flatten(), u.flatten()], 0)
            });
            check(&name("qr"), shape, |a| {
                let (q, r) = a.qr();
                concat(&[q.flatten(), r.flatten()], 0)
            });
            check(&name("svd"), shape, |a| {
                let (u, s, vt) = a.svd();
                concat(&[u.flatten(), s.flatten(), vt.flatten()], 0)
            });
            check(&name("svdvals"), shape, Array::svdvals);
            check(&name("pinv"), shape, Array::pinv);
            check(&name("values of a full svd"), shape, |a| a.svd_full().1);
            check(&name("r of a full qr"), shape, |a| a.qr_full().1);
            for norm in [
                MatrixNorm::Frobenius,
                MatrixNorm::Nuclear,
                MatrixNorm::Spectral,
                MatrixNorm::LeastSingular,
                MatrixNorm::MaxColumnSum,
                MatrixNorm::MinRowSum,
            ] {
                check(&name(&format!("{norm:?}")), shape, move |a| a.matrix_norm(norm));
            }
        }
    });
}

#[test]
fn functions_of_square_matrices() {
    with_default_float(DType::F64, || {
        for shape in [&[1, 1][..], &[2, 2], &[3, 3], &[5, 5], &[2, 4, 4]] {
            let name = |what: &str| format!("{what} {shape:?}");
            let n = shape[shape.len() - 1];
            check(&name("solve a vector"), shape, move |a| a.solve(&(noise(&[n], 0.2) * a.sum())));
            check(&name("solve columns"), shape, move |a| a.solve(&a.slice_axis(-1, 0..1)));
            check(&name("solve transposed"), shape, move |a| {
                a.lu_factor().solve_transposed(&(noise(&[n, 2], 0.2) * a.sum()))
            });
            check(&name("inv"), shape, Array::inv);
            check(&name("det"), shape, Array::det);
            check(&name("det of factors"), shape, |a| a.lu_factor().det());
            check(&name("slogdet"), shape, |a| a.slogdet().1);
            check(&name("eigh"), shape, |a| {
                let (w, v) = a.eigh();
                concat(&[w.flatten(), v.flatten()], 0)
            });
            check(&name("eigvalsh"), shape, Array::eigvalsh);
            check(&name("matrix_power"), shape, |a| a.matrix_power(-3));
            check(&name("expm"), shape, |a| (a * 0.3).expm());
            check(&name("expm squared"), shape, |a| (a * 2.0).expm());
            check(&name("cond"), shape, Array::cond);
            check(&name("sqrtm_spd"), shape, move |a| (a.matmul(&turned(a)) + eye(n)).sqrtm_spd());
            check(&name("cholesky"), shape, move |a| (a.matmul(&turned(a)) + eye(n)).cholesky());
        }
        check("lstsq", &[5, 3], |a| {
            let fit = a.lstsq(&(noise(&[5], 0.4) + a.sum()));
            concat(&[fit.solution, fit.residuals.flatten(), fit.singular_values], 0)
        });
    });
}

/// The curvature of log det is -A^-1 dA A^-1.
#[test]
fn hessian_of_log_determinant() {
    with_default_float(DType::F64, || {
        let a = matrix(&[3, 3]);
        let h = hessian(|a: Array| a.slogdet().1)(a.clone());
        let inverse = a.inv();
        // H[i,j,k,l] = -inv[l,i] inv[j,k]
        let want = -probpipe_trace::einsum("li,jk->ijkl", &[&inverse, &inverse]);
        near("hessian", &h, &want, 1e-12);
    });
}

/// A determinant is a polynomial: its gradient, the cofactors, exists at singular matrices.
#[test]
fn determinants_of_singular_matrices() {
    with_default_float(DType::F64, || {
        for n in [2, 3, 4, 5] {
            let regular = matrix(&[n, n]);
            // The last row repeats the first: rank n - 1.
            let row = regular.slice_axis(0, 0..1);
            let a = concat(&[regular.slice_axis(0, 0..n - 1), row], 0);
            let f: Function = Arc::new(|a: Array| a.det());
            let have = grad(|a: Array| a.det())(a.clone());
            for i in 0..n * n {
                let mut unit = vec![0.0; n * n];
                unit[i] = 1.0;
                let unit = Array::from_slice(&unit, [n, n]);
                // Linear in one element: a difference is exact.
                let want = f(&a + &unit) - f(a.clone());
                near("cofactor", &(&have * &unit).sum(), &want, 1e-12);
            }
        }
        let zero = grad(|a: Array| a.det())(ones([4, 4]));
        near("rank 1", &zero, &zeros([4, 4]), 0.0);
    });
}

/// Sums over eigenvalues are smooth where eigenvalues repeat; vectors are not unique there.
#[test]
fn repeated_values() {
    with_default_float(DType::F64, || {
        let identity = eye(3);
        near(
            "trace",
            &grad(|a: Array| a.eigvalsh().exp().sum())(eye(3)),
            &(&identity * 1f64.exp()),
            1e-14,
        );
        near("from eigh", &grad(|a: Array| a.eigh().0.sum())(eye(3)), &identity, 1e-14);
        near(
            "nuclear",
            &grad(|a: Array| a.matrix_norm(MatrixNorm::Nuclear))(eye(3)),
            &identity,
            1e-14,
        );
        // Rank 1, with singular value 0 twice: along directions that keep the rank.
        let (left, right) = (noise(&[3, 1], 0.2), noise(&[1, 3], 0.5));
        let curve: Function =
            Arc::new(move |h: Array| (&left * &h + 1.0).matmul(&(&right * &h + 1.0)).pinv());
        let (zero, one) = (array(0.0).cast(DType::F64), array(1.0).cast(DType::F64));
        let c = curve.clone();
        let have = jvp(move |h| c(h), zero.clone(), one.clone()).1;
        near("pinv", &have, &slope(&curve, &zero, &one, 1e-3), 1e-9);
        let vectors = grad(|a: Array| a.eigh().1.sum())(eye(3));
        assert!(numbers(&vectors).iter().all(|v| v.is_nan()));
    });
}

/// Bases that are one of many have no derivative, and say so.
#[test]
fn full_bases_refuse() {
    with_default_float(DType::F64, || {
        let a = matrix(&[4, 2]);
        let error = grad(|a: Array| a.qr_full().0.sum())(a.clone()).checked().unwrap_err();
        says(&error, &["`q` of a full `qr`", "linalg.rs"]);
        let error = grad(|a: Array| a.svd_full().0.sum())(a.clone()).checked().unwrap_err();
        says(&error, &["`u` of a full `svd`"]);
        let fine = grad(|a: Array| a.svd_full().2.sum())(a);
        assert!(fine.all_finite().item::<bool>().unwrap());
    });
}

/// One matrix and many right sides: lanes become columns of one solve.
#[test]
fn lanes_share_one_factorisation() {
    with_default_float(DType::F64, || {
        let a = matrix(&[3, 3]);
        let sides = noise(&[4, 3], 0.6);
        let b = a.clone();
        let have = vmap(move |side: Array| b.solve(&side))(sides.clone());
        let want: Vec<Array> = (0..4).map(|i| a.solve(&sides.at(i))).collect();
        near("solve", &have, &stack(&want, 0), 1e-14);
        let text = probpipe_transforms::graph_of(
            |a: Array| grad(|a: Array| a.solve(&array([1.0, 2.0])).square().sum())(a),
            &eye(2),
        )
        .unwrap_or_else(|e| panic!("{e}"))
        .to_string();
        assert_eq!(text.matches("= lu ").count(), 1, "{text}");
    });
}
