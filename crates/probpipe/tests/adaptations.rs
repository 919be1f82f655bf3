//! What warm-ups plan, and what they make of draws: on their own, of draws that do not depend on
//! one another, and in runs where that is hard.

use probpipe::inference::Target;
use probpipe::inference::adapt::{Adaptation, Gradients, Task, Tasks, Windows};
use probpipe::inference::mcmc::{Metric, Nuts, Point};
use probpipe::prelude::*;
use probpipe::{Triangular, normal_of};

const NONE: Gradients =
    Gradients { dense_up_to: 0, low_rank_up_to: 0, directions: 0, round: 0, early: 0, late: 0 };

/// That a plan is as long as asked, that the search for a step size ends with the last step and no
/// other, and where the steps begin and end from which the metric is made.
fn collected(plan: &[Task], steps: usize) -> (usize, usize) {
    assert_eq!(plan.len(), steps);
    assert!(plan.iter().enumerate().all(|(i, task)| task.finish == (i + 1 == steps)), "{steps}");
    let first = plan.iter().position(|task| task.collect).unwrap_or(steps);
    let end = plan.iter().rposition(|task| task.collect).map_or(first, |last| last + 1);
    assert!(plan[first..end].iter().all(|task| task.collect), "{steps}: a gap");
    // The last draw of them is not lost.
    assert!(end == first || plan[end - 1].metric, "{steps}: draws that are not used");
    assert!(plan[end..].iter().all(|task| !task.metric && !task.switch), "{steps}");
    (first, end)
}

#[test]
fn plans_of_any_length_hold_together() {
    for steps in 0..=2000 {
        let (first, end) = collected(&Windows::diagonal().plan(steps), steps);
        assert_eq!(Windows::diagonal().plan(steps), Windows::dense().plan(steps));
        let wanted = match steps {
            0..20 => (steps, steps),
            20..150 => (steps * 15 / 100, steps - steps / 10),
            _ => (75, steps - 50),
        };
        assert_eq!((first, end), wanted, "{steps}");
        // Windows double; the last is the longest but for short plans, and each begins a search.
        let plan = Windows::dense().plan(steps);
        let ends: Vec<usize> = (0..steps).filter(|&i| plan[i].switch).map(|i| i + 1).collect();
        let sizes: Vec<usize> =
            [first].iter().chain(&ends).zip(&ends).map(|(from, to)| to - from).collect();
        assert!(sizes.windows(2).all(|pair| pair[1] >= 2 * pair[0]), "{steps}: {sizes:?}");
        assert!(ends.iter().all(|&to| plan[to - 1].restart && plan[to - 1].metric), "{steps}");
        for gradients in [Gradients::default(), Gradients::diagonal(), NONE] {
            let plan = gradients.plan(steps);
            let range = collected(&plan, steps);
            assert_eq!(range, (0, steps - steps * 15 / 100), "{steps}");
            // No window but the first is shorter than it should be.
            let late = gradients.late.max(1);
            let last = plan.iter().rposition(|task| task.switch).map_or(0, |i| i + 1);
            assert!(last <= steps * 3 / 10 || last + late <= range.1 + 1, "{steps}: {last}");
        }
    }
    let sizes = |steps| {
        let plan = Windows::dense().plan(steps);
        plan.iter().filter(|task| task.switch).count()
    };
    assert_eq!((sizes(1000), sizes(150), sizes(19)), (5, 1, 0));
}

