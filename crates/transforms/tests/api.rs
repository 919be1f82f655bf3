//! The user functions: trees, captures, calls, caches, loops, and what they refuse.

use probpipe_testing::{self as testing, Tolerance, says, slope as differences};
use probpipe_trace::{
    Array, DType, Interpreter, Key, Op, Tree, arange, array, fori_loop, normal, ones, scan, stack,
    tree_map, uniform, with_default_float, zeros,
};
use probpipe_transforms::{
    BatchAxes, Jit, grad, grad_aux, grad_wrt, graph_of, hessian, hvp, jacfwd, jacrev, jit, jvp,
    jvp_aux, linear_transpose, linearize, raw_graph_of, recompiles, value_and_grad,
    value_and_grad_aux, value_and_grad_wrt, vjp, vjp_aux, vmap, vmap_axes,
};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// To the rounding of `f32` and of its finite differences.
#[track_caller]
fn close(have: &Array, want: &[f64]) {
    testing::close("", have, want, Tolerance::mixed(1e-5));
}

#[test]
fn nested_transforms() {
    let f = |x: Array| x.powi(3) * 2.0;
    close(&grad(f)(array(2.0)), &[24.0]);
    close(&grad(grad(f))(array(2.0)), &[24.0]);
    close(&jit(vmap(grad(grad(f))))(array([1.0, 2.0])), &[12.0, 24.0]);
    let score = grad(f);
    close(&jit(vmap(&score))(array([1.0, 2.0])), &[6.0, 24.0]);
    close(&vmap(jit(grad(jit(f))))(array([1.0, 2.0])), &[6.0, 24.0]);
    close(&grad(|x: Array| vmap(grad(f))(x).sum())(array([1.0, 2.0])), &[12.0, 24.0]);
    let e = 0.5f64.exp();
    let h = hessian(|x: Array| (x.at(0) * x.at(1)).exp())(array([1.0, 0.5]));
    close(&h, &[0.25 * e, 1.5 * e, 1.5 * e, e]);
}

#[test]
fn derivatives_of_trees() {
    let f = |(a, b): (Array, Vec<Array>)| (&a * &b[0]).sum() + b[1].exp();
    let (da, db) = grad(f)((array([1.0, 2.0]), vec![array([3.0, 4.0]), array(0.0)]));
    close(&da, &[3.0, 4.0]);
    close(&db[0], &[1.0, 2.0]);
    close(&db[1], &[1.0]);
    let ((y, n), (dy, dn)) = jvp(
        |(x, n): (Array, Array)| (x * n.cast(DType::F32), n + 1),
        (array(2.0), array(3)),
        (array(1.0), array(0)),
    );
    close(&y, &[6.0]);
    close(&n, &[4.0]);
    close(&dy, &[3.0]);
    close(&dn, &[0.0]);
    let (y, push) = linearize(|x: Array| x.square(), array([1.0, 2.0]));
    close(&y, &[1.0, 4.0]);
    close(&push(array([1.0, 10.0])), &[2.0, 40.0]);
    let (y, pull) = vjp(|x: Array| (x.sin(), x.sum()), array([0.0, 0.0]));
    close(&y.1, &[0.0]);
    close(&pull((array([1.0, 2.0]), array(5.0))), &[6.0, 7.0]);
    // What does not depend on the argument has a zero gradient.
    close(&grad(|_: Array| array(1.0))(array([1.0, 2.0])), &[0.0, 0.0]);
}

#[test]
fn jacobians() {
    let f = |x: Array| stack(&[x.at(0) * x.at(1), x.at(1).sin(), x.at(0).square()], 0);
    let want = [2.0, 1.0, 0.0, 2f64.cos(), 2.0, 0.0];
    close(&jacfwd(f)(array([1.0, 2.0])), &want);
    close(&jacrev(f)(array([1.0, 2.0])), &want);
    assert_eq!(jacrev(f)(array([1.0, 2.0])).shape(), [3, 2]);
    let h = hessian(|x: Array| (&x * &x * &x).sum())(ones([2, 2]));
    assert_eq!(h.shape(), [2, 2, 2, 2]);
    close(&jit(jacrev(jacfwd(|x: Array| x.exp())))(array(0.0)), &[1.0]);
}

