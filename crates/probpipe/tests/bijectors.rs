//! Bijectors against reference values with their derivatives, against explicit Jacobians, through
//! every transform, and what a user reads whose array does not fit.

mod golden;

use golden::{assert_close, distributions, floats, numbers};
use probpipe::bijectors::{
    Affine, Bijector, CholeskyProduct, Exp, Log, Logit, LowerCholesky, LowerCholeskyAffine,
    Permutation, Power, Sigmoid, SimplexToOrdered, Softplus, Tanh, biject_to,
};
use probpipe::constraints::Constraint;
use probpipe::prelude::*;
use probpipe_testing::{reads, reference};
use serde_json::Value as Json;

/// The bijector that a case names.
fn bijector(case: &Json, dtype: DType) -> Option<Box<dyn Bijector>> {
    let number = |name: &str| golden::number(&case["args"][name]);
    let matrix = |name: &str| reference::array(&case["args"][name], Some(dtype)).unwrap();
    let (low, high) =
        (|| Array::from(number("lower_bound")), || Array::from(number("upper_bound")));
    let onto = |constraint: Constraint| biject_to(&constraint).ok();
    match case["constraint"].as_str().unwrap() {
        "real" => onto(Constraint::Real),
        "positive" => onto(Constraint::Positive),
        "greater_than" => onto(Constraint::AtLeast(low())),
        "less_than" => onto(Constraint::AtMost(high())),
        "unit_interval" => onto(Constraint::UnitInterval),
        "interval" => onto(Constraint::Interval(low(), high())),
        "circular" => onto(Constraint::Circular),
        "softplus_positive" => Some(Box::new(Softplus)),
        "simplex" => onto(Constraint::Simplex),
        "ordered_vector" => onto(Constraint::OrderedVector),
        "positive_ordered_vector" => onto(Constraint::PositiveOrderedVector),
        "l1_ball" => onto(Constraint::L1Ball),
        "zero_sum" => onto(Constraint::ZeroSum),
        "corr_cholesky" => onto(Constraint::CorrelationCholesky),
        "corr_matrix" => onto(Constraint::CorrelationMatrix),
        "lower_cholesky" => onto(Constraint::LowerCholesky),
        "softplus_lower_cholesky" => Some(Box::new(LowerCholesky::Softplus)),
        "scaled_unit_lower_cholesky" => Some(Box::new(LowerCholesky::ScaledUnit)),
        "positive_definite" => onto(Constraint::PositiveDefinite),
        "AffineTransform" => Some(Box::new(Affine::new(number("loc"), number("scale")))),
        "PowerTransform" => Some(Box::new(Power::new(number("exponent")))),
        "Compose[Affine(0.5,2),Sigmoid,Affine(-1,4)]" => {
            Some(Box::new(Affine::new(0.5, 2.0).then(Sigmoid).then(Affine::new(-1.0, 4.0))))
        }
        "LowerCholeskyAffine" => {
            Some(Box::new(LowerCholeskyAffine::new(matrix("loc"), matrix("scale_tril"))))
        }
        "PermuteTransform" => {
            let order = numbers(&case["args"]["permutation"]);
            Some(Box::new(Permutation::new(order.iter().map(|&k| k as usize).collect::<Vec<_>>())))
        }
        "SimplexToOrderedTransform" => {
            Some(Box::new(SimplexToOrdered::new(number("anchor_point"))))
        }
        _ => None,
    }
}

fn of(case: &Json, name: &str, dtype: DType) -> Array {
    reference::array(&case[name], Some(dtype)).unwrap()
}

