//! Designs: batches of records made of what each part may be.

use super::{Record, RecordBatch};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// All combinations of what the parts of a record may be: each array lists its values along its
/// first axis. The batch has one level, `run`; the last part changes fastest.
///
/// ```
/// use probpipe::prelude::*;
/// let design = probpipe::full_factorial(&Record::new([
///     ("rate", array([0.1, 0.2])),
///     ("depth", array([1.0, 2.0, 3.0])),
/// ]))?;
/// assert_eq!(design.size("run")?, 6);
/// assert_eq!(design.record()["depth"].to_vec::<f32>()?, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// A part that is a single number, or an invalid array; no parts.
#[track_caller]
pub fn full_factorial(values: &Record) -> Result<RecordBatch> {
    let mut counts = Vec::new();
    for (path, array) in values.arrays() {
        match array.ty()?.shape.first() {
            Some(&n) => counts.push(n),
            None => {
                let message = format!("`{path}` of a design is one number, not a list of values");
                return Err(Error::new(ErrorKind::Shape, message)
                    .at(here())
                    .help("give an array of one value, or add the number to each record"));
            }
        }
    }
    if counts.is_empty() {
        return Err(Error::new(ErrorKind::Value, "a design of no parts")
            .at(here())
            .help("give at least one array of values"));
    }
    let mut design = Record::default();
    for (k, (path, array)) in values.arrays().into_iter().enumerate() {
        let slower: usize = counts[..k].iter().product();
        let faster: usize = counts[k + 1..].iter().product();
        design.insert(&path, spread(array, slower, faster));
    }
    RecordBatch::new(["run"], design)
}

/// Every entry `faster` times, and all of that `slower` times.
#[track_caller]
fn spread(array: &Array, slower: usize, faster: usize) -> Array {
    let shape = array.shape();
    let (n, rest) = (shape[0], &shape[1..]);
    let mut wide = vec![slower, n, faster];
    wide.extend_from_slice(rest);
    let mut long = vec![slower * n * faster];
    long.extend_from_slice(rest);
    array.expand_dims(1).expand_dims(0).broadcast_to(wide).reshape(long)
}
