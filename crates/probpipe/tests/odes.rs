//! Differential equations against closed forms and against SciPy, their derivatives against finite
//! differences, in lanes, backwards in time, and what happens where there is no solution.

use probpipe::odes::{DormandPrince, OdeSolution, solve_ode};
use probpipe::prelude::*;
use probpipe_testing::{Tolerance, close, says};

const TIGHT: DormandPrince = DormandPrince {
    relative_tolerance: 1e-11,
    absolute_tolerance: 1e-12,
    max_steps: 10_000,
    first_step: None,
};

fn f64s<T>(run: impl FnOnce() -> T) -> T {
    with_default_float(DType::F64, run)
}

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).flatten().to_vec::<f64>().unwrap()
}

/// By the interpreter, and compiled.
#[track_caller]
fn both(solve: impl Fn(Array) -> Array, at: Array, want: &[f64], tolerance: f64) {
    close("interpreted", &numbers(&solve(at.clone())), want, Tolerance::largest(tolerance));
    close("compiled", &numbers(&jit(&solve)(at)), want, Tolerance::largest(tolerance));
}

#[test]
fn closed_forms() {
    f64s(|| {
        let times = [0.0, 0.3, 1.0, 1.0, 4.0];
        let solve = |f: fn(Array, Array) -> Array, from: f64| {
            move |start: Array| {
                let solution = solve_ode(f, start, from, times.map(|t| t + from), TIGHT);
                solution.values.flatten()
            }
        };
        let decay = times.map(|t| 2.0 * (-t).exp());
        both(solve(|_, y| -y, 0.0), array(2.0), &decay, 1e-10);
        let logistic = times.map(|t| 1.0 / (1.0 + 9.0 * (-t).exp()));
        both(solve(|_, y| &y * (1.0 - &y), 0.0), array(0.1), &logistic, 1e-10);
        // The slope is asked at the right times: y' = 2 t y.
        let growth = times.map(|t| ((t + 0.5) * (t + 0.5) - 0.25).exp());
        both(solve(|t, y| t * y * 2.0, 0.5), array(1.0), &growth, 1e-9);
        // Position and speed of an oscillator, as a tree.
        let spring = |start: Array| {
            let slope = |_, (x, v): (Array, Array)| (v.at(0), (x * -4.0).expand_dims(0));
            let OdeSolution { values: (x, v), reached, steps } =
                solve_ode(slope, (start, array([[0.0]])), 0.0, times, TIGHT);
            assert_eq!((x.shape(), v.shape()), (&[5, 1][..], &[5, 1, 1][..]));
            assert_eq!((reached.dtype(), steps.dtype()), (DType::Bool, DType::I32));
            probpipe::concat([x.flatten(), v.flatten()], 0)
        };
        let swing: Vec<f64> = times.iter().map(|t| (2.0 * t).cos()).collect();
        let speed = times.iter().map(|t| -2.0 * (2.0 * t).sin());
        let all: Vec<f64> = swing.iter().copied().chain(speed).collect();
        both(spring, array([1.0]), &all, 1e-9);
    });
}

/// Values of SciPy's `solve_ivp` by DOP853 with tolerances of 1e-13 and 1e-14.
#[test]
fn prey_and_predators_against_scipy() {
    f64s(|| {
        let solve = |p: Array| {
            let slope = |_, y: Array| {
                let (prey, hunters) = (y.at(0), y.at(1));
                let more = (p.at(0) - p.at(1) * &hunters) * &prey;
                let change = (p.at(3) * prey - p.at(2)) * hunters;
                probpipe::stack(&[more, change], 0)
            };
            solve_ode(slope, array([30.0, 4.0]), 0.0, [1.0, 5.0, 10.0, 20.0], TIGHT).values
        };
        let want = [
            46.305294017104,
            4.591917650499,
            16.029813307891,
            46.251814517805,
            26.453470637147,
            4.125439003028,
            23.360294294242,
            4.361875303898,
        ];
        both(solve, array([0.55, 0.028, 0.84, 0.026]), &want, 1e-9);
        let forced = |start: Array| {
            let slope = |t: Array, (x, v): (Array, Array)| {
                let pull = (1.0 - x.square()) * &v - x + t.sin() * 0.5;
                (v, pull)
            };
            let (x, v) = solve_ode(slope, (start, array(0.0)), 0.0, [2.0, 5.0, 10.0], TIGHT).values;
            probpipe::stack(&[x, v], 1)
        };
        let want = [
            -0.532024522211,
            -1.375699200979,
            0.375233322478,
            1.740665384837,
            -1.379716555626,
            0.658320459704,
        ];
        both(forced, array(1.0), &want, 1e-9);
    });
}

