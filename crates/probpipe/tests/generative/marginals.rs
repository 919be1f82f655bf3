//! Choices summed out, against sums over all values written out.

use probpipe::prelude::*;
use probpipe::{Categorical, ErrorKind};
use probpipe_testing::{Tolerance, close};

#[test]
fn all_combinations() {
    let model = generative(|t: &mut Choices| {
        let k = t.sample("k", Categorical::new([0.2, 0.3, 0.5]));
        let coin = t.sample("coin", Bernoulli::new([0.25, 0.6]));
        let mean = k.cast(DType::F32) + coin.cast(DType::F32).sum() * 3.0;
        t.sample("y", Normal::new(mean, 1.0))
    });
    let marginal = model.marginal(&addresses(["k", "coin"]));
    let y = ChoiceMap::new([("y", 2.5)]);
    let mut terms = Vec::new();
    for k in 0..3 {
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let all = y.clone().with("k", k).with("coin", array([a, b]));
            terms.push(model.assess(&all, ()).0);
        }
    }
    let want = stack(&terms, 0).logsumexp();
    let have = jit(|y: ChoiceMap| marginal.assess(&y, ()).0)(y.clone());
    close("marginal", &have, &want, Tolerance::largest(1e-6));
    let trace = marginal.simulate(Key::new(0), ());
    assert_eq!(trace.choices().addresses(), ["y"]);
    close(
        "score",
        trace.score(),
        &marginal.assess(&trace.choices(), ()).0,
        Tolerance::largest(1e-6),
    );
    let new = marginal.update(&trace, &y);
    close("update", &new.weight, &(have - trace.score()), Tolerance::largest(1e-5));
}

#[test]
fn a_chain_is_summed_step_by_step() {
    let step = generative(|t: &mut Choices, z: Array, scale: Array| {
        let rows = array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]);
        let z = t.sample("z", Categorical::new(rows.take(z, 0)));
        let y = t.sample("y", Normal::new(z.cast(DType::F32), scale));
        (z, y)
    });
    let n = 4;
    let scales = linspace(0.5, 1.0, n);
    let seen = ChoiceMap::new([("y", array([0.1, 1.9, 1.2, 2.3]))]);
    let mut terms = Vec::new();
    for path in 0..3i32.pow(n as u32) {
        let z: Vec<i32> = (0..n as u32).map(|i| path / 3i32.pow(i) % 3).collect();
        let all = seen.clone().with("z", Array::from(z));
        terms.push(step.scan().assess(&all, (0, scales.clone())).0);
    }
    let want = stack(&terms, 0).logsumexp();
    let chain = step.scan().marginal(&addresses(["z"]));
    let score = |seen: ChoiceMap| chain.assess(&seen, (0, scales.clone())).0;
    close("chain", &score(seen.clone()), &want, Tolerance::largest(2e-6));
    close("compiled", &jit(score)(seen.clone()), &want, Tolerance::largest(2e-6));
    let slope = grad(score)(seen.clone());
    assert!(slope["y"].is_finite().all().item::<bool>().expect("a slope"));
    let trace = chain.simulate(Key::new(0), (0, scales.clone()));
    assert_eq!(trace.choices()["y"].shape(), [n]);
}

#[test]
fn long_chains_take_no_longer_paths() {
    let step = generative(|t: &mut Choices, z: Array| {
        let rows = array([[0.9, 0.1], [0.1, 0.9]]);
        let z = t.sample("z", Categorical::new(rows.take(z, 0)));
        t.sample("y", Normal::new(z.cast(DType::F32), 0.5));
        z
    });
    let chain = step.unfold(500).marginal(&addresses(["z"]));
    let seen = ChoiceMap::new([("y", zeros([500]))]);
    let score = jit(|seen: ChoiceMap| chain.assess(&seen, 0).0)(seen);
    // The path that stays at 0 alone, and no more than all paths of densities below its own.
    let stay = 500.0 * (0.9f32.ln() - 0.2257913);
    let score = score.item::<f32>().expect("a score");
    assert!(score > stay && score < 500.0 * -0.2257913, "{score} {stay}");
}

#[test]
fn what_cannot_be_summed() {
    let model = generative(|t: &mut Choices| {
        let rate = t.sample("rate", Exponential::new(1.0));
        let n = t.sample("n", probpipe::Poisson::new(rate));
        t.sample("y", Normal::new(n.cast(DType::F32), 1.0))
    });
    let y = ChoiceMap::new([("y", 0.0), ("rate", 1.0)]);
    let error = model.marginal(&addresses(["n"])).assess(&y, ()).0.checked().expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().contains("`n` cannot be summed out"), "{error}");
}
