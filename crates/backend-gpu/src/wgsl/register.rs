//! Buffers that live in variables of an invocation while a loop runs inside a shader. Which ones do
//! is decided in `lanes.rs`.

use probpipe_lowering::IndexMap;

/// A buffer that lives in variables of each invocation. Its element `e` belongs to lane
/// `e % period / step`.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub name: String,
    pub size: usize,
    pub step: i64,
    pub period: i64,
}

impl Register {
    /// The index within the lane's own elements; the caller leaves out the lane's axis.
    pub fn local(&self, map: &IndexMap, lane: Option<usize>) -> IndexMap {
        if self.period == i64::MAX {
            return map.clone();
        }
        let scale = |v: i64| if v % self.period == 0 { v / self.period * self.step } else { v };
        let mut local = map.clone();
        for (axis, step) in local.axes.iter_mut().enumerate() {
            *step = if lane == Some(axis) { 0 } else { scale(*step) };
        }
        for (_, step) in &mut local.loops {
            *step = scale(*step);
        }
        local.offset =
            map.offset.div_euclid(self.period) * self.step + map.offset.rem_euclid(self.period);
        local
    }

    /// Whether it is one number rather than an array.
    pub fn is_scalar(&self) -> bool {
        self.size == 1
    }

    /// Where its `i`-th element lies in the buffer: `axes[0]` is the lane.
    pub fn global(&self, i: usize) -> IndexMap {
        let (block, rest) = match self.step {
            0 => (0, i as i64),
            step => (i as i64 / step, i as i64 % step),
        };
        let offset = if self.period == i64::MAX { i as i64 } else { block * self.period + rest };
        IndexMap { offset, axes: smallvec::smallvec![self.step], ..IndexMap::default() }
    }

    /// Its `i`-th element, as an expression or a target.
    pub fn place(&self, i: usize) -> String {
        match self.is_scalar() {
            true => self.name.clone(),
            false => format!("{}[{i}]", self.name),
        }
    }
}
