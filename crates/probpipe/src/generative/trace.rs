//! Traces: what one run of a generative function had and made. A trace is a tree; how runs make
//! them is told elsewhere.

use super::choice_map::{ChoiceMap, branches};
use super::display::{Branch, lines, tree};
use super::subtrace::{Subtrace, record_of};
use probpipe_trace::{Array, Tree};
use std::fmt;

/// A run of a generative function: its arguments, its choices with their log-densities, and what it
/// gave. `Trace` alone is that of a function without arguments that gives an array.
///
/// A trace is a tree: it can be the carry of a loop, the argument and the result of compiled
/// functions, and the result of a `vmap`, which makes many in one. It prints as a tree of
/// addresses and types; with `{:#}` as one of addresses and values.
///
/// ```
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let x = t.sample("x", Normal::new(0.0, 1.0));
///     t.sample("y", Normal::new(&x * 0.3 + 0.4, 1.0))
/// });
/// let traces = vmap(|key| model.simulate(key, ()))(Key::new(0).split_batch(100));
/// assert_eq!(traces.score().shape(), [100]);
/// assert_eq!(traces.choices()["y"].shape(), [100]);
/// assert!(traces.score().max().item::<f32>()? < -1.83787);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Trace<A = (), R = Array> {
    pub(super) args: A,
    pub(super) value: R,
    pub(super) record: Subtrace,
}

impl<A: Tree, R: Tree> Trace<A, R> {
    /// The trace of a run. Of one with a mistake all is invalid.
    pub(super) fn new(args: A, value: R, record: Subtrace) -> Trace<A, R> {
        let trace = Trace { args, value, record };
        match trace.record.score().error().cloned() {
            None => trace,
            Some(error) => trace.map(|array| Array::invalid(error.clone(), array.location())),
        }
    }

    /// What the function was called with.
    pub fn args(&self) -> &A {
        &self.args
    }

    /// What the function gave.
    pub fn value(&self) -> &R {
        &self.value
    }

    /// The joint log-density of the choices, a scalar.
    pub fn score(&self) -> &Array {
        self.record.score()
    }

    /// The values of the choices by address.
    pub fn choices(&self) -> ChoiceMap {
        record_of(self.record.choices()).into()
    }

    /// The record of the run: the log-density of every choice.
    pub fn record(&self) -> &Subtrace {
        &self.record
    }
}

impl<A: Tree, R: Tree> fmt::Display for Trace<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = f.alternate();
        let below = vec![
            Branch::new("args", tree(&self.args, values)),
            Branch::new("value", tree(&self.value, values)),
            Branch::new("choices", branches(self.choices().record(), values)),
            Branch::new("score", vec![Branch::of(self.score(), values)]),
        ];
        f.write_str(&lines(&Branch::new("Trace", below)))
    }
}
