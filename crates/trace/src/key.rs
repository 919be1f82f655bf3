//! Random numbers: keys, and what is drawn from them. Counter-based Threefry-2x32, bit for bit
//! that of JAX in both of its layouts. There is no hidden state: a [`Key`] moves into its one use.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
//! key derivation and layouts as documented for `jax.random`.

use crate::array::elementwise::arithmetic::select;
use crate::array::make::fill::{full_typed, iota, zeros_like};
use crate::array::shape::join::{concat, stack};
use crate::context::{default_float, here, with_location};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind;
use crate::tree::{Flatten, IntoTree, Rebuild, Token, Tree};
use crate::types::{ArrayType, IntoShape, Shape, ShapeDisplay, row_major_strides};

/// How draws of several numbers count, as JAX's `jax_threefry_partitionable`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RandomLayout {
    /// Element `i` hashes its own index (JAX from 0.5): any part can be drawn alone.
    #[default]
    Partitionable = 0,
    /// The counters are hashed in two halves (JAX before 0.5).
    Original = 1,
}

impl RandomLayout {
    /// The layout that a tree names by its number.
    pub(crate) fn of_variant(variant: u32) -> RandomLayout {
        match variant {
            0 => RandomLayout::Partitionable,
            _ => RandomLayout::Original,
        }
    }
}

/// The right to draw random numbers once. Not `Clone`: using it twice does not compile.
///
/// ```compile_fail
/// use probpipe_trace::{Key, normal};
/// let key = Key::new(0);
/// let a = normal(key, [3]);
/// let b = normal(key, [3]); // error: use of moved value
/// ```
#[derive(Debug)]
pub struct Key {
    pub(crate) data: Array,
    pub(crate) layout: RandomLayout,
}

impl Key {
    /// A key from a seed; all 64 bits count (`jax.random.PRNGKey(seed)` for seeds below 2^32).
    #[track_caller]
    #[doc(alias = "random.key")]
    #[doc(alias = "random.PRNGKey")]
    pub fn new(seed: u64) -> Key {
        Key::from_data(Array::from([(seed >> 32) as u32, seed as u32]))
    }

    /// A key from a seed that may be traced: an integer scalar. 32-bit seeds fill the low word.
    #[track_caller]
    pub fn from_seed(seed: impl Into<Array>) -> Key {
        let seed = seed.into();
        let data = match seed.dtype() {
            _ if seed.error().is_some() => seed,
            DType::I64 | DType::U64 => {
                let bits = seed.cast(DType::U64);
                let high = (&bits >> 32u64).cast(DType::U32);
                stack(&[high, bits.cast(DType::U32)], 0)
            }
            DType::I32 | DType::U32 | DType::U8 => {
                let low = seed.cast(DType::U32);
                stack(&[zeros_like(&low), low], 0)
            }
            DType::F32 | DType::F64 | DType::Bool => Array::invalid(
                Error::new(ErrorKind::DType, format!("a seed is an integer, not {}", seed.dtype()))
                    .help("cast the seed, for example with `.cast(DType::I32)`"),
                here(),
            ),
        };
        Key::from_data(data)
    }

    /// A key from its two words, or a batch of keys from `u32[..., 2]`.
    #[doc(alias = "random.wrap_key_data")]
    pub fn from_data(data: impl Into<Array>) -> Key {
        Key { data: data.into(), layout: RandomLayout::default() }
    }

    /// A key seeded from a generator of the `rand` crate.
    #[track_caller]
    pub fn from_rng(rng: &mut impl rand::Rng) -> Key {
        Key::new(rng.next_u64())
    }

    /// The same key drawing in another layout.
    pub fn with_layout(self, layout: RandomLayout) -> Key {
        Key { layout, ..self }
    }

    /// The layout in which the key draws.
    pub fn layout(&self) -> RandomLayout {
        self.layout
    }

    /// The words: `u32[2]`, or `u32[..., 2]` for a batch.
    #[doc(alias = "random.key_data")]
    pub fn data(&self) -> &Array {
        &self.data
    }

    /// A second handle on the same key, for the rare use that means to draw the same numbers
    /// again.
    #[doc(alias = "random.clone")]
    pub fn reuse(&self) -> Key {
        Key { data: self.data.clone(), layout: self.layout }
    }

    /// Two independent keys.
    #[track_caller]
    pub fn split(self) -> (Key, Key) {
        let both = self.split_batch(2);
        (both.entry(0), both.entry(1))
    }

