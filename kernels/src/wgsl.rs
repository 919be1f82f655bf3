//! The WGSL versions of the functions, as text, and the parts of that text that one shader needs.
//!
//! Nothing is parsed beyond finding the functions: a shader generator asks for a name and gets the
//! function's text with the names of what it calls. No devices here; the text is validated in
//! tests.

use crate::recorded::texts;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The elementwise functions, `pp_`-prefixed, in an order where callees come first.
pub const MATH_WGSL: &str = include_str!("../wgsl/math.wgsl");

/// 64-bit integers as pairs of words.
pub const LONG_WGSL: &str = include_str!("../wgsl/long.wgsl");

/// Double precision: bits, order, rounding and conversions, on adapters that have it.
pub const F64_WGSL: &str = include_str!("../wgsl/f64.wgsl");

/// The operations of the recorded formulas.
pub const F64_FORMULAS_WGSL: &str = include_str!("../wgsl/f64_formulas.wgsl");

/// What recorded formulas leave to functions that are written by hand.
pub const F64_LIBRARY_WGSL: &str = include_str!("../wgsl/f64_library.wgsl");

/// The special functions and the numbers of twice the precision that they need, on the functions of
/// [`MATH_WGSL`] and of the texts before.
pub const SPECIAL_WGSL: [&str; 5] = [
    include_str!("../wgsl/double.wgsl"),
    include_str!("../wgsl/gamma.wgsl"),
    include_str!("../wgsl/integrals.wgsl"),
    include_str!("../wgsl/incomplete.wgsl"),
    include_str!("../wgsl/taylor.wgsl"),
];

/// The special functions in double precision, on all of the texts before.
pub const F64_SPECIAL_WGSL: [&str; 4] = [
    include_str!("../wgsl/f64_gamma.wgsl"),
    include_str!("../wgsl/f64_integrals.wgsl"),
    include_str!("../wgsl/f64_incomplete.wgsl"),
    include_str!("../wgsl/f64_taylor.wgsl"),
];

/// The matrix product, a template: the GPU backend fills in `{{...}}` and adds the functions that
/// reach the operands.
pub const MATMUL_WGSL: &str = include_str!("../wgsl/matmul.wgsl");

/// The Cholesky factorisation, a template.
pub const CHOLESKY_WGSL: &str = include_str!("../wgsl/cholesky.wgsl");

/// Substitution with a triangular matrix, a template.
pub const TRIANGULAR_SOLVE_WGSL: &str = include_str!("../wgsl/triangular_solve.wgsl");

/// Running reductions, a template.
pub const CUMULATIVE_WGSL: &str = include_str!("../wgsl/cumulative.wgsl");

/// Stable sorts, a template.
pub const SORT_WGSL: &str = include_str!("../wgsl/sort.wgsl");

/// Updates at computed places, a template.
pub const SCATTER_WGSL: &str = include_str!("../wgsl/scatter.wgsl");

/// What running reductions keep beside their value, for templates.
pub const STATES_WGSL: &str = include_str!("../wgsl/states.wgsl");

/// What decompositions share, for templates.
pub const FACTORS_WGSL: &str = include_str!("../wgsl/factors.wgsl");

/// Gaussian elimination, a template.
pub const LU_WGSL: &str = include_str!("../wgsl/lu.wgsl");

/// Determinants and right sides from the factors of Gaussian elimination, a template.
pub const LU_USE_WGSL: &str = include_str!("../wgsl/lu_use.wgsl");

/// Householder reflections, a template.
pub const QR_WGSL: &str = include_str!("../wgsl/qr.wgsl");

/// Eigenvalues of symmetric matrices, a template.
pub const EIGH_WGSL: &str = include_str!("../wgsl/eigh.wgsl");

/// Singular values, a template.
pub const SVD_WGSL: &str = include_str!("../wgsl/svd.wgsl");

/// One function of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WgslFn {
    /// Its name, with the `pp_` prefix.
    pub name: &'static str,
    /// Its text, with the comment above it.
    pub source: &'static str,
    /// The names of the functions that it calls itself.
    pub deps: Vec<&'static str>,
}

