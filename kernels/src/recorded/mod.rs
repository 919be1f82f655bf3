//! Formulas as lists of operations: a lane that stands for a value that is not known yet.
//!
//! The formulas in [`crate::math`] neither branch nor look at values, so calling one with
//! [`Recorded`] lanes writes down what it does. From the list WGSL text is printed (`print`), and
//! so the double precision of devices has the same formulas as that of processors, without a second
//! set by hand. (Single precision has one: there the hand-written functions do without what devices
//! lack, such as subnormal numbers.) A list is recorded per thread and per formula; equal
//! operations are one, and operations on literals are literals.

mod functions;
mod print;
#[cfg(test)]
mod tests;

pub use functions::texts;

use crate::lane::Lane;
use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a node computes of its arguments. Those that are methods of [`Lane`] have their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// An argument of the formula, by its place.
    Argument(u8),
    /// The bits of a literal.
    Literal(u64),
    /// x + y
    Add,
    /// x - y
    Sub,
    /// x * y
    Mul,
    /// x / y
    Div,
    /// -x
    Neg,
    /// [`Lane::fma`]
    Fma,
    /// [`Lane::fma_exact`]
    FmaExact,
    /// x * y - z, where z is the product rounded.
    ProductError,
    /// [`Lane::sqrt`]
    Sqrt,
    /// [`Lane::abs`]
    Abs,
    /// [`Lane::copysign`]
    Copysign,
    /// The first of [`Lane::round_int`].
    Round,
    /// The second of [`Lane::round_int`].
    RoundInt,
    /// [`Lane::exp2_int`]
    Exp2Int,
    /// [`Lane::scale_exponent`]
    ScaleExponent,
    /// The first of [`Lane::split_exponent`].
    Mantissa,
    /// The second of [`Lane::split_exponent`].
    Exponent,
    /// The third of [`Lane::split_exponent`].
    BiasedExponent,
    /// [`Lane::lift_subnormal`]
    LiftSubnormal,
    /// [`Lane::exp2_minus_biased`]
    Exp2MinusBiased,
    /// [`Lane::bits`]
    Bits,
    /// An integer literal.
    Int(i32),
    /// [`Lane::int_add`]
    IntAdd,
    /// [`Lane::int_neg`]
    IntNeg,
    /// [`Lane::int_bit`]
    IntBit(u32),
    /// [`Lane::int_select`]
    IntSelect,
    /// x < y where neither is NaN; else anything.
    Lt,
    /// x <= y where neither is NaN; else anything.
    Le,
    /// [`Lane::equals`] of two different values.
    Equals,
    /// [`Lane::is_nan`]
    IsNan,
    /// [`Lane::is_negative`]
    IsNegative,
    /// A mask that is known.
    Known(bool),
    /// Both masks.
    And,
    /// Either mask.
    Or,
    /// One mask of two.
    Xor,
    /// Not the mask.
    Not,
    /// [`Lane::select`]
    Select,
    /// A function that is written by hand, by its name.
    Library(&'static str),
}

/// The place of a node in its list.
pub type Id = u32;

/// One operation. Its arguments stand before it in the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Of what.
    pub args: Vec<Id>,
}

#[derive(Default)]
struct List {
    nodes: Vec<Node>,
    known: BTreeMap<Node, Id>,
}

thread_local! {
    static LIST: RefCell<List> = RefCell::default();
}

/// A formula written down.
#[derive(Debug)]
pub struct Recording {
    /// The operations in order.
    pub nodes: Vec<Node>,
    /// The one whose value is the result.
    pub result: Id,
}

impl Recording {
    /// What `formula` does, given lanes for its `arity` arguments.
    pub fn of(arity: u8, formula: impl FnOnce(&[Recorded]) -> Id) -> Recording {
        LIST.with_borrow_mut(|list| *list = List::default());
        let arguments: Vec<_> = (0..arity).map(|k| Recorded(push(Op::Argument(k), &[]))).collect();
        let result = formula(&arguments);
        Recording { nodes: LIST.take().nodes, result }
    }
}

/// The place of an operation, which is written down if it was not yet.
fn push(op: Op, args: &[Id]) -> Id {
    LIST.with_borrow_mut(|list| {
        let node = Node { op, args: args.to_vec() };
        if let Some(&id) = list.known.get(&node) {
            return id;
        }
        let id = list.nodes.len() as Id;
        list.known.insert(node.clone(), id);
        list.nodes.push(node);
        id
    })
}

