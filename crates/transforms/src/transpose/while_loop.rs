//! The transpose of a conditional loop, for any number of steps in a fixed amount of memory. The
//! steps are taken back one by one, and each needs the values that its step had. These are made
//! again from the nearest of [`SLOTS`] checkpoints, which are placed and reused as in A. Griewank
//! and A. Walther, "Algorithm 799: revolve" (ACM TOMS, 2000): `n` steps of which each is run
//! at most `r` times again need `c` checkpoints where `n <= C(c + r, r)`. So with 64 of them two
//! thousand steps cost two more runs of the loop, a million five, and no number many.
//!
//! All is written as a loop of array operations, so that it is compiled, batched and
//! differentiated like any other.

use super::{Cotangents, LinearEqn, transpose_arrays};
use crate::extract::{internal, zeros_of};
use crate::partial_eval::{
    LIMIT, Partial, counted, flagged, known_carries, known_step, known_vars, run_known, split_step,
};
use probpipe_trace::{
    Array, ArrayType, BinaryOp, CompareOp, DType, Graph, Op, Result, VarId, While, bind1, concat,
    cond, full_typed, here, inline, iota, select, while_loop, zeros_like,
};

/// Number of checkpoints.
const SLOTS: usize = 64;
/// Columns of the table of [`reach`]; with them 64 checkpoints reach more steps than are counted.
const RUNS: usize = 16;
/// Values up to this size are written to their slot by a select over all slots, which compiled code
/// does in registers of several; larger ones alone.
const SMALL: usize = 4;
/// Values up to this size share a slot with others of their type.
const PACKED: usize = 64;

pub(super) fn while_transpose(w: &While, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let flags: Vec<bool> = (0..eqn.values.len()).map(|i| !eqn.is_linear(i)).collect();
    let carries = known_carries(w, &flags).ok_or_else(|| {
        internal("the number of steps of a loop depends on what is differentiated")
    })?;
    // Zeros stand for linear operands, which no known part reads.
    let operands: Vec<Array> = eqn
        .values
        .iter()
        .enumerate()
        .map(|(i, value)| value.clone().unwrap_or_else(|| full_typed(eqn.ty(i), 0)))
        .collect();
    let steps = match counted_steps(w, &operands) {
        Some(steps) => steps,
        None => run_known(w, &operands, &flags, &carries)?.1,
    };

    let const_flags = &flags[w.cond_consts..w.consts()];
    let step = Step::new(w, const_flags, &carries, &operands)?;
    let is_linear_carry = |i: &usize| !carries[*i];
    let linear_carries: Vec<usize> = (0..w.carries()).filter(is_linear_carry).collect();
    let linear_consts: Vec<usize> = (0..w.body_consts).filter(|&i| !const_flags[i]).collect();
    let mut cts: Vec<Array> = linear_carries
        .iter()
        .map(|&i| eqn.cts[i].clone().unwrap_or_else(|| zeros_of(eqn.graph, eqn.eqn.outputs[i])))
        .collect();
    cts.extend(linear_consts.iter().map(|&i| full_typed(eqn.ty(w.cond_consts + i), 0)));
    let init = flagged(&operands[w.consts()..], &carries);
    let cts: Vec<Array> = cts.iter().map(|ct| counted(&steps, ct)).collect();
    let cts = if step.is_constant {
        step.repeated(steps, init, cts)
    } else {
        step.back(steps, init, cts)
    };

    let places = linear_carries
        .iter()
        .map(|i| w.consts() + i)
        .chain(linear_consts.iter().map(|i| w.cond_consts + i));
    let mut operand_cts: Cotangents = smallvec::smallvec![None; eqn.values.len()];
    for (place, ct) in places.zip(cts) {
        // A carry may start at a value that is not linear, though what it becomes is.
        if eqn.is_linear(place) {
            operand_cts[place] = Some(ct);
        }
    }
    Ok(operand_cts)
}

