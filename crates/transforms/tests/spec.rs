//! Derivatives of every elementwise op, driven by the op table: forward and reverse mode against
//! central differences of the interpreter, second order too, and batching against single calls.

use probpipe_testing::says;
use probpipe_trace::{
    Array, ArrayType, BinaryOp, CompareOp, DType, Graph, Op, SpecialOp, UnaryOp, Value, bind1,
    eval, trace, verify,
};
use probpipe_transforms::rewrite;

fn points(domain: (f64, f64), n: usize) -> Vec<f64> {
    // Irrational steps keep the points away from the integers where steps and kinks are.
    (0..n)
        .map(|i| domain.0 + (domain.1 - domain.0) * ((i as f64 + 0.5) * 0.618_034).fract())
        .collect()
}

fn run(graph: &Graph, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let values: Vec<Value> =
        inputs.iter().map(|x| Value::from_elements(x, &[x.len()]).unwrap()).collect();
    let outputs = eval::eval_graph(graph, &values.iter().collect::<Vec<_>>()).unwrap();
    outputs.iter().map(|v| v.to_vec::<f64>().unwrap()).collect()
}

#[track_caller]
fn check(name: &str, graph: &Graph, inputs: &[Vec<f64>], tolerance: f64) {
    let n = inputs[0].len();
    let all = vec![true; inputs.len()];
    let forward = rewrite::jvp(graph, &all).unwrap();
    verify(&forward.graph).unwrap();
    if !forward.nonzero[0] {
        return;
    }
    for wrt in 0..inputs.len() {
        let shifted = |h: f64| {
            let mut inputs = inputs.to_vec();
            inputs[wrt].iter_mut().for_each(|x| *x += h * x.abs().max(1e-2));
            run(graph, &inputs).swap_remove(0)
        };
        let h = 1e-6;
        let (up, down) = (shifted(h), shifted(-h));
        let slopes: Vec<f64> = (0..n)
            .map(|i| (up[i] - down[i]) / (2.0 * h * inputs[wrt][i].abs().max(1e-2)))
            .collect();
        let mut primal_and_tangent = inputs.to_vec();
        for i in 0..inputs.len() {
            primal_and_tangent.push(vec![if i == wrt { 1.0 } else { 0.0 }; n]);
        }
        let dy = run(&forward.graph, &primal_and_tangent).swap_remove(1);
        for i in 0..n {
            let size = 1.0 + slopes[i].abs() + up[i].abs();
            assert!(
                (dy[i] - slopes[i]).abs() <= tolerance * size,
                "{name}, operand {wrt} at {:?}: {} against {}",
                inputs.iter().map(|x| x[i]).collect::<Vec<_>>(),
                dy[i],
                slopes[i]
            );
        }
    }
    // Reverse: elementwise Jacobians are diagonal, so J^T w = J w entry by entry.
    let linear = rewrite::linearize(graph, &all).unwrap();
    let mut flags = vec![false; linear.residuals];
    flags.extend(&all);
    let backward = rewrite::transpose(&linear.linear, &flags).unwrap();
    verify(&backward).unwrap();
    let residuals = eval::eval_graph(
        &linear.primal,
        &inputs
            .iter()
            .map(|x| Value::from_elements(x, &[n]).unwrap())
            .collect::<Vec<_>>()
            .iter()
            .collect::<Vec<_>>(),
    )
    .unwrap()
    .split_off_from(1);
    let w: Vec<f64> = (0..n).map(|i| 0.5 + (i as f64 * 0.7).sin()).collect();
    let mut operands = residuals;
    operands.push(Value::from_elements(&w, &[n]).unwrap());
    let cts = eval::eval_graph(&backward, &operands.iter().collect::<Vec<_>>()).unwrap();
    for wrt in 0..inputs.len() {
        let mut primal_and_tangent = inputs.to_vec();
        for i in 0..inputs.len() {
            primal_and_tangent.push(vec![if i == wrt { 1.0 } else { 0.0 }; n]);
        }
        let dy = run(&forward.graph, &primal_and_tangent).swap_remove(1);
        let ct = cts[wrt].to_vec::<f64>().unwrap();
        for i in 0..n {
            let want = dy[i] * w[i];
            assert!((ct[i] - want).abs() <= 1e-9 * (1.0 + want.abs()), "{name} transposed");
        }
    }
}

