//! Reductions, over all axes, some or one, with or without keeping them.

use super::Class::{self, Elementwise as E, Exact, Reduction as R};
use super::{Rule, one, rule, two, whole};
use crate::golden::number;
use probpipe::{Array, DType, select};
use serde_json::Value as Json;

/// The axes that a case reduces: all where it names none.
fn axes(attrs: &Json, x: &Array) -> Vec<isize> {
    match &attrs["axis"] {
        Json::Array(list) => list.iter().filter_map(Json::as_i64).map(|a| a as isize).collect(),
        Json::Number(n) => n.as_i64().map(|a| a as isize).into_iter().collect(),
        _ => (0..x.rank() as isize).collect(),
    }
}

fn reduce(
    class: Class,
    attrs: &Json,
    f: impl Fn(&Array, &[isize]) -> Array + 'static,
) -> Option<Rule> {
    let attrs = attrs.clone();
    one(class, move |x| {
        let axes = axes(&attrs, x);
        let reduced = f(x, &axes);
        if attrs["keepdims"] == true { x.keep_axes(&reduced, &axes) } else { reduced }
    })
}

/// The rule for a reduction.
pub(super) fn find(op: &str, attrs: &Json) -> Option<Rule> {
    let ddof = whole(attrs, "ddof").unwrap_or(0) as usize;
    let axis = whole(attrs, "axis");
    match op {
        "sum" => reduce(R, attrs, |x, a| match x.dtype() {
            DType::Bool => x.cast(DType::I32).sum_axes(a),
            _ => x.sum_axes(a),
        }),
        "prod" => reduce(R, attrs, |x, a| x.prod_axes(a)),
        "max" => reduce(Exact, attrs, |x, a| x.max_axes(a)),
        "min" => reduce(Exact, attrs, |x, a| x.min_axes(a)),
        "any" => reduce(Exact, attrs, |x, a| x.any_axes(a)),
        "all" => reduce(Exact, attrs, |x, a| x.all_axes(a)),
        "mean" => reduce(R, attrs, |x, a| match x.dtype() {
            float if float.is_float() => x.mean_axes(a),
            _ => x.cast(DType::F64).mean_axes(a),
        }),
        "var" => reduce(R, attrs, move |x, a| x.var_axes(a, ddof)),
        "std" => reduce(R, attrs, move |x, a| x.std_axes(a, ddof)),
        "ptp" => reduce(Exact, attrs, |x, a| x.ptp_axes(a)),
        "count_nonzero" => reduce(Exact, attrs, |x, a| x.count_nonzero_axes(a)),
        "logsumexp" => reduce(R, attrs, |x, a| x.logsumexp_axes(a)),
        "logmeanexp" => reduce(R, attrs, |x, a| x.logmeanexp_axes(a)),
        "nansum" => reduce(R, attrs, |x, a| x.nansum_axes(a)),
        "nanmax" => reduce(Exact, attrs, |x, a| x.nanmax_axes(a)),
        "nanmean" => reduce(R, attrs, |x, a| x.nanmean_axes(a)),
        "norm" => {
            let order = match &attrs["ord"] {
                Json::Null => 2.0,
                Json::String(s) if s == "fro" => 2.0,
                order => number(order),
            };
            reduce(R, attrs, move |x, a| x.norm_axes(order, a))
        }
        "reduce_max_init" => {
            let initial = number(&attrs["initial"]);
            reduce(Exact, attrs, move |x, a| x.max_axes(a).maximum(initial))
        }
        "sum_where" => axis.and_then(|a| two(R, move |x, w| select(w, x, 0.0).sum_axes([a]))),
        "logsumexp_b" => axis.and_then(|a| two(R, move |x, b| x.logsumexp_weighted(b, [a]))),
        "softmax" => axis.and_then(|a| one(R, move |x| x.softmax(a))),
        "log_softmax" => axis.and_then(|a| one(R, move |x| x.log_softmax(a))),
        "standardize" => {
            let epsilon = number(&attrs["eps"]);
            axis.and_then(|a| one(R, move |x| x.standardize(a, epsilon)))
        }
        "glu" => axis.and_then(|a| one(E, move |x| x.glu(a))),
        "average" => two(R, Array::average),
        "cov" => one(R, Array::cov),
        "corrcoef" => one(R, Array::corrcoef),
        "diff" => {
            let n = whole(attrs, "n")? as usize;
            axis.and_then(|a| one(E, move |x| x.diff(n, a)))
        }
        "ediff_trapezoid" => two(R, Array::trapezoid),
        "select_n" => rule(Exact, |x| vec![probpipe::select_n(&x[0], &x[1..])]),
        "where" => rule(Exact, |x| vec![select(&x[0], &x[1], &x[2])]),
        "clamp" => rule(Exact, |x| {
            let (low, high) = (x[1].lt(&x[0]), x[1].gt(&x[2]));
            vec![select(&low, &x[0], select(&high, &x[2], &x[1]))]
        }),
        "one_hot" => {
            let classes = whole(attrs, "num_classes")? as usize;
            one(Exact, move |x| x.one_hot(classes).cast(DType::F64))
        }
        _ => None,
    }
}
