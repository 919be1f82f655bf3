//! Special functions on the device, against those of `f64` at the same points: over ranges that
//! reach into tails with the accuracy that docs/accuracy.md promises, at special values, fused with
//! other work, and inside loops.

mod common;

use common::{adapter_or_skip, check, f32s, f64s};
use probpipe_backend_gpu::Gpu;
use probpipe_testing::ulp;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Op, SpecialOp, Value, arange, bind1, fori_loop, scan, verify,
};

/// How an error is measured and how large it may be.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// In ulp of the value.
    Ulp(f64),
    /// In ulp of `max(1, |value|)`.
    Mixed(f64),
}
use Goal::{Mixed, Ulp};

/// How an operand is drawn.
#[derive(Clone, Copy)]
enum Draw {
    /// Evenly between.
    Even(f64, f64),
    /// Evenly in the logarithm.
    Log(f64, f64),
    /// As `Log`, of either sign.
    Signed(f64, f64),
    /// Whole numbers from and to.
    Whole(f64, f64),
    /// Around the first operand, up to so many of its square roots away.
    Near(f64),
    /// Around the mean of the beta distribution of the first two, in its deviations.
    Mean(f64),
    /// Down to this close to zero and to one.
    Unit(f64),
    /// Not there.
    None,
}
use Draw::{Even, Log, Mean, Near, Signed, Unit, Whole};

/// Numbers without a pattern between 0 and 1.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }

    fn draw(&mut self, draw: Draw, before: &[f64]) -> f64 {
        let between = |u: f64, low: f64, high: f64| low + (high - low) * u;
        let u = self.next();
        let value = match draw {
            Even(low, high) => between(u, low, high),
            Log(low, high) => between(u, low.ln(), high.ln()).exp(),
            Signed(low, high) => {
                let size = between(u, low.ln(), high.ln()).exp();
                if self.next() < 0.5 { -size } else { size }
            }
            Whole(low, high) => between(u, low, high + 1.0).floor(),
            Near(reach) => (before[0] + between(u, -reach, reach) * before[0].sqrt()).abs(),
            Mean(reach) => {
                let (a, b) = (before[0], before[1]);
                let mean = a / (a + b);
                let deviation = (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
                (mean + between(u, -reach, reach) * deviation).clamp(1e-6, 1.0 - 1e-6)
            }
            Unit(least) => {
                let end = between(u, least.ln(), 0.0).exp();
                if self.next() < 0.5 { end } else { 1.0 - end }
            }
            Draw::None => 0.0,
        };
        f64::from(value as f32)
    }
}

