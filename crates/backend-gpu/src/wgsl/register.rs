//! Buffers that live in variables of an invocation while a loop runs inside a shader. Which ones do
//! is decided in `lanes.rs` and `apart.rs`.

use super::Text;
use probpipe_lowering::IndexMap;

/// Elements up to which each is a variable by itself. Compilers keep those in registers, where an
/// array that is read at computed places lies in memory: Mesa's software driver (22.3.6) fills it
/// with zeros, a store for each element of each lane, and takes a second to translate the stores of
/// forty arrays of ten numbers.
pub(super) const SPLIT: usize = 16;

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

    /// Declares its variables, each beginning with such words.
    pub fn declare(&self, var: &str, ty: &str, text: &mut Text) {
        match self.size {
            ..=SPLIT => (0..self.size)
                .for_each(|i| text.line(format_args!("{var} {}: {ty};", self.place(i)))),
            size => text.line(format_args!("{var} {}: array<{ty}, {size}>;", self.name)),
        }
    }

    /// Its element at a place, which may be known.
    pub fn read(&self, at: &str) -> String {
        match at.parse() {
            _ if self.size == 1 => self.place(0),
            Ok(place) => self.place(place),
            Err(_) if self.size > SPLIT => format!("{}[{at}]", self.name),
            Err(_) => (1..self.size).fold(self.place(0), |others, i| {
                format!("select({others}, {}, {at} == {i})", self.place(i))
            }),
        }
    }

    /// Assigns its element at a place, which may be known.
    pub fn write(&self, at: &str, value: &str, text: &mut Text) {
        match at.parse() {
            _ if self.size == 1 => text.line(format_args!("{} = {value};", self.place(0))),
            Ok(place) => text.line(format_args!("{} = {value};", self.place(place))),
            Err(_) if self.size > SPLIT => {
                text.line(format_args!("{}[{at}] = {value};", self.name));
            }
            Err(_) => (0..self.size).for_each(|i| {
                let place = self.place(i);
                text.line(format_args!("{place} = select({place}, {value}, {at} == {i});"));
            }),
        }
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
        match self.size {
            1 => self.name.clone(),
            2..=SPLIT => format!("{}_{i}", self.name),
            _ => format!("{}[{i}]", self.name),
        }
    }
}
