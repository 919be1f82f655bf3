//! Programs about derivatives that a function brings along, and about linear functions.

use super::{Inputs, Program, get};
use probpipe::{
    Array, custom_jvp, custom_vjp, eye, fori_loop, grad, linear_transpose, linearize, ones_like,
    vjp, vmap, zeros_like,
};

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "custom_jvp_log1pexp" => custom_jvp_log1pexp,
        "custom_vjp_clip" => custom_vjp_clip,
        "custom_jvp_argmin" => custom_jvp_argmin,
        "implicit_fixed_point" => implicit_fixed_point,
        "linearize" => linearized,
        _ => return None,
    })
}

fn custom_jvp_log1pexp(i: &Inputs) -> Vec<Array> {
    fn f(x: Array) -> Array {
        let value = |x: Array| (x.exp() + 1.0).log();
        let rule = |x: Array, dx: Array| (f(x.clone()), (1.0 - 1.0 / (x.exp() + 1.0)) * dx);
        custom_jvp(value, rule)(x)
    }
    let x = get(i, "x");
    vec![
        grad(f)(x.at(0)),
        vmap(grad(f))(x.clone()),
        vmap(grad(f))(x.clone()),
        vmap(grad(grad(f)))(x),
    ]
}

fn custom_vjp_clip(i: &Inputs) -> Vec<Array> {
    let x = get(i, "x");
    let clipped =
        |x: Array| custom_vjp(|x: Array| x, |x| (x, ()), |(), ct: Array| ct.clip(-0.75, 0.75))(x);
    let f = |x: Array| clipped(x).sin().sum();
    vec![f(x.clone()), grad(f)(x.clone()), vmap(grad(|t: Array| clipped(t).sin()))(x)]
}

/// `-min over y of |y|^p / p - x y`, and the `y`, by Newton's method.
fn conjugate(x: &Array, p: f64) -> (Array, Array) {
    let step = |_, y: Array| {
        let size = y.abs();
        &y - (y.sign() * size.pow(p - 1.0) - x) / (size.pow(p - 2.0) * (p - 1.0))
    };
    let y = fori_loop(60, ones_like(x), step);
    (x * &y - y.abs().pow(p) / p, y)
}

fn custom_jvp_argmin(i: &Inputs) -> Vec<Array> {
    let rule = |x: Array, dx: Array| {
        let (value, y) = conjugate(&x, 3.0);
        (value, y * dx)
    };
    let f = |x: Array| custom_jvp(|x: Array| conjugate(&x, 3.0).0, rule)(x);
    let closed = |x: Array| x.abs().pow(1.5) / 1.5;
    let (x, xs) = (get(i, "x"), get(i, "xs"));
    vec![f(x.clone()), grad(f)(x.clone()), grad(closed)(x), vmap(grad(f))(xs)]
}

fn implicit_fixed_point(i: &Inputs) -> Vec<Array> {
    type Pair = (Array, Array);
    fn map((x, a, b): (Array, Array, Array)) -> Array {
        (a * x).cos() * 0.5 + b
    }
    fn solve((a, b): Pair) -> Array {
        fori_loop(100, zeros_like(&a), |_, x: Array| map((x, a.clone(), b.clone())))
    }
    let fixed = |p: Pair| {
        let forward = |(a, b): Pair| {
            let x = solve((a.clone(), b.clone()));
            (x.clone(), (x, a, b))
        };
        let backward = |point: (Array, Array, Array), ct: Array| {
            let (dx, da, db) = grad(map)(point);
            let u = ct / (1.0 - dx);
            (&u * da, u * db)
        };
        custom_vjp(solve, forward, backward)(p)
    };
    let point = || (get(i, "a"), get(i, "b"));
    let (da, db) = grad(fixed)(point());
    vec![fixed(point()), da, db]
}

fn linearized(i: &Inputs) -> Vec<Array> {
    let (x, v, a, u) = (get(i, "x"), get(i, "v"), get(i, "A"), get(i, "u"));
    let f = |x: Array| x.sin() * x.cumsum(0);
    let (y, tangent) = linearize(f, x.clone());
    let (_, pull) = vjp(f, x.clone());
    let back = linear_transpose(|t: Array| a.dot(&t), &x);
    vec![
        y,
        tangent(v.clone()),
        tangent(&v * 2.0),
        pull(v),
        vmap(&pull)(eye(x.size()).cast(x.dtype())),
        back(u),
    ]
}
