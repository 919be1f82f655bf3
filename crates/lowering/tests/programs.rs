//! Programs mean what their graphs mean, and are as few statements as they should be.

mod common;

use common::{check, traced};
use probpipe_lowering::{Options, Program, Stmt};
use probpipe_trace::{
    Array, ArrayType, DType, Key, Op, SpecialOp, Triangular, Value, arange, array, bind1, concat,
    cond, fori_loop, fori_loop_dynamic, normal, ones, scan, scan_reverse, select, stack, switch,
    while_loop, zeros,
};

fn f32s(shape: &[usize]) -> Value {
    let n: usize = shape.iter().product();
    let data: Vec<f32> = (0..n).map(|i| ((i * 37 + 11) % 23) as f32 / 7.0 - 1.5).collect();
    Value::from_elements(&data, shape).unwrap()
}

fn ty(shape: &[usize]) -> ArrayType {
    ArrayType::new(DType::F32, shape)
}

/// Checks a function of f32 arrays of the given shapes under several options.
#[track_caller]
fn agree(shapes: &[&[usize]], f: impl Fn(&[Array]) -> Vec<Array>) -> Program {
    let types: Vec<ArrayType> = shapes.iter().map(|s| ty(s)).collect();
    let values: Vec<Value> = shapes.iter().map(|s| f32s(s)).collect();
    let inputs: Vec<&Value> = values.iter().collect();
    let graph = traced(&types, |x| f(x));
    check(&graph, &inputs, &Options { guarded: 0, ..Options::default() });
    check(&graph, &inputs, &Options { library_matmul: None, kernel_eqns: 2, ..Options::default() });
    let all = Options { library_matmul: Some(1), library_matvec: Some(1), ..Options::default() };
    check(&graph, &inputs, &all);
    check(&graph, &inputs, &Options { contract: true, ..Options::default() });
    check(&graph, &inputs, &Options::default())
}

fn kernels(body: &[Stmt]) -> usize {
    body.iter()
        .map(|s| match s {
            Stmt::Kernel(_) => 1,
            Stmt::Library(_) => 0,
            Stmt::Loop(l) => kernels(&l.body),
            Stmt::While(w) => kernels(&w.cond) + kernels(&w.body),
            Stmt::Branch(b) => b.branches.iter().map(|body| kernels(body)).sum(),
        })
        .sum()
}

#[test]
fn elementwise_chains_are_one_kernel() {
    let p = agree(&[&[5, 3], &[3]], |x| {
        let y = (&x[0] * 2.0 + &x[1]).exp();
        vec![&y / (&y + 1.0), y.sum()]
    });
    assert_eq!(kernels(&p.body), 1, "{p}");
}

#[test]
fn unused_work_and_views_cost_nothing() {
    agree(&[&[4, 6]], |x| {
        let t = x[0].transpose().slice_axis(0, 1..5).flip(1);
        vec![&t + 1.0, t.reshape([2, 8]), x[0].reshape([24]) * 2.0, x[0].clone(), x[0].clone()]
    });
}

#[test]
fn reductions_over_any_axes() {
    agree(&[&[3, 4, 5]], |x| {
        let x = &x[0];
        vec![
            x.sum(),
            x.sum_axes([0]),
            x.max_axes([1]),
            x.min_axes([0, 2]),
            (x - x.mean_axes([2]).expand_dims(2)).square().sum_axes([2]),
            x.prod_axes([1, 2]),
            x.gt(0.0).any_axes([0]),
            x.expand_dims(0).sum_axes([0]),
        ]
    });
}

#[test]
fn softmax_needs_three_kernels() {
    let p = agree(&[&[7, 9]], |x| {
        let x = &x[0];
        let e = (x - x.max_axes([1]).expand_dims(1)).exp();
        vec![&e / e.sum_axes([1]).expand_dims(1)]
    });
    assert!(kernels(&p.body) <= 3, "{p}");
}

#[test]
fn empty_and_scalar_arrays() {
    agree(&[&[0, 3], &[]], |x| {
        vec![
            x[0].sum(),
            x[0].sum_axes([0]),
            x[0].max_axes([0]),
            &x[1] * 2.0,
            concat(&[x[0].clone(), zeros([2, 3])], 0),
            &x[0] + &x[1],
        ]
    });
}

#[test]
fn joins_and_pads_in_pieces_and_guarded() {
    agree(&[&[2, 3], &[4, 3], &[3]], |x| {
        let joined = concat(&[x[0].clone(), &x[1] * 2.0, x[0].clone()], 0);
        let stacked = stack(&[x[2].clone(), &x[2] + 1.0], 1);
        vec![
            &joined + 1.0,
            joined.sum_axes([0]),
            stacked,
            x[0].pad([1, 0], [0, 2], 7.0) * &x[2].sum(),
            concat(&[arange(3), arange(2)], 0).cast(DType::F32),
        ]
    });
}

