//! Quotients and powers. A division costs as much as ten products and a power as much as a
//! hundred, so they are shared and expanded where a few roundings are all that changes:
//!
//! - `x / y` beside `1 / y` becomes `x (1 / y)`, where `y` is at least one. The two roundings are
//!   together less than one and a half units in the last place, so the product is the quotient or
//!   its neighbour, which the row of `div` in the table of ops allows. Only above the quarter of
//!   the largest number, where `1 / y` is below the normal range, it is up to four units off.
//! - `(1 / y) / y` becomes the square of `1 / y`: as before, and for every `y`.
//! - Powers by whole numbers from -4 to 8 multiply the number, or its reciprocal, whose powers keep
//!   their digits where those of the number are below the normal range. They round at most eight
//!   times, as the row of `pow` allows.

use super::arena::{Arena, Node, Rule};
use super::elementwise::{DEPTH, binary_op, not_negative};
use probpipe_trace::{ArrayType, BinaryOp, CompareOp, Loc, Op, Scalar, UnaryOp, VarId};

pub(super) const BINARY: &[Rule] = &[
    Rule { name: "power", apply: power },
    Rule { name: "square of a reciprocal", apply: square_of_reciprocal },
    Rule { name: "shared reciprocal", apply: shared_reciprocal },
];

/// Other whole powers stay powers: products would round too often.
const WHOLE_POWERS: std::ops::RangeInclusive<f64> = -4.0..=8.0;

/// Equations of one type at one line.
struct Maker<'m, 's> {
    arena: &'m mut Arena<'s>,
    ty: ArrayType,
    location: Loc,
}

impl Maker<'_, '_> {
    fn number(&mut self, number: f64) -> VarId {
        self.arena.full(Scalar::Float(number), &self.ty, self.location)
    }

    fn mul(&mut self, x: VarId, y: VarId) -> VarId {
        self.arena.emit1(&Op::Binary(BinaryOp::Mul), &[x, y], self.location)
    }

    fn recip(&mut self, x: VarId) -> VarId {
        let one = self.number(1.0);
        self.arena.emit1(&Op::Binary(BinaryOp::Div), &[one, x], self.location)
    }

    /// x^n for whole n > 0, by squaring.
    fn whole(&mut self, x: VarId, n: u32) -> VarId {
        let (mut base, mut left, mut product) = (x, n, None);
        loop {
            if left & 1 == 1 {
                product = Some(product.map_or(base, |p| self.mul(p, base)));
            }
            left >>= 1;
            match product {
                Some(product) if left == 0 => return product,
                _ => base = self.mul(base, base),
            }
        }
    }

    /// x^0.5. It differs from the root at -0 and at -inf, where it is the size of x; those, zero
    /// and infinity are the numbers that doubling leaves as they are. The choice has other slopes
    /// at these, so it is made where nothing is differentiated any more.
    fn root(&mut self, x: VarId) -> Option<VarId> {
        let plain = not_negative(self.arena, x, DEPTH);
        if !plain && !self.arena.simplifier.opens_custom() {
            return None;
        }
        let root = self.arena.emit1(&Op::Unary(UnaryOp::Sqrt), &[x], self.location);
        if plain {
            return Some(root);
        }
        let two = self.number(2.0);
        let double = self.mul(x, two);
        let fixed = self.arena.emit1(&Op::Compare(CompareOp::Eq), &[double, x], self.location);
        let size = self.arena.emit1(&Op::Unary(UnaryOp::Abs), &[x], self.location);
        Some(self.arena.emit1(&Op::Select, &[fixed, size, root], self.location))
    }
}

/// x^1 = x, x^0 = 1, x^2 = x x and so on, x^-n = (1 / x)^n, x^0.5 = sqrt(x), x^-0.5 = 1 / sqrt(x)
fn power(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Pow, x, y) = binary_op(node)? else { return None };
    let exponent = a.splat(y)?.as_f64();
    let (ty, location) = (a.ty(x).clone(), node.location);
    let mut maker = Maker { arena: a, ty, location };
    if exponent == 0.0 {
        Some(maker.number(1.0))
    } else if exponent == 0.5 {
        maker.root(x)
    } else if exponent == -0.5 {
        let root = maker.root(x)?;
        Some(maker.recip(root))
    } else if exponent == exponent.trunc() && WHOLE_POWERS.contains(&exponent) {
        let base = if exponent < 0.0 { maker.recip(x) } else { x };
        Some(maker.whole(base, exponent.abs() as u32))
    } else {
        None
    }
}

/// (1 / y) / y = (1 / y)^2 and (-1 / y) / y = -(1 / y)^2, also at zero and infinity.
fn square_of_reciprocal(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Div, z, y) = binary_op(node)? else { return None };
    let inner = a.def(z).filter(|e| e.op == Op::Binary(BinaryOp::Div))?;
    let (c, below) = (inner.inputs[0], inner.inputs[1]);
    if below != y || !a.ty(y).dtype.is_float() || !(a.is(c, 1.0) || a.is(c, -1.0)) {
        return None;
    }
    let negative = a.is(c, -1.0);
    let square = a.emit1(&Op::Binary(BinaryOp::Mul), &[z, z], node.location);
    if negative {
        return Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[square], node.location));
    }
    Some(square)
}

/// x / y = x (1 / y) where 1 / y is there and y = 1 + .. is at least one.
fn shared_reciprocal(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Div, x, y) = binary_op(node)? else { return None };
    let sum = a.def(y).filter(|e| e.op == Op::Binary(BinaryOp::Add))?;
    if !a.ty(y).dtype.is_float() {
        return None;
    }
    let (p, q) = (sum.inputs[0], sum.inputs[1]);
    let one = match (a.is(p, 1.0), a.is(q, 1.0)) {
        (true, _) if not_negative(a, q, DEPTH) => p,
        (_, true) if not_negative(a, p, DEPTH) => q,
        _ => return None,
    };
    let reciprocal = a.find(&Op::Binary(BinaryOp::Div), &[one, y])?;
    if x == one {
        return Some(reciprocal);
    }
    if a.is(x, -1.0) {
        // As it is: the rules for signs would make it -1 / y again.
        return Some(a.push(&Op::Unary(UnaryOp::Neg), &[reciprocal], node.location)[0]);
    }
    Some(a.emit1(&Op::Binary(BinaryOp::Mul), &[x, reciprocal], node.location))
}
