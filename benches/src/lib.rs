//! The workloads that the criterion benches and `cargo xtask bench` run. `peers/workloads.py` is
//! the same list in JAX; change both or neither. Inputs follow the formulas at its head.

#![forbid(unsafe_code)]

use probpipe::Shape;
use probpipe::prelude::*;

/// A program: a function of arrays, and arguments for it.
pub struct Workload {
    /// The name, as in `peers/workloads.py`.
    pub name: &'static str,
    /// The function.
    pub function: fn(Vec<Array>) -> Vec<Array>,
    /// Makes the arguments.
    pub inputs: fn() -> Vec<Array>,
    /// Largest difference from another device or from JAX that rounding explains, relative to the
    /// largest number of the result.
    pub tolerance: f64,
    /// Too long for the interpreter, or for a GPU that is emulated on the CPU.
    pub heavy: bool,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn workload(
    name: &'static str,
    inputs: fn() -> Vec<Array>,
    function: fn(Vec<Array>) -> Vec<Array>,
) -> Workload {
    Workload { name, function, inputs, tolerance: 1e-4, heavy: false }
}

impl Workload {
    const fn heavy(self) -> Workload {
        Workload { heavy: true, ..self }
    }
}

/// Every workload, in the order of the table.
pub const WORKLOADS: &[Workload] = &[
    workload("scalar_call", || vec![scalar(3.0)], |x| vec![scalar_call(&x[0])]),
    workload("logistic_200", || vec![grid(-10.0, 10.0, 200)], |x| vec![logistic(&x[0])]),
    workload("logistic_1e5", || vec![grid(-10.0, 10.0, 100_000)], |x| vec![logistic(&x[0])]),
    workload("logistic_1e7", || vec![grid(-10.0, 10.0, 10_000_000)], |x| vec![logistic(&x[0])])
        .heavy(),
    workload(
        "logistic_grad_1e5",
        || vec![grid(-10.0, 10.0, 100_000)],
        |x| vec![vmap(grad(|x: Array| logistic(&x)))(x[0].clone())],
    ),
    workload(
        "logistic_grad2_1e5",
        || vec![grid(-10.0, 10.0, 100_000)],
        |x| vec![vmap(grad(grad(|x: Array| logistic(&x))))(x[0].clone())],
    ),
    workload("chain_1e7", chain_inputs, |x| vec![chain(&x[0], &x[1], &x[2], &x[3])]).heavy(),
    workload(
        "score_200",
        || vec![grid(0.0, 4.0, 200)],
        |x| vec![vmap(grad(|x: Array| Normal::new(2.0, 0.5).log_prob(&x)))(x[0].clone())],
    ),
    workload("mc_loss_grad_5000", || vec![scalar(3.0)], |x| pair(mc_loss_grad(x[0].clone()))),
    workload(
        "mc_loss_grad_5000x50",
        || vec![grid(-3.0, 3.0, 50)],
        |x| pair(vmap(mc_loss_grad)(x[0].clone())),
    ),
    workload(
        "normal_1e6",
        || vec![Array::from_slice(&[0u32, 0], [2])],
        |x| vec![normal(Key::from_data(&x[0]), [1_000_000])],
    )
    .heavy(),
    workload("mle_200", || vec![mle_data()], |x| vec![mle(&x[0])]),
    workload(
        "mle_step",
        || vec![zeros([2]), mle_data()],
        |x| {
            let (params, loss) = mle_step(x[0].clone(), &x[1]);
            vec![params, loss]
        },
    ),
    workload("vi_300", || vec![zeros([2])], |x| pair(vi(x[0].clone()))),
    workload(
        "hmc_10d",
        || vec![zeros([10])],
        |x| {
            let scales = grid(0.5, 2.0, 10);
            pair(hmc(|q| (q / &scales).square().sum() * -0.5, x[0].clone(), 0.1, 20, 1000))
        },
    )
    .heavy(),
    workload("logreg_hmc", logreg_data, |x| {
        let log_prob = |w: Array| {
            let z = x[0].dot(&w);
            let softplus = z.logaddexp(0.0);
            (&x[1] * &z - softplus).sum() - w.square().sum() * 0.5
        };
        pair(hmc(log_prob, zeros([25]), 0.01, 10, 50))
    })
    .heavy(),
    workload("matmul_64", || matrices(64), |x| vec![x[0].matmul(&x[1])]),
    workload("matmul_512", || matrices(512), |x| vec![x[0].matmul(&x[1])]).heavy(),
    workload("matmul_2048", || matrices(2048), |x| vec![x[0].matmul(&x[1])]).heavy(),
    workload("cholesky_512", || vec![spd(512)], |x| vec![x[0].cholesky()]).heavy(),
    workload("scan_grad_10000", || vec![scalar(0.5)], |x| vec![grad(long_scan)(x[0].clone())]),
];

fn pair((a, b): (Array, Array)) -> Vec<Array> {
    vec![a, b]
}

fn scalar(x: f32) -> Array {
    Array::from_slice(&[x], [])
}

/// `lo + (hi - lo) (i / (n - 1))`, computed in f64 and rounded once.
fn grid(lo: f64, hi: f64, n: usize) -> Array {
    let at = |i: usize| (lo + (hi - lo) * (i as f64 / (n - 1) as f64)) as f32;
    Array::from_slice(&(0..n).map(at).collect::<Vec<f32>>(), [n])
}

/// `f(i)` for the row-major index, computed in f64 and rounded once.
fn by_index(shape: [usize; 2], f: impl Fn(f64) -> f64) -> Array {
    let data: Vec<f32> = (0..shape[0] * shape[1]).map(|i| f(i as f64) as f32).collect();
    Array::from_slice(&data, shape)
}

fn matrices(n: usize) -> Vec<Array> {
    vec![by_index([n, n], f64::sin), by_index([n, n], f64::cos)]
}

/// `M M^T / n + I` with `M = sin(iota)`, in f64 and rounded once.
fn spd(n: usize) -> Array {
    let m: Vec<f64> = (0..n * n).map(|i| (i as f64).sin()).collect();
    let data: Vec<f32> = (0..n * n)
        .map(|at| {
            let (i, j) = (at / n, at % n);
            let dot: f64 = (0..n).map(|k| m[i * n + k] * m[j * n + k]).sum();
            (dot / n as f64 + f64::from(u8::from(i == j))) as f32
        })
        .collect();
    Array::from_slice(&data, [n, n])
}

fn scalar_call(x: &Array) -> Array {
    -(x - 2.0) / 0.25 + x.sin() * (-x).exp()
}

fn logistic(x: &Array) -> Array {
    (1.0 + (-x).exp()).pow(-1)
}

fn chain_inputs() -> Vec<Array> {
    let n = 10_000_000;
    vec![grid(0.0, 1.0, n), grid(1.0, 2.0, n), grid(-1.0, 1.0, n), grid(0.5, 1.5, n)]
}

fn chain(a: &Array, b: &Array, c: &Array, d: &Array) -> Array {
    ((a * b + c) * (a - d) + b * c) * (a * d - 0.5 * c) + (b - d)
}

fn mc_loss_grad(loc: Array) -> (Array, Array) {
    value_and_grad(|loc: Array| Normal::new(loc, 1.0).sample(Key::new(42), [5000]).square().mean())(
        loc,
    )
}

fn mle_data() -> Array {
    normal(Key::new(1), [200]) * 0.8 + 2.5
}

fn mle_step(params: Array, data: &Array) -> (Array, Array) {
    let nll = |params: Array| {
        let q = Normal::new(params.at(0), params.at(1).exp());
        -vmap(|x: Array| q.log_prob(&x))(data.clone()).mean()
    };
    let (loss, g) = value_and_grad(nll)(params.clone());
    (params - g * 0.1, loss)
}

fn mle(data: &Array) -> Array {
    fori_loop(200, zeros([2]), |_, params| mle_step(params, data).0)
}

fn target(x: Array) -> Array {
    let left = Normal::new(-2.0, 0.5).log_prob(&x) + 0.3f64.ln();
    let right = Normal::new(2.0, 0.8).log_prob(&x) + 0.7f64.ln();
    left.logaddexp(right)
}

fn vi(params: Array) -> (Array, Array) {
    scan(params, arange(300), |params, i| {
        let elbo = |params: Array| {
            let (loc, scale) = (params.at(0), params.at(1).exp());
            let x = &loc + &scale * normal(Key::from_seed(&i), [500]);
            let log_q = Normal::new(&loc, &scale).log_prob(&x);
            (vmap(target)(x) - log_q).mean()
        };
        let (value, g) = value_and_grad(elbo)(params.clone());
        (params + g * 0.05, value)
    })
}

/// Hamiltonian Monte Carlo with an identity mass matrix: the final position and the mean of all.
fn hmc(
    log_prob: impl Fn(Array) -> Array,
    start: Array,
    step: f64,
    leapfrogs: usize,
    iterations: usize,
) -> (Array, Array) {
    let gradient = |q: &Array| grad(&log_prob)(q.clone());
    let first = (start.clone(), log_prob(start.clone()), gradient(&start));
    let ((q, _, _), positions) = scan(first, arange(iterations), |(q, lp, g), i| {
        let (k_momentum, k_accept) = Key::new(0).fold_in(&i).split();
        let p = normal(k_momentum, Shape::from_slice(q.shape()));
        let moved = fori_loop(leapfrogs, (q.clone(), p.clone(), g.clone()), |_, (q, p, g)| {
            let p = p + g * (0.5 * step);
            let q = q + &p * step;
            let g = gradient(&q);
            (q, p + &g * (0.5 * step), g)
        });
        let (q_new, p_new, g_new) = moved;
        let lp_new = log_prob(q_new.clone());
        let energy = |lp: &Array, p: &Array| lp - p.square().sum() * 0.5;
        let accept = uniform(k_accept, ()).log().lt(energy(&lp_new, &p_new) - energy(&lp, &p));
        let q = select(&accept, q_new, q);
        ((q.clone(), select(&accept, lp_new, lp), select(&accept, g_new, g)), q)
    });
    (q, positions.mean_axes([0]))
}

fn logreg_data() -> Vec<Array> {
    let x = normal(Key::new(7), [1000, 25]);
    let rows = x.to_vec::<f32>().unwrap_or_default();
    let y: Vec<f32> = rows
        .chunks(25)
        .map(|row| {
            let z: f64 = row
                .iter()
                .enumerate()
                .map(|(j, &v)| f64::from(v) * (-1.0 + 2.0 * j as f64 / 24.0))
                .sum();
            f32::from(u8::from(z > 0.0))
        })
        .collect();
    vec![x, Array::from_slice(&y, [1000])]
}

fn long_scan(x: Array) -> Array {
    fori_loop(10_000, scalar(0.0), |_, c| c.sin() * 0.9 + &x * 0.1)
}