#[test]
fn captured_arrays_of_an_outer_trace() {
    let outer =
        jit(|(w, xs): (Array, Array)| vmap(|x: Array| grad(|y: Array| (&y * &w).sin())(x))(xs));
    let want = [2.0 * 0.2f64.cos(), 2.0 * 0.4f64.cos()];
    close(&outer((array(2.0), array([0.1, 0.2]))), &want);
    let twice = grad(|x: Array| grad(|y: Array| &x * &x * &y * &y)(array(3.0)));
    close(&twice(array(2.0)), &[24.0]);
    let inner_jit = grad(|x: Array| jit(|y: Array| &x * &y)(array(3.0)) * &x);
    close(&inner_jit(array(2.0)), &[12.0]);
}

#[test]
fn gradients_in_and_through_loops() {
    let f = |x: Array| {
        let (c, ys) = scan(array(1.0), arange(5), |c, _| {
            let g = grad(|y: Array| (&y * &x).sin())(c.clone());
            (&c * &x + g, c)
        });
        c + ys.sum()
    };
    let run = |x: f64| {
        let (mut c, mut s) = (1.0f64, 0.0);
        for _ in 0..5 {
            s += c;
            c = c * x + (c * x).cos() * x;
        }
        c + s
    };
    let slope = |x: f64| differences(run, x);
    close(&grad(f)(array(0.7)), &[slope(0.7)]);
    close(&jit(grad(f))(array(0.7)), &[slope(0.7)]);
    close(&jit(vmap(grad(f)))(array([0.7, 0.3])), &[slope(0.7), slope(0.3)]);
    close(&grad(|x: Array| vmap(f)(x).sum())(array([0.7, 0.3])), &[slope(0.7), slope(0.3)]);
}

#[test]
fn gradient_of_ten_thousand_steps() {
    with_default_float(DType::F64, || {
        let n = 10_000;
        let f = |x: Array| fori_loop(n, x, |_, x| &x + (-&x * 1e-3));
        let slope = grad(f)(array(2.0)).item::<f64>().unwrap();
        let want = 0.999f64.powi(n as i32);
        testing::close("slope", slope, want, Tolerance::relative(1e-9));
    });
}

#[test]
fn a_fit_in_one_program() {
    let data = normal(Key::new(1), [200]) * 0.8 + 2.5;
    let nll = |p: Array, data: &Array| {
        let (mean, log_scale) = (p.at(0), p.at(1));
        let z = (data - mean) / log_scale.exp();
        (z.square() * 0.5 + log_scale).mean()
    };
    let fit = jit(|start: Array| {
        fori_loop(400, start, |_, p| &p - grad(|q: Array| nll(q, &data))(p.clone()) * 0.1)
    });
    let found = fit(zeros([2]));
    let mean = data.mean();
    let scale = (&data - &mean).square().mean().sqrt().log();
    close(&found.at(0), &[f64::from(mean.item::<f32>().unwrap())]);
    close(&found.at(1), &[f64::from(scale.item::<f32>().unwrap())]);
}

#[test]
fn unbatched_draws_are_common_to_all_lanes() {
    let f = |x: Array| normal(Key::new(3), [1000]) + x;
    let graph = graph_of(vmap(f), &zeros([50])).unwrap();
    let draws = graph.eqns().iter().find(|e| e.op == Op::Threefry2x32).unwrap();
    assert_eq!(graph.ty(draws.outputs[0]).shape[..], [1000]);
    let keys = vmap(|k: Key| uniform(k, [2]))(Key::new(0).split_batch(4));
    assert_eq!(keys.shape(), [4, 2]);
}

#[test]
fn mapped_axes() {
    let m = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let columns = vmap_axes(|c: Array| c.sum(), 1, 0)(m.clone());
    close(&columns, &[5.0, 7.0, 9.0]);
    let f = |(row, w): (Array, Array)| row * w;
    let scaled = vmap_axes(f, (-1, ()), 1)((m.clone(), array([10.0, 100.0])));
    close(&scaled, &[10.0, 20.0, 30.0, 400.0, 500.0, 600.0]);
    let (same, each) = vmap_axes(|x: Array| (array(1.0), x), 0, (None, 0))(array([1.0, 2.0]));
    close(&same, &[1.0]);
    close(&each, &[1.0, 2.0]);
    let outer = vmap(|x: Array| vmap(|y: Array| &x * y)(array([1.0, 2.0])))(array([3.0, 5.0]));
    close(&outer, &[3.0, 6.0, 5.0, 10.0]);
}

