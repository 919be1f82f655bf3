//! What is written down is what the formulas compute, and what is hidden from compilers.

use super::functions::{common, last, recordings};
use super::print::statements;
use super::{Op, Recorded, Recording};
use crate::functions::{binary_functions, unary_functions};
use crate::lane::{Lane, Number, Plain64, fast_two_sum, two_product, two_sum};
use crate::math::{
    error_function, exponential, gamma, inverse_trigonometric, logarithm, power, trigonometric,
};

/// What a node is worth.
#[derive(Clone, Copy)]
enum Value {
    Float(Plain64),
    Int(i64),
    Mask(bool),
}
use Value::{Float, Int, Mask};

fn float(value: Value) -> Plain64 {
    match value {
        Float(x) => x,
        Int(_) | Mask(_) => panic!("a number is expected"),
    }
}

fn int(value: Value) -> i64 {
    match value {
        Int(n) => n,
        Float(_) | Mask(_) => panic!("an integer is expected"),
    }
}

fn mask(value: Value) -> bool {
    match value {
        Mask(value) => value,
        Float(_) | Int(_) => panic!("a mask is expected"),
    }
}

/// The result of a recording, by the arithmetic of processors without FMA.
fn evaluate(recording: &Recording, arguments: &[f64]) -> Value {
    let mut values: Vec<Value> = Vec::new();
    for node in &recording.nodes {
        let value = |k: usize| values[node.args[k] as usize];
        let x = |k: usize| float(value(k));
        let n = |k: usize| int(value(k));
        let m = |k: usize| mask(value(k));
        let result = match node.op {
            Op::Argument(k) => Float(Plain64::wrap(arguments[usize::from(k)])),
            Op::Literal(bits) => Float(Plain64::wrap(f64::from_bits(bits))),
            Op::Add => Float(x(0) + x(1)),
            Op::Sub => Float(x(0) - x(1)),
            Op::Mul => Float(x(0) * x(1)),
            Op::Div => Float(x(0) / x(1)),
            Op::Neg => Float(-x(0)),
            Op::Fma => Float(x(0).fma(x(1), x(2))),
            Op::FmaExact => Float(x(0).fma_exact(x(1), x(2))),
            Op::ProductError => Float(x(0).fma_exact(x(1), -x(2))),
            Op::Sqrt => Float(x(0).sqrt()),
            Op::Abs => Float(x(0).abs()),
            Op::Copysign => Float(x(0).copysign(x(1))),
            Op::Round => Float(x(0).round_int().0),
            Op::RoundInt => Int(x(0).round_int().1),
            Op::Exp2Int => Float(Plain64::exp2_int(n(0))),
            Op::ScaleExponent => Float(x(0).scale_exponent(n(1))),
            Op::Mantissa => Float(x(0).split_exponent().0),
            Op::Exponent => Float(x(0).split_exponent().1),
            Op::BiasedExponent => Int(x(0).split_exponent().2),
            Op::LiftSubnormal => Float(x(0).lift_subnormal()),
            Op::Exp2MinusBiased => Float(Plain64::exp2_minus_biased(n(0))),
            Op::Bits => Int(x(0).bits()),
            Op::Int(n) => Int(Plain64::int(n)),
            Op::IntAdd => Int(Plain64::int_add(n(0), n(1))),
            Op::IntNeg => Int(Plain64::int_neg(n(0))),
            Op::IntBit(bit) => Mask(Plain64::int_bit(n(0), bit)),
            Op::IntSelect => Int(Plain64::int_select(m(0), n(1), n(2))),
            Op::Lt => Mask(x(0).lt(x(1))),
            Op::Le => Mask(x(0).le(x(1))),
            Op::Equals => Mask(x(0).equals(x(1))),
            Op::IsNan => Mask(x(0).is_nan()),
            Op::IsNegative => Mask(x(0).is_negative()),
            Op::Known(value) => Mask(value),
            Op::And => Mask(m(0) & m(1)),
            Op::Or => Mask(m(0) | m(1)),
            Op::Xor => Mask(m(0) ^ m(1)),
            Op::Not => Mask(!m(0)),
            Op::Select => Float(Plain64::select(m(0), x(1), x(2))),
            Op::Library(name) => panic!("{name} is no formula"),
        };
        values.push(result);
    }
    values[recording.result as usize]
}

