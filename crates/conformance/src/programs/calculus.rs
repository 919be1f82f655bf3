//! Programs about derivatives, loops and maps.

use super::{Inputs, Program, get};
use probpipe::{
    Array, arange, fori_loop, grad, hessian, jacfwd, jacrev, jvp, ones_like, scan, stack,
    value_and_grad, vmap, vmap_axes, zeros_like,
};

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "vmap_grad" => vmap_grad,
        "grad4" => grad4,
        "jac_softmax" => |i| {
            let x = get(i, "x");
            let f = |x: Array| x.softmax(-1);
            vec![jacfwd(f)(x.clone()), jacrev(f)(x)]
        },
        "hess_rosenbrock" => |i| {
            let f = |x: Array| {
                let n = x.size();
                let (a, b) = (x.slice_axis(0, 0..n - 1), x.slice_axis(0, 1..n));
                ((b - a.square()).square() * 100.0 + (1.0 - a).square()).sum()
            };
            let x = get(i, "x");
            vec![f(x.clone()), grad(f)(x.clone()), hessian(f)(x)]
        },
        "rnn_scan" => rnn_scan,
        "vmap_scan" => vmap_scan,
        "hvp" => hvp,
        "hess_tensor" => hess_tensor,
        "vmap_axes" => mapped_axes,
        "stop_gradient" => stop_gradient,
        "remat" => remat,
        "maml" => maml,
        "rk4_scan" => rk4_scan,
        "iir_filter" => iir_filter,
        "adam_unrolled" => adam_unrolled,
        "grad_of_jvp" => grad_of_jvp,
        "horner" => horner,
        "power_iteration" => power_iteration,
        "pairwise_grad" => pairwise_grad,
        "layernorm" => layernorm,
        "masked_mean" => masked_mean,
        "argnums_aux" => argnums_aux,
        _ => return None,
    })
}

fn vmap_grad(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let f = |x: Array| 1.0 / (1.0 + (-x).exp());
    vec![vmap(grad(f))(x.clone()), vmap(grad(grad(f)))(x)]
}

fn grad4(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let f = |x: Array| (&x * &x).sin() * (-x).exp();
    let (g1, g2) = (grad(f), grad(grad(f)));
    let (g3, g4) = (grad(grad(grad(f))), grad(grad(grad(grad(f)))));
    vec![f(x.clone()), g1(x.clone()), g2(x.clone()), g3(x.clone()), g4(x)]
}

fn rnn_scan(i: &Inputs) -> Vec<Array> {
    let xs = get(i, "xs");
    let loss = |(w, u, b, h0): (Array, Array, Array, Array)| {
        let (h, losses) = scan(h0, xs.clone(), |h: Array, x: Array| {
            let h = (w.dot(&h) + u.dot(&x) + &b).tanh();
            (h.clone(), h.square().sum())
        });
        losses.sum() + h.sum()
    };
    let point = || (get(i, "W"), get(i, "U"), get(i, "b"), get(i, "h0"));
    let (w, u, b, h) = grad(loss)(point());
    vec![loss(point()), w, u, b, h]
}

fn vmap_scan(i: &Inputs) -> Vec<Array> {
    let f = |(a, xs): (Array, Array)| {
        let step = |c: Array, x: Array| {
            let next = &a * c + x;
            (next.clone(), next)
        };
        scan(zeros_like(&a), xs, step).1
    };
    let (a, xs) = (get(i, "a"), get(i, "xs"));
    let loss = |a: Array| vmap(f)((a, xs.clone())).square().sum();
    vec![vmap(f)((a.clone(), xs.clone())), grad(loss)(a)]
}

fn hvp(i: &Inputs) -> Vec<Array> {
    let f = |x: Array| (x.sin() * x.flip(0).square()).sum() + x.slice_axis(0, 0..2).prod();
    let (x, v) = (get(i, "x"), get(i, "v"));
    let forward = jvp(grad(f), x.clone(), v.clone()).1;
    let reverse = grad(|x: Array| jvp(f, x, v.clone()).1)(x.clone());
    vec![forward, reverse, hessian(f)(x).dot(&v)]
}

fn hess_tensor(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let f = |x: Array| stack(&[x.at(0).square() * x.at(1).sin(), x.at(0) * x.at(1).powi(3)], 0);
    vec![jacfwd(jacrev(f))(x.clone()), jacfwd(jacfwd(jacrev(f)))(x)]
}

