//! The programs that `cargo xtask bench` measures, with what is asked of each. `peers/workloads.py`
//! is the same list in JAX; change both or neither.

use crate::by_hand::{self, Climbed};
use crate::generative;
use crate::inputs::{chain_inputs, grid, line_data, logreg_data, matrices, mle_data, scalar, spd};
use crate::posteriors::{self, STEPS};
use crate::states;
use probpipe::optimize::{Bfgs, minimize};
use probpipe::prelude::*;
use probpipe::{DType, Shape};

/// A program: a function of arrays, arguments for it, and how fast it should be.
pub struct Workload {
    /// The name, as in `peers/workloads.py`.
    pub name: &'static str,
    function: fn(Vec<Array>) -> Vec<Array>,
    inputs: fn() -> Vec<Array>,
    /// The float type of its literals and inputs.
    pub dtype: DType,
    /// Largest difference from another device or from JAX that rounding explains, relative to the
    /// largest number of the result.
    pub tolerance: f64,
    /// Too long for the interpreter, or for a GPU that is emulated on the CPU.
    pub heavy: bool,
    /// How often it does the work whose time is reported.
    pub repeats: usize,
    /// JAX's time over ours that is asked for on the CPU.
    pub target: f64,
    /// JAX's time to compile over ours that is asked for on the CPU.
    pub compile_target: f64,
    /// What its time is held against.
    pub limit: Limit,
}

/// Steps along a gradient, written by hand: of the arguments' elements, and how many.
pub type ByHand = fn(&[&[f64]], usize) -> Climbed;

/// What bounds the speed of a workload, whoever compiles it.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Nothing that is measured.
    None,
    /// The bandwidth of memory: the bytes read and written.
    Memory(f64),
    /// The multiply-adds that the processor can do: floating-point operations.
    Arithmetic(f64),
    /// The same work written by hand in Rust.
    ByHand(ByHand),
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What is asked of a compilation, if not more: JAX's time over ours.
const COMPILE_TARGET: f64 = 30.0;
/// What is asked of the geometric mean of all ratios.
pub const MEAN_TARGET: f64 = 3.0;
/// What is asked of work that memory bounds: the part of its bandwidth.
pub const MEMORY_TARGET: f64 = 0.85;
/// What is asked of work that is also written by hand: our time over its time.
pub const BY_HAND_TARGET: f64 = 1.5;
/// The same where operations may be contracted, as in the loop by hand.
pub const CONTRACTED_TARGET: f64 = 1.3;
/// What is asked of the peak memory of the whole table: JAX's over ours.
pub const PEAK_TARGET: f64 = 4.0;

const fn workload(
    name: &'static str,
    target: f64,
    inputs: fn() -> Vec<Array>,
    function: fn(Vec<Array>) -> Vec<Array>,
) -> Workload {
    Workload {
        name,
        function,
        inputs,
        dtype: DType::F32,
        tolerance: 1e-4,
        heavy: false,
        repeats: 1,
        target,
        compile_target: COMPILE_TARGET,
        limit: Limit::None,
    }
}

impl Workload {
    const fn heavy(self) -> Workload {
        Workload { heavy: true, ..self }
    }

    /// In `f64`.
    const fn double(self) -> Workload {
        Workload { dtype: DType::F64, ..self }
    }

    const fn compiles(self, compile_target: f64) -> Workload {
        Workload { compile_target, ..self }
    }

    const fn limit(self, limit: Limit) -> Workload {
        Workload { limit, ..self }
    }

    const fn posterior(self, by_hand: ByHand) -> Workload {
        let limit = Limit::ByHand(by_hand);
        Workload { dtype: DType::F64, heavy: true, repeats: STEPS, limit, ..self }
    }

    /// The arguments.
    #[must_use]
    pub fn inputs(&self) -> Vec<Array> {
        with_default_float(self.dtype, self.inputs)
    }

    /// The program.
    #[must_use]
    pub fn run(&self, x: Vec<Array>) -> Vec<Array> {
        with_default_float(self.dtype, || (self.function)(x))
    }
}

const LONG: usize = 10_000_000;

