//! Rules of this repository that neither the compiler nor clippy knows: who may depend on whom,
//! that the files of a crate lie in layers too, what every file begins with and how long it may
//! be, and that the README tells the truth.

mod circles;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What tests share. Every crate may use it in its tests, those that it is made of too; in nothing
/// else, but for the two crates that are tests themselves.
const TESTING: &str = "probpipe-testing";

/// The crates from the lowest to the highest, and what each may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("probpipe-trace-derive", &[]),
    ("probpipe-special", &[]),
    ("probpipe-trace", &["probpipe-trace-derive", "probpipe-special"]),
    (TESTING, &["probpipe-trace", "probpipe-special"]),
    ("probpipe-kernels", &["probpipe-special"]),
    ("probpipe-lowering", &["probpipe-trace"]),
    ("probpipe-transforms", &["probpipe-trace"]),
    ("probpipe-backend-cpu", &["probpipe-trace", "probpipe-lowering", "probpipe-kernels"]),
    ("probpipe-backend-gpu", &["probpipe-trace", "probpipe-lowering", "probpipe-kernels"]),
    ("probpipe-plot", &["probpipe-trace"]),
    (
        "probpipe",
        &[
            "probpipe-trace",
            "probpipe-transforms",
            "probpipe-backend-cpu",
            "probpipe-backend-gpu",
            "probpipe-plot",
        ],
    ),
    ("probpipe-examples", &["probpipe"]),
    ("probpipe-posteriors", &["probpipe"]),
    ("probpipe-conformance", &["probpipe", TESTING]),
    ("probpipe-fuzz", &["probpipe", TESTING]),
    ("probpipe-benches", &["probpipe"]),
    ("xtask", &["probpipe", "probpipe-benches", "probpipe-posteriors"]),
];

/// The floors of the crate `probpipe` from the ground up, and what each may use. A floor is a
/// folder or a file of its `src`; `mod.rs` of a folder gathers what lies in it, and `lib.rs` all.
const FLOORS: &[(&str, &[&str])] = &[
    ("device", &[]),
    ("record", &[]),
    ("random", &[]),
    ("constraints", &[]),
    ("bijectors", &["constraints"]),
    ("distributions", &["record", "random", "constraints", "bijectors"]),
    ("distributions/continuous", &["random", "constraints", "distributions"]),
    ("distributions/discrete", &["random", "constraints", "distributions"]),
    ("distributions/multivariate", &["random", "constraints", "distributions"]),
    (
        "distributions/directional",
        &["random", "constraints", "distributions", "distributions/multivariate"],
    ),
    (
        "distributions/combine",
        &[
            "record",
            "random",
            "constraints",
            "bijectors",
            "distributions",
            "distributions/continuous",
        ],
    ),
    (
        "distributions/empirical",
        &["record", "random", "constraints", "distributions", "distributions/multivariate"],
    ),
    (
        "distributions/processes",
        &["random", "constraints", "distributions", "distributions/multivariate"],
    ),
    ("distributions/operations", &["record", "constraints", "distributions"]),
    (
        "distributions/divergence",
        &["random", "bijectors", "distributions", "distributions/directional"],
    ),
    ("generative", &["record", "random", "constraints", "bijectors", "distributions"]),
    ("odes", &["record"]),
    ("optimize", &["record"]),
    (
        "inference",
        &[
            "record",
            "random",
            "constraints",
            "bijectors",
            "distributions",
            "generative",
            "optimize",
        ],
    ),
    ("inference/mcmc", &["record", "random", "distributions", "generative", "inference"]),
    ("inference/adapt", &["inference", "inference/mcmc"]),
    (
        "inference/smc",
        &["record", "random", "distributions", "generative", "inference", "inference/mcmc"],
    ),
    (
        "inference/vi",
        &["record", "random", "bijectors", "distributions", "generative", "optimize", "inference"],
    ),
    ("diagnostics", &["record"]),
    (
        "pipeline",
        &[
            "device",
            "record",
            "random",
            "distributions",
            "generative",
            "inference",
            "inference/mcmc",
            "inference/adapt",
            "diagnostics",
        ],
    ),
];

/// Crates that call compiled code or SIMD instructions, and one that hands a driver its own bytes.
const UNSAFE: [&str; 4] =
    ["probpipe-kernels", "probpipe-backend-cpu", "probpipe-backend-gpu", "probpipe-benches"];

/// What the README tells a newcomer to run, in this order.
const COMMANDS: [&str; 2] =
    ["cargo run --release --example jax_interop", "cargo test --workspace --all-features"];

