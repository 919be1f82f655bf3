//! What samplers do with their parameters: the type that these decide, and the shape of the draw;
//! what several samplers are told alike. Nothing is drawn here.

use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, broadcast_shapes,
    default_float, here,
};

/// How many random bits a draw is compared or built of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resolution {
    /// Those of one float: chances below 2^-23 in `f32` are not told from zero.
    #[default]
    Low,
    /// Those of two floats, at twice the cost.
    High,
}

/// The float type that parameters name, else the default one.
pub(super) fn float_of(parameters: &[&Array]) -> DType {
    let named = parameters.iter().filter(|p| !p.is_weak()).map(|p| p.dtype());
    named.into_iter().find(|dtype| dtype.is_float()).unwrap_or_else(default_float)
}

/// Parameters of a sampler in their common float type, spread over the shape of the draw; the
/// first fault if there is one.
#[track_caller]
pub(super) fn floats<const N: usize>(
    sampler: &str,
    shape: &[usize],
    parameters: [(&str, Array); N],
) -> Result<[Array; N]> {
    let dtype = float_of(&parameters.each_ref().map(|(_, array)| array));
    typed(sampler, shape, dtype, parameters)
}

/// Parameters of a sampler in a type, spread over the shape of the draw.
#[track_caller]
pub(super) fn typed<const N: usize>(
    sampler: &str,
    shape: &[usize],
    dtype: DType,
    parameters: [(&str, Array); N],
) -> Result<[Array; N]> {
    let location = here();
    for (name, array) in &parameters {
        if let Some(error) = array.error() {
            return Err(error.clone());
        }
        if broadcast_shapes(array.shape(), shape).as_deref() != Some(shape) {
            let (own, asked) = (ShapeDisplay(array.shape()), ShapeDisplay(shape));
            let message = format!(
                "`{sampler}` draws an array of shape {asked}, to which {name} of shape {own} does \
                 not broadcast"
            );
            return Err(Error::new(ErrorKind::Shape, message)
                .at(location)
                .note(format!("{name} was made"), Some(array.location()))
                .help("the shape is that of the result, with the axes of the parameters last"));
        }
    }
    Ok(parameters.map(|(_, array)| {
        let array = array.cast(dtype);
        if array.shape() == shape { array } else { array.broadcast_to(shape) }
    }))
}

/// Refuses a type to draw that is no float.
#[track_caller]
pub(super) fn float_only(sampler: &str, dtype: DType) -> Result<()> {
    if dtype.is_float() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::DType, format!("`{sampler}` draws floats, not {dtype}"))
        .at(here())
        .help("name `DType::F32` or `DType::F64`; whole numbers come from `random::randint`"))
}

/// What a fallible sampler draws, or the array that is invalid for its reason.
#[track_caller]
pub(super) fn settled(draw: Result<Array>) -> Array {
    draw.unwrap_or_else(|error| Array::invalid(error, here()))
}

/// Three keys in place of one.
#[track_caller]
pub(super) fn thirds(key: Key) -> [Key; 3] {
    let layout = key.layout();
    let all = key.split_batch(3);
    [0, 1, 2].map(|i| Key::from_data(all.data().at(i)).with_layout(layout))
}

/// The shape `a` followed by `b`.
pub(super) fn join(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// The least positive normal number of a float type.
pub(super) fn tiny(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) }
}

/// The distance from 1 to the next number of a float type.
pub(super) fn epsilon(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) }
}