/// One step, forwards on known values and backwards on cotangents.
struct Step {
    /// From (known constants, known carries) to the known carries.
    advance: Graph,
    /// The known half gives what the linear half needs.
    partial: Partial,
    consts: Vec<Array>,
    carries: usize,
    linear_consts: usize,
    /// Whether the linear half is the same in every step.
    is_constant: bool,
}

impl Step {
    fn new(w: &While, consts: &[bool], carries: &[bool], operands: &[Array]) -> Result<Step> {
        let partial = split_step(w, consts, carries)?;
        let known = carries.iter().filter(|known| **known).count();
        let mut fixed = vec![true; partial.known.inputs().len() - known];
        fixed.resize(partial.known.inputs().len(), false);
        let fixed = known_vars(&partial.known, &fixed);
        Ok(Step {
            advance: known_step(&partial)?,
            consts: flagged(&operands[w.cond_consts..w.consts()], consts),
            carries: carries.len() - known,
            linear_consts: consts.iter().filter(|known| !**known).count(),
            is_constant: partial.known.outputs()[known..].iter().all(|v| fixed[v.index()]),
            partial,
        })
    }

    /// The known carries after a step.
    fn forward(&self, state: &[Array]) -> Vec<Array> {
        inline(&self.advance, &[&self.consts, state].concat())
    }

    /// Cotangents (of linear carries, then sums for linear constants) before the step that starts
    /// from `state`.
    fn backward(&self, state: &[Array], cts: &[Array]) -> Vec<Array> {
        let residuals = inline(&self.partial.known, &[&self.consts, state].concat());
        let linear = self.partial.unknown.inputs().len() - self.partial.residuals;
        let mut values: Vec<Option<Array>> = residuals[residuals.len() - self.partial.residuals..]
            .iter()
            .cloned()
            .map(Some)
            .collect();
        values.resize(self.partial.residuals + linear, None);
        let (carry_cts, sums) = cts.split_at(self.carries);
        let out = carry_cts.iter().cloned().map(Some).collect();
        let before = match transpose_arrays(&self.partial.unknown, &values, out) {
            Ok(before) => before,
            Err(error) => return vec![Array::invalid(error, here()); cts.len()],
        };
        // The linear inputs come in order: constants, carries.
        let (const_cts, before) = before.split_at(self.linear_consts);
        let zero =
            |(ct, like): (&Option<Array>, &Array)| ct.clone().unwrap_or_else(|| zeros_like(like));
        let mut new: Vec<Array> = before.iter().zip(carry_cts).map(zero).collect();
        new.extend(sums.iter().zip(const_cts).map(|(sum, ct)| match ct {
            Some(ct) => sum + ct,
            None => sum.clone(),
        }));
        new
    }

    /// All steps back, where no step needs to know which it is.
    fn repeated(&self, steps: Array, state: Vec<Array>, cts: Vec<Array>) -> Vec<Array> {
        let (_, cts) = while_loop(
            |(left, _): (Array, Vec<Array>)| left.gt(0),
            |(left, cts)| (left - 1, self.backward(&state, &cts)),
            (steps, cts),
        );
        cts
    }

    /// All steps back, from the last to the first.
    fn back(&self, steps: Array, state: Vec<Array>, cts: Vec<Array>) -> Vec<Array> {
        let slots = |x: &Array| x.expand_dims(0).broadcast_to([&[SLOTS], x.shape()].concat());
        let packing = Packing::of(&state);
        let depth = Array::from(1).cast(DType::I32);
        let positions = full_typed(&ArrayType::new(DType::I32, [SLOTS]), 0);
        let states = packing.pack(&state).iter().map(slots).collect();
        let table = Array::from_slice(&reach(), [SLOTS, RUNS]);
        let (_, _, _, _, cts) = while_loop(
            |(step, ..): Back| step.ge(0),
            |back: Back| self.turn(back, &table, &packing),
            (steps - 1, depth, positions, states, cts),
        );
        cts
    }

