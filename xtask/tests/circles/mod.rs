//! Which file of a crate takes names from which, and the circles among them: the modules are read
//! as the compiler reads them, and every path is followed, through re-exports, to the file that
//! defines what it names. Names that no path leads to (methods, fields) make no arrow, nor do
//! `mod x;` and what passes between a file and the files below its own folder.

mod made_up;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use tokens::{Use, leaves, paths};

/// The arrows between files, with the names that the first takes from the second.
pub type Arrows = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

/// What a name of a module may stand for: several things, as types and functions may share one.
enum Meaning {
    /// Something that the module itself defines.
    Item,
    Module(usize),
    /// What a path names that a `use` brings in.
    Import(Vec<String>),
}

/// A module: a file, or a part of one in braces.
struct Module {
    parent: usize,
    file: usize,
    names: HashMap<String, Vec<Meaning>>,
    uses: Vec<Use>,
    paths: Vec<Vec<String>>,
}

/// What a path leads to.
#[derive(Clone, PartialEq)]
enum Target {
    Module(usize),
    /// A name, and the file that defines it.
    Item(usize, String),
}

/// The modules below one root file.
struct Modules<'a> {
    read: &'a dyn Fn(&Path) -> Option<String>,
    /// Every file, and the folder of the modules that it declares.
    files: Vec<(PathBuf, PathBuf)>,
    modules: Vec<Module>,
}

/// The arrows of the crate whose root file this is.
pub fn arrows(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Arrows {
    let mut modules = Modules { read, files: Vec::new(), modules: Vec::new() };
    let folder = root.parent().expect("a file lies in a folder");
    modules.file(root, folder, 0);
    modules.arrows()
}

impl Modules<'_> {
    /// Reads a file and all below it; the number of its module.
    fn file(&mut self, path: &Path, folder: &Path, parent: usize) -> usize {
        let source = (self.read)(path).unwrap_or_else(|| panic!("no file {}", path.display()));
        let parsed = syn::parse_file(&source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.files.push((path.to_path_buf(), folder.to_path_buf()));
        self.module(parsed.items, self.files.len() - 1, folder, parent)
    }

    fn module(
        &mut self,
        items: Vec<syn::Item>,
        file: usize,
        folder: &Path,
        parent: usize,
    ) -> usize {
        let this = self.modules.len();
        let (names, uses, found) = Default::default();
        self.modules.push(Module { parent, file, names, uses, paths: found });
        for item in items {
            let defined = match &item {
                syn::Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let child = self.child(module, file, folder, this);
                    self.name(this, name, Meaning::Module(child));
                    continue;
                }
                syn::Item::Const(i) => Some(&i.ident),
                syn::Item::Enum(i) => Some(&i.ident),
                syn::Item::Fn(i) => Some(&i.sig.ident),
                syn::Item::Macro(i) => i.ident.as_ref(),
                syn::Item::Static(i) => Some(&i.ident),
                syn::Item::Struct(i) => Some(&i.ident),
                syn::Item::Trait(i) => Some(&i.ident),
                syn::Item::Type(i) => Some(&i.ident),
                syn::Item::Union(i) => Some(&i.ident),
                _ => None,
            };
            if let Some(name) = defined {
                self.name(this, name.to_string(), Meaning::Item);
            }
            let (uses, found) = paths(quote::ToTokens::to_token_stream(&item));
            self.modules[this].paths.extend(found);
            for leaf in uses.iter().flat_map(leaves) {
                if let Use::Name(path, name) = &leaf {
                    self.name(this, name.clone(), Meaning::Import(path.clone()));
                }
                self.modules[this].uses.push(leaf);
            }
        }
        this
    }

    /// The module that a `mod` declares, in braces or in a file of its own.
    fn child(&mut self, module: &syn::ItemMod, file: usize, folder: &Path, parent: usize) -> usize {
        let below = folder.join(module.ident.to_string());
        if let Some((_, items)) = &module.content {
            return self.module(items.clone(), file, &below, parent);
        }
        if let Some(path) = module.attrs.iter().find_map(path_attribute) {
            let here = self.files[file].0.parent().expect("a file lies in a folder");
            let path = here.join(path);
            let folder = path.parent().expect("a file lies in a folder").to_path_buf();
            return self.file(&path, &folder, parent);
        }
        let (flat, own) = (below.with_extension("rs"), below.join("mod.rs"));
        let path = if (self.read)(&flat).is_some() { flat } else { own };
        self.file(&path, &below, parent)
    }

    fn name(&mut self, module: usize, name: String, meaning: Meaning) {
        self.modules[module].names.entry(name).or_default().push(meaning);
    }

    /// What a path leads to that is written in a module; nothing where it leaves the crate.
    /// `open` holds the questions on the way, so that imports of each other come to an end.
    fn resolve(&self, module: usize, path: &[String], open: &mut Vec<Question>) -> Vec<Target> {
        let last = path.len() - 1;
        let mut targets = match path[0].as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(module)],
            "super" => vec![Target::Module(self.modules[module].parent)],
            first => self.lookup(module, first, last > 0, open),
        };
        for (i, segment) in path.iter().enumerate().skip(1) {
            let within: Vec<usize> = targets.iter().filter_map(Target::module).collect();
            if within.is_empty() {
                break;
            }
            if segment == "super" {
                targets = vec![Target::Module(self.modules[within[0]].parent)];
                continue;
            }
            targets = Vec::new();
            for &from in &within {
                targets.extend(self.lookup(from, segment, i < last, open));
            }
            if targets.is_empty() {
                // Nobody declares it: a macro writes it there, or it is the name of another crate.
                targets.push(Target::Item(self.modules[within[0]].file, segment.clone()));
            }
        }
        targets
    }

    /// What a name stands for in a module; `inner` where more of the path follows.
    fn lookup(
        &self,
        module: usize,
        name: &str,
        inner: bool,
        open: &mut Vec<Question>,
    ) -> Vec<Target> {
        let question = (module, name.to_string(), inner);
        if open.contains(&question) {
            return Vec::new();
        }
        let this = &self.modules[module];
        let meanings = this.names.get(name).map_or(&[][..], Vec::as_slice);
        let declared = meanings.iter().find_map(|meaning| match meaning {
            Meaning::Module(child) if inner => Some(Target::Module(*child)),
            _ => None,
        });
        if let Some(child) = declared {
            return vec![child];
        }
        open.push(question);
        let mut targets = Vec::new();
        for meaning in meanings {
            match meaning {
                Meaning::Item => targets.push(Target::Item(this.file, name.to_string())),
                Meaning::Module(child) => targets.push(Target::Module(*child)),
                Meaning::Import(path) => {
                    let found = self.resolve(module, path, open);
                    let renamed = path.last().is_none_or(|last| last != name);
                    targets.extend(found.into_iter().map(|target| match target {
                        // A name of its own is defined where it is given.
                        Target::Item(..) if renamed => Target::Item(this.file, name.to_string()),
                        target => target,
                    }));
                }
            }
        }
        if meanings.is_empty() {
            for glob in this.uses.iter().filter_map(Use::glob) {
                for from in self.resolve(module, glob, open).iter().filter_map(Target::module) {
                    targets.extend(self.lookup(from, name, inner, open));
                }
            }
        }
        open.pop();
        targets
    }

    fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        let mut take = |by: usize, targets: Vec<Target>| {
            for target in targets {
                let Target::Item(from, name) = target else { continue };
                let ((taker, below), (giver, folder)) = (&self.files[by], &self.files[from]);
                let kin = taker.starts_with(folder) || giver.starts_with(below);
                if by != from && !kin {
                    let arrow = (taker.clone(), giver.clone());
                    arrows.entry(arrow).or_default().insert(name);
                }
            }
        };
        for (i, module) in self.modules.iter().enumerate() {
            for entry in &module.uses {
                let (Use::Name(path, _) | Use::Glob(path)) = entry;
                take(module.file, self.resolve(i, path, &mut Vec::new()));
            }
            for path in &module.paths {
                take(module.file, self.resolve(i, path, &mut Vec::new()));
            }
        }
        arrows
    }
}

