//! From programs to WGSL: shaders, the order in which they are dispatched, and which buffers each
//! binds. Text only: nothing here touches a device, so all of it is checked without one.

mod apart;
mod budget;
mod dispatches;
mod double;
mod expr;
mod inline;
mod kernel;
mod lanes;
mod library;
mod live;
mod memory;
mod needed;
pub(crate) mod origin;
mod region;
mod register;
mod shader;
mod task;
mod together;
mod turn;
mod wide;
mod written_out;

pub use memory::{Copied, Slot, element_bytes};
pub(crate) use memory::{to_words, words};

use apart::Own;
use memory::Memory;
use probpipe_lowering::{BufferId, LoopId, Program};
use probpipe_trace::{Error, ErrorKind, Loc, Result};
use register::Register;
use rustc_hash::FxHashMap;
use shader::Around;
use std::collections::BTreeSet;
use std::fmt::Write;

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
    /// Rounds that the loops of an invocation may go in all.
    pub rounds: usize,
    /// Whether it computes in double precision.
    pub double: bool,
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
            rounds: 1 << 24,
            double: false,
        }
    }
}

impl Target {
    /// What is added to the bounds of loops. Mesa's software driver computes wrong numbers in some
    /// loops that it unrolls (seen with 22.3.6), and takes a millisecond to compile each access to
    /// memory of each copy: there bounds are numbers that it cannot know.
    fn opaque(&self) -> &'static str {
        if self.software { " + i32(pp_zero)" } else { "" }
    }
}

impl Target {
    /// Places at which one shader should touch memory. To compile one takes Mesa's software driver
    /// a time that grows with the square of them (22.3.6, LLVM 15: a coroutine, whose frame each
    /// of them makes larger).
    fn accesses(&self) -> usize {
        if self.software { 48 } else { usize::MAX }
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
    /// Arguments and results that lie in scratch memory meanwhile, where the device does not bind
    /// so many.
    pub copies: Vec<Copied>,
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
    /// Sets a word of the arena to 0.
    Clear {
        /// Where it is.
        word: usize,
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
    /// Does `cond`, and then `body` and `cond` as long as a word of the arena is 1 after it. What
    /// is in `body` does nothing where it is not.
    While {
        /// Writes the word.
        cond: Vec<Step>,
        /// Where it is.
        word: usize,
        /// What each iteration does.
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
    /// Loops and branches around the current statement.
    inside: usize,
    /// Loops that the program does not have.
    added: usize,
    /// Invocations of the workgroup that does the current statement, if one does.
    together: Option<usize>,
    /// The loop of which an invocation does an iteration, if one does the current statement.
    own: Option<Own>,
    /// Buffers that live in variables of such an invocation.
    registers: FxHashMap<BufferId, Register>,
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
        inside: 0,
        added: 0,
        together: None,
        own: None,
        registers: FxHashMap::default(),
        known: FxHashMap::default(),
    };
    let tasks = emitter.statements(&program.body)?;
    let steps = emitter.place(tasks, &mut Around::default())?;
    let arena_words = emitter.memory.arena_words();
    if arena_words as u64 * 4 > target.binding_bytes {
        let error = too_large("the intermediate arrays", arena_words as u64 * 4, target);
        return Err(match origin::largest_intermediate(program) {
            Some((what, location)) => error.note(what, location),
            None => error,
        });
    }
    let Emitter { shaders, groups, memory, .. } = emitter;
    let (consts, copies) = memory.into_parts();
    Ok(Module { shaders, steps, groups, consts, copies, arena_words })
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

/// What a shader body uses.
#[derive(Debug, Default)]
struct Uses {
    slots: Vec<Slot>,
    functions: BTreeSet<String>,
    /// Calls of special functions.
    special: usize,
    /// Functions of its own.
    code: String,
    /// Indices of loops that it counts itself.
    private: BTreeSet<LoopId>,
}

impl Uses {
    /// A call of a function of `kernels/wgsl`.
    fn call(&mut self, function: &str, arguments: &[&str]) -> String {
        self.functions.insert(function.into());
        format!("{function}({})", arguments.join(", "))
    }
}
