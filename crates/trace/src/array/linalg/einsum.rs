//! Products and sums by subscripts. An expression becomes diagonals, sums, `dot_general` and one
//! transpose; operands combine from left to right.

use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::op::structural::DotAxes;
use crate::tracing::bind1;
use crate::types::{Axes, Shape};

/// Sums of products by Einstein's convention: letters name axes, those that the result does not
/// name are summed. `...` stands for axes that broadcast; without `->` the result has the letters
/// that occur once, in alphabetical order.
///
/// ```
/// use probpipe_trace::{array, einsum};
/// let (a, b) = (array([[1.0, 2.0], [3.0, 4.0]]), array([1.0, -1.0]));
/// assert_eq!(einsum("ij,j->i", &[&a, &b]).to_vec::<f32>()?, [-1.0, -1.0]);
/// assert_eq!(einsum("ii", &[&a]).item::<f32>()?, 5.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn einsum(expression: &str, operands: &[&Array]) -> Array {
    if let Some(error) = operands.iter().find_map(|x| x.error()) {
        return Array::invalid(error.clone(), here());
    }
    match Plan::parse(expression, operands) {
        Ok(plan) => plan.run(operands),
        Err(message) => {
            let error =
                Error::new(ErrorKind::Shape, format!("`einsum` \"{expression}\": {message}"));
            let help = "write one group of letters per operand, as in \"ij,jk->ik\"";
            Array::invalid(error.help(help), here())
        }
    }
}

/// The name of an axis: a letter, or the place of an axis under `...`, counted from the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    Dots(std::cmp::Reverse<usize>),
    Letter(char),
}

struct Plan {
    inputs: Vec<Vec<Label>>,
    output: Vec<Label>,
    extents: Vec<(Label, usize)>,
}

/// The letters of one group, with `...` as `dots` labels.
fn labels(group: &str, dots: usize) -> Result<Vec<Label>, String> {
    let mut found = Vec::new();
    let mut rest = group;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("...") {
            found.extend((0..dots).rev().map(|i| Label::Dots(std::cmp::Reverse(i))));
            rest = after;
        } else if c.is_ascii_alphabetic() {
            found.push(Label::Letter(c));
            rest = &rest[1..];
        } else {
            return Err(format!("`{c}` is no letter"));
        }
    }
    Ok(found)
}

impl Plan {
    fn parse(expression: &str, operands: &[&Array]) -> Result<Plan, String> {
        let expression: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match expression.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&expression[..], None),
        };
        let groups: Vec<&str> = left.split(',').collect();
        if groups.len() != operands.len() {
            return Err(format!("{} groups for {} operands", groups.len(), operands.len()));
        }
        let mut most_dots = 0;
        let mut inputs = Vec::new();
        for (group, x) in groups.iter().zip(operands) {
            let letters = group.chars().filter(char::is_ascii_alphabetic).count();
            let dots = match (group.matches("...").count(), x.rank().checked_sub(letters)) {
                (0, Some(0)) => 0,
                (1, Some(dots)) => dots,
                _ => return Err(format!("\"{group}\" does not fit an array of {} axes", x.rank())),
            };
            most_dots = most_dots.max(dots);
            inputs.push(labels(group, dots)?);
        }
        let output = match right {
            Some(right) => labels(right, most_dots)?,
            None => {
                let all: Vec<Label> = inputs.iter().flatten().copied().collect();
                let once = |l: &Label| {
                    matches!(l, Label::Dots(_)) || all.iter().filter(|o| *o == l).count() == 1
                };
                let mut free: Vec<Label> = all.iter().copied().filter(once).collect();
                free.sort_unstable();
                free.dedup();
                free
            }
        };
        let mut extents: Vec<(Label, usize)> = Vec::new();
        for (group, x) in inputs.iter().zip(operands) {
            for (label, &n) in group.iter().zip(x.shape()) {
                match extents.iter_mut().find(|(l, _)| l == label) {
                    Some((_, m)) if *m == 1 => *m = n,
                    Some((_, m)) if n != 1 && *m != n => {
                        return Err(format!("extents {m} and {n} of one axis"));
                    }
                    Some(_) => {}
                    None => extents.push((*label, n)),
                }
            }
        }
        for (i, label) in output.iter().enumerate() {
            if output[..i].contains(label) || !extents.iter().any(|(l, _)| l == label) {
                return Err("the result names an axis twice, or one that no operand has".into());
            }
        }
        Ok(Plan { inputs, output, extents })
    }

    fn extent(&self, label: Label) -> usize {
        self.extents.iter().find(|(l, _)| *l == label).map_or(1, |(_, n)| *n)
    }

    #[track_caller]
    fn run(&self, operands: &[&Array]) -> Array {
        let mut product: Option<Term> = None;
        for (i, x) in operands.iter().enumerate() {
            let next = Term::new(x, &self.inputs[i]).narrowed(self);
            let needed = |label: &Label| {
                self.output.contains(label)
                    || self.inputs[i + 1..].iter().any(|group| group.contains(label))
            };
            let joined = match product {
                None => next,
                Some(left) => left.times(next, &needed),
            };
            product = Some(joined.summed(&needed));
        }
        match product {
            Some(product) => product.arranged(self),
            None => Array::from(1.0),
        }
    }
}

