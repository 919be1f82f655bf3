//! Reductions, over all axes, some or one, with or without keeping them.

use super::Class::{self, Elementwise as E, Exact, Reduction as R};
use super::{Rule, one, rule, two};
use crate::attrs::Attrs;
use probpipe::{Array, DType, OverAxes, QuantileMethod, select};
use probpipe_testing::reference::number;
use serde_json::Value as Json;

/// A reduction over the axes that a case names, all where it names none.
pub(super) fn reduce(
    class: Class,
    attrs: &Attrs,
    f: impl Fn(&Array, OverAxes) -> Array + 'static,
) -> Option<Rule> {
    let keep = attrs.flag("keepdims")?;
    let axes = match &attrs["axis"] {
        Json::Null => None,
        _ => Some(attrs.list("axis")?),
    };
    one(class, move |x| f(x, OverAxes { axes: axes.clone(), keep }))
}

/// The type that the reference accumulates whole numbers in, which is wider than theirs unless the
/// case says otherwise; here sums keep the type of the array.
pub(super) fn accumulator(attrs: &Attrs) -> Option<impl Fn(&Array) -> Array + use<>> {
    attrs.flag("keep_dtype")?;
    let to = attrs.output_type()?;
    Some(move |x: &Array| if x.dtype().is_float() { x.clone() } else { x.cast(to) })
}

fn truth(x: &Array) -> Array {
    if x.dtype() == DType::Bool { x.clone() } else { x.ne(0) }
}

/// The rule for a reduction.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    let ddof = || if attrs.get("ddof").is_some() { attrs.size("ddof") } else { Some(0) };
    match op {
        "sum" => {
            let widened = accumulator(attrs)?;
            reduce(R, attrs, move |x, a| widened(x).sum_axes(a))
        }
        "prod" => {
            let widened = accumulator(attrs)?;
            reduce(R, attrs, move |x, a| widened(x).prod_axes(a))
        }
        // With two operands these are elementwise.
        "max" => reduce(Exact, attrs, |x, a| x.max_axes(a)),
        "min" => reduce(Exact, attrs, |x, a| x.min_axes(a)),
        "any" => reduce(Exact, attrs, |x, a| truth(x).any_axes(a)),
        "all" => reduce(Exact, attrs, |x, a| truth(x).all_axes(a)),
        "mean" => reduce(R, attrs, |x, a| x.mean_axes(a)),
        "var" => {
            let ddof = ddof()?;
            reduce(R, attrs, move |x, a| x.var_axes(a, ddof))
        }
        "std" => {
            let ddof = ddof()?;
            reduce(R, attrs, move |x, a| x.std_axes(a, ddof))
        }
        "ptp" => reduce(Exact, attrs, |x, a| x.ptp_axes(a)),
        "count_nonzero" => reduce(Exact, attrs, |x, a| x.count_nonzero_axes(a)),
        "logsumexp" => reduce(R, attrs, |x, a| x.logsumexp_axes(a)),
        "logmeanexp" => reduce(R, attrs, |x, a| x.logmeanexp_axes(a)),
        "nansum" => reduce(R, attrs, |x, a| x.nansum_axes(a)),
        "nanprod" => reduce(R, attrs, |x, a| x.nanprod_axes(a)),
        "nanmax" => reduce(Exact, attrs, |x, a| x.nanmax_axes(a)),
        "nanmin" => reduce(Exact, attrs, |x, a| x.nanmin_axes(a)),
        "nanmean" => reduce(R, attrs, |x, a| x.nanmean_axes(a)),
        "nanvar" => {
            let ddof = ddof()?;
            reduce(R, attrs, move |x, a| x.nanvar_axes(a, ddof))
        }
        "nanstd" => {
            let ddof = ddof()?;
            reduce(R, attrs, move |x, a| x.nanstd_axes(a, ddof))
        }
        "norm" => norm(attrs),
        "median" => reduce(R, attrs, |x, a| x.median_axes(a)),
        "quantile" => quantile(attrs),
        "reduce_max_init" => {
            let initial = attrs["initial"].as_f64()?;
            reduce(Exact, attrs, move |x, a| x.max_axes(a).maximum(initial))
        }
        "sum_where" => {
            let axes = attrs.list("axis")?;
            two(R, move |x, w| select(w, x, 0.0).sum_axes(&axes))
        }
        "logsumexp_b" => {
            let axes = attrs.list("axis")?;
            two(R, move |x, b| x.logsumexp_weighted(b, &axes))
        }
        "average" => two(R, |x, w| x.average(w)),
        "cov" => one(R, Array::cov),
        "corrcoef" => one(R, Array::corrcoef),
        "ediff_trapezoid" => two(R, Array::trapezoid),
        "select_n" => rule(Exact, |x| vec![probpipe::select_n(&x[0], &x[1..])]),
        "where" => rule(Exact, |x| vec![select(&x[0], &x[1], &x[2])]),
        "clamp" => rule(Exact, |x| {
            let (low, high) = (x[1].lt(&x[0]), x[1].gt(&x[2]));
            vec![select(&low, &x[0], select(&high, &x[2], &x[1]))]
        }),
        "one_hot" => {
            let classes = attrs.size("num_classes")?;
            one(Exact, move |x| x.one_hot(classes))
        }
        _ => along(op, attrs),
    }
}

