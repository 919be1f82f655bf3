"""Samples a posterior with a peer's no-U-turn sampler, for `cargo xtask bench --inference PYTHON`.

    run_samplers.py numpyro|blackjax|nutpie POSTERIOR

Four chains of 1,000 draws, in f64, with the warm-up that the peer advises: 1,000 steps of Stan's
windows for NumPyro and BlackJAX, 400 of its own adaptation for nutpie. Prints a line when the first
draws are there, compilation behind it, and one with the figures of a second run with another seed,
which compiles nothing: seconds, the least bulk effective sample size over all parameters (ArviZ),
gradients, and the largest memory of the process.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # leave no __pycache__ in the source tree
for name in [n for n in os.environ if n.startswith("JAX_")]:
    del os.environ[name]  # no persistent cache, nothing inherited
os.environ["JAX_PLATFORMS"] = "cpu"
# A device for each chain, as the documentation of both libraries has it.
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import numpy as np  # noqa: E402

CHAINS = 4
DRAWS = 1000
DATA = Path(__file__).parent.parent.parent / "crates" / "posteriors" / "data"


def data(name):
    # Both forms of the eight schools have the same data.
    folder = "eight_schools_centered" if name == "eight_schools_noncentered" else name
    given = json.loads((DATA / folder / "data.json").read_text())
    return {key: np.asarray(value, dtype=np.float64) for key, value in given.items()}


def numpyro_model(name):
    """The model as a user of NumPyro writes it."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax import lax, nn

    sample, factor = numpyro.sample, numpyro.factor
    flat = dist.ImproperUniform
    real = dist.constraints.real
    d = data(name)

    def eight_schools():
        z = sample("theta_trans", dist.Normal(jnp.zeros(8), 1))
        mu = sample("mu", dist.Normal(0, 5))
        tau = sample("tau", dist.HalfCauchy(5))
        sample("y", dist.Normal(z * tau + mu, d["sigma"]), obs=d["y"])

    def kidscore():
        hs, iq = d["mom_hs"], d["mom_iq"]
        beta = sample("beta", flat(real, (), (4,)))
        sigma = sample("sigma", dist.HalfCauchy(2.5))
        mean = beta[0] + beta[1] * hs + beta[2] * iq + beta[3] * hs * iq
        sample("y", dist.Normal(mean, sigma), obs=d["kid_score"])

    def ar_k():
        y = d["y"]
        alpha = sample("alpha", dist.Normal(0, 10))
        beta = sample("beta", dist.Normal(jnp.zeros(5), 10))
        sigma = sample("sigma", dist.HalfCauchy(2.5))
        mean = alpha + sum(beta[k] * y[4 - k : len(y) - 1 - k] for k in range(5))
        sample("y", dist.Normal(mean, sigma), obs=y[5:])

    def nes_logit():
        alpha = sample("alpha", flat(real, (), ()))
        beta = sample("beta", flat(real, (), ()))
        sample("y", dist.Bernoulli(logits=alpha + beta * d["income"]), obs=d["vote"])

    def garch11():
        y = d["y"]
        mu = sample("mu", flat(real, (), ()))
        alpha0 = sample("alpha0", flat(dist.constraints.positive, (), ()))
        alpha1 = sample("alpha1", dist.Uniform(0, 1))
        beta1 = sample("beta1", dist.Uniform(0, 1 - alpha1))
        factor("flat", jnp.log1p(-alpha1))  # Stan's prior of beta1 is not normalised
        squares = (y - mu) ** 2

        def step(h, square):
            h = alpha0 + alpha1 * square + beta1 * h
            return h, h

        first = d["sigma1"] ** 2
        _, rest = lax.scan(step, first, squares[:-1])
        h = jnp.concatenate([first[None], rest])
        sample("y", dist.Normal(mu, jnp.sqrt(h)), obs=y)

    def gp_regr():
        x = d["x"]
        rho = sample("rho", dist.Gamma(25, 4))
        alpha = sample("alpha", dist.HalfNormal(2))
        sigma = sample("sigma", dist.HalfNormal(1))
        square = ((x[:, None] - x[None, :]) / rho) ** 2
        cov = alpha**2 * jnp.exp(-0.5 * square) + sigma * jnp.eye(len(x))
        sample("y", dist.MultivariateNormal(jnp.zeros(len(x)), cov), obs=d["y"])

    def low_dim_gauss_mix():
        mu = sample("mu", flat(dist.constraints.ordered_vector, (), (2,)))
        factor("prior", dist.Normal(0, 2).log_prob(mu).sum())
        sigma = sample("sigma", dist.HalfNormal(2 * jnp.ones(2)))
        theta = sample("theta", dist.Beta(5, 5))
        weights = dist.CategoricalProbs(jnp.stack([theta, 1 - theta]))
        mixture = dist.MixtureSameFamily(weights, dist.Normal(mu, sigma))
        sample("y", mixture, obs=d["y"])

    def radon():
        county = d["county_idx"].astype(int) - 1
        raw = sample("alpha_raw", dist.Normal(jnp.zeros(85), 1))
        beta = sample("beta", dist.Normal(jnp.zeros(2), 10))
        mu_alpha = sample("mu_alpha", dist.Normal(0, 10))
        sigma_alpha = sample("sigma_alpha", dist.HalfNormal(1))
        sigma_y = sample("sigma_y", dist.HalfNormal(1))
        alpha = mu_alpha + sigma_alpha * raw
        mean = alpha[county] + beta[0] * d["log_uppm"] + beta[1] * d["floor_measure"]
        sample("y", dist.Normal(mean, sigma_y), obs=d["log_radon"])

    return {
        "eight_schools_noncentered": eight_schools,
        "kidscore_interaction": kidscore,
        "arK": ar_k,
        "nes_logit": nes_logit,
        "garch11": garch11,
        "gp_regr": gp_regr,
        "low_dim_gauss_mix": low_dim_gauss_mix,
        "radon_mn_hier_noncentered": radon,
    }[name]


