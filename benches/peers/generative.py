"""The model of the notebook "differentiable programming", as the programs that an interpreter of
generative functions leaves behind: draws, log densities and their sums.

    x_mu ~ U(-3, 3), a ~ U(-4, 4), b ~ U(-3, 3), 100 times x ~ N(x_mu, 1), y ~ N(a x + b, 1)

Keys: choice i of the model has fold_in(key, i); that of the points is split in 100, and the one
choice of each point has fold_in(its key, 0). Importing this module registers the workloads.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from registry import u32, workload

N = 100
LOG_2PI = float(np.log(2.0 * np.pi))


def normal_log_prob(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - 0.5 * LOG_2PI


def uniform_log_prob(x, low, high):
    return jnp.where((x < low) | (x > high), -jnp.inf, -jnp.log(high - low))


def trace_of(x_mu, a, b, x, y):
    """All that a run records: every choice with its log density, sums over points, the score."""
    parts = [uniform_log_prob(x_mu, -3.0, 3.0), uniform_log_prob(a, -4.0, 4.0),
             uniform_log_prob(b, -3.0, 3.0)]
    points = jax.vmap(normal_log_prob, in_axes=(0, None, None))(x, x_mu, 1.0)
    lines = jax.vmap(lambda y, x, a, b: normal_log_prob(y, a * x + b, 1.0),
                     in_axes=(0, 0, None, None))(y, x, a, b)
    sums = [jnp.sum(points), jnp.sum(lines)]
    score = sum(parts[1:] + sums, parts[0])
    return (x_mu, parts[0], a, parts[1], b, parts[2], x, points, sums[0], y, lines, sums[1], score)


def choices(trace):
    return trace[0], trace[2], trace[4], trace[6], trace[9]


def latents(key):
    x_mu = jax.random.uniform(jax.random.fold_in(key, 0), minval=-3.0, maxval=3.0)
    a = jax.random.uniform(jax.random.fold_in(key, 1), minval=-4.0, maxval=4.0)
    b = jax.random.uniform(jax.random.fold_in(key, 2), minval=-3.0, maxval=3.0)
    return x_mu, a, b


def points(key, loc):
    """One normal draw per lane of `loc`."""
    draw = lambda key, loc: loc + jax.random.normal(jax.random.fold_in(key, 0))
    return jax.vmap(draw)(jax.random.split(key, N), loc)


def key_data():
    return np.array([0, 1], dtype=np.uint32)


def wrap(data):
    return jax.random.wrap_key_data(data, impl="threefry2x32")


@workload("generative_simulate", u32(2), inputs=lambda: [key_data()])
def simulate(data):
    key = wrap(data)
    x_mu, a, b = latents(key)
    x = points(jax.random.fold_in(key, 3), jnp.broadcast_to(x_mu, (N,)))
    y = points(jax.random.fold_in(key, 4), a * x + b)
    return trace_of(x_mu, a, b, x, y)


def key_and_points():
    x = jax.random.normal(jax.random.PRNGKey(2), (N,)) + 0.7
    y = x * 1.3 - 0.4 + jax.random.normal(jax.random.PRNGKey(3), (N,))
    return [key_data(), np.asarray(x), np.asarray(y)]


# x and y are given. Outputs: the trace, the log density of what is given.
@workload("generative_importance", u32(2), (N,), (N,), inputs=key_and_points)
def importance(data, x, y):
    trace = trace_of(*latents(wrap(data)), x, y)
    return (*trace, trace[8] + trace[11])


# From the trace above, 2,000 steps of x_mu, a and b along the gradient of the joint log density at
# rate 1e-4. Trace in, trace out.
@workload("generative_map", u32(2), (N,), (N,), inputs=key_and_points)
def map_2000(data, x, y):
    def step(trace, _):
        at, seen = choices(trace)[:3], choices(trace)[3:]
        slopes = jax.grad(lambda at: trace_of(*at, *seen)[-1])(at)
        moved = jax.tree.map(lambda v, g: v + 1e-4 * g, at, slopes)
        return trace_of(*moved, *seen), None

    start = trace_of(*latents(wrap(data)), x, y)
    return lax.scan(step, start, None, length=2000)[0]
