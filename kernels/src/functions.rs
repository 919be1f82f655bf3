//! The list of the functions on tiles, each once: its documentation, its name (that of the op in
//! printed graphs), and the formula. The enums, the types that stand for the formulas and the
//! tables of pointers are made from these rows; no formula is written here.

/// Passes the unary functions to the macro `with`, after what `head` holds.
///
/// `rare` and `easy` are the second formulas of [`UnaryOp`](crate::tile::UnaryOp), each with the
/// arguments that it is for.
macro_rules! unary_functions {
    ($with:ident!($($head:tt)*)) => {
        $with! { $($head)*
            /// e^x
            Exp "exp" exponential::exp,
                easy exponential::is_moderate => exponential::exp_moderate;
            /// e^x - 1
            Expm1 "expm1" exponential::expm1;
            /// log x
            Log "log" logarithm::log,
                easy logarithm::is_normal => logarithm::log_normal, also in blocks true;
            /// log x / log 2, exact at powers of two.
            Log2 "log2" logarithm::log2;
            /// log(1 + x)
            Log1p "log1p" logarithm::log1p,
                easy logarithm::is_unit => logarithm::log1p_unit, also in blocks true;
            /// sin x
            Sin "sin" trigonometric::sin,
                rare trigonometric::is_large => L::library_sin,
                easy trigonometric::is_reduced => trigonometric::sin_reduced;
            /// cos x
            Cos "cos" trigonometric::cos,
                rare trigonometric::is_large => L::library_cos,
                easy trigonometric::is_reduced => trigonometric::cos_reduced;
            /// tan x
            Tan "tan" trigonometric::tan, rare trigonometric::is_large => L::library_tan;
            /// asin x
            Asin "asin" inverse_trigonometric::asin;
            /// acos x
            Acos "acos" inverse_trigonometric::acos;
            /// atan x
            Atan "atan" inverse_trigonometric::atan;
            /// sinh x
            Sinh "sinh" exponential::sinh;
            /// cosh x
            Cosh "cosh" exponential::cosh;
            /// tanh x
            Tanh "tanh" exponential::tanh;
            /// asinh x
            Asinh "asinh" logarithm::asinh;
            /// acosh x
            Acosh "acosh" logarithm::acosh;
            /// atanh x
            Atanh "atanh" logarithm::atanh;
            /// The error function.
            Erf "erf" error_function::erf;
            /// 1 - erf x
            Erfc "erfc" error_function::erfc;
            /// The inverse of erf.
            ErfInv "erf_inv" error_function::erf_inv,
                rare error_function::erf_inv_is_tail => error_function::erf_inv_tail;
            /// log |gamma x|
            Lgamma "lgamma" gamma::lgamma, rare gamma::is_reflected => L::library_lgamma;
            /// The derivative of log gamma.
            Digamma "digamma" gamma::digamma, rare gamma::is_reflected => L::library_digamma;
        }
    };
}
pub(crate) use unary_functions;

/// Passes the binary functions to the macro `with`.
macro_rules! binary_functions {
    ($with:ident!($($head:tt)*)) => {
        $with! { $($head)*
            /// x^y with C's special cases.
            Pow "pow" power::pow;
            /// `atan2(y, x)` with C's special cases.
            Atan2 "atan2" inverse_trigonometric::atan2;
        }
    };
}
pub(crate) use binary_functions;

/// Passes the arithmetic operations to the macro `with`.
macro_rules! arithmetic_functions {
    ($with:ident!($($head:tt)*)) => {
        $with! { $($head)*
            /// x + y
            Add "add" core::ops::Add::add;
            /// x - y
            Sub "sub" core::ops::Sub::sub;
            /// x * y
            Mul "mul" core::ops::Mul::mul;
            /// x / y
            Div "div" core::ops::Div::div;
        }
    };
}
pub(crate) use arithmetic_functions;

/// Passes the reductions to the macro `with`; their formulas are types of [`crate::reduce`].
macro_rules! reductions {
    ($with:ident!($($head:tt)*)) => {
        $with! { $($head)*
            /// The sum; -0 for an empty tile.
            Sum "sum" reduce::Sum;
            /// The product; 1 for an empty tile.
            Product "prod" reduce::Product;
            /// The maximum, NaN if any element is; -infinity for an empty tile.
            Max "max" reduce::Max;
            /// The minimum, NaN if any element is; infinity for an empty tile.
            Min "min" reduce::Min;
        }
    };
}
pub(crate) use reductions;
