//! Choices. Derivatives of functions that are written in two halves, such as `log(1 + exp(x))`, are
//! sums of choices on one condition; together they are one choice. All of these are exact but for
//! signs of zero.

use super::arena::{Arena, Node, Rule};
use super::elementwise::{binary_op, unary_def};
use probpipe_trace::{BinaryOp, CompareOp, Op, Scalar, UnaryOp, VarId};
use smallvec::SmallVec;

pub(super) const SELECT: &[Rule] = &[
    Rule { name: "known choice", apply: known_choice },
    Rule { name: "choice of sign", apply: choice_of_sign },
    Rule { name: "choice made before", apply: made_before },
];

/// For every elementwise op of one result.
pub(super) const ANY: &[Rule] = &[Rule { name: "function of chosen parameter", apply: of_few }];

pub(super) const UNARY: &[Rule] = &[Rule { name: "function of chosen number", apply: of_number }];

pub(super) const BINARY: &[Rule] = &[
    Rule { name: "contradiction", apply: contradiction },
    Rule { name: "number with chosen number", apply: of_number },
    Rule { name: "choices on one condition", apply: same_condition },
    Rule { name: "terms on one condition", apply: terms },
];

/// The operands of a choice: the condition, and what holds where it does and where it does not.
fn select_def(a: &Arena<'_>, v: VarId) -> Option<[VarId; 3]> {
    let eqn = a.def(v).filter(|e| e.op == Op::Select)?;
    Some([eqn.inputs[0], eqn.inputs[1], eqn.inputs[2]])
}

fn known_choice(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let &[c, x, y] = node.inputs else { return None };
    // select(c, x, x) = x
    if x == y {
        return Some(x);
    }
    // select(true, x, y) = x;  select(false, x, y) = y
    match a.splat(c) {
        Some(Scalar::Bool(true)) => return Some(x),
        Some(Scalar::Bool(false)) => return Some(y),
        _ => {}
    }
    // select(c, true, false) = c
    if a.splat(x) == Some(Scalar::Bool(true)) && a.splat(y) == Some(Scalar::Bool(false)) {
        return Some(c);
    }
    // select(not c, x, y) = select(c, y, x)
    match unary_def(a, c)? {
        (UnaryOp::Not, c) => Some(a.emit1(node.op, &[c, y, x], node.location)),
        _ => None,
    }
}

/// select(x > 0, -x, x) = -|x|. The choice has other slopes at zero, so it is made where nothing is
/// differentiated any more.
fn choice_of_sign(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let &[c, negated, x] = node.inputs else { return None };
    let above = a.def(c).filter(|e| e.op == Op::Compare(CompareOp::Gt))?.inputs.clone();
    let opposite = |x: VarId, y: VarId| unary_def(a, x) == Some((UnaryOp::Neg, y));
    let fits = above[0] == x
        && a.is(above[1], 0.0)
        && a.ty(x).dtype.is_float()
        && (opposite(negated, x) || opposite(x, negated));
    if !fits || !a.simplifier.opens_custom() {
        return None;
    }
    let size = a.emit1(&Op::Unary(UnaryOp::Abs), &[x], node.location);
    Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[size], node.location))
}

/// select(c, select(c, x, y), z) = select(c, x, select(c, y, z)) = select(c, x, z)
fn made_before(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let &[c, x, y] = node.inputs else { return None };
    let first = select_def(a, x).filter(|s| s[0] == c).map_or(x, |s| s[1]);
    let second = select_def(a, y).filter(|s| s[0] == c).map_or(y, |s| s[2]);
    if (first, second) == (x, y) {
        return None;
    }
    Some(a.emit1(node.op, &[c, first, second], node.location))
}

/// f(select(c, 2, 3), 5) = select(c, f(2, 5), f(3, 5)), where all but the condition are numbers.
fn of_number(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    // A result of another type would be a choice between truth values: not simpler.
    let mut condition = None;
    for v in node.inputs {
        if a.splat(*v).is_some() {
            continue;
        }
        let [c, x, y] = select_def(a, *v)?;
        a.splat(x).and(a.splat(y))?;
        if condition.is_some_and(|other| other != c) {
            return None;
        }
        condition = Some(c);
    }
    let condition = condition?;
    let mut sides = [condition; 2];
    for (side, result) in sides.iter_mut().enumerate() {
        let operands: SmallVec<[VarId; 2]> = node
            .inputs
            .iter()
            .map(|v| select_def(a, *v).map_or(*v, |choice| choice[1 + side]))
            .collect();
        *result = a.emit1(node.op, &operands, node.location);
        // A NaN is not folded, so that it can be found where it arises.
        a.splat(*result)?;
    }
    Some(a.emit1(&Op::Select, &[condition, sides[0], sides[1]], node.location))
}

/// From this many points on, and for this many times fewer numbers, see [`of_few`].
const MANY: usize = 4096;
const FEWER: usize = 64;

