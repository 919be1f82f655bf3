//! Programs with 64-bit integers against the interpreter: where they lie in memory, in variables
//! and between the two, in loops and branches, sorted, scattered, gathered and passed on.

mod common;

use common::{adapter_or_skip, check, distance, graph_of, longs};
use probpipe_backend_gpu::wgsl::{Target, element_bytes};
use probpipe_lowering::{Options, lower};
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, Backend, CumulativeOp, DType, Executable, Op, ScatterOp, Value, arange,
    array, bind, bind1, concat, cond, fori_loop, scan, select, verify, while_loop, zeros,
};

fn values(n: usize, seed: u64, shape: &[usize]) -> Value {
    Value::from_elements(&longs(n, seed), shape).expect("the shape fits")
}

/// From few numbers that differ in their high words, in their low ones, or in both.
fn few(n: usize, seed: u64) -> Vec<i64> {
    let of = |v: i64| [-1, 0, 1, 1 << 32, -(1 << 32), (1 << 32) + 1, i64::MIN][v as usize % 7];
    longs(n, seed).into_iter().map(|v| of(v & 0xff)).collect()
}

fn places(n: usize, low: i32, span: i64, seed: u64) -> Vec<i32> {
    longs(n, seed).into_iter().map(|v| low + (v.rem_euclid(span)) as i32).collect()
}

#[test]
fn running_reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    for shape in [&[1][..], &[5], &[3, 7, 2], &[2, 300], &[0, 4], &[30_000]] {
        let x = values(shape.iter().product(), 1, shape);
        for axis in 0..shape.len() {
            check(&gpu, 0.0, std::slice::from_ref(&x), |v| {
                let mut out = Vec::new();
                for x in [&v[0] | 1i64, v[0].cast(DType::U64)] {
                    for (op, reverse) in
                        CumulativeOp::ALL.into_iter().zip([false, true, true, false])
                    {
                        out.push(bind1(Op::Cumulative { op, axis, reverse }, &[&x]));
                        out.push(bind1(Op::Cumulative { op, axis, reverse: !reverse }, &[&x]));
                    }
                }
                out
            });
        }
    }
}

#[test]
fn sorts() {
    let Some(gpu) = adapter_or_skip() else { return };
    for shape in [&[1][..], &[7], &[64], &[65], &[1000], &[3, 200, 2], &[0, 3], &[5003]] {
        let n: usize = shape.iter().product();
        let x = Value::from_elements(&few(n, 2), shape).expect("the shape fits");
        let y = values(n, 3, shape);
        for axis in 0..shape.len() {
            let sort = |num_keys| Op::Sort { axis, num_keys };
            check(&gpu, 0.0, &[x.clone(), y.clone()], |v| {
                let (x, y) = (&v[0], &v[1]);
                let (u, b) = (x.cast(DType::U64), y.gt(array(0i64)));
                let f = x.cast(DType::F32);
                let mut out = bind(sort(1), &[y]).to_vec();
                out.extend(bind(sort(1), &[x, y]).to_vec());
                out.extend(bind(sort(1), &[&u, x, &f]).to_vec());
                out.extend(bind(sort(3), &[&b, &u, y]).to_vec());
                out.extend(bind(sort(2), &[&f, y]).to_vec());
                out.push(x.argsort(axis as isize));
                out
            });
        }
    }
    check(&gpu, 0.0, &[values(300, 4, &[3, 100])], |v| {
        let (top, at) = v[0].top_k(5);
        vec![top, at]
    });
}

