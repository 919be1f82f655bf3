//! Where the buffers of a program lie in the storage buffers that shaders bind: one binding per
//! input and output, one for all constants, one for the arena. It knows no expressions.

use super::{Target, Uses, origin, too_large, wide};
use probpipe_lowering::{Buffer, BufferId, LoopId, Place, Program};
use probpipe_trace::{ArrayType, DType, Result, Value};

/// A storage buffer that a shader binds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// An argument.
    Input(usize),
    /// All constants of the program.
    Consts,
    /// A result.
    Output(usize),
    /// Scratch memory.
    Arena,
}

impl Slot {
    /// Whether shaders write it.
    pub fn writable(self) -> bool {
        matches!(self, Slot::Output(_) | Slot::Arena)
    }

    /// Whether it holds elements of several types, and so words.
    pub(super) fn untyped(self) -> bool {
        matches!(self, Slot::Consts | Slot::Arena)
    }

    /// Its name in shaders.
    pub fn name(self) -> String {
        match self {
            Slot::Input(i) => format!("in{i}"),
            Slot::Output(i) => format!("out{i}"),
            Slot::Consts => "consts".into(),
            Slot::Arena => "arena".into(),
        }
    }
}

/// One buffer's place.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub slot: Slot,
    /// First word.
    pub start: usize,
    pub dtype: DType,
    /// Number of elements.
    pub size: usize,
    /// Whether it is a result of the program.
    pub result: bool,
    /// Each iteration of this loop has a copy, of so many; an element of all of them lies in a row.
    pub copies: Option<(LoopId, usize)>,
}

impl Span {
    /// Words that it takes, of one copy.
    fn words(&self) -> usize {
        self.size * wide::words(self.dtype)
    }

    /// Whether an element is two words of the binding that it lies in, and not one element of it.
    pub fn is_in_pairs(&self) -> bool {
        self.slot.untyped() && wide::is_wide(self.dtype)
    }

    /// From an element to the next one, in elements of the binding.
    pub fn step(&self) -> usize {
        if self.is_in_pairs() { 2 } else { 1 }
    }
}

/// The places of all buffers, and of scratch that the emitter adds.
#[derive(Debug)]
pub(super) struct Memory {
    spans: Vec<Span>,
    inputs: Vec<DType>,
    outputs: Vec<DType>,
    consts: Vec<u32>,
    program_words: usize,
    arena_words: usize,
    /// Arguments and results that lie in the arena while the program runs, since the device does
    /// not bind that many: where they are copied from and to, and which words they take.
    copies: Vec<Copied>,
}

/// An argument or a result in the arena.
#[derive(Clone, Copy, Debug)]
pub struct Copied {
    /// Where it lies before the program, or after it.
    pub slot: Slot,
    /// Its first word in the arena.
    pub word: usize,
    /// How many it takes.
    pub words: usize,
}

/// Bytes of an element on the device, as the lowering is asked to plan for: `bool` and `u8` widen
/// to a word, numbers of 64 bits take two.
pub fn element_bytes(dtype: DType) -> usize {
    4 * wide::words(dtype)
}

/// Words that an array takes on the device.
pub(crate) fn words(ty: &ArrayType) -> usize {
    ty.size() * wide::words(ty.dtype)
}

/// The words of an array on the device.
pub(crate) fn to_words(value: &Value) -> Result<Vec<u32>> {
    let host = value.to_host()?;
    Ok(match value.ty().dtype {
        DType::Bool => host.bytes().iter().map(|&b| u32::from(b != 0)).collect(),
        DType::U8 => host.bytes().iter().map(|&b| u32::from(b)).collect(),
        _ => host.elements::<u32>().to_vec(),
    })
}

/// The WGSL type that holds an element in memory.
pub(super) fn memory_type(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::I32 => "i32",
        _ if wide::is_wide(dtype) => wide::TYPE,
        _ => "u32",
    }
}

