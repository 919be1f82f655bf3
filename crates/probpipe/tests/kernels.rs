//! What kernels of Markov chains do besides sampling normal densities: warm-ups, modes, traces,
//! minibatches, and what they say of mistakes.

use probpipe::inference::Target;
use probpipe::inference::adapt::Microcanonical;
use probpipe::inference::mcmc::{
    AdjustedMclmc, Barker, CoordinateSlice, EllipticalSlice, Gibbs, Hmc, Independent, Kernel,
    Located, Mala, Mclmc, Metric, Minibatch, MultinomialHmc, RandomWalk, ReplicaExchange, Sghmc,
    Sgld, Slice, StepCx, Tuned, gibbs,
};
use probpipe::optimize::{Bfgs, minimize};
use probpipe::prelude::*;
use probpipe::{Categorical, Poisson};

/// Standard deviations from 0.1 to 10, and means as large as these.
fn uneven(n: usize) -> (Target<Array>, Array) {
    let scale = (linspace(-1.0, 1.0, n) * 10f64.ln()).exp();
    let s = scale.clone();
    let density = move |x: Array| Normal::new(&s, &s).log_prob(&x).sum();
    (Target::new(density, zeros([n])).unwrap(), scale)
}

/// Moments of draws within a bound, in standard deviations.
fn near(name: &str, draws: &Draws<Array>, scale: &Array, bound: f64) {
    let off = draws.values.mean_axes([0, 1]) / scale - 1.0;
    let off = off.abs().max().item::<f64>().unwrap();
    let variance = (&draws.values - scale).square().mean_axes([0, 1]) / scale.square();
    let wide = (variance - 1.0).abs().max().item::<f64>().unwrap();
    println!("{name}: {off:.3} {wide:.3} of {bound}");
    assert!(off < bound && wide < 1.5 * bound, "{name}: {off} {wide} of {bound}");
}

#[test]
fn tuned_kernels_find_their_steps_in_runs() {
    fn check(name: &str, kernel: impl Tuned + Clone + Sync, bound: f64) {
        let (target, scale) = uneven(20);
        let wish = kernel.target_acceptance();
        let draws = kernel.chains(4).warmup(500).draws(1000).sample(Key::new(2), &target).unwrap();
        let acceptance = draws.stats["acceptance"].mean().item::<f64>().unwrap();
        let size = draws.stats["step_size"].mean();
        println!("{name}: acceptance {acceptance} of {wish}, step {size}");
        assert!((acceptance - wish).abs() < 0.1, "{name} accepts {acceptance}, not {wish}");
        near(name, &draws, &scale, bound);
    }
    // Five standard errors of 4,000 draws, times the root of the steps for each.
    probpipe::with_default_float(DType::F64, || {
        check("hmc", Hmc::new(0.1, 5), 0.12);
        check("multinomial", MultinomialHmc::new(0.1, 8), 0.15);
        check("mala", Mala::new(0.1), 0.3);
        check("barker", Barker::new(0.1), 0.45);
        check("adjusted", AdjustedMclmc::new(0.1), 0.15);
    });
}

#[test]
fn microcanonical_warm_ups_bound_the_energy() {
    probpipe::with_default_float(DType::F64, || {
        for n in [2, 20, 100] {
            let (target, scale) = uneven(n);
            let kernel = Mclmc::new(1.0, 0.1);
            let run = kernel.chains(4).warmup(1000).draws(4000);
            let draws = run.sample(Key::new(3), &target).unwrap();
            let energy = draws.stats["energy_change"].square().mean() / n as f64;
            let energy = energy.item::<f64>().unwrap();
            println!("{n}: energy {energy}, step {}", draws.stats["step_size"].mean());
            assert!((5e-5..2e-3).contains(&energy), "{n}: {energy}");
            near("mclmc", &draws, &scale, 0.25);
        }
    });
}

