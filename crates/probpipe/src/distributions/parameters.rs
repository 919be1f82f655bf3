//! The parameters of one distribution: arrays that were checked against the declaration of their
//! family, and the type and shape that they decide. No formula of a family lies here.

use super::family::Family;
use crate::constraints::Constraint;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Loc, Result, Scalar, Shape, ShapeDisplay, broadcast_shapes,
    default_float, here,
};

/// The parameters of a distribution, in the order of their declaration. What formulas get is
/// checked: at construction, or at each use where a tree was put together from leaves, which may
/// be derivatives or whatever else has the structure of a distribution.
#[derive(Clone)]
pub(crate) struct Parameters<const N: usize> {
    arrays: [Array; N],
    checked: bool,
}

impl<const N: usize> Parameters<N> {
    /// Checked parameters; all invalid for the reason that one of them is.
    #[track_caller]
    pub(crate) fn new(family: &Family, arrays: [Array; N]) -> Parameters<N> {
        let location = here();
        let arrays = weak(family, arrays);
        match check(family, &arrays, location) {
            Ok(()) => Parameters { arrays, checked: true },
            Err(error) => Parameters {
                arrays: std::array::from_fn(|_| Array::invalid(error.clone(), location)),
                checked: true,
            },
        }
    }

    /// The leaves of a tree, to be checked when they are used.
    pub(crate) fn of_leaves(arrays: [Array; N]) -> Parameters<N> {
        Parameters { arrays, checked: false }
    }

    /// The arrays as they are.
    pub(crate) fn leaves(&self) -> &[Array; N] {
        &self.arrays
    }

    /// The arrays to be replaced by leaves of a tree, to be checked when they are used.
    pub(crate) fn leaves_mut(&mut self) -> &mut [Array; N] {
        self.checked = false;
        &mut self.arrays
    }

    /// The array of a parameter as it is.
    pub(crate) fn leaf(&self, family: &Family, name: &str) -> &Array {
        // Names come from the declaration itself.
        &self.arrays[family.parameters.iter().position(|p| p.name == name).unwrap_or(0)]
    }

    /// The arrays, checked: all are invalid where one does not fit.
    #[track_caller]
    pub(crate) fn checked(&self, family: &Family) -> [Array; N] {
        if self.checked {
            return self.arrays.clone();
        }
        Parameters::new(family, self.arrays.clone()).arrays
    }

    /// The float type that the parameters decide, if they do.
    pub(crate) fn decided(&self) -> Option<DType> {
        let named = self.arrays.iter().filter(|a| !a.is_weak()).map(Array::dtype);
        named.into_iter().find(|dtype| dtype.is_float())
    }

    /// The float type of draws: that of the constants where nothing else decides.
    pub(crate) fn dtype(&self) -> DType {
        let of = |weak: bool| self.arrays.iter().filter(move |a| a.is_weak() == weak);
        let mut types = of(false).chain(of(true)).map(|a| a.dtype());
        types.find(|dtype| dtype.is_float()).unwrap_or_else(default_float)
    }

    /// The common shape of the parameters, without the axes of one of them.
    pub(crate) fn batch_shape(&self, family: &Family) -> Shape {
        batch(family, &self.arrays).unwrap_or_default()
    }

    /// The extent of vectors and matrices among the parameters.
    pub(crate) fn extent(&self, family: &Family) -> usize {
        let mut sized = family.parameters.iter().zip(&self.arrays);
        let vector = sized.find(|(p, _)| p.constraint.event_rank() > 0);
        vector.and_then(|(_, array)| array.shape().last().copied()).unwrap_or(0)
    }
}

/// Whole literals of continuous parameters as fractional ones, so that they take a float type.
#[track_caller]
fn weak<const N: usize>(family: &Family, mut arrays: [Array; N]) -> [Array; N] {
    for (parameter, array) in family.parameters.iter().zip(&mut arrays) {
        if !array.is_literal() || parameter.constraint.is_integer() {
            continue;
        }
        let number = array.value().and_then(|value| value.to_scalars());
        if let Ok(&[Scalar::Int(whole)]) = number.as_deref() {
            *array = Array::from(whole as f64);
        }
    }
    arrays
}

/// The common batch shape, where there is one.
fn batch(family: &Family, arrays: &[Array]) -> Option<Shape> {
    let mut common = Shape::new();
    for (parameter, array) in family.parameters.iter().zip(arrays) {
        let rank = array.rank().checked_sub(parameter.constraint.event_rank())?;
        common = broadcast_shapes(&common, &array.shape()[..rank])?;
    }
    Some(common)
}

fn check(family: &Family, arrays: &[Array], location: Loc) -> Result<()> {
    if let Some(error) = arrays.iter().find_map(Array::error) {
        return Err(error.clone());
    }
    types(family, arrays, location)?;
    shapes(family, arrays, location)?;
    for (parameter, array) in family.parameters.iter().zip(arrays) {
        require(family.name, parameter.name, &parameter.constraint, array, location)?;
    }
    ordered(family, arrays, location)
}

/// Fails where a known parameter does not satisfy its constraint.
pub(crate) fn require(
    family: &str,
    name: &str,
    constraint: &Constraint,
    array: &Array,
    location: Loc,
) -> Result<()> {
    let Some(violation) = constraint.violation(array) else { return Ok(()) };
    let value = violation.value.map(|value| format!(", not {value}")).unwrap_or_default();
    let place = match &violation.index[..] {
        [] => String::new(),
        index => format!(" at {}", ShapeDisplay(index)),
    };
    let message = format!("the {name} of {} must be {constraint}{value}{place}", one(family));
    Err(Error::new(ErrorKind::Value, message)
        .at(location)
        .note(format!("{name} was made"), Some(array.location()))
        .help(constraint.remedy()))
}