impl Memory {
    pub fn new(program: &Program, target: &Target) -> Result<Memory> {
        let mut memory = Memory {
            spans: Vec::new(),
            inputs: vec![DType::U32; program.inputs],
            outputs: program.outputs.iter().map(|ty| ty.dtype).collect(),
            consts: Vec::new(),
            program_words: program.arena_bytes.div_ceil(4),
            arena_words: program.arena_bytes.div_ceil(4),
            copies: Vec::new(),
        };
        let packed = memory.inputs.len() + memory.outputs.len() + 2 > target.storage_buffers;
        for (at, Buffer { ty, place }) in program.buffers.iter().enumerate() {
            let bytes = words(ty) as u64 * 4;
            if bytes > target.binding_bytes {
                let error = too_large(&format!("the elements of {ty}"), bytes, target);
                return Err(match origin::of_buffer(program, BufferId(at as u32)) {
                    Some(location) => error.at(location),
                    None => error,
                });
            }
            let (slot, start) = match place {
                Place::Input(i) => {
                    if let Some(dtype) = memory.inputs.get_mut(*i) {
                        *dtype = ty.dtype;
                    }
                    (Slot::Input(*i), 0)
                }
                Place::Output(i) => (Slot::Output(*i), 0),
                Place::Arena(bytes) => (Slot::Arena, bytes / 4),
                Place::Const(value) => {
                    let start = memory.consts.len();
                    memory.consts.extend(to_words(value)?);
                    (Slot::Consts, start)
                }
            };
            let (dtype, size) = (ty.dtype, ty.size());
            let (slot, start) = match slot {
                Slot::Input(_) | Slot::Output(_) if packed => {
                    let word = memory.program_words;
                    let words = words(ty);
                    memory.program_words += words;
                    memory.copies.push(Copied { slot, word, words });
                    (Slot::Arena, word)
                }
                Slot::Input(_) | Slot::Output(_) | Slot::Consts | Slot::Arena => (slot, start),
            };
            let result = matches!(place, Place::Output(_));
            memory.spans.push(Span { slot, start, dtype, size, result, copies: None });
        }
        memory.arena_words = memory.program_words;
        let const_bytes = memory.consts.len() as u64 * 4;
        if const_bytes > target.binding_bytes {
            return Err(too_large("the constants", const_bytes, target)
                .help("pass large constant arrays as arguments"));
        }
        Ok(memory)
    }

    pub fn span(&self, buffer: BufferId) -> &Span {
        &self.spans[buffer.0 as usize]
    }

    /// Scratch that no buffer of the program overlaps, for the time of one statement. `used` is
    /// what the statement has taken so far.
    pub fn scratch(&mut self, ty: &ArrayType, used: &mut usize) -> BufferId {
        let start = self.program_words + *used;
        *used += words(ty);
        self.arena_words = self.arena_words.max(self.program_words + *used);
        let (dtype, size) = (ty.dtype, ty.size());
        let slot = Slot::Arena;
        self.spans.push(Span { slot, start, dtype, size, result: false, copies: None });
        BufferId(self.spans.len() as u32 - 1)
    }

    /// Gives a buffer memory of its own for each iteration of a loop.
    pub fn spread(&mut self, buffer: BufferId, id: LoopId, count: usize) {
        let start = self.program_words;
        if let Some(span) = self.spans.get_mut(buffer.0 as usize) {
            span.slot = Slot::Arena;
            span.start = start;
            span.copies = Some((id, count));
            self.program_words += span.words() * count;
            self.arena_words = self.arena_words.max(self.program_words);
        }
    }

    /// Memory that nothing else uses while the statement lasts that is emitted now, with all that
    /// is inside it.
    pub fn kept(&mut self, ty: &ArrayType) -> BufferId {
        let buffer = self.scratch(ty, &mut 0);
        self.relocate(buffer);
        buffer
    }

    /// An `i32` of the arena, as an expression.
    pub fn word(&self, buffer: BufferId, uses: &mut Uses) -> String {
        uses.slots.push(Slot::Arena);
        format!("bitcast<i32>(arena[{}])", self.span(buffer).start)
    }

    /// The words of an element of a constant.
    pub fn constant(&self, buffer: BufferId, place: usize) -> Option<&[u32]> {
        let span = Some(self.span(buffer)).filter(|span| span.slot == Slot::Consts)?;
        let words = wide::words(span.dtype);
        let first = span.start + place * words;
        self.consts.get(first..first + words)
    }

    /// Whether two buffers share memory.
    pub fn overlap(&self, a: BufferId, b: BufferId) -> bool {
        let (a, b) = (self.span(a), self.span(b));
        a.slot == b.slot && a.start < b.start + b.words() && b.start < a.start + a.words()
    }

    /// Gives a buffer memory of its own.
    pub fn relocate(&mut self, buffer: BufferId) {
        let start = self.program_words;
        if let Some(span) = self.spans.get_mut(buffer.0 as usize) {
            span.slot = Slot::Arena;
            span.start = start;
            self.program_words += span.words();
            self.arena_words = self.arena_words.max(self.program_words);
        }
    }

    pub fn arena_words(&self) -> usize {
        self.arena_words
    }

    /// The constants, and what is copied into the arena and out of it.
    pub fn into_parts(self) -> (Vec<u32>, Vec<Copied>) {
        (self.consts, self.copies)
    }

    /// Every buffer of the program. The arena is always there: a later statement may add scratch.
    pub fn all_slots(&self) -> Vec<Slot> {
        let apart = self.copies.is_empty();
        let inputs = (0..self.inputs.len()).filter(|_| apart).map(Slot::Input);
        let consts = (!self.consts.is_empty()).then_some(Slot::Consts);
        let outputs = (0..self.outputs.len()).filter(|_| apart).map(Slot::Output);
        inputs.chain(consts).chain(outputs).chain([Slot::Arena]).collect()
    }

    /// The element type of a binding.
    pub fn element(&self, slot: Slot) -> &'static str {
        match slot {
            Slot::Input(i) => memory_type(self.inputs[i]),
            Slot::Output(i) => memory_type(self.outputs[i]),
            Slot::Consts | Slot::Arena => "u32",
        }
    }
}
