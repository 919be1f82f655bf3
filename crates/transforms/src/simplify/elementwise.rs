//! Identities of elementwise ops. Those that are not exact for floats say what they change.

use super::arena::{Arena, Node, Rule};
use probpipe_trace::{Axes, BinaryOp, CompareOp, DType, Op, Scalar, Shape, UnaryOp, VarId};
use smallvec::SmallVec;

/// For every elementwise op of one result.
pub(super) const ANY: &[Rule] = &[Rule { name: "lift broadcast", apply: lift_broadcast }];

pub(super) const UNARY: &[Rule] = &[
    Rule { name: "undo", apply: unary_of_unary },
    Rule { name: "size of a size", apply: abs_of_size },
    Rule { name: "not of comparison", apply: not_of_comparison },
    Rule { name: "odd function", apply: odd_function },
    Rule { name: "whole number of an integer", apply: round_of_integer },
    Rule { name: "neg of sub", apply: neg_of_sub },
    Rule { name: "neg of product", apply: neg_of_product },
];

pub(super) const BINARY: &[Rule] = &[
    Rule { name: "neutral", apply: neutral },
    Rule { name: "same operands", apply: same_operands },
    Rule { name: "negated operands", apply: negated },
    Rule { name: "sign outward", apply: sign_outward },
    Rule { name: "twice", apply: twice },
    Rule { name: "scale by powers of two", apply: scales },
];

pub(super) const COMPARE: &[Rule] = &[
    Rule { name: "compare with itself", apply: compare_same },
    Rule { name: "integers are finite", apply: below_infinity },
];

pub(super) const CAST: &[Rule] = &[Rule { name: "cast of cast", apply: cast }];

pub(super) const BITCAST: &[Rule] = &[Rule { name: "bits of bits", apply: bitcast }];

/// op(broadcast(x), broadcast(y)) = broadcast(op(x, y)) over the axes that some operand varies
/// along: what is the same along an axis is computed once, not once per entry.
fn lift_broadcast(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let shape: Shape = a.shape(*node.inputs.first()?).into();
    let mut varies: SmallVec<[bool; 4]> = smallvec::smallvec![false; shape.len()];
    let mut sources: SmallVec<[(VarId, Axes); 3]> = SmallVec::new();
    for v in node.inputs {
        let eqn = a.def(*v)?;
        let Op::Broadcast { axes, .. } = &eqn.op else { return None };
        for &axis in axes {
            varies[axis] = true;
        }
        sources.push((eqn.inputs[0], axes.clone()));
    }
    let kept: Axes = (0..shape.len()).filter(|&i| varies[i]).collect();
    if kept.len() == shape.len() {
        return None;
    }
    let small: Shape = kept.iter().map(|&i| shape[i]).collect();
    let operands: SmallVec<[VarId; 3]> = sources
        .into_iter()
        .map(|(x, axes)| {
            let at = |axis: &usize| kept.iter().position(|k| k == axis).unwrap_or(0);
            let axes = axes.iter().map(at).collect();
            a.broadcast(x, small.clone(), axes, node.location)
        })
        .collect();
    let result = a.emit1(node.op, &operands, node.location);
    Some(a.broadcast(result, shape, kept, node.location))
}

pub(super) fn unary_def(a: &Arena<'_>, v: VarId) -> Option<(UnaryOp, VarId)> {
    match a.def(v).map(|e| (&e.op, &e.inputs[..])) {
        Some((Op::Unary(op), [x])) => Some((*op, *x)),
        _ => None,
    }
}

fn unary_of_unary(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Unary(outer) = node.op else { return None };
    let (inner, x) = unary_def(a, node.inputs[0])?;
    match (outer, inner) {
        // -(-x) = x;  not not x = x
        (UnaryOp::Neg, UnaryOp::Neg) | (UnaryOp::Not, UnaryOp::Not) => Some(x),
        // |-x| = |x|;  cos(-x) = cos(x)
        (UnaryOp::Abs | UnaryOp::Cos | UnaryOp::Cosh, UnaryOp::Neg) => {
            Some(a.emit1(node.op, &[x], node.location))
        }
        // ||x|| = |x|
        (UnaryOp::Abs, UnaryOp::Abs) => Some(node.inputs[0]),
        // log(exp(x)) = x, also where exp overflows;  log1p(expm1(x)) = x likewise
        (UnaryOp::Log, UnaryOp::Exp) | (UnaryOp::Log1p, UnaryOp::Expm1) => Some(x),
        _ => None,
    }
}

