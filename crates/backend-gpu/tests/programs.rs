//! Whole programs on the device: reductions of all sizes, relayouts, loops dispatched step by
//! step and loops inside one shader, linear algebra, values that stay on the device.

mod common;

use common::{adapter_or_skip, check, f32s, graph_of, noise, run_both};
use probpipe_backend_gpu::wgsl::Target;
use probpipe_testing::says;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Storage, Triangular, Value, arange, array, concat, eval,
    fori_loop, scan, scan_reverse, verify,
};

#[test]
fn reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(6 * 7 * 5, 1), &[6, 7, 5]);
    // The terms of the sums cancel: ulp of the result would be too strict.
    check(&gpu, 32.0, &[x], |x| {
        vec![
            x[0].sum(),
            x[0].sum_axes([0]),
            x[0].sum_axes([1]),
            x[0].sum_axes([2, 0]),
            x[0].max(),
            x[0].min_axes([1]),
            x[0].prod_axes([2]),
            x[0].gt(0.0).all_axes([2]),
            x[0].gt(0.9).any_axes([0]),
            (&x[0] * 10.0).cast(DType::I32).sum_axes([0, 1]),
            (&x[0] * 10.0).cast(DType::I32).max(),
            x[0].exp().sum(),
            x[0].square().sum_axes([1]).exp(),
        ]
    });
}

#[test]
fn reductions_propagate_nan() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&[1.0, f32::NAN, 2.0, f32::INFINITY, -1.0, 0.0], &[2, 3]);
    check(&gpu, 0.0, &[x], |x| {
        vec![x[0].max_axes([1]), x[0].min_axes([1]), x[0].sum_axes([1]), x[0].max()]
    });
}

#[test]
fn reductions_of_nothing() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&[], &[3, 0]);
    check(&gpu, 0.0, &[x], |x| {
        vec![
            x[0].sum_axes([1]),
            x[0].prod_axes([1]),
            x[0].max_axes([1]),
            x[0].min_axes([1]),
            x[0].cast(DType::I32).max_axes([1]),
            x[0].cast(DType::U32).min_axes([1]),
            x[0].gt(0.0).all_axes([1]),
            x[0].gt(0.0).any_axes([1]),
            &x[0] + 1.0,
            x[0].sum_axes([0]),
        ]
    });
}

#[test]
fn large_reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 100_003;
    let x: Vec<f32> = noise(n, 2).iter().map(|v| 1.0 + v * 0.5).collect();
    let exact: f64 = x.iter().map(|&v| f64::from(v)).sum();
    let largest = x.iter().copied().fold(f32::MIN, f32::max);
    let (_, got) = run_both(&gpu, &[f32s(&x, &[n])], |x| {
        vec![x[0].sum(), x[0].max(), x[0].cast(DType::I32).sum(), x[0].gt(0.0).all()]
    });
    let sum = f64::from(got[0].to_vec::<f32>().unwrap()[0]);
    assert!((sum - exact).abs() / exact < 2e-7, "{sum} for {exact}");
    assert_eq!(got[1].to_vec::<f32>().unwrap()[0], largest);
    let whole: i32 = x.iter().map(|&v| v as i32).sum();
    assert_eq!(got[2].to_vec::<i32>().unwrap()[0], whole);
    assert_eq!(got[3].to_vec::<bool>().unwrap(), [true]);
}

#[test]
fn large_reductions_over_several_axes() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(3 * 50 * 70, 3), &[50, 3, 70]);
    check(&gpu, 8.0, &[x], |x| vec![x[0].sum_axes([0, 2]), x[0].square().max_axes([0, 2])]);
}

#[test]
fn relayouts() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(24, 4), &[2, 3, 4]);
    let row = f32s(&noise(4, 5), &[4]);
    check(&gpu, 4.0, &[x, row], |x| {
        let (a, row) = (&x[0], &x[1]);
        vec![
            a.permute([2, 0, 1]),
            a.permute([1, 2, 0]).reshape([4, 6]),
            a + row,
            a.flip(1) * 2.0,
            a.slice_strided([0..2, 1..3, 0..4], [1, 1, 2]),
            a.pad([1, 0, 2], [0, 1, 1], 7.0),
            concat(&[a.clone(), a.flip(2)], 1),
            arange(5).cast(DType::F32),
            a.reshape([6, 4]).swap_axes(0, 1).sum_axes([0]),
            row.broadcast_to([3, 4]),
        ]
    });
}

