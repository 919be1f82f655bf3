//! Programs with branches and conditional loops.

use super::{Inputs, Program, get};
use probpipe::{
    Array, array, associative_scan, cond, grad, jvp, scan_reverse, select, stack, switch, vmap,
    while_loop,
};

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "cond_grad" => cond_grad,
        "vmap_cond" => vmap_cond,
        "switch" => switches,
        "while_jvp" => while_jvp,
        "vmap_while" => collatz,
        "assoc_scan" => assoc_scan,
        _ => return None,
    })
}

fn cond_grad(i: &Inputs) -> Vec<Array> {
    let f = |x: Array| cond(&x.gt(0.0), x, |x| x.sin() * x, |x| x.exp() - 1.0);
    let x = get(i, "x");
    let at = |x: Array| [f(x.clone()), grad(f)(x.clone()), grad(grad(f))(x)];
    [at(x.clone()), at(-x)].concat()
}

fn vmap_cond(i: &Inputs) -> Vec<Array> {
    let f = |(p, x): (Array, Array)| cond(&p, x, |x| x.sqrt(), |x| -(&x * &x));
    let slope = |(p, x): (Array, Array)| grad(|x: Array| f((p.clone(), x)))(x);
    let (p, x) = (get(i, "p"), get(i, "x"));
    let always = vmap(|x: Array| f((array(true), x)))(x.clone());
    vec![vmap(f)((p.clone(), x.clone())), vmap(slope)((p, x)), always]
}

fn switches(i: &Inputs) -> Vec<Array> {
    let f = |(i, x): (Array, Array)| {
        switch(&i, x, (|x: Array| x.sin(), |x: Array| x.square(), |x: Array| (-x).exp()))
    };
    let (x, ix) = (get(i, "x"), get(i, "ix"));
    let each = [-1, 0, 1, 2, 7].map(|k| f((array(k), x.at(0))));
    let slope = |(i, x): (Array, Array)| grad(|x: Array| f((i.clone(), x)))(x);
    vec![stack(&each, 0), vmap(f)((ix.clone(), x.clone())), vmap(slope)((ix, x))]
}

fn while_jvp(i: &Inputs) -> Vec<Array> {
    let root = |a: Array| {
        let (x, _) = while_loop(
            |(x, n): (Array, Array)| (x.square() - &a).abs().gt(&a * 1e-5) & n.lt(60),
            |(x, n)| (&x - (x.square() - &a) / (&x * 2.0), n + 1),
            (a.clone(), array(0)),
        );
        x
    };
    let (y, dy) = jvp(root, get(i, "a"), get(i, "da"));
    vec![y, dy]
}

fn collatz(i: &Inputs) -> Vec<Array> {
    let steps = |n: Array| {
        let (_, steps) = while_loop(
            |(n, _): (Array, Array)| n.ne(1),
            |(n, k)| {
                let half = n.trunc_divide(2);
                let even = (&half * 2).eq(&n);
                (select(&even, half, n * 3 + 1), k + 1)
            },
            (n, array(0)),
        );
        steps
    };
    vec![vmap(steps)(get(i, "n"))]
}

fn assoc_scan(i: &Inputs) -> Vec<Array> {
    let (a, xs) = (get(i, "a"), get(i, "xs"));
    let (last, before) = scan_reverse(xs.at(0) * 0.0, xs.clone(), |c, x| (&c * 0.5 + x, c));
    let compose = |(a, b): (Array, Array), (c, d): (Array, Array)| (a * &c, c * b + d);
    let (p, q) = associative_scan(compose, (a, xs.clone()), 0, false);
    vec![last, before, xs.cumlogsumexp(0, false), p, q]
}