fn node(id: Id) -> Node {
    LIST.with_borrow(|list| list.nodes[id as usize].clone())
}

/// A value of the formula.
#[derive(Clone, Copy, Debug)]
pub struct Recorded(Id);

/// An integer of the formula.
#[derive(Clone, Copy, Debug)]
pub struct RecordedInt(Id);

/// A mask of the formula.
#[derive(Clone, Copy, Debug)]
pub struct RecordedMask(Id);

impl Recorded {
    /// Its place in the list.
    pub fn id(self) -> Id {
        self.0
    }

    fn new(op: Op, args: &[Id]) -> Self {
        Self(push(op, args))
    }

    fn literal(self) -> Option<f64> {
        match node(self.0).op {
            Op::Literal(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Whether it is this literal, by its bits.
    fn is(self, x: f64) -> bool {
        self.literal().is_some_and(|literal| literal.to_bits() == x.to_bits())
    }

    /// An operation, or its value where both are literals.
    fn arithmetic(self, other: Self, op: Op, value: impl FnOnce(f64, f64) -> f64) -> Self {
        match (self.literal(), other.literal()) {
            (Some(a), Some(b)) => Self::lit(value(a, b)),
            _ => Self::new(op, &[self.0, other.0]),
        }
    }

    /// A comparison that is false for NaN, on devices whose own may be anything there.
    fn ordered(self, op: Op, other: Self) -> RecordedMask {
        let mask = RecordedMask(push(op, &[self.0, other.0]));
        let sides = [self, other].into_iter().filter(|side| side.literal().is_none());
        sides.fold(mask, |mask, side| mask & !side.is_nan())
    }
}

impl RecordedMask {
    /// Its place in the list.
    pub fn id(self) -> Id {
        self.0
    }
}

impl Add for Recorded {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        match () {
            () if self.is(-0.0) => other,
            () if other.is(-0.0) => self,
            () => self.arithmetic(other, Op::Add, |a, b| a + b),
        }
    }
}
impl Sub for Recorded {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        if other.is(0.0) {
            return self;
        }
        self.arithmetic(other, Op::Sub, |a, b| a - b)
    }
}
impl Mul for Recorded {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        match () {
            () if self.is(1.0) => other,
            () if other.is(1.0) => self,
            () => self.arithmetic(other, Op::Mul, |a, b| a * b),
        }
    }
}
impl Div for Recorded {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        self.arithmetic(other, Op::Div, |a, b| a / b)
    }
}
impl Neg for Recorded {
    type Output = Self;
    fn neg(self) -> Self {
        let Node { op, args } = node(self.0);
        match op {
            Op::Literal(bits) => Self::lit(-f64::from_bits(bits)),
            Op::Neg => Self(args[0]),
            _ => Self::new(Op::Neg, &[self.0]),
        }
    }
}

macro_rules! mask_operators {
    ($($trait:ident $method:ident $op:ident;)*) => {
        $(impl $trait for RecordedMask {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(push(Op::$op, &[self.0, other.0]))
            }
        })*
    };
}
mask_operators! {
    BitAnd bitand And;
    BitOr bitor Or;
    BitXor bitxor Xor;
}
impl Not for RecordedMask {
    type Output = Self;
    fn not(self) -> Self {
        Self(push(Op::Not, &[self.0]))
    }
}

impl Lane for Recorded {
    type Int = RecordedInt;
    type Mask = RecordedMask;
    const DOUBLE: bool = true;

