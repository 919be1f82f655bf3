//! Programs that show probpipe at work, in `examples/`: `jax_interop` is the tour, `eight_schools`
//! a posterior from model to figures, `logistic_regression` one of data in a file,
//! `gaussian_process` functions, `hidden_markov` series, `lotka_volterra` a differential equation,
//! `laplace` a posterior by Laplace's approximation, `variational` a fit by draws from scratch,
//! `differentiable_programming` generative functions, `particle_filter` hidden states as they are
//! observed, `custom_gradient` a derivative of one's own, `profile` where a program's time goes.
//! Here is only how they read their data.

#![forbid(unsafe_code)]

use probpipe::prelude::*;
use probpipe::{ErrorKind, default_float};

/// The columns of a file of numbers, separated by commas, by the names in its first line.
///
/// ```
/// let data = probpipe_examples::columns("x,y\n1,2.5\n2,3.5\n")?;
/// assert_eq!(data["y"].to_vec::<f32>()?, [2.5, 3.5]);
/// let error = probpipe_examples::columns("x,y\n1,2\n1,many\n").unwrap_err();
/// assert_eq!(error.message(), "line 3 is not 2 numbers: `1,many`");
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// A line that has not as many numbers as there are names.
pub fn columns(text: &str) -> Result<Record> {
    let mut lines = text.lines().enumerate();
    let names: Vec<&str> = lines.next().unwrap_or_default().1.split(',').map(str::trim).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for (i, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let numbers: Option<Vec<f64>> =
            line.split(',').map(|number| number.trim().parse().ok()).collect();
        let numbers = numbers.filter(|numbers| numbers.len() == names.len()).ok_or_else(|| {
            let message = format!("line {} is not {} numbers: `{line}`", i + 1, names.len());
            Error::new(ErrorKind::Value, message)
        })?;
        columns.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
    }
    let array = |column: Vec<f64>| Array::from_slice(&column, [column.len()]).cast(default_float());
    Ok(Record::new(names.into_iter().zip(columns.into_iter().map(array))))
}