    /// `n` independent keys.
    #[track_caller]
    #[doc(alias = "random.split")]
    pub fn split_n(self, n: usize) -> Vec<Key> {
        let all = self.split_batch(n);
        // The caller's line does not reach into closures by itself.
        with_location(here(), || (0..n as isize).map(|i| all.entry(i)).collect())
    }

    /// Independent keys, as many as are taken: `let [a, b, c] = key.split_array()`. The same as
    /// those of [`Key::split_n`].
    #[track_caller]
    pub fn split_array<const N: usize>(self) -> [Key; N] {
        let all = self.split_batch(N);
        with_location(here(), || std::array::from_fn(|i| all.entry(i as isize)))
    }

    /// A key of a batch.
    #[track_caller]
    fn entry(&self, i: isize) -> Key {
        Key { data: self.data.at(i), layout: self.layout }
    }

    /// A batch of `n` independent keys, `u32[n, 2]`, to `vmap` or `scan` over.
    #[track_caller]
    pub fn split_batch(self, n: usize) -> Key {
        let layout = self.layout;
        let data = match (self.words(), layout) {
            (Err(error), _) => Array::invalid(error, here()),
            (Ok(words), RandomLayout::Partitionable) => {
                let (high, low) = counters(&[n]);
                let [a, b] = hash(&words, &high, &low);
                stack(&[a, b], 1)
            }
            (Ok(words), RandomLayout::Original) => hash_flat(&words, 2 * n).reshape([n, 2]),
        };
        Key { data, layout }
    }

    /// A key derived from this one and a number, which may be traced: as many independent keys as
    /// numbers. Of an array of numbers, a batch of keys in its shape.
    #[track_caller]
    pub fn fold_in(self, number: impl Into<Array>) -> Key {
        let layout = self.layout;
        let data = match self.words() {
            Err(error) => Array::invalid(error, here()),
            Ok(words) => {
                let low = number.into().cast(DType::U32);
                let [a, b] = hash(&words, &zeros_like(&low), &low);
                stack(&[a, b], -1)
            }
        };
        Key { data, layout }
    }

    /// Uniform random bits: `width` 8 gives `u8`, 32 gives `u32`, 64 gives `u64`; 16 gives `u32`
    /// below 2^16.
    #[track_caller]
    pub fn bits(self, width: u32, shape: impl IntoShape) -> Array {
        let shape = shape.into_shape();
        let layout = self.layout;
        if !matches!(width, 8 | 16 | 32 | 64) {
            let error = Error::new(ErrorKind::Value, format!("there are no {width}-bit draws"))
                .help("the width is 8, 16, 32 or 64");
            return Array::invalid(error, here());
        }
        match (self.words(), layout) {
            (Err(error), _) => Array::invalid(error, here()),
            (Ok(words), RandomLayout::Partitionable) => {
                let (high, low) = counters(&shape);
                let [a, b] = hash(&words, &high, &low);
                match width {
                    8 => ((a ^ b) & 0xffu32).cast(DType::U8),
                    16 => (a ^ b) & 0xffffu32,
                    32 => a ^ b,
                    _ => join(&a, &b),
                }
            }
            (Ok(words), RandomLayout::Original) => original_bits(&words, width, &shape),
        }
    }

    /// The two key words, after checking that there is one key.
    #[track_caller]
    pub(crate) fn words(&self) -> Result<[Array; 2], Error> {
        let ty = self.data.ty()?;
        if ty != ArrayType::new(DType::U32, [2]) {
            return Err(Error::new(ErrorKind::Shape, format!("a key is u32[2], this one is {ty}"))
                .at(here())
                .help("draw from one key of a batch at a time: `vmap` over the batch"));
        }
        Ok([self.data.at(0), self.data.at(1)])
    }
}

/// The block function on counters of any shape.
#[track_caller]
pub(crate) fn hash(words: &[Array; 2], high: &Array, low: &Array) -> [Array; 2] {
    let shape = low.shape();
    let operands = [&words[0].broadcast_to(shape), &words[1].broadcast_to(shape), high, low];
    let mut outputs = bind(Op::Threefry2x32, &operands).into_iter();
    let mut next = || {
        outputs.next().unwrap_or_else(|| {
            Array::invalid(Error::new(ErrorKind::Internal, "threefry gave no words"), here())
        })
    };
    [next(), next()]
}

