//! Simplification beyond random graphs: every rule is met, loops lose what they need not carry,
//! and the work stays linear.

use probpipe_testing::{Config, Tolerance, close, random_graph};
use probpipe_trace::{
    Array, ArrayType, DType, Graph, Key, Op, Rounding, Scan, arange, array, concat, eval,
    fori_loop, iota, normal, scan, scan_reverse, select, trace, uniform, verify, while_loop,
    with_rounding, zeros,
};
use probpipe_transforms::rewrite::finish_counted;
use probpipe_transforms::{grad, graph_of, jit, raw_graph_of};
use std::collections::BTreeMap;

#[test]
fn every_rule_is_met() {
    let mut met: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut add = |graph: &Graph| {
        let (simple, counts) = finish_counted(graph).unwrap();
        verify(&simple).unwrap();
        for (name, count) in counts {
            *met.entry(name).or_default() += count;
        }
    };
    for seed in 0..100 {
        add(&random_graph(seed, Config::default()).unwrap());
    }
    let x = || zeros([3, 4]);
    add(&raw_graph_of(|x: Array| -(-&x) - -(&x - 1.0), &x()).unwrap());
    add(&raw_graph_of(|x: Array| x.abs() * x.abs() + (-(&x * 3.0)), &x()).unwrap());
    add(&raw_graph_of(|x: Array| select(&x.gt(0.0), &x, &x) * 2.0 / 4.0, &x()).unwrap());
    add(&raw_graph_of(|x: Array| x.gt(0.0).cast(DType::I32).cast(DType::F32), &x()).unwrap());
    add(&raw_graph_of(|x: Array| concat(&[x.flip(0).flip(0).pad([0, 0], [0, 0], 0.0)], 0), &x())
        .unwrap());
    add(&raw_graph_of(
        |x: Array| (-x).sum() + iota(&ArrayType::new(DType::F32, [2, 3]), 1).sum(),
        &x(),
    )
    .unwrap());
    add(&raw_graph_of(|x: Array| x.transpose().dot(&x).dot(&zeros([5, 4]).transpose()), &x())
        .unwrap());
    add(&raw_graph_of(
        |x: Array| zeros([5, 4]).exp().transpose().dot(&x.transpose().transpose()),
        &zeros([5, 4]),
    )
    .unwrap());
    add(&raw_graph_of(|x: Array| x.dot(&x.transpose()), &x()).unwrap());
    let row = zeros([1, 4]);
    add(&raw_graph_of(|x: Array| x.broadcast_to([3, 4]).sin(), &row).unwrap());
    add(&raw_graph_of(|x: Array| x.broadcast_to([2, 3, 4]).broadcast_to([5, 2, 3, 4]), &x())
        .unwrap());
    let pair = || (zeros([6]), zeros([6]));
    let mut add2 = |f: fn(Array, Array) -> Array| {
        add(&raw_graph_of(|(x, y): (Array, Array)| f(x, y), &pair()).unwrap());
    };
    add2(|x, y| x.stop_gradient() + x.exp().abs() + select(&!x.eq(&y), &x, y));
    add2(|x, y| 1.0 / &y / &y + select(&(x.eq(0.0) & x.abs().eq(1.0)), &x, &y));
    add2(|x, _| {
        let below = x.exp() + 1.0;
        1.0 / &below + x / below
    });
    add2(|x, y| select(&x.gt(0.0), select(&x.gt(0.0), &x, &y), &y));
    add2(|x, y| {
        let c = |a: f64, b: f64| select(&x.gt(0.0), array(a).cast(x.dtype()), b);
        (&y + c(1.0, 0.0)) + select(&x.gt(0.0), 0.0, &x) + c(1.5, 2.5).exp() + c(1.5, 2.5) * 3.0
    });
    add2(|x, y| select(&x.gt(0.0), 0.0, &y) + select(&x.gt(0.0), &x, 0.0));
    add2(|x, _| &x * 0.3 + &x * 0.3 + select(&x.gt(0.0), -&x, &x).exp());
    add2(|x, y| {
        let part = |x: &Array, i: usize| x.slice_axis(0, i..i + 1).pad([i], [5 - i], 0.0);
        part(&x, 0) + part(&x, 3) + y + part(&x, 4) + part(&x, 5)
    });
    for (name, graph) in many_points() {
        let (simple, _) = finish_counted(&graph).unwrap();
        verify(&simple).unwrap_or_else(|error| panic!("{name}: {error}"));
        add(&graph);
    }
    let scaled = |(x, c): (Array, Array)| {
        let z = &x / c;
        (z.square() - 3.0).sum() + (z * x).sum()
    };
    let scaled = raw_graph_of(scaled, &(zeros([6]), zeros([]))).unwrap();
    with_rounding(Rounding::Contracted, || add(&scaled));
    let missed: Vec<&str> = met.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}