/// |x| = x where x is a root, an exponential, a square or a size.
fn abs_of_size(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let x = node.inputs[0];
    let abs = matches!(node.op, Op::Unary(UnaryOp::Abs)) && a.ty(x).dtype.is_float();
    (abs && not_negative(a, x, DEPTH)).then_some(x)
}

/// not (x = y) is x != y and the other way round. The orderings have no such opposites: with NaN
/// both are false.
fn not_of_comparison(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    if !matches!(node.op, Op::Unary(UnaryOp::Not)) {
        return None;
    }
    let eqn = a.def(node.inputs[0])?;
    let opposite = match eqn.op {
        Op::Compare(CompareOp::Eq) => CompareOp::Ne,
        Op::Compare(CompareOp::Ne) => CompareOp::Eq,
        _ => return None,
    };
    let operands = eqn.inputs.clone();
    Some(a.emit1(&Op::Compare(opposite), &operands, node.location))
}

/// f(-x) = -f(x): the sign moves outward, where it may cancel.
fn odd_function(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Unary(
        UnaryOp::Sin
        | UnaryOp::Tan
        | UnaryOp::Asin
        | UnaryOp::Atan
        | UnaryOp::Sinh
        | UnaryOp::Tanh
        | UnaryOp::Asinh
        | UnaryOp::Atanh
        | UnaryOp::Erf,
    ) = node.op
    else {
        return None;
    };
    let (UnaryOp::Neg, x) = unary_def(a, node.inputs[0])? else { return None };
    let y = a.emit1(node.op, &[x], node.location);
    Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[y], node.location))
}

/// How many operands deep [`not_negative`] looks, so that rules cost the same wherever they are.
pub(super) const DEPTH: usize = 3;

/// Whether no element is below zero. It may be NaN, and zeros may have either sign.
pub(super) fn not_negative(a: &Arena<'_>, v: VarId, depth: usize) -> bool {
    if let Some(number) = a.splat(v) {
        return number.as_f64() >= 0.0;
    }
    let Some(eqn) = a.def(v).filter(|_| depth > 0) else { return false };
    let known = |v: &VarId| not_negative(a, *v, depth - 1);
    match &eqn.op {
        Op::Unary(UnaryOp::Exp | UnaryOp::Abs | UnaryOp::Sqrt | UnaryOp::Cosh | UnaryOp::Erfc) => {
            true
        }
        Op::Binary(BinaryOp::Mul) if eqn.inputs[0] == eqn.inputs[1] => true,
        Op::Binary(BinaryOp::Add | BinaryOp::Mul) => eqn.inputs.iter().all(known),
        // Where both operands are zero or infinite the quotient is NaN.
        Op::Binary(BinaryOp::Div) => {
            // A zero of the wrong sign below a number is an infinity of the wrong sign.
            matches!(a.splat(eqn.inputs[1]), Some(c) if c.as_f64() > 0.0) && known(&eqn.inputs[0])
        }
        Op::Select => eqn.inputs[1..].iter().all(known),
        Op::Broadcast { .. } | Op::Reshape { .. } => known(&eqn.inputs[0]),
        _ => false,
    }
}

/// -(x - y) = y - x
fn neg_of_sub(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    if !matches!(node.op, Op::Unary(UnaryOp::Neg)) {
        return None;
    }
    let (x, y) = match a.def(node.inputs[0]) {
        Some(e) if e.op == Op::Binary(BinaryOp::Sub) => (e.inputs[0], e.inputs[1]),
        _ => return None,
    };
    Some(a.emit1(&Op::Binary(BinaryOp::Sub), &[y, x], node.location))
}