#[test]
fn reshapes_of_views_are_laid_out_anew() {
    agree(&[&[4, 6]], |x| {
        let t = x[0].transpose();
        let flat = t.reshape([24]);
        vec![&flat * 2.0, flat.reshape([2, 3, 4]).sum_axes([1]), t.reshape([3, 8]).reshape([24])]
    });
}

#[test]
fn contractions_as_kernels_and_as_calls() {
    agree(&[&[3, 4], &[4, 5], &[4], &[2, 3, 4], &[2, 4, 3]], |x| {
        vec![
            x[0].matmul(&x[1]),
            x[0].transpose().matmul(&x[0]),
            x[0].dot(&x[2]),
            x[2].dot(&x[1]),
            x[2].dot(&x[2]),
            x[3].matmul(&x[4]),
            x[3].matmul(&x[1]),
            x[2].outer(&x[2]),
            (&x[0] + 1.0).matmul(&(&x[1] * 2.0)).sum(),
        ]
    });
}

#[test]
fn linear_algebra_calls() {
    agree(&[&[2, 3, 3], &[2, 3, 2]], |x| {
        let spd = x[0].matmul(&x[0].swap_axes(-1, -2)) + probpipe_trace::eye(3) * 3.0;
        let l = spd.cholesky();
        let solved = l.solve_triangular(&x[1]);
        vec![
            l.solve_triangular_with(&solved, Triangular::lower().transposed()),
            l.at(1),
            solved.at_axis(2, 0),
        ]
    });
}

#[test]
fn decomposition_calls() {
    agree(&[&[2, 3, 3], &[3, 2]], |x| {
        let a = &x[0] + probpipe_trace::eye(3) * 4.0;
        let (q, r) = a.slice_axis(-1, 0..2).qr();
        let (w, _) = a.at(0).eigh();
        vec![a.solve(&x[1]), a.swap_axes(-1, -2).det(), q, r.at(1), w, a.svdvals() * 2.0]
    });
}

#[test]
fn random_numbers_fuse() {
    let p = agree(&[&[]], |x| vec![(normal(Key::new(42), [100]) + &x[0]).square().sum()]);
    assert_eq!(kernels(&p.body), 1, "{p}");
}

#[test]
fn special_functions_are_calls_or_expressions() {
    let values = [f32s(&[7]), f32s(&[7])];
    let graph = traced(&[ty(&[7]), ty(&[7])], |x| {
        let p =
            bind1(Op::Special(SpecialOp::Gammainc { order: 1 }), &[&(&x[0] + 3.0), &x[1].exp()]);
        vec![(&p * 2.0).sum(), p]
    });
    let inputs: Vec<&Value> = values.iter().collect();
    let calls = |program: &Program| {
        program.body.iter().filter(|stmt| matches!(stmt, Stmt::Library(_))).count()
    };
    assert_eq!(calls(&check(&graph, &inputs, &Options::default())), 1);
    let inline = Options { special_inline: true, ..Options::default() };
    let program = check(&graph, &inputs, &inline);
    assert_eq!((calls(&program), kernels(&program.body)), (0, 1), "{program}");
    assert!(program.to_string().contains("gammainc[1]"), "{program}");
}

#[test]
fn loops_carry_in_place_and_swap() {
    let p = agree(&[&[2], &[]], |x| {
        vec![fori_loop(7, x[0].clone(), |i, p| &p * 0.5 + i.cast(DType::F32))]
    });
    assert_eq!(kernels(&p.body), 2, "initial copy and one step\n{p}");
    agree(&[&[3], &[3]], |x| {
        let (a, b) = fori_loop(5, (x[0].clone(), x[1].clone()), |_, (a, b)| (b, a));
        let (c, d) = fori_loop(4, (x[0].clone(), x[1].clone()), |_, (c, d)| (&c + &d, c));
        let e = fori_loop(3, x[0].clone(), |_, e| e.flip(0) + 1.0);
        let (f, g) = fori_loop(0, (x[0].clone(), x[1].clone()), |_, (f, g)| (g, f));
        let h = fori_loop(3, x[0].clone(), |_, h| &h - h.sum());
        vec![a, b, c, d, e, f, g, h]
    });
}

