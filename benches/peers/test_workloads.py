"""Checks the workloads against values known without them. Run: python test_workloads.py"""

import sys

sys.dont_write_bytecode = True

import run_jax

run_jax.configure("cpu", None)

import jax
import numpy as np

import posteriors
import workloads
from workloads import WORKLOADS


def outputs(name):
    work = WORKLOADS[name]
    jax.config.update("jax_enable_x64", work.double)
    args = [jax.device_put(x) for x in work.inputs()]
    assert [(a.shape, a.dtype) for a in args] == [(s.shape, s.dtype) for s in work.specs], name
    out = jax.jit(work.fn)(*args)
    out = out if isinstance(out, tuple) else (out,)
    dtype = np.float64 if work.double else np.float32
    assert all(leaf.dtype == dtype and np.isfinite(leaf).all() for leaf in out), name
    return [np.asarray(leaf, dtype=np.float64) for leaf in out]


def close(got, want, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def test_elementwise():
    close(outputs("scalar_call")[0], -4.0 + np.sin(3.0) * np.exp(-3.0))
    for name in ("logistic_200", "logistic_1e5", "logistic_1e5_f64", "logistic_1e7"):
        x = WORKLOADS[name].inputs()[0].astype(np.float64)
        close(outputs(name)[0], 1.0 / (1.0 + np.exp(-x)))
    for double in ("", "_f64"):
        slopes = outputs("logistic_grad_1e5" + double)[0]
        x = workloads.grid(-10.0, 10.0, 100_000).astype(np.float64)
        s = 1.0 / (1.0 + np.exp(-x))
        close(slopes, s * (1 - s))
        close(outputs("logistic_grad2_1e5" + double)[0], s * (1 - s) * (1 - 2 * s))
        chain = outputs("chain_1e7" + double)[0]
        a, b, c, d = (x.astype(np.float64) for x in WORKLOADS["chain_1e7"].inputs())
        close(chain, ((a * b + c) * (a - d) + b * c) * (a * d - 0.5 * c) + (b - d))


def test_scores_and_monte_carlo():
    x = workloads.grid(0.0, 4.0, 200).astype(np.float64)
    close(outputs("score_200")[0], -(x - 2.0) / 0.25)
    loss, grad = outputs("mc_loss_grad_5000")
    close([loss, grad], [9.878, 5.963], atol=5e-4)  # printed by the notebook
    losses, grads = outputs("mc_loss_grad_5000x50")
    close([losses[-1], grads[-1]], [loss, grad])
    z = outputs("normal_1e6")[0]
    assert abs(z.mean()) < 4e-3 and abs(z.std() - 1.0) < 3e-3
    close(z, jax.random.normal(jax.random.PRNGKey(0), (1_000_000,)))


def test_optimisation():
    loc, log_scale = outputs("mle_200")[0]
    close([loc, np.exp(log_scale)], [2.6071, 0.8592], atol=5e-5)  # printed by the notebook
    params, loss = outputs("mle_step")
    close([params[0], np.exp(params[1]), loss], [0.2607, 1.9223, 4.6867], atol=1e-4)
    params, elbos = outputs("vi_300")
    close([params[0], np.exp(params[1])], [2.003, 0.811], atol=5e-4)
    assert elbos.shape == (300,)


    position = outputs("map_2000")[0]
    x, y = (x.astype(np.float64) for x in WORKLOADS["map_2000"].inputs())
    # The mode of a normal posterior, in closed form.
    design = np.stack([x, np.ones(100)], axis=1)
    line = np.linalg.solve(design.T @ design + np.eye(2) / 9.0, design.T @ y)
    close(position, [x.sum() / (100 + 1 / 9), *line], atol=1e-4)


def test_generative():
    normal = lambda x, loc: -0.5 * (x - loc) ** 2 - 0.5 * np.log(2.0 * np.pi)
    traces = {name: outputs(f"generative_{name}") for name in ("simulate", "importance", "map")}
    for trace in traces.values():
        x_mu, p_mu, a, p_a, b, p_b, x, points, on_x, y, lines, on_y, score = trace[:13]
        close([p_mu, p_a, p_b], -np.log([6.0, 8.0, 6.0]))
        close(points, normal(x, x_mu), rtol=1e-4, atol=1e-5)
        close(lines, normal(y, a * x + b), rtol=1e-4, atol=1e-5)
        close([on_x, on_y, score], [points.sum(), lines.sum(), sum(trace[i] for i in (1, 3, 5, 8, 11))])
    _, x, y = (v.astype(np.float64) for v in WORKLOADS["generative_map"].inputs())
    close(traces["importance"][13], traces["importance"][8] + traces["importance"][11])
    # Flat priors, no end of which is near: the mean, and least squares.
    design = np.stack([x, np.ones(100)], axis=1)
    mode = [traces["map"][i] for i in (0, 2, 4)]
    close(mode, [x.mean(), *np.linalg.solve(design.T @ design, design.T @ y)], atol=1e-4)


def test_laplace():
    mode, covariance = outputs("laplace")
    close(mode, [0.5, 2.0], atol=1e-4)
    close(covariance, np.array([[1.0, 0.5], [0.5, 1.0]]) * 7 / 9, rtol=1e-3)


def test_posteriors():
    jax.config.update("jax_enable_x64", True)
    for name, (log_density, inputs) in posteriors.DENSITIES.items():
        data = inputs()[1:]
        for check in posteriors.read(name, "logp_check.json")["points"]:
            value, gradient = jax.value_and_grad(log_density)(np.array(check["unconstrained"]), *data)
            close(value, check["log_prob_full_jac"], rtol=1e-12)
            scale = np.abs(check["grad_jac"]).max()
            close(gradient, check["grad_jac"], rtol=1e-9, atol=1e-11 * scale)
        outputs(name)


def test_hmc():
    for name in ("hmc_10d", "hmc_10d_f64"):
        position, mean = outputs(name)
    scales = workloads.grid(0.5, 2.0, 10)
    assert position.any() and (np.abs(mean) < 5.0 * scales / np.sqrt(200)).all()
    for name in ("logreg_hmc", "logreg_hmc_f64"):
        _, mean = outputs(name)
        _, y = WORKLOADS[name].inputs()
    assert 0.4 < y.mean() < 0.6
    assert np.corrcoef(mean, np.linspace(-1.0, 1.0, 25))[0, 1] > 0.95


def test_linear_algebra():
    for n in (64, 512, 2048):
        a, b = (x.astype(np.float64) for x in WORKLOADS[f"matmul_{n}"].inputs())
        close(outputs(f"matmul_{n}")[0], a @ b, atol=1e-3)
    a = workloads.spd_512().astype(np.float64)
    close(outputs("cholesky_512")[0], np.linalg.cholesky(a), atol=1e-5)


def test_scan_grad():
    x, c, dc = 0.5, 0.0, 0.0
    for _ in range(10_000):
        c, dc = 0.9 * np.sin(c) + 0.1 * x, 0.9 * np.cos(c) * dc + 0.1
    close(outputs("scan_grad_10000")[0], dc)


def test_after_calls_and_near_zero():
    for call in ("product", "solve", "sort", "special", "kernel", "host"):
        outputs(f"after_{call}")
    (b, x), step = WORKLOADS["newton_grad_200x5"].inputs(), 1e-5

    def newton(b):
        p = 1.0 / (1.0 + np.exp(-(x @ b)))
        return np.linalg.solve(x.T @ (x * (p * (1.0 - p))[:, None]), np.ones(5)).sum()

    slopes = [(newton(b + step * e) - newton(b - step * e)) / (2 * step) for e in np.eye(5)]
    close(outputs("newton_grad_200x5")[0], slopes, rtol=1e-4, atol=1e-4)
    assert not outputs("exp_tail_2e4")[0].any() and outputs("decay_10000")[0] == 0.0
    y = WORKLOADS["mixture_tail_500"].inputs()[0].astype(np.float64)
    terms = -0.5 * (y[:, None] - np.array([-2.0, 0.0, 3.0])) ** 2
    close(outputs("mixture_tail_500")[0], np.logaddexp.reduce(terms, axis=1))


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"{name}: ok")
