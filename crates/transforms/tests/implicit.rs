//! Solutions of equations: derivatives in both modes against finite differences, twice, batched
//! and compiled.

use probpipe_testing::{Tolerance, close, differences, says};
use probpipe_trace::{
    Array, DType, array, fori_loop, linspace, stack, with_default_float, zeros, zeros_like,
};
use probpipe_transforms::{
    custom_linear_solve, custom_root, grad, hessian, jacfwd, jacrev, jit, jvp, vmap,
};

#[track_caller]
fn check(loss: impl Fn(Array) -> Array, x: &Array) {
    let n = x.size();
    let first = differences(&loss, x);
    close("", &grad(&loss)(x.clone()), &first, Tolerance::mixed(1e-6));
    close("", &jacfwd(&loss)(x.clone()), &first, Tolerance::mixed(1e-6));
    close("", &jit(grad(&loss))(x.clone()), &first, Tolerance::mixed(1e-6));
    let slope = |i: usize| {
        let loss = &loss;
        move |x: Array| grad(loss)(x).at(i as isize)
    };
    let second: Vec<f64> = (0..n).flat_map(|i| differences(&slope(i), x)).collect();
    close("", &hessian(&loss)(x.clone()), &second, Tolerance::mixed(1e-5));
    close("", &jacrev(grad(&loss))(x.clone()), &second, Tolerance::mixed(1e-5));
    close("", &jit(hessian(&loss))(x.clone()), &second, Tolerance::mixed(1e-5));
    let two = stack(&[x.clone(), x * 1.1], 0);
    let batched = vmap(grad(&loss))(two.clone());
    close("", &batched.at(0), &first, Tolerance::mixed(1e-6));
    close("", &batched.at(1), &differences(&loss, &two.at(1)), Tolerance::mixed(1e-6));
    close("", &jit(vmap(jacfwd(&loss)))(two).at(0), &first, Tolerance::mixed(1e-6));
}

/// `a x = b` for two unknowns, by Cramer's rule.
fn solve2(a: &Array, b: &Array) -> Array {
    let e = |i: isize, j: isize| a.at(i).at(j);
    let det = e(0, 0) * e(1, 1) - e(0, 1) * e(1, 0);
    let x = e(1, 1) * b.at(0) - e(0, 1) * b.at(1);
    let y = e(0, 0) * b.at(1) - e(1, 0) * b.at(0);
    stack(&[x / &det, y / &det], 0)
}

#[test]
fn roots() {
    with_default_float(DType::F64, || {
        let root = |p: Array| {
            // Two equations in two unknowns.
            let f = |x: Array| {
                let (u, v) = (x.at(0), x.at(1));
                stack(&[&u + v.sin() * 0.3 - p.at(0), &v - u.cos() * p.at(1) - p.at(2)], 0)
            };
            let newton = |f: &dyn Fn(Array) -> Array, x: Array| {
                fori_loop(12, x, |_, x| &x - solve2(&jacfwd(f)(x.clone()), &f(x.clone())))
            };
            let tangent = |g: &dyn Fn(Array) -> Array, y: Array| {
                let matrix = jacfwd(g)(zeros_like(&y));
                solve2(&matrix, &y)
            };
            custom_root(f, zeros([2]), newton, tangent)
        };
        let p = array([0.4, 0.7, -0.2]);
        check(|p: Array| (root(p.clone()) * array([1.0, 2.0])).square().sum() * p.at(0), &p);
        // The equation holds.
        let x = root(p.clone());
        let (u, v) = (x.at(0).item::<f64>().unwrap(), x.at(1).item::<f64>().unwrap());
        close("the equation", u + v.sin() * 0.3, 0.4, Tolerance::absolute(1e-14));
    });
}

#[test]
fn roots_do_not_differentiate_the_solver() {
    with_default_float(DType::F64, || {
        // A solver whose steps have no useful derivative.
        let root = |a: Array| {
            let bisect = |f: &dyn Fn(Array) -> Array, _: Array| {
                let (low, high) = fori_loop(60, (array(0.0), array(10.0)), |_, (low, high)| {
                    let middle = ((&low + &high) * 0.5).stop_gradient();
                    let above = f(middle.clone()).gt(0.0);
                    (
                        probpipe_trace::select(&above, low, &middle),
                        probpipe_trace::select(&above, &middle, high),
                    )
                });
                (low + high) * 0.5
            };
            custom_root(|x: Array| x.powi(3) - &a, array(1.0), bisect, |g, y| &y / g(array(1.0)))
        };
        let third = |a: f64| a.powf(-2.0 / 3.0) / 3.0;
        close("", &grad(root)(array(2.0)), &[third(2.0)], Tolerance::mixed(1e-12));
        close("", &jvp(root, array(2.0), array(1.0)).1, &[third(2.0)], Tolerance::mixed(1e-12));
        close(
            "",
            &vmap(grad(root))(array([2.0, 5.0])),
            &[third(2.0), third(5.0)],
            Tolerance::mixed(1e-12),
        );
        close(
            "",
            &grad(grad(root))(array(2.0)),
            &[-2.0 / 9.0 * 2f64.powf(-5.0 / 3.0)],
            Tolerance::mixed(1e-12),
        );
    });
}

#[test]
fn linear_systems() {
    with_default_float(DType::F64, || {
        let solution = |p: Array| {
            // Not symmetric; the solver sees the map only.
            let map = |x: Array| {
                let (u, v) = (x.at(0), x.at(1));
                stack(&[&u * (p.at(0) + 2.0) + &v * 0.3, &u * p.at(1) + &v * 3.0], 0)
            };
            let solve = |map: &dyn Fn(Array) -> Array, b: Array| {
                fori_loop(120, zeros_like(&b), |_, x| &x + (&b - map(x.clone())) * 0.3)
            };
            custom_linear_solve(map, p.slice_axis(0, 1..3), solve, solve)
        };
        let p = array([0.5, -0.4, 0.8]);
        check(|p: Array| (solution(p.clone()) * array([1.0, 2.0])).square().sum() + p.at(2), &p);
        // The right side alone.
        check(
            |b: Array| {
                let solve = |map: &dyn Fn(Array) -> Array, b: Array| {
                    let matrix = jacfwd(map)(zeros_like(&b));
                    solve2(&matrix, &b)
                };
                let map = |x: Array| stack(&[x.at(0) * 2.0 + x.at(1), x.at(1) * 4.0], 0);
                custom_linear_solve(map, b.sin(), solve, solve).square().sum()
            },
            &linspace(0.2, 0.6, 2),
        );
    });
}

#[test]
fn what_solvers_refuse() {
    let says = |y: Array, what: &str| {
        let error = y.value().unwrap_err();
        says(&error, &[what]);
        assert!(error.location().is_some());
    };
    let x = || array([1.0, 2.0]);
    let id = |_: &dyn Fn(Array) -> Array, y: Array| y;
    says(custom_root(|x: Array| x.sum(), x(), id, id), "takes f32[2] and gives f32[]");
    says(custom_root(|x: Array| x, x(), |_, x| x.sum(), id), "the solver of `custom_root`");
    says(custom_linear_solve(|x: Array| x.sin(), x(), id, id), "`sin` is not linear");
    says(custom_linear_solve(|x: Array| x, array([1, 2]), id, id), "i32[2]");
}