/// Functions of 5000 points that have rules of their own.
fn many_points() -> Vec<(&'static str, Graph)> {
    let counts = || arange(5000).cast(DType::I32);
    let of_counts = |f: fn(Array, Array) -> Array| {
        let inputs = (array(0.25).cast(DType::F32), counts());
        raw_graph_of(move |(p, k): (Array, Array)| f(p, k), &inputs).unwrap()
    };
    vec![
        (
            "choice",
            of_counts(|p, k| {
                let chosen = select(&k.modulo(3).eq(0), &p, -&p);
                chosen.exp() + select(&chosen.gt(0.0), &chosen, 1.0).log1p()
            }),
        ),
        (
            "integers",
            of_counts(|p, k| {
                let x = k.cast(DType::F32);
                let whole = x.floor().eq(&x) & x.abs().lt(f64::INFINITY) & x.is_finite();
                select(&whole, x * p, 0.0)
            }),
        ),
        (
            "draws",
            of_counts(|p, k| {
                let u = uniform(Key::new(3), [5000, 2]);
                u.slice_axis(1, 1..2).squeeze(-1) * p + u.at_axis(1, 0) * k.cast(DType::F32)
            }),
        ),
        (
            "cells",
            of_counts(|p, k| {
                let terms = k.cast(DType::F32) * p;
                zeros([3]).at_index((&k.modulo(4),)).add(terms)
            }),
        ),
    ]
}

#[test]
fn rules_of_many_points_keep_values() {
    for (name, graph) in many_points() {
        let (simple, _) = finish_counted(&graph).unwrap();
        let p = array(0.25).cast(DType::F32).value().unwrap();
        let k = arange(5000).cast(DType::I32).value().unwrap();
        let run = |g: &Graph| eval::eval_graph(g, &[&p, &k]).unwrap()[0].to_vec::<f32>().unwrap();
        let (have, want) = (run(&simple), run(&graph));
        assert_eq!(have.len(), want.len());
        for (i, (have, want)) in have.into_iter().zip(want).enumerate() {
            close(&format!("{name} at {i}"), have, want, Tolerance::relative(1e-6));
        }
    }
}

fn only_scan(graph: &Graph) -> Scan {
    let mut scans = graph.eqns().iter().filter_map(|e| match &e.op {
        Op::Scan(scan) => Some(scan.clone()),
        _ => None,
    });
    let scan = scans.next().unwrap();
    assert!(scans.next().is_none());
    scan
}

#[test]
fn loops_carry_only_what_changes_and_is_read() {
    let f = |(a, x): (Array, Array)| {
        let start = (x.clone(), a.clone(), zeros([5]), array(0));
        let ((x, a, _, _), ys) = scan(start, arange(10), |(x, a, dead, count), i| {
            let grown = &x * a.exp() + i.cast(DType::F32);
            ((grown.clone(), a.clone(), dead + grown.clone(), count + 1), (grown, a))
        });
        x + a + ys.1.sum()
    };
    let args = (array(0.5), array(0.25));
    let graph = graph_of(f, &args).unwrap();
    let scan = only_scan(&graph);
    // `a` is the same in every step and moves out with its `exp`; the rest is never read.
    assert_eq!((scan.carries, scan.consts, scan.ys()), (1, 1, 0), "{graph}");
    assert!(!format!("{:?}", scan.body).contains("exp"), "{graph}");
    let raw = raw_graph_of(f, &args).unwrap();
    let inputs =
        [args.0.cast(DType::F32).value().unwrap(), args.1.cast(DType::F32).value().unwrap()];
    let inputs: Vec<_> = inputs.iter().collect();
    let run = |g: &Graph| eval::eval_graph(g, &inputs).unwrap()[0].to_vec::<f32>().unwrap()[0];
    close("simplified", run(&graph), run(&raw), Tolerance::relative(1e-3));
}