/// Longest line, and longest file: one to think about, and one to split.
const COLUMNS: usize = 100;
const LONG: usize = 600;
const TOO_LONG: usize = 1000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Fails with all faults at once.
#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn crates_depend_downwards() {
    let rank = |name: &str| ARROWS.iter().position(|(krate, _)| *krate == name);
    let mut faults = Vec::new();
    for package in packages() {
        let name = text(&package["name"]);
        let Some(from) = rank(name) else {
            faults.push(format!("`{name}` is not in the list of crates: say what it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = text(&dependency["name"]);
            let Some(to) = rank(on) else { continue };
            // Tests may reach for any crate below, to have something to test with.
            let fits = match dependency["kind"].as_str() {
                Some("dev") => to < from || on == TESTING,
                _ => ARROWS[from].1.contains(&on),
            };
            if !fits {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                faults.push(format!("`{name}` must not depend on `{on}` ({kind})"));
            }
        }
    }
    none(&faults);
}

#[test]
fn no_circle_of_files() {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let mut faults = Vec::new();
    let mut files = 0;
    for package in packages() {
        for target in package["targets"].as_array().expect("targets") {
            let arrows = circles::arrows(Path::new(text(&target["src_path"])), &read);
            files += arrows.keys().map(|(taker, _)| taker).collect::<BTreeSet<_>>().len();
            for circle in circles::circles(&arrows) {
                let shown = circle.to_string().replace(&format!("{}/", root().display()), "");
                faults.push(format!("{}: {shown}", text(&package["name"])));
            }
        }
    }
    assert!(files > 100, "only {files} files take names from another");
    none(&faults);
}

#[test]
fn unsafe_code_is_forbidden_elsewhere() {
    let mut faults = Vec::new();
    for package in packages() {
        if UNSAFE.contains(&text(&package["name"])) {
            continue;
        }
        for target in package["targets"].as_array().expect("targets") {
            let kinds = target["kind"].as_array().expect("kinds");
            let product = kinds.iter().any(|k| ["lib", "bin", "proc-macro"].contains(&text(k)));
            let path = text(&target["src_path"]);
            if product && !read(Path::new(path)).contains("\n#![forbid(unsafe_code)]\n") {
                faults.push(format!("{path}: needs `#![forbid(unsafe_code)]`"));
            }
        }
    }
    none(&faults);
}

/// Every Rust file of the repository.
fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() && !path.ends_with("target") {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push(path);
            }
        }
    }
    let mut files = Vec::new();
    for folder in ["crates", "kernels", "benches", "xtask"] {
        walk(&root().join(folder), &mut files);
    }
    files.sort();
    assert!(files.len() > 100, "only {} files found", files.len());
    files
}

/// A line of source: its code with the text of literals taken out, and its comments.
#[derive(Default)]
struct Line {
    code: String,
    comment: String,
}

impl Line {
    /// Columns that are not the text of a literal.
    fn columns(&self) -> usize {
        self.code.chars().count() + self.comment.chars().count()
    }
}

