//! What the machine can do at best: bytes and multiply-adds per second.

use crate::simd::{Job, LANES, Lanes, widest};
use std::hint::black_box;
use std::time::Instant;

/// Bytes per second of a copy of `bytes` bytes within memory, read and written, by so many threads,
/// each with its part: the median of nine copies.
#[must_use]
pub fn copy_bandwidth(bytes: usize, threads: usize) -> f64 {
    let part = bytes.div_ceil(threads.max(1)).max(1);
    let from = vec![1u8; bytes];
    let mut to = vec![0u8; bytes];
    let seconds = median(9, || {
        let (first, rest) = to.split_at_mut(part);
        std::thread::scope(|scope| {
            for (to, from) in rest.chunks_mut(part).zip(from.chunks(part).skip(1)) {
                scope.spawn(|| to.copy_from_slice(black_box(from)));
            }
            first.copy_from_slice(black_box(&from[..part]));
        });
        black_box(&mut to);
    });
    2.0 * bytes as f64 / seconds
}

/// The workload `chain` on parts of its four arrays.
struct Chain<'a> {
    inputs: [&'a [f32]; 4],
    output: &'a mut [f32],
}

impl Job for Chain<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let n = self.output.len();
        let [a, b, c, d] = self.inputs;
        let (a, b, c, d) = (&a[..n], &b[..n], &c[..n], &d[..n]);
        for (i, out) in self.output.iter_mut().enumerate() {
            let (a, b, c, d) = (a[i], b[i], c[i], d[i]);
            *out = ((a * b + c) * (a - d) + b * c) * (a * d - 0.5 * c) + (b - d);
        }
    }
}

/// Bytes per second of the workload `chain` by hand, on four arrays of `n` numbers and into a
/// fifth that is in memory already, by so many threads: the median of nine turns.
#[must_use]
pub fn chain_bandwidth(n: usize, threads: usize) -> f64 {
    let part = n.div_ceil(threads.max(1)).max(1);
    let inputs: [Vec<f32>; 4] = std::array::from_fn(|k| vec![k as f32; n]);
    let mut output = vec![0f32; n];
    let seconds = median(9, || {
        let whole: [&[f32]; 4] = std::array::from_fn(|k| black_box(&inputs[k][..]));
        let piece = |i: usize| whole.map(|x| &x[i * part..]);
        let (first, rest) = output.split_at_mut(part);
        std::thread::scope(|scope| {
            for (i, output) in rest.chunks_mut(part).enumerate() {
                let inputs = piece(i + 1);
                scope.spawn(move || widest(Chain { inputs, output }));
            }
            widest(Chain { inputs: piece(0), output: first });
        });
        black_box(&mut output);
    });
    20.0 * n as f64 / seconds
}

fn median(times: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut samples: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[times / 2]
}

/// Rounds of [`Fma`].
const ROUNDS: usize = 100_000;
/// Registers that take turns, to hide the latency of a multiply-add.
const CHAINS: usize = 12;

/// Chains of multiply-adds in registers.
struct Fma {
    factor: f64,
    term: f64,
}

impl Job for Fma {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self) -> f64 {
        let (factor, term) = (L::splat(self.factor), L::splat(self.term));
        let mut chains = [term; CHAINS];
        for _ in 0..ROUNDS {
            for chain in &mut chains {
                *chain = chain.fma(factor, term);
            }
        }
        let mut total = term;
        for chain in chains {
            total = total.add(chain);
        }
        total.sum()
    }
}

/// Operations per second of multiply-adds in registers, of `f64` by one thread. As many registers
/// of `f32` hold twice the numbers.
#[must_use]
pub fn fma_peak_f64() -> f64 {
    let seconds = median(15, || {
        black_box(widest(Fma { factor: black_box(0.999), term: black_box(0.001) }));
    });
    (2 * ROUNDS * CHAINS * LANES) as f64 / seconds
}
