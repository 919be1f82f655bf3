//! Products and polynomials.

use super::Class::{Elementwise, Reduction as R};
use super::{Rule, one, rule, two, whole};
use crate::attrs::Attrs;
use probpipe::{Array, DotAxes};
use probpipe_testing::reference::extents;
use serde_json::Value as Json;

/// The rule for a product.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    match op {
        "dot_general" => {
            let (contract, batch) = (attrs["contract"].clone(), attrs["batch"].clone());
            let list = |json: &Json| extents(json).into_iter().collect();
            let axes = DotAxes {
                lhs_contract: list(&contract[0]),
                rhs_contract: list(&contract[1]),
                lhs_batch: list(&batch[0]),
                rhs_batch: list(&batch[1]),
            };
            two(R, move |x, y| x.dot_general(y, axes.clone()))
        }
        "einsum" => {
            let expression = attrs["expr"].as_str()?.to_string();
            rule(R, move |x| {
                let operands: Vec<&Array> = x.iter().collect();
                vec![probpipe::einsum(&expression, &operands)]
            })
        }
        "matmul" => two(R, |x, y| x.matmul(y)),
        "tensordot" => {
            let axes = attrs["axes"].clone();
            two(R, move |x, y| {
                let pairs: Vec<(usize, usize)> = match axes.as_u64() {
                    Some(n) => (0..n as usize).map(|i| (x.rank() + i - n as usize, i)).collect(),
                    None => extents(&axes[0]).into_iter().zip(extents(&axes[1])).collect(),
                };
                x.tensordot(y, &pairs)
            })
        }
        "inner" => two(R, |x, y| x.inner(y)),
        "outer" => two(R, |x, y| x.outer(y)),
        "vdot" => two(R, |x, y| x.vdot(y)),
        "kron" => two(R, |x, y| x.kron(y)),
        "cross" => two(R, |x, y| x.cross(y)),
        "trace" => whole(attrs, "offset").and_then(|k| one(R, move |x| x.trace_offset(k))),
        "multi_dot" => rule(R, |x| vec![probpipe::multi_dot(x)]),
        "polyval" => two(Elementwise, probpipe::polyval),
        "vander" => {
            let n = attrs.size("N")?;
            one(Elementwise, move |x| probpipe::vander(x, n))
        }
        "convolve" => {
            let mode = attrs.word("mode", &["full", "same", "valid"])?;
            two(R, move |x, y| {
                let full = probpipe::convolve(x, y);
                let (long, short) = (x.size().max(y.size()), x.size().min(y.size()).max(1));
                match mode {
                    0 => full,
                    1 => full.slice_axis(0, (short - 1) / 2..(short - 1) / 2 + long),
                    _ => full.slice_axis(0, short - 1..long.max(short - 1)),
                }
            })
        }
        _ => None,
    }
}
