//! Transitions of the no-U-turn sampler one by one, as one loop, and of many chains side by side:
//! the same bits.

use probpipe::inference::mcmc::{Between, Chain, Kernel, Metric, Nuts, NutsInfo, Point, StepCx};
use probpipe::prelude::*;
use probpipe::{jit_on, scan};

type Draws = (Array, NutsInfo);

/// One transition after the other, each of which is a loop within a loop.
fn nested(
    nuts: &Nuts,
    density: &dyn Fn(Array) -> Array,
    steps: usize,
) -> impl Fn(Key, Array) -> Draws {
    move |key: Key, start: Array| {
        let step = |state: Point, i: Array| {
            let cx = StepCx::new(key.reuse().fold_in(i), density);
            let (state, info) = nuts.step(cx, state);
            (state.clone(), (state.position, info))
        };
        scan(nuts.init(density, start), arange(steps).cast(DType::I32), step).1
    }
}

/// All of them in one loop.
fn flat(
    nuts: &Nuts,
    density: &dyn Fn(Array) -> Array,
    steps: usize,
) -> impl Fn(Key, Array) -> Draws {
    move |key: Key, start: Array| {
        let between = Between {
            log_density: density,
            kernel: &|(): &()| nuts.clone(),
            learn: &|_, (), _, _, _| (),
            keep: &|(), state: &Point, info: &NutsInfo| (state.position.clone(), info.clone()),
        };
        let chain = |(key, start): (Key, Array)| {
            let state = nuts.init(density, start);
            Chain { key, number: Array::from(0i32), state, known: () }
        };
        let chain = match start.rank() {
            1 => chain((key, start)),
            _ => vmap(chain)((key, start)),
        };
        nuts.steps(&between, &Array::from(steps as i32), steps, chain).kept
    }
}

type Density = fn(Array) -> Array;

/// A correlated normal density of three numbers.
fn normal(x: Array) -> Array {
    let l = array([[1.0, 0.0, 0.0], [0.9, 0.4, 0.0], [-0.5, 0.3, 2.0]]);
    -l.solve_triangular(&x).square().sum() / 2.0
}

/// Neal's funnel: narrow where it is deep, so that trajectories diverge.
fn funnel(x: Array) -> Array {
    let v = x.at(0);
    -(&v / 3.0).square() / 2.0
        - (x.slice_axis(0, 1..5).square().sum() * (-&v).exp() + v * 4.0) / 2.0
}

/// A density with an edge, behind which there is none.
fn edge(x: Array) -> Array {
    x.log().sum() - x.sum()
}

/// Eight schools, non-centred.
fn schools(x: Array) -> Array {
    let (z, mu, log_tau) = (x.slice_axis(0, 0..8), x.at(8), x.at(9));
    let tau = log_tau.exp();
    let y = array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    let sigma = array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
    Normal::new(0.0, 1.0).log_prob(&z).sum()
        + Normal::new(z * &tau + &mu, sigma).log_prob(&y).sum()
        + Normal::new(0.0, 5.0).log_prob(&mu)
        - (tau / 5.0).square().log1p()
        + log_tau
}

const DENSITIES: [(&str, Density, usize); 4] =
    [("normal", normal, 3), ("funnel", funnel, 5), ("edge", edge, 2), ("schools", schools, 10)];

/// The bits of all leaves.
fn bits(x: impl Tree) -> Vec<u64> {
    let leaves = x.leaves();
    let each = leaves.iter().flat_map(|leaf| leaf.cast(DType::F64).to_vec::<f64>().unwrap());
    each.map(f64::to_bits).collect()
}

fn tuned(n: usize, step_size: f64, max_depth: usize) -> Nuts {
    let metric = Metric::Diagonal(linspace(0.8, 1.2, n));
    Nuts::new(array(step_size)).metric(metric).max_depth(max_depth)
}

#[track_caller]
fn same(of: &[(&str, Density, usize)], depths: &[usize], seeds: u64, steps: usize) {
    let mut diverged = false;
    for &(name, density, n) in of {
        for &max_depth in depths {
            let nuts = tuned(n, 0.4, max_depth);
            let (one_by_one, in_one) =
                (nested(&nuts, &density, steps), flat(&nuts, &density, steps));
            let one_by_one = jit_on(Device::Interpreter, |(key, x)| one_by_one(key, x));
            let one_loop = jit_on(Device::Interpreter, |(key, x)| in_one(key, x));
            let side_by_side = jit_on(Device::Interpreter, |(key, x)| in_one(key, x));
            for seed in 0..seeds {
                let start = linspace(0.3, 0.6, n);
                let want = one_by_one((Key::new(seed), start.clone()));
                diverged |= want.1.diverging.any().item::<bool>().unwrap();
                let (want, what) = (bits(want), format!("{name}, depth {max_depth}, seed {seed}"));
                assert!(bits(one_loop((Key::new(seed), start))) == want, "{what}: one loop");
            }
            let keys = Key::new(7).split_batch(5);
            let starts = linspace(0.3, 0.6, 5 * n).reshape([5, n]);
            let have = side_by_side((keys.reuse(), starts.clone()));
            for lane in 0..5 {
                let key = Key::from_data(keys.data().at(lane));
                let want = bits(one_by_one((key, starts.at(lane))));
                let have = have.clone().map(|leaf| leaf.at(lane));
                assert!(bits(have) == want, "{name}, depth {max_depth}, lane {lane}");
            }
        }
    }
    assert!(diverged, "nothing diverged");
}

#[test]
fn one_loop_makes_the_transitions_of_nested_ones() {
    for dtype in [DType::F32, DType::F64] {
        probpipe::with_default_float(dtype, || same(&DENSITIES, &[0, 1, 3, 10], 2, 12));
    }
}
