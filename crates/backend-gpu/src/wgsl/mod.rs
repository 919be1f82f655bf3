//! From programs to WGSL: shaders, the order in which they are dispatched, and which buffers each
//! binds. Text only: nothing here touches a device, so all of it is checked without one.

mod expr;
mod kernel;
mod lanes;
mod library;
mod memory;
mod region;
mod register;

pub use memory::Slot;
pub(crate) use memory::to_words;

use library::unchecked;
use memory::Memory;
use probpipe_lowering::{LoopId, Program, Stmt};
use probpipe_trace::{Error, ErrorKind, Loc, Result};
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Invocations per workgroup of shaders with one invocation per point.
const WORKGROUP: usize = 64;

/// What the emitter must know of a device.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The device is a CPU in disguise: few threads, slow dispatches.
    pub software: bool,
    /// Storage buffers that one shader may bind.
    pub storage_buffers: usize,
    /// Largest storage buffer binding in bytes.
    pub binding_bytes: u64,
    /// Bytes of immediates that a shader may take; they carry loop indices.
    pub immediate_bytes: usize,
    /// Workgroups per dimension of a dispatch.
    pub workgroups: usize,
}

impl Default for Target {
    /// A modest real device.
    fn default() -> Target {
        Target {
            software: false,
            storage_buffers: 8,
            binding_bytes: 128 << 20,
            immediate_bytes: 128,
            workgroups: 65535,
        }
    }
}

/// A program as shaders.
#[derive(Debug)]
pub struct Module {
    /// The shaders.
    pub shaders: Vec<Shader>,
    /// What to dispatch, in order.
    pub steps: Vec<Step>,
    /// The distinct lists of bound buffers, in binding order.
    pub groups: Vec<Vec<Slot>>,
    /// All constants of the program.
    pub consts: Vec<u32>,
    /// Words of scratch memory.
    pub arena_words: usize,
}

/// One compute shader.
#[derive(Debug)]
pub struct Shader {
    /// Its text; the entry point is `main`.
    pub text: String,
    /// What it binds, as an index into [`Module::groups`].
    pub group: usize,
    /// Number of loop indices it takes as immediates.
    pub loops: usize,
    /// The user's line.
    pub location: Loc,
}

/// One step of the dispatch order.
#[derive(Debug)]
pub enum Step {
    /// Dispatches a shader.
    Dispatch {
        /// The shader.
        shader: usize,
        /// Workgroups in x and y.
        grid: [u32; 2],
    },
    /// Repeats steps.
    Loop {
        /// Which immediate holds the loop's index.
        slot: usize,
        /// Number of iterations.
        length: usize,
        /// What each does.
        body: Vec<Step>,
    },
}

/// Lines of WGSL.
#[derive(Debug, Default)]
struct Text {
    out: String,
    depth: usize,
}

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        for _ in 0..self.depth {
            self.out.push_str("    ");
        }
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn open(&mut self, line: std::fmt::Arguments<'_>) {
        self.line(line);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line(format_args!("}}"));
    }
}

/// What collects while a program is emitted.
struct Emitter<'a> {
    program: &'a Program,
    target: &'a Target,
    memory: Memory,
    shaders: Vec<Shader>,
    groups: Vec<Vec<Slot>>,
    /// Loops around the current statement that the host counts: the name of the index.
    loops: Vec<LoopId>,
    known: FxHashMap<String, usize>,
}

/// Emits a program for a device.
pub fn emit(program: &Program, target: &Target) -> Result<Module> {
    let memory = Memory::new(program, target)?;
    let mut emitter = Emitter {
        program,
        target,
        memory,
        shaders: Vec::new(),
        groups: Vec::new(),
        loops: Vec::new(),
        known: FxHashMap::default(),
    };
    let steps = emitter.statements(&program.body)?;
    let arena_words = emitter.memory.arena_words();
    if arena_words as u64 * 4 > target.binding_bytes {
        return Err(too_large("the intermediate arrays", arena_words as u64 * 4, target));
    }
    Ok(Module {
        shaders: emitter.shaders,
        steps,
        groups: emitter.groups,
        consts: emitter.memory.into_consts(),
        arena_words,
    })
}

fn too_large(what: &str, bytes: u64, target: &Target) -> Error {
    Error::new(
        ErrorKind::Backend,
        format!(
            "{what} take {bytes} bytes, more than this device binds at once, {}",
            target.binding_bytes
        ),
    )
    .help("split the arrays, or run the program on the CPU")
}