/// A boundary that steps fail at: how small they become there is left open.
#[test]
fn microcanonical_warm_ups_take_failures() {
    let density = |x: Array| {
        let inside = -x.sum() - x.log().sum() * 0.5;
        select(x.gt(0.0).all(), inside, f64::NAN)
    };
    let target = Target::new(density, full([5], 2.0)).unwrap();
    let draws = Mclmc::new(1.0, 0.1).chains(2).warmup(600).sample(Key::new(0), &target).unwrap();
    assert!(draws.values.gt(0.0).all().item::<bool>().unwrap());
    assert!(draws.stats["step_size"].gt(0.0).all().item::<bool>().unwrap());
}

/// Too little to find anything by, and nothing at all.
#[test]
fn microcanonical_warm_ups_may_be_short() {
    let density = |x: Array| Normal::new(1.0, 3.0).log_prob(&x).sum();
    let target = Target::new(density, zeros([3])).unwrap();
    for steps in [0, 1, 5, 13, 30] {
        let run = Mclmc::new(1.0, 0.1).chains(1).warmup(steps).draws(20);
        let draws = run.sample(Key::new(0), &target).unwrap();
        assert!(draws.values.is_finite().all().item::<bool>().unwrap(), "{steps}");
        assert!(draws.stats["step_size"].gt(0.01).all().item::<bool>().unwrap(), "{steps}");
    }
}

#[test]
fn microcanonical_lengths_can_be_found_in_a_trace() {
    let density = |x: Array| Normal::new(1.0, 3.0).log_prob(&x).sum();
    let find = |(key, x): (Key, Array)| {
        let start = Mclmc::new(1.0, 0.1);
        let fixed = Microcanonical { metric: false, ..Microcanonical::default() };
        let (kernel, state) = fixed.found(key, &density, &start, x, 1000);
        (kernel.length, kernel.step_size, state.point.position)
    };
    let keys = Key::new(0).split_batch(3);
    let (length, size, x) = jit(vmap(find))((keys, zeros([3, 50])));
    println!("{length} {size}");
    // Typical vectors have the length 3 sqrt(50) = 21.
    assert!(length.gt(4.0).all().item::<bool>().unwrap(), "{length}");
    assert!(length.lt(80.0).all().item::<bool>().unwrap(), "{length}");
    assert!(size.gt(3.0).all().item::<bool>().unwrap(), "{size}");
    assert!(x.is_finite().all().item::<bool>().unwrap());
}

#[test]
fn kernels_that_are_not_tuned_have_runs() {
    fn check(name: &str, run: impl Fn(&Target<Array>) -> Result<Draws<Array>>) {
        let density = |x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum();
        let target = Target::new(density, zeros([2])).unwrap();
        let draws = run(&target).unwrap();
        assert_eq!(draws.values.shape(), [2, 500, 2], "{name}");
        let mean = draws.values.mean().item::<f32>().unwrap();
        assert!((mean - 1.0).abs() < 0.4, "{name}: {mean}");
    }
    macro_rules! check {
        ($($name:literal: $kernel:expr,)*) => {
            $(check($name, |target| {
                $kernel.chains(2).warmup(100).draws(500).sample(Key::new(1), target)
            });)*
        };
    }
    check! {
        "walk": RandomWalk::new(1.0),
        "independent": Independent::new(Normal::new([1.0, 1.0], 0.6)),
        "slice": Slice::new(1.0),
        "coordinate slice": CoordinateSlice::new(1.0),
        "sgld": Sgld::new(0.3),
        "sghmc": Sghmc::new(0.3),
        "gibbs": Gibbs::new().block(0..1, Hmc::new(0.25, 4)).block(1..2, RandomWalk::new(1.0)),
        "replicas": ReplicaExchange::new([1.0, 2.0], |t: &Array| Mala::new(0.6 * t.sqrt())),
    }
    let likelihood = |x: Array| x.sum() * 0.0;
    let target = Target::new(likelihood, zeros([2])).unwrap();
    let ellipse = EllipticalSlice::new(1.0, Metric::Unit);
    let draws = ellipse.chains(2).warmup(10).draws(500).sample(Key::new(1), &target).unwrap();
    assert!((draws.values.mean().item::<f32>().unwrap() - 1.0).abs() < 0.2);
}