#[test]
fn jit_traces_once_per_type() {
    let traces = Cell::new(0);
    let double = Jit::new(Arc::new(Interpreter), |x: Array| {
        traces.set(traces.get() + 1);
        x * 2.0
    });
    close(&double.call(array([1.0])), &[2.0]);
    close(&double.call(array([5.0])), &[10.0]);
    assert_eq!((traces.get(), double.cache_len()), (1, 1));
    close(&double.call(array(3.0)), &[6.0]);
    close(&double.call(array(4.0)), &[8.0]);
    assert_eq!((traces.get(), double.cache_len()), (2, 2));
    with_default_float(DType::F64, || double.call(array([1.0f64]).cast(DType::F64)));
    assert_eq!(double.cache_len(), 3);
}

#[test]
fn jit_inside_a_trace_is_a_call() {
    let inner = jit(|x: Array| x.exp());
    let graph = raw_graph_of(|x: Array| inner(x) + 1.0, &array(0.0)).unwrap();
    assert!(graph.eqns().iter().any(|e| matches!(e.op, Op::Call { .. })));
    let graph = graph_of(|x: Array| inner(x) + 1.0, &array(0.0)).unwrap();
    assert!(!graph.eqns().iter().any(|e| matches!(e.op, Op::Call { .. })));
    close(&vmap(&inner)(array([0.0])), &[1.0]);
}

#[test]
fn a_step_with_its_gradient() {
    let data = array([1.0, 2.0, 6.0]);
    let step = jit(|(p, data): ((Array, Array), Array)| {
        let (loss, g) = value_and_grad(|(a, b): (Array, Array)| (&data - a - b).square().mean())((
            p.0.clone(),
            p.1.clone(),
        ));
        (tree_map(|p, g| p - g * 0.1, p, g), loss)
    });
    let mut p = (array(0.0), array(0.0));
    for _ in 0..50 {
        p = step((p, data.clone())).0;
    }
    close(&(p.0 + p.1), &[3.0]);
}

#[test]
fn compiled_functions_move_between_threads() {
    fn send<T: Send + Sync>(f: T) -> T {
        f
    }
    let f = send(jit(|x: Array| x * 2.0));
    std::thread::scope(|s| {
        s.spawn(|| close(&f(array(1.0)), &[2.0]));
        s.spawn(|| close(&f(array(2.0)), &[4.0]));
    });
}

#[test]
fn key_trees_and_structures_survive() {
    let (k, n) = jit(|(k, n): (Key, Array)| (k.fold_in(n.clone()), n))((Key::new(1), array(2)));
    assert_eq!(k.structure(), Key::new(0).structure());
    close(&n, &[2.0]);
}

/// Value, forward and reverse derivatives and lanes of a function of one number, against
/// differences of its own values.
#[track_caller]
fn consistent(f: impl Fn(Array) -> Array + Copy) {
    with_default_float(DType::F64, || {
        let at = |x: f64| f(array(x)).item::<f64>().unwrap();
        let want = (at(0.3 + 1e-6) - at(0.3 - 1e-6)) / 2e-6;
        close(&jvp(f, array(0.3), array(1.0)).1, &[want]);
        close(&grad(f)(array(0.3)), &[want]);
        close(&jit(grad(f))(array(0.3)), &[want]);
        let lanes = vmap(f)(array([0.3, 0.4]));
        close(&lanes, &[at(0.3), at(0.4)]);
        let second = |x: f64| grad(f)(array(x)).item::<f64>().unwrap();
        let want2 = (second(0.3 + 1e-6) - second(0.3 - 1e-6)) / 2e-6;
        close(&grad(grad(f))(array(0.3)), &[want2]);
        close(&hessian(f)(array(0.3)), &[want2]);
        close(&jit(vmap(hessian(f)))(array([0.3, 0.3])), &[want2, want2]);
    });
}

