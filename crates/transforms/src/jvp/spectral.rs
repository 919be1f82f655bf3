//! Derivatives of eigenvalues and singular values, first and second, also where values repeat.
//! Those of the vectors are in `vectors`.
//!
//! With `a = L diag(w) R` the values move by `push(X) = diag(L^T X R^T)`, and the cotangent of `a`
//! is its transpose `pull(g) = L diag(g) R`. Both are custom ops, linear in their last operand, so
//! that `pull` has a derivative of its own: it divides differences of `g` by those of `w`. Where
//! two values are equal a smooth symmetric function of them has the limit of that quotient, which
//! no operand of `pull` tells, because `g` is a function of `w` there: so [`in_sight`] finds the
//! decomposition in the graph and takes the tangent of `g` while values `1, 2, ..` are added to
//! `w`, which on equal values is the quotient times the difference of the steps. (For the sum of
//! `f(w)` over equal values the Hessian of the sum in `w` is `p I + q 1 1^T`; the quotient is `p`.)
//!
//! Out of sight is what stays on the two sides of a loop or a branch, and values differentiated
//! twice forward, whose own second derivatives are infinite: there equal values give NaN.

use super::linalg::{extents, matmul, swap, triangle};
use super::vectors::{frame_jvp, symmetric};
use super::{Tangents, add, eqn_jvp};
use crate::extract::{Env, internal};
use probpipe_trace::{
    Array, ArrayType, CompareOp, Custom, CustomRule, DType, Eqn, Graph, Keep, LinalgOp, Op,
    Outputs, Result, Sparse, VarId, bind1, here, iota, select, trace,
};
use smallvec::{SmallVec, smallvec};
use std::sync::{Arc, LazyLock};

static PUSH: LazyLock<Arc<dyn CustomRule>> = LazyLock::new(|| Arc::new(Values::Push));
static PULL: LazyLock<Arc<dyn CustomRule>> = LazyLock::new(|| Arc::new(Values::Pull));

/// The rules of both ops, whose operands are `(a, w, v, x)` of `eigh` or `(a, u, s, vt, x)` of
/// `svd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// From a tangent of `a` to that of the values.
    Push,
    /// From a cotangent of the values to that of `a`.
    Pull,
}

/// The tangent of the values of `a` along `da`. `parts` are the results of its decomposition.
pub(super) fn push(a: &Array, parts: &[Array], da: &Array) -> Array {
    let operands: SmallVec<[&Array; 5]> =
        std::iter::once(a).chain(parts).chain(std::iter::once(da)).collect();
    bound(&PUSH, &operands)
}

fn bound(rule: &Arc<dyn CustomRule>, operands: &[&Array]) -> Array {
    match op_on(rule, operands) {
        Ok(op) => bind1(op, operands),
        Err(error) => Array::invalid(error, here()),
    }
}

/// The op on operands of these types.
fn op_on(rule: &Arc<dyn CustomRule>, operands: &[&Array]) -> Result<Op> {
    let types = operands.iter().map(|x| x.ty()).collect::<Result<Vec<_>>>()?;
    let traced = trace(&types, |x| {
        let x: SmallVec<[&Array; 5]> = x.iter().collect();
        let frame = Frame::of(&x);
        match Arc::ptr_eq(rule, &PUSH) {
            true => vec![frame.diagonal(x[x.len() - 1])],
            false => vec![frame.matrix(x[x.len() - 1])],
        }
    })?;
    Ok(Op::Custom(Custom { graph: Arc::new(traced.graph), rule: rule.clone() }))
}

/// The op on operands that all have one more leading axis, if it is one of those here: they work
/// on any batch, so that as much is in sight for lanes as for one matrix.
pub(crate) fn works_on_lanes(custom: &Custom) -> Option<impl Fn(&[&Array]) -> Result<Op>> {
    let rules: [&'static Arc<dyn CustomRule>; 2] = [&PUSH, &PULL];
    let rule = rules.into_iter().find(|rule| Arc::ptr_eq(rule, &custom.rule))?;
    Some(move |operands: &[&Array]| op_on(rule, operands))
}

/// Values with their vectors.
struct Frame<'a> {
    /// `[..., m, k]`, orthonormal columns.
    left: &'a Array,
    /// `[..., k]`.
    values: &'a Array,
    /// `[..., k, n]`, orthonormal rows.
    right: Array,
    eigen: bool,
}