#[test]
fn a_last_entry_is_carried_and_not_stacked() {
    let step = |(old, d): (Array, Array), i: Array| {
        let c = old.sin() + i.cast(DType::F32);
        let d = &d * 0.5 + &c;
        ((c.clone(), d.clone()), (c.clone(), old * &d, d))
    };
    let entries = |x: Array, at: isize| {
        let (_, (a, b, d)) = scan((x.clone(), x), arange(6), step);
        a.at(at) + b.at(at).at(1) * d.sum_axes([0]).sum()
    };
    let x = array([0.5, -1.0, 2.0]);
    let forward = |x: Array| entries(x, -1);
    let backward = |x: Array| {
        let (_, b) = scan_reverse(x, arange(6), |c, i| (c.sin() + i.cast(DType::F32), c.square()));
        b.at(0)
    };
    // Read elsewhere, or at another entry, it stays.
    let middle = |x: Array| entries(x, 2);
    let run = |g: &Graph| {
        let x = x.value().unwrap();
        eval::eval_graph(g, &[&x]).unwrap()[0].to_vec::<f32>().unwrap()
    };
    for (raw, graph, carries, ys) in [
        (raw_graph_of(forward, &x).unwrap(), graph_of(forward, &x).unwrap(), 3, 1),
        (raw_graph_of(backward, &x).unwrap(), graph_of(backward, &x).unwrap(), 2, 0),
        (raw_graph_of(middle, &x).unwrap(), graph_of(middle, &x).unwrap(), 2, 3),
    ] {
        verify(&graph).unwrap();
        let scan = only_scan(&graph);
        assert_eq!((scan.carries, scan.ys()), (carries, ys), "{graph}");
        assert_eq!(run(&raw), run(&graph), "{graph}");
    }
}

#[test]
fn what_no_step_waits_for_is_computed_behind_the_loop() {
    let climb = |steps: usize, x: Array| {
        let density = |q: &Array| (q - &x).square() * -0.5;
        let start = zeros([]);
        let first = (start.clone(), density(&start), density(&start), density(&start).sum());
        fori_loop(steps, first, |_, (q, ..): (Array, Array, Array, Array)| {
            let q = &q + (&x - &q).sum() * 0.1;
            (q.clone(), density(&q), density(&q), density(&q).sum())
        })
    };
    // The densities of the last step follow from where it ends.
    let f = |x: Array| climb(20, x);
    // What is read of the step before, and what a step computes anyway.
    let before = |x: Array| {
        fori_loop(20, (x.clone(), x.clone(), x), |_, (c, _, _): (Array, Array, Array)| {
            let grown = c.sin();
            (&grown * 1.5, grown, c)
        })
    };
    let reads = |x: Array| {
        scan((x.clone(), x), arange(20), |(c, _), i| {
            let c = c.cos();
            let d = c.exp() + i.cast(DType::F32);
            ((c, d.clone()), d)
        })
    };
    let x = array([0.5, -1.0, 2.0]);
    let check = |raw: Graph, graph: Graph, carries: usize, equations: usize| {
        verify(&graph).unwrap();
        let scan = only_scan(&graph);
        assert_eq!((scan.carries, scan.body.eqns().len()), (carries, equations), "{graph}");
        let x = x.value().unwrap();
        let run = |g: &Graph| -> Vec<Vec<f32>> {
            let results = eval::eval_graph(g, &[&x]).unwrap();
            results.iter().map(|r| r.to_vec::<f32>().unwrap()).collect()
        };
        assert_eq!(run(&raw), run(&graph), "{graph}");
    };
    check(raw_graph_of(f, &x).unwrap(), graph_of(f, &x).unwrap(), 1, 5);
    check(raw_graph_of(before, &x).unwrap(), graph_of(before, &x).unwrap(), 3, 3);
    check(raw_graph_of(reads, &x).unwrap(), graph_of(reads, &x).unwrap(), 2, 5);
    // No step, no last step.
    let none = |x: Array| climb(0, x);
    let graph = graph_of(none, &x).unwrap();
    let raw = raw_graph_of(none, &x).unwrap();
    let value = x.value().unwrap();
    let run = |g: &Graph| eval::eval_graph(g, &[&value]).unwrap()[1].to_vec::<f32>().unwrap();
    assert_eq!(run(&raw), run(&graph), "{graph}");
}