/// Two modes, one of which has three times the mass of the other, and nothing in between.
#[test]
fn replicas_visit_both_modes() {
    let density = |x: Array| {
        let mode = |at: f64| Normal::new(at, 0.5).log_prob(&x).sum();
        (mode(-4.0) + 3f64.ln()).logaddexp(mode(4.0))
    };
    let target = Target::new(density, array([4.0])).unwrap();
    let at = |t: &Array| Hmc::new(0.25 * t.sqrt(), 5);
    let kernel = ReplicaExchange::new([1.0, 3.0, 9.0, 27.0, 81.0], at);
    let run = |key| kernel.sample(key, &target, 20_000).unwrap();
    let (draws, info) = jit(run)(Key::new(0));
    let left = draws.lt(0.0).cast(DType::F32).mean().item::<f32>().unwrap();
    println!("{left}");
    assert!((left - 0.75).abs() < 0.06, "{left}");
    let swaps = info.swapped.cast(DType::F32).mean_axes([0]).to_vec::<f32>().unwrap();
    println!("{swaps:?}");
    assert!(swaps.iter().all(|&part| (0.1..0.5).contains(&part)), "{swaps:?}");
    // Alone the kernel stays where it began.
    let alone = Hmc::new(0.25, 5);
    let draws = jit(|key| alone.sample(key, &target, 20_000).unwrap().0)(Key::new(0));
    assert!(draws.gt(0.0).all().item::<bool>().unwrap());
}

fn clusters() -> impl GenerativeFunction<Args = (), Value = Array> {
    generative(|t: &mut Choices| {
        let z = t.call("z", Categorical::new([0.5, 0.3, 0.2]).repeat(4), ());
        let shift = t.sample("shift", Bernoulli::new(0.25));
        let mean = z.cast(DType::F32) * 1.5 + shift.cast(DType::F32);
        t.sample("y", Normal::new(mean, 1.0))
    })
}

/// Sweeps over all choices, against the sum over their 3^4 2 values.
#[test]
fn choices_are_drawn_given_the_others() {
    let model = clusters();
    let y = array([0.0, 1.0, 2.0, 4.0]);
    let seen = ChoiceMap::new([("y", y)]);
    let sweep = |trace: Trace, key: Key| {
        let (for_z, for_shift) = key.split();
        let trace = gibbs(for_z, &model, &trace, "z");
        let trace = gibbs(for_shift, &model, &trace, "shift");
        let choices = trace.choices();
        (trace, (choices["z"].clone(), choices["shift"].clone()))
    };
    let run = jit(|key: Key| {
        let (for_start, for_steps) = key.split();
        let start = model.importance(for_start, &seen, ()).0;
        scan(start, for_steps.split_batch(20_000), sweep).1
    });
    let (z, shift) = run(Key::new(0));
    let part = |x: Array| x.cast(DType::F32).mean_axes([0]).to_vec::<f32>().unwrap();
    let have = [part(z.eq(1)), part(z.eq(2)), part(shift)].concat();
    let mut want = [0.0f64; 9];
    let mut total = 0.0;
    for code in 0..162usize {
        let digit = |i: u32| (code / 3usize.pow(i)) % 3;
        let (z, shift) = ([0, 1, 2, 3].map(digit), code / 81);
        let mut mass = [0.75, 0.25][shift];
        for (z, y) in z.iter().zip([0.0, 1.0, 2.0, 4.0]) {
            let off: f64 = y - *z as f64 * 1.5 - shift as f64;
            mass *= [0.5, 0.3, 0.2][*z] * (-0.5 * off * off).exp();
        }
        total += mass;
        for (i, z) in z.into_iter().enumerate() {
            if z > 0 {
                want[(z - 1) * 4 + i] += mass;
            }
        }
        want[8] += mass * shift as f64;
    }
    for (have, want) in have.iter().zip(want) {
        // Five standard errors of 20,000 draws, three steps for each.
        assert!((f64::from(*have) - want / total).abs() < 0.031, "{have} {}", want / total);
    }
}