#[test]
fn scatters_and_gathers() {
    let Some(gpu) = adapter_or_skip() else { return };
    // Extents of batch and indexed axis, tuples, rest.
    for [b, m, count, rest] in
        [[1, 5, 1, 1], [2, 4, 9, 2], [1, 3, 128, 3], [2, 3, 129, 2], [1, 50, 3000, 1], [1, 4, 0, 2]]
    {
        let i = Value::from_elements(&places(b * count, -1, m as i64 + 2, 5), &[b, count]).unwrap();
        let x = values(b * m * rest, 6, &[b, m, rest]);
        let u = values(b * count * rest, 7, &[b, count, rest]);
        check(&gpu, 0.0, &[i, x, u], |v| {
            let (i, x, u) = (&v[0], &v[1], &v[2]);
            let mut out = Vec::new();
            for op in ScatterOp::ALL {
                let scatter = Op::Scatter { op, batch: 1 };
                out.push(bind1(scatter.clone(), &[x, i, u]));
                let unsigned = [&x.cast(DType::U64), i, &u.cast(DType::U64)];
                out.push(bind1(scatter, &unsigned));
            }
            out.push(x.at_axis(0, 0).at_indices([&i.at_axis(0, 0)]).get());
            out
        });
    }
    // Places that are 64-bit integers themselves, also such as only their low words are inside.
    let at = Value::from_elements(&[0i64, 3, -1, 6, 7, 1 << 32, -(1 << 40), 2], &[8]).unwrap();
    check(&gpu, 0.0, &[at, values(7, 8, &[7])], |v| {
        let (at, x) = (&v[0], &v[1]);
        vec![x.take(at, 0), x.at_indices([at]).get(), x.at_indices([at]).add(array(5i64))]
    });
}

#[test]
fn constants_and_relayouts() {
    let Some(gpu) = adapter_or_skip() else { return };
    let data = longs(300, 9);
    check(&gpu, 0.0, &[values(24, 10, &[2, 3, 4]), values(300, 11, &[300])], |x| {
        let a = &x[0];
        let table = Array::from_slice(&data, [300]);
        vec![
            a.swap_axes(0, 2),
            a.flip(1).slice_axis(2, 1..3),
            a.pad([1, 0, 0], [0, 2, 1], -7i64),
            concat(&[a.clone(), a.flip(2)], 1),
            &x[1] + &table,
            table.clone(),
            table.slice_axis(0, 7..20),
            select(&x[1].gt(array(0i64)), &x[1], &table),
        ]
    });
}

#[test]
fn loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    let seed = Value::from_elements(&[88_172_645_463_325_252u64], &[]).unwrap();
    // Numbers in variables, one and several.
    check(&gpu, 0.0, &[seed, values(5, 12, &[5])], |x| {
        let (last, all) = scan(x[0].clone(), arange(50), |s, _| {
            let s = &s ^ (&s << 13u64);
            let s = &s ^ (&s >> 7u64);
            let s = &s ^ (&s << 17u64);
            (s.clone(), s)
        });
        let swapped = fori_loop(7, (x[1].clone(), x[1].flip(0)), |i, (a, b)| {
            (&b * 3, a + i.cast(DType::I64))
        });
        let power = fori_loop(60, array(1i64), |_, p| p * 3);
        vec![last, all, swapped.0, swapped.1, power]
    });
    // An invocation per lane, with registers and stacked results.
    check(&gpu, 0.0, &[values(600, 13, &[300, 2]), values(1, 14, &[])], |x| {
        let ((q, n), all) = scan((x[0].clone(), x[1].clone()), arange(10), |(q, n), t| {
            let q = &q * 5 + t.cast(DType::I64) + &n;
            let sum = q.sum_axes([1]);
            ((q, n + 1), sum)
        });
        vec![q, n, all]
    });
    // Steps that read all of the last, which the host counts.
    check(&gpu, 0.0, &[values(5000, 15, &[5000])], |x| {
        vec![fori_loop(4, x[0].clone(), |i, q| q.flip(0) + q.sum() * (i.cast(DType::I64) + 1))]
    });
    check(&gpu, 0.0, &[values(40, 16, &[20, 2])], |v| {
        let step = |i: Array, x: Array| {
            let row = x.at_indices([&i.reshape([1])]).get() * 3;
            let next = (i + 1).reshape([1]);
            bind1(Op::Scatter { op: ScatterOp::Set, batch: 0 }, &[&x, &next, &row])
        };
        vec![fori_loop(19, v[0].clone(), step)]
    });
}