/// f(select(c, x, y), z) = select(c, f(x, z), f(y, z)), where x, y and z are repeated along most of
/// what c varies along: a function of parameters that truth values choose is computed of the
/// parameters, not of every point. Both sides are computed, so only where nothing is
/// differentiated any more.
fn of_few(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let first = *node.inputs.first()?;
    let points = a.ty(first).size();
    if points < MANY || !a.simplifier.opens_custom() {
        return None;
    }
    let few = |v: VarId| match a.def(v) {
        Some(e) if matches!(e.op, Op::Broadcast { .. }) => {
            a.ty(e.inputs[0]).size() <= points / FEWER
        }
        _ => false,
    };
    let mut condition = None;
    for v in node.inputs.iter().filter(|v| !few(**v)) {
        let [c, x, y] = select_def(a, *v)?;
        if !(few(x) && few(y)) || condition.is_some_and(|other| other != c) {
            return None;
        }
        condition = Some(c);
    }
    let condition = condition?;
    let sides = [1, 2].map(|side| {
        let chosen = |v: &VarId| match select_def(a, *v) {
            Some(choice) if choice[0] == condition => choice[side],
            _ => *v,
        };
        let operands: SmallVec<[VarId; 3]> = node.inputs.iter().map(chosen).collect();
        a.emit1(node.op, &operands, node.location)
    });
    Some(a.emit1(&Op::Select, &[condition, sides[0], sides[1]], node.location))
}

/// x = 0 and |x| = inf is never true, for any two sizes that differ.
fn contradiction(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::And, p, q) = binary_op(node)? else { return None };
    // What is compared with which number; a size is compared with a size.
    let equation = |v: VarId| {
        let eqn = a.def(v).filter(|e| e.op == Op::Compare(CompareOp::Eq))?;
        let (x, number) = match (a.splat(eqn.inputs[0]), a.splat(eqn.inputs[1])) {
            (None, Some(number)) => (eqn.inputs[0], number),
            (Some(number), None) => (eqn.inputs[1], number),
            _ => return None,
        };
        // Numbers that two integers may share in f64 prove nothing.
        if !a.ty(x).dtype.is_float() {
            return None;
        }
        Some(match unary_def(a, x) {
            Some((UnaryOp::Abs, x)) => (x, number.as_f64()),
            _ => (x, number.as_f64().abs()),
        })
    };
    let ((x, first), (y, second)) = (equation(p)?, equation(q)?);
    if x != y || first == second {
        return None;
    }
    let ty = a.ty(p).clone();
    Some(a.full(Scalar::Bool(false), &ty, node.location))
}

/// Whether `x op y` is one of its operands. Products and quotients count only where nothing is
/// differentiated any more: in `select(c, 1, 0) / select(c, x, 1)` the second choice keeps a zero
/// away from the slope of the division.
fn trivial(a: &Arena<'_>, op: BinaryOp, x: VarId, y: VarId) -> bool {
    match op {
        BinaryOp::Add => a.is(x, 0.0) || a.is(y, 0.0),
        BinaryOp::Sub => a.is(y, 0.0),
        BinaryOp::Mul => a.simplifier.opens_custom() && (a.is(x, 1.0) || a.is(y, 1.0)),
        BinaryOp::Div => a.simplifier.opens_custom() && a.is(y, 1.0),
        _ => false,
    }
}

/// select(c, x, 0) + select(c, 0, y) = select(c, x, y), and the same for other ops where one side
/// or both are nothing to compute.
fn same_condition(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (op, x, y) = binary_op(node)?;
    let ([c, x1, x2], [d, y1, y2]) = (select_def(a, x)?, select_def(a, y)?);
    if c != d || x == y || !(trivial(a, op, x1, y1) || trivial(a, op, x2, y2)) {
        return None;
    }
    let first = a.emit1(node.op, &[x1, y1], node.location);
    let second = a.emit1(node.op, &[x2, y2], node.location);
    Some(a.emit1(&Op::Select, &[c, first, second], node.location))
}

/// (x + select(c, p, q)) + select(c, r, s) = select(c, (x + p) + r, (x + q) + s), likewise with
/// differences, where two of the four sums are nothing to compute. Nothing is summed in another
/// order.
fn terms(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (outer @ (BinaryOp::Add | BinaryOp::Sub), x, y) = binary_op(node)? else { return None };
    let (sum, choice) = match (select_def(a, y), select_def(a, x)) {
        (Some(choice), _) => (x, choice),
        (None, Some(choice)) if outer == BinaryOp::Add => (y, choice),
        _ => return None,
    };
    let [c, r, s] = choice;
    let eqn = a.def(sum)?;
    let Op::Binary(inner @ (BinaryOp::Add | BinaryOp::Sub)) = eqn.op else { return None };
    let (left, right) = (eqn.inputs[0], eqn.inputs[1]);
    let on_c = |v: VarId| select_def(a, v).filter(|s| s[0] == c);
    let sides = match (on_c(left), on_c(right)) {
        (None, Some([_, p, q])) => [[left, p], [left, q]],
        (Some([_, p, q]), None) => [[p, right], [q, right]],
        _ => return None,
    };
    let nothing = usize::from(trivial(a, inner, sides[0][0], sides[0][1]))
        + usize::from(trivial(a, inner, sides[1][0], sides[1][1]))
        + usize::from(trivial(a, outer, sum, r))
        + usize::from(trivial(a, outer, sum, s));
    if nothing < 2 {
        return None;
    }
    let mut side = |[x, y]: [VarId; 2], z: VarId| {
        let sum = a.emit1(&Op::Binary(inner), &[x, y], node.location);
        a.emit1(&Op::Binary(outer), &[sum, z], node.location)
    };
    let (first, second) = (side(sides[0], r), side(sides[1], s));
    Some(a.emit1(&Op::Select, &[c, first, second], node.location))
}
