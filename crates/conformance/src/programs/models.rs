//! Programs about densities, fits and networks.

use super::{Inputs, Program, get};
use probpipe::{
    Array, eye, fori_loop, grad, hessian, scan, select, tri, vmap, vmap_axes, zeros_like,
};
use std::f64::consts::PI;

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "mixture_logpdf" => mixture_logpdf,
        "mvn_cholesky" => mvn_cholesky,
        "gp_marginal" => gp_marginal,
        "mlp_grad" => mlp_grad,
        "logreg_hessian" => logreg_hessian,
        "ridge_solve" => ridge_solve,
        "eight_schools" => eight_schools,
        "elbo_reparam" => elbo_reparam,
        "laplace_newton" => laplace_newton,
        "attention" => attention,
        "studentt_posterior" => studentt_posterior,
        "sinkhorn" => sinkhorn,
        "crf_marginals" => crf_marginals,
        "fisher_info" => fisher_info,
        "neals_funnel" => neals_funnel,
        "particle_filter" => particle_filter,
        _ => return None,
    })
}

/// The logarithm of the normal density.
fn log_normal(x: &Array, mean: impl Into<Array>, scale: impl Into<Array>) -> Array {
    let scale = scale.into();
    let z = (x - mean.into()) / &scale;
    z.square() * -0.5 - scale.log() - 0.5 * (2.0 * PI).ln()
}

/// `A^-1 b` for a positive definite `A`.
fn solve(a: &Array, b: &Array) -> Array {
    a.cholesky().cho_solve(b)
}

fn mixture_logpdf(i: &Inputs) -> Vec<Array> {
    let one = |(x, logits, m, s): (Array, Array, Array, Array)| {
        (logits.log_softmax(-1) + log_normal(&x, m, s.exp())).logsumexp()
    };
    let all = |p: (Array, Array, Array, Array)| vmap_axes(one, (0, None, None, None), 0)(p);
    let point = || (get(i, "xs"), get(i, "lg"), get(i, "m"), get(i, "ls"));
    let (x, l, m, s) = grad(|p: (Array, Array, Array, Array)| all(p).sum())(point());
    vec![all(point()), x, l, m, s]
}

fn mvn_cholesky(i: &Inputs) -> Vec<Array> {
    let density = |(x, m, s): (Array, Array, Array)| {
        let n = x.size() as f64;
        let l = s.cholesky();
        let z = l.solve_triangular(x - m);
        z.dot(&z) * -0.5 - l.diagonal().log().sum() - 0.5 * n * (2.0 * PI).ln()
    };
    let (x, m, s) = (get(i, "x"), get(i, "m"), get(i, "S"));
    let (dx, dm, ds) = grad(density)((x.clone(), m.clone(), s.clone()));
    let curvature = hessian(|x: Array| density((x, m.clone(), s.clone())))(x.clone());
    vec![density((x, m.clone(), s.clone())), dx, dm, ds, curvature]
}

fn gp_marginal(i: &Inputs) -> Vec<Array> {
    let (x, y, p) = (get(i, "X"), get(i, "y"), get(i, "p"));
    let n = x.size();
    let marginal = |p: Array| {
        let p = p.exp();
        let (l, a, s) = (p.at(0), p.at(1), p.at(2));
        let gaps = (x.expand_dims(1) - x.expand_dims(0)).square();
        let signal = a.square() * (gaps * -0.5 / l.square()).exp();
        let l = (signal + (s.square() + 1e-5) * eye(n)).cholesky();
        let fit = y.dot(&l.cho_solve(&y)) * -0.5;
        fit - l.diagonal().log().sum() - 0.5 * n as f64 * (2.0 * PI).ln()
    };
    vec![marginal(p.clone()), grad(marginal)(p.clone()), hessian(marginal)(p)]
}

type Layers = Vec<(Array, Array)>;

