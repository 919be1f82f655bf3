//! Comparison of values with the reference, and what rounding alone may do to the reference: the
//! graph is run again with every float result moved by random last bits, as in stochastic
//! arithmetic (Vignes 1993, "A stochastic arithmetic for reliable scientific computation").

use probpipe::graph::{Graph, Value, eval};
use probpipe::{Array, ArrayType, DType, Result};
use probpipe_testing::{Random, Tolerance, difference};

/// How often the reference is run with noise before a difference is called a fault.
const RUNS: u64 = 12;
/// Largest noise, in units of the last place of each element.
const LAST_PLACES: f64 = 16.0;
/// A difference may exceed what the noise does by this factor.
const MARGIN: f64 = 64.0;

/// The elements of all values as numbers.
pub(crate) fn numbers(values: &[Value]) -> Result<Vec<Vec<f64>>> {
    let one = |v: &Value| Ok(v.to_scalars()?.iter().map(|x| x.as_f64()).collect());
    values.iter().map(one).collect()
}

/// The first element of `have` that is further from `want` than `tolerance` allows.
pub(crate) fn differs(have: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) -> Option<String> {
    if have.len() != want.len() {
        return Some(format!("{} results, not {}", have.len(), want.len()));
    }
    for (k, (have, want)) in have.iter().zip(want).enumerate() {
        if let Some(difference) = difference(have, want, Tolerance::mixed(tolerance)) {
            return Some(format!("result {k}: {difference}"));
        }
    }
    None
}

/// As [`differs`], unless noise in the reference graph explains the difference.
pub(crate) fn wrong(
    have: &[Value],
    graph: &Graph,
    inputs: &[Value],
    tolerance: f64,
    seed: u64,
) -> Result<Option<String>> {
    let want = eval::eval_graph(graph, &inputs.iter().collect::<Vec<_>>())?;
    let (have, want) = (numbers(have)?, numbers(&want)?);
    let Some(first) = differs(&have, &want, tolerance) else { return Ok(None) };
    let mut spread: Vec<Vec<f64>> = want.iter().map(|w| vec![0.0; w.len()]).collect();
    for run in 0..RUNS {
        let mut random = Random::new(seed ^ run << 48);
        let noisy = numbers(&with_noise(graph, inputs, &mut random)?)?;
        for ((spread, noisy), want) in spread.iter_mut().zip(&noisy).zip(&want) {
            for ((s, x), y) in spread.iter_mut().zip(noisy).zip(want) {
                let moved = if x == y { 0.0 } else { (x - y).abs() };
                // What noise turns into NaN or infinity says nothing.
                *s = if moved.is_nan() { f64::INFINITY } else { s.max(moved) };
            }
        }
    }
    let explained = have.len() == want.len()
        && have.iter().zip(&want).zip(&spread).all(|((have, want), spread)| {
            have.len() == want.len()
                && have.iter().zip(want).zip(spread).all(|((x, y), s)| {
                    Tolerance::mixed(tolerance).accepts(*x, *y, 1.0)
                        || *s == f64::INFINITY
                        || (x - y).abs() <= MARGIN * s
                })
        });
    Ok(if explained { None } else { Some(first) })
}

/// Runs a graph with noise in the inputs and in the results of all its equations.
fn with_noise(graph: &Graph, inputs: &[Value], random: &mut Random) -> Result<Vec<Value>> {
    let mut values: Vec<Option<Value>> = vec![None; graph.num_vars()];
    for (var, value) in graph.consts() {
        values[var.index()] = Some(value.clone());
    }
    for (var, value) in graph.inputs().iter().zip(inputs) {
        values[var.index()] = Some(moved(value.clone(), random)?);
    }
    let missing = || probpipe::Error::new(probpipe::ErrorKind::Internal, "a variable has no value");
    for eqn in graph.eqns() {
        let operands: Vec<Value> = (eqn.inputs.iter())
            .map(|v| values[v.index()].clone().ok_or_else(missing))
            .collect::<Result<_>>()?;
        let types: Vec<ArrayType> = eqn.outputs.iter().map(|v| graph.ty(*v).clone()).collect();
        for (var, value) in eqn.outputs.iter().zip(eval::eval_op(&eqn.op, &operands, &types)?) {
            values[var.index()] = Some(moved(value, random)?);
        }
    }
    graph.outputs().iter().map(|v| values[v.index()].clone().ok_or_else(missing)).collect()
}

/// The value with its floats moved by random last places.
fn moved(value: Value, random: &mut Random) -> Result<Value> {
    let dtype = value.ty().dtype;
    if !dtype.is_float() {
        return Ok(value);
    }
    let epsilon = if dtype == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let shape = value.ty().shape.clone();
    let data: Vec<f64> = (value.to_scalars()?.iter())
        .map(|x| x.as_f64() * (1.0 + LAST_PLACES * epsilon * random.unit()))
        .collect();
    Array::from_value(Value::from_elements(&data, &shape)?).cast(dtype).value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use probpipe_testing::{Config, random_graph, random_inputs};

    /// The noise must not explain away what a wrong program does.
    #[test]
    fn wrong_values_are_found() {
        let (mut found, mut all) = (0, 0);
        for seed in 0..300 {
            let graph = random_graph(seed, Config::default()).unwrap();
            let inputs = random_inputs(seed, &graph).unwrap();
            let refs: Vec<&Value> = inputs.iter().collect();
            let mut values: Vec<Value> =
                eval::eval_graph(&graph, &refs).unwrap().into_iter().collect();
            assert_eq!(wrong(&values, &graph, &inputs, 1e-11, seed).unwrap(), None, "seed {seed}");
            let last = Array::from_value(values[0].clone()) * (1.0 + 1e-6) + 1e-6;
            values[0] = last.value().unwrap();
            all += 1;
            found += u32::from(wrong(&values, &graph, &inputs, 1e-11, seed).unwrap().is_some());
        }
        assert!(found * 100 >= all * 95, "only {found} of {all} wrong results were found");
    }
}