/// Numbers of all sizes and signs, special ones among them, and any bits.
fn arguments() -> Vec<f64> {
    let mut state = 1_u64;
    let mut list = vec![0.0, 1.0, 0.5, 1e300, 1e-310, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE];
    list.extend([f64::MAX, 5e-324, 0.999_999_9, 1.000_000_1, 3e5, 4e8, 3.0, 1e15, 9e15]);
    list.extend(list.clone().into_iter().map(|x: f64| -x));
    for i in 0..2000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0;
        list.push(unit * [1.0, 10.0, 1000.0, 1e10, 1e-10][i % 5]);
        list.push(f64::from_bits(state.rotate_left(31)));
    }
    list
}

/// The bits, all NaNs alike.
fn bits(x: f64) -> u64 {
    if x.is_nan() { u64::MAX } else { x.to_bits() }
}

#[track_caller]
fn check_unary(name: &str, recording: &Recording, formula: fn(Plain64) -> Plain64) {
    for x in arguments() {
        let recorded = float(evaluate(recording, &[x])).get();
        let expected = formula(Plain64::wrap(x)).get();
        assert_eq!(bits(recorded), bits(expected), "{name} of {x:e}: {recorded} {expected}");
    }
}

#[track_caller]
fn check_binary(name: &str, recording: &Recording, formula: fn(Plain64, Plain64) -> Plain64) {
    let list = arguments();
    let special = list.iter().take(34).flat_map(|&x| list.iter().take(34).map(move |&y| (x, y)));
    let others = list.iter().zip(list.iter().skip(77)).map(|(&x, &y)| (x, y));
    for (x, y) in special.chain(others) {
        let recorded = float(evaluate(recording, &[x, y])).get();
        let expected = formula(Plain64::wrap(x), Plain64::wrap(y)).get();
        assert_eq!(bits(recorded), bits(expected), "{name} of {x:e}, {y:e}");
    }
}

