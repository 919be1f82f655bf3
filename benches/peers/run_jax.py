"""Measures the workloads in JAX, for `cargo xtask bench --jax PYTHON`.

    python run_jax.py --list
    python run_jax.py WORKLOAD [--device cpu|gpu] [--min-time 0.3] [--cores N]
    python run_jax.py --all [--json out.json] [--processes N] [...]

One workload, one process: compile times are cold. See README.md for what each
figure means.
"""

import argparse
import gc
import json
import math
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # leave no __pycache__ in the source tree

BATCHES = 15  # at least this many timed batches behind every median
MAX_VALUES = 4096  # values kept of each output
RAN_ON = {"cpu": "cpu", "gpu": "cuda"}


def configure(device, cores):
    """Fixes what JAX reads from the environment, before it is imported."""
    if cores is not None:
        allowed = sorted(os.sched_getaffinity(0))
        if not 1 <= cores <= len(allowed):
            sys.exit(f"--cores {cores}: this process may use 1 to {len(allowed)} cores")
        os.sched_setaffinity(0, allowed[:cores])
    for name in [n for n in os.environ if n.startswith("JAX_")]:
        del os.environ[name]  # no persistent cache, no x64, nothing inherited
    os.environ["JAX_PLATFORMS"] = RAN_ON[device]
    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    # JAX decides these itself by default; said here because the outputs depend on them. A workload
    # in f64 turns x64 on.
    os.environ["JAX_ENABLE_X64"] = "false"
    os.environ["JAX_THREEFRY_PARTITIONABLE"] = "true"
    os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "float32"  # no TF32


def compile_cold(jitted, specs):
    """Milliseconds of each stage from Python function to executable, all cold."""
    t0 = time.perf_counter()
    traced = jitted.trace(*specs)
    t1 = time.perf_counter()
    lowered = traced.lower()
    t2 = time.perf_counter()
    lowered.compile()
    t3 = time.perf_counter()
    stages = {"trace": t1 - t0, "lower": t2 - t1, "compile": t3 - t2}
    return {name: s * 1e3 for name, s in stages.items()}


def wait(out):
    if isinstance(out, tuple):
        for leaf in out:
            leaf.block_until_ready()
    else:
        out.block_until_ready()


def time_calls(fn, args, calls, wait_each):
    """Seconds per call, over one batch of `calls` calls."""
    if wait_each:
        start = time.perf_counter()
        for _ in range(calls):
            wait(fn(*args))
        return (time.perf_counter() - start) / calls
    start = time.perf_counter()
    for _ in range(calls):
        out = fn(*args)
    wait(out)
    return (time.perf_counter() - start) / calls


def measure(fn, args, min_time, wait_each=True):
    """Microseconds per call: median, fastest batch, batches, calls per batch.

    A batch lasts about min_time / BATCHES, or one call where that is longer;
    batches are added until there are BATCHES of them and min_time has passed.
    """
    wait(fn(*args))
    calls, seconds = 1, time_calls(fn, args, 1, wait_each)
    while calls * seconds < min_time / BATCHES / 4:
        calls *= 4
        seconds = time_calls(fn, args, calls, wait_each)
    calls = max(1, round(min_time / BATCHES / seconds))

    samples, start = [], time.perf_counter()
    while len(samples) < BATCHES or time.perf_counter() - start < min_time:
        samples.append(time_calls(fn, args, calls, wait_each) * 1e6)
    return {
        "us": statistics.median(samples),
        "us_min": min(samples),
        "batches": len(samples),
        "calls_per_batch": calls,
    }


def number(x):
    """A float as strict JSON can hold it."""
    if math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def describe(leaf):
    """An output: its shape, its first values, and sums over all of them, in f64."""
    import numpy as np

    flat = np.asarray(leaf).astype(np.float64).ravel()
    return {
        "shape": list(leaf.shape),
        "dtype": str(leaf.dtype),
        "count": flat.size,
        "sum": number(math.fsum(flat) if np.isfinite(flat).all() else float(flat.sum())),
        "abs_sum": number(float(np.abs(flat).sum())),
        "values": [number(float(x)) for x in flat[:MAX_VALUES]],
    }


