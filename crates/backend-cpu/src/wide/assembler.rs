//! The few instructions of x86-64 that vector regions are made of: AVX-512 in the EVEX form (Intel
//! SDM volume 2A, section 2.7), mask registers in the VEX form, and a handful of scalar ones.
//! It knows encodings and nothing of what is computed.

/// A vector register, 0 to 31.
pub(super) type Vector = u8;
/// A mask register, 0 to 7; 0 as a predicate means none.
pub(super) type Mask = u8;
/// A general register, in the numbering of the encoding.
pub(super) type General = u8;

/// General registers that regions use by name.
pub(super) const RAX: General = 0;
pub(super) const RCX: General = 1;
pub(super) const RDX: General = 2;
pub(super) const RSI: General = 6;
pub(super) const RDI: General = 7;
pub(super) const R11: General = 11;

/// The width of a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    /// 128 bits.
    Quarter = 0,
    /// 256 bits.
    Half = 1,
    /// 512 bits.
    Full = 2,
}

/// The last operand of an instruction: a register or memory.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// A vector register.
    Vector(Vector),
    /// Elements of `1 << scale` bytes at `base`, from that which `RAX` counts, this many bytes on.
    Stream { base: General, scale: u8, ahead: i32 },
    /// A whole vector at `base`.
    Whole(General),
    /// The element of `1 << scale` bytes at `base` that `R11` counts.
    Element { base: General, scale: u8 },
    /// Elements of `1 << scale` bytes at `base`, those that the lanes of `index` number: of the
    /// instructions that gather, whose mask it is that says which.
    Gathered { base: General, scale: u8, index: Vector },
    /// What `RDI` points to, this many bytes on; one element for all lanes.
    Shared(i32),
    /// What `RDI` points to, this many bytes on, a whole vector.
    Local(i32),
    /// The constant at this place of the pool; one element for all lanes.
    Constant(usize),
    /// A whole vector at this place of the pool.
    Table(usize),
}

/// Mandatory prefixes, in the numbering of the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    None = 0,
    P66 = 1,
    PF3 = 2,
    PF2 = 3,
}

/// Opcode maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Map {
    M0F = 1,
    M0F38 = 2,
    M0F3A = 3,
}

/// A vector instruction without its operands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    pub(super) map: Map,
    pub(super) prefix: Prefix,
    /// Elements of 64 bits, where the opcode leaves that open.
    pub(super) wide: bool,
    pub(super) opcode: u8,
}

/// Shorthand for [`Code`].
pub(super) const fn code(map: Map, prefix: Prefix, wide: bool, opcode: u8) -> Code {
    Code { map, prefix, wide, opcode }
}

/// What is done with one number in memory and a vector register, up to 7; by its opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scalar {
    Load = 0x10,
    Store = 0x11,
    Add = 0x58,
}

/// What predicates an instruction.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Predicate {
    pub(super) mask: Mask,
    /// Lanes that are off become zero rather than staying as they are.
    pub(super) zeroing: bool,
}

/// A place in the code that a jump goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(usize);

/// Code under construction.
#[derive(Default, Debug)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    /// Constants; they follow the code.
    pool: Vec<u8>,
    /// Places of displacements, the ends of their instructions, and what in the pool they name.
    constants: Vec<(usize, usize, usize)>,
    labels: Vec<Option<usize>>,
    /// Places of displacements (their instructions end behind them) and labels.
    jumps: Vec<(usize, usize)>,
}

/// Alignment of the pool.
const POOL_ALIGNMENT: usize = 64;