/// Every workload, in the order of the table.
pub const WORKLOADS: &[Workload] = &[
    workload("scalar_call", 20.0, || vec![scalar(3.0)], |x| vec![scalar_call(&x[0])]),
    workload("logistic_200", 1.0, || wide(200), |x| vec![logistic(&x[0])]),
    workload("logistic_1e5", 3.0, || wide(100_000), |x| vec![logistic(&x[0])]),
    workload("logistic_1e5_f64", 3.0, || wide(100_000), |x| vec![logistic(&x[0])]).double(),
    workload("logistic_1e7", 1.0, || wide(LONG), |x| vec![logistic(&x[0])]).heavy(),
    workload("logistic_grad_1e5", 6.0, || wide(100_000), slope),
    workload("logistic_grad_1e5_f64", 6.0, || wide(100_000), slope).double(),
    workload("logistic_grad2_1e5", 6.0, || wide(100_000), bend),
    workload("logistic_grad2_1e5_f64", 6.0, || wide(100_000), bend).double(),
    workload("chain_1e7", 1.3, || chain_inputs(LONG), chain)
        .heavy()
        .limit(Limit::Memory(5.0 * 4.0 * LONG as f64)),
    workload("chain_1e7_f64", 1.3, || chain_inputs(LONG), chain)
        .heavy()
        .double()
        .limit(Limit::Memory(5.0 * 8.0 * LONG as f64)),
    workload("score_200", 15.0, || vec![grid(0.0, 4.0, 200)], score),
    workload("mc_loss_grad_5000", 4.0, || vec![scalar(3.0)], |x| pair(mc_loss_grad(x[0].clone()))),
    workload(
        "mc_loss_grad_5000x50",
        3.0,
        || vec![grid(-3.0, 3.0, 50)],
        |x| pair(vmap(mc_loss_grad)(x[0].clone())),
    ),
    workload(
        "normal_1e6",
        3.0,
        || vec![Array::from_slice(&[0u32, 0], [2])],
        |x| vec![normal(Key::from_data(&x[0]), [1_000_000])],
    )
    .heavy(),
    workload("mle_200", 3.0, || vec![mle_data()], |x| vec![mle(&x[0])]),
    workload(
        "mle_step",
        1.0,
        || vec![zeros([2]), mle_data()],
        |x| pair(mle_step(x[0].clone(), &x[1])),
    ),
    workload("vi_300", 4.0, || vec![zeros([2])], |x| pair(vi(x[0].clone()))),
    workload("map_2000", 3.0, line_data, |x| vec![map_fit(&x[0], &x[1])]).heavy(),
    workload("generative_simulate", 3.0, generative::key_data, generative::simulate).compiles(50.0),
    workload("generative_importance", 3.0, generative::key_and_points, generative::importance)
        .compiles(50.0),
    workload("generative_map", 3.0, generative::key_and_points, generative::map)
        .heavy()
        .compiles(50.0),
    workload("laplace", 5.0, || vec![zeros([2])], |x| pair(laplace(x[0].clone()))),
    workload("hmc_10d", 3.0, || vec![zeros([10])], hmc_10d).heavy(),
    workload("hmc_10d_f64", 3.0, || vec![zeros([10])], hmc_10d).heavy().double(),
    workload("logreg_hmc", 3.0, logreg_data, logreg_hmc).heavy(),
    workload("logreg_hmc_f64", 3.0, logreg_data, logreg_hmc).heavy().double(),
    workload("matmul_64", 1.5, || matrices(64), |x| vec![x[0].matmul(&x[1])])
        .limit(Limit::Arithmetic(2.0 * 64.0 * 64.0 * 64.0)),
    workload("matmul_512", 1.0, || matrices(512), |x| vec![x[0].matmul(&x[1])])
        .heavy()
        .limit(Limit::Arithmetic(2.0 * 512.0 * 512.0 * 512.0)),
    workload("matmul_2048", 1.0, || matrices(2048), |x| vec![x[0].matmul(&x[1])])
        .heavy()
        .limit(Limit::Arithmetic(2.0 * 2048.0 * 2048.0 * 2048.0)),
    workload("cholesky_512", 1.5, || vec![spd(512)], |x| vec![x[0].cholesky()])
        .heavy()
        .limit(Limit::Arithmetic(512.0 * 512.0 * 512.0 / 3.0)),
    workload("scan_grad_10000", 1.0, || vec![scalar(0.5)], |x| vec![grad(long_scan)(x[0].clone())]),
    workload("after_product", 1.0, states::square_32, states::after_product),
    workload("after_solve", 1.0, states::square_32, states::after_solve),
    workload("after_sort", 1.0, states::row_256, states::after_sort),
    workload("after_special", 1.0, states::row_256, states::after_special),
    workload("after_kernel", 1.0, states::row_256, states::after_kernel),
    workload("after_host", 1.0, states::row_256, states::after_host),
    workload("newton_grad_200x5", 1.0, states::newton_data, states::newton_grad).double(),
    workload("exp_tail_2e4", 1.0, states::tail_20000, states::exp_tail),
    workload("mixture_tail_500", 1.0, states::far_500, states::mixture_tail),
    workload("decay_10000", 1.0, states::one, states::decay),
    workload(
        "eight_schools",
        1.0,
        || posteriors::EIGHT_SCHOOLS.inputs(),
        |x| posteriors::EIGHT_SCHOOLS.climb(&x),
    )
    .posterior(by_hand::eight_schools),
    workload("kidscore", 1.0, || posteriors::KIDSCORE.inputs(), |x| posteriors::KIDSCORE.climb(&x))
        .posterior(by_hand::kidscore),
    workload("arK", 1.0, || posteriors::AR_K.inputs(), |x| posteriors::AR_K.climb(&x))
        .posterior(by_hand::ar_k),
    workload(
        "nes_logit",
        1.0,
        || posteriors::NES_LOGIT.inputs(),
        |x| posteriors::NES_LOGIT.climb(&x),
    )
    .posterior(by_hand::nes_logit),
    workload("garch11", 1.0, || posteriors::GARCH11.inputs(), |x| posteriors::GARCH11.climb(&x))
        .posterior(by_hand::garch11),
];