/// The metric that a warm-up makes of draws `[steps, n]` of a normal density of a covariance.
fn metric<A: Adaptation>(device: Device, warm_up: &A, draws: &Array, covariance: &Array) -> Metric {
    let steps = draws.shape()[0];
    let bits: Vec<i32> = warm_up.plan(steps).into_iter().map(Task::bits).collect();
    let bits = Array::from(bits);
    let precision = covariance.inv();
    let run = |(draws, bits): (Array, Array)| {
        let point = |x: Array| {
            let gradient = -precision.matmul(&x);
            Point { log_density: x.dot(&gradient) * 0.5, position: x, gradient }
        };
        let start = warm_up.start(&point(draws.at(0)), &Array::from(0.5));
        let end = scan(start, (draws, bits), |state, (x, bits)| {
            let tasks = Tasks::of(&bits);
            (warm_up.update(state, &tasks, &point(x), &Array::from(0.8), 0.8), ())
        });
        A::tuning(&end.0).metric
    };
    jit_on(device, run)((draws.clone(), bits))
}

/// The covariance that a metric stands for.
fn covariance_of(metric: &Metric, n: usize) -> Array {
    let columns = vmap(|p: Array| metric.push(&p))(eye(n).cast(DType::F64));
    columns.transpose().matmul(&columns)
}

/// Draws of a normal density around zero.
fn draws(steps: usize, covariance: &Array) -> Array {
    let noise = normal_of(DType::F64, Key::new(1), [steps, covariance.shape()[0]]);
    noise.matmul(&covariance.cholesky().transpose())
}

/// The largest difference of covariances, in units of the standard deviations.
fn off(have: &Array, want: &Array) -> f64 {
    let sd = want.diagonal().sqrt();
    let units = sd.expand_dims(1) * sd.expand_dims(0);
    ((have - want) / units).abs().max().item::<f64>().unwrap()
}

#[test]
fn covariances_are_recovered() {
    probpipe::with_default_float(DType::F64, || {
        let (n, steps) = (12, 1000);
        let at = linspace(0.0, 2.0, n);
        let near = (-(at.expand_dims(1) - at.expand_dims(0)).abs()).exp();
        let scale = (linspace(-2.0, 2.0, n) * 10f64.ln()).exp();
        let covariance = near * scale.expand_dims(1) * scale.expand_dims(0);
        let draws = draws(steps, &covariance);
        for device in [Device::Cpu, Device::Interpreter] {
            let found = metric(device, &Windows::dense(), &draws, &covariance);
            assert!(matches!(found, Metric::Dense(_)));
            // The last window has 500 draws: an entry is off by 1 / sqrt(500), at most by four
            // times the diagonal's, which is larger by the root of 2. What is drawn towards a
            // small round shape shows where scales are small.
            let have = covariance_of(&found, n);
            let large = 4..n;
            let part = |x: &Array| x.slice_axis(0, large.clone()).slice_axis(1, large.clone());
            let error = off(&part(&have), &part(&covariance));
            assert!(error < 4.0 * (2.0 / 500f64).sqrt(), "{device:?}: {error}");
            // Draws and gradients together say all of a normal density, but for the ridge.
            let found = metric(device, &Gradients::default(), &draws, &covariance);
            assert!(matches!(found, Metric::Dense(_)));
            let error = off(&covariance_of(&found, n), &covariance);
            assert!(error < 1e-3, "{device:?}: {error}");
            let Metric::Diagonal(found) = metric(device, &Windows::diagonal(), &draws, &covariance)
            else {
                panic!("not of standard deviations");
            };
            let large = (found / scale.clone() - 1.0).slice_axis(0, 4..n).abs().max();
            let error = large.item::<f64>().unwrap();
            assert!(error < 4.0 * (0.5 / 500f64).sqrt(), "{device:?}: {error}");
        }
    });
}