#[test]
fn values_stay_on_the_device() {
    let Some(gpu) = adapter_or_skip() else { return };
    let ty = ArrayType::new(DType::F32, [2000]);
    let graph = graph_of(&[ty], |x| vec![&x[0] * 2.0, x[0].gt(0.0)]);
    let program = gpu.compile(verify(&graph).unwrap()).unwrap();
    let start = f32s(&vec![1.0; 2000], &[2000]);
    let mut value = start.clone();
    for _ in 0..20 {
        let results = program.run(&[&value]).unwrap();
        assert!(matches!(results[0].storage(), Storage::Device(_)));
        assert_eq!(results[1].ty().dtype, DType::Bool);
        value = results[0].clone();
    }
    assert_eq!(value.to_vec::<f32>().unwrap(), vec![1_048_576.0; 2000]);
    // An array of another device goes through the host.
    let other = probpipe_backend_gpu::Gpu::open().unwrap();
    let there = other.put(&start).unwrap();
    let results = program.run(&[&there]).unwrap();
    assert_eq!(results[0].to_vec::<f32>().unwrap()[0], 2.0);
    // The same host value again, and results that outlive the program.
    let results = program.run(&[&start]).unwrap();
    drop(program);
    assert_eq!(results[1].to_vec::<bool>().unwrap(), vec![true; 2000]);
}

#[test]
fn constants_and_captured_results() {
    let Some(gpu) = adapter_or_skip() else { return };
    let big = noise(300, 6);
    let mask: Vec<bool> = big.iter().map(|&v| v > 0.0).collect();
    let x = f32s(&noise(300, 7), &[300]);
    check(&gpu, 4.0, &[x], |x| {
        let data = Array::from_slice(&big, [300]);
        let mask = Array::from_slice(&mask, [300]);
        vec![&x[0] * &data, mask.clone(), x[0].clone(), probpipe_trace::select(&mask, &x[0], 0.0)]
    });
}

#[test]
fn scalar_loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&[0.5], &[]);
    check(&gpu, 8.0, std::slice::from_ref(&x), |x| {
        vec![fori_loop(100, x[0].clone(), |_, s| (&s * 0.9).sin() + 0.1)]
    });
    let xs = f32s(&noise(50, 8), &[50]);
    check(&gpu, 8.0, &[x, xs], |x| {
        let (last, all) = scan(x[0].clone(), x[1].clone(), |s, x| {
            let next = &s * 0.5 + &x;
            (next.clone(), next * 2.0)
        });
        let (back, rev) =
            scan_reverse(x[0].clone(), x[1].clone(), |s, x| (&s * 0.5 + &x, s.clone()));
        vec![last, all, back, rev]
    });
}

#[test]
fn small_vector_loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    let q = f32s(&noise(3, 9), &[3]);
    let m = f32s(&noise(9, 10), &[3, 3]);
    // A leapfrog with a matrix product, and nested loops.
    check(&gpu, 64.0, &[q, m], |x| {
        let (q, m) = (x[0].clone(), &x[1]);
        let (q, p) = fori_loop(20, (q.clone(), q), |i, (q, p)| {
            let force = m.dot(&q) * 0.1;
            let p = &p - &force;
            let q = fori_loop(3, q, |j, q| &q + &p * 0.01 + (&i + &j).cast(DType::F32) * 1e-3);
            (q, p)
        });
        let energy = (&q * &q).sum() + (&p * &p).sum();
        vec![q, p, energy]
    });
}

#[test]
fn swapping_carries() {
    let Some(gpu) = adapter_or_skip() else { return };
    let a = f32s(&noise(5, 11), &[5]);
    let b = f32s(&noise(5, 12), &[5]);
    check(&gpu, 4.0, &[a, b], |x| {
        let (a, b) = fori_loop(7, (x[0].clone(), x[1].clone()), |_, (a, b)| (b, a.flip(0) + 1.0));
        vec![a, b]
    });
}

#[test]
fn lanes() {
    let Some(gpu) = adapter_or_skip() else { return };
    let chains = 300;
    let q = f32s(&noise(chains * 2, 13), &[chains, 2]);
    let step = f32s(&[0.1], &[]);
    check(&gpu, 64.0, &[q, step], |x| {
        let eps = &x[1];
        let ((q, p), energies) = scan((x[0].clone(), &x[0] * 0.5), arange(10), |(q, p), t| {
            let p = &p - &q * eps;
            let q = &q + &p * eps + t.cast(DType::F32) * 1e-3;
            let energy = (&q * &q).sum_axes([1]) + (&p * &p).sum_axes([1]);
            ((q, p), energy)
        });
        vec![q, p, energies]
    });
}

