//! Branches and conditional loops under every transform: values, derivatives against closed forms
//! and finite differences, batches against single calls, and loops of any length backwards.

use probpipe_testing::{self as testing, Tolerance};
use probpipe_trace::{
    Array, DType, ScanOptions, arange, array, associative_scan, cond, fori_loop, fori_loop_dynamic,
    map, scan, select, stack, switch, while_loop,
};
use probpipe_transforms::{grad, hessian, jacfwd, jacrev, jit, jvp, vjp, vmap};

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn number(x: f64) -> Array {
    Array::from_slice(&[x], ())
}

#[track_caller]
fn close_to(have: &Array, want: &[f64], tolerance: f64) {
    testing::close("", have, want, Tolerance::mixed(tolerance));
}

#[track_caller]
fn close(got: &Array, want: &[f64]) {
    close_to(got, want, 1e-10);
}

/// Newton's method for the square root, until it changes no more.
fn newton_sqrt(a: Array) -> Array {
    let (root, _) = while_loop(
        |(_, gap): (Array, Array)| gap.gt(1e-14),
        |(x, _)| {
            let next = (&x + &a / &x) * 0.5;
            let gap = ((&next - &x) / &next).abs();
            (next, gap)
        },
        (&a * 0.5 + 0.5, array(1.0).cast(a.dtype())),
    );
    root
}

/// Multiplies by `a` until above a limit.
fn grow(x: Array, a: Array) -> Array {
    while_loop(|x: Array| x.lt(100.0), |x| &x * &a, x)
}

/// Central differences of a function of one number.
fn slope(f: impl Fn(Array) -> Array, x: f64) -> f64 {
    testing::slope(|x| f(number(x)).item::<f64>().unwrap(), x)
}

#[test]
fn branches_differentiate() {
    let f = |x: Array| cond(&x.gt(1.0), x.clone(), |x| x.square() * 3.0, |x| x.sin());
    for x in [0.3f64, 2.5] {
        let want = if x > 1.0 { 6.0 * x } else { x.cos() };
        close(&grad(f)(number(x)), &[want]);
        close(&jvp(f, number(x), number(1.0)).1, &[want]);
        close(&jit(grad(f))(number(x)), &[want]);
        let want = if x > 1.0 { 6.0 } else { -x.sin() };
        close(&hessian(f)(number(x)), &[want]);
        close(&grad(grad(f))(number(x)), &[want]);
    }
    // Captures, several operands, a tree of results; a branch that ignores its operand.
    let pick = |i: i32| {
        move |(a, b): (Array, Array)| {
            let (p, q) = switch(
                &array(i),
                (a.clone(), b.clone()),
                (
                    |(a, b): (Array, Array)| (&a * &b, a.exp()),
                    |(_, b): (Array, Array)| (b.powi(3), array(1.0).cast(DType::F64)),
                    |(a, _): (Array, Array)| (&a * &b.sin(), &a * &b),
                ),
            );
            p * 2.0 + q
        }
    };
    let (a, b) = (0.7f64, 1.3f64);
    let wants = [
        (2.0 * b + a.exp(), 2.0 * a),
        (0.0, 6.0 * b * b),
        (2.0 * b.sin() + b, 2.0 * a * b.cos() + a),
    ];
    for (i, which) in [(-5, 0), (0, 0), (1, 1), (2, 2), (9, 2)] {
        let (da, db) = grad(pick(i))((number(a), number(b)));
        close(&da, &[wants[which].0]);
        close(&db, &[wants[which].1]);
        let (da, db) = jit(grad(pick(i)))((number(a), number(b)));
        close(&da, &[wants[which].0]);
        close(&db, &[wants[which].1]);
    }
}

