//! Reductions, broadcasting, strides, loops and library calls against the interpreter.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_testing::{Tolerance, close, says};
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Key, Triangular, Value, concat, fori_loop, iota, linspace,
    normal, scan, scan_reverse, select, trace, verify,
};
use support::check_fn;

fn f32s(shape: &[usize]) -> ArrayType {
    ArrayType::new(DType::F32, shape)
}

fn f64s(shape: &[usize]) -> ArrayType {
    ArrayType::new(DType::F64, shape)
}

#[test]
fn reductions_over_any_axes() {
    let shapes: [&[usize]; 9] =
        [&[1], &[5], &[16], &[200], &[5000], &[3, 700], &[700, 3], &[4, 5, 6], &[40, 9, 33]];
    let integers = [DType::I32, DType::U32, DType::I64, DType::U64, DType::U8];
    for dtype in [DType::F32, DType::F64].into_iter().chain(integers) {
        for shape in shapes {
            let rank = shape.len() as isize;
            for mask in 1..1 << rank {
                let axes: Vec<isize> = (0..rank).filter(|a| mask >> a & 1 == 1).collect();
                let what = format!("reduce {dtype}{shape:?} over {axes:?}");
                check_fn(&what, &[ArrayType::new(dtype, shape)], 64.0, |x| {
                    let scaled = if dtype.is_float() { x[0].clone() * 0.1 } else { x[0].clone() };
                    vec![
                        x[0].sum_axes(&axes),
                        x[0].max_axes(&axes),
                        x[0].min_axes(&axes),
                        (scaled + 1).prod_axes(&axes),
                        x[0].gt(1).all_axes(&axes),
                        x[0].gt(1).any_axes(&axes),
                        x[0].clone() * 2,
                    ]
                });
            }
        }
    }
}

/// Long kernels call tile kernels for arithmetic too, with rows for what does not vary.
#[test]
fn kernels_of_hundreds_of_calls() {
    for (dtype, n) in [(DType::F32, 16), (DType::F32, 1003), (DType::F64, 16), (DType::F64, 700)] {
        let types = [ArrayType::new(dtype, [n]), ArrayType::new(dtype, [])];
        check_fn(&format!("long {dtype}[{n}]"), &types, 64.0, |x| {
            let mut y = x[0].clone();
            for i in 0..150 {
                let bent = y.sin() * &x[0] - (&y * &x[1]).tanh() / (f64::from(i % 23) + 1.5);
                y = select(&x[0].gt(0.1), &bent, y + 0.25);
            }
            vec![y.clone(), (y * 0.01).sum()]
        });
    }
}

#[test]
fn empty_arrays() {
    for shape in [&[0usize][..], &[3, 0], &[0, 3], &[20, 0], &[0, 1000]] {
        check_fn(&format!("empty {shape:?}"), &[f32s(shape)], 0.0, |x| {
            let mut out = vec![x[0].exp(), x[0].sum(), x[0].max(), x[0].prod()];
            for axis in 0..shape.len() as isize {
                out.push(x[0].sum_axes([axis]));
                out.push(x[0].min_axes([axis]));
            }
            out
        });
    }
}

#[test]
fn reductions_keep_nan_and_infinity() {
    let graph = trace(&[f64s(&[1000])], |x| {
        vec![x[0].sum(), x[0].max(), x[0].min(), (x[0].clone() * 0.0).sum()]
    })
    .unwrap()
    .graph;
    for at in [0, 3, 999] {
        for special in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut data = vec![1.0; 1000];
            data[at] = special;
            let x = Value::from_elements(&data, &[1000]).unwrap();
            support::check(&graph, &[x], 4.0, "special values");
        }
    }
}

