//! `docs/names.md`: what a function of JAX or NumPy is called here. Written from the sources, in
//! which `#[doc(alias = "..")]` gives the other names of a function, and from `jax.txt`, the list
//! of names there are. What a function does is no matter of this page.

mod scan;

use scan::{Item, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Where users' functions are written.
const SOURCES: [&str; 3] = ["crates/trace/src", "crates/transforms/src/api", "crates/probpipe/src"];

/// The page, from the root of the repository.
pub const PAGE: &str = "docs/names.md";

const JAX: &str = include_str!("jax.txt");

/// What is written without a function of its own.
const WRITTEN: [(&str, &str); 48] = [
    ("add", "x + y"),
    ("subtract", "x - y"),
    ("multiply", "x * y"),
    ("divide", "x / y"),
    ("true_divide", "x / y"),
    ("negative", "-x"),
    ("positive", "x"),
    ("divmod", "(x.floor_divide(&y), x.modulo(&y))"),
    ("bitwise_and", "x & y"),
    ("bitwise_or", "x \\| y"),
    ("bitwise_xor", "x ^ y"),
    ("bitwise_not", "!x"),
    ("bitwise_invert", "!x"),
    ("invert", "!x"),
    ("bitwise_left_shift", "x << y"),
    ("left_shift", "x << y"),
    ("bitwise_right_shift", "x >> y"),
    ("right_shift", "x >> y"),
    ("logical_and", "x & y, of bool"),
    ("logical_or", "x \\| y, of bool"),
    ("logical_xor", "x ^ y, of bool"),
    ("logical_not", "!x, of bool"),
    ("copy", "x.clone()"),
    ("isneginf", "x.eq(f64::NEG_INFINITY)"),
    ("isposinf", "x.eq(f64::INFINITY)"),
    ("newaxis", "Index::NewAxis"),
    ("pi", "std::f64::consts::PI"),
    ("e", "std::f64::consts::E"),
    ("inf", "f64::INFINITY"),
    ("nan", "f64::NAN"),
    ("bool_", "DType::Bool"),
    ("float32", "DType::F32"),
    ("float64", "DType::F64"),
    ("int32", "DType::I32"),
    ("int64", "DType::I64"),
    ("uint8", "DType::U8"),
    ("uint32", "DType::U32"),
    ("uint64", "DType::U64"),
    ("select", "select(), one in another"),
    ("random.multivariate_normal", "MultivariateNormal"),
    ("lax.add", "x + y"),
    ("lax.sub", "x - y"),
    ("lax.mul", "x * y"),
    ("lax.div", "x / y"),
    ("lax.neg", "-x"),
    ("lax.bitwise_not", "!x"),
    ("lax.shift_left", "x << y"),
    ("lax.shift_right_arithmetic", "x >> y, of signed integers"),
];

/// Arguments of many functions that are written in another way.
const ARGUMENTS: [&str; 2] = ["ddof", "keepdims"];

/// Functions that share a name with another that does something else.
const FALSE_FRIENDS: [(&str, &str); 3] = [("jnp", "select"), ("jnp", "around"), ("lax", "reduce")];

/// How the modules are headed, those whose missing functions are listed first.
const HEADINGS: [(&str, &str, bool); 13] = [
    ("jnp", "`jax.numpy`, NumPy", true),
    ("linalg", "`jax.numpy.linalg`, `numpy.linalg`", true),
    ("nn", "`jax.nn`", true),
    ("scipy.special", "`jax.scipy.special`, `scipy.special`", true),
    ("scipy.linalg", "`jax.scipy.linalg`, `scipy.linalg`", true),
    ("random", "`jax.random`", true),
    ("ops", "`jax.ops`", true),
    ("jax", "`jax`", true),
    ("lax", "`jax.lax`", false),
    ("lax.linalg", "`jax.lax.linalg`", false),
    ("tree", "`jax.tree`", false),
    ("debug", "`jax.debug`", false),
    ("arguments", "Arguments", false),
];

/// The names that `jax.txt` lists, by module.
fn listed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut modules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut module = "";
    for line in JAX.lines().filter(|line| !line.starts_with('#')) {
        let names = match line.split_once(": ") {
            Some((head, names)) => {
                module = head;
                names
            }
            None => line,
        };
        modules.entry(module).or_default().extend(names.split_whitespace());
    }
    modules
}

/// Libraries whose names are aliases too, with the library before them. This page is not of them.
const OTHERS: [&str; 7] =
    ["diffrax", "numpyro", "scipy.optimize", "scipy.stats", "sklearn", "stan", "tfp"];

