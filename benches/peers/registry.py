"""What a workload is, and the formulas of inputs. They are in the float type of the workload:

    grid(lo, hi, n)[i] = lo + (hi - lo) * (i / (n - 1))   computed in f64, rounded once
    sin_iota(r, c)[i, j] = sin(i * c + j)                  computed in f64, rounded once
    cos_iota(r, c)[i, j] = cos(i * c + j)                  computed in f64, rounded once

A workload gives the shapes of its arguments separately from their values, so
that it can be compiled before any value exists: building a random input first
would warm the caches whose cold state the compile time is meant to show.
"""

from dataclasses import dataclass
from typing import Callable

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Workload:
    name: str
    fn: Callable  # arrays -> one array, or a flat tuple of arrays
    shapes: tuple  # the shape of each argument, or a jax.ShapeDtypeStruct
    inputs: Callable  # () -> the arguments, as a list of arrays
    double: bool  # f64: x64 is on

    @property
    def specs(self):
        """jax.ShapeDtypeStruct of each argument; x64 is to be as the workload wants it."""
        dtype = jnp.float64 if self.double else jnp.float32
        return [s if isinstance(s, jax.ShapeDtypeStruct) else jax.ShapeDtypeStruct(s, dtype)
                for s in self.shapes]


WORKLOADS: dict[str, Workload] = {}


def workload(name, *shapes, inputs, double=False):
    """Registers the function below it under `name`. `double` is True, False or "both", which
    registers a second workload in f64 under `name` + "_f64"."""

    def register(fn):
        for key, wide in {False: [(name, False)], True: [(name, True)],
                          "both": [(name, False), (name + "_f64", True)]}[double]:
            assert key not in WORKLOADS, f"two workloads are called {key}"
            WORKLOADS[key] = Workload(key, fn, shapes, inputs, wide)
        return fn

    return register


def u32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.uint32)


def real(x):
    """Rounds to the float type of the workload that runs."""
    return np.asarray(x).astype(np.float64 if jax.config.jax_enable_x64 else np.float32)


def grid(lo, hi, n):
    return real(lo + (hi - lo) * (np.arange(n, dtype=np.float64) / (n - 1)))


def iota(rows, cols):
    return np.arange(rows * cols, dtype=np.float64).reshape(rows, cols)


def sin_iota(rows, cols):
    return real(np.sin(iota(rows, cols)))


def cos_iota(rows, cols):
    return real(np.cos(iota(rows, cols)))


def zeros(*shape):
    return real(np.zeros(shape))


def scalar(x):
    return real(x)[()]
