//! Compiled branches and conditional loops against the interpreter.

mod support;

use probpipe_trace::{
    Array, ArrayType, DType, Op, arange, array, cond, fori_loop_dynamic, scan, select, switch,
    verify, while_loop,
};
use probpipe_transforms::rewrite;
use support::check_fn;

fn ty(dtype: DType, shape: &[usize]) -> ArrayType {
    ArrayType::new(dtype, shape)
}

/// Sizes on both sides of registers, vectors and tiles.
const SIZES: [usize; 6] = [1, 3, 8, 33, 300, 1500];

#[test]
fn loops_until_a_condition() {
    for n in SIZES {
        for dtype in [DType::F32, DType::F64] {
            let types = [ty(dtype, &[n]), ty(dtype, &[])];
            check_fn(&format!("while {dtype} {n}"), &types, 200.0, |x| {
                let (a, b, i) = while_loop(
                    |(a, _, i): (Array, Array, Array)| a.square().mean().lt(3.0) & i.lt(40),
                    |(a, b, i)| (&a.flip(0) * 1.1 + &x[1] * 0.1, (&a + &b).sin(), i + 1),
                    (x[0].clone(), &x[0] * 0.5, array(0)),
                );
                let counted =
                    fori_loop_dynamic(3, &i, x[0].clone(), |i, c| &c * 0.5 + i.cast(dtype));
                let never = while_loop(|c: Array| c.sum().gt(1e9), |c| c + 1.0, x[0].clone());
                vec![a, b, i, counted, never]
            });
        }
    }
}

#[test]
fn branches() {
    for n in SIZES {
        let types = [ty(DType::F64, &[n]), ty(DType::F64, &[])];
        check_fn(&format!("switch {n}"), &types, 64.0, |x| {
            let pick = |i: &Array| {
                switch(
                    i,
                    (x[0].clone(), x[1].clone()),
                    (
                        |(v, s): (Array, Array)| (&v + &s, v.sum(), array(1)),
                        |(v, s): (Array, Array)| (v.flip(0), s, array(2)),
                        |(v, s): (Array, Array)| (v.exp(), &s * 2.0, array(3)),
                        |(v, _): (Array, Array)| (v.clone(), v.cumsum(0).max(), array(4)),
                    ),
                )
            };
            let mut out = Vec::new();
            // Known while compiling only to the caller.
            let zero = select(&x[1].gt(1e9), 1, 0);
            for i in [i32::MIN, -1, 0, 1, 2, 3, 4, i32::MAX] {
                let (a, b, c) = pick(&(&zero + i));
                out.extend([a, b, c]);
            }
            out
        });
    }
}

#[test]
fn control_nests() {
    for n in SIZES {
        let types = [ty(DType::F64, &[n]), ty(DType::F64, &[4, 4])];
        check_fn(&format!("nested {n}"), &types, 500.0, |x| {
            let early = (&x[1] * 0.2).matmul(&x[1]);
            let y = cond(
                &x[0].mean().lt(100.0),
                x[0].clone(),
                |v| {
                    while_loop(
                        |(_, i): (Array, Array)| i.lt(4),
                        |(v, i)| {
                            let (v, parts) = scan(v, arange(5), |v, k| {
                                let v = switch(
                                    &(&k - &i),
                                    v,
                                    (
                                        |v: Array| v * 0.5,
                                        |v: Array| &v + early.mean(),
                                        |v: Array| v.sin(),
                                    ),
                                );
                                (v.clone(), v.mean())
                            });
                            (&v + parts.sum() * 0.1, i + 1)
                        },
                        (v, array(0)),
                    )
                    .0
                },
                |v| v.exp(),
            );
            vec![y, early]
        });
    }
}

/// The derivative of a loop backwards is a loop with a stack of checkpoints; see what it computes
/// and that its memory does not grow with the number of steps.
#[test]
fn memory_of_gradients_is_bounded() {
    use probpipe_backend_cpu::Cpu;
    use probpipe_lowering::lower;
    use probpipe_testing::{Tolerance, close};
    use probpipe_trace::{Backend, Value, trace};

    let mut arenas = Vec::new();
    for steps in [10i32, 1000, 100_000, 1_000_000] {
        let scale = 1.0 / f64::from(steps);
        let traced = trace(&[ty(DType::F64, &[]), ty(DType::F64, &[])], |x| {
            let (y, _) = while_loop(
                |(_, i): (Array, Array)| i.lt(steps),
                |(y, i)| (&y + (&x[1] - y.square()) * scale, i + 1),
                (x[0].clone(), array(0)),
            );
            vec![y]
        });
        let graph = traced.unwrap().graph;
        let linear = rewrite::linearize(&graph, &[true, true]).unwrap();
        let mut flags = vec![false; linear.residuals];
        flags.resize(linear.linear.inputs().len(), true);
        let back = rewrite::simplify(&rewrite::transpose(&linear.linear, &flags).unwrap());
        assert!(back.eqns().iter().any(|e| matches!(e.op, Op::While(_))), "{back}");
        let program = lower(verify(&back).unwrap(), &Cpu::options()).unwrap();
        arenas.push(program.arena_bytes);

        let (mut y, mut dx, mut dc) = (0.5f64, 1.0f64, 0.0f64);
        let c = 2.0;
        let mut path = Vec::new();
        for _ in 0..steps {
            path.push(y);
            y += (c - y * y) * scale;
        }
        for y in path.iter().rev() {
            dc += dx * scale;
            dx *= 1.0 - 2.0 * y * scale;
        }
        let inputs =
            [Value::from_elements(&[0.5], &[]).unwrap(), Value::from_elements(&[c], &[]).unwrap()];
        let forward = Cpu.compile(verify(&rewrite::simplify(&linear.primal)).unwrap()).unwrap();
        let values = forward.run(&inputs.iter().collect::<Vec<_>>()).unwrap();
        let close = |have: &Value, want: f64| close(steps, have, want, Tolerance::relative(1e-9));
        close(&values[0], y);
        let one = Value::from_elements(&[1.0], &[]).unwrap();
        let inputs: Vec<&Value> = values[1..].iter().chain([&one]).collect();
        let started = std::time::Instant::now();
        let cts = Cpu.compile(verify(&back).unwrap()).unwrap().run(&inputs).unwrap();
        println!("{steps} steps back: {:?}", started.elapsed());
        close(&cts[0], dx);
        close(&cts[1], dc);
    }
    println!("arena bytes {arenas:?}");
    assert!(arenas.iter().all(|bytes| *bytes == arenas[0]), "{arenas:?}");
    assert!(arenas[0] < 16 << 10, "{arenas:?}");
}