impl Frame<'_> {
    fn of<'a>(operands: &[&'a Array]) -> Frame<'a> {
        match *operands {
            [_, left, values, right, _] => {
                Frame { left, values, right: right.clone(), eigen: false }
            }
            _ => {
                let (values, left) = (operands[1], operands[2]);
                Frame { left, values, right: swap(left), eigen: true }
            }
        }
    }

    /// `diag(L^T X R^T)`.
    fn diagonal(&self, x: &Array) -> Array {
        (self.left * matmul(x, &swap(&self.right))).sum_axes([-2])
    }

    /// `L diag(g) R`.
    fn matrix(&self, g: &Array) -> Array {
        matmul(&(self.left * g.expand_dims(-2)), &self.right)
    }

    /// `diag(dL^T X R^T + L^T X dR^T)`. Values that repeat divide by zero here.
    fn diagonal_jvp(&self, x: &Array, da: &Array) -> Array {
        let (left, right) = frame_jvp(self.eigen, self.left, self.values, &self.right, da);
        let moved = left * matmul(x, &swap(&self.right)) + self.left * matmul(x, &swap(&right));
        moved.sum_axes([-2])
    }

    /// `dL diag(g) R + L diag(g) dR`. With `D = L^T dA R^T`, for eigenvalues
    /// `L (Q(-) o D) R` where `Q(-)_ij = (g_i - g_j) / (w_i - w_j)`. For singular values
    /// `L (Q(-) o (D + D^T)/2 + Q(+) o (D - D^T)/2) R`, with sums in `Q(+)`, and beside it
    /// `(I - L L^T) dA R^T diag(g / w) R + L diag(g / w) L^T dA (I - R^T R)`.
    fn matrix_jvp(&self, g: &Array, da: &Array, apart: Option<&Array>) -> Array {
        let quotients = Quotients::new(self.values, g, apart);
        let (lt, r) = (swap(self.left), swap(&self.right));
        if self.eigen {
            let inner = matmul(&matmul(&lt, &symmetric(da)), &r);
            return matmul(self.left, &matmul(&(quotients.of_pairs(-1.0) * inner), &self.right));
        }
        let (on_right, on_left) = (matmul(da, &r), matmul(&lt, da));
        let inner = matmul(&lt, &on_right);
        let turned = swap(&inner);
        let even = quotients.of_pairs(-1.0) * (&inner + &turned);
        let odd = quotients.of_pairs(1.0) * (inner - turned);
        let mut moved = matmul(self.left, &matmul(&((even + odd) * 0.5), &self.right));
        let ((m, k), (_, n)) = (extents(self.left), extents(&self.right));
        if m > k {
            let outside = &on_right - matmul(self.left, &matmul(&lt, &on_right));
            moved += matmul(&(outside * quotients.of_values().expand_dims(-2)), &self.right);
        }
        if n > k {
            let outside = &on_left - matmul(&matmul(&on_left, &r), &self.right);
            moved += matmul(self.left, &(outside * quotients.of_values().expand_dims(-1)));
        }
        moved
    }
}

/// Divided differences of `g` as a function of the values.
struct Quotients<'a> {
    values: &'a Array,
    g: &'a Array,
    /// Steps of the values, and the tangent of `g` along them.
    apart: Option<[Array; 2]>,
    /// The largest magnitude of a value, `[..., 1]`.
    top: Array,
}

impl Quotients<'_> {
    fn new<'a>(values: &'a Array, g: &'a Array, apart: Option<&Array>) -> Quotients<'a> {
        let top = values.abs().max_axes(Keep(-1)).stop_gradient();
        Quotients { values, g, apart: apart.map(|moved| [steps(values), moved.clone()]), top }
    }

    /// `(g_i + sign g_j) / (w_i + sign w_j)`, zero on the diagonal, which is not used.
    fn of_pairs(&self, sign: f64) -> Array {
        let pairs = |x: &Array| x.expand_dims(-1) + x.expand_dims(-2) * sign;
        let over = pairs(self.values);
        let diagonal = triangle(&over, CompareOp::Eq);
        let off = |x: Array, on: f64| select(&diagonal, on, x);
        let size = self.g.abs().expand_dims(-1) + self.g.abs().expand_dims(-2);
        let limit = self
            .apart
            .as_ref()
            .map(|[steps, moved]| off(pairs(moved), 0.0) / off(pairs(steps), 1.0));
        let top = self.top.expand_dims(-1);
        self.divided([off(pairs(self.g), 0.0), size, off(over, 1.0)], limit, &top)
    }

    /// `g_i / w_i`.
    fn of_values(&self) -> Array {
        let limit = self.apart.as_ref().map(|[steps, moved]| moved / steps);
        self.divided([self.g.clone(), self.g.abs(), self.values.clone()], limit, &self.top)
    }

    /// The quotient, or its limit where it is of two numbers that are lost in rounding. Such are
    /// differences below half of the digits of what they are of, above and below; and below any
    /// that is not beyond the rounding of the decomposition, unless what is above it jumps there.
    fn divided(&self, [over, size, under]: [Array; 3], limit: Option<Array>, top: &Array) -> Array {
        let Some(limit) = limit else { return over / under };
        let n = self.values.shape()[self.values.rank() - 1] as f64;
        let narrow = self.values.dtype() == DType::F32;
        let unit = if narrow { f64::from(f32::EPSILON) } else { f64::EPSILON };
        // The limit is off by `n` times the distance, the quotient by the unit over it.
        let half = (unit / n).sqrt();
        let (rise, run) = (over.abs(), under.abs());
        let halved = run.le(top * half) & rise.le(size * half);
        let equal = run.le(top * (8.0 * n * unit)) & rise.le(limit.abs() * top * half);
        let lost = halved | equal;
        let quotient = over / select(&lost, 1.0, under);
        select(&lost, limit, quotient)
    }
}

