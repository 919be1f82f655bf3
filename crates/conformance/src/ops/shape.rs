//! Operations that move elements.

use super::Class::Exact;
use super::{Rule, one, rule, two, whole};
use crate::golden::extents;
use probpipe::{Array, Op, bind1, concat, stack};
use serde_json::Value as Json;

fn list(json: &Json) -> Vec<isize> {
    match json {
        Json::Array(list) => list.iter().filter_map(Json::as_i64).map(|n| n as isize).collect(),
        _ => json.as_i64().map(|n| n as isize).into_iter().collect(),
    }
}

/// The rule for an operation that moves elements.
pub(super) fn find(op: &str, attrs: &Json) -> Option<Rule> {
    let axis = whole(attrs, "axis");
    let axes = list(&attrs["axis"]);
    let k = whole(attrs, "k");
    match op {
        "reshape" => {
            let shape = list(&attrs["shape"]);
            one(Exact, move |x| {
                let known: isize = shape.iter().filter(|n| **n >= 0).product();
                let rest = (x.size() as isize).checked_div(known).unwrap_or(0);
                let all = shape.iter().map(|&n| if n < 0 { rest } else { n } as usize);
                x.reshape(all.collect::<Vec<_>>())
            })
        }
        "ravel" => one(Exact, Array::flatten),
        "transpose" => {
            let order = list(&attrs["perm"]);
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
            let shape = extents(&attrs["shape"]);
            one(Exact, move |x| x.broadcast_to(&shape[..]))
        }
        "broadcast_in_dim" => {
            let op = Op::Broadcast {
                shape: extents(&attrs["shape"]).into_iter().collect(),
                axes: extents(&attrs["dims"]).into_iter().collect(),
            };
            one(Exact, move |x| bind1(op.clone(), &[x]))
        }
        "squeeze" => one(Exact, move |x| axes.iter().rev().fold(x.clone(), |x, &a| x.squeeze(a))),
        "expand_dims" => one(Exact, move |x| axes.iter().fold(x.clone(), |x, &a| x.expand_dims(a))),
        "pad" => pad(attrs),
        "jnp_pad" if attrs["mode"] == "constant" => {
            let pairs: Vec<Vec<usize>> = attrs["pad"].as_array()?.iter().map(extents).collect();
            let at = |i: usize| pairs.iter().map(|p| p[i]).collect::<Vec<usize>>();
            let (low, high) = (at(0), at(1));
            one(Exact, move |x| x.pad(low.clone(), high.clone(), 0.0))
        }
        "slice" => {
            let part = |name: &str| extents(&attrs[name]);
            let (start, limit, stride) = (part("start"), part("limit"), part("strides"));
            one(Exact, move |x| {
                let ranges: Vec<_> = start.iter().zip(&limit).map(|(&a, &b)| a..b).collect();
                x.slice_strided(ranges, stride.clone())
            })
        }
        "index" => {
            let parts = attrs["index"].as_array()?.clone();
            one(Exact, move |x| index(x, &parts))
        }
        "concatenate" => axis.and_then(|a| rule(Exact, move |x| vec![concat(x, a)])),
        "stack" => axis.and_then(|a| rule(Exact, move |x| vec![stack(x, a)])),
        "split" => {
            let ends = extents(&attrs["indices"]);
            axis.and_then(|a| rule(Exact, move |x| x[0].split(&ends, a)))
        }
        "rev" => {
            let dims = list(&attrs["dims"]);
            one(Exact, move |x| dims.iter().fold(x.clone(), |x, &a| x.flip(a)))
        }
        "flip" => axis.and_then(|a| one(Exact, move |x| x.flip(a))),
        "roll" => {
            let shift = whole(attrs, "shift")?;
            one(Exact, move |x| match axis {
                Some(axis) => x.roll(shift, axis),
                None => x.flatten().roll(shift, 0).reshape(x.shape()),
            })
        }
        "tile" => {
            let counts = extents(&attrs["reps"]);
            one(Exact, move |x| x.tile(&counts))
        }
        "repeat" => {
            let count = whole(attrs, "repeats")? as usize;
            axis.and_then(|a| one(Exact, move |x| x.repeat(count, a)))
        }
        "rot90" => one(Exact, |x| x.rot90(1)),
        "tril" => k.and_then(|k| one(Exact, move |x| x.tril(k))),
        "triu" => k.and_then(|k| one(Exact, move |x| x.triu(k))),
        "diag" => k.and_then(|k| {
            one(Exact, move |x| if x.rank() == 1 { x.diag(k) } else { x.diagonal(k) })
        }),
        "diagonal" => {
            let (a, b) = (whole(attrs, "axis1")?, whole(attrs, "axis2")?);
            one(Exact, move |x| {
                let rest = (0..x.rank() as isize).filter(|&i| i != a && i != b);
                x.permute(rest.chain([a, b]).collect::<Vec<_>>()).diagonal(0)
            })
        }
        "block_diag" => rule(Exact, |x| vec![probpipe::block_diag(x)]),
        "toeplitz" => one(Exact, probpipe::toeplitz),
        "meshgrid" => {
            let matrix = attrs["indexing"] == "ij";
            rule(Exact, move |x| probpipe::meshgrid(x, matrix))
        }
        _ => None,
    }
}

/// Negative padding cuts.
fn pad(attrs: &Json) -> Option<Rule> {
    let config: Vec<Vec<isize>> = attrs["config"].as_array()?.iter().map(list).collect();
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

/// Basic indexing: numbers, slices with steps, new axes and an ellipsis.
fn index(x: &Array, parts: &[Json]) -> Array {
    let named = parts.iter().filter(|p| p.is_object()).count();
    let mut x = x.clone();
    let mut axis = 0isize;
    for part in parts {
        if part == "newaxis" {
            x = x.expand_dims(axis);
            axis += 1;
        } else if part == "..." {
            axis += x.rank() as isize - named as isize;
        } else if let Some(i) = part["int"].as_i64() {
            x = x.at_axis(axis, i as isize);
        } else {
            let n = x.shape().get(axis as usize).map_or(0, |&n| n as i64);
            let bound = |i: usize, default: i64| {
                let v = part["slice"][i].as_i64().unwrap_or(default);
                (if v < 0 { v + n } else { v }).clamp(0, n) as usize
            };
            let step = part["slice"][2].as_i64().unwrap_or(1);
            if step < 0 {
                x = x.flip(axis);
            }
            let (start, end) = if step < 0 { (0, n as usize) } else { (bound(0, 0), bound(1, n)) };
            let mut ranges: Vec<_> = x.shape().iter().map(|&n| 0..n).collect();
            let mut stride = vec![1; x.rank()];
            ranges[axis as usize] = start.min(end)..end;
            stride[axis as usize] = step.unsigned_abs() as usize;
            x = x.slice_strided(ranges, stride);
            axis += 1;
        }
    }
    x
}