/// The row-major index of every element.
#[track_caller]
fn index(dtype: DType, shape: &[usize]) -> Array {
    // Sums of strided iotas instead of a reshaped flat one: they stay elementwise and fuse.
    let ty = ArrayType::new(dtype, shape);
    let mut sum: Option<Array> = None;
    for (axis, stride) in row_major_strides(shape).into_iter().enumerate() {
        if shape[axis] == 1 {
            continue;
        }
        let count = iota(&ty, axis);
        let term = if stride == 1 { count } else { count * Array::from(stride) };
        sum = Some(match sum {
            Some(s) => s + term,
            None => term,
        });
    }
    match sum {
        Some(sum) => sum,
        None => full_typed(&ty, 0),
    }
}

/// The row-major index of every element, as high and low words.
#[track_caller]
pub(crate) fn counters(shape: &[usize]) -> (Array, Array) {
    // Empty extents make strides of zero, and a product over 32 bits needs the wide form.
    if shape.iter().map(|&n| n as u128).product::<u128>() <= 1 << 32 {
        (full_typed(&ArrayType::new(DType::U32, shape), 0), index(DType::U32, shape))
    } else {
        let wide = index(DType::U64, shape);
        ((&wide >> 32u64).cast(DType::U32), wide.cast(DType::U32))
    }
}

#[track_caller]
pub(crate) fn join(high: &Array, low: &Array) -> Array {
    (high.cast(DType::U64) << 32u64) | low.cast(DType::U64)
}

/// The original layout: counters `0..n` hashed as two halves, padded to an even number.
#[track_caller]
pub(crate) fn hash_flat(words: &[Array; 2], n: usize) -> Array {
    let half = n.div_ceil(2);
    let ty = ArrayType::new(DType::U32, [half]);
    let first = iota(&ty, 0);
    let mut second = iota(&ty, 0) + Array::from(half);
    if n % 2 == 1 {
        // The pad counter is 0, not n.
        let last = iota(&ty, 0).eq(Array::from(half - 1));
        second = select(&last, 0, second);
    }
    let [a, b] = hash(words, &first, &second);
    concat(&[a, b], 0).slice_axis(0, 0..n)
}

#[track_caller]
fn original_bits(words: &[Array; 2], width: u32, shape: &Shape) -> Array {
    let size: usize = shape.iter().product();
    let flat = match width {
        64 => {
            let all = hash_flat(words, 2 * size);
            join(&all.slice_axis(0, 0..size), &all.slice_axis(0, size..2 * size))
        }
        32 => hash_flat(words, size),
        _ => {
            // Each word gives its pieces from the low end.
            let pieces = 32 / width as usize;
            let n = size.div_ceil(pieces);
            let all = hash_flat(words, n).expand_dims(1).broadcast_to([n, pieces]);
            let shift = iota(&ArrayType::new(DType::U32, [n, pieces]), 1) * width;
            let mask = (1u32 << width) - 1;
            ((all >> shift) & mask).reshape([n * pieces]).slice_axis(0, 0..size)
        }
    };
    let bits = flat.reshape(shape);
    if width == 8 { bits.cast(DType::U8) } else { bits }
}

/// Uniform numbers in [0, 1) of the default float type. Draws are data: they have that type
/// whatever they meet; [`uniform_of`] names another.
#[track_caller]
pub fn uniform(key: Key, shape: impl IntoShape) -> Array {
    uniform_of(default_float(), key, shape)
}

/// Uniform numbers in [0, 1) of a float type.
///
/// ```
/// use probpipe_trace::{DType, Key, uniform_of};
/// let u = uniform_of(DType::F64, Key::new(0), 1000);
/// assert_eq!(u.dtype(), DType::F64);
/// assert!(u.max().item::<f64>()? < 1.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn uniform_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    match float_only("uniform_of", dtype) {
        Ok(()) => unit(key, &shape.into_shape(), dtype),
        Err(error) => Array::invalid(error, here()),
    }
}

/// Uniform numbers in [`low`, `high`) of the bounds' float type.
#[track_caller]
pub fn uniform_range(
    key: Key,
    shape: impl IntoShape,
    low: impl Into<Array>,
    high: impl Into<Array>,
) -> Array {
    let (low, high) = (low.into(), high.into());
    let (shape, dtype) = (shape.into_shape(), float_of(&low, &high));
    let draw = unit(key, &shape, dtype);
    let numbers = (draw * (&high - &low) + &low).maximum(&low);
    if numbers.error().is_none() && numbers.shape() != &shape[..] {
        let (low, high) = (ShapeDisplay(low.shape()), ShapeDisplay(high.shape()));
        let asked = ShapeDisplay(&shape);
        let message = format!("bounds of shapes {low} and {high} do not broadcast to {asked}");
        let error = Error::new(ErrorKind::Shape, message)
            .help("the shape is that of the result, with the axes of the bounds last");
        return Array::invalid(error, here());
    }
    numbers
}