/// An array with a name for every axis, each once.
struct Term {
    array: Array,
    labels: Vec<Label>,
}

impl Term {
    /// Takes diagonals where one label names several axes.
    #[track_caller]
    fn new(x: &Array, names: &[Label]) -> Term {
        let mut term = Term { array: x.clone(), labels: names.to_vec() };
        loop {
            let twice = term.labels.iter().enumerate().find_map(|(j, label)| {
                term.labels[..j].iter().position(|l| l == label).map(|i| (i, j))
            });
            let Some((i, j)) = twice else { return term };
            let label = term.labels.remove(j);
            term.labels.remove(i);
            let rest: Vec<isize> = (0..term.array.rank() as isize)
                .filter(|&a| a != i as isize && a != j as isize)
                .chain([i as isize, j as isize])
                .collect();
            term.array = term.array.permute(rest).diagonal();
            term.labels.push(label);
        }
    }

    /// Drops axes of extent 1 that broadcast against other operands.
    #[track_caller]
    fn narrowed(mut self, plan: &Plan) -> Term {
        let keep: Vec<bool> = self
            .labels
            .iter()
            .zip(self.array.shape())
            .map(|(&label, &n)| n == plan.extent(label))
            .collect();
        let shape: Shape =
            self.array.shape().iter().zip(&keep).filter(|(_, k)| **k).map(|(n, _)| *n).collect();
        self.labels = self.labels.iter().zip(&keep).filter(|(_, k)| **k).map(|(l, _)| *l).collect();
        self.array = self.array.reshape(shape);
        self
    }

    #[track_caller]
    fn summed(self, needed: &dyn Fn(&Label) -> bool) -> Term {
        let axes: Vec<isize> = (0..self.labels.len() as isize)
            .filter(|&a| !needed(&self.labels[a as usize]))
            .collect();
        if axes.is_empty() {
            return self;
        }
        let labels = self.labels.into_iter().filter(|l| needed(l)).collect();
        Term { array: self.array.sum_axes(axes), labels }
    }

    /// Contracts shared axes that nothing needs any more, runs the others in step.
    #[track_caller]
    fn times(self, other: Term, needed: &dyn Fn(&Label) -> bool) -> Term {
        let both = |l: &Label| self.labels.contains(l) && other.labels.contains(l);
        let place = |term: &Term, l: &Label| term.labels.iter().position(|m| m == l).unwrap_or(0);
        let pairs = |kept: bool| -> (Axes, Axes) {
            self.labels
                .iter()
                .filter(|l| both(l) && needed(l) == kept)
                .map(|l| (place(&self, l), place(&other, l)))
                .unzip()
        };
        let ((lhs_batch, rhs_batch), (lhs_contract, rhs_contract)) = (pairs(true), pairs(false));
        let mut labels: Vec<Label> =
            self.labels.iter().copied().filter(|l| both(l) && needed(l)).collect();
        labels.extend(self.labels.iter().filter(|l| !both(l)));
        labels.extend(other.labels.iter().filter(|l| !both(l)));
        let axes = DotAxes { lhs_contract, rhs_contract, lhs_batch, rhs_batch };
        Term { array: bind1(Op::Dot(axes), &[&self.array, &other.array]), labels }
    }

    /// The axes in the order of the result.
    #[track_caller]
    fn arranged(self, plan: &Plan) -> Array {
        let order: Vec<isize> = plan
            .output
            .iter()
            .filter_map(|l| self.labels.iter().position(|m| m == l).map(|a| a as isize))
            .collect();
        self.array.permute(order)
    }
}
