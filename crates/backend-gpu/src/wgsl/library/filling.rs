//! A template of `kernels/wgsl` under way: its constants, the functions that reach the operands,
//! and how its phases are queued. A phase is a function of a point and of the step of the loop
//! around it, or 0; its points do not depend on each other. What is computed, the templates say.

use super::super::expr::{At, Scope, value_type};
use super::super::task::{Task, Work};
use super::super::{Emitter, Text, Uses};
use probpipe_kernels::{
    FACTORS_WGSL, STATES_WGSL, WgslFn, wgsl_function, wgsl_functions, wgsl_mentions,
};
use probpipe_lowering::{IndexMap, Kernel, View};
use probpipe_trace::{ArrayType, DType, Loc, Result};
use smallvec::smallvec;
use std::collections::BTreeMap;
use std::fmt::Display;

/// A function that the emitter adds to a template.
struct Accessor {
    name: String,
    code: String,
    uses: Uses,
}

/// A template under way.
pub(super) struct Filling {
    functions: Vec<WgslFn>,
    constants: Vec<(String, String)>,
    accessors: Vec<Accessor>,
    pub location: Loc,
    /// Whether its floats are of double precision.
    double: bool,
}

/// What floats of templates are compared with, in single and in double precision.
const LIMITS: [(&str, &str, &str); 7] = [
    // Beside the diagonal, what needs no rotation, and what is left where rotations have failed.
    ("no_angle", "1e-35", "1e-290"),
    ("unsettled", "1e-4", "1e-12"),
    // Cosines of angles between columns: at right angles, and far from it.
    ("upright", "3e-8", "5e-17"),
    ("askew", "1e-5", "1e-10"),
    // Squares of norms: of columns without a direction, the least, and of those left as they are.
    ("no_direction", "1e-36", "1e-300"),
    ("least_square", "1e-37", "1e-300"),
    ("no_square", "1e-30", "1e-290"),
];

/// The element of a view at the linear index `i` that the template computes.
fn linear(view: &View) -> IndexMap {
    IndexMap { axes: smallvec![1], ..view.index.clone() }
}

impl Filling {
    pub fn new(template: &'static str, location: Loc, constants: &[(&str, usize)]) -> Filling {
        let mut functions = wgsl_functions(template);
        functions.extend([STATES_WGSL, FACTORS_WGSL].into_iter().flat_map(wgsl_functions));
        let (constants_of, accessors) = (Vec::new(), Vec::new());
        let mut filling =
            Filling { functions, constants: constants_of, accessors, location, double: false };
        for (name, value) in constants {
            filling.constant(name, value);
        }
        filling
    }

    /// Of floats of the type of a view.
    pub fn of(mut self, cx: &Emitter<'_>, view: &View) -> Filling {
        self.double = cx.dtype(view) == DType::F64;
        self
    }

    /// Fills in `{{name}}`.
    pub fn constant(&mut self, name: &str, value: impl Display) {
        self.constants.push((format!("{{{{{name}}}}}"), value.to_string()));
    }

    /// Fills in a view's steps as `{name}_batch`, `{name}_row` and `{name}_column`.
    pub fn steps(&mut self, name: &str, view: &View) {
        for (axis, what) in ["batch", "row", "column"].iter().enumerate() {
            let step = view.index.axes.get(axis).copied().unwrap_or(0);
            self.constant(&format!("{name}_{what}"), step);
        }
    }

    /// Adds a function of templates' names only.
    pub fn function(&mut self, name: &str, code: String) {
        self.accessors.push(Accessor { name: name.into(), code, uses: Uses::default() });
    }

    /// Adds `name(i)`, which reads an element of a view.
    pub fn read(&mut self, cx: &Emitter<'_>, name: &str, view: &View) {
        let mut uses = Uses::default();
        let ty = cx.value_type(view);
        let value = cx.with_scope(self.location, |s| s.load(view.buffer, &linear(view), &mut uses));
        let code = format!("fn {name}(i: i32) -> {ty} {{ return {value}; }}\n");
        self.accessors.push(Accessor { name: name.into(), code, uses });
    }

    /// Adds `name(i, v)`, which writes an element of a view.
    pub fn write(&mut self, cx: &Emitter<'_>, name: &str, view: &View) {
        let (mut text, mut uses) = (Text::default(), Uses::default());
        text.open(format_args!("fn {name}(i: i32, v: {}) {{", cx.value_type(view)));
        cx.with_scope(self.location, |s| {
            s.store(view.buffer, &linear(view), "v", &mut text, &mut uses);
        });
        text.close();
        self.accessors.push(Accessor { name: name.into(), code: text.out, uses });
    }

    /// Adds both.
    pub fn both(&mut self, cx: &Emitter<'_>, read: &str, write: &str, view: &View) {
        self.read(cx, read, view);
        self.write(cx, write, view);
    }