#[test]
fn loops_of_every_kind() {
    // A counter and a key are carried beside a float; stacked integers come out.
    consistent(|x| {
        let ((last, _, _), (ys, ns)) =
            scan((x.clone(), array(0), Key::new(7)), arange(4), |(c, n, key), _| {
                let (k, next) = key.split();
                let noise = uniform(k, ());
                let c = (&c * &x + noise * n.cast(DType::F64)).sin();
                ((c.clone(), &n + 1, next), (c, n))
            });
        last + (ys * ns.cast(DType::F64)).sum()
    });
    // Scanned arrays that depend on the argument, backwards.
    consistent(|x| {
        let xs = arange(5).cast(DType::F64) * &x;
        let (last, ys) = probpipe_trace::scan_reverse(x.clone(), xs, |c, x| {
            let next = &c * 0.9 + x.sin();
            (next.clone(), next * c)
        });
        last + ys.sum()
    });
    // Loops in loops; the inner one reads the outer carry.
    consistent(|x| {
        fori_loop(3, x.clone(), |i, c| {
            let (inner, _) = scan(array(1.0).cast(DType::F64), arange(3), |d, j| {
                ((&d * &c + (&i + j).cast(DType::F64) * &x).cos(), ())
            });
            inner + c * 0.5
        })
    });
    // Carries that swap places take their tangents along.
    consistent(|x| {
        let start = (x.clone(), array(1.0).cast(DType::F64));
        let (a, b) = fori_loop(3, start, |_, (a, b)| (b.clone() * 1.5, a + b.square()));
        a * b
    });
    // A derivative is taken in the step, of a function of the carry.
    consistent(|x| {
        fori_loop(3, x, |_, c| {
            let (y, dy) = value_and_grad(|t: Array| (t.square() + 1.0).sqrt())(c);
            y * 0.5 + dy
        })
    });
    // A matrix in the loop.
    consistent(|x| {
        let m =
            stack(&[stack(&[&x + 2.0, x.clone()], 0), stack(&[x.clone(), array(3.0) + &x], 0)], 0);
        let l = m.cholesky();
        let b = fori_loop(2, ones([2, 1]), |_, b| l.solve_triangular(&b));
        b.sum() + l.sum()
    });
}

#[test]
fn what_comes_beside_a_value() {
    let loss = |x: Array| (x.square().sum(), (x.sum(), vec![x.cast(DType::I32)]));
    let x = array([1.0, 2.0]);
    let ((y, (sum, whole)), dy) = value_and_grad_aux(loss)(x.clone());
    close(&y, &[5.0]);
    close(&sum, &[3.0]);
    close(&whole[0], &[1.0, 2.0]);
    close(&dy, &[2.0, 4.0]);
    let (dy, (sum, _)) = jit(grad_aux(loss))(x.clone());
    close(&dy, &[2.0, 4.0]);
    close(&sum, &[3.0]);
    let (y, dy, (sum, _)) = jvp_aux(loss, x.clone(), array([1.0, 0.0]));
    close(&y, &[5.0]);
    close(&dy, &[2.0]);
    close(&sum, &[3.0]);
    let (y, pull, (sum, _)) = vjp_aux(loss, x.clone());
    close(&y, &[5.0]);
    close(&sum, &[3.0]);
    close(&pull(array(10.0)), &[20.0, 40.0]);
    // What comes beside is a constant of an outer differentiation, too.
    close(&grad(|x: Array| grad_aux(loss)(x).1.0)(x), &[0.0, 0.0]);
}

#[test]
fn products_with_the_hessian() {
    let f = |(a, b): (Array, Array)| (a.sin() * &b).sum() * b.at(0);
    let x = (array([0.3, 0.5]), array([1.5, -2.0]));
    let v = (array([1.0, 2.0]), array([0.5, -1.0]));
    let (ha, hb) = jit(|(x, v)| hvp(f)(x, v))((x.clone(), v.clone()));
    // Forward over forward.
    let along = |x| jvp(f, x, v.clone()).1;
    let (a, b) = grad(along)(x);
    close(&ha, &a.cast(DType::F64).to_vec::<f64>().unwrap());
    close(&hb, &b.cast(DType::F64).to_vec::<f64>().unwrap());
}

#[test]
fn transposes_of_linear_functions() {
    let m = array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let f = |(x, y): (Array, Array)| (m.matmul(&x) + y.at(0), y * 2.0);
    let like = (zeros([2]), zeros([3]));
    let (dx, dy) = linear_transpose(f, &like)((array([1.0, 10.0, 100.0]), ones([3])));
    close(&dx, &[531.0, 642.0]);
    close(&dy, &[113.0, 2.0, 2.0]);
    let twice = linear_transpose(linear_transpose(|x: Array| x * 3.0, &zeros([2])), &zeros([2]));
    close(&twice(array([1.0, 2.0])), &[3.0, 6.0]);
    // Captured arrays of an outer trace are constants.
    let outer = grad(|w: Array| linear_transpose(|x: Array| x * &w, &zeros([]))(array(5.0)));
    close(&outer(array(2.0)), &[5.0]);
    let says = |y: Array, what: &str| {
        let error = y.value().unwrap_err().to_string();
        says(&error, &[what]);
    };
    says(linear_transpose(|x: Array| x + 1.0, &zeros([2]))(ones([2])), "not zero at zero");
    says(linear_transpose(|x: Array| x.sin(), &zeros([2]))(ones([2])), "`sin` is not linear");
    says(linear_transpose(|x: Array| &x * &x, &zeros([2]))(ones([2])), "`mul` is not linear");
}