#[test]
fn errors_shrink_with_tolerances() {
    f64s(|| {
        let run = |tolerance: f64| {
            let method = DormandPrince::default()
                .relative_tolerance(tolerance)
                .absolute_tolerance(tolerance);
            let slope = |_, (x, v): (Array, Array)| (v, -x);
            // Within a step, and at the end of one.
            let times = [9.7, 10.0];
            let solution = solve_ode(slope, (array(1.0), array(0.0)), 0.0, times, method);
            let x = numbers(&solution.values.0);
            let error = (x[0] - 9.7f64.cos()).abs().max((x[1] - 10.0f64.cos()).abs());
            (error, solution.steps.item::<i32>().unwrap())
        };
        let (mut before, mut few) = (1.0, 0);
        for tolerance in [1e-3, 1e-5, 1e-7, 1e-9, 1e-11] {
            let (error, steps) = run(tolerance);
            assert!(error < 30.0 * tolerance && error < before, "{tolerance}: {error}");
            assert!(steps > few, "{steps} steps at {tolerance}");
            (before, few) = (error, steps);
        }
        assert!(few < 400, "{few} steps");
    });
}

#[test]
fn derivatives_against_finite_differences() {
    f64s(|| {
        // In parameters, the start, the times, and where the time begins.
        let solve = |q: Array| {
            let slope = |t: Array, (x, y): (Array, Array)| {
                let back = (q.at(0) - &y) * &x + (t * q.at(6)).sin();
                (back, (x - q.at(1)) * y)
            };
            let times = probpipe::stack(&[q.at(4), q.at(5)], 0);
            let start = (q.at(2), q.at(3));
            let (x, y) = solve_ode(slope, start, q.at(7), times, TIGHT).values;
            (x * array([1.0, 2.0])).sum() + (y * array([-1.0, 0.5])).sum()
        };
        let at = array([1.1, 0.9, 1.3, 0.7, 0.8, 3.1, 0.4, 0.1]);
        let compiled = jit(solve);
        let want: Vec<f64> = (0..8)
            .map(|i| {
                let step = eye(8).cast(DType::F64).at(i) * 1e-5;
                let sides = compiled(&at + &step) - compiled(&at - &step);
                numbers(&sides)[0] / 2e-5
            })
            .collect();
        both(grad(solve), at.clone(), &want, 1e-6);
        both(jacfwd(solve), at.clone(), &want, 1e-6);
        // Second derivatives, forwards over backwards.
        let slopes = jit(grad(solve));
        let row: Vec<f64> = {
            let step = eye(8).cast(DType::F64).at(1) * 1e-5;
            numbers(&((slopes(&at + &step) - slopes(&at - &step)) / 2e-5))
        };
        let curved = numbers(&jit(hessian(solve))(at).at(1));
        close("hessian", &curved, &row, Tolerance::largest(1e-5));
    });
}

#[test]
fn lanes_are_solved_each_by_itself() {
    f64s(|| {
        let solve = |rate: Array| {
            let solution = solve_ode(|_, y: Array| -&rate * y, array(1.0), 0.0, [0.5, 2.0], TIGHT);
            (solution.values, solution.steps)
        };
        let rates = array([0.0, 1.0, 30.0]);
        let (values, steps) = jit(vmap(solve))(rates.clone());
        assert_eq!(values.shape(), [3, 2]);
        for (i, rate) in [0.0f64, 1.0, 30.0].into_iter().enumerate() {
            let (alone, taken) = solve(array(rate));
            let lane = numbers(&values.at(i as isize));
            close("lane", &lane, &numbers(&alone), Tolerance::largest(1e-14));
            assert_eq!(numbers(&steps.at(i as isize)), numbers(&taken), "rate {rate}");
            close(
                "decay",
                &lane,
                &[(-0.5 * rate).exp(), (-2.0 * rate).exp()],
                Tolerance::largest(1e-10),
            );
        }
        let sum = |rates: Array| vmap(solve)(rates).0.sum();
        let slopes = jit(grad(sum))(rates);
        let want = [0.0, 1.0, 30.0].map(|r: f64| -0.5 * (-0.5 * r).exp() - 2.0 * (-2.0 * r).exp());
        close("slopes", &numbers(&slopes), &want, Tolerance::largest(1e-8));
    });
}

#[test]
fn backwards_in_time() {
    f64s(|| {
        let solve = |start: Array| {
            solve_ode(|t, y: Array| t * y, start, 2.0, [1.5, 1.5, -1.0], TIGHT).values
        };
        let want = [1.5f64, 1.5, -1.0].map(|t| (t * t / 2.0 - 2.0).exp());
        both(solve, array(1.0), &want, 1e-10);
    });
}

#[test]
fn numbers_of_single_precision() {
    let solve =
        |y: Array| solve_ode(|_, y: Array| -y, y, 0.0, [0.5, 1.0], DormandPrince::default()).values;
    let y = jit(solve)(array(1.0f32));
    assert_eq!(y.dtype(), DType::F32);
    close("f32", &numbers(&y), &[(-0.5f64).exp(), (-1.0f64).exp()], Tolerance::largest(1e-6));
}

