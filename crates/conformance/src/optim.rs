//! Optimisers: trajectories on two problems, learning rates by step, and bounds of updates, as
//! optax has them.

use crate::compare::{Tolerance, array, within};
use crate::report::{Verdict, Worst};
use probpipe::optimize::{
    AdaBelief, AdaDelta, AdaGrad, Adam, Adamax, AddDecayedWeights, Clip, ClipByBlockRms,
    ClipByGlobalNorm, Ema, Lamb, Lars, Lbfgs, Lion, Momentum, NovoGrad, Optimizer, RAdam, RProp,
    RmsProp, Scale, ScaleByLbfgs, Schedule, Sgd, SignSgd, Yogi, apply_updates, minimize,
};
use probpipe::{Array, Device, arange, grad, jit_on, scan, vmap};
use probpipe_testing::reference;
use serde_json::Value as Json;

/// Runs one case in `f64`. `problems` are the functions of the file.
pub fn run(case: &Json, problems: &[Json], device: Device) -> Verdict {
    let found = match case["kind"].as_str() {
        Some("problem") => return Verdict::Passed(Worst::default()),
        Some("trajectory") => trajectory(case, problems, device),
        Some("schedule") => schedule(case, device),
        Some("transform") => transform(case, device),
        _ => None,
    };
    let Some(checks) = found else {
        let name = case["optimizer"].as_str().or(case["schedule"].as_str());
        return Verdict::NoRule(name.unwrap_or("?").to_string());
    };
    for (field, want, have, tolerance) in checks {
        if let Err(miss) = array(field, &have, &want, None, tolerance, &|_, _| false) {
            return miss.into();
        }
    }
    Verdict::Passed(Worst::default())
}