#[test]
fn scans_stack_reverse_and_nest() {
    agree(&[&[6, 2], &[2], &[]], |x| {
        let step = |c: Array, v: Array| {
            let next = &c * 0.5 + &v * &x[2];
            (next.clone(), (next.sum(), select(&v.gt(0.0), &c, 0.0)))
        };
        let (c, (s, t)) = scan(x[1].clone(), x[0].clone(), step);
        let (d, (u, w)) = scan_reverse(x[1].clone(), x[0].clone(), step);
        let (e, y) = scan(x[1].clone(), x[0].slice_axis(0, 1..5).flip(0), |c, row| {
            let (inner, ys) = scan(row.sum(), c.clone(), |s, v| (&s + &v, s * v));
            (&c + &inner, ys.reshape([2, 1]))
        });
        let (_, z) = scan((), arange(4), |_, i| ((), i.cast(DType::F32) * 2.0));
        vec![c, s, t, d, u, w, e, y, z]
    });
}

#[test]
fn a_carry_read_after_its_update_keeps_its_old_value() {
    agree(&[&[4]], |x| {
        let (a, b) = fori_loop(3, (x[0].clone(), x[0].sum()), |_, (a, b)| {
            let next = &a * 0.9 + &b;
            let total = next.sum() + a.flip(0).dot(&next);
            (next, total)
        });
        vec![a, b]
    });
}

#[test]
fn constants_and_indices_reach_calls_and_loops() {
    agree(&[&[3]], |x| {
        let table = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let (_, rows) = scan((), table.clone(), |_, row| ((), row * &x[0]));
        let (_, fixed) = scan((), ones([2, 3]), |_, row| ((), row + &x[0]));
        vec![rows, fixed, table.dot(&x[0]), table.matmul(&table.transpose())]
    });
}

#[test]
fn conditional_loops_and_branches() {
    agree(&[&[3], &[]], |x| {
        // Until the sum is large; a carry that swaps, one that is read after its update, a count.
        let (a, b, i) = while_loop(
            |(a, _, i): (Array, Array, Array)| a.sum().lt(20.0) & i.lt(30),
            |(a, b, i)| {
                let next = &a.flip(0) * 1.3 + 0.4;
                (next, &a * 0.5 + &b, i + 1)
            },
            (x[0].abs(), x[0].clone(), array(0)),
        );
        let never = while_loop(|c: Array| c.gt(1e9), |c| c + 1.0, x[1].clone());
        let counted = fori_loop_dynamic(0, &i, x[1].clone(), |i, c| c + i.cast(DType::F32));
        let pick = |i: &Array| {
            switch(
                i,
                (x[0].clone(), x[1].clone()),
                (
                    |(v, s): (Array, Array)| (&v + &s, v.sum()),
                    |(v, _): (Array, Array)| (v.flip(0), array(2.0)),
                    |(v, s): (Array, Array)| (v, &s * 2.0 + &x[0].sum()),
                ),
            )
        };
        let (p, q) = pick(&(&i - 1000));
        let (r, s) = pick(&array([1, 1]).sum());
        let (t, u) = pick(&(&i * 1000));
        vec![a, b, i, never, counted, p, q, r, s, t, u]
    });
}

#[test]
fn control_nests_and_shares_memory() {
    agree(&[&[4], &[3, 3]], |x| {
        // A switch in a scan in a while in a branch, with arrays that live across each.
        let early = (&x[1] * 2.0).matmul(&x[1]);
        let y = cond(
            &x[0].sum().lt(100.0),
            x[0].clone(),
            |v| {
                let big = x[1].matmul(&early);
                let (v, _) = while_loop(
                    |(_, i): (Array, Array)| i.lt(3),
                    |(v, i)| {
                        let (v, parts) = scan(v, arange(4), |v, k| {
                            let v = switch(
                                &(&k + &i),
                                v,
                                (|v: Array| v * 0.5, |v: Array| &v + big.sum(), |v: Array| v.sin()),
                            );
                            (v.clone(), v.sum() + k.cast(DType::F32))
                        });
                        (&v + parts.sum() * 0.1, i + 1)
                    },
                    (v, array(0)),
                );
                v + big.sum()
            },
            |v| v.exp(),
        );
        let state = fori_loop(5, (x[0].clone(), x[0].sum()), |i, (v, s)| {
            let v = cond(&s.gt(0.0), v, |v| v.flip(0) - 0.5, |v| &v * &v);
            (v.clone(), &s - v.sum() + i.cast(DType::F32))
        });
        vec![y, early.sum_axes([0]), state.0, state.1]
    });
}

