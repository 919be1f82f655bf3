//! Factorisations and solutions.

use super::Class::Linalg as L;
use super::{Rule, one, rule, two, whole};
use crate::attrs::Attrs;
use probpipe::{Array, MatrixNorm, Triangular};
use serde_json::Value as Json;

/// The rule for dense linear algebra.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    match op {
        "cholesky" if attrs.get("lower").is_none_or(|lower| lower == true) => {
            one(L, Array::cholesky)
        }
        "cho_solve" => two(L, |a, b| a.cholesky().cho_solve(b)),
        "triangular_solve" => {
            let flag = |name: &str| attrs[name].as_bool();
            let (left, lower) = (flag("left_side")?, flag("lower")?);
            let (transpose, unit_diagonal) = (flag("transpose_a")?, flag("unit_diagonal")?);
            rule(L, move |x| {
                // X op(a) = b is op(a)^T X^T = b^T.
                let transposed = transpose == left;
                let triangle = Triangular { lower, transposed, unit_diagonal };
                vec![if left {
                    x[0].solve_triangular_with(&x[1], triangle)
                } else {
                    let b = x[1].swap_axes(-1, -2);
                    x[0].solve_triangular_with(b, triangle).swap_axes(-1, -2)
                }]
            })
        }
        "matrix_power" => {
            let n = whole(attrs, "n")? as i32;
            one(L, move |x| x.matrix_power(n))
        }
        "solve" => two(L, |a, b| a.solve(b)),
        "inv" => one(L, Array::inv),
        "det" => one(L, Array::det),
        "slogdet" => rule(L, |x| {
            let (sign, log) = x[0].slogdet();
            vec![sign, log]
        }),
        "lu" => rule(L, |x| {
            let (p, l, u) = x[0].lu();
            vec![p, l, u]
        }),
        "qr" => {
            let mode = attrs.word("mode", &["reduced", "complete", "r"])?;
            rule(L, move |x| {
                let (q, r) = if mode == 1 { x[0].qr_full() } else { x[0].qr() };
                if mode == 2 { vec![r] } else { vec![q, r] }
            })
        }
        "eigvalsh" => one(L, Array::eigvalsh),
        "eigh" => {
            // Columns are unique up to sign: they are turned to the side of the reference.
            let reference = attrs.reference(1)?;
            rule(L, move |x| {
                let (w, v) = x[0].eigh();
                let along = (&v * reference.cast(v.dtype())).sum_axes([-2]).expand_dims(-2);
                vec![w, &v * along.sign()]
            })
        }
        "eigh_invariant" => one(L, |x| {
            let (w, v) = x.eigh();
            (&v * (-w).exp().expand_dims(-2)).matmul(&v.swap_axes(-1, -2))
        }),
        "sqrtm_spd" => one(L, Array::sqrtm_spd),
        "svdvals" => one(L, Array::svdvals),
        "svd_invariant" => one(L, |x| {
            let (u, _, vt) = x.svd();
            u.matmul(&vt)
        }),
        "pinv" => one(L, Array::pinv),
        "lstsq" => two(L, |a, b| a.lstsq(b).solution),
        "expm" => one(L, Array::expm),
        "cond" => one(L, Array::cond),
        "matrix_rank" => one(L, Array::matrix_rank),
        "norm_nuc" => one(L, |x| x.matrix_norm(MatrixNorm::Nuclear)),
        "norm_2" => one(L, |x| x.matrix_norm(MatrixNorm::Spectral)),
        "norm" => matrix_norm(attrs),
        _ => None,
    }
}

/// The norm of a matrix, where a case asks for one: without an axis, and with an order that is not
/// that of a vector.
fn matrix_norm(attrs: &Attrs) -> Option<Rule> {
    if attrs.rank(0) != 2 || !attrs["axis"].is_null() {
        return None;
    }
    let norm = match &attrs["ord"] {
        Json::String(s) => match &s[..] {
            "fro" => MatrixNorm::Frobenius,
            "nuc" => MatrixNorm::Nuclear,
            "inf" => MatrixNorm::MaxRowSum,
            "-inf" => MatrixNorm::MinRowSum,
            _ => return None,
        },
        Json::Null => MatrixNorm::Frobenius,
        order => match order.as_i64()? {
            1 => MatrixNorm::MaxColumnSum,
            -1 => MatrixNorm::MinColumnSum,
            2 => MatrixNorm::Spectral,
            -2 => MatrixNorm::LeastSingular,
            _ => return None,
        },
    };
    one(L, move |x| x.matrix_norm(norm))
}