#[derive(Clone, Tree)]
#[tree(crate = probpipe_trace)]
struct Line {
    slope: Array,
    offset: Array,
}

#[test]
fn jacobians_over_trees() {
    // Blocks as `jax.jacfwd` gives them.
    let f = |(x, t): (Array, Array)| (x.square() * &t, vec![t.sin(), x.sum()]);
    let at = (array([1.0, 2.0]), array(0.5));
    let forward = jacfwd(f)(at.clone());
    let backward = jacrev(f)(at.clone());
    let compiled = jit(jacfwd(f))(at);
    for ((yx, yt), rest) in [forward, backward, compiled] {
        close(&yx, &[1.0, 0.0, 0.0, 2.0]);
        assert_eq!(yx.shape(), [2, 2]);
        close(&yt, &[1.0, 4.0]);
        close(&rest[0].0, &[0.0, 0.0]);
        close(&rest[0].1, &[0.5f64.cos()]);
        close(&rest[1].0, &[1.0, 1.0]);
        close(&rest[1].1, &[0.0]);
        assert_eq!(rest[1].1.shape(), [0usize; 0]);
    }
    // A struct nests into a map by path, on the outside.
    let loss = |l: Line| (l.slope.square() * &l.offset).sum();
    let at = Line { slope: array([1.0, 2.0]), offset: array(3.0) };
    let slopes = jacfwd(loss)(at.clone());
    close(&slopes.offset, &[5.0]);
    let h = hessian(loss)(at.clone());
    close(&h["slope"].slope, &[6.0, 0.0, 0.0, 6.0]);
    close(&h["slope"].offset, &[2.0, 4.0]);
    close(&h["offset"].slope, &[2.0, 4.0]);
    close(&h["offset"].offset, &[0.0]);
    // Lanes of blocks.
    let (a, b) =
        vmap(jacrev(|(x, y): (Array, Array)| x * y))((array([1.0, 2.0]), array([3.0, 4.0])));
    close(&a, &[3.0, 4.0]);
    close(&b, &[1.0, 2.0]);
    // Faults come out in every block.
    let (a, b) = jacrev(|x: Array| (x.sum(), x.cast(DType::I32)))(array([1.0]));
    says(a, &["gives floats, not i32[1]"]);
    assert!(b.error().is_some());
}

#[test]
fn axes_of_nested_trees() {
    type Deep = (Array, (Vec<Array>, Array));
    let f = |(a, (b, c)): Deep| (&a * &b[0] + &c, vec![b[1].sum(), c]);
    let a = array([1.0, 2.0, 3.0]);
    let b = vec![array([10.0, 20.0, 30.0]), array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])];
    let c = array(0.5);
    let in_axes = (BatchAxes::from(0), (vec![0, 1], ()));
    let out_axes = (0, vec![BatchAxes::from(-1), BatchAxes::None]);
    let (y, rest) = vmap_axes(f, in_axes, out_axes)((a, (b, c)));
    close(&y, &[10.5, 40.5, 90.5]);
    close(&rest[0], &[5.0, 7.0, 9.0]);
    close(&rest[1], &[0.5]);
    assert_eq!(rest[1].shape(), [0usize; 0]);
}