/// Splits source into code and comments, as far as comments, strings and characters go.
fn lines(source: &str) -> Vec<Line> {
    enum State {
        Code,
        LineComment,
        BlockComment(usize),
        /// A string: whether backslashes escape, and how many `#` close it.
        Text(bool, usize),
    }
    let chars: Vec<char> = source.chars().collect();
    let starts = |at: usize, text: &str| {
        text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut i = 0;
    while i < chars.len() {
        let (c, mut used) = (chars[i], 1);
        if c == '\n' {
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            lines.push(Line::default());
            i += 1;
            continue;
        }
        let line = lines.last_mut().expect("there is always a line");
        match &mut state {
            State::Code if starts(i, "//") => {
                state = State::LineComment;
                line.comment.push(c);
            }
            State::Code if starts(i, "/*") => {
                state = State::BlockComment(1);
                (used, line.comment) = (2, format!("{}/*", line.comment));
            }
            State::Code if c == '"' => {
                let prefix: String = line.code.chars().rev().take_while(|c| *c == '#').collect();
                let before = line.code.trim_end_matches('#');
                let raw = ["r", "br", "cr"].iter().any(|p| {
                    before
                        .strip_suffix(p)
                        .is_some_and(|b| !b.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
                });
                state = State::Text(!raw, if raw { prefix.len() } else { 0 });
                line.code.push(c);
            }
            // A character, unlike a lifetime, has a quote behind it.
            State::Code if c == '\'' && starts(i + 1, "\\") => {
                let end = (i + 3..chars.len()).find(|&j| chars[j] == '\'').unwrap_or(i + 2);
                (used, line.code) = (end - i + 1, format!("{}''", line.code));
            }
            State::Code if c == '\'' && chars.get(i + 2) == Some(&'\'') => {
                (used, line.code) = (3, format!("{}''", line.code));
            }
            State::Code => line.code.push(c),
            State::LineComment => line.comment.push(c),
            State::BlockComment(depth) => {
                line.comment.push(c);
                let (open, close) = (starts(i, "/*"), starts(i, "*/"));
                if open || close {
                    used = 2;
                    *depth = if open { *depth + 1 } else { *depth - 1 };
                    if *depth == 0 {
                        state = State::Code;
                    }
                }
            }
            State::Text(true, _) if c == '\\' && chars.get(i + 1) != Some(&'\n') => used = 2,
            State::Text(_, hashes) => {
                if c == '"' && starts(i + 1, &"#".repeat(*hashes)) {
                    used = 1 + *hashes;
                    line.code.push('"');
                    state = State::Code;
                }
            }
        }
        i += used;
    }
    lines
}

#[test]
fn files_are_in_order() {
    let mut faults = Vec::new();
    for path in sources() {
        let source = read(&path);
        let shown = path.strip_prefix(root()).expect("below the root").display().to_string();
        let mut fault = |line: usize, what: &str| faults.push(format!("{shown}:{line}: {what}"));
        let head = source.lines().find(|l| !l.starts_with("#!") && !l.trim().is_empty());
        if !head.is_some_and(|l| l.starts_with("//! ")) {
            fault(1, "the file must begin with `//!`: what it is and what it is not");
        }
        let count = source.lines().count();
        if count > TOO_LONG {
            fault(count, &format!("more than {TOO_LONG} lines; split the file"));
        } else if count > LONG {
            println!("note: {shown} has {count} lines");
        }
        for (i, line) in lines(&source).iter().enumerate() {
            if line.columns() > COLUMNS {
                fault(i + 1, &format!("wider than {COLUMNS} columns"));
            }
            for unfinished in ["todo!", "unimplemented!", "#[ignore"] {
                if line.code.contains(unfinished) {
                    fault(i + 1, &format!("`{unfinished}`: finish it, or take it out"));
                }
            }
            for (at, _) in line.comment.match_indices("TODO") {
                let number = line.comment[at..].strip_prefix("TODO(#");
                if !number.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit())) {
                    fault(i + 1, "a TODO names its issue: `TODO(#12)`");
                }
            }
        }
    }
    none(&faults);
}

/// The paths that code names from `root` (`crate`, or `super` once or more), each with the number
/// of times that the root is named: those of `use` lists one by one.
fn named_paths(code: &str, root: &str) -> Vec<(usize, Vec<String>)> {
    fn word(text: &str) -> &str {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    }
    /// What is left of `text` behind the path, or list of paths, that it begins with.
    fn follow<'a>(mut text: &'a str, path: &[String], into: &mut Vec<Vec<String>>) -> &'a str {
        text = text.trim_start();
        if let Some(mut list) = text.strip_prefix('{') {
            loop {
                list = follow(list, path, into).trim_start();
                match list.strip_prefix(',') {
                    Some(rest) if !rest.trim_start().starts_with('}') => list = rest,
                    Some(rest) => return rest.trim_start().strip_prefix('}').unwrap_or(rest),
                    None => return list.strip_prefix('}').unwrap_or(list),
                }
            }
        }
        let step = word(text);
        let path = [path, &[step.to_string()]].concat();
        match text[step.len()..].trim_start().strip_prefix("::") {
            Some(rest) if !rest.starts_with('<') => follow(rest, &path, into),
            _ => {
                into.push(path);
                // A new name is not a part of the path.
                let rest = &text[step.len()..];
                match rest.trim_start().strip_prefix("as ") {
                    Some(name) => &name.trim_start()[word(name.trim_start()).len()..],
                    None => rest,
                }
            }
        }
    }
    let step = format!("{root}::");
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(&step) {
        let whole = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        rest = &rest[at + step.len()..];
        let mut times = 1;
        while let Some(more) = rest.strip_prefix(&step) {
            (times, rest) = (times + 1, more);
        }
        if whole {
            let mut paths = Vec::new();
            follow(rest, &[], &mut paths);
            found.extend(paths.into_iter().map(|path| (times, path)));
        }
    }
    found
}

