//! Operations that move elements.

use super::Class::{Elementwise, Exact};
use super::{Rule, one, rule, two, whole};
use crate::attrs::Attrs;
use probpipe::graph::{Op, bind1};
use probpipe::{Array, DType, PadMode, concat, stack};
use serde_json::Value as Json;

/// The rule for an operation that moves elements.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    let axis = || whole(attrs, "axis");
    let k = || whole(attrs, "k");
    match op {
        "reshape" => {
            let shape = attrs.list("shape")?;
            one(Exact, move |x| {
                let known: isize = shape.iter().filter(|n| **n >= 0).product();
                let rest = (x.size() as isize).checked_div(known).unwrap_or(0);
                let all = shape.iter().map(|&n| if n < 0 { rest } else { n } as usize);
                x.reshape(all.collect::<Vec<_>>())
            })
        }
        "ravel" => one(Exact, Array::flatten),
        "transpose" => {
            let order = attrs.list("perm")?;
            one(Exact, move |x| x.permute(&order))
        }
        "swapaxes" => {
            let (a, b) = (whole(attrs, "a")?, whole(attrs, "b")?);
            one(Exact, move |x| x.swap_axes(a, b))
        }
        "moveaxis" => {
            let (from, to) = (whole(attrs, "src")?, whole(attrs, "dst")?);
            one(Exact, move |x| x.move_axis(from, to))
        }
        "broadcast_to" => {
            let shape = attrs.sizes("shape")?;
            one(Exact, move |x| x.broadcast_to(&shape[..]))
        }
        "broadcast_in_dim" => {
            let op = Op::Broadcast {
                shape: attrs.sizes("shape")?.into_iter().collect(),
                axes: attrs.sizes("dims")?.into_iter().collect(),
            };
            one(Exact, move |x| bind1(op.clone(), &[x]))
        }
        "squeeze" => {
            // From the last axis on, so that the numbers of the others stay.
            let axes = attrs.list("axis")?;
            one(Exact, move |x| {
                let from_start = |a: isize| if a < 0 { a + x.rank() as isize } else { a };
                let mut axes: Vec<isize> = axes.iter().map(|&a| from_start(a)).collect();
                axes.sort_unstable();
                axes.iter().rev().fold(x.clone(), |x, &a| x.squeeze(a))
            })
        }
        "expand_dims" => {
            // Axes count in the result.
            let axes = attrs.list("axis")?;
            one(Exact, move |x| {
                let rank = (x.rank() + axes.len()) as isize;
                let from_start = |a: isize| if a < 0 { a + rank } else { a };
                let mut axes: Vec<isize> = axes.iter().map(|&a| from_start(a)).collect();
                axes.sort_unstable();
                axes.iter().fold(x.clone(), |x, &a| x.expand_dims(a))
            })
        }
        "pad" => pad(attrs),
        "jnp_pad" => jnp_pad(attrs),
        "slice" => {
            let (start, limit) = (attrs.sizes("start")?, attrs.sizes("limit")?);
            let stride = match &attrs["strides"] {
                Json::Null => vec![1; start.len()],
                _ => attrs.sizes("strides")?,
            };
            one(Exact, move |x| {
                let ranges: Vec<_> = start.iter().zip(&limit).map(|(&a, &b)| a..b).collect();
                x.slice_strided(ranges, stride.clone())
            })
        }
        "concatenate" => axis().and_then(|a| rule(Exact, move |x| vec![concat(x, a)])),
        "stack" => axis().and_then(|a| rule(Exact, move |x| vec![stack(x, a)])),
        "split" => {
            let ends = attrs.sizes("indices")?;
            axis().and_then(|a| rule(Exact, move |x| x[0].split(&ends, a)))
        }
        "rev" => {
            let dims = attrs.list("dims")?;
            one(Exact, move |x| dims.iter().fold(x.clone(), |x, &a| x.flip(a)))
        }
        "flip" => {
            let axes = if attrs["axis"].is_null() { None } else { Some(attrs.list("axis")?) };
            one(Exact, move |x| {
                let all = || (0..x.rank() as isize).collect();
                axes.clone().unwrap_or_else(all).iter().fold(x.clone(), |x, &a| x.flip(a))
            })
        }
        "roll" => {
            let shifts = attrs.list("shift")?;
            let axes = if attrs["axis"].is_null() { None } else { Some(attrs.list("axis")?) };
            if axes.as_ref().map_or(1, Vec::len) != shifts.len() {
                return None;
            }
            one(Exact, move |x| match &axes {
                Some(axes) => shifts.iter().zip(axes).fold(x.clone(), |x, (&s, &a)| x.roll(s, a)),
                None => x.flatten().roll(shifts[0], 0).reshape(x.shape()),
            })
        }
        "tile" => {
            let counts = attrs.sizes("reps")?;
            one(Exact, move |x| x.tile(&counts))
        }
        "repeat" => {
            let count = attrs.size("repeats")?;
            match &attrs["axis"] {
                Json::Null => one(Exact, move |x| x.flatten().repeat(count, 0)),
                _ => axis().and_then(|a| one(Exact, move |x| x.repeat(count, a))),
            }
        }
        "rot90" => {
            let turns = if attrs.get("k").is_some() { k()? } else { 1 };
            one(Exact, move |x| x.rot90(turns))
        }
        "tril" => k().and_then(|k| one(Exact, move |x| x.tril_offset(k))),
        "triu" => k().and_then(|k| one(Exact, move |x| x.triu_offset(k))),
        "diag" => k().and_then(|k| {
            one(Exact, move |x| if x.rank() == 1 { x.diag_offset(k) } else { x.diagonal_offset(k) })
        }),
        "diagonal" => {
            let (a, b) = (whole(attrs, "axis1")?, whole(attrs, "axis2")?);
            let offset = if attrs.get("offset").is_some() { whole(attrs, "offset")? } else { 0 };
            one(Exact, move |x| {
                let from_start = |a: isize| if a < 0 { a + x.rank() as isize } else { a };
                let (a, b) = (from_start(a), from_start(b));
                let rest = (0..x.rank() as isize).filter(|&i| i != a && i != b);
                x.permute(rest.chain([a, b]).collect::<Vec<_>>()).diagonal_offset(offset)
            })
        }
        "block_diag" => rule(Exact, |x| vec![probpipe::block_diag(x)]),
        "toeplitz" => one(Exact, probpipe::toeplitz),
        "meshgrid" => {
            let matrix = attrs.word("indexing", &["xy", "ij"])? == 1;
            rule(Exact, move |x| probpipe::meshgrid(x, matrix))
        }
        _ => None,
    }
}