#[test]
fn axes_by_key() {
    let map = |list: [(&str, Array); 3]| -> BTreeMap<String, Array> {
        list.map(|(key, x)| (key.to_string(), x)).into()
    };
    let f = |(p, x): (BTreeMap<String, Array>, Array)| &p["a"] + &p["b"].sum() * &p["c"] + x;
    let (a, b) = (array([1.0, 2.0]), array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    let p = || map([("a", a.clone()), ("b", b.clone()), ("c", array(10.0))]);
    // Not in the order of the keys, which is alphabetical.
    let axes = [("c", None), ("b", Some(1)), ("a", Some(0))];
    let want = [91.5, 122.5];
    close(&vmap_axes(f, (axes, None), 0)((p(), array(0.5))), &want);
    let keyed = HashMap::from(axes);
    close(&vmap_axes(f, (keyed, None), 0)((p(), array(0.5))), &want);
    let line = Line { slope: array([1.0, 2.0]), offset: array(3.0) };
    let y =
        vmap_axes(|l: Line| l.slope * l.offset, [("offset", None), ("slope", Some(0))], 0)(line);
    close(&y, &[3.0, 6.0]);
    // A key that is missing, and one too many.
    for axes in [BatchAxes::from([("a", 0)]), BatchAxes::from([("a", 0), ("b", 1), ("z", 0)])] {
        let y = vmap_axes(f, (axes, None), 0)((p(), array(0.5)));
        let error = y.value().unwrap_err().to_string();
        assert!(error.contains("axes do not fit the argument's structure"), "{error}");
        assert!(error.contains("one per key"), "{error}");
    }
}

#[test]
fn gradients_of_parts() {
    // An integer among the arguments is in nobody's way.
    let f = |(w, n, x): (Array, Array, Array)| (w * x.powi(2)).sum() * n.cast(DType::F32);
    let at = || (array([1.0, 2.0]), array(3), array([1.0, 2.0]));
    close(&grad_wrt(|(w, _, _)| w, f)(at()), &[3.0, 12.0]);
    let (y, (dx, dw)) = value_and_grad_wrt(|(w, _, x)| (x, w), f)(at());
    close(&y, &[27.0]);
    close(&dx, &[6.0, 24.0]);
    close(&dw, &[3.0, 12.0]);
    // Under other transforms.
    let lanes = jit(vmap_axes(grad_wrt(|(w, _, _)| w, f), (0, (), ()), 0));
    close(&lanes((array([1.0, 2.0]), array(3), array([1.0, 2.0]))), &[15.0, 15.0]);
    let second = grad_wrt(|(_, _, x)| x, |x| grad_wrt(|(_, _, x)| x, f)(x).sum());
    close(&second(at()), &[6.0, 12.0]);
    let line = Line { slope: array([1.0, 2.0]), offset: array(3.0) };
    let slope = grad_wrt(|l: Line| vec![l.offset], |l: Line| (l.slope * l.offset).sum())(line);
    close(&slope[0], &[3.0]);
}

#[test]
fn parts_that_are_none() {
    let f = |(a, b): (Array, Array)| a * b;
    let at = || (array(1.0), array(2.0));
    let says = |x: &Array, want: &str| {
        let error = x.value().unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let made = grad_wrt(|(a, _): (Array, Array)| a * 2.0, f)(at());
    says(&made, "`grad_wrt` picks arrays of the argument, this one is made anew");
    let other = array(1.0);
    says(&grad_wrt(|(_, _)| other.clone(), f)(at()), "this one is made anew");
    let (twice, _) = grad_wrt(|(a, _): (Array, Array)| (a.clone(), a), f)(at());
    says(&twice, "`grad_wrt` picks the argument's leaf `.0` twice");
    let (y, dx) = value_and_grad_wrt(|(a, _)| a, f)((array(1), array(2.0)));
    says(&y, "cannot differentiate with respect to the argument, which is i32[]");
    says(&dx, "cannot differentiate with respect to the argument, which is i32[]");
    let broken = grad_wrt(|(a, _)| a, f)((array([1.0, 2.0]).reshape([3]), array(1.0)));
    says(&broken, "reshape");
}

#[test]
fn why_programs_were_compiled() {
    let f = jit(|(x, y): (Array, Array)| x * y);
    assert_eq!(recompiles(&f), [""; 0]);
    f((array([1.0]), array([1.0])));
    f((array([1.0]), array([2.0])));
    assert_eq!(recompiles(&f), [""; 0]);
    f((array([1.0]), array([1.0, 2.0])));
    let want = "program 2: leaf `.1` is f32[2], program 1 takes f32[1]";
    assert_eq!(recompiles(&f), [want]);
    // A clone shares the programs; so does a closure that owns the function.
    let g = f.clone();
    g((array([1]), array([1])));
    assert_eq!(recompiles(&f).len(), 2);
    let owner = move |x: Array| g((x.clone(), x));
    assert_eq!(recompiles(&owner), recompiles(&f));
    assert_eq!(recompiles(&|x: Array| x), [""; 0]);
    // It still composes.
    close(&vmap(f)((array([1.0, 2.0]), array([3.0, 4.0]))), &[3.0, 8.0]);
}