/// How far values are taken apart: `1, 2, ..`, of the type of the values.
fn steps(values: &Array) -> Array {
    let ty = ArrayType::new(DType::I32, values.shape());
    iota(&ty, values.rank() - 1).cast(values.dtype()) + 1.0
}

impl CustomRule for Values {
    fn name(&self) -> &'static str {
        match self {
            Values::Push => "push_values",
            Values::Pull => "pull_values",
        }
    }

    fn jvp(&self, _: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        Ok(self.tangent(x, dx, None))
    }

    fn transpose(
        &self,
        _: &Custom,
        values: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        let Some((None, fixed)) = values.split_last() else {
            return Some(Err(internal("a spectral op is not linear in its decomposition")));
        };
        let Some(ct) = cts.first().and_then(Option::as_ref) else { return Some(Ok(vec![None])) };
        let operands: SmallVec<[&Array; 5]> =
            fixed.iter().flatten().chain(std::iter::once(ct)).collect();
        let back = match self {
            Values::Push => &PULL,
            Values::Pull => &PUSH,
        };
        Some(Ok(vec![Some(bound(back, &operands))]))
    }
}

impl Values {
    /// The result and its tangent. That of the vectors is not read: it need not be a number.
    fn tangent(
        self,
        x: &[&Array],
        dx: &[Option<&Array>],
        apart: Option<&Array>,
    ) -> (Outputs, Sparse) {
        let rule = match self {
            Values::Push => &PUSH,
            Values::Pull => &PULL,
        };
        let last = x.len() - 1;
        let frame = Frame::of(x);
        let along = |last: &Array| {
            let mut operands: SmallVec<[&Array; 5]> = x.into();
            operands.pop();
            operands.push(last);
            bound(rule, &operands)
        };
        let linear = dx[last].map(along);
        let empty = frame.values.shape().last() == Some(&0);
        let turned = dx[0].filter(|_| !empty).map(|da| match self {
            Values::Push => frame.diagonal_jvp(x[last], da),
            Values::Pull => frame.matrix_jvp(x[last], da, apart),
        });
        (smallvec![along(x[last])], vec![add(linear, turned)])
    }
}

/// The tangent of equation `at` of a graph, if it is a `pull` whose decomposition is in the graph.
pub(super) fn in_sight(
    graph: &Graph,
    at: usize,
    env: &Env,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> Option<(Outputs, Tangents)> {
    let eqn = &graph.eqns()[at];
    let is_pull = |op: &Op| matches!(op, Op::Custom(custom) if Arc::ptr_eq(&custom.rule, &PULL));
    if !is_pull(&eqn.op) || dx[0].is_none() {
        return None;
    }
    let values = eqn.inputs[if x.len() == 4 { 1 } else { 2 }];
    let moved = apart(graph, at, env, values, *eqn.inputs.last()?)?;
    let (y, dy) = Values::Pull.tangent(x, dx, Some(&moved));
    Some((y, dy.into_iter().collect()))
}

/// How `g` moves while `values` and what else is a spectrum of the same matrix are taken apart,
/// the vectors staying what they are.
fn apart(graph: &Graph, at: usize, env: &Env, values: VarId, g: VarId) -> Option<Array> {
    let before = &graph.eqns()[..at];
    let matrix = before.iter().find(|eqn| spectrum(eqn) == Some(values))?.inputs[0];
    let mut tangents: Vec<Option<Array>> = vec![None; graph.num_vars()];
    for eqn in before {
        if let Some(values) = spectrum(eqn).filter(|_| eqn.inputs[0] == matrix) {
            tangents[values.index()] = Some(steps(&env.get(values)));
            continue;
        }
        let dx: SmallVec<[Option<Array>; 3]> =
            eqn.inputs.iter().map(|v| tangents[v.index()].clone()).collect();
        let moves = dx.iter().any(Option::is_some)
            && eqn.outputs.iter().any(|v| graph.ty(*v).dtype.is_float());
        if !moves {
            continue;
        }
        let x: SmallVec<[Array; 3]> = eqn.inputs.iter().map(|v| env.get(*v)).collect();
        let x: SmallVec<[&Array; 3]> = x.iter().collect();
        let dx: SmallVec<[Option<&Array>; 3]> = dx.iter().map(Option::as_ref).collect();
        let (_, dy) = eqn_jvp(eqn, &x, &dx);
        for (v, dy) in eqn.outputs.iter().zip(dy) {
            tangents[v.index()] = dy.filter(|_| graph.ty(*v).dtype.is_float());
        }
    }
    let still = || env.get(g) * 0.0;
    Some(tangents[g.index()].clone().unwrap_or_else(still))
}

/// The values that an equation computes.
fn spectrum(eqn: &Eqn) -> Option<VarId> {
    let Op::Linalg(op) = &eqn.op else { return None };
    match (op, &eqn.outputs[..]) {
        (LinalgOp::Eigh { .. }, [values, ..])
        | (LinalgOp::Svd { .. }, [_, values, _] | [values]) => Some(*values),
        _ => None,
    }
}
