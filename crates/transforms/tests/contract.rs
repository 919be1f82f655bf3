//! What is compiled where operations may be contracted: reciprocals that serve several quotients,
//! factors and summands out of sums, carries without their factor; and that none of it is done
//! elsewhere.

use probpipe_testing::{Tolerance, close};
use probpipe_trace::{
    Array, DType, Graph, Interpreter, Op, Rounding, Value, array, eval, scan, with_rounding,
};
use probpipe_transforms::rewrite::finish_counted;
use probpipe_transforms::{Jit, grad, jit, raw_graph_of, recompiles};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is compiled of a function, contracted and not, with the rules that were applied.
struct Both {
    plain: (Graph, BTreeMap<&'static str, usize>),
    contracted: (Graph, BTreeMap<&'static str, usize>),
}

const RULES: [&str; 3] =
    ["quotient by a reciprocal", "factor of a factor out of sum", "summand out of sum"];

/// Both forms, which have the same values but for rounding.
fn both(f: impl Fn(Vec<Array>) -> Array, x: &[Array], tolerance: f64) -> Both {
    let raw = raw_graph_of(&f, &x.to_vec()).expect("traces");
    let plain = finish_counted(&raw).expect("simplifies");
    let contracted = with_rounding(Rounding::Contracted, || finish_counted(&raw));
    let contracted = contracted.expect("simplifies");
    for rule in RULES {
        assert_eq!(plain.1[rule], 0, "{rule}\n{}", plain.0);
    }
    let values: Vec<Value> = x.iter().map(|x| x.value().expect("has a value")).collect();
    let values: Vec<&Value> = values.iter().collect();
    let run = |g: &Graph| {
        eval::eval_graph(g, &values).expect("runs")[0].to_scalars().expect("on the host")
    };
    for (have, want) in run(&contracted.0).into_iter().zip(run(&plain.0)) {
        close("contracted", have.as_f64(), want.as_f64(), Tolerance::mixed(tolerance));
    }
    Both { plain, contracted }
}

fn count(graph: &Graph, name: &str) -> usize {
    let own = graph.eqns().iter().filter(|e| e.op.name() == name).count();
    let inner = graph.eqns().iter().flat_map(|e| e.op.graphs());
    own + inner.map(|g| count(g, name)).sum::<usize>()
}

fn doubles(numbers: &[f64]) -> Array {
    Array::from(numbers.to_vec())
}

fn column(n: usize) -> Array {
    doubles(&(0..n).map(|i| ((i * 37 + 11) % 23) as f64 / 7.0 - 1.5).collect::<Vec<_>>())
}

#[test]
fn quotients_by_one_number_are_products() {
    let f = |x: Vec<Array>| (&x[0] / &x[1]).exp() + &x[0] / 2.5 + &x[2] / &x[0];
    let x = [column(9), array(1.7).cast(DType::F64), column(9) + 0.01];
    let Both { plain, contracted } = both(f, &x, 1e-14);
    assert_eq!(count(&plain.0, "div"), 3, "{}", plain.0);
    // The reciprocal, and the quotient of numbers that all differ.
    assert_eq!(count(&contracted.0, "div"), 2, "{}", contracted.0);
    assert_eq!(contracted.1[RULES[0]], 2);
}

#[test]
fn divisors_that_no_step_changes_are_inverted_before_the_loop() {
    let f = |x: Vec<Array>| {
        let (state, _) = scan(x[0].clone(), x[1].clone(), |h: Array, y: Array| {
            let h = (h - y) / &x[2];
            (h.clone(), h)
        });
        state.sum()
    };
    let x = [column(5), array([0.1, 0.2, 0.3]).cast(DType::F64), column(5) + 3.0];
    let Both { plain, contracted } = both(f, &x, 1e-13);
    let in_loop = |graph: &Graph| {
        let scans = graph.eqns().iter().filter(|e| matches!(e.op, Op::Scan(_)));
        scans.flat_map(|e| e.op.graphs()).map(|g| count(g, "div")).sum::<usize>()
    };
    assert_eq!((in_loop(&plain.0), in_loop(&contracted.0)), (1, 0), "{}", contracted.0);
    assert_eq!(count(&contracted.0, "div"), 1, "{}", contracted.0);
}

/// A sum of squares of scaled residuals with a constant, and its relatives.
fn density(x: Vec<Array>) -> Array {
    let (y, scale) = (&x[0], &x[1]);
    let z = (y - &x[2]) / scale;
    (z.square() * -0.5 - scale.log()).sum() + (&z * y / scale).sum()
}

#[test]
fn sums_have_no_factors_inside() {
    let x = [column(12), array(1.3).cast(DType::F64), array(0.4).cast(DType::F64)];
    let Both { contracted, .. } = both(density, &x, 1e-13);
    let text = contracted.0.to_string();
    // Of twelve elements: the residual, its square, and its product with the data.
    let wide =
        contracted.0.eqns().iter().filter(|e| {
            matches!(e.op, Op::Binary(_)) && contracted.0.ty(e.outputs[0]).size() == 12
        });
    assert_eq!(wide.count(), 3, "{text}");
    let single = x.map(|x| x.cast(DType::F32));
    let Both { contracted, .. } = both(density, &single, 1e-5);
    let text = contracted.0.to_string();
    // One factor stays, so that squares stay in the range.
    let wide =
        contracted.0.eqns().iter().filter(|e| {
            matches!(e.op, Op::Binary(_)) && contracted.0.ty(e.outputs[0]).size() == 12
        });
    assert_eq!(wide.count(), 4, "{text}");
}

#[test]
fn squares_in_single_precision_stay_in_the_range() {
    let x = [doubles(&[1e-25, 2e-25, -3e-25]), array(1e-25).cast(DType::F64), array(0.0)];
    let x = x.map(|x| x.cast(DType::F32));
    let f = |x: Vec<Array>| ((&x[0] - &x[2]) / &x[1]).square().sum();
    both(f, &x, 1e-5);
}

#[test]
fn sums_of_differences_of_data_stay_together() {
    let f = |x: Vec<Array>| (&x[0] - x[0].mean()).sum();
    let Both { contracted, .. } = both(f, &[column(30) + 1e6], 1e-9);
    assert_eq!(contracted.1[RULES[2]], 0, "{}", contracted.0);
}

/// A recursion whose cotangents are multiplied with one number in each step.
fn recursion(x: Vec<Array>) -> Array {
    let (rate, start) = (x[0].at(0), x[0].at(1));
    let (_, h) = scan(start, x[1].clone(), |h: Array, y: Array| {
        let h = &rate * h + y.square();
        (h.clone(), h)
    });
    h.log().sum()
}

#[test]
fn carries_leave_their_factor_to_the_next_step() {
    let x = [doubles(&[0.9, 1.5]), column(20)];
    let f = |x: Vec<Array>| {
        let y = x[1].clone();
        grad(move |q: Array| recursion(vec![q, y.clone()]))(x[0].clone())
    };
    let Both { plain, contracted } = both(f, &x, 1e-13);
    let carried = |graph: &Graph| {
        let mut scans = graph.eqns().iter().filter_map(|e| match &e.op {
            Op::Scan(scan) => Some(scan.clone()),
            _ => None,
        });
        scans.next_back().map(|scan| {
            let made = |e: &&probpipe_trace::Eqn| {
                scan.body.outputs()[..scan.carries].iter().any(|v| e.outputs.contains(v))
            };
            scan.body.eqns().iter().filter(made).filter(|e| e.op.name() == "mul").count()
        })
    };
    assert_eq!((carried(&plain.0), carried(&contracted.0)), (Some(1), Some(0)), "{}", contracted.0);
}

#[test]
fn each_choice_has_a_program_of_its_own() {
    let f = jit(|x: Array| x.square().sum());
    let x = || array([1.0, 2.0]);
    f(x());
    with_rounding(Rounding::Contracted, || (f(x()), f(x())));
    f(x());
    let message =
        "program 2: the rounding is `Contracted`, program 1 was compiled with `AsWritten`";
    assert_eq!(recompiles(&f), [message]);
    let counted = Jit::new(Arc::new(Interpreter), |x: Array| x / 2.0);
    with_rounding(Rounding::Contracted, || counted.call(x()));
    counted.call(x());
    counted.call(x());
    assert_eq!(counted.cache_len(), 2);
}