fn mlp_grad(i: &Inputs) -> Vec<Array> {
    let layers = || vec![(get(i, "W1"), get(i, "b1")), (get(i, "W2"), get(i, "b2"))];
    let (x, y) = (get(i, "X"), get(i, "y"));
    let loss = |p: &Layers, x: &Array, y: &Array| {
        let hidden = (p[0].0.dot(x) + &p[0].1).tanh();
        ((p[1].0.dot(&hidden) + &p[1].1).at(0) - y).square()
    };
    let mean =
        |p: Layers| vmap(|(x, y): (Array, Array)| loss(&p, &x, &y))((x.clone(), y.clone())).mean();
    let slopes = |(x, y): (Array, Array)| grad(|p: Layers| loss(&p, &x, &y))(layers());
    let mut outputs = vec![mean(layers())];
    outputs.extend(grad(mean)(layers()).into_iter().flat_map(|(w, b)| [w, b]));
    let each = vmap(slopes)((x.clone(), y.clone()));
    outputs.extend(each.into_iter().flat_map(|(w, b)| [w, b]));
    outputs
}

fn logreg_hessian(i: &Inputs) -> Vec<Array> {
    let (x, y, w) = (get(i, "X"), get(i, "y"), get(i, "w"));
    let loss = |w: Array| {
        let u = x.dot(&w);
        (u.softplus() - &y * u).sum() + (&w * &w).sum() * 0.5
    };
    let (g, h) = (grad(loss)(w.clone()), hessian(loss)(w.clone()));
    let step = &w - solve(&h, &g);
    vec![loss(w.clone()), g, h, step]
}

fn ridge_solve(i: &Inputs) -> Vec<Array> {
    let (y, v, u) = (get(i, "y"), get(i, "V"), get(i, "u"));
    let loss = |(penalty, x): (Array, Array)| {
        let gram = x.transpose().dot(&x) + penalty.exp() * eye(3);
        let w = solve(&gram, &x.transpose().dot(&y));
        (v.dot(&w) - &u).square().mean()
    };
    let point = || (get(i, "lam"), get(i, "X"));
    let (penalty, x) = grad(loss)(point());
    vec![loss(point()), penalty, x]
}

fn eight_schools(i: &Inputs) -> Vec<Array> {
    let z = get(i, "z");
    let sigma = probpipe::array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
    let effects = probpipe::array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    let density = |z: Array| {
        let (mu, log_tau, e) = (z.at(0), z.at(1), z.slice_axis(0, 2..10));
        let tau = log_tau.exp();
        let prior = log_normal(&mu, 0.0, 5.0) + (2f64.ln() - (5.0 * PI).ln());
        let prior = prior - (&tau / 5.0).square().log1p() + log_tau;
        let unit = log_normal(&e, 0.0, 1.0).sum();
        prior + unit + log_normal(&effects, mu + tau * e, &sigma).sum()
    };
    let curvature = hessian(density)(z.clone()).diagonal();
    vec![density(z.clone()), grad(density)(z), curvature]
}

fn elbo_reparam(i: &Inputs) -> Vec<Array> {
    let (p, noise) = (get(i, "p"), get(i, "eps"));
    let bound = |p: Array| {
        let x = p.at(0) + p.at(1).exp() * &noise;
        let left = log_normal(&x, -2.0, 0.5) + 0.3f64.ln();
        let right = log_normal(&x, 2.0, 0.8) + 0.7f64.ln();
        (left.logaddexp(right) - log_normal(&x, p.at(0), p.at(1).exp())).mean()
    };
    vec![bound(p.clone()), grad(bound)(p.clone()), hessian(bound)(p)]
}

fn laplace_newton(i: &Inputs) -> Vec<Array> {
    let (x, y) = (get(i, "X"), get(i, "y"));
    let loss = |w: Array| {
        let u = x.dot(&w);
        (u.exp() - &y * u).sum() + (&w * &w).sum() * 0.5
    };
    let mode = fori_loop(25, zeros_like(&x.at(0)), |_, w: Array| {
        &w - solve(&hessian(loss)(w.clone()), &grad(loss)(w.clone()))
    });
    let h = hessian(loss)(mode.clone());
    let half_log_det = h.cholesky().diagonal().log().sum();
    let evidence = 0.5 * 2.0 * (2.0 * PI).ln() - loss(mode.clone()) - half_log_det;
    vec![mode, solve(&h, &eye(2)), evidence]
}

fn attention(i: &Inputs) -> Vec<Array> {
    let f = |(q, k, v): (Array, Array, Array)| {
        let width = q.shape().get(1).copied().unwrap_or(1) as f64;
        let n = q.shape().first().copied().unwrap_or(0);
        let scores = q.dot(&k.transpose()) / width.sqrt();
        let causal = select(&tri(n, n, 0).gt(0.5), scores, f64::NEG_INFINITY);
        causal.softmax(-1).dot(&v)
    };
    let point = || (get(i, "Q"), get(i, "K"), get(i, "V"));
    let c = get(i, "C");
    let (q, k, v) = grad(|p: (Array, Array, Array)| (f(p) * &c).sum())(point());
    vec![f(point()), q, k, v]
}