#[test]
fn reference_values() {
    let all = distributions("bijector");
    for case in &all {
        let id = case["id"].as_str().unwrap();
        for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, 2e-5)] {
            let f = bijector(case, dtype).unwrap_or_else(|| panic!("{id}: no bijector"));
            let (x, y, cot) = (of(case, "x", dtype), of(case, "y", dtype), of(case, "cot", dtype));
            let same = |what: &str, have: &Array, name: &str| {
                let what = format!("{id} {what} {dtype}");
                assert_eq!(have.shape(), of(case, name, dtype).shape(), "{what}");
                assert_eq!(have.dtype(), dtype, "{what}");
                assert_close(&what, &floats(have), &numbers(&case[name]), tolerance, tolerance);
            };
            let forward = |x: Array| f.forward(&x);
            let pulled = |x: Array| (f.forward(&x) * &cot).sum();
            let volume = |x: Array| f.log_det(&x).sum();
            same("forward", &forward(x.clone()), "y");
            same("forward, compiled", &jit(forward)(x.clone()), "y");
            same("log_det", &f.log_det(&x), "log_abs_det");
            same("log_det, compiled", &jit(|x: Array| f.log_det(&x))(x.clone()), "log_abs_det");
            same("vjp", &grad(pulled)(x.clone()), "vjp");
            same("vjp, compiled", &jit(grad(pulled))(x.clone()), "vjp");
            if !case["grad_log_abs_det"].is_null() {
                same("slope of log_det", &grad(volume)(x.clone()), "grad_log_abs_det");
            }
            assert_eq!(&f.forward_shape(x.shape()).unwrap()[..], y.shape(), "{id}");
            assert_eq!(&f.inverse_shape(y.shape()).unwrap()[..], x.shape(), "{id}");
            // Rounding of `y` far out may hide `x` altogether in f32.
            if dtype == DType::F64 {
                let (back, compiled) = (f.inverse(&y), jit(|y: Array| f.inverse(&y))(y.clone()));
                for have in [back, compiled] {
                    assert_close(id, &floats(&have), &floats(&x), 1e-6, 1e-9);
                }
            }
        }
    }
}

/// Batches in front, by broadcasting and by `vmap`.
#[test]
fn batches() {
    for case in distributions("bijector") {
        let id = case["id"].as_str().unwrap();
        let f = bijector(&case, DType::F64).unwrap();
        let x = of(&case, "x", DType::F64);
        let many = stack([&x, &(&x * 0.5), &(&x * 0.25)], 0);
        let each = |g: &dyn Fn(&Array) -> Array| {
            let rows: Vec<Array> = (0..3).map(|k| g(&many.at(k))).collect();
            stack(rows, 0)
        };
        let (values, volumes) = (each(&|x| f.forward(x)), each(&|x| f.log_det(x)));
        let same = |what: &str, have: &Array, want: &Array| {
            assert_eq!(have.shape(), want.shape(), "{id} {what}");
            assert_close(&format!("{id} {what}"), &floats(have), &floats(want), 1e-13, 1e-13);
        };
        same("forward", &f.forward(&many), &values);
        same("log_det", &f.log_det(&many), &volumes);
        same("inverse", &f.inverse(&values), &each(&|x| f.inverse(&f.forward(x))));
        same("forward, vmap", &vmap(|x: Array| f.forward(&x))(many.clone()), &values);
        same("log_det, vmap", &vmap(|x: Array| f.log_det(&x))(many.clone()), &volumes);
        same("inverse, vmap", &vmap(|y: Array| f.inverse(&y))(values.clone()), &f.inverse(&values));
    }
}

/// Every constraint with a continuous part: values lie in it, and the way back leads back.
#[test]
fn onto_constraints() {
    let sets = [
        Constraint::Real,
        Constraint::Positive,
        Constraint::NonNegative,
        Constraint::UnitInterval,
        Constraint::AtLeast(array(-2.0).cast(DType::F64)),
        Constraint::AtMost(array(3.0).cast(DType::F64)),
        Constraint::Interval(Array::from(-1.0), Array::from(4.0)),
        Constraint::Circular,
        Constraint::RealVector,
        Constraint::PositiveVector,
        Constraint::NonNegativeVector,
        Constraint::OrderedVector,
        Constraint::PositiveOrderedVector,
        Constraint::Simplex,
        Constraint::LogSimplex,
        Constraint::ZeroSum,
        Constraint::UnitVector,
        Constraint::UnitBall,
        Constraint::L1Ball,
        Constraint::LowerCholesky,
        Constraint::PositiveDefinite,
        Constraint::CorrelationCholesky,
        Constraint::CorrelationMatrix,
    ];
    let x = probpipe::normal_of(DType::F64, Key::new(3), [5, 6]) * 1.5;
    for set in sets {
        let f = biject_to(&set).unwrap();
        let y = f.forward(&x);
        assert!(set.check(&y).all().item::<bool>().unwrap(), "{set}");
        assert_close(set.name(), &floats(&f.inverse(&y)), &floats(&x), 1e-9, 1e-9);
        assert_eq!(f.codomain().event_rank(), f.event_ranks().1, "{set}");
        let name = |c: &Constraint| c.to_string();
        let covers = set.event_rank() > f.event_ranks().1 || name(&f.codomain()) == name(&set);
        let closed = matches!(
            set,
            Constraint::NonNegative | Constraint::NonNegativeVector | Constraint::Circular
        );
        assert!(covers || closed, "{set}: {}", f.codomain());
    }
    let error = biject_to(&Constraint::Boolean).unwrap_err();
    assert_eq!(error.message(), "no bijector leads from real numbers to 0 or 1");
}

