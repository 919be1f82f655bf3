//! Loops and branches: a scan runs its body once per step, a switch runs one of its graphs.
//! `Call` is just the called graph and needs no rule.

use crate::error::Result;
use crate::eval::{Runner, eval_graph};
use crate::op::control::{Scan, Switch, While};
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value, Values};
use smallvec::SmallVec;

pub(super) fn scan(
    scan: &Scan,
    inputs: &[Value],
    outputs: &[ArrayType],
) -> Result<SmallVec<[Value; 2]>> {
    let (consts, rest) = inputs.split_at(scan.consts);
    let (initial, xs) = rest.split_at(scan.carries);
    let entry_types: Vec<ArrayType> =
        scan.body.input_types().skip(scan.consts + scan.carries).cloned().collect();
    let mut carries: Values = initial.iter().cloned().collect();
    let mut stacked: Vec<HostBuffer> = outputs[scan.carries..]
        .iter()
        .map(|ty| HostBuffer::try_zeroed(ty.bytes()))
        .collect::<Result<_>>()?;
    let mut runner = Runner::new(&scan.body);

    for step in 0..scan.length {
        let position = if scan.reverse { scan.length - 1 - step } else { step };
        let mut arguments: Values = consts.iter().cloned().chain(carries.drain(..)).collect();
        for (x, ty) in xs.iter().zip(&entry_types) {
            arguments.push(entry(x, ty, position)?);
        }
        let mut results = runner.run(arguments)?.into_iter();
        carries.extend(results.by_ref().take(scan.carries));
        for (to, y) in stacked.iter_mut().zip(results) {
            let size = y.ty().bytes();
            let at = position * size;
            to.bytes_mut()[at..at + size].copy_from_slice(y.to_host()?.bytes());
        }
    }

    let mut results: SmallVec<[Value; 2]> = carries.into_iter().collect();
    for (ty, buffer) in outputs[scan.carries..].iter().zip(stacked) {
        results.push(Value::host(ty.clone(), buffer));
    }
    Ok(results)
}

/// The branch that the clamped index names, alone.
pub(super) fn switch(switch: &Switch, inputs: &[Value]) -> Result<SmallVec<[Value; 2]>> {
    let index = inputs[0].to_vec::<i32>()?[0];
    let last = switch.branches.len() - 1;
    let chosen = usize::try_from(index).map_or(0, |i| i.min(last));
    let operands: SmallVec<[&Value; 4]> = inputs[1..].iter().collect();
    Ok(eval_graph(&switch.branches[chosen], &operands)?.into_iter().collect())
}

/// Condition, step, condition, step, until the condition is false.
pub(super) fn while_loop(w: &While, inputs: &[Value]) -> Result<SmallVec<[Value; 2]>> {
    let (consts, initial) = inputs.split_at(w.consts());
    let (cond_consts, body_consts) = consts.split_at(w.cond_consts);
    let (mut cond, mut body) = (Runner::new(&w.cond), Runner::new(&w.body));
    let mut carries: Values = initial.iter().cloned().collect();
    loop {
        let test = cond.run(cond_consts.iter().chain(&carries).cloned())?;
        if !test[0].to_vec::<bool>()?[0] {
            return Ok(carries.into_iter().collect());
        }
        // The step owns the carries, so that their memory goes as soon as they are read.
        let arguments: Values = body_consts.iter().cloned().chain(carries.drain(..)).collect();
        carries = body.run(arguments)?;
    }
}

/// Entry `position` along the leading axis of `x`, of type `ty`.
fn entry(x: &Value, ty: &ArrayType, position: usize) -> Result<Value> {
    let size = ty.bytes();
    let at = position * size;
    let mut buffer = HostBuffer::try_zeroed(size)?;
    buffer.bytes_mut().copy_from_slice(&x.to_host()?.bytes()[at..at + size]);
    Ok(Value::host(ty.clone(), buffer))
}