fn studentt_posterior(i: &Inputs) -> Vec<Array> {
    let (mu, s, t) = (get(i, "mu"), get(i, "S"), get(i, "t"));
    let inverse = solve(&s, &eye(2));
    let density = |t: Array| {
        let d = t - &mu;
        (d.dot(&inverse.dot(&d)) / 7.0).log1p() * (-0.5 * (7.0 + 2.0))
    };
    let at_mode = solve(&-hessian(density)(mu.clone()), &eye(2));
    vec![density(t.clone()), grad(density)(t.clone()), hessian(density)(t), at_mode]
}

fn sinkhorn(i: &Inputs) -> Vec<Array> {
    let cost = |(x, y): (Array, Array)| {
        let gaps = (x.expand_dims(1) - y.expand_dims(0)).square().sum_axes([-1]);
        let (n, m) = (gaps.shape()[0] as f64, gaps.shape()[1] as f64);
        let (mut f, mut g) = (zeros_like(&gaps.at_axis(1, 0)), zeros_like(&gaps.at(0)));
        for _ in 0..10 {
            f = (((g.expand_dims(0) - &gaps) / 0.5).logsumexp_axes([1]) - m.ln()) * -0.5;
            g = (((f.expand_dims(1) - &gaps) / 0.5).logsumexp_axes([0]) - n.ln()) * -0.5;
        }
        let plan = ((f.expand_dims(1) + g.expand_dims(0) - &gaps) / 0.5).exp() / (n * m);
        (plan * gaps).sum()
    };
    let point = || (get(i, "X"), get(i, "Y"));
    let (x, y) = grad(cost)(point());
    vec![cost(point()), x, y]
}

fn crf_marginals(i: &Inputs) -> Vec<Array> {
    let partition = |(unary, t): (Array, Array)| {
        let step = |a: Array, u: Array| ((a.expand_dims(1) + &t).logsumexp_axes([0]) + u, ());
        let n = unary.shape()[0];
        scan(unary.at(0), unary.slice_axis(0, 1..n), step).0.logsumexp()
    };
    let point = || (get(i, "Un"), get(i, "T"));
    let (unary, t) = grad(partition)(point());
    vec![partition(point()), unary, t]
}

fn fisher_info(i: &Inputs) -> Vec<Array> {
    let (th, x) = (get(i, "th"), get(i, "x"));
    let density = |th: &Array, x: &Array| log_normal(x, th.at(0), th.at(1).exp());
    let scores = vmap(|x: Array| grad(|th: Array| density(&th, &x))(th.clone()))(x.clone());
    let curvature = vmap(|x: Array| hessian(|th: Array| density(&th, &x))(th.clone()))(x.clone());
    let spread = scores.transpose().dot(&scores) / x.size() as f64;
    vec![scores, spread, -curvature.mean_axes([0])]
}

fn neals_funnel(i: &Inputs) -> Vec<Array> {
    let z = get(i, "z");
    let density = |z: Array| {
        let (v, rest) = (z.at(0), z.slice_axis(0, 1..5));
        log_normal(&v, 0.0, 3.0) + log_normal(&rest, 0.0, (&v / 2.0).exp()).sum()
    };
    vec![density(z.clone()), grad(density)(z.clone()), hessian(density)(z)]
}

fn particle_filter(i: &Inputs) -> Vec<Array> {
    let (th, noise, ys) = (get(i, "th"), get(i, "E"), get(i, "ys"));
    let evidence = |th: Array| {
        let step = |(x, weight): (Array, Array), (e, y): (Array, Array)| {
            let x = th.at(0) * x + th.at(1).exp() * e;
            let weight = weight + log_normal(&y, x.square() / 4.0, th.at(2).exp());
            ((x, weight), ())
        };
        let zero = zeros_like(&noise.at(0));
        let n = zero.size() as f64;
        let ((_, weight), ()) = scan((zero.clone(), zero), (noise.clone(), ys.clone()), step);
        weight.logsumexp() - n.ln()
    };
    vec![evidence(th.clone()), grad(evidence)(th)]
}