/// A name that is being looked up in a module.
type Question = (usize, String, bool);

impl Target {
    fn module(&self) -> Option<usize> {
        match self {
            Target::Module(module) => Some(*module),
            Target::Item(..) => None,
        }
    }
}

/// The file that `#[path = ".."]` names.
fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })
            if pair.path.is_ident("path") =>
        {
            Some(text.value())
        }
        _ => None,
    }
}

/// Files that all take names from each other, by however many steps.
pub struct Circle {
    pub files: BTreeSet<PathBuf>,
    pub arrows: Arrows,
}

/// The circles among files that these arrows join.
pub fn circles(arrows: &Arrows) -> Vec<Circle> {
    let reached = |start: &PathBuf| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(from) = next.pop() {
            for (_, to) in arrows.keys().filter(|(taker, _)| taker == from) {
                if reached.insert(to) {
                    next.push(to);
                }
            }
        }
        reached
    };
    let all: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        arrows.keys().map(|(taker, _)| (taker, reached(taker))).collect();
    let mut circles: Vec<Circle> = Vec::new();
    for (&file, reached) in &all {
        if !reached.contains(file) || circles.iter().any(|c| c.files.contains(file)) {
            continue;
        }
        let back = |other: &&PathBuf| all.get(other).is_some_and(|r| r.contains(file));
        let files: BTreeSet<PathBuf> = reached.iter().copied().filter(back).cloned().collect();
        let within =
            |(taker, giver): &(PathBuf, PathBuf)| files.contains(taker) && files.contains(giver);
        let arrows = arrows.iter().filter(|(arrow, _)| within(arrow));
        let arrows = arrows.map(|(arrow, names)| (arrow.clone(), names.clone())).collect();
        circles.push(Circle { files, arrows });
    }
    circles
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a circle of {} files:", self.files.len())?;
        for ((taker, giver), names) in &self.arrows {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            write!(f, "\n    {} takes {names} from {}", taker.display(), giver.display())?;
        }
        Ok(())
    }
}