#[test]
fn choices_that_cannot_be_enumerated_say_so() {
    let model = generative(|t: &mut Choices| {
        let n = t.sample("n", Poisson::new(3.0));
        t.sample("y", Normal::new(n.cast(DType::F32), 1.0))
    });
    let trace = model.simulate(Key::new(0), ());
    let says = |address: &str| {
        let bad = gibbs(Key::new(1), &model, &trace, address);
        bad.score().clone().checked().unwrap_err().message().to_string()
    };
    assert_eq!(says("n"), "the values of `n` are not finitely many and known");
    assert_eq!(says("y"), "the values of `y` are not finitely many and known");
    assert_eq!(says("z"), "there is no choice `z`");
}

/// What a minibatch says of a sum is right on average, and Langevin dynamics by it finds the
/// posterior of a mean, which is known.
#[test]
fn minibatches_estimate_sums() {
    probpipe::with_default_float(DType::F64, || {
        let data = Normal::new(2.0, 1.0).sample(Key::new(0), [1000]);
        let rows = Minibatch::new((data.clone(), ones([1000])), 100);
        let terms = |(x, w): (Array, Array)| x.square() * w;
        let estimate = |key: Key| rows.estimate(key, terms);
        let found = jit(vmap(estimate))(Key::new(1).split_batch(4000)).mean();
        let want = data.square().sum();
        let off = (found / want - 1.0).abs().item::<f64>().unwrap();
        assert!(off < 0.01, "{off}");

        let rows = Minibatch::new(data.clone(), 500);
        let density = |key: &Key, x: &Array| {
            rows.estimate(key.reuse(), |y: Array| Normal::new(x, 1.0).log_prob(&y))
        };
        let sghmc = Sghmc::new(0.004).friction(30.0);
        let step = |state, key: Key| {
            let (for_rows, for_step) = key.split();
            let now = |x: Array| density(&for_rows, &x);
            let (state, _) = sghmc.step(StepCx::new(for_step, &now), state);
            let position = state.position().clone();
            (state, position)
        };
        let start = sghmc.init(&|x| x * 0.0, zeros(()) + 2.0);
        let run = jit(|keys: Key| scan(start.clone(), keys, step).1);
        let draws = run(Key::new(4).split_batch(20_000));
        let off = ((draws.mean() - data.mean()) * 1000f64.sqrt()).abs().item::<f64>().unwrap();
        // Five standard errors of 20,000 draws, 20 steps for each.
        assert!(off < 0.16, "{off}");
        // Noise of variance 1000^2 / 500 heats by step * 2000 / 2 / friction: by 13 %.
        let heat = (draws.square().mean() - draws.mean().square()) * 1000.0;
        let heat = heat.item::<f64>().unwrap();
        assert!((1.0..1.3).contains(&heat), "{heat}");
    });
}

/// Scalars, matrices and vectors, of every type of floats.
#[test]
fn positions_have_any_shape_and_type() {
    fn check(name: &str, kernel: &impl Kernel, least: usize) {
        for dtype in [DType::F32, DType::F64] {
            let shapes: [&[usize]; 3] = [&[], &[3], &[2, 3]];
            for shape in shapes.into_iter().filter(|shape| shape.iter().product::<usize>() >= least)
            {
                let density = |x: Array| -(x.square().sum()) * 0.5;
                let start = kernel.init(&density, zeros(shape).cast(dtype));
                let step = |state, key| kernel.step(StepCx::new(key, &density), state).0;
                let run = |key: Key| {
                    let chain = |state, key| (step(state, key), ());
                    scan(start.clone(), key.split_batch(60), chain).0
                };
                let end = jit(run)(Key::new(0));
                let x = end.position();
                assert_eq!((x.shape(), x.dtype()), (shape, dtype), "{name}");
                assert!(x.is_finite().all().item::<bool>().unwrap(), "{name}");
                assert!(x.ne(0.0).any().item::<bool>().unwrap(), "{name} stays");
            }
        }
    }
    check("hmc", &Hmc::new(0.25, 3), 1);
    check("multinomial", &MultinomialHmc::new(0.25, 3), 1);
    check("mala", &Mala::new(1.0), 1);
    check("barker", &Barker::new(1.0), 1);
    check("walk", &RandomWalk::new(1.0), 1);
    check("slice", &Slice::new(2.0), 1);
    check("coordinate slice", &CoordinateSlice::new(2.0), 1);
    check("ellipse", &EllipticalSlice::new(0.0, Metric::Unit), 1);
    check("sgld", &Sgld::new(0.5), 1);
    check("sghmc", &Sghmc::new(0.5), 1);
    check("mclmc", &Mclmc::new(1.4, 0.4), 2);
    check("adjusted", &AdjustedMclmc::new(0.6), 2);
    let hot = |t: &Array| Hmc::new(t.sqrt() * 0.25, 3);
    check("replicas", &ReplicaExchange::new([1.0, 2.0, 4.0], hot), 1);
}