#[test]
fn conditional_loops_compute_invariants_once() {
    let f = |(x, k): (Array, Array)| {
        while_loop(|c: Array| c.sum().lt(k.exp() * 10.0), |c| c * 1.5 + k.sin().exp(), x)
    };
    let args = (array([0.25, 1.0]), array(1.5));
    let (raw, graph) = (raw_graph_of(f, &args).unwrap(), graph_of(f, &args).unwrap());
    let inner = |name: &str| {
        let count = |g: &Graph| g.eqns().iter().filter(|e| e.op.name() == name).count();
        graph.eqns().iter().flat_map(|e| e.op.graphs()).map(|g| count(g)).sum::<usize>()
    };
    assert_eq!((inner("exp"), inner("sin"), inner("add")), (0, 0, 1), "{graph}");
    let inputs = [args.0.value().unwrap(), args.1.cast(DType::F32).value().unwrap()];
    let run = |g: &Graph| {
        let out = eval::eval_graph(g, &inputs.iter().collect::<Vec<_>>()).unwrap();
        out[0].to_vec::<f32>().unwrap()
    };
    assert_eq!(run(&raw), run(&graph));

    // Without a step the slope of what a step would compute does not count: log has none at zero.
    let f =
        |(x, k): (Array, Array)| while_loop(|c: Array| c.lt(1.0), |c| c + 1.0 + k.log() * 0.0, x);
    let slope = grad(move |k: Array| f((array(2.0), k)));
    assert_eq!(slope(array(0.0)).item::<f32>().unwrap(), 0.0);
    assert_eq!(jit(slope)(array(0.0)).item::<f32>().unwrap(), 0.0);
}

#[test]
fn scalar_work_is_done_once() {
    let f = |(scale, x): (Array, Array)| &x / scale.exp().broadcast_to([1000]).sqrt();
    let graph = graph_of(f, &(array(1.0), zeros([1000]))).unwrap();
    let large = |e: &&probpipe_trace::Eqn| graph.ty(e.outputs[0]).size() > 1;
    // A broadcast and a division.
    assert_eq!(graph.eqns().iter().filter(large).count(), 2, "{graph}");
}

#[test]
fn draws_are_not_folded_and_not_repeated() {
    let f = |x: Array| {
        normal(Key::new(0), [4]) + normal(Key::new(0), [4]) + uniform(Key::new(1), [4]) + x
    };
    let graph = graph_of(f, &array(0.0)).unwrap();
    let draws = graph.eqns().iter().filter(|e| e.op == Op::Threefry2x32).count();
    assert_eq!(draws, 2, "{graph}");
}

#[test]
fn small_constants_are_folded() {
    let f = |x: Array| {
        let m = array([[4.0, 1.0], [1.0, 3.0]]);
        m.cholesky().solve_triangular(&x)
    };
    let graph = graph_of(f, &zeros([2])).unwrap();
    assert!(!graph.eqns().iter().any(|e| e.op.name() == "cholesky"), "{graph}");
}

#[test]
fn locations_are_kept() {
    let f = |x: Array| (x.exp() * 1.0).sum();
    let graph = graph_of(f, &zeros([2])).unwrap();
    assert!(graph.eqns().iter().all(|e| e.location.file().ends_with("simplify.rs")), "{graph}");
}

#[test]
fn work_is_linear() {
    // Every link meets rules: for one factor of one, for a sum with zero, for two signs.
    let chain = |n: usize| {
        let types = [ArrayType::new(DType::F32, [10])];
        let traced = trace(&types, |x| {
            let mut y = x[0].clone();
            for i in 0..n {
                y = -(-(&y * 1.0 + 0.0)) * (2.0 + i as f64) + &x[0];
                y = y.sin();
            }
            vec![y]
        });
        traced.unwrap().graph
    };
    let work = |n: usize| {
        let graph = chain(n);
        let (simple, counts) = finish_counted(&graph).unwrap();
        (graph.eqns().len(), counts.values().sum::<usize>(), simple.eqns().len())
    };
    let (small, middle, large) = (work(50), work(500), work(950));
    assert!(small.1 >= 3 * 50, "{small:?}");
    // Equal increments for equal numbers of links: equations, rules applied, equations left.
    assert_eq!(large.0 - middle.0, middle.0 - small.0);
    assert_eq!(large.1 - middle.1, middle.1 - small.1);
    assert_eq!(large.2 - middle.2, middle.2 - small.2);
}