/// Operations along one axis, the last if the case names none.
fn along(op: &str, attrs: &Attrs) -> Option<Rule> {
    let axis = || if attrs.get("axis").is_some() { attrs.whole("axis") } else { Some(-1) };
    match op {
        "softmax" => axis().and_then(|a| one(R, move |x| x.softmax(a))),
        "log_softmax" => axis().and_then(|a| one(R, move |x| x.log_softmax(a))),
        "standardize" => {
            let epsilon = attrs["eps"].as_f64()?;
            axis().and_then(|a| one(R, move |x| x.standardize(a, epsilon)))
        }
        "glu" => axis().and_then(|a| one(E, move |x| x.glu(a))),
        "diff" => {
            let n = attrs.size("n")?;
            axis().and_then(|a| one(E, move |x| x.diff(n, a)))
        }
        _ => None,
    }
}

/// Norms of vectors, and the Frobenius norm of matrices; the others need singular values.
fn norm(attrs: &Attrs) -> Option<Rule> {
    let order = match &attrs["ord"] {
        Json::Null => None,
        Json::String(s) if s == "fro" => None,
        Json::String(s) if s != "inf" => return None,
        order => Some(number(order)).filter(|o| *o > 0.0),
    };
    let vector = match &attrs["axis"] {
        Json::Null => attrs.rank(0) == 1,
        axis => axis.is_i64(),
    };
    match (order, vector) {
        (None, _) if attrs["ord"].is_number() => None,
        (None, _) => reduce(R, attrs, |x, a| x.norm_axes(a, 2.0)),
        (Some(order), true) => reduce(R, attrs, move |x, a| x.norm_axes(a, order)),
        (Some(_), false) => None,
    }
}

fn quantile(attrs: &Attrs) -> Option<Rule> {
    use QuantileMethod::{Higher, Linear, Lower, Midpoint, Nearest};
    let names = ["linear", "lower", "higher", "midpoint", "nearest"];
    let method = [Linear, Lower, Higher, Midpoint, Nearest][attrs.word("method", &names)?];
    match &attrs["q"] {
        Json::Array(list) => {
            let list: Vec<f64> = list.iter().map(Json::as_f64).collect::<Option<_>>()?;
            reduce(R, attrs, move |x, a| x.quantile_with(&list[..], a, method))
        }
        q => {
            let q = q.as_f64()?;
            reduce(R, attrs, move |x, a| x.quantile_with(q, a, method))
        }
    }
}
