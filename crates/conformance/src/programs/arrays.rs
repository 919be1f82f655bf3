//! Programs about order, positions and whole numbers.

use super::{Inputs, Program, get};
use probpipe::{Array, ArrayType, DType, fori_loop, full_typed, grad, scan, segment_sum};

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "hmm_forward" => hmm_forward,
        "sort_grad" => sort_grad,
        "segment_scatter" => segment_scatter,
        "metropolis" => metropolis,
        "bilinear" => bilinear,
        "fib_overflow" => fib_overflow,
        "wasserstein1d" => wasserstein1d,
        "xent" => xent,
        _ => return None,
    })
}

fn hmm_forward(i: &Inputs) -> Vec<Array> {
    let observed = get(i, "obs");
    let evidence = |(start, moves, emits): (Array, Array, Array)| {
        let (start, moves, emits) =
            (start.log_softmax(-1), moves.log_softmax(-1), emits.log_softmax(-1));
        let column = |o: &Array| emits.index((.., o));
        let step =
            |a: Array, o: Array| ((a.expand_dims(1) + &moves).logsumexp_axes([0]) + column(&o), ());
        let first = start + column(&observed.at(0));
        scan(first, observed.index((1..,)), step).0.logsumexp()
    };
    let point = || (get(i, "pi"), get(i, "A"), get(i, "B"));
    let (start, moves, emits) = grad(evidence)(point());
    vec![evidence(point()), start, moves, emits]
}

fn sort_grad(i: &Inputs) -> Vec<Array> {
    let (x, w) = (get(i, "x"), get(i, "w"));
    vec![
        x.sort(0),
        grad(|x: Array| (x.sort(0) * &w).sum())(x.clone()),
        grad(|x: Array| x.median())(x.clone()),
        grad(|x: Array| x.quantile(0.3))(x),
    ]
}

fn segment_scatter(i: &Inputs) -> Vec<Array> {
    let (table, at, w) = (get(i, "E"), get(i, "ix"), get(i, "w"));
    let f = |table: Array| (table.index((&at,)).sin() * w.expand_dims(1)).sum();
    let sums = |w: &Array| segment_sum(w, &at, 4);
    let zeros = full_typed(&ArrayType::new(w.dtype(), [4]), 0);
    vec![
        f(table.clone()),
        grad(f)(table),
        sums(&w),
        grad(|w: Array| sums(&w).square().sum())(w.clone()),
        zeros.at_indices([&at]).max(&w),
    ]
}

fn metropolis(i: &Inputs) -> Vec<Array> {
    let (start, moves, u) = (get(i, "x0"), get(i, "dz"), get(i, "u"));
    let density = |x: &Array| x.powi(4) * -0.25 + x.square();
    let step = |(x, n): (Array, Array), (move_, u): (Array, Array)| {
        let y = &x + move_;
        let accepted = u.log().lt(density(&y) - density(&x));
        let x = probpipe::select(&accepted, y, x);
        ((x.clone(), n + accepted.cast(DType::I32)), x)
    };
    let none = full_typed(&ArrayType::scalar(DType::I32), 0);
    let ((x, n), path) = scan((start, none), (moves, u), step);
    vec![x, n, path]
}

fn bilinear(i: &Inputs) -> Vec<Array> {
    let read = |(image, y, x): (Array, Array, Array)| {
        let (y0, x0) = (y.floor(), x.floor());
        let (a, b) = (&y - &y0, &x - &x0);
        let (y0, x0) = (y0.cast(DType::I32), x0.cast(DType::I32));
        let at = |dy: i32, dx: i32| image.index((&(&y0 + dy), &(&x0 + dx)));
        (1.0 - &a) * (1.0 - &b) * at(0, 0)
            + (1.0 - &a) * &b * at(0, 1)
            + &a * (1.0 - &b) * at(1, 0)
            + &a * &b * at(1, 1)
    };
    let point = || (get(i, "I"), get(i, "y"), get(i, "x"));
    let (image, y, x) = grad(|p: (Array, Array, Array)| read(p).square().sum())(point());
    vec![read(point()), image, y, x]
}

fn fib_overflow(i: &Inputs) -> Vec<Array> {
    let fib = |dtype: DType| {
        let whole = |n: i32| full_typed(&ArrayType::scalar(dtype), n);
        fori_loop(60, (whole(0), whole(1)), |_, (a, b): (Array, Array)| (b.clone(), a + b)).0
    };
    let x = get(i, "x");
    vec![
        fib(DType::I32),
        fib(DType::U32),
        x.gt(5).any(),
        x.lt(9).all(),
        x.gt(3).cast(DType::I32).sum(),
        x.argmax(0),
        &x ^ x.flip(0),
    ]
}

fn wasserstein1d(i: &Inputs) -> Vec<Array> {
    let distance = |(a, b): (Array, Array)| (a.sort(0) - b.sort(0)).square().mean();
    let point = || (get(i, "a"), get(i, "b"));
    let (a, b) = grad(distance)(point());
    vec![distance(point()), a, b]
}

fn xent(i: &Inputs) -> Vec<Array> {
    let (z, y) = (get(i, "Z"), get(i, "y"));
    let loss = |z: Array| -z.log_softmax(-1).take_along_axis(y.expand_dims(1), 1).mean();
    let classes = z.shape().get(1).copied().unwrap_or(0);
    let count = z.shape().first().copied().unwrap_or(1) as f64;
    let gap = z.softmax(-1) - y.one_hot(classes).cast(z.dtype());
    vec![loss(z.clone()), grad(loss)(z), gap / count]
}
