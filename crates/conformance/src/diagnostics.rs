//! Diagnostics of draws, as ArviZ has them: convergence, effective sizes, errors and intervals of
//! chains, smoothed importance weights, energies, and predictive densities. They are functions of
//! the host, the same on every device; what warm-ups go by is a program of one.

use crate::adaptation;
use crate::compare::{Tolerance, array, within};
use crate::report::{Verdict, Worst};
use probpipe::diagnostics::{
    Elpd, Ess, Mcse, RHat, autocorrelation, autocovariance, bfmi, ess, hdi, loo, mcse, mean, psis,
    quantiles, r_hat, sd, waic,
};
use probpipe::{Array, Device};
use probpipe_testing::reference::{array as read, numbers};
use serde_json::{Map, Value as Json, json};

const PLAIN: Tolerance = within(1e-8, 1e-12);
const SIZE: Tolerance = within(1e-6, 0.0);
const TAIL: Tolerance = within(1e-6, 1e-9);

/// Runs one case.
pub fn run(case: &Json, device: Device) -> Verdict {
    let kind = case["kind"].as_str().unwrap_or("?");
    let found = match kind {
        "dual_averaging" | "welford" => return adaptation::run(case, device),
        "chains" => chains(case),
        "psis" => weights(case),
        "bfmi" => energies(case),
        "loo_waic" => densities(case),
        _ => Err(kind.to_string()),
    };
    let checks = match found {
        Ok(checks) if checks.is_empty() => return Verdict::NoRule(format!("{kind} of nothing")),
        Ok(checks) => checks,
        Err(name) => return Verdict::NoRule(name),
    };
    for (field, want, have, tolerance) in checks {
        let have = match have {
            Ok(have) => have,
            Err(error) => return Verdict::Failed(format!("{field}: {error}")),
        };
        if let Err(miss) = array(&field, &have, &want, None, tolerance, &|_, _| false) {
            return miss.into();
        }
    }
    Verdict::Passed(Worst::default())
}

/// A result, what it should be, and how close it must come.
type Check = (String, Json, probpipe::Result<Array>, Tolerance);

/// One number for each quantity, or for each of its lags.
type Measure = fn(&Array) -> probpipe::Result<Array>;

/// What is to be checked, or what there is no rule for.
type Checks = Result<Vec<Check>, String>;

/// A number of the file as an array of it.
fn scalar(json: &Json) -> Json {
    json!({"dtype": "f64", "shape": [], "data": [json]})
}

fn given(case: &Json, field: &str) -> Result<Array, String> {
    read(&case[field], None).ok_or(format!("no `{field}`"))
}

/// The members of an object, none if there is none.
fn members(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flat_map(Map::iter)
}

fn chains(case: &Json) -> Checks {
    let x = given(case, "x")?;
    let mut checks: Vec<Check> = Vec::new();
    for (name, want) in members(&case["arviz"]) {
        let (have, tolerance) = statistic(name, &x).ok_or(name.clone())?;
        checks.push((name.clone(), scalar(want), have, tolerance));
    }
    for (probability, want) in members(&case["hdi"]) {
        let p = probability.parse().map_err(|_| format!("hdi {probability}"))?;
        checks.push((format!("hdi {probability}"), want.clone(), hdi(&x, p), PLAIN));
    }
    for (probability, want) in members(&case["quantiles"]) {
        let p = probability.parse().map_err(|_| format!("quantile {probability}"))?;
        let have = quantiles(&x, &[p]).map(|q| q.at(0));
        checks.push((format!("quantile {probability}"), scalar(want), have, PLAIN));
    }
    for (name, of) in [("mean", mean as Measure), ("sd", sd)] {
        if let Some(want) = case.get(name) {
            checks.push((name.to_string(), scalar(want), of(&x), PLAIN));
        }
    }
    let lags =
        [("autocov_chain0", autocovariance as Measure), ("autocorr_chain0", autocorrelation)];
    for (name, of) in lags {
        if let Some(want) = case.get(name) {
            let scale = numbers(want).first().map_or(1.0, |first| first.abs().max(1.0));
            let tolerance = within(1e-8, 1e-12 * scale);
            checks.push((name.to_string(), want.clone(), of(&x).map(|all| all.at(0)), tolerance));
        }
    }
    Ok(checks)
}

