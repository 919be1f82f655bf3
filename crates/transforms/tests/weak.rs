//! Constants whose element type nobody named take that of what they meet, from the digits written,
//! in programs of either float type: eager and traced, in loops and branches, handed to
//! transformations and captured by them. Where nothing decides they are of the default float type.

use probpipe_trace::{
    Array, DType, Interpreter, arange, arange_step, array, associative_scan, cond, eye, eye_offset,
    fori_loop, fori_loop_dynamic, full, geomspace, linspace, linspace_open, logspace, map, ones,
    scan, select, stack, switch, tri, while_loop, with_default_float, zeros,
};
use probpipe_transforms::{
    Jit, checkpoint, custom_jvp, grad, jacfwd, jit, jvp, linearize, value_and_grad, vjp, vmap,
};
use std::sync::Arc;

/// Data of a float type.
fn data(values: &[f64], dtype: DType) -> Array {
    Array::from_slice(values, [values.len()]).cast(dtype)
}

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).to_vec().unwrap()
}

/// What makes a constant.
type Make = fn() -> Array;

/// Every constructor of constants, of four numbers each.
fn constants() -> Vec<(&'static str, Make)> {
    vec![
        ("a literal", || array(0.1)),
        ("literals", || array([0.1, 0.2, 0.3, 1e-9])),
        ("nested literals", || array([[0.1, 0.2], [0.3, 0.7]]).reshape([4])),
        ("deep literals", || array([[[0.1, 0.2], [0.3, 0.7]]]).flatten()),
        ("zeros", || zeros([4])),
        ("ones", || ones([4])),
        ("full", || full([4], 0.1)),
        ("full of a literal array", || full([4], array(0.1) * 3.0)),
        ("eye", || eye(2).flatten() * 0.1),
        ("eye_offset", || eye_offset(2, 2, 1).flatten() * 0.1),
        ("tri", || tri(2, 2, 0).flatten() * 0.1),
        ("linspace", || linspace(0.1, 0.7, 4)),
        ("linspace_open", || linspace_open(0.1, 0.7, 4)),
        ("logspace", || logspace(-1.0, 1.0, 4)),
        ("geomspace", || geomspace(0.1, 0.7, 4)),
        ("arange_step", || arange_step(0.1, 0.5, 0.1)),
        ("one_hot", || array(2).one_hot(4) * 0.1),
        ("whole numbers", || arange(4) * 0.1),
        ("quotients of whole numbers", || arange(4) / 3),
        ("roots of whole numbers", || (arange(4) + 1).sqrt()),
        ("arithmetic", || (array([0.1, 0.2, 0.3, 0.4]) * 3.0 - 0.7).exp() / linspace(1.1, 2.0, 4)),
        ("shapes", || stack(&[array([0.1, 0.2]), zeros([2])], 0).transpose().flatten()),
        ("reductions", || array([0.1, 0.2, 0.3]).sum() / 7.0),
        ("composites", || array([0.1, 0.2, 0.3, 0.7]).exp2().hypot(0.3).ndtr()),
        ("matrices", || array([[0.7, 0.1], [0.1, 0.9]]).cholesky().inv().flatten()),
        ("choices", || select(&arange(4).lt(2), array(0.1), 0.3)),
    ]
}

