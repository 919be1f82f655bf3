//! The time of each equation of a graph, loops and branches as one equation each: what is inside of
//! them is not told apart. And the time of a program as a whole.

use crate::error::Result;
use crate::eval::{Runner, eval_graph, eval_op};
use crate::op::graph::Graph;
use crate::profile::{Profile, Region, RegionKind};
use crate::types::ArrayType;
use crate::value::{Value, Values};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// At least so many calls are measured, and as many as fit in this time.
const CALLS: usize = 3;
const TIME: Duration = Duration::from_millis(100);

/// Runs a program some times, and says what a call takes until its results can be read: of devices
/// that cannot tell its parts.
pub fn profile_calls(device: &'static str, run: impl Fn() -> Result<Values>) -> Result<Profile> {
    let call = || run()?.iter().try_for_each(|y| y.to_host().map(|_| ()));
    call()?;
    let (mut calls, start) = (0, Instant::now());
    while calls < CALLS || start.elapsed() < TIME {
        call()?;
        calls += 1;
    }
    let time = start.elapsed() / calls as u32;
    let region = Region {
        kind: RegionKind::Call,
        name: "the program with the way there and back".into(),
        lines: Vec::new(),
        inside: None,
        runs: 1.0,
        time,
        read: 0.0,
        written: 0.0,
    };
    Ok(Profile { device, calls, time, regions: vec![region], placement: None })
}

/// Runs a graph some times, and says what each equation takes.
pub fn profile_graph(graph: &Graph, inputs: &[&Value]) -> Result<Profile> {
    eval_graph(graph, inputs)?;
    let mut times = vec![Duration::ZERO; graph.eqns().len()];
    let (mut calls, mut whole, start) = (0, Duration::ZERO, Instant::now());
    while calls < CALLS || start.elapsed() < TIME {
        let begin = Instant::now();
        eval_graph(graph, inputs)?;
        whole += begin.elapsed();
        let mut runner = Runner::new(graph);
        runner.run_with(inputs.iter().map(|&v| v.clone()), |k, op, operands, types| {
            let begin = Instant::now();
            let results = eval_op(op, operands, types);
            times[k] += begin.elapsed();
            results
        })?;
        calls += 1;
    }
    let bytes = |types: &mut dyn Iterator<Item = &ArrayType>| -> f64 {
        types.map(|ty| ty.bytes() as f64).sum()
    };
    let regions = graph.eqns().iter().zip(&times).map(|(eqn, &time)| {
        let results: SmallVec<[String; 2]> =
            eqn.outputs.iter().map(|&v| graph.ty(v).to_string()).collect();
        Region {
            kind: RegionKind::Kernel,
            name: format!("{} to {}", eqn.op.name(), results.join(", ")),
            lines: vec![eqn.location],
            inside: None,
            runs: 1.0,
            time: time / calls as u32,
            read: bytes(&mut eqn.inputs.iter().map(|&v| graph.ty(v))),
            written: bytes(&mut eqn.outputs.iter().map(|&v| graph.ty(v))),
        }
    });
    let regions = regions.collect();
    Ok(Profile {
        device: "interpreter",
        calls,
        time: whole / calls as u32,
        regions,
        placement: None,
    })
}