pub(super) fn binary_op(node: &Node<'_>) -> Option<(BinaryOp, VarId, VarId)> {
    match (node.op, node.inputs) {
        (Op::Binary(op), [x, y]) => Some((*op, *x, *y)),
        _ => None,
    }
}

fn neutral(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    let integer = a.ty(x).dtype.is_integer();
    match op {
        // x + 0 = x (for floats, -0 + 0 is 0)
        BinaryOp::Add if a.is(y, 0.0) => Some(x),
        BinaryOp::Add if a.is(x, 0.0) => Some(y),
        // x - 0 = x;  0 - y = -y
        BinaryOp::Sub if a.is(y, 0.0) => Some(x),
        BinaryOp::Sub if a.is(x, 0.0) && a.ty(y).dtype.is_signed() => {
            Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[y], node.location))
        }
        // x 1 = x;  x / 1 = x
        BinaryOp::Mul | BinaryOp::Div if a.is(y, 1.0) => Some(x),
        BinaryOp::Mul if a.is(x, 1.0) => Some(y),
        // x (-1) = -x
        BinaryOp::Mul | BinaryOp::Div if a.is(y, -1.0) && !integer => {
            Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[x], node.location))
        }
        BinaryOp::Mul if a.is(x, -1.0) && !integer => {
            Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[y], node.location))
        }
        // x 0 = 0, for integers only: a float may be infinite or NaN
        BinaryOp::Mul if integer && a.is(y, 0.0) => Some(y),
        BinaryOp::Mul if integer && a.is(x, 0.0) => Some(x),
        // x or 0 = x;  x xor 0 = x;  x << 0 = x
        BinaryOp::Or | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr if is_zero_bits(a, y) => {
            Some(x)
        }
        BinaryOp::Or | BinaryOp::Xor if is_zero_bits(a, x) => Some(y),
        BinaryOp::And if is_zero_bits(a, y) => Some(y),
        BinaryOp::And if is_zero_bits(a, x) => Some(x),
        // x and true = x
        BinaryOp::And if a.splat(y) == Some(Scalar::Bool(true)) => Some(x),
        BinaryOp::And if a.splat(x) == Some(Scalar::Bool(true)) => Some(y),
        _ => None,
    }
}

fn is_zero_bits(a: &Arena<'_>, v: VarId) -> bool {
    matches!(a.splat(v), Some(Scalar::Int(0) | Scalar::Bool(false)))
}

fn same_operands(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    match op {
        // max(x, x) = min(x, x) = x and x = x or x = x
        BinaryOp::Max | BinaryOp::Min | BinaryOp::And | BinaryOp::Or if x == y => Some(x),
        // |x| |x| = x x
        BinaryOp::Mul if x == y => {
            let (UnaryOp::Abs | UnaryOp::Neg, inner) = unary_def(a, x)? else { return None };
            Some(a.emit1(node.op, &[inner, inner], node.location))
        }
        _ => None,
    }
}

fn negated(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    let neg = |a: &Arena<'_>, v: VarId| match unary_def(a, v) {
        Some((UnaryOp::Neg, x)) => Some(x),
        _ => None,
    };
    let (nx, ny) = (neg(a, x), neg(a, y));
    let (op, x, y) = match (op, nx, ny) {
        // x + (-y) = x - y
        (BinaryOp::Add, _, Some(y)) => (BinaryOp::Sub, x, y),
        // (-x) + y = y - x
        (BinaryOp::Add, Some(x), None) => (BinaryOp::Sub, y, x),
        // x - (-y) = x + y
        (BinaryOp::Sub, _, Some(y)) => (BinaryOp::Add, x, y),
        // (-x) (-y) = x y;  (-x) / (-y) = x / y
        (BinaryOp::Mul | BinaryOp::Div, Some(x), Some(y)) => (op, x, y),
        // (-x) c = x (-c)
        (BinaryOp::Mul | BinaryOp::Div, Some(x), None) if a.ty(y).dtype.is_float() => {
            let c = a.splat(y)?;
            let ty = a.ty(y).clone();
            (op, x, a.full(Scalar::Float(-c.as_f64()), &ty, node.location))
        }
        (BinaryOp::Mul, None, Some(y)) if a.ty(x).dtype.is_float() => {
            let c = a.splat(x)?;
            let ty = a.ty(x).clone();
            (op, a.full(Scalar::Float(-c.as_f64()), &ty, node.location), y)
        }
        _ => return None,
    };
    Some(a.emit1(&Op::Binary(op), &[x, y], node.location))
}

