//! Draws of which the density says more than a part does: directions, angles, orders, and those
//! that are mixed or sure.

use crate::golden::floats;
use crate::vectors::entry;
use crate::{N, cells_follow, follows, moments};
use probpipe::distributions::*;
use probpipe::prelude::*;
use probpipe_testing::statistics::chi_square;

/// Frequencies of directions on a circle, and of two angles, in cells whose probabilities are sums
/// over the densities of many points.
#[test]
fn directions_follow_their_densities() {
    use std::f64::consts::{PI, TAU};
    fn circle<D: LogProb<Value = Array> + Sample>(what: &str, d: D) {
        let (cells, fine) = (50usize, 40usize);
        let step = TAU / (cells * fine) as f64;
        let angles: Vec<f64> = (0..cells * fine).map(|k| (k as f64 + 0.5) * step - PI).collect();
        let at = Array::from_slice(&angles, [angles.len()]);
        let x = stack([at.cos(), at.sin()], -1);
        let density = floats(&d.prob(&x.cast(DType::F32)));
        let expected: Vec<f64> =
            density.chunks(fine).map(|part| part.iter().sum::<f64>() * step * N as f64).collect();
        let draws = jit(|key: Key| {
            let x = d.sample(key, [N]);
            entry(&x, 1).atan2(entry(&x, 0))
        })(Key::new(20_267));
        let mut observed = vec![0u64; cells];
        for angle in floats(&draws) {
            let cell = ((angle + PI) / TAU * cells as f64) as usize;
            observed[cell.min(cells - 1)] += 1;
        }
        cells_follow(what, observed, expected);
    }
    circle("VonMisesFisher", VonMisesFisher::new([0.6, 0.8], 3.0));
    circle("PowerSpherical", PowerSpherical::new([0.6, 0.8], 3.0));
    circle("ProjectedNormal", ProjectedNormal::new([0.6, -0.8]));
    circle("SphericalUniform", SphericalUniform::new(2));
    fn torus<D: LogProb<Value = Array> + Sample>(what: &str, d: D) {
        let (cells, fine) = (12usize, 16usize);
        // The second angle is found by halving.
        let draws_of = N;
        let n = cells * fine;
        let step = TAU / n as f64;
        let line = (probpipe::arange(n).cast(DType::F32) + 0.5) * step - PI;
        let first = line.expand_dims(-1).broadcast_to([n, n]);
        let second = line.expand_dims(0).broadcast_to([n, n]);
        let density = floats(&d.prob(&stack([first, second], -1)));
        let mut expected = vec![0.0; cells * cells];
        for (k, p) in density.iter().enumerate() {
            expected[k / n / fine * cells + k % n / fine] += p * step * step * draws_of as f64;
        }
        let draws = jit(|key: Key| d.sample(key, [draws_of]))(Key::new(20_268));
        let place = |angle: f64| (((angle + PI) / TAU * cells as f64) as usize).min(cells - 1);
        let mut observed = vec![0u64; cells * cells];
        for both in floats(&draws).chunks(2) {
            observed[place(both[0]) * cells + place(both[1])] += 1;
        }
        cells_follow(what, observed, expected);
    }
    torus("SineBivariateVonMises", SineBivariateVonMises::new(0.5, -1.0, 1.5, 2.5, 1.2));
    torus("two modes", SineBivariateVonMises::new(0.5, -1.0, 0.8, 1.5, -2.5));
    let angles = Independent::new(VonMises::new([0.5, -1.0], [1.5, 0.8]), 1);
    torus("SineSkewed", SineSkewed::new(angles, [0.6, -0.3]));
}

/// All orders of three things.
#[test]
fn orders_follow_their_distribution() {
    let d = PlackettLuce::new([1.0, 2.5, 0.7]);
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_269)).to_vec::<i32>().unwrap();
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut observed = vec![0u64; 6];
    for order in draws.chunks(3) {
        observed[orders.iter().position(|o| o[..] == *order).expect("an order of three")] += 1;
    }
    let probs = floats(&d.prob(&array(orders)));
    cells_follow("PlackettLuce", observed, probs.iter().map(|p| p * N as f64).collect());
}

/// All subsets of four things, of two kernels at once, one of which has but two eigenvalues.
#[test]
fn subsets_follow_their_distribution() {
    let x = normal(Key::new(20_270), [4, 4]);
    let (_, vectors) = x.matmul(x.transpose()).eigh();
    let d = DeterminantalPointProcess::new([[0.2, 1.5, 4.0, 0.7], [0.0, 3.0, 0.0, 1.0]], vectors);
    let draws = floats(&jit(|key: Key| d.sample(key, [N]))(Key::new(20_271)));
    let mut observed = [[0u64; 16]; 2];
    for (k, draw) in draws.chunks(4).enumerate() {
        let set = draw.iter().rev().fold(0, |set, x| 2 * set + *x as usize);
        observed[k % 2][set] += 1;
    }
    let probs = floats(&d.enumerate().expect("sixteen").1);
    for (k, observed) in observed.iter().enumerate() {
        let expected: Vec<f64> = (0..16).map(|set| probs[2 * set + k] * N as f64).collect();
        for (o, e) in observed.iter().zip(&expected) {
            assert!(*o == 0 || *e > 0.0, "{o} of an impossible subset");
        }
        cells_follow("DeterminantalPointProcess", observed.to_vec(), expected);
    }
}

/// Those whose draws have points of more than no probability, or a series for their density.
#[test]
fn mixed_and_sure_draws() {
    for (what, gate, x, below) in [
        (
            "HurdleGamma",
            0.25,
            HurdleGamma::new(0.25, 2.0, 1.0).sample(Key::new(1), N),
            (|y| Gamma::new(2.0, 1.0).cdf(&y)) as fn(Array) -> Array,
        ),
        ("HurdleLogNormal", 0.4, HurdleLogNormal::new(0.4, 0.5, 0.7).sample(Key::new(2), N), |y| {
            LogNormal::new(0.5, 0.7).cdf(&y)
        }),
    ] {
        let draws = floats(&x);
        let some: Vec<f64> = draws.iter().copied().filter(|&x| x > 0.0).collect();
        let none = (draws.len() - some.len()) as u64;
        let expected = [gate * N as f64, (1.0 - gate) * N as f64];
        chi_square(&[none, some.len() as u64], &expected, 0).accept(what, 1e-5);
        follows(what, &some, below);
    }
    // Eight summands of the series of PG(1, 0), each with its mean and variance.
    let draws = floats(&jit(|key: Key| TruncatedPolyaGamma::new().sample(key, N))(Key::new(3)));
    let part = |k: i32| 0.5 / (std::f64::consts::PI * (f64::from(k) + 0.5)).powi(2);
    let centre: f64 = (0..8).map(part).sum();
    let spread: f64 = (0..8).map(|k| part(k).powi(2)).sum();
    moments("TruncatedPolyaGamma", &draws, [centre, spread]);
    let sure = Delta::new(1.5).sample(Key::new(0), 3);
    assert_eq!(sure.to_vec::<f32>().unwrap(), [1.5; 3]);
}
