//! Padding with what is in the array. Padding with a constant is an op, see `Array::pad`; here
//! the rows that are put before and after are read at positions that are known beforehand.

use crate::array::shape::join::concat;
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::types::IntoShape;
use std::ops::Range;

/// What [`Array::pad_mode`] puts around an array, along one axis after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PadMode {
    /// The first and the last entry, over and over: `a a | a b c | c c`.
    Edge,
    /// The mirror image without the entry at the edge: `c b | a b c | b a`.
    Reflect,
    /// The mirror image with the entry at the edge: `b a | a b c | c b`.
    Symmetric,
    /// The entries from the other end: `b c | a b c | a b`.
    Wrap,
    /// The largest entry.
    Maximum,
    /// The smallest entry.
    Minimum,
    /// The mean, of whole numbers rounded.
    Mean,
    /// The median, of whole numbers rounded.
    Median,
}

/// Which of `n` entries stands at position `i` of a line that is folded at its ends: it turns back
/// every `period` positions, and position `turn - i` is the image of `i`.
fn folded(i: isize, n: isize, period: isize, turn: isize) -> isize {
    let i = i.rem_euclid(period);
    if i < n { i } else { turn - i }
}

impl Array {
    /// The array with `low[i]` entries before and `high[i]` after it along axis `i`, made of its
    /// own entries as `mode` says. See [`Array::pad`] for a constant.
    ///
    /// ```
    /// use probpipe_trace::{array, PadMode};
    /// let x = array([1.0, 2.0, 3.0]);
    /// let mirrored = x.pad_mode([2], [1], PadMode::Reflect);
    /// assert_eq!(mirrored.to_vec::<f32>()?, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn pad_mode(&self, low: impl IntoShape, high: impl IntoShape, mode: PadMode) -> Array {
        let (low, high) = (low.into_shape(), high.into_shape());
        if self.error().is_some() {
            return self.clone();
        }
        let padded = |axis: usize| low[axis] > 0 || high[axis] > 0;
        let fits = low.len() == self.rank() && high.len() == self.rank();
        if !fits || (0..self.rank()).any(|a| padded(a) && self.shape()[a] == 0) {
            let message = format!(
                "`pad_mode` cannot put {:?} and {:?} entries around an array of shape {:?}",
                &low[..],
                &high[..],
                self.shape()
            );
            let help = "give one number per axis, and pad only axes that have entries";
            return Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here());
        }
        let mut x = self.clone();
        for axis in (0..self.rank()).filter(|&a| padded(a)) {
            let n = self.shape()[axis] as isize;
            let before = x.rows(mode, axis as isize, -(low[axis] as isize)..0);
            let after = x.rows(mode, axis as isize, n..n + high[axis] as isize);
            x = concat(&[before, x, after], axis as isize);
        }
        x
    }

    /// What a mode puts at positions outside of an axis.
    #[track_caller]
    fn rows(&self, mode: PadMode, axis: isize, positions: Range<isize>) -> Array {
        let n = self.shape()[axis as usize] as isize;
        let count = positions.len();
        let taken = |source: &dyn Fn(isize) -> isize| {
            let indices: Vec<i32> = positions.clone().map(|i| source(i) as i32).collect();
            self.take(Array::from_slice(&indices, [count]), axis)
        };
        let repeated = |entry: Array| entry.expand_dims(axis).repeat(count, axis);
        let typed = |entry: Array| {
            if self.dtype().is_float() { entry } else { entry.round().cast(self.dtype()) }
        };
        match mode {
            PadMode::Edge => taken(&|i| i.clamp(0, n - 1)),
            PadMode::Reflect if n == 1 => taken(&|_| 0),
            PadMode::Reflect => taken(&|i| folded(i, n, 2 * n - 2, 2 * n - 2)),
            PadMode::Symmetric => taken(&|i| folded(i, n, 2 * n, 2 * n - 1)),
            PadMode::Wrap => taken(&|i| i.rem_euclid(n)),
            PadMode::Maximum => repeated(self.max_axes([axis])),
            PadMode::Minimum => repeated(self.min_axes([axis])),
            PadMode::Mean => repeated(typed(self.mean_axes([axis]))),
            PadMode::Median => repeated(typed(self.median_axes(axis))),
        }
    }
}