def run_one(name, device, min_time, cores):
    configure(device, cores)
    import jax
    import numpy as np

    from workloads import WORKLOADS

    if name not in WORKLOADS:
        sys.exit(f"no workload is called {name!r}; --list names them")
    work = WORKLOADS[name]
    jax.config.update("jax_enable_x64", work.double)
    try:
        jax.jit(lambda x: x + 1)(np.float32(0)).block_until_ready()  # start the backend
    except (RuntimeError, AssertionError) as err:
        sys.exit(f"JAX finds no {device} here: {str(err).strip() or 'no such backend'}")

    jitted = jax.jit(work.fn)
    stages = compile_cold(jitted, work.specs)

    args = jax.block_until_ready([jax.device_put(x) for x in work.inputs()])
    assert [(a.shape, a.dtype) for a in args] == [(s.shape, s.dtype) for s in work.specs]
    # Called as users call it: JAX's own dispatch for jitted functions is a little
    # faster than calling the object that compile() returned.
    out = jitted(*args)
    leaves = out if isinstance(out, tuple) else (out,)

    gc.collect()
    gc.disable()
    timing = measure(jitted, args, min_time)
    pipelined = measure(jitted, args, min_time, wait_each=False)
    gc.enable()
    # Before the outputs are looked at, which is not JAX's work.
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    return {
        "name": name,
        "device": device,
        "us": timing["us"],
        "compile_ms": sum(stages.values()),
        "outputs": [describe(leaf) for leaf in leaves],
        "jax": jax.__version__,
        "us_min": timing["us_min"],
        "us_pipelined": pipelined["us"],
        "batches": timing["batches"],
        "calls_per_batch": timing["calls_per_batch"],
        "stages_ms": stages,
        "peak_bytes": peak_kib * 1024,
        "cores": len(os.sched_getaffinity(0)),
        "device_kind": jax.devices()[0].device_kind,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def run_all(names, options):
    """Each workload in its own process, `--processes` times over; medians of those."""
    results, failed = [], False
    for name in names:
        command = [sys.executable, os.path.abspath(__file__), name]
        command += ["--device", options.device, "--min-time", str(options.min_time)]
        if options.cores is not None:
            command += ["--cores", str(options.cores)]
        runs, error = [], None
        for _ in range(options.processes):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                error = done.stderr.strip()[-2000:]
                break
            runs.append(json.loads(done.stdout))
        if error is not None:
            failed = True
            results.append({"name": name, "device": options.device, "error": error})
            print(f"{name:22} failed: {error.splitlines()[-1] if error else ''}", file=sys.stderr)
            continue
        result = runs[0]
        for field in ("us", "us_pipelined", "compile_ms"):
            result[field] = statistics.median(run[field] for run in runs)
        result["us_min"] = min(run["us_min"] for run in runs)
        for stage in result["stages_ms"]:
            result["stages_ms"][stage] = statistics.median(run["stages_ms"][stage] for run in runs)
        result["processes"] = len(runs)
        results.append(result)
        print(f"{name:22} {result['us']:14.2f} us {result['us_pipelined']:14.2f} us pipelined"
              f" {result['compile_ms']:10.1f} ms to compile", file=sys.stderr)

    report = {"device": options.device, "machine": platform.machine(), "python": platform.python_version(),
              "results": results}
    text = json.dumps(report, allow_nan=False)
    if options.json:
        with open(options.json, "w") as file:
            file.write(text + "\n")
    else:
        print(text)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="Measures the bench workloads in JAX.")
    parser.add_argument("workload", nargs="?", help="the workload to measure")
    parser.add_argument("--list", action="store_true", help="print the names of the workloads")
    parser.add_argument("--all", action="store_true", help="measure every workload, a process each")
    parser.add_argument("--only", metavar="REGEX", help="with --all: only workloads matching this")
    parser.add_argument("--json", metavar="FILE", help="with --all: write there, not to stdout")
    parser.add_argument("--processes", type=int, default=1, metavar="N",
                        help="with --all: processes per workload; medians are taken over them")
    parser.add_argument("--device", choices=sorted(RAN_ON), default="cpu")
    parser.add_argument("--min-time", type=float, default=0.3, metavar="SECONDS")
    parser.add_argument("--cores", type=int, metavar="N", help="use N cores only")
    options = parser.parse_args()

    if sum([options.workload is not None, options.list, options.all]) != 1:
        parser.error("give a workload, --list or --all")
    if options.processes < 1:
        parser.error("--processes must be at least 1")

    if options.workload is not None:
        result = run_one(options.workload, options.device, options.min_time, options.cores)
        print(json.dumps(result, allow_nan=False))
        return 0

    from workloads import WORKLOADS

    names = [n for n in WORKLOADS if options.only is None or re.search(options.only, n)]
    if options.list:
        print("\n".join(names))
        return 0
    return run_all(names, options)


if __name__ == "__main__":
    sys.exit(main())
