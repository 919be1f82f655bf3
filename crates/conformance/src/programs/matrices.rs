//! Programs about matrices: factors, determinants and systems of equations.

use super::{Inputs, Program, get};
use probpipe::{
    Array, arange, concat, eye, fori_loop, grad, hessian, jacfwd, jvp, ones, scan, stack,
    zeros_like,
};
use std::f64::consts::PI;

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "kalman" => kalman,
        "leapfrog" => leapfrog,
        "logdet_inv" => logdet_inv,
        "eig_grad" => eig_grad,
        "expm_grad" => expm_grad,
        "stick_breaking" => stick_breaking,
        "spherical_jac" => spherical_jac,
        "cg_solve" => cg_solve,
        _ => return None,
    })
}

fn kalman(i: &Inputs) -> Vec<Array> {
    let (h, ys) = (get(i, "H"), get(i, "ys"));
    let evidence = |(a, q, r): (Array, Array, Array)| {
        let n = a.shape().first().copied().unwrap_or(0);
        let k = h.shape().first().copied().unwrap_or(0);
        let unit = |n: usize| eye(n).cast(a.dtype());
        let step = |(mean, cov): (Array, Array), y: Array| {
            let mean = a.dot(&mean);
            let cov = a.dot(&cov).dot(&a.transpose()) + q.exp() * unit(n);
            let s = h.dot(&cov).dot(&h.transpose()) + r.exp() * unit(k);
            let gain = s.solve(&h.dot(&cov)).transpose();
            let residual = y - h.dot(&mean);
            let fit = residual.dot(&s.solve(&residual)) + s.slogdet().1;
            let log = (fit + k as f64 * (2.0 * PI).ln()) * -0.5;
            let cov = cov - gain.dot(&s).dot(&gain.transpose());
            ((mean + gain.dot(&residual), cov), log)
        };
        scan((zeros_like(&a.at(0)), unit(n)), ys.clone(), step).1.sum()
    };
    let point = || (get(i, "A"), get(i, "lq"), get(i, "lr"));
    let (a, q, r) = grad(evidence)(point());
    vec![evidence(point()), a, q, r]
}

fn leapfrog(i: &Inputs) -> Vec<Array> {
    let (m, start) = (get(i, "M"), get(i, "s0"));
    let potential = |q: Array| q.dot(&m.dot(&q)) * 0.5 + q.powi(4).sum() * 0.1;
    let halves = |s: &Array| (s.slice_axis(0, 0..2), s.slice_axis(0, 2..4));
    let e = 0.125;
    let path = |s: Array| {
        let step = |_, (q, p): (Array, Array)| {
            let p = p - grad(potential)(q.clone()) * (e / 2.0);
            let q = q + &p * e;
            let p = p - grad(potential)(q.clone()) * (e / 2.0);
            (q, p)
        };
        let (q, p) = fori_loop(10, halves(&s), step);
        concat(&[q, p], 0)
    };
    let energy = |s: &Array| {
        let (q, p) = halves(s);
        potential(q) + p.dot(&p) * 0.5
    };
    let end = path(start.clone());
    let drift = energy(&end) - energy(&start);
    vec![end, drift, jacfwd(path)(start).det()]
}

fn logdet_inv(i: &Inputs) -> Vec<Array> {
    let a = get(i, "A");
    vec![
        grad(|a: Array| a.slogdet().1)(a.clone()),
        a.inv().transpose(),
        grad(|a: Array| a.inv().trace())(a.clone()),
        grad(|a: Array| a.det())(a),
    ]
}

fn eig_grad(i: &Inputs) -> Vec<Array> {
    let a = get(i, "A");
    let values = |a: Array| ((&a + a.transpose()) / 2.0).eigvalsh();
    vec![
        values(a.clone()),
        grad(|a: Array| values(a).exp().sum())(a.clone()),
        grad(|a: Array| values(a).at(-1))(a),
    ]
}

fn expm_grad(i: &Inputs) -> Vec<Array> {
    let (a, c) = (get(i, "A"), get(i, "C"));
    vec![a.expm(), grad(|a: Array| (a.expm() * &c).sum())(a.clone())]
}

fn stick_breaking(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let simplex = |x: Array| {
        let n = x.size();
        let left = (n as f64 - arange(n).cast(x.dtype())).log();
        let z = (&x - left).sigmoid();
        let one = ones([1]).cast(x.dtype());
        let rest = concat(&[one.clone(), (1.0 - &z).cumprod(0)], 0);
        concat(&[z, one], 0) * rest
    };
    let free = |x: Array| simplex(x).index((..-1,));
    let volume = |x: Array| jacfwd(free)(x).slogdet().1;
    vec![simplex(x.clone()), jacfwd(free)(x.clone()), volume(x.clone()), grad(volume)(x)]
}

fn spherical_jac(i: &Inputs) -> Vec<Array> {
    let u = get(i, "u");
    let place = |u: Array| {
        let (r, a, b) = (u.at(0), u.at(1), u.at(2));
        stack(&[&r * a.sin() * b.cos(), &r * a.sin() * b.sin(), r * a.cos()], 0)
    };
    let volume = |u: Array| jacfwd(place)(u).det();
    vec![
        jacfwd(place)(u.clone()),
        volume(u.clone()),
        grad(volume)(u.clone()),
        u.at(0).square() * u.at(1).sin(),
    ]
}

fn cg_solve(i: &Inputs) -> Vec<Array> {
    let (a, x) = (get(i, "A"), get(i, "x"));
    let f = |x: Array| x.exp().sum() + x.dot(&a.dot(&x)) * 0.5;
    let curve = |v: Array| jvp(grad(f), x.clone(), v).1;
    let b = grad(f)(x.clone());
    type State = (Array, Array, Array, Array);
    let step = |_, (z, r, p, rr): State| {
        let product = curve(p.clone());
        let length = &rr / p.dot(&product);
        let (z, r) = (z + &length * &p, r - &length * product);
        let next = r.dot(&r);
        let p = &r + &next / rr * p;
        (z, r, p, next)
    };
    let start = (zeros_like(&x), b.clone(), b.clone(), b.dot(&b));
    vec![fori_loop(4, start, step).0, hessian(f)(x.clone()).solve(&b)]
}