/// The statistic that a name of ArviZ stands for: `ess_bulk`, `ess_local_0.2_0.4`, `rhat_split`.
fn statistic(name: &str, x: &Array) -> Option<(probpipe::Result<Array>, Tolerance)> {
    let (what, rest) = name.split_once('_')?;
    let (of, arguments) = rest.split_once('_').unwrap_or((rest, ""));
    let numbers: Vec<f64> = arguments.split('_').filter_map(|p| p.parse().ok()).collect();
    Some(match what {
        "ess" => {
            let of = match (of, &numbers[..]) {
                ("bulk", []) => Ess::Bulk,
                ("tail", []) => Ess::Tail,
                ("mean", []) => Ess::Mean,
                ("sd", []) => Ess::Sd,
                ("median", []) => Ess::Median,
                ("mad", []) => Ess::Mad,
                ("z", []) if arguments == "scale" => Ess::ZScale,
                ("folded", []) => Ess::Folded,
                ("identity", []) => Ess::Identity,
                ("quantile", [p]) => Ess::Quantile(*p),
                ("local", [low, high]) => Ess::Local(*low, *high),
                _ => return None,
            };
            (ess(x, of), SIZE)
        }
        "rhat" => {
            let of = match of {
                "rank" => RHat::Rank,
                "split" => RHat::Split,
                "folded" => RHat::Folded,
                "z" if arguments == "scale" => RHat::ZScale,
                "identity" => RHat::Identity,
                _ => return None,
            };
            (r_hat(x, of), PLAIN)
        }
        "mcse" => {
            let of = match (of, &numbers[..]) {
                ("mean", []) => Mcse::Mean,
                ("sd", []) => Mcse::Sd,
                ("median", []) => Mcse::Median,
                ("quantile", [p]) => Mcse::Quantile(*p),
                _ => return None,
            };
            (mcse(x, of), PLAIN)
        }
        _ => return None,
    })
}

fn weights(case: &Json) -> Checks {
    let smooth = psis(&given(case, "log_weights")?);
    let part = |of: fn(probpipe::diagnostics::Psis) -> Array| smooth.clone().map(of);
    let weights = part(|smooth| smooth.log_weights);
    let shape = part(|smooth| smooth.pareto_k);
    Ok(vec![
        ("log_weights".to_string(), case["arviz_log_weights"].clone(), weights, PLAIN),
        ("khat".to_string(), scalar(&case["arviz_khat"]), shape, TAIL),
    ])
}

fn energies(case: &Json) -> Checks {
    let have = bfmi(&given(case, "energy")?);
    Ok(vec![("bfmi".to_string(), case["bfmi"].clone(), have, PLAIN)])
}

fn densities(case: &Json) -> Checks {
    let log_likelihood = given(case, "log_likelihood")?;
    let mut checks: Vec<Check> = Vec::new();
    for (name, elpd) in [("loo", loo(&log_likelihood)), ("waic", waic(&log_likelihood))] {
        for part in ["elpd", "se", "p"] {
            let number = |e: Elpd| match part {
                "elpd" => e.elpd,
                "se" => e.se,
                _ => e.num_parameters,
            };
            let have = elpd.clone().map(|e| Array::from_slice(&[number(e)], []));
            let field = format!("{part}_{name}");
            checks.push((field.clone(), scalar(&case[&field]), have, PLAIN));
        }
        let field = format!("{name}_i");
        let pointwise = elpd.clone().map(|e| e.pointwise);
        checks.push((field.clone(), case[&field].clone(), pointwise, PLAIN));
        if let Ok(Elpd { pareto_k: Some(shapes), .. }) = elpd {
            checks.push(("pareto_k".to_string(), case["pareto_k"].clone(), Ok(shapes), TAIL));
        }
    }
    Ok(checks)
}
