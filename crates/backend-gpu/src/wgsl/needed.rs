//! Which expressions of a kernel its shader computes, and when: once for a point, or for each of
//! the elements that it reduces. Random words are those of a function: written out they would be
//! half of what a sampler gives a driver to read.

use super::expr::Scope;
use super::{Text, Uses};
use probpipe_lowering::{Expr, ExprId, IndexMap, Kernel, ThreefryBlock, threefry_blocks};

/// What the stores of a kernel need.
pub(super) struct Needed {
    live: Vec<bool>,
    /// Those that change along the reduced axes.
    varying: Vec<bool>,
    blocks: Vec<ThreefryBlock>,
    /// The block that an expression is a result of.
    block_of: Vec<Option<usize>>,
}

impl Needed {
    pub fn new(kernel: &Kernel) -> Needed {
        let blocks = threefry_blocks(kernel);
        let mut block_of = vec![None; kernel.exprs.len()];
        for (b, block) in blocks.iter().enumerate() {
            for word in block.outputs {
                block_of[word] = Some(b);
            }
        }
        let first = kernel.parallel.len();
        let moves = |map: &IndexMap| map.axes.iter().skip(first).any(|&step| step != 0);
        let mut varying = vec![false; kernel.exprs.len()];
        for (i, expr) in kernel.exprs.iter().enumerate() {
            let own = match expr {
                Expr::Load { buffer, index, .. } | Expr::LoadAt { buffer, index, .. } => {
                    moves(index) || kernel.stores.iter().any(|s| s.buffer == *buffer)
                }
                Expr::Index(index) => moves(index),
                _ => false,
            };
            varying[i] = own || expr.operands().into_iter().any(|e| varying[e.0 as usize]);
        }
        let live = vec![false; kernel.exprs.len()];
        let mut needed = Needed { live, varying, blocks, block_of };
        needed.look(kernel);
        needed
    }

    /// Finds what the stores are computed from.
    fn look(&mut self, kernel: &Kernel) {
        for store in &kernel.stores {
            self.live[store.value.0 as usize] = true;
        }
        for i in (0..kernel.exprs.len()).rev() {
            if !self.live[i] {
                continue;
            }
            match self.block_of[i] {
                Some(b) => self.blocks[b].inputs.into_iter().for_each(|x| self.live[x] = true),
                None => kernel.exprs[i].operands().into_iter().for_each(|e| {
                    self.live[e.0 as usize] = true;
                }),
            }
        }
    }

    /// Computes what is the same all along the reduced axes.
    pub fn fixed(&self, scope: &Scope<'_>, text: &mut Text, uses: &mut Uses) {
        self.all(false, scope, text, uses);
    }

    /// Computes what changes along the reduced axes.
    pub fn varying(&self, scope: &Scope<'_>, text: &mut Text, uses: &mut Uses) {
        self.all(true, scope, text, uses);
    }

    fn all(&self, varying: bool, scope: &Scope<'_>, text: &mut Text, uses: &mut Uses) {
        for i in (0..self.live.len()).filter(|&i| self.live[i] && self.varying[i] == varying) {
            match self.block_of[i] {
                Some(b) => self.word(i, b, text, uses),
                None => scope.expr(ExprId(i as u32), text, uses),
            }
        }
    }

    /// One of the two words of a block, both of which are computed where the first is needed.
    fn word(&self, i: usize, b: usize, text: &mut Text, uses: &mut Uses) {
        let block = &self.blocks[b];
        if block.outputs.iter().all(|&word| word >= i || !self.live[word]) {
            let arguments = block.inputs.map(|word| ExprId(word as u32).to_string());
            let [key, counter] = [&arguments[..2], &arguments[2..]];
            let pair = |words: &[String]| format!("vec2<u32>({})", words.join(", "));
            let words = uses.call("pp_threefry", &[&pair(key), &pair(counter)]);
            text.line(format_args!("let words{b} = {words};"));
        }
        let component = if i == block.outputs[0] { "x" } else { "y" };
        text.line(format_args!("let {} = words{b}.{component};", ExprId(i as u32)));
    }
}
