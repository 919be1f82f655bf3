//! Loop distribution: what moves out of loops, and that no bit changes.

use probpipe_testing::{Config, Random, random_graph, random_inputs};
use probpipe_trace::{
    Array, ArrayType, DType, Graph, Key, Op, Scan, Tree, Value, arange, array, concat, eval,
    fori_loop, normal, scan, scan_reverse, select, trace, verify, zeros,
};
use probpipe_transforms::{grad, raw_graph_of, rewrite};

fn scans(graph: &Graph) -> Vec<Scan> {
    let all = graph.eqns().iter().filter_map(|e| match &e.op {
        Op::Scan(scan) => Some(scan.clone()),
        _ => None,
    });
    all.collect()
}

fn has(graph: &Graph, op: &str) -> bool {
    graph.eqns().iter().any(|e| e.op.name() == op)
}

fn finished<X: Tree, Y: Tree>(f: impl Fn(X) -> Y, x: &X) -> Graph {
    let graph = rewrite::finish(&raw_graph_of(f, x).unwrap());
    verify(&graph).unwrap();
    graph
}

fn run(graph: &Graph, inputs: &[Value]) -> Vec<Value> {
    eval::eval_graph(graph, &inputs.iter().collect::<Vec<_>>()).unwrap().to_vec()
}

#[track_caller]
fn same_bits(graph: &Graph, inputs: &[Value]) -> bool {
    let new = rewrite::distribute(graph).unwrap();
    verify(&new).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let tidy = rewrite::simplify(&new);
    for (have, want) in run(&new, inputs).iter().zip(&run(graph, inputs)) {
        let bits = |v: &Value| v.to_host().unwrap().bytes().to_vec();
        assert!(bits(have) == bits(want), "{have:?} against {want:?} in\n{graph}\nfrom\n{new}");
    }
    verify(&tidy).unwrap();
    new != *graph
}

#[test]
fn a_gradient_through_a_loop_leaves_the_chain() {
    let f = |x: Array| fori_loop(100, array(0.0), |_, c| c.sin() * 0.9 + &x * 0.1);
    let graph = finished(grad(f), &array(0.5));
    let loops = scans(&graph);
    assert_eq!(loops.len(), 2, "{graph}");
    assert!(has(&loops[0].body, "sin") && !has(&loops[0].body, "cos"), "{graph}");
    assert!(has(&graph, "cos"), "{graph}");
    assert_eq!((loops[0].carries, loops[0].ys()), (1, 1), "{graph}");
}

#[test]
fn random_numbers_are_drawn_before_the_loop() {
    let walk = |x: Array| {
        let keys = Key::new(1).split_batch(50);
        scan(x, keys.data().clone(), |x: Array, key: Array| {
            let x = x.tanh() + normal(Key::from_data(&key), [3]);
            (x.clone(), x.sum())
        })
    };
    let graph = finished(walk, &zeros([3]));
    let body = &scans(&graph)[0].body;
    assert!(!has(body, "threefry2x32") && has(body, "tanh"), "{graph}");
}

#[test]
fn what_would_take_much_memory_stays() {
    let f = |x: Array| {
        let step = |c: Array, i: Array| (&c * 0.5 + &x, (&c + i.cast(DType::F32)).exp());
        scan(x.clone(), arange(100_000), step).1.sum()
    };
    // One number for one number is stacked, whatever the length; arrays of 100 stay inside.
    assert!(!has(&scans(&finished(f, &array(0.5)))[0].body, "exp"));
    assert!(has(&scans(&finished(f, &zeros([100])))[0].body, "exp"));
    let wide = |x: Array| {
        let step = |c: Array, i: Array| {
            let i = i.cast(DType::F32) * 1e-5;
            let both = concat(&[(&i + iota_like(&x)).sin(), (&i - iota_like(&x)).cos()], 0);
            (c * 0.5 + both.sum(), ())
        };
        scan(array(0.0), arange(100_000), step).0
    };
    // 64 numbers a step for one.
    assert!(has(&scans(&finished(wide, &zeros([32])))[0].body, "sin"));
}

fn iota_like(x: &Array) -> Array {
    probpipe_trace::iota(&x.ty().unwrap(), 0) + x
}

/// A random step on a carry, an entry and a constant, all of a few numbers or one.
fn random_step(random: &mut Random, pool: &mut Vec<Array>, count: usize) {
    for _ in 0..count {
        let mut pick = || pool[random.below(pool.len())].clone();
        let (x, y) = (pick(), pick());
        let new = match random.below(14) {
            0 => x.sin(),
            1 => x.cos(),
            2 => x.tanh() * 0.5,
            3 => (-x.abs()).exp(),
            4 => &x + &y,
            5 => &x * &y * 0.5,
            6 => &x - &y,
            7 => select(&x.gt(0.1), &x, &y),
            8 => -x,
            9 => x.sum().broadcast_to([3]),
            10 => x.flip(0),
            11 => concat(&[x.slice_axis(0, 1..3), y.slice_axis(0, 0..1)], 0),
            12 => x.slice_axis(0, 0..1).broadcast_to([3]).log1p(),
            _ => x.floor() * 0.25,
        };
        pool.push(new);
    }
}

#[test]
fn random_loops_keep_their_bits() {
    let mut moved = 0;
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let types = [ArrayType::new(DType::F64, [3]), ArrayType::new(DType::F64, [6, 3])];
        let graph = trace(&types, |inputs| {
            let init = (inputs[0].clone(), inputs[0].cos());
            let step = |(a, b): (Array, Array), x: Array| {
                let mut pool = vec![a, b, x, inputs[0].clone()];
                random_step(&mut random, &mut pool, 12);
                let mut last = || pool[pool.len() - 1 - random.below(8)].clone();
                ((last(), last()), (last(), last(), last()))
            };
            let xs = inputs[1].clone();
            let ((a, b), (u, v, w)) =
                if seed % 2 == 0 { scan(init, xs, step) } else { scan_reverse(init, xs, step) };
            vec![a, b, u, v, w]
        });
        let graph = rewrite::simplify(&graph.unwrap().graph);
        let inputs = random_inputs(seed, &graph).unwrap();
        moved += usize::from(same_bits(&graph, &inputs));
    }
    assert!(moved > 100, "only {moved} loops had work to move");
}

#[test]
fn random_graphs_keep_their_bits() {
    for seed in 0..300 {
        let graph = random_graph(seed, Config { steps: 20, ..Config::default() }).unwrap();
        let graph = rewrite::simplify(&graph);
        let inputs = random_inputs(seed, &graph).unwrap();
        same_bits(&graph, &inputs);
    }
}