/// One number, one pair, or a pair for each axis.
fn pairs(json: &Json, rank: usize) -> Option<Vec<(usize, usize)>> {
    let pair = |json: &Json| Some((json[0].as_u64()? as usize, json[1].as_u64()? as usize));
    if let Some(n) = json.as_u64() {
        return Some(vec![(n as usize, n as usize); rank]);
    }
    let list = json.as_array()?;
    if list.len() == 2 && list.iter().all(Json::is_u64) {
        return Some(vec![pair(json)?; rank]);
    }
    let pairs: Vec<_> = list.iter().map(pair).collect::<Option<_>>()?;
    (pairs.len() == rank).then_some(pairs)
}

fn jnp_pad(attrs: &Attrs) -> Option<Rule> {
    use PadMode::{Edge, Maximum, Mean, Median, Minimum, Reflect, Symmetric, Wrap};
    let pairs = pairs(&attrs["pad"], attrs.rank(0))?;
    let (low, high): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
    let names = [
        "constant",
        "edge",
        "reflect",
        "symmetric",
        "wrap",
        "maximum",
        "minimum",
        "mean",
        "median",
    ];
    let modes = [Edge, Reflect, Symmetric, Wrap, Maximum, Minimum, Mean, Median];
    match attrs.word("mode", &names)? {
        0 => {
            let given = attrs.get("constant_values").map(Json::as_f64);
            let fill = given.map_or(Some(0.0), |value| value)?;
            one(Exact, move |x| {
                x.pad(low.clone(), high.clone(), Array::from(fill).cast(DType::F64).cast(x.dtype()))
            })
        }
        mode => {
            let mode = modes[mode - 1];
            let class = if matches!(mode, Mean | Median) { Elementwise } else { Exact };
            one(class, move |x| x.pad_mode(low.clone(), high.clone(), mode))
        }
    }
}

/// Negative padding cuts.
fn pad(attrs: &Attrs) -> Option<Rule> {
    let triple = |json: &Json| -> Option<Vec<isize>> {
        let list: Vec<isize> =
            json.as_array()?.iter().map(|n| Some(n.as_i64()? as isize)).collect::<Option<_>>()?;
        (list.len() == 3 && list[2] >= 0).then_some(list)
    };
    let config: Vec<Vec<isize>> =
        attrs["config"].as_array()?.iter().map(triple).collect::<Option<_>>()?;
    two(Exact, move |x, value| {
        let at = |i: usize| config.iter().map(move |c| c[i].max(0) as usize);
        let op = Op::Pad { low: at(0).collect(), high: at(1).collect(), interior: at(2).collect() };
        let padded = bind1(op, &[x, value]);
        config.iter().enumerate().fold(padded, |x, (axis, c)| {
            let cut = |v: isize| (-v).max(0) as usize;
            let n = x.shape().get(axis).copied().unwrap_or(0);
            let (start, end) = (cut(c[0]), n.saturating_sub(cut(c[1])));
            if start == 0 && end == n { x } else { x.slice_axis(axis as isize, start..end) }
        })
    })
}
