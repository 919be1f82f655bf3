//! The derivative of a conditional loop: tangents are carried beside the values, and the condition
//! does not see them.

use super::{Tangents, jvp_arrays, spread};
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Outputs, Result, While, bind, full_typed, here, inline, trace,
    zeros_like,
};
use smallvec::smallvec;
use std::sync::Arc;

pub(super) fn while_jvp(w: &While, x: &[&Array], dx: &[Option<&Array>]) -> (Outputs, Tangents) {
    match with_tangents(w, x, dx) {
        Ok(results) => results,
        Err(error) => {
            let invalid = Array::invalid(error, here());
            (smallvec![invalid; w.carries()], smallvec![])
        }
    }
}

/// Carries with a tangent are those that start with one or get one in a step, to a fixed point.
fn with_tangents(w: &While, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Tangents)> {
    let (consts, carries) = (&x[w.cond_consts..w.consts()], &x[w.consts()..]);
    let mut flags: Vec<bool> = dx[w.cond_consts..].iter().map(Option::is_some).collect();
    let body = loop {
        let (body, nonzero) = step(w, &flags)?;
        let before = flags.clone();
        for (flag, nonzero) in flags[w.body_consts..].iter_mut().zip(nonzero) {
            *flag |= nonzero;
        }
        if before == flags {
            break body;
        }
    };
    let (const_flags, carry_flags) = flags.split_at(w.body_consts);
    let tangents = |x: &[&Array], dx: &[Option<&Array>], flags: &[bool]| -> Vec<Array> {
        let picked = x.iter().zip(dx).zip(flags).filter(|(_, f)| **f);
        picked.map(|((x, dx), _)| dx.map_or_else(|| zeros_like(x), Array::clone)).collect()
    };
    let const_tangents = tangents(consts, &dx[w.cond_consts..], const_flags);
    let carry_tangents = tangents(carries, &dx[w.consts()..], carry_flags);

    let cond_types: Vec<ArrayType> = w
        .cond
        .input_types()
        .chain(w.body.output_types().zip(carry_flags).filter(|(_, f)| **f).map(|(ty, _)| ty))
        .cloned()
        .collect();
    let cond = trace(&cond_types, |x| inline(&w.cond, &x[..w.cond.inputs().len()]))?;
    let new = While {
        cond: Arc::new(cond.graph),
        body: Arc::new(body),
        cond_consts: w.cond_consts,
        body_consts: w.body_consts + const_tangents.len(),
    };
    let operands: Vec<&Array> = x[..w.consts()]
        .iter()
        .copied()
        .chain(&const_tangents)
        .chain(carries.iter().copied())
        .chain(&carry_tangents)
        .collect();
    let results = bind(Op::While(new), &operands);
    let (y, dy) = results.split_at(w.carries());
    Ok((y.iter().cloned().collect(), spread(dy, carry_flags).into()))
}

/// The body on (constants, their tangents, carries, their tangents), and which carries it gives a
/// tangent. Carries that come in with one go out with one.
fn step(w: &While, flags: &[bool]) -> Result<(Graph, Vec<bool>)> {
    let types: Vec<ArrayType> = w.body.input_types().cloned().collect();
    let (const_types, carry_types) = types.split_at(w.body_consts);
    let (const_flags, carry_flags) = flags.split_at(w.body_consts);
    let with = |types: &[ArrayType], flags: &[bool]| -> Vec<ArrayType> {
        let tangents = types.iter().zip(flags).filter(|(_, f)| **f).map(|(ty, _)| ty);
        types.iter().chain(tangents).cloned().collect()
    };
    let consts = with(const_types, const_flags);
    let step_types: Vec<ArrayType> =
        consts.iter().cloned().chain(with(carry_types, carry_flags)).collect();
    let mut nonzero = Vec::new();
    let traced = trace(&step_types, |arguments| {
        let (consts, carries) = arguments.split_at(consts.len());
        let (c, dc) = consts.split_at(w.body_consts);
        let (x, dx) = carries.split_at(w.carries());
        let values: Vec<Array> = c.iter().chain(x).cloned().collect();
        let mut tangents = spread(dc, const_flags);
        tangents.extend(spread(dx, carry_flags));
        let (y, mut dy) = jvp_arrays(&w.body, &values, tangents);
        for ((dy, ty), flag) in dy.iter_mut().zip(carry_types).zip(carry_flags) {
            if *flag && dy.is_none() {
                *dy = Some(full_typed(ty, 0));
            }
        }
        nonzero = dy.iter().map(Option::is_some).collect();
        y.into_iter().chain(dy.into_iter().flatten()).collect()
    })?;
    Ok((traced.graph, nonzero))
}