fn wide(n: usize) -> Vec<Array> {
    vec![grid(-10.0, 10.0, n)]
}

fn pair((a, b): (Array, Array)) -> Vec<Array> {
    vec![a, b]
}

fn scalar_call(x: &Array) -> Array {
    -(x - 2.0) / 0.25 + x.sin() * (-x).exp()
}

fn logistic(x: &Array) -> Array {
    (1.0 + (-x).exp()).pow(-1)
}

fn slope(x: Vec<Array>) -> Vec<Array> {
    vec![vmap(grad(|x: Array| logistic(&x)))(x[0].clone())]
}

fn bend(x: Vec<Array>) -> Vec<Array> {
    vec![vmap(grad(grad(|x: Array| logistic(&x))))(x[0].clone())]
}

/// Eleven operations on four streams.
pub(crate) fn chain(x: Vec<Array>) -> Vec<Array> {
    let (a, b, c, d) = (&x[0], &x[1], &x[2], &x[3]);
    vec![((a * b + c) * (a - d) + b * c) * (a * d - 0.5 * c) + (b - d)]
}

fn score(x: Vec<Array>) -> Vec<Array> {
    vec![vmap(grad(|x: Array| Normal::new(2.0, 0.5).log_prob(&x)))(x[0].clone())]
}

fn mc_loss_grad(loc: Array) -> (Array, Array) {
    value_and_grad(|loc: Array| Normal::new(loc, 1.0).sample(Key::new(42), [5000]).square().mean())(
        loc,
    )
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

/// Gradient ascent on the log posterior of the centre of `x` and of a line through `(x, y)`, all
/// three under normal priors: 2,000 steps.
fn map_fit(x: &Array, y: &Array) -> Array {
    let log_joint = |q: Array| {
        let line = q.at(1) * x + q.at(2);
        Normal::new(0.0, 3.0).log_prob(&q).sum()
            + Normal::new(q.at(0), 1.0).log_prob(x).sum()
            + Normal::new(line, 1.0).log_prob(y).sum()
    };
    let gradient = grad(log_joint);
    fori_loop(2000, zeros([3]), |_, q: Array| &q + gradient(q.clone()) * 1e-3)
}

/// The mode of a Student-t density in two dimensions by BFGS, and the inverse of the curvature
/// there.
fn laplace(start: Array) -> (Array, Array) {
    let (nu, mu) = (7.0, array([0.5, 2.0]));
    let sigma = array([[1.0, 0.5], [0.5, 1.0]]);
    let loss = |theta: Array| {
        let from_mode = theta - &mu;
        let distance = from_mode.dot(&sigma.solve(&from_mode));
        (distance / nu).log1p() * (0.5 * (nu + 2.0))
    };
    let mode = minimize(loss, start, Bfgs::default()).x;
    let covariance = hessian(loss)(mode.clone()).inv();
    (mode, covariance)
}

/// Hamiltonian Monte Carlo with an identity mass matrix: the final position and the mean of all.
fn hmc(
    log_prob: impl Fn(Array) -> Array,
    start: Array,
    step: f64,
    leapfrogs: usize,
    iterations: usize,
) -> (Array, Array) {
    hmc_with(|i| Key::new(0).fold_in(i), log_prob, start, step, leapfrogs, iterations)
}

/// The same with a key of one's own for each iteration.
pub(crate) fn hmc_with(
    key: impl Fn(&Array) -> Key,
    log_prob: impl Fn(Array) -> Array,
    start: Array,
    step: f64,
    leapfrogs: usize,
    iterations: usize,
) -> (Array, Array) {
    let gradient = |q: &Array| grad(&log_prob)(q.clone());
    let first = (start.clone(), log_prob(start.clone()), gradient(&start));
    let ((q, _, _), positions) = scan(first, arange(iterations), |(q, lp, g), i| {
        let (k_momentum, k_accept) = key(&i).split();
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

fn hmc_10d(x: Vec<Array>) -> Vec<Array> {
    let scales = grid(0.5, 2.0, 10);
    pair(hmc(|q| (q / &scales).square().sum() * -0.5, x[0].clone(), 0.1, 20, 1000))
}

fn logreg_hmc(x: Vec<Array>) -> Vec<Array> {
    let log_prob = |w: Array| {
        let z = x[0].dot(&w);
        let softplus = z.logaddexp(0.0);
        (&x[1] * &z - softplus).sum() - w.square().sum() * 0.5
    };
    pair(hmc(log_prob, zeros([25]), 0.01, 10, 50))
}

fn long_scan(x: Array) -> Array {
    fori_loop(10_000, scalar(0.0), |_, c| c.sin() * 0.9 + &x * 0.1)
}
