//! Branches and conditional loops on the device against the interpreter: in one workgroup, driven
//! by the host, in each other, and lane by lane.

mod common;

use common::{adapter_or_skip, check, distance, f32s, graph_of, noise};
use probpipe_backend_gpu::wgsl::{Module, Step, Target, element_bytes, emit};
use probpipe_lowering::{Options, lower};
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, DType, Executable, Value, arange, array, concat, fori_loop,
    fori_loop_dynamic, scan, switch, verify, while_loop, zeros,
};

/// What one invocation does, what a workgroup does, and what takes dispatches.
const SIZES: [usize; 4] = [1, 33, 1500, 200_000];

#[test]
fn loops_until_a_condition() {
    let Some(gpu) = adapter_or_skip() else { return };
    for n in SIZES {
        let x = [f32s(&noise(n, 3), &[n]), f32s(&[0.7], &[])];
        check(&gpu, 200.0, &x, |x| {
            let (a, b, i) = while_loop(
                |(a, _, i): (Array, Array, Array)| a.square().mean().lt(3.0) & i.lt(40),
                |(a, b, i)| (&a.flip(0) * 1.1 + &x[1] * 0.1, (&a + &b).sin(), i + 1),
                (x[0].clone(), &x[0] * 0.5, array(0)),
            );
            let counted =
                fori_loop_dynamic(3, &i, x[0].clone(), |i, c| &c * 0.5 + i.cast(DType::F32));
            let never = while_loop(|c: Array| c.sum().gt(1e9), |c| c + 1.0, x[0].clone());
            vec![a, b, i, counted, never]
        });
    }
}

#[test]
fn branches() {
    let Some(gpu) = adapter_or_skip() else { return };
    for n in SIZES {
        for at in [i32::MIN, -1, 0, 1, 2, 3, 4, i32::MAX] {
            let index = Value::scalar(probpipe_trace::Scalar::Int(at.into()), DType::I32);
            let x = [f32s(&noise(n, 4), &[n]), f32s(&[0.3], &[]), index];
            check(&gpu, 64.0, &x, |x| {
                let (a, b, c) = switch(
                    &x[2],
                    (x[0].clone(), x[1].clone()),
                    (
                        |(v, s): (Array, Array)| (&v + &s, v.max(), array(1)),
                        |(v, s): (Array, Array)| (v.flip(0), s, array(2)),
                        |(v, s): (Array, Array)| (v.exp(), &s * 2.0, array(3)),
                    ),
                );
                vec![a, b, c]
            });
        }
    }
}

#[test]
fn control_nests() {
    let Some(gpu) = adapter_or_skip() else { return };
    for n in SIZES {
        let x = [f32s(&noise(n, 5), &[n]), f32s(&[4.0], &[])];
        check(&gpu, 256.0, &x, |x| {
            // Loops in branches in loops, and loops that do not run where their branch does not.
            let (total, seen) = scan((x[0].clone(), x[1].clone()), arange(5), |(v, s), t| {
                let (v, s) = switch(
                    &(&t % 3),
                    (v, s),
                    (
                        |(v, s): (Array, Array)| {
                            let v =
                                while_loop(|v: Array| v.abs().max().lt(4.0), |v| v * 1.5 + 0.1, v);
                            (v, s)
                        },
                        |(v, s): (Array, Array)| (v.flip(0) * 0.25, s * 0.5),
                        |(v, s): (Array, Array)| {
                            let twice = while_loop(
                                |(_, i): (Array, Array)| i.lt(&s),
                                |(v, i)| {
                                    let v = fori_loop(2, v, |_, v: Array| v.flip(0) + 0.25);
                                    (v, i + 1.0)
                                },
                                (v, array(0.0)),
                            );
                            (twice.0, s + 1.0)
                        },
                    ),
                );
                ((v.clone(), s), v.max())
            });
            vec![total.0, total.1, seen]
        });
    }
}

#[test]
fn small_loops_are_one_dispatch() {
    let graph = graph_of(&[ArrayType::new(DType::F32, [1000])], |x| {
        let counted = fori_loop(5000, x[0].clone(), |_, v| v.flip(0) * 0.5 + v.mean());
        let (v, i) = while_loop(
            |(v, i): (Array, Array)| v.sum().lt(1e6) & i.lt(100),
            |(v, i)| (v.flip(0) * 1.1, i + 1),
            (counted, array(0)),
        );
        vec![v.sum(), i]
    });
    // The host only asks whether enough has been done.
    fn asks_only(steps: &[Step]) -> bool {
        steps.iter().all(|step| match step {
            Step::Dispatch { .. } | Step::Clear { .. } => true,
            Step::Loop { .. } => false,
            Step::While { cond, body, .. } => cond.is_empty() && asks_only(body),
        })
    }
    let module = emitted(&graph, &Target::default());
    assert!(asks_only(&module.steps), "{:?}", module.steps);
    // Where loops are cut off, those are cut into several dispatches.
    let module = emitted(&graph, &Target { rounds: 60_000, ..Target::default() });
    assert!(module.steps.iter().any(|step| matches!(step, Step::Loop { .. })));
}

fn emitted(graph: &probpipe_trace::Graph, target: &Target) -> Module {
    emit(&lower(verify(graph).unwrap(), &options()).unwrap(), target).expect("is emitted")
}

