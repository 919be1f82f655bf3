//! Factorisations and solutions.

use super::Class::Linalg as L;
use super::{Rule, one, rule, two, whole};
use crate::attrs::Attrs;
use probpipe::{Array, LinalgOp, Op, bind1};

/// The rule for dense linear algebra.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    match op {
        "cholesky" if attrs.get("lower").is_none_or(|lower| lower == true) => {
            one(L, Array::cholesky)
        }
        "cho_solve" => two(L, |a, b| probpipe::cho_solve(&a.cholesky(), b)),
        "triangular_solve" => {
            let flag = |name: &str| attrs[name].as_bool();
            let (left, lower) = (flag("left_side")?, flag("lower")?);
            let (transpose, unit_diagonal) = (flag("transpose_a")?, flag("unit_diagonal")?);
            rule(L, move |x| {
                // X op(a) = b is op(a)^T X^T = b^T.
                let transpose = transpose == left;
                let op = Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal });
                vec![if left {
                    bind1(op, &[&x[0], &x[1]])
                } else {
                    bind1(op, &[&x[0], &x[1].swap_axes(-1, -2)]).swap_axes(-1, -2)
                }]
            })
        }
        "matrix_power" => {
            let n = whole(attrs, "n")?;
            if n < 1 {
                return None;
            }
            one(L, move |x| (1..n).fold(x.clone(), |power, _| power.matmul(x)))
        }
        _ => None,
    }
}