fn mapped_axes(i: &Inputs) -> Vec<Array> {
    let (a, v, b) = (get(i, "A"), get(i, "v"), get(i, "B"));
    let rows = vmap_axes(|(a, b): (Array, Array)| a.dot(&b), (0, None), 0);
    let columns = vmap_axes(|(a, b): (Array, Array)| a * b, (1, 0), 1);
    let distance = |(x, y): (Array, Array)| (x - y).square().sum();
    let pairs = vmap_axes(vmap_axes(distance, (None, 0), 0), (0, None), 0);
    let scaled = vmap_axes(|(x, y): (Array, Array)| x * y, (0, None), 0);
    vec![
        rows((a.clone(), v.clone())),
        columns((b, a.clone())),
        pairs((a.clone(), a.clone())),
        scaled((a, v)),
    ]
}

fn stop_gradient(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let straight = |x: &Array| x + (x.round() - x).stop_gradient();
    let f = |x: Array| (straight(&x).square() * x.stop_gradient()).sum();
    vec![f(x.clone()), grad(f)(x.clone()), grad(|x: Array| x.round().square().sum())(x)]
}

fn remat(i: &Inputs) -> Vec<Array> {
    // What to keep and what to compute again is the compiler's choice here.
    let x = get(i, "x");
    let f = |x: Array| (x.cos() * x).sin().square().sum();
    vec![grad(f)(x.clone()), grad(f)(x.clone()), hessian(f)(x)]
}

fn maml(i: &Inputs) -> Vec<Array> {
    let (x, y, v, u) = (get(i, "X"), get(i, "y"), get(i, "V"), get(i, "u"));
    let inner = |w: Array| (x.dot(&w).tanh() - &y).square().sum();
    let outer = |(w, rate): (Array, Array)| {
        let w = (0..3).fold(w, |w, _| &w - &rate * grad(inner)(w.clone()));
        (v.dot(&w).tanh() - &u).square().sum()
    };
    let point = || (get(i, "w"), get(i, "lr"));
    let (dw, rate) = grad(outer)(point());
    vec![outer(point()), dw, rate]
}

fn rk4_scan(i: &Inputs) -> Vec<Array> {
    let slope = |y: &Array, th: &Array| {
        let product = y.at(0) * y.at(1);
        stack(
            &[th.at(0) * y.at(0) - th.at(1) * &product, -th.at(2) * y.at(1) + th.at(3) * &product],
            0,
        )
    };
    let solve = |y0: Array, th: &Array| {
        let h = 0.0625;
        let step = |y: Array, _: Array| {
            let k1 = slope(&y, th);
            let k2 = slope(&(&y + &k1 * (h / 2.0)), th);
            let k3 = slope(&(&y + &k2 * (h / 2.0)), th);
            let k4 = slope(&(&y + &k3 * h), th);
            let y = y + (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6.0);
            (y.clone(), y)
        };
        scan(y0, arange(20), step).1
    };
    let loss = |(y0, th): (Array, Array)| (solve(y0, &th) - 1.0).square().sum();
    let (y0, th) = (get(i, "y0"), get(i, "th"));
    let (dy, dth) = grad(loss)((y0.clone(), th.clone()));
    let last = |th: Array| solve(y0.clone(), &th).at(-1);
    vec![last(th.clone()), dy, dth, jacfwd(last)(th)]
}

fn iir_filter(i: &Inputs) -> Vec<Array> {
    let (c, x) = (get(i, "c"), get(i, "x"));
    let filter = |c: Array| {
        let zero = zeros_like(&x.at(0));
        let step = |(s0, s1, s2, s3): (Array, Array, Array, Array), x: Array| {
            let y = c.at(0) * &x + c.at(1) * &s0 + c.at(2) * s1 - c.at(3) * &s2 - c.at(4) * s3;
            ((x, s0, y.clone(), s2), y)
        };
        scan((zero.clone(), zero.clone(), zero.clone(), zero), x.clone(), step).1
    };
    vec![filter(c.clone()), grad(|c: Array| filter(c).square().sum())(c)]
}

