//! Numbers out of the JSON files in `data`.

use probpipe::{Array, Record};
use serde_json::Value;
use std::collections::BTreeMap;

/// A file of the repository.
#[derive(Debug)]
pub struct Data(Value);

impl Data {
    /// The text of a file.
    #[must_use]
    pub fn new(text: &str) -> Data {
        Data(serde_json::from_str(text).expect("the files in the repository are JSON"))
    }

    /// Numbers of `f64`: one, a vector, or a matrix as rows.
    #[must_use]
    pub fn floats(&self, name: &str) -> Array {
        let (numbers, shape) = numbers(&self.0[name]);
        Array::from_slice(&numbers, shape)
    }

    /// Integers of `i32`.
    #[must_use]
    pub fn integers(&self, name: &str) -> Array {
        let (numbers, shape) = numbers(&self.0[name]);
        let whole: Vec<i32> = numbers.into_iter().map(|x| x as i32).collect();
        Array::from_slice(&whole, shape)
    }

    /// Indices that count from 0, of such as count from 1.
    #[must_use]
    pub fn indices(&self, name: &str) -> Array {
        self.integers(name) - 1
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// Numbers in the order of the last index, and their shape.
pub(crate) fn numbers(value: &Value) -> (Vec<f64>, Vec<usize>) {
    let Some(list) = value.as_array() else { return (vec![number(value)], Vec::new()) };
    let parts: Vec<(Vec<f64>, Vec<usize>)> = list.iter().map(numbers).collect();
    let mut shape = vec![parts.len()];
    shape.extend(parts.first().map_or(&[][..], |(_, shape)| shape));
    (parts.into_iter().flat_map(|(numbers, _)| numbers).collect(), shape)
}

/// A record of numbers by Stan's names: `beta.2` and `beta[2]` are the second entry of the vector
/// `beta`. All vectors of the posteriors come in order, and a number that has an index is one of
/// a vector.
pub(crate) fn record_by_names<'a>(entries: impl IntoIterator<Item = (&'a str, f64)>) -> Record {
    let mut order = Vec::new();
    let mut found: BTreeMap<&str, (Vec<f64>, bool)> = BTreeMap::new();
    for (name, value) in entries {
        let end = name.find(['.', '[']);
        let address = &name[..end.unwrap_or(name.len())];
        if !found.contains_key(address) {
            order.push(address);
        }
        let (values, _) = found.entry(address).or_insert_with(|| (Vec::new(), end.is_some()));
        values.push(value);
        let index = end.map_or("1", |end| name[end + 1..].trim_end_matches(']'));
        assert_eq!(index, values.len().to_string(), "{name} comes in order");
    }
    let array = |address: &str| {
        let (values, is_vector) = &found[address];
        let shape = if *is_vector { vec![values.len()] } else { Vec::new() };
        (address.to_string(), Array::from_slice(values, shape))
    };
    Record::new(order.into_iter().map(array))
}