/// The floor on which a path of the crate `probpipe` lies.
fn floor_of(path: &[String]) -> Option<usize> {
    let on = |floor: &str| floor.split('/').zip(path).filter(|(a, b)| a == b).count();
    let fits = |floor: &&str| on(floor) == floor.split('/').count();
    let names = FLOORS.iter().map(|(name, _)| *name);
    let floor = names.filter(fits).max_by_key(|name| name.len())?;
    FLOORS.iter().position(|(name, _)| *name == floor)
}

#[test]
fn floors_use_floors_below() {
    let mut faults = Vec::new();
    for (i, (floor, uses)) in FLOORS.iter().enumerate() {
        for on in *uses {
            if !FLOORS[..i].iter().any(|(below, _)| below == on) {
                faults.push(format!("`{on}` is no floor below `{floor}`"));
            }
        }
    }
    let source = root().join("crates/probpipe/src");
    for file in sources() {
        let Ok(inside) = file.strip_prefix(&source) else { continue };
        let shown = inside.with_extension("").display().to_string();
        let module: Vec<String> =
            shown.split('/').filter(|step| *step != "mod").map(String::from).collect();
        if module == ["lib"] {
            continue;
        }
        let Some(floor) = floor_of(&module) else {
            faults.push(format!("{shown} lies on no floor: say in the list what it may use"));
            continue;
        };
        let code: String = lines(&read(&file)).into_iter().map(|l| l.code + "\n").collect();
        let upwards = named_paths(&code, "super")
            .into_iter()
            .map(|(times, path)| [&module[..module.len().saturating_sub(times)], &path].concat());
        let across = named_paths(&code, "crate").into_iter().map(|(_, path)| path);
        for path in across.chain(upwards) {
            let name = path.join("::");
            match floor_of(&path) {
                None => faults.push(format!("{shown}: `{name}` names no floor")),
                Some(on) if on == floor || FLOORS[floor].1.contains(&FLOORS[on].0) => {}
                Some(_) => faults.push(format!("{shown} must not use `{name}`")),
            }
        }
    }
    none(&faults);
}

#[test]
fn paths_are_found_in_code() {
    let code = "use crate::{a::{B, c as d}, e};\n$crate::f::<T>(1); other_crate::g; \
                pub(crate) use crate::h::I;";
    let found: Vec<String> =
        named_paths(code, "crate").into_iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(found, ["a::B", "a::c", "e", "f", "h::I"]);
    let supers = named_paths("super::x(super::super::{y::z})", "super");
    let path = |steps: &[&str]| steps.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    assert_eq!(supers, [(1, path(&["x"])), (2, path(&["y", "z"]))]);
    assert_eq!(floor_of(&path(&["distributions", "discrete", "x"])), Some(7));
    assert_eq!(floor_of(&path(&["distributions", "named"])), Some(5));
    assert_eq!(floor_of(&path(&["Record"])), None);
}

#[test]
fn lines_tell_code_from_text() {
    let source =
        "let a = \"todo! // \\\" x\"; // TODO\nlet b = r#\"\"//\"#; /* a\nb */ c('\"', '\\'', 'x);";
    let split: Vec<(String, String)> =
        lines(source).into_iter().map(|l| (l.code, l.comment)).collect();
    let want =
        [("let a = \"\"; ", "// TODO"), ("let b = r#\"\"; ", "/* a"), (" c('', '', 'x);", "b *")];
    assert_eq!(split, want.map(|(a, b)| (a.to_string(), b.to_string())));
}

#[test]
fn the_readme_tells_what_to_run() {
    let readme = read(&root().join("README.md"));
    let mut commands = Vec::new();
    let mut shell = false;
    for line in readme.lines() {
        match line {
            "```sh" => shell = true,
            "```" => shell = false,
            _ if shell => commands.push(line),
            _ => {}
        }
    }
    assert!(commands.starts_with(&COMMANDS), "the README's commands begin with {commands:?}");
    let ci = read(&root().join(".ci/run"));
    assert!(ci.lines().any(|l| l.trim() == COMMANDS[1]), ".ci/run must run `{}`", COMMANDS[1]);
    let named = COMMANDS[0].rsplit(' ').next().expect("a name");
    let example = |p: &Value| {
        let targets = p["targets"].as_array().expect("targets");
        targets.iter().any(|t| text(&t["kind"][0]) == "example" && text(&t["name"]) == named)
    };
    assert!(packages().iter().any(example), "there is no example `{named}`");
}
