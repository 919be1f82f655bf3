//! Running reductions, sorting, extremes by position, and lookups in tables.

use super::Class::{Elementwise as E, Exact, Reduction as R};
use super::reductions::accumulator;
use super::{Rule, one, rule, two};
use crate::attrs::Attrs;
use probpipe::{
    Array, CumulativeOp, DType, bincount, digitize, histogram, interp, searchsorted, segment_max,
    segment_min, segment_prod, segment_sum, sort_key_val, sort_together,
};
use serde_json::Value as Json;

/// An axis, or none where all elements are taken in row-major order.
fn axis(attrs: &Attrs) -> Option<Option<isize>> {
    match &attrs["axis"] {
        Json::Null => Some(None),
        axis => Some(Some(axis.as_i64()? as isize)),
    }
}

fn lined(x: &Array, axis: Option<isize>) -> (Array, isize) {
    axis.map_or_else(|| (x.flatten(), 0), |axis| (x.clone(), axis))
}

/// The rule for an operation that depends on the order of elements.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    match op {
        "cumsum" => running(CumulativeOp::Sum, attrs),
        "cumprod" => running(CumulativeOp::Prod, attrs),
        "cummax" => running(CumulativeOp::Max, attrs),
        "cummin" => running(CumulativeOp::Min, attrs),
        "cumlogsumexp" => {
            let (axis, reverse) = (axis(attrs)?, attrs.flag("reverse")?);
            one(R, move |x| {
                let (x, axis) = lined(x, axis);
                x.cumlogsumexp(axis, reverse)
            })
        }
        "cumtrapz_like" => one(R, |x| {
            let n = x.shape().first().copied().unwrap_or(0).max(1);
            ((x.slice_axis(0, 1..n) + x.slice_axis(0, 0..n - 1)) / 2.0).cumsum(0)
        }),
        "sort" => {
            let (axis, down) = (axis(attrs)?, attrs.flag("descending")?);
            one(Exact, move |x| {
                let (x, axis) = lined(x, axis);
                if down { x.sort_descending(axis) } else { x.sort(axis) }
            })
        }
        "argsort" => {
            let (axis, down) = (axis(attrs)?, attrs.flag("descending")?);
            one(Exact, move |x| {
                let (x, axis) = lined(x, axis);
                if down { x.argsort_descending(axis) } else { x.argsort(axis) }
            })
        }
        "argmax" => extreme(attrs, Array::argmax),
        "argmin" => extreme(attrs, Array::argmin),
        "sort_key_val" => rule(Exact, |x| {
            let (keys, values) = sort_key_val(&x[0], &x[1], -1);
            vec![keys, values]
        }),
        "sort_multi" => {
            let keys = attrs.size("num_keys")?;
            rule(Exact, move |x| sort_together(x, -1, keys))
        }
        "top_k" => {
            let k = attrs.size("k")?;
            rule(Exact, move |x| {
                let (values, indices) = x[0].top_k(k);
                vec![values, indices]
            })
        }
        "searchsorted" => {
            let right = attrs.word("side", &["left", "right"])? == 1;
            two(Exact, move |x, v| searchsorted(x, v, right))
        }
        "digitize" => {
            let right = attrs.flag("right")?;
            two(Exact, move |x, bins| digitize(x, bins, right))
        }
        "histogram" => {
            let bins = attrs.size("bins")?;
            let range = (attrs["range"][0].as_f64()?, attrs["range"][1].as_f64()?);
            one(Exact, move |x| histogram(x, bins, range).0)
        }
        "bincount" => {
            let length = attrs.size("length")?;
            one(Exact, move |x| bincount(x, length))
        }
        "interp" => rule(E, |x| vec![interp(&x[0], &x[1], &x[2])]),
        "segment_sum" => segments(R, attrs, segment_sum),
        "segment_prod" => segments(R, attrs, segment_prod),
        "segment_max" => segments(Exact, attrs, segment_max),
        "segment_min" => segments(Exact, attrs, segment_min),
        _ => None,
    }
}

fn segments(
    class: super::Class,
    attrs: &Attrs,
    f: fn(&Array, &Array, usize) -> Array,
) -> Option<Rule> {
    let count = attrs.size("num_segments")?;
    two(class, move |x, s| f(x, s, count))
}

fn running(op: CumulativeOp, attrs: &Attrs) -> Option<Rule> {
    let (axis, reverse) = (axis(attrs)?, attrs.flag("reverse")?);
    let widened = accumulator(attrs)?;
    let extreme = matches!(op, CumulativeOp::Max | CumulativeOp::Min);
    one(if extreme { Exact } else { R }, move |x| {
        let (x, axis) = lined(x, axis);
        widened(&x).cumulative(op, axis, reverse)
    })
}

fn extreme(attrs: &Attrs, f: fn(&Array, isize) -> Array) -> Option<Rule> {
    let (axis, keep) = (axis(attrs)?, attrs.flag("keepdims")?);
    one(Exact, move |x| {
        // Truth values have no order of their own.
        let x = if x.dtype() == DType::Bool { x.cast(DType::I32) } else { x.clone() };
        let (line, along) = lined(&x, axis);
        let found = f(&line, along);
        match (keep, axis) {
            (true, Some(axis)) => found.expand_dims(axis),
            (true, None) => found.reshape(vec![1usize; x.rank()]),
            (false, _) => found,
        }
    })
}