/// Every array is of the one float type, or of any type where integers are asked for.
fn types(family: &Family, arrays: &[Array], location: Loc) -> Result<()> {
    let mut decided: Option<(&str, DType)> = None;
    for (parameter, array) in family.parameters.iter().zip(arrays) {
        if array.is_weak() || parameter.constraint.is_integer() {
            continue;
        }
        let (name, dtype) = (parameter.name, array.dtype());
        let fault = |what: String| {
            Error::new(ErrorKind::DType, format!("the {name} of {} {what}", one(family.name)))
                .at(location)
                .note(format!("{name} was made"), Some(array.location()))
                .help("convert it, for example with `.cast(DType::F32)`")
        };
        if !dtype.is_float() {
            return Err(fault(format!("must be of a float type, not {dtype}")));
        }
        match decided {
            Some((first, other)) if other != dtype => {
                return Err(fault(format!("is {dtype}, its {first} {other}")));
            }
            _ => decided = Some((name, dtype)),
        }
    }
    Ok(())
}

/// Vectors and matrices have one extent, and what is left of the shapes broadcasts.
fn shapes(family: &Family, arrays: &[Array], location: Loc) -> Result<()> {
    let all = || family.parameters.iter().zip(arrays);
    let mut extent: Option<usize> = None;
    let mut fits = true;
    for (parameter, array) in all() {
        let rank = parameter.constraint.event_rank();
        let event = &array.shape()[array.rank().saturating_sub(rank)..];
        fits &= event.len() == rank;
        for &n in event {
            fits &= *extent.get_or_insert(n) == n;
        }
    }
    if fits && batch(family, arrays).is_some() {
        return Ok(());
    }
    let list: Vec<String> =
        all().map(|(p, a)| format!("{} {}", p.name, ShapeDisplay(a.shape()))).collect();
    let (last, first) = list.split_last().map_or(("", &[][..]), |(l, f)| (l.as_str(), f));
    let list = [&[first.join(", ")][..], &[last.to_string()]].concat().join(" and ");
    let what = if fits { "do not broadcast" } else { "do not fit" };
    let message = format!("the {list} of {} {what}", one(family.name));
    let mut error = Error::new(ErrorKind::Shape, message).at(location);
    for (parameter, array) in all() {
        error = error.note(format!("{} was made", parameter.name), Some(array.location()));
    }
    Err(if fits {
        error.help("extents, aligned at the last axis, must be equal or 1")
    } else {
        let wanted = all().map(|(p, _)| {
            let event = &["[...]", "[..., d]", "[..., d, d]"][p.constraint.event_rank()];
            format!("{} {event}", p.name)
        });
        error.help(format!("give {}", wanted.collect::<Vec<_>>().join(" and ")))
    })
}

/// Where the declaration says so, one parameter, or its size, is less than another.
fn ordered(family: &Family, arrays: &[Array], location: Loc) -> Result<()> {
    let Some((low, order, high)) = family.ordered else { return Ok(()) };
    let (strict, within) = (order != "<=", order == "within");
    let find = |name| family.parameters.iter().position(|p| p.name == name);
    let (Some(i), Some(j)) = (find(low), find(high)) else { return Ok(()) };
    let numbers = |array: &Array| array.known()?.to_scalars().ok();
    let (Some(below), Some(above)) = (numbers(&arrays[i]), numbers(&arrays[j])) else {
        return Ok(());
    };
    let shape = broadcast_shapes(arrays[i].shape(), arrays[j].shape()).unwrap_or_default();
    let total: usize = shape.iter().product();
    // Where the index of a broadcast array is in an operand: axes of extent 1 stand still.
    let place = |index: &[usize], operand: &[usize]| {
        let skipped = index.len() - operand.len();
        operand.iter().zip(&index[skipped..]).fold(0, |at, (&n, &k)| at * n + k.min(n - 1))
    };
    let mut index = vec![0; shape.len()];
    for _ in 0..total {
        let value = below[place(&index, arrays[i].shape())].as_f64();
        let a = if within { value.abs() } else { value };
        let b = above[place(&index, arrays[j].shape())].as_f64();
        if a > b || strict && a == b {
            let place = if index.is_empty() {
                String::new()
            } else {
                format!(" at {}", ShapeDisplay(&index))
            };
            let message = format!(
                "the {low} of {} must be {} its {high}: {low} is {value} and {high} {b}{place}",
                one(family.name),
                match order {
                    "within" => "of smaller size than",
                    "<" => "less than",
                    _ => "at most",
                },
            );
            let help = match within {
                true => format!("write {low} as {high} times a number between -1 and 1"),
                false => format!("exchange them, or write {high} as {low} plus a positive width"),
            };
            return Err(Error::new(ErrorKind::Value, message)
                .at(location)
                .note(format!("{low} was made"), Some(arrays[i].location()))
                .note(format!("{high} was made"), Some(arrays[j].location()))
                .help(help));
        }
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Ok(())
}

/// A name with its article.
fn one(name: &str) -> String {
    let article = if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {name}")
}