trait SplitFrom {
    fn split_off_from(self, at: usize) -> Vec<Value>;
}

impl SplitFrom for probpipe_trace::Values {
    fn split_off_from(self, at: usize) -> Vec<Value> {
        self.into_iter().skip(at).collect()
    }
}

fn graph_of(operands: usize, n: usize, op: impl Fn(&[Array]) -> Array) -> Graph {
    let types = vec![ArrayType::new(DType::F64, [n]); operands];
    trace(&types, |x| vec![op(x)]).unwrap().graph
}

/// The derivative in one direction, as a graph of the same inputs: for second derivatives.
fn derivative(graph: &Graph, wrt: usize) -> Option<Graph> {
    let mut flags = vec![false; graph.inputs().len()];
    flags[wrt] = true;
    let forward = rewrite::jvp(graph, &flags).unwrap();
    if !forward.nonzero[0] {
        return None;
    }
    let types: Vec<ArrayType> = graph.input_types().cloned().collect();
    let traced = trace(&types, |x| {
        let mut operands = x.to_vec();
        operands.push(probpipe_trace::ones_like(&x[0]));
        vec![probpipe_trace::inline(&forward.graph, &operands).swap_remove(1)]
    });
    Some(rewrite::simplify(&traced.unwrap().graph))
}

#[test]
fn unary_ops() {
    for &op in UnaryOp::ALL {
        let spec = op.spec();
        if matches!(op, UnaryOp::Not | UnaryOp::IsFinite) {
            continue;
        }
        let graph = graph_of(1, 40, |x| bind1(Op::Unary(op), &[&x[0]]));
        let inputs = [points(spec.domain[0], 40)];
        let nonzero = rewrite::jvp(&graph, &[true]).unwrap().nonzero[0];
        assert_eq!(nonzero, spec.differentiable, "{} and its row disagree", spec.name);
        check(spec.name, &graph, &inputs, 1e-6);
        if let Some(first) = derivative(&graph, 0) {
            check(&format!("{}'", spec.name), &first, &inputs, 1e-5);
        }
    }
}

#[test]
fn binary_ops() {
    for &op in BinaryOp::ALL {
        let spec = op.spec();
        if !spec.accepts.contains(DType::F64) {
            continue;
        }
        let graph = graph_of(2, 40, |x| bind1(Op::Binary(op), &[&x[0], &x[1]]));
        let x = points(spec.domain[0], 40);
        let mut y = points(spec.domain[1], 40);
        y.reverse();
        check(spec.name, &graph, &[x.clone(), y.clone()], 1e-6);
        for wrt in 0..2 {
            if let Some(first) = derivative(&graph, wrt) {
                check(&format!("d{wrt} {}", spec.name), &first, &[x.clone(), y.clone()], 1e-5);
            }
        }
    }
}

/// The operands that the tests of a special function draw: whole orders for `polygamma`.
fn special_points(op: SpecialOp, n: usize) -> Vec<Vec<f64>> {
    (0..op.arity())
        .map(|i| {
            let mut x = points(op.domain()[i], n);
            // Another order for each operand.
            x.rotate_left(i * 7 % n);
            if op == SpecialOp::Polygamma && i == 0 {
                x.iter_mut().for_each(|n| *n = n.round());
            }
            x
        })
        .collect()
}

#[test]
fn special_functions() {
    for &op in SpecialOp::ALL {
        let inputs = special_points(op, 40);
        // The order of polygamma has no derivative.
        let fixed = op == SpecialOp::Polygamma;
        let graph = graph_of(op.arity(), 40, |x| {
            let x: Vec<Array> = x
                .iter()
                .enumerate()
                .map(|(i, x)| if fixed && i == 0 { x.stop_gradient() } else { x.clone() })
                .collect();
            bind1(Op::Special(op), &x.iter().collect::<Vec<_>>())
        });
        if fixed {
            continue;
        }
        check(op.name(), &graph, &inputs, 1e-6);
        for wrt in 0..op.arity() {
            let Some(first) = derivative(&graph, wrt) else { continue };
            check(&format!("d{wrt} {}", op.name()), &first, &inputs, 1e-5);
            for again in 0..op.arity() {
                // The slope of e^-|x| I0 is odd and jumps at zero; its domain avoids that.
                let Some(second) = derivative(&first, again) else { continue };
                check(&format!("d{wrt}d{again} {}", op.name()), &second, &inputs, 1e-4);
            }
        }
    }
}