/// The constant beside data: in the data's type, with the digits that it has when all is of that
/// type.
#[test]
fn every_constant_takes_the_type_that_it_meets() {
    for dtype in [DType::F32, DType::F64] {
        let x = data(&[1.5, -2.0, 0.25, 3.0], dtype);
        for (name, make) in constants() {
            let wanted = with_default_float(dtype, || {
                let y = &x * make() + make();
                numbers(&(y.cast(DType::F64)))
            });
            let check = |how: &str, y: Array| {
                assert!(y.error().is_none(), "{name} {how} in {dtype}: {y:?}");
                assert_eq!(y.dtype(), dtype, "{name} {how}");
                assert_eq!(numbers(&y), wanted, "{name} {how} in {dtype}");
            };
            let by_steps = |x: &Array| x.clone() * make() + make();
            check("eager", by_steps(&x));
            check("traced", jit(|x: Array| by_steps(&x))(x.clone()));
            let made = make();
            check("made outside", jit(|x: Array| x * &made + &made)(x.clone()));
            check("handed in", jit(|(x, c): (Array, Array)| x * &c + c)((x.clone(), make())));
            check("through cond", cond(&array(true), make(), |c| &x * &c + c, |_| x.clone()));
            let in_loop = fori_loop(1, x.clone(), |_, x: Array| x * make() + make());
            check("in a loop", in_loop);
            let (_, steps) = scan(make(), x.expand_dims(0), |c, x| (c.clone(), x * &c + c));
            check("carried", steps.at(0));
            let rows = vmap(|x: Array| x * make() + make())(x.expand_dims(0));
            check("under vmap", rows.at(0));
        }
    }
}

/// Where nothing decides, the default float type at the time of making.
#[test]
fn constants_alone_are_of_the_default_float() {
    for (name, make) in constants() {
        assert!(make().is_weak(), "{name}");
        assert_eq!(make().dtype(), DType::F32, "{name}");
        assert!(make().to_vec::<f32>().is_ok(), "{name}");
        let wide = with_default_float(DType::F64, || make().decided());
        assert_eq!(wide.dtype(), DType::F64, "{name}");
        // As it was when all was computed in one type.
        let narrow: Vec<f32> = make().to_vec().unwrap();
        let traced = jit(|(): ()| make())(());
        assert_eq!(traced.to_vec::<f32>().unwrap(), narrow, "{name}");
        assert!(!traced.is_weak(), "results of programs are data: {name}");
    }
    let kept = with_default_float(DType::F64, || array([0.1]));
    assert_eq!(kept.to_vec::<f64>().unwrap(), [0.1]);
}

/// Data keeps its type, and two float types do not mix.
#[test]
fn data_has_its_type() {
    let (narrow, wide) = (data(&[1.0], DType::F32), data(&[1.0], DType::F64));
    for made in [
        Array::from(vec![1.0f64]),
        Array::from(&[1.0f64][..]),
        array(vec![vec![1.0f64]]).flatten(),
        [1.0f64].into_iter().collect(),
        jit(|x: Array| x)(array([1.0])).cast(DType::F64),
    ] {
        assert!(!made.is_weak());
        let error = (made * &narrow).checked().unwrap_err();
        assert!(error.message().contains("does not mix f64[1] with f32[1]"), "{error}");
    }
    let error = (jit(|x: Array| x * 2.0)(array([1.0])) + &wide).checked().unwrap_err();
    assert!(error.message().contains("f32[1] with f64[1]"), "{error}");
}

#[test]
fn literals_handed_to_jit_meet_what_they_meet_without_it() {
    let f = |(x, n): (Array, Array)| x * n;
    let x = data(&[1.5, -2.0], DType::F32);
    assert_eq!(jit(f)((x.clone(), array(2))).to_vec::<f32>().unwrap(), [3.0, -4.0]);
    assert_eq!(jit(f)((x.clone(), array(0.5))).to_vec::<f32>().unwrap(), [0.75, -1.0]);
    let x = x.cast(DType::F64);
    let y = jit(f)((x.clone(), array([0.1, 0.2])));
    assert_eq!(y.to_vec::<f64>().unwrap(), [1.5 * 0.1, -2.0 * 0.2]);
    assert_eq!(jit(f)((x.clone(), array(2))).to_vec::<f64>().unwrap(), [3.0, -4.0]);
    let bytes = Array::from(vec![1u8, 2]);
    assert_eq!(jit(f)((bytes.clone(), array(3))).to_vec::<u8>().unwrap(), [3, 6]);
    let error = jit(f)((bytes, array(300))).checked().unwrap_err();
    assert!(error.message().contains("300 does not fit"), "{error}");
    // Needed in two types, it is handed over in both.
    let both = jit(|(n, x, i): (Array, Array, Array)| (x * &n, i + n));
    let (a, b) = both((array(3), x, Array::from(vec![1i64])));
    assert_eq!(a.to_vec::<f64>().unwrap(), [4.5, -6.0]);
    assert_eq!(b.to_vec::<i64>().unwrap(), [4]);
    // Unused, it is not handed over at all.
    let y = jit(|(x, _): (Array, Array)| x + 1.0)((array([1.0]), array([2.0])));
    assert_eq!(y.to_vec::<f32>().unwrap(), [2.0]);
}