def pymc_model(name):
    """The model as a user of PyMC writes it."""
    import pymc as pm
    import pytensor.tensor as pt

    d = data(name)
    with pm.Model() as model:
        if name == "eight_schools_noncentered":
            z = pm.Normal("theta_trans", 0, 1, shape=8)
            mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
            pm.Normal("y", z * tau + mu, d["sigma"], observed=d["y"])
        elif name == "kidscore_interaction":
            hs, iq = d["mom_hs"], d["mom_iq"]
            beta, sigma = pm.Flat("beta", shape=4), pm.HalfCauchy("sigma", 2.5)
            mean = beta[0] + beta[1] * hs + beta[2] * iq + beta[3] * hs * iq
            pm.Normal("y", mean, sigma, observed=d["kid_score"])
        elif name == "arK":
            y = d["y"]
            alpha, beta = pm.Normal("alpha", 0, 10), pm.Normal("beta", 0, 10, shape=5)
            sigma = pm.HalfCauchy("sigma", 2.5)
            mean = alpha + sum(beta[k] * y[4 - k : len(y) - 1 - k] for k in range(5))
            pm.Normal("y", mean, sigma, observed=y[5:])
        elif name == "nes_logit":
            alpha, beta = pm.Flat("alpha"), pm.Flat("beta")
            pm.Bernoulli("y", logit_p=alpha + beta * d["income"], observed=d["vote"])
        elif name == "garch11":
            y = d["y"]
            mu, alpha0 = pm.Flat("mu"), pm.HalfFlat("alpha0")
            alpha1 = pm.Uniform("alpha1", 0, 1)
            beta1 = pm.Uniform("beta1", 0, 1 - alpha1)
            pm.Potential("flat", pt.log1p(-alpha1))
            squares = (y - mu) ** 2
            h, _ = pytensor_scan(
                lambda square, h, alpha0, alpha1, beta1: alpha0 + alpha1 * square + beta1 * h,
                [squares[:-1]],
                pt.as_tensor(d["sigma1"] ** 2),
                [alpha0, alpha1, beta1],
            )
            h = pt.concatenate([pt.as_tensor(d["sigma1"][None] ** 2), h])
            pm.Normal("y", mu, pt.sqrt(h), observed=y)
        elif name == "gp_regr":
            x = d["x"]
            rho, alpha = pm.Gamma("rho", 25, 4), pm.HalfNormal("alpha", 2)
            sigma = pm.HalfNormal("sigma", 1)
            square = ((x[:, None] - x[None, :]) / rho) ** 2
            cov = alpha**2 * pt.exp(-0.5 * square) + sigma * pt.eye(len(x))
            pm.MvNormal("y", np.zeros(len(x)), cov, observed=d["y"])
        elif name == "low_dim_gauss_mix":
            ordered = pm.distributions.transforms.ordered
            mu = pm.Normal("mu", 0, 2, shape=2, transform=ordered, initval=[-1, 1])
            sigma, theta = pm.HalfNormal("sigma", 2, shape=2), pm.Beta("theta", 5, 5)
            w = pt.stack([theta, 1 - theta])
            pm.NormalMixture("y", w=w, mu=mu, sigma=sigma, observed=d["y"])
        elif name == "radon_mn_hier_noncentered":
            county = d["county_idx"].astype(int) - 1
            raw, beta = pm.Normal("alpha_raw", 0, 1, shape=85), pm.Normal("beta", 0, 10, shape=2)
            mu_alpha = pm.Normal("mu_alpha", 0, 10)
            sigma_alpha, sigma_y = pm.HalfNormal("sigma_alpha", 1), pm.HalfNormal("sigma_y", 1)
            alpha = mu_alpha + sigma_alpha * raw
            mean = alpha[county] + beta[0] * d["log_uppm"] + beta[1] * d["floor_measure"]
            pm.Normal("y", mean, sigma_y, observed=d["log_radon"])
    return model