#[test]
fn polygamma_is_differentiable_in_its_argument_alone() {
    let graph = graph_of(1, 40, |x| {
        let order = probpipe_trace::zeros_like(&x[0]) + 2.0;
        bind1(Op::Special(SpecialOp::Polygamma), &[&order, &x[0]])
    });
    check("polygamma", &graph, &[points((0.5, 20.0), 40)], 1e-6);
    let both = graph_of(2, 4, |x| bind1(Op::Special(SpecialOp::Polygamma), &[&x[0], &x[1]]));
    let error = rewrite::jvp(&both, &[true, true]).unwrap_err();
    says(&error, &["whole number"]);
}

#[test]
fn derivatives_in_shapes_have_an_end() {
    let op = Op::Special(SpecialOp::Betainc { orders: [2, 1] });
    let graph = graph_of(3, 4, |x| bind1(op.clone(), &[&x[0], &x[1], &x[2]]));
    let error = rewrite::jvp(&graph, &[true, false, false]).unwrap_err();
    says(&error, &["no derivative of order 4"]);
}

#[test]
fn comparisons_have_no_derivative() {
    for &op in CompareOp::ALL {
        let graph = graph_of(2, 3, |x| bind1(Op::Compare(op), &[&x[0], &x[1]]));
        assert!(!rewrite::jvp(&graph, &[true, true]).unwrap().nonzero[0], "{}", op.spec().name);
    }
}

#[test]
fn mapped_ops_equal_single_calls() {
    for &op in UnaryOp::ALL {
        if op == UnaryOp::Not {
            continue;
        }
        let graph = graph_of(1, 3, |x| bind1(Op::Unary(op), &[&x[0]]));
        let (mapped, axes) = rewrite::vmap(&graph, 4, &[Some(1)]).unwrap();
        verify(&mapped).unwrap();
        assert_eq!(axes, [Some(0)]);
        let data = points(op.spec().domain[0], 12);
        let x = Value::from_elements(&data, &[3, 4]).unwrap();
        let all = eval::eval_graph(&mapped, &[&x]).unwrap();
        for lane in 0..4 {
            let one: Vec<f64> = (0..3).map(|i| data[i * 4 + lane]).collect();
            let one = Value::from_elements(&one, &[3]).unwrap();
            let want = eval::eval_graph(&graph, &[&one]).unwrap();
            let got = Array::from_value(all[0].clone()).at(lane as isize).value().unwrap();
            assert_eq!(got, want[0], "{}", op.spec().name);
        }
    }
}

#[test]
fn conventions_at_kinks() {
    use probpipe_trace::{array, with_default_float};
    use probpipe_transforms::grad;
    with_default_float(DType::F64, || {
        let at = |f: fn(Array) -> Array, x: f64| grad(f)(array(x)).item::<f64>().unwrap();
        assert_eq!(at(|x| x.abs(), 0.0), 0.0);
        assert_eq!(at(|x| x.maximum(0.0), 0.0), 0.5);
        assert_eq!(at(|x| x.minimum(0.0), 0.0), 0.5);
        assert_eq!(at(|x| x.broadcast_to([4]).max(), 1.0), 1.0);
        let ties = grad(|x: Array| x.max())(array([1.0, 3.0, 3.0]));
        assert_eq!(ties.to_vec::<f64>().unwrap(), [0.0, 0.5, 0.5]);
        let (dx, dy) = grad(|(x, y): (Array, Array)| x.pow(y))((array(0.0), array(0.0)));
        assert_eq!((dx.item::<f64>().unwrap(), dy.item::<f64>().unwrap()), (0.0, 0.0));
        let zeros = grad(|x: Array| x.prod())(array([0.0, 2.0, 3.0]));
        assert_eq!(zeros.to_vec::<f64>().unwrap(), [6.0, 0.0, 0.0]);
        let two = grad(|x: Array| x.prod())(array([0.0, 0.0, 3.0]));
        assert_eq!(two.to_vec::<f64>().unwrap(), [0.0, 0.0, 0.0]);
    });
}
