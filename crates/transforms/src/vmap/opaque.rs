//! Batching of what holds more than a formula: graphs keep what they are, on lanes; a function of
//! the host is called on all lanes at once, or in a loop.

use super::{LaneOutputs, Lanes, vmap, vmap_arrays};
use crate::extract::internal;
use crate::jvp::{spread as place, works_on_lanes};
use crate::transpose::custom_transpose;
use probpipe_trace::{
    Array, ArrayType, Callback, Custom, CustomRule, Error, Graph, Op, Outputs, Result, Scan, Shape,
    Sparse, bind, trace,
};
use smallvec::SmallVec;
use std::panic::Location;
use std::sync::Arc;

fn broken(error: &Error, count: usize) -> LaneOutputs {
    let array = Array::invalid(error.clone(), Location::caller());
    smallvec::smallvec![Lanes { array, batched: false }; count]
}

fn leading(x: &[Lanes]) -> Vec<Option<usize>> {
    x.iter().map(|x| x.batched.then_some(0)).collect()
}

pub(super) fn checkpoint_vmap(graph: &Graph, size: usize, x: &[Lanes]) -> LaneOutputs {
    match vmap(graph, size, &leading(x)) {
        Ok((graph, flags)) => {
            let operands: Vec<&Array> = x.iter().map(|x| &x.array).collect();
            let results = bind(Op::Checkpoint { graph: Arc::new(graph) }, &operands);
            let lanes = results.into_iter().zip(flags);
            lanes.map(|(array, axis)| Lanes { array, batched: axis.is_some() }).collect()
        }
        Err(error) => broken(&error, graph.outputs().len()),
    }
}

/// The graph on lanes, and its rule lane by lane. All results have lanes, so that they have them
/// whatever the rule gives.
pub(super) fn custom_vmap(custom: &Custom, size: usize, x: &[Lanes]) -> LaneOutputs {
    // Of these the last operand, in which they are linear, may be the same for all lanes.
    if let Some(on) = works_on_lanes(custom)
        && x[..x.len() - 1].iter().all(|x| x.batched)
    {
        let arrays: SmallVec<[Array; 4]> = x.iter().map(|x| x.spread(size)).collect();
        let operands: SmallVec<[&Array; 4]> = arrays.iter().collect();
        return match on(&operands) {
            Ok(op) => {
                let results = bind(op, &operands).into_iter();
                results.map(|array| Lanes { array, batched: true }).collect()
            }
            Err(error) => broken(&error, 1),
        };
    }
    let flags: Vec<bool> = x.iter().map(|x| x.batched).collect();
    let types: Vec<ArrayType> = custom.graph.input_types().cloned().collect();
    let graph = trace(&lane_types(&types, &flags, size), |arguments| {
        let lanes = lanes(arguments, &flags);
        let out = vmap_arrays(&custom.graph, size, lanes);
        out.iter().map(|lanes| lanes.spread(size)).collect()
    });
    match graph {
        Ok(traced) => {
            let rule = Batched { lane: custom.clone(), size, flags };
            let op = Custom { graph: Arc::new(traced.graph), rule: Arc::new(rule) };
            let operands: Vec<&Array> = x.iter().map(|x| &x.array).collect();
            let results = bind(Op::Custom(op), &operands).into_iter();
            results.map(|array| Lanes { array, batched: true }).collect()
        }
        Err(error) => broken(&error, custom.graph.outputs().len()),
    }
}

fn lanes(arrays: &[Array], flags: &[bool]) -> Vec<Lanes> {
    let pairs = arrays.iter().zip(flags);
    pairs.map(|(array, batched)| Lanes { array: array.clone(), batched: *batched }).collect()
}

/// Types with a leading axis of `size` where flagged.
fn lane_types(types: &[ArrayType], flags: &[bool], size: usize) -> Vec<ArrayType> {
    let pairs = types.iter().zip(flags);
    pairs.map(|(ty, batched)| if *batched { led(ty, size) } else { ty.clone() }).collect()
}

fn led(ty: &ArrayType, size: usize) -> ArrayType {
    let shape: Shape = std::iter::once(size).chain(ty.shape.iter().copied()).collect();
    ty.with_shape(shape)
}

/// The rule of a batched op: that of one lane, batched when it is asked for.
#[derive(Debug)]
struct Batched {
    lane: Custom,
    size: usize,
    /// Which operands have lanes; their tangents have them too.
    flags: Vec<bool>,
}

