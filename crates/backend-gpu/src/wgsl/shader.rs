//! Shaders around work, and the order of their dispatches: one shader for the points of a task,
//! one for all that a workgroup does together.

use super::inline::Inline;
use super::task::{Task, Work};
use super::{Emitter, Shader, Slot, Step, Target, Text, Uses, too_large};
use probpipe_lowering::{BufferId, LoopId};
use probpipe_trace::{Error, ErrorKind, Loc, Result};

/// Invocations per workgroup of shaders with one invocation per point.
const WORKGROUP: usize = 64;

/// Loops that the host counts and conditions that it does not know, around the tasks at hand.
#[derive(Debug, Default)]
pub(super) struct Around {
    loops: Vec<LoopId>,
    /// Words, and what they must be.
    conditions: Vec<(BufferId, usize)>,
}

/// The body of a shader's entry point, and what belongs to it.
pub(super) struct Entry {
    pub text: Text,
    pub uses: Uses,
    pub width: usize,
    pub grid: [u32; 2],
    pub location: Loc,
    /// All invocations take the same way.
    pub uniform: bool,
    /// Done whatever the conditions around it.
    pub always: bool,
    /// A word that is 0 where they do not hold.
    pub otherwise: Option<BufferId>,
}

impl Emitter<'_> {
    /// What to dispatch for tasks.
    pub(super) fn place(&mut self, tasks: Vec<Task>, around: &mut Around) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for task in tasks {
            match task {
                Task::Work(work) => {
                    let entry = self.entry(work)?;
                    steps.push(self.shader(entry, around)?);
                }
                Task::Clear { word } => {
                    steps.push(Step::Clear { word: self.memory.span(word).start });
                }
                Task::Loop { id, length, body, location, .. } => {
                    let slot = around.loops.len();
                    if (slot + 1) * 4 > self.target.immediate_bytes {
                        return Err(Error::new(
                            ErrorKind::Backend,
                            format!(
                                "loops are nested {} deep, more than this device's immediates hold",
                                slot + 1
                            ),
                        )
                        .at(location)
                        .help("run the program on the CPU"));
                    }
                    around.loops.push(id);
                    let body = self.place(body, around)?;
                    around.loops.pop();
                    steps.push(Step::Loop { slot, length, body });
                }
                Task::While { cond, word, body, location, .. } => {
                    // Where a condition around the loop does not hold, its own is not looked at.
                    let cond = match &cond[..] {
                        [] => cond,
                        [..] if cond.iter().all(Task::is_little) => {
                            vec![Task::Alone { tasks: cond, word, location }]
                        }
                        [..] if around.conditions.is_empty() => cond,
                        [..] => {
                            let never = Work { always: true, ..self.set(word, 0, location) };
                            let entry = self.entry(never)?;
                            steps.push(self.shader(entry, around)?);
                            cond
                        }
                    };
                    let cond = self.place(cond, around)?;
                    around.conditions.push((word, 1));
                    let body = self.place(body, around)?;
                    around.conditions.pop();
                    let word = self.memory.span(word).start;
                    steps.push(Step::While { cond, word, body });
                }
                Task::Branch { word, branches } => {
                    for (k, branch) in branches.into_iter().enumerate() {
                        around.conditions.push((word, k));
                        steps.extend(self.place(branch, around)?);
                        around.conditions.pop();
                    }
                }
                Task::Alone { tasks, word, location } => {
                    let mut inline = Inline::new(self.target, &self.memory, None, &self.registers);
                    inline.tasks(tasks);
                    let Inline { text, uses, .. } = inline;
                    let entry = Entry {
                        text,
                        uses,
                        width: 1,
                        grid: [1, 1],
                        location,
                        uniform: false,
                        always: false,
                        otherwise: Some(word),
                    };
                    steps.push(self.shader(entry, around)?);
                }
                Task::Together { width, tasks, location } => {
                    for tasks in in_parts(tasks, self.target) {
                        let registers = &self.registers;
                        let mut inline =
                            Inline::new(self.target, &self.memory, Some(width), registers);
                        inline.tasks(tasks);
                        let Inline { text, uses, .. } = inline;
                        let entry = Entry {
                            text,
                            uses,
                            width,
                            grid: [1, 1],
                            location,
                            uniform: true,
                            always: false,
                            otherwise: None,
                        };
                        steps.push(self.shader(entry, around)?);
                    }
                }
            }
        }
        Ok(steps)
    }

    /// An entry point with an invocation for each point.
    fn entry(&self, work: Work) -> Result<Entry> {
        let Work { body, uses, points, location, always, .. } = work;
        if points > i32::MAX as usize {
            return Err(Error::new(
                ErrorKind::Backend,
                format!("{points} points are more than one dispatch can visit"),
            )
            .at(location)
            .help("split the array"));
        }
        let width = if points == 1 { 1 } else { WORKGROUP };
        let groups = points.div_ceil(width);
        let columns = groups.min(self.target.workgroups);
        let rows = groups.div_ceil(columns);
        if rows > self.target.workgroups {
            return Err(
                too_large("the points of a kernel", points as u64, self.target).at(location)
            );
        }
        let mut text = Text { depth: 1, ..Text::default() };
        match rows {
            1 => text.line(format_args!("let point = i32(group.x * {width}u + local);")),
            _ => text.line(format_args!(
                "let point = i32((group.y * {columns}u + group.x) * {width}u + local);"
            )),
        }
        if rows > 1 {
            // Whole rows may pass the largest i32, hence the sign test.
            text.line(format_args!("if (point < 0 || point >= {points}) {{ return; }}"));
        } else if groups * width != points {
            text.line(format_args!("if (point >= {points}) {{ return; }}"));
        }
        text.out.push_str(&body.out);
        let grid = [columns as u32, rows as u32];
        let (uniform, otherwise) = (false, None);
        Ok(Entry { text, uses, width, grid, location, uniform, always, otherwise })
    }

    /// The dispatch of a shader, which is written unless there is one like it.
    fn shader(&mut self, entry: Entry, around: &Around) -> Result<Step> {
        let Entry { text: body, mut uses, width, grid, location, uniform, always, otherwise } =
            entry;
        let conditions = if always { &[][..] } else { &around.conditions };
        let mut tests = Vec::new();
        for (word, value) in conditions {
            let word = self.memory.word(*word, &mut uses);
            tests.push(format!("{word} != {value}"));
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
        if !around.loops.is_empty() {
            text.open(format_args!("struct Loops {{"));
            for id in &around.loops {
                text.line(format_args!("{id}: i32,"));
            }
            text.close();
            text.line(format_args!("var<immediate> loops: Loops;"));
        }
        // Any function may read them.
        for id in around.loops.iter().chain(&uses.private) {
            text.line(format_args!("var<private> {id}: i32;"));
        }
        if uniform {
            text.line(format_args!("var<workgroup> pp_word: i32;"));
        }
        let functions: Vec<&str> = uses.functions.iter().map(String::as_str).collect();
        let library = probpipe_kernels::wgsl_module(&functions).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("a function of {functions:?} is missing"))
        })?;
        // A zero that compilers do not see.
        let zero = [&body.out, &uses.code, &library].iter().any(|text| text.contains("pp_zero"));
        if zero {
            text.line(format_args!("var<private> pp_zero: u32;"));
        }
        text.out.push_str(&library);
        text.out.push_str(&uses.code);
        text.line(format_args!("@compute @workgroup_size({width})"));
        text.line(format_args!(
            "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{"
        ));
        text.depth = 1;
        for id in &around.loops {
            text.line(format_args!("{id} = loops.{id};"));
        }
        if zero {
            text.line(format_args!("pp_zero = group.z;"));
        }
        match (tests.is_empty(), uniform) {
            (true, _) => {}
            (false, false) => {
                let start = otherwise.map(|word| self.memory.span(word).start);
                let set = start.map_or_else(String::new, |start| format!("arena[{start}] = 0u; "));
                text.line(format_args!("if ({}) {{ {set}return; }}", tests.join(" || ")));
            }
            (false, true) => {
                let none = tests.join(" || ");
                text.line(format_args!("if (local == 0u) {{ pp_word = select(1, 0, {none}); }}"));
                text.line(format_args!("if (workgroupUniformLoad(&pp_word) == 0) {{ return; }}"));
            }
        }
        text.out.push_str(&body.out);
        text.out.push_str("}\n");

        let shader = match self.known.get(&text.out) {
            Some(&known) => known,
            None => {
                let id = self.shaders.len();
                self.known.insert(text.out.clone(), id);
                let loops = around.loops.len();
                self.shaders.push(Shader { text: text.out, group, loops, location });
                id
            }
        };
        Ok(Step::Dispatch { shader, grid })
    }

    /// The buffers that a shader binds: all of the program where the device binds that many, so
    /// that one bind group serves every shader; else those it uses.
    fn group(&mut self, uses: &Uses, location: Loc) -> Result<usize> {
        let all = self.memory.all_slots();
        let slots =
            if all.len() <= self.target.storage_buffers { all } else { distinct(&uses.slots) };
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

/// Tasks of one workgroup as those of several shaders, each of which does not touch memory in too
/// many places.
fn in_parts(tasks: Vec<Task>, target: &Target) -> Vec<Vec<Task>> {
    let most = target.accesses();
    let mut parts: Vec<Vec<Task>> = Vec::new();
    let mut left = 0;
    for task in tasks {
        let count = task.accesses();
        match parts.last_mut().filter(|_| count <= left) {
            Some(part) => part.push(task),
            None => {
                parts.push(vec![task]);
                left = most;
            }
        }
        left = left.saturating_sub(count);
    }
    parts
}

fn distinct(slots: &[Slot]) -> Vec<Slot> {
    let mut slots = slots.to_vec();
    slots.sort_unstable();
    slots.dedup();
    slots
}
