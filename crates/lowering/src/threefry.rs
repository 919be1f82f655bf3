//! Finds the Threefry-2x32 blocks that were written out in additions, rotations and exclusive ors
//! (`lower/threefry.rs`), for backends that have a function of them: wider registers, or less to
//! compile. What does not match exactly stays as it is.

use crate::program::{Expr, ExprId, Kernel};
use probpipe_trace::{BinaryOp, DType, Scalar};
use rustc_hash::FxHashMap;

/// Rotations of the even and the odd groups of four rounds.
pub(crate) const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
/// The parity word of the key schedule.
pub(crate) const PARITY: u32 = 0x1BD1_1BDA;

/// One block of a kernel: which expressions go in and come out.
#[derive(Clone, Copy, Debug)]
pub struct ThreefryBlock {
    /// Two key words, then two counter words.
    pub inputs: [usize; 4],
    /// The two words that come out.
    pub outputs: [usize; 2],
}

struct Finder<'k> {
    kernel: &'k Kernel,
    known: FxHashMap<(BinaryOp, usize, usize), usize>,
    words: FxHashMap<u32, usize>,
}

/// Every block of a kernel.
pub fn threefry_blocks(kernel: &Kernel) -> Vec<ThreefryBlock> {
    let mut finder = Finder { kernel, known: FxHashMap::default(), words: FxHashMap::default() };
    for (i, expr) in kernel.exprs.iter().enumerate() {
        match expr {
            Expr::Literal(Scalar::Int(word)) if kernel.types[i] == DType::U32 => {
                finder.words.insert(*word as u32, i);
            }
            Expr::Binary(op, x, y) if kernel.types[i] == DType::U32 => {
                finder.known.entry((*op, x.0 as usize, y.0 as usize)).or_insert(i);
            }
            _ => {}
        }
    }
    let Some(&parity) = finder.words.get(&PARITY) else { return Vec::new() };
    let mut blocks = Vec::new();
    for (i, expr) in kernel.exprs.iter().enumerate() {
        // The third key word names the other two.
        if let Expr::Binary(BinaryOp::Xor, both, ExprId(p)) = expr
            && *p as usize == parity
            && let Expr::Binary(BinaryOp::Xor, k0, k1) = kernel.expr(*both)
        {
            finder.under_key([k0.0 as usize, k1.0 as usize, i], &mut blocks);
        }
    }
    blocks
}

impl Finder<'_> {
    /// The blocks with these key words: every pair of sums with the key that starts a block.
    fn under_key(&self, keys: [usize; 3], blocks: &mut Vec<ThreefryBlock>) {
        for (i, expr) in self.kernel.exprs.iter().enumerate() {
            let Expr::Binary(BinaryOp::Add, a, b) = expr else { continue };
            if self.kernel.types[i] != DType::U32 {
                continue;
            }
            let (Some(c0), Some(c1)) = (self.counter(*a, keys[0]), self.counter(*b, keys[1]))
            else {
                continue;
            };
            if let Some(outputs) = self.rounds(a.0 as usize, b.0 as usize, keys) {
                blocks.push(ThreefryBlock { inputs: [keys[0], keys[1], c0, c1], outputs });
            }
        }
    }

    /// `c` where the expression is `c + key`.
    fn counter(&self, id: ExprId, key: usize) -> Option<usize> {
        match self.kernel.expr(id) {
            Expr::Binary(BinaryOp::Add, c, k) if k.0 as usize == key => Some(c.0 as usize),
            _ => None,
        }
    }

    fn op(&self, op: BinaryOp, x: usize, y: usize) -> Option<usize> {
        self.known.get(&(op, x, y)).copied()
    }

    fn rounds(&self, mut a: usize, mut b: usize, keys: [usize; 3]) -> Option<[usize; 2]> {
        for group in 0..5 {
            for rotation in ROTATIONS[group % 2] {
                a = self.op(BinaryOp::Add, a, b)?;
                let left = *self.words.get(&rotation)?;
                let right = *self.words.get(&(32 - rotation))?;
                let high = self.op(BinaryOp::Shl, b, left)?;
                let low = self.op(BinaryOp::Shr, b, right)?;
                let rotated = self.op(BinaryOp::Or, high, low)?;
                b = self.op(BinaryOp::Xor, a, rotated)?;
            }
            a = self.op(BinaryOp::Add, a, keys[(group + 1) % 3])?;
            let number = *self.words.get(&(group as u32 + 1))?;
            let key = self.op(BinaryOp::Add, keys[(group + 2) % 3], number)?;
            b = self.op(BinaryOp::Add, b, key)?;
        }
        Some([a, b])
    }
}
