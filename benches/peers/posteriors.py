"""Log densities of five posteriors of posteriordb, on the unconstrained scale, in f64.

The data are those of `../data`; the Rust side writes the same densities. A workload is
1000 gradients in one program: the point moves by 1e-6 times the gradient, so that
nothing can be taken out of the loop. Arguments: the start, which is a draw of the
posterior, and the data. Outputs: the last point, the sum of the log densities.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from registry import workload

STEPS = 1000
RATE = 1e-6
HALF_LOG_2PI = float(0.5 * np.log(2.0 * np.pi))


def read(name, file):
    return json.loads((Path(__file__).parent.parent / "data" / name / file).read_text())


def normal(x, loc, scale):
    return jnp.sum(-0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - HALF_LOG_2PI)


def cauchy(x, scale):
    return -jnp.log1p((x / scale) ** 2) - float(np.log(np.pi * scale))


def log_slope(x):
    """The logarithm of the slope of the logistic function, the Jacobian of a unit interval."""
    return -jax.nn.softplus(x) - jax.nn.softplus(-x)


DENSITIES = {}


def posterior(name, columns):
    """Registers the log density below it: a function of the parameters and the columns."""

    def register(log_density):
        def inputs():
            data = read(name, "data.json")
            start = read(name, "logp_check.json")["points"][0]["unconstrained"]
            arrays = [start] + [np.atleast_1d(data[column]) for column in columns]
            return [np.asarray(x, dtype=np.float64) for x in arrays]

        def climb(start, *data):
            value_and_grad = jax.value_and_grad(log_density)

            def step(_, carry):
                q, total = carry
                value, gradient = value_and_grad(q, *data)
                return q + RATE * gradient, total + value

            return lax.fori_loop(0, STEPS, step, (start, jnp.zeros(())))

        DENSITIES[name] = log_density, inputs
        workload(name, *[x.shape for x in inputs()], inputs=inputs, double=True)(climb)
        return log_density

    return register


@posterior("eight_schools", ["y", "sigma"])
def eight_schools(q, y, sigma):
    z, mu, log_tau = q[:8], q[8], q[9]
    tau = jnp.exp(log_tau)
    return (normal(z, 0.0, 1.0) + normal(y, mu + tau * z, sigma) + normal(mu, 0.0, 5.0)
            + cauchy(tau, 5.0) + log_tau)


@posterior("kidscore", ["kid_score", "mom_hs", "mom_iq"])
def kidscore(q, score, hs, iq):
    log_sigma = q[4]
    sigma = jnp.exp(log_sigma)
    mean = q[0] + q[1] * hs + q[2] * iq + q[3] * (hs * iq)
    return normal(score, mean, sigma) + cauchy(sigma, 2.5) + log_sigma


@posterior("arK", ["y"])
def ar_k(q, y):
    log_sigma = q[6]
    sigma = jnp.exp(log_sigma)
    mean = q[0] + sum(q[k] * y[5 - k:len(y) - k] for k in range(1, 6))
    return normal(y[5:], mean, sigma) + normal(q[:6], 0.0, 10.0) + cauchy(sigma, 2.5) + log_sigma


@posterior("nes_logit", ["income", "vote"])
def nes_logit(q, income, vote):
    z = q[0] + q[1] * income
    return jnp.sum(vote * z - jax.nn.softplus(z))


@posterior("garch11", ["y", "sigma1"])
def garch11(q, y, sigma1):
    mu, alpha0 = q[0], jnp.exp(q[1])
    alpha1 = jax.nn.sigmoid(q[2])
    left = 1.0 - alpha1
    beta1 = left * jax.nn.sigmoid(q[3])
    squares = (y - mu) ** 2

    def step(h, square):
        h = alpha0 + alpha1 * square + beta1 * h
        return h, h

    _, rest = lax.scan(step, sigma1[0] ** 2, squares[:-1])
    h = jnp.concatenate([sigma1**2, rest])
    jacobian = q[1] + log_slope(q[2]) + jnp.log(left) + log_slope(q[3])
    return -0.5 * jnp.sum(jnp.log(h) + squares / h) - len(y) * HALF_LOG_2PI + jacobian