#[test]
fn mistakes_are_told() {
    let density = |x: Array| Normal::new(0.0, 1.0).log_prob(&x).sum();
    let message = |x: &Array| x.clone().checked().unwrap_err().message().to_string();
    let one = Mclmc::new(1.0, 0.1).init(&density, zeros([1]));
    assert_eq!(message(&one.direction), "a microcanonical kernel at a position of shape [1]");
    let one = AdjustedMclmc::new(0.1).init(&density, zeros([1]));
    assert_eq!(message(&one.position), "a microcanonical kernel at a position of shape [1]");
    let target = Target::new(density, zeros([1])).unwrap();
    let run = Mclmc::new(1.0, 0.1).chains(1).warmup(10).draws(10);
    let error = run.sample(Key::new(0), &target).unwrap_err();
    assert_eq!(error.message(), "a microcanonical kernel at a position of shape [1]");

    let kernel = Independent::new(Normal::new(zeros([3]), 1.0));
    let state = kernel.init(&density, zeros([2]));
    let (state, _) = kernel.step(StepCx::new(Key::new(0), &density), state);
    assert_eq!(message(&state.position), "a proposal of shape [3] for a position of shape [2]");

    let kernel = Gibbs::new().block(1..4, Mala::new(0.5));
    let state = kernel.init(&density, zeros([2]));
    let (state, _) = kernel.step(StepCx::new(Key::new(0), &density), state);
    assert!(state.position.clone().checked().is_err());

    let rows = Minibatch::new((zeros([3]), zeros([4])), 2);
    assert_eq!(message(&rows.draw(Key::new(0)).0), "2 rows of arrays of shapes [[3], [4]]");
}

/// The step that BlackJAX 1.7.1 makes of a density which contains a minimisation, with the
/// derivative of that said by a rule: keys and momenta are used alike.
#[test]
fn a_step_is_that_of_blackjax() {
    let f = |x: Array| {
        let g = |y: Array| (y.abs().pow(3.0) / 3.0 - &x * y).sum();
        let found = minimize(g, zeros([1]), Bfgs::default());
        (-found.value, found.x.at(0))
    };
    let with_rule = custom_jvp(
        move |x| f(x).0,
        move |x, dx: Array| {
            let (value, argmin) = f(x);
            (value, argmin * dx)
        },
    );
    let log_density = |y: Array| {
        let normal = Normal::new(0.0, 1.0);
        normal.log_prob(&y) + normal.log_prob(&with_rule(y))
    };
    let hmc = Hmc::new(1e-2, 20);
    let state = hmc.init(&log_density, array(1.0));
    let close = |x: &Array, want: f32, by: f32| {
        let x = x.item::<f32>().unwrap();
        assert!((x - want).abs() < by, "{x} {want}");
    };
    close(&state.log_density, -2.5600991, 1e-6);
    // The last digits of the gradient depend on where the minimisation ends.
    close(&state.gradient, -1.6666666, 1e-4);
    let (_, key) = Key::new(20250120).split();
    let step = |(key, state)| hmc.step(StepCx::new(key, &log_density), state);
    for (state, info) in [jit(step)((key.reuse(), state.clone())), step((key, state))] {
        close(&state.position, 0.8487964, 1e-6);
        close(&state.log_density, -2.3339982, 3e-7);
        close(&state.gradient, -1.3291, 1e-4);
        assert!(info.accepted.item::<bool>().unwrap());
    }
}