    fn lit(x: f64) -> Self {
        Self::new(Op::Literal(x.to_bits()), &[])
    }
    fn fma(self, b: Self, c: Self) -> Self {
        // Adding it changes nothing, not even the sign of a zero.
        if c.is(-0.0) { self * b } else { Self::new(Op::Fma, &[self.0, b.0, c.0]) }
    }
    fn fma_exact(self, b: Self, c: Self) -> Self {
        let Node { op, args } = node(c.0);
        if op == Op::Neg && node(args[0]) == (Node { op: Op::Mul, args: vec![self.0, b.0] }) {
            return Self::new(Op::ProductError, &[self.0, b.0, args[0]]);
        }
        Self::new(Op::FmaExact, &[self.0, b.0, c.0])
    }
    fn sqrt(self) -> Self {
        Self::new(Op::Sqrt, &[self.0])
    }
    fn abs(self) -> Self {
        Self::new(Op::Abs, &[self.0])
    }
    fn copysign(self, sign: Self) -> Self {
        Self::new(Op::Copysign, &[self.0, sign.0])
    }
    fn lt(self, other: Self) -> RecordedMask {
        self.ordered(Op::Lt, other)
    }
    fn le(self, other: Self) -> RecordedMask {
        self.ordered(Op::Le, other)
    }
    fn gt(self, other: Self) -> RecordedMask {
        other.lt(self)
    }
    fn ge(self, other: Self) -> RecordedMask {
        other.le(self)
    }
    fn equals(self, other: Self) -> RecordedMask {
        if self.0 == other.0 { !self.is_nan() } else { self.ordered(Op::Equals, other) }
    }
    fn is_nan(self) -> RecordedMask {
        let Node { op, args } = node(self.0);
        match op {
            Op::Neg | Op::Abs | Op::Copysign => Self(args[0]).is_nan(),
            _ => RecordedMask(push(Op::IsNan, &[self.0])),
        }
    }
    fn mask(value: bool) -> RecordedMask {
        RecordedMask(push(Op::Known(value), &[]))
    }
    fn select(mask: RecordedMask, yes: Self, no: Self) -> Self {
        Self::new(Op::Select, &[mask.0, yes.0, no.0])
    }
    fn int_select(mask: RecordedMask, yes: RecordedInt, no: RecordedInt) -> RecordedInt {
        RecordedInt(push(Op::IntSelect, &[mask.0, yes.0, no.0]))
    }
    fn is_negative(self) -> RecordedMask {
        RecordedMask(push(Op::IsNegative, &[self.0]))
    }
    fn round_int(self) -> (Self, RecordedInt) {
        (Self::new(Op::Round, &[self.0]), RecordedInt(push(Op::RoundInt, &[self.0])))
    }
    fn exp2_int(n: RecordedInt) -> Self {
        Self::new(Op::Exp2Int, &[n.0])
    }
    fn scale_exponent(self, n: RecordedInt) -> Self {
        Self::new(Op::ScaleExponent, &[self.0, n.0])
    }
    fn int(n: i32) -> RecordedInt {
        RecordedInt(push(Op::Int(n), &[]))
    }
    fn int_add(a: RecordedInt, b: RecordedInt) -> RecordedInt {
        if node(b.0).op == Op::Int(0) { a } else { RecordedInt(push(Op::IntAdd, &[a.0, b.0])) }
    }
    fn int_neg(a: RecordedInt) -> RecordedInt {
        RecordedInt(push(Op::IntNeg, &[a.0]))
    }
    fn int_bit(a: RecordedInt, bit: u32) -> RecordedMask {
        RecordedMask(push(Op::IntBit(bit), &[a.0]))
    }
    fn split_exponent(self) -> (Self, Self, RecordedInt) {
        let biased = RecordedInt(push(Op::BiasedExponent, &[self.0]));
        (Self::new(Op::Mantissa, &[self.0]), Self::new(Op::Exponent, &[self.0]), biased)
    }
    fn lift_subnormal(self) -> Self {
        Self::new(Op::LiftSubnormal, &[self.0])
    }
    fn exp2_minus_biased(e: RecordedInt) -> Self {
        Self::new(Op::Exp2MinusBiased, &[e.0])
    }
    fn bits(self) -> RecordedInt {
        RecordedInt(push(Op::Bits, &[self.0]))
    }
    fn library_sin(self) -> Self {
        Self::new(Op::Library("library_sin"), &[self.0])
    }
    fn library_cos(self) -> Self {
        Self::new(Op::Library("library_cos"), &[self.0])
    }
    fn library_tan(self) -> Self {
        Self::new(Op::Library("library_tan"), &[self.0])
    }
    fn library_lgamma(self) -> Self {
        Self::new(Op::Library("library_lgamma"), &[self.0])
    }
    fn library_digamma(self) -> Self {
        Self::new(Op::Library("library_digamma"), &[self.0])
    }
}