def pytensor_scan(step, sequences, first, others):
    import pytensor

    return pytensor.scan(
        step, sequences=sequences, outputs_info=[first], non_sequences=others, strict=True
    )


def numpyro_runs(name):
    """A function of a seed: arrays of draws by name, and the gradients that they took."""
    import jax
    import numpyro
    from numpyro.infer import MCMC, NUTS

    numpyro.enable_x64()
    mcmc = MCMC(
        NUTS(numpyro_model(name)),
        num_warmup=1000,
        num_samples=DRAWS,
        num_chains=CHAINS,
        chain_method="parallel",
        progress_bar=False,
    )

    def run(seed):
        mcmc.run(jax.random.PRNGKey(seed), extra_fields=("num_steps",))
        draws = jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
        steps = int(np.asarray(mcmc.get_extra_fields()["num_steps"]).sum())
        return {key: np.asarray(value) for key, value in draws.items()}, steps

    return run


def blackjax_runs(name):
    import blackjax
    import jax
    import numpyro
    from numpyro.infer.util import initialize_model

    numpyro.enable_x64()
    init, potential, _, _ = initialize_model(
        jax.random.PRNGKey(0), numpyro_model(name), dynamic_args=False
    )
    start = init.z

    def density(z):
        return -potential(z)

    def chain(key):
        for_start, for_warmup, for_draws = jax.random.split(key, 3)
        leaves, tree = jax.tree.flatten(start)
        keys = jax.random.split(for_start, len(leaves))
        jitter = [jax.random.uniform(k, x.shape, minval=-1, maxval=1) for k, x in zip(keys, leaves)]
        begin = jax.tree.unflatten(tree, jitter)
        warmup = blackjax.window_adaptation(blackjax.nuts, density)
        (state, parameters), _ = warmup.run(for_warmup, begin, num_steps=1000)
        step = blackjax.nuts(density, **parameters).step

        def next(state, key):
            state, info = step(key, state)
            return state, (state.position, info.num_integration_steps)

        return jax.lax.scan(next, state, jax.random.split(for_draws, DRAWS))[1]

    chains = jax.pmap(chain)

    def run(seed):
        keys = jax.random.split(jax.random.PRNGKey(seed), CHAINS)
        draws, steps = jax.block_until_ready(chains(keys))
        return {key: np.asarray(value) for key, value in draws.items()}, int(np.asarray(steps).sum())

    return run


def nutpie_runs(name):
    import nutpie

    compiled = nutpie.compile_pymc_model(pymc_model(name))

    def run(seed):
        trace = nutpie.sample(
            compiled, draws=DRAWS, tune=400, chains=CHAINS, seed=seed, progress_bar=False
        )
        steps = int(trace.sample_stats.n_steps.sum())
        return {key: trace.posterior[key].values for key in trace.posterior}, steps

    return run


def version(peer):
    if peer == "nutpie":
        import nutpie
        import pymc

        return f"nutpie {nutpie.__version__} with PyMC {pymc.__version__}"
    import jax

    module = __import__(peer)
    return f"{peer} {module.__version__} with JAX {jax.__version__}"


def main(peer, posterior):
    run = {"numpyro": numpyro_runs, "blackjax": blackjax_runs, "nutpie": nutpie_runs}[peer](posterior)
    run(0)
    print(json.dumps({"first": True}), flush=True)
    begin = time.perf_counter()
    draws, steps = run(1)
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    import arviz

    ess = arviz.ess(draws)
    least = min(float(ess[key].min()) for key in ess.data_vars)
    print(json.dumps({
        "seconds": seconds, "ess": least, "steps": steps, "peak_bytes": memory,
        "version": version(peer),
    }), flush=True)


main(*sys.argv[1:])
