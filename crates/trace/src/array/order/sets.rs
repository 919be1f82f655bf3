//! Arrays as sets: their distinct elements.

use crate::array::make::typed::full_of;
use crate::array::shape::join::concat;
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind, Result};
use crate::eval::eval_op;
use crate::handle::Array;
use crate::op::{Op, infer};
use crate::types::ShapeDisplay;
use crate::value::Value;

impl Array {
    /// The distinct elements, ascending, as a vector; NaN once, at the end. How many there are
    /// depends on the values, so the array must have some: where one is traced, or the derivative
    /// is wanted, say with [`Array::unique_sized`] how many there are at most.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([3, 1, 3, 2, 1]).unique().to_vec::<i32>()?, [1, 2, 3]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "unique_values")]
    pub fn unique(&self) -> Array {
        if let Some(error) = self.error() {
            return Array::invalid(error.clone(), here());
        }
        let distinct = match self.value() {
            Ok(value) => distinct(value),
            Err(_) => {
                let typed = format!("{}{}", self.dtype(), ShapeDisplay(self.shape()));
                let message = format!("`unique` of a traced {typed} has no size yet");
                Err(Error::new(ErrorKind::Trace, message)
                    .note("the array was made", Some(self.location))
                    .help("give the largest number of distinct elements to `unique_sized`"))
            }
        };
        match distinct {
            Ok(value) => Array::concrete(value, here()),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The first `size` of the distinct elements, ascending, and `fill` where there are fewer;
    /// NaN counts once, at the end.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([3, 1, 3, 2, 1]);
    /// assert_eq!(x.unique_sized(5, -1).to_vec::<i32>()?, [1, 2, 3, -1, -1]);
    /// assert_eq!(x.unique_sized(2, -1).to_vec::<i32>()?, [1, 2]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn unique_sized(&self, size: usize, fill: impl Into<Array>) -> Array {
        let start = full_of(self.dtype(), size, fill);
        if self.error().is_some() {
            return self.clone();
        }
        let n = self.size();
        if n == 0 || size == 0 {
            return start;
        }
        let sorted = self.flatten().sort(0);
        let (before, after) = (sorted.slice_axis(0, 0..n - 1), sorted.slice_axis(0, 1..n));
        // NaN differs from itself, but counts once.
        let differs = after.ne(&before) & (after.eq(&after) | before.eq(&before));
        let place = concat([Array::from([0]), differs.cast(DType::I32)], 0).cumsum(0);
        // Places beyond the end are dropped.
        start.at_indices([&place]).set(sorted)
    }
}

/// The distinct elements of a value, computed at once also while a trace is open.
fn distinct(value: Value) -> Result<Value> {
    let run = |op: Op, operands: &[Value]| -> Result<Value> {
        let types: Vec<_> = operands.iter().map(Value::ty).collect();
        let fault = |message| Error::new(ErrorKind::Internal, message);
        let results = infer(&op, &types).map_err(|f| fault(f.message))?;
        let mut outputs = eval_op(&op, operands, &results)?;
        outputs.pop().ok_or_else(|| fault("an op gave no result".into()))
    };
    let shape = smallvec::smallvec![value.ty().size()];
    let flat = run(Op::Reshape { shape }, &[value])?;
    let sorted = run(Op::Sort { axis: 0, num_keys: 1 }, &[flat])?;
    let scalars = sorted.to_scalars()?;
    let same = |a: Scalar, b: Scalar| match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a == b || a.is_nan() && b.is_nan(),
        (a, b) => a == b,
    };
    let first = |i: &usize| *i == 0 || !same(scalars[*i - 1], scalars[*i]);
    let places: Vec<i32> = (0..scalars.len()).filter(first).map(|i| i as i32).collect();
    let places = Value::from_elements(&places, &[places.len()])?;
    run(Op::Gather { batch: 0 }, &[sorted, places])
}
