"""The workloads of `cargo xtask bench`, as JAX programs.

Each workload is one function of arrays, compiled as one program by `jax.jit`.
Its name, its arguments and its outputs are shared with the Rust side, which
runs the same mathematics under the same name; change both or neither.

Everything is f32 (x64 is off), but in the workloads whose names end in `_f64` and
in those of `posteriors.py`. Random inputs use threefry2x32 keys in JAX's
partitionable layout (its default).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.optimize import minimize

from registry import WORKLOADS, cos_iota, grid, iota, real, scalar, sin_iota, u32, workload, zeros
import generative, posteriors  # register their own

# --- Pieces ---------------------------------------------------------------------

LOG_2PI = float(np.log(2.0 * np.pi))


def normal_log_prob(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - 0.5 * LOG_2PI


def hmc(log_prob, q0, step, leapfrogs, iterations):
    """HMC with an identity mass matrix: the final position, the mean of all positions.

    Iteration i: key = fold_in(PRNGKey(0), i); k_mom, k_acc = split(key);
    p ~ normal(k_mom); accept when log(uniform(k_acc)) < H_old - H_new.
    The log-density and its gradient at the current position are carried from
    one iteration to the next: an iteration costs `leapfrogs` gradients and one
    log-density. The mean is over positions after each iteration, accepted or not.
    """
    grad = jax.grad(log_prob)

    def leapfrog(_, state):
        q, p, g = state
        p = p + 0.5 * step * g
        q = q + step * p
        g = grad(q)
        p = p + 0.5 * step * g
        return q, p, g

    def iteration(carry, i):
        q, lp, g = carry
        k_mom, k_acc = jax.random.split(jax.random.fold_in(jax.random.PRNGKey(0), i))
        p = jax.random.normal(k_mom, q.shape)
        q_new, p_new, g_new = lax.fori_loop(0, leapfrogs, leapfrog, (q, p, g))
        lp_new = log_prob(q_new)
        log_ratio = (lp_new - 0.5 * jnp.sum(p_new**2)) - (lp - 0.5 * jnp.sum(p**2))
        accept = jnp.log(jax.random.uniform(k_acc)) < log_ratio
        q = jnp.where(accept, q_new, q)
        lp = jnp.where(accept, lp_new, lp)
        g = jnp.where(accept, g_new, g)
        return (q, lp, g), q

    (q, _, _), positions = lax.scan(iteration, (q0, log_prob(q0), grad(q0)), jnp.arange(iterations))
    return q, jnp.mean(positions, axis=0)


# --- Calls, elementwise work and its derivatives ----------------------------------


# What one call costs when there is next to nothing to compute. x = 3.
@workload("scalar_call", (), inputs=lambda: [scalar(3.0)])
def scalar_call(x):
    return -(x - 2.0) / 0.25 + jnp.sin(x) * jnp.exp(-x)


def logistic(x):
    return (1.0 + jnp.exp(-x)) ** -1


# x = grid(-10, 10, n), for each n and for each of the first derivatives.
for _name, _fn, _n, _double in [
    ("logistic_200", logistic, 200, False),
    ("logistic_1e5", logistic, 100_000, "both"),
    ("logistic_1e7", logistic, 10_000_000, False),
    ("logistic_grad_1e5", jax.vmap(jax.grad(logistic)), 100_000, "both"),
    ("logistic_grad2_1e5", jax.vmap(jax.grad(jax.grad(logistic))), 100_000, "both"),
]:
    workload(_name, (_n,), inputs=lambda n=_n: [grid(-10.0, 10.0, n)], double=_double)(_fn)

N_CHAIN = 10_000_000


# Ten flops on four streams: memory bandwidth, if the chain is fused.
@workload(
    "chain_1e7",
    *[(N_CHAIN,)] * 4,
    inputs=lambda: [
        grid(0.0, 1.0, N_CHAIN),
        grid(1.0, 2.0, N_CHAIN),
        grid(-1.0, 1.0, N_CHAIN),
        grid(0.5, 1.5, N_CHAIN),
    ],
    double="both",
)
def chain(a, b, c, d):
    return ((a * b + c) * (a - d) + b * c) * (a * d - 0.5 * c) + (b - d)


# --- Scores and Monte Carlo gradients ---------------------------------------------


# The score of Normal(2, 0.5) on grid(0, 4, 200).
@workload("score_200", (200,), inputs=lambda: [grid(0.0, 4.0, 200)])
def score(xs):
    return jax.vmap(jax.grad(lambda x: normal_log_prob(x, 2.0, 0.5)))(xs)


def expected_quadratic_loss(loc):
    samples = loc + 1.0 * jax.random.normal(jax.random.PRNGKey(42), (5000,))
    return jnp.mean(samples**2)


# The key is part of the program, as in the notebook this comes from, so a
# compiler may draw the samples while it compiles. Outputs: loss, gradient.
@workload("mc_loss_grad_5000", (), inputs=lambda: [scalar(3.0)])
def mc_loss_grad(loc):
    return jax.value_and_grad(expected_quadratic_loss)(loc)


# The same at every loc of grid(-3, 3, 50). Outputs: losses, gradients.
@workload("mc_loss_grad_5000x50", (50,), inputs=lambda: [grid(-3.0, 3.0, 50)])
def mc_loss_grad_vmapped(locs):
    return jax.vmap(jax.value_and_grad(expected_quadratic_loss))(locs)


# A million standard normals. The argument is the data of PRNGKey(0), u32 [0, 0];
# as an argument it cannot be folded away.
@workload("normal_1e6", u32(2), inputs=lambda: [np.zeros(2, dtype=np.uint32)])
def normal_1e6(key_data):
    key = jax.random.wrap_key_data(key_data, impl="threefry2x32")
    return jax.random.normal(key, (1_000_000,))


# --- Optimisation loops -------------------------------------------------------------


# data = normal(PRNGKey(1), 200) * 0.8 + 2.5
def mle_data():
    return jax.random.normal(jax.random.PRNGKey(1), (200,)) * 0.8 + 2.5


def neg_log_likelihood(params, data):
    loc, log_scale = params
    scale = jnp.exp(log_scale)
    return -jnp.mean(jax.vmap(lambda x: normal_log_prob(x, loc, scale))(data))


# 200 steps of gradient descent from (0, 0) at rate 0.1, one program.
# Output: (loc, log_scale).
@workload("mle_200", (200,), inputs=lambda: [mle_data()])
def mle_200(data):
    def step(_, params):
        return params - 0.1 * jax.grad(neg_log_likelihood)(params, data)

    return lax.fori_loop(0, 200, step, jnp.zeros(2))


# One step of the same descent, as a loop on the host would call it.
# Arguments: params = (0, 0), data. Outputs: the new params, the loss before the step.
@workload("mle_step", (2,), (200,), inputs=lambda: [zeros(2), mle_data()])
def mle_step(params, data):
    loss, grads = jax.value_and_grad(neg_log_likelihood)(params, data)
    return params - 0.1 * grads, loss


def mixture_log_prob(x):
    lp1 = normal_log_prob(x, -2.0, 0.5) + jnp.log(0.3)
    lp2 = normal_log_prob(x, 2.0, 0.8) + jnp.log(0.7)
    return jnp.logaddexp(lp1, lp2)


def elbo(params, key):
    loc, log_scale = params
    scale = jnp.exp(log_scale)
    eps = jax.random.normal(key, (500,))
    x = loc + scale * eps
    return jnp.mean(jax.vmap(mixture_log_prob)(x) - normal_log_prob(x, loc, scale))


# 300 steps of stochastic gradient ascent at rate 0.05, the key of step i being
# PRNGKey(i). Argument: params = (0, 0). Outputs: (loc, log_scale), the 300 ELBOs.
@workload("vi_300", (2,), inputs=lambda: [zeros(2)])
def vi_300(params):
    def step(params, i):
        value, grads = jax.value_and_grad(elbo)(params, jax.random.PRNGKey(i))
        return params + 0.05 * grads, value

    return lax.scan(step, params, jnp.arange(300))


# --- Fits -------------------------------------------------------------------------------


# x ~ N(x_mu, 1), y ~ N(a x + b, 1): 100 points, x = normal(PRNGKey(2)) + 0.7,
# y = 1.3 x - 0.4 + normal(PRNGKey(3)).
def line_data():
    x = jax.random.normal(jax.random.PRNGKey(2), (100,)) + 0.7
    y = x * 1.3 - 0.4 + jax.random.normal(jax.random.PRNGKey(3), (100,))
    return [np.asarray(x), np.asarray(y)]


# 2000 steps of gradient ascent at rate 1e-3 on the log posterior of (x_mu, a, b), each
# N(0, 3) beforehand, from 0. Arguments: x, y. Output: (x_mu, a, b).
@workload("map_2000", (100,), (100,), inputs=line_data)
def map_2000(x, y):
    def log_joint(q):
        return (jnp.sum(normal_log_prob(q, 0.0, 3.0))
                + jnp.sum(normal_log_prob(x, q[0], 1.0))
                + jnp.sum(normal_log_prob(y, q[1] * x + q[2], 1.0)))

    gradient = jax.grad(log_joint)
    return lax.fori_loop(0, 2000, lambda _, q: q + 1e-3 * gradient(q), jnp.zeros(3))


# Laplace's approximation of a Student-t density in two dimensions, from 0: its mode by
# BFGS, and the inverse of the curvature there.
@workload("laplace", (2,), inputs=lambda: [zeros(2)])
def laplace(start):
    nu, mu = 7.0, jnp.array([0.5, 2.0])
    sigma = jnp.array([[1.0, 0.5], [0.5, 1.0]])

    def loss(theta):
        from_mode = theta - mu
        distance = from_mode @ jnp.linalg.solve(sigma, from_mode)
        return 0.5 * (nu + 2.0) * jnp.log1p(distance / nu)

    mode = minimize(loss, start, method="BFGS").x
    return mode, jnp.linalg.inv(jax.hessian(loss)(mode))


# --- Hamiltonian Monte Carlo ---------------------------------------------------------


# N(0, diag(scales^2)), scales = grid(0.5, 2, 10). Argument: q0 = 0.
# Outputs: the final position, the mean of the 1000 positions.
@workload("hmc_10d", (10,), inputs=lambda: [zeros(10)], double="both")
def hmc_10d(q0):
    scales = grid(0.5, 2.0, 10)
    return hmc(lambda q: -0.5 * jnp.sum((q / scales) ** 2), q0, 0.1, 20, 1000)


# X = normal(PRNGKey(7), (1000, 25)); y = (X @ linspace(-1, 1, 25) > 0), the product
# in f64 so that no label hangs on a rounding.
def logreg_data():
    x = np.asarray(jax.random.normal(jax.random.PRNGKey(7), (1000, 25)))
    y = real(x.astype(np.float64) @ np.linspace(-1.0, 1.0, 25) > 0.0)
    return [x, y]


# Logistic regression without intercept, weights ~ N(0, 1) (constants dropped), from 0.
# Arguments: X, y. Outputs: the final position, the mean of the 50 positions.
@workload("logreg_hmc", (1000, 25), (1000,), inputs=logreg_data, double="both")
def logreg_hmc(x, y):
    def log_prob(w):
        z = x @ w
        return jnp.sum(y * z - jax.nn.softplus(z)) - 0.5 * jnp.sum(w**2)

    return hmc(log_prob, jnp.zeros(25), 0.01, 10, 50)


# --- Linear algebra -------------------------------------------------------------------


# a = sin_iota(n, n), b = cos_iota(n, n); full f32 products, also on a GPU.
for _n in (64, 512, 2048):
    workload(f"matmul_{_n}", (_n, _n), (_n, _n),
             inputs=lambda n=_n: [sin_iota(n, n), cos_iota(n, n)])(jnp.matmul)


# A = M M^T / 512 + I, M = sin(iota) 512 x 512, all in f64 and rounded once at the end.
def spd_512():
    m = np.sin(iota(512, 512))
    return real(m @ m.T / 512.0 + np.eye(512))


# Output: the lower factor, zeros above the diagonal.
@workload("cholesky_512", (512, 512), inputs=lambda: [spd_512()])
def cholesky_512(a):
    return jnp.linalg.cholesky(a)


# --- A long loop, backwards ---------------------------------------------------------------


# d/dx of the last c of c <- 0.9 sin(c) + 0.1 x, 10,000 steps from c = 0, at x = 0.5.
@workload("scan_grad_10000", (), inputs=lambda: [scalar(0.5)])
def scan_grad(x):
    def final_carry(x):
        step = lambda c, _: (jnp.sin(c) * 0.9 + x * 0.1, None)
        return lax.scan(step, jnp.zeros(()), None, length=10_000)[0]

    return jax.grad(final_carry)(x)


# --- After calls, and too near to zero ------------------------------------------------------


# `rounds` times a call, then scalar and vector code on what it gives.
def after(rounds, x, call):
    def step(_, c):
        y = call(c)
        s = jnp.mean(y**2)
        t = s / (1.0 + s)
        return y / (1.0 + y**2) + t * 0.1

    return lax.fori_loop(0, rounds, step, x)


def square_32():
    return [sin_iota(32, 32)]


def row_256():
    return [grid(0.1, 1.0, 256)]


@workload("after_product", (32, 32), inputs=square_32)
def after_product(x):
    return after(100, x, lambda c: jnp.matmul(c, c))


@workload("after_solve", (32, 32), inputs=square_32)
def after_solve(x):
    return after(100, x, lambda c: jnp.linalg.solve(c + jnp.eye(32) * 8.0, x))


@workload("after_sort", (256,), inputs=row_256)
def after_sort(x):
    return after(100, x, lambda c: jnp.sort(c * 7.0 - c**2 * 5.0))


@workload("after_special", (256,), inputs=row_256)
def after_special(x):
    return after(10, x, lambda c: jax.scipy.special.gammainc(jnp.abs(c) + 0.5, x))


@workload("after_kernel", (256,), inputs=row_256)
def after_kernel(x):
    return after(100, x, lambda c: jnp.tanh(c * 2.0))


@workload("after_host", (256,), inputs=row_256)
def after_host(x):
    like = jax.ShapeDtypeStruct((256,), jnp.float32)
    return after(10, x, lambda c: jax.pure_callback(lambda c: -np.asarray(c), like, c))


# The gradient of the sum of a Newton step: b = grid(-0.5, 0.5, 5), X = sin(iota(200, 5)^2).
@workload("newton_grad_200x5", (5,), (200, 5),
          inputs=lambda: [grid(-0.5, 0.5, 5), real(np.sin(iota(200, 5) ** 2))], double=True)
def newton_grad(b, x):
    nll = lambda b: jnp.sum(jax.nn.softplus(x @ b))
    return jax.grad(lambda b: jnp.sum(jnp.linalg.solve(jax.hessian(nll)(b), jnp.ones(5))))(b)


# e^x where it is subnormal, which XLA flushes.
@workload("exp_tail_2e4", (20_000,), inputs=lambda: [grid(-100.0, -90.0, 20_000)])
def exp_tail(x):
    return jnp.exp(x)


# The log density of three normals about -2, 0 and 3, without constants, far out.
@workload("mixture_tail_500", (500,), inputs=lambda: [grid(25.0, 35.0, 500)])
def mixture_tail(x):
    return jax.nn.logsumexp(-0.5 * (x[:, None] - jnp.array([-2.0, 0.0, 3.0])) ** 2, axis=1)


@workload("decay_10000", (), inputs=lambda: [scalar(1.0)])
def decay(x):
    return lax.fori_loop(0, 10_000, lambda _, c: c * 0.9, x)