impl Emitter<'_> {
    fn statements(&mut self, body: &[Stmt]) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        let mut at = 0;
        while at < body.len() {
            if let Some(count) = self.lane_region(&body[at..], &mut steps)? {
                at += count;
                continue;
            }
            match &body[at] {
                Stmt::Kernel(kernel) => self.kernel(kernel, &mut steps)?,
                Stmt::Library(library) => self.library(library, &mut steps)?,
                Stmt::While(probpipe_lowering::While { location, .. })
                | Stmt::Branch(probpipe_lowering::Branch { location, .. }) => {
                    return Err(unchecked(location));
                }
                Stmt::Loop(l) if l.length == 0 => {}
                Stmt::Loop(l) => {
                    let slot = self.loops.len();
                    if (slot + 1) * 4 > self.target.immediate_bytes {
                        return Err(Error::new(
                            ErrorKind::Backend,
                            format!(
                                "loops are nested {} deep, more than this device's immediates hold",
                                slot + 1
                            ),
                        )
                        .at(l.location)
                        .help("run the program on the CPU"));
                    }
                    self.loops.push(l.id);
                    let body = self.statements(&l.body)?;
                    self.loops.pop();
                    steps.push(Step::Loop { slot, length: l.length, body });
                }
            }
            at += 1;
        }
        Ok(steps)
    }

    /// Names of the indices of the loops that the host counts.
    fn loop_names(&self) -> FxHashMap<LoopId, String> {
        self.loops.iter().map(|id| (*id, format!("loops.{id}"))).collect()
    }

    /// Wraps a body into a shader with `invocations` invocations and queues its dispatch. The
    /// body finds its invocation in `point`.
    fn shader(
        &mut self,
        body: Text,
        uses: Uses,
        invocations: usize,
        location: Loc,
        steps: &mut Vec<Step>,
    ) -> Result<()> {
        if invocations > i32::MAX as usize {
            return Err(Error::new(
                ErrorKind::Backend,
                format!("{invocations} points are more than one dispatch can visit"),
            )
            .at(location)
            .help("split the array"));
        }
        let width = if invocations == 1 { 1 } else { WORKGROUP };
        let groups = invocations.div_ceil(width);
        let columns = groups.min(self.target.workgroups);
        let rows = groups.div_ceil(columns);
        if rows > self.target.workgroups {
            return Err(
                too_large("the points of a kernel", invocations as u64, self.target).at(location)
            );
        }
        let group = self.group(&uses, location)?;

        let mut text = Text::default();
        for (i, slot) in self.groups[group].iter().enumerate() {
            let access = if slot.writable() { "read_write" } else { "read" };
            let (name, element) = (slot.name(), self.memory.element(*slot));
            text.line(format_args!(
                "@group(0) @binding({i}) var<storage, {access}> {name}: array<{element}>;"
            ));
        }
        if !self.loops.is_empty() {
            text.open(format_args!("struct Loops {{"));
            for id in &self.loops {
                text.line(format_args!("{id}: i32,"));
            }
            text.close();
            text.line(format_args!("var<immediate> loops: Loops;"));
        }
        let functions: Vec<&str> = uses.functions.iter().map(String::as_str).collect();
        let library = probpipe_kernels::wgsl_module(&functions).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("a function of {functions:?} is missing"))
        })?;
        text.out.push_str(&library);
        text.out.push_str(&uses.code);
        text.line(format_args!("@compute @workgroup_size({width})"));
        text.line(format_args!(
            "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{"
        ));
        text.depth = 1;
        match rows {
            1 => text.line(format_args!("let point = i32(group.x * {width}u + local);")),
            _ => text.line(format_args!(
                "let point = i32((group.y * {columns}u + group.x) * {width}u + local);"
            )),
        }
        if rows > 1 {
            // Whole rows may pass the largest i32, hence the sign test.
            text.line(format_args!("if (point < 0 || point >= {invocations}) {{ return; }}"));
        } else if groups * width != invocations {
            text.line(format_args!("if (point >= {invocations}) {{ return; }}"));
        }
        text.out.push_str(&body.out);
        text.out.push_str("}\n");

        let shader = match self.known.get(&text.out) {
            Some(&known) => known,
            None => {
                let id = self.shaders.len();
                self.known.insert(text.out.clone(), id);
                self.shaders.push(Shader {
                    text: text.out,
                    group,
                    loops: self.loops.len(),
                    location,
                });
                id
            }
        };
        steps.push(Step::Dispatch { shader, grid: [columns as u32, rows as u32] });
        Ok(())
    }

    /// The buffers that a shader binds: all of the program where the device binds that many, so
    /// that one bind group serves every shader; else those it uses.
    fn group(&mut self, uses: &Uses, location: Loc) -> Result<usize> {
        let all = self.memory.all_slots();
        let slots = if all.len() <= self.target.storage_buffers {
            all
        } else {
            let mut used = uses.slots.clone();
            used.sort_unstable();
            used.dedup();
            used
        };
        if slots.len() > self.target.storage_buffers {
            return Err(Error::new(
                ErrorKind::Backend,
                format!(
                    "a fused kernel touches {} arrays, more than the {} that this device binds",
                    slots.len(),
                    self.target.storage_buffers
                ),
            )
            .at(location)
            .help("stack some of the arrays, or run the program on the CPU"));
        }
        if let Some(known) = self.groups.iter().position(|g| *g == slots) {
            return Ok(known);
        }
        self.groups.push(slots);
        Ok(self.groups.len() - 1)
    }
}

/// What a shader body uses.
#[derive(Debug, Default)]
struct Uses {
    slots: Vec<Slot>,
    functions: std::collections::BTreeSet<String>,
    /// Functions of its own.
    code: String,
}