impl Batched {
    /// Runs `rule`, traced on one lane, on lanes; gives its results and which of those asked for
    /// it has.
    fn run(
        &self,
        operands: Vec<(ArrayType, Lanes)>,
        rule: impl FnOnce(&[Array]) -> Result<Sparse>,
    ) -> Result<Vec<Option<Lanes>>> {
        let (types, lanes): (Vec<ArrayType>, Vec<Lanes>) = operands.into_iter().unzip();
        let mut found = Err(internal("a rule did not run"));
        let traced = trace(&types, |arguments| {
            found = rule(arguments).map(|results| {
                let flags: Vec<bool> = results.iter().map(Option::is_some).collect();
                (results, flags)
            });
            match &found {
                Ok((results, _)) => results.iter().flatten().cloned().collect(),
                Err(_) => Vec::new(),
            }
        });
        let (_, flags) = found?;
        let mut results = vmap_arrays(&traced?.graph, self.size, lanes).into_iter();
        Ok(flags.iter().map(|some| if *some { results.next() } else { None }).collect())
    }

    fn lane_inputs(&self) -> Vec<ArrayType> {
        self.lane.graph.input_types().cloned().collect()
    }
}

impl CustomRule for Batched {
    fn name(&self) -> &'static str {
        self.lane.rule.name()
    }

    fn jvp(&self, _: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        let types = self.lane_inputs();
        let moving: Vec<bool> = dx.iter().map(Option::is_some).collect();
        let lane = |array: &Array, i: usize| {
            (types[i].clone(), Lanes { array: array.clone(), batched: self.flags[i] })
        };
        let mut operands: Vec<_> = x.iter().enumerate().map(|(i, x)| lane(x, i)).collect();
        operands.extend(dx.iter().enumerate().filter_map(|(i, dx)| Some(lane((*dx)?, i))));
        let count = self.lane.graph.outputs().len();
        let results = self.run(operands, |arguments| {
            let (x, dx) = arguments.split_at(types.len());
            let dx = place(dx, &moving);
            let x: Vec<&Array> = x.iter().collect();
            let dx: Vec<Option<&Array>> = dx.iter().map(Option::as_ref).collect();
            let (y, dy) = self.lane.rule.jvp(&self.lane, &x, &dx)?;
            Ok(y.into_iter().map(Some).chain(dy).collect())
        })?;
        let mut results = results.into_iter().map(|lanes| lanes.map(|l| l.spread(self.size)));
        let y = results.by_ref().take(count).flatten().collect();
        Ok((y, results.collect()))
    }

    fn transpose(
        &self,
        _: &Custom,
        values: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        let types = self.lane_inputs();
        let outputs: Vec<ArrayType> = self.lane.graph.output_types().cloned().collect();
        let known: Vec<bool> = values.iter().map(Option::is_some).collect();
        let given: Vec<bool> = cts.iter().map(Option::is_some).collect();
        let mut operands = Vec::new();
        for (i, value) in values.iter().enumerate() {
            if let Some(array) = value {
                let lanes = Lanes { array: array.clone(), batched: self.flags[i] };
                operands.push((types[i].clone(), lanes));
            }
        }
        let fixed = operands.len();
        for (ct, ty) in cts.iter().zip(&outputs) {
            if let Some(array) = ct {
                operands.push((ty.clone(), Lanes { array: array.clone(), batched: true }));
            }
        }
        let results = self.run(operands, |arguments| {
            let (fixed, cts) = arguments.split_at(fixed);
            custom_transpose(&self.lane, &place(fixed, &known), &place(cts, &given))
        });
        let linear: Vec<bool> =
            (0..known.len()).filter(|&i| !known[i]).map(|i| self.flags[i]).collect();
        let sum = |(lanes, batched): (Option<Lanes>, bool)| {
            let all = lanes?.spread(self.size);
            Some(if batched { all } else { all.sum_axes([0]) })
        };
        Some(results.map(|results| results.into_iter().zip(linear).map(sum).collect()))
    }
}

/// All lanes at once if the function says it can, else lane after lane.
pub(super) fn callback_vmap(callback: &Callback, size: usize, x: &[Lanes]) -> LaneOutputs {
    let arrays: SmallVec<[Array; 4]> = x.iter().map(|x| x.spread(size)).collect();
    let operands: Vec<&Array> = arrays.iter().collect();
    let op = if callback.vectorized {
        let led_all = |types: &[ArrayType]| types.iter().map(|ty| led(ty, size)).collect();
        Op::Callback(Arc::new(Callback {
            inputs: led_all(&callback.inputs),
            outputs: led_all(&callback.outputs),
            ..callback.clone()
        }))
    } else {
        let body = trace(&callback.inputs, |arguments| {
            let operands: Vec<&Array> = arguments.iter().collect();
            bind(Op::Callback(Arc::new(callback.clone())), &operands).into_vec()
        });
        match body {
            Ok(traced) => Op::Scan(Scan {
                body: Arc::new(traced.graph),
                consts: 0,
                carries: 0,
                length: size,
                reverse: false,
            }),
            Err(error) => return broken(&error, callback.outputs.len()),
        }
    };
    bind(op, &operands).into_iter().map(|array| Lanes { array, batched: true }).collect()
}