#[test]
fn no_solution_is_none() {
    f64s(|| {
        // y = 1 / (1 - t) is not there at 1.
        let solve = |method: DormandPrince, f: fn(Array, Array) -> Array| {
            move |start: Array| {
                let s = solve_ode(f, start, 0.0, [0.5, 2.0, 3.0], method);
                (s.values, s.reached, s.steps)
            }
        };
        let square: fn(Array, Array) -> Array = |_, y| y.square();
        let few = TIGHT.max_steps(12);
        for (method, start) in [(TIGHT, 1.0), (few, 0.4), (TIGHT, f64::NAN)] {
            let run = solve(method, square);
            for (values, reached, steps) in [run(array(start)), jit(run)(array(start))] {
                let values = numbers(&values);
                assert!(!reached.item::<bool>().unwrap(), "{method:?} from {start}");
                assert!(values[2].is_nan(), "{values:?}");
                if method == TIGHT && start == 1.0 {
                    assert!((values[0] - 2.0).abs() < 1e-9 && values[1].is_nan());
                }
                assert!(steps.item::<i32>().unwrap() <= method.max_steps as i32);
            }
        }
        // A slope that is nowhere finite, and one that ends.
        let (values, reached, _) = solve(TIGHT, |_, y| y * f64::INFINITY)(array(1.0));
        assert!(!reached.item::<bool>().unwrap() && values.is_nan().all().item().unwrap());
        let (values, reached, _) = solve(TIGHT, |_, y| -(1.0 - y).sqrt())(array(1.0));
        assert!(reached.item::<bool>().unwrap());
        close("rest", &numbers(&values), &[1.0; 3], Tolerance::largest(1e-15));
        let (values, reached, _) = solve(TIGHT, |t, y| -(1.0 - t).sqrt() + y * 0.0)(array(1.0));
        assert!(!reached.item::<bool>().unwrap());
        assert!(numbers(&values)[0].is_finite() && numbers(&values)[1].is_nan());
        // More steps than are worth it: a fall a million times faster than the time asked for.
        let (values, reached, steps) =
            solve(DormandPrince::default(), |_, y| (y - 1.0) * -1e6)(array(2.0));
        assert!(!reached.item::<bool>().unwrap() && values.is_nan().any().item().unwrap());
        assert_eq!(steps.item::<i32>().unwrap(), 10_000);
        // Times that turn back where only the program knows.
        let turning = |times: Array| {
            let s = solve_ode(|_, y: Array| -y, array(1.0), 0.0, times, TIGHT);
            (s.values, s.reached)
        };
        let (values, reached) = jit(turning)(array([1.0, 0.2, 2.0]));
        assert!(!reached.item::<bool>().unwrap());
        let values = numbers(&values);
        assert!((values[0] - (-1.0f64).exp()).abs() < 1e-9);
        assert!(values[1].is_nan() && values[2].is_nan());
        // Lanes that fail leave the others alone.
        let run = solve(TIGHT, square);
        let (values, reached, _) = jit(vmap(run))(array([1.0, 0.1]));
        assert_eq!(reached.to_vec::<bool>().unwrap(), [false, true]);
        let fine = numbers(&values.at(1));
        close("lane", &fine, &[1.0 / 9.5, 0.125, 1.0 / 7.0], Tolerance::largest(1e-9));
    });
}

#[test]
fn faults_say_so() {
    let method = DormandPrince::default();
    let decay = |_, y: Array| -y;
    let fault = |s: OdeSolution<Array>| s.values.checked().unwrap_err();
    let s = solve_ode(decay, array(1.0f32), 0.0, [1.0, 3.0, 2.0], method);
    says(fault(s), &["times turn back: 1, 3, 2", "in order"]);
    let s = solve_ode(decay, array(1.0f32), 0.0, array([1.0]).cast(DType::F64), method);
    says(fault(s), &["the times is f64[1]", "DType::F32"]);
    let s = solve_ode(decay, array(1.0f32), 0.0, array(1.0f32), method);
    says(fault(s), &["the times of `solve_ode`", "one axis"]);
    let s = solve_ode(|_, _: Array| zeros([2]), array(1.0f32), 0.0, [1.0], method);
    says(fault(s), &["of shapes [[]], its slope of [[2]]"]);
    let s = solve_ode(decay, Array::from_slice(&[1i32], [1]), 0.0, [1.0], method);
    says(fault(s), &["the start of `solve_ode`", "floats"]);
    for (relative, absolute) in [(0.0, 0.0), (-1e-6, 1e-6), (1e-6, f64::NAN)] {
        let none = method.relative_tolerance(relative).absolute_tolerance(absolute);
        says(fault(solve_ode(decay, array(1.0f32), 0.0, [1.0], none)), &["cannot meet tolerances"]);
    }
    let back = method.first_step(-1.0);
    says(fault(solve_ode(decay, array(1.0f32), 0.0, [1.0], back)), &["leads nowhere"]);
    // Inside of a program the slope's own mistake comes out.
    let run = |y: Array| solve_ode(|_, y: Array| y + zeros([3]), y, 0.0, [1.0], method).values;
    says(jit(run)(zeros([2])).checked().unwrap_err(), &["add"]);
}
