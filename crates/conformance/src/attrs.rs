//! The attributes of a case, and which of them a rule has looked at: a rule that left one unread
//! does not know what it asks for, so the case counts as one without a rule.

use probpipe::{Array, DType};
use probpipe_testing::reference::{array, dtype};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Index;

/// What a rule is chosen by, beside the operation's name.
pub struct Attrs {
    case: Json,
    read: RefCell<BTreeSet<String>>,
}

/// Attributes that say again what the operands or the reference's results say.
const REPEATED: [&str; 5] = ["dtype", "div0", "from", "x64", "optional"];

impl Attrs {
    /// Those of a case.
    pub fn of(case: &Json) -> Attrs {
        Attrs { case: case.clone(), read: RefCell::default() }
    }

    /// The attribute, if the case has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.read.borrow_mut().insert(name.to_string());
        self.case["attrs"].get(name)
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Option<isize> {
        self[name].as_i64().map(|n| n as isize)
    }

    /// A number that is not negative.
    pub fn size(&self, name: &str) -> Option<usize> {
        self[name].as_u64().map(|n| n as usize)
    }

    /// A whole number or a list of them.
    pub fn list(&self, name: &str) -> Option<Vec<isize>> {
        match &self[name] {
            Json::Array(list) => list.iter().map(|n| Some(n.as_i64()? as isize)).collect(),
            one => Some(vec![one.as_i64()? as isize]),
        }
    }

    /// A list of numbers that are not negative.
    pub fn sizes(&self, name: &str) -> Option<Vec<usize>> {
        self[name].as_array()?.iter().map(|n| Some(n.as_u64()? as usize)).collect()
    }

    /// A truth value, false if absent; nothing if it is something else.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            None => Some(false),
            Some(value) => value.as_bool(),
        }
    }

    /// One of several words, as its position; the first if absent.
    pub fn word(&self, name: &str, words: &[&str]) -> Option<usize> {
        match self.get(name) {
            None => Some(0),
            Some(value) => words.iter().position(|w| value == w),
        }
    }

    /// The reference's expression.
    pub fn expression(&self) -> &str {
        self.case["jax"].as_str().unwrap_or("")
    }

    /// How many operands there are.
    pub fn operands(&self) -> usize {
        self.case["inputs"].as_array().map_or(0, Vec::len)
    }

    /// The number of axes of an operand.
    pub fn rank(&self, operand: usize) -> usize {
        self.case["inputs"][operand]["shape"].as_array().map_or(0, Vec::len)
    }

    /// The element type of an operand.
    pub fn input_type(&self, operand: usize) -> Option<DType> {
        dtype(&self.case["inputs"][operand]["dtype"])
    }

    /// The element type of the reference's first result.
    pub fn output_type(&self) -> Option<DType> {
        dtype(&self.case["out"][0]["dtype"])
    }

    /// A result of the reference, for rules whose own is unique up to a choice that it settles.
    pub fn reference(&self, result: usize) -> Option<Array> {
        array(self.case["out"].get(result)?, None)
    }

    /// An attribute that no rule has read.
    pub fn unread(&self) -> Option<String> {
        let read = self.read.borrow();
        let known = |name: &str| read.contains(name) || REPEATED.contains(&name);
        let mut names = self.case["attrs"].as_object()?.keys();
        names.find(|name| !known(name)).cloned()
    }
}

impl Index<&str> for Attrs {
    type Output = Json;

    fn index(&self, name: &str) -> &Json {
        self.read.borrow_mut().insert(name.to_string());
        &self.case["attrs"][name]
    }
}
