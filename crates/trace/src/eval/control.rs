//! Loops: a scan runs its body once per step. `Call` is just the called graph and needs no rule.

use super::Runner;
use crate::op::Scan;
use crate::{ArrayType, HostBuffer, Result, Value, Values};
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
    let mut stacked: Vec<HostBuffer> =
        outputs[scan.carries..].iter().map(|ty| HostBuffer::zeroed(ty.bytes())).collect();
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

/// Entry `position` along the leading axis of `x`, of type `ty`.
fn entry(x: &Value, ty: &ArrayType, position: usize) -> Result<Value> {
    let size = ty.bytes();
    let at = position * size;
    let mut buffer = HostBuffer::zeroed(size);
    buffer.bytes_mut().copy_from_slice(&x.to_host()?.bytes()[at..at + size]);
    Ok(Value::host(ty.clone(), buffer))
}
