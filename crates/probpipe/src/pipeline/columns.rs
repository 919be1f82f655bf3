//! What a run keeps of each draw as columns: leaves with names, whatever the types of the values
//! and of the kernel. What is done with draws on their way is done with columns; here they become
//! what the user named again.

use crate::record::Record;
use probpipe_trace::{
    Array, ArrayType, DType, HostBuffer, Result, Shape, Structure, Tree, Value, here,
};

/// What is kept of a step; of a block, along a new first axis.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Kept<T, I> {
    pub z: Array,
    pub values: T,
    pub log_density: Option<Array>,
    pub step_size: Option<Array>,
    pub info: I,
}

/// What a column is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Unconstrained,
    Values,
    Stats,
}

/// One leaf of what is kept.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Column {
    pub part: Part,
    /// Names with `/` between them.
    pub path: String,
    /// Of one draw.
    pub ty: ArrayType,
}

impl Column {
    /// Bytes of one draw.
    pub fn bytes(&self) -> usize {
        self.ty.bytes()
    }
}

/// The columns of what is kept of several steps, in the order of the leaves.
pub(super) fn columns<T: Tree, I: Tree>(kept: &Kept<T, I>) -> Result<Vec<Column>> {
    let Kept { z: _, values, log_density, step_size, info } = kept;
    let mut names = vec![(Part::Unconstrained, "z".to_string())];
    names.extend(paths(values).into_iter().map(|path| (Part::Values, path)));
    let known = [("log_density", log_density), ("step_size", step_size)];
    let known = known.iter().filter(|(_, array)| array.is_some());
    names.extend(known.map(|(name, _)| (Part::Stats, (*name).to_string())));
    // Of kernels made of others: `0/acceptance`.
    let plain = |path: String| path.strip_prefix("value/").map(str::to_string).unwrap_or(path);
    names.extend(paths(info).into_iter().map(|path| (Part::Stats, plain(path))));
    let column = |((part, path), leaf): ((Part, String), Array)| {
        let ty = leaf.ty()?;
        Ok(Column { part, path, ty: ArrayType { dtype: ty.dtype, shape: ty.shape[1..].into() } })
    };
    names.into_iter().zip(kept.leaves()).map(column).collect()
}

/// Draws as the user named them, from arrays `[chains, draws, ..]` of all columns.
pub(super) fn named<T: Tree, I: Tree>(
    structure: &Structure,
    columns: &[Column],
    arrays: Vec<Array>,
) -> Result<(T, Array, Record)> {
    let stats = columns.iter().zip(&arrays).filter(|(column, _)| column.part == Part::Stats);
    let stats = Record::new(stats.map(|(column, array)| (&column.path, array)));
    let Kept { z, values, .. } = structure.again::<Kept<T, I>>(arrays, here())?;
    Ok((values, z, stats))
}

/// The leaves of a tree by their paths, as a record: `.pos["x"][2]` becomes `pos/x/2`, and a leaf
/// alone `value`.
pub(super) fn record<T: Tree>(tree: &T) -> Record {
    Record::new(paths(tree).into_iter().zip(tree.leaves()))
}

/// The paths of the leaves, as [`record`] has them.
fn paths<T: Tree>(tree: &T) -> Vec<String> {
    let all = tree.structure().paths();
    // A map of choices is a record in a struct.
    let inner = all.iter().all(|path| path.starts_with(".record["));
    let path = |path: &String| {
        let path = if inner { &path[".record".len()..] } else { path.as_str() };
        let names: Vec<&str> =
            path.split(['.', '[', ']', '"']).filter(|name| !name.is_empty()).collect();
        match names.first() {
            None => "value".to_string(),
            Some(first) if first.bytes().all(|b| b.is_ascii_digit()) => {
                format!("value/{}", names.join("/"))
            }
            Some(_) => names.join("/"),
        }
    };
    all.iter().map(path).collect()
}

/// The bytes of an array, in row-major order.
pub(super) fn bytes(array: &Array) -> Result<Vec<u8>> {
    Ok(array.value()?.to_host()?.bytes().to_vec())
}

/// The array of bytes, of which there are as many as the type says or too few.
pub(super) fn array(ty: ArrayType, bytes: &[u8]) -> Result<Array> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
    Ok(Array::from(Value::host(ty, buffer)))
}

/// The type of so many draws of so many chains.
pub(super) fn stacked(column: &Column, chains: usize, draws: usize) -> ArrayType {
    let mut shape = Shape::from_slice(&[chains, draws]);
    shape.extend_from_slice(&column.ty.shape);
    ArrayType { dtype: column.ty.dtype, shape }
}

/// The number that the first bytes of a float or an integer stand for.
pub(super) fn number(dtype: DType, bytes: &[u8]) -> Option<f64> {
    Some(match dtype {
        DType::F32 => f64::from(f32::from_ne_bytes(*bytes.first_chunk()?)),
        DType::F64 => f64::from_ne_bytes(*bytes.first_chunk()?),
        DType::I32 => f64::from(i32::from_ne_bytes(*bytes.first_chunk()?)),
        DType::I64 => i64::from_ne_bytes(*bytes.first_chunk()?) as f64,
        DType::U32 => f64::from(u32::from_ne_bytes(*bytes.first_chunk()?)),
        DType::U64 => u64::from_ne_bytes(*bytes.first_chunk()?) as f64,
        DType::U8 | DType::Bool => f64::from(*bytes.first()?),
    })
}