    /// What shaders of these functions use: their text, with all that they call.
    fn uses(&self, functions: &[&str]) -> Uses {
        let mut uses = Uses::default();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut wanted: Vec<String> = functions.iter().map(|f| f.to_string()).collect();
        while let Some(name) = wanted.pop() {
            if texts.contains_key(&name) || uses.functions.contains(&name) {
                continue;
            }
            let text = if let Some(own) = self.accessors.iter().find(|a| a.name == name) {
                uses.slots.extend(&own.uses.slots);
                uses.functions.extend(own.uses.functions.iter().cloned());
                own.code.clone()
            } else if let Some(function) = self.functions.iter().find(|f| f.name == name) {
                match self.double {
                    true => self.in_double(function.source) + "\n",
                    false => function.source.to_string() + "\n",
                }
            } else if wgsl_function(&name).is_some() {
                uses.functions.insert(name);
                continue;
            } else {
                // A variable.
                continue;
            };
            wanted.extend(wgsl_mentions(&text).into_iter().map(String::from));
            texts.insert(name, text);
        }
        uses.code = texts.into_values().collect();
        for (name, single, double) in LIMITS {
            let value = if self.double { format!("{double}lf") } else { single.to_string() };
            uses.code = uses.code.replace(&format!("{{{{{name}}}}}"), &value);
        }
        for (name, value) in &self.constants {
            uses.code = uses.code.replace(name, value);
        }
        uses
    }
}

impl Filling {
    /// The text of a function for floats of double precision: their type, literals, and the
    /// functions that have a form for them.
    fn in_double(&self, source: &str) -> String {
        let mut text = source.replace("f32", "f64");
        for name in wgsl_mentions(source) {
            let twin = format!("{name}_f64");
            if self.accessors.iter().all(|a| a.name != name) && wgsl_function(&twin).is_some() {
                text = text.replace(&format!("{name}("), &format!("{twin}("));
            }
        }
        with_double_literals(&text)
    }
}

/// A text in which literals of floats are of double precision. Others have no point.
fn with_double_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    while let Some(start) = rest.find(in_name) {
        let (before, word) = rest.split_at(start);
        out.push_str(before);
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        let mut end = word.find(|c| !in_name(c)).unwrap_or(word.len());
        let point = number && word[end..].starts_with('.');
        if point {
            let after = &word[end + 1..];
            end += 1 + after.find(|c| !in_name(c)).unwrap_or(after.len());
            if word[..end].ends_with('e') {
                let after = &word[end + 1..];
                end += 1 + after.find(|c| !in_name(c)).unwrap_or(after.len());
            }
        }
        out.push_str(&word[..end]);
        if point {
            out.push_str("lf");
        }
        rest = &word[end..];
    }
    out + rest
}

impl Emitter<'_> {
    /// The type of a view's elements.
    pub(super) fn dtype(&self, view: &View) -> DType {
        self.memory.span(view.buffer).dtype
    }

    /// Its name in WGSL.
    pub(super) fn value_type(&self, view: &View) -> &'static str {
        value_type(self.dtype(view))
    }

    /// Reads and writes by an index `i`. The loop indices of a view are variables that any function
    /// may read.
    fn with_scope<T>(&self, location: Loc, f: impl FnOnce(&Scope<'_>) -> T) -> T {
        let kernel = Kernel::empty(location);
        f(&Scope {
            memory: &self.memory,
            kernel: &kernel,
            axes: vec![At::Named("i".into())],
            registers: &self.registers,
            lane: None,
        })
    }

    /// Memory for the time of a call.
    pub(super) fn scratch(&mut self, dtype: DType, size: usize, used: &mut usize) -> View {
        let buffer = self.scratch_buffer(&ArrayType::new(dtype, [size]), used);
        View { buffer, index: IndexMap { axes: smallvec![1], ..IndexMap::default() } }
    }

    /// Queues a phase outside of a loop.
    pub(super) fn phase(
        &mut self,
        filling: &Filling,
        function: &str,
        points: usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        self.phase_at(filling, function, points, "0", tasks)
    }

    /// Queues a phase, given the step of the loop around it.
    pub(super) fn phase_at(
        &mut self,
        filling: &Filling,
        function: &str,
        points: usize,
        index: &str,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let mut body = Text { depth: 1, ..Text::default() };
        body.line(format_args!("{function}(point, {index});"));
        self.queue(filling, &[function], body, points, tasks)
    }

    /// Queues a body that calls functions of a template.
    pub(super) fn queue(
        &mut self,
        filling: &Filling,
        functions: &[&str],
        body: Text,
        points: usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        if points == 0 {
            return Ok(());
        }
        let uses = filling.uses(functions);
        tasks.push(Task::Work(Work::new(body, uses, points, filling.location)));
        Ok(())
    }

    /// Queues phases `length` times over. `queue` gets the step as text: an immediate, or a number
    /// where the device has no room for another.
    pub(super) fn repeat(
        &mut self,
        length: usize,
        location: Loc,
        tasks: &mut Vec<Task>,
        mut queue: impl FnMut(&mut Self, &str, &mut Vec<Task>) -> Result<()>,
    ) -> Result<()> {
        if length < 2 || (self.inside + 1) * 4 > self.target.immediate_bytes {
            return (0..length).try_for_each(|t| queue(self, &t.to_string(), tasks));
        }
        let id = self.added_loop();
        let mut body = Vec::new();
        self.inside += 1;
        let queued = queue(self, &id.to_string(), &mut body);
        self.inside -= 1;
        queued?;
        tasks.push(Task::Loop { id, length, part: None, body, turn: None, location });
        Ok(())
    }
}