fn options() -> Options {
    Options { element_bytes, ..Options::default() }
}

/// A loop that carries nothing, over many, each with loops of its own: as the device likes it, and
/// an invocation each.
#[test]
fn iterations_apart() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (n, size) in [(3, 2), (100, 2), (100, 90), (700, 5)] {
        let x = [f32s(&noise(n * size, 6), &[n, size]), f32s(&noise(size, 7), &[size])];
        let f = |x: &[Array]| {
            let shift = x[1].clone();
            let (_, (ends, counts, lists)) = scan((), x[0].clone(), |(), v: Array| {
                let (v, i, list) = while_loop(
                    |(v, i, _): (Array, Array, Array)| v.abs().max().lt(20.0) & i.lt(30),
                    |(v, i, list)| {
                        let v = v.flip(0) * 1.25 + &shift;
                        let list = list.at_indices([&i]).set(v.sum());
                        (v, i + 1, list)
                    },
                    (v, array(0), zeros([30])),
                );
                ((), (concat(&[v.clone(), v.cumsum(0)], 0), i, list))
            });
            vec![ends, counts, lists]
        };
        check(&gpu, 256.0, &x, f);
        let types: Vec<ArrayType> = x.iter().map(|v| v.ty().clone()).collect();
        let graph = graph_of(&types, f);
        let program = lower(verify(&graph).unwrap(), &options()).unwrap();
        let target = Target { rounds: 1 << 24, ..*gpu.target() };
        let program = gpu.written_for(target).load(program).expect("is loaded");
        assert!(program.stages()[1].1.contains("var<private>"));
        let inputs: Vec<&Value> = x.iter().collect();
        let want = eval_graph(&graph, &inputs).unwrap();
        for (want, got) in want.iter().zip(&program.run(&inputs).unwrap()) {
            let far = distance(want, got).into_iter().fold(0.0, f64::max);
            assert!(far <= 256.0, "{far} ulp\n want {want:?}\n  got {got:?}");
        }
    }
}

/// Lanes that go on for longer than a dispatch may stop at the heads of their loops, wherever those
/// are, and go on from there: counted ones in conditional ones, in branches, behind each other.
#[test]
fn lanes_take_turns() {
    let Some(gpu) = adapter_or_skip() else { return };
    let f = |x: &[Array]| {
        let (_, ends) = scan((), (x[0].clone(), x[1].clone()), |(), (v, n): (Array, Array)| {
            let first = while_loop(
                |(v, i, _): (Array, Array, Array)| i.lt(n.cast(DType::I32)) & v.max().lt(50.0),
                |(v, i, long)| {
                    let (w, _) = while_loop(
                        |(w, j): (Array, Array)| w.sum().lt(3.0) & j.lt(40),
                        |(w, j)| (w * 1.01 + 0.01, j + 1),
                        (v.clone(), array(0)),
                    );
                    let v = switch(
                        &(&i % 3),
                        (v, w),
                        (
                            |(v, w): (Array, Array)| v.flip(0) + w * 0.25,
                            |(v, w): (Array, Array)| {
                                while_loop(
                                    |v: Array| v.abs().max().gt(1.0),
                                    |v| v * 0.9 - &w * 0.01,
                                    v,
                                )
                            },
                            |(v, w): (Array, Array)| {
                                fori_loop(60, v, |k, v| {
                                    v.flip(0) * 0.99 + k.cast(DType::F32) * 0.01
                                }) + w
                            },
                        ),
                    );
                    (v, &i + 1, long * 1_000_003i64 + i.cast(DType::I64))
                },
                (v, array(0), array(1).cast(DType::I64)),
            );
            let (v, i, long) = first;
            let again = while_loop(|v: Array| v.max().lt(1e4), |v| v.abs() * 1.5 + 1.0, v);
            let odd = (&i % 2).eq(1);
            ((), (again, i, odd, long))
        });
        vec![ends.0, ends.1, ends.2, ends.3]
    };
    for (lanes, size) in [(70, 3), (200, 17)] {
        let counts: Vec<f32> = (0..lanes).map(|lane| (lane % 23) as f32).collect();
        let x = [f32s(&noise(lanes * size, 8), &[lanes, size]), f32s(&counts, &[lanes])];
        let types: Vec<ArrayType> = x.iter().map(|v| v.ty().clone()).collect();
        let graph = graph_of(&types, f);
        let inputs: Vec<&Value> = x.iter().collect();
        let want = eval_graph(&graph, &inputs).unwrap();
        let mut stops = Vec::new();
        for (rounds, software) in [(1 << 24, true), (4400, true), (4400, false), (1 << 13, true)] {
            let program = lower(verify(&graph).unwrap(), &options()).unwrap();
            let target = Target { rounds, software, ..*gpu.target() };
            let program = gpu.written_for(target).load(program).expect("is loaded");
            let lanes = program.stages()[1].1.matches("pp_left").count();
            stops.push(lanes);
            for (want, got) in want.iter().zip(&program.run(&inputs).unwrap()) {
                let far = distance(want, got).into_iter().fold(0.0, f64::max);
                assert!(far <= 256.0, "{rounds} rounds: {far} ulp\n want {want:?}\n  got {got:?}");
            }
        }
        assert!(stops.iter().all(|&stops| stops > 8), "{stops:?}");
    }
}