/// (-x) y = -(x y);  (-x) / y = -(x / y): signs move outward, where they cancel or turn a sum into
/// a difference.
fn sign_outward(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    if !matches!(op, BinaryOp::Mul | BinaryOp::Div) || !a.ty(x).dtype.is_float() {
        return None;
    }
    let neg = |a: &Arena<'_>, v: VarId| match unary_def(a, v) {
        Some((UnaryOp::Neg, x)) => Some(x),
        _ => None,
    };
    let (x, y) = match (neg(a, x), neg(a, y)) {
        (Some(x), _) => (x, y),
        (None, Some(y)) => (x, y),
        (None, None) => return None,
    };
    let product = a.emit1(node.op, &[x, y], node.location);
    Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[product], node.location))
}

/// -(x c) = x (-c);  -(c / x) = (-c) / x;  -(x / c) = x / (-c)
fn neg_of_product(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    if !matches!(node.op, Op::Unary(UnaryOp::Neg)) || !a.ty(node.inputs[0]).dtype.is_float() {
        return None;
    }
    let (op, mut operands) = match a.def(node.inputs[0]) {
        Some(e) if matches!(e.op, Op::Binary(BinaryOp::Mul | BinaryOp::Div)) => {
            (e.op.clone(), [e.inputs[0], e.inputs[1]])
        }
        _ => return None,
    };
    let side = operands.iter().position(|v| a.splat(*v).is_some())?;
    let c = a.splat(operands[side])?;
    let ty = a.ty(operands[side]).clone();
    operands[side] = a.full(Scalar::Float(-c.as_f64()), &ty, node.location);
    Some(a.emit1(&op, &operands, node.location))
}

/// x b + x b = x (2 b), exactly
fn twice(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Add, x, y) = binary_op(node)? else { return None };
    if x != y || !a.ty(x).dtype.is_float() {
        return None;
    }
    let eqn = a.def(x).filter(|e| e.op == Op::Binary(BinaryOp::Mul))?;
    a.splat(eqn.inputs[0]).or(a.splat(eqn.inputs[1]))?;
    let ty = a.ty(x).clone();
    let two = a.full(Scalar::Float(2.0), &ty, node.location);
    Some(a.emit1(&Op::Binary(BinaryOp::Mul), &[x, two], node.location))
}

/// x / c = x (1/c) and (x b) c = x (b c) where one constant is a power of two of middling size, so
/// that nothing is rounded. The product of both stays in the normal range: out of it a result
/// would be lost that two steps reach.
fn scales(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    if !matches!(op, BinaryOp::Mul | BinaryOp::Div) || !a.ty(x).dtype.is_float() {
        return None;
    }
    let ty = a.ty(x).clone();
    if op == BinaryOp::Div {
        let c = power_of_two(a.splat(y)?)?;
        let inverse = a.full(Scalar::Float(1.0 / c), &ty, node.location);
        return Some(a.emit1(&Op::Binary(BinaryOp::Mul), &[x, inverse], node.location));
    }
    let (x, c) = match (a.splat(x), a.splat(y)) {
        (None, Some(c)) => (x, c),
        (Some(c), None) => (y, c),
        _ => return None,
    };
    let inner = a.def(x).filter(|e| e.op == Op::Binary(BinaryOp::Mul))?.inputs.clone();
    let (z, b) = match (a.splat(inner[0]), a.splat(inner[1])) {
        (None, Some(b)) => (inner[0], b),
        (Some(b), None) => (inner[1], b),
        _ => return None,
    };
    power_of_two(c).or_else(|| power_of_two(b))?;
    let product = b.as_f64() * c.as_f64();
    let normal = match ty.dtype {
        DType::F32 => (product as f32).is_normal(),
        _ => product.is_normal(),
    };
    if !normal {
        return None;
    }
    let product = a.full(Scalar::Float(product), &ty, node.location);
    Some(a.emit1(&Op::Binary(BinaryOp::Mul), &[z, product], node.location))
}

