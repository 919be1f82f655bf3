"""Measures families of distributions in NumPyro, for `cargo xtask bench --distributions PYTHON`.

Reads a family from each line of standard input, as JSON, and answers with a line of its own:
microseconds of the log density of many points, of the gradient of its sum, and of as many draws,
each jitted, in f32, with the parameters as arguments. Medians.
"""

import json
import os
import statistics
import sys
import time

sys.dont_write_bytecode = True  # leave no __pycache__ in the source tree
for name in [n for n in os.environ if n.startswith("JAX_")]:
    del os.environ[name]  # no persistent cache, no x64, nothing inherited
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpyro  # noqa: E402
import numpyro.distributions as dist  # noqa: E402

SECONDS = 0.15  # of the calls behind a median, at least
BATCHES = 5


def microseconds(function, *arguments):
    """The median time of a call."""
    jax.block_until_ready(function(*arguments))
    samples, start = [], time.perf_counter()
    while len(samples) < BATCHES or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        samples.append((time.perf_counter() - before) * 1e6)
    return statistics.median(samples)


def measure(family):
    make = getattr(dist, family["peer"])
    fixed = family["fixed"]
    params = {name: jnp.asarray(value, jnp.float32) for name, value in family["params"].items()}
    n = family["points"]

    def log_prob(params, x):
        return make(**params, **fixed).log_prob(x)

    def draws(params, key):
        return make(**params, **fixed).sample(key, (n,))

    def total(params, x):
        return log_prob(params, x).sum()

    x = jax.jit(draws)(params, jax.random.key(1))
    over = (0,) if family["discrete"] else (0, 1)
    return {
        "log_prob": microseconds(jax.jit(log_prob), params, x),
        "gradient": microseconds(jax.jit(jax.grad(total, over)), params, x),
        "draws": microseconds(jax.jit(draws), params, jax.random.key(0)),
    }


print(json.dumps({"version": f"NumPyro {numpyro.__version__}, JAX {jax.__version__}"}), flush=True)
for line in sys.stdin:
    try:
        answer = measure(json.loads(line))
    except Exception as error:  # told in the table
        answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(answer), flush=True)