/// `log_det` against the determinant of the Jacobian, by coordinates that are free.
#[test]
fn volumes() {
    let square = |f: &dyn Bijector, n: usize, free: &dyn Fn(Array) -> Array| {
        let x = probpipe::normal_of(DType::F64, Key::new(7), [n]);
        let jacobian = probpipe::jacfwd(|x: Array| free(f.forward(&x)))(x.clone());
        let (_, want) = jacobian.slogdet();
        assert_close(&format!("{f:?}"), &floats(&f.log_det(&x)), &floats(&want), 1e-11, 1e-11);
    };
    let all = |y: Array| y;
    for n in [1, 2, 5] {
        for set in [Constraint::OrderedVector, Constraint::L1Ball, Constraint::UnitBall] {
            square(&*biject_to(&set).unwrap(), n, &all);
        }
        let first = move |y: Array| y.slice_axis(-1, 0..n);
        square(&*biject_to(&Constraint::Simplex).unwrap(), n, &first);
        // A surface in `n + 1` dimensions: the square root of det J'J.
        for set in [Constraint::UnitVector, Constraint::ZeroSum] {
            let f = biject_to(&set).unwrap();
            let x = probpipe::normal_of(DType::F64, Key::new(8), [n]);
            let jacobian = probpipe::jacfwd(|x: Array| f.forward(&x))(x.clone());
            let (_, want) = jacobian.transpose().matmul(&jacobian).slogdet();
            let have = floats(&f.log_det(&x));
            assert_close(set.name(), &have, &floats(&(want * 0.5)), 1e-11, 1e-11);
        }
    }
    let lower = |k: isize| {
        move |y: Array| {
            let n = y.shape()[0];
            let at = |i: usize| {
                (0..n).filter(move |&j| j as isize <= i as isize + k).map(move |j| i * n + j)
            };
            let places: Vec<i32> = (0..n).flat_map(at).map(|p| p as i32).collect();
            y.flatten().take(Array::from_slice(&places, [places.len()]), -1)
        }
    };
    for kind in [LowerCholesky::Exp, LowerCholesky::Softplus, LowerCholesky::ScaledUnit] {
        square(&kind, 6, &lower(0));
        square(&kind.then(CholeskyProduct), 6, &lower(0));
    }
    square(&*biject_to(&Constraint::CorrelationCholesky).unwrap(), 6, &lower(-1));
    square(&*biject_to(&Constraint::CorrelationMatrix).unwrap(), 6, &lower(-1));
}

/// Far out nothing overflows, and the way back is exact where `y` can tell.
#[test]
fn tails() {
    let x = Array::from_slice(&[-700.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 700.0], [7]);
    let unit = (Constraint::UnitInterval, Sigmoid);
    let y = unit.1.forward(&x);
    assert!(unit.0.check(&y).all().item::<bool>().unwrap());
    for f in [&Sigmoid as &dyn Bijector, &Tanh, &Softplus, &Exp] {
        for have in [f.log_det(&x), grad(|x: Array| f.log_det(&x).sum())(x.clone())] {
            assert!(floats(&have).iter().all(|v| v.is_finite()), "{f:?} {have}");
        }
    }
    let slope = floats(&Tanh.log_det(&x));
    assert_close("tanh", &slope[5..], &[4f64.ln() - 80.0, 4f64.ln() - 1400.0], 1e-14, 0.0);
    let small = Array::from_slice(&[1e-300, 1e-12, 1.0, 800.0], [4]);
    let back = Softplus.forward(&Softplus.inverse(&small));
    assert_close("softplus", &floats(&back), &floats(&small), 1e-12, 0.0);
    // Strong correlations: entries within 1e-14 of 1.
    let f = biject_to(&Constraint::CorrelationCholesky).unwrap();
    let x = Array::from_slice(&[12.0, -9.0, 15.0], [3]);
    assert_close("correlations", &floats(&f.inverse(&f.forward(&x))), &floats(&x), 1e-6, 0.0);
}