#[test]
fn conditions() {
    let Some(gpu) = adapter_or_skip() else { return };
    for n in [1usize, 3000] {
        check(&gpu, 0.0, &[values(n, 17, &[n])], |x| {
            // Collatz's, by the largest of them.
            let start = x[0].abs() % 1000 + 1;
            let (v, steps) = while_loop(
                |(v, _): (Array, Array)| v.max().gt(array(1i64)),
                |(v, steps)| {
                    let odd = (&v & 1i64).eq(array(1i64));
                    let next = select(&odd, &(&v * 3 + 1), &(&v >> 1i64));
                    (select(&v.gt(array(1i64)), &next, &v), steps + 1)
                },
                (start, array(0i64)),
            );
            let branch = cond(
                &x[0].at(0).gt(array(0i64)),
                x[0].clone(),
                |x: Array| &x * 2,
                |x: Array| x - array(9i64),
            );
            vec![v, steps, branch]
        });
    }
}

/// Each iteration of a loop an invocation, with its own copies in variables or in memory.
#[test]
fn iterations_apart() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (n, size) in [(3, 2), (100, 2), (100, 90)] {
        let x = [values(n * size, 18, &[n, size]), values(size, 19, &[size])];
        let f = |x: &[Array]| {
            let shift = x[1].clone();
            let (_, (ends, counts, lists)) = scan((), x[0].clone(), |(), v: Array| {
                let (v, i, list) = while_loop(
                    |(v, i, _): (Array, Array, Array)| v.max().gt(array(1000i64)) & i.lt(30),
                    |(v, i, list)| {
                        let v = (v.flip(0) >> 2i64) + (&shift & 7i64);
                        let list = list.at_indices([&i]).set(v.sum());
                        (v, i + 1, list)
                    },
                    (v, array(0), zeros([30]).cast(DType::I64)),
                );
                ((), (concat(&[v.clone(), v.cumsum(0)], 0), i, list))
            });
            vec![ends, counts, lists]
        };
        check(&gpu, 0.0, &x, f);
        let types: Vec<ArrayType> = x.iter().map(|v| v.ty().clone()).collect();
        let graph = graph_of(&types, f);
        let options = Options { element_bytes, ..Options::default() };
        let program = lower(verify(&graph).unwrap(), &options).unwrap();
        let target = Target { rounds: 1 << 24, ..*gpu.target() };
        let program = gpu.written_for(target).load(program).expect("is loaded");
        let text = &program.stages()[1].1;
        assert!(text.contains("var<private>"));
        // Copies side by side in the arena, two words each.
        assert!(text.contains(&format!(") * {n} + t")), "{text}");
        let inputs: Vec<&Value> = x.iter().collect();
        let want = eval_graph(&graph, &inputs).unwrap();
        for (want, got) in want.iter().zip(&program.run(&inputs).unwrap()) {
            assert!(distance(want, got).into_iter().all(|far| far == 0.0), "{want:?}\n{got:?}");
        }
    }
}

#[test]
fn more_arrays_than_a_shader_binds() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = gpu.target().storage_buffers + 5;
    let inputs: Vec<Value> = (0..n as u64)
        .map(|i| match i % 2 {
            0 => values(1000, i, &[1000]),
            _ => values(1, i, &[]),
        })
        .collect();
    check(&gpu, 0.0, &inputs, |x| {
        let sum = x.iter().skip(1).fold(x[0].clone(), |sum, x| sum + x);
        vec![sum.gt(array(0i64)), sum.sum(), sum.cast(DType::F32), x[3].clone(), sum.cumsum(0)]
    });
}

#[test]
fn arrays_go_there_and_back() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 1 << 19;
    let list = longs(n, 20);
    let value = Value::from_elements(&list, &[n]).unwrap();
    let mut x = gpu.put(&value).expect("there is room");
    assert_eq!(x.to_vec::<i64>().unwrap(), list);
    let graph = graph_of(&[ArrayType::new(DType::I64, [n])], |x| vec![&x[0] * 5 + 1]);
    let program = gpu.compile(verify(&graph).unwrap()).expect("it compiles");
    assert!(program.reuses());
    let mut want = list;
    for _ in 0..3 {
        x = program.run_taking([x].into_iter().collect()).expect("it runs").remove(0);
        want.iter_mut().for_each(|v| *v = v.wrapping_mul(5).wrapping_add(1));
    }
    assert_eq!(x.to_vec::<i64>().unwrap(), want);
}