fn adam_unrolled(i: &Inputs) -> Vec<Array> {
    let (a, b, rate) = (get(i, "A"), get(i, "b"), get(i, "lr"));
    let f = |x: Array| x.dot(&a.dot(&x)) * 0.5 - b.dot(&x);
    let run = |rate: Array| {
        let step = |(x, m, v): (Array, Array, Array), t: Array| {
            let g = grad(f)(x.clone());
            let m = m * 0.9 + &g * 0.1;
            let v = v * 0.99 + g.square() * 0.01;
            let power = |base: f64| (&t * base.ln()).exp();
            let size = (&v / (1.0 - power(0.99))).sqrt() + 1e-6;
            let x = x - &rate * (&m / (1.0 - power(0.9))) / size;
            ((x.clone(), m, v), x)
        };
        let steps = arange(8).cast(b.dtype()) + 1.0;
        scan((ones_like(&b), zeros_like(&b), zeros_like(&b)), steps, step).1
    };
    vec![run(rate.clone()), grad(|rate: Array| f(run(rate).at(-1)))(rate)]
}

fn grad_of_jvp(i: &Inputs) -> Vec<Array> {
    let (x, v) = (get(i, "x"), get(i, "v"));
    let f = |x: Array| (x.at(0).sin() * x.at(1)).exp();
    let along = |x: Array| jvp(f, x, v.clone()).1;
    vec![grad(along)(x.clone()), jvp(along, x, v.clone()).1]
}

fn horner(i: &Inputs) -> Vec<Array> {
    let (coefficients, x) = (get(i, "cs"), get(i, "x"));
    let p = |x: Array| {
        scan(zeros_like(&x), coefficients.clone(), |sum: Array, c: Array| (sum * &x + c, ())).0
    };
    vec![p(x.clone()), grad(p)(x.clone()), grad(grad(p))(x.clone()), grad(grad(grad(p)))(x)]
}

fn power_iteration(i: &Inputs) -> Vec<Array> {
    let a = get(i, "A");
    let f = |a: Array| {
        let v = fori_loop(8, ones_like(&a.at(0)), |_, v: Array| {
            let u = a.dot(&v);
            &u / u.norm()
        });
        v.dot(&a.dot(&v))
    };
    vec![f(a.clone()), grad(f)(a)]
}

fn pairwise_grad(i: &Inputs) -> Vec<Array> {
    let x = get(i, "X");
    let pair = |(a, b): (Array, Array)| {
        let square = (&a - &b).square().sum() + 0.25;
        probpipe::select(&a.eq(&b).all(), 0.0, square.powi(-3) - square.recip())
    };
    let energy = |x: Array| {
        vmap_axes(vmap_axes(pair, (None, 0), 0), (0, None), 0)((x.clone(), x)).sum() * 0.5
    };
    vec![energy(x.clone()), grad(energy)(x)]
}

fn layernorm(i: &Inputs) -> Vec<Array> {
    let (x, g, b) = (get(i, "x"), get(i, "g"), get(i, "b"));
    let norm = |x: &Array, g: &Array| (x - x.mean()) / (x.var() + 1e-5).sqrt() * g + &b;
    let f = |x: Array| norm(&x, &g);
    let loss = |g: Array| norm(&x, &g).square().sum();
    vec![f(x.clone()), jacrev(f)(x.clone()), grad(loss)(g.clone())]
}

fn masked_mean(i: &Inputs) -> Vec<Array> {
    let (x, m) = (get(i, "x"), get(i, "m"));
    let x = probpipe::select(&m, &x, f64::NAN);
    let f = |x: Array| {
        let logs = probpipe::select(&m, &x, 1.0).log();
        probpipe::select(&m, logs, 0.0).sum() / m.cast(x.dtype()).sum()
    };
    vec![f(x.clone()), grad(f)(x)]
}

fn argnums_aux(i: &Inputs) -> Vec<Array> {
    let (a, b, c) = (get(i, "a"), get(i, "b"), get(i, "c"));
    let value = |a: &Array, b: &Array, c: &Array| (a * b).sum() + (c.powi(3) * a).sum();
    let (da, dc) = grad(|(a, c): (Array, Array)| value(&a, &b, &c))((a.clone(), c.clone()));
    let (y, db) = value_and_grad(|b: Array| value(&a, &b, &c))(b.clone());
    let aside = &a + &c;
    vec![da, dc, aside.clone(), y, aside, db]
}