impl Assembler {
    /// The finished code; constants lie behind it at a multiple of 64 bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        for &(at, label) in &self.jumps {
            let target = self.labels[label].unwrap_or(at);
            let distance = target as i64 - (at as i64 + 4);
            self.bytes[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        let start = self.bytes.len().next_multiple_of(POOL_ALIGNMENT);
        for &(at, end, place) in &self.constants {
            let distance = (start + place) as i64 - end as i64;
            self.bytes[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        self.bytes.resize(start, 0xcc);
        self.bytes.extend(&self.pool);
        self.bytes
    }

    /// The place of a constant in the pool, which is aligned to its own size.
    pub(super) fn constant(&mut self, bytes: &[u8]) -> usize {
        let size = bytes.len();
        let found = self.pool.chunks_exact(size).position(|have| have == bytes);
        if let Some(at) = found {
            return at * size;
        }
        self.pool.resize(self.pool.len().next_multiple_of(size), 0);
        self.pool.extend(bytes);
        self.pool.len() - size
    }

    fn emit(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// An instruction that spreads one element of memory by itself.
    pub(super) fn vector_of_element(
        &mut self,
        code: Code,
        width: Width,
        destination: u8,
        element: Operand,
    ) {
        self.vector_of_element_where(code, width, Predicate::default(), destination, element);
    }

    /// As [`Assembler::vector_of_element`], for some lanes.
    pub(super) fn vector_of_element_where(
        &mut self,
        code: Code,
        width: Width,
        predicate: Predicate,
        destination: u8,
        element: Operand,
    ) {
        // To the encoding its operand is plain memory.
        let element = match element {
            Operand::Shared(at) => Operand::Local(at),
            Operand::Constant(place) => Operand::Table(place),
            other => other,
        };
        self.vector(code, width, predicate, destination, 0, element, None);
    }

    /// A vector instruction of up to three operands: `destination, first, last`; a last operand
    /// that is one element is spread over the lanes. `immediate` follows.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn vector(
        &mut self,
        code: Code,
        width: Width,
        predicate: Predicate,
        destination: u8,
        first: u8,
        last: Operand,
        immediate: Option<u8>,
    ) {
        let bit = |value: u8, at: u8| value >> at & 1;
        let (x, b, broadcast) = match last {
            Operand::Vector(r) => (bit(r, 4), bit(r, 3), 0),
            Operand::Stream { base, .. } => (bit(RAX, 3), bit(base, 3), 0),
            Operand::Whole(base) => (0, bit(base, 3), 0),
            Operand::Element { base, .. } => (bit(R11, 3), bit(base, 3), 0),
            Operand::Gathered { base, index, .. } => (bit(index, 3), bit(base, 3), 0),
            Operand::Shared(_) => (0, bit(RDI, 3), 1),
            Operand::Local(_) => (0, bit(RDI, 3), 0),
            Operand::Constant(_) => (0, 0, 1),
            Operand::Table(_) => (0, 0, 0),
        };
        // The fifth bit of an index of many is where that of a second operand would be.
        let fifth = match last {
            Operand::Gathered { index, .. } => bit(index, 4),
            _ => bit(first, 4),
        };
        let p0 = (1 - bit(destination, 3)) << 7
            | (1 - x) << 6
            | (1 - b) << 5
            | (1 - bit(destination, 4)) << 4
            | code.map as u8;
        let p1 = u8::from(code.wide) << 7 | (!first & 15) << 3 | 1 << 2 | code.prefix as u8;
        let p2 = u8::from(predicate.zeroing) << 7
            | (width as u8) << 5
            | broadcast << 4
            | (1 - fifth) << 3
            | predicate.mask;
        self.emit(&[0x62, p0, p1, p2, code.opcode]);
        self.operand(destination & 7, last);
        self.emit(immediate.as_slice());
        if let Some((_, end, _)) = self
            .constants
            .last_mut()
            .filter(|_| matches!(last, Operand::Constant(_) | Operand::Table(_)))
        {
            *end = self.bytes.len();
        }
    }

    fn operand(&mut self, register: u8, operand: Operand) {
        let mode = |mode: u8, rm: u8| mode << 6 | register << 3 | rm & 7;
        match operand {
            Operand::Vector(r) => self.emit(&[mode(3, r)]),
            Operand::Stream { base, scale, ahead } => {
                let sib = scale << 6 | (RAX & 7) << 3 | base & 7;
                // RBP and R13 as a base need a displacement.
                if ahead != 0 {
                    self.emit(&[mode(2, 4), sib]);
                    self.emit(&ahead.to_le_bytes());
                } else if base & 7 == 5 {
                    self.emit(&[mode(1, 4), sib, 0]);
                } else {
                    self.emit(&[mode(0, 4), sib]);
                }
            }
            Operand::Whole(base) => {
                // 4 as an index means none.
                self.emit(&[mode(2, 4), 4 << 3 | base & 7]);
                self.emit(&[0; 4]);
            }
            Operand::Element { base, scale } => {
                let sib = scale << 6 | (R11 & 7) << 3 | base & 7;
                self.emit(&[mode(1, 4), sib, 0]);
            }
            Operand::Gathered { base, scale, index } => {
                self.emit(&[mode(2, 4), scale << 6 | (index & 7) << 3 | base & 7]);
                self.emit(&[0; 4]);
            }
            Operand::Shared(at) | Operand::Local(at) => {
                self.emit(&[mode(2, RDI)]);
                self.emit(&at.to_le_bytes());
            }
            Operand::Constant(place) | Operand::Table(place) => {
                self.emit(&[mode(0, 5)]);
                self.constants.push((self.bytes.len(), 0, place));
                self.emit(&[0; 4]);
            }
        }
    }

    /// `destination = first op last` of mask registers; `long` ops have three operands.
    pub(super) fn mask(&mut self, opcode: u8, long: bool, destination: Mask, first: u8, last: u8) {
        let first = if long { first } else { 0 };
        self.emit(&[
            0xc5,
            1 << 7 | (!first & 15) << 3 | u8::from(long) << 2,
            opcode,
            3 << 6 | destination << 3 | last,
        ]);
    }

    /// Writes a mask of up to 16 lanes to memory.
    pub(super) fn mask_to_memory(&mut self, mask: Mask, to: Operand) {
        self.emit(&[0xc5, 0xf8, 0x91]);
        self.operand(mask, to);
    }

    /// Reads a mask of up to 16 lanes from memory.
    pub(super) fn mask_of_memory(&mut self, mask: Mask, from: Operand) {
        self.emit(&[0xc5, 0xf8, 0x90]);
        self.operand(mask, from);
    }

    /// `mask = the lowest n bits`, where `RCX` is n, below 32.
    pub(super) fn mask_of_count(&mut self, mask: Mask) {
        self.emit(&[0x41, 0xbb, 1, 0, 0, 0]); // mov r11d, 1
        self.emit(&[0x41, 0xd3, 0xe3]); // shl r11d, cl
        self.emit(&[0x41, 0xff, 0xcb]); // dec r11d
        self.emit(&[0xc4, 0xc1, 0x78, 0x92, 3 << 6 | mask << 3 | 3]); // kmovw mask, r11d
    }

    /// One number, `f64` if `wide` and else `f32`, `at` bytes after where one of the first eight
    /// general registers points.
    pub(super) fn scalar(
        &mut self,
        act: Scalar,
        wide: bool,
        register: Vector,
        base: General,
        at: i32,
    ) {
        let first = if act == Scalar::Add { register } else { 0 };
        let prefix = if wide { Prefix::PF2 } else { Prefix::PF3 };
        self.emit(&[0xc5, 1 << 7 | (!first & 15) << 3 | prefix as u8, act as u8]);
        self.emit(&[2 << 6 | register << 3 | base]);
        self.emit(&at.to_le_bytes());
    }

    /// `to op= from` of general registers of 64 bits: an opcode of the form `op r/m, r`.
    pub(super) fn general(&mut self, opcode: u8, to: General, from: General) {
        let rex = 0x48 | (from >> 3) << 2 | to >> 3;
        self.emit(&[rex, opcode, 3 << 6 | (from & 7) << 3 | to & 7]);
    }

    /// `to = from`.
    pub(super) fn copy(&mut self, to: General, from: General) {
        self.general(0x89, to, from);
    }

    /// `to -= from`.
    pub(super) fn subtract(&mut self, to: General, from: General) {
        self.general(0x29, to, from);
    }

    /// `to += from`.
    pub(super) fn add(&mut self, to: General, from: General) {
        self.general(0x01, to, from);
    }

    /// Compares `x` with `y`, for a jump.
    pub(super) fn compare(&mut self, x: General, y: General) {
        self.general(0x39, x, y);
    }

    /// `to += number`.
    pub(super) fn add_number(&mut self, to: General, number: i8) {
        self.emit(&[0x48 | to >> 3, 0x83, 3 << 6 | to & 7, number as u8]);
    }

    /// `to &= number`.
    pub(super) fn and_number(&mut self, to: General, number: i8) {
        self.emit(&[0x48 | to >> 3, 0x83, 3 << 6 | 4 << 3 | to & 7, number as u8]);
    }

    /// `to <<= number`.
    pub(super) fn shift_left(&mut self, to: General, number: u8) {
        self.emit(&[0x48 | to >> 3, 0xc1, 3 << 6 | 4 << 3 | to & 7, number]);
    }

    /// `to = *(RDI + at)`, 64 bits.
    pub(super) fn load(&mut self, to: General, at: i32) {
        self.emit(&[0x48 | (to >> 3) << 2, 0x8b, 2 << 6 | (to & 7) << 3 | RDI]);
        self.emit(&at.to_le_bytes());
    }

    /// `R11` = the word of 32 bits at `base` that is so many after the one that `RAX` counts.
    pub(super) fn count(&mut self, base: General, words: usize) {
        self.emit(&[0x40 | (R11 >> 3) << 2 | base >> 3, 0x8b]);
        let ahead = 4 * words as i32;
        self.operand(R11 & 7, Operand::Stream { base, scale: 2, ahead });
    }

    /// Saves a register.
    pub(super) fn push(&mut self, register: General) {
        self.emit(&[0x40 | register >> 3, 0x50 | register & 7]);
    }

    /// Restores a register.
    pub(super) fn pop(&mut self, register: General) {
        self.emit(&[0x40 | register >> 3, 0x58 | register & 7]);
    }

    /// Returns, with the upper halves of the vector registers clean.
    pub(super) fn leave(&mut self) {
        self.emit(&[0xc5, 0xf8, 0x77]); // vzeroupper
        self.emit(&[0xc3]);
    }

    /// Orders streaming stores before all that follows.
    pub(super) fn store_fence(&mut self) {
        self.emit(&[0x0f, 0xae, 0xf8]);
    }

    /// A label that is not placed yet.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Places a label here.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.bytes.len());
    }

    /// Jumps if the last comparison was `x < y`, unsigned.
    pub(super) fn jump_if_below(&mut self, label: Label) {
        self.jump(0x82, label);
    }

    /// Jumps if the last comparison was `x >= y`, unsigned.
    pub(super) fn jump_unless_below(&mut self, label: Label) {
        self.jump(0x83, label);
    }

    /// Jumps if the last result was zero, as that of a test of masks without a lane.
    pub(super) fn jump_if_zero(&mut self, label: Label) {
        self.jump(0x84, label);
    }

    /// Jumps if the last result was not zero.
    pub(super) fn jump_unless_zero(&mut self, label: Label) {
        self.jump(0x85, label);
    }

    /// Jumps.
    pub(super) fn jump_always(&mut self, label: Label) {
        self.emit(&[0xe9]);
        self.distance(label);
    }

    fn jump(&mut self, condition: u8, label: Label) {
        self.emit(&[0x0f, condition]);
        self.distance(label);
    }

    fn distance(&mut self, label: Label) {
        self.jumps.push((self.bytes.len(), label.0));
        self.emit(&[0; 4]);
    }

    /// Fills up to the next line of the instruction cache.
    pub(super) fn align(&mut self) {
        while !self.bytes.len().is_multiple_of(32) {
            self.emit(&[0x90]);
        }
    }
}
