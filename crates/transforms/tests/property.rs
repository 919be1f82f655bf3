//! Random graphs: every rewrite keeps the graph valid and means what it says.

use probpipe_testing::{Config, Random, Tolerance, difference, random_graph, random_inputs};
use probpipe_trace::{Array, DType, Graph, Value, eval, verify};
use probpipe_transforms::rewrite;

fn run(graph: &Graph, inputs: &[Value]) -> Vec<Vec<f64>> {
    let outputs = eval::eval_graph(graph, &inputs.iter().collect::<Vec<_>>()).unwrap();
    outputs
        .iter()
        .map(|v| Array::from_value(v.clone()).cast(DType::F64).to_vec().unwrap())
        .collect()
}

#[track_caller]
fn close(seed: u64, graph: &Graph, got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        let difference = difference(got, want, Tolerance::mixed(tolerance));
        assert!(
            difference.is_none(),
            "seed {seed}: {} in\n{graph}",
            difference.unwrap_or_default()
        );
    }
}

const SEEDS: u64 = 300;

fn graphs(config: Config) -> impl Iterator<Item = (u64, Graph, Vec<Value>)> {
    (0..SEEDS).map(move |seed| {
        let graph = random_graph(seed, config).unwrap();
        verify(&graph).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let inputs = random_inputs(seed, &graph).unwrap();
        (seed, graph, inputs)
    })
}

#[test]
fn simplify_keeps_values() {
    for (seed, graph, inputs) in graphs(Config { steps: 20, ..Config::default() }) {
        let simple = rewrite::simplify(&graph);
        verify(&simple).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        close(seed, &graph, &run(&simple, &inputs), &run(&graph, &inputs), 1e-10);
        assert!(simple.eqns().len() <= graph.eqns().len(), "seed {seed}: grew");
        let again = rewrite::simplify(&simple);
        assert!(again.eqns().len() <= simple.eqns().len(), "seed {seed}: grew again");
    }
}

/// A tangent or cotangent for each value.
fn directions(seed: u64, values: &[Value]) -> Vec<Value> {
    let mut random = Random::new(seed ^ 77);
    values
        .iter()
        .map(|v| {
            let data: Vec<f64> = (0..v.ty().size()).map(|_| random.unit()).collect();
            Value::from_elements(&data, &v.ty().shape).unwrap()
        })
        .collect()
}

fn shifted(values: &[Value], directions: &[Value], h: f64) -> Vec<Value> {
    values
        .iter()
        .zip(directions)
        .map(|(x, d)| {
            let (x, d) = (x.to_vec::<f64>().unwrap(), d.to_vec::<f64>().unwrap());
            let data: Vec<f64> = x.iter().zip(&d).map(|(x, d)| x + h * d).collect();
            Value::from_elements(&data, &directions[0].ty().shape).ok();
            data
        })
        .zip(values)
        .map(|(data, x)| Value::from_elements(&data, &x.ty().shape).unwrap())
        .collect()
}

#[test]
fn tangents_are_slopes() {
    let config = Config { kinks: false, ..Config::default() };
    for (seed, graph, inputs) in graphs(config) {
        let forward = rewrite::jvp(&graph, &vec![true; inputs.len()]).unwrap();
        verify(&forward.graph).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let dx = directions(seed, &inputs);
        let h = 1e-5;
        let (up, down) =
            (run(&graph, &shifted(&inputs, &dx, h)), run(&graph, &shifted(&inputs, &dx, -h)));
        let mut operands = inputs.clone();
        operands.extend(dx.clone());
        let all = run(&forward.graph, &operands);
        let (y, dy) = all.split_at(graph.outputs().len());
        close(seed, &graph, y, &run(&graph, &inputs), 1e-12);
        let mut dy = dy.iter();
        for (i, nonzero) in forward.nonzero.iter().enumerate() {
            let slopes: Vec<f64> =
                up[i].iter().zip(&down[i]).map(|(u, d)| (u - d) / (2.0 * h)).collect();
            let got = if *nonzero { dy.next().unwrap().clone() } else { vec![0.0; slopes.len()] };
            close(seed, &graph, &[got], &[slopes], 1e-4);
        }
    }
}

/// The dot product of two lists of arrays.
fn inner(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| x * y).sum()
}