/// A result, what it should be, and how close it must come.
type Check = (&'static str, Json, Array, Tolerance);

fn read(json: &Json) -> Option<Array> {
    reference::array(json, None)
}

/// The function that a problem names, of vectors.
fn loss(problem: &Json) -> Option<impl Fn(Array) -> Array + use<>> {
    let matrix = read(&problem["A"]).zip(read(&problem["b"]));
    if matrix.is_none() && !problem["formula"].as_str()?.starts_with("(1.0-x0)^2") {
        return None;
    }
    Some(move |x: Array| match &matrix {
        Some((a, b)) => x.dot(a.dot(&x)) * 0.5 - x.dot(b),
        None => (1.0 - x.at(0)).square() + (x.at(1) - x.at(0).square()).square() * 100.0,
    })
}

fn trajectory(case: &Json, problems: &[Json], device: Device) -> Option<Vec<Check>> {
    let name = format!("problem/{}", case["problem"].as_str()?);
    let problem = problems.iter().find(|p| p["id"] == name)?;
    let run = Run { case, loss: Box::new(loss(problem)?), device };
    let h = |name: &str| case["hyper"][name].as_f64();
    let (rate, has) = (h("lr").unwrap_or(1.0), |name: &str| case["hyper"].get(name).is_some());
    let value = |name: &str| Some(Array::from(h(name)?));
    let adam = |rate: Schedule| {
        Some(Adam {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            eps_root: value("eps_root").unwrap_or(Array::from(0.0)),
            weight_decay: value("weight_decay"),
            ..Adam::new(rate)
        })
    };
    let momentum = || Sgd { momentum: value("momentum"), ..Sgd::new(rate) };
    let optimizer = case["optimizer"].as_str()?;
    let params = match optimizer.split('#').next()? {
        "sgd" => run.by(Sgd::new(rate)),
        "momentum" => run.by(momentum()),
        "nesterov" => run.by(Sgd { nesterov: true, ..momentum() }),
        "adam" | "adamw" => run.by(adam(rate.into())?),
        "nadam" | "nadamw" => run.by(Adam { nesterov: true, ..adam(rate.into())? }),
        "amsgrad" => run.by(Adam { amsgrad: true, ..adam(rate.into())? }),
        "lamb" => run.by(Lamb(adam(rate.into())?)),
        "adamax" | "adamaxw" => run.by(Adamax {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            weight_decay: value("weight_decay"),
            ..Adamax::new(rate)
        }),
        "radam" => run.by(RAdam {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            threshold: h("threshold")?,
            ..RAdam::new(rate)
        }),
        "yogi" => run.by(Yogi {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            ..Yogi::new(rate)
        }),
        "adabelief" => run.by(AdaBelief {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            eps_root: value("eps_root")?,
            ..AdaBelief::new(rate)
        }),
        "novograd" => run.by(NovoGrad {
            b1: value("b1")?,
            b2: value("b2")?,
            eps: value("eps")?,
            weight_decay: value("weight_decay"),
            ..NovoGrad::new(rate)
        }),
        "rmsprop" => run.by(RmsProp {
            decay: value("decay")?,
            eps: value("eps").unwrap_or(Array::from(1e-8)),
            centered: case["hyper"]["centered"] == true,
            momentum: value("momentum"),
            nesterov: case["hyper"]["nesterov"] == true,
            ..RmsProp::new(rate)
        }),
        "adagrad" => run.by(AdaGrad {
            initial: h("initial_accumulator_value")?,
            eps: value("eps")?,
            ..AdaGrad::new(rate)
        }),
        "adadelta" => {
            run.by(AdaDelta { rho: value("rho")?, eps: value("eps")?, ..AdaDelta::new(rate) })
        }
        "lion" => run.by(Lion {
            b1: value("b1")?,
            b2: value("b2")?,
            weight_decay: value("weight_decay"),
            ..Lion::new(rate)
        }),
        "rprop" => run.by(RProp {
            eta_minus: h("eta_minus")?,
            eta_plus: h("eta_plus")?,
            min_step: h("min_step_size")?,
            max_step: h("max_step_size")?,
            late: true,
            ..RProp::new(rate)
        }),
        "lars" => run.by(Lars {
            weight_decay: value("weight_decay"),
            trust_coefficient: h("trust_coefficient")?,
            eps: h("eps")?,
            momentum: value("momentum")?,
            ..Lars::new(rate)
        }),
        "sign_sgd" => run.by(SignSgd::new(rate)),
        "clip_global_norm+adam" => run.by((ClipByGlobalNorm(h("max_norm")?), adam(rate.into())?)),
        "clip_global_norm+sgd" => run.by((ClipByGlobalNorm(h("max_norm")?), Sgd::new(rate))),
        "clip_value+sgd" => run.by((Clip(h("max_delta")?), Sgd::new(rate))),
        "add_decayed_weights+sgd" => {
            run.by((AddDecayedWeights(value("weight_decay")?), Sgd::new(rate)))
        }
        "ema+sgd" => {
            let debias = case["hyper"]["debias"] == true;
            run.by((Ema { debias, ..Ema::new(h("decay")?) }, Sgd::new(rate)))
        }
        "trace+schedule" => {
            let (_, curve) = called(case["hyper"]["schedule"].as_str()?)?;
            let scale = Scale::new(Schedule::exponential(curve[0], curve[1], curve[2]));
            run.by((Momentum::new(h("trace_decay")?), scale, Scale::new(-rate)))
        }
        "adam+cosine" => {
            run.by(adam(Schedule::cosine(h("init")?, h("decay_steps")?, h("alpha")?))?)
        }
        "adam+warmup" => {
            let (_, curve) = called(case["hyper"]["schedule"].as_str()?)?;
            let [from, peak, warmup, steps, end] = curve[..] else { return None };
            run.by(adam(Schedule::warmup_cosine(from, peak, warmup, steps, end))?)
        }
        "lbfgs" if has("linesearch") => return searched(&run),
        "lbfgs" => {
            let memory = case["hyper"]["memory_size"].as_u64()? as usize;
            run.by(ScaleByLbfgs { memory, ..ScaleByLbfgs::new(rate) })
        }
        _ => return None,
    }?;
    // The reference computes rates by step in single precision.
    let by_step = matches!(optimizer, "trace+schedule" | "adam+cosine" | "adam+warmup");
    let close = if by_step { within(1e-7, 1e-8) } else { within(1e-9, 1e-10) };
    Some(vec![("params", case["params"].clone(), params, close)])
}

/// The arguments of a text like `name(1,2.5)`.
fn called(text: &str) -> Option<(&str, Vec<f64>)> {
    let (name, rest) = text.split_once('(')?;
    let numbers = rest.trim_end_matches(')').split(',').map(|n| n.trim().parse());
    Some((name, numbers.collect::<Result<_, _>>().ok()?))
}

struct Run<'a> {
    case: &'a Json,
    loss: Box<dyn Fn(Array) -> Array>,
    device: Device,
}

impl Run<'_> {
    /// Where the steps of an optimiser lead, from a compiled loop, `[steps, d]`.
    fn by<O: Optimizer>(&self, optimizer: O) -> Option<Array> {
        let steps = self.case["steps"].as_u64()? as usize;
        let run = |start: Array| {
            let state = optimizer.init(&start);
            let step = |(x, state): (Array, O::State<Array>), _: Array| {
                let gradient = grad(&self.loss)(x.clone());
                let (updates, state) = optimizer.update(gradient, state, &x);
                let x = apply_updates(x, updates);
                ((x.clone(), state), x)
            };
            scan((start, state), arange(steps), step).1
        };
        Some(jit_on(self.device, run)(read(&self.case["init"])?))
    }
}

/// Line searches differ, their ends do not.
fn searched(run: &Run<'_>) -> Option<Vec<Check>> {
    let memory = run.case["hyper"]["memory_size"].as_u64()? as usize;
    let method = Lbfgs { memory, tolerance: 1e-9, ..Lbfgs::default() };
    let search = |start: Array| minimize(&run.loss, start, method).value;
    let value = jit_on(run.device, search)(read(&run.case["init"])?);
    let want = serde_json::json!({
        "dtype": "f64", "shape": [], "data": [run.case["final_loss"]]
    });
    Some(vec![("final_loss", want, value, within(0.0, 1e-8))])
}