/// The module of an alias and its name in it: those without a module are NumPy's.
fn placed(alias: &str) -> (&str, &str) {
    match alias.rsplit_once('.') {
        Some(placed) => placed,
        None if ARGUMENTS.contains(&alias) => ("arguments", alias),
        None => ("jnp", alias),
    }
}

/// The page; fails on aliases that name nothing.
pub fn page(root: &Path) -> Result<String, String> {
    let mut items = Vec::new();
    for source in SOURCES {
        items.extend(scan::folder(&root.join(source))?);
    }
    for item in &mut items {
        item.aliases.retain(|alias| !OTHERS.contains(&placed(alias).0));
    }
    let modules = listed();
    let mut other: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    let unknown: Vec<String> = (items.iter())
        .flat_map(|item| item.aliases.iter().map(move |alias| (item, alias)))
        .filter(|(_, alias)| {
            let (module, name) = placed(alias);
            !modules.get(module).is_some_and(|names| names.contains(name))
        })
        .map(|(item, alias)| format!("`{alias}`, an alias of {}, is not in jax.txt", item.shown()))
        .collect();
    if !unknown.is_empty() {
        return Err(unknown.join("\n"));
    }
    for item in &items {
        for alias in &item.aliases {
            other.entry(placed(alias)).or_default().insert(format!("`{}`", item.shown()));
        }
    }
    for (alias, code) in WRITTEN {
        let written = match code.split_once(", ") {
            Some((code, of)) if of.starts_with("of ") => format!("`{code}`, {of}"),
            _ => format!("`{code}`"),
        };
        other.entry(placed(alias)).or_default().insert(written);
    }

    let mut text = String::from(HEAD);
    for (module, heading, complete) in HEADINGS {
        let Some(names) = modules.get(module) else { continue };
        let _ = write!(text, "\n## {heading}\n");
        let (mut rows, mut equal) = (String::new(), Vec::new());
        for name in names {
            let same = same(&items, module, name);
            let here: BTreeSet<String> =
                other.get(&(module, *name)).into_iter().flatten().chain(&same).cloned().collect();
            match same {
                Some(same) if here.len() == 1 => equal.push(same),
                _ if here.is_empty() => {}
                _ => {
                    let here = here.into_iter().collect::<Vec<_>>().join(", ");
                    let _ = writeln!(rows, "| `{name}` | {here} |");
                }
            }
        }
        if !rows.is_empty() {
            let _ = write!(text, "\n| there | here |\n|---|---|\n{rows}");
        }
        list(&mut text, "The same name", &equal);
        let missing: Vec<String> = names
            .iter()
            .filter(|name| !other.contains_key(&(module, **name)))
            .filter(|name| same(&items, module, name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if complete {
            list(&mut text, "No counterpart", &missing);
        }
    }
    Ok(text)
}

/// How the item of the same name is written, if there is one that does the same.
fn same(items: &[Item], module: &str, name: &str) -> Option<String> {
    if matches!(module, "arguments" | "tree") || FALSE_FRIENDS.contains(&(module, name)) {
        return None;
    }
    let random = module == "random";
    let fits = |item: &&Item| {
        item.name == name
            && match item.kind {
                Kind::Method | Kind::Associated => (item.owner == "Key") == random,
                Kind::Function => item.random == random,
                Kind::Type => false,
            }
            && (item.owner.is_empty() || item.owner == "Array" || random)
    };
    // Where a method and a function share a name, `lax` means the function.
    let mut found: Vec<&Item> = items.iter().filter(fits).collect();
    found.sort_by_key(|item| (item.kind == Kind::Function) != (module == "lax"));
    found.first().map(|item| format!("`{}`", item.shown()))
}

/// A paragraph of names, wrapped.
fn list(text: &mut String, label: &str, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let mut line = format!("{label}:");
    text.push('\n');
    for (i, name) in names.iter().enumerate() {
        let end = if i + 1 == names.len() { "." } else { "," };
        if line.len() + name.len() + 2 > 98 {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        } else {
            line.push(' ');
        }
        line.push_str(name);
        line.push_str(end);
    }
    text.push_str(&line);
    text.push('\n');
}

const HEAD: &str = "\
# Names

What a function of JAX or NumPy is called here. Written by `cargo xtask names` from the aliases in
the sources, which the search of the API documentation finds too; `cargo test` fails where this page
is stale.

A name with a dot before it is a method of `Array`: `.sum()` is `x.sum()`. Every reduction
`.name()` has a form `.name_axes(axes)`, where axes are `1`, `[0, -1]` or `..`, and `Keep(axes)`
keeps them; `.name_offset(k)` counts diagonals from the main one; `name_of(dtype, ..)` makes an
array of a named element type; `.name_with(..)` takes what the plain form takes for granted.
";
