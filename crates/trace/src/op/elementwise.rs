//! Elementwise ops: the table with one row per op, and their type rules.
//!
//! The rows drive printing, parsing, the op reference, what rewrites think an op costs, where
//! backends find its kernel, and the tests. An op's value is defined by the interpreter
//! (`eval/elementwise.rs`), not here.

use crate::dtype::DType;
use crate::op::fault::{Fault, Inferred, same_types};
use crate::types::ArrayType;

/// Which element types an op takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepts {
    /// `f32`, `f64`.
    Floats,
    /// Floats and signed integers.
    Signed,
    /// Floats and integers.
    Numbers,
    /// Integers.
    Integers,
    /// Integers and `bool`.
    Bits,
    /// Everything.
    All,
}

impl Accepts {
    /// Whether `dtype` is among them.
    pub fn contains(self, dtype: DType) -> bool {
        match self {
            Accepts::Floats => dtype.is_float(),
            Accepts::Signed => dtype.is_signed(),
            Accepts::Numbers => dtype.is_number(),
            Accepts::Integers => dtype.is_integer(),
            Accepts::Bits => dtype.is_integer() || dtype == DType::Bool,
            Accepts::All => true,
        }
    }

    /// For messages.
    pub fn describe(self) -> &'static str {
        match self {
            Accepts::Floats => "a float",
            Accepts::Signed => "a float or a signed integer",
            Accepts::Numbers => "a float or an integer",
            Accepts::Integers => "an integer",
            Accepts::Bits => "an integer or bool",
            Accepts::All => "any element type",
        }
    }
}

/// What an op costs where it is computed. Rewrites weigh it, and backends look up functions by
/// the name of the op.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cost {
    /// About one instruction, which backends emit in place.
    Instruction,
    /// Many instructions: a call of a tile kernel or of a function of the shader.
    Function,
}

/// How tests get the right value of an op on floats: by what shares no code with the interpreter.
#[derive(Clone, Copy, Debug)]
pub enum Oracle {
    /// A function of `f64`, and how far from it, in ulp of the value, the interpreter may be.
    Unary(fn(f64) -> f64, f64),
    /// The same for two operands.
    Binary(fn(f64, f64) -> f64, f64),
    /// A formula of the tests' own, with the ulp that it may itself be wrong by.
    Reference(f64),
}

/// One row of the op table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Name in printed graphs and messages, and of the kernel of a function.
    pub name: &'static str,
    /// Element types that the operands may have.
    pub accepts: Accepts,
    /// The interval that tests draw float operands from, one per operand.
    pub domain: [(f64, f64); 2],
    /// Whether the derivative is a function other than zero.
    pub differentiable: bool,
    /// Largest distance from the interpreter that a backend may show in `f32`, in ulp of the
    /// larger of the result and one; the `f64` limit is the same number of `f64` ulp.
    pub ulp: f64,
    /// How tests get the right value.
    pub oracle: Oracle,
    /// What the op costs: the block of the table that the row is in.
    pub cost: Cost,
    /// What the op computes.
    pub doc: &'static str,
}

