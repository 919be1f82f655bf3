//! Public items of a folder of sources with their aliases, line by line. Sources are formatted, so
//! that what stands at the start of a line says what it is; the rows of a table, which a macro
//! makes methods or functions of, count as what that macro's definition says.

use std::collections::BTreeMap;
use std::path::Path;

/// What an item is to its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Method,
    Associated,
    Function,
    Type,
}

/// A public item.
pub struct Item {
    pub name: String,
    /// The type that a method belongs to.
    pub owner: String,
    pub kind: Kind,
    /// Whether it is about random numbers.
    pub random: bool,
    pub aliases: Vec<String>,
}

impl Item {
    /// How it is written.
    pub fn shown(&self) -> String {
        let Item { name, owner, .. } = self;
        match self.kind {
            Kind::Method if owner == "Array" => format!(".{name}()"),
            Kind::Method | Kind::Associated => format!("{owner}::{name}"),
            Kind::Function => format!("{name}()"),
            Kind::Type => name.clone(),
        }
    }
}

/// The items of all sources in a folder, in the order of their paths.
pub fn folder(path: &Path) -> Result<Vec<Item>, String> {
    let mut sources = BTreeMap::new();
    collect(path, &mut sources)?;
    // A macro may be defined in another file than its table.
    let methods: Vec<&str> = sources.values().flat_map(|text| method_macros(text)).collect();
    Ok(sources.iter().flat_map(|(path, text)| items(path, text, &methods)).collect())
}

fn collect(path: &Path, sources: &mut BTreeMap<String, String>) -> Result<(), String> {
    let fault = |e: std::io::Error| format!("{}: {e}", path.display());
    for entry in std::fs::read_dir(path).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_dir() {
            collect(&path, sources)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).map_err(fault)?;
            sources.insert(path.display().to_string(), text);
        }
    }
    Ok(())
}

/// The macros whose tables become methods: those that write an `impl`.
fn method_macros(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("macro_rules! ") {
            open = name.trim_end_matches([' ', '{']);
        } else if line.starts_with('}') {
            open = "";
        } else if !open.is_empty() && line.trim_start().starts_with("impl ") {
            found.push(open);
        }
    }
    found
}

/// The identifier that a text starts with.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn items(path: &str, text: &str, methods: &[&str]) -> Vec<Item> {
    let random = path.ends_with("key.rs") || path.contains("src/random/");
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut aliases: Vec<String> = Vec::new();
    let (mut owner, mut table, mut definition) = ("", "", false);
    for (i, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if line.starts_with('}') {
            (owner, table, definition) = ("", "", false);
            continue;
        }
        if line.starts_with("macro_rules!") {
            definition = true;
        } else if let Some(name) = line.strip_suffix("! {").filter(|n| identifier(n) == *n) {
            table = name;
        } else if let Some(rest) = line.strip_prefix("impl ") {
            owner = if rest.contains(" for ") { "" } else { identifier(rest) };
        }
        if let Some(rest) = code.strip_prefix("#[doc(alias = \"") {
            aliases.extend(rest.split('"').next().map(String::from));
            continue;
        }
        if definition || code.starts_with('#') || code.starts_with("//") {
            continue;
        }
        let declared = code.strip_prefix("pub ").map(|c| c.strip_prefix("const ").unwrap_or(c));
        let word = declared.map_or("", identifier);
        let name = identifier(declared.unwrap_or_default()[word.len()..].trim_start());
        let inside = line.starts_with(' ');
        let (name, kind, owner) = match word {
            "struct" | "enum" | "trait" if !inside => (name, Kind::Type, ""),
            "fn" if inside && owner.is_empty() => ("", Kind::Method, ""),
            "fn" if inside => {
                let head = lines[i..].iter().take(3).any(|l| l.contains("self"));
                (name, if head { Kind::Method } else { Kind::Associated }, owner)
            }
            "fn" => (name, Kind::Function, ""),
            // A row of a table begins with the name, four columns in.
            _ if !table.is_empty() && line.len() - code.len() == 4 => {
                let kind = if methods.contains(&table) { Kind::Method } else { Kind::Function };
                let owner = if kind == Kind::Method { "Array" } else { "" };
                (identifier(code), kind, owner)
            }
            _ => ("", Kind::Type, ""),
        };
        if name.starts_with(|c: char| c.is_alphabetic()) {
            let (name, owner) = (name.to_string(), owner.to_string());
            found.push(Item { name, owner, kind, random, aliases: std::mem::take(&mut aliases) });
        }
        aliases.clear();
    }
    found
}