    /// Goes from the last checkpoint to the next one, or takes a step back if that one is reached.
    fn turn(&self, back: Back, table: &Array, packing: &Packing) -> Back {
        let (step, depth, positions, states, cts) = back;
        let top = &depth - 1;
        let from = entry(&positions, &top);
        let left = &step - &from + 1;
        let free = Array::from(SLOTS as i32) - &depth;
        let gap = distance(table, &free, &left);

        let state: Vec<Array> = states.iter().map(|slots| entry(slots, &top)).collect();
        let state = packing.unpack(&state);
        let (_, state) = while_loop(
            |(left, _): (Array, Vec<Array>)| left.gt(0),
            |(left, state)| (left - 1, self.forward(&state)),
            (gap.clone(), state),
        );
        let to = from + &gap;
        let reached = to.eq(&step);
        let cts = cond(
            &reached,
            (state.clone(), cts),
            |(state, cts)| self.backward(&state, &cts),
            |(_, cts)| cts,
        );
        // Out of range if there is nothing to write.
        let place = select(&reached, SLOTS as i32, &depth);
        let was_top = bind1(Op::Binary(BinaryOp::And), &[&reached, &gap.eq(0)]);
        let kept = select(&was_top, &depth - 1, &depth);
        (
            select(&reached, &step - 1, &step),
            select(&reached, kept, &depth + 1),
            write(&positions, &place, &to),
            states.iter().zip(packing.pack(&state)).map(|(s, x)| write(s, &place, &x)).collect(),
            cts,
        )
    }
}

/// How known carries lie in the slots: the small ones of a type side by side, so that they are
/// written together.
struct Packing {
    /// The carries of each part, by number.
    parts: Vec<Vec<usize>>,
    types: Vec<ArrayType>,
}

impl Packing {
    fn of(state: &[Array]) -> Packing {
        let types: Vec<ArrayType> =
            state.iter().map(|x| ArrayType::new(x.dtype(), x.shape())).collect();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for (i, ty) in types.iter().enumerate() {
            let small = |ty: &ArrayType| ty.size() <= PACKED;
            let alike = |&&first: &&usize| small(&types[first]) && types[first].dtype == ty.dtype;
            let part = parts.iter_mut().find(|part| part.first().filter(alike).is_some());
            match part {
                Some(part) if small(ty) => part.push(i),
                _ => parts.push(vec![i]),
            }
        }
        Packing { parts, types }
    }

    fn pack(&self, state: &[Array]) -> Vec<Array> {
        let part = |part: &Vec<usize>| match part[..] {
            [alone] => state[alone].clone(),
            _ => concat(part.iter().map(|&i| state[i].flatten()).collect::<Vec<_>>(), 0),
        };
        self.parts.iter().map(part).collect()
    }

    fn unpack(&self, packed: &[Array]) -> Vec<Array> {
        let mut state: Vec<(usize, Array)> = Vec::new();
        for (part, whole) in self.parts.iter().zip(packed) {
            if let [alone] = part[..] {
                state.push((alone, whole.clone()));
                continue;
            }
            let mut at = 0;
            for &i in part {
                let n = self.types[i].size();
                state.push((i, whole.slice_axis(0, at..at + n).reshape(&self.types[i].shape)));
                at += n;
            }
        }
        state.sort_by_key(|(i, _)| *i);
        state.into_iter().map(|(_, x)| x).collect()
    }
}

/// Where the way back stands: the step to take back next (done when it is negative), the number of
/// checkpoints, the step before which each was taken (ascending), the known carries at each, and
/// the cotangents.
type Back = (Array, Array, Array, Vec<Array>, Vec<Array>);

/// Entry `place` along the leading axis.
fn entry(slots: &Array, place: &Array) -> Array {
    bind1(Op::Gather { batch: 0 }, &[slots, place])
}