macro_rules! check_unary_rows {
    ($formula:ident, $choices:ident; $($(#[$doc:meta])* $name:ident $text:literal $common:path
        $(, rare $is_rare:path => $rare:path)?
        $(, easy $is_easy:path => $easy:path $(, also in blocks $blocks:literal)?)?;)*) => {
        $({
            let rare: Option<&str> = None$(.or(Some(last(stringify!($rare)))))?;
            let name = rare.map_or_else(|| $text.to_owned(), |_| common($text));
            $(
                let rare = last(stringify!($rare));
                if !rare.starts_with("library_") {
                    check_unary(rare, $formula(rare), $rare);
                }
                let choice = $choices.iter().find(|choice| choice.name == $text).expect($text);
                assert_eq!(choice.rare, rare);
                for x in arguments() {
                    let recorded = mask(evaluate(&choice.is_rare, &[x]));
                    assert_eq!(recorded, $is_rare(Plain64::wrap(x)), "{} of {x:e}", $text);
                }
            )?
            check_unary(&name, $formula(&name), $common);
        })*
    };
}
macro_rules! check_binary_rows {
    ($formula:ident; $($(#[$doc:meta])* $name:ident $text:literal $function:path;)*) => {
        $(check_binary($text, $formula($text), $function);)*
    };
}

#[test]
fn recordings_compute_what_the_formulas_do() {
    // The rows speak of the lane by this name.
    type L = Plain64;
    let (formulas, choices) = recordings();
    let formula = |name: &str| {
        let found = formulas.iter().find(|formula| formula.name == name);
        &found.unwrap_or_else(|| panic!("{name} is recorded")).recording
    };
    unary_functions!(check_unary_rows!(formula, choices;));
    binary_functions!(check_binary_rows!(formula;));
    check_binary("sin_sum", formula("sin_sum"), trigonometric::sin_sum);
    check_binary("cos_sum", formula("cos_sum"), trigonometric::cos_sum);
}

/// The statements of a function of two arguments, and its result.
fn text(formula: fn(Recorded, Recorded) -> Recorded) -> String {
    let (lines, result) = statements(&Recording::of(2, |x| formula(x[0], x[1]).id()));
    let lines: Vec<_> = lines.lines().map(str::trim).chain([result.as_str()]).collect();
    lines.join(" ")
}

#[test]
fn what_recovers_rounding_errors_is_hidden() {
    assert_eq!(
        text(|x, y| fast_two_sum(x, y).1),
        "let e0 = pp_apart_f64(x); let e1 = pp_apart_f64(y); let e2 = pp_apart_f64(e0 + e1); \
         let e3 = pp_apart_f64(e2 - e0); let e4 = pp_apart_f64(e1 - e3); e4"
    );
    assert_eq!(
        text(|x, y| two_sum(x * x, y / x).1),
        "let e0 = x * x; let e1 = y / x; let e2 = pp_apart_f64(e0 + e1); \
         let e3 = pp_apart_f64(e2 - e0); let e4 = pp_apart_f64(e2 - e3); \
         let e5 = pp_apart_f64(e0 - e4); let e6 = pp_apart_f64(e1 - e3); \
         let e7 = pp_apart_f64(e5 + e6); e7"
    );
    // The product is rounded by itself where its error is used.
    assert_eq!(
        text(|x, y| {
            let (product, error) = two_product(x, y);
            product + error
        }),
        "let e0 = pp_apart_f64(x * y); let e1 = pp_apart_f64(pp_two_product_f64(x, y).y); \
         let e2 = pp_apart_f64(e0 + e1); e2"
    );
    // Common factors.
    assert_eq!(
        text(|x, y| x.sqrt() + x.sqrt() * y),
        "let e0 = pp_apart_f64(sqrt(x)); let e1 = pp_apart_f64(e0 * y); \
         let e2 = pp_apart_f64(e0 + e1); e2"
    );
    assert_eq!(
        text(|x, y| x.fma(y.abs(), y.abs())),
        "let e0 = pp_abs_f64(y); let e1 = pp_apart_f64(fma(x, e0, pp_apart_f64(e0))); e1"
    );
    // Zeros that keep signs.
    assert_eq!(
        text(|x, _| Recorded::lit(0.0) - x.abs()),
        "let e0 = pp_abs_f64(x); let e1 = pp_apart_f64(pp_apart_f64(0.0lf) - e0); e1"
    );
}

#[test]
fn comparisons_are_false_for_nan() {
    assert_eq!(
        text(|x, y| Recorded::select(x.abs().lt(Recorded::lit(2.0)), x, y)),
        "let e0 = pp_abs_f64(x); let e1 = e0 < 2.0lf; let e2 = pp_is_nan_f64(x); let e3 = !e2; \
         let e4 = e1 & e3; let e5 = select(y, x, e4); e5"
    );
    assert_eq!(
        text(|x, y| Recorded::select(x.equals(x), x, y)),
        "let e0 = pp_is_nan_f64(x); let e1 = !e0; let e2 = select(y, x, e1); e2"
    );
}

#[test]
fn literals_are_folded_and_equal_operations_are_one() {
    assert_eq!(
        text(|x, y| (x * y) / (x * y - (Recorded::lit(3.0) - Recorded::lit(4.0)))),
        "let e0 = x * y; let e1 = e0 - (-1.0lf); let e2 = e0 / e1; e2"
    );
    assert_eq!(text(|x, _| -(-x.abs()) + -Recorded::lit(0.0)), "let e0 = pp_abs_f64(x); e0");
}