#[test]
fn long_directions_among_many_are_found() {
    probpipe::with_default_float(DType::F64, || {
        let n = 100;
        let (u, _) = normal_of(DType::F64, Key::new(2), [n, 3]).qr();
        let lengths = array([10.0, 20.0, 30.0]);
        let stretch = &u * (lengths.square() - 1.0).expand_dims(0);
        let covariance = eye(n) + stretch.matmul(&u.transpose());
        let draws = draws(400, &covariance);
        let found = metric(Device::Cpu, &Gradients::default(), &draws, &covariance);
        let Metric::LowRank { .. } = &found else { panic!("{found:?}") };
        let have = covariance_of(&found, n);
        // As long as it is along each of the three.
        let along = (&u * have.matmul(&u)).sum_axes(0).sqrt() / lengths;
        let error = (along - 1.0).abs().max().item::<f64>().unwrap();
        assert!(error < 0.1, "lengths are off by {error}");
        // And about round elsewhere: what the metric leaves to the sampler. Standard deviations of
        // the entries know of the long directions too, so that others become uneven in their units,
        // and of these all but the most uneven stay so.
        let half = covariance.cholesky();
        let left = half.solve_triangular_with(&have.cholesky(), Triangular::lower());
        let (values, _) = left.matmul(&left.transpose()).eigh();
        let spread = (values.max() / values.min()).sqrt().item::<f64>().unwrap();
        assert!(spread < 3.0, "the longest is {spread} times the shortest, 30 times before");
    });
}

/// Standard deviations from 1e-4 to 1e4, of the first numbers of `n`.
fn uneven(n: usize) -> (Target<Array>, Array) {
    let scale = (linspace(-4.0, 4.0, n) * 10f64.ln()).exp();
    let sd = scale.clone();
    let density = move |x: Array| Normal::new(0.0, &sd).log_prob(&x).sum();
    (Target::new(density, zeros([n])).unwrap(), scale)
}

#[test]
fn scales_of_all_sizes_are_found_in_400_steps() {
    probpipe::with_default_float(DType::F64, || {
        for (n, warm_up) in
            [(9, Gradients::default()), (9, Gradients::diagonal()), (80, Gradients::default())]
        {
            let (target, scale) = uneven(n);
            let run = Nuts::default().chains(2).warmup(400).draws(500).adaptation(warm_up);
            let draws = run.sample(Key::new(3), &target).unwrap();
            let sd = draws.values.square().mean_axes([0, 1]).sqrt() / scale;
            let error = (sd - 1.0).abs().max().item::<f64>().unwrap();
            // Of 1,000 draws a standard deviation is off by 1 / sqrt(2000); five times that.
            assert!(error < 0.112, "{n} by {warm_up:?}: off by {error}");
            let steps = draws.stats["steps"].cast(DType::F64).mean().item::<f64>().unwrap();
            assert!(steps < 16.0, "{n} by {warm_up:?}: {steps} steps a draw");
        }
    });
}

#[test]
fn places_without_a_density_are_survived() {
    probpipe::with_default_float(DType::F64, || {
        // The logarithm of what is negative is no number: nothing lies beyond 1.
        let density = |x: Array| (1.0 - x.at(0)).log() * 0.5 - x.square().sum() * 0.5;
        let target = Target::new(density, zeros([3])).unwrap();
        let grid = linspace(-8.0, 1.0, 9001);
        let weight = (1.0 - &grid).sqrt() * (grid.square() * -0.5).exp();
        let mean = ((&grid * &weight).sum() / weight.sum()).item::<f64>().unwrap();
        let run = Nuts::default().chains(4).draws(1000);
        let all = [
            run.clone().sample(Key::new(4), &target).unwrap(),
            run.clone().adaptation(Gradients::diagonal()).sample(Key::new(5), &target).unwrap(),
            run.clone().adaptation(Windows::diagonal()).sample(Key::new(6), &target).unwrap(),
            run.adaptation(Windows::dense()).sample(Key::new(7), &target).unwrap(),
        ];
        for draws in all {
            assert!(draws.values.is_finite().all().item::<bool>().unwrap());
            let first = draws.values.take(0, -1);
            assert!(first.max().item::<f64>().unwrap() < 1.0);
            let have = first.mean().item::<f64>().unwrap();
            assert!((have - mean).abs() < 0.1, "{have}, not {mean}");
            let sizes = &draws.stats["step_size"];
            assert!((sizes.is_finite() & sizes.gt(1e-3)).all().item::<bool>().unwrap());
        }
    });
}