#[test]
fn a_branch_that_is_not_taken_is_not_run() {
    // Would take about 2^63 steps.
    let forever = |x: Array| {
        let (_, x) = while_loop(
            |(i, _): (Array, Array)| i.ge(0),
            |(i, x)| (i + 1, x.sin()),
            (array(0).cast(DType::I64), x),
        );
        x
    };
    let f = |x: Array| cond(&x.gt(0.0), x, |x| &x * 2.0, forever);
    close(&f(number(3.0)), &[6.0]);
    close(&jit(f)(number(3.0)), &[6.0]);
    close(&grad(f)(number(3.0)), &[2.0]);
    close(&vmap(f)(f64s(&[1.0, 2.0])), &[2.0, 4.0]);
    close(&jit(vmap(grad(f)))(f64s(&[1.0, 2.0])), &[2.0, 2.0]);
    close(&vmap(vmap(f))(f64s(&[1.0, 2.0]).reshape([2, 1])), &[2.0, 4.0]);
}

#[test]
fn batched_branches() {
    let f = |x: Array| {
        switch(
            &x.floor().cast(DType::I32),
            x,
            (|x: Array| x.sqrt(), |x: Array| &x * &x, |x: Array| (x - 2.0).log()),
        )
    };
    let xs = [0.25f64, 1.5, 2.5, 0.5, 7.0];
    let want: Vec<f64> = xs
        .iter()
        .map(|x| {
            if *x < 1.0 {
                x.sqrt()
            } else if *x < 2.0 {
                x * x
            } else {
                (x - 2.0).ln()
            }
        })
        .collect();
    let slopes: Vec<f64> = xs
        .iter()
        .map(|x| {
            if *x < 1.0 {
                0.5 / x.sqrt()
            } else if *x < 2.0 {
                2.0 * x
            } else {
                1.0 / (x - 2.0)
            }
        })
        .collect();
    close(&vmap(f)(f64s(&xs)), &want);
    close(&jit(vmap(f))(f64s(&xs)), &want);
    close(&vmap(grad(f))(f64s(&xs)), &slopes);
    close(&jit(vmap(grad(f)))(f64s(&xs)), &slopes);
    // The branch not taken has no derivative at the points of the others.
    close(&grad(|x: Array| vmap(f)(x).sum())(f64s(&xs)), &slopes);
    close(&jit(grad(|x: Array| vmap(f)(x).sum()))(f64s(&xs)), &slopes);
    // Two axes of lanes, an index that is common to one of them.
    let g = |(i, x): (Array, Array)| vmap(|x: Array| cond(&i.gt(0), x, |x| x.exp(), |x| -x))(x);
    let grid = f64s(&[1.0, 2.0, 3.0, 4.0]).reshape([2, 2]);
    let got = vmap(g)((array([0, 1]), grid));
    close(&got, &[-1.0, -2.0, 3f64.exp(), 4f64.exp()]);
}

#[test]
fn conditional_loops_differentiate() {
    for a in [0.3, 2.0, 50.0] {
        close(&newton_sqrt(number(a)), &[a.sqrt()]);
        // The derivative trails the value by a step, which the tolerance of the loop covers.
        close_to(&grad(newton_sqrt)(number(a)), &[0.5 / a.sqrt()], 1e-9);
        close_to(&jvp(newton_sqrt, number(a), number(1.0)).1, &[0.5 / a.sqrt()], 1e-9);
        close_to(&jit(grad(newton_sqrt))(number(a)), &[0.5 / a.sqrt()], 1e-9);
    }
    for x in [0.7f64, 99.0, 250.0] {
        let k = if x < 100.0 { ((100.0 / x).ln() / 1.5f64.ln()).ceil() } else { 0.0 };
        let (dx, da) = grad(|(x, a): (Array, Array)| grow(x, a))((number(x), number(1.5)));
        close(&dx, &[1.5f64.powf(k)]);
        close(&da, &[x * k * 1.5f64.powf(k - 1.0)]);
        let f = |a: Array| grow(number(x), a);
        testing::close("slope", &da, slope(f, 1.5), Tolerance::absolute(1e-3));
    }
}