fn power_of_two(c: Scalar) -> Option<f64> {
    let c = c.as_f64();
    let exponent = c.abs().log2();
    (exponent == exponent.trunc() && exponent.abs() <= 32.0).then_some(c)
}

/// Whether every element is an integer, converted to a float: whole, finite and no NaN.
fn is_integer(a: &Arena<'_>, v: VarId) -> bool {
    match a.def(v) {
        Some(e) if matches!(e.op, Op::Cast(to) if to.is_float()) => {
            let from = a.ty(e.inputs[0]).dtype;
            from.is_integer() || from == DType::Bool
        }
        _ => false,
    }
}

/// floor(x) = x where x is an integer.
fn round_of_integer(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let x = node.inputs[0];
    let Op::Unary(op) = node.op else { return None };
    if !is_integer(a, x) {
        return None;
    }
    match op {
        UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round => Some(x),
        UnaryOp::IsFinite => {
            let ty = a.ty(x).with_dtype(DType::Bool);
            Some(a.full(Scalar::Bool(true), &ty, node.location))
        }
        _ => None,
    }
}

/// |x| < inf is true where x is an integer.
fn below_infinity(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (Op::Compare(CompareOp::Lt), [x, y]) = (node.op, node.inputs) else { return None };
    let size = match unary_def(a, *x) {
        Some((UnaryOp::Abs, x)) => x,
        _ => *x,
    };
    if a.splat(*y).map(|c| c.as_f64()) != Some(f64::INFINITY) || !is_integer(a, size) {
        return None;
    }
    let ty = a.ty(*x).with_dtype(DType::Bool);
    Some(a.full(Scalar::Bool(true), &ty, node.location))
}

/// x < x is false, and x = x is true but for NaN.
fn compare_same(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (Op::Compare(op), [x, y]) = (node.op, node.inputs) else { return None };
    if x != y {
        return None;
    }
    let float = a.ty(*x).dtype.is_float() && !is_integer(a, *x);
    let answer = match op {
        CompareOp::Lt | CompareOp::Gt => false,
        CompareOp::Ne if !float => false,
        CompareOp::Eq | CompareOp::Le | CompareOp::Ge if !float => true,
        CompareOp::Eq | CompareOp::Ne | CompareOp::Le | CompareOp::Ge => return None,
    };
    let ty = a.ty(*x).with_dtype(DType::Bool);
    Some(a.full(Scalar::Bool(answer), &ty, node.location))
}

fn cast(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Cast(to) = node.op else { return None };
    let x = node.inputs[0];
    // a cast to its own type does nothing
    if a.ty(x).dtype == *to {
        return Some(x);
    }
    // cast(cast(x)) = cast(x) where the first loses nothing
    let inner = match a.def(x) {
        Some(e) if matches!(e.op, Op::Cast(_)) => e.inputs[0],
        _ => return None,
    };
    let (from, middle) = (a.ty(inner).dtype, a.ty(x).dtype);
    let exact = matches!(
        (from, middle),
        (DType::F32, DType::F64)
            | (DType::Bool, _)
            | (DType::U8, DType::I32 | DType::I64 | DType::U32 | DType::U64)
            | (DType::U8 | DType::I32 | DType::U32, DType::F64)
            | (DType::I32, DType::I64)
            | (DType::U32, DType::I64 | DType::U64)
    );
    exact.then(|| a.emit1(node.op, &[inner], node.location))
}

/// bitcast(bitcast(x)) = bitcast(x), or x. Only where nothing is differentiated any more: it is
/// how a derivative is stopped.
fn bitcast(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Bitcast(to) = node.op else { return None };
    if !a.simplifier.opens_custom() {
        return None;
    }
    let inner = match a.def(node.inputs[0]) {
        Some(e) if matches!(e.op, Op::Bitcast(_)) => e.inputs[0],
        _ => return None,
    };
    if a.ty(inner).dtype == *to {
        return Some(inner);
    }
    Some(a.emit1(node.op, &[inner], node.location))
}