/// The functions of a text, in its order. They are separated by blank lines and contain none.
#[must_use]
pub fn wgsl_functions(text: &'static str) -> Vec<WgslFn> {
    let mut list = Vec::new();
    for source in text.split("\n\n") {
        let Some(start) = source.lines().find_map(|line| line.strip_prefix("fn ")) else {
            continue;
        };
        let name = &start[..start.find('(').unwrap_or(0)];
        let body = source.split_once('{').map_or("", |(_, body)| body);
        // The variable of every shader is no function.
        let deps = wgsl_mentions(body).into_iter().filter(|name| *name != "pp_zero").collect();
        list.push(WgslFn { name, source: source.trim_end(), deps });
    }
    list
}

/// The `pp_`-prefixed names in a text, each once.
#[must_use]
pub fn wgsl_mentions(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("pp_") {
        let end = text[at..].find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let name = &text[at..end.map_or(text.len(), |end| at + end)];
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Functions of which callees come first, and where each is.
type Functions = (Vec<WgslFn>, BTreeMap<&'static str, usize>);

fn listed(texts: impl IntoIterator<Item = &'static str>) -> Functions {
    let list: Vec<WgslFn> = texts.into_iter().flat_map(wgsl_functions).collect();
    let index = list.iter().enumerate().map(|(i, function)| (function.name, i)).collect();
    (list, index)
}

/// The functions of [`MATH_WGSL`], [`LONG_WGSL`] and [`SPECIAL_WGSL`].
fn single_functions() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| listed([MATH_WGSL, LONG_WGSL].into_iter().chain(SPECIAL_WGSL)))
}

/// These and those of double precision, which take milliseconds to record, and so are made where
/// they are asked for.
fn all_functions() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        // Made once and kept for as long as the texts of files are, so that both are one kind.
        let recorded = texts();
        let (formulas, choices) = (recorded.formulas.leak(), recorded.choices.leak());
        let texts = [MATH_WGSL, LONG_WGSL, F64_WGSL, F64_FORMULAS_WGSL, formulas, F64_LIBRARY_WGSL];
        let special = SPECIAL_WGSL.into_iter().chain(F64_SPECIAL_WGSL);
        listed(texts.into_iter().chain([&*choices]).chain(special))
    })
}

/// A name with its prefix.
fn prefixed(name: &str) -> String {
    format!("pp_{}", name.strip_prefix("pp_").unwrap_or(name))
}

/// What has all of the named functions.
fn functions_for(names: &[&str]) -> &'static Functions {
    let single = single_functions();
    let known = names.iter().all(|name| single.1.contains_key(&*prefixed(name)));
    if known { single } else { all_functions() }
}

/// A function by name, with or without the `pp_` prefix.
#[must_use]
pub fn wgsl_function(name: &str) -> Option<WgslFn> {
    let (list, index) = functions_for(&[name]);
    index.get(&*prefixed(name)).map(|&i| list[i].clone())
}

/// The text of the named functions and of all that they call, each once, callees first. A name that
/// does not exist gives `None`.
#[must_use]
pub fn wgsl_module(names: &[&str]) -> Option<String> {
    let (list, index) = functions_for(names);
    let mut needed = vec![false; list.len()];
    for name in names {
        needed[*index.get(&*prefixed(name))?] = true;
    }
    // Callees stand before callers, so one pass from the end finds them all.
    for i in (0..list.len()).rev().filter(|&i| i > 0) {
        if needed[i] {
            for dep in &list[i].deps {
                needed[*index.get(dep)?] = true;
            }
        }
    }
    let sources = list.iter().zip(needed).filter(|(_, needed)| *needed).map(|(f, _)| f.source);
    Some(sources.collect::<Vec<_>>().join("\n\n") + "\n")
}

/// The names of all functions, callees first.
#[must_use]
pub fn wgsl_names() -> Vec<&'static str> {
    all_functions().0.iter().map(|function| function.name).collect()
}