/// What the functions promise; derivatives in parameters have zeros that they are measured beside.
fn promises() -> Vec<(SpecialOp, [Draw; 3], Goal)> {
    use SpecialOp::*;
    let one = |x: Draw| [x, Draw::None, Draw::None];
    let two = |x: Draw, y: Draw| [x, y, Draw::None];
    let shapes = [Log(0.05, 1e3), Log(0.05, 1e3), Mean(6.0)];
    let mut rows = vec![
        (Gamma, one(Even(-36.0, 35.0)), Ulp(8.0)),
        (Gamma, one(Signed(1e-30, 1.0)), Ulp(8.0)),
        (Polygamma, two(Whole(0.0, 6.0), Log(1e-2, 1e3)), Ulp(8.0)),
        (DigammaDifference, two(Log(1e-10, 1e10), Log(1e-10, 1e10)), Ulp(8.0)),
        (Betaln, two(Log(1e-10, 1e10), Log(1e-10, 1e10)), Mixed(8.0)),
        (Zeta { order: 0 }, two(Log(1.001, 40.0), Log(0.01, 1e4)), Ulp(10.0)),
        (Gammainc { order: 0 }, two(Log(1e-3, 1e6), Near(8.0)), Ulp(8.0)),
        (Gammainc { order: 0 }, two(Log(1e-3, 1e3), Log(1e-10, 1e3)), Ulp(8.0)),
        (Gammaincc, two(Log(1e-3, 1e6), Near(8.0)), Ulp(12.0)),
        (Gammaincc, two(Log(1e-3, 1e3), Log(1e-10, 1e3)), Ulp(12.0)),
        (GammaDensity, two(Log(1e-3, 1e6), Near(8.0)), Ulp(4.0)),
        (GammaDensity, two(Log(1e-3, 1e3), Log(1e-10, 1e3)), Ulp(4.0)),
        (Gammaincinv, two(Log(0.3, 1e6), Unit(1e-6)), Ulp(16.0)),
        (Gammainccinv, two(Log(0.3, 1e6), Unit(1e-6)), Ulp(16.0)),
        (Betainc { orders: [0, 0] }, [Log(1e-3, 1e5), Log(1e-3, 1e5), Mean(8.0)], Ulp(12.0)),
        (Betainc { orders: [0, 0] }, [Log(1e-2, 1e3), Log(1e-2, 1e3), Unit(1e-7)], Ulp(12.0)),
        (BetaDensity, [Log(1e-3, 1e5), Log(1e-3, 1e5), Mean(8.0)], Ulp(4.0)),
        (Betaincinv, [Log(0.5, 1e4), Log(0.5, 1e4), Unit(1e-6)], Ulp(32.0)),
        (I0, one(Even(-91.0, 91.0)), Ulp(6.0)),
        (I1, one(Even(-91.0, 91.0)), Ulp(6.0)),
        (I0e, one(Signed(1e-3, 1e6)), Ulp(4.0)),
        (I1e, one(Signed(1e-3, 1e6)), Ulp(4.0)),
        (I0eSlope, one(Signed(1e-3, 1e6)), Ulp(6.0)),
        (Erfcx { order: 0 }, one(Even(-9.0, 30.0)), Ulp(6.0)),
        (Erfcx { order: 0 }, one(Signed(1e-6, 9.0)), Ulp(6.0)),
        (Erfcx { order: 1 }, one(Even(-9.0, 30.0)), Ulp(8.0)),
        (Erfcx { order: 5 }, one(Even(-8.0, 30.0)), Ulp(12.0)),
        (Erfcx { order: 20 }, one(Even(-8.0, 30.0)), Ulp(24.0)),
        (Exp1, one(Log(1e-6, 80.0)), Ulp(6.0)),
        (Expi, one(Signed(1e-6, 80.0)), Ulp(8.0)),
        (OwensT, two(Signed(1e-3, 6.0), Signed(1e-3, 1e3)), Ulp(12.0)),
    ];
    for order in 1..=3u8 {
        let range = 4.0 * 4f64.powi(i32::from(order));
        rows.push((Zeta { order }, two(Even(1.3, 8.0), Even(0.5, 10.0)), Mixed(16.0)));
        rows.push((Gammainc { order }, two(Log(0.3, 1e3), Near(5.0)), Mixed(range)));
        for in_a in 0..=order {
            rows.push((Betainc { orders: [in_a, order - in_a] }, shapes, Mixed(4.0 * range)));
        }
    }
    rows
}

/// The float types that the device computes in.
fn types(gpu: &Gpu) -> Vec<DType> {
    let caps = gpu.caps();
    [DType::F32, DType::F64].into_iter().filter(|dtype| caps.dtypes.contains(dtype)).collect()
}

/// One function at points, on the device.
fn run(gpu: &Gpu, op: SpecialOp, points: &[[f64; 3]], dtype: DType) -> Vec<f64> {
    let column = |k: usize| points.iter().map(move |p| p[k]);
    let inputs: Vec<Value> = (0..op.arity())
        .map(|k| match dtype {
            DType::F64 => f64s(&column(k).collect::<Vec<_>>(), &[points.len()]),
            _ => f32s(&column(k).map(|x| x as f32).collect::<Vec<_>>(), &[points.len()]),
        })
        .collect();
    let types: Vec<ArrayType> = inputs.iter().map(|v| v.ty().clone()).collect();
    let graph =
        common::graph_of(&types, |x| vec![bind1(Op::Special(op), &x.iter().collect::<Vec<_>>())]);
    let program = gpu.compile(verify(&graph).unwrap()).expect("it compiles");
    let out = program.run(&inputs.iter().collect::<Vec<_>>()).expect("it runs");
    out[0].to_scalars().unwrap().iter().map(|v| v.as_f64()).collect()
}