#[test]
fn inverses_and_chains() {
    let x = Array::from_slice(&[0.1, 0.5, 0.9], [3]);
    let pairs: [(Box<dyn Bijector>, Box<dyn Bijector>); 3] = [
        (Box::new(Log), Box::new(Exp.inverted())),
        (Box::new(Logit), Box::new(Sigmoid.inverted())),
        (Box::new(Affine::new(0.5, -2.0)), Box::new(Affine::new(0.25, -0.5).inverted())),
    ];
    for (a, b) in pairs {
        let what = format!("{a:?}");
        assert_close(&what, &floats(&a.forward(&x)), &floats(&b.forward(&x)), 1e-14, 1e-14);
        assert_close(&what, &floats(&a.log_det(&x)), &floats(&b.log_det(&x)), 1e-14, 1e-14);
        assert_close(&what, &floats(&a.inverse(&x)), &floats(&b.inverse(&x)), 1e-14, 1e-14);
    }
    // Parameters are leaves: a bijector goes through transforms as an argument.
    let loss = |f: Affine| f.forward(&array(3.0)).sum();
    let slope = grad(loss)(Affine::new(array(1.0), array(2.0)));
    assert_eq!(slope.forward(&array(0.0)).item::<f32>().unwrap(), 1.0);
}

#[test]
fn images_of_sets() {
    let said = |c: Constraint| c.to_string();
    let positive = &Constraint::Positive;
    assert_eq!(said(Exp.image(&Constraint::Real)), "positive");
    assert_eq!(said(Log.image(positive)), "real");
    assert!(said(Exp.image(&Constraint::UnitInterval)).starts_with("in [1.0, 2.71828182845904"));
    assert_eq!(said(Affine::new(1.5, 2.0).image(positive)), "at least 1.5");
    assert_eq!(said(Affine::new(1.5, -2.0).image(positive)), "at most 1.5");
    let both = Affine::new(0.0, array([1.0, -1.0])).image(positive);
    let x = array([[1.0, 1.0], [-1.0, -1.0]]);
    assert_eq!(both.check(&x).to_vec::<bool>().unwrap(), [true, false, false, true]);
    let chain = Affine::new(0.5, 2.0).then(Sigmoid).then(Affine::new(-1.0, 4.0));
    assert_eq!(said(chain.codomain()), "in [-1.0, 3.0]");
    assert_eq!(said(Tanh.codomain()), "in [-1.0, 1.0]");
}

#[test]
fn faults() {
    let line = line!();
    let x = zeros([2, 5]);
    let y = biject_to(&Constraint::LowerCholesky).unwrap().forward(&x);
    reads(
        &y.value().unwrap_err(),
        line,
        "
        LowerCholesky takes vectors of n (n + 1) / 2 numbers, not an array of shape [2,5]
          --> line +2
           = the array was made from line +1
           = help: 1, 3, 6, 10 numbers make matrices of 1, 2, 3, 4 rows
        ",
    );
    let said = |y: Array| y.value().unwrap_err().message().to_string();
    assert_eq!(
        said(biject_to(&Constraint::Simplex).unwrap().forward(&array(1.0))),
        "StickBreaking takes vectors of 1 or more numbers, not an array of shape []"
    );
    assert_eq!(
        said(CholeskyProduct.log_det(&zeros([2, 3]))),
        "CholeskyProduct takes square matrices, not an array of shape [2,3]"
    );
    assert_eq!(
        said(Affine::new(0.0, 0.0).forward(&array(1.0))),
        "the scale of an Affine must be finite and not zero, not 0"
    );
    assert_eq!(
        said(
            biject_to(&Constraint::Interval(array(1.0), array(0.5))).unwrap().forward(&array(1.0))
        ),
        "the width from the low to the high end of an Interval must be positive and finite, \
         not -0.5"
    );
    assert_eq!(
        said(Permutation::new([0, 2]).forward(&zeros([2]))),
        "[0, 2] is no order of 2 entries, not an array of shape [2]"
    );
    assert_eq!(
        said(LowerCholeskyAffine::new(zeros([2]), eye(3)).forward(&zeros([2]))),
        "LowerCholeskyAffine takes a loc [n] and a factor [n, n], not an array of shape [3,3]"
    );
}
