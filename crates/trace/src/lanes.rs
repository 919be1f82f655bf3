//! A key for every element of an array, for samplers that reject: an element draws from its own
//! keys until it accepts, whatever its neighbours do. All are elementwise operations, so that a
//! round of such a sampler is one kernel. What is drawn from single keys is `key`'s matter.

use crate::array::elementwise::arithmetic::select;
use crate::array::make::fill::full_typed;
use crate::context::here;
use crate::dtype::DType;
use crate::error::Result;
use crate::handle::Array;
use crate::key::{
    Key, RandomLayout, counters, hash, hash_flat, join, symmetric_of_bits, unit_of_bits,
};
use crate::tree::{Flatten, Rebuild, Token, Tree};
use crate::types::{ArrayType, IntoShape};
use std::array::from_fn;

/// One key per element of an array of some shape. As with [`Key`], each is for one use; methods
/// borrow because lanes that wait keep theirs.
///
/// ```
/// use probpipe_trace::{DType, Key, KeyLanes, normal_of};
/// let lanes = KeyLanes::new(Key::new(3), [2, 2]).normal(DType::F32);
/// // Element j draws from the j-th part of the key.
/// let third = Key::new(3).split_n(4).remove(2);
/// assert_eq!(lanes.at(1).at(0).item::<f32>()?, normal_of(DType::F32, third, ()).item::<f32>()?);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyLanes {
    words: [Array; 2],
    layout: RandomLayout,
}

impl KeyLanes {
    /// As many keys as the shape has elements, those of [`Key::split_batch`] in row-major order.
    #[track_caller]
    pub fn new(key: Key, shape: impl IntoShape) -> KeyLanes {
        let (shape, layout) = (shape.into_shape(), key.layout());
        let words = match (key.words(), layout) {
            (Err(error), _) => {
                let invalid = Array::invalid(error, here());
                [invalid.clone(), invalid]
            }
            (Ok(words), RandomLayout::Partitionable) => {
                let (high, low) = counters(&shape);
                hash(&words, &high, &low)
            }
            (Ok(words), RandomLayout::Original) => {
                let n: usize = shape.iter().product();
                let rows = hash_flat(&words, 2 * n).reshape([n, 2]);
                from_fn(|word| rows.slice_axis(1, word..word + 1).reshape(&shape))
            }
        };
        KeyLanes { words, layout }
    }

    /// `N` independent keys in place of each.
    #[track_caller]
    pub fn split<const N: usize>(&self) -> [KeyLanes; N] {
        let layout = self.layout;
        match layout {
            RandomLayout::Partitionable => {
                from_fn(|i| KeyLanes { words: self.hash(0, i as u32), layout })
            }
            RandomLayout::Original => {
                // Counters 0..2N hashed in two halves; each two words that follow make a key.
                let halves: [[Array; 2]; N] = from_fn(|i| self.hash(i as u32, (i + N) as u32));
                let word = |i: usize| halves[i % N][i / N].clone();
                from_fn(|i| KeyLanes { words: [word(2 * i), word(2 * i + 1)], layout })
            }
        }
    }

    /// A uniform number in [0, 1) from each.
    #[track_caller]
    pub fn uniform(&self, dtype: DType) -> Array {
        unit_of_bits(self.bits(dtype), dtype)
    }

    /// A standard normal number from each.
    #[track_caller]
    pub fn normal(&self, dtype: DType) -> Array {
        symmetric_of_bits(self.bits(dtype), dtype).erf_inv() * std::f64::consts::SQRT_2
    }

    /// These keys where `which` is true, else the others.
    #[track_caller]
    pub fn select(&self, which: &Array, other: &KeyLanes) -> KeyLanes {
        let words = from_fn(|i| select(which, &self.words[i], &other.words[i]));
        KeyLanes { words, layout: self.layout }
    }

    /// The bits of one float.
    #[track_caller]
    fn bits(&self, dtype: DType) -> Array {
        match (dtype, self.layout) {
            (DType::F64, RandomLayout::Partitionable) => {
                let [a, b] = self.hash(0, 0);
                join(&a, &b)
            }
            (DType::F64, RandomLayout::Original) => {
                let [a, b] = self.hash(0, 1);
                join(&a, &b)
            }
            (_, RandomLayout::Partitionable) => {
                let [a, b] = self.hash(0, 0);
                a ^ b
            }
            (_, RandomLayout::Original) => {
                let [a, _] = self.hash(0, 0);
                a
            }
        }
    }

    #[track_caller]
    fn hash(&self, high: u32, low: u32) -> [Array; 2] {
        let ty = ArrayType::new(DType::U32, self.words[0].shape());
        hash(&self.words, &full_typed(&ty, high), &full_typed(&ty, low))
    }
}

impl Tree for KeyLanes {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Variant(self.layout as u32));
        into.leaf(&self.words[0]);
        into.leaf(&self.words[1]);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<KeyLanes> {
        let layout = RandomLayout::of_variant(from.variant()?);
        Ok(KeyLanes { words: [from.leaf()?, from.leaf()?], layout })
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.words.iter_mut().for_each(visit);
    }
}