macro_rules! ops {
    ($(#[$meta:meta])* $Enum:ident; $(#[$some:meta])* instructions $Instruction:ident {
        $($Plain:ident $p_name:literal $p_accepts:ident $p_domain:expr, $p_diff:literal,
            $p_ulp:literal, $p_oracle:expr, $p_doc:literal;)*
    } functions {
        $($Called:ident $c_name:literal $c_accepts:ident $c_domain:expr, $c_diff:literal,
            $c_ulp:literal, $c_oracle:expr, $c_doc:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $Enum { $(#[doc = $p_doc] $Plain,)* $(#[doc = $c_doc] $Called,)* }

        $(#[$some])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $Instruction { $(#[doc = $p_doc] $Plain,)* }

        impl $Enum {
            /// Every op of this family.
            pub const ALL: &'static [$Enum] = &[$($Enum::$Plain,)* $($Enum::$Called,)*];

            /// The op's row.
            pub const fn spec(self) -> &'static Spec {
                match self {
                    $($Enum::$Plain => const { &Spec { name: $p_name,
                        accepts: Accepts::$p_accepts, domain: $p_domain, differentiable: $p_diff,
                        ulp: $p_ulp, oracle: $p_oracle, cost: Cost::Instruction,
                        doc: $p_doc } },)*
                    $($Enum::$Called => const { &Spec { name: $c_name,
                        accepts: Accepts::$c_accepts, domain: $c_domain, differentiable: $c_diff,
                        ulp: $c_ulp, oracle: $c_oracle, cost: Cost::Function,
                        doc: $c_doc } },)*
                }
            }

            /// The op as an instruction; `None` for functions.
            pub const fn instruction(self) -> Option<$Instruction> {
                match self {
                    $($Enum::$Plain => Some($Instruction::$Plain),)*
                    $($Enum::$Called => None,)*
                }
            }

            /// The op with this name.
            pub fn by_name(name: &str) -> Option<$Enum> {
                $Enum::ALL.iter().copied().find(|op| op.spec().name == name)
            }
        }
    };
}

const fn one(low: f64, high: f64) -> [(f64, f64); 2] {
    [(low, high), (0.0, 0.0)]
}

const fn both(low: f64, high: f64) -> [(f64, f64); 2] {
    [(low, high), (low, high)]
}

ops! {
    /// Ops of one operand that keep its type, except `is_finite`, which gives `bool`.
    UnaryOp;
    /// Those of them that are about one instruction of a machine.
    instructions UnaryInstruction {
        Neg "neg" Signed one(-100.0, 100.0), true, 0.0, Oracle::Unary(|x| 0.0 - x, 0.0), "`-x`; wraps for integers.";
        Abs "abs" Numbers one(-100.0, 100.0), true, 0.0, Oracle::Unary(|x| (x * x).sqrt(), 0.0), "`|x|`; wraps at the least integer.";
        Sign "sign" Numbers one(-100.0, 100.0), false, 0.0, Oracle::Reference(0.0), "-1, 0 or 1 with the sign of `x`; NaN stays, a signed zero keeps its sign.";
        Floor "floor" Floats one(-100.0, 100.0), false, 0.0, Oracle::Unary(|x| -(-x).ceil(), 0.0), "The largest whole number not above `x`.";
        Ceil "ceil" Floats one(-100.0, 100.0), false, 0.0, Oracle::Unary(|x| -(-x).floor(), 0.0), "The least whole number not below `x`.";
        Round "round" Floats one(-100.0, 100.0), false, 0.0, Oracle::Reference(0.0), "The nearest whole number, ties to even.";
        Sqrt "sqrt" Floats one(0.01, 100.0), true, 1.0, Oracle::Unary(f64::sqrt, 0.0), "The square root; NaN below zero.";
        Not "not" Bits one(0.0, 1.0), false, 0.0, Oracle::Reference(0.0), "Logical not of `bool`, bitwise not of integers.";
        IsFinite "is_finite" Floats one(-100.0, 100.0), false, 0.0, Oracle::Reference(0.0), "Whether `x` is neither infinite nor NaN.";
    }
    functions {
        Exp "exp" Floats one(-10.0, 10.0), true, 4.0, Oracle::Unary(f64::exp, 2.0), "`e^x`.";
        Expm1 "expm1" Floats one(-5.0, 5.0), true, 4.0, Oracle::Unary(f64::exp_m1, 2.0), "`e^x - 1`, exact near zero.";
        Log "log" Floats one(0.01, 100.0), true, 4.0, Oracle::Unary(f64::ln, 2.0), "The natural logarithm; `-inf` at zero, NaN below.";
        Log2 "log2" Floats one(0.01, 100.0), true, 4.0, Oracle::Unary(f64::log2, 2.0), "The logarithm to base 2, exact at powers of two; `-inf` at zero, NaN below.";
        Log1p "log1p" Floats one(-0.9, 100.0), true, 4.0, Oracle::Unary(f64::ln_1p, 2.0), "`log(1 + x)`, exact near zero.";
        Sin "sin" Floats one(-10.0, 10.0), true, 4.0, Oracle::Unary(f64::sin, 2.0), "The sine of `x` radians.";
        Cos "cos" Floats one(-10.0, 10.0), true, 4.0, Oracle::Unary(f64::cos, 2.0), "The cosine of `x` radians.";
        Tan "tan" Floats one(-1.5, 1.5), true, 4.0, Oracle::Unary(f64::tan, 2.0), "The tangent of `x` radians.";
        Asin "asin" Floats one(-0.99, 0.99), true, 4.0, Oracle::Unary(f64::asin, 2.0), "The arc sine, in radians.";
        Acos "acos" Floats one(-0.99, 0.99), true, 4.0, Oracle::Unary(f64::acos, 2.0), "The arc cosine, in radians.";
        Atan "atan" Floats one(-10.0, 10.0), true, 4.0, Oracle::Unary(f64::atan, 2.0), "The arc tangent, in radians.";
        Sinh "sinh" Floats one(-5.0, 5.0), true, 4.0, Oracle::Unary(f64::sinh, 2.0), "The hyperbolic sine.";
        Cosh "cosh" Floats one(-5.0, 5.0), true, 4.0, Oracle::Unary(f64::cosh, 2.0), "The hyperbolic cosine.";
        Tanh "tanh" Floats one(-5.0, 5.0), true, 4.0, Oracle::Unary(f64::tanh, 2.0), "The hyperbolic tangent.";
        Asinh "asinh" Floats one(-10.0, 10.0), true, 4.0, Oracle::Reference(8.0), "The inverse hyperbolic sine.";
        Acosh "acosh" Floats one(1.01, 100.0), true, 4.0, Oracle::Reference(8.0), "The inverse hyperbolic cosine; NaN below one.";
        Atanh "atanh" Floats one(-0.99, 0.99), true, 4.0, Oracle::Reference(8.0), "The inverse hyperbolic tangent.";
        Erf "erf" Floats one(-4.0, 4.0), true, 4.0, Oracle::Reference(100.0), "The error function.";
        Erfc "erfc" Floats one(-4.0, 4.0), true, 8.0, Oracle::Reference(100.0), "`1 - erf(x)`, exact in the tail.";
        ErfInv "erf_inv" Floats one(-0.99, 0.99), true, 8.0, Oracle::Reference(100.0), "The inverse of `erf`; infinite at -1 and 1.";
        Lgamma "lgamma" Floats one(0.1, 30.0), true, 8.0, Oracle::Reference(300.0), "`log |gamma(x)|`; infinite at zero and at negative whole numbers.";
        Digamma "digamma" Floats one(0.1, 30.0), true, 8.0, Oracle::Reference(300.0), "The derivative of `log gamma(x)`; minus and plus infinity at 0 and -0, NaN at negative whole numbers.";
    }
}

ops! {
    /// Ops of two operands of one type.
    BinaryOp;
    /// Those of them that are about one instruction of a machine.
    instructions BinaryInstruction {
        Add "add" Numbers both(-100.0, 100.0), true, 0.0, Oracle::Binary(|x, y| x + y, 0.0), "`x + y`; wraps for integers.";
        Sub "sub" Numbers both(-100.0, 100.0), true, 0.0, Oracle::Binary(|x, y| x - y, 0.0), "`x - y`; wraps for integers.";
        Mul "mul" Numbers both(-100.0, 100.0), true, 0.0, Oracle::Binary(|x, y| x * y, 0.0), "`x * y`; wraps for integers.";
        Div "div" Numbers [(-100.0, 100.0), (0.1, 100.0)], true, 1.0,
            Oracle::Binary(|x, y| x / y, 0.0), "`x / y`; integers truncate toward zero, `x / 0` is all ones, the least integer over -1 is itself.";
        Rem "rem" Numbers [(-100.0, 100.0), (1.0, 10.0)], true, 1.0,
            Oracle::Binary(|x, y| x % y, 0.0), "The remainder with the sign of `x`; for integers `x rem 0` is `x`.";
        Max "max" Numbers both(-100.0, 100.0), true, 0.0, Oracle::Binary(f64::max, 0.0), "The larger; NaN if either is NaN.";
        Min "min" Numbers both(-100.0, 100.0), true, 0.0, Oracle::Binary(f64::min, 0.0), "The smaller; NaN if either is NaN.";
        And "and" Bits both(0.0, 1.0), false, 0.0, Oracle::Reference(0.0), "Logical and bitwise and.";
        Or "or" Bits both(0.0, 1.0), false, 0.0, Oracle::Reference(0.0), "Logical and bitwise or.";
        Xor "xor" Bits both(0.0, 1.0), false, 0.0, Oracle::Reference(0.0), "Logical and bitwise exclusive or.";
        Shl "shl" Integers both(0.0, 8.0), false, 0.0, Oracle::Reference(0.0), "`x << y`; zero once `y` reaches the width.";
        Shr "shr" Integers both(0.0, 8.0), false, 0.0, Oracle::Reference(0.0), "`x >> y`; fills with the sign for signed types, with zero otherwise, also when `y` reaches the width.";
    }
    functions {
        Pow "pow" Floats [(0.1, 10.0), (-3.0, 3.0)], true, 8.0, Oracle::Binary(f64::powf, 2.0), "`x^y`.";
        Atan2 "atan2" Floats [(0.1, 10.0), (-10.0, 10.0)], true, 4.0,
            Oracle::Binary(f64::atan2, 2.0), "The angle of the point `(y, x)` given as `atan2(y, x)`, in radians.";
    }
}

ops! {
    /// Comparisons: two operands of one type, a `bool` result. NaN compares false but for `ne`.
    CompareOp;
    /// All of them are about one instruction of a machine.
    instructions CompareInstruction {
        Eq "eq" All both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x == y`.";
        Ne "ne" All both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x != y`.";
        Lt "lt" Numbers both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x < y`.";
        Le "le" Numbers both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x <= y`.";
        Gt "gt" Numbers both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x > y`.";
        Ge "ge" Numbers both(-2.0, 2.0), false, 0.0, Oracle::Reference(0.0), "`x >= y`.";
    }
    functions {}
}

fn accept(spec: &Spec, ty: &ArrayType) -> Result<(), Fault> {
    if spec.accepts.contains(ty.dtype) {
        return Ok(());
    }
    let help = match (spec.accepts, ty.dtype) {
        (Accepts::Floats, _) => "convert first, for example with `.cast(DType::F32)`".to_string(),
        (_, DType::Bool) => "convert first, for example with `.cast(DType::I32)`".to_string(),
        _ => format!("`{}` is defined for {}", spec.name, spec.accepts.describe()),
    };
    Err(Fault::dtype(format!("`{}` takes {}, not {ty}", spec.name, spec.accepts.describe()), help))
}

pub(super) fn unary(op: UnaryOp, x: &ArrayType) -> Inferred {
    accept(op.spec(), x)?;
    let ty = if op == UnaryOp::IsFinite { x.with_dtype(DType::Bool) } else { x.clone() };
    Ok(smallvec::smallvec![ty])
}

pub(super) fn binary(op: BinaryOp, x: &ArrayType, y: &ArrayType) -> Inferred {
    same_types(op.spec().name, x, y)?;
    accept(op.spec(), x)?;
    Ok(smallvec::smallvec![x.clone()])
}

pub(super) fn compare(op: CompareOp, x: &ArrayType, y: &ArrayType) -> Inferred {
    same_types(op.spec().name, x, y)?;
    accept(op.spec(), x)?;
    Ok(smallvec::smallvec![x.with_dtype(DType::Bool)])
}

pub(super) fn select(condition: &ArrayType, x: &ArrayType, y: &ArrayType) -> Inferred {
    if condition.dtype != DType::Bool {
        return Err(Fault::dtype(
            format!("`select` chooses by bool, not by {condition}"),
            "compare first, for example with `.gt(0.0)`",
        ));
    }
    same_types("select", x, y)?;
    same_types("select", &condition.with_dtype(x.dtype), x)?;
    Ok(smallvec::smallvec![x.clone()])
}

pub(super) fn bitcast(to: DType, x: &ArrayType) -> Inferred {
    if to.size() != x.dtype.size() || to == DType::Bool || x.dtype == DType::Bool {
        return Err(Fault::dtype(
            format!("`bitcast` keeps the width: {x} does not reinterpret as {to}"),
            "use `.cast(..)` to convert the value",
        ));
    }
    Ok(smallvec::smallvec![x.with_dtype(to)])
}

/// `threefry2x32(key0, key1, count0, count1) -> (bits0, bits1)`, all `u32` of one shape.
pub(super) fn threefry(inputs: &[&ArrayType]) -> Inferred {
    for x in inputs {
        same_types("threefry2x32", inputs[0], x)?;
    }
    if inputs[0].dtype != DType::U32 {
        return Err(Fault::dtype(
            format!("`threefry2x32` takes u32 words, not {}", inputs[0]),
            "cast the key words and counters to u32",
        ));
    }
    Ok(smallvec::smallvec![inputs[0].clone(), inputs[0].clone()])
}

impl UnaryOp {
    /// Whether it is as long as a function of [`SpecialOp`](super::SpecialOp), and compiled as one
    /// where those are written out.
    pub const fn is_special(self) -> bool {
        matches!(self, UnaryOp::Lgamma | UnaryOp::Digamma)
    }
}