/// A number that all lanes keep a copy of, carried, read after the loop.
#[test]
fn lanes_with_a_shared_counter() {
    let Some(gpu) = adapter_or_skip() else { return };
    let q = f32s(&noise(600, 18), &[200, 3]);
    let s = f32s(&[0.5], &[]);
    check(&gpu, 64.0, &[q, s], |x| {
        let (q, s) = fori_loop(9, (x[0].clone(), x[1].clone()), |_, (q, s)| {
            (q.sin() * 0.5 + q.sum_axes([1]).reshape([200, 1]) * &s * 0.1, s * 0.9)
        });
        vec![q, s]
    });
}

/// A loop that Mesa's software driver got wrong when it unrolled it.
#[test]
fn short_loops_with_several_functions() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(120, 1), &[40, 3]);
    check(&gpu, 64.0, &[x], |x| {
        let (q, ys) = scan(x[0].clone(), arange(1), |b, t| {
            let s = b.sum_axes([1]).reshape([40, 1]).tanh();
            let n = s * &b * 0.6 + b.flip(1) * 0.5 + t.cast(DType::F32) * 0.1;
            (n.clone(), n.sum_axes([1]).tanh())
        });
        vec![q, ys]
    });
}

#[test]
fn loops_of_wide_steps() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(400, 14), &[400]);
    // Each step reads all of the last: no lanes, so the host counts.
    check(&gpu, 64.0, &[x], |x| {
        let (y, sums) = scan(x[0].clone(), arange(12), |x, t| {
            let sum = x.sum();
            let next = (&x + &sum * 0.001).sin() + t.cast(DType::F32) * 0.01;
            (next, sum)
        });
        let inner = fori_loop(3, y.clone(), |i, y| {
            fori_loop(2, y, |j, y| y.flip(0) * 0.9 + (&i * 2 + &j).cast(DType::F32))
        });
        vec![y, sums, inner]
    });
}

/// More products than Mesa's software driver lets one invocation loop over.
#[test]
fn long_products() {
    let Some(gpu) = adapter_or_skip() else { return };
    let k = 70_001;
    let x: Vec<f32> = noise(2 * k, 40).iter().map(|v| 1.0 + 0.1 * v).collect();
    check(&gpu, 64.0, &[f32s(&x, &[2, k])], |x| {
        let whole = (&x[0] * 10.0).cast(DType::I32);
        vec![x[0].matmul(&x[0].transpose()), whole.matmul(&whole.transpose())]
    });
}

#[test]
fn long_scalar_loop() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&[0.25], &[]);
    let (want, got) = run_both(&gpu, &[x], |x| {
        vec![
            fori_loop(10_000, (x[0].clone(), array(0i32)), |i, (s, n)| {
                ((&s * 3.7) * (-&s + 1.0), n + i)
            })
            .1,
        ]
    });
    assert_eq!(want[0].to_vec::<i32>().unwrap(), got[0].to_vec::<i32>().unwrap());
}

#[test]
fn matrix_products() {
    let Some(gpu) = adapter_or_skip() else { return };
    let (m, k, n) = (37, 41, 43);
    let a = f32s(&noise(2 * m * k, 15), &[2, m, k]);
    let b = f32s(&noise(2 * k * n, 16), &[2, k, n]);
    let v = f32s(&noise(k, 17), &[k]);
    check(&gpu, 64.0, &[a, b, v], |x| {
        vec![
            x[0].matmul(&x[1]),
            x[0].at(0).matmul(&x[1].at(1)),
            x[0].swap_axes(1, 2).at(1).matmul(&x[0].at(1)),
            x[0].at(0).dot(&x[2]),
            x[2].dot(&x[2]),
        ]
    });
}

fn positive_definite(n: usize, batch: usize) -> Value {
    let mut data = Vec::new();
    for b in 0..batch {
        let l = noise(n * n, 20 + b as u32);
        for i in 0..n {
            for j in 0..n {
                let dot: f32 = (0..n).map(|k| l[i * n + k] * l[j * n + k]).sum();
                data.push(dot + if i == j { n as f32 } else { 0.0 });
            }
        }
    }
    f32s(&data, &[batch, n, n])
}

#[test]
fn factorisations() {
    let Some(gpu) = adapter_or_skip() else { return };
    let a = positive_definite(6, 3);
    let b = f32s(&noise(3 * 6 * 2, 30), &[3, 6, 2]);
    check(&gpu, 64.0, &[a.clone(), b], |x| {
        let l = x[0].cholesky();
        let mut out = vec![l.clone()];
        for triangle in [Triangular::lower(), Triangular::upper()] {
            out.push(x[0].solve_triangular_with(&x[1], triangle));
            out.push(x[0].solve_triangular_with(&x[1], triangle.transposed()));
        }
        out.push(l.solve_triangular(&x[1]) * 2.0);
        out
    });
    // One matrix that is not positive definite: NaN for it alone.
    let mut data = a.to_vec::<f32>().unwrap();
    data[36] = -1.0;
    check(&gpu, 64.0, &[f32s(&data, &[3, 6, 6])], |x| vec![x[0].cholesky()]);
}