#[test]
fn broadcasts_and_strides() {
    let types = [f32s(&[37, 53]), f32s(&[53]), f32s(&[37, 1]), f32s(&[53, 37])];
    check_fn("broadcast", &types, 8.0, |x| {
        vec![
            &x[0] + &x[1],
            &x[0] * &x[2] + x[3].transpose(),
            x[0].transpose().exp(),
            x[0].flip(1) - x[0].flip(0),
            x[0].slice_strided([1..36, 2..50], [3usize, 2]) * 2.0,
            x[0].reshape([53, 37]).transpose().tanh(),
            concat(&[x[0].clone(), x[3].transpose()], 0),
            x[0].pad([1, 2], [3, 4], 1.5),
            x[1].pad([7], [9], 0.0).sin(),
        ]
    });
    check_fn("small", &[f32s(&[2, 3]), f32s(&[3])], 8.0, |x| {
        vec![
            &x[0] + &x[1],
            x[0].transpose(),
            concat(&[x[0].clone(), x[0].flip(1)], 1),
            x[0].pad([1, 0], [0, 1], 2.0),
            (&x[0] * &x[1]).sum_axes([1]).exp(),
        ]
    });
}

#[test]
fn counting() {
    check_fn("iota", &[f32s(&[1000])], 4.0, |x| {
        let mut out = vec![linspace(-1.0, 2.0, 1000) * &x[0]];
        for dtype in DType::ALL.into_iter().filter(|d| d.is_number()) {
            out.push(iota(&ArrayType::new(dtype, [1000]), 0));
            out.push(iota(&ArrayType::new(dtype, [30, 20]), 1));
            out.push(iota(&ArrayType::new(dtype, [3, 2]), 0));
        }
        out
    });
}

#[test]
fn chains_of_functions() {
    for dtype in [DType::F32, DType::F64] {
        for n in [5, 16, 63, 512, 513, 1200] {
            check_fn(&format!("chain {dtype} {n}"), &[ArrayType::new(dtype, [n])], 32.0, |x| {
                let x = &x[0];
                let y = (x * 0.5 + 1.0).exp() * x.sin();
                let z = (y.tanh() + x.cos()) / (x.square() + 1.0).log1p().exp();
                let w = select(&x.gt(0.0), z.clone(), &y - 1.0);
                vec![y.clone(), w.erf(), (w + z).sum(), (x.square() + 0.1).pow(y)]
            });
        }
    }
}

#[test]
fn mixed_widths() {
    check_fn("mixed", &[f32s(&[1000]), ArrayType::new(DType::U8, [1000])], 8.0, |x| {
        let wide = x[0].cast(DType::F64).exp();
        let whole = (&x[0] * 10.0).cast(DType::I32);
        let mask = whole.gt(3);
        vec![
            wide.cast(DType::F32) + &x[0],
            select(&mask, wide.clone(), x[1].cast(DType::F64)),
            select(&wide.gt(1.0), whole.clone(), x[1].cast(DType::I32)),
            mask.clone(),
            mask.cast(DType::F32) * &x[0],
            whole.cast(DType::I64) * 3,
            whole.cast(DType::F32),
        ]
    });
}

#[test]
fn random_numbers() {
    for n in [1usize, 4, 100, 3000] {
        check_fn(&format!("normals {n}"), &[ArrayType::new(DType::U32, [2])], 16.0, |x| {
            let key = Key::from_data(x[0].clone());
            let (a, b) = key.split();
            vec![normal(a, [n]), b.bits(32, [n])]
        });
    }
}

#[test]
fn loops() {
    check_fn("carry", &[f32s(&[]), f32s(&[5])], 32.0, |x| {
        let last = fori_loop(20, (x[0].clone(), x[1].clone()), |_, (a, b)| {
            (&a * 0.5 + b.sum() * 0.01, b * 0.9 + a * 0.1)
        });
        vec![last.0, last.1]
    });
    for n in [3usize, 200] {
        check_fn(&format!("scan {n}"), &[f32s(&[]), f32s(&[n])], 64.0, |x| {
            let step = |c: Array, v: Array| {
                let next = (&c * 0.5 + v).tanh();
                (next.clone(), next * 2.0)
            };
            let (c, ys) = scan(x[0].clone(), x[1].clone(), step);
            let (d, zs) = scan_reverse(c.clone(), ys.clone(), step);
            vec![c, ys, d, zs]
        });
    }
}

#[test]
fn gradient_descent_in_a_loop() {
    check_fn("descent", &[f32s(&[200])], 256.0, |x| {
        let start = (x[0].mean(), x[0].sum() * 0.0);
        let (mu, s) = fori_loop(50, start, |_, (mu, s)| {
            let z = (&x[0] - &mu) / s.exp();
            let gmu = z.sum() / s.exp();
            let gs = z.square().sum() - 200.0;
            (mu + gmu * 1e-3, s + gs * 1e-3)
        });
        vec![mu, s]
    });
}