#[test]
fn second_derivatives_of_loops() {
    let f = |x: Array| {
        // x^(2^k) with k from the data.
        let (y, _) = while_loop(
            |(y, _): (Array, Array)| y.lt(1e3),
            |(y, i)| (&y * &y, i + 1),
            (x, array(0)),
        );
        y
    };
    // 1.7^16 = 4866
    let (x, k) = (1.7f64, 16.0f64);
    let second = k * (k - 1.0) * x.powf(k - 2.0);
    close(&f(number(x)), &[x.powf(k)]);
    close(&grad(f)(number(x)), &[k * x.powf(k - 1.0)]);
    close(&hessian(f)(number(x)), &[second]);
    close(&grad(grad(f))(number(x)), &[second]);
    close(&jacfwd(grad(f))(number(x)), &[second]);
    close(&jacrev(jacfwd(f))(number(x)), &[second]);
    close(&jit(grad(grad(f)))(number(x)), &[second]);
    let third = second / x * (k - 2.0);
    close(&grad(grad(grad(f)))(number(x)), &[third]);
    let h = hessian(|x: Array| grow(x.at(0), x.at(1)))(f64s(&[0.7, 1.5]));
    let (x, a, k) = (0.7, 1.5f64, 13.0);
    let mixed = k * a.powf(k - 1.0);
    close(&h, &[0.0, mixed, mixed, x * k * (k - 1.0) * a.powf(k - 2.0)]);
}

#[test]
fn lanes_stop_at_different_steps() {
    let xs = [0.5, 150.0, 3.0, 99.0, 20.0];
    let a = 1.5f64;
    let steps: Vec<f64> =
        xs.iter().map(|x: &f64| ((100.0 / x).ln() / a.ln()).ceil().max(0.0)).collect();
    let want: Vec<f64> = xs.iter().zip(&steps).map(|(x, k)| x * a.powf(*k)).collect();
    let slopes: Vec<f64> = steps.iter().map(|k| a.powf(*k)).collect();
    let f = |x: Array| grow(x, number(a));
    close(&vmap(f)(f64s(&xs)), &want);
    close(&jit(vmap(f))(f64s(&xs)), &want);
    close(&vmap(grad(f))(f64s(&xs)), &slopes);
    close(&jit(vmap(grad(f)))(f64s(&xs)), &slopes);
    close(&grad(|x: Array| vmap(f)(x).sum())(f64s(&xs)), &slopes);
    close(&jit(grad(|x: Array| vmap(f)(x).sum()))(f64s(&xs)), &slopes);
    // The factor is common; its derivative sums over the lanes.
    let total = |a: Array| vmap(|x: Array| grow(x, a.clone()))(f64s(&xs)).sum();
    let want: f64 = xs.iter().zip(&steps).map(|(x, k)| x * k * a.powf(k - 1.0)).sum();
    close(&grad(total)(number(a)), &[want]);
    let seconds: Vec<f64> =
        xs.iter().zip(&steps).map(|(x, k)| x * k * (k - 1.0) * a.powf(k - 2.0)).collect();
    let second = |x: Array| hessian(|a: Array| grow(x.clone(), a))(number(a));
    close(&vmap(second)(f64s(&xs)), &seconds);
    // Unequal numbers of steps of a counted loop, and a batched start only.
    let power = |n: Array| fori_loop_dynamic(0, n, number(1.0), |_, y| y * 2.0);
    close(&vmap(power)(array([0, 3, 1, -2])), &[1.0, 8.0, 2.0, 1.0]);
    let together = |x: Array| fori_loop_dynamic(2, array(5), x, |i, x| x * i.cast(DType::F64));
    close(&vmap(together)(f64s(&[1.0, 2.0])), &[24.0, 48.0]);
}