/// In blocks, several points to a matrix.
#[test]
fn large_factorisations() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (batch, n) in [(1, 50), (2, 67), (1, 128)] {
        let a = positive_definite(n, batch);
        let b = f32s(&noise(batch * n * 3, 31), &[batch, n, 3]);
        check(&gpu, 64.0, &[a.clone(), b], |x| {
            let l = x[0].cholesky();
            let mut out = vec![l.clone()];
            for triangle in [Triangular::lower(), Triangular::upper()] {
                for unit in [false, true] {
                    let triangle = if unit { triangle.unit_diagonal() } else { triangle };
                    let scale = if unit { 1.0 / (n * n) as f32 } else { 1.0 };
                    let a = &x[0] * scale;
                    out.push(a.solve_triangular_with(&x[1], triangle));
                    out.push(a.solve_triangular_with(&x[1], triangle.transposed()));
                }
            }
            out.push(l.solve_triangular(&(&x[1] + 1.0)) * 2.0);
            out
        });
        for broken in [0, n / 2 + 1, n - 1] {
            let mut data = a.to_vec::<f32>().unwrap();
            data[broken * (n + 1)] = -1.0;
            check(&gpu, 64.0, &[f32s(&data, &[batch, n, n])], |x| vec![x[0].cholesky()]);
        }
    }
}

#[test]
fn element_types_that_the_device_lacks() {
    let Some(gpu) = adapter_or_skip() else { return };
    let graph = graph_of(&[ArrayType::new(DType::F32, [3])], |x| {
        vec![x[0].cast(DType::F64).exp().cast(DType::F32)]
    });
    let line = line!() - 2;
    // As on one that does not compute in double precision.
    let gpu = gpu.written_for(Target { double: false, ..*gpu.target() });
    let error = gpu.compile(verify(&graph).unwrap()).unwrap_err();
    let text = error.to_string();
    says(
        &text,
        &[
            "the gpu backend has no f64: the result of `cast` is f64[3]",
            &*format!("programs.rs:{line}"),
            "help: use f32",
        ],
    );
}

#[test]
fn calls_from_several_threads() {
    let Some(gpu) = adapter_or_skip() else { return };
    let graph = graph_of(&[ArrayType::new(DType::F32, [300])], |x| {
        let sum = x[0].sum();
        vec![fori_loop(30, x[0].clone(), |_, y| &y * 0.5 + y.flip(0) * 0.5 + &sum * 0.01)]
    });
    let program = gpu.compile(verify(&graph).unwrap()).unwrap();
    std::thread::scope(|s| {
        for t in 0..4u32 {
            let (program, graph) = (&program, &graph);
            s.spawn(move || {
                let x = f32s(&noise(300, t), &[300]);
                let want = eval::eval_graph(graph, &[&x]).unwrap();
                for _ in 0..5 {
                    let got = program.run(&[&x]).unwrap();
                    let far = common::distance(&want[0], &got[0]);
                    assert!(far.into_iter().all(|d| d < 64.0));
                }
            });
        }
    });
}

#[test]
fn more_arrays_than_a_shader_binds() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = gpu.target().storage_buffers + 5;
    let inputs: Vec<Value> = (0..n)
        .map(|i| match i % 2 {
            0 => f32s(&noise(1000, i as u32), &[1000]),
            _ => f32s(&[i as f32], &[]),
        })
        .collect();
    check(&gpu, 64.0, &inputs, |x| {
        let sum = x.iter().skip(1).fold(x[0].clone(), |sum, x| sum + x);
        vec![sum.gt(0.5), sum.mean(), sum.cast(DType::I32), x[3].clone()]
    });
}

/// Software devices leave loops that go round too often, so every step must be counted for.
#[test]
fn no_step_is_lost_of_long_loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    let ints = |n: usize| Value::from_elements(&vec![1i32; n], &[n]).expect("there are as many");
    for n in [3, 10, 40] {
        check(&gpu, 0.0, &[ints(n)], |x| {
            let step = |_, (y, sum): (Array, Array)| {
                let y = fori_loop(20, y, |_, y: Array| y.flip(0) + 1);
                let y = y.clone() + (y.sum() & 1);
                (y.clone(), (sum + y.sum()) & 0xffff)
            };
            let start = (x[0].clone(), x[0].sum());
            let (y, sum) = fori_loop(1000, start, step);
            vec![y, sum]
        });
    }
}
