//! Tasks as the body of one shader: points in loops that go round the invocations, or all by one
//! invocation; loops and conditions around them. Which tasks are done so, others decide.

use super::memory::Memory;
use super::register::Register;
use super::task::{Task, Work};
use super::{Slot, Target, Text, Uses};
use probpipe_lowering::{BufferId, LoopId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Tasks in the body of one shader, in the making.
pub(super) struct Inline<'a> {
    target: &'a Target,
    memory: &'a Memory,
    /// Invocations that share the work, or `None` for one that does all of it by itself.
    width: Option<usize>,
    registers: &'a FxHashMap<BufferId, Register>,
    pub text: Text,
    pub uses: Uses,
    works: usize,
    /// Loops so far at whose heads a lane may stop.
    turns: usize,
}

impl<'a> Inline<'a> {
    /// By so many invocations of a workgroup, or by one that has some buffers to itself.
    pub fn new(
        target: &'a Target,
        memory: &'a Memory,
        width: Option<usize>,
        registers: &'a FxHashMap<BufferId, Register>,
    ) -> Inline<'a> {
        let mut text = Text { depth: 1, ..Text::default() };
        if width.is_some() {
            text.line(format_args!("let first = i32(local);"));
        }
        Inline { target, memory, width, registers, text, uses: Uses::default(), works: 0, turns: 0 }
    }

    pub fn tasks(&mut self, tasks: Vec<Task>) {
        if tasks.iter().any(|task| task.turns() > 0) {
            return self.turning(tasks);
        }
        let mut works: Vec<Work> = Vec::new();
        for task in tasks {
            match task {
                Task::Work(work) => {
                    // What one invocation does it does in order.
                    let in_order = |before: &Work| before.points == 1 && work.points == 1;
                    if !works.iter().all(|b| in_order(b) || b.is_apart(&work, self.memory)) {
                        self.works(std::mem::take(&mut works));
                    }
                    works.push(work);
                }
                task => {
                    self.works(std::mem::take(&mut works));
                    self.task(task);
                }
            }
        }
        self.works(works);
    }

    fn task(&mut self, task: Task) {
        match task {
            Task::Work(work) => self.works(vec![work]),
            Task::Clear { word } => {
                let start = self.memory.span(word).start;
                self.uses.slots.push(Slot::Arena);
                let one = if self.width.is_some() { "if (local == 0u) " } else { "" };
                self.text.line(format_args!("{one}{{ arena[{start}] = 0u; }}"));
                self.wait();
            }
            Task::Together { tasks, .. } | Task::Alone { tasks, .. } => self.tasks(tasks),
            Task::Loop { id, length, body, turn: Some(rounds), .. } => {
                self.turning_loop(id, length, rounds, body);
            }
            Task::While { cond, word, body, turn: Some(rounds), .. } => {
                self.turning_while(cond, word, rounds, body);
            }
            Task::Loop { id, length, part, body, .. } => {
                let opaque = self.target.opaque();
                self.uses.private.insert(id);
                let (start, end) = match part {
                    None => ("0".to_string(), length.to_string()),
                    Some((outer, steps)) => (
                        format!("{outer} * {steps}"),
                        format!("min({length}, ({outer} + 1) * {steps})"),
                    ),
                };
                self.text.open(format_args!(
                    "for ({id} = {start}; {id} < {end}{opaque}; {id} = {id} + 1) {{"
                ));
                self.tasks(body);
                self.text.close();
            }
            Task::While { cond, word, most, body, .. } => {
                let opaque = self.target.opaque();
                match most {
                    None => self.text.open(format_args!("loop {{")),
                    Some(most) => self.text.open(format_args!(
                        "for (var left = {most}{opaque}; left > 0; left = left - 1) {{"
                    )),
                }
                self.tasks(cond);
                let word = self.known_to_all(word);
                self.text.line(format_args!("if ({word} != 1) {{ break; }}"));
                self.tasks(body);
                self.text.close();
            }
            Task::Branch { word, branches } => {
                self.text.open(format_args!("{{"));
                let word = self.known_to_all(word);
                for (k, branch) in branches.into_iter().enumerate() {
                    self.text.open(format_args!("if ({word} == {k}) {{"));
                    self.tasks(branch);
                    self.text.close();
                }
                self.text.close();
            }
        }
    }

    /// Tasks among which are loops that a lane may have to go on with. On its way there it does
    /// nothing else, and nothing more once it has stopped.
    fn turning(&mut self, tasks: Vec<Task>) {
        let mut before = Vec::new();
        for task in tasks {
            let turns = task.turns();
            if turns == 0 {
                before.push(task);
                continue;
            }
            self.unless_turning(std::mem::take(&mut before));
            let (first, last) = (self.turns + 1, self.turns + turns);
            self.text.open(format_args!(
                "if (pp_turn == 0 || (pp_turn >= {first} && pp_turn <= {last})) {{"
            ));
            self.task(task);
            self.text.close();
        }
        self.unless_turning(before);
    }

    fn unless_turning(&mut self, tasks: Vec<Task>) {
        if !tasks.is_empty() {
            self.text.open(format_args!("if (pp_turn == 0) {{"));
            self.tasks(tasks);
            self.text.close();
        }
    }

    /// Takes the rounds of an iteration, and stops if there are not so many left.
    fn turn(&mut self, rounds: usize) -> usize {
        self.turns += 1;
        let turn = self.turns;
        self.text.line(format_args!("pp_left = pp_left - {rounds};"));
        self.text.open(format_args!("if (pp_turn == 0 || pp_turn == {turn}) {{"));
        self.text.line(format_args!("pp_turn = select(0, {turn}, pp_left < 0);"));
        self.text.line(format_args!("if (pp_turn != 0) {{ break; }}"));
        turn
    }

    fn turning_loop(&mut self, id: LoopId, length: usize, rounds: usize, body: Vec<Task>) {
        self.uses.private.insert(id);
        self.text.line(format_args!("if (pp_turn == 0) {{ {id} = 0; }}"));
        self.text.open(format_args!("loop {{"));
        self.text.line(format_args!("if ({id} == {length}) {{ pp_turn = 0; break; }}"));
        self.turn(rounds);
        self.text.close();
        self.tasks(body);
        self.text.line(format_args!("if (pp_turn != 0) {{ break; }}"));
        self.text.line(format_args!("{id} = {id} + 1;"));
        self.text.close();
    }

    fn turning_while(&mut self, cond: Vec<Task>, word: BufferId, rounds: usize, body: Vec<Task>) {
        self.text.open(format_args!("loop {{"));
        self.turn(rounds);
        self.tasks(cond);
        let word = self.known_to_all(word);
        self.text.line(format_args!("if ({word} != 1) {{ break; }}"));
        self.text.close();
        self.tasks(body);
        self.text.line(format_args!("if (pp_turn != 0) {{ break; }}"));
        self.text.close();
    }

    /// A word that all invocations have read, so that they go the same way.
    fn known_to_all(&mut self, word: BufferId) -> String {
        let name = format!("word{}", word.0);
        if self.width.is_none() {
            let value = match self.registers.get(&word) {
                Some(register) => register.name.clone(),
                None => self.memory.word(word, &mut self.uses),
            };
            self.text.line(format_args!("let {name} = {value};"));
            return name;
        }
        let value = self.memory.word(word, &mut self.uses);
        self.text.line(format_args!("if (local == 0u) {{ pp_word = {value}; }}"));
        self.text.line(format_args!("let {name} = workgroupUniformLoad(&pp_word);"));
        name
    }

    /// Works that need not wait for each other: their points go round the invocations, in one loop
    /// where they are equally many.
    fn works(&mut self, mut works: Vec<Work>) {
        if works.is_empty() {
            return;
        }
        works.sort_by_key(|work| work.points);
        let mut works = works.into_iter().peekable();
        while let Some(points) = works.peek().map(|work| work.points) {
            let mut names = Vec::new();
            while let Some(work) = works.next_if(|work| work.points == points) {
                names.push(self.function(work));
            }
            let calls = |at: &str| {
                let calls: Vec<String> =
                    names.iter().map(|name| format!("{name}({at});")).collect();
                calls.join(" ")
            };
            let (first, width) = match self.width {
                None => ("0", 1),
                Some(width) => ("first", width),
            };
            match points {
                1 if width == 1 => self.text.line(format_args!("{}", calls("0"))),
                1 => self.text.line(format_args!("if (local == 0u) {{ {} }}", calls("0"))),
                _ if points <= width => {
                    let calls = calls("first");
                    self.text.line(format_args!("if (first < {points}) {{ {calls} }}"));
                }
                _ => {
                    let (opaque, calls) = (self.target.opaque(), calls("point"));
                    self.text.line(format_args!(
                        "for (var point = {first}; point < {points}{opaque}; point = point + {width}) {{ {calls} }}",
                    ));
                }
            }
        }
        self.wait();
    }

    fn wait(&mut self) {
        if self.width.is_some() {
            self.text.line(format_args!("storageBarrier();"));
        }
    }

    /// Writes the function of a work's points; gives its name.
    fn function(&mut self, work: Work) -> String {
        let Work { body, uses, .. } = work;
        let n = self.works;
        self.works += 1;
        let Uses { slots, functions, code, private, special } = uses;
        self.uses.slots.extend(slots);
        self.uses.special += special;
        self.uses.functions.extend(functions);
        self.uses.private.extend(private);
        let function = format!("fn work(point: i32) {{\n{}}}\n", body.out);
        self.uses.code.push_str(&numbered(&format!("{code}{function}"), n));
        format!("work_w{n}")
    }
}

/// A text with the functions that it defines numbered, so that several can stand in one shader.
fn numbered(text: &str, n: usize) -> String {
    let defined: FxHashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.split_once('(').map(|(name, _)| name))
        .collect();
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    let part_of_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    while let Some(start) = rest.find(part_of_name) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !part_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(name);
        if defined.contains(name) {
            // No name of a template ends like this.
            out.push_str(&format!("_w{n}"));
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