/// With `x` as entry `place`, if there is one.
fn write(slots: &Array, place: &Array, x: &Array) -> Array {
    if x.size() > SMALL {
        return slots.at_indices([place]).set(x);
    }
    let numbers = iota(&ArrayType::new(DType::I32, slots.shape()), 0);
    let place = place.broadcast_to(slots.shape());
    let here = bind1(Op::Compare(CompareOp::Eq), &[&numbers, &place]);
    bind1(Op::Select, &[&here, &x.broadcast_to(slots.shape()), slots])
}

/// How many steps to go from a checkpoint to the next one, with `free` slots and `left` steps to
/// take back, the one that starts at the checkpoint included: 0 if it is that one.
fn distance(table: &Array, free: &Array, left: &Array) -> Array {
    let row = entry(table, free);
    let runs = row.lt(left).cast(DType::I32).sum().clip(0, RUNS as i32 - 1);
    // The part that begins there has a slot less, the part before it one run less.
    let fewer = (free - 1).clip(0, SLOTS as i32 - 1);
    let beyond = bind1(Op::Gather { batch: 0 }, &[table, &fewer, &runs]);
    let beyond = select(&free.eq(0), 1, beyond);
    let gap = left - bind1(Op::Binary(BinaryOp::Min), &[&(left - 1), &beyond]);
    select(&left.eq(1), 0, gap)
}

/// `C(c + 1 + r, r)`: the number of steps that can be taken back from one checkpoint with `c` more
/// slots, none of them run more than `r` times. By slots, then runs.
fn reach() -> Vec<i32> {
    let entry = |c: i128, r: i128| (1..=r).fold(1i128, |b, k| b * (c + 1 + k) / k);
    let rows = (0..SLOTS as i128).flat_map(|c| (0..RUNS as i128).map(move |r| entry(c, r)));
    rows.map(|b| i32::try_from(b).unwrap_or(LIMIT)).collect()
}

/// The number of steps of a loop that counts: its condition is `i < n` for a carry `i` that every
/// step raises by one and a constant `n`.
fn counted_steps(w: &While, operands: &[Array]) -> Option<Array> {
    let [eqn] = w.cond.eqns() else { return None };
    if eqn.op != Op::Compare(CompareOp::Lt) || w.cond.outputs() != &eqn.outputs[..] {
        return None;
    }
    let input = |v: VarId| w.cond.inputs().iter().position(|x| *x == v);
    let counter = input(eqn.inputs[0]).filter(|&i| i >= w.cond_consts)? - w.cond_consts;
    let limit = match input(eqn.inputs[1]) {
        Some(i) if i < w.cond_consts => operands[i].clone(),
        Some(_) => return None,
        None => {
            let found = w.cond.consts().iter().find(|(v, _)| *v == eqn.inputs[1])?;
            Array::from_value(found.1.clone())
        }
    };
    let body = &*w.body;
    let (before, after) = (body.inputs()[w.body_consts + counter], body.outputs()[counter]);
    let raise = body.eqns().iter().find(|e| e.outputs.contains(&after))?;
    let one = |v: VarId| {
        let value = body.consts().iter().find(|(c, _)| *c == v)?.1.to_scalars().ok()?;
        (value.len() == 1 && value[0].as_f64() == 1.0).then_some(())
    };
    let is_raise = raise.op == Op::Binary(BinaryOp::Add)
        && matches!(raise.inputs[..], [a, b] if a == before && one(b).is_some()
            || b == before && one(a).is_some());
    if !is_raise || !matches!(body.ty(before).dtype, DType::I32 | DType::I64) {
        return None;
    }
    let start = &operands[w.consts() + counter];
    // The difference of two `i32` may be none.
    let many = if start.dtype() == DType::I32 {
        select(start.lt(0), limit.gt(start.minimum(0) + LIMIT), false)
    } else {
        (&limit - start).gt(LIMIT)
    };
    let steps = select(limit.gt(start), &limit - start, 0).cast(DType::I32);
    Some(select(many, LIMIT, steps))
}