/// The error of a result; where the device may take either number for zero, that is none.
fn error(have: f64, want: f64, goal: Goal, dtype: DType) -> f64 {
    let (rounded, least) = match dtype {
        DType::F64 => (want, f64::MIN_POSITIVE),
        _ => (f64::from(want as f32), 1.2e-38),
    };
    if have.is_nan() || want.is_nan() {
        return if have.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if have.is_infinite() || rounded.is_infinite() {
        return if have == rounded { 0.0 } else { f64::INFINITY };
    }
    if want.abs() < least && have.abs() < least {
        return 0.0;
    }
    let unit = match goal {
        Ulp(_) => want.abs().max(least),
        Mixed(_) => want.abs().max(1.0),
    };
    (have - want).abs() / ulp(unit, dtype)
}

/// Names the worst points that miss their goal.
fn misses(
    gpu: &Gpu,
    op: SpecialOp,
    points: &[[f64; 3]],
    goal: Goal,
    dtype: DType,
) -> (f64, Vec<String>) {
    let have = run(gpu, op, points, dtype);
    let (Ulp(limit) | Mixed(limit)) = goal;
    let (mut worst, mut faults) = (0.0f64, Vec::new());
    for (point, have) in points.iter().zip(have) {
        let want = op.value(*point);
        let far = error(have, want, goal, dtype);
        worst = worst.max(far);
        if far > limit {
            let at = &point[..op.arity()];
            faults.push(format!("{op:?} at {at:?}: {have:e}, not {want:e}: {far:.2} of {goal:?}"));
        }
    }
    faults.truncate(4);
    (worst, faults)
}

#[test]
fn accuracy_over_ranges() {
    let Some(gpu) = adapter_or_skip() else { return };
    let mut faults = Vec::new();
    for (row, (op, draws, goal)) in promises().into_iter().enumerate() {
        let mut numbers = Numbers(row as u32 + 1);
        let points: Vec<[f64; 3]> = (0..1024)
            .map(|_| {
                let mut point = [0.0; 3];
                for k in 0..3 {
                    point[k] = numbers.draw(draws[k], &point);
                }
                point
            })
            .collect();
        for dtype in types(&gpu) {
            // The processor's own functions are the measure, which are a few units away, too.
            let goal = match (goal, dtype) {
                (Ulp(limit), DType::F64) => Ulp(8.0 * limit),
                (Mixed(limit), DType::F64) => Mixed(8.0 * limit),
                _ => goal,
            };
            let (worst, missed) = misses(&gpu, op, &points, goal, dtype);
            println!("{op:?} {dtype}: {worst:.2} of {goal:?}");
            faults.extend(missed);
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Values between the start of the recurrence and its end are beyond the range, or far below it.
#[test]
fn high_orders_of_erfcx() {
    let Some(gpu) = adapter_or_skip() else { return };
    if !types(&gpu).contains(&DType::F64) {
        return;
    }
    for (order, points) in [
        (3, vec![-22.5, -20.5, -26.7, -30.0]),
        (29, vec![48894.951203803634, 1e70, -21.0, 1e-10]),
        (100, vec![-26.5, -27.0, -30.0, -20.0, 0.0, 0.25, 2.6957348272973007]),
    ] {
        let points: Vec<[f64; 3]> = points.into_iter().map(|x| [x, 0.0, 0.0]).collect();
        let op = SpecialOp::Erfcx { order };
        let (worst, faults) = misses(&gpu, op, &points, Ulp(64.0), DType::F64);
        assert!(faults.is_empty(), "{worst}: {faults:?}");
    }
}

#[test]
fn special_values() {
    let Some(gpu) = adapter_or_skip() else { return };
    const INF: f64 = f64::INFINITY;
    let one = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        0.5,
        -0.5,
        3.0,
        40.0,
        -40.0,
        100.0,
        -100.0,
        1e-30,
        -1e-30,
        1e30,
        -1e30,
        INF,
        -INF,
        f64::NAN,
    ];
    let two =
        [0.0, -0.0, 1.0, 2.0, 0.5, 7.0, 40.0, -1.0, -0.25, -3.0, 1e-20, 1e20, INF, -INF, f64::NAN];
    let three = [0.0, 1.0, 0.5, 3.0, 50.0, -1.0, 0.05, INF, f64::NAN];
    let mut faults = Vec::new();
    let mut all = SpecialOp::ALL.to_vec();
    all.extend([1, 3].map(|order| SpecialOp::Zeta { order }));
    all.extend([1, 3].map(|order| SpecialOp::Gammainc { order }));
    all.extend([1, 2].map(|order| SpecialOp::Erfcx { order }));
    all.extend([[1, 0], [0, 1], [1, 1]].map(|orders| SpecialOp::Betainc { orders }));
    for op in all {
        let mut points = Vec::new();
        for x in one {
            if op.arity() == 1 {
                points.push([x, 0.0, 0.0]);
            }
        }
        for x in two {
            for y in two.into_iter().filter(|_| op.arity() == 2) {
                points.push([x, y, 0.0]);
            }
        }
        for x in three {
            for y in three {
                for z in three.into_iter().filter(|_| op.arity() == 3) {
                    points.push([x, y, z]);
                }
            }
        }
        for point in &mut points {
            *point = point.map(|x| f64::from(x as f32));
        }
        for dtype in types(&gpu) {
            faults.extend(misses(&gpu, op, &points, Mixed(128.0), dtype).1);
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn fused_with_other_work_and_in_loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    let special = |op, x: &[&Array]| bind1(Op::Special(op), x);
    let x = f32s(&common::spread(0.5, 4.0, 300), &[300]);
    let y = f32s(&common::spread(3.0, 0.2, 300), &[300]);
    check(&gpu, 64.0, &[x.clone(), y.clone()], |x| {
        let cdf = special(SpecialOp::Gammainc { order: 0 }, &[&x[0], &(&x[1] * 2.0)]);
        let back = special(SpecialOp::Gammaincinv, &[&x[0], &cdf]);
        let slope = special(SpecialOp::Gammainc { order: 1 }, &[&x[0], &x[1]]);
        vec![(&cdf * &slope).sum(), back, special(SpecialOp::I0e, &[&x[1].exp()])]
    });
    // Each lane runs the loop for itself.
    check(&gpu, 64.0, &[x.clone(), y.clone()], |x| {
        let (a, b) = fori_loop(5, (x[0].clone(), x[1].clone()), |k, (a, b)| {
            let p = special(
                SpecialOp::Betainc { orders: [0, 0] },
                &[&a, &(&b + k.cast(DType::F32)), &(&a * 0.1)],
            );
            (&a * 0.5 + &p + 0.5, special(SpecialOp::Gamma, &[&(&b * 0.5 + 0.8)]))
        });
        vec![a, b]
    });
    // One invocation runs it for all.
    let few = f32s(&[0.7, 1.9, 3.1], &[3]);
    check(&gpu, 64.0, &[few], |x| {
        let (carry, ys) = scan(x[0].clone(), arange(4), |q, t| {
            let t = t.cast(DType::F32) + 1.0;
            let z = special(SpecialOp::Zeta { order: 0 }, &[&(&q + 1.5), &(&q * 0.0 + &t)]);
            (&q * 0.5 + &z, z.sum())
        });
        vec![carry, ys]
    });
}
