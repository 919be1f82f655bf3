//! The list of the functions on tiles, as WGSL functions of double precision.

use super::print::statements;
use super::{Recorded, Recording};
use crate::functions::{binary_functions, unary_functions};
use crate::lane::Lane;
use crate::math::{
    error_function, exponential, gamma, inverse_trigonometric, logarithm, power, trigonometric,
};
use std::fmt::Write;

/// The functions in two texts; what is written by hand stands between them.
#[derive(Debug)]
pub struct Texts {
    /// Those that call nothing that is not a formula.
    pub formulas: String,
    /// Those that choose between formulas and what is written by hand.
    pub choices: String,
}

/// A formula under its name in WGSL, which gets `pp_` before and `_f64` behind it.
pub struct Formula {
    /// The name.
    pub name: String,
    /// How many arguments it has.
    pub arity: u8,
    /// What it does.
    pub recording: Recording,
}

/// A function that leaves rare arguments to another.
pub struct Choice {
    /// Its name.
    pub name: &'static str,
    /// The name of the function of rare arguments.
    pub rare: &'static str,
    /// Whether the argument is rare.
    pub is_rare: Recording,
}

/// The name of the formula for arguments that are not rare, where there is another.
pub fn common(name: &str) -> String {
    format!("{name}_common")
}

/// The last part of a path.
pub fn last(path: &'static str) -> &'static str {
    path.rsplit(':').next().map_or(path, str::trim)
}

fn unary(name: String, formula: fn(Recorded) -> Recorded) -> Formula {
    Formula { name, arity: 1, recording: Recording::of(1, |x| formula(x[0]).id()) }
}

fn binary(name: &str, formula: fn(Recorded, Recorded) -> Recorded) -> Formula {
    let recording = Recording::of(2, |x| formula(x[0], x[1]).id());
    Formula { name: name.to_owned(), arity: 2, recording }
}

macro_rules! record_unary {
    ($formulas:ident, $choices:ident;
        $($(#[$doc:meta])* $name:ident $text:literal $common:path
        $(, rare $is_rare:path => $rare:path)?
        $(, easy $is_easy:path => $easy:path $(, also in blocks $blocks:literal)?)?;)*) => {
        $({
            let rare: Option<&str> = None$(.or(Some(last(stringify!($rare)))))?;
            let name = rare.map_or_else(|| $text.to_owned(), |_| common($text));
            $(
                let rare = last(stringify!($rare));
                if !rare.starts_with("library_") {
                    $formulas.push(unary(rare.to_owned(), $rare));
                }
                let is_rare = Recording::of(1, |x| $is_rare(x[0]).id());
                $choices.push(Choice { name: $text, rare, is_rare });
            )?
            $formulas.push(unary(name, $common));
        })*
    };
}
macro_rules! record_binary {
    ($formulas:ident; $($(#[$doc:meta])* $name:ident $text:literal $formula:path;)*) => {
        $($formulas.push(binary($text, $formula));)*
    };
}

/// Everything that is recorded.
pub fn recordings() -> (Vec<Formula>, Vec<Choice>) {
    // The rows speak of the lane by this name.
    type L = Recorded;
    let (mut formulas, mut choices) = (Vec::new(), Vec::new());
    unary_functions!(record_unary!(formulas, choices;));
    binary_functions!(record_binary!(formulas;));
    // What is written by hand goes on with these.
    formulas.push(binary("sin_sum", trigonometric::sin_sum));
    formulas.push(binary("cos_sum", trigonometric::cos_sum));
    // The sign of the last argument is for a mask.
    let tan_sum = |x: &[L]| trigonometric::tan_sum(x[0], x[1], x[2].is_negative()).id();
    formulas.push(Formula {
        name: "tan_sum".to_owned(),
        arity: 3,
        recording: Recording::of(3, tan_sum),
    });
    (formulas, choices)
}

/// The functions as text.
pub fn texts() -> Texts {
    let (formulas, choices) = recordings();
    let mut texts = Texts { formulas: String::new(), choices: String::new() };
    for Formula { name, arity, recording } in &formulas {
        let (lines, result) = statements(recording);
        let arguments = ["x: f64", "y: f64", "z: f64"][..usize::from(*arity)].join(", ");
        // A string takes everything.
        let _ = write!(
            texts.formulas,
            "fn pp_{name}_f64({arguments}) -> f64 {{\n{lines}    return {result};\n}}\n\n"
        );
    }
    for Choice { name, rare, is_rare } in &choices {
        let (lines, mask) = statements(is_rare);
        let common = common(name);
        let _ = write!(
            texts.choices,
            "fn pp_{name}_f64(x: f64) -> f64 {{\n{lines}    if ({mask}) {{\n        \
             return pp_{rare}_f64(x);\n    }}\n    return pp_{common}_f64(x);\n}}\n\n"
        );
    }
    texts
}
