//! Reading and updating at positions: numbers, slices, index arrays and windows.

use super::Class::{Exact, Reduction as R};
use super::{Class, Rule, one, rule, two};
use crate::attrs::Attrs;
use probpipe::{Array, AtPlaces, Index, OutOfRange, ScatterOp, WindowAxes};
use serde_json::Value as Json;

/// The rule for an operation that indexes.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    match op {
        "index" => {
            let parts: Vec<Index> =
                attrs["index"].as_array()?.iter().map(part).collect::<Option<_>>()?;
            one(Exact, move |x| x.index(parts.clone()))
        }
        "index_array" => {
            let form = attrs["form"].as_str()?.to_string();
            let inside = form.split_once('[')?.1.strip_suffix(']')?.to_string();
            parts_of(&inside, &vec![Array::from(0); attrs.operands()])?;
            rule(Exact, move |x| match parts_of(&inside, x) {
                Some(parts) => vec![x[0].index(parts)],
                None => Vec::new(),
            })
        }
        "take" => take(attrs),
        "take_along_axis" => {
            let axis = attrs.whole("axis")?;
            two(Exact, move |x, i| x.take_along_axis(i, axis))
        }
        "dynamic_slice" => {
            let sizes = attrs.sizes("sizes")?;
            rule(Exact, move |x| vec![x[0].dynamic_slice(&x[1..], &sizes[..])])
        }
        "dynamic_update_slice" => rule(Exact, |x| vec![x[0].dynamic_update_slice(&x[1], &x[2..])]),
        "gather" => {
            let axes = WindowAxes {
                offset: attrs.sizes("offset_dims")?,
                collapsed: attrs.sizes("collapsed")?,
                starts: attrs.sizes("start_index_map")?,
            };
            let sizes = attrs.sizes("slice_sizes")?;
            let mode = window_mode(attrs)?;
            two(Exact, move |x, starts| x.gather_windows(starts, &axes, &sizes, mode))
        }
        _ => scatter(op, attrs),
    }
}

/// What windows out of range give; nothing is read or written by default.
fn window_mode(attrs: &Attrs) -> Option<OutOfRange> {
    let known = attrs.word("mode", &["fill", "clip"])?;
    Some([OutOfRange::Fill, OutOfRange::Clamp][known])
}

/// One part of a basic index.
fn part(json: &Json) -> Option<Index> {
    if json == "newaxis" {
        return Some(Index::NewAxis);
    }
    if json == "..." {
        return Some(Index::Ellipsis);
    }
    if let Some(i) = json["int"].as_i64() {
        return Some(Index::At(i as isize));
    }
    let bounds = json["slice"].as_array()?;
    let bound = |i: usize| match bounds.get(i) {
        None | Some(Json::Null) => Some(None),
        Some(n) => Some(Some(n.as_i64()? as isize)),
    };
    Some(Index::Slice { start: bound(0)?, stop: bound(1)?, step: bound(2)?.unwrap_or(1) })
}

/// The parts that are written between the brackets of `a[:,x1,2]`, with the operands at hand.
fn parts_of(inside: &str, operands: &[Array]) -> Option<Vec<Index>> {
    let parse = |word: &str| -> Option<Index> {
        if let Some(number) = word.strip_prefix('x') {
            return Some(Index::Array(operands.get(number.parse::<usize>().ok()?)?.clone()));
        }
        match word {
            "None" => return Some(Index::NewAxis),
            "..." => return Some(Index::Ellipsis),
            _ => {}
        }
        if !word.contains(':') {
            return Some(Index::At(word.parse().ok()?));
        }
        let mut bounds = Vec::new();
        for bound in word.split(':') {
            bounds.push(if bound.is_empty() { None } else { Some(bound.parse().ok()?) });
        }
        let step = bounds.get(2).copied().flatten().unwrap_or(1);
        (bounds.len() <= 3).then_some(Index::Slice { start: bounds[0], stop: bounds[1], step })
    };
    inside.split(',').map(|word| parse(word.trim())).collect()
}

fn take(attrs: &Attrs) -> Option<Rule> {
    let axis = match &attrs["axis"] {
        Json::Null => None,
        axis => Some(axis.as_i64()? as isize),
    };
    let mode = attrs.word("mode", &["default", "fill", "clip", "wrap"])?;
    two(Exact, move |x, i| {
        let (x, axis) = axis.map_or_else(|| (x.flatten(), 0), |axis| (x.clone(), axis));
        match mode {
            // Negative indices are out of range here, and do not count from the end.
            2 => x.take_mode(i.maximum(0), axis, OutOfRange::Clamp),
            3 => x.take_mode(i, axis, OutOfRange::Wrap),
            _ => x.take(i, axis),
        }
    })
}

/// How updates combine, by the name of an operation.
fn combination(op: &str) -> Option<(Class, ScatterOp)> {
    Some(match op.strip_prefix("scatter_")?.trim_end_matches("_general") {
        "set" => (Exact, ScatterOp::Set),
        "add" => (R, ScatterOp::Add),
        "multiply" | "mul" => (R, ScatterOp::Mul),
        "min" => (Exact, ScatterOp::Min),
        "max" => (Exact, ScatterOp::Max),
        _ => return None,
    })
}

/// `x.at[..].op(updates)`: the last operand holds the updates.
fn scatter(op: &str, attrs: &Attrs) -> Option<Rule> {
    let (class, combine) = combination(op)?;
    if op.ends_with("_general") {
        let axes = WindowAxes {
            offset: attrs.sizes("update_window_dims")?,
            collapsed: attrs.sizes("inserted_window_dims")?,
            starts: attrs.sizes("scatter_dims_to_operand_dims")?,
        };
        let mode = window_mode(attrs)?;
        return rule(class, move |x| {
            vec![x[0].scatter_windows(combine, &x[1], &x[2], &axes, mode)]
        });
    }
    let last = attrs.operands() - 1;
    if attrs.get("slice").is_some() {
        let bounds = attrs.list("slice")?;
        let (start, stop) = (bounds.first().copied(), bounds.get(1).copied());
        let step = bounds.get(2).copied().unwrap_or(1);
        return rule(class, move |x| {
            let part = Index::Slice { start, stop, step };
            vec![update(combine, &x[0].at_index(vec![part]), &x[last])]
        });
    }
    let axes = if attrs.get("axes").is_some() {
        attrs.sizes("axes")
    } else {
        Some(vec![attrs.size("axis")?])
    }?;
    if axes.len() + 1 != last || !axes.is_sorted() {
        return None;
    }
    rule(class, move |x| {
        let mut parts = Vec::new();
        for (&axis, indices) in axes.iter().zip(&x[1..last]) {
            parts.resize(axis, Index::step(1));
            parts.push(Index::from(indices));
        }
        vec![update(combine, &x[0].at_index(parts), &x[last])]
    })
}

fn update(op: ScatterOp, places: &AtPlaces, values: &Array) -> Array {
    match op {
        ScatterOp::Set => places.set(values),
        ScatterOp::Add => places.add(values),
        ScatterOp::Mul => places.mul(values),
        ScatterOp::Min => places.min(values),
        ScatterOp::Max => places.max(values),
    }
}