#[test]
fn branches_write_carries_where_they_lie() {
    // One of two large arrays grows, now and then they give way; what a branch does not change it
    // does not touch.
    let p = agree(&[&[8, 8], &[8], &[]], |x| {
        let start = (x[0].clone(), &x[0] * 0.5);
        let step = |i: Array, (old, new): (Array, Array)| {
            switch(
                &(&i % 3),
                (old, new, &x[1] + i.cast(DType::F32)),
                (
                    |(old, new, _): (Array, Array, Array)| (old, new),
                    |(old, new, row): (Array, Array, Array)| (old, new + row),
                    |(_, new, row): (Array, Array, Array)| {
                        let next = &new * 0.0 + row;
                        (new, next)
                    },
                ),
            )
        };
        let (old, new) = fori_loop(8, start, step);
        vec![old, new]
    });
    let Some(Stmt::Loop(l)) = p.body.iter().find(|s| matches!(s, Stmt::Loop(_))) else {
        panic!("{p}")
    };
    let Some(Stmt::Branch(branch)) = l.body.iter().find(|s| matches!(s, Stmt::Branch(_))) else {
        panic!("{p}")
    };
    let kernels: Vec<usize> = branch.branches.iter().map(|body| kernels(body)).collect();
    assert_eq!(kernels[..2], [0, 1], "{p}");
    let Some(Stmt::Branch(_)) = l.body.last() else { panic!("copies after the branches\n{p}") };
}

#[test]
fn branches_that_read_what_they_write_keep_the_old() {
    agree(&[&[4], &[4, 4], &[]], |x| {
        let step = |i: Array, (a, m, k): (Array, Array, Array)| {
            // Swaps, turns round, reads the whole of what is written, and chooses by a carry.
            let (a, b) = cond(
                &k.lt(3),
                (a.clone(), &a + 1.0, a.flip(0)),
                |(a, b, c)| (c, &a + &b),
                |(a, b, c)| (&a * a.sum() * 0.01 + &c, b),
            );
            let m = switch(
                &k,
                (m.clone(), m.transpose()),
                (
                    |(m, t): (Array, Array)| &m + &t,
                    |(m, t): (Array, Array)| m.matmul(&t) * 0.1,
                    |(_, t): (Array, Array)| t,
                    |(m, _): (Array, Array)| {
                        m.at_indices([&array(0), &array(1)]).set(7.0) - m.at(1)
                    },
                ),
            );
            let k = switch(
                &k,
                (k.clone(), i),
                (
                    |(k, _): (Array, Array)| k + 1,
                    |(_, i): (Array, Array)| i + 1,
                    |(k, _): (Array, Array)| &k + &k - 1,
                    |(k, _): (Array, Array)| k - 3,
                ),
            );
            (a + &b * 0.1, m, k)
        };
        let (a, m, k) = fori_loop(9, (x[0].clone(), x[1].clone(), array(0)), step);
        vec![a, m, k]
    });
}

/// Points of all kernels, each as often as `turns` says that a loop around it runs.
fn points(body: &[Stmt], turns: usize) -> usize {
    let count = |s: &Stmt| match s {
        Stmt::Kernel(k) => turns * k.parallel.iter().chain(&k.reduce).product::<usize>(),
        Stmt::Library(_) => 0,
        Stmt::Loop(l) => points(&l.body, turns * l.length),
        Stmt::While(w) => points(&w.cond, turns) + points(&w.body, turns),
        Stmt::Branch(b) => b.branches.iter().map(|body| points(body, turns)).sum(),
    };
    body.iter().map(count).sum()
}

#[test]
fn a_step_scatters_into_its_carry_in_place() {
    // One row of a table per step: the table is copied once, before the loop.
    let p = agree(&[&[50, 8]], |x| {
        vec![fori_loop(6, x[0].clone(), |i, table| {
            let row = table.index((&i,)).sin();
            table.at_indices([&i]).set(row)
        })]
    });
    assert!(points(&p.body, 1) < 2 * 400, "{p}");
    // The same in a conditional loop.
    let p = agree(&[&[50, 8]], |x| {
        let (_, table) = while_loop(
            |(i, _): (Array, Array)| i.lt(6),
            |(i, table)| (&i + 1, table.at_indices([&i]).add(ones([8]) * &i.cast(DType::F32))),
            (array(0), x[0].clone()),
        );
        vec![table]
    });
    assert!(points(&p.body, 1) < 2 * 400, "{p}");
    // What is read of the table as it was keeps it: by the updates, by another result.
    agree(&[&[50, 8]], |x| {
        let (a, b) = fori_loop(3, (x[0].clone(), x[0].clone()), |i, (table, other)| {
            let rows = table.slice_axis(0, 1..3).sum_axes([0]);
            let next = &i + 1;
            let new = table.at_indices([&next]).add(rows);
            (new.clone(), other + table.flip(0) + new)
        });
        vec![a, b]
    });
}