/// Uniform numbers in (-1, 1) of a float type, for samplers that invert a function which is
/// infinite at both ends.
///
/// ```
/// use probpipe_trace::{DType, Key, symmetric_uniform_of};
/// let u = symmetric_uniform_of(DType::F32, Key::new(0), 1000);
/// assert!(u.abs().max().item::<f32>()? < 1.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn symmetric_uniform_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    match float_only("symmetric_uniform_of", dtype) {
        Ok(()) => symmetric(key, &shape.into_shape(), dtype),
        Err(error) => Array::invalid(error, here()),
    }
}

#[track_caller]
fn symmetric(key: Key, shape: &Shape, dtype: DType) -> Array {
    symmetric_of_bits(key.bits(width(dtype), shape), dtype)
}

/// From the number after -1, so that nothing is infinite that is only so at the ends.
#[track_caller]
pub(crate) fn symmetric_of_bits(bits: Array, dtype: DType) -> Array {
    let low = match dtype {
        DType::F64 => -1.0 + f64::EPSILON / 2.0,
        _ => f64::from(-1.0 + f32::EPSILON / 2.0),
    };
    // Rounding keeps the order, so this is at least `low` without a comparison.
    unit_of_bits(bits, dtype) * (1.0 - low) + low
}

/// Standard normal numbers of the default float type: `sqrt(2) erf_inv(u)` of `u` uniform in
/// (-1, 1), as JAX draws them. Draws are data: they have that type whatever they meet;
/// [`normal_of`] names another.
#[track_caller]
pub fn normal(key: Key, shape: impl IntoShape) -> Array {
    normal_of(default_float(), key, shape)
}

/// Standard normal numbers of a float type, see [`normal`].
///
/// ```
/// use probpipe_trace::{DType, Key, normal_of};
/// assert_eq!(normal_of(DType::F64, Key::new(0), [2, 3]).dtype(), DType::F64);
/// ```
#[track_caller]
pub fn normal_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    if let Err(error) = float_only("normal_of", dtype) {
        return Array::invalid(error, here());
    }
    symmetric(key, &shape.into_shape(), dtype).erf_inv() * std::f64::consts::SQRT_2
}

/// Refuses element types that are not drawn.
fn float_only(name: &str, dtype: DType) -> Result<(), Error> {
    if dtype.is_float() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::DType, format!("`{name}` draws floats, not {dtype}"))
        .help("name `DType::F32` or `DType::F64`; whole numbers come from `Key::bits`"))
}

/// The float type that bounds decide.
fn float_of(low: &Array, high: &Array) -> DType {
    [low, high]
        .into_iter()
        .filter(|a| !a.is_weak())
        .map(Array::dtype)
        .find(|d| d.is_float())
        .unwrap_or_else(default_float)
}

#[track_caller]
fn unit(key: Key, shape: &Shape, dtype: DType) -> Array {
    unit_of_bits(key.bits(width(dtype), shape), dtype)
}

/// How many random bits a number of a float type is made of.
fn width(dtype: DType) -> u32 {
    if dtype == DType::F64 { 64 } else { 32 }
}

/// Uniform in [0, 1): random mantissa bits under the exponent of one, less one.
#[track_caller]
pub(crate) fn unit_of_bits(bits: Array, dtype: DType) -> Array {
    match dtype {
        DType::F64 => {
            let one = Scalar::Int(i128::from(1.0f64.to_bits()));
            let one = full_typed(&ArrayType::scalar(DType::U64), one);
            ((bits >> 12u64) | one).bitcast(DType::F64) - 1.0
        }
        _ => ((bits >> 9u32) | 1.0f32.to_bits()).bitcast(DType::F32) - 1.0,
    }
}

impl IntoTree<Key> for Key {
    fn into_tree(self) -> Key {
        self
    }
}

impl Tree for Key {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Variant(self.layout as u32));
        into.leaf(&self.data);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Key> {
        let layout = RandomLayout::of_variant(from.variant()?);
        Ok(Key { data: from.leaf()?, layout })
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        visit(&mut self.data);
    }
}
