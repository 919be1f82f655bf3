//! What is known of a family of distributions: the names of its parameters, their constraints, its
//! support, and its row in the table of families. `declaration.rs` makes it from a declaration.

use super::{Abilities, Distribution};
use crate::constraints::Constraint;
use probpipe_trace::Array;
use std::fmt;

/// A family of distributions, as its declaration says.
#[derive(Debug)]
pub struct Family {
    /// The name of its type.
    pub name: &'static str,
    /// The parameters, in order.
    pub parameters: &'static [Parameter],
    /// Two parameters with `<` or `<=` between them, which must hold; or with `within`: the size of
    /// the first is less than the second.
    pub ordered: Option<(&'static str, &'static str, &'static str)>,
    /// The set in which draws lie, in words.
    pub support: &'static str,
    /// What it can do beside `log_prob`, `sample` and `support`.
    pub abilities: Abilities,
}

/// A parameter of a family.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, which is that of its getter.
    pub name: &'static str,
    /// The set in which it must lie.
    pub constraint: Constraint,
}

/// Distributions of a declared family.
pub trait Parametric: Distribution<Value = Array> {
    /// The declaration.
    const FAMILY: &'static Family;

    /// The parameters, in the order of the declaration, as they were given.
    fn parameters(&self) -> &[Array];
}

/// A row of a table in Markdown.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameter = |p: &Parameter| format!("`{}` {}", p.name, p.constraint);
        let mut parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        if let Some((low, order, high)) = self.ordered {
            parameters.push(match order {
                "within" => format!("`{low}` between `-{high}` and `{high}`"),
                _ => format!("`{low}` {order} `{high}`"),
            });
        }
        let (parameters, able) = (parameters.join(", "), self.abilities.cells().join(" | "));
        write!(f, "| `{}` | {parameters} | {} | {able} |", self.name, self.support)
    }
}

/// The table of families in Markdown, a row for each.
pub fn table(families: &[&Family]) -> String {
    let rows: String = families.iter().map(|family| format!("{family}\n")).collect();
    let head =
        "| family | parameters | support | cdf | quantile | moments | cov | mode | entropy |";
    format!("{head}\n|{}\n{rows}", "---|".repeat(9))
}

/// Prints a distribution with its parameters: numbers, or the types of arrays.
pub(crate) fn show(
    f: &mut fmt::Formatter<'_>,
    family: &Family,
    parameters: &[Array],
) -> fmt::Result {
    write!(f, "{}(", family.name)?;
    for (i, (parameter, array)) in family.parameters.iter().zip(parameters).enumerate() {
        write!(f, "{}{}=", if i > 0 { ", " } else { "" }, parameter.name)?;
        match array.ty() {
            Ok(ty) if ty.rank() > 0 || array.value().is_err() => write!(f, "{ty}")?,
            Ok(_) => write!(f, "{array}")?,
            Err(_) => f.write_str("invalid")?,
        }
    }
    f.write_str(")")
}