#[test]
fn linear_algebra() {
    for dtype in [DType::F32, DType::F64] {
        for n in [1usize, 2, 5, 16, 17, 40] {
            let t = |shape: &[usize]| ArrayType::new(dtype, shape);
            check_fn(&format!("matmul {dtype} {n}"), &[t(&[n, 33]), t(&[33, 7])], 256.0, |x| {
                vec![x[0].matmul(&x[1]), x[1].transpose().matmul(&x[0].transpose())]
            });
            check_fn(&format!("cholesky {dtype} {n}"), &[t(&[n, n]), t(&[n, 3])], 65536.0, |x| {
                let scaled = &x[0] * 0.2;
                let a = scaled.matmul(&scaled.transpose()) + probpipe_trace::eye(n).cast(dtype);
                let l = a.cholesky();
                let y = l.solve_triangular(&x[1]);
                let z = l.solve_triangular_with(&y, Triangular::lower().transposed());
                vec![l.clone(), y, z, (a * -1.0).cholesky()]
            });
        }
    }
    for dtype in [DType::I32, DType::U8, DType::U64] {
        let t = |shape: &[usize]| ArrayType::new(dtype, shape);
        check_fn(&format!("matmul {dtype}"), &[t(&[20, 30]), t(&[30, 25])], 0.0, |x| {
            vec![x[0].matmul(&x[1])]
        });
    }
}

#[test]
fn calls_from_several_threads() {
    let traced = trace(&[f32s(&[3000])], |x| vec![(x[0].exp() + 1.0).log().sum()]).unwrap();
    let executable = Cpu.compile(verify(&traced.graph).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for t in 0..4 {
            let executable = &executable;
            scope.spawn(move || {
                let x = Value::from_elements(&vec![t as f32 * 0.1; 3000], &[3000]).unwrap();
                let first = executable.run(&[&x]).unwrap();
                for _ in 0..200 {
                    assert!(executable.run(&[&x]).unwrap() == first);
                }
            });
        }
    });
}

#[test]
fn long_sums_are_accurate() {
    let n = 1 << 20;
    let sums = |dtype| {
        trace(&[ArrayType::new(dtype, [n])], |x| {
            vec![x[0].sum(), x[0].reshape([n / 4, 4]).sum_axes([0])]
        })
        .unwrap()
        .graph
    };
    let x = Value::from_elements(&vec![0.1f32; n], &[n]).unwrap();
    let out = Cpu.compile(verify(&sums(DType::F32)).unwrap()).unwrap().run(&[&x]).unwrap();
    let want = f64::from(0.1f32) * n as f64;
    close("", out[0].to_vec::<f32>().unwrap()[0], want, Tolerance::relative(1e-6));
    for column in out[1].to_vec::<f32>().unwrap() {
        close("", column, want / 4.0, Tolerance::absolute(want * 1e-6));
    }
    let x = Value::from_elements(&vec![0.1f64; n], &[n]).unwrap();
    let out = Cpu.compile(verify(&sums(DType::F64)).unwrap()).unwrap().run(&[&x]).unwrap();
    let want = 0.1 * n as f64;
    close("", out[0].to_vec::<f64>().unwrap()[0], want, Tolerance::relative(1e-14));
}

#[test]
fn wrong_inputs_are_refused() {
    let graph = trace(&[f32s(&[3])], |x| vec![&x[0] * 2.0]).unwrap().graph;
    let executable = Cpu.compile(verify(&graph).unwrap()).unwrap();
    let short = Value::from_elements(&[1.0f32], &[1]).unwrap();
    let error = executable.run(&[&short]).unwrap_err();
    says(&error, &["input 0 of a program is f32[3], not f32[1]"]);
    assert!(executable.run(&[]).is_err());
}

#[test]
fn stages_can_be_read() {
    let graph = trace(&[f32s(&[300])], |x| vec![x[0].exp()]).unwrap().graph;
    let stages = Cpu.compile(verify(&graph).unwrap()).unwrap().stages();
    let names: Vec<&str> = stages.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["program", "clif", "machine"]);
    assert!(stages[0].1.contains("exp") && stages[1].1.contains("call_indirect"));
}