#[test]
fn reverse_is_the_transpose_of_forward() {
    for (seed, graph, inputs) in graphs(Config::default()) {
        let all = vec![true; inputs.len()];
        let forward = rewrite::jvp(&graph, &all).unwrap();
        let linear = rewrite::linearize(&graph, &all).unwrap();
        verify(&linear.primal).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        verify(&linear.linear).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(linear.nonzero, forward.nonzero);
        let dx = directions(seed, &inputs);
        let mut operands = inputs.clone();
        operands.extend(dx.clone());
        let dy = run(&forward.graph, &operands).split_off(graph.outputs().len());

        let primal = eval::eval_graph(&linear.primal, &inputs.iter().collect::<Vec<_>>()).unwrap();
        let residuals: Vec<Value> = primal.iter().skip(graph.outputs().len()).cloned().collect();
        let mut operands = residuals.clone();
        operands.extend(dx.clone());
        close(seed, &graph, &run(&linear.linear, &operands), &dy, 1e-10);

        let mut flags = vec![false; linear.residuals];
        flags.extend(&all);
        let backward = rewrite::transpose(&linear.linear, &flags).unwrap();
        verify(&backward).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let w: Vec<Value> = directions(
            seed ^ 5,
            &linear
                .linear
                .output_types()
                .map(|ty| probpipe_trace::zero_value(ty).unwrap())
                .collect::<Vec<_>>(),
        );
        let mut operands = residuals;
        operands.extend(w.clone());
        let ct = run(&backward, &operands);
        let simple = rewrite::simplify(&backward);
        verify(&simple).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        close(seed, &graph, &run(&simple, &operands), &ct, 1e-9);

        let list = |v: &[Value]| v.iter().map(|v| v.to_vec().unwrap()).collect::<Vec<Vec<f64>>>();
        let (left, right) = (inner(&dy, &list(&w)), inner(&list(&dx), &ct));
        let size = 1.0 + left.abs();
        assert!(
            (left - right).abs() <= 1e-8 * size,
            "seed {seed}: {left} against {right}\n{graph}"
        );
    }
}

#[test]
fn mapping_is_stacking() {
    for (seed, graph, inputs) in graphs(Config::default()) {
        let lanes = 3;
        // All inputs but the first are mapped, so that unbatched values take part.
        let axes: Vec<Option<usize>> =
            (0..inputs.len()).map(|i| if i == 0 { None } else { Some(0) }).collect();
        let (mapped, out_axes) = rewrite::vmap(&graph, lanes, &axes).unwrap();
        verify(&mapped).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let single: Vec<Vec<Value>> = (0..lanes)
            .map(|lane| {
                let mut lane_inputs = random_inputs(seed + 1000 * lane as u64, &graph).unwrap();
                lane_inputs[0] = inputs[0].clone();
                lane_inputs
            })
            .collect();
        let stacked: Vec<Value> = (0..inputs.len())
            .map(|i| {
                if i == 0 {
                    return inputs[0].clone();
                }
                let parts: Vec<Array> =
                    single.iter().map(|lane| Array::from_value(lane[i].clone())).collect();
                probpipe_trace::stack(&parts, 0).value().unwrap()
            })
            .collect();
        for graph_to_run in [&mapped, &rewrite::simplify(&mapped)] {
            let got = run(graph_to_run, &stacked);
            for (lane, lane_inputs) in single.iter().enumerate() {
                let want = run(&graph, lane_inputs);
                for ((got, want), axis) in got.iter().zip(&want).zip(&out_axes) {
                    let n = want.len();
                    let part = if axis.is_some() { &got[lane * n..(lane + 1) * n] } else { got };
                    close(seed, &graph, &[part.to_vec()], std::slice::from_ref(want), 1e-10);
                }
            }
        }
    }
}

#[test]
fn derivative_of_map_is_map_of_derivative() {
    let config = Config { steps: 8, ..Config::default() };
    for (seed, graph, inputs) in graphs(config).take(120) {
        let n = inputs.len();
        let forward = rewrite::jvp(&graph, &vec![true; n]).unwrap();
        let (map_of, _) = rewrite::vmap(&forward.graph, 2, &vec![Some(0); 2 * n]).unwrap();
        let (mapped, axes) = rewrite::vmap(&graph, 2, &vec![Some(0); n]).unwrap();
        if axes.iter().any(Option::is_none) {
            continue;
        }
        let of_map = rewrite::jvp(&mapped, &vec![true; n]).unwrap();
        if of_map.nonzero != forward.nonzero {
            continue;
        }
        let twice = |values: &[Value]| -> Vec<Value> {
            values
                .iter()
                .map(|v| {
                    let a = Array::from_value(v.clone());
                    probpipe_trace::stack(&[a.clone(), a * 0.5], 0).value().unwrap()
                })
                .collect()
        };
        let mut operands = twice(&inputs);
        operands.extend(twice(&directions(seed, &inputs)));
        close(seed, &graph, &run(&of_map.graph, &operands), &run(&map_of, &operands), 1e-10);
    }
}