/// One program serves a literal and data of the type that it is needed in.
#[test]
fn literals_compile_nothing_twice() {
    let f = Jit::new(Arc::new(Interpreter), |x: Array| x * 2.0);
    f.call(array([1.0, 2.0]));
    assert_eq!(f.call(data(&[1.0, 2.0], DType::F32)).to_vec::<f32>().unwrap(), [2.0, 4.0]);
    assert_eq!(f.cache_len(), 1);
    let g = Jit::new(Arc::new(Interpreter), |x: Array| x * 2.0);
    g.call(data(&[1.0, 2.0], DType::F32));
    assert_eq!(g.call(array([1.0, 2.0])).to_vec::<f32>().unwrap(), [2.0, 4.0]);
    assert_eq!(g.call(array([3.0, 2.0])).to_vec::<f32>().unwrap(), [6.0, 4.0]);
    assert_eq!((g.cache_len(), g.recompiles().len()), (1, 0));
    g.call(data(&[1.0, 2.0], DType::F64));
    assert_eq!(g.cache_len(), 2);
}

#[test]
fn carries_that_start_without_a_type_take_that_of_the_step() {
    let x = data(&[0.1, 0.2, 0.3], DType::F64);
    let total = 0.1 + 0.2 + 0.3;
    for start in [array(0.0), array(0), zeros(())] {
        let (sum, _) = scan(start.clone(), x.clone(), |sum, x| (sum + x, ()));
        assert_eq!(sum.to_vec::<f64>().unwrap(), [total]);
        let sum = fori_loop(3, start.clone(), |i, sum: Array| sum + x.at_indices([&i]).get());
        assert_eq!(sum.to_vec::<f64>().unwrap(), [total]);
        let sum = fori_loop_dynamic(0, 3, start.clone(), |_, sum: Array| sum + x.at(0));
        assert_eq!(sum.to_vec::<f64>().unwrap(), [0.1 + 0.1 + 0.1]);
        let grow = |s: Array| s + x.sum();
        let sum = while_loop(|s: Array| s.lt(1.0), grow, start);
        assert_eq!(sum.dtype(), DType::F64);
        assert!((sum.item::<f64>().unwrap() - 2.0 * total).abs() < 1e-12);
    }
    // Back without a type: that in which the step needs it, here for what it stacks.
    let (last, steps) = scan(array(0.1), x.clone(), |c, x| (&c * 0.5, x * c));
    assert_eq!(last.to_vec::<f64>().unwrap(), [0.1 * 0.5 * 0.5 * 0.5]);
    assert_eq!(steps.to_vec::<f64>().unwrap()[0], 0.1 * 0.1);
    // Nobody decides.
    assert_eq!(fori_loop(2, array(0.5), |_, c: Array| c * 0.5).item::<f32>().unwrap(), 0.125);
    assert_eq!(fori_loop(2, array(3), |_, c: Array| c + 1).item::<i32>().unwrap(), 5);
    assert_eq!(fori_loop(2, array(3), |_, c: Array| c * 0.5).item::<f32>().unwrap(), 0.75);
    // A carry of data stays what it is, also where a step gives a constant back.
    let (kept, _) = scan(x.clone(), x.clone(), |_, _| (zeros([3]), ()));
    assert_eq!(kept.to_vec::<f64>().unwrap(), [0.0; 3]);
    let error = scan(x.sum(), x.clone(), |c, _| (c.cast(DType::F32), ())).0.checked().unwrap_err();
    assert!(error.message().contains("starts as f64[] and ends a step as f32[]"), "{error}");
    // Constants to run over.
    let ys = map(|c: Array| &x * c, array([0.1, 0.2]));
    assert_eq!(ys.at(0).to_vec::<f64>().unwrap(), [0.1 * 0.1, 0.2 * 0.1, 0.3 * 0.1]);
    let (products, sums) = associative_scan(
        |(a, b): (Array, Array), (c, d)| (&a * &c, b * c + d),
        (array([2.0, 3.0, 4.0]), x.clone()),
        0,
        false,
    );
    assert_eq!((products.dtype(), sums.dtype()), (DType::F32, DType::F64));
}

