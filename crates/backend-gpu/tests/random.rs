//! Random programs of elementwise ops, reductions, relayouts and loops, against the interpreter:
//! what fusion, loops in one shader and shared memory do to each other is more than anyone lists.
//! Values stay in [-2, 2], so that rounding differences do not grow. Seeds are printed.

mod common;
/// Runs programs statement by statement: tells a fault of the lowering from one of this crate.
#[path = "../../lowering/tests/common/mod.rs"]
#[allow(dead_code)]
mod machine;

use common::{adapter_or_skip, distance, f32s, graph_of, noise};
use probpipe_lowering::Options;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Value, arange, concat, eval::eval_graph, fori_loop, scan,
    scan_reverse, verify,
};

/// A small reproducible source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// One array of the shape `[n, 3]` from others of that shape.
fn step(c: &mut Choices, pool: &[Array], n: usize, depth: usize) -> Array {
    let x = c.pick(pool).clone();
    let y = c.pick(pool).clone();
    match c.below(if depth == 0 { 10 } else { 14 }) {
        0 => &x * 0.5 + &y * 0.5,
        1 => (&x * 0.9 + 0.1).sin(),
        2 => x.maximum(&y) - 0.25,
        // Continuous where the condition turns, or a rounding would decide.
        3 => probpipe_trace::select(&x.lt(&y), &x, &y) * 0.9,
        4 => x.sum_axes([1]).reshape([n, 1]).tanh() * &y,
        5 => (x.sum_axes([0]) * 0.01).tanh() + &y * 0.5,
        6 => x.flip(0) * 0.7,
        7 => x.flip(1) * 0.7 + 0.1,
        8 => concat(&[x.slice_axis(1, 1..3), y.slice_axis(1, 0..1)], 1),
        9 => x.max_axes([1]).reshape([n, 1]) - x.min_axes([0]) * 0.5 + &y * 0.1,
        10 => {
            let steps = 1 + c.below(4);
            let body = c.0;
            c.below(2);
            fori_loop(steps, x, |i, q| {
                let mut c = Choices(body);
                let extra = &q * 0.5 + i.cast(DType::F32) * 0.1;
                chain(&mut c, vec![q, extra, y.clone()], n, depth - 1, 3) * 0.5
            })
        }
        11 => {
            let body = c.0;
            c.below(2);
            fori_loop(3, (x, y), |_, (a, b)| {
                let mut c = Choices(body);
                let next = chain(&mut c, vec![a.clone(), b.clone()], n, depth - 1, 2);
                (b, next * 0.5)
            })
            .0
        }
        12 => {
            let body = c.0;
            let reverse = c.below(2) == 0;
            let run = |q: Array, t: Array| {
                let mut c = Choices(body);
                let q = chain(&mut c, vec![q, y.clone()], n, depth - 1, 3) * 0.5
                    + t.cast(DType::F32) * 0.1;
                (q.clone(), q.sum_axes([1]).tanh())
            };
            let (q, ys) =
                if reverse { scan_reverse(x, arange(3), run) } else { scan(x, arange(3), run) };
            q + ys.swap_axes(0, 1) * 0.1
        }
        _ => {
            // A shared number beside the carry of lanes, and stacked input.
            let xs = concat(&[x.reshape([1, n, 3]), y.reshape([1, n, 3])], 0);
            let body = c.0;
            c.below(2);
            let ((q, s), _) = scan((&x * 0.5, x.sum().tanh()), xs, |(q, s), x| {
                let mut c = Choices(body);
                let q = chain(&mut c, vec![q, x], n, depth - 1, 2) * 0.5 + &s * 0.1;
                ((q.clone(), &s * 0.9 + 0.01), s)
            });
            q + s
        }
    }
}

fn chain(c: &mut Choices, mut pool: Vec<Array>, n: usize, depth: usize, steps: usize) -> Array {
    for _ in 0..steps {
        let next = step(c, &pool, n, depth);
        pool.push(next);
    }
    // Two of the last, so that one program has several users of one value.
    let last = pool.len() - 1;
    &pool[last] * 0.6 + &pool[last.saturating_sub(1)] * 0.4
}

#[test]
fn random_programs() {
    let Some(gpu) = adapter_or_skip() else { return };
    let count: u64 =
        std::env::var("PROBPIPE_RANDOM").ok().and_then(|v| v.parse().ok()).unwrap_or(12);
    let first: u64 = std::env::var("PROBPIPE_SEED").ok().and_then(|v| v.parse().ok()).unwrap_or(0);
    for seed in first..first + count {
        let mut c = Choices(seed);
        let n = *c.pick(&[1, 2, 5, 40, 300]);
        let inputs: Vec<Value> = (0..3).map(|i| f32s(&noise(n * 3, i), &[n, 3])).collect();
        let types: Vec<ArrayType> = inputs.iter().map(|v| v.ty().clone()).collect();
        let graph = graph_of(&types, |x| {
            let a = chain(&mut c, x.to_vec(), n, 2, 4);
            let b = chain(&mut c, vec![a.clone(), x[1].clone()], n, 1, 2);
            vec![a, b.clone(), b.sum()]
        });
        let refs: Vec<&Value> = inputs.iter().collect();
        let want = eval_graph(&graph, &refs).unwrap();
        let program =
            gpu.compile(verify(&graph).unwrap()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        // Twice: the arena keeps what the first call left.
        for _ in 0..2 {
            let got = program.run(&refs).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            for (i, (w, g)) in want.iter().zip(&got).enumerate() {
                let far = distance(w, g).into_iter().fold(0.0, f64::max);
                // A sum of 900 terms, and choices that hang on a rounding, get more.
                let allowed = if i == 2 { 4096.0 } else { 256.0 };
                if far > allowed {
                    let options = Options {
                        element_bytes: probpipe_backend_gpu::wgsl::element_bytes,
                        alignment: 32,
                        library_matmul: Some(1 << 15),
                        guarded: usize::MAX,
                        ..Options::default()
                    };
                    machine::check(&graph, &refs, &options);
                }
                assert!(
                    far <= allowed,
                    "seed {seed}, n {n}, result {i}: {far} ulp\n{graph}\n{:?}",
                    program.stages()
                );
            }
        }
    }
}