#[test]
fn loops_of_any_length_backwards() {
    // x -> x + sin(x) / n, and x -> x (1 + c / n), n times.
    for n in [0i32, 1, 2, 63, 64, 65, 200, 2144, 2146, 5000] {
        let scale = 1.0 / f64::from(n.max(1));
        let f = |x: Array| fori_loop_dynamic(0, array(n), x, |_, x| &x + x.sin() * scale);
        let (mut x, mut dx) = (0.4f64, 1.0f64);
        for _ in 0..n {
            dx *= 1.0 + x.cos() * scale;
            x += x.sin() * scale;
        }
        close(&f(number(0.4)), &[x]);
        close(&grad(f)(number(0.4)), &[dx]);
        let g = |c: Array| {
            let (y, _) = while_loop(
                |(_, i): (Array, Array)| i.lt(n),
                |(y, i)| (&y * (&c * scale + 1.0), i + 1),
                (number(2.0), array(0)),
            );
            y
        };
        let c = 0.3f64;
        let want = if n == 0 { 0.0 } else { 2.0 * (1.0 + c * scale).powi(n - 1) };
        close(&grad(g)(number(c)), &[want]);
    }
}

#[test]
fn loops_of_larger_carries_backwards() {
    let matrix = f64s(&[0.9, 0.2, -0.1, 0.3, 0.7, 0.1, 0.05, -0.2, 0.8]).reshape([3, 3]) * 0.8;
    let run = |(m, x): (Array, Array)| {
        let (x, _) = while_loop(
            |(x, _): (Array, Array)| x.square().sum().gt(1e-2),
            |(x, i)| (m.dot(&x).tanh(), i + 1),
            (x, array(0)),
        );
        x.sum()
    };
    let f = |x: Array| run((matrix.clone(), x));
    let x = f64s(&[1.0, -0.5, 0.8]);
    let fixed = |x: &Array| {
        // The same number of steps, which nearby points take too.
        let mut steps = 0;
        let mut y = x.clone();
        while y.square().sum().item::<f64>().unwrap() > 1e-2 {
            y = matrix.dot(&y).tanh();
            steps += 1;
        }
        steps
    };
    let steps = fixed(&x);
    let counted = |(m, x): (Array, Array)| fori_loop(steps, x, |_, x| m.dot(&x).tanh()).sum();
    let (dm, dx) = grad(run)((matrix.clone(), x.clone()));
    let (em, ex) = grad(counted)((matrix.clone(), x.clone()));
    close(&dm, &em.to_vec::<f64>().unwrap());
    close(&dx, &ex.to_vec::<f64>().unwrap());
    let want = hessian(|x: Array| counted((matrix.clone(), x)))(x.clone());
    close(&hessian(f)(x.clone()), &want.to_vec::<f64>().unwrap());
    close(&jacrev(grad(f))(x.clone()), &want.to_vec::<f64>().unwrap());
    close(&jit(hessian(f))(x), &want.to_vec::<f64>().unwrap());
}

