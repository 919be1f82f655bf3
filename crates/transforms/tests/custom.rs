//! Functions with derivatives of their own: each is checked against finite differences, in both
//! modes, twice differentiated, batched and compiled; what is refused says so.

use probpipe_testing::{EXACT, Tolerance, close, differences, says};
use probpipe_trace::{
    Array, DType, array, linspace, pure_callback, pure_callback_vectorized, scan,
    with_default_float,
};
use probpipe_transforms::{
    custom_derivatives, custom_jvp, custom_vjp, grad, hessian, jacfwd, jacrev, jit, jvp,
    value_and_grad, vjp, vmap, vmap_axes,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Every derivative of an elementwise function through each of its transforms.
#[track_caller]
fn check(f: impl Fn(Array) -> Array) {
    with_default_float(DType::F64, || {
        let x = linspace(-0.8, 0.9, 4);
        let loss = |x: Array| (f(x.clone()) * x.cos()).sum();
        let first = differences(&loss, &x);
        close("", &grad(loss)(x.clone()), &first, Tolerance::mixed(1e-7));
        close("", &jacfwd(loss)(x.clone()), &first, Tolerance::mixed(1e-7));
        close("", &jit(grad(loss))(x.clone()), &first, Tolerance::mixed(1e-7));
        close("", &jit(jacfwd(loss))(x.clone()), &first, Tolerance::mixed(1e-7));
        let each = |x: Array| (f(x.clone()) * x.cos()).reshape(());
        let column = x.reshape([4]);
        close("", &vmap(grad(each))(column.clone()), &first, Tolerance::mixed(1e-7));
        close(
            "",
            &grad(|x: Array| vmap(each)(x).sum())(column.clone()),
            &first,
            Tolerance::mixed(1e-7),
        );
        close("", &jit(vmap(jacfwd(each)))(column.clone()), &first, Tolerance::mixed(1e-7));

        // Second derivatives, by differences of the first.
        let slope = |i: usize| move |x: Array| grad(loss)(x).at(i as isize);
        let mut second = Vec::new();
        for i in 0..4 {
            second.extend(differences(&slope(i), &x));
        }
        close("", &hessian(loss)(x.clone()), &second, Tolerance::mixed(1e-6));
        close("", &jacrev(grad(loss))(x.clone()), &second, Tolerance::mixed(1e-6));
        close("", &jacrev(jacfwd(loss))(x.clone()), &second, Tolerance::mixed(1e-6));
        close("", &jacfwd(jacfwd(loss))(x.clone()), &second, Tolerance::mixed(1e-6));
        close("", &jit(hessian(loss))(x.clone()), &second, Tolerance::mixed(1e-6));
        let diagonal: Vec<f64> = (0..4).map(|i| second[5 * i]).collect();
        close("", &vmap(hessian(each))(column.clone()), &diagonal, Tolerance::mixed(1e-6));
        close("", &jit(vmap(grad(grad(each))))(column), &diagonal, Tolerance::mixed(1e-6));

        // In a loop.
        let looped =
            |x: Array| scan(x.clone(), linspace(0.5, 1.0, 3), |c, t| (f(c) * t, ())).0.sum();
        let first = differences(&looped, &x);
        close("", &grad(looped)(x.clone()), &first, Tolerance::mixed(1e-7));
        close("", &jit(jacfwd(looped))(x), &first, Tolerance::mixed(1e-7));
    });
}

fn by_jvp(x: Array) -> Array {
    custom_jvp(
        |x: Array| x.sin() * x.exp(),
        // The function itself, so that the second derivative comes from the rule too.
        |x: Array, dx: Array| {
            let y = by_jvp(x.clone());
            let slope = &y + x.cos() * x.exp();
            (y, slope * dx)
        },
    )(x)
}

fn by_vjp(x: Array) -> Array {
    custom_vjp(
        |x: Array| x.sin() * x.exp(),
        |x: Array| (by_vjp(x.clone()), (x.cos() * x.exp(), x)),
        |(slope, x): (Array, Array), ct: Array| (slope + by_vjp(x)) * ct,
    )(x)
}

fn by_both(x: Array) -> Array {
    custom_derivatives(
        |x: Array| x.sin() * x.exp(),
        |x: Array, dx: Array| {
            let y = by_both(x.clone());
            (&y + 0.0, (&y + x.cos() * x.exp()) * dx)
        },
        |x: Array| (by_both(x.clone()), x),
        |x: Array, ct: Array| (x.sin() + x.cos()) * x.exp() * ct,
    )(x)
}

#[test]
fn forward_rules() {
    check(by_jvp);
}

#[test]
fn reverse_rules() {
    check(by_vjp);
}

#[test]
fn both_rules() {
    check(by_both);
}

#[test]
fn the_rule_is_what_is_used() {
    // Straight-through rounding.
    let round = custom_jvp(|x: Array| x.round(), |x: Array, dx: Array| (x.round(), dx));
    close("", &grad(|x: Array| (round(x) * 3.0).sum())(array([0.2, 1.7])), &[3.0, 3.0], EXACT);
    let odd = custom_derivatives(
        |x: Array| x,
        |x: Array, dx: Array| (x, dx * 2.0),
        |x: Array| (x, ()),
        |(), ct: Array| ct * 3.0,
    );
    close("", &grad(|x: Array| odd(x))(array(1.0)), &[3.0], EXACT);
    close("", &jvp(&odd, array(1.0), array(1.0)).1, &[2.0], EXACT);
    close("", &jit(grad(|x: Array| odd(x)))(array(1.0)), &[3.0], EXACT);
    close("", &jit(|x: Array| jvp(&odd, x, array(1.0)).1)(array(1.0)), &[2.0], EXACT);
    close("", &vmap(grad(|x: Array| odd(x)))(array([1.0, 2.0])), &[3.0, 3.0], EXACT);
    close("", &grad(jit(|x: Array| odd(x)))(array(1.0)), &[3.0], EXACT);
    // An inner derivative that does not move the argument leaves the rule to the outer one.
    let inner = |x: Array| grad(|y: Array| y * odd(x.clone()))(array(1.0));
    close("", &grad(inner)(array(1.0)), &[3.0], EXACT);
}

#[test]
fn rules_run_when_a_derivative_is_taken() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let f = custom_jvp(
        |x: Array| x.square(),
        move |x: Array, dx: Array| {
            seen.fetch_add(1, Ordering::Relaxed);
            (x.square(), 2.0 * x * dx)
        },
    );
    f(array(1.0));
    jit(&f)(array(1.0));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    grad(&f)(array(1.0));
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn trees_and_arguments_that_do_not_move() {
    type Pair = (Array, Array);
    let rule = |(x, n): Pair, (dx, dn): Pair| {
        assert_eq!(dn.dtype(), DType::I32);
        let (y, k) = (&x * n.cast(DType::F32), n + 1);
        // What is given for an integer is not read.
        ((y, k), (dx * 5.0, array(0.5)))
    };
    let f = custom_jvp(|(x, n): Pair| (&x * n.cast(DType::F32), n + 1), rule);
    let ((y, k), (dy, dk)) = jvp(&f, (array(2.0), array(3)), (array(1.0), array(0)));
    close("", &y, &[6.0], EXACT);
    close("", &k, &[4.0], EXACT);
    close("", &dy, &[5.0], EXACT);
    close("", &dk, &[0.0], EXACT);
    let g = custom_vjp(
        |(x, y): Pair| (x * y.clone(), y),
        |(x, y): Pair| ((&x * &y, y.clone()), vec![x, y]),
        |r: Vec<Array>, (a, b): Pair| (&a * &r[1] * 10.0, &a * &r[0] + b),
    );
    // One argument moves, the other is fixed.
    let fixed = array([3.0, 4.0]);
    let d = grad(|x: Array| g((x, fixed.clone())).0.sum())(array([1.0, 2.0]));
    close("", &d, &[30.0, 40.0], EXACT);
    let (_, pull) = vjp(&g, (array(1.0), array(2.0)));
    let (da, db) = pull((array(1.0), array(7.0)));
    close("", &da, &[20.0], EXACT);
    close("", &db, &[8.0], EXACT);
    // Batched over one argument only.
    let lanes = vmap_axes(grad(|(x, y): Pair| g((x, y)).0), (0, None), (0, 0));
    let (da, db) = lanes((array([1.0, 2.0]), array(3.0)));
    close("", &da, &[30.0, 30.0], EXACT);
    close("", &db, &[1.0, 2.0], EXACT);
}

#[test]
fn summed_over_lanes_of_what_is_shared() {
    let f = |x: Array| {
        let g = custom_vjp(
            |(x, t): (Array, Array)| x * t,
            |(x, t): (Array, Array)| (&x * &t, (x, t)),
            |(x, t): (Array, Array), ct: Array| (t * &ct, x * ct),
        );
        vmap(move |t: Array| g((x.clone(), t)))(array([1.0, 2.0, 3.0])).sum()
    };
    close("", &grad(f)(array(2.0)), &[6.0], EXACT);
    close("", &jacfwd(f)(array(2.0)), &[6.0], EXACT);
}

#[test]
fn a_reverse_rule_that_is_not_linear() {
    let clip = custom_vjp(|x: Array| x, |x| (x, ()), |(), ct: Array| ct.maximum(-1.0).minimum(1.0));
    close("", &jit(grad(|x: Array| clip(x) * 5.0))(array(1.0)), &[1.0], EXACT);
    let error = jvp(&clip, array(1.0), array(1.0)).1.value().unwrap_err().to_string();
    says(&error, &["`bwd` is not linear", "custom_derivatives"]);
    let error = jit(|x: Array| jvp(&clip, x, array(1.0)).1)(array(1.0)).value().unwrap_err();
    says(&error, &["`bwd` is not linear"]);
}

#[test]
fn captured_arrays() {
    // As constants of the differentiation they are operands like others.
    let f = |w: Array| {
        let g = custom_jvp(move |x: Array| x * &w, |x: Array, dx: Array| (x, dx));
        move |x: Array| g(x)
    };
    close("", &jit(|w: Array| f(w)(array(3.0)))(array(2.0)), &[6.0], EXACT);
    close("", &vmap(|w: Array| f(w)(array(3.0)))(array([2.0, 4.0])), &[6.0, 12.0], EXACT);
    // Differentiated by them, there is no rule.
    let error = grad(|w: Array| f(w)(array(3.0)))(array(2.0)).value().unwrap_err().to_string();
    says(&error, &["takes from around it", "as an argument"]);
    // A rule takes none.
    let error = grad(|w: Array| {
        let w = w * 2.0;
        let g = custom_jvp(|x: Array| x, move |x: Array, dx: Array| (x, dx * &w));
        grad(g)(array(1.0))
    })(array(2.0));
    let error = error.value().unwrap_err().to_string();
    says(&error, &["a rule of `custom_jvp`", "argument"]);
    let error = grad(|w: Array| {
        custom_jvp(|x: Array| x, {
            let w = w.clone();
            move |x: Array, dx: Array| (x, dx * &w)
        })(w)
    })(array(2.0))
    .value()
    .unwrap_err()
    .to_string();
    says(&error, &["after its trace had ended", "rule of `custom_jvp`"]);
}

#[test]
fn rules_that_give_the_wrong_thing() {
    let says = |array: Array, line: u32, what: &str| {
        let error = array.value().unwrap_err();
        says(&error, &[what]);
        let at = error.location().unwrap().line();
        assert!((line..=line + 1).contains(&at), "{error}");
    };
    let line = line!() + 1;
    let f = custom_jvp(|x: Array| x.sum(), |x: Array, dx: Array| (x.sum(), dx));
    says(grad(f)(array([1.0, 2.0])), line, "gives a tangent of type f32[2], not f32[]");
    let line = line!() + 1;
    let f =
        custom_jvp(|x: Array| x.sum(), |x: Array, dx: Array| (x.sum().cast(DType::I32), dx.sum()));
    says(grad(f)(array([1.0, 2.0])), line, "gives a result of type i32[], not f32[]");
    let line = line!() + 1;
    let f = custom_vjp(
        |x: Vec<Array>| x[0].sum(),
        |x| (x[0].sum(), ()),
        |(), ct: Array| vec![ct.clone(), ct],
    );
    says(grad(f)(vec![array([1.0, 2.0])]).remove(0), line, "of another structure");
    let line = line!() + 1;
    let f = custom_vjp(|x: Array| x.sum(), |x: Array| (x, ()), |(), ct: Array| ct);
    says(grad(f)(array([1.0, 2.0])), line, "gives a result of type f32[2], not f32[]");
}

#[test]
fn literals_in_rules_take_the_type_of_the_argument() {
    let f = custom_jvp(|x: Array| x, |_: Array, dx: Array| (array(7.0), dx * 4.0));
    let x = Array::from_slice(&[1.0f64], []);
    let (y, dy) = value_and_grad(f)(x);
    assert_eq!((y.item::<f64>().unwrap(), dy.item::<f64>().unwrap()), (7.0, 4.0));
}

#[test]
fn callbacks() {
    let host = |x: Array| {
        Array::from(x.to_vec::<f32>().unwrap().iter().map(|v| v * v).collect::<Vec<_>>())
    };
    let square = move |x: Array| {
        pure_callback(move |x: Array| host(x.reshape([x.size()])).reshape(x.shape()), &x, x.clone())
    };
    close("", &jit(square)(array([1.0, 3.0])), &[1.0, 9.0], EXACT);
    close("", &jit(vmap(square))(array([[1.0, 3.0], [2.0, 4.0]])), &[1.0, 9.0, 4.0, 16.0], EXACT);
    let error =
        grad(move |x: Array| square(x).sum())(array([1.0])).value().unwrap_err().to_string();
    says(&error, &["has no derivative", "custom_vjp"]);
    let known = custom_jvp(square, move |x: Array, dx: Array| (square(x.clone()), 2.0 * x * dx));
    close("", &jit(grad(|x: Array| known(x).sum()))(array([1.0, 3.0])), &[2.0, 6.0], EXACT);
    close(
        "",
        &jit(hessian(|x: Array| known(x).sum()))(array([1.0, 3.0])),
        &[2.0, 0.0, 0.0, 2.0],
        EXACT,
    );

    // Calls per batch.
    let count = Arc::new(AtomicUsize::new(0));
    let counted = |seen: Arc<AtomicUsize>| {
        move |x: Array| {
            seen.fetch_add(1, Ordering::Relaxed);
            x * 2.0
        }
    };
    let each = counted(count.clone());
    let x = array([1.0, 2.0, 3.0]);
    let each = move |x: Array| pure_callback(each.clone(), &x, x.clone());
    close("", &vmap(each)(x.clone()), &[2.0, 4.0, 6.0], EXACT);
    assert_eq!(count.swap(0, Ordering::Relaxed), 3);
    let all = counted(count.clone());
    let all = move |x: Array| pure_callback_vectorized(all.clone(), &x, x.clone());
    close("", &vmap(all)(x), &[2.0, 4.0, 6.0], EXACT);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn callbacks_that_fail() {
    let x = array([1.0, 2.0]);
    let says = |y: Array, what: &str| {
        let error = y.value().unwrap_err().to_string();
        says(&error, &[what]);
    };
    says(
        pure_callback(|x: Array| x.sum(), &x, x.clone()),
        "gave [f32[]], it was declared to give [f32[2]]",
    );
    says(
        pure_callback(|_: Array| panic!("no such thing"), &x, x.clone()),
        "panicked: no such thing",
    );
    says(pure_callback(|x: Array| x.reshape([3]), &x, x.clone()), "cannot reshape");
    says(
        pure_callback(|x: Array| vec![x], &vec![x.clone(), x.clone()], x.clone()).remove(0),
        "another structure",
    );
    let f = jit(|x: Array| pure_callback(|_: Array| panic!("inside"), &x, x.clone()) + 1.0);
    says(f(x), "panicked: inside");
}

#[test]
fn inspection_sees_values_and_changes_nothing() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = seen.clone();
    let f = move |x: Array| {
        let note = note.clone();
        let y =
            (x * 2.0).inspect_with(move |y| note.lock().unwrap().push(y.to_vec::<f32>().unwrap()));
        y.square().sum()
    };
    let taken = || std::mem::take(&mut *seen.lock().unwrap());
    close("", &f(array([1.0, 2.0])), &[20.0], EXACT);
    assert_eq!(taken(), [[2.0, 4.0]]);
    close("", &jit(&f)(array([1.0, 2.0])), &[20.0], EXACT);
    assert_eq!(taken(), [[2.0, 4.0]]);
    let (y, dy) = value_and_grad(&f)(array([1.0, 2.0]));
    close("", &y, &[20.0], EXACT);
    close("", &dy, &[8.0, 16.0], EXACT);
    assert_eq!(taken(), [[2.0, 4.0]]);
    close("", &jit(hessian(&f))(array([1.0])), &[8.0], EXACT);
    taken();
    close("", &vmap(&f)(array([[1.0], [2.0]])), &[4.0, 16.0], EXACT);
    assert_eq!(taken(), [[2.0, 4.0]]);
    close("", &jit(vmap(grad(&f)))(array([[1.0], [2.0]])), &[8.0, 16.0], EXACT);
    assert_eq!(taken(), [[2.0, 4.0]]);
}
