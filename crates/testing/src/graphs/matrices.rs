//! Steps that multiply and decompose matrices.

use super::Config;
use crate::Random;
use probpipe_trace::{Array, ArrayType, DType, DotAxes, LinalgOp, Op, bind1, iota};
use smallvec::smallvec;

pub(super) fn product(random: &mut Random, x: &Array, y: &Array) -> Array {
    let x = x.tanh();
    if x.rank() == 2 && random.below(2) == 0 {
        // A Gram matrix.
        return x.matmul(&x.transpose());
    }
    let axes = (0..x.rank()).find_map(|i| {
        let j = y.shape().iter().position(|&n| n == x.shape()[i])?;
        Some(DotAxes {
            lhs_contract: smallvec![i],
            rhs_contract: smallvec![j],
            ..DotAxes::default()
        })
    });
    match axes {
        Some(axes) if x.rank() + y.rank() <= 5 => x.dot_general(&y.sin(), axes),
        _ => &x * y.mean(),
    }
}

/// A factor, a solve, a determinant or eigenvalues of a matrix that is far from singular by
/// construction, with eigenvalues far apart where they count.
pub(super) fn factor(random: &mut Random, x: &Array, config: Config) -> Array {
    if x.rank() != 2 {
        return x.sin();
    }
    let x = x.tanh();
    let n = x.shape()[0];
    let ty = ArrayType::new(DType::I32, [n, n]);
    let eye = iota(&ty, 0).eq(iota(&ty, 1)).cast(x.dtype());
    let gram = x.matmul(&x.transpose());
    match random.below(if config.factors { 5 } else { 1 }) {
        0 => {
            let factor = bind1(Op::Linalg(LinalgOp::Cholesky), &[&(gram + eye * 2.0)]);
            factor.solve_triangular(&x)
        }
        1 => (gram + eye * 2.0).solve(&x),
        2 => (gram * 0.2 + eye * iota(&ArrayType::new(x.dtype(), [n, n]), 0) * 2.0).eigvalsh(),
        3 => (gram + eye * 2.0).slogdet().1,
        _ => (x * 0.3).svdvals().square().sum(),
    }
}