/// Carries of several shapes and types, whose small ones share the checkpoints: the way back is
/// that of a loop of a fixed length, which keeps all states.
#[test]
fn loops_of_many_carries_backwards() {
    type Carry = (Array, Array, Array, (Array, Array), Array, Array);
    let start = |x: &Array| -> Carry {
        let wide = x.at(0) * f64s(&[1.0; 100]);
        let few = Array::from_slice(&[true, false, true], [3]);
        let half = Array::from_slice(&[0.25f32], ());
        (array(0), x.clone(), x.at(1) * 0.5, (x.expand_dims(0), few), wide, half)
    };
    let step = |(i, x, s, (m, few), wide, half): Carry| -> Carry {
        let turned = (&x * &s).sin() + m.at(0) * half.cast(DType::F64);
        let s = &s * 0.9 + wide.sum() * 1e-3 * select(few.at(0), 1.0, -0.5);
        let m = m * 0.95 + turned.expand_dims(0) * 0.1;
        (i + 1, turned, s, (m, !few), wide.tanh(), half * 0.99)
    };
    let last = |(_, x, s, (m, _), wide, _): Carry| x.sum() + s + m.square().sum() + wide.sum();
    let x = f64s(&[0.3, -0.7, 0.4]);
    for n in [1, 3, 64, 65, 200] {
        let free = |x: Array| last(while_loop(|c: Carry| c.0.lt(n), step, start(&x)));
        let until = |x: Array| {
            // So many steps, which the lane decides.
            let most = (x.at(2) * 10.0).cast(DType::I32) + (n - 4);
            last(while_loop(|c: Carry| c.0.lt(&most), step, start(&x)))
        };
        let fixed = |x: Array| last(fori_loop(n as usize, start(&x), |_, c| step(c)));
        let want = grad(fixed)(x.clone()).to_vec::<f64>().unwrap();
        close(&grad(free)(x.clone()), &want);
        close(&jit(grad(free))(x.clone()), &want);
        let lanes = stack([x.clone(), &x + f64s(&[0.0, 0.0, 0.7])], 0);
        let both = jit(vmap(grad(until)))(lanes);
        close(&both.at(0), &want);
    }
}

#[test]
fn loops_and_branches_nest() {
    // Newton in a scan; a scan in a while; a while in a branch in a while.
    let in_scan = |x: Array| {
        scan(x, arange(3), |c, _| {
            let next = newton_sqrt(c + 1.0);
            (next.clone(), next)
        })
        .1
        .sum()
    };
    let by_hand = |x: Array| {
        let a = (x + 1.0).sqrt();
        let b = (&a + 1.0).sqrt();
        let c = (&b + 1.0).sqrt();
        a + b + c
    };
    let want = grad(by_hand)(number(2.0)).item::<f64>().unwrap();
    close_to(&grad(in_scan)(number(2.0)), &[want], 1e-8);
    close_to(&jit(grad(in_scan))(number(2.0)), &[want], 1e-8);

    let over = |x: Array| {
        while_loop(
            |x: Array| x.lt(50.0),
            |x| scan(x, f64s(&[1.0, 2.0]), |c, w| (&c + (&c * 0.1 + w).sin().abs() + 0.5, ())).0,
            x,
        )
    };
    for x in [0.3, 20.0] {
        close_to(&grad(over)(number(x)), &[slope(over, x)], 1e-5);
        close_to(&jit(grad(over))(number(x)), &[slope(over, x)], 1e-5);
    }
    let mixed = |x: Array| {
        while_loop(
            |x: Array| x.lt(200.0),
            |x| {
                cond(
                    &x.lt(10.0),
                    x.clone(),
                    |x| grow(x * 0.04, array(1.3).cast(DType::F64)) * 0.25,
                    |x| &x * 1.5 + x.sin(),
                )
            },
            x,
        )
    };
    for x in [2.0, 30.0] {
        close_to(&grad(mixed)(number(x)), &[slope(mixed, x)], 1e-5);
        close_to(&jit(grad(mixed))(number(x)), &[slope(mixed, x)], 1e-5);
        close_to(&vmap(grad(mixed))(f64s(&[x, 2.5])).at(0), &[slope(mixed, x)], 1e-5);
    }
}

#[test]
fn integer_conditions_and_linear_maps() {
    // Only an integer decides; the floats come along.
    let f = |x: Array| {
        let (_, y, _) = while_loop(
            |(n, _, _): (Array, Array, Array)| n.ne(1),
            |(n, y, k)| {
                let even = n.rem_euclid_two();
                (select(&even, &n / 2, &n * 3 + 1), &y * 0.99 + &x, k + 1)
            },
            (array(27), x.clone(), array(0)),
        );
        y
    };
    let want = slope(f, 0.5);
    close_to(&grad(f)(number(0.5)), &[want], 1e-7);
    let (y, pull) = vjp(f, number(0.5));
    close_to(&y, &[0.5 * want], 1e-7);
    close_to(&pull(number(2.0)), &[2.0 * want], 1e-7);
    close_to(&vmap(&pull)(f64s(&[1.0, -1.0])), &[want, -want], 1e-7);
}