fn schedule(case: &Json, device: Device) -> Option<Vec<Check>> {
    let h = |name: &str| case["hyper"][name].as_f64();
    let steps = reference::numbers(&case["steps"]);
    let factors = || {
        let all = case["hyper"]["boundaries_and_scales"].as_object()?;
        let pair = |(at, by): (&String, &Json)| Some((at.parse().ok()?, by.as_f64()?));
        let mut all = all.iter().map(pair).collect::<Option<Vec<(f64, f64)>>>()?;
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(all)
    };
    let delayed = |curve: Schedule| match h("transition_begin") {
        Some(begin) => curve.delayed(begin),
        None => curve,
    };
    let bounded = |curve: Schedule| match (h("end_value"), h("decay_rate")) {
        (Some(end), Some(rate)) if rate < 1.0 => curve.at_least(end),
        (Some(end), _) => curve.at_most(end),
        _ => curve,
    };
    let curve = match case["schedule"].as_str()? {
        "constant" => h("value")?.into(),
        "exponential" | "exponential_staircase" => {
            let (from, steps, rate) = (h("init")?, h("transition_steps")?, h("decay_rate")?);
            bounded(delayed(match case["hyper"]["staircase"] == true {
                true => Schedule::staircase(from, steps, rate),
                false => Schedule::exponential(from, steps, rate),
            }))
        }
        "cosine" | "cosine_exponent" => {
            let power = h("exponent").unwrap_or(1.0);
            Schedule::cosine_power(h("init")?, h("decay_steps")?, h("alpha")?, power)
        }
        "warmup_cosine" => {
            let (from, peak, warmup) = (h("init")?, h("peak")?, h("warmup_steps")?);
            Schedule::warmup_cosine(from, peak, warmup, h("decay_steps")?, h("end")?)
        }
        "warmup_exponential" => {
            let (from, peak, warmup) = (h("init")?, h("peak")?, h("warmup_steps")?);
            let down = Schedule::exponential(peak, h("transition_steps")?, h("decay_rate")?);
            Schedule::linear(from, peak, warmup).then(warmup, bounded(down))
        }
        "linear" => delayed(Schedule::linear(h("init")?, h("end")?, h("transition_steps")?)),
        "polynomial" => {
            let (from, to) = (h("init")?, h("end")?);
            delayed(Schedule::polynomial(from, to, h("power")?, h("transition_steps")?))
        }
        "piecewise_constant" => Schedule::piecewise_constant(h("init")?, factors()?),
        "piecewise_interpolate_linear" => Schedule::piecewise_linear(h("init")?, factors()?),
        "piecewise_interpolate_cosine" => Schedule::piecewise_cosine(h("init")?, factors()?),
        "cosine_onecycle" => {
            Schedule::cosine_one_cycle(h("transition_steps")?, h("peak")?, h("pct_start")?)
        }
        "linear_onecycle" => {
            let (steps, peak) = (h("transition_steps")?, h("peak")?);
            Schedule::linear_one_cycle(steps, peak, h("pct_start")?, h("pct_final")?)
        }
        "sgdr" => {
            let mut all: Option<(Schedule, f64)> = None;
            for cycle in case["hyper"]["cycles"].as_array()? {
                let [from, peak, warmup, steps, end] = reference::numbers(cycle)[..] else {
                    return None;
                };
                let next = Schedule::warmup_cosine(from, peak, warmup, steps, end);
                all = Some(match all {
                    Some((before, at)) => (before.then(at, next), at + steps),
                    None => (next, steps),
                });
            }
            all?.0
        }
        "join" => Schedule::linear(0.0, 0.1, 5.0)
            .then(5.0, 0.1)
            .then(12.0, Schedule::exponential(0.1, 5.0, 0.5)),
        _ => return None,
    };
    let have = jit_on(device, vmap(move |step: Array| curve.at(step)))(Array::from(steps));
    // Some of the reference's curves are computed in single precision.
    Some(vec![("value", case["value"].clone(), have, within(1e-6, 1e-7))])
}

fn transform(case: &Json, device: Device) -> Option<Vec<Check>> {
    let grads = (read(&case["grads"]["a"])?, read(&case["grads"]["b"])?);
    let max = case["max"].as_f64()?;
    type Leaves = (Array, Array);
    let (a, b) = match case["transform"].as_str()? {
        "clip_by_global_norm" => {
            jit_on(device, |g: Leaves| ClipByGlobalNorm(max).update(g.clone(), (), &g).0)(grads)
        }
        "clip" => jit_on(device, |g: Leaves| Clip(max).update(g.clone(), (), &g).0)(grads),
        "clip_by_block_rms" => {
            jit_on(device, |g: Leaves| ClipByBlockRms(max).update(g.clone(), (), &g).0)(grads)
        }
        _ => return None,
    };
    let close = within(1e-12, 0.0);
    let want = |leaf: &str| case["updates"][leaf].clone();
    Some(vec![("updates/a", want("a"), a, close), ("updates/b", want("b"), b, close)])
}