#[test]
fn branches_that_disagree_by_a_constant_alone_agree() {
    let x = data(&[0.1, 0.2], DType::F64);
    for predicate in [true, false] {
        let run = |x: Array| cond(&array(predicate), x, |x| x * 3.0, |_| zeros([2]));
        let wanted = if predicate { vec![0.1 * 3.0, 0.2 * 3.0] } else { vec![0.0; 2] };
        assert_eq!(run(x.clone()).to_vec::<f64>().unwrap(), wanted);
        assert_eq!(jit(run)(x.clone()).to_vec::<f64>().unwrap(), wanted);
        let run = |x: Array| cond(&array(predicate), x, |x| x.sum(), |_| array(0));
        assert_eq!(jit(run)(x.clone()).dtype(), DType::F64);
    }
    let y = switch(&array(1), array(0.1), (|c: Array| &x + c, |c: Array| &x * c));
    assert_eq!(y.to_vec::<f64>().unwrap(), [0.1 * 0.1, 0.2 * 0.1]);
    let y = cond(&array(true), (), |()| array([0.5]), |()| zeros([1]));
    assert_eq!(y.to_vec::<f32>().unwrap(), [0.5]);
}

#[test]
fn transformations_take_constants() {
    let x = data(&[1.0, 2.0], DType::F64);
    let loss = |w: Array| (w.square() * &x).sum();
    let w = || array([0.1, 0.2]);
    let slope = [2.0 * 0.1, 2.0 * (2.0 * 0.2)];
    assert_eq!(grad(loss)(w()).to_vec::<f64>().unwrap(), slope);
    assert_eq!(jit(grad(loss))(w()).to_vec::<f64>().unwrap(), slope);
    let (y, dy) = value_and_grad(loss)(w());
    assert_eq!((y.dtype(), dy.dtype()), (DType::F64, DType::F64));
    let (_, dy) = jvp(loss, w(), array([1.0, 0.0]));
    assert_eq!(dy.to_vec::<f64>().unwrap(), [slope[0]]);
    let (_, pull) = vjp(loss, w());
    assert_eq!(pull(array(1.0)).to_vec::<f64>().unwrap(), slope);
    let (_, push) = linearize(loss, w());
    assert_eq!(push(array([1.0, 0.0])).to_vec::<f64>().unwrap(), [slope[0]]);
    assert_eq!(grad(checkpoint(loss))(w()).to_vec::<f64>().unwrap(), slope);
    let (a, b) = (x.clone(), x.clone());
    let weighed = custom_jvp(
        move |w: Array| w.square() * &a,
        move |w: Array, dw: Array| (w.square() * &b, w * dw * &b * 2.0),
    );
    let custom = |w: Array| weighed(w).sum();
    assert_eq!(grad(custom)(w()).to_vec::<f64>().unwrap(), slope);
    let rows = vmap(|w: Array| (w * &x).sum())(array([[0.1, 0.2], [0.3, 0.4]]));
    assert_eq!(rows.to_vec::<f64>().unwrap(), [0.1 + 0.4, 0.3 + 0.8]);
    // Alone, of the default float type, as a literal is.
    assert_eq!(grad(|w: Array| w.square().sum())(w()).to_vec::<f32>().unwrap(), [0.2, 0.4]);
    assert_eq!(jacfwd(|w: Array| w * 2.0)(array([1.0])).to_vec::<f32>().unwrap(), [2.0]);
    assert_eq!(vmap(|w: Array| w * 2.0)(array([1.0])).to_vec::<f32>().unwrap(), [2.0]);
}