/// Collatz needs it.
trait Parity {
    fn rem_euclid_two(&self) -> Array;
}

impl Parity for Array {
    fn rem_euclid_two(&self) -> Array {
        (self - self / 2 * 2).eq(0)
    }
}

#[test]
fn scans_unroll() {
    let xs = f64s(&[0.1, 0.4, -0.3, 0.8, 0.5, -0.9, 0.2]);
    let step = |c: Array, x: Array| ((&c * 0.5 + &x).sin(), &c * x);
    for reverse in [false, true] {
        let plain = if reverse { ScanOptions::new().reverse() } else { ScanOptions::new() };
        let (c, ys) = plain.scan(number(0.3), xs.clone(), step);
        let (c, ys) = (c.to_vec::<f64>().unwrap(), ys.to_vec::<f64>().unwrap());
        let loss = |options: ScanOptions| {
            move |xs: Array| {
                let (c, ys) = options.scan(number(0.3), xs, step);
                c + ys.square().sum()
            }
        };
        let slopes = grad(loss(plain))(xs.clone()).to_vec::<f64>().unwrap();
        for unroll in [0, 2, 3, 6, 7, 100] {
            let options = plain.unroll(unroll);
            let (d, zs) = options.scan(number(0.3), xs.clone(), step);
            close(&d, &c);
            close(&zs, &ys);
            close(&grad(loss(options))(xs.clone()), &slopes);
            close(&jit(grad(loss(options)))(xs.clone()), &slopes);
        }
    }
    let (_, ys) = ScanOptions::new().unroll(4).scan((), arange(0), |(), i| ((), i));
    assert_eq!(ys.shape(), [0]);
}

#[test]
fn maps_and_associative_scans() {
    let rows = f64s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2]);
    let norms = |rows: Array| map(|row: Array| row.square().sum().sqrt(), rows);
    let want = [5f64.sqrt(), 5.0, 61f64.sqrt()];
    close(&norms(rows.clone()), &want);
    close(&jit(norms)(rows.clone()), &want);
    close(
        &grad(|rows: Array| norms(rows).sum())(rows),
        &[1.0 / want[0], 2.0 / want[0], 0.6, 0.8, 5.0 / want[2], 6.0 / want[2]],
    );
    for n in [1usize, 2, 3, 4, 7, 8, 9, 16] {
        let xs: Vec<f64> = (0..n).map(|i| 0.5 + (i as f64 * 0.7).sin()).collect();
        let compose = |(a, b): (Array, Array), (c, d): (Array, Array)| (&a * &c, b * c + d);
        for reverse in [false, true] {
            let (a, b) = associative_scan(compose, (f64s(&xs), f64s(&xs)), 0, reverse);
            let (mut p, mut q) = (1.0, 0.0);
            let mut want = vec![(0.0, 0.0); n];
            for k in 0..n {
                let i = if reverse { n - 1 - k } else { k };
                (p, q) = (p * xs[i], q * xs[i] + xs[i]);
                want[i] = (p, q);
            }
            close(&a, &want.iter().map(|w| w.0).collect::<Vec<_>>());
            close(&b, &want.iter().map(|w| w.1).collect::<Vec<_>>());
        }
    }
    let sums = |x: Array| associative_scan(|a: Array, b| a + b, x, -1, false);
    let grid = f64s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([2, 3]);
    close(&sums(grid.clone()), &[1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
    close(&jit(grad(|x: Array| sums(x).sum()))(grid), &[3.0, 2.0, 1.0, 3.0, 2.0, 1.0]);
}
